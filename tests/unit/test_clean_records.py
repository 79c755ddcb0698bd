"""Cleaning of JSON, CSV and WARC, of what a program holds, and compressed: case by case."""

from __future__ import annotations

import gzip
import io
import json
from collections import UserDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from dedup.cleaning.objects import clean_objects
from dedup.cleaning.packing import open_content, packed
from dedup.cleaning.pieces import STAYS, Cut, Cuts, Gone, Left
from dedup.cleaning.records import Drop, clean_records
from dedup.cleaning.warc import clean_warc
from dedup.errors import InputError
from dedup.model import Page
from dedup.options import Options
from dedup.readers import open_pages, pages_from_objects
from dedup.readers.compression import zstd_module
from tests.clean_help import clean, pages_of, put_back


def stays(source: bytes, form: str, edits: Any, **settings: Any) -> bytes:
    """The cleaned file; its pieces were checked."""
    cleaned, pieces, left = clean(source, form, edits, **settings)
    assert put_back(cleaned, pieces) == source == b"".join(piece.data for piece in pieces)
    assert not left
    return cleaned


def test_numbers_find_records_again(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "x", "text": "a"}\n\n[]\n{"text": "b"}\n')
    (tmp_path / "b.json").write_text('[{"text": "a"}, 5,\n {"text": "b"}]')
    (tmp_path / "c.csv").write_text('text,id\n"a\nb",1\nc,2\n')
    (tmp_path / "d.txt").write_text("a")
    numbers = [(Path(page.source).name, page.number) for page in open_pages(tmp_path)]
    assert numbers == [("a.jsonl", 1), ("a.jsonl", 4), ("b.json", 1), ("b.json", 3), ("c.csv", 2), ("c.csv", 4), ("d.txt", 0)]
    assert [page.number for page in pages_from_objects(["a", 5, Page("b", "b"), {"text": "c"}])] == [1, 3, 4]


@pytest.mark.parametrize(("edits", "want"), [
    ({1: Drop(0)}, b'{"text": "b"}\r\n{"text": "c"}'),
    ({2: Drop(0)}, b'{"text": "a"}\n{"text": "c"}'),
    ({3: Drop(0)}, b'{"text": "a"}\n{"text": "b"}\r\n'),
    ({1: Drop(0), 2: Drop(0), 3: Drop(1)}, b""),
])
def test_a_line_goes_with_its_end(edits: Any, want: bytes) -> None:
    """Also behind a byte order mark, which belongs to the file."""
    source = b'{"text": "a"}\n{"text": "b"}\r\n{"text": "c"}'
    assert stays(source, "jsonl", edits) == want
    assert stays(b"\xef\xbb\xbf" + source, "jsonl", edits) == b"\xef\xbb\xbf" + want


@pytest.mark.parametrize(("dropped", "want"), [
    ([1], "[\n  {2},\n  {3}\n]\n"),
    ([2], "[\n  {1},\n  {3}\n]\n"),
    ([3], "[\n  {1},\n  {2}\n]\n"),
    ([1, 2], "[\n  {3}\n]\n"),
    ([2, 3], "[\n  {1}\n]\n"),
    ([1, 3], "[\n  {2}\n]\n"),
    ([1, 2, 3], "[\n  \n]\n"),
])
def test_an_element_goes_with_one_comma(dropped: list[int], want: str) -> None:
    def file(template: str) -> bytes:
        for number in (1, 2, 3):
            template = template.replace(f"{{{number}}}", f'{{"text": "t{number}"}}')
        return template.encode()
    source = file("[\n  {1},\n  {2},\n  {3}\n]\n")
    assert stays(source, "json", {number: Drop(number) for number in dropped}) == file(want)


def test_a_removal_takes_its_comma() -> None:
    """Of elements that go one after the other, each has its own piece."""
    source = b'[{"text": "a"}, {"text": "b"}, {"text": "c"}]'
    _, pieces, _ = clean(source, "json", {1: Drop(7), 2: Drop(8)})
    assert pieces == [(b"[", STAYS), (b'{"text": "a"}', 7), (b", ", 7), (b'{"text": "b"}', 8), (b", ", 8),
                      (b'{"text": "c"}', STAYS), (b"]", STAYS)]


