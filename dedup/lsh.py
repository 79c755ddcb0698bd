"""Stage 5: bands and buckets: pairs of sets that are probably alike, each checked exactly.

False candidates cost time only, because every pair is verified; so bands are chosen for what they miss *at* the
threshold, not for the balance of misses and false candidates that unverified tools need.
"""

from __future__ import annotations

import functools
import itertools
import math
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, rows_of, widths
from dedup.corpus import Corpus
from dedup.engines.local import Columns, LocalEngine, Partitioned
from dedup.errors import OptionError, check_whole
from dedup.kernel import kernel
from dedup.minhash import Sketch
from dedup.page_pairs import PagePairs
from dedup.shingles import ShortSets, short_shingles, short_shingles_and

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

MOST_BANDS = 2**20  # and rows
MISS = 0.005  # chance at most to miss a pair at the threshold
MARGIN = 1.1  # more bands than that needs: registers of small sets are not quite independent
ALL_PAIRS = 32  # members of a bucket that are checked all with all; larger ones through representatives
MAX_REPRESENTATIVES = 4096
LED = 1024  # sets that are alike to one, at least, so that what it says of them is enough
PARTNERS = 8  # that a set is compared with, one after the other, where its representatives do not count
SKETCHES = 2_000_000  # registers made in one batch
FEW_SETS = 4096  # whose bands are looked at together
RANGES = 8  # of pairs, about, that are put into order
MAPPED = 16_384  # sets of which bitmaps are made in one batch


@dataclass(frozen=True, slots=True)
class LSH:
    """Bands and rows of a sketch, and the curve they give.

    Two sets of Jaccard similarity J share a bucket with probability ``1 - (1 - J**rows) ** bands``.

    Args:
        bands: Slices of a sketch.
        rows: Registers in each.

    Raises:
        OptionError: Less than one band or row.

    Source: Leskovec, Rajaraman, Ullman, "Mining of massive datasets", chapter 3.

    >>> LSH.for_threshold(0.8)
    LSH(bands=25, rows=7)
    >>> round(LSH(bands=25, rows=7).candidate_probability(0.8), 3)
    0.997
    """

    bands: int
    rows: int

    def __post_init__(self) -> None:
        for name in ("bands", "rows"):
            check_whole(getattr(self, name), name, 1, MOST_BANDS)

    @classmethod
    @functools.lru_cache(maxsize=64)
    def for_threshold(cls, threshold: float) -> LSH:
        """Bands and rows that miss at most 0.5 % of the pairs at the threshold: 44x3 at 0.5, 32x5 at 0.7, 25x7 at 0.8.

        Raises:
            OptionError: The threshold is not above 0 and at most 1.
        """
        if not 0 < threshold <= 1:
            raise OptionError(f"{threshold} is out of range", "threshold", "Use 0.1 to 1.0.")
        rows = (1, 2, 3, 4, 5, 7, 10)[bisect((0.15, 0.35, 0.55, 0.65, 0.75, 0.85), threshold)]
        if threshold == 1:
            return cls(1, rows)
        return cls(math.ceil(MARGIN * math.log(MISS) / math.log1p(-threshold**rows)), rows)

    @property
    def num_hashes(self) -> int:
        """Registers that a sketch must hold."""
        return self.bands * self.rows

    def candidate_probability(self, jaccard: float) -> float:
        """Chance that two sets of that similarity share a bucket.

        Raises:
            OptionError: `jaccard` is no similarity.
        """
        if not 0 <= jaccard <= 1:
            raise OptionError(f"{jaccard} is out of range", "jaccard", "Use 0.0 to 1.0.")
        return float(1 - (1 - jaccard**self.rows) ** self.bands)

    def keys(self, sketch: Sketch) -> npt.NDArray[np.uint64]:
        """Hash of each band, shape ``(sets, bands)``.

        Raises:
            OptionError: The sketches hold too few registers.
        """
        if sketch.num_hashes < self.num_hashes:
            raise OptionError(f"{self.bands} bands of {self.rows} rows need {self.num_hashes} hashes but sketches hold "
                              f"{sketch.num_hashes}", "bands, rows",
                              f"Use at most {sketch.num_hashes // self.rows} bands, or num_hashes={self.num_hashes}.")
        registers = np.ascontiguousarray(sketch.minima[:, :self.num_hashes]).reshape(-1)
        return kernel.sketch_bands(registers, len(sketch.minima), self.bands, self.rows).reshape(-1, self.bands)

    def candidates(self, sketch: Sketch) -> set[tuple[int, int]]:
        """Pairs of sets that share a bucket, unverified.

        >>> from dedup import MinHasher, Shingler
        >>> sets = Shingler(size=1).sets(["a b c d e f g", "g f e d c b a", "x y z"])
        >>> LSH(bands=4, rows=2).candidates(MinHasher(num_hashes=8).sketch(sets))
        {(0, 1)}
        """
        pairs = set()
        for keys in self.keys(sketch).T:
            buckets: dict[int, list[int]] = {}
            for s, key in enumerate(keys.tolist()):
                if sketch.minima[s, 0] != np.uint64(2**64 - 1):
                    buckets.setdefault(key, []).append(s)
            pairs |= {(a, b) for bucket in buckets.values() for i, a in enumerate(bucket) for b in bucket[i + 1:]}
        return pairs


