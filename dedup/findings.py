"""From columns to what people read: groups and pairs are made when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dedup.align import NOTHING, Aligned
from dedup.blocks import Corpus, sums
from dedup.engines.local import LocalEngine
from dedup.groups import KINDS, Groups
from dedup.kernel import kernel
from dedup.lazy import Lazy
from dedup.model import Group
from dedup.occurrences import EQUAL, Measured, Places
from dedup.options import Options
from dedup.page_pairs import PagePairs
from dedup.pair_list import LinkTable, PairList
from dedup.places import block_of, locate, page_of, range_halves
from dedup.runs import Links, Passages, concatenated
from dedup.tandems import Shown, period_of, shown_places
from dedup.verify import Spans, indel_similarity

I64 = npt.NDArray[np.int64]


class GroupList(Lazy[Group]):
    """The groups of a scan; ``wasted_chars`` ranks them without making one: ``report.gather.wasted_chars`` of each."""

    def __init__(self, count: Callable[[], int], make: Callable[[int], Group], wasted_chars: Callable[[], I64]) -> None:
        super().__init__(count, make)
        self.wasted_chars = wasted_chars


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
    kept = passages.take(~(places & (passages.whole.exact == 1)))
    new = ~np.isin(star.keys("ab"), kept.whole.keys("ab")) & (exact | ~groups.linked[groups.owner[later]])
    new &= shown[later]
    new[new] = _first_of_each(star.take(new).keys("ab"))
    more = star.take(new)
    order = np.lexsort((np.concatenate([kept.whole.b0, more.b0]), np.concatenate([kept.whole.a0, more.a0])))
    first = np.concatenate([kept.first, kept.first[-1] + 1 + np.arange(len(more.a0))])
    return Passages(concatenated(kept.whole, more), first, concatenated(kept.parts, more)).in_order(order)


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
    """

    def __init__(self, corpus: Corpus, groups: Groups, passages: Passages, pairs: PagePairs, options: Options,
                 truncated: bool = False, aligned: Aligned = NOTHING) -> None:
        self.aligned, self.pairs_that_count = aligned, pairs
        self.corpus, self.table, self.options, self.truncated = corpus, groups, options, truncated
        self.engine = LocalEngine(options.threads)
        self.places = Places(self.engine, corpus, groups.page, groups.ranges.first_block, groups.ranges.last_block,
                             groups.parts)
        self._passages = passages
        self._groups: dict[int, Group] = {}

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

    @cached_property
    def _bags(self) -> tuple[list[tuple[float | None, float | None]], list[tuple[float | None, float | None]]]:
        """Dice and evidence of each occurrence against its group's representative, and of each verified link."""
        leader = self.table.representative[self.table.owner] if len(self.table) else self.table.owner
        t0, t1, row = self.table.ranges.t0, self.table.ranges.t1, np.arange(len(leader))
        low, high = np.minimum(leader, row), np.maximum(leader, row)  # of a group, they ascend by place
        stars = Links(t0[low], t1[low], t0[high], t1[high], np.zeros(len(t0), np.uint8))
        both = []
        for links in (stars, self.passages.whole):
            dice, evidence = self.aligned.measures(links)
            both.append([(None, None) if d != d else (round(d, 4), round(e, 2))
                         for d, e in zip(dice.tolist(), evidence.tolist(), strict=True)])
        return both[0], both[1]

    def similarities(self, g: int) -> list[Measured]:
        """Measures of each occurrence of a group against its representative."""
        rows = range(int(self.table.first[g]), int(self.table.first[g + 1]))
        if KINDS[self.table.kind[g]] != "near":
            return [EQUAL] * len(rows)
        first, known = self.places.normalised(rows[self.table.lead[g]]), {}
        out = []
        for row in rows:
            text = self.places.normalised(row)
            if text not in known:
                known[text] = indel_similarity(first, text)
            jaccard = float(self.table.jaccard[row])
            out.append(Measured(jaccard if self.options.unit == "page" else known[text], jaccard,
                                float(self.table.containment[row]), known[text],
                                *(self._bags[0][row] if len(self.aligned.dice) else (None, None))))
        return out

    def group(self, g: int) -> Group:
        """Group g; the last ones asked for are remembered."""
        if g not in self._groups:
            if len(self._groups) > 4096:
                self._groups.clear()
            self._groups[g] = self._make_group(g)
        return self._groups[g]

    @cached_property
    def shown(self) -> Shown:
        """The places of groups as they are shown."""
        return shown_places(self.table)

    def _make_group(self, g: int) -> Group:
        shown = slice(int(self.shown.first[g]), int(self.shown.first[g + 1]))
        rows, copies = self.shown.row[shown].tolist(), self.shown.copies[shown].tolist()
        lead_row = int(self.table.representative[g])
        lead = rows.index(lead_row)
        kind, period = KINDS[self.table.kind[g]], None
        if max(copies) > 1:
            measured = [EQUAL]
            occurrences = tuple(self.places.stretch(row, n) if n > 1 else self.places.occurrence(row)
                                for row, n in zip(rows, copies, strict=True))
            period = self._period(lead_row)
        else:
            measured = self.similarities(g)
            occurrences = tuple(self.places.occurrence(row, m) for row, m in zip(rows, measured, strict=True))
        related = tuple(other for other in self._families.get(int(self.table.family[g]), []) if other != g)
        blocks = int(self.places.last_block[lead_row] - self.places.first_block[lead_row]) + 1
        truncated = bool(self.table.cut[g]) or (self.truncated and kind == "near")
        return Group(g, kind, min(m.similarity for m in measured), round(float(self._tokens[g]), 1), blocks,
                     occurrences[lead].text, occurrences, related, truncated, lead, period)

    def _period(self, row: int) -> float:
        """Length of the shortest text of which the text of a place is made, in tokens."""
        begin, end = self.places.bytes_of(np.array([row]))
        period = period_of(kernel.hash_tokens(self.corpus.text, begin, end, self.corpus.flags)[0])
        t0 = self.table.ranges.t0[row:row + 1]
        return round(float(range_halves(self.engine, self.corpus, t0, t0 + period)[0]) / 2, 1)

    @property
    def groups(self) -> GroupList:
        """All groups."""
        return GroupList(lambda: len(self.table), self.group, self.wasted_chars)

    def wasted_chars(self) -> I64:
        """Characters of each group that would not be needed if its text stood once, or in the references only."""
        first, lead = self.places.parts.first, self.table.representative
        before = sums(self.places.part_end - self.places.part_start)
        copies: I64 = np.diff(self.table.first) - 1
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
                                block_of(self.corpus, t1 - 1), Spans(ranges.start, ranges.end, first)))
        bags = self._bags[1] if len(self.aligned.dice) else [(None, None)] * len(whole.exact)
        return LinkTable(self.corpus, sides[0], sides[1], whole.exact, bags, self.options.shingle_tokens,
                         self.options.unit == "page")

    @cached_property
    def pairs(self) -> PairList:
        """All verified links."""
        return PairList(lambda: self.links)
