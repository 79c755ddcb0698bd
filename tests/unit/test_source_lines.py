"""Lines of a page's text in its source: each block's line can be counted from the points."""

from __future__ import annotations

import bisect
from pathlib import Path

import pytest

from dedup import Page, open_pages, scan
from dedup.report.json import read_json

EXAMPLES = Path(__file__).parents[2] / "examples"


def line_at(points, text: str, at: int) -> int:
    start, line = points[bisect.bisect([point[0] for point in points], at) - 1]
    return line + text[start:at].count("\n")


@pytest.mark.parametrize("name", ["news.html", "news.md", "site", "news.txt"])
def test_each_block_has_the_line_of_its_source(name):
    report = scan(EXAMPLES / name, with_text=True)
    for page, read in zip(report.pages, open_pages(EXAMPLES / name), strict=True):
        starts, lines = (range(1), [1]) if read.layout is None else (read.layout.start, read.layout.line)
        assert [line_at(page.lines, page.text, int(at)) for at in starts] == list(lines)
    assert sum(len(page.lines) for page in report.pages) < 60  # points where counting goes on are left out


def test_a_line_of_a_text_is_counted_from_its_beginning(tmp_path):
    (tmp_path / "a.txt").write_text("\U0001f6a2 one\n\ntwo\n", encoding="utf-8")
    [page] = scan(tmp_path / "a.txt", with_text=True).pages
    assert page.lines == ((0, 1),)


def test_blocks_behind_wide_letters_and_blocks_without_words_have_their_lines(tmp_path):
    (tmp_path / "a.html").write_text("<p>\U0001f6a2 one\n\n</p>\n<p>—</p><pre>x\n\ny</pre>\n<p>two", encoding="utf-8")
    [page] = scan(tmp_path / "a.html", with_text=True).pages
    assert {text: line_at(page.lines, page.text, page.text.index(text)) for text in ("—", "x", "y", "two")} == {
        "—": 4, "x": 4, "y": 6, "two": 7}


def test_a_record_has_no_lines_and_a_report_without_text_none(tmp_path):
    assert scan([Page("a", "one two", record=True)], with_text=True).pages[0].lines == ()
    assert scan(["one two"]).pages[0].lines is None


def test_a_stored_report_has_them(tmp_path):
    report = scan(EXAMPLES / "site", with_text=True)
    report.write(tmp_path / "r.json")
    assert [page.lines for page in read_json(tmp_path / "r.json").pages] == [page.lines for page in report.pages]
