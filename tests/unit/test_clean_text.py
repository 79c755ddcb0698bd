"""Cutting plain text: lines, blank lines, words, punctuation, marks, list markers."""

from __future__ import annotations

import pytest

from dedup.cleaning.pieces import Cut, Gone
from dedup.cleaning.seams import is_inside_word, whole_words
from dedup.cleaning.text import text_cuts
from tests.cutters_help import cut


def without_parts(source: str, *parts: str) -> str:
    return cut(text_cuts, str, source, *parts)


@pytest.mark.parametrize(
    ("source", "part", "left"),
    [
        ("A one\n\nB two\n\nC three\n", "B two", "A one\n\nC three\n"),
        ("A one\n\nB two\n\nC three\n", "A one", "B two\n\nC three\n"),
        ("A one\n\nB two\n\nC three\n", "C three", "A one\n\nB two\n"),
        ("A one\n\nB two\n\nC three", "C three", "A one\n\nB two\n"),
        ("A one\n\n\nB two\n\n\n", "B two", "A one\n\n\n"),
        ("A one\r\n\r\nB two\r\n\r\nC three\r\n", "B two", "A one\r\n\r\nC three\r\n"),
        ("A one\rB two\rC three\r", "B two", "A one\rC three\r"),
        ("A one\nB two\n\nC three\n", "B two", "A one\n\nC three\n"),
        ("A one\n \t\nB two\n  \nC three\n", "B two", "A one\n \t\nC three\n"),
        ("all of it\n", "all of it", ""),
        ("\n\nall of it\n\n", "all of it", ""),
    ],
)
def test_whole_lines_go_with_their_line_ends_and_blank_lines(source: str, part: str, left: str) -> None:
    assert without_parts(source, part) == left


@pytest.mark.parametrize(
    ("source", "part", "left"),
    [
        ("one two three four", "two three", "one four"),
        ("one two three", "two three", "one"),
        ("one two three", "one two", "three"),
        ("\tone two three\n", "one", "\ttwo three\n"),
        ("aaa bbb\nccc ddd eee\n", "bbb\nccc", "aaa\nddd eee\n"),
        ("aaa bbb\n\nccc\nddd\n", "bbb\n\nccc", "aaa\n\nddd\n"),
        ("aaa bbb\nccc\n\nddd\n", "bbb\nccc", "aaa\n\nddd\n"),
        ("aaa\nbbb\nccc\n", "bbb", "aaa\nccc\n"),
        ("日本語の文です。次の文です。", "日本語の文です", "次の文です。"),
    ],
)
def test_parts_of_lines_go_with_one_blank(source: str, part: str, left: str) -> None:
    assert without_parts(source, part) == left


@pytest.mark.parametrize(
    ("source", "part", "left"),
    [
        ("- item one\n- item two\n- item three\n", "item two", "- item one\n- item three\n"),
        ("1. item one\n2. item two\n10. item three\n", "item two", "1. item one\n10. item three\n"),
        ("• item one\n  (b) item two\n", "item two", "• item one\n"),
        ("- [ ] item one\n- [x] item two\n", "item two", "- [ ] item one\n"),
        ("> one two\n> three four\n", "three four", "> one two\n"),
        ("1. item one\n2. item two\n   goes on\n", "item two", "1. item one\n2. goes on\n"),
        ("1. item one\n2. item two\n   goes on\n", "item two\n   goes on", "1. item one\n"),
        ("- item one\n  - below it\n", "item one", "  - below it\n"),
    ],
)
def test_no_list_marker_stays_alone(source: str, part: str, left: str) -> None:
    assert without_parts(source, part) == left


@pytest.mark.parametrize(
    ("source", "part", "left"),
    [
        ("He said that it goes. More.", "it goes", "He said that. More."),
        ("One. It goes, but he stays.", "It goes", "One. but he stays."),
        ("One. Two goes. Three.", "Two goes", "One. Three."),
        ("One, two, and three.", "two", "One, and three."),
        ("One, two, and three.", "and three", "One, two."),
        ("He said that the\nwhole text goes.\nNext.", "the\nwhole text goes", "He said that.\nNext."),
        ("He (who goes) stays.", "who goes", "He stays."),
        ('He "who goes." More.', "who goes", "He More."),
        ('"First goes. Second stays."', '"First goes.', '"Second stays."'),
        ('"First stays. Second goes."', 'Second goes."', '"First stays."'),
        ("Call (see the guide) now", "Call (see the", "guide now"),
        ("„Eins geht. Zwei bleibt.“", "Eins geht.", "„Zwei bleibt.“"),
        ("See one(two three) four", "three) four", "See one(two"),  # without the bracket two words would be one
        ("Home | News | Sport", "News", "Home | Sport"),
        ("Home | News | Sport", "Sport", "Home | News"),
        ("Home | News | Sport", "Home", "News | Sport"),
    ],
)
def test_punctuation_and_marks_go_with_what_they_belong_to(source: str, part: str, left: str) -> None:
    assert without_parts(source, part) == left


@pytest.mark.parametrize(
    ("text", "torn"),
    [
        ("don't", "don"),
        ("well-known", "well"),
        ("3.14", "3"),
        ("1,000", "1"),
        ("12:30", "12"),
        ("a@b.org", "a"),
        ("snake_case", "snake"),
        ("https://a.org/b", "https"),
        ("e\u0301a", "e"),
        ("👍\U0001f3fd", "👍"),
        ("👩\u200d🚀", "👩"),
        ("a\r\nb", "a\r"),
    ],
)
def test_words_numbers_addresses_and_signs_are_not_torn(text: str, torn: str) -> None:
    assert is_inside_word(text, len(torn))


@pytest.mark.parametrize(
    ("text", "at"), [("one two", 3), ("one, two", 3), ("日本", 1), ("a—b", 1), ("wait...what", 4), ("", 0), ("a", 1)]
)
def test_elsewhere_a_cut_tears_nothing(text: str, at: int) -> None:
    assert not is_inside_word(text, at)


def test_a_word_that_would_be_torn_stays_and_is_told() -> None:
    source = "unbelievable words here"
    cuts = text_cuts(source, [Gone(2, 18, 7)])
    assert cuts.cuts == (Cut(13, 19, 7),)
    assert [(source[a:b], removal, why) for a, b, removal, why in cuts.left] == [
        ("believable", 7, "it would cut a word in two")
    ]
    assert whole_words(source, 2, 8) == (8, 8)


def test_what_has_no_word_is_not_cut() -> None:
    assert text_cuts("one -- two", [Gone(3, 7, 0)]).cuts == ()


def test_neighbours_are_joined_and_keep_their_removals() -> None:
    source = "one two three four five"
    assert text_cuts(source, [Gone(4, 7, 3), Gone(8, 13, 5)]).cuts == (Cut(4, 8, 3), Cut(8, 14, 5))
    assert text_cuts(source, [Gone(4, 9, 3), Gone(6, 13, 3)]).cuts == (Cut(4, 14, 3),)
    assert text_cuts("one\n\ntwo\n", [Gone(0, 3, 0), Gone(5, 8, 1)]).cuts == (Cut(0, 5, 0), Cut(5, 9, 1))
