"""Cleaning of records: the pieces are the source, and what stays reads as the texts without what went."""

from __future__ import annotations

import codecs
import io
import itertools
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from dedup.cleaning.csv import read_row
from dedup.cleaning.jsonl import code_point_firsts, text_range
from dedup.cleaning.pieces import STAYS
from dedup.cleaning.raw import RawLines
from tests.clean_help import (
    HALVES,
    SIGNS,
    clean,
    edits_of,
    expected_texts,
    gone_of,
    has_open_quotes,
    pages_of,
    put_back,
    texts,
)

SHORT = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
MARKS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE, "utf-32-le": codecs.BOM_UTF32_LE,
         "utf-32-be": codecs.BOM_UTF32_BE, "utf-8-sig": codecs.BOM_UTF8, "utf-8": b""}


@st.composite
def literals(draw: st.DrawFn, text: str | None = None) -> str:
    """A JSON string, each character written in one of its ways."""
    out = []
    for sign in draw(texts()) if text is None else text:
        long = "".join(f"\\u{int.from_bytes(pair, 'big'):04{draw(st.sampled_from('xX'))}}"
                       for pair in re.findall(b"(?s)..", sign.encode("utf-16-be", "surrogatepass")))
        ways = [long]
        if sign in SHORT:
            ways.append(SHORT[sign])
        if sign not in '"\\' and sign >= " " and sign not in HALVES:
            ways.append(sign)
        out.append(draw(st.sampled_from(ways)))
    return '"' + "".join(out) + '"'


BLANKS = st.sampled_from(["", " ", "\t", "  "])
KEYS = st.sampled_from(['"text"', '"content"', '"id"', '"\\u0074ext"', '"é"', '"meta"', '"t\\"x"'])


@st.composite
def objects(draw: st.DrawFn, blanks: st.SearchStrategy[str] = BLANKS) -> str:
    """A JSON object with blanks anywhere, keys more than once, and other values than strings."""
    other = st.sampled_from(["1", "-2.5e300", "1" * 30, "null", "[1, {\"text\": \"no\"}]", '{"text": "inner"}', "true"])
    members = [
        draw(blanks) + draw(KEYS) + draw(blanks) + ":" + draw(blanks) + draw(literals() | other) + draw(blanks)
        for _ in range(draw(st.integers(0, 4)))
    ]
    if draw(st.booleans()):
        members.append(draw(blanks) + '"text":' + draw(blanks) + draw(literals()) + draw(blanks))
    return draw(blanks) + "{" + (",".join(members) or draw(blanks)) + "}" + draw(blanks)


def encoded(draw: st.DrawFn, source: str) -> bytes:
    encoding = draw(st.sampled_from(ENCODINGS))
    return MARKS[encoding] + source.encode(encoding.removesuffix("-sig"), "surrogatepass")


@st.composite
def jsonl_files(draw: st.DrawFn) -> bytes:
    damaged = st.sampled_from(["", " ", "{", '{"text": "open', "[1]", '{"text": 5}', '{"text": "a"} x', '{"other": 1}'])
    lines = draw(st.lists(st.one_of(objects(), objects(), damaged), max_size=6))
    source = "".join(line + draw(st.sampled_from(["\n", "\r\n"])) for line in lines)
    if draw(st.booleans()):
        source = source.rstrip("\r\n")
    if draw(st.booleans()):
        return encoded(draw, source)
    return source.encode().replace(b"\xc3\xa9", draw(st.sampled_from([b"\xc3\xa9", b"\xe9"])))  # lines that are not UTF-8


def assert_cleaned(data: st.DataObject, source: bytes, form: str) -> None:
    """A file cleaned by random edits is what it is to be."""
    pages = pages_of(source, form)
    edits = data.draw(edits_of(pages))
    cleaned, pieces, left = clean(source, form, edits)
    assert b"".join(piece.data for piece in pieces) == source
    assert all(piece.data for piece in pieces)
    assert put_back(cleaned, pieces) == source
    if form != "csv" or not has_open_quotes(source):
        assert [page.text for page in pages_of(cleaned, form)] == expected_texts(pages, edits, left)
    for number, entries in left.items():
        assert {entry.removal for entry in entries} <= {gone.removal for gone in edits[number]}