class BandKeys(Struct, frozen=True):
    """Keys of the bands of sets that were sketched batch by batch.

    Attributes:
        bands: Of each sketch.
        first: First set of each batch, one longer than the batches.
        keys: Of each batch, band after band.
    """

    bands: int
    first: I64
    keys: list[U32]

    def rows(self, engine: LocalEngine, chosen: I64) -> list[Partitioned]:
        """The keys of some sets, ascending, to be exchanged by band."""
        edges = np.searchsorted(chosen, self.first)

        def of_batch(batch: int) -> Partitioned:
            own = chosen[edges[batch]:edges[batch + 1]] - self.first[batch]
            keys = self.keys[batch].reshape(self.bands, -1)[:, own]
            return Partitioned((keys.reshape(-1),), np.arange(self.bands + 1) * len(own))
        return engine.map(of_batch, range(len(self.keys)))

    def shared(self, engine: LocalEngine, chosen: I64) -> I64:
        """Which of some sets share a key with another one of them: indices into `chosen`, ascending."""
        together = np.zeros(len(chosen), np.uint8)
        for repeated in engine.exchange(self.rows(engine, chosen), lambda columns: kernel.repeated_keys(columns[0])):
            together |= repeated
        return np.flatnonzero(together)


class Overlapping(Protocol):
    """Sets of half hashes, of which it is known how much two have in common; see ``ShortSets``."""

    @property
    def sizes(self) -> I64:
        """Elements of each set."""

    def overlaps(self, engine: LocalEngine, a: I64, b: I64) -> I64:
        """Sizes of the intersections of pairs of sets."""


class Candidates(Struct, frozen=True):
    """Pairs of sets that share a bucket and may be alike.

    Attributes:
        a, b: The pairs, a < b, ascending, each once.
        unplaced: Sets that a bucket with too many representatives left unplaced.
        sets: All sets, those that share no bucket perhaps empty.
    """

    a: I64
    b: I64
    unplaced: int
    sets: Overlapping


def pair_by_lsh(engine: LocalEngine, sets: ShortSets, threshold: float, seed: int,
                every: bool = False) -> tuple[I64, I64, int]:
    """``pair_in_buckets`` of sets that are sketched here."""
    rows = sketch_sets(engine, sets, LSH.for_threshold(threshold), seed)
    return pair_in_buckets(engine, rows, sets, threshold, every)


