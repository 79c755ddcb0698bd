"""Stages 6 and 7 for edited and reworded text: seeds, anchors, and rectangles that say how far a copied passage goes.

Seeds are keys that two places share: winnowed runs of items (``near``) and unordered triples of rarer items
(``reworded``). Two places of a seed are an anchor; near anchors the kernel compares windows, and what is alike there
becomes rectangles: a token range in each text, whose ends maximise a weighted score of the words that both sides share.
docs/design/alignment.md has the method and its figures.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dedup.blocks import Corpus, sums
from dedup.engines.local import Columns, LocalEngine, Partitioned
from dedup.kernel import kernel
from dedup.kernel.twin_align import ITEM_FLAGS, RARE, THOUSAND, Settings, fixed_log2
from dedup.options import Scope
from dedup.places import block_of, locate, page_of
from dedup.runs import Links, Passages
from dedup.seeds import Repeats

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GRAMS, TRIPLES = 0, 1  # kinds of seeds
LETTERS = 5  # of a word that count
KEYS = {GRAMS: 0.75, TRIPLES: 3.5}  # a token, at most about
STOP_BITS = 18  # items are counted by so many bits of their hash, at most
COUNTED = 1 << 22  # items that one call counts
STOP_SHARE = 0.45  # of the running text that the most frequent items make up: no triples of them
STOP_LEAST = 0.001  # share of the running text, at least, of one that is so frequent
PAIRS_PER_TOKEN, PAIRS = 2, 1_000_000  # of places a token, or altogether, that are looked at; then those of many places go
RARITY = 16  # of an item that stands once
COMMON = {GRAMS: 4 * RARITY, TRIPLES: 3 * RARITY}  # what the items that stand around both places of a seed must come to
BATCH_COST = 4_000_000  # tokens gone over in one batch of pairs
ANCHOR_COST = 50  # tokens that an anchor counts for
COVERS = 0.9  # share of a passage on both sides that another one says as well
BEYOND_EXACT = 3.0  # rare words of evidence that a passage adds, at least, to the exact runs that it holds
LEAST_ORDER = {GRAMS: 0.55, TRIPLES: 0.0}  # token similarity of an edited passage; reworded words may stand in any order
ORDER_TOKENS = 4_000  # above it, token similarity is measured piece by piece: a lower bound
INSIDE = 0.5  # share of a run on both sides that lies for the most part inside
ROWS = 1_000_000  # pairs of passages compared at a time

SETTINGS = Settings(
    window=24, cell=12, step=4, radius=4, cell_dice=280, seed_dice=330, gap=12, theta=310, factor=700, drop=3000, moves=18,
    border_cost=1500, evidence=7000, evidence_theta=330, least_dice=420, pseudo_window=16, all_cells=0,
    max_cells=8_000_000, min_halves=16, border_reach=256, again_dice=1001)
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


@dataclass(frozen=True, slots=True)
class Parts:
    """Ranges of tokens, each of which belongs to an owner."""

    owner: I64
    start: I64
    end: I64

    def apart(self) -> Parts:
        """What the ranges of each owner hold, as ranges apart from each other; ascending."""
        order = np.lexsort((self.start, self.owner))
        owner, start, end = self.owner[order], self.start[order], self.end[order]
        shift = owner * (int(end.max(initial=0)) + 1)  # owners apart from each other
        start = np.maximum(start, np.append(0, np.maximum.accumulate(end + shift))[:-1] - shift)
        kept = end > start
        return Parts(owner[kept], start[kept], end[kept])

    def tokens(self, count: int) -> I64:
        """How many tokens the ranges of each owner hold."""
        held: I64 = np.bincount(self.owner, self.end - self.start, count).astype(np.int64)
        return held

    def by_owner(self, owners: I64) -> tuple[I64, I64, I64]:
        """First range of each owner, one longer than the owners; starts; ends."""
        place = np.empty(len(owners), np.int64)
        place[owners] = np.arange(len(owners))
        order = np.lexsort((self.start, place[self.owner]))
        return sums(np.bincount(self.owner, minlength=len(owners))[owners]), self.start[order], self.end[order]


@dataclass(frozen=True, slots=True)
class Bags:
    """What the bags of all pages hold: one item a token, and the first one of each page, one longer than the pages."""

    item: U32
    page_first: I64

    def measure(self, corpus: Corpus, links: Links) -> tuple[F64, F64]:
        """Dice and evidence of links."""
        rows = np.arange(len(links.a0))
        return self.measure_parts(page_of(corpus, links.a0), page_of(corpus, links.b0), Parts(rows, links.a0, links.a1),
                                  Parts(rows, links.b0, links.b1))

    def measure_parts(self, page_a: I64, page_b: I64, a: Parts, b: Parts) -> tuple[F64, F64]:
        """Dice and evidence of several parts of pages, taken together."""
        order = np.argsort(_larger(self.page_first, page_a, page_b), kind="stable")
        ranges = []
        for page, parts in ((page_a, a), (page_b, b)):
            first, start, end = parts.by_owner(order)
            before = np.repeat(self.page_first[page[order]], np.diff(first))
            ranges.append((first, start - before, end - before))
        shared, total = np.empty((2, len(order)), np.int64)
        shared[order], total[order] = kernel.measure_parts(
            self.item, self.page_first, page_a[order], page_b[order], *ranges[0], *ranges[1], np.array(SETTINGS, np.int64))
        return _measures(shared, total)


def page_bags(engine: LocalEngine, corpus: Corpus) -> Bags:
    """The bags of the collection, one item a token."""
    first = corpus.token_first[corpus.page_first]
    item = np.empty(int(first[-1]), np.uint32)

    def fill(batch: tuple[int, int]) -> None:
        blocks = corpus.blocks_of(batch)
        item[first[batch[0]]:first[batch[1]]] = kernel.bag_items(corpus.text, corpus.start[blocks], corpus.end[blocks],
                                                                 corpus.flags, LETTERS)
    engine.map(fill, corpus.batches())
    return Bags(item, first)


def _larger(page_first: I64, page_a: I64, page_b: I64) -> I64:
    """The larger page of each pair: what is known of it serves the next pair, if pairs that have it stand together."""
    length = np.diff(page_first)
    return np.where(length[page_a] >= length[page_b], page_a, page_b)


def _measures(shared: I64, total: I64) -> tuple[F64, F64]:
    """Dice and evidence from twice the shared weight and the weight of both sides."""
    return shared / np.maximum(total, 1), (shared * THOUSAND - SETTINGS.evidence_theta * total) / (THOUSAND * RARE)


def align_passages(engine: LocalEngine, corpus: Corpus, bags: Bags, repeats: Repeats, kinds: tuple[int, ...], cap: int,
                   gates: Gates, all_windows: bool) -> Aligned:
    """Edited passages of the collection, across pages and inside each one.

    Args:
        repeats: Exact repeats: they serve as anchors, and what lies inside their later copies is no seed again.
        kinds: Of seeds.
        cap: Places of a seed, at most, that make pairs.
        gates: What a passage must reach.
        all_windows: The pages are few and known to be related: compare all their windows where they are not too long.
    """
    if not len(bags.item):
        return NOTHING
    settings = SETTINGS._replace(min_halves=2 * gates.min_tokens, evidence=round(THOUSAND * gates.min_evidence),
                                 least_dice=round(THOUSAND * gates.min_dice))
    anchors, hot = _anchors(engine, corpus, bags, repeats, kinds, cap)
    kernel.release_memory()
    if all_windows:
        settings = settings._replace(all_cells=ALL_CELLS)
        anchors = _with_all_pairs(anchors, len(corpus.pages))
    aligned = align_pairs(engine, bags, anchors, settings)
    return replace(_marked_exact(engine, corpus, aligned), truncated=aligned.truncated + (hot > 0))


def item_rarity(engine: LocalEngine, item: U32) -> U8:
    """How rare items are in the collection, by their upper bits: ln(n / c) / ln(n) in 1/16, c of the n items being it.

    0 for the most frequent ones: those that make up ``STOP_SHARE`` of the running text, if they are frequent themselves.
    """
    bits = min(STOP_BITS, len(item).bit_length() + 2)
    cuts = itertools.pairwise([*range(0, len(item), COUNTED), len(item)])
    counts: I64 = np.sum(engine.map(lambda cut: kernel.count_items(item[cut[0]:cut[1]], bits), cuts), axis=0)
    kinds, kind = np.unique(counts, return_inverse=True)
    most = max(1, fixed_log2(max(len(item), 1)))
    rarity = np.array([RARITY * (most - fixed_log2(max(c, 1))) // most for c in kinds.tolist()], np.uint8)
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    frequent = (before < STOP_SHARE * len(item)) & (counts[order] >= max(8, STOP_LEAST * len(item)))
    out = np.maximum(rarity, 1)[kind]
    out[order[frequent]] = 0
    return out


def _later_copies(repeats: Repeats) -> tuple[U32, U32]:
    """Ranges of tokens that are a later copy of an exact run, apart from each other, ascending."""
    later = np.ones(len(repeats.position), bool)
    later[repeats.first[:-1]] = False
    position = repeats.position[later]
    start = np.concatenate([repeats.b, position]).astype(np.uint32)
    end = np.concatenate([repeats.b + repeats.length, position + np.repeat(repeats.lengths, np.diff(repeats.first) - 1)])
    order = np.argsort(start, kind="stable")
    start, reached = start[order], np.maximum.accumulate(end.astype(np.uint32)[order])
    new = np.ones(len(start), bool)
    new[1:] = start[1:] > reached[:-1]
    return start[new], reached[np.append(new[1:], True)] if len(start) else reached


def _seed_classes(engine: LocalEngine, corpus: Corpus, bags: Bags, quiet: tuple[U32, U32], rarity: U8, kind: int,
                  cap: int) -> list[tuple[U32, I64]]:
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
        key, at, edges = kernel.repeated_seeds(*text(batch), kind, table, int(page_first[batch[0]]), partitions)
        return (key, at), edges

    def group(columns: Columns) -> tuple[U32, I64]:
        return kernel.seed_classes(columns[0], columns[1], cap)[:2]
    engine.map(mark, batches)
    rows = engine.map(emit, batches)
    table = np.empty(0, np.uint64)
    kernel.release_memory()
    return engine.exchange(rows, group)


def _anchors(engine: LocalEngine, corpus: Corpus, bags: Bags, repeats: Repeats, kinds: tuple[int, ...],
             cap: int) -> tuple[Anchors, int]:
    """Anchors of all seeds and of the exact repeats, and the number of places that a bound left out."""
    item, page_first = bags.item, bags.page_first
    quiet, rarity, classes = _later_copies(repeats), item_rarity(engine, item), list[tuple[U32, I64]]()
    kernel.release_memory()
    for kind in kinds:
        classes += _seed_classes(engine, corpus, bags, quiet, rarity, kind, cap)
        kernel.release_memory()
    del quiet
    sizes = np.concatenate([NO_TOKENS, *(np.diff(first) for _, first in classes)])
    most = _affordable(sizes, max(PAIRS, PAIRS_PER_TOKEN * len(item)))

    def pair(part: tuple[U32, I64]) -> tuple[U32, U32]:
        own = np.diff(part[1])
        kept = own <= most
        return kernel.class_anchors(part[0][np.repeat(kept, own)], sums(own[kept]), item, page_first, rarity,
                                    SETTINGS.window, COMMON[kinds[-1]])
    seeds = [(np.empty(0, np.uint32), np.empty(0, np.uint32)), *engine.map(pair, classes)]
    classes.clear()
    a, b = (np.concatenate([pair[side] for pair in seeds]) for side in (0, 1))
    along_a, along_b = _along(repeats, page_first, a, b)
    anchors = kernel.pair_anchors(np.concatenate([a, along_a]), np.concatenate([b, along_b]), page_first)
    return Anchors(*anchors), int(sizes[sizes > most].sum())


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


def _along(repeats: Repeats, page_first: I64, a: U32, b: U32) -> tuple[U32, U32]:
    """Anchors along the exact matches, one a cell, of pages that have seeds or another match in common too.

    Pages that have nothing in common but one exact run have no edited passage: the run says all.

    Args:
        a, b: Anchors of seeds.
    """
    def pages(x: npt.NDArray[np.int64] | U32, y: npt.NDArray[np.int64] | U32) -> I64:
        of_x, of_y = (np.searchsorted(page_first, side, side="right") - 1 for side in (x, y))
        both: I64 = of_x * len(page_first) + of_y
        return both
    _, pair, runs = np.unique(pages(repeats.a, repeats.b), return_inverse=True, return_counts=True)
    rows = np.flatnonzero((runs[pair] > 1) | np.isin(pages(repeats.a, repeats.b), np.unique(pages(a, b))))
    counts = -(-repeats.length[rows] // SETTINGS.cell)
    step = (np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)) * SETTINGS.cell
    along_a, along_b = (np.repeat(side[rows], counts) + step for side in (repeats.a, repeats.b))
    return along_a.astype(np.uint32), along_b.astype(np.uint32)


def _with_all_pairs(anchors: Anchors, pages: int) -> Anchors:
    """All pairs of pages, those without anchors too."""
    every = np.array(list(itertools.combinations_with_replacement(range(pages), 2)), np.int64)
    at = np.searchsorted(anchors.page_a * pages + anchors.page_b, every[:, 0] * pages + every[:, 1], side="left")
    right = np.searchsorted(anchors.page_a * pages + anchors.page_b, every[:, 0] * pages + every[:, 1], side="right")
    counts = np.where(right > at, np.append(np.diff(anchors.first), 0)[at], 0)
    return Anchors(every[:, 0].copy(), every[:, 1].copy(), sums(counts), anchors.a, anchors.b)


def align_pairs(engine: LocalEngine, bags: Bags, anchors: Anchors, settings: Settings) -> Aligned:
    """Verified passages of the pairs of pages that have anchors."""
    page_first, length = bags.page_first, np.diff(bags.page_first)
    larger = _larger(page_first, anchors.page_a, anchors.page_b)
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
        pair, a0, a1, b0, b1, shared, total, truncated = kernel.align_pairs(
            bags.item, page_first, page_a, page_b, first - first[0], anchors.a[rows], anchors.b[rows], values)
        cut.append(int(truncated.sum()))
        before_a, before_b = page_first[page_a[pair]], page_first[page_b[pair]]
        return np.stack([a0 + before_a, a1 + before_a, b0 + before_b, b1 + before_b, shared, total])
    cut = [0]
    found = engine.map(align, [(int(a), int(b)) for a, b in itertools.pairwise(cuts)])
    columns = np.concatenate([np.empty((6, 0), np.int64), *found], axis=1)
    a0, a1, b0, b1, shared, total = columns[:, np.lexsort(columns[3::-1])]
    dice, evidence = _measures(shared, total)
    return Aligned(Links(a0, a1, b0, b1, np.zeros(len(a0), np.uint8)), dice, evidence, sum(cut))


def in_order(engine: LocalEngine, item: U32, links: Links) -> F64:
    """Token similarity of both sides, 0.0 to 1.0: Indel, so words count where they stand in the same order."""
    from rapidfuzz.distance import Indel

    def measure(rows: tuple[int, int]) -> list[float]:
        out = []
        for a0, a1, b0, b1 in zip(*(column[rows[0]:rows[1]].tolist() for column in links.ranges), strict=True):
            a, b = ((item[begin:end] >> np.uint32(ITEM_FLAGS)).tolist() for begin, end in ((a0, a1), (b0, b1)))
            pieces = -(-max(len(a), len(b)) // ORDER_TOKENS)
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


def in_scope(corpus: Corpus, aligned: Aligned, scope: Scope) -> Aligned:
    """Passages inside one page, across pages, or both."""
    if scope == "both" or not len(aligned.dice):
        return aligned
    same = page_of(corpus, aligned.links.a0) == page_of(corpus, aligned.links.b0)
    return aligned.take(same if scope == "within" else ~same)


def fitted(engine: LocalEngine, corpus: Corpus, bags: Bags, runs: Links, kept: Flags, aligned: Aligned, repeats: Repeats,
           min_tokens: int, least_order: float) -> tuple[Aligned, Flags]:
    """The aligned passages that stand beside joined runs, and which runs do: a longer one absorbs what lies inside it.

    A rectangle goes that says no more than the runs inside it, that lies inside a joined run, or that cuts through an exact
    run of about its length. One that is left takes in the runs that lie for the most part inside it.

    Args:
        kept: The runs that count.
        repeats: Segments of many places are exact runs too.
        least_order: Least token similarity of a rectangle.
    """
    box, run, of_box, of_run = _overlaps(corpus, aligned.links, runs)
    exact, ratio = runs.exact[run] == 1, _length(runs)[run] / _length(aligned.links)[box]
    counts, inside = kept[run], of_run >= INSIDE
    left = np.ones(len(aligned.dice), bool)
    left[box[counts & np.where(exact, (of_box >= COVERS) | ((ratio >= INSIDE) & ~inside),
                               (of_box >= COVERS) & (ratio >= 1))]] = False
    counts &= left[box]
    aligned, box, run, inside = aligned.take(left), (np.cumsum(left) - 1)[box[counts]], run[counts], inside[counts]
    if not len(aligned.dice):
        return aligned, kept
    left = _new(corpus, bags, aligned, runs.take(run), box, repeats, min_tokens)
    left &= ~_in_one_group(corpus, aligned.links, runs, kept, repeats)
    if least_order > 0:
        left[left] = in_order(engine, bags.item, aligned.links.take(left)) >= least_order
    taken = left[box] & inside
    aligned, fits = _grown(corpus, bags, aligned, runs.take(run[taken]), box[taken])
    left &= fits
    kept = kept.copy()
    kept[run[inside & left[box]]] = False
    return aligned.take(left), kept


def together(passages: Passages, kept: Flags, aligned: Aligned) -> Passages:
    """Joined runs that are kept and aligned passages as one list, ascending."""
    whole, more = passages.whole, aligned.links
    if not len(more.a0) and kept.all():
        return passages
    rows = np.concatenate([np.flatnonzero(kept), len(kept) + np.arange(len(more.a0))])
    b0, a0 = np.concatenate([whole.b0, more.b0]), np.concatenate([whole.a0, more.a0])
    order = rows[np.lexsort((b0[rows], a0[rows]))]
    first = np.concatenate([passages.first, passages.first[-1] + 1 + np.arange(len(more.a0))])
    part, begins = kernel.take_ranges(first, order)

    def joined(old: Links, at: I64) -> Links:
        names = ("a0", "a1", "b0", "b1", "exact")
        return Links(*(np.concatenate([getattr(old, name), getattr(more, name)])[at] for name in names))
    return Passages(joined(whole, order), begins, joined(passages.parts, part))


def _new(corpus: Corpus, bags: Bags, aligned: Aligned, runs: Links, box: I64, repeats: Repeats, min_tokens: int) -> Flags:
    """Whether rectangles say more than the runs that they hold, and the segments that stand on both sides.

    They have more evidence than all of those, ``BEYOND_EXACT`` more than the exact ones, and `min_tokens` on a side that no
    exact one holds.

    Args:
        runs, box: Runs, and the rectangle that each one overlaps on both sides.
    """
    boxes, count = aligned.links, len(aligned.dice)
    sides = [_segments_inside(repeats, t0, t1) for t0, t1 in ((boxes.a0, boxes.a1), (boxes.b0, boxes.b1))]
    keys = [parts.owner * (len(repeats.lengths) + 1) + segment for parts, segment in sides]
    new, all_parts, exact_parts = np.zeros(count, bool), [], []
    for side, (t0, t1, x0, x1) in enumerate(((boxes.a0, boxes.a1, runs.a0, runs.a1), (boxes.b0, boxes.b1, runs.b0, runs.b1))):
        parts, both = sides[side][0], np.isin(keys[side], keys[1 - side])
        owner = np.concatenate([box, parts.owner[both]])
        start = np.concatenate([np.maximum(x0, t0[box]), parts.start[both]])
        end = np.concatenate([np.minimum(x1, t1[box]), parts.end[both]])
        exact = np.concatenate([runs.exact == 1, np.ones(int(both.sum()), bool)])
        exact_parts.append(Parts(owner[exact], start[exact], end[exact]).apart())
        held = exact_parts[-1].tokens(count)
        new |= (t1 - t0 - held >= min_tokens) & (held < COVERS * (t1 - t0))
        all_parts.append(Parts(owner, start, end).apart())
    pages = page_of(corpus, boxes.a0), page_of(corpus, boxes.b0)
    _, of_exact = bags.measure_parts(*pages, *exact_parts)
    _, of_all = bags.measure_parts(*pages, *all_parts)
    new &= (aligned.evidence > of_all) & ((of_exact == 0) | (aligned.evidence >= of_exact + BEYOND_EXACT))
    return new


def _segments_inside(repeats: Repeats, t0: I64, t1: I64) -> tuple[Parts, I64]:
    """What ranges of tokens hold of places of segments, and the segment of each."""
    place = np.argsort(repeats.position, kind="stable")
    start = repeats.position[place]
    segment = np.repeat(np.arange(len(repeats.lengths)), np.diff(repeats.first))[place]
    low = np.searchsorted(start, t0 - int(repeats.lengths.max(initial=0)))
    counts = np.searchsorted(start, t1) - low
    owner = np.repeat(np.arange(len(t0)), counts)
    row = np.repeat(low - (np.cumsum(counts) - counts), counts) + np.arange(len(owner))
    begin, end = np.maximum(start[row], t0[owner]), np.minimum(start[row] + repeats.lengths[segment[row]], t1[owner])
    kept = end > begin
    return Parts(owner[kept], begin[kept], end[kept]), segment[row[kept]]


def _grown(corpus: Corpus, bags: Bags, aligned: Aligned, runs: Links, box: I64) -> tuple[Aligned, Flags]:
    """Rectangles that hold the runs which lie for the most part inside them, and whether they can: sides may not overlap.

    Those of which an end moved are measured again.
    """
    old = aligned.links
    a0, a1, b0, b1 = (column.copy() for column in old.ranges)
    np.minimum.at(a0, box, runs.a0)
    np.maximum.at(a1, box, runs.a1)
    np.minimum.at(b0, box, runs.b0)
    np.maximum.at(b1, box, runs.b1)
    moved = (a0 < old.a0) | (a1 > old.a1) | (b0 < old.b0) | (b1 > old.b1)
    fits = (a1 <= b0) | (page_of(corpus, a0) != page_of(corpus, b0))
    rows, grown = np.flatnonzero(moved & fits), Links(a0, a1, b0, b1, np.zeros(len(a0), np.uint8)).take(moved & fits)
    links = old.take(np.arange(len(old.a0)))  # a copy
    dice, evidence = aligned.dice.copy(), aligned.evidence.copy()
    links.a0[rows], links.a1[rows], links.b0[rows], links.b1[rows], links.exact[rows] = *grown.ranges, grown.exact
    dice[rows], evidence[rows] = bags.measure(corpus, grown)
    return replace(aligned, links=links, dice=dice, evidence=evidence), fits


def not_cut_through(corpus: Corpus, runs: Links) -> Flags:
    """All but the near runs that an exact run covers for the most part and goes beyond: that says where the copy ends."""
    exact, near = np.flatnonzero(runs.exact == 1), np.flatnonzero(runs.exact == 0)
    row, _, of_near, of_exact = _overlaps(corpus, runs.take(near), runs.take(exact))
    kept = np.ones(len(runs.a0), bool)
    kept[near[row[(of_near >= INSIDE) & (of_exact < COVERS)]]] = False
    return kept


def _overlaps(corpus: Corpus, x: Links, y: Links) -> tuple[I64, I64, F64, F64]:
    """Rows of x and of y that overlap on both sides, and the share of each that does, on the side where it is less."""
    key_x, key_y = (page_of(corpus, links.a0) * len(corpus.pages) + page_of(corpus, links.b0) for links in (x, y))
    pages = np.unique(key_x)
    pair = np.searchsorted(pages, key_y)
    rows_y = np.flatnonzero(pages[np.minimum(pair, len(pages) - 1)] == key_y) if len(pages) else NO_TOKENS
    y = y.take(rows_y)
    apart = int(corpus.token_first[-1]) + 1
    pair_x, pair_y = np.searchsorted(pages, key_x) * apart, pair[rows_y] * apart
    del key_x, key_y, pair
    length = y.a1 - y.a0
    found = [np.empty((4, 0), np.int64)]
    longest = 0
    while longest < int(length.max(initial=0)):  # those of about one length: their starts tell their ends
        shortest, longest = longest, max(64, 4 * longest)
        order = np.flatnonzero((length > shortest) & (length <= longest))
        order = order[np.argsort(pair_y[order] + y.a0[order], kind="stable")]
        start = pair_y[order] + y.a0[order]
        low = np.searchsorted(start, pair_x + np.maximum(x.a0 - longest + 1, 0))
        counts = np.searchsorted(start, pair_x + x.a1) - low
        rows = np.cumsum(counts)
        cuts = np.unique([0, *np.searchsorted(rows, np.arange(0, int(rows[-1]) + 1 if len(rows) else 0, ROWS)), len(rows)])
        for begin, end in itertools.pairwise(cuts.tolist()):
            of = counts[begin:end]
            i = np.repeat(np.arange(begin, end), of)
            j = order[np.repeat(low[begin:end] - (np.cumsum(of) - of), of) + np.arange(int(of.sum()))]
            in_a = np.minimum(x.a1[i], y.a1[j]) - np.maximum(x.a0[i], y.a0[j])
            in_b = np.minimum(x.b1[i], y.b1[j]) - np.maximum(x.b0[i], y.b0[j])
            kept = (in_a > 0) & (in_b > 0)
            found.append(np.stack([i[kept], j[kept], in_a[kept], in_b[kept]]))
    rows = np.concatenate(found, axis=1)
    i, j, in_a, in_b = rows[:, np.lexsort((rows[1], rows[0]))]
    of_x, of_y = (np.minimum(in_a / (links.a1 - links.a0)[rows], in_b / (links.b1 - links.b0)[rows])
                  for links, rows in ((x, i), (y, j)))
    return i, rows_y[j], of_x, of_y


def _in_one_group(corpus: Corpus, boxes: Links, runs: Links, kept: Flags, repeats: Repeats) -> Flags:
    """Rectangles about as large as a block on each side, of which both are copies of one block by other links already."""
    first, count = corpus.token_first, len(corpus.halves)
    if not len(repeats.position) and not len(runs.a0):
        return np.zeros(len(boxes.a0), bool)
    star = np.repeat(repeats.position[repeats.first[:-1]], np.diff(repeats.first))
    length = np.repeat(repeats.lengths, np.diff(repeats.first))

    def whole_blocks(a0: I64, a1: I64, b0: I64, b1: I64, kept: Flags | np.bool_) -> tuple[I64, I64]:
        a, b = block_of(corpus, a0), block_of(corpus, b0)
        whole = kept & (first[a] == a0) & (first[a + 1] == a1) & (first[b] == b0) & (first[b + 1] == b1)
        return a[whole], b[whole]
    links = whole_blocks(*runs.ranges, kept), whole_blocks(star, star + length, repeats.position, repeats.position + length,
                                                           np.True_)
    group = kernel.components(count, *(np.concatenate(side) for side in zip(*links, strict=True)))
    sides = []
    for t0, t1 in ((boxes.a0, boxes.a1), (boxes.b0, boxes.b1)):
        block = block_of(corpus, (t0 + t1) // 2)
        common = np.minimum(t1, first[block + 1]) - np.maximum(t0, first[block])
        sides.append((block, (common >= COVERS * (t1 - t0)) & (common >= INSIDE * (first[block + 1] - first[block]))))
    same: Flags = (group[sides[0][0]] == group[sides[1][0]]) & sides[0][1] & sides[1][1]
    return same


def _length(links: Links) -> I64:
    length: I64 = links.a1 - links.a0 + links.b1 - links.b0
    return length
