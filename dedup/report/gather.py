"""What the short reports show of a long one: the best few of each list, and how many more there are, in one pass."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.model import Group, Occurrence, PageReport, Pair, SmallRepeat, Verdict, VerdictKind
from dedup.outline import FOLDED, SECOND_RENDERINGS, Fold, Outline, outline_of_pages

if TYPE_CHECKING:
    from dedup.report import Report
    from dedup.report.beneath import Beneath

T = TypeVar("T")
I64 = npt.NDArray[np.int64]
MAX_SMALL_REPEATS = 50_000  # different texts that are counted; what comes after is only summed up
MAX_PLACES = 1_000  # of one group that are looked at
TOGETHER = 64  # groups that are made at a time


@dataclass(frozen=True, slots=True)
class Best(Generic[T]):
    """The best ones of a list, the best first.

    Attributes:
        items: Those that are shown.
        seen: How many there are in all.
    """

    items: Sequence[T]
    seen: int

    @property
    def hidden(self) -> int:
        """How many are not shown."""
        return self.seen - len(self.items)


class Stands(NamedTuple):
    """How often the text of a group stands.

    Attributes:
        every: All places, each copy of those that follow each other at once.
        known: Those of them that are in the references.
        wasted: ``wasted_chars``.
    """

    every: int
    known: int
    wasted: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a short report is made from. No more groups, pairs and pages are made than are shown.

    Attributes:
        groups, pairs: Groups that are told beneath no other one, or the pairs of a comparison.
        renderings: Pages with second renderings and teasers, and these verdicts of each.
        copies: Pages that are copies, then those that share what no earlier page says already; and these verdicts.
        folds: The verdicts that are told in a line each, and an example: its page, and what is said there.
        beneath: What is told beneath a group that is shown, by its id.
        stands: How often the text of a group that is shown stands, by its id.
        repeats: Page and lines of each small repeat.
        repeat_pages: How many pages have it.
        words: Words of the pages that are no references.
        named: The pages of the places that are shown, by id.
        references: Ids of the references.
    """

    groups: Best[Group]
    pairs: Best[Pair]
    renderings: Best[tuple[PageReport, list[Verdict]]]
    copies: Best[tuple[PageReport, list[Verdict]]]
    folds: dict[VerdictKind, tuple[Fold, PageReport, str]]
    words: int
    named: Mapping[str, PageReport]
    references: set[str]
    beneath: Mapping[int, Beneath] = field(default_factory=dict)
    stands: Mapping[int, Stands] = field(default_factory=dict)
    repeats: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    repeat_pages: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, report: Report, top: int) -> Gathered:
        """The `top` best of each list of a report."""
        from dedup.report.beneath import beneath, told_alone

        pages, outline = report.pages, _outline(report)
        groups: Best[Group] = Best((), 0)
        pairs: Best[Pair] = Best((), 0)
        stands: dict[int, Stands] = {}
        if report.is_comparison:
            links = report.known_links
            pairs = _best(links, ranked(_pair_chars(links), top))
        else:
            wasted = all_wasted_chars(report)
            alone = told_alone(report, wasted)
            rows = alone[:max(top, 0)].tolist()
            groups = Best([_begun(report, row) for row in rows], len(alone))
            stands = {group.id: Stands(*stands_of(report, row, group), int(wasted[row]))
                      for row, group in zip(rows, groups.items, strict=True)}
        told = np.ones(len(outline.copies), bool)
        if not report.summary.reference_pages and report.options.between is None:
            told = ~outline.again  # else what stands in the references, or elsewhere, is said of each page
        known = {kind: _example(pages, outline, kind) for kind in FOLDED if kind in outline.folds}
        others: list[VerdictKind] = ["copy-of", "shared"]
        renderings = _judged(pages, outline, outline.renderings, SECOND_RENDERINGS, top)
        copies = _judged(pages, outline, outline.copies[told], others, top, outline.whole[told])
        found = cls(groups, pairs, renderings, copies, known, outline.words, {}, reference_ids(report),
                    beneath(report, [group.id for group in groups.items]), stands)
        found = dataclasses.replace(found, named=Named.of(report, _shown_ids(found)))
        for p, repeats in _small_repeats(pages):
            found._add_repeats(report, p, repeats)
        return found

    def _add_repeats(self, report: Report, p: int, repeats: tuple[SmallRepeat, ...]) -> None:
        page = heads_of(report)[p]
        for repeat in repeats:
            if repeat.text in self.repeats or len(self.repeats) < MAX_SMALL_REPEATS:
                self.repeats.setdefault(repeat.text, (page.id, repeat.lines))
                self.repeat_pages[repeat.text] += 1


