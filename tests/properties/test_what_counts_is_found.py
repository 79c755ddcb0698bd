"""Exact repeats against brute force, where a gram is too short to count: nothing that counts is left out."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from dedup.kernel import reference

native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the compiled kernel is not built, twins untested")

Texts = list[list[int]]


@st.composite
def parts_of_a_passage(draw) -> Texts:
    """Texts of parts of one passage, of few words or many, with a word of their own around each and edits in some."""
    passage = draw(st.lists(st.integers(0, draw(st.sampled_from([1, 2, 30]))), min_size=1, max_size=40))
    end = len(passage)
    shape = draw(st.sampled_from(["parts", "beginnings", "ends", "both", "edits"]))
    texts: Texts = []
    for own in range(draw(st.integers(1, 12))):
        a, b = sorted((draw(st.integers(0, end)), draw(st.integers(0, end))))
        cut = shape if shape != "both" else ("beginnings", "ends")[own % 2]
        a, b = {"parts": (a, b), "beginnings": (0, b), "ends": (a, end), "edits": (0, end)}[cut]
        text = passage[a:b]
        for at in draw(st.lists(st.integers(0, end - 1), max_size=3)) if shape == "edits" else []:
            text[at] = 40 + own % 3
        texts.append([100 + 2 * own + own // 2 % 2, *text, 200 + 2 * own + own // 3 % 2])
    return texts


def repeats(module, texts: Texts, size: int, max_members: int, halves: list[int], least: int) -> list[np.ndarray]:
    token = np.array(list(itertools.chain(*texts)), np.uint32)
    first = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    counted = np.array(halves, np.uint8)
    return list(module.exact_repeats(*module.gram_runs(token, first, size), size, max_members, counted, least, first, first))


def stretches(texts: Texts, halves: list[int], size: int, least: int) -> dict[tuple[int, ...], list[int]]:
    """Where each shortest stretch that counts stands, from either end."""
    found: dict[tuple[int, ...], set[int]] = {}
    text, at = list(itertools.chain(*texts)), 0
    for page in texts:
        for begin, end in itertools.combinations(range(at, at + len(page) + 1), 2):
            def counts(begin: int, end: int) -> bool:
                return end - begin >= size and sum(halves[begin:end]) >= 2 * least
            if counts(begin, end) and not (counts(begin, end - 1) and counts(begin + 1, end)):
                found.setdefault(tuple(text[begin:end]), set()).add(begin)
        at += len(page)
    return {stretch: sorted(places) for stretch, places in found.items()}


def not_told(texts: Texts, found: list[np.ndarray], halves: list[int], size: int, least: int) -> set[int]:
    """Tokens of stretches that count and stand in two places apart, which are in nothing found that counts."""
    text = list(itertools.chain(*texts))
    a, b, length, first, position, lengths = (column.tolist() for column in found)
    told = [*zip(zip(a, b, strict=True), length, strict=True),
            *((tuple(position[begin:end]), count) for begin, end, count in zip(first, first[1:], lengths, strict=False))]
    covered = set()
    for places, count in told:
        assert len({tuple(text[place:place + count]) for place in places}) == 1
        if count >= size and sum(halves[places[0]:places[0] + count]) >= 2 * least:
            covered |= {token for place in places for token in range(place, place + count)}
    missing = set()
    for stretch, places in stretches(texts, halves, size, least).items():
        repeats_at_once = any(b - a < len(stretch) for a, b in itertools.pairwise(places))  # its rest need not be told
        for place in places if not repeats_at_once else []:
            if place - places[0] >= len(stretch) or places[-1] - place >= len(stretch):
                missing |= set(range(place, place + len(stretch))) - covered
    return missing


@settings(deadline=None)
@given(texts=parts_of_a_passage(), size=st.integers(2, 4), max_members=st.sampled_from([1, 2, 6]), least=st.integers(1, 16),
       mixed=st.booleans())
def test_every_token_of_a_repeat_that_counts_is_in_one(texts, size, max_members, least, mixed):
    text = list(itertools.chain(*texts))
    halves = [1 + word % 2 if mixed else 2 for word in text]
    mine, theirs = (repeats(module, texts, size, max_members, halves if mixed else [], least)
                    for module in (native, reference))
    for one, other in zip(mine, theirs, strict=True):
        assert_array_equal(one, other)
    assert not not_told(texts, mine, halves, size, least)


@pytest.mark.parametrize("module", [native, reference])
def test_a_text_that_follows_itself_is_told_only_where_something_of_it_counts(module):
    head, period = [0, 0, 1, 0, 2, 2], [0, 2, 2]  # of "head, period" twice the second time goes on with the period
    texts = [[*head, *period, *head, *period * 5, 0]]
    halves = [2 - word // 2 for word in texts[0]]
    assert not not_told(texts, repeats(module, texts, 7, 6, halves, 7), halves, 7, 7)


@settings(deadline=None)
@given(texts=parts_of_a_passage(), size=st.integers(2, 4), max_members=st.sampled_from([1, 2, 6]), least=st.integers(1, 16),
       seed=st.randoms(use_true_random=False))
def test_tokens_that_are_equal_by_chance_may_count_unlike(texts, size, max_members, least, seed):
    halves = [seed.choice([1, 2, 2, 2, 2, 2, 2, 2]) for _ in itertools.chain(*texts)]
    mine, theirs = (repeats(module, texts, size, max_members, halves, least) for module in (native, reference))
    for one, other in zip(mine, theirs, strict=True):
        assert_array_equal(one, other)


def test_two_copies_of_a_text_that_repeats_much_in_itself_take_time_in_proportion():
    draw, words, none = np.random.default_rng(1), 800_000, np.empty(0, np.uint8)
    text = draw.integers(0, 1 << 30, (words // 20, 10))[draw.integers(0, words // 20, words // 10)].astype(np.uint32).ravel()
    first = np.array([0, words, 2 * words + 1])
    begin = time.process_time()
    runs = native.gram_runs(np.concatenate([text, [np.uint32(1)], text]), first, 8)
    between = time.process_time()
    native.exact_repeats(*runs, 8, 6, none, 8, first, first)
    assert time.process_time() - between < 10 * (between - begin)
