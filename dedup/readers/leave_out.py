"""What is left out of a page that was parsed: blocks of some kinds, and what `dedup:ignore` comments say.

A comment stands before what it is about, or around it, and may say why:

    <!-- dedup:ignore: each chapter has to say this -->     the element or paragraph that follows
    <!-- dedup:ignore-start: the licence --> ... <!-- dedup:ignore-end -->

In reStructuredText it is ``.. dedup:ignore: why``, in AsciiDoc ``// dedup:ignore: why``, in MDX
``{/* dedup:ignore: why */}``.

Runs in the worker: no NumPy, nothing heavy.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from dedup.readers.parsed import CODE, COLUMNS, FRONT_MATTER, HEADING, LIST_ITEM, Parsed, pack

KINDS = {"code": CODE, "front-matter": FRONT_MATTER}  # what ``leave_out`` names
Range = tuple[int, int]

_NAME = r"dedup:\s*(ignor[\w-]*)"
_MARKS = {"ignore": "", "ignore-start": "-start", "ignore-end": "-end"}
_COMMENT = re.compile(rf"<!--\s*{_NAME}", re.IGNORECASE), "-->"  # how it begins, and what ends it: else the line
_COMMENTS = {  # of formats that have others
    "rst": (re.compile(rf"(?:^|(?<=[ \t]))\.\.[ \t]+{_NAME}", re.M | re.I), ""),
    "asciidoc": (re.compile(rf"^//[ \t]*{_NAME}", re.M | re.I), ""),
    "mdx": (re.compile(rf"\{{/\*\s*{_NAME}", re.I), "*/}")}
_TAG_NEXT = re.compile(r"(?:\s|<!--.*?-->)*<([A-Za-z][A-Za-z0-9:-]*)", re.DOTALL)
_MARKUP = re.compile(r"<!--|<(script|style|textarea|title)(?![\w-])|<[a-z/]", re.IGNORECASE)
_TAG_REST = re.compile(r"""(?:"[^"]*"|'[^']*'|[^'">])*+>""")
_LINE_END = re.compile(r"\r\n?|\n")
_EMPTY_LINE = re.compile(r"(?:\r\n?|\n)[ \t>]*(?:\r\n?|\n)")
_IN_ITEM = re.compile(r"(?: {0,3}> ?)*+(?:[ \t]+|[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+)")  # what stands before it in its line
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905


class Ignored(NamedTuple):
    """What one comment leaves out.

    Attributes:
        start, end: Half-open code points of the source, from the comment's beginning.
        line: Its line in the source, from 1.
        reason: What the comment says, or nothing.
        open: It is an ``ignore-start`` that nothing ends.
        wrong: Why it leaves out nothing: start and end are the same then.
    """

    start: int
    end: int
    line: int
    reason: str
    open: bool = False
    wrong: str = ""


def ignored_in(page: Parsed, form: str) -> list[Ignored]:
    """What the comments of a page leave out, in their order.

    Args:
        page: All of its blocks.
        form: One of ``formats.MARKUP``.
    """
    source = page.source
    if "dedup:" not in source and "dedup:" not in source.lower():
        return []
    columns = dict(zip(COLUMNS, page.columns, strict=True))
    starts, ends, kinds = columns["source_start"], columns["source_end"], columns["kind"]
    if any(a > b for a, b in pairwise(starts)):  # a parser moved text: no order to follow
        rows = sorted(range(len(starts)), key=lambda row: starts[row])
        starts, ends, kinds = (array("q", [column[row] for row in rows]) for column in (starts, ends, kinds))
    found = _ranges(source, form, starts, ends, kinds)
    return [ignored._replace(line=sum(1 for _ in _LINE_END.finditer(source, 0, ignored.start)) + 1) for ignored in found]


def _ranges(source: str, form: str, starts: Sequence[int], ends: Sequence[int], kinds: Sequence[int]) -> list[Ignored]:
    out: list[Ignored] = []
    opened: tuple[int, str] | None = None
    for (start, end), mark, reason in _comments(source, form):
        if _in_a_block(start, starts, ends):
            continue  # an example in code, not a comment
        if mark not in _MARKS.values():
            out.append(Ignored(start, start, 0, reason, wrong=f"dedup:{mark} is none of dedup:ignore, -start, -end"))
        elif mark == "-start":
            opened = opened or (start, reason)
        elif mark == "-end":
            out.append(Ignored(opened[0], start, 0, opened[1]) if opened else
                       Ignored(start, start, 0, reason, wrong="dedup:ignore-end without a start"))
            opened = None
        elif not opened:
            stop = _end_of_next(source, form, (start, end), starts, ends, kinds)
            out.append(Ignored(start, stop, 0, reason))
    if opened:
        out.append(Ignored(opened[0], len(source), 0, opened[1], open=True))
    return sorted(out)


def _comments(source: str, form: str) -> Iterator[tuple[Range, str, str]]:
    """Each comment of ours: its place, its mark and its reason. One that nothing ends is none, nor is what follows it."""
    begin, close = _COMMENTS.get(form, _COMMENT)
    if form == "html":
        for start, end in _html_comments(source):
            if found := begin.match(source, start):
                yield (start, end), _mark(found[1]), _reason(source[found.end():end - len(close)])
        return
    at = 0
    while found := begin.search(source, at):
        if close:
            end = source.find(close, found.end())
            if end < 0:
                return
        else:
            line_end = _LINE_END.search(source, found.end())
            end = line_end.start() if line_end else len(source)
        at = end + len(close)
        yield (found.start(), at), _mark(found[1]), _reason(source[found.end():end])


def _html_comments(source: str) -> Iterator[Range]:
    """The comments of a page that stand neither in a tag, such as in an attribute, nor in a script or its like."""
    at = 0
    while found := _MARKUP.search(source, at):
        at = found.end()
        if found[0] == "<!--":
            end = source.find("-->", at - 2)  # <!--> is one
            if end < 0:
                return
            at = end + 3
            yield found.start(), at
            continue
        rest = _TAG_REST.match(source, at)
        at = rest.end() if rest else at
        if found[1]:
            closing = re.compile(f"</{found[1]}", re.IGNORECASE).search(source, at)
            if closing is None:
                return
            at = closing.end()


def _mark(name: str) -> str:
    """What a comment's name says: one of ``_MARKS``, or the name as it is."""
    return _MARKS.get(name.lower(), name)


