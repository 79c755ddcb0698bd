"""HTML to blocks with their places in the source. The only module that knows turbohtml, with `dedup.cleaning.outline`.

Runs in worker processes only (but for the check of CSS selectors): a hostile page must not take the program along.
Of turbohtml, ``parse``, ``children``, ``attr``, ``source_location`` and ``select`` are used, nothing else: what every
release of it tests best. Its offsets count LF-normalised text; text nodes have no place, so it is found behind the
tag before them and kept only where the source reads the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

from dedup.errors import OptionError
from dedup.readers import parsed as kinds
from dedup.readers.hints import FOOTER, NAVIGATION, QUOTE, element_flags, words
from dedup.readers.parsed import PageBuilder, PageLimitError, Parsed
from dedup.readers.sourcemap import BLANK, Budget, LineEnds, Points, collapse, compose, locate

BLOCKS = words(
    "address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup html label legend li listing main "
    "menu nav ol optgroup option p pre search section select summary table tbody td tfoot th thead tr ul xmp")
LEFT_OUT = frozenset(
    "head iframe noembed noframes noscript script style svg template textarea title".split())  # noqa: SIM905
_BREAKS = frozenset({"br", "hr"})
_KEEP_BLANKS = frozenset({"pre", "listing", "xmp"})
_CONTENT = frozenset({"article", "section", "main"})
_KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), kinds.HEADING), **dict.fromkeys(_KEEP_BLANKS, kinds.CODE),
    "li": kinds.LIST_ITEM, "dt": kinds.LIST_ITEM, "dd": kinds.LIST_ITEM, "td": kinds.CELL, "th": kinds.CELL,
    "caption": kinds.CAPTION, "figcaption": kinds.CAPTION,
    **dict.fromkeys(("p", "blockquote", "article", "section", "main", "aside", "table", "ul", "ol", "dl", "nav",
                     "header", "footer", "form"), kinds.PARAGRAPH)}
LONGEST_CLASS = 1000  # code points of all classes that are kept
PAGE_SHARE = 0.6  # of the source: an element that holds more is no menu, footer or quote
MAX_NODES = 3_000_000
MAX_PATH_STEPS = 64  # deeper ones end in //tag: a page of n blocks at depth 512 would have n long paths
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z")


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


@dataclass(slots=True)
class Place:
    """An open element: what its text needs to know.

    Attributes:
        parent: The element around it.
        number: Which child of its tag it is, from 1; 0 for the only one.
        depth: Steps from the root.
        content: It stands in an article, a section or main.
        path: Its path, once asked for.
        names: Its ``id`` and ``class``.
        row: Its row among the elements that hold blocks, once it holds one.
        dead: Its text is left out.
        wanted: It is inside what ``select`` names.
    """

    parent: Place | None
    tag: str
    number: int
    depth: int
    kind: int
    flags: int
    content: bool
    keep_blanks: bool
    dead: bool
    wanted: bool
    path: str | None = None
    names: tuple[str | None, str | None] = (None, None)
    row: int = -1


@dataclass(slots=True)
class Run:
    """Text between two block borders, as it is collected."""

    parts: list[str] = field(default_factory=list)
    size: int = 0  # code points of all parts
    raw_offsets: list[int] = field(default_factory=list)
    source_offsets: list[int] = field(default_factory=list)
    exact: bool = True
    begin: int = 0  # source offset after which the first part stands
    links: list[tuple[int, int]] = field(default_factory=list)
    flags: int = 0xff  # flags that all of its text has: inline <code> makes no block of code


class Walk:
    """One pass over a tree in document order, without recursion; blocks go to `builder`."""

    def __init__(self, ends: LineEnds, text_type: Any, element_type: Any) -> None:
        self.source = ends.text
        self.builder = PageBuilder(ends)
        self.run = Run()
        self.at = 0  # end of the last tag or text whose place is known
        self.budget = Budget(200_000 + len(self.source) // 4)
        self.nodes = 0
        self.text_type, self.element_type = text_type, element_type
        self.first_heading: str | None = None
        self._heading = False

    def walk(self, root: Any, selected: frozenset[Any] | None, ignored: frozenset[Any]) -> None:
        """Read everything under `root`."""
        top = Place(None, "html", 0, 1, kinds.PARAGRAPH, 0, False, False, False, selected is None)
        block = top
        # (node, place, block, in a link) to enter; (None, (tags of an element), block to go back to, border) to leave
        stack: list[tuple[Any, Any, Any, bool]] = [(root, top, None, False)]
        text_type = self.text_type
        while stack:
            node, place, block, linked = stack.pop()
            if node is None:
                self._leave(place, block, linked)
                continue
            if type(node) is text_type:
                if not place.dead and place.wanted:
                    self._text(node.data, place, linked)
                else:
                    self._unread(node.data)
                continue
            tag = node.tag
            location = node.source_location
            border = tag in BLOCKS
            self._attributes(node, tag, place, selected, ignored)
            if border or tag in _BREAKS:
                self.flush(block, location.start_tag.start_offset if location else None)
            if border:
                block = place
            if location:
                self.at = location.start_tag.end_offset
                end_tag = location.end_tag
                stack.append((None, (end_tag.start_offset, end_tag.end_offset) if end_tag else None, block, border))
            else:
                stack.append((None, None, block, border))
            if place.dead and tag in LEFT_OUT:
                continue
            children = node.children
            if children:
                self._push(stack, children, place, block, linked or (tag == "a" and node.attr("href") is not None))
        self.flush(block, len(self.source))

    def _push(self, stack: list[tuple[Any, Any, Any, bool]], children: Sequence[Any], place: Place,
              block: Place, linked: bool) -> None:
        """Put an element's children on the stack, first one on top."""
        self.nodes += len(children)
        if self.nodes > MAX_NODES:
            raise PageLimitError(f"more than {MAX_NODES:,} nodes of HTML")
        text_type, element_type = self.text_type, self.element_type
        tags = [child.tag if type(child) is element_type else None for child in children]
        totals: dict[str | None, int] = {}
        for tag in tags:
            totals[tag] = totals.get(tag, 0) + 1
        todo: list[tuple[Any, Any, Any, bool]] = []
        seen: dict[str, int] = {}
        depth, kind, flags, dead, wanted = place.depth + 1, place.kind, place.flags, place.dead, place.wanted
        content = place.content or place.tag in _CONTENT
        for child, tag in zip(children, tags, strict=True):
            if tag is not None:
                number = 0
                if totals[tag] > 1:
                    seen[tag] = number = seen.get(tag, 0) + 1
                todo.append((child, Place(place, tag, number, depth, _KINDS.get(tag, kind), flags, content,
                                           place.keep_blanks or tag in _KEEP_BLANKS, dead or tag in LEFT_OUT, wanted),
                             block, linked))
            elif type(child) is text_type:
                todo.append((child, place, block, linked))
        todo.reverse()
        stack += todo

    def _attributes(self, node: Any, tag: str, place: Place, selected: frozenset[Any] | None,
                    ignored: frozenset[Any]) -> None:
        """What the element's attributes and the selectors say, put into its place."""
        attr = node.attr
        name, classes = place.names = attr("id"), attr("class")
        flags = element_flags(tag, place.content, classes, name, attr("role"),
                              attr("hidden") is not None, attr("style"))
        if flags & (NAVIGATION | QUOTE) and tag in ("div", "section") and self._holds_the_page(node.source_location):
            flags &= ~(NAVIGATION | FOOTER | QUOTE)
        if tag == "main":
            place.flags &= ~(NAVIGATION | FOOTER)
        place.flags |= flags
        if selected and node in selected:
            place.wanted = True
        if ignored and node in ignored:
            place.dead = True

    def _holds_the_page(self, location: Any) -> bool:
        """Whether most of the source lies inside: "sticky-footer" names a page with one, not its footer."""
        if location is None or location.end_tag is None:
            return False
        inside: int = location.end_tag.start_offset - location.start_tag.end_offset
        return inside > PAGE_SHARE * len(self.source)

    def _text(self, data: str, place: Place, linked: bool) -> None:
        """Take a text node into the run."""
        run = self.run
        if not run.parts:
            if not data.strip(BLANK):  # blanks between blocks move the place on, no more
                if self.source.startswith(data, self.at):
                    self.at += len(data)
                elif points := locate(data, self.source, self.at, self.budget):
                    self.at = points[-1][1]
                return
            run.begin = self.at
        points = locate(data, self.source, self.at, self.budget)
        if points is None:
            run.exact = False
        else:
            self.at = points[-1][1]
            if run.exact:
                for text, source in points:
                    run.raw_offsets.append(run.size + text)
                    run.source_offsets.append(source)
        run.parts.append(data)
        if linked:
            run.links.append((run.size, run.size + len(data)))
        run.size += len(data)
        if not data.isspace():
            run.flags &= place.flags

    def _unread(self, data: str) -> None:
        """Pass by a text node that is left out."""

    def _leave(self, tags: tuple[int, int] | None, block: Place, border: bool) -> None:
        """Close an element: `tags` is the range of its end tag, where it has one."""
        if border:
            self.flush(block, tags[0] if tags else None)
        if tags:
            self.at = tags[1]

    def flush(self, block: Place | None, border: int | None) -> None:
        """End the run at a block border, whose source offset is `border` where it is known."""
        run = self.run
        if not run.parts or block is None:
            return
        self.run = Run()
        raw = "".join(run.parts)
        text, to_raw = collapse(raw, block.keep_blanks)
        if not text:
            return
        points: Points = []
        if run.exact:
            points, last = compose(len(text), to_raw, run.raw_offsets, run.source_offsets)
            first = points[0][1]
            if last <= first or any(b[1] <= a[1] for a, b in pairwise(points)):
                run.exact = False  # text that the parser moved: the slice would not read like it
        if not run.exact:
            points, first, last = [], run.begin, max(self.at if border is None else border, run.begin)
        if self.first_heading is None and block.kind == kinds.HEADING:
            self.first_heading = text
        self._add(text, to_raw, run, block, (first, last), points)

    def _add(self, text: str, to_raw: Points, run: Run, block: Place, place: tuple[int, int], points: Points) -> None:
        """Add a block; `to_raw` leads from its text to the text of its run."""
        self.builder.add(text, place, points, kind=block.kind, flags=block.flags | run.flags,
                         link_chars=_link_chars(run.links, "".join(run.parts), len(text)), path=_path(block),
                         element=self._element(block))

    def _element(self, place: Place) -> int:
        """Row of an element that holds a block; elements around it that have none get theirs first."""
        new = []
        known: Place | None = place
        while known is not None and known.row < 0:
            new.append(known)
            known = known.parent
        row = known.row if known is not None else -1
        for step in reversed(new):
            row = step.row = self.builder.add_element(row, element_step(step.tag, *step.names))
        return row


