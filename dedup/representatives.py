"""The representative rule: each member of a component is checked against its representative.

A member that fails starts a group of its own, and the two name each other, so nothing drifts. The representative is chosen by
what the texts say, so that groups are the same in any order of pages: the first member that is linked to all others; where
there is none, the one with most links, of those the longest.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import begins_new, distinct_numbers, rows_of
from dedup.corpus import BATCH_BYTES, Corpus
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.order import in_order
from dedup.page_pairs import PagePairs
from dedup.places import TokenRanges
from dedup.shingles import Sets
from dedup.verify import Spans, span_digests, span_overlaps, span_sets

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
A = TypeVar("A", bound=np.generic)

LARGE = 3 * BATCH_BYTES  # of components that are checked by all threads, not side by side with others


class Members(Struct):
    """Rows, and the row of each one's representative; few have not all in common with that.

    Attributes:
        group: Numbers the groups.
        near: The members that were measured; each other one has the text of its representative.
        jaccard, containment: Of these.
        added: The first one of those that were added: its representative may be of another component.
    """

    row: I64
    group: I64
    leader: I64
    near: I64
    jaccard: F64
    containment: F64
    added: int

    def take(self, kept: Flags) -> Members:
        """Some of the rows."""
        near = kept[self.near]
        before: I64 = np.cumsum(kept) - kept
        return Members(self.row[kept], self.group[kept], self.leader[kept], before[self.near[near]], self.jaccard[near],
                       self.containment[near], int(kept[:self.added].sum()))

    def add(self, more: Members) -> None:
        """Rows behind these; column by column, for they are as long as there are places."""
        more.near = more.near + len(self.row)
        for name in ("row", "group", "leader", "near", "jaccard", "containment"):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(more, name)]))


def led(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans, tokens: TokenRanges, digest: U64, unequal: Flags,
        links: tuple[I64, I64], late: Flags, threshold: float, size: int) -> tuple[Members, I64]:
    """The representative rule. Those of a component whose texts are all equal need no check.

    Args:
        component: Of each row, its first row.
        tokens: What each row holds, and what it leaves out.
        digest, unequal: Of ``groups._compared``.
        links: Between rows.
        late: Rows that represent only where there is no other one: those of pages that are compared against references.

    Returns:
        The members, and of each row how many texts its own is linked to.
    """
    asking = unequal | (np.bincount(component, minlength=len(component)) == 1)  # a link between others says nothing new
    leader, none, figures = component.copy(), np.empty(0, np.int64), np.empty(0, np.float64)
    members = Members(np.arange(len(leader)), leader, leader, none, figures, figures, len(leader))
    if not asking.any():
        return members, np.zeros(len(leader), np.int64)
    rows = rows_of(unequal[component]) if unequal.any() else members.near
    rows, asked = rows[in_order(component[rows])], asking[component]
    between = rows_of(asked[links[0]] | asked[links[1]])
    text = _first_of_text(component, digest, rows)
    linked = _text_links(text[links[0][between]], text[links[1][between]], len(component))
    one, other = linked // max(len(component), 1), linked % max(len(component), 1)
    times = np.bincount(np.concatenate([one, other]), minlength=len(component))
    times[rows] = times[text[rows]]
    beyond = np.zeros(len(component), bool)
    beyond[np.concatenate([one, other])[np.tile(component[one] != component[other], 2)]] = True
    if not len(rows):
        return members, times
    asked = _Asked(rows, *(_relieved(column[rows]) for column in (component, text, digest, times, beyond[text], late)))
    small, large = _parts(asked.component, (spans.part_end - spans.part_start)[spans.first[rows]])
    leading, jaccard, containment = rows.copy(), np.ones(len(rows)), np.ones(len(rows))

    def check(part: tuple[int, int], engine: LocalEngine, most: int = 0) -> None:
        mine = slice(*part)
        own = asked.take(mine)
        leaders, number = np.unique(own.text, return_inverse=True)
        sets = span_sets(engine, corpus, spans.take(leaders), size, most)
        _split(engine, own, number, sets, linked, len(component), threshold, leading[mine], jaccard[mine], containment[mine])
    engine.map(partial(check, engine=LocalEngine(1)), small)
    for part in large:
        mine = rows[slice(*part)]
        check(part, engine, int((tokens.t1[mine] - tokens.t0[mine]).sum()))
    members.leader[rows] = _relieved(leading)  # `group` is the same array
    members.near, members.jaccard, members.containment = rows, _relieved(jaccard), _relieved(containment)
    return members, times


class _Asked(Struct, frozen=True):
    """Rows that are checked, component by component, and what is known of each.

    Columns of their own: those of all rows would come into memory whole for each of the parts.

    Attributes:
        component: First row of its component.
        text: First row that has its text.
        times: Of how many links between texts its text is one side.
        beyond: Whether its text is linked to another component, too.
        late: See ``led``.
    """

    row: I64
    component: I64
    text: I64
    digest: U64
    times: I64
    beyond: Flags
    late: Flags

    def take(self, rows: slice) -> _Asked:
        """Some of the rows."""
        return _Asked(*(getattr(self, name)[rows] for name in self.__struct_fields__))


def _parts(component: I64, length: I64) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Ranges of rows, whole components of about ``BATCH_BYTES``: small ones, and those of ``LARGE`` bytes or more.

    Args:
        component: Of each row, ascending.
        length: Bytes of each row, of its first part.
    """
    before = length.cumsum()
    edges = before.searchsorted(np.arange(0, int(before[-1]) + 1, BATCH_BYTES))
    cuts = distinct_numbers(component.searchsorted(component[edges[edges < len(component)]])).tolist()
    small, large = list[tuple[int, int]](), list[tuple[int, int]]()
    for begin, end in itertools.pairwise([*cuts, len(component)]):
        (large if int(before[end - 1] - before[begin]) >= LARGE else small).append((begin, end))
    return small, large


