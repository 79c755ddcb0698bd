"""What the viewer in ``report.html`` shows of a report, as columns: compact, bounded, the most wasteful passages first.

It is made from the keys of the JSON report only, so that a stored result gives the same view as a fresh scan; the texts of
pages are there too where they are known. ``viewer/src/data.ts`` reads it.
"""

from __future__ import annotations

import dataclasses
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from dedup.report.beneath import leaders, told_alone
from dedup.report.fingerprint import fingerprint
from dedup.report.gather import (
    each_page,
    edited_words,
    heads_of,
    matched_text,
    pages_of,
    places_of,
    ranked,
    rows_of,
    some_groups,
    stands_of,
)
from dedup.report.headline import Twice, headline, told_twice
from dedup.report.json import encode
from dedup.report.text import one_line
from dedup.report.troubles import troubles
from dedup.source_lines import line_feeds

if TYPE_CHECKING:
    from dedup.model import Group, Occurrence, PageReport, Verdict
    from dedup.report import Report

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
FORMAT = "dedup-view/1"
PIECE = 10_000  # entries of a list that are written at a time


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


class Lists(Sequence["list[int] | None"]):
    """Lists of numbers, or nothing in the place of one, in a column: objects would take ten times the memory."""

    def __init__(self) -> None:
        self._numbers, self._first, self._there = array("q"), array("q", [0]), bytearray()

    def extend(self, lists: Iterable[Sequence[int] | None]) -> None:
        """Put lists at the end."""
        for one in lists:
            self._numbers.extend(one or ())
            self._first.append(len(self._numbers))
            self._there.append(one is not None)

    def __len__(self) -> int:
        return len(self._there)

    @overload
    def __getitem__(self, index: int) -> list[int] | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[list[int] | None]: ...
    def __getitem__(self, index: int | slice) -> list[int] | Sequence[list[int] | None] | None:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self._numbers[self._first[index]:self._first[index + 1]].tolist() if self._there[index] else None


def view_data(report: Report, limits: Limits = LIMITS) -> dict[str, Any]:
    """The view of a report as JSON has it: ``view_columns`` as dicts and lists."""
    data: dict[str, Any] = _plain(view_columns(report, limits))
    return data


def view_chunks(view: Any) -> Iterator[bytes]:
    """``view_columns`` as JSON, in pieces."""
    if isinstance(view, dict):
        yield b"{"
        for n, (key, value) in enumerate(view.items()):
            yield b"," * (n > 0) + encode(key) + b":"
            yield from view_chunks(value)
        yield b"}"
    elif isinstance(view, (list, array, np.ndarray, Lists)):
        yield b"["
        for begin in range(0, len(view), PIECE):
            yield b"," * (begin > 0) + encode(_plain(view[begin:begin + PIECE]))[1:-1]
        yield b"]"
    else:
        yield encode(view)


def _plain(view: Any) -> Any:
    if isinstance(view, dict):
        return {key: _plain(value) for key, value in view.items()}
    return view.tolist() if isinstance(view, (array, np.ndarray)) else list(view) if isinstance(view, Lists) else view


def view_columns(report: Report, limits: Limits = LIMITS) -> dict[str, Any]:
    """The view of a report, long lists of numbers as columns.

    Columns of one list have the same length; a place's page is an index into the pages, a verdict's groups are indices
    into the groups shown. Offsets are code points. Shares and similarities are cut to four decimals, never rounded up.
    """
    from dedup.report.command import changed_settings, command_of

    told = troubles(report)
    lost, notes = ([[t.what, t.why, [list(place) for place in t.places], t.hidden] for t in told if t.is_note == is_note]
                   for is_note in (False, True))
    rows = _shown_groups(report, limits)
    pages = _Pages(report, rows, limits)
    passages = _passages(report, rows, pages, limits)
    number = {group: n for n, group in enumerate(passages["groups"]["id"])}
    view = {
        "format": FORMAT, "version": report.version, "digest": report.input_digest,
        "command": command_of(report), "settings": changed_settings(report.options, report.is_comparison),
        "asked": {name: value for name, value in report.options.results().items()
                  if name in ("unit", "find", "scope", "threshold", "min_tokens", "min_similarity", "between")},
        "comparison": report.is_comparison, "edited": edited_words(report, "it") if report.is_comparison else "",
        "summary": dataclasses.asdict(report.summary),
        "headline": headline(report, pages.twice),
        "words": sum(page.words for page in heads_of(report) if not page.reference), "pages": pages.columns(),
        **passages,
        "verdicts": pages.verdicts | {"groups": [[number[g] for g in said or () if g in number] for said in pages.said]},
        "repeats": pages.repeats,
        "causes": [{"kind": c.kind, "text": c.text, "remedy": c.remedy, "selector": c.selector, "pages": c.pages,
                    "groups": [number[g] for g in c.groups if g in number],
                    "examples": [pages.number[e] for e in c.examples if e in pages.number]} for c in report.causes],
        "troubles": lost[:limits.notes], "notes": notes[:limits.notes],
        "misses": _near_misses(report, pages, limits),
    }
    return view | {"all": {"groups": len(report.groups), "pages": len(report.pages), "troubles": len(lost),
                           "notes": len(notes)}}


