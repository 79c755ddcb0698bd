"""CSV and TSV by the standard library's csv, line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

from dedup.readers.decode import decode
from dedup.readers.jsonl import read_blocks
from dedup.readers.reading import Items, Reading
from dedup.readers.tables import Records, no_field

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
    delimiter = "\t" if form == "tsv" else ";" if "," not in first and ";" in first else ","
    rows = _rows(_with_first(first, lines), delimiter, reading)
    _, header = next(rows, (1, []))
    records = Records(reading)
    if not any(name in header for name in records.texts):
        reading.fail(1, f"{no_field(records.texts, header)}; file skipped", "text field missing")
        return
    for line, row in rows:
        if row:
            page = records.page(dict(zip(header, row, strict=False)), line, line)
            if page is not None:
                yield page


def _longest(reading: Reading) -> int:
    """Bytes that a line or field may have."""
    return min(reading.options.max_page_bytes, _FIELD_BYTES)


def _with_first(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _lines(stream: BinaryIO, reading: Reading) -> Iterator[str]:
    """Decoded lines with their ends; one that is not UTF-8 is guessed at, with a note."""
    for number, block in read_blocks(stream, _longest(reading)):
        if block is None:
            reading.fail(number, f"the line is longer than {_longest(reading):,} bytes, skipped", "line is too long")
            yield "\n"
            continue
        try:
            yield from _split(block.decode("utf-8"))
        except UnicodeDecodeError:
            for i, line in enumerate(block.split(b"\n"), number):
                text, guess = decode(line)
                if guess:
                    reading.notes.error(reading.file.place, i, f"{guess}; the line is used", "encoding guessed")
                yield text + "\n"


def _split(text: str) -> list[str]:
    """Lines split on LF only: other line ends belong to the text."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _rows(lines: Iterator[str], delimiter: str, reading: Reading) -> Iterator[tuple[int, list[Any]]]:
    """Rows with the line each begins on. The limit of a field is global to the csv module: it is set only meanwhile."""
    reader = csv.reader(lines, delimiter=delimiter)
    limit = _longest(reading)
    while True:
        line = reader.line_num + 1
        before = csv.field_size_limit(limit)
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reading.fail(line, f"not valid CSV ({error}), row skipped", "row is not valid CSV")
            continue
        finally:
            csv.field_size_limit(before)
        yield line, row
