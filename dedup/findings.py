"""From columns to what people read: places, groups, pairs and pages are made when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from dedup.align import NOTHING, Aligned
from dedup.blocks import Corpus
from dedup.engines.local import LocalEngine
from dedup.groups import KINDS, Groups
from dedup.kernel import kernel
from dedup.model import Group, Occurrence, Pair
from dedup.options import Options
from dedup.page_pairs import PagePairs
from dedup.places import block_of, locate, page_of, range_halves, row_ranges
from dedup.runs import Links, Passages, concatenated
from dedup.verify import Spans, indel_similarity, span_sets, span_text

I64 = npt.NDArray[np.int64]
T = TypeVar("T")


class Lazy(Sequence[T], Generic[T]):
    """A sequence whose items are made when they are asked for."""

    def __init__(self, count: Callable[[], int], make: Callable[[int], T]) -> None:
        self._counted, self._make = count, make

    @cached_property
    def _count(self) -> int:
        return self._counted()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._make(index % self._count)

    def __iter__(self) -> Iterator[T]:
        return map(self._make, range(self._count))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __reduce__(self) -> tuple[type[list[T]], tuple[list[T]]]:
        return list, (list(self),)

    def __repr__(self) -> str:
        return repr(list(self))


@dataclass(frozen=True, slots=True)
class Measured:
    """What an occurrence has in common with what it is measured against."""

    similarity: float = 1.0
    jaccard: float = 1.0
    containment: float = 1.0
    indel: float = 1.0
    dice: float | None = None
    evidence: float | None = None


EQUAL = Measured()


class Places:
    """Places of a corpus: bytes of each, and what they are for a reader.

    Args:
        page: Page of each place.
        first_block, last_block: Blocks of its first and last token.
        parts: Matched stretches of each place, in bytes.
    """

    def __init__(self, engine: LocalEngine, corpus: Corpus, page: I64, first_block: I64, last_block: I64,
                 parts: Spans) -> None:
        self.corpus, self.page, self.parts = corpus, page, parts
        self.first_block, self.last_block = first_block, last_block
        before = corpus.page_chars[np.repeat(page, np.diff(parts.first))]
        chars = part_chars(engine, corpus, parts, *part_blocks(corpus, first_block, last_block, parts))
        self.part_start, self.part_end = chars[0] - before, chars[1] - before
        self._lines: dict[int, dict[int, tuple[int, int]]] = {}

    @cached_property
    def _by_page(self) -> tuple[I64, I64]:
        order = np.argsort(self.page, kind="stable")
        return order, self.page[order]

    def chars(self, row: int) -> tuple[int, int]:
        """Code points of the page's text, half-open."""
        first, last = self.parts.first[row], self.parts.first[row + 1] - 1
        return int(self.part_start[first]), int(self.part_end[last])

    def bytes_of(self, rows: I64) -> tuple[I64, I64]:
        """First and last byte of places in the collection's text, half-open."""
        parts = self.parts
        return parts.part_start[parts.first[rows]], parts.part_end[parts.first[rows + 1] - 1]

    def text(self, row: int) -> str:
        """The page's text from start to end."""
        start = self.parts.part_start[self.parts.first[row]]
        end = self.parts.part_end[self.parts.first[row + 1] - 1]
        return self.corpus.text[start:end].tobytes().decode("utf-8", "surrogatepass")

    def part_list(self, row: int) -> tuple[tuple[int, int], ...] | None:
        """Code points of the matched stretches; ``None`` where there is only one, the whole."""
        first, end = int(self.parts.first[row]), int(self.parts.first[row + 1])
        if end - first == 1:
            return None
        return tuple((int(self.part_start[i]), int(self.part_end[i])) for i in range(first, end))

    def lines(self, row: int) -> tuple[int, int]:
        """First and last line in the source, from 1."""
        p = int(self.page[row])
        page = self.corpus.pages[p]
        if page.record:
            return page.line, page.line
        if page.layout is not None:
            a, b = (int(block[row] - self.corpus.page_first[p]) for block in (self.first_block, self.last_block))
            return int(page.layout.line[a]), int(page.layout.end_line[b])
        if p not in self._lines:
            order, pages = self._by_page
            rows = order[np.searchsorted(pages, p):np.searchsorted(pages, p, side="right")]
            start, end = self.bytes_of(rows)
            positions = np.concatenate([start, np.maximum(end - 1, start)])
            unique, back = np.unique(positions, return_inverse=True)
            line = kernel.line_numbers(self.corpus.text, int(self.corpus.page_start[p]), unique)[back] + page.line
            self._lines[p] = {int(r): (int(line[i]), int(line[i + len(rows)])) for i, r in enumerate(rows)}
        return self._lines[p][row]

    def source(self, row: int) -> tuple[int | None, int | None, bool]:
        """Code points in the decoded source, and whether they are exact; none for a record."""
        p = int(self.page[row])
        page, (start, end) = self.corpus.pages[p], self.chars(row)
        if page.layout is None:
            return (None, None, True) if page.record else (start, end, True)
        first, last = (int(block[row] - self.corpus.page_first[p]) for block in (self.first_block, self.last_block))
        begin, exact_begin = _map_inside(page.layout, first, start, end=False)
        finish, exact_finish = _map_inside(page.layout, last, end, end=True)
        return begin, finish, exact_begin and exact_finish

    def path(self, row: int) -> str | None:
        """DOM path of the first block, for HTML."""
        layout = self.corpus.pages[int(self.page[row])].layout
        if layout is None:
            return None
        return layout.path[int(self.first_block[row] - self.corpus.page_first[int(self.page[row])])] or None

    def occurrence(self, row: int, measured: Measured = EQUAL) -> Occurrence:
        """The place as people read it."""
        start, end = self.chars(row)
        line, end_line = self.lines(row)
        source_start, source_end, exact = self.source(row)
        page = self.corpus.pages[int(self.page[row])].id
        return Occurrence(page, start, end, source_start, source_end, line, end_line, self.path(row),
                          self.part_list(row), self.text(row), measured.similarity, measured.jaccard,
                          measured.containment, measured.indel, exact, measured.dice, measured.evidence)

    def normalised(self, row: int) -> str:
        """The normalised text of its parts."""
        parts = slice(int(self.parts.first[row]), int(self.parts.first[row + 1]))
        return span_text(self.corpus, self.parts.part_start[parts].tolist(), self.parts.part_end[parts].tolist())