def _shown_groups(report: Report, limits: Limits) -> I64:
    """Rows of the most wasteful groups, as many as places are shown."""
    alone = told_alone(report)  # the others come behind them
    rows = np.concatenate([alone, np.flatnonzero(leaders(report) >= 0)])[:limits.groups]
    places = np.cumsum(np.minimum(places_of(report, rows), limits.places))
    return rows[:max(1, int(np.searchsorted(places, limits.all_places, "right")))]


class _Pages:
    """The pages of a view, in the report's order, and which of them have their text in it.

    Attributes:
        number: Of each page, by its id.
        verdicts, said: Verdicts as columns, and the ids of the groups that each is about.
        repeats: Small repeats as columns.
        twice: What ``headline`` wants to know, by the row of the page.
    """

    def __init__(self, report: Report, groups: I64, limits: Limits) -> None:
        rows = _shown_pages(report, groups, limits)
        self.number: dict[str, int] = {}
        self.verdicts: dict[str, list[Any]] = {"page": [], "kind": [], "text": []}
        self.said = Lists()
        self.repeats: dict[str, list[Any]] = {"page": [], "text": [], "lines": []}
        self.twice: dict[int, Twice] = {}
        self._heads: list[tuple[Any, ...]] = []
        for row, page in zip(rows, each_page(report, rows), strict=True):
            self._add(row, page, limits)
        self.text = self._texts(report, rows, limits)
        self.lines = self._lines(report, rows)

    def _add(self, row: int, page: PageReport, limits: Limits) -> None:
        """Take from a page what is shown of it."""
        number = self.number[page.id] = len(self.number)
        self._heads.append((page.id, page.source if page.source != page.id else None, page.title, page.words, page.chars,
                            page.duplicate_chars, page.within_share, page.across_share, int(page.reference)))
        if told := told_twice(page):
            self.twice[row] = told
        for verdict in page.verdicts[:limits.verdicts - len(self.said)]:
            self.said.extend([verdict.groups])
            said: tuple[Any, ...] = (number, verdict.kind, _told(verdict))
            for name, value in zip(self.verdicts, said, strict=True):
                self.verdicts[name].append(value)
        for repeat in page.small_repeats[:limits.verdicts - len(self.repeats["page"])]:
            told_of: tuple[Any, ...] = (number, one_line(repeat.text, limits.beginning), list(repeat.lines[:10]))
            for name, value in zip(self.repeats, told_of, strict=True):
                self.repeats[name].append(value)

    def _texts(self, report: Report, rows: Sequence[int], limits: Limits) -> list[str | None]:
        """Texts of the pages with most repeats, as many as have room; of a page that was stored without: none."""
        known = getattr(report.pages, "texts", None)
        texts: list[str | None] = [None] * len(rows)
        room = limits.page_text
        chars = [head[4] for head in self._heads]
        shares = [max(head[6:8]) * size for head, size in zip(self._heads, chars, strict=True)]
        for number in sorted(range(len(rows)), key=lambda n: -shares[n]):
            if chars[number] > min(room, limits.page_bytes):
                continue
            text = known[rows[number]] if known is not None else report.pages[rows[number]].text
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
        for number, text in enumerate(self.text):
            if text is None:
                continue
            points = known[rows[number]] if known is not None else report.pages[rows[number]].lines
            if points:
                start, line = np.array(points).T
                feeds, first = np.unique(np.searchsorted(line_feeds(text), start), return_index=True)
                steps = np.diff(feeds, prepend=0)
                lines[number] = np.stack([steps, np.diff(line[first], prepend=0) - steps], axis=1).ravel().tolist()
        return lines

    def columns(self) -> dict[str, list[Any]]:
        """What the table of pages and the page view need."""
        names = "id", "source", "title", "words", "chars", "duplicate", "within", "across", "reference"
        columns = {name: [head[at] for head in self._heads] for at, name in enumerate(names)}
        for name in ("within", "across"):
            columns[name] = _cut(columns[name]).tolist()
        return columns | {"text": self.text, "lines": self.lines}


