"""The command ``index``."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from dedup import cli
from dedup.index import Index

EIGHT = "These same eight words stand on both pages."


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "a.txt").write_text(EIGHT)
    (folder / "b.txt").write_text("Nothing of what stands here is to be found on any other page at all.")
    (tmp_path / "new.txt").write_text(f"One page says more. {EIGHT} It goes on for a while.")
    return folder


def test_from_create_to_remove(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        assert cli.main(["index", *arguments]) == 0
        out, err = capsys.readouterr()
        assert err == ("1 page added; the index holds 3 pages\n" if "--add" in arguments else "")
        return out
    assert run("create", "s.dedup", "site") == "2 pages added; the index holds 2 pages\n"
    assert run("add", "s.dedup", "site") == "0 pages added, 2 unchanged; the index holds 2 pages\n"
    assert "site/a.txt" in run("check", "s.dedup", "new.txt")
    found = json.loads(run("check", "s.dedup", "new.txt", "--format", "json", "--add"))
    assert [place["page"] for place in found["groups"][0]["occurrences"]] == ["a.txt", "new.txt"]
    assert not json.loads(run("check", "s.dedup", "new.txt", "--format", "json", "--except-own"))["groups"][1:]
    gone = run("remove", "s.dedup", "a.txt", "nobody")
    assert gone == "1 page removed, 1 of the ids were not in it; the index holds 2 pages\n"
    assert run("verify", "s.dedup") == "s.dedup: all is well; 2 pages and all postings were looked at\n"
    assert run("compact", "s.dedup").startswith("s.dedup: ")
    info = json.loads(run("info", "s.dedup", "--format", "json"))
    assert (info["pages"], info["levels"], info["removed"]) == (2, ["block", "passage"], 0)
    assert "2 pages, " in run("info", "s.dedup")
    assert run("export", "s.dedup", "-o", "out.jsonl") == "out.jsonl: 2 pages\n"
    assert run("rebuild", "s.dedup", "-o", "n.dedup", "--levels", "page") == "n.dedup: 2 pages, all of them\n"
    assert run("add", "n.dedup", "site", "-q") == ""
    run("check", "n.dedup", "site", "-o", "r.html", "-o", "r.json")
    assert json.loads(Path("r.json").read_text())["options"]["unit"] == "page"


def test_ids_are_read_from_standard_input(site: Path) -> None:
    Index.create("s.dedup", site).close()
    done = subprocess.run([sys.executable, "-m", "dedup", "index", "remove", "s.dedup", "-"], input="a.txt\nb.txt\n",
                          text=True, capture_output=True, check=True, timeout=60)
    assert done.stdout == "2 pages removed; the index holds 0 pages\n"


@pytest.mark.parametrize(("arguments", "answer"), [
    (["add", "none", "site"], "none: there is no index. Make one with: dedup index create none"),
    (["add", "new.txt", "site"], "new.txt: is no index. Name one, or make one with: dedup index create."),
    (["create", "new.txt", "site"], "new.txt: is there already. Add to it with: dedup index add, or name another file."),
    (["create", "x", "nofile"], "nofile: no such file or folder"),
    (["create", "x", "--levels", "word"], "levels: 'word' is not one of page, block, passage"),
    (["create", "x", "--exhaustive"], "unknown option --exhaustive"),
    (["check", "s.dedup"], "nothing to check. Name a file or folder (- is standard input): dedup index check s.dedup ..."),
    (["check", "s.dedup", "s.dedup"], "s.dedup: is the index itself. Name what is to be read."),
    (["add", "s.dedup", "site", "--threshold", "0.4"],
     "--threshold: index add does not take it. What finds belongs to the index, which keeps it from create on."),
    (["info", "s.dedup", "--add"], "--add: index info does not take it. It takes --format."),
    (["verify", "s.dedup", "x"], "index verify takes the index and no paths, so this is too much: x"),
    (["export", "s.dedup"], "-o is needed. Say where it goes: -o pages.jsonl"),
    (["eat", "s.dedup"], "index: 'eat' is not one of create, add, check, remove, info, verify, compact, rebuild, export"),
    ([], "index needs an action and an index: dedup index create|add|check|... INDEX [PATH...]"),
    (["add"], "index needs an action and an index"),
    (["add", "-", "site"], "-: an index is a file, and no standard input"),
])
def test_what_is_wrong_is_one_line_and_makes_nothing(site: Path, arguments: list[str], answer: str,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    Index.create("s.dedup", site).close()
    assert cli.main(["index", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"dedup: {answer}")
    assert err.count("\n") == 1
    assert sorted(path.name for path in site.parent.iterdir()) == ["new.txt", "s.dedup", "site"]


def test_a_damaged_index_is_told_with_what_to_do(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Index.create("s.dedup", site).close()
    with sqlite3.connect("s.dedup") as connection:
        connection.execute("UPDATE page SET data = CAST(data || x'00' AS BLOB) WHERE number = 1")
    connection.close()
    assert cli.main(["index", "verify", "s.dedup"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "s.dedup: the record of page 1 is damaged" in err
    assert "Save what is whole with: dedup index rebuild s.dedup -o NEW" in err
    assert cli.main(["index", "check", "s.dedup", "site/b.txt"]) == 2
    assert "dedup index rebuild" in capsys.readouterr().err
    assert cli.main(["index", "rebuild", "s.dedup", "-o", "n.dedup"]) == 3
    assert capsys.readouterr().out == "n.dedup: 1 page\n"
    assert cli.main(["index", "verify", "n.dedup"]) == 0


def test_what_a_check_adds_is_told_beside_its_report(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Index.create("s.dedup", site).close()
    for told in "1 page added; the index holds 3 pages\n", "0 pages added, 1 unchanged; the index holds 3 pages\n":
        assert cli.main(["index", "check", "s.dedup", "new.txt", "--add", "--format", "json"]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out)
        assert err == told
    assert cli.main(["index", "check", "s.dedup", "new.txt", "--add", "-q"]) == 0
    assert cli.main(["index", "check", "s.dedup", "new.txt"]) == 0
    assert capsys.readouterr().err == ""
