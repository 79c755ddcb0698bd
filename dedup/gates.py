"""Gates: what a scan must not find. They look at a finished report, and only say whether it may pass.

Template, navigation and refrains count for no gate, unless they are named: a page that joins a site carries its template.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from dedup.baseline import MOST_PAGES, Baseline, Entry
from dedup.errors import OptionError
from dedup.fingerprints import Fingerprint
from dedup.model import Group, Occurrence, PageReport, VerdictKind, unread
from dedup.report.gather import heads_of, matched_text
from dedup.report.text import count, one_line, percent, place

if TYPE_CHECKING:
    from dedup.report import Report

NO_CONTENT = frozenset({"navigation", "refrain", "template"})
NEW = "new"
SHOWN = 10  # findings that are named
Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What is asked of a report.

    Attributes:
        fail_over: Share of the content that may be duplicate, 0.0 to 1.0.
        fail_on: Verdicts that no page may have; ``new``: no passage that is not in the baseline, or not in changed files.
        baseline: File of the passages that are known.
        update: Write that file anew.
        changed_since: Only what touches files that git says have changed since this commit.
    """

    fail_over: float | None = None
    fail_on: tuple[str, ...] = ()
    baseline: Path | None = None
    update: bool = False
    changed_since: str | None = None

    def __post_init__(self) -> None:
        known = (NEW, *get_args(VerdictKind))
        for name in self.fail_on:
            if name not in known:
                raise OptionError(f"{name!r} is not one of {', '.join(known)}", "fail_on")
        if self.fail_over is not None and not 0.0 <= self.fail_over <= 1.0:
            raise OptionError(f"{self.fail_over} is out of range", "fail_over", "Use 0% to 100%, or 0.0 to 1.0.")
        if NEW in self.fail_on and self.baseline is None and self.changed_since is None:
            raise OptionError("nothing says what is new", "fail_on",
                              "Name a baseline, or a commit since which files have changed.")
        if self.update and self.baseline is None:
            raise OptionError("there is no file to write", "update_baseline", "Name a baseline.")
        if self.update and self.changed_since is not None:
            raise OptionError("the baseline is written of all passages, not of those in changed files", "update_baseline",
                              "Leave changed_since out.")

    def check_hidden(self, hidden: Collection[str]) -> None:
        """Refuse verdicts that ``hide`` leaves out of the report: such a gate would always pass.

        Raises:
            OptionError: There is one.
        """
        if both := [name for name in self.fail_on if name in hidden]:
            raise OptionError(f"{', '.join(both)} is hidden, so the gate would always pass", "fail_on",
                              "Leave it out of one of fail_on and hide; a profile may set hide.")

    @property
    def asked(self) -> bool:
        """Whether anything is asked."""
        return self != Gates()

    def opened(self, folder: Path) -> Opened:
        """The gates with what they look things up in, before the scan: files that are missing or damaged say so at once."""
        from dedup.changed import changed_files, top_of

        known = None
        if self.baseline is not None:
            fresh = self.update and not self.baseline.exists()
            known = Baseline() if fresh else Baseline.read(self.baseline)
        files = None if self.changed_since is None else changed_files(self.changed_since, folder)
        return Opened(self, known, files, None if files is None else top_of(folder))


@dataclass(frozen=True, slots=True)
class Finding:
    """A group that is not known, and the places that are charged with it.

    Attributes:
        verdicts: Those of the charged places' pages on this group.
        charged: Places that the text need not stand in.
        other: A place that it stands in anyway.
        counts: Whether it is content.
    """

    group: Group
    verdicts: frozenset[str]
    charged: tuple[Occurrence, ...]
    other: Occurrence
    counts: bool


