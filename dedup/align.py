"""Stage 7 for edited and reworded text: anchors become rectangles that say how far a copied passage goes.

Near anchors the kernel compares windows, and what is alike there becomes rectangles: a token range in each text, whose
ends maximise a weighted score of the words that both sides share.
docs/design/alignment.md has the method and its figures.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from dedup.aligned import NOTHING, Aligned
from dedup.anchors import GRAMS, LETTERS, TRIPLES, Anchors, find_anchors, with_all_pairs
from dedup.bags import Bags, larger_pages
from dedup.checkpoint import NOTHING_KEPT, Checkpoint
from dedup.columns import distinct_numbers, rows_of, widths
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.families import Families
from dedup.kernel import kernel
from dedup.kernel.align_settings import ITEM_FLAGS, THOUSAND, WINDOWS, Settings
from dedup.page_pairs import PagePairs
from dedup.places import locate, page_of, range_halves
from dedup.runs import Links
from dedup.seeds import Repeats, pages_at
from dedup.verify import Spans, span_overlaps

if TYPE_CHECKING:
    from dedup.explain import Judge
    from dedup.surveyor import Surveyor

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BATCH_COST = 4_000_000  # tokens gone over in one batch of pairs
ANCHOR_COST = 50  # tokens that an anchor counts for
# Similarity of the items of an edited passage, in their order; reworded words may stand in any order.
LEAST_ORDER = {GRAMS: 0.55, TRIPLES: 0.0, LETTERS: 0.45}
ORDER_INSIDE = 0.3  # of a passage inside one page, whatever its seeds: texts on one topic are alike as bags
# Share of its words that stand on the other side as they are, whole; of scanned text none may.
LEAST_WHOLE = {GRAMS: 0.2, TRIPLES: 0.2, LETTERS: 0.0}
ROWS = 1_000_000  # pairs of passages compared at a time
ORDER_ITEMS = 4_000  # above it, that similarity is measured piece by piece: a lower bound

LAX = {"cell_dice": 150, "seed_dice": 250}  # windows that are looked at beyond, of two pages whose gates are to be explained
ALL_CELLS = 10**8  # token pairs of two pages known to be related, up to which all their windows are compared


class Gates(Struct, frozen=True):
    """What an aligned passage must reach.

    Attributes:
        min_evidence, min_dice: Of the kernel's measures.
        min_tokens: Length of its longer side.
        order, order_inside: Of ``in_order``; of passages inside one page.
        whole: Of ``whole_words``.
    """

    min_evidence: float
    min_dice: float
    min_tokens: int
    order: float
    order_inside: float
    whole: float


def align_passages(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, bags: Bags, repeats: Repeats, pairs: PagePairs,
                   kinds: tuple[int, ...], cap: int, gates: Gates, all_windows: bool, families: Families,
                   judge: Judge | None = None, checkpoint: Checkpoint = NOTHING_KEPT) -> Aligned:
    """Edited passages of the collection, across pages and inside each one.

    Args:
        surveyor: Of the collection.
        pairs: Which pairs of pages count.
        repeats: Exact repeats: they serve as anchors, and what lies inside their later copies is no seed again.
        kinds: Of seeds.
        cap: Places of a seed, at most, that make pairs.
        gates: What a passage must reach.
        all_windows: The pages are few and known to be related: compare all their windows where they are not too long.
        families: Pages of one family are not compared with each other.
        judge: Takes down what the gates stop.
        checkpoint: Where the anchors are kept.
    """
    if not len(bags.item):
        return NOTHING
    settings = bags.settings._replace(min_halves=0 if len(bags.first) else 2 * gates.min_tokens,
                                      evidence=round(THOUSAND * gates.min_evidence * bags.a_word),
                                      least_dice=round(THOUSAND * gates.min_dice))
    anchors, hot = checkpoint.made("seeds", partial(find_anchors, engine, corpus, surveyor, bags, repeats, pairs, kinds, cap,
                                                      families))
    kernel.release_memory()
    if all_windows:
        settings = settings._replace(all_cells=ALL_CELLS * bags.a_word**2)
        anchors = with_all_pairs(anchors, len(corpus.pages))
    if not pairs.every:
        anchors = anchors.take(rows_of(pairs.allows(anchors.page_a, anchors.page_b)))
    aligned, stopped_by = align_pairs(engine, bags, anchors, settings, judge is not None)
    if len(aligned.dice):
        surveyor.look_at(*(pages_at(bags.page_first, side) for side in (aligned.links.a0, aligned.links.b0)))
    if judge is not None:
        judge.rectangles(engine, corpus, *_told(corpus, bags, aligned, stopped_by), gates)
        across = anchors.take(rows_of(anchors.page_a != anchors.page_b))
        more, bits = align_pairs(engine, bags, across, settings._replace(**LAX), True)
        judge.rectangles(engine, corpus, *_told(corpus, bags, more, bits | np.uint8(WINDOWS)), gates,
                         beside=_as_tokens(corpus, bags, aligned).links)
        aligned = aligned.take(stopped_by == 0)
    if len(bags.first):
        aligned = _in_whole_tokens(engine, corpus, bags, aligned, gates)
    return replace(_marked_exact(engine, corpus, aligned), truncated=aligned.truncated + (hot > 0))


class AlignTask(Struct, frozen=True):
    """Some pairs of pages that are to be aligned, and what their pages hold.

    Attributes:
        item, page_first: Of the bags; elsewhere those of the pages that are named.
        before: First item of each page in the whole.
        anchors: Of the pairs.
        settings: As the kernel takes them.
        judge: Whether what gates stop is told, too.
    """

    item: U32
    page_first: I64
    before: I64
    anchors: Anchors
    settings: I64
    judge: bool

    def run(self) -> tuple[I64, int]:
        """Rectangles, and how many pairs had too many anchors.

        Returns:
            Columns, counted through the whole: a0, a1, b0, b1, twice the shared weight, the weight of both, gates.
        """
        of = self.anchors
        pair, a0, a1, b0, b1, shared, total, gates, truncated = kernel.align_pairs(
            self.item, self.page_first, of.page_a, of.page_b, of.first, of.a, of.b, self.settings, self.judge)
        before_a, before_b = self.before[of.page_a[pair]], self.before[of.page_b[pair]]
        columns = np.stack([a0 + before_a, a1 + before_a, b0 + before_b, b1 + before_b, shared, total, gates])
        return columns, int(truncated.sum())

    def __reduce__(self) -> tuple[type[AlignTask], tuple[object, ...]]:
        """With its own pages only."""
        of = self.anchors
        pages = distinct_numbers(np.concatenate([of.page_a, of.page_b]))
        rows, first = kernel.take_ranges(self.page_first, pages)
        own = replace(of, page_a=np.searchsorted(pages, of.page_a), page_b=np.searchsorted(pages, of.page_b))
        return AlignTask, (self.item[rows], first, self.before[pages], own, self.settings, self.judge)


def align_pairs(engine: LocalEngine, bags: Bags, anchors: Anchors, settings: Settings, judge: bool) -> tuple[Aligned, U8]:
    """Verified passages of the pairs of pages that have anchors, and the gates that stop each; 0 unless they are judged."""
    if not len(anchors.page_a):
        return NOTHING, np.empty(0, np.uint8)
    page_first, length = bags.page_first, widths(bags.page_first)
    larger = larger_pages(page_first, anchors.page_a, anchors.page_b)
    order = np.argsort(larger, kind="stable")
    anchors, larger = anchors.take(order), larger[order]
    new = np.ones(len(larger), bool)
    new[1:] = larger[1:] != larger[:-1]
    smaller = np.minimum(length[anchors.page_a], length[anchors.page_b])
    cost = np.cumsum(smaller + np.where(new, length[larger], 0) + ANCHOR_COST * widths(anchors.first))
    edges = np.searchsorted(cost, np.arange(0, int(cost[-1]) + 1 if len(cost) else 0, BATCH_COST))
    cuts = distinct_numbers(np.concatenate([[0], edges, [len(larger)]]))
    values = np.array(settings, np.int64)

    def task(part: tuple[int, int]) -> AlignTask:
        first = anchors.first[part[0]:part[1] + 1]
        rows = slice(int(first[0]), int(first[-1]))
        own = Anchors(anchors.page_a[slice(*part)], anchors.page_b[slice(*part)], first - first[0], anchors.a[rows],
                      anchors.b[rows])
        return AlignTask(bags.item, page_first, page_first, own, values, judge)

    def counted(found: tuple[I64, int]) -> I64:
        cut.append(found[1])
        return found[0]
    cut = [0]
    found = engine.spread(task, [(int(a), int(b)) for a, b in itertools.pairwise(cuts)], counted)
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
    links = links.take(rows_of(links.b0 < links.b1))
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


def whole_words(engine: LocalEngine, corpus: Corpus, links: Links) -> F64:
    """Share of the different words of the side with fewer of them that stand on the other side, too, whole; 0.0 to 1.0.

    Items are words by their beginnings: `order123` and `order456` are one.
    """
    if not len(links.a0):
        return np.empty(0)
    sides = [locate(engine, corpus, t0, t1) for t0, t1 in ((links.a0, links.a1), (links.b0, links.b1))]
    a, b = (Spans(side.start, side.end, np.arange(len(side) + 1)) for side in sides)
    overlap, n, m = span_overlaps(engine, corpus, a, b, 1)
    share: F64 = overlap / np.maximum(np.minimum(n, m), 1)
    return share


def _marked_exact(engine: LocalEngine, corpus: Corpus, aligned: Aligned) -> Aligned:
    """The same, those whose texts are equal marked as exact."""
    links = aligned.links
    rows = rows_of((aligned.dice == 1) & (links.a1 - links.a0 == links.b1 - links.b0))
    if not len(rows):
        return aligned
    a, b = (locate(engine, corpus, t0[rows], t1[rows]) for t0, t1 in ((links.a0, links.a1), (links.b0, links.b1)))
    exact = links.exact.copy()
    exact[rows] = kernel.equal_tokens(corpus.text, a.start, a.end, corpus.text, b.start, b.end, corpus.flags)
    return replace(aligned, links=replace(links, exact=exact))
