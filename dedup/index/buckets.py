"""Near blocks of pages that are checked: the index knows which stored blocks share a bucket with theirs; the others need
no sketch.

What a scan finds between the two sides hangs on the buckets that hold a block of a checked page, with one exception: sets
that are alike to a set with very many neighbours are compared with what that one is alike to (``lsh.with_partners``). So
where anything is alike, all stored blocks are compared with the blocks that it is alike to; if one more is, the scan is left
to find it in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dedup.columns import begins_new, distinct_numbers, rows_of
from dedup.corpus import Corpus, Tokens
from dedup.engines.local import LocalEngine
from dedup.equal_blocks import Distinct, equal_blocks
from dedup.kernel import kernel
from dedup.lsh import LSH, MAX_REPRESENTATIVES, BandKeys, Candidates, candidates_of, sketch_sets
from dedup.options import Options
from dedup.order import order_of
from dedup.shingles import ShortSets, short_shingles
from dedup.surveyor import Surveyor

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FEW_PAIRS = 1 << 12
ROUNDED = 1e-6  # shingles: more than what is lost where shares are rounded
NO_PAIRS = np.empty(0, np.int64), np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class SharedBuckets:
    """Blocks of stored pages that share a bucket with a block of a page that is checked: all of them.

    Attributes:
        page: Stored page of each, by its place among the references.
        block: Its number in the page.
    """

    page: I64
    block: I64


class BucketSurveyor(Surveyor):
    """A surveyor of stored pages and those that are checked against them.

    Args:
        engine, corpus, options, tokens, keys: As of ``Surveyor``.
        shared: Which blocks share a bucket.
    """

    def __init__(self, engine: LocalEngine, corpus: Corpus, options: Options, tokens: Tokens | None, keys: BandKeys | None,
                 shared: SharedBuckets) -> None:
        super().__init__(engine, corpus, options, tokens, keys)
        self._token = tokens.token[0] if tokens is not None and len(tokens) == 1 else None  # kept: few pages are looked at
        self._shared, self._distinct = shared, Distinct(*NO_PAIRS, np.zeros(1, np.int64))
        self._border = int(corpus.page_first[corpus.references or 0])  # first block of a page that is checked

    @cached_property
    def has_near(self) -> bool:
        """Whether a block of a checked page may be alike to another text: a few are sooner compared than all collapsed."""
        if not len(self._shared.page):
            return False
        corpus = self._corpus
        blocks = rows_of(corpus.halves >= 2 * self._options.min_tokens)
        if len(blocks) >= MAX_REPRESENTATIVES:
            return True
        rows = blocks[self._sharing(blocks)]
        if not len(rows) or rows[0] >= self._border:
            return False
        order = order_of(corpus.fingerprint[rows])
        ordered = rows[order]
        new = begins_new(corpus.fingerprint[ordered])
        each, copies = ordered[new], rows_of(~new)
        if not equal_blocks(corpus, each[new.cumsum()[copies] - 1], ordered[copies]).all():
            return True  # texts that are told apart by comparing them only
        asked = ordered[np.append(new[1:], True)] >= self._border  # the last one of each text
        sets = short_shingles(self._engine, corpus, each, self._options.shingle_tokens)
        return self._any_alike(sets, asked, self._options.least_jaccard)

    def distinct(self) -> Distinct:
        """Classes of equal blocks that are long enough."""
        self._distinct = super().distinct()
        return self._distinct

    def candidates(self, blocks: I64) -> Candidates:
        """Pairs of blocks that share a bucket, one of them on a page that is checked, by their rows in `blocks`."""
        found = self._of_buckets(blocks) if len(blocks) < MAX_REPRESENTATIVES else None  # so no bucket has too many
        return super().candidates(blocks) if found is None else found

    def _of_buckets(self, blocks: I64) -> Candidates | None:
        """The same, if all stored blocks that are alike to something are among those of the buckets."""
        corpus, threshold, size = self._corpus, self._options.least_jaccard, self._options.shingle_tokens
        asked, rows = self._asked(), self._sharing(blocks)
        if not len(rows) or blocks[rows[0]] >= self._border:  # no class stands on a stored page, too: those come first
            return _none_of(len(blocks))
        sets = short_shingles(self._engine, corpus, blocks[rows], size)
        keys = sketch_sets(self._engine, sets, LSH.for_threshold(threshold), self._options.seed)
        a, b, _ = candidates_of(self._engine, keys, sets, threshold)
        both = asked[rows[a]] | asked[rows[b]]
        a, b = a[both], b[both]
        alike = sets.jaccard(self._engine, a, b) >= threshold
        a, b = rows[a[alike]], rows[b[alike]]
        if not len(a):
            return _none_of(len(blocks))
        found = distinct_numbers(np.concatenate([a[asked[a]], b[asked[b]]]))
        least = int(sets.sizes[rows.searchsorted(found)].min())
        sets = self._sets_that_may(blocks, found, least, distinct_numbers(np.concatenate([a, b])))
        one, other = _with_all(found, sets.sizes, threshold)
        every = sets.jaccard(self._engine, one, other) >= threshold
        one, other = one[every], other[every]
        pairs = distinct_numbers(np.minimum(one, other) * len(blocks) + np.maximum(one, other))
        if not np.array_equal(pairs, a * len(blocks) + b):
            return None
        return Candidates(a, b, 0, sets)

    def _sets_that_may(self, blocks: I64, found: I64, least: int, needed: I64) -> ShortSets:
        """The sets of all blocks, empty ones of those that cannot be alike to any of some.

        What is alike to a set has at least the threshold's share of its elements; each of them begins at another place.

        Args:
            found: These, by their rows in `blocks`.
            least: Elements of the smallest one.
            needed: Rows whose sets are made.
        """
        corpus, size = self._corpus, self._options.shingle_tokens
        if self._token is None:
            return short_shingles(self._engine, corpus, blocks, size)
        shared = kernel.shared_shingles(self._token, corpus.token_first, size, blocks[found])[blocks]
        may = shared + ROUNDED >= self._options.least_jaccard * least
        may[needed] = True
        rows = rows_of(may)
        return short_shingles(self._engine, corpus, blocks[rows], size).spread(rows, len(blocks))

    def _any_alike(self, sets: ShortSets, asked: Flags, threshold: float) -> bool:
        """Whether any set is alike to another one of a page that is checked; maybe, where there are many."""
        one, count = asked.nonzero()[0], len(asked)
        if len(one) * count > FEW_PAIRS:
            return True
        every, other = one.repeat(count), np.arange(len(one) * count) % count
        alike = sets.jaccard(self._engine, every, other) >= threshold
        return int(alike.sum()) > len(one)  # each is alike to itself

    def _asked(self) -> Flags:
        """Which classes of equal blocks stand on a page that is checked."""
        of = self._distinct
        asked: Flags = of.member[of.first[1:] - 1] >= self._border  # members ascend
        return asked

    def _sharing(self, blocks: I64) -> I64:
        """Rows of the blocks that share a bucket with one of a page that is checked, and of those on such a page."""
        first, shared = self._corpus.page_first, np.zeros(len(self._corpus.start), bool)
        shared[first[self._shared.page] + self._shared.block] = True
        shared[self._border:] = True
        return np.flatnonzero(shared[blocks])


def _none_of(count: int) -> Candidates:
    """So many sets, of which no two are alike."""
    return Candidates(*NO_PAIRS, 0, ShortSets(np.empty(0, np.uint32), np.zeros(count + 1, np.int64)))


def _with_all(rows: I64, sizes: I64, threshold: float) -> tuple[I64, I64]:
    """Pairs of some sets and all others that have no more and no less elements than alike ones may."""
    one, other = np.repeat(rows, len(sizes)), np.tile(np.arange(len(sizes)), len(rows))
    least, most = np.minimum(sizes[one], sizes[other]), np.maximum(sizes[one], sizes[other])
    may = (least >= threshold * most) & (one != other)
    return one[may], other[may]
