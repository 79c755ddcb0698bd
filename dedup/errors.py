"""Errors that say what went wrong, where, and how to mend it."""

from __future__ import annotations


class DedupError(Exception):
    """Base of all errors that this package raises on purpose.

    The message is made from the arguments, so an error survives pickling to and from worker processes.

    Args:
        what: What is wrong.
        where: File, line, page id or setting that it concerns; may be empty.
        mend: How to mend it; may be empty.
    """

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        super().__init__(what, where, mend)
        self.what, self.where, self.mend = what, where, mend

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}. {self.mend}" if self.mend else head


class OptionError(DedupError, ValueError):
    """A setting out of its range, or settings that do not go together."""


def check_whole(value: object, name: str, least: int, most: int, range_of: str = "") -> None:
    """See that a setting is a whole number in its range.

    Args:
        range_of: The range in words; empty: from `least` to `most`.

    Raises:
        OptionError: It is not.
    """
    if not hasattr(value, "__index__") or isinstance(value, bool) or not least <= value.__index__() <= most:
        raise OptionError(f"{value!r} is out of range", name, f"Use {range_of or f'{least} to {most}'}, a whole number.")


class InputError(DedupError):
    """Input that cannot be used at all: a path that does not exist, nothing usable in it."""


class MissingExtraError(DedupError, ImportError):
    """A format needs an optional library that is not installed; the message names the extra."""


def how_to_install(extra: str, package: str) -> str:
    """How to get an optional library, from a checkout or anywhere."""
    return f"Install it with: pip install {package} (in a checkout of dedup: pip install '.[{extra}]')."


class OutputError(DedupError):
    """A report that cannot be written."""


class GuardError(DedupError):
    """A guard that was asked for spoke, before anything was written: more would go than may."""


class SketchMismatchError(DedupError, ValueError):
    """Two sketches made by different recipes were compared or merged."""


class DamagedIndexError(InputError):
    """A record of an index is not what was stored, or is missing.

    Args:
        what: Which record.
        where: The index.
    """

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        super().__init__(what, where, mend or "Find out how much with: dedup index verify. Save what is whole with: dedup "
                         "index rebuild.")


class BusyIndexError(DedupError):
    """Another process or thread writes to the index, for longer than was to be waited."""
