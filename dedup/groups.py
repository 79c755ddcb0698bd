"""Stage 8, second half: verified links become groups.

Components over verified links only; then each member is checked against the group's representative, its first
occurrence. A member that fails starts a group of its own, and the two name each other, so nothing drifts.
"""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dedup.blocks import BATCH_BYTES, Corpus, sums
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.model import Kind
from dedup.places import Ranges, locate
from dedup.runs import Passages
from dedup.seeds import Repeats
from dedup.shingles import Sets
from dedup.verify import BATCH_SPANS, Spans, span_digests, span_sets

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
        ranges, page, start, end: Of each occurrence: tokens and blocks, page, bytes.
        jaccard, containment: Of each occurrence against the representative.
        parts: The matched stretches (bytes) of each occurrence; one, the whole, where nothing was left out.
    """

    first: I64
    kind: npt.NDArray[np.int8]
    family: I64
    linked: Flags
    ranges: Ranges
    page: I64
    start: I64
    end: I64
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
            linked=self.linked[kept], ranges=self.ranges.take(rows), page=self.page[rows], start=self.start[rows],
            end=self.end[rows], jaccard=self.jaccard[rows], containment=self.containment[rows],
            parts=self.parts.take(np.flatnonzero(rows)))

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


def group_passages(engine: LocalEngine, corpus: Corpus, passages: Passages, repeats: Repeats | None, threshold: float,
                   size: int) -> Groups:
    """Groups of the places that passages and repeats link.

    Args:
        repeats: Segments of many places (of which the matches are in `passages` already), or none.
        threshold: Least Jaccard similarity of a near member that has no direct link to the representative.
        size: Tokens in a shingle.
    """
    nodes = _nodes(passages, repeats)
    component = _components(nodes)
    order = np.lexsort((nodes.t1, nodes.t0, component))
    order = order[_apart(component[order], nodes.t0[order], nodes.t1[order])]
    ranges = locate(engine, corpus, nodes.t0, nodes.t1).take(order)
    spans = _parts(engine, corpus, nodes, passages, component, ranges, order)
    linked, component, in_passage = _linked(nodes, order), component[order], nodes.passage[order] >= 0
    del nodes, order  # the columns are as long as there are places: hold no more of them than are needed
    kernel.release_memory()
    digest = _compared(engine, corpus, component, spans)
    members = _led(engine, corpus, component, spans, digest, linked, threshold, size)
    del linked
    kernel.release_memory()
    return without_implied(_table(corpus, ranges, members, component, spans, digest, in_passage))


def _nodes(passages: Passages, repeats: Repeats | None) -> _Nodes:
    whole = passages.whole
    position = repeats.position if repeats is not None else np.empty(0, np.int64)
    length = np.repeat(repeats.lengths, np.diff(repeats.first)) if repeats is not None else position
    t0 = np.concatenate([whole.a0, whole.b0, position])
    t1 = np.concatenate([whole.a1, whole.b1, position + length])
    order = np.lexsort((np.arange(len(t0)), t1, t0))
    new = np.ones(len(order), bool)
    new[1:] = (t0[order][1:] != t0[order][:-1]) | (t1[order][1:] != t1[order][:-1])
    node = np.empty(len(order), np.int64)
    node[order] = np.cumsum(new) - 1
    leader = order[new]  # the first row of each node: of a passage where there is one
    count = len(whole.a0)
    hot = node[2 * count:]
    star = np.repeat(hot[repeats.first[:-1]], np.diff(repeats.first)) if repeats is not None and len(hot) else hot
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
    order = np.lexsort((nodes.t1, nodes.t0, component))
    ordered = component[order]
    bad = np.unique(ordered[1:][(ordered[1:] == ordered[:-1]) & (nodes.t0[order][1:] < nodes.t1[order][:-1])])
    if not len(bad):
        return component
    mixed = np.isin(component[nodes.a], bad)
    keep = np.flatnonzero(~mixed | nodes.exact)
    component = kernel.components(len(nodes.t0), nodes.a[keep], nodes.b[keep])
    members: dict[int, list[tuple[int, int]]] = {}
    rows = np.flatnonzero(mixed & ~nodes.exact)
    touched = np.isin(component, component[np.concatenate([nodes.a[rows], nodes.b[rows]])])
    for node in np.flatnonzero(touched).tolist():
        members.setdefault(int(component[node]), []).append((int(nodes.t0[node]), int(nodes.t1[node])))
    home, apart = {c: c for c in members}, set[tuple[int, int]]()
    for a, b in zip(component[nodes.a[rows]].tolist(), component[nodes.b[rows]].tolist(), strict=True):
        while home[a] != a:
            a = home[a]
        while home[b] != b:
            b = home[b]
        low, high = min(a, b), max(a, b)
        if a == b or (low, high) in apart or len(members[a]) + len(members[b]) > MAX_MERGED:
            continue
        if _overlap(*sorted((members[a], members[b]), key=len)):
            apart.add((low, high))
            continue
        home[high], members[low] = low, sorted(members[a] + members[b])
    for c in sorted(home):
        home[c] = home[home[c]]
    return np.array([home.get(c, c) for c in component.tolist()], np.int64)


def _overlap(few: list[tuple[int, int]], many: list[tuple[int, int]]) -> bool:
    """Whether a range of one list overlaps one of the other; the ranges of a list ascend and do not overlap."""
    for start, end in few:
        i = bisect.bisect_left(many, (start, start))
        if (i < len(many) and many[i][0] < end) or (i > 0 and many[i - 1][1] > start):
            return True
    return False


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


def _parts(engine: LocalEngine, corpus: Corpus, nodes: _Nodes, passages: Passages, component: I64, ranges: Ranges,
           order: I64) -> Spans:
    """The matched stretches of each node in order; the whole node where the members of a component differ in number."""
    passage = nodes.passage[order]
    counts = np.where(passage >= 0, np.diff(passages.first, append=0)[passage], 1) if len(passages.first) > 1 else \
        np.ones(len(order), np.int64)
    owner = component[order]
    least = np.full(len(component), np.iinfo(np.int64).max)
    np.minimum.at(least, owner, counts)
    most = np.zeros(len(component), np.int64)
    np.maximum.at(most, owner, counts)
    counts = np.where(least[owner] == most[owner], counts, 1)
    row = np.repeat(np.arange(len(order)), counts)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    start, end = ranges.start[row], ranges.end[row]
    several = np.flatnonzero(counts[row] > 1)
    part = passages.first[passage[row[several]]] + nth[several]
    second = nodes.side[order][row[several]] == 1
    inner = locate(engine, corpus, np.where(second, passages.parts.b0[part], passages.parts.a0[part]),
                   np.where(second, passages.parts.b1[part], passages.parts.a1[part]))
    start[several], end[several] = inner.start, inner.end
    return Spans(start, end, sums(counts))


def _compared(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans) -> U64:
    """A number of each row: rows of one component that have the same one were compared token by token and are equal."""
    digest = span_digests(engine, corpus, spans)
    order = np.lexsort((np.arange(len(component)), digest, component))
    new = np.ones(len(order), bool)
    new[1:] = (component[order][1:] != component[order][:-1]) | (digest[order][1:] != digest[order][:-1])
    leader = np.empty(len(order), np.int64)
    leader[order] = order[new][np.cumsum(new) - 1] if len(order) else order
    counts = np.diff(spans.first)
    rows = np.flatnonzero((leader != np.arange(len(leader))) & (counts == counts[leader]))
    part = np.repeat(rows, counts[rows])
    mine = spans.first[part] + np.arange(len(part)) - np.repeat(sums(counts[rows])[:-1], counts[rows])
    other = mine - spans.first[part] + spans.first[leader[part]]

    def unequal(batch: tuple[int, int]) -> I64:
        a, b = mine[batch[0]:batch[1]], other[batch[0]:batch[1]]
        same = kernel.equal_tokens(corpus.text, spans.part_start[a], spans.part_end[a], corpus.text, spans.part_start[b],
                                   spans.part_end[b], corpus.flags)
        found: I64 = part[batch[0]:batch[1]][same == 0]
        return found
    different = np.concatenate([np.empty(0, np.int64), *engine.map(unequal, list(itertools.pairwise(
        [*range(0, len(part), BATCH_SPANS), len(part)])))])
    digest[different] ^= different.astype(np.uint64) + np.uint64(1)  # equal hashes of unlike texts
    return digest


def _linked(nodes: _Nodes, order: I64) -> I64:
    """Sorted keys of the links between rows in order: the lesser row times the number of rows, plus the other one."""
    row_of = np.full(len(nodes.t0), -1, np.int64)
    row_of[order] = np.arange(len(order))
    a, b = row_of[nodes.a], row_of[nodes.b]
    known = (a >= 0) & (b >= 0)
    return np.sort((np.minimum(a, b) * max(len(order), 1) + np.maximum(a, b))[known])


@dataclass(frozen=True, slots=True)
class _Members:
    """Rows, the row of each one's representative, and what it has in common with that; `group` numbers the groups."""

    row: I64
    group: I64
    leader: I64
    jaccard: F64
    containment: F64


