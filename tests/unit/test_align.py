"""Edited and reworded passages: found at any offset, measured, told once."""

from __future__ import annotations

import itertools
import json
import random

import numpy as np
import pytest
from scan_help import needs_speed, scan_texts, words

import dedup

VOCABULARY = [f"{a}{b}{c}{d}" for a, b, c, d in itertools.product(
    ("br", "cl", "d", "gr", "m", "pl", "st", "v"), ("a", "e", "i", "o"), ("nd", "rt", "ll", "m", "x"),
    ("er", "a", "ing", "o"))]


def prose(count: int, seed: int) -> list[str]:
    rnd = random.Random(seed)
    return rnd.choices(VOCABULARY, k=count)


def text(words: list[str]) -> str:
    """Sentences of twelve words, paragraphs of five sentences."""
    sentences = [" ".join(words[i:i + 12]).capitalize() + "." for i in range(0, len(words), 12)]
    return "\n\n".join(" ".join(sentences[i:i + 5]) for i in range(0, len(sentences), 5))


def edited(words: list[str], share: float, seed: int) -> list[str]:
    """Some words replaced by new ones."""
    rnd = random.Random(seed)
    return [f"new{rnd.randrange(10**6)}" if rnd.random() < share else word for word in words]


def shuffled(words: list[str], reach: int, seed: int) -> list[str]:
    """Words in another order, each near its place."""
    rnd = random.Random(seed)
    return [word for _, word in sorted((i + rnd.random() * reach, word) for i, word in enumerate(words))]


PASSAGE = prose(72, 1)
AROUND = [prose(60, seed) for seed in range(2, 8)]
NEAR = [text(AROUND[0] + PASSAGE + AROUND[1]), text(AROUND[2] + edited(PASSAGE, 0.2, 1) + AROUND[3])]
REWORDED = [NEAR[0], text(AROUND[2] + shuffled(edited(PASSAGE, 0.2, 1), 12, 3) + AROUND[3])]


def places(report: dedup.Report) -> list[tuple[str, int, int, str, int, int]]:
    return [(p.a.page, p.a.start, p.a.end, p.b.page, p.b.start, p.b.end) for p in report.pairs()]


def share_found(report: dedup.Report, page: str, words: str) -> float:
    """How much of a stretch of a page's text lies in pairs."""
    start = words[0]
    covered = {i for p in report.pairs() for side in (p.a, p.b) if side.page == page for i in range(side.start, side.end)}
    wanted = range(start, words[1])
    return sum(i in covered for i in wanted) / len(wanted)


def place_of(passage: list[str], page: str) -> tuple[int, int]:
    """Where a passage stands whose first and last three words are its own."""
    begin, end = (" ".join(part).lower() for part in (passage[1:3], passage[-4:-2]))
    flat = page.lower().replace(".", " ").replace("\n", " ")
    squeezed = [i for i, char in enumerate(flat) if char != " " or flat[i - 1] != " "]
    line = "".join(flat[i] for i in squeezed)
    return squeezed[line.index(begin)], squeezed[line.index(end)]


def test_an_edited_passage_inside_other_text_is_one_pair():
    report = scan_texts(NEAR)
    (pair,) = report.pairs()
    assert pair.kind == "near"
    assert (pair.a.page, pair.b.page) == ("0", "1")
    assert share_found(report, "0", place_of(PASSAGE, NEAR[0])) > 0.95
    assert pair.a.end - pair.a.start < 1.3 * len(" ".join(PASSAGE))


def test_a_pair_and_its_occurrence_tell_dice_and_evidence():
    report = scan_texts(NEAR)
    (pair,) = report.pairs()
    assert 0.6 < pair.dice < 1
    assert pair.evidence > 20
    assert (pair.b.dice, pair.b.evidence) == (pair.dice, pair.evidence)
    assert report.groups[0].occurrences[1].dice == pair.dice
    written = json.loads(scan_texts(NEAR, pairs=True).to_json())
    assert written["pairs"][0]["dice"] == pair.dice
    assert "dice" not in json.loads(scan_texts([text(PASSAGE)] * 2, pairs=True).to_json())["pairs"][0]


