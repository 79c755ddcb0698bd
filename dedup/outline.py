"""What the verdicts of all pages amount to, as figures: the short reports rank by them and put only a few into words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import begins_new, distinct_numbers, rows_of
from dedup.model import Group, PageReport, VerdictKind
from dedup.verdict_kinds import NAMES, RENDERED, SHARED, TEASER
from dedup.verdicts import Judgement

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SECOND_RENDERINGS: tuple[VerdictKind, ...] = ("rendered-twice", "teaser")
FOLDED: tuple[VerdictKind, ...] = ("navigation", "refrain", "template")


class Fold(Struct, frozen=True):
    """All verdicts of one kind.

    Attributes:
        pages, verdicts, groups: How many there are.
        first: The first page with one.
    """

    pages: int
    verdicts: int
    groups: int
    first: int


class Outline(Struct, frozen=True):
    """Which pages have which verdicts; pages are indices, ascending.

    Attributes:
        words: Words of the pages that are no references.
        duplicate_chars: Of each page.
        renderings: Pages with a second rendering or a teaser.
        copies: Pages that are copies, or share passages with others.
        whole: Of each of these, whether it is a copy.
        again: Of each of these, whether all its passages are told of others: earlier pages share them, or they stand on its
            copies alone.
        folds: What is told in a line each.
    """

    words: int
    duplicate_chars: I64
    renderings: I64
    copies: I64
    whole: Flags
    again: Flags
    folds: dict[VerdictKind, Fold]


def outline_of_judgement(judgement: Judgement, words: I64, duplicate_chars: I64) -> Outline:
    """The outline of a scan, from columns.

    Args:
        words, duplicate_chars: Of each page.
    """
    begin = judgement.findings.corpus.references or 0  # nothing is said of references
    told = judgement.page >= begin
    group, page = judgement.group[told], judgement.page[told]
    within, across = judgement.within[told], judgement.across[told]
    copied = np.array(sorted(p for p in judgement.copy_of if p >= begin), np.int64)
    original = np.arange(len(words))  # of the copies of a page, that page
    original[copied] = [judgement.copy_of[p] for p in copied.tolist()]
    of_copy = original[page] != page
    shared = rows_of((across == SHARED) & ~of_copy)
    sharing, again = _told_again(group[shared], page[shared], _on_several(group, original[page])[shared])
    order = np.argsort(np.concatenate([copied, sharing]), kind="stable")
    folds = dict[VerdictKind, Fold]()
    for kind in FOLDED:
        rows = (within == NAMES.index(kind)) | (across == NAMES.index(kind))
        if rows.any():
            pages = distinct_numbers(page[rows])
            folds[kind] = Fold(len(pages), len(pages), len(distinct_numbers(group[rows])), int(pages[0]))
    return Outline(int(words[begin:].sum()), duplicate_chars, distinct_numbers(page[np.isin(within, (RENDERED, TEASER))]),
                   np.concatenate([copied, sharing])[order], order < len(copied),
                   np.concatenate([np.zeros(len(copied), bool), again])[order], folds)


def _on_several(group: I64, page: I64) -> Flags:
    """Of each stand, the groups of which ascend, whether its group stands on several pages."""
    new = begins_new(group)
    begin = rows_of(new)
    several = np.minimum.reduceat(page, begin) < np.maximum.reduceat(page, begin) if len(begin) else new
    of_each: Flags = several[new.cumsum() - 1]
    return of_each


def _told_again(group: I64, page: I64, counts: Flags) -> tuple[I64, Flags]:
    """The pages of stands, ascending, and whether all their groups that count stand on earlier ones."""
    order = rows_of(counts)
    order = order[np.lexsort((page[order], group[order]))]
    first = np.ones(len(order), bool)
    first[1:] = group[order][1:] != group[order][:-1]
    pages = distinct_numbers(page)
    return pages, ~np.isin(pages, page[order[first]])


def _told_of_copies(pages: Sequence[PageReport], groups: Iterable[Group]) -> set[int]:
    """Groups that stand on a page and copies of it alone."""
    copies = [(page.id, verdict) for page in pages for verdict in page.verdicts if verdict.kind == "copy-of"]
    original = {page: verdict.evidence.get("page") for page, verdict in copies}
    told = {group for _, verdict in copies for group in verdict.groups}
    return {group.id for group in groups if group.id in told
            and len({original.get(place.page, place.page) for place in group.occurrences}) == 1} if told else told


def outline_of_pages(pages: Sequence[PageReport], groups: Iterable[Group]) -> Outline:
    """The outline of a report whose pages are there as objects."""
    words, chars, renderings, copies, whole, again = 0, list[int](), list[int](), list[int](), list[bool](), list[bool]()
    said, folded = set[int](), dict[VerdictKind, list[Any]]()
    copied = _told_of_copies(pages, groups)
    for p, page in enumerate(pages):
        words += 0 if page.reference else page.words
        chars.append(page.duplicate_chars)
        kinds = {verdict.kind for verdict in page.verdicts}
        for kind in kinds.intersection(FOLDED):
            of_kind = [verdict.groups for verdict in page.verdicts if verdict.kind == kind]
            folded.setdefault(kind, []).append((p, len(of_kind), set[int]().union(*of_kind)))
        if kinds.intersection(SECOND_RENDERINGS):
            renderings.append(p)
        if kinds.difference(FOLDED, SECOND_RENDERINGS):
            shared = {group for verdict in page.verdicts if verdict.kind == "shared" for group in verdict.groups}
            copies.append(p)
            whole.append("copy-of" in kinds)
            again.append("copy-of" not in kinds and said.issuperset(shared - copied))
            said |= shared
    folds = {kind: Fold(len(rows), sum(n for _, n, _ in rows), len(set().union(*(groups for *_, groups in rows))), rows[0][0])
             for kind, rows in folded.items()}
    return Outline(words, np.array(chars, np.int64), np.array(renderings, np.int64), np.array(copies, np.int64),
                   np.array(whole, bool), np.array(again, bool), folds)
