"""The quick walk over a page, which passes by what holds no text, and the one that sees each element find the same blocks."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.cleaning.outline import outline_of
from dedup.readers.html import read_html
from dedup.readers.sourcemap import LineEnds, collapse, compose

BITS = [
    "x", "one two", "  ", "\n", "\r\n", "\xa0", "&amp;", "&copyright", "<", ">", '"', "<p>", "</p>", "<b>", "</b>",
    "<b>x</b>",
    "<i class='nav item'>y</i>", "<i> </i>", "<a href=x>", "</a>", "<a id=top>z</a>", "<br>", "</br>", "<hr/>", "<font>",
    "<table>", "<tr>", "<td>", "</table>", "<div class='sticky-footer'>", "<div hidden>", "</div>", "<footer>", "<main>",
    "<article>", "<pre>\n", "</pre>", "<ul>", "<li>", "<select>", "<option>", "<template>", "<svg>", "</svg>",
    "<script>q</script>", "<!-- c -->", "<!--", "<span>\n</span>", "<span>t</span>", "<h1>h</h1>", "<title>", "</title>",
    "</body>", "<o:p>", "\x00", "<q>", "</q>", "<code>", "</code>",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(BITS), max_size=60).map("".join))
@example("<p><b>x<p>y</b> z")
@example("<code><b>x</b></code>")
@example("<div> <!-- c -->text</div>")
@example("<table>x<b>y</b><tr><td>z</table>")
def test_both_walks_find_the_same_blocks(source: str) -> None:
    page, outline = read_html(source), outline_of(LineEnds(source))
    seen = outline.builder.build(None)
    assert (page.text, page.paths, page.steps) == (seen.text, seen.paths, seen.steps)
    assert page.columns == seen.columns
    assert "\n".join(block.text for block in outline.blocks) == page.text


@given(st.text(alphabet="ab \n\t\xa0", max_size=20), st.integers(0, 50))
def test_a_text_node_maps_like_the_same_one_in_pieces(raw: str, source: int) -> None:
    text, to_raw = collapse(raw, False)
    if text:
        whole = compose(len(text), to_raw, [0, len(raw)], [source, source + len(raw)])
        cuts = [*[at for at in range(len(raw)) for _ in range(2)][1:], len(raw)]
        assert compose(len(text), to_raw, cuts, [source + cut for cut in cuts]) == whole


@given(st.text(alphabet="a\r\n", max_size=30))
def test_lines_and_offsets_of_many_are_those_of_one(original: str) -> None:
    ends = LineEnds(original)
    offsets = range(len(ends.text) + 1)
    assert ends.lines(offsets) == [ends.text.count("\n", 0, offset) + 1 for offset in offsets]
    assert list(ends.originals(offsets)) == [ends.original(offset) for offset in offsets]
