"""Copies of places: the compiled kernel equals its plain twin, and both equal what they say."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from dedup.kernel import reference

native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the compiled kernel is not built, twins untested")

I64, U8, U32 = np.int64, np.uint8, np.uint32


def both(name: str, *args: Any) -> Any:
    mine, theirs = (getattr(module, name)(*args) for module in (native, reference))
    for x, y in zip(*((r if isinstance(r, tuple) else (r,)) for r in (mine, theirs)), strict=True):
        assert_array_equal(x, y)
        assert x.dtype == y.dtype
    return theirs


ranges = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 200), st.integers(-400, 10**6)), max_size=8)
classes = st.lists(st.sets(st.integers(0, 700), max_size=5).map(sorted), max_size=6)


@given(ranges, classes)
def test_copies_are_equal(rows, places):
    start, length, shift = (np.array(column, I64) for column in zip(*rows, strict=True)) if rows else np.empty((3, 0), I64)
    begin, end = start.astype(U32), (start + length).astype(U32)
    buckets = both("range_buckets", begin, end)
    shift = np.maximum(shift, -start)
    position, first = both("with_copies", np.array(list(itertools.chain(*places)), U32),
                           np.cumsum([0, *map(len, places)]).astype(I64), *buckets, begin, end, shift)
    copies = list(zip(start.tolist(), end.tolist(), shift.tolist(), strict=True))
    expected = [sorted({*own, *(at + by for at in own for a, b, by in copies if a <= at < b)}) for own in places]
    assert [position[a:b].tolist() for a, b in itertools.pairwise(first)] == expected


@given(st.lists(st.integers(0, 90), unique=True).map(sorted), st.integers(0, 99), st.integers(0, 40))
def test_marks_are_equal(edges, begin, length):
    start, stop = (np.array(edges[side:len(edges) // 2 * 2:2], U32) for side in (0, 1))
    marks = both("mark_ranges", start, stop, begin, begin + length)
    held = {t for a, b in zip(start.tolist(), stop.tolist(), strict=True) for t in range(a, b)}
    assert marks.tolist() == [t in held for t in range(begin, begin + length)]


@pytest.mark.parametrize("module", [native, reference])
def test_ranges_that_do_not_fit_are_refused(module):
    one, two = np.array([3], U32), np.array([3, 5], U32)
    for name, args in (("range_buckets", (one, two)), ("mark_ranges", (one, two, 0, 9)), ("mark_ranges", (one, one, 9, 0)),
                       ("count_items", (one, np.zeros(2, U8), 5))):
        with pytest.raises(ValueError, match=r"equally long|no range|one entry an item"):
            getattr(module, name)(*args)
