"""An index in Redis, for many machines: candidates from datasketch's LSH storages, and what verifies them beside these.

The buckets are those of a ``datasketch.MinHashLSH`` with keys of bytes (``prepickle=False``): page and block, 8 and 4 bytes,
big endian. Nothing is pickled. One process writes at a time (a lock with a lease); there are no snapshots: a check that runs
beside a removal may find the page or not.
"""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.errors import (
    BusyIndexError,
    DamagedIndexError,
    InputError,
    MissingExtraError,
    OutputError,
    how_to_install,
)
from dedup.index.affine32 import Sketched
from dedup.index.keys import BLOCK, NAMES, NUMBER_OF, PAGE
from dedup.index.recipe import FORMAT, Recipe
from dedup.index.records import Packer, Record, seal, unseal
from dedup.index.segments import Found, Rows, checksum
from dedup.lsh import LSH

if TYPE_CHECKING:
    from dedup.engines.local import LocalEngine
    from dedup.index.store import Info, Verified

U64 = npt.NDArray[np.uint64]

LEASE = 60.0  # seconds after which the lock of a writer that died is free
MOST_MEMBERS = 100_000  # of a bucket that is read; of a larger one the size is known
CONNECTION = {"host", "port", "db", "username", "password"}
SOME = 2048  # rows that are asked for at a time


class RedisStore:
    """An index in Redis.

    Args:
        address: ``redis://host:port/db?name=NAME``; several indexes of one database go by their names.
        timeout: Seconds to wait for somebody else who writes.

    Raises:
        InputError: There is none, or no Redis.
    """

    def __init__(self, address: str, timeout: float) -> None:
        self.client, self._config, self.base, self.name = _connect(address)
        self.timeout, self._writing = timeout, threading.RLock()
        with self._errors():
            data = self.client.get(self.base + b":recipe")
        if data is None:
            raise InputError("there is no index", self.name, f"Make one with: dedup index create {self.name}")
        if data[:4] != checksum(data[4:], b"recipe", 0):
            raise DamagedIndexError("its recipe is damaged", self.name)
        self.recipe = Recipe.unpack(data[4:])
        self.packer = Packer({})
        self.tables = {level: self._tables(level) for level in (PAGE, BLOCK) if NAMES[level] in self.recipe.levels}
        self.passages = self._storage(b":passage")

    @staticmethod
    def create(address: str, recipe: Recipe) -> None:
        """Make an index that holds nothing.

        Raises:
            OutputError: There is one of that name.
        """
        client, _, base, name = _connect(address)
        data = recipe.pack()
        if not client.set(base + b":recipe", checksum(data, b"recipe", 0) + data, nx=True):
            raise OutputError("is there already", name, "Add to it with: dedup index add, or choose another ?name=.")

    def _tables(self, level: int) -> Any:
        """The LSH of datasketch that holds a level."""
        from datasketch import MinHashLSH

        lsh = lsh_of(self.recipe, level)
        return MinHashLSH(num_perm=lsh.num_hashes, params=(lsh.bands, lsh.rows), prepickle=False,
                          storage_config={**self._config, "basename": self.base + b":" + NAMES[level].encode()})

    def _storage(self, end: bytes) -> Any:
        from datasketch.storage import unordered_storage

        return unordered_storage(self._config, name=self.base + end)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        import redis

        try:
            yield
        except redis.exceptions.RedisError as error:
            raise OutputError(f"Redis: {error}", self.name) from error

    @contextlib.contextmanager
    def reading(self, alone: bool = False) -> Iterator[RedisSnapshot]:
        """Look at it."""
        with self._errors():
            yield RedisSnapshot(self)

    @contextlib.contextmanager
    def writing(self) -> Iterator[RedisWriter]:
        """Write to it. Pages are there with the last step of ``add``, one after the other; what a killed process left of
        others is passed over, and cleared by ``compact``.
        """
        lock = self.client.lock(self.base + b":writer", timeout=LEASE, blocking_timeout=self.timeout)
        with self._errors():
            if not lock.acquire():
                raise BusyIndexError("another process writes to it", self.name, "Wait until it is done.")
            try:
                yield RedisWriter(self, lock)
            finally:
                with contextlib.suppress(Exception):  # the lease is over: somebody else has it
                    lock.release()

    def settle(self) -> None:
        """Nothing has to be merged."""

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def info(self) -> Info:
        """Figures; bytes are those of the whole database."""
        import json

        from dedup.index.store import Info

        with self.reading() as snapshot:
            records = list(snapshot.all_records())
        rows = {NAMES[level]: sum(table.size() for table in lsh.hashtables) for level, lsh in self.tables.items()}
        if "passage" in self.recipe.levels:
            rows["passage"] = self.passages.size()
        return Info(self.name, len(records), sum(record.size for record in records),
                    int(self.client.info("memory")["used_memory"]), self.recipe.levels,
                    json.loads(self.recipe.pack())["options"], rows, 0, 0, FORMAT)

    def verify(self, engine: LocalEngine) -> Verified:
        """Look at all pages, and whether each is found by its keys."""
        from dedup.index.redis_upkeep import verify

        return verify(self, engine)

    def compact(self) -> None:
        """Clear what removed pages and killed processes left in the buckets."""
        from dedup.index.redis_upkeep import clear

        clear(self)


