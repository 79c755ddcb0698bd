"""Figures of the copies of a repeat, one row an occurrence, from sums over blocks: what the verdicts rest on."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dedup.blocks import Corpus, sums
from dedup.filed import columns_of_large
from dedup.findings import Findings
from dedup.model import BlockFlag, BlockKind
from dedup.places import range_halves

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LAYOUT_TABLE, LAYOUT_BLOCKS = 0.6, 0.3  # of a page's characters in tables, of these in paragraphs: they lay the page out
HEAD_BLOCKS = 3  # before a copy, in which the heading of its card stands
_NUMBER = re.compile(r"\[\d+\]")
_NOTICE = re.compile(r"cookie.*(?:accept|consent|privacy|reject|prefer|setting|browser|experience|we use)|"
                     r"(?:accept|consent|privacy|reject|we use).*cookie", re.IGNORECASE | re.DOTALL)
_NOTICE_CHARS = 1500


@dataclass(frozen=True, slots=True)
class Copies:
    """Figures of each occurrence, one row an occurrence; shares are of its characters, 0.0 to 1.0.

    Attributes:
        words: Length in tokens.
        blocks: Blocks with a word that it holds or touches.
        first_block, last_block: The first and the last of them, numbered through the collection.
        link_share: In links.
        quote_share: In quotes, signatures and panes that say who wrote it.
        footer_share: In the page's footer.
        device_share: In what a class or attribute hides, or shows to some devices only.
        navigation: Half of its blocks or more are.
        form, code: Half of its characters or more are in a form; are code, or in tables that do not lay the page out.
        heading: It is one block, a heading.
        whole: It begins and ends with a block.
        opens: It begins with a block.
        at, until: Where on its page it begins and ends, 0.0 to 1.0.
        laid_out: The reader knew the page's blocks: HTML or Markdown.
    """

    words: F64
    blocks: I64
    first_block: I64
    last_block: I64
    link_share: F64
    quote_share: F64
    footer_share: F64
    device_share: F64
    navigation: Flags
    form: Flags
    code: Flags
    heading: Flags
    whole: Flags
    opens: Flags
    at: F64
    until: F64
    laid_out: Flags

    def take(self, rows: I64) -> Copies:
        """Some of the occurrences."""
        return Copies(*(getattr(self, field.name)[rows] for field in fields(self)))


def describe_copies(findings: Findings) -> Copies:
    """Figures of all occurrences, from sums over blocks."""
    corpus, table, places = findings.corpus, findings.table, findings.places
    flags, links, laid_out = _block_columns(findings)
    first, last = places.first_block, places.last_block
    chars = corpus.end_chars - corpus.start_chars
    nothing = np.broadcast_to(np.float64(0), len(first))  # of most figures in plain text: it takes no memory

    def count(of_block: npt.NDArray[np.generic]) -> I64:
        before = sums(of_block.astype(np.int64))
        return before[last + 1] - before[first]
    blocks, size = count(corpus.halves > 0), np.maximum(count(chars), 1)

    def share(flag: int) -> F64:
        marked = flags & flag > 0
        return count(np.where(marked, chars, 0)) / size if marked.any() else nothing
    words = range_halves(findings.engine, corpus, table.ranges.t0, table.ranges.t1) / 2
    pages = corpus.page_first[table.page]
    span = np.maximum(corpus.page_first[table.page + 1] - pages, 1)
    starts, ends = corpus.token_first[first] == table.ranges.t0, corpus.token_first[last + 1] == table.ranges.t1
    link_share = np.minimum(count(links) / size, 1.0) if links.any() else nothing
    navigation = flags & BlockFlag.NAVIGATION > 0
    in_navigation = 2 * count(navigation) >= blocks if navigation.any() else blocks == 0
    found = Copies(words, blocks, first, last, link_share, share(BlockFlag.QUOTE), share(BlockFlag.FOOTER),
                   share(BlockFlag.DEVICE | BlockFlag.HIDDEN), in_navigation, share(BlockFlag.FORM) >= 0.5,
                   share(BlockFlag.TABLE_OR_CODE) >= 0.5, (corpus.kind[first] == BlockKind.HEADING) & (blocks == 1),
                   starts & ends, starts, (first - pages) / span, (last + 1 - pages) / span, laid_out[table.page])
    return columns_of_large(found, len(corpus.text))


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
        plain = np.repeat(~laid_out, np.diff(corpus.page_first))
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
    inside, other, all_chars = (np.diff(sums(np.where(mark, chars, 0))[corpus.page_first])
                                for mark in (table, loose, np.ones(len(flags), bool)))
    laying_out = (inside > LAYOUT_TABLE * all_chars) & (other > LAYOUT_BLOCKS * inside)
    wrapped = np.repeat(laying_out, np.diff(corpus.page_first))
    flags[table & wrapped] &= ~np.uint8(BlockFlag.TABLE_OR_CODE)


def equal_share(corpus: Corpus, c: Copies, rows: range) -> float:
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
    count = len(corpus.start) + 1
    begun = np.bincount(c.first_block[crowd], minlength=count) - np.bincount(c.last_block[crowd] + 1, minlength=count)
    covered = sums(np.where(np.cumsum(begun)[:-1] > 0, corpus.halves, 0))
    every = sums(corpus.halves)
    first, end = c.first_block[rows], c.last_block[rows] + 1
    share: F64 = (covered[end] - covered[first]) / np.maximum(every[end] - every[first], 1)
    return share


def in_cards(corpus: Corpus, layout_page: int, c: Copies, a: int, b: int) -> bool:
    """Whether two copies stand in neighbouring cards: under headings that differ, in elements of the same kind."""
    if not c.laid_out[a]:
        return False
    heads = [_head(corpus, layout_page, int(c.first_block[row]), not c.opens[row]) for row in (a, b)]
    if None in heads or int(c.first_block[b]) - int(c.last_block[a]) > HEAD_BLOCKS + 1:
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
