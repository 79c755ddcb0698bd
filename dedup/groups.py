"""Stage 8, second half: verified links become groups.

Components over verified links only; then each member is checked against the group's representative, its first
occurrence. A member that fails starts a group of its own, and the two name each other, so nothing drifts.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dedup.blocks import BATCH_BYTES, Corpus, sums
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.model import Kind
from dedup.page_pairs import PagePairs
from dedup.places import Ranges, locate, page_of, row_ranges
from dedup.runs import Passages
from dedup.seeds import Repeats
from dedup.shingles import Sets
from dedup.verify import Spans, span_digests, span_overlaps, span_sets

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LOOK_AROUND = 64  # places before one that may hold it
MAX_MERGED = 1000  # members of a component that near links may join where some overlap
KINDS: tuple[Kind, ...] = ("exact", "near", "contained")


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups as columns; occurrences of group g are ``first[g]`` to ``first[g + 1]``, the first is its representative.

    Attributes:
        first: One longer than the groups.
        kind: Index into ``KINDS``, one a group.
        family: Groups of one family were split by the representative rule, one number a group.
        linked: Whether a passage links some of the members; else they come from a segment of many places.
        ranges, page: Of each occurrence: tokens, blocks and bytes; page.
        jaccard, containment: Of each occurrence against the representative.
        parts: The matched stretches (bytes) of each occurrence; one, the whole, where nothing was left out.
    """

    first: I64
    kind: npt.NDArray[np.int8]
    family: I64
    linked: Flags
    ranges: Ranges
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
            self, first=sums(np.diff(self.first)[kept]), kind=self.kind[kept], family=self.family[kept],
            linked=self.linked[kept], ranges=self.ranges.take(rows), page=self.page[rows], jaccard=self.jaccard[rows],
            containment=self.containment[rows], parts=self.parts.take(np.flatnonzero(rows)))

    @property
    def owner(self) -> I64:
        """Group of each occurrence."""
        return np.repeat(np.arange(len(self)), np.diff(self.first))


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Distinct places, and the links between them by row."""

    t0: I64
    t1: I64
    a: I64
    b: I64
    exact: Flags
    passage: I64  # first passage that touches the node, -1 for none
    side: I64  # 0: as its a, 1: as its b


def group_passages(engine: LocalEngine, corpus: Corpus, passages: Passages, repeats: Repeats | None, pairs: PagePairs,
                   threshold: float, size: int) -> Groups:
    """Groups of the places that passages and repeats link.

    Args:
        pairs: Which pairs of pages count: each member of a group makes one that does.
        repeats: Segments of many places (of which the matches are in `passages` already), or none.
        threshold: Least Jaccard similarity of a near member that has no direct link to the representative.
        size: Tokens in a shingle.
    """
    nodes = _nodes(corpus, passages, repeats, pairs)
    component = _components(nodes)
    order = _in_order(component)  # nodes ascend by place already
    order = order[_apart(component[order], nodes.t0[order], nodes.t1[order])]
    component, passage = component[order], nodes.passage[order]
    ranges = locate(engine, corpus, nodes.t0, nodes.t1).take(order)
    spans = _parts(engine, corpus, passages, passage, nodes.side[order], component, ranges)
    linked, in_passage = _linked(nodes, order), passage >= 0
    del nodes, order, passage  # the columns are as long as there are places: hold no more of them than are needed
    kernel.release_memory()
    digest = _compared(engine, corpus, component, spans)
    members = _led(engine, corpus, component, spans, digest, linked, threshold, size)
    page = corpus.block_page[ranges.first_block] if not pairs.every else np.empty(0, np.int64)
    members = _with_left_alone(engine, corpus, members, linked, page, pairs, spans, size)
    del linked
    kernel.release_memory()
    order, first = _groups_in_order(ranges, members)
    order, first = _without_implied(ranges, members.row[order], order, first, in_passage)
    return _table(corpus, ranges, members, order, first, component, spans, digest, in_passage)


def _in_order(number: I64) -> I64:
    """Rows in the order of their numbers, none of them negative; equal ones as they came."""
    return kernel.stable_order(number.view(np.uint64))


def _nodes(corpus: Corpus, passages: Passages, repeats: Repeats | None, pairs: PagePairs) -> _Nodes:
    """Places and links. Those of a segment are linked to its first one, and to the first one with which they may pair."""
    whole = passages.whole
    position = repeats.position if repeats is not None else np.empty(0, np.int64)
    of_position = np.repeat(repeats.lengths, np.diff(repeats.first)) if repeats is not None else position
    t0 = np.concatenate([whole.a0, whole.b0, position])
    t1 = np.concatenate([whole.a1, whole.b1, position + of_position])
    length = t1 - t0
    bits = int(length.max(initial=0)).bit_length()  # both are below 2^32
    leader, node = kernel.distinct_keys((t0 << bits | length).view(np.uint64))  # a passage's row where there is one
    count = len(whole.a0)
    hot = node[2 * count:]
    star = np.repeat(hot[repeats.first[:-1]], np.diff(repeats.first)) if repeats is not None and len(hot) else hot
    if repeats is not None and len(hot) and not pairs.every:
        segment = np.repeat(np.arange(len(repeats.lengths)), np.diff(repeats.first))
        partner = pairs.partners(segment, page_of(corpus, position))
        star, hot = np.concatenate([star, hot[partner]]), np.concatenate([hot, hot])
    return _Nodes(t0[leader], t1[leader], np.concatenate([node[:count], star]),
                  np.concatenate([node[count:2 * count], hot]),
                  np.concatenate([whole.exact.astype(bool), np.ones(len(hot), bool)]),
                  np.where(leader < 2 * count, leader % max(count, 1), -1), (leader >= count).astype(np.int64))


def _components(nodes: _Nodes) -> I64:
    """Component of each node: its least member.

    Where members of a component overlap, a passage and a part of it were linked to one text: there, links of equal
    texts are followed first, and a near link only where it brings no overlap.
    """
    component = kernel.components(len(nodes.t0), nodes.a, nodes.b)
    order = _in_order(component)  # nodes ascend by place already
    ordered, t0, t1 = component[order], nodes.t0[order], nodes.t1[order]
    overlapping = (ordered[1:] == ordered[:-1]) & (t0[1:] < t1[:-1])
    if not overlapping.any():
        return component
    bad = np.zeros(len(component), bool)
    bad[ordered[1:][overlapping]] = True
    mixed = bad[component[nodes.a]]
    keep = np.flatnonzero(~mixed | nodes.exact)
    component = kernel.components(len(nodes.t0), nodes.a[keep], nodes.b[keep])
    rows = np.flatnonzero(mixed & ~nodes.exact)
    joined: I64 = kernel.merge_apart(nodes.t0, nodes.t1, component, nodes.a[rows], nodes.b[rows], MAX_MERGED)
    return joined


def _apart(component: I64, t0: I64, t1: I64) -> Flags:
    """Rows, ascending by component and place, that do not overlap an earlier kept row of their component."""
    kept = np.ones(len(t0), bool)
    bad = np.flatnonzero((component[1:] == component[:-1]) & (t0[1:] < t1[:-1])) + 1
    for c in np.unique(component[bad]):
        begin, end = np.searchsorted(component, [c, c + 1])
        reached = -1
        for i in range(begin, end):
            kept[i] = t0[i] >= reached
            reached = t1[i] if kept[i] else reached
    return kept


def _parts(engine: LocalEngine, corpus: Corpus, passages: Passages, passage: I64, side: I64, component: I64,
           ranges: Ranges) -> Spans:
    """The matched stretches of each row; the whole of it where the members of a component differ in number.

    Args:
        passage, side: As in ``_Nodes``, by row.
        component: Of each row, ascending.
    """
    parts, counts = np.diff(passages.first), np.ones(len(passage), np.int64)
    rows = np.flatnonzero((passage >= 0) & np.append(parts > 1, False)[passage])
    if len(rows):  # of few components: none but theirs are looked at
        rows = np.flatnonzero(np.isin(component, component[rows]))
        number = np.where(passage[rows] >= 0, np.append(parts, 1)[passage[rows]], 1)
        owner = np.unique(component[rows], return_inverse=True)[1]
        least, most = np.full(len(rows), np.iinfo(np.int64).max), np.zeros(len(rows), np.int64)
        np.minimum.at(least, owner, number)
        np.maximum.at(most, owner, number)
        alike = (least == most)[owner] & (number > 1)
        rows = rows[alike]
        counts[rows] = number[alike]
    start, end, first = np.repeat(ranges.start, counts), np.repeat(ranges.end, counts), sums(counts)
    part, begins = kernel.take_ranges(passages.first, passage[rows])
    second = np.repeat(side[rows] == 1, np.diff(begins))
    inner = locate(engine, corpus, np.where(second, passages.parts.b0[part], passages.parts.a0[part]),
                   np.where(second, passages.parts.b1[part], passages.parts.a1[part]))
    to = kernel.take_ranges(first, rows)[0]
    start[to], end[to] = inner.start, inner.end
    return Spans(start, end, first)


def _compared(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans) -> U64:
    """A number of each row: rows of one component that have the same one were compared token by token and are equal."""
    new = np.ones(len(component), bool)
    new[1:] = component[1:] != component[:-1]
    leader = np.flatnonzero(new)[np.cumsum(new) - 1]
    same = _equal(engine, corpus, spans, leader)
    number: U64 = component.astype(np.uint64)
    unlike = np.zeros(len(leader), bool)
    unlike[leader[~same]] = True
    rows = np.flatnonzero(unlike[leader])
    number[rows] = _told_apart(engine, corpus, component[rows], spans.take(rows))
    return number


def _told_apart(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans) -> U64:
    """The same for components whose rows are not all equal to their first one."""
    digest = span_digests(engine, corpus, spans)
    order = np.lexsort((digest, component))
    new = np.ones(len(order), bool)
    new[1:] = (component[order][1:] != component[order][:-1]) | (digest[order][1:] != digest[order][:-1])
    leader = np.empty(len(order), np.int64)
    leader[order] = order[new][np.cumsum(new) - 1] if len(order) else order
    different = np.flatnonzero(~_equal(engine, corpus, spans, leader))
    digest[different] ^= different.astype(np.uint64) + np.uint64(1)  # equal hashes of unlike texts
    return digest


def _equal(engine: LocalEngine, corpus: Corpus, spans: Spans, leader: I64) -> Flags:
    """Whether each span has the tokens of its leader, part by part."""
    def compare(rows: slice) -> npt.NDArray[np.uint8]:
        return kernel.equal_spans(corpus.text, spans.part_start, spans.part_end, spans.first,
                                  np.arange(*rows.indices(len(leader))), leader[rows], corpus.flags)
    return np.concatenate(engine.map(compare, row_ranges(len(leader)))).view(bool)


def _linked(nodes: _Nodes, order: I64) -> tuple[I64, I64]:
    """The links between rows in order: the lesser row of each, and the other one."""
    row_of = np.full(len(nodes.t0), -1, np.int64)
    row_of[order] = np.arange(len(order))
    a, b = row_of[nodes.a], row_of[nodes.b]
    low, high = np.minimum(a, b), np.maximum(a, b)
    return (low, high) if len(order) == len(row_of) else (low[low >= 0], high[low >= 0])


@dataclass(frozen=True, slots=True)
class _Members:
    """Rows, the row of each one's representative, and what it has in common with that; `group` numbers the groups."""

    row: I64
    group: I64
    leader: I64
    jaccard: F64
    containment: F64

    def take(self, kept: Flags) -> _Members:
        """Some of the rows."""
        return _Members(self.row[kept], self.group[kept], self.leader[kept], self.jaccard[kept], self.containment[kept])


