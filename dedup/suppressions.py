"""What is kept out of reports on purpose, and whether that still hides anything: comments, patterns, the baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dedup.baseline import Baseline
from dedup.options import Options
from dedup.report.gather import heads_of, matched_text, wasted_chars
from dedup.report.text import count, one_line

if TYPE_CHECKING:
    from dedup.model import Group, Occurrence
    from dedup.readers.leave_out import Ignored
    from dedup.report import Report

SuppressionKind = Literal["comment", "exclude", "baseline"]


@dataclass(frozen=True, slots=True)
class Suppression:
    """One thing that hides what is found.

    Attributes:
        kind: ``comment``: a ``dedup:ignore`` in a page; ``exclude``: a pattern of that setting; ``baseline``: an entry of it.
        where: File and line, or the pattern.
        hides: Passages (of ``exclude``: files) that it hides; 0: it is not needed any more.
        chars: Characters that repeat there; of ``exclude`` 0.
        text: The beginning of a passage that it hides, or of what it was made for.
        reason, date: What whoever wrote it says.
        note: What is odd about it, or nothing.
    """

    kind: SuppressionKind
    where: str
    hides: int
    chars: int
    text: str = ""
    reason: str = ""
    date: str = ""
    note: str = ""

    def __str__(self) -> str:
        what = count(self.hides, "file" if self.kind == "exclude" else "passage") if self.hides else "nothing any more"
        size = f", {count(self.chars, 'character')} repeated" if self.chars else ""
        quoted = f': "{one_line(self.text, 60)}"' if self.text else ""
        why = "; ".join(filter(None, (self.reason, self.date, self.note)))
        return f"{self.where}: hides {what}{size}{quoted}{f' ({why})' if why else ''}"


def find_suppressions(places: Sequence[Path], options: Options, baseline: Path | None = None) -> list[Suppression]:
    """What the comments in pages, the patterns of ``exclude`` and the entries of a baseline hide.

    Args:
        places: Files and folders, as they are scanned.
        options: Settings of the scan; it compares what is ignored, too.
        baseline: File of the passages that are known.

    Raises:
        InputError, OptionError: As ``scan`` does, and ``Baseline.read``.
    """
    from dedup.api import open_places, scan

    known = None if baseline is None else Baseline.read(baseline)
    every = dataclasses.replace(options, ignored_too=True)
    stream = open_places(list(places), every)
    report = scan(stream, options=every)
    named = _named(report, stream.ignored)
    return [*_comments(report, named), *_patterns(places, options),
            *(() if known is None else _entries(report, known, baseline, named))]


def _named(report: Report, ignored: Sequence[tuple[str, str, Ignored]]) -> list[tuple[str, str, Ignored]]:
    """Page, source and comment: what is ignored, with the ids that the report has."""
    ids: dict[str, list[str]] = {}
    for page in heads_of(report) if ignored else ():
        ids.setdefault(page.source, []).append(page.id)
    return [(name if name in ids.get(source, ()) else next(iter(ids.get(source, ())), name), source, comment)
            for name, source, comment in ignored]


def _comments(report: Report, ignored: Sequence[tuple[str, str, Ignored]]) -> Iterator[Suppression]:
    """What each comment hides: the groups that have a place in what it leaves out."""
    of_page: dict[str, list[tuple[int, int, Group]]] = {}
    for group in report.groups if ignored else ():
        for o in group.occurrences:
            if o.source_start is not None and o.source_end is not None:
                of_page.setdefault(o.page, []).append((o.source_start, o.source_end, group))
    for page_id, source, comment in ignored:
        hidden = {group.id: group for start, end, group in of_page.get(page_id, ())
                  if start < comment.end and end > comment.start}
        groups = list(hidden.values())
        yield Suppression("comment", f"{source}:{comment.line}", len(groups), sum(map(wasted_chars, groups)),
                          matched_text(groups[0].occurrences[0]) if groups else "", comment.reason,
                          note="dedup:ignore-start without an end: all that follows" if comment.open else comment.wrong)


def _patterns(places: Sequence[Path], options: Options) -> Iterator[Suppression]:
    """How many files each pattern keeps out."""
    from dedup.readers.files import find, matcher
    from dedup.readers.notes import Notes

    if not options.exclude:
        return
    names = [found.name for found in find(list(places), options.include, (), Notes())]
    for pattern in options.exclude:
        one: Any = matcher([pattern])
        matched = [name for name in names if one.match_file(name)]
        yield Suppression("exclude", f"--exclude {pattern}", len(matched), 0, matched[0] if matched else "")


def _entries(report: Report, known: Baseline, path: Path | None,
             ignored: Sequence[tuple[str, str, Ignored]]) -> Iterator[Suppression]:
    """What each entry of a baseline hides; places that a comment leaves out do not make a passage more than is known."""
    from dedup.gates import fingerprint_of

    of_page: dict[str, list[Ignored]] = {}
    for page_id, _, comment in ignored:
        of_page.setdefault(page_id, []).append(comment)

    def compared(o: Occurrence) -> bool:
        return not any(o.source_start is not None and comment.start <= o.source_start < comment.end
                       for comment in of_page.get(o.page, ()))

    hidden: dict[int, list[Group]] = {}
    for group in report.groups:
        copies = sum(o.copies for o in group.occurrences if compared(o))
        number = known.entry_of(fingerprint_of(group), copies)
        if number is not None and copies <= known.entries[number].copies:
            hidden.setdefault(number, []).append(group)
    for number, entry in enumerate(known.entries):
        groups = hidden.get(number, [])
        yield Suppression("baseline", f"{path}: {str(entry.fingerprint)[:10]}", len(groups), sum(map(wasted_chars, groups)),
                          entry.text, entry.reason, entry.date)
