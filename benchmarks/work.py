"""What a measured process does: one scan, then its figures as JSON on stdout.

``python -m benchmarks.work FILE SETTINGS [TRUTH]``: SETTINGS is a JSON object; with TRUTH the recall is added (after
the scan, so the process's memory and time are then not those of a scan). It begins and ends as the command line does
(``dedup/cli.py``): without the threads of NumPy's matrix library, and without taking the interpreter down.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(100_000)
    file, settings = Path(arguments[0]), json.loads(arguments[1])
    import dedup  # its time is part of the process, not of the scan

    began = time.perf_counter(), time.process_time()
    begun: list[tuple[str, float]] = []
    report = dedup.scan(file, progress=lambda name: begun.append((name, time.perf_counter())), **settings)
    begun.append(("", time.perf_counter()))
    figures = {"scan_wall": time.perf_counter() - began[0], "scan_cpu": time.process_time() - began[1],
               "pages": len(report.pages), "groups": len(report.groups), "stages": stages(begun)}
    if len(arguments) > 2:
        from benchmarks.found import recalls

        figures["recalls"] = recalls(report, Path(arguments[2]), settings.get("threshold", 0.5))
    json.dump(figures, sys.stdout)


def stages(begun: list[tuple[str, float]]) -> list[dict[str, Any]]:
    """Seconds of each stage: from its own beginning to that of the next one."""
    return [{"name": name, "seconds": end - start} for (name, start), (_, end) in itertools.pairwise(begun)]


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)
