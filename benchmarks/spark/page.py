"""Make docs/scale.md of a result file: ``python -m benchmarks.spark.page RESULT.json [-o docs/scale.md]``.

All figures come from the result file, but those of others, which stand here with their sources.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.peers.tables import number, table
from benchmarks.spark.__main__ import ALONE, HAND, SPARK, costs, evenness

Row = dict[str, Any]
PRICE = 0.05  # dollars for an hour of a virtual core with 4 GB; a reader puts in their own
SIZES = {"1 TB": 10**12, "100 TB": 10**14}
MACHINE_CORES, DRIVER_GB = 16, 512
TOKEN_BYTES = 4  # of text, where others count tokens
MB, GB, TB = 10**6, 10**9, 10**12

TOP = """# On Spark: scale

<!-- Made from benchmarks/results/spark.json by `make scale-page`. A test holds the two equal. -->

What `dedup scan --engine spark` takes beside the same scan on one machine and beside a job as PySpark's users write it by
hand, and what follows for collections that no machine of ours holds. What is measured and what is projected stand apart.
How it works, and its limits: [On Spark](spark.md).
"""

MEASURED = """## Measured

Near-duplicate pages at a Jaccard similarity of .8 (`--unit page`), JSON lines in, groups of ids out, on the corpus of the
[other benchmarks](benchmarks.md). Each job is a process; CPU seconds are of all that it starts (driver, JVMs, Python workers)
to the very end, start-up included; memory is the most private memory of all of them at one time, disk the most that their
temporary files take, those of Spark, too. What is shuffled, spilled, cached on disk and sent to the driver is what Spark's
own event log says. MB are 10^6 bytes.

