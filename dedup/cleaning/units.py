"""What goes or stays as a whole: the sentences of all blocks, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dedup.cleaning.signs import sign_digests
from dedup.columns import sums
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.order import distinct_keys

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Units:
    """Sentences of a collection, ascending.

    Attributes:
        start, end: Bytes of the collection's text, half-open, without the blanks around.
        tokens: How many tokens each has; 0 for a row of asterisks.
        text: Number of each one's text: units with one number have equal tokens and signs (as far as 64-bit
            digests tell).
        page: Page of each.
        symbols: A digest of the signs of each one that has no token (stars, arrows); 0 of others.
    """

    start: I64
    end: I64
    tokens: I64
    text: I64
    page: I64
    symbols: U64

    def __len__(self) -> int:
        return len(self.start)

    def symbols_between(self, units: I64) -> U64:
        """A digest of what stands between each of some units, which have tokens, and the next one, and is symbols alone."""
        before = np.cumsum(self.symbols)
        between: U64 = before[units[1:]] - before[units[:-1]]
        return between

    def inside(self, start: I64, end: I64) -> tuple[I64, I64]:
        """The units that lie in ranges of bytes: first one, and the one behind the last."""
        first = np.searchsorted(self.start, start)
        return first, np.maximum(np.searchsorted(self.end, end, side="right"), first)


def cut_units(engine: LocalEngine, corpus: Corpus) -> Units:
    """The sentences of all blocks."""
    def cut(pages: tuple[int, int]) -> tuple[I64, I64, I64, U64, U64]:
        blocks = corpus.blocks_of(pages)
        start, end, _ = kernel.sentences(corpus.text, corpus.start[blocks], corpus.end[blocks])
        hashes, first = kernel.hash_tokens(corpus.text, start, end, corpus.flags)
        low, high = (int(corpus.page_start[page]) for page in pages)
        signs = sign_digests(corpus.text[low:high], start - low, end - low)
        tokens = np.diff(first)
        return start, end, tokens, kernel.range_digests(hashes, first) ^ signs, np.where(tokens > 0, np.uint64(0), signs)
    batches = engine.map(cut, corpus.batches()) or [cut((0, 0))]
    start, end, tokens, digest, symbols = (np.concatenate(column) for column in zip(*batches, strict=True))
    page = np.searchsorted(corpus.page_start, start, side="right") - 1
    return Units(start, end, tokens, distinct_keys(digest)[1].astype(np.int64), page, symbols)


@dataclass(frozen=True)
class Parts:
    """The units in the parts of all occurrences: those of part i are ``low[i]`` to ``high[i]``.

    Attributes:
        first: First part of each occurrence, one longer.
    """

    first: I64
    low: I64
    high: I64

    @cached_property
    def counts(self) -> I64:
        """Parts of each occurrence."""
        return np.diff(self.first)

    def of(self, row: int) -> range:
        """The parts of an occurrence."""
        return range(int(self.first[row]), int(self.first[row + 1]))

    def units_of(self, rows: I64) -> tuple[I64, I64, I64]:
        """All units of some occurrences, one after the other: unit, its part, and its place among the rows given."""
        part, begins = kernel.take_ranges(self.first, rows)
        sizes = self.high[part] - self.low[part]
        owner = np.repeat(np.arange(len(part)), sizes)
        unit = np.arange(len(owner)) - sums(sizes)[:-1][owner] + self.low[part][owner]
        place = np.repeat(np.arange(len(rows)), np.diff(begins))[owner]
        return unit, part[owner], place
