"""Lines of JSON: kernel and twin are equal, what they take is what a JSON parser reads, and what no parser takes is left."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.kernel import reference
from dedup.readers import open_pages
from dedup.readers.jsonl import _load, read_blocks

native = pytest.importorskip("dedup.kernel._kernel", reason="the kernel is not built")

NAMES = ["text", "content", "id", "url", "é", ""]
TEXTS = 2
MANY = settings(max_examples=max(500, settings().max_examples))

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=20),
    st.text(st.sampled_from('a"\\/\n\x00\x1f\x7fé中😀\ud83d\ude00\udc00'), max_size=8))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6)
keys = st.sampled_from([*NAMES, "t", "texts", "te\\xt", "a.b"])
pairs = st.lists(st.tuples(keys, st.one_of(values, st.text(max_size=30))), max_size=6)
blanks = st.sampled_from(["", "", "", " ", "\t", "\r", " \r\t"])


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """An object written in one of many ways, keys twice and halves of characters among them."""
    escaped = draw(st.booleans())
    parts = [f"{draw(blanks)}{json.dumps(k, ensure_ascii=escaped)}{draw(blanks)}:{draw(blanks)}"
             f"{json.dumps(v, ensure_ascii=escaped)}{draw(blanks)}" for k, v in draw(pairs)]
    return f"{draw(blanks)}{{{','.join(parts)}}}{draw(blanks)}".encode("utf-8", "surrogatepass")


SCRAPS = [
    "01", "1.", "-", "1e", "1e+", "-0", "1.5e-3", "1E5", "1e400", "1" * 18, "1" * 19, "0." + "1" * 70, "+1", ".5", "0x1",
    "1e007", "NaN", "Infinity", "-Infinity", "nul", "nulll", "true", "[1,]", "{,}", '{"a":1,}', '{"a"}', "[]", "{}", "[[",
    "]]", '{"a":{}}', '"\\u12"', '"\\u12g4"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\ude00"', '"\\ud83dx"', '"\\ud83d\\n"',
    '"\\uD83D\\uDE00"', '"\\x"', '"\\', '"a', '"\t"',
    '"\x7f"', '"\\u0000"', '"\\/\\b\\f\\n\\r\\t\\"\\\\"', "[" * 60 + "]" * 60,
    "[" * 61 + "]" * 61, '{"a":' * 60 + "1" + "}" * 60, "[" * 5000 + "]" * 5000, "/*c*/1", "'a'", '"a" "b"', "1 2", "",
    "\xa0", "\ufeff1", "\u20281", "²",
]
scraps = st.sampled_from(SCRAPS).map(
    lambda scrap: f'{{"text": "x", "id": {scrap}}}'.encode("utf-8", "surrogatepass"))
unwanted = st.sampled_from(SCRAPS).map(lambda scrap: f'{{"q": {scrap}, "text": "x"}} '.encode("utf-8", "surrogatepass"))
as_text = st.sampled_from(SCRAPS).map(lambda scrap: f'{{"text": {scrap}}}'.encode("utf-8", "surrogatepass"))
ends = st.sampled_from([b"", b"\r", b" ", b"x", b"{}", b",", b"\0", b"\x0b"])
mangled = st.tuples(objects(), st.integers(0, 120), st.integers(0, 255)).map(
    lambda t: t[0][: t[1]] + bytes([t[2]]) + t[0][t[1] + 1:])
cut = st.tuples(objects(), st.integers(0, 120)).map(lambda t: t[0][:t[1]])
lines = st.one_of(objects(), mangled, cut, scraps, unwanted, as_text, st.tuples(objects(), ends).map(b"".join),
                  st.sampled_from([b"", b"\r", b"  ", b"[]", b"7", b"\xef\xbb\xbf{}"]), st.binary(max_size=40))
blocks = st.tuples(st.lists(lines, max_size=5).map(b"\n".join), st.sampled_from([b"", b"\n"])).map(b"".join)


def as_array(data: bytes) -> Any:
    return np.frombuffer(data, np.uint8).copy()  # of its very size, so that a sanitiser sees the first byte beyond it


def both(*args: Any) -> Any:
    """What kernel and twin find, compared; the same error counts as the same."""
    results: list[Any] = []
    for module in (native, reference):
        try:
            results.append(module.json_records(*args))
        except ValueError as error:
            results.append(str(error))
    mine, twin = results
    if isinstance(mine, str) or isinstance(twin, str):
        assert mine == twin
        return None
    for a, b in zip(mine, twin, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    return twin


def names_of(names: list[str]) -> tuple[Any, Any]:
    encoded = [name.encode() for name in names]
    return as_array(b"".join(encoded)), np.cumsum([0, *map(len, encoded)], dtype=np.int64)


def parsed(line: bytes) -> dict[str, Any] | None:
    """What msgspec reads, which takes no lone surrogates and nothing that is no JSON."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def same(a: Any, b: Any) -> bool:
    return repr(a) == repr(b)