def _led(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans, digest: U64, linked: I64, threshold: float,
         size: int) -> _Members:
    """The representative rule. Rows ascend by component; those of a component whose texts are all equal need no check."""
    new = np.ones(len(component), bool)
    new[1:] = component[1:] != component[:-1]
    number = np.cumsum(new) - 1
    leader = np.flatnonzero(new)[number]
    unequal = np.zeros(int(new.sum()), bool)
    unequal[number[digest != digest[leader]]] = True
    rows = np.flatnonzero(unequal[number])
    members = _Members(np.arange(len(leader)), leader, leader, np.ones(len(leader)), np.ones(len(leader)))
    edges = np.searchsorted(np.cumsum((spans.part_end - spans.part_start)[spans.first[rows]]),
                            np.arange(0, int((spans.part_end - spans.part_start).sum()) + 1, BATCH_BYTES))
    cuts = np.unique(np.searchsorted(number[rows], number[rows][edges[edges < len(rows)]])).tolist()

    def check(part: tuple[int, int]) -> None:
        mine = rows[part[0]:part[1]]
        sets = span_sets(LocalEngine(1), corpus, spans.take(mine), size)
        _split(mine, component, sets, digest, linked, threshold, members)
    engine.map(check, list(itertools.pairwise([*cuts, len(rows)])))
    return _with_left_alone(engine, corpus, members, linked, spans, size)