def _reason(text: str) -> str:
    return " ".join(text.lstrip().removeprefix(":").split())


def _in_a_block(at: int, starts: Sequence[int], ends: Sequence[int]) -> bool:
    row = bisect_right(starts, at) - 1
    return row >= 0 and at < ends[row]


def _end_of_next(source: str, form: str, comment: Range, starts: Sequence[int], ends: Sequence[int],
                 kinds: Sequence[int]) -> int:
    """Where the element, paragraph, list or table ends that follows a comment; of one in an item, what follows in it."""
    at = comment[1]
    row = bisect_left(starts, at)
    if row == len(starts):
        return at
    if form == "html":
        tag = _TAG_NEXT.match(source, at)
        element = _end_of_element(source, tag[1].lower(), tag.start(1) - 1) if tag else None
        return element if element is not None and element > starts[row] else ends[row]
    if kinds[row] in (CODE, HEADING) or form == "notebook":  # JSON has no empty lines
        return ends[row]
    if kinds[row] == LIST_ITEM:
        if _IN_ITEM.fullmatch(source, _line_start(source, comment[0]), comment[0]):
            return ends[row]
        while row + 1 < len(starts) and (kinds[row + 1] == LIST_ITEM
                                         or (kinds[row + 1] == CODE and _is_indented(source, starts[row + 1]))):
            row += 1  # an empty line between items, or code in one, ends no list
        return ends[row]
    blank = _EMPTY_LINE.search(source, starts[row])
    return max(ends[row], blank.start() if blank else len(source))


def _line_start(source: str, at: int) -> int:
    return max(source.rfind("\n", 0, at), source.rfind("\r", 0, at)) + 1


def _is_indented(source: str, at: int) -> bool:
    begin = _line_start(source, at)
    return source[begin:begin + 1] in (" ", "\t")


