"""What the table of pages says of each page beside its figures: whether it stays, which of its stretches stand elsewhere
too, how much of it that is, and what repeats inside it. Columns, made when somebody asks for them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, sums
from dedup.corpus import BATCH_BYTES, Corpus, token_flags
from dedup.engines.local import LocalEngine
from dedup.groups import KINDS
from dedup.keep import Pairs, both, copies_in_groups, kept_pages, no_pairs, pairs_of
from dedup.kernel import kernel
from dedup.model import Group, PageReport, Summary, VerdictKind
from dedup.options import Options
from dedup.verdict_kinds import COPY, NAMES, SHARED
from dedup.verdicts import Judgement

if TYPE_CHECKING:
    from dedup.report import Report

I8 = npt.NDArray[np.int8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GRAM_MEASURES = (*(f"top_{n}_gram_char_fraction" for n in range(2, 5)),
                 *(f"duplicate_{n}_gram_char_fraction" for n in range(5, 11)))
REPETITION = ("duplicate_line_fraction", "duplicate_line_char_fraction", "duplicate_paragraph_fraction",
              "duplicate_paragraph_char_fraction", *GRAM_MEASURES)
SHARES = ("duplicate_share", "content_share", *(f"share_{name.replace('-', '_')}" for name in NAMES))
COUNTS = 18  # of ``kernel.repetition_counts``
INSIDE_FIRST: tuple[VerdictKind, ...] = ("rendered-twice", "teaser", "navigation", "refrain", "template", "copy-of",
                                         "shared")  # of several verdicts on a group of one page, the one that counts


class Spans(Struct, frozen=True):
    """Stretches of pages that stand in two places or more, by page, then by place; those of page p are ``first[p]`` to
    ``first[p + 1]``.

    Attributes:
        first: One longer than the pages.
        start, end: Half-open code points of the page's text.
        group: Number of the group.
        kind: Index into ``KINDS``.
        verdict: Index into ``verdicts.NAMES``, -1 for none.
        stays: It is the place of its group that stays: the first one on a page that stays.
        cut: It can go from its page, which stays: its text stands where its group stays, and no such place loses a character
            though all of these go. Pages that do not stay go as a whole, and nothing is cut from them.
    """

    first: I64
    start: I64
    end: I64
    group: I64
    kind: I8
    verdict: I8
    stays: Flags
    cut: Flags

    def of(self, pages: slice) -> Spans:
        """Those of some pages."""
        first = self.first[pages.start:pages.stop + 1]
        rows = slice(int(first[0]), int(first[-1]))
        return Spans(first - first[0], *(getattr(self, name)[rows] for name in self.__struct_fields__[1:]))


class Stretches(Struct, frozen=True):
    """Matched stretches of occurrences, occurrence after occurrence, group after group.

    Attributes:
        first: First stretch of each occurrence, one longer.
        page, group, kind, verdict: Of each occurrence, as in ``Spans``.
        start, end: Of each stretch.
    """

    first: I64
    page: I64
    group: I64
    kind: I8
    verdict: I8
    start: I64
    end: I64


def spans_of(stretches: Stretches, kept: I64, page_chars: I64, references: int = 0) -> Spans:
    """The stretches by page, with what stays and what can go where pages that do not stay are dropped.

    Args:
        kept: The page that stays for each page, -1 where it stays itself.
        page_chars: Code points before each page, one longer than the pages.
        references: Pages that the others are compared against: so many, the first ones; nothing is cut from them.
    """
    s, on_kept = stretches, kept[stretches.page] < 0
    occurrence = np.repeat(np.arange(len(s.page)), np.diff(s.first))
    stays = _first_of_group(s.group, on_kept)
    needed = (stays & (np.bincount(s.group, on_kept)[s.group] > 1))[occurrence]  # something goes because it stays
    shift = page_chars[s.page[occurrence]]
    start, end = s.start + shift, s.end + shift
    begins, ends = np.sort(start[needed]), np.sort(end[needed])
    touches = np.searchsorted(begins, end, side="left") > np.searchsorted(ends, start, side="right")
    held = np.bincount(occurrence[touches], minlength=len(s.page)) > 0  # an occurrence goes as a whole or not at all
    order = np.lexsort((s.group[occurrence], end, start))
    row = occurrence[order]
    cut = on_kept & ~stays & ~held & (s.page >= references)
    first = np.searchsorted(s.page[row], np.arange(len(page_chars)))
    return Spans(first, s.start[order], s.end[order], s.group[row], s.kind[row], s.verdict[row], stays[row], cut[row])


def _first_of_group(group: I64, chosen: Flags) -> Flags:
    """Of each group the first occurrence among the chosen ones; groups ascend."""
    rows = np.flatnonzero(chosen)
    new = np.ones(len(rows), bool)
    new[1:] = group[rows][1:] != group[rows][:-1]
    first = np.zeros(len(group), bool)
    first[rows[new]] = True
    return first


class Annotations:
    """What is said of the pages of a report; made when asked for. Pickling it makes all of it.

    Args:
        kept: The page that stays for each page, -1 where it stays itself.
        spans: See ``Spans``; gets `kept`.
        equal: Pairs of pages with equal words, however few (those in no group too).
        shares: ``(pages, len(SHARES))``, 0.0 to 1.0; ``None`` where the blocks of the pages are not known.
        repetition: For a range of pages ``(pages, len(REPETITION))``, 0.0 to 1.0; ``None`` where their texts are not known.
        rows: See ``Heads.rows``; ``None`` where they are not known.
    """

    def __init__(self, kept: Callable[[], I64], spans: Callable[[I64], Spans], equal: Callable[[], Pairs] = no_pairs,
                 shares: Callable[[], F64] | None = None, repetition: Callable[[slice], F64] | None = None,
                 rows: Callable[[], I64] | None = None) -> None:
        self._kept, self._spans, self._equal, self._shares, self.repetition = kept, spans, equal, shares, repetition
        self._rows = rows

    @cached_property
    def kept(self) -> I64:
        """The page that stays for each page, -1 where it stays itself; shape ``(pages,)``."""
        return self._kept()

    @cached_property
    def spans(self) -> Spans:
        """All stretches that stand in two places or more."""
        return self._spans(self.kept)

    @cached_property
    def shares(self) -> F64 | None:
        """See the class."""
        return None if self._shares is None else self._shares()

    @cached_property
    def rows(self) -> I64 | None:
        """See the class."""
        return None if self._rows is None else self._rows()

    def regrouped(self, report: Report) -> Annotations:
        """Those of a report of the same pages with other groups: kept pages and spans follow its groups."""
        return Annotations(*_from_objects(Told.of(report), self._equal), self._equal, self._shares, self.repetition,
                           self._rows)

    def __reduce__(self) -> tuple[Callable[..., Annotations], tuple[object, ...]]:
        repetition = None if self.repetition is None else self.repetition(slice(0, len(self.kept)))
        return _made, (self.kept, self.spans, self._equal(), self.shares, repetition, self.rows)


def _made(kept: I64, spans: Spans, equal: Pairs, shares: F64 | None, repetition: F64 | None, rows: I64 | None) -> Annotations:
    return Annotations(lambda: kept, lambda _: spans, lambda: equal, None if shares is None else lambda: shares,
                       None if repetition is None else lambda pages: repetition[pages],
                       None if rows is None else lambda: rows)


# Of a scan.


def annotate(judgement: Judgement) -> Annotations:
    """The annotations of a scan, from its columns."""
    findings = judgement.findings
    corpus = findings.corpus

    def equal() -> Pairs:
        from dedup.cleaning.plan import equal_pages

        return pairs_of(*equal_pages(corpus), findings.pairs_that_count)

    def kept() -> I64:
        of_groups = findings.options.unit == "page"
        copies = copies_in_groups(findings.table, findings.pairs_that_count) if of_groups else judgement.alike
        return kept_pages(*both(copies, equal()), len(corpus.pages))

    def spans(kept: I64) -> Spans:
        table, places, shown = findings.table, findings.places, findings.shown
        part, first = kernel.take_ranges(table.parts.first, shown.row)
        last = part.copy()
        last[first[1:] - 1] = table.parts.first[shown.row + shown.copies] - 1  # of copies in a row, where the last one ends
        owner, verdict = table.owner[shown.row], occurrence_verdicts(judgement)[shown.row]
        stretches = Stretches(first, table.page[shown.row], owner, table.kind[owner], verdict, places.part_start[part],
                              places.part_end[last])
        return spans_of(stretches, kept, corpus.page_chars, corpus.references or 0)
    return Annotations(kept, spans, equal, lambda: _shares(judgement), lambda pages: _repetition(judgement, pages),
                       lambda: corpus.pages.rows)


def occurrence_verdicts(judgement: Judgement) -> I8:
    """Verdict of each occurrence: what it is on its page if it stands there twice, else what it is across pages."""
    across = judgement.across.copy()
    copies = np.zeros(len(judgement.findings.corpus.pages), bool)
    copies[list(judgement.copy_of)] = True
    across[(across == SHARED) & copies[judgement.page]] = COPY
    verdict: I8 = np.where(judgement.within >= 0, judgement.within, across).astype(np.int8)
    verdict[judgement.page < (judgement.findings.corpus.references or 0)] = -1  # nothing is said of references
    return verdict[judgement.occurrence_stand]


def _shares(judgement: Judgement) -> F64:
    """Share of the characters in blocks that are duplicate ones: all, those that are content, those of each verdict."""
    from dedup.pages import chars_outside_blocks, covered_chars, is_content, page_parts

    findings = judgement.findings
    table = findings.table
    stand, verdict = judgement.occurrence_stand, occurrence_verdicts(judgement)
    later = np.ones(len(stand), bool)
    later[table.first[:-1]] = False
    later &= table.page >= (findings.corpus.references or 0)
    content = later & is_content(judgement)
    outside, inside = chars_outside_blocks(findings.corpus)
    of_verdicts = [later & (verdict == number) for number in range(len(NAMES))]
    parts = page_parts(findings)
    chars = [*covered_chars(findings, parts, outside, later, content)[1],
             *covered_chars(findings, parts, outside, *of_verdicts)[1]]
    return np.stack(chars, axis=1) / np.maximum(inside, 1)[:, None]


def _repetition(judgement: Judgement, pages: slice) -> F64:
    findings = judgement.findings
    if findings.repetition is not None:
        return findings.repetition()[pages]
    return repetition_of(findings.engine, findings.corpus, pages)


def repetition_of(engine: LocalEngine, corpus: Corpus, pages: slice) -> F64:
    """How much some pages repeat themselves, as ``repetition_measures`` gives it."""
    starts = corpus.page_start[pages.start:pages.stop + 1]
    size = starts[-1] - starts[0]
    cuts = distinct_numbers(np.append(np.searchsorted(starts[:-1], starts[0] + np.arange(0, size + 1, BATCH_BYTES // 4)),
                               len(starts) - 1))

    def count(rows: tuple[int, int]) -> I64:
        edges = starts[rows[0]:rows[1] + 1]
        return kernel.repetition_counts(corpus.text, edges[:-1].copy(), edges[1:].copy(), corpus.flags)
    counts = engine.map(count, itertools.pairwise(cuts.tolist()))
    return repetition_measures(np.concatenate([np.empty(0, np.int64), *counts]))


def repetition_measures(counts: I64) -> F64:
    """The measures ``REPETITION`` of each page.

    Args:
        counts: Of ``kernel.repetition_counts``.

    Returns:
        Shape ``(pages, len(REPETITION))``, 0.0 to 1.0; 0.0 where there is nothing that could repeat.
    """
    counts = counts.reshape(-1, COUNTS)
    parts = counts[:, [1, 3, 5, 7, *range(9, COUNTS)]]
    wholes = counts[:, [0, 2, 4, 6, *[8] * len(GRAM_MEASURES)]]
    return parts / np.maximum(wholes, 1)


# Of any report.


def annotations_of(report: Report) -> Annotations:
    """The annotations of a report that has only its groups and pages, such as one read from a file."""
    told = Told.of(report)
    return Annotations(*_from_objects(told, no_pairs), repetition=_from_texts(told) if told.options.with_text else None)


class Told(Struct, frozen=True):
    """What of a report its annotations need. Of the report itself, which holds them, they would make a ring."""

    options: Options
    summary: Summary
    pages: Sequence[PageReport]
    groups: Sequence[Group]

    @classmethod
    def of(cls, report: Report) -> Told:
        """That of a report."""
        return cls(report.options, report.summary, report.pages, report.groups)


def _from_texts(report: Told) -> Callable[[slice], F64]:
    def repetition(pages: slice) -> F64:
        texts = [(page.text or "").encode("utf-8", "surrogatepass") for page in report.pages[pages]]
        edges = sums(np.array([len(text) for text in texts], np.int64))
        together = np.frombuffer(b"".join(texts), np.uint8)
        return repetition_measures(kernel.repetition_counts(together, edges[:-1].copy(), edges[1:].copy(),
                                                            token_flags(report.options)))
    return repetition


def _from_objects(report: Told, equal: Callable[[], Pairs]) -> tuple[Callable[[], I64], Callable[[I64], Spans]]:
    from dedup.report.filter import Counted

    def kept() -> I64:
        number = {page.id: p for p, page in enumerate(report.pages)}
        if report.options.unit == "page":
            counted = Counted.of(report)
            pairs = [(group.occurrences[min(n, lead)].page, group.occurrences[max(n, lead)].page)
                     for group in report.groups for lead in (group.representative,)
                     for n in range(len(group.occurrences))
                     if n != lead and counted.any_pair((group.occurrences[lead], group.occurrences[n]))]
        else:
            pairs = [(verdict.evidence["page"], page.id) for page in report.pages for verdict in page.verdicts
                     if verdict.kind == "copy-of" and "page" in verdict.evidence]
        rows = np.array([(number[a], number[b]) for a, b in pairs], np.int64).reshape(-1, 2)
        return kept_pages(*both((rows[:, 0], rows[:, 1]), equal()), len(report.pages))

    def spans(kept: I64) -> Spans:
        number = {page.id: p for p, page in enumerate(report.pages)}
        verdicts = [_group_verdicts(page) for page in report.pages]
        unsaid = [NAMES.index("copy-of") if any(v.kind == "copy-of" for v in page.verdicts) else -1 for page in report.pages]
        rows: list[tuple[int, int, int, int]] = []
        stretches: list[tuple[int, int]] = []
        first = [0]
        for group in report.groups:
            for occurrence in group.occurrences:
                page = number[occurrence.page]
                rows.append((page, group.id, KINDS.index(group.kind), verdicts[page].get(group.id, unsaid[page])))
                stretches += occurrence.parts or ((occurrence.start, occurrence.end),)
                first.append(len(stretches))
        page_of, group_of, kind, verdict = np.array(rows, np.int64).reshape(-1, 4).T
        start, end = np.array(stretches, np.int64).reshape(-1, 2).T
        made = Stretches(np.array(first), page_of, group_of, kind.astype(np.int8), verdict.astype(np.int8), start, end)
        page_chars = sums(np.array([page.chars for page in report.pages], np.int64))
        return spans_of(made, kept, page_chars, report.summary.reference_pages)
    return kept, spans


def _group_verdicts(page: PageReport) -> dict[int, int]:
    """The verdict that counts for each group of a page of which one speaks.

    Of a copy no sentence names what it shares with other pages only: its original does not have that.
    """
    found: dict[int, int] = {}
    for verdict in sorted(page.verdicts, key=lambda v: -INSIDE_FIRST.index(v.kind)):
        found |= dict.fromkeys(verdict.groups, NAMES.index(verdict.kind))
    return found
