"""Where memory is scarce, places are looked up in their order and not as they come: what is found is the same."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.lsh import no_homes
from dedup.memory import bounded_memory

native = pytest.importorskip("dedup.kernel._kernel", reason="the kernel is not built")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only the kernel on Linux bounds memory")


def both(name: str, *arguments: Any) -> None:
    """A function gives the same where memory is scarce and where it is not."""
    def copied() -> list[object]:  # some are written to
        return [one.copy() if isinstance(one, np.ndarray) else one for one in arguments]
    plain = getattr(native, name)(*copied())
    with bounded_memory("128M", None):
        room = native.room_in_file(1 << 16)  # from now on somebody looks
        native.relieve_memory()
        scarce = getattr(native, name)(*copied())
        assert len(room)
        del room  # the file goes with the limit: what comes next is not scarce
    for x, y in zip(*((found if isinstance(found, tuple) else (found,)) for found in (plain, scarce)), strict=True):
        np.testing.assert_array_equal(x, y)


def ranges(draw: np.random.Generator, count: int, longest: int) -> np.ndarray:
    """Where some ranges begin, one longer than they are."""
    return np.append(0, np.cumsum(draw.integers(0, longest, count))).astype(np.int64)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), blocks=st.integers(1, 3000), rows=st.integers(0, 5000))
def test_blocks_and_lengths_of_tokens(seed: int, blocks: int, rows: int) -> None:
    draw = np.random.default_rng(seed)
    first = ranges(draw, blocks, 200)
    t0 = draw.integers(0, first[-1], rows, endpoint=True)
    both("blocks_of", first, t0)
    both("take_ranges", first, draw.integers(0, blocks, rows))
    halves = draw.integers(0, 400, blocks)
    before = np.append(0, np.cumsum(halves)).astype(np.int64)
    both("range_halves", first, halves, before, t0, np.minimum(t0 + draw.integers(0, 300, rows), first[-1]))


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), blocks=st.integers(1, 400), rows=st.integers(1, 3000))
def test_places_in_the_text(seed: int, blocks: int, rows: int) -> None:
    draw = np.random.default_rng(seed)
    words = np.array(["a", "word", "wörd", "中文", "long" * 9, "“x”"])
    texts = [" ".join(words[draw.integers(0, len(words), draw.integers(1, 400))]).encode() for _ in range(blocks)]
    text = np.frombuffer(b"".join(texts), np.uint8)
    edges = np.append(0, np.cumsum([len(part) for part in texts])).astype(np.int64)
    start, end = edges[:-1].copy(), edges[1:].copy()
    token_first = native.hash_tokens(text, start, end, 0)[1]
    t0 = draw.integers(0, token_first[-1], rows)
    chars = native.code_points(text, edges)
    t1 = np.minimum(t0 + draw.integers(1, 50, rows), token_first[-1])
    both("locate", text, start, end, chars[:-1].copy(), chars[1:].copy(), token_first, 0, t0, t1)
    block = draw.integers(0, blocks, rows)
    position = draw.integers(start[block], end[block] + 1)
    both("chars_at", text, start, end, chars[:-1].copy(), chars[1:].copy(), block, position)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), classes=st.integers(1, 600), tokens=st.integers(100, 400_000))
def test_seeds_and_their_copies(seed: int, classes: int, tokens: int) -> None:
    draw = np.random.default_rng(seed)
    position = [np.unique(draw.integers(0, tokens, draw.integers(2, 9))).astype(np.uint32) for _ in range(classes)]
    first = np.append(0, np.cumsum([len(part) for part in position])).astype(np.int64)
    places = np.concatenate(position)
    item = draw.integers(0, 60, tokens, np.uint32) << np.uint32(26)
    pages = np.append(np.arange(0, tokens, 97), tokens).astype(np.int64)
    both("class_anchors", places, first, item, pages, draw.integers(0, 17, 256).astype(np.uint8), 8, 12, 24, 40)
    start = np.sort(draw.integers(0, tokens, 200)).astype(np.uint32)
    end = np.minimum(start + 300, tokens).astype(np.uint32)
    both("with_copies", places, first, *native.range_buckets(start, end), start, end, draw.integers(1, 999, 200))


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), sets=st.integers(1, 20_000), keys=st.integers(1, 4000), few=st.integers(2, 40))
def test_pairs_of_buckets(seed: int, sets: int, keys: int, few: int) -> None:
    draw = np.random.default_rng(seed)
    first = ranges(draw, sets, 9)
    values = draw.integers(0, 25, int(first[-1]), np.uint32) * np.uint32(170_000_003)
    for begin, stop in zip(first[:-1].tolist(), first[1:].tolist(), strict=True):
        values[begin:stop].sort()
    key = draw.integers(0, keys, sets, np.uint32) * np.uint32(1_000_003)
    both("bucket_pairs", key, values, first, native.set_bitmaps(values, first), 0.5, few, 50, no_homes(sets))
