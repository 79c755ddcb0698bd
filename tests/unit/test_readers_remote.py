"""Pages at addresses, by fsspec: a file, a folder, a pattern, an archive; and what is not there."""

from __future__ import annotations

import builtins
import gzip
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.cli import main
from dedup.errors import InputError, MissingExtraError, OptionError

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
TEXT = "These same eight words stand on both pages."


@pytest.fixture
def memory() -> Iterator[Any]:
    """Files in a file system that is no folder."""
    system = fsspec.filesystem("memory")
    for name, data in {
        "site/a.txt": TEXT.encode(), "site/deep/b.html": f"<p>{TEXT}</p>".encode(), "site/c.jsonl.gz": gzip.compress(
            json.dumps({"id": "rec", "text": TEXT}).encode()), "other/d.txt": b"Nothing of this kind stands in here.",
    }.items():
        with system.open(f"/{name}", "wb") as file:
            file.write(data)
    yield system
    for name in ("/site", "/other"):
        system.rm(name, recursive=True)


def ids(address: Any, **settings: Any) -> list[str]:
    return [page.id for page in dedup.open_pages(address, **settings)]


def test_a_file_a_folder_and_a_pattern(memory: Any) -> None:
    assert ids("memory://site/a.txt") == ["a.txt"]
    assert ids("memory://site") == ["a.txt", "rec", "deep/b.html"]
    assert ids("memory://site/*.txt") == ["a.txt"]
    assert ids("memory://site", exclude=["deep/"]) == ["a.txt", "rec"]
    assert ids("memory://site", include=["*.html"]) == ["deep/b.html"]
    page = next(iter(dedup.open_pages("memory://site/a.txt")))
    assert (page.source, page.site) == ("memory:///site/a.txt", "site")


def test_addresses_and_paths_together(memory: Any, tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_text(TEXT)
    assert ids(["memory://site/a.txt", tmp_path / "here.txt", "memory://site/a.txt"]) == ["here.txt", "a.txt"]
    report = dedup.scan(dedup.open_pages(["memory://site", tmp_path / "here.txt"]))
    assert [o.page for o in report.groups[0].occurrences] == ["here.txt", "a.txt", "rec", "deep/b.html"]


def test_files_in_an_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "site.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("pages/a.txt", TEXT)
        out.writestr("pages/b.txt", f"More words come first. {TEXT}")
    assert main(["scan", f"zip://pages::{archive}", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [o["page"] for o in report["groups"][0]["occurrences"]] == ["a.txt", "b.txt"]
    assert report["pages"][0]["source"] == f"zip://pages/a.txt::{archive}"


def test_the_commands(memory: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "here.txt").write_text(TEXT)
    assert main(["scan", "memory://site/a.txt", str(tmp_path), "-q", "-o", str(tmp_path / "r.json")]) == 0
    assert json.loads((tmp_path / "r.json").read_text())["summary"]["groups"] == 1
    assert main(["scan", "memory://other", "--against", "memory://site", "-q"]) == 0
    assert main(["compare", "memory://site/a.txt", str(tmp_path / "here.txt"), "-q"]) == 0
    assert main(["clean", "memory://site", "-o", str(tmp_path / "out")]) == 2
    assert main(["scan", "memory://site", "--estimate"]) == 2
    assert "only files are cleaned" in capsys.readouterr().err


@pytest.mark.parametrize(("address", "says"), [
    ("memory://nowhere/x.txt", "no such file or folder"), ("memory://nowhere/*.txt", "no such file or folder"),
    ("nothing://x/y.txt", "cannot be opened"), ("zip://a.txt::/nowhere.zip", "cannot be opened")])
def test_what_is_not_there(address: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        dedup.open_pages(address)


def test_a_connection_that_fails_costs_its_file_only(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = type(memory).open

    def failing(self: Any, path: str, *args: Any, **kwargs: Any) -> Any:
        if path.endswith("b.html"):
            raise RuntimeError("connection reset by the other side")
        return opened(self, path, *args, **kwargs)
    monkeypatch.setattr(type(memory), "open", failing)
    report = dedup.scan(dedup.open_pages("memory://site"))
    assert report.summary.pages == 2
    assert [(e.source, e.message) for e in report.errors] == [
        ("memory:///site/deep/b.html", "cannot be read (connection reset by the other side), skipped")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_of_this_machine_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    (tmp_path / "b.txt").write_text(TEXT)
    done = subprocess.run([sys.executable, "-m", "dedup", "scan", tmp_path.as_uri()], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 3
    assert done.stderr == f"{tmp_path.as_uri()}/a.txt: cannot be read (is a FIFO, not a regular file), skipped\n"
    assert "1 block: 1 compared" in done.stdout


def test_an_address_is_no_text() -> None:
    with pytest.raises(OptionError, match=r"Use open_pages\('s3://bucket/a\.txt'\)"):
        dedup.scan("s3://bucket/a.txt")


def test_without_fsspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "fsspec":
            raise ImportError(name)
        return imported(name, *args, **kwargs)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"s3:// needs fsspec\. Install it with: pip install fsspec .*\[remote\]"):
        dedup.open_pages("s3://bucket/a.txt")
