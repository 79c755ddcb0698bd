"""Cuts of Markdown: items with their markers, headings with their marks, whole rows, code with its fences. Workers only.

As with HTML, the page is read again without what goes, and must read as it did otherwise.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dedup.cleaning import seams
from dedup.cleaning.checks import sound
from dedup.cleaning.markdown_outline import EMBEDDED, MarkdownOutline, Unit
from dedup.cleaning.pieces import Cut, Cuts, Gone
from dedup.cleaning.seams import Range, says_something
from dedup.cleaning.text import line_ranges
from dedup.readers import parsed as kinds
from dedup.readers.parsed import PageLimitError
from dedup.readers.sourcemap import LineEnds, collapse

TORN_ROW, TORN_CODE, TORN_HTML = "it would tear a table row", "it would tear a block of code", "it would tear HTML"
TORN_FRONT, LONE_MARKER = "it would tear the front matter", "it would leave a list marker alone"
NO_PLACE, HOLDS = "its exact place in the source is not known", "an image stands inside it"
DAMAGE = "the page would not read the same without it"
_PREFIX = re.compile(r"[ \t]*(?:>[ \t]?)*[ \t]*")
_EMPHASIS = ("***", "___", "**", "__", "~~", "``", "*", "_", "`")
_LINK_END = re.compile(r"\]\([^()\n]*\)|\]\[[^\]\n]*\]")


@dataclass(slots=True)
class Action:
    """A cut that is made or not made as one.

    Attributes:
        blocks: Blocks that go as a whole, half-open.
        lines: Lines that go, half-open; empty where `places` go.
        kept_line: A blank line stays in their place where none is beside them.
        places: Ranges of the source.
        texts: What goes of a block's text, and the block.
        tokens: Leaves that go, half-open range of tokens.
    """

    blocks: Range
    lines: Range = (0, 0)
    kept_line: bool = False
    places: list[Range] = field(default_factory=list)
    texts: tuple[int, list[Range]] | None = None
    tokens: Range = (0, 0)


def markdown_cuts(source: str, gone: Sequence[Gone]) -> Cuts:
    """What goes of a page of Markdown.

    Args:
        source: The decoded source without byte order mark, line ends as they are.
        gone: What is to go, in code points of the text that `dedup.readers.markdown.read_markdown` makes of it.

    Raises:
        PageLimitError: It has too many tokens.
    """
    if not gone:
        return Cuts(())
    ends = LineEnds(source)
    page = MarkdownOutline(LineEnds(ends.text))
    text = "\n".join(page.builder.texts)
    gone = seams.apart(gone, len(text))
    if not gone:
        return Cuts(())
    cutter = _Cutter(page, gone)
    made = sound(cutter.actions, lambda some: _holds(page, some), 20 * len(source))  # reading is slower than for HTML
    accepted = [action for action, is_made in zip(cutter.actions, made, strict=True) if is_made]
    for action, is_made in zip(cutter.actions, made, strict=True):
        if not is_made:
            cutter.refuse(action, DAMAGE)
    ranges = _source_ranges(page, accepted)
    cuts = seams.by_removal(ranges, cutter.gone_in_source()) if ranges else []
    left = seams.left_over(text, gone, cutter.text_ranges(accepted), sorted(cutter.reasons))
    return Cuts(tuple(Cut(ends.original(a), ends.original(b), removal) for a, b, removal in cuts), tuple(left))


class _Cutter:
    """From what is to go to the cuts that make it go."""

    def __init__(self, page: MarkdownOutline, gone: Sequence[Gone]) -> None:
        self.page, self.gone = page, gone
        columns = page.builder.columns
        self.start, self.end, self.kind = columns[0], columns[1], columns[6]
        self.whole: set[int] = set()
        self.spans: dict[int, list[Range]] = {}
        self.reasons: list[tuple[int, int, str]] = []
        self.actions: list[Action] = []
        self._want()
        chosen = self._chosen()
        covered = {block for number in chosen for block in range(page.units[number].first, page.units[number].last)}
        for number in chosen:
            self._unit_action(page.units[number])
        for block in sorted(self.whole | set(self.spans)):
            if block not in covered:
                self._block_action(block)

    def _want(self) -> None:
        """What goes of each block."""
        row = 0
        for block, (start, end) in enumerate(zip(self.start, self.end, strict=True)):
            while row < len(self.gone) and self.gone[row].end <= start:
                row += 1
            inside: list[Gone] = []
            here = row
            while here < len(self.gone) and self.gone[here].start < end:
                a, b, removal = self.gone[here]
                inside.append(Gone(max(a, start) - start, min(b, end) - start, removal))
                here += 1
            if not inside:
                continue
            text = self.page.builder.texts[block]
            edges = [0, *(at for piece in inside for at in piece[:2]), len(text)]
            if not any(says_something(text, a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)):
                self.whole.add(block)
            elif ranges := seams.spans(text, 0, len(text), seams.stretches(text, inside)):
                self.spans[block] = ranges

    def _chosen(self) -> list[int]:
        """The outermost units that can go; of images and the like, one of each stays."""
        units = self.page.units
        stays = [0]
        for block, text in enumerate(self.page.builder.texts):
            stays.append(stays[-1] + (block not in self.whole and says_something(text, 0, len(text))))
        everywhere: dict[str, int] = {}
        for unit in units:
            if unit.kind not in _NESTING:
                for key in unit.keys:
                    everywhere[key] = everywhere.get(key, 0) + 1
        lost: set[str] = {""}
        while True:
            chosen: list[int] = []
            number = 0
            while number < len(units):
                unit = units[number]
                going = any(block in self.whole for block in range(unit.first, unit.last))
                if going and not unit.fixed and stays[unit.first] == stays[unit.last] \
                        and not any(key in lost for key in unit.keys):
                    chosen.append(number)
                    number = unit.past
                else:
                    number += 1
            taken: dict[str, int] = {}
            for number in chosen:
                for key in units[number].keys:
                    taken[key] = taken.get(key, 0) + 1
            more = {key for key, count in taken.items() if count >= everywhere.get(key, 0)}
            if not more:
                return chosen
            lost |= more

    def _unit_action(self, unit: Unit) -> None:
        """The cut of a unit with its lines; of one that shares its line with a list marker, up to what stays of the item."""
        page = self.page
        blocks = (unit.first, unit.last)
        tokens = (unit.token, self._past(unit))
        if unit.item < 0:
            beside = unit.kind not in ("list_item_open", "tr_open") and not (unit.nested and unit.kind in _LISTS)
            self.actions.append(Action(blocks, unit.lines, beside, tokens=tokens))
            return
        item = page.units[unit.item]
        number = page.units.index(unit, unit.item)
        following = page.units[unit.past] if number < unit.past < item.past else None
        if following is None or following.kind != "paragraph_open" or unit.kind not in ("paragraph_open", "heading_open"):
            self.refuse(Action(blocks), LONE_MARKER)
            return
        start = int(page.builder.columns[2][unit.first])
        line = following.lines[0]
        stop = page.starts[line] + _matched(_PREFIX, page.lines[line])
        self.actions.append(Action(blocks, places=[(start, stop)], tokens=tokens))

    def _past(self, unit: Unit) -> int:
        """The token behind a unit."""
        tokens = self.page.tokens
        level, number = tokens[unit.token].level, unit.token + 1
        if tokens[unit.token].nesting != 1:
            return number
        while tokens[number].level > level or tokens[number].nesting != -1:
            number += 1
        return number + 1

    def _block_action(self, block: int) -> None:
        """The cut of a block's text, or why there is none."""
        page = self.page
        token = page.block_token[block]
        if token < 0:
            self._front_action(block)
            return
        kind, name = self.kind[block], page.tokens[token].type
        text = page.builder.texts[block]
        ranges = self.spans.get(block, [(0, len(text))])
        torn = TORN_ROW if kind == kinds.CELL and block in self.whole else TORN_CODE if kind == kinds.CODE else \
            TORN_HTML if name == "html_block" else ""
        places = [] if torn else [self._place(block, a, b) for a, b in ranges]
        known = [place for place in places if place is not None]
        if not torn and len(known) < len(places):
            torn = NO_PLACE
        if any("![" in page.source[a:b] or EMBEDDED.search(page.source, a, b) for a, b in known):
            torn = HOLDS
        if torn:
            self.refuse(Action((block, block), texts=(block, ranges)), torn)
        else:
            self.actions.append(Action((block, block), places=known, texts=(block, ranges)))

    def _front_action(self, block: int) -> None:
        if block in self.whole:
            self.actions.append(Action((block, block + 1), (0, self.page.first_line)))
        else:
            self.refuse(Action((block, block + 1)), TORN_FRONT)

    def _place(self, block: int, start: int, end: int) -> Range | None:
        """Where a range of a block's text stands in the source, with the marks that would be left alone around it."""
        source, text = self.page.source, self.page.builder.texts[block]
        columns = self.page.builder.columns
        rows = range(columns[9][block], columns[9][block + 1] if block + 1 < len(columns[9]) else len(columns[10]))
        if not rows:
            return None
        core, stop = start, end
        while core < stop and text[core] in seams.BLANKS:
            core += 1
        while stop > core and text[stop - 1] in seams.BLANKS:
            stop -= 1
        base = int(self.start[block])

        def place(at: int) -> int:
            row = bisect_right(columns[10], base + at, rows.start, rows.stop) - 1
            return int(columns[11][row]) + base + at - int(columns[10][row])

        first = place(core)
        last = place(stop - 1) + 1
        if source[last - 1] == "&":  # a reference stands for one sign
            last = place(stop) if stop < len(text) else int(columns[3][block])
        first, last = _with_marks(source, first, last)
        while core > start and source[first - 1:first] in (" ", "\t", "\xa0"):
            first, core = first - 1, core - 1
        while stop < end and source[last:last + 1] in (" ", "\t", "\xa0"):
            last, stop = last + 1, stop + 1
        return first, last

    def refuse(self, action: Action, why: str) -> None:
        """Note why a cut is not made."""
        self.reasons += [(a, b, why) for a, b in self.text_ranges([action])]

    def text_ranges(self, actions: Sequence[Action]) -> list[Range]:
        """What actions take of the page's text."""
        out: list[Range] = []
        for action in actions:
            out += [(int(self.start[block]), int(self.end[block])) for block in range(*action.blocks)]
            if action.texts is not None:
                block, ranges = action.texts
                out += [(int(self.start[block]) + a, int(self.start[block]) + b) for a, b in ranges]
        return seams.merged(out)

    def gone_in_source(self) -> list[Gone]:
        """What was to go in the normalised source, for the removals of the cuts."""
        out: list[Gone] = []
        for start, end, removal in self.gone:
            block = max(0, bisect_right(self.start, start) - 1)
            while block < len(self.start) and self.start[block] < end:
                base = int(self.start[block])
                a, b = max(start - base, 0), min(end, int(self.end[block])) - base
                if a < b:
                    place = self._place(block, a, b) or (int(self.page.builder.columns[2][block]),
                                                         int(self.page.builder.columns[3][block]))
                    out.append(Gone(*place, removal))
                block += 1
        return seams.apart(out, len(self.page.source))


