"""Our engine on Spark beside that of one machine and a job written by hand: ``python -m benchmarks.spark [--bytes 200MB]``.

Each is a process whose whole tree is measured; what Spark did comes from its event log. ``-o FILE`` keeps the figures, beside
those that are there of other corpora; ``python -m benchmarks.spark.page`` makes docs/scale.md of it.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.__main__ import CACHE, ROOT, _git, corpus, machine, versions
from benchmarks.corpus import VERSION, parse_size, truth_of
from benchmarks.measure import CommandFailed
from benchmarks.peers import quality, truth
from benchmarks.peers.__main__ import LARGE, describe, say
from benchmarks.peers.tables import number, share, table
from benchmarks.peers.tools import Groups, read_groups
from benchmarks.spark import event_log, skew, tree

FORMAT = "dedup-bench-spark/1"
MASTER = "local-cluster[2,1,4096]"
SETTINGS = {"spark.executor.memory": "2g", "spark.driver.memory": "2g"}  # of both jobs on Spark
PLANTED = ("copy", "append", "near-page")  # kinds of whole pages that stand twice
Row = dict[str, Any]
LONGEST_WAIT = 300  # seconds for the machine to come to rest; what is measured before leaves it at work


class Job(NamedTuple):
    """What is measured: its name, its module, and whether it runs on Spark."""

    name: str
    module: str
    on_spark: bool


ALONE, SPARK, HAND = JOBS = (Job("dedup, one machine", "benchmarks.peers.ours", False),
                             Job("dedup on Spark", "benchmarks.peers.ours", True),
                             Job("MinHash by hand", "benchmarks.spark.minhash_job", True))


def main(arguments: list[str] | None = None) -> int:
    """Measure what is asked for, print tables, keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark", description=__doc__.split("\n")[0])
    parser.add_argument("--bytes", nargs="+", type=parse_size, default=[parse_size("200MB")], help="corpora: 200MB, 2GB")
    parser.add_argument("--master", default=MASTER, help=f"where Spark runs; default {MASTER}")
    parser.add_argument("--skew", action="store_true", help="the corpus in which few texts are most rows")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of Spark, of both jobs")
    parser.add_argument("--hand-up-to", type=parse_size, default=parse_size("3GB"), metavar="SIZE",
                        help="corpora above it are not for the job written by hand, which takes too long; default 3GB")
    parser.add_argument("--limit", type=float, default=7200.0, help="seconds that a job may take; default 7200")
    parser.add_argument("-o", "--output", type=Path, help="result file; what it has of other corpora stays")
    asked = parser.parse_args(arguments)
    if not Path("/proc/self/smaps_rollup").exists():
        parser.error("memory is read from /proc, which this system does not have")
    settings = SETTINGS | dict(text.split("=", 1) for text in asked.set)
    failed = False
    for size in asked.bytes:
        file = skewed(size) if asked.skew else corpus(size, 0)
        jobs = [job for job in JOBS if job is not HAND or size <= asked.hand_up_to]
        come_to_rest()
        entry = measure(file, "skew" if asked.skew else "corpus", size, asked.master, settings, asked.limit, jobs)
        print(f"{summary(entry)}\n", flush=True)
        failed |= any("failed" in row for row in entry["jobs"])
        if asked.output:
            keep(asked.output, entry)
    return int(failed)


def come_to_rest() -> None:
    """Wait until less than half of the cores has had work for a minute, or for no longer than is sensible."""
    until = time.monotonic() + LONGEST_WAIT
    while os.getloadavg()[0] > (os.cpu_count() or 1) / 2 and time.monotonic() < until:
        time.sleep(5)


def skewed(size: int) -> Path:
    """The skewed corpus of a size, made once and kept under build/."""
    CACHE.mkdir(parents=True, exist_ok=True)
    file = CACHE / f"skew-v{VERSION}-{size}.jsonl"
    if not file.exists():
        part = file.with_name(file.name + ".part")
        skew.write(part, size)
        part.rename(file)
    return file


