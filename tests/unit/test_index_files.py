"""What may happen to the file of an index, and to those that lie beside it, while it is open and between."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from index_help import made_pages

from dedup import cli
from dedup.errors import BusyIndexError, DamagedIndexError, DedupError, InputError, OptionError, OutputError
from dedup.index import Index, rebuild
from dedup.index.segments import Segment
from dedup.index.sqlite_file import META_PAGE, State, put_meta, read_meta

EIGHT = "These same eight words stand on both pages."
OTHER = "Other words stand here, as many as one likes, and on no other page."
as_nobody = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None,
                               reason="only root may become somebody else")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "pages.dedup"


def test_a_file_put_in_the_place_of_an_open_one_is_told_and_keeps_its_pages(place: Path) -> None:
    new = place.with_name("new.dedup")
    Index.create(new, [{"id": "new", "text": OTHER}]).close()
    with Index.create(place, [{"id": "old", "text": EIGHT}]) as index:
        assert len(index) == 1
        new.replace(place)
        failed: list[str] = []

        def work() -> None:
            for ask in (lambda: len(index), lambda: index.check(EIGHT), lambda: list(index.ids()), index.compact,
                        lambda: index.add([{"id": "b", "text": EIGHT}]), lambda: index.remove("old")):
                with pytest.raises(InputError, match=r"moved, deleted or replaced while it was open. Close all") as error:
                    ask()  # type: ignore[no-untyped-call]
                failed.append(str(error.value))
        work()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert len(failed) == 12
        with pytest.raises(InputError, match=r"the log beside it \(pages.dedup-wal\) is that of another file"):
            Index.open(place)
        with pytest.raises(InputError, match="is that of another file"):
            rebuild(place, place.with_name("rebuilt"))
    place.with_name("pages.dedup-wal").unlink()
    with Index.open(place) as index:
        assert list(index.ids()) == ["new"]
        assert index.verify().ok


def test_a_log_that_a_killed_process_left_is_not_put_into_another_file(place: Path) -> None:
    with Index.create(place, [{"id": "old", "text": EIGHT}]) as index:
        index.add([{"id": "older", "text": EIGHT}])
        log = place.with_name("pages.dedup-wal").read_bytes()
    place.unlink()
    Index.create(place, made_pages(1, 50)).close()
    place.with_name("pages.dedup-wal").write_bytes(log)
    before = place.read_bytes()
    with pytest.raises(InputError, match=r"If it is still there then, delete pages.dedup-wal"):
        Index.open(place)
    assert place.read_bytes() == before
    place.with_name("pages.dedup-wal").unlink()
    with Index.open(place) as index:
        assert len(index) == 50
        assert index.verify().ok


def test_no_index_is_made_beside_the_log_of_another_one(place: Path) -> None:
    Index.create(place.with_name("other"), [{"id": "a", "text": EIGHT}]).close()
    place.with_name("pages.dedup-wal").write_bytes(b"a log")
    for make in (Index.create, lambda out: rebuild(place.with_name("other"), out)):
        with pytest.raises(OutputError, match=r"lay here is still there \(pages.dedup-wal\). See that no process"):
            make(place)  # type: ignore[operator]
        assert not place.exists()


def test_its_own_log_is_taken_also_after_it_was_made_small(place: Path) -> None:
    with Index.create(place, made_pages(1, 50)) as index:
        index.compact()
        index.add([{"id": "more", "text": EIGHT}])
        for end in ("", "-wal"):
            shutil.copy(f"{place}{end}", place.with_name(f"copy{end}"))
        connection = sqlite3.connect(place)
        assert connection.execute("SELECT rootpage FROM sqlite_schema WHERE name='meta'").fetchone() == (META_PAGE,)
        connection.close()
    assert place.with_name("copy-wal").stat().st_size > 1000
    with Index.open(place.with_name("copy")) as index:
        assert "more" in index


def test_where_the_process_goes_does_not_matter(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.parent)
    with Index.create("pages.dedup", [{"id": "a", "text": EIGHT}]) as index:
        monkeypatch.chdir("/")
        assert list(index.ids()) == ["a"]
        assert index.add([{"id": "b", "text": EIGHT}]).added == 1


def test_a_link_leads_to_the_index_and_to_who_writes_to_it(place: Path) -> None:
    link = place.with_name("link")
    link.symlink_to(place)
    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index, index._store.writing():
        other = Index.open(link, timeout=0)
        assert other.info().file_bytes == index.info().file_bytes
        with pytest.raises(BusyIndexError, match=rf"link: process {os.getpid()} on .* writes to it"):
            other.remove("a")
        other.close()


def test_an_index_that_was_closed_says_so(place: Path) -> None:
    index = Index.create(place, [{"id": "a", "text": EIGHT}])
    index.close()
    for ask in (lambda: len(index), lambda: index.check(EIGHT), lambda: index.remove("a"), index.info):
        with pytest.raises(InputError, match=r"was closed. Open it again"):
            ask()  # type: ignore[no-untyped-call]
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_what_reads_the_index_may_write_to_it(place: Path) -> None:
    with Index.create(place, [{"id": "a", "text": EIGHT}], timeout=5) as index:
        def source() -> Iterator[Any]:
            index.add([{"id": "b", "text": EIGHT}])
            yield {"id": "c", "text": EIGHT}
        assert {at.page for at in index.check(source()).groups[0].occurrences} == {"a", "b", "c"}
        index.check(source(), add=True)
        for page in index.pages():
            index.add([{"id": f"{page.id}2", "text": OTHER}])
        with index._store.reading():
            assert index.remove(["a2", "b2", "c2"]) == 3
        with index._store.writing(), pytest.raises(BusyIndexError, match="Do one after the other"):
            index.remove("a")
        assert sorted(index.ids()) == ["a", "b", "c"]


def test_an_error_of_where_pages_come_from_is_not_taken_for_one_of_the_index(place: Path) -> None:
    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        def source() -> Iterator[Any]:
            yield {"id": "c", "text": EIGHT}
            raise sqlite3.OperationalError("no such table: mine")
        for ask in (lambda: index.add(source()), lambda: index.check(source()), lambda: index.check(source(), add=True)):
            with pytest.raises(sqlite3.OperationalError, match="no such table: mine"):
                ask()  # type: ignore[no-untyped-call]
        assert list(index.ids()) == ["a"]


def test_pages_are_read_before_others_have_to_wait(place: Path) -> None:
    with Index.create(place) as index:
        def source() -> Iterator[Any]:
            with Index.open(place, timeout=0) as other:
                other.add([{"id": "b", "text": EIGHT}])
            yield {"id": "c", "text": EIGHT}
        assert {at.page for at in index.check(source(), add=True).groups[0].occurrences} == {"b", "c"}


def test_threads_with_other_settings_do_not_disturb_each_other(place: Path) -> None:
    failed: list[BaseException] = []
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with Index.create(place, [{"id": "a", "text": EIGHT}], levels="passage") as index:
        class Forgetful(dict[Any, Any]):
            def __contains__(self, key: object) -> bool:
                known = super().__contains__(key)
                index._asked = {}  # another thread puts its own there at this very moment
                return known

        def work(number: int) -> None:
            try:
                for n in range(20):
                    index.check(EIGHT, threads=1, min_chars=number * 100 + n)
            except BaseException as error:
                failed.append(error)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        index._asked = Forgetful(index._asked)
        index.check(EIGHT, threads=1, min_chars=319)
    sys.setswitchinterval(before)
    assert not failed


def test_a_snapshot_has_its_own_state_whatever_other_threads_see(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        store: Any = index._store

        def set_as_another_thread_does(self: Any, name: str, value: Any) -> None:
            object.__setattr__(self, name, (b"other", State(pages=99)) if name == "_state" else value)
        monkeypatch.setattr(type(store), "__setattr__", set_as_another_thread_does)
        store._state = None
        with store.reading() as snapshot:
            assert snapshot.pages == 1


@pytest.mark.parametrize("level", ["ids", "block", "passage"])
def test_verify_misses_a_level_that_is_not_there(place: Path, level: str) -> None:
    from dedup.index.keys import NAMES

    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        assert index.verify().ok
    connection = sqlite3.connect(place, isolation_level=None)
    state = msgspec.json.decode(read_meta(connection, "state"), type=State)
    gone = [segment for segment in state.segments if NAMES[segment[1]] == level]
    for number, _, _ in gone:
        (data,) = connection.execute("SELECT data FROM segment WHERE number=?", (number,)).fetchone()
        segment = Segment.unpack(data, number)
        connection.execute("DELETE FROM chunk WHERE number >= ? AND number < ?",
                           (segment.first_chunk, segment.first_chunk + len(segment.fence)))
        connection.execute("DELETE FROM segment WHERE number=?", (number,))
    left = tuple(segment for segment in state.segments if segment not in gone)
    put_meta(connection, "state", msgspec.json.encode(msgspec.structs.replace(state, segments=left)))
    connection.close()
    assert gone
    with Index.open(place) as index:
        assert index.verify().problems == (f"the postings of level {level} are not those of the pages",)


def test_no_export_takes_the_place_of_the_index(tmp_path: Path) -> None:
    place = tmp_path / "pages.jsonl"
    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        (tmp_path / "link.jsonl").symlink_to(place)
        for out in (place, str(place), tmp_path / "link.jsonl"):
            with pytest.raises(OutputError, match="is the index itself"):
                index.export(out)
        assert index.export(str(tmp_path / "out.jsonl")) == 1
        assert index.verify().ok


def test_an_export_that_changes_texts_says_so(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("pyarrow")
    with Index.create(place, [{"id": "a", "text": EIGHT}, {"id": "b", "text": f"\ud800 {EIGHT}"}]) as index:
        index.export(place.with_suffix(".parquet"))
        assert "lone surrogates of 1 page became question marks" in caplog.text
        caplog.clear()
        index.remove("b")
        index.export(place.with_suffix(".parquet"))
        assert not caplog.text


def test_a_rebuilt_index_has_its_name_when_it_is_whole(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new = place.with_name("new.dedup")
    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        def fails(*_: Any, **__: Any) -> Any:
            assert not new.exists()
            raise OutputError("no room", str(next(place.parent.glob(".new.dedup*.new"))))
        with monkeypatch.context() as patched:
            patched.setattr(Index, "compact", fails)
            with pytest.raises(OutputError, match=r"new.dedup: no room") as error:
                rebuild(place, new)
        assert error.value.where == str(new)
        assert not [path for path in place.parent.iterdir() if "new" in path.name]
        real = Index.compact

        def somebody_else_is_quicker(made: Index) -> None:
            new.write_text("mine")
            real(made)
        monkeypatch.setattr(Index, "compact", somebody_else_is_quicker)
        for _ in range(2):  # in the middle, and from the beginning
            with pytest.raises(OutputError, match=r"new.dedup: is there already"):
                rebuild(place, new)
            assert new.read_text() == "mine"
            assert len([path for path in place.parent.iterdir() if "new" in path.name]) == 1
        assert index.verify().ok


def test_a_rebuilt_index_does_not_see_what_is_written_meanwhile(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dedup.index import rescue

    pages = [{"id": str(n), "text": f"{n} {EIGHT}"} for n in range(200)]
    with Index.create(place, pages) as index:
        real, read = rescue.stored_page, []

        def meanwhile(*arguments: Any) -> Any:
            if not read:
                index.add([{"id": "0", "text": OTHER}])  # which has the highest number now
            read.append(1)
            return real(*arguments)
        monkeypatch.setattr(rescue, "stored_page", meanwhile)
        assert rebuild(place, place.with_name("new")).pages == 200
    with Index.open(place.with_name("new")) as again:
        assert {page.id: page.text for page in again.pages()} == {page["id"]: page["text"] for page in pages}


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 1e300])
def test_a_time_to_wait_is_some_seconds(place: Path, seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    Index.create(place, [{"id": "a", "text": EIGHT}]).close()
    with pytest.raises(OptionError, match=r"timeout: .* is no time to wait. Give seconds, 0 or more"):
        Index.open(place, timeout=seconds)
    assert cli.main(["index", "remove", str(place), "a", f"--wait={seconds}"]) == 2
    assert "dedup: --wait: " in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_named(place: Path) -> None:
    for make in (Index.create, lambda out: rebuild(place, out)):
        Index.create(place.with_name("i"), [{"id": "a", "text": EIGHT}]).close()
        with pytest.raises(OutputError, match="nowhere: there is no such folder"):
            make(place.parent / "nowhere" / "new")
        place.with_name("i").rename(place)


@as_nobody
def test_a_folder_that_may_not_be_written_to_is_told() -> None:
    with tempfile.TemporaryDirectory() as folder:
        refused_in(Path(folder))


def refused_in(folder: Path) -> None:
    place = folder / "i.dedup"
    (folder / "new.txt").write_text(EIGHT)
    Index.create(place, [{"id": "a", "text": EIGHT}]).close()
    folder.chmod(0o555)
    asked: list[tuple[str, list[str]]] = [("check", ["new.txt"]), ("add", ["new.txt"]), ("info", []),
                                          ("rebuild", ["-o", "/tmp/none.dedup"])]
    for action, more in asked:
        command = ["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-m", "dedup", "index", action]
        done = subprocess.run([*command, str(place), *more], cwd=folder, text=True, capture_output=True, check=False)
        assert done.returncode == 2
        assert "nobody may write to its folder, where its log has to lie. Copy it to a folder" in done.stderr


def test_an_index_that_is_closed_when_its_making_fails_can_be_gone_on_with(place: Path) -> None:
    def source() -> Iterator[Any]:
        yield {"id": "a", "text": EIGHT}
        raise DedupError("the source ended")
    with pytest.raises(DedupError, match="the source ended"):
        Index.create(place, source())
    assert [path.name for path in place.parent.iterdir()] == [place.name]
    with Index.open(place) as index:
        assert index.add([{"id": "a", "text": EIGHT}]).added == 1


def test_verify_finds_a_record_whose_checksum_was_made_anew_and_a_chunk_too_many(place: Path) -> None:
    from dedup.index.records import seal, unseal

    with Index.create(place, [{"id": "a", "text": EIGHT, "title": "Old"}]) as index:
        assert index.verify().ok
    connection = sqlite3.connect(place, isolation_level=None)
    (data,) = connection.execute("SELECT data FROM page WHERE number=0").fetchone()
    other = msgspec.structs.replace(unseal(data, 0), title=b"New")  # which no posting knows of
    connection.execute("UPDATE page SET data=? WHERE number=0", (seal(other),))
    with Index.open(place) as index:
        assert index.verify().problems == ("page 0 is not what was stored",)
    connection.execute("UPDATE page SET data=? WHERE number=0", (data,))
    connection.execute("INSERT INTO chunk SELECT number + 100, data FROM chunk LIMIT 1")
    (chunks,) = connection.execute("SELECT count(*) FROM chunk").fetchone()
    connection.close()
    with Index.open(place) as index:
        assert index.verify().problems == (f"there are {chunks} chunks of postings and should be {chunks - 1}",)


def test_what_is_acknowledged_was_given_to_the_disk(place: Path) -> None:
    with Index.create(place) as index:
        connection = index._store._connection()  # type: ignore[attr-defined]
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(("name", "old", "new"), [
    ("state", b'"pages":2', b'"pages":3'), ("state", b'"next_page":2', b'"next_page":1'),
    ("recipe", b'"min_tokens":5', b'"min_tokens":6')])
def test_a_change_of_the_root_is_damage(name: str, old: bytes, new: bytes, place: Path) -> None:
    Index.create(place, [{"id": "a", "text": EIGHT}, {"id": "b", "text": OTHER}], min_tokens=5).close()
    connection = sqlite3.connect(place, isolation_level=None)
    (data,) = connection.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
    assert old in data
    connection.execute("UPDATE meta SET value=? WHERE name=?", (data.replace(old, new), name))
    connection.close()
    with pytest.raises(DamagedIndexError, match=f"the record '{name}' is damaged"), Index.open(place) as index:
        index.check(EIGHT)


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="no file systems are told apart here")
def test_on_a_read_only_file_system_an_index_is_read_without_a_log(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Index.create(place, [{"id": "a", "text": EIGHT}]).close()
    still = (place.name, "copy")
    said = {"statvfs": lambda path: SimpleNamespace(f_flag=os.ST_RDONLY if path.name in still else 0),
            "access": lambda path, mode: path.name not in still}
    read_only = SimpleNamespace(**(vars(os) | said))
    monkeypatch.setattr("dedup.index.sqlite_file.os", read_only)
    with Index.open(place) as index:
        assert len(index.check(f"More. {EIGHT}").groups) == 1
        assert index.verify().ok
        assert [path.name for path in place.parent.iterdir()] == [place.name]
        with pytest.raises(OutputError, match="attempt to write a readonly database"):
            index.add([{"id": "b", "text": EIGHT}])
    assert rebuild(place, place.with_name("new")).pages == 1
    monkeypatch.undo()
    with Index.open(place) as index:
        index.add([{"id": "b", "text": EIGHT}])
        for end in ("", "-wal"):
            shutil.copy(f"{place}{end}", place.with_name(f"copy{end}"))
    monkeypatch.setattr("dedup.index.sqlite_file.os", read_only)
    with Index.open(place.with_name("copy")) as index:  # with a log it is read with it, or not at all
        assert "b" in index


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not say which files are open")
def test_a_file_is_made_small_on_the_disk_and_not_in_memory(place: Path) -> None:
    """A file of many gigabytes would not have room there: the new one is made in a file that has no name."""
    seen: set[str] = set()

    def look() -> int:
        for number in os.listdir("/proc/self/fd"):
            try:
                seen.add(Path(os.readlink(f"/proc/self/fd/{number}")).name)
            except OSError:  # it was closed
                continue
        return 0
    with Index.create(place, [{"id": str(n), "text": f"{EIGHT} {os.urandom(4000).hex()}"} for n in range(60)]) as index:
        connection = index._store._connection()  # type: ignore[attr-defined]
        connection.execute("PRAGMA cache_size=10")
        connection.set_progress_handler(look, 100)
        index.compact()
        connection.set_progress_handler(None, 0)
        assert len(index) == 60
        assert index.verify().ok
    assert [name for name in seen if name.startswith("etilqs_")]


def test_damage_that_sqlite_quotes_in_bytes_of_no_text_is_told_as_other_damage_is(place: Path) -> None:
    Index.create(place, [{"id": "a", "text": EIGHT}]).close()
    data = bytearray(place.read_bytes())
    data[data.index(b"tablepagepage") + len("table")] = 0xDB  # in a name, which the message of SQLite quotes
    place.write_bytes(data)
    with pytest.raises(DamagedIndexError, match=r"the file is damaged \(malformed database schema \(.*\\xdb"):
        Index.open(place)
    with pytest.raises(DamagedIndexError, match="what it was made by cannot be read"):
        rebuild(place, place.with_name("rebuilt"))
    assert not rebuild(place, place.with_name("rebuilt"), levels="page").pages