_LISTS = frozenset({"bullet_list_open", "ordered_list_open"})
_NESTING = frozenset({"blockquote_open", "bullet_list_open", "ordered_list_open", "list_item_open", "table_open"})


def _matched(pattern: re.Pattern[str], text: str) -> int:
    """Length of what a pattern matches at the beginning of a text."""
    found = pattern.match(text)
    return found.end() if found else 0


def _with_marks(source: str, first: int, last: int) -> Range:
    """A range with the pairs of marks for emphasis, code and links directly around it."""
    while True:
        for mark in _EMPHASIS:
            if source.endswith(mark, 0, first) and source.startswith(mark, last):
                first, last = first - len(mark), last + len(mark)
                break
        else:
            link = _LINK_END.match(source, last) if source[first - 1:first] == "[" and source[first - 2:first - 1] != "!" \
                else None
            if link is None:
                return _with_odd_marks(source, first, last)
            first, last = first - 1, link.end()


def _with_odd_marks(source: str, first: int, last: int) -> Range:
    """A range with the marks beside it whose other half is in it: ``*two* `three`` and what closes it."""
    if first and source[first - 1] in "*_~`" and source.count(source[first - 1], first, last) % 2:
        mark = source[first - 1]
        while first and source[first - 1] == mark:
            first -= 1
    if last < len(source) and source[last] in "*_~`" and source.count(source[last], first, last) % 2:
        mark = source[last]
        while last < len(source) and source[last] == mark:
            last += 1
    return first, last


