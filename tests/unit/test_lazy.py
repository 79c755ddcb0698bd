"""Sequences whose items are made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.lazy import BATCH, InAnyBatches, InBatches


@given(st.integers(0, 3 * BATCH), st.slices(2 * BATCH))
def test_items_made_in_batches_are_those_of_a_list(count: int, part: slice) -> None:
    asked = list[int]()

    def make(begin: int, end: int) -> list[int]:
        assert 0 <= begin <= end <= count
        asked.append(end - begin)
        return list(range(begin, end))
    items, plain = InBatches(lambda: count, make), list(range(count))
    assert list(items) == plain
    assert max(asked, default=0) <= BATCH
    assert items[part] == plain[part]
    assert [items[i] for i in range(-count, count, 97)] == [plain[i] for i in range(-count, count, 97)]
    with pytest.raises(IndexError):
        items[count]


@given(st.integers(0, 3 * BATCH), st.slices(3 * BATCH))
def test_any_items_are_made_together(count: int, part: slice) -> None:
    asked = list[int]()

    def make(rows: Sequence[int]) -> list[int]:
        asked.append(len(rows))
        return [-row for row in rows]
    items, plain = InAnyBatches(lambda: count, make), [-row for row in range(count)]
    rows = sorted(range(count)[part])
    assert list(items.some(rows)) == [plain[row] for row in rows]
    assert len(asked) == -(-len(rows) // BATCH)
    assert max(asked, default=0) <= BATCH
    assert items[part] == plain[part]
