"""The report as a SARIF 2.1.0 log, for code hosts and editors: one result for each text that stands more than once.

A result is charged to one place: the later copy, or where it is known what was changed, a changed place. The others are
related locations. Its fingerprint is made from the text alone, so it stays when lines move. docs/formats.md describes it.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from dedup.model import Kind, Verdict, unread
from dedup.report.beneath import elsewhere, leaders
from dedup.report.fingerprint import fingerprint
from dedup.report.gather import all_wasted_chars, each_page, matched_text, ranked, reference_ids, some_groups
from dedup.report.json import encode
from dedup.report.locations import Region, Root, Sources
from dedup.report.sarif_rules import NOTIFICATIONS, RULES
from dedup.report.tables import Places
from dedup.report.text import count, one_line, percent, safe, with_flags
from dedup.report.troubles import plain_reason

if TYPE_CHECKING:
    from dedup.model import Group, Occurrence, PageReport
    from dedup.report import Report
    from dedup.report.formats import How

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "dedupText/v1"
BASE = "SRCROOT"
MAX_RESULTS = 5_000  # code hosts show no more
MAX_RELATED = 50  # other places of one result
MAX_NOTIFICATIONS = 1_000
TOGETHER = 512  # groups whose pages are made together
REMEMBERED = 10_000  # addresses of sources
LINKS = 3  # other places that the message itself names
TEXT_CHARS = 120
OTHERS: dict[Kind, str] = {"exact": "the same text", "near": "nearly the same text",
                           "contained": "the same text, or a part of it"}
WHOLE = ("rendered-twice", "copy-of")  # verdicts whose sentence is about their first group, whatever else they rest on


def to_file(report: Report, file: IO[bytes], how: How) -> None:
    """Write a report as SARIF to an open binary file."""
    file.writelines(chunks(report, how.changed, how.root))


def chunks(report: Report, changed: Callable[[str], bool] | None = None, root: Path | None = None) -> Iterator[bytes]:
    """The bytes of a SARIF log, a result a line.

    Args:
        changed: Whether the page of a source was changed; a repeat is charged to such a place.
        root: Folder that the paths are relative to; ``None`` for the repository around the current folder, else that folder.
    """
    log = _Log(report, changed, Root.of(root))
    driver = {"name": "dedup", "version": report.version, "rules": [rule.descriptor() for rule in RULES.values()],
              "notifications": [{"id": name, "shortDescription": {"text": text}, "fullDescription": {"text": text},
                                 "help": {"text": text}} for name, text in NOTIFICATIONS.items()]}
    yield b'{"$schema":' + encode(SCHEMA) + b',"version":"2.1.0","runs":[{"tool":{"driver":' + encode(driver) + b"},\n"
    yield b'"columnKind":"unicodeCodePoints",\n"originalUriBaseIds":' + encode({BASE: {"description": {
        "text": "The repository that was scanned, or the folder in which dedup was run."}}}) + b",\n"
    yield b'"results":['
    separator = b"\n"
    for result in log.results():
        yield separator + encode(result)
        separator = b",\n"
    yield b"],\n"
    yield b'"invocations":[' + encode(log.invocation()) + b"],\n"
    yield b'"properties":' + encode({"summary": dataclasses.asdict(report.summary)}) + b"}]}\n"


class _Log:
    """The parts of one log; what was met on the way is told at the end."""

    def __init__(self, report: Report, changed: Callable[[str], bool] | None, root: Root) -> None:
        self.report, self.changed, self.root = report, changed, root
        self.places, self.sources = Places(report), Sources()
        self.references = reference_ids(report)
        self.outside: dict[str, None] = {}
        self._seen: Counter[str] = Counter()
        self._judged: dict[int, PageReport] = {}
        self._uris: dict[str, tuple[str, bool]] = {}

    def results(self) -> Iterator[dict[str, Any]]:
        """A result for each group, the most wasteful ones where they are too many, in the order of the report.

        A group that is told beneath another one has a result only where it stands in more places.
        """
        led_by = leaders(self.report)
        told = some_groups(self.report, np.sort(ranked(all_wasted_chars(self.report), MAX_RESULTS)))
        while some := list(itertools.islice(told, TOGETHER)):
            self._judge(some)
            for group in some:
                leader = int(led_by[group.id])
                if leader < 0 or elsewhere(self.report.groups[leader], [group]):
                    yield self._result(group)

    def _judge(self, groups: list[Group]) -> None:
        """Make the pages, with their verdicts, that groups are charged to, many together."""
        rows = {self.places.row(group.occurrences[self._charged(group)].page) for group in groups}
        ascending = sorted(row for row in rows if row is not None)
        self._judged = dict(zip(ascending, each_page(self.report, ascending), strict=True))

    def _result(self, group: Group) -> dict[str, Any]:
        charged = self._charged(group)
        primary = group.occurrences[charged]
        others = [place for number, place in enumerate(group.occurrences) if number != charged]
        verdict = self._verdict(primary, group)
        rule = verdict.kind if verdict else self.places.verdict(primary, group.id) or "repeat"
        print_of = fingerprint(group)
        self._seen[print_of] += 1
        result: dict[str, Any] = {
            "ruleId": rule, "ruleIndex": list(RULES).index(rule), "level": RULES[rule].level,
            "message": {"text": self._message(group, primary, others, verdict)},
            "locations": [{"physicalLocation": self._location(primary)}]}
        if others:
            result["relatedLocations"] = [
                {"id": number, "physicalLocation": self._location(place),
                 "message": {"text": OTHERS[group.kind]}}
                for number, place in enumerate(others[:MAX_RELATED], 1)]
        times = f":{self._seen[print_of]}" if self._seen[print_of] > 1 else ""
        return result | {
            "partialFingerprints": {FINGERPRINT: print_of + times},
            "properties": {"group": group.id, "kind": group.kind, "similarity": group.similarity, "words": group.tokens,
                           "places": group.count}}

    def _charged(self, group: Group) -> int:
        """Which of the occurrences is to be mended: a later copy rather than the first one."""
        own = [number for number, place in enumerate(group.occurrences) if place.page not in self.references]
        later = [number for number in own if number] or own or [0]
        if self.changed is not None:
            touched = [number for number in (*later, *own) if self.changed(self.places.source(group.occurrences[number]))]
            return touched[0] if touched else later[0]
        return later[0]

    def _verdict(self, primary: Occurrence, group: Group) -> Verdict | None:
        """The verdict whose sentence says what this group is on the page it is charged to, if one does."""
        kind = self.places.verdict(primary, group.id)
        row = self.places.row(primary.page)
        if kind is None or row is None:
            return None
        return next((verdict for verdict in self._judged[row].verdicts
                     if verdict.kind == kind and verdict.groups[:1] == (group.id,)
                     and (len(verdict.groups) == 1 or kind in WHOLE)), None)

    def _message(self, group: Group, primary: Occurrence, others: list[Occurrence], verdict: Verdict | None) -> str:
        text = matched_text(primary)
        if verdict is not None:
            told = _foreign(one_line(verdict.text, 600)).rstrip(".;")
            told = told[:1].upper() + told[1:] + "."
        else:
            told = f"This text stands in {count(group.count, 'place')}."
        links = [f"[{_foreign(one_line(self.places.words(place), 200))}]({number})"
                 for number, place in enumerate(others[:LINKS], 1)]
        rest = f" and {count(len(others) - len(links), 'more place')}" if len(others) > len(links) else ""
        also = f" Also at {', '.join(links)}{rest}." if links else ""
        alike = "" if group.kind == "exact" else f", {percent(group.similarity)} alike"
        return f'{told}{also} {count(group.tokens, "word")}{alike}: "{_foreign(one_line(text, TEXT_CHARS))}"'

    def _location(self, place: Occurrence) -> dict[str, Any]:
        source = self.places.source(place)
        return self._artifact(source) | {"region": _region(self.sources.region(place, source))}

    def _artifact(self, source: str) -> dict[str, Any]:
        if source not in self._uris:  # many places are of one file, and its path is followed through the file system
            if len(self._uris) >= REMEMBERED:
                self._uris.clear()
            self._uris[source] = self.root.uri(source)
        uri, inside = self._uris[source]
        if not inside:
            self.outside[source] = None
        return {"artifactLocation": {"uri": uri, "uriBaseId": BASE} if inside else {"uri": uri}}

    def invocation(self) -> dict[str, Any]:
        """Whether all could be read, and what could not; to be asked for behind the results."""
        told = [self._notification("unreadable", "note" if error.is_note else "error", error.message, error.source,
                                   error.line)
                for error in self.report.errors[:MAX_NOTIFICATIONS]]
        hidden = len(self.report.errors) - len(told)
        if hidden > 0:
            told.append(self._notification("unreadable", "error", f"{count(hidden, 'more input')} could not be read."))
        told += [self._notification("left-out", "note", f"{entry.count:,} left out: {plain_reason(entry.reason)}; such as "
                                    f"{', '.join(entry.examples[:3])}") for entry in self.report.skipped]
        if len(self.report.groups) > MAX_RESULTS:
            told.append(self._notification("more-results", "note", f"The {MAX_RESULTS:,} most wasteful of "
                                           f"{len(self.report.groups):,} repeated texts are told."))
        if self.outside:
            names = list(self.outside)
            told.append(self._notification("outside", "warning", f"{count(len(names), 'source')} outside of the repository, "
                                           f"named by an absolute address: {', '.join(names[:3])}"))
        return {"executionSuccessful": not unread(self.report.errors), "toolExecutionNotifications": told}

    def _notification(self, name: str, level: str, text: str, source: str = "", line: int | None = None) -> dict[str, Any]:
        made: dict[str, Any] = {"descriptor": {"id": name, "index": list(NOTIFICATIONS).index(name)}, "level": level,
                                "message": {"text": _foreign(one_line(with_flags(text), 1000))}}
        if source:
            place = self._artifact(source) | ({"region": {"startLine": line}} if line else {})
            made["locations"] = [{"physicalLocation": place}]
        return made


def _region(region: Region) -> dict[str, int]:
    """A region of SARIF; each key is there only where it is known."""
    keys = {"startLine": region.line, "startColumn": region.column, "endLine": region.end_line,
            "endColumn": region.end_column, "charOffset": region.offset, "charLength": region.length}
    return {key: value for key, value in keys.items() if value is not None}


_MEANS_SOMETHING = re.compile(r"[\[\]\\]|[{}]")


def _foreign(text: str) -> str:
    r"""Foreign text in a message: no link and no placeholder.

    >>> print(_foreign(r"a [link](x) and {0}"))
    a \[link\](x) and {{0}}
    """
    return _MEANS_SOMETHING.sub(lambda found: found[0] * 2 if found[0] in "{}" else "\\" + found[0], safe(text))


def to_sarif(report: Report, changed: Callable[[str], bool] | None = None, root: Path | None = None) -> str:
    """The report as SARIF; see ``chunks``."""
    return b"".join(chunks(report, changed, root)).decode("utf-8")


__all__ = ["FINGERPRINT", "chunks", "to_file", "to_sarif"]