def _source_ranges(page: MarkdownOutline, actions: Sequence[Action]) -> list[Range]:
    """What actions take of the source."""
    ranges = [place for action in actions for place in action.places]
    lines: set[int] = set()
    for action in sorted(actions, key=lambda action: action.lines):
        first, last = action.lines
        if first == last:
            continue
        if action.kept_line and first and last < len(page.lines) and page.depth[first - 1] < 0 and page.depth[last] < 0 \
                and first - 1 not in lines:
            prefix = page.starts[first] + _matched(_PREFIX, page.lines[first])
            ranges.append((prefix, page.starts[last - 1] + len(page.lines[last - 1])))
        else:
            lines.update(range(first, last))
    return seams.merged([*ranges, *line_ranges(page.starts, len(page.source), page.depth, sorted(lines))])


def _reading(page: MarkdownOutline, actions: Sequence[Action]) -> list[Any]:
    """How a page reads without what actions take: each leaf with what is around it, and how it hangs with the one before."""
    going = {block for action in actions for block in range(*action.blocks)}
    parts = {action.texts[0]: action.texts[1] for action in actions if action.texts is not None}
    skipped = [action.tokens for action in actions]
    dead = {number for first, last in skipped for number in range(first, last)}
    out: list[Any] = []
    if page.block_token[:1] == [-1] and 0 not in going:
        out.append(page.builder.texts[0])
    before: tuple[int, ...] = ()
    for leaf in page.leaves:
        if leaf.token in dead or not (leaf.content and any(leaf.content)):
            continue
        content: Any = leaf.content if leaf.block < 0 else page.builder.texts[leaf.block]
        whole: Any = leaf.content
        if leaf.block in parts:
            text, at, kept = page.builder.texts[leaf.block], 0, []
            for start, end in parts[leaf.block]:
                kept.append(text[at:start])
                at = end
            content = collapse("".join([*kept, text[at:]]), False)[0]
            whole = None
            if not content:
                content = leaf.content
        out.append((leaf.around, len(set(before) & set(leaf.items)), content, whole))
        before = leaf.items
    return out


def _holds(page: MarkdownOutline, actions: Sequence[Action]) -> bool:
    """Whether the page without some cuts reads as it should."""
    kept, at = [], 0
    for start, end in _source_ranges(page, actions):
        kept.append(page.source[at:start])
        at = end
    try:
        found = MarkdownOutline(LineEnds("".join([*kept, page.source[at:]])))
    except PageLimitError:
        return False
    expected, read = _reading(page, actions), _reading(found, [])
    return len(expected) == len(read) and all(
        a == b or (isinstance(a, tuple) and isinstance(b, tuple) and a[3] is None and a[:3] == b[:3])
        for a, b in zip(expected, read, strict=True))
