"""What a transaction sees of an index in a file, and what it writes: pages, and segments of postings."""

from __future__ import annotations

import bisect
import copy
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.columns import distinct_numbers
from dedup.errors import DamagedIndexError, OutputError
from dedup.index.affine32 import Sketched
from dedup.index.keys import DEAD, ID, id_keys, id_rows
from dedup.index.records import Packer, Record, Stored, seal, stored_texts, unseal
from dedup.index.segments import (
    CHUNK_BYTES,
    MOST_CHUNKS,
    Chunks,
    Found,
    Rows,
    Segment,
    checksum,
    find_keys,
    in_windows,
    merged,
    pack_chunks,
    whole_chunks,
)
from dedup.index.sqlite_file import as_bytes, chunks_of, put_meta, rows_of
from dedup.index.store import ENOUGH, Passes, StoppedError, never
from dedup.model import NO_META

if TYPE_CHECKING:
    from dedup.index.sqlite import SqliteStore

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

DEEPEST = MOST_CHUNKS * 8**3  # chunks of one key that are read in each segment, at most: 16 MB
BESIDE = 8  # chunks of so many that lie side by side are read together
GROWTH = 4  # a segment is merged with those that have less than so many times its rows


class SqliteSnapshot:
    """An index as a transaction sees it."""

    def __init__(self, store: SqliteStore, connection: sqlite3.Connection) -> None:
        self.store, self.connection = store, connection
        self.state, self.fresh = store.state(connection), dict[int, Segment]()
        self._first_fresh = self.state.next_chunk, self.state.next_page  # from here on other ones may get their numbers

    @property
    def pages(self) -> int:
        """How many there are."""
        return self.state.pages

    @property
    def packer(self) -> Packer:
        """Packs and unpacks texts."""
        return self.store.packer(self.connection, self.state)

    def find(self, level: int, keys: U64, names: Mapping[int, tuple[int, bytes]] = MappingProxyType({}),
             passes: Passes | None = None) -> Found:
        """The places of keys, ascending and each once, on pages that are there."""
        segments, dead, read = self.directories_of(level), self.dead_pages(), MOST_CHUNKS
        may_hold = None if self._all_have_room else self._may_hold
        found = _counting(find_keys(segments, keys, self._chunks, may_hold=may_hold), dead, passes)
        while not found.all_read and read < DEEPEST and (unread := found.unread()).any():
            few = np.flatnonzero((unread > 0) & (found.pages_of_each() < ENOUGH))
            if not len(few):
                break
            more = find_keys(segments, keys[few], self._chunks, read, 7 * read)
            more = _counting(Found(few[more.query], more.page, more.extra, _spread(more.count, few, len(keys))), dead, passes)
            found = _with_more(found, more, few)
            read *= 8
        return found

    def directories_of(self, level: int) -> list[Segment]:
        """The directories of a level's segments."""
        return self.store.directories(self.connection, self.state, level, self.fresh)

    def dead_pages(self) -> I64:
        """Numbers of removed pages that postings still name, ascending."""
        return self.store.dead(self.connection, self.state, self.fresh)

    def _chunks(self, numbers: I64) -> Chunks:
        """Chunks by their numbers, which ascend and may repeat."""
        lasting = int(numbers.searchsorted(self._first_fresh[0]))
        return self.store.chunks.take(numbers, lasting, self._read_chunks, self._beside)

    def _read_chunks(self, numbers: list[int]) -> list[bytes]:
        if not numbers:
            return []
        if self._all_have_room:
            return whole_chunks(rows_of(self.connection, "chunk", numbers), numbers)
        asked = np.array(numbers, np.int64)
        along = self.store.sieves.beside(asked)
        chunks = whole_chunks(rows_of(self.connection, "chunk", along.tolist()), along.tolist())
        self.store.sieves.note(along, chunks)
        return [chunks[row] for row in along.searchsorted(asked).tolist()] if len(along) > len(asked) else chunks

    def _may_hold(self, segment: Segment, chunk: I64, key: U64) -> npt.NDArray[np.bool_]:
        """Which chunks of a segment, from 0 on, may hold a key."""
        sieve = self.store.sieves.of(segment) if segment.number not in self.fresh else None
        return np.ones(len(key), bool) if sieve is None else sieve.may_hold(chunk, key)

    @cached_property
    def _all_have_room(self) -> bool:
        """All chunks have room in memory. Where they have not, there are bitmaps of what they hold."""
        segments = self._segments()
        have_room = sum(len(segment.fence) for segment in segments) * CHUNK_BYTES <= self.store.chunk_bytes
        self.store.sift([] if have_room else [segment for segment in segments if segment.number not in self.fresh])
        return have_room

    def _segments(self) -> list[Segment]:
        """The directories of all levels' segments."""
        levels = {level for _, level, _ in self.state.segments}
        return [segment for level in levels for segment in self.directories_of(level)]

    def _beside(self, numbers: I64) -> I64 | None:
        """Chunks that lie beside some in the file, where all that there are have room in memory: soon all are there."""
        if not self._all_have_room:
            return None
        segments = self._segments()
        near = distinct_numbers((numbers[:, None] // BESIDE * BESIDE + np.arange(BESIDE)).reshape(-1))
        near = near[:near.searchsorted(self._first_fresh[0])]
        return np.concatenate([near[near.searchsorted(segment.first_chunk):
                                    near.searchsorted(segment.first_chunk + len(segment.fence))] for segment in segments])

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """Records of pages that are there."""
        ordered = sorted(numbers)
        found = dict(zip(ordered, rows_of(self.connection, "page", ordered), strict=True))
        return [unseal(found[number], number) for number in numbers]

    def pages_of(self, numbers: Sequence[int]) -> list[Stored]:
        """Pages as they were when they were stored, by their numbers, which ascend."""
        lasting = bisect.bisect_left(numbers, self._first_fresh[1])
        kept = self.store.pages.take(numbers[:lasting], self._read_pages, _page_bytes)
        return [one if one.page.meta is NO_META else _own(one) for one in kept] + self._read_pages(numbers[lasting:])

    def _read_pages(self, numbers: Sequence[int]) -> list[Stored]:
        return stored_texts(self.records(numbers), self.packer) if numbers else []

    def numbers_of(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """The pages that have these ids."""
        if not len(ids):
            return {}
        keys = np.unique(id_keys(list(ids)))
        found = self.find(ID, keys)
        if not len(found.page):
            return {}
        pages = {record.id: record.number for record in self.records(np.unique(found.page).tolist())}
        return {id_: pages[id_] for id_ in ids if id_ in pages}

    def all_records(self, after: int = -1) -> Iterator[Record]:
        """All pages, in the order in which they were added.

        Args:
            after: Only those with higher numbers.
        """
        count, last = 0, after
        sql = "SELECT number, data FROM page WHERE number > ? ORDER BY number"
        for number, data in self.connection.execute(sql, (after,)):
            if number <= last:
                raise DamagedIndexError("the pages are not in their order")
            count, last = count + 1, number
            yield unseal(as_bytes(data, "page", number), number)
        if after < 0 and count != self.state.pages:
            raise DamagedIndexError(f"it holds {count:,} pages and should hold {self.state.pages:,}")

    def next_number(self, after: int) -> int | None:
        """The next page's number, whether its record is whole or not."""
        row = self.connection.execute("SELECT number FROM page WHERE number > ? ORDER BY number LIMIT 1", (after,)).fetchone()
        return None if row is None else int(row[0])


class SqliteWriter(SqliteSnapshot):
    """An index that this thread alone writes to."""

    def add(self, records: Sequence[Record], keys: Mapping[int, Rows | Sketched]) -> None:
        """Pages that are numbered from 0 on, with their keys."""
        base = self.state.next_page
        if base + len(records) >= 1 << 32:
            raise OutputError("an index numbers 4,294,967,296 pages, those that were replaced too", self.store.name,
                              "Make a new one with: dedup index rebuild.")
        numbered = (msgspec.structs.replace(record, number=base + record.number) for record in records)
        self.connection.executemany("INSERT INTO page VALUES(?, ?)", ((record.number, seal(record)) for record in numbered))
        self._change(pages=self.state.pages + len(records), next_page=base + len(records),
                     text_bytes=self.state.text_bytes + sum(record.size for record in records))
        ids = id_rows([record.id for record in records])
        for level, rows in {ID: ids, **keys}.items():
            if isinstance(rows, Sketched):
                raise TypeError("sketches of datasketch's are for its storages")
            self.write_segment(level, iter([rows.shifted(base)]))

    def remove(self, numbers: Sequence[int]) -> None:
        """Take pages away, which are there."""
        if not numbers:
            return
        gone = self.records(numbers)
        self.connection.executemany("DELETE FROM page WHERE number=?", ((number,) for number in numbers))
        dead = np.sort(np.array(numbers, np.uint64))
        self.write_segment(DEAD, iter([Rows(dead, np.zeros(len(dead), np.uint32), np.zeros(len(dead), np.uint32))]))
        self._change(pages=self.state.pages - len(gone),
                     text_bytes=self.state.text_bytes - sum(record.size for record in gone))

    def learn(self, dictionary: bytes) -> None:
        """Pack what comes with another dictionary."""
        number = self.state.dictionary + 1
        data = checksum(dictionary, b"dictionary", number) + dictionary
        self.connection.execute("INSERT INTO dictionary VALUES(?, ?)", (number, data))
        self._change(dictionary=number)

    def write_segment(self, level: int, windows: Iterator[Rows]) -> None:
        """A new segment of rows that come in their order, some at a time."""
        first, number = self.state.next_chunk, self.state.next_segment
        at, fence, sizes = first, [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        for rows in windows:
            chunks, counts = pack_chunks(rows, level, at)
            self.connection.executemany("INSERT INTO chunk VALUES(?, ?)", enumerate(chunks, at))
            fence.append(rows.key[np.cumsum(counts) - counts])
            sizes.append(counts)
            at += len(chunks)
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(sizes))]).astype(np.uint64)
        segment = Segment(number, level, first, np.concatenate(fence), before)
        if not len(segment):
            return
        self.connection.execute("INSERT INTO segment VALUES(?, ?)", (number, segment.pack()))
        self.fresh[number] = segment
        self._change(next_chunk=at, next_segment=number + 1, segments=(*self.state.segments, (number, level, len(segment))))

    def due(self, more: bool = False) -> list[int]:
        """Levels that have segments to be merged."""
        levels = sorted({level for _, level, _ in self.state.segments})
        return [level for level in levels if len(self._to_merge(level, more)) > 1]

    def _to_merge(self, level: int, more: bool) -> list[int]:
        """Segments of a level that are merged next.

        Args:
            more: Others are to come soon.
        """
        sizes = sorted((rows, number) for number, of_level, rows in self.state.segments if of_level == level)
        return [number for _, number in (_of_one_size(sizes) if more else _small_ones(sizes))]

    def settle(self, level: int, stopped: Callable[[], bool], more: bool) -> None:
        """Merge the small segments of a level."""
        chosen = self._to_merge(level, more)
        if len(chosen) > 1:
            self.merge(level, set(chosen), stopped)

    def merge(self, level: int, numbers: set[int], stopped: Callable[[], bool] = never) -> None:
        """Some segments of a level become one, without the rows of pages that are gone.

        Raises:
            StoppedError: It was stopped; what was written is not to be kept.
        """
        segments = [segment for segment in self.directories_of(level)
                    if segment.number in numbers]
        dead = self.dead_pages() if level != DEAD else np.empty(0, np.int64)
        windows = merged([in_windows(chunks_of(self.connection, segment)) for segment in segments])
        self.write_segment(level, (alive for rows in _until(stopped, windows) if len(alive := _alive(rows, dead))))
        self.drop(segments)

    def drop(self, segments: Sequence[Segment]) -> None:
        """Take segments away."""
        for segment in segments:
            self.connection.execute("DELETE FROM chunk WHERE number >= ? AND number < ?",
                                    (segment.first_chunk, segment.first_chunk + len(segment.fence)))
            self.connection.execute("DELETE FROM segment WHERE number=?", (segment.number,))
        gone = {segment.number for segment in segments}
        self._change(segments=tuple(kept for kept in self.state.segments if kept[0] not in gone))

    def _change(self, **fields: Any) -> None:
        self.state = msgspec.structs.replace(self.state, **fields)

    def end(self) -> None:
        """Write down what there is now."""
        if self.state is not self.store.state(self.connection):
            self._change(change=self.state.change + 1)
            put_meta(self.connection, "state", msgspec.json.encode(self.state))


def _small_ones(sizes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """From the smallest segment on those that have each less than ``GROWTH`` times the rows before: few are left."""
    total = 0
    for chosen, (rows, _) in enumerate(sizes):
        if chosen and rows >= GROWTH * total:
            return sizes[:chosen]
        total += rows
    return sizes


def _of_one_size(sizes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The smallest ``GROWTH`` segments of which none has ``GROWTH`` times the rows of another: few rows are written anew."""
    for begin, ((least, _), (most, _)) in enumerate(zip(sizes, sizes[GROWTH - 1:], strict=False)):
        if most < GROWTH * least:
            return sizes[begin:begin + GROWTH]
    return []


def _until(stopped: Callable[[], bool], windows: Iterator[Rows]) -> Iterator[Rows]:
    """All of them, unless it is stopped."""
    for rows in windows:
        if stopped():
            raise StoppedError
        yield rows


def _there(page: npt.NDArray[np.uint32], dead: I64) -> npt.NDArray[np.bool_]:
    """Which pages are not gone."""
    at = np.minimum(np.searchsorted(dead, page), len(dead) - 1)
    there: npt.NDArray[np.bool_] = dead[at] != page
    return there


def _page_bytes(stored: Stored) -> int:
    """What a page takes in memory, about."""
    layout = stored.page.layout
    return 1000 + len(stored.text) + (64 * len(layout.start) if layout is not None else 0)


def _own(stored: Stored) -> Stored:
    """A page whose carried fields nobody else has."""
    page = stored.page
    return Stored(replace(page, meta=copy.deepcopy(page.meta)), stored.text) if page.meta else stored


def _alive(rows: Rows, dead: I64) -> Rows:
    """Rows of pages that are not gone."""
    return rows.take(_there(rows.page, dead)) if len(dead) else rows


def _counting(found: Found, dead: I64, passes: Passes | None) -> Found:
    """The places that count, on pages that are not gone."""
    if len(dead) and len(found.page):
        found = found.only(_there(found.page, dead))
    return found.only(passes(found.query, found.extra)) if passes is not None else found


def _spread(count: I64, of: I64, size: int) -> I64:
    """Counts of some keys as those of all."""
    spread = np.zeros(size, np.int64)
    spread[of] = count
    return spread


def _with_more(found: Found, more: Found, of: I64) -> Found:
    """What was found, and what was found further on of some keys: what is unread of these is what is unread there."""
    query = np.concatenate([found.query, more.query])
    order = np.argsort(query, kind="stable")
    page, extra = (np.concatenate([getattr(found, name), getattr(more, name)])[order] for name in ("page", "extra"))
    unread = found.unread()
    unread[of] = more.unread()[of]
    return Found(query[order], page, extra, np.bincount(query, minlength=len(unread)) + unread)
