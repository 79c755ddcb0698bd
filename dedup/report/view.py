"""What the viewer in ``report.html`` shows of a report, as columns: compact, bounded, the most wasteful passages first.

It is made from the keys of the JSON report only, so that a stored result gives the same view as a fresh scan; the texts of
pages are there too where they are known. ``viewer/src/data.ts`` reads it.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dedup.report.beneath import leaders, told_alone
from dedup.report.fingerprint import fingerprint
from dedup.report.gather import edited_words, heads_of, matched_text, ranked, rows_of, some_groups, some_pages
from dedup.report.text import one_line
from dedup.report.troubles import troubles
from dedup.source_lines import line_feeds

if TYPE_CHECKING:
    from dedup.model import Group, Occurrence, Verdict
    from dedup.report import Report

FORMAT = "dedup-view/1"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a view holds at most; what is beyond is counted and said.

    Attributes:
        groups: Groups, the most wasteful first.
        pages: Pages: those of the shown groups first.
        places: Occurrences of one group, the first ones; and of all groups.
        page_bytes: A page with a longer text is shown as an outline: its repeated passages alone.
        page_text, group_text: UTF-8 bytes of texts of pages, and of passages of pages whose text is not there; then the
            beginning of each passage.
        changes, pair_changes: Characters of the texts that are compared word by word, in all and of two places: the work of
            a diff grows with their product.
    """

    groups: int = 20_000
    pages: int = 20_000
    places: int = 1_000
    all_places: int = 200_000
    page_bytes: int = 1_000_000
    page_text: int = 4_000_000
    group_text: int = 6_000_000
    changes: int = 8_000_000
    pair_changes: int = 100_000
    verdicts: int = 50_000
    notes: int = 1_000  # entries of other lists
    beginning: int = 240


LIMITS = Limits()


def view_data(report: Report, limits: Limits = LIMITS) -> dict[str, Any]:
    """The view of a report, ready for JSON.

    Columns of one list have the same length; a place's page is an index into the pages, a verdict's groups are indices
    into the groups shown. Offsets are code points. Shares and similarities are cut to four decimals, never rounded up.
    """
    from dedup.report.command import changed_settings, command_of
    from dedup.report.headline import headline

    told = troubles(report)
    lost, notes = ([[t.what, t.why, [list(place) for place in t.places], t.hidden] for t in told if t.is_note == is_note]
                   for is_note in (False, True))
    groups = _shown_groups(report, limits)
    pages = _Pages(report, groups, limits)
    groups = [group for group in groups if _has_room(group, pages, limits)]
    number = {group.id: n for n, group in enumerate(groups)}
    view = {
        "format": FORMAT, "version": report.version, "digest": report.input_digest,
        "command": command_of(report), "settings": changed_settings(report.options, report.is_comparison),
        "asked": {name: value for name, value in report.options.results().items()
                  if name in ("unit", "find", "scope", "threshold", "min_tokens", "min_similarity", "between")},
        "comparison": report.is_comparison, "edited": edited_words(report, "it") if report.is_comparison else "",
        "summary": dataclasses.asdict(report.summary),
        "headline": headline(report, pages.by_row),
        "words": sum(page.words for page in heads_of(report) if not page.reference), "pages": pages.columns(),
        **_passages(groups, pages, limits),
        "verdicts": _verdicts(pages, number, limits), "repeats": _small_repeats(pages, limits),
        "causes": [{"kind": c.kind, "text": c.text, "remedy": c.remedy, "selector": c.selector, "pages": c.pages,
                    "groups": [number[g] for g in c.groups if g in number],
                    "examples": [pages.number[e] for e in c.examples if e in pages.number]} for c in report.causes],
        "troubles": lost[:limits.notes], "notes": notes[:limits.notes],
        "misses": _near_misses(report, pages, limits),
    }
    return view | {"all": {"groups": len(report.groups), "pages": len(report.pages), "troubles": len(lost),
                           "notes": len(notes)}}


def _shown_groups(report: Report, limits: Limits) -> list[Group]:
    """The most wasteful groups, as many as places are shown."""
    shown, places = list["Group"](), 0
    alone = told_alone(report)  # the others come behind them
    ranks = np.concatenate([alone, np.flatnonzero(leaders(report) >= 0)])
    for group in some_groups(report, ranks[:limits.groups]):
        places += min(len(group.occurrences), limits.places)
        if shown and places > limits.all_places:
            break
        shown.append(group)
    return shown


