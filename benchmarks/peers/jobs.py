"""The jobs: each gives rows of figures for the result file. Tools take turns, so that a busy machine slows all of them."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.__main__ import ROOT
from benchmarks.__main__ import command as dedup_command
from benchmarks.corpus import truth_of
from benchmarks.measure import CommandFailed, run
from benchmarks.peers import inputs, passages, quality, truth
from benchmarks.peers.tools import OURS, Tool

LIMIT, EXTREME_LIMIT = 1800.0, 300.0  # seconds for one run
PAGE_BYTES = 100_000
Row = dict[str, Any]
Say = Callable[[str], None]


def documents(file: Path, tools: list[Tool], repeats: int, warm: bool, exact: bool, say: Say) -> list[Row]:
    """Near-duplicate documents: each tool's runs, and how good its groups are.

    Args:
        warm: Each tool runs once before it counts, so that modules are compiled and libraries are in the disk cache.
        exact: Measure the quality, too (the exact pairs are made where they are not kept from before).
    """
    rows, outputs = take_turns(file, tools, repeats, warm, say)
    if exact:
        ids, pairs, _ = truth.pairs(file)
        for name, groups in outputs.items():
            rows[name]["quality"] = quality.measure(groups, ids, pairs)._asdict()
    return list(rows.values())


def spans(file: Path, tools: list[Tool], repeats: int, say: Say) -> list[Row]:
    """Passages that stand twice: each tool's runs, and which planted copies it finds."""
    rows, outputs = take_turns(file, tools, repeats, True, say)
    for name, found in outputs.items():
        rows[name]["found"] = passages.found(found, truth_of(file))
    return list(rows.values())


def scans(file: Path, tools: list[Tool], repeats: int, say: Say) -> list[Row]:
    """Scans for passages, without anything written."""
    return list(take_turns(file, tools, repeats, False, say)[0].values())


def extremes(pages: int, say: Say) -> Iterator[Row]:
    """One pattern on a quarter of the pages, and on all of them: `dedup scan`, once each."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        for kind in inputs.KINDS:
            for count in (pages // 4, pages):
                file = Path(folder) / f"{kind}.jsonl"
                inputs.write(file, kind, count)
                for unit in ("page", "block"):
                    figures = measured([*dedup_command(), "scan", str(file), "--unit", unit, "-q"], EXTREME_LIMIT)
                    say(f"{count:,} {kind}, --unit {unit}: {_short(figures)}")
                    row = {"kind": kind, "pages": count, "bytes": file.stat().st_size, "unit": unit}
                    yield row | _as_runs(figures)
                file.unlink()


def one_page(repeats: int, say: Say) -> list[Row]:
    """A single page, the whole command; beside it what Python and NumPy need to start."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        file = Path(folder) / "page.html"
        file.write_text(inputs.html(PAGE_BYTES), encoding="utf-8")
        commands = {f"dedup scan page.html, {PAGE_BYTES // 1000} kB": [*dedup_command(), "scan", str(file)],
                    "dedup --version": [*dedup_command(), "--version"],
                    "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
                    "python -c pass": [sys.executable, "-c", "pass"]}
        tools = [Tool(name, OURS, lambda *_, command=command: command, lambda _: None)
                 for name, command in commands.items()]
        return list(take_turns(file, tools, repeats, True, say)[0].values())


def figures_of(module: str, *arguments: str) -> list[Row]:
    """What a module of the benchmarks prints as JSON.

    Raises:
        CommandFailed: It failed.
    """
    return json.loads(run([sys.executable, "-m", f"benchmarks.{module}", *arguments], cwd=ROOT).output)


def take_turns(file: Path, tools: list[Tool], repeats: int, warm: bool, say: Say) -> tuple[dict[str, Row], dict[str, Any]]:
    """Run the tools in turn: a row for each, with `runs` or why it `failed`, and what it has written last."""
    rows: dict[str, Row] = {tool.name: {"tool": tool.name, "package": tool.package} for tool in tools}
    outputs: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        for turn in range(-warm, repeats):
            for tool in tools:
                row = rows[tool.name]
                if "failed" in row:
                    continue
                out = Path(folder) / f"{tools.index(tool)}.out"
                figures = measured(tool.command(file, out))
                say(f"{file.name} {'warm-up' if turn < 0 else turn + 1}: {tool.name}: {_short(figures)}")
                if "failed" in figures:
                    row |= figures
                    continue
                if turn >= 0:
                    row.setdefault("runs", []).append(figures)
                outputs[tool.name] = tool.read(out)
    return rows, {name: output for name, output in outputs.items() if "failed" not in rows[name]}


def measured(command: list[str], limit: float = LIMIT) -> Row:
    """CPU and wall seconds and peak private bytes of a command; or why it failed."""
    try:
        one = run(command, cwd=ROOT, limit=limit)
    except CommandFailed as error:
        return {"failed": str(error)}
    return {"cpu": round(one.cpu, 4), "wall": round(one.wall, 4), "peak": one.peak_private}


def _as_runs(figures: Row) -> Row:
    return figures if "failed" in figures else {"runs": [figures]}


def _short(figures: Row) -> str:
    if "failed" in figures:
        return f"failed: {figures['failed']}"
    return f"{figures['cpu']:.2f} s of CPU, {figures['wall']:.2f} s, {(figures['peak'] or 0) / 1e6:.0f} MB"
