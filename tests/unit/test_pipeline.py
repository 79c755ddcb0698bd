"""Stages put together; most of it is tested by what comes out of scans."""

from __future__ import annotations

import numpy as np
import pytest

from dedup.pipeline import by_places


@pytest.mark.parametrize("beyond", [0, 2**31, 2**32 - 9, 2**33])
def test_pairs_are_in_the_order_of_their_places_however_many_words_there_are(beyond: int) -> None:
    rnd = np.random.default_rng(0)
    a = rnd.integers(0, 8, 500)
    a, b = a + beyond * rnd.integers(0, 2, 500), a + beyond + rnd.integers(0, 8, 500)
    order = by_places(a, b).tolist()
    assert [(int(a[i]), int(b[i])) for i in order] == sorted(zip(a.tolist(), b.tolist(), strict=True))
