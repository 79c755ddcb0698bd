"""Cutters, whatever is asked of them: pieces are the source, only what was to go goes, and the rest reads as before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.cleaning.html import html_cuts
from dedup.cleaning.markdown import markdown_cuts
from dedup.cleaning.pieces import STAYS, Cuts, Gone, without
from dedup.cleaning.seams import has_words
from dedup.cleaning.source import Form, file_pieces
from dedup.cleaning.text import text_cuts
from dedup.readers.html import read_html
from dedup.readers.markdown import read_markdown

# Words are numbered, so that each stands once and its loss is seen.
BREAKS = ["\n", "\n\n", "\r\n", "\r\n\r\n", "\n\n\n", "\n  "]


@st.composite
def sentences(draw: st.DrawFn, least: int = 1) -> str:
    """A line of words with what stands around words; ``{}`` where a number is to come."""
    words = draw(
        st.lists(
            st.sampled_from(
                [
                    "w{}",
                    "w{}",
                    "w{}",
                    "w{}’s",
                    "w{}-x{}",
                    "w{}é",
                    "3.{}",
                    "w{},",
                    "w{}.",
                    '"w{}',
                    'w{}"',
                    "(w{}",
                    "w{})",
                    "|",
                    "“w{} w{}”",
                    "漢字{}。",
                    "–",
                    "w{}\u0301",
                ]
            ),
            min_size=least,
            max_size=7,
        )
    )
    return " ".join(words)


def numbered(text: str) -> str:
    """The text with every ``{}`` replaced by a number of its own."""
    parts = text.split("{}")
    return "".join(part + (str(100 + i) if i + 1 < len(parts) else "") for i, part in enumerate(parts))


@st.composite
def texts(draw: st.DrawFn) -> str:
    out = draw(st.sampled_from(["", "\n", "  "]))
    for _ in range(draw(st.integers(1, 6))):
        out += draw(st.sampled_from(["", "- ", "1. ", "> ", "  * ", "\t", "[x] "])) + draw(sentences())
        out += draw(st.sampled_from(BREAKS))
    return numbered(out.removesuffix(draw(st.sampled_from(["", "\n"]))))


@st.composite
def markdowns(draw: st.DrawFn) -> str:
    out = draw(st.sampled_from(["", "", "---\ntitle: t{} t{}\n---\n\n"]))
    shapes = [
        "{0}\n\n",
        "# {0}\n\n",
        "{0}\n===\n\n",
        "- {0}\n- {1}\n\n",
        "1. {0}\n\n   {1}\n\n2. {2}\n\n",
        "> {0}\n> {1}\n\n",
        "> {0}\n>\n> {1}\n\n",
        "| h | {0} |\n|---|---|\n| {1} | k |\n| l | m |\n\n",
        "```\ncode {0}\n```\n\n",
        "    code {0}\n\n",
        "<div>\n{0}\n</div>\n\n",
        "**{0}** and *{1}* [{2}](http://x)\n\n",
        "- {0}\n  - {1}\n  - {2}\n\n",
        "# {0}\n{1}\n# {2}\n",
        "{0} ![a](b.png) {1}\n\n",
        "[foo]: http://x\n\n",
        "***\n\n",
        "{0}\n{1}\n{2}\n\n",
        "{0} `code` &amp; <b>{1}</b> \\* {2}\n\n",
    ]
    for shape in draw(st.lists(st.sampled_from(shapes), min_size=1, max_size=6)):
        fill = [re.sub(r"[|]", "", draw(sentences())) for _ in range(3)]
        out += shape.format(*fill)
    return numbered(out)


TAGS = ["p", "div", "ul", "li", "table", "tr", "td", "b", "a", "span", "h2", "section", "font", "pre", "form", "button"]
ALONE = [
    "<br>",
    "<hr>",
    "<img src=a>",
    "<img src=b>",
    "<input name=q>",
    "<script>s()</script>",
    "<svg><path/></svg>",
    "<!-- c -->",
    "<p>",
    "<li>",
    "<td>",
    "</b>",
    "</p>",
    "</div>",
    "&amp;",
    "<select><option>o{}<option>o{}</select>",
    "\n",
    "  ",
]


@st.composite
def pages(draw: st.DrawFn, depth: int = 3) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.integers(0, 4))
        if kind == 0 and depth:
            tag = draw(st.sampled_from(TAGS))
            parts.append(f"<{tag}>{draw(pages(depth - 1))}</{tag}>")
        elif kind == 1:
            parts.append(draw(st.sampled_from(ALONE)))
        else:
            parts.append(draw(sentences()))
            tag = draw(st.sampled_from(["p", "li", "div", "td", "b"]))
            if kind == 2:
                parts[-1] = f"<{tag}>{parts[-1]}</{tag}>" + draw(st.sampled_from(["", "\n", "\r\n"]))
    return "".join(parts)


@st.composite
def stretches(draw: st.DrawFn, text: str) -> list[Gone]:
    """Some ranges of a text: anywhere, or blocks of it."""
    blocks = [found.span() for found in re.finditer(r"[^\n]+", text)]
    out = []
    for i in range(draw(st.integers(1, 4))):
        if blocks and draw(st.booleans()):
            first = draw(st.integers(0, len(blocks) - 1))
            last = min(first + draw(st.integers(0, 3)), len(blocks) - 1)
            out.append(Gone(blocks[first][0], blocks[last][1], i))
        else:
            start = draw(st.integers(0, len(text)))
            out.append(Gone(start, min(start + draw(st.integers(0, 40)), len(text)), i))
    return out


WORDS = re.compile("[^\\W_\u4e00-\u9fff]+")
NUMBERED = re.compile("[^\\W_\u4e00-\u9fff]*[1-9][0-9]{2}[^\\W_\u4e00-\u9fff]*")  # stands once


def check(source: str, text: str, gone: Sequence[Gone], cuts: Cuts, reread: Callable[[str], str]) -> str:
    """What holds for every cutter; gives back what is left of the source."""
    at = 0
    for cut in cuts.cuts:
        assert at <= cut.start < cut.end <= len(source)
        assert cut.removal in {stretch.removal for stretch in gone}
        at = cut.end
    for stretch in cuts.left:
        assert has_words(text, stretch.start, stretch.end)
        assert stretch.reason
    output = without(source, cuts.cuts)
    new = Counter(WORDS.findall(reread(output)))
    assert not new - Counter(WORDS.findall(text))  # no word is torn, none made of two
    asked = _marked(text, gone)
    left = _marked(text, cuts.left)
    for found in NUMBERED.finditer(text):
        here = slice(*found.span())
        if not any(asked[here]):
            assert new[found.group()] == 1
        if all(asked[here]) and not any(left[here]):
            assert new[found.group()] == 0
        if all(left[here]):
            assert new[found.group()] == 1
    return output


def _marked(text: str, ranges: Sequence[tuple[int, ...]]) -> list[bool]:
    """Whether each code point lies in a range."""
    marks = [False] * len(text)
    for start, end, *_ in ranges:
        marks[start:end] = [True] * (min(end, len(text)) - start)
    return marks


@given(st.data())
def test_text_loses_nothing_else(data: st.DataObject) -> None:
    source = data.draw(texts())
    gone = data.draw(stretches(source))
    output = check(source, source, gone, text_cuts(source, gone), lambda text: text)
    assert not re.search(r"^[ \t]*[-*>] *$", output, re.MULTILINE) or re.search(
        r"^[ \t]*[-*>] *$", source, re.MULTILINE
    )
    if not re.search(r"\n[ \t]*\n[ \t]*\n", source.replace("\r", "")):
        assert not re.search(r"\S[ \t]*\n[ \t]*\n[ \t]*\n[ \t]*\S", output.replace("\r", ""))
    if output.strip() and source.endswith("\n"):
        assert output.endswith("\n")


@given(st.data())
def test_markdown_reads_as_before_without_what_went(data: st.DataObject) -> None:
    source = data.draw(markdowns())
    text = read_markdown(source).text
    gone = data.draw(stretches(text))
    check(source, text, gone, markdown_cuts(source, gone), lambda output: read_markdown(output).text)


@given(st.data())
def test_html_reads_as_before_without_what_went(data: st.DataObject) -> None:
    source = numbered(data.draw(pages()))
    text = read_html(source).text
    gone = data.draw(stretches(text))
    output = check(source, text, gone, html_cuts(source, gone), lambda output: read_html(output).text)
    for image in ("<img src=a>", "<img src=b>", "<input name=q>", "<script>s()</script>"):
        assert (image in source) == (image in output)


@given(
    st.data(),
    st.sampled_from(["text", "markdown", "html"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "gb18030", "cp932", "bytes"]),
)
def test_pieces_are_the_source(data: st.DataObject, form: Form, encoding: str) -> None:
    source = data.draw({"text": texts(), "markdown": markdowns(), "html": pages().map(numbered)}[form])
    if encoding == "bytes":
        raw = source.encode("utf-8") + data.draw(st.binary(max_size=9)) + source.encode("utf-16-le")
    else:
        charset = {"gb18030": "gbk", "cp932": "shift_jis"}.get(encoding, "utf-8")
        raw = ((f'<meta charset="{charset}">' if form == "html" else "") + source).encode(encoding, "replace")
    gone = [
        Gone(a, a + data.draw(st.integers(0, 50)), i)
        for i, a in enumerate(data.draw(st.lists(st.integers(0, 300), max_size=4)))
    ]
    pieces, _ = file_pieces(raw, form, gone)
    assert b"".join(piece.data for piece in pieces) == raw
    assert all(piece.data for piece in pieces)
    assert {piece.removal for piece in pieces} <= {STAYS, *range(len(gone))}
    untouched, left = file_pieces(raw, form, ())
    assert [piece.data for piece in untouched] == ([raw] if raw else [])
    assert left == ()


@pytest.mark.parametrize("cut", [text_cuts, markdown_cuts, html_cuts])
@pytest.mark.parametrize("gone", [(), (Gone(3, 3, 0),), (Gone(500, 600, 0),), (Gone(0, 0, 0),)])
def test_nothing_to_go_cuts_nothing(cut: Callable[..., Cuts], gone: tuple[Gone, ...]) -> None:
    assert cut("one two\n\n<p>three</p>\n", gone) == Cuts(())
