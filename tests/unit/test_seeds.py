"""Every run of eight tokens or more that stands twice is found, wherever it begins and however often it stands."""

from __future__ import annotations

import pytest

from tests.scan_help import around, covered, lines, prose, scan_texts, texts_of, words


def run(count: int, seed: int = 0) -> str:
    return " ".join(words(count, 1000 + seed))


def found(texts: list[str], **settings: object) -> list[str]:
    return [group.text for group in scan_texts(texts, find="exact", **settings).groups]


def test_eight_tokens_are_found_and_seven_are_not():
    assert found([around(run(8), 1), around(run(8), 2)]) == [run(8)]
    assert found([around(run(7), 1), around(run(7), 2)]) == []


@pytest.mark.parametrize("length", [8, 9, 12, 31, 100])
@pytest.mark.parametrize("before", [0, 1, 5, 64])
def test_a_run_is_found_in_its_full_length_at_any_offset(length, before):
    a = " ".join([*words(before, 1), run(length), *words(10, 2)])
    b = " ".join([*words(3, 3), run(length)])
    assert found([a, b]) == [run(length)]


def test_a_run_is_found_across_the_borders_of_blocks():
    a, b = run(5, 1), run(5, 2)
    report = scan_texts([f"{prose(20, 1)} {a}\n\n{b} {prose(20, 2)}", f"other words {a} {b} other end"])
    assert [o.text for o in report.groups[0].occurrences] == [f"{a}\n\n{b}", f"{a} {b}"]


def test_a_run_never_crosses_the_border_of_pages():
    a, b = run(5, 1), run(5, 2)
    assert found([a, b, f"{a} {b}"]) == []


def test_repeats_inside_one_block_are_found():
    assert found([f"{run(12)} and then some more {run(12)}"]) == [run(12)]


@pytest.mark.parametrize("copies", [2, 3, 15, 16, 17, 18, 40, 300])
def test_all_places_of_a_run_are_in_one_group_however_many(copies):
    report = scan_texts([around(run(12), n) for n in range(copies)])
    assert [len(group.occurrences) for group in report.groups] == [copies]
    assert report.groups[0].text == run(12)


@pytest.mark.parametrize("copies", [2, 5, 9, 16, 17, 40])
def test_a_run_inside_a_near_passage_is_not_reported_again(copies):
    """However many copies there are."""
    report = scan_texts([f"only{n} {run(20)} alone{n}" for n in range(copies)])
    assert [(group.kind, len(group.occurrences)) for group in report.groups] == [("near", copies)]


def test_copies_of_different_length_keep_their_longest_common_text():
    """Two pages share twenty tokens, a third one ten of these: the long passage and the short one are both there."""
    long = run(20)
    short = " ".join(long.split()[:10])
    assert sorted(found([f"a {long} b", f"c {long} d", f"e {short} f"]), key=len) == [short, long]


IN_A_ROW = [" ".join, lambda copies: lines(*copies)]


@pytest.mark.parametrize("join", IN_A_ROW, ids=["words", "paragraphs"])
@pytest.mark.parametrize("copies", [2, 3, 4, 5, 6, 9, 16, 17, 20])
def test_what_follows_itself_is_covered_and_its_places_do_not_overlap(copies, join):
    text = join([run(12)] * copies)
    assert covered(scan_texts([text]), "0") >= {i for i, c in enumerate(text) if not c.isspace()}


@pytest.mark.parametrize("join", IN_A_ROW, ids=["words", "paragraphs"])
@pytest.mark.parametrize("copies", [2, 3, 4, 5, 6, 9, 16, 17, 20])
def test_all_copies_of_what_follows_itself_are_in_one_group(copies, join):
    report = scan_texts([join([run(12)] * copies)])
    assert copies in [group.count for group in report.groups]


@pytest.mark.parametrize("join", IN_A_ROW, ids=["words", "paragraphs"])
@pytest.mark.parametrize("order", ["WWp", "WWWp", 10 * "W" + "p", "WpW", "pWW"])
def test_a_part_that_stands_beside_copies_of_the_whole_is_covered(order, join):
    """An article twice and its teaser."""
    pieces = {"W": run(60), "p": " ".join(run(60).split()[:30])}
    text = join([pieces[piece] for piece in order])
    assert covered(scan_texts([text]), "0") >= {i for i, c in enumerate(text) if not c.isspace()}


def test_a_short_phrase_over_and_over_is_found():
    """Its first eight tokens stand again, eight tokens further on."""
    text = " ".join(["buy now and save"] * 5)
    assert len(covered(scan_texts([text]), "0")) > 0.7 * len(text)


@pytest.mark.parametrize("word", ["a", "a b", "a b c"])
def test_a_word_over_and_over_is_a_repeat_in_bounded_work(word):
    report = scan_texts([" ".join([word] * 3000)])
    assert report.groups
    assert len(report.groups) < 50


def test_a_lower_min_tokens_finds_shorter_runs():
    texts = [f"x {run(4)} y", f"z {run(4)} u"]
    assert found(texts, min_tokens=4) == [run(4)]
    assert found(texts, min_tokens=5) == []


def test_a_higher_min_tokens_hides_shorter_runs():
    texts = [f"x {run(20)} y {run(9, 5)}", f"z {run(9, 5)} u {run(20)}"]
    assert found(texts, min_tokens=15) == [run(20)]


@pytest.mark.parametrize("copies", [2, 5, 20])
def test_a_higher_min_tokens_hides_shorter_runs_of_many_places_too(copies):
    texts = [f"{around(run(20), n)} {around(run(9, 5), 1000 + n)}" for n in range(copies)]
    assert found(texts, min_tokens=15) == [run(20)]


@pytest.mark.parametrize("copies", [2, 5, 20])
def test_half_tokens_count_half(copies):
    """Fifteen characters of a script without spaces are seven tokens and a half."""
    characters = "一二三四五六七八九十百千万亿兆京"
    # Before and behind it characters that stand once, of the block of unified ideographs.
    def among_others(text: str) -> list[str]:
        return [f"{chr(0x5000 + 2 * n)}{text}{chr(0x5001 + 2 * n)}" for n in range(copies)]
    assert found(among_others(characters[:15])) == []
    assert found(among_others(characters)) == [characters]


def test_equal_runs_in_other_letters_are_one_group():
    texts = [run(12), run(12).upper(), run(12).replace(" ", ", ")]
    report = scan_texts([around(text, n) for n, text in enumerate(texts)])
    assert len(report.groups) == 1
    assert len(texts_of(report.groups[0])) == 3
    assert report.groups[0].similarity == 1