def _shown_pages(report: Report, groups: I64, limits: Limits) -> list[int]:
    """Rows of the pages that are shown: all where they have room, else those of the groups, then those with most repeats."""
    heads = heads_of(report)
    if len(heads) <= limits.pages:
        return list(range(len(heads)))
    wanted = pages_of(report, groups, limits.places)
    row = rows_of(report, wanted)
    chosen = dict.fromkeys([row[name] for name in wanted][:limits.pages])
    duplicate = np.fromiter((page.duplicate_chars for page in heads), np.int64, len(heads))
    for number in ranked(duplicate, len(heads)).tolist():
        if len(chosen) >= limits.pages:
            break
        chosen.setdefault(number)
    return sorted(chosen)


# Groups, their places, and the words in which these differ.


def _numbers() -> array[int]:
    return array("q")


def _shares() -> array[float]:
    return array("d")


@dataclass(slots=True)
class _Columns:
    """The places of all groups, one after the other."""

    page: array[int] = field(default_factory=_numbers)
    start: array[int] = field(default_factory=_numbers)
    size: array[int] = field(default_factory=_numbers)
    line: array[int] = field(default_factory=_numbers)
    lines: array[int] = field(default_factory=_numbers)
    path: array[int] = field(default_factory=_numbers)
    similarity: array[float] = field(default_factory=_shares)
    jaccard: array[float] = field(default_factory=_shares)
    containment: array[float] = field(default_factory=_shares)
    text: array[int] = field(default_factory=_numbers)
    copies: array[int] = field(default_factory=_numbers)
    parts: Lists = field(default_factory=Lists)
    changes: Lists = field(default_factory=Lists)


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


def _passages(report: Report, rows: I64, pages: _Pages, limits: Limits) -> dict[str, Any]:
    """Groups and places as columns; a group of which no two pages are shown is none of them.

    A place's ``text`` is a row of ``texts``; -1: cut it out of its page's text; -2: it is not there. ``parts`` are pairs
    ``from the place's start, length``. ``changes`` say how the place differs from the group's representative: four numbers
    a change, ``equal characters before it in either, characters in the representative, in the place``, part by part;
    ``None`` where nothing differs or it was not compared (then ``compared`` of the group is 0).
    """
    columns, texts, paths = _Columns(), _Table(limits.group_text), _Table(2**40)
    heads: list[tuple[Any, ...]] = []
    room = limits.changes
    for row, group in zip(rows.tolist(), some_groups(report, rows), strict=True):
        places = _places(group, limits)
        first = group.occurrences[group.representative]
        places = [o for o in places if o.page in pages.number]
        if len(places) < 2 or first.page not in pages.number:
            continue
        _add_places(columns, places, pages, texts, paths)
        known = pages.text[pages.number[first.page]] is not None
        beginning = None if known or texts.add(first.text) >= 0 else _beginning(matched_text(first, "…"), limits)
        near = [(n, place) for n, place in enumerate(places)
                if place.text != first.text and place.copies == first.copies == 1]
        costs = [len(first.text) + len(place.text) for _, place in near]
        compared = int(sum(costs) <= room and max(costs, default=0) <= limits.pair_changes)
        differ: list[list[int] | None] = [None] * len(places)
        if compared:
            room -= sum(costs)
            for at, place in near:
                differ[at] = changes(first, place)
        columns.changes.extend(differ)
        lead = next(n for n, place in enumerate(places) if place is first)
        heads.append((group.id, group.kind, group.tokens, group.similarity, group.blocks, lead, len(places),
                      len(group.occurrences), stands_of(report, row, group)[0], int(group.truncated), group.related,
                      group.part_of, beginning, compared, fingerprint(group)))
    names = ("id", "kind", "tokens", "similarity", "blocks", "representative", "places", "all_places", "count", "truncated",
             "related", "part_of", "beginning", "compared", "fingerprint")
    groups: dict[str, list[Any]] = {name: [head[at] for head in heads] for at, name in enumerate(names)}
    number = {group: n for n, group in enumerate(groups["id"])}
    groups["similarity"] = _cut(groups["similarity"]).tolist()
    groups["related"] = [[number[other] for other in others if other in number] for others in groups["related"]]
    groups["part_of"] = [-1 if leader is None else number.get(leader, -1) for leader in groups["part_of"]]
    every: dict[str, Any] = {name.name: getattr(columns, name.name) for name in dataclasses.fields(columns)}
    every |= {name: _cut(every[name]) for name in ("similarity", "jaccard", "containment")}
    return {"groups": groups, "places": every, "texts": texts.rows, "paths": paths.rows}


