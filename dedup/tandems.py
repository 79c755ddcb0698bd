"""Copies that follow each other at once: many of them are shown as one stretch, with their number.

Only what people read is folded. Groups keep a row for each copy, so what is judged and cleaned stays as it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import begins_new, rows_of, widths
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
        count = int(self.copies.sum())
        if count == len(self.row):
            return np.empty(0, np.int64)
        goes_on = np.ones(count, bool)
        goes_on[self.row + self.copies - 1] = False
        return np.flatnonzero(goes_on)


def shown_places(table: Groups) -> Shown:
    """More than ``AT_ONCE`` occurrences of equal text that follow another one at once become one place.

    The first copy of all that follow each other, and the representative, stay places of their own.
    """
    inner = _inner(table)
    count = int(table.first[-1])
    if not len(inner):
        return Shown(table.first, np.arange(count), np.ones(count, np.int64))
    alone = np.ones(count, bool)  # begins a place
    alone[inner] = False
    row = rows_of(alone)
    return Shown(np.searchsorted(row, table.first), row, widths(np.append(row, count)))


def _inner(table: Groups) -> I64:
    """Occurrences that are shown with the one before, ascending; they are few."""
    follows = _follows(table)
    inner = rows_of(follows[1:] & follows[:-1]) + 1
    if not len(inner):
        return inner
    lead = np.zeros(len(follows), bool)
    lead[table.representative] = True
    inner = inner[~(lead[inner] | lead[inner - 1])]
    runs = np.append(rows_of(begins_new(inner - np.arange(len(inner)))), len(inner))
    return inner[np.repeat(widths(runs) >= AT_ONCE, widths(runs))]  # and the one before


def _follows(table: Groups) -> npt.NDArray[np.bool_]:
    """Occurrences of equal text, whole, that follow another one of their group on its page at once."""
    t0, t1, parts = table.ranges.t0, table.ranges.t1, table.parts.first
    follows = np.zeros(len(t0), bool)
    rows = np.flatnonzero(t0[1:] == t1[:-1]) + 1  # few
    owner, before = (np.searchsorted(table.first, side, side="right") - 1 for side in (rows, rows - 1))
    follows[rows] = ((owner == before) & (table.page[rows] == table.page[rows - 1]) & (parts[rows + 1] - parts[rows] == 1)
                     & (table.kind[owner] != KINDS.index("near")))
    return follows


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
