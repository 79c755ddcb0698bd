"""What the short reports show of a long one: the best few of each list, and how many more there are, in one pass."""

from __future__ import annotations

import dataclasses
import heapq
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dedup.model import Group, Occurrence, PageReport, Pair, Verdict, VerdictKind

if TYPE_CHECKING:
    from dedup.report import Report

T = TypeVar("T")
SECOND_RENDERINGS: tuple[VerdictKind, ...] = ("rendered-twice", "teaser")
FOLDED: tuple[VerdictKind, ...] = ("navigation", "refrain", "template")
MAX_SMALL_REPEATS = 50_000  # different texts that are counted; what comes after is only summed up
MAX_PLACES = 1_000  # of one group that are looked at


class Best(Generic[T]):
    """The `size` items with the greatest keys; among equals the earlier one."""

    def __init__(self, size: int) -> None:
        self.size, self.seen = max(size, 0), 0
        self._heap: list[tuple[float, int, T]] = []

    def add(self, key: float, item: T) -> None:
        """Count an item, and keep it if it is among the best so far."""
        self.seen += 1
        entry = (key, -self.seen, item)
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, entry)
        elif self._heap and entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def ordered(self) -> list[T]:
        """The best first."""
        return [item for _, _, item in sorted(self._heap, reverse=True)]

    @property
    def hidden(self) -> int:
        """How many were not kept."""
        return self.seen - len(self._heap)


@dataclass(slots=True)
class Fold:
    """All verdicts of one kind."""

    pages: int = 0
    verdicts: int = 0
    groups: set[int] = field(default_factory=set)
    example: str = ""

    def add(self, verdicts: list[Verdict]) -> None:
        """Count the verdicts of one page."""
        self.pages += 1
        self.verdicts += len(verdicts)
        self.groups.update(group for verdict in verdicts for group in verdict.groups)
        self.example = self.example or verdicts[0].text


@dataclass(slots=True)
class Gathered:
    """What a short report is made from."""

    groups: Best[Group]
    pairs: Best[Pair]
    renderings: Best[tuple[PageReport, list[Verdict]]]
    copies: Best[tuple[PageReport, list[Verdict]]]
    folds: dict[VerdictKind, Fold] = field(default_factory=dict)
    repeats: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    repeat_pages: Counter[str] = field(default_factory=Counter)
    words: float = 0
    named: dict[str, PageReport] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    said: set[tuple[int, ...]] | None = field(default_factory=set)

    @classmethod
    def of(cls, report: Report, top: int) -> Gathered:
        """Go once over groups (or pairs, of a comparison) and once over pages."""
        found = cls(Best(top), Best(top), Best(top), Best(top))
        if report.summary.reference_pages:
            found.references = {page.id for page in report.pages if page.reference}
        if report.summary.reference_pages or report.options.between is not None:
            found.said = None  # what stands in the references, or on pages that differ, is said of each page
        if report.is_comparison:
            for pair in report.pairs():
                found.pairs.add(len(pair.a.text), pair)
        else:
            for group in report.groups:
                found.groups.add(wasted_chars(group, found.references), group)
        shown = found._shown_ids()
        for page in report.pages:
            found._add_page(page, page.id in shown)
        return found

    def _shown_ids(self) -> set[str]:
        ids = {o.page for group in self.groups.ordered() for o in group.occurrences[:MAX_PLACES]}
        return ids | {o.page for pair in self.pairs.ordered() for o in (pair.a, pair.b)}

    def _add_page(self, page: PageReport, shown: bool) -> None:
        self.words += 0 if page.reference else page.words
        if shown:
            self.named[page.id] = page
        by_kind: dict[Any, list[Verdict]] = {}
        for verdict in page.verdicts:
            by_kind.setdefault(verdict.kind, []).append(verdict)
        for kind in FOLDED:
            if kind in by_kind:
                self.folds.setdefault(kind, Fold()).add(by_kind.pop(kind))
        first = [verdict for kind in SECOND_RENDERINGS for verdict in by_kind.pop(kind, [])]
        if first:
            self.renderings.add(page.duplicate_chars, (page, first))
        rest = [verdict for kind in sorted(by_kind) for verdict in by_kind[kind] if not self._is_said(verdict)]
        if rest:
            self.copies.add(page.duplicate_chars, (page, rest))
        for repeat in page.small_repeats:
            if repeat.text in self.repeats or len(self.repeats) < MAX_SMALL_REPEATS:
                self.repeats.setdefault(repeat.text, (page.source or page.id, repeat.lines))
                self.repeat_pages[repeat.text] += 1

    def _is_said(self, verdict: Verdict) -> bool:
        """Whether an earlier page shares the same passages: one of them says it."""
        if verdict.kind != "shared" or self.said is None:
            return False
        said = verdict.groups in self.said
        self.said.add(verdict.groups)
        return said


def matched_text(occurrence: Occurrence, gap: str = "") -> str:
    """An occurrence's text; of a run only its matched stretches, a paragraph each, with a mark for what is left out.

    A stretch that follows the one before at once, as the other side's gap, has no mark.
    """
    if not occurrence.parts:
        return occurrence.text
    first = occurrence.start
    text, reached = "", occurrence.start
    for start, end in occurrence.parts:
        left_out = occurrence.text[reached - first : start - first].strip()
        text += ("\n\n" if text else "") + (f"{gap}\n\n" if gap and left_out else "")
        text += occurrence.text[start - first : end - first]
        reached = end
    return text


def chosen_places(group: Group, limit: int) -> list[list[Occurrence]]:
    """At most `limit` occurrences, those of equal text together: each different text first, then the other places."""
    if group.kind == "exact":
        return [[occurrence] for occurrence in group.occurrences[:limit]]
    variants: dict[str, list[Occurrence]] = {}
    for occurrence in group.occurrences[:MAX_PLACES]:
        variants.setdefault(matched_text(occurrence), []).append(occurrence)
    shown = list(variants.values())[:limit]
    free = limit - len(shown)
    chosen = []
    for same in shown:
        chosen.append(same[: 1 + free])
        free -= len(chosen[-1]) - 1
    return chosen


def wasted_chars(group: Group, references: Collection[str] = ()) -> int:
    """Characters that would not be needed if the text stood once, or where there are references, in those only."""
    parts = group.occurrences[group.representative].parts
    chars = sum(end - start for start, end in parts) if parts else len(group.text)
    if references:
        return chars * sum(occurrence.copies for occurrence in group.occurrences if occurrence.page not in references)
    return chars * (group.count - 1)


def references_last(group: Group, references: Collection[str]) -> Group:
    """The group with its representative first, then the places that are no references: those are what is asked about."""
    if not references:
        return group
    rest = list(group.occurrences)
    first = rest.pop(group.representative)
    ordered = (first, *sorted(rest, key=lambda place: place.page in references))
    return dataclasses.replace(group, occurrences=ordered, representative=0)
