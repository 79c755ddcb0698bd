"""A part: whole pages that share something, and the stages of one machine over them as over a collection."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from dedup.aligned import Aligned
from dedup.columns import sums
from dedup.corpus import Corpus
from dedup.distributed.buckets import rows_of_each
from dedup.distributed.corpora import first_with_text, joined, take_pages, with_copies
from dedup.distributed.portions import Numbering, Portion
from dedup.engines.cluster import Shared
from dedup.engines.local import LocalEngine
from dedup.groups import Groups
from dedup.options import Options
from dedup.page_pairs import PagePairs
from dedup.pipeline import find_in
from dedup.runs import Links, Passages
from dedup.stages import Stages
from dedup.surveyor import Surveyor
from dedup.verify import Spans

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]

@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What all parts know.

    Attributes:
        numbering: Numbers of the portions' pages.
        part: Part of each page, -1 of those that share nothing.
        pairs: Which pairs of pages count.
        references: Pages that others are compared against: so many, the first ones.
        flags: The tokeniser's.
        options: The settings.
    """

    numbering: Numbering
    part: I32
    pairs: PagePairs
    references: int | None
    flags: int
    options: Options


class Sent(NamedTuple):
    """Pages on their way to a part.

    Attributes:
        page: Their numbers.
        row: The page of the corpus that has the text of each; of whole pages that are equal one is sent.
        corpus: The texts.
    """

    page: I64
    row: I64
    corpus: Corpus


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What was found in a part, in places of its pages as of a collection.

    Attributes:
        page: Numbers of its pages, ascending.
        passages, groups, aligned: As ``find_in`` gives them.
        unplaced: Comparisons that a bound cut short.
    """

    page: I64
    passages: Passages
    groups: Groups
    aligned: Aligned
    unplaced: int


def send_pages(number: int, portion: Portion, plan: Shared[Plan]) -> Iterator[tuple[int, Sent]]:
    """The pages of a portion that go to each part."""
    known = plan.value
    page = known.numbering.of(number, portion)
    part = known.part[page]
    if not (part >= 0).any():
        return
    corpus = portion.whole
    first = first_with_text(corpus)
    there = np.flatnonzero(part >= 0)
    for target, own in rows_of_each(part[there].astype(np.int64)):
        mine = there[own]
        rows, row = np.unique(first[mine], return_inverse=True)
        yield target, Sent(page[mine], row, take_pages(corpus, rows))


def find_in_part(_: int, sent: list[Sent], plan: Shared[Plan]) -> Found:
    """What the pages of a part have in common."""
    known = plan.value
    page, corpus = _together(sent, known)
    sent.clear()
    stages, options = Stages(), dataclasses.replace(known.options, threads=1)
    with LocalEngine(1) as engine:
        surveyor = Surveyor(engine, corpus, options, None, None)
        found = find_in(engine, corpus, surveyor, _pairs_of(known.pairs, page), options, stages)
    return Found(page, *found, stages.unplaced)


def _together(sent: list[Sent], plan: Plan) -> tuple[I64, Corpus]:
    """The pages of a part: their numbers, ascending, and themselves; of whole pages that are equal, the text stands once."""
    page = np.concatenate([np.empty(0, np.int64), *(pages.page for pages in sent)])
    corpus = joined([pages.corpus for pages in sent], None, plan.flags)
    before = sums(np.array([len(pages.corpus.pages) for pages in sent], np.int64))
    row = np.concatenate([np.empty(0, np.int64), *(pages.row + at for pages, at in zip(sent, before, strict=False))])
    order = np.argsort(page)
    page, row = page[order], row[order]
    corpus = with_copies(*_in_order(corpus, first_with_text(corpus)[row]))
    return page, replace(corpus, references=None if plan.references is None else int((page < plan.references).sum()))


def _in_order(corpus: Corpus, row: I64) -> tuple[Corpus, I64]:
    """Texts in the order of the first pages that have them, as stages order by them, and the text of each page."""
    texts, at, number = np.unique(row, return_index=True, return_inverse=True)
    order = np.argsort(at)
    if (order[1:] > order[:-1]).all():
        return corpus, row
    return take_pages(corpus, texts[order]), np.argsort(order)[number]


def _pairs_of(pairs: PagePairs, page: I64) -> PagePairs:
    """Which pairs of some pages count."""
    return replace(pairs, side=None if pairs.side is None else pairs.side[page],
                   value=None if pairs.value is None else pairs.value[page])


@dataclasses.dataclass(frozen=True, slots=True)
class Shift:
    """From places of a part to those of the whole.

    Attributes:
        first: First token of each page in the part, one longer than its pages.
        page: Numbers of its pages.
        token, block: What is added to a place of each page.
    """

    first: I64
    page: I64
    token: I64
    block: I64

    @classmethod
    def of(cls, whole: Corpus, page: I64) -> Shift:
        """The shift of a part with these pages."""
        token = whole.token_first[whole.page_first]
        first = sums((token[1:] - token[:-1])[page])
        blocks = sums(np.diff(whole.page_first)[page])
        return cls(first, page, token[page] - first[:-1], whole.page_first[page] - blocks[:-1])

    def links(self, links: Links) -> Links:
        """Links of a part."""
        a, b = (self.token[self._page_of(side)] for side in (links.a0, links.b0))
        return Links(links.a0 + a, links.a1 + a, links.b0 + b, links.b1 + b, links.exact)

    def passages(self, passages: Passages) -> Passages:
        """Passages of a part."""
        return Passages(self.links(passages.whole), passages.first, self.links(passages.parts))

    def aligned(self, aligned: Aligned) -> Aligned:
        """Aligned passages of a part."""
        return replace(aligned, links=self.links(aligned.links))

    def groups(self, groups: Groups, whole: Corpus) -> Groups:
        """Groups of a part.

        Args:
            whole: The collection: equal pages were one text in the part.
        """
        ranges, page = groups.ranges, self.page[groups.page]
        token, block = self.token[groups.page], self.block[groups.page]
        ranges = replace(ranges, t0=ranges.t0 + token, t1=ranges.t1 + token, first_block=ranges.first_block + block,
                         last_block=ranges.last_block + block)
        return replace(groups, ranges=ranges, page=page, parts=Spans(whole.start[page], whole.end[page], groups.parts.first))

    def _page_of(self, token: I64) -> I64:
        page: I64 = np.searchsorted(self.first, token, side="right") - 1
        return page
