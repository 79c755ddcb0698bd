"""Stage 9: what a repeat amounts to: on its page (``Stands``), on other pages, and of pages as wholes.

The rules are columnar; sentences are made when a page is asked for. Figures stand beside each verdict.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Collection, Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dedup.columns import begins_new, distinct_numbers, rows_of, sums, widths
from dedup.copies import describe_copies
from dedup.findings import Findings
from dedup.keep import kept_pages
from dedup.kernel import kernel
from dedup.model import BlockKind, Verdict
from dedup.order import distinct_keys, in_order
from dedup.parts import Parts
from dedup.runs import headlines
from dedup.stands import MENU_LINK_SHARE, Stands
from dedup.verdict_kinds import NAMES, NAVIGATION, SHARED, TEMPLATE

I8 = npt.NDArray[np.int8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

DEVICE_SHARE, FOOTER_SHARE, NEXT_BLOCKS = 0.5, 0.5, 3  # of a copy that is for one device, in the footer; to the next copy
COPY_SHARE = 0.9  # of both pages' words, for one to be a copy of the other
TEMPLATE_AGAIN = 0.95  # of a place that lies in the template, for it to be no passage of its own
OWN_SHARE = 0.5  # of a site's pages, that a headline stands on fewer of to be the page's own
LINK_LIST = 0.8  # of a copy in links, for it to be a list of links
STANDS = 1 << 18  # whose copies are looked at together: figures of all at one time would take much memory
MIN_CONTENT = 0.05  # of a page's words that are not template, for the template to be left out of that


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

        With menus go lists of links: tables of contents, indices. What makes a page a copy of another one stays, but
        for these.

        What is left keeps its verdicts; the passages that were verified are all there.
        """
        numbers = [number for number, name in enumerate(NAMES) if name in hidden]
        away = np.isin(self.across, [-1, *numbers]) & np.isin(self.within, [-1, *numbers])
        away &= (self.across >= 0) | (self.within >= 0)
        away &= ~self.copied[self.page]
        if "shared" in hidden:  # that the page is a copy says more of it
            away &= (self.across != SHARED) | ~np.isin(self.page, list(self.copy_of))
        if "navigation" in hidden:
            away |= np.bincount(self.occurrence_stand, self.copies.link_share < LINK_LIST, len(away)) == 0
        kept = np.bincount(self.group, ~away, len(self.table)) > 0
        if kept.all():
            return self
        found, rows = self.findings, np.repeat(kept, widths(self.table.first))
        less = copy.copy(self)
        for of_all in ("by_page", "occurrence_stand"):
            vars(less).pop(of_all, None)
        # Of all that stands more than once; but of a page of which nothing is left nothing is said.
        left = set(self.page[kept[self.group]].tolist())
        copy_of = {page: original for page, original in self.copy_of.items() if page in left}
        vars(less).update(copy_of=copy_of, alike=self.alike, sites=self.sites, _chars=self._chars)
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
            found = rows_of(template)
            template[found] = ~self._of_an_article(found)
            template |= elsewhere & self._in_template(template)
        return np.where(elsewhere, np.where(template, TEMPLATE, SHARED), -1).astype(np.int8)

    def _of_an_article(self, stands: I64) -> Flags:
        """Which stands are of a text at several addresses: their passage goes on from the page's own headline, which most
        pages of the site do not have, or it stands on the very pages on which such a one does; or they open an article that
        pages of the site list with its headline."""
        held = np.zeros(len(self.findings.corpus.pages), bool)
        held[self.page[stands]] = True
        marked = headlines(self.findings.corpus, rows_of(held).tolist())
        if not marked.any():
            return np.zeros(len(stands), bool)
        goes_on = self._over_headlines(marked, stands)
        group, site, of_site = self.group[stands], self.sites[0][self.page[stands]], self.sites[1]
        new = begins_new(group)
        number = np.cumsum(new) - 1
        few = np.bincount(number)[number] < OWN_SHARE * of_site[site]
        owned = np.logical_and.reduceat(goes_on & few, rows_of(new))
        opens: Flags = np.logical_and.reduceat(few, rows_of(new))
        if opens.any():
            opens &= self._opens_an_article(stands, number, rows_of(marked > 0))
        if owned.any():
            mixed = self.page[stands].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            on = np.add.reduceat((mixed ^ mixed >> np.uint64(32)) * mixed, rows_of(new))  # equal for groups of the same pages
            opens |= np.isin(on, on[owned])
        found: Flags = opens[number]
        return found

    def _over_headlines(self, marked: U8, stands: I64) -> Flags:
        """Which stands have a copy that goes on from a headline: over one, or from the one that it begins with.

        Args:
            marked: Blocks that are headlines.
        """
        before, over = sums(marked.astype(np.int64)), np.empty(len(stands), bool)
        for begin in range(0, len(stands), STANDS):
            rows, first = kernel.take_ranges(self.first, stands[begin:begin + STANDS])
            copies = self.copies.take(rows)
            goes_on = before[copies.last_block] > before[copies.first_block + ~copies.opens]
            over[begin:begin + STANDS] = np.logical_or.reduceat(goes_on, first[:-1])
        return over

    def _opens_an_article(self, stands: I64, number: I64, headline: I64) -> Flags:
        """Which groups are quoted of an article by what lists it: its headline as a heading, and more; or what stands behind
        that, a byline between, and only where the headline stands, too.

        Args:
            stands: Their stands.
            number: The group of each, from 0.
            headline: Blocks of headlines.
        """
        corpus = self.findings.corpus
        places, new = self.copies.take(self.first[stands]), rows_of(begins_new(number))
        block, is_heading, text = places.first_block, corpus.kind == BlockKind.HEADING, corpus.fingerprint
        titled = is_heading[block] & (places.last_block > block) & np.isin(text[block], text[headline])
        heading = np.append(-1, rows_of(is_heading))
        last = heading[np.searchsorted(heading, block) - 1]  # the nearest heading before each
        behind = np.isin(last, headline) & (block - last <= NEXT_BLOCKS) & (last >= corpus.page_first[self.page[stands]])
        groups = int(number[-1]) + 1
        name = text[last]
        low, high = np.full(groups, np.iinfo(np.uint64).max), np.zeros(groups, np.uint64)
        np.minimum.at(low, number[behind], name[behind])
        np.maximum.at(high, number[behind], name[behind])
        one = low == high  # else it stands behind the headlines of several articles
        named, asked = rows_of(np.isin(text, low[one])), rows_of(one[number])
        page = np.searchsorted(corpus.page_first, named, side="right") - 1
        there = {*zip(text[named].tolist(), page.tolist(), strict=True)}
        lists = zip(low[number[asked]].tolist(), self.page[stands[asked]].tolist(), strict=True)
        titled[asked] |= np.array([pair in there for pair in lists], bool)
        found: Flags = np.logical_and.reduceat(titled, new)
        return found

    def _in_template(self, template: Flags) -> Flags:
        """Stands that are the template again, and a word beside it by chance: nearly all of each place lies in it."""
        if not template.any():
            return template
        again = np.zeros(len(template), bool)
        for stands in self._of_pages():
            framing, others = stands[template[stands]], stands[~template[stands]]
            if not len(framing) or not len(others):
                continue
            rows = kernel.take_ranges(self.first, framing)[0]
            frame = self.stretches(rows, self.table.page[rows])
            rows, of_stand = kernel.take_ranges(self.first, others)
            size, inside = self._sizes(rows, frame)
            again[others] = np.logical_and.reduceat(inside >= TEMPLATE_AGAIN * size, of_stand[:-1])
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
        blocks = np.where(widths(corpus.token_first) > 0, corpus.end - corpus.start, 0)
        of_page = widths(sums(blocks)[corpus.page_first])
        frames = [Parts(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))]
        for stands in self._of_pages() if (self.across == TEMPLATE).any() else ():
            rows = kernel.take_ranges(self.first, stands[self.across[stands] == TEMPLATE])[0]
            frames.append(self.stretches(rows, self.table.page[rows]))
        frame = Parts(*(np.concatenate([getattr(part, name) for part in frames]) for name in ("owner", "start", "end")))
        content = of_page - np.bincount(frame.owner, frame.end - frame.start, len(of_page))
        return of_page, content.astype(np.int64), frame

    @property
    def content(self) -> I64:
        """Characters in blocks of each page that are not the site's template."""
        return self._chars[1]

    @property
    def template(self) -> Parts:
        """Where the site's template stands, by page, in bytes of the collection: ascending, and apart from each other."""
        return self._chars[2]

    def outside_template(self, rows: I64, owner: I64) -> F64:
        """Of the text of some occurrences, those of one owner together, the share that is not the site's template.

        Of those of an owner that are hardly anything else all of it: 1.

        Args:
            owner: A number of each row, ascending; all from 0 are there.
        """
        if not len(self.template.start):
            return np.ones(owner[-1] + 1)
        found = self.stretches(rows, owner)
        lengths = found.end - found.start, _inside(self.template, found)
        size, inside = (np.bincount(found.owner, each) for each in lengths)
        share: F64 = np.where(inside < TEMPLATE_AGAIN * size, 1 - inside / np.maximum(size, 1), 1.0)
        return share

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

    def _of_pages(self) -> Iterator[I64]:
        """The stands of some pages after those of others, ``STANDS`` or so at a time; ascending."""
        order, first = self.by_page
        cuts = np.append(np.searchsorted(first, np.arange(0, len(order), STANDS)), len(first) - 1)
        for begin, end in itertools.pairwise(distinct_numbers(cuts).tolist()):
            yield np.sort(order[first[begin]:first[end]])

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
