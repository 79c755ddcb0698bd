"""Lines written from columns are those written from objects, and the kernel's cells those of its plain twin."""

from __future__ import annotations

import csv
import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from dedup import Page, Report, scan
from dedup.heads import Utf8
from dedup.kernel import reference
from dedup.report.formats import How
from dedup.report.json import encode, group_object
from dedup.report.json import json_chunks as chunks
from dedup.report.json_groups import group_bytes
from dedup.report.rows import CSV, JSON, NUMBER, RAW, Field, Strings
from dedup.report.table_files import cell, columns_of, csv_of, json_lines_of
from dedup.report.tables import TABLES, table_rows
from tests.properties.test_page_table_holds import BLOCKS
from tests.scan_help import lines, prose

EXAMPLES = Path(__file__).parents[2] / "examples"
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


# Three texts of which the second one represents the others.
CHAIN = [prose(30, 0) + " " + prose(6, 1), prose(30, 0), prose(6, 2) + " " + prose(30, 0)[prose(30, 0).index(" ") * 6:]]


def from_objects(report: Report) -> Report:
    """The same report, whose groups are objects."""
    return Report(options=report.options, judged=report._judged, groups=list(report.groups), links=None,
                  skipped=report.skipped, errors=report.errors, input_digest=report.input_digest, version=report.version)


FORMULA = '=1+1, "quoted" words that stand here eight times or nine'
pages = st.lists(st.lists(st.sampled_from([*BLOCKS, FORMULA]), max_size=7).map(lambda blocks: lines(*blocks)), max_size=6)


@given(pages, st.sampled_from(["block", "page"]), st.sampled_from(["exact", "near", "reworded"]), st.booleans(),
       st.booleans())
@example(CHAIN, "block", "near", False, False)
@example([lines(*[BLOCKS[0]] * 30), lines(*BLOCKS)], "block", "near", True, True)  # copies in a row
@example([lines(*BLOCKS), lines(*BLOCKS[::-1])], "block", "near", False, True)
def test_columns_write_what_objects_do(texts: list[str], unit: str, find: str, fold: bool, records: bool) -> None:
    sources = itertools.cycle(["", "some/file", "some/id {}"])  # what is told beside the source
    made = [Page(f"id {n}", text, next(sources).format(n), record=records, line=n + 1) for n, text in enumerate(texts)]
    report = scan(made, unit=unit, find="near" if unit == "page" else find, fold_parts=fold)
    twin = from_objects(report)
    assert b"".join(chunks(report)) == b"".join(chunks(twin))
    for table in TABLES:
        mine, theirs = (io.BytesIO(), io.BytesIO())
        json_lines_of(report, mine, How(), table)
        assert mine.getvalue() == b"".join(encode(row) + b"\n" for row in table_rows(report, table))
        made_csv = io.StringIO(newline="")
        csv.writer(made_csv, lineterminator="\r\n").writerows(
            [columns_of(table), *(map(cell, row.values()) for row in table_rows(report, table))])
        csv_of(report, theirs, How(), table)
        assert theirs.getvalue() == made_csv.getvalue().encode()


def test_places_that_are_not_exact_in_their_source() -> None:
    findings = scan([EXAMPLES]).groups.findings  # type: ignore[attr-defined]
    columns = findings.columns(np.arange(len(findings.table)))
    exact = np.arange(len(columns.places.page)) % 3 > 0
    columns = replace(columns, places=replace(columns.places, source_exact=exact))
    places = findings.places.occurrences(columns.places, columns.measured)
    edges = zip(columns.first[:-1].tolist(), columns.first[1:].tolist(), strict=True)
    groups = columns.heads.groups(tuple(places[a:b]) for a, b in edges)
    assert group_bytes(findings, columns) == b"".join(b",\n" + encode(group_object(group)) for group in groups)


@given(pages)
def test_arrow_holds_what_rows_hold(texts: list[str]) -> None:
    pytest.importorskip("pyarrow", reason="LOUD: pyarrow is not installed")
    report = scan([text or "none" for text in texts])
    for table in TABLES:
        held = report.to_arrow(table).to_pylist()
        said = json.dumps(list(table_rows(report, table))).replace("\\ud800", "\\ufffd")
        assert held == json.loads(said)


@pytest.mark.parametrize("settings", [{"scope": "both"}, {"find": "exact"}, {"scope": "across"}, {"unit": "page"}])
def test_places_in_files_of_all_kinds(settings: dict[str, Any]) -> None:
    """HTML has paths, and places inside blocks that have no exact map; text has lines; records have neither."""
    report = scan([EXAMPLES], **settings)
    assert b"".join(chunks(report)) == b"".join(chunks(from_objects(report)))
    assert [row["path"] is not None for row in table_rows(report, "occurrences")].count(True) > 0
    for table in TABLES:
        mine = io.BytesIO()
        json_lines_of(report, mine, How(), table)
        assert mine.getvalue() == b"".join(encode(row) + b"\n" for row in table_rows(report, table))
