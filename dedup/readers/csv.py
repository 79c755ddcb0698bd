"""CSV and TSV by the standard library's csv, line by line."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from dedup.options import Options
from dedup.readers.decode import decode
from dedup.readers.jsonl import read_blocks
from dedup.readers.reading import Items, Reading
from dedup.readers.tables import Records, no_field

NAMED_TWICE = "column named twice"
_SURROGATE = re.compile("[\ud800-\udfff]")
_FIELD_BYTES = 64_000_000  # the csv module takes four bytes a character and more while it reads a field


def read_csv(stream: BinaryIO, reading: Reading, form: str) -> Items:
    """The pages of a table whose first row names its columns.

    Args:
        form: "csv" (comma, or semicolon where the first row has no comma) or "tsv" (tab).
    """
    lines = _lines(stream, reading)
    first = next(lines, None)
    if first is None:
        return
    rows = _Rows(_with_first(first, lines), delimiter_of(first, form), reading)
    line, header = next(iter(rows), (1, []))
    records = Records(reading)
    records.saw(header)
    if line != 1 or not any(name in header for name in records.texts):
        reading.fail(1, f"{no_field(records.texts, header)}; file skipped" if line == 1 else
                     "the first row, which names the columns, cannot be read; file skipped", "text field missing")
        return
    rows.width = len(header)
    column = column_numbers(header)
    if len(column) < len(header):
        twice = [name for name in column if header.count(name) > 1]
        reading.notes.error(reading.file.place, 1, named_twice(twice, "first"), NAMED_TWICE)
    for line, row in rows:
        if not row:
            continue
        fields = {name: row[i] for name, i in column.items() if i < len(row)}
        if len(row) > rows.width and any(row[rows.width:]):
            reading.fail(line, f"the row has {len(row)} fields, the first row {rows.width}; row skipped",
                         "row has too many fields")
            continue
        if len(row) < rows.width and any(name in fields for name in records.texts):
            reading.notes.error(reading.file.place, line, f"the row has {len(row)} of {rows.width} fields; it is used",
                                "row has too few fields")
        page = records.page(fields, line, line)
        if page is not None:
            yield page


def delimiter_of(first: str, form: str) -> str:
    """What separates the fields of a table with this first line."""
    return "\t" if form == "tsv" else ";" if "," not in first and ";" in first else ","


def column_numbers(header: Sequence[str]) -> dict[str, int]:
    """The columns by their names; of several of one name the first."""
    return {name: i for i, name in reversed(list(enumerate(header)))}


def named_twice(names: Iterable[str], used: str) -> str:
    """The message for columns whose names others have, too; the first or the last of them is used."""
    return f"several columns are named {', '.join(map(repr, names))}; the {used} of them is used"


def longest_line(options: Options) -> int:
    """Bytes that a line or field may have."""
    return min(options.max_page_bytes, _FIELD_BYTES)


def _with_first(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _lines(stream: BinaryIO, reading: Reading) -> Iterator[str]:
    """Decoded lines with their ends; one that is not UTF-8 is guessed at, with a note."""
    longest = longest_line(reading.options)
    for number, block in read_blocks(stream, longest):
        if block is None:
            reading.fail(number, f"the line is longer than {longest:,} bytes, skipped", "line is too long")
            yield "\n"
            continue
        try:
            yield from split_lines(block.decode("utf-8"))
        except UnicodeDecodeError:
            for i, line in enumerate(block.removesuffix(b"\n").split(b"\n"), number):
                text, guess = decode_line(line)
                if guess:
                    reading.notes.decoded(reading.file.place, i, guess, "line")
                yield text + "\n"


def split_lines(text: str) -> list[str]:
    """Lines split on LF only: other line ends belong to the text."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def decode_line(line: bytes) -> tuple[str, str]:
    """A line, and how its encoding was guessed."""
    try:
        text = line.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return decode(line)
    return text, "" if text.isascii() or not _SURROGATE.search(text) else "half of a character (a lone surrogate) in it"


class _Rows:
    """The rows of a table with the line each begins on.

    A quote that opens and never closes, or that closes where no field ends, would take in what follows. So reading is
    strict: where it fails, the line on which the row began is taken alone, and reading goes on with the next one.

    Attributes:
        width: Fields that a row is to have, where it is known.
    """

    def __init__(self, lines: Iterator[str], delimiter: str, reading: Reading) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._reading = reading
        self._ahead: deque[str] = deque()  # lines to be read again, first
        self._taken: list[str] = []  # lines of the row
        self._line = 1
        self._again = 0  # lines read again
        self.width = 0
        self._rows = self._all()

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        return self._rows

    def _feed(self) -> Iterator[str]:
        ahead, taken = self._ahead, self._taken
        while ahead:
            taken.append(ahead.popleft())
            yield taken[-1]
        for line in self._lines:
            taken.append(line)
            yield line

    def _all(self) -> Iterator[tuple[int, list[Any]]]:
        taken = self._taken
        reader = csv.reader(self._feed(), delimiter=self._delimiter, strict=True)
        while True:
            try:
                row = self._next(reader)
            except csv.Error as error:
                if not taken:  # the reader remembers the end
                    return
                first, *rest = taken
                self._ahead.extendleft(reversed(rest))
                taken.clear()
                yield from self._alone(first, str(error))
                self._again += len(rest)
                if self._again > 8 * self._line + 10_000:  # quotes that open on every line: the work stays linear
                    while self._ahead:
                        yield from self._alone(self._ahead.popleft(), "")
                reader = csv.reader(self._feed(), delimiter=self._delimiter, strict=True)
                continue
            if row is None:
                return
            line = self._line
            self._line += len(taken)
            taken.clear()
            yield line, row

    def _next(self, reader: Any) -> list[Any] | None:
        """The next row. The limit of a field is global to the csv module: it is set only meanwhile."""
        before = csv.field_size_limit(longest_line(self._reading.options))
        try:
            row: list[Any] | None = next(reader, None)
        finally:
            csv.field_size_limit(before)
        return row

    def _alone(self, text: str, cause: str) -> Iterator[tuple[int, list[Any]]]:
        """The row of one line where strict reading of what begins there failed for a cause."""
        line, self._line = self._line, self._line + 1
        reader = csv.reader([text, "\n"], delimiter=self._delimiter)
        try:
            row = self._next(reader) or []
        except csv.Error as error:
            self._reading.fail(line, f"not valid CSV ({error}), row skipped", "row is not valid CSV")
            return
        if reader.line_num > 1:
            self._reading.fail(line, "a quote opens here and does not close where a field ends, line skipped",
                               "row is not valid CSV")
        elif cause and self.width and len(row) == self.width:
            self._reading.notes.error(self._reading.file.place, line, "a quote inside a quoted field is not doubled; "
                                      "the line is used", "quote is not doubled")
            yield line, row
        elif cause:
            self._reading.fail(line, f"not valid CSV ({cause}), line skipped", "row is not valid CSV")
        else:
            yield line, row
