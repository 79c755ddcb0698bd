"""Tables of what stands twice: put together piece by piece, they say the same as at once."""

from __future__ import annotations

import numpy as np
import pytest

import dedup.marks
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.marks import Marks


@pytest.mark.parametrize("together", [2, 8, 1 << 17])
def test_tables_of_threads_are_put_together_piece_by_piece(monkeypatch, together):
    monkeypatch.setattr(dedup.marks, "TOGETHER", together)
    draw = np.random.default_rng(5)
    tables = [draw.integers(0, 2**63, 64, dtype=np.uint64) & draw.integers(0, 2**63, 64, dtype=np.uint64) for _ in range(3)]
    expected = kernel.slots_seen_twice([table.copy() for table in tables])
    with LocalEngine(threads=3) as engine:
        marks = Marks(engine, 64)
        marks._free = [table.copy() for table in tables]
        twice = marks.seen_twice()
    assert twice.tolist() == expected.tolist()
    assert 0 < np.bitwise_count(twice).sum() < 32 * 64  # some and not all
