"""An index through what happens to processes, disks and files: kill -9, a full disk, damage, many at once.

``make test`` tries some points of each, ``make test-soak`` hundreds.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from index_help import groups_of, made_pages, points
from index_worker import text_of

from dedup.errors import DamagedIndexError, DedupError, OutputError
from dedup.index import Index, rebuild

pytestmark = pytest.mark.slow
TESTS = Path(__file__).parents[1]
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* The n-th write to a file of the index (DEDUP_TEST_NTH) and all after it fail with ENOSPC. */
static long left = -1;
static int fails(int fd) {
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) return 0;
    name[length] = 0;
    if (!strstr(name, ".dedup")) return 0;
    if (left < 0) left = atol(getenv("DEDUP_TEST_NTH"));
    if (left > 0) { left--; return 0; }
    errno = ENOSPC;
    return 1;
}
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    return fails(fd) ? -1 : real(fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }
ssize_t write(int fd, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    return fails(fd) ? -1 : real(fd, data, size);
}
int ftruncate64(int fd, off_t size) {
    static int (*real)(int, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "ftruncate64");
    return fails(fd) ? -1 : real(fd, size);
}
"""


def started(place: Path, seed: int, what: str, first: int = 0) -> subprocess.Popen[str]:
    """A process that has the index open."""
    process = subprocess.Popen([sys.executable, str(TESTS / "index_worker.py"), str(place), str(seed), what, str(first)],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def killed(process: subprocess.Popen[str]) -> list[list[str]]:
    """Kill a process; all whole lines that it said."""
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    process.wait()
    return [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]


def possible(lines: Iterable[list[str]], before: Iterable[str] = ()) -> list[set[str]]:
    """The ids that there may be after the lines: all acknowledged work is done, what was begun last is or is not."""
    there, begun = set(before), None
    for line in lines:
        if line[0] == ">":
            begun = line[1:]
            continue
        assert begun == line
        there, begun = after(there, line), None
    return [there] if begun is None else [there, after(there, begun)]


def after(there: set[str], line: list[str]) -> set[str]:
    """The ids after a piece of work."""
    return there | set(line[1:]) if line[0] == "add" else there - set(line[1:]) if line[0] == "remove" else there


def assert_whole(place: Path, ids: list[set[str]]) -> None:
    """The index holds the pages of one of the sets, and answers for each as it should."""
    with Index.open(place) as index:
        verified = index.verify(threads=1)
        assert verified.ok, verified.problems
        there = list(index.ids())
        assert len(there) == len(set(there)) == len(index)
        assert set(there) in ids, [len(there), *map(len, ids)]
        assert {page.id: page.text for page in index.pages()} == {name: text_of(name) for name in there}
        for name in there[:3]:
            report = index.check({"id": "asked", "text": text_of(name)})
            assert name in {at.page for group in report.groups for at in group.occurrences}


@points(10, 200)
@pytest.mark.skipif(os.name != "posix", reason="no kill -9 here")
def test_a_killed_process_loses_nothing_that_was_acknowledged_and_leaves_no_half(seed: int, tmp_path: Path) -> None:
    place = tmp_path / "i.dedup"
    Index.create(place, levels="page,passage").close()
    chance = random.Random(seed)
    kinds = ("add", "add,add,remove", "add,remove,compact")[seed % 3]
    process = started(place, seed, kinds)
    time.sleep(chance.uniform(0.02, 2.0))
    lines = killed(process)
    ids = possible(lines)
    assert_whole(place, ids)
    with Index.open(place) as index:  # and it goes on
        index.add([{"id": "one more", "text": text_of("one more")}])
        assert "one more" in index
        assert index.verify().ok


@pytest.mark.skipif(shutil.which("cc") is None or not sys.platform.startswith("linux"),
                    reason="LOUD: no write of an index is made to fail: there is no C compiler, or this is not Linux")
@points(10, 200)
def test_a_full_disk_is_an_error_and_all_else_stays_as_it_was(seed: int, tmp_path: Path) -> None:
    source, shim, place = tmp_path / "shim.c", tmp_path / "shim.so", tmp_path / "i.dedup"
    source.write_text("#include <stdio.h>\n" + SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(source), "-ldl"], check=True)
    Index.create(place, [{"id": str(n), "text": text_of(n)} for n in range(40)]).close()
    nth = seed if seed < 5 else random.Random(seed).randint(5, 120)
    process = subprocess.run(
        [sys.executable, str(TESTS / "index_worker.py"), str(place), str(seed), "add,remove,compact", "1000"], text=True,
        capture_output=True, env=os.environ | {"LD_PRELOAD": str(shim), "DEDUP_TEST_NTH": str(nth)}, check=False)
    assert process.returncode == 1
    assert "OutputError" in process.stderr.splitlines()[-1], process.stderr[-2000:]
    lines = [line.split() for line in process.stdout.splitlines()]
    assert_whole(place, possible([line for line in lines if line != ["begun"]], map(str, range(40))))


def test_a_full_disk_is_one_line_that_names_the_index(tmp_path: Path) -> None:
    with Index.create(tmp_path / "i.dedup") as index:
        index._store._connection().execute("PRAGMA max_page_count=12")  # type: ignore[attr-defined]
        with pytest.raises(OutputError, match=r"i.dedup: it cannot be written or read here \(database or disk is full\)"):
            index.add(made_pages(1, 300))
        assert len(index) == 0
        assert index.verify().ok


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any], list[Any]]:
    """An index of one file, pages to ask it for, and its answers."""
    place = tmp_path_factory.mktemp("healthy") / "i.dedup"
    pages, asked = made_pages(11, 150), made_pages(11, 160, "q")[148:154]
    with Index.create(place, levels="page,block,passage") as index:
        index.add(pages[:100])
        index.remove([page["id"] for page in pages[:10]])
        index.add(pages[100:])
        answers = [groups_of(index.check(page)) for page in asked]
    return place, asked, answers


