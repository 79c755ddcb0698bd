"""Figures of what stands on pages, made for many pages at a time: those that each page has alone."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import numpy as np
import pytest

from dedup.api import scan
from dedup.model import Page
from dedup.options import make_options
from dedup.page_stands import MOST_LOOKED_AT, PageStands, longest, other_pages, words_together
from dedup.pipeline import find_duplicates
from dedup.stages import Stages
from dedup.verdicts import Judgement
from tests.generated import Maker


def judge(count: int, seed: int, **settings: object) -> Judgement:
    rng = Random(seed)
    maker = Maker(rng)
    pages = [Page(f"{n}", maker.page("txt"), f"{'ab'[n % 2]}/{n}.txt", record=bool(n % 3)) for n in range(count)]
    options = make_options({"min_tokens": 5, "find": "exact", **settings})
    return Judgement(find_duplicates(pages, options, Stages())[0])


OPTIONS = [{}, {"scope": "across"}, {"between": "folder"}]


@pytest.mark.parametrize("settings", OPTIONS)
@pytest.mark.parametrize("seed", range(4))
def test_other_pages_are_those_that_share_most_words(settings: dict[str, object], seed: int) -> None:
    judgement = judge(70, seed, **settings)
    pairs = judgement.findings.pairs_that_count
    stands = PageStands.on(judgement, np.arange(70))
    counts, most = other_pages(judgement, stands, np.ones(len(stands.stand)), 3)
    for (page, mine), count, named in zip(stands.by_page(), counts.tolist(), most.tolist(), strict=True):
        others = Counter[int]()
        words = judgement.copies.matched_words(judgement.first[mine], judgement.table.ranges).tolist()
        for group, size in zip(judgement.group[mine].tolist(), words, strict=True):
            there = judgement.table.page[judgement.table.first[group]:judgement.table.first[group + 1]]
            counted = pairs.allows(np.full(len(there), page), there)
            first = there[:MOST_LOOKED_AT][counted[:MOST_LOOKED_AT]]
            shown = set((first if len(first) else there[counted][:MOST_LOOKED_AT]).tolist())
            others.update(dict.fromkeys(shown - {page}, size))
        assert count == len(others)
        assert named == [*sorted(others, key=lambda p: (-others[p], p)), -1, -1, -1][:3]
    assert counts.max() > 3


@pytest.mark.parametrize("seed", range(4))
def test_words_that_lie_in_several_stands_count_once(seed: int) -> None:
    judgement = judge(40, seed)
    stands, places = PageStands.on(judgement, np.arange(40)), judgement.findings.places
    overlapping = 0
    for (page, mine), words, row in zip(stands.by_page(), words_together(judgement, stands).tolist(),
                                        longest(judgement, stands).tolist(), strict=True):
        rows = judgement.first[mine].tolist()
        own = judgement.copies.words[rows].tolist()
        assert row == rows[own.index(max(own))]
        parts = [part for r in rows for part in (places.part_list(r) or [places.chars(r)])]
        text = judgement.findings.corpus.page_text(page)
        matched = sum(len(re.findall(r"\w+", text[begin:end])) for begin, end in parts)
        chars = [char for begin, end in parts for char in range(begin, end)]
        share = len(set(chars)) / len(chars)
        overlapping += share < 1
        assert words == pytest.approx(matched * share, abs=1e-9)
    assert overlapping


@pytest.mark.parametrize("settings", [*OPTIONS, {"unit": "page", "threshold": 0.5}, {"find": "near"}])
def test_a_page_says_alone_what_it_says_among_others(settings: dict[str, object]) -> None:
    rng = Random(3)
    maker = Maker(rng)
    records = [{"id": str(n), "text": text, "folder": "ab"[n % 2]}
               for n, text in enumerate(text for _ in range(40) for text in [maker.page("txt")] * rng.choice([1, 1, 2]))]
    if "between" in settings:
        settings = {**settings, "meta": ["folder"]}
    report = scan(records, **{"min_tokens": 5, **settings})
    together = list(report.pages)
    assert [report.pages[n] for n in range(len(together))] == together == [*report.pages[:7], *report.pages[7:]]
    assert sum(len(page.verdicts) for page in together) > 20
