"""Where the places of a report are for other programs: paths relative to a root, and columns in the source file."""

from __future__ import annotations

import bisect
import os
import re
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from dedup.readers.decode import decode
from dedup.readers.remote import is_address

if TYPE_CHECKING:
    from dedup.model import Occurrence

REMEMBERED = 256  # files whose lines are remembered
LOOKED_INTO = 16_000_000  # bytes of a source file that is read again to know its columns
_LINE_END = re.compile(r"\r\n|\r|\n")
_KEPT = "/:?#[]@!$&'()*+,;=%~"  # of an address: it is encoded already, but for what may not stand in one at all


@dataclass(frozen=True, slots=True)
class Root:
    """The folder that paths are relative to.

    Attributes:
        folder: The folder, absolute.
        here: The folder that the paths of the report are relative to, absolute.
    """

    folder: Path
    here: Path

    @classmethod
    def of(cls, folder: Path | None) -> Root:
        """The folder itself; without one the repository around the current folder, else the current folder."""
        here = Path.cwd()
        if folder is not None:
            return cls(Path(os.path.abspath(folder)), here)
        return cls(next((above for above in (here, *here.parents) if (above / ".git").exists()), here), here)

    def relative(self, source: str) -> str | None:
        """A source's path relative to the root, with ``/``; ``None`` where it lies outside, or is an address."""
        if is_address(source):
            return None
        absolute = Path(os.path.normpath(self.here / source))
        for place, root in ((absolute, self.folder), (_real(absolute), _real(self.folder))):
            if place.is_relative_to(root) and place != root:
                return place.relative_to(root).as_posix()
        return None

    def uri(self, source: str) -> tuple[str, bool]:
        """A source's address: relative to the root where it lies inside, else absolute; and whether it lies inside."""
        inside = self.relative(source)
        if inside is not None:
            return encoded(inside), True
        if is_address(source):
            return quote(source.encode("utf-8", "surrogatepass"), safe=_KEPT), False
        path = Path(os.path.normpath(self.here / source)).as_posix()
        return "file://" + ("" if path.startswith("/") else "/") + encoded(path), False


def _real(path: Path) -> Path:
    """A path with its links followed; one that no file system can hold stays as it is."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:
        return path


def encoded(path: str) -> str:
    """A path as a URI has it, percent-encoded; its bytes are those of the file system.

    >>> encoded("a b/50%/ü:1.md")
    'a%20b/50%25/%C3%BC%3A1.md'
    """
    try:
        data = os.fsencode(path)
    except UnicodeEncodeError:
        data = path.encode("utf-8", "surrogatepass")
    return quote(data, safe="/")


@dataclass(frozen=True, slots=True)
class Region:
    """A place in a source file; columns and offset where they are known for sure.

    Attributes:
        line, end_line: First and last line, from 1.
        column, end_column: First column, and the one behind the last, from 1, in code points.
        offset, length: Code points of the decoded source.
    """

    line: int
    end_line: int
    column: int | None = None
    end_column: int | None = None
    offset: int | None = None
    length: int | None = None


class Sources:
    """The source files of one report, as they are now; each is read again once, a few are remembered."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[array[int], int]] = {}

    def region(self, occurrence: Occurrence, source: str) -> Region:
        """Where an occurrence stands in its file.

        Columns are looked up in the file; where its lines do not agree with the report (it was changed, it is packed, the
        place is a record's, ...), the lines alone are told.
        """
        lines = Region(max(occurrence.line, 1), max(occurrence.end_line, occurrence.line, 1))
        start, end = occurrence.source_start, occurrence.source_end
        if start is None or end is None or not occurrence.source_exact or end <= start or is_address(source):
            return lines
        first, size = self._lines(source)
        line, end_line = bisect.bisect_right(first, start), bisect.bisect_right(first, end - 1)
        if (line, end_line) != (lines.line, lines.end_line) or end > size:
            return lines
        return Region(line, end_line, start - first[line - 1] + 1, end - first[end_line - 1] + 1, start, end - start)

    def _lines(self, source: str) -> tuple[array[int], int]:
        """Where the lines of a file begin, and its length, in code points; of one that is not there one empty line."""
        if source not in self._known:
            text = _text(source)
            if len(self._known) >= REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[source] = array("q", [0, *(found.end() for found in _LINE_END.finditer(text))]), len(text)
        return self._known[source]


def _text(source: str) -> str:
    try:
        if not os.path.isfile(source) or os.path.getsize(source) > LOOKED_INTO:
            return ""
        return decode(Path(source).read_bytes())[0]
    except (OSError, ValueError):
        return ""


__all__ = ["Region", "Root", "Sources", "encoded"]
