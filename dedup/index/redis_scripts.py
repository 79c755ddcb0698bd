"""What a Redis server does for an index many times at once: small scripts, and the bytes that they are given.

Page and block keys lie as ``datasketch.MinHashLSH`` lays them (datasketch 2, ``prepickle=False``), here for a basename B:

B_bucket_<band>        hash: bytes of a band -> name of its set; <band> is two bytes, big endian
B_bucket_<band><bytes> set of members
B_keys                 hash: member -> name of its list
B_keys<member>         list: the bytes of its bands, in their order

Passages are strings, to which postings are appended.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.errors import DamagedIndexError
from dedup.index.affine32 import Sketched
from dedup.index.segments import Rows

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

MEMBER = np.dtype([("page", ">u4"), ("block", ">u4")])
SHARD_BITS, REST_BITS = 18, 22  # of the 40 of an anchor: those that name a string, those in it
POSTING = np.dtype([("rest", "3u1"), ("page", ">u4"), ("extra", ">u4")])
STEP = 4000  # rows of one call: the server does nothing else for some milliseconds
SENT = 16  # calls that are sent together
MOST_MEMBERS = 100_000  # of a bucket that is read as a whole; of a larger one some

PUT_BUCKETS = """
local name, wide, own, data = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
for at = 1, #data, wide + own do
  local key = string.sub(data, at, at + wide - 1)
  redis.call('HSET', name, key, name .. key)
  redis.call('SADD', name .. key, string.sub(data, at + wide, at + wide + own - 1))
end"""
PUT_LISTS = """
local name, wide, own, bands, data = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
for at = 1, #data, own + bands * wide do
  local member, list = string.sub(data, at, at + own - 1), {}
  for band = 0, bands - 1 do
    local begin = at + own + band * wide
    list[band + 1] = string.sub(data, begin, begin + wide - 1)
  end
  redis.call('HSET', name, member, name .. member)
  redis.call('DEL', name .. member)
  redis.call('RPUSH', name .. member, unpack(list))
end"""
PUT_POSTINGS = """
local name, wide, heads, data, at = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], 1
for head = 1, #heads, 5 do
  local size = struct.unpack('>H', string.sub(heads, head + 3, head + 4)) * wide
  redis.call('APPEND', name .. string.sub(heads, head, head + 2), string.sub(data, at, at + size - 1))
  at = at + size
