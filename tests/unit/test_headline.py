"""The headline of several pages: a verdict where there is one."""

from __future__ import annotations

import pytest

import dedup
from dedup.report.headline import headline
from dedup.report.json import read_json
from tests.scan_help import edited, lines, prose, scan_texts

HEAD = "Swing bridge opens again"
TEMPLATE = [prose(40, 90), prose(30, 91)]


def article(n: int) -> list[str]:
    return [f"{HEAD} {n}", *(prose(30, 100 * n + k) for k in range(4))]


def page(n: int, often: int = 1) -> str:
    return lines(TEMPLATE[0], *(text for _ in range(often) for text in (*article(n), f"picture {n}")), TEMPLATE[1])


def test_where_only_the_template_repeats_no_page_stands_twice(tmp_path):
    for n in range(6):
        (tmp_path / f"{n}.txt").write_text(page(n), "utf-8")
    report = dedup.scan(tmp_path)
    assert report.summary.content_share == 0
    assert headline(report) == "No page stands twice; what repeats is mostly the site's template."
    assert ">No page stands twice; what repeats is mostly the site&#x27;s template.<" in report.to_html()


def test_articles_that_stand_twice_are_counted():
    texts = [page(n, 2 if n < 4 else 1) for n in range(6)]
    assert headline(scan_texts(texts)) == "The article stands twice on 4 of 6 pages."
    assert headline(scan_texts([*texts, page(7, 3)])) == "The article stands more than once on 5 of 7 pages."
    section = lines(*(text for _ in range(2) for text in (*article(8)[1:3], "picture")))
    assert headline(scan_texts([*texts, section])) == "The article or a section stands twice on 5 of 7 pages."


def test_copies_of_pages_are_counted():
    texts = [lines(*article(n)) for n in range(4)]
    assert headline(scan_texts([*texts, texts[0]])) == "1 of 5 pages is a copy of another one."
    assert headline(scan_texts([*texts, texts[0], texts[1]])) == "2 of 6 pages are copies of others."
    nearly = lines(article(1)[0], *(edited(text, {5}) for text in article(1)[1:]))
    found = headline(scan_texts([*texts, texts[0], nearly]))
    assert found == "2 of 6 pages are copies of others, or nearly."
    assert headline(scan_texts([*texts, nearly])) == "1 of 5 pages is nearly a copy of another one."
    both = scan_texts([*texts, texts[0], lines(*article(9), "picture", *article(9))])
    assert headline(both) == "The article stands twice on 1 of 6 pages and 1 of 6 pages is a copy of another one."


def test_of_whole_pages_it_says_how_many_stay(tmp_path):
    texts = [lines(*article(n)) for n in range(4)]
    whole = {"unit": "page", "threshold": 0.8}
    assert headline(dedup.scan(texts, **whole)) is None
    one = dedup.scan([*texts, texts[0]], **whole)
    assert headline(one) == "1 of 5 pages is a copy of another one; 4 stay."
    nearly = " ".join(text if n else text.replace("bridge", "gate") for n, text in enumerate(texts[1].split("\n")))
    found = headline(dedup.scan([*texts, texts[0], nearly, nearly], **whole))
    assert found == "3 of 7 pages are copies of others, or nearly; 4 stay."
    file = tmp_path / "r.json"
    one.write(file)
    assert headline(read_json(file)) == headline(one)
    assert headline(one.at_similarity(1.0)) == headline(one)
    assert headline(one.with_groups([])) is None
    assert headline(dedup.scan([texts[0]] * 3, **whole)) == "2 of 3 pages are copies of others; 1 stays."


def test_passages_that_pages_share_are_told_by_their_share():
    shared = prose(60, 5)
    assert headline(scan_texts([lines(shared, prose(50, 1)), lines(shared, prose(50, 2))])) is None


@pytest.mark.parametrize("settings", [{"scope": "across"}, {"scope": "within"}, {"unit": "page"}])
def test_what_was_not_looked_for_is_not_denied(settings):
    assert headline(dedup.scan([page(n) for n in range(6)], **settings)) is None


def test_one_page_a_comparison_and_references_have_other_answers():
    assert headline(scan_texts([page(1, 2)])) is None
    assert headline(dedup.compare(page(1), page(1))) is None
    assert headline(dedup.scan([page(n) for n in range(4)], against=[page(1)])) is None
    assert headline(scan_texts([prose(30, 1), prose(30, 2)])) is None


def test_a_stored_report_has_the_same_headline(tmp_path):
    report = scan_texts([page(n, 2 if n < 4 else 1) for n in range(6)])
    report.write(tmp_path / "r.json")
    assert headline(read_json(tmp_path / "r.json")) == headline(report)
