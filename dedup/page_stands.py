"""What stands on pages, page by page, and what it amounts to together, as columns: the figures that sentences say.

Pages are looked at many at a time: of one alone each figure would take a call of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import begins_new, is_among, owners, rows_of, sums, widths
from dedup.kernel import kernel
from dedup.order import order_of
from dedup.parts import Parts
from dedup.verdict_kinds import TEMPLATE

if TYPE_CHECKING:
    from dedup.verdicts import Judgement

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MOST_LOOKED_AT = 50  # places of a group that are looked at for the pages on which it stands


class PageStands(Struct, frozen=True):
    """Stands of some pages, page by page, in the order of the groups.

    Attributes:
        stand: The stands.
        page: The page of each.
    """

    stand: I64
    page: I64

    @classmethod
    def on(cls, judgement: Judgement, pages: I64) -> PageStands:
        """All stands on pages."""
        order, first = judgement.by_page
        rows, edges = kernel.take_ranges(first, pages)
        return cls(order[rows], np.repeat(pages, widths(edges)))

    def where(self, flags: Flags) -> PageStands:
        """Some of them."""
        return PageStands(self.stand[flags], self.page[flags])

    @property
    def first(self) -> I64:
        """Where those of each page begin, one longer than the pages that have some."""
        return np.append(rows_of(begins_new(self.page)), len(self.page))

    def ranges(self) -> Iterator[tuple[int, int, int]]:
        """Each page that has some, and which ones: from the first to before another one."""
        first = self.first
        for page, (begin, end) in zip(self.page[first[:-1]].tolist(), pairwise(first.tolist()), strict=True):
            yield page, begin, end

    def by_page(self) -> Iterator[tuple[int, I64]]:
        """Each page that has some, and its stands."""
        for page, begin, end in self.ranges():
            yield page, self.stand[begin:end]


def words_together(judgement: Judgement, some: PageStands) -> F64:
    """Words of the first places of the stands of each page; what lies in several counts once, by its share of characters."""
    places, first, rows = judgement.findings.places, some.first, judgement.first[some.stand]
    words = judgement.copies.matched_words(rows, judgement.table.ranges)
    total = np.add.reduceat(words, first[:-1])  # of halves: the same in any order
    mine, part_first = kernel.take_ranges(places.parts.first, rows)
    # Pages follow each other, so in characters of the collection no part reaches into those of another page.
    before = np.repeat(judgement.findings.corpus.page_chars[some.page], widths(part_first))
    start, end = places.part_start[mine] + before, places.part_end[mine] + before
    order = order_of(start.view(np.uint64))
    start, end = start[order], end[order]
    reached = np.maximum.accumulate(end)
    fresh = np.maximum(end - np.maximum(start, np.concatenate([start[:1], reached[:-1]])), 0)
    begin = part_first[first[:-1]]
    once, every = (np.add.reduceat(size, begin) for size in (fresh, end - start))
    return np.where(widths(first) == 1, total, total * once / np.maximum(every, 1))


def content_words(judgement: Judgement, some: PageStands) -> F64:
    """``words_together`` without the site's template that lies in them; all of them where there is hardly anything else.

    Of a block of which some characters are left, its share of words.
    """
    words, rows, number = words_together(judgement, some), judgement.first[some.stand], owners(some.first)
    mixed = rows_of(judgement.outside_template(rows, number) < 1)
    if not len(mixed):
        return words
    corpus, frame, pages = judgement.findings.corpus, judgement.template, some.page[some.first[mixed]]
    own, there = is_among(number, mixed), is_among(frame.owner, pages)
    found = judgement.stretches(rows[own], some.page[own])
    columns = zip((found.owner, found.start, found.end), (frame.owner, frame.start, frame.end), strict=True)
    both = Parts(*(np.concatenate([mine, of_frame[there]]) for mine, of_frame in columns)).apart()
    block, first = kernel.take_ranges(corpus.page_first, pages)
    start, end = corpus.start[block], corpus.end[block]
    held, framed = (kernel.lengths_inside(parts.start, parts.end, start, end) for parts in (both, frame))
    halves = corpus.halves[block] * (held - framed) / np.maximum(end - start, 1)
    words[mixed] = np.bincount(owners(first), halves, len(pages)) / 2
    return words


def longest(judgement: Judgement, some: PageStands, share: F64 | None = None) -> I64:
    """The first place of the stand of each page that has the most words, of several the first.

    Args:
        share: Of each stand, how much of it counts.
    """
    first, rows = some.first, judgement.first[some.stand]
    size, owner = judgement.copies.words[rows] * (1 if share is None else share), owners(first)
    most = rows_of(size == np.maximum.reduceat(size, first[:-1])[owner])
    return rows[most[begins_new(owner[most])]]


def in_common(judgement: Judgement, some: PageStands, others: I64) -> tuple[I64, I64]:
    """Stands of groups that stand on another page too, page by page, and where those of each page begin.

    Args:
        others: That page, for each page.
    """
    order, first = judgement.by_page
    theirs, edges = kernel.take_ranges(first, others)
    mine, groups = owners(some.first), len(judgement.table)
    there = owners(edges) * groups + judgement.group[order[theirs]]
    common = is_among(mine * groups + judgement.group[some.stand], there) & (judgement.across[some.stand] >= 0)
    return some.stand[common], sums(np.bincount(mine[common], minlength=len(others)))


def own_words(judgement: Judgement, pages: I64, others: I64, common: I64) -> F64:
    """Words of each page that another one does not have: not in what both share, the template, or blocks equal to one there.

    Args:
        pages: The pages, ascending.
        others: Another page for each.
        common: Stands of the pages, of what they share with the other ones.
    """
    corpus, stand = judgement.findings.corpus, PageStands.on(judgement, pages).stand
    counted = (judgement.across[stand] == TEMPLATE) | is_among(stand, np.sort(common))
    rows, _ = kernel.take_ranges(judgement.first, np.sort(stand[counted]))
    shared = judgement.stretches(rows, np.zeros(len(rows), np.int64))
    (mine, first), (theirs, edges) = (kernel.take_ranges(corpus.page_first, each) for each in (pages, others))
    # a number of each page is mixed into the hash of a block's text
    salt = np.arange(len(pages)).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    known = np.sort(corpus.fingerprint[theirs] ^ salt[owners(edges)])
    there = is_among(corpus.fingerprint[mine] ^ salt[owners(first)], known)
    start, end = corpus.start[mine], corpus.end[mine]
    inside = kernel.lengths_inside(shared.start, shared.end, start, end) / np.maximum(end - start, 1)
    return np.bincount(owners(first), np.where(there, 0, np.floor(corpus.halves[mine] * (1 - inside))), len(pages)) / 2


def other_pages(judgement: Judgement, some: PageStands, share: F64, top: int) -> tuple[I64, I64]:
    """How many pages share groups with each page, and the `top` that share most, -1 where there are fewer: ``(pages, top)``.

    Most is of words: an article weighs more than five headlines. Up to 50 places of a group are looked at, the first ones.

    Args:
        share: Of each stand, how much of it counts.
    """
    first = some.first
    group = judgement.group[some.stand]
    if judgement.findings.pairs_that_count.every:
        begin = judgement.table.first[group]
        end = np.minimum(begin + MOST_LOOKED_AT, judgement.table.first[group + 1])
        start, stop = (kernel.counts_up_to(judgement.first, edge - 1) for edge in (begin, end))
        page = judgement.page
    else:
        those = [_that_count(judgement, p, g) for p, g in zip(some.page.tolist(), group.tolist(), strict=True)]
        edges = sums(np.array([len(pages) for pages in those], np.int64))
        start, stop, page = edges[:-1], edges[1:], np.concatenate(those)
    words = judgement.copies.matched_words(judgement.first[some.stand], judgement.table.ranges)
    weight = np.maximum(2 * words * share, 1).astype(np.int64)
    count, most = kernel.heaviest(page, start, stop, weight, first, some.page[first[:-1]], top)
    return count, most.reshape(-1, top)


def _that_count(judgement: Judgement, page: int, group: int) -> I64:
    """Pages on which a group stands, each once, and that make a pair that counts with a page."""
    table, pairs = judgement.table, judgement.findings.pairs_that_count
    first, end = int(table.first[group]), int(table.first[group + 1])
    there = table.page[first:min(first + MOST_LOOKED_AT, end)]
    counted = there[pairs.allows(np.full(len(there), page), there)]
    if not len(counted):  # a rare case: all pages are gone over
        there = table.page[first:end]
        counted = there[pairs.allows(np.full(len(there), page), there)][:MOST_LOOKED_AT]
    return counted[begins_new(counted)]