def element_step(tag: str, name: str | None, classes: str | None) -> str:
    """An element in one line, as `dedup.model.Layout.steps` holds it: tag, ``#id`` and classes, each between blanks.

    A ``*`` says that there are more of them than are kept.

    >>> element_step("div", "top", "a  b"), element_step("p", None, None)
    (' div #top a b ', ' p ')
    """
    classes = classes or ""
    names = classes[:LONGEST_CLASS].split()
    if name and len(name.split()) == 1 and len(name) <= LONGEST_CLASS:
        names.insert(0, f"#{name.strip()}")
    return " ".join(["", tag, *names, *(["*"] if len(classes) > LONGEST_CLASS else []), ""])


AnyWalk = TypeVar("AnyWalk", bound=Walk)


def _link_chars(links: list[tuple[int, int]], raw: str, size: int) -> int:
    """Characters of a block's text inside links, from the ranges of links in its raw text."""
    if not links:
        return 0
    if size == len(raw):
        return sum(end - start for start, end in links)
    return min(size, sum(len(collapse(raw[start:end], False)[0]) for start, end in links))


def _step_name(tag: str) -> str:
    """A tag as an XPath step; one with odd characters by a test of its name."""
    if _PLAIN_NAME.match(tag):
        return tag
    return "*[name()=%s]" % (f'"{tag}"' if '"' not in tag else f"'{tag}'")


