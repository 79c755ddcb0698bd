"""Buckets on a cluster: sets that share keys of bands meet in tasks, and no bucket is too large for one.

What ``lsh.candidates_of`` says of sets in one place is said here by tasks that have some of them each:

* *whole*: buckets of which all members are in the task, packed by what they share,
* *lead*: the next members of a long bucket, which find representatives among themselves,
* *follow*: some of the others, which are compared with these at once. Those that fail them all are left for the next round.

So each member is compared with the representatives in the order in which one machine has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.columns import distinct_numbers, is_among, sums
from dedup.distributed.portions import Portion
from dedup.engines.cluster import Cluster, Held, Shared
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.lsh import ALL_PAIRS, MAX_REPRESENTATIVES, no_homes
from dedup.order import in_order, order_of
from dedup.shingles import ShortSets

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LONG = 4096  # members of a bucket that are compared with each other in one task, at most
TASK_TOKENS = 1 << 20  # of the sets of a task, about
EIGHTH = 8  # of all that there is, a task has no more, unless it is little


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets of several members, or some of their members.

    Attributes:
        key: Number of each bucket, its band in the upper half.
        first: Where the members of each begin, one longer than the buckets.
        member: Blocks, ascending in each bucket.
    """

    key: U64
    first: I64
    member: I64

    @classmethod
    def of(cls, key: U64, member: I64) -> Buckets:
        """The buckets of rows in any order."""
        order = in_order(member)
        order = order[order_of(key[order])]
        key, member = key[order], member[order]
        begins = np.flatnonzero(np.append(True, key[1:] != key[:-1])[:len(key)])
        return cls(key[begins], np.append(begins, len(key)), member)

    def __len__(self) -> int:
        return len(self.key)

    @property
    def sizes(self) -> I64:
        """Members of each bucket."""
        return np.diff(self.first)

    def take(self, rows: I64) -> Buckets:
        """Some of the buckets, in the order given."""
        at, first = kernel.take_ranges(self.first, rows)
        return Buckets(self.key[rows], first, self.member[at])

    @classmethod
    def joined(cls, parts: Sequence[Buckets]) -> Buckets:
        """The members of all parts; those of equal keys are one bucket."""
        return cls.of(np.concatenate([np.empty(0, np.uint64), *(part.rows for part in parts)]),
                      np.concatenate([np.empty(0, np.int64), *(part.member for part in parts)]))

    def of_same(self, others: Buckets) -> Buckets:
        """The buckets with the keys of others, in their order; empty where there is none. Keys ascend here."""
        row = np.searchsorted(self.key, others.key)
        there = row < len(self)
        there[there] = self.key[row[there]] == others.key[there]
        at, first = kernel.take_ranges(self.first, row[there])
        sizes = np.zeros(len(others), np.int64)
        sizes[there] = np.diff(first)
        return Buckets(others.key, sums(sizes), self.member[at])

    @property
    def rows(self) -> U64:
        """The key of each member's bucket."""
        return np.repeat(self.key, self.sizes)

    def only(self, kept: Flags) -> Buckets:
        """Some of the members, and the buckets that have any."""
        return Buckets.of(self.rows[kept], self.member[kept])


def rows_of_each(number: I64) -> Iterator[tuple[int, I64]]:
    """Each number, ascending, and the rows that have it."""
    order = in_order(number)
    begins = np.flatnonzero(np.append(True, np.diff(number[order]) != 0)[:len(order)])
    return zip(number[order[begins]].tolist(), np.split(order, begins[1:]), strict=False)


def share_of(most: float, every: float) -> float:
    """What one task gets of all that there is, where it should not be more than `most`."""
    return min(most, max(most, every) / EIGHTH)


