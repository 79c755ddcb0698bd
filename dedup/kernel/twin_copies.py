"""Plain twin of ``copies.hpp``: places, the ranges of tokens that hold them, and where they stand in the other copies."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_sets import I64

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]

BUCKET = 64  # tokens


def range_buckets(start: U32, end: U32) -> tuple[I64, U32]:
    """Which ranges of tokens lie in or reach into each 64 tokens.

    Args:
        start, end: Of each range; those that hold nothing are in no bucket.

    Returns:
        (first, range): first entry of each bucket, one longer than the buckets; ranges, ascending in each bucket.
    """
    if len(start) != len(end):
        raise ValueError("start and end must be equally long")
    buckets = defaultdict[int, list[int]](list)
    for number, (begin, stop) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        for bucket in range(begin // BUCKET, (stop - 1) // BUCKET + 1) if begin < stop else ():
            buckets[bucket].append(number)
    rows = [buckets[bucket] for bucket in range(max(buckets, default=-1) + 1)]
    return np.cumsum([0, *map(len, rows)], dtype=np.int64), np.array(list(itertools.chain(*rows)), np.uint32)


def with_copies(position: U32, first: I64, bucket_first: I64, bucket_range: U32, start: U32, end: U32,
                shift: I64) -> tuple[U32, I64]:
    """Places of classes, and where they stand in the other copies of the ranges that hold them.

    Args:
        position, first: Places, ascending in each class, and where those of each class begin, one longer than the classes.
        bucket_first, bucket_range: Of ``range_buckets``.
        start, end, shift: Ranges of tokens, and how far away the other copy of each stands.

    Returns:
        (position, first): the same, with the copies, each once, ascending in each class.
    """
    del bucket_first, bucket_range  # all ranges are looked at here
    out = []
    for begin, stop in itertools.pairwise(first.tolist()):
        own = position[begin:stop].tolist()
        held = [(at, row) for at in own for row in np.flatnonzero((start <= at) & (at < end)).tolist()]
        out.append(sorted({*own, *((at + int(shift[row])) & 0xFFFFFFFF for at, row in held)}) if held else own)
    return np.array(list(itertools.chain(*out)), np.uint32), np.cumsum([0, *map(len, out)], dtype=np.int64)


def mark_ranges(start: U32, stop: U32, begin: int, end: int) -> U8:
    """1 for each token from begin to end that lies in a range.

    Args:
        start, stop: Ranges of tokens, apart from each other, ascending.
    """
    if len(start) != len(stop):
        raise ValueError("start and stop must be equally long")
    if not 0 <= begin <= end:
        raise ValueError("begin to end is no range")
    marks = np.zeros(end - begin, np.uint8)
    for a, b in zip(start.tolist(), stop.tolist(), strict=True):
        marks[max(a - begin, 0):max(b - begin, 0)] = 1
    return marks
