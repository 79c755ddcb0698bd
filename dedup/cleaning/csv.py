"""CSV and TSV, cut inside the field that holds the text: quotes, other fields and line ends stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.cleaning.pieces import STAYS, Cut, Gone, Piece, without
from dedup.cleaning.raw import RawLines, pieces_between
from dedup.cleaning.records import Cutter, Drop, Edits, Leave, checked_cuts, ignore, left_of, not_found, plain_cuts
from dedup.options import Options
from dedup.readers.csv import column_numbers, decode_line, delimiter_of, longest_line, split_lines
from dedup.readers.reading import READ_BYTES
from dedup.readers.tables import text_fields

I64 = npt.NDArray[np.int64]
_QUOTED = re.compile(r'[^"]*+(?:""[^"]*+)*+')  # what stands inside quotes, to the one that closes or to the end
_HALVES = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def clean_csv(stream: BinaryIO, form: str, edits: Edits, options: Options, cutter: Cutter = plain_cuts,
              leave: Leave = ignore) -> Iterator[Piece]:
    """The pieces of a CSV or TSV file in UTF-8. See `dedup.cleaning.records.clean_records`."""
    lines = RawLines(stream)
    if lines.mark:
        yield Piece(lines.mark, STAYS)
    table = _Table(lines, form, options)
    if edits:
        for data in table.begin():
            yield Piece(data, STAYS)
    for number in sorted(edits):
        for data in lines.up_to(number):
            yield Piece(data, STAYS)
        begin, (raw, texts, row) = lines.line, table.take()
        edit = edits[number]
        if begin != number or not row.fields:
            raise not_found(number, "the row at line")
        reason = "a line of it is too long to be read" if any(map(table.is_too_long, raw)) else ""
        if not reason and isinstance(edit, Drop):
            yield from (Piece(data, edit.removal) for data in raw)
            continue
        firsts = None if reason else _code_point_firsts(raw, texts)
        if firsts is None or isinstance(edit, Drop):
            for entry in left_of(edit, reason or "the encoding of its line is not known"):
                leave(number, entry)
            yield from (Piece(data, STAYS) for data in raw)
            continue
        yield from _cut_row(b"".join(raw), firsts, row, table, number, edit, cutter, leave)
    for data in lines.rest():
        yield Piece(data, STAYS)


class _Field(NamedTuple):
    """Where a field stands in its row's text.

    Attributes:
        start, end: With its quotes.
        close: The quote that closes it, or -1 where it does not begin with one.
    """

    start: int
    end: int
    close: int


@dataclass(frozen=True, slots=True)
class _Row:
    """A row.

    Attributes:
        text: All its lines.
        fields: None for a blank line.
    """

    text: str
    fields: list[_Field]

    def value(self, field: _Field) -> str:
        """What a field holds."""
        if field.close < 0:
            return self.text[field.start:field.end]
        return self.text[field.start + 1:field.close].replace('""', '"') + self.text[field.close + 1:field.end]

    @property
    def strict(self) -> bool:
        """Whether every quote that closes ends its field."""
        return all(field.close in (-1, field.end - 1) for field in self.fields)


class _Table:
    """What is known of a table: its columns, and its rows one by one."""

    def __init__(self, lines: RawLines, form: str, options: Options) -> None:
        self._lines = lines
        self._form = form
        self._longest = longest_line(options)
        self._names = text_fields(options)
        self._columns: dict[str, int] = {}
        self.delimiter = ","

    def begin(self) -> list[bytes]:
        """Read the row that names the columns; its lines."""
        first = self._lines.take()
        self.delimiter = delimiter_of(self._decoded(first), self._form)
        raw, _, row = self.take(first)
        self._columns = column_numbers([row.value(field) for field in row.fields])
        return raw

    def take(self, first: bytes = b"") -> tuple[list[bytes], list[str], _Row]:
        """The next row: its lines, these decoded, and what they hold."""
        raw: list[bytes] = []
        texts: list[str] = []

        def lines() -> Iterator[str]:
            while line := (first if first and not raw else self._lines.take()):
                raw.append(line)
                texts.append(self._decoded(line))
                yield texts[-1]
        row = read_row(lines(), self.delimiter)
        return raw, texts, row

    def text_column(self, row: _Row) -> int:
        """The column that holds a row's text, or -1."""
        found = (self._columns[name] for name in self._names if name in self._columns)
        return next((i for i in found if i < len(row.fields)), -1)

    def is_too_long(self, line: bytes) -> bool:
        """Whether the reader may not have read a line."""
        return len(line) - line.endswith(b"\n") > self._longest

    def _decoded(self, line: bytes) -> str:
        """A line as the reader decodes it."""
        if self.is_too_long(line) and len(line) > READ_BYTES:  # a shorter one may have been read, as part of a block
            return "\n"
        return decode_line(line.removesuffix(b"\n"))[0] + "\n" * line.endswith(b"\n")


