"""What tells which chunks of postings need not be read, where not all of them have room in memory: answers are the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from index_help import groups_of, made_pages

from dedup.index import Index
from dedup.index.keys import BLOCK, DEAD
from dedup.index.recent import RecentChunks
from dedup.index.segments import Segment, pack_chunks, sorted_rows
from dedup.index.sieve import LEAST_WORDS, Sieves
from dedup.index.sqlite_pages import SqliteSnapshot
from dedup.kernel.twin_postings import BEGIN_BITS
from dedup.kernel.twin_sieve import MOST_WORDS

SMALL = 4000  # bytes for postings: next to none have room


def with_little_room(index: Index) -> Any:
    """The store of an index, which has room for next to no postings from now on."""
    store: Any = index._store
    store.chunks.most = store.chunk_bytes = SMALL
    store.sieves.most = 1 << 20
    return store


def segment(number: int, chunks: int) -> Segment:
    return Segment(number, 1, 1000 * number, np.arange(chunks, dtype=np.uint64), np.arange(chunks + 1, dtype=np.uint64))


def test_the_longest_segments_have_bitmaps_first_and_narrow_ones_where_room_is_scarce():
    sieves = Sieves(8 * MOST_WORDS * 100 + 8 * LEAST_WORDS * 50)
    sieves.follow([segment(1, 10), segment(2, 100), segment(3, 50)])
    assert [sieves.of(segment(number, 1)) is not None for number in (1, 2, 3)] == [False, True, True]
    wide, narrow = sieves.of(segment(2, 1)), sieves.of(segment(3, 1))
    assert wide is not None
    assert narrow is not None
    assert (wide.words, narrow.words) == (MOST_WORDS, LEAST_WORDS)
    assert sieves.bytes == wide.absent.nbytes + narrow.absent.nbytes == sieves.most
    sieves.follow([segment(2, 100), segment(4, 20)])
    assert sieves.of(segment(2, 1)) is wide  # what is known of it is known
    assert [sieves.of(segment(number, 1)) is not None for number in (1, 3, 4)] == [False, False, True]
    assert sieves.bytes == 8 * (MOST_WORDS * 100 + LEAST_WORDS * 2 * 20)


def test_of_what_is_kept_so_much_is_forgotten_that_the_rest_has_less_room():
    def read(numbers: list[int]) -> list[bytes]:
        asked.extend(numbers)
        return [number.to_bytes(10, "big") for number in numbers]
    asked: list[int] = []
    for filled in (1, 3, 6):  # of eight buffers
        recent = RecentChunks(8 * 100, 8)
        for first in range(0, 10 * filled, 10):
            recent.take(np.arange(first, first + 10), 10, read)
        recent.resize(350)
        assert (len(recent._buffers), recent.most) == (3, 350)
        asked.clear()
        kept = 10 * min(filled, 3)
        recent.take(np.arange(kept), kept, read)
        assert not asked
        assert not recent._behind[kept:].any()
        for first in range(0, 80, 10):
            buffers, place = recent.take(np.arange(first, first + 10), 10, read)
            found = [buffers[at >> BEGIN_BITS][(begin := at & (1 << BEGIN_BITS) - 1):begin + 10] for at in place.tolist()]
            assert [int.from_bytes(data, "big") for data in found] == list(range(first, first + 10))
        asked.clear()
        recent.take(np.arange(70, 80), 10, read)
        assert not asked  # the last ones are kept
        recent.resize(800)
        for first in (70, 100, 110, 120, 130, 140):
            recent.take(np.arange(first, first + 10), 10, read)
        asked.clear()
        recent.take(np.arange(100, 150), 50, read)
        assert not asked
        assert len(recent._buffers) == 8


@pytest.mark.parametrize("seed", range(4))
def test_an_index_that_has_no_room_for_its_postings_answers_as_one_that_has(seed: int, tmp_path: Path,
                                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes, goes and is merged between the questions."""
    monkeypatch.setattr("dedup.index.sieve.FEW_NOTED", 0 if seed % 2 else 1 << 14)
    monkeypatch.setattr("dedup.index.segments.CHUNK_BYTES", 400)
    some, pages = random.Random(seed), made_pages(seed, 260)
    with Index.create(tmp_path / "index.dedup", pages[:100], levels="page,block,passage") as small:
        store = with_little_room(small)
        with Index.open(tmp_path / "index.dedup") as large:
            for step in range(12):
                asked = some.sample(pages, 5)
                for page in asked:
                    for unit in ("block", "page"):
                        found = small.check(page, unit=unit, except_own=True)
                        assert groups_of(found) == groups_of(large.check(page, unit=unit, except_own=True))
                ids = [page["id"] for page in pages]
                assert [id_ in small for id_ in ids] == [id_ in large for id_ in ids]
                writer = some.choice((small, large))
                if step % 4 == 3:
                    writer.compact()
                elif step % 2:
                    writer.remove([page["id"] for page in asked])
                else:
                    writer.add(some.sample(pages, 40))
        assert store.sieves.bytes