def _led(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans, digest: U64, links: tuple[I64, I64],
         threshold: float, size: int) -> _Members:
    """The representative rule. Rows ascend by component; those of a component whose texts are all equal need no check."""
    new = np.ones(len(component), bool)
    new[1:] = component[1:] != component[:-1]
    number = np.cumsum(new) - 1
    leader = np.flatnonzero(new)[number]
    unequal = np.zeros(int(new.sum()), bool)
    unequal[number[digest != digest[leader]]] = True
    rows = np.flatnonzero(unequal[number])
    linked = _asked(links, unequal[number], number)
    members = _Members(np.arange(len(leader)), leader, leader, np.ones(len(leader)), np.ones(len(leader)))
    edges = np.searchsorted(np.cumsum((spans.part_end - spans.part_start)[spans.first[rows]]),
                            np.arange(0, int((spans.part_end - spans.part_start).sum()) + 1, BATCH_BYTES))
    cuts = np.unique(np.searchsorted(number[rows], number[rows][edges[edges < len(rows)]])).tolist()

    def check(part: tuple[int, int]) -> None:
        mine = rows[part[0]:part[1]]
        order = np.lexsort((digest[mine], number[mine]))
        first = np.ones(len(order), bool)  # of rows with equal texts
        first[1:] = (np.diff(number[mine][order]) != 0) | (np.diff(digest[mine][order]) != 0)
        text = np.empty(len(order), np.int64)
        text[order] = np.cumsum(first) - 1
        sets = span_sets(LocalEngine(1), corpus, spans.take(mine[order[first]]), size)
        _split(mine, text, component, sets, digest, linked, threshold, members)
    engine.map(check, list(itertools.pairwise([*cuts, len(rows)])))
    return members


