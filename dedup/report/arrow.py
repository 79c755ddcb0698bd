"""The pages, groups and occurrences of a report as Arrow tables, and as Parquet. docs/page-table.md describes them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.annotate import REPETITION, SHARES, Spans
from dedup.errors import OutputError
from dedup.groups import KINDS
from dedup.heads import Utf8
from dedup.report.columns import Column, Floats, Json, Lists, Numbers, Text, Truths
from dedup.report.page_table import COLUMNS, FORMAT, SPAN_FIELDS, PageBatch, meta_text, page_batches
from dedup.report.rows import RAW, Strings, text, written
from dedup.report.table_columns import column_batches
from dedup.report.tables import TABLES, Rows, table_rows
from dedup.verdict_kinds import NAMES

if TYPE_CHECKING:
    from dedup.report import Report
    from dedup.report.table_files import Table

BATCH_ROWS = 8_000  # of a row group, at least
_SURROGATE = re.compile("[\ud800-\udfff]")


_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(), "large_string": pa.large_string(), "int64": pa.int64(), "int32": pa.int32(), "bool": pa.bool_(),
    "float64": pa.float64(), "list<int64>": pa.list_(pa.int64()), "list<string>": pa.list_(pa.string())}
TABLE_FORMATS = {"groups": "dedup-groups/1", "occurrences": "dedup-occurrences/1"}


def table_schema(report: Report, rows: Rows) -> pa.Schema:
    """The schema of a table of groups or occurrences; its metadata names format, version and input."""
    return pa.schema([(name, _TYPES[kind]) for name, kind in TABLES[rows]], metadata=_metadata(report, TABLE_FORMATS[rows]))


def table_stream(report: Report, rows: Rows) -> pa.RecordBatchReader:
    """A table of groups or occurrences, a batch at a time; lone surrogates, which Arrow cannot hold, become U+FFFD."""
    from dedup.findings import GroupList

    schema = table_schema(report, rows)
    if isinstance(report.groups, GroupList):
        columns = column_batches(report, report.groups.findings, rows)
        return pa.RecordBatchReader.from_batches(schema, (_batch(batch, schema) for batch in columns))
    made = table_rows(report, rows)

    def batches() -> Iterator[pa.RecordBatch]:
        while batch := list(itertools.islice(made, BATCH_ROWS)):
            columns = [pa.array([_held(row[field.name]) for row in batch], type=field.type) for field in schema]
            yield pa.record_batch(columns, schema=schema)
    return pa.RecordBatchReader.from_batches(schema, batches())


def _batch(columns: Mapping[str, Column], schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([_array(columns[field.name], field.type) for field in schema], schema=schema)


def _array(column: Column, kind: pa.DataType) -> pa.Array:
    """A column as Arrow has it."""
    match column:
        case Numbers(values):
            return pa.array(values, type=kind, mask=values < 0)
        case Floats(values):
            return pa.array(values, type=kind, mask=np.isnan(values))
        case Truths(values):
            return pa.array(values, type=kind)
        case Lists(first, items):
            return pa.ListArray.from_arrays(first.astype(np.int32), _array(items, kind.value_type))
        case Text(strings) | Json(strings):
            return _string_array(strings, kind)


def _string_array(strings: Strings, kind: pa.DataType) -> pa.Array:
    data, first = written([text(RAW, b"", strings)])
    there = strings.start >= 0
    if ((data[:-1] == 0xED) & (data[1:] >= 0xA0)).any():  # lone surrogates
        values = [_text(value) for value in Utf8(data, first).texts()]
        return pa.array(values, type=kind, mask=~there)
    bits = pa.py_buffer(np.packbits(there, bitorder="little"))
    large = pa.Array.from_buffers(pa.large_string(), len(there), [bits, pa.py_buffer(first), pa.py_buffer(data)])
    return large.cast(kind)


def _metadata(report: Report, form: str) -> dict[str, str]:
    return {"dedup.format": form, "dedup.version": report.version, "dedup.input_digest": report.input_digest}


def _held(value: Any) -> Any:
    """A value without what Arrow cannot hold."""
    if isinstance(value, str):
        return _text(value)
    return [_held(item) for item in value] if isinstance(value, list) else value


def _row_groups(stream: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """The batches, as many together as make a row group."""
    waiting: list[pa.RecordBatch] = []
    for batch in stream:
        waiting.append(batch)
        if sum(map(len, waiting)) >= BATCH_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting.clear()
    if waiting:
        yield pa.Table.from_batches(waiting)


# A row a page.

SPAN = pa.struct([(name, _TYPES[kind]) for name, kind in SPAN_FIELDS])


def page_schema(report: Report) -> pa.Schema:
    """The schema of the table of pages; its metadata names format, version and input."""
    fields = [(name, pa.list_(SPAN) if name == "spans" else _TYPES[kind]) for name, kind in COLUMNS]
    return pa.schema(fields, metadata=_metadata(report, FORMAT))


def page_stream(report: Report) -> pa.RecordBatchReader:
    """The table of pages, a batch at a time."""
    schema = page_schema(report)
    return pa.RecordBatchReader.from_batches(schema, (_page_batch(batch, schema) for batch in page_batches(report)))


def page_table(report: Report) -> pa.Table:
    """The table of pages."""
    return page_stream(report).read_all()


def write_parquet(report: Report, file: IO[bytes], table: Table = "pages") -> None:
    """Write a table as Parquet to an open binary file, ``BATCH_ROWS`` or some more in a row group.

    Raises:
        OutputError: Arrow cannot write it.
    """
    with page_stream(report) if table == "pages" else table_stream(report, table) as stream:
        try:
            with pq.ParquetWriter(file, stream.schema, compression="zstd") as writer:
                for group in _row_groups(stream):
                    writer.write_table(group)
        except pa.ArrowException as error:
            raise OutputError(f"cannot be written: {error}", mend="Nothing was written.") from error


def _page_batch(batch: PageBatch, schema: pa.Schema) -> pa.RecordBatch:
    heads, rows = batch.heads, len(batch.heads)
    columns: dict[str, Any] = {name: [_text(getattr(head, name)) for head in heads] for name in ("id", "source", "title")}
    columns["meta"] = [_text(meta_text(head)) for head in heads]
    columns |= {name: [getattr(head, name) for head in heads]
                for name in ("words", "chars", "duplicate_chars", "within_share", "across_share")}
    columns["row"] = pa.array(batch.rows, mask=batch.rows < 0)
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
