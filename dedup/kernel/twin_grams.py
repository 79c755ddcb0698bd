"""Plain twins of ``grams.hpp``, ``classes.hpp`` and ``marks.hpp``: what stands more than once.

Tokens are numbered through the whole collection, page after page; a gram is named by its first token.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_sets import I64, U64, grams

U32 = npt.NDArray[np.uint32]


def _page_grams(token: U32, page_first: I64, size: int) -> tuple[U64, I64]:
    pages = list(zip(page_first[:-1].tolist(), page_first[1:].tolist(), strict=True))
    all_grams = [grams(token[begin:end].astype(np.uint64), size) for begin, end in pages]
    at = [np.arange(begin, begin + len(g), dtype=np.int64) for (begin, _), g in zip(pages, all_grams, strict=True)]
    return np.concatenate([np.empty(0, np.uint64), *all_grams]), np.concatenate([np.empty(0, np.int64), *at])


def in_slice(key: U64, slots: int, number: int, slices: int) -> npt.NDArray[np.bool_]:
    """Which keys a slice of a table has, of so many slots."""
    kept: npt.NDArray[np.bool_] = key & np.uint64((slices - 1) * slots) == np.uint64(number * slots)
    return kept


def slots_seen_twice(tables: list[U64]) -> U64:
    """The slots that were seen twice, in one table or in two, one bit each: 64 slots a word, half as many words.

    Args:
        tables: Of ``mark_seeds``, equally large ones of two words at least, each marked with a part of the keys.
    """
    bits = np.array([np.unpackbits(table.astype("<u8").view(np.uint8), bitorder="little") for table in tables])
    twice = bits[:, 1::2].any(axis=0) | (bits[:, ::2].sum(axis=0) > 1)
    return np.packbits(twice, bitorder="little").view("<u8").astype(np.uint64)


def seen_twice(key: U64, at: I64, twice: U64, partitions: int, number: int, slices: int) -> tuple[U64, U32, I64]:
    """Keys whose slot was seen twice and what stands at each, ordered by partition; the first row of each partition."""
    own = in_slice(key, 64 * len(twice), number, slices)
    key, at = key[own], at[own]
    slot = key & np.uint64(len(twice) * 64 - 1)
    bits = twice[(slot >> np.uint64(6)).astype(np.int64)] >> (slot & np.uint64(63))
    kept = (bits & np.uint64(1)) > 0
    key, at = key[kept], at[kept]
    return by_partition(key, at, partitions, 0, partitions)


def by_partition(key: U64, at: I64, partitions: int, begin: int, end: int) -> tuple[U64, U32, I64]:
    """Keys of some partitions (the upper bits of a key), what stands at each, and the first row of each partition."""
    part = ((key >> np.uint64(32)) * np.uint64(partitions)) >> np.uint64(32)
    order = np.argsort(part, kind="stable")
    first = np.searchsorted(part[order], np.arange(begin, end + 1, dtype=np.uint64)).astype(np.int64)
    order = order[first[0]:first[-1]]
    return key[order], at[order].astype(np.uint32), first - first[0]


def gram_rows(token: U32, page_first: I64, size: int, before: int, partitions: int, begin: int,
              end: int) -> tuple[U64, U32, I64]:
    """The grams of some partitions, ordered by partition (the upper bits of the gram).

    Args:
        token: Upper half of each token's hash.
        before: Tokens before the first one of `token`.
        partitions: How many there are in all.
        begin, end: Those whose grams are wanted.

    Returns:
        (gram, number of its first token, first row of each partition, one longer than these partitions).
    """
    gram, at = _page_grams(token, page_first, size)
    return by_partition(gram, at + before, partitions, begin, end)


def gram_classes(gram: list[U64], position: list[U32], first: list[I64], begin: int, end: int, bits: int,
                 ranges: int) -> tuple[U64, I64]:
    """Members of the classes of equal grams of some partitions.

    Args:
        gram, position, first: Of ``gram_rows``, of one part of the collection after the other: positions ascend.
        begin, end: Partitions, counted from the first one of the rows.
        bits, ranges: So many ranges of 2^bits tokens.

    Returns:
        (position times 2^32 plus the first position of that gram, by range, in each by partition, then ascending; where each
        range begins, one longer than the ranges).
    """
    members = [np.empty(0, np.uint64)]
    for p in range(begin, end):
        rows = [slice(*edges[p:p + 2].tolist()) for edges in first]
        keys = np.concatenate([np.empty(0, np.uint64), *(part[own] for part, own in zip(gram, rows, strict=True))])
        places = np.concatenate([np.empty(0, np.uint64), *(part[own] for part, own in zip(position, rows, strict=True))])
        _, leader, number, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        members.append((places << np.uint64(32) | places[leader][number])[counts[number] > 1])
    packed = np.concatenate(members)
    of_range = packed >> np.uint64(32 + bits) if bits < 32 else np.zeros(len(packed), np.uint64)
    order = np.argsort(of_range, kind="stable")
    return packed[order], np.searchsorted(of_range[order], np.arange(ranges + 1, dtype=np.uint64)).astype(np.int64)


def class_runs(classes: list[U64], begin: int, end: int) -> tuple[U32, U32, U32]:
    """Runs of the repeated grams of a range of tokens: one after the other, and so stand the first members of their classes.

    Args:
        classes: Of ``gram_classes``, in any order.
        begin, end: Tokens, half-open.

    Returns:
        (first position, first member of its class, grams) of each run, ascending, as long as it can be in the range.
    """
    members = np.sort(np.concatenate([np.empty(0, np.uint64), *classes]))
    position, leader = members >> np.uint64(32), members & np.uint64(2**32 - 1)
    inside = (position >= begin) & (position < end)
    position, leader = position[inside].astype(np.int64), leader[inside].astype(np.int64)
    new = np.ones(len(position), bool)
    new[1:] = (np.diff(position) != 1) | (np.diff(leader) != 1)
    first = np.flatnonzero(new)
    length = np.diff(np.append(first, len(position)))
    return position[first].astype(np.uint32), leader[first].astype(np.uint32), length.astype(np.uint32)


def blocks_of(block_first: I64, token: I64) -> I64:
    """The last block that begins at or before each token.

    Args:
        block_first: First token of each block, one longer than the blocks; for the place behind the last token, its index.
    """
    if len(token) and not block_first[0] <= token.min() <= token.max() <= block_first[-1]:
        raise ValueError("token: one is in no block")
    return np.searchsorted(block_first, token, side="right") - 1


def gram_runs(token: U32, page_first: I64, size: int) -> tuple[U32, U32, U32]:
    """Runs of the repeated grams of few tokens, as ``class_runs`` gives them, in one go.

    Args:
        token, page_first, size: As of ``gram_rows``.
    """
    gram, at, first = gram_rows(token, page_first, size, 0, 1, 0, 1)
    members, _ = gram_classes([gram], [at], [first], 0, 1, 32, 1)
    return class_runs([members], 0, len(token))
