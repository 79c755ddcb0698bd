"""What the parsers of HTML and Markdown hand over: a page's text and its blocks as columns.

Runs in the worker: no NumPy, nothing heavy.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from dedup.readers.sourcemap import LineEnds, Points

PARAGRAPH, HEADING, LIST_ITEM, CELL, CAPTION, CODE, LINE, FRONT_MATTER = range(8)  # of `dedup.model.BlockKind`
COLUMNS = ("start", "end", "source_start", "source_end", "line", "end_line", "kind", "flags", "link_chars",
           "map_first", "map_text", "map_source", "element", "parent")


class PageLimitError(Exception):
    """The page meets a limit and is skipped; the message says which."""


@dataclass(slots=True)
class Parsed:
    """A page as its parser found it.

    Attributes:
        text: Block texts joined by a line feed.
        title: Its title, where it has one.
        paths: DOM path of each block.
        steps: Each element that holds blocks, in one line.
        columns: The columns of `dedup.model.Layout`, in the order of ``COLUMNS``.
        encoding: How its bytes were decoded where that was a guess, else empty.
    """

    text: str
    title: str | None
    paths: list[str]
    steps: list[str]
    columns: list[array[int]]
    encoding: str = ""


@dataclass(slots=True)
class PageBuilder:
    """Collects blocks into the columns of a `Parsed`; places come in normalised offsets and leave as original ones."""

    ends: LineEnds
    texts: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    columns: list[array[int]] = field(default_factory=lambda: [array("q") for _ in COLUMNS])
    size: int = 0  # code points of page text so far

    def add(self, text: str, source: tuple[int, int], points: Points, *, kind: int, flags: int, link_chars: int,
            path: str, element: int = -1) -> None:
        """Add a block.

        Args:
            text: Its text, not empty.
            source: Where it stands in the normalised source, half-open.
            points: Points ``(offset in text, offset in normalised source)``; none where there is no exact map.
            element: Row of its element, in HTML.
        """
        ends, columns = self.ends, self.columns
        start = self.size + 1 if self.texts else 0
        first, last = source
        row = (start, start + len(text), ends.original(first), ends.original(last), ends.line(first),
               ends.line(max(first, last - 1)), kind, flags, min(link_chars, len(text)), len(columns[10]))
        for column, value in zip(columns, row, strict=False):
            column.append(value)
        if element >= 0:
            columns[12].append(element)
        for at, place in ends.original_points(points, len(text)):
            columns[10].append(start + at)
            columns[11].append(place)
        self.texts.append(text)
        self.paths.append(path)
        self.size = start + len(text)

    def add_element(self, parent: int, step: str) -> int:
        """Add an element, in document order, and give its row; `parent` is that of the one around it, or -1."""
        self.columns[13].append(parent)
        self.steps.append(step)
        return len(self.steps) - 1

    def build(self, title: str | None) -> Parsed:
        """The page of all blocks added."""
        self.columns[9].append(len(self.columns[10]))
        return Parsed("\n".join(self.texts), title, self.paths, self.steps, self.columns)