@lru_cache(8)
def _unquoted(delimiter: str) -> re.Pattern[str]:
    return re.compile(f"[^{delimiter}\r\n]*")


def read_row(lines: Iterator[str], delimiter: str) -> _Row:
    """The row that begins with the next line; of the lines those are taken that belong to it.

    Quotes are read as the csv module reads them where it is not strict: what stands behind one that closes is text.
    """
    rest = _unquoted(delimiter)
    texts: list[str] = []
    fields: list[_Field] = []
    base, start, is_open = 0, 0, False
    for line in lines:
        texts.append(line)
        at = 0
        if not is_open and not line.strip("\r\n"):
            break
        while True:
            if not is_open:
                start = base + at
                is_open = line.startswith('"', at)
                at = at + 1 if is_open else _end(rest, line, at)
                if not is_open:
                    fields.append(_Field(start, base + at, -1))
            if is_open:
                close = _end(_QUOTED, line, at)
                if close == len(line):
                    break
                at, is_open = _end(rest, line, close + 1), False
                fields.append(_Field(start, base + at, base + close))
            if not line.startswith(delimiter, at):
                break
            at += 1
        if not is_open:
            break
        base += len(line)
    return _Row("".join(texts), [] if is_open else fields)


def _end(pattern: re.Pattern[str], line: str, at: int) -> int:
    """Where a match that begins here ends."""
    found = pattern.match(line, at)
    return found.end() if found else at


def _cut_row(raw: bytes, firsts: I64, row: _Row, table: _Table, number: int, edit: Sequence[Gone], cutter: Cutter,
             leave: Leave) -> Iterator[Piece]:
    """The pieces of a row of whose text field something goes.

    Args:
        raw: Its bytes; `firsts`: of each code point of its text the first one.
    """
    column = table.text_column(row)
    if column < 0:
        raise not_found(number, "the row at line")
    values = [row.value(field) for field in row.fields]
    field, value = row.fields[column], values[column]

    def pieces(cuts: Sequence[Cut]) -> Iterator[Piece]:
        places = _of_row(row, field, value, cuts)
        return pieces_between(raw, [Cut(int(firsts[a]), int(firsts[b]), removal) for a, b, removal in places])

    def damage(cuts: Sequence[Cut]) -> str:
        text = without(row.text, _of_row(row, field, value, cuts))
        if _HALVES.search(text) and not _HALVES.search(row.text):  # in UTF-16 they would be one character
            return "it would join two halves of a character"
        stays = b"".join(data for data, removal in pieces(cuts) if removal == STAYS)
        if "\n".join(decode_line(line)[0] for line in stays.split(b"\n")) != text:
            return "the encoding of its line would be guessed differently"
        lines = iter(split_lines(text))
        again = read_row(lines, table.delimiter)
        found = [again.value(other) for other in again.fields]
        same = found == [*values[:column], without(value, cuts), *values[column + 1:]] and next(lines, None) is None
        return "" if same and again.strict >= row.strict else "its row would be read differently"

    found = checked_cuts(value, edit, cutter, damage)
    for entry in found.left:
        leave(number, entry)
    yield from pieces(found.cuts)


def _of_row(row: _Row, field: _Field, value: str, cuts: Sequence[Cut]) -> list[Cut]:
    """Cuts of a field's value as cuts of its row's text: a quote that is doubled is one of the value's."""
    if field.close < 0:
        return [Cut(a + field.start, b + field.start, removal) for a, b, removal in cuts]
    inside = len(value) - (field.end - field.close - 1)  # of the value, what stands inside the quotes
    out: list[Cut] = []
    at = doubled = 0

    def place(i: int) -> int:
        nonlocal at, doubled
        doubled += value.count('"', at, i)
        at = i
        return field.start + 1 + i + doubled
    for a, b, removal in cuts:
        if a < inside:
            out.append(Cut(place(a), place(min(b, inside)), removal))
        if b > inside:
            behind = field.close + 1 - inside
            out.append(Cut(max(a, inside) + behind, b + behind, removal))
    return out


def _code_point_firsts(raw: Sequence[bytes], texts: Sequence[str]) -> I64 | None:
    """First byte of each code point of a row's text, and the row's length; ``None`` where it is not known."""
    parts: list[I64] = []
    base = 0
    for line, text in zip(raw, texts, strict=True):
        if len(text) == len(line):  # ASCII or Windows-1252
            firsts = np.arange(len(line))
        else:
            firsts = np.flatnonzero((np.frombuffer(line, np.uint8) & 0xc0) != 0x80)
            if text.encode("utf-8", "surrogatepass") != line:
                return None
        parts.append(firsts + base)
        base += len(line)
    return np.append(np.concatenate(parts), base)
