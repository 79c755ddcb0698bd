"""Copies that follow each other at once: many of them are shown as one stretch, with their number.

Only what people read is folded. Groups keep a row for each copy, so what is judged and cleaned stays as it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.blocks import widths
from dedup.groups import KINDS, Groups

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

AT_ONCE = 8  # copies that follow the first one at once and are shown one by one; more are one stretch


class Shown(Struct, frozen=True):
    """The places of groups as they are shown; those of group g are ``first[g]`` to ``first[g + 1]``.

    Attributes:
        first: One longer than the groups.
        row: Occurrence in the table with which each place begins.
        copies: Occurrences in it, one right after the other.
    """

    first: I64
    row: I64
    copies: I64

    @property
    def inner(self) -> I64:
        """Occurrences that the next one follows in the same place."""
        goes_on = np.ones(int(self.copies.sum()), bool)
        goes_on[self.row + self.copies - 1] = False
        return np.flatnonzero(goes_on)


def shown_places(table: Groups) -> Shown:
    """More than ``AT_ONCE`` occurrences of equal text that follow another one at once become one place.

    The first copy of all that follow each other, and the representative, stay places of their own.
    """
    owner, t0, t1 = table.owner, table.ranges.t0, table.ranges.t1
    alone = np.ones(len(owner), bool)  # begins a place
    if len(owner):
        whole = (widths(table.parts.first) == 1) & (table.kind != KINDS.index("near"))[owner]
        follows = np.zeros(len(owner), bool)
        follows[1:] = (owner[1:] == owner[:-1]) & (table.page[1:] == table.page[:-1]) & (t0[1:] == t1[:-1])
        follows &= whole
        lead = np.zeros(len(owner), bool)
        lead[table.representative] = True
        alone[1:] = ~(follows[1:] & follows[:-1]) | lead[1:] | lead[:-1]
        sizes = widths(np.append(np.flatnonzero(alone), len(owner)))
        alone |= np.repeat(sizes <= AT_ONCE, sizes)
    row = np.flatnonzero(alone)
    return Shown(np.searchsorted(row, table.first), row, widths(np.append(row, len(owner))))


def period_of(tokens: U64) -> int:
    """Tokens of the shortest text of which a text is made, as often as it takes; all of them where it is made of no other.

    >>> period_of(np.array([1, 2, 1, 2, 1, 2], np.uint64)), period_of(np.array([1, 2, 1], np.uint64))
    (2, 3)
    """
    count = len(tokens)
    for period in range(1, count // 2 + 1):
        if count % period == 0 and bool((tokens[period:] == tokens[:-period]).all()):
            return period
    return count
