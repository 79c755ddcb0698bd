"""Markdown to blocks: the text as a reader of the rendered page sees it. Runs in worker processes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dedup.readers import parsed as kinds
from dedup.readers.hints import CODE, QUOTE, TABLE_OR_CODE
from dedup.readers.parsed import PageBuilder, PageLimitError, Parsed
from dedup.readers.sourcemap import LineEnds, Points, collapse

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.*?)^\1[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r"^title\s*[:=]\s*(.+?)\s*$", re.MULTILINE)
_TAG = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[/!?A-Za-z][^>]*>?",
                  re.DOTALL | re.IGNORECASE)
MAX_TOKENS = 3_000_000
_ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def read_markdown(source: str) -> Parsed:
    """Read a page of Markdown (CommonMark and tables).

    Front matter is a block of its own kind; inline HTML is dropped, of HTML blocks the tags.
    """
    walk = MarkdownWalk(LineEnds(source))
    title = walk.front_matter()
    walk.walk(tokens_of(walk.body(), {}))
    return walk.builder.build(title or walk.heading)


def tokens_of(body: str, environment: dict[str, Any], without: Sequence[str] = ()) -> list[Token]:
    """The tokens of a page behind its front matter; link definitions go to `environment`.

    Args:
        without: Rules of CommonMark that do not hold.

    Raises:
        PageLimitError: They are too many.
    """
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").disable(list(without)).parse(body, environment)
    if len(tokens) > MAX_TOKENS:
        raise PageLimitError(f"more than {MAX_TOKENS:,} Markdown tokens")
    return tokens


class MarkdownWalk:
    """One pass over the tokens; blocks go to `builder`.

    Attributes:
        number: The token it is at.
        first_line: Lines of front matter before the body.
    """

    def __init__(self, ends: LineEnds) -> None:
        self.source = ends.text
        self.builder = PageBuilder(ends)
        self.heading: str | None = None
        self._lines = [0, *(found.end() for found in re.finditer("\n", self.source))]
        self.first_line = 0
        self.number = -1
        self._at = 0  # where in the source the last block ended

    def front_matter(self) -> str | None:
        """Add the front matter as a block, if there is one; returns the title in it."""
        found = _FRONT_MATTER.match(self.source)
        if not found:
            return None
        self._at = found.end()
        self.first_line = found.group().count("\n")
        title = _TITLE.search(found[2])
        text = found[2].strip()
        if text:
            start = self.source.index(text, found.start(2))
            self.builder.add(text, (start, start + len(text)), [(0, start)], kind=kinds.FRONT_MATTER, flags=0,
                             link_chars=0, path="")
        return title[1].strip("\"'") if title else None

    def body(self) -> str:
        """The source behind the front matter. markdown-it replaces NUL by U+FFFD, one character by one."""
        return self.source[self._at:] if self._at else self.source

    def walk(self, tokens: list[Token]) -> None:
        """Add a block for each piece of text."""
        opened: list[str] = []
        lines: list[tuple[int, int]] = [(0, len(self._lines))]
        for self.number, token in enumerate(tokens):
            if token.nesting == 1:
                opened.append(token.type)
                lines.append((token.map[0], token.map[1]) if token.map else lines[-1])
            elif token.nesting == -1:
                opened.pop()
                lines.pop()
            elif token.type == "inline":
                self._inline(token, opened, self._range(token.map or lines[-1]))
            elif token.type in ("fence", "code_block"):
                self._plain(token.content, kinds.CODE, _flags(opened) | TABLE_OR_CODE | CODE, self._range(token.map), True)
            elif token.type == "html_block":
                self._plain(_TAG.sub("", token.content), kinds.PARAGRAPH, _flags(opened), self._range(token.map), False)

    def _range(self, lines: list[int] | tuple[int, int] | None) -> tuple[int, int]:
        """Source offsets of a range of lines of the body."""
        if lines is None:
            return (self._at, len(self.source))
        first, last = (min(line + self.first_line, len(self._lines)) for line in lines)
        stop = self._lines[last] - 1 if last < len(self._lines) else len(self.source)
        return (self._lines[min(first, len(self._lines) - 1)], stop)

    def _inline(self, token: Token, opened: list[str], place: tuple[int, int]) -> None:
        """Add a paragraph, heading, list item or cell."""
        parts: list[str] = []
        linked = depth = 0
        for child in token.children or []:
            if child.type == "link_open":
                depth += 1
            elif child.type == "link_close":
                depth -= 1
            text = "\n" if child.type in ("softbreak", "hardbreak") else (
                "" if child.type in ("html_inline", "image") else child.content)
            parts.append(text)
            if depth:
                linked += len(text)
        raw = "".join(parts)
        kind = _kind(opened)
        text, _ = collapse(raw, False)
        if kind == kinds.HEADING and text and self.heading is None:
            self.heading = text
        self._plain(raw, kind, _flags(opened), place, False, linked)

    def _plain(self, raw: str, kind: int, flags: int, place: tuple[int, int], keep_blanks: bool,
               link_chars: int = 0) -> None:
        """Add a block with the given raw text."""
        text, _ = collapse(raw, keep_blanks)
        if not text:
            return
        start = max(place[0], self._at) if place[0] <= self._at < place[1] else place[0]  # cells share one line
        if marks := (_FENCE if kind == kinds.CODE else _MARKS).match(self.source, start):
            start = marks.end()
        located = align(text, self.source, start, place[1])
        if located is None:
            self.builder.add(text, place, [], kind=kind, flags=flags, link_chars=link_chars, path="")
            return
        points, last = located
        self._at = last
        self.builder.add(text, (points[0][1], last), points, kind=kind, flags=flags, link_chars=link_chars, path="")


def align(text: str, source: str, start: int, stop: int) -> tuple[Points, int] | None:
    """Points ``(text, source)`` of rendered text in its Markdown, and where it ends; ``None`` where not to be found.

    Rendering only leaves out (marks, link targets, escapes, quote marks of lines) and replaces (references), so the
    text is a subsequence of the source. Only what Markdown leaves out is stepped over, so that a letter is never found
    in a link's target.
    """
    points: Points = []
    at, done, size = start, 0, len(text)
    shift: int | None = None
    while done < size:
        if at < stop and text[done] == source[at] and not _is_reference(text, done, source, at):
            run = 1
            while (done + run < size and at + run < stop and text[done + run] == source[at + run]
                   and source[at + run] != "&"):
                run += 1
            if at - done != shift:
                shift = at - done
                points.append((done, at))
            done, at = done + run, at + run
            continue
        step = _skip(text, done, source, at, stop)
        if step is None:
            return None
        taken, past = step
        if taken:
            points.append((done, at))
            shift = None
        if taken and source[at] == "&" and done + taken < size:
            points.append((done + taken, past))  # where the reference ends; what goes on has its own
        done, at = done + taken, past
    return points, at


_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TARGET = re.compile(r"\]\((?:<[^>\n]*>|[^()\n]|\([^()\n]*\))*\)|\]\[[^\]\n]*\]|\]")
_IMAGE = re.compile(r"!\[[^\]\n]*" + f"(?:{_TARGET.pattern})")
_AUTOLINK = re.compile(r"<(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\s]*|[^<>\s@]+@[^<>\s]+)>")
_BLANKS = re.compile(r"[ \t\n\xa0]+(?:>[ \t]?)*[ \t\xa0]*")
_MARKS = re.compile(r"(?:[ \t]|>|[-+*](?=[ \t])|[0-9]{1,9}[.)](?=[ \t])|#{1,6}(?=[ \t]))+")
_FENCE = re.compile(r"[ \t>]*(?:`{3,}|~{3,})[^\n]*\n")


def _is_reference(text: str, done: int, source: str, at: int) -> bool:
    """Whether a character reference stands here that was replaced (in code it is not)."""
    found = _REFERENCE.match(source, at) if source[at] == "&" else None
    return found is not None and not text.startswith(found.group(), done)


def _skip(text: str, done: int, source: str, at: int, stop: int) -> tuple[int, int] | None:
    """Step over what does not match: characters of text taken, and where the source goes on."""
    if at >= stop:
        return None
    char = source[at]
    if char == "!" and (found := _IMAGE.match(source, at)):
        return 0, found.end()
    if char == "<" and _AUTOLINK.match(source, at):
        return 0, at + 1
    if char == "&" and (found := _REFERENCE.match(source, at)):
        import html

        decoded = html.unescape(found.group())
        if text.startswith(decoded, done):
            return len(decoded), found.end()
    if text[done] == " " and (found := _BLANKS.match(source, at)):
        return 1, found.end()
    if char == "]" and (found := _TARGET.match(source, at)):
        return 0, found.end()
    if char == "<" and (found := _TAG.match(source, at)):
        return 0, found.end()
    if char in _ESCAPABLE or char in " \t\n\xa0\ufdd0":  # the last one masks what MDX has beside text
        return 0, at + 1
    return None


def _kind(opened: list[str]) -> int:
    """Kind of a block by the tokens that are open around it."""
    for name in reversed(opened):
        if name == "heading_open":
            return kinds.HEADING
        if name in ("th_open", "td_open"):
            return kinds.CELL
        if name == "list_item_open":
            return kinds.LIST_ITEM
        if name == "blockquote_open":
            return kinds.PARAGRAPH
    return kinds.PARAGRAPH


def _flags(opened: list[str]) -> int:
    """Flags by the tokens that are open around a block."""
    return (QUOTE if "blockquote_open" in opened else 0) | (TABLE_OR_CODE if "table_open" in opened else 0)
