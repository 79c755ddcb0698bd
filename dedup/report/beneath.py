"""What is told beneath a group: the groups that are parts of it, and where else these parts stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.model import Group, Occurrence
from dedup.report.gather import all_wasted_chars, ranked
from dedup.report.text import count

if TYPE_CHECKING:
    from dedup.report import Report

I64 = npt.NDArray[np.int64]
NAMED = 3  # groups that are named


class Beneath(Struct, frozen=True):
    """What is told beneath a group.

    Attributes:
        groups: Ids of its parts.
        places: Places of the parts that lie in no place of the group; of such that overlap the longest one.
    """

    groups: tuple[int, ...]
    places: tuple[Occurrence, ...]


def leaders(report: Report) -> I64:
    """The group beneath which each group is told, -1 for none."""
    from dedup.findings import GroupList

    if isinstance(report.groups, GroupList):
        return report.groups.part_of()
    return np.array([-1 if group.part_of is None else group.part_of for group in report.groups], np.int64)


def told_alone(report: Report, wasted: I64 | None = None) -> I64:
    """Ids of the groups that are told beneath no other one, the most wasteful first.

    Args:
        wasted: ``all_wasted_chars``, where they are known.
    """
    alone = np.flatnonzero(leaders(report) < 0)
    return alone[ranked((all_wasted_chars(report) if wasted is None else wasted)[alone], len(alone))]


def beneath(report: Report, groups: Iterable[int]) -> dict[int, Beneath]:
    """What is told beneath some groups, where there is anything."""
    led_by = leaders(report)
    found = {}
    for g in groups:
        parts = np.flatnonzero(led_by == g).tolist()
        if parts:
            found[g] = Beneath(tuple(parts), elsewhere(report.groups[g], [report.groups[part] for part in parts]))
    return found


def elsewhere(group: Group, parts: Iterable[Group]) -> tuple[Occurrence, ...]:
    """Places of parts that overlap no place of the group and no longer place of a part; in the order of the pages."""
    taken: dict[str, list[tuple[int, int]]] = {}
    for place in group.occurrences:
        taken.setdefault(place.page, []).append((place.start, place.end))
    candidates = [place for part in parts for place in part.occurrences]
    candidates.sort(key=lambda place: place.start - place.end)
    chosen = []
    for place in candidates:
        known = taken.setdefault(place.page, [])
        if all(place.end <= start or end <= place.start for start, end in known):
            known.append((place.start, place.end))
            chosen.append(place)
    pages = {page: row for row, page in enumerate(dict.fromkeys(place.page for place in candidates))}
    return tuple(sorted(chosen, key=lambda place: (pages[place.page], place.start)))


def parts_words(told: Beneath) -> str:
    """The sentence of it, up to the places.

    >>> parts_words(Beneath((4, 7, 8, 9), ()))
    '4 groups are parts of it (#4, #7, #8 and 1 more)'
    """
    more = f" and {len(told.groups) - NAMED:,} more" if len(told.groups) > NAMED else ""
    names = ", ".join(f"#{group}" for group in told.groups[:NAMED])
    one = len(told.groups) == 1
    where = f", and in {count(len(told.places), 'more place')}" if told.places else ""
    return f"{count(len(told.groups), 'group')} {'is a part' if one else 'are parts'} of it ({names}{more}){where}"


def counted(groups: int, parts: int) -> str:
    """How many groups there are, and how many of them are told beneath others.

    >>> counted(12, 2), counted(1, 0)
    ('10 groups, 2 more told beneath them', '1 group')
    """
    if not parts:
        return count(groups, "group")
    return f"{count(groups - parts, 'group')}, {parts:,} more told beneath {'it' if groups - parts == 1 else 'them'}"
