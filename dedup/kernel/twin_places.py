"""Plain twins of ``places.hpp``: bytes, code points and lengths of ranges of tokens; keys and ranges as columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_grams import blocks_of
from dedup.kernel.twin_tokens import equal_tokens, tokenise

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

CLOSING = tuple(mark.encode() for mark in ".!?,;:)]}\"'…»”’›。！？、，；：）」』］】》〉")
OPENING = tuple(mark.encode() for mark in "([{\"'«“‘„‹¿¡（「『［【《〈")
MAX_MARKS = 4  # closing or opening marks taken in


def locate(text: U8, start: I64, end: I64, start_chars: I64, end_chars: I64, token_first: I64, flags: int, t0: I64,
           t1: I64) -> tuple[I64, I64, I64, I64, I64, I64]:
    """The blocks of the first and the last token of each range, its bytes, half-open, and the code points before these.

    An end inside a block takes in up to four closing marks, a start up to four opening ones; an end at the last token of
    a block is the block's end.

    Args:
        start, end: Bytes of each block.
        start_chars, end_chars: Code points before them.
        token_first: First token of each block, one longer.
        t0, t1: Tokens of each range, half-open; there is one at least.
    """
    if not (t0 < t1).all():
        raise ValueError("tokens: a range holds none")
    first, last = blocks_of(token_first, t0), blocks_of(token_first, t1 - 1)
    blocks = np.unique(np.concatenate([first, last]))
    _, token_start, token_end, _, token_row = tokenise(text, start[blocks], end[blocks], flags)
    row_of = dict(zip(blocks.tolist(), token_row.tolist(), strict=False))
    data, begin, finish = text.tobytes(), start[first].copy(), end[last].copy()
    for i, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if t0[i] > token_first[a]:
            at = int(token_start[row_of[a] + t0[i] - token_first[a]])
            begin[i] = at - _marks(data[start[a]:at][::-1], [mark[::-1] for mark in OPENING])
        if t1[i] < token_first[b + 1]:
            at = int(token_end[row_of[b] + t1[i] - 1 - token_first[b]])
            finish[i] = at + _marks(data[at:end[b]], CLOSING)
    edges = text, start, end, start_chars, end_chars
    return first, last, begin, finish, chars_at(*edges, first, begin), chars_at(*edges, last, finish)


def _marks(text: bytes, marks: Sequence[bytes]) -> int:
    """Bytes of the marks that a text begins with."""
    taken = 0
    for _ in range(MAX_MARKS):
        taken += next((len(mark) for mark in marks if text.startswith(mark, taken)), 0)
    return taken


def counts_up_to(ascending: I64, place: I64) -> I64:
    """How many of some ascending numbers are not above each place."""
    return np.searchsorted(ascending, place, side="right").astype(np.int64)


def chars_at(text: U8, start: I64, end: I64, start_chars: I64, end_chars: I64, block: I64, position: I64) -> I64:
    """Code points before byte positions.

    Args:
        start, end: Bytes of each block.
        start_chars, end_chars: Code points before them.
        block: The block that each position lies in, or at the edge of.
    """
    if ((position < start[block]) | (position > end[block])).any():
        raise ValueError("position: one is not in its block")
    continuation = (text & 0xC0) == 0x80
    inside = [int(p - s - continuation[s:p].sum()) for s, p in zip(start[block].tolist(), position.tolist(), strict=True)]
    return start_chars[block] + np.array(inside, np.int64)


def equal_spans(text: U8, part_start: I64, part_end: I64, first: I64, a: I64, b: I64, flags: int) -> U8:
    """1 where spans ``a[i]`` and ``b[i]`` have as many parts and equal tokens in each.

    Args:
        part_start, part_end: Bytes of the parts; those of span s are ``first[s]`` to ``first[s + 1]``.
    """
    out = []
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        mine, theirs = slice(first[x], first[x + 1]), slice(first[y], first[y + 1])
        out.append(x == y or (mine.stop - mine.start == theirs.stop - theirs.start and bool(equal_tokens(
            text, part_start[mine], part_end[mine], text, part_start[theirs], part_end[theirs], flags).all())))
    return np.array(out, np.uint8)


def range_halves(token_first: I64, halves: I64, halves_before: I64, t0: I64, t1: I64) -> F64:
    """Length of ranges of tokens in half tokens; inside a block of mixed script, in proportion to the block's own.

    Args:
        token_first: First token of each block, one longer.
        halves, halves_before: Half tokens of each block and before it; the latter one longer.
    """
    if not len(halves):
        return np.zeros(len(t0))

    def before(token: I64) -> F64:
        block = np.minimum(blocks_of(token_first, token), len(halves) - 1)
        count = np.maximum(token_first[block + 1] - token_first[block], 1)
        out: F64 = halves_before[block] + (token - token_first[block]) * halves[block] / count
        return out
    return before(t1) - before(t0)


def take_ranges(first: I64, ranges: I64) -> tuple[I64, I64]:
    """The rows of ranges, one range after the other, and where each begins there, one longer than the ranges.

    Args:
        first: First row of each range that there is, one longer.
    """
    counts = np.diff(first)[ranges]
    begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
    return np.repeat(first[ranges] - begins[:-1], counts) + np.arange(begins[-1]), begins


def covered(start: I64, end: I64, inner_start: I64, inner_end: I64, owner: I64, chosen: U8, choices: int, owners: int) -> I64:
    """Length that ranges of each owner cover, each point counted once, for each choice c: at ``c * owners + owner``.

    Behind these the same of the ranges as they are counted otherwise.

    Args:
        start, end: The ranges; those of different owners do not overlap.
        inner_start, inner_end: The same ranges counted otherwise, with fewer points; in the same order.
        owner: Of each range.
        chosen: Bit c of a range: it is part of choice c.
        choices: At most 8.
    """
    out, order = [], np.argsort(start, kind="stable")
    for begins, ends in ((start, end), (inner_start, inner_end)):
        for c in range(choices):
            rows = order[chosen[order] >> c & 1 == 1]
            reached = np.maximum.accumulate(ends[rows])
            begin = np.maximum(begins[rows], np.concatenate([np.zeros(min(1, len(rows)), np.int64), reached[:-1]]))
            out.append(np.bincount(owner[rows], np.maximum(ends[rows] - begin, 0), owners).astype(np.int64))
    return np.concatenate(out)


def ranges_apart(owner: I64, start: I64, end: I64) -> tuple[I64, I64, I64]:
    """What the ranges of each owner hold, as ranges apart from each other and none empty; ascending by owner, then by start.

    Of ranges that overlap, a later one gives up what is taken. No number is negative.
    """
    rows, reached = list[tuple[int, int, int]](), dict[int, int]()
    for o, begin, last in sorted(zip(owner.tolist(), start.tolist(), end.tolist(), strict=True), key=lambda row: row[:2]):
        begin = max(begin, reached.get(o, 0))
        if last > begin:
            rows.append((o, begin, last))
            reached[o] = last
    owners, starts, ends = np.array(rows, np.int64).reshape(-1, 3).T.copy()
    return owners, starts, ends


def lengths_inside(frame_start: I64, frame_end: I64, start: I64, end: I64) -> I64:
    """How much of each range lies in frames, which ascend and are apart from each other."""
    sizes = frame_end - frame_start
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])

    def up_to(at: I64) -> I64:
        frame = np.searchsorted(frame_start, at, side="right") - 1
        last = np.maximum(frame, 0)
        held: I64 = np.where(frame < 0, 0, before[last] + np.minimum(at - np.append(frame_start, 0)[last],
                                                                     np.append(sizes, 0)[last]))
        return held
    return up_to(end) - up_to(start)
