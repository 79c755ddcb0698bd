"""The ends of aligned passages against brute force: all rectangles of small pairs are tried."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from dedup.bags import SETTINGS
from dedup.kernel import kernel
from dedup.kernel.align_settings import RARE, THOUSAND, Settings
from tests.scan_help import needs_speed

I64, U32 = np.int64, np.uint32

# Theta is kept, borders and gates are left out: what remains is the score.
PLAIN = {"factor": 0, "border_reach": 0, "evidence": 0, "least_dice": 0, "min_halves": 0, "all_cells": 10**6}
SHORT = {"window": 6, "cell": 3, "step": 1, "gap": 3}


def pair_of(seed: int, length: int, share: float, kinds: int, around: int) -> tuple[list[int], list[int]]:
    """Two texts that share an edited passage, in another order in one of two; words follow a law of Zipf's kind."""
    rnd = random.Random(seed)

    def words(count: int) -> list[int]:
        return [int(kinds**rnd.random()) for _ in range(count)]

    def framed(passage: list[int]) -> list[int]:
        return words(rnd.randint(2, around)) + passage + words(rnd.randint(2, around))
    copy = words(length)
    changed = [words(1)[0] if rnd.random() < share else word for word in copy]
    if rnd.random() < 0.5:
        changed = [word for _, word in sorted((i + 4 * rnd.random(), word) for i, word in enumerate(changed))]
    return framed(copy), framed(changed)


def weights(item: Any, first: Any, s: Settings) -> list[int]:
    """Weight of each token, as measured for it alone."""
    pages = len(first) - 1
    at = np.arange(len(item))
    page = np.searchsorted(first, at, side="right") - 1
    one, none = np.arange(len(item) + 1), np.zeros(len(item) + 1, I64)
    nothing = np.empty(0, I64)
    _, total = kernel.measure_parts(item, first, page, pages - 1 - page, one, at - first[page], at - first[page] + 1,
                                    none, nothing, nothing, np.array(s, I64))
    return total.tolist()


def bags(words: list[int], number: dict[int, int]) -> tuple[Any, Any, Any]:
    """Start, end and bag of every range of a text."""
    counts = np.zeros((len(words) + 1, len(number)), np.int16)
    for i, word in enumerate(words):
        counts[i + 1] = counts[i]
        counts[i + 1, number[word]] += 1
    start, end = np.triu_indices(len(words) + 1, 1)
    return start, end, counts[end] - counts[start]


def best_score(a: list[int], b: list[int], weight: dict[int, int], theta: int, shift: int | None) -> int:
    """The greatest score of any two ranges, by trying all.

    Args:
        shift: Where b begins, if both are one page: there the first range ends before the second one begins.
    """
    number = {word: i for i, word in enumerate(weight)}
    weighed = np.array(list(weight.values()), I64)
    (_, a1, bag_a), (b0, _, bag_b) = (bags(words, number) for words in (a, b))
    score = -theta * ((bag_a @ weighed)[:, None] + (bag_b @ weighed)[None])
    for word in range(len(number)):
        in_a, in_b = np.flatnonzero(bag_a[:, word]), np.flatnonzero(bag_b[:, word])
        score[np.ix_(in_a, in_b)] += 2 * THOUSAND * weighed[word] * np.minimum(bag_a[in_a, word][:, None], bag_b[in_b, word])
    if shift is not None:
        score[a1[:, None] > b0[None] + shift] = 0
    return max(0, int(score.max()))


def scores(a: list[int], b: list[int], s: Settings, one_page: bool) -> tuple[int, int]:
    """Score of the best passage of ours, and of the best of all rectangles."""
    item = np.array([word << 2 for word in a + b], U32)
    first = np.array([0, len(a) + len(b)] if one_page else [0, len(a), len(a) + len(b)])
    none, last = np.empty(0, I64), np.array([len(first) - 2])
    *_, shared, total, _, _ = kernel.align_pairs(
        item, first, last * 0, last, np.array([0, 0]), none, none, np.array(s, I64), False)
    weight = dict(zip(a + b, weights(item, first, s), strict=True))
    assert max(weight.values()) <= RARE
    ours = int((shared * THOUSAND - s.theta * total).max(initial=0))
    texts = (a + b, a + b) if one_page else (a, b)
    return ours, best_score(*texts, weight, s.theta, 0 if one_page else None)


CASES = {  # theta, length of the passage, share of new words, kinds of words, words around it, settings, one page, pairs
    "some words come again": (310, 12, 0.2, 1000, 6, SHORT, False, 120),
    "most words are unlike": (310, 12, 0.2, 10**6, 6, SHORT, False, 120),
    "much is changed and words are few": (310, 16, 0.4, 300, 8, SHORT, False, 100),
    "one page": (310, 12, 0.2, 1000, 4, SHORT, True, 40),
    "windows as they are": (310, 30, 0.2, 1000, 11, {}, False, 40),
    "windows as they are, and a greater theta": (480, 30, 0.2, 1000, 11, {}, False, 40),
}


@needs_speed
def test_rectangles_are_the_best_ones():
    """In 99 of 100 small pairs no rectangle has a greater score than ours; ours is never above the best of all."""
    tried, missed = 0, []
    for name, (theta, length, share, kinds, around, sizes, one_page, pairs) in CASES.items():
        s = SETTINGS._replace(**PLAIN, **sizes, theta=theta, evidence_theta=theta)
        for seed in range(pairs):
            ours, best = scores(*pair_of(seed, length, share, kinds, around), s, one_page)
            assert ours <= best, (name, seed)
            tried += 1
            if ours < best:
                missed.append((name, seed, ours, best))
    assert len(missed) <= 0.01 * tried, (len(missed), tried, missed[:9])


def test_brute_force_finds_what_is_plain():
    """Two equal texts of different words: the whole of both, each pair of words bringing 2 - 2 theta."""
    s = SETTINGS._replace(**PLAIN, **SHORT)
    words = list(range(1, 15))
    ours, best = scores(words, words, s, one_page=False)
    (weight,) = set(weights(np.array([word << 2 for word in words * 2], U32), np.array([0, 14, 28]), s))
    assert ours == best == 14 * weight * 2 * (THOUSAND - s.theta)