def _map_inside(layout: object, block: int, position: int, end: bool) -> tuple[int, bool]:
    """A place inside a block, in the source; the block's own end where it has no map."""
    from dedup.model import Layout

    assert isinstance(layout, Layout)
    border = int((layout.end if end else layout.start)[block])
    whole = int((layout.source_end if end else layout.source_start)[block])
    if position == border:
        return whole, True
    rows = slice(int(layout.map_first[block]), int(layout.map_first[block + 1]))
    texts, sources = layout.map_text[rows], layout.map_source[rows]
    at = int(np.searchsorted(texts, position - end, side="right")) - 1
    if at < 0:
        return whole, False
    return int(sources[at]) + position - int(texts[at]), True


def part_blocks(corpus: Corpus, first_block: I64, last_block: I64, parts: Spans) -> tuple[I64, I64]:
    """Blocks of the first and the last byte of each part, where those of the whole places are known."""
    counts = np.diff(parts.first)
    first, last = np.repeat(first_block, counts), np.repeat(last_block, counts)
    inner = np.flatnonzero(np.repeat(counts > 1, counts))
    first[inner] = np.searchsorted(corpus.start, parts.part_start[inner], side="right") - 1
    last[inner] = np.searchsorted(corpus.start, parts.part_end[inner] - 1, side="right") - 1
    return first, last


def part_chars(engine: LocalEngine, corpus: Corpus, parts: Spans, first: I64, last: I64) -> tuple[I64, I64]:
    """Code points of the collection before the start and the end of each part; `first` and `last` are its blocks."""
    def count(rows: slice) -> tuple[I64, I64]:
        blocks = corpus.start, corpus.end, corpus.start_chars, corpus.end_chars
        return (kernel.chars_at(corpus.text, *blocks, first[rows], parts.part_start[rows]),
                kernel.chars_at(corpus.text, *blocks, last[rows], parts.part_end[rows]))
    start, end = (np.concatenate(side) for side in zip(*engine.map(count, row_ranges(len(first))), strict=True))
    return start, end


