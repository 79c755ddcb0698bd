"""Plain twins of ``groups.hpp``: components that stay free of overlaps, groups that say no more than a longer one, and what
numbers of lists are the most frequent."""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]


def overlapping_nodes(component: I64, t0: I64, t1: I64) -> I64:
    """The nodes that begin before the one before them of the same component ends.

    Args:
        component: Of each node, the number of one.
        t0, t1: Tokens of each node, half-open and not negative; nodes ascend.
    """
    until, out = dict[int, int](), list[int]()
    for i, (c, begin, end) in enumerate(zip(component.tolist(), t0.tolist(), t1.tolist(), strict=True)):
        if begin < until.get(c, 0):
            out.append(i)
        until[c] = end
    return np.array(out, np.int64)


def merge_apart(t0: I64, t1: I64, component: I64, a: I64, b: I64, most: int) -> I64:
    """Components merged along links, in order, where that brings no overlap.

    Args:
        t0, t1: Tokens of each node, half-open; nodes ascend.
        component: Of each node, its least member. Nodes of one do not overlap.
        a, b: The links, by node.
        most: Nodes that a merged component may have.
    """
    own = np.flatnonzero(np.isin(component, component[np.concatenate([a, b])]))
    if (component[own] > own).any() or (component[component[own]] != component[own]).any():
        raise ValueError("component: it is that of no node before")
    members: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for c, begin, end in zip(component.tolist(), t0.tolist(), t1.tolist(), strict=True):
        members[c].append((begin, end))
    home, apart = {c: c for c in members}, set[tuple[int, int]]()

    def root(c: int) -> int:
        while home[c] != c:
            c = home[c]
        return c
    for x, y in zip(component[a].tolist(), component[b].tolist(), strict=True):
        low, high = sorted((root(x), root(y)))
        if low == high or (low, high) in apart or len(members[low]) + len(members[high]) > most:
            continue
        if overlap(*sorted((members[low], members[high]), key=len)):
            apart.add((low, high))
            continue
        home[high], members[low] = low, sorted(members[low] + members[high])
    return np.array([root(c) for c in component.tolist()], np.int64)


def overlap(few: list[tuple[int, int]], many: list[tuple[int, int]]) -> bool:
    """Whether a range of one list overlaps one of the other; the ranges of a list ascend and do not overlap."""
    for start, end in few:
        i = bisect.bisect_left(many, (start, start))
        if (i < len(many) and many[i][0] < end) or (i > 0 and many[i - 1][1] > start):
            return True
    return False


def implied_groups(first: I64, t0: I64, t1: I64, groups: I64, around: int, number: I64, place: I64, start: I64,
                   end: I64) -> U8:
    """Whether the places of some groups lie, each in another one, in the places of one other group of as many or more.

    They lie in step: all about as far from the start of those, or from their end, up to the length of the shortest one, or
    that by which what is left of those places differs. Of two groups with the same places the second one is implied. What
    a place leaves out does not lie in it, but where both leave it out.

    Args:
        first: First occurrence of each group, one longer than the groups; those of a group ascend.
        t0, t1: Tokens of each occurrence, half-open.
        groups: Which groups to ask about.
        around: Occurrences looked at, the last ones that begin before or with the group's first one.
        number: Of each occurrence, what gaps call it.
        place, start, end: Gaps: tokens that the occurrences of some numbers leave out, half-open. They ascend by number and
            token, and those of a number do not touch.
    """
    gaps = defaultdict[int, set[int]](set)
    for n, begin, until in zip(place.tolist(), start.tolist(), end.tolist(), strict=True):
        gaps[n].update(range(begin, until))
    owner, order = np.repeat(np.arange(len(first) - 1), np.diff(first)), np.argsort(t0, kind="stable")
    begins = t0[order]

    def covers(outer: int, inner: int) -> bool:
        of_outer, of_inner = (slice(first[g], first[g + 1]) for g in (outer, inner))
        at = np.searchsorted(t0[of_outer], t0[of_inner], side="right") - 1
        before, rest = t0[of_inner] - t0[of_outer][at], t1[of_outer][at] - t1[of_inner]
        if (at < 0).any() or (rest < 0).any() or len(np.unique(at)) < len(at):
            return False
        for x, y, begin, until in zip(number[of_outer][at].tolist(), number[of_inner].tolist(), t0[of_inner].tolist(),
                                      t1[of_inner].tolist(), strict=True):
            if (gaps[x] - gaps[y]) & set(range(begin, until)):
                return False
        slack = max(np.min(t1[of_inner] - t0[of_inner]), np.ptp(before + rest))
        in_step = np.ptp(before) <= slack or np.ptp(rest) <= slack
        larger = outer < inner or len(t0[of_outer]) > len(at) or bool((before + rest).any())
        return bool(in_step) and larger
    implied = []
    for g in groups.tolist():
        row, count = first[g], first[g + 1] - first[g]
        last = int(np.searchsorted(begins, t0[row], side="right"))
        others = [owner[i] for i in order[max(0, last - around):last] if t1[i] >= t1[row] and owner[i] != g]
        implied.append(any(first[h + 1] - first[h] >= count and covers(h, g) for h in others))
    return np.array(implied, np.uint8)


def heaviest(number: I64, start: I64, end: I64, weight: I64, first: I64, but: I64, top: int) -> tuple[I64, I64]:
    """How many different numbers each list holds, and the `top` heaviest of them, of equally heavy ones the lesser.

    Args:
        number: The numbers.
        start, end: Ranges of them, half-open.
        weight: What each number of a range weighs, 1 or more.
        first: First range of each list, one longer than the lists.
        but: Of each list, a number that does not count.

    Returns:
        Counts, and the heaviest ones of list i from ``i * top``, -1 where there are fewer.
    """
    count, most = list[int](), list[int]()
    for i, left_out in enumerate(but.tolist()):
        heavy = Counter[int]()
        for r in range(first[i], first[i + 1]):
            for n in number[start[r]:end[r]].tolist():
                heavy[n] += int(weight[r])
        del heavy[left_out]
        count.append(len(heavy))
        most += [*sorted(heavy, key=lambda n: (-heavy[n], n)), *[-1] * top][:top]
    return np.array(count, np.int64), np.array(most, np.int64)
