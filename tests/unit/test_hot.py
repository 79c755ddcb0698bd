"""Repeats of many places: as long as asked for, whole, and with their pairs."""

from __future__ import annotations

import numpy as np
import pytest

import dedup

WORDS = ("alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec "
         "romeo sierra tango uniform victor whiskey xray")


@pytest.mark.parametrize("min_tokens", [8, 12, 30])
def test_a_repeat_of_many_places_is_no_shorter_than_min_tokens(min_tokens):
    pages = [f"x{i} y{i} " + " ".join(WORDS.split()[:10]) + f" z{i} u{i}" for i in range(20)]
    groups = dedup.scan([*pages, *[WORDS] * 20], min_tokens=min_tokens).groups
    assert all(group.tokens >= min_tokens for group in groups)


def test_ideographs_count_half_in_repeats_of_many_places():
    pages = [f"第{i}頁甲乙丙丁戊己庚辛x{i}" for i in range(20)]  # eight characters are four tokens
    assert len(dedup.scan(pages).groups) == 0


@pytest.mark.parametrize("count", [2, 6, 7, 17, 40])
def test_equal_texts_are_linked_to_their_first_one_only(count):
    pairs = list(dedup.scan([WORDS] * count, pairs=True).pairs())
    assert [(pair.a.page, pair.b.page) for pair in pairs] == [("0", str(i)) for i in range(1, count)]


@pytest.mark.parametrize("count", [6, 7, 17])
def test_a_block_is_whole_however_often_it_stands_and_whatever_stands_elsewhere_too(count):
    middle = " ".join(WORDS.split()[6:16])
    pages = [f"{WORDS}\n\nz{i} y{i} x{i} v{i} {middle} u{i} t{i} s{i} r{i} q{i}" for i in range(count)]
    shape = sorted((group.tokens, len(group.occurrences)) for group in dedup.scan(pages).groups)
    assert shape == [(10.0, 2 * count), (24.0, count)]


def test_pages_that_share_their_frame_are_no_copies():
    head = "Home page\n\nNews and events of the town\n\nSports and leisure time for all\n\nContact the town hall here\n\n"
    foot = "\n\nCopyright 2024 the town council, all rights reserved, printed on paper, contact us at the hall."
    report = dedup.scan([f"{head}The council met on Tuesday to discuss the new bridge and its cost.{foot}",
                         f"{head}Green apples were sold out at every single market stall on Saturday.{foot}"])
    assert not [v for page in report.pages for v in page.verdicts if v.kind == "copy-of"]


def test_a_subclass_of_str_is_a_text_and_a_page_without_text_an_error():
    class Text(str):
        __slots__ = ()
    report = dedup.scan([Text(WORDS), Text(WORDS), dedup.Page(id="x", text=None)])  # type: ignore[arg-type]
    assert (len(report.pages), len(report.groups)) == (2, 1)
    assert [error.source for error in report.errors] == ["input[2]"]


def test_a_block_that_stands_whole_in_a_longer_one_is_contained():
    text = "one two three four five six seven eight nine ten eleven twelve"
    group = dedup.scan([text, f"{text} {text}"]).groups[0]
    assert (group.kind, len(group.occurrences)) == ("contained", 3)


@pytest.mark.parametrize("find", ["exact", "near"])
@pytest.mark.parametrize("count", [7, 30])
@pytest.mark.parametrize(("units", "between", "min_tokens"), [
    ([chr(0x4e00 + n) for n in range(40)], "", 8), (WORDS.split(), " ", 16)])
def test_the_end_of_a_passage_of_many_places_is_kept(find, count, units, between, min_tokens):
    """The beginning has one place more, the end too: what both leave between them is shorter than a repeat must be."""
    def page(number: int, begin: int, end: int) -> str:
        own = [f"p{number}q{n}" for n in range(12)]
        return " ".join([*own[:6], between.join(units[begin:end]), *own[6:]])
    whole = [page(n, 0, 22) for n in range(count)]
    for first in (whole, [*whole[:3], page(98, 8, 22), *whole[3:]]):
        groups = dedup.scan([*first, page(99, 0, 16)], min_tokens=min_tokens, find=find).groups
        tokens = (8, 11) if between == "" else (16, 22)
        assert sorted((round(group.tokens), len(group.occurrences)) for group in groups) == [
            (tokens[0], count + 1), (tokens[1], count)]


@pytest.mark.parametrize(("units", "between", "min_tokens"), [
    ([chr(0x4e00 + n) for n in range(20)], "", 8), (WORDS.split()[:20], " ", 16)])
def test_the_end_of_a_text_that_follows_itself_is_kept(units, between, min_tokens):
    """Twice, and three quarters of it once more: shorter than a repeat must be, so it comes with what is before it."""
    text = between.join([*units, *units, *units[:15]])
    groups = dedup.scan([text], min_tokens=min_tokens).groups
    held = {at for group in groups for o in group.occurrences for at in range(o.start, o.end)}
    assert [at for at in range(len(text)) if at not in held and text[at] != " "] == []
    assert all(group.tokens >= min_tokens for group in groups)


