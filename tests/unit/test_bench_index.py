"""The benchmark of the index: which pages it stores and asks for, and what it counts."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import index
from benchmarks.index import first_words, timed, write_pages


def test_pages_are_cut_to_so_many_words_and_their_lines_are_kept() -> None:
    assert first_words("one two\nthree four five\nsix", 4) == "one two\nthree four"
    assert first_words("one two\nthree", 4) == ""


def test_pages_are_stored_or_asked_for_and_reading_them_is_not_counted(tmp_path: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "ASKED", 3)
    pages = write_pages(tmp_path / "pages.jsonl", 10, 20)
    stored, asked = list(pages.stored()), pages.asked()
    assert (len(stored), len(asked)) == (7, 3)
    assert len({page["id"] for page in stored + asked}) == 10
    assert all(len(page["text"].split()) == 20 for page in stored + asked)
    assert stored + asked == list(itertools.islice(index.pages_of(20), 10))

    read = index.json.loads

    def slowly(line: str) -> Any:
        time.sleep(0.01)
        return read(line)
    monkeypatch.setattr(index.json, "loads", slowly)
    result: dict[str, Any] = {}
    with timed(result, "add", pages):
        assert len(list(pages.stored())) == 7
    assert result["add_us"] < 5_000  # of ten milliseconds each
    assert pages.wall > 0.07
