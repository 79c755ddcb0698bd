"""An index in Redis through what happens: kill -9, servers that die or are full, locks that are lost, many at once."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from index_help import made_pages, points
from index_worker import text_of
from redis_help import started_redis
from test_index_survives import assert_whole, killed, possible, started

from dedup import cli
from dedup.errors import BusyIndexError, DamagedIndexError, InputError, MissingExtraError, OptionError, OutputError
from dedup.index import Index, redis_store, redis_upkeep

EIGHT = "These same eight words stand on both pages."
OWN_PASSWORD = "s3cret-Pass/word"


@pytest.fixture
def place(redis_server: str, request: pytest.FixtureRequest) -> str:
    return f"{redis_server}?name={abs(hash(request.node.nodeid))}"


@pytest.fixture
def own_server(redis_server: str, tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """A server that a test may do anything to, and the address of an index in it."""
    process, port = started_redis(tmp_path, "--requirepass", OWN_PASSWORD)
    yield process, f"redis://:{OWN_PASSWORD.replace('/', '%2F')}@127.0.0.1:{port}/3?name=own"
    process.kill()
    process.wait(10)


class KilledError(BaseException):
    """Stands for the end of the process."""


@points(10, 200)
@pytest.mark.skipif(os.name != "posix", reason="no kill -9 here")
def test_a_killed_process_loses_nothing_that_was_acknowledged_and_leaves_no_half(seed: int, place: str) -> None:
    Index.create(place, levels="page,passage").close()
    process = started(place, seed, ("add", "add,add,remove", "add,remove,compact")[seed % 3])  # type: ignore[arg-type]
    time.sleep(random.Random(seed).uniform(0.02, 1.0))
    ids = possible(killed(process))
    assert_whole(place, ids)  # type: ignore[arg-type]
    with Index.open(place) as index:
        index.add([{"id": "one more", "text": text_of("one more")}])  # the lock of the dead one frees itself
        index.compact()
        assert index.info().removed == 0
        assert "one more" in index
        assert index.verify().ok


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="no kill -9 here")
def test_four_writers_two_readers_and_one_killed_again_and_again(place: str) -> None:
    Index.create(place, levels="passage").close()
    kept = [started(place, n, "add,add,remove", 100_000 * n) for n in range(1, 4)]  # type: ignore[arg-type]
    readers = [started(place, n, "read") for n in range(2)]  # type: ignore[arg-type]
    ids: list[set[str]] = [set()]
    for turn in range(4, 6):
        process = started(place, turn, "add", 100_000 * turn)  # type: ignore[arg-type]
        time.sleep(1)
        assert all(other.poll() is None for other in (*kept, *readers))
        left = possible(killed(process))
        ids = [one | other for one in ids for other in left]
    reads = [killed(process) for process in readers]
    assert all(line[0] == "read" for lines in reads for line in lines)
    assert min(map(len, reads)) > 3
    for process in kept:
        left = possible(killed(process))
        ids = [one | other for one in ids for other in left]
    assert_whole(place, ids)  # type: ignore[arg-type]


def test_what_a_dead_writer_left_is_found_by_nobody_and_cleared(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store.RedisWriter, "commit", _die)
    with Index.create(place, levels="page,block,passage") as index:
        with pytest.raises(KilledError):
            index.add([{"id": "a", "text": text_of(1)}])
        assert len(index) == 0
        assert not index.check(text_of(1)).groups
        assert index.verify().ok
        monkeypatch.undo()
        before = index.info()
        assert before.rows["passage"] > 0
        assert before.removed == 1
        index.compact()
        after = index.info()
        assert (after.removed, sum(after.rows.values())) == (0, 0)
        store: Any = index._store
        left = {key.rpartition(b":")[2] for key in store.client.scan_iter(match=store.base + b":*")}
        assert left == {b"recipe", b"figures"}


def _die(_: Any) -> None:
    raise KilledError


def test_a_page_that_is_replaced_is_there_until_the_new_one_is(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index.create(place, [{"id": "a", "text": text_of(1)}]) as index:
        monkeypatch.setattr(redis_store.RedisWriter, "commit", _die)
        with pytest.raises(KilledError):
            index.add([{"id": "a", "text": text_of(2)}])
        monkeypatch.undo()
        assert [page.text for page in index.pages()] == [text_of(1)]
        assert index.check(text_of(1)).groups
        assert index.verify().ok


def test_who_lost_the_lock_writes_nothing(place: str) -> None:
    with Index.create(place, [{"id": "a", "text": text_of(1)}]) as index:
        store: Any = index._store
        with pytest.raises(BusyIndexError, match="took over while this one stood"), store.writing() as writer:  # noqa: PT012
            writer.remove([0])
            store.client.set(store.key("writer"), "process 1 on another machine#x")
        assert "a" in index
        store.timeout = 0.1
        with pytest.raises(BusyIndexError, match="process 1 on another machine writes to it"):
            index.remove(["a"])


def test_who_compacts_without_the_lock_takes_nothing_of_another_writer(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clear, times = redis_upkeep._clear_strings, list[int]()
    with Index.create(place, made_pages(3, 20), levels="page,block,passage") as index, Index.open(place) as other:
        index.remove(["p1", "p2"])
        store: Any = index._store

        def stands_still(pipe: Any, **given: Any) -> None:
            clear(pipe, **given)
            if not times:
                times.append(1)
                store.client.delete(store.key("writer"))
                other.add(made_pages(3, 20, "q"))
        monkeypatch.setattr(redis_upkeep, "_clear_strings", stands_still)
        with pytest.raises(BusyIndexError, match="took over"):
            index.compact()
        assert times
        assert len(index) == 38
        assert index.verify().ok


def test_a_writer_that_lives_keeps_the_lock_for_longer_than_its_lease(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "LEASE", 0.3)
    with Index.create(place, [{"id": "a", "text": text_of(1)}]) as index, Index.open(place, timeout=0.8) as other:
        store: Any = index._store
        with store.writing() as writer:
            writer.remove([0])
            with pytest.raises(BusyIndexError, match=f"process {os.getpid()} on"):
                other.add([{"id": "b", "text": text_of(2)}])
        assert list(other.ids()) == []


def test_a_batch_is_put_in_while_the_lock_is_renewed(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill, times = redis_store.RedisWriter._fill, list[int]()

    def renewed(writer: Any, pipe: Any) -> None:
        if len(times) < 3:  # as the thread that keeps the lock may do at any moment
            writer.client.pexpire(writer.store.key("writer"), 9000)
        times.append(1)
        fill(writer, pipe)
    monkeypatch.setattr(redis_store.RedisWriter, "_fill", renewed)
    with Index.create(place, [{"id": "a", "text": text_of(1)}]) as index:
        assert len(times) == 4
        assert list(index.ids()) == ["a"]


def test_of_two_that_check_and_add_one_page_one_is_told(place: str) -> None:
    Index.create(place, levels="passage").close()
    told: list[int] = []

    def work(number: int) -> None:
        with Index.open(place) as index:
            told.append(len(index.check({"id": f"mine{number}", "text": text_of(1)}, add=True, threads=1).groups) > 0)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False, True, True, True]


def test_an_index_is_used_after_a_fork(place: str) -> None:
    if sys.platform != "linux":
        pytest.skip("no fork here")
    with Index.create(place, [{"id": "a", "text": text_of(1)}]) as index:
        child = multiprocessing.get_context("fork").Process(target=_asks, args=(index,))
        child.start()
        for _ in range(20):
            assert index.check(text_of(1), threads=1).groups
        child.join(60)
        assert child.exitcode == 0


def _asks(index: Index) -> None:
    for _ in range(20):
        assert index.check(text_of(1), threads=1).groups


def test_a_server_that_dies_is_told_in_one_line(own_server: Any, monkeypatch: pytest.MonkeyPatch,
                                                capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    process, place = own_server
    (tmp_path / "a.txt").write_text(text_of(1))
    records = redis_store.RedisSnapshot.records

    def dies(snapshot: Any, numbers: Any) -> Any:
        process.kill()
        process.wait(10)
        return records(snapshot, numbers)
    with Index.create(place, [{"id": "a", "text": text_of(1)}]) as index:
        monkeypatch.setattr(redis_store.RedisSnapshot, "records", dies)
        with pytest.raises(InputError, match=r"own: no Redis answers at 127\.0\.0\.1:\d+ \(") as told:
            index.check(text_of(1))
        monkeypatch.undo()
        asked: list[Callable[[], Any]] = [
            lambda: index.add([{"id": "b", "text": EIGHT}]), lambda: len(index), index.info, index.verify, index.compact,
            lambda: index.remove(["a"]), lambda: list(index.ids()), lambda: Index.open(place), lambda: Index.create(place)]
        for ask in asked:
            with pytest.raises(InputError, match="no Redis answers at"):
                ask()
    assert OWN_PASSWORD not in str(told.value)
    assert cli.main(["index", "check", place, str(tmp_path / "a.txt")]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert "no Redis answers at 127.0.0.1:" in err


def test_a_password_is_never_printed(own_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, place = own_server
    source, wrong = str(tmp_path / "a.txt"), place.replace("s3cret-Pass", "s3cret-Nope")
    Path(source).write_text(EIGHT)
    for line in (["create", place], ["create", place], ["create", place, source, "--threshold", "7"], ["add", place, source],
                 ["check", place, source, "--format", "json"], ["check", place, source], ["check", place],
                 ["check", place, source, "-o", str(tmp_path / "r.json")], ["info", place],
                 ["info", place, "--format", "json"], ["verify", place], ["compact", place], ["rebuild", place],
                 ["rebuild", place, "-o", str(tmp_path / "new")],
                 ["rebuild", str(tmp_path / "new"), "-o", f"{place}2"], ["remove", place, "x"], ["info", place, "x"],
                 ["check", place, source, "--unit", "page"], ["export", place, "-o", str(tmp_path / "e.jsonl")],
                 ["info", wrong], ["info", f"{place}&x=1"], ["info", place.replace("/3?", "/x?")], ["info", f"{place}!"],
                 ["info", place.replace("own", "none")], ["info", place.replace("127.0.0.1:", "127.0.0.1:x")],
                 ["frobnicate", place], ["info", place, "--frobnicate"]):
        with contextlib.suppress(SystemExit):
            cli.main(["index", *line])
    out, err = capsys.readouterr()
    assert out.count("127.0.0.1") > 4
    assert err.count("127.0.0.1") > 8
    assert "wants a user and password, or others" in err
    for said in (out, err, *(path.read_text() for path in (tmp_path / "r.json", tmp_path / "e.jsonl"))):
        assert "s3cret" not in said


def test_a_full_server_takes_nothing_in_and_loses_nothing(own_server: Any) -> None:
    _, place = own_server
    with Index.create(place, [{"id": "a", "text": text_of(1)}]) as index:
        store: Any = index._store
        store.client.config_set("maxmemory", 1)
        with pytest.raises(OutputError, match="does not write"):
            index.add([{"id": "b", "text": text_of(2)}])
        store.client.delete(store.key("writer"))
        store.client.config_set("maxmemory", 0)
        assert list(index.ids()) == ["a"]
        assert index.verify().ok
        index.add([{"id": "b", "text": text_of(2)}])
        store.client.config_set("maxmemory-policy", "allkeys-lru")
        assert index.verify().problems == (
            "Redis throws away keys when it is full (allkeys-lru): set maxmemory-policy noeviction",)


def test_damage_is_told(place: str) -> None:
    with Index.create(place, made_pages(3, 20), levels="page,block,passage") as index:
        store: Any = index._store
        client = store.client
        (string, *_) = sorted(client.scan_iter(match=store.key("passage:") + b"*"))
        data = client.get(string)
        client.append(string, b"x")
        with pytest.raises(DamagedIndexError, match="a string of postings was cut"):
            [index.check(page) for page in made_pages(3, 20)]
        assert "a string of postings was cut" in index.verify().problems
        client.delete(string)
        assert any("is missing in the postings of level passage" in line for line in index.verify().problems)
        client.set(string, data)
        assert index.verify().ok
        bucket = next(client.scan_iter(match=store.key("page") + b"_bucket_*", _type="set"))
        client.delete(bucket)
        assert any("is missing in the postings of level page" in line for line in index.verify().problems)
        client.set(bucket, "not a set")
        with pytest.raises(DamagedIndexError, match="holds something else"):
            [index.check(page, unit="page") for page in made_pages(3, 20)]


@pytest.mark.parametrize(("change", "error", "said"), [
    (lambda data: data[:9] + b"?" + data[10:], DamagedIndexError, "the record 'recipe' is damaged"),
    (lambda data: b"", DamagedIndexError, "the record 'recipe' is damaged"),
    (lambda data: redis_store.checksum(b"\x63" + data[5:], b"recipe", 0) + b"\x63" + data[5:], InputError,
     r"made by a newer dedup \(format 99; this one knows 1\)")])
def test_a_recipe_that_is_not_ours_is_refused(change: Any, error: type[Exception], said: str, place: str) -> None:
    with Index.create(place) as index:
        store: Any = index._store
        store.client.set(store.key("recipe"), change(store.client.get(store.key("recipe"))))
    with pytest.raises(error, match=said):
        Index.open(place)


@pytest.mark.parametrize("address", ["redis://", "redis://h:x/0", "redis://h/x", "redis://h/0?name=", "redis://h/0?name=a:b",
                                     "redis://h/0?nam=a", "redis://h/0?name=a#b"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(OptionError, match=r"Write redis://host:port/db\?name=NAME"):
        Index.open(address)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r"\[redis\]"):
        Index.open("redis://127.0.0.1:1/0")


def test_pages_go_from_redis_to_a_file_and_back(place: str, tmp_path: Path) -> None:
    from dedup.index import rebuild

    pages = made_pages(6, 20)
    with Index.create(place, pages, levels="page,passage", threshold=0.7) as index:
        store: Any = index._store
        store.client.hset(store.key("pages"), 3, b"damaged")
        done = rebuild(place, tmp_path / "i.dedup")
        assert (done.pages, done.problems) == (19, ("the record of page 3 is damaged",))
    with Index.open(tmp_path / "i.dedup") as index:
        assert index.levels == ("page", "passage")
        assert index.options.threshold == 0.7
    assert rebuild(tmp_path / "i.dedup", f"{place}-2").pages == 19
    with Index.open(f"{place}-2") as index:
        assert index.verify().ok
        assert index.export(tmp_path / "e.jsonl") == 19
        assert {page.id: page.text for page in index.pages()} == {
            page["id"]: page["text"] for page in pages if page["id"] != "p3"}
