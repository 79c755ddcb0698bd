"""Stage 8, second half: verified links become groups.

Components over verified links only; then each member is checked against the group's representative (``representatives.py``).
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from dedup.columns import owners, rows_of, sums, widths
from dedup.components import components_apart, distinct_places, joined
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.filed import column_of_large
from dedup.kernel import kernel
from dedup.matched_parts import LeftOut, in_step, left_out, matched_parts
from dedup.model import Kind
from dedup.order import in_order, order_of
from dedup.page_pairs import PagePairs
from dedup.places import TokenRanges, locate, row_ranges
from dedup.representatives import Members, led, with_left_alone
from dedup.runs import Passages
from dedup.seeds import Repeats
from dedup.verify import Spans, span_digests, spans_together

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LOOK_AROUND = 64  # places before one that may hold it
STRETCH, NEAR = 25, 16  # bits of a place: of a stretch that is compared with all others, and of what lies together
KINDS: tuple[Kind, ...] = ("exact", "near", "contained")
# Of a member: whole blocks; a part of one block; in a passage; unlike its representative; that; measured; several parts.
WHOLE, INSIDE, LINKED, UNLIKE, LEADS, MEASURED, PARTED = (np.uint8(1 << n) for n in range(7))
CONTAINED = WHOLE | INSIDE  # of a group: one member is whole blocks, another one inside a longer block


class Groups(Struct, frozen=True):
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
            jaccard=self.jaccard[rows], containment=self.containment[rows], parts=self.parts.take(rows_of(rows)))

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
                       parts=whole.parts.take(rows_of(rows)))

    @property
    def owner(self) -> I64:
        """Group of each occurrence."""
        return owners(self.first)

    @property
    def representative(self) -> I64:
        """Row of each group's representative."""
        return self.first[:-1] + self.lead


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
    segments = repeats.pop() if repeats else None
    if not len(passages.whole.a0) and (segments is None or not len(segments.position)):
        return no_groups()
    places = distinct_places(passages, segments)
    joining = engine.begin(partial(joined, corpus, passages, segments, pairs, places))
    located = locate(engine, corpus, places.t0, places.t1)
    nodes, component, overlapping = joining.result()
    component, cut = components_apart(engine, corpus, passages, nodes, component, overlapping, pairs)
    spans, ranges = matched_parts(engine, corpus, passages, places.row, nodes.leader, component, located), located.tokens
    links, in_passage = (nodes.a, nodes.b), nodes.leader < 2 * len(passages.whole.a0)
    blocks = _whole_blocks(corpus, spans, ranges) if not nodes.exact.all() else np.full(len(component), -1)
    del places, joining, located, nodes  # columns are as long as there are places: hold none that is not needed
    engine.settle()
    digest, unequal = _compared(engine, corpus, component, spans, blocks)
    del blocks
    page = corpus.block_page[ranges.first_block] if not pairs.every else np.empty(0, np.int64)
    late = pairs.side[page] > 0 if pairs.side is not None else np.zeros(len(component), bool)
    members, times = led(engine, corpus, component, spans, ranges, digest, unequal, links, late, threshold, size)
    members = with_left_alone(engine, corpus, members, component, links, times, page, pairs, late, spans, size)
    del links, times
    engine.settle()
    order, first = _groups_in_order(ranges, members)
    said, row = np.zeros(len(component), bool), members.row[order]
    said[cut] = True  # a group that left something out stays, and says so
    gaps = left_out(corpus, spans)
    asking = engine.begin(partial(_implied, ranges, row, first, said[component[row[first[:-1]]]], gaps))
    del row
    spans, span, of_leader = _in_step(engine, corpus, members, component, ranges, spans, gaps)
    unlike = _unlike(engine, corpus, members, component, spans, digest, span, of_leader)
    kept = ~asking.result()
    if not kept.all():
        order, first = order[np.repeat(kept, widths(first))], sums(widths(first)[kept])
    return _table(engine, corpus, ranges, members, order, first, component, said, spans, span, unlike, in_passage)