def all_links(groups: Groups, passages: Passages, pairs: PagePairs) -> Passages:
    """Every verified link once: members of a group from a segment, and equal texts, are linked to their first one only.

    Where not all pairs of pages count, to the first one with which they make a pair that does.
    """
    leader = groups.first[:-1][groups.owner] if len(groups) else groups.owner
    later, linked_to = np.flatnonzero(leader != np.arange(len(leader))), leader
    if not pairs.every:
        partner = pairs.partners(groups.owner, groups.page)
        linked_to = np.where(pairs.allows(groups.page[leader], groups.page), leader, partner)
        later = later[linked_to[later] >= 0]
    low, high = np.minimum(later, linked_to[later]), np.maximum(later, linked_to[later])
    t0, t1 = groups.ranges.t0, groups.ranges.t1
    equal = (groups.jaccard == 1) & (groups.kind != KINDS.index("near"))[groups.owner]
    exact = equal[low] & equal[high]
    star = Links(t0[low], t1[low], t0[high], t1[high], exact.astype(np.uint8))
    of_equal = Links(t0[later], t1[later], t0[later], t1[later], star.exact).take(exact).keys("a")
    places = np.isin(passages.whole.keys("a"), of_equal) & np.isin(passages.whole.keys("b"), of_equal)
    places &= ~np.isin(passages.whole.keys("ab"), star.keys("ab"))
    kept = passages.take(~(places & (passages.whole.exact == 1)))
    new = ~np.isin(star.keys("ab"), kept.whole.keys("ab")) & (exact | ~groups.linked[groups.owner[later]])
    new[new] = _first_of_each(star.take(new).keys("ab"))
    more = star.take(new)
    order = np.lexsort((np.concatenate([kept.whole.b0, more.b0]), np.concatenate([kept.whole.a0, more.a0])))
    first = np.concatenate([kept.first, kept.first[-1] + 1 + np.arange(len(more.a0))])
    return Passages(concatenated(kept.whole, more), first, concatenated(kept.parts, more)).in_order(order)


