"""Records: JSONL, JSON arrays, CSV, Parquet and Arrow; one bad record costs one record."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from dedup.readers.jsonl import read_blocks
from tests.readers_help import block_texts, read


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_record_without_an_id_is_named_by_its_line_or_row(tmp_path: Path) -> None:
    """As docs/formats.md says it."""
    texts = [{"text": "one"}, {"text": "two"}]
    one, two = map(json.dumps, texts)
    files = {"a.jsonl": f"{one}\n\n\n{two}\n", "b.json": f"[{one},\n\n\n{two}]", "c.csv": 'text,x\n"one\nmore",1\ntwo,2\n'}
    numbers = {"a.jsonl": [1, 4], "b.json": [1, 2], "c.csv": [2, 4]}
    for name, content in files.items():
        assert [page.id for page in read(write(tmp_path / name, content))[0]] == [f"{name}#{n}" for n in numbers[name]]
    arrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(arrow.Table.from_pylist(texts), tmp_path / "d.parquet")
    assert [page.id for page in read(tmp_path / "d.parquet")[0]] == ["d.parquet#1", "d.parquet#2"]


def test_fields_ids_and_meta(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "text": "a", "lang": "en"},
        {"url": "https://Ex.org/p", "content": "b"},
        {"body": "c", "id": None},
        {"text": "d", "content": "not this", "id": ""},
    ]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    pages, stream = read(path, meta="lang")
    assert [(p.id, p.text, p.line, p.site) for p in pages] == [
        ("1", "a", 1, tmp_path.name),
        ("https://Ex.org/p", "b", 2, "ex.org"),
        ("a.jsonl#3", "c", 3, tmp_path.name),
        ("a.jsonl#4", "d", 4, tmp_path.name),
    ]
    assert pages[0].meta == {"lang": "en"}
    assert pages[1].url == "https://Ex.org/p"
    assert all(page.record for page in pages)
    assert stream.errors == []


def test_dotted_fields(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"doc": {"body": "deep", "key": {"n": 3}}, "m": {"x": [1]}}\n')
    (page,), _ = read(path, text_field="doc.body", id_field="doc.key.n", meta=("m.x",))
    assert (page.id, page.text, dict(page.meta)) == ("3", "deep", {"m.x": [1]})


def test_broken_lines_cost_one_line_each_and_are_named(tmp_path: Path) -> None:
    lines = [
        b'{"text": "one"}',
        b'{"text": "bro',
        b'{"text": "b\xffd"}',
        b"",
        b'{"txt": "x", "other": 1}',
        b'{"text": 5}',
        b"[1]",
        b"nonsense",
        b'{"text": null}',
        '{"text": "zwölf"}'.encode(),
    ]
    path = write(tmp_path / "a.jsonl", b"\n".join(lines))
    pages, stream = read(path)
    assert [(p.text, p.line) for p in pages] == [("one", 1), ("zwölf", 10)]
    assert [error.line for error in stream.errors] == [2, 3, 5, 6, 7, 8, 9]
    assert "0xff" in stream.errors[1].message
    assert "there are: txt, other" in stream.errors[2].message
    assert "a number" in stream.errors[3].message
    assert sum(s.count for s in stream.skipped) == 7


def test_a_missing_field_is_answered_with_those_that_exist_on_the_fast_way_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "x"}\n{"titel": "y"}\n')
    _, stream = read(path)
    assert "there are: titel" in stream.errors[0].message
    assert stream.errors[0].line == 2


def test_a_line_that_is_not_utf_8_is_an_error_whatever_stands_beside_it(tmp_path: Path) -> None:
    for beside in (b'{"text": "a"}', b"no json"):
        path = write(tmp_path / "a.jsonl", beside + b'\n{"text": "b", "unused": "\xff"}')
        assert "0xff" in read(path)[1].errors[-1].message


@pytest.mark.parametrize("name", ['a"b', "it's", "tab\t", "back\\slash", "line\nfeed", "\udcff", " "])
def test_field_names_of_any_kind_are_read_and_shown_escaped(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({name: "the text", "id": "1"}) + "\n")
    (page,), stream = read(path, text_field=name)
    assert (page.text, stream.errors) == ("the text", [])
    _, stream = read(path)
    assert stream.errors[0].message.startswith(f"no field text, content or body (there are: {name!r}, id); name one")
    _, stream = read(path, text_field=name + "x")
    assert stream.errors[0].message.startswith(f"no field {name + 'x'!r} (there are: {name!r}, id); ")


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf{"text": "a"}\r\n{"text": "b"}\r\n',
        b'{"text": "a"}\n\n  \n{"text": "b"}',
        b'{"text":"a"}\n{"text":"b"}\n\n',
    ],
)
def test_bom_crlf_and_blank_lines(tmp_path: Path, content: bytes) -> None:
    pages, stream = read(write(tmp_path / "a.jsonl", content))
    assert [page.text for page in pages] == ["a", "b"]
    assert stream.errors == []


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(("name", "head", "row"), [
    ("a.jsonl", "", '{"text": "zwölf 𝄞 %d"}\n'), ("a", "", '{"text": "zwölf 𝄞 %d"}\n'),
    ("a.json", "", '{"text": "zwölf 𝄞 %d"}\n'), ("a.csv", "text,id\r\n", '"zwölf 𝄞 %d",\r\n'),
    ("a.tsv", "text\r\n", "zwölf 𝄞 %d\r\n")])
def test_records_with_a_byte_order_mark(tmp_path: Path, codec: str, name: str, head: str, row: str) -> None:
    mark = b"\xfe\xff" if codec == "utf-16-be" else b""
    content = head + "".join(row % i for i in range(20_000))
    pages, stream = read(write(tmp_path / name, mark + content.encode(codec)))
    assert stream.errors == []
    assert [page.text for page in pages] == [f"zwölf 𝄞 {i}" for i in range(20_000)]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["a.json", "a"])
def test_a_first_record_that_is_longer_than_what_is_looked_at(tmp_path: Path, codec: str, name: str) -> None:
    """As many characters are looked at, however many bytes each has."""
    rows = [{"text": "zwölf Worte " * 2000}, {"text": "short"}]
    path = write(tmp_path / name, "".join(json.dumps(row) + "\n" for row in rows).encode(codec))
    pages, stream = read(path)
    assert [page.text for page in pages] == [row["text"] for row in rows]
    assert stream.errors == []


def test_an_array_in_utf16(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '[{"text": "zwölf"}, {"text": "𝄞"}]'.encode("utf-16"))
    assert [page.text for page in read(path)[0]] == ["zwölf", "𝄞"]


@pytest.mark.parametrize(("more", "line"), [
    ("[3]", 2), ('\n\n[{"text": "two"}]', 4), ("  ]", 2), (" " * 200_000 + "\nx", 3), ("\0", 2)])
def test_what_stands_behind_an_array_is_named(tmp_path: Path, more: str, line: int) -> None:
    """Two arrays in one file, say: the second one was lost without a word."""
    pages, stream = read(write(tmp_path / "a.json", '[{"text":\n"one"}]' + more))
    assert [page.text for page in pages] == ["one"]
    assert [e.message for e in stream.errors] == [
        f"not valid JSON (more stands behind the array, at line {line}); what stands before it was used"]
    assert not read(write(tmp_path / "a.json", '[{"text": "one"}]' + " \r\n" * 100_000))[1].errors


def test_bad_units_of_utf16_cost_their_line(tmp_path: Path) -> None:
    lines = ['{"text": "one"}\n', '{"text": "t\udc00wo"}\n', '{"text": "three"}\n']
    content = b"\xff\xfe" + "".join(lines).encode("utf-16-le", "surrogatepass")
    pages, stream = read(write(tmp_path / "a.jsonl", content + b"\0"))
    assert [(page.text, page.line) for page in pages] == [("one", 1), ("three", 3)]
    assert {error.line: error.message for error in stream.errors} == {
        2: "not valid JSON (byte 12 of the line, 0xed, is half of a character (a lone surrogate)), line skipped",
        None: "ends inside a character of utf-16-le; what stands before it was used"}
    content = b"\xff\xfe" + "text\none\nt\udc00wo\nthree\n".encode("utf-16-le", "surrogatepass")
    pages, stream = read(write(tmp_path / "a.csv", content))
    assert [page.text for page in pages] == ["one", "t\udc00wo", "three"]
    assert [error.line for error in stream.errors] == [3]


def test_strange_characters_stay_in_the_text(tmp_path: Path) -> None:
    texts = ["\u2028line\u0085sep", "nul\0", "\ud800 alone", "crlf\r\n kept", "𝄞"]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps({"text": text}) + "\n" for text in texts))
    assert [page.text for page in read(path)[0]] == texts
    raw = write(tmp_path / "b.jsonl", '{"text": "raw \u2028 sep\u0085"}\n')
    assert read(raw)[0][0].text == "raw \u2028 sep\u0085"


def test_one_bad_byte_in_a_thousand_lines_changes_no_other_line(tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(i), "text": f"text {i} " * 20}).encode() for i in range(20_000)]
    for i in range(0, 20_000, 1000):
        lines[i] = lines[i][:30] + b"\xfe" + lines[i][31:]
    pages, stream = read(write(tmp_path / "a.jsonl", b"\n".join(lines)))
    assert [p.id for p in pages] == [str(i) for i in range(20_000) if i % 1000]
    assert stream.error_count == 20
    assert len(stream.errors) == 11
    assert stream.skipped[0].count == 20


def test_clashing_ids_are_numbered(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        '{"id": "a", "text": "1"}\n{"id": "a#2", "text": "2"}\n' + '{"id": "a", "text": "3"}\n' * 2,
    )
    pages, stream = read(path)
    assert [page.id for page in pages] == ["a", "a#2", "a#3", "a#4"]
    assert stream.renamed == 2


def test_a_line_beyond_the_limit_is_skipped_and_the_next_one_read(tmp_path: Path) -> None:
    long = json.dumps({"text": "x" * 3_000_000})
    path = write(tmp_path / "a.jsonl", f'{{"text": "a"}}\n{long}\n{{"text": "b"}}\n')
    pages, stream = read(path, max_page_bytes=1_000_000)
    assert [(p.text, p.line) for p in pages] == [("a", 1), ("b", 3)]
    assert stream.errors[0].line == 2
    assert [len(p.text) for p in read(path)[0]] == [1, 3_000_000, 1]


@pytest.mark.parametrize("sizes", [[5], [0, 3, 0], [100_000, 3, 2_500_000, 7], [1 << 20, 1 << 20]])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_blocks_of_lines_are_whole_and_counted(sizes: list[int], end: bytes) -> None:
    lines = [bytes([65 + i]) * size for i, size in enumerate(sizes)]
    content = b"\n".join(lines) + end
    got = list(read_blocks(io.BytesIO(content), 10_000_000))
    assert b"".join(block for _, block in got) == content
    for number, block in got:
        assert block.split(b"\n")[0] == lines[number - 1]


@pytest.mark.parametrize("size", [1, 40, 900, 5000, 1 << 20])
def test_which_lines_are_too_long_is_not_left_to_where_a_buffer_ends(size: int) -> None:
    """Each line alone is measured, however many bytes a read gives, and the last one too."""
    lines = [b"a" * n for n in (3, 1001, 1000, 0, 5000, 1001, 7, 2000)]

    class Slow(io.BytesIO):
        def readinto(self, room: Any) -> int:
            return super().readinto(memoryview(room)[:size])
    for end in (b"", b"\n"):
        got = list(read_blocks(Slow(b"\n".join(lines) + end), 1000))
        assert [number for number, block in got if block is None] == [2, 5, 6, 8]
        kept = {number + n: line for number, block in got if block is not None
                for n, line in enumerate(block.removesuffix(b"\n").split(b"\n"))}
        assert kept == {n: line for n, line in enumerate(lines, 1) if len(line) <= 1000}


def test_html_and_markdown_in_a_field(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"id": "x", "text": "<title>T</title><p>one<p>two"}) + "\n")
    (page,), _ = read(path, field_format="html")
    assert (page.title, block_texts(page), page.line, page.record) == ("T", ["one", "two"], 1, True)
    path = write(tmp_path / "b.jsonl", json.dumps({"text": "# Head\n\npar *em*"}))
    assert read(path, field_format="markdown")[0][0].text == "Head\npar em"


def test_an_array_of_objects(tmp_path: Path) -> None:
    rows = [{"id": str(i), "text": f"t {i} " + "x" * (i * 1000)} for i in range(200)]
    path = write(tmp_path / "a.json", "\n" + json.dumps(rows, indent=1))
    pages, stream = read(path)
    assert [p.id for p in pages] == [str(i) for i in range(200)]
    assert [p.line for p in pages[:3]] == [3, 7, 11]
    assert stream.errors == []
    for broken, kept in (
        (json.dumps(rows[:3])[:-5], 2),
        ('[{"text": "a"} {"text": "b"}]', 0),
        ('[{"text": "a"}, nope]', 1),
    ):
        pages, stream = read(write(tmp_path / "b.json", broken))
        assert len(pages) == kept
        assert "not valid JSON" in stream.errors[-1].message
    assert read(write(tmp_path / "c.json", "[]"))[0] == []


def test_csv_and_tsv(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,text,url\n1,"two\nlines, and ""quotes""",\n2,plain,https://e.org/\n\n3\n')
    pages, stream = read(path)
    assert [(p.id, p.text, p.line) for p in pages] == [("1", 'two\nlines, and "quotes"', 2), ("2", "plain", 4)]
    assert stream.errors[0].line == 6
    assert read(write(tmp_path / "b.tsv", "text\tid\nx\ty\n"))[0][0].id == "y"
    assert read(write(tmp_path / "c.csv", "text;id\na, b;y\n"))[0][0].text == "a, b"