def _relieved(column: npt.NDArray[A]) -> npt.NDArray[A]:
    """The column, once it was seen to that not too much is in memory."""
    kernel.relieve_memory()
    return column


def _first_of_text(component: I64, digest: U64, rows: I64) -> I64:
    """For each row the first one of its component that has the same text; the others than `rows` stand for themselves."""
    order = rows[np.lexsort((rows, digest[rows], component[rows]))]
    new = begins_new(component[order], digest[order])
    text = np.arange(len(component))
    text[order] = order[new][np.cumsum(new) - 1] if len(order) else order
    return text


def _text_links(a: I64, b: I64, count: int) -> I64:
    """Links between texts, each once, ascending: the lesser row, times `count`, plus the other one."""
    key = np.minimum(a, b)[a != b] * max(count, 1) + np.maximum(a, b)[a != b]
    key = key[in_order(key)]
    linked: I64 = key[begins_new(key)]
    return linked


def with_left_alone(engine: LocalEngine, corpus: Corpus, members: Members, component: I64, links: tuple[I64, I64], times: I64,
                    page: I64, pairs: PagePairs, late: Flags, spans: Spans, size: int) -> Members:
    """The members, to which rows are added: one that the rule leaves alone is in a group with one that it was linked to.

    That is the one with most links, of those the longest: it is the representative, unless the other one is a reference.
    Alone is also one that has nobody in its group with whom it makes a pair that counts; it leaves that group.

    Args:
        component: Of each row.
        links: Between rows.
        times: Of ``led``; where not all pairs count, links of each row are counted in its place.
        page: Of each row, where not all pairs count.
        late: See ``led``.
    """
    alone = _left_alone(members, page, pairs)
    if not alone.any():
        return members
    low, high = links
    count = max(len(members.row), 1)
    if not pairs.every:
        counted = pairs.allows(page[low], page[high]) & (low != high)
        low, high = low[counted], high[counted]
        held = np.bincount(members.group, ~alone, len(alone))[members.group] > 0
        members = members.take(~alone | (held & (members.leader == members.row)))  # what others are measured against stays
        times = np.bincount(np.concatenate([low, high]), minlength=len(alone))
    a, b = _links_of(alone, low, high, spans)
    if not len(a):
        return members
    lead, other = _best_links(engine, corpus, a, b, component, times, late, spans)
    overlap, n, m = span_overlaps(engine, corpus, spans.take(lead), spans.take(other), size)
    jaccard, contained = overlap / np.maximum(n + m - overlap, 1), overlap / np.maximum(m, 1)
    before = spans.part_start[spans.first[lead]] <= spans.part_start[spans.first[other]]

    def both(of_lead: Any, of_other: Any) -> Any:  # in the order of their places
        return np.concatenate([np.where(before, of_lead, of_other), np.where(before, of_other, of_lead)])
    number = count + np.arange(len(lead))
    members.add(Members(both(lead, other), np.concatenate([number, number]), np.concatenate([lead, lead]),
                        np.arange(2 * len(lead)), both(1.0, jaccard), both(1.0, contained), 0))
    return members


def _left_alone(members: Members, page: I64, pairs: PagePairs) -> Flags:
    """Which rows are in no group with another one that makes a pair with them that counts."""
    if not pairs.every:
        return pairs.partners(members.group, page) < 0
    alone: Flags = np.bincount(members.group, minlength=len(members.row)) == 1
    alone &= members.group == np.arange(len(alone))
    return alone


