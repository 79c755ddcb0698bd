"""Figures of the copies of a repeat, one row an occurrence, from sums over blocks: what the verdicts rest on."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from msgspec import Struct, structs

from dedup.columns import rows_of, sums, widths
from dedup.corpus import Corpus
from dedup.filed import of_large
from dedup.findings import Findings
from dedup.matched_parts import LeftOut
from dedup.model import BlockFlag, BlockKind
from dedup.places import TokenRanges, range_halves

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LAYOUT_TABLE, LAYOUT_BLOCKS = 0.6, 0.3  # of a page's characters in tables, of these in paragraphs: they lay the page out
HEADLINE_WORDS = 20
PARAGRAPH_HALVES = 16  # a shorter block is no paragraph
SLIGHT = 8  # tokens at an end that are less than half of their block: none of what a copy is
HEAD_BLOCKS = 3  # before a copy, in which the heading of its card stands
_NUMBER = re.compile(r"\[\d+\]")
_NOTICE = re.compile(r"cookie.*(?:accept|consent|privacy|reject|prefer|setting|browser|experience|we use)|"
                     r"(?:accept|consent|privacy|reject|we use).*cookie", re.IGNORECASE | re.DOTALL)
_NOTICE_CHARS = 1500
_CUT, _CUT_BYTES = re.compile(r"\W*\w*\W*?(?:…|\.{3})\W*(?:\w+\W*){0,3}"), 100  # of a word, and then "Read more"
_MARKS, _MARK_BYTES = re.compile(r"\W*$"), 12


class Ends(Struct, frozen=True):
    """Blocks and tokens of occurrences, and which of these are to lose a few words at an end; see ``_without_ends``.

    Attributes:
        first_block, last_block: The first and the last block that each holds or touches, numbered through the collection.
        t0, t1: Its tokens.
        token_first: Of the collection.
        late, early: Whether it is to begin with its second block, and to end with its last but one; nothing where none is.
    """

    first_block: I64
    last_block: I64
    t0: I64
    t1: I64
    token_first: I64
    late: Flags | None = None
    early: Flags | None = None

    def take(self, rows: I64 | None) -> Ends:
        """Some of them, or all, without what they are to lose."""
        columns = self.first_block, self.last_block, self.t0, self.t1
        first_block, last_block, t0, t1 = (column.copy() if rows is None else column[rows] for column in columns)
        if self.late is not None and self.early is not None:
            late, early = (rows_of(some if rows is None else some[rows]) for some in (self.late, self.early))
            first_block[late] += 1
            last_block[early] -= 1
            t0[late], t1[early] = self.token_first[first_block[late]], self.token_first[last_block[early] + 1]
        return Ends(first_block, last_block, t0, t1, self.token_first)


class Copies:
    """Figures of each occurrence, one row an occurrence; shares are of its characters, 0.0 to 1.0.

    Most of them are asked for of few occurrences only, so each column is made when it is.

    Args:
        blocks: What is known of all blocks.
        ends: Their blocks and tokens.
        page: Its page.
        left_out: What its parts leave out between them: half tokens, and blocks with a word; ``None``: nothing anywhere.
        gaps: Blocks that places leave out.
        number: The place that each is in these; ``None``: its row.
    """

    def __init__(self, blocks: BlockSums, ends: Ends, page: I64, left_out: tuple[I64, I64] | None, gaps: LeftOut,
                 number: I64 | None = None) -> None:
        self._blocks, self._given, self._page, self._left_out = blocks, ends, page, left_out
        self._gaps, self._number = gaps, number

    @cached_property
    def _ends(self) -> Ends:
        if self._given.late is None:
            return self._given
        ends, size = self._given.take(None), len(self._blocks.corpus.text)
        return Ends(of_large(ends.first_block, size), of_large(ends.last_block, size), of_large(ends.t0, size),
                    of_large(ends.t1, size), ends.token_first)

    @property
    def first_block(self) -> I64:
        """The first block that it holds or touches, numbered through the collection."""
        return self._ends.first_block

    @property
    def last_block(self) -> I64:
        """The last block that it holds or touches."""
        return self._ends.last_block

    def take(self, rows: I64) -> Copies:
        """Some of the occurrences."""
        left_out = None if self._left_out is None else (self._left_out[0][rows], self._left_out[1][rows])
        number = rows if self._number is None else self._number[rows]
        return Copies(self._blocks, self._given.take(rows), self._page[rows], left_out, self._gaps, number)

    def gaps_of(self, row: int) -> list[tuple[int, int]]:
        """The blocks that an occurrence leaves out between its parts: the first, and the one behind the last."""
        if self._left_out is None or not self._left_out[0][row]:
            return []
        number, gaps = row if self._number is None else int(self._number[row]), self._gaps
        mine = slice(gaps.place.searchsorted(number), gaps.place.searchsorted(number + 1))
        return list(zip(gaps.first_block[mine].tolist(), gaps.end_block[mine].tolist(), strict=True))

    def _sum(self, before: I64) -> I64:
        """Of what comes before each block, what lies in those of each occurrence."""
        total: I64 = before[self.last_block + 1] - before[self.first_block]
        return total

    def _share(self, before: I64 | None) -> F64:
        if before is None:
            return np.zeros(len(self._page))
        share: F64 = self._sum(before) / self._size
        return share

    @cached_property
    def _size(self) -> I64:
        return np.maximum(self._sum(self._blocks.chars), 1)

    @cached_property
    def words(self) -> F64:
        """Length of its parts in tokens."""
        halves = range_halves(self._blocks.engine, self._blocks.corpus, self._ends.t0, self._ends.t1)
        return (halves if self._left_out is None else halves - self._left_out[0]) / 2

    def matched_words(self, rows: I64, ranges: TokenRanges) -> F64:
        """Length of the parts of some occurrences in tokens, the words at their ends too that are no part of a copy.

        Args:
            ranges: Tokens of all occurrences.
        """
        halves = range_halves(self._blocks.engine, self._blocks.corpus, ranges.t0[rows], ranges.t1[rows])
        return (halves if self._left_out is None else halves - self._left_out[0][rows]) / 2

    @cached_property
    def blocks(self) -> I64:
        """Blocks with a word that its parts hold or touch."""
        count = self._sum(self._blocks.with_words)
        return count if self._left_out is None else count - self._left_out[1]

    @cached_property
    def link_share(self) -> F64:
        """In links."""
        return np.minimum(self._share(self._blocks.links), 1.0)

    @cached_property
    def quote_share(self) -> F64:
        """In quotes, signatures and panes that say who wrote it."""
        return self._share(self._blocks.flagged(BlockFlag.QUOTE))

    @cached_property
    def footer_share(self) -> F64:
        """In the page's footer."""
        return self._share(self._blocks.flagged(BlockFlag.FOOTER))

    @cached_property
    def device_share(self) -> F64:
        """In what a class or attribute hides, or shows to some devices only."""
        return self._share(self._blocks.flagged(BlockFlag.DEVICE | BlockFlag.HIDDEN))

    @cached_property
    def navigation(self) -> Flags:
        """Half of its blocks or more are."""
        before = self._blocks.navigation
        return self.blocks == 0 if before is None else 2 * self._sum(before) >= self.blocks

    @cached_property
    def form(self) -> Flags:
        """Half of its characters or more are in a form."""
        return self._share(self._blocks.flagged(BlockFlag.FORM)) >= 0.5

    @cached_property
    def code(self) -> Flags:
        """Half of its characters or more are code, or in tables that do not lay the page out."""
        return self._share(self._blocks.flagged(BlockFlag.TABLE_OR_CODE)) >= 0.5

    @cached_property
    def heading(self) -> Flags:
        """It is one block, a heading."""
        kind = self._blocks.corpus.kind
        if not (kind == BlockKind.HEADING).any():
            return np.zeros(len(self._page), bool)
        heading: Flags = kind[self.first_block] == BlockKind.HEADING
        return heading & (self.blocks == 1) if heading.any() else heading

    @cached_property
    def opens(self) -> Flags:
        """It begins with a block."""
        opens: Flags = self._blocks.corpus.token_first[self.first_block] == self._ends.t0
        return opens

    @cached_property
    def whole(self) -> Flags:
        """It begins and ends with a block."""
        whole: Flags = self.opens & (self._blocks.corpus.token_first[self.last_block + 1] == self._ends.t1)
        return whole

    def _place(self, block: I64) -> F64:
        """Where on its page a block begins, 0.0 to 1.0."""
        page_first = self._blocks.corpus.page_first
        first = page_first[self._page]
        place: F64 = (block - first) / np.maximum(page_first[self._page + 1] - first, 1)
        return place

    @cached_property
    def at(self) -> F64:
        """Where on its page it begins, 0.0 to 1.0."""
        return self._place(self.first_block)

    @cached_property
    def until(self) -> F64:
        """Where on its page it ends, 0.0 to 1.0."""
        return self._place(self.last_block + 1)

    @cached_property
    def laid_out(self) -> Flags:
        """The reader knew the page's blocks: HTML or Markdown."""
        laid_out: Flags = self._blocks.laid_out[self._page]
        return laid_out


