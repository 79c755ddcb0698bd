"""HTML to blocks with their places in the source. With `dedup.cleaning.outline` and the kernel's ``html_blocks``, all that
knows turbohtml; the `Walk` below is what cleaning uses, and the twin of the compiled one.

Runs in worker processes only (but for the check of CSS selectors): a hostile page must not take the program along.
Of turbohtml, ``parse``, ``children``, ``tag``, ``data``, ``attr``, ``attrs``, ``position``, ``source_location`` and
``select`` are used, nothing else: what every release of it tests best. Its offsets count LF-normalised text; text nodes have
no place, so it is found behind the tag before them and kept only where the source reads the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from dedup.errors import OptionError
from dedup.kernel import kernel
from dedup.readers import parsed as kinds
from dedup.readers.elements import (
    BLOCKS,
    BORDERS,
    CONTENT,
    KEEP_BLANKS,
    KINDS,
    LEFT_OUT,
    MAY_HOLD_THE_PAGE,
    Place,
    element_step,
    outermost,
    path_of,
)
from dedup.readers.hints import FOOTER, NAVIGATION, QUOTE, element_flags, tag_flags
from dedup.readers.parsed import PageBuilder, PageLimitError, Parsed
from dedup.readers.sourcemap import BLANK, Budget, LineEnds, Points, collapse, compose, locate, normalised

PAGE_SHARE = 0.6  # of the source: an element that holds more is no menu, footer or quote
MAX_NODES = 3_000_000
Step = Any  # a tag that was passed: an element for its start tag, ``(element,)`` for its end


def check_selectors(select: Sequence[str], ignore: Sequence[str]) -> None:
    """Raise `OptionError` for a CSS selector that cannot be read."""
    if not select and not ignore:
        return
    import turbohtml

    document = turbohtml.parse("")
    for name, selectors in (("select", select), ("ignore", ignore)):
        for selector in selectors:
            try:
                document.select(selector)
            except ValueError as error:
                raise OptionError(str(error), name) from error


class Run:
    """Text between two block borders, as it is collected.

    Attributes:
        size: Code points of all parts.
        begin: Source offset after which the first part stands.
        flags: Flags that all of its text has: inline <code> makes no block of code.
    """

    __slots__ = ("begin", "exact", "flags", "links", "parts", "raw_offsets", "size", "source_offsets")

    def __init__(self) -> None:  # there are as many as blocks: a data class takes twice as long to make
        self.parts: list[str] = []
        self.raw_offsets: list[int] = []
        self.source_offsets: list[int] = []
        self.links: list[tuple[int, int]] = []
        self.size = self.begin = 0
        self.flags = 0xff
        self.exact = True


class Walk:
    """One pass over a tree in document order, without recursion; blocks go to `builder`.

    Python objects are made only where they say something: no `Place` for an element that can hold no block, no source
    location (the dearest thing to ask of turbohtml) but of the tag right before a text. The tags passed since the last
    text whose place is known are the *trail*.
    """

    watched = False  # a subclass sees each element, those without text too

    def __init__(self, ends: LineEnds) -> None:
        self.source = ends.text
        self.builder = PageBuilder(ends)
        self.run = Run()
        self.budget = Budget(200_000 + len(self.source) // 4)
        self.nodes = 0
        self.first_heading: str | None = None
        self._at = 0
        self._trail: list[Step] = []  # and the blanks between tags, as strings
        self._places: list[Place] = []  # of the blocks

    def walk(self, root: Any, selected: frozenset[Any] | None, ignored: frozenset[Any], max_nodes: int) -> bool:
        """Read everything under `root`, or what is `selected`; false where there are too many nodes."""
        import turbohtml

        text_type: Any = turbohtml.Text
        element_type: Any = turbohtml.Element
        trail = self._trail
        watched = self.watched
        every = watched or selected is not None or bool(ignored)  # each element is looked at
        place = outermost(selected is None)
        block, linked = place, False
        siblings = iter([root])
        open_elements: list[tuple[Any, Iterator[Any], Place, Place, bool]] = []
        while True:
            for node in siblings:
                if type(node) is text_type:
                    data = node.data
                    if place.dead or not place.wanted:
                        self._unread(data)
                    elif data.isspace() and not self.run.parts and not data.strip(BLANK):
                        trail.append(data)  # blanks between blocks move the place on, no more
                    else:
                        self._text(data, place.flags, linked)
                    continue
                if type(node) is not element_type:
                    continue
                tag = node.tag
                number = place.counts[tag] = place.counts.get(tag, 0) + 1
                children = () if tag in LEFT_OUT else node.children
                if not every and (not children or (tag not in BORDERS and type(children[0]) is text_type
                                                   and len(children) == 1)):
                    if tag in BORDERS and self.run.parts:
                        self.flush(block, node)
                    trail.append(node)
                    if children:
                        self.nodes += 1
                        if self.nodes > max_nodes:
                            return False
                        self._leaf(node, tag, children[0].data, place, linked)
                    trail.append((node,))
                    continue
                self.nodes += len(children)
                if self.nodes > max_nodes:
                    return False
                open_elements.append((node, siblings, place, block, linked))
                place = self._place(node, tag, number, place, selected, ignored)
                if tag in BORDERS and (watched or self.run.parts):
                    self.flush(block, node)
                if tag in BLOCKS:
                    block = place
                elif tag == "a":
                    linked = linked or node.attr("href") is not None
                trail.append(node)
                siblings = iter(children)
                break
            else:
                if not open_elements:
                    break
                self._leave(open_elements[-1][0], block, place)
                _, siblings, place, block, linked = open_elements.pop()
        self.flush(block, None)
        self.builder.paths = list(map(path_of, self._places))
        return True

    def _leaf(self, node: Any, tag: str, data: str, place: Place, linked: bool) -> None:
        """An element in a line that holds a text and nothing else."""
        if data.isspace() and not self.run.parts and not data.strip(BLANK):
            self._trail.append(data)
            return
        flags, content = place.flags, place.content or place.tag in CONTENT
        if node.attrs:
            attr = node.attr
            flags |= element_flags(tag, content, attr("class"), attr("id"), attr("role"), attr("hidden") is not None,
                                   attr("style"))
            linked = linked or (tag == "a" and attr("href") is not None)
        else:
            flags |= tag_flags(tag, content)
        self._text(data, flags, linked)

    def _place(self, node: Any, tag: str, number: int, around: Place, selected: frozenset[Any] | None,
               ignored: frozenset[Any]) -> Place:
        """The place of an element inside another one: what its attributes and the selectors say."""
        content = around.content or around.tag in CONTENT
        flags = around.flags if tag != "main" else around.flags & ~(NAVIGATION | FOOTER)
        name = classes = None
        if node.attrs:
            attr = node.attr
            name, classes = attr("id"), attr("class")
            own = element_flags(tag, content, classes, name, attr("role"), attr("hidden") is not None, attr("style"))
            if own & (NAVIGATION | QUOTE) and tag in MAY_HOLD_THE_PAGE and self._holds_the_page(location_of(node)):
                own &= ~(NAVIGATION | FOOTER | QUOTE)
            flags |= own
        else:
            flags |= tag_flags(tag, content)
        place = Place(around, tag, number, around.depth + 1, KINDS.get(tag, around.kind), flags, content,
                      around.keep_blanks or tag in KEEP_BLANKS, around.dead or tag in LEFT_OUT, around.wanted,
                      name, classes, {})
        if selected and node in selected:
            place.wanted = True
        if ignored and node in ignored:
            place.dead = True
        return place

    def _holds_the_page(self, location: Any) -> bool:
        """Whether most of the source lies inside: "sticky-footer" names a page with one, not its footer."""
        if location is None or location.end_tag is None:
            return False
        inside: int = location.end_tag.start_offset - location.start_tag.end_offset
        return inside > PAGE_SHARE * len(self.source)

    @property
    def at(self) -> int:
        """End of the last tag or text whose place is known."""
        if self._trail:
            self._follow()
        return self._at

    def _follow(self) -> None:
        """Go on to the end of the trail: its last tag that stands in the source, and the blanks behind it."""
        trail = self._trail
        blanks = []
        while trail:
            step = trail.pop()
            if type(step) is str:
                blanks.append(step)
            elif span := _span(step):
                self._at = span.end_offset
                trail.clear()
        for data in reversed(blanks):
            if self.source.startswith(data, self._at):
                self._at += len(data)
            elif points := locate(data, self.source, self._at, self.budget):
                self._at = points[-1][1]

    def _text(self, data: str, flags: int, linked: bool) -> None:
        """Take a text node into the run; `flags` are those of its element."""
        if self._trail:
            self._follow()
        run, at = self.run, self._at
        if not run.parts:
            run.begin = at
        size = run.size + len(data)
        if self.source.startswith(data, at):
            self._at = at + len(data)
            run.raw_offsets += (run.size, size)
            run.source_offsets += (at, self._at)
        elif points := locate(data, self.source, at, self.budget):
            self._at = points[-1][1]
            run.raw_offsets += [run.size + text for text, _ in points]
            run.source_offsets += [source for _, source in points]
        else:
            run.exact = False
        run.parts.append(data)
        if linked:
            run.links.append((run.size, size))
        run.size = size
        if not data.isspace():
            run.flags &= flags

    def _unread(self, data: str) -> None:
        """Pass by a text node that is left out."""

    def _leave(self, node: Any, block: Place, place: Place) -> None:
        """Close an element."""
        if place is block and (self.watched or self.run.parts):
            self.flush(block, (node,))
        self._trail.append((node,))

    def flush(self, block: Place, border: Step | None) -> None:
        """End the run at a block border: a tag, or the end of the source."""
        run = self.run
        if not run.parts:
            return
        self.run = Run()
        raw = "".join(run.parts) if len(run.parts) > 1 else run.parts[0]
        text, to_raw = collapse(raw, block.keep_blanks)
        if not text:
            return
        points: Points = []
        if run.exact:
            points, last = compose(len(text), to_raw, run.raw_offsets, run.source_offsets)
            first = points[0][1]
            if last <= first or (len(points) > 1 and any(b[1] - a[1] < (b[0] > a[0]) for a, b in pairwise(points))):
                run.exact = False  # text that the parser moved: the slice would not read like it
        if not run.exact:
            span = _span(border) if border is not None else None
            end = span.start_offset if span else self.at if border is not None else len(self.source)
            points, first, last = [], run.begin, max(end, run.begin)
        if self.first_heading is None and block.kind == kinds.HEADING:
            self.first_heading = text
        self._add(text, raw, to_raw, run, block, (first, last), points)

    def _add(self, text: str, raw: str, to_raw: Points, run: Run, block: Place, place: tuple[int, int],
             points: Points) -> None:
        """Add a block; `to_raw` leads from its text to `raw`, the text of its run."""
        self._places.append(block)
        self.builder.add(text, place, points, kind=block.kind, flags=block.flags | run.flags,
                         link_chars=_link_chars(run.links, raw, len(text)) if run.links else 0,
                         element=block.row if block.row >= 0 else self._element(block))

    def _element(self, place: Place) -> int:
        """Row of an element that holds a block; elements around it that have none get theirs first."""
        new = []
        known = place
        while known.row < 0 and known.parent is not None:
            new.append(known)
            known = known.parent
        row, add = known.row, self.builder.add_element
        for step in reversed(new):
            row = step.row = add(row, element_step(step.tag, step.name, step.classes))
        return row


def location_of(node: Any) -> Any:
    """Where the tags of an element stand in the source, or ``None`` where it has none there."""
    try:
        return node.source_location
    except UnicodeDecodeError:  # the name of an attribute has a lone surrogate, and the parser lists all of them
        return None


def _span(step: Step) -> Any:
    """Where a tag stands in the source, or ``None`` where it does not; of an end, where there is an end tag only."""
    if type(step) is tuple:
        location = location_of(step[0])
        return location.end_tag if location else None
    location = location_of(step)
    return location.start_tag if location else None


AnyWalk = TypeVar("AnyWalk", bound=Walk)


def _link_chars(links: list[tuple[int, int]], raw: str, size: int) -> int:
    """Characters of a block's text inside links, from the ranges of links in its raw text."""
    if size == len(raw):
        return sum(end - start for start, end in links)
    return min(size, sum(len(collapse(raw[start:end], False)[0]) for start, end in links))


