"""An index in one file of SQLite: records of pages, and postings in segments (``segments.py``).

Many processes and threads read it, one at a time writes to it. Each thread has a connection of its own, and none is used
beyond a fork. docs/design/index.md has the layout and its reasons.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.errors import BusyIndexError, DamagedIndexError, DedupError, InputError, OutputError
from dedup.index.keys import DEAD
from dedup.index.recent import Recent, RecentChunks
from dedup.index.recipe import Recipe
from dedup.index.records import Packer, Stored
from dedup.index.segments import Segment, checksum, in_windows
from dedup.index.sieve import Sieves
from dedup.index.sqlite_file import (
    SCHEMA,
    Connection,
    State,
    as_bytes,
    chunks_of,
    create_file,
    is_index,
    open_file,
    read_meta,
    refuse_foreign_log,
    rows_of,
)
from dedup.index.sqlite_pages import SqliteSnapshot, SqliteWriter
from dedup.index.store import StoppedError, never
from dedup.memory import default_memory

if TYPE_CHECKING:
    from dedup.engines.local import LocalEngine
    from dedup.index.store import Info, Verified

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

CACHE_KB, LOG_BYTES = 16_384, 1 << 26
CACHE = 3 << 26, 3 << 29  # bytes of the default one, at least and at most
CHUNK_SHARE = 2 / 3  # of the cache that is for postings; the rest is for pages
SIEVE_SHARE = 3 / 4  # of that, at most, for what tells which chunks need not be read, where not all have room
FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
CLOSED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
LEFT_OVER: list[Connection] = []  # of the process that this one was forked from


def default_cache() -> int:
    """Bytes of an index that are kept in memory where nobody says: a sixteenth of what the machine or its container has."""
    return min(max(default_memory() // 8, CACHE[0]), CACHE[1])


class SqliteStore:
    """An index in a file.

    Args:
        path: The file.
        timeout: Seconds to wait for somebody else who writes.
        cache: Bytes of postings and pages that are kept in memory, about; ``None``: ``default_cache``.

    Raises:
        InputError: There is no index at the path, or one that this version does not read.
    """

    def __init__(self, path: Path, timeout: float, cache: int | None = None) -> None:
        self.path, self.timeout = path, timeout
        self.file = Path(os.path.realpath(path))  # wherever the process goes
        self._own, self._writing, self._writer, self._closed = threading.local(), threading.Lock(), 0, False
        self._held = weakref.WeakSet[Connection]()  # that of a thread that has ended closes itself
        self._directories: dict[int, Segment] = {}
        self._state: tuple[bytes, State] = (b"", State())
        self._dead: tuple[tuple[int, ...], I64] = ((), np.empty(0, np.int64))
        self._packer: tuple[int, Packer] | None = None
        cache = default_cache() if cache is None else cache
        self.chunk_bytes = int(cache * CHUNK_SHARE)
        self.chunks, self.pages = RecentChunks(self.chunk_bytes), Recent[Stored](cache - self.chunk_bytes)
        self.sieves = Sieves(int(self.chunk_bytes * SIEVE_SHARE))
        try:
            known = is_index(self.file)
            self._identity = _identity(self.file)
        except FileNotFoundError:
            raise InputError("there is no index", str(path), f"Make one with: dedup index create {path}") from None
        except OSError as error:
            raise InputError(f"it cannot be read ({error.strerror})", str(path)) from error
        if not known:
            raise InputError("is no index", str(path), "Name one, or make one with: dedup index create.")
        refuse_foreign_log(self.file)
        with self._errors():
            connection = self._connection()
            there = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema") if sql is not None}
            if there != set(SCHEMA):
                raise DamagedIndexError("its tables are not those of an index")
            self.recipe = Recipe.unpack(read_meta(connection, "recipe"))
            self.format: int = connection.execute("PRAGMA user_version").fetchone()[0]

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    @staticmethod
    def create(path: Path, recipe: Recipe) -> None:
        """Make an index that holds nothing.

        Raises:
            OutputError: There is something already, or no file can be written there.
        """
        create_file(path, recipe)

    def _connection(self) -> Connection:
        """This thread's connection; after a fork it is another one."""
        own: Connection | None = getattr(self._own, "connection", None)
        if own is not None and own.pid == os.getpid():
            return own
        if own is not None:
            self._leave_over()
        connection = self._own.connection = self._connect()
        self._held.add(connection)
        return connection

    def _leave_over(self) -> None:
        """Keep, for ever, the connections of the process that this one was forked from."""
        LEFT_OVER.extend(connection for connection in self._held if connection.pid != os.getpid())
        self._held = weakref.WeakSet(connection for connection in self._held if connection.pid == os.getpid())

    def _done(self, connection: Connection) -> None:
        """End what a connection does; one that is nobody's own is closed."""
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if connection not in self._held:
            connection.close()

    def _connect(self) -> Connection:
        self._see_that_it_is_there()
        connection = open_file(self.file)
        for pragma in (f"cache_size=-{CACHE_KB}", "synchronous=FULL", f"journal_size_limit={LOG_BYTES}", "trusted_schema=OFF",
                       "cell_size_check=ON", "temp_store=MEMORY", "query_only=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"PRAGMA busy_timeout={int(min(self.timeout, 1.0) * 1000)}")
        return connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """SQLite's errors in words of ours, with the name of the index."""
        try:
            yield
        except DamagedIndexError as error:
            raise (error if error.where else DamagedIndexError(error.what, self.name, error.mend)) from error.__cause__
        except sqlite3.Error as error:
            raise told(error, self.path, self._holder()) from error

    @contextlib.contextmanager
    def reading(self, alone: bool = False) -> Iterator[SqliteSnapshot]:
        """Look at it.

        Args:
            alone: For a long time, while this thread may do other things with it.
        """
        with self._errors():
            connection = self._connection()
            if alone or connection.in_transaction:
                connection = self._connect()
            try:
                self._begin(connection, "BEGIN")
                yield SqliteSnapshot(self, connection)
            finally:
                self._done(connection)

    @contextlib.contextmanager
    def writing(self) -> Iterator[SqliteWriter]:
        """Write to it."""
        if self._writer == threading.get_ident():
            raise BusyIndexError("what it is given in one step writes to it, too", self.name, "Do one after the other.")
        if not self._writing.acquire(timeout=self.timeout):
            raise BusyIndexError("another thread of this process writes to it", self.name)
        self._writer = threading.get_ident()
        try:
            with self._errors():
                connection = self._connection()
                if connection.in_transaction:  # this thread reads, too
                    connection = self._connect()
                try:
                    self._begin(connection, "BEGIN IMMEDIATE")
                    with self._held_by_this():
                        writer = SqliteWriter(self, connection)
                        yield writer
                        writer.end()
                    connection.execute("COMMIT")
                    self._directories.update(writer.fresh)
                finally:
                    self._done(connection)
        finally:
            self._writer = 0
            self._writing.release()

    def _see_that_it_is_there(self) -> None:
        """See that the file is the one that was opened: another one's log would be taken for its own.

        Raises:
            InputError: It is not, or it was closed.
        """
        if self._closed:
            raise InputError("was closed", self.name, "Open it again.")
        try:
            same = _identity(self.file) == self._identity
        except OSError:
            same = False
        if not same:
            raise InputError("the file was moved, deleted or replaced while it was open", self.name,
                             "Close all that has it open, and open it again.")

    def _begin(self, connection: sqlite3.Connection, statement: str) -> None:
        """Begin a transaction; wait for others so long as it is allowed."""
        self._see_that_it_is_there()

        def begin() -> None:
            connection.execute(statement)
            connection.execute("SELECT name FROM meta LIMIT 1").fetchone()  # the snapshot is taken here
        self._patiently(connection, begin)

    def _patiently(self, connection: sqlite3.Connection, work: Callable[[], object]) -> None:
        """Do something as soon as others let it be done; wait for them so long as it is allowed."""
        until = time.monotonic() + self.timeout
        while True:
            try:
                work()
                return
            except sqlite3.OperationalError as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in LOCKED or time.monotonic() >= until:
                    raise
                time.sleep(0.01)

    @property
    def _note(self) -> Path:
        return self.file.with_name(f"{self.file.name}-writer")

    @contextlib.contextmanager
    def _held_by_this(self) -> Iterator[None]:
        """Say beside the index who writes to it; only read while the lock is taken, so it may be old."""
        with contextlib.suppress(OSError):
            self._note.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                self._note.unlink()

    def _holder(self) -> str:
        try:
            return self._note.read_text(encoding="utf-8")[:200] or "another process"
        except (OSError, UnicodeDecodeError):
            return "another process"

    def settle(self, stopped: Callable[[], bool] = never, more: bool = False) -> None:
        """Merge segments where there are many small ones: each level in a transaction of its own."""
        with self.writing() as writer:
            due = writer.due(more)
        for level in due:
            with contextlib.suppress(StoppedError), self.writing() as writer:
                writer.settle(level, stopped, more)

    def info(self) -> Info:
        """Figures."""
        from dedup.index import upkeep

        return upkeep.info(self)

    def verify(self, engine: LocalEngine) -> Verified:
        """Look at all that it holds."""
        from dedup.index import upkeep

        return upkeep.verify(self, engine)

    def compact(self) -> None:
        """Make look-ups quick, and the file small."""
        from dedup.index import upkeep

        upkeep.compact(self)

    def shrink(self) -> None:
        """Give the disk back what is free in the file."""
        with self._errors():
            connection = self._connection()
            connection.execute("PRAGMA temp_store=FILE")  # the new file would be made in memory, all of it
            try:
                self._patiently(connection, lambda: connection.execute("VACUUM"))
            finally:
                connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close all connections of this process."""
        self._closed = True
        self._leave_over()
        for connection in list(self._held):
            with contextlib.suppress(sqlite3.Error):
                connection.close()
        self._held.clear()
        self._own = threading.local()

    # What snapshots share: all of it is found again from the state, which names what it needs.

    def state(self, connection: sqlite3.Connection) -> State:
        """The state that the connection's transaction sees."""
        data, known = read_meta(connection, "state"), self._state  # another thread may put its own there
        if known[0] != data:
            try:
                known = self._state = data, msgspec.json.decode(data, type=State)
            except msgspec.DecodeError as error:
                raise DamagedIndexError("the list of segments cannot be read") from error
        return known[1]

    def directories(self, connection: sqlite3.Connection, state: State, level: int,
                    fresh: Mapping[int, Segment] = MappingProxyType({})) -> list[Segment]:
        """The directories of a level's segments.

        Args:
            fresh: Of segments that this transaction made.
        """
        found = []
        for number, of_level, rows in state.segments:
            if of_level != level:
                continue
            segment = fresh.get(number) or self._directories.get(number)
            if segment is None:
                segment = Segment.unpack(rows_of(connection, "segment", [number])[0], number)
                if len(segment) != rows or segment.level != level:
                    raise DamagedIndexError(f"segment {number} is not the one that the index names")
                self._directories[number] = segment
            found.append(segment)
        if len(self._directories) > 2 * len(state.segments) + 16:
            named = {number for number, _, _ in state.segments}
            self._directories = {number: kept for number, kept in list(self._directories.items()) if number in named}
        return found

    def sift(self, segments: Sequence[Segment]) -> None:
        """Have bitmaps of the chunks of these segments, and less room for chunks."""
        self.sieves.follow(segments)
        self.chunks.resize(self.chunk_bytes - self.sieves.bytes)

    def dead(self, connection: sqlite3.Connection, state: State, fresh: Mapping[int, Segment]) -> I64:
        """Numbers of removed pages that postings still name, ascending.

        Args:
            fresh: Directories of segments that this transaction made.
        """
        named = tuple(number for number, level, _ in state.segments if level == DEAD)
        known = self._dead
        if known[0] != named or fresh.keys() & set(named):
            parts = [window.key for segment in self.directories(connection, state, DEAD, fresh)
                     for window in in_windows(chunks_of(connection, segment))]
            known = named, np.sort(np.concatenate([np.empty(0, np.uint64), *parts])).astype(np.int64)
            if not fresh:
                self._dead = known
        return known[1]

    def packer(self, connection: sqlite3.Connection, state: State) -> Packer:
        """The packer with all dictionaries."""
        known = self._packer
        if known is None or known[0] != state.dictionary:
            found = {}
            for number, data in connection.execute("SELECT number, data FROM dictionary"):
                if as_bytes(data, "dictionary", number)[:4] != checksum(memoryview(data)[4:], b"dictionary", number):
                    raise DamagedIndexError(f"dictionary {number} is damaged")
                found[number] = data[4:]
            if state.dictionary and state.dictionary not in found:
                raise DamagedIndexError(f"dictionary {state.dictionary} is missing")
            quick = self.recipe.quick and self.format > 1  # an older dedup reads what is added to an older file, too
            known = self._packer = state.dictionary, Packer(found, state.dictionary, quick)
        return known[1]


def _identity(file: Path) -> tuple[int, int]:
    """What tells a file from all others of this machine."""
    said = os.stat(file)
    return said.st_dev, said.st_ino


def told(error: sqlite3.Error, path: Path, holder: str = "another process") -> DedupError:
    """An error of SQLite's in words of ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in LOCKED:
        return BusyIndexError(f"{holder} writes to it", str(path), "Wait until it is done, or wait longer (--wait, timeout).")
    if code in CLOSED and not os.access(Path(os.path.realpath(path)).parent, os.W_OK):
        return OutputError("nobody may write to its folder, where its log has to lie", str(path),
                           "Copy it to a folder that you may write to.")
    if code in FULL | CLOSED:
        return OutputError(f"it cannot be written or read here ({error})", str(path),
                           "What was not acknowledged is not in it; all else is as it was.")
    return DamagedIndexError(f"the file is damaged ({error})", str(path))
