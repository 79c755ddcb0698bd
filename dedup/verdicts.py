"""Stage 9: what a repeat amounts to, by an ordered rule over figures that stand beside each verdict.

A *stand* is a group on one page: its occurrences there. The rule is columnar; sentences are made when a page is asked
for. Figures behind the bounds: 728 repeats on 183 real pages, labelled by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dedup.blocks import sums
from dedup.findings import Findings
from dedup.kernel import kernel
from dedup.model import BlockFlag, BlockKind, Verdict, VerdictKind
from dedup.places import range_halves

I8 = npt.NDArray[np.int8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# A second rendering: a section that stands again in order.
SECTION_WORDS, SECTION_BLOCKS, SECTION_WORDS_A_BLOCK, SECTION_LINK_SHARE, SECTION_JACCARD = 40, 2, 5, 0.35, 0.6
MAX_RENDERINGS = 4  # of a section twice as long and of three blocks or more; of a shorter one two
MENU_LINK_SHARE, MENU_BLOCKS, MENU_WORDS_A_BLOCK, PAGE_TOP = 0.5, 4, 5, 0.1
TEASER_BLOCKS, REFRAIN_COPIES = 2, 3
TEMPLATE_PAGES, TEMPLATE_SHARE = 3, 0.2  # pages of a site that carry a repeat of its template
COPY_SHARE = 0.9  # of both pages' words, for one to be a copy of the other
MIN_CONTENT = 0.05  # of a page's words that are not template, for the template to be left out of that

NAMES: tuple[VerdictKind, ...] = ("rendered-twice", "teaser", "navigation", "refrain", "template", "shared", "copy-of")
RENDERED, TEASER, NAVIGATION, REFRAIN, TEMPLATE, SHARED, COPY = range(7)
NO_CONTENT = (NAVIGATION, REFRAIN, TEMPLATE)  # left out of content_share


@dataclass(frozen=True, slots=True)
class Copies:
    """Figures of each occurrence, one row an occurrence."""

    words: F64
    blocks: I64
    link_share: F64
    navigation: Flags
    quote: Flags
    code: Flags
    heading: Flags
    whole: Flags
    opens: Flags  # begins a block
    at: F64  # where on its page it begins, 0.0 to 1.0

    def take(self, rows: I64) -> Copies:
        """Some of the occurrences."""
        return Copies(*(getattr(self, field.name)[rows] for field in fields(self)))


def describe_copies(findings: Findings) -> Copies:
    """Figures of all occurrences, from sums over blocks."""
    corpus, table, places = findings.corpus, findings.table, findings.places
    flags, links, kind = _block_columns(findings)
    first, last = places.first_block, places.last_block

    def count(of_block: npt.NDArray[np.generic]) -> I64:
        if not of_block.any():
            return np.zeros(len(first), np.int64)
        before = sums(of_block.astype(np.int64))
        return before[last + 1] - before[first]
    blocks = count(corpus.halves > 0)
    words = range_halves(findings.engine, corpus, table.ranges.t0, table.ranges.t1) / 2
    size = np.maximum(count(corpus.end - corpus.start), 1)
    pages = corpus.page_first[table.page]
    span = np.maximum(corpus.page_first[table.page + 1] - pages, 1)
    return Copies(words, blocks, np.minimum(count(links) / size, 1.0),
                  2 * count(flags & BlockFlag.NAVIGATION > 0) >= blocks, count(flags & BlockFlag.QUOTE > 0) > 0,
                  2 * count(flags & BlockFlag.TABLE_OR_CODE > 0) >= blocks,
                  (kind[first] == BlockKind.HEADING) & (blocks == 1),
                  (corpus.token_first[first] == table.ranges.t0) & (corpus.token_first[last + 1] == table.ranges.t1),
                  corpus.token_first[first] == table.ranges.t0, (first - pages) / span)


def _block_columns(findings: Findings) -> tuple[npt.NDArray[np.uint8], I64, npt.NDArray[np.uint8]]:
    """Flags, characters in links and kind of each block."""
    corpus = findings.corpus
    flags, links = np.zeros(len(corpus.start), np.uint8), np.zeros(len(corpus.start), np.int64)
    if findings.options.unit == "block":
        for p, page in enumerate(corpus.pages):
            if page.layout is not None:
                rows = slice(int(corpus.page_first[p]), int(corpus.page_first[p + 1]))
                flags[rows], links[rows] = page.layout.flags, page.layout.link_chars
    return flags, links, corpus.kind


def repeated_inside(c: Copies, jaccard: F64, first: I64) -> npt.NDArray[np.intp]:
    """Verdict of each stand of two occurrences or more; those of stand s are ``first[s]`` to ``first[s + 1]``."""
    count, leader = np.diff(first), first[:-1]

    def least(column: F64) -> F64:
        return np.minimum.reduceat(column, leader)

    def copies(column: Flags) -> I64:
        return np.add.reduceat(column.astype(np.int64), leader)
    words, blocks, link = c.words[leader], c.blocks[leader], c.link_share
    many_links, few_links = np.maximum.reduceat(link, leader), least(link)
    menu = copies(c.navigation) == count
    menu |= (few_links >= MENU_LINK_SHARE) & (blocks >= MENU_BLOCKS)
    menu |= ((c.at[leader] < PAGE_TOP) & (blocks >= MENU_BLOCKS) & (words < MENU_WORDS_A_BLOCK * blocks)
             & (many_links > 0))
    tabled = copies(c.code) == count
    section = ((words >= SECTION_WORDS) & (blocks >= SECTION_BLOCKS) & (words >= SECTION_WORDS_A_BLOCK * blocks)
               & (many_links < SECTION_LINK_SHARE) & (least(jaccard) >= SECTION_JACCARD))
    section &= (count == 2) | ((count <= MAX_RENDERINGS) & (words >= 2 * SECTION_WORDS) & (blocks > SECTION_BLOCKS))
    headings, opens = copies(c.heading), copies(c.opens & ~c.whole) > 0
    opening = (blocks <= TEASER_BLOCKS) & (
        ((headings > 0) & (headings < count)) | ((many_links >= 0.5) & (few_links < 0.1)) | ((copies(c.whole) > 0) & opens))
    rules = [copies(c.quote) > 0, menu, section & ~tabled, opening & ~tabled, tabled | (count >= REFRAIN_COPIES)]
    return np.select(rules, [REFRAIN, NAVIGATION, RENDERED, TEASER, REFRAIN], REFRAIN)


class Judgement:
    """The verdict of every stand, and of every page.

    Attributes:
        group, page: Of each stand, ascending.
        first: First occurrence of each stand, one longer than the stands.
        within: Verdict of a repeat inside the page (index into ``NAMES``), -1 for none.
        across: Verdict of what stands on other pages too, -1 for none.
    """

    def __init__(self, findings: Findings) -> None:
        self.findings, self.table = findings, findings.table
        owner, page = self.table.owner, self.table.page
        new = np.ones(len(owner), bool)
        new[1:] = (owner[1:] != owner[:-1]) | (page[1:] != page[:-1])
        self.first = np.append(np.flatnonzero(new), len(owner)).astype(np.int64)
        self.group, self.page = owner[new], page[new]
        self.copies = describe_copies(findings)
        self.within = self._within() if len(self.group) else np.empty(0, np.int8)
        self.across = self._across() if len(self.group) else np.empty(0, np.int8)

    @property
    def occurrence_stand(self) -> npt.NDArray[np.int32]:
        """Stand of each occurrence."""
        return np.repeat(np.arange(len(self.group), dtype=np.int32), np.diff(self.first))

    def _within(self) -> I8:
        """The rule for stands of two occurrences or more; none for the others."""
        verdict = np.full(len(self.group), -1, np.int8)
        stands = np.flatnonzero(np.diff(self.first) > 1)
        if len(stands):
            rows, first = kernel.take_ranges(self.first, stands)
            verdict[stands] = repeated_inside(self.copies.take(rows), self.table.jaccard[rows], first)
        return verdict

    @cached_property
    def sites(self) -> tuple[I64, I64]:
        """Number of each page's site, and pages of each site."""
        # records without an address belong to no site, nor do references, and whole pages are nobody's template
        corpus = self.findings.corpus
        names = [page.site if (page.url or not page.record) and p >= (corpus.references or 0) else f"\0{p}"
                 for p, page in enumerate(corpus.pages)]
        number = {name: i for i, name in enumerate(dict.fromkeys(names))}
        site = np.array([number[name] for name in names], np.int64)
        return site, np.bincount(site, minlength=1)

    def _across(self) -> I8:
        site, pages = self.sites
        groups = len(self.table)
        elsewhere = np.bincount(self.group, minlength=groups)[self.group] > 1
        key = self.group * len(pages) + site[self.page]
        number = kernel.distinct_keys(key.view(np.uint64))[1]
        on_site = np.bincount(number)[number]
        template = (on_site >= TEMPLATE_PAGES) & (on_site >= TEMPLATE_SHARE * pages[site[self.page]])
        template &= self.findings.options.unit == "block"
        # an article's own headline, which the other pages of its site list in a side bar
        headings = np.add.reduceat(self.copies.heading.astype(np.int64), self.first[:-1])
        all_headings = np.bincount(self.group, headings, groups)
        copies = np.bincount(self.group, np.diff(self.first), groups)
        own_headline = (headings > 0) & (2 * all_headings < copies)[self.group]
        return np.select([~elsewhere, template & ~own_headline], [-1, TEMPLATE], SHARED).astype(np.int8)

    @cached_property
    def copy_of(self) -> dict[int, int]:
        """Pages that are copies of an earlier one as wholes: nine tenths of the words of both stand in groups they share.

        What belongs to the site's template is no evidence, unless there is nothing else on the page.
        """
        corpus, table = self.findings.corpus, self.table
        stand = self.occurrence_stand
        plain = self.across[stand] != TEMPLATE
        words = self._matched_words()
        of_page = np.diff(corpus.token_first[corpus.page_first]).astype(np.float64)
        of_template = np.bincount(table.page[~plain], words[~plain], len(of_page))
        content = of_page - of_template
        bare = content < MIN_CONTENT * of_page  # nothing but template: all of it counts
        content = np.where(bare, of_page, content)
        leader = self._measured_against()
        row = np.flatnonzero((table.page > table.page[leader]) & (plain | bare[table.page]))
        a, b = table.page[leader][row], table.page[row]
        total = words[leader][row] + words[row]  # of a near copy only the shingles in common count
        common = np.where(table.jaccard[row] < 1, table.jaccard[row] / (1 + table.jaccard[row]) * total, words[row])
        pair, back = np.unique(a * len(of_page) + b, return_inverse=True)
        found = np.bincount(back, common, len(pair))
        a, b = pair // max(len(of_page), 1), pair % max(len(of_page), 1)
        alike = (found >= COPY_SHARE * content[a]) & (found >= COPY_SHARE * content[b]) & (found > 0)
        return {int(y): int(x) for x, y in sorted(zip(a[alike].tolist(), b[alike].tolist(), strict=True), reverse=True)}

    def _measured_against(self) -> I64:
        """The first occurrence of each one's group, or an equal one with which it makes a pair that counts, or itself."""
        table, pairs = self.table, self.findings.pairs_that_count
        leader = table.first[:-1][table.owner] if len(table) else table.owner
        if pairs.every:
            return leader
        partner = pairs.partners(table.owner, table.page)
        equal = (table.jaccard == 1) & (partner >= 0) & (table.jaccard[partner] == 1)
        other = np.where(equal, partner, np.arange(len(leader)))
        return np.where(pairs.allows(table.page[leader], table.page), leader, other)

    def _matched_words(self) -> F64:
        """Tokens in the matched parts of each occurrence; of a run over blocks that are left out, in proportion to bytes."""
        table = self.table
        size = table.ranges.t1 - table.ranges.t0
        parts = np.add.reduceat(table.parts.part_end - table.parts.part_start, table.parts.first[:-1]) if len(size) else size
        words: F64 = size * np.minimum(parts / np.maximum(table.ranges.end - table.ranges.start, 1), 1.0)
        return words

    @cached_property
    def _of_page(self) -> tuple[I64, I64]:
        order = np.argsort(self.page, kind="stable")
        return order, self.page[order]

    def stands(self, page: int) -> list[int]:
        """Stands on a page."""
        order, pages = self._of_page
        stands: list[int] = order[np.searchsorted(pages, page):np.searchsorted(pages, page, side="right")].tolist()
        return stands

    def verdicts(self, page: int) -> tuple[Verdict, ...]:
        """What the repeats of a page amount to, in words."""
        from dedup.sentences import page_verdicts

        return page_verdicts(self, page)
