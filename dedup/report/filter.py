"""A report filtered by similarity afterwards: what stays, and under which number."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dedup.errors import OptionError
from dedup.model import Cause, Group, Occurrence, PageReport

if TYPE_CHECKING:
    from dedup.annotate import Told
    from dedup.report import Report


Gone = Mapping[str, Collection[int]]  # groups, by the page


@dataclass(frozen=True, slots=True)
class Counted:
    """Which pairs of pages count: by side and by value of each page, where these are asked for.

    Attributes:
        labels: Side and value of each page; empty where all pairs count.
        by_side, by_value: Whether they have to differ.
    """

    labels: Mapping[str, tuple[bool, Any]]
    by_side: bool = False
    by_value: bool = False

    @classmethod
    def of(cls, report: Report | Told) -> Counted:
        """Those of a report."""
        between, scope = report.options.between, report.options.scope
        by_side = report.summary.reference_pages > 0
        if not by_side and between is None and scope != "across":
            return cls({})
        values = {page.id: (page.reference, page.id if between is None else str(page.meta.get(between, "")))
                  for page in report.pages}
        return cls(values, by_side, between is not None or not by_side)

    def any_pair(self, occurrences: Iterable[Occurrence]) -> bool:
        """Whether two of the places stand on pages that make a pair that counts."""
        if not self.labels:
            return True
        labels = dict.fromkeys(self.labels[occurrence.page] for occurrence in occurrences)
        return any((x[0] != y[0] or not self.by_side) and (x[1] != y[1] or not self.by_value)
                   for x, y in itertools.combinations(labels, 2))


def filter_groups(groups: Iterable[Group], least: float, counted: Counted) -> tuple[list[Group], dict[int, int], Gone]:
    """Groups at or above a similarity, numbered anew, their new numbers by their old ones, and where some stand no more."""
    kept, gone = list[Group](), dict[str, set[int]]()
    for group in groups:
        left = _filter_group(group, least, counted)
        if left is None:
            continue
        kept.append(left)
        if left is not group:
            for page in {place.page for place in group.occurrences}.difference(place.page for place in left.occurrences):
                gone.setdefault(page, set()).add(group.id)
    numbers = {group.id: number for number, group in enumerate(kept)}
    return [_numbered(group, numbers) for group in kept], numbers, gone


def number_groups(groups: Sequence[Group], kept: Iterable[int]) -> tuple[list[Group], dict[int, int]]:
    """Some of the groups, numbered anew, and their new numbers by their old ones.

    Raises:
        OptionError: There is no group of such a number.
    """
    numbers = {old: new for new, old in enumerate(sorted(set(kept)))}
    for old in numbers:
        if not 0 <= old < len(groups):
            raise OptionError(f"there is no group {old}", "kept", f"There are {len(groups):,}, from 0.")
    return [_numbered(groups[old], numbers) for old in numbers], numbers


class FilteredPages(list[PageReport]):
    """Pages with other verdicts than the scan's; ``texts`` and ``lines`` are the scan's, where it knows them."""

    def __init__(self, pages: Sequence[PageReport], numbers: Mapping[int, int], gone: Gone | None = None) -> None:
        super().__init__(filter_verdicts(page, numbers, () if gone is None else gone.get(page.id, ())) for page in pages)
        self.texts: Sequence[str] | None = getattr(pages, "texts", None)
        self.lines: Sequence[tuple[tuple[int, int], ...]] | None = getattr(pages, "lines", None)

    def __reduce__(self) -> tuple[type[list[PageReport]], tuple[list[PageReport]]]:
        return list, (list(self),)


def filter_verdicts(page: PageReport, numbers: Mapping[int, int], gone: Collection[int] = ()) -> PageReport:
    """The page with the verdicts that still have a group, or never had one.

    Args:
        gone: Groups that stand on other pages only by now.
    """
    left = [(verdict, tuple(group for group in verdict.groups if group not in gone)) for verdict in page.verdicts]
    verdicts = tuple(dataclasses.replace(verdict, groups=_renumber(groups, numbers)) for verdict, groups in left
                     if not verdict.groups or any(group in numbers for group in groups))
    return dataclasses.replace(page, verdicts=verdicts)


def filter_causes(causes: Iterable[Cause], numbers: Mapping[int, int]) -> tuple[Cause, ...]:
    """The causes with the new numbers of the groups that are left."""
    return tuple(dataclasses.replace(cause, groups=_renumber(cause.groups, numbers)) for cause in causes)


def _numbered(group: Group, numbers: Mapping[int, int]) -> Group:
    """The group with its new number; where the group that led it is gone it stands for itself."""
    return dataclasses.replace(group, id=numbers[group.id], related=_renumber(group.related, numbers),
                               part_of=None if group.part_of is None else numbers.get(group.part_of))


def _renumber(groups: Iterable[int], numbers: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(numbers[group] for group in groups if group in numbers)


def _filter_group(group: Group, least: float, counted: Counted) -> Group | None:
    if group.similarity >= least:
        return group
    near = tuple(o for o in group.occurrences if o.similarity >= least)
    if len(near) < 2 or not counted.any_pair(near):
        return None
    before = sum(o.similarity >= least for o in group.occurrences[:group.representative])
    equal = all(o.indel_similarity == 1.0 for o in near)
    return dataclasses.replace(group, kind="exact" if group.kind == "near" and equal else group.kind, occurrences=near,
                               similarity=min(o.similarity for o in near), representative=before)
