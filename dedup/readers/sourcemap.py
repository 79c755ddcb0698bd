"""From a block's text back to its place in the source: pure functions over offsets.

All offsets are code points. A *point* ``(text, source)`` says that from there on text and source run in step, one
code point for one, up to the next point. Of two points for one offset of the text the first one is where the source of
what stands before it ends: a character reference is longer than what it says, so stepping on from its begin ends inside.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

Points = list[tuple[int, int]]

BLANK = " \t\n\f\r\xa0"
_BLANKS = re.compile("[ \t\n\f\r\xa0]+")
_WIDE_BLANKS = re.compile("[ \t\n\f\r\xa0]{2,}")
# What HTML markup inside text looks like. Each alternative ends at the end of the source at the latest, so that an
# unclosed comment or tag is read once: no rescanning, linear whatever comes.
_MARKUP = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))|<[/!?A-Za-z][^>]*>?|&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[A-Za-z][A-Za-z0-9]*;?)|\x00",
    re.DOTALL)


class Budget:
    """How many pieces of markup may still be stepped over on one page; bounds the work of hostile pages."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


def locate(data: str, source: str, start: int, budget: Budget) -> Points | None:
    """Points of a text node that stands in `source` at or after `start`, behind markup that left no node.

    Args:
        data: The node's text.
        source: The whole source, line ends normalised to LF.
        start: End of the tag or text before the node.

    Returns:
        Points ``(offset in data, offset in source)``, the last one for the node's end; ``None`` where reading the
        source does not give `data`.
    """
    if source.startswith(data, start):
        return [(0, start), (len(data), start + len(data))]
    if source.startswith("\n" + data, start):  # the line feed after <pre> is no text
        return [(0, start + 1), (len(data), start + 1 + len(data))]
    return _step(data, source, start, budget)


def _step(data: str, source: str, start: int, budget: Budget) -> Points | None:
    """`locate` where comments, stray tags or character references stand in between."""
    points: Points = []
    done, at, size = 0, start, len(data)
    while done < size:
        budget.left -= 1
        if budget.left < 0:
            return None
        found = _MARKUP.search(source, at)
        stop = found.start() if found else len(source)
        literal = min(stop - at, size - done)
        if literal:
            if not data.startswith(source[at:at + literal], done):
                return None
            points.append((done, at))
            done, at = done + literal, at + literal
            if done == size:
                break
        if not found:
            return None
        raw = found.group()
        if raw[0] == "&":
            text = html.unescape(raw)
            if not text or not data.startswith(text, done):
                return None
            points.append((done, at))
            same = _common_suffix(raw, text)  # "&copyright" is "©right"
            if same == len(text) < len(raw):  # "&semi;" is ";" as a whole
                same = 0
            done, at = done + len(text) - same, at + len(raw) - same
            if text != raw:
                points += ((done, at), (done, at))
            done, at = done + same, at + same
        else:
            at = found.end()
    points.append((size, at))
    return points


def _common_suffix(a: str, b: str) -> int:
    """Length of the longest common suffix."""
    n = 0
    while n < len(a) and n < len(b) and a[-1 - n] == b[-1 - n]:
        n += 1
    return n


def collapse(raw: str, keep_blanks: bool) -> tuple[str, Points]:
    """A block's text as people see it, and the points ``(offset in text, offset in raw)``.

    White space is stripped, and inside collapsed to one blank unless `keep_blanks`.

    >>> collapse("  one \\n two ", False)
    ('one two', [(0, 2), (4, 8)])
    """
    stripped = raw.lstrip(BLANK)
    lead = len(raw) - len(stripped)
    stripped = stripped.rstrip(BLANK)
    points = [(0, lead)]
    if keep_blanks or not _more_than_single_blanks(stripped):
        return stripped, points
    removed = 0
    for found in _WIDE_BLANKS.finditer(stripped):
        removed += found.end() - found.start() - 1
        points.append((found.end() - removed, lead + found.end()))
    return _BLANKS.sub(" ", stripped), points


def _more_than_single_blanks(text: str) -> bool:
    """Whether a text has other white space than one blank here and there."""
    return "  " in text or "\n" in text or "\t" in text or "\xa0" in text or "\r" in text or "\f" in text


