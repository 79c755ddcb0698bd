"""Shingles are sets: what a text says, not how often or in which letters it is written."""

from __future__ import annotations

import numpy as np
import pytest

from dedup import OptionError, Shingler
from tests.scan_help import words


def jaccard(a: str, b: str, size: int = 2, **settings: bool) -> float:
    sets = Shingler(size=size, **settings).sets([a, b])
    return float(sets.jaccard(np.array([0]), np.array([1]))[0])


def test_a_text_has_a_shingle_for_each_run_of_tokens():
    assert Shingler(size=3).sets(["one two three four five"]).sizes.tolist() == [3]


def test_a_shingle_that_stands_twice_counts_once():
    assert Shingler(size=2).sets(["a b a b a b"]).sizes.tolist() == [2]
    assert jaccard("a b c a b c", "a b c a") == 1


def test_a_text_shorter_than_a_shingle_has_one_and_an_empty_one_none():
    assert Shingler(size=5).sets(["two words", "", " ... ", "one"]).sizes.tolist() == [1, 0, 0, 1]


def test_a_short_text_is_like_itself_only():
    assert jaccard("two words", "Two words!", size=5) == 1
    assert jaccard("two words", "words two", size=5) == 0
    assert jaccard("", "", size=5) == 0


def test_case_width_punctuation_and_composition_are_no_difference():
    assert jaccard("Cafe\u0301, STRASSE: (２４)", "café straße 24") == 1


def test_accents_and_digits_are_folded_where_asked_for():
    assert jaccard("été 1999", "ete 2024") == 0
    assert jaccard("été 1999", "ete 2024", fold_accents=True, fold_digits=True) == 1


def test_order_of_words_matters_from_two_tokens_on():
    assert jaccard("a b c", "c b a", size=1) == 1
    assert jaccard("a b c", "c b a", size=2) == 0


def test_one_changed_word_in_twenty_takes_two_shingles_of_two():
    text = words(20, 1)
    other = [*text[:10], "other", *text[11:]]
    assert jaccard(" ".join(text), " ".join(other)) == 17 / 21


def test_the_sets_are_sorted_and_free_of_repeats_and_independent_of_their_neighbours():
    texts = [" ".join(words(n, n, 20)) for n in (0, 1, 5, 60, 300)]
    together = Shingler(size=2).sets(texts)
    for i, text in enumerate(texts):
        mine = together.values[together.first[i]:together.first[i + 1]]
        assert (np.diff(mine.astype(object)) > 0).all()
        assert (mine == Shingler(size=2).sets([text]).values).all()


def test_the_similarity_is_symmetric():
    sets = Shingler(size=2).sets([" ".join(words(40, n, 6)) for n in range(12)])
    a, b = np.divmod(np.arange(144), 12)
    assert (sets.jaccard(a, b) == sets.jaccard(b, a)).all()
    assert (sets.jaccard(np.arange(12), np.arange(12)) == 1).all()


@pytest.mark.parametrize("size", [0, 65, -1])
def test_a_size_out_of_range_is_refused_with_the_range(size):
    with pytest.raises(OptionError, match="1 to 64"):
        Shingler(size=size)
