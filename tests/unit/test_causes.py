"""Why many pages of a site repeat the same, told once, and the selector that leaves it out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dedup import compare, scan
from dedup.causes import Selector, Tree, _version, quotes_apart
from dedup.cli import main
from dedup.model import Cause
from dedup.options import Options
from dedup.readers import open_pages
from dedup.report.json import read_json
from tests.scan_help import prose, verdicts
from tests.unit.report_fakes import group, occurrence, page, report

PAGES = 12


def article(n: int) -> list[str]:
    return [prose(9, 5000 + n)[:-1], *(prose(30, 100 * n + k) for k in range(4))]


def marked(n: int) -> str:
    head, *rest = article(n)
    return f"<h1>{head}</h1>" + "".join(f"<p>{text}</p>" for text in rest)


HEADER = f"<div class='top wide'><p>{prose(12, 7)}</p><p>{prose(14, 8)}</p></div>"
FOOTER = f"<footer><p>{prose(20, 9)}</p></footer>"


def write_site(folder: Path, make, count: int = PAGES) -> Path:
    """A site whose page n has ``make(n)`` between header and footer."""
    for n in range(count):
        body = make(n)
        page = f"<title>{n}</title><body>{HEADER}<main>{body}</main>{FOOTER}</body></html>"
        (folder / f"p{n:02}.html").write_text(f"<!DOCTYPE html><html>{page}", "utf-8")
    return folder


def twice(n: int, second: str = "mobile-body", more: str = "") -> str:
    return f"<div class='desk body-{n}'>{marked(n)}</div><div class='{second} x{n}' id='copy-{n}'>{marked(n)}{more}</div>"


def causes(folder: Path, kind: str, **settings) -> list[Cause]:
    return [cause for cause in scan(folder, **settings).causes if cause.kind == kind]


def texts(folder: Path, **settings) -> dict[str, str]:
    return {page.id: page.text for page in open_pages(folder, Options(**settings))}


def test_the_second_rendering_of_a_site_is_told_once_with_the_selector_that_drops_it(tmp_path):
    cause, = causes(write_site(tmp_path, twice), "rendered-twice")
    assert cause.text == "the article stands twice on 12 pages; the second copy is the phone version"
    assert cause.remedy == ("the second copy is in `div.mobile-body`: `--ignore 'div.mobile-body'` leaves it out when the "
                            "pages are compared (1,548 words on 12 pages; nothing that stands only once)")
    assert (cause.selector, cause.pages, cause.examples) == ("div.mobile-body", 12, ("p00.html", "p01.html", "p02.html"))
    assert cause.evidence == {"pages": 12, "affected_pages": 12, "site_pages": 12, "words_a_page": 129.0,
                              "words_out": 1548.0, "pages_out": 12, "copies": 2}
    assert len(cause.groups) == 12  # each page has an article of its own


def test_what_the_selector_drops_stood_twice_and_nothing_else_goes(tmp_path):
    before = texts(write_site(tmp_path, twice))
    cause, = causes(tmp_path, "rendered-twice")
    after = texts(tmp_path, ignore=(cause.selector,))
    for name, text in before.items():
        assert set(after[name].split("\n")) == set(text.split("\n"))
        assert len(after[name]) < len(text) - 600
    report = scan(tmp_path, ignore=(cause.selector,))
    assert not verdicts(report, "rendered-twice")
    assert {c.kind for c in report.causes} == {"template"}


def test_a_selector_that_would_drop_what_stands_once_is_not_named(tmp_path):
    folder = write_site(tmp_path, lambda n: twice(n, more=f"<p>{prose(12, 5000)}</p>" if n == 7 else ""))
    assert len(verdicts(scan(folder), "rendered-twice")) == PAGES
    assert not causes(folder, "rendered-twice")


def test_a_class_that_another_page_has_around_its_only_text_is_not_named(tmp_path):
    def make(n):
        return twice(n, "second mobile-body") if n < 9 else f"<div class='mobile-body'>{marked(n)}</div>"
    cause, = causes(write_site(tmp_path, make), "rendered-twice")
    assert (cause.selector, cause.pages) == ("div.second", 9)


def test_pages_without_the_copy_are_counted_apart(tmp_path):
    def make(n):
        if n < 8:
            return twice(n)
        return f"<div>{marked(n)}</div><section class='n{n}'>{marked(n)}</section>" if n < 10 else marked(n)
    cause, = causes(write_site(tmp_path, make), "rendered-twice")
    assert cause.text == "the article stands twice on 10 pages; on 8 of them the second copy is the phone version"
    assert (cause.evidence["affected_pages"], cause.evidence["site_pages"]) == (10, 12)


def test_small_labels_inside_the_copy_do_not_hide_the_cause(tmp_path):
    folder = write_site(tmp_path, lambda n: f"<p>Share</p><p>Print</p>{twice(n, more='<p>Share</p>')}")
    assert [cause.selector for cause in causes(folder, "rendered-twice")] == ["div.mobile-body"]


def test_odd_class_names_are_escaped_as_css_wants_them(tmp_path):
    folder = write_site(tmp_path, lambda n: twice(n, "lg:hidden"))
    cause, = causes(folder, "rendered-twice")
    assert cause.selector == r"div.lg\:hidden"
    assert not verdicts(scan(folder, ignore=(cause.selector,)), "rendered-twice")


def test_a_menu_that_stands_three_times_is_told_so_and_named_by_the_passage_that_it_is(tmp_path):
    names = ("News", "Boats", "Bees and honey", "Trains at night", "Kettles", "Letters from the valley")
    menu = "<ul>" + "".join(f"<li><a href='/{n}'>{name}</a></li>" for n, name in enumerate(names)) + "</ul>"

    def thrice(n: int, more: str = "") -> str:
        menus = [f"<nav class='{name}'>{menu}</nav>" for name in ("desk", "phone", "tablet")]
        return "".join(menus[:2]) + marked(n) + menus[2] + more
    (tmp_path / "a").mkdir()
    report = scan(write_site(tmp_path / "a", thrice))
    cause = next(c for c in report.causes if c.kind == "navigation")
    assert cause.text.startswith("the same menu or notice stands 3 times on 12 pages:")
    assert cause.remedy.startswith("one of the copies is in `nav.")
    assert cause.evidence["copies"] == 3
    [group] = [group for group in report.groups if group.id in cause.groups]
    assert group.occurrences[0].text.startswith("News")
    (tmp_path / "b").mkdir()
    mixed = write_site(tmp_path / "b", lambda n: thrice(n, f"<nav class='print'>{menu}</nav>" if n % 2 else ""))
    cause = next(c for c in scan(mixed).causes if c.kind == "navigation")
    assert cause.text.startswith("the same menu or notice stands more than once on 12 pages:")


def test_causes_keep_their_passages_where_others_are_filtered_out():
    text = prose(20)
    groups = [group(n, [occurrence("a", text, similarity=alike), occurrence("a", text, 300, similarity=alike)], kind="near")
              for n, alike in enumerate((0.8, 1.0))]
    made = report([page("a", text=f"{text} {text}")], groups)
    made.causes = (Cause("template", "it", "div", 3, groups=(0, 1)),)
    [cause] = made.at_similarity(0.9).causes
    assert cause.groups == (0,)  # the second one's new number


def test_a_template_names_its_passages_the_largest_first(tmp_path):
    parts = [prose(30, 77), prose(20, 78), prose(25, 79)]

    def make(n: int) -> str:
        turned = "".join(f"<p>{part}</p>" for part in parts[n % 3:] + parts[:n % 3])
        return f"{marked(n)}<div class='low'>{turned}</div><p>{prose(20, 300 + n)}</p>"
    report = scan(write_site(tmp_path, make))
    found = {cause.selector: cause for cause in report.causes}
    words = {group.id: group.tokens for group in report.groups}
    assert [words[g] for g in found["div.low"].groups] == [55, 50, 45, 30, 25, 20]
    assert "75 words, in 6 passages: " in found["div.low"].text
    [footer] = found["footer"].groups
    assert words[footer] == 20
    assert "passage" not in found["footer"].text


@pytest.mark.parametrize(("texts", "told"), [
    (["Share Print"], ['"Share Print"']),
    (["a" * 30 + " " + "b" * 30] * 2, ['"' + "a" * 30 + '..."'] * 2),  # nothing tells them apart
    ([f"facebook twitter google plus linked in Email Print{more}" for more in ("", " smaller Larger")],
     [f'"facebook twitter google plus linked in Email Print{more}"' for more in ("", " smaller...")]),
    (["x" * 45 + f" common words that go on and on {end} end of it" for end in ("here", "there")],
     ['"' + "x" * 45 + f' common words that go on and on {end} end of..."' for end in ("here", "there")])])
def test_quotes_that_begin_alike_go_on_until_they_differ(texts, told):
    assert quotes_apart(texts) == told


@pytest.mark.parametrize(("count", "settings", "found"), [(2, {}, 0), (3, {}, 1), (6, {"template_pages": 7}, 0)])
def test_it_takes_as_many_pages_as_a_template(tmp_path, count, settings, found):
    assert len(causes(write_site(tmp_path, twice, count), "rendered-twice", **settings)) == found


def test_menus_for_phones_and_the_template_have_causes_of_their_own(tmp_path):
    names = ("News", "Boats", "Bees and honey", "Trains at night", "Kettles", "Letters from the valley")
    menu = "<ul>" + "".join(f"<li><a href='/{n}'>{name}</a></li>" for n, name in enumerate(names)) + "</ul>"
    folder = write_site(tmp_path, lambda n: f"<nav class='desktop'>{menu}</nav><nav class='phone'>{menu}</nav>{marked(n)}")
    cause, = causes(folder, "navigation")
    assert cause.text == (
        'the same menu or notice stands twice on 12 pages: "News Boats Bees and honey Trains at night Kettles..."')
    assert cause.remedy.startswith("the second copy is in `nav.phone`: `--ignore 'nav.phone'` leaves it out when")
    found = {c.selector: c for c in causes(folder, "template")}
    assert "footer" in found
    assert found["footer"].text.startswith("the site's footer stands on 12 pages, 20 words: \"w")
    assert found["footer"].remedy.endswith("leaves it out when the pages are compared (240 words on 12 pages; "
                                           "nothing that stands only once)")
    assert next(c for name, c in found.items() if "div" in name).text.startswith("a part of the site's template stands on 12")
    assert {"div.top", "div.wide"} & set(found)
    assert causes(folder, "template", ignore=("footer", "div.top", "nav")) == []


def test_sections_that_are_no_article_are_called_so(tmp_path):
    def make(n):
        text = f"<p>{prose(30, n)}</p><p>{prose(25, 50 + n)}</p>"
        return f"<p>{prose(40, 90 + n)}</p><div class='a'>{text}</div><div class='b'>{text}</div>"
    cause, = causes(write_site(tmp_path, make), "rendered-twice")
    assert cause.text == "a section stands twice on 12 pages; the second copy always stands in the same part of the page"


@pytest.mark.parametrize(("selector", "words"), [
    ("div.mobile-body", "is the phone version"), ("#article-Phone", "is the phone version"),
    ("div.is_desktop", "is the version for wide screens"), ("div.print", "is the version to print"),
    ("aside.tablet-only", "is the tablet version"), ("div.blueprint", "stands in the same part of the page"),
    ("div.hidden-phone", "stands in the same part of the page"), ("div.automobile", "stands in the same part of the page")])
def test_the_element_of_a_copy_is_told_in_an_editors_words(selector, words):
    assert _version(selector, False) == words


def test_pages_of_several_sites_and_texts_have_no_cause(tmp_path):
    report = scan([f"{prose(30, n)}\n\n{prose(20, 99)}" for n in range(6)])
    assert report.causes == ()
    write_site(tmp_path, twice, 4)
    assert compare(tmp_path / "p00.html", tmp_path / "p01.html").causes == ()
    rows = [{"id": str(n), "url": f"https://{n}.example/x", "text": twice(n)} for n in range(4)]
    assert scan(rows, field_format="html").causes == ()
    rows = [row | {"url": f"https://one.example/{row['id']}"} for row in rows]
    assert [cause.selector for cause in scan(rows, field_format="html").causes] == ["div.mobile-body"]


def test_reports_hold_the_causes(tmp_path, capsys):
    folder = write_site(tmp_path, twice)
    assert main(["scan", str(folder)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    first = out.index("the article stands twice on 12 pages; the second copy is the phone version")
    assert first < out.index("`--ignore 'div.mobile-body'` leaves it") < out.index("the article stands on this page twice")
    report = scan(folder)
    report.write(tmp_path / "r.json")
    again = read_json(tmp_path / "r.json")
    assert again.causes == report.causes == report.at_similarity(0.9).causes
    value = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert value["causes"][0]["selector"] == "div.mobile-body"
    del value["causes"]  # a report written before there were causes
    (tmp_path / "old.json").write_text(json.dumps(value), "utf-8")
    assert read_json(tmp_path / "old.json").causes == ()


def test_a_selector_matches_in_the_layout_what_css_matches(tmp_path):
    (tmp_path / "p.html").write_text(
        "<div class='a b'><p>one</p><section id=s1 class=a><p>two</p></section></div><div class='ab'><p>three</p></div>"
        "<div class='b a'>four</div><section class='9x'>five</section>"
        f"<div class='{'c' * 1200} z'><p>six</p></div>", "utf-8")
    page, = open_pages(tmp_path / "p.html", Options())
    tree, lines = Tree(page.layout, 0), page.text.split("\n")

    def found(text: str) -> list[str]:
        return [lines[b] for b in tree.matched(Selector(text))]
    assert found("div.a") == ["one", "two", "four", "six"]  # of the last div not all classes are kept: it may match
    assert found("div.a.b") == ["one", "two", "four", "six"]
    assert found("section.a") == found("section#s1") == ["two"]
    assert found("section") == ["two", "five"]
    assert found(r"section.\39 x") == ["five"]
    for row, line in enumerate(tree.steps):
        for text in tree.selectors(row):
            assert row in Selector(text).rows(page.layout.steps), (line, text)
            if not re.search("c{100}", text):
                inside = texts(tmp_path, select=(text,))["p.html"].split("\n")
                assert [name for name in found(text) if name != "six"] == [name for name in inside if name != "six"]
