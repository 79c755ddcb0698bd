"""Stages 6 and 7 for edited and reworded text: seeds, anchors, and rectangles that say how far a copied passage goes.

Seeds are keys that two places share: winnowed runs of items (``near``) and unordered triples of rarer items
(``reworded``). Two places of a seed are an anchor; near anchors the kernel compares windows, and what is alike there
becomes rectangles: a token range in each text, whose ends maximise a weighted score of the words that both sides share.
docs/design/alignment.md has the method and its figures.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.bags import Bags, larger_pages, word_bags
from dedup.blocks import Corpus, distinct_numbers, sums
from dedup.engines.local import Columns, LocalEngine, Partitioned
from dedup.kernel import kernel
from dedup.kernel.twin_align import ITEM_FLAGS, THOUSAND, WINDOWS, Settings, fixed_log2
from dedup.page_pairs import PagePairs
from dedup.places import locate, page_of, range_halves
from dedup.runs import Links
from dedup.seeds import NO_REPEATS, NO_TABLE, InStep, Repeats, pages_at, repeats_that_count

if TYPE_CHECKING:
    from dedup.explain import Judge

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GRAMS, TRIPLES, LETTERS = 0, 1, 2  # kinds of seeds; LETTERS of scanned text
KEYS = {GRAMS: 0.75, TRIPLES: 3.5, LETTERS: 0.25}  # an item, at most about
SPREAD = np.uint64(0x9E3779B1)
AROUND = 12, 24  # words before and behind a place of a seed that are compared with those around another one
STOP_BITS = 18  # items are counted by so many bits of their hash, at most
COUNTED = 1 << 22  # items that one call counts
STOP_SHARE = 0.45  # of the running text that the most frequent items make up: no triples of them
STOP_LEAST = 0.001  # share of the running text, at least, of one that is so frequent
PAIRS_PER_TOKEN, PAIRS = 2, 1_000_000  # of places a token, or altogether, that are looked at; then those of many places go
RARITY = 16  # of an item that stands once
# What the items that stand around both places of a seed must come to.
COMMON = {GRAMS: 4 * RARITY, TRIPLES: 3 * RARITY, LETTERS: 20 * RARITY}
BATCH_COST = 4_000_000  # tokens gone over in one batch of pairs
ANCHOR_COST = 50  # tokens that an anchor counts for
# Similarity of the items of an edited passage, in their order; reworded words may stand in any order.
LEAST_ORDER = {GRAMS: 0.55, TRIPLES: 0.0, LETTERS: 0.45}
ROWS = 1_000_000  # pairs of passages compared at a time
ORDER_ITEMS = 4_000  # above it, that similarity is measured piece by piece: a lower bound

LAX = {"cell_dice": 150, "seed_dice": 250}  # windows that are looked at beyond, of two pages whose gates are to be explained
ALL_CELLS = 10**8  # token pairs of two pages known to be related, up to which all their windows are compared


@dataclass(frozen=True, slots=True)
class Aligned:
    """Verified passages of edited text.

    Attributes:
        links: Their token ranges.
        dice: Weighted Dice coefficient of the two bags of words, 0.0 to 1.0.
        evidence: Shared weight beyond what chance gives, in rare words.
        truncated: Bounds that were met: keys of too many places, pairs of pages with too many anchors.
    """

    links: Links
    dice: F64
    evidence: F64
    truncated: int = 0

    def take(self, rows: Flags | I64) -> Aligned:
        """Some of the rows."""
        return replace(self, links=self.links.take(rows), dice=self.dice[rows], evidence=self.evidence[rows])

    def measures(self, links: Links) -> tuple[F64, F64]:
        """Dice and evidence of links, NaN of those that are none of these passages."""
        dice, evidence = np.full((2, len(links.a0)), np.nan)
        if len(self.dice):
            key = self.links.keys("ab")
            order = np.argsort(key)
            at = order[np.minimum(np.searchsorted(key[order], links.keys("ab")), len(order) - 1)]
            known = key[at] == links.keys("ab")
            dice[known], evidence[known] = self.dice[at[known]], self.evidence[at[known]]
        return dice, evidence


NO_TOKENS = np.empty(0, np.int64)
NOTHING = Aligned(Links(NO_TOKENS, NO_TOKENS, NO_TOKENS, NO_TOKENS, np.empty(0, np.uint8)), np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True)
class Gates:
    """What an aligned passage must reach: evidence, Dice, and tokens of its longer side."""

    min_evidence: float
    min_dice: float
    min_tokens: int


@dataclass(frozen=True, slots=True)
class Anchors:
    """Places that two pages probably share, by pair of pages; `a` and `b` are token numbers in their pages."""

    page_a: I64
    page_b: I64
    first: I64
    a: I64
    b: I64

    def take(self, pairs: I64) -> Anchors:
        """Some of the pairs, in the order given."""
        row, first = kernel.take_ranges(self.first, pairs)
        return Anchors(self.page_a[pairs], self.page_b[pairs], first, self.a[row], self.b[row])


def align_passages(engine: LocalEngine, corpus: Corpus, bags: Bags, repeats: Repeats, pairs: PagePairs,
                   kinds: tuple[int, ...], cap: int, gates: Gates, all_windows: bool, judge: Judge | None = None) -> Aligned:
    """Edited passages of the collection, across pages and inside each one.

    Args:
        pairs: Which pairs of pages count.
        repeats: Exact repeats: they serve as anchors, and what lies inside their later copies is no seed again.
        kinds: Of seeds.
        cap: Places of a seed, at most, that make pairs.
        gates: What a passage must reach.
        all_windows: The pages are few and known to be related: compare all their windows where they are not too long.
        judge: Takes down what the gates stop.
    """
    if not len(bags.item):
        return NOTHING
    settings = bags.settings._replace(min_halves=0 if len(bags.first) else 2 * gates.min_tokens,
                                      evidence=round(THOUSAND * gates.min_evidence * bags.a_word),
                                      least_dice=round(THOUSAND * gates.min_dice))
    anchors, hot = _anchors(engine, corpus, bags, repeats, pairs, kinds, cap)
    kernel.release_memory()
    if all_windows:
        settings = settings._replace(all_cells=ALL_CELLS * bags.a_word**2)
        anchors = _with_all_pairs(anchors, len(corpus.pages))
    if not pairs.every:
        anchors = anchors.take(np.flatnonzero(pairs.allows(anchors.page_a, anchors.page_b)))
    aligned, stopped_by = align_pairs(engine, bags, anchors, settings, judge is not None)
    if judge is not None:
        judge.rectangles(engine, corpus, *_told(corpus, bags, aligned, stopped_by), gates)
        across = anchors.take(np.flatnonzero(anchors.page_a != anchors.page_b))
        more, bits = align_pairs(engine, bags, across, settings._replace(**LAX), True)
        judge.rectangles(engine, corpus, *_told(corpus, bags, more, bits | np.uint8(WINDOWS)), gates,
                         beside=_as_tokens(corpus, bags, aligned).links)
        aligned = aligned.take(stopped_by == 0)
    if len(bags.first):
        aligned = _in_whole_tokens(engine, corpus, bags, aligned, gates)
    return replace(_marked_exact(engine, corpus, aligned), truncated=aligned.truncated + (hot > 0))


def item_rarity(engine: LocalEngine, item: U32, quiet: tuple[U32, U32]) -> U8:
    """How rare items are in the collection, by their upper bits: ln(n / c) / ln(n) in 1/16, c of the n items being it.

    Copies of an exact run count once: words are not frequent because the text that they stand in is copied often.
    0 for the most frequent ones: those that make up ``STOP_SHARE`` of the running text, if they are frequent themselves.
    """
    bits = min(STOP_BITS, len(item).bit_length() + 2)
    def count(cut: tuple[int, int]) -> I64:
        return kernel.count_items(item[slice(*cut)][_marked(quiet, *cut) == 0], bits)
    counts: I64 = np.sum(engine.map(count, list(itertools.pairwise([*range(0, len(item), COUNTED), len(item)]))), axis=0)
    total = int(counts.sum())
    kinds, kind = np.unique(counts, return_inverse=True)
    most = max(1, fixed_log2(max(total, 1)))
    rarity = np.array([RARITY * (most - fixed_log2(max(c, 1))) // most for c in kinds.tolist()], np.uint8)
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    frequent = (before < STOP_SHARE * total) & (counts[order] >= max(8, STOP_LEAST * total))
    out = np.maximum(rarity, 1)[kind]
    out[order[frequent]] = 0
    return out


def _later_copies(repeats: Repeats, page_first: I64, pairs: PagePairs) -> tuple[U32, U32]:
    """Ranges of tokens that are a later copy of an exact run, apart from each other, ascending.

    Where not all pairs of pages count, the first copy may pair with nobody: then of runs in few places no copy is a later
    one, and of the others none that is the first with which some other place may pair, or the first of its page.
    """
    later = np.ones(len(repeats.position), bool)
    later[repeats.first[:-1]] = False
    b, b_end = (repeats.b, repeats.b + repeats.length) if pairs.every else (NO_TOKENS, NO_TOKENS)
    if not pairs.every:
        segment, page = repeats.segment, pages_at(page_first, repeats.position)
        partner = pairs.partners(segment, page)
        later[partner[partner >= 0]] = False
        if pairs.within:  # places of a segment ascend
            later[1:] &= (segment[1:] == segment[:-1]) & (page[1:] == page[:-1])
    position = repeats.position[later]
    start = np.concatenate([b, position]).astype(np.uint32)
    end = np.concatenate([b_end, position + repeats.lengths[repeats.segment[later]]])
    order = np.argsort(start, kind="stable")
    start, reached = start[order], np.maximum.accumulate(end.astype(np.uint32)[order])
    new = np.ones(len(start), bool)
    new[1:] = start[1:] > reached[:-1]
    return start[new], reached[np.append(new[1:], True)] if len(start) else reached


def _seed_classes(engine: LocalEngine, corpus: Corpus, bags: Bags, quiet: tuple[U32, U32], rarity: U8, pairs: PagePairs,
                  in_step: InStep, kind: int, cap: int) -> list[tuple[U32, I64]]:
    """Places of all seeds of a kind, partition by partition: ascending for each seed, and where those of each one begin."""
    item, page_first = bags.item, bags.page_first
    batches, partitions = corpus.batches(), engine.partitions(int(corpus.page_start[-1]))
    table = np.zeros(1 << max(6, int(KEYS[kind] * len(item) / 8).bit_length()), np.uint64)

    def text(batch: tuple[int, int]) -> tuple[U32, I64, U8, U8]:
        edges = page_first[batch[0]:batch[1] + 1]
        return item[edges[0]:edges[-1]], edges - edges[0], _marked(quiet, int(edges[0]), int(edges[-1])), rarity

    def mark(batch: tuple[int, int]) -> None:
        kernel.mark_seeds(*text(batch), kind, table)

    def emit(batch: tuple[int, int]) -> Partitioned:
        key, at, edges = kernel.repeated_seeds(*text(batch), kind, twice, int(page_first[batch[0]]), partitions)
        if pairs.within:  # seeds of each page by themselves; the upper half says the partition
            page = pages_at(page_first, at).astype(np.uint64)
            key = key ^ (page * SPREAD & np.uint64(0xFFFFFFFF))
        return Partitioned((key, at), edges)

    def group(columns: Columns) -> tuple[U32, I64]:
        return _with_partners(*kernel.seed_classes(columns[0], columns[1], cap)[:2], page_first, pairs, in_step)
    engine.map(mark, batches)
    twice, table = kernel.slots_seen_twice(table), NO_TABLE
    kernel.release_memory()
    rows = engine.map(emit, batches)
    twice = NO_TABLE
    return engine.exchange(rows, group)


def _with_partners(position: U32, first: I64, page_first: I64, pairs: PagePairs, in_step: InStep) -> tuple[U32, I64]:
    """Places of seeds without those that make no pair that counts, and without seeds whose places are copies of the first."""
    if pairs.every or not len(position):
        return position, first
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    kept = np.flatnonzero(pairs.partners(owner, pages_at(page_first, position)) >= 0)
    owner, position = owner[kept], position[kept]
    new = np.ones(len(owner), bool)
    new[1:] = owner[1:] != owner[:-1]
    leader = position[np.flatnonzero(new)[np.cumsum(new) - 1]]
    apart = np.bincount(owner[~new], ~in_step.both(leader[~new], position[~new]), len(first) - 1) > 0
    counts = np.bincount(owner[apart[owner]], minlength=len(first) - 1)
    return position[apart[owner]], sums(counts[counts > 0])


def _anchors(engine: LocalEngine, corpus: Corpus, bags: Bags, repeats: Repeats, pairs: PagePairs, kinds: tuple[int, ...],
             cap: int) -> tuple[Anchors, int]:
    """Anchors of all seeds and of the exact repeats, and the number of places that a bound left out."""
    runs = _in_items(bags, repeats)
    if kinds == (LETTERS, TRIPLES):  # triples are of words
        a, b, hot = _seed_pairs(engine, corpus, bags, runs, pairs, kinds[:1], cap)
        words_a, words_b, more = _seed_pairs(engine, corpus, word_bags(engine, corpus), repeats, pairs, kinds[1:], cap)
        a, b = (np.append(side, bags.items(of_words.astype(np.int64)).astype(np.uint32))
                for side, of_words in ((a, words_a), (b, words_b)))
        hot += more
    else:
        a, b, hot = _seed_pairs(engine, corpus, bags, runs, pairs, kinds, cap)
    along_a, along_b = _along(repeats_that_count(runs, bags.page_first, pairs), bags, a, b)
    anchors = kernel.pair_anchors(np.concatenate([a, along_a]), np.concatenate([b, along_b]), bags.page_first)
    return Anchors(*anchors), hot


def _in_items(bags: Bags, repeats: Repeats) -> Repeats:
    """Exact repeats, counted in items."""
    begins = repeats.position[repeats.first[:-1]]
    a, end, position = bags.items(repeats.a), bags.items(repeats.a + repeats.length), bags.items(repeats.position)
    return Repeats(a, bags.items(repeats.b), end - a, repeats.first, position,
                   bags.items(begins + repeats.lengths) - bags.items(begins))


def _seed_pairs(engine: LocalEngine, corpus: Corpus, bags: Bags, repeats: Repeats, pairs: PagePairs, kinds: tuple[int, ...],
                cap: int) -> tuple[U32, U32, int]:
    """Places of seeds, two and two, and the number of places that a bound left out.

    Where not all pairs of pages count, more than one copy of a run has seeds; two places go that are such copies of each
    other.

    Args:
        repeats: Exact repeats, counted in items.
    """
    item, page_first = bags.item, bags.page_first
    quiet, in_step = _later_copies(repeats, page_first, pairs), InStep(repeats if not pairs.every else NO_REPEATS)
    rarity, classes = item_rarity(engine, item, quiet), list[tuple[U32, I64]]()
    kernel.release_memory()
    for kind in kinds:
        classes += _seed_classes(engine, corpus, bags, quiet, rarity, pairs, in_step, kind, cap)
        kernel.release_memory()
    del quiet
    sizes = np.concatenate([NO_TOKENS, *(np.diff(first) for _, first in classes)])
    most = _affordable(sizes, max(PAIRS, PAIRS_PER_TOKEN * len(item)))

    before, after = (bags.a_word * words for words in AROUND)

    def pair(part: tuple[U32, I64]) -> tuple[U32, U32]:
        own = np.diff(part[1])
        kept = own <= most
        a, b = kernel.class_anchors(part[0][np.repeat(kept, own)], sums(own[kept]), item, page_first, rarity,
                                    bags.settings.window, before, after, COMMON[kinds[-1]])
        if pairs.every:
            return a, b
        counted = np.flatnonzero(pairs.allows(pages_at(page_first, a), pages_at(page_first, b)))
        counted = counted[~in_step.both(a[counted], b[counted])]
        return a[counted], b[counted]
    seeds = [(np.empty(0, np.uint32), np.empty(0, np.uint32)), *engine.map(pair, classes)]
    classes.clear()
    a, b = (np.concatenate([pair[side] for pair in seeds]) for side in (0, 1))
    return a, b, int(sizes[sizes > most].sum())


def _affordable(sizes: I64, budget: int) -> int:
    """Largest class of which, with all smaller ones, all pairs are within the budget."""
    counts = np.bincount(sizes, minlength=3)
    size = np.arange(len(counts))
    within = np.flatnonzero(np.cumsum(counts * size * (size - 1) // 2) <= budget)
    return max(2, int(within[-1]) if len(within) else 0)


def _marked(ranges: tuple[U32, U32], begin: int, end: int) -> U8:
    """1 for each token from begin to end that lies in a range."""
    rows = slice(int(np.searchsorted(ranges[1], np.uint32(begin), side="right")),
                 int(np.searchsorted(ranges[0], np.uint32(end))))
    start, stop = (np.clip(side[rows].astype(np.int64), begin, end) - begin for side in ranges)
    steps = np.zeros(end - begin + 1, np.int8)
    steps[start] = 1
    steps[stop] -= 1
    return np.cumsum(steps[:-1], dtype=np.int8).view(np.uint8)


def _along(repeats: Repeats, bags: Bags, a: U32, b: U32) -> tuple[U32, U32]:
    """Anchors along the exact matches, one a cell, of pages that have seeds or another match in common too.

    Pages that have nothing in common but one exact run have no edited passage: the run says all.

    Args:
        a, b: Anchors of seeds.
    """
    page_first = bags.page_first

    def pages(x: npt.NDArray[np.int64] | U32, y: npt.NDArray[np.int64] | U32) -> I64:
        of_x, of_y = (np.searchsorted(page_first, side, side="right") - 1 for side in (x, y))
        both: I64 = of_x * len(page_first) + of_y
        return both
    _, pair, runs = np.unique(pages(repeats.a, repeats.b), return_inverse=True, return_counts=True)
    rows = np.flatnonzero((runs[pair] > 1) | np.isin(pages(repeats.a, repeats.b), distinct_numbers(pages(a, b))))
    cell = bags.settings.cell
    counts = -(-repeats.length[rows] // cell)
    step = (np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)) * cell
    along_a, along_b = (np.repeat(side[rows], counts) + step for side in (repeats.a, repeats.b))
    return along_a.astype(np.uint32), along_b.astype(np.uint32)


def _with_all_pairs(anchors: Anchors, pages: int) -> Anchors:
    """All pairs of pages, those without anchors too."""
    every = np.array(list(itertools.combinations_with_replacement(range(pages), 2)), np.int64)
    at = np.searchsorted(anchors.page_a * pages + anchors.page_b, every[:, 0] * pages + every[:, 1], side="left")
    right = np.searchsorted(anchors.page_a * pages + anchors.page_b, every[:, 0] * pages + every[:, 1], side="right")
    counts = np.where(right > at, np.append(np.diff(anchors.first), 0)[at], 0)
    return Anchors(every[:, 0].copy(), every[:, 1].copy(), sums(counts), anchors.a, anchors.b)


def align_pairs(engine: LocalEngine, bags: Bags, anchors: Anchors, settings: Settings, judge: bool) -> tuple[Aligned, U8]:
    """Verified passages of the pairs of pages that have anchors, and the gates that stop each; 0 unless they are judged."""
    page_first, length = bags.page_first, np.diff(bags.page_first)
    larger = larger_pages(page_first, anchors.page_a, anchors.page_b)
    order = np.argsort(larger, kind="stable")
    anchors, larger = anchors.take(order), larger[order]
    new = np.ones(len(larger), bool)
    new[1:] = larger[1:] != larger[:-1]
    smaller = np.minimum(length[anchors.page_a], length[anchors.page_b])
    cost = np.cumsum(smaller + np.where(new, length[larger], 0) + ANCHOR_COST * np.diff(anchors.first))
    edges = np.searchsorted(cost, np.arange(0, int(cost[-1]) + 1 if len(cost) else 0, BATCH_COST))
    cuts = np.unique(np.concatenate([[0], edges, [len(larger)]]))
    values = np.array(settings, np.int64)

    def align(part: tuple[int, int]) -> npt.NDArray[np.int64]:
        first = anchors.first[part[0]:part[1] + 1]
        page_a, page_b = anchors.page_a[slice(*part)], anchors.page_b[slice(*part)]
        rows = slice(int(first[0]), int(first[-1]))
        pair, a0, a1, b0, b1, shared, total, gates, truncated = kernel.align_pairs(
            bags.item, page_first, page_a, page_b, first - first[0], anchors.a[rows], anchors.b[rows], values, judge)
        cut.append(int(truncated.sum()))
        before_a, before_b = page_first[page_a[pair]], page_first[page_b[pair]]
        return np.stack([a0 + before_a, a1 + before_a, b0 + before_b, b1 + before_b, shared, total, gates])
    cut = [0]
    found = engine.map(align, [(int(a), int(b)) for a, b in itertools.pairwise(cuts)])
    columns = np.concatenate([np.empty((7, 0), np.int64), *found], axis=1)
    a0, a1, b0, b1, shared, total, gates = columns[:, np.lexsort(columns[3::-1])]
    dice, evidence = bags.measures(shared, total)
    return Aligned(Links(a0, a1, b0, b1, np.zeros(len(a0), np.uint8)), dice, evidence, sum(cut)), gates.astype(np.uint8)


def _as_tokens(corpus: Corpus, bags: Bags, aligned: Aligned) -> Aligned:
    """Passages counted in items, as the tokens that they touch; of one page, b begins behind a, and may be empty."""
    if not len(bags.first):
        return aligned
    old = aligned.links
    a0, a1 = bags.tokens(old.a0, old.a1)
    b0, b1 = bags.tokens(old.b0, old.b1)
    same = page_of(corpus, a0) == page_of(corpus, b0)
    b0 = np.where(same, np.maximum(a1, b0), b0)
    return replace(aligned, links=Links(a0, a1, np.minimum(b0, b1), b1, old.exact))


def _told(corpus: Corpus, bags: Bags, aligned: Aligned, stopped_by: U8) -> tuple[Aligned, U8]:
    """The passages as tokens, and what stopped each; those that hold none on one side are left out."""
    found = _as_tokens(corpus, bags, aligned)
    held = found.links.b0 < found.links.b1
    return found.take(held), stopped_by[held]


def _in_whole_tokens(engine: LocalEngine, corpus: Corpus, bags: Bags, aligned: Aligned, gates: Gates) -> Aligned:
    """The same, measured again, and put to the gates again."""
    links = _as_tokens(corpus, bags, aligned).links
    links = links.take(np.flatnonzero(links.b0 < links.b1))
    longer = np.maximum(range_halves(engine, corpus, links.a0, links.a1), range_halves(engine, corpus, links.b0, links.b1))
    dice, evidence = bags.measure(corpus, links)
    kept = (longer >= 2 * gates.min_tokens) & (dice >= gates.min_dice) & (evidence >= gates.min_evidence)
    return Aligned(links, dice, evidence, aligned.truncated).take(kept)


def in_order(engine: LocalEngine, bags: Bags, links: Links) -> F64:
    """Similarity of the items of both sides, 0.0 to 1.0: Indel, so they count where they stand in the same order."""
    ranges = [bags.items(column) for column in links.ranges]
    from rapidfuzz.distance import Indel

    def measure(rows: tuple[int, int]) -> list[float]:
        out = []
        for a0, a1, b0, b1 in zip(*(column[rows[0]:rows[1]].tolist() for column in ranges), strict=True):
            a, b = ((bags.item[begin:end] >> np.uint32(ITEM_FLAGS)).tolist() for begin, end in ((a0, a1), (b0, b1)))
            pieces = -(-max(len(a), len(b)) // ORDER_ITEMS)
            edges = [([len(side) * i // pieces for i in range(pieces + 1)]) for side in (a, b)]
            distance = sum(Indel.distance(a[x0:x1], b[y0:y1]) for (x0, x1), (y0, y1) in zip(
                *(itertools.pairwise(edge) for edge in edges), strict=True))
            out.append(1.0 - distance / (len(a) + len(b)))
        return out
    parts = engine.map(measure, itertools.pairwise([*range(0, len(links.a0), ROWS), len(links.a0)]))
    return np.array(list(itertools.chain(*parts)))


def _marked_exact(engine: LocalEngine, corpus: Corpus, aligned: Aligned) -> Aligned:
    """The same, those whose texts are equal marked as exact."""
    links = aligned.links
    rows = np.flatnonzero((aligned.dice == 1) & (links.a1 - links.a0 == links.b1 - links.b0))
    if not len(rows):
        return aligned
    a, b = (locate(engine, corpus, t0[rows], t1[rows]) for t0, t1 in ((links.a0, links.a1), (links.b0, links.b1)))
    exact = links.exact.copy()
    exact[rows] = kernel.equal_tokens(corpus.text, a.start, a.end, corpus.text, b.start, b.end, corpus.flags)
    return replace(aligned, links=replace(links, exact=exact))