def test_a_reworded_passage_is_found_where_it_is_asked_for():
    assert not [p for p in scan_texts(REWORDED).pairs() if p.a.end - p.a.start > 200]
    for report in (scan_texts(REWORDED, find="reworded"), dedup.compare(*REWORDED)):
        assert max(p.a.end - p.a.start for p in report.pairs()) > 0.8 * len(" ".join(PASSAGE))


def test_a_passage_of_a_script_without_spaces_is_found():
    rnd = random.Random(4)
    a, b, c = ("".join(chr(0x4e00 + rnd.randrange(3000)) for _ in range(120)) for _ in range(3))
    changed = "".join("的" if rnd.random() < 0.1 else char for char in a)
    (pair,) = scan_texts([f"{b}。{a}。", f"{c}。{changed}。"]).pairs()
    assert (pair.a.end - pair.a.start, pair.b.end - pair.b.start) == (121, 121)


def test_an_edited_passage_is_found_again_in_its_own_page():
    page = text(AROUND[0] + PASSAGE + AROUND[1] + edited(PASSAGE, 0.2, 1) + AROUND[3])
    report = scan_texts([page])
    (pair,) = report.pairs()
    assert pair.a.end <= pair.b.start
    assert share_found(report, "0", place_of(PASSAGE, page)) > 0.95
    assert not list(scan_texts([page], scope="across").pairs())
    assert places(scan_texts([page], scope="within")) == places(report)


def test_texts_about_other_things_share_nothing():
    for find in ("near", "reworded"):
        assert not list(scan_texts([text(words) for words in AROUND], find=find).pairs())


@pytest.mark.parametrize("find", ["near", "reworded"])
def test_letters_threads_partitions_and_other_pages_change_nothing(find):
    pages = {"p": NEAR[0], "q": NEAR[1], "r": REWORDED[1]}
    expected = places(scan_texts(pages, find=find))
    assert len(expected) >= 2
    assert places(scan_texts({name: page.upper() for name, page in pages.items()}, find=find)) == expected
    assert places(scan_texts(pages, find=find, threads=1, partitions=7)) == expected
    others = {f"x{seed}": text([f"{seed}{word}" for word in prose(100, seed)]) for seed in range(5)}
    assert places(scan_texts(pages | others, find=find)) == expected
    turned = scan_texts({name: pages[name] for name in "rqp"}, find=find)
    assert sorted(pair[3:] + pair[:3] for pair in places(turned)) == sorted(expected)


def test_sides_exchanged_are_mirrored():
    a, b = ({"id": name, "text": page} for name, page in zip("ab", REWORDED, strict=True))
    assert [pair[3:] + pair[:3] for pair in places(dedup.compare(b, a))] == places(dedup.compare(a, b))


@needs_speed
@pytest.mark.parametrize("dropped", ["a", "b"])
def test_the_ends_of_a_long_passage_of_few_different_words_are_tied_to_each_other(dropped):
    """A fifth of the words is missing on one side; what the other one has too much is not all dropped at its ends."""
    rnd = random.Random(1)
    passage = [f"w{rnd.randrange(500)}" for _ in range(20_000)]
    texts = {"a": passage, "b": passage} | {dropped: [word for word in passage if rnd.random() >= 0.2]}
    spans, pages = dict[str, tuple[int, int]](), dict[str, str]()
    for name, part in texts.items():
        before, after = (" ".join(f"{name}{side}{i}" for i in range(60)) for side in "xy")
        inside = "".join(word + rnd.choice([" "] * 60 + ["\n\n"]) for word in part)
        pages[name] = f"{before} {inside} {after}"
        spans[name] = len(before) + 1, len(before) + 1 + len(inside)
    found = max(scan_texts(pages).pairs(), key=lambda pair: pair.a.end - pair.a.start)
    for place in (found.a, found.b):
        start, end = spans[place.page]
        assert abs(place.start - start) + abs(place.end - end) <= 0.02 * (end - start)


