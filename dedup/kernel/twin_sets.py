"""Plain twins of ``sets.hpp``: shingle sets, sketches, joins, components.

A family of sets is stored as ``values`` (``uint64``: all sets one after the other, each sorted and free of repeats) and
``first`` (``int64``: where each begins, one longer than the number of sets).
"""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]

GRAM_BASE = np.uint64(0x9E3779B97F4A7C15)
THROW = np.uint64(0xD6E8FEB86659FD93)
BAND = 0xC2B2AE3D27D4EB4F
MASK = (1 << 64) - 1
EMPTY_REGISTER = np.uint64(MASK)


def fmix64(x: U64) -> U64:
    """murmur3's final mixer: bijective, full avalanche."""
    x = x ^ (x >> np.uint64(33))
    x = x * np.uint64(0xFF51AFD7ED558CCD)
    x = x ^ (x >> np.uint64(33))
    x = x * np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> np.uint64(33))


def grams(hashes: U64, size: int) -> U64:
    """Hash of every run of `size` consecutive token hashes: a polynomial modulo 2^64, mixed at the end."""
    count = len(hashes) - size + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    total = np.zeros(count, np.uint64)
    for j in range(size):
        total = total * GRAM_BASE + hashes[j:j + count]
    return fmix64(total)


def range_digests(hash: U64, first: I64) -> U64:
    """Fingerprint of each range's sequence of token hashes."""
    out = np.zeros(len(first) - 1, np.uint64)
    base = int(GRAM_BASE)
    values = hash.tolist()
    for r in range(len(out)):
        total = int(first[r + 1] - first[r])
        for value in values[first[r]:first[r + 1]]:
            total = (total * base + value) & MASK
        out[r] = total
    return fmix64(out)


def sums(counts: I64) -> I64:
    """Sum of all counts before each one, one longer than the counts."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def stable_order(key: U64) -> I64:
    """Rows in the order of their keys, equal ones as they came."""
    return np.argsort(key, kind="stable").astype(np.int64)


def distinct_keys(key: U64) -> tuple[I64, I64]:
    """The first row of each distinct key, by key, and the number of each row's key."""
    _, leader, number = np.unique(key, return_index=True, return_inverse=True)
    return leader.astype(np.int64), number.reshape(-1).astype(np.int64)


def distinct_in_order(packed: U64, below: int) -> tuple[I64, I64, U64]:
    """The same of keys in order, each above its row in one word of which `below` bits are the row's; each row stands once.

    Behind them the distinct keys.

    Raises:
        ValueError: `below` is not 1 to 63, or a row is not there.
    """
    if not 1 <= below <= 63:
        raise ValueError("below must be 1 to 63")
    row = (packed & np.uint64((1 << below) - 1)).astype(np.int64)
    if (row >= len(packed)).any():
        raise ValueError("packed names a row that is not there")
    key = packed >> np.uint64(below)
    new = np.append(True, key[1:] != key[:-1])[:len(key)]
    number = np.empty(len(key), np.int64)
    number[row] = np.cumsum(new) - 1
    return row[new], number, key[new]


def shingle_sets(hash: U64, first: I64, size: int) -> tuple[U64, I64]:
    """Sorted sets of the shingles of each range of tokens.

    A range shorter than `size` has one shingle, all of it; an empty one has none.
    """
    sets = []
    for begin, end in zip(first[:-1].tolist(), first[1:].tolist(), strict=True):
        tokens = hash[begin:end]
        sets.append(np.unique(grams(tokens, min(size, len(tokens)))) if end > begin else np.empty(0, np.uint64))
    lengths = np.array([0, *map(len, sets)], np.int64)
    return np.concatenate([np.empty(0, np.uint64), *sets]), np.cumsum(lengths)


def round_words(k: int, seed: int) -> U64:
    """The word that makes each of the 2k rounds of a sketch different."""
    rounds = np.arange(1, 2 * k + 1, dtype=np.uint64)
    return fmix64(np.uint64(seed) + rounds * np.uint64(0x9E3779B97F4A7C15))


def fss_sketches(values: U64, first: I64, k: int, seed: int) -> U64:
    """Registers of each set, `k` a set: Fast Similarity Sketching.

    A register is ``round << 32 | value``; that of an empty set is all ones.

    Source: Dahlgaard, Knudsen, Thorup, "Fast similarity sketching", FOCS 2017.
    """
    words, out = round_words(k, seed), np.full((len(first) - 1, k), EMPTY_REGISTER)
    low = np.uint64(0xFFFFFFFF)
    for s, registers in enumerate(out):
        mixed = fmix64(values[first[s]:first[s + 1]] ^ np.uint64(seed))
        for turn in range(2 * k if len(mixed) else 0):
            z = (mixed ^ words[turn]) * THROW
            z = (z ^ (z >> np.uint64(32))) * THROW
            z = z ^ (z >> np.uint64(32))
            bins = ((z >> np.uint64(32)) * np.uint64(k)) >> np.uint64(32) if turn < k else np.full(len(z), turn - k)
            np.minimum.at(registers, bins.astype(np.int64), np.uint64(turn << 32) | (z & low))
            if not (registers == EMPTY_REGISTER).any():
                break
    return out.reshape(-1)


