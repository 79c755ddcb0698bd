"""Our own recipe for passages: ``python -m benchmarks.peers.ours_passages IN OUT FIND``, spans by page."""

from __future__ import annotations

import sys
from pathlib import Path

import dedup
from benchmarks.peers.passages import write_spans


def main() -> None:
    report = dedup.scan(Path(sys.argv[1]), find=sys.argv[3])
    spans: dict[str, list[tuple[int, int]]] = {page.id: [] for page in report.pages}
    for group in report.groups:
        for place in group.occurrences:
            spans[place.page].extend(place.parts or [(place.start, place.end)])
    write_spans(Path(sys.argv[2]), spans, spans.values())


if __name__ == "__main__":
    main()