def ranked(key: I64, top: int) -> I64:
    """The `top` rows with the greatest keys, the greatest first; equal ones as they come.

    >>> ranked(np.array([3, 9, 3, 5]), 3).tolist()
    [1, 3, 0]
    """
    return np.argsort(-key, kind="stable")[:max(top, 0)]


def _best(items: Sequence[T], rows: I64) -> Best[T]:
    return Best([items[row] for row in rows.tolist()], len(items))


def _begun(report: Report, row: int) -> Group:
    """A group; of a fresh scan its places are made when they are asked for."""
    from dedup.findings import GroupList

    return report.groups.begun(row) if isinstance(report.groups, GroupList) else report.groups[row]


def stands_of(report: Report, row: int, group: Group) -> tuple[int, int]:
    """How often a group's text stands, and how often of that in the references."""
    from dedup.findings import GroupList

    if isinstance(report.groups, GroupList):
        return report.groups.stands(row)
    references = reference_ids(report)
    return group.count, sum(place.copies for place in group.occurrences if place.page in references)


def heads_of(report: Report) -> Sequence[PageReport]:
    """The pages without what takes time to make, where the report knows them so."""
    heads: Sequence[PageReport] = getattr(report.pages, "heads", report.pages)
    return heads


def reference_ids(report: Report) -> set[str]:
    """Ids of the pages that are references."""
    count = report.summary.reference_pages  # they come first
    known: Sequence[str] | None = getattr(report.pages, "ids", None)
    return set(known[:count]) if known is not None else {page.id for page in report.pages[:count]}


def rows_of(report: Report, ids: Collection[str]) -> dict[str, int]:
    """Indices of the pages with some ids."""
    known: Iterable[str] = getattr(report.pages, "ids", None) or (page.id for page in heads_of(report))
    return {name: row for row, name in enumerate(known) if name in ids}


def each_page(report: Report, rows: Sequence[int]) -> Iterator[PageReport]:
    """Pages of some indices, ascending; of a fresh scan many are made together, and none is held."""
    from dedup.pages import PageList

    pages = report.pages
    return pages.some(rows) if isinstance(pages, PageList) else (pages[row] for row in rows)


def some_groups(report: Report, rows: I64) -> Iterator[Group]:
    """Groups in an order of their own, and none is held; of a fresh scan some small ones are made together, and places of
    large ones when they are asked for.
    """
    from dedup.findings import GroupList

    groups = report.groups
    if not isinstance(groups, GroupList):
        yield from (groups[row] for row in rows.tolist())
        return
    for together in groups.findings.together(rows, TOGETHER, MAX_PLACES):
        yield from groups.some(together) if len(together) > 1 else [groups.begun(together[0])]


def places_of(report: Report, rows: I64) -> I64:
    """How many places some groups have; of a fresh scan no group is made for it."""
    from dedup.findings import GroupList

    if isinstance(report.groups, GroupList):
        return np.diff(report.groups.findings.shown.first)[rows]
    return np.array([len(report.groups[row].occurrences) for row in rows.tolist()], np.int64)


def pages_of(report: Report, rows: I64, most: int) -> dict[str, None]:
    """Ids of the pages of the first places of some groups, in order, each once; of a fresh scan no group is made for it."""
    from dedup.findings import GroupList

    groups = report.groups
    if not isinstance(groups, GroupList):
        return dict.fromkeys(o.page for row in rows.tolist() for o in groups[row].occurrences[:most])
    shown, table = groups.findings.shown, groups.findings.table
    first = np.concatenate([np.empty(0, np.int64), *(
        shown.row[begin:min(begin + most, end)] for begin, end in zip(shown.first[rows].tolist(),
                                                                      shown.first[rows + 1].tolist(), strict=True))])
    return dict.fromkeys(map(groups.findings.corpus.pages.id, dict.fromkeys(table.page[first].tolist())))


def all_wasted_chars(report: Report) -> I64:
    """``wasted_chars`` of each group; of a fresh scan no group is made for it."""
    from dedup.findings import GroupList

    if isinstance(report.groups, GroupList):
        return report.groups.wasted_chars()
    references = reference_ids(report)
    return np.array([wasted_chars(group, references) for group in report.groups], np.int64)


def edited_words(report: Report, of_all: str) -> str:
    """What the share of a comparison says of passages that are not the same word for word; empty where all of them are.

    Args:
        of_all: ``them`` or ``it``.
    """
    from dedup.pair_list import edited_between

    edited = edited_between(report.known_links)
    how = "edited or reworded" if report.options.find == "reworded" else "edited"
    return "" if not edited.any() else f", {how}" if edited.all() else f", some of {of_all} {how}"


def _pair_chars(pairs: Sequence[Pair]) -> I64:
    from dedup.pair_list import PairList

    if isinstance(pairs, PairList):
        start, end = pairs.table.a.all_chars
        return (end - start)[pairs.rows]
    return np.array([len(pair.a.text) for pair in pairs], np.int64)


