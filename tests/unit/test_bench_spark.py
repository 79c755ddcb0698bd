"""The benchmark on Spark: bands, event log, process tree, skewed corpus, the page made of its result. No Spark runs here."""

import doctest
import json
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from benchmarks.measure import CommandFailed
from benchmarks.peers.truth import grams
from benchmarks.spark import __main__ as runner
from benchmarks.spark import event_log, minhash_job, page, skew, tree

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "spark.json"
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are read from /proc")


@pytest.mark.parametrize(("threshold", "hashes"), [(0.8, 128), (0.5, 128), (0.9, 64), (0.7, 100), (0.8, 9)])
def test_bands_are_those_that_datasketch_chooses(threshold, hashes):
    lsh = pytest.importorskip("datasketch.lsh")
    assert minhash_job.best_bands(threshold, hashes) == lsh._optimal_param(threshold, hashes, 0.5, 0.5)


def test_the_examples_of_the_job_hold():
    assert doctest.testmod(minhash_job).failed == 0


def test_equal_sets_share_all_buckets_and_unlike_ones_none():
    pytest.importorskip("xxhash")
    factors = minhash_job.permutations(128)
    one, same, other = (list(minhash_job.buckets(text, factors, 9, 13)) for text in
                        ("a b c d e f g", "A b, c d e f g!", "h i j k l m n"))
    assert one == same
    assert [band for band, _ in one] == list(range(9))
    assert not set(one) & set(other)
    assert list(minhash_job.buckets("", factors, 9, 13)) == []
    assert len(minhash_job.shingles("two words")) == 1


def test_a_bucket_is_a_star_around_its_least_name():
    assert minhash_job.star(["c", "a", "b", "a"]) == [("a", "b"), ("a", "c")]
    assert minhash_job.star(["a"]) == []


def submitted(number, name, described=None):
    return {"Event": "SparkListenerStageSubmitted", "Stage Info": {"Stage ID": number, "Stage Name": name},
            "Properties": {"spark.job.description": described} if described else {}}


def task(stage, milliseconds, written=0, spilled=0, result=10, reason="Success"):
    metrics = {"Executor Run Time": milliseconds, "Result Size": result, "Disk Bytes Spilled": spilled,
               "Shuffle Write Metrics": {"Shuffle Bytes Written": written},
               "Shuffle Read Metrics": {"Remote Bytes Read": 3, "Local Bytes Read": 4}}
    return {"Event": "SparkListenerTaskEnd", "Stage ID": stage, "Task End Reason": {"Reason": reason},
            "Task Metrics": metrics}


def block(name, size, executor="0"):
    return {"Event": "SparkListenerBlockUpdated", "Block Updated Info": {
        "Block Manager ID": {"Executor ID": executor}, "Block ID": name, "Disk Size": size}}


EVENTS = [{"Event": "SparkListenerApplicationStart"}, submitted(0, "collect at /there/a.py:1", "dedup: hear"),
          submitted(1, "flatMap at /some/where/b.py:2"), submitted(2, "skipped"),
          block("rdd_1_0", 100), task(0, 1000, 50), block("rdd_1_1", 70, "1"), block("broadcast_0", 900),
          task(0, 3000, 70, 5), task(1, 500), task(1, 100, reason="ExecutorLostFailure"),
          block("rdd_1_0", 0), block("rdd_1_0", 60), block("rdd_1_1", 0, "1")]


def test_the_event_log_tells_what_the_largest_task_read():
    assert [(stage.fetched, stage.most_fetched) for stage in event_log.told(EVENTS).stages] == [(14, 7), (7, 7)]


def test_the_event_log_tells_bytes_and_times_by_stage():
    told = event_log.told(EVENTS)
    assert [(stage.name, stage.tasks, stage.longest, stage.mean) for stage in told.stages] == [
        ("dedup: hear", 2, 3.0, 2.0), ("flatMap at b.py:2", 1, 0.5, 0.5)]
    assert told.figures() | {"stages": []} == {"stages": [], "cached": 170, "failed_tasks": 1, "shuffled": 120, "fetched": 21,
                                               "spilled": 5, "results": 30}


