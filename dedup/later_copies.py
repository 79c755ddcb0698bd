"""Stage 6: seeds are looked for in one copy of an exact run, and what they find is carried to the others.

Text that stands in several places would have its seeds in each of them, and all pairs of those are pairs of exact copies,
which say nothing new. So the later copies of a run are quiet. What another text has in common with the first copy it has in
common with the later ones, too: there the places of the seeds are known without a search.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from dedup.columns import distinct_numbers, last_up_to, rows_of, widths
from dedup.kernel import kernel
from dedup.order import in_order
from dedup.page_pairs import PagePairs
from dedup.seeds import NOWHERE, Repeats, pages_at

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

LONGEST = 7  # words that two copies may have in common without a match of their own


def first_by_text(repeats: Repeats, page_first: I64, digest: U64) -> Repeats:
    """The same repeats, of which the first copy is the one whose page has the least digest; of one page, the first one.

    Which copy has the seeds has a say in what is found around them: the texts decide, and not the order of the pages.

    Args:
        digest: Of the text of each page.

    Returns:
        Matches of which b may be before a, and segments of which the first place may not be the least.
    """
    turned = digest[pages_at(page_first, repeats.b)] < digest[pages_at(page_first, repeats.a)]
    a, b = np.where(turned, repeats.b, repeats.a), np.where(turned, repeats.a, repeats.b)
    position, begins = repeats.position.copy(), repeats.first[:-1]
    if len(begins):
        of_place = digest[pages_at(page_first, position)]
        least = np.repeat(np.minimum.reduceat(of_place, begins), widths(repeats.first))
        candidates = rows_of(of_place == least)
        leader = candidates[np.searchsorted(candidates, begins)]
        position[begins], position[leader] = repeats.position[leader], repeats.position[begins]
    return replace(repeats, a=a, b=b, position=position)


def later_copies(repeats: Repeats, page_first: I64, pairs: PagePairs) -> tuple[U32, U32]:
    """Ranges of tokens that are a later copy of an exact run, apart from each other, ascending.

    Their first copy is none itself. Where not all pairs of pages count, it may pair with nobody: then of runs in few places
    no copy is a later one, and of the others none that is the first with which some other place may pair, or the first of
    its page.
    """
    if not len(repeats.position) and not pairs.every:
        return np.empty(0, np.uint32), np.empty(0, np.uint32)
    later = np.ones(len(repeats.position), bool)
    later[repeats.first[:-1]] = False
    b, b_end = (repeats.b, repeats.b + repeats.length) if pairs.every else (NOWHERE, NOWHERE)
    if not pairs.every:
        segment, page = repeats.segment, pages_at(page_first, repeats.position)
        partner = pairs.partners(segment, page)
        later[partner[partner >= 0]] = False
        if pairs.within:  # places of a segment ascend
            later[1:] &= (segment[1:] == segment[:-1]) & (page[1:] == page[:-1])
    position = repeats.position[later]
    return _union(_joined(b, position), _joined(b_end, position + repeats.lengths[repeats.segment[later]]))


def quiet_copies(repeats: Repeats, later: tuple[U32, U32], margin: int) -> tuple[U32, U32]:
    """The part of later copies that has no seeds: those of text that is no later copy itself, but for their ends.

    Args:
        later: Of ``later_copies``, where all pairs count.
        margin: Tokens at the ends of a copy of which the seeds depend on what stands beside it.
    """
    copy = np.ones(len(repeats.position), bool)
    copy[repeats.first[:-1]] = False
    leader = np.repeat(repeats.position[repeats.first[:-1]], widths(repeats.first) - 1)
    lengths = np.repeat(repeats.lengths, widths(repeats.first) - 1)
    first, start = _joined(repeats.a, leader), _joined(repeats.b, repeats.position[copy])
    row, begin, end = _outside(first, first + _joined(repeats.length, lengths), later)
    shift, margins = (start - first)[row], np.where(row < len(repeats.a), np.uint32(margin), np.uint32(0))
    begin, end = begin + shift + margins, end + shift
    kept = begin + margins < end
    return _union(begin[kept], (end - margins)[kept])


def _joined(one: I64, other: I64) -> U32:
    """Two columns as one, in half of the memory: all that is counted here is below 2^32."""
    return np.concatenate([one.astype(np.uint32), other.astype(np.uint32)])


def _union(start: U32, end: U32) -> tuple[U32, U32]:
    """Ranges put together, apart from each other, ascending."""
    both = start.astype(np.uint64) << np.uint64(32) | end
    both.sort()  # by vector instructions, where an order of rows would be found by comparing them
    begin, reached = (both >> np.uint64(32)).astype(np.uint32), np.maximum.accumulate(both.astype(np.uint32))
    new = np.ones(len(begin), bool)
    new[1:] = begin[1:] > reached[:-1]
    return begin[new], reached[np.append(new[1:], True)] if len(begin) else reached


def _outside(start: U32, end: U32, ranges: tuple[U32, U32]) -> tuple[I64, U32, U32]:
    """The stretches of ranges that lie in none of some others, which are apart and ascend: row, start, end."""
    gap_start = np.concatenate([np.zeros(1, np.uint32), ranges[1]])
    gap_end = np.append(ranges[0], end.max(initial=np.uint32(0)))
    low, high = (1 + last_up_to(gaps.astype(np.int64), places) for gaps, places in (
        (gap_end, start.astype(np.int64)), (gap_start, end.astype(np.int64) - 1)))
    counts = np.maximum(high - low, 0)
    row = np.repeat(np.arange(len(start)), counts)
    gap = np.repeat(low - (np.cumsum(counts) - counts), counts) + np.arange(len(row))
    return row, np.maximum(start[row], gap_start[gap]), np.minimum(end[row], gap_end[gap])


class InStep:
    """Which places stand in step in two copies of one exact repeat.

    Args:
        repeats: The repeats.
    """

    def __init__(self, repeats: Repeats) -> None:
        self._repeats = repeats

    @cached_property
    def _matches(self) -> tuple[I64, I64]:
        """Start and end of each match, by shift and then by token, both below 2^32; made when they are asked for first."""
        start = (self._repeats.b - self._repeats.a << 32) + self._repeats.a
        order = np.argsort(start, kind="stable")
        return start[order], (start + self._repeats.length)[order]

    @cached_property
    def _places(self) -> tuple[I64, I64]:
        """Places of segments, ascending, and the segment of each."""
        order = in_order(self._repeats.position)
        return self._repeats.position[order], self._repeats.segment[order]

    def both(self, a: U32, b: U32) -> Flags:
        """Whether two places, a before b, do; one that is missed is said twice and not lost.

        Ranges of one shift do not overlap. Of segments that do, the one that begins nearest before each place is looked at.
        """
        x, y = a.astype(np.int64), b.astype(np.int64)
        said = np.zeros(len(x), bool)
        start, end = self._matches
        if len(start):
            key = (y - x << 32) + x
            row = np.maximum(last_up_to(start, key), 0)
            said = (start[row] <= key) & (key < end[row])
        position, segment = self._places
        if len(position):
            left = rows_of(~said)
            x, y = x[left], y[left]
            at = [last_up_to(position, side) for side in (x, y)]
            nth = [side - position[row] for side, row in zip((x, y), at, strict=True)]
            same = (segment[at[0]] == segment[at[1]]) & (nth[0] == nth[1])
            said[left] = (at[0] >= 0) & same & (nth[0] < self._repeats.lengths[segment[at[0]]])
        return said


class Copies:
    """Finds the later copies of places in exact matches: seeds are looked for in one copy only.

    Args:
        start, length: Ranges of tokens in the first copy of each match.
        shift: From there to the other copy.
    """

    def __init__(self, start: I64, length: I64, shift: I64) -> None:
        begin, end = start.astype(np.uint32), (start + length).astype(np.uint32)
        self._ranges = *kernel.range_buckets(begin, end), begin, end, shift

    @classmethod
    def of_edges(cls, repeats: Repeats, before: int, after: int, size: int) -> Copies:
        """Of places within `before` tokens of the start of a match, or `after` of its end, that have `size` tokens in it."""
        rows = repeats.length >= size
        a, length, shift = repeats.a[rows], repeats.length[rows], (repeats.b - repeats.a)[rows]
        end = a + length - size + 1
        head = np.minimum(length - size + 1, before)
        tail = np.maximum(a + length - after, a + head)
        return cls(np.append(a, tail), np.append(head, np.maximum(end - tail, 0)), np.append(shift, shift))

    @classmethod
    def of_inner(cls, repeats: Repeats, before: int, after: int) -> Copies:
        """Of places that have `before` tokens of a match before and `after` behind them."""
        rows = repeats.length > before + after
        a, length, b = repeats.a[rows], repeats.length[rows], repeats.b[rows]
        return cls(a + before, length - before - after, b - a)

    def with_copies(self, position: U32, first: I64) -> tuple[U32, I64]:
        """Places of seeds and their copies, each once, ascending for each seed; `first` says where each one begins."""
        return kernel.with_copies(position, first, *self._ranges)

    def of_each(self, at: U32) -> tuple[U32, I64]:
        """Each place with its copies, and where those begin."""
        return self.with_copies(at, np.arange(len(at) + 1))


def carried(inner: Copies, in_step: InStep, a: U32, b: U32) -> tuple[U32, U32]:
    """Places that two texts share, and the same in the later copies of the exact matches that hold them.

    What another text has in common with the copy that has the seeds it has in common with the others, too, and what
    stands around them may be other text. Places in step in two copies of one match are left out: that match says them.

    Args:
        a, b: Two places each.
    """
    x, first = inner.of_each(a)
    y, first = inner.of_each(np.repeat(b, widths(first)))
    x = np.repeat(x, widths(first))
    low, high = np.minimum(x, y), np.maximum(x, y)
    key = distinct_numbers((low.astype(np.int64) << 32 | high)[low != high])
    low, high = (key >> 32).astype(np.uint32), (key & 0xFFFFFFFF).astype(np.uint32)
    apart = ~in_step.both(low, high)
    return low[apart], high[apart]


def chained(repeats: Repeats, least: int, a_word: int) -> tuple[U32, I64]:
    """Copies of one place in two matches that have little of it in common, as the places of a seed.

    Text of which the first words stand on one page and the last words on another one, a few of them on both: those two
    pages have no match of their own, and both are quiet.

    Args:
        least: Items, at least, that two matches have in common in their first copy.
        a_word: Items of a word.
    """
    order = np.argsort(repeats.a, kind="stable")
    start, end, shift = repeats.a[order], (repeats.a + repeats.length)[order], (repeats.b - repeats.a)[order]
    low, high = np.searchsorted(start, end - LONGEST * a_word), np.searchsorted(start, end - least, side="right")
    counts = high - low
    one = np.repeat(np.arange(len(start)), counts)
    other = np.repeat(low - (np.cumsum(counts) - counts), counts) + np.arange(len(one))
    apart = (shift[one] != shift[other]) & (end[other] > end[one]) & (start[one] < start[other])
    at, of_one, of_other = start[other[apart]], shift[one[apart]], shift[other[apart]]
    places = np.sort(np.stack([at + of_one, at + of_other], axis=1), axis=1)
    return places.reshape(-1).astype(np.uint32), np.arange(len(places) + 1) * 2
