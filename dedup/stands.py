"""The ordered rule of stage 9: what it amounts to that a text stands more than once on its page.

A *stand* is a group on one page: its occurrences there. The rule is columnar. Figures behind the bounds: 728 repeats on 183
real pages, labelled by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.columns import begins_new, rows_of, widths
from dedup.copies import (
    HEADLINE_WORDS,
    PARAGRAPH_HALVES,
    Copies,
    blocks_inside,
    crowded_share,
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
from dedup.kernel import kernel
from dedup.renderings import SECTION_BLOCKS, SECTION_WORDS, Rendering, places_of, renderings_of
from dedup.sections import Pieces, sections
from dedup.verdict_kinds import NAVIGATION, REFRAIN, RENDERED, TEASER

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# A second rendering: a section that stands again in order. The bounds of words and blocks are what the word means.
SECTION_WORDS_A_BLOCK, SECTION_LINK_SHARE = 5, 0.35
PARAGRAPH_WORDS = 60  # of one paragraph that is a section by itself: none of 993 repeats on 63 real pages is one
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
        open_rows, again = np.flatnonzero(kind < 0), self._shown_again(kind == RENDERED)
        part = np.where(self._is_part(kind == RENDERED, again), RENDERED, REFRAIN)
        kind[open_rows] = np.where(self.is_teaser(open_rows, again), TEASER, part[open_rows])
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
        like: Flags = ((is_long_enough(self.words, self.blocks) | self._fills_block | self._is_paragraph)
                       & (self.words >= SECTION_WORDS_A_BLOCK * self.blocks) & (self.least(self.jaccard) >= LEAST_JACCARD)
                       & (self.greatest(self.c.link_share) < SECTION_LINK_SHARE))
        return like

    @property
    def _is_paragraph(self) -> Flags:
        """Whether it is a long paragraph that was pasted again: one block, whole in both places."""
        alone: Flags = (self.count == 2) & (self.greatest(self.c.blocks) == 1) & (self.copies(self.c.whole) == 2)
        return alone & (self.words >= PARAGRAPH_WORDS)

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

    def _is_part(self, rendered: Flags, again: Flags) -> Flags:
        """Whether it stands once in the first copy of a second rendering and once in a later one: a group of its own because
        it stands on another page, too.

        Args:
            again: Of ``_shown_again``.
        """
        if not rendered.any():
            return rendered
        c = self.c
        before = blocks_inside(self.findings.corpus, c, np.repeat(rendered, self.count))
        inside = before[c.last_block + 1] - before[c.first_block] > c.last_block - c.first_block
        found: Flags = (self.count == 2) & (self.copies(inside) == 2) & (self.copies(again) == 1)
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
