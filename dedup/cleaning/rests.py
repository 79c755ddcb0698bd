"""What is left of pages after a round of cleaning, and where each stretch of it stood at first."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.cleaning.pieces import Gone
from dedup.model import Page

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a page.

    Attributes:
        number: The page's number in the scan.
        page: The page without what went.
        new, old: Where stretches that stayed begin, in its text and in the page's own, ascending; code points.
    """

    number: int
    page: Page
    new: Sequence[int] = (0,)
    old: Sequence[int] = (0,)

    def stretches(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """A place of what is left, divided where something went: start and end in it, and in the page's own text."""
        row = max(bisect_right(self.new, start) - 1, 0)
        while row < len(self.new) and self.new[row] < end:
            stop = self.new[row + 1] if row + 1 < len(self.new) else end
            first, last = max(start, self.new[row]), min(end, stop)
            if first < last:
                shift = self.old[row] - self.new[row]
                yield first, last, first + shift, last + shift
            row += 1


def stretches_that_stay(text: str, gone: Sequence[Gone], rest: str) -> tuple[list[int], list[int]] | None:
    """Where the stretches of a text that stayed begin: in what is left, and in the text.

    Letters and digits are followed: those that did not go are those of what is left, in order.

    Args:
        gone: What went, ascending and apart.

    Returns:
        ``None`` where `rest` is not what is left.

    >>> stretches_that_stay("One. Two - three.", [Gone(0, 4, 0), Gone(9, 11, 0)], "Two three.")
    ([0, 4], [5, 11])
    """
    stays = np.ones(len(text), bool)
    for start, end, _ in gone:
        stays[start:end] = False
    old, new = (_worded(part) for part in (text, rest))
    old = old[stays[old]]
    if len(old) != len(new) or not np.array_equal(_points(text)[old], _points(rest)[new]):
        return None
    if not len(new):
        return [0], [0]
    begins = np.flatnonzero(np.append(True, np.diff(old - new) != 0))
    starts, places = new[begins].tolist(), old[begins].tolist()
    for row, (a, b) in enumerate(zip(starts, places, strict=True)):  # with the marks right before the first letter
        low = int(new[begins[row] - 1]) + 1 if row else 0
        while a > low and b and stays[b - 1] and rest[a - 1] == text[b - 1] and not rest[a - 1].isspace():
            a, b = a - 1, b - 1
        starts[row], places[row] = a, b
    return starts, places


def _points(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _worded(text: str) -> I64:
    """The places of letters and digits."""
    return np.flatnonzero(np.fromiter(map(str.isalnum, text), bool, len(text)))


def without_stretches(start: int, end: int, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """A stretch without others, which are ascending."""
    for a, b in taken:
        if b > start and a < end:
            if start < a:
                yield start, a
            start = max(start, b)
    if start < end:
        yield start, end
