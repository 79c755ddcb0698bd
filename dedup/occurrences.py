"""From columns of places to occurrences as people read them: code points, lines, source, path and text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import widths
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.equal_blocks import TOGETHER
from dedup.filed import of_large
from dedup.heads import Utf8
from dedup.kernel import kernel
from dedup.model import Occurrence
from dedup.places import row_ranges
from dedup.verify import Spans

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
A = TypeVar("A", bound=np.generic)


class Measured(Struct, frozen=True):
    """What occurrences have in common with what each is measured against, as columns of equal length.

    Attributes:
        dice, evidence: NaN where nothing was aligned.
    """

    similarity: F64
    jaccard: F64
    containment: F64
    indel: F64
    dice: F64
    evidence: F64

    @classmethod
    def equal(cls, count: int) -> Measured:
        """Of some that are equal to what they are measured against; the columns may be written to."""
        likeness, aligned = np.ones((4, count)), np.full((2, count), np.nan)
        return cls(*likeness, *aligned)

    @classmethod
    def joined(cls, some: Sequence[Measured]) -> Measured:
        """One after the other."""
        columns = zip(*(each.columns for each in [cls.equal(0), *some]), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    @property
    def columns(self) -> tuple[F64, ...]:
        """All of them."""
        return self.similarity, self.jaccard, self.containment, self.indel, self.dice, self.evidence

    def part(self, rows: slice) -> Measured:
        """Rows that follow each other."""
        return Measured(*(column[rows] for column in self.columns))

    def take(self, rows: I64) -> Measured:
        """Some of the rows."""
        return Measured(*(column[rows] for column in self.columns))


class OccurrenceColumns(Struct, frozen=True):
    """Occurrences as people read them, one row each; ``model.Occurrence`` says what the columns are.

    Attributes:
        row: The first one among the places.
        page: Index of the page.
        start, end, text_start, text_end: Code points of the page's text; bytes of the collection's.
        source_start, source_end: -1 where there are none.
        path: Index into `paths`, -1 for none.
        parted: Whether it has matched stretches.
    """

    row: I64
    page: I64
    start: I64
    end: I64
    text_start: I64
    text_end: I64
    source_start: I64
    source_end: I64
    source_exact: Flags
    line: I64
    end_line: I64
    path: I64
    paths: list[str]
    parted: Flags
    copies: I64

    def part(self, rows: slice) -> OccurrenceColumns:
        """Rows that follow each other."""
        columns = {name: getattr(self, name) for name in self.__struct_fields__}
        return OccurrenceColumns(**{name: column if name == "paths" else column[rows] for name, column in columns.items()})


Source = tuple[int | None, int | None, bool]  # start, end, and whether they are exact
NOWHERE: Source = (None, None, True)  # of a record, in a source that is no text


class Places:
    """Places of a corpus: bytes of each, and what they are for a reader.

    Args:
        page: Page of each place.
        first_block, last_block: Blocks of its first and last token.
        parts: Matched stretches of each place, in bytes.
    """

    def __init__(self, engine: LocalEngine, corpus: Corpus, page: I64, first_block: I64, last_block: I64,
                 parts: Spans) -> None:
        self.corpus, self.page, self.parts = corpus, page, parts
        self.first_block, self.last_block = first_block, last_block
        self.part_start, self.part_end = parts.chars or part_chars(engine, corpus, page, first_block, last_block, parts)
        self._lines: dict[int, dict[int, tuple[int, int]]] = {}

    @cached_property
    def _by_page(self) -> tuple[I64, I64]:
        order = np.argsort(self.page, kind="stable")
        return order, self.page[order]

    def chars(self, row: int) -> tuple[int, int]:
        """Code points of the page's text, half-open."""
        first, last = self.parts.first[row], self.parts.first[row + 1] - 1
        return int(self.part_start[first]), int(self.part_end[last])

    @property
    def all_chars(self) -> tuple[I64, I64]:
        """``chars`` of all places."""
        first, last = self.parts.first[:-1], self.parts.first[1:] - 1
        return self.part_start[first], self.part_end[last]

    def bytes_of(self, rows: I64) -> tuple[I64, I64]:
        """First and last byte of places in the collection's text, half-open."""
        parts = self.parts
        return parts.part_start[parts.first[rows]], parts.part_end[parts.first[rows + 1] - 1]

    def text(self, row: int) -> str:
        """The page's text from start to end."""
        start = self.parts.part_start[self.parts.first[row]]
        end = self.parts.part_end[self.parts.first[row + 1] - 1]
        return self.corpus.text[start:end].tobytes().decode("utf-8", "surrogatepass")

    def part_list(self, row: int) -> tuple[tuple[int, int], ...] | None:
        """Code points of the matched stretches; ``None`` where there is only one, the whole."""
        first, end = int(self.parts.first[row]), int(self.parts.first[row + 1])
        if end - first == 1:
            return None
        return tuple((int(self.part_start[i]), int(self.part_end[i])) for i in range(first, end))

    def lines(self, row: int) -> tuple[int, int]:
        """First and last line in the source, from 1."""
        p = int(self.page[row])
        pages = self.corpus.pages
        if pages.in_line(p):
            return pages.line(p), pages.line(p)
        layout = pages.layouts.get(p)
        if layout is not None:
            begin, finish, exact = self.source(row)
            a, b = (int(block[row] - self.corpus.page_first[p]) for block in (self.first_block, self.last_block))
            if begin is None or finish is None or not exact or not len(layout.feed):
                return int(layout.line[a]), int(layout.end_line[b])
            feeds = np.searchsorted(layout.feed, [layout.source_start[a], begin, layout.source_start[b], finish - 1])
            return int(layout.line[a] + feeds[1] - feeds[0]), int(layout.line[b] + feeds[3] - feeds[2])
        if p not in self._lines:
            order, by_page = self._by_page
            rows = order[np.searchsorted(by_page, p):np.searchsorted(by_page, p, side="right")]
            start, end = self.bytes_of(rows)
            positions = np.concatenate([start, np.maximum(end - 1, start)])
            unique, back = np.unique(positions, return_inverse=True)
            line = kernel.line_numbers(self.corpus.text, int(self.corpus.page_start[p]), unique)[back] + pages.line(p)
            self._lines[p] = {int(r): (int(line[i]), int(line[i + len(rows)])) for i, r in enumerate(rows)}
        return self._lines[p][row]

    def source(self, row: int) -> Source:
        """Code points in the decoded source, and whether they are exact; none for a record."""
        p = int(self.page[row])
        layout, (start, end) = self.corpus.pages.layouts.get(p), self.chars(row)
        if layout is None:
            return NOWHERE if self.corpus.pages.in_line(p) else (start, end, True)
        first, last = (int(block[row] - self.corpus.page_first[p]) for block in (self.first_block, self.last_block))
        begin, exact_begin = _map_inside(layout, first, start, end=False)
        finish, exact_finish = _map_inside(layout, last, end, end=True)
        return begin, finish, exact_begin and exact_finish

    def path(self, row: int) -> str | None:
        """DOM path of the first block, for HTML."""
        layout = self.corpus.pages.layouts.get(int(self.page[row]))
        if layout is None:
            return None
        return layout.path[int(self.first_block[row] - self.corpus.page_first[int(self.page[row])])] or None

    def columns(self, rows: I64, copies: I64) -> OccurrenceColumns:
        """Places as people read them, without their texts.

        Args:
            rows: The first row of each.
            copies: Rows that follow each other at once, none of them in parts, and are one occurrence.
        """
        last, first, page = rows + copies - 1, self.parts.first, self.page[rows]
        of_record, line = self._records
        end_line = (line := line[page]).copy()
        source_start, source_end, path = np.full((3, len(rows)), -1)
        exact, paths = np.ones(len(rows), bool), dict[str, int]()
        for i in np.flatnonzero(~of_record[page]).tolist():
            lines, (begin, finish, exact[i]), name = self._in_source(int(page[i]), int(rows[i]), int(last[i]))
            line[i], end_line[i] = lines
            source_start[i], source_end[i] = -1 if begin is None else begin, -1 if finish is None else finish
            path[i] = -1 if name is None else paths.setdefault(name, len(paths))
        return OccurrenceColumns(
            rows, page, self.part_start[first[rows]], self.part_end[first[last + 1] - 1], self.bytes_of(rows)[0],
            self.bytes_of(last)[1], source_start, source_end, exact, line, end_line, path, list(paths),
            first[rows + 1] - first[rows] > 1, copies)

    @cached_property
    def _records(self) -> tuple[Flags, I64]:
        """Pages of which all places are on one line and nowhere else in the source, and the first line of each page."""
        pages = self.corpus.pages
        of_record = pages.is_record.copy()
        of_record[list(pages.layouts)] = False
        return of_record, pages.lines

    @cached_property
    def ids(self) -> Utf8:
        """The ids of all pages."""
        return self.corpus.pages.all_names

    def occurrences(self, columns: OccurrenceColumns, measured: Measured) -> list[Occurrence]:
        """Places as people read them.

        Args:
            columns: Of ``columns``.
            measured: What each has in common with what it is measured against.
        """
        c, pages = columns, columns.page.tolist()
        ids = {p: self.corpus.pages.id(p) for p in set(pages)}
        parted = zip(c.row.tolist(), c.parted.tolist(), strict=True)
        parts = [self.part_list(row) if several else None for row, several in parted]
        m, (dice, evidence) = measured, (_none_where(np.isnan(side), side) for side in (measured.dice, measured.evidence))
        return list(map(
            Occurrence, (ids[p] for p in pages), c.start.tolist(), c.end.tolist(),
            *(_none_where(side < 0, side) for side in (c.source_start, c.source_end)), c.line.tolist(), c.end_line.tolist(),
            (None if path < 0 else c.paths[path] for path in c.path.tolist()), parts, self._texts(c), m.similarity.tolist(),
            m.jaccard.tolist(), m.containment.tolist(), m.indel.tolist(), c.source_exact.tolist(), dice, evidence,
            c.copies.tolist()))

    def _in_source(self, page: int, row: int, last: int) -> tuple[tuple[int, int], Source, str | None]:
        """Lines, place in the source and path of what goes from one row to another one."""
        pages = self.corpus.pages
        if pages.in_line(page) and page not in pages.layouts:
            return (pages.line(page), pages.line(page)), NOWHERE, None
        lines, source, path = self.lines(row), self.source(row), self.path(row)
        if last > row:
            _, end, exact = self.source(last)
            lines, source = (lines[0], self.lines(last)[1]), (source[0], end, source[2] and exact)
        return lines, source, path

    def _texts(self, columns: OccurrenceColumns) -> list[str]:
        """The page's text from the start to the end of each occurrence."""
        text, out = self.corpus.text, list[str]()
        for number, (start, end) in enumerate(zip(columns.text_start.tolist(), columns.text_end.tolist(), strict=True)):
            if number % TOGETHER == 0:  # each may bring other pages of the file into memory
                kernel.relieve_memory()
            out.append(text[start:end].tobytes().decode("utf-8", "surrogatepass"))
        return out


