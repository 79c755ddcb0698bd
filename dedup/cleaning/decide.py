"""The decision over sentences: which of those that verdicts take go, and which equal one stays for each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.cleaning.choices import Choices
from dedup.cleaning.inner import InnerBlocks
from dedup.cleaning.units import Parts, cut_units
from dedup.findings import Findings
from dedup.groups import KINDS
from dedup.kernel import kernel
from dedup.model import VerdictKind
from dedup.verdict_kinds import COPY, NAMES, NAVIGATION, REFRAIN, RENDERED, SHARED, TEASER, TEMPLATE
from dedup.verdicts import Judgement
from dedup.verify import Verifier

I8 = npt.NDArray[np.int8]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

WHOLE_PAGE, RUN, BETWEEN, PLACE, NEAR = "whole page", "second rendering", "inside a removed run", "again", "near copy"
# Of several verdicts on one sentence the first one is named.
ORDER = (COPY, RENDERED, NAVIGATION, TEMPLATE, SHARED, TEASER, REFRAIN)
LEAST_SHARE = 0.9  # of the words of a second rendering or menu: if less would go, it stays whole, so that nothing dangles


class Removal(NamedTuple):
    """A stretch that goes.

    Attributes:
        page, start, end: Page and code points of its text, half-open.
        kept_page, kept_start, kept_end: The place that stays for it.
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


