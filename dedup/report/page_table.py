"""The table of pages: one row a page, in order, as batches. docs/page-table.md describes it.

No more than one batch of rows is held at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.annotate import REPETITION, SHARES, Spans
from dedup.columns import sums
from dedup.groups import KINDS
from dedup.model import PageReport
from dedup.report.columns import Column, Floats, Json, Lists, Numbers, Text, Truths, objects_json
from dedup.report.gather import heads_of
from dedup.report.json import encode
from dedup.report.rows import KIND_NAMES, VERDICT_NAMES, Strings, pool
from dedup.verdict_kinds import NAMES

if TYPE_CHECKING:
    from dedup.report import Report

I64 = npt.NDArray[np.int64]

FORMAT = "dedup-pages/1"
BATCH_ROWS = 8192
SPAN_FIELDS = (("start", "int64"), ("end", "int64"), ("group", "int64"), ("kind", "string"), ("verdict", "string"),
               ("stays", "bool"), ("cut", "bool"))
COLUMNS: tuple[tuple[str, str], ...] = (
    ("id", "string"), ("source", "string"), ("row", "int64"), ("title", "string"), ("meta", "string"), ("words", "int64"),
    ("chars", "int64"), ("keep", "bool"), ("kept_page", "string"), ("groups", "list<int64>"),
    ("spans", f"list<struct<{', '.join(f'{name}: {kind}' for name, kind in SPAN_FIELDS)}>>"),
    ("duplicate_chars", "int64"), ("within_share", "float64"), ("across_share", "float64"),
    *((name, "float64") for name in (*SHARES, *REPETITION)))



@dataclass(frozen=True, slots=True)
class PageBatch:
    """Some rows of the table, as columns.

    Attributes:
        heads: The pages; verdicts, small repeats and texts may be missing.
        rows: Where they stand in their sources, -1 for a whole file or where it is not known.
        kept_page: Ids of the pages that stay for them, ``None`` where they stay themselves.
        group_first, groups: Groups of each page, ascending: ``groups[group_first[i]:group_first[i + 1]]``.
        spans: Their spans.
        shares, repetition: Shape ``(rows, columns)``; ``None`` where they are not known.
    """

    heads: list[PageReport]
    rows: I64
    kept_page: list[str | None]
    group_first: I64
    groups: I64
    spans: Spans
    shares: npt.NDArray[np.float64] | None
    repetition: npt.NDArray[np.float64] | None


def page_batches(report: Report) -> Iterator[PageBatch]:
    """The table of pages, batch by batch; references have no rows."""
    heads, count, known = heads_of(report), len(report.pages), report.annotations
    names: Sequence[str] = getattr(report.pages, "ids", None) or [page.id for page in heads]
    for at in range(report.summary.reference_pages, count, BATCH_ROWS):
        pages = slice(at, min(at + BATCH_ROWS, count))
        spans = known.spans.of(pages)
        yield PageBatch(
            list(heads[pages]), np.full(pages.stop - at, -1) if known.rows is None else known.rows[pages],
            [None if kept < 0 else names[kept] for kept in known.kept[pages].tolist()],
            *_groups(spans), spans, None if known.shares is None else known.shares[pages],
            None if known.repetition is None else known.repetition(pages))


def _groups(spans: Spans) -> tuple[I64, I64]:
    """Groups of each page, ascending, each once; where those of each page begin, one longer."""
    rows = len(spans.first) - 1
    page = np.repeat(np.arange(rows), np.diff(spans.first))
    order = np.lexsort((spans.group, page))
    page, group = page[order], spans.group[order]
    new = np.ones(len(order), bool)
    new[1:] = (page[1:] != page[:-1]) | (group[1:] != group[:-1])
    return sums(np.bincount(page[new], minlength=rows)), group[new]


def page_rows(batch: PageBatch) -> Iterator[dict[str, Any]]:
    """The rows of a batch, with the keys of ``COLUMNS`` in their order."""
    figures = [table.tolist() if table is not None else [[None] * len(names)] * len(batch.heads)
               for table, names in ((batch.shares, SHARES), (batch.repetition, REPETITION))]
    groups, spans = batch.groups.tolist(), _span_rows(batch.spans)
    edges = itertools.pairwise(batch.group_first.tolist())
    for head, row, kept, (g0, g1), own, shares, repetition in zip(batch.heads, batch.rows.tolist(), batch.kept_page, edges,
                                                                  spans, *figures, strict=True):
        yield {"id": head.id, "source": head.source, "row": row if row >= 0 else None, "title": head.title,
               "meta": dict(head.meta), "words": head.words, "chars": head.chars, "keep": kept is None, "kept_page": kept,
               "groups": groups[g0:g1], "spans": own, "duplicate_chars": head.duplicate_chars,
               "within_share": head.within_share, "across_share": head.across_share, **dict(zip(SHARES, shares, strict=True)),
               **dict(zip(REPETITION, repetition, strict=True))}


def page_columns(report: Report) -> Iterator[dict[str, Column]]:
    """The table, batch by batch, as columns with the names of ``COLUMNS`` in their order."""
    for batch in page_batches(report):
        heads, spans = batch.heads, batch.spans
        span_columns: dict[str, Column] = {
            "start": Numbers(spans.start), "end": Numbers(spans.end), "group": Numbers(spans.group),
            "kind": Text(Strings.of(KIND_NAMES, spans.kind.astype(np.int64))),
            "verdict": Text(Strings.of(VERDICT_NAMES, spans.verdict.astype(np.int64))), "stays": Truths(spans.stays),
            "cut": Truths(spans.cut)}
        yield {
            "id": _text([head.id for head in heads]), "source": _text([head.source for head in heads]),
            "row": Numbers(batch.rows),
            "title": _text([head.title for head in heads]),
            "meta": Json(_strings([encode(dict(head.meta)) for head in heads])),
            "words": _numbers([head.words for head in heads]), "chars": _numbers([head.chars for head in heads]),
            "keep": Truths(np.array([kept is None for kept in batch.kept_page], bool)), "kept_page": _text(batch.kept_page),
            "groups": Lists(batch.group_first, Numbers(batch.groups)), "spans": objects_json(spans.first, span_columns),
            "duplicate_chars": _numbers([head.duplicate_chars for head in heads]),
            "within_share": _floats([head.within_share for head in heads]),
            "across_share": _floats([head.across_share for head in heads]),
            **_figures(SHARES, batch.shares, len(heads)), **_figures(REPETITION, batch.repetition, len(heads))}


def _text(strings: Sequence[str | None]) -> Text:
    there = np.array([string is not None for string in strings], bool)
    return Text(_strings([(string or "").encode("utf-8", "surrogatepass") for string in strings]).where(there))


def _strings(strings: Sequence[bytes]) -> Strings:
    return Strings.of(pool(strings), np.arange(len(strings)))


def _numbers(values: Sequence[int]) -> Numbers:
    return Numbers(np.array(values, np.int64))


def _floats(values: Sequence[float]) -> Floats:
    return Floats(np.array(values, np.float64))


def _figures(names: Sequence[str], table: npt.NDArray[np.float64] | None, rows: int) -> dict[str, Column]:
    return {name: Floats(np.full(rows, np.nan) if table is None else np.ascontiguousarray(table[:, number]))
            for number, name in enumerate(names)}


def _span_rows(spans: Spans) -> Iterator[list[dict[str, Any]]]:
    """The spans of each page, made page by page: those of a whole batch would keep the garbage collector busy."""
    columns = (spans.start.tolist(), spans.end.tolist(), spans.group.tolist(), [KINDS[kind] for kind in spans.kind.tolist()],
               [None if verdict < 0 else NAMES[verdict] for verdict in spans.verdict.tolist()], spans.stays.tolist(),
               spans.cut.tolist())
    names, rows = [name for name, _ in SPAN_FIELDS], zip(*columns, strict=True)
    for count in np.diff(spans.first).tolist():
        yield [dict(zip(names, row, strict=True)) for row in itertools.islice(rows, count)]


def meta_text(head: PageReport) -> str:
    """The carried fields of a page as JSON."""
    return encode(dict(head.meta)).decode()
