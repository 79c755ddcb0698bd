"""What is measured of two texts, on the texts themselves."""

from __future__ import annotations

import random

import pytest
from rapidfuzz.distance import Indel

from dedup import OptionError, Verifier
from dedup.verify import indel_similarities, indel_similarity, normalised
from tests.scan_help import edited, prose, scan_texts, words


def test_equal_texts_are_exact_whatever_their_case_and_punctuation():
    m = Verifier().measure("The END, he said — “now”!", "the end he said now")
    assert (m.exact, m.jaccard, m.containment_a, m.containment_b, m.indel_similarity) == (True, 1, 1, 1, 1)


def test_texts_in_another_order_are_not_exact_though_their_sets_are_equal():
    m = Verifier(shingle_size=1).measure("one two three", "three two one")
    assert m.jaccard == 1
    assert not m.exact
    assert m.indel_similarity < 1


def test_containment_is_given_in_both_directions():
    m = Verifier(shingle_size=1).measure("a b", "a b c d")
    assert (m.containment_a, m.containment_b, m.jaccard) == (1, 0.5, 0.5)


def test_swapping_the_texts_swaps_the_measures():
    a, b = prose(60, 1), edited(prose(50, 1), [3, 20, 21])
    m, n = Verifier().measure(a, b), Verifier().measure(b, a)
    assert (m.jaccard, m.containment_a, m.containment_b) == (n.jaccard, n.containment_b, n.containment_a)
    assert m.indel_similarity == n.indel_similarity


def test_empty_texts_share_nothing():
    m = Verifier().measure("", "...")
    assert (m.jaccard, m.containment_a, m.containment_b) == (0, 0, 0)
    assert Verifier().measure("", "words here").jaccard == 0


def test_the_similarity_is_rapidfuzzs_indel_of_the_normalised_texts():
    a, b = prose(80, 2), edited(prose(80, 2), [5, 6, 40])
    assert Verifier().measure(a, b).indel_similarity == Indel.normalized_similarity(normalised(a, 0), normalised(b, 0))


def test_many_pairs_have_the_similarity_that_each_has_alone_however_alike_they_are():
    a = prose(300, 5)
    others = [a, "", "nothing of it", *(edited(a, range(0, 300, step)) for step in (300, 100, 60, 20, 10, 5, 3, 2, 1))]
    alone = [indel_similarity(a, other) for other in others]
    assert indel_similarities([a] * len(others), others, 2) == alone
    assert (min(alone), max(alone)) == (0.0, 1.0)
    assert any(0.9 < one < 0.98 for one in alone)


@pytest.mark.parametrize("places", [[0], [9_000], [100, 5000, 9_999], range(0, 10_000, 50)])
def test_of_long_texts_the_similarity_is_never_more_than_the_true_one(places):
    a = prose(10_000, 3)
    b = edited(a, places)
    exact, found = Indel.normalized_similarity(a, b), indel_similarity(a, b)
    assert found <= exact + 1e-12
    assert found > exact - 0.005
    assert indel_similarity(b, a) == pytest.approx(found, abs=0.01)


def test_a_long_text_with_words_put_in_is_still_seen_as_alike():
    a = prose(12_000, 4)
    assert indel_similarity(a, f"a few words more {a}") > 0.95
    assert indel_similarity(a, a.replace(" ", " and ", 40)) > 0.9


@pytest.mark.parametrize("put_in", [0, 1, 200, 3000])
@pytest.mark.parametrize("joint", [" ", ""], ids=["words", "characters"])
def test_what_is_put_into_a_long_text_costs_its_own_length_only(put_in, joint):
    source, more = words(9000, 3, 10**6), words(put_in, 4, 10**6)
    if not joint:
        source, more = (list(map(chr, random.Random(n).choices(range(0x4E00, 0x9000), k=6 * len(side))))
                        for n, side in enumerate((source, more)))
    middle = len(source) // 2
    a = joint.join(source)
    for parts in ([*source[:middle], *more, *source[middle:]], [*source, *more], [*more, *source]):
        b = joint.join(parts)
        exact = Indel.normalized_similarity(a, b)
        for found in (indel_similarity(a, b), indel_similarity(b, a)):
            assert exact - 0.001 < found <= exact + 1e-12


@pytest.mark.parametrize("size", [0, 65])
def test_a_shingle_size_out_of_range_is_refused(size):
    with pytest.raises(OptionError, match="1 to 64"):
        Verifier(shingle_size=size)


def test_the_report_gives_the_measures_of_the_verifier():
    a, b = prose(60, 5), edited(prose(60, 5), [7, 30, 31])
    pair = next(scan_texts([a, b]).pairs())
    m = Verifier().measure(pair.a.text, pair.b.text)
    assert (pair.jaccard, pair.indel_similarity) == (m.jaccard, m.indel_similarity)
    assert (pair.containment_a, pair.containment_b) == (m.containment_a, m.containment_b)
    assert pair.similarity == pair.indel_similarity


def test_of_pages_the_similarity_is_their_jaccard():
    a, b = prose(200, 6), edited(prose(200, 6), [7])
    report = scan_texts([a, b], unit="page")
    pair = next(report.pairs())
    m = Verifier(shingle_size=5).measure(a, b)
    assert pair.similarity == pair.jaccard == m.jaccard == report.groups[0].similarity
    assert pair.indel_similarity == m.indel_similarity