def _end_of_element(source: str, tag: str, at: int) -> int | None:
    """Where the element ends whose start tag stands at a place; ``None`` where no end tag says so."""
    if tag in _VOID:
        return None
    depth = 0
    tags = re.compile(rf"<(/?){re.escape(tag)}(?=[\s/>])[^>]*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
    for found in tags.finditer(source, at):
        if found[1] is None:
            continue
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.end()
    return None


@dataclass(frozen=True, slots=True)
class Left:
    """A page without some of its blocks, and the way back to the text that it had.

    Attributes:
        page: The page.
        first: Where each block that stays begins in its text, and where it began in the text of all blocks.
    """

    page: Parsed
    first: tuple[list[int], list[int]]

    def ranges(self, start: int, end: int) -> list[Range]:
        """A stretch of its text in code points of the text of all blocks: what was left out lies in none of them."""
        new, old = self.first
        out: list[Range] = []
        for row in range(max(bisect_right(new, start) - 1, 0), len(new)):
            if new[row] >= end:
                break
            stop = min(end, new[row + 1] - 1) if row + 1 < len(new) else end
            begin, stop = max(start, new[row]) - new[row] + old[row], stop - new[row] + old[row]
            if out and begin == out[-1][1] + 1:  # the line feed between two blocks that follow each other
                out[-1] = (out[-1][0], stop)
            elif begin < stop:
                out.append((begin, stop))
        return out

    def place(self, at: int) -> int:
        """A place in the text of all blocks as one of its text: the nearest before it."""
        new, old = self.first
        row = bisect_right(old, at) - 1
        if row < 0:
            return 0
        return min(new[row] + at - old[row], new[row + 1] - 1 if row + 1 < len(new) else len(self.page.text))


def without_left_out(page: Parsed, ignored: Sequence[Ignored], kinds: Collection[str]) -> Left | None:
    """The page without what is to be left out; ``None`` where that is nothing.

    Args:
        ignored: What comments leave out.
        kinds: Keys of ``KINDS``.
    """
    ignored = [one for one in ignored if not one.wrong]
    if not ignored and not kinds:
        return None
    columns = dict(zip(COLUMNS, page.columns, strict=True))
    unwanted = {KINDS[name] for name in kinds}
    starts = columns["source_start"]
    kept = [row for row, (kind, at) in enumerate(zip(columns["kind"], starts, strict=True))
            if kind not in unwanted and not _is_inside(at, ignored)]
    return None if len(kept) == len(starts) else _only(page, columns, kept)


def _is_inside(at: int, ignored: Sequence[Ignored]) -> bool:
    """Whether a place lies in what comments leave out; they begin in order."""
    row = bisect_right(ignored, at, key=lambda one: one.start) - 1
    while row >= 0:  # one inside another is rare
        if at < ignored[row].end:
            return True
        if row == 0 or ignored[row - 1].end <= ignored[row].start:
            return False
        row -= 1
    return False


def _only(page: Parsed, columns: dict[str, array[int]], kept: list[int]) -> Left:
    """Some of the blocks of a page."""
    whole, paths = page.text, page.paths
    texts = [whole[columns["start"][row]:columns["end"][row]] for row in kept]
    made = {name: array("q") for name in COLUMNS}
    at, first, before = 0, columns["map_first"], columns["start"]
    for row, text in zip(kept, texts, strict=True):
        made["start"].append(at)
        made["end"].append(at + len(text))
        made["map_first"].append(len(made["map_text"]))
        points = slice(first[row], first[row + 1])
        made["map_text"].extend(point - before[row] + at for point in columns["map_text"][points])
        made["map_source"].extend(columns["map_source"][points])
        at += len(text) + 1
    made["map_first"].append(len(made["map_text"]))
    for name in ("source_start", "source_end", "line", "end_line", "kind", "flags", "link_chars", "element"):
        if columns[name]:
            made[name] = array("q", (columns[name][row] for row in kept))
    made["parent"], made["feed"] = columns["parent"], columns["feed"]
    packed = (pack("\n".join(texts)), pack("\n".join(paths[row] for row in kept)), page.packed[2])
    left = replace(page, packed=packed, packed_columns=[made[name].tobytes() for name in COLUMNS])
    return Left(left, (list(made["start"]), [before[row] for row in kept]))
