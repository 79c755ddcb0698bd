"""An index in Redis, through datasketch's storages, with a real server on this machine."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from index_help import groups_of, made_pages

import dedup
from dedup import cli
from dedup.errors import DamagedIndexError, InputError, OutputError
from dedup.index import Index

pytestmark = pytest.mark.slow
EIGHT = "These same eight words stand on both pages."


@pytest.fixture
def server(redis_server: str) -> str:
    return redis_server


@pytest.fixture
def place(server: str, request: pytest.FixtureRequest) -> str:
    return f"{server}?name={re.sub('[^a-z0-9_]', '.', request.node.name)}"


@pytest.mark.parametrize(("unit", "options"), [
    ("block", {"find": "exact"}), ("block", {"min_evidence": 1_000_000.0}), ("page", {}), ("page", {"find": "exact"})])
def test_answers_are_those_of_a_scan(unit: Any, options: dict[str, Any], place: str) -> None:
    stored, asked = made_pages(21, 25), made_pages(21, 30, "q")[20:]
    with Index.create(place, levels="page,block,passage", **options) as index:
        index.add(stored[:10])
        index.add(stored[10:])
        stored.sort(key=lambda page: page["id"])
        for page in asked:
            scanned = dedup.scan([page], against=stored, unit=unit, **options)
            assert groups_of(index.check(page, unit=unit)) == groups_of(scanned)


def test_pages_are_replaced_removed_and_cleared(place: str) -> None:
    pages = made_pages(5, 30)
    with Index.create(place, pages, levels="page,block,passage") as index:
        assert index.add([*pages[:5], {"id": "p9", "text": EIGHT}]).replaced == 1
        assert index.remove(["p1", "nobody"]) == 1
        assert len(index) == 29
        assert "p1" not in index
        assert {page.id: page.text for page in index.pages()}["p9"] == EIGHT
        assert index.check(f"{EIGHT} More.").groups[0].occurrences[0].page == "p9"
        assert index.verify().ok
        before = index.info().rows
        index.compact()
        assert sum(index.info().rows.values()) < sum(before.values())
        assert index.verify().ok
    with Index.open(place) as index:
        assert len(index) == 29
        assert index.check({"id": "q", "text": EIGHT}, add=True).groups
        assert "q" in index


def test_several_threads_write_and_read(place: str) -> None:
    Index.create(place, levels="passage").close()
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with Index.open(place) as index:
                for n in range(4):
                    index.add([{"id": f"{number}-{n}", "text": f"{EIGHT} {number} {n}"}], threads=1)
                    assert index.check(EIGHT, threads=1).groups
        except BaseException as error:
            failed.append(error)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with Index.open(place) as index:
        assert len(index) == 16
        assert index.verify().ok


def test_what_is_not_there_or_damaged_is_said(place: str, server: str) -> None:
    with pytest.raises(InputError, match="there is no index"):
        Index.open(place)
    with pytest.raises(InputError, match=r"no Redis answers at 127\.0\.0\.1:1 "):
        Index.open("redis://127.0.0.1:1/0")
    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        with pytest.raises(OutputError, match="is there already"):
            Index.create(place)
        store: Any = index._store
        data = store.client.hget(store.base + b":pages", 0)
        store.client.hset(store.base + b":pages", 0, data[:-1] + b"?")
        assert index.verify().problems
        with pytest.raises(DamagedIndexError, match="the record of page 0 is damaged"):
            index.check(EIGHT)


def test_the_command_takes_an_address(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text(EIGHT)
    assert cli.main(["index", "create", place, str(tmp_path / "a.txt")]) == 0
    assert cli.main(["index", "check", place, str(tmp_path / "a.txt"), "--format", "json"]) == 0
    assert cli.main(["index", "info", place]) == 0
    assert cli.main(["index", "verify", place]) == 0
    out, err = capsys.readouterr()
    assert not err
    assert "all is well; 1 page and" in out


LOSSES: list[tuple[str, Any, str]] = [
    ("figures", lambda client, base: client.delete(base + b":figures"), "a page has would be given again"),
    ("next", lambda client, base: client.hset(base + b":figures", "next", 1), "a page has would be given again"),
    ("page", lambda client, base: (client.hdel(base + b":pages", 0), client.hdel(base + b":names", 0),
                                   client.hdel(base + b":ids", "a")), "it holds 1 pages and should hold 2"),
    ("recipe", lambda client, base: client.delete(base + b":recipe"), "there is no index")]


@pytest.mark.parametrize(("name", "lose", "told"), LOSSES, ids=[name for name, _, _ in LOSSES])
def test_verify_finds_what_was_lost(name: str, lose: Any, told: str, place: str) -> None:
    with Index.create(place, [{"id": "a", "text": EIGHT}, {"id": "b", "text": f"More. {EIGHT}"}]) as index:
        assert index.verify().ok
        store: Any = index._store
        lose(store.client, store.base)
        assert any(told in problem for problem in index.verify().problems)
        if name in ("figures", "next"):  # nothing takes the place of another page
            with pytest.raises(DamagedIndexError, match="figures were lost"):
                index.add([{"id": "c", "text": EIGHT}])
            assert sorted(index.ids()) == ["a", "b"]
        if name == "recipe":
            with pytest.raises(OutputError, match="has lost what it was made by"):
                Index.create(place)


def test_an_answer_that_was_lost_counts_nothing_twice(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis.client import Pipeline
    from redis.exceptions import WatchError

    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        lost, immediate = list[int](), Pipeline._execute_transaction

        def transacted(self: Any, *arguments: Any) -> Any:
            done = immediate(self, *arguments)
            if not lost:
                lost.append(1)
                raise WatchError("the connection broke while the answer came")
            return done
        monkeypatch.setattr(Pipeline, "_execute_transaction", transacted)
        index.add([{"id": "a", "text": f"More. {EIGHT}"}, {"id": "b", "text": EIGHT}])
        assert lost
        info = index.info()
        assert (info.pages, info.text_bytes) == (2, len(f"More. {EIGHT}{EIGHT}"))
        assert index.verify().ok


def test_an_index_that_was_closed_says_so(place: str) -> None:
    index = Index.create(place, [{"id": "a", "text": EIGHT}])
    index.close()
    for ask in (lambda: len(index), lambda: index.check(EIGHT), lambda: index.remove("a"), index.info, index.compact):
        with pytest.raises(InputError, match=r"was closed. Open it again"):
            ask()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("address", ["redis://[::1/0", "REDIS://[::1/0"])
def test_what_is_no_address_is_one_line(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["index", "info", address]) == 2
    assert capsys.readouterr().err == "dedup: redis://: is no address. Write redis://host:port/db?name=NAME.\n"
