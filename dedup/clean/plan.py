"""Which places go, and for each the place that stays.

A place goes only while another one with the same text stays: what stays for it is marked as *needed*, and nothing that
holds a needed byte goes after that. So one occurrence of everything stays, whatever the groups are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.blocks import Corpus
from dedup.clean.choices import Choices, ranks
from dedup.clean.inner import InnerBlocks
from dedup.clean.pieces import Gone
from dedup.errors import DedupError
from dedup.findings import Findings
from dedup.groups import KINDS
from dedup.kernel import kernel
from dedup.model import BlockFlag, VerdictKind
from dedup.verdicts import COPY, NAMES, NAVIGATION, REFRAIN, RENDERED, SHARED, TEASER, TEMPLATE, Judgement
from dedup.verify import Spans, span_digests

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

WHOLE_PAGE, RUN, INSIDE, PLACE = "whole page", "second rendering", "inside a removed run", "again"
# Of several verdicts on one stretch the first one decides which copy stays for it.
ORDER = (COPY, RENDERED, NAVIGATION, TEMPLATE, SHARED, TEASER, REFRAIN)


class Removal(NamedTuple):
    """A place that goes.

    Attributes:
        page, start, end: Page and code points of its text, half-open.
        kept_page, kept_start, kept_end: The place with the same text that stays.
        group: Group of the report, -1 for what goes with a run or a page.
        verdict: Why it goes.
        rule: Which rule took it.
        similarity, jaccard: Against the place that stays; 1.0 for word for word copies.
    """

    page: int
    start: int
    end: int
    kept_page: int
    kept_start: int
    kept_end: int
    group: int
    verdict: VerdictKind
    rule: str
    similarity: float = 1.0
    jaccard: float = 1.0


@dataclass
class Plan:
    """What goes of a collection.

    Attributes:
        removals: In the order in which they were decided; a removal's number is its index.
        dropped: Pages that go as wholes, and their removals.
    """

    corpus: Corpus
    removals: list[Removal] = field(default_factory=list)
    dropped: dict[int, int] = field(default_factory=dict)

    @cached_property
    def by_page(self) -> dict[int, list[Gone]]:
        """What goes of each page that is not dropped, ascending and apart."""
        pages: dict[int, list[Gone]] = {}
        for number, removal in enumerate(self.removals):
            if removal.page not in self.dropped:
                pages.setdefault(removal.page, []).append(Gone(removal.start, removal.end, number))
        return {page: sorted(gone) for page, gone in sorted(pages.items())}

    @property
    def removed_chars(self) -> int:
        """Characters that go."""
        return sum(removal.end - removal.start for removal in self.removals)


def plan_removals(findings: Findings, judgement: Judgement, choices: Choices) -> Plan:
    """Decide what goes."""
    planner = _Planner(findings, judgement, choices)
    planner.drop_pages()
    if choices.drop == "passages" and findings.options.unit == "block":
        planner.take_places()
    planner.check()
    return planner.plan


class _Marks:
    """Bytes of the collection that are gone, and those that are needed."""

    def __init__(self, size: int) -> None:
        self._state = np.zeros(size, np.uint8)  # 1 gone, 2 needed

    def stays(self, start: int, end: int) -> bool:
        """Whether nothing of a stretch is gone."""
        return not (self._state[start:end] & 1).any()

    def is_free(self, start: int, end: int) -> bool:
        """Whether a stretch is neither gone nor needed, any of it."""
        return not self._state[start:end].any()

    def take(self, start: int, end: int) -> None:
        """A stretch goes."""
        self._state[start:end] |= 1

    def need(self, start: int, end: int) -> None:
        """A stretch has to stay."""
        self._state[start:end] |= 2


class _Planner:
    def __init__(self, findings: Findings, judgement: Judgement, choices: Choices) -> None:
        self.findings, self.judgement, self.choices = findings, judgement, choices
        self.corpus, self.table, self.places = findings.corpus, findings.table, findings.places
        self.rank = ranks(self.corpus, choices.keep)
        self.marks = _Marks(int(self.corpus.page_start[-1]))
        self.plan = Plan(self.corpus)
        self.inner = InnerBlocks(self.corpus)
        self._keepers: dict[tuple[int, int, int], int] = {}

    # ---- whole pages ----

    def drop_pages(self) -> None:
        """Pages that are copies of one that stays, as wholes."""
        if "copy-of" not in self.choices.taken:
            return
        for members in self._copies():
            kept, *others = sorted(members, key=lambda p: self.rank[p])
            for page in sorted(others):
                if page not in self.plan.dropped:
                    self._drop(page, kept)

    def _copies(self) -> Iterator[list[int]]:
        """Pages that are equal, or with ``what="near"`` those that are copies of their first one."""
        if self.choices.what == "near":
            of: dict[int, list[int]] = {}
            for page, first in sorted(self._near_copies().items()):
                of.setdefault(first, [first]).append(page)
            for first, members in of.items():
                best = min(members, key=lambda p: self.rank[p])
                # only the first one was compared with all others
                yield from [members] if best == first else [[best, first]]
            return
        yield from equal_pages(self.corpus)

    def _near_copies(self) -> dict[int, int]:
        if self.findings.options.unit == "block":
            return self.judgement.copy_of
        first, page = self.table.first, self.table.page
        return {int(p): int(page[first[g]]) for g in reversed(range(len(self.table)))
                for p in page[first[g] + 1:first[g + 1]].tolist()}

    def _drop(self, page: int, kept: int) -> None:
        corpus = self.corpus
        chars = np.diff(corpus.page_chars)
        (start, end), (a, b) = ((int(corpus.page_start[p]), int(corpus.page_start[p + 1])) for p in (page, kept))
        if not self.marks.stays(a, b):
            return
        self.marks.take(start, end)
        self.marks.need(a, b)
        self.plan.dropped[page] = len(self.plan.removals)
        equal = bool(kernel.equal_tokens(corpus.text, *_one(start, end), corpus.text, *_one(a, b), corpus.flags)[0])
        alike = 1.0 if equal else self._page_jaccard(page, kept)
        self.plan.removals.append(Removal(page, 0, int(chars[page]), kept, 0, int(chars[kept]), -1, "copy-of", WHOLE_PAGE,
                                          alike, alike))

    def _page_jaccard(self, page: int, kept: int) -> float:
        from dedup.verify import span_overlaps

        corpus, one = self.corpus, np.array([0, 1])
        a, b = (Spans(corpus.page_start[[p]], corpus.page_start[[p + 1]], one) for p in (kept, page))
        overlap, n, m = span_overlaps(self.findings.engine, corpus, a, b, self.findings.options.shingle_tokens)
        return float(overlap[0] / max(int(n[0] + m[0] - overlap[0]), 1))

    def check(self) -> None:
        """Every place that stays for another one is whole, and word for word the same where that is said.

        Raises:
            DedupError: It is not; nothing is written then.
        """
        corpus, removals = self.corpus, self.plan.removals
        gone, kept = (np.array([(r[i], r[i + 1], r[i + 2]) for r in removals], np.int64).reshape(-1, 3) for i in (0, 3))
        a0, a1 = _byte_ranges(corpus, gone)
        b0, b1 = _byte_ranges(corpus, kept)
        order = np.argsort(a0)
        starts, ends = a0[order], a1[order]  # they do not overlap, so both ascend
        near = np.searchsorted(ends, b0, side="right")  # the first one that ends behind the start of what stays
        torn = (near < len(starts)) & (np.append(starts, 0)[near] < b1)
        same = kernel.equal_tokens(corpus.text, a0, a1, corpus.text, b0, b1, corpus.flags) == 1
        claimed = np.array([r.similarity == 1.0 and r.rule != INSIDE for r in removals], bool)
        bad = np.flatnonzero(torn | (claimed & ~same))
        if len(bad):
            raise DedupError(f"removal {bad[0]} has no copy that stays; this is a bug in dedup, nothing was written", "clean")

    # ---- places ----

    def take_places(self) -> None:
        """Copies inside pages and across them, the verdicts in their order, longer places first."""
        takes, verdict = self._wanted()
        rows = np.flatnonzero(takes)
        order = np.array([ORDER.index(v) for v in range(len(NAMES))])[verdict[rows]]
        length = self.table.ranges.t1[rows] - self.table.ranges.t0[rows]
        rows = rows[np.lexsort((rows, -length, order))]
        for row in rows.tolist():
            self._take(row, NAMES[verdict[row]], within=bool(verdict[row] in (RENDERED, NAVIGATION, TEASER, REFRAIN)))

    def _wanted(self) -> tuple[Flags, npt.NDArray[np.int8]]:
        """Which occurrences are to go if another one stays, and the verdict that takes each."""
        judgement = self.judgement
        stand = judgement.occurrence_stand
        taken = np.zeros(len(NAMES) + 1, bool)  # the last one: no verdict
        taken[[NAMES.index(name) for name in self.choices.taken]] = True
        within, across = judgement.within, judgement.across
        inside = taken[within]
        if not self.choices.all_menus:
            inside &= (within != NAVIGATION) | self._device()
        # what an editor leaves on its page (a refrain, a teaser) is left there, though it stands on other pages too
        outside = taken[across] & ((within == -1) | inside)
        later = np.arange(len(stand)) != judgement.first[stand]
        verdict = np.where(inside[stand] & later, within[stand], across[stand]).astype(np.int8)
        return (inside[stand] & later) | outside[stand], verdict

    def _device(self) -> Flags:
        """Menus of which one copy is for another device."""
        corpus, places = self.corpus, self.places
        flags = np.zeros(len(corpus.start) + 1, np.int64)
        for p, page in enumerate(corpus.pages):
            if page.layout is not None:
                rows = slice(int(corpus.page_first[p]) + 1, int(corpus.page_first[p + 1]) + 1)
                flags[rows] = page.layout.flags & (BlockFlag.DEVICE | BlockFlag.HIDDEN) > 0
        before = np.cumsum(flags)
        marked = before[places.last_block + 1] - before[places.first_block] > 0
        return np.add.reduceat(marked.astype(np.int64), self.judgement.first[:-1]) > 0 if len(marked) else marked

    def _take(self, row: int, verdict: VerdictKind, within: bool) -> None:
        """An occurrence goes, part by part, where another one of its group stays for it."""
        kept = self._keeper(row, within, word_for_word=True)
        if kept == row:
            return
        if kept < 0:
            kept = self._keeper(row, within, word_for_word=False)
        parts = self.table.parts
        mine, theirs = (range(int(parts.first[r]), int(parts.first[r + 1])) for r in (row, kept))
        if kept in (row, -1) or len(mine) != len(theirs):
            return
        for i, j in zip(mine, theirs, strict=True):
            self._take_part(row, kept, i, j, verdict)
        if verdict == "rendered-twice" and len(mine) > 1:
            self._take_between(row, mine, verdict)

    @cached_property
    def _owner(self) -> I64:
        return self.table.owner

    @cached_property
    def _text(self) -> npt.NDArray[np.uint64]:
        """A digest of each occurrence in a near group; in the others all are equal."""
        digest = np.zeros(len(self._owner), np.uint64)
        rows = np.flatnonzero((self.table.kind == KINDS.index("near"))[self._owner])
        if len(rows):
            digest[rows] = span_digests(self.findings.engine, self.corpus, self.table.parts.take(rows))
        return digest

    def _keeper(self, row: int, within: bool, word_for_word: bool) -> int:
        """The occurrence that stays for a row: of those on the page with the least rank the first that is whole.

        It stays for all others from now on, so it is looked for once.

        Args:
            within: It has to stand on the row's page.
            word_for_word: It has to have the row's text.

        Returns:
            Its row, perhaps the same one; -1 where no other one may do.
        """
        group, page = int(self._owner[row]), int(self.table.page[row])
        key = (group, page if within else -1, int(self._text[row]) if word_for_word else -1)
        if key not in self._keepers:
            rows = np.arange(self.table.first[group], self.table.first[group + 1])
            if within:
                rows = rows[self.table.page[rows] == page]
            if word_for_word:
                rows = rows[self._text[rows] == self._text[row]]
            rows = rows[np.lexsort((rows, self.rank[self.table.page[rows]]))] if len(rows) > 1 else rows[:0]
            self._keepers[key] = next((other for other in rows.tolist() if self._is_whole(other)), -1)
        return self._keepers[key]

    def _is_whole(self, row: int) -> bool:
        parts = self.table.parts
        return all(self.marks.stays(int(parts.part_start[i]), int(parts.part_end[i]))
                   for i in range(int(parts.first[row]), int(parts.first[row + 1])))

    def _take_part(self, row: int, kept: int, i: int, j: int, verdict: VerdictKind) -> None:
        parts, near = self.table.parts, self.choices.what == "near"
        start, end = int(parts.part_start[i]), int(parts.part_end[i])
        a, b = int(parts.part_start[j]), int(parts.part_end[j])
        equal = self._is_equal(row, i, j)
        if not (equal or near) or not self.marks.is_free(start, end) or not self.marks.stays(a, b):
            return
        self.marks.take(start, end)
        self.marks.need(a, b)
        alike = (1.0, 1.0) if equal else self._measures(row, kept)
        places = self.places
        self.plan.removals.append(Removal(
            int(self.table.page[row]), int(places.part_start[i]), int(places.part_end[i]),
            int(self.table.page[kept]), int(places.part_start[j]), int(places.part_end[j]), int(self._owner[row]), verdict,
            RUN if verdict == "rendered-twice" else PLACE, *alike))

    def _is_equal(self, row: int, i: int, j: int) -> bool:
        if KINDS[self.table.kind[self._owner[row]]] != "near":
            return True  # of other groups all members were compared, token by token
        parts, corpus = self.table.parts, self.corpus
        sides = [_one(int(parts.part_start[k]), int(parts.part_end[k])) for k in (i, j)]
        return bool(kernel.equal_tokens(corpus.text, *sides[0], corpus.text, *sides[1], corpus.flags)[0])

    def _measures(self, row: int, kept: int) -> tuple[float, float]:
        from dedup.verify import Verifier

        options = self.findings.options
        measured = Verifier(options.shingle_tokens, options.fold_accents, options.fold_digits).measure(
            self.places.text(kept), self.places.text(row))
        return round(measured.indel_similarity, 4), round(measured.jaccard, 4)

    def _take_between(self, row: int, parts: range, verdict: VerdictKind) -> None:
        """Blocks between the parts of a run that goes, if their text stands on the page elsewhere: they would dangle."""
        spans, page = self.table.parts, int(self.table.page[row])
        if any(self.marks.stays(int(spans.part_start[i]), int(spans.part_end[i])) for i in parts):
            return  # some of the run stays
        for i in parts[:-1]:
            for block in self.inner.between(page, int(spans.part_end[i]), int(spans.part_start[i + 1])):
                start, end = int(self.corpus.start[block]), int(self.corpus.end[block])
                if not self.marks.is_free(start, end):
                    continue
                found = self.inner.elsewhere(page, block, self.marks.stays)
                if found is None:
                    continue
                self.marks.take(start, end)
                self.marks.need(int(self.corpus.start[found]), int(self.corpus.end[found]))
                self.plan.removals.append(Removal(page, *self.inner.chars(page, block), page, *self.inner.chars(page, found),
                                                  -1, verdict, INSIDE))


def _byte_ranges(corpus: Corpus, places: I64) -> tuple[I64, I64]:
    """Bytes of places given as (page, start, end) in code points."""
    at = (places[:, 1:] + corpus.page_chars[places[:, :1]]).reshape(-1)
    order = np.argsort(at, kind="stable")
    found = np.empty(len(at), np.int64)
    found[order] = kernel.byte_offsets(corpus.text, 0, len(corpus.text), at[order])
    return np.ascontiguousarray(found[0::2]), np.ascontiguousarray(found[1::2])


def _one(start: int, end: int) -> tuple[I64, I64]:
    return np.array([start], np.int64), np.array([end], np.int64)


def equal_pages(corpus: Corpus) -> Iterator[list[int]]:
    """Pages with the same tokens, two or more, compared and not only hashed; pages without a word are nobody's copy."""
    worded = np.flatnonzero(np.diff(corpus.token_first) > 0)
    first = np.searchsorted(worded, corpus.page_first)
    prints = kernel.range_digests(np.ascontiguousarray(corpus.fingerprint[worded]), first)
    groups: dict[int, list[int]] = {}
    for page in np.flatnonzero(np.diff(first) > 0).tolist():
        groups.setdefault(int(prints[page]), []).append(page)
    for members in groups.values():
        if len(members) == 1:
            continue
        rows = np.array(members)
        starts, ends = corpus.page_start[rows], corpus.page_start[rows + 1]
        lead = np.zeros(len(rows), np.int64)
        same = kernel.equal_tokens(corpus.text, starts[lead], ends[lead], corpus.text, starts, ends, corpus.flags)
        alike = [page for page, equal in zip(members, same.tolist(), strict=True) if equal]
        if len(alike) > 1:
            yield alike
