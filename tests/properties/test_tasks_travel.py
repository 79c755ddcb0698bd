"""A task says the same wherever it runs: what it takes along when it is pickled is enough."""

from __future__ import annotations

import pickle
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from numpy.testing import assert_array_equal

from dedup.align import AlignTask
from dedup.anchors import Anchors
from dedup.bags import SETTINGS
from dedup.columns import sums
from dedup.kernel.align_settings import ITEM_FLAGS


def there(task: Any) -> Any:
    """A task on another machine, and on one after that."""
    return pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(task))))


@st.composite
def bags(draw: st.DrawFn) -> tuple[Any, Any]:
    """Items of a few kinds, and where pages begin."""
    sizes = draw(st.lists(st.integers(0, 90), min_size=1, max_size=6))
    rnd = np.random.default_rng(draw(st.integers(0, 2**32)))
    return (rnd.integers(1, 12, sum(sizes)) << ITEM_FLAGS).astype(np.uint32), sums(np.array(sizes, np.int64))


@settings(max_examples=60, deadline=None)
@given(bags(), st.integers(0, 2**32))
def test_the_pages_of_pairs_are_enough(bag: tuple[Any, Any], seed: int) -> None:
    item, page_first = bag
    rnd, sizes = np.random.default_rng(seed), np.diff(page_first)
    full = np.flatnonzero(sizes)
    pages = sorted({tuple(sorted(rnd.choice(full, 2).tolist())) for _ in range(3)}) if len(full) else []
    anchors: list[tuple[list[int], list[int]]] = []
    for a, b in pages:
        x, y = (np.sort(rnd.integers(0, sizes[page], 4)) for page in (a, b))
        kept = (x < y) | (a != b)
        anchors.append((x[kept].tolist(), y[kept].tolist()))
    of = Anchors(np.array([a for a, _ in pages], np.int64), np.array([b for _, b in pages], np.int64),
                 sums(np.array([len(x) for x, _ in anchors], np.int64)),
                 *(np.array([place for side in anchors for place in side[n]], np.int64) for n in (0, 1)))
    values = np.array(SETTINGS._replace(evidence=100, least_dice=100, min_halves=4), np.int64)
    task = AlignTask(item, page_first, page_first, of, values, False)
    sent = there(task)
    named = {page for pair in pages for page in pair}
    assert len(sent.item) == sum(int(sizes[page]) for page in named)
    (here, cut), (elsewhere, cut_there) = task.run(), sent.run()
    assert_array_equal(here, elsewhere)
    assert cut == cut_there


def test_rectangles_are_found_elsewhere() -> None:
    """Pages that no pair names stay, and places are those of the whole."""
    text = (np.arange(1, 61, dtype=np.uint32) * 977 % 4096 + 1) << np.uint32(ITEM_FLAGS)
    other = text[::-1].copy()
    item, page_first = np.concatenate([other, text, other, text]), np.arange(5) * 60
    of = Anchors(np.array([1]), np.array([3]), np.array([0, 2]), np.array([5, 30]), np.array([5, 30]))
    task = AlignTask(item, page_first, page_first, of, np.array(SETTINGS, np.int64), False)
    sent = there(task)
    assert len(sent.item) == 120
    assert sent.run()[0][:4].T.tolist() == task.run()[0][:4].T.tolist() == [[60, 120, 180, 240]]
