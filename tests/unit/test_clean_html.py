"""Cutting HTML: whole elements, text beside what stays, tables, images; every cut proved by parsing again."""

from __future__ import annotations

import pytest

from dedup.cleaning import checks
from dedup.cleaning.html import html_cuts
from dedup.cleaning.pieces import Cut, Gone, without
from dedup.readers.html import read_html
from tests.cutters_help import cut, gone_of, left


def text_of(source: str) -> str:
    return read_html(source).text


@pytest.mark.parametrize(
    ("source", "parts", "rest"),
    [
        ("<p>one two</p><p>three</p>", ["three"], "<p>one two</p>"),
        ("<p>one<p>two<p>three", ["two"], "<p>one<p>three"),
        ("<ul>\n <li>one\n <li>two\n <li>three\n</ul>\n", ["two"], "<ul>\n <li>one\n <li>three\n</ul>\n"),
        (
            "<ul>\r\n <li>one</li>\r\n <li>two</li>\r\n</ul>\r\n<p>x</p>",
            ["two"],
            "<ul>\r\n <li>one</li>\r\n</ul>\r\n<p>x</p>",
        ),
        ("<ul><li>one</li><li>two</li></ul><p>x</p>", ["one\ntwo"], "<p>x</p>"),
        ("<div class=a><h2>one</h2><div></div><p>two</p></div><p>x</p>", ["one", "two"], "<p>x</p>"),
        ("<div>one<p>two</p></div>", ["one"], "<div><p>two</p></div>"),
        ("<div>one <p>two</p> three</div>", ["one\ntwo"], "<div>  three</div>"),
        ("<p>keep <b>this goes</b> and more.</p>", ["this goes"], "<p>keep and more.</p>"),
        ("<p>keep <b>this goes</b> and more.</p>", ["keep this"], "<p><b>goes</b> and more.</p>"),
        ("<p>one <a href=x>two</a> | <a href=y>three</a></p>", ["three"], "<p>one <a href=x>two</a></p>"),
        ("<div>one<br>two<br>three</div>", ["two"], "<div>one<br>three</div>"),
        ("<div>one<br>two</div>", ["two"], "<div>one</div>"),
        ("one two &amp; three", ["two & three"], "one"),
        ("<pre>one\n  two\n three</pre><p>x</p>", ["one\n  two\n three"], "<p>x</p>"),
        ("<svg><path/></svg><p><svg><path/></svg>one</p><p>x</p>", ["one"], "<svg><path/></svg><p>x</p>"),
        ("<p>one<!-- c --></p><p>x</p>", ["one"], "<p>x</p>"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", ["a\nb"], "<table><tr><td>c<td>d</table>"),
        ("<table><tr><td>a<td>b</table><p>x", ["a\nb"], "<p>x"),
        ("<table><tr><td><p>a</p><p>b</p><td>c</table>", ["b"], "<table><tr><td><p>a</p><td>c</table>"),
        ("<body><p>one</p></body>", ["one"], "<body></body>"),
        ("<details><summary>one</summary><p>two</p></details><p>x</p>", ["one\ntwo"], "<p>x</p>"),
        ("<p title='\"a>b\"'>one</p><p>x</p>", ["one"], "<p>x</p>"),
    ],
)
def test_elements_and_text_go(source: str, parts: list[str], rest: str) -> None:
    assert cut(html_cuts, text_of, source, *parts) == rest


@pytest.mark.parametrize(
    ("source", "rest"),
    [
        ("<div><img src=a><p>one</p></div><p>x</p>", "<div><img src=a></div><p>x</p>"),
        ("<div><img src=a><p>one</p></div><p>x</p><img src=a>", "<p>x</p><img src=a>"),
        (
            "<p>x</p><div><img src=a><img src=b><p>one</p></div><img src=b>",
            "<p>x</p><div><img src=a><img src=b></div><img src=b>",
        ),
        ("<div><img src=a><p>one</p></div><div><img src=a><p>two</p></div>", "<div><img src=a></div>"),
        ("<div><script>s()</script><p>one</p></div>", "<div><script>s()</script></div>"),
        ("<div><img src=a aria-hidden=true><p>one</p></div>", ""),
        ("<div><input name=q><p>one</p></div><p>x</p>", "<div><input name=q></div><p>x</p>"),
        ("<p>x</p><input value=a><div><input value=b><p>one</p></div>", "<p>x</p><input value=a><div><input value=b></div>"),
        ("<p>x</p><meter value=1></meter><div><meter value=2></meter><p>one</p></div>",
         "<p>x</p><meter value=1></meter><div><meter value=2></meter></div>"),
        ("<p>x</p><textarea>a</textarea><div><textarea>b</textarea><p>one</p></div>",
         "<p>x</p><textarea>a</textarea><div><textarea>b</textarea></div>"),
        ("<p>x</p><textarea>a</textarea><div><textarea>a</textarea><p>one</p></div>", "<p>x</p><textarea>a</textarea>"),
        ("<p>x</p><img src=a alt=A><div><img src=a alt=B><p>one</p></div>",
         "<p>x</p><img src=a alt=A><div><img src=a alt=B></div>"),
        ("<p>x</p><img src=a alt=A><div><img src=a alt><p>one</p></div>", "<p>x</p><img src=a alt=A>"),
        ("<p>x</p><img src=a alt=A><div><img src=a alt=A><p>one</p></div>", "<p>x</p><img src=a alt=A>"),
        ("<p>x</p><img src=e data-src=a><div><img src=e data-src=b><p>one</p></div>",
         "<p>x</p><img src=e data-src=a><div><img src=e data-src=b></div>"),
        ("<p>x</p><map name=m><area alt=A></map><div><map name=m><area alt=B></map><p>one</p></div>",
         "<p>x</p><map name=m><area alt=A></map><div><map name=m><area alt=B></map></div>"),
        ("<p>x</p><svg><title>A</title></svg><div><svg><title>B</title></svg><p>one</p></div>",
         "<p>x</p><svg><title>A</title></svg><div><svg><title>B</title></svg></div>"),
        ("<p>x</p><p>★★★</p><div><p>★★☆</p><p>one</p></div>", "<p>x</p><p>★★★</p><div><p>★★☆</p></div>"),
        ("<p>x</p><p>★★★</p><div><p>★★★</p><p>one</p></div>", "<p>x</p><p>★★★</p>"),
        ("<div><x-map></x-map><p>one</p></div>", "<div><x-map></x-map></div>"),
        ("<div><iframe src=v></iframe><p>one</p></div>", "<div><iframe src=v></iframe></div>"),
        ("<div style='background: url(a.png)'><p>one</p></div>", "<div style='background: url(a.png)'></div>"),
        (
            "<div><noscript>n</noscript><p>one</p></div><noscript>n</noscript>",
            "<div><noscript>n</noscript></div><noscript>n</noscript>",
        ),  # else that one would be the head's
        ("<p>x</p><div><noscript>n</noscript><p>one</p></div><noscript>n</noscript>", "<p>x</p><noscript>n</noscript>"),
    ],
)
def test_what_is_not_text_goes_only_if_the_same_stays(source: str, rest: str) -> None:
    text = text_of(source)
    cuts = html_cuts(source, [stretch for part in ("one", "two") if part in text for stretch in gone_of(text, part)])
    assert without(source, cuts.cuts) == rest
    assert not cuts.left


@pytest.mark.parametrize(
    ("source", "part", "why"),
    [
        ("<table><tr><td>a one<td>b<tr><td>c<td>d</table>", "a one", "it would tear a table row"),
        ("<table><tr><td><p>a one</p><td>b</table>", "a one", "it would tear a table row"),
        ("<table><tr><td rowspan=2>a<td>b<tr><td>c one</table>", "c one", "it would tear a table row"),
        ("<select><option>a one<option>b</select>", "a one", "it would tear a form control"),
        ("<div>a<p>one</p>b</div>", "one", "the page would not read the same without it"),
        ("<p>a <b>b<p>one two</b> c<p>d", "one two c", "the page would not read the same without it"),
        ("<p>Keep this. <b>one two.<li>three", "one two.", "the page would not read the same without it"),
        ("<p>unbelievable</p>", "believable", "it would cut a word in two"),
    ],
)
def test_what_would_damage_the_page_stays(source: str, part: str, why: str) -> None:
    assert left(html_cuts, text_of, source, part) == {why}


def test_a_cut_that_fails_costs_only_itself() -> None:
    source = "".join(f"<p>word {i}</p>" for i in range(20)) + "<div>a<p>bad</p>b</div>" + "<p>end</p>"
    text = text_of(source)
    cuts = html_cuts(source, gone_of(text, "word 3\nword 4", "word 12", "bad", "end"))
    rest = without(source, cuts.cuts)
    assert [(text[a:b], removal) for a, b, removal, _ in cuts.left] == [("bad", 2)]
    assert "word 3" not in rest
    assert "word 12<" not in rest
    assert "end" not in rest
    assert text_of(rest) == "\n".join(
        line for line in text.split("\n") if line not in ("word 3", "word 4", "word 12", "end")
    )


def test_checks_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not decided in time is not cut, and is told."""
    monkeypatch.setattr(checks, "MAX_CHECKS", 3)
    source = "".join(f"<div>a{i}<p>bad{i}</p>b</div>" for i in range(20))
    text = text_of(source)
    gone = gone_of(text, *(f"bad{i}\n" for i in range(20)))
    assert len(html_cuts(source, gone).left) == 20


def test_removals_are_told_apart_inside_one_element() -> None:
    source = "<div><p>a b</p><p>c d</p></div><p>e</p>"
    assert html_cuts(source, gone_of(text_of(source), "a b", "c d")).cuts == (Cut(0, 18, 0), Cut(18, 31, 1))


def test_what_is_ignored_or_not_selected_is_not_touched() -> None:
    source = "<div><p>one</p><aside>ad</aside></div><p>x</p>"
    cuts = html_cuts(source, [Gone(0, 3, 0)], ignore=["aside"])
    assert without(source, cuts.cuts) == "<div><aside>ad</aside></div><p>x</p>"
    source = "<main><p>one</p></main><p>x</p>"
    cuts = html_cuts(source, [Gone(0, 3, 0)], select=["p:first-child"])
    assert without(source, cuts.cuts) == "<main></main><p>x</p>"


def test_text_that_the_parser_moves_stays_or_goes_whole() -> None:
    source = "<table>moved text<tr><td>a b</table><p>x"
    text = text_of(source)
    cuts = html_cuts(source, gone_of(text, "moved text"))
    rest = without(source, cuts.cuts)
    assert "a b" in rest
    assert ("moved text" in rest) == bool(cuts.left)
