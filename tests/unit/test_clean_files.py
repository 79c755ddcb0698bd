"""Cleaning files and bringing them back: formats, safe writing, bad manifests, the command line."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dedup
from dedup import cli
from dedup.api import clean, restore
from dedup.cleaning import manifest as lines
from dedup.cleaning import run
from dedup.cleaning.manifest import Manifest
from dedup.cleaning.targets import MARK, Output, Target, safe_name
from dedup.errors import InputError, OutputError
from tests.unit.test_clean_plan import ARTICLE, BAKER, FERRY

ROOT = Path(__file__).parents[2]
TWICE = f"The news of today\n\n{ARTICLE}\n\nThe news of today\n\n{ARTICLE}\n"


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder but manifests."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and "manifest" not in path.name}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a page of each kind, copies among them."""
    folder = tmp_path / "site"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text(TWICE)
    (folder / "copy.txt").write_text(TWICE)
    (folder / "windows.txt").write_bytes(TWICE.replace("\n", "\r\n").encode("utf-16"))
    (folder / "deep" / "b.md").write_text(f"# News\n\n{ARTICLE}\n\n- one\n- two\n\n# News\n\n{ARTICLE}\n")
    (folder / "page.html").write_text((ROOT / "examples" / "news.html").read_text())
    (folder / "packed.html.gz").write_bytes(gzip.compress((ROOT / "examples" / "news.html").read_bytes()))
    records = [{"id": "x", "text": TWICE, "n": 1.50}, {"id": "y", "text": f"{FERRY} \U0001f600"}, {"id": "z", "text": TWICE}]
    (folder / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records) + "broken\n")
    (folder / "table.csv").write_text('id,text\r\n1,"' + TWICE.replace("\n", "\r\n") + '"\r\n2,"says ""no"" to it"\r\n')
    (folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (folder / "empty.txt").write_bytes(b"")
    return folder


@pytest.mark.parametrize("for_", ["readers", "corpus"])
def test_everything_comes_back(site: Path, tmp_path: Path, for_: str) -> None:
    done = clean(site, tmp_path / "out", for_=for_, max_removed=1.0)
    assert done.accounting.is_balanced
    assert done.accounting.removed_chars > 0
    restore(tmp_path / "out" / lines.FILE_NAME, tmp_path / "back")
    before, after = tree(site), tree(tmp_path / "back")
    assert set(before) == set(after)
    for name, data in before.items():
        unpack = gzip.decompress if name.endswith(".gz") else bytes
        assert unpack(after[name]) == unpack(data), name


def test_the_cleaned_files_hold_the_article_once(site: Path, tmp_path: Path) -> None:
    clean(site, tmp_path / "out")
    out = tree(tmp_path / "out")
    assert out["a.txt"].decode() == f"The news of today\n\n{ARTICLE}\n"
    assert out["windows.txt"].decode("utf-16") == f"The news of today\n\n{ARTICLE}\n".replace("\n", "\r\n")
    assert out["deep/b.md"].decode() == f"# News\n\n{ARTICLE}\n\n- one\n- two\n"
    assert gzip.decompress(out["packed.html.gz"]) == out["page.html"]
    assert out["page.html"].decode().count("a foundry in the next valley cast a new one") == 1
    records = [json.loads(line) for line in out["records.jsonl"].splitlines()[:-1]]
    assert [record["text"].count(BAKER) for record in records] == [1, 0, 1]
    assert records[0]["n"] == 1.5
    assert b"1.5," not in out["records.jsonl"].splitlines()[0]
    assert out["table.csv"].decode().count(BAKER) == 1
    assert out["logo.png"] == (site / "logo.png").read_bytes()


def test_a_second_cleaning_takes_nothing(site: Path, tmp_path: Path) -> None:
    clean(site, tmp_path / "out", for_="corpus", max_removed=1.0)
    again = clean(tmp_path / "out", tmp_path / "again", for_="corpus", max_removed=1.0)
    assert not again.removals
    assert tree(tmp_path / "out") == tree(tmp_path / "again")


def test_a_parquet_table_comes_back_equal(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="LOUD: pyarrow is not installed, tables untested")
    import pyarrow.parquet as pq

    table = pa.table({"id": ["x", "y", "z"], "text": [TWICE, None, TWICE], "n": [1, 2, 3]})
    table = table.replace_schema_metadata({"k": "v"})
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "t.parquet", row_group_size=2)
    done = clean(tmp_path / "in", tmp_path / "out", for_="corpus")
    cleaned = pq.read_table(tmp_path / "out" / "t.parquet")
    assert cleaned.column("id").to_pylist() == ["x", "y"]
    assert cleaned.column("text").to_pylist()[0] == f"The news of today\n\n{ARTICLE}\n"
    assert done.accounting.dropped == 1
    restore(tmp_path / "out" / lines.FILE_NAME, tmp_path / "back")
    back = pq.read_table(tmp_path / "back" / "t.parquet")
    assert back.equals(table)
    assert back.schema.equals(table.schema, check_metadata=True)


