"""Tables as JSON Lines, as CSV and as Parquet: a row a page, a group or an occurrence.

The same report always gives the same bytes, and no more than one batch of rows is held at a time.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, Literal

from dedup.report import page_table
from dedup.report.columns import Column, csv_lines, json_lines
from dedup.report.json import encode
from dedup.report.page_table import COLUMNS, page_columns
from dedup.report.table_columns import column_batches
from dedup.report.tables import TABLES, table_rows

if TYPE_CHECKING:
    from dedup.report import Report
    from dedup.report.formats import How

Table = Literal["pages", "groups", "occurrences"]

_SURROGATE = re.compile("[\ud800-\udfff]")
# How a spreadsheet knows a formula; also in full width, and behind a tab or the end of a line.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def columns_of(table: Table) -> list[str]:
    """The names of a table's columns."""
    return [name for name, _ in (COLUMNS if table == "pages" else TABLES[table])]


def columns_by_batch(report: Report, table: Table) -> Iterator[dict[str, Column]] | None:
    """A table as columns, where the report has them: always of pages, of groups and occurrences those of a fresh scan."""
    from dedup.findings import GroupList

    if table == "pages":
        return page_columns(report)
    return column_batches(report, report.groups.findings, table) if isinstance(report.groups, GroupList) else None


def json_lines_of(report: Report, file: IO[bytes], how: How, table: Table = "pages") -> None:
    """Write a table as JSON Lines to an open binary file."""
    if columns := columns_by_batch(report, table):
        file.writelines(map(json_lines, columns))
    elif table != "pages":
        file.writelines(encode(row) + b"\n" for row in table_rows(report, table))


def csv_of(report: Report, file: IO[bytes], how: How, table: Table = "pages") -> None:
    """Write a table as CSV to an open binary file (UTF-8, a header, lists and carried fields as JSON).

    A cell that a spreadsheet would take for a formula has a quote before it. Lone surrogates become U+FFFD.
    """
    file.write(_csv_lines([columns_of(table)]))
    if columns := columns_by_batch(report, table):
        file.writelines(map(csv_lines, columns))
    elif table != "pages":
        cells = (map(cell, row.values()) for row in table_rows(report, table))
        while batch := list(itertools.islice(cells, page_table.BATCH_ROWS)):
            file.write(_csv_lines(batch))


def parquet_of(report: Report, file: IO[bytes], how: How, table: Table = "pages") -> None:
    """Write a table as Parquet to an open binary file."""
    from dedup.report.arrow import write_parquet

    write_parquet(report, file, table)


def _csv_lines(rows: Iterable[Iterable[str | int | float]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def cell(value: Any) -> str | int | float:
    """What stands in a cell of a CSV file.

    >>> cell(True), cell(None), cell(0.5), cell("=1+1"), cell([1])
    ('true', '', 0.5, "'=1+1", '[1]')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return value
    text = value if isinstance(value, str) else encode(value).decode()
    text = _SURROGATE.sub("\ufffd", text)
    return "'" + text if text.startswith(_FORMULA) else text


__all__ = ["Table", "cell", "columns_of", "csv_of", "json_lines_of", "parquet_of"]