def sketch_bands(registers: U64, sketches: int, bands: int, rows: int) -> U64:
    """Hash of each band of each sketch, ``bands`` a sketch; a sketch holds ``bands * rows`` registers or more."""
    held = len(registers) // sketches if sketches else bands * rows
    table = fmix64(registers.reshape(sketches, held)[:, :bands * rows].reshape(sketches, bands, rows))
    h = np.broadcast_to(np.array([(b * BAND) & MASK for b in range(bands)], np.uint64), (sketches, bands))
    for row in range(rows):
        h = (h ^ table[:, :, row]) * GRAM_BASE
    return fmix64(h).reshape(-1)


def least_overlap(n: int, m: int, threshold: float) -> int:
    """Least overlap of sets of n and m elements whose Jaccard similarity, as reported, reaches the threshold."""
    return next((o for o in range(min(n, m) + 1) if o / (n + m - o) >= threshold), min(n, m) + 1)


def reaches(a: U64 | U32, b: U64 | U32, threshold: float) -> bool:
    """Whether two sets' Jaccard similarity reaches the threshold; empty sets never do."""
    if not len(a) or not len(b):
        return False
    same = len(np.intersect1d(a, b, assume_unique=True))
    return bool(same / (len(a) + len(b) - same) >= threshold)


def band_columns(values: U32, first: I64, bands: int, rows: int, seed: int) -> U32:
    """Upper half of the hash of each band of each set's sketch, band after band: the key of set s in band b stands at
    ``b * sets + s``."""
    sets = len(first) - 1
    registers = fss_sketches(values.astype(np.uint64), first, bands * rows, seed)
    keys = sketch_bands(registers, sets, bands, rows).reshape(sets, bands)
    return np.ascontiguousarray((keys.T >> np.uint64(32)).astype(np.uint32)).reshape(-1)


def repeated_keys(key: U32) -> U8:
    """1 for each key that stands twice or more, else 0."""
    _, number, counts = np.unique(key, return_inverse=True, return_counts=True)
    return (counts[number] > 1).astype(np.uint8)


def set_bitmaps(values: U32, first: I64) -> U64:
    """A bitmap of 256 bits (four words) of each set: one bit an element, by its low bits."""
    out = np.zeros((len(first) - 1, 4), np.uint64)
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    np.bitwise_or.at(out, (owner, (values >> np.uint32(6)) & np.uint32(3)),
                     np.uint64(1) << (values & np.uint32(63)).astype(np.uint64))
    return out.reshape(-1)


NO_HOME = np.uint32(2**32 - 1)


