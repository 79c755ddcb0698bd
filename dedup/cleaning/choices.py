"""The settings of ``clean``: what goes, which copy stays, how much may go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from dedup.corpus import Corpus
from dedup.errors import OptionError
from dedup.model import Page, VerdictKind
from dedup.profiles import Audience

I64 = npt.NDArray[np.int64]

What = Literal["exact", "near"]
Drop = Literal["passages", "pages"]
Keep = str | Callable[[Page], Any]

TAKEN: dict[Audience, tuple[VerdictKind, ...]] = {
    "readers": ("rendered-twice", "navigation"),  # of menus only copies for other devices
    "docs": ("rendered-twice", "navigation"),
    "corpus": ("rendered-twice", "navigation", "template", "shared", "copy-of"),
    "reuse": ("shared", "copy-of"),
}
GUARDED_PAGES, GUARDED_SHARE = 10, 0.5  # of so many pages not more than that goes, unless ``max_removed`` says else


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What ``clean`` takes away.

    Attributes:
        for_: ``readers``, ``docs``: second renderings, menus for other devices; ``corpus``: also navigation, templates,
            shared passages but one, duplicate pages; ``reuse``: shared passages but one, duplicate pages. Where ``clean``
            makes the options of the scan itself, it makes them with the profile of this name.
        what: ``exact``: word for word copies only; ``near``: near copies too (the manifest holds what was lost).
        drop: ``passages``: copies are cut out of their pages; ``pages``: nothing is cut, whole duplicate pages go.
        keep: Which copy stays: ``first`` in the one order, ``longest`` page, ``FIELD:min`` or ``FIELD:max`` of a
            carried field; or a function of a page (without its text) of whose values the least stays.
        verdicts: Verdicts that are taken, in place of those of `for_`; empty for those.
        max_removed: Share of the characters that may go; ``None``: half, from ten pages up.
    """

    for_: Audience = "readers"
    what: What = "exact"
    drop: Drop = "passages"
    keep: Keep = "first"
    verdicts: tuple[VerdictKind, ...] = ()
    max_removed: float | None = None

    def __post_init__(self) -> None:
        for name, kind in (("for_", Audience), ("what", What), ("drop", Drop)):
            if getattr(self, name) not in get_args(kind):
                raise OptionError(f"{getattr(self, name)!r} is not one of {', '.join(get_args(kind))}", name.rstrip("_"))
        unknown = [name for name in self.verdicts if name not in get_args(VerdictKind)]
        if unknown:
            raise OptionError(f"{unknown[0]!r} is no verdict; there are: {', '.join(get_args(VerdictKind))}", "verdicts")
        if self.max_removed is not None and not 0.0 <= self.max_removed <= 1.0:
            raise OptionError(f"{self.max_removed} is out of range", "max_removed", "Use 0.0 to 1.0, or 0% to 100%.")
        if isinstance(self.keep, str) and self.keep not in ("first", "longest"):
            field, _, end = self.keep.rpartition(":")
            if not field or end not in ("min", "max"):
                raise OptionError(f"{self.keep!r} is no rule", "keep", "Use first, longest, FIELD:min or FIELD:max.")

    @property
    def taken(self) -> frozenset[VerdictKind]:
        """The verdicts whose copies go."""
        if self.drop == "pages":
            return frozenset(["copy-of"])
        return frozenset(self.verdicts or TAKEN[self.for_])

    @property
    def all_menus(self) -> bool:
        """Whether menus go that are no copies for other devices, too."""
        return bool(self.verdicts) or self.for_ == "corpus"

    @property
    def field(self) -> str | None:
        """The carried field that `keep` asks for."""
        if not isinstance(self.keep, str) or self.keep in ("first", "longest"):
            return None
        return self.keep.rpartition(":")[0]

    def recorded(self) -> dict[str, Any]:
        """The choices as the manifest records them."""
        keep = self.keep if isinstance(self.keep, str) else f"function {getattr(self.keep, '__name__', 'of the caller')}"
        return {"for": self.for_, "what": self.what, "drop": self.drop, "keep": keep,
                "verdicts": sorted(self.taken), "max_removed": self.max_removed}


def ranks(corpus: Corpus, keep: Keep) -> I64:
    """A number of each page: of several copies the one on the page with the least number stays.

    Raises:
        OptionError: No page has the field that is asked for.
    """
    count = len(corpus.pages)
    if keep == "first":
        return np.arange(count)
    if keep == "longest":
        words = np.diff(corpus.halves_before[corpus.page_first])
        order = sorted(range(count), key=lambda p: (-int(words[p]), p))
    elif isinstance(keep, str):
        field, _, end = keep.rpartition(":")
        order = _by_field([page.meta.get(field) for page in corpus.pages], end == "max", field)
    else:
        values = [keep(page) for page in corpus.pages]
        order = sorted(range(count), key=lambda p: values[p])
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    return rank


def _by_field(values: list[Any], largest: bool, field: str) -> list[int]:
    """Pages by a field's value, those without one last; numbers as numbers, everything else as text."""
    if values and all(value is None for value in values):
        raise OptionError(f"no page has the field {field!r}", "keep",
                          "Name a field that records have; from Python carry it with meta=.")
    values = [None if str(value).strip().lower() in ("", "nan") else value for value in values]
    known = [p for p, value in enumerate(values) if value is not None]
    numbers = {p: _number(values[p]) for p in known}
    keys: dict[int, Any] = {p: str(values[p]) for p in known} if None in numbers.values() else numbers
    order = sorted(known, key=keys.__getitem__, reverse=largest)  # among equals the first one, either way
    return order + [p for p, value in enumerate(values) if value is None]


def _number(value: Any) -> int | float | None:
    for kind in (int, float):
        try:
            number = kind(value)
        except (TypeError, ValueError, OverflowError):
            continue
        if kind is float or isinstance(value, (str, int)):
            return number
    return None
