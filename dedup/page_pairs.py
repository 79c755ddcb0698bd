"""Which pairs of pages count: one page or several (``scope``), new against reference (``against``), unlike in a field
(``between``).

All finders ask the same object. What stands on equal pages only, on one side only, or in one value only is no find.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.errors import OptionError
from dedup.model import Page
from dedup.options import Options
from dedup.readers.reading import host_of

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LISTED = 20  # fields that a message names
OWN_FIELDS = ("host", "folder")  # of every page, where no carried field has that name


class PagePairs(Struct, frozen=True):
    """Which pairs of pages count; all of them unless something is set.

    Attributes:
        within: Only a page and itself.
        side: Side of each page; pages of one side make no pair.
        value: Number of each page's value, -1 for none; pages of one value, and those without, make no pair.
    """

    within: bool = False
    side: npt.NDArray[np.int8] | None = None
    value: I64 | None = None

    @property
    def every(self) -> bool:
        """Whether all pairs count."""
        return not self.within and self.side is None and self.value is None

    def allows(self, a: I64, b: I64) -> Flags:
        """Which pairs of pages count."""
        if self.within:
            same: Flags = a == b
            return same
        allowed: Flags = self.side[a] != self.side[b] if self.side is not None else np.ones(len(a), bool)
        if self.value is not None:
            allowed &= (self.value[a] != self.value[b]) & (self.value[a] >= 0) & (self.value[b] >= 0)
        return allowed

    def partners(self, owner: I64, page: I64, of_owner: I64 | None = None, of_page: I64 | None = None) -> I64:
        """The first place, for each place, of the same owner with which it makes a pair that counts; -1 where there is none.

        Where all pairs count, a place may be its own partner.

        Args:
            owner, page: Of each place.
            of_owner, of_page: Of the places to choose from; the same ones where there are none.
        """
        among = (owner, page) if of_owner is None or of_page is None else (of_owner, of_page)
        if self.within:
            return _beside(owner, page, *among, itself=of_owner is None)
        count = int(owner.max(initial=-1)) + 1
        if among[0] is not owner:
            count = max(count, int(among[0].max(initial=-1)) + 1)
        if self.side is None:
            return self._first_unlike(owner, page, *among, np.arange(len(among[0])), count)
        if self.value is None:  # one table of the first places of both sides
            own = others = self.side[page].astype(np.int64)
            if among[1] is not page:
                others = self.side[among[1]].astype(np.int64)
            first = _first(among[0] + others * count, np.arange(len(others)), 2 * count)
            partner: I64 = first[owner + (1 - own) * count]
            return partner
        found = np.full(len(owner), -1, np.int64)
        for side in (0, 1):
            rows, asking = np.flatnonzero(self.side[among[1]] == side), self.side[page] != side
            chosen = self._first_unlike(owner, page, *among, rows, count)
            found[asking] = chosen[asking]
        return found

    def _first_unlike(self, owner: I64, page: I64, of_owner: I64, of_page: I64, rows: I64, count: int) -> I64:
        """The first of the rows of each owner that has another value."""
        if self.value is None:
            return _first(of_owner, rows, count)[owner]
        mine, values = self.value[page], self.value[of_page]
        rows = rows[values[rows] >= 0]
        one = _first(of_owner, rows, count)
        two = _first(of_owner, rows[values[rows] != values[one[of_owner[rows]]]], count)
        chosen = one[owner]
        taken: I64 = np.where((chosen >= 0) & (values[chosen] == mine), two[owner], chosen) if len(values) else chosen
        return np.where(mine >= 0, taken, -1)


def _first(owner: I64, rows: I64, count: int) -> I64:
    """The first of the rows of each owner, -1 where there is none."""
    first = np.full(count, -1, np.int64)
    first[owner[rows[::-1]]] = rows[::-1]
    return first


def _beside(owner: I64, page: I64, of_owner: I64, of_page: I64, itself: bool) -> I64:
    """The first place of the same owner on the same page, of those to choose from; another one where they are the same."""
    pages = int(max(page.max(initial=-1), of_page.max(initial=-1))) + 1
    both = np.concatenate([of_owner * pages + of_page, owner * pages + page])
    number = np.unique(both, return_inverse=True)[1]
    key, mine, rows = number[:len(of_owner)], number[len(of_owner):], np.arange(len(of_owner))
    one = _first(key, rows, len(both))
    if not itself:
        return one[mine]
    two = _first(key, rows[one[key] != rows], len(both))
    return np.where(one[mine] == rows, two[mine], one[mine])


def page_pairs(pages: Sequence[Page], references: int | None, options: Options, fields: Iterable[str] = ()) -> PagePairs:
    """Which pairs of pages the settings ask for.

    Args:
        references: Pages that are compared against: so many, the first ones; ``None`` where the pages are compared with
            each other.
        fields: Names of fields that records have, whether carried or not: for messages.

    Raises:
        OptionError: No page has a value of ``between``.
    """
    if options.scope == "within":
        return PagePairs(within=True)
    side, value = None, None
    if references is not None:
        side = (np.arange(len(pages)) >= references).astype(np.int8)
    if options.between is not None:
        value = page_values(pages, options.between)
        if len(pages) and not (value >= 0).any():
            raise _no_value(pages, options.between, fields)
    elif options.scope == "across" and side is None:
        value = np.arange(len(pages))
    return PagePairs(side=side, value=value)


def page_values(pages: Iterable[Page], field: str) -> I64:
    """Numbers of the pages' values of a field: equal ones for equal values, -1 where a page has none."""
    numbers: dict[str, int] = {}
    values = (page_value(page, field) for page in pages)
    return np.array([numbers.setdefault(value, len(numbers)) if value else -1 for value in values], np.int64)


def page_value(page: Page, field: str) -> str:
    """A page's value of a carried field, or of ``host`` or ``folder``; empty where it has none.

    Numbers, lists and the like are their JSON, so that a table of text and one of numbers agree.

    >>> page_value(Page("a", "", "b/c.txt", meta={"year": 1851}), "year"), page_value(Page("a", "", "b/c.txt"), "folder")
    ('1851', 'b')
    """
    value = page.meta.get(field)
    if value is not None and value != "":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    if field == "host":
        return host_of(page.url)
    if field == "folder" and page.source and page.source != "-" and not page.source.startswith("input["):
        return str(PurePosixPath(page.source).parent)
    return ""


def _no_value(pages: Sequence[Page], field: str, fields: Iterable[str]) -> OptionError:
    """The error for a field that no page has."""
    there = dict.fromkeys([*fields, *(name for page in pages for name in page.meta)])
    there.pop(field, None)
    there |= dict.fromkeys(name for name in OWN_FIELDS if any(page_value(page, name) for page in pages))
    listed = ", ".join([*map(_shown, list(there)[:LISTED]), *(["..."] if len(there) > LISTED else [])])
    return OptionError(f"no page has the field {_shown(field)}", "between",
                       f"There are: {listed}." if there else "The pages have no fields.")


def _shown(name: Any) -> str:
    return str(name) if str(name).isidentifier() else repr(str(name))