def bucket_pairs(key: U32, values: U32, first: I64, bits: U64, threshold: float, all_pairs: int,
                 max_representatives: int, homes: U32) -> tuple[I64, I64, int]:
    """Pairs of sets that share a key and may reach the threshold.

    A bucket of at most `all_pairs` members gives all pairs that sizes and bitmaps allow. In a larger one each member is
    checked against the representatives found so far; one that fails them all becomes a representative, up to
    `max_representatives`.

    Args:
        key: One a set, of one band or of several, band after band.
        bits: The sets' bitmaps.
        homes: Of each set, a representative that it was found alike to, 2^32 - 1 for none: such a pair is not checked and not
            said again. What is found is added; calls for the other bands of the sets may share it, at the same time too.

    Returns:
        (a, b) ascending, each pair once, and the number of members that met the last bound.
    """
    if len(key) % (len(first) - 1) if len(first) > 1 else len(key):
        raise ValueError("one key a band and one bitmap are needed a set")
    if len(homes) != len(first) - 1:
        raise ValueError("one home is needed a set")
    check_aligned(homes, "homes")
    check_threshold(threshold)

    def alike(a: int, b: int) -> bool:
        return reaches(values[first[a]:first[a + 1]], values[first[b]:first[b + 1]], threshold)

    def possible(a: int, b: int) -> bool:
        differ = sum(int(x ^ y).bit_count() for x, y in zip(bits[4 * a:4 * a + 4], bits[4 * b:4 * b + 4], strict=True))
        n, m = int(first[a + 1] - first[a]), int(first[b + 1] - first[b])
        most = min((n + m - differ) // 2, n, m)  # an element of one set only changes one bit at most
        return most > 0 and most >= threshold * (n + m - most) * (1.0 - 1e-9)
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, k in enumerate(key.tolist()):
        band, m = divmod(row, len(first) - 1)
        if first[m + 1] > first[m]:
            buckets[band, k].append(m)
    pairs, unplaced = [], 0
    for members in buckets.values():
        if len(members) <= all_pairs:
            pairs += [(a, b) for i, a in enumerate(members) for b in members[i + 1:] if possible(a, b)]
            continue
        representatives: list[int] = []
        for m in members:
            home = next((r for r in representatives if homes[m] == r or alike(r, m)), None)
            if home is not None:
                pairs += [(home, m)] if homes[m] != home else []
                homes[m] = home if homes[m] == NO_HOME else homes[m]
            elif len(representatives) < max_representatives:
                representatives.append(m)
            else:
                unplaced += 1
    a, b = (np.array([pair[i] for pair in sorted(set(pairs))], np.int64) for i in (0, 1))
    return a, b, unplaced


def set_overlaps(values: U64, first: I64, a: I64, b: I64) -> I64:
    """Sizes of the intersections of pairs of sets."""
    return np.array([len(np.intersect1d(values[first[x]:first[x + 1]], values[first[y]:first[y + 1]],
                                        assume_unique=True)) for x, y in zip(a.tolist(), b.tolist(), strict=True)],
                    np.int64)


def shared_shingles(token: U32, first: I64, size: int, of: I64) -> I64:
    """Of each range of tokens, how many places of it begin a shingle that some ranges have, too: no fewer than its set does.

    Args:
        token: Upper half of each token's hash; so unlike shingles may count, but no equal one does not.
        first: First token of each range, one longer than the ranges.
        size: Tokens in a shingle. A shorter range is one shingle, which counts.
        of: Ranges whose shingles are looked for.
    """
    if size < 1:
        raise ValueError("size must be at least 1")
    tokens, edges = token.tolist(), list(itertools.pairwise(first.tolist()))
    if len(of) and not 0 <= of.min() <= of.max() < len(edges):
        raise ValueError("of names what does not exist")

    def shingles(begin: int, end: int) -> list[tuple[int, ...]]:
        return [tuple(tokens[at:at + size]) for at in range(begin, end - size + 1)]
    wanted = {shingle for i in of.tolist() for shingle in shingles(*edges[i])}
    found = [sum(map(wanted.__contains__, shingles(begin, end))) + (end - begin < size) for begin, end in edges]
    return np.array(found, np.int64)


def short_overlaps(values: U32, first: I64, a: I64, b: I64) -> I64:
    """The same for sets of half hashes."""
    return set_overlaps(values.astype(np.uint64), first, a, b)


def prefix_join(rank: U64, first: I64, ranks: int, threshold: float) -> tuple[I64, I64]:
    """Every pair (a < b) of sets whose Jaccard similarity reaches the threshold.

    `rank` holds each set's elements as ranks below `ranks`, ascending from the rarest element to the most common one.
    The twin keeps the prefix filter (it must share an element of a short prefix) and leaves out the finer filters.

    Source: Bayardo, Ma, Srikant, "Scaling up all pairs similarity search", WWW 2007.
    """
    check_threshold(threshold)
    sizes = np.diff(first)
    index: dict[int, list[int]] = defaultdict(list)
    pairs = []
    for x in np.argsort(sizes, kind="stable").tolist():
        mine = rank[first[x]:first[x + 1]]
        prefix = mine[:len(mine) - int(np.ceil(threshold * len(mine) - 1e-9)) + 1].tolist() if len(mine) else []
        for y in sorted({y for token in prefix for y in index[token]}):
            if reaches(mine, rank[first[y]:first[y + 1]], threshold):
                pairs.append((min(x, y), max(x, y)))
        for token in prefix:
            index[token].append(x)
    a, b = (np.array([pair[i] for pair in sorted(pairs)], np.int64) for i in (0, 1))
    return a, b


def components(nodes: int, a: I64, b: I64) -> I64:
    """Component of each node: its least member."""
    root = list(range(nodes))

    def find(x: int) -> int:
        while root[x] != x:
            root[x] = x = root[root[x]]
        return x
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        x, y = find(x), find(y)
        root[max(x, y)] = min(x, y)
    return np.array([find(x) for x in range(nodes)], np.int64)


def check_threshold(threshold: float) -> None:
    """Refuse what is no similarity."""
    if not 0 <= threshold <= 1:
        raise ValueError("threshold must be 0 to 1")


def check_aligned(array: npt.NDArray[np.generic], name: str) -> None:
    """Refuse an array that is written to and whose elements do not lie as the machine wants them."""
    if not array.flags.aligned:
        raise ValueError(f"{name} must be aligned")
