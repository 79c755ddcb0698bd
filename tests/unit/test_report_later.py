"""What a report of ``Index.check`` says of its pages is made when somebody asks for it."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup import pages as pages_module
from dedup.engines.local import LocalEngine
from dedup.index import Index

BLOCK = "The bridge over the river was opened again on a Saturday after eleven months of repairs."
PAGES = [{"id": "a", "text": f"One\n{BLOCK}"}, {"id": "b", "text": f"{BLOCK}\nTwo"}]
ASKED = {"id": "q", "text": f"Mine\n{BLOCK}"}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each time that pages were described."""
    times: list[int] = []
    describe = pages_module.describe_pages

    def described(*arguments: Any) -> Any:
        times.append(1)
        return describe(*arguments)
    monkeypatch.setattr(pages_module, "describe_pages", described)
    return times


def checked(tmp_path: Path, own: str = "", **settings: Any) -> dedup.Report:
    with Index.create(tmp_path / "i.dedup", PAGES) as index:
        return index.check({"id": "q", "text": ASKED["text"] + own}, threads=1, **settings)


def test_groups_are_there_before_anything_is_said_of_pages(tmp_path: Path, made: list[int]) -> None:
    report = checked(tmp_path)
    assert len(report.groups) == 1
    assert report.index_pages == 2
    assert not made


def test_pages_are_described_once_and_the_index_may_be_closed_by_then(tmp_path: Path, made: list[int]) -> None:
    report = checked(tmp_path)
    assert report.summary.reference_pages == 2
    assert [page.id for page in report.pages] == ["a", "b", "q"]
    assert report.causes == ()
    assert report.keep.tolist() == [False]  # nine tenths of it stand there
    assert len(made) == 1


def test_it_is_the_report_that_a_scan_makes(tmp_path: Path) -> None:
    report, scanned = checked(tmp_path), dedup.scan([ASKED], against=PAGES, threads=1)
    for made in (report, scanned):
        made.options = scanned.options
    assert report.to_json() == scanned.to_json()


def test_who_watches_sees_the_verdicts_being_made(tmp_path: Path, made: list[int]) -> None:
    stages: list[str] = []
    checked(tmp_path, progress=stages.append)
    assert stages[-1] == "verdicts"
    assert made


def test_what_is_hidden_is_hidden_before_somebody_asks(tmp_path: Path) -> None:
    own = "\nNobody has said these words of my own before, nor will anybody say them again."
    report = checked(tmp_path, own, hide="shared")
    assert (len(report.groups), report.hidden) == (0, 1)
    assert report.summary.groups == 0
    (tmp_path / "i.dedup").unlink()
    copied = checked(tmp_path, hide="shared")  # that it is a copy says more
    assert (len(copied.groups), copied.hidden) == (1, 0)


@pytest.mark.parametrize("again", [lambda report: pickle.loads(pickle.dumps(report)), copy.copy, copy.deepcopy])
def test_a_pickle_and_a_copy_hold_all(tmp_path: Path, made: list[int], again: Any) -> None:
    report = checked(tmp_path)
    other = again(report)
    assert made
    assert other.to_json() == report.to_json()
    assert len(made) == 1


def test_several_threads_may_ask_first(tmp_path: Path) -> None:
    report, said = checked(tmp_path), list[Any]()
    threads = [threading.Thread(target=lambda: said.append((report.summary, list(report.pages)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [said[0]] * 4


@pytest.fixture
def often() -> Iterator[None]:
    """Threads take turns very often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often")
def test_several_threads_may_ask_for_what_a_scan_of_whole_pages_puts_off(made: list[int]) -> None:
    """One of them makes it, and with the threads of its own that a scan has."""
    base = " ".join(f"w{i}" for i in range(60))
    pages = [{"id": str(i), "text": f"{base} x{i % 3}"} for i in range(30)]
    for times in range(1, 21):
        report, said = dedup.scan(pages, unit="page", threads=2), list[Any]()
        threads = [threading.Thread(target=lambda: said.append((len(report.pages), report.input_digest)))  # noqa: B023
                   for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said == [(30, report.input_digest)] * 4
        assert len(made) == times


@pytest.mark.usefixtures("often")
def test_several_threads_may_have_one_engine_do_something() -> None:
    engine, done = LocalEngine(2), list[int]()

    def work() -> None:
        for _ in range(100):
            with engine:
                done.append(sum(engine.map(len, ["ab", "c", "d"])))
            done.append(sum(engine.map(len, ["ab", "c", "d"])))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [4] * 800
    assert engine._pool is None


def test_a_report_has_no_other_names(tmp_path: Path) -> None:
    report = checked(tmp_path)
    with pytest.raises(AttributeError, match="'Report' object has no attribute 'page'"):
        report.page  # type: ignore[attr-defined]  # noqa: B018