def measure(file: Path, kind: str, size: int, master: str, settings: dict[str, str], limit: float,
            jobs: Sequence[Job] = JOBS) -> Row:
    """What jobs take on a file, and how good their groups are."""
    entry: Row = {"kind": kind, "asked": size, "date": datetime.date.today().isoformat(), "commit": _git("rev-parse", "HEAD"),
                  "dirty": bool(_git("status", "--porcelain")), "machine": machine(), "master": master, "settings": settings,
                  "versions": versions() | {"pyspark": importlib.metadata.version("pyspark")}, "jobs": []}
    entry |= about(file, kind)
    found: dict[str, Groups] = {}
    for job in jobs:
        row, groups = one(job, file, master, settings, limit)
        entry["jobs"].append({"job": job.name} | row)
        if groups is not None:
            found[job.name] = groups
            entry["jobs"][-1] |= goodness(groups, file, kind)
        say(f"{file.name}: {job.name}: {row.get('failed') or '{cpu:.1f} s of CPU, {wall:.1f} s'.format(**row)}")
    if ALONE.name in found and SPARK.name in found:
        entry["same_groups"] = found[ALONE.name] == found[SPARK.name]
    entry["machine"]["load_at_the_end"] = os.getloadavg()
    return entry


def about(file: Path, kind: str) -> Row:
    """Size and rows of a file; of the corpus also its exact pairs, where there are not too many bytes."""
    if kind == "corpus":
        told = describe(file, 0)
        return {name: told[name] for name in ("bytes", "text_bytes", "documents", "exact_pairs") if name in told}
    rows = [json.loads(line) for line in file.open(encoding="utf-8")]
    return {"bytes": file.stat().st_size, "text_bytes": sum(len(row["text"].encode()) for row in rows),
            "documents": len(rows)}


def one(job: Job, file: Path, master: str, settings: dict[str, str], limit: float) -> tuple[Row, Groups | None]:
    """The figures of a job, or why it failed; and its groups."""
    with tempfile.TemporaryDirectory(prefix="bench-spark-") as folder:
        out, log = Path(folder, "groups.jsonl"), Path(folder, "log")
        log.mkdir()
        command = [sys.executable, "-m", job.module, str(file.resolve()), str(out), *([master] if job.on_spark else [])]
        environment = {"PYSPARK_SUBMIT_ARGS": event_log.submit_arguments(log, settings)} if job.on_spark else {}
        try:
            taken = tree.run(command, ROOT, limit, environment)
        except CommandFailed as error:
            return {"failed": str(error)}, None
        row = {name: round(value, 3) for name, value in asdict(taken).items() if name != "output"}
        return row | (event_log.read(log).figures() if job.on_spark else {}), read_groups(out)


def goodness(groups: Groups, file: Path, kind: str) -> Row:
    """How good groups are: against the exact pairs, against what was planted, or against how a skewed corpus was made."""
    if kind == "skew":
        counts = Counter(json.loads(line)["id"].partition("-")[0] for line in file.open(encoding="utf-8"))
        return {"planned": skew.planned(groups, counts)}
    found: Row = {"planted": planted(groups, file)}
    if file.stat().st_size <= LARGE:
        ids, pairs, _ = truth.pairs(file)
        found["quality"] = quality.measure(groups, ids, pairs)._asdict()
    return found


def planted(groups: Groups, file: Path) -> float:
    """Share of the pages planted again, at a Jaccard similarity of .8 and more, that are in a group with what they copy."""
    group = {name: i for i, names in enumerate(groups) for name in names}
    together = total = 0
    for line in truth_of(file).open(encoding="utf-8"):
        copy = json.loads(line)
        if copy["kind"] in PLANTED and copy["jaccard"] >= truth.THRESHOLD:
            total += 1
            together += copy["a"] in group and group[copy["a"]] == group.get(copy["b"])
    return together / total if total else 1.0


