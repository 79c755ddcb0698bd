"""From columns to what people read: groups and pairs are made when somebody asks for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.aligned import NOTHING, Aligned
from dedup.blocks import input_digest
from dedup.columns import sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.groups import KINDS, Groups
from dedup.kernel import kernel
from dedup.lazy import InBatches, Lazy
from dedup.matched_parts import LeftOut, left_out
from dedup.model import Group, Occurrence
from dedup.nested import part_of
from dedup.occurrences import Measured, OccurrenceColumns, Places
from dedup.options import Options
from dedup.page_pairs import PagePairs
from dedup.pair_list import LinkTable, PairList
from dedup.places import block_of, locate, page_of, range_halves
from dedup.runs import Links, Passages, concatenated
from dedup.tandems import Shown, period_of, shown_places
from dedup.verify import (
    Spans,
    indel_similarities,
    long_spans,
    similarity_of_bytes,
    span_batches,
    span_bytes,
    span_texts,
)

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
REMEMBERED = 4096  # groups
BATCH_PLACES, BATCH_BYTES = 10_000, 1_000_000  # of groups made together, beyond one group


class GroupList(Lazy[Group]):
    """The groups of a scan, and what can be said of all of them without making one.

    Attributes:
        findings: What they are made from.
        wasted_chars: ``report.gather.wasted_chars`` of each.
        part_of: The group beneath which each is told, -1 for none.
        page_ids: Ids of the pages of each.
        some: Different groups in any order, made together.
        begun: A group whose places are made when they are asked for: of a footer on all pages a report shows five.
        stands: How often the text of a group stands, and how often of that in the references.
    """

    def __init__(self, findings: Findings) -> None:
        super().__init__(lambda: len(findings.table), findings.group)
        self.findings, self.wasted_chars, self.page_ids = findings, findings.wasted_chars, findings.page_ids
        self.some, self.begun, self.stands = findings.some, findings.begun, findings.stands

    def part_of(self) -> I64:
        """Of ``Findings.part_of``."""
        return self.findings.part_of

    def any_near(self) -> bool:
        """Whether the texts of any group differ."""
        return bool((self.findings.table.kind == KINDS.index("near")).any())

    def __iter__(self) -> Iterator[Group]:
        return self.findings.all_groups()


class GroupHeads(Struct, frozen=True):
    """Groups as people read them, without their places; ``model.Group`` says what the columns are.

    Attributes:
        kind: Index into ``KINDS``.
        lead: Which of its occurrences the representative is.
        part_of: -1 for none.
        related, period: Of the groups that have them, by id.
    """

    id: I64
    kind: npt.NDArray[np.int8]
    similarity: F64
    tokens: F64
    blocks: I64
    lead: I64
    truncated: npt.NDArray[np.bool_]
    part_of: I64
    related: dict[int, tuple[int, ...]]
    period: dict[int, float]

    def groups(self, occurrences: Iterable[tuple[Occurrence, ...]]) -> Iterator[Group]:
        """The groups, each with its occurrences."""
        columns = (column.tolist() for column in (self.id, self.kind, self.similarity, self.tokens, self.blocks, self.lead,
                                                  self.truncated, self.part_of))
        for g, kind, similarity, tokens, blocks, lead, truncated, leader, places in zip(*columns, occurrences, strict=True):
            yield Group(g, KINDS[kind], similarity, tokens, blocks, places[lead].text, places, self.related.get(g, ()),
                        truncated, lead, self.period.get(g), None if leader < 0 else leader)


class GroupColumns(Struct, frozen=True):
    """Groups with their places as columns; those of the i-th group are ``first[i]`` to ``first[i + 1]``."""

    heads: GroupHeads
    first: I64
    places: OccurrenceColumns
    measured: Measured

    def lead_text(self, text: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], I64, I64]:
        """The text, and where that of each group's representative starts and ends in it."""
        lead = self.first[:-1] + self.heads.lead
        return text, self.places.text_start[lead], self.places.text_end[lead]

    def part(self, begin: int, end: int) -> GroupColumns:
        """Some of the places of one group."""
        rows = slice(begin, end)
        return GroupColumns(self.heads, np.array([0, end - begin]), self.places.part(rows), self.measured.part(rows))


