"""The benchmark of cleaning records measures what it says: every format, every byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.corpus import write_corpus
from benchmarks.records import csv_of, edits_of, figures
from tests.clean_help import pages_of

pytest.importorskip("pyarrow")


def test_every_format_is_cleaned(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus.jsonl", 300_000, 0, tmp_path / "truth.json")
    source = (tmp_path / "corpus.jsonl").read_bytes()
    rows = [json.loads(line) for line in source.splitlines()]
    found = dict(figures(source, rows, 0.2))
    assert list(found) == ["jsonl, last line only", "jsonl", "csv", "json array", "parquet", "  restored"]
    assert min(found.values()) > 0
    lines, table = csv_of(rows)
    assert [page.number for page in pages_of(table, "csv")] == lines
    assert edits_of(rows, lines, 0.2).keys() <= {*lines}
