"""The check of cleaning on real pages sees what is wrong, and passes what is right."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from benchmarks import cleaning
from benchmarks.cleaning import Sentences, lost, main, sentences, tree

ROOT = Path(__file__).parents[2]


def test_sound_cleaning_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "news.html").write_bytes((ROOT / "examples" / "news.html").read_bytes())
    text = (ROOT / "examples" / "news.txt").read_text()
    (tmp_path / "pages" / "docs.jsonl").write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name in "ab"))
    assert main([str(tmp_path), "--set", "pages"]) == 0
    said = capsys.readouterr().out
    assert "pages files readers" in said
    assert "trees changed 0 of 1" in said


def test_records_that_hold_pages_are_unfolded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "planted").mkdir()
    text = (ROOT / "examples" / "news.txt").read_text()
    lines = [json.dumps({"noise": noise, "pages": {"a": text, "b": text + "\nOf another edition."}}) for noise in (0, 0.1)]
    (tmp_path / "planted" / "en.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert main([str(tmp_path), "--set", "planted"]) == 0
    said = capsys.readouterr().out
    assert said.count("pages     4") == said.count("planted ") >= 2
    assert "removed    0.0%" not in said


def test_lost_sentences_are_seen(tmp_path: Path) -> None:
    for name, text in (("before", "One stays here. Two goes away."), ("after", "One stays here.")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(text)
    assert lost(tmp_path / "before", tmp_path / "after", False) == ["a.txt: Two goes away."]
    assert not lost(tmp_path / "after", tmp_path / "before", True)


def test_a_sentence_joined_to_another_one_stands() -> None:
    (_, words), = sentences("two three")
    assert words in Sentences("One two, three four.")
    assert words not in Sentences("One two. Other three.")


def test_changed_trees_are_seen() -> None:
    page = "<p>one</p><b>two</b>"
    assert tree("<p>one</p>") == tree(page, range(10, 20))
    assert tree("<p>one") != tree(page, range(10))


def test_something_wrong_gives_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.html").write_text("<p>One page.</p>")
    monkeypatch.setattr(cleaning, "lost", lambda *_: ["a.html: One page."])
    assert main([str(tmp_path), "--set", "pages"]) == 1


def test_a_set_of_which_no_page_is_read_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.jsonl").write_text(json.dumps({"id": "a", "about": {"text": "a page of no text"}}) + "\n")
    assert main([str(tmp_path), "--set", "pages"]) == 1