def _first_of_each(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """The first one of equal keys."""
    first = np.zeros(len(key), bool)
    first[np.unique(key, return_index=True)[1]] = True
    return first


class Findings:
    """Groups and pairs of one scan as sequences of objects.

    Args:
        groups: Groups as columns.
        passages: Verified links as columns.
        pairs: Which pairs of pages count.
        options: The settings; `unit` says what people read as similarity.
        truncated: A bound was met while near copies were looked for: near groups may have more members.
        aligned: Which of the links were aligned, and how alike they are as bags of words.
    """

    def __init__(self, corpus: Corpus, groups: Groups, passages: Passages, pairs: PagePairs, options: Options,
                 truncated: bool = False, aligned: Aligned = NOTHING) -> None:
        self.aligned, self.pairs_that_count = aligned, pairs
        self.corpus, self.table, self.options, self.truncated = corpus, groups, options, truncated
        self.engine = LocalEngine(options.threads)
        self.places = Places(self.engine, corpus, groups.page, groups.ranges.first_block, groups.ranges.last_block,
                             groups.parts)
        self._passages = passages
        self._groups: dict[int, Group] = {}

    @cached_property
    def passages(self) -> Passages:
        """All verified links."""
        return all_links(self.table, self._passages, self.pairs_that_count)

    @cached_property
    def _families(self) -> dict[int, list[int]]:
        """Groups that were split from each other."""
        count = np.bincount(self.table.family, minlength=1)
        split: dict[int, list[int]] = {}
        for g in np.flatnonzero(count[self.table.family] > 1).tolist() if len(self.table) else []:
            split.setdefault(int(self.table.family[g]), []).append(g)
        return split

    @cached_property
    def _tokens(self) -> npt.NDArray[np.float64]:
        """Length of each group's representative in tokens."""
        lead, ranges = self.table.representative, self.table.ranges
        return range_halves(self.engine, self.corpus, ranges.t0[lead], ranges.t1[lead]) / 2

    @cached_property
    def _bags(self) -> tuple[list[tuple[float | None, float | None]], list[tuple[float | None, float | None]]]:
        """Dice and evidence of each occurrence against its group's representative, and of each verified link."""
        leader = self.table.representative[self.table.owner] if len(self.table) else self.table.owner
        t0, t1, row = self.table.ranges.t0, self.table.ranges.t1, np.arange(len(leader))
        low, high = np.minimum(leader, row), np.maximum(leader, row)  # of a group, they ascend by place
        stars = Links(t0[low], t1[low], t0[high], t1[high], np.zeros(len(t0), np.uint8))
        both = []
        for links in (stars, self.passages.whole):
            dice, evidence = self.aligned.measures(links)
            both.append([(None, None) if d != d else (round(d, 4), round(e, 2))
                         for d, e in zip(dice.tolist(), evidence.tolist(), strict=True)])
        return both[0], both[1]

    def similarities(self, g: int) -> list[Measured]:
        """Measures of each occurrence of a group against its representative."""
        rows = range(int(self.table.first[g]), int(self.table.first[g + 1]))
        if KINDS[self.table.kind[g]] != "near":
            return [EQUAL] * len(rows)
        first, known = self.places.normalised(rows[self.table.lead[g]]), {}
        out = []
        for row in rows:
            text = self.places.normalised(row)
            if text not in known:
                known[text] = indel_similarity(first, text)
            jaccard = float(self.table.jaccard[row])
            out.append(Measured(jaccard if self.options.unit == "page" else known[text], jaccard,
                                float(self.table.containment[row]), known[text],
                                *(self._bags[0][row] if len(self.aligned.dice) else (None, None))))
        return out

    def group(self, g: int) -> Group:
        """Group g; the last ones asked for are remembered."""
        if g not in self._groups:
            if len(self._groups) > 4096:
                self._groups.clear()
            self._groups[g] = self._make_group(g)
        return self._groups[g]

    def _make_group(self, g: int) -> Group:
        rows = range(int(self.table.first[g]), int(self.table.first[g + 1]))
        measured = self.similarities(g)
        occurrences = tuple(self.places.occurrence(row, m) for row, m in zip(rows, measured, strict=True))
        related = tuple(other for other in self._families.get(int(self.table.family[g]), []) if other != g)
        tokens = float(self._tokens[g])
        lead = int(self.table.lead[g])
        blocks = int(self.places.last_block[rows[lead]] - self.places.first_block[rows[lead]]) + 1
        kind = KINDS[self.table.kind[g]]
        similarity, text = min(m.similarity for m in measured), occurrences[lead].text
        return Group(g, kind, similarity, round(tokens, 1), blocks, text, occurrences,
                     related, self.truncated and kind == "near", lead)

    @property
    def groups(self) -> Lazy[Group]:
        """All groups."""
        return Lazy(lambda: len(self.table), self.group)

    @cached_property
    def _sides(self) -> tuple[Places, Places]:
        whole, parts, first = self.passages.whole, self.passages.parts, self.passages.first
        sides = []
        for t0, t1, p0, p1 in ((whole.a0, whole.a1, parts.a0, parts.a1), (whole.b0, whole.b1, parts.b0, parts.b1)):
            ranges = locate(self.engine, self.corpus, p0, p1)
            sides.append(Places(self.engine, self.corpus, page_of(self.corpus, t0), block_of(self.corpus, t0),
                                block_of(self.corpus, t1 - 1), Spans(ranges.start, ranges.end, first)))
        return sides[0], sides[1]

    def pair(self, i: int) -> Pair:
        """Verified link i, measured."""
        (a, b), size = self._sides, self.options.shingle_tokens
        if self.passages.whole.exact[i] and a.normalised(i) == b.normalised(i):
            return Pair(a.occurrence(i), b.occurrence(i), "exact", 1.0, 1.0, 1.0, 1.0, 1.0)
        rows = [slice(int(p.parts.first[i]), int(p.parts.first[i + 1])) for p in (a, b)]
        spans = Spans(np.concatenate([p.parts.part_start[r] for p, r in zip((a, b), rows, strict=True)]),
                      np.concatenate([p.parts.part_end[r] for p, r in zip((a, b), rows, strict=True)]),
                      np.cumsum([0, *(r.stop - r.start for r in rows)]))
        sets = span_sets(LocalEngine(1), self.corpus, spans, size)
        overlap = int(kernel.set_overlaps(sets.values, sets.first, np.array([0]), np.array([1]))[0])
        n, m = (max(1, int(size)) for size in sets.sizes)
        dice, evidence = self._bags[1][i] if len(self.aligned.dice) else (None, None)
        jaccard, indel = overlap / (n + m - overlap), indel_similarity(a.normalised(i), b.normalised(i))
        similarity = jaccard if self.options.unit == "page" else indel
        sides = [place.occurrence(i, Measured(similarity, jaccard, overlap / count, indel, dice, evidence))
                 for place, count in ((a, n), (b, m))]
        return Pair(sides[0], sides[1], "near", similarity, jaccard, overlap / n, overlap / m, indel, dice, evidence)

    @property
    def pairs(self) -> Lazy[Pair]:
        """All verified links."""
        return Lazy(lambda: len(self.passages.whole.a0), self.pair)
