"""What a measured process does: one scan, then its figures as JSON on stdout.

``python -m benchmarks.work FILE SETTINGS [TRUTH]``: SETTINGS is a JSON object; with TRUTH the recall is added (after
the scan, so the process's memory and time are then not those of a scan).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.found import recalls


def main(arguments: list[str]) -> None:
    file, settings = Path(arguments[0]), json.loads(arguments[1])
    import dedup  # its time is part of the process, not of the scan

    began = time.perf_counter(), time.process_time()
    report = dedup.scan(file, **settings)
    figures = {"scan_wall": time.perf_counter() - began[0], "scan_cpu": time.process_time() - began[1],
               "pages": len(report.pages), "groups": len(report.groups), "stages": stages(report)}
    if len(arguments) > 2:
        figures["recalls"] = recalls(report, Path(arguments[2]), settings.get("threshold", 0.5))
    json.dump(figures, sys.stdout)


def stages(report) -> list[dict] | None:
    """Time, rows in and rows out of each stage, where the report carries them."""
    found = getattr(report, "stages", None)
    if found is None:
        return None
    return [{name: getattr(stage, name) for name in ("name", "seconds", "rows_in", "rows_out") if hasattr(stage, name)}
            for stage in found]


if __name__ == "__main__":
    main(sys.argv[1:])
