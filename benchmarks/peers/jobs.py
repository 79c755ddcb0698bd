"""The jobs: each gives rows of figures for the result file. Tools take turns, so that a busy machine slows all of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.__main__ import ROOT
from benchmarks.measure import CommandFailed, run
from benchmarks.peers import quality, truth
from benchmarks.peers.tools import Tool

LIMIT = 1800.0  # seconds for one run
Row = dict[str, Any]
Say = Callable[[str], None]


def documents(file: Path, tools: list[Tool], repeats: int, warm: bool, exact: bool, say: Say) -> list[Row]:
    """Near-duplicate documents: each tool's runs, and how good its groups are.

    Args:
        warm: Each tool runs once before it counts, so that modules are compiled and libraries are in the disk cache.
        exact: Measure the quality, too (the exact pairs are made where they are not kept from before).
    """
    rows = {tool.name: {"tool": tool.name, "package": tool.package} for tool in tools}
    outputs = take_turns(file, tools, repeats, warm, rows, say)
    if exact:
        ids, pairs, _ = truth.pairs(file)
        for tool in tools:
            if tool.name in outputs:
                rows[tool.name]["quality"] = quality.measure(outputs[tool.name], ids, pairs)._asdict()
    return list(rows.values())


def take_turns(file: Path, tools: list[Tool], repeats: int, warm: bool, rows: dict[str, Row], say: Say) -> dict[str, Any]:
    """Run the tools in turn; fills `runs` or `failed` of their rows, and gives what each has written last."""
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
    return outputs


def measured(command: list[str], limit: float = LIMIT) -> Row:
    """CPU and wall seconds and peak private bytes of a command; or why it failed."""
    try:
        one = run(command, cwd=ROOT, limit=limit)
    except CommandFailed as error:
        return {"failed": str(error)}
    return {"cpu": round(one.cpu, 4), "wall": round(one.wall, 4), "peak": one.peak_private}


def _short(figures: Row) -> str:
    if "failed" in figures:
        return f"failed: {figures['failed']}"
    return f"{figures['cpu']:.2f} s of CPU, {figures['wall']:.2f} s, {(figures['peak'] or 0) / 1e6:.0f} MB"