class BlockSums:
    """Figures of all blocks, each as the sum of those before a block, one longer than the blocks; ``None``: nothing anywhere.

    Attributes:
        laid_out: Of each page, whether the reader knew its blocks.
    """

    def __init__(self, findings: Findings) -> None:
        self.engine, self.corpus = findings.engine, findings.corpus
        self._flags, self._links, self.laid_out = _block_columns(findings)
        self._flagged: dict[int, I64 | None] = {}

    @cached_property
    def chars(self) -> I64:
        """Characters."""
        return sums(self.corpus.end_chars - self.corpus.start_chars)

    @cached_property
    def with_words(self) -> I64:
        """Blocks with a word."""
        return sums(self.corpus.halves > 0)

    @cached_property
    def links(self) -> I64 | None:
        """Characters in links."""
        return sums(self._links) if self._links.any() else None

    @cached_property
    def navigation(self) -> I64 | None:
        """Blocks of navigation."""
        marked = self._flags & BlockFlag.NAVIGATION > 0
        return sums(marked) if marked.any() else None

    def flagged(self, flag: int) -> I64 | None:
        """Characters of blocks with a flag."""
        if flag not in self._flagged:
            marked = self._flags & flag > 0
            chars = self.corpus.end_chars - self.corpus.start_chars
            self._flagged[flag] = sums(np.where(marked, chars, 0)) if marked.any() else None
        return self._flagged[flag]


