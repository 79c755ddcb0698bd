"""Stage 8, first half: verified links between the same two pages that follow each other become one passage.

A run bridges edits of at most 16 tokens, and at most 3 unmatched or elsewhere-matched blocks of 40 tokens in sum; equal
short blocks extend it. What lies inside a longer passage in both places is absorbed by it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from dedup.columns import distinct_numbers, is_among, owners, rows_of, sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import Columns, LocalEngine
from dedup.equal_blocks import Distinct
from dedup.kernel import kernel
from dedup.order import order_of
from dedup.page_pairs import PagePairs
from dedup.places import MOST_RANGES, block_of, locate, page_of, range_halves, row_ranges
from dedup.seeds import Repeats
from dedup.verify import Spans, span_overlaps

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

MAX_EDIT = 16  # tokens of an edit inside a passage
LEAST_JACCARD = 0.4  # of the matched parts of a run with edits, as sets of pairs of tokens
MAX_COPIES = 64  # pairs of copies of two near classes that are all linked; of more, each copy with one
MAX_NEAR = 8  # classes that all copies of a class are linked to so; to others so many of its copies are
ALL = np.iinfo(np.int64).max


class Links(Struct, frozen=True):
    """Pairs of token ranges that are alike, a before b; `exact` where their texts are equal."""

    a0: I64
    a1: I64
    b0: I64
    b1: I64
    exact: U8

    def keys(self, sides: Literal["a", "b", "ab"]) -> npt.NDArray[np.uint64]:
        """A hash of the ranges on one side or both."""
        columns = [getattr(self, f"{side}{end}") for side in sides for end in "01"]
        rows = np.column_stack(columns).astype(np.uint64).reshape(-1)
        return kernel.range_digests(rows, np.arange(len(self.a0) + 1) * len(columns))

    @property
    def ranges(self) -> tuple[I64, I64, I64, I64]:
        """The token ranges alone."""
        return self.a0, self.a1, self.b0, self.b1

    def take(self, rows: npt.NDArray[np.bool_] | I64) -> Links:
        """Some of the rows."""
        return Links(self.a0[rows], self.a1[rows], self.b0[rows], self.b1[rows], self.exact[rows])


def no_links() -> Links:
    """Links of texts that have nothing in common."""
    none = np.empty(0, np.int64)
    return Links(none, none, none, none, np.empty(0, np.uint8))


class Passages(Struct, frozen=True):
    """Joined links; the matched stretches of passage i are its parts ``first[i]`` to ``first[i + 1]``, in step."""

    whole: Links
    first: I64
    parts: Links

    def in_order(self, order: I64) -> Passages:
        """The rows in another order."""
        part, first = kernel.take_ranges(self.first, order)
        return Passages(self.whole.take(order), first, self.parts.take(part))

    def take(self, rows: npt.NDArray[np.bool_]) -> Passages:
        """Some of the rows, with their parts."""
        return self.in_order(rows_of(rows))


def repeat_links(repeats: Repeats) -> Links:
    """The matches of two places as links."""
    return Links(repeats.a, repeats.a + repeats.length, repeats.b, repeats.b + repeats.length,
                 np.ones(len(repeats.a), np.uint8))


def near_links(corpus: Corpus, distinct: Distinct, a: I64, b: I64, pairs: PagePairs) -> Links:
    """Near pairs of classes of equal blocks as links between the blocks, ascending.

    All copies are linked with all where they are few, else each with the first one of the other class that it may pair with.
    A footer on all pages has more variants the more pages there are: where all pairs count, its copies are linked to
    ``MAX_NEAR`` of these, and its first ``MAX_NEAR`` copies to all.
    """
    if not len(a):
        return block_links(corpus, a, b, exact=False)
    counts, page = widths(distinct.first), corpus.block_page
    few = counts[a] * counts[b] <= MAX_COPIES
    found = [_all_with_all(distinct, a[few], b[few])]
    for x, y in ((a[~few], b[~few]), (b[~few], a[~few])):
        most = np.where(_first_of_each(x, corpus.fingerprint[distinct.block[y]]), ALL, MAX_NEAR) if pairs.every else ALL
        found.append(_each_with_one(distinct, page, x, y, pairs, most))
    x, y = (np.concatenate(side) for side in zip(*found, strict=True))
    counted = pairs.allows(page[x], page[y])
    return block_links(corpus, x[counted], y[counted], exact=False)


def _all_with_all(distinct: Distinct, a: I64, b: I64) -> tuple[I64, I64]:
    """Every block of class a with every one of class b."""
    counts = widths(distinct.first)
    times = counts[a] * counts[b]
    row = np.repeat(np.arange(len(a)), times)
    nth, wide = np.arange(len(row)) - np.repeat(sums(times)[:-1], times), counts[b][row]
    return distinct.member[distinct.first[a[row]] + nth // wide], distinct.member[distinct.first[b[row]] + nth % wide]


def _each_with_one(distinct: Distinct, page: I64, a: I64, b: I64, pairs: PagePairs, most: I64 | int) -> tuple[I64, I64]:
    """The blocks of class a, the first `most` of them, each with the first one of class b that it may pair with."""
    sides = []
    for classes, taken in ((a, most), (b, 1 if pairs.every else ALL)):
        count = np.minimum(widths(distinct.first)[classes], taken)
        row = np.repeat(np.arange(len(classes)), count)
        nth = np.arange(len(row)) - np.repeat(sums(count)[:-1], count)
        sides.append((row, distinct.member[distinct.first[classes[row]] + nth]))
    (of_x, x), (of_y, y) = sides
    partner = pairs.partners(of_x, page[x], of_y, page[y])
    return x[partner >= 0], y[partner[partner >= 0]]


def _first_of_each(owner: I64, key: U64) -> Flags:
    """Which rows are among the first ``MAX_NEAR`` of their owner, by a key."""
    order = np.lexsort((key, owner))
    begins = rows_of(np.append(True, owner[order][1:] != owner[order][:-1])[:len(order)])
    nth = np.arange(len(order)) - np.repeat(begins, widths(np.append(begins, len(order))))
    first = np.empty(len(order), bool)
    first[order] = nth < MAX_NEAR
    return first


def block_links(corpus: Corpus, a: I64, b: I64, exact: bool) -> Links:
    """Pairs of blocks as links, each pair once, ascending."""
    if not len(a):
        return no_links()
    key = distinct_numbers(np.minimum(a, b) << 32 | np.maximum(a, b))  # blocks are below 2^32, as tokens are
    a, b, first = key >> 32, key & 0xFFFFFFFF, corpus.token_first
    return Links(first[a], first[a + 1], first[b], first[b + 1], np.full(len(a), exact, np.uint8))


class Contained(Struct, frozen=True):
    """Pairs of texts of blocks of which one stands in the other whole: the exact match says more than that they are alike.

    It says so of all copies of the two: where a text stands twice, one match may be part of a longer one.

    Attributes:
        text: Of each block, the first one with the same text.
        known: The pairs, both ways, as numbers, ascending.
    """

    text: I64
    known: I64

    def among(self, a: I64, b: I64) -> Flags:
        """Whether pairs of blocks are such."""
        return is_among(self.text[a] * len(self.text) + self.text[b], self.known)


def contained_blocks(corpus: Corpus, distinct: Distinct, exact: Links) -> Contained:
    """Those that exact links show."""
    count = len(corpus.halves) + 1
    text = np.arange(count)
    text[distinct.member] = np.repeat(distinct.block, widths(distinct.first))
    inside = [np.empty(0, np.int64)]
    for a0, a1, b0, b1 in (exact.ranges, (exact.b0, exact.b1, exact.a0, exact.a1)):
        for whole, other, in_it in (_whole_first(corpus, a0, a1, b0), _whole_last(corpus, a0, a1, b1)):
            one, two = text[whole[in_it]], text[other[in_it]]
            inside += [one * count + two, two * count + one]
    return Contained(text, distinct_numbers(np.concatenate(inside)))


def without_contained(engine: LocalEngine, corpus: Corpus, near: Links, contained: Contained) -> Links:
    """Near pairs of blocks but those of which one stands in the other."""
    def asked(rows: slice) -> Flags:
        return contained.among(block_of(corpus, near.a0[rows]), block_of(corpus, near.b0[rows]))
    if not len(near.a0) or not len(contained.known):
        return near
    return near.take(~np.concatenate(engine.map(asked, row_ranges(len(near.a0)))))


def _whole_first(corpus: Corpus, a0: I64, a1: I64, b0: I64) -> tuple[I64, I64, Flags]:
    """The first blocks of matches, on both sides, and whether that of a is whole and stands inside that of b."""
    a, b, first = block_of(corpus, a0), block_of(corpus, b0), corpus.token_first
    return a, b, (first[a] == a0) & (first[a + 1] <= a1) & (first[b + 1] - b0 >= first[a + 1] - a0)


def _whole_last(corpus: Corpus, a0: I64, a1: I64, b1: I64) -> tuple[I64, I64, Flags]:
    """The same of the last blocks."""
    a, b, first = block_of(corpus, a1 - 1), block_of(corpus, b1 - 1), corpus.token_first
    return a, b, (first[a + 1] == a1) & (first[a] >= a0) & (b1 - first[b] >= a1 - first[a])


def concatenated(*parts: Links) -> Links:
    """Links one after the other."""
    a0, a1, b0, b1 = (np.concatenate([getattr(p, name) for p in parts]) for name in ("a0", "a1", "b0", "b1"))
    return Links(a0, a1, b0, b1, np.concatenate([p.exact for p in parts]))


def that_count(corpus: Corpus, links: Links, pairs: PagePairs) -> Links:
    """Links of pairs of pages that count."""
    if pairs.every:
        return links
    return links.take(pairs.allows(page_of(corpus, links.a0), page_of(corpus, links.b0)))


def segments_that_count(engine: LocalEngine, corpus: Corpus, repeats: Repeats, pairs: PagePairs, min_tokens: int) -> Repeats:
    """Segments of `min_tokens` or more, with the places that make a pair that counts; within a page, one segment a page."""
    if not len(repeats.position):
        return repeats
    leader = repeats.position[repeats.first[:-1]]
    long_enough = range_halves(engine, corpus, leader, leader + repeats.lengths) >= 2 * min_tokens
    rows = np.repeat(long_enough, widths(repeats.first))
    repeats = replace(repeats, first=sums(widths(repeats.first)[long_enough]), position=repeats.position[rows],
                      lengths=repeats.lengths[long_enough])
    if pairs.every or not len(repeats.position):
        return repeats
    segment = owners(repeats.first)
    page = page_of(corpus, repeats.position)
    kept = pairs.partners(segment, page) >= 0
    segment, page, position = segment[kept], page[kept], repeats.position[kept]
    begins = np.ones(len(segment), bool)
    begins[1:] = (segment[1:] != segment[:-1]) | (pairs.within & (page[1:] != page[:-1]))
    return replace(repeats, first=np.append(rows_of(begins), len(segment)), position=position,
                   lengths=repeats.lengths[segment[begins]])


def join_runs(engine: LocalEngine, corpus: Corpus, links: Links, min_tokens: int, max_edit: int = MAX_EDIT) -> Passages:
    """Passages made of the links; those whose matched parts are under `min_tokens` on a side are dropped.

    A run whose parts have too little in common as a whole is taken apart into its links again.

    Args:
        max_edit: Widest gap inside a passage, in tokens; 0 joins equal texts only.
    """
    if not len(links.a0):
        return Passages(links, np.zeros(1, np.int64), links)
    passages, doubtful = _joined(engine, corpus, links, max_edit)
    loose, pieces = _loose_runs(engine, corpus, passages, links, doubtful) if len(doubtful) else (doubtful, no_links())
    kept = _long_enough(engine, corpus, passages, min_tokens)
    kept[loose] = False
    if kept.all():
        return passages
    if not len(loose):
        return passages.take(kept)
    pieces = pieces.take(_long_enough(engine, corpus, Passages(pieces, np.arange(len(pieces.a0) + 1), pieces), min_tokens))
    passages = passages.take(kept)
    pieces = pieces.take(~np.isin(pieces.keys("ab"), passages.whole.keys("ab")))  # a link inside one run may be another run
    first = np.concatenate([passages.first, passages.first[-1] + 1 + np.arange(len(pieces.a0))])
    return Passages(concatenated(passages.whole, pieces), first, concatenated(passages.parts, pieces))


def _joined(engine: LocalEngine, corpus: Corpus, links: Links, max_edit: int) -> tuple[Passages, I64]:
    """All runs, and which of them are more than one link and have edits."""
    headline, digest = headlines(corpus), corpus.page_digest

    def join(low_high: tuple[int, int]) -> Columns:
        return kernel.join_links(*links.ranges, links.exact, corpus.token_first, corpus.halves, corpus.fingerprint,
                                 headline, corpus.page_first, digest, max_edit, *low_high)
    columns = list(zip(*engine.map(join, _cuts(engine, corpus)), strict=True))
    counts = np.concatenate([widths(first) for first in columns.pop(6)])
    a0, a1, b0, b1, exact, joined, p0, p1, q0, q1 = (np.concatenate(columns.pop(0)) for _ in range(10))
    passages = Passages(Links(a0, a1, b0, b1, exact), sums(counts), Links(p0, p1, q0, q1, np.zeros(len(p0), np.uint8)))
    return passages, rows_of((joined == 1) & (exact == 0))


def headlines(corpus: Corpus, pages: Iterable[int] | None = None) -> U8:
    """Whether each block, of all pages or of some, stands in an ``h1``, 0 or 1: what two pages share does not go on over the
    headlines of both."""
    marked, layouts = np.zeros(len(corpus.start), np.uint8), corpus.pages.layouts
    for p in layouts if pages is None else layouts.keys() & pages:
        layout = layouts[p]
        if len(marked) and " h1 " in layout.steps:
            rows = [row for row, step in enumerate(layout.steps.split("\n")) if step.startswith(" h1 ")]
            blocks = slice(int(corpus.page_first[p]), int(corpus.page_first[p + 1]))
            marked[blocks] = np.isin(layout.element, rows)
    return marked


def _long_enough(engine: LocalEngine, corpus: Corpus, passages: Passages, min_tokens: int) -> npt.NDArray[np.bool_]:
    """Passages whose matched parts have `min_tokens` on both sides."""
    enough = np.ones(len(passages.whole.a0), bool)
    if len(enough):
        p0, p1, q0, q1 = passages.parts.ranges
        for t0, t1 in ((p0, p1), (q0, q1)):
            halves = range_halves(engine, corpus, t0, t1)
            enough &= np.add.reduceat(halves, passages.first[:-1]) >= 2 * min_tokens
    return enough


def _cuts(engine: LocalEngine, corpus: Corpus) -> list[tuple[int, int]]:
    """Ranges of tokens, cut between pages: fewer than there are partitions, and few, for each begins with all blocks."""
    partitions = min(-(-engine.partitions(int(corpus.page_start[-1])) // 8), MOST_RANGES)
    if partitions == 1:
        return [(0, int(corpus.token_first[-1]) + 1)]
    pages = np.arange(partitions) * len(corpus.pages) // partitions
    cuts = distinct_numbers(corpus.token_first[corpus.page_first[pages]]).tolist()
    return list(itertools.pairwise([*cuts, int(corpus.token_first[-1]) + 1]))


def _loose_runs(engine: LocalEngine, corpus: Corpus, passages: Passages, links: Links, doubtful: I64) -> tuple[I64, Links]:
    """Which of the doubtful passages, one at least, are under ``LEAST_JACCARD``, and the links that lie inside them."""
    whole, parts = passages.whole, passages.parts
    part, first = kernel.take_ranges(passages.first, doubtful)
    sides = [locate(engine, corpus, t0[part], t1[part]) for t0, t1 in ((parts.a0, parts.a1), (parts.b0, parts.b1))]
    a, b = (Spans(side.start, side.end, first) for side in sides)
    overlap, n, m = span_overlaps(engine, corpus, a, b, 2)
    loose = doubtful[overlap < LEAST_JACCARD * np.maximum(n + m - overlap, 1)]
    if not len(loose):
        return loose, no_links()
    order = order_of(links.a0.astype(np.uint64))
    begin = links.a0[order]
    low, high = np.searchsorted(begin, whole.a0[loose]), np.searchsorted(begin, whole.a1[loose])
    owner = np.repeat(loose, high - low)
    rows = order[np.arange(len(owner)) + np.repeat(low - sums(high - low)[:-1], high - low)]
    inside = (links.a1[rows] <= whole.a1[owner]) & (links.b0[rows] >= whole.b0[owner]) & (links.b1[rows] <= whole.b1[owner])
    return loose, links.take(order[np.isin(order, rows[inside])])
