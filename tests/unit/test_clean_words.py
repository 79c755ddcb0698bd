"""What clean and explain say, and which places they understand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dedup import cli
from dedup.api import clean
from dedup.cleaning.manifest import FILE_NAME
from dedup.cleaning.words import wrapped
from tests.scan_help import edited, lines, prose
from tests.unit.test_clean_restore import OTHER, PAGES, THIRD, write_pages


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Two files with records of one id, and an id that is a number."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "one.jsonl").write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in (
        ("a", PAGES["a.txt"]), ("2", OTHER * 2))))
    (folder / "two.jsonl").write_text(json.dumps({"id": "a", "text": THIRD * 2}) + "\n")
    clean(folder, tmp_path / "out")
    return tmp_path / "out" / FILE_NAME


def test_explain_names_the_file_of_a_record(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "explain", str(records), "a")
    assert status == 0
    assert "a, line 1 of " in out
    assert "one.jsonl was removed" in out
    assert "two.jsonl" not in said(capsys, "explain", str(records), "one.jsonl")[1]
    out = said(capsys, "explain", str(records), "two.jsonl")[1]
    assert "two.jsonl was removed" in out
    assert "one.jsonl" not in out


def test_a_number_that_is_a_page_too_is_refused(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    removals = [json.loads(line) for line in records.read_text().splitlines() if '"kind":"removal"' in line]
    assert len(removals) > 2
    status, _, err = said(capsys, "explain", str(records), "2")
    numbers = [line["number"] for line in removals if line["place"]["page"] == "2"]
    if numbers == [2]:
        assert status == 0
        return
    assert status == 2
    assert "2 is a page's id and a removal's number. Say '#2' for the removal, '2:LINE' for the page" in err
    assert said(capsys, "explain", str(records), "#2")[1].startswith("#2 ")
    assert said(capsys, "explain", str(records), "2:2")[1].startswith(f"#{numbers[0]} ")


def test_a_page_goes_by_its_path_too(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    write_pages(tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    clean(Path("site"), Path("out"))
    texts = {said(capsys, "explain", f"out/{FILE_NAME}", place)[1] for place in ("a.txt", "site/a.txt", "a.txt:9")}
    assert len(texts) == 1
    assert next(iter(texts)).startswith("#0  a.txt, lines ")


def test_a_dry_run_may_read_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    import tempfile

    write_pages(tmp_path / "in")
    for place in (tmp_path, tmp_path / "in", tmp_path / "in" / "deep"):
        place.mkdir(exist_ok=True)
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        status, out, _ = said(capsys, "clean", str(tmp_path / "in"), "--dry-run")
        assert status == 0
        assert "nothing was written" in out
    assert said(capsys, "clean", str(tmp_path / "in" / "a.txt"), "--dry-run")[0] == 0


def test_where_no_copy_is_word_for_word_it_says_which_option_takes_the_others(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    article = [prose(60, n) for n in range(3)]
    again = [edited(paragraph, [10, 40]) for paragraph in article]
    text = lines("Harbour town reopens bridge", *article, "Harbour town reopens bridge", *again)
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    out = said(capsys, "clean", str(tmp_path / "a.txt"), "--dry-run")[1]
    assert out.startswith("read 1 = kept 1")
    assert "only word-for-word copies go; edited ones, too, with --what near" in out
    out = said(capsys, "clean", str(tmp_path / "a.txt"), "--dry-run", "--what", "near")[1]
    assert "rendered-twice" in out
    assert "only word-for-word" not in out


def test_a_manifest_of_an_earlier_cleaning_in_the_input_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pages(tmp_path / "in")
    clean(tmp_path / "in", tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "in" / "cleaned")
    status, _, err = said(capsys, "clean", str(tmp_path / "in"), "--dry-run", "--max-removed", "100%")
    assert status == 0
    assert "the input holds a manifest of an earlier cleaning: it stays where it is and is not copied" in err
    assert "--exclude" in err
    assert "earlier cleaning" not in said(capsys, "clean", str(tmp_path / "in"), "--dry-run", "--exclude", "cleaned/")[2]


@pytest.mark.parametrize("top", ["-1", "100001"])
def test_top_has_a_range(tmp_path: Path, capsys: pytest.CaptureFixture[str], top: str) -> None:
    write_pages(tmp_path / "in")
    status, _, err = said(capsys, "clean", str(tmp_path / "in"), "--dry-run", "--top", top)
    assert status == 2
    assert f"--top: {top} is out of range. Use 0 to 100000." in err


def test_lines_are_wrapped_on_a_terminal_only(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    write_pages(tmp_path / "in")
    piped = said(capsys, "clean", str(tmp_path / "in"), "--dry-run")[1]
    assert max(map(len, piped.splitlines())) > 90
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    shown = said(capsys, "clean", str(tmp_path / "in"), "--dry-run")[1]
    assert max(map(len, shown.splitlines())) <= 60
    assert shown.split() == piped.split()


def test_wide_signs_count_twice() -> None:
    assert list(wrapped("-" + "港" * 12, 11)) == ["-" + "港" * 5, " " + "港" * 5, " " + "港" * 2]
    assert list(wrapped("", 20)) == [""]
