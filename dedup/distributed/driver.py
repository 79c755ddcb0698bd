"""The engine of who asks: stages run in its threads, and tasks on the machines of a cluster."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from dedup.engines.cluster import Cluster
from dedup.engines.local import LocalEngine, Task

T = TypeVar("T")
V = TypeVar("V")
R = TypeVar("R")

TOGETHER = 256  # tasks that are on their way at once: what they take along is here, too


class DriverEngine(LocalEngine):
    """Threads, and a cluster for tasks.

    Args:
        cluster: Where tasks run.
        threads, partitions, memory: As of ``LocalEngine``.
    """

    def __init__(self, cluster: Cluster, threads: int | None, partitions: int | None, memory: int | None) -> None:
        super().__init__(threads, partitions, memory)
        self._cluster = cluster

    def spread(self, make: Callable[[T], Task[V]], batches: Iterable[T], then: Callable[[V], R]) -> list[R]:
        """``then(make(batch).run())`` of each batch, in the batches' order; what is in the middle runs on the cluster."""
        made, left = list[R](), iter(batches)
        while some := list(itertools.islice(left, TOGETHER)):
            held = self._cluster.hold(run_task, self.map(make, some))
            made += self.map(then, held.map(give))
            held.release()
        return made


def run_task(_: int, task: Task[V]) -> V:
    """What comes of a task."""
    return task.run()


def give(_: int, found: Any) -> Any:
    """What was made, as it is."""
    return found