def describe_copies(findings: Findings) -> Copies:
    """Figures of all occurrences, from sums over blocks."""
    table, places, blocks = findings.table, findings.places, BlockSums(findings)
    gaps, left_out = findings.left_out, None
    if len(gaps.place):
        before = blocks.with_words
        left_out = gaps.halves(findings.corpus, len(table.page)), gaps.total(before, len(table.page))
    return Copies(blocks, _without_ends(findings, places.first_block, places.last_block), table.page, left_out, gaps)


def _without_ends(findings: Findings, first_block: I64, last_block: I64) -> Ends:
    """Blocks and tokens of occurrences without the few words at their ends with which neighbouring blocks begin or end alike.

    The paragraphs behind two copies of an article may both begin with "The": they are no part of the article.
    """
    first, t0, t1 = findings.corpus.token_first, findings.table.ranges.t0, findings.table.ranges.t1
    rows = rows_of(last_block > first_block)
    begin, end = first_block[rows], last_block[rows]
    tail = t1[rows] - first[end]
    cut = (tail < SLIGHT) & (2 * tail < first[end + 1] - first[end])
    head = first[begin + 1] - t0[rows]
    late = (head < SLIGHT) & (2 * head < first[begin + 1] - first[begin])
    if len(findings.left_out.place):  # what stands alone before or behind a gap is a part
        parts, corpus = findings.table.parts, findings.corpus
        cut &= parts.part_start[parts.first[rows + 1] - 1] < corpus.start[end]
        late &= parts.part_end[parts.first[rows]] > corpus.end[begin]
    late &= end - cut > begin
    ends = Ends(first_block, last_block, t0, t1, first)
    if not (cut | late).any():
        return ends
    loses = np.zeros((2, len(t0)), bool)
    loses[0][rows[late]] = loses[1][rows[cut]] = True
    return structs.replace(ends, late=loses[0], early=loses[1])


