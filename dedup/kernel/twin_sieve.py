"""Plain twin of ``sieve.hpp``: which keys chunks of postings surely do not hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_postings import MULTIPLIER, rows_of_chunk

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

MOST_WORDS = 64  # of a chunk
LINE_WORDS = 8  # of a line of memory


def note_absent(chunks: list[bytes], row: I64, absent: U64, words: int) -> None:
    """Note of some chunks which keys they do not hold.

    Args:
        chunks: As they are stored, their checksums right.
        row: Of each of them, in `absent`.
        absent: A bitmap of each chunk, shape ``(chunks * words,)``: bits that no key of it has are set, none where nothing is
            known of it.
        words: Of each bitmap: a power of two, 64 at most.

    Raises:
        ValueError: A chunk is not as long as its header says.
    """
    _check(row, absent, words)
    if len(chunks) != len(row):
        raise ValueError("chunks and row must be equally long")
    for data, own in zip(chunks, row.tolist(), strict=True):
        bits = {bit for key, _, _ in rows_of_chunk(data) for bit in _bits(key, words)}
        for nth in range(words):
            absent[own * words + nth] = sum(1 << bit for bit in range(64) if nth * 64 + bit not in bits)


def may_hold(absent: U64, words: int, row: I64, key: U64) -> U8:
    """Which chunks may hold a key, 0 or 1; never 0 of one that does.

    Args:
        absent, words: As of ``note_absent``.
        row, key: Of each look.
    """
    _check(row, absent, words)
    if len(row) != len(key):
        raise ValueError("row and key must be equally long")
    missing = [any(int(absent[own * words + bit // 64]) >> bit % 64 & 1 for bit in _bits(one, words))
               for own, one in zip(row.tolist(), key.tolist(), strict=True)]
    return np.array([not some for some in missing], np.uint8)


def _bits(key: int, words: int) -> list[int]:
    """The bits of a key among those of a chunk: three in one line of memory, of eight words where there are as many.

    Source: Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters", WEA 2007.
    """
    mixed, size = key * MULTIPLIER & (1 << 64) - 1, min(words, LINE_WORDS)
    line = mixed >> 64 - (words // size).bit_length() + 1
    return [64 * size * line + (mixed >> shift & 64 * size - 1) for shift in (52, 43, 34)]


def _check(row: I64, absent: U64, words: int) -> None:
    if not 1 <= words <= MOST_WORDS or words & (words - 1):
        raise ValueError("words must be a power of two, 64 at most")
    if len(row) and not 0 <= row.min() <= row.max() < len(absent) // words:
        raise ValueError("row names what does not exist")
