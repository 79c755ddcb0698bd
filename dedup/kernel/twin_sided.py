"""Plain twin of ``sided.hpp``: seeds of a few pages on two sides, and the anchors they give, in one go."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from dedup.kernel.align_settings import GRAM_ITEMS
from dedup.kernel.twin_copies import mark_ranges, range_buckets, with_copies
from dedup.kernel.twin_grams import blocks_of
from dedup.kernel.twin_seeding import class_anchors, count_items, rarities, repeated_seeds, seed_classes

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]

NONE, ALL = np.empty(0, np.uint8), np.full(1, 2**64 - 1, np.uint64)


def sided_anchors(item: U32, page_first: I64, border: int, quiet_start: U32, quiet_end: U32, a: I64, b: I64, length: I64,
                  cap: int, bits: int, once: int, stop_least: float, stop_share: float, before: int, after: int, shift: int,
                  least: int, budget: int) -> tuple[U32, U32, int, int]:
    """Anchors of the seeds (kind 0 of ``mark_seeds``) that stand on both sides of a border between pages.

    Args:
        item, page_first: As of ``mark_seeds``.
        border: First page of the second side.
        quiet_start, quiet_end: Ranges of items inside later copies of exact runs, apart from each other, ascending.
        a, b, length: Exact matches. Seeds near the ends of the first copy of one of two pages stand in the other copy, too.
        cap: As of ``seed_classes``.
        bits: As of ``count_items``; items that are quiet do not count.
        once, stop_least, stop_share: As of ``rarities``.
        before, after, shift, least: As of ``class_anchors``.
        budget: Pairs of places. Where all classes might have more if all were as large as the largest one, nothing is done.

    Returns:
        (a, b, places of the largest class, 2 at least, classes), a on the first side and b on the second one.
    """
    if not 0 <= border < len(page_first):
        raise ValueError("border is no page")
    if not len(a) == len(b) == len(length):
        raise ValueError("the columns of matches must be equally long")
    if len(a) and (min(a.min(), b.min()) < page_first[0] or length.min() < 1
                   or (np.maximum(a, b) + length).max() > page_first[-1]):
        raise ValueError("a match lies before the first page or behind the last page")
    middle, quiet = int(page_first[border]), mark_ranges(quiet_start, quiet_end, 0, len(item))
    key, position, _ = repeated_seeds(item, page_first, quiet, NONE, 0, ALL, 0, 1)
    position, first, _ = seed_classes(key, position, cap)
    classes = [position[begin:end] for begin, end in itertools.pairwise(first.tolist())]
    classes = [places for places in classes if places[0] < middle <= places[-1]]
    largest = max([2, *map(len, classes)])
    if not classes or len(classes) * largest**2 > 2 * budget:
        return np.empty(0, np.uint32), np.empty(0, np.uint32), largest, len(classes)
    start, end, to_copy = _match_edges(page_first, a, b, length, before, after)
    position, first = with_copies(np.concatenate(classes), np.cumsum([0, *map(len, classes)]).astype(np.int64),
                                  *range_buckets(start, end), start, end, to_copy)
    rarity = rarities(count_items(item, quiet, bits), once, stop_least, stop_share)
    found_a, found_b = class_anchors(position, first, item, page_first, rarity, shift, before, after, least)
    kept = (found_a < middle) & (found_b >= middle)
    return found_a[kept], found_b[kept], largest, len(classes)


def _match_edges(page_first: I64, a: I64, b: I64, length: I64, before: int, after: int) -> tuple[U32, U32, I64]:
    """Ranges of the first copies of matches of two pages near their ends, and how far it is to the other copy."""
    across = (length >= GRAM_ITEMS) & (blocks_of(page_first, a) != blocks_of(page_first, b))
    a, b, length = a[across], b[across], length[across]
    end = a + length - GRAM_ITEMS + 1
    head = np.minimum(a + before, end)
    tail = np.maximum(a + length - after, head)
    start, stop = np.append(a, tail), np.append(head, np.maximum(end, tail))
    return start.astype(np.uint32), stop.astype(np.uint32), np.append(b - a, b - a)