def sketch_sets(engine: LocalEngine, sets: ShortSets, lsh: LSH, seed: int) -> list[Partitioned]:
    """The keys of the sets' bands, to be exchanged by band, or some bands together."""
    edges = np.arange(0, len(sets) + 1, max(1, SKETCHES // lsh.num_hashes))
    parts = [(int(a), int(b)) for a, b in zip(edges, [*edges[1:], len(sets)], strict=True) if b > a]
    together = len(parts) == 1 and len(sets) <= FEW_SETS
    return engine.map(lambda part: _band_rows(_some(sets, *part), lsh, seed, together), parts)


def _band_rows(sets: ShortSets, lsh: LSH, seed: int, together: bool) -> Partitioned:
    """The keys of some sets' bands: a band is a partition, or all are one: bands of few sets are not worth one each."""
    partitions = np.arange(lsh.bands + 1)[:: lsh.bands if together else 1]
    return Partitioned((kernel.band_columns(sets.values, sets.first, lsh.bands, lsh.rows, seed),), partitions * len(sets))


def _some(sets: ShortSets, a: int, b: int) -> ShortSets:
    """The sets a to b."""
    first = sets.first[a:b + 1]
    return ShortSets(sets.values[first[0]:first[-1]], first - first[0])


def set_bitmaps(engine: LocalEngine, sets: ShortSets) -> U64:
    """What tells most sets apart without a look at them, for ``kernel.bucket_pairs``."""
    edges = np.arange(0, len(sets) + MAPPED, MAPPED).clip(max=len(sets))

    def bitmaps(part: tuple[int, int]) -> U64:
        own = _some(sets, *part)
        return kernel.set_bitmaps(own.values, own.first)
    return np.concatenate([np.empty(0, np.uint64), *engine.map(bitmaps, list(itertools.pairwise(edges.tolist())))])


class Sketched(Struct, frozen=True):
    """Sets, and what the search for pairs wants of them.

    Attributes:
        sets: An empty set has no partner.
        rows: Keys of the sets' bands, band after band, those of set s at row s of each. Empty once the pairs are found.
        bits: Of ``set_bitmaps``.
    """

    sets: ShortSets
    rows: list[Partitioned]
    bits: U64


def sketched_blocks(engine: LocalEngine, corpus: Corpus, blocks: I64, size: int, lsh: LSH, seed: int) -> Sketched:
    """The shingle sets of some blocks, ascending, sketched as they are made."""
    if len(blocks) <= FEW_SETS:
        sets = short_shingles(engine, corpus, blocks, size)
        return Sketched(sets, sketch_sets(engine, sets, lsh, seed), set_bitmaps(engine, sets))

    def sketch(sets: ShortSets) -> tuple[Partitioned, U64]:
        return _band_rows(sets, lsh, seed, False), kernel.set_bitmaps(sets.values, sets.first)
    sets, made = short_shingles_and(engine, corpus, blocks, size, sketch)
    return Sketched(sets, [rows for rows, _ in made], np.concatenate([bits for _, bits in made]))


def pair_in_buckets(engine: LocalEngine, rows: list[Partitioned], sets: ShortSets, threshold: float,
                    every: bool = False) -> tuple[I64, I64, int]:
    """Pairs (a < b, ascending) of sets whose Jaccard similarity reaches the threshold, probably all of them.

    Pairs are checked on the sets given, whose elements have 32 bits; who reports them checks them on the full sets.

    Args:
        rows: Keys of the sets' bands, band after band, those of set s at row s of each. The list is empty afterwards.
        sets: An empty set has no partner.
        every: All pairs of pages count, so that those of which a third set says all need not be listed.

    Returns:
        a, b, and the number of sets that a bucket with too many representatives left unplaced.
    """
    a, b, unplaced = candidates_of(engine, rows, sets, threshold)
    if every:
        a, b = without_led(engine, sets, a, b, threshold)
    alike = sets.jaccard(engine, a, b) >= threshold
    return a[alike], b[alike], unplaced


def candidates_of(engine: LocalEngine, rows: list[Partitioned], sets: ShortSets, threshold: float) -> tuple[I64, I64, int]:
    """Pairs (a < b, ascending) of sets that share a bucket and may reach the threshold, and how many were left unplaced.

    Rows meet by band: the keys of one band, or of some, are one partition.

    Args:
        rows, sets: As in ``pair_in_buckets``.
    """
    return candidates_of_sketched(engine, Sketched(sets, rows, set_bitmaps(engine, sets)), threshold)


def candidates_of_sketched(engine: LocalEngine, sketched: Sketched, threshold: float) -> tuple[I64, I64, int]:
    """The same, of sets that are ready for it."""
    sets, rows, bits = sketched.sets, sketched.rows, sketched.bits
    homes = no_homes(len(sets))

    count = max(len(sets), 1)

    def bucket(columns: Columns) -> tuple[I64, int]:
        a, b, unplaced = kernel.bucket_pairs(columns[0], sets.values, sets.first, bits, threshold, ALL_PAIRS,
                                             MAX_REPRESENTATIVES, homes)
        return a * count + b, unplaced
    found = engine.exchange(rows, bucket)
    pairs = _each_once(engine, [numbers for numbers, _ in found])
    return pairs // count, pairs % count, sum(unplaced for _, unplaced in found)


def _each_once(engine: LocalEngine, parts: list[I64]) -> I64:
    """The numbers of some ascending columns, each once, ascending."""
    longest = max(parts, key=len, default=np.empty(0, np.int64))
    cuts = longest[len(longest) // RANGES::max(len(longest) // RANGES, 1)]
    edges = [np.concatenate([[0], part.searchsorted(cuts), [len(part)]]) for part in parts]

    def of_range(n: int) -> I64:
        return distinct_numbers(np.concatenate([part[edge[n]:edge[n + 1]] for part, edge in zip(parts, edges, strict=True)]))
    ranges = engine.map(of_range, range(len(cuts) + 1)) if parts else []
    return np.concatenate([np.empty(0, np.int64), *ranges])


def no_homes(count: int) -> U32:
    """For ``kernel.bucket_pairs``, of so many sets of which none has been compared."""
    return np.full(count, 2**32 - 1, np.uint32)


def without_led(engine: LocalEngine, sets: Overlapping, a: I64, b: I64, threshold: float) -> tuple[I64, I64]:
    """Pairs without those of two sets that are close to one and the same third set, which has very many such.

    In buckets of up to ``ALL_PAIRS`` members all pairs are found. The pages of a template have dozens of these, which share
    the few words in which others differ; that they are alike follows from what the set in the middle says.

    Args:
        a, b: The pairs, a < b, ascending.
        threshold: Half of the way from it to 1 must those reach that are close to the set in the middle: then they are alike.
    """
    sizes = sets.sizes
    degree = np.bincount(a, minlength=len(sizes)) + np.bincount(b, minlength=len(sizes))
    middle = degree >= LED
    if not middle.any():
        return a, b
    one, other = (np.concatenate([x[middle[hub]] for x, hub in ((x, b), (y, a))]) for x, y in ((a, b), (b, a)))
    overlap = sets.overlaps(engine, one, other)
    near = overlap / np.maximum(sizes[one] + sizes[other] - overlap, 1) >= (1 + threshold) / 2
    one, other = one[near], other[near]
    order = np.lexsort((other, -degree[other], one))
    first = np.append(True, one[order][1:] != one[order][:-1])[:len(order)]
    of = np.full(len(sizes), -1, np.int64)
    of[one[order][first]] = other[order][first]
    kept = (of[a] < 0) | (of[a] != of[b])
    return a[kept], b[kept]


def with_partners(a: I64, b: I64, first: I64, page: I64, pairs: PagePairs,
                  alike: Callable[[I64, I64], tuple[I64, I64]]) -> tuple[I64, I64]:
    """Pairs of alike sets, and more of them for sets that a crowded bucket compared with its representatives only.

    Such a set may have no neighbour on a page with which it makes a pair that counts, though its representative has one. It
    is compared with the first of these, and with the next ones if that fails.

    Args:
        a, b: The pairs, ascending.
        first, page: Pages on which each set stands: ``page[first[s]:first[s + 1]]``.
        alike: Those of some pairs that are alike.
    """
    count = max(len(first) - 1, 1)
    x, y = np.concatenate([a, b]), np.concatenate([b, a])
    crowded = np.bincount(x, minlength=count)[x] >= ALL_PAIRS
    hub, member = x[crowded], y[crowded]
    if not len(hub):
        return a, b

    def copies(owner: I64, sets: I64) -> tuple[I64, I64, I64]:
        """The copies of sets: owner, set and number of each one."""
        rows, begins = kernel.take_ranges(first, sets)
        return np.repeat(owner, widths(begins)), np.repeat(sets, widths(begins)), rows
    members = distinct_numbers(member)
    near = np.isin(x, members)
    own, _, asking = copies(members, members)
    around, _, among = copies(np.concatenate([x[near], members]), np.concatenate([y[near], members]))
    lacking = np.zeros(int(first[-1]), bool)
    lacking[asking] = pairs.partners(own, page[asking], around, page[among]) < 0
    of_hub, of_set, asking = copies(hub, member)
    pool_hub, pool_set, pool = of_hub, of_set, asking
    found = [np.stack([a, b])]
    for _ in range(PARTNERS):
        rows = rows_of(lacking[asking])
        of_hub, of_set, asking = of_hub[rows], of_set[rows], asking[rows]
        partner = pairs.partners(of_hub, page[asking], pool_hub, page[pool])
        rows = rows_of(partner >= 0)
        if not len(rows):
            break
        one, other = of_set[rows], pool_set[partner[rows]]
        key = np.minimum(one, other) * count + np.maximum(one, other)
        wanted = distinct_numbers(key)
        good = np.stack(alike(wanted // count, wanted % count))
        found.append(good)
        lacking[asking[rows[np.isin(key, good[0] * count + good[1])]]] = False
        left = np.ones(len(pool), bool)
        left[partner[rows]] = False
        pool_hub, pool_set, pool = pool_hub[left], pool_set[left], pool[left]
    both = np.concatenate(found, axis=1)
    keys = distinct_numbers(both[0] * count + both[1])
    return keys // count, keys % count
