"""The engine of many machines, on Apache Spark: what ``cluster.py`` says, by RDDs of a classic session.

Spark only holds, maps and exchanges; what runs are the stages of this package. Portions are cached on the disks of the
executors; a portion or part that is lost with one is made again and is the same again.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from dedup.engines.cluster import Held
from dedup.errors import DedupError, MissingExtraError, OptionError, how_to_install

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext, StorageLevel
    from pyspark.sql import DataFrame, SparkSession

    from dedup.engines.cluster import Shared

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P")

JAVA = 17  # the least version that Spark 4 runs on
LEAST_TOGETHER = 16  # partitions whose results come to the driver at once
_OURS = re.compile(r"dedup\.errors\.(\w+): (.*)")
_CAUSE = re.compile(r"^(?:: |Caused by: )?((?:\w+\.)*\w*(?:Error|Exception|Exit|Killed)\b.*)$", re.MULTILINE)


class SparkError(DedupError):
    """Spark cannot run, or lost what it ran."""


@contextmanager
def spark_session(master: str | None) -> Iterator[SparkSession]:
    """The session that there is, or one of our own, which ends with what is done in it.

    Args:
        master: Where it runs, like ``local[4]`` or ``spark://host:7077``; ``None``: what ``spark-submit`` or the
            configuration says, else all cores of this machine.

    Raises:
        MissingExtraError: There is no pyspark.
        SparkError: There is no Java, or Spark does not start.
    """
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise MissingExtraError("the engine spark needs pyspark", mend=how_to_install("spark", "pyspark")) from None
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers would take the first python3 of the path
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ  # spark-submit has a Java already, and chose where it runs
    if not submitted:
        _need_java()
    with tempfile.TemporaryFile() as log:
        try:
            session = (SparkSession.builder.appName("dedup").getOrCreate() if submitted
                       else _own_session(master or "local[*]", log))
        except Exception as error:
            log.seek(0)
            said = f"{error}\n{log.read().decode(errors='replace')}"
            raise SparkError(f"Spark does not start ({_cause(said)})") from None
        try:
            yield session
        finally:
            session.stop()


def _own_session(master: str, log: IO[bytes]) -> SparkSession:
    """A session with a Java of its own, whose many words go to a file.

    What ``spark-defaults.conf`` or ``PYSPARK_SUBMIT_ARGS`` say of anything but the master and the name wins.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    if SparkContext._gateway is None:  # a session that has ended leaves its Java behind
        launch: Callable[..., Any] = launch_gateway
        SparkContext._ensure_initialized(gateway=launch(SparkConf().setMaster(master), {"stderr": log}))
    conf = SparkConf().setMaster(master).setAppName("dedup")
    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.maxResultSize": "0"}
    if master.startswith("local"):  # needs no network
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    for name, value in settings.items():
        conf.setIfMissing(name, value)
    return SparkSession(SparkContext(conf=conf))


def _need_java() -> None:
    """Say so where there is no Java."""
    home = os.environ.get("JAVA_HOME")
    if (Path(home, "bin", "java").exists() if home else False) or shutil.which("java"):
        return
    raise SparkError("Spark needs Java, and there is none", "",
                     f"Install Java {JAVA} or newer (Debian: apt-get install default-jre-headless), or set JAVA_HOME.")


