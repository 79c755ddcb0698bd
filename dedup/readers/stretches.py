"""Blocks made of stretches of their source: what is markup between them is left out. Runs in worker processes.

The readers of reStructuredText and AsciiDoc find, line by line, which stretches of the source are a block's text; so every
code point of the text knows its place, and nothing is ever searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dedup.readers import parsed as kinds
from dedup.readers.hints import CODE, QUOTE, TABLE_OR_CODE
from dedup.readers.parsed import PageBuilder, PageLimitError
from dedup.readers.sourcemap import collapse, compose

Stretch = tuple[int, int]  # half-open, in the normalised source
NESTED = 4  # kinds of markup in one another
MAX_BLOCKS = 1_000_000
AS_CODE = TABLE_OR_CODE | CODE


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a source.

    Attributes:
        start, end: Where it is, without its line end.
        indent: Blanks before its text; tabs reach to the next multiple of eight.
        text: The line without blanks at its ends; empty for a blank line.
    """

    start: int
    end: int
    indent: int
    text: str

    @property
    def at(self) -> int:
        """Where its text begins."""
        return self.end - len(self.text) if self.text else self.end

    def column(self, column: int) -> int:
        """The offset of a column, or of its text where that begins later, or of its end."""
        return min(max(self.start + column, self.start), self.end)


def lines_of(source: str) -> list[Line]:
    """The lines of a normalised source; blanks at the end of a line are no part of it."""
    lines = []
    start = 0
    for raw in source.split("\n"):
        kept = raw.rstrip(" \t\f\v\xa0")
        text = kept.lstrip(" \t\f\v\xa0")
        blanks = kept[:len(kept) - len(text)]
        lines.append(Line(start, start + len(kept), len(blanks.expandtabs(8)), text))
        start += len(raw) + 1
    return lines


class Blocks:
    """Adds blocks to a page.

    Args:
        source: The normalised source.
        inline: What is markup inside text: of each match the groups that matched are text, the rest is left out. The text of
            group 1 is literal; in that of the others markup is looked for again.
    """

    def __init__(self, source: str, builder: PageBuilder, inline: re.Pattern[str]) -> None:
        self.source, self.builder, self._inline = source, builder, inline
        self.heading: str | None = None
        self._count = 0

    def text(self, stretches: Sequence[Stretch], kind: int, flags: int = 0) -> None:
        """Add a block of text, with inline markup left out.

        Raises:
            PageLimitError: The page has too many blocks.
        """
        text = self._add(_without_markup(self.source, stretches, self._inline), kind, flags, False)
        if kind == kinds.HEADING and text and self.heading is None:
            self.heading = text

    def code(self, stretches: Sequence[Stretch], flags: int = 0) -> None:
        """Add a block of code, as it stands."""
        self._add(stretches, kinds.CODE, flags | AS_CODE, True)

    def _add(self, stretches: Sequence[Stretch], kind: int, flags: int, keep_blanks: bool) -> str:
        raw = "".join(self.source[a:b] for a, b in stretches)
        text, points = collapse(raw, keep_blanks)
        if not text:
            return ""
        self._count += 1
        if self._count > MAX_BLOCKS:
            raise PageLimitError(f"more than {MAX_BLOCKS:,} blocks")
        raw_offsets, source_offsets, size = [], [], 0
        for a, b in stretches:
            if a < b:
                raw_offsets.append(size)
                source_offsets.append(a)
                size += b - a
        raw_offsets.append(size)
        source_offsets.append(stretches[-1][1])
        places, end = compose(len(text), points, raw_offsets, source_offsets)
        self.builder.add(text, (places[0][1], end), places, kind=kind, flags=flags, link_chars=0, path="")
        return text


def _without_markup(source: str, stretches: Sequence[Stretch], inline: re.Pattern[str]) -> Sequence[Stretch]:
    """The stretches without inline markup; the same object's value where there is none."""
    raw = "".join(source[a:b] for a, b in stretches)
    kept = list(_outside_markup(raw, 0, len(raw), inline, 0))
    if len(kept) == 1:
        return stretches
    out: list[Stretch] = []
    row, before = 0, 0
    for a, b in kept:
        while a < b:
            start, end = stretches[row]
            if before + end - start <= a:
                before += end - start
                row += 1
                continue
            stop = min(b, before + end - start)
            out.append((start + a - before, start + stop - before))
            a = stop
    return out


def _outside_markup(raw: str, at: int, stop: int, inline: re.Pattern[str], depth: int) -> Iterator[Stretch]:
    """The stretches of a text that are no markup."""
    for found in inline.finditer(raw, at, stop):
        yield at, found.start()
        for group in range(1, inline.groups + 1):
            if found.start(group) >= 0:
                if group == 1 or depth >= NESTED:
                    yield found.span(group)
                else:
                    yield from _outside_markup(raw, *found.span(group), inline, depth + 1)
        at = found.end()
    yield at, stop


def joined(source: str, lines: Sequence[Line], first_at: int | None = None) -> list[Stretch]:
    """The text of some lines, each with its line feed but the last one.

    Args:
        first_at: Where the text of the first line begins, if not at its first letter.
    """
    out = [(line.at, line.end + 1) for line in lines if line.text]
    if not out:
        return []
    if first_at is not None and out[0][0] <= first_at:
        out[0] = (first_at, out[0][1])
    return _trimmed(source, out)


def dedented(lines: Sequence[Line], indent: int) -> list[Stretch]:
    """Lines of code without the indentation that all have; with their line feeds."""
    out = [(min(line.start + min(indent, line.indent), line.end), line.end + 1) for line in lines]
    while lines and out and not lines[len(out) - 1].text:
        out.pop()
    if out:
        out[-1] = (out[-1][0], out[-1][1] - 1)
    return [stretch for stretch in out if stretch[0] < stretch[1]]


def _trimmed(source: str, stretches: list[Stretch]) -> list[Stretch]:
    start, end = stretches[-1]
    stretches[-1] = (start, end - 1)
    return [stretch for stretch in stretches if stretch[0] < stretch[1]]


__all__ = ["AS_CODE", "QUOTE", "Blocks", "Line", "Stretch", "dedented", "joined", "lines_of"]