def test_only_the_cut_goes_from_a_line() -> None:
    source = rb'{"n": 1.50, "text" : "a \u00e9\n\ud83d\ude00 b", "z": "\u0041"}' + b"\n"
    edits = {1: [Gone(2, 3, 0), Gone(4, 5, 1)]}
    assert stays(source, "jsonl", edits) == rb'{"n": 1.50, "text" : "a \n b", "z": "\u0041"}' + b"\n"
    assert [piece for piece in clean(source, "jsonl", edits)[1] if piece.removal != STAYS] == [
        (rb"\u00e9", 0), (rb"\ud83d\ude00", 1)]


def test_two_halves_are_never_joined() -> None:
    r"""``\ud83d x \ude00`` without what is between would be one character; what else goes of the line goes."""
    source = rb'{"text": "one \ud83d x \ude00 two"}'
    gone = [Gone(0, 3, 5), Gone(5, 8, 6)]
    cleaned, pieces, left = clean(source, "jsonl", {1: gone})
    assert cleaned == rb'{"text": " \ud83d x \ude00 two"}'
    assert left == {1: [Left(5, 8, 6, "it would join two halves of a character")]}
    assert put_back(cleaned, pieces) == source


def test_nested_fields_and_other_settings() -> None:
    source = b'{"doc": {"a": 1, "body": "one two"}, "text": "not this"}\n'
    edits = {1: [Gone(0, 4, 0)]}
    assert stays(source, "jsonl", edits, text_field="doc.body") == source.replace(b"one two", b"two")
    assert stays(b'{"doc.body": "one two", "doc": {"body": "no"}}', "jsonl", edits, text_field="doc.body") == \
        b'{"doc.body": "two", "doc": {"body": "no"}}'


def test_a_cutter_may_take_more() -> None:
    """What a cutter of another format answers is what goes; what it leaves is told with the record's number."""
    def cutter(source: str, gone: Sequence[Gone]) -> Cuts:
        assert source == "<p>one</p><p>two</p>"
        assert gone == [Gone(0, 3, 0), Gone(4, 7, 1)]
        return Cuts((Cut(0, 10, 0),), (Left(4, 7, 1, "because"),))
    told: list[Any] = []
    source = b'{"text": "<p>one<\\/p><p>two</p>"}'
    pieces = list(clean_records(io.BytesIO(source), "jsonl", {1: [Gone(0, 3, 0), Gone(4, 7, 1)]}, Options(), cutter,
                                lambda number, left: told.append((number, left))))
    assert pieces == [(b'{"text": "', STAYS), (b"<p>one<\\/p>", 0), (b'<p>two</p>"}', STAYS)]
    assert told == [(1, Left(4, 7, 1, "because"))]


def test_lines_that_were_not_read_pass() -> None:
    source = b'{"text": "bro\n{"text": "' + b"x" * 2000 + b'"}\n\xff\xfe\n{"text": "one two"}\n{"text": 5}\n'
    assert stays(source, "jsonl", {4: [Gone(0, 4, 0)]}, max_page_bytes=1000) == source.replace(b"one two", b"two")


@pytest.mark.parametrize("form", ["jsonl", "json", "csv"])
@pytest.mark.parametrize("edit", [Drop(0), [Gone(0, 3, 0)]])
def test_a_record_that_is_not_there(form: str, edit: Any) -> None:
    source = {"jsonl": b'{"text": "abc"}\n', "json": b'[{"text": "abc"}]', "csv": b"text,id\nabc,1\n"}[form]
    with pytest.raises(InputError, match=r"3 is not what was scanned\. The file has changed since"):
        clean(source, form, {3: edit})


@pytest.mark.parametrize(("form", "source", "number"), [
    ("jsonl", b'{"txt": "abc"}\n', 1), ("jsonl", b'{"text": 5}\n', 1), ("jsonl", b"\n", 1), ("jsonl", b'{"text": "a', 1),
    ("jsonl", b'{"text": "ab"}', 1), ("json", b'[{"text": "ab"}]', 1), ("csv", b"text\n\n", 2), ("csv", b"text\nab\n", 2),
    ("csv", b"id,text\na\n", 2),
])
def test_a_record_that_is_another(form: str, source: bytes, number: int) -> None:
    with pytest.raises(InputError, match="changed"):
        clean(source, form, {number: [Gone(0, 3, 0)]})


