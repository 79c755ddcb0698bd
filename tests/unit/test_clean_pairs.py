"""Cleaning where not all pairs of pages count: no page goes for one that it makes no pair with, and nothing of references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dedup import cli
from dedup.api import _Against, _pages, clean
from dedup.cleaning.choices import Choices
from dedup.cleaning.plan import plan_removals
from dedup.cleaning.rounds import plan_in_rounds
from dedup.errors import OptionError
from dedup.options import Options
from dedup.pipeline import Stages, find_duplicates
from dedup.verdicts import Judgement
from tests.scan_help import lines, prose

STORY = prose(40, 1)


def pages(*papers: str | None) -> list[dict[str, Any]]:
    """Equal pages of newspapers, some of which have no name."""
    return [{"id": str(number), "text": STORY} | ({"paper": paper} if paper else {}) for number, paper in enumerate(papers)]


def kept(found: list[dict[str, Any]], **settings: Any) -> list[str]:
    return [page["id"] for page in clean(found, for_="corpus", **settings).pages]


def test_pages_that_make_no_pair_are_not_dropped():
    assert kept(pages("a", "a", "b")) == ["0"]
    assert kept(pages("a", "a", "b"), between="paper") == ["0", "1"]
    assert kept(pages(None, "a", "b"), between="paper") == ["0", "1"]
    assert kept(pages("a", "a", None), between="paper") == ["0", "1", "2"]
    assert kept(pages("a", "a", "b"), scope="within") == ["0", "1", "2"]
    assert kept(pages("a", "a", "b"), scope="across") == ["0"]
    assert kept(pages("a", "a", "b"), between="paper", unit="page", what="near") == ["0", "1"]


def test_a_second_cleaning_between_papers_takes_nothing():
    found = [{"id": str(n), "paper": paper, "text": lines(prose(40, 10 + n), STORY, prose(40, 20 + n))}
             for n, paper in enumerate("aab")]
    once = clean(found, for_="corpus", between="paper")
    assert once.removals
    assert not clean(list(once.pages), for_="corpus", between="paper").removals


def test_cleaning_takes_no_references(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(OptionError, match="has no references"):
        clean(pages("a", "b"), against=pages("a"))
    (tmp_path / "page.txt").write_text(STORY, encoding="utf-8")
    place, out = str(tmp_path / "page.txt"), tmp_path / "out"
    with pytest.raises(OptionError, match="has no references"):
        clean(Path(place), out, against=Path(place))
    assert cli.main(["clean", place, "-o", str(out), "--against", place]) == 2
    said = "clean takes the pages that it cleans and no --against; use dedup scan PATH... --against REF"
    assert said in capsys.readouterr().err
    assert cli.main(["clean", place, "-o", str(out), "--agianst", place]) == 2
    assert "did you mean --against" not in capsys.readouterr().err
    assert not out.exists()
    assert (tmp_path / "page.txt").read_text(encoding="utf-8") == STORY


def test_findings_with_references_are_not_cleaned():
    options, choices = Options(), Choices(for_="corpus")
    stream = _Against(_pages(pages("a"), options), _pages(pages("b"), options))
    findings, _ = find_duplicates(stream, options, Stages())
    with pytest.raises(OptionError, match="references"):
        plan_removals(findings, Judgement(findings), choices)
    with pytest.raises(OptionError, match="references"):
        plan_in_rounds(findings, choices)
