"""A scan on Spark gives the bytes of one machine; and what goes wrong there is one line."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dedup import OptionError, align, scan
from dedup.distributed import scan as scanning
from dedup.distributed import splits
from dedup.distributed.driver import DriverEngine
from dedup.distributed.portions import read_portion
from dedup.engines import spark as spark_engine
from dedup.engines import spark_errors, spark_session
from dedup.engines.spark_errors import SparkError
from dedup.errors import MissingExtraError
from tests.contracts.test_same_bytes import folder, rendered  # noqa: F401  (a fixture)
from tests.spark_help import need_pyspark, need_spark

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several portions and parts."""
    monkeypatch.setattr(splits, "SPLIT_BYTES", 60_000)
    monkeypatch.setattr(scanning, "PART_BYTES", 60_000)


@pytest.mark.usefixtures("spark", "small")
def test_places_give_the_bytes_of_one_machine(folder: Path) -> None:  # noqa: F811
    for asked in ({"unit": "page", "pairs": True}, {"find": "exact"}, {}):
        assert rendered(scan(folder, engine="spark", **asked)) == rendered(scan(folder, **asked)), asked
    site = folder / "examples" / "site"
    assert (rendered(scan(folder, against=site, engine="spark", unit="page"))
            == rendered(scan(folder, against=site, unit="page")))