def _with_left_alone(engine: LocalEngine, corpus: Corpus, members: _Members, linked: I64, spans: Spans,
                     size: int) -> _Members:
    """A member that the representative rule leaves alone is in a group with the first one that it was linked to."""
    count = max(len(members.row), 1)
    alone = np.bincount(members.group, minlength=len(members.row)) == 1
    alone &= members.group == np.arange(len(alone))
    low, high = linked // count, linked % count
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
    sets = span_sets(engine, corpus, spans.take(np.column_stack([low, high]).reshape(-1)), size)
    first, second = np.arange(0, 2 * len(low), 2), np.arange(1, 2 * len(low), 2)
    overlap = kernel.set_overlaps(sets.values, sets.first, first, second)
    sizes, one = sets.sizes, np.ones(len(low))
    jaccard = overlap / np.maximum(sizes[first] + sizes[second] - overlap, 1)
    number = count + np.arange(len(low))
    return _Members(np.concatenate([members.row, low, high]), np.concatenate([members.group, number, number]),
                    np.concatenate([members.leader, low, low]), np.concatenate([members.jaccard, one, jaccard]),
                    np.concatenate([members.containment, one, overlap / np.maximum(sizes[second], 1)]))


def _split(rows: I64, component: I64, sets: Sets, digest: U64, linked: I64, threshold: float, members: _Members) -> None:
    """Each row joins its component's first one, or of those that fail the first one, and so on; written to `members`."""
    left = np.arange(len(rows))
    while len(left):
        owner = component[rows[left]]
        new = np.ones(len(left), bool)
        new[1:] = owner[1:] != owner[:-1]
        first = left[new][np.cumsum(new) - 1]
        overlap = kernel.set_overlaps(sets.values, sets.first, first, left)
        union = sets.sizes[first] + sets.sizes[left] - overlap
        equal = digest[rows[first]] == digest[rows[left]]
        alike = np.where(equal, 1.0, overlap / np.maximum(union, 1))
        key = rows[first] * max(len(component), 1) + rows[left]
        at = np.minimum(np.searchsorted(linked, key), max(len(linked) - 1, 0))
        direct = linked[at] == key if len(linked) else np.zeros(len(left), bool)
        joined = (left == first) | direct | (alike >= threshold)
        taken = rows[left[joined]]
        members.leader[taken], members.jaccard[taken] = rows[first[joined]], alike[joined]  # `group` is the same array
        members.containment[taken] = np.where(equal, 1.0, overlap / np.maximum(sets.sizes[left], 1))[joined]
        left = left[~joined]


