"""Plain twins of ``seeding.hpp`` and ``align.hpp``: seeds of edited and reworded passages, and rectangles.

docs/design/alignment.md has the method, its constants and its figures. All is counted in integers: weights in 1/64 of a
rare word, shares in thousandths, the score G in 1/64000.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from dedup.kernel.align_settings import (
    DICE,
    EVIDENCE,
    GRAM_ITEMS,
    GRAM_WINDOW,
    HALF,
    ITEM_FLAGS,
    LENGTH,
    LETTER_ITEMS,
    LETTER_WINDOW,
    OVERLAP,
    RARE,
    STARTS_SENTENCE,
    THOUSAND,
    TRIPLE_SPAN,
    WINDOWS,
    Settings,
)
from dedup.kernel.twin_grams import in_slice, seen_twice
from dedup.kernel.twin_sets import I64, U64, check_aligned, fmix64
from dedup.kernel.twin_tokens import MASK, _fold_table, cut_ranges, hash_content

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]

GRAM_BASE = 0x9E3779B97F4A7C15
MOST_AROUND = 1 << 20

FULL_STOPS = tuple(mark.encode() for mark in "。！？।؟۔።།")
CLOSING = tuple(mark.encode() for mark in "”’»›…")

# ---- items ----


def bag_items(text: U8, start: I64, end: I64, flags: int, letters: int) -> U32:
    """What the bag of a text holds: one item a token of each range, as ``tokenise`` cuts them.

    A word goes by its first letters; a character of a script without spaces with the one after it, where that is one too.

    Args:
        text, start, end, flags: As for ``tokenise``.
        letters: How many of a word's first letters count.

    Returns:
        30 bits of hash; bit 1: a character of a script without spaces; bit 0: a sentence starts here (after ``.!?`` with
        closing marks and a blank, after ``。`` and the like, after an empty line, with the range).
    """
    if letters < 1:
        raise ValueError("letters must be at least 1")
    cut = cut_ranges(text, start, end, flags)
    folded, raw = _fold_table(flags)[text].tobytes(), text.tobytes()
    contents = iter(cut.content)
    items: list[int] = []
    range_before, end_before, hash_before, half_before = -1, 0, 0, False
    rows = zip(*(column.tolist() for column in (cut.range, cut.start, cut.end, cut.ascii, cut.half)), strict=True)
    for of_range, a, b, is_ascii, half in rows:
        first = of_range != range_before
        content = folded[a:b][:letters] if is_ascii else next(contents)
        if not is_ascii and not half:
            content = content.decode()[:letters].encode()
        mixed = hash_content(content, 0)
        if half and half_before and not first:
            items[-1] = items[-1] & 3 | _item(_fmix((hash_before * GRAM_BASE + mixed) & MASK))
        border = first or (a > end_before and ends_sentence(raw[end_before:a]))
        items.append(_item(mixed) | HALF * half | STARTS_SENTENCE * border)
        range_before, end_before, hash_before, half_before = of_range, b, mixed, bool(half)
    return np.array(items, np.uint32)


def _item(mixed: int) -> int:
    return mixed >> 34 << ITEM_FLAGS


def _fmix(value: int) -> int:
    return int(fmix64(np.array([value], np.uint64))[0])


def ends_sentence(gap: bytes) -> bool:
    """Whether a sentence ends in what stands between two tokens."""
    at, stopped, lines = 0, False, 0
    while at < len(gap):
        byte = gap[at]
        if byte < 0x80:
            at += 1
            if byte == 32 or 9 <= byte <= 13:
                lines += byte == 10
                if stopped or (byte == 10 and lines == 2):
                    return True
                continue
            lines = 0
            if byte in b".!?":
                stopped = True
            elif byte not in b"\"')]}":
                stopped = False
            continue
        lines = 0
        if (stopped and gap.startswith("\u00a0".encode(), at)) or gap.startswith(FULL_STOPS, at):
            return True
        closing = next((mark for mark in CLOSING if gap.startswith(mark, at)), b"")
        stopped = bool(closing) and (stopped or closing == "…".encode())
        at += len(closing) or 1
    return False


def count_items(item: U32, quiet: U8, bits: int) -> U32:
    """How often items that are not quiet occur, by their upper `bits` bits."""
    if len(quiet) != len(item):
        raise ValueError("quiet: one entry an item")
    if not 1 <= bits <= 24:
        raise ValueError("bits must be 1 to 24")
    return np.bincount(item[quiet == 0] >> np.uint32(32 - bits), minlength=1 << bits).astype(np.uint32)


def rarities(counts: U32, once: int, stop_least: float, stop_share: float) -> U8:
    """How rare items are of which it is known how often each occurs: ln(n / c) / ln(n), c of the n items being it.

    Args:
        counts: Of each item; 0 for one that does not occur, which is as rare as one that does once.
        once: Rarity of an item that occurs once, 1 to 255; the least is 1.
        stop_least, stop_share: The most frequent items have rarity 0: those that make up `stop_share` of all, the first one
            that goes beyond it too, if each is `stop_least` of all and occurs eight times.
    """
    if not 1 <= once <= 255:
        raise ValueError("once must be 1 to 255")
    total = int(counts.sum())
    most = max(1, fixed_log2(max(total, 1)))
    out = [max(once * (most - fixed_log2(c)) // most, 1) if c else once for c in counts.tolist()]
    before = 0
    for c, item in sorted((-c, item) for item, c in enumerate(counts.tolist()) if c and c >= max(8, stop_least * total)):
        if before >= stop_share * total:
            break
        out[item] = 0
        before -= c
    return np.array(out, np.uint8)


# ---- keys ----


def _seed_keys(item: U32, page_first: I64, quiet: U8, rarity: U8, kind: int) -> tuple[U64, I64]:
    """Keys of each page and the number of their first item."""
    if len(quiet) not in (0, len(item)):
        raise ValueError("quiet: one entry an item, or none")
    if len(rarity) == 1 or len(rarity) & (len(rarity) - 1):
        raise ValueError("rarity: a power of two entries is needed, or none")
    if kind not in (0, 1, 2):
        raise ValueError("kind: 0 for grams, 1 for triples, 2 for letters")
    sums: list[int] = []
    places: list[int] = []
    is_quiet = quiet.tolist() or [0] * len(item)
    rare = _rare(item, rarity)
    values = [int(value) + 1 for value in item >> np.uint32(ITEM_FLAGS)]
    for begin, end in itertools.pairwise(page_first.tolist()):
        if kind != 1:
            run = (LETTER_ITEMS, LETTER_WINDOW) if kind else (GRAM_ITEMS, GRAM_WINDOW)
            chosen = _winnowed(values, is_quiet, begin, end, *run)
        else:
            chosen = _triples(values, is_quiet, [at for at in range(begin, end) if rare[at]])
        for total, at in chosen:
            sums.append(total)
            places.append(at)
    return fmix64(np.array(sums, np.uint64)), np.array(places, np.int64)


def _rare(item: U32, rarity: U8) -> U8:
    """How rare each item is; 0: too frequent."""
    return rarity[item >> np.uint32(33 - len(rarity).bit_length())] if len(rarity) else np.ones(len(item), np.uint8)


def _winnowed(values: list[int], quiet: list[int], begin: int, end: int, size: int,
              window_size: int) -> Iterator[tuple[int, int]]:
    """Of every `window_size` runs of `size` items in a row the least key, the last one of equals."""
    grams = []
    for at in range(begin, end - size + 1):
        total = 0
        for value in values[at:at + size]:
            total = (total * GRAM_BASE + value) & MASK
        grams.append(total)
    keys = fmix64(np.array(grams, np.uint64)).tolist()
    chosen = set()
    for i in range(max(1, len(keys) - window_size + 1) if keys else 0):
        window = range(i, min(len(keys), i + window_size))
        chosen.add(min(window, key=lambda g: (keys[g], -g)))
    for i in sorted(chosen):
        if not all(quiet[begin + i:begin + i + size]):
            yield grams[i], begin + i


def _triples(values: list[int], quiet: list[int], kept: list[int]) -> Iterator[tuple[int, int]]:
    """Unordered triples of different items within ``TRIPLE_SPAN`` of the first one."""
    for n, p in enumerate(kept):
        for q, r in itertools.combinations(kept[n + 1:n + 1 + TRIPLE_SPAN], 2):
            low, middle, high = sorted((values[p], values[q], values[r]))
            if low < middle < high and not (quiet[p] and quiet[q] and quiet[r]):
                yield ((low * GRAM_BASE + middle) * GRAM_BASE + high) & MASK, p


def mark_seeds(item: U32, page_first: I64, quiet: U8, rarity: U8, kind: int, table: U64, number: int = 0,
               slices: int = 1, shared: bool = False) -> None:
    """Mark every key of each page in a table of two bits a slot: seen once, seen twice or more.

    Args:
        item: Of ``bag_items``.
        page_first: First item of each page, one longer than the pages.
        quiet: 1 for an item inside a later copy of an exact run: keys of such items alone are left out. Or empty.
        rarity: How rare items are, by their upper bits; 0: too frequent for triples. A power of two entries, or none.
        kind: 0: winnowed runs of four items; two texts that share a run of five share a key. 1: unordered triples of
            different items, of which the last one is at most four behind the first, the frequent ones not counted. 2:
            winnowed runs of ten items, one of every eight; two texts that share a run of 17 share a key.
        table: 32 slots a word, a power of two words; changed in place. The result depends on no order of calls.
        number, slices: The table is that one of so many slices of a larger one, a power of two; only its keys are marked.
        shared: Other threads mark in the table at the same time.
    """
    check_aligned(table, "table")
    key, _ = _seed_keys(item, page_first, quiet, rarity, kind)
    key = key[in_slice(key, 32 * len(table), number, slices)]
    slots, counts = np.unique(key & np.uint64(len(table) * 32 - 1), return_counts=True)
    word, shift = (slots >> np.uint64(5)).astype(np.int64), (slots & np.uint64(31)) * np.uint64(2)
    before = (table[word] >> shift) & np.uint64(1)
    np.bitwise_or.at(table, word, np.uint64(1) << shift)
    again = (counts > 1) | (before == 1)
    np.bitwise_or.at(table, word[again], np.uint64(2) << shift[again])


def repeated_seeds(item: U32, page_first: I64, quiet: U8, rarity: U8, kind: int, twice: U64, before: int,
                   partitions: int, number: int = 0, slices: int = 1) -> tuple[U64, U32, I64]:
    """Keys whose slot was seen twice, ordered by partition (the upper bits of the key).

    Args:
        twice: Of ``slots_seen_twice``.
        before: Items before the first one of `item`.

    Returns:
        (key, number of its first item, first row of each partition, one longer than the partitions).
    """
    key, at = _seed_keys(item, page_first, quiet, rarity, kind)
    return seen_twice(key, at + before, twice, partitions, number, slices)


def seed_classes(key: U64, position: U32, cap: int) -> tuple[U32, I64, int]:
    """Places of each key that stands in two places at least and in `cap` at most, ascending in each class.

    Returns:
        (position, first of each class, one longer than the classes; places of hotter keys, which are left out).
    """
    places: dict[int, set[int]] = defaultdict(set)
    for k, p in zip(key.tolist(), position.tolist(), strict=True):
        places[k].add(p)
    classes = [sorted(places[k]) for k in sorted(places, key=lambda k: (k & (1 << 33) - 1, k)) if len(places[k]) > 1]
    kept = [c for c in classes if len(c) <= cap]
    first = np.cumsum([0, *map(len, kept)]).astype(np.int64)
    return np.array(list(itertools.chain(*kept)), np.uint32), first, sum(len(c) for c in classes if len(c) > cap)


# ---- anchors ----


def class_anchors(position: U32, first: I64, item: U32, page_first: I64, rarity: U8, shift: int,
                  before: int, after: int, least: int) -> tuple[U32, U32]:
    """Every two places of a class, if they have items in common around them.

    Args:
        position, first: Of ``seed_classes``.
        item, page_first, rarity: As for ``mark_seeds``.
        shift: Least distance of the two places in one page.
        before, after: Items around a place that are compared, after it with its own.
        least: How rare the different items that stand around both places are, at least, taken together.

    Returns:
        (a, b), a before b.
    """
    if before < 0 or after < 1 or max(before, after) > MOST_AROUND:
        raise ValueError(f"around: before is 0 at least, after 1, both {MOST_AROUND} at most")
    if len(position) and not page_first[0] <= position.min() <= position.max() < page_first[-1]:
        raise ValueError("a position lies before the first page or behind the last page")
    starts, rare = page_first.tolist(), _rare(item, rarity).tolist()
    around: dict[int, tuple[int, dict[int, int]]] = {}
    for at in set(position.tolist()):
        page = bisect_right(starts, at) - 1
        near = range(max(starts[page], at - before), min(starts[page + 1], at + after))
        around[at] = page, {int(item[i]) >> ITEM_FLAGS: rare[i] for i in near if rare[i]}
    out = []
    for begin, end in itertools.pairwise(first.tolist()):
        for a, b in itertools.combinations(position[begin:end].tolist(), 2):
            (page_a, items_a), (page_b, items_b) = around[a], around[b]
            if (page_a != page_b or b - a >= shift) and sum(items_a[i] for i in items_a.keys() & items_b) >= least:
                out.append((a, b))
    return np.array([a for a, _ in out], np.uint32), np.array([b for _, b in out], np.uint32)


def pair_anchors(a: U32, b: U32, page_first: I64) -> tuple[I64, I64, I64, I64, I64]:
    """Anchors by pair of pages, each once.

    Args:
        a, b: Their places, a before b.
        page_first: First token of each page, one longer than the pages.

    Returns:
        (page a, page b, first anchor of each pair, a, b): a and b are token numbers in their pages, ascending.
    """
    starts = page_first.tolist()
    pairs: dict[tuple[int, int], set[tuple[int, int]]] = defaultdict(set)
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        page_x, page_y = bisect_right(starts, x) - 1, bisect_right(starts, y) - 1
        pairs[page_x, page_y].add((x - starts[page_x], y - starts[page_y]))
    rows = [(pages, sorted(pairs[pages])) for pages in sorted(pairs)]
    return (np.array([x for (x, _), _ in rows], np.int64), np.array([y for (_, y), _ in rows], np.int64),
            np.cumsum([0, *(len(own) for _, own in rows)]).astype(np.int64),
            np.array([x for _, own in rows for x, _ in own], np.int64),
            np.array([y for _, own in rows for _, y in own], np.int64))


# ---- rectangles ----


LONG = 4  # times the slack: the ends of a rectangle that is longer are tied to its windows
STRIP, CROWD = 1024, 1024  # tokens of a strip; passages that touch the strips of one, at most

Range = tuple[int, int]
Ends = tuple[int, int, int, int]  # a0, a1, b0, b1
Seed = tuple[int, int]  # starts of two windows that are alike
Cluster = tuple[list[Seed], Ends]  # and how far the ends of its rectangle may go


@lru_cache(maxsize=1 << 12)
def fixed_log2(x: int) -> int:
    """The logarithm in 1/2^16, rounded down at each of its steps: the same bits everywhere."""
    whole = x.bit_length() - 1
    m = x >> (whole - 31) if whole > 31 else x << (31 - whole)
    out = whole
    for _ in range(16):
        m = (m * m) >> 31
        out *= 2
        if m >> 32:
            m, out = m >> 1, out + 1
    return out


class Band:
    """How far the starts of windows that are alike lie from each other, cell by cell of each text.

    A cell without any has those of the nearest cells before and behind it.
    """

    def __init__(self, seeds: list[Seed], cell: int, slack: int) -> None:
        self.cell, self.slack = cell, slack
        self.first = min(a for a, _ in seeds), min(b for _, b in seeds)
        self.shifts: tuple[dict[int, list[int]], ...] = defaultdict(list), defaultdict(list)
        for a, b in seeds:
            self.shifts[0][(a - self.first[0]) // cell].append(b - a)
            self.shifts[1][(b - self.first[1]) // cell].append(a - b)

    def beside(self, side: int, at: int) -> Range:
        """Where a start in the other text may be, beside one of this side."""
        cells = self.shifts[side]
        number = min(max((at - self.first[side]) // self.cell, 0), max(cells))
        near = cells[max(c for c in cells if c <= number)] + cells[min(c for c in cells if c >= number)]
        return at + min(near) - self.slack, at + max(near) + self.slack


KEPT = 4096  # ranges of a pair whose words are counted


class _Pair(Struct):
    """Two pages that are aligned; ``words`` are their items without flags."""

    s: Settings
    words: tuple[list[int], list[int]]
    flags: tuple[list[int], list[int]]
    same_page: bool
    weight: dict[int, int]
    limits: Ends  # how far the ends of a rectangle may go
    band: Band | None = None  # of its windows
    counted: dict[tuple[int, int, int], Counter[int]] = field(default_factory=dict)
    walked: dict[tuple[Ends, int, bool], tuple[int, int]] = field(default_factory=dict)  # in one joint move

    # What a rectangle holds.

    def counts(self, side: int, begin: int, end: int) -> Counter[int]:
        """How often each word stands in a range; the same ranges are asked for again and again."""
        key = side, begin, end
        if key not in self.counted:
            if len(self.counted) >= KEPT:
                self.counted.clear()
            self.counted[key] = Counter(self.words[side][begin:end])
        return self.counted[key]

    def sums(self, ends: Ends) -> tuple[int, int]:
        """Twice the shared weight, and the weight of both sides."""
        a, b = self.counts(0, *ends[:2]), self.counts(1, *ends[2:])
        shared = sum(self.weight[t] * min(a[t], b[t]) for t in a.keys() & b.keys())
        return 2 * shared, sum(self.weight[t] * n for counts in (a, b) for t, n in counts.items())

    def dice(self, ends: Ends) -> int:
        shared, total = self.sums(ends)
        return shared * THOUSAND // total if total else 0

    def theta(self, ends: Ends) -> int:
        return max(self.s.theta, self.s.factor * self.dice(ends) // THOUSAND)

    def evidence(self, ends: Ends) -> int:
        shared, total = self.sums(ends)
        return shared * THOUSAND - self.s.evidence_theta * total

    # Step 2: windows near anchors.

    def last_start(self, side: int) -> int:
        return max(0, len(self.words[side]) - self.s.window)

    def window(self, side: int, start: int) -> Range:
        return start, min(len(self.words[side]), start + self.s.window)

    def cells(self, anchors: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], bool]:
        """Cells of the grid that are to be compared, and whether there were too many."""
        if not self.words[0] or not self.words[1]:
            return [], False
        rows, columns = (self.last_start(side) // self.s.cell + 1 for side in (0, 1))
        if self.s.all_cells and len(self.words[0]) <= self.s.all_cells // max(len(self.words[1]), 1):
            return [(i, j) for i in range(rows) for j in range(i if self.same_page else 0, columns)], False
        own = {(min(a // self.s.cell, rows - 1), min(b // self.s.cell, columns - 1)) for a, b in anchors}
        around = range(-self.s.radius, self.s.radius + 1)
        near = defaultdict[int, list[int]](list)
        support = Counter((i + x, j + y) for i, j in own for x in around for y in around)
        for i, j in sorted(support):
            if 0 <= i < rows and 0 <= j < columns and (not self.same_page or j >= i):
                near[i].append(j)
        likeliest = [(i, j) for i in near for j in sorted(sorted(near[i], key=lambda j: -support[i, j])[:self.s.row_cells])]
        crowded = any(len(row) > self.s.row_cells for row in near.values())
        return likeliest[:self.s.max_cells], crowded or len(likeliest) > self.s.max_cells

    def alike(self, a: int, b: int, least: int, most: int | None = None) -> bool:
        sides = self.window(0, a), self.window(1, b)
        shared, total = self.sums((*sides[0], *sides[1]) if most is None else (a, a + most, b, min(sides[1][1], b + most)))
        return shared > 0 and shared * THOUSAND >= least * total

    def seeds(self, cells: list[tuple[int, int]]) -> list[Seed]:
        """Starts of windows that are alike, ascending."""
        found = set()
        for cell in cells:
            first = [index * self.s.cell for index in cell]
            a, b = (min(at, self.last_start(side)) for side, at in enumerate(first))
            if not self.alike(a, b, self.s.cell_dice):
                continue
            starts = [{min(at, self.last_start(side)) for at in range(begin, begin + self.s.cell, self.s.step)
                       if at == begin or at <= self.last_start(side)} for side, begin in enumerate(first)]
            for a, b in itertools.product(*starts):
                near = self.same_page and b < a + self.s.window  # windows of one page do not overlap: shorter ones, then
                if (not near or b >= a + self.s.least_window) and self.alike(a, b, self.s.seed_dice, b - a if near else None):
                    found.add((a, b))
        return sorted(found)

    # Step 3: clusters.

    def clusters(self, seeds: list[Seed], within: Ends) -> list[Cluster]:
        """Seeds that lie close together in both texts, near one diagonal, and how far the ends of each cluster may go."""
        reach = self.s.window + self.s.gap
        left, out = list(range(len(seeds))), []
        while left:
            members, border = [], [left.pop(0)]
            while border:
                a, b = seeds[border[-1]]
                members.append(border.pop())
                near = [i for i, (x, y) in ((i, seeds[i]) for i in left) if abs(x - a) <= reach and abs(y - b) <= reach
                        and abs((y - b) - (x - a)) <= self.s.drift]
                left = [i for i in left if i not in near]
                border += near
            out.append([seeds[i] for i in sorted(members)])
        return self.bounded(out, within)

    def bounded(self, clusters: list[list[Seed]], within: Ends) -> list[Cluster]:
        """The clusters, none going farther than midway to another copy of what it has in one of the texts."""
        limits = [list(within) for _ in clusters]
        starts = [[(min(s[side] for s in seeds), max(s[side] for s in seeds)) for side in (0, 1)] for seeds in clusters]
        for (i, x), (j, y) in itertools.permutations(enumerate([] if self.same_page else starts), 2):
            for side in (0, 1):
                gap = y[side][0] - x[side][1]  # between the starts of their windows, which may overlap a little
                apart = 2 * gap >= -min(x[side][1] - x[side][0], y[side][1] - y[side][0], 2 * self.s.window)
                if apart and gap <= 2 * self.s.window + self.s.gap and self.is_of(x[1 - side], y[1 - side]):
                    middle = x[side][1] + (self.s.window + gap) // 2
                    limits[i][2 * side + 1] = min(limits[i][2 * side + 1], middle)
                    limits[j][2 * side] = max(limits[j][2 * side], middle)
        return [(seeds, (a0, a1, b0, b1)) for seeds, (a0, a1, b0, b1) in zip(clusters, limits, strict=True)]

    def is_of(self, x: Range, y: Range) -> bool:
        """Whether two ranges of a text say about the same of it."""
        common = min(x[1], y[1]) - max(x[0], y[0])
        return common > 0 and common * THOUSAND >= self.s.again_share * max(x[1] - x[0], y[1] - y[0])

    def box(self, cluster: Cluster) -> Ends:
        """What the windows of a cluster cover; in one page the first range ends where the second one begins."""
        seeds, limits = cluster
        (a0, a1), (b0, b1) = ((max(min(s[side] for s in seeds), limits[2 * side]),
                               min(self.window(side, max(s[side] for s in seeds))[1], limits[2 * side + 1]))
                              for side in (0, 1))
        return a0, min(a1, b0) if self.same_page else a1, b0, b1

    def beside(self, cluster: Cluster, ends: Ends) -> Iterator[Cluster]:
        """Clusters of the seeds inside a rectangle in one text, and before or behind it in the other.

        The middle of a window says where it lies; of those before, or behind, one at least does with all of its tokens.
        """
        seeds, limits = cluster

        def side_of(side: int, start: int) -> int:
            return sum(start + self.s.window // 2 >= end for end in ends[2 * side:2 * side + 2]) - 1
        for at, end, to in ((0, 1, 0), (0, 0, 1), (1, 3, 2), (1, 2, 3)):
            way = 1 if end % 2 else -1
            rest = [s for s in seeds if side_of(at, s[at]) == way and side_of(1 - at, s[1 - at]) == 0]
            if any(s[at] >= ends[end] if way > 0 else s[at] + self.s.window <= ends[end] for s in rest):
                yield from self.clusters(rest, _put(limits, to, ends[end]))

    # Step 4: ends.

    def limit(self, ends: Ends, end: int, outwards: bool) -> int:
        if not outwards:
            return ends[end - 1] + 1 if end % 2 else ends[end + 1] - 1
        if end % 2 == 0:
            return max(ends[1], self.limits[2]) if end == 2 and self.same_page else self.limits[end]
        return min(ends[2], self.limits[1]) if end == 1 and self.same_page else self.limits[end]

    def steps(self, ends: Ends, end: int, outwards: bool, tied: bool = True) -> range:
        """Where an end may go, one token at a time; if it is tied, not farther than the other text's end allows."""
        step, limit = -1 if (end % 2 == 0) == outwards else 1, self.limit(ends, end, outwards)
        if tied and self.band is not None:
            other, to_start = (end + 2) % 4, self.s.window * (end % 2)  # an end is as good as the window before it
            low, high = self.band.beside(other // 2, ends[other] - to_start)
            limit = min(limit, max(high + to_start, ends[end])) if step > 0 else max(limit, min(low + to_start, ends[end]))
        return range(ends[end] + step, limit + step, step)

    def walk(self, ends: Ends, end: int, outwards: bool, theta: int, reach: int | None = None) -> tuple[int, int]:
        """Best change of G when an end walks one way, and where; it gives up `drop` below the best."""
        side = end // 2
        other = self.counts(1 - side, *ends[2 - 2 * side:4 - 2 * side])
        mine = dict(self.counts(side, *ends[2 * side:2 * side + 2]))
        best, to, gain, at = 0, ends[end], 0, ends[end]
        for step in self.steps(ends, end, outwards)[:reach]:
            word = self.words[side][min(at, step)]
            at, w = step, self.weight[word]
            if outwards:
                gain += w * (2 * THOUSAND - theta) if mine.get(word, 0) < other.get(word, 0) else -w * theta
                mine[word] = mine.get(word, 0) + 1
            else:
                gain += -w * (2 * THOUSAND - theta) if mine[word] <= other.get(word, 0) else w * theta
                mine[word] -= 1
            if gain > best:
                best, to = gain, at
            if gain < best - self.s.drop * RARE:
                break
        return best, to

    def best_move(self, ends: Ends, ways: tuple[bool, ...], theta: int) -> tuple[int, int, int]:
        """The single move that gains most: what it gains, where to, and the end."""
        moves = [(*self.walk(ends, end, outwards, theta), end) for end in range(4) for outwards in ways]
        return max(moves, key=lambda move: move[0])  # the first one of equals

    def score(self, ends: Ends, theta: int) -> int:
        shared, total = self.sums(ends)
        return shared * THOUSAND - theta * total

    def answered(self, ends: Ends, held: int, theta: int) -> Ends:
        """Where the other ends go, their best move first, while one is held."""
        for _ in range(self.s.moves):
            ways = [(ends, end, outwards) for end in range(4) if end != held for outwards in (True, False)]
            for way in ways:
                if way not in self.walked:
                    self.walked[way] = self.walk(*way, theta, self.s.joint_reach)
            moves = [(*self.walked[way], way[1]) for way in ways]
            gain, to, end = max(moves, key=lambda move: move[0])  # the first one of equals
            if gain <= 0:
                break
            ends = _put(ends, end, to)
        return ends

    def joint_move(self, ends: Ends, theta: int) -> Ends:
        """The best outcome where one end goes elsewhere and the others answer; the same ends where none gains."""
        before = most = self.score(ends, theta)
        best = ends
        self.walked.clear()
        for held, outwards in itertools.product(range(4), (True, False)):
            for at in self.steps(ends, held, outwards)[:self.s.joint_reach]:
                moved = _put(ends, held, at)
                if self.score(moved, theta) < before - self.s.drop * RARE:
                    break
                moved = self.answered(moved, held, theta)
                if self.score(moved, theta) > most:
                    best, most = moved, self.score(moved, theta)
        return best

    def move_ends(self, ends: Ends, ways: tuple[bool, ...]) -> Ends:
        """The move that gains most, again and again, and a joint one where none does; theta follows the Dice so far."""
        theta = self.s.theta if True in ways else self.theta(ends)
        for _ in range(self.s.moves):
            gain, to, end = self.best_move(ends, ways, theta)
            if gain > 0:
                ends = _put(ends, end, to)
            elif theta == self.theta(ends):
                together = self.joint_move(ends, theta) if True in ways else ends
                if together == ends:
                    break
                ends = together
            theta = self.theta(ends)
        return ends

    # Step 5: sentence borders.

    def starts_sentence(self, side: int, at: int) -> bool:
        return at <= 0 or at >= len(self.flags[side]) or bool(self.flags[side][at] & STARTS_SENTENCE)

    def border(self, ends: Ends, end: int, outwards: bool, theta: int) -> tuple[int, int] | None:
        """The next border one way: what G gains on the way there, and where it is."""
        for at in itertools.islice(self.steps(ends, end, outwards, tied=False), self.s.border_reach):
            if self.starts_sentence(end // 2, at):
                (shared, total), (before, total_before) = self.sums(_put(ends, end, at)), self.sums(ends)
                return (shared - before) * THOUSAND - theta * (total - total_before), at
        return None

    def snap(self, ends: Ends) -> Ends:
        """Ends inside a sentence go to its border where that costs little, the cheapest first."""
        theta, most = self.theta(ends), self.s.border_cost * RARE
        left = [0, 1, 2, 3]
        while left:
            choices = []
            for end in left:
                if self.starts_sentence(end // 2, ends[end]):
                    continue
                outer, inner = (self.border(ends, end, outwards, theta) for outwards in (True, False))
                outer_fits, inner_fits = (move is not None and move[0] >= -most for move in (outer, inner))
                if outer is not None and outer_fits and (inner is None or outer[0] >= inner[0] or not inner_fits):
                    choices.append((*outer, end))
                elif inner is not None and inner_fits:
                    choices.append((*inner, end))
            if not choices:
                break
            _, to, end = max(choices, key=lambda move: move[0])
            ends = _put(ends, end, to)
            left.remove(end)
        return ends

    # Step 6: gate.

    def gates(self, ends: Ends) -> int:
        """The gates that stop a rectangle."""
        shared, total = self.sums(ends)
        lengths = (sum(1 if flag & HALF else 2 for flag in self.flags[side][ends[2 * side]:ends[2 * side + 1]])
                   for side in (0, 1))
        return (EVIDENCE * (total <= 0 or self.evidence(ends) < self.s.evidence * RARE)
                | DICE * (shared * THOUSAND < self.s.least_dice * total) | LENGTH * (max(lengths) < self.s.min_halves))

    # Steps 3 to 6 of a cluster, and again of what lies beside its rectangle.

    def rectangles(self, cluster: Cluster) -> tuple[list[Ends], list[tuple[Ends, int]], bool]:
        """Rectangles of a cluster; those that a gate stops; whether there was more to try.

        One text may stand twice beside one copy of it: their windows may be one cluster, but a rectangle holds one copy. So
        the windows beside a rectangle that stands are tried again.
        """
        found, stopped, left = list[Ends](), list[tuple[Ends, int]](), [cluster]
        for _ in range(self.s.tries):
            if not left:
                break
            cluster = left.pop(0)
            self.limits, ends = cluster[1], self.box(cluster)
            if ends[0] >= ends[1] or ends[2] >= ends[3]:
                continue
            is_long = max(ends[1] - ends[0], ends[3] - ends[2]) > LONG * self.s.slack
            self.band = Band(cluster[0], self.s.cell, self.s.slack) if is_long and not self.same_page else None
            ends = self.snap(self.move_ends(ends, (True, False)))
            gates = self.gates(ends) | WINDOWS * (len(cluster[0]) == 1)
            if gates:
                stopped.append((ends, gates))
            else:
                found.append(ends)
                left += [] if self.same_page else [more for more in self.beside(cluster, ends) if len(more[0]) > 1]
        return found, stopped, bool(left)

    # Step 7: overlaps.

    def rank(self, ends: Ends) -> int:
        shared, total = self.sums(ends)
        return self.evidence(ends) // THOUSAND * (shared * 65536 // total)

    def shares_strip(self, x: Ends, y: Ends) -> bool:
        for start in (0,) if self.same_page else (0, 2):
            (x0, x1), (y0, y1) = ((ends[start] // STRIP, (ends[start + 1] - 1) // STRIP) for ends in (x, y))
            if x0 <= y1 and y0 <= x1:
                return True
        return False

    def resolved(self, found: list[Ends]) -> tuple[list[Ends], list[Ends], bool]:
        """Passages without overlaps; those that went; whether some went because too many stand in one place."""
        kept, gone = list[Ends](), list[Ends]()
        truncated = False
        for ends in sorted(found, key=lambda ends: (-self.rank(ends), ends)):
            if sum(self.shares_strip(ends, better) for better in kept) > CROWD:
                truncated = True
                gone.append(ends)
                continue
            on_both = [i for i, better in enumerate(kept) if all(_overlap(ends, better, side) > 0 for side in (0, 1))]
            if on_both:
                better = kept[on_both[0]]
                both = (min(ends[0], better[0]), max(ends[1], better[1]), min(ends[2], better[2]), max(ends[3], better[3]))
                most = max(self.evidence(better), self.evidence(ends))
                if not (self.same_page and both[1] > both[2]) and self.evidence(both) >= most:
                    kept[on_both[0]] = both
                else:
                    gone.append(ends)
                continue
            rest = ends
            if not self.same_page:
                again = self.dice(ends) >= self.s.again_dice
                for better in kept:
                    for side in (0, 1):
                        if _overlap(rest, better, side) > 0 and not (
                                again and self.is_of(_side(ends, side), _side(better, side))):
                            rest = _cut_off(rest, better, side)
                if rest[0] == rest[1] or rest[2] == rest[3]:
                    gone.append(ends)
                    continue
            if rest != ends:
                rest = self.move_ends(rest, (False,))
                if self.gates(rest):
                    gone.append(ends)
                    continue
            kept.append(rest)
        return sorted(kept), gone, truncated

    def passages(self, anchors: list[tuple[int, int]], judge: bool) -> tuple[list[tuple[Ends, int]], bool]:
        """All steps: rectangles and the gates that stop them; those that stand come first, the others if they are judged."""
        cells, truncated = self.cells(anchors)
        found, stopped = list[Ends](), list[tuple[Ends, int]]()
        for cluster in self.clusters(self.seeds(cells), self.limits):
            rectangles, others, cut = self.rectangles(cluster)
            found += rectangles
            stopped += others
            truncated |= cut
        self.band = None
        kept, gone, crowded = self.resolved(found)
        stopped += [(ends, OVERLAP) for ends in gone]
        return [*((ends, 0) for ends in kept), *(sorted(stopped) if judge else [])], truncated or crowded


def _put(ends: Ends, end: int, to: int) -> Ends:
    a0, a1, b0, b1 = (to if e == end else at for e, at in enumerate(ends))
    return a0, a1, b0, b1


def _side(ends: Ends, side: int) -> Range:
    return ends[2 * side], ends[2 * side + 1]


def _overlap(x: Ends, y: Ends, side: int) -> int:
    return min(x[2 * side + 1], y[2 * side + 1]) - max(x[2 * side], y[2 * side])


def _cut_off(ends: Ends, better: Ends, side: int) -> Ends:
    """Takes a better passage's range out of one side; of what is left on both sides of it, the longer part stays."""
    start, end = ends[2 * side], ends[2 * side + 1]
    before, after = max(0, better[2 * side] - start), max(0, end - better[2 * side + 1])
    return _put(ends, 2 * side + 1, start + before) if before >= after else _put(ends, 2 * side, end - after)


def align_pairs(item: U32, page_first: I64, page_a: I64, page_b: I64, anchor_first: I64, anchor_a: I64, anchor_b: I64,
                settings: I64, judge: bool) -> tuple[I64, I64, I64, I64, I64, I64, I64, U8, U8]:
    """Verified passages of pairs of pages: rectangles that maximise a weighted score of the words that they share.

    Args:
        item, page_first: Of ``bag_items``, and the first item of each page, one longer than the pages.
        page_a, page_b: The pairs; a page may be paired with itself. The compiled kernel is faster where pairs that have
            their larger page in common stand together.
        anchor_first, anchor_a, anchor_b: Anchors of each pair, in tokens of each page.
        settings: The fields of ``Settings``.
        judge: Also give those that a gate stops, behind the others of their pair.

    Returns:
        (pair, a0, a1, b0, b1, twice the shared weight, weight of both sides, gates) of each passage, in tokens of each page;
        and for each pair, whether it had more anchors than are followed. The gates that stop a passage are bits: too little
        evidence, too low a Dice, too short, one window only, and words that stand in better passages; 0 if it stands.
    """
    s = Settings(*settings.tolist())
    rows: list[tuple[int, ...]] = []
    truncated = np.zeros(len(page_a), np.uint8)
    for p, (a, b) in enumerate(zip(page_a.tolist(), page_b.tolist(), strict=True)):
        anchors = slice(int(anchor_first[p]), int(anchor_first[p + 1]))
        places = anchor_a[anchors].tolist(), anchor_b[anchors].tolist()
        turned = _text(item, page_first, b) < _text(item, page_first, a)  # of equal outcomes the first text decides
        pair = _pair(s, item, page_first, b, a) if turned else _pair(s, item, page_first, a, b)
        found, cut = pair.passages(list(zip(*(places[::-1] if turned else places), strict=True)), judge)
        truncated[p] = cut
        mirrored = [((*ends[2:], *ends[:2]) if turned else ends, *pair.sums(ends), gates) for ends, gates in found]
        rows += [(p, *ends, *sums, gates) for ends, *sums, gates in sorted(mirrored, key=lambda r: (r[3] > 0, r[0], r[3]))]
    pairs, a0, a1, b0, b1, shared, total, gates = np.array(rows, np.int64).reshape(-1, 8).T.copy()
    return pairs, a0, a1, b0, b1, shared, total, gates.astype(np.uint8), truncated


def measure_parts(item: U32, page_first: I64, page_a: I64, page_b: I64, first_a: I64, a0: I64, a1: I64, first_b: I64, b0: I64,
                  b1: I64, settings: I64) -> tuple[I64, I64]:
    """What parts of pairs of pages share: twice the shared weight, and the weight of both sides.

    Args:
        first_a, a0, a1: Of pair p the parts ``first_a[p]`` to ``first_a[p + 1]`` in tokens of its first page.
        first_b, b0, b1: The same of its second page.
        item, page_first, page_a, page_b, settings: As for ``align_pairs``.
    """
    s = Settings(*settings.tolist())
    out = []
    for p, (a, b) in enumerate(zip(page_a.tolist(), page_b.tolist(), strict=True)):
        weight = _pair(s, item, page_first, a, b).weight
        bags = []
        for page, first, starts, ends in ((a, first_a, a0, a1), (b, first_b, b0, b1)):
            words = (item[page_first[page]:page_first[page + 1]] >> np.uint32(ITEM_FLAGS)).tolist()
            bags.append(Counter(word for i in range(first[p], first[p + 1]) for word in words[starts[i]:ends[i]]))
        out.append((2 * sum(weight[word] * n for word, n in (bags[0] & bags[1]).items()),
                    sum(weight[word] * n for bag in bags for word, n in bag.items())))
    shared, total = np.array(out, np.int64).reshape(-1, 2).T.copy()
    return shared, total


def _text(item: U32, page_first: I64, page: int) -> list[int]:
    items: list[int] = item[page_first[page]:page_first[page + 1]].tolist()
    return items


def _pair(s: Settings, item: U32, page_first: I64, a: int, b: int) -> _Pair:
    sides = [_text(item, page_first, page) for page in (a, b)]
    words, flags = ([[value >> ITEM_FLAGS if words else value & 3 for value in side] for side in sides]
                    for words in (True, False))
    weight = _weights(s, words[:1] if a == b else words)
    return _Pair(s, (words[0], words[1]), (flags[0], flags[1]), a == b, weight, (0, len(words[0]), 0, len(words[1])))


def _weights(s: Settings, pages: list[list[int]]) -> dict[int, int]:
    """ln((n + 1) / c) / ln(n + 1) of each word in 1/64, c of the n pseudo-windows of all pages holding it."""
    windows: Counter[int] = Counter()
    count = 2
    for words in pages:
        for begin in range(0, len(words), s.pseudo_window):
            windows.update(set(words[begin:begin + s.pseudo_window]))
            count += 1
    most = fixed_log2(count + 1)
    return {word: (2 * RARE * (most - fixed_log2(c)) + most) // (2 * most) for word, c in windows.items()}
