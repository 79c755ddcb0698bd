"""Which groups are told beneath another one, because most of what they repeat is repeated there too."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
MOST_OVERLAPS = 4096  # places behind a place, by their begin, that are looked at: no page of prose comes near


def part_of(begin: I64, end: I64, owner: I64, wasted: I64) -> I64:
    """The group beneath which each group is told.

    A group is part of another one that wastes more (of two that waste as much: of the earlier one) where at least half of
    its places lie, by half of their tokens or more, in places of that one. Of several such groups the one that wastes most
    leads; what is part of a part is part of the group that leads both.

    Args:
        begin, end: Tokens of each place, from the first page to the last; shape (places,).
        owner: Group of each place, ascending; shape (places,).
        wasted: What each group wastes; shape (groups,).

    Returns:
        Number of the group that leads each group, -1 where none does; shape (groups,).

    >>> place = np.array([[0, 90], [100, 190], [5, 60], [105, 160], [200, 255]])
    >>> part_of(place[:, 0], place[:, 1], np.array([0, 0, 1, 1, 1]), np.array([90, 55])).tolist()
    [-1, 0]
    """
    count = len(wasted)
    rank = np.empty(count, np.int64)
    rank[np.argsort(-wasted, kind="stable")] = np.arange(count)
    place, leader = _covered(begin, end, rank[owner])
    found = np.unique(np.stack([place, leader], axis=1), axis=0)  # two places of a leader may touch one place
    pairs, times = np.unique(np.stack([owner[found[:, 0]], found[:, 1]], axis=1), axis=0, return_counts=True)
    enough = 2 * times >= np.bincount(owner, minlength=count)[pairs[:, 0]]
    best = np.full(count, count)
    np.minimum.at(best, pairs[enough, 0], pairs[enough, 1])
    by_rank = np.argsort(rank)
    parent = np.where(best < count, by_rank[np.minimum(best, count - 1)], np.arange(count)) if count else best
    while not np.array_equal(parent, parent[parent]):  # a leader's rank is lower: there are no circles
        parent = parent[parent]
    return np.where(parent == np.arange(count), -1, parent)


def _covered(begin: I64, end: I64, rank: I64) -> tuple[I64, I64]:
    """Places that lie by half in a place of a group of lower rank, and that rank."""
    order = np.lexsort((end, begin))
    begin, end, rank = begin[order], end[order], rank[order]
    places, leaders = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    first = np.arange(len(order))
    for ahead in range(1, MOST_OVERLAPS):
        first = first[first + ahead < len(order)]
        first = first[begin[first + ahead] < end[first]]  # they ascend: what does not overlap now never will
        if not len(first):
            break
        second = first + ahead
        shared = np.minimum(end[first], end[second]) - begin[second]
        first_leads = rank[first] < rank[second]
        inner, outer = np.where(first_leads, second, first), np.where(first_leads, first, second)
        most = (2 * shared >= end[inner] - begin[inner]) & (rank[first] != rank[second])
        places.append(order[inner[most]])
        leaders.append(rank[outer[most]])
    return np.concatenate(places), np.concatenate(leaders)
