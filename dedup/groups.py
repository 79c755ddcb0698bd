"""Stage 8, second half: verified links become groups.

Components over verified links only; then each member is checked against the group's representative (``representatives.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from dedup.blocks import Corpus, distinct_numbers, in_order, is_among, owners, sums, widths
from dedup.engines.local import LocalEngine
from dedup.filed import columns_of_large, of_large
from dedup.kernel import kernel
from dedup.model import Kind
from dedup.page_pairs import PagePairs
from dedup.places import Ranges, TokenRanges, locate, page_of, row_ranges
from dedup.representatives import Members, led, with_left_alone
from dedup.runs import Passages
from dedup.seeds import Repeats
from dedup.verify import Spans, span_digests

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LOOK_AROUND = 64  # places before one that may hold it
MAX_MERGED = 1000  # members of a component that near links may join where some overlap
STRETCH, NEAR = 25, 16  # bits of a place: of a stretch that is compared with all others, and of what lies together
KINDS: tuple[Kind, ...] = ("exact", "near", "contained")


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups as columns; occurrences of group g are ``first[g]`` to ``first[g + 1]``, in the one order.

    Attributes:
        first: One longer than the groups.
        lead: Of each group, which of its occurrences is the representative.
        kind: Index into ``KINDS``, one a group.
        family: Groups of one family were split by the representative rule, one number a group.
        linked: Whether a passage links some of the members; else they come from a segment of many places.
        cut: A place of its text was left out, for it overlaps the others and holds some tokens that they do not.
        ranges, page: Of each occurrence: tokens and blocks; page.
        jaccard, containment: Of each occurrence against the representative.
        parts: The matched stretches (bytes) of each occurrence; one, the whole, where nothing was left out.
    """

    first: I64
    lead: I64
    kind: npt.NDArray[np.int8]
    family: I64
    linked: Flags
    cut: Flags
    ranges: TokenRanges
    page: I64
    jaccard: F64
    containment: F64
    parts: Spans

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, kept: Flags) -> Groups:
        """Some of the groups."""
        rows = kept[self.owner]
        return replace(
            self, first=sums(widths(self.first)[kept]), lead=self.lead[kept], kind=self.kind[kept], family=self.family[kept],
            linked=self.linked[kept], cut=self.cut[kept], ranges=self.ranges.take(rows), page=self.page[rows],
            jaccard=self.jaccard[rows], containment=self.containment[rows], parts=self.parts.take(np.flatnonzero(rows)))

    def only(self, rows: Flags, equal: Flags) -> Groups:
        """Some of the occurrences, all representatives among them; groups of one are left out.

        Args:
            equal: Whether each occurrence has the text of the representative: groups of such ones are no near copies.
        """
        count = np.bincount(self.owner[rows], minlength=len(self))
        unequal = np.bincount(self.owner[rows & ~equal], minlength=len(self))
        kind = np.where((self.kind == KINDS.index("near")) & (unequal == 0), KINDS.index("exact"), self.kind).astype(np.int8)
        before: I64 = np.cumsum(rows) - rows
        whole = replace(self, lead=before[self.representative] - before[self.first[:-1]], kind=kind).take(count > 1)
        rows = rows[(count > 1)[self.owner]]
        return replace(whole, first=sums(count[count > 1]), ranges=whole.ranges.take(rows), page=whole.page[rows],
                       jaccard=whole.jaccard[rows], containment=whole.containment[rows],
                       parts=whole.parts.take(np.flatnonzero(rows)))

    @property
    def owner(self) -> I64:
        """Group of each occurrence."""
        return owners(self.first)

    @property
    def representative(self) -> I64:
        """Row of each group's representative."""
        return self.first[:-1] + self.lead


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Distinct places, and the links between them by row."""

    t0: I64
    t1: I64
    a: I64
    b: I64
    exact: Flags
    passage: I64  # the passage of most parts that touches the node, the first of several; -1 for none
    side: I64  # 0: as its a, 1: as its b


def no_groups() -> Groups:
    """The groups of pages that share nothing."""
    none, flags, figures = np.empty(0, np.int64), np.empty(0, bool), np.empty(0, np.float64)
    first, ranges = np.zeros(1, np.int64), TokenRanges(none, none, none, none)
    return Groups(first, none, np.empty(0, np.int8), none, flags, flags, ranges, none, figures, figures,
                  Spans(none, none, first))


def group_passages(engine: LocalEngine, corpus: Corpus, passages: Passages, repeats: list[Repeats], pairs: PagePairs,
                   threshold: float, size: int) -> Groups:
    """Groups of the places that passages and repeats link.

    Args:
        pairs: Which pairs of pages count: each member of a group makes one that does.
        repeats: Segments of many places (of which the matches are in `passages` already), or none. The list is empty
            afterwards.
        threshold: Least Jaccard similarity of a near member that has no direct link to the representative.
        size: Tokens in a shingle.
    """
    nodes = _nodes(corpus, passages, repeats.pop() if repeats else None, pairs)
    component, cut, nodes = _apart(corpus, _components(engine, corpus, nodes), nodes)
    order = in_order(component)  # nodes ascend by place already
    order = order[:len(order) - int((component < 0).sum())]  # those that go have the greatest number, read as unsigned
    component, passage = component[order], nodes.passage[order]
    linking = engine.begin(partial(_linked, nodes, order))
    located = locate(engine, corpus, nodes.t0, nodes.t1).take(order, engine)
    text_bytes = len(corpus.text)
    spans = columns_of_large(_parts(engine, corpus, passages, passage, nodes.side[order], component, located), text_bytes)
    ranges = columns_of_large(located.tokens, text_bytes)
    linked, in_passage = linking.result(), passage >= 0
    del linking, located, nodes, order, passage  # columns are as long as there are places: hold none that is not needed
    engine.settle()
    digest = _compared(engine, corpus, component, spans)
    page = corpus.block_page[ranges.first_block] if not pairs.every else np.empty(0, np.int64)
    late = pairs.side[page] > 0 if pairs.side is not None else np.zeros(len(component), bool)
    members, times = led(engine, corpus, component, spans, digest, linked, late, threshold, size)
    members = with_left_alone(engine, corpus, members, linked, times, page, pairs, late, spans, size)
    del linked, times
    engine.settle()
    order, first = _groups_in_order(ranges, members)
    said = is_among(component, cut)  # a group that left something out stays, and says so
    order, first = _without_implied(ranges, members.row[order], order, first, said)
    return _table(engine, corpus, ranges, members, order, first, component, cut, spans, digest, in_passage)


def _nodes(corpus: Corpus, passages: Passages, repeats: Repeats | None, pairs: PagePairs) -> _Nodes:
    """Places and links. Those of a segment are linked to its first one, and to the first one with which they may pair."""
    whole, count = passages.whole, len(passages.whole.a0)
    position = repeats.position if repeats is not None else np.empty(0, np.int64)
    of_position = np.repeat(repeats.lengths, widths(repeats.first)) if repeats is not None else position
    length = np.concatenate([whole.a1 - whole.a0, whole.b1 - whole.b0, of_position])
    bits = int(length.max(initial=0)).bit_length()  # both are below 2^32
    key = np.concatenate([whole.a0, whole.b0, position])
    key <<= bits
    key |= length
    del length
    leader, node = kernel.distinct_keys(key.view(np.uint64))  # a passage's row where there is one
    place = key[leader]
    t0 = place >> bits
    place &= (1 << bits) - 1
    hot = node[2 * count:]
    star = np.repeat(hot[repeats.first[:-1]], widths(repeats.first)) if repeats is not None and len(hot) else hot
    if repeats is not None and len(hot) and not pairs.every:
        segment = owners(repeats.first)
        partner = pairs.partners(segment, page_of(corpus, position))
        star, hot = np.concatenate([star, hot[partner]]), np.concatenate([hot, hot])
    side = (leader >= count).astype(np.int64)
    passage = np.where(leader < 2 * count, leader - count * side, -1)
    _prefer_parts(widths(passages.first), node[:2 * count], passage, side)
    return _Nodes(t0, t0 + place, np.concatenate([node[:count], star]), np.concatenate([node[count:2 * count], hot]),
                  np.concatenate([whole.exact.astype(bool), np.ones(len(hot), bool)]), passage, side)


def _prefer_parts(parts: I64, node: I64, passage: I64, side: I64) -> None:
    """Give nodes that passages of several parts touch the one of most parts, in place.

    Two copies with the same teaser inside are one stretch beside each other, and two beside a copy that has none.

    Args:
        parts: Of each passage.
        node: Of each passage, its a; then its b.
    """
    several = np.flatnonzero(parts > 1)
    rows = np.concatenate([several, several + len(parts)])
    rows = rows[np.lexsort((rows % max(len(parts), 1), -np.tile(parts[several], 2), node[rows]))]
    rows = rows[np.append(True, node[rows][1:] != node[rows][:-1])[:len(rows)]]
    passage[node[rows]], side[node[rows]] = rows % max(len(parts), 1), rows // max(len(parts), 1)


def _components(engine: LocalEngine, corpus: Corpus, nodes: _Nodes) -> I64:
    """Component of each node, its least member.

    Where members of a component overlap, a passage and a part of it were linked to one text: there, links of equal
    texts are followed first, and a near link only where it brings no overlap, the shortest one first.
    """
    component: I64 = kernel.components(len(nodes.t0), nodes.a, nodes.b)
    overlapping = kernel.overlapping_nodes(component, nodes.t0, nodes.t1)
    near = np.flatnonzero(~nodes.exact)
    if not len(overlapping) or not len(near):
        return component
    bad = np.zeros(len(component), bool)
    bad[component[overlapping]] = True
    rows = near[bad[component[nodes.a[near]]]]
    keep = np.ones(len(nodes.a), bool)
    keep[rows] = False
    component = kernel.components(len(nodes.t0), nodes.a[keep], nodes.b[keep])
    rows = rows[_shortest_first(engine, corpus, nodes, rows)]
    return kernel.merge_apart(nodes.t0, nodes.t1, component, nodes.a[rows], nodes.b[rows], MAX_MERGED)


def _shortest_first(engine: LocalEngine, corpus: Corpus, nodes: _Nodes, rows: I64) -> I64:
    """Order of links by the length of their places, then by what the texts say: the same in any order of pages."""
    places, at = np.unique(np.concatenate([nodes.a[rows], nodes.b[rows]]), return_inverse=True)
    ranges = locate(engine, corpus, nodes.t0[places], nodes.t1[places])
    digest = span_digests(engine, corpus, Spans(ranges.start, ranges.end, np.arange(len(places) + 1)))
    length, (of_a, of_b) = ranges.t1 - ranges.t0, np.split(at, 2)
    order: I64 = np.lexsort((np.maximum(digest[of_a], digest[of_b]), np.minimum(digest[of_a], digest[of_b]),
                             length[of_a] + length[of_b]))
    return order


def _apart(corpus: Corpus, component: I64, nodes: _Nodes) -> tuple[I64, I64, _Nodes]:
    """The components without overlaps: of places that overlap the first one is kept.

    The others that hold a token which no kept place of the component holds make components of their own, so that nothing is
    lost. A single such place is linked to the first kept one on its page, and to no other: the order of pages has no say.

    Returns:
        Components, -1 of what is left out; those that had to leave out a place that holds more, for it has no other one on
        its page; the nodes with the links that there are now.
    """
    t0, t1 = nodes.t0, nodes.t1
    overlapping = kernel.overlapping_nodes(component, t0, t1)
    if not len(overlapping):
        return component, overlapping, nodes
    bad = np.zeros(len(component), bool)
    bad[component[overlapping]] = True
    rows = np.flatnonzero(bad[component])
    order = rows[in_order(component[rows])]  # nodes ascend by place already
    component, ordered, cut, singles = component.copy(), component[order], list[int](), list[tuple[int, int]]()
    for c in distinct_numbers(component[overlapping]):
        members = left = order[slice(*np.searchsorted(ordered, [c, c + 1]))]
        component[left] = -1
        held = np.empty(0, np.int64), np.empty(0, np.int64)  # what kept places hold: starts and ends, ascending, apart
        while len(left):
            kept = _first_come(t0[left], t1[left])
            row = int(left[0])
            if not len(held[0]) or int(kept.sum()) > 1:
                component[left[kept]] = row
            elif (beside := _beside(corpus, nodes, members[component[members] >= 0], row)) >= 0:
                component[row] = row
                singles.append((row, beside))
            else:
                cut.append(int(c))
            held = _united(np.concatenate([held[0], t0[left[kept]]]), np.concatenate([held[1], t1[left[kept]]]))
            left = left[~kept]
            around = np.searchsorted(held[0], t0[left], side="right") - 1
            left = left[(around < 0) | (held[1][around] < t1[left])]
    if not singles:
        return component, np.array(cut, np.int64), nodes
    one, other = np.array(singles, np.int64).T
    free = ~(np.isin(nodes.a, one) | np.isin(nodes.b, one))
    nodes = replace(nodes, a=np.append(nodes.a[free], one), b=np.append(nodes.b[free], other),
                    exact=np.append(nodes.exact[free], np.ones(len(one), bool)))
    return component, np.array(cut, np.int64), nodes


def _beside(corpus: Corpus, nodes: _Nodes, kept: I64, row: int) -> int:
    """The first of the kept nodes that is on the page of another one and does not overlap it; -1 where there is none."""
    apart = kept[(nodes.t1[kept] <= nodes.t0[row]) | (nodes.t0[kept] >= nodes.t1[row])]
    page = page_of(corpus, nodes.t0[np.append(apart, row)])
    same = apart[page[:-1] == page[-1]]
    return int(same[0]) if len(same) else -1


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
    new = np.flatnonzero(start[1:] > reached[:-1]) + 1
    return start[np.append(0, new)], reached[np.append(new - 1, len(start) - 1)]


def _parts(engine: LocalEngine, corpus: Corpus, passages: Passages, passage: I64, side: I64, component: I64,
           ranges: Ranges) -> Spans:
    """The matched stretches of each row, in step; the whole of it where those of the members of a component are not.

    They are where all members match as many tokens, or have as many stretches. In the first case each is cut where any
    other one is: one copy has a teaser inside, another one an advertisement.

    Args:
        passage, side: As in ``_Nodes``, by row.
        component: Of each row, ascending.
    """
    several = np.flatnonzero((passage >= 0) & np.append(widths(passages.first) > 1, False)[passage])
    if not len(several):
        return Spans(ranges.start, ranges.end, np.arange(len(passage) + 1))
    rows = np.flatnonzero(np.isin(component, component[several]))  # of few components: none but theirs are looked at
    leader = np.searchsorted(component[several], component[rows])  # the first one of several stretches in its component
    pieces = _pieces(passages, passage[rows], side[rows], ranges.t0[rows], ranges.t1[rows])
    number, matched = widths(pieces.first), pieces.tokens
    first_of = np.searchsorted(rows, several)[leader]
    as_long = _all_in(leader, matched == matched[first_of])
    alike = as_long | _all_in(leader, (number > 1) & (number == number[first_of]))
    rows, pieces = rows[alike], pieces.take(alike).cut(leader[alike], as_long[alike])
    counts = np.ones(len(passage), np.int64)
    counts[rows] = widths(pieces.first)
    start, end, first = np.repeat(ranges.start, counts), np.repeat(ranges.end, counts), sums(counts)
    inner = locate(engine, corpus, pieces.t0, pieces.t1)
    to = kernel.take_ranges(first, rows)[0]
    start[to], end[to] = inner.start, inner.end
    return Spans(start, end, first)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Stretches of tokens; those of row i are ``first[i]`` to ``first[i + 1]``."""

    t0: I64
    t1: I64
    first: I64

    @property
    def tokens(self) -> I64:
        """Tokens of each row."""
        return np.diff(sums(self.t1 - self.t0)[self.first])

    def take(self, rows: Flags) -> _Pieces:
        """Some of the rows."""
        piece, first = kernel.take_ranges(self.first, np.flatnonzero(rows))
        return _Pieces(self.t0[piece], self.t1[piece], first)

    def cut(self, owner: I64, together: Flags) -> _Pieces:
        """Rows of one owner, ascending, cut where any of them is, if they go together; they have as many tokens then."""
        row = owners(self.first)
        before = sums(self.t1 - self.t0)[:-1] - sums(self.t1 - self.t0)[self.first[:-1]][row]  # of its row's tokens
        own = np.where(together, owner, len(owner) + int(owner.max(initial=0)) + np.arange(len(owner)))
        far = int(self.tokens.max(initial=0)) + 1
        cuts = distinct_numbers(own[row] * far + before)
        begins = np.searchsorted(cuts, own * far)
        at, first = _ranges(begins, np.searchsorted(cuts, own * far + self.tokens))
        row = owners(first)
        place = cuts[at] % far
        piece = np.searchsorted(owners(self.first) * far + before, row * far + place, side="right") - 1
        t0 = self.t0[piece] + place - before[piece]
        end = np.append(place[1:], 0)
        end[first[1:] - 1] = self.tokens
        return _Pieces(t0, t0 + end - place, first)