class _Pages:
    """The pages of a view, in the report's order, and which of them have their text in it."""

    def __init__(self, report: Report, groups: Sequence[Group], limits: Limits) -> None:
        rows = _shown_pages(report, groups, limits)
        self.shown = some_pages(report, rows)
        self.by_row = dict(zip(rows, self.shown, strict=True))
        self.number = {page.id: number for number, page in enumerate(self.shown)}
        self.text = self._texts(report, rows, limits)
        self.lines = self._lines(report, rows)

    def _texts(self, report: Report, rows: Sequence[int], limits: Limits) -> list[str | None]:
        """Texts of the pages with most repeats, as many as have room; of a page that was stored without: none."""
        known = getattr(report.pages, "texts", None)
        texts: list[str | None] = [None] * len(rows)
        room = limits.page_text
        shares = [max(page.within_share, page.across_share) * page.chars for page in self.shown]
        for number in sorted(range(len(rows)), key=lambda n: -shares[n]):
            page = self.shown[number]
            if page.chars > min(room, limits.page_bytes):
                continue
            text = page.text if page.text is not None else known[rows[number]] if known is not None else None
            size = 0 if text is None else len(text.encode("utf-8", "surrogatepass"))
            if text is not None and size <= min(room, limits.page_bytes):
                texts[number] = text
                room -= size
        return texts

    def _lines(self, report: Report, rows: Sequence[int]) -> list[list[int] | None]:
        """Lines of the texts that are there, as points: how many line feeds lie before it, and how many lines more than that
        its line is beyond the one of the point before; a text begins in line 0.
        """
        known = getattr(report.pages, "lines", None)
        lines: list[list[int] | None] = [None] * len(rows)
        for number, page in enumerate(self.shown):
            text = self.text[number]
            if text is None:
                continue
            points = page.lines if page.lines is not None else known[rows[number]] if known is not None else None
            if points:
                start, line = np.array(points).T
                feeds, first = np.unique(np.searchsorted(line_feeds(text), start), return_index=True)
                steps = np.diff(feeds, prepend=0)
                lines[number] = np.stack([steps, np.diff(line[first], prepend=0) - steps], axis=1).ravel().tolist()
        return lines

    def columns(self) -> dict[str, list[Any]]:
        """What the table of pages and the page view need."""
        pages = self.shown
        return {
            "id": [p.id for p in pages], "source": [p.source if p.source != p.id else None for p in pages],
            "title": [p.title for p in pages], "words": [p.words for p in pages], "chars": [p.chars for p in pages],
            "duplicate": [p.duplicate_chars for p in pages], "within": _cut([p.within_share for p in pages]),
            "across": _cut([p.across_share for p in pages]), "reference": [int(p.reference) for p in pages],
            "text": self.text, "lines": self.lines,
        }


def _shown_pages(report: Report, groups: Sequence[Group], limits: Limits) -> list[int]:
    """Rows of the pages that are shown: all where they have room, else those of the groups, then those with most repeats."""
    heads = heads_of(report)
    if len(heads) <= limits.pages:
        return list(range(len(heads)))
    wanted = dict.fromkeys(o.page for group in groups for o in group.occurrences[:limits.places])
    row = rows_of(report, wanted)
    chosen = dict.fromkeys([row[name] for name in wanted][:limits.pages])
    duplicate = np.fromiter((page.duplicate_chars for page in heads), np.int64, len(heads))
    for number in ranked(duplicate, len(heads)).tolist():
        if len(chosen) >= limits.pages:
            break
        chosen.setdefault(number)
    return sorted(chosen)


# Groups, their places, and the words in which these differ.


@dataclass(slots=True)
class _Columns:
    """The places of all groups, one after the other."""

    page: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    path: list[int] = field(default_factory=list)
    similarity: list[float] = field(default_factory=list)
    jaccard: list[float] = field(default_factory=list)
    containment: list[float] = field(default_factory=list)
    text: list[int] = field(default_factory=list)
    copies: list[int] = field(default_factory=list)
    parts: list[list[int] | None] = field(default_factory=list)
    changes: list[list[int] | None] = field(default_factory=list)