def _whole_blocks(corpus: Corpus, spans: Spans, ranges: TokenRanges) -> I64:
    """The block whose tokens each span has, all of them; -1 where there is none.

    Args:
        ranges: What the spans hold, and what they leave out.
    """
    block = ranges.first_block
    whole = corpus.token_first[block] == ranges.t0
    whole &= corpus.token_first[block + 1] == ranges.t1
    whole &= widths(spans.first) == 1
    return np.where(whole, block, -1)


def _compared(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans, blocks: I64) -> tuple[U64, Flags]:
    """A number of each node: those of one component that have the same one were compared token by token and are equal.

    Args:
        blocks: Of ``_whole_blocks``, or -1 where it does not pay to look: those of unlike fingerprints are not compared.

    Returns:
        The numbers, and of the first node of each component whether some of its nodes have another one.
    """
    known, same = rows_of(blocks >= 0), np.ones(len(component), bool)
    one, other = blocks[known], blocks[component[known]]
    same[known[(other >= 0) & (corpus.fingerprint[one] != corpus.fingerprint[other])]] = False
    rows = rows_of(same)
    same[rows] = _equal(engine, corpus, spans, rows, component[rows])
    unlike = np.zeros(len(component), bool)
    unlike[component[rows_of(~same)]] = True
    if not unlike.any():
        return component.view(np.uint64), unlike
    number, rows = component.astype(np.uint64), rows_of(unlike[component])
    number[rows] = _told_apart(engine, corpus, component[rows], spans.take(rows), blocks[rows])
    return number, unlike


def _told_apart(engine: LocalEngine, corpus: Corpus, component: I64, spans: Spans, blocks: I64) -> U64:
    """The same for components whose rows are not all equal to their first one. Rows with unlike texts have unlike numbers."""
    digest, others = corpus.fingerprint[blocks], rows_of(blocks < 0)
    digest[others] = span_digests(engine, corpus, spans.take(others) if len(others) < len(spans) else spans)
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
    order = _by_both_places(spans, span, other) if engine.is_bounded else None

    def compare(rows: slice) -> npt.NDArray[np.uint8]:
        some = rows if order is None else order[rows]
        return kernel.equal_spans(corpus.text, spans.part_start, spans.part_end, spans.first, span[some], other[some],
                                  corpus.flags)
    found: Flags = np.concatenate(engine.map(compare, row_ranges(len(span)))).view(bool)
    if order is None:
        return found
    same = np.empty(len(span), bool)
    same[order] = found
    return same


def _by_both_places(spans: Spans, span: I64, other: I64) -> I64:
    """An order of pairs of spans in which text is looked at stretch by stretch, what it is compared with ascending."""
    x, y = (spans.part_start[spans.first[side]] for side in (span, other))
    return order_of((x >> STRETCH << 32 | y >> NEAR).view(np.uint64))


def _groups_in_order(ranges: TokenRanges, members: Members) -> tuple[I64, I64]:
    """Members of groups of two or more, and the first one of each group: by first occurrence, longer ones first."""
    group = members.group
    counts = np.bincount(group)
    head = np.zeros(len(counts), np.int64)
    head[group[::-1]] = members.row[::-1]  # rows of a group ascend by place already
    several = rows_of(counts > 1)
    t0, length = ranges.t0[head[several]], ranges.t1[head[several]] - ranges.t0[head[several]]  # both are below 2^32
    most = int(length.max(initial=0))
    several = several[in_order(t0 << most.bit_length() | most - length)]
    rank = np.full(len(counts), len(several))
    rank[several] = np.arange(len(several))
    first = sums(counts[several])
    return in_order(rank[group])[:first[-1]], first