def _ranges(start: I64, end: I64) -> tuple[I64, I64]:
    """The numbers of ranges one after the other, and where those of each begin, one longer."""
    first = sums(end - start)
    return np.arange(int(first[-1])) + np.repeat(start - first[:-1], widths(first)), first


def _pieces(passages: Passages, passage: I64, side: I64, t0: I64, t1: I64) -> _Pieces:
    """The parts of a passage on one side; the range itself where there is none, -1."""
    none = passage < 0
    part, first = kernel.take_ranges(passages.first, np.where(none, 0, passage)) if len(passages.whole.a0) else (
        np.empty(0, np.int64), np.zeros(len(passage) + 1, np.int64))
    second = np.repeat(side == 1, widths(first))
    starts, ends = (np.where(second, b[part], a[part]) for a, b in ((passages.parts.a0, passages.parts.b0),
                                                                  (passages.parts.a1, passages.parts.b1)))
    kept = ~np.repeat(none, widths(first))
    kept[first[:-1][none]] = True
    starts[first[:-1][none]], ends[first[:-1][none]] = t0[none], t1[none]
    return _Pieces(starts[kept], ends[kept], sums(np.where(none, 1, widths(first))))


def _all_in(owner: I64, holds: Flags) -> Flags:
    """Of each row, whether it holds for all rows of its owner."""
    all_hold: Flags = (np.bincount(owner, ~holds) == 0)[owner]
    return all_hold