class _Table:
    """Different strings, each once."""

    def __init__(self, room: int) -> None:
        self.rows, self._number, self.room = list[str](), dict[str, int](), room

    def add(self, text: str) -> int:
        """The number of a string; -1 where it is new and has no room."""
        if text not in self._number:
            self.room -= len(text.encode("utf-8", "surrogatepass"))
            if self.room < 0:
                return -1
            self._number[text] = len(self.rows)
            self.rows.append(text)
        return self._number[text]


def _passages(groups: Sequence[Group], pages: _Pages, limits: Limits) -> dict[str, Any]:
    """Groups and places as columns.

    A place's ``text`` is a row of ``texts``; -1: cut it out of its page's text; -2: it is not there. ``parts`` are pairs
    ``from the place's start, length``. ``changes`` say how the place differs from the group's representative: four numbers
    a change, ``equal characters before it in either, characters in the representative, in the place``, part by part;
    ``None`` where nothing differs or it was not compared (then ``compared`` of the group is 0).
    """
    columns, texts, paths = _Columns(), _Table(limits.group_text), _Table(2**40)
    heads: list[str | None] = []
    compared, places_of, leads = list[int](), list[int](), list[int]()
    room = limits.changes
    for group in groups:
        places = [o for o in _places(group, limits) if o.page in pages.number]
        places_of.append(len(places))
        first = group.occurrences[group.representative]
        leads.append(next(n for n, place in enumerate(places) if place is first))
        _add_places(columns, places, pages, texts, paths)
        known = pages.text[pages.number[first.page]] is not None
        heads.append(None if known or texts.add(first.text) >= 0 else _beginning(matched_text(first, "…"), limits))
        near = [(-len(places) + n, place) for n, place in enumerate(places)
                if place.text != first.text and place.copies == first.copies == 1]
        costs = [len(first.text) + len(place.text) for _, place in near]
        compared.append(int(sum(costs) <= room and max(costs, default=0) <= limits.pair_changes))
        if compared[-1]:
            room -= sum(costs)
            for at, place in near:
                columns.changes[at] = changes(first, place)
    for name in ("similarity", "jaccard", "containment"):
        setattr(columns, name, _cut(getattr(columns, name)))
    return {
        "groups": {
            "id": [g.id for g in groups], "kind": [g.kind for g in groups], "tokens": [g.tokens for g in groups],
            "similarity": _cut([g.similarity for g in groups]), "blocks": [g.blocks for g in groups],
            "representative": leads, "places": places_of,
            "all_places": [len(g.occurrences) for g in groups], "count": [g.count for g in groups],
            "truncated": [int(g.truncated) for g in groups],
            "related": _related(groups), "part_of": _part_of(groups), "beginning": heads, "compared": compared,
            "fingerprint": [fingerprint(g) for g in groups],
        },
        "places": {name.name: getattr(columns, name.name) for name in dataclasses.fields(columns)},
        "texts": texts.rows, "paths": paths.rows,
    }


def _places(group: Group, limits: Limits) -> list[Occurrence]:
    """The first places of a group, its representative among them."""
    places = list(group.occurrences[:limits.places])
    if group.representative >= limits.places:
        places[-1] = group.occurrences[group.representative]
    return places


def _has_room(group: Group, pages: _Pages, limits: Limits) -> bool:
    """Whether the pages of a group's representative and of another of its places are shown."""
    shown = sum(place.page in pages.number for place in _places(group, limits))
    return shown > 1 and group.occurrences[group.representative].page in pages.number


def _add_places(columns: _Columns, places: Sequence[Occurrence], pages: _Pages, texts: _Table, paths: _Table) -> None:
    """Put the places of a group at the end, column by column: one by one they would take twice the time."""
    numbers = [pages.number[place.page] for place in places]
    columns.page += numbers
    columns.start += [place.start for place in places]
    columns.size += [place.end - place.start for place in places]
    columns.line += [place.line for place in places]
    columns.lines += [place.end_line - place.line for place in places]
    columns.path += [paths.add(place.path) if place.path else -1 for place in places]
    columns.similarity += [place.similarity for place in places]
    columns.jaccard += [place.jaccard for place in places]
    columns.containment += [place.containment for place in places]
    columns.text += [-1 if pages.text[page] is not None else -2 if (row := texts.add(place.text)) < 0 else row
                     for page, place in zip(numbers, places, strict=True)]
    columns.copies += [place.copies for place in places]
    columns.parts += [None if not place.parts else [
        number for start, end in place.parts for number in (start - place.start, end - start)] for place in places]
    columns.changes += [None] * len(places)


