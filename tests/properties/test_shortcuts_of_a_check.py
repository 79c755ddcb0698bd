"""What a check or a scan against others leaves out changes nothing: not a byte of the report."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from index_help import WORDS, made_pages, points, sentence

import dedup
from dedup import anchors, lsh
from dedup.index import Index, buckets, checking
from dedup.page_pairs import PagePairs
from dedup.surveyor import Surveyor

pytestmark = pytest.mark.slow


def variants(chance: random.Random, count: int) -> list[dict[str, str]]:
    """Pages with blocks that are all like one or two others, more or less: crowded buckets, and sets with many neighbours."""
    models = [sentence(chance, chance.randint(9, 16)).split() for _ in range(2)]
    pages = []
    for number in range(count):
        blocks = []
        for _ in range(chance.randint(1, 3)):
            words = list(chance.choice(models))
            for _ in range(chance.randint(0, 5)):
                words[chance.randrange(len(words))] = chance.choice(WORDS)
            blocks.append(" ".join(words))
        pages.append({"id": f"v{number}", "text": "\n".join([*blocks, sentence(chance, 12)])})
    return pages


def answers(place: Path, asked: list[dict[str, str]], **settings: Any) -> list[str]:
    with Index.open(place) as index:
        return [index.check(page, threads=1, **settings).to_json() for page in asked]


@points(12, 300)
@pytest.mark.parametrize("crowd", [2, 4, 32])
def test_a_check_that_knows_the_buckets_says_what_one_says_that_sketches_all(
        seed: int, crowd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    pages = variants(chance, 24) + made_pages(seed, 24)
    chance.shuffle(pages)
    monkeypatch.setattr(lsh, "ALL_PAIRS", crowd)  # members of a bucket that are compared all with all
    place, asked = tmp_path / "i.dedup", [{**page, "id": f"q{n}"} for n, page in enumerate(pages[30:])]
    options = chance.choice([{}, {"min_tokens": 3}, {"threshold": 0.4}, {"threshold": 0.7}])
    with Index.create(place, pages[:30], levels=chance.choice(["block", "block,passage"]), **options):
        pass
    known = answers(place, asked)
    monkeypatch.setattr(checking, "BucketSurveyor", lambda *columns, shared: Surveyor(*columns))
    assert known == answers(place, asked)


def test_where_a_scan_would_find_more_by_neighbours_it_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bool] = []
    own = buckets.BucketSurveyor._of_buckets

    def of_buckets(self: Any, blocks: Any) -> Any:
        found = own(self, blocks)
        said.append(found is None)
        return found
    monkeypatch.setattr(buckets.BucketSurveyor, "_of_buckets", of_buckets)
    monkeypatch.setattr(lsh, "ALL_PAIRS", 2)
    for seed in range(12):
        pages = variants(random.Random(seed), 40)
        place = tmp_path / f"{seed}.dedup"
        with Index.create(place, pages[:30], levels="block"):
            pass
        answers(place, [{**page, "id": f"q{n}"} for n, page in enumerate(pages[30:])])
    assert {True, False} == set(said)


@points(8, 200)
def test_seeds_of_one_side_are_enough_for_a_scan_against_others(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    pages = made_pages(seed, 40)
    border = chance.choice([1, 5, 20, 35, 39])
    settings: dict[str, Any] = {"threads": 1, "find": chance.choice(["near", "reworded"])}

    def scanned() -> str:
        return dedup.scan(pages[border:], against=pages[:border], **settings).to_json()
    one = scanned()
    monkeypatch.setattr(anchors, "_smaller_side", lambda *_: None)
    assert one == scanned()


@pytest.mark.parametrize("many", [False, True])
def test_only_the_side_with_less_text_is_marked(many: bool) -> None:
    pairs = PagePairs(side=np.array([0, 0, 1, 1], np.int8))
    first = np.array([0, 10, 20, 40, 60]) if many else np.array([0, 40, 80, 90, 100])
    assert anchors._smaller_side([(0, 3), (3, 4)], first, pairs) == ([(0, 2)] if many else [(2, 3), (3, 4)])
    assert anchors._smaller_side([(0, 4)], first, PagePairs()) is None
