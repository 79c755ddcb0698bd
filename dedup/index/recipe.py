"""The recipe of an index: the settings and schemes that its keys and answers were made by."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from dedup.errors import DamagedIndexError, OptionError
from dedup.index.keys import LEVELS, SCHEME
from dedup.kernel import kernel
from dedup.options import Options, make_options

FORMAT = 2  # of the file; raise when an older dedup cannot read it. 2: texts may be packed to be quickly unpacked
DEFAULT_LEVELS = ("block", "passage")
NOT_STORED = {  # settings that an index cannot keep, and why
    "unit": "an index keeps levels: use levels",
    "exhaustive": "an index is looked up by sketches",
    "scope": "a page is compared with the stored ones",
    "between": "a page is compared with all stored ones",
    "checkpoint": "what is added is kept as it goes",
}
GIVEN_LATER = {"run", "report"}  # groups of settings that do not belong to what is stored


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """What an index is made by.

    Attributes:
        levels: Of ``LEVELS``, in that order.
        options: Settings; those of the groups "run" and "report" are not kept.
        sketch: Scheme of the sketches.
    """

    levels: tuple[str, ...]
    options: Options
    sketch: str = "fss64"

    @property
    def quick(self) -> bool:
        """Texts are packed to be quickly unpacked: many are looked at for one page. Level page looks at few."""
        return self.levels != ("page",)

    def pack(self) -> bytes:
        """As it is stored."""
        return msgspec.json.encode({"format": FORMAT, "levels": self.levels, "options": _kept(self.options),
                                    "sketch": self.sketch, "keys": SCHEME, "tables": unicode_tables()})

    @classmethod
    def unpack(cls, data: bytes) -> Recipe:
        """As it was stored.

        Raises:
            DamagedIndexError: It is none.
            OptionError: It was made by other schemes than this version knows.
        """
        try:
            stored: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
            if (stored["keys"], stored["tables"]) != (SCHEME, unicode_tables()):
                raise OptionError("this dedup cuts words or makes keys in another way than the one that made it", "index",
                                  "Make it anew with: dedup index rebuild.")
            levels = tuple(stored["levels"])
            if not levels or set(levels) - set(LEVELS):
                raise ValueError("levels")
            return cls(levels, make_options(stored["options"], "Index"), str(stored["sketch"]))
        except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, OptionError) and error.where == "index":
                raise
            raise DamagedIndexError("the recipe cannot be read") from error


@functools.cache
def unicode_tables() -> str:
    """A digest of the tables by which text is normalised and cut into words."""
    compiled: str | None = getattr(kernel, "tables_digest", None)
    if compiled is not None:
        return compiled
    from dedup.kernel.twin_tokens import tables

    return tables().digest


def stored_settings(data: bytes) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Levels and settings of a stored recipe, of whatever schemes.

    Raises:
        DamagedIndexError: It is none.
    """
    try:
        stored: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
        return tuple(stored["levels"]), dict(stored["options"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise DamagedIndexError("the recipe cannot be read") from error


def _kept(options: Options) -> dict[str, Any]:
    """The settings that are stored: those that are not as they would be anyway."""
    return {field.name: list(value) if isinstance(value, tuple) else value for field in dataclasses.fields(Options)
            if field.metadata["group"] not in GIVEN_LATER and field.name not in NOT_STORED
            and (value := getattr(options, field.name)) != field.default}


def make_recipe(levels: Iterable[str] | str | None, settings: Mapping[str, Any]) -> Recipe:
    """A recipe of what somebody asks for.

    Raises:
        OptionError: A level that there is not, or a setting that an index cannot keep.
        TypeError: A setting that there is not.
    """
    asked = DEFAULT_LEVELS if levels is None else (levels,) if isinstance(levels, str) else tuple(levels)
    asked = tuple(part.strip() for level in asked for part in str(level).split(",") if part.strip())
    for level in asked:
        if level not in LEVELS:
            raise OptionError(f"{level!r} is not one of {', '.join(LEVELS)}", "levels")
    if not asked:
        raise OptionError("no level is named", "levels", f"Name some of {', '.join(LEVELS)}.")
    groups = {field.name: field.metadata["group"] for field in dataclasses.fields(Options)}
    defaults = {field.name: field.default for field in dataclasses.fields(Options)}
    for name, value in settings.items():
        if name in NOT_STORED and value != defaults[name]:
            raise OptionError(f"{NOT_STORED[name]}", name, "Leave it out.")
        if groups.get(name) == "report" and value != defaults[name]:
            raise OptionError("belongs to a report, not to what is stored", name, "Give it to check.")
    kept = {name: value for name, value in settings.items() if groups.get(name) not in GIVEN_LATER}
    options = make_options(kept, "Index.create")
    return Recipe(tuple(level for level in LEVELS if level in asked), options)
