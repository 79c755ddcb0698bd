"""What was left out or could not be read whole, in words for a reader: how much, why, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from msgspec import Struct

from dedup.readers.notes import IN_LIST
from dedup.report.gather import heads_of
from dedup.report.text import count, with_flags

if TYPE_CHECKING:
    from dedup.model import ReadError, Skipped
    from dedup.report import Report

# Reasons as readers note them, in a reader's words. What is not here says it well enough.
PLAIN = {
    "text field missing": "no field that holds a text",
    "text is no string": "the text is something else, such as a list or a number",
    "record is no object": "bare values, without fields",
    "item is no page": "neither a text nor a mapping nor a page",
    "binary file": "no text, but a picture, an archive or the like",
    "empty file": "empty",
    "empty body": "empty",
    "hidden file": "hidden, as the name begins with a dot",
    "hidden folder": "hidden, as the name begins with a dot",
    "named twice": "named twice, and read once",
    "folder reached twice (link)": "a link to what is read already",
    "link to a place that is read anyway": "a link to what is read already",
    "unreadable file": "cannot be opened",
    "unreadable folder": "cannot be opened",
}
_OF_RECORDS = ("WARC record", "HTTP status", "no HTTP response", "neither HTML nor text", "empty body", "body cannot",
               "text is no string", "record is no object", "item is no page", "row is not valid")
NAMED = 1_000  # pages whose places are looked at for the folder that all have in common
_DONE = re.compile(r"[,;]\s+(?:(?:row|line|file|page) )?skipped\Z")
_SUMMED = re.compile(r"… and ([\d,]+) more lines? like this \((.*)\)\Z")


class Trouble(Struct, frozen=True):
    """What was left out, or read with a fault, for one reason.

    Attributes:
        what: ``14 records were left out``; empty of a fault that cost nothing whole.
        why: The reason, in words.
        places: Files (shortest names, full names) and lines in them; some of all places.
        hidden: How many more places there are.
        is_note: Nothing of it was lost.
    """

    what: str
    why: str
    places: tuple[tuple[str, str, tuple[int, ...]], ...]
    hidden: int = 0
    is_note: bool = False


def plain_reason(reason: str) -> str:
    """The reason why something was skipped, in a reader's words.

    >>> plain_reason("binary file"), plain_reason("HTTP status 404")
    ('no text, but a picture, an archive or the like', 'HTTP status 404')
    """
    return with_flags(PLAIN.get(reason, reason))


def troubles(report: Report) -> list[Trouble]:
    """All that was not compared, by reason: what was lost first, then faults of what was read all the same."""
    short = _short_names(report)
    messages = {_place(error): error.message for error in report.errors}
    told = [_lost(entry, messages, short) for entry in report.skipped]
    done = {place for entry in report.skipped for place in entry.examples}
    said = {_DONE.sub("", messages[place]) for place in done if place in messages}
    return told + list(_faults(report.errors, done, said, {entry.reason for entry in report.skipped}, short))


def _lost(entry: Skipped, messages: Mapping[str, str], short: Mapping[str, str]) -> Trouble:
    """What a reason cost; the message of its examples says it best, where they have one in common."""
    own = {_DONE.sub("", messages.get(place, "")) for place in entry.examples}
    [why] = own if len(own) == 1 else [""]
    verb = "was" if entry.count == 1 else "were"
    why = why or plain_reason(entry.reason)
    return Trouble(f"{count(entry.count, _noun(entry))} {verb} left out", with_flags(why), _grouped(entry.examples, short),
                   entry.count - len(entry.examples))


def _noun(entry: Skipped) -> str:
    if "folder" in entry.reason:
        return "folder"
    if entry.reason.endswith("so in no pair"):
        return "page"
    record = entry.reason.startswith(_OF_RECORDS) or any(_split(place)[1] or IN_LIST.fullmatch(place)
                                                             for place in entry.examples)
    return "record" if record else "file"


def _faults(errors: Iterable[ReadError], done: set[str], said: set[str], reasons: set[str],
            short: Mapping[str, str]) -> Iterator[Trouble]:
    """Errors that are not told with what they cost, those with the same message together."""
    kinds: dict[tuple[str, bool], list[str]] = {}
    for error in errors:
        summed = _SUMMED.match(error.message)
        message = _DONE.sub("", error.message)
        if _place(error) not in done and message not in said and not (summed and summed[2] in reasons):
            kinds.setdefault((message, error.is_note), []).append(_place(error))
    for (message, is_note), places in kinds.items():
        yield Trouble("", with_flags(message), _grouped(places, short), is_note=is_note)


def _place(error: ReadError) -> str:
    return f"{error.source}:{error.line}" if error.line else error.source


def _split(place: str) -> tuple[str, int]:
    """The file of a place, and its line; 0 for none."""
    source, colon, line = place.rpartition(":")
    return (source, int(line)) if colon and source and line.isdecimal() else (place, 0)


def _grouped(places: Iterable[str], short: Mapping[str, str]) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """Places by file, in order."""
    lines: dict[str, list[int]] = {}
    for place in places:
        source, line = _split(place)
        lines.setdefault(source, []).extend([line] if line else [])
    return tuple((short.get(source, source), source, tuple(own)) for source, own in lines.items())


def _short_names(report: Report) -> dict[str, str]:
    """Names of the files in trouble without the folder that everything has in common."""
    files = [_split(place)[0] for entry in report.skipped for place in entry.examples]
    files += [error.source for error in report.errors]
    pages = [page.source for page in islice(heads_of(report), NAMED)]
    folder = _common_folder([*files, *pages])
    return {file: file[len(folder):] for file in files}


def _common_folder(files: Sequence[str]) -> str:
    """The folder that all files have in common, with a slash behind; may be empty.

    >>> _common_folder(["a/b/c.txt", "a/b/d/e.txt"]), _common_folder(["a.txt", "b/c.txt"])
    ('a/b/', '')
    """
    common = files[0].split("/")[:-1] if files else []
    for file in files:
        pairs = zip(common, file.split("/")[:-1], strict=False)
        common = [step for step, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
    return "".join(f"{step}/" for step in common)


def place_words(trouble: Trouble, places: int = 3, lines: int = 6) -> str:
    """Where it is: ``content.json lines 2, 72, 138 and 11 more``.

    >>> place_words(Trouble("", "", (("a.json", "x/a.json", (2, 72)), ("b.json", "x/b.json", ())), 3))
    'a.json lines 2, 72; b.json and 3 more'
    """
    parts, hidden = [], trouble.hidden
    for name, _, own in trouble.places[:places]:
        shown = ", ".join(f"{line:,}" for line in own[:lines])
        parts.append(f"{name} line{'s' if len(own) > 1 else ''} {shown}" if own else name)
        hidden += max(len(own) - lines, 0)
    hidden += sum(max(len(own), 1) for _, _, own in trouble.places[places:])
    return "; ".join(parts) + (f" and {hidden:,} more" if hidden and parts else "")


__all__ = ["Trouble", "place_words", "plain_reason", "troubles"]
