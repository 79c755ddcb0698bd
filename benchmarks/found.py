"""Which planted copies a report found."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import chain
from pathlib import Path

from benchmarks.corpus import EXACT, Planted

SHARE_EXACT, SHARE_NEAR = 0.9, 0.8  # of the characters of both sides that must lie in linked occurrences
Place = tuple[int, int, int]  # start, end, link


class Links:
    """The places of a report by page; places that share a link were found alike."""

    def __init__(self, report) -> None:
        self._places: dict[str, list[Place]] = defaultdict(list)
        groups = (group.occurrences for group in report.groups)
        pairs = ((pair.a, pair.b) for pair in report.pairs())
        for number, occurrences in enumerate(chain(groups, pairs)):
            for place in occurrences:
                for start, end in place.parts or ((place.start, place.end),):
                    self._places[place.page].append((start, end, number))

    def share(self, copy: Planted) -> float:
        """Share of the worse side's characters that lie in occurrences linked with the other side."""
        a = self._touching(copy.a, copy.a_start, copy.a_end)
        b = self._touching(copy.b, copy.b_start, copy.b_end)
        linked = {place[2] for place in a} & {place[2] for place in b}
        return min(_covered(a, linked, copy.a_start, copy.a_end), _covered(b, linked, copy.b_start, copy.b_end))

    def _touching(self, page: str, start: int, end: int) -> list[Place]:
        return [place for place in self._places.get(page, ()) if place[0] < end and start < place[1]]


def _covered(places: list[Place], linked: set[int], start: int, end: int) -> float:
    covered, reached = 0, start
    for first, last, link in sorted(places):
        if link in linked and last > reached:
            covered += min(last, end) - max(first, reached)
            reached = min(last, end)
    return covered / (end - start)


def recalls(report, truth: Path, threshold: float = 0.5) -> dict[str, dict[str, float]]:
    """Recall of planted copies by kind: found, planted, recall.

    ``near-block`` counts the ones at or above the threshold; whole pages with edits are left out (they are no blocks).
    """
    links = Links(report)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in truth.read_text(encoding="utf-8").splitlines():
        copy = Planted(**json.loads(line))
        exact = copy.kind in EXACT
        if not exact and (copy.kind != "near-block" or copy.jaccard < threshold):
            continue
        kinds = [copy.kind] + ["exact"] * exact + ["span-across-borders"] * (copy.kind == "span" and copy.borders > 0)
        found = links.share(copy) >= (SHARE_EXACT if exact else SHARE_NEAR)
        for kind in kinds:
            counts[kind][0] += found
            counts[kind][1] += 1
    return {kind: {"found": found, "planted": planted, "recall": found / planted}
            for kind, (found, planted) in sorted(counts.items())}