def _implied(ranges: TokenRanges, row: I64, first: I64, stays: Flags, gaps: LeftOut) -> Flags:
    """Groups whose places lie in step, each in another one, in the places of one longer group.

    Passages take in the shorter ones between the same two places. What two members of a group have in common that are
    linked only to the representative says no more than the group does. What places leave out is not in them: a paragraph
    that changed places with its neighbour. A group that left something out (`stays`) says so.

    Args:
        row, first: Rows of the groups, and where those of each begin.
        gaps: What each place leaves out, by row.
    """
    asked, implied = rows_of(~stays), np.zeros(len(first) - 1, bool)
    implied[asked] = kernel.implied_groups(first, ranges.t0[row], ranges.t1[row], asked, LOOK_AROUND, row, gaps.place,
                                           gaps.t0, gaps.t1)
    return implied


def _table(engine: LocalEngine, corpus: Corpus, ranges: TokenRanges, members: Members, order: I64, first: I64, component: I64,
           cut: Flags, spans: Spans, span: I64, unlike: Flags, in_passage: Flags) -> Groups:
    """The columns of groups whose members are given in order.

    Args:
        span: Of each member, which of the spans it has.
        unlike: Of ``_unlike``.
        cut: Components that left something out, by number.
    """
    said, size = _said(engine, corpus, ranges, members, spans, span, unlike, in_passage)[order], len(corpus.text)
    count = len(order)
    parted, parts_of = rows_of(said & PARTED > 0), np.ones(count, np.int64)
    parts_of[parted] = widths(spans.first)[span[order[parted]]]
    part_first, block_page, near = sums(parts_of), corpus.block_page, in_order(members.near)
    lead, kind, linked = np.empty_like(first[1:]), np.empty(len(first) - 1, np.int8), np.empty(len(first) - 1, bool)
    t0, t1, first_block, last_block, page = (column_of_large(count, np.int64, size) for _ in range(5))
    figures = tuple(column_of_large(count, np.float64, size) for _ in range(2))
    start, end, *chars = (column_of_large(int(part_first[-1]), np.int64, size) for _ in range(4))
    of_rows = (t0, ranges.t0), (t1, ranges.t1), (first_block, ranges.first_block), (last_block, ranges.last_block)
    of_parts = tuple(zip((start, end, *chars), (spans.part_start, spans.part_end, *(spans.chars or ())), strict=True))

    def fill(groups: slice) -> None:  # column by column: what one of them took in memory is there for the next
        begins = first[groups.start:groups.stop + 1]
        rows = slice(int(begins[0]), int(begins[-1]))
        begins, nth, bits = begins[:-1] - begins[0], order[rows], said[rows]
        some = np.bitwise_or.reduceat(bits, begins)
        lead[groups], linked[groups] = rows_of(bits & LEADS > 0) - begins, some & LINKED > 0
        kind[groups] = np.where(some & UNLIKE, 1, np.where(some & CONTAINED == CONTAINED, 2, 0))
        own = members.row[nth]
        for column, values in of_rows:
            column.write(rows.start, values[own])
        page.write(rows.start, block_page[ranges.first_block[own]])
        measured = rows_of(bits & MEASURED > 0)
        at = near[np.searchsorted(members.near, nth[measured], sorter=near)]
        for figure, known in zip(figures, (members.jaccard, members.containment), strict=True):
            alike = np.ones(len(nth))
            alike[measured] = known[at]
            figure.write(rows.start, alike)
        part = _parts_of(spans.first, span[nth], rows_of(bits & PARTED > 0))
        for column, values in of_parts:
            column.write(int(part_first[rows.start]), values[part])
    engine.map(fill, [groups for groups in _ranges_of_groups(first) if groups.start < groups.stop])
    family = component[members.row[order[first[:-1]]]]
    return Groups(first, lead, kind, family, linked, cut[family],
                  TokenRanges(t0.values, t1.values, first_block.values, last_block.values), page.values, figures[0].values,
                  figures[1].values, Spans(start.values, end.values, part_first, (chars[0].values, chars[1].values)))


