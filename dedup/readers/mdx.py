"""MDX to blocks: Markdown with JSX and JavaScript in it, of which nothing is run. Runs in worker processes.

What is JavaScript is masked by blanks, so that places stay as they are, and the rest is read as Markdown with the differences
that MDX has: no indented code, no HTML but as JSX, no ``<address>`` links.
"""

from __future__ import annotations

import re

from dedup.readers.markdown import MarkdownWalk, tokens_of
from dedup.readers.parsed import Parsed
from dedup.readers.sourcemap import LineEnds

_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})[^\n]*")
_ESM = re.compile(r"(?:import|export)\b(?!\s*[,.;:])")
_TICKS = re.compile("`+")
_TAG_START = re.compile(r"</?(?=[A-Za-z_$>])")
_STRINGS = {'"': re.compile(r'"(?:[^"\\\n]|\\.)*"'), "'": re.compile(r"'(?:[^'\\\n]|\\.)*'"),
            "`": re.compile(r"`(?:[^`\\]|\\.)*`", re.S)}
_NEXT = re.compile(r"[\\`{<\n]")
_MARKS = re.compile(r"""["'`{}/]""")
_IN_TAG = re.compile(r"""["'{>]""")
MASK = "\ufdd0"  # no character; ``markdown.align`` steps over it
_NO_FEED = re.compile(r"[^\n]")
_MASKED_LINE = re.compile(rf"^[ \t>]*{MASK}[ \t{MASK}]*$", re.MULTILINE)
_RULES = ("code", "html_block", "html_inline", "autolink")  # of CommonMark, which MDX does not have


def read_mdx(source: str) -> Parsed:
    """Read a page of MDX.

    ``import`` and ``export``, JSX tags with their attributes, comments and ``{expressions}`` are no text; what stands between
    tags is.
    """
    ends = LineEnds(source)
    walk = _MdxWalk(ends)
    title = walk.front_matter()
    walk.source = masked(ends.text, len(ends.text) - len(walk.body()))
    walk.walk(tokens_of(walk.body(), {}, _RULES))
    return walk.builder.build(title or walk.heading)


class _MdxWalk(MarkdownWalk):
    """A walk over masked Markdown."""

    def _plain(self, raw: str, kind: int, flags: int, place: tuple[int, int], keep_blanks: bool,
               link_chars: int = 0) -> None:
        super()._plain(raw.replace(MASK, ""), kind, flags, place, keep_blanks, link_chars)


def masked(source: str, at: int = 0) -> str:
    """The source without what is JavaScript, from an offset on: signs that are no text in its place; blanks, where it is all
    that stands on its lines.

    >>> masked("import A from 'a'\\n\\n<A b={1}>\\nSome{x}text `<kept>`\\n</A>").replace(MASK, ".")
    '                 \\n\\n         \\nSome...text `<kept>`\\n    '
    """
    out = [source[:at]]
    for start, end, is_text in _Scanner(source).parts(at):
        out.append(source[start:end] if is_text else _NO_FEED.sub(MASK, source[start:end]))
    return _MASKED_LINE.sub(lambda found: " " * len(found[0]), "".join(out))


