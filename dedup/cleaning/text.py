"""Cuts of plain text: whole lines with their line ends, parts of lines with one blank; lists keep no orphan markers."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from dedup.cleaning import seams
from dedup.cleaning.pieces import Cuts, Gone
from dedup.cleaning.seams import Range, says_something

_LINE_END = re.compile("\r\n|[\n\r\f\u2028\u2029]")
MARKER = re.compile(
    r"[ \t\xa0\u3000]*(?:(?:>[ \t]?)+|(?:[-*+•‣◦▪■□●○◆▶➤✓✔–—·]|\(?(?:[0-9]{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]"
    r"|\[[ xX]?\])(?=[ \t\xa0\u3000]|\Z))?(?:[ \t\xa0\u3000]+\[[ xX]?\](?=[ \t]))?[ \t\xa0\u3000]*")


def text_cuts(source: str, gone: Sequence[Gone]) -> Cuts:
    """What goes of a plain text.

    A line all of whose words go goes with its line end and its list marker, a block of lines with the blank lines
    behind it (at the end of the text, with those before it); of other lines their part, with one blank beside it.

    Args:
        source: The text as the reader makes it, line ends as they are.
        gone: What is to go, in code points of it.
    """
    gone = seams.apart(gone, len(source))
    wanted = seams.stretches(source, gone)
    if not wanted:
        return Cuts((), tuple(seams.left_over(source, gone, [], [])))
    ranges = _Text(source).cut(wanted)
    return Cuts(tuple(seams.by_removal(ranges, gone)), tuple(seams.left_over(source, gone, ranges, [])))


class _Text:
    """A text and its lines, the line end left out of ``end``."""

    def __init__(self, source: str) -> None:
        ends = [found.span() for found in _LINE_END.finditer(source)]
        self.source = source
        self.start = [0, *(end for _, end in ends)]
        self.end = [*(start for start, _ in ends), len(source)]
        self.blank = [not source[a:b].strip() for a, b in zip(self.start, self.end, strict=True)]
        self._block: Range = (-1, -1)
        self._marks = seams.Marks("", 0, 0)

    def line(self, at: int) -> int:
        """Number of the line of an offset, from 0."""
        return bisect_right(self.start, at) - 1

    def block(self, line: int) -> Range:
        """The lines between blank lines around a line."""
        first, last = self._block
        if not first <= line <= last:
            first = last = line
            while first and not self.blank[first - 1]:
                first -= 1
            while last + 1 < len(self.start) and not self.blank[last + 1]:
                last += 1
            self._block = (first, last)
            self._marks = seams.Marks(self.source, self.start[first], self.end[last])
        return first, last

    def cut(self, wanted: Sequence[Range]) -> list[Range]:
        """Ranges that go, for ranges of whole words."""
        source = self.source
        direct: list[Range] = []
        parts: dict[int, list[Range]] = {}
        for start, end in wanted:
            first, last = self.line(start), self.line(end - 1)
            opening, closing = self.block(first), self.block(last)
            if opening == closing:
                start, end, attach = self._seamed(start, end, direct)
                if attach:
                    direct.append((start, end))
                    continue
            for line in range(self.line(start), self.line(end - 1) + 1):
                part = (max(start, self.start[line]), min(end, self.end[line]))
                if part[0] < part[1] and says_something(source, *part):
                    parts.setdefault(line, []).append(part)
        whole = {line for line, ranges in parts.items() if self._is_whole(line, ranges)}
        for line in sorted(parts):
            if line in whole and (joined := self._continued(line, whole)):
                whole.discard(line)
                direct.append(joined)
            elif line not in whole:
                for start, end in parts[line]:
                    start, end = seams.blanked(source, self._text_start(line), self.end[line], start, end)
                    if not seams.glues(source, start, end):
                        direct.append((start, end))
        depth = [0 if blank else -1 for blank in self.blank]
        return seams.merged([*direct, *line_ranges(self.start, len(source), depth, sorted(whole))])

    def _seamed(self, start: int, end: int, direct: list[Range]) -> tuple[int, int, bool]:
        """A range inside one block with its punctuation and marks; marks elsewhere go to `direct`."""
        first, last = self._block
        low, high = self._text_start(first), self.end[last]
        start, end, lone = self._marks.within(self.source, start, end)
        direct += lone
        start, end, attach = seams.punctuated(self.source, low, high, start, end)
        return start, end, attach and not seams.glues(self.source, start, end)

    def _text_start(self, line: int) -> int:
        """Where a line's text begins, behind indentation and marker."""
        found = MARKER.match(self.source, self.start[line], self.end[line])
        return found.end() if found else self.start[line]

    def _is_whole(self, line: int, ranges: Sequence[Range]) -> bool:
        """Whether all words of a line go, its marker left aside."""
        edges = [(0, self._text_start(line)), *ranges, (self.end[line], 0)]
        return not any(says_something(self.source, a[1], b[0]) for a, b in pairwise(edges) if a[1] < b[0])

    def _continued(self, line: int, whole: set[int]) -> Range | None:
        """From a list item's text to the text of its next line, where that one stays."""
        following = line + 1
        if following >= len(self.start) or self.blank[following] or following in whole:
            return None
        begin, start = self._text_start(line), self.start[line]
        marker = self.source[start:begin]
        indent = len(marker) - len(marker.lstrip())
        below = self.source[self.start[following]:self.end[following]]
        depth = len(below) - len(below.lstrip())
        if not marker.strip() or marker.strip().startswith(">") or depth <= indent \
                or self._text_start(following) > self.start[following] + depth:
            return None
        return begin, self.start[following] + depth


def line_ranges(start: Sequence[int], size: int, depth: Sequence[int], lines: Sequence[int]) -> list[Range]:
    """The ranges of whole lines, with blank lines between and beside them as far as they go.

    Args:
        start: Where each line begins.
        size: Code points of the text.
        depth: -1 for a line that is not blank; of blank ones the quote marks in them.
        lines: The lines that go, ascending.
    """
    out: list[Range] = []
    count = len(start)
    i = 0
    while i < len(lines):
        first = last = lines[i]
        i += 1
        while i < len(lines) and all(deep >= 0 for deep in depth[last + 1:lines[i]]):
            last = lines[i]
            i += 1
        before, behind = first, last + 1
        while before and depth[before - 1] >= 0:
            before -= 1
        while behind < count and depth[behind] >= 0:
            behind += 1
        past = start[last + 1] if last + 1 < count else size
        if behind == count:
            out.append((start[before], past) if before else (0, size))
        elif before < first and last + 1 < behind and depth[before] > depth[last + 1]:
            out.append((start[before], past))
        elif before < first or not first:
            out.append((start[first], start[behind]))
        else:
            out.append((start[first], past))
    return out
