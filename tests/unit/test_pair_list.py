"""Verified links as a sequence of pairs: made when they are asked for, ranked without being made."""

from __future__ import annotations

import itertools
import random

import numpy as np
import numpy.typing as npt
import pytest

import dedup
from dedup import Report
from dedup.errors import OptionError
from dedup.occurrences import OccurrenceColumns, Places
from dedup.pair_list import BATCH_PAIRS, edited_between
from dedup.report.gather import edited_words


def edited_copies(texts: int, copies: int, seed: int = 5) -> list[str]:
    """Texts of 40 words, each twice, and copies of each with more and more words replaced."""
    chance = random.Random(seed)
    words = [f"w{n}" for n in range(3000)]
    out = []
    for _ in range(texts):
        text = chance.sample(words, 40)
        for edits in (0, *range(copies - 1)):
            for at in chance.sample(range(40), edits):
                text[at] = chance.choice(words)
            out.append(" ".join(text))
    return out

I64 = npt.NDArray[np.int64]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of which an occurrence was made, one after the other."""
    rows: list[int] = []
    make = Places.occurrences

    def counted(self: Places, asked: OccurrenceColumns, *args: object) -> object:
        rows.extend(asked.row.tolist())
        return make(self, asked, *args)  # type: ignore[arg-type]
    monkeypatch.setattr(Places, "occurrences", counted)
    return rows


@pytest.mark.parametrize("settings", [{}, {"unit": "page", "threshold": 0.3}, {"find": "reworded", "scope": "across"}])
def test_one_pair_is_as_in_the_list_of_all(settings):
    """Whether pairs are measured one by one or in batches is not to be seen."""
    report = dedup.scan(edited_copies(60, 5), **settings)
    pairs = list(report.pairs())
    links = report._links
    assert len(pairs) == len(links) > 2 * 8 + 1
    assert [links[i] for i in range(len(links))] == pairs
    assert links[-1] == pairs[-1]
    assert {pair.kind for pair in pairs} == {"near", "exact"}


def test_pairs_are_made_as_one_goes(made: list[int]):
    report = dedup.scan(edited_copies(300, 5))
    assert len(report._links) > BATCH_PAIRS
    assert not made
    assert len(list(itertools.islice(report.pairs(), 3))) == 3
    assert len(made) <= 2 * 8  # the first batch is small


def test_only_the_least_certain_pairs_are_made(made: list[int]):
    report = dedup.scan(edited_copies(60, 5))
    least = report.least_certain(3)
    assert len(made) == 6
    near = sorted((pair for pair in report.pairs() if pair.kind != "exact"), key=lambda pair: pair.similarity)
    assert least == near[:3]
    assert report.least_certain(10**9) == near
    assert report.least_certain(0) == []


@pytest.mark.parametrize(("other", "find", "said"), [
    ("equal", "reworded", ""), ("swapped", "reworded", ", edited or reworded"), ("replaced", "near", ", edited")])
def test_a_comparison_says_what_is_edited(other, find, said):
    """Of pairs that are made when they are asked for, and of those that are there."""
    text = [f"w{n}" for n in random.Random(3).sample(range(3000), 120)]
    again = {"equal": text, "swapped": [text[at + to] for at in range(0, 120, 4) for to in (2, 1, 0, 3)],
             "replaced": [word if at % 30 else "other" for at, word in enumerate(text)]}[other]
    report = dedup.compare(" ".join(text), " ".join(again), find=find)
    assert edited_words(report, "it") == said
    assert edited_between(report.known_links).tolist() == edited_between(list(report.pairs())).tolist()


def test_filtered_pairs_are_not_made_either(made: list[int]):
    report = dedup.scan(edited_copies(60, 5))
    everything = list(report.pairs())
    cut = sorted(pair.similarity for pair in everything)[len(everything) // 2]
    made.clear()
    links = report.at_similarity(cut)._links
    assert len(links) == sum(pair.similarity >= cut for pair in everything)
    assert list(links) == [pair for pair in everything if pair.similarity >= cut]
    assert list(dedup.scan(edited_copies(60, 5), min_similarity=cut).pairs()) == list(links)


def test_a_long_pair_is_a_batch_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dedup.pair_list.BATCH_BYTES", 300)
    texts = edited_copies(40, 3)
    expected = list(dedup.scan(texts).pairs())
    table = dedup.scan(texts)._links.table
    assert all(len(rows) == 1 for rows in table.batches(dedup.scan(texts)._links.rows))
    monkeypatch.undo()
    assert list(dedup.scan(texts).pairs()) == expected


@pytest.mark.parametrize("count", ["a", -1, 2.5, None])
def test_no_number_of_pairs_is_an_option_error(count):
    report: Report = dedup.scan(["nothing here"])
    with pytest.raises(OptionError, match="Use a whole number, 0 or more"):
        report.least_certain(count)


@pytest.mark.parametrize("least", ["a", -0.1, float("nan"), None])
def test_no_similarity_is_an_option_error(least):
    with pytest.raises(OptionError, match=r"Use 0\.0 to 1\.0"):
        dedup.scan(["nothing here"]).at_similarity(least)