def _links_of(alone: Flags, low: I64, high: I64, spans: Spans) -> tuple[I64, I64]:
    """The links of rows that are alone, from their side, but those between texts that overlap: one may be like a part of
    itself."""
    one, other = alone[low], alone[high]
    a, b = np.concatenate([low[one], high[other]]), np.concatenate([high[one], low[other]])
    (start_a, end_a), (start_b, end_b) = ((spans.part_start[spans.first[side]], spans.part_end[spans.first[side + 1] - 1])
                                          for side in (a, b))
    apart = (end_a <= start_b) | (end_b <= start_a)
    return a[apart], b[apart]


def _best_links(engine: LocalEngine, corpus: Corpus, a: I64, b: I64, component: I64, times: I64, late: Flags,
                spans: Spans) -> tuple[I64, I64]:
    """Of each row `a` the link to the best of its `b`, each link once: the better row of it, and the other one."""
    texts, at = np.unique(np.concatenate([a, b]), return_inverse=True)
    said = spans.take(texts)
    content, length = span_digests(engine, corpus, said), np.add.reduceat(said.part_end - said.part_start, said.first[:-1])
    nth = _inverse(np.lexsort((texts, component[texts])))  # component by component
    rank = _inverse(np.lexsort((nth, content, -length, -times[texts], late[texts])))
    order = np.lexsort((rank[at[len(a):]], a))
    first = begins_new(a[order])
    one, other = nth[at[:len(a)][order][first]], nth[at[len(a):][order][first]]
    pair = distinct_numbers(np.minimum(one, other) * len(nth) + np.maximum(one, other))  # both may be left alone
    back = _inverse(nth)
    one, other = back[pair // len(nth)], back[pair % len(nth)]
    better = rank[one] <= rank[other]
    return texts[np.where(better, one, other)], texts[np.where(better, other, one)]


def _inverse(order: I64) -> I64:
    """Where each number stands in an order of all of them.

    >>> _inverse(np.array([2, 0, 1])).tolist()
    [1, 2, 0]
    """
    inverse = np.empty(len(order), np.int64)
    inverse[order] = np.arange(len(order))
    return inverse


def _split(engine: LocalEngine, asked: _Asked, own: I64, sets: Sets, linked: I64, count: int, threshold: float, leader: I64,
           jaccard: F64, containment: F64) -> None:
    """Each row joins its component's representative, or of those that fail it the next one, and so on; in place.

    Args:
        own: Number of each row's set.
        linked: Of ``_text_links``, where there are `count` rows in all.
        leader, jaccard, containment: Of each row.
    """
    left = _by_rank(asked, own, sets.sizes)
    while len(left):
        new = begins_new(asked.component[left])
        first = left[new][np.cumsum(new) - 1]
        mine, theirs = own[left], own[first]
        overlap = sets.overlaps(engine, theirs, mine)
        union = sets.sizes[theirs] + sets.sizes[mine] - overlap
        equal = mine == theirs
        alike = np.where(equal, 1.0, overlap / np.maximum(union, 1))
        x, y = asked.text[first], asked.text[left]
        key = np.minimum(x, y) * max(count, 1) + np.maximum(x, y)
        at = np.minimum(np.searchsorted(linked, key), max(len(linked) - 1, 0))
        direct = linked[at] == key if len(linked) else np.zeros(len(left), bool)
        joined = equal | direct | (alike >= threshold)
        taken = left[joined]
        leader[taken], jaccard[taken] = asked.row[first[joined]], alike[joined]
        containment[taken] = np.where(equal, 1.0, overlap / np.maximum(sets.sizes[mine], 1))[joined]
        left = left[~joined]


def _by_rank(asked: _Asked, own: I64, sizes: I64) -> I64:
    """Rows of each component in the order in which they may represent it.

    References first. Those that are linked to all others, and to no other component, as they stand: whichever leads, all
    belong to it. Then by what the texts say alone: most links, most shingles, least hash.
    """
    at = np.unique(own, return_index=True)[1]
    _, number, others = np.unique(asked.component[at], return_inverse=True, return_counts=True)  # of texts, each once
    full = ((asked.times[at] == others[number] - 1) & ~asked.beyond[at])[own]
    size, content = np.where(full, 0, sizes[own]), np.where(full, np.uint64(0), asked.digest)
    rank: I64 = np.lexsort((content, -size, -asked.times, asked.late, asked.component))  # rows of equal texts as they came
    return rank