def lsh_of(recipe: Recipe, level: int) -> LSH:
    """Bands and rows of a level."""
    from dedup.index.keys import unit_options

    return LSH.for_threshold(unit_options(recipe.options, "page" if level == PAGE else "block").least_jaccard)


class RedisSnapshot:
    """An index as it is; others may write meanwhile."""

    def __init__(self, store: RedisStore) -> None:
        self.store, self.client, self.base = store, store.client, store.base

    @property
    def pages(self) -> int:
        """How many there are."""
        return int(self.client.hlen(self.base + b":pages"))

    @property
    def packer(self) -> Packer:
        """Packs and unpacks texts."""
        return self.store.packer

    def find(self, level: int, keys: U64, names: Mapping[int, tuple[int, bytes]]) -> Found:
        """The places of keys, ascending and each once."""
        if level == NUMBER_OF["passage"]:
            at = [self.store.passages.redis_key(int(key).to_bytes(8, "big")) for key in keys.tolist()]
        else:
            tables = self.store.tables[level].hashtables
            at = [tables[band].redis_key(name) for band, name in map(names.__getitem__, keys.tolist())]
        sizes = self._ask("scard", at)
        asked = [number for number, size in enumerate(sizes) if 0 < size <= MOST_MEMBERS]
        query, page, extra = list[int](), list[int](), list[int]()
        for number, members in zip(asked, self._ask("smembers", [at[number] for number in asked]), strict=True):
            for member in sorted(members):
                of_page, block = struct.unpack(">QI", member)
                query.append(number)
                page.append(of_page)
                extra.append(block)
        there = self._there(sorted(set(page)))
        alive = np.array([number in there for number in page], bool)
        return Found(np.array(query, np.int64)[alive], np.array(page, np.uint32)[alive], np.array(extra, np.uint32)[alive],
                     np.array(sizes, np.int64))

    def _ask(self, command: str, keys: Sequence[bytes]) -> list[Any]:
        answers: list[Any] = []
        for begin in range(0, len(keys), SOME):
            pipe = self.client.pipeline(transaction=False)
            for key in keys[begin:begin + SOME]:
                getattr(pipe, command)(key)
            answers += pipe.execute()
        return answers

    def _there(self, numbers: Sequence[int]) -> set[int]:
        """Pages that are there, of some."""
        pipe = self.client.pipeline(transaction=False)
        for number in numbers:
            pipe.hexists(self.base + b":pages", number)
        return {number for number, there in zip(numbers, pipe.execute(), strict=True) if there}

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """Records of pages; those that were removed meanwhile are left out."""
        if not numbers:
            return []
        found = self.client.hmget(self.base + b":pages", list(numbers))
        return [unseal(data, number) for number, data in zip(numbers, found, strict=True) if data is not None]

    def numbers_of(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """The pages that have these ids."""
        if not ids:
            return {}
        found = self.client.hmget(self.base + b":ids", list(ids))
        return {id_: int(number) for id_, number in zip(ids, found, strict=True) if number is not None}

    def all_records(self) -> Iterator[Record]:
        """All pages, in the order in which they were added."""
        numbers = sorted(map(int, self.client.hkeys(self.base + b":pages")))
        for begin in range(0, len(numbers), SOME):
            yield from self.records(numbers[begin:begin + SOME])


class RedisWriter(RedisSnapshot):
    """An index that this process alone writes to."""

    def __init__(self, store: RedisStore, lock: Any) -> None:
        super().__init__(store)
        self._lock = lock

    def add(self, records: Sequence[Record], keys: Mapping[int, Rows | Sketched]) -> None:
        """Pages that are numbered from 0 on, with their keys: first the buckets, then the pages."""
        self._lock.reacquire()
        base = int(self.client.incrby(self.base + b":next", len(records))) - len(records)
        if base + len(records) >= 1 << 32:
            raise OutputError("an index numbers 4,294,967,296 pages", self.store.name)
        for level, rows in keys.items():
            if isinstance(rows, Sketched):
                self._put_sketches(self.store.tables[level], rows, base)
            else:
                self._put_rows(rows, base)
        self._lock.reacquire()
        pipe = self.client.pipeline(transaction=True)
        for record in records:
            number = base + record.number
            pipe.hset(self.base + b":pages", number, seal(msgspec.structs.replace(record, number=number)))
            pipe.hset(self.base + b":ids", record.id, number)
        pipe.execute()

    def _put_sketches(self, lsh: Any, sketched: Sketched, base: int) -> None:
        """As ``MinHashLSH.insert`` does."""
        for page, extra, names in zip(sketched.page.tolist(), sketched.extra.tolist(), sketched.band_names(), strict=True):
            member = struct.pack(">QI", base + page, extra)
            lsh.keys.insert(member, *names, buffer=True)
            for table, name in zip(lsh.hashtables, names, strict=True):
                table.insert(name, member, buffer=True)
        for storage in (lsh.keys, *lsh.hashtables):
            storage.empty_buffer()

    def _put_rows(self, rows: Rows, base: int) -> None:
        passages = self.store.passages
        for key, page, extra in zip(rows.key.tolist(), rows.page.tolist(), rows.extra.tolist(), strict=True):
            passages.insert(key.to_bytes(8, "big"), struct.pack(">QI", base + page, extra), buffer=True)
        passages.empty_buffer()

    def remove(self, numbers: Sequence[int]) -> None:
        """Take pages away; what they left in the buckets is passed over."""
        records = self.records(numbers)
        if not records:
            return
        self._lock.reacquire()
        pipe = self.client.pipeline(transaction=True)
        pipe.hdel(self.base + b":pages", *(record.number for record in records))
        pipe.hdel(self.base + b":ids", *(record.id for record in records))
        pipe.execute()

    def learn(self, dictionary: bytes) -> None:
        """Texts are packed without a dictionary here."""


def _connect(address: str) -> tuple[Any, dict[str, Any], bytes, str]:
    """A client, the settings of datasketch's storages, what all keys begin with, and the address without a password."""
    try:
        import datasketch  # noqa: F401
        import redis
    except ImportError as error:
        raise MissingExtraError("an index in Redis needs datasketch and redis", "redis",
                                how_to_install("redis", "'datasketch>=2' redis")) from error
    parts = urlsplit(address)
    name = parse_qs(parts.query).get("name", ["dedup"])[0]
    plain = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
    client = redis.Redis.from_url(plain)
    settings = {key: value for key, value in dict(client.connection_pool.connection_kwargs).items() if key in CONNECTION}
    if parts.scheme == "rediss":
        settings["ssl"] = True
    try:
        client.ping()
    except redis.exceptions.RedisError as error:
        raise InputError(f"no Redis answers there ({error})", shown) from error
    config = {"type": "redis", "redis": settings, "redis_buffer": {"transaction": False}}
    return client, config, f"dedup:{name}".encode(), shown