def _asked(links: tuple[I64, I64], unequal: Flags, component: I64) -> I64:
    """Links of members of which some are unlike, or alone, as sorted numbers: one between others says nothing new."""
    asked = unequal | (np.bincount(component)[component] == 1) if len(component) else unequal
    asked = asked[links[0]] | asked[links[1]]
    linked = links[0][asked] * max(len(component), 1) + links[1][asked]
    return linked[_in_order(linked)]


def _with_left_alone(engine: LocalEngine, corpus: Corpus, members: _Members, links: tuple[I64, I64], page: I64,
                     pairs: PagePairs, spans: Spans, size: int) -> _Members:
    """A member that the representative rule leaves alone is in a group with the first one that it was linked to.

    Alone is also one that has nobody in its group with whom it makes a pair that counts; it leaves that group.

    Args:
        links: Between rows, the lesser one first.
        page: Of each row, where not all pairs count.
    """
    count, (low, high) = max(len(members.row), 1), links
    alone = np.bincount(members.group, minlength=len(members.row)) == 1
    alone &= members.group == np.arange(len(alone))
    if not pairs.every:
        alone = pairs.partners(members.group, page) < 0
        counted = pairs.allows(page[low], page[high])
        low, high = low[counted], high[counted]
        held = np.bincount(members.group, ~alone, len(alone))[members.group] > 0
        members = members.take(~alone | (held & (members.leader == members.row)))  # what others are measured against stays
    a, b = np.concatenate([low[alone[low]], high[alone[high]]]), np.concatenate([high[alone[low]], low[alone[high]]])
    order = np.lexsort((b, a))
    a, b = a[order], b[order]
    new = np.ones(len(a), bool)
    new[1:] = a[1:] != a[:-1]
    pair = np.unique(np.minimum(a, b)[new] * count + np.maximum(a, b)[new])  # both may be left alone
    a, b = pair // count, pair % count
    if not len(a):
        return members
    at = spans.part_start[spans.first[:-1]]  # of two components the first one's rows are not all before the other's
    low, high = np.where(at[a] <= at[b], a, b), np.where(at[a] <= at[b], b, a)
    overlap, n, m = span_overlaps(engine, corpus, spans.take(low), spans.take(high), size)
    one, jaccard = np.ones(len(low)), overlap / np.maximum(n + m - overlap, 1)
    number = count + np.arange(len(low))
    return _Members(np.concatenate([members.row, low, high]), np.concatenate([members.group, number, number]),
                    np.concatenate([members.leader, low, low]), np.concatenate([members.jaccard, one, jaccard]),
                    np.concatenate([members.containment, one, overlap / np.maximum(m, 1)]))


