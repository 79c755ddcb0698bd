"""The occurrences of a report as an Arrow table."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dedup.model import Group, Occurrence

if TYPE_CHECKING:
    from dedup.report import Report

SCHEMA = pa.schema([
    ("group", pa.int64()), ("kind", pa.string()), ("page", pa.string()), ("start", pa.int64()), ("end", pa.int64()),
    ("source_start", pa.int64()), ("source_end", pa.int64()), ("source_exact", pa.bool_()), ("line", pa.int32()),
    ("end_line", pa.int32()), ("path", pa.string()), ("text", pa.large_string()), ("similarity", pa.float64()),
    ("jaccard", pa.float64()), ("containment", pa.float64()), ("indel_similarity", pa.float64()),
    ("dice", pa.float64()), ("evidence", pa.float64()),
])
BATCH_ROWS = 10_000
_SURROGATE = re.compile("[\ud800-\udfff]")


def occurrence_table(report: Report) -> pa.Table:
    """One row an occurrence; lone surrogates, which Arrow cannot hold, become U+FFFD."""
    rows = ((group, occurrence) for group in report.groups for occurrence in group.occurrences)
    batches = []
    while batch := list(itertools.islice(rows, BATCH_ROWS)):
        batches.append(pa.record_batch(_columns(batch), schema=SCHEMA))
    return pa.Table.from_batches(batches, schema=SCHEMA)


def _columns(rows: Iterable[tuple[Group, Occurrence]]) -> list[Any]:
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for group, occurrence in rows:
        for name, column in columns.items():
            value = {"group": group.id, "kind": group.kind}.get(name) if name in ("group", "kind") else getattr(
                occurrence, name)
            column.append(_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value)
    return [pa.array(column, type=SCHEMA.field(name).type) for name, column in columns.items()]