@dataclass(frozen=True, slots=True)
class Passed:
    """What the gates say of a report.

    Attributes:
        report: With only what is not known and touches what has changed.
        failures: Why it may not pass, a line each; none: it may.
        notes: What else there is to say.
        changed: Whether the page of a source was changed; ``None`` where that is not asked.
    """

    report: Report
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    changed: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """Gates that are ready; see ``Gates.opened``.

    Attributes:
        known: The baseline.
        files: Paths of the files that have changed; see ``changed_files``.
        top: Folder of the working tree that they are in.
    """

    gates: Gates
    known: Baseline | None
    files: frozenset[Path] | None
    top: Path | None = None
    _places: dict[str, bool] = field(default_factory=dict)

    def judge(self, report: Report) -> Passed:
        """Hold a report against the gates; a baseline that is to be updated is written."""
        gates = self.gates
        if gates.update:
            return Passed(report, (), (self._update(report),))
        if self.known is None and self.files is None and not gates.fail_on:
            share = report.summary.content_share
            return Passed(report, tuple(self._over(share, "the content")), ())
        pages = {page.id: page for page in heads_of(report)}
        foreign = self._foreign(pages)
        changed = self._changed(pages)
        findings, used = self._findings(report, pages, changed)
        shown = report
        notes = []
        if foreign:
            notes.append(f"{count(foreign, 'file')} not of the repository of the current folder, or of a submodule: taken as "
                         "not changed")
        if len(findings) < len(report.groups):
            shown = report.with_groups([finding.group.id for finding in findings])
            notes.append(f"{count(len(report.groups) - len(findings), 'passage')} left out: "
                         + " or ".join(["in the baseline"] * (self.known is not None)
                                       + ["not in files changed since " + str(gates.changed_since)] * (changed is not None)))
        there = pages.keys()  # an entry of pages that were not scanned may be needed
        if self.known is not None and (stale := sum(number not in used and there >= set(entry.pages)
                                                    for number, entry in enumerate(self.known.entries))):
            notes.append(f"{count(stale, 'entry', 'entries')} of the baseline no longer needed: see dedup suppressions")
        less = self.known is not None or changed is not None
        share = _share(findings, pages, changed) if less else report.summary.content_share
        what = "the content" if changed is None else "the changed files"
        failures = (*self._over(share, what), *self._on(findings, pages))
        return Passed(shown, failures, tuple(notes), None if changed is None else self.is_changed)

    def _foreign(self, pages: Mapping[str, PageReport]) -> int:
        """How many files git was not asked about: those of other repositories.

        Raises:
            OptionError: They all are, so the gate would always pass.
        """
        from dedup.changed import is_foreign

        if self.top is None:
            return 0
        sources = {page.source for page in pages.values() if not page.reference}
        foreign = sum(is_foreign(Path(source).resolve(), self.top) for source in sources)
        if foreign and foreign == len(sources):
            raise OptionError("no page is in the repository of the current folder", "changed_since",
                              "Run it in the repository of the pages, or in the submodule.")
        return foreign

    def _changed(self, pages: Mapping[str, PageReport]) -> frozenset[str] | None:
        """Ids of the pages in changed files."""
        if self.files is None:
            return None
        return frozenset(page.id for page in pages.values() if self.is_changed(page.source))

    def is_changed(self, source: str) -> bool:
        """Whether the file of a page's source was changed."""
        from dedup.changed import located

        if source not in self._places:
            path = Path(source)
            self._places[source] = self.files is not None and not self.files.isdisjoint((path.resolve(), located(path)))
        return self._places[source]

    def _update(self, report: Report) -> str:
        assert self.known is not None
        assert self.gates.baseline is not None
        if not report.summary.pages:
            return "no page was read: no baseline is written"
        entries, used = list[Entry](), set[int]()
        for group in report.groups:
            fingerprint = fingerprint_of(group)
            entry, number = Entry.of(group, fingerprint), self.known.entry_of(fingerprint)
            if number is not None:
                used.add(number)
                before = self.known.entries[number]
                entry = Entry(fingerprint, entry.copies, entry.text, entry.pages, before.reason, before.date)
            entries.append(entry)
        unneeded = [entry for number, entry in enumerate(self.known.entries) if number not in used]
        partly = bool(unread(report.errors))
        made = Baseline([*entries, *(unneeded if partly else ())])  # what could not be read may need them
        made.write(self.gates.baseline)
        what = "kept, as some input could not be read" if partly else "gone that nothing needed"
        return (f"baseline written: {count(len(made.entries), 'passage')} in {self.gates.baseline}"
                + (f"; {count(len(unneeded), 'entry', 'entries')} {what}" if unneeded else ""))

    def _findings(self, report: Report, pages: Mapping[str, PageReport],
                  changed: frozenset[str] | None) -> tuple[list[Finding], set[int]]:
        """What is not known, and the numbers of the entries that were needed."""
        verdicts = _verdicts(report)
        out, used = list[Finding](), set[int]()
        for group in report.groups:
            number = None if self.known is None else self.known.entry_of(fingerprint_of(group), group.count)
            entry = None if number is None or self.known is None else self.known.entries[number]
            if number is not None:
                used.add(number)
            if entry is not None and group.count <= entry.copies:
                continue
            charged, other = _charged(group, pages, changed, entry)
            if not charged:
                continue
            kinds = [verdicts.get((group.id, o.page), set[str]()) for o in charged]
            counts = any(not some or not some <= NO_CONTENT for some in kinds)  # of a copy what else it shares is not told
            out.append(Finding(group, frozenset(set().union(*kinds)), charged, other, counts))
        return out, used

    def _over(self, share: float, what: str) -> Iterator[str]:
        """Why the share is too large, if it is."""
        most = self.gates.fail_over
        if most is not None and share > most:
            told = percent(share) if percent(share) != percent(most) else f"{100 * share:.9g} %"  # by less than a tenth
            yield (f"{told} of {what} is duplicate, more than --fail-over {100 * most:g}% "
                   "(template, navigation and refrains do not count)")

    def _on(self, findings: Collection[Finding], pages: Mapping[str, PageReport]) -> Iterator[str]:
        """Why verdicts that were named speak against it."""
        for name in self.gates.fail_on:
            found = [finding for finding in findings if (finding.counts if name == NEW else name in finding.verdicts)]
            if found:
                told = "; ".join(_told(finding, pages) for finding in found[:SHOWN])
                more = f"; and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
                yield f"--fail-on {name}: {count(len(found), 'passage')}: {told}{more}"