@given(source=jsonl_files(), data=st.data())
def test_json_lines(source: bytes, data: st.DataObject) -> None:
    assert_cleaned(data, source, "jsonl")


@given(literal=literals(), data=st.data())
def test_a_cut_of_a_json_string_goes_with_whole_escapes(literal: str, data: st.DataObject) -> None:
    """Without what joins two halves of a character nothing is left, and no other byte of the line is touched."""
    text = json.loads(literal)
    gone = data.draw(gone_of(text))
    source = f'{{"a":"{SIGNS[0]}" ,  "text":{literal}, "b":[1.50]}}\n'.encode()
    cleaned, _, left = clean(source, "jsonl", {1: gone} if gone else {})
    value = json.loads(cleaned)
    assert value["text"] == expected_texts(pages_of(source, "jsonl"), {1: gone}, left)[0]
    assert cleaned.startswith(b'{"a":"a" ,  "text":"')
    assert cleaned.endswith(b'", "b":[1.50]}\n')
    if not re.search("[\ud800-\udfff]", text):
        assert not left


@given(literal=literals())
def test_code_points_of_a_json_string(literal: str) -> None:
    """Each code point's notation, read alone, is that code point."""
    data, text = literal[1:-1].encode(), json.loads(literal)
    firsts = code_point_firsts(data)
    places = list(range(len(data) + 1)) if firsts is None else firsts.tolist()
    parts = [data[a:b] for a, b in itertools.pairwise(places)]
    assert [json.loads(b'"%b"' % part) for part in parts] == list(text)
    assert b"".join(parts) == data


@given(source=objects(st.sampled_from(["", " ", "\n", "\r\n\t"])))
def test_the_text_of_an_object_is_found_as_parsers_find_it(source: str) -> None:
    record = json.loads(source)
    data = source.encode()
    for names in (["text"], ["content", "text"], ["meta.text"], ["é", 't"x']):
        value = next((record[name] for name in names if name in record), None)
        if names == ["meta.text"]:
            value = record["meta"].get("text") if isinstance(record.get("meta"), dict) else None
        try:
            start, end = text_range(data, names)
        except ValueError:
            assert not isinstance(value, str)
        else:
            assert json.loads(data[start - 1:end + 1]) == value


@st.composite
def array_files(draw: st.DrawFn) -> bytes:
    blanks = st.sampled_from(["", " ", "\n", "\r\n  "])
    values = draw(st.lists(st.one_of(objects(blanks), objects(blanks), st.sampled_from(["5", '"a"', "[]"])), max_size=5))
    end = draw(st.sampled_from(["]", "]", "]\n", "", ", {", "] more"]))
    return encoded(draw, draw(blanks) + "[" + draw(blanks) + ",".join(values) + draw(blanks) + end)


@given(source=array_files(), data=st.data())
def test_json_arrays(source: bytes, data: st.DataObject) -> None:
    assert_cleaned(data, source, "json")


