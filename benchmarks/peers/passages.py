"""Passages that stand twice: what tools write, and which planted copies lie in it.

A tool writes one line a page: its id and half-open spans of code points. A planted copy of 100 characters or more is found
if 80 % of its characters lie in spans; whether the tool says with what they match is not asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

MIN_CHARS, SHARE = 100, 0.8
KINDS = {"across": ("block", "span"), "within": ("repeat",), "edited": ("near-block",)}  # as the table says, as planted
Spans = dict[str, list[tuple[int, int]]]


def write_spans(file: Path, ids: Iterable[str], spans: Iterable[Iterable[Iterable[int]]]) -> None:
    with file.open("w", encoding="utf-8") as out:
        for name, of_page in zip(ids, spans, strict=True):
            out.write(json.dumps([name, list(of_page)]) + "\n")


def read_spans(file: Path) -> Spans:
    """What `write_spans` wrote.

    Raises:
        ValueError: A span ends before it begins.
    """
    spans = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, of_page = json.loads(line)
        spans[name] = [(start, end) for start, end in of_page]
        if any(start > end for start, end in spans[name]):
            raise ValueError(f"{file.name}: a span of {name} ends before it begins")
    return spans


def found(spans: Spans, truth: Path) -> dict[str, tuple[int, int]]:
    """Planted copies that lie in the spans, and all of them, by where they were planted."""
    counts = {kind: [0, 0] for kind in KINDS}
    for line in truth.read_text(encoding="utf-8").splitlines():
        copy = json.loads(line)
        start, end = copy["b_start"], copy["b_end"]
        for kind, planted in KINDS.items():
            if copy["kind"] in planted and end - start >= MIN_CHARS:
                counts[kind][0] += covered(spans.get(copy["b"], []), start, end) >= SHARE * (end - start)
                counts[kind][1] += 1
    return {kind: (lying, planted) for kind, (lying, planted) in counts.items()}


def covered(spans: Iterable[tuple[int, int]], start: int, end: int) -> int:
    """Characters of a range that lie in spans.

    >>> covered([(0, 4), (2, 6), (9, 20)], 3, 10)
    4
    """
    total, reached = 0, start
    for first, last in sorted(spans):
        if min(last, end) > max(first, reached):
            total += min(last, end) - max(first, reached)
            reached = min(last, end)
    return total
