"""Our own recipe: the Python interface, and groups of ids as the peers' recipes write them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dedup


def main() -> None:
    report = dedup.scan(Path(sys.argv[1]), unit="page", threshold=0.8)
    with Path(sys.argv[2]).open("w", encoding="utf-8") as out:
        for group in report.page_groups():
            out.write(json.dumps(group) + "\n")


if __name__ == "__main__":
    main()
