"""What is said of each page, and the figures of the whole report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.columns import distinct_numbers, rows_of, sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import Columns, Done, Partitioned
from dedup.equal_blocks import small_repeats
from dedup.findings import Findings
from dedup.kernel import kernel
from dedup.lazy import InAnyBatches, Lazy
from dedup.model import Page, PageReport, Skipped, SmallRepeat, Summary
from dedup.occurrences import of_parts, part_blocks
from dedup.options import Options
from dedup.order import distinct_keys, in_order
from dedup.outline import Outline, outline_of_judgement
from dedup.page_pairs import page_value
from dedup.places import MOST_RANGES, row_ranges
from dedup.source_lines import block_line, page_lines
from dedup.verdict_kinds import NO_CONTENT, RENDERED
from dedup.verdicts import Judgement

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Row = tuple[str, str, str | None, int, int, Mapping[str, Any], int, float, float]  # the first fields of a PageReport
EXAMPLES = 10  # of what was skipped for one reason
PARTS_TOGETHER = 4096  # of places, at least, that are worth a partition


class PageList(InAnyBatches[PageReport]):
    """The pages of a scan, and what is known of them before they are made.

    Attributes:
        heads: The pages without verdicts, small repeats and text, which take most of the time.
        ids: Their ids.
        texts: Their texts, whether or not the report was asked to hold them.
        lines: The lines of these, as ``PageReport.lines``.
        small_repeats: Those of the pages that have some, by index, ascending.
        outline: Which pages have which verdicts.
        fields: Names of fields that records have, where some were asked for by name.
        twice: Indices of the pages with a second rendering, and of those that are copies, ascending.
    """

    def __init__(self, count: Callable[[], int], make: Callable[[Sequence[int]], list[PageReport]],
                 heads: Callable[[Sequence[int]], list[PageReport]],
                 names: Callable[[Sequence[int]], list[str]], text: Callable[[int], str],
                 lines: Callable[[int], tuple[tuple[int, int], ...]],
                 small_repeats: Mapping[int, tuple[SmallRepeat, ...]], outline: Callable[[], Outline],
                 twice: Callable[[], I64], fields: tuple[str, ...]) -> None:
        super().__init__(count, make)
        self.heads, self.ids = InAnyBatches(count, heads), InAnyBatches(count, names)
        self.texts, self.lines = Lazy(count, text), Lazy(count, lines)
        self.small_repeats, self.outline, self.twice, self.fields = small_repeats, outline, twice, fields


def describe_pages(judgement: Judgement, skipped: Sequence[Skipped]) -> tuple[Summary, PageList]:
    """The summary, and a report of each page."""
    findings = judgement.findings
    corpus, table, options = findings.corpus, findings.table, findings.options
    begin = corpus.references or 0  # the pages before are references
    block = int(corpus.page_first[begin])
    with findings.engine as engine:
        parts = engine.begin(partial(page_parts, findings))
        repeats = _small_repeats(findings)
        duplicate, *covered, twice, content_twice = _covered(judgement, begin, parts)
    chars, (_, inside) = widths(corpus.page_chars), chars_outside_blocks(corpus)
    shares = [count / np.maximum(inside, 1) for count in covered]
    total = max(int(inside[begin:].sum()), 1)
    short = int((corpus.halves[block:] < 2 * options.min_tokens).sum())
    words = widths(corpus.halves_before[corpus.page_first]) // 2

    def lines(p: int) -> tuple[tuple[int, int], ...]:
        return page_lines(corpus.pages[p], corpus.page_text(p))

    def rows(some: Sequence[int]) -> Iterator[Row]:
        pages, at = corpus.pages, np.array(some, np.int64)
        metas = pages.metas(some) if options.between is None else [_meta(pages[p], options.between) for p in some]
        figures = (column[at].tolist() for column in (words, chars))
        found = (column[at].tolist() for column in (duplicate, *shares))
        made: Iterator[Row] = zip(pages.names(some), pages.sources(some), pages.titles(some), *figures, metas, *found,
                                  strict=True)
        return made

    def heads(some: Sequence[int]) -> list[PageReport]:
        return [PageReport(*row, (), (), None, p < begin) for p, row in zip(some, rows(some), strict=True)]

    def reports(some: Sequence[int]) -> list[PageReport]:
        held, told = options.with_text, [p for p in some if p >= begin]  # nothing is said of references
        verdicts = [()] * (len(some) - len(told)) + judgement.verdicts(np.array(told, np.int64))
        return [PageReport(*row, said, repeats.get(p, ()), corpus.page_text(p) if held else None, p < begin,
                           lines(p) if held else None)
                for p, said, row in zip(some, verdicts, rows(some), strict=True)]
    blocks = len(corpus.start) - block
    summary = Summary(len(corpus.pages) - begin, blocks, blocks - short, short,
                      sum(entry.count for entry in skipped), len(table), int(chars[begin:].sum()), int(duplicate.sum()),
                      int(twice.sum()) / total, int(content_twice.sum()) / total, begin)
    return summary, PageList(lambda: len(corpus.pages), reports, heads, corpus.pages.names, corpus.page_text, lines,
                             repeats, lambda: outline_of_judgement(judgement, words, duplicate),
                             lambda: _pages_twice(judgement, begin), corpus.pages.fields)


def _covered(judgement: Judgement, begin: int, parts: Future[PageParts] | Done[PageParts]) -> list[I64]:
    """Characters of each page in what stands there twice and more, all of it and in blocks, see ``describe_pages``.

    Args:
        begin: The first page that is no reference.
        parts: Of ``page_parts``, which may be under way.
    """
    findings = judgement.findings
    table, copies = findings.table, widths(judgement.first)
    later = np.ones(len(table.page), bool)
    later[table.first[:-1]] = False
    if begin:
        later &= table.page >= begin
    several, across = (np.repeat(flags, copies) for flags in (copies > 1, judgement.across >= 0))
    of_content = later & is_content(judgement)
    outside, _ = chars_outside_blocks(findings.corpus)
    whole, inside = covered_chars(findings, parts.result(), outside, later, several, across, of_content)
    return [whole[0], *inside[1:3], inside[0], inside[3]]


def is_content(judgement: Judgement) -> Flags:
    """Whether each occurrence is content: no template, navigation or refrain, or on a copy that has nothing else."""
    content, across = ~NO_CONTENT[judgement.within], NO_CONTENT[judgement.across]
    if across.any():  # else nobody need know which pages are copies
        content &= ~across | judgement.copied[judgement.page]
    return np.repeat(content, widths(judgement.first))


def _pages_twice(judgement: Judgement, begin: int) -> I64:
    """Pages from one on with a second rendering, and those that are copies, ascending."""
    rendered = judgement.page[judgement.within == RENDERED]
    pages = np.union1d(rendered, np.array(list(judgement.copy_of), np.int64)).astype(np.int64)
    return pages[pages >= begin]


def _meta(page: Page, between: str) -> Mapping[str, Any]:
    """The fields that are carried into the report, and ``host`` or ``folder``, by which pages are compared."""
    if between in page.meta:
        return page.meta
    value = page_value(page, between)
    return {**page.meta, between: value} if value else page.meta


def pages_in_no_pair(findings: Findings, options: Options) -> list[Skipped]:
    """The pages that are in no pair: they have no value of ``between``, or no page that they may pair with has another."""
    corpus, value, side = findings.corpus, findings.pairs_that_count.value, findings.pairs_that_count.side
    if options.between is None or value is None:
        return []
    there = value >= 0
    alone = np.zeros(len(value), bool)
    for own in (0, 1) if side is not None else (None,):
        mine, others = (there, there) if own is None else (there & (side == own), there & (side != own))
        kinds = distinct_numbers(value[others])
        alone |= mine & ((len(kinds) == 0) | ((len(kinds) == 1) & np.isin(value, kinds)))
    return [Skipped(f"{reason} {options.between}, so in no pair", int(rows.sum()),
                    tuple(corpus.pages.id(p) for p in np.flatnonzero(rows)[:EXAMPLES].tolist()))
            for reason, rows in (("no", ~there), ("no page has another", alone)) if rows.any()]


def chars_outside_blocks(corpus: Corpus) -> tuple[I64, I64]:
    """Characters outside blocks before each block, through the collection; and those inside the blocks of each page.

    White space between blocks belongs to nobody, and neither do blocks without a word, such as rulers: no share counts
    them, so a page that stands elsewhere too does so to 100 %.
    """
    inside = sums(np.where(widths(corpus.token_first) > 0, corpus.end_chars - corpus.start_chars, 0))
    return corpus.start_chars - inside[:-1], widths(inside[corpus.page_first])


@dataclass(frozen=True, slots=True)
class PageParts:
    """The parts of occurrences, of each its page, its code points through the collection and its blocks.

    Attributes:
        start, end: Of copies shown as one stretch, what is between them belongs to it.
    """

    page: I64
    start: I64
    end: I64
    first_block: I64
    last_block: I64


def page_parts(findings: Findings) -> PageParts:
    """The parts of all occurrences."""
    places, table, corpus = findings.places, findings.table, findings.corpus
    page = of_parts(table.page, table.parts)
    before = corpus.page_chars[page]
    start, end = places.part_start + before, places.part_end + before
    first, last = part_blocks(corpus, places.first_block, places.last_block, table.parts)
    goes_on = table.parts.first[findings.shown.inner]
    if len(goes_on):
        last = last.copy()
        end[goes_on], last[goes_on] = start[goes_on + 1], first[goes_on + 1]
    return PageParts(page, start, end, first, last)


def covered_chars(findings: Findings, parts: PageParts, outside: I64, *choices: Flags) -> tuple[list[I64], list[I64]]:
    """Characters of each page that lie in the parts of some occurrences, each counted once, for each choice of them: all, and
    those in blocks.

    Those of some pages are looked at together; where memory is bounded they meet first, so that columns are gone over once.

    Args:
        parts: Of all occurrences.
        outside: Characters outside blocks before each block.
    """
    chosen = choices[0].view(np.uint8).copy()
    for c, choice in enumerate(choices[1:], start=1):
        chosen |= choice.view(np.uint8) << c
    chosen, pages, engine = of_parts(chosen, findings.table.parts), len(findings.corpus.pages), findings.engine
    counts = np.zeros((2, len(choices), pages), np.int64)
    if not len(chosen):
        return list(counts[0]), list(counts[1])
    count = max(min(engine.partitions(int(findings.corpus.page_start[-1])), len(chosen) // PARTS_TOGETHER, pages), 1)
    if not engine.is_bounded:
        count = min(count, MOST_RANGES)
    edges = [-(-n * pages // count) for n in range(count + 1)]

    def columns(rows: slice | I64) -> Columns:
        page, start, end = parts.page[rows], parts.start[rows], parts.end[rows]
        inner_start, inner_end = start - outside[parts.first_block[rows]], end - outside[parts.last_block[rows]]
        return page, start, end, inner_start, inner_end, chosen[rows]

    def by_page(rows: slice) -> Partitioned:
        to = parts.page[rows] * count // pages
        order = in_order(to)
        return Partitioned(tuple(column[order] for column in columns(rows)), sums(np.bincount(to, minlength=count)))

    def cover(columns: Columns) -> tuple[int, I64]:
        page, start, end, inner_start, inner_end, bits = columns
        number = int(page[0]) * count // pages if len(page) else 0
        first, own = edges[number], edges[number + 1] - edges[number]
        found = kernel.covered(start, end, inner_start, inner_end, page - first, bits, len(choices), own)
        return first, found.reshape(2, -1, own)

    def cover_range(number: int) -> tuple[int, I64]:
        among = (parts.page >= edges[number]) & (parts.page < edges[number + 1])
        return cover(columns(rows_of(among) if count > 1 else slice(None)))
    for first, of_pages in (engine.exchange(engine.map(by_page, row_ranges(len(chosen))), cover) if engine.is_bounded
                            else engine.map(cover_range, range(count))):
        counts[:, :, first:first + of_pages.shape[2]] += of_pages
    return list(counts[0]), list(counts[1])


def _small_repeats(findings: Findings) -> dict[int, tuple[SmallRepeat, ...]]:
    """Short blocks that stand twice on their page and in no group there.

    They stand on two pages that make a pair that counts, which may be one page and itself. References have none.
    """
    corpus, table = findings.corpus, findings.table
    repeated = list(small_repeats(corpus, 2 * findings.options.min_tokens))
    if not repeated:
        return {}
    first, last = part_blocks(corpus, findings.places.first_block, findings.places.last_block, table.parts)
    first = first + (corpus.start[first] != table.parts.part_start)  # the first block that begins in the part
    count = len(corpus.start) + 1
    covered = np.cumsum(np.bincount(first, minlength=count) - np.bincount(last + 1, minlength=count)) > 0
    out: dict[int, list[tuple[int, SmallRepeat]]] = {}
    counted = _short_that_count(findings)
    for page, blocks in repeated:
        if page < (corpus.references or 0) or not counted[blocks[0]]:
            continue
        outside = blocks[~covered[blocks]]
        if len(outside) < 1 or len(blocks) - len(outside) > len(outside):
            continue
        lines = tuple(block_line(corpus, page, int(block)) for block in blocks)
        out.setdefault(page, []).append((int(blocks[0]), SmallRepeat(corpus.block_text(int(blocks[0])), lines)))
    return {page: tuple(repeat for _, repeat in sorted(out[page], key=lambda r: r[0])) for page in sorted(out)}


def _short_that_count(findings: Findings) -> Flags:
    """Blocks that stand, if they are short, on two pages that make a pair that counts."""
    corpus, pairs = findings.corpus, findings.pairs_that_count
    counted = np.ones(len(corpus.halves), bool)
    if not pairs.every and not pairs.within:
        short = np.flatnonzero(corpus.halves < 2 * findings.options.min_tokens)
        owner = distinct_keys(corpus.fingerprint[short])[1]
        counted[short] = pairs.partners(owner, corpus.block_page[short]) >= 0
    return counted
