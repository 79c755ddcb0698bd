"""Plain twins of ``seeding.hpp``: seeds of edited and reworded passages, and the places that they anchor.

docs/design/alignment.md has the method, its constants and its figures. Weights are whole numbers, in 1/64 of a rare word.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dedup.kernel.align_settings import (
    GRAM_ITEMS,
    GRAM_WINDOW,
    HALF,
    ITEM_FLAGS,
    LETTER_ITEMS,
    LETTER_WINDOW,
    STARTS_SENTENCE,
    TRIPLE_SPAN,
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
