"""An index in Redis, for many processes and machines: page and block keys in datasketch's storages, all else beside them.

dedup:NAME:recipe     format and recipe, with a checksum: an index is there if this key is
dedup:NAME:pages      hash: number -> record, as in a file
dedup:NAME:names      hash: number -> id; dedup:NAME:ids, id -> number
dedup:NAME:figures    hash: next number, pages, bytes of text, numbers that were cleared
dedup:NAME:writer     the lock of the one who writes
dedup:NAME:page*, dedup:NAME:block*    ``redis_scripts.py`` has these, and dedup:NAME:passage:*

A page is there if ``pages`` has its number. What finds it is written before; then one transaction, in which the lock is still
held, puts in all pages of a batch and takes away those that they replace. What a killed process left is found by nobody.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.errors import BusyIndexError, DamagedIndexError, InputError, OutputError
from dedup.index.affine32 import Sketched
from dedup.index.keys import NAMES, PASSAGE
from dedup.index.recipe import Recipe
from dedup.index.records import Packer, Record, Stored, seal, stored_texts, unseal
from dedup.index.redis_link import connect, read_address, told_errors
from dedup.index.redis_scripts import Scripts, read_postings, shard_names
from dedup.index.segments import Found, Rows, checksum, sorted_rows
from dedup.index.store import never

if TYPE_CHECKING:
    from dedup.engines.local import LocalEngine
    from dedup.index.store import Info, Passes, Verified

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

REDIS_FORMAT = 1  # raise when an older dedup cannot read it
LEASE = 15.0  # seconds after which the lock of a writer that died is free; one that lives takes it again in time
SOME = 2048  # pages that are asked for at a time
TRIES = 20  # of a transaction: renewing the lock makes it begin again
log = logging.getLogger("dedup")


class RedisStore:
    """An index in Redis.

    Args:
        place: ``redis://user:password@host:port/db?name=NAME``; several indexes of one database go by their names.
        timeout: Seconds to wait for somebody else who writes.
        opened: What it was made by is read; else it is only good for saving pages.

    Raises:
        InputError: There is none, a newer dedup made it, or no Redis answers.
        OptionError: It is no such address.
    """

    recipe: Recipe

    def __init__(self, place: str, timeout: float, opened: bool = True) -> None:
        self.address, self.timeout = read_address(place), timeout
        self.client, self.base = connect(self.address), self.address.base
        self.scripts, self.packer, self._closed = Scripts(self.client), Packer({}), False
        if opened:
            with self.errors():
                self.recipe = Recipe.unpack(self.stored_recipe())

    def stored_recipe(self) -> bytes:
        """What it is made by, as it is stored."""
        data = self.client.get(self.key("recipe"))
        if data is None:
            raise InputError("there is no index", self.name, f"Make one with: dedup index create {self.name}")
        if len(data) < 5 or data[:4] != checksum(data[4:], b"recipe", 0):
            raise DamagedIndexError("the record 'recipe' is damaged")
        if data[4] > REDIS_FORMAT:
            raise InputError(f"it was made by a newer dedup (format {data[4]}; this one knows {REDIS_FORMAT})", self.name,
                             "Update dedup, or make a new index.")
        return bytes(data[5:])

    @property
    def name(self) -> str:
        """The address, without user and password."""
        return self.address.shown

    def key(self, name: str) -> bytes:
        """A key of the index."""
        return self.base + b":" + name.encode()

    def errors(self) -> contextlib.AbstractContextManager[None]:
        """Errors of the client in words of ours."""
        if self._closed:
            raise InputError("was closed", self.name, "Open it again.")
        return told_errors(self.address)

    @staticmethod
    def create(place: str, recipe: Recipe) -> None:
        """Make an index that holds nothing.

        Raises:
            OutputError: There is one of that name.
            InputError: No Redis answers.
        """
        address = read_address(place)
        client = connect(address)
        with contextlib.closing(client), told_errors(address):
            if client.exists(address.base + b":pages") and not client.exists(address.base + b":recipe"):
                raise OutputError("pages of an index lie there that has lost what it was made by", address.shown,
                                  "Choose another ?name=, or delete the keys of this one.")
            said = bytes([REDIS_FORMAT]) + recipe.pack()
            if not client.set(address.base + b":recipe", checksum(said, b"recipe", 0) + said, nx=True):
                raise OutputError("is there already", address.shown,
                                  "Add to it with: dedup index add, or choose another ?name=.")
            if problem := evicts(client):
                log.warning("%s: %s", address.shown, problem)

    @contextlib.contextmanager
    def reading(self, alone: bool = False) -> Iterator[RedisSnapshot]:
        """Look at it. There are no snapshots: what others write meanwhile is seen."""
        with self.errors():
            yield RedisSnapshot(self)

    @contextlib.contextmanager
    def writing(self) -> Iterator[RedisWriter]:
        """Write to it, alone among all processes: all of it or nothing."""
        token = f"process {os.getpid()} on {socket.gethostname()}#{uuid.uuid4().hex}".encode()
        with self.errors():
            lock = self.client.lock(self.key("writer"), timeout=LEASE, sleep=0.02, thread_local=False)
            if not lock.acquire(blocking_timeout=self.timeout, token=token):
                holder = (self.client.get(self.key("writer")) or b"another process#").decode("utf-8", "replace")
                raise BusyIndexError(f"{holder.partition('#')[0]} writes to it", self.name,
                                     "Wait until it is done, or wait longer (--wait, timeout).")
            done = threading.Event()
            holding = threading.Thread(target=_keep, args=(lock, done), daemon=True)
            holding.start()
            try:
                writer = RedisWriter(self, token)
                yield writer
                writer.commit()
            finally:
                done.set()
                holding.join()
                with contextlib.suppress(Exception):  # the lease is over, or the server gone: the lock frees itself
                    lock.release()

    def settle(self, stopped: Callable[[], bool] = never, more: bool = False) -> None:
        """Nothing has to be merged."""

    def close(self) -> None:
        """Close the connections."""
        self._closed = True
        self.client.close()

    def info(self) -> Info:
        """Figures."""
        from dedup.index import redis_upkeep

        with self.errors():
            return redis_upkeep.info(self)

    def verify(self, engine: LocalEngine) -> Verified:
        """Look at all pages, and whether each is found by its keys."""
        from dedup.index import redis_upkeep

        with self.errors():
            return redis_upkeep.verify(self, engine)

    def compact(self) -> None:
        """Clear what removed pages and killed processes left."""
        from dedup.index import redis_upkeep

        redis_upkeep.clear(self)


def _keep(lock: Any, done: threading.Event) -> None:
    """Take a lock again and again until the work is done."""
    while not done.wait(LEASE / 3):
        with contextlib.suppress(Exception):  # what writes finds out that it is lost
            lock.reacquire()


def evicts(client: Any) -> str:
    """What is wrong with a server that throws keys away when it is full; nothing where all is well."""
    policy = str(client.info("memory").get("maxmemory_policy", ""))
    return f"Redis throws away keys when it is full ({policy}): set maxmemory-policy noeviction" \
        if policy.startswith("allkeys") else ""


class RedisSnapshot:
    """An index as it is; others may write meanwhile."""

    def __init__(self, store: RedisStore) -> None:
        self.store, self.client = store, store.client

    @property
    def pages(self) -> int:
        """How many there are."""
        return int(self.client.hlen(self.store.key("pages")))

    @property
    def packer(self) -> Packer:
        """Packs and unpacks texts, without dictionaries: beside the buckets they save little."""
        return self.store.packer

    def find(self, level: int, keys: U64, names: Mapping[int, tuple[int, bytes]], passes: Passes | None = None) -> Found:
        """The places of keys, ascending and each once, on pages that are there."""
        found = self._postings(keys) if level == PASSAGE else self._members(level, keys, names)
        found = found.only(passes(found.query, found.extra)) if passes is not None else found
        return found.only(np.isin(found.page, self.there(np.unique(found.page).astype(np.int64))))

    def _members(self, level: int, keys: U64, names: Mapping[int, tuple[int, bytes]]) -> Found:
        """Places in the buckets of datasketch."""
        bands = [names[key] for key in keys.tolist()]
        size, got, members = self.store.scripts.get_members(self.store.key(NAMES[level]), bands)
        rows = sorted_rows(np.repeat(np.arange(len(keys), dtype=np.uint64), got), members["page"].astype(np.uint32),
                           members["block"].astype(np.uint32))
        return Found(rows.key.astype(np.int64), rows.page, rows.extra, size)

    def _postings(self, keys: U64) -> Found:
        """Places of anchors."""
        names, shards = shard_names(self.store.key("passage:"), keys)
        data = [said for at in range(0, len(names), SOME) for said in self.client.mget(names[at:at + SOME])]
        rows = read_postings(shards, data)
        query = np.minimum(np.searchsorted(keys, rows.key), len(keys) - 1)
        asked = keys[query] == rows.key
        rows = sorted_rows(query[asked].astype(np.uint64), rows.page[asked], rows.extra[asked])
        query = rows.key.astype(np.int64)
        return Found(query, rows.page, rows.extra, np.bincount(query, minlength=len(keys)))

    def there(self, numbers: I64) -> I64:
        """The pages that are there, of some."""
        flags: list[bool] = []
        for at in range(0, len(numbers), SOME):
            found = self.client.hmget(self.store.key("names"), numbers[at:at + SOME].tolist())
            flags += [name is not None for name in found]
        kept: I64 = numbers[np.array(flags, bool)]
        return kept

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """Records of pages; those that were removed meanwhile are left out."""
        return [unseal(data, number) for number, data in zip(numbers, self.stored(numbers), strict=True) if data is not None]

    def pages_of(self, numbers: Sequence[int]) -> list[Stored]:
        """Pages as they were when they were stored; those that were removed meanwhile are left out."""
        return stored_texts(self.records(numbers), self.packer)

    def stored(self, numbers: Sequence[int]) -> list[bytes | None]:
        """What lies there of pages."""
        return [data for at in range(0, len(numbers), SOME)
                for data in self.client.hmget(self.store.key("pages"), list(numbers[at:at + SOME]))]

    def numbers_of(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """The pages that have these ids."""
        found: list[bytes | None] = []
        for at in range(0, len(ids), SOME):
            found += self.client.hmget(self.store.key("ids"), list(ids[at:at + SOME]))
        return {id_: int(number) for id_, number in zip(ids, found, strict=True) if number is not None}

    def numbers(self) -> list[int]:
        """Numbers of all pages, ascending."""
        return sorted(map(int, self.client.hkeys(self.store.key("pages"))))

    def all_records(self) -> Iterator[Record]:
        """All pages, in the order in which they were added."""
        numbers = self.numbers()
        for begin in range(0, len(numbers), SOME):
            yield from self.records(numbers[begin:begin + SOME])


class RedisWriter(RedisSnapshot):
    """An index that this process alone writes to; what it writes is there with ``commit``."""

    def __init__(self, store: RedisStore, token: bytes) -> None:
        super().__init__(store)
        self._token = token
        self._new: dict[int, Record] = {}
        self._gone: dict[int, Record] = {}

    def add(self, records: Sequence[Record], keys: Mapping[int, Rows | Sketched]) -> None:
        """Pages that are numbered from 0 on, with their keys."""
        base = int(self.client.hincrby(self.store.key("figures"), "next", len(records))) - len(records)
        if base + len(records) >= 1 << 32:
            raise OutputError("an index numbers 4,294,967,296 pages, those that were replaced too", self.store.name,
                              "Make a new one with: dedup index rebuild.")
        if len(self.there(np.arange(base, base + len(records)))):
            raise DamagedIndexError("the figures were lost or changed: a number that a page has would be given again")
        for level, rows in keys.items():
            if isinstance(rows, Sketched):
                self.store.scripts.put_sketches(self.store.key(NAMES[level]), rows, base)
            else:
                self.store.scripts.put_postings(self.store.key("passage:"), rows, base)
        numbered = (msgspec.structs.replace(record, number=base + record.number) for record in records)
        self._new |= {record.number: record for record in numbered}

    def remove(self, numbers: Sequence[int]) -> None:
        """Take pages away, which are there."""
        for record in self.records(numbers):
            if self._new.pop(record.number, None) is None:
                self._gone[record.number] = record

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """Records of pages, those that were written just now too."""
        old = {record.number: record for record in super().records([n for n in numbers if n not in self._new])}
        known = {**old, **self._new}
        return [known[number] for number in numbers if number in known]

    def numbers_of(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """The pages that have these ids."""
        found = {id_: number for id_, number in super().numbers_of(ids).items() if number not in self._gone}
        if not self._new:
            return found
        new = {record.id: number for number, record in self._new.items()}
        return {id_: new.get(id_, found.get(id_, -1)) for id_ in ids if id_ in new or id_ in found}

    def learn(self, dictionary: bytes) -> None:
        """Texts are packed without a dictionary here."""

    def commit(self) -> None:
        """Put all of it in, if nobody else took over meanwhile.

        Raises:
            LockError: Somebody did: this process stood still for longer than its lease.
        """
        if self._new or self._gone:
            self.transaction(self._fill)
            self._new, self._gone = {}, {}

    def transaction(self, fill: Callable[[Any], None]) -> None:
        """Do some things together, if nobody else took over.

        Args:
            fill: Is given a pipeline to read from, and then, after its ``multi``, to put commands into; perhaps again.

        Raises:
            LockError: Somebody did.
        """
        from redis.exceptions import LockError, WatchError

        lock = self.store.key("writer")
        for _ in range(TRIES):
            with self.client.pipeline(transaction=True) as pipe, contextlib.suppress(WatchError):
                pipe.watch(lock)
                if pipe.get(lock) != self._token:
                    break
                fill(pipe)
                pipe.execute()
                return
        raise LockError("the lock is somebody else's")

    def _fill(self, pipe: Any) -> None:
        pages, names, ids, figures = map(self.store.key, ("pages", "names", "ids", "figures"))
        changed = {**self._gone, **self._new}
        there = pipe.hmget(pages, list(changed))  # all of it where a lost answer made it begin again
        came = [record for (number, record), data in zip(changed.items(), there, strict=True)
                if data is None and number in self._new]
        went = [record for (number, record), data in zip(changed.items(), there, strict=True)
                if data is not None and number in self._gone]
        pipe.multi()
        if self._gone:
            pipe.hdel(pages, *self._gone)
            pipe.hdel(names, *self._gone)
            pipe.hdel(ids, *(record.id for record in self._gone.values()))
        if self._new:
            pipe.hset(pages, mapping={number: seal(record) for number, record in self._new.items()})
            pipe.hset(names, mapping={number: record.id for number, record in self._new.items()})
            pipe.hset(ids, mapping={record.id: number for number, record in self._new.items()})
        pipe.hincrby(figures, "text_bytes", sum(record.size for record in came) - sum(record.size for record in went))
        pipe.hincrby(figures, "pages", len(came) - len(went))
