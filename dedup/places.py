"""From token numbers to places: bytes and code points of the page's text, blocks, lines, source.

An end inside a block takes in the punctuation that closes it (``tail.”``), a start the marks that open it; an end at
the last token of a block is the block's end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Self

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, last_up_to, rows_of, sums, widths
from dedup.corpus import BATCH_BYTES, Corpus
from dedup.engines.local import LocalEngine
from dedup.filed import column_of_large
from dedup.kernel import kernel
from dedup.order import order_of

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

ONE_THREAD = LocalEngine(1)
LEAST_ROWS, MOST_RANGES = 1 << 14, 8  # rows of a range that is worth a thread; ranges at most: each checks all blocks


class TokenRanges(Struct, frozen=True):
    """Token ranges.

    Attributes:
        t0, t1: Tokens, half-open, numbered through the collection.
        first_block, last_block: Blocks of the first and the last token.
    """

    t0: I64
    t1: I64
    first_block: I64
    last_block: I64

    def __len__(self) -> int:
        return len(self.t0)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_], engine: LocalEngine = ONE_THREAD) -> Self:
        """Some of the rows, their columns taken by the threads of an engine."""
        if engine.threads == 1:
            return type(self)(*[getattr(self, name)[rows] for name in self.__struct_fields__])

        def of(name: str) -> I64:
            column: I64 = getattr(self, name)[rows]
            return column
        return type(self)(*engine.map(of, self.__struct_fields__))


class Ranges(TokenRanges, frozen=True):
    """Token ranges, and where they stand with the marks around them.

    Attributes:
        start, end: Bytes of the collection's text, half-open.
        start_char, end_char: Code points of the page's text.
    """

    start: I64
    end: I64
    start_char: I64
    end_char: I64

    @property
    def tokens(self) -> TokenRanges:
        """The ranges without their bytes."""
        return TokenRanges(self.t0, self.t1, self.first_block, self.last_block)


def locate(engine: LocalEngine, corpus: Corpus, t0: I64, t1: I64) -> Ranges:
    """Where token ranges stand; each holds one token at least and lies in one page."""
    blocks = corpus.start, corpus.end, corpus.start_chars, corpus.end_chars

    def find(rows: slice, page_chars: Callable[[I64], I64]) -> tuple[I64, ...]:
        found = kernel.locate(corpus.text, *blocks, corpus.token_first, corpus.flags, t0[rows], t1[rows])
        before = page_chars(found[0])
        for chars in found[4:]:
            chars -= before
        return found
    if len(t0) <= LEAST_ROWS:
        pages = corpus.page_first[:-1]
        return Ranges(t0, t1, *find(slice(0, len(t0)), lambda block: corpus.page_chars[last_up_to(pages, block)]))
    of_blocks = corpus.page_chars[:-1].repeat(widths(corpus.page_first))
    columns = [column_of_large(len(t0), np.int64, len(corpus.text)) for _ in range(6)]

    def write(rows: slice) -> None:
        for column, part in zip(columns, find(rows, of_blocks.__getitem__), strict=True):
            column.write(rows.start, part)
    engine.map(write, row_ranges(len(t0)))
    return Ranges(t0, t1, *(column.values for column in columns))


def row_ranges(count: int) -> list[slice]:
    """Rows in a few ranges, one at least: blocks with many places are cut into tokens once a range."""
    if count <= LEAST_ROWS:
        return [slice(0, LEAST_ROWS)]
    size = max(LEAST_ROWS, -(-count // MOST_RANGES))
    return [slice(at, at + size) for at in range(0, max(count, 1), size)]


def block_of(corpus: Corpus, token: I64) -> I64:
    """The block that holds each token."""
    return kernel.blocks_of(corpus.token_first, np.ascontiguousarray(token))


def page_of(corpus: Corpus, token: I64) -> I64:
    """The page that holds each token."""
    return last_up_to(corpus.token_first[corpus.page_first[:-1]], np.ascontiguousarray(token))


def range_halves(engine: LocalEngine, corpus: Corpus, t0: I64, t1: I64) -> F64:
    """Length of token ranges in half tokens; each holds one token at least."""
    if corpus.all_words:
        return (2 * (t1 - t0)).astype(np.float64)

    def measure(rows: slice) -> F64:
        return kernel.range_halves(corpus.token_first, corpus.halves, corpus.halves_before, t0[rows], t1[rows])
    halves: F64 = np.concatenate(engine.map(measure, row_ranges(len(t0))))
    count = widths(corpus.token_first)
    mixed = (corpus.halves != 2 * count) & (corpus.halves != count)  # words, and characters that count half
    if mixed.any() and len(t0):
        rows = rows_of(mixed[block_of(corpus, t0)] | mixed[block_of(corpus, t1 - 1)])
        halves[rows] = _halves_before(engine, corpus, t1[rows]) - _halves_before(engine, corpus, t0[rows])
    return halves


def token_halves(engine: LocalEngine, corpus: Corpus) -> U8:
    """Half tokens of each token, 1 or 2; nothing where all are words. Blocks that have both are cut into tokens again."""
    if corpus.all_words:
        return np.empty(0, np.uint8)
    out = column_of_large(int(corpus.token_first[-1]), np.uint8, len(corpus.text))

    def cut(blocks: slice) -> None:
        first, halves = corpus.token_first[blocks.start:blocks.stop + 1], corpus.halves[blocks]
        count = widths(first)
        own = np.repeat(np.where(halves == count, 1, 2).astype(np.uint8), count)
        mixed = (halves != count) & (halves != 2 * count)  # words, and characters that count half
        if mixed.any():
            start, end = corpus.start[blocks][mixed], corpus.end[blocks][mixed]
            own[np.repeat(mixed, count)] = kernel.token_halves(corpus.text, start, end, corpus.flags)
        out.write(int(first[0]), own)
    blocks = len(corpus.halves)
    engine.map(cut, [slice(rows.start, min(rows.stop, blocks)) for rows in row_ranges(blocks)])
    return out.values


def _halves_before(engine: LocalEngine, corpus: Corpus, token: I64) -> I64:
    """Length in half tokens of everything before each token, by cutting its block into tokens again, each block once."""
    order = order_of(token.astype(np.uint64))
    block = np.minimum(block_of(corpus, token[order]), len(corpus.halves) - 1)
    nth = token[order] - corpus.token_first[block]
    halves = corpus.halves_before[block] + np.where(nth > 0, corpus.halves[block], 0)  # of the place behind the last one
    inner = rows_of((nth > 0) & (nth < corpus.token_first[block + 1] - corpus.token_first[block]))
    blocks, number = np.unique(block[inner], return_inverse=True)
    size = sums(corpus.end[blocks] - corpus.start[blocks])
    cuts = distinct_numbers(np.append(np.searchsorted(size[:-1], np.arange(0, int(size[-1]) + 1, BATCH_BYTES)), len(blocks)))

    def cut(part: tuple[int, int]) -> None:
        mine = blocks[part[0]:part[1]]
        rows = inner[slice(*np.searchsorted(number, part))]
        found = kernel.token_edges(corpus.text, corpus.start[mine], corpus.end[mine], corpus.flags,
                                   np.searchsorted(mine, block[rows]), nth[rows])
        halves[rows] = corpus.halves_before[block[rows]] + found[2]
    engine.map(cut, [(int(a), int(b)) for a, b in itertools.pairwise(cuts)])
    out = np.empty(len(token), np.int64)
    out[order] = halves
    return out