def test_where_all_have_room_again_all_are_kept(tmp_path: Path) -> None:
    pages = made_pages(2, 200)
    with Index.create(tmp_path / "index.dedup", pages, levels="block") as index:
        store: Any = index._store
        room = store.chunk_bytes
        with_little_room(index)
        index.check(pages[0])
        assert store.sieves.bytes > 0
        assert len(store.chunks._buffers) == 1
        store.chunk_bytes = room
        index.check(pages[0])
        assert (store.sieves.bytes, store.chunks.most) == (0, room)
        assert len(store.chunks._buffers) > 100


def test_chunks_beside_those_that_are_read_are_learnt_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.index.sieve.FEW_NOTED", 3)
    monkeypatch.setattr("dedup.index.segments.CHUNK_BYTES", 60)
    key = np.arange(300, dtype=np.uint64)
    chunks, sizes = pack_chunks(sorted_rows(key, np.zeros(300, np.uint32), np.zeros(300, np.uint32)), 1, 7000)
    sieves = Sieves(1 << 20)
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    sieves.follow([Segment(7, 1, 7000, key[first[:-1]], first.astype(np.uint64))])

    def note(numbers: list[int]) -> None:
        sieves.note(np.array(numbers), [chunks[number - 7000] for number in numbers])
    assert sieves.beside(np.array([7001])).tolist() == [7001]  # nobody knows whether more is asked for
    note([7001, 7005, 7006])
    assert len(chunks) == 10
    assert sieves.beside(np.array([20, 7001])).tolist() == [20, 7000, 7001, 7002, 7003]
    assert sieves.beside(np.array([7004, 7009, 7010])).tolist() == [7004, 7007, 7008, 7009, 7010]
    note([7004, 7007])
    assert sieves.beside(np.array([7004, 7005])).tolist() == [7004, 7005]


def test_what_is_known_not_to_be_there_is_not_read_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read = SqliteSnapshot._read_chunks

    def told(self: SqliteSnapshot, numbers: list[int]) -> list[bytes]:
        asked.extend(numbers)
        return read(self, numbers)
    monkeypatch.setattr(SqliteSnapshot, "_read_chunks", told)
    pages, others = made_pages(1, 300), made_pages(99, 40)
    with Index.create(tmp_path / "index.dedup", pages, levels="block") as index:
        index.compact()
        with_little_room(index)
        counts = []
        for _ in range(3):
            asked.clear()
            for page in others:
                index.check(page)
            counts.append(len(asked))
    assert counts[1] < counts[0] / 2
    assert counts[2] <= counts[1]


def taken_back(store: Any) -> None:
    """A transaction that looks for keys in segments of its own and is taken back."""
    with store.writing() as writer:
        before = {number for number, _, _ in writer.state.segments}
        writer.remove([0, 1])
        for level in (BLOCK, DEAD):
            writer.find(level, np.arange(5, dtype=np.uint64), {})
        assert set(store.sieves._of) <= before
        assert set(writer.fresh) - before
        raise RuntimeError("enough")


def test_of_segments_that_may_be_taken_back_nothing_is_noted(tmp_path: Path) -> None:
    """Their numbers are given again to others if they are."""
    pages = made_pages(3, 120)
    with Index.create(tmp_path / "index.dedup", pages[:60], levels="block") as index:
        store = with_little_room(index)
        with pytest.raises(RuntimeError, match="enough"):
            taken_back(store)
        index.add(pages[60:])
        with Index.open(tmp_path / "index.dedup") as other:
            for page in pages[::7]:
                assert groups_of(index.check(page, except_own=True)) == groups_of(other.check(page, except_own=True))