@given(source=array_files(), data=st.data())
def test_a_valid_array_stays_valid(source: bytes, data: st.DataObject) -> None:
    try:
        before = json.loads(source.decode("utf-8-sig"))
    except ValueError:
        return
    pages = pages_of(source, "json")
    edits = data.draw(edits_of(pages))
    cleaned, _, _ = clean(source, "json", edits)
    after = json.loads(cleaned.decode("utf-8-sig"))
    dropped = {number for number, edit in edits.items() if not isinstance(edit, list)}
    assert len(after) == len(before) - len(dropped)
    kept = [value for number, value in enumerate(before, 1) if number not in dropped]
    for old, new in zip(kept, after, strict=True):
        names = set(old) - {"text", "content"} if isinstance(old, dict) else ()
        assert all(old[name] == new[name] for name in names)


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    """Rows quoted in every way, of the wrong width too, and lines that are no rows."""
    delimiter = draw(st.sampled_from(",;"))
    fields = texts(SIGNS.replace("\x00", "") + draw(st.sampled_from(["", "", HALVES])), 10)
    width = draw(st.integers(1, 3))

    def field() -> str:
        text = draw(fields)
        plain = not set(text) & set('"\r\n' + delimiter) or (set(text) & set('"') and draw(st.booleans()))
        if draw(st.booleans()) and plain:
            return re.sub("[\r\n" + delimiter + "]", "", text)
        return '"' + text.replace('"', '""' if draw(st.integers(0, 9)) else '"') + '"'
    rows = [delimiter.join(["text", "id", "more"][:width])]
    for _ in range(draw(st.integers(0, 5))):
        rows.append(delimiter.join(field() for _ in range(width + draw(st.sampled_from([0, 0, 0, -1, 1])))))
    source = "".join(row + draw(st.sampled_from(["\n", "\r\n"])) for row in rows)
    source = source.rstrip("\r\n") if draw(st.booleans()) else source
    if draw(st.booleans()):
        return encoded(draw, source)
    return source.encode("utf-8", "surrogatepass").replace(b"\xc3\xa9", draw(st.sampled_from([b"\xc3\xa9", b"\xe9"])))


@given(source=csv_files(), data=st.data())
def test_tables(source: bytes, data: st.DataObject) -> None:
    assert_cleaned(data, source, "csv")


@given(source=csv_files(), data=st.data())
def test_other_fields_of_a_table_stay(source: bytes, data: st.DataObject) -> None:
    pages = pages_of(source, "csv", id_field="more", meta=("id",))
    edits = data.draw(edits_of(pages))
    cleaned, _, left = clean(source, "csv", edits)
    stay = [page for page in pages if not isinstance(edits.get(page.number), tuple) or page.number in left]
    after = pages_of(cleaned, "csv", id_field="more", meta=("id",))
    assert has_open_quotes(source) or [dict(page.meta) for page in after] == [dict(page.meta) for page in stay]


@given(lines=st.lists(st.text(st.sampled_from('ab",\r'), max_size=12), min_size=1, max_size=4), data=st.data())
def test_rows_are_read_as_the_csv_module_reads_them(lines: list[str], data: st.DataObject) -> None:
    import csv

    source = [line + "\n" for line in lines]
    taken = iter(source)
    try:
        row = next(csv.reader(taken))
    except csv.Error:
        return
    mine = iter(source)
    found = read_row(mine, ",")
    if found.fields or not row:
        assert [found.value(field) for field in found.fields] == row
        assert list(mine) == list(taken)
    else:  # a quote that is open at the end: such a row is never read
        assert next(mine, None) is None


@given(source=st.binary(max_size=60).map(lambda data: data.replace(b"\x01", b"\n\n")), size=st.integers(1, 9),
       steps=st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=5))
def test_lines_are_passed_on_whole(source: bytes, size: int, steps: list[tuple[int, bool]]) -> None:
    """However a stream is read, and whatever is taken of it, all of it comes out, and lines begin where they do."""
    class Slow(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            return super().read(size)
    lines = RawLines(Slow(source))
    want = [line + b"\n" for line in source.removeprefix(lines.mark).split(b"\n")]
    want[-1] = want[-1][:-1]
    out = [lines.mark]
    for ahead, take in steps:
        if b"".join(out[1:]) == b"".join(want):  # at the end
            break
        number = lines.line + ahead
        out += lines.up_to(number)
        assert b"".join(out[1:]) == b"".join(want[:number - 1])
        if take:
            out.append(lines.take())
            assert out[-1] == b"".join(want[number - 1:number])
    out += lines.rest()
    assert b"".join(out) == source


def test_a_removal_of_nothing_is_no_piece() -> None:
    source = b'{"text": "abc"}\n'
    assert clean(source, "jsonl", {1: []})[1] == [(source, STAYS)]