def test_jobs_that_do_the_same_for_other_partitions_are_one_stage():
    jobs = [submitted(0, "a", "dedup: hear"), task(0, 1000, 0), task(0, 3000, 0), submitted(1, "a", "dedup: hear"),
            task(1, 5000, 0), submitted(2, "a", "dedup: hear"), task(2, 100, 50)]
    assert [(stage.tasks, stage.longest, stage.mean, stage.results, stage.most_fetched, stage.shuffled)
            for stage in event_log.told(jobs).stages] == [(3, 5.0, 3.0, 30, 7, 0), (1, 0.1, 0.1, 10, 7, 50)]


def test_the_largest_task_is_told_with_its_share_of_the_mean():
    stages = [{"name": "even", "tasks": 4, "mean": 2.0, "longest": 3.0, "fetched": 400, "most_fetched": 200},
              {"name": "one", "tasks": 1, "mean": 9.0, "longest": 9.0, "fetched": 90, "most_fetched": 90},
              {"name": "short", "tasks": 9, "mean": 0.01, "longest": 0.08, "fetched": 9, "most_fetched": 9},
              {"name": "uneven", "tasks": 2, "mean": 1.0, "longest": 1.8, "fetched": 100, "most_fetched": 60}]
    assert runner.largest_task({"stages": stages}) == "1.80 x the mean time (uneven), 2.00 x the mean bytes (even)"
    assert runner.largest_task({}) == ""


def test_the_log_of_one_application_is_read_and_two_are_an_error(tmp_path):
    (tmp_path / "local-1").write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    (tmp_path / ".local-1.crc").write_text("")
    assert event_log.read(tmp_path) == event_log.told(EVENTS)
    (tmp_path / "local-2").write_text("")
    with pytest.raises(ValueError, match="2 event logs"):
        event_log.read(tmp_path)


def test_the_arguments_switch_the_log_on_and_hold_more_settings(tmp_path):
    said = event_log.submit_arguments(tmp_path, {"spark.executor.memory": "2g"})
    assert f"--conf spark.eventLog.dir=file://{tmp_path} " in said
    assert said.endswith("--conf spark.executor.memory=2g pyspark-shell")


BURN = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\n"
HOLD = "held = bytearray(b'x') * {}\n"


@linux
def test_what_outlives_a_command_counts_its_time_and_its_memory(tmp_path):
    orphan = HOLD.format(60_000_000) + BURN.format(0.4) + "time.sleep(0.2)"
    started = (f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {orphan!r}], start_new_session=True); "
               "print('gone')")
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {started!r}])"
    taken = tree.run([sys.executable, "-c", code], ROOT)
    assert taken.output == "gone\n"
    assert taken.cpu >= 0.4
    assert taken.peak >= taken.peak_worker > 60_000_000
    assert taken.peak_jvm == 0


@linux
def test_files_count_as_long_as_they_are_there_also_those_without_a_name():
    code = ("import mmap, os, tempfile, time\n"
            "def write(name, size):\n"
            "    with open(name, 'wb+') as file: file.write(bytes(size)); file.flush(); return mmap.mmap(file.fileno(), 0)\n"
            "folder = tempfile.gettempdir()\n"
            "mapped = write(folder + '/mapped', 30_000_000); os.unlink(folder + '/mapped')\n"
            "named = write(os.environ['SPARK_LOCAL_DIRS'] + '/named', 20_000_000)\n"
            "time.sleep(2.5); print(folder)")
    taken = tree.run([sys.executable, "-c", code], ROOT)
    assert 50_000_000 <= taken.disk < 60_000_000
    assert not Path(taken.output.strip()).exists()


@linux
def test_a_child_that_nobody_waits_for_counts_its_time():
    worker = BURN.format(0.6) + "time.sleep(0.3)"
    code = ("import signal, subprocess, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
            f"subprocess.Popen([sys.executable, '-c', {worker!r}]).wait()")
    assert 0.5 < tree.run([sys.executable, "-c", code], ROOT).cpu < 5


def test_a_jvm_about_to_start_a_program_is_not_counted_twice():
    driver, executor, python = ("java", "submit"), ("java", "executor"), ("python3.11", "-m daemon")
    processes = {1: (0, python), 2: (1, driver), 3: (2, driver), 4: (2, executor), 5: (4, executor), 6: (4, python),
                 7: (6, python), 8: (2, ())}
    assert tree.being_started(processes) == {3, 5}
    assert tree.program(1 << 30) == ()


