"""reStructuredText to blocks: the text as a reader of the made page sees it. Runs in worker processes.

A reader of our own, as docutils knows no places but lines, does not know the directives and roles of Sphinx, and would read
other files where a page asks for it. Here nothing is executed and nothing included: what cannot be known without that,
such as what ``autoclass`` brings, is no text of this page. docs/formats.md says what is taken for markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from dedup.readers import parsed as kinds
from dedup.readers.hints import QUOTE, TABLE_OR_CODE
from dedup.readers.parsed import PageBuilder, Parsed
from dedup.readers.sourcemap import LineEnds
from dedup.readers.stretches import Blocks, Line, Stretch, dedented, joined, lines_of

DEPTH = 40  # of indented parts in one another; what is deeper is a paragraph


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CODE = _names("code code-tab code-block sourcecode parsed-literal prompt doctest testcode testoutput testsetup "
               "testcleanup ipython productionlist command-output literal math")
_NO_TEXT = _names("image include literalinclude toctree contents raw graphviz plantuml mermaid digraph graph uml "
                  "index highlight default-role role meta module currentmodule sectnum section-numbering "
                  "tabularcolumns target-notes unicode date replace inheritance-diagram automodule autoclass "
                  "autofunction autodata autoexception automethod autoattribute autosummary autoprogram argparse "
                  "click highlightlang default- domain program sectionauthor codeauthor moduleauthor plot "
                  "bibliography")
_TEXT_ARGUMENT = _names("admonition topic sidebar rubric note warning tip hint important caution danger attention error "
                        "seealso todo versionadded versionchanged versionremoved deprecated deprecated-removed centered "
                        "title epigraph highlights pull-quote compound table list-table csv-table line-block hlist "
                        "glossary tab-item dropdown card grid-item-card")
_PUNCTUATION = r"!-/:-@\[-`{-~"
_RULE = re.compile(rf"([{_PUNCTUATION}])\1*\Z")
_BULLET = re.compile(r"(?:[-*+•‣⁃](?:\s+|\Z))+")
_NUMBERED = re.compile(r"(?:\((?:\d+|[A-Za-z]|[ivxlcdmIVXLCDM]+|#)\)|(?:\d+|[A-Za-z]|[ivxlcdmIVXLCDM]+|#)[.)])\s+")
_FIELD = re.compile(r":(?![:\s])(?:[^:\\\n]|\\.|:(?!\s|\Z))+:(?:\s+|\Z)")
_OPTION = re.compile(r"(?:--?[A-Za-z][\w-]*|/[A-Z])(?:[ =]<?[\w.-]+>?)?(?:, --?[A-Za-z][\w-]*(?:[ =]<?[\w.-]+>?)?)*"
                     r"(?:\s{2,}|\Z)")
_DIRECTIVE = re.compile(r"\.\.\s+(?:\|[^|]+\|\s+)?([A-Za-z][\w.+:-]*?)\s?::(?:\s+|\Z)")
_SUBSTITUTION = re.compile(r"\.\.\s+\|[^|]+\|\s")
_NOTE = re.compile(r"\.\.\s+\[(?:\d+|#[\w.-]*|\*|[\w.-]+)\](?:\s+|\Z)")
_GRID = re.compile(r"\+(?:[-=]+\+)+\Z")
_SIMPLE = re.compile(r"=+(?:[ \t]+=+)+\Z")
# What is bounded is bounded so that marks without an end cost no time.
_INLINE = re.compile(
    r"``(?=\S)(.{0,2000}?\S)``(?!`)"
    r"|:[A-Za-z][\w.+:-]{0,100}?:`[!~]?([^`<]{0,1000}?)\s{0,9}+(?:<[^>`]{0,1000}+>)?`"
    r"|(?<![\w`])_?`([^`<]{1,1000}?)(?:\s{0,9}+<[^>`]{0,1000}+>)?`(?:__?(?!\w)|:[A-Za-z][\w.+:-]{0,100}?:)?"
    r"|\*\*(\S(?:.{0,2000}?\S)?)\*\*"
    r"|(?<![\w*\\])\*([^\s*](?:[^*]{0,2000}?[^\s*\\])?)\*(?![\w*])"
    r"|(?<![\w|])\|([^\s|](?:[^|\n]{0,300}?[^\s|])?)\|_{0,2}(?![\w|])"
    r"|\s?\[(?:\d{1,9}|#[\w.-]{0,100}+|\*)\]_(?!\w)"
    r"|(?<!\w)([^\W_](?:[\w.+-]{0,200}?[^\W_])?)__?(?=[\s.,;:!?)\]'\"]|\Z)"
    r"|\\\s|\\([^\s\w])", re.DOTALL)


def read_rst(source: str) -> Parsed:
    """Read a page of reStructuredText."""
    ends = LineEnds(source)
    walk = RstWalk(ends.text, PageBuilder(ends))
    walk.read(0, len(walk.lines), 0, 0)
    return walk.blocks.builder.build(walk.blocks.heading)


class RstWalk:
    """One pass over the lines of a source."""

    def __init__(self, source: str, builder: PageBuilder) -> None:
        self.source = source
        self.lines = lines_of(source)
        self.blocks = Blocks(source, builder, _INLINE)

    def read(self, at: int, stop: int, indent: int, flags: int, depth: int = 0) -> None:
        """Read some lines that are indented by `indent` at least.

        Args:
            at, stop: The lines, half-open.
        """
        while at < stop:
            line = self.lines[at]
            if not line.text:
                at += 1
            elif line.indent > indent:
                end = self._indented(at, stop, indent)
                is_list = _BULLET.match(line.text) or _NUMBERED.match(line.text)  # often indented, and no quote then
                self._nested(at, end, line.indent, flags if is_list else flags | QUOTE, depth)
                at = end
            else:
                at = self._element(at, stop, indent, flags, depth)

    def _nested(self, at: int, stop: int, indent: int, flags: int, depth: int) -> None:
        if depth < DEPTH:
            least = min((line.indent for line in self.lines[at:stop] if line.text), default=indent)
            self.read(at, stop, least, flags, depth + 1)
        else:
            self.blocks.text(joined(self.source, self.lines[at:stop]), kinds.PARAGRAPH, flags)

    def _indented(self, at: int, stop: int, indent: int) -> int:
        """The line behind those that are indented by more than `indent`, or blank."""
        end = at
        while at < stop and (not self.lines[at].text or self.lines[at].indent > indent):
            at += 1
            end = at if self.lines[at - 1].text else end
        return end

    def _element(self, at: int, stop: int, indent: int, flags: int, depth: int) -> int:
        """Read what begins at a line, and give the line behind it."""
        text = self.lines[at].text
        if text.startswith("..") and (len(text) == 2 or text[2] in " \t"):
            return self._explicit(at, stop, indent, flags, depth)
        if text.startswith("__ "):
            return at + 1
        if (end := self._section(at, stop, indent)) or (end := self._table(at, stop, indent, flags)):
            return end
        if text.startswith(">>>"):
            return self._until_blank_as_code(at, stop, flags)
        for pattern, kind in ((_BULLET, kinds.LIST_ITEM), (_NUMBERED, kinds.LIST_ITEM), (_FIELD, kinds.PARAGRAPH),
                              (_OPTION, kinds.LIST_ITEM)):
            if found := pattern.match(text):
                is_cell = kind == kinds.LIST_ITEM and flags & TABLE_OR_CODE  # of a list-table
                return self._item(at, stop, indent, found.end(), kinds.CELL if is_cell else kind, flags, depth)
        if text.startswith("| ") or text == "|":
            return self._line_block(at, stop, indent, flags)
        return self._paragraph(at, stop, indent, kinds.PARAGRAPH, flags, depth)

    def _section(self, at: int, stop: int, indent: int) -> int:
        """A title with a line below, or above and below; or a transition. 0 for neither."""
        text = self.lines[at].text
        rule = _RULE.match(text)
        below = self.lines[at + 1] if at + 1 < stop else None
        if rule and below and below.text and at + 2 < stop and self.lines[at + 2].text == text and len(text) > 1:
            self.blocks.text([(below.at, below.end)], kinds.HEADING)
            return at + 3
        if rule and len(text) >= 4 and (below is None or not below.text):
            return at + 1
        if below is None or below.indent != indent or not _RULE.match(below.text) or rule:
            return 0
        if len(below.text) < min(len(text), 4) or below.text in ("::", ".."):
            return 0
        self.blocks.text([(self.lines[at].at, self.lines[at].end)], kinds.HEADING)
        return at + 2

    def _explicit(self, at: int, stop: int, indent: int, flags: int, depth: int) -> int:
        """A directive, footnote, target, substitution or comment."""
        line = self.lines[at]
        end = self._indented(at + 1, stop, indent)
        end = max(end, at + 1)
        if _SUBSTITUTION.match(line.text):
            return end
        if found := _NOTE.match(line.text):
            self._body(at, end, line.at + found.end(), kinds.PARAGRAPH, flags, depth)
            return end
        if found := _DIRECTIVE.match(line.text):
            self._directive(at, end, found[1].rsplit(":", 1)[-1].lower(), line.at + found.end(), flags, depth)
        return end  # else a target or a comment

    def _directive(self, at: int, end: int, name: str, argument: int, flags: int, depth: int) -> None:
        line, first = self.lines[at], at + 1
        if name in _NO_TEXT:
            return
        told = name in _TEXT_ARGUMENT and argument < line.end
        head = [line] if told else []
        if told:  # its argument goes on until its options, or a blank line
            while first < end and self.lines[first].text and not _FIELD.match(self.lines[first].text):
                head.append(self.lines[first])
                first += 1
        while first < end and _FIELD.match(self.lines[first].text):  # options
            first += 1
            while first < end and self.lines[first].text and self.lines[first].indent > self.lines[first - 1].indent:
                first += 1
        if head:
            kind = kinds.HEADING if name == "rubric" else kinds.PARAGRAPH
            self.blocks.text(joined(self.source, head, argument), kind, flags)
        body = self.lines[first:end]
        indent = min((part.indent for part in body if part.text), default=0)
        if name in _CODE:
            self.blocks.code(dedented(_without_blank_head(body), indent), flags)
        elif name == "csv-table":
            for part in body:
                self.blocks.text(joined(self.source, [part]), kinds.CELL, flags | TABLE_OR_CODE)
        elif name == "figure":
            self._figure(first, end, indent, flags, depth)
        else:
            inside = flags | (QUOTE if name in ("epigraph", "highlights", "pull-quote") else 0)
            self._nested(first, end, indent, inside | (TABLE_OR_CODE if name == "list-table" else 0), depth)

    def _figure(self, at: int, end: int, indent: int, flags: int, depth: int) -> None:
        """A caption, and a legend below it."""
        while at < end and not self.lines[at].text:
            at += 1
        behind = at
        while behind < end and self.lines[behind].text:
            behind += 1
        if at < behind and not self.lines[at].text.startswith(".."):
            self.blocks.text(joined(self.source, self.lines[at:behind]), kinds.CAPTION, flags)
            at = behind
        self._nested(at, end, indent, flags, depth)

    def _item(self, at: int, stop: int, indent: int, mark: int, kind: int, flags: int, depth: int) -> int:
        """A list item, field or option: its mark, and what is indented."""
        end = max(self._indented(at + 1, stop, indent), at + 1)
        self._body(at, end, self.lines[at].at + mark, kind, flags, depth)
        return end

    def _body(self, at: int, end: int, begin: int, kind: int, flags: int, depth: int) -> None:
        """Text that begins in a line behind a mark, and all that is indented below it."""
        first = at + 1
        while first < end and self.lines[first].text and not self._begins_anew(first):
            first += 1
        head = self.lines[at:first]
        literal = self._literal(head)
        self._add_text(head, kind, flags, begin if begin < self.lines[at].end else self.lines[at].end)
        if literal:  # what is indented more than the text behind the mark
            behind = self._indented(first, end, begin - self.lines[at].start)
            code = _without_blank_head(self.lines[first:behind])
            self.blocks.code(dedented(code, min((line.indent for line in code if line.text), default=0)), flags)
            first = max(behind, first)
        self._nested(first, end, min((line.indent for line in self.lines[first:end] if line.text), default=0), flags, depth)

    def _begins_anew(self, at: int) -> bool:
        """Whether a line inside an item begins something of its own although no blank line stands before it."""
        text = self.lines[at].text
        return bool(_BULLET.match(text) or _FIELD.match(text) or (_DIRECTIVE.match(text)))

    def _literal(self, lines: Sequence[Line]) -> bool:
        """Whether a literal block follows a paragraph."""
        return bool(lines) and lines[-1].text.endswith("::")

    def _add_text(self, lines: Sequence[Line], kind: int, flags: int, begin: int | None = None) -> None:
        """Add a paragraph; of ``::`` at its end one colon stays, and none where it stands alone."""
        found = joined(self.source, lines, begin)
        if found and self._literal(lines):
            start, end = found[-1]
            alone = self.source[start:end] == "::" or self.source[end - 3:end - 2].isspace()
            found[-1] = (start, max(end - (2 if alone else 1), start))
        if found:
            self.blocks.text([stretch for stretch in found if stretch[0] < stretch[1]], kind, flags)

    def _paragraph(self, at: int, stop: int, indent: int, kind: int, flags: int, depth: int) -> int:
        """A paragraph, or a term and its definition."""
        end = at + 1
        while end < stop and self.lines[end].text and self.lines[end].indent == indent:
            end += 1
        own = self.lines[at:end]
        if end < stop and self.lines[end].text and end == at + 1:  # more indented: a definition
            behind = self._indented(end, stop, indent)
            self._add_text(own, kind, flags)
            if self._literal(own):
                self.blocks.code(dedented(self.lines[end:behind], self.lines[end].indent), flags)
            else:
                self._nested(end, behind, self.lines[end].indent, flags, depth)
            return behind
        self._add_text(own, kind, flags)
        if not self._literal(own):
            return end
        behind = self._indented(end, stop, indent)
        if behind > end:
            body = _without_blank_head(self.lines[end:behind])
            self.blocks.code(dedented(body, min(line.indent for line in body if line.text)), flags)
            return behind
        return self._quoted_literal(end, stop, flags)

    def _quoted_literal(self, at: int, stop: int, flags: int) -> int:
        """A literal block that is not indented but marked in each line."""
        first = at
        while first < stop and not self.lines[first].text:
            first += 1
        mark = self.lines[first].text[0] if first < stop else ""
        if not mark or mark.isalnum() or mark.isspace() or self.lines[first].text.startswith(".."):
            return at
        end = first
        while end < stop and self.lines[end].text.startswith(mark):
            end += 1
        self.blocks.code(dedented(self.lines[first:end], 0), flags)
        return end

    def _until_blank_as_code(self, at: int, stop: int, flags: int) -> int:
        end = at
        while end < stop and self.lines[end].text:
            end += 1
        self.blocks.code(dedented(self.lines[at:end], self.lines[at].indent), flags)
        return end

    def _line_block(self, at: int, stop: int, indent: int, flags: int) -> int:
        found: list[Stretch] = []
        end = at
        while end < stop and (line := self.lines[end]).text and (line.text.startswith("|") or line.indent > indent):
            skip = 1 if line.text.startswith("|") else 0
            found.append((line.at + skip, line.end + 1))
            end += 1
        found[-1] = (found[-1][0], found[-1][1] - 1)
        self.blocks.text([stretch for stretch in found if stretch[0] < stretch[1]], kinds.PARAGRAPH, flags)
        return end

    # Tables.

    def _table(self, at: int, stop: int, indent: int, flags: int) -> int:
        """A grid table or a simple one; 0 for none."""
        text = self.lines[at].text
        if _GRID.match(text):
            end = at
            while end < stop and self.lines[end].text[:1] in ("+", "|") and self.lines[end].text:
                end += 1
            self._grid(self.lines[at:end], flags | TABLE_OR_CODE)
            return end
        if _SIMPLE.match(text):
            return self._simple(at, stop, flags | TABLE_OR_CODE)
        return 0

    def _grid(self, lines: Sequence[Line], flags: int) -> None:
        edges = [at for at, sign in enumerate(lines[0].text) if sign == "+"]
        rows: list[Line] = []
        for line in lines:
            if line.text.startswith("+"):
                self._grid_row(rows, edges, flags)
                rows = []
            else:
                rows.append(line)
        self._grid_row(rows, edges, flags)

    def _grid_row(self, lines: Sequence[Line], edges: Sequence[int], flags: int) -> None:
        if not lines:
            return
        there = [edge for edge in edges if all(line.text[edge:edge + 1] == "|" for line in lines)]
        for left, right in pairwise(there):
            self._cell([(line.at + left + 1, min(line.at + right, line.end)) for line in lines], flags)

    def _simple(self, at: int, stop: int, flags: int) -> int:
        border = self.lines[at]
        columns = [found.start() for found in re.finditer("=+", border.text)]
        end = at + 1
        rows: list[list[Line]] = []
        while end < stop:
            line = self.lines[end]
            if _SIMPLE.match(line.text):
                end += 1
                if end >= stop or not self.lines[end].text:  # the last border
                    break
                continue
            if line.text and not set(line.text) <= set("- "):
                if rows and line.indent >= border.indent + columns[1]:  # the first column is empty: the row goes on
                    rows[-1].append(line)
                else:
                    rows.append([line])
            end += 1
        for row in rows:
            for left, right in zip(columns, [*columns[1:], None], strict=True):
                cells = []
                for line in row:
                    base = line.start + border.indent
                    cells.append((min(base + left, line.end), line.end if right is None else min(base + right, line.end)))
                self._cell(cells, flags)
        return end

    def _cell(self, stretches: Sequence[Stretch], flags: int) -> None:
        """A cell, of whose lines some may be empty; a line's blanks at its ends collapse into one."""
        kept = [stretch for stretch in stretches if self.source[slice(*stretch)].strip()]
        if not kept:
            return
        out = []
        for number, (start, end) in enumerate(kept):
            part = self.source[start:end]
            lead = len(part) - len(part.lstrip())
            tail = len(part.rstrip())
            follows = number + 1 < len(kept)
            out.append((start + lead, start + tail + follows))  # and a blank, or the edge of the cell, if none is there
        self.blocks.text(_without_edges(self.source, out), kinds.CELL, flags)


def _without_edges(source: str, stretches: list[Stretch]) -> list[Stretch]:
    """The stretches of a cell; where no blank stands behind one, it ends at its last letter."""
    return [(a, b if source[b - 1] in " \t\n" else b - 1) if n + 1 < len(stretches) else (a, b)
            for n, (a, b) in enumerate(stretches)]


def _without_blank_head(lines: Sequence[Line]) -> Sequence[Line]:
    first = 0
    while first < len(lines) and not lines[first].text:
        first += 1
    return lines[first:]


__all__ = ["read_rst"]