@pytest.mark.parametrize(("row", "gone", "want"), [
    (b"one two,x\n", (0, 4), b"two,x\n"),
    (b'"one ""two"" three",x\r\n', (4, 10), b'"one three",x\r\n'),
    (b'"one ""two"" three",x\n', (5, 15), b'"one """,x\n'),
    (b'"a\nb, ""c""",x\n', (0, 2), b'"b, ""c""",x\n'),
    (b'"a\r\nb\n",x', (0, 5), b'"",x'),
    ("é\u4e2d two,\xff\n".encode(), (0, 3), "two,\xff\n".encode()),
    (b"caf\xe9 two,x\n", (0, 5), b"two,x\n"),
    (b'"one" two,x\n', (0, 3), b'"" two,x\n'),
    (b'"one" two,x\n', (3, 7), b'"one",x\n'),
])
def test_rows(row: bytes, gone: tuple[int, int], want: bytes) -> None:
    """Quotes stay as they are; a line in Windows-1252 is cut as one."""
    head, tail = b"text,id\nfirst,1\n", b"last,2\n" if row.endswith(b"\n") else b""
    assert stays(head + row + tail, "csv", {3: [Gone(*gone, 0)]}) == head + want + tail


@pytest.mark.parametrize(("row", "gone", "reason"), [
    (b'ab"c,x\n', (0, 2), "its row would be read differently"),  # a quote would open
    (b'"one"a"b,x\n', (3, 4), "its row would be read differently"),  # a quote that closes would be doubled
    (b"caf\xe9 \xc3\xa9,x\n", (0, 5), "the encoding of its line would be guessed differently"),  # the rest is UTF-8
    (b"\xef\xbb\xbfone \xe9,x\n", (0, 3), "the encoding of its line is not known"),
])
def test_rows_that_would_be_torn(row: bytes, gone: tuple[int, int], reason: str) -> None:
    source = b"text,id\n" + row
    assert len(pages_of(source, "csv")) == 1
    cleaned, _, left = clean(source, "csv", {2: [Gone(*gone, 4)]})
    assert cleaned == source
    assert left == {2: [Left(*gone, 4, reason)]}


def test_an_empty_row_is_none() -> None:
    """The only field of a row without quotes cannot be cut to nothing: the row would be gone."""
    _, _, left = clean(b"text\nabc\n", "csv", {2: [Gone(0, 3, 0)]})
    assert left == {2: [Left(0, 3, 0, "its row would be read differently")]}
    assert stays(b'text\n"abc"\n', "csv", {2: [Gone(0, 3, 0)]}) == b'text\n""\n'
    assert stays(b"text\nabc\n", "csv", {2: Drop(0)}) == b"text\n"


def test_a_row_with_a_line_that_is_too_long_stays() -> None:
    """The reader took it for an empty line: nobody has seen what is in it."""
    source = b'text,id\n"one\n' + b"x" * (2 << 20) + b'\ntwo",1\nlast,2\n'
    (first, _) = pages_of(source, "csv", max_page_bytes=1000)
    assert first.text == "one\n\ntwo"
    for edit in (Drop(3), [Gone(0, 4, 3)]):
        cleaned, _, left = clean(source, "csv", {2: edit}, max_page_bytes=1000)
        assert cleaned == source
        assert [entry.reason for entry in left[2]] == ["a line of it is too long to be read"]