@pytest.mark.parametrize("min_tokens", [8, 12])
@pytest.mark.parametrize("count", [2, 3, 7])
def test_words_and_characters_together_are_as_long_as_they_count(count, min_tokens):
    """Of a passage that counts just so, some places have one character more before it, others its beginning or end only."""
    units = [f"w{n}" if n % 3 else chr(0x4e00 + n) for n in range(60)]
    weight = [2 if n % 3 else 1 for n in range(60)]
    end = next(n for n in range(4, 60) if sum(weight[4:n]) >= 2 * min_tokens)

    def page(number: int, begin: int, end: int) -> str:
        own = [f"p{number}q{n}" for n in range(12)]
        return " ".join([*own[:6], *units[begin:end], *own[6:]])
    longer = [page(n, 3, end) for n in range(count)]
    bare = [page(90 + n, 4, end) for n in range(3)]
    parts = [page(60 + n, *part) for n in range(3) for part in ((4, 12), (5, end))]
    for pages in ([*longer, *bare, *parts], [*parts, *bare, *longer]):
        groups = dedup.scan(pages, min_tokens=min_tokens, find="exact").groups
        whole = " ".join(units[4:end])
        places = [occurrence for group in groups for occurrence in group.occurrences if whole in occurrence.text]
        assert len({occurrence.page for occurrence in places}) == count + 3


def test_three_places_that_share_more_in_pairs_are_one_group():
    """The first and the second one go on alike to the left, the first and the third one to the right."""
    words = WORDS.split()
    own = [[f"p{page}q{n}" for n in range(12)] for page in range(3)]
    pages = [[*own[0][:6], *words[:20], *own[0][6:]], [*own[1][:6], *words[:14], *own[1][6:]],
             [*own[2][:6], *words[5:20], *own[2][6:]]]
    shape = {(group.tokens, len(group.occurrences)) for group in dedup.scan([" ".join(page) for page in pages]).groups}
    assert shape == {(14, 2), (15, 2), (9, 3)}


@pytest.mark.parametrize(("units", "between", "min_tokens"), [
    ([chr(0x4e00 + n) for n in range(60)], "", 8), (WORDS.split(), " ", 12), (WORDS.split(), " ", 8),
    ([f"w{n}" for n in range(120)], " ", 40)])
@pytest.mark.parametrize("seed", range(6))
def test_all_places_of_a_passage_are_in_one_group(units, between, min_tokens, seed):
    """Parts of one passage, words of their own around them: every stretch that counts has a group with all of its places."""
    rng = np.random.default_rng(seed)
    size, count = 2 * min_tokens if between == "" else min_tokens, len(units)
    cuts = [sorted(rng.integers(0, count + 1, 2).tolist()) for _ in range(40)]
    cuts = [(a, b) for a, b in cuts if b - a >= size]
    pages = [" ".join([f"p{page}a p{page}b", between.join(units[a:b]), f"p{page}c"]) for page, (a, b) in enumerate(cuts)]
    report = dedup.scan(pages, min_tokens=min_tokens, find="exact")
    groups = [{(place.page, place.text) for place in group.occurrences} for group in report.groups]
    for begin in range(count - size + 1):
        stretch = between.join(units[begin:begin + size])
        holders = {str(page) for page, (a, b) in enumerate(cuts) if a <= begin and begin + size <= b}
        assert len(holders) < 2 or any(holders == {page for page, text in group if stretch in text} for group in groups)


@pytest.mark.parametrize(("longest", "min_tokens"), [(60, 8), (60, 12), (110, 40), (240, 100)])
@pytest.mark.parametrize("shape", ["beginnings", "ends", "both"])
@pytest.mark.parametrize("order", [1, -1])
def test_texts_cut_at_different_places_are_all_found(longest, min_tokens, shape, order):
    """Each is a word longer than the one before; what two neighbours share all those after them share as well."""
    words = [f"w{n}" for n in range(longest)]
    lengths = range(6, longest)[::order]
    beginnings = [" ".join([*words[:length], f"x{length}"]) for length in lengths]
    ends = [" ".join([f"x{length}", *words[-length:]]) for length in lengths]
    pages = {"beginnings": beginnings, "ends": ends, "both": [*beginnings[::2], *ends[::2]]}[shape]
    groups = dedup.scan(pages, min_tokens=min_tokens, find="exact").groups
    texts: dict[str, list[str]] = {}
    for group in groups:
        for place in group.occurrences:
            texts.setdefault(place.page, []).append(place.text)
    of_page = [*lengths[::2], *lengths[::2]] if shape == "both" else list(lengths)
    second = sorted(set(of_page))[-2]  # the longest one shares no more
    for number, length in enumerate(of_page):
        shared = [word for word in pages[number].split() if word in words]
        is_end = shared[-1] == words[-1] and shared[0] != words[0]
        shared = shared[-min(length, second):] if is_end else shared[:min(length, second)]
        mine = texts.get(str(number), [])
        if len(shared) >= min_tokens and shape == "both":  # what some of many have in common is told in parts
            assert set(shared) <= {word for text in mine for word in text.split()}
        elif len(shared) >= min_tokens:
            assert " ".join(shared) in mine