@points(20, 1000)
def test_a_damaged_file_is_an_error_or_answers_as_before(seed: int, healthy: Any, tmp_path: Path) -> None:
    place, asked, answers = healthy
    copy, chance = tmp_path / "i.dedup", random.Random(seed)
    data = bytearray(place.read_bytes())
    kind = chance.choice(["byte", "bit", "bit", "block", "cut", "swap"])
    at = chance.randrange(len(data))
    if kind == "byte":
        data[at] = chance.randrange(256)
    elif kind == "bit":
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "block":
        data[at:at + 512] = bytes(min(512, len(data) - at))
    elif kind == "cut":
        del data[-chance.choice([1, 7, 512, 16_384, 40_000]):]
    else:  # two pages of the database change places
        a, b = (16_384 * chance.randrange(1, len(data) // 16_384) for _ in range(2))
        data[a:a + 16_384], data[b:b + 16_384] = data[b:b + 16_384], data[a:a + 16_384]
    copy.write_bytes(data)
    got, verified, told = None, None, str(copy)
    try:
        with Index.open(copy, timeout=1) as index:
            verified = index.verify(threads=1).ok
            got = [groups_of(index.check(page, threads=1)) for page in asked]
    except DedupError as error:
        told = str(error)
    assert str(copy) in told
    assert got is None or got == answers, kind
    if verified and got is None:
        raise AssertionError(f"verify found nothing wrong, and yet it gives no answer ({kind} at {at})")
    if got is None or not verified:  # what is whole is saved, and nothing else
        try:
            rebuild(copy, tmp_path / "new.dedup")
        except DedupError:
            return
        whole = {page["id"]: page["text"] for page in made_pages(11, 150)}
        with Index.open(tmp_path / "new.dedup") as again:
            assert again.verify(threads=1).ok
            assert all(whole[page.id] == page.text for page in again.pages())


def test_a_row_that_is_gone_is_damage(healthy: Any, tmp_path: Path) -> None:
    import sqlite3

    place, asked, _ = healthy
    for number, sql in enumerate(("DELETE FROM page", "DELETE FROM chunk", "DELETE FROM segment", "DELETE FROM meta",
                                  "DELETE FROM page WHERE number = 149", "UPDATE chunk SET data = 'text'",
                                  "DELETE FROM chunk WHERE number = (SELECT max(number) FROM chunk)",
                                  "CREATE TRIGGER t AFTER INSERT ON page BEGIN DELETE FROM page; END")):
        copy = tmp_path / f"{number}.dedup"
        shutil.copy(place, copy)
        with sqlite3.connect(copy) as connection:
            connection.execute(sql)
        connection.close()
        told = str(copy)
        try:
            with Index.open(copy) as index:
                assert index.verify(threads=1).problems, sql
                if "149" not in sql and "max(" not in sql:
                    with pytest.raises(DamagedIndexError, match="dedup index rebuild"):
                        index.check(asked, threads=1)
        except DamagedIndexError as error:
            told = str(error)
        assert str(copy) in told


def test_a_number_far_away_does_not_make_it_go_on_for_ever(healthy: Any, tmp_path: Path) -> None:
    import sqlite3

    copy = tmp_path / "i.dedup"
    shutil.copy(healthy[0], copy)
    with sqlite3.connect(copy) as connection:
        connection.execute(f"INSERT INTO page VALUES({2**60}, x'00')")
    connection.close()
    with Index.open(copy) as index:
        assert f"the record of page {2**60} is damaged" in index.verify(threads=1).problems
    done = rebuild(copy, tmp_path / "new.dedup")
    assert done.problems == (f"the record of page {2**60} is damaged",)
    assert done.pages == 140


@pytest.mark.skipif(os.name != "posix", reason="no kill -9 here")
@pytest.mark.parametrize("seconds", [5.0, pytest.param(120.0, marks=pytest.mark.soak)])
def test_many_processes_at_once_of_which_some_are_killed(seconds: float, tmp_path: Path) -> None:
    place, chance = tmp_path / "i.dedup", random.Random(1)
    Index.create(place, [{"id": str(n), "text": text_of(n)} for n in range(100)], levels="page,passage").close()
    kinds = ["add,add,remove,compact", *["add,add,remove"] * 3]
    writers = [started(place, n, kind, 1_000_000 * (n + 1)) for n, kind in enumerate(kinds)]
    readers = [started(place, n, "read") for n in range(4)]
    said: list[list[list[str]]] = []
    until, number = time.monotonic() + seconds, 4
    while time.monotonic() < until:
        time.sleep(min(5.0, seconds / 4))
        victim = chance.randrange(4)
        said.append(killed(writers[victim]))
        number += 1
        writers[victim] = started(place, number, "add,add,remove", 1_000_000 * number)
        victim = chance.randrange(4)
        reader = killed(readers[victim])
        assert reader
        assert all(line[2] != "0" for line in reader), "a page that is there was not found"
        readers[victim] = started(place, number, "read")
    said += [killed(writer) for writer in writers]
    assert all(line[2] != "0" for reader in readers for line in killed(reader))
    sure, perhaps = set(map(str, range(100))), set[str]()
    for lines in said:
        ids = possible(lines)
        sure |= set.intersection(*ids)
        perhaps |= set.union(*ids)
    with Index.open(place) as index:
        there = set(index.ids())
        verified = index.verify()
    assert verified.ok, verified.problems
    assert sure <= there <= sure | perhaps
    assert len(there) > 100
