"""Bytes that are hardly records: what a reader makes of them can be cleaned, and nothing is lost."""

from __future__ import annotations

import gzip
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.cleaning.packing import open_content
from dedup.cleaning.pieces import STAYS
from dedup.cleaning.records import clean_records
from dedup.options import Options
from dedup.readers import open_pages
from tests.clean_help import clean, edits_of, expected_texts, has_open_quotes, pages_of, put_back

quick = settings(derandomize=True, max_examples=150, deadline=None)
JSON = [
    b'{"text": "', b'{"text":"a b"}', b'"}', b"\n", b"\r\n", b"\\u00e9", b"\\ud83d", b"\\ude00", b"\\", b'\\"', b'"', b"\xff",
    b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b",", b"[", b"]", b"{", b"}", b': "x"', b'"content"', b"one two", b"\0", b"\x85",
    b"\xef\xbb\xbf", b"1e999", b'{"text": {"text": "no"}, "content": "one"}', b'{"text": "one \\u00e9\\n two"}',
]
CSV = [
    b"one two", b",", b"\n", b"\r\n", b"\r", b'"', b'""', b'"one ""two"""', b'"a\nb"', b"\xff", b"\xed\xa0\x80", b"\xc3\xa9",
    b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"one,1\n", b'"two three",2\n',
]


def fragments(of: list[bytes], head: bytes = b"") -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(of), max_size=14).map(lambda parts: head + b"".join(parts))


@quick
@given(source=fragments(JSON), data=st.data())
def test_json_lines(source: bytes, data: st.DataObject) -> None:
    assert_nothing_lost(source, "jsonl", data)


@quick
@given(source=fragments(JSON, b"[") | fragments([*JSON, b'{"text": "a"},', b'{"text": "b c"},'], b"["), data=st.data())
def test_json_arrays(source: bytes, data: st.DataObject) -> None:
    assert_nothing_lost(source, "json", data)


@quick
@given(source=fragments(CSV, b"text,id\n") | fragments(CSV, b"text\n"), data=st.data())
def test_tables(source: bytes, data: st.DataObject) -> None:
    assert_nothing_lost(source, "csv", data)


def assert_nothing_lost(source: bytes, form: str, data: st.DataObject) -> None:
    pages = pages_of(source, form)
    edits = data.draw(edits_of(pages))
    cleaned, pieces, left = clean(source, form, edits)
    assert b"".join(piece.data for piece in pieces) == source
    assert put_back(cleaned, pieces) == source
    if form != "csv" or not has_open_quotes(source):
        assert [page.text for page in pages_of(cleaned, form)] == expected_texts(pages, edits, left)


@quick
@given(rows=st.lists(st.text("ab \n\"é", max_size=12), min_size=1, max_size=30), cut=st.integers(0, 400),
       change=st.integers(0, 255), data=st.data())
def test_damaged_gzip(rows: list[str], cut: int, change: int, data: st.DataObject) -> None:
    """Reader and cleaner see the same content of a damaged file."""
    import json

    packed = bytearray(gzip.compress("".join(json.dumps({"text": row}) + "\n" for row in rows).encode(), mtime=0))
    packed[cut % len(packed)] ^= change
    source = bytes(packed[:max(20, len(packed) - cut // 4)]) + gzip.compress(b'{"text": "last"}\n', mtime=0)
    if not source.startswith(b"\x1f\x8b"):
        return
    pages = list(open_pages(io.BytesIO(source), input_format="jsonl"))
    edits = data.draw(edits_of(pages))
    content, _ = open_content(io.BytesIO(source))
    pieces = list(clean_records(content, "jsonl", edits, Options()))
    whole, _ = open_content(io.BytesIO(source))
    assert b"".join(piece.data for piece in pieces) == whole.read()
    stays = b"".join(piece.data for piece in pieces if piece.removal == STAYS)
    assert [page.text for page in pages_of(stays, "jsonl")] == expected_texts(pages, edits, {})
