"""Stages put together; most of it is tested by what comes out of scans."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from msgspec import Struct

from dedup import pipeline
from dedup.blocks import read_corpus
from dedup.engines.local import LocalEngine
from dedup.model import Page
from dedup.options import Options
from dedup.pipeline import by_places, verified
from dedup.shingles import ShortSets, short_shingles
from dedup.surveyor import Surveyor


@pytest.mark.parametrize("beyond", [0, 2**31, 2**32 - 9, 2**33])
def test_pairs_are_in_the_order_of_their_places_however_many_words_there_are(beyond: int) -> None:
    rnd = np.random.default_rng(0)
    a = rnd.integers(0, 8, 500)
    a, b = a + beyond * rnd.integers(0, 2, 500), a + beyond + rnd.integers(0, 8, 500)
    order = by_places(a, b).tolist()
    assert [(int(a[i]), int(b[i])) for i in order] == sorted(zip(a.tolist(), b.tolist(), strict=True))


class Overstating(Struct):
    """Sets of half hashes of which some have met others' by chance: of pair n, `more[n]` too many are in common."""

    sets: ShortSets
    more: dict[tuple[int, int], int]

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        return self.sets.sizes

    def overlaps(self, engine: LocalEngine, a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        more = [self.more.get(pair, 0) for pair in zip(a.tolist(), b.tolist(), strict=True)]
        return self.sets.overlaps(engine, a, b) + np.array(more, np.int64)


@pytest.mark.parametrize("together", [2, 1 << 20])
def test_a_pair_that_half_hashes_bring_over_the_threshold_is_looked_at_again(monkeypatch: pytest.MonkeyPatch,
                                                                             together: int) -> None:
    monkeypatch.setattr(pipeline, "PAIRS_TOGETHER", together)
    words = [f"w{n}" for n in range(40)]
    texts = [" ".join(words), " ".join([*words[:26], *(f"x{n}" for n in range(14))]),  # 26 of 54: .48
             " ".join([*words[:27], *(f"y{n}" for n in range(13))]), " ".join(words[:39])]  # 27 of 53: .51; 39 of 40
    options = Options()
    with LocalEngine(2) as engine:
        corpus, tokens = read_corpus([Page(str(n), text) for n, text in enumerate(texts)], engine, options)
        blocks = np.arange(4)
        short = short_shingles(engine, corpus, blocks, 1)
        a, b = (np.array(side) for side in zip(*itertools.combinations(range(4), 2), strict=True))
        found = verified(engine, corpus, Surveyor(engine, corpus, options, tokens, None), blocks,
                         Overstating(short, {(0, 1): 1, (1, 3): 1, (0, 3): 1}), a, b, 1, 0.5)
    exact = [len(set(x.split()) & set(y.split())) / len(set(x.split()) | set(y.split()))
             for x, y in itertools.combinations(texts, 2)]
    expected = [pair for pair, jaccard in zip(itertools.combinations(range(4), 2), exact, strict=True) if jaccard >= 0.5]
    assert list(zip(*(side.tolist() for side in found), strict=True)) == expected
    assert 1 < len(expected) < 6