class Sentences:
    """Decides over the sentences of all pages.

    Columns are over sentences (units); ``-1`` is none.

    Attributes:
        gone: It goes: with its page, as a near copy, or because an equal one stays.
        row, part, verdict: The occurrence that takes it, the part of that, and why.
        keeper: The unit that stays for it.
    """

    def __init__(self, findings: Findings, judgement: Judgement, choices: Choices, rank: I64, dropped: list[int]) -> None:
        self.findings, self.judgement, self.choices, self.rank = findings, judgement, choices, rank
        self.corpus, self.table = findings.corpus, findings.table
        self.units = cut_units(findings.engine, self.corpus)
        spans = self.table.parts
        self.parts = Parts(spans.first, *self.units.inside(spans.part_start, spans.part_end))
        gone = np.zeros(len(self.corpus.pages), bool)
        gone[dropped] = True
        self.gone_page = gone
        count = len(self.units)
        self.gone: Flags = gone[self.units.page]
        self.pinned = np.zeros(count, bool)  # stays for a near copy
        self.row, self.part, self.keeper = (np.full(count, -1, np.int64) for _ in range(3))
        self.verdict: I8 = np.full(count, -1, np.int8)

    def removals(self) -> list[Removal]:
        """All that goes, in no order."""
        taken, verdict, keeper_row = self._wanted()
        out = self._near_copies(taken, verdict, keeper_row) if self.choices.what == "near" else []
        self._claim(taken, verdict)
        decided = self._decide(keeper_row)
        self._spare_torn_sections(decided)
        self.gone |= decided
        between = self._between(decided)
        return out + self._stretches(decided) + between

    # ---- what is wanted ----

    def _wanted(self) -> tuple[I64, I8, I64]:
        """Occurrences that are to go, the verdict that takes each, and for every occurrence the one that should stay."""
        judgement, table = self.judgement, self.table
        stand = judgement.occurrence_stand
        taken = np.zeros(len(NAMES) + 1, bool)  # the last one: no verdict
        taken[[NAMES.index(name) for name in self.choices.taken]] = True
        within, across = judgement.within, judgement.across
        inside = taken[within]
        if not self.choices.all_menus:
            inside &= (within != NAVIGATION) | judgement.device
        # what an editor leaves on its page (a refrain, a teaser) is left there, though it stands on other pages too
        outside = taken[across] & ((within == -1) | inside)
        best = self._best_rows()
        rows = np.arange(len(stand))
        first = judgement.first[stand]
        again = inside[stand] & (rows != first)
        elsewhere = outside[stand] & (rows != best)
        verdict = np.where(again, within[stand], across[stand]).astype(np.int8)
        kept = np.where(again, first, best)
        live = ~self.gone_page[table.page]
        wanted = np.flatnonzero((again | elsewhere) & live)
        return wanted, verdict, kept

    def _best_rows(self) -> I64:
        """For each occurrence the one of its group that stays first: by the rank of its page, then by its place."""
        table = self.table
        owner, rows = table.owner, np.arange(len(table.page))
        rank = np.where(self.gone_page[table.page], len(self.rank), self.rank[table.page])
        order = np.lexsort((rows, rank, owner))
        best: I64 = order[table.first[:-1]][owner]
        return best

    def _claim(self, taken: I64, verdict: I8) -> None:
        """Each sentence notes the occurrence that takes it: the first verdict in order, the longest place."""
        priority = np.array([ORDER.index(v) for v in range(len(NAMES))])
        length = self.table.ranges.t1 - self.table.ranges.t0
        rows = taken[np.lexsort((-taken, length[taken], -priority[verdict[taken]]))]  # the last one to write wins
        unit, part, place = self.parts.units_of(rows)
        self.row[unit], self.part[unit], self.verdict[unit] = rows[place], part, verdict[rows[place]]

    # ---- which of equal ones goes ----

    def _decide(self, keeper_row: I64) -> Flags:
        """Sentences that go: of each text one stays, the first that nobody takes, else the first."""
        units, count = self.units, max(len(self.units), 1)
        order = np.lexsort((np.arange(len(units)), self.rank[units.page]))
        place = np.empty(len(units), np.int64)
        place[order] = np.arange(len(units))
        claimed = (self.row >= 0) & ~self.gone & ~self.pinned & (units.tokens > 0)
        key = place + count * claimed + 2 * count * self.gone
        least = np.full(int(units.text.max(initial=-1)) + 1, 3 * count, np.int64)
        np.minimum.at(least, units.text, key)
        best = least[units.text]
        decided: Flags = claimed & (key != best)
        self.keeper = np.where(decided, order[best % count] if len(order) else best, -1)
        self._prefer_the_same_place(decided, keeper_row)
        return decided

    def _prefer_the_same_place(self, decided: Flags, keeper_row: I64) -> None:
        """The sentence at the same place of the occurrence that stays is named, where it is equal and stays."""
        parts, units = self.parts, self.units
        unit = np.flatnonzero(decided)
        row, part = self.row[unit], self.part[unit]
        kept = keeper_row[row]
        fits = parts.counts[row] == parts.counts[kept]
        other = np.where(fits, parts.first[kept] + part - parts.first[row], part)
        twin = parts.low[other] + unit - parts.low[part]
        fits &= twin < parts.high[other]
        twin = np.where(fits, twin, unit)
        fits &= (units.text[twin] == units.text[unit]) & ~decided[twin] & ~self.gone[twin]
        self.keeper[unit] = np.where(fits, twin, self.keeper[unit])

    def _spare_torn_sections(self, decided: Flags) -> None:
        """A second rendering or menu of which too much would be left stays whole."""
        sections = (self.verdict == RENDERED) | (self.verdict == NAVIGATION)
        rows = np.unique(self.row[decided & sections])
        unit, _, place = self.parts.units_of(rows)
        words = np.bincount(place, self.units.tokens[unit], len(rows))
        going = np.bincount(place, np.where(decided[unit] | self.gone[unit], self.units.tokens[unit], 0), len(rows))
        torn = rows[going < LEAST_SHARE * words]
        decided[np.isin(self.row, torn) & sections] = False

    # ---- near copies ----

    def _near_copies(self, taken: I64, verdict: I8, keeper_row: I64) -> list[Removal]:
        """Occurrences that go though their text is another one's only nearly; their sentences are marked."""
        near = (self.table.kind == KINDS.index("near"))[self.table.owner[taken]]
        out = []
        for row in taken[near].tolist():
            kept = int(keeper_row[row])
            if self.parts.counts[row] != self.parts.counts[kept]:
                continue
            for i, j in zip(self.parts.of(row), self.parts.of(kept), strict=True):
                out += self._near_part(row, kept, i, j, NAMES[verdict[row]])
        return out

    def _near_part(self, row: int, kept: int, i: int, j: int, verdict: VerdictKind) -> list[Removal]:
        spans, corpus = self.table.parts, self.corpus
        mine, theirs = (slice(int(self.parts.low[k]), int(self.parts.high[k])) for k in (i, j))
        (a0, a1), (b0, b1) = (((spans.part_start[[k]]), spans.part_end[[k]]) for k in (i, j))
        units = self.units
        covered = mine.stop > mine.start and units.start[mine.start] == a0[0] and units.end[mine.stop - 1] == a1[0]
        if not covered or self.pinned[mine].any() or self.gone[mine].any() or self.gone[theirs].any():
            return []
        if a0[0] < b1[0] and b0[0] < a1[0]:
            return []  # half of it would stay for itself
        if kernel.equal_tokens(corpus.text, a0, a1, corpus.text, b0, b1, corpus.flags)[0]:
            return []  # the sentences will do
        self.gone[mine] = True
        self.pinned[theirs] = True
        options = self.findings.options
        texts = [corpus.text[int(x[0]):int(y[0])].tobytes().decode("utf-8", "surrogatepass") for x, y in ((b0, b1), (a0, a1))]
        measured = Verifier(options.shingle_tokens, options.fold_accents, options.fold_digits).measure(*texts)
        (start, end), = self._chars(a0, a1)
        (kept_start, kept_end), = self._chars(b0, b1)
        return [Removal(int(self.table.page[row]), start, end, int(self.table.page[kept]), kept_start, kept_end,
                        int(self.table.owner[row]), verdict, NEAR, round(measured.indel_similarity, 4),
                        round(measured.jaccard, 4))]

    # ---- what stands between ----

    def _between(self, decided: Flags) -> list[Removal]:
        """Blocks between the parts of a second rendering that goes, if what they say stands on the page elsewhere."""
        units, corpus, spans = self.units, self.corpus, self.table.parts
        inner, out = InnerBlocks(corpus), []
        needed = np.zeros(len(units), bool)
        needed[self.keeper[decided]] = True

        def stays(start: int, end: int) -> bool:
            low, high = units.inside(np.array([start]), np.array([end]))
            return not self.gone[low[0]:high[0]].any()
        for row in np.unique(self.row[decided & (self.verdict == RENDERED)]).tolist():
            parts, page = self.parts.of(row), int(self.table.page[row])
            for i in parts[:-1]:
                for block in inner.between(page, int(spans.part_end[i]), int(spans.part_start[i + 1])):
                    low, high = (int(x[0]) for x in units.inside(corpus.start[[block]], corpus.end[[block]]))
                    if self.gone[low:high].any() or needed[low:high].any():
                        continue
                    found = inner.elsewhere(page, block, stays)
                    if found is None:
                        continue
                    self.gone[low:high] = True
                    kept = units.inside(corpus.start[[found]], corpus.end[[found]])
                    needed[int(kept[0][0]):int(kept[1][0])] = True
                    out.append(Removal(page, *inner.chars(page, block), page, *inner.chars(page, found), -1, "rendered-twice",
                                       BETWEEN))
        return out

    # ---- sentences as stretches ----

    def _stretches(self, decided: Flags) -> list[Removal]:
        """Sentences that follow each other, and whose keepers do, as one removal."""
        units = self.units
        unit = np.flatnonzero(decided)
        if not len(unit):
            return []
        worded = np.flatnonzero(units.tokens > 0)
        number = np.full(len(units), -1, np.int64)  # among those with words
        number[worded] = np.arange(len(worded))
        keeper = self.keeper[unit]
        follows = (number[unit[1:]] == number[unit[:-1]] + 1) & (number[keeper[1:]] == number[keeper[:-1]] + 1)
        follows &= units.symbols_between(unit) == units.symbols_between(keeper)
        for column in (units.page[unit], units.page[keeper], self.row[unit], self.verdict[unit]):
            follows &= column[1:] == column[:-1]
        begins = np.flatnonzero(np.append(True, ~follows))
        last = np.append(begins[1:], len(unit)) - 1
        mine = self._chars(units.start[unit[begins]], units.end[unit[last]])
        theirs = self._chars(units.start[keeper[begins]], units.end[keeper[last]])
        owner, out = self.table.owner, []
        for u, k, own, other in zip(unit[begins].tolist(), keeper[begins].tolist(), mine, theirs, strict=True):
            verdict = NAMES[self.verdict[u]]
            out.append(Removal(int(units.page[u]), *own, int(units.page[k]), *other, int(owner[self.row[u]]), verdict,
                               RUN if verdict == "rendered-twice" else PLACE))
        return out

    def _chars(self, start: I64, end: I64) -> list[tuple[int, int]]:
        """Code points of byte ranges in their pages' texts."""
        corpus = self.corpus
        at = np.concatenate([start, end])
        order = np.argsort(at, kind="stable")
        chars = np.empty(len(at), np.int64)
        chars[order] = kernel.code_points(corpus.text, at[order])
        before = corpus.page_chars[np.searchsorted(corpus.page_start, start, side="right") - 1]
        return list(zip((chars[:len(start)] - before).tolist(), (chars[len(start):] - before).tolist(), strict=True))
