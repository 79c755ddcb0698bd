"""What an index answers is what a scan against the same pages finds, in whatever order and parts they were added."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index_help import examples, groups_of, in_parts, made_pages

import dedup
from dedup.index import Index, index
from dedup.index.keys import landmark_shape, may_go_on
from dedup.kernel import kernel

CASES: list[tuple[str, dict[str, Any]]] = [
    ("block", {"find": "exact"}), ("block", {"min_evidence": 1_000_000.0}), ("block", {"min_tokens": 4, "find": "exact"}),
    ("page", {}), ("page", {"find": "exact"}), ("page", {"threshold": 0.4})]


@pytest.mark.slow
@pytest.mark.parametrize(("unit", "options"), CASES)
@settings(max_examples=examples(4, 100))
@given(seed=st.integers(0, 2**32))
def test_the_same_groups_as_one_scan(unit: str, options: dict[str, Any], seed: int) -> None:
    chance = random.Random(seed)
    stored, asked = made_pages(seed, 25), made_pages(seed, 30, "q")[20:]
    with tempfile.TemporaryDirectory() as folder, \
            Index.create(Path(folder) / "i", levels=("page", "block", "passage"), **options) as index:
        for part in in_parts(chance, stored):
            index.add(part, threads=1)
        stored.sort(key=lambda page: page["id"])  # between copies alike in all a scan's order decides: here that of ids
        for page in asked:
            scanned = dedup.scan([page], against=stored, unit=unit, threads=1, **options)
            assert groups_of(index.check(page, unit=unit, threads=1)) == groups_of(scanned)  # type: ignore[arg-type]
        scanned = dedup.scan(asked, against=stored, unit=unit, threads=1, **options)
        assert groups_of(index.check(asked, unit=unit, threads=1)) == groups_of(scanned)  # type: ignore[arg-type]


@settings(max_examples=examples(3, 100))
@given(seed=st.integers(0, 2**32))
def test_removed_and_replaced_pages_are_as_if_they_had_never_been_there(seed: int) -> None:
    chance = random.Random(seed)
    before, after, asked = made_pages(seed, 20), made_pages(seed + 1, 20), made_pages(seed, 24, "q")[16:]
    gone = {page["id"] for page in before if chance.random() < 0.3}
    changed = {page["id"]: page for page in after if chance.random() < 0.4 and page["id"] not in gone}
    left = [changed.get(page["id"], page) for page in before if page["id"] not in gone]
    with tempfile.TemporaryDirectory() as folder, \
            Index.create(Path(folder) / "i", levels="block,passage", find="exact") as index:
        index.add(before)
        assert index.remove(gone | {"nobody"}) == len(gone)
        for part in in_parts(chance, list(changed.values())):
            index.add(part)
        assert sorted(index.ids()) == sorted(page["id"] for page in left)
        for compacted in (False, True):
            if compacted:
                index.compact()
            assert index.verify().ok
            for page in asked:
                assert groups_of(index.check(page)) == groups_of(dedup.scan([page], against=left, find="exact"))


@given(st.integers(2, 8), st.data())
def test_two_texts_with_a_run_of_equal_words_share_an_anchor_that_goes_on(run: int, data: st.DataObject) -> None:
    word = st.integers(0, 3)
    same = data.draw(st.lists(word, min_size=run, max_size=run + 4))
    texts = [data.draw(st.lists(word, max_size=6)) + same + data.draw(st.lists(word, max_size=6)) for _ in range(2)]
    found = []
    for text in texts:
        token = (np.array(text, np.uint64) * 0x9E3779B97F4A7C15 >> np.uint64(32)).astype(np.uint32)
        key, at, beside = kernel.landmarks(token, np.array([0, len(token)], np.int64), *landmark_shape(run))
        assert (np.diff(at) <= landmark_shape(run)[1]).all()  # of each window one is kept
        found.append((key, beside))
    (key_a, beside_a), (key_b, beside_b) = found
    a, b = np.nonzero(key_a[:, None] == key_b[None, :])
    assert may_go_on(beside_a[a], beside_b[b], run).any()


def test_no_anchor_goes_over_the_border_of_two_texts() -> None:
    token = np.arange(20, dtype=np.uint32)
    key, at, _ = kernel.landmarks(token, np.array([0, 7, 20], np.int64), *landmark_shape(8))
    assert len(key)
    assert (at >= 7).all()  # seven words are no run of eight


def test_the_own_earlier_version_is_left_out_where_it_is_asked_for(tmp_path: Path) -> None:
    text = "one two three four five six seven eight nine ten"
    with Index.create(tmp_path / "i") as made:
        made.add([{"id": "a", "text": text}])
        again = {"id": "a", "text": text + " eleven"}
        assert len(made.check(again).groups) == 1
        assert not made.check(again, except_own=True).groups
        assert index.TIMEOUT > 1
