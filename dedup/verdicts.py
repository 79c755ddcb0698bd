"""Stage 9: what a repeat amounts to, by an ordered rule over figures that stand beside each verdict.

A *stand* is a group on one page: its occurrences there. The rule is columnar; sentences are made when a page is asked
for. Figures behind the bounds: 728 repeats on 183 real pages, labelled by hand.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.blocks import begins_new, rows_of, sums, widths
from dedup.copies import (
    HEADLINE_WORDS,
    PARAGRAPH_HALVES,
    Copies,
    blocks_inside,
    crowded_share,
    describe_copies,
    equal_share,
    goes_on,
    in_cards,
    is_cut_short,
    is_headline,
    is_notice,
    is_paragraph,
    tag_chain,
)
from dedup.findings import Findings
from dedup.keep import kept_pages
from dedup.kernel import kernel
from dedup.model import Verdict, VerdictKind
from dedup.order import distinct_keys, in_order
from dedup.parts import Parts
from dedup.renderings import SECTION_BLOCKS, SECTION_WORDS, Rendering, places_of, renderings_of
from dedup.sections import Pieces, sections

I8 = npt.NDArray[np.int8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# A second rendering: a section that stands again in order. The bounds of words and blocks are what the word means.
SECTION_WORDS_A_BLOCK, SECTION_LINK_SHARE = 5, 0.35
EQUAL_JACCARD, EQUAL_SHARE, LEAST_JACCARD = 0.95, 0.8, 0.5  # as a whole, or in its blocks: variants differ in most blocks
# Edited throughout: prose that begins with the same block, or with headlines that are alike or equal; variants in tabs, or
# under neighbouring headings, do not.
EDITED_JACCARD, HEADED_JACCARD, EDITED_BLOCKS, EDITED_WORDS_A_BLOCK = 0.75, 0.65, 3, 15
MAX_RENDERINGS = 4  # of a section twice as long and of three blocks or more; of a shorter one two
MAX_CROWDED = 0.6  # of its words in pieces that stand three times: plans, cards and forms are made of the same pieces
QUOTED, QUOTED_MORE = 0.4, 0.25  # of a copy in quotes; of one more than of another
MENU_LINK_SHARE, MENU_BLOCKS, MENU_WORDS_A_BLOCK, MENU_JACCARD = 0.5, 4, 5, 0.8  # cards of a shop are less alike
PAGE_TOP, PAGE_END, FOOT_LINK_SHARE = 0.1, 0.9, 0.25
TEASER_BLOCKS, TEASER_JACCARD, REFRAIN_COPIES = 2, 0.8, 3
MOST_LABELS = 2  # around a headline and a paragraph
FILLED = 0.75  # of the words of a block, in two copies of its text
_SENTENCE = re.compile(r"\w\w[.!?…][\"'”’»)]*(?:\s|$)|[。！？]")  # its end; of an initial it is none
DEVICE_SHARE, FOOTER_SHARE, NEXT_BLOCKS = 0.5, 0.5, 3  # of a copy that is for one device, in the footer; to the next copy
COPY_SHARE = 0.9  # of both pages' words, for one to be a copy of the other
TEMPLATE_AGAIN = 0.95  # of a place that lies in the template, for it to be no passage of its own
LINK_LIST = 0.8  # of a copy in links, for it to be a list of links
MIN_CONTENT = 0.05  # of a page's words that are not template, for the template to be left out of that

NAMES: tuple[VerdictKind, ...] = ("rendered-twice", "teaser", "navigation", "refrain", "template", "shared", "copy-of")
RENDERED, TEASER, NAVIGATION, REFRAIN, TEMPLATE, SHARED, COPY = range(7)
# Which of them are left out of content_share; the last one is of -1, none.
NO_CONTENT = np.array([number in (NAVIGATION, REFRAIN, TEMPLATE) for number in (*range(len(NAMES)), -1)])


class Stands:
    """Stands of two occurrences or more, and the rule that judges them; one row a stand.

    Args:
        findings: What was found.
        c: Figures of all occurrences.
        first: First occurrence of each stand of the collection, one longer than the stands.
        stands: Those that stand more than once on their page.
    """

    def __init__(self, findings: Findings, c: Copies, first: I64, stands: I64) -> None:
        self.findings, self.all, self.all_first, self.stands = findings, c, first, stands
        rows, self.first = kernel.take_ranges(first, stands)
        self.rows, self.c, self.jaccard = rows, c.take(rows), findings.table.jaccard[rows]
        self.count, self.leader = widths(self.first), self.first[:-1]
        self.words, self.blocks = self.c.words[self.leader], self.greatest(self.c.blocks)
        self.section = np.arange(len(stands))  # the first of the stands that are pieces of the same one

    def least(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Least value of a column among the copies of each stand."""
        return np.minimum.reduceat(column, self.leader)

    def greatest(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Greatest value of a column among the copies of each stand."""
        return np.maximum.reduceat(column, self.leader)

    def copies(self, column: Flags) -> I64:
        """How many copies have a flag."""
        return np.add.reduceat(column.astype(np.int64), self.leader)

    def verdicts(self) -> npt.NDArray[np.intp]:
        """The ordered rule (index into ``NAMES``): the first that holds decides."""
        menu, tabled = self.is_menu(), self.copies(self.c.code) == self.count
        quoted, section = self.is_quoted(), self.is_section() & ~tabled
        kind = np.select([quoted, menu, section, tabled], [REFRAIN, NAVIGATION, RENDERED, REFRAIN], -1)
        leads = np.flatnonzero((kind == RENDERED) & (self.blocks <= TEASER_BLOCKS + MOST_LABELS) & self._may_be_headed())
        kind[leads] = np.where([self._is_lead(int(s)) for s in leads], TEASER, RENDERED)
        self._join_sections(kind)
        kind[self._going_on(np.flatnonzero(kind == RENDERED))] = TEASER
        self._judge_beside(kind)
        open_rows = np.flatnonzero(kind < 0)
        kind[open_rows] = np.where(self.is_teaser(open_rows, self._shown_again(kind == RENDERED)), TEASER, REFRAIN)
        self.find_notices(kind)
        return kind

    def _join_sections(self, kind: npt.NDArray[np.intp]) -> None:
        """Find stands that make a section together: its paragraphs in another order, or with others put in between.

        Args:
            kind: Verdict of each stand, -1 for none; that of pieces is filled in.
        """
        some = rows_of((self.count == 2) & (kind == np.where(kind < 0, -1, RENDERED))
                       & (self.copies(self.c.whole) == 2) & (self.greatest(self.c.link_share) < SECTION_LINK_SHARE))
        page, pages = self.findings.table.page[self.all_first[self.stands[some]]], len(self.findings.corpus.pages)
        words, rendered = np.bincount(page, self.words[some], pages), np.bincount(page, kind[some] == RENDERED, pages)
        several = np.bincount(page, minlength=pages) > np.where(rendered, 1, EDITED_BLOCKS - 1)
        asked = (several & (words >= SECTION_WORDS))[page]
        if not asked.any():
            return
        some, page = some[asked], page[asked]
        places = self.leader[some] + np.array([[0], [1]])
        pieces = Pieces(page, self.c.first_block[places], self.c.last_block[places], self.words[some],
                        kind[some] == RENDERED)
        for rows in sections(self.findings.corpus, pieces):
            stands = some[rows]
            if self._make_section(stands, bool(pieces.is_section[rows].any())):
                kind[stands], self.section[stands] = RENDERED, stands[0]

    def _make_section(self, stands: I64, is_section: bool) -> bool:
        """Whether pieces are a section together: no articles of which each has a headline, nor what stands shifted.

        Of three articles one after the other, the end of the first and the beginning of the second stand again in the others.

        Args:
            stands: They, in the order of the first copy.
            is_section: Whether one of them is long enough for one.
        """
        corpus, page, c, first = self.findings.corpus, self._page(int(stands[0])), self.c, self.leader[stands]
        heads = {int(c.first_block[self.leader[s]]) for s in stands.tolist()
                 if self.blocks[s] > 1 and self._begins_with_headlines(s, self._rows(s))}
        if len({tag_chain(corpus, page, head) for head in heads}) < len(heads):
            return False
        copies = [[places_of(c, corpus.halves, range(row, row + 1))[0].blocks for row in side.tolist()]
                  for side in (first, first + 1)]
        one, other = ({block: words for piece in pieces for block, words in piece.items()} for pieces in copies)
        overlap = sum(map(len, copies[0])) > len(one)
        if self._again(one) > sum(map(self._again, copies[0])) or (overlap and len(one) != len(other)):
            return False
        words, blocks = sum(one.values()) / 2, len(one)
        second = int(first[np.argmin(c.first_block[first + 1])]) + 1
        return is_section or (words >= SECTION_WORDS and blocks >= EDITED_BLOCKS and words >= EDITED_WORDS_A_BLOCK * blocks
                              and not in_cards(corpus, page, c, int(first[0]), second, int(c.last_block[first].max())))

    def _again(self, blocks: Iterable[int]) -> int:
        """How many paragraphs of some blocks are equal to others of them."""
        corpus = self.findings.corpus
        texts = [int(corpus.fingerprint[block]) for block in blocks if corpus.halves[block] >= PARAGRAPH_HALVES]
        return len(texts) - len(set(texts))

    def is_quoted(self) -> Flags:
        """One copy quotes the other, or all are signatures and the like. A post that quotes may stand twice itself."""
        share = self.c.quote_share
        most, few = self.greatest(share), self.least(share)
        quoted: Flags = (few >= QUOTED) | ((most >= QUOTED_MORE) & (most - few >= QUOTED_MORE))
        return quoted

    def is_menu(self) -> Flags:
        """Every copy in a menu or form; lists of links; short lines at the top of the page; links and text at its end."""
        c, link = self.c, self.least(self.c.link_share)
        named = (self.copies(c.navigation | c.form) == self.count)
        short = self.words < MENU_WORDS_A_BLOCK * self.blocks
        listed = (link >= MENU_LINK_SHARE) & (self.blocks >= MENU_BLOCKS) & (self.copies(c.whole) == self.count)
        alike = self.least(self.jaccard)
        listed &= (short & (alike >= MENU_JACCARD)) | (alike >= EQUAL_JACCARD)
        menus = c.navigation | c.form  # one copy in a menu, the other a list of links: the languages of a page
        listed |= ((self.copies(menus) > 0) & (self.copies(menus | (c.link_share >= MENU_LINK_SHARE)) == self.count)
                   & (self.blocks >= SECTION_BLOCKS))
        placed = (self.blocks >= MENU_BLOCKS) & short & (self.c.at[self.leader] < PAGE_TOP)
        placed &= (self.greatest(c.link_share) > 0) | (~c.laid_out[self.leader] & (self.greatest(c.until) > PAGE_END))
        foot = (self.least(c.at) >= PAGE_END) & (link >= FOOT_LINK_SHARE) & (self.blocks >= MENU_BLOCKS)
        menu: Flags = named | listed | placed | foot
        return menu

    def is_section(self) -> Flags:
        """A section that stands again in order, word for word or nearly so, and is not made of smaller repeats."""
        section, several, alike = self._like_section, self.count > 2, self.least(self.jaccard)
        section = section & (~several | ((self.count <= MAX_RENDERINGS) & (self.blocks > SECTION_BLOCKS)
                                         & (alike >= HEADED_JACCARD)))
        rows = np.flatnonzero(section)
        if len(rows):
            # two copies of one text in lines are one
            asked = rows[several[rows] | (alike[rows] < EQUAL_JACCARD) | self.c.laid_out[self.leader[rows]]]
            section[asked] = [self._is_rendering(int(s), self._rows(int(s))) for s in asked]
            section[rows] &= several[rows] | self._fills_block[rows] | (self._crowded(rows) <= MAX_CROWDED)
        return section

    @cached_property
    def _like_section(self) -> Flags:
        """What a section is without a look at its blocks, and at how often it stands."""
        like: Flags = ((is_long_enough(self.words, self.blocks) | self._fills_block)
                       & (self.words >= SECTION_WORDS_A_BLOCK * self.blocks) & (self.least(self.jaccard) >= LEAST_JACCARD)
                       & (self.greatest(self.c.link_share) < SECTION_LINK_SHARE))
        return like

    @cached_property
    def _fills_block(self) -> Flags:
        """Whether two copies are all of one block but for little: an article on a page that has lost its line ends."""
        c, halves = self.c, self.findings.corpus.halves
        block, second = c.first_block[self.leader], self.leader + 1
        alone = (self.count == 2) & (c.last_block[self.leader] == block)
        rows = np.flatnonzero(alone & (self.words >= 2 * SECTION_WORDS))
        filled = np.zeros(len(self.words), bool)
        both = (c.first_block[second[rows]] == block[rows]) & (c.last_block[second[rows]] == block[rows])
        filled[rows] = both & (2 * self.words[rows] >= FILLED * halves[block[rows]] / 2)
        return filled

    def _rows(self, s: int) -> I64:
        """The copies of a stand."""
        return np.arange(self.first[s], self.first[s + 1])

    def _page(self, s: int) -> int:
        """The page of a stand."""
        return int(self.findings.table.page[self.all_first[self.stands[s]]])

    def _is_rendering(self, s: int, rows: I64) -> bool:
        """The costly part of the rule, for some copies of a stand, two at least: equal blocks, cards, gaps."""
        corpus, c, page = self.findings.corpus, self.c, self._page(s)
        article, headed = self._is_article(s, rows)
        if len(rows) > 2 and self.words[s] < 2 * SECTION_WORDS and not (article and headed):
            return False
        least = HEADED_JACCARD if headed else EDITED_JACCARD if article else EQUAL_JACCARD
        if float(self.jaccard[rows].min()) < least and equal_share(corpus, c, rows) < EQUAL_SHARE:
            return False
        if len(rows) == 2 or headed:
            return not in_cards(corpus, page, c, int(rows[0]), int(rows[1]))
        # clones of a slide follow at once; conditions of three cards stand under the heads of the cards
        gaps = c.first_block[rows[1:]] - c.last_block[rows[:-1]] - 1
        device = c.device_share[rows]
        return bool((gaps <= 0).any() or device.max() - device.min() >= 0.5)

    def _is_article(self, s: int, rows: I64) -> tuple[bool, bool]:
        """Whether it is prose of several blocks, the first one equal in all copies; and whether that is a headline in all."""
        if self.blocks[s] < EDITED_BLOCKS or self.words[s] < EDITED_WORDS_A_BLOCK * self.blocks[s]:
            return False, False
        begin = self.findings.corpus.fingerprint[self.c.first_block[rows]]
        return bool((begin == begin[0]).all()), self._begins_with_headlines(s, rows)

    def _begins_with_headlines(self, s: int, rows: I64) -> bool:
        """Whether each of some copies of a stand begins with a headline."""
        corpus, page = self.findings.corpus, self._page(s)
        return bool(self.c.opens[rows].all()) and all(is_headline(corpus, page, block)
                                                      for block in self.c.first_block[rows].tolist())

    def _may_be_headed(self) -> Flags:
        """Stands of which all copies may begin with a headline: a short block, or one of which a reader knew what it is."""
        short = self.findings.corpus.halves[self.c.first_block] <= 2 * HEADLINE_WORDS
        headed: Flags = self.copies(self.c.opens & (short | self.c.laid_out)) == self.count
        return headed

    def _crowded(self, rows: npt.NDArray[np.intp]) -> F64:
        """Share of sections in pieces that stand three times.

        What is long enough for a section is no piece, nor is a teaser: alone in one place, in a longer block in another.
        """
        copies = widths(self.all_first)
        several = np.flatnonzero(copies > 2)
        lead = self.all.take(self.all_first[several])
        piece = np.zeros(len(copies), bool)
        places, first = kernel.take_ranges(self.all_first, several)
        whole = np.add.reduceat(self.all.take(places).whole.astype(np.int64), first[:-1]) if len(several) else several
        piece[several] = (((lead.words < SECTION_WORDS) | (lead.blocks < SECTION_BLOCKS))
                          & ((whole == 0) | (whole == widths(first))))
        crowd = np.repeat(piece, copies)
        return crowded_share(self.findings.corpus, self.all, crowd, self.all_first[self.stands[rows]])

    def _by_page(self, some: npt.NDArray[np.intp]) -> Iterator[I64]:
        """Some stands, those of each page together."""
        page = self.findings.table.page[self.all_first[self.stands[some]]]
        order = np.argsort(page, kind="stable")
        edges = np.append(rows_of(begins_new(page[order])), len(page)).tolist()
        return (some[order[begin:end]] for begin, end in pairwise(edges))

    def _going_on(self, sections: npt.NDArray[np.intp]) -> list[int]:
        """Sections that are others again, and a piece behind or before them: a headline under "Most read", a teaser."""
        found = [renderings_of(self.c, self.findings.corpus.halves, self.first, stands, self.section)
                 for stands in self._by_page(sections) if len(stands) > 1]
        return [stand for renderings in found for told in renderings for stand in told.rest]

    def _judge_beside(self, kind: npt.NDArray[np.intp]) -> None:
        """What stands in the copies of second renderings and has no verdict: parts, other copies, headlines and teasers.

        Args:
            kind: Verdict of each stand, -1 for none; these are filled in.
        """
        page, pages = self.findings.table.page[self.all_first[self.stands]], len(self.findings.corpus.pages)
        several = np.bincount(page[kind == RENDERED], minlength=pages) > 1
        asked = (kind < 0) & self._may_belong(kind == RENDERED, several[page])
        there = np.zeros(pages, bool)
        there[page[asked]] = True
        for stands in self._by_page(np.flatnonzero(asked | (there[page] & (kind == RENDERED)))):
            told = renderings_of(self.c, self.findings.corpus.halves, self.first, stands[kind[stands] == RENDERED],
                                 self.section)
            for s in stands[kind[stands] < 0].tolist():
                kind[s] = next((found for one in told if (found := self._of_rendering(s, one)) >= 0), -1)

    def _may_belong(self, rendered: Flags, several: Flags) -> Flags:
        """Stands of which a place lies in or beside a copy of a second rendering, or reaches into one.

        Those are left out of which all places are parts of blocks of these copies: they say no more.

        Args:
            several: Of each stand, whether its page has several renderings: what is a part of one may open another.
        """
        if not rendered.any():
            return rendered
        c = self.c
        before = blocks_inside(self.findings.corpus, c, np.repeat(rendered, self.count))
        end = np.minimum(c.last_block + 2, len(before) - 1)
        touching = np.logical_or.reduceat(before[end] > before[np.maximum(c.first_block - 1, 0)], self.leader)
        inside = before[c.last_block + 1] - before[c.first_block] > c.last_block - c.first_block
        parts = np.logical_and.reduceat(inside, self.leader) & (self.copies(c.whole) < self.count)
        found: Flags = touching & (several | ~parts)
        return found

    def _of_rendering(self, s: int, told: Rendering) -> int:
        """The verdict of a stand some places of which lie in the copies of a second rendering, one in each; -1 for none."""
        places = places_of(self.c, self.findings.corpus.halves, range(int(self.first[s]), int(self.first[s + 1])))
        rows = self._rows(s)
        whole = bool(self.c.whole[rows].all())
        if whole and told.moved(places):
            return RENDERED
        of_copy = told.copies_of(places)
        if of_copy is None or not told.holds(places, of_copy):
            return -1
        outside = np.array([n is None for n in of_copy])
        if not outside.any():
            return RENDERED if whole else -1
        if outside.sum() >= REFRAIN_COPIES:
            return -1
        shown = np.append(rows[~outside][:1], rows[outside])
        if self._like_section[s] and not self._is_lead(s) and self._is_rendering(s, shown):
            return RENDERED
        small = int(self.c.blocks[rows].max()) <= TEASER_BLOCKS and float(self.jaccard[rows].min()) >= TEASER_JACCARD
        return TEASER if small and told.opened_by(places) else -1

    def _is_lead(self, s: int) -> bool:
        """Whether it is a headline and a paragraph, and some copies go on with the next one, others do not: a teaser."""
        rows, corpus, page = self._rows(s), self.findings.corpus, self._page(s)
        first, last = int(self.c.first_block[rows[0]]), int(self.c.last_block[rows[0]])
        if (self.blocks[s] > TEASER_BLOCKS + MOST_LABELS or not self._begins_with_headlines(s, rows)
                or sum(is_paragraph(corpus, page, block) for block in range(first, last + 1)) > 1):
            return False
        ends = self.c.last_block[rows]
        on = [goes_on(corpus, page, block) for block in ends.tolist()]
        if len(on) > 2:  # with the same text as another one
            behind = corpus.fingerprint[np.minimum(ends + 1, len(corpus.fingerprint) - 1)]
            on = [goes and int((behind == text).sum()) > 1 for goes, text in zip(on, behind, strict=True)]
        return 0 < on.count(False) < min(len(on), REFRAIN_COPIES)

    def _shown_again(self, rendered: Flags) -> Flags:
        """Which copies lie in a later copy of a second rendering: these hold all of it again, as it is or edited."""
        if not rendered.any():
            return np.zeros(len(self.rows), bool)
        later = np.repeat(rendered, self.count)
        later[self.leader] = False
        before = blocks_inside(self.findings.corpus, self.c, later)
        inside = before[self.c.last_block + 1] - before[self.c.first_block] > self.c.last_block - self.c.first_block
        found: Flags = inside & ~later
        return found

    def is_teaser(self, rows: npt.NDArray[np.intp], again: Flags) -> Flags:
        """A piece shown on its own, or a pointer: a heading or link in one place, text in the other.

        Args:
            again: Copies that stand there because what holds them is rendered twice.
        """
        shown = self.count - self.copies(again)
        c, alike, is_whole = self.c, self.least(np.where(again & ~self.c.whole, 1.0, self.jaccard)), self._whole_or_cut(shown)
        headings, whole = self.copies(c.heading), self.copies(is_whole)
        most, few = self.greatest(c.link_share), self.least(c.link_share)
        pointer = ((headings > 0) & (headings < self.count) & (few < MENU_LINK_SHARE)) | ((most >= 0.5) & (few < 0.1))
        small = self.least(c.blocks) <= TEASER_BLOCKS
        contained = (whole > 0) & (whole < self.count) & (alike >= TEASER_JACCARD)
        opens = contained & (shown <= REFRAIN_COPIES) & (self.copies(c.opens & ~is_whole) > 0)
        opening = np.flatnonzero(small & opens & ~pointer)
        opens[opening] = [self._is_opening(int(s)) for s in opening]
        teaser = small & (pointer | opens)
        left = rows[small[rows] & ~teaser[rows] & (whole[rows] > 0) & (alike[rows] >= TEASER_JACCARD)
                    & (shown[rows] < REFRAIN_COPIES) & (few[rows] < MENU_LINK_SHARE)]
        teaser[left] = [self._is_claim(int(s), bool(contained[s])) for s in left]
        return teaser[rows]

    def _whole_or_cut(self, shown: I64) -> Flags:
        """Which copies are whole blocks, or were cut short with dots where no other one is whole."""
        c, is_whole = self.c, self.c.whole
        asked = (shown <= REFRAIN_COPIES) & (self.copies(is_whole) == 0) & (self.copies(c.opens) > 1)
        rows = np.flatnonzero(np.repeat(asked, self.count) & c.opens & (c.first_block == c.last_block))
        if len(rows):
            is_whole = is_whole.copy()
            is_whole[rows] = [is_cut_short(self.findings, int(row)) for row in self.rows[rows]]
        return is_whole

    def _is_opening(self, s: int) -> bool:
        """Whether what opens a longer text is shown apart; names of products in neighbouring cards begin alike."""
        one, other = (int(self.c.first_block[self.first[s] + i]) for i in (0, 1))
        corpus, row = self.findings.corpus, int(self.all_first[self.stands[s]])
        page = int(self.findings.table.page[row])
        return (not self.c.laid_out[self.leader[s]] or _SENTENCE.search(self.findings.places.text(row)) is not None
                or tag_chain(corpus, page, one) != tag_chain(corpus, page, other))

    def _is_claim(self, s: int, contained: bool) -> bool:
        """Whether a sentence is shown apart from the text that it is taken from, or again in an element of another kind."""
        row, findings = int(self.all_first[self.stands[s]]), self.findings
        one, other = (int(self.c.first_block[self.first[s] + i]) for i in (0, 1))
        if not _SENTENCE.search(findings.places.text(row)):
            return False
        if contained or not self.c.laid_out[self.leader[s]]:
            return contained
        if other - one <= 1:  # beside itself: a copy for another device
            return False
        corpus, page = findings.corpus, int(findings.table.page[row])
        return tag_chain(corpus, page, one) != tag_chain(corpus, page, other)

    def find_notices(self, kind: npt.NDArray[np.intp]) -> None:
        """Cookie text that no class names: what stands twice in one piece is navigation."""
        for s in np.flatnonzero((kind == RENDERED) | ((self.copies(self.c.whole) > 0) & (kind != NAVIGATION)
                                                      & (self.blocks <= 2 * MENU_BLOCKS))).tolist():
            if is_notice(self.findings.places.text(int(self.all_first[self.stands[s]]))):
                kind[s] = NAVIGATION


def is_long_enough(words: F64, blocks: I64) -> Flags:
    """Whether a repeat has the words and blocks of a section."""
    long_enough: Flags = (words >= SECTION_WORDS) & (blocks >= SECTION_BLOCKS)
    return long_enough


def _inside(frame: Parts, found: Parts) -> I64:
    """How many bytes of each stretch lie in those of a frame, which are ascending and apart from each other."""
    return kernel.lengths_inside(frame.start, frame.end, found.start, found.end)


class Judgement:
    """The verdict of every stand, and of every page.

    Attributes:
        group, page: Of each stand, ascending.
        first: First occurrence of each stand, one longer than the stands.
        within: Verdict of a repeat inside the page (index into ``NAMES``), -1 for none.
        section: Of each stand, a number that is the same for those that are pieces of one second rendering.
        across: Verdict of what stands on other pages too, -1 for none.
        device: Whether it is navigation that stands on its page once for each kind of device: what a class or attribute
            says of a copy, or two menus beside each other; not where one of them stands in the footer.
        known: What pages are compared against, in words.
    """

    def __init__(self, findings: Findings, known: str = "the references") -> None:
        self.findings, self.table, self.known = findings, findings.table, known
        owner, page = self.table.owner, self.table.page
        new = begins_new(page)
        new[self.table.first[:-1]] = True
        self.first = np.append(np.flatnonzero(new), len(owner)).astype(np.int64)
        self.group, self.page = owner[new], page[new]
        self.copies = describe_copies(findings)
        with findings.engine as engine:
            beside = engine.begin(self._judge_across)
            self.within, self.section = self._within()
            self.device = self._device()
            beside.result()

    def _judge_across(self) -> None:
        """The verdicts of what stands on other pages and, where some of it is a template, which pages have nothing else."""
        self.across = self._across()
        if (self.across == TEMPLATE).any():
            self.copied  # noqa: B018 - what it is made of is kept

    def without(self, hidden: Collection[str]) -> Judgement:
        """The same without the groups of which each stand has a verdict that is to be hidden: names of ``NAMES``.

        With menus go lists of links: tables of contents, indices. What whole pages are copies of stays.

        What is left keeps its verdicts; the passages that were verified are all there.
        """
        numbers = [number for number, name in enumerate(NAMES) if name in hidden]
        away = np.isin(self.across, [-1, *numbers]) & np.isin(self.within, [-1, *numbers])
        away &= (self.across >= 0) | (self.within >= 0)
        away &= ~self.copied[self.page]
        if "navigation" in hidden:
            away |= np.bincount(self.occurrence_stand, self.copies.link_share < LINK_LIST, len(away)) == 0
        kept = np.bincount(self.group, ~away, len(self.table)) > 0
        if kept.all():
            return self
        found, rows = self.findings, np.repeat(kept, widths(self.table.first))
        less = copy.copy(self)
        for of_all in ("by_page", "occurrence_stand"):
            vars(less).pop(of_all, None)
        # Of all that stands more than once.
        vars(less).update(copy_of=self.copy_of, alike=self.alike, sites=self.sites, _chars=self._chars)
        less.findings = Findings(found.corpus, found.table.take(kept), found.passages, found.pairs_that_count, found.options,
                                 found.truncated, found.aligned, found.repetition)
        less.table, stands = less.findings.table, kept[self.group]
        less.first = sums(widths(self.first)[stands])
        less.group, less.page = (np.cumsum(kept) - 1)[self.group[stands]], self.page[stands]
        less.copies = self.copies.take(np.flatnonzero(rows))
        less.within, less.across, less.device = self.within[stands], self.across[stands], self.device[stands]
        less.section = self.section[stands]
        return less

    @cached_property
    def occurrence_stand(self) -> npt.NDArray[np.int32]:
        """Stand of each occurrence."""
        return np.repeat(np.arange(len(self.group), dtype=np.int32), widths(self.first))

    def _within(self) -> tuple[I8, I64]:
        """The rule for stands of two occurrences or more, none for the others; and the section of each."""
        verdict, section = np.full(len(self.group), -1, np.int8), np.arange(len(self.group))
        stands = np.flatnonzero(widths(self.first) > 1)
        if len(stands):
            judged = Stands(self.findings, self.copies, self.first, stands)
            verdict[stands], section[stands] = judged.verdicts(), stands[judged.section]
        return verdict, section

    def _device(self) -> Flags:
        """Navigation for one device beside that for another; a menu of the header and one of the footer are none."""
        device = np.zeros(len(self.group), bool)
        stands = np.flatnonzero(self.within == NAVIGATION)
        if len(stands):
            rows, first = kernel.take_ranges(self.first, stands)
            c, leader = self.copies.take(rows), first[:-1]
            foot, some = c.footer_share >= FOOTER_SHARE, c.device_share >= DEVICE_SHARE
            mixed = np.maximum.reduceat(foot, leader) != np.minimum.reduceat(foot, leader)
            gap = np.full(len(rows), NEXT_BLOCKS + 1)
            gap[1:] = c.first_block[1:] - c.last_block[:-1] - 1
            gap[leader] = NEXT_BLOCKS + 1
            near = np.minimum.reduceat(gap, leader) <= NEXT_BLOCKS
            near &= np.minimum.reduceat(c.navigation & (c.link_share >= MENU_LINK_SHARE), leader)
            device[stands] = ~mixed & (np.maximum.reduceat(some, leader) | near)
        return device

    @cached_property
    def sites(self) -> tuple[I64, I64]:
        """Number of each page's site, and pages of each site."""
        # records without an address and pages of a program belong to no site, nor do references;
        # and whole pages are nobody's template
        corpus, pages = self.findings.corpus, self.findings.corpus.pages
        named = np.array([name != "" for name in pages.sites.names], bool)
        row = np.arange(len(pages))
        site = np.where(named[pages.sites.codes] & (pages.has_address | ~pages.is_record) & (row >= (corpus.references or 0)),
                        pages.sites.codes, len(named) + row)
        number = np.unique(site, return_inverse=True)[1]
        return number, np.bincount(number, minlength=1)

    @property
    def _is_html(self) -> Flags:
        pages = self.findings.corpus.pages
        html = np.zeros(len(pages), bool)
        html[[p for p, layout in pages.layouts.items() if len(layout.element)]] = True
        return html

    def _across(self) -> I8:
        if not len(self.group):
            return np.empty(0, np.int8)
        site, pages = self.sites
        groups, options = len(self.table), self.findings.options
        places = np.bincount(self.group, minlength=groups)[self.group]
        elsewhere = places > 1
        template = np.zeros(len(self.group), bool)
        of_site = pages[site[self.page]]
        asked = elsewhere & (np.minimum(places, of_site) >= options.template_pages)  # else there are not so many on its site
        if options.unit == "block" and asked.any():
            key = self.group[asked] * len(pages) + site[self.page[asked]]
            number = distinct_keys(key.view(np.uint64))[1]
            on_site = np.bincount(number)[number]
            template[asked] = on_site >= np.maximum(options.template_share * of_site[asked], options.template_pages)
        if options.template_in == "html":
            template &= self._is_html[self.page]
        if template.any():
            if (heading := self.copies.heading).any():
                # an article's own headline, which the other pages of its site list in a side bar
                headings = np.add.reduceat(heading.astype(np.int64), self.first[:-1])
                all_headings = np.bincount(self.group, headings, groups)
                template &= (headings == 0) | (2 * all_headings >= widths(self.table.first))[self.group]
            template |= elsewhere & self._in_template(template)
        return np.where(elsewhere, np.where(template, TEMPLATE, SHARED), -1).astype(np.int8)

    def _in_template(self, template: Flags) -> Flags:
        """Stands that are the template again, and a word beside it by chance: nearly all of each place lies in it."""
        if not template.any():
            return template
        framed = np.zeros(len(self.findings.corpus.pages), bool)
        framed[self.page[template]] = True
        again, asked = np.zeros(len(template), bool), rows_of(~template & framed[self.page])
        if len(asked):
            frame_rows = kernel.take_ranges(self.first, rows_of(template))[0]
            frame = self.stretches(frame_rows, self.table.page[frame_rows])
            row, first = kernel.take_ranges(self.first, asked)
            size, inside = self._sizes(row, frame)
            again[asked] = np.logical_and.reduceat(inside >= TEMPLATE_AGAIN * size, first[:-1])
        return again

    def _sizes(self, rows: I64, frame: Parts) -> tuple[I64, I64]:
        """Bytes of the matched parts of some occurrences, each counted once: all, and those that lie in a frame."""
        parts = self.table.parts
        part, first = kernel.take_ranges(parts.first, rows)
        start, end = parts.part_start[part], parts.part_end[part]
        inside = kernel.lengths_inside(frame.start, frame.end, start, end)
        if len(part) == len(rows):
            return end - start, inside
        size, inside = (np.add.reduceat(column, first[:-1]) for column in (end - start, inside))
        several = rows_of(widths(first) > 1)  # marks between two parts may belong to both
        found = self.stretches(rows[several], np.arange(len(several)))
        for column, lengths in ((size, found.end - found.start), (inside, _inside(frame, found))):
            column[several] = np.bincount(found.owner, lengths, len(several))
        return size, inside

    @cached_property
    def copy_of(self) -> dict[int, int]:
        """Pages that are copies of an earlier one as wholes: of one that stays, where they are alike to one that does."""
        first, later = self.alike
        kept = kept_pages(first, later, len(self.findings.corpus.pages))
        return {y: int(kept[y]) if kept[y] >= 0 else x
                for x, y in sorted(zip(first.tolist(), later.tolist(), strict=True), reverse=True)}

    @cached_property
    def _chars(self) -> tuple[I64, I64, Parts]:
        """Characters in blocks of each page: all, and those that are not the site's template; and where that stands."""
        corpus = self.findings.corpus
        template = kernel.take_ranges(self.first, rows_of(self.across == TEMPLATE))[0]
        blocks = np.where(widths(corpus.token_first) > 0, corpus.end - corpus.start, 0)
        of_page = widths(sums(blocks)[corpus.page_first])
        frame = self.stretches(template, self.table.page[template])
        content = of_page - np.bincount(frame.owner, frame.end - frame.start, len(of_page))
        return of_page, content.astype(np.int64), frame

    @property
    def content(self) -> I64:
        """Characters in blocks of each page that are not the site's template."""
        return self._chars[1]

    @property
    def bare(self) -> Flags:
        """Pages on which there is nothing but what would be the site's template: all of it counts."""
        of_page, content, _ = self._chars
        found: Flags = content < MIN_CONTENT * of_page
        return found

    @property
    def copied(self) -> Flags:
        """Pages that are copies of an earlier one and have nothing but what would be the site's template."""
        return self.bare & np.isin(np.arange(len(self.bare)), list(self.copy_of))

    @cached_property
    def alike(self) -> tuple[I64, I64]:
        """Pairs of pages, the first before the second: nine tenths of the words of both stand in groups they share.

        What belongs to the site's template is no evidence, unless there is nothing else on the page.
        """
        table, (of_page, content, frame), bare = self.table, self._chars, self.bare
        counted = self.across != TEMPLATE
        if bare.any():
            counted |= bare[self.page]
        content = np.where(bare, of_page, content)
        leader = self._measured_against()
        row = rows_of((table.page != table.page[leader]) & np.repeat(counted, widths(self.first)))
        row = row[self._may_be_alike(row, leader[row], content)]
        both = np.minimum(row, leader[row]) * max(len(leader), 1) + np.maximum(row, leader[row])
        row = row[np.sort(np.unique(both, return_index=True)[1])]  # two may be measured against each other
        first, second = np.minimum(row, leader[row]), np.maximum(row, leader[row])
        pair, back = np.unique(table.page[first] * len(of_page) + table.page[second], return_inverse=True)
        a, b = pair // max(len(of_page), 1), pair % max(len(of_page), 1)
        alike = np.ones(len(pair), bool)
        for side, page in ((first, a), (second, b)):
            found = self.stretches(side, back, 2 * table.jaccard[row] / (1 + table.jaccard[row]))
            size = found.end - found.start - np.where(bare[page[found.owner]], 0, _inside(frame, found))
            held = np.bincount(found.owner, size, len(pair))
            alike &= (held >= COPY_SHARE * content[page]) & (held > 0)
        return a[alike], b[alike]

    def _may_be_alike(self, row: I64, leader: I64, content: I64) -> Flags:
        """Whether two pages have enough in some rows of theirs, what stands in several of them counted as often.

        Args:
            leader: What each row is measured against.
            content: Bytes of each page.
        """
        parts, page = self.table.parts, self.table.page
        sides = np.minimum, np.maximum  # pages ascend with places; made when they are asked for: memory is most here
        first, second = (page[side(row, leader)] for side in sides)
        first *= len(content)
        first += second
        number = distinct_keys(first.view(np.uint64))[1]
        del first, second
        size = np.add.reduceat(parts.part_end - parts.part_start, parts.first[:-1])
        enough = np.ones(len(row), bool)
        for side in sides:
            held = np.bincount(number, size[side(row, leader)])
            enough &= held[number] >= (COPY_SHARE * content)[page[side(row, leader)]]
        return enough

    def are_equal(self, a: I64, b: I64) -> Flags:
        """Whether pages have the same words as their other ones."""
        corpus = self.findings.corpus
        before, start = corpus.halves_before, corpus.page_start
        lengths = [before[corpus.page_first[side + 1]] - before[corpus.page_first[side]] for side in (a, b)]
        equal: Flags = lengths[0] == lengths[1]
        a, b = a[equal], b[equal]
        text = corpus.text
        equal[equal] = kernel.equal_tokens(text, start[a], start[a + 1], text, start[b], start[b + 1], corpus.flags)
        return equal

    def _measured_against(self) -> I64:
        """The representative of each one's group, or an equal one with which it makes a pair that counts, or itself."""
        table, pairs = self.table, self.findings.pairs_that_count
        leader = np.repeat(table.representative, widths(table.first))
        if pairs.every:
            return leader
        partner = pairs.partners(table.owner, table.page)
        equal = (table.jaccard == 1) & (partner >= 0) & (table.jaccard[partner] == 1)
        other = np.where(equal, partner, np.arange(len(leader)))
        return np.where(pairs.allows(table.page[leader], table.page), leader, other)

    def stretches(self, rows: I64, owner: I64, share: F64 | None = None) -> Parts:
        """The matched parts of some occurrences in bytes of the collection, those of one owner apart from each other.

        Args:
            owner: A number of each row.
            share: Of each row, how much of it counts: of a near copy only what both have.
        """
        parts = self.table.parts
        part, first = kernel.take_ranges(parts.first, rows)
        counts = widths(first)
        start, end = parts.part_start[part], parts.part_end[part]
        if share is not None:
            end = start + np.ceil((end - start) * np.repeat(share, counts)).astype(np.int64)
        return Parts(np.repeat(owner, counts).astype(np.int64), start, end).apart()

    @cached_property
    def by_page(self) -> tuple[I64, I64]:
        """The stands by pages, and where those of each page begin."""
        return in_order(self.page), sums(np.bincount(self.page, minlength=len(self.findings.corpus.pages)))

    def stands(self, page: int) -> I64:
        """Stands on a page."""
        order, first = self.by_page
        stands: I64 = order[first[page]:first[page + 1]]
        return stands

    def verdicts(self, pages: I64) -> list[tuple[Verdict, ...]]:
        """What the repeats of each of some pages, ascending, amount to, in words."""
        from dedup.sentences import verdicts_of

        return verdicts_of(self, pages)
