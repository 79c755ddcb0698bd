"""Restoring: a second time, names of the input, manifests that hold more than they say, what messages claim."""

from __future__ import annotations

import base64
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest

from dedup import cli
from dedup.api import clean, restore
from dedup.cleaning import manifest as lines
from dedup.cleaning.manifest import FILE_NAME, FileEnd, Manifest, unpacked
from dedup.errors import InputError, OutputError
from tests.unit.test_clean_files import TWICE, signed, tree

OTHER = ("The council met on Tuesday evening and voted for a new swimming hall, seven to four, after a long debate.\n\n"
         "Those against it had wanted the money for roads, of which the district has more than it can mend in a decade.\n\n")
THIRD = ("A heron has built its nest on the crane that was to be taken down in May, and nobody dares to touch it now.\n\n"
         "The owner of the crane pays for each day on which it stands there, and asks who will give it back.\n\n")
PAGES = {"a.txt": TWICE, "b.txt": OTHER * 2, "c.txt": THIRD * 2}


def write_pages(folder: Path) -> None:
    """Pages that have nothing in common; of each something goes."""
    folder.mkdir()
    for name, text in PAGES.items():
        (folder / name).write_text(text)


def write_table(path: Path, **columns: list[Any]) -> Any:
    pa = pytest.importorskip("pyarrow", reason="LOUD: pyarrow is not installed, tables untested")
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"id": ["x", "y", "z"], "text": [TWICE, None, TWICE], "n": [1, 2, None], **columns})
    pq.write_table(table.replace_schema_metadata({"k": "v"}), path, row_group_size=2)
    return table


def test_a_table_that_was_restored_is_restored_already(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path / "in" / "t.parquet")
    clean(tmp_path / "in", tmp_path / "out", for_="corpus", max_removed=1.0)
    manifest = tmp_path / "out" / FILE_NAME
    assert restore(manifest).cuts == 2
    before = tree(tmp_path / "out")
    done = restore(manifest)
    assert (done.already, done.cuts) == (1, 0)
    assert tree(tmp_path / "out") == before
    assert cli.main(["restore", str(manifest)]) == 0
    assert "nothing to do: the file is as it was before the cleaning" in capsys.readouterr().out
    restore(manifest, tmp_path / "back")
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "back" / "t.parquet").equals(table)


def test_a_table_that_says_something_else_was_changed(tmp_path: Path) -> None:
    write_table(tmp_path / "in" / "t.parquet")
    clean(tmp_path / "in", tmp_path / "out", for_="corpus", max_removed=1.0)
    write_table(tmp_path / "out" / "t.parquet", n=[1, 2, 3])
    with pytest.raises(InputError, match="was changed since it was cleaned"):
        restore(tmp_path / "out" / FILE_NAME)


def test_a_table_that_is_not_restored_as_it_was_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "in" / "t.parquet")
    clean(tmp_path / "in", tmp_path / "out", for_="corpus", max_removed=1.0)
    manifest = tmp_path / "out" / FILE_NAME
    text = [json.loads(line) for line in manifest.read_text().splitlines()]
    end = next(line for line in text if line["kind"] == "file")
    end["table"] = "0" * 64
    manifest.write_bytes(signed(text))
    before = tree(tmp_path / "out")
    with pytest.raises(InputError, match="what is restored is not what it was"):
        restore(manifest)
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("columns", [
    {"n": [1.5, None, float("nan")]}, {"n": [b"a", None, b"\xff"]}, {"n": [[1], None, [2, 3]]}, {"n": ["a", "", "b"]},
    {"n": [{"a": 1}, None, {"a": 2}]}, {"n": [True, False, None]},
])
def test_a_digest_tells_values_apart_not_files(tmp_path: Path, columns: dict[str, list[Any]]) -> None:
    from dedup.cleaning.tabledigest import table_digest

    pq = pytest.importorskip("pyarrow.parquet", reason="LOUD: pyarrow is not installed, tables untested")

    def digest(path: Path) -> str:
        with path.open("rb") as file:
            return table_digest(file)
    table = write_table(tmp_path / "a.parquet", **columns).replace_schema_metadata({"k": "v"})
    pq.write_table(table, tmp_path / "b.parquet", row_group_size=2, compression="zstd", use_dictionary=False)
    assert digest(tmp_path / "a.parquet") == digest(tmp_path / "b.parquet")
    pq.write_table(table.slice(1), tmp_path / "c.parquet", row_group_size=2)
    column = columns["n"]
    write_table(tmp_path / "d.parquet", n=[column[0], column[1], column[0]])
    write_table(tmp_path / "e.parquet", n=[column[2], column[1], column[0]])
    assert len({digest(tmp_path / f"{name}.parquet") for name in "acde"}) == 4


def test_a_second_restore_says_so_and_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pages(tmp_path / "in")
    (tmp_path / "in" / "c.txt").write_text("Nothing goes of this.")
    clean(tmp_path / "in", tmp_path / "out")
    manifest = tmp_path / "out" / FILE_NAME
    (tmp_path / "out" / "a.txt").write_bytes((tmp_path / "in" / "a.txt").read_bytes())
    assert cli.main(["restore", str(manifest)]) == 0
    assert "1 file had been restored before" in capsys.readouterr().out
    stamp = (tmp_path / "out" / "a.txt").stat().st_mtime_ns
    assert cli.main(["restore", str(manifest)]) == 0
    assert "nothing to do: all 3 files are as they were before the cleaning" in capsys.readouterr().out
    assert (tmp_path / "out" / "a.txt").stat().st_mtime_ns == stamp