def _outline(report: Report) -> Outline:
    made: Any = getattr(report.pages, "outline", None)
    outline: Outline = made() if made is not None else outline_of_pages(report.pages, report.groups)
    return outline


def _verdicts(page: PageReport, kinds: Collection[VerdictKind]) -> list[Verdict]:
    """The verdicts of some kinds, in the order of the kinds."""
    return [verdict for kind in kinds for verdict in page.verdicts if verdict.kind == kind]


def _example(pages: Sequence[PageReport], outline: Outline, kind: VerdictKind) -> tuple[Fold, PageReport, str]:
    """All verdicts of a kind, and the first one."""
    fold = outline.folds[kind]
    page = pages[fold.first]
    return fold, page, _verdicts(page, [kind])[0].text


def _judged(pages: Sequence[PageReport], outline: Outline, rows: I64, kinds: Collection[VerdictKind],
            top: int, before: npt.NDArray[np.bool_] | None = None) -> Best[tuple[PageReport, list[Verdict]]]:
    """The pages with the most repeats first, and their verdicts of some kinds.

    Args:
        before: Which pages come before the others, however many repeats those have.
    """
    key = outline.duplicate_chars[rows]
    best = rows[ranked(key if before is None else key + before * (key.max(initial=0) + 1), top)]
    made = [pages[p] for p in best.tolist()]
    return Best([(page, _verdicts(page, kinds)) for page in made], len(rows))


def _shown_ids(found: Gathered) -> set[str]:
    ids = {o.page for group in found.groups.items for o in group.occurrences[:MAX_PLACES]}
    ids |= {o.page for told in found.beneath.values() for o in told.places[:MAX_PLACES]}
    return ids | {o.page for pair in found.pairs.items for o in (pair.a, pair.b)}


class Named(Mapping[str, "PageReport"]):
    """Pages by id, made when they are asked for: of many places few are shown."""

    def __init__(self, pages: Sequence[PageReport], rows: Mapping[str, int]) -> None:
        self._pages, self._rows = pages, rows

    @classmethod
    def of(cls, report: Report, ids: Collection[str]) -> Named:
        """The pages of a report with some ids, those without what takes time to make."""
        return cls(heads_of(report), rows_of(report, ids))

    def __getitem__(self, name: str) -> PageReport:
        return self._pages[self._rows[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _small_repeats(pages: Sequence[PageReport]) -> Iterator[tuple[int, tuple[SmallRepeat, ...]]]:
    """The small repeats of the pages that have some."""
    known: Mapping[int, tuple[SmallRepeat, ...]] | None = getattr(pages, "small_repeats", None)
    yield from known.items() if known is not None else ((p, page.small_repeats) for p, page in enumerate(pages))


def matched_text(occurrence: Occurrence, gap: str = "") -> str:
    """An occurrence's text; of a run only its matched stretches, a paragraph each, with a mark for what is left out.

    A stretch that follows the one before at once, as the other side's gap, has no mark.
    """
    if not occurrence.parts:
        return occurrence.text
    first = occurrence.start
    text, reached = "", occurrence.start
    for start, end in occurrence.parts:
        left_out = occurrence.text[reached - first : start - first].strip()
        text += ("\n\n" if text else "") + (f"{gap}\n\n" if gap and left_out else "")
        text += occurrence.text[start - first : end - first]
        reached = end
    return text


def chosen_places(group: Group, limit: int) -> list[list[Occurrence]]:
    """At most `limit` occurrences, those of equal text together: each different text first, then the other places."""
    if group.kind == "exact":
        return [[occurrence] for occurrence in group.occurrences[:limit]]
    variants: dict[str, list[Occurrence]] = {}
    for occurrence in group.occurrences[:MAX_PLACES]:
        variants.setdefault(matched_text(occurrence), []).append(occurrence)
    shown = list(variants.values())[:limit]
    free = limit - len(shown)
    chosen = []
    for same in shown:
        chosen.append(same[: 1 + free])
        free -= len(chosen[-1]) - 1
    return chosen


def wasted_chars(group: Group, references: Collection[str] = ()) -> int:
    """Characters that would not be needed if the text stood once, or where there are references, in those only."""
    parts = group.occurrences[group.representative].parts
    chars = sum(end - start for start, end in parts) if parts else len(group.text)
    if references:
        return chars * sum(occurrence.copies for occurrence in group.occurrences if occurrence.page not in references)
    return chars * (group.count - 1)


def references_last(group: Group, references: Collection[str]) -> Group:
    """The group with its representative first, then the places that are no references: those are what is asked about."""
    if not references:
        return group
    rest = list(group.occurrences)
    first = rest.pop(group.representative)
    ordered = (first, *sorted(rest, key=lambda place: place.page in references))
    return dataclasses.replace(group, occurrences=ordered, representative=0)
