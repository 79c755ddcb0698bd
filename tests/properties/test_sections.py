"""Pieces of sections, against a plain way to find them; and on pages made to be slow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.columns import sums
from dedup.sections import MAX_ROUNDS, Pieces, sections

WORDS = 30  # of each block: a paragraph


def corpus(blocks: int) -> Any:
    """As many paragraphs."""
    halves = np.full(blocks, 2 * WORDS)
    return SimpleNamespace(start=np.arange(blocks), halves=halves, halves_before=sums(halves))


def pieces(first: list[int], second: list[int]) -> Pieces:
    """Of one block each."""
    begin, ones = np.array([first, second], np.int64), np.ones(len(first), np.int64)
    return Pieces(np.zeros(len(first), np.int64), begin, begin.copy(), ones * float(WORDS), ones == 0)


def plainly(pairs: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Pieces that follow each other at once at both places, split until they do."""
    for side in (0, 1):
        ordered = sorted(pairs, key=lambda pair: pair[side])
        for n in range(1, len(ordered)):
            if ordered[n][side] != ordered[n - 1][side] + 1:
                return plainly(ordered[:n]) + plainly(ordered[n:])
    return [pairs] if len(pairs) > 1 else []


@given(st.permutations(range(12)), st.sets(st.integers(0, 11)))
def test_sections_are_what_a_plain_search_finds(order, out):
    """Pieces are shorter than what is between them, so nothing counts as put in."""
    pairs = [(n, 20 + place) for n, place in enumerate(order) if n not in out]
    some = pieces(*(list(side) for side in zip(*pairs, strict=True))) if pairs else pieces([], [])
    some.words[:] = WORDS - 10
    found = [[pairs[row] for row in rows.tolist()] for rows in sections(corpus(60), some)]
    assert sorted(found) == sorted(map(sorted, plainly(pairs)))


@pytest.mark.parametrize("count", [2, 3, 50])
def test_any_order_of_a_whole_section_is_one(count):
    rng = np.random.default_rng(count)
    [rows] = sections(corpus(3 * count), pieces(list(range(count)), (count + 1 + rng.permutation(count)).tolist()))
    assert rows.tolist() == list(range(count))


def test_pages_have_sections_of_their_own():
    two = pieces([0, 1, 10, 11], [5, 4, 15, 14])
    two.page[2:] = 1
    assert [rows.tolist() for rows in sections(corpus(20), two)] == [[0, 1], [2, 3]]


def test_what_would_be_told_apart_piece_by_piece_is_left_as_it_is():
    """Each round takes one piece from the end: the work is bounded."""
    count = 4 * MAX_ROUNDS
    first, second = [0], [10 * count]
    for n in range(1, count):
        side = n % 2
        first.append(first[-1] + (1 if side else 2))
        second.append(second[-1] - (2 if side else 1))
    assert not list(sections(corpus(12 * count), pieces(first, second)))