def test_an_exact_copy_stays_exact_with_its_own_ends():
    pages = [text(AROUND[0]) + "\n\n" + text(PASSAGE), text(PASSAGE) + "\n\n" + text(AROUND[1])]
    (pair,) = scan_texts(pages).pairs()
    assert (pair.kind, pair.a.text, pair.b.text) == ("exact", text(PASSAGE), text(PASSAGE))


def test_what_lies_inside_a_longer_passage_is_not_told_twice():
    for share in (0.05, 0.1, 0.2):
        pages = [text(PASSAGE + AROUND[0]), text(AROUND[1] + edited(PASSAGE, share, 5))]
        assert len(places(scan_texts(pages))) == 1


def test_the_gates_can_be_set():
    (pair,) = scan_texts(NEAR).pairs()
    assert not [p for p in scan_texts(NEAR, min_evidence=pair.evidence + 1).pairs() if p.dice is not None]
    assert not [p for p in scan_texts(NEAR, min_dice=pair.dice + 0.05).pairs() if p.dice is not None]


def test_a_seed_of_too_many_places_is_no_seed():
    parts = [f"{text(prose(30, 100 + n))}\n\n{text(edited(PASSAGE[:24], 0.15, n))}" for n in range(12)]
    few = scan_texts(parts, max_places=2)
    assert len(list(few.pairs())) <= len(list(scan_texts(parts).pairs()))


@pytest.mark.parametrize("find", ["near", "reworded"])
def test_many_edited_copies_are_one_group(find):
    report = scan_texts([text(edited(PASSAGE[:36], 0.05, n)) for n in range(400)], find=find)
    assert len(report.groups[0].occurrences) > 390
    assert len(report.groups) < 20


@pytest.mark.parametrize("unit", ["a ", "ab cd ", "one two three four five six seven eight nine ten eleven twelve "])
def test_endless_repetition_is_one_group(unit):
    report = scan_texts([unit * 20_000], find="reworded")
    assert len(report.groups) == 1


def test_page_as_unit_takes_reworded_for_near():
    assert len(scan_texts([text(PASSAGE), text(PASSAGE)], unit="page", find="reworded").groups) == 1


@pytest.mark.parametrize("copies", [1, 6, 7, 30])
def test_an_edited_copy_is_found_however_often_the_original_stands(copies):
    """Its words are not frequent because the text that they stand in is copied."""
    rnd = random.Random(11)

    def words(count: int) -> str:
        return " ".join(rnd.sample(VOCABULARY, count))
    quote = words(40).split()
    edited = " ".join(word if i % 7 else f"zq{i}" for i, word in enumerate(quote))
    pages = [f"{words(30)} {' '.join(quote)} {words(30)}" for _ in range(copies)]
    report = scan_texts([*pages, f"{words(30)} {edited} {words(30)}"])
    last = str(copies)
    assert any(last in {place.page for place in group.occurrences} for group in report.groups)


@needs_speed
def test_among_lines_that_are_all_alike_a_row_compares_the_likeliest_only_and_says_so():
    """Work grows with the lines, not with their square; what stands out is found beside them."""
    rng = np.random.default_rng(4)
    crowd = [f"Item {n}: the quick brown w{a} fox jumps over w{b} lazy dog near the w{c} river bank, price {d} dollars"
             for n, (a, b, c, d) in enumerate(rng.integers(0, 50, (2000, 4)).tolist())]
    text = [f"p{n}" for n in range(40)]
    copy = [f"x{n}" if n % 6 == 5 else word for n, word in enumerate(text)]
    around = [[f"{mark}{n}" for n in range(30)] for mark in "abcd"]
    ends = [" ".join([*around[2 * side], *middle, *around[2 * side + 1]]) for side, middle in enumerate((text, copy))]
    report = dedup.scan(["\n".join([ends[0], *crowd, ends[1]])])
    assert any(group.truncated for group in report.groups)
    assert any("p0 p1" in group.text and "p39" in group.text and group.kind == "near" for group in report.groups)
    assert not any(group.truncated for group in dedup.scan(["\n".join(crowd[:100])]).groups)


