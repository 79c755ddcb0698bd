"""The tables of groups and of occurrences of a fresh scan as columns, a batch of groups at a time: the rows that ``tables``
makes one by one of a report that was read from a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.columns import owners, sums, widths
from dedup.heads import Utf8
from dedup.kernel import kernel
from dedup.report.columns import Column, Floats, Lists, Numbers, Text, Truths
from dedup.report.rows import KIND_NAMES, RAW, VERDICT_NAMES, Strings, number, text, written
from dedup.report.tables import NAMED_PLACES, Rows, SpanVerdicts
from dedup.verdict_kinds import NAMES

if TYPE_CHECKING:
    from dedup.findings import Findings, GroupColumns
    from dedup.report import Report

I64 = npt.NDArray[np.int64]


class TableColumns:
    """The columns of a report's groups and occurrences."""

    def __init__(self, report: Report, findings: Findings) -> None:
        """Note what every batch needs: names, sources and verdicts of all pages."""
        self._findings, self._verdicts = findings, SpanVerdicts(report)
        pages = findings.corpus.pages
        ids, sources = (named(range(len(pages))) for named in (pages.names, pages.sources))
        self._sources = Utf8.of([source or name for source, name in zip(sources, ids, strict=True)])
        self._told = np.array([not _says(source, name) for source, name in zip(sources, ids, strict=True)], bool)

    def batch(self, columns: GroupColumns, rows: Rows) -> dict[str, Column]:
        """Some rows of a table, with the names of ``tables.TABLES`` in their order."""
        return self._groups(columns) if rows == "groups" else self._occurrences(columns)

    def _occurrences(self, columns: GroupColumns) -> dict[str, Column]:
        c, m, heads = columns.places, columns.measured, columns.heads
        owner = owners(columns.first)
        return {
            "group": Numbers(heads.id[owner]), "kind": Text(Strings.of(KIND_NAMES, heads.kind[owner].astype(np.int64))),
            "verdict": Text(Strings.of(VERDICT_NAMES, self._verdicts.of(heads.id[owner], c.page))),
            "page": Text(Strings.of(self._findings.places.ids, c.page)), "source": Text(Strings.of(self._sources, c.page)),
            "start": Numbers(c.start), "end": Numbers(c.end), "source_start": Numbers(c.source_start),
            "source_end": Numbers(c.source_end), "source_exact": Truths(c.source_exact), "line": Numbers(c.line),
            "end_line": Numbers(c.end_line), "path": Text(Strings.of(Utf8.of(c.paths), c.path)),
            "text": Text(Strings(self._findings.corpus.text, c.text_start, c.text_end)), "similarity": Floats(m.similarity),
            "jaccard": Floats(m.jaccard), "containment": Floats(m.containment), "indel_similarity": Floats(m.indel),
            "dice": Floats(m.dice), "evidence": Floats(m.evidence), "copies": Numbers(c.copies)}

    def _groups(self, columns: GroupColumns) -> dict[str, Column]:
        c, heads, first = columns.places, columns.heads, columns.first
        owner, lead = owners(first), first[:-1] + heads.lead
        pages = np.unique(owner * max(len(self._told), 1) + c.page) // max(len(self._told), 1)
        related = [np.array(heads.related.get(g, ()), np.int64) for g in heads.id.tolist()] if heads.related else []
        related_first = sums(np.array([len(some) for some in related] or [0] * len(lead), np.int64))
        return {
            "group": Numbers(heads.id), "kind": Text(Strings.of(KIND_NAMES, heads.kind.astype(np.int64))),
            "verdicts": _distinct(first, self._verdicts.of(heads.id[owner], c.page)),
            "similarity": Floats(heads.similarity), "tokens": Floats(heads.tokens), "blocks": Numbers(heads.blocks),
            "count": Numbers(np.add.reduceat(c.copies, first[:-1])),
            "pages": Numbers(np.bincount(pages, minlength=len(lead))), "places": self._places(columns),
            "text": Text(Strings(self._findings.corpus.text, c.text_start[lead], c.text_end[lead])),
            "related": Lists(related_first, Numbers(np.concatenate([*related, np.empty(0, np.int64)]))),
            "truncated": Truths(heads.truncated),
            "period": Floats(np.array([heads.period.get(g, np.nan) for g in heads.id.tolist()], np.float64)),
            "part_of": Numbers(heads.part_of)}

    def _places(self, columns: GroupColumns) -> Lists:
        """The first places of each group, as ``report.text.place`` names them."""
        c, counts = columns.places, np.minimum(widths(columns.first), NAMED_PLACES)
        first = sums(counts)
        rows = np.arange(first[-1]) + np.repeat(columns.first[:-1] - first[:-1], counts)
        page, line, end = c.page[rows], c.line[rows], c.end_line[rows]
        ids = Strings.of(self._findings.places.ids, page).where(self._told[page])
        data, begin = written([text(RAW, b"", Strings.of(self._sources, page)), number(b":", line),
                               number(b"-", np.where(end != line, end, -1)), text(RAW, b" (", ids, b")")])
        return Lists(first, Text(Strings(data, begin[:-1], begin[1:])))


def _says(source: str, name: str) -> bool:
    """Whether a source says the id of its page, see ``report.text.page_name``."""
    return source in ("", name) or (source.endswith(name) and source[:-len(name)].endswith(("/", "\\")))


def _distinct(first: I64, code: I64) -> Lists:
    """The verdicts of each list, each once, in the order in which they come."""
    key = owners(first) * (len(NAMES) + 1) + code + 1
    different, at = np.unique(key, return_index=True)
    at = np.sort(at[different % (len(NAMES) + 1) > 0])
    return Lists(np.searchsorted(at, first), Text(Strings.of(VERDICT_NAMES, code[at])))


def column_batches(report: Report, findings: Findings, rows: Rows) -> Iterator[dict[str, Column]]:
    """A table, batch by batch."""
    made = TableColumns(report, findings)
    for groups in findings.batches(len(findings.table)):
        yield made.batch(findings.columns(groups), rows)
        kernel.relieve_memory()
