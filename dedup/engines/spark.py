"""The engine of many machines, on Apache Spark: what ``cluster.py`` says, by RDDs of a classic session.

Spark only holds, maps and exchanges; what runs are the stages of this package. Portions are cached on the disks of the
executors; a portion or part that is lost with one is made again and is the same again.
"""

from __future__ import annotations

import gc
import pickle
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from dedup.engines.cluster import CHANGED, Held
from dedup.engines.spark_errors import clear_errors
from dedup.errors import DedupError, InputError

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast, SparkContext, StorageLevel
    from pyspark.sql import DataFrame

    from dedup.engines.cluster import Shared

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P")
Numbered = tuple[tuple[int, int], int, Any]  # a portion with the number of its partition and its own there, and its bytes

TASK_BYTES = 1 << 24  # of portions that a task takes, about, where a table has smaller partitions
LEAST_TOGETHER = 16  # partitions whose results come to the driver at once, if they are small
MOST_TOGETHER = 1 << 28  # bytes of results that do, about: the Java of the driver has 1 GB unless somebody says more


@cache
def prepare_worker(modules: tuple[str, ...]) -> None:
    """Import modules, and tell Python that what there is stays: once a process.

    PySpark has a worker look for garbage after each task, among all objects that there are: 30 ms of each are for modules.
    """
    for module in modules:
        import_module(module)
    gc.freeze()