# Manifests that hold more than they say.


def bomb(size: int, says: int | None) -> FileEnd:
    content = base64.b64encode(zlib.compress(b"\0" * size)).decode()
    return FileEnd("dropped", "0" * 64, "", content, says)


def test_content_is_unpacked_no_further_than_it_says() -> None:
    assert b"".join(unpacked(bomb(3_000_000, 3_000_000))) == b"\0" * 3_000_000
    for says, answer in ((10, "more than 10 bytes"), (3_000_001, "not 3,000,001"), (lines.MAX_CONTENT + 1, "it says that")):
        with pytest.raises(ValueError, match=answer):
            list(unpacked(bomb(3_000_000, says)))
    assert next(unpacked(bomb(3_000_000, 3_000_000))) == b"\0" * lines.STEP


def test_a_bomb_in_a_manifest_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_CONTENT", 1 << 20)
    head = {"kind": "manifest", "format": lines.FORMAT, "version": "1", "in_place": False, "options": {}, "choices": {},
            "input_digest": ""}
    for says in (None, 5, 1 << 30):
        text = [head, {"kind": "begin", "name": "a.txt", "source": "x", "form": "text"},
                {"kind": "file", **{name: value for name, value in (("state", "dropped"), ("input", "0" * 64), ("output", ""),
                 ("content", bomb(1 << 24, says).content), ("size", says)) if value is not None}},
                {"kind": "end", "files": 1, "removals": 0, "accounting": {}, "digest": "0" * 64}]
        (tmp_path / "m.jsonl").write_bytes(signed(text))
        with pytest.raises(InputError, match=r"its content in the manifest is damaged \(it .* bytes") as error:
            restore(tmp_path / "m.jsonl", tmp_path / "back")
        assert "\n" not in str(error.value)
        assert not (tmp_path / "back").exists()


# Names.


@pytest.mark.skipif(os.name == "nt", reason="these names are none on Windows")
def test_files_get_their_names_back(tmp_path: Path) -> None:
    names = ["what?.txt", "a:b/CON.txt", "Day.txt", "day.txt", "n" * 240 + ".txt", "plain.txt"]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(OTHER + name)
    if len(list((tmp_path / "in").iterdir())) < len(names):
        pytest.skip("LOUD: this file system does not tell capitals apart")
    clean(tmp_path / "in", tmp_path / "out")
    assert set(tree(tmp_path / "out")).isdisjoint({"what?.txt", "a:b/CON.txt"})
    restore(tmp_path / "out" / FILE_NAME, tmp_path / "back")
    assert tree(tmp_path / "back") == tree(tmp_path / "in")


def test_a_lone_file_gets_its_name_back(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TWICE)
    done = clean(tmp_path / "a.txt", tmp_path / "b.txt")
    assert done.manifest is not None
    restore(done.manifest, tmp_path / "back")
    assert tree(tmp_path / "back") == {"a.txt": TWICE.encode()}


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "a/../../evil", "./x", "a//b", "x\0y", "", "b.txt", "x" * 256])
def test_names_that_lead_elsewhere_or_are_taken_are_not_given_back(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(TWICE)
    (tmp_path / "in" / "b.txt").write_text("Another page.")
    clean(tmp_path / "in", tmp_path / "out")
    manifest = tmp_path / "out" / FILE_NAME
    text = [json.loads(line) for line in manifest.read_text().splitlines()]
    for line in text:
        if line["kind"] == "begin" and line["name"] == "a.txt":
            line["original"] = name
    manifest.write_bytes(signed(text))
    restore(manifest, tmp_path / "back")
    assert tree(tmp_path / "back") == tree(tmp_path / "in")


# What messages claim.


@pytest.mark.parametrize(("in_place", "answer"), [
    (False, "What was written before stays in"), (True, "The sources are as they were"),
])
def test_a_failing_write_says_what_is_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_place: bool,
                                         answer: str) -> None:
    write_pages(tmp_path / "in")
    before, fsync, calls = tree(tmp_path / "in"), os.fsync, []

    def failing(handle: int) -> None:
        calls.append(handle)
        if len(calls) >= 5:  # the mark and its folder, a file and its folder, and then
            raise OSError(28, "No space left on device")
        fsync(handle)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OutputError, match=answer):
            clean(tmp_path / "in", None if in_place else tmp_path / "out", in_place=in_place)
    assert tree(tmp_path / "in") == before
    assert (tmp_path / "out" / "a.txt").exists() != in_place


def test_where_nothing_was_written_nothing_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text(TWICE)

    def failing(handle: int) -> None:
        raise OSError(28, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OutputError, match="Nothing was written"):
            clean(tmp_path / "a.txt", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_manifest_of_before_names_and_sizes_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(TWICE)
    (tmp_path / "in" / "b.txt").write_text(TWICE)
    clean(tmp_path / "in", tmp_path / "out", for_="corpus", max_removed=1.0)
    manifest = tmp_path / "out" / FILE_NAME
    text = [json.loads(line) for line in manifest.read_text().splitlines()]
    for line in text:
        for name in ("size", "table", "original"):
            line.pop(name, None)
    manifest.write_bytes(signed(text))
    assert Manifest(manifest).files
    restore(manifest, tmp_path / "back")
    assert tree(tmp_path / "back") == tree(tmp_path / "in")
