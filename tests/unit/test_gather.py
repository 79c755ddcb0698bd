"""The short reports rank by columns: the same is shown of a fresh scan as of a stored one, and little is made for it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.occurrences import Places
from dedup.report.gather import MAX_PLACES, Gathered, all_wasted_chars, wasted_chars
from dedup.report.json import read_json
from dedup.report.terminal import print_report

EXAMPLES = Path(__file__).parents[2] / "examples"
FOOT = "All rights are reserved by the people of the harbour town and nobody else, write to the office."


def _words(seed: int, count: int) -> str:
    return " ".join(f"w{seed}x{(i * 7919 + seed * 31) % 997}" for i in range(count)) + "."


def _site() -> list[dict[str, str]]:
    """Pages that share articles, a footer, and say some things twice."""
    pages = []
    for p in range(12):
        article = _words(p % 4, 60 + p)
        twice = f"\n\n{_words(100 + p, 50)}\n\n{_words(200 + p, 12)}\n\n{_words(100 + p, 50)}" if p % 3 == 0 else ""
        label = "\n\nThumbnail\n\nsmall words\n\nThumbnail" if p % 2 else ""
        pages.append({"id": f"p{p}", "url": f"https://harbour.example/{p}", "group": str(p % 2),
                      "text": f"{article}{twice}{label}\n\n{FOOT}"})
    return [*pages, {"id": "again", "url": "https://other.example/", "group": "0", "text": pages[0]["text"]}]


def _scans() -> dict[str, Any]:
    site = _site()
    grouped = [dedup.Page(p["id"], p["text"], url=p["url"], meta={"group": p["group"]}) for p in site]
    return {
        "site": lambda: dedup.scan(site), "across": lambda: dedup.scan(site, scope="across"),
        "against": lambda: dedup.scan(site[6:], against=site[:6]), "page": lambda: dedup.scan(site, unit="page"),
        "between": lambda: dedup.scan(grouped, between="group"),
        "examples": lambda: dedup.scan(EXAMPLES, pairs=True), "nothing": lambda: dedup.scan(["one page only"]),
        "compare": lambda: dedup.compare(site[0]["text"], site[4]["text"]),
        "tandem": lambda: dedup.scan(["ab cd " * 5000 + FOOT, FOOT]),
    }


@pytest.mark.parametrize("case", list(_scans()))
@pytest.mark.parametrize("top", [0, 2, 100])
def test_a_stored_report_gives_the_same(case: str, top: int, tmp_path: Path) -> None:
    report = _scans()[case]()
    report.write(tmp_path / "report.json")
    fresh, stored = Gathered.of(report, top), Gathered.of(read_json(tmp_path / "report.json"), top)
    assert fresh.groups == stored.groups
    assert fresh.pairs == stored.pairs
    for mine, other in ((fresh.renderings, stored.renderings), (fresh.copies, stored.copies)):
        assert mine.seen == other.seen
        assert [(page.id, said) for page, said in mine.items] == [(page.id, said) for page, said in other.items]
    for name in ("repeats", "repeat_pages", "words"):
        assert getattr(fresh, name) == getattr(stored, name)
    assert {kind: (fold, page.id, text) for kind, (fold, page, text) in fresh.folds.items()} == {
        kind: (fold, page.id, text) for kind, (fold, page, text) in stored.folds.items()}
    assert fresh.named.keys() == stored.named.keys()
    assert fresh.references == stored.references


@pytest.mark.parametrize("name", ["site", "against", "tandem", "examples"])
def test_wasted_chars_are_those_of_the_groups(name: str) -> None:
    report = _scans()[name]()
    references = {page.id for page in report.pages if page.reference}
    assert len(report.groups)
    assert all_wasted_chars(report).tolist() == [wasted_chars(group, references) for group in report.groups]


def test_only_what_is_shown_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _made_places(monkeypatch)
    report = dedup.scan([f"{_words(i, 30)}\n\n{_words(1000 + i, 40)}\n\n{_words(i, 30)}" for i in range(40)])
    print_report(report, io.StringIO(), top=3)
    assert len(report.groups) == 40
    assert len(made) == 3 * 2


def test_of_a_text_on_very_many_pages_a_thousand_places_are_made_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _made_places(monkeypatch)
    report = dedup.scan([f"{_words(i, 20)}\n\n{FOOT}" for i in range(3000)])
    out = io.StringIO()
    print_report(report, out)
    assert "stands 3,000 times" in out.getvalue()
    assert "and 2,995 more places" in out.getvalue()
    assert len(made) <= MAX_PLACES
    (group,) = (group for group in report.groups if group.count == 3000)
    assert Gathered.of(report, 10).groups.items[0] == group
    assert report.groups.begun(group.id) == group


def _made_places(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of the places that are made from now on."""
    made: list[int] = []
    make = Places.occurrences

    def noted(self: Places, columns: Any, *rest: Any) -> Any:
        made.extend(columns.row.tolist())
        return make(self, columns, *rest)
    monkeypatch.setattr(Places, "occurrences", noted)
    return made


def test_of_many_places_only_the_pages_of_those_that_are_shown_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    report = dedup.scan([f"{_words(i, 30)}\n\n{FOOT}" for i in range(600)])
    made: list[int] = []
    make = report.pages.heads._make_range
    monkeypatch.setattr(report.pages.heads, "_make_range", lambda begin, end: made.append(end - begin) or make(begin, end))
    out = io.StringIO()
    print_report(report, out)
    assert "stands 600 times" in out.getvalue()
    assert sum(made) < 20


def test_of_a_page_and_its_copy_only_the_copy_is_told() -> None:
    text, other = f"{_words(1, 60)}\n\n{_words(2, 40)}", f"{_words(2, 40)}\n\n{_words(3, 50)}"
    told = Gathered.of(dedup.scan([{"id": "a", "text": text}, {"id": "b", "text": text}]), 10).copies
    assert [(page.id, said[0].kind) for page, said in told.items] == [("b", "copy-of")]
    pages = [{"id": name, "text": other if name in "cd" else text} for name in "abcd"]
    told = Gathered.of(dedup.scan(pages), 10).copies
    assert sorted((page.id, said[0].kind) for page, said in told.items) == [
        ("a", "shared"), ("b", "copy-of"), ("d", "copy-of")]  # a has something in common with c, too


def test_a_page_that_is_a_copy_comes_before_those_that_share_more(tmp_path: Path) -> None:
    long, short = _words(1, 300), _words(2, 60)
    pages = [f"{long}\n\n{_words(3, 80)}", f"{_words(4, 80)}\n\n{long}", short, short]
    report = dedup.scan([{"id": name, "text": text} for name, text in zip("abcd", pages, strict=True)])
    report.write(tmp_path / "r.json")
    for each in (report, read_json(tmp_path / "r.json")):
        told = Gathered.of(each, 1).copies
        assert [(page.id, said[0].kind) for page, said in told.items] == [("d", "copy-of")]
        assert told.seen == 2
