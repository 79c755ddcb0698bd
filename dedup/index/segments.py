"""Postings: which pages have which keys, in sorted segments that are written once.

A segment is a run of chunks of about 4 kB, each of them readable alone: a header, then three columns of whole numbers, little
endian, as narrow as what is in them allows. Its directory holds the first key of each chunk, so a key is found by one look
into the directory, which stays in memory, and one into a chunk. Chunks and directories say their own numbers and have a
checksum: one that was damaged, or stands in another's place, is an error and never another answer.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.columns import sums
from dedup.errors import DamagedIndexError
from dedup.kernel import kernel
from dedup.kernel.twin_postings import BEGIN_BITS

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

CHUNK_BYTES = 4040  # of one chunk, about: four of them fill a page of 16 kB of the database
WINDOW = 256  # chunks of a segment that are merged at a time
HEAD = struct.Struct("<IHBBBBQQI")  # checksum, rows, widths of keys, pages and extras, level, number, least key, least page
DIRECTORY = np.dtype([("check", "<u4"), ("level", "<u4"), ("number", "<u8"), ("first_chunk", "<u8"), ("chunks", "<u8"),
                      ("rows", "<u8")])
MOST_CHUNKS = 8  # that are read of the places of one key
Chunks = tuple[list[bytes | bytearray], I64]  # buffers, and where in them each of some chunks begins, for the kernel


@dataclass(frozen=True, slots=True)
class Rows:
    """Postings, ascending by key and page, each once.

    Attributes:
        key: 64 bits that stand for what a page holds.
        page: Number of the page.
        extra: 32 bits that say more of the place.
    """

    key: U64
    page: U32
    extra: U32

    def __len__(self) -> int:
        return len(self.key)

    def take(self, rows: I64 | npt.NDArray[np.bool_] | slice) -> Rows:
        """Some of them."""
        return Rows(self.key[rows], self.page[rows], self.extra[rows])

    def renumbered(self, kept: npt.NDArray[np.bool_], number: I64) -> Rows:
        """Those of some pages, which get other numbers, in the same order."""
        own = self.take(kept[self.page])
        return Rows(own.key, number[own.page].astype(np.uint32), own.extra)

    def shifted(self, pages: int) -> Rows:
        """The same of pages whose numbers are higher by so many."""
        return Rows(self.key, self.page + np.uint32(pages), self.extra)


NO_ROWS = Rows(np.empty(0, np.uint64), np.empty(0, np.uint32), np.empty(0, np.uint32))
NO_NUMBERS = np.empty(0, np.int64)


def sorted_rows(key: U64, page: U32, extra: U32) -> Rows:
    """Rows in their order, each once."""
    return Rows(*kernel.sorted_rows(np.ascontiguousarray(key), page, extra))


def joined(parts: Sequence[Rows]) -> Rows:
    """Rows of several segments as those of one."""
    if len(parts) == 1:
        return parts[0]
    parts = parts or [NO_ROWS]
    return sorted_rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("key", "page", "extra")))


@dataclass(frozen=True, slots=True)
class Segment:
    """The directory of a segment.

    Attributes:
        number: Of the segment; never used again.
        level: What its keys are of.
        first_chunk: Number of its first chunk; the others follow.
        fence: First key of each chunk.
        before: Rows before each chunk, one longer than the chunks.
    """

    number: int
    level: int
    first_chunk: int
    fence: U64
    before: U64

    def __len__(self) -> int:
        return int(self.before[-1])

    def pack(self) -> bytes:
        """As it is stored."""
        head = np.zeros(1, DIRECTORY)
        head[0] = (0, self.level, self.number, self.first_chunk, len(self.fence), len(self))
        body = head.tobytes()[4:] + self.fence.astype("<u8").tobytes() + self.before.astype("<u8").tobytes()
        return checksum(body, b"segment", self.number) + body

    @classmethod
    def unpack(cls, data: bytes, number: int) -> Segment:
        """As it was stored.

        Raises:
            DamagedIndexError: It is not what was stored.
        """
        if len(data) < DIRECTORY.itemsize or data[:4] != checksum(data[4:], b"segment", number):
            raise DamagedIndexError(f"the directory of segment {number} is damaged")
        head = np.frombuffer(data, DIRECTORY, 1)[0]
        chunks = int(head["chunks"])
        if len(data) != DIRECTORY.itemsize + 8 * (2 * chunks + 1) or int(head["number"]) != number:
            raise DamagedIndexError(f"the directory of segment {number} is none")
        columns = np.frombuffer(data, "<u8", offset=DIRECTORY.itemsize).astype(np.uint64)
        fence, before = columns[:chunks], columns[chunks:]
        if (fence[1:] < fence[:-1]).any() or (before[1:] <= before[:-1]).any() or before[0] != 0:
            raise DamagedIndexError(f"the directory of segment {number} is none")
        return cls(number, int(head["level"]), int(head["first_chunk"]), fence, before)


def checksum(data: bytes | memoryview, what: bytes, number: int) -> bytes:
    """Four bytes that change with the data, and with the kind and number of the record that holds them."""
    return zlib.crc32(data, zlib.crc32(b"%b %d" % (what, number))).to_bytes(4, "little")


MayHold = Callable[[Segment, I64, U64], npt.NDArray[np.bool_]]


def pack_chunks(rows: Rows, level: int, first_chunk: int) -> tuple[list[bytes], I64]:
    """Rows as chunks, and how many rows each of them has.

    Args:
        first_chunk: Number of the first chunk.
    """
    sizes = _chunk_sizes(rows)
    data, begin = kernel.packed_chunks(np.ascontiguousarray(rows.key), np.ascontiguousarray(rows.page),
                                       np.ascontiguousarray(rows.extra), sums(sizes), level, first_chunk)
    packed = data.tobytes()
    return [packed[a:b] for a, b in itertools.pairwise(begin.tolist())], sizes


def _chunk_sizes(rows: Rows) -> I64:
    """Rows of each chunk: as many as have room, if keys are spread evenly."""
    count = len(rows)
    if not count:
        return np.empty(0, np.int64)
    room = CHUNK_BYTES - HEAD.size
    fixed = _width(int(rows.page.max() - rows.page.min())) + _width(int(rows.extra.max()))
    span, size = int(rows.key[-1] - rows.key[0]), 512
    for _ in range(3):
        width = _width(max(1, 2 * span * size // count))
        size = max(1, min(room // max(1, fixed + width), 65_535))
    full, rest = divmod(count, size)
    return np.array([size] * full + [rest] * (rest > 0), np.int64)


def _width(value: int) -> int:
    """Bytes that hold a number: 0 for 0."""
    return -(-value.bit_length() // 8)


def whole_chunk(data: bytes, number: int) -> bytes:
    """A chunk that is what was stored.

    Raises:
        DamagedIndexError: It is not.
    """
    if len(data) < HEAD.size or data[:4] != checksum(memoryview(data)[4:], b"chunk", number):
        raise DamagedIndexError(f"chunk {number} of the postings is damaged")
    _, count, *widths, _, own, _, _ = HEAD.unpack_from(data)
    if (not count or own != number or widths[0] > 8 or widths[1] > 4 or widths[2] > 4
            or len(data) != HEAD.size + count * sum(widths)):  # a checksum can be made
        raise DamagedIndexError("a chunk of the postings is none")
    return data


def whole_chunks(chunks: list[bytes], numbers: list[int]) -> list[bytes]:
    """Chunks that are what was stored.

    Raises:
        DamagedIndexError: One is not.
    """
    damaged = kernel.damaged_chunk(chunks, np.array(numbers, np.int64))
    if damaged >= 0:
        whole_chunk(chunks[damaged], numbers[damaged])
    return chunks


def one_by_one(chunks: Sequence[bytes]) -> Chunks:
    """Chunks each of which is a buffer."""
    return list(chunks), np.arange(len(chunks)) << BEGIN_BITS


@dataclass(frozen=True, slots=True)
class Found:
    """Where keys stand.

    Attributes:
        query: Which of the keys asked for, ascending.
        page, extra: Of each place.
        count: Places of each key: these, and those that were not read.
        all_read: There are none that were not read.
    """

    query: I64
    page: U32
    extra: U32
    count: I64
    all_read: bool = False

    def only(self, kept: npt.NDArray[np.bool_]) -> Found:
        """Some of the places; the others are none."""
        if kept.all():
            return self
        query = self.query[kept]
        count = np.bincount(query, minlength=len(self.count))
        if not self.all_read:
            count += self.unread()
        return Found(query, self.page[kept], self.extra[kept], count, self.all_read)

    def unread(self) -> I64:
        """Places of each key that were not read."""
        if self.all_read:
            return np.zeros(len(self.count), np.int64)
        return self.count - np.bincount(self.query, minlength=len(self.count))

    def pages_of_each(self) -> I64:
        """How many pages each key has, of the places that were read."""
        pages = np.unique(self.query.astype(np.uint64) << np.uint64(32) | self.page)
        return np.bincount((pages >> np.uint64(32)).astype(np.int64), minlength=len(self.count))


def find_keys(segments: Sequence[Segment], keys: U64, read: Callable[[I64], Chunks], after: int = 0,
              most: int = MOST_CHUNKS, may_hold: MayHold | None = None) -> Found:
    """The places of some keys in some segments.

    Of a key with very many places those in some chunks of each segment are read; all are counted, from the first of these on.

    Args:
        keys: Ascending, each once.
        after: Chunks of a key, in each segment, that are passed over.
        most: Chunks of a key that are read in each segment, beside the last one.
        read: Chunks by their numbers, which ascend and may repeat; each of them is what was stored.
        may_hold: Which chunks of a segment, numbered from 0 on, may hold a key; the others need not be read.
    """
    asked_key, asked_chunk, behind, count = list[I64](), list[I64](), False, np.zeros(len(keys), np.int64)
    for segment in sorted(segments, key=lambda segment: segment.first_chunk):
        if not len(segment.fence):
            continue
        owner, chunk, longer, low, high = kernel.chunks_of_keys(segment.fence, keys, after, most)
        if may_hold is not None:
            may = may_hold(segment, chunk, keys[owner])
            owner, chunk = owner[may], chunk[may]
        asked_key.append(owner)
        asked_chunk.append(chunk + segment.first_chunk)
        if len(longer):  # the last chunk of a key that goes over many is read, too: it says how many places are in it
            before = segment.before.view(np.int64)
            count[longer] += before[high] - before[low + most]
            asked_key.append(longer)
            asked_chunk.append(segment.first_chunk + high)
            behind = True
    if not any(map(len, asked_key)):
        return Found(NO_NUMBERS, NO_ROWS.page, NO_ROWS.extra, count, not behind)
    owner, chunk = (parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in (asked_key, asked_chunk))
    order = chunk.argsort(kind="stable") if behind else None  # else they ascend
    buffers, place_of = read(chunk if order is None else chunk[order])
    if order is not None:
        place_of[order] = place_of.copy()
    hits, page, extra = kernel.chunk_places(buffers, place_of, keys[owner])
    count += np.bincount(owner, hits, len(keys)).astype(np.int64)
    place = owner.repeat(hits)
    if len(segments) == 1 and not behind:
        return Found(place, page, extra, count, True)
    order = place.argsort(kind="stable")
    return Found(place[order], page[order], extra[order], count, not behind)


def merged(parts: Sequence[Iterator[Rows]]) -> Iterator[Rows]:
    """The rows of several segments as those of one, some at a time.

    Args:
        parts: Rows of each segment, ascending.
    """
    held = [NO_ROWS for _ in parts]
    live = list(range(len(parts)))
    while live:
        for i in list(live):
            while len(held[i]) < 1:
                more = next(parts[i], None)
                if more is None:
                    live.remove(i)
                    break
                held[i] = more
        if not live:
            break
        border = min(held[i].key[-1] for i in live)  # all rows up to it are there, but those of equal keys further on
        due = []
        for i in live:
            end = int(np.searchsorted(held[i].key, border, "right"))
            while end == len(held[i]) and held[i].key[-1] == border:
                more = next(parts[i], None)
                if more is None:
                    break
                held[i] = Rows(*(np.concatenate([getattr(held[i], name), getattr(more, name)])
                                 for name in ("key", "page", "extra")))
                end = int(np.searchsorted(held[i].key, border, "right"))
            due.append(held[i].take(slice(0, end)))
            held[i] = held[i].take(slice(end, None))
        yield joined(due)


def in_windows(chunks: Iterable[tuple[int, bytes]]) -> Iterator[Rows]:
    """The rows of chunks that follow each other, some chunks at a time.

    Raises:
        DamagedIndexError: One is not what was stored.
    """
    left = iter(chunks)
    while some := list(itertools.islice(left, WINDOW)):
        numbers, data = zip(*some, strict=True)
        yield Rows(*kernel.chunk_rows(whole_chunks(list(data), list(numbers))))