CLOSED = [f'{i},"text {i}, with a comma"' for i in range(2, 9)]


@pytest.mark.parametrize(("lines", "kept", "said"), [
    (['1,"never closed', "2,plain", "3,plain"], "23", {2: "a quote opens here"}),
    (['1,"never closed', *CLOSED], "2345678", {2: "a quote opens here"}),
    (["1,plain", '2,"two', 'lines","and another', "3,plain"], "13", {3: "a quote opens", 4: "a quote opens"}),
    (['1,"he said "hi" to her"', "2,plain"], "12", {2: "is not doubled; the line is used"}),
    (["1,a,b,c", "2,plain", "3,plain,,"], "23", {2: "the row has 4 fields, the first row 2; row skipped"}),
    (["1", "2,plain"], "2", {2: "no field text"}),
    (["1,cr\rinside", "2,plain"], "2", {2: "not valid CSV"}),
    (['1,"two', 'lines"', "2,plain"], "12", {}),
])
def test_a_bad_row_of_csv_costs_its_line_and_is_named(tmp_path: Path, lines: list[str], kept: str,
                                                      said: dict[int, str]) -> None:
    pages, stream = read(write(tmp_path / "a.csv", "\n".join(["id,text", *lines])))
    assert "".join(page.id for page in pages) == kept
    assert [error.line for error in stream.errors] == list(said)
    assert all(words in error.message for error, words in zip(stream.errors, said.values(), strict=True))