def _split(rows: I64, text: I64, component: I64, sets: Sets, digest: U64, linked: I64, threshold: float,
           members: _Members) -> None:
    """Each row joins its component's first one, or of those that fail the first one, and so on; written to `members`.

    Args:
        text: Number of each row's set.
    """
    left = np.arange(len(rows))
    while len(left):
        owner = component[rows[left]]
        new = np.ones(len(left), bool)
        new[1:] = owner[1:] != owner[:-1]
        first = left[new][np.cumsum(new) - 1]
        mine, theirs = text[left], text[first]
        overlap = kernel.set_overlaps(sets.values, sets.first, theirs, mine)
        union = sets.sizes[theirs] + sets.sizes[mine] - overlap
        equal = digest[rows[first]] == digest[rows[left]]
        alike = np.where(equal, 1.0, overlap / np.maximum(union, 1))
        key = rows[first] * max(len(component), 1) + rows[left]
        at = np.minimum(np.searchsorted(linked, key), max(len(linked) - 1, 0))
        direct = linked[at] == key if len(linked) else np.zeros(len(left), bool)
        joined = (left == first) | direct | (alike >= threshold)
        taken = rows[left[joined]]
        members.leader[taken], members.jaccard[taken] = rows[first[joined]], alike[joined]  # `group` is the same array
        members.containment[taken] = np.where(equal, 1.0, overlap / np.maximum(sets.sizes[mine], 1))[joined]
        left = left[~joined]