def changes(first: Occurrence, place: Occurrence) -> list[int] | None:
    """How a place's words differ from the representative's, part by part; ``None`` where they do not.

    Four numbers a change: characters from the last change (or the place's start) to this one in the representative and in
    the place, then the characters that differ in either. What lies between parts is no change, it is not compared; where the
    two have unlike numbers of parts (each was linked to a third one), their whole texts are.
    """
    from dedup.opcodes import word_opcodes

    out: list[int] = []
    at_a = at_b = 0
    sides = _stretches(first), _stretches(place)
    if len(sides[0]) != len(sides[1]):
        sides = [(first.start, first.end)], [(place.start, place.end)]
    for (a0, a1), (b0, b1) in zip(*sides, strict=True):
        a, b = (o.text[x - o.start:y - o.start] for o, x, y in ((first, a0, a1), (place, b0, b1)))
        for tag, x0, x1, y0, y1 in word_opcodes(a, b, a0 - first.start, b0 - place.start):
            if tag != "equal":
                out += [x0 - at_a, y0 - at_b, x1 - x0, y1 - y0]
                at_a, at_b = x1, y1
    return out or None


def _stretches(place: Occurrence) -> list[tuple[int, int]]:
    return list(place.parts or [(place.start, place.end)])


def _related(groups: Sequence[Group]) -> list[list[int]]:
    number = {group.id: n for n, group in enumerate(groups)}
    return [[number[other] for other in group.related if other in number] for group in groups]


def _part_of(groups: Sequence[Group]) -> list[int]:
    """The shown group beneath which each one is told, -1 for none."""
    number = {group.id: n for n, group in enumerate(groups)}
    return [-1 if group.part_of is None else number.get(group.part_of, -1) for group in groups]


def _beginning(text: str, limits: Limits) -> str:
    return re.sub(r" ?\.\.\.$", " …", one_line(text, limits.beginning))


# The rest.


def _verdicts(pages: _Pages, number: Mapping[int, int], limits: Limits) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"page": [], "kind": [], "text": [], "groups": []}
    every = ((n, verdict) for n, page in enumerate(pages.shown) for verdict in page.verdicts)
    for row, verdict in itertools.islice(every, limits.verdicts):
        columns["page"].append(row)
        columns["kind"].append(verdict.kind)
        columns["text"].append(_told(verdict))
        columns["groups"].append([number[g] for g in verdict.groups if g in number])
    return columns


def _told(verdict: Verdict) -> str:
    """A verdict's sentence; of ``shared`` without the pages and words, which the viewer knows from the groups."""
    if verdict.kind == "shared":
        told, cut, _ = verdict.text.partition(" too (")
        return f"{told} too" if cut else told
    return "; ".join(filter(None, (verdict.text, str(verdict.evidence.get("besides", "")))))


def _small_repeats(pages: _Pages, limits: Limits) -> dict[str, list[Any]]:
    rows = ((n, repeat) for n, page in enumerate(pages.shown) for repeat in page.small_repeats)
    kept = list(itertools.islice(rows, limits.verdicts))
    return {"page": [n for n, _ in kept], "text": [one_line(r.text, limits.beginning) for _, r in kept],
            "lines": [list(r.lines[:10]) for _, r in kept]}


def _near_misses(report: Report, pages: _Pages, limits: Limits) -> list[dict[str, Any]] | None:
    """What came near and is not reported, with the reason in words; ``None`` where nobody asked."""
    from dedup.report.misses import miss_measures, why_missed

    if report.near_misses is None:
        return None
    return [{"why": why_missed(miss, report.options), "measures": miss_measures(miss),
             "sides": [[pages.number.get(side.page, -1), side.line, side.end_line, _beginning(side.text, limits)]
                       for side in (miss.a, miss.b)]} for miss in report.near_misses[:limits.notes]]


def _cut(shares: list[float]) -> list[float]:
    """Four decimals, rounded down: what is not equal never looks so."""
    column = np.array(shares, np.float64)
    cut: list[float] = np.where(column >= 1, 1.0, np.floor(column * 10_000 + 1e-6) / 10_000).tolist()
    return cut


__all__ = ["FORMAT", "LIMITS", "Limits", "changes", "fingerprint", "view_data"]
