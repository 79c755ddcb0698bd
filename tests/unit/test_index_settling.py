"""Segments of an index are merged by a thread of its own while the next pages are read."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dedup.errors import OutputError
from dedup.index import Index, adding
from dedup.index.sqlite import SqliteStore
from dedup.index.sqlite_pages import GROWTH, _of_one_size, _small_ones
from dedup.index.store import never
from dedup.model import Page
from tests.scan_help import prose

PAGES = [Page(f"p{n}", prose(30, n)) for n in range(24)]
Settle = Callable[[SqliteStore, Callable[[], bool], bool], None]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """One that takes a batch a page."""
    monkeypatch.setattr(adding, "in_batches", functools.partial(adding.in_batches, size=1))
    with Index.create(tmp_path / "s.dedup") as made:
        yield made
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dedup-settle")]


def instead(monkeypatch: pytest.MonkeyPatch, settle: Settle) -> None:
    def own(store: SqliteStore, stopped: Callable[[], bool] = never, more: bool = False) -> None:
        settle(store, stopped, more)
    monkeypatch.setattr(SqliteStore, "settle", own)


def test_segments_are_merged_beside_reading(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, real = set[tuple[str, bool]](), SqliteStore.settle

    def settle(store: SqliteStore, stopped: Callable[[], bool], more: bool) -> None:
        threads.add((threading.current_thread().name.split("_")[0], more))
        real(store, stopped, more)
    instead(monkeypatch, settle)
    assert index.add(PAGES).added == len(PAGES)
    assert threads == {("dedup-settle", True), ("MainThread", False)}
    assert index.info().segments <= 4 * len(index.info().rows)
    assert index.verify().ok
    assert all(index.check(page.text).summary.duplicate_share == 1 for page in PAGES)


def test_a_batch_is_written_after_the_segments_of_the_one_before_are_merged(index: Index,
                                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    seen, real = list[int](), SqliteStore.settle

    def settle(store: SqliteStore, stopped: Callable[[], bool], more: bool) -> None:
        real(store, stopped, more)
        with store.reading() as snapshot:
            seen.append(snapshot.state.pages)
    instead(monkeypatch, settle)
    index.add(PAGES)
    assert seen == [*range(1, len(PAGES) + 1), len(PAGES)]


def test_who_gives_the_pages_up_does_not_wait_for_merges(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = list[bool]()

    def settle(store: SqliteStore, stopped: Callable[[], bool], more: bool) -> None:
        late = time.monotonic() + 20
        while not stopped() and time.monotonic() < late:
            time.sleep(0.001)
        ended.append(stopped())
    instead(monkeypatch, settle)

    def pages() -> Iterator[Page]:
        yield PAGES[0]
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        index.add(pages())
    assert ended == [True]
    assert list(index.ids()) == ["p0"]


def test_what_goes_wrong_in_merging_is_told(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def settle(store: SqliteStore, stopped: Callable[[], bool], more: bool) -> None:
        with store.reading() as snapshot:
            if snapshot.state.pages == 3:
                raise OutputError("no room")
    instead(monkeypatch, settle)
    with pytest.raises(OutputError, match="no room"):
        index.add(PAGES)
    assert list(index.ids()) == ["p0", "p1", "p2"]


def test_merges_that_were_stopped_leave_all_as_it_was(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        instead(without, lambda store, stopped, more: None)
        index.add(PAGES)
    before = index.info()
    assert before.segments > 2 * len(PAGES)
    index._store.settle(lambda: True)
    assert index.info() == before
    index._store.settle()
    assert index.info().segments < len(PAGES)
    assert index.verify().ok


def test_while_more_is_to_come_each_row_is_written_as_often_as_it_must() -> None:
    sizes, written = list[tuple[int, int]](), 0
    for number in range(256):
        sizes = sorted([*sizes, (1, number)])
        while chosen := _of_one_size(sizes):
            assert len(chosen) == GROWTH
            rows = sum(rows for rows, _ in chosen)
            written += rows
            sizes = sorted([*(kept for kept in sizes if kept not in chosen), (rows, 1000 + written)])
        assert len(sizes) <= (GROWTH - 1) * 5
    assert written == 256 * 4
    assert [rows for rows, _ in sizes] == [256]


def test_small_ones_are_merged_in_the_end() -> None:
    assert _small_ones([]) == []
    assert _small_ones([(1, 0)]) == [(1, 0)]
    assert _small_ones([(1, 0), (3, 1), (15, 2), (80, 3)]) == [(1, 0), (3, 1), (15, 2)]
    assert _of_one_size([(1, 0), (5, 1), (6, 2), (7, 3), (19, 4)]) == [(5, 1), (6, 2), (7, 3), (19, 4)]
