"""Sketches as datasketch 2 makes them (scheme ``affine32``), bit for bit, for indexes that lie in its storages.

A register is the least of ``a * mix(h) + b`` modulo 2^32 over the hashes of a set, with an odd `a`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from dedup.index.segments import Rows, sorted_rows
from dedup.kernel import kernel
from dedup.lsh import LSH

if TYPE_CHECKING:
    from dedup.options import Options

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

TOGETHER = 1 << 16  # numbers that are made at a time: they stay in the cache
NAME_BITS = 48  # of the key that stands for a band's bytes within a check


@lru_cache(maxsize=16)
def permutations(count: int, seed: int) -> tuple[U32, U32]:
    """Factors and summands, as ``datasketch.MinHash`` draws them."""
    draw = np.random.RandomState(seed % (1 << 32))
    factor = draw.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factor, draw.randint(0, 1 << 32, count, dtype=np.uint32)


def sketches(values: U32, first: I64, count: int, seed: int) -> U32:
    """Registers of sets, shape ``(sets, count)``; those of an empty set are all ones.

    Args:
        values: 32-bit hashes, set after set.
        first: Where each set begins, one longer than the sets.
    """
    factor, summand = permutations(count, seed)
    out = np.full((len(first) - 1, count), 0xFFFFFFFF, np.uint32)
    mixed = _mixed(values)
    at = 0
    while at < len(first) - 1:
        end = max(at + 1, int(np.searchsorted(first, first[at] + TOGETHER // count, "right")) - 1)
        part = mixed[first[at]:first[end]]
        filled = np.flatnonzero(np.diff(first[at:end + 1]))
        if len(filled):
            begins = (first[at:end] - first[at])[filled]
            out[at + filled] = np.minimum.reduceat(part[:, None] * factor + summand, begins, axis=0)
        at = end
    return out


def shingle_hashes(text: str, options: Options, unit: Literal["page", "block"] = "page") -> U32:
    """What a text is sketched by, so that datasketch can ask an index in Redis: the hashes of its shingles, 32 bits each.

    >>> from dedup.options import Options
    >>> shingle_hashes("one two three four five six", Options()).dtype
    dtype('uint32')

    Args:
        options: The index's.
        unit: Of the level: words of a shingle differ.
    """
    from dedup.blocks import read_corpus
    from dedup.engines.local import LocalEngine
    from dedup.index.keys import unit_options
    from dedup.model import Page

    with LocalEngine(1) as engine:
        corpus = read_corpus([Page("0", text, "")], engine, options)[0]
    start, end = corpus.page_start[:-1].copy(), corpus.page_start[1:].copy()
    values = np.empty(int(corpus.token_first[-1]), np.uint32)
    first = kernel.short_sets(corpus.text, start, end, corpus.flags, unit_options(options, unit).shingle_tokens, values)
    return values[:first[-1]]


def _mixed(value: U32) -> U32:
    """The finaliser of MurmurHash3."""
    value = (value ^ value >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    value = (value ^ value >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return value ^ value >> np.uint32(16)


@dataclass(frozen=True, slots=True)
class Sketched:
    """Sketches of pages or blocks, as the keys of a level.

    Attributes:
        page, extra: Whose each one is: number of the page, and of the block in it.
        registers: Shape ``(sketches, lsh.num_hashes)``.
    """

    page: U32
    extra: U32
    registers: U32
    lsh: LSH

    def __len__(self) -> int:
        return len(self.page)

    def renumbered(self, kept: npt.NDArray[np.bool_], number: I64) -> Sketched:
        """Those of some pages, which get other numbers."""
        rows = kept[self.page]
        return Sketched(number[self.page[rows]].astype(np.uint32), self.extra[rows], self.registers[rows], self.lsh)

    def band_names(self) -> list[list[bytes]]:
        """What datasketch calls the bands of each sketch: their registers, big endian."""
        data, size = self.registers.astype(">u4").tobytes(), 4 * self.lsh.rows
        whole = 4 * self.lsh.num_hashes
        return [[data[at + band * size:at + (band + 1) * size] for band in range(self.lsh.bands)]
                for at in range(0, len(data), whole)]

    def rows(self) -> tuple[Rows, Mapping[int, tuple[int, bytes]]]:
        """The bands as rows of keys, and band and name of each key."""
        names = [name for of_one in self.band_names() for name in of_one]
        band = np.tile(np.arange(self.lsh.bands, dtype=np.uint64), len(self))
        first = np.cumsum([0, *map(len, names)]).astype(np.int64)
        digests = kernel.byte_digests(np.frombuffer(b"".join(names), np.uint8), first)[::2]
        key = digests >> np.uint64(64 - NAME_BITS) | band << np.uint64(NAME_BITS)
        told = dict(zip(key.tolist(), zip(band.tolist(), names, strict=True), strict=True))
        return sorted_rows(key, np.repeat(self.page, self.lsh.bands), np.repeat(self.extra, self.lsh.bands)), told
