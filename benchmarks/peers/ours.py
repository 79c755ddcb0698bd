"""Our own recipe: the Python interface, and groups of ids as the peers' recipes write them.

``python -m benchmarks.peers.ours IN OUT [MASTER]``: on Spark, where a master is given.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import dedup


def main() -> None:
    file, out, *master = sys.argv[1:]
    where: dict[str, Any] = {"engine": "spark", "master": master[0]} if master else {}
    report = dedup.scan(Path(file), unit="page", threshold=0.8, **where)
    with Path(out).open("w", encoding="utf-8") as written:
        for group in report.page_groups():
            written.write(json.dumps(group) + "\n")


if __name__ == "__main__":
    main()
