"""The file of an index: its tables, records by their numbers, and what tells it from other files."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from dedup.errors import DamagedIndexError, InputError, OutputError
from dedup.index.recipe import FORMAT, Recipe
from dedup.index.segments import Segment, checksum

APPLICATION_ID = 0x44445550  # DDUP
MAGIC = b"SQLite format 3\0"
PAGE_SIZE = 16_384
MARK, META_PAGE = b"dedup index ", 2  # before the name of an index, which is drawn when it is made; where the name lies
LOG_HEADER, FRAME_HEADER = 32, 24  # of SQLite's log
SCHEMA = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE page(number INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE segment(number INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE chunk(number INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE dictionary(number INTEGER PRIMARY KEY, data BLOB NOT NULL)",
)


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

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """As any connection does it.

        Raises:
            sqlite3.Error: SQLite says that something is wrong, also where it quotes bytes that are no UTF-8.
        """
        try:
            return super().execute(*arguments)
        except UnicodeDecodeError as error:
            raise sqlite3.DatabaseError(error.object.decode("utf-8", "backslashreplace")) from error


def open_file(path: Path) -> Connection:
    """A connection to a file that there is; where it cannot be written, to read it."""
    mode = "rw" if os.access(path, os.W_OK) else "ro&immutable=1" if _lies_still(path) else "ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=0,
                           check_same_thread=False, factory=Connection)


def _lies_still(path: Path) -> bool:
    """Whether nobody can write to a file or has written to its log: then it is read without one."""
    log = path.with_name(f"{path.name}-wal")
    if not hasattr(os, "statvfs") or not os.statvfs(path).f_flag & os.ST_RDONLY:
        return False
    return not log.exists() or not log.stat().st_size


def refuse_taken(path: Path) -> None:
    """See that a file can be made at a place.

    Raises:
        OutputError: There is something already, or the log of what was there, or no folder.
    """
    log = path.with_name(f"{path.name}-wal")
    if os.path.lexists(path):
        raise OutputError("is there already", str(path), "Add to it with: dedup index add, or name another file.")
    if log.exists() and log.stat().st_size:
        raise OutputError(f"the log of a file that lay here is still there ({log.name})", str(path),
                          f"See that no process has that one open, and delete {log.name}.")
    if not path.absolute().parent.is_dir():
        raise OutputError("there is no such folder", str(path.parent), "Make it, or name another place.")


def refuse_foreign_log(path: Path) -> None:
    """See that the log beside an index is its own: SQLite would put the pages of another file's log into it, in silence.

    It is another's where a file was put in the place of one that a process has open, or that one was killed with.

    Raises:
        InputError: It is not.
    """
    log = path.with_name(f"{path.name}-wal")
    try:
        with path.open("rb") as file:
            file.seek((META_PAGE - 1) * PAGE_SIZE)
            own = _name_in(file.read(PAGE_SIZE))
        logged = _name_in(_logged(log))
    except OSError:
        return  # no log, or none that can be read: SQLite says so
    if own is not None and logged is not None and own != logged:
        raise InputError(f"the log beside it ({log.name}) is that of another file, which lay here before", str(path),
                         f"See that no process has that one open. If it is still there then, delete {log.name}.")


def _logged(log: Path) -> bytes:
    """The first page in a log where the name of its index lies."""
    with log.open("rb", buffering=0) as file:  # 24 bytes are read of each frame of 16 kB, and there may be 100,000
        salts = file.read(LOG_HEADER)[16:24]
        while len(head := file.read(FRAME_HEADER)) == FRAME_HEADER and head[8:16] == salts:
            if int.from_bytes(head[:4], "big") == META_PAGE:
                return file.read(PAGE_SIZE)
            file.seek(PAGE_SIZE, os.SEEK_CUR)
    return b""


def _name_in(page: bytes) -> bytes | None:
    """The name of an index, of the page where it lies; ``None`` where it has none."""
    at = page.find(MARK)
    return None if at < 0 else page[at:at + len(MARK) + 16]


def create_file(path: Path, recipe: Recipe) -> None:
    """Make an index that holds nothing.

    Raises:
        OutputError: There is something already, or no file can be written there.
    """
    refuse_taken(path)
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
            put_meta(connection, "recipe", recipe.pack())
            put_meta(connection, "state", msgspec.json.encode(State()))
            put_meta(connection, "name", MARK + os.urandom(16))
            connection.execute("COMMIT")
        finally:
            connection.close()
        put_in_place(unfinished, path)
    except FileExistsError:
        raise OutputError("is there already", str(path)) from None
    except (OSError, sqlite3.Error) as error:
        raise OutputError(f"cannot be written ({getattr(error, 'strerror', None) or error})", str(path)) from error
    finally:
        for left in (unfinished, Path(f"{unfinished}-wal"), Path(f"{unfinished}-shm")):
            left.unlink(missing_ok=True)


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


def rows_of(connection: sqlite3.Connection, table: str, numbers: list[int]) -> list[bytes]:
    """Records of a table by their numbers, which ascend.

    Raises:
        DamagedIndexError: One is missing.
    """
    found = connection.execute(f"SELECT number, data FROM json_each(?) AS asked CROSS JOIN {table} ON number = asked.value",
                               (f"[{','.join(map(str, numbers))}]",)).fetchall()  # one after the other, as they are asked for
    if [number for number, _ in found] != numbers:
        missing = next(iter(set(numbers) - {number for number, _ in found}), numbers[0])
        raise DamagedIndexError(f"{table} {missing} is missing")
    return [data if type(data) is bytes else as_bytes(data, table, number) for number, data in found]


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


def put_meta(connection: sqlite3.Connection, name: str, value: bytes) -> None:
    """Keep a value under a name, with its checksum; what was there goes."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (name, checksum(value, name.encode(), 0) + value))


def put_in_place(unfinished: Path, path: Path) -> None:
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
