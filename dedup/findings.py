"""From columns to what people read: groups and pairs are made when somebody asks for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt

from dedup.aligned import NOTHING, Aligned
from dedup.blocks import Corpus, input_digest, sums, widths
from dedup.engines.local import LocalEngine
from dedup.groups import KINDS, Groups
from dedup.kernel import kernel
from dedup.lazy import InBatches, Lazy
from dedup.model import Group, Occurrence
from dedup.nested import part_of
from dedup.occurrences import EQUAL, Measured, Places
from dedup.options import Options
from dedup.page_pairs import PagePairs
from dedup.pair_list import LinkTable, PairList
from dedup.places import block_of, locate, page_of, range_halves
from dedup.runs import Links, Passages, concatenated
from dedup.tandems import Shown, period_of, shown_places
from dedup.verify import Spans, indel_similarities, span_texts

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
REMEMBERED = 4096  # groups
BATCH_PLACES, BATCH_BYTES = 10_000, 1_000_000  # of groups made together, beyond one group


class GroupList(Lazy[Group]):
    """The groups of a scan, and what can be said of all of them without making one.

    Attributes:
        wasted_chars: ``report.gather.wasted_chars`` of each.
        part_of: The group beneath which each is told, -1 for none.
        page_ids: Ids of the pages of each.
        some: Different groups in any order, made together.
        begun: A group whose places are made when they are asked for: of a footer on all pages a report shows five.
        stands: How often the text of a group stands, and how often of that in the references.
    """

    def __init__(self, count: Callable[[], int], make: Callable[[int], Group], make_all: Callable[[], Iterator[Group]],
                 wasted_chars: Callable[[], I64], part_of: Callable[[], I64],
                 page_ids: Callable[[], Iterator[list[str]]], some: Callable[[Sequence[int]], list[Group]],
                 begun: Callable[[int], Group], stands: Callable[[int], tuple[int, int]]) -> None:
        super().__init__(count, make)
        self._make_all, self.wasted_chars, self.part_of, self.page_ids = make_all, wasted_chars, part_of, page_ids
        self.some, self.begun, self.stands = some, begun, stands

    def __iter__(self) -> Iterator[Group]:
        return self._make_all()


def all_links(groups: Groups, passages: Passages, pairs: PagePairs) -> Passages:
    """Every verified link once: members of a group from a segment, and equal texts, are linked to their first one only.

    Of many copies that follow each other at once, only those are with which a place is shown. Where not all pairs of pages
    count, a member is linked to the first one with which it makes a pair that does.
    """
    leader = groups.first[:-1][groups.owner] if len(groups) else groups.owner
    later, linked_to = np.flatnonzero(leader != np.arange(len(leader))), leader
    shown = np.zeros(len(leader), bool)
    shown[shown_places(groups).row] = True
    if not pairs.every:
        partner = pairs.partners(groups.owner, groups.page)
        linked_to = np.where(pairs.allows(groups.page[leader], groups.page), leader, partner)
        later = later[linked_to[later] >= 0]
    low, high = np.minimum(later, linked_to[later]), np.maximum(later, linked_to[later])
    t0, t1 = groups.ranges.t0, groups.ranges.t1
    equal = (groups.jaccard == 1) & (groups.kind != KINDS.index("near"))[groups.owner]
    exact = equal[low] & equal[high]
    star = Links(t0[low], t1[low], t0[high], t1[high], exact.astype(np.uint8))
    of_equal = Links(t0[later], t1[later], t0[later], t1[later], star.exact).take(exact).keys("a")
    places = np.isin(passages.whole.keys("a"), of_equal) & np.isin(passages.whole.keys("b"), of_equal)
    places &= ~np.isin(passages.whole.keys("ab"), star.keys("ab"))
    kept = passages.take(~(places & (passages.whole.exact == 1)) & _in_most_parts(passages))
    new = ~np.isin(star.keys("ab"), kept.whole.keys("ab")) & (exact | ~groups.linked[groups.owner[later]])
    new &= shown[later]
    new[new] = _first_of_each(star.take(new).keys("ab"))
    more = star.take(new)
    order = np.lexsort((np.concatenate([kept.whole.b0, more.b0]), np.concatenate([kept.whole.a0, more.a0])))
    first = np.concatenate([kept.first, kept.first[-1] + 1 + np.arange(len(more.a0))])
    return Passages(concatenated(kept.whole, more), first, concatenated(kept.parts, more)).in_order(order)


def _in_most_parts(passages: Passages) -> npt.NDArray[np.bool_]:
    """Of passages between the same two places, the one that groups show: of most parts, the first of several.

    Where a block is equal to one of the other place and near to another one, there are two ways through.
    """
    key, kept = passages.whole.keys("ab"), np.zeros(len(passages.whole.a0), bool)
    order = np.lexsort((-widths(passages.first), key))
    kept[order[_first_of_each(key[order])]] = True
    return kept


def _first_of_each(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """The first one of equal keys."""
    first = np.zeros(len(key), bool)
    first[np.unique(key, return_index=True)[1]] = True
    return first


class Findings:
    """Groups and pairs of one scan as sequences of objects.

    Args:
        groups: Groups as columns.
        passages: Verified links as columns.
        pairs: Which pairs of pages count.
        options: The settings; `unit` says what people read as similarity.
        truncated: A bound was met while near copies were looked for: near groups may have more members.
        aligned: Which of the links were aligned, and how alike they are as bags of words.
        repetition: Says how much each page repeats itself, where not all texts are there to count it.
    """

    def __init__(self, corpus: Corpus, groups: Groups, passages: Passages, pairs: PagePairs, options: Options,
                 truncated: bool = False, aligned: Aligned = NOTHING,
                 repetition: Callable[[], F64] | None = None) -> None:
        self.aligned, self.pairs_that_count, self.repetition = aligned, pairs, repetition
        self.corpus, self.table, self.options, self.truncated = corpus, groups, options, truncated
        self.engine = LocalEngine(options.threads)
        self.places = Places(self.engine, corpus, groups.page, groups.ranges.first_block, groups.ranges.last_block,
                             groups.parts)
        self._passages = passages
        self._groups: dict[int, Group] = {}

    def input_digest(self) -> str:
        """A digest of what was read."""
        return input_digest(self.engine, self.corpus)

    @cached_property
    def passages(self) -> Passages:
        """All verified links."""
        return all_links(self.table, self._passages, self.pairs_that_count)

    @cached_property
    def _families(self) -> dict[int, list[int]]:
        """Groups that were split from each other."""
        count = np.bincount(self.table.family, minlength=1)
        split: dict[int, list[int]] = {}
        for g in np.flatnonzero(count[self.table.family] > 1).tolist() if len(self.table) else []:
            split.setdefault(int(self.table.family[g]), []).append(g)
        return split

    @cached_property
    def _tokens(self) -> npt.NDArray[np.float64]:
        """Length of each group's representative in tokens."""
        lead, ranges = self.table.representative, self.table.ranges
        return range_halves(self.engine, self.corpus, ranges.t0[lead], ranges.t1[lead]) / 2

    def _bags(self, links: Links) -> list[tuple[float | None, float | None]]:
        """Dice and evidence of links that were aligned."""
        if not len(self.aligned.dice):
            return [(None, None)] * len(links.exact)
        dice, evidence = self.aligned.measures(links)
        return [(None, None) if d != d else (round(d, 4), round(e, 2))
                for d, e in zip(dice.tolist(), evidence.tolist(), strict=True)]

    def _stars(self, rows: I64, leader: I64) -> Links:
        """Links between occurrences and the representatives of their groups."""
        t0, t1 = self.table.ranges.t0, self.table.ranges.t1
        low, high = np.minimum(leader, rows), np.maximum(leader, rows)  # of a group, they ascend by place
        return Links(t0[low], t1[low], t0[high], t1[high], np.zeros(len(rows), np.uint8))

    def measures(self, groups: I64) -> list[Measured]:
        """Measures of each occurrence of some groups, one group after the other, against its representative."""
        table = self.table
        rows, first = kernel.take_ranges(table.first, groups)
        out = [EQUAL] * len(rows)
        near = np.flatnonzero(np.repeat(table.kind[groups] == KINDS.index("near"), widths(first)))
        if not len(near):
            return out
        leader = np.searchsorted(near, np.repeat(first[:-1] + table.lead[groups], widths(first))[near])
        texts = span_texts(self.corpus, self.places.parts.take(rows[near]))
        pairs = dict.fromkeys(zip(leader.tolist(), texts, strict=True))  # members are often equal
        alike = indel_similarities([texts[lead] for lead, _ in pairs], [text for _, text in pairs], self.engine.threads)
        known = dict(zip(pairs, alike, strict=True))
        of_near = rows[near]
        columns = (near, leader, table.jaccard[of_near], table.containment[of_near])
        all_bags = self._bags(self._stars(of_near, of_near[leader]))
        for text, bags, at, lead, jaccard, contained in zip(texts, all_bags, *(column.tolist() for column in columns),
                                                            strict=True):
            indel = known[lead, text]
            out[at] = Measured(jaccard if self.options.unit == "page" else indel, jaccard, contained, indel, *bags)
        return out

    def all_measures(self) -> list[Measured]:
        """Measures of each occurrence of all groups."""
        return [measured for groups in self._batches() for measured in self.measures(groups)]

    def group(self, g: int) -> Group:
        """Group g; the last ones asked for are remembered."""
        if g not in self._groups:
            if len(self._groups) > REMEMBERED:
                self._groups.clear()
            self._groups[g] = next(self._make_groups(np.array([g])))
        return self._groups[g]

    def some(self, groups: Sequence[int]) -> list[Group]:
        """Different groups in any order, made together."""
        made = {group.id: group for group in self._make_groups(np.array(sorted(groups), np.int64))}
        return [made[g] for g in groups]

    def all_groups(self) -> Iterator[Group]:
        """All groups, made in batches; a few are remembered."""
        for batch in self._batches():
            known = [self._groups[g] for g in batch.tolist() if g in self._groups]
            groups = known if len(known) == len(batch) else list(self._make_groups(batch))
            if len(self.table) <= REMEMBERED:
                self._groups.update((group.id, group) for group in groups)
            yield from groups

    def _batches(self) -> Iterator[I64]:
        """All groups in batches of few places and not much text, the first one small."""
        parts, first = self.places.parts, self.table.first
        size = sums(parts.part_end - parts.part_start)[parts.first[first]]
        at, count = 0, 8
        while at < len(self.table):
            room = min(np.searchsorted(first, first[at] + BATCH_PLACES), np.searchsorted(size, size[at] + BATCH_BYTES))
            end = max(min(at + count, int(room), len(self.table)), at + 1)
            yield np.arange(at, end)
            at, count = end, 2 * count

    @cached_property
    def shown(self) -> Shown:
        """The places of groups as they are shown."""
        return shown_places(self.table)

    def _make_groups(self, groups: I64) -> Iterator[Group]:
        """Some groups, in ascending order."""
        shown, first = kernel.take_ranges(self.shown.first, groups)
        rows, copies = self.shown.row[shown], self.shown.copies[shown]
        measured = self.measures(groups)
        at = sums(self.table.first[groups + 1] - self.table.first[groups])[:-1]  # of each group among the measured
        each = (rows + np.repeat(at - self.table.first[groups], widths(first))).tolist()
        occurrences = self.places.occurrences(rows, copies, [measured[i] for i in each])
        leads = self.table.first[groups] + self.table.lead[groups]
        places = np.searchsorted(rows, leads)  # they ascend
        for g, row, place, (start, end) in zip(groups.tolist(), leads.tolist(), places.tolist(),
                                               itertools.pairwise(first.tolist()), strict=True):
            mine = tuple(occurrences[start:end])
            similarity = min(place.similarity for place in mine)
            yield self._group(g, row, place - start, mine, similarity, any(place.copies > 1 for place in mine))

    def begun(self, g: int) -> Group:
        """Group g, with a sequence of its places that makes them when they are asked for."""
        rows, copies = (column[self.shown.first[g]:self.shown.first[g + 1]] for column in (self.shown.row, self.shown.copies))
        own, measured = rows - self.table.first[g], self.measures(np.array([g]))
        known: dict[int, Occurrence] = {}

        def make(begin: int, end: int) -> list[Occurrence]:
            new = [i for i in range(begin, end) if i not in known]
            made = self.places.occurrences(rows[new], copies[new], [measured[i] for i in own[new].tolist()])
            known.update(zip(new, made, strict=True))
            return [known[i] for i in range(begin, end)]
        lead = int(self.table.first[g] + self.table.lead[g])
        similarity = 1.0 if KINDS[self.table.kind[g]] != "near" else min(measured[i].similarity for i in own.tolist())
        places = cast("tuple[Occurrence, ...]", InBatches(lambda: len(rows), make))
        return self._group(g, lead, int(np.searchsorted(rows, lead)), places, similarity, bool((copies > 1).any()))

    def stands(self, g: int) -> tuple[int, int]:
        """How often the text of group g stands, and how often of that in the references."""
        page = self.table.page[self.table.first[g]:self.table.first[g + 1]]
        return len(page), int((page < (self.corpus.references or 0)).sum())

    def _group(self, g: int, row: int, lead: int, occurrences: tuple[Occurrence, ...], similarity: float,
               in_a_row: bool) -> Group:
        kind = KINDS[self.table.kind[g]]
        period = self._period(row) if in_a_row else None
        related = tuple(other for other in self._families.get(int(self.table.family[g]), []) if other != g)
        blocks = int(self.places.last_block[row] - self.places.first_block[row]) + 1
        truncated = bool(self.table.cut[g]) or (self.truncated and kind == "near")
        tokens = round(float(self._tokens[g]), 1)
        text = occurrences[lead].text
        leader = int(self.part_of[g])
        return Group(g, kind, similarity, tokens, blocks, text, occurrences, related, truncated, lead, period,
                     None if leader < 0 else leader)

    def _period(self, row: int) -> float:
        """Length of the shortest text of which the text of a place is made, in tokens."""
        begin, end = self.places.bytes_of(np.array([row]))
        period = period_of(kernel.hash_tokens(self.corpus.text, begin, end, self.corpus.flags)[0])
        t0 = self.table.ranges.t0[row:row + 1]
        return round(float(range_halves(self.engine, self.corpus, t0, t0 + period)[0]) / 2, 1)

    @property
    def groups(self) -> GroupList:
        """All groups."""
        return GroupList(lambda: len(self.table), self.group, self.all_groups, self.wasted_chars, lambda: self.part_of,
                         self.page_ids, self.some, self.begun, self.stands)

    def page_ids(self) -> Iterator[list[str]]:
        """Ids of the pages of each group, in order, each once."""
        names, pages = self.corpus.pages, self.table.page.tolist()
        known = {page: names.id(page) for page in dict.fromkeys(pages)}
        for begin, end in itertools.pairwise(self.table.first.tolist()):
            yield [known[page] for page in dict.fromkeys(pages[begin:end])]

    @cached_property
    def part_of(self) -> I64:
        """The group beneath which each group is told, -1 for none: always without ``fold_parts``."""
        if not self.options.fold_parts:
            return np.full(len(self.table), -1)
        ranges = self.table.ranges
        return part_of(ranges.t0, ranges.t1, self.table.owner, self.wasted_chars())

    def wasted_chars(self) -> I64:
        """Characters of each group that would not be needed if its text stood once, or in the references only."""
        first, lead = self.places.parts.first, self.table.representative
        before = sums(self.places.part_end - self.places.part_start)
        copies: I64 = widths(self.table.first) - 1
        if self.corpus.references is not None:
            copies = np.bincount(self.table.owner[self.table.page >= self.corpus.references], minlength=len(self.table))
        wasted: I64 = copies * (before[first[lead + 1]] - before[first[lead]])
        return wasted

    @cached_property
    def links(self) -> LinkTable:
        """All verified links as columns."""
        whole, parts, first = self.passages.whole, self.passages.parts, self.passages.first
        sides = []
        for t0, t1, p0, p1 in ((whole.a0, whole.a1, parts.a0, parts.a1), (whole.b0, whole.b1, parts.b0, parts.b1)):
            ranges = locate(self.engine, self.corpus, p0, p1)
            sides.append(Places(self.engine, self.corpus, page_of(self.corpus, t0), block_of(self.corpus, t0),
                                block_of(self.corpus, t1 - 1),
                                Spans(ranges.start, ranges.end, first, (ranges.start_char, ranges.end_char))))
        return LinkTable(self.corpus, sides[0], sides[1], whole.exact, self._bags(whole), self.options.shingle_tokens,
                         self.options.unit == "page")

    @cached_property
    def pairs(self) -> PairList:
        """All verified links."""
        return PairList(lambda: self.links)
