"""Buckets that are cut into tasks say what one machine says of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal

from dedup.columns import distinct_numbers, sums
from dedup.distributed import buckets
from dedup.distributed.buckets import Buckets, Found, Sent, Step, find_in_buckets, packed, share_of, sliced, taken
from dedup.engines.cluster import InProcess, Shared
from dedup.kernel import kernel
from dedup.lsh import ALL_PAIRS, no_homes
from dedup.shingles import ShortSets

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
Portion = tuple[int, ShortSets]
THRESHOLD, LONG, MOST = 0.5, ALL_PAIRS + 5, 6


def given_as_is(_: int, portion: Portion) -> Portion:
    return portion


def send(number: int, portion: Portion, step: Shared[Step]) -> Iterator[tuple[int, Sent]]:
    """The sets of a portion, which are numbered from its first one on."""
    begin, sets = portion
    row, task = step.value.of_blocks(np.arange(begin, begin + len(sets)))
    for own in distinct_numbers(task).tolist():
        mine = row[task == own]
        yield own, Sent(mine + begin, taken(sets, mine))


def family(rnd: np.random.Generator, count: int) -> ShortSets:
    """Sets of which many are near one of a few."""
    hubs = [rnd.integers(0, 2**32, int(size)) for size in rnd.integers(6, 30, 9)]
    values = []
    for hub in rnd.choice(9, count, p=[0.5, 0.2, *[0.3 / 7] * 7]):
        own = hubs[hub].copy()
        changed = rnd.random(len(own)) < rnd.choice([0.05, 0.2, 0.5])
        own[changed] = rnd.integers(0, 2**32, int(changed.sum()))
        values.append(np.unique(own).astype(np.uint32))
    return ShortSets(np.concatenate(values), sums(np.array([len(own) for own in values], np.int64)))


def cut(sets: ShortSets, keys: U32, size: int) -> list[Found]:
    """What tasks find in the buckets of keys, shape ``(bands, sets)``, with sets in portions of a size."""
    cluster, count = InProcess(), len(sets)
    portions = [(at, taken(sets, np.arange(at, min(at + size, count)))) for at in range(0, count, size)]
    held = cluster.hold(given_as_is, portions)
    key = keys.astype(np.uint64) | np.arange(len(keys), dtype=np.uint64)[:, None] << np.uint64(32)
    every = Buckets.of(key.reshape(-1), np.tile(np.arange(count), len(keys)))
    several = every.take(np.flatnonzero(every.sizes > 1))
    return find_in_buckets(cluster, held, several, sets.sizes, THRESHOLD, partial(send))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([20, 90, 260]), st.sampled_from([MOST, 4096]),
       st.sampled_from([150, 2000, 10**6]))
def test_pairs_are_those_of_buckets_that_are_not_cut(seed: int, count: int, most: int, tokens: int) -> None:
    rnd = np.random.default_rng(seed)
    sets, keys = family(rnd, count), rnd.choice([3, 5, 5, 5, 8, 9], (4, count)).astype(np.uint32)
    keys[2] = rnd.integers(0, count // 4, count)
    bits = kernel.set_bitmaps(sets.values, sets.first)
    a, b, unplaced = kernel.bucket_pairs(keys.reshape(-1), sets.values, sets.first, bits, THRESHOLD, ALL_PAIRS, most,
                                         no_homes(count))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "LONG", LONG)
        patch.setattr(buckets, "TASK_TOKENS", tokens)
        patch.setattr(buckets, "MAX_REPRESENTATIVES", most)
        found = cut(sets, keys, 17)
    pairs = np.concatenate([np.stack([own.a, own.b, own.overlap], axis=1) for own in found])
    pairs = np.unique(pairs, axis=0)
    assert_array_equal(pairs[:, :2], np.stack([a, b], axis=1))
    assert_array_equal(pairs[:, 2], kernel.short_overlaps(sets.values, sets.first, a, b))
    assert sum(own.unplaced for own in found) == unplaced
    for own in found:
        assert_array_equal(own.size, sets.sizes[own.block])


def test_no_task_has_much_more_than_its_share() -> None:
    """A bucket that all sets are in, and small ones that tie them together."""
    count = 3000
    tokens = np.full(count, 20)
    small = np.repeat(np.arange(count // 3), 3)
    keys = np.concatenate([np.zeros(count, np.uint64), small.astype(np.uint64) + np.uint64(1)])
    every = Buckets.of(keys, np.tile(np.arange(count), 2))
    slices = sliced(every.take(np.array([0])), tokens, 2000)
    assert len(slices) == count * 20 // 2000
    assert max(len(own.member) for own in slices) == 100
    chain = Buckets.of(np.repeat(np.arange(count - 1), 2).astype(np.uint64), np.stack([np.arange(count - 1),
                                                                                    np.arange(1, count)], axis=1).reshape(-1))
    tasks = packed(chain, tokens, 2000)
    assert len(tasks) == 30
    assert max(len(np.unique(own.member)) for own in tasks) <= 102
    assert sum(map(len, tasks)) == len(chain)


def test_buckets_with_something_in_common_are_together() -> None:
    of = Buckets.of(np.array([7, 7, 8, 8, 9, 9, 1, 1], np.uint64), np.array([0, 1, 10, 11, 1, 2, 11, 12]))
    tasks = packed(of, np.full(13, 30), 100)
    assert [task.key.tolist() for task in tasks] == [[7, 9], [1, 8]]


def test_a_task_has_an_eighth_of_what_there_is_or_little() -> None:
    assert [share_of(1000, every) for every in (100, 1000, 4000, 8000, 10**6)] == [125, 125, 500, 1000, 1000]
