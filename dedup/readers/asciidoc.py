"""AsciiDoc to blocks: the text as a reader of the made page sees it. Runs in worker processes.

A reader of our own: no library for Python gives places. Nothing is included and no attribute is filled in; ``{name}`` stays
as it is written. docs/formats.md says what is taken for markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dedup.readers import parsed as kinds
from dedup.readers.hints import QUOTE, TABLE_OR_CODE
from dedup.readers.parsed import PageBuilder, Parsed
from dedup.readers.sourcemap import LineEnds
from dedup.readers.stretches import Blocks, Line, Stretch, dedented, joined, lines_of

DEPTH = 40  # of delimited blocks in one another; what is deeper is left out

_HEADING = re.compile(r"(?:={1,6}|#{1,6})\s+(?=\S)")
_ATTRIBUTE = re.compile(r":!?[\w][\w-]*!?:(?:\s|\Z)")
_STYLE = re.compile(r"\[(?:\[[^\]]*\]|[^\]]*)\]\Z")
_TITLE = re.compile(r"\.(?![.\s])(?=\S)")
_MACRO = re.compile(r"(?:image|video|audio|include|toc|ifdef|ifndef|ifeval|endif|plantuml|diagram|chart|gist|partial|pass)"
                    r"::\S*?\[.*\]\Z")
_BREAK = re.compile(r"(?:'{3,}|-{3}|\*{3}|<{3,}|- - -|\* \* \*)\Z")
_ITEM = re.compile(r"(?:\*{1,6}|-|•|\.{1,6}|\d+[.)]|[A-Za-z][.)]|[ivxlcdmIVXLCDM]+\)|<(?:\d+|\.)>)\s+"
                   r"(?:\[[ xX*]\]\s+)?(?=\S)")
_TERM = re.compile(r"(.*?\S)(:{2,4}|;;)(?:\s+|\Z)")
_ADMONITION = re.compile(r"(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION):\s+(?=\S)")
_DELIMITER = re.compile(r"(?:-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|--|`{3,}\S*|[|,:!]={3,})\Z")
_UNDERLINE = re.compile(r"(?:=+|-+|~+|\^+|\++)\Z")
_CODE_STYLES = re.compile(r"\[(?:[^\]]*[,\s])?(?:source|listing|literal|stem|latexmath|asciimath|plantuml|mermaid|ditaa|"
                          r"graphviz)\b", re.IGNORECASE)
_NO_TEXT_STYLES = re.compile(r"\[(?:plantuml|mermaid|ditaa|graphviz|comment)\b", re.IGNORECASE)
_CELL = re.compile(r"(?:(?<=\s)|^)(?:\d+(?:\.\d+)?[+*]|\.\d+\+)?[<^>]?(?:\.[<^>])?[adehlmsv]?\||(?<!\\)\|", re.MULTILINE)
_AUTHOR = re.compile(r"(?:[\w.'-]+\s+){0,3}[\w.'-]+(?:\s+<[^>]+>)?(?:;.*)?\Z")
# What is bounded is bounded so that marks without an end cost no time.
_INLINE = re.compile(
    r"`\+(.{1,2000}?)\+`"
    r"|(?<![\w:;}])\+\+\+(.{1,2000}?)\+\+\+|(?<![\w+])\+\+(.{1,2000}?)\+\+(?!\+)"
    r"|``(.{1,2000}?)``|(?<![\w`])`([^\s`](?:[^`]{0,2000}?[^\s`])?)`(?![\w`])"
    r"|\*\*(\S(?:.{0,2000}?\S)?)\*\*|(?<![\w*])\*([^\s*](?:[^*\n]{0,2000}?[^\s*])?)\*(?![\w*])"
    r"|__(\S(?:.{0,2000}?\S)?)__|(?<!\w)_([^\s_](?:[^\n]{0,2000}?[^\s_])?)_(?!\w)"
    r"|(?:\[[^\]\n]{0,200}+\])?##(.{1,2000}?)##"
    r"|(?:\[[^\]\n]{0,200}+\])?(?<![\w&#])#([^\s#](?:[^#\n]{0,2000}?[^\s#])?)#(?![\w#])"
    r"|<<[^<>,\n]{1,200}+,\s*([^<>]{1,500}+)>>|\s?<<[^<>,\n]{1,200}+>>"
    r"|(?:link:|xref:|mailto:|https?://|ftp://|irc://)[^\s\[\]]{0,1000}+"
    r"\[\"?((?:[^\]\n\",^=]|[,=](?!\s*[\w-]+=)|\n(?!\n)){0,500}+)[^\]]{0,300}+\]"
    r"|(?:kbd|btn|stem|latexmath|asciimath|pass|footnote|footnoteref|indexterm2|menu):[^\s\[\]]{0,200}+\[([^\]]{0,500}+)\]"
    r"|(?:image|icon|anchor|indexterm|counter2?):[^\s\[\]]{0,1000}+\[[^\]]{0,500}+\]"
    r"|\(\(\([^)]{0,300}+\)\)\)|(?<!\()\(\(([^()]{1,300}+)\)\)(?!\))|\[\[[^\[\]]{0,200}+\]\]"
    r"|[ \t]\+(?=\n|\Z)|\\(?=[*_`#<{\[+])", re.DOTALL)


def read_asciidoc(source: str) -> Parsed:
    """Read a page of AsciiDoc."""
    ends = LineEnds(source)
    walk = AsciidocWalk(ends.text, PageBuilder(ends))
    walk.read(walk.header(), len(walk.lines), 0)
    return walk.blocks.builder.build(walk.blocks.heading)


class AsciidocWalk:
    """One pass over the lines of a source."""

    def __init__(self, source: str, builder: PageBuilder) -> None:
        self.source = source
        self.lines = lines_of(source)
        self.blocks = Blocks(source, builder, _INLINE)
        self._closing = self._delimiters()

    def _delimiters(self) -> dict[int, int]:
        """Of each line that opens a delimited block, the line that closes it: the next one like it."""
        later: dict[str, int] = {}
        out = {}
        for at in range(len(self.lines) - 1, -1, -1):
            text = self.lines[at].text
            if _DELIMITER.match(text) and not self._is_underline(at):
                mark = "```" if text.startswith("```") else text
                out[at] = later.get(mark, len(self.lines))
                if text == mark:
                    later[mark] = at
        return out

    def _is_underline(self, at: int) -> bool:
        """Whether a line is drawn below a title: a paragraph of one line, as long as the line but for one letter."""
        if at == 0 or not _UNDERLINE.match(self.lines[at].text) or self.lines[at].indent:
            return False
        title = self.lines[at - 1]
        if not title.text or title.indent or abs(len(title.text) - len(self.lines[at].text)) > 1:
            return False
        if title.text[0] in ".[/" or _ITEM.match(title.text) or not re.search(r"\w", title.text):
            return False
        return at == 1 or not self.lines[at - 2].text or bool(_STYLE.match(self.lines[at - 2].text))

    def header(self) -> int:
        """Read the title of the document, and step over authors, revision and attributes below it."""
        at = 0
        while at < len(self.lines) and (not self.lines[at].text or self._is_markup(self.lines[at].text)):
            at += 1
        if at + 1 < len(self.lines) and self.lines[at + 1].text[:1] == "=" and self._is_underline(at + 1):
            self._heading(self.lines[at], self.lines[at].at)
            at += 2
        elif at < len(self.lines) and self.lines[at].text.startswith("= "):
            self._heading(self.lines[at], self.lines[at].at + 2)
            at += 1
        else:
            return at
        for pattern in (_AUTHOR, re.compile(r"v?\d[\w.]*(?:,.*)?\Z|.*\d{4}-\d\d-\d\d.*\Z")):
            if at < len(self.lines) and self.lines[at].text and pattern.match(self.lines[at].text):
                at += 1
        return at

    def _is_markup(self, text: str) -> bool:
        """Whether a line is an attribute, a comment or a macro: nothing of it is text."""
        is_comment = text.startswith("//") and not text.startswith("///")
        return bool(is_comment or _ATTRIBUTE.match(text) or _MACRO.match(text) or _BREAK.match(text) or text == "+")

    def read(self, at: int, stop: int, flags: int, depth: int = 0) -> None:
        """Read some lines, half-open."""
        style = ""
        while at < stop:
            text = self.lines[at].text
            if at in self._closing and self.lines[at].indent == 0:
                at = self._delimited(at, min(self._closing[at], stop), style, flags, depth)
                style = ""
            elif not text or self._is_markup(text):
                at += 1
            elif _STYLE.match(text) and self.lines[at].indent == 0:
                style = text
                at += 1
            elif found := _TITLE.match(text):
                self.blocks.text([(self.lines[at].at + found.end(), self.lines[at].end)], kinds.CAPTION, flags)
                at += 1
            else:
                at = self._element(at, stop, style, flags)
                style = ""

    def _element(self, at: int, stop: int, style: str, flags: int) -> int:
        """A heading, item, term or paragraph; gives the line behind it."""
        line = self.lines[at]
        text = line.text
        if (found := _HEADING.match(text)) and line.indent == 0:
            self._heading(line, line.at + found.end())
            return at + 1
        if at + 1 < stop and self._is_underline(at + 1):
            self._heading(line, line.at)
            return at + 2
        if found := _ITEM.match(text):
            return self._paragraph(at, stop, line.at + found.end(), kinds.LIST_ITEM, flags)
        if found := _TERM.match(text):
            self.blocks.text([(line.at, line.at + found.end(1))], kinds.PARAGRAPH, flags)
            if found.end() < len(text):
                return self._paragraph(at, stop, line.at + found.end(), kinds.PARAGRAPH, flags)
            at += 1
            while at < stop and not self.lines[at].text:
                at += 1
            begins = at < stop and at not in self._closing and not _ITEM.match(self.lines[at].text)
            return self._paragraph(at, stop, self.lines[at].at, kinds.PARAGRAPH, flags) if begins else at
        end = self._end_of_paragraph(at, stop)
        if _CODE_STYLES.match(style) or (line.indent and not style):
            self.blocks.code(dedented(self.lines[at:end], min(part.indent for part in self.lines[at:end])), flags)
            return end
        if style.startswith(("[quote", "[verse")):
            flags |= QUOTE
        found = _ADMONITION.match(text)
        return self._paragraph(at, stop, line.at + (found.end() if found else 0), kinds.PARAGRAPH, flags)

    def _heading(self, line: Line, begin: int) -> None:
        """A title, without the same signs at its end."""
        text = self.source[begin:line.end]
        kept = re.sub(r"\s+(?:=+|#+)\Z", "", text)
        self.blocks.text([(begin, begin + len(kept))], kinds.HEADING)

    def _paragraph(self, at: int, stop: int, begin: int, kind: int, flags: int) -> int:
        end = self._end_of_paragraph(at, stop)
        kept = [line for line in self.lines[at:end] if not self._is_markup(line.text)]
        self.blocks.text(joined(self.source, kept, begin), kind, flags)
        return end

    def _end_of_paragraph(self, at: int, stop: int) -> int:
        """The line behind a paragraph: a blank one, or one that begins something else."""
        end = at + 1
        while end < stop:
            text = self.lines[end].text
            if not text or text == "+" or end in self._closing or _ITEM.match(text) or _STYLE.match(text):
                break
            if _HEADING.match(text) or (_TERM.match(text) and _TERM.match(self.lines[at].text)):
                break
            end += 1
        return end

    def _delimited(self, at: int, close: int, style: str, flags: int, depth: int) -> int:
        """A delimited block; gives the line behind it."""
        mark, inside = self.lines[at].text[:3], self.lines[at + 1:close]
        if mark in ("///", "+++") or depth >= DEPTH or _NO_TEXT_STYLES.match(style):
            return close + 1
        if mark in ("---", "...", "```") or _CODE_STYLES.match(style):
            self.blocks.code(dedented(inside, min((line.indent for line in inside if line.text), default=0)), flags)
        elif self.lines[at].text[0] in "|!" and self.lines[at].text[1] == "=":
            self._table(inside, flags | TABLE_OR_CODE)
        elif mark[0] in ",:" and mark[1] == "=":
            for line in inside:
                self.blocks.text(joined(self.source, [line]), kinds.CELL, flags | TABLE_OR_CODE)
        else:
            self.read(at + 1, close, flags | (QUOTE if mark == "___" else 0), depth + 1)
        return close + 1

    def _table(self, lines: Sequence[Line], flags: int) -> None:
        """The cells of a table: what stands behind each bar."""
        if not lines:
            return
        start, end = lines[0].start, lines[-1].end
        marks = list(_CELL.finditer(self.source, start, end))
        if not marks:
            return
        for mark, behind in zip(marks, [*(found.start() for found in marks[1:]), end], strict=True):
            self.blocks.text(self._cell(mark.end(), behind), kinds.CELL, flags)

    def _cell(self, start: int, end: int) -> list[Stretch]:
        """A cell without the lines of it that are markup."""
        out: list[Stretch] = []
        at = start
        for raw in self.source[start:end].split("\n"):
            if raw.strip() and not self._is_markup(raw.strip()):
                out.append((at, min(at + len(raw) + 1, end)))
            at += len(raw) + 1
        return out


__all__ = ["read_asciidoc"]
