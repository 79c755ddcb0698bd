"""Which pages stay where each stands once: the first of equal ones, in the one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from dedup.groups import Groups
    from dedup.page_pairs import PagePairs

I64 = npt.NDArray[np.int64]
Pairs = tuple[I64, I64]  # pages, and for each a later one that is a copy of it


def kept_pages(original: I64, copy: I64, pages: int) -> I64:
    """The page that stays for each page: -1 where it stays itself.

    A page goes only where a page that stays holds its text: of three of which each is like the next only, the first and the
    third stay. Where several hold it, the first one counts.

    Args:
        original, copy: Pairs of pages, in any order; each `original` stands before its `copy`.

    >>> kept_pages(np.array([0, 1, 0]), np.array([1, 2, 3]), 5).tolist()
    [-1, 0, -1, 0, -1]
    """
    kept = np.full(pages, -1, np.int64)
    order = np.lexsort((original, copy))
    for first, later in zip(original[order].tolist(), copy[order].tolist(), strict=True):
        if kept[first] < 0 and kept[later] < 0:
            kept[later] = first
    return kept


def copies_in_groups(groups: Groups, counted: PagePairs) -> Pairs:
    """Pairs (first page, later page) of groups whose occurrences are whole pages: each with the representative.

    Args:
        counted: Which pairs of pages count.
    """
    leader, row = groups.representative[groups.owner] if len(groups) else groups.owner, np.arange(len(groups.page))
    other = np.flatnonzero((leader != row) & counted.allows(groups.page[leader], groups.page))
    return groups.page[np.minimum(leader, row)[other]], groups.page[np.maximum(leader, row)[other]]


def pairs_of(members: Iterable[Sequence[int]], counted: PagePairs) -> Pairs:
    """Pairs (earlier page, later page) of groups of pages, each in order: each with the first that it may pair with.

    Args:
        counted: Which pairs of pages count.
    """
    rows = np.array([(number, page) for number, pages in enumerate(members) for page in pages], np.int64).reshape(-1, 2)
    owner, page = rows[:, 0].copy(), rows[:, 1].copy()
    partner = counted.partners(owner, page)
    paired = np.flatnonzero((partner >= 0) & (partner != np.arange(len(partner))))
    one, other = page[paired], page[partner[paired]]
    return np.minimum(one, other), np.maximum(one, other)


def no_pairs() -> Pairs:
    """None."""
    return np.empty(0, np.int64), np.empty(0, np.int64)


def both(some: Pairs, others: Pairs) -> Pairs:
    """Pairs of two kinds together."""
    return np.concatenate([some[0], others[0]]), np.concatenate([some[1], others[1]])