def _none_where(missing: Flags, column: npt.NDArray[A]) -> list[Any]:
    values: list[Any] = column.tolist()
    for i in np.flatnonzero(missing).tolist():
        values[i] = None
    return values


def _map_inside(layout: object, block: int, position: int, end: bool) -> tuple[int, bool]:
    """A place inside a block, in the source; the block's own end where it has no map."""
    from dedup.model import Layout

    assert isinstance(layout, Layout)
    border = int((layout.end if end else layout.start)[block])
    whole = int((layout.source_end if end else layout.source_start)[block])
    if position == border:
        return whole, True
    rows = slice(int(layout.map_first[block]), int(layout.map_first[block + 1]))
    texts, sources = layout.map_text[rows], layout.map_source[rows]
    at = int(np.searchsorted(texts, position - end, side="right")) - 1
    if at < 0:
        return whole, False
    if end and at + 2 < len(texts) and texts[at + 1] == texts[at + 2] == position:
        return int(sources[at + 1]), True
    return int(sources[at]) + position - int(texts[at]), True


def of_parts(column: npt.NDArray[A], parts: Spans) -> npt.NDArray[A]:
    """A column of places as one of their parts."""
    return column if len(parts.part_start) == len(parts) else np.repeat(column, widths(parts.first))


def part_blocks(corpus: Corpus, first_block: I64, last_block: I64, parts: Spans) -> tuple[I64, I64]:
    """Blocks of the first and the last byte of each part, where those of the whole places are known."""
    if len(parts.part_start) == len(parts):  # each is the whole
        return first_block, last_block
    counts = widths(parts.first)
    first, last = np.repeat(first_block, counts), np.repeat(last_block, counts)
    inner, _ = kernel.take_ranges(parts.first, np.flatnonzero(counts > 1))
    first[inner] = np.searchsorted(corpus.start, parts.part_start[inner], side="right") - 1
    last[inner] = np.searchsorted(corpus.start, parts.part_end[inner] - 1, side="right") - 1
    return first, last


def part_chars(engine: LocalEngine, corpus: Corpus, page: I64, first_block: I64, last_block: I64,
               parts: Spans) -> tuple[I64, I64]:
    """Code points of the page's text before the start and the end of each part."""
    before = corpus.page_chars[of_parts(page, parts)]
    first, last = part_blocks(corpus, first_block, last_block, parts)

    def count(rows: slice) -> tuple[I64, I64]:
        blocks = corpus.start, corpus.end, corpus.start_chars, corpus.end_chars
        return (kernel.chars_at(corpus.text, *blocks, first[rows], parts.part_start[rows]),
                kernel.chars_at(corpus.text, *blocks, last[rows], parts.part_end[rows]))
    start, end = (of_large(np.concatenate(side) - before, len(corpus.text))
                  for side in zip(*engine.map(count, row_ranges(len(first))), strict=True))
    return start, end
