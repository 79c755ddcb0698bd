"""Who watches a scan: functions, profiles, bars; and what a scan would take."""

from __future__ import annotations

import gzip
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup import estimate as estimates
from dedup.cli import main
from dedup.estimate import estimate, sample
from dedup.forecast import Forecast
from dedup.kernel import kernel
from dedup.options import Options
from dedup.profile import Profile
from dedup.progress import Bars
from dedup.readers.files import Found
from dedup.report.terminal import console_for
from dedup.stages import Stages, Watcher

TEXT = "These same eight words stand on both pages."
PAGES = [{"id": "a", "text": TEXT}, {"id": "b", "text": f"One page says more. {TEXT} It goes on for a while."}]


class Notes(Watcher):
    """Takes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def stage(self, name: str) -> None:
        self.told.append(("stage", name))

    def read(self, done: int, expected: int | None) -> None:
        self.told.append(("read", done, expected))

    def rows(self, given: str, made: str) -> None:
        self.told.append(("rows", given, made))

    def end(self) -> None:
        self.told.append(("end",))


def test_a_watcher_is_told_of_stages_and_rows() -> None:
    notes, names = Notes(), list[str]()
    dedup.scan(PAGES, progress=[notes, names.append])
    assert [told[1] for told in notes.told if told[0] == "stage"] == names
    assert notes.told[0] == ("stage", "read")
    assert notes.told[1] == ("read", len(TEXT) + len(PAGES[1]["text"]), None)
    assert notes.told[2] == ("rows", "2 pages", "26 tokens")
    assert notes.told[-1] == ("end",)
    assert ("rows", "1 passages", "1 groups") in notes.told


def test_files_say_how_much_there_is_to_read(tmp_path: Path) -> None:
    for page in PAGES:
        (tmp_path / f"{page['id']}.txt").write_text(page["text"])
    notes = Notes()
    dedup.scan(tmp_path, progress=notes)
    size = sum(len(page["text"]) for page in PAGES)
    assert ("read", size, size) in notes.told
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    notes = Notes()
    dedup.scan(tmp_path, progress=notes)
    assert [told[2] for told in notes.told if told[0] == "read"] == [None]


@pytest.mark.parametrize("wrong", [3, object()])
def test_what_cannot_watch_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"progress is a function of a stage's name, or a dedup\.Watcher"):
        dedup.scan(PAGES, progress=wrong)


def test_a_profile_has_a_line_a_stage() -> None:
    profile = Profile()
    dedup.scan(PAGES, progress=profile)
    assert [stage.name for stage in profile.stages] == [
        "read", "exact runs", "near blocks", "join", "edited passages", "groups", "verdicts"]
    assert all(stage.seconds > 0 and stage.cpu_seconds >= 0 for stage in profile.stages)
    assert profile.stages[0].made == "26 tokens"
    lines = profile.lines()
    assert lines[0].split() == ["stage", "time", "CPU", "memory", "in", "out"]
    assert lines[1].startswith("read")
    assert lines[1].endswith(" 26 tokens")
    assert "  2 pages  " in lines[1]
    assert lines[-1].startswith("all")


def test_the_flag_prints_the_profile_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text(f"{TEXT}\n\n{TEXT}\n")
    assert main(["scan", str(tmp_path), "--profile", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["summary"]["groups"] == 1
    assert err.splitlines()[0].split() == ["stage", "time", "CPU", "memory", "in", "out"]
    assert main(["clean", str(tmp_path), "--dry-run", "--profile", "-q"]) == 0
    assert any(line.startswith("plan") for line in capsys.readouterr().err.splitlines())


def test_a_forecast_learns_from_stages_that_ended() -> None:
    forecast = Forecast(threads=1)
    before = forecast.seconds("edited passages", 100_000_000)
    forecast.ended("read", 100_000_000, 100.0)
    assert forecast.seconds("edited passages", 100_000_000) == before
    forecast.ended("exact runs", 100_000_000, 3 * forecast.seconds("exact runs", 100_000_000))
    assert forecast.seconds("edited passages", 100_000_000) == pytest.approx(3 * before)
    assert Forecast(1, reworded=True).seconds("edited passages", 100_000_000) > 2 * before


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        return True


def test_bars_say_what_is_done_and_go_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("dedup.progress.SHOWN_AFTER", 0.0)
    terminal = Terminal()
    with Bars(console_for(terminal), Forecast(1)) as bars:
        stages = Stages(bars)
        stages.start("read")
        stages.read(5_000_000, 10_000_000)
        time.sleep(0.4)
        stages.start("exact runs")
        time.sleep(0.4)
        stages.stop()
    shown = terminal.getvalue()
    assert "read" in shown
    assert "50%" in shown
    assert "MB/s" in shown
    assert "left" in shown
    assert "exact runs" in shown
    assert shown.rstrip().endswith(("\x1b[2K", "\x1b[?25h"))  # the last thing is that the lines are cleared


def test_a_quick_scan_shows_no_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with Bars(console_for(terminal), Forecast(1)) as bars:
        dedup.scan([TEXT], progress=bars)
    assert terminal.getvalue() == ""


def found(name: str) -> Found:
    return Found(Path(name), name, name, "", "", False)


def test_a_sample_comes_from_everywhere() -> None:
    assert sample([(found("a"), 1000), (found("b"), 0)], 12_000_000) == [(found("a"), 1000)]
    huge = sample([(found("a"), 10**9)], 12_000_000)
    assert huge == [(found("a"), 12_000_000)]
    many = [(found(str(n)), 50_000) for n in range(10_000)]
    picked = sample(many, 12_000_000)
    assert 200 < len(picked) < 300
    numbers = [int(one.name) for one, _ in picked]
    assert numbers == sorted(numbers)
    assert numbers[0] < 100
    assert numbers[-1] > 9_900
    assert sum(most for _, most in picked) <= 12_000_000


def records(path: Path, count: int) -> None:
    words = [f"word{n}" for n in range(500)]
    path.write_text("".join(json.dumps({"id": n, "text": " ".join(words[(n * k) % 500] for k in range(120))}) + "\n"
                            for n in range(count)))


def test_an_estimate_of_a_part_is_near_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcdefghij":
        records(tmp_path / f"{name}.jsonl", 100)
    whole = estimate([tmp_path], Options())
    assert (whole.files, whole.pages, whole.sampled) == (10, 1000, whole.input_bytes)
    monkeypatch.setattr(estimates, "SAMPLE_BYTES", whole.input_bytes // 4)
    part = estimate([tmp_path], Options())
    assert part.input_bytes == whole.input_bytes
    assert part.sampled <= whole.input_bytes // 4
    assert abs(part.pages - 1000) < 50
    assert abs(part.text_bytes / whole.text_bytes - 1) < 0.05
    assert part.disk == 0 < part.memory < part.limit


def test_lines_are_sampled_from_everywhere_in_a_file():
    lines = [b"%d %s\n" % (n, b"x" * (n % 50)) for n in range(10_000)]
    file = io.BytesIO(b"".join(lines))
    parts = list(estimates.line_parts(file, 24_000, 24))
    assert len(parts) == 24
    assert 20_000 < sum(map(len, parts)) <= 24_000
    found = [line for part in parts for line in part.splitlines(keepends=True)]
    assert set(found) <= set(lines)
    numbers = [int(line.split()[0]) for line in found]
    assert numbers == sorted(set(numbers))
    assert (numbers[0], numbers[-1] > 9500) == (0, True)
    assert b"".join(estimates.line_parts(file, 10**6, 24)) == b"".join(lines)


@pytest.mark.parametrize("sizes", [[5000], [9000, 10], [10, 9000, 10], [3000, 3000, 3000], [9000, 9000]])
def test_of_long_lines_at_least_one_is_sampled_and_each_once(sizes):
    lines = [bytes([97 + n]) * size for n, size in enumerate(sizes)]
    for end in (b"", b"\n"):
        text = b"\n".join(lines) + end
        found = b"".join(estimates.line_parts(io.BytesIO(text), 100, 8)).splitlines()
        assert found
        assert found == [line for line in lines if line in found]


def test_an_estimate_of_a_record_that_is_longer_than_a_sample_is_near_the_whole(tmp_path, monkeypatch):
    rows = [{"id": n, "text": " ".join(f"w{(n + 7) * k % 4999}" for k in range(3000))} for n in range(2)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "b.json").write_text(json.dumps(rows))
    monkeypatch.setattr(estimates, "SAMPLE_BYTES", 1000)
    for name in ("a.jsonl", "b.json"):
        told = estimate([tmp_path / name], Options())
        assert 1 <= told.pages <= 4
        assert 1 / 2 < told.text_bytes / sum(len(row["text"]) for row in rows) < 2
        assert told.sampled > 1000


def test_copies_that_begin_late_are_in_the_sample(tmp_path):
    path = tmp_path / "a.jsonl"
    records(path, 300)
    copies = [" ".join(f"c{n % 5}x{k if k != n % 97 else -n}" for k in range(120)) for n in range(600)]
    path.write_text(path.read_text() + "".join(json.dumps({"id": n, "text": text}) + "\n"
                                               for n, text in enumerate(copies, 300)))
    files = [(found(str(path)), path.stat().st_size)]
    half, whole = (estimates._scanned(files, size, Options()) for size in (60_000, 120_000))
    assert whole.links > 3 * half.links > 0
    assert whole.pairs_among(half) > 0.5
    assert half.pairs_among(whole) == whole.pairs_among(None) == 0.0


def test_what_pairs_of_copies_take_grows_faster_than_the_input(tmp_path, monkeypatch):
    records(tmp_path / "a.jsonl", 100)
    size = (tmp_path / "a.jsonl").stat().st_size
    monkeypatch.setattr(estimates, "SAMPLE_BYTES", size // 9)
    monkeypatch.setattr(estimates, "private_bytes", lambda: 1_000)

    def told(links: tuple[int, int], bytes_taken: tuple[int, int]) -> int:
        def scanned(files: Any, most: int, options: Options) -> estimates.Scanned:
            at = most == estimates.SAMPLE_BYTES
            return estimates.Scanned(most, 1000, 10, 0, links[at], 1.0 + at, 1_000 + estimates.FIXED_BYTES + bytes_taken[at])
        monkeypatch.setattr(estimates, "_scanned", scanned)
        return estimate([tmp_path], Options()).memory - estimates.START_BYTES - estimates.FIXED_BYTES
    even = told((500, 1000), (50 * 10**6, 10**8))
    assert even == pytest.approx(9 * 10**8, rel=0.01)
    assert told((250, 1000), (25 * 10**6, 10**8)) == pytest.approx(27 * 10**8, rel=0.02)
    assert told((500, 1000), (25 * 10**6, 10**8)) == even  # memory varies, links say that it does not grow so
    assert told((0, 0), (25 * 10**6, 10**8)) == even


def test_pairs_that_grow_faster_than_the_input_make_its_time_grow_faster():
    def scanned(links: int) -> estimates.Scanned:
        return estimates.Scanned(1000, 28_000, 10, 0, links, 1.0, 1000)
    assert scanned(0).more_work(16, 1.0) == 16
    assert scanned(100).more_work(16, 0.0) == pytest.approx(16)  # as many a byte
    assert scanned(100).more_work(16, 1.0) == pytest.approx((16 + 16 ** 1.7) / 2)  # half of the time is theirs
    assert scanned(100).more_work(1, 1.0) == 1
    assert estimates.Scanned(1000, 0, 1, 0, 0, 1.0, 1000).more_work(5, 0.0) == 5  # pages without text


def test_pages_without_text_can_be_estimated(tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("<html><body></body></html>")
    (tmp_path / "x.jsonl").write_text('{"id": "1", "text": ""}\n')
    for name in ("x.html", "x.jsonl"):
        assert estimate([tmp_path / name], Options()).text_bytes == 0


def test_an_estimate_says_what_lies_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records(tmp_path / "a.jsonl", 200)
    monkeypatch.setattr(estimates, "SAMPLE_BYTES", 2000)
    monkeypatch.setattr(estimates, "listed", lambda paths, options: [(found(str(tmp_path / "a.jsonl")), 10**9)])
    assert estimate([tmp_path], Options(memory="256M")).disk > 5 * 10**8
    found_all = estimate([tmp_path], Options(memory="900000G"))  # half a million times what a sample happens to take
    if kernel.name == "native" and sys.platform == "linux":  # texts, and a number a token
        assert found_all.text_bytes < found_all.disk < 2 * found_all.text_bytes
    else:
        assert found_all.disk == 0


def test_the_flag_estimates_and_scans_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records(tmp_path / "a.jsonl", 20)
    assert main(["scan", str(tmp_path), "--estimate"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["input", "time", "memory", "disk", "known"]
    assert lines[0].startswith("input    1 file, ")
    assert main(["scan", str(tmp_path), "--estimate", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["pages"] == 20
    assert main(["scan", "-", "--estimate"]) == 2
    assert "standard input can be read once only" in capsys.readouterr().err
    (tmp_path / "none").mkdir()
    assert main(["scan", str(tmp_path / "none"), "--estimate"]) == 2


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_tables_are_estimated_too(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import feather, parquet

    table = pyarrow.table({"text": [" ".join(f"w{(n * k) % 977}" for k in range(200)) for n in range(4000)]})
    path = tmp_path / f"t.{form}"
    parquet.write_table(table, path, compression="zstd", row_group_size=100) if form == "parquet" else feather.write_feather(
        table, path, compression="uncompressed")
    monkeypatch.setattr(estimates, "SAMPLE_BYTES", path.stat().st_size // 4)
    told = estimate([path], Options())
    assert 4000 / 3 < told.pages < 4000 * 3
