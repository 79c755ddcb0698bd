"""Who takes part in which job, how it is called, and how what it wrote is read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.__main__ import command as dedup_command
from benchmarks.peers.passages import read_spans

Groups = list[list[str]]
OURS = "dedup"
FINDS = ("exact", "near", "reworded")


@dataclass(frozen=True)
class Tool:
    """One row of a table.

    Attributes:
        name: What the table says.
        package: The distribution whose version counts; `OURS` for the checkout.
        command: The command that reads the first file and writes the second.
        read: What it wrote.
        large: Whether it takes part in what is run but once.
    """

    name: str
    package: str
    command: Callable[[Path, Path], list[str]]
    read: Callable[[Path], Any]
    large: bool = False


def documents(peers: str) -> list[Tool]:
    """Near-duplicate documents: JSON lines in, groups of ids out. `peers` is the Python of the peers' environment."""
    ours = [
        Tool(OURS, OURS, _recipe(sys.executable, "ours"), read_groups, large=True),
        Tool("dedup scan -o report.json", OURS, lambda file, out: [
            *dedup_command(), "scan", str(file), "--unit", "page", "--threshold", "0.8", "-q", "-o", f"{out}.json"],
            lambda out: read_report(out.with_name(f"{out.name}.json"))),
    ]
    theirs = [Tool(package, package, _recipe(peers, package.lower()), read_groups, large=package == "daft")
              for package in ("daft", "gaoya", "rensa", "FastSketchLSH", "datasketch")]
    hashed = Tool("FastSketchLSH, hashes by NumPy", "FastSketchLSH", _recipe(peers, "fastsketchlsh", "--hashes"), read_groups)
    return [*ours, *theirs[:4], hashed, *theirs[4:]]


def passages(peers: str) -> list[Tool]:
    """Passages that stand twice: JSON lines in, spans by page out."""
    ours = [Tool(f"dedup, find={find}", OURS, _recipe(sys.executable, "ours_passages", find), read_spans) for find in FINDS]
    return [*ours, Tool("pydivsufsort", "pydivsufsort", _recipe(peers, "pydivsufsort"), read_spans)]


def scans() -> list[Tool]:
    """The scan alone, in a process of its own: the report is made, and not written."""
    return [Tool(f"dedup, find={find}", OURS, lambda file, _, find=find: [
        sys.executable, "-m", "benchmarks.work", str(file), json.dumps({"find": find})], lambda _: None) for find in FINDS]


def _recipe(python: str, module: str, *more: str) -> Callable[[Path, Path], list[str]]:
    return lambda file, out: [python, "-m", f"benchmarks.peers.{module}", str(file), str(out), *more]


def read_groups(file: Path) -> Groups:
    """What a recipe wrote: a JSON list of ids a line.

    Raises:
        ValueError: A line is something else.
    """
    groups = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    if not all(isinstance(group, list) and all(isinstance(one, str) for one in group) for group in groups):
        raise ValueError(f"{file.name}: a line is no list of ids")
    return groups


def read_report(file: Path) -> Groups:
    """The groups of a JSON report, as ids of pages."""
    report = json.loads(file.read_text(encoding="utf-8"))
    return [[place["page"] for place in group["occurrences"]] for group in report["groups"]]
