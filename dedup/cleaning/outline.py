"""The outline of an HTML page: its elements and texts with their places, as the reader walks them. Worker processes only."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

from dedup.cleaning.seams import Range, has_words, says_something
from dedup.readers.elements import LEFT_OUT, Place
from dedup.readers.html import Run, Step, Walk, location_of, walked
from dedup.readers.sourcemap import LineEnds, Points

OPEN, CLOSE = "\x02", "\x03"  # no text begins with them, but of pages that mean harm
EMBEDDED = frozenset("img video audio canvas object embed iframe map area source track".split())  # noqa: SIM905
CONTROLS = frozenset("input select textarea output progress meter keygen".split())  # noqa: SIM905
MACHINERY = frozenset(
    "script style link meta base template noscript slot param svg noembed noframes frameset frame".split())  # noqa: SIM905
_FIXED = frozenset("html head body td th option optgroup col colgroup frameset frame".split())  # noqa: SIM905
# What a page shows in the end comes first: where pictures load late, `src` is the same empty one for all.
_SOURCES = ("data-src", "data-lazy-src", "data-original", "data-srcset", "src", "srcset", "data", "poster", "usemap", "name")
_SAID = re.compile(r"<(?:title|desc)\b[^>]*>([^<]*)", re.IGNORECASE)  # of a drawing, read aloud
ALT = "\n"  # between what an image is known by and what is read aloud for it
_SMALL_DRAWING = 2000  # code points of an svg without text that is taken for an icon


@dataclass(slots=True)
class Element:
    """An element of a page.

    Attributes:
        start, start_end: Its start tag in the normalised source; -1 where it has none.
        end: Where it ends, past its end tag; -1 where that is not known.
        first, last: The texts inside it, half-open.
        past: Number of the first element behind it and all that is inside it.
        opened, closed: Its events, half-open.
        holds: What it is beside text: a key by which another one can stand for it. None: nothing. "": like nothing else.
    """

    tag: str
    start: int
    start_end: int
    place: Place
    opened: int
    first: int
    end: int = -1
    last: int = 0
    past: int = 0
    closed: int = 0
    holds: str | None = None
    fixed: bool = False


@dataclass(slots=True)
class Node:
    """A text node: the event it is, its block, and where it stands in the text of the block's run."""

    event: int
    data: str
    raw: Range
    block: int = -1


@dataclass(slots=True)
class Block:
    """A block of the page: where it stands in the page's text, and what leads back.

    Attributes:
        to_raw: Points from its text to the text of its run.
        breaks: Elements ``br`` right before and behind it, -1 where there is none.
        nodes: Its text nodes, half-open.
    """

    start: int
    text: str
    to_raw: Points
    run: Run
    keep_blanks: bool
    breaks: Range
    nodes: Range

    def raw_range(self, start: int, end: int) -> Range:
        """The range of the run's text for a range of the block's text, not empty."""
        return self._raw(start), self._raw(end - 1) + 1

    def _raw(self, at: int) -> int:
        row = bisect_right(self.to_raw, at, key=lambda point: point[0]) - 1
        return self.to_raw[row][1] + at - self.to_raw[row][0]

    def text_range(self, start: int, end: int) -> Range:
        """The range of the block's text that a range of the run's text became."""
        return self._text(start), self._text(end)

    def _text(self, at: int) -> int:
        row = bisect_right(self.to_raw, at, key=lambda point: point[1]) - 1
        if row < 0:
            return 0
        stop = self.to_raw[row + 1][0] if row + 1 < len(self.to_raw) else len(self.text)
        return min(self.to_raw[row][0] + at - self.to_raw[row][1], stop)

    def source_range(self, start: int, end: int) -> Range:
        """Where a range of the run's text, inside one text node, stands in the normalised source; the run is exact."""
        raw, source = self.run.raw_offsets, self.run.source_offsets
        row = bisect_right(raw, start) - 1
        first = source[row] + start - raw[row]
        row = bisect_left(raw, end)
        if row < len(raw) and raw[row] == end:
            return first, source[row]
        return first, source[row - 1] + end - raw[row - 1]


