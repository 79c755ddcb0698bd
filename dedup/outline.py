"""What the verdicts of all pages amount to, as figures: the short reports rank by them and put only a few into words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.blocks import distinct_numbers
from dedup.model import PageReport, VerdictKind
from dedup.verdicts import NAMES, RENDERED, SHARED, TEASER, Judgement

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
        again: Of each of these, whether earlier pages share all its passages.
        folds: What is told in a line each.
    """

    words: int
    duplicate_chars: I64
    renderings: I64
    copies: I64
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
    shared = np.flatnonzero((across == SHARED) & ~np.isin(page, copied))
    sharing, again = _told_again(group[shared], page[shared])
    order = np.argsort(np.concatenate([copied, sharing]), kind="stable")
    folds = dict[VerdictKind, Fold]()
    for kind in FOLDED:
        rows = (within == NAMES.index(kind)) | (across == NAMES.index(kind))
        if rows.any():
            pages = distinct_numbers(page[rows])
            folds[kind] = Fold(len(pages), len(pages), len(distinct_numbers(group[rows])), int(pages[0]))
    return Outline(int(words[begin:].sum()), duplicate_chars, distinct_numbers(page[np.isin(within, (RENDERED, TEASER))]),
                   np.concatenate([copied, sharing])[order],
                   np.concatenate([np.zeros(len(copied), bool), again])[order], folds)


def _told_again(group: I64, page: I64) -> tuple[I64, Flags]:
    """The pages of stands, ascending, and whether all their groups stand on earlier ones."""
    order = np.lexsort((page, group))
    first = np.ones(len(order), bool)
    first[1:] = group[order][1:] != group[order][:-1]
    pages = distinct_numbers(page)
    return pages, ~np.isin(pages, page[order[first]])


def outline_of_pages(pages: Iterable[PageReport]) -> Outline:
    """The outline of a report whose pages are there as objects."""
    words, chars, renderings, copies, again = 0, list[int](), list[int](), list[int](), list[bool]()
    said, folded = set[int](), dict[VerdictKind, list[Any]]()
    for p, page in enumerate(pages):
        words += 0 if page.reference else page.words
        chars.append(page.duplicate_chars)
        kinds = {verdict.kind for verdict in page.verdicts}
        for kind in kinds.intersection(FOLDED):
            of_kind = [verdict.groups for verdict in page.verdicts if verdict.kind == kind]
            folded.setdefault(kind, []).append((p, len(of_kind), {group for groups in of_kind for group in groups}))
        if kinds.intersection(SECOND_RENDERINGS):
            renderings.append(p)
        if kinds.difference(FOLDED, SECOND_RENDERINGS):
            groups = {group for verdict in page.verdicts if verdict.kind == "shared" for group in verdict.groups}
            copies.append(p)
            again.append("copy-of" not in kinds and said.issuperset(groups))
            said |= groups
    folds = {kind: Fold(len(rows), sum(n for _, n, _ in rows), len(set().union(*(groups for *_, groups in rows))), rows[0][0])
             for kind, rows in folded.items()}
    return Outline(words, np.array(chars, np.int64), np.array(renderings, np.int64), np.array(copies, np.int64),
                   np.array(again, bool), folds)
