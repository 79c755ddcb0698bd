"""Removals in words: why something went, what stays for it, what a dry run would take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dedup.cleaning.decide import BETWEEN, NEAR, PLACE, RUN, WHOLE_PAGE
from dedup.cleaning.manifest import Manifest, Place, Removed
from dedup.errors import InputError
from dedup.report.text import percent

BECAUSE = {
    "rendered-twice": "it is a second rendering: the section stands on its page again, in order",
    "navigation": "it is a menu that stands on its page again",
    "template": "it is part of the template that the pages of its site share",
    "shared": "it also stands on another page",
    "copy-of": "the whole page is a copy of another one",
    "teaser": "it is a teaser: the opening of a text on the same page, or a link to it",
    "refrain": "it is repeated on its page",
}
_NUMBER = re.compile(r"#?([0-9]+)\Z")
_HEAD = re.compile(r"    \| |    |-|@@ |  ")  # of a line that is told
_PLACE = re.compile(r"(?P<page>.+):(?P<line>[0-9]+)\Z")


def find_removals(manifest: Manifest, place: str) -> list[Removed]:
    """The removals that a place means: ``#17`` or ``17`` (a number), a page's id, a file, or a line of one: ``page.html:23``.

    Raises:
        InputError: Nothing went there, or it means several things; the message says what there is.
    """
    everything = list(manifest.removals())

    def of(name: str) -> list[Removed]:
        return [removal for removal, begin in everything if name in (removal.place.page, begin.name, begin.source)]
    here = of(place)
    number, found = _NUMBER.match(place), _PLACE.match(place)
    numbered = int(number[1]) if number else -1
    if here and 0 <= numbered < len(everything) and not (len(here) == 1 and here[0].number == numbered):
        raise InputError(f"{place} is a page's id and a removal's number", str(manifest.path),
                         f"Say '#{number[1]}' for the removal, '{place}:LINE' for the page."
                         if number and place == number[1] else "")
    if here:
        return here
    if number:
        if numbered < len(everything):
            return [everything[numbered][0]]
        raise InputError(f"there is no removal {number[1]}; there are {len(everything)}, from 0", str(manifest.path))
    if found and (mine := of(found["page"])):
        line = int(found["line"])
        if here := [removal for removal in mine if removal.place.line <= line <= removal.place.end_line]:
            return here
        lines = ", ".join(where(removal.place, short=True) for removal in mine[:10])
        raise InputError(f"nothing was removed from line {line} of {found['page']}", str(manifest.path),
                         f"Removed: {lines}.")
    pages = list(dict.fromkeys(removal.place.page for removal, _ in everything))
    some = ", ".join(pages[:10]) + (f" and {len(pages) - 10:,} more" if len(pages) > 10 else "")
    raise InputError(f"nothing was removed from {place!r}", str(manifest.path),
                     f"Pages with removals: {some or 'none'}.")


def explained(removal: Removed, choices: dict[str, object]) -> Iterator[str]:
    """Lines that say why something went and what matched."""
    yield f"#{removal.number}  {where(removal.place)} was removed: {BECAUSE.get(removal.verdict, removal.verdict)}."
    stays = f"{where(removal.kept)} stays"
    if removal.rule == BETWEEN:
        yield (f"    It stood between parts of a section that was removed, and would be left there without it; the same "
               f"words stay in {where(removal.kept)}.")
    elif removal.rule == NEAR:
        yield (f"    {stays}. The two differ in some words: similarity {removal.similarity:.3f}, "
               f"jaccard {removal.jaccard:.3f}; the text that was lost is below.")
    elif removal.similarity < 1.0:
        yield f"    {stays}; as sets of shingles the two pages are {percent(removal.jaccard)} alike."
    else:
        yield f"    {stays}: the same words, {removal.place.end - removal.place.start:,} characters."
    rules = {RUN: "second renderings are removed", PLACE: f"one copy of {removal.verdict} passages stays",
             WHOLE_PAGE: "duplicate pages are removed"}
    if removal.rule in rules:
        settings = f"--for {choices.get('for', 'readers')}, --keep {choices.get('keep', 'first')}"
        yield f"    Rule: {rules[removal.rule]} ({settings})."
    for start, end, reason in removal.left:
        yield f"    Characters {start}-{end} of it were kept after all: {reason}."
    yield from (f"    | {line}" for line in removal.text.splitlines() or [""])


def where(place: Place, short: bool = False) -> str:
    """A place for a person."""
    lines = f"line {place.line}" if place.line == place.end_line else f"lines {place.line}-{place.end_line}"
    if short:
        return lines
    file = f" of {place.file}" if place.file else ""
    path = f" ({place.path})" if place.path else ""
    return f"{place.page}, {lines}{file}{path}"


def wrapped(line: str, width: int) -> Iterator[str]:
    """A line of the above in lines of at most `width` cells, what hangs over indented.

    >>> list(wrapped("    | one two three", 13)), list(wrapped("-one two three", 9))
    (['    | one two', '    | three'], ['-one two', ' three'])
    """
    from rich.console import Console
    from rich.text import Text

    head = _HEAD.match(line)
    start = head[0] if head else ""
    follow = start if "|" in start else " " * len(start)
    room = max(width - len(start), 8)
    for row, part in enumerate(Text(line[len(start):]).wrap(Console(width=room), room, overflow="fold")):
        yield (follow if row else start) + part.plain.rstrip()


def differences(removals: Iterable[Removed]) -> Iterator[str]:
    """What goes, page by page, as a diff."""
    page = None
    for removal in removals:
        if removal.place.page != page:
            page = removal.place.page
            yield f"--- {page}"
        yield f"@@ {where(removal.place, short=True)}: {removal.verdict}, {removal.rule}; stays: {where(removal.kept)} @@"
        yield from (f"-{line}" for line in removal.text.splitlines())
        for start, end, reason in removal.left:
            yield f"  characters {start}-{end} stay: {reason}"