def _compared(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans) -> U64:
    """A number of each row: rows of one component that have the same one were compared token by token and are equal."""
    new = np.ones(len(component), bool)
    new[1:] = component[1:] != component[:-1]
    leader = np.flatnonzero(new)[np.cumsum(new) - 1]
    same = _equal(engine, corpus, spans, np.arange(len(leader)), leader)
    number: U64 = component.astype(np.uint64)
    unlike = np.zeros(len(leader), bool)
    unlike[leader[~same]] = True
    rows = np.flatnonzero(unlike[leader])
    number[rows] = _told_apart(engine, corpus, component[rows], spans.take(rows))
    return number


def _told_apart(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans) -> U64:
    """The same for components whose rows are not all equal to their first one. Rows with unlike texts have unlike numbers."""
    digest = span_digests(engine, corpus, spans)
    while True:
        order = np.lexsort((digest, component))
        new = np.ones(len(order), bool)
        new[1:] = (component[order][1:] != component[order][:-1]) | (digest[order][1:] != digest[order][:-1])
        leader = np.empty(len(order), np.int64)
        leader[order] = order[new][np.cumsum(new) - 1] if len(order) else order
        different = ~_equal(engine, corpus, spans, np.arange(len(leader)), leader)
        if not different.any():
            return digest
        digest[different] += np.uint64(1)  # equal hashes of unlike texts: the others are compared with each other