class SparkCluster:
    """A cluster of Spark's executors; of what it held and shared nothing stays behind it.

    Args:
        context: Of a classic session; one of Spark Connect has none.
        imports: Modules that workers import with their first task.
    """

    def __init__(self, context: SparkContext, imports: Sequence[str] = ()) -> None:
        self._context, self._prepare = context, partial(prepare_worker, tuple(imports))
        self._shared: list[Broadcast[Any]] = []
        self._kept: list[RDD[Any]] = []

    def __enter__(self) -> SparkCluster:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # the session may have ended: then nothing is left
            for shared in self._shared:
                shared.destroy()
            for kept in self._kept:
                kept.unpersist()

    @property
    def width(self) -> int:
        """How many tasks run at once, as far as that is known."""
        return int(self._context.defaultParallelism)

    def _persisted(self, made: RDD[T]) -> RDD[T]:
        self._kept.append(made)
        return made.persist(_on_disk())

    def hold(self, stage: Callable[[int, P], T], items: Sequence[P]) -> HeldBySpark[T]:
        """A portion of each item."""
        prepare = self._prepare

        def make(rows: Iterable[tuple[int, P]]) -> Iterator[tuple[int, T]]:
            prepare()
            return ((number, stage(number, item)) for number, item in rows)
        made = self._persisted(self._context.parallelize(list(enumerate(items)), max(len(items), 1)).mapPartitions(make))
        return HeldBySpark(made, [made], len(items))

    def hold_table(self, table: DataFrame, names: Container[str],
                   stage: Callable[[int, Iterator[Any]], Iterable[T]]) -> HeldBySpark[T]:
        """Portions of a DataFrame's rows, some of each partition. They have no order of their own.

        Args:
            names: Of columns that are needed; the others may hold what Arrow does not know.
            stage: Gets the number of a partition and its rows as Arrow batches.
        """
        needed, prepare = [name for name in table.columns if name in names], self._prepare

        def pickled(batches: Iterator[Any]) -> Iterator[Any]:
            from pyarrow import RecordBatch, array, binary
            from pyspark import TaskContext

            prepare()
            context = TaskContext.get()
            named = (RecordBatch.from_arrays(batch.columns, needed) for batch in batches)
            for portion in stage(context.partitionId() if context is not None else 0, named):
                cell = array([pickle.dumps(portion, pickle.HIGHEST_PROTOCOL)], binary())
                yield RecordBatch.from_arrays([cell], ["portion"])

        def unpickled(part: int, rows: Iterable[Any]) -> Iterator[Numbered]:
            return (((part, nth), len(row.portion), pickle.loads(row.portion)) for nth, row in enumerate(rows))

        def listed(task: int, rows: Iterable[Numbered]) -> Iterator[tuple[int, tuple[int, int], int]]:
            return ((task, key, size) for key, size, _ in rows)
        with clear_errors(), _described(self._context, stage):
            made = self._persisted(_only(table, names).mapInArrow(pickled, "portion binary").rdd
                                   .mapPartitionsWithIndex(unpickled))
            known = made.mapPartitionsWithIndex(listed).collect()
            tasks = max(1, -(-sum(size for _, _, size in known) // TASK_BYTES))
            together = made
            if made.getNumPartitions() > 2 * tasks:  # a task takes longer than few rows
                together = made.coalesce(tasks)
                known = together.mapPartitionsWithIndex(listed).collect()
        number, counts = {key: n for n, (_, key, _) in enumerate(known)}, Counter(task for task, _, _ in known)

        def numbered(task: int, rows: Iterable[Numbered]) -> Iterator[tuple[int, T]]:
            came = 0
            for key, _, portion in rows:
                came += 1
                if key in number:
                    yield number[key], portion
            if came != counts[task]:  # a partition was lost, and has other rows now
                raise InputError(*CHANGED)
        return HeldBySpark(together.mapPartitionsWithIndex(numbered), [made], len(known))

    def both(self, one: HeldBySpark[T], other: HeldBySpark[T]) -> HeldBySpark[T]:
        """The portions of two tables, the second one's numbered behind the first one's."""
        count = one.count
        rows = self._context.union([one.rows, other.rows.map(lambda row: (row[0] + count, row[1]))])
        return HeldBySpark(rows, [*one.kept, *other.kept], count + other.count)

    def share(self, value: R) -> Shared[R]:
        """A value that stages may use wherever they run."""
        with clear_errors():
            self._shared.append(self._context.broadcast(value))
        return self._shared[-1]


class HeldBySpark(Held[T]):
    """Portions on the disks of executors.

    Args:
        rows: Number and portion.
        kept: What is cached of them.
        count: How many portions there are.
    """

    def __init__(self, rows: RDD[tuple[int, T]], kept: Sequence[RDD[Any]], count: int) -> None:
        self.rows, self.kept, self.count = rows, kept, count
        self._made = False

    def map(self, stage: Callable[[int, Any], R], size: int = 0) -> Iterator[R]:
        """The stage's results, in the order of the portions."""
        yield from self._results(self.rows.map(lambda row: stage(*row)), stage, size=size)
        self._made = True

    def exchange(self, stage: Callable[[int, Any], Iterable[tuple[int, P]]], parts: int,
                 then: Callable[[int, list[P]], R]) -> Iterator[R]:
        """What portions send meets by part, then a stage runs on each part."""
        return self._results(self._met(stage, parts, then).values(), stage, then)

    def gather(self, stage: Callable[[int, Any], Iterable[tuple[int, P]]], parts: int,
               then: Callable[[int, list[P]], R]) -> HeldBySpark[R]:
        """The same, with the results held; they are made when they are asked for first."""
        made = self._met(stage, parts, then).persist(_on_disk())
        return HeldBySpark(made, [made], parts)

    def _met(self, stage: Callable[[int, Any], Iterable[tuple[int, P]]], parts: int,
             then: Callable[[int, list[P]], R]) -> RDD[tuple[int, R]]:
        """What comes of each part, with its number."""
        def send(row: tuple[int, Any]) -> Iterator[tuple[int, tuple[int, int, P]]]:
            number, portion = row
            for nth, (part, sent) in enumerate(stage(number, portion)):
                yield part, (number, nth, sent)

        def meet(part: int, came: Iterable[tuple[int, tuple[int, int, P]]]) -> Iterator[tuple[int, R]]:
            sent = sorted((row for _, row in came), key=lambda row: row[:2])
            yield part, then(part, [thing for _, _, thing in sent])
        return self.rows.flatMap(send).partitionBy(parts, int).mapPartitionsWithIndex(meet)

    def _results(self, made: RDD[R], *stages: Callable[..., Any], size: int = 0) -> Iterator[R]:
        """What partitions hold, in their order; some at a time, for the Java of the driver has not much memory."""
        context, count, at = made.context, made.getNumPartitions(), 0
        room = max(MOST_TOGETHER // max(size, 1), 1)
        while at < count:
            with clear_errors(), _described(context, *stages):
                end = min(at + min(max(LEAST_TOGETHER, 2 * context.defaultParallelism), room), count)  # executors come and go
                found = context.runJob(made, list, list(range(at, end)))
            yield from found
            at = end

    def release(self, last: Callable[[int, Any], object] | None = None) -> None:
        """The portions are not needed any more; a stage runs on each of them for the last time, where all were made."""
        with suppress(DedupError):  # what it ends with is told, not that there is nothing to clean up
            if last is not None and self._made:
                deque(self.map(last), 0)
        for kept in self.kept:
            kept.unpersist()


def _only(table: DataFrame, names: Container[str]) -> DataFrame:
    """Some columns of a table, by their places: names may have dots in them, or stand there twice."""
    columns = [f"c{i}" for i in range(len(table.columns))]
    needed = [column for column, name in zip(columns, table.columns, strict=True) if name in names]
    return table.toDF(*columns).select(*needed)


@contextmanager
def _described(context: SparkContext, *stages: Callable[..., Any]) -> Iterator[None]:
    """Spark's pages and its event log name the functions that run, not a line of this file."""
    name = "spark.job.description"
    before: Any = context.getLocalProperty(name)  # None takes it away again
    names = [getattr(stage.func if isinstance(stage, partial) else stage, "__name__", "") for stage in stages]
    context.setLocalProperty(name, f"dedup: {', '.join(names)}")
    try:
        yield
    finally:
        context.setLocalProperty(name, before)


def _on_disk() -> StorageLevel:
    from pyspark import StorageLevel

    return StorageLevel.DISK_ONLY
