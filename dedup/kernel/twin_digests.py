"""Digests of bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_sets import I64, U64, fmix64

U8 = npt.NDArray[np.uint8]
PLACE = np.uint64(0x9E3779B97F4A7C15)


def byte_digests(text: U8, first: I64) -> U64:
    """Digests of texts that stand one after the other: 128 bits that tell them apart.

    They are no help against somebody who means to make two alike.

    Args:
        text: Bytes.
        first: First byte of each text, one longer than the texts.

    Returns:
        Two numbers a text.
    """
    out = np.zeros((len(first) - 1, 2), np.uint64)
    for row, (start, end) in enumerate(zip(first[:-1].tolist(), first[1:].tolist(), strict=True)):
        size = end - start
        padded = np.zeros(-(-size // 8) * 8, np.uint8)
        padded[:size] = text[start:end]
        mixed = fmix64(padded.view("<u8").astype(np.uint64) + np.arange(1, len(padded) // 8 + 1, dtype=np.uint64) * PLACE)
        products = (mixed >> np.uint64(32)) * (mixed & np.uint64(0xFFFFFFFF))
        out[row] = mixed.sum(dtype=np.uint64), products.sum(dtype=np.uint64)
    sizes = np.diff(first).astype(np.uint64)
    return fmix64(np.column_stack([out[:, 0] + sizes, out[:, 1] ^ (sizes * PLACE)]).reshape(-1))
