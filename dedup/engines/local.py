"""The engine of one machine: stages are mapped over batches in threads, rows meet by exchange in memory.

A stage is a function over columns. An engine knows three verbs and a stage never knows which engine it has:

* ``map`` a stage over batches,
* ``exchange`` rows by the hash of a key, so that equal keys meet in one partition,
* add up small global figures (the caller does that with what ``map`` gives back).

Rows are the same for any number of threads and partitions: batches come back in order, partitions in the order of
their number, and whoever needs one order sorts by position, which is unique.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")
R = TypeVar("R")
Columns = tuple[npt.NDArray[Any], ...]


class LocalEngine:
    """Threads over batches; the kernel releases the interpreter lock.

    Args:
        threads: Threads; ``None`` for one a core.
        partitions: Partitions of an exchange; more of them need less memory at a time.
    """

    def __init__(self, threads: int | None = None, partitions: int = 1) -> None:
        self.threads = threads or os.cpu_count() or 1
        self.partitions = partitions

    def map(self, stage: Callable[[T], R], batches: Iterable[T]) -> list[R]:
        """The stage's results over the batches, in the batches' order."""
        batches = list(batches)
        if self.threads == 1 or len(batches) < 2:
            return [stage(batch) for batch in batches]
        with ThreadPoolExecutor(min(self.threads, len(batches))) as pool:
            return list(pool.map(stage, batches))

    def exchange(self, rows: Sequence[Columns], then: Callable[[Columns], R]) -> list[R]:
        """Bring rows of equal key together and run a stage on each partition.

        Args:
            rows: One tuple of equally long columns a batch; the first is the key, ``uint64``, already a hash.
                The list is emptied on the way, so that memory is given back.
            then: Gets the columns of one partition, rows in the order of the batches.
        """
        if not rows:
            return []
        parts: list[list[Columns]] = [[] for _ in range(self.partitions)]
        for columns in rows:
            if self.partitions == 1:
                parts[0].append(columns)
                continue
            part = ((columns[0] >> np.uint64(40)) % np.uint64(self.partitions)).astype(np.int64)
            order = np.argsort(part, kind="stable")
            edges = np.searchsorted(part[order], np.arange(self.partitions + 1))
            for p in range(self.partitions):
                taken = order[edges[p]:edges[p + 1]]
                parts[p].append(tuple(column[taken] for column in columns))
        if isinstance(rows, list):
            rows.clear()
        return self.map(lambda pieces: then(_concatenated(pieces)), parts)


def _concatenated(pieces: list[Columns]) -> Columns:
    columns = tuple(np.concatenate([piece[i] for piece in pieces]) for i in range(len(pieces[0])))
    pieces.clear()
    return columns
