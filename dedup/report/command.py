"""The command that makes a report again, as far as a report knows it: settings that were changed, and where it read."""

from __future__ import annotations

import itertools
import os
import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dedup.model import PageReport
    from dedup.options import Options
    from dedup.report import Report

LEFT_OUT = ("pairs", "with_text")  # they change what is written, not what is found
LOOKED_AT = 10_000  # pages whose sources are looked at


def changed_settings(options: Options, is_comparison: bool = False) -> list[tuple[str, Any]]:
    """Names and values of the settings that are not the defaults and change what is found."""
    find = {"find": "reworded"} if is_comparison else {}
    defaults = type(options)(unit=options.unit, **find)  # type: ignore[arg-type]
    own, usual = options.results(), defaults.results() | {"unit": "block"}
    return [(name, value) for name, value in own.items() if value != usual[name] and name not in LEFT_OUT]


def command_of(report: Report) -> str | None:
    """A line for a shell; ``None`` where the pages came from no file (texts that a program handed over)."""
    heads: Iterable[PageReport] = getattr(report.pages, "heads", report.pages)
    looked_at = list(itertools.islice(heads, LOOKED_AT))
    places = _common(page.source for page in looked_at if not page.reference)
    references = _common(page.source for page in looked_at if page.reference)
    if report.is_comparison and len(looked_at) == 2:
        places = [page.source for page in looked_at]
    if not places or not all(map(_is_place, [*places, *references])):
        return None
    words = ["dedup", "compare" if report.is_comparison else "scan", *map(_argument, places)]
    for place in references:
        words += ["--against", place]
    for name, value in changed_settings(report.options, report.is_comparison):
        flag = "--" + name.replace("_", "-")
        for one in value if isinstance(value, list) else [value]:
            words += [flag] if one is True else [flag, str(one)]
    return shlex.join(words)


def _common(sources: Iterable[str]) -> list[str]:
    """The one file, or the folder that holds all."""
    every = list(dict.fromkeys(sources))
    if len(every) < 2:
        return every
    folder = _folder(every)
    return [folder] if folder else []


def _folder(sources: Sequence[str]) -> str:
    try:
        return os.path.commonpath([os.path.dirname(source) or "." for source in sources])
    except ValueError:  # places on several drives
        return ""


def _argument(place: str) -> str:
    return f"./{place}" if place.startswith("-") else place


def _is_place(source: str) -> bool:
    """Whether a source can be a path: texts and standard input have none."""
    return bool(source) and "\0" not in source and not source.startswith(("input[", "<")) and source != "-"


__all__ = ["changed_settings", "command_of"]
