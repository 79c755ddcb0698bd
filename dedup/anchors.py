"""Stage 6 for edited and reworded text: seeds, and the anchors that they make.

Seeds are keys that two places share: winnowed runs of items (``near``) and unordered triples of rarer items
(``reworded``). Two places of a seed that have more in common around them are an anchor. docs/design/alignment.md has the
method and its figures.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from dedup.bags import Bags
from dedup.columns import begins_new, distinct_numbers, is_among, owners, rows_of, sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import Columns, LocalEngine, Partitioned
from dedup.families import Families
from dedup.filed import LEAST_IN_FILE, filed
from dedup.kernel import kernel
from dedup.kernel.align_settings import GRAM_ITEMS, GRAM_WINDOW, LETTER_ITEMS, LETTER_WINDOW
from dedup.later_copies import Copies, InStep, carried, chained, first_by_text, later_copies, quiet_copies
from dedup.marks import Marks
from dedup.order import distinct_keys
from dedup.page_pairs import PagePairs
from dedup.seeds import Repeats, pages_at, repeats_that_count

if TYPE_CHECKING:
    from dedup.surveyor import Surveyor

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]

GRAMS, TRIPLES, LETTERS = 0, 1, 2  # kinds of seeds; LETTERS of scanned text
KEYS = {GRAMS: 0.75, TRIPLES: 3.5, LETTERS: 0.25}  # an item, at most about
KEYS_A_WORD = 16  # of a table of keys: a quarter to half of its slots are taken
KEY_ITEMS = {GRAMS: (GRAM_ITEMS, GRAM_WINDOW), TRIPLES: (3, 1), LETTERS: (LETTER_ITEMS, LETTER_WINDOW)}  # and of its window
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

NO_CLASSES = np.empty(0, np.uint32), np.zeros(1, np.int64)  # what is left of a part that was compared


class Anchors(Struct, frozen=True):
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


def find_anchors(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, bags: Bags, repeats: Repeats, pairs: PagePairs,
                 kinds: tuple[int, ...], cap: int, families: Families) -> tuple[Anchors, int]:
    """Anchors of all seeds and of the exact repeats, and the number of places that a bound left out.

    Two pages of one family have none.
    """
    runs = _in_items(bags, repeats)
    if kinds == (LETTERS, TRIPLES):  # triples are of words
        a, b, hot = _seed_pairs(engine, corpus, bags, runs, pairs, kinds[:1], cap, families)
        words = surveyor.word_bags(None)
        words_a, words_b, more = _seed_pairs(engine, corpus, words, repeats, pairs, kinds[1:], cap, families)
        del words
        a, b = (np.append(side, bags.items(of_words.astype(np.int64)).astype(np.uint32))
                for side, of_words in ((a, words_a), (b, words_b)))
        hot += more
    else:
        a, b, hot = _seed_pairs(engine, corpus, bags, runs, pairs, kinds, cap, families)
    kernel.release_memory()
    runs = repeats_that_count(runs, bags.page_first, pairs)
    if families.any:
        apart = families.apart(pages_at(bags.page_first, runs.a), pages_at(bags.page_first, runs.b))
        runs = replace(runs, a=runs.a[apart], b=runs.b[apart], length=runs.length[apart])
    along_a, along_b = _along(runs, bags, a, b)
    anchors = kernel.pair_anchors(np.concatenate([a, along_a]), np.concatenate([b, along_b]), bags.page_first)
    return Anchors(*anchors), hot


def item_rarity(engine: LocalEngine, item: U32, quiet: tuple[U32, U32]) -> U8:
    """How rare items are in the collection, by their upper bits: ln(n / c) / ln(n) in 1/16, c of the n items being it.

    Copies of an exact run count once: words are not frequent because the text that they stand in is copied often.
    0 for the most frequent ones: those that make up ``STOP_SHARE`` of the running text, if they are frequent themselves.
    """
    bits = _count_bits(item)

    def count(cut: tuple[int, int]) -> U32:
        return kernel.count_items(item[slice(*cut)], kernel.mark_ranges(*quiet, *cut), bits)
    cuts = itertools.pairwise([*range(0, max(len(item), 1), COUNTED), len(item)])
    parts = engine.map(count, list(cuts))
    counts: U32 = parts[0] if len(parts) == 1 else np.sum(parts, axis=0, dtype=np.uint32)  # items are below 2^32
    return kernel.rarities(counts, RARITY, STOP_LEAST, STOP_SHARE)


def _count_bits(item: U32) -> int:
    """Bits of an item that tell those apart which are counted."""
    return min(STOP_BITS, len(item).bit_length() + 2)


def _seed_classes(engine: LocalEngine, corpus: Corpus, bags: Bags, quiet: tuple[U32, U32], rarity: U8, pairs: PagePairs,
                  in_step: InStep, kind: int, cap: int, families: Families, closed: Flags) -> list[tuple[U32, I64]]:
    """Places of all seeds of a kind, partition by partition: ascending for each seed, and where those of each one begin."""
    item, page_first = bags.item, bags.page_first
    batches, words = corpus.batches(engine.most_batch), 1 << max(6, int(KEYS[kind] * len(item) / KEYS_A_WORD).bit_length())
    slices, classes = engine.slices(8 * words), list[tuple[U32, I64]]()
    partitions = engine.partitions(int(corpus.page_start[-1]), slices)

    def text(batch: tuple[int, int]) -> tuple[U32, I64, U8, U8]:
        edges = page_first[batch[0]:batch[1] + 1]
        begin, end = int(edges[0]), int(edges[-1])
        return item[begin:end], edges - begin, kernel.mark_ranges(*quiet, begin, end), rarity

    of_one_side = _smaller_side(batches, page_first, pairs)

    def marked(number: int) -> U64:
        marks = Marks(engine, words // slices)

        def mark(batch: tuple[int, int]) -> None:
            marks.mark(lambda table, shared: kernel.mark_seeds(*text(batch), kind, table, number, slices, shared))
        engine.map(mark, batches if of_one_side is None else [*of_one_side, *of_one_side])  # once is as good as twice there
        return marks.seen_twice()

    def emit(batch: tuple[int, int], number: int, twice: U64) -> Partitioned:
        key, at, edges = kernel.repeated_seeds(*text(batch), kind, twice, int(page_first[batch[0]]), partitions, number,
                                               slices)
        if pairs.within:  # seeds of each page by themselves; the upper half says the partition
            page = pages_at(page_first, at).astype(np.uint64)
            key = key ^ (page * SPREAD & np.uint64(0xFFFFFFFF))
        return Partitioned((key, at), edges)

    is_large = int(corpus.page_start[-1]) >= LEAST_IN_FILE

    def group(columns: Columns) -> tuple[U32, I64]:
        places = _with_partners(*kernel.seed_classes(columns[0], columns[1], cap)[:2], page_first, pairs, in_step)
        position, first = families.without_said(*places, page_first, closed)
        return (filed(position), filed(first)) if is_large else (position, first)
    for number in range(slices):
        twice = marked(number)
        kernel.release_memory()
        emitted = functools.partial(emit, number=number, twice=twice)
        rows = engine.map(emitted, _halves(batches) if kind == TRIPLES else batches)
        del twice
        classes += engine.exchange(rows, group)
    return classes


def _halves(batches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each batch in two, where it has two pages: of that many seeds the rows of a whole one are a share of memory."""
    halves = [((begin, (begin + end) // 2), ((begin + end) // 2, end)) for begin, end in batches]
    return [(begin, end) for begin, end in itertools.chain(*halves) if begin < end]


def _smaller_side(batches: list[tuple[int, int]], page_first: I64, pairs: PagePairs) -> list[tuple[int, int]] | None:
    """Batches of the pages of that side which has less text; ``None`` where there are no sides.

    A seed of two sides stands on this one, too: what does not is no seed, however often it stands on the other one.
    """
    if pairs.side is None:
        return None
    border = int(np.count_nonzero(pairs.side == 0))  # the references are the first pages
    sides = (0, border), (border, len(pairs.side))
    low, high = min(sides, key=lambda side: int(page_first[side[1]] - page_first[side[0]]))
    own = [(max(begin, low), min(end, high)) for begin, end in batches]
    return [(begin, end) for begin, end in own if begin < end]


def _border_of_few(engine: LocalEngine, corpus: Corpus, pairs: PagePairs, kinds: tuple[int, ...], families: Families) -> int:
    """First page of the second one of two sides, where one call of the kernel finds the seeds of both: of few pages, with
    nothing that takes seeds away but the sides; else -1."""
    simple = pairs.side is not None and pairs.value is None and not pairs.within and kinds == (GRAMS,) and not families.any
    if not simple or engine.is_bounded or len(corpus.batches()) != 1:
        return -1
    return int(np.count_nonzero(pairs.side == 0))


def _joined(engine: LocalEngine, classes: list[tuple[U32, I64]], around: int) -> list[tuple[U32, I64]]:
    """Classes of partitions in fewer parts, where memory is bounded: what stands around places comes into memory once a part.

    Args:
        around: Items that are kept of what stands around a place.
    """
    size, out = engine.part_bytes // (around * 4), list[tuple[U32, I64]]()
    classes.reverse()
    while classes:
        positions, firsts, places = list[U32](), list[I64](), 0
        while classes and (not positions or places + len(classes[-1][0]) <= size):
            position, first = classes.pop()
            positions.append(position)
            firsts.append(first[1 if firsts else 0:] + places)
            places += len(position)
        out.append((positions[0], firsts[0]) if len(firsts) == 1 else (np.concatenate(positions), np.concatenate(firsts)))
    return out


def _with_partners(position: U32, first: I64, page_first: I64, pairs: PagePairs, in_step: InStep) -> tuple[U32, I64]:
    """Places of seeds without those that make no pair that counts; inside pages, without seeds that one exact run explains.

    Across pages the copy of such a place in a further copy of the run, which has no seeds, may be the partner of another one.
    """
    if pairs.every or not len(position):
        return position, first
    owner = owners(first)
    kept = rows_of(pairs.partners(owner, pages_at(page_first, position)) >= 0)
    if not len(kept):
        return position[:0], first[:1]
    owner, position = owner[kept], position[kept]
    if not pairs.within:  # a place and its partner
        return position, sums(np.bincount(owner)[owner[begins_new(owner)]])
    new = begins_new(owner)
    leader = position[rows_of(new)[np.cumsum(new) - 1]]
    apart = np.bincount(owner[~new], ~in_step.both(leader[~new], position[~new]), len(first) - 1) > 0
    counts = np.bincount(owner[apart[owner]], minlength=len(first) - 1)
    return position[apart[owner]], sums(counts[counts > 0])


def _in_items(bags: Bags, repeats: Repeats) -> Repeats:
    """Exact repeats, counted in items."""
    if not len(bags.first):  # each token is one
        return repeats
    begins = repeats.position[repeats.first[:-1]]
    a, end, position = bags.items(repeats.a), bags.items(repeats.a + repeats.length), bags.items(repeats.position)
    return Repeats(a, bags.items(repeats.b), end - a, repeats.first, position,
                   bags.items(begins + repeats.lengths) - bags.items(begins))


def _seed_pairs(engine: LocalEngine, corpus: Corpus, bags: Bags, repeats: Repeats, pairs: PagePairs, kinds: tuple[int, ...],
                cap: int, families: Families) -> tuple[U32, U32, int]:
    """Places of seeds, two and two, and the number of places that a bound left out.

    Two places go that are in step in two copies of an exact repeat, or on two pages of one family.

    Args:
        repeats: Exact repeats, counted in items.
    """
    page_first, in_step, closed = bags.page_first, InStep(repeats), families.closed(repeats, bags.page_first)
    if pairs.every:
        repeats = first_by_text(repeats, page_first, corpus.page_digest)
    apart = pages_at(page_first, repeats.a) != pages_at(page_first, repeats.b)
    across = replace(repeats, a=repeats.a[apart], b=repeats.b[apart], length=repeats.length[apart])
    later, border = later_copies(repeats, page_first, pairs), _border_of_few(engine, corpus, pairs, kinds, families)
    found = _pairs_of_few(bags, across, later, border, cap) if border >= 0 else None
    if found is None:
        found = _pairs_of_all(engine, corpus, bags, repeats, across, later, pairs, in_step, kinds, cap, families, closed)
    a, b, hot = found
    if len(a) and border >= 0:  # of all pages that is done part by part
        stays = ~in_step.both(a, b)
        a, b = a[stays], b[stays]
    if not pairs.within and len(a):
        before, after = (bags.a_word * words for words in AROUND)
        a, b = carried(Copies.of_inner(across, before, after), in_step, a, b)
    if len(a) and (families.any or not pairs.every):
        page_a, page_b = pages_at(page_first, a), pages_at(page_first, b)
        counted = rows_of(pairs.allows(page_a, page_b) & families.apart(page_a, page_b))
        a, b = a[counted], b[counted]
    return a, b, hot


def _pairs_of_few(bags: Bags, across: Repeats, later: tuple[U32, U32], border: int, cap: int) -> tuple[U32, U32, int] | None:
    """The same of a few pages on two sides by one call of the kernel, those in step too; ``None`` where there are too many.

    Args:
        across: The matches of two pages.
        later: Of ``later_copies``.
        border: First page of the second side.
    """
    before, after = (bags.a_word * words for words in AROUND)
    budget = max(PAIRS, PAIRS_PER_TOKEN * len(bags.item))
    a, b, largest, classes = kernel.sided_anchors(
        bags.item, bags.page_first, border, *later, across.a, across.b, across.length, cap, _count_bits(bags.item), RARITY,
        STOP_LEAST, STOP_SHARE, before, after, bags.settings.least_window, COMMON[GRAMS], budget)
    return None if classes * largest**2 > 2 * budget else (a, b, 0)


def _pairs_of_all(engine: LocalEngine, corpus: Corpus, bags: Bags, repeats: Repeats, across: Repeats, later: tuple[U32, U32],
                  pairs: PagePairs, in_step: InStep, kinds: tuple[int, ...], cap: int, families: Families,
                  closed: Flags) -> tuple[U32, U32, int]:
    """The same of all pages, those out of step."""
    item, page_first = bags.item, bags.page_first
    rarity, classes = item_rarity(engine, item, later), list[tuple[U32, I64]]()
    size, window = KEY_ITEMS[kinds[0]]
    quiet = quiet_copies(repeats, later, window - 1) if pairs.every else later
    kernel.release_memory()
    with_edges = 0  # classes of runs of items: of the many triples few stand without such a run near the end of a copy
    for kind in kinds:
        of_kind = _seed_classes(engine, corpus, bags, quiet, rarity, pairs, in_step, kind, cap, families, closed)
        classes += _joined(engine, of_kind, sum(AROUND) * bags.a_word)
        with_edges = len(classes) if kind != TRIPLES else with_edges
        kernel.release_memory()
    del quiet, later
    counts = _class_sizes(classes)
    most = _affordable(counts, max(PAIRS, PAIRS_PER_TOKEN * len(item)))
    before, after = (bags.a_word * words for words in AROUND)
    edges = Copies.of_edges(across, before, after, size)

    def pair(number: int) -> tuple[U32, U32]:
        part, classes[number] = classes[number], NO_CLASSES
        own = widths(part[1])
        kept = own <= most
        places = part if kept.all() else (part[0][np.repeat(kept, own)], sums(own[kept]))
        if not pairs.within and number < with_edges:
            places = edges.with_copies(*places)
        a, b = kernel.class_anchors(*places, item, page_first, rarity, bags.settings.least_window, before, after,
                                    COMMON[kinds[-1]])
        if not pairs.every and len(a):
            counted = pairs.allows(pages_at(page_first, a), pages_at(page_first, b))
            a, b = a[counted], b[counted]
        if not len(a):
            return a, b
        apart = ~in_step.both(a, b)
        return a[apart], b[apart]
    if pairs.every:
        classes.append(chained(across, size, bags.a_word))
    seeds = [(np.empty(0, np.uint32), np.empty(0, np.uint32)), *engine.map(pair, range(len(classes)))]
    classes.clear()
    a, b = (np.concatenate([pair[side] for pair in seeds]) for side in (0, 1))
    return a, b, int((counts * np.arange(len(counts)))[most + 1:].sum())


def _class_sizes(classes: list[tuple[U32, I64]]) -> I64:
    """How many classes have so many places, by that number."""
    counts = [np.bincount(widths(first), minlength=3) for _, first in classes]
    together = np.zeros(max([3, *map(len, counts)]), np.int64)
    for own in counts:
        together[:len(own)] += own
    return together


def _affordable(counts: I64, budget: int) -> int:
    """Places of the largest class of which, with all smaller ones, all pairs are within the budget.

    Args:
        counts: How many classes have so many places.
    """
    largest = len(counts) - 1
    if int(counts.sum()) * largest**2 <= 2 * budget:
        return largest
    size = np.arange(len(counts))
    within = rows_of(np.cumsum(counts * size * (size - 1) // 2) <= budget)
    return max(2, int(within[-1]) if len(within) else 0)


def _along(repeats: Repeats, bags: Bags, a: U32, b: U32) -> tuple[U32, U32]:
    """Anchors along the exact matches, one a cell, of pages that have seeds or another match in common too.

    Pages that have nothing in common but one exact run have no edited passage: the run says all.

    Args:
        a, b: Anchors of seeds.
    """
    page_first = bags.page_first
    if not len(repeats.a):
        return np.empty(0, np.uint32), np.empty(0, np.uint32)

    def pages(x: npt.NDArray[np.int64] | U32, y: npt.NDArray[np.int64] | U32) -> I64:
        of_x, of_y = (pages_at(page_first, side) for side in (x, y))
        both: I64 = of_x * len(page_first) + of_y
        return both
    of_run = pages(repeats.a, repeats.b)
    pair = distinct_keys(of_run.view(np.uint64))[1]
    several = np.bincount(pair)[pair] > 1
    rows = rows_of(several | is_among(of_run, distinct_numbers(pages(a, b))) if len(a) else several)
    if not len(rows):
        return np.empty(0, np.uint32), np.empty(0, np.uint32)
    cell = bags.settings.cell
    counts = -(-repeats.length[rows] // cell)
    step = (np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)) * cell
    along_a, along_b = (np.repeat(side[rows], counts) + step for side in (repeats.a, repeats.b))
    return along_a.astype(np.uint32), along_b.astype(np.uint32)


def with_all_pairs(anchors: Anchors, pages: int) -> Anchors:
    """All pairs of pages, those without anchors too."""
    every = np.array(list(itertools.combinations_with_replacement(range(pages), 2)), np.int64)
    at = np.searchsorted(anchors.page_a * pages + anchors.page_b, every[:, 0] * pages + every[:, 1], side="left")
    right = np.searchsorted(anchors.page_a * pages + anchors.page_b, every[:, 0] * pages + every[:, 1], side="right")
    counts = np.where(right > at, np.append(widths(anchors.first), 0)[at], 0)
    return Anchors(every[:, 0].copy(), every[:, 1].copy(), sums(counts), anchors.a, anchors.b)
