"""What each report format takes to write, beside the scan: ``python -m benchmarks.writing FILE [--find near] [SUFFIX ...]``.

CPU seconds of this process and its threads. Each file is written once, of a fresh scan: what formats share (verdicts, the
table of pages) is made anew for each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import dedup
from dedup.report.formats import FORMATS


def measured(source: Path, find: Any, suffix: str, folder: Path) -> tuple[float, float, int]:
    """CPU seconds of the scan and of the writing, and bytes written."""
    begin = time.process_time()
    report = dedup.scan(source, find=find)
    scanned = time.process_time()
    target = folder / f"report{suffix}"
    report.write(target)
    return scanned - begin, time.process_time() - scanned, target.stat().st_size


def main() -> None:
    """Print a line a format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("suffixes", nargs="*", default=[*FORMATS], metavar="SUFFIX")
    parser.add_argument("--find", default="exact")
    asked = parser.parse_args()
    print(f"{'format':22}{'scan s':>9}{'write s':>9}{'MB':>9}{'MB/s':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in asked.suffixes:
            scan, write, size = measured(asked.file, asked.find, suffix, Path(folder))
            print(f"{suffix:22}{scan:9.2f}{write:9.2f}{size / 1e6:9.1f}{size / 1e6 / max(write, 1e-9):9.1f}", flush=True)


if __name__ == "__main__":
    main()
