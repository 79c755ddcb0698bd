"""Stage 3: runs of tokens, hashed: the sets by which blocks and pages are alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, sums, widths
from dedup.corpus import BATCH_BYTES, FOLD_ACCENTS, FOLD_DIGITS, Corpus
from dedup.engines.local import LocalEngine, concatenated
from dedup.errors import check_whole
from dedup.filed import LEAST_IN_FILE, Filed, InTurn
from dedup.kernel import kernel

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

T = TypeVar("T")
R = TypeVar("R")

PAIRS = 1 << 14  # of sets that are compared at a time
MADE_TOGETHER = 8  # batches of sets, for each thread, that may wait for one another to be written


class Sets(Struct, frozen=True):
    """Sets of shingle hashes: `values` of set s are ``values[first[s]:first[s + 1]]``, sorted, free of repeats.

    Attributes:
        shingler: What made them, where somebody may compare them with others.
    """

    values: U64
    first: I64
    shingler: Shingler | None = None

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def sizes(self) -> I64:
        """Elements of each set."""
        return widths(self.first)

    def overlaps(self, engine: LocalEngine, a: I64, b: I64) -> I64:
        """Sizes of the intersections of pairs of sets."""
        def of_rows(rows: slice) -> I64:
            return kernel.set_overlaps(self.values, self.first, a[rows], b[rows])
        return np.concatenate(engine.map(of_rows, [slice(at, at + PAIRS) for at in range(0, max(len(a), 1), PAIRS)]))

    def jaccard(self, a: I64, b: I64) -> npt.NDArray[np.float64]:
        """Exact Jaccard similarity of pairs of sets, 0.0 to 1.0; 0 where both are empty."""
        overlap = kernel.set_overlaps(self.values, self.first, a, b)
        union = self.sizes[a] + self.sizes[b] - overlap
        jaccard: npt.NDArray[np.float64] = overlap / np.maximum(union, 1)
        return jaccard


class ShortSets(Struct, frozen=True):
    """The same with the upper 32 bits of each element (``uint32``): half the memory, for what is checked again."""

    values: npt.NDArray[np.uint32]
    first: I64

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def sizes(self) -> I64:
        """Elements of each set."""
        return np.diff(self.first)

    def jaccard(self, engine: LocalEngine, a: I64, b: I64) -> npt.NDArray[np.float64]:
        """Jaccard similarity of pairs of sets, 0.0 to 1.0; 0 where both are empty."""
        overlap, sizes = self.overlaps(engine, a, b), self.sizes
        jaccard: npt.NDArray[np.float64] = overlap / np.maximum(sizes[a] + sizes[b] - overlap, 1)
        return jaccard

    def spread(self, rows: I64, count: int) -> ShortSets:
        """`count` sets of which these are the ones named by `rows`, ascending; the others are empty."""
        sizes = np.zeros(count, np.int64)
        sizes[rows] = widths(self.first)
        return ShortSets(self.values, sums(sizes))

    def overlaps(self, engine: LocalEngine, a: I64, b: I64) -> I64:
        """Sizes of the intersections of pairs of sets."""
        def of_rows(rows: slice) -> I64:
            return kernel.short_overlaps(self.values, self.first, a[rows], b[rows])
        return np.concatenate(engine.map(of_rows, [slice(at, at + PAIRS) for at in range(0, max(len(a), 1), PAIRS)]))


def shingle_blocks(engine: LocalEngine, corpus: Corpus, blocks: I64, size: int) -> Sets:
    """The shingle sets of some blocks.

    Args:
        blocks: Which blocks, ascending; set s is of ``blocks[s]``.
        size: Tokens in a shingle. A block of fewer tokens has one shingle, all of it.
    """
    most = int((corpus.token_first[1:] - corpus.token_first[:-1])[blocks].sum())  # elements: as many as tokens

    def shingle(part: slice) -> tuple[U64, I64]:
        return kernel.shingle_sets(*corpus.hashes(blocks[part]), size)
    return made_sets(engine, _batches(corpus, blocks), shingle, most)


def short_shingles(engine: LocalEngine, corpus: Corpus, blocks: I64, size: int) -> ShortSets:
    """The same as ``shingle_blocks``, with the upper 32 bits of each element."""
    return short_shingles_and(engine, corpus, blocks, size, lambda sets: None)[0]


def short_shingles_and(engine: LocalEngine, corpus: Corpus, blocks: I64, size: int,
                       then: Callable[[ShortSets], R]) -> tuple[ShortSets, list[R]]:
    """The same, and what is made of each batch of them, as long as they are at hand.

    Args:
        then: Gets the sets of one batch; the batches follow each other.
    """
    most = sums((corpus.token_first[1:] - corpus.token_first[:-1])[blocks])  # elements: as many as tokens

    def shorten(part: slice) -> ShortSets:
        own, room = blocks[part], kernel.room(4 * int(most[part.stop] - most[part.start])).view(np.uint32)
        first = kernel.short_sets(corpus.text, corpus.start[own], corpus.end[own], corpus.flags, size, room)
        return ShortSets(room[:first[-1]], first)
    parts, together = _batches(corpus, blocks), MADE_TOGETHER * engine.threads
    if len(parts) == 1:
        sets = shorten(parts[0])
        return sets, [then(sets)]
    column = Filed(int(most[-1]), np.uint32)
    written = InTurn(column)

    def in_turn(n: int) -> tuple[I64, R]:
        sets = shorten(parts[n])
        more = then(sets)
        written.write(n, sets.values)
        return sets.sizes, more
    sizes, made = [np.empty(0, np.int64)], list[R]()
    for at in range(0, len(parts), together):
        for size_of_each, more in engine.map(in_turn, range(at, min(at + together, len(parts)))):
            sizes.append(size_of_each)
            made.append(more)
    return ShortSets(column.values[:written.count], sums(np.concatenate(sizes))), made


def _batches(corpus: Corpus, blocks: I64) -> list[slice]:
    """Some blocks in batches of about ``BATCH_BYTES`` of text, those of a small collection in one."""
    if len(blocks) and int(corpus.page_start[-1]) < 2 * BATCH_BYTES:
        return [slice(0, len(blocks))]
    size = np.cumsum(corpus.end[blocks] - corpus.start[blocks])
    edges = np.searchsorted(size, np.arange(0, int(size[-1]) + 1 if len(size) else 0, BATCH_BYTES))
    cuts = distinct_numbers(np.concatenate([[0], edges, [len(blocks)]]))
    return list(itertools.starmap(slice, itertools.pairwise(cuts.tolist())))


def made_sets(engine: LocalEngine, batches: Iterable[T], make: Callable[[T], tuple[U64, I64]], most: int) -> Sets:
    """The sets that are made of some batches, one after the other.

    Args:
        most: Elements at most, 0 where that is not known: very many of them lie in the file.
    """
    if most * np.dtype(np.uint64).itemsize < LEAST_IN_FILE:
        return join_sets(engine.map(make, batches))
    column = Filed(most, np.uint64)
    written = InTurn(column)

    def write(numbered: tuple[int, T]) -> I64:
        values, first = make(numbered[1])
        written.write(numbered[0], values)
        return widths(first)
    sizes = engine.map(write, enumerate(batches))
    return Sets(column.values[:written.count], sums(np.concatenate(sizes)))


def join_sets(parts: Sequence[tuple[U64, I64]]) -> Sets:
    """Families of sets, one after the other."""
    sizes = [widths(first) for _, first in parts]
    values = [np.empty(0, np.uint64), *(values for values, _ in parts)]
    return Sets(concatenated(values), sums(np.concatenate([np.empty(0, np.int64), *sizes])))


@dataclass(frozen=True, slots=True)
class Shingler:
    """Makes shingle sets of texts: every run of `size` consecutive tokens, hashed to 64 bits.

    Tokens are compared by NFKC and casefold; a text of fewer tokens than `size` has one shingle, all of it, and a text
    without tokens none.

    Args:
        size: Tokens in one shingle, 1 to 64.
        fold_accents: Treat é as e.
        fold_digits: Treat all digits alike.

    Raises:
        OptionError: `size` is out of its range.

    Source: Broder, "On the resemblance and containment of documents", 1997.

    >>> sets = Shingler(size=2).sets(["the quick brown fox", "The QUICK brown dog"])
    >>> sets.sizes.tolist()
    [3, 3]
    >>> float(sets.jaccard(np.array([0]), np.array([1]))[0])
    0.5
    """

    size: int = 5
    fold_accents: bool = False
    fold_digits: bool = False

    def __post_init__(self) -> None:
        check_whole(self.size, "size", 1, 64)

    def sets(self, texts: Sequence[str]) -> Sets:
        """The shingle set of each text.

        Raises:
            TypeError: `texts` is one text, or one of them is none.
        """
        if isinstance(texts, str):
            raise TypeError("texts is one str; give a list of texts: sets([text])")
        check_texts(texts)
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        edges = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
        flags = FOLD_ACCENTS * self.fold_accents + FOLD_DIGITS * self.fold_digits
        buffer = np.frombuffer(b"".join(encoded), np.uint8)
        hashes, first = kernel.hash_tokens(buffer, edges[:-1].copy(), edges[1:].copy(), flags)
        return Sets(*kernel.shingle_sets(hashes, first, self.size), self)


def check_texts(texts: Iterable[object]) -> None:
    """See that all of them are texts.

    Raises:
        TypeError: One is not.
    """
    for n, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {n} is a {type(text).__name__}, not a str")