def test_delimiters_and_columns() -> None:
    assert stays(b"id;text\n1;a,b c\n", "csv", {2: [Gone(0, 4, 0)]}) == b"id;text\n1;c\n"
    assert stays(b"id\ttext\n1\ta, b\n", "tsv", {2: [Gone(0, 3, 0)]}) == b"id\ttext\n1\tb\n"
    assert stays(b"body,text\nno,a b,\n", "csv", {2: [Gone(0, 2, 0)]}) == b"body,text\nno,b,\n"
    assert stays(b"body,text\na b\n", "csv", {2: [Gone(0, 2, 0)]}) == b"body,text\nb\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_wide_encodings(encoding: str) -> None:
    """Bytes that are no text of it, and a character that is cut at the end, stay as they are."""
    mark = "" if encoding in ("utf-16", "utf-32") else "\ufeff"
    source = (mark + '{"text": "one 😀 two"}\n').encode(encoding) + b"\x00\xd8\x00\x00"[:2 if "16" in encoding else 4] + b"\n"
    cleaned = stays(source, "jsonl", {1: [Gone(4, 6, 0)]})
    assert pages_of(cleaned, "jsonl")[0].text == "one two"
    assert cleaned == source.replace("😀 ".encode(encoding)[len("".encode(encoding)):], b"")