def test_tables_come_back_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing tells that a table was restored already, so a restore that ends half way must leave all as they were."""
    pa = pytest.importorskip("pyarrow", reason="LOUD: pyarrow is not installed, tables untested")
    import pyarrow.parquet as pq

    import dedup.cleaning.restore as module

    (tmp_path / "in").mkdir()
    for name in "ab":
        pq.write_table(pa.table({"id": [name], "text": [f"{TWICE}\nPage {name}.\n"]}), tmp_path / "in" / f"{name}.parquet")
    clean(tmp_path / "in", tmp_path / "out")
    before, put_back, calls = tree(tmp_path / "out"), module.restore_table, []

    def failing(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise OutputError("the disk is full", "x")
        put_back(*arguments)  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        patch.setattr(module, "restore_table", failing)
        with pytest.raises(OutputError):
            restore(tmp_path / "out" / lines.FILE_NAME)
    assert tree(tmp_path / "out") == before
    assert restore(tmp_path / "out" / lines.FILE_NAME).cuts == 2


def test_in_place_and_back(site: Path) -> None:
    before = tree(site)
    clean(site, in_place=True)
    assert tree(site) != before
    assert not list(site.rglob(".*"))
    done = restore(site / lines.FILE_NAME)
    assert tree(site).keys() == before.keys()
    assert {name: data for name, data in tree(site).items() if not name.endswith(".gz")} == {
        name: data for name, data in before.items() if not name.endswith(".gz")}
    assert done.files == len(before)


def test_a_second_manifest_in_place_does_not_replace_the_first(site: Path) -> None:
    clean(site, in_place=True)
    first = (site / lines.FILE_NAME).read_bytes()
    second = clean(site, in_place=True, for_="corpus", max_removed=1.0)
    assert (site / lines.FILE_NAME).read_bytes() == first
    assert second.manifest is not None
    assert second.manifest.name == "dedup-manifest-2.jsonl"


def test_a_dry_run_writes_nothing(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(site)
    assert cli.main(["clean", str(site), "--dry-run", "--for", "corpus", "--max-removed", "100%", "--top", "1000"]) in (0, 3)
    out = capsys.readouterr().out
    assert tree(site) == before
    assert not list(tmp_path.glob("out*"))
    assert "--- a.txt" in out
    assert f"-{BAKER}" in out
    assert "nothing was written" in out
    assert "read " in out


# Where the output may go.


def test_the_output_is_never_the_input(site: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(site)
    for out in (site, site / "deep", site / "new", tmp_path / "link", tmp_path / "link" / "x"):
        with pytest.raises(OutputError, match="lies in what is cleaned"):
            clean(site, out)
    out = tmp_path / "out"
    out.mkdir()
    os.link(site / "a.txt", out / "a.txt")
    with pytest.raises(OutputError, match="would be written over"):
        clean(site, out)
    with pytest.raises(OutputError, match=r"lies in what is cleaned|would be written over"):
        clean(site / "a.txt", out / "a.txt")


def test_files_of_others_are_not_written_over(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.txt").write_text("somebody's")
    with pytest.raises(OutputError, match="was not written by dedup clean"):
        clean(site, out)
    assert (out / "a.txt").read_text() == "somebody's"


def test_what_somebody_edited_in_the_output_is_not_written_over(site: Path, tmp_path: Path) -> None:
    for name in ("a.txt", "logo.png"):  # one was cut, one copied
        out = tmp_path / f"out-{name}"
        clean(site, out)
        clean(site, out)
        (out / name).write_text("edited")
        with pytest.raises(OutputError, match="was changed since it was cleaned"):
            clean(site, out)
        assert (out / name).read_text() == "edited"


def test_restore_takes_no_other_file_s_place(site: Path, tmp_path: Path) -> None:
    clean(site, in_place=True, for_="corpus", max_removed=1.0)
    assert not (site / "copy.txt").exists()
    (site / "copy.txt").write_text("new work")
    with pytest.raises(InputError, match="exists and is another file"):
        restore(site / lines.FILE_NAME)
    assert (site / "copy.txt").read_text() == "new work"


def test_links_in_the_output_lead_nowhere(site: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "deep").symlink_to(elsewhere)
    with pytest.raises(OutputError, match="leads out of the output by a link"):
        clean(site, out)
    assert not list(elsewhere.iterdir())


def test_an_earlier_manifest_deletes_nothing_elsewhere(site: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    clean(site, out)
    (elsewhere / "x").mkdir(parents=True)
    (out / "deep").rename(elsewhere / "deep")
    (out / "deep").symlink_to(elsewhere / "deep")
    (site / "deep" / "b.md").unlink()
    clean(site, out)
    assert (elsewhere / "deep" / "b.md").exists()


def test_a_file_in_the_way_in_place_stays(site: Path) -> None:
    from dedup.cleaning.targets import waiting_place

    waiting_place(site / "a.txt").write_text("precious")
    with pytest.raises(OutputError, match="stands where the cleaned file would wait"):
        clean(site, in_place=True)
    assert waiting_place(site / "a.txt").read_text() == "precious"


def test_a_later_run_replaces_what_an_earlier_one_wrote(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    clean(site, out)
    assert (out / "copy.txt").exists()
    clean(site, out, for_="corpus", max_removed=1.0)
    assert not (out / "copy.txt").exists(), "it was dropped now, so it must not stand there any more"


@pytest.mark.parametrize(("name", "safe"), [
    ("../../x.txt", "x.txt"), ("/etc/passwd", "etc/passwd"), ("a\0b", "a_b"), ("con", "_con"), ("NUL.txt", "_NUL.txt"),
    ("", "_"), ("..", "_"), ("a\\..\\b", "a/b"), ("a:b", "a_b"), ("ü.html", "ü.html"), ("a/./b", "a/b"),
])
def test_names_of_files_are_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_long_names_keep_their_suffix() -> None:
    name = safe_name("x" * 300 + ".html")
    assert len(name.encode()) <= 200
    assert name.endswith(".html")


POSIX_NAMES = pytest.mark.skipif(os.name == "nt", reason="no names of this system")
UNHELD = ["a\\b.txt", "1:intro.txt", "caf\udce9.txt"]  # on POSIX they are names of files, the last one no UTF-8


@POSIX_NAMES
@pytest.mark.parametrize("name", UNHELD)
def test_what_a_manifest_cannot_name_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    """The cleaned file would take its source's place, and ``restore`` would refuse the manifest."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_text(TWICE)
    with pytest.raises(OutputError, match="a manifest cannot hold"):
        clean(tmp_path / "in", in_place=True)
    (tmp_path / "x.txt").write_text(TWICE)
    with pytest.raises(OutputError, match="a manifest cannot hold"):
        clean(tmp_path / "x.txt", tmp_path / name)
    assert {path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == {TWICE}
    clean(tmp_path / "in", tmp_path / "out")
    restore(tmp_path / "out" / lines.FILE_NAME, tmp_path / "back")
    assert [path.read_text() for path in (tmp_path / "back").iterdir()] == [TWICE]


@POSIX_NAMES
def test_folders_with_any_name_come_back(tmp_path: Path) -> None:
    folders = [tmp_path / name.removesuffix(".txt") for name in UNHELD]
    for folder in folders:
        folder.mkdir()
        (folder / "a.txt").write_text(TWICE)
    clean(folders, tmp_path / "out")
    restore(tmp_path / "out" / lines.FILE_NAME, tmp_path / "back")
    assert [path.read_text() for path in (tmp_path / "back").rglob("*.txt")] == 3 * [TWICE]


def test_names_as_long_as_a_system_allows_come_back(tmp_path: Path) -> None:
    name = "x" * 251 + ".txt"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_text(TWICE)
    clean(tmp_path / "in", tmp_path / "out")
    restore(tmp_path / "out" / lines.FILE_NAME, tmp_path / "back")
    clean(tmp_path / "in", in_place=True)
    restore(tmp_path / "in" / lines.FILE_NAME)
    assert [(tmp_path / folder / name).read_text() for folder in ("in", "back")] == [TWICE, TWICE]


def test_one_name_in_two_folders_is_two_files(tmp_path: Path) -> None:
    for folder in ("one/site", "two/site"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.txt").write_text(TWICE + folder)
    done = clean([tmp_path / "one/site", tmp_path / "two/site"], tmp_path / "out")
    assert sorted(tree(tmp_path / "out")) == ["site/a.txt", "site~2/a.txt"]
    assert done.accounting.read == 2


# Bad input.


def test_a_file_that_changes_meanwhile_stops_it(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dedup.cleaning.run as run

    plan = run.plan_in_rounds

    def slow(*arguments: object) -> object:
        (site / "a.txt").write_text("changed")
        return plan(*arguments)
    monkeypatch.setattr(run, "plan_in_rounds", slow)
    with pytest.raises(OutputError, match=r"a\.txt: was changed while it was scanned"):
        clean(site, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def cleaned(tmp_path: Path, site: Path) -> Path:
    clean(site, tmp_path / "out", for_="corpus", max_removed=1.0)
    return tmp_path / "out" / lines.FILE_NAME


def test_restore_refuses_a_file_that_changed(site: Path, tmp_path: Path) -> None:
    manifest = cleaned(tmp_path, site)
    (tmp_path / "out" / "a.txt").write_text("somebody edited it")
    with pytest.raises(InputError, match=r"a\.txt: was changed since it was cleaned"):
        restore(manifest, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_restore_refuses_every_damage(site: Path, tmp_path: Path) -> None:
    manifest = cleaned(tmp_path, site)
    good = manifest.read_bytes()
    rng = random.Random(0)
    for _ in range(60):
        at = rng.randrange(len(good))
        bad = bytearray(good)
        bad[at] ^= 1 << rng.randrange(8)
        manifest.write_bytes(bytes(bad))
        with pytest.raises(InputError):
            Manifest(manifest)
    figures = good.rfind(b'"accounting"')
    for at in range(figures, figures + 60):  # the last line, too
        manifest.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        with pytest.raises(InputError):
            Manifest(manifest)
    for size in (0, 1, len(good) // 2, good.rstrip().rfind(b"\n") + 1, len(good) - 1):
        manifest.write_bytes(good[:size])
        with pytest.raises(InputError):
            Manifest(manifest)


def signed(text: list[dict[str, object]]) -> bytes:
    """Lines of a manifest with a right digest at the end."""
    body = b"".join(json.dumps(line).encode() + b"\n" for line in text[:-1])
    last = text[-1]
    end = lines.End(last["files"], last["removals"], last["accounting"])  # type: ignore[arg-type]
    return body + lines.encode(end.signed(hashlib.sha256(body).digest()))


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "a/../../evil", "C:evil", "a\\..\\evil", "x\0y", ""])
def test_a_hostile_manifest_leads_nowhere(tmp_path: Path, name: str) -> None:
    zero = "0" * 64
    head = {"kind": "manifest", "format": lines.FORMAT, "version": "1", "in_place": False, "options": {}, "choices": {},
            "input_digest": ""}
    text = [head, {"kind": "begin", "name": name, "source": "x", "form": "text"},
            {"kind": "file", "state": "dropped", "input": hashlib.sha256(b"evil").hexdigest(), "output": "",
             "content": lines.packed(b"evil")},
            {"kind": "end", "files": 1, "removals": 0, "accounting": {}, "digest": zero}]
    (tmp_path / "m.jsonl").write_bytes(signed(text))
    with pytest.raises(InputError, match="outside its folder"):
        restore(tmp_path / "m.jsonl", tmp_path / "back")
    text[1]["name"] = "fine.txt"
    (tmp_path / "m.jsonl").write_bytes(signed(text))
    restore(tmp_path / "m.jsonl", tmp_path / "back")
    assert (tmp_path / "back" / "fine.txt").read_bytes() == b"evil"


def test_a_link_out_of_the_folder_is_not_followed(site: Path, tmp_path: Path) -> None:
    manifest = cleaned(tmp_path, site)
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "deep").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads out of its folder by a link"):
        restore(manifest, tmp_path / "back")


def test_a_newer_manifest_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"kind":"manifest","format":"dedup-manifest/2"}\n')
    with pytest.raises(InputError, match="Use a newer dedup"):
        restore(tmp_path / "m.jsonl")
    (tmp_path / "m.jsonl").write_text("anything\n")
    with pytest.raises(InputError, match="is no manifest of dedup clean"):
        restore(tmp_path / "m.jsonl")


def test_a_manifest_is_no_page(site: Path, tmp_path: Path) -> None:
    manifest = cleaned(tmp_path, site)
    skipped = {entry.reason for entry in dedup.scan(manifest.parent).skipped}
    assert "manifest of dedup clean" in skipped


def test_the_manifest_of_an_earlier_cleaning_stays_and_both_steps_can_be_undone(site: Path, tmp_path: Path) -> None:
    before = tree(site)
    first = cleaned(tmp_path, site)
    second = clean(first.parent, tmp_path / "second", for_="corpus", max_removed=1.0)
    assert second.manifest is not None
    assert [path.name for path in (tmp_path / "second").rglob("*manifest*")] == [lines.FILE_NAME]
    assert second.accounting.skipped["manifest of dedup clean"] == 1
    assert second.accounting.is_balanced
    restore(second.manifest, tmp_path / "back")
    assert tree(tmp_path / "back") == tree(first.parent)
    restore(first, tmp_path / "start", cleaned=tmp_path / "back")
    assert {name: data for name, data in tree(tmp_path / "start").items() if not name.endswith(".gz")} == {
        name: data for name, data in before.items() if not name.endswith(".gz")}


def test_the_manifest_of_an_earlier_cleaning_is_not_written_over(site: Path, tmp_path: Path) -> None:
    first = cleaned(tmp_path, site)
    data = first.read_bytes()
    with pytest.raises(OutputError, match="is read and would be written over"):
        clean(first.parent, tmp_path / "second", manifest=first)
    assert first.read_bytes() == data


@pytest.mark.parametrize("n", range(1, 14))
def test_a_full_disk_leaves_no_temporary_files_and_a_retry_works(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                 n: int) -> None:
    """The n-th call of fsync or rename fails."""
    count = 0
    fsync, replace = os.fsync, os.replace

    def failing(call: object) -> object:
        def fail(*arguments: object) -> object:
            nonlocal count
            count += 1
            if count == n:
                raise OSError(28, "No space left on device")
            return call(*arguments)  # type: ignore[operator]
        return fail
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(fsync))
        patch.setattr(os, "replace", failing(replace))
        with contextlib.suppress(OutputError):  # a folder that cannot be synced is no error
            clean(site, tmp_path / "out")
    assert count >= n
    assert not list((tmp_path / "out").rglob("*.tmp"))
    clean(site, tmp_path / "out")
    restore(tmp_path / "out" / lines.FILE_NAME, tmp_path / "back")
    assert set(tree(tmp_path / "back")) == set(tree(site))


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("earlier", ["", "a.txt"])
def test_a_disk_that_is_full_from_the_start_leaves_no_half_of_a_mark(site: Path, tmp_path: Path, in_place: bool,
                                                                     earlier: str) -> None:
    """Half of one would stay for ever; one of an earlier run says which files are ours."""
    resource = pytest.importorskip("resource")
    mark = (site if in_place else tmp_path / "out") / MARK
    if earlier:
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(earlier)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, limits[1]))
    try:
        with pytest.raises(OutputError, match="Nothing was written"):
            clean(site, None if in_place else tmp_path / "out", in_place=in_place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (mark.read_text() if mark.exists() else "") == earlier
    assert not list(tmp_path.rglob("*.tmp"))


def killed(site: Path, out: Path, seconds: float, *more: str) -> None:
    code = "import sys; from dedup.cli import main; sys.exit(main())"
    process = subprocess.Popen([sys.executable, "-c", code, "clean", str(site), *more], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, cwd=out.parent)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


POINTS = [0.3, 0.5, 0.7, 0.9, 1.1]


@pytest.mark.slow
@pytest.mark.parametrize("point", [*POINTS, *(pytest.param(0.2 + 0.05 * i, marks=pytest.mark.soak) for i in range(45))])
def test_a_kill_leaves_old_or_new_files_and_the_next_run_finishes(site: Path, tmp_path: Path, point: float) -> None:
    before, out = tree(site), tmp_path / "out"
    clean(site, tmp_path / "whole")
    after = tree(tmp_path / "whole")
    killed(site, out, point, "-o", str(out))
    assert tree(site) == before
    for name, data in (tree(out) if out.exists() else {}).items():
        assert Path(name).name.startswith(".") or data == after[name], name
    clean(site, out)
    assert {name: data for name, data in tree(out).items() if not Path(name).name.startswith(".")} == after


@pytest.mark.slow
@pytest.mark.parametrize("point", [*POINTS, *(pytest.param(0.2 + 0.05 * i, marks=pytest.mark.soak) for i in range(45))])
def test_a_kill_in_place_leaves_old_or_new_files_and_all_can_come_back(site: Path, tmp_path: Path, point: float) -> None:
    before = tree(site)
    clean(site, tmp_path / "whole")
    after = tree(tmp_path / "whole")
    killed(site, tmp_path / "x", point, "--in-place", "--yes")
    for name, data in tree(site).items():
        assert Path(name).name.startswith(".") or data in (before[name], after[name]), name
    manifests = sorted(site.glob("dedup-manifest*.jsonl"))
    clean(site, in_place=True)
    for manifest in [*sorted(set(site.glob("dedup-manifest*.jsonl")) - set(manifests)), *manifests]:
        restore(manifest)
    back = {name: data for name, data in tree(site).items() if not Path(name).name.startswith(".")}
    assert {name for name, data in back.items() if data != before[name] and not name.endswith(".gz")} == set()


@pytest.mark.slow
@pytest.mark.parametrize("point", [*POINTS, *(pytest.param(0.2 + 0.1 * i, marks=pytest.mark.soak) for i in range(10))])
def test_a_kill_while_an_archive_is_cleaned(tmp_path: Path, point: float) -> None:
    """An archive becomes another file, so neither its size nor its name tells whether that one is whole."""
    pytest.importorskip("fastwarc", reason="LOUD: fastwarc is not installed, web archives untested")
    from tests.unit.test_clean_records import warc

    body = "".join(f"<p>{text}</p>" for text in (*ARTICLE.split("\n\n"), *ARTICLE.split("\n\n"))).encode()
    pages = [("response", f"https://{i}.org/", b"<title>Page %d</title>" % i + body) for i in range(300)]
    (tmp_path / "in").mkdir()
    for name in ("one", "two"):
        (tmp_path / "in" / f"{name}.warc.gz").write_bytes(gzip.compress(warc(pages), mtime=0))
    before, out = tree(tmp_path / "in"), tmp_path / "out"
    whole = clean(tmp_path / "in", tmp_path / "whole", max_removed=1.0)
    assert whole.accounting.cut == 600
    after = tree(tmp_path / "whole")
    assert set(after) == {"one.warc.jsonl.gz", "two.warc.jsonl.gz"}
    killed(tmp_path / "in", out, point, "-o", str(out), "--max-removed", "100%")
    assert tree(tmp_path / "in") == before
    for name, data in (tree(out) if out.exists() else {}).items():
        assert Path(name).name.startswith(".") or data == after[name], name
    clean(tmp_path / "in", out, max_removed=1.0)
    assert {name: data for name, data in tree(out).items() if not Path(name).name.startswith(".")} == after
    restore(out / lines.FILE_NAME, tmp_path / "back")
    assert [len(gzip.decompress(data).splitlines()) for data in tree(tmp_path / "back").values()] == [300, 300]


# The command line.


def test_the_commands_say_what_they_did(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert cli.main(["clean", str(site / "a.txt"), "-o", str(out)]) == 0
    text = capsys.readouterr().out
    assert "read 1 = kept 0 + cut 1 + dropped 0 + skipped 0" in text
    assert "manifest: " in text
    assert cli.main(["explain", str(out / lines.FILE_NAME), "a.txt:11"]) == 0
    text = capsys.readouterr().out
    assert "second rendering" in text
    assert "stays: the same words" in text
    assert BAKER in text
    assert cli.main(["explain", str(out / lines.FILE_NAME), "a.txt:1"]) == 2
    assert "nothing was removed from line 1 of a.txt" in capsys.readouterr().err
    assert cli.main(["restore", str(out / lines.FILE_NAME)]) == 0
    assert "restored 1 file; " in capsys.readouterr().out  # and not "0 of them unchanged"
    assert (out / "a.txt").read_text() == TWICE


def test_of_many_pages_with_removals_ten_are_named_and_the_others_counted(tmp_path: Path,
                                                                          capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site").mkdir()
    for n in range(13):
        (tmp_path / "site" / f"{n:02}.txt").write_text(TWICE)
    assert cli.main(["clean", str(tmp_path / "site"), "-o", str(tmp_path / "out"), "--max-removed", "100%"]) == 0
    assert cli.main(["explain", str(tmp_path / "out" / lines.FILE_NAME), "nowhere"]) == 2
    assert ", 08.txt, 09.txt and 3 more.\n" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "answer"), [
    ([], "nothing to clean"), (["x"], "-o is needed. Say where"), (["x", "--in-place"], "Say --yes too"),
    (["x", "--in-place", "--yes", "-o", "y"], "cannot be used with -o"), (["nowhere", "-o", "y"], "no such file or folder"),
    (["-", "-o", "y"], "standard input cannot be cleaned"), (["x", "-o", "y", "--max-removed", "lots"], "'lots' is not"),
    (["x", "-o", "y", "--verdicts", "teaser,twice"], "'twice' is no verdict"),
    (["x", "-o", "y", "--for", "me"], "--for: 'me'"),
])
def test_wrong_usage_is_answered_in_one_line(arguments: list[str], answer: str, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    assert cli.main(["clean", *arguments]) == 2
    error = capsys.readouterr().err
    assert answer in error
    assert error.count("\n") == 1


def test_the_guard_ends_with_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    for i in range(12):
        (tmp_path / "in" / f"{i}.txt").write_text(f"Page {i} of a dozen.\n\n{ARTICLE}\n")
    assert cli.main(["clean", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--for", "corpus"]) == 1
    assert "of the text would be removed, more than 50%" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_reader_of_the_news_page_sees_the_article_once(tmp_path: Path) -> None:
    for name in ("news.html", "news.txt", "news.md"):
        clean(ROOT / "examples" / name, tmp_path / "out" / name)
        text = next(iter(dedup.open_pages(tmp_path / "out" / name))).text
        assert text.count("bent its turning gear") == text.count("Thumbnail") == 1, name
        assert text.count("Engineers had to rebuild the pivot") == 1, name


def test_a_run_that_is_stopped_leaves_whole_files_and_its_mark_and_the_next_one_continues(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    passage = "The same ten words or so stand on this page twice over."
    for n in range(5):
        (source / f"{n}.txt").write_text(f"{passage} {n}\n\nSomething of its own: {n}.\n\n{passage} {n}\n")
    cleaned = clean(source, tmp_path / "whole")
    written = run.ready

    def stopped(output: Output, target: Target) -> Path:
        if target.path.name == "3.txt":
            raise KeyboardInterrupt
        return written(output, target)
    with monkeypatch.context() as patch:
        patch.setattr(run, "ready", stopped)
        with pytest.raises(KeyboardInterrupt):
            clean(source, out)
    assert sorted(path.name for path in out.iterdir()) == [".dedup-clean-unfinished", "0.txt", "1.txt", "2.txt"]
    assert all(path.read_bytes() == (tmp_path / "whole" / path.name).read_bytes() for path in out.glob("*.txt"))
    assert clean(source, out).accounting == cleaned.accounting
    assert sorted(path.name for path in out.iterdir()) == [*(f"{n}.txt" for n in range(5)), "dedup-manifest.jsonl"]


def test_where_no_page_can_be_read_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "rows.jsonl", tmp_path / "out"
    source.write_text('{"id": "a", "body_text": "one"}\n' * 2)
    assert cli.main(["clean", str(source), "-o", str(out)]) == 2
    assert not out.exists()
    assert "nothing was written: no page could be read" in capsys.readouterr().out
    assert cli.main(["clean", str(source), "-o", str(out), "--text-field", "body_text"]) == 0
    assert (out / lines.FILE_NAME).exists()