*MinHash by hand* is [a job](../benchmarks/spark/minhash_job.py) in the manner of BigCode's and text-dedup's
`minhash_spark.py`: word 5-grams, 128 permutations by NumPy, 9 bands of 13 rows (datasketch's formula), `groupByKey`, nothing
verified; where theirs can be had cheaper, this one is. *Planted found*: share of the pages planted again, from .8 on, that
end in a group with what they copy. *Recall*, *precision*, *pair precision*: against the exact pairs, as
[beside other tools](benchmarks.md).
"""

BYTE = """## For each byte of input

From the figures above, bytes a byte of input. *To the driver* is without the texts: those of pages in which something was
found come to the driver.
"""

SKEW = """## Skew

A corpus in which few texts are most rows: 30 % near-copies of one page, 30 % that page again and again, 30 % pages with the
same block of 60 words below, 10 % other pages; all of 400 words. *Together*: the share of them in their largest group.
*Others grouped* should be 0: those pages are alike in one block only.
"""

PROJECTED = """## Projection: 1 TB and 100 TB

**Nothing in this section is measured.** It is arithmetic: CPU grows with the bytes, as {slope};
a virtual core with 4 GB is taken as ${price} an hour (your price goes here), and machines have {cores} cores, of which all
are busy: real clusters wait for disks and networks, too.
"""

OTHERS = """### What others have published

As they say it themselves; hardware, texts, thresholds and what is counted differ, so this shows orders of magnitude. Hours of
cores a TB are arithmetic, {token} bytes a token where only tokens are told.
"""

REPEAT = """## Repeat it

```bash
make bench-spark                                   # 20 MB, 200 MB, 2 GB, the skewed corpus, then this page
make bench-spark SPARK_SIZES="200MB 2GB 10GB"      # 10 GB: 25 GB of disk, and not by hand (--hand-up-to)
python -m benchmarks.spark --bytes 200MB           # tables only; --skew, --master, --set spark.executor.memory=4g
make scale-page                                    # this page from benchmarks/results/spark.json
```

It needs Linux (memory and CPU of processes come from `/proc` and `wait4`), Java and the extra `spark`.
"""


class Published(NamedTuple):
    """What somebody has said of a run of theirs: `tb` of text in `hours` on `units` cores or GPUs."""

    who: str
    what: str
    hardware: str
    time: str
    tb: float
    hours: float
    units: int
    unit: str
    source: str


PUBLISHED = [
    Published("BigCode, Spark", "The Stack, Java: 42 M documents, 319 GB", "10 workers of 16 virtual cores", "40 min", 0.319,
              40 / 60, 160, "core", "https://github.com/bigcode-project/bigcode-dataset/tree/main/near_deduplication"),
    Published("SlimPajama, datasketch", "RedPajama: 1.21 T tokens", "64 cores, 1.4 TB of memory", "2.5 days",
              1.21 * TOKEN_BYTES, 60, 64, "core", "https://huggingface.co/datasets/cerebras/SlimPajama-627B"),
    Published("NeMo Curator", "RedPajama-v2: 8 TB, 1.78 T tokens", "8 H100", "2.05 h", 8, 2.05, 8, "GPU",
              "https://github.com/NVIDIA-NeMo/Curator"),
    Published("FED", "1.2 T tokens", "16 GPUs", "6 h", 1.2 * TOKEN_BYTES, 6, 16, "GPU", "https://arxiv.org/abs/2501.01046"),
]


def page(result: Row) -> str:
    """The page of a result; what was not measured is left out."""
    corpora = [entry for entry in result["entries"] if entry["kind"] == "corpus"]
    skewed = [entry for entry in result["entries"] if entry["kind"] == "skew"]
    parts = [TOP, MEASURED, *map(measured, corpora)]
    done = [entry for entry in corpora if "failed" not in job(entry, SPARK.name)]
    if done:
        parts += [BYTE, per_byte(done)]
    if skewed:
        parts += [SKEW, *map(measured, skewed)]
    if done:
        parts.append(projection(done))
    return "\n".join([*parts, OTHERS.format(token=TOKEN_BYTES), published(), REPEAT])


def job(entry: Row, name: str) -> Row:
    """The row of a job; of one that was not run it only says so."""
    return next((row for row in entry["jobs"] if row["job"] == name), {"job": name, "failed": "not run"})


def measured(entry: Row) -> str:
    """What all jobs took on a corpus, how many times as much ours on Spark takes, and how even its tasks are."""
    machine, versions = entry["machine"], entry["versions"]
    loads = " and ".join(f"{machine[name][0]:.1f}" for name in ("load", "load_at_the_end"))
    busy = ": **loaded machine, preliminary**" if machine["load"][0] > machine["cores"] / 2 else ""
    skewed = ", skewed" * (entry["kind"] == "skew")
    lines = [f"### {entry['bytes'] / MB:,.0f} MB, {entry['documents']:,} documents{skewed}", "", costs(entry),
             *compared(entry), "",
             f"{entry['date']}, commit `{entry['commit'][:10]}`{' with changes' if entry['dirty'] else ''}; "
             f"{machine['processor']}, {machine['cores']} cores, load before and after {loads}{busy}; `{entry['master']}`, "
             + ", ".join(f"`{name}={value}`" for name, value in entry["settings"].items())
             + f"; Spark {versions['pyspark']}, Python {versions['python']}.", "", "Tasks by stage:", "", evenness(entry)]
    return "\n".join(lines)


def compared(entry: Row) -> list[str]:
    """How much more or less ours on Spark takes than the others, and whether its groups are those of one machine."""
    ours = job(entry, SPARK.name)
    if "failed" in ours:
        return [f"**{SPARK.name} failed: {ours['failed']}.**"]
    said = []
    alone, hand = (job(entry, name) for name in (ALONE.name, HAND.name))
    if "failed" not in alone:
        said.append(f"On Spark it takes {number(ours['cpu'] / alone['cpu'])} times the CPU of one machine")
    if "failed" not in hand:
        said.append(f"the job by hand takes {number(hand['cpu'] / ours['cpu'])} times the CPU of ours on Spark")
    lines = ["; ".join(said) + "." if said else ""]
    if "same_groups" in entry:
        lines.append("The groups of Spark are those of one machine." if entry["same_groups"]
                     else "**The groups of Spark are not those of one machine.**")
    return lines


def to_driver(row: Row) -> int:
    """Bytes that came to the driver, but for texts."""
    return sum(stage["results"] for stage in row["stages"] if not stage["name"].endswith("send_texts"))


def per_byte(entries: list[Row]) -> str:
    """What ours on Spark takes for each byte of JSON lines."""
    rows = []
    for entry in entries:
        row, size = job(entry, SPARK.name), entry["bytes"]
        taken = *(row[name] for name in ("shuffled", "spilled", "cached")), to_driver(row), *(
            row.get(name) or math.nan for name in ("peak", "disk"))
        rows.append([f"{size / MB:,.0f} MB", number(row["cpu"] / size * GB), *(number(value / size) for value in taken)])
    return table(["input", "CPU s a GB", "shuffled", "spilled", "cached on disk", "to the driver", "peak memory",
                  "peak disk"], rows)


def slope(entries: list[Row]) -> tuple[float, str]:
    """CPU seconds a byte, and how they were had: where there are two sizes, start-up does not count."""
    large, small = entries[-1], entries[0]
    cpu = job(large, SPARK.name)["cpu"]
    if large is small:
        return cpu / large["bytes"], f"that of {large['bytes'] / MB:,.0f} MB divided by its bytes, start-up included"
    rate = (cpu - job(small, SPARK.name)["cpu"]) / (large["bytes"] - small["bytes"])
    return rate, f"from {small['bytes'] / MB:,.0f} MB to {large['bytes'] / MB:,.0f} MB"


def projection(entries: list[Row]) -> str:
    """What follows for collections that were not scanned."""
    entries = sorted(entries, key=lambda entry: entry["bytes"])
    rate, how = slope(entries)
    largest = entries[-1]
    row = job(largest, SPARK.name)
    driver = to_driver(row) / largest["bytes"]
    rows = []
    for name, size in SIZES.items():
        hours = rate * size / 3600
        times = size / largest["bytes"]
        rows.append([name, number(hours), number(hours / MACHINE_CORES), f"${number(hours * PRICE)}",
                     number(row["shuffled"] * times / TB), number(row["cached"] * times / TB), number(driver * size / GB)])
    head = ["input", "core hours", f"hours of one machine of {MACHINE_CORES} cores", "cost", "shuffled TB",
            "cached on disk TB", "to the driver GB"]
    said = PROJECTED.format(slope=how, price=PRICE, cores=MACHINE_CORES)
    return f"{said}\n{table(head, rows)}\n{plan(driver)}"


def plan(driver: float) -> str:
    """What the driver allows, and how to go on beyond it.

    Args:
        driver: Bytes that come to the driver for each byte of input.
    """
    most = DRIVER_GB * GB / driver / 2  # what comes is pickled, and then there are columns of it
    lines = [
        "The driver is the limit: it holds places and fingerprints of all blocks and the links between pages, and joins them "
        f"in one process. At twice the bytes that come to it (pickled, and as columns) a driver of {DRIVER_GB} GB is enough "
        f"for about {number(most / TB)} TB.", ""]
    for name, size in SIZES.items():
        parts = -(-size // int(most))
        lines.append(f"* **{name}**: " + ("one scan." if parts == 1 else
                     f"{parts:,} scans of a part each, cut so that pages that may be copies lie in one part (by language, "
                     "site or dump). Copies in two parts are not found; that needs columns and links off the driver, which "
                     "is not built."))
    return "\n".join(lines) + "\n"


def published() -> str:
    """Runs of others."""
    return table(["who", "what", "hardware", "time", "hours a TB"], (
        [f"[{run.who}]({run.source})", run.what, run.hardware, run.time,
         f"{number(run.hours * run.units / run.tb)} {run.unit} hours"] for run in PUBLISHED))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark.page", description=__doc__.split("\n")[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="where the page goes; default: standard output")
    asked = parser.parse_args(arguments)
    made = page(json.loads(asked.result.read_text(encoding="utf-8")))
    if asked.output:
        asked.output.write_text(made, encoding="utf-8")
    else:
        sys.stdout.write(made)


if __name__ == "__main__":
    main()
