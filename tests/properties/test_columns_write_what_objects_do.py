"""What is written from columns is what is written from objects: JSON reports, tables as JSON Lines, CSV and Arrow."""

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
from dedup.report import json_groups
from dedup.report.formats import How
from dedup.report.json import encode, group_object
from dedup.report.json import json_chunks as chunks
from dedup.report.table_files import cell, columns_of, csv_of, json_lines_of
from dedup.report.tables import TABLES, table_rows
from tests.properties.test_page_table_holds import BLOCKS
from tests.scan_help import lines, prose

EXAMPLES = Path(__file__).parents[2] / "examples"

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
    written = b"".join(b",\n" + encode(group_object(group)) for group in groups)
    assert b"".join(json_groups.group_pieces(findings, columns)) == written


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


def test_a_group_of_very_many_places_is_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for least in (1, 2, 3):
        monkeypatch.setattr(json_groups, "PIECE", least)
        findings = scan([*CHAIN, *CHAIN, lines(*BLOCKS)]).groups.findings  # type: ignore[attr-defined]
        for g, group in enumerate(findings.all_groups()):
            pieces = json_groups.group_pieces(findings, findings.columns(np.array([g])))
            assert len(pieces) == 2 + -(-len(group.occurrences) // least) or len(group.occurrences) <= least
            assert b"".join(pieces) == b",\n" + encode(group_object(group))
