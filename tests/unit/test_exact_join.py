"""The certain join misses no pair at or above the threshold and gives no other."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from dedup import Shingler
from dedup.exact_join import pair_exhaustively
from dedup.shingles import Sets
from tests.scan_help import scan_texts


def family(sets: list[set[int]]) -> Sets:
    values = [np.array(sorted(s), np.uint64) for s in sets]
    return Sets(np.concatenate([np.empty(0, np.uint64), *values]), np.cumsum([0, *map(len, sets)]).astype(np.int64))


def pairs(sets: list[set[int]], threshold: float) -> list[tuple[int, int]]:
    a, b = pair_exhaustively(family(sets), threshold)
    return list(zip(a.tolist(), b.tolist(), strict=True))


@pytest.mark.parametrize("fraction", ["1/2", "2/3", "3/5", "7/10", "4/5", "9/10", "1/10", "1/1"])
def test_a_pair_exactly_at_the_threshold_is_found(fraction):
    """Whatever the fraction does as a float; one element less in common and it is not."""
    numerator, denominator = Fraction(fraction).as_integer_ratio()
    for times in (1, 3, 7, 10):
        shared, union = numerator * times, denominator * times
        a = set(range(shared + (union - shared) // 2))
        b = set(range(shared)) | {100 + n for n in range(union - len(a))}
        threshold = numerator / denominator
        assert Fraction(len(a & b), len(a | b)) == Fraction(numerator, denominator)
        assert pairs([a, b], threshold) == [(0, 1)]
        if shared > 1:
            assert pairs([a, (b - {0}) | {99}], threshold) == []


@pytest.mark.parametrize("threshold", [0.1, 0.35, 0.5, 0.62, 0.8, 0.95, 1.0])
def test_it_gives_what_brute_force_gives(threshold):
    rng = np.random.default_rng(12)
    sets = [set(rng.integers(0, 30, rng.integers(0, 25)).tolist()) for _ in range(150)]
    truth = [(i, j) for i, j in itertools.combinations(range(150), 2)
             if sets[i] and sets[j] and len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= threshold]
    assert pairs(sets, threshold) == truth
    assert truth


def test_empty_sets_are_nobodys_pair():
    assert pairs([set(), set(), {1}], 0.1) == []
    assert pairs([], 0.5) == []


def test_the_sets_need_not_be_hashes():
    sets = Shingler(size=1).sets(["a b c d", "b c d e", "x y"])
    assert [column.tolist() for column in pair_exhaustively(sets, 0.6)] == [[0], [1]]


def test_exhaustive_links_every_pair_and_equal_texts_to_their_first_one_only():
    words = [f"w{n}" for n in range(30)]
    texts = [" ".join(words), " ".join([*words[:-1], "x"]), " ".join([*words[:-1], "y"]), " ".join(words)]
    report = scan_texts(texts, unit="page", exhaustive=True, shingle_size=1, threshold=0.8)
    linked = {(p.a.page, p.b.page): p.kind for p in report.pairs()}
    assert linked == {("0", "1"): "near", ("0", "2"): "near", ("1", "2"): "near", ("0", "3"): "exact"}
