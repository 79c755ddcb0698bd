"""A scan on Spark gives the bytes of one machine; and what goes wrong there is one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
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
from dedup.engines.spark import SparkError
from tests.contracts.test_same_bytes import folder, rendered  # noqa: F401  (a fixture)
from tests.spark_help import need_spark

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
    with pytest.raises(OptionError, match="no field text or content or body \\(there are: name, words\\)"):
        scan(table)
    assert len(scan(table, text_field="words", id_field="name").pages) == 1


@pytest.mark.usefixtures("spark")
def test_what_has_no_meaning_on_spark_is_said(tmp_path: Path, spark: Any) -> None:
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    with pytest.raises(OptionError, match="Spark makes again what is lost"):
        scan(tmp_path, engine="spark", checkpoint=str(tmp_path))
    with pytest.raises(OptionError, match="a table and places cannot be compared"):
        scan(spark.createDataFrame([("a", "b")], "id string, text string"), against=tmp_path)
    with pytest.raises(OptionError, match="Spark reads places and its own tables, not a list"):
        scan(["a text"], engine="spark")


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


def test_without_java_it_says_how_to_get_it(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    done = run(tmp_path, PATH=str(tmp_path), JAVA_HOME="")
    assert done.returncode == 2
    assert done.stderr.startswith("dedup: Spark needs Java, and there is none. Install Java 17 or newer")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("said", "cause"), [
    ("An error occurred.\n: org.apache.spark.SparkException: Job aborted: TaskResultLost\n\tat x", "Java ran out of"),
    ("x\n\tat y\nCaused by: java.lang.OutOfMemoryError: Java heap space\n", "Java ran out of memory"),
    ("x\n: org.apache.spark.SparkException: Job aborted\n\tat y\nCaused by: java.io.IOException: No space left\n\tat z",
     "java.io.IOException: No space left"),
    ("nothing that names an error", "nothing that names an error"),
])
def test_the_cause_is_found_in_traces_of_java(said: str, cause: str) -> None:
    assert spark_engine._cause(said).startswith(cause)


@pytest.mark.usefixtures("spark")
def test_a_task_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("Some words that stand here.")
    monkeypatch.setattr(scanning, "hear", read_portion)  # which wants something else
    with pytest.raises(SparkError, match=r"^a task failed on Spark \(TypeError: read_portion.*\)\. The executors' logs"):
        scan(tmp_path, engine="spark")