def test_csv_rows_with_too_few_fields_are_used_and_named(tmp_path: Path) -> None:
    (page,), stream = read(write(tmp_path / "a.csv", "id,text,lang\n1,plain\n"))
    assert page.text == "plain"
    assert (stream.errors[0].line, stream.errors[0].message) == (2, "the row has 2 of 3 fields; it is used")


def test_quotes_that_open_on_every_line_take_linear_time(tmp_path: Path) -> None:
    lines = ["id,text", *[f'{i}"x,"open' for i in range(30_000)], "last,plain"]
    pages, stream = read(write(tmp_path / "a.csv", "\n".join(lines)))
    assert [page.id for page in pages] == ["last"]
    assert stream.error_count == 30_000


def test_a_csv_header_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    pages, stream = read(write(tmp_path / "a.csv", 'id,"text\n1,plain\n'))
    assert pages == []
    assert [error.line for error in stream.errors] == [1, 1]
    assert "names the columns, cannot be read; file skipped" in stream.errors[1].message


def test_csv_of_great_fields_nul_and_wrong_encoding(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    path = write(tmp_path / "a.csv", b"text,id\n" + b"x" * 300_000 + b",1\nnul\0here,2\ngr\xfcn,3\nlast,4\n")
    pages, stream = read(path)
    assert [p.text for p in pages] == ["x" * 300_000, "nul\0here", "grün", "last"]
    assert [error.line for error in stream.errors] == [4]
    assert csv.field_size_limit() == before


def test_csv_without_the_column_names_those_there_are(tmp_path: Path) -> None:
    pages, stream = read(write(tmp_path / "a.csv", "a,b\n1,2\n"))
    assert pages == []
    assert "there are: a, b" in stream.errors[0].message
    assert read(tmp_path / "a.csv", text_field="b")[0][0].text == "2"


@pytest.mark.parametrize("form", ["parquet", "arrow", "stream"])
def test_parquet_and_arrow(tmp_path: Path, form: str) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.feather
    import pyarrow.parquet

    table = pa.table({"id": [1, 2, 3], "text": ["a", None, "c"], "n": [{"x": 1}] * 3, "other": [0] * 3})
    path = tmp_path / ("a.parquet" if form == "parquet" else "a.arrow")
    if form == "parquet":
        pyarrow.parquet.write_table(table, path)
    elif form == "arrow":
        pyarrow.feather.write_feather(table, path)
    else:
        with pa.ipc.new_stream(str(path), table.schema) as writer:
            writer.write_table(table)
    pages, stream = read(path, meta="n.x")
    assert [(p.id, p.text, p.line, dict(p.meta)) for p in pages] == [
        ("1", "a", 1, {"n.x": 1}),
        ("3", "c", 3, {"n.x": 1}),
    ]
    assert "row 2" in stream.errors[0].message
    import gzip

    packed = tmp_path / (path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert [p.id for p in read(packed)[0]] == ["1", "3"]
    _, stream = read(path, text_field="nope")
    assert "there are: id, text, n, other" in stream.errors[0].message
    path.write_bytes(path.read_bytes()[:-30])
    assert read(path)[1].errors


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
def test_a_cell_that_is_not_utf8_costs_its_row(tmp_path: Path, kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    raw = {"string": "binary", "large_string": "large_binary", "string_view": "binary_view"}[kind]
    cells = pa.array([b"good", b"b\xffd", b"last"], getattr(pa, raw)()).view(getattr(pa, kind)())
    pyarrow.parquet.write_table(pa.table({"text": cells}), tmp_path / "a.parquet")
    pages, stream = read(tmp_path / "a.parquet")
    assert [p.text for p in pages] == ["good", "last"]
    assert "row 2" in stream.errors[0].message


@pytest.mark.parametrize(("suffix", "kind"), [  # dictionaries of Parquet are refused by Arrow itself
    ("parquet", "struct"), ("arrow", "struct"), ("arrow", "dictionary"), ("arrow", "dictionary in struct")])
def test_such_a_cell_of_a_dictionary_or_a_struct_costs_its_rows(tmp_path: Path, kind: str, suffix: str) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    cells = pa.array([b"good", b"b\xffd", b"last"], pa.binary()).view(pa.string())
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 1, 0], pa.int8()), cells) if "dictionary" in kind else cells
    name = "text"
    if "struct" in kind:
        name, column = "data.text", pa.StructArray.from_arrays([pa.array(range(len(column))), column], ["n", "text"])
    table, path = pa.table({name.split(".")[0]: column}), tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    pages, stream = read(path, text_field=name)
    assert [p.text for p in pages] == ["good", "last", "good"][:len(column) - (2 if "dictionary" in kind else 1)]
    column_name = name.split(".")[0]
    assert [e.message for e in stream.errors] == [f"row {row}: {column_name} is not valid UTF-8, row skipped"
                                                  for row in ((2, 4) if "dictionary" in kind else (2,))]