class SparkCluster:
    """A cluster of Spark's executors.

    Args:
        session: A classic session; one of Spark Connect has no RDDs.

    Raises:
        OptionError: The session is one of Spark Connect.
    """

    def __init__(self, session: SparkSession) -> None:
        try:
            self._context: SparkContext = session.sparkContext
        except Exception:
            raise OptionError("a session of Spark Connect cannot run a scan", "engine", "Use a classic session.") from None

    def hold(self, stage: Callable[[int, P], T], items: Sequence[P]) -> HeldBySpark[T]:
        """A portion of each item."""
        made = self._context.parallelize(list(enumerate(items)), max(len(items), 1)).map(lambda row: (row[0], stage(*row)))
        made = made.persist(_on_disk())
        return HeldBySpark(made, [made], len(items))

    def hold_table(self, table: DataFrame, stage: Callable[[int, Iterator[Any]], Iterable[T]]) -> HeldBySpark[T]:
        """Portions of a DataFrame's rows, some of each partition. They have no order of their own.

        Args:
            stage: Gets the number of a partition and its rows as Arrow batches.
        """
        def pickled(batches: Iterator[Any]) -> Iterator[Any]:
            from pyarrow import RecordBatch, array, binary
            from pyspark import TaskContext

            context = TaskContext.get()
            for portion in stage(context.partitionId() if context is not None else 0, batches):
                cell = array([pickle.dumps(portion, pickle.HIGHEST_PROTOCOL)], binary())
                yield RecordBatch.from_arrays([cell], ["portion"])

        def unpickled(part: int, rows: Iterable[Any]) -> Iterator[tuple[tuple[int, int], T]]:
            return (((part, nth), pickle.loads(row.portion)) for nth, row in enumerate(rows))
        with clear_errors(), _described(self._context, stage):
            made = table.mapInArrow(pickled, "portion binary").rdd.mapPartitionsWithIndex(unpickled).persist(_on_disk())
            keys = made.keys().collect()
        number = {key: n for n, key in enumerate(sorted(keys))}
        return HeldBySpark(made.map(lambda row: (number[row[0]], row[1])), [made], len(keys))

    def both(self, one: HeldBySpark[T], other: HeldBySpark[T]) -> HeldBySpark[T]:
        """The portions of two tables, the second one's numbered behind the first one's."""
        count = one.count
        rows = self._context.union([one.rows, other.rows.map(lambda row: (row[0] + count, row[1]))])
        return HeldBySpark(rows, [*one.kept, *other.kept], count + other.count)

    def share(self, value: R) -> Shared[R]:
        """A value that stages may use wherever they run."""
        return self._context.broadcast(value)


class HeldBySpark(Held[T]):
    """Portions on the disks of executors.

    Args:
        rows: Number and portion.
        kept: What is cached of them.
        count: How many portions there are.
    """

    def __init__(self, rows: RDD[tuple[int, T]], kept: Sequence[RDD[Any]], count: int) -> None:
        self.rows, self.kept, self.count = rows, kept, count

    def map(self, stage: Callable[[int, Any], R]) -> Iterator[R]:
        """The stage's results, in the order of the portions."""
        return self._results(self.rows.map(lambda row: stage(*row)), stage)

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

    def _results(self, made: RDD[R], *stages: Callable[..., Any]) -> Iterator[R]:
        """What partitions hold, in their order; some at a time, for the Java of the driver has not much memory."""
        context, count = made.context, made.getNumPartitions()
        together = max(LEAST_TOGETHER, 2 * context.defaultParallelism)
        for at in range(0, count, together):
            with clear_errors(), _described(context, *stages):
                found = context.runJob(made, list, list(range(at, min(at + together, count))))
            yield from found

    def release(self) -> None:
        """The portions are not needed any more."""
        for kept in self.kept:
            kept.unpersist()


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


@contextmanager
def clear_errors() -> Iterator[None]:
    """What fails on an executor is one line here, not the traces of two languages."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as error:
        said = str(error)
        if "No module named 'dedup" in said:
            raise SparkError("the executors have no package dedup", "", "Install dedup-toolkit for the Python that runs the "
                             "workers (PYSPARK_PYTHON), or send it along with --archives.") from None
        if ours := _OURS.search(said):
            raise SparkError(ours[2].strip()) from None
        raise SparkError(f"a task failed on Spark ({_cause(said)})", "", "The executors' logs have the rest.") from None


def _cause(said: str) -> str:
    """The last line of a trace that names an error."""
    if "OutOfMemoryError" in said or "TaskResultLost" in said:
        return "Java ran out of memory: spark.driver.memory and spark.executor.memory say how much it has"
    lines = _CAUSE.findall(said)
    return " ".join((lines[-1] if lines else said.strip().partition("\n")[0]).split())[:300]
