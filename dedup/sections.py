"""Pieces of one section: what stands twice side by side and stands so again, in another order or with a passage between.

A run of blocks that stands again ends where a paragraph changed places or was put in. What is behind it is a run of its own
then, though it is the same section for a reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import sums
from dedup.copies import PARAGRAPH_HALVES
from dedup.corpus import Corpus

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MOST_BETWEEN = 3  # blocks that were put in
MATCHED = 0.5  # of the words from one end of a copy to the other
MAX_ROUNDS = 32  # pages of any sense take three


class Pieces(Struct, frozen=True):
    """Passages that stand twice on their page, one row a passage.

    Attributes:
        page: Of each.
        first_block, last_block: Of both places, one row a place: ``(2, pieces)``; the second begins behind the first.
        words: Of each, in tokens.
        is_section: Whether each is long enough for a section by itself.
    """

    page: I64
    first_block: I64
    last_block: I64
    words: F64
    is_section: Flags


def sections(corpus: Corpus, pieces: Pieces) -> Iterator[I64]:
    """Pieces that make one section, two at least: rows, in the order of its first copy."""
    before = _Before(corpus)
    number = _side_by_side(before, pieces)
    count = int(number.max(initial=-1)) + 1

    def total(column: I64 | F64) -> F64:
        return np.bincount(number, column, count).astype(np.float64)
    several = np.bincount(number, minlength=count) > 1
    begin, end = np.full((2, count), len(corpus.start)), np.zeros((2, count), np.int64)
    for side in (0, 1):
        np.minimum.at(begin[side], number, pieces.first_block[side])
        np.maximum.at(end[side], number, pieces.last_block[side] + 1)
        several &= 2 * total(pieces.words) >= MATCHED * (before.halves[end[side]] - before.halves[begin[side]])
    several &= end[0] <= begin[1]
    rows = np.flatnonzero(several[number])
    rows = rows[np.lexsort((pieces.first_block[0, rows], number[rows]))]
    edges = np.flatnonzero(np.diff(number[rows], prepend=-1, append=-1))
    return (rows[a:b] for a, b in pairwise(edges.tolist()))


class _Before:
    """What is before each block of the collection, one longer than the blocks: blocks with words, paragraphs, half tokens."""

    def __init__(self, corpus: Corpus) -> None:
        self.halves = corpus.halves_before
        self.words, self.paragraphs = sums(corpus.halves > 0), sums(corpus.halves >= PARAGRAPH_HALVES)


def _side_by_side(before: _Before, pieces: Pieces) -> I64:
    """A number of each piece, the same for those that stand side by side, or nearly so, at both places.

    Those of a page that do so at one place are told apart by the other, and again, until no more are.
    """
    number: I64 = np.unique(pieces.page, return_inverse=True)[1]
    for _ in range(MAX_ROUNDS):
        beside = [_Beside(before, number, pieces, side) for side in (0, 1)]
        first, second = (one.numbers(other, pieces) for one, other in (beside, beside[::-1]))
        former, number = number, np.unique(first * (len(number) + 1) + second, return_inverse=True)[1]
        if number.max(initial=0) == former.max(initial=0):
            return number
    alone = np.arange(len(number)) + len(number)
    stays = np.bincount(former)[former] == np.bincount(number)[number]
    number = np.unique(np.where(stays, number, alone), return_inverse=True)[1]
    return number


class _Beside:
    """Pieces of one number in the order of one of their places, and what is between each and those before it."""

    def __init__(self, before: _Before, number: I64, pieces: Pieces, side: int) -> None:
        first, last = pieces.first_block[side], pieces.last_block[side]
        self.order = np.lexsort((first, number))
        self.rank = np.empty_like(self.order)
        self.rank[self.order] = np.arange(len(self.order))
        number, first, last = number[self.order], first[self.order], last[self.order]
        far = number * len(before.halves)
        reached = np.maximum.accumulate(last + far) - far + 1  # one piece may reach over others
        begin = np.append(reached[:1], np.minimum(reached[:-1], first[1:]))
        self.follows = np.append([False], number[1:] == number[:-1])[:len(number)]
        self.halves = before.halves[first] - before.halves[begin]
        self.few = self.follows & (before.words[first] - before.words[begin] <= MOST_BETWEEN)
        self.at_once = self.few & (before.paragraphs[first] == before.paragraphs[begin])

    def numbers(self, other: _Beside, pieces: Pieces) -> I64:
        """A number of each piece, the same for those that follow each other at once, or do at the other place, in this order.

        What was put in is longer than neither of them, or both are sections by themselves.
        """
        one, next_one = np.append(self.order[:1], self.order[:-1]), self.order
        there = other.rank[next_one]
        put_in = self.few & other.at_once[there] & (there == other.rank[one] + 1)
        put_in &= ((self.halves <= 2 * np.minimum(pieces.words[one], pieces.words[next_one]))
                   | (pieces.is_section[one] & pieces.is_section[next_one]))
        found = np.empty_like(self.order)
        found[self.order] = np.cumsum(~(self.at_once | put_in)) - 1
        return found
