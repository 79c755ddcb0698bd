"""A scan that was killed goes on from the stages that it had finished, and says the same."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dedup
from dedup import checkpoint, pipeline
from dedup.checkpoint import Checkpoint, checkpoint_in
from dedup.errors import OptionError
from dedup.stages import Stages

STAGES = ["exact-runs", "near-blocks", "join", "seeds", "edited-passages", "groups"]


def pages(count: int = 60, seed: int = 4) -> list[dict[str, str]]:
    """Pages of words; some have a passage of an earlier one, as it is or with a few other words."""
    words = np.array([f"word{n}" for n in range(3000)])
    draw = np.random.default_rng(seed)
    texts = [" ".join(words[draw.zipf(1.2, 200) % 3000]) for _ in range(count)]
    for n in range(0, count, 3):
        old = texts[n // 2].split()[20:90]
        texts[n] += "\n\n" + " ".join(old)
        texts[n + 1] += "\n\n" + " ".join(word if i % 9 else "another" for i, word in enumerate(old))
    return [{"id": str(n), "text": text} for n, text in enumerate(texts)]


def refused(*_: object) -> None:
    raise AssertionError("it was done again")


def kept(folder: Path) -> list[str]:
    return sorted(path.stem.removeprefix("dedup-") for path in folder.glob("*.stage"))


def killed_after(folder: Path, stage: str, monkeypatch: pytest.MonkeyPatch, source: Path | None = None,
                 **settings: object) -> None:
    """A scan that ends when a stage was kept."""
    keep = Checkpoint.keep

    def then_end(self: Checkpoint, name: str, value: object) -> None:
        keep(self, name, value)
        if name == stage:
            raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "keep", then_end)
        with pytest.raises(KeyboardInterrupt):
            dedup.scan(source or pages(), checkpoint=folder, **settings)


@pytest.mark.parametrize("settings", [{}, {"find": "exact"}, {"find": "reworded"}, {"unit": "page"}, {"scope": "within"},
                                      {"stem": "english"}, {"noise": "ocr"}])
def test_a_scan_that_goes_on_after_any_stage_says_the_same(settings: dict[str, object], tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    if "stem" in settings:
        pytest.importorskip("Stemmer")
    plain = dedup.scan(pages(), pairs=True, **settings).to_json()
    stages: list[str] = []
    keep = Checkpoint.keep
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "keep", lambda self, name, value: (stages.append(name), keep(self, name, value))[1])
        assert dedup.scan(pages(), pairs=True, checkpoint=tmp_path, **settings).to_json() == plain
    assert list(tmp_path.iterdir()) == []  # it has ended
    assert stages[-1] == "groups"
    for stage in stages:
        killed_after(tmp_path, stage, monkeypatch, pairs=True, **settings)
        assert stage.replace(" ", "-") in kept(tmp_path)
        assert dedup.scan(pages(), pairs=True, checkpoint=tmp_path, **settings).to_json() == plain
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", [None, "text"])
def test_a_checkpoint_may_lie_in_what_is_scanned(form: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                 caplog: pytest.LogCaptureFixture) -> None:
    for page in pages():
        (tmp_path / page["id"]).write_text(page["text"])
    plain = dedup.scan(tmp_path, input_format=form).to_json()
    killed_after(tmp_path / "kept", "seeds", monkeypatch, tmp_path, input_format=form)
    (tmp_path / "kept" / "dedup-groups.part").write_bytes(b"half of it")
    assert dedup.scan(tmp_path, input_format=form, checkpoint=tmp_path / "kept").to_json() == plain
    assert caplog.messages == []


def test_what_was_kept_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_after(tmp_path, "edited passages", monkeypatch)
    assert kept(tmp_path) == sorted(STAGES[:-1])
    for name in ("find_repeats", "near_pairs", "join_runs", "with_aligned"):
        monkeypatch.setattr(pipeline, name, refused)
    assert dedup.scan(pages(), checkpoint=tmp_path).groups


def test_seeds_that_were_kept_are_not_looked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = dedup.scan(pages()).to_json()
    killed_after(tmp_path, "seeds", monkeypatch)
    monkeypatch.setattr("dedup.align.find_anchors", refused)
    assert dedup.scan(pages(), checkpoint=tmp_path).to_json() == plain


@pytest.mark.parametrize(("more", "says"), [
    ({"source": 1}, "of another input"), ({"min_tokens": 9}, "of other settings (min_tokens)"),
    ({"version": 1}, "of another version of dedup"), ({"threads": 1}, ""), ({"memory": "256M"}, "")])
def test_what_belongs_to_another_scan_is_done_again(
        more: dict[str, object], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture) -> None:
    killed_after(tmp_path, "groups", monkeypatch)
    if more.pop("version", None):
        monkeypatch.setattr(dedup, "__version__", "0.0")
    source = pages()[1:] if more.pop("source", None) else pages()
    plain = dedup.scan(source, **more).to_json()
    caplog.clear()
    assert dedup.scan(source, checkpoint=tmp_path, **more).to_json() == plain
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert all(says in line and "it is done again" in line for line in told)
    assert bool(told) == bool(says)
    assert list(tmp_path.iterdir()) == []


def damages(data: bytes) -> dict[str, bytes]:
    line = data.index(b"\n")
    head = json.loads(data[:line])
    flipped = bytearray(data)
    flipped[line + 5] ^= 1
    other = json.dumps(head | {"format": 99}).encode() + data[line:]
    huge = data[:line].replace(b'"count": ', b'"count": 99999999') + data[line:]
    strange = data[:line].replace(b'"is": "', b'"is": "os') + data[line:]
    return {"empty": b"", "cut": data[:-40], "head": data[:line // 2], "no line": data.replace(b"\n", b" "),
            "bit": bytes(flipped), "longer": data + b"x", "format": other, "huge": huge, "strange": strange,
            "no json": b"[]\n" + data}


@pytest.mark.parametrize("damage", ["empty", "cut", "head", "no line", "bit", "longer", "format", "huge", "strange",
                                    "no json"])
@pytest.mark.parametrize("stage", ["exact-runs", "groups"])
def test_a_damaged_file_is_noticed_and_the_stage_done_again(damage: str, stage: str, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch,
                                                            caplog: pytest.LogCaptureFixture) -> None:
    plain = dedup.scan(pages()).to_json()
    killed_after(tmp_path, "groups", monkeypatch)
    file = tmp_path / f"dedup-{stage}.stage"
    file.write_bytes(damages(file.read_bytes())[damage])
    caplog.clear()
    assert dedup.scan(pages(), checkpoint=tmp_path).to_json() == plain
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "done again" in told[0]
    assert stage.replace("-", " ") in told[0]


def test_a_full_disk_costs_only_what_would_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                   caplog: pytest.LogCaptureFixture) -> None:
    plain = dedup.scan(pages()).to_json()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    assert dedup.scan(pages(), checkpoint=tmp_path).to_json() == plain
    told = [record.getMessage() for record in caplog.records]
    assert any("exact runs cannot be kept" in line and "No space left on device" in line and "the scan goes on" in line
               for line in told)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_really_full(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", disk], capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        assert dedup.scan(pages(), checkpoint=disk).to_json() == dedup.scan(pages()).to_json()
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)
    assert any("cannot be kept" in record.getMessage() for record in caplog.records)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="cannot be written to"):
        dedup.scan(pages(), checkpoint=tmp_path / "file" / "folder")


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks there")
def test_two_scans_do_not_share_a_folder(tmp_path: Path) -> None:
    with checkpoint_in(str(tmp_path), Stages()), pytest.raises(OptionError, match="another scan uses"):
        dedup.scan(pages(), checkpoint=tmp_path)
    assert dedup.scan(pages(), checkpoint=tmp_path).groups


def test_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.stage").write_text("mine")
    dedup.scan(pages(), checkpoint=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.stage"]


def test_clean_and_compare_refuse_it(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="compare keeps no finished stages"):
        dedup.compare("some words", "other words", checkpoint=tmp_path)
    with pytest.raises(OptionError, match="clean keeps no finished stages"):
        dedup.clean(["some words"], checkpoint=tmp_path)


KILLED = """
import os, pathlib, signal, sys
import dedup
from dedup import checkpoint
keep, write = checkpoint.Checkpoint.keep, checkpoint._write
if sys.argv[4] == "written":  # while a file is being written
    def half(path, head, value):
        write(path, head, value)
        if path.name == f"dedup-{sys.argv[3]}.part":
            path.write_bytes(path.read_bytes()[:-100])
            os.kill(os.getpid(), signal.SIGKILL)
    checkpoint._write = half
