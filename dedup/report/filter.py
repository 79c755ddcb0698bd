"""A report filtered by similarity afterwards: what stays, and under which number."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from dedup.model import Group, PageReport


def filter_groups(groups: Iterable[Group], least: float) -> tuple[list[Group], dict[int, int]]:
    """Groups at or above a similarity, numbered anew, and their new numbers by their old ones."""
    kept = [group for group in (_filter_group(group, least) for group in groups) if group]
    numbers = {group.id: number for number, group in enumerate(kept)}
    return [dataclasses.replace(group, id=numbers[group.id], related=_renumber(group.related, numbers))
            for group in kept], numbers


def filter_verdicts(page: PageReport, numbers: Mapping[int, int]) -> PageReport:
    """The page with the verdicts that still have a group, or never had one."""
    verdicts = tuple(dataclasses.replace(verdict, groups=_renumber(verdict.groups, numbers))
                     for verdict in page.verdicts
                     if not verdict.groups or any(group in numbers for group in verdict.groups))
    return dataclasses.replace(page, verdicts=verdicts)


def _renumber(groups: Iterable[int], numbers: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(numbers[group] for group in groups if group in numbers)


def _filter_group(group: Group, least: float) -> Group | None:
    if group.similarity >= least:
        return group
    near = tuple(o for o in group.occurrences if o.similarity >= least)
    if len(near) < 2:
        return None
    return dataclasses.replace(group, occurrences=near, similarity=min(o.similarity for o in near))
