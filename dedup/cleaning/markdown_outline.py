"""The outline of a page of Markdown: what can go as a whole, and what is to be read as before. Worker processes only."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dedup.cleaning.seams import Range
from dedup.readers.markdown import MarkdownWalk, tokens_of
from dedup.readers.sourcemap import LineEnds

if TYPE_CHECKING:
    from markdown_it.token import Token

_UNITS = frozenset({"paragraph_open", "heading_open", "blockquote_open", "bullet_list_open", "ordered_list_open",
                    "list_item_open", "table_open", "tr_open", "fence", "code_block", "html_block"})
EMBEDDED = re.compile(r"<(?:img|video|audio|iframe|object|embed|canvas|svg|input|select|textarea|script|style|form)\b[^>]*>",
                       re.IGNORECASE)
_HTML_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)\b[^>]*?(/?)>")
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905
_QUOTED_BLANK = re.compile(r"[ \t>]*\Z")


@dataclass(slots=True)
class Unit:
    """A part of a page that can go as a whole.

    Attributes:
        lines: Half-open, without blank lines at its end.
        first, last: The blocks in it, half-open.
        past: Number of the first unit behind it and all in it.
        token: Number of its token.
        item: Number of the list item that begins on its first line, around it; -1 for none.
        keys: Images and the like in it, each by what another one of its kind would be known by.
        fixed: It does not go by itself.
        nested: It stands in a list item.
    """

    kind: str
    lines: Range
    token: int
    first: int
    last: int = 0
    past: int = 0
    item: int = -1
    keys: list[str] = field(default_factory=list)
    fixed: bool = False
    nested: bool = False


class Leaf(NamedTuple):
    """A token that is to be read as before: what is open around it, its content, and its block (-1: it has no text)."""

    token: int
    around: tuple[str, ...]
    items: tuple[int, ...]
    content: tuple[str, ...]
    block: int


class MarkdownOutline(MarkdownWalk):
    """A page's blocks, units and leaves.

    Attributes:
        block_token: Token of each block, -1 for front matter.
    """

    def __init__(self, ends: LineEnds) -> None:
        super().__init__(ends)
        self.block_token: list[int] = []
        self.raws: list[str] = []
        environment: dict[str, Any] = {}
        self.front_matter()
        if self.builder.texts:
            self.block_token.append(-1)
            self.raws.append(self.builder.texts[0])
        self.front_lines = self.first_line
        self.tokens = tokens_of(self.body(), environment)
        self.walk(self.tokens)
        self.definitions = sorted(entry["map"][0] + self.first_line for entry in
                                  [*environment.get("references", {}).values(), *environment.get("duplicate_refs", [])])
        self.starts = self._lines
        self.lines = [self.source[a:b - 1] for a, b in
                      zip(self.starts, [*self.starts[1:], len(self.source) + 1], strict=True)]
        self.depth = [line.count(">") if _QUOTED_BLANK.match(line) else -1 for line in self.lines]
        self.units: list[Unit] = []
        self.leaves: list[Leaf] = []
        self._read()

    def _plain(self, raw: str, kind: int, flags: int, place: Range, keep_blanks: bool, link_chars: int = 0) -> None:
        count = len(self.builder.texts)
        super()._plain(raw, kind, flags, place, keep_blanks, link_chars)
        if len(self.builder.texts) > count:
            self.block_token.append(self.number)
            self.raws.append(raw)

    def _read(self) -> None:
        """Units and leaves from the tokens."""
        opened: list[tuple[int, str, int]] = []  # token, type, unit or -1
        block = bisect_left(self.block_token, 0)
        for number, token in enumerate(self.tokens):
            if token.nesting == -1:
                _, _, unit = opened.pop()
                if unit >= 0:
                    self.units[unit].last, self.units[unit].past = block, len(self.units)
                continue
            unit = self._unit(number, token, opened, block) if token.type in _UNITS and token.map else -1
            if token.nesting == 1:
                opened.append((number, token.type if token.type != "heading_open" else token.tag, unit))
                continue
            has_block = block < len(self.block_token) and self.block_token[block] == number
            self.leaves.append(Leaf(number, tuple(name for _, name, _ in opened),
                                    tuple(at for at, name, _ in opened if name in ("list_item_open", "tr_open")),
                                    _content(token), block if has_block else -1))
            self._embed(token, opened, unit, has_block)
            block += has_block
            if unit >= 0:
                self.units[unit].last, self.units[unit].past = block, len(self.units)

    def _unit(self, number: int, token: Token, opened: list[tuple[int, str, int]], block: int) -> int:
        """Add a unit; its number."""
        assert token.map is not None
        first, last = token.map[0] + self.first_line, token.map[1] + self.first_line
        while last > first + 1 and last - 1 < len(self.depth) and self.depth[last - 1] >= 0 and token.type != "fence":
            last -= 1
        unit = Unit(token.type, (first, last), number, block)
        for _, name, around in opened:
            if name == "list_item_open" and around >= 0 and self.units[around].lines[0] == first:
                unit.item = around if unit.item < 0 else unit.item
            unit.fixed = unit.fixed or name == "thead_open"
            unit.nested = unit.nested or name == "list_item_open"
        at = bisect_left(self.definitions, first)
        if at < len(self.definitions) and self.definitions[at] < last:
            unit.keys.append("")  # link definitions stay
        self.units.append(unit)
        return len(self.units) - 1

    def _embed(self, token: Token, opened: list[tuple[int, str, int]], unit: int, has_block: bool) -> None:
        """Note what a leaf holds beside text, on it and all around it."""
        keys: list[str] = []
        for child in token.children or []:
            if child.type == "image":
                keys.append(f"image {child.attrs.get('src')}")
                if child.content.strip():  # it is known by what is read aloud for it, too
                    keys.append(f"{keys[-1]} {child.content}")
            elif child.type == "html_inline":
                keys += EMBEDDED.findall(child.content)
        if token.type == "html_block":
            found = EMBEDDED.findall(token.content)
            keys += found
            if not has_block or not _is_balanced(token.content):
                keys.append("")
        if keys:
            for number in [around for _, _, around in opened if around >= 0] + ([unit] if unit >= 0 else []):
                self.units[number].keys += keys


def _content(token: Token) -> tuple[str, ...]:
    """What a leaf reads like."""
    if token.type != "inline":
        return (token.type, token.info, token.content)
    return tuple(f"{child.type} {child.attrs.get('href', '')}{child.attrs.get('src', '')} {child.content}"
                 for child in token.children or [])


def _is_balanced(html: str) -> bool:
    """Whether every tag that is opened is closed."""
    opened: list[str] = []
    for closing, name, alone in _HTML_TAG.findall(html):
        if name.lower() in _VOID or alone:
            continue
        if not closing:
            opened.append(name.lower())
        elif not opened or opened.pop() != name.lower():
            return False
    return not opened
