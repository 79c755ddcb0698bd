"""Reviewed reports of the example pages. A changed file is a decision: look at the difference, then commit it.

``DEDUP_UPDATE_GOLDEN=1 pytest tests/golden`` writes the files anew.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from dedup import compare, scan
from dedup.cli import main
from dedup.report import Report
from tests.scan_help import verdicts

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
SCANNED = ["news.txt", "news.html", "news.md", "site"]
LONGEST = 60  # characters of a text that are kept: enough to know it again
UPDATE = bool(os.environ.get("DEDUP_UPDATE_GOLDEN"))


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # ids and sources are relative
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


def check(name: str, found: str) -> None:
    """Compare with what was reviewed, or write it."""
    path = HERE / name
    if UPDATE:
        path.write_text(found, encoding="utf-8")
    assert path.exists(), f"{path} is missing; DEDUP_UPDATE_GOLDEN=1 writes it"
    assert found == path.read_text(encoding="utf-8"), f"{name} changed; DEDUP_UPDATE_GOLDEN=1 writes it anew, if it may"


def shortened(value: Any) -> Any:
    """Long texts cut, figures rounded: what a person can review."""
    if isinstance(value, dict):
        return {k: shortened(v) for k, v in value.items() if k not in ("version", "input_digest", "options")}
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, str) and len(value) > LONGEST and "\n" not in value and " again at " not in value:
        return value[:LONGEST] + "..."
    return value if not isinstance(value, str) or "\n" not in value else value.replace("\n", " / ")[:LONGEST] + "..."


def as_json(report: Report) -> str:
    """One page, group, occurrence or pair a line."""
    value = shortened(json.loads(report.to_json()))
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return re.sub(r"\n {4,}", " ", re.sub(r"\n {3}([]}])", r"\1", text)) + "\n"


@pytest.mark.parametrize("name", SCANNED)
def test_the_json_report(name):
    check(f"{name.replace('.', '_')}.json", as_json(scan(Path("examples") / name)))


def test_the_json_report_of_pages_as_units():
    check("site_pages.json", as_json(scan(Path("examples/site"), unit="page", threshold=0.5, pairs=True)))


def test_the_table_of_pages(tmp_path):
    """What is not nothing, a figure or a span a line."""
    scan([Path("examples/news.txt"), Path("examples/notices.jsonl"), Path("examples/site")]).write(tmp_path / "pages.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "pages.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["groups"] = " ".join(map(str, row["groups"]))
        row["spans"] = [" ".join([f"{s['start']}-{s['end']}", f"#{s['group']}", s["kind"], s["verdict"],
                                  *(word for word in ("stays", "cut") if s[word])]) for s in row["spans"]]
    said = [{name: value for name, value in shortened(row).items() if value or name == "keep"} for row in rows]
    check("pages.json", json.dumps(said, ensure_ascii=False, indent=1) + "\n")


def test_the_json_report_of_a_comparison():
    report = compare(Path("examples/site/repairs.html"), Path("examples/site/hire.html"))
    check("repairs_hire.json", as_json(report))


def test_the_json_report_of_scanned_text():
    """One report of two papers, in both misread: nothing without the setting."""
    assert not scan(Path("examples/scans")).groups
    check("scans.json", as_json(scan(Path("examples/scans"), noise="ocr", pairs=True)))


@pytest.mark.parametrize("name", SCANNED)
def test_the_terminal_report(name, capsys):
    assert main(["scan", f"examples/{name}"]) == 0
    out, err = capsys.readouterr()
    check(f"{name.replace('.', '_')}.out.txt", out)
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80


AGAINST = ["scan", "examples/notices.jsonl", "--against", "examples/questions.jsonl"]
BETWEEN = ["scan", "examples/papers.jsonl", "--between", "paper"]


@pytest.mark.parametrize(("name", "arguments"), [("against", AGAINST), ("between", BETWEEN)])
def test_the_terminal_report_of_pages_that_pair(name, arguments, capsys):
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    check(f"{name}.out.txt", out)
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80


def test_the_json_reports_of_pages_that_pair():
    notices, questions, papers = (Path(f"examples/{name}.jsonl") for name in ("notices", "questions", "papers"))
    check("against.json", as_json(scan(notices, against=questions, pairs=True)))
    check("between.json", as_json(scan(papers, between="paper", pairs=True)))


def test_the_terminal_report_of_a_comparison(capsys):
    assert main(["compare", "examples/site/repairs.html", "examples/site/hire.html"]) == 0
    check("repairs_hire.out.txt", capsys.readouterr().out)


FERRY = ["examples/ferry-spring.txt", "examples/ferry-summer.txt"]


def test_the_json_report_of_a_comparison_that_explains():
    check("ferry.json", as_json(compare(*map(Path, FERRY), explain=True)))


@pytest.mark.parametrize("find", ["reworded", "near"])
def test_the_terminal_report_of_a_comparison_that_explains(find, capsys):
    assert main(["compare", *FERRY, "--explain", "--find", find]) == 0
    out = capsys.readouterr().out
    check(f"ferry_{find}.out.txt", out)
    assert max(map(len, out.splitlines())) <= 80


# -- the case that started it, whatever the files say ---------------------------------------------------------------


def test_the_news_page_is_told_in_one_sentence(capsys):
    """The first golden promise."""
    main(["scan", "examples/news.txt"])
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(r"the article stands on this page twice: lines 5-17 again at 19-35, headline and 6 paragraphs, "
                     r"1,6\d\d characters; the teaser at line 21 is contained in line 9, and again in line 27; the second "
                     r'copy also has the teaser of line 21 and "Thumbnail" of line 23', said)
    assert said.index("the article stands") < said.index("Thumbnail")
    assert "8 duplicate lines" not in said


@pytest.mark.parametrize("suffix", ["txt", "html", "md"])
def test_all_formats_have_the_same_verdicts(suffix):
    report = scan(Path(f"examples/news.{suffix}"))
    assert [v.kind for v in report.pages[0].verdicts] == ["rendered-twice", "teaser"]
    assert len(report.groups) == 2
    rendered, = verdicts(report, "rendered-twice")
    assert re.search(r"^the article stands on this page twice: lines (\d+)-(\d+) again at (\d+)-(\d+), headline and "
                     r"6 paragraphs, 1,6\d\d characters$", rendered)
    teaser, = verdicts(report, "teaser")
    assert re.fullmatch(r"the teaser at line \d+ is contained in line \d+, and again in line \d+", teaser)
    besides = report.pages[0].verdicts[0].evidence["besides"]
    assert re.fullmatch(r'the second copy also has the teaser of line \d+ and "Thumbnail" of line \d+', besides)
    assert [r.text for r in report.pages[0].small_repeats] == ["Thumbnail"]


def test_the_label_is_a_small_repeat_of_its_lines():
    repeat, = scan(Path("examples/news.txt")).pages[0].small_repeats
    assert (repeat.text, repeat.lines) == ("Thumbnail", (3, 23))


@pytest.mark.parametrize("suffix", ["txt", "html", "md"])
def test_the_second_rendering_holds_its_parts_in_the_source(suffix):
    """Headline and paragraphs, without teaser and label; the lines are the source's."""
    source = (ROOT / f"examples/news.{suffix}").read_text(encoding="utf-8").split("\n")
    report = scan(Path(f"examples/news.{suffix}"))
    for occurrence in report.groups[0].occurrences:
        assert "reopens its old swing bridge" in source[occurrence.line - 1]
        assert "Entry is free." in source[occurrence.end_line - 1]
    second = report.groups[0].occurrences[1]
    kept = "".join(second.text[a - second.start:b - second.start] for a, b in second.parts)
    assert "Thumbnail" not in kept
    assert kept.count("former customs house") == 1