def _equal(engine: LocalEngine, corpus: Corpus, spans: Spans, span: I64, other: I64) -> Flags:
    """Whether each span has the tokens of the other one, part by part."""
    order = _by_both_places(spans, span, other) if engine.is_bounded else np.arange(len(span))

    def compare(rows: slice) -> npt.NDArray[np.uint8]:
        some = order[rows]
        return kernel.equal_spans(corpus.text, spans.part_start, spans.part_end, spans.first, span[some], other[some],
                                  corpus.flags)
    same = np.empty(len(span), bool)
    same[order] = np.concatenate(engine.map(compare, row_ranges(len(span)))).view(bool)
    return same


def _by_both_places(spans: Spans, span: I64, other: I64) -> I64:
    """An order of pairs of spans in which text is looked at stretch by stretch, what it is compared with ascending."""
    x, y = (spans.part_start[spans.first[side]] for side in (span, other))
    return kernel.stable_order((x >> STRETCH << 32 | y >> NEAR).view(np.uint64))


def _linked(nodes: _Nodes, order: I64) -> tuple[I64, I64]:
    """The links between rows in order: the lesser row of each, and the other one."""
    row_of = np.full(len(nodes.t0), -1, np.int64)
    row_of[order] = np.arange(len(order))
    a, b = row_of[nodes.a], row_of[nodes.b]
    low, high = np.minimum(a, b), np.maximum(a, b)
    return (low, high) if len(order) == len(row_of) else (low[low >= 0], high[low >= 0])


