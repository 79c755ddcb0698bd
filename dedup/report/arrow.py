"""The pages and the occurrences of a report as Arrow tables, and as Parquet. docs/page-table.md describes them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.annotate import REPETITION, SHARES, Spans
from dedup.errors import OutputError
from dedup.groups import KINDS
from dedup.model import Group, Occurrence
from dedup.report.json import replaced_file
from dedup.report.page_table import COLUMNS, FORMAT, SPAN_FIELDS, PageBatch, meta_text, page_batches
from dedup.verdicts import NAMES

if TYPE_CHECKING:
    from dedup.report import Report

SCHEMA = pa.schema([
    ("group", pa.int64()), ("kind", pa.string()), ("page", pa.string()), ("start", pa.int64()), ("end", pa.int64()),
    ("source_start", pa.int64()), ("source_end", pa.int64()), ("source_exact", pa.bool_()), ("line", pa.int32()),
    ("end_line", pa.int32()), ("path", pa.string()), ("text", pa.large_string()), ("similarity", pa.float64()),
    ("jaccard", pa.float64()), ("containment", pa.float64()), ("indel_similarity", pa.float64()),
    ("dice", pa.float64()), ("evidence", pa.float64()), ("copies", pa.int64()),
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
            column.append(_text(value) if isinstance(value, str) else value)
    return [pa.array(column, type=SCHEMA.field(name).type) for name, column in columns.items()]


# A row a page.

_TYPES = {"string": pa.string(), "int64": pa.int64(), "bool": pa.bool_(), "float64": pa.float64()}
SPAN = pa.struct([(name, _TYPES[kind]) for name, kind in SPAN_FIELDS])
_TYPES |= {"list<int64>": pa.list_(pa.int64())}


def page_schema(report: Report) -> pa.Schema:
    """The schema of the table of pages; its metadata names format, version and input."""
    fields = [(name, pa.list_(SPAN) if name == "spans" else _TYPES[kind]) for name, kind in COLUMNS]
    return pa.schema(fields, metadata={"dedup.format": FORMAT, "dedup.version": report.version,
                                       "dedup.input_digest": report.input_digest})


def page_stream(report: Report) -> pa.RecordBatchReader:
    """The table of pages, a batch at a time."""
    schema = page_schema(report)
    return pa.RecordBatchReader.from_batches(schema, (_page_batch(batch, schema) for batch in page_batches(report)))


def page_table(report: Report) -> pa.Table:
    """The table of pages."""
    return page_stream(report).read_all()


def write_parquet(report: Report, path: Path) -> None:
    """Write the table of pages as Parquet, a row group a batch.

    Raises:
        OutputError: The file cannot be written.
    """
    with replaced_file(path) as file, page_stream(report) as stream:
        try:
            with pq.ParquetWriter(file, stream.schema, compression="zstd") as writer:
                for batch in stream:
                    writer.write_batch(batch)
        except pa.ArrowException as error:
            raise OutputError(f"cannot be written: {error}", str(path), "Nothing was written.") from error


def _page_batch(batch: PageBatch, schema: pa.Schema) -> pa.RecordBatch:
    heads, rows = batch.heads, len(batch.heads)
    columns: dict[str, Any] = {name: [_text(getattr(head, name)) for head in heads] for name in ("id", "source", "title")}
    columns["meta"] = [_text(meta_text(head)) for head in heads]
    columns |= {name: [getattr(head, name) for head in heads]
                for name in ("words", "chars", "duplicate_chars", "within_share", "across_share")}
    columns["keep"] = [kept is None for kept in batch.kept_page]
    columns["kept_page"] = [_text(kept) for kept in batch.kept_page]
    columns["groups"] = pa.ListArray.from_arrays(batch.group_first.astype(np.int32), batch.groups)
    columns["spans"] = pa.ListArray.from_arrays(batch.spans.first.astype(np.int32), _span_array(batch.spans))
    for names, table in ((SHARES, batch.shares), (REPETITION, batch.repetition)):
        for number, name in enumerate(names):
            columns[name] = pa.nulls(rows, pa.float64()) if table is None else np.ascontiguousarray(table[:, number])
    return pa.record_batch([columns[name] if isinstance(columns[name], pa.Array) else pa.array(columns[name], type=kind)
                            for name, kind in zip(schema.names, schema.types, strict=True)], schema=schema)


def _span_array(spans: Spans) -> pa.StructArray:
    verdict = pa.array(spans.verdict.astype(np.int32), mask=spans.verdict < 0)
    columns = [spans.start, spans.end, spans.group, pa.array(KINDS).take(pa.array(spans.kind.astype(np.int32))),
               pa.array(NAMES).take(verdict), spans.stays, spans.cut]
    return pa.StructArray.from_arrays([pa.array(column) for column in columns], fields=list(SPAN))


def _text(value: str | None) -> str | None:
    return value if value is None else _SURROGATE.sub("\ufffd", value)
