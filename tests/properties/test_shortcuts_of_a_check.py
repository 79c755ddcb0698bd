"""What a check or a scan against others leaves out changes nothing: not a byte of the report."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from index_help import WORDS, made_pages, points, sentence

import dedup
from dedup import align, anchors, lsh
from dedup.index import Index, buckets, checking
from dedup.page_pairs import PagePairs
from dedup.shingles import short_shingles
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


@points(4, 300)
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
    for seed in range(6):
        pages = variants(random.Random(seed), 40)
        place = tmp_path / f"{seed}.dedup"
        with Index.create(place, pages[:30], levels="block"):
            pass
        answers(place, [{**page, "id": f"q{n}"} for n, page in enumerate(pages[30:])])
    assert {True, False} == set(said)


@points(4, 200)
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


def noting(own: Any, said: list[Any]) -> Any:
    def noted(*args: Any) -> Any:
        said.append(own(*args))
        return said[-1]
    return noted


def without(monkeypatch: pytest.MonkeyPatch, shortcut: str) -> None:
    """Let a check do without one of its shortcuts."""
    if shortcut == "anchors by one call":
        monkeypatch.setattr(anchors, "_border_of_few", lambda *_: -1)
    elif shortcut == "anchors of too many places":
        monkeypatch.setattr(anchors, "PAIRS", 20)
        monkeypatch.setattr(anchors, "PAIRS_PER_TOKEN", 0)
    elif shortcut == "only sets that may be alike":
        monkeypatch.setattr(buckets.BucketSurveyor, "_sets_that_may", lambda self, blocks, *_: short_shingles(
            self._engine, self._corpus, blocks, self._options.shingle_tokens))


@points(3, 200)
@pytest.mark.parametrize("shortcut", ["anchors by one call", "only sets that may be alike"])
def test_a_check_with_a_shortcut_says_what_one_says_without(
        seed: int, shortcut: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    pages = variants(chance, 16) + made_pages(seed, 40)
    chance.shuffle(pages)
    monkeypatch.setattr(lsh, "ALL_PAIRS", chance.choice([2, 32]))
    place, asked = tmp_path / "i.dedup", [{**page, "id": f"q{n}"} for n, page in enumerate(pages[40:])]
    settings = chance.choice([{}, {"min_tokens": 3}, {"threshold": 0.4}, {"threshold": 0.8}, {"max_places": 3}])
    with Index.create(place, pages[:40], **settings):
        pass
    known = answers(place, asked)
    without(monkeypatch, shortcut)
    assert known == answers(place, asked)


@points(4, 200)
@pytest.mark.parametrize("few", [False, True])
def test_anchors_by_one_call_are_those_of_a_scan_against_others(
        seed: int, few: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where one call would look at too many places, and leaves it to the scan."""
    chance = random.Random(seed)
    pages = made_pages(seed, 40)
    border = chance.choice([5, 20, 35])
    found: list[Any] = []
    monkeypatch.setattr(align, "find_anchors", noting(align.find_anchors, found))
    if few:
        without(monkeypatch, "anchors of too many places")

    def scanned() -> str:
        return dedup.scan(pages[border:], against=pages[:border], threads=1).to_json()
    one = scanned()
    without(monkeypatch, "anchors by one call")
    assert one == scanned()
    (known, _), (other, _) = found
    for name in known.__struct_fields__:
        np.testing.assert_array_equal(getattr(known, name), getattr(other, name))


def test_sets_are_made_of_all_blocks_that_may_be_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, seen = buckets.BucketSurveyor._sets_that_may, [0, 0]

    def compared(self: Any, blocks: Any, found: Any, least: int, needed: Any) -> Any:
        made = own(self, blocks, found, least, needed)
        every = short_shingles(self._engine, self._corpus, blocks, self._options.shingle_tokens)
        one, other = np.repeat(found, len(every)), np.tile(np.arange(len(every)), len(found))
        alike = other[every.jaccard(self._engine, one, other) >= self._options.least_jaccard]
        np.testing.assert_array_equal(made.sizes[alike], every.sizes[alike])
        seen[0] += len(set(alike.tolist()) - set(needed.tolist()) - set(found.tolist()))
        seen[1] += int((made.sizes < every.sizes).sum())
        return made
    monkeypatch.setattr(buckets.BucketSurveyor, "_sets_that_may", compared)
    monkeypatch.setattr(checking, "BucketSurveyor", sees_some_buckets(buckets.BucketSurveyor, random.Random(0)))
    for seed in range(3):
        pages, place = variants(random.Random(seed), 40) + made_pages(seed, 20), tmp_path / f"{seed}.dedup"
        with Index.create(place, pages[:30] + pages[40:], levels="block"):
            pass
        answers(place, [{**page, "id": f"q{n}"} for n, page in enumerate(pages[30:40])])
    assert min(seen) > 0, "no set that the buckets did not name was alike, or all were made"


def sees_some_buckets(surveyor: Any, chance: random.Random) -> Any:
    """Surveyors that are told of half of the shared buckets: what else is alike they have to see themselves."""
    def made(*columns: Any, shared: buckets.SharedBuckets) -> Any:
        stands = list(zip(shared.page.tolist(), shared.block.tolist(), strict=True))
        some = {block for block in sorted(set(stands)) if chance.random() < 0.5}
        kept = np.array([block in some for block in stands], bool)
        return surveyor(*columns, shared=buckets.SharedBuckets(shared.page[kept], shared.block[kept]))
    return made


def test_shortcuts_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: dict[str, list[Any]] = {"_pairs_of_few": [], "_sets_that_may": []}
    for owner, name in ((anchors, "_pairs_of_few"), (buckets.BucketSurveyor, "_sets_that_may")):
        monkeypatch.setattr(owner, name, noting(getattr(owner, name), taken[name]))
    pages = variants(random.Random(1), 30) + made_pages(1, 60)
    with Index.create(tmp_path / "i.dedup", pages[:60]):
        pass
    answers(tmp_path / "i.dedup", [{**page, "id": f"q{n}"} for n, page in enumerate(pages[60:] + pages[:20])])
    assert any(found is not None and len(found[0]) for found in taken["_pairs_of_few"])
    assert any(0 < (sets.sizes > 0).sum() < len(sets) for sets in taken["_sets_that_may"])


@pytest.mark.parametrize("many", [False, True])
def test_only_the_side_with_less_text_is_marked(many: bool) -> None:
    pairs = PagePairs(side=np.array([0, 0, 1, 1], np.int8))
    first = np.array([0, 10, 20, 40, 60]) if many else np.array([0, 40, 80, 90, 100])
    assert anchors._smaller_side([(0, 3), (3, 4)], first, pairs) == ([(0, 2)] if many else [(2, 3), (3, 4)])
    assert anchors._smaller_side([(0, 4)], first, PagePairs()) is None
