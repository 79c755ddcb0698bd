"""What a notebook shows: a card and arcs, as HTML and SVG without script, with everything escaped."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import dedup
from dedup.errors import OptionError
from dedup.model import Verdict
from tests.unit.report_fakes import group, occurrence, page, report

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert(1)</script>"\'&<img onerror=x>\u202e\ud800'


@pytest.fixture(scope="module")
def news():
    return dedup.scan(ROOT / "examples" / "news.html")


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def test_the_card_says_what_the_report_says(news):
    html = news._repr_html_()
    assert "1 page · <b>48.7 %</b> repeated · 2 groups" in html
    assert "the article stands on this page twice: lines 39-45 again at 48-59" in html
    assert html.count("<svg") == 1


def test_the_card_of_nothing_is_kind():
    assert "nothing stands twice" in dedup.scan(["only once"])._repr_html_()
    assert "<svg" not in dedup.scan([])._repr_html_()


def test_arcs_join_each_place_with_the_next_one_of_its_passage(news):
    picture = drawn(news.plot_arcs())
    assert [path.find(f"{SVG}title").text for path in picture.iter(f"{SVG}path")] == [
        "lines 39-45 again at lines 48-59, 307 words, word for word",
        "line 41 again at line 49, 19 words, 100 % alike", "line 49 again at line 55, 19 words, 100 % alike"]
    bars = list(picture.iter(f"{SVG}rect"))[1:]
    assert len(bars) == 5
    first = news.groups[0].occurrences[0]
    assert float(bars[0].get("x")) == pytest.approx(first.start / 3608 * 1000, abs=0.1)
    assert float(bars[0].get("width")) == pytest.approx((first.end - first.start) / 3608 * 1000, abs=0.1)


def test_arcs_are_as_wide_as_the_places_and_as_strong_as_they_are_alike():
    a, b = occurrence("p", "x" * 100, start=0), occurrence("p", "x" * 100, start=500, similarity=0.5)
    made = report([page("p", chars=1000, within_share=0.2)], [group(0, [a, b], kind="near")])
    [path] = drawn(made.plot_arcs("p")).iter(f"{SVG}path")
    assert path.get("d").startswith("M0.0 150A300.0 ")
    assert " 600.0 150H500.0A200.0 " in path.get("d")
    assert path.get("fill-opacity") == "0.42"


def test_places_on_other_pages_have_a_mark_below_the_line():
    made = dedup.scan(ROOT / "examples" / "site")
    picture = drawn(made.plot_arcs("repairs.html"))
    assert not list(picture.iter(f"{SVG}path"))
    below = [rect for rect in picture.iter(f"{SVG}rect") if rect.get("fill") == "none"]
    assert len(below) == 3


def test_a_page_is_named_by_id_or_index():
    made = dedup.scan(ROOT / "examples" / "site")
    assert made.plot_arcs(1) == made.plot_arcs(made.pages[1].id) != made.plot_arcs(0)
    assert "hours" in made.plot_arcs()  # the page with the most repeats
    for wrong in ("nowhere.html", 17):
        with pytest.raises(OptionError, match="no page of the report"):
            made.plot_arcs(wrong)
    with pytest.raises(OptionError, match="has no page"):
        dedup.scan([]).plot_arcs()


def test_a_notebook_shows_the_picture(news):
    assert news.plot_arcs()._repr_svg_() == news.plot_arcs()
    assert type(news.plot_arcs()._repr_svg_()) is str


def test_hostile_words_are_no_markup():
    places = [occurrence(HOSTILE, HOSTILE, start=n * 200) for n in range(2)]
    made = report([page(HOSTILE, title=HOSTILE, within_share=0.5, verdicts=(Verdict("rendered-twice", HOSTILE, (0,)),))],
                  [group(0, places)])
    html = made._repr_html_()
    assert not re.search(r"<(script|img)\b", html)
    assert not re.search("[\u202e\ud800]", html)
    tags = {element.tag.removeprefix(SVG) for element in drawn(html).iter()}
    assert tags == {"div", "b", "ul", "li", "svg", "title", "rect", "path", "code"}
    assert html.encode()