def _groups_in_order(ranges: Ranges, members: _Members) -> tuple[I64, I64]:
    """Members of groups of two or more, and the first one of each group: by first occurrence, longer ones first."""
    counts = np.bincount(members.group)
    several = np.flatnonzero(counts[members.group] > 1)
    by_group = several[_in_order(members.group[several])]  # rows of a group ascend by place already
    counts = counts[counts > 1]
    first = sums(counts)
    lead = members.leader[by_group[first[:-1]]]
    rank = np.lexsort((members.group[by_group[first[:-1]]], -ranges.t1[lead], ranges.t0[lead]))
    rows, first = kernel.take_ranges(first, rank)
    return by_group[rows], first


def _without_implied(ranges: Ranges, row: I64, order: I64, first: I64, in_passage: Flags) -> tuple[I64, I64]:
    """Without groups from segments whose places lie, each in another one, in the places of one longer group.

    Repeats of few places are absorbed by the passages around them, link by link; those of many places come whole.
    """
    counts = np.diff(first)
    many = np.flatnonzero(~np.logical_or.reduceat(in_passage[row], first[:-1])) if len(counts) else counts
    if not len(many):
        return order, first
    t0 = ranges.t0[row]
    implied = many[kernel.implied_groups(first, t0, ranges.t1[row], _in_order(t0), many, LOOK_AROUND) == 1]
    kept = np.ones(len(counts), bool)
    kept[implied] = False
    return order[np.repeat(kept, counts)], sums(counts[kept])


def _table(corpus: Corpus, ranges: Ranges, members: _Members, order: I64, first: I64, component: I64, spans: Spans,
           digest: U64, in_passage: Flags) -> Groups:
    """The columns of groups whose members are given in order."""
    kept, count = members.row[order], len(first) - 1
    number = np.repeat(np.arange(count), np.diff(first))
    linked, near = np.zeros(count, bool), np.zeros(count, bool)
    linked[number[in_passage[kept]]] = True
    near[number[digest[kept] != digest[members.leader[order]]]] = True
    ranges = ranges.take(kept)
    kind = np.where(near, 1, np.where(_contained(corpus, ranges, number, count), 2, 0)).astype(np.int8)
    page = corpus.block_page[ranges.first_block]
    return Groups(first, kind, component[kept[first[:-1]]], linked, ranges, page, members.jaccard[order],
                  members.containment[order], spans.take(kept))


def _contained(corpus: Corpus, ranges: Ranges, number: I64, count: int) -> Flags:
    """Groups with one member that is whole blocks and another one inside a longer block."""
    first, last = ranges.first_block, ranges.last_block
    whole = (corpus.token_first[first] == ranges.t0) & (corpus.token_first[last + 1] == ranges.t1)
    has_whole, has_inner = np.zeros(count, bool), np.zeros(count, bool)
    has_whole[number[whole]] = True
    has_inner[number[~whole & (first == last)]] = True
    return has_whole & has_inner
