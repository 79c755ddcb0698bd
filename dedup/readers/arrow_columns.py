"""Rows of record batches as columns: texts in UTF-8 as they lie there, and no object a row, where the columns are plain."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pyarrow import ArrowException, large_string, string, types

from dedup.heads import RecordHeads, Utf8
from dedup.readers.reading import Texts, sites_of
from dedup.readers.tables import Records, record_name

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def plain_rows(columns: dict[str, Any], records: Records, number: int) -> tuple[Texts, Flags] | None:
    """Rows with their texts, and which of them hold; the others are read one by one. ``None``: all of them.

    Args:
        columns: The columns that are needed, by name: Arrow's arrays of one length, known to be sound.
        number: Of the first row.
    """
    name = next((name for name in records.texts if name in columns), "")
    columns = {name: _without_views(column) for name, column in columns.items()}
    fields = (*records.ids, "url", *records.meta)
    if records.form != "text" or not name or any(_nested(field, columns) for field in fields):
        return None
    text = columns[name]
    if not _is_string(text):
        return None
    count, data = len(text), _utf8(text)
    holds = _valid(text) & (np.diff(data.first) <= records.reading.options.max_page_bytes)
    ids, metas = _ids(columns, records, number, count), _metas(columns, records, count)
    if ids is None or metas is None:
        return None
    urls, has_url = Utf8(np.empty(0, np.uint8), np.zeros(count + 1, np.int64)), np.zeros(count, bool)
    if "url" in columns and _is_string(columns["url"]):
        urls, has_url = _whole(columns["url"].fill_null("")), _valid(columns["url"])
    file = records.reading.file
    heads = RecordHeads(file.place, ids, urls, has_url.view(np.uint8), sites_of(urls, file.site), number, metas or None)
    return Texts(heads, *data), holds


def cells_of(column: Any) -> list[Any]:
    """Python values of a column; for a cell that has none its error."""
    try:
        values: list[Any] = column.to_pylist()
        return values
    except Exception:  # UTF-8 that is none, a time zone that is not known, a date that Python does not have
        return [_value(column[i]) for i in range(len(column))]


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except Exception as error:
        return error


def _nested(name: str, columns: dict[str, Any]) -> bool:
    """Whether a dotted name leads into a column."""
    return name not in columns and name.split(".")[0] in columns


def _without_views(column: Any) -> Any:
    """Strings that lie anywhere, as Polars has them, one behind the other; another column as it is."""
    if not types.is_string_view(column.type):
        return column
    try:
        return column.cast(large_string())
    except ArrowException:  # a version of pyarrow that cannot
        return column


def _is_string(column: Any) -> bool:
    return bool(types.is_string(column.type) or types.is_large_string(column.type))


def _valid(column: Any) -> Flags:
    found: Flags = column.is_valid().to_numpy(zero_copy_only=False)
    return found


def _utf8(column: Any) -> Utf8:
    """Strings as they lie in Arrow's memory: others may stand before and behind them."""
    _, offsets, data = column.buffers()
    width = np.int64 if types.is_large_string(column.type) else np.int32
    edges = np.frombuffer(offsets, width) if len(column) else np.zeros(column.offset + 1, width)
    first = edges[column.offset:column.offset + len(column) + 1].astype(np.int64)
    return Utf8(np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8), first)


def _whole(column: Any) -> Utf8:
    """Strings alone."""
    return _utf8(column).part(0, len(column))


def _ids(columns: dict[str, Any], records: Records, number: int, count: int) -> Utf8 | None:
    """Names of the rows as ``record_name`` gives them; ``None`` where a cell cannot be read."""
    own = [columns[name] for name in records.ids if name in columns]
    if own and not own[0].null_count:
        if types.is_integer(own[0].type):
            return _whole(own[0].cast(string()))
        if _is_string(own[0]) and (np.diff((ids := _whole(own[0])).first) > 0).all():
            return ids
    values = [cells_of(column) for column in own] or [[None] * count]
    if any(isinstance(value, Exception) for column in values for value in column):
        return None
    found = (next((value for value in row if value is not None), None) for row in zip(*values, strict=True))
    return Utf8.of([record_name(value, records.reading.file, number + row) for row, value in enumerate(found)])


def _metas(columns: dict[str, Any], records: Records, count: int) -> list[dict[str, Any]] | None:
    """Carried fields of the rows, empty where none are carried; ``None`` where a cell cannot be read."""
    names = [name for name in records.meta if name in columns]
    if not names:
        return []
    values = [cells_of(columns[name]) for name in names]
    if any(isinstance(value, Exception) for column in values for value in column):
        return None
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