def read_html(source: str, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> Parsed:
    """Read a page.

    Args:
        source: The decoded source without byte order mark, line ends as they are.
        select: CSS selectors; only what is inside elements that match one is read. None: everything.
        ignore: CSS selectors; what is inside elements that match one is left out.

    Raises:
        PageLimitError: It has too many nodes.
        MemoryError: The memory that the process may take does not hold it.
    """
    document = _document(normalised(source))
    found = kernel.html_blocks(source, document.root, *_chosen(document, select, ignore), MAX_NODES)
    if found is None:
        raise _too_many_nodes()
    *packed, columns, heading = found
    return Parsed((packed[0], packed[1], packed[2]), columns, _title(document) or heading)


def walked(ends: LineEnds, select: Sequence[str], ignore: Sequence[str], kind: type[AnyWalk]) -> AnyWalk:
    """A walk of a kind that has been over a page; see `read_html`."""
    document = _document(ends.text)
    walk = kind(ends)
    if not walk.walk(document.root, *_chosen(document, select, ignore), MAX_NODES):
        raise _too_many_nodes()
    return walk


def _document(source: str) -> Any:
    """The parser's document of a page, line ends turned into LF."""
    import turbohtml

    _check_size(source)
    return turbohtml.parse(source, source_locations=True, allow_declarative_shadow_roots=False)


def _chosen(document: Any, select: Sequence[str], ignore: Sequence[str]) -> tuple[frozenset[Any] | None, frozenset[Any]]:
    """The elements that are asked for, ``None`` for all, and those to be left out."""
    return _matching(document, select) if select else None, _matching(document, ignore)


def _too_many_nodes() -> PageLimitError:
    return PageLimitError(f"more than {MAX_NODES:,} nodes of HTML")


# A start tag with the text behind it, or the text behind an end tag: the nodes of a page, nearly.
_NODE = re.compile("<[A-Za-z][^<>]*(>[^<])?|</[A-Za-z][^<>]*>[^<]")
_RAW = re.compile("<!--|<(script|style|textarea|title|xmp|iframe|noembed|noframes)\\b", re.IGNORECASE)


def _check_size(source: str) -> None:
    """Refuse a page that surely has too many nodes before it is parsed, which takes a minute and all the memory."""
    if len(source) < 2 * MAX_NODES:  # <b>x: two nodes in four characters
        return
    nodes = at = 0
    while nodes <= MAX_NODES and at < len(source):
        raw = _RAW.search(source, at)  # what looks like tags in a script or comment is text
        for found in _NODE.finditer(source, at, raw.start() if raw else len(source)):
            nodes += 1 + (found.lastindex is not None)
            if nodes > MAX_NODES:
                raise _too_many_nodes()
        if not raw:
            return
        closing = re.compile(f"</{raw[1]}" if raw[1] else "-->", re.IGNORECASE).search(source, raw.end())
        at = closing.end() if closing else len(source)


def _matching(document: Any, selectors: Iterable[str]) -> frozenset[Any]:
    """The elements that match any of the selectors."""
    return frozenset(element for selector in selectors for element in document.select(selector))


def _title(document: Any) -> str | None:
    """Text of the first title; one that stands in the body by mistake is as good."""
    title = next((inside for head in document.root.children if getattr(head, "tag", "") == "head"
                  for inside in head.children if getattr(inside, "tag", "") == "title"), None)
    if title is None:
        title = document.select_one(":not(svg) > title")
    return (collapse(title.text, False)[0] or None) if title is not None else None