@given(blocks)
@example(b'{"text": "' + "é".encode() * 40 + b'\\n", "id": "a"}\n')
@example(b'{"text": "' + b"a" * 13 + b"\xed\xa0\x80" + b'"}')
@example(b'{"text": "a", "te\\u0078t": "b"}')
@MANY
def test_what_is_taken_is_what_a_parser_reads(block: bytes) -> None:
    found = both(as_array(block), *names_of(NAMES), TEXTS)
    line, good, kind, start, end, text, first = (column.tolist() for column in found)
    assert [block[a:b] for a, b in itertools.pairwise(line)] == io.BytesIO(block).readlines()
    for row, taken in enumerate(good):
        cells = slice(row * len(NAMES), (row + 1) * len(NAMES))
        if not taken:
            assert not any(kind[cells] + start[cells] + end[cells])
            assert first[row] == first[row + 1]
            continue
        record = parsed(block[line[row]:line[row + 1]])
        assert record is not None
        assert same(record, json.loads(block[line[row]:line[row + 1]].decode()))
        chosen = next(record[name] for name in NAMES[:TEXTS] if name in record)
        assert bytes(text[first[row]:first[row + 1]]).decode() == chosen
        for name, k, a, b in zip(NAMES, kind[cells], start[cells], end[cells], strict=True):
            raw = block[a:b]
            assert (k > 0) == (name in record)
            if k:
                assert same(raw.decode() if k == 1 else _load(raw), record[name])


@given(st.dictionaries(keys, st.one_of(st.text(max_size=30), st.integers(-(10**17), 10**17), st.booleans(), st.none(),
                                       st.lists(st.text(max_size=3), max_size=3)), max_size=5),
       st.text(max_size=40), st.booleans())
@MANY
def test_usual_records_are_taken(record: dict[str, Any], text: str, escaped: bool) -> None:
    record = {k: v for k, v in record.items() if json.dumps(k) == f'"{k}"'} | {"text": text}
    block = json.dumps(record, ensure_ascii=escaped).encode()
    _, good, *_ = both(as_array(block), *names_of(NAMES[:4]), TEXTS)
    assert good.tolist() == [1]


@given(st.binary(max_size=10), st.lists(st.integers(-1, 8), max_size=4), st.integers(-1, 5))
def test_bad_arguments_are_the_same_errors(names: bytes, first: list[int], texts: int) -> None:
    both(as_array(b'{"text": "a"}'), as_array(names), np.array(first, np.int64), texts)


@given(st.lists(lines, max_size=6), st.sampled_from([{}, {"text_field": "content", "meta": ("url", "q")},
                                                    {"id_field": "q"}, {"max_page_bytes": 1000}]))
@settings(max_examples=max(300, settings().max_examples), deadline=None)
def test_pages_and_errors_are_those_of_single_lines(tmp_path_factory: Any, lines: list[bytes], asked: dict[str, Any]) -> None:
    """Through the kernel and through the parser, which reads one line after the other: the same."""
    from dedup.readers import jsonl

    path = tmp_path_factory.mktemp("json") / "a.jsonl"
    path.write_bytes(b"\n".join(lines))

    def read() -> tuple[Any, Any, Any]:
        stream = open_pages(path, input_format="jsonl", **asked)
        pages = list(stream)
        return repr(pages), stream.errors, stream.skipped

    fast = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "_SLOW_NAME", jsonl._SPACE)  # it finds something in every name
        assert read() == fast


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=30), st.integers(1, 40), st.integers(1, 30))
def test_blocks_are_the_lines(sizes: list[tuple[int, bool]], read: int, longest: int) -> None:
    """Whatever is read at once: all lines, with their numbers, but those beyond the bound."""
    from dedup.readers import jsonl

    content = b"".join(b"a" * size + b"\n" * ended for size, ended in sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonl, "READ_BYTES", read)
        got = list(read_blocks(io.BytesIO(content), longest))
    whole, at = content.split(b"\n"), 1
    for number, block in got:
        assert number == at
        if block is None:
            assert len(whole[at - 1]) > longest
            at += 1
        else:
            inside = io.BytesIO(block).readlines()
            assert [part.removesuffix(b"\n") for part in inside] == whole[at - 1:at - 1 + len(inside)]
            at += len(inside)
    assert at == 1 + len(whole) - (whole[-1] == b"")
