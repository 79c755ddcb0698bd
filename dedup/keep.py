"""Which pages stay where each stands once: the first of equal ones, in the one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.columns import owners

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
    first, later = original[order], copy[order]
    may_go, open_ = np.zeros(pages, bool), np.zeros(pages, bool)
    may_go[later] = True
    open_[later[may_go[first]]] = True  # whether it goes depends on whether another one does
    plain = np.flatnonzero(~open_[later])[::-1]
    kept[later[plain]] = first[plain]  # the first one is written last
    rest = np.flatnonzero(open_[later])
    for one, other in zip(first[rest].tolist(), later[rest].tolist(), strict=True):
        if kept[one] < 0 and kept[other] < 0:
            kept[other] = one
    return kept


def copies_in_groups(groups: Groups, counted: PagePairs) -> Pairs:
    """Pairs (first page, later page) of groups whose occurrences are whole pages: each with the representative.

    Args:
        counted: Which pairs of pages count.
    """
    leader, row = groups.representative[groups.owner] if len(groups) else groups.owner, np.arange(len(groups.page))
    other = np.flatnonzero((leader != row) & counted.allows(groups.page[leader], groups.page))
    return groups.page[np.minimum(leader, row)[other]], groups.page[np.maximum(leader, row)[other]]


def pairs_of(page: I64, first: I64, counted: PagePairs) -> Pairs:
    """Pairs (earlier page, later page) of groups of pages, each in order: each with the first that it may pair with.

    Args:
        page, first: The pages, group after group, and where each group begins, one longer than the groups.
        counted: Which pairs of pages count.
    """
    partner = counted.partners(owners(first), page)
    paired = np.flatnonzero((partner >= 0) & (partner != np.arange(len(partner))))
    one, other = page[paired], page[partner[paired]]
    return np.minimum(one, other), np.maximum(one, other)


def no_pairs() -> Pairs:
    """None."""
    return np.empty(0, np.int64), np.empty(0, np.int64)


def both(some: Pairs, others: Pairs) -> Pairs:
    """Pairs of two kinds together."""
    return np.concatenate([some[0], others[0]]), np.concatenate([some[1], others[1]])
