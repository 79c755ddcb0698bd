"""Rows in the order of keys.

A key and its row in one word are put into order by NumPy's sort, which has vector instructions for them on most processors:
half the time of the kernel's radix sort, and no memory beside the words. Keys that leave no room for a row go to the kernel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernel import kernel

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

FEW = 1 << 12  # rows that one call of the kernel has in order sooner


def in_order(number: I64) -> I64:
    """Rows in the order of their numbers, none of them negative; equal ones as they came."""
    return order_of(number.view(np.uint64))


def order_of(key: U64) -> I64:
    """The stable order of keys: ``key[order[0]] <= key[order[1]] <= ...``."""
    packed, below = _packed(key)
    if not below:
        return kernel.stable_order(key)
    packed &= np.uint64((1 << below) - 1)
    return packed.view(np.int64)


def distinct_keys(key: U64) -> tuple[I64, I64]:
    """The first row of each distinct key, by key, and the number of each row's key."""
    return numbered(key)[:2]


def numbered(key: U64) -> tuple[I64, I64, U64]:
    """The same, and the distinct keys."""
    packed, below = _packed(key)
    if below:
        return kernel.distinct_in_order(packed, below)
    row, number = kernel.distinct_keys(key)
    return row, number, key[row]


def _packed(key: U64) -> tuple[U64, int]:
    """Keys in order, each above its row in one word, and the bits of a row: 0 if there are few, or there is no room."""
    below = len(key).bit_length()
    if len(key) < FEW or int(key.max()).bit_length() + below > 64:
        return key, 0
    packed = key << np.uint64(below)
    packed |= np.arange(len(key), dtype=np.uint64)
    packed.sort()
    return packed, below