def compose(size: int, to_raw: Points, raw_offsets: list[int], source_offsets: list[int]) -> tuple[Points, int]:
    """Points from text to source, from those to the raw text and those from it to the source.

    Args:
        size: Length of the text.
        to_raw: Points ``(text, raw)``.
        raw_offsets, source_offsets: Points ``(raw, source)``, ascending in raw; of several for one raw offset the
            last one goes on, the first one ends what came before.

    Returns:
        Points ``(text, source)`` without those that say nothing new, and where the text ends in the source. Where two points
        of either side are for one offset, but not in step, there are two in what is made of them.
    """
    if len(to_raw) == 1 and len(raw_offsets) == 2:  # one text node without white space inside: most blocks
        first = source_offsets[0] + to_raw[0][1] - raw_offsets[0]
        return [(0, first)], first + size
    points: Points = []
    shift: int | None = None
    for i, (text, raw) in enumerate(to_raw):
        stop = to_raw[i + 1][0] if i + 1 < len(to_raw) else size
        if text == stop:
            points.append((text, _end_of(raw, raw_offsets, source_offsets)))
            continue
        row = bisect_right(raw_offsets, raw) - 1
        while True:
            at = max(raw_offsets[row], raw)
            source = source_offsets[row] + at - raw_offsets[row]
            here = text + at - raw
            if here >= stop:
                break
            if source - here != shift or points[-1][0] == here:
                shift = source - here
                if len(points) > 1 and points[-2][0] == here:
                    points.pop()
                points.append((here, source))
            if row + 1 >= len(raw_offsets):
                break
            row += 1
    text, raw = to_raw[-1]
    return points, _end_of(raw + size - text, raw_offsets, source_offsets)


def _end_of(raw: int, raw_offsets: list[int], source_offsets: list[int]) -> int:
    """Source offset just past the code point before `raw`."""
    row = bisect_left(raw_offsets, raw)
    if row < len(raw_offsets) and raw_offsets[row] == raw:
        return source_offsets[row]
    return source_offsets[row - 1] + raw - raw_offsets[row - 1]


def normalised(source: str) -> str:
    """A source with CR LF and CR turned into LF: what parsers count by."""
    return source.replace("\r\n", "\n").replace("\r", "\n") if "\r" in source else source


class LineEnds:
    """Line ends of a source, and the way back from its normalised form to the original one.

    Args:
        original: The decoded source, line ends as they are.

    Attributes:
        text: The source with CR LF and CR turned into LF: what parsers count by.
    """

    __slots__ = ("_feeds", "_pairs", "text")

    def __init__(self, original: str) -> None:
        self._pairs: list[int] = []  # normalised offsets of line feeds that were two characters
        if "\r" in original:
            self._pairs = [found.start() - i for i, found in enumerate(re.finditer("\r\n", original))]
        self.text = normalised(original)
        self._feeds = list(accumulate([len(line) + 1 for line in self.text.split("\n")], initial=-1))[1:-1]

    @property
    def paired(self) -> bool:
        """Whether some line ends were two characters."""
        return bool(self._pairs)

    def line(self, offset: int) -> int:
        """Line of a normalised offset, from 1."""
        return bisect_left(self._feeds, offset) + 1

    def lines(self, offsets: Sequence[int]) -> list[int]:
        """Lines of normalised offsets, from 1."""
        feeds = self._feeds
        return [bisect_left(feeds, offset) + 1 for offset in offsets]

    def feeds(self, line: Sequence[int], end_line: Sequence[int]) -> Sequence[int]:
        """Offsets in the original of the line ends inside ranges of lines, ascending."""
        out: list[int] = []
        reached = 0
        for begin, end in sorted(zip(line, end_line, strict=True)):
            if end > begin and end - 1 > reached:
                out += self._feeds[max(begin - 1, reached):end - 1]
                reached = end - 1
        return self.originals(out)

    def original(self, offset: int) -> int:
        """Offset in the original of a normalised one."""
        return offset + bisect_left(self._pairs, offset) if self._pairs else offset

    def originals(self, offsets: Sequence[int]) -> Sequence[int]:
        """Offsets in the original of normalised ones."""
        pairs = self._pairs
        return [offset + bisect_left(pairs, offset) for offset in offsets] if pairs else offsets

    def original_points(self, points: Points, size: int) -> Points:
        """Points into the original for points into the normalised source of a text of `size` code points."""
        if not self._pairs:
            return points
        out: Points = []
        for i, (text, source) in enumerate(points):
            stop = (points[i + 1][0] if i + 1 < len(points) else size) - text + source
            row = bisect_left(self._pairs, source)
            out.append((text, source + row))
            while row < len(self._pairs) and self._pairs[row] + 1 < stop:
                after = self._pairs[row] + 1
                row += 1
                out.append((text + after - source, after + row))
        return out
