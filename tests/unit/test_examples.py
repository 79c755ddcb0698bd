"""The example pages are what their README and the golden tests take them for."""

import html
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NEWS = (EXAMPLES / "news.txt").read_text(encoding="utf-8").split("\n")
HEADLINE, PARAGRAPHS = NEWS[4], NEWS[6:17:2]


def test_the_news_page_has_the_layout_of_the_case_that_started_it():
    assert NEWS[2] == NEWS[22] == "Thumbnail"
    assert NEWS[18] == HEADLINE
    assert NEWS[24:35:2] == PARAGRAPHS
    assert PARAGRAPHS[1].startswith(NEWS[20] + " ")
    assert all(185 <= len(paragraph) <= 311 for paragraph in PARAGRAPHS)
    assert all(not NEWS[i] for i in [*range(3, 36, 2), 38])
    assert len(NEWS) == 39


def test_the_article_counts_sixteen_hundred_characters_with_or_without_line_feeds():
    chars = len(HEADLINE) + sum(map(len, PARAGRAPHS))
    assert chars >= 1600
    assert chars + 2 * len(PARAGRAPHS) < 1700


@pytest.mark.parametrize("suffix", ["html", "md"])
def test_the_other_formats_hold_each_paragraph_twice_with_the_same_text(suffix):
    source = (EXAMPLES / f"news.{suffix}").read_text(encoding="utf-8")
    if suffix == "md":
        source = re.sub(r"\[([^]]*)\]\([^)]*\)|\*(\w+)\*", r"\1\2", source)
    source = re.sub(r"(?s)<head>.*?</head>|<[^>]+>", "", source)
    text = html.unescape(source)
    for paragraph in [HEADLINE, *PARAGRAPHS]:
        assert text.count(paragraph) == 2
    assert text.count(NEWS[20]) == 3
    assert text.count("Thumbnail") == 2


def test_a_page_of_the_site_is_a_copy_of_another():
    site = {path.name: path.read_bytes() for path in (EXAMPLES / "site").glob("*.html")}
    assert len(site) == 6
    assert site["hours.html"] == site["hours-print.html"]
