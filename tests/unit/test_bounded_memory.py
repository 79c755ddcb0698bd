"""Bounded memory: the same report, and clear words where there is no room."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dedup
from dedup import blocks, cli, filed, memory
from dedup.blocks import TextBuffer
from dedup.errors import OptionError, OutputError
from dedup.kernel import kernel
from dedup.memory import bounded_memory
from dedup.options import memory_bytes

native = pytest.mark.skipif(kernel.name != "native" or sys.platform != "linux",
                            reason="only the kernel on Linux bounds memory")


def pages(count: int) -> list[dict[str, str]]:
    """Pages of words, every fourth one with a passage of an earlier page."""
    words = np.array([f"word{n}" for n in range(4000)])
    draw = np.random.default_rng(4)
    texts = [" ".join(words[draw.zipf(1.3, 400) % 4000]) for _ in range(count)]
    return [{"id": str(n), "text": text + "\n\n" + texts[n // 2][:600] * (n % 4 == 0)} for n, text in enumerate(texts)]


@pytest.mark.parametrize(("text", "size"), [
    ("512M", 512 << 20), ("2G", 2 << 30), ("1.5 GiB", 3 << 29), ("256mb", 256 << 20), ("200000000", 200_000_000)])
def test_sizes(text: str, size: int) -> None:
    assert memory_bytes(text) == size


@pytest.mark.parametrize(("text", "says"), [("much", "is not a size"), ("-2G", "is not a size"), ("64M", "The least is 128M"),
                                            ("3", "The least is 128M")])
def test_sizes_that_are_none(text: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        dedup.scan(["some text"], memory=text)


@native
def test_blocks_go_to_the_file_and_are_the_same(tmp_path: Path) -> None:
    before = kernel.array_memory(None)
    try:
        with bounded_memory("128M", str(tmp_path)):
            columns = [np.full(1 << 20, n, np.int64) for n in range(12)]
            assert kernel.memory_figures()[1] >= 10 << 23  # some had room where others had been before
            assert all((column == n).all() for n, column in enumerate(columns))
        assert list(tmp_path.iterdir()) == []
        assert all((column == n).all() for n, column in enumerate(columns))  # longer than the limit
        del columns
        assert kernel.memory_figures()[1] == 0
    finally:
        kernel.array_memory(before)


@native
def test_what_was_given_back_is_used_again(tmp_path: Path) -> None:
    before = kernel.array_memory(None)
    try:
        with bounded_memory("128M", str(tmp_path)):
            for _ in range(40):
                np.full(1 << 21, 7, np.int64)
                kernel.release_memory()
            assert kernel.memory_figures()[2] <= 3 << 24
    finally:
        kernel.array_memory(before)


@native
@pytest.mark.parametrize("expected", [0, 1000, 1 << 22])
def test_texts_lie_in_the_file_and_stay_as_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, expected: int) -> None:
    monkeypatch.setattr(blocks, "FIRST_TEXT", 64)
    monkeypatch.setattr(filed, "LEAST_IN_FILE", 100)
    pieces = [bytes([65 + n % 26]) * (n * 37 % 3000) for n in range(200)]
    with bounded_memory(None, str(tmp_path)):
        buffer, taken = TextBuffer(lambda: expected), []
        for piece in pieces:
            start = buffer.size
            buffer.add(piece)
            taken.append(buffer.since(start))
        assert kernel.memory_figures()[1] == 0  # it is no block that had no room
        with pytest.raises(ValueError, match="no place in the room"):
            kernel.put(taken[-1], 1, taken[-1])
    assert [bytes(part) for part in taken] == pieces  # the file is there as long as a text is
    assert bytes(buffer.since(0)) == b"".join(pieces)
    assert len(kernel.room_in_file(100)) == 0


@native
def test_texts_of_a_scan_take_no_memory_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "pages.jsonl"
    with file.open("w") as out:
        for n in range(30_000):
            out.write(f'{{"id": "{n}", "text": "{" ".join(f"w{n * 7919 % 100_003 + k * k}" for k in range(200))}"}}\n')
    done = subprocess.run([sys.executable, "-c", PEAK, file], capture_output=True, text=True, check=True)
    before, peak = map(int, done.stdout.split())
    assert peak - before < file.stat().st_size  # with texts it was twice that


PEAK = """
import pathlib, sys, dedup
from dedup.profile import private_bytes
before, profile = private_bytes(), dedup.Profile()
dedup.scan(pathlib.Path(sys.argv[1]), unit="page", progress=profile)
print(before, max(stage.peak_memory for stage in profile.stages))
"""


@native
def test_a_bounded_scan_gives_the_same_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    texts = pages(300)
    plain = dedup.scan(texts, pairs=True).to_json()
    seen = []
    unlimit = kernel.unlimit_memory

    def noted() -> None:
        seen.append(kernel.memory_figures()[2])
        unlimit()
    monkeypatch.setattr(kernel, "unlimit_memory", noted)
    assert dedup.scan(texts, pairs=True, memory="128M", temp_dir=tmp_path).to_json() == plain
    assert seen[0] > 1_000_000  # bytes that lay on disk
    assert list(tmp_path.iterdir()) == []


@native
def test_a_full_disk_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(memory, "MOST_ROOM", 1 << 20)
    with pytest.raises(OutputError, match=r"full: .* more than the 1 MB .* folder with temp_dir, or allow .* with memory"):
        dedup.scan(pages(300), memory="128M", temp_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "pages.jsonl"
    file.write_text("".join(json.dumps(page) + "\n" for page in pages(300)))
    assert cli.main(["scan", str(file), "--memory", "128M", "--temp-dir", str(tmp_path)]) == 2
    assert "Name another folder with --temp-dir, or allow more with --memory." in capsys.readouterr().err
    assert len(dedup.scan(pages(40)).groups)  # the next scan finds all as it was


@native
@pytest.mark.parametrize("what", ["columns", "texts"])
def test_a_disk_that_is_really_full(tmp_path: Path, what: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        (disk / "other").write_bytes(bytes(2_000_000))
        done = subprocess.run([sys.executable, "-c", FILL, disk, what], capture_output=True, text=True, check=False)
        assert "the disk is full" in done.stderr, done.stderr
        assert os.listdir(disk) == ["other"]
    finally:
        subprocess.run(["umount", disk], check=True)


FILL = """
import sys, shutil, numpy, dedup
from dedup.blocks import TextBuffer
from dedup.kernel import kernel
from dedup.memory import bounded_memory
free = shutil.disk_usage
shutil.disk_usage = lambda place: free(place)._replace(free=1 << 30)  # somebody else fills it later
kernel.array_memory(None)
with bounded_memory("128M", sys.argv[1]):
    if sys.argv[2] == "columns":
        rows = [numpy.full(1 << 17, n) for n in range(64)]
    else:
        texts = TextBuffer(lambda: 1 << 26)
        for n in range(64):
            texts.add(bytes(1 << 20))
