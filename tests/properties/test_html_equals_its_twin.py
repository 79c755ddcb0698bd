"""The compiled walk over a page of HTML finds what the plain one finds, on broken pages too."""

from __future__ import annotations

from typing import Any

import pytest
import turbohtml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.kernel import reference
from dedup.readers.html import MAX_NODES
from dedup.readers.sourcemap import normalised

native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the kernel is not built")

TEXTS = [
    "x", "one two", "  ", "\n", "\r\n", "\r", "\t\n  ", "\xa0", "\u2003", "中文", "𝄞", "\0", "\ud800", "\ufeff", "&amp;",
    "&copyright", "&copy", "&#120;", "&#x1F600;", "&#0;", "&nosuch;", "&", "&#", "&#x", "<", ">", "'", "\"", "=", "/", "</",
    "<!", "<?x?>",
]
TAGS = [
    "<p>", "</p>", "<p class='nav item'>", "<p\n>", "<p/x='a>'y>", "<P ID=Top class=\"a&amp;b  c\">", "</ p>", "<b>",
    "</b>", "<i class=nav>", "</i>", "<b>x</b>", "<a href=x>", "<a\thref>", "</a>", "<a id=top>z</a>", "<br>", "</br>",
    "<br/>", "<hr/>", "<img alt='>'>", "<font>", "<font color=a>", "</font>", "<nobr>", "<table>", "<tbody>", "<tr>",
    "<td>", "<th class=x>", "<caption>", "</table>", "<col>", "<div>", "<div class='sticky-footer'>", "<div hidden>",
    "<div style='display : none'>", "<div id=' footer '>", "<div id='a b'>", "<div class='pull quote'>",
    "<div role=navigation>", "</div>", "<section id=comments class=menu>", "<footer>", "<header>", "</footer>", "<nav>",
    "<main>", "<main class=nav>", "<article>", "</article>", "<pre>\n", "<pre>", "</pre>", "<listing>", "<xmp>", "</xmp>",
    "<ul>", "<li>", "</li>", "</ul>", "<dl>", "<dt>", "<dd>", "<select>", "<option>", "</select>", "<button>", "</button>",
    "<selectedcontent>", "<form>", "</form>", "<label for=x>", "<legend>", "<template>", "</template>", "<svg>",
    "<svg><title>t</title>", "<foreignObject>", "</svg>", "<math>", "<mi>", "<![CDATA[x]]>", "<script>q</script>",
    "<style>", "</style>", "<textarea>", "</textarea>", "<noscript>", "<iframe>", "<plaintext>", "<frameset>", "<noframes>",
    "<!-- c -->", "<!--", "-->", "<!-->", "<!---->", "<!--x--!>", "<span>\n</span>", "<span>t</span>", "<h1>h</h1>", "<h2>",
    "</h3>", "<title>", "</title>", "<body class=menu>", "<html id=y>", "</body>", "</html>", "<head>", "<o:p>", "<a\"b>",
    "<é>", "<q>", "</q>", "<blockquote>", "<code>", "</code>", "<object>", "<marquee>", "</object>", "<image>", "<ruby>",
    "<rt>", "<p \ud800=x>",
]
PIECES = st.lists(st.one_of(st.sampled_from(TAGS), st.sampled_from(TEXTS)), max_size=60).map("".join)


def both(source: str, select: str = "", ignore: str = "", max_nodes: int = MAX_NODES) -> tuple[Any, Any]:
    """What the twin and the compiled walk find."""
    document = turbohtml.parse(normalised(source), source_locations=True, allow_declarative_shadow_roots=False)
    selected = frozenset(document.select(select)) if select else None
    ignored = frozenset(document.select(ignore)) if ignore else frozenset()
    arguments = source, document.root, selected, ignored, max_nodes
    return reference.html_blocks(*arguments), native.html_blocks(*arguments)


@settings(max_examples=1000, deadline=None)
@given(PIECES)
@example("<p><b>x<p>y</b> z")
@example("<code><b>x</b></code>")
@example("<div> <!-- c -->text</div>")
@example("<table>x<b>y</b><tr><td>z</table>")
@example("<select><button><selectedcontent></button><option>a<b>x</b>y")
@example("<p>a &copyright &notit; b\r\n\r\n c &#x26;amp; d")
@example("<p>&semi; &#x33;&eacute;&eacute;<!-- --> a<!-- -->&zzz;&#x0a;&#32;\r\n &fjlig;<b>&eacute;</b>&eacute; x")
@example("<h1> \r\n A \r\n\r\n B </h1><h2>C")
@example("<div " + "class='" + "nav " * 300 + "' id=x>y</div>")
@example("<div class='" + "x" * 2000 + "'>y</div>")
def test_compiled_walk_and_twin_find_the_same(source: str) -> None:
    twin, compiled = both(source)
    assert compiled == twin


@settings(max_examples=200, deadline=None)
@given(PIECES, st.sampled_from(["", "p", "div, table", "b", "*"]), st.sampled_from(["", "i", "footer, td", "p p", "b"]))
def test_the_same_elements_are_chosen(source: str, select: str, ignore: str) -> None:
    twin, compiled = both(source, select, ignore)
    assert compiled == twin


@given(st.text(max_size=300))
def test_any_text_is_read_alike(source: str) -> None:
    twin, compiled = both(source)
    assert compiled == twin


LARGE = [
    "<div>" * 700 + "x" + "</div>" * 700, "<div><span>" * 40 + "a<p>b<p>c", "<p>" * 3000, "<b id=i>" * 200 + "x</b>" * 200,
    "".join(f"<x{i}>a" for i in range(3000)), "<p>" + "a&amp;" * 3000, "<p>x<!--" * 500, "<p>" + "<i>a</i> <b> b</b>" * 2000,
    "<p>" + "x " * 50_000, "<p><b class='" + "x " * 5000 + "'>" + "<p>x" * 300, "<p><b id=a class='x &amp; y'>" + "<p>x" * 30,
]


@pytest.mark.parametrize("source", LARGE, ids=[
    "deep", "deeper than paths", "unclosed", "misnested", "unknown tags", "references", "comments", "inline", "long",
    "copies of a long tag", "copies"])
def test_large_pages_are_read_alike(source: str) -> None:
    twin, compiled = both(source)
    assert compiled == twin


def test_both_stop_at_the_same_number_of_nodes() -> None:
    source = "<p>x<b>y</b>" * 10
    nodes = [number for number in range(60) if both(source, max_nodes=number)[1] is not None]
    assert nodes == [number for number in range(60) if both(source, max_nodes=number)[0] is not None]
    assert 0 < len(nodes) < 60