class _Scanner:
    """Finds what is JavaScript. What is opened and never closed is looked for so often, and no more."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._left = 20 * len(source) + 1_000_000  # letters that may still be gone over in vain

    def parts(self, at: int) -> list[tuple[int, int, bool]]:
        """Stretches of the source from an offset on, one after the other, and whether each is text."""
        source, begun = self.source, at
        found: list[tuple[int, int, bool]] = []
        is_block = is_line = True  # whether a block may begin here, and a line
        while at < len(source):
            end, is_code = at, False
            if is_line and (fence := _FENCE.match(source, at)):
                at, is_block = self._end_of_fence(fence), True
                continue
            if is_line and is_block and _ESM.match(source, at):
                end = self._end_of_module(at)
            elif is_line:
                stop = source.find("\n", at)
                is_block = not source[at:stop if stop >= 0 else len(source)].strip()
            if end == at:
                mark = _NEXT.search(source, at)
                if mark is None:
                    break
                at = mark.start()
                end, is_code = self._behind(at)
            else:
                is_code = True
            if is_code:
                found += [(begun, at, True), (at, end, False)]
                begun = end
            at = end
            is_line = source[at - 1:at] == "\n"
        return [*found, (begun, len(source), True)]

    def _behind(self, at: int) -> tuple[int, bool]:
        """Behind what begins at a sign, and whether it is JavaScript."""
        source, sign = self.source, self.source[at]
        if sign == "\\":
            return at + (1 if source[at + 1:at + 2] == "\n" else 2), False
        if sign == "`":
            return self._end_of_code(at), False
        end = at
        if self._left > 0 and sign == "{":
            end = self._end_of_braces(at)
        elif self._left > 0 and sign == "<" and _TAG_START.match(source, at):
            end = self._end_of_tag(at)
        if end == at and sign in "{<":
            self._left -= len(source) - at
        return (end, True) if end > at else (at + 1, False)

    def _end_of_fence(self, fence: re.Match[str]) -> int:
        """Behind a fenced block, which is left to Markdown."""
        mark = fence[1]
        close = re.compile(rf"^[ \t>]*{mark}{mark[0]}*[ \t]*$", re.MULTILINE).search(self.source, fence.end())
        return min((close.end() if close else len(self.source)) + 1, len(self.source))

    def _end_of_code(self, at: int) -> int:
        """Behind a code span of one paragraph, or behind its ticks where it does not end."""
        ticks = _TICKS.match(self.source, at)
        assert ticks is not None
        stop = self.source.find("\n\n", at)
        stop = len(self.source) if stop < 0 else stop
        if self._left > 0:
            for close in _TICKS.finditer(self.source, ticks.end(), stop):
                if close[0] == ticks[0]:
                    return close.end()
            self._left -= stop - at
        return ticks.end()

    def _end_of_module(self, at: int) -> int:
        """Behind an ``import`` or ``export``: at the next blank line outside of braces."""
        source = self.source
        while at < len(source):
            behind = source.find("\n", at)
            behind = len(source) if behind < 0 else behind
            brace = source.find("{", at, behind)
            if brace >= 0 and self._left > 0:
                end = self._end_of_braces(brace)
                if end > behind:
                    at = end
                    continue
                self._left -= len(source) - brace if end == brace else 0
            next_end = source.find("\n", behind + 1)
            if not source[behind + 1:next_end if next_end >= 0 else len(source)].strip():
                return behind
            at = behind + 1
        return len(source)

    def _end_of_braces(self, at: int) -> int:
        """Behind the brace that closes the one at an offset, or that offset where none does."""
        source, depth, place = self.source, 0, at
        while found := _MARKS.search(source, place):
            sign, place = found[0], found.end()
            if sign == "{":
                depth += 1
            elif sign == "}":
                depth -= 1
                if not depth:
                    return place
            elif sign == "/":
                place = self._behind_slash(place)
            elif string := _STRINGS[sign].match(source, found.start()):
                place = string.end()
        return at

    def _behind_slash(self, place: int) -> int:
        """Behind a comment, if the slash before an offset begins one."""
        source = self.source
        if source.startswith("*", place):
            close = source.find("*/", place)
            return close + 2 if close >= 0 else len(source)
        if source.startswith("/", place) and source[place - 2:place - 1] != ":":  # no comment but an address
            close = source.find("\n", place)
            return close if close >= 0 else len(source)
        return place

    def _end_of_tag(self, at: int) -> int:
        """Behind a JSX tag, or its beginning where it does not end."""
        source, place = self.source, at + 1
        while found := _IN_TAG.search(source, place):
            sign, place = found[0], found.end()
            if sign == ">":
                return place
            end = self._end_of_braces(found.start()) if sign == "{" else source.find(sign, place) + 1
            if end <= found.start():
                return at
            place = end
        return at


__all__ = ["masked", "read_mdx"]