_WIDTHS = ("100 120 128 150 160 180 200 220 240 250 256 300 320 350 360 375 400 414 420 450 480 500 512 540 600 640 650 680 "
           "700 720 750 768 800 850 900 960 1000 1024 1080 1100 1200 1280 1366 1400 1440 1500 1536 1600 1680 1800 1920 2000 "
           "2048 2400 2560 3840")
_SIZE = re.compile(r"(?<=[\w.%])[-_.@](?:[0-9]{2,4}x[0-9]{2,4}|[1-4]x|(?:" + _WIDTHS.replace(" ", "|") + r")[wp]?"
                   r"|small|medium|large|thumb|thumbnail|mobile|desktop|tablet|scaled)(?=[-_.@/]|\Z)", re.IGNORECASE)


_SIZING = frozenset((
    "w", "h", "width", "height", "imwidth", "s", "size", "sz", "q", "quality", "dpr", "fit", "crop", "rect", "resize",
    "scale", "zoom", "auto", "fm", "format", "strip", "ssl", "v", "ver", "version"))


def one_size(address: str) -> str:
    """The address of an image without what says its size or version: one picture for phones and for desktops has one.

    >>> one_size("src=/img/bridge-1200.jpg"), one_size("src=/img/bridge-400@2x.jpg"), one_size("src=/img/IMG_1234.jpg")
    ('src=/img/bridge.jpg', 'src=/img/bridge.jpg', 'src=/img/IMG_1234.jpg')
    """
    path, _, query = address.partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0].lower() not in _SIZING]
    return _SIZE.sub("", path) + ("?" + "&".join(kept) if kept else "")