@pytest.mark.usefixtures("spark", "small")
def test_near_blocks_and_edited_passages_are_spread(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Keys meet in five partitions, and several tasks align pages."""
    monkeypatch.setattr(align, "BATCH_COST", 20_000)
    whole = rendered(scan(folder, partitions=5))
    shipped: list[int] = []
    spread = DriverEngine.spread

    def watched(self: DriverEngine, make: Any, batches: Any, then: Any) -> Any:
        batches = list(batches)
        shipped.append(len(batches))
        return spread(self, make, batches, then)
    monkeypatch.setattr(DriverEngine, "spread", watched)
    assert rendered(scan(folder, engine="spark", partitions=5)) == whole
    assert len(shipped) == 1
    assert shipped[0] > 2


@pytest.mark.usefixtures("small")
def test_a_table_gives_the_same_bytes_however_it_is_cut(spark: Any, folder: Path) -> None:  # noqa: F811
    rows = [json.loads(line) for line in (folder / "many.jsonl").read_text().splitlines()]
    rows += [{"id": None, "text": "A row without an id is named by what it says."}, {"id": "none", "text": None}]
    shuffled = [rows[i] for i in np.random.default_rng(3).permutation(len(rows))]
    table = spark.createDataFrame([(row["id"], row["text"]) for row in shuffled], "id string, text string")
    reports = [scan(table.repartition(count), unit="page") for count in (1, 5)]
    assert rendered(reports[0]) == rendered(reports[1])
    whole = scan(sorted((row for row in rows if row["text"] and row["id"]), key=lambda row: row["id"]), unit="page")
    assert [list(ids) for ids in reports[0].page_groups()] == [list(ids) for ids in whole.page_groups()]
    assert [(s.reason, s.count) for s in reports[0].skipped] == [("text is no string", 1)]
    assert len(reports[0].errors) == 1
    half = table.where("hash(id) % 2 = 0 and text is not null")
    assert scan(table.where("hash(id) % 2 <> 0"), against=half, unit="page").summary.reference_pages == half.count()


def test_a_column_that_is_missing_is_answered_with_those_there_are(spark: Any) -> None:
    table = spark.createDataFrame([("a", "b")], "name string, words string")
    with pytest.raises(OptionError, match="no field text, content or body \\(there are: name, words\\)"):
        scan(table)
    assert len(scan(table, text_field="words", id_field="name").pages) == 1


FERRY = "The ferry to the island runs every hour from seven in the morning until nine at night, on market days twice."


def two_pages(spark: Any) -> Any:
    """Two rows of one text."""
    return spark.createDataFrame([("a", FERRY), ("b", FERRY)], "id string, text string")


def test_columns_that_nobody_asks_for_may_hold_anything(spark: Any) -> None:
    """Types that Arrow does not know, names with dots, in other cases or twice."""
    table = spark.sql(f"""select id, '{FERRY}' as `the.text`, interval '1' month as i, parse_json('[1]') as v, 1 as x, 2 as x,
                          'z' as `THE.TEXT` from values ('a'), ('b') as t(id)""")
    assert [list(ids) for ids in scan(table, text_field="the.text", unit="page").page_groups()] == [["a", "b"]]
    with pytest.raises(OptionError, match="several columns of the table are named x"):
        scan(table, text_field="the.text", meta=("x",))
    with pytest.raises(OptionError, match=r"There are: id, 'the.text', i, v, x, 'THE.TEXT', folder"):
        scan(table, text_field="the.text", between="paper")


def test_rows_of_one_id_and_one_text_are_ordered_by_what_else_they_carry(spark: Any) -> None:
    rows = [(name, FERRY, paper) for name in (None, "x") for paper in ("north", "south", "west", "east")]
    reports = {rendered(scan(spark.createDataFrame(some, "id string, text string, paper string").coalesce(count),
                             unit="page", meta=("paper",)))
               for some, count in ((rows, 1), (rows[::-1], 1), (rows[3:] + rows[:3], 2))}
    assert len(reports) == 1


def test_a_row_without_its_nested_text_is_named_by_its_id(spark: Any) -> None:
    table = spark.createDataFrame([("a", (FERRY,)), ("c", None)], "id string, doc struct<text: string>")
    assert [error.message.partition(":")[0] for error in scan(table, text_field="doc.text").errors] == ["row with id 'c'"]


def test_many_small_partitions_are_taken_together(spark: Any) -> None:
    held: list[Any] = []
    table = spark.range(400).selectExpr("cast(id as string) id", f"concat('{FERRY} ', id % 20) text").repartition(9)
    hold = spark_engine.SparkCluster.hold_table

    class Watched(spark_engine.SparkCluster):
        def hold_table(self, *args: Any) -> Any:
            held.append(hold(self, *args))
            return held[-1]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spark_engine, "SparkCluster", Watched)
        assert len(scan(table, find="exact").pages) == 400
    assert (held[0].count, held[0].rows.getNumPartitions()) == (9, 1)


def test_the_session_is_left_as_it_was(spark: Any) -> None:
    context = spark.sparkContext
    context.setJobGroup("mine", "my jobs")
    names = "spark.jobGroup.id", "spark.job.description", "spark.job.interruptOnCancel"
    before = [context.getLocalProperty(name) for name in names], dict(context.getConf().getAll())
    scan(two_pages(spark), unit="page")
    with pytest.raises(SparkError, match=r"^a task failed on Spark \(.*my own error"):
        scan(spark.sql("select 'a' as id, raise_error('my own error') as text"))
    assert ([context.getLocalProperty(name) for name in names], dict(context.getConf().getAll())) == before
    assert len(context._jsc.getPersistentRDDs()) == 0
    assert two_pages(spark).count() == 2


def test_workers_look_for_no_garbage_among_their_modules(spark: Any) -> None:
    """PySpark has them look after each task."""
    def frozen(_: int, least: int) -> bool:
        import gc
        import sys

        return gc.get_freeze_count() > least and "dedup.pipeline" in sys.modules
    with spark_engine.SparkCluster(spark.sparkContext, ("dedup.pipeline",)) as cluster:
        assert list(cluster.hold(frozen, [10_000]).map(splits.itself)) == [True]


def test_results_that_are_large_come_in_several_jobs(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's Java has not much memory."""
    from pyspark import SparkContext

    jobs: list[int] = []
    run_job = SparkContext.runJob
    monkeypatch.setattr(SparkContext, "runJob", lambda own, made, function, partitions: (
        jobs.append(len(partitions)), run_job(own, made, function, partitions))[1])
    with spark_engine.SparkCluster(spark.sparkContext) as cluster:
        held = cluster.hold(splits.itself, list(range(9)))
        assert list(held.map(splits.itself)) == list(range(9))
        assert list(held.map(splits.itself, spark_engine.MOST_TOGETHER // 4)) == list(range(9))
        assert list(held.map(splits.itself, 2 * spark_engine.MOST_TOGETHER)) == list(range(9))
    assert jobs == [9, 4, 4, 1, *[1] * 9]


def test_what_was_shared_is_gone(spark: Any) -> None:
    with spark_engine.SparkCluster(spark.sparkContext) as cluster:
        shared = cluster.share([1])
        assert shared.value == [1]
    assert shared._jbroadcast is not None
    assert not shared._jbroadcast.isValid()


def test_other_threads_scan_in_the_session_that_there_is(spark: Any, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(FERRY)
    table = two_pages(spark)
    with ThreadPoolExecutor(2) as pool:
        place = pool.submit(lambda: scan(tmp_path, engine="spark", unit="page"))
        rows = pool.submit(lambda: scan(table, unit="page"))
        assert [list(ids) for ids in rows.result().page_groups()] == [["a", "b"]]
        assert [list(ids) for ids in place.result().page_groups()] == [["a.txt", "b.txt"]]
    with pytest.raises(OptionError, match=r"master: a session runs already, on local\[2\]"):
        scan(tmp_path, engine="spark", master="spark://elsewhere:7077")


def test_rows_that_are_others_when_they_are_read_again_are_refused(spark: Any, tmp_path: Path,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition that was lost has fewer rows: also where a whole portion is missing then."""
    (tmp_path / "a.json").write_text("\n".join(json.dumps({"id": str(n), "text": FERRY}) for n in range(3)))
    table = spark.read.schema("id string, text string").json(str(tmp_path))
    plan = scanning.plan_parts

    def losing(*args: Any) -> Any:
        (tmp_path / "a.json").write_text("")
        for made in spark.sparkContext._jsc.getPersistentRDDs().values():
            made.unpersist()
        return plan(*args)
    monkeypatch.setattr(scanning, "plan_parts", losing)
    with pytest.raises(SparkError, match="the input changed while it was scanned"):
        scan(table, unit="page")


def test_what_could_not_be_read_is_not_read_again_to_be_forgotten(spark: Any, tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    def read(number: int, item: str) -> str:
        with calls.open("a") as file:
            file.write(item)
        if item == "b":
            raise ValueError(item)
        return item
    with spark_engine.SparkCluster(spark.sparkContext) as cluster:
        held = cluster.hold(read, ["a", "b"])
        with pytest.raises(SparkError, match="ValueError: b"):
            list(held.map(splits.itself))
        before = calls.read_text()
        held.release(splits.itself)
    assert calls.read_text() == before


def test_what_spark_says_of_itself_is_told_apart() -> None:
    need_spark()
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkImportError

    with pytest.raises(SparkError, match="Spark has ended: its master did not answer"), spark_errors.clear_errors():
        raise Py4JError("java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext.\n\tat x")
    broken = Py4JError("py4j fails to clean up")
    broken.__context__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt), spark_errors.clear_errors():
        raise broken
    lacking = PySparkImportError("[PACKAGE_NOT_INSTALLED] PyArrow >= 18.0.0 must be installed; however, it was not found.")
    with pytest.raises(MissingExtraError, match="PyArrow >= 18"), spark_errors.clear_errors():
        raise lacking


@pytest.mark.parametrize("module", ["dedup.distributed", "pyarrow"])
def test_a_package_that_executors_lack_is_named(module: str) -> None:
    from py4j.protocol import Py4JError

    need_spark()
    words = f"the executors have no package {module.partition('.')[0]}.* set PYSPARK_PYTHON before the session begins"
    with pytest.raises(SparkError, match=words), spark_errors.clear_errors():
        raise Py4JError(f"Traceback\nModuleNotFoundError: No module named '{module}'\n")


@pytest.mark.usefixtures("spark")
def test_what_has_no_meaning_on_spark_is_said(tmp_path: Path, spark: Any) -> None:
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    with pytest.raises(OptionError, match="Spark makes again what is lost"):
        scan(tmp_path, engine="spark", checkpoint=str(tmp_path))
    with pytest.raises(OptionError, match="a table and places cannot be compared"):
        scan(spark.createDataFrame([("a", "b")], "id string, text string"), against=tmp_path)
    with pytest.raises(OptionError, match="Spark reads places and its own tables, not a list"):
        scan(["a text"], engine="spark")


def test_a_session_of_spark_connect_is_told_and_other_errors_are_not_taken_for_one() -> None:
    need_pyspark()
    from pyspark.errors import PySparkAttributeError

    class Table:
        def __init__(self, error: Exception) -> None:
            self.error = error

        @property
        def sparkSession(self) -> Any:
            raise self.error
    said = PySparkAttributeError(errorClass="JVM_ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": "sparkContext"})
    with pytest.raises(OptionError, match="a session of Spark Connect cannot run a scan"):
        spark_session.context_of(Table(said), None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="something else"):
        spark_session.context_of(Table(ValueError("something else")), None)  # type: ignore[arg-type]


START = """
import os
import re
from dedup.engines.spark_session import spark_context
with spark_context("local[1]") as context:
    java = context._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()
    print([option for option in java if "Tiered" in option])
    known = context.getConf()
    print([known.get(f"spark.{name}") for name in ("executor.defaultJavaOptions", "shuffle.sort.bypassMergeThreshold")])
print([os.environ.get(f"SPARK_{name}_OPTS") for name in ("SUBMIT", "LAUNCHER")])
"""


@pytest.mark.parametrize(("environment", "java", "known", "left"), [
    pytest.param({}, [1], ["-XX:TieredStopAtLevel=1", "1"], [None, None], marks=pytest.mark.soak),
    ({"SPARK_SUBMIT_OPTS": "-XX:TieredStopAtLevel=2", "PYSPARK_SUBMIT_ARGS":
        "--driver-java-options -XX:TieredStopAtLevel=3 --conf spark.executor.defaultJavaOptions=-Dmine=1 "
        "--conf spark.shuffle.sort.bypassMergeThreshold=9 pyspark-shell"},
     [1, 2, 3], ["-Dmine=1", "9"], ["-XX:TieredStopAtLevel=2", None])])  # of several options, Java takes the last one
def test_a_session_of_our_own_has_a_quick_java_unless_somebody_says_otherwise(
        environment: dict[str, str], java: list[int], known: list[str], left: list[str | None]) -> None:
    need_spark()
    inherited = {name: value for name, value in os.environ.items() if not re.fullmatch("SPARK_.*_OPTS", name)}
    done = subprocess.run([sys.executable, "-c", START], env={**inherited, **environment}, capture_output=True, text=True,
                          timeout=300, check=True)
    options = [f"-XX:TieredStopAtLevel={level}" for level in java]
    assert done.stdout.splitlines() == [str(options), str(known), str(left)]


def run(where: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    known = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-m", "dedup", "scan", str(where), "--engine", "spark", *arguments], cwd=where,
                          env=known, capture_output=True, text=True, timeout=300, check=False)


def test_the_command_line_starts_and_ends_spark(tmp_path: Path) -> None:
    need_spark()
    shutil.copytree(ROOT / "examples" / "site", tmp_path / "site")
    done = run(tmp_path / "site", "--master", "local[2]", "--unit", "page", "-o", str(tmp_path / "r.json"), "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "r.json").read_text() == scan(tmp_path / "site", unit="page").to_json()


def test_spark_submit_runs_the_command_line(tmp_path: Path) -> None:
    need_spark()
    import pyspark

    shutil.copytree(ROOT / "examples" / "site", tmp_path / "site")
    submit = Path(pyspark.__file__).with_name("bin") / "spark-submit"
    settings = ["--master", "local[2]", "--conf", "spark.ui.enabled=false", "--conf", "spark.driver.host=127.0.0.1"]
    command = [str(submit), *settings, str(ROOT / "scripts" / "spark_submit.py"), "scan", str(tmp_path / "site"), "--engine",
               "spark", "--unit", "page", "-o", "r.json"]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "r.json").read_text() == scan(tmp_path / "site", unit="page").to_json()


def test_workers_without_the_package_are_named(tmp_path: Path) -> None:
    need_spark()
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    bare = tmp_path / "bare-python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    done = run(tmp_path, "--master", "local[1]", PYSPARK_PYTHON=str(bare), PYSPARK_DRIVER_PYTHON=sys.executable)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("dedup: the executors have no package dedup. Install dedup-toolkit")
    assert sys.executable in done.stderr


def test_without_java_it_says_how_to_get_it(tmp_path: Path) -> None:
    need_pyspark()
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    done = run(tmp_path, PATH=str(tmp_path), JAVA_HOME="")
    assert done.returncode == 2
    assert done.stderr.startswith("dedup: Spark needs Java, and there is none. Install Java 17 or newer")
    assert len(done.stderr.splitlines()) == 1


def test_a_java_home_without_java_is_named(tmp_path: Path) -> None:
    need_pyspark()
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    done = run(tmp_path, JAVA_HOME=str(tmp_path / "none"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"dedup: Spark needs Java, and there is none in JAVA_HOME ({tmp_path / 'none'}). Install")


def test_a_java_that_is_too_old_is_named(tmp_path: Path) -> None:
    need_pyspark()
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    java = tmp_path / "old" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\necho 'Error: LinkageError occurred while loading main class Main' >&2\n"
                    "echo '  java.lang.UnsupportedClassVersionError: compiled by a more recent version' >&2\nexit 1\n")
    java.chmod(0o755)
    done = run(tmp_path, JAVA_HOME=str(tmp_path / "old"))
    assert (done.returncode, done.stderr) == (
        2, "dedup: Spark needs a newer Java than there is. Install Java 17 or newer, or set JAVA_HOME.\n")


def test_arguments_without_the_shell_are_explained(tmp_path: Path) -> None:
    need_spark()
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    done = run(tmp_path, PYSPARK_SUBMIT_ARGS="--conf spark.driver.memory=1g")
    assert done.returncode == 2
    assert done.stderr.endswith("(Error: Missing application resource.). PYSPARK_SUBMIT_ARGS must end in pyspark-shell.\n")


@pytest.mark.skipif(os.name == "nt", reason="there are other signals there")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_a_signal_amid_a_job_ends_it_without_a_word(tmp_path: Path, number: signal.Signals) -> None:
    need_spark()
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    script = tmp_path / "wait.py"
    script.write_text(f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from dedup import cli
from dedup.distributed import scan
def hear(number, portion):
    print("it runs", file=open({str(tmp_path / "runs")!r}, "w"), flush=True)
    time.sleep(60)
scan.hear = hear
sys.argv[1:] = ["scan", {str(tmp_path)!r}, "--engine", "spark", "--master", "local[1]"]
if __name__ == "__main__":
    cli.main()
""")
    with subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 120
        while not (tmp_path / "runs").exists() and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(1)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (128 + number, "", "")


def test_an_interrupt_of_python_is_what_it_was() -> None:
    def state() -> tuple[Any, ...]:
        return signal.getsignal(signal.SIGINT), list(logging.root.filters), logging.getLogger("py4j").level
    before = state()
    with spark_session._plain_interrupts() as as_before:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a context of PySpark sets its own
        assert not logging.root.filter(logging.LogRecord("root", 40, "py4j/java_gateway.py", 1, "", (), None))
        as_before()
        assert signal.getsignal(signal.SIGINT) == before[0]
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert state() == before


@pytest.mark.parametrize(("said", "cause"), [
    ("An error occurred.\n: org.apache.spark.SparkException: Job aborted: TaskResultLost\n\tat x", "Java ran out of"),
    ("x\n\tat y\nCaused by: java.lang.OutOfMemoryError: Java heap space\n", "Java ran out of memory"),
    ("x\n: org.apache.spark.SparkException: Job aborted\n\tat y\nCaused by: java.io.IOException: No space left\n\tat z",
     "java.io.IOException: No space left"),
    ("nothing that names an error", "nothing that names an error"),
])
def test_the_cause_is_found_in_traces_of_java(said: str, cause: str) -> None:
    assert spark_errors.cause_of(said).startswith(cause)


@pytest.mark.usefixtures("spark")
def test_a_task_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    monkeypatch.setattr(scanning, "hear", read_portion)  # which wants something else
    with pytest.raises(SparkError, match=r"^a task failed on Spark \(TypeError: read_portion.*\)\. The executors' logs"):
        scan(tmp_path, engine="spark")