def rounded(values: F64, digits: int) -> F64:
    """Numbers as Python rounds them; NumPy may differ in the last digit.

    >>> rounded(np.array([0.00015, np.nan, 0.00015]), 4).tolist()
    [0.0001, nan, 0.0001]
    """
    different, row = np.unique(values, return_inverse=True)
    return np.array([round(value, digits) for value in different.tolist()], np.float64)[row]


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
        self.engine.has_read(int(corpus.page_start[-1]))
        self.places = Places(self.engine, corpus, groups.page, groups.ranges.first_block, groups.ranges.last_block,
                             groups.parts)
        self._passages = passages
        self._groups: dict[int, Group] = {}
        self._long: dict[tuple[int, int], float] = {}  # Indel similarity of very long occurrences

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
        """Length of each group's representative in tokens: of its parts."""
        lead, ranges = self.table.representative, self.table.ranges
        halves = range_halves(self.engine, self.corpus, ranges.t0[lead], ranges.t1[lead])
        if len(self.left_out.place):
            halves -= self.left_out.halves(self.corpus, len(self.table.page))[lead]
        return halves / 2

    @cached_property
    def left_out(self) -> LeftOut:
        """What occurrences leave out, by row."""
        return left_out(self.corpus, self.table.parts)

    def _bags(self, links: Links) -> tuple[F64, F64]:
        """Dice and evidence of links, NaN of those that were not aligned."""
        dice, evidence = self.aligned.measures(links)
        return rounded(dice, 4), rounded(evidence, 2)

    def _stars(self, rows: I64, leader: I64) -> Links:
        """Links between occurrences and the representatives of their groups."""
        t0, t1 = self.table.ranges.t0, self.table.ranges.t1
        low, high = np.minimum(leader, rows), np.maximum(leader, rows)  # of a group, they ascend by place
        return Links(t0[low], t1[low], t0[high], t1[high], np.zeros(len(rows), np.uint8))

    def measures(self, groups: I64) -> Measured:
        """Measures of each occurrence of some groups, one group after the other, against its representative."""
        table = self.table
        rows, first = kernel.take_ranges(table.first, groups)
        out = Measured.equal(len(rows))
        near = np.flatnonzero(np.repeat(table.kind[groups] == KINDS.index("near"), widths(first)))
        if not len(near):
            return out
        leader = np.searchsorted(near, np.repeat(first[:-1] + table.lead[groups], widths(first))[near])
        of_near = rows[near]
        out.indel[near] = self._indel(of_near, leader)
        out.jaccard[near], out.containment[near] = table.jaccard[of_near], table.containment[of_near]
        out.similarity[near] = (out.jaccard if self.options.unit == "page" else out.indel)[near]
        out.dice[near], out.evidence[near] = self._bags(self._stars(of_near, of_near[leader]))
        return out

    def _indel(self, rows: I64, lead: I64) -> F64:
        """Indel similarity of some occurrences, each to the one of them that leads its group, an index."""
        spans = self.places.parts.take(rows)
        found, long = np.ones(len(rows)), long_spans(spans)
        long |= long[lead]
        for row in np.flatnonzero(long & (lead != np.arange(len(rows)))).tolist():
            pair = int(rows[row]), int(rows[lead[row]])
            if pair not in self._long:  # measured once, whatever is written of it
                self._long[pair] = similarity_of_bytes(span_bytes(self.corpus, spans, int(lead[row])),
                                                       span_bytes(self.corpus, spans, row))
            found[row] = self._long[pair]
        short = np.flatnonzero(~long)
        for begin, end in span_batches(spans.take(short)):
            found[short[begin:end]] = self._indel_of_short(spans, short[begin:end], lead[short[begin:end]])
        return found

    def _indel_of_short(self, spans: Spans, rows: I64, lead: I64) -> list[float]:
        """Indel similarity of some spans, each to another one."""
        leads, other = np.unique(lead, return_inverse=True)
        leading = span_texts(self.corpus, spans.take(leads))
        pairs = list(zip(other.tolist(), span_texts(self.corpus, spans.take(rows)), strict=True))
        different = list(dict.fromkeys(pairs))  # members are often equal
        alike = indel_similarities([leading[lead] for lead, _ in different], [text for _, text in different],
                                   self.engine.threads)
        known = dict(zip(different, alike, strict=True))
        return [known[pair] for pair in pairs]

    def all_measures(self) -> Measured:
        """Measures of each occurrence of all groups."""
        return Measured.joined([self.measures(groups) for groups in self.batches()])

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
        for batch in self.batches():
            known = [self._groups[g] for g in batch.tolist() if g in self._groups]
            groups = known if len(known) == len(batch) else list(self._make_groups(batch))
            if len(self.table) <= REMEMBERED:
                self._groups.update((group.id, group) for group in groups)
            yield from groups

    def batches(self, first_groups: int = 8) -> Iterator[I64]:
        """All groups in batches of few places and not much text; the first ones are small: some look at few groups only."""
        parts, first = self.places.parts, self.table.first
        size = sums(parts.part_end - parts.part_start)[parts.first[first]]
        at, count = 0, first_groups
        while at < len(self.table):
            room = min(np.searchsorted(first, first[at] + BATCH_PLACES), np.searchsorted(size, size[at] + BATCH_BYTES))
            end = max(min(at + count, int(room), len(self.table)), at + 1)
            yield np.arange(at, end)
            at, count = end, 2 * count

    def together(self, groups: I64, most: int, places: int) -> Iterator[list[int]]:
        """Groups in any order in lists of few, few places and not much text, beyond one group."""
        parts, first = self.places.parts, self.table.first
        size = np.diff(sums(parts.part_end - parts.part_start)[parts.first[first]])
        made, room, left = list[int](), BATCH_BYTES, places
        for g, text, rows in zip(groups.tolist(), size[groups].tolist(), widths(first)[groups].tolist(), strict=True):
            if made and (len(made) == most or text > room or rows > left):
                yield made
                made, room, left = [], BATCH_BYTES, places
            made.append(g)
            room, left = room - text, left - rows
        if made:
            yield made

    def prepare(self) -> None:
        """Make what all batches need, before threads make these beside each other."""
        if len(self.table):
            self.columns(np.zeros(1, np.int64))

    @cached_property
    def shown(self) -> Shown:
        """The places of groups as they are shown."""
        return shown_places(self.table)

    def columns(self, groups: I64) -> GroupColumns:
        """Some groups, in ascending order, with all their places."""
        table = self.table
        shown, first = kernel.take_ranges(self.shown.first, groups)
        rows, copies = self.shown.row[shown], self.shown.copies[shown]
        at = sums(table.first[groups + 1] - table.first[groups])[:-1]  # of each group among the measured
        measured = self.measures(groups).take(rows + np.repeat(at - table.first[groups], widths(first)))
        lead = np.searchsorted(rows, table.first[groups] + table.lead[groups]) - first[:-1]  # rows ascend
        heads = self._heads(groups, lead, np.minimum.reduceat(measured.similarity, first[:-1]),
                            np.maximum.reduceat(copies, first[:-1]) > 1)
        return GroupColumns(heads, first, self.places.columns(rows, copies), measured)

    def _heads(self, groups: I64, lead: I64, similarity: F64, in_a_row: npt.NDArray[np.bool_]) -> GroupHeads:
        """What is said of groups beside their places."""
        table = self.table
        kind, family, leads = table.kind[groups], table.family[groups], table.first[groups] + table.lead[groups]
        related = {g: tuple(other for other in self._families[of] if other != g)
                   for g, of in zip(groups.tolist(), family.tolist(), strict=True) if of in self._families}
        return GroupHeads(
            groups, kind, similarity, rounded(self._tokens[groups], 1),
            self.places.last_block[leads] - self.places.first_block[leads] + 1, lead,
            table.cut[groups] | (kind == KINDS.index("near")) & self.truncated, self.part_of[groups], related,
            {int(groups[i]): self._period(int(leads[i])) for i in np.flatnonzero(in_a_row)})

    def _make_groups(self, groups: I64) -> Iterator[Group]:
        """Some groups, in ascending order."""
        columns = self.columns(groups)
        occurrences = self.places.occurrences(columns.places, columns.measured)
        edges = itertools.pairwise(columns.first.tolist())
        return columns.heads.groups(tuple(occurrences[start:end]) for start, end in edges)

    def begun(self, g: int) -> Group:
        """Group g, with a sequence of its places that makes them when they are asked for."""
        rows, copies = (column[self.shown.first[g]:self.shown.first[g + 1]] for column in (self.shown.row, self.shown.copies))
        measured = self.measures(np.array([g])).take(rows - self.table.first[g])
        known: dict[int, Occurrence] = {}

        def make(begin: int, end: int) -> list[Occurrence]:
            new = np.array([i for i in range(begin, end) if i not in known], np.int64)
            made = self.places.occurrences(self.places.columns(rows[new], copies[new]), measured.take(new))
            known.update(zip(new.tolist(), made, strict=True))
            return [known[i] for i in range(begin, end)]
        lead = np.searchsorted(rows, self.table.first[g:g + 1] + self.table.lead[g])
        heads = self._heads(np.array([g]), lead, measured.similarity.min(keepdims=True), copies.max(keepdims=True) > 1)
        return next(heads.groups([cast("tuple[Occurrence, ...]", InBatches(lambda: len(rows), make))]))

    def stands(self, g: int) -> tuple[int, int]:
        """How often the text of group g stands, and how often of that in the references."""
        page = self.table.page[self.table.first[g]:self.table.first[g + 1]]
        return len(page), int((page < (self.corpus.references or 0)).sum())

    def _period(self, row: int) -> float:
        """Length of the shortest text of which the text of a place is made, in tokens."""
        begin, end = self.places.bytes_of(np.array([row]))
        period = period_of(kernel.hash_tokens(self.corpus.text, begin, end, self.corpus.flags)[0])
        t0 = self.table.ranges.t0[row:row + 1]
        return round(float(range_halves(self.engine, self.corpus, t0, t0 + period)[0]) / 2, 1)

    @property
    def groups(self) -> GroupList:
        """All groups."""
        return GroupList(self)

    def page_ids(self) -> Iterator[list[str]]:
        """Ids of the pages of each group, in order, each once."""
        names, pages = self.corpus.pages, self.table.page.tolist()
        rows = list(dict.fromkeys(pages))
        known = dict(zip(rows, names.names(rows), strict=True))
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

    @property
    def pairs(self) -> PairList:
        """All verified links."""
        return PairList(lambda: self.links)