def _block_columns(findings: Findings) -> tuple[U8, I64, Flags]:
    """Flags and characters in links of each block, and whether the reader knew the blocks of each page.

    In plain text, ``>`` at the start of a block quotes a mail; in tables that lay a page out, the flag is taken away.
    """
    corpus = findings.corpus
    flags, links = np.zeros(len(corpus.start), np.uint8), np.zeros(len(corpus.start), np.int64)
    laid_out = np.zeros(len(corpus.pages), bool)
    if findings.options.unit != "block":
        return flags, links, laid_out
    for p, layout in corpus.pages.layouts.items():
        laid_out[p] = True
        rows = slice(int(corpus.page_first[p]), int(corpus.page_first[p + 1]))
        flags[rows], links[rows] = layout.flags, layout.link_chars
    if not laid_out.all() and len(flags):
        plain = np.repeat(~laid_out, widths(corpus.page_first))
        flags[plain & (corpus.text[np.minimum(corpus.start, len(corpus.text) - 1)] == ord(">"))] = BlockFlag.QUOTE
    if laid_out.any():
        _unmark_layout_tables(corpus, flags)
    return flags, links, laid_out


def _unmark_layout_tables(corpus: Corpus, flags: U8) -> None:
    """Take the flag of a table from the pages that stand in tables as a whole."""
    table = flags & (BlockFlag.TABLE_OR_CODE | BlockFlag.CODE) == BlockFlag.TABLE_OR_CODE
    if not table.any():
        return
    chars = corpus.end_chars - corpus.start_chars
    loose = table & (corpus.kind != BlockKind.CELL)  # paragraphs and headings in cells
    inside, other, all_chars = (widths(sums(np.where(mark, chars, 0))[corpus.page_first])
                                for mark in (table, loose, np.ones(len(flags), bool)))
    laying_out = (inside > LAYOUT_TABLE * all_chars) & (other > LAYOUT_BLOCKS * inside)
    wrapped = np.repeat(laying_out, widths(corpus.page_first))
    flags[table & wrapped] &= ~np.uint8(BlockFlag.TABLE_OR_CODE)


def equal_share(corpus: Corpus, c: Copies, rows: I64) -> float:
    """Share of the first copy's words in blocks that all others have too, word for word; the least over the others."""
    first = slice(int(c.first_block[rows[0]]), int(c.last_block[rows[0]]) + 1)
    halves = corpus.halves[first]
    shares = [halves[np.isin(corpus.fingerprint[first],
                             corpus.fingerprint[int(c.first_block[row]):int(c.last_block[row]) + 1])].sum()
              for row in rows[1:]]
    return float(min(shares)) / max(float(halves.sum()), 1.0)


def crowded_share(corpus: Corpus, c: Copies, crowd: Flags, rows: npt.NDArray[np.intp]) -> F64:
    """Share of the words of some occurrences in blocks where one of a `crowd` of others stands, too.

    Args:
        crowd: Of every occurrence, whether its text stands three times or more on its page.
    """
    covered = sums(np.where(_are_inside(corpus, c, crowd), corpus.halves, 0))
    every, some = sums(corpus.halves), c.take(rows)
    first, end = some.first_block, some.last_block + 1
    share: F64 = (covered[end] - covered[first]) / np.maximum(every[end] - every[first], 1)
    return share


def blocks_inside(corpus: Corpus, c: Copies, some: Flags) -> I64:
    """How many blocks before each one lie in some of the occurrences, one longer than the blocks."""
    return sums(_are_inside(corpus, c, some).astype(np.int64))


