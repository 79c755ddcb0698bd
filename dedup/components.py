"""Places that links name as nodes, and the components that these make: of the places of a component none overlap."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, owners, rows_of, sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.matched_parts import Pieces, pieces_of
from dedup.order import in_order, numbered
from dedup.page_pairs import PagePairs
from dedup.places import locate, page_of
from dedup.runs import Passages
from dedup.seeds import Repeats
from dedup.verify import Spans, span_digests

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

MAX_MERGED = 1000  # members of a component that near links may join where some overlap


class Nodes(Struct, frozen=True):
    """Distinct places, ascending, and the links between them by row. Of one range there are as many as it leaves out unlike
    stretches in passages.

    Attributes:
        leader: Of each node, what names it, a passage of one part or else the first: passage i as its a (i) or its b
            (passages + i), or a place of a segment.
    """

    t0: I64
    t1: I64
    a: I64
    b: I64
    exact: Flags
    leader: I64

    def unlink(self, some: Flags) -> I64:
        """Take away the links of some nodes, in place: each then links a node with itself. Returns which links these are."""
        touched = rows_of(some[self.a] | some[self.b])
        self.a[touched] = self.b[touched]
        return touched


class DistinctPlaces(Struct, frozen=True):
    """Distinct places, ascending; of one range there are as many as it leaves out unlike stretches in passages.

    Attributes:
        leader: As in ``Nodes``.
        row: Of the a of each passage, then of the b of each, then of each place of the segments: its place.
    """

    t0: I64
    t1: I64
    leader: I64
    row: I64


def distinct_places(passages: Passages, repeats: Repeats | None) -> DistinctPlaces:
    """The places of passages and segments."""
    whole = passages.whole
    position = repeats.position if repeats is not None else np.empty(0, np.int64)
    of_position = np.repeat(repeats.lengths, widths(repeats.first)) if repeats is not None else position
    length = np.concatenate([whole.a1 - whole.a0, whole.b1 - whole.b0, of_position])
    bits = int(length.max(initial=0)).bit_length()  # both are below 2^32
    key = np.concatenate([whole.a0, whole.b0, position])
    key <<= bits
    key |= length
    del length
    sides, way = _ways(passages, key)
    way_bits = min(int(way.max(initial=0)).bit_length(), 63 - int(key.max(initial=0)).bit_length())
    key <<= way_bits
    key[sides] |= np.minimum(way, (1 << way_bits) - 1)
    leader, row, distinct = numbered(key.view(np.uint64))  # a passage's row where there is one
    place = distinct.view(np.int64)
    place >>= way_bits
    t0 = place >> bits
    place &= (1 << bits) - 1
    return DistinctPlaces(t0, t0 + place, leader, row)


def joined(corpus: Corpus, passages: Passages, repeats: Repeats | None, pairs: PagePairs,
           places: DistinctPlaces) -> tuple[Nodes, I64, I64]:
    """Places with their links; component of each node, its least member; and the nodes that overlap another one of theirs.

    Places of a segment are linked to its first one, and to the first one with which they may pair.
    """
    count, node = len(passages.whole.a0), places.row
    hot = node[2 * count:]
    star = np.repeat(hot[repeats.first[:-1]], widths(repeats.first)) if repeats is not None and len(hot) else hot
    if repeats is not None and len(hot) and not pairs.every:
        segment = owners(repeats.first)
        partner = pairs.partners(segment, page_of(corpus, repeats.position))
        star, hot = np.concatenate([star, hot[partner]]), np.concatenate([hot, hot])
    _prefer_wholes(widths(passages.first), node[:2 * count], places.leader)
    nodes = Nodes(places.t0, places.t1, np.concatenate([node[:count], star]), np.concatenate([node[count:2 * count], hot]),
                  np.concatenate([passages.whole.exact.astype(bool), np.ones(len(hot), bool)]), places.leader)
    component = kernel.components(len(nodes.t0), nodes.a, nodes.b)
    return nodes, component, kernel.overlapping_nodes(component, nodes.t0, nodes.t1)


def _ways(passages: Passages, key: I64) -> tuple[I64, I64]:
    """Sides of passages (the a of each, then the b of each) that leave something out, and a number for what: 1 or more.

    Of one place those that leave out the same have the same number, whatever the order of the pages.

    Args:
        key: Of each side, its place.
    """
    several = rows_of(widths(passages.first) > 1)
    if not len(several):
        return several, several
    part, first = kernel.take_ranges(passages.first, several)
    followed = np.ones(len(part), bool)
    followed[first[1:] - 1] = False
    before, count, found = rows_of(followed), len(passages.whole.a0), list[tuple[I64, I64, I64]]()
    owner = several[owners(first)[before]]
    parts, whole = passages.parts, passages.whole
    for nth, (start, end, origin) in enumerate(((parts.a0, parts.a1, whole.a0), (parts.b0, parts.b1, whole.b0))):
        gap_start, gap_end = end[part[before]], start[part[before] + 1]
        some = gap_start < gap_end
        found.append((owner[some] + nth * count, (gap_start - origin[owner])[some], (gap_end - origin[owner])[some]))
    side, gap_start, gap_end = (np.concatenate(column) for column in zip(*found, strict=True))
    if not len(side):
        return side, side
    begins = rows_of(np.append(True, side[1:] != side[:-1]))
    flat = np.column_stack([gap_start, gap_end]).astype(np.uint64).reshape(-1)
    digest = kernel.range_digests(flat, 2 * np.append(begins, len(side)))
    tokens, side = np.add.reduceat(gap_end - gap_start, begins), side[begins]
    order = np.lexsort((digest, tokens, key[side]))
    place, digest = key[side][order], digest[order]
    new_place = np.append(True, place[1:] != place[:-1])
    new = np.cumsum(new_place | np.append(True, digest[1:] != digest[:-1]))
    return side[order], new - new[new_place][np.cumsum(new_place) - 1] + 1


def _prefer_wholes(parts: I64, node: I64, leader: I64) -> None:
    """Let a passage of one part name each node that it touches, not one of several, in place.

    Both touch only what leaves out nothing; it is cut where another member of its component is, and nowhere else.

    Args:
        parts: Of each passage.
        node: Of each passage, its a; then its b.
    """
    sides = rows_of(np.tile(parts > 1, 2))
    named = node[sides][leader[node[sides]] == sides]
    if len(named):
        several = np.zeros(len(leader), bool)
        several[named] = True
        whole = rows_of(np.tile(parts == 1, 2) & several[node])[::-1]
        leader[node[whole]] = whole  # the first one


def components_apart(engine: LocalEngine, corpus: Corpus, passages: Passages, nodes: Nodes, component: I64, overlapping: I64,
                     pairs: PagePairs) -> tuple[I64, I64]:
    """The components of nodes, of which none overlap, from those of ``joined``; links between components go from the nodes.

    Returns:
        Of each node, the first one of its component; the components that had to leave out a place that holds more.
    """
    component, overlapping = _components(engine, corpus, nodes, component, overlapping)
    cut = _apart(corpus, passages, component, overlapping, nodes, pairs)
    _alone(component, nodes)
    return component, cut


def _components(engine: LocalEngine, corpus: Corpus, nodes: Nodes, component: I64, overlapping: I64) -> tuple[I64, I64]:
    """Component of each node, its least member, and the nodes that overlap another one of theirs, from those of ``joined``.

    Where members of a component overlap, a passage and a part of it were linked to one text: there, links of equal
    texts are followed first, and a near link only where it brings no overlap, the shortest one first.
    """
    near = rows_of(~nodes.exact)
    if not len(overlapping) or not len(near):
        return component, overlapping
    bad = np.zeros(len(component), bool)
    bad[component[overlapping]] = True
    rows = near[bad[component[nodes.a[near]]]]
    keep = np.ones(len(nodes.a), bool)
    keep[rows] = False
    component = kernel.components(len(nodes.t0), nodes.a[keep], nodes.b[keep])
    rows = rows[_shortest_first(engine, corpus, nodes, rows)]
    component = kernel.merge_apart(nodes.t0, nodes.t1, component, nodes.a[rows], nodes.b[rows], MAX_MERGED)
    return component, kernel.overlapping_nodes(component, nodes.t0, nodes.t1)


def _shortest_first(engine: LocalEngine, corpus: Corpus, nodes: Nodes, rows: I64) -> I64:
    """Order of links by the length of their places, then by what the texts say: the same in any order of pages."""
    places, at = np.unique(np.concatenate([nodes.a[rows], nodes.b[rows]]), return_inverse=True)
    ranges = locate(engine, corpus, nodes.t0[places], nodes.t1[places])
    digest = span_digests(engine, corpus, Spans(ranges.start, ranges.end, np.arange(len(places) + 1)))
    length, (of_a, of_b) = ranges.t1 - ranges.t0, np.split(at, 2)
    order: I64 = np.lexsort((np.maximum(digest[of_a], digest[of_b]), np.minimum(digest[of_a], digest[of_b]),
                             length[of_a] + length[of_b]))
    return order


def _apart(corpus: Corpus, passages: Passages, component: I64, overlapping: I64, nodes: Nodes, pairs: PagePairs) -> I64:
    """Make components free of overlaps, in place: of places that overlap the first one is kept, what is left out gets -1.

    The others that hold a token which no kept place of the component holds make components of their own, so that nothing is
    lost. A single such place is linked to one kept place, and to no other: the order of pages has no say.

    Returns:
        The components that had to leave out a place that holds more: there is none with which it makes a pair that counts.
    """
    t0, t1 = nodes.t0, nodes.t1
    if not len(overlapping):
        return overlapping
    bad = np.zeros(len(component), bool)
    bad[component[overlapping]] = True
    rows = rows_of(bad[component])
    order = rows[in_order(component[rows])]  # nodes ascend by place already
    ordered, cut, singles = component[order], list[int](), list[tuple[int, int]]()
    pieces, digests = pieces_of(passages, nodes.leader[order], t0[order], t1[order]), cache(lambda: corpus.page_digest)
    for c in distinct_numbers(component[overlapping]):
        mine = np.arange(*np.searchsorted(ordered, [c, c + 1]))
        members = left = order[mine]
        component[left] = -1
        held = np.empty(0, np.int64), np.empty(0, np.int64)  # what kept places hold: starts and ends, ascending, apart
        while len(left):
            kept = _first_come(t0[left], t1[left])
            row = int(left[0])
            if not len(held[0]) or int(kept.sum()) > 1:
                component[left[kept]] = row
            elif (beside := _beside(corpus, nodes, members[component[members] >= 0], row, pairs, digests)) >= 0:
                component[row] = row
                singles.append((row, beside))
            else:
                cut.append(int(c))
            piece = kernel.take_ranges(pieces.first, mine[kept])[0]
            held = _united(np.concatenate([held[0], pieces.t0[piece]]), np.concatenate([held[1], pieces.t1[piece]]))
            left, mine = left[~kept], mine[~kept]
            more = _hold_more(pieces, mine, held)
            left, mine = left[more], mine[more]
    if singles:
        one, other = np.array(singles, np.int64).T
        alone = np.zeros(len(component), bool)
        alone[one] = True
        freed = nodes.unlink(alone)[:len(one)]  # each had a link of its own to the others of its component, at least
        nodes.a[freed], nodes.b[freed] = one, other
    return np.array(cut, np.int64)


def _hold_more(pieces: Pieces, rows: I64, held: tuple[I64, I64]) -> Flags:
    """Which rows of stretches hold a token that is not among the held ones: starts and ends, ascending, apart."""
    piece, first = kernel.take_ranges(pieces.first, rows)
    around = np.searchsorted(held[0], pieces.t0[piece], side="right") - 1
    outside = (around < 0) | (held[1][around] < pieces.t1[piece])
    more: Flags = np.diff(sums(outside)[first]) > 0
    return more


def _beside(corpus: Corpus, nodes: Nodes, kept: I64, row: int, pairs: PagePairs, digests: Callable[[], U64]) -> int:
    """The kept node beside which another one is shown: they make a pair that counts and do not overlap.

    It is the first one on the same page; where there is none, on the page whose text has the least digest. -1: there is none.

    Args:
        digests: Gives those of all pages.
    """
    apart = kept[(nodes.t1[kept] <= nodes.t0[row]) | (nodes.t0[kept] >= nodes.t1[row])]
    page = page_of(corpus, nodes.t0[np.append(apart, row)])
    counted = pairs.allows(page[:-1], np.full(len(apart), page[-1]))
    apart, others = apart[counted], page[:-1][counted]
    same = apart[others == page[-1]]
    if len(same) or not len(apart):
        return int(same[0]) if len(same) else -1
    return int(apart[digests()[others].argmin()])


def _first_come(t0: I64, t1: I64) -> Flags:
    """Places, ascending, that do not overlap an earlier kept one."""
    kept, reached = np.zeros(len(t0), bool), -1
    for i, (start, end) in enumerate(zip(t0.tolist(), t1.tolist(), strict=True)):
        if start >= reached:
            kept[i], reached = True, end
    return kept


def _united(start: I64, end: I64) -> tuple[I64, I64]:
    """Ranges, one at least, made one where they touch: starts and ends, ascending."""
    order = np.argsort(start, kind="stable")
    start, reached = start[order], np.maximum.accumulate(end[order])
    new = rows_of(start[1:] > reached[:-1]) + 1
    return start[np.append(0, new)], reached[np.append(new - 1, len(start) - 1)]


def _alone(component: I64, nodes: Nodes) -> None:
    """Let nodes that are in no component make one of their own, and have no links, in place."""
    alone = component < 0
    if alone.any():
        component[alone] = rows_of(alone)
        nodes.unlink(alone)