@linux
def test_a_command_that_fails_or_takes_too_long_says_so():
    with pytest.raises(CommandFailed, match="exit status 1: ValueError: no such thing"):
        tree.run([sys.executable, "-c", "raise ValueError('no such thing')"], ROOT)
    with pytest.raises(CommandFailed, match=r"not done after 0\.5 s"):
        tree.run([sys.executable, "-c", "import time; time.sleep(60)"], ROOT, 0.5)


def test_a_measurement_waits_for_what_the_last_one_left(monkeypatch):
    loads = iter([(90.0, 0, 0), (80.0, 0, 0), (0.0, 0, 0)])
    waited = []
    monkeypatch.setattr("os.getloadavg", lambda: next(loads))
    monkeypatch.setattr("time.sleep", waited.append)
    runner.come_to_rest()
    assert len(waited) == 2
    monkeypatch.setattr("os.getloadavg", lambda: (90.0, 0, 0))
    now = iter(range(0, 10_000, 100))
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    runner.come_to_rest()
    assert len(waited) == 4


def test_a_skewed_corpus_has_the_kinds_it_says():
    rows = [json.loads(line) for line in islice(skew.lines(), 600)]
    texts = {kind: [row["text"] for row in rows if row["id"].startswith(kind)] for kind in skew.KINDS}
    shares = np.array([len(texts[kind]) for kind in skew.KINDS]) / len(rows)
    assert np.abs(shares - skew.CHANCES).max() < 0.06
    assert len({row["id"] for row in rows}) == len(rows)
    assert len(set(texts["same"])) == 1
    assert len({text.partition("\n")[2] for text in texts["block"]}) == 1
    assert len(set(texts["near"])) > 0.9 * len(texts["near"])
    numbers = {}
    page_, *copies = (set(grams(text, numbers).tolist()) for text in [texts["same"][0], *texts["near"][:50]])
    assert np.mean([len(page_ & copy) / len(page_ | copy) for copy in copies]) > 0.8
    assert [json.loads(line) for line in islice(skew.lines(), 5)] == rows[:5]


def test_groups_of_a_skewed_corpus_are_measured_by_how_it_was_made():
    counts = Counter(near=4, same=4, block=2, own=2)
    groups = [["near-1", "near-2", "near-3", "same-1", "same-2"], ["block-1", "near-4"]]
    assert skew.planned(groups, counts) == {"near": 0.75, "same": 0.5, "others": 0.25}


def test_planted_pages_are_found_where_both_are_in_one_group(tmp_path):
    file = tmp_path / "a.jsonl"
    copies = [("copy", 1.0, "a", "b"), ("append", 0.99, "a", "c"), ("near-page", 0.7, "a", "d"), ("near-page", 0.8, "c", "d"),
              ("block", 1.0, "a", "e")]
    (tmp_path / "a.jsonl.truth").write_text("".join(
        json.dumps({"kind": kind, "jaccard": alike, "a": a, "b": b}) + "\n" for kind, alike, a, b in copies))
    assert runner.planted([["a", "b"], ["d", "e"]], file) == pytest.approx(1 / 3)
    assert runner.planted([["a", "b", "c", "d"]], file) == 1.0


STAGES = [{"name": "dedup: hear", "tasks": 4, "longest": 3.0, "mean": 2.0, "shuffled": 0, "fetched": 0, "spilled": 0,
           "results": 4_000_000},
          {"name": "dedup: send_texts", "tasks": 4, "longest": 1.0, "mean": 1.0, "shuffled": 0, "fetched": 0, "spilled": 0,
           "results": 90_000_000}]