NO_BUCKETS = Buckets(np.empty(0, np.uint64), np.zeros(1, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Step:
    """Tasks of one kind, and what goes to each.

    Attributes:
        tasks: The buckets of each.
        heads: The representatives of each bucket with which its members are compared, of *follow*.
        block, task: Blocks, ascending, and the task that needs each.
        threshold: Least Jaccard similarity.
    """

    tasks: list[Buckets]
    heads: Buckets | None
    block: I64
    task: I64
    threshold: float

    @classmethod
    def of(cls, tasks: list[Buckets], threshold: float, heads: Buckets | None = None) -> Step:
        """The step of some tasks."""
        needed = [distinct_numbers(buckets.member if heads is None else
                                   np.concatenate([buckets.member, heads.of_same(buckets).member])) for buckets in tasks]
        block = np.concatenate([np.empty(0, np.int64), *needed])
        order, task = in_order(block), np.repeat(np.arange(len(tasks)), [len(own) for own in needed])
        return cls(tasks, heads, block[order], task[order], threshold)

    def of_blocks(self, blocks: I64) -> tuple[I64, I64]:
        """Which of some blocks go where: row of the block, and task."""
        low, high = (np.searchsorted(self.block, blocks, side=side) for side in ("left", "right"))
        counts = high - low
        row = np.repeat(np.arange(len(blocks)), counts)
        return row, self.task[np.repeat(low - sums(counts)[:-1], counts) + np.arange(len(row))]


class Sent(NamedTuple):
    """Blocks on their way to a task, and their sets."""

    block: I64
    sets: ShortSets


class Found(NamedTuple):
    """What a task found.

    Attributes:
        a, b, overlap: Pairs of blocks that may be alike, a < b, and what they have in common.
        block, size: Elements of the sets.
        heads: Representatives, of *lead*.
        left: Members that no representative is like, of *follow*.
        unplaced: Members beyond the bound of representatives.
    """

    a: I64
    b: I64
    overlap: I64
    block: I64
    size: I64
    heads: Buckets = NO_BUCKETS
    left: Buckets = NO_BUCKETS
    unplaced: int = 0


NOTHING_FOUND = Found(*(np.empty(0, np.int64),) * 5)


def find_in_buckets(cluster: Cluster, held: Held[Portion], buckets: Buckets, tokens: I64, threshold: float,
                    send: Callable[..., Iterator[tuple[int, Sent]]]) -> list[Found]:
    """What all tasks find.

    Args:
        buckets: All of them.
        tokens: Of each block of the collection.
        send: Sends the sets of a portion to the tasks of a `step`, which is shared.
    """
    def run(find: Callable[..., Found], tasks: list[Buckets], heads: Buckets | None = None) -> list[Found]:
        if not tasks:
            return []
        step = cluster.share(Step.of(tasks, threshold, heads))
        return list(held.exchange(partial(send, step=step), len(tasks), partial(find, step=step)))
    weight = np.add.reduceat(tokens[buckets.member], buckets.first[:-1]) if len(buckets) else buckets.first[:-1]
    room = share_of(TASK_TOKENS, int(tokens[distinct_numbers(buckets.member)].sum()))
    long = (buckets.sizes > ALL_PAIRS) & ((buckets.sizes > LONG) | (weight > room / 4))
    found = [NOTHING_FOUND, *run(whole, packed(buckets.take(np.flatnonzero(~long)), tokens, room))]
    left, led = buckets.take(np.flatnonzero(long)), NO_BUCKETS
    while len(left):
        first = _first_members(left, tokens, room / 4)
        most = MAX_REPRESENTATIVES - led.of_same(left).sizes
        leading = run(partial(lead, most=dict(zip(left.key.tolist(), most.tolist(), strict=True))),
                      packed(left.only(first), tokens, room))
        heads = Buckets.joined([own.heads for own in leading])
        following = run(follow, sliced(left.only(~first), tokens, room), heads)
        led, left = Buckets.joined([led, heads]), Buckets.joined([own.left for own in following])
        found += [*leading, *following]
        full = led.of_same(left).sizes >= MAX_REPRESENTATIVES
        found.append(NOTHING_FOUND._replace(unplaced=int(left.sizes[full].sum())))
        left = left.take(np.flatnonzero(~full))
    return found


def _first_members(buckets: Buckets, tokens: I64, room: float) -> Flags:
    """Members that come first in their buckets, as many as one task may compare with each other."""
    before = sums(tokens[buckets.member])
    nth = np.arange(len(buckets.member)) - np.repeat(buckets.first[:-1], buckets.sizes)
    behind = before[:-1] - np.repeat(before[buckets.first[:-1]], buckets.sizes)
    first: Flags = (nth < LONG) & ((nth <= ALL_PAIRS) | (behind < room))
    return first


def packed(buckets: Buckets, tokens: I64, room: float) -> list[Buckets]:
    """Buckets in tasks of about equal size: those that have members in common together, where they are not too many.

    Where they are, a member that is in several buckets counts with a part of its tokens in each: most often those with the
    same first member have the others in common, too.
    """
    if not len(buckets):
        return []
    nodes, number = np.unique(buckets.member, return_inverse=True)
    begin = number[buckets.first[:-1]]
    component = kernel.components(len(nodes), np.repeat(begin, buckets.sizes), number)
    size = np.bincount(component, tokens[nodes], len(nodes))
    of = component[begin]
    order = np.lexsort((begin, of))
    of = of[order]
    small = size[of] <= room
    new = np.append(True, (of[1:] != of[:-1]) | ~small[1:])  # of one that is too large each bucket is for itself
    part = np.add.reduceat((tokens[nodes] / np.bincount(number))[number], buckets.first[:-1])
    weight = np.where(small, size[of], part[order])[new]
    task = ((np.cumsum(weight) - weight / 2) // room).astype(np.int64)[np.cumsum(new) - 1]
    return [buckets.take(np.sort(order[rows])) for _, rows in rows_of_each(task)]


def sliced(buckets: Buckets, tokens: I64, room: float) -> list[Buckets]:
    """Members in tasks of about equal size; all buckets of a member are in one."""
    members = distinct_numbers(buckets.member)
    weight = tokens[members]
    task = ((np.cumsum(weight) - weight / 2) // room).astype(np.int64)
    of_row, key = task[np.searchsorted(members, buckets.member)], buckets.rows
    return [Buckets.of(key[rows], buckets.member[rows]) for _, rows in rows_of_each(of_row)]


def whole(task: int, sent: list[Sent], step: Shared[Step]) -> Found:
    """Pairs of buckets of which all members are here."""
    buckets, (block, sets) = step.value.tasks[task], _met(sent)
    bands, band = np.unique(buckets.key >> np.uint64(32), return_inverse=True)
    key = np.tile(len(buckets) + np.arange(len(block)), (len(bands), 1)).astype(np.uint32)  # of no bucket
    number = np.arange(len(buckets))
    key[np.repeat(band, buckets.sizes), np.searchsorted(block, buckets.member)] = np.repeat(number, buckets.sizes)
    bits = kernel.set_bitmaps(sets.values, sets.first)
    a, b, unplaced = kernel.bucket_pairs(key.reshape(-1), sets.values, sets.first, bits, step.value.threshold, ALL_PAIRS,
                                         MAX_REPRESENTATIVES, no_homes(len(sets)))
    return _found(block, sets, a, b)._replace(unplaced=unplaced)


def lead(task: int, sent: list[Sent], step: Shared[Step], most: dict[int, int]) -> Found:
    """The representatives that the first members of buckets find among themselves, and the pairs that those make."""
    buckets, (block, sets) = step.value.tasks[task], _met(sent)
    pairs, heads, unplaced = [np.empty((2, 0), np.int64)], [], 0
    for number, key in enumerate(buckets.key.tolist()):
        row = np.searchsorted(block, buckets.member[buckets.first[number]:buckets.first[number + 1]])
        pair, beyond = _one_bucket(sets, row, step.value.threshold, most[key])
        alone = row[~np.isin(row, pair[1])]  # one that becomes a representative, or has no place any more
        pairs.append(pair)
        heads.append(alone[:most[key]])
        unplaced += beyond
    at = Buckets(buckets.key, sums(np.array([len(own) for own in heads], np.int64)), block[np.concatenate(heads)])
    return _found(block, sets, *np.concatenate(pairs, axis=1))._replace(heads=at, unplaced=unplaced)


def follow(task: int, sent: list[Sent], step: Shared[Step]) -> Found:
    """Pairs of members with the representatives of their buckets, and the members that are like none."""
    buckets, (block, sets), heads = step.value.tasks[task], _met(sent), step.value.heads
    assert heads is not None
    heads = heads.of_same(buckets)
    pairs, left = [np.empty((2, 0), np.int64)], np.ones(len(buckets.member), bool)
    for number in range(len(buckets)):
        own = slice(int(buckets.first[number]), int(buckets.first[number + 1]))
        head, row = (np.searchsorted(block, side) for side in (
            heads.member[heads.first[number]:heads.first[number + 1]], buckets.member[own]))
        pair, _ = _one_bucket(sets, np.concatenate([head, row]), step.value.threshold, len(head))  # heads come first
        pairs.append(pair)
        left[own] = ~np.isin(row, pair[1])
    return _found(block, sets, *np.concatenate(pairs, axis=1))._replace(left=buckets.only(left))


def _one_bucket(sets: ShortSets, row: I64, threshold: float, most: int) -> tuple[I64, int]:
    """Pairs of members of one bucket with their representatives, two rows, and how many found no place.

    Args:
        row: The members, ascending.
        most: Representatives, at most.
    """
    at, first = kernel.take_ranges(sets.first, row)
    values = sets.values[at]
    a, b, unplaced = kernel.bucket_pairs(np.zeros(len(row), np.uint32), values, first, kernel.set_bitmaps(values, first),
                                         threshold, 1, most, no_homes(len(row)))
    return np.stack([row[a], row[b]]), unplaced


def _found(block: I64, sets: ShortSets, a: I64, b: I64) -> Found:
    """Pairs of sets as pairs of blocks, each once."""
    pairs = distinct_numbers(a * max(len(block), 1) + b)
    a, b = pairs // max(len(block), 1), pairs % max(len(block), 1)
    return Found(block[a], block[b], kernel.short_overlaps(sets.values, sets.first, a, b), block, sets.sizes)


def _met(sent: list[Sent]) -> tuple[I64, ShortSets]:
    """Blocks that came to a task, ascending, and their sets."""
    block, sets = np.concatenate([some.block for some in sent]), joined_sets([some.sets for some in sent])
    sent.clear()
    return block[order := in_order(block)], taken(sets, order)


def joined_sets(parts: Sequence[ShortSets]) -> ShortSets:
    """Sets one after the other."""
    values = np.concatenate([np.empty(0, np.uint32), *(sets.values for sets in parts)])
    return ShortSets(values, sums(np.concatenate([np.empty(0, np.int64), *(sets.sizes for sets in parts)])))


def taken(sets: ShortSets, rows: I64) -> ShortSets:
    """Some sets, in the order given."""
    at, first = kernel.take_ranges(sets.first, rows)
    return ShortSets(sets.values[at], first)


@dataclass(frozen=True, slots=True)
class KnownOverlaps:
    """Sets that are elsewhere; what the candidates have in common is known.

    Attributes:
        sizes: Elements of each set; 0 of one that was in no task.
        key: The candidates, ascending: a times the number of sets plus b.
        overlap: Of each candidate.
        elsewhere: Asks for other pairs.
    """

    sizes: I64
    key: I64
    overlap: I64
    elsewhere: Callable[[I64, I64], I64]

    def overlaps(self, _: LocalEngine, a: I64, b: I64) -> I64:
        """Sizes of the intersections of pairs of sets."""
        asked = np.minimum(a, b) * max(len(self.sizes), 1) + np.maximum(a, b)
        known, out = is_among(asked, self.key), np.empty(len(a), np.int64)
        out[known] = self.overlap[np.searchsorted(self.key, asked[known])]
        if not known.all():
            out[~known] = self.elsewhere(a[~known], b[~known])
        return out