def fingerprint_of(group: Group) -> Fingerprint:
    """The fingerprint of all that the places of a group say."""
    return Fingerprint.of(matched_text(occurrence) for occurrence in group.occurrences)


def _verdicts(report: Report) -> dict[tuple[int, str], set[str]]:
    """The verdicts of each group on each page; of two pages that are copies both are one, whichever sorts first."""
    out: dict[tuple[int, str], set[str]] = {}
    for page in report.pages:
        for verdict in page.verdicts:
            both = (page.id, str(verdict.evidence.get("page", page.id))) if verdict.kind == "copy-of" else (page.id,)
            for group, on in itertools.product(verdict.groups, both):
                out.setdefault((group, on), set()).add(verdict.kind)
    return out


def _charged(group: Group, pages: Mapping[str, PageReport], changed: frozenset[str] | None,
             entry: Entry | None) -> tuple[tuple[Occurrence, ...], Occurrence]:
    """The places that are charged with a repeat, and one that is not: all but the first, or those in changed files."""
    places = group.occurrences
    able = [o for o in places if not pages[o.page].reference and (changed is None or o.page in changed)]
    if len(able) == len(places):
        able = able[1:]
    if entry is not None and changed is None:
        able = _surplus([o for o in places if not pages[o.page].reference], entry, group.count - entry.copies)
    other = next((o for o in places if o not in able), places[0])
    return tuple(able), other


def _surplus(places: list[Occurrence], entry: Entry, most: int) -> list[Occurrence]:
    """As many of the places as there are more than are known: on pages that the entry does not name, then further ones on a
    page, then the last ones. Where some of these pages were only renamed they are all charged: nothing tells which is new."""
    last = entry.pages[-1] if len(entry.pages) >= MOST_PAGES else None  # of those behind it not all are named
    seen = set[str]()
    ranks = []
    for number, o in enumerate(places):
        new, again = o.page not in entry.pages, o.page in seen
        ranks.append((0 if new and (last is None or o.page < last) else 1 if new else 2 if again else 3, -number))
        seen.add(o.page)
    surely = sum(rank == 0 for rank, _ in ranks) % len(ranks)
    return [places[-number] for _, number in sorted(sorted(ranks)[:max(most, surely, 1)], key=lambda rank: -rank[1])]


def _share(findings: Iterable[Finding], pages: Mapping[str, PageReport], changed: frozenset[str] | None) -> float:
    """Share of the characters of all pages, or of the changed ones, that stand in charged places of content."""
    ranges: dict[str, list[Range]] = {}
    for finding in findings:
        for o in finding.charged if finding.counts else ():
            ranges.setdefault(o.page, []).extend(o.parts or ((o.start, o.end),))
    held = sum(_covered(found) for found in ranges.values())
    whole = sum(page.chars for page in pages.values() if not page.reference and (changed is None or page.id in changed))
    return held / whole if whole else 0.0


def _covered(ranges: list[Range]) -> int:
    """How many places lie in any of the ranges."""
    total = reached = 0
    for start, end in sorted(ranges):
        total += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return total


def _told(finding: Finding, pages: Mapping[str, PageReport]) -> str:
    """A finding in one line."""
    where, other = (place(o, dict(pages)) for o in (finding.charged[0], finding.other))
    more = f" and {count(len(finding.charged) - 1, 'more place')}" if len(finding.charged) > 1 else ""
    text = one_line(matched_text(finding.charged[0]), 60)
    return f"{where}{more} as {other}: \"{text}\""


def gates_of(settings: dict[str, Any]) -> Gates:
    """The gates among settings, which are taken out of them: ``fail_over``, ``fail_on`` and so on."""
    named = {name: settings.pop(name, default) for name, default in
             (("fail_over", None), ("fail_on", ()), ("baseline", None), ("update_baseline", False), ("changed_since", None))}
    on = named["fail_on"]
    kinds = tuple(dict.fromkeys(part.strip() for value in ((on,) if isinstance(on, str) else on)
                                for part in value.split(",") if part.strip()))
    baseline = None if named["baseline"] is None else Path(named["baseline"])
    return Gates(fail_over=share_of(named["fail_over"], "fail_over"), fail_on=kinds, baseline=baseline,
                 update=named["update_baseline"], changed_since=named["changed_since"])


def share_of(text: str | float | None, name: str) -> float | None:
    """A share from "10%" or 0.1.

    Raises:
        OptionError: It is none.

    >>> share_of("10%", "fail_over"), share_of("0.1", "fail_over")
    (0.1, 0.1)
    """
    if text is None or isinstance(text, (int, float)):
        return text
    plain = text.strip()
    try:
        share = float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        raise OptionError(f"{text!r} is not a share", name, "Use 0% to 100%, or 0.0 to 1.0.") from None
    if share > 1 and not plain.endswith("%"):
        raise OptionError(f"{text} is out of range", name, f"Did you mean {plain}%?")
    return share