def entry(size, cpu, kind="corpus", load=0.1, **more):
    good = ({"planned": {"near": 1.0, "same": 1.0, "others": 0.0}} if kind == "skew" else
            {"planted": 1.0, "quality": {"recall": 0.99999, "precision": 1.0, "pair_precision": 1.0}})
    figures = {"cpu": cpu, "wall": cpu, "peak": size, "peak_worker": 1_000_000, "peak_jvm": 1_000_000} | good
    spark = {"shuffled": size // 2, "fetched": 0, "spilled": 0, "cached": size // 4, "results": 94_000_000, "failed_tasks": 0}
    return {"kind": kind, "asked": size, "bytes": size, "documents": 1000, "date": "2026-01-02", "commit": "0123456789abcdef",
            "dirty": False, "master": "local[2]", "settings": {"spark.executor.memory": "2g"}, "same_groups": True,
            "machine": {"processor": "CPU", "cores": 2, "load": [load, 0, 0], "load_at_the_end": [0.2, 0, 0]},
            "versions": {"pyspark": "4.3", "python": "3.11"},
            "jobs": [{"job": "dedup, one machine"} | figures | {"cpu": cpu / 4},
                     {"job": "dedup on Spark", "stages": STAGES} | figures | spark,
                     {"job": "MinHash by hand", "stages": []} | figures | spark | {"cpu": cpu * 5}]} | more


def test_the_page_compares_and_projects_from_the_slope_of_two_sizes():
    made = page.page({"entries": [entry(200_000_000, 30.0), entry(2_000_000_000, 210.0)]})
    assert "On Spark it takes 4.00 times the CPU of one machine; the job by hand takes 5.00 times" in made
    assert "The groups of Spark are those of one machine." in made
    assert "| 2,000 MB | 105 | 0.50 | 0 | 0.25 | 0.002 | 1.00 |  |" in made
    # 180 s for 1.8 GB: 100 s a GB, 27.8 hours a TB, 1.39 dollars; .5 TB shuffled, .25 TB cached, 2 GB to the driver
    assert "| 1 TB | 27.8 | 1.74 | $1.39 | 0.50 | 0.25 | 2.00 |" in made
    assert "enough for about 128 TB" in made
    assert "* **100 TB**: one scan." in made
    assert "preliminary" not in made
    assert "## Skew" not in made


def test_a_loaded_machine_a_failure_and_other_groups_are_said():
    one = entry(200_000_000, 30.0, load=5.0, same_groups=False)
    made = page.page({"entries": [one, entry(200_000_000, 30.0, "skew")]})
    assert "**loaded machine, preliminary**" in made
    assert "**The groups of Spark are not those of one machine.**" in made
    assert "## Skew" in made
    assert "start-up included" in made
    one["jobs"][1] = {"job": "dedup on Spark", "failed": "not done after 9 s"}
    made = page.page({"entries": [one]})
    assert "**dedup on Spark failed: not done after 9 s.**" in made
    assert "Projection" not in made


def test_a_job_that_was_not_run_is_compared_with_nothing():
    one = entry(10_000_000_000, 30.0)
    del one["jobs"][2]
    made = page.page({"entries": [one]})
    assert "On Spark it takes" in made
    assert "by hand takes" not in made


def test_where_the_driver_is_too_small_the_plan_says_how_many_scans():
    assert "* **100 TB**: 40 scans of a part each" in page.plan(0.1)
    assert "* **1 TB**: one scan." in page.plan(0.1)


def test_figures_of_a_corpus_take_the_place_of_its_former_ones(tmp_path):
    file = tmp_path / "results" / "spark.json"
    for one in (entry(2, 1.0), entry(1, 1.0), entry(1, 1.0, "skew"), entry(1, 9.0)):
        runner.keep(file, one)
    kept = json.loads(file.read_text())
    assert kept["format"] == runner.FORMAT
    assert [(one["kind"], one["asked"], one["jobs"][1]["cpu"]) for one in kept["entries"]] == [
        ("corpus", 1, 9.0), ("corpus", 2, 1.0), ("skew", 1, 1.0)]
    assert "dedup on Spark: 4.00 x the CPU of dedup, one machine" in runner.summary(kept["entries"][0])


def test_the_page_is_what_the_command_makes_of_the_committed_result(tmp_path):
    made = tmp_path / "page.md"
    page.main([str(RESULT), "-o", str(made)])
    assert (ROOT / "docs" / "scale.md").read_text(encoding="utf-8") == made.read_text(encoding="utf-8"), "make scale-page"


def test_the_committed_result_names_neither_the_machine_nor_its_folders():
    text = RESULT.read_text(encoding="utf-8")
    assert json.loads(text)["format"] == runner.FORMAT
    assert not [word for word in ("/tmp", "/home", "/root", "/work", "http", "hostname") if word in text]