def test_empty_files() -> None:
    for form in ("jsonl", "json", "csv"):
        for source in (b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\n"):
            assert stays(source, form, {}) == source


def test_memory_does_not_grow_with_the_file() -> None:
    """A file of 60 MB that is made while it is read passes in pieces of at most a block; each line is found."""
    import tracemalloc

    line = b'{"text": "' + b"one two " * 100 + b'"}\n'

    class Endless(io.RawIOBase):
        left = 75_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            count = min(len(buffer) // len(line), self.left)
            self.left -= count
            buffer[:count * len(line)] = line * count
            return count * len(line)

    edits = {number: [Gone(0, 4, 0)] for number in range(1, 75_001, 500)}
    tracemalloc.start()
    total = gone = 0
    for piece in clean_records(io.BufferedReader(Endless(), 1 << 16), "jsonl", edits, Options()):
        total += len(piece.data)
        gone += len(piece.data) if piece.removal != STAYS else 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (total, gone) == (75_000 * len(line), 4 * len(edits))
    assert peak < 8_000_000


@pytest.mark.parametrize("compression", ["", "gzip", "zstd"])
def test_packing(compression: str) -> None:
    """The same content gives the same bytes, whenever and in whatever portions it is written."""
    content = b"".join(b"line %d\n" % i for i in range(50_000))
    first, second = io.BytesIO(), io.BytesIO()
    with packed(first, compression) as stream:
        stream.write(content)
    with packed(second, compression) as stream:
        for at in range(0, len(content), 777):
            stream.write(content[at:at + 777])
    assert first.getvalue() == second.getvalue()
    stream, found = open_content(io.BytesIO(first.getvalue()))
    assert (stream.read(), found) == (content, compression)
    if compression == "gzip":
        assert first.getvalue()[3:8] == b"\0\0\0\0\0"  # neither a name nor a time
    if compression == "zstd":
        assert first.getvalue()[4] & 4  # the frame's checksum


@pytest.mark.parametrize(("compression", "unpack"), [("gzip", gzip.decompress), ("zstd", zstd_module().decompress)])
def test_nothing_is_packed_as_a_whole_file_of_its_kind(compression: str, unpack: Callable[[bytes], bytes]) -> None:
    """A page of which everything goes; no bytes at all would be no zstd."""
    file = io.BytesIO()
    with packed(file, compression):
        pass
    assert file.getvalue()
    assert unpack(file.getvalue()) == b""


def test_packing_of_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="gzip and zstd"), packed(io.BytesIO(), "bzip2"):
        pass


def test_damaged_gzip_is_cleaned_as_it_is_read() -> None:
    """A line that is cut is a line of its own for reader and cleaner; numbers agree behind it."""
    part = gzip.compress(b"".join(b'{"text": "record %d of many"}\n' % (i * 7919) for i in range(2000)))
    whole = gzip.compress(b'{"text": "one two"}\n')
    source = part[:len(part) // 2] + whole
    stream = open_pages(io.BytesIO(source), input_format="jsonl")
    pages = list(stream)
    assert stream.errors
    assert pages[-1].text == "one two"
    told: list[str] = []
    content, compression = open_content(io.BytesIO(source), lambda message, _: told.append(message))
    pieces = list(clean_records(content, "jsonl", {pages[-1].number: [Gone(0, 4, 0)]}, Options()))
    assert told
    assert compression == "gzip"
    assert pieces[-2:] == [(b"one ", 0), (b'two"}\n', STAYS)]


def warc(records: Sequence[tuple[str, str, bytes]]) -> bytes:
    out = b""
    for kind, uri, body in records:
        http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
        out += (f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nContent-Type: application/http\r\n"
                f"Content-Length: {len(http)}\r\n\r\n").encode() + http + b"\r\n\r\n"
    return out


def test_web_archives_become_json_lines() -> None:
    pytest.importorskip("fastwarc")
    source = warc([
        ("request", "https://a.org/1", b"no page"),
        ("response", "https://a.org/1", b"<title>First</title><p>One \"two\"</p><p>three</p>"),
        ("response", "https://a.org/2", "<p>Größe</p>".encode()),
        ("response", "https://a.org/3", b"<p>Copy</p>"),
    ])

    def pages() -> Iterator[Page]:
        return iter(open_pages(io.BytesIO(source)))
    assert [page.number for page in pages()] == [2, 3, 4]
    uncut = b"".join(piece.data for piece in clean_warc(pages(), {}))
    assert [json.loads(line) for line in uncut.splitlines()] == [
        {"id": "https://a.org/1", "url": "https://a.org/1", "title": "First", "text": 'One "two"\nthree'},
        {"id": "https://a.org/2", "url": "https://a.org/2", "text": "Größe"},
        {"id": "https://a.org/3", "url": "https://a.org/3", "text": "Copy"},
    ]
    pieces = list(clean_warc(pages(), {2: [Gone(4, 10, 0)], 4: Drop(1)}))
    cleaned = b"".join(piece.data for piece in pieces if piece.removal == STAYS)
    assert put_back(cleaned, pieces) == uncut
    assert [(page.id, page.text) for page in open_pages(io.BytesIO(cleaned), input_format="jsonl")] == [
        ("https://a.org/1", "One three"), ("https://a.org/2", "Größe")]
    with pytest.raises(InputError, match="record 9 "):
        list(clean_warc(pages(), {9: Drop(0)}))


def test_half_a_character_in_a_page_is_written_as_an_escape() -> None:
    (piece,) = clean_warc([Page("a", 'x\ud800"\x00', record=True, number=1)], {})
    assert json.loads(piece.data)["text"] == 'x\ud800"\x00'
    assert piece.data.endswith(b'"text": "x\\ud800\\"\\u0000"}\n')


def test_objects_in_memory() -> None:
    class Own(UserDict[str, Any]):
        pass
    objects = ["one two", {"id": 1, "text": "one two", "more": [1]}, Page("p", "one two", title="T"), "untouched",
               {"text": "goes"}, MappingProxyType({"body": "one two"}), Own(text="one two")]
    edits: dict[int, Any] = {number: [Gone(0, 4, 0)] for number in (1, 2, 3, 6, 7)} | {5: Drop(1)}
    before = [*map(str, objects)]
    text, mapping, page, same, frozen, own = clean_objects(objects, edits, Options())
    assert [*map(str, objects)] == before
    assert (text, mapping, frozen) == ("two", {"id": 1, "text": "two", "more": [1]}, {"body": "two"})
    assert page == Page("p", "two", title="T")
    assert same is objects[3]
    assert isinstance(own, Own)
    assert own["text"] == "two"


def test_nested_objects_are_copied_along_the_path() -> None:
    objects = [{"doc": {"body": "one two", "n": [1]}, "z": {}}]
    (out,) = clean_objects(objects, {1: [Gone(0, 4, 0)]}, Options(text_field="doc.body"))
    assert out == {"doc": {"body": "two", "n": [1]}, "z": {}}
    assert objects[0]["doc"] == {"body": "one two", "n": [1]}


@pytest.mark.parametrize("thing", ["ab", {"txt": "a"}, {"text": 5}, 7])
def test_objects_that_are_others(thing: Any) -> None:
    with pytest.raises(InputError, match="changed"):
        list(clean_objects([thing], {1: [Gone(0, 3, 0)]}, Options()))
    with pytest.raises(InputError, match="object 2"):
        list(clean_objects([thing], {2: Drop(0)}, Options()))