class Outline(Walk):
    """A walk that keeps what it sees.

    Attributes:
        elements: In document order.
        texts: Text nodes that blocks are made of, in document order.
        blocks: As the reader makes them.
        events: The tree in document order: start tags as they stand in the source behind ``OPEN``, ``CLOSE`` for an
            element's end, texts without their white space.
    """

    watched = True

    def __init__(self, ends: LineEnds) -> None:
        super().__init__(ends)
        self.elements: list[Element] = []
        self.texts: list[Node] = []
        self.blocks: list[Block] = []
        self.events: list[str] = []
        self.tags: list[int] = []
        self._open: list[int] = []
        self._break = self._last_break = -1
        self._run_first = 0
        self._tied: set[int] = set()  # tables whose rows hang together

    def _place(self, node: Any, tag: str, number: int, around: Place, selected: Any, ignored: Any) -> Place:
        place = super()._place(node, tag, number, around, selected, ignored)
        location = location_of(node)
        start = start_end = -1
        sign = tag
        if location:
            start, start_end = location.start_tag.start_offset, location.start_tag.end_offset
            sign = self.source[start:start_end]
            self.tags.append(start)
        number = len(self.elements)
        element = Element(tag, start, start_end, place, len(self.events), len(self.texts))
        self.events.append(OPEN + sign)
        self.elements.append(element)
        self._open.append(number)
        self._break = number if tag == "br" else -1
        self._hold(element, node, sign, ignored)
        if tag in ("td", "th") and (node.attr("rowspan") or "1").strip() != "1":
            self._fix_rows()
        return place

    def _hold(self, element: Element, node: Any, sign: str, ignored: Any) -> None:
        """What the element is beside its text."""
        tag, attr = element.tag, node.attr
        element.fixed = tag in _FIXED or element.start < 0 or element.place.dead or not element.place.wanted
        if element.place.dead and ((ignored and node in ignored) or tag not in LEFT_OUT):
            element.holds = ""
        elif tag in EMBEDDED:
            if attr("aria-hidden") != "true" and attr("role") not in ("presentation", "none"):
                named = next((f"{name}={value}" for name in _SOURCES if (value := attr(name))), sign)
                element.holds = f"{tag} {one_size(named) if tag == 'img' else named}"
                if says_something(said := attr("alt") or "", 0, len(said)):
                    element.holds += ALT + " ".join(said.split())
        elif tag in CONTROLS:
            element.holds = f"{tag} {attr('type')} {attr('name')} {attr('value')} {attr('placeholder')}"
        elif tag in MACHINERY or "-" in tag:
            element.holds = "?"  # its whole source; known when it ends
        if element.holds is None and "url(" in (attr("style") or "").lower():
            element.holds = f"style {attr('style')}"

    def _fix_rows(self) -> None:
        """A cell that reaches into other rows: no row of its table goes by itself."""
        for number in reversed(self._open):
            element = self.elements[number]
            if element.tag == "table":
                self._tied.add(number)
                return

    def _text(self, data: str, flags: int, linked: bool) -> None:
        run = self.run
        before = run.size
        super()._text(data, flags, linked)
        bare = "".join(data.split())
        if self._open and not has_words(data, 0, len(data)) and says_something(data, 0, len(data)):
            around = self.elements[self._open[-1]]
            around.holds = around.holds if around.holds is not None else f"symbols {bare}"
        if run.size > before:
            self.texts.append(Node(len(self.events), data, (before, run.size)))
            self.events.append(bare)
        elif bare:
            self.events.append(bare)

    def _unread(self, data: str) -> None:
        self.events.append("".join(data.split()))

    def _leave(self, node: Any, block: Place, place: Place) -> None:
        self._break = -1
        super()._leave(node, block, place)
        element = self.elements[self._open.pop()]
        location = location_of(node)
        tags = (location.end_tag.start_offset, location.end_tag.end_offset) if location and location.end_tag else None
        element.past, element.last = len(self.elements), len(self.texts)
        if tags:
            element.end = tags[1]
            self.tags.append(tags[0])
        elif element.start >= 0:
            element.end = -2 - max(self.at, element.start_end)  # it ends before the next tag: see `_close`
        if element.place.dead and element.tag in LEFT_OUT and tags:
            self.events.append(self.source[element.start_end:tags[0]])
        self.events.append(CLOSE)
        element.closed = len(self.events)

    def flush(self, block: Place, border: Step | None) -> None:
        count = len(self.blocks)
        breaks = (self._last_break, self._break)
        self._last_break = self._break
        super().flush(block, border)
        if len(self.blocks) > count:
            found = self.blocks[-1]
            found.breaks, found.nodes = breaks, (self._run_first, len(self.texts))
            for node in self.texts[self._run_first:]:
                node.block = count
        self._run_first = len(self.texts)

    def _add(self, text: str, raw: str, to_raw: Points, run: Run, block: Place, place: Range, points: Points) -> None:
        super()._add(text, raw, to_raw, run, block, place, points)
        start = self.builder.size - len(text)
        self.blocks.append(Block(start, text, to_raw, run, block.keep_blanks, (-1, -1), (0, 0)))

    def close(self) -> None:
        """Complete what is known only at the end of the page."""
        self.tags.sort()
        self.tags.append(len(self.source))
        for element in self.elements:
            if element.end < -1:
                at = -2 - element.end
                following = self.tags[min(bisect_left(self.tags, at), len(self.tags) - 1)]
                element.end = at if not self.source[at:following].strip() else following
            if element.holds == "?":
                element.holds = self._machinery(element)
            elif element.tag == "textarea" and element.holds:
                element.holds += f" {self.source[element.start_end:element.end]}"
        for table in self._tied:
            for element in self.elements[table:self.elements[table].past]:
                element.fixed = element.fixed or element.tag == "tr"

    def _machinery(self, element: Element) -> str | None:
        """What a script, a drawing, or an element of the page's own making is."""
        source = self.source[element.start:element.end] if element.start >= 0 else ""
        if not source:
            return ""
        if element.tag == "svg" and ("<text" not in source and len(source) < _SMALL_DRAWING):
            said = " ".join(_SAID.findall(source))
            return f"svg {said}" if has_words(said, 0, len(said)) else None
        if "-" in element.tag and element.first < element.last:
            return None  # it has text, like any element
        return source


def outline_of(ends: LineEnds, select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> Outline:
    """The outline of a page."""
    outline = walked(ends, select, ignore, Outline)
    outline.close()
    return outline

