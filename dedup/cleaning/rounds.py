"""Planning until nothing more would go: what is left is cut, read again, and looked at again.

Taking text away brings other text together, and changes how often things stand on a page. Without a second look, a
second cleaning would find more to take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from dedup.cleaning.choices import TAKEN, Choices
from dedup.cleaning.decide import WHOLE_PAGE, Removal
from dedup.cleaning.drafts import Draft, Drafts
from dedup.cleaning.pieces import Cut, Gone, Left
from dedup.cleaning.plan import Plan, plan_removals
from dedup.cleaning.rests import Rest, stretches_that_stay, without_stretches
from dedup.corpus import Corpus
from dedup.findings import Findings
from dedup.verdicts import Judgement

MAX_ROUNDS = 16  # nearly always two; what would go after them stays
MOST_CHARS = 20_000_000  # of pages that did not change, but have text in common with some that did
Found = tuple[Gone, Removal]  # what is to go in places of what is left, and how it is told


def plan_in_rounds(findings: Findings, choices: Choices, drafts: Drafts | None = None) -> Plan:
    """A plan after which a second one would take nothing.

    Args:
        drafts: Cuts the pages; by default each one is a text.
    """
    from dedup.pipeline import find_duplicates
    from dedup.stages import Stages

    corpus, options = findings.corpus, replace(findings.options, pairs=False)
    work = _Work(corpus, drafts or Drafts(corpus, options))
    rests: Sequence[Rest] = [Rest(number, head) for number, head in enumerate(corpus.pages)]
    for _ in range(MAX_ROUNDS):
        changed = work.take(plan_removals(findings, Judgement(findings), choices), rests)
        rests = work.left_over(_concerned(findings, [rest.number for rest in rests], changed, choices))
        if not changed or not rests:
            break
        stages = Stages()
        findings, _ = find_duplicates([rest.page for rest in rests], options, stages)
        stages.stop()
    return work.plan()


def _concerned(findings: Findings, numbers: Sequence[int], changed: set[int], choices: Choices) -> set[int]:
    """The pages to be looked at again where some have changed.

    Second renderings and menus of a page depend a little on pages that have text in common with it, and on the ones
    that have text in common with these, and so on. Where these are too many, only pages that changed are looked at:
    all would cost a second scan. With other settings each page depends on all others.

    Args:
        numbers: The numbers in the scan of the findings' pages.
    """
    if findings.options.scope == "within":
        return changed
    if choices.taken != frozenset(TAKEN["readers"]) or choices.what != "exact":
        return set(numbers)
    page, owner = findings.table.page, findings.table.owner
    is_changed = np.isin(np.array(numbers, np.int64), list(changed))
    while True:
        groups = np.zeros(len(findings.table), bool)
        groups[owner[is_changed[page]]] = True
        more = page[groups[owner] & ~is_changed[page]]
        if not len(more):
            break
        is_changed[more] = True
    chars = np.diff(findings.corpus.page_chars)
    if chars[is_changed].sum() > max(MOST_CHARS, chars.sum() // 8):
        return changed
    return {numbers[row] for row in np.flatnonzero(is_changed).tolist()}


class _Work:
    """What was taken so far.

    Attributes:
        removals: By a number that stays theirs.
        gone: What went of each page, in places of its own text.
        left: What was to go and stays, though other parts of its removal went.
        now: Pages that were cut, as they are.
        dropped: Pages that go as wholes.
    """

    def __init__(self, corpus: Corpus, drafts: Drafts) -> None:
        self.corpus, self.drafts = corpus, drafts
        self.removals: dict[int, Removal] = {}
        self.gone: dict[int, list[Gone]] = {}
        self.left: dict[int, list[Left]] = {}
        self.now: dict[int, Draft] = {}
        self.dropped: set[int] = set()
        self._next = self._rounds = self._later = 0

    def take(self, more: Plan, rests: Sequence[Rest]) -> set[int]:
        """Take what a plan for the rests takes, as far as it can be cut; the pages that changed."""
        found = self._found(more, rests)
        changed = {rests[removal.page].number for removal in more.removals if removal.rule == WHOLE_PAGE}
        self.dropped |= changed
        rest_of = {rest.number: rest for rest in rests}
        for draft in self.drafts.cut({page: [gone for gone, _ in entries] for page, entries in found.items()}):
            if draft.cuts.cuts:
                self._note(draft, found[draft.page], rest_of[draft.page])
                changed.add(draft.page)
        if not self._rounds:
            changed |= self.drafts.flat
            self._later = self._next
        self._rounds += 1
        return changed

    def _found(self, more: Plan, rests: Sequence[Rest]) -> dict[int, list[Found]]:
        """What a plan for the rests takes of each page; whole pages are taken at once."""
        chars = np.diff(self.corpus.page_chars)
        found: dict[int, list[Found]] = {}
        for removal in more.removals:
            rest, kept = rests[removal.page], rests[removal.kept_page]
            told = removal._replace(page=rest.number, kept_page=kept.number, group=-1 if self._rounds else removal.group)
            if removal.rule == WHOLE_PAGE:
                self.removals[self._next] = told._replace(start=0, end=int(chars[rest.number]),
                                                          kept_start=0, kept_end=int(chars[kept.number]))
                self._next += 1
                continue
            stays = list(kept.stretches(removal.kept_start, removal.kept_end))
            for a, b, start, end in rest.stretches(removal.start, removal.end):
                own = told._replace(start=start, end=end, kept_start=stays[0][2], kept_end=stays[-1][3])
                found.setdefault(rest.number, []).append((Gone(a, b, self._next), own))
                self._next += 1
        return found

    def _note(self, draft: Draft, found: Sequence[Found], rest: Rest) -> None:
        """What went of a page that was cut, and what stays of it after all."""
        made = {cut.removal for cut in draft.cuts.cuts}
        left = [Left(start, end, entry.removal, entry.reason) for entry in draft.cuts.left
                for _, _, start, end in rest.stretches(entry.start, entry.end)]
        stays = sorted((entry.start, entry.end) for entry in left)
        went = self.gone.setdefault(draft.page, [])
        for gone, removal in found:
            if gone.removal in made:
                self.removals[gone.removal] = removal
            went += [Gone(*place, gone.removal) for place in without_stretches(removal.start, removal.end, stays)]
        went.sort()
        self.left.setdefault(draft.page, []).extend(entry for entry in left if entry.removal in made)
        self.now[draft.page] = draft

    def left_over(self, pages: Iterable[int]) -> list[Rest]:
        """What is left of some pages; those of which it cannot be said are not among them."""
        rests = (self._rest(page) for page in sorted(pages) if page not in self.dropped)
        return [rest for rest in rests if rest is not None]

    def _rest(self, number: int) -> Rest | None:
        """What is left of a page; ``None`` where it cannot be said."""
        head, text = self.corpus.pages[number], self.corpus.page_text(number)
        if number in self.drafts.flat:
            head = replace(head, layout=None)
        if number not in self.gone:
            return Rest(number, replace(head, text=text))
        draft = self.now[number]
        if draft.text is None or (places := stretches_that_stay(text, self.gone[number], draft.text)) is None:
            return None
        return Rest(number, replace(head, text=draft.text, layout=draft.layout), *places)

    def plan(self) -> Plan:
        """All that was taken as one plan; what went of a page that was dropped later goes with it."""
        later: dict[int, list[Removal]] = {}
        for number, removal in self.removals.items():
            if number >= self._later:
                later.setdefault(removal.page, []).append(removal)
        told = {number: _followed(removal, later) for number, removal in self.removals.items()
                if removal.page not in self.dropped or removal.rule == WHOLE_PAGE}
        order = sorted(told, key=lambda number: (told[number], number))
        new = {number: at for at, number in enumerate(order)}
        cuts = {page: tuple(Cut(cut.start, cut.end, new[cut.removal]) for cut in cuts)
                for page, cuts in self.drafts.cuts.items() if cuts and page not in self.dropped}
        left = {page: [entry._replace(removal=new[entry.removal]) for entry in entries]
                for page, entries in self.left.items() if page not in self.dropped}
        return Plan(self.corpus, [told[number] for number in order], cuts, left)


def _followed(removal: Removal, later: Mapping[int, Sequence[Removal]]) -> Removal:
    """The removal, with the place that stays now where the one that stayed at first went later.

    Args:
        later: What went in later rounds, by page.
    """
    for _ in range(MAX_ROUNDS):
        for other in later.get(removal.kept_page, ()):
            if other.start <= removal.kept_start and removal.kept_end <= other.end:
                removal = removal._replace(kept_page=other.kept_page, kept_start=other.kept_start, kept_end=other.kept_end)
                break
        else:
            break
    return removal
