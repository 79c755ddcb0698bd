"""Our tool beside its peers: ``python -m benchmarks.peers --peers PYTHON [--sizes 20MB 200MB] [--repeats 5] [--json FILE]``.

`make bench-peers` makes the environment of the peers first. The result file holds every repeat;
``python -m benchmarks.peers.page`` makes docs/benchmarks.md of it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.__main__ import CACHE, _git, corpus, digest, machine, versions
from benchmarks.corpus import VERSION, parse_size
from benchmarks.peers import jobs, tools, truth
from benchmarks.peers.install import MISSING, wanted
from benchmarks.peers.page import page

FORMAT = "dedup-bench-peers/1"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
LARGE = 500_000_000  # bytes; a corpus above is run once, by the tools that can, without the exact truth
SMALL = 50_000_000  # bytes; a suffix array of more takes too much memory, and a first run that does not count too much time
PARTS = ("documents", "passages", "scans", "page", "kernel", "extremes")  # what takes longest comes last
PAGE_REPEATS = 7


def main(arguments: list[str] | None = None) -> None:
    """Measure what is asked for, keep it in the result file, and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__.split("\n")[0])
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="the Python of the peers' environment")
    parser.add_argument("--sizes", nargs="+", default=["20MB", "200MB"], help="corpora; 2GB: once, ours and daft")
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median counts")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what is measured")
    parser.add_argument("--pages", type=int, default=1_000_000, help="pages of the inputs of one pattern")
    parser.add_argument("--seed", type=int, default=0, help="seed of the corpora")
    parser.add_argument("--json", type=Path, default=CACHE / "peers.json", help="result file")
    parser.add_argument("--add", action="store_true", help="keep the other parts of the result file (same code and machine)")
    asked = parser.parse_args(arguments)
    if not Path("/proc/self/status").exists():
        parser.error("memory is read from /proc, which this system does not have")
    peers = str(Path(asked.peers).absolute())
    found, missing = peer_versions(peers)
    corpora = {size: corpus(parse_size(size), asked.seed) for size in sorted(asked.sizes, key=parse_size)}
    begun = {"format": FORMAT, "date": datetime.date.today().isoformat(), "commit": _git("rev-parse", "HEAD"),
             "dirty": bool(_git("status", "--porcelain")), "machine": machine(), "versions": versions() | {"peers": found},
             "missing": missing, "repeats": asked.repeats,
             "corpora": {size: describe(file, asked.seed) for size, file in corpora.items()}}
    result = continued(asked.json, begun) if asked.add else begun
    for part in asked.parts:
        result[part] = []
        for rows in measure(part, result, corpora, peers, asked):
            result[part] += rows
            keep(asked.json, result)
    result["machine"]["load_at_the_end"] = os.getloadavg()
    keep(asked.json, result)
    print(page(result))
    say(f"every repeat: {os.path.relpath(asked.json)}")


def measure(part: str, result: dict[str, Any], corpora: dict[str, Path], peers: str,
            asked: argparse.Namespace) -> Iterator[list[jobs.Row]]:
    """Rows of a part as they come."""
    if part in ON_CORPORA:
        for size, file in corpora.items():
            rows = ON_CORPORA[part](file, result["corpora"][size]["bytes"], peers, result["missing"], asked.repeats)
            yield [{"corpus": size} | row for row in rows]
    elif part == "kernel":
        result["limits"] = jobs.figures_of("limits")
        yield jobs.figures_of("kernel", "--json")
    elif part == "page":
        yield jobs.one_page(PAGE_REPEATS, say)
    else:
        yield from ([row] for row in jobs.extremes(asked.pages, say))


def continued(file: Path, begun: dict[str, Any]) -> dict[str, Any]:
    """The result kept so far, if it is of the same code, versions and machine.

    Raises:
        SystemExit: It is not, or of other corpora.
    """
    result = json.loads(file.read_text(encoding="utf-8"))
    unlike = [name for name in ("format", "commit", "versions", "missing") if result[name] != begun[name]]
    hardware = ("processor", "cores", "system")
    unlike += ["machine"] * any(result["machine"][name] != begun["machine"][name] for name in hardware)
    unlike += ["corpora"] * any(result["corpora"].get(size, about) != about for size, about in begun["corpora"].items())
    if unlike:
        sys.exit(f"{os.path.relpath(file)} has another {', '.join(unlike)}: nothing can be added to it")
    return result | {"corpora": result["corpora"] | begun["corpora"], "dirty": result["dirty"] or begun["dirty"]}


def _documents(file: Path, size: int, peers: str, missing: dict[str, str], repeats: int) -> list[jobs.Row]:
    large = size > LARGE
    there = [tool for tool in tools.documents(peers) if tool.package not in missing and (tool.large or not large)]
    return jobs.documents(file, there, 1 if large else repeats, size <= SMALL, not large, say)


def _passages(file: Path, size: int, peers: str, missing: dict[str, str], repeats: int) -> list[jobs.Row]:
    there = [tool for tool in tools.passages(peers) if tool.package not in missing]
    return jobs.spans(file, there, repeats, say) if size <= SMALL else []


def _scans(file: Path, size: int, peers: str, missing: dict[str, str], repeats: int) -> list[jobs.Row]:
    return jobs.scans(file, tools.scans(), repeats, say) if size <= LARGE else []


ON_CORPORA = {"documents": _documents, "passages": _passages, "scans": _scans}


def describe(file: Path, seed: int) -> dict[str, Any]:
    """Size, digest and exact pairs of a corpus."""
    texts = documents = 0
    with file.open("rb") as lines:
        for line in lines:
            texts += len(json.loads(line)["text"].encode())
            documents += 1
    about = {"bytes": file.stat().st_size, "text_bytes": texts, "documents": documents, "sha256": digest(file), "seed": seed,
             "corpus_version": VERSION}
    if about["bytes"] <= LARGE:
        say(f"exact pairs of {file.name}")
        about["exact_pairs"] = len(truth.pairs(file)[1])
    return about


def peer_versions(python: str) -> tuple[dict[str, str], dict[str, str]]:
    """Versions of what the peers' environment has, and why what it lacks is not there."""
    names = [line.split("==")[0] for line in wanted(REQUIREMENTS.read_text(encoding="utf-8"))]
    code = """
import importlib.metadata, json, pathlib, sys
found = {}
for name in json.loads(sys.argv[1]):
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps([found, sys.prefix]))"""
    found, prefix = json.loads(subprocess.run([python, "-c", code, json.dumps(names)], capture_output=True, text=True,
                                              check=True).stdout)
    missing = Path(prefix) / MISSING
    reasons = json.loads(missing.read_text(encoding="utf-8")) if missing.exists() else {}
    return found, {name: reasons.get(name, "not installed") for name in names if name not in found}


def keep(file: Path, result: dict[str, Any]) -> None:
    """Write the result so far."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
