"""Plain twin of ``postings.hpp``: keys looked up in chunks of postings, which ``dedup/index/segments.py`` packs."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

HEADER = struct.Struct("<xxxxHBBBxxxxxxxxxQI")  # rows, widths of keys, pages and extras, least key, least page


def chunk_places(chunks: list[bytes], chunk: I64, key: U64) -> tuple[I64, U32, U32]:
    """Places of keys, each of which is looked up in one chunk.

    Args:
        chunks: As they are stored, their checksums right.
        chunk, key: Which of the chunks each look goes to, and what for.

    Returns:
        (hits, page, extra): places that each look found; their pages and extras, look by look.

    Raises:
        ValueError: A chunk is not as long as its header says.
    """
    if len(chunk) != len(key):
        raise ValueError("chunk and key must be equally long")
    if len(chunk) and not 0 <= chunk.min() <= chunk.max() < len(chunks):
        raise ValueError("chunk names what does not exist")
    rows = [_rows(data) for data in chunks]
    hits, found = [], []
    for number, wanted in zip(chunk.tolist(), key.tolist(), strict=True):
        places = [(page, extra) for own, page, extra in rows[number] if own == wanted]
        hits.append(len(places))
        found += places
    page, extra = zip(*found, strict=True) if found else ((), ())
    return np.array(hits, np.int64), np.array(page, np.uint32), np.array(extra, np.uint32)


def _rows(data: bytes) -> list[tuple[int, int, int]]:
    """Key, page and extra of each row."""
    if len(data) < HEADER.size:
        raise ValueError("chunks: one is shorter than a header")
    count, *widths, key, page = HEADER.unpack_from(data)
    if widths[0] > 8 or widths[1] > 4 or widths[2] > 4 or len(data) != HEADER.size + count * sum(widths):
        raise ValueError("chunks: one is not as long as its header says")
    columns, at = [], HEADER.size
    for width, least in zip(widths, (key, page, 0), strict=True):
        edges = range(at, at + count * width + 1, width) if width else [at] * (count + 1)
        columns.append([least + int.from_bytes(data[a:b], "little") for a, b in itertools.pairwise(edges)])
        at += count * width
    return [(own & (1 << 64) - 1, of & (1 << 32) - 1, extra) for own, of, extra in zip(*columns, strict=True)]
