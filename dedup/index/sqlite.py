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
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.errors import BusyIndexError, DamagedIndexError, InputError, OutputError
from dedup.index.affine32 import Sketched
from dedup.index.keys import DEAD, ID, id_keys, id_rows
from dedup.index.recipe import FORMAT, Recipe
from dedup.index.records import Packer, Record, seal, unseal
from dedup.index.segments import Found, Rows, Segment, checksum, find_keys, in_windows, merged, pack_chunks

if TYPE_CHECKING:
    from dedup.engines.local import LocalEngine
    from dedup.index.store import Info, Verified

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

APPLICATION_ID = 0x44445550  # DDUP
MAGIC = b"SQLite format 3\0"
PAGE_SIZE = 16_384
CACHE_KB, LOG_BYTES = 32_768, 1 << 26
GROWTH = 4  # a segment is merged with those that have less than so many times its rows
SCHEMA = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE page(number INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE segment(number INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE chunk(number INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE dictionary(number INTEGER PRIMARY KEY, data BLOB NOT NULL)",
)
FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class State(msgspec.Struct, frozen=True):
    """What there is: the root from which all else is found.

    Attributes:
        pages, text_bytes: Of the pages that are there.
        next_page, next_chunk, next_segment: Numbers that were never used.
        segments: Number, level and rows of each.
        dictionary: Number of the newest one, 0 for none.
        change: Counts the changes.
    """

    pages: int = 0
    text_bytes: int = 0
    next_page: int = 0
    next_chunk: int = 1
    next_segment: int = 1
    segments: tuple[tuple[int, int, int], ...] = ()
    dictionary: int = 0
    change: int = 0


def is_index(path: Path) -> bool:
    """Whether a file is an index of ours, by its first bytes.

    Raises:
        InputError: A newer dedup made it.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or head[:16] != MAGIC or int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        return False
    made = int.from_bytes(head[60:64], "big")
    if made > FORMAT:
        raise InputError(f"it was made by a newer dedup (format {made}; this one knows {FORMAT})", str(path),
                         "Update dedup, or make a new index.")
    return made > 0


class Connection(sqlite3.Connection):
    """A connection that knows its process: what a fork left over must not be used, nor closed."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.pid = os.getpid()


LEFT_OVER: list[Connection] = []  # of the process that this one was forked from


def open_file(path: Path) -> Connection:
    """A connection to a file that there is; where it cannot be written, to read it."""
    mode = "rw" if os.access(path, os.W_OK) else "ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=0,
                           check_same_thread=False, factory=Connection)


class SqliteStore:
    """An index in a file.

    Args:
        path: The file.
        timeout: Seconds to wait for somebody else who writes.

    Raises:
        InputError: There is no index at the path, or one that this version does not read.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self.path, self.timeout = path, timeout
        self._own, self._writing = threading.local(), threading.RLock()
        self._held = weakref.WeakSet[Connection]()  # that of a thread that has ended closes itself
        self._directories: dict[int, Segment] = {}
        self._state: tuple[bytes, State] = (b"", State())
        self._dead: tuple[tuple[int, ...], I64] = ((), np.empty(0, np.int64))
        self._packer: tuple[int, Packer] | None = None
        try:
            known = is_index(path)
        except FileNotFoundError:
            raise InputError("there is no index", str(path), f"Make one with: dedup index create {path}") from None
        except OSError as error:
            raise InputError(f"it cannot be read ({error.strerror})", str(path)) from error
        if not known:
            raise InputError("is no index", str(path), "Name one, or make one with: dedup index create.")
        with self._errors():
            connection = self._connection()
            there = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema") if sql is not None}
            if there != set(SCHEMA):
                raise DamagedIndexError("its tables are not those of an index")
            self.recipe = Recipe.unpack(read_meta(connection, "recipe"))

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
        if os.path.lexists(path):
            raise OutputError("is there already", str(path), "Add to it with: dedup index add, or name another file.")
        unfinished = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.unfinished")
        try:
            connection = sqlite3.connect(unfinished, isolation_level=None)
            try:
                connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
                connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version={FORMAT}")
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("BEGIN IMMEDIATE")
                for sql in SCHEMA:
                    connection.execute(sql)
                _put_meta(connection, "recipe", recipe.pack())
                _put_meta(connection, "state", msgspec.json.encode(State()))
                connection.execute("COMMIT")
            finally:
                connection.close()
            _put_in_place(unfinished, path)
        except FileExistsError:
            raise OutputError("is there already", str(path)) from None
        except (OSError, sqlite3.Error) as error:
            raise OutputError(f"cannot be written ({getattr(error, 'strerror', None) or error})", str(path)) from error
        finally:
            for left in (unfinished, Path(f"{unfinished}-wal"), Path(f"{unfinished}-shm")):
                left.unlink(missing_ok=True)

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
        connection = open_file(self.path)
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
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in LOCKED:
                raise BusyIndexError(f"{self._holder()} writes to it", self.name,
                                     "Wait until it is done, or wait longer (--wait, timeout).") from error
            if code in FULL or code == sqlite3.SQLITE_READONLY or code == sqlite3.SQLITE_CANTOPEN:
                raise OutputError(f"it cannot be written or read here ({error})", self.name,
                                  "What was not acknowledged is not in it; all else is as it was.") from error
            raise DamagedIndexError(f"the file is damaged ({error})", self.name) from error

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
        if not self._writing.acquire(timeout=self.timeout):
            raise BusyIndexError("another thread of this process writes to it", self.name)
        try:
            with self._errors():
                connection = self._connection()
                self._begin(connection, "BEGIN IMMEDIATE")
                self._hold()
                try:
                    writer = SqliteWriter(self, connection)
                    yield writer
                    writer.end()
                    connection.execute("COMMIT")
                    self._directories.update(writer.fresh)
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    self._release()
        finally:
            self._writing.release()

    def _begin(self, connection: sqlite3.Connection, statement: str) -> None:
        """Begin a transaction; wait for others so long as it is allowed."""
        until = time.monotonic() + self.timeout
        while True:
            try:
                connection.execute(statement)
                connection.execute("SELECT name FROM meta LIMIT 1").fetchone()  # the snapshot is taken here
                return
            except sqlite3.OperationalError as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in LOCKED or time.monotonic() >= until:
                    raise
                time.sleep(0.01)

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}-writer")

    def _hold(self) -> None:
        """Say beside the index who writes to it; only read while the lock is taken, so it may be old."""
        with contextlib.suppress(OSError):
            self._note.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")

    def _release(self) -> None:
        with contextlib.suppress(OSError):
            self._note.unlink()

    def _holder(self) -> str:
        try:
            return self._note.read_text(encoding="utf-8")[:200] or "another process"
        except (OSError, UnicodeDecodeError):
            return "another process"

    def settle(self) -> None:
        """Merge segments where there are many small ones: each level in a transaction of its own."""
        with self.writing() as writer:
            due = writer.due()
        for level in due:
            with self.writing() as writer:
                writer.settle(level)

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
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close all connections of this process."""
        self._leave_over()
        for connection in list(self._held):
            with contextlib.suppress(sqlite3.Error):
                connection.close()
        self._held.clear()
        self._own = threading.local()

    # What snapshots share: all of it is found again from the state, which names what it needs.

    def state(self, connection: sqlite3.Connection) -> State:
        """The state that the connection's transaction sees."""
        data = read_meta(connection, "state")
        if self._state[0] != data:
            try:
                self._state = data, msgspec.json.decode(data, type=State)
            except msgspec.DecodeError as error:
                raise DamagedIndexError("the list of segments cannot be read") from error
        return self._state[1]

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
                segment = Segment.unpack(_rows_of(connection, "segment", [number])[0], number)
                if len(segment) != rows or segment.level != level:
                    raise DamagedIndexError(f"segment {number} is not the one that the index names")
                self._directories[number] = segment
            found.append(segment)
        if len(self._directories) > 2 * len(state.segments) + 16:
            named = {number for number, _, _ in state.segments}
            self._directories = {number: kept for number, kept in self._directories.items() if number in named}
        return found

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
            known = self._packer = state.dictionary, Packer(found, state.dictionary)
        return known[1]


class SqliteSnapshot:
    """An index as a transaction sees it."""

    def __init__(self, store: SqliteStore, connection: sqlite3.Connection) -> None:
        self.store, self.connection = store, connection
        self.state, self.fresh = store.state(connection), dict[int, Segment]()

    @property
    def pages(self) -> int:
        """How many there are."""
        return self.state.pages

    @property
    def packer(self) -> Packer:
        """Packs and unpacks texts."""
        return self.store.packer(self.connection, self.state)

    def find(self, level: int, keys: U64, names: Mapping[int, tuple[int, bytes]] = MappingProxyType({})) -> Found:
        """The places of keys, ascending and each once; those of removed pages are left out, but not of the counts."""
        found = find_keys(self.directories_of(level), keys, self._chunks)
        dead = self.dead_pages()
        if not len(dead) or not len(found.page):
            return found
        at = np.minimum(np.searchsorted(dead, found.page), len(dead) - 1)
        alive = dead[at] != found.page
        return Found(found.query[alive], found.page[alive], found.extra[alive], found.count)

    def directories_of(self, level: int) -> list[Segment]:
        """The directories of a level's segments."""
        return self.store.directories(self.connection, self.state, level, self.fresh)

    def dead_pages(self) -> I64:
        """Numbers of removed pages that postings still name, ascending."""
        return self.store.dead(self.connection, self.state, self.fresh)

    def _chunks(self, numbers: list[int]) -> list[bytes]:
        return _rows_of(self.connection, "chunk", numbers)

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """Records of pages that are there."""
        ordered = sorted(numbers)
        found = dict(zip(ordered, _rows_of(self.connection, "page", ordered), strict=True))
        return [unseal(found[number], number) for number in numbers]

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
        count = 0
        sql = "SELECT number, data FROM page WHERE number > ? ORDER BY number"
        for number, data in self.connection.execute(sql, (after,)):
            count += 1
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

    def due(self) -> list[int]:
        """Levels that have segments to be merged."""
        return [level for level in sorted({level for _, level, _ in self.state.segments}) if len(self._to_merge(level)) > 1]

    def _to_merge(self, level: int) -> list[int]:
        """Segments of a level that are merged next: from the smallest on, each less than ``GROWTH`` times those before."""
        sizes = sorted((rows, number) for number, of_level, rows in self.state.segments if of_level == level)
        chosen, total = list[int](), 0
        for rows, number in sizes:
            if chosen and rows >= GROWTH * total:
                break
            chosen.append(number)
            total += rows
        return chosen

    def settle(self, level: int) -> None:
        """Merge the small segments of a level."""
        chosen = self._to_merge(level)
        if len(chosen) > 1:
            self.merge(level, set(chosen))

    def merge(self, level: int, numbers: set[int]) -> None:
        """Some segments of a level become one, without the rows of pages that are gone."""
        segments = [segment for segment in self.directories_of(level)
                    if segment.number in numbers]
        dead = self.dead_pages() if level != DEAD else np.empty(0, np.int64)
        windows = merged([in_windows(chunks_of(self.connection, segment)) for segment in segments])
        self.write_segment(level, (alive for rows in windows if len(alive := _alive(rows, dead))))
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
            _put_meta(self.connection, "state", msgspec.json.encode(self.state))


def chunks_of(connection: sqlite3.Connection, segment: Segment) -> Iterator[tuple[int, bytes]]:
    """The chunks of a segment, with their numbers.

    Raises:
        DamagedIndexError: One is missing.
    """
    expected, end = segment.first_chunk, segment.first_chunk + len(segment.fence)
    for number, data in connection.execute("SELECT number, data FROM chunk WHERE number >= ? AND number < ? ORDER BY number",
                                           (segment.first_chunk, end)):
        if number != expected:
            break
        yield number, as_bytes(data, "chunk", number)
        expected += 1
    if expected != end:
        raise DamagedIndexError(f"chunk {expected} of the postings is missing")


def _alive(rows: Rows, dead: I64) -> Rows:
    """Rows of pages that are not gone."""
    if not len(dead):
        return rows
    at = np.minimum(np.searchsorted(dead, rows.page), len(dead) - 1)
    return rows.take(dead[at] != rows.page)


def _rows_of(connection: sqlite3.Connection, table: str, numbers: list[int]) -> list[bytes]:
    """Records of a table by their numbers, which ascend.

    Raises:
        DamagedIndexError: One is missing.
    """
    listed = ",".join(map(str, numbers))
    found = connection.execute(f"SELECT number, data FROM {table} WHERE number IN (SELECT value FROM json_each(?)) "
                               "ORDER BY number", (f"[{listed}]",)).fetchall()
    if [number for number, _ in found] != numbers:
        missing = next(iter(set(numbers) - {number for number, _ in found}), numbers[0])
        raise DamagedIndexError(f"{table} {missing} is missing")
    return [as_bytes(data, table, number) for number, data in found]


def as_bytes(data: Any, table: str, number: int) -> bytes:
    """A value of the database that should be bytes; SQLite lets any column hold anything."""
    if not isinstance(data, bytes):
        raise DamagedIndexError(f"{table} {number} is no record")
    return data


def read_meta(connection: sqlite3.Connection, name: str) -> bytes:
    """A value of the table of few values."""
    row = connection.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
    if row is None:
        raise DamagedIndexError(f"the record {name!r} is missing")
    data = as_bytes(row[0], name, 0)
    if data[:4] != checksum(data[4:], name.encode(), 0):
        raise DamagedIndexError(f"the record {name!r} is damaged")
    return data[4:]


def _put_meta(connection: sqlite3.Connection, name: str, value: bytes) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (name, checksum(value, name.encode(), 0) + value))


def _put_in_place(unfinished: Path, path: Path) -> None:
    """Give a file its name, never over another one."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise FileExistsError from None
        unfinished.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """What was renamed stays so when the power fails."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