def keep(file: Path, entry: Row) -> None:
    """Put figures into a result file, in place of former ones of the same corpus."""
    entries = json.loads(file.read_text(encoding="utf-8"))["entries"] if file.exists() else []
    entries = [old for old in entries if (old["kind"], old["asked"]) != (entry["kind"], entry["asked"])]
    entries = sorted([*entries, entry], key=lambda one: (one["kind"], one["asked"]))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"format": FORMAT, "entries": entries}, indent=1) + "\n", encoding="utf-8")


def summary(entry: Row) -> str:
    """Tables for a terminal."""
    rows = {row["job"]: row for row in entry["jobs"]}
    before, after = (entry["machine"][name][0] for name in ("load", "load_at_the_end"))
    lines = [f"{entry['kind']}, {entry['bytes'] / 1e6:.0f} MB, {entry['documents']:,} documents, {entry['master']}; load "
             f"{before:.1f} to {after:.1f}", costs(entry), evenness(entry)]
    spark = rows[SPARK.name]
    if "failed" not in spark:
        lines += [f"{SPARK.name}: {number(spark['cpu'] / row['cpu'])} x the CPU of {name}" for name, row in rows.items()
                  if name != SPARK.name and "failed" not in row]
    lines += [f"the largest task of {name}: {said}" for name, row in rows.items() if (said := largest_task(row))]
    if "same_groups" in entry:
        lines.append(f"the groups of Spark are {'those' if entry['same_groups'] else 'NOT those'} of one machine")
    return "\n".join(lines)


def costs(entry: Row) -> str:
    """What each job takes, and how good it is."""
    skewed_one = entry["kind"] == "skew"
    head = ["job", "CPU s", "wall s", "peak MB", "largest worker MB", "disk MB", "shuffled MB", "spilled MB", "cached MB",
            "to the driver MB", *(["near-copies together", "equal ones together", "others grouped"] if skewed_one
                                  else ["planted found", "recall", "precision", "pair precision"])]
    return table(head, [[row["job"], *_figures(row, skewed_one)] for row in entry["jobs"]])


def _figures(row: Row, skewed_one: bool) -> list[str]:
    if "failed" in row:
        return [f"failed: {row['failed']}"]
    of_spark = [number(row[name] / 1e6) if name in row else "" for name in ("shuffled", "spilled", "cached", "results")]
    good = row["planned"] if skewed_one else {"planted": row["planted"]} | row.get("quality", {})
    names = ("near", "same", "others") if skewed_one else ("planted", "recall", "precision", "pair_precision")
    memory = [number((row.get(name) or math.nan) / 1e6) for name in ("peak", "peak_worker", "disk")]
    return [number(row["cpu"]), number(row["wall"]), *memory, *of_spark, *(share(good.get(name)) for name in names)]


def largest_task(row: Row) -> str:
    """What the largest task of a job has of the mean of its stage, by time and by bytes that it read of other stages.

    Stages of one task, and those with less than a twentieth of all, do not count.
    """
    found = []
    for figure, unit in (("longest", "time"), ("most_fetched", "bytes")):
        sums = [(stage["mean"] * stage["tasks"] if figure == "longest" else stage["fetched"], stage)
                for stage in row.get("stages", []) if figure in stage]
        least = sum(size for size, _ in sums) / 20
        shares = [(stage[figure] * stage["tasks"] / size, stage["name"]) for size, stage in sums
                  if size >= least and size > 0 and stage["tasks"] > 1]
        if shares:
            share_of_mean, name = max(shares)
            found.append(f"{number(share_of_mean)} x the mean {unit} ({name})")
    return ", ".join(found)


def evenness(entry: Row) -> str:
    """How long the tasks of each stage on Spark take."""
    rows = [[row["job"], stage["name"], f"{stage['tasks']}", number(stage["mean"]), number(stage["longest"]),
             number(stage["longest"] / stage["mean"]) if stage["mean"] else "", number(stage["shuffled"] / 1e6),
             number(stage["results"] / 1e6)] for row in entry["jobs"] for stage in row.get("stages", [])]
    return table(["job", "stage", "tasks", "mean s", "longest s", "longest / mean", "shuffled MB", "to the driver MB"], rows)


if __name__ == "__main__":
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        sys.exit("Spark needs Java, and there is none")
    sys.exit(main())