def _are_inside(corpus: Corpus, c: Copies, some: Flags) -> Flags:
    count, those = len(corpus.start) + 1, c.take(rows_of(some))
    begun = np.bincount(those.first_block, minlength=count) - np.bincount(those.last_block + 1, minlength=count)
    inside: Flags = np.cumsum(begun)[:-1] > 0
    return inside


def is_cut_short(findings: Findings, row: int) -> bool:
    """Whether the block of an occurrence ends with it and the dots of a cut: ``from drawings that were fou... Read more``."""
    places, corpus = findings.places, findings.corpus
    block, end = places.last_block[row], int(places.parts.part_end[places.parts.first[row + 1] - 1])
    begin, stop = max(int(corpus.start[block]), end - _MARK_BYTES), int(corpus.end[block])
    if stop - end > _CUT_BYTES:
        return False
    marks, rest = (corpus.text[x:y].tobytes().decode("utf-8", "ignore") for x, y in ((begin, end), (end, stop)))
    return _CUT.fullmatch(_MARKS.findall(marks)[0] + rest) is not None  # dots that close a place are in it


def is_headline(corpus: Corpus, page: int, block: int) -> bool:
    """Whether a block is a heading; in plain text one that is short and does not end a sentence is taken for it."""
    if page in corpus.pages.layouts:
        return bool(corpus.kind[block] == BlockKind.HEADING)
    end = int(corpus.end[block])
    tail = corpus.text[max(end - 4, 0):end].tobytes().decode("utf-8", "ignore")
    return bool(corpus.halves[block] <= 2 * HEADLINE_WORDS) and not tail.endswith((".", "!", "?", "。", ",", ";"))


def goes_on(corpus: Corpus, page: int, block: int) -> bool:
    """Whether the next block with words behind a block of a page is a paragraph."""
    end = int(corpus.page_first[page + 1])
    behind = next((b for b in range(block + 1, end) if corpus.halves[b]), None)
    return behind is not None and is_paragraph(corpus, page, behind)


def is_paragraph(corpus: Corpus, page: int, block: int) -> bool:
    """Whether a block is long enough for one, and no headline."""
    return bool(corpus.halves[block] >= PARAGRAPH_HALVES) and not is_headline(corpus, page, block)


def in_cards(corpus: Corpus, layout_page: int, c: Copies, a: int, b: int, last: int | None = None) -> bool:
    """Whether two copies stand in neighbouring cards: under headings that differ, in elements of the same kind.

    Args:
        a, b: Where they begin.
        last: The last block of the first copy, where it is more than `a`.
    """
    if not c.laid_out[a]:
        return False
    heads = [_head(corpus, layout_page, int(c.first_block[row]), not c.opens[row]) for row in (a, b)]
    if None in heads or int(c.first_block[b]) - (int(c.last_block[a]) if last is None else last) > HEAD_BLOCKS + 1:
        return False
    one, other = heads
    assert one is not None
    assert other is not None
    return (tag_chain(corpus, layout_page, one) == tag_chain(corpus, layout_page, other)
            and bool(corpus.fingerprint[one] != corpus.fingerprint[other]))


def _head(corpus: Corpus, page: int, block: int, inside: bool) -> int | None:
    """The heading just before a block, or the block itself where a copy begins inside it."""
    least = max(block - HEAD_BLOCKS, int(corpus.page_first[page]))
    return next((b for b in range(block - (not inside), least - 1, -1) if corpus.kind[b] == BlockKind.HEADING), None)


def tag_chain(corpus: Corpus, page: int, block: int) -> str:
    """Tags around a block, from the root; empty where they are not known."""
    layout = corpus.pages.layouts.get(page)
    return _without_numbers(layout.path[block - int(corpus.page_first[page])]) if layout is not None else ""


@lru_cache(maxsize=4096)
def _without_numbers(path: str) -> str:
    return _NUMBER.sub("", path)


def is_notice(text: str) -> bool:
    """Whether a text asks for cookies to be accepted, or says that they are.

    >>> is_notice("We use cookies. Accept all?"), is_notice("Bake the cookies for ten minutes.")
    (True, False)
    """
    return len(text) <= _NOTICE_CHARS and "ookie" in text and _NOTICE.search(text) is not None
