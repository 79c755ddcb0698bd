"""The engine of many machines, on Apache Spark: what ``cluster.py`` says, by RDDs of a classic session.

Spark only holds, maps and exchanges; what runs are the stages of this package. Portions are cached on the disks of the
executors; a portion or part that is lost with one is made again and is the same again.
"""

from __future__ import annotations

import logging
import os
import pickle
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from dedup.engines.cluster import CHANGED, Held
from dedup.errors import DedupError, InputError, MissingExtraError, OptionError, how_to_install

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast, SparkContext, StorageLevel
    from pyspark.sql import DataFrame

    from dedup.engines.cluster import Shared

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P")
Numbered = tuple[tuple[int, int], int, Any]  # a portion with the number of its partition and its own there, and its bytes

JAVA = 17  # the least version that Spark 4 runs on
TASK_BYTES = 1 << 24  # of portions that a task takes, about, where a table has smaller partitions
LEAST_TOGETHER = 16  # partitions whose results come to the driver at once
_OURS = re.compile(r"dedup\.errors\.(\w+): (.*)")
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)")
_CAUSE = re.compile(r"^(?:: |Caused by: )?((?:\w+\.)*\w*(?:Error|Exception|Exit|Killed)\b.*)$", re.MULTILINE)


class SparkError(DedupError):
    """Spark cannot run, or lost what it ran."""


_ALONE = threading.RLock()  # a process has one context: one scan at a time has one of its own


@contextmanager
def spark_context(master: str | None) -> Iterator[SparkContext]:
    """The context of the session that there is, or one of our own, which ends with what is done in it.

    Args:
        master: Where it runs, like ``local[4]`` or ``spark://host:7077``; ``None``: what ``spark-submit`` or the
            configuration says, else all cores of this machine.

    Raises:
        MissingExtraError: There is no pyspark.
        OptionError: There is a session, and it runs elsewhere.
        SparkError: There is no Java, or Spark does not start.
    """
    try:
        from pyspark import SparkContext
    except ModuleNotFoundError:
        raise MissingExtraError("the engine spark needs pyspark", mend=how_to_install("spark", "pyspark")) from None
    with _ALONE:
        active = SparkContext._active_spark_context
        if active is None:
            with _own_context(master) as context:
                yield context
            return
    yield _running_on(active, master)


def context_of(table: DataFrame, master: str | None) -> SparkContext:
    """The context of a table's session.

    Raises:
        OptionError: The session is one of Spark Connect, or runs elsewhere.
        SparkError: It has ended.
    """
    from pyspark import SparkContext

    try:
        context = table.sparkSession.sparkContext
    except Exception:
        raise OptionError("a session of Spark Connect cannot run a scan", "engine", "Use a classic session.") from None
    if context is not SparkContext._active_spark_context:
        raise SparkError("the session of the DataFrame has ended", "", "Make the DataFrame in one that runs.")
    return _running_on(context, master)


def _running_on(context: SparkContext, master: str | None) -> SparkContext:
    """The context of a running session, where that is the master that was asked for."""
    if master not in (None, context.master):
        raise OptionError(f"a session runs already, on {context.master}", "master",
                          "Leave it out, or end that session first; with spark-submit, name the master there.")
    return context


@contextmanager
def _own_context(master: str | None) -> Iterator[SparkContext]:
    """A context that ends with what is done in it."""
    from pyspark import SparkConf, SparkContext

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers would take the first python3 of the path
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ  # spark-submit has a Java already, and chose where it runs
    if not submitted:
        _need_java()
    with tempfile.TemporaryFile() as log, _plain_interrupts() as as_before:
        try:
            context = (SparkContext(conf=SparkConf().setAppName("dedup")) if submitted
                       else _started(master or "local[*]", log))
        except Exception as error:
            log.seek(0)
            raise _no_start(f"{error}\n{log.read().decode(errors='replace')}") from None
        try:
            as_before()
            yield _running_on(context, master)
        finally:
            with suppress(Exception):  # its Java may be gone
                context.stop()


def _no_start(said: str) -> SparkError:
    """Why Spark does not start, and the way out where it is known."""
    if "UnsupportedClassVersionError" in said:
        return SparkError("Spark needs a newer Java than there is", "", f"Install Java {JAVA} or newer, or set JAVA_HOME.")
    mend = "PYSPARK_SUBMIT_ARGS must end in pyspark-shell." if "Missing application resource" in said else ""
    return SparkError(f"Spark does not start ({_cause(said)})", "", mend)


@contextmanager
def _plain_interrupts() -> Iterator[Callable[[], None]]:
    """An interrupt ends what runs, and no more: PySpark would call Java amid a call, and py4j log the traces of both.

    Returns:
        What gives a handler that was exchanged its place back.
    """
    before, main = signal.getsignal(signal.SIGINT), threading.current_thread() is threading.main_thread()

    def as_before() -> None:
        if main and before is not None:
            signal.signal(signal.SIGINT, before)

    def is_ours(record: logging.LogRecord) -> bool:
        return record.module not in ("java_gateway", "clientserver")
    root, py4j = logging.getLogger(), logging.getLogger("py4j")
    level = py4j.level
    root.addFilter(is_ours)
    py4j.setLevel(logging.CRITICAL + 1)
    try:
        yield as_before
    finally:
        as_before()
        root.removeFilter(is_ours)
        py4j.setLevel(level)


