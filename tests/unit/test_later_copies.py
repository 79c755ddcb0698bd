"""Which copies of exact runs have no seeds, and where what is found in one copy is carried to."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dedup.later_copies import LONGEST, Copies, InStep, carried, chained, first_by_text, later_copies, quiet_copies
from dedup.page_pairs import PagePairs
from dedup.seeds import Repeats

PAGE = np.array([0, 10**6])


def matches(*rows: tuple[int, int, int]) -> Repeats:
    a, b, length = (np.array(column, np.int64) for column in zip(*sorted(rows), strict=True))
    return Repeats(a, b, length, np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


def ranges(found: tuple[np.ndarray, np.ndarray]) -> list[tuple[int, int]]:
    return [(int(start), int(end)) for start, end in zip(*found, strict=True)]


ROWS = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 99), st.integers(8, 90)), min_size=1, max_size=6).map(
    lambda rows: [(a, a + shift + length, length) for a, shift, length in rows])


def test_a_later_copy_is_quiet_but_for_its_ends():
    repeats = matches((0, 100, 20))
    later = later_copies(repeats, PAGE, PagePairs())
    assert ranges(later) == [(100, 120)]
    assert ranges(quiet_copies(repeats, later, 1)) == [(101, 119)]


def test_a_copy_of_a_copy_is_quiet_only_where_the_first_one_is_its_source_too():
    repeats = matches((0, 100, 20), (112, 200, 20))  # 112-120 stands at 12-20 already
    later = later_copies(repeats, PAGE, PagePairs())
    assert ranges(later) == [(100, 120), (200, 220)]
    assert ranges(quiet_copies(repeats, later, 0)) == [(100, 120), (208, 220)]


def test_the_text_of_the_page_says_which_copy_is_the_first_and_in_one_page_the_place():
    page_first, digest = np.array([0, 100, 200, 300]), np.array([2, 1, 3], np.uint64)
    repeats = replace(matches((0, 110, 20), (5, 230, 20), (10, 60, 20), (120, 240, 10)), first=np.array([0, 4, 6]),
                      position=np.array([70, 150, 170, 280, 90, 290]), lengths=np.array([9, 8]))
    turned = first_by_text(repeats, page_first, digest)
    assert list(zip(turned.a.tolist(), turned.b.tolist(), strict=True)) == [(110, 0), (5, 230), (10, 60), (120, 240)]
    assert turned.position.tolist() == [150, 70, 170, 280, 90, 290]
    later = ranges(later_copies(turned, page_first, PagePairs()))
    assert later == [(0, 20), (60, 80), (170, 179), (230, 250), (280, 289), (290, 298)]


@given(rows=ROWS, margin=st.integers(0, 3))
def test_what_is_quiet_has_a_source_that_is_not(rows, margin):
    repeats = matches(*rows)
    later = later_copies(repeats, PAGE, PagePairs())
    copy = {t for start, end in ranges(later) for t in range(start, end)}
    expected = set[int]()
    for a, b, length in rows:
        sources = [t for t in range(a, a + length) if t not in copy]
        for _, run in itertools.groupby(enumerate(sources), lambda pair: pair[1] - pair[0]):
            of = [t for _, t in run]
            expected |= {t - a + b for t in of[margin:len(of) - margin]}
    assert {t for start, end in ranges(quiet_copies(repeats, later, margin)) for t in range(start, end)} == expected


@given(rows=ROWS, before=st.integers(0, 12), after=st.integers(4, 24), size=st.integers(1, 4))
def test_copies_at_the_edges_and_inside_are_all_copies_of_keys_that_lie_in_a_match(rows, before, after, size):
    repeats = matches(*rows)

    def found(copies: Copies) -> set[tuple[int, int]]:
        at = np.arange(300, dtype=np.uint32)
        place, first = copies.of_each(at)
        both = set(zip(np.repeat(at, np.diff(first)).tolist(), place.tolist(), strict=True))
        assert both >= {(t, t) for t in range(300)}
        return {(t, copy) for t, copy in both if t != copy}
    inner = found(Copies.of_inner(repeats, before, after))
    assert found(Copies.of_edges(repeats, before, after, size)) | inner == {
        (t, t - a + b) for a, b, length in rows for t in range(a, a + length - size + 1)}
    assert inner == {
        (t, t - a + b) for a, b, length in rows for t in range(a + before, a + length - after)}


def test_seeds_get_the_copies_of_their_places():
    edges = Copies.of_edges(matches((0, 100, 20), (50, 200, 20)), 12, 24, 4)
    position, first = edges.with_copies(np.array([5, 30, 31, 55, 90], np.uint32), np.array([0, 2, 3, 5]))
    found = [position[begin:end].tolist() for begin, end in itertools.pairwise(first.tolist())]
    assert found == [[5, 30, 105], [31], [55, 90, 205]]


def test_places_are_carried_to_the_other_copies_and_not_to_those_in_step():
    repeats = matches((0, 100, 60))
    inner, in_step = Copies.of_inner(repeats, 12, 24), InStep(repeats)

    def all_of(*places: tuple[int, int]) -> list[tuple[int, int]]:
        a, b = carried(inner, in_step, *(np.array(side, np.uint32) for side in zip(*places, strict=True)))
        return sorted(zip(a.tolist(), b.tolist(), strict=True))
    assert all_of((20, 500), (5, 600)) == [(5, 600), (20, 500), (120, 500)]
    assert all_of((20, 30)) == [(20, 30), (20, 130), (30, 120), (120, 130)]
    assert all_of((20, 120)) == []


def test_two_copies_of_a_few_words_are_a_seed_where_they_are_too_few_for_a_match():
    for common in range(3, 12):
        position, first = chained(matches((0, 100, 20), (20 - common, 200, 20)), 4, 1)
        expected = [120 - common, 200] if 4 <= common <= LONGEST else []
        assert position.tolist() == expected
        assert first.tolist() == [0, 2][:1 + bool(expected)]
