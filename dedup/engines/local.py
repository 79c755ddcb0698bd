"""The engine of one machine: stages are mapped over batches in threads, rows meet by exchange in memory.

A stage is a function over columns. An engine knows five verbs and a stage never knows which engine it has:

* ``map`` a stage over batches,
* ``exchange`` rows by the hash of a key, so that equal keys meet in one partition,
* ``spread`` tasks: a ``map`` of what needs no columns of the whole, so that it may run anywhere,
* ``begin`` a stage that cannot be cut into batches, beside what comes next,
* add up small global figures (the caller does that with what ``map`` gives back).

Rows are the same for any number of threads and partitions: batches come back in order, partitions in the order of
their number, and whoever needs one order sorts by position, which is unique.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.filed import filed
from dedup.kernel import kernel

T = TypeVar("T")
R = TypeVar("R")
V = TypeVar("V")
W = TypeVar("W", covariant=True)
A = TypeVar("A", bound=np.generic)
Columns = tuple[npt.NDArray[Any], ...]

class Task(Protocol[W]):
    """Work that has all it needs with it; when it is pickled, it takes along no more than that."""

    def run(self) -> W:
        """What comes of it."""


PARTITION_BYTES, PARTITIONS = 2_000_000, 128  # of text a partition, where nobody says how many; of a large text about so many
PART = 16  # of the memory, where it is bounded, that a batch may take for what it copies together
TABLE_PART, LEAST_TABLE = 4, 1 << 24  # a table looked up at random gets that part of the memory, and so many bytes at least
PIECES = 4  # that the rows of a batch stand in: memory of each is given back as soon as its partitions are done
LEAST_PIECE = 1 << 15  # rows of one, about: its columns are from the pool
LEAST_IN_FILE = 1 << 18  # bytes of a column of a piece that goes to the file
MOST_BATCH, BATCH_PART = 32_000_000, 64  # bytes of text of a batch, at most, and in parts of the memory where it is bounded
ALONE_BYTES = 1 << 18  # of text that one thread is done with before others have begun
OPENING = threading.Lock()


class Done(Generic[V]):
    """What a stage made that was not put off: a ``Future`` without its locks.

    Args:
        value: The result.
    """

    def __init__(self, value: V) -> None:
        self._value = value

    def result(self) -> V:
        """The result."""
        return self._value


class Partitioned:
    """The rows of one batch, ordered by partition.

    Args:
        columns: Equally long; they are copied, unless they are short.
        first: Where each partition begins, one longer than the partitions.
    """

    def __init__(self, columns: Columns, first: npt.NDArray[np.int64]) -> None:
        self.first = first
        count = min(PIECES, 1 + int(first[-1] - first[0]) // LEAST_PIECE)
        self.size = -(-(len(first) - 1) // count)  # partitions in a piece
        edges = [*first[:-1:max(self.size, 1)], first[-1]]
        # Of several pieces none is a view, not even an empty one: the columns would live as long as it.
        self.pieces: list[Columns] = [tuple(_copied(column[a:b]) if count > 1 else column[a:b] for column in columns)
                                      for a, b in itertools.pairwise(edges)]

    def piece(self, partition: int) -> Columns:
        """The columns that a partition's rows are in."""
        return self.pieces[partition // self.size]

    def rows(self, partition: int) -> slice:
        """Where in its piece a partition's rows are."""
        begin = self.first[partition // self.size * self.size]
        return slice(int(self.first[partition] - begin), int(self.first[partition + 1] - begin))


@contextmanager
def pooled_memory() -> Iterator[None]:
    """NumPy's arrays of this thread take their memory from the kernel's pool, as those of an engine's threads do."""
    before = kernel.array_memory(None)
    try:
        yield
    finally:
        kernel.array_memory(before)


class LocalEngine:
    """Threads over batches; the kernel releases the interpreter lock.

    Args:
        threads: Threads; ``None`` for one a core, and for a small text one.
        partitions: Partitions of an exchange; more of them need less memory at a time. ``None``: by the input's size.
        memory: Bytes that there are, where they are bounded.

    Attributes:
        part_bytes: Bytes that a batch may copy together where memory is bounded, to look at what lies on disk in the order of
            its places; 0 where it is not.
        most_batch: Bytes of text of a batch, at most, where the collection is large.
    """

    def __init__(self, threads: int | None = None, partitions: int | None = None, memory: int | None = None) -> None:
        self.threads = threads or os.cpu_count() or 1
        self._may_be_alone = threads is None
        self._partitions = partitions
        self._table_bytes = max(memory // TABLE_PART, LEAST_TABLE) if memory is not None else None
        self.part_bytes = memory // PART // self.threads if memory is not None else 0
        self.most_batch = MOST_BATCH if memory is None else min(MOST_BATCH, memory // BATCH_PART)
        self._pool: ThreadPoolExecutor | None = None
        self._users = 0

    def __enter__(self) -> LocalEngine:
        """One pool of threads for all stages: memory that a thread's stage gave back serves its next stage.

        It lasts until the last one who entered has left: threads may look at one report.
        """
        with OPENING:
            self._users += 1
            if self._pool is None and self.threads > 1:
                self._pool = self._executor()
        return self

    def __exit__(self, *_: object) -> None:
        with OPENING:
            self._users -= 1
            pool = None if self._users else self._pool
            if pool is not None:
                self._pool = None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    @contextmanager
    def _threads(self) -> Iterator[ThreadPoolExecutor]:
        with self:
            if self._pool is not None:
                yield self._pool
                return
        with self._executor() as pool:
            yield pool

    def _executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, initializer=kernel.array_memory, initargs=(None,))

    def has_read(self, text_bytes: int) -> None:
        """So much text there is: where nobody says how many threads, a small one has one thread."""
        if self._may_be_alone and text_bytes < ALONE_BYTES:
            self.threads = 1

    @property
    def is_bounded(self) -> bool:
        """Whether memory is."""
        return self._table_bytes is not None

    def settle(self) -> None:
        """What is free goes back to the system where memory is bounded; else it is for what comes next."""
        if self.is_bounded:
            kernel.release_memory()

    def partitions(self, text_bytes: int, passes: int = 1, each: int | None = None) -> int:
        """How many partitions rows of a collection of that size are exchanged in, where that is done in some passes.

        Args:
            each: Bytes of text a partition, where nobody says how many there are; else those of a large text are larger.
        """
        if each is None:  # what is looked up for many rows at a time is looked up in the order of its places
            each = max(PARTITION_BYTES, min(text_bytes // PARTITIONS, self.most_batch // 2))
        return self._partitions or max(1, text_bytes // each // passes)

    def slices(self, table_bytes: int) -> int:
        """In how many slices, one after the other, a table is made that is looked up at random: each of them has room.

        Returns:
            A power of two.
        """
        if self._table_bytes is None:
            return 1
        kernel.release_memory()
        room = max(min(self._table_bytes, kernel.memory_room() // 2), LEAST_TABLE)  # the other half is for what is taken out
        return 1 << (-(-table_bytes // room) - 1).bit_length()

    def map(self, stage: Callable[[T], R], batches: Iterable[T]) -> list[R]:
        """The stage's results over the batches, in the batches' order."""
        if self.threads == 1 and not self.is_bounded:
            return list(map(stage, batches))
        batches, relieved = list(batches), self._relieved(stage)
        if self.threads == 1 or len(batches) < 2:
            return [relieved(batch) for batch in batches]
        with self._threads() as pool:
            return list(pool.map(relieved, batches))

    def spread(self, make: Callable[[T], Task[V]], batches: Iterable[T], then: Callable[[V], R]) -> list[R]:
        """``then(make(batch).run())`` of each batch, in the batches' order; tasks may run on other machines."""
        return self.map(lambda batch: then(make(batch).run()), batches)

    def stream(self, stage: Callable[[T], R], batches: Iterable[T]) -> list[R]:
        """The same as ``map``, over batches that are still being read: each is taken up as soon as it is there."""
        relieved, batches = self._relieved(stage), iter(batches)
        begun = list(itertools.islice(batches, 2))
        if self.threads == 1 or len(begun) < 2:
            return [relieved(batch) for batch in itertools.chain(begun, batches)]
        with self._threads() as pool:
            return [job.result() for job in [pool.submit(relieved, batch) for batch in itertools.chain(begun, batches)]]

    def _relieved(self, stage: Callable[[T], R]) -> Callable[[T], R]:
        """The stage; where memory is bounded, each batch sees to it that there is not too much in it."""
        if self._table_bytes is None:
            return stage

        def relieved(batch: T) -> R:
            result = stage(batch)
            kernel.relieve_memory()
            return result
        return relieved

    def begin(self, stage: Callable[[], R]) -> Future[R] | Done[R]:
        """Start a stage that cannot be cut into batches in one of the threads; what comes next is done beside it."""
        if self._pool is not None and self.threads > 1:
            return self._pool.submit(stage)
        return Done(stage())

    def exchange(self, rows: list[Partitioned], then: Callable[[Columns], R]) -> list[R]:
        """Bring rows of equal key together and run a stage on each partition.

        Args:
            rows: What each batch gave. The list is empty afterwards, and memory is given back on the way.
            then: Gets the columns of one partition, rows in the order of the batches.

        Returns:
            The stage's results in the order of the partitions.
        """
        self.settle()
        partitions = range(len(rows[0].first) - 1 if rows else 0)
        if len(rows) == len(partitions) == 1:  # all that there is meets
            return self.map(then, [rows.pop().piece(0)])
        pieces = [[batch.piece(p) for batch in rows] for p in partitions]
        slices = [[batch.rows(p) for batch in rows] for p in partitions]
        rows.clear()

        def meet(p: int) -> R:
            parts = ([column[own] for column in columns] for columns, own in zip(pieces[p], slices[p], strict=True))
            columns = tuple(map(_together, zip(*parts, strict=True)))
            pieces[p].clear()
            return then(columns)
        return self.map(meet, partitions)


def _copied(part: npt.NDArray[A]) -> npt.NDArray[A]:
    """The same array in memory of its own; a long one in the file, where there is one: it is read once, in order."""
    copy = filed(part) if part.nbytes >= LEAST_IN_FILE else part
    return np.concatenate([part], out=kernel.room(part.nbytes).view(part.dtype)) if copy is part else copy


def _together(parts: Sequence[npt.NDArray[A]]) -> npt.NDArray[A]:
    """Arrays one after the other; one small one as it is."""
    if len(parts) == 1 and len(parts[0]) < LEAST_PIECE:
        return parts[0]
    count, kind = sum(map(len, parts)), parts[0].dtype
    return np.concatenate(parts, out=kernel.room(count * kind.itemsize).view(kind))


def concatenated(parts: list[npt.NDArray[A]]) -> npt.NDArray[A]:
    """Arrays one after the other, each given back as soon as it is copied: the list is emptied on the way."""
    out = np.empty(sum(map(len, parts)), parts[0].dtype)
    parts.reverse()
    at = 0
    while parts:
        part = parts.pop()
        out[at:at + len(part)] = part
        at += len(part)
    return out