def _table(corpus: Corpus, ranges: Ranges, members: _Members, component: I64, spans: Spans, digest: U64,
           in_passage: Flags) -> Groups:
    """Groups of two members or more, in the order of their first occurrences, longer ones first."""
    t0, t1, leader = ranges.t0, ranges.t1, members.leader
    several = np.flatnonzero(np.bincount(members.group)[members.group] > 1)
    lead = leader[several]
    order = several[np.lexsort((t0[members.row[several]], members.group[several], -t1[lead], t0[lead]))]
    owner, kept = members.group[order], members.row[order]
    new = np.ones(len(kept), bool)
    new[1:] = owner[1:] != owner[:-1]
    first = np.append(np.flatnonzero(new), len(kept)).astype(np.int64)
    number = np.cumsum(new) - 1
    linked = np.zeros(len(first) - 1, bool)
    np.logical_or.at(linked, number, in_passage[kept])
    near = np.zeros(len(first) - 1, bool)
    np.logical_or.at(near, number, digest[kept] != digest[leader[order]])
    kind = np.where(near, 1, np.where(_contained(corpus, ranges.take(kept), number, len(first) - 1), 2, 0))
    parts = spans.take(kept)
    page = np.searchsorted(corpus.page_first, ranges.first_block, side="right") - 1
    return Groups(first, kind.astype(np.int8), component[kept][new], linked, ranges.take(kept), page[kept],
                  parts.part_start[parts.first[:-1]], parts.part_end[parts.first[1:] - 1], members.jaccard[order],
                  members.containment[order], parts)


def without_implied(groups: Groups) -> Groups:
    """Without groups from segments whose places lie, each in another one, in the places of one longer group.

    Repeats of few places are absorbed by the passages around them, link by link; those of many places come whole.
    """
    counts = np.diff(groups.first)
    many = np.flatnonzero(~groups.linked)
    if not len(many):
        return groups
    rows = np.argsort(groups.ranges.t0, kind="stable")
    start, end, owner = groups.ranges.t0[rows], groups.ranges.t1[rows], groups.owner[rows]

    def covers(outer: int, inner: int) -> bool:
        of_inner, of_outer = (slice(int(groups.first[g]), int(groups.first[g + 1])) for g in (inner, outer))
        at = np.searchsorted(groups.ranges.t0[of_outer], groups.ranges.t0[of_inner], side="right") - 1
        inside = (at >= 0) & (groups.ranges.t1[of_inner] <= groups.ranges.t1[of_outer][at])
        return bool(inside.all()) and len(np.unique(at)) == len(at)
    kept = np.ones(len(groups), bool)
    for g in many.tolist():
        row = int(groups.first[g])
        t0, t1 = groups.ranges.t0[row], groups.ranges.t1[row]
        last = int(np.searchsorted(start, t0, side="right"))
        near = range(max(0, last - LOOK_AROUND), last)
        around = {int(owner[i]) for i in near if end[i] >= t1} - {g}
        kept[g] = not any(counts[h] >= counts[g] and covers(h, g) for h in sorted(around))
    return groups if kept.all() else groups.take(kept)


def _contained(corpus: Corpus, ranges: Ranges, number: I64, count: int) -> Flags:
    """Groups with one member that is whole blocks and another one inside a longer block."""
    first, last = ranges.first_block, ranges.last_block
    whole = (corpus.token_first[first] == ranges.t0) & (corpus.token_first[last + 1] == ranges.t1)
    has_whole, has_inner = np.zeros(count, bool), np.zeros(count, bool)
    np.logical_or.at(has_whole, number, whole)
    np.logical_or.at(has_inner, number, ~whole & (first == last))
    return has_whole & has_inner
