"""From token numbers to places: bytes and code points of the page's text, blocks, lines, source.

An end inside a block takes in the punctuation that closes it (``tail.”``), a start the marks that open it; an end at
the last token of a block is the block's end.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.blocks import BATCH_BYTES, Corpus, sums
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

CLOSING = ".!?,;:)]}\"'…»”’›。！？、，；：）」』］】》〉"
OPENING = "([{\"'«“‘„‹¿¡（「『［【《〈"
MAX_MARKS = 4  # closing or opening marks taken in


@dataclass(frozen=True, slots=True)
class Ranges:
    """Token ranges and their bytes.

    Attributes:
        t0, t1: Tokens, half-open, numbered through the collection.
        first_block, last_block: Blocks of the first and the last token.
        start, end: Bytes of the collection's text, half-open, with the marks around them.
    """

    t0: I64
    t1: I64
    first_block: I64
    last_block: I64
    start: I64
    end: I64

    def __len__(self) -> int:
        return len(self.t0)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Ranges:
        """Some of the rows."""
        return Ranges(self.t0[rows], self.t1[rows], self.first_block[rows], self.last_block[rows], self.start[rows],
                      self.end[rows])


def locate(engine: LocalEngine, corpus: Corpus, t0: I64, t1: I64) -> Ranges:
    """The bytes of token ranges; each holds one token at least and lies in one page."""
    first_block, last_block = block_of(corpus, t0), block_of(corpus, t1 - 1)
    start, end = corpus.start[first_block].copy(), corpus.end[last_block].copy()
    inner = np.flatnonzero(t0 > corpus.token_first[first_block])
    start[inner] = _token_bytes(engine, corpus, first_block[inner], t0[inner])[0]
    start[inner] = _with_marks(corpus.text, start[inner], corpus.start[first_block[inner]], OPENING, -1)
    inner = np.flatnonzero(t1 < corpus.token_first[last_block + 1])
    end[inner] = _token_bytes(engine, corpus, last_block[inner], t1[inner] - 1)[1]
    end[inner] = _with_marks(corpus.text, end[inner], corpus.end[last_block[inner]], CLOSING, 1)
    return Ranges(t0, t1, first_block, last_block, start, end)


def block_of(corpus: Corpus, token: I64) -> I64:
    """The block that holds each token."""
    return kernel.blocks_of(corpus.token_first, np.ascontiguousarray(token))


def page_of(corpus: Corpus, token: I64) -> I64:
    """The page that holds each token."""
    return np.searchsorted(corpus.page_first, block_of(corpus, token), side="right") - 1


def token_halves(corpus: Corpus, token: I64, block: I64 | None = None) -> npt.NDArray[np.float64]:
    """Length in half tokens of everything before each token.

    Args:
        block: A block that each token is in or just behind, where it is known.
    """
    if block is None:
        block = np.minimum(block_of(corpus, token), len(corpus.halves) - 1)
    count, halves = corpus.token_first[block + 1] - corpus.token_first[block], corpus.halves[block]
    nth = token - corpus.token_first[block]
    before: npt.NDArray[np.float64] = corpus.halves_before[block] + nth * halves / np.maximum(count, 1)
    inner = np.flatnonzero((nth > 0) & (nth < count) & (halves != 2 * count) & (halves != count))
    if len(inner):  # of words and characters that count half: by cutting their blocks into tokens again
        block = block[inner]
        before[inner] = corpus.halves_before[block] + _token_edges(LocalEngine(1), corpus, block, token[inner])[2]
    return before


def _token_bytes(engine: LocalEngine, corpus: Corpus, block: I64, token: I64) -> tuple[I64, I64]:
    """First and last byte of tokens."""
    start, end, _ = _token_edges(engine, corpus, block, token)
    return start, end


def _token_edges(engine: LocalEngine, corpus: Corpus, block: I64, token: I64) -> tuple[I64, I64, I64]:
    """First and last byte of tokens and the halves before them in their blocks, each of which is cut into tokens once."""
    start, end, halves = np.empty((3, len(token)), np.int64)
    order = kernel.stable_order(token.astype(np.uint64))
    ordered = block[order]
    new = np.ones(len(ordered), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    blocks, number = ordered[new], np.cumsum(new) - 1
    size = sums(corpus.end[blocks] - corpus.start[blocks])
    cuts = np.unique(np.append(np.searchsorted(size[:-1], np.arange(0, int(size[-1]) + 1, BATCH_BYTES)), len(blocks)))

    def cut(part: tuple[int, int]) -> None:
        mine = blocks[part[0]:part[1]]
        low, high = np.searchsorted(ordered, [mine[0], mine[-1] + 1])
        rows = order[low:high]
        start[rows], end[rows], halves[rows] = kernel.token_edges(
            corpus.text, corpus.start[mine], corpus.end[mine], corpus.flags, number[low:high] - part[0],
            token[rows] - corpus.token_first[block[rows]])
    engine.map(cut, [(int(a), int(b)) for a, b in itertools.pairwise(cuts)])
    return start, end, halves


def _with_marks(text: U8, at: I64, limit: I64, marks: str, step: int) -> I64:
    """Offsets moved over the marks that stand there, not beyond a limit."""
    at = at.copy()
    encoded = [mark.encode() for mark in marks]
    edge = np.zeros(256, bool)  # bytes that end (or, going forward, begin) a mark
    edge[[mark[0] if step > 0 else mark[-1] for mark in encoded]] = True
    active = np.arange(len(at))
    for _ in range(MAX_MARKS):
        active = active[(at[active] < limit[active]) if step > 0 else (at[active] > limit[active])]
        active = active[edge[text[at[active] - (step < 0)]]]
        moved = np.zeros(len(active), bool)
        for mark in encoded:
            begin = at[active] if step > 0 else at[active] - len(mark)
            same = ~moved & ((begin + len(mark) <= limit[active]) if step > 0 else (begin >= limit[active]))
            for j, byte in enumerate(mark):
                same[same] = text[begin[same] + j] == byte
            at[active[same]] += step * len(mark)
            moved |= same
        active = active[moved]
        if not len(active):
            break
    return at
