"""How fast, how lean and how complete: ``python -m benchmarks [--size 100MB] [--quick] [--json FILE]``.

Each measurement is a process of its own; each figure is the median of its repeats. Targets are those of the first
issue: at least 60 MB/s on two cores, at most 3 bytes of private memory a byte, time(4N)/time(N) at most 4.6, and the
start-up times. Quality stands beside speed: the recall of what the corpus has planted.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.corpus import VERSION, parse_size, truth_of, write_corpus
from benchmarks.measure import CommandFailed, run

ROOT = Path(__file__).parent.parent
CACHE = ROOT / "build" / "bench"
FINDERS = ("exact runs", "near blocks")  # stages
EDITED = "edited passages"
PACKAGES = ("dedup-toolkit", "numpy", "rapidfuzz", "msgspec", "turbohtml")


@dataclass
class Row:
    """One figure with what it should be.

    Attributes:
        value: Median of the repeats; ``None`` where it could not be measured (`note` says why).
        target: What it should reach; ``None`` where it is only listed.
        least: True where more is better.
    """

    name: str
    value: float | None
    unit: str
    target: float | None = None
    least: bool = False
    note: str = ""
    repeats: list[Any] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """`ok`, `short`, `failed`, or nothing where there is no target."""
        if self.value is None:
            return "failed"
        if self.target is None:
            return ""
        return "ok" if (self.value >= self.target if self.least else self.value <= self.target) else "short"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=parse_size, help="corpus of the speed figures; default 100MB, 20MB if --quick")
    parser.add_argument("--recall-size", type=parse_size, help="corpus of the recall; default 20MB, 4MB if --quick")
    parser.add_argument("--repeats", type=int, help="runs of which the median counts; default 3, 1 if --quick")
    parser.add_argument("--quick", action="store_true", help="a small corpus, each thing once")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of scan")
    parser.add_argument("--seed", type=int, default=0, help="seed of the corpus")
    parser.add_argument("--json", type=Path, help="result file; default build/bench/result.json")
    asked = parser.parse_args(arguments)
    size = asked.size or parse_size("20MB" if asked.quick else "100MB")
    recall_size = asked.recall_size or parse_size("4MB" if asked.quick else "20MB")
    repeats = asked.repeats or (1 if asked.quick else 3)
    settings = {"find": "near"} | dict(map(_setting, asked.set))

    corpora = {name: corpus(bytes_, asked.seed) for name, bytes_ in
               (("N", size // 4), ("4N", size), ("recall", recall_size))}
    rows: list[Row] = []
    for part in (lambda: speed(corpora, settings, repeats),
                 lambda: reworded(corpora["4N"], settings),
                 lambda: startup(3 * repeats),
                 lambda: viewing((100, 1_000) if asked.quick else (100, 1_000, 10_000)),
                 lambda: quality(corpora["recall"], settings)):
        new = part()
        print(table(new, first=not rows), flush=True)
        rows += new
    file = asked.json or CACHE / "result.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result(rows, corpora, settings, asked.seed), indent=1) + "\n")
    print(f"\nEvery repeat: {os.path.relpath(file)}")
    return int(any(row.value is None for row in rows))


def corpus(size: int, seed: int) -> Path:
    """The corpus of a size, made once and kept under build/."""
    CACHE.mkdir(parents=True, exist_ok=True)
    file = CACHE / f"corpus-v{VERSION}-seed{seed}-{size}.jsonl"
    if not file.exists():
        part = file.with_name(file.name + ".part")
        write_corpus(part, size, seed, truth_of(file))
        part.rename(file)
    return file


def work(file: Path, settings: dict[str, Any], truth: Path | None = None) -> dict[str, Any]:
    """One scan in a process of its own: what it says of itself, and what was measured from outside."""
    measured = run([sys.executable, "-m", "benchmarks.work", str(file), json.dumps(settings),
                    *([str(truth)] if truth else [])], cwd=ROOT)
    return json.loads(measured.output) | {"wall": measured.wall, "cpu": measured.cpu,
                                          "peak_private": measured.peak_private}


def speed(corpora: dict[str, Path], settings: dict[str, Any], repeats: int) -> list[Row]:
    """Time, memory and growth of a scan. Small and large corpus take turns, so that a busy machine slows both.

    A first run compiles the modules.
    """
    size = corpora["4N"].stat().st_size
    label = f"{size / 1e6:.0f} MB"
    runs: dict[str, list[dict[str, Any]]] = {"N": [], "4N": []}
    try:
        work(corpora["N"], settings)
        for _ in range(repeats):
            for name, done in runs.items():
                done.append(work(corpora[name], settings))
    except CommandFailed as error:
        return [Row(f"scan, {label}", None, "MB/s", 60, True, str(error))]
    large = runs["4N"]
    rows = [
        Row(f"scan, {label}, whole process", median(size / 1e6 / one["wall"] for one in large), "MB/s",
            note=f"{os.cpu_count()} cores", repeats=large),
        Row("  without edited passages", median(size / 1e6 / (one["wall"] - edited(one)) for one in large), "MB/s", 60, True,
            "blocks and exact runs"),
        Row("  near / without edited passages", median(one["wall"] / (one["wall"] - edited(one)) for one in large), "x", 2),
        Row("  wall", median(one["wall"] for one in large), "s"),
        Row("  CPU", median(one["cpu"] for one in large), "s"),
        Row("  MB per CPU second", median(size / 1e6 / one["cpu"] for one in large), "MB/s", note="wanted later: 75"),
    ]
    if large[0]["peak_private"]:
        rows.append(Row("  peak private memory a byte", median(one["peak_private"] / size for one in large), "B", 3))
    grown = (corpora["4N"].stat().st_size / corpora["N"].stat().st_size) / 4  # the corpora end at a page's end
    ratio = median(one["scan_wall"] for one in large) / median(one["scan_wall"] for one in runs["N"]) / grown
    rows.append(Row("time(4N)/time(N), scan", ratio, "x", 4.6, repeats=runs["N"]))
    alone, read = (median(sum(stage["seconds"] for stage in one["stages"] if stage["name"] in names) for one in large)
                   for names in (FINDERS, (*FINDERS, "read")))
    if alone:
        rows.append(Row("  JSONL read, exact runs and near blocks found", size / 1e6 / read, "MB/s", 60, True,
                        "without start, joining, groups, verdicts"))
        rows.append(Row("  the two finders alone", size / 1e6 / alone, "MB/s"))
    for number, stage in enumerate(large[0]["stages"]):
        rows.append(Row(f"  stage {stage['name']}", median(one["stages"][number]["seconds"] for one in large), "s"))
    return rows


def edited(one: dict[str, Any]) -> float:
    """Seconds of the stage that finds edited passages."""
    return float(sum(stage["seconds"] for stage in one["stages"] if stage["name"] == EDITED))


def reworded(file: Path, settings: dict[str, Any]) -> list[Row]:
    """How much longer a scan takes that finds reworded passages, too."""
    try:
        near, more = (work(file, settings | {"find": find}) for find in ("near", "reworded"))
    except CommandFailed as error:
        return [Row("reworded / without edited passages", None, "x", 5, note=str(error))]
    return [Row("reworded / without edited passages", more["wall"] / (near["wall"] - edited(near)), "x", 5)]


def startup(repeats: int) -> list[Row]:
    """How long a person waits before anything happens."""
    code = "import time; t = time.perf_counter(); import dedup; print(time.perf_counter() - t)"
    return [
        _timed("import dedup", [sys.executable, "-c", code], repeats, 60, lambda one: float(one.output) * 1000),
        _timed("dedup --version", [*command(), "--version"], repeats, 150),
        _timed("dedup scan examples/news.html", [*command(), "scan", "examples/news.html"], repeats),
        _timed("python -c pass", [sys.executable, "-c", "pass"], repeats),
    ]


def command() -> list[str]:
    """The `dedup` command of this environment."""
    script = shutil.which("dedup", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-c", "from dedup.cli import main; main()"]


def _timed(name: str, command: list[str], repeats: int, target: float | None = None,
           figure: Callable[[Any], float] = lambda one: one.wall * 1000) -> Row:
    try:
        run(command, cwd=ROOT)  # once for the disk cache
        runs = [run(command, cwd=ROOT) for _ in range(repeats)]
    except CommandFailed as error:
        return Row(name, None, "ms", target, note=str(error))
    return Row(name, median(map(figure, runs)), "ms", target,
               repeats=[{"wall": one.wall, "cpu": one.cpu, "figure": figure(one)} for one in runs])


def viewing(sizes: tuple[int, ...]) -> list[Row]:
    """The report to look at: how large the file is, how long it takes to write and to open."""
    rows = []
    for groups in sizes:
        name, large = f"report.html, {groups:,} groups", groups == 10_000
        try:
            one = json.loads(run([sys.executable, "-m", "benchmarks.viewing", str(groups)], cwd=ROOT).output)
        except CommandFailed as error:
            rows.append(Row(f"{name}, file", None, "MB", 5 if large else None, note=str(error)))
            continue
        rows.append(Row(f"{name}, file", one["bytes"] / 1e6, "MB", 5 if large else None,
                        note=f"JSON: {one['json_bytes'] / 1e6:.1f} MB", repeats=[one]))
        rows.append(Row("  write, CPU", one["write_cpu"], "s"))
        if one["open"] is not None:  # there is a browser
            rows.append(Row("  open", one["open"], "s", 2 if large else None))
            rows.append(Row("  memory of its script", one["heap_bytes"] / 1e6, "MB"))
    return rows


def quality(file: Path, settings: dict[str, Any]) -> list[Row]:
    """Recall of the planted copies, by LSH and by the exact join."""
    rows = []
    for name, extra in (("LSH", {"exhaustive": False}), ("exhaustive", {"exhaustive": True})):
        try:
            one = work(file, settings | extra | {"pairs": True}, truth_of(file))
        except CommandFailed as error:
            rows.append(Row(f"recall, {name}", None, "", 0.995, True, str(error)))
            continue
        targets = {"exact": 0.999, "near-block": 0.995 if name == "LSH" else 1.0}
        for kind, counts in one["recalls"].items():
            rows.append(Row(f"recall of {kind}, {name}", counts["recall"], "", targets.get(kind), True,
                            f"{counts['found']} of {counts['planted']}", [one] if kind == "exact" else []))
    return sorted(rows, key=lambda row: row.target is None)


def median(values: Any) -> float:
    return statistics.median(values)


def table(rows: list[Row], first: bool = True) -> str:
    """The rows for a terminal; values are cut, not rounded, where a target is near."""
    lines = [f"{'measure':<42}{'value':>10} {'unit':<5}{'target':>9}  verdict"] if first else []
    for row in rows:
        value = "-" if row.value is None else f"{row.value:.4g}" if row.unit else f"{int(row.value * 1e4) / 1e4:.4f}"
        target = "" if row.target is None else f"{'>=' if row.least else '<='} {row.target:g}"
        lines.append(f"{row.name:<42}{value:>10} {row.unit:<5}{target:>9}  {row.verdict:<7}{row.note}".rstrip())
    return "\n".join(lines)


def result(rows: list[Row], corpora: dict[str, Path], settings: dict[str, Any], seed: int) -> dict[str, Any]:
    """The result file: commit, machine, versions, data, options, and every repeat."""
    return {
        "format": "dedup-bench/1", "commit": _git("rev-parse", "HEAD"), "dirty": bool(_git("status", "--porcelain")),
        "machine": machine(), "versions": versions(), "options": settings,
        "data": {name: {"bytes": file.stat().st_size, "sha256": digest(file), "seed": seed, "corpus_version": VERSION}
                 for name, file in corpora.items()},
        "rows": [asdict(row) | {"verdict": row.verdict} for row in rows],
    }


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system; not the machine's name."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    models = [line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")]
    return {"processor": models[0] if models else platform.processor(), "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "system": f"{platform.system()} {platform.release()}", "load": os.getloadavg()}


def versions() -> dict[str, str]:
    """Of Python, of the packages that count, and which kernel is in use."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    code = "from dedup.kernel import kernel; print(kernel.name)"
    try:
        found["kernel"] = run([sys.executable, "-c", code], cwd=ROOT).output.strip()
    except CommandFailed as error:
        found["kernel"] = str(error)
    return found


def digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _setting(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())