def _said(engine: LocalEngine, corpus: Corpus, ranges: TokenRanges, members: Members, spans: Spans, span: I64, unlike: Flags,
          in_passage: Flags) -> U8:
    """What the table is to know of each member, as bits: looked up in another order in a tenth of the time of columns."""
    of_place = np.empty(len(ranges), np.uint8)

    def look(rows: slice) -> None:
        block, last = ranges.first_block[rows], ranges.last_block[rows]
        whole = (corpus.token_first[block] == ranges.t0[rows]) & (corpus.token_first[last + 1] == ranges.t1[rows])
        of_place[rows] = np.where(whole, WHOLE, np.where(block == last, INSIDE, 0)) | in_passage[rows] * LINKED
    engine.map(look, row_ranges(len(ranges)))
    said: U8 = of_place[members.row]
    for flags, bit in ((members.row == members.leader, LEADS), (unlike, UNLIKE), ((widths(spans.first) > 1)[span], PARTED)):
        said |= flags.view(np.uint8) * bit
    said[members.near] |= MEASURED
    return said


def _parts_of(first: I64, span: I64, parted: I64) -> I64:
    """The parts of some spans, one span after the other.

    Args:
        first: Of ``Spans``.
        parted: Which of them have several.
    """
    part = first[span]
    if not len(parted):
        return part
    several, begins = kernel.take_ranges(first, span[parted])
    later = np.ones(len(several), bool)
    later[begins[:-1]] = False
    return np.insert(part, np.repeat(parted + 1, widths(begins) - 1), several[later])


def _in_step(engine: LocalEngine, corpus: Corpus, members: Members, component: I64, ranges: TokenRanges, spans: Spans,
             gaps: LeftOut) -> tuple[Spans, I64, I64]:
    """The parts of members and of their representatives, in step where these are of another component.

    Returns:
        Spans, and which one each member and which one its representative has.
    """
    row, leader = members.row, members.leader
    beside = members.added + rows_of(component[row[members.added:]] != component[leader[members.added:]])
    if not len(beside):
        return spans, row, leader
    parts_of = np.diff(spans.first)
    beside = beside[np.maximum(parts_of[row[beside]], parts_of[leader[beside]]) > 1]
    if not len(beside):
        return spans, row, leader
    parts, as_long = in_step(engine, corpus, ranges, gaps, leader[beside], row[beside])
    count, new = len(spans), np.arange(len(beside))[as_long]
    beside = beside[as_long]
    span, of_leader, leads = row.copy(), leader.copy(), rows_of(row == leader)
    of_leader[beside], span[beside] = count + new, count + len(as_long) + new
    order = np.argsort(members.group[leads], kind="stable")
    leads = leads[order[np.searchsorted(members.group[leads], members.group[beside], sorter=order)]]
    span[leads] = of_leader[leads] = count + new
    return spans_together(spans, parts), span, of_leader


def _unlike(engine: LocalEngine, corpus: Corpus, members: Members, component: I64, spans: Spans, digest: U64, span: I64,
            of_leader: I64) -> Flags:
    """Members that have not the text of their representative.

    Args:
        span, of_leader: Of ``_in_step``.
    """
    near, unlike = members.near, np.zeros(len(members.row), bool)
    row, leader = members.row[near], members.leader[near]
    unlike[near] = digest[row] != digest[leader]
    across = near[component[row] != component[leader]]  # there, digests say nothing of each other
    unlike[across] = ~_equal(engine, corpus, spans, span[across], of_leader[across])
    return unlike


def _ranges_of_groups(first: I64) -> list[slice]:
    """Groups in a few ranges of about as many rows."""
    edges = [int(np.searchsorted(first, rows.start)) for rows in row_ranges(int(first[-1]))]
    return [slice(a, b) for a, b in pairwise([*edges, len(first) - 1])]