def _places(group: Group, limits: Limits) -> list[Occurrence]:
    """The first places of a group, its representative among them."""
    places = list(group.occurrences[:limits.places])
    if group.representative >= limits.places:
        places[-1] = group.occurrences[group.representative]
    return places


def _add_places(columns: _Columns, places: Sequence[Occurrence], pages: _Pages, texts: _Table, paths: _Table) -> None:
    """Put the places of a group at the end, column by column: one by one they would take twice the time."""
    numbers = [pages.number[place.page] for place in places]
    columns.page.extend(numbers)
    columns.start.extend([place.start for place in places])
    columns.size.extend([place.end - place.start for place in places])
    columns.line.extend([place.line for place in places])
    columns.lines.extend([place.end_line - place.line for place in places])
    columns.path.extend([paths.add(place.path) if place.path else -1 for place in places])
    columns.similarity.extend([place.similarity for place in places])
    columns.jaccard.extend([place.jaccard for place in places])
    columns.containment.extend([place.containment for place in places])
    columns.text.extend([-1 if pages.text[page] is not None else -2 if (row := texts.add(place.text)) < 0 else row
                     for page, place in zip(numbers, places, strict=True)])
    columns.copies.extend([place.copies for place in places])
    columns.parts.extend([None if not place.parts else [
        number for start, end in place.parts for number in (start - place.start, end - start)] for place in places])


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


def _beginning(text: str, limits: Limits) -> str:
    return re.sub(r" ?\.\.\.$", " …", one_line(text, limits.beginning))


# The rest.


def _told(verdict: Verdict) -> str:
    """A verdict's sentence; of ``shared`` without the pages and words, which the viewer knows from the groups."""
    if verdict.kind == "shared":
        told, cut, _ = verdict.text.partition(" too (")
        return f"{told} too" if cut else told
    return "; ".join(filter(None, (verdict.text, str(verdict.evidence.get("besides", "")))))


def _near_misses(report: Report, pages: _Pages, limits: Limits) -> list[dict[str, Any]] | None:
    """What came near and is not reported, with the reason in words; ``None`` where nobody asked."""
    from dedup.report.misses import miss_measures, why_missed

    if report.near_misses is None:
        return None
    return [{"why": why_missed(miss, report.options), "measures": miss_measures(miss),
             "sides": [[pages.number.get(side.page, -1), side.line, side.end_line, _beginning(side.text, limits)]
                       for side in (miss.a, miss.b)]} for miss in report.near_misses[:limits.notes]]


def _cut(shares: Sequence[float]) -> F64:
    """Four decimals, rounded down: what is not equal never looks so."""
    column = np.array(shares, np.float64)
    return np.where(column >= 1, 1.0, np.floor(column * 10_000 + 1e-6) / 10_000)


__all__ = ["FORMAT", "LIMITS", "Limits", "changes", "fingerprint", "view_chunks", "view_columns", "view_data"]
