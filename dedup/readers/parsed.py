"""What the parsers of HTML and Markdown hand over: a page's text and its blocks as columns.

Runs in the worker: no NumPy, nothing heavy.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from dedup.readers.sourcemap import LineEnds, Points

PARAGRAPH, HEADING, LIST_ITEM, CELL, CAPTION, CODE, LINE, FRONT_MATTER = range(8)  # of `dedup.model.BlockKind`
COLUMNS = ("start", "end", "source_start", "source_end", "line", "end_line", "kind", "flags", "link_chars",
           "map_first", "map_text", "map_source", "element", "parent", "feed")


class PageLimitError(Exception):
    """The page meets a limit and is skipped; the message says which."""


class PageDamageError(PageLimitError):
    """The page is damaged and is skipped; the message says what is wrong, and where."""


@dataclass(slots=True)
class Parsed:
    """A page as its parser found it, packed for the way to the program.

    Attributes:
        packed: Its text, block texts joined by a line feed; DOM path of each block; each element that holds blocks, in one
            line; all in UTF-8 with lone surrogates let through, the latter two joined by a line feed.
        packed_columns: The columns of `dedup.model.Layout` in the order of ``COLUMNS``, int64.
        title: Its title, where it has one.
        encoding: How its bytes were decoded where that was a guess, else empty.
        source: What it was parsed from.
    """

    packed: tuple[bytes, bytes, bytes]
    packed_columns: list[bytes]
    title: str | None
    encoding: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        """Its text."""
        return unpack(self.packed[0])

    @property
    def paths(self) -> list[str]:
        """DOM path of each block."""
        return unpack(self.packed[1]).split("\n") if self.packed[1] else []

    @property
    def steps(self) -> list[str]:
        """Each element that holds blocks, in one line."""
        return unpack(self.packed[2]).split("\n") if self.packed[2] else []

    @property
    def columns(self) -> list[array[int]]:
        """The columns of `dedup.model.Layout`, in the order of ``COLUMNS``."""
        return [array("q", column) for column in self.packed_columns]


def pack(text: str) -> bytes:
    """A text in UTF-8, lone surrogates let through."""
    return text.encode("utf-8", "surrogatepass")


def unpack(data: bytes) -> str:
    """The text that `pack` was given."""
    return data.decode("utf-8", "surrogatepass")


@dataclass(slots=True)
class PageBuilder:
    """Collects blocks for a `Parsed`; places come in normalised offsets and leave as original ones.

    Attributes:
        paths: DOM paths of the blocks; a parser that knows them at the end only puts them here by then.
        size: Code points of page text so far.
    """

    ends: LineEnds
    texts: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    size: int = 0
    _rows: list[tuple[int, ...]] = field(default_factory=list)
    _map_text: list[int] = field(default_factory=list)
    _map_source: list[int] = field(default_factory=list)
    _elements: list[int] = field(default_factory=list)
    _parents: list[int] = field(default_factory=list)
    _columns: list[array[int]] = field(default_factory=list)

    def add(self, text: str, source: tuple[int, int], points: Points, *, kind: int, flags: int, link_chars: int,
            path: str | None = None, element: int = -1) -> None:
        """Add a block.

        Args:
            text: Its text, not empty.
            source: Where it stands in the normalised source, half-open.
            points: Points ``(offset in text, offset in normalised source)``; none where there is no exact map.
            path: Its DOM path, or ``None``: see ``paths``.
            element: Row of its element, in HTML.
        """
        size = len(text)
        start = self.size + 1 if self.texts else 0
        self._rows.append((start, start + size, *source, kind, flags, link_chars if link_chars < size else size,
                           len(self._map_text)))
        if element >= 0:
            self._elements.append(element)
        for at, place in self.ends.original_points(points, size) if self.ends.paired else points:
            self._map_text.append(start + at)
            self._map_source.append(place)
        self.texts.append(text)
        if path is not None:
            self.paths.append(path)
        self.size = start + size

    def add_element(self, parent: int, step: str) -> int:
        """Add an element, in document order, and give its row; `parent` is that of the one around it, or -1."""
        self._parents.append(parent)
        self.steps.append(step)
        return len(self.steps) - 1

    @property
    def columns(self) -> list[array[int]]:
        """The columns of all blocks added so far, in the order of ``COLUMNS``."""
        if not self._columns or len(self._columns[0]) != len(self._rows):
            start, end, first, last, *rest, map_first = zip(*self._rows, strict=True) if self._rows else ((),) * 8
            originals, lines = self.ends.originals, self.ends.lines
            ends_in = [behind - 1 if behind > before else before for before, behind in zip(first, last, strict=True)]
            line, end_line = lines(first), lines(ends_in)
            self._columns = [array("q", column) for column in (
                start, end, originals(first), originals(last), line, end_line, *rest,
                (*map_first, len(self._map_text)), self._map_text, self._map_source, self._elements, self._parents,
                self.ends.feeds(line, end_line))]
        return self._columns

    def build(self, title: str | None) -> Parsed:
        """The page of all blocks added."""
        return Parsed((pack("\n".join(self.texts)), pack("\n".join(self.paths)), pack("\n".join(self.steps))),
                      [column.tobytes() for column in self.columns], title)
