"""The kernel writes the cells that its plain twin writes, and that the report's own encoders write."""

from __future__ import annotations

import csv
import io
import itertools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.heads import Utf8
from dedup.kernel import reference
from dedup.report.json import encode
from dedup.report.rows import CSV, JSON, NUMBER, RAW, Field, Strings
from dedup.report.table_files import cell

native = pytest.importorskip("dedup.kernel._kernel", reason="the kernel is not built")

# What is escaped, what is not though it begins alike, formulas, separators, and lone surrogates.
ODD = [
    "a", "\xe9", "\u4e2d", "\U0001f600", '"', "\\", "\x00", "\x08", "\t", "\n", "\x0c", "\r", "\x1f", "\x7f", "\x80",
    "\x9f", "\xa0", "\u061b", "\u061c", "\u180d", "\u180e", "\u200a", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f",
    "\u2027", "\u2028", "\u202e", "\u202f", "\u205f", "\u2060", "\u206f", "\u2070", "\ud7ff", "\ud800", "\udc00",
    "\udfff", "\ue000", "\ufefe", "\ufeff", "\uff00", "\ufff8", "\ufff9", "\ufffb", "\ufffc", "\U000dffff",
    "\U000e0000", "\U000e0fff", "\U000e1000", ",", "=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'", " "]
strings = st.lists(st.one_of(st.none(), st.text(st.sampled_from(ODD), max_size=6), st.text(max_size=40)), max_size=6)
words = st.binary(max_size=20)


def column(texts: list[str | None]) -> Strings:
    numbers = np.array([-1 if text is None else n for n, text in enumerate(texts)], np.int64)
    return Strings.of(Utf8.of([text or "" for text in texts]), numbers)


def rows(fields: list[Field], kernel: Any) -> list[bytes]:
    data, first = kernel.write_rows(fields)
    return [data[a:b].tobytes() for a, b in itertools.pairwise(first.tolist())]


@given(strings, st.lists(st.integers(-1, 2**63 - 1), max_size=6), words, words, words)
@example(["".join(ODD)], [0], b"<", b">", b"-")
@example([*ODD], [-1], b"", b"", b"")
@example(["abcdefg" * 3 + odd + "hijklmno" for odd in ODD], [], b"", b"", b"")
def test_cells(texts: list[str | None], numbers: list[int], before: bytes, after: bytes, missing: bytes) -> None:
    for kind in (RAW, JSON, CSV):
        fields = [Field(kind, before, after, missing, *column(texts))]
        assert rows(fields, native) == rows(fields, reference)
    values = np.array(numbers, np.int64)
    fields = [Field(NUMBER, before, after, missing, np.empty(0, np.uint8), values, values)] * 2
    assert rows(fields, native) == rows(fields, reference)
    plain = [Field(kind, b"", b"", b"", *column(texts)) for kind in (JSON, CSV)]
    for mine, text in zip(rows(plain[:1], native), texts, strict=True):
        assert mine == (b"" if text is None else encode(text)[1:-1])
        units = (text or "").encode("utf-16", "surrogatepass")  # two lone surrogates may be a pair in JSON
        assert json.loads(b'"' + mine + b'"') == units.decode("utf-16", "surrogatepass")
    for mine, text in zip(rows(plain[1:], native), texts, strict=True):
        made = io.StringIO(newline="")
        csv.writer(made, lineterminator="\r\n").writerow([cell(text), 0])
        assert mine + b",0\r\n" == made.getvalue().encode()


@given(st.lists(st.tuples(st.integers(-2, 9), st.integers(-2, 9)), min_size=1, max_size=4), st.integers(-1, 4))
@example([(3, 2)], 1)
@example([(0, 9)], 2)
def test_what_is_no_cell_is_refused(ranges: list[tuple[int, int]], kind: int) -> None:
    start, end = (np.array(side, np.int64) for side in zip(*ranges, strict=True))
    field = (kind, b"", b"", b"", np.frombuffer(b"abcdefg", np.uint8), start, end)
    said = []
    for module in (native, reference):
        try:
            said.append(str(rows([field], module)))  # type: ignore[list-item]
        except ValueError as error:
            said.append(str(error))
    assert said[0] == said[1]
    for module in (native, reference):
        with pytest.raises(ValueError, match="equally long"):
            module.write_rows([(0, *field[1:]), (0, b"", b"", b"", field[4], start[1:], end[1:])])


@given(st.binary(max_size=30), st.lists(st.tuples(*[st.integers(0, 30)] * 4), max_size=5))
@example(b"abab", [(0, 2, 2, 4), (0, 2, 1, 3), (0, 1, 0, 2), (1, 1, 3, 3)])
@example(b"abab", [(0, 2, 2, 5)])
def test_equal_bytes(data: bytes, ranges: list[tuple[int, int, int, int]]) -> None:
    columns = [np.array(side, np.int64) for side in zip(*ranges, strict=True)] or [np.empty(0, np.int64)] * 4
    said = []
    for module in (native, reference):
        try:
            said.append(module.equal_bytes(np.frombuffer(data, np.uint8), *columns).tolist())
        except ValueError as error:
            said.append(str(error))
    assert said[0] == said[1]
