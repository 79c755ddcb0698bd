"""The kernel's plain twin: the same functions, obvious and slower. It is the oracle of the tests, and it runs the
whole package where there is no compiler (or with ``DEDUP_KERNEL=reference``)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_runs import exact_repeats, gram_classes, join_links, mark_grams, repeated_grams
from dedup.kernel.twin_sets import (
    bucket_pairs,
    components,
    fss_sketches,
    prefix_join,
    range_digests,
    set_overlaps,
    shingle_sets,
    sketch_bands,
)

__all__ = [
    "bucket_pairs", "code_points", "components", "exact_repeats", "fss_sketches", "gram_classes", "join_links",
    "mark_grams", "name", "prefix_join", "range_digests", "repeated_grams", "set_overlaps", "shingle_sets", "sketch_bands",
]

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

name = "reference"


def code_points(text: U8, positions: I64) -> I64:
    """Number of code points before each byte position.

    Args:
        text: UTF-8; a lone surrogate in three bytes counts as one. Every byte that is no continuation byte counts.
        positions: Ascending byte offsets, 0 to ``len(text)``.

    >>> code_points(np.frombuffer("aé b".encode(), np.uint8), np.array([0, 1, 3, 5])).tolist()
    [0, 1, 2, 4]
    """
    check_ascending(positions, len(text), "positions")
    leads = np.cumsum((text & 0xC0) != 0x80, dtype=np.int64)
    return np.concatenate([np.zeros(1, np.int64), leads])[positions]


def check_ascending(values: I64, limit: int, name: str) -> None:
    """Refuse values that descend or lie outside 0 to ``limit``."""
    if len(values) and (values[0] < 0 or values[-1] > limit or np.any(values[1:] < values[:-1])):
        raise ValueError(f"{name} must ascend from 0 to {limit} at most")