"""


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"temp_dir.*nowhere cannot be written to"):
        dedup.scan(["some text"], temp_dir=tmp_path / "nowhere")


def test_without_a_place_for_the_file_a_scan_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "_default_folder", lambda: str(tmp_path / "nowhere"))
    assert dedup.scan(["some text"]).summary.pages == 1


@native
def test_what_is_too_much_leaves_memory_and_stays_in_the_file(tmp_path: Path) -> None:
    """In a process of its own: what is in memory is looked at by the process."""
    done = subprocess.run([sys.executable, "-c", TOO_MUCH, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 256 << 20


TOO_MUCH = """
import os, sys, numpy
from dedup.kernel import kernel
from dedup.memory import bounded_memory
kernel.array_memory(None)
most = 0
with bounded_memory("256M", sys.argv[1]):
    columns = []
    for n in range(20):
        columns.append(numpy.full(1 << 22, n))
        kernel.relieve_memory()
        most = max(most, int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    assert all((column == n).all() for n, column in enumerate(columns))
print(most)
"""


@native
def test_columns_of_what_was_found_lie_in_the_file_of_a_large_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(filed, "LEAST_IN_FILE", 100)
    monkeypatch.setattr(filed, "LEAST_OF_MANY", 16)
    column, repeated = np.arange(50), np.broadcast_to(np.int64(7), 50)
    with bounded_memory(None, str(tmp_path)):
        large = filed.of_large(column, 100)
        written = filed.column_of_large(50, np.int64, 100)
        written.write(20, column[20:])
        written.write(0, column[:20])
        assert written.in_file
        assert not filed.column_of_large(50, np.int64, 99).in_file
        assert not filed.column_of_large(1, np.int64, 100).in_file  # it is short
    assert large is not column
    assert np.array_equal(large, column)
    assert np.array_equal(written.values, column)
    assert filed.of_large(repeated, 100) is repeated  # it takes no memory
    assert filed.of_large(column[:1], 100).base is column  # it is short
    assert filed.of_large(column, 99) is column


RESIDENT = """
import pathlib, sys, dedup
from dedup.kernel import kernel
if sys.argv[3] == "off":  # nothing is taken out of memory
    kernel.limit_memory = lambda resident, *rest, limit=kernel.limit_memory: limit(1 << 40, *rest)
rss = lambda: int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096
before = rss()
report = dedup.scan(pathlib.Path(sys.argv[1]), memory=sys.argv[2])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(before, int(peak.split()[1]) * 1024, len(report.groups))
"""


@pytest.mark.slow
@native
def test_what_is_in_memory_stays_within_the_limit(tmp_path: Path) -> None:
    """Pages of the file go out of memory whatever a loop does: unlike without that, which needs twice as much."""
    file = tmp_path / "pages.jsonl"
    with file.open("w") as out:
        for page in many_pages(60_000):
            out.write(json.dumps(page) + "\n")
    peak = {}
    for eviction in ("on", "off"):
        command = [sys.executable, "-c", RESIDENT, file, "128M", eviction]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        before, peak[eviction], groups = map(int, done.stdout.split())
        assert groups > 1000
        peak[eviction] -= before
    assert peak["on"] < 192 << 20 < peak["off"]  # other processes may keep those that look from looking in time


def many_pages(count: int) -> list[dict[str, str]]:
    """Pages of some 1,000 bytes; each fourth one has a passage of an earlier one, with a word that is another."""
    words = np.array([f"word{n}" for n in range(40_000)])
    draw = np.random.default_rng(4)
    texts: list[str] = []
    for n in range(count):
        own = words[draw.zipf(1.1, 130) % len(words)].tolist()
        if n % 4 == 0 and n:
            old = texts[draw.integers(n)].split()[:40]
            old[20] = "another"
            own += ["\n\n", *old]
        texts.append(" ".join(own))
    return [{"id": str(n), "text": text} for n, text in enumerate(texts)]


def test_parts_that_come_in_any_order_follow_each_other():
    rng = np.random.default_rng(7)
    parts = [rng.integers(0, 9, n).astype(np.int64) for n in (3, 0, 5, 1, 0, 4)]
    for order in (range(6), reversed(range(6)), rng.permutation(6).tolist()):
        column = filed.Filed(13, np.int64)
        turn = filed.InTurn(column)
        for number in order:
            turn.write(number, parts[number])
        assert turn.count == 13
        np.testing.assert_array_equal(column.values, np.concatenate(parts))


@native
def test_blocks_begin_at_pages_whatever_the_limit_is(tmp_path: Path) -> None:
    """What goes back to the system is whole pages: of a page that goes in part all is lost, and others may use the rest."""
    done = subprocess.run([sys.executable, "-c", COME_AND_GO, tmp_path], capture_output=True, text=True, check=True)
    begins, spilled = map(int, done.stdout.split())
    assert begins == 1
    assert spilled > 0


COME_AND_GO = """
import sys, numpy
from dedup.kernel import kernel
from dedup.memory import bounded_memory
kernel.array_memory(None)
held, begins, drawn = [], set(), numpy.random.default_rng(0)
with bounded_memory("200000003", sys.argv[1]):
    for n in range(1000):
        held.append(numpy.full(int(2 ** drawn.uniform(14, 22)), n, numpy.int32))
        begins.add(held[-1].ctypes.data % 4096)
        while sum(column.nbytes for column in held) > drawn.uniform(2e7, 1.1e8):
            held.pop(int(drawn.integers(0, len(held))))
        assert all((column == column[-1]).all() for column in held[::5])
    print(len(begins), kernel.memory_figures()[2])
"""