def _started(master: str, log: IO[bytes]) -> SparkContext:
    """A context with a Java of its own, whose many words go to a file.

    What ``spark-defaults.conf`` or ``PYSPARK_SUBMIT_ARGS`` say of anything but the master and the name wins.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway

    if SparkContext._gateway is None:  # a session that has ended leaves its Java behind
        launch: Callable[..., Any] = launch_gateway
        SparkContext._ensure_initialized(gateway=launch(SparkConf().setMaster(master), {"stderr": log}))
    conf = SparkConf().setMaster(master).setAppName("dedup")
    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.maxResultSize": "0"}
    if master.startswith("local"):  # needs no network
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    for name, value in settings.items():
        conf.setIfMissing(name, value)
    return SparkContext(conf=conf)


def _need_java() -> None:
    """Say so where there is no Java."""
    home = os.environ.get("JAVA_HOME")  # where it is set, Spark looks nowhere else
    if Path(home, "bin", "java").exists() if home else shutil.which("java"):
        return
    raise SparkError(f"Spark needs Java, and there is none{f' in JAVA_HOME ({home})' if home else ''}", "",
                     f"Install Java {JAVA} or newer (Debian: apt-get install default-jre-headless), or set JAVA_HOME.")


class SparkCluster:
    """A cluster of Spark's executors; of what it held and shared nothing stays behind it.

    Args:
        context: Of a classic session; one of Spark Connect has none.
    """

    def __init__(self, context: SparkContext) -> None:
        self._context = context
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

    def _persisted(self, made: RDD[T]) -> RDD[T]:
        self._kept.append(made)
        return made.persist(_on_disk())

    def hold(self, stage: Callable[[int, P], T], items: Sequence[P]) -> HeldBySpark[T]:
        """A portion of each item."""
        made = self._context.parallelize(list(enumerate(items)), max(len(items), 1)).map(lambda row: (row[0], stage(*row)))
        made = self._persisted(made)
        return HeldBySpark(made, [made], len(items))

    def hold_table(self, table: DataFrame, names: Container[str],
                   stage: Callable[[int, Iterator[Any]], Iterable[T]]) -> HeldBySpark[T]:
        """Portions of a DataFrame's rows, some of each partition. They have no order of their own.

        Args:
            names: Of columns that are needed; the others may hold what Arrow does not know.
            stage: Gets the number of a partition and its rows as Arrow batches.
        """
        needed = [name for name in table.columns if name in names]

        def pickled(batches: Iterator[Any]) -> Iterator[Any]:
            from pyarrow import RecordBatch, array, binary
            from pyspark import TaskContext

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

    def map(self, stage: Callable[[int, Any], R]) -> Iterator[R]:
        """The stage's results, in the order of the portions."""
        yield from self._results(self.rows.map(lambda row: stage(*row)), stage)
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

    def _results(self, made: RDD[R], *stages: Callable[..., Any]) -> Iterator[R]:
        """What partitions hold, in their order; some at a time, for the Java of the driver has not much memory."""
        context, count, at = made.context, made.getNumPartitions(), 0
        while at < count:
            with clear_errors(), _described(context, *stages):
                end = min(at + max(LEAST_TOGETHER, 2 * context.defaultParallelism), count)  # executors come and go
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


@contextmanager
def clear_errors() -> Iterator[None]:
    """What fails on an executor is one line here, not the traces of two languages."""
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        yield
    except ImportError as error:  # of PySpark: a package, or its version
        raise MissingExtraError(f"a DataFrame of Spark needs more packages ({_cause(str(error))})",
                                mend=how_to_install("spark", "pyarrow pandas")) from None
    except AnalysisException as error:
        raise SparkError(f"Spark cannot read the DataFrame ({_cause(str(error))})") from None
    except OSError as error:
        if _is_interrupt(error):
            raise KeyboardInterrupt from None
        raise
    except (Py4JError, PySparkException) as error:
        if _is_interrupt(error):
            raise KeyboardInterrupt from None
        said = str(error)
        if missing := _MISSING.search(said):
            name = missing[1].partition(".")[0]
            package = "dedup-toolkit" if name == "dedup" else name
            raise SparkError(f"the executors have no package {name}", "", f"Install {package} for the Python that runs the "
                             "workers, or send it along with --archives; or set PYSPARK_PYTHON before the session begins "
                             f"(this Python is {sys.executable}).") from None
        if "stopped SparkContext" in said:
            raise SparkError("Spark has ended: its master did not answer, or ended it", "",
                             "See whether --master is right, and what Spark logs.") from None
        if ours := _OURS.search(said):
            raise SparkError(ours[2].strip()) from None
        raise SparkError(f"a task failed on Spark ({_cause(said)})", "", "The executors' logs have the rest.") from None


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether an error came while py4j cleaned up after an interrupt."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _cause(said: str) -> str:
    """The last line of a trace that names an error."""
    if "OutOfMemoryError" in said or "TaskResultLost" in said:
        return "Java ran out of memory: spark.driver.memory and spark.executor.memory say how much it has"
    lines = _CAUSE.findall(said)
    return " ".join((lines[-1] if lines else said.strip().partition("\n")[0]).split())[:300]