def test_words_in_no_order_are_no_reworded_passage_inside_a_page():
    """A page of words out of fifty is alike to itself everywhere, as a bag."""
    rng = np.random.default_rng(6)
    text = "\n".join(" ".join(f"w{n}" for n in rng.integers(0, 50, 12)) for _ in range(300))
    assert not len(dedup.scan([text], find="reworded").groups)


@needs_speed
def test_what_is_edited_is_found_at_every_copy_of_its_source():
    """Far from the ends of the copies, where seeds are looked for in the first one only."""
    source = words(240, 901, 10**6)
    edited_part = [f"new{i}" if i % 7 == 4 else word for i, word in enumerate(source[100:150])]
    pages = {"a": text(words(40, 902, 10**6) + source), "b": text(source + words(30, 903, 10**6)),
             "c": text(words(60, 904, 10**6) + edited_part + words(60, 905, 10**6))}
    for order in (["a", "b", "c"], ["b", "a", "c"], ["c", "b", "a"]):
        report = scan_texts({name: pages[name] for name in order})
        assert {"a", "b", "c"} in [{o.page for o in group.occurrences} for group in report.groups], order


@pytest.mark.parametrize("between", [0, 5, 20, 90])
@pytest.mark.parametrize("settings", [{"scope": "across"}, {"between": "paper"}, {"find": "reworded", "scope": "across"}, {}])
def test_each_edited_copy_of_a_text_on_one_page_is_found(between, settings):
    """Two edited copies of one text follow each other on one page: the pair of the two may be left out."""
    for seed in range(6):
        source, other = prose(60, 10 + seed), text(prose(between, 30 + seed))
        copies = [text(edited(source, 0.15, seed + more)) for more in (0, 50)]
        page = "\n\n".join([text(AROUND[0]), copies[0], *[other][:between], copies[1], text(AROUND[1])])
        report = dedup.scan([{"id": "a", "text": text(AROUND[2] + source + AROUND[3]), "paper": "A"},
                             {"id": "b", "text": page, "paper": "B"}], **settings)
        across = [pair for pair in report.pairs() if pair.a.page != pair.b.page]
        for copy in copies:
            begin = page.index(copy)
            held = [min(p.b.end, begin + len(copy)) - max(p.b.start, begin) for p in across]
            assert max(held) > 0.8 * len(copy), seed
        assert len(across) == 2


@pytest.mark.parametrize("count", [10, 12, 20, 22])
def test_an_edited_copy_right_behind_its_original_is_found(count):
    """It begins fewer tokens behind it than a window has."""
    found = 0
    for seed in range(10):
        first = prose(count, 100 + seed)
        second = [f"new{seed}" if i % 7 == 4 else word for i, word in enumerate(first)]
        page = " ".join(text(part) for part in (AROUND[0], first, second, AROUND[1]))
        begin, middle = len(text(AROUND[0])) + 1, len(text(AROUND[0])) + len(text(first)) + 2
        spots = [[begin, middle, middle + len(text(second))]]
        for group in dedup.scan([page]).groups:
            held = [max(min(o.end, stop) - max(o.start, start) for o in group.occurrences)
                    for start, stop in itertools.pairwise(spots[0])]
            found += min(held) > 0.7 * len(text(first))
    assert found >= 8


def test_without_words_nothing_is_rare() -> None:
    from dedup.anchors import item_rarity
    from dedup.engines.local import LocalEngine

    none = np.empty(0, np.uint32)
    assert len(item_rarity(LocalEngine(1), none, (none, none))) == 4
