"""A text that follows itself many times is one group with few places, a period and a number of copies."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

import dedup
from dedup.report.json import read_json
from dedup.report.terminal import print_report
from dedup.tandems import AT_ONCE, period_of
from tests.scan_help import lines, prose, scan_texts, words

TEN = "one two three four five six seven eight nine ten"


def at_once(text: str, copies: int, between: str = " ") -> str:
    return between.join([text] * copies)


@pytest.mark.parametrize(("text", "period", "copies"), [
    ("ab", 1.0, 800), ("one two three four five", 5.0, 400), (TEN, 10.0, 200),
    ("\u5357\u65e0\u963f\u5f25\u9640\u4f5b\uff0c", 3.0, 201)])
def test_a_text_over_and_over_is_one_group_with_its_period_and_count(text, period, copies):
    report = scan_texts([f"before it {at_once(text, copies)} after it"])
    assert len(report.groups) == 1
    group = report.groups[0]
    assert (group.kind, group.period, len(group.occurrences)) == ("exact", period, 2)
    first, rest = group.occurrences
    assert (first.copies, rest.copies, group.count) == (1, group.count - 1, rest.copies + 1)
    assert group.count * group.tokens == copies * period
    assert first.text == group.text
    assert report.pages[0].duplicate_chars == rest.end - rest.start
    assert report.pages[0].within_share > 0.98


def test_a_million_words_are_a_report_no_longer_than_the_page():
    page = "ab " * 1_000_000
    report = dedup.scan([page])
    assert [(group.period, group.count, group.tokens) for group in report.groups] == [(1.0, 125_000, 8.0)]
    assert len(report.to_json()) < len(page) + 5000
    assert len(list(report.pairs())) == 1
    assert report.pages[0].verdicts[0].evidence["copies"] == 125_000


@pytest.mark.parametrize("rounds", [1000, 1003])
def test_what_is_left_over_of_less_than_eight_words_is_a_group_of_two_places(rounds):
    groups = scan_texts([at_once("one two three", rounds)]).groups
    assert [(group.tokens, len(group.occurrences), group.period) for group in groups] == [(9.0, 2, 3.0), (8.0, 2, None)]


@pytest.mark.parametrize("copies", [2, AT_ONCE, AT_ONCE + 1])
def test_a_few_copies_are_shown_one_by_one(copies):
    group = scan_texts([at_once(TEN, copies, "\n\n")]).groups[0]
    assert (len(group.occurrences), group.period, group.count) == (copies, None, copies)
    assert {o.copies for o in group.occurrences} == {1}


def test_copies_with_something_between_them_are_shown_one_by_one():
    report = scan_texts([" ".join(f"{TEN} n{n}" for n in range(30))])
    assert [len(group.occurrences) for group in report.groups] == [30]


def test_stretches_on_other_pages_begin_with_a_copy_of_their_own():
    """Which copy stays is said of one copy, on whatever page."""
    page = lines(prose(20, 1), at_once(TEN, 20, "\n\n"))
    group = max(scan_texts([page, f"x {TEN} y", lines(at_once(TEN, 12, "\n\n"), prose(20, 2))]).groups,
                key=lambda group: group.count)
    assert [(o.page, o.copies) for o in group.occurrences] == [("0", 1), ("0", 19), ("1", 1), ("2", 1), ("2", 11)]
    assert group.period == 10.0


def test_the_report_comes_back_from_its_file_and_says_the_same_of_its_pages(tmp_path: Path):
    report = scan_texts([at_once(TEN, 40), f"{prose(20, 1)} {TEN} {prose(20, 2)}"], pairs=True)
    report.write(tmp_path / "r.json")
    again = read_json(tmp_path / "r.json")
    assert list(again.groups) == list(report.groups)
    assert again.to_json() == report.to_json()
    written = json.loads(report.to_json())["groups"][0]
    assert (written["period"], written["count"]) == (10.0, 41)
    assert [o.get("copies") for o in written["occurrences"]] == [None, 39, None]
    for name in ("start", "end", "group", "stays", "cut"):
        assert getattr(again.annotations.spans, name).tolist() == getattr(report.annotations.spans, name).tolist()
    assert report.annotations.spans.cut.tolist() == [False, True, True]


def test_clean_takes_all_copies_but_the_first(tmp_path: Path):
    (tmp_path / "in.txt").write_text(lines(prose(30, 4), at_once(TEN + ".", 40, "\n\n"), prose(30, 5)), "utf-8")
    dedup.clean(tmp_path / "in.txt", out=tmp_path / "out.txt", verdicts=("refrain",), max_removed=1.0)
    cleaned = (tmp_path / "out.txt").read_text("utf-8")
    assert cleaned.count(TEN) == 1
    assert prose(30, 4) in cleaned
    assert prose(30, 5) in cleaned


def test_terminal_counts_copies():
    printed = io.StringIO()
    print_report(scan_texts([at_once(TEN, 400)]), printed)
    printed = " ".join(printed.getvalue().split())
    assert "stands 400 times" in printed
    assert "399 times, one right after the other" in printed


def test_the_shortest_period_divides_the_text():
    for text, period in (([1], 1), ([1, 1, 1], 1), ([1, 2, 1, 2], 2), ([1, 2, 1], 3), ([1, 2, 3, 1, 2, 3], 3)):
        assert period_of(np.array(text, np.uint64)) == period
    assert period_of(np.array([hash(word) & 0xFFFF for word in words(50)], np.uint64)) == 50