def _groups_in_order(ranges: TokenRanges, members: Members) -> tuple[I64, I64]:
    """Members of groups of two or more, and the first one of each group: by first occurrence, longer ones first."""
    counts = np.bincount(members.group)
    several = np.flatnonzero(counts[members.group] > 1)
    by_group = several[in_order(members.group[several])]  # rows of a group ascend by place already
    counts = counts[counts > 1]
    first = sums(counts)
    lead = members.row[by_group[first[:-1]]]
    rank = np.lexsort((members.group[by_group[first[:-1]]], -ranges.t1[lead], ranges.t0[lead]))
    rows, first = kernel.take_ranges(first, rank)
    return by_group[rows], first


def _without_implied(ranges: TokenRanges, row: I64, order: I64, first: I64, stays: Flags) -> tuple[I64, I64]:
    """Without groups whose places lie in step, each in another one, in the places of one longer group.

    Passages take in the shorter ones between the same two places. What two members of a group have in common that are
    linked only to the representative says no more than the group does. A group that left something out (`cut`) says so.
    """
    asked = np.flatnonzero(~stays[row[first[:-1]]])
    kept, counts = np.ones(len(first) - 1, bool), widths(first)
    kept[asked] = kernel.implied_groups(first, ranges.t0[row], ranges.t1[row], asked, LOOK_AROUND) == 0
    return order[np.repeat(kept, counts)], sums(counts[kept])