else:
    def kept(self, name, value):
        keep(self, name, value)
        if name.replace(" ", "-") == sys.argv[3]:
            os.kill(os.getpid(), signal.SIGKILL)
    checkpoint.Checkpoint.keep = kept
dedup.scan(pathlib.Path(sys.argv[1]), checkpoint=sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
@pytest.mark.parametrize(("stage", "when"), [("exact-runs", "kept"), ("near-blocks", "written"), ("seeds", "kept"),
                                             ("edited-passages", "written"), ("groups", "kept")])
def test_a_killed_command_goes_on(stage: str, when: str, tmp_path: Path) -> None:
    source, folder = tmp_path / "pages.jsonl", tmp_path / "kept"
    source.write_text("".join(json.dumps(page) + "\n" for page in pages()))
    done = subprocess.run([sys.executable, "-c", KILLED, source, folder, stage, when], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (stage in kept(folder)) == (when == "kept")
    command = [sys.executable, "-m", "dedup", "scan", str(source), "--format", "json", "--quiet"]
    plain = subprocess.run(command, capture_output=True, check=False)
    again = subprocess.run([*command, "--checkpoint", str(folder)], capture_output=True, check=False)
    assert plain.stdout
    assert (again.returncode, again.stdout) == (plain.returncode, plain.stdout)
    assert list(folder.iterdir()) == []


def test_columns_come_back_as_they_were(tmp_path: Path) -> None:
    value = (np.arange(5), np.array([True, False]), np.empty(0, np.uint8), None, 7, np.array([0.5, np.nan]))
    head = {"of": {}, "unplaced": 3}
    checkpoint._write(tmp_path / "file", head, value)
    found, again = checkpoint._read(tmp_path / "file", lambda head: None)
    assert found["unplaced"] == 3
    for mine, theirs in zip(value, again, strict=True):
        np.testing.assert_array_equal(mine, theirs)
        assert getattr(mine, "dtype", None) == getattr(theirs, "dtype", None)
