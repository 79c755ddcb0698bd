"""The tables of groups and of occurrences: one row a group, or one row a place where its text stands; docs/page-table.md
describes both. Rows are made one after the other, so no more than one group is held at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from dedup.columns import owners
from dedup.model import VerdictKind
from dedup.report.gather import heads_of
from dedup.report.text import place
from dedup.verdict_kinds import NAMES

if TYPE_CHECKING:
    from dedup.model import Group, Occurrence, PageReport
    from dedup.report import Report

I64 = npt.NDArray[np.int64]
Rows = Literal["groups", "occurrences"]
REMEMBERED = 1_000  # pages
NAMED_PLACES = 10  # of a group; the others are rows of the table of occurrences
TABLES: dict[Rows, tuple[tuple[str, str], ...]] = {
    "groups": (
        ("group", "int64"), ("kind", "string"), ("verdicts", "list<string>"), ("similarity", "float64"),
        ("tokens", "float64"), ("blocks", "int64"), ("count", "int64"), ("pages", "int64"), ("places", "list<string>"),
        ("text", "large_string"), ("related", "list<int64>"), ("truncated", "bool"), ("period", "float64"),
        ("part_of", "int64")),
    "occurrences": (
        ("group", "int64"), ("kind", "string"), ("verdict", "string"), ("page", "string"), ("source", "string"),
        ("start", "int64"), ("end", "int64"), ("source_start", "int64"), ("source_end", "int64"), ("source_exact", "bool"),
        ("line", "int32"), ("end_line", "int32"), ("path", "string"), ("text", "large_string"), ("similarity", "float64"),
        ("jaccard", "float64"), ("containment", "float64"), ("indel_similarity", "float64"), ("dice", "float64"),
        ("evidence", "float64"), ("copies", "int64")),
}


class Places:
    """The pages of occurrences, and what each occurrence amounts to on its page. A page is made when it is asked for."""

    def __init__(self, report: Report) -> None:
        """Note where each page is; verdicts are looked up when they are asked for."""
        self._heads = heads_of(report)
        names: Iterable[str] = getattr(report.pages, "ids", None) or (page.id for page in self._heads)
        self._row = {name: row for row, name in enumerate(names)}
        self._made: dict[str, PageReport] = {}
        self._report = report
        self._verdicts: SpanVerdicts | None = None

    def row(self, name: str) -> int | None:
        """The index of a page in the report."""
        return self._row.get(name)

    def page(self, name: str) -> PageReport | None:
        """A page by its id, without what takes time to make."""
        row = self._row.get(name)
        if name not in self._made and row is not None:
            if len(self._made) >= REMEMBERED:
                self._made.clear()
            self._made[name] = self._heads[row]
        return self._made.get(name)

    def source(self, occurrence: Occurrence) -> str:
        """The file or place that it stands in."""
        page = self.page(occurrence.page)
        return page.source if page is not None and page.source else occurrence.page

    def words(self, occurrence: Occurrence) -> str:
        """``file:line-line``."""
        page = self.page(occurrence.page)
        return place(occurrence, {} if page is None else {occurrence.page: page})

    def verdict(self, occurrence: Occurrence, group: int) -> VerdictKind | None:
        """What it amounts to, as in the spans of the table of pages; ``None`` where nothing is said."""
        if self._verdicts is None:
            self._verdicts = SpanVerdicts(self._report)
        code = int(self._verdicts.of(np.array([group]), np.array([self._row.get(occurrence.page, -1)]))[0])
        return None if code < 0 else NAMES[code]


class SpanVerdicts:
    """What the occurrences of groups amount to on pages, as in the spans of the table of pages."""

    def __init__(self, report: Report) -> None:
        """Order the spans by group and page."""
        spans = report.annotations.spans
        self._pages = max(len(spans.first) - 1, 1)
        row = owners(spans.first)
        self._keys, at = np.unique(spans.group * self._pages + row, return_index=True)
        self._verdict = spans.verdict[at]

    def of(self, group: I64, page: I64) -> I64:
        """Index into ``NAMES`` of each group on a page, -1 where nothing is said."""
        if not len(self._keys):
            return np.full(len(group), -1)
        key = group * self._pages + page
        at = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        return np.where((self._keys[at] == key) & (page >= 0), self._verdict[at], -1).astype(np.int64)


def table_rows(report: Report, rows: Rows) -> Iterator[dict[str, Any]]:
    """The rows of a table, with the keys of ``TABLES`` in their order."""
    places = Places(report)
    for group in report.groups:
        if rows == "groups":
            yield group_row(group, places)
        else:
            yield from (occurrence_row(group, occurrence, places) for occurrence in group.occurrences)


def group_row(group: Group, places: Places) -> dict[str, Any]:
    """The row of a group."""
    verdicts = {places.verdict(occurrence, group.id): None for occurrence in group.occurrences}
    return {
        "group": group.id, "kind": group.kind, "verdicts": [name for name in verdicts if name],
        "similarity": group.similarity, "tokens": group.tokens, "blocks": group.blocks, "count": group.count,
        "pages": len({occurrence.page for occurrence in group.occurrences}),
        "places": [places.words(occurrence) for occurrence in group.occurrences[:NAMED_PLACES]],
        "text": group.text, "related": list(group.related), "truncated": group.truncated, "period": group.period,
        "part_of": group.part_of}


def occurrence_row(group: Group, occurrence: Occurrence, places: Places) -> dict[str, Any]:
    """The row of an occurrence."""
    known = {"group": group.id, "kind": group.kind, "verdict": places.verdict(occurrence, group.id),
             "source": places.source(occurrence)}
    return {name: known[name] if name in known else getattr(occurrence, name) for name, _ in TABLES["occurrences"]}


__all__ = ["TABLES", "Places", "Rows", "SpanVerdicts", "group_row", "occurrence_row", "table_rows"]