def _table(engine: LocalEngine, corpus: Corpus, ranges: TokenRanges, members: Members, order: I64, first: I64, component: I64,
           cut: I64, spans: Spans, digest: U64, in_passage: Flags) -> Groups:
    """The columns of groups whose members are given in order."""
    kept, count = members.row[order], len(first) - 1
    number = np.repeat(np.arange(count), widths(first))
    parts = engine.begin(lambda: columns_of_large(spans.take(kept), len(corpus.text)))
    linked, near = np.zeros(count, bool), np.zeros(count, bool)
    linked[number[in_passage[kept]]] = True
    leader = members.leader[order]
    unlike = digest[kept] != digest[leader]
    across = np.flatnonzero(unlike & (component[kept] != component[leader]))  # there, digests say nothing of each other
    unlike[across] = ~_equal(engine, corpus, spans, kept[across], leader[across])
    near[number[unlike]] = True
    ranges = columns_of_large(ranges.take(kept, engine), len(corpus.text))
    kind = np.where(near, 1, np.where(_contained(corpus, ranges, number, count), 2, 0)).astype(np.int8)
    page = corpus.block_page[ranges.first_block]
    lead = np.flatnonzero(kept == leader) - first[:-1]
    family = component[kept[first[:-1]]]
    jaccard, containment = (of_large(column[order], len(corpus.text)) for column in (members.jaccard, members.containment))
    return Groups(first, lead, kind, family, linked, is_among(family, cut), ranges, of_large(page, len(corpus.text)),
                  jaccard, containment, parts.result())


def _contained(corpus: Corpus, ranges: TokenRanges, number: I64, count: int) -> Flags:
    """Groups with one member that is whole blocks and another one inside a longer block."""
    first, last = ranges.first_block, ranges.last_block
    whole = (corpus.token_first[first] == ranges.t0) & (corpus.token_first[last + 1] == ranges.t1)
    has_whole, has_inner = np.zeros(count, bool), np.zeros(count, bool)
    has_whole[number[whole]] = True
    has_inner[number[~whole & (first == last)]] = True
    return has_whole & has_inner
