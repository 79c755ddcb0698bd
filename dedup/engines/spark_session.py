"""The session that a scan runs in: the one that there is, or one of its own that ends with it."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dedup.engines.spark_errors import SparkError, cause_of
from dedup.errors import MissingExtraError, OptionError, how_to_install

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import DataFrame

JAVA = 17  # the least version that Spark 4 runs on
# Of Java's two compilers the quick one: it passes bytes on, and in minutes the other one never earns what it takes.
QUICK = "-XX:TieredStopAtLevel=1"
SETTINGS = {  # of a session of our own, where nobody says otherwise
    "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.maxResultSize": "0",
    "spark.executor.defaultJavaOptions": QUICK,
    "spark.shuffle.sort.bypassMergeThreshold": "1",  # else a task makes a serializer for each part that it sends to: 4 ms
}
LOCAL = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # needs no network
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
    from pyspark.errors import PySparkAttributeError

    try:
        context = table.sparkSession.sparkContext
    except PySparkAttributeError:
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
    return SparkError(f"Spark does not start ({cause_of(said)})", "", mend)


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
        with _java_options():
            SparkContext._ensure_initialized(gateway=launch(SparkConf().setMaster(master), {"stderr": log}))
    conf = SparkConf().setMaster(master).setAppName("dedup")
    local = LOCAL if master.startswith("local") else {}
    for name, value in (SETTINGS | local).items():
        conf.setIfMissing(name, value)
    return SparkContext(conf=conf)


@contextmanager
def _java_options() -> Iterator[None]:
    """Options of the Java that is started here, and of the one that looks for it; those of Spark's settings come behind."""
    names = ("SPARK_SUBMIT_OPTS", "SPARK_LAUNCHER_OPTS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: f"{QUICK} {value or ''}".rstrip() for name, value in before.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _need_java() -> None:
    """Say so where there is no Java."""
    home = os.environ.get("JAVA_HOME")  # where it is set, Spark looks nowhere else
    if Path(home, "bin", "java").exists() if home else shutil.which("java"):
        return
    raise SparkError(f"Spark needs Java, and there is none{f' in JAVA_HOME ({home})' if home else ''}", "",
                     f"Install Java {JAVA} or newer (Debian: apt-get install default-jre-headless), or set JAVA_HOME.")