def _path(place: Place) -> str:
    """DOM path of an element; below ``MAX_PATH_STEPS`` steps it ends in ``//tag``."""
    if place.path is not None:
        return place.path
    steps = []
    known: Place | None = place
    while known is not None and known.path is None:
        if known.depth <= MAX_PATH_STEPS:
            steps.append(known)
        known = known.parent
    path = known.path if known is not None and known.path is not None else ""
    for step in reversed(steps):
        path += f"/{_step_name(step.tag)}[{step.number}]" if step.number else f"/{_step_name(step.tag)}"
        step.path = path
    if place.path is None:
        place.path = f"{path.partition('//')[0]}//{_step_name(place.tag)}"
    return place.path


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
    walk, document = walked(LineEnds(source), select, ignore, Walk)
    return walk.builder.build(_title(document) or walk.first_heading)


def walked(ends: LineEnds, select: Sequence[str], ignore: Sequence[str], kind: type[AnyWalk]) -> tuple[AnyWalk, Any]:
    """A walk of a kind that has been over a page, and the page's document; see `read_html`."""
    import turbohtml

    _check_size(ends.text)
    document = turbohtml.parse(ends.text, source_locations=True, allow_declarative_shadow_roots=False)
    walk = kind(ends, turbohtml.Text, turbohtml.Element)
    if document.root is not None:
        walk.walk(document.root, _matching(document, select) if select else None, _matching(document, ignore))
    return walk, document


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
                raise PageLimitError(f"more than {MAX_NODES:,} nodes of HTML")
        if not raw:
            return
        closing = re.compile(f"</{raw[1]}" if raw[1] else "-->", re.IGNORECASE).search(source, raw.end())
        at = closing.end() if closing else len(source)


def _matching(document: Any, selectors: Iterable[str]) -> frozenset[Any]:
    """The elements that match any of the selectors."""
    return frozenset(element for selector in selectors for element in document.select(selector))


def _title(document: Any) -> str | None:
    """Text of the first title; one that stands in the body by mistake is as good."""
    title = document.select_one("head > title") or document.select_one(":not(svg) > title")
    return (collapse(title.text, False)[0] or None) if title is not None else None