@pytest.mark.parametrize("field", ["id", "meta"])
def test_a_cell_that_python_cannot_hold_costs_its_row(tmp_path: Path, field: str) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    days = pa.array([1, 1 << 30, 3], pa.date32())
    pyarrow.parquet.write_table(pa.table({field: days, "text": ["one", "two", "three"]}), tmp_path / "a.parquet")
    pages, stream = read(tmp_path / "a.parquet", meta="meta")
    assert [p.text for p in pages] == ["one", "three"]
    assert [e.message for e in stream.errors] == [f"row 2: {field} cannot be read (OverflowError), row skipped"]
    assert [(s.reason, s.count) for s in stream.skipped] == [("row cannot be read (OverflowError)", 1)]


def test_of_several_columns_of_one_name_the_last_is_used_and_it_is_said(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    table = pa.Table.from_arrays([pa.array(["a"] * 3), pa.array(["b"] * 3), pa.array([1, 2, 3])], ["text", "text", "id"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet", row_group_size=1)
    pages, stream = read(tmp_path / "a.parquet")
    assert [(p.id, p.text) for p in pages] == [("1", "b"), ("2", "b"), ("3", "b")]
    assert [e.message for e in stream.errors] == ["several columns are named 'text'; the last of them is used"]


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from dedup.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "fastwarc.warc", None)
    with pytest.raises(MissingExtraError, match=r"pip install pyarrow .*'\.\[arrow\]'"):
        read(write(tmp_path / "a.parquet", b"PAR1"))
    with pytest.raises(MissingExtraError, match=r"pip install fastwarc .*'\.\[warc\]'"):
        read(write(tmp_path / "a.warc", b"WARC/1.0\r\n"))


def test_of_two_columns_of_one_name_the_first_is_used_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text,text\n1,one two three,x\n")
    pages, stream = read(tmp_path / "a.csv")
    assert [page.text for page in pages] == ["one two three"]
    said = "several columns are named 'text'; the first of them is used"
    assert [(e.line, e.message) for e in stream.errors] == [(1, said)]