end"""
GET_BUCKETS = """
local name, wide, most, data, sizes, got, found = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], {}, {}, {}
for at = 1, #data, wide + 2 do
  local key = name .. string.sub(data, at, at + wide + 1)
  local size = redis.call('SCARD', key)
  local members = {}
  if size > most then members = redis.call('SSCAN', key, 0, 'COUNT', 1024)[2]
  elseif size > 0 then members = redis.call('SMEMBERS', key) end
  sizes[#sizes + 1] = struct.pack('>I4', size)
  got[#got + 1] = struct.pack('>I4', #members)
  found[#found + 1] = table.concat(members)
end
return {table.concat(sizes), table.concat(got), table.concat(found)}"""
TAKE_OUT = """
local name, own, data = ARGV[1], tonumber(ARGV[2]), ARGV[3]
for at = 1, #data, own do
  local member = string.sub(data, at, at + own - 1)
  for band, key in ipairs(redis.call('LRANGE', name .. '_keys' .. member, 0, -1)) do
    local bucket = name .. '_bucket_' .. struct.pack('>H', band - 1)
    redis.call('SREM', bucket .. key, member)
    if redis.call('EXISTS', bucket .. key) == 0 then redis.call('HDEL', bucket, key) end
  end
  redis.call('DEL', name .. '_keys' .. member)
  redis.call('HDEL', name .. '_keys', member)
end"""


class Scripts:
    """The scripts, as a client calls them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._get, self._out = client.register_script(GET_BUCKETS), client.register_script(TAKE_OUT)
        self._buckets, self._lists = client.register_script(PUT_BUCKETS), client.register_script(PUT_LISTS)
        self._postings = client.register_script(PUT_POSTINGS)

    def put_sketches(self, basename: bytes, sketched: Sketched, first: int) -> None:
        """Put sketches into the storages of datasketch: first the lists by which they are found again, then the buckets.

        Args:
            first: Added to the numbers of pages.
        """
        lsh, wide = sketched.lsh, 4 * sketched.lsh.rows
        member = _members(sketched, first)
        names = np.ascontiguousarray(sketched.registers[:, :lsh.num_hashes].astype(">u4")).view(np.uint8)
        names = names.reshape(len(sketched), lsh.bands * wide)
        own, few = member.shape[1], STEP // lsh.bands + 1
        self._send(self._lists, [basename + b"_keys", wide, own, lsh.bands], np.hstack([member, names]), few)
        for band in range(lsh.bands):
            rows = np.hstack([names[:, band * wide:(band + 1) * wide], member])
            self._send(self._buckets, [bucket_name(basename, band), wide, own], rows, STEP)

    def put_postings(self, name: bytes, rows: Rows, first: int) -> None:
        """Append postings to the strings of their keys."""
        def calls() -> Iterator[list[Any]]:
            for at in range(0, len(rows), STEP):
                some = rows.take(slice(at, at + STEP))
                shard, count = np.unique(some.key >> np.uint64(REST_BITS), return_counts=True)
                heads = np.hstack([_big_endian(shard, 3), _big_endian(count.astype(np.uint64), 2)])
                postings = np.empty(len(some), POSTING)
                postings["rest"] = _big_endian(some.key & np.uint64((1 << REST_BITS) - 1), 3)
                postings["page"], postings["extra"] = some.page + np.uint32(first), some.extra
                yield [name, POSTING.itemsize, heads.tobytes(), postings.tobytes()]
        self._send_all(self._postings, calls())

    def get_members(self, basename: bytes, bands: Sequence[tuple[int, bytes]]) -> tuple[I64, I64, npt.NDArray[np.void]]:
        """Members of the buckets of some bands: how many each has, how many of these were read, and those."""
        sizes, counts, members = [], [], []
        for at in range(0, len(bands), STEP):
            some = bands[at:at + STEP]
            data = b"".join(struct.pack(">H", band) + name for band, name in some)
            size, got, found = self._get(args=[basename + b"_bucket_", len(some[0][1]), MOST_MEMBERS, data])
            sizes.append(np.frombuffer(size, ">u4").astype(np.int64))
            counts.append(np.frombuffer(got, ">u4").astype(np.int64))
            members.append(found)
        found = b"".join(members)
        if len(found) % MEMBER.itemsize:
            raise DamagedIndexError("a bucket holds what this index did not put there")
        none = np.empty(0, np.int64)
        return np.concatenate([none, *sizes]), np.concatenate([none, *counts]), np.frombuffer(found, MEMBER)

    def take_out(self, basename: bytes, members: Sequence[bytes]) -> None:
        """Take members out of all their buckets."""
        rows = np.frombuffer(b"".join(members), np.uint8).reshape(-1, MEMBER.itemsize)
        self._send(self._out, [basename, MEMBER.itemsize], rows, 64)

    def _send(self, script: Any, head: list[Any], rows: U8, step: int) -> None:
        self._send_all(script, ([*head, rows[at:at + step].tobytes()] for at in range(0, len(rows), step)))

    def _send_all(self, script: Callable[..., Any], calls: Iterator[list[Any]]) -> None:
        pipe = self._client.pipeline(transaction=False)
        for number, arguments in enumerate(calls, 1):
            script(args=arguments, client=pipe)
            if number % SENT == 0:
                pipe.execute()
        pipe.execute()


def bucket_name(basename: bytes, band: int) -> bytes:
    """What datasketch calls the storage of a band."""
    return basename + b"_bucket_" + struct.pack(">H", band)


def _members(sketched: Sketched, first: int) -> U8:
    """The members of sketches, bytes, a row each."""
    members = np.empty(len(sketched), MEMBER)
    members["page"], members["block"] = sketched.page + np.uint32(first), sketched.extra
    return members.view(np.uint8).reshape(len(sketched), MEMBER.itemsize)


def _big_endian(numbers: U64, width: int) -> U8:
    """Whole numbers as so many bytes each."""
    return numbers.astype(">u8").view(np.uint8).reshape(len(numbers), 8)[:, 8 - width:]


def shard_names(name: bytes, keys: U64) -> tuple[list[bytes], U64]:
    """Names of the strings in which keys are, each once, and the first bits that they stand for."""
    shards = np.unique(keys >> np.uint64(REST_BITS))
    data = _big_endian(shards, 3).tobytes()
    return [name + data[at:at + 3] for at in range(0, len(data), 3)], shards


def read_postings(shards: U64, data: Sequence[bytes | None]) -> Rows:
    """Postings of some strings, in no order.

    Raises:
        DamagedIndexError: One was cut.
    """
    there = [said or b"" for said in data]
    sizes = np.array([len(said) for said in there], np.int64)
    if (sizes % POSTING.itemsize).any():
        raise DamagedIndexError("a string of postings was cut")
    rows = np.frombuffer(b"".join(there), POSTING)
    rest = rows["rest"].astype(np.uint64) @ np.array([1 << 16, 1 << 8, 1], np.uint64)
    key = np.repeat(shards, sizes // POSTING.itemsize) << np.uint64(REST_BITS) | rest
    return Rows(key, rows["page"].astype(np.uint32), rows["extra"].astype(np.uint32))
