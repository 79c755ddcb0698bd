"""Looking after an index in a file: verify, compact, figures."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dedup.blocks import read_corpus
from dedup.engines.local import LocalEngine
from dedup.errors import DamagedIndexError
from dedup.index.adding import BATCH_BYTES, BATCH_PAGES, Some, content_digests
from dedup.index.keys import DEAD, ID, NAMES, NUMBER_OF, batch_keys, id_rows
from dedup.index.records import Record, stored_page
from dedup.index.segments import Rows, Segment, in_windows
from dedup.index.sqlite import SqliteStore
from dedup.index.sqlite_file import chunks_of
from dedup.index.sqlite_pages import SqliteSnapshot
from dedup.index.store import Info, Verified
from dedup.kernel import kernel
from dedup.model import Page

I64 = npt.NDArray[np.int64]
MOST_TOLD = 100  # problems that are named


def info(store: SqliteStore) -> Info:
    """Figures of an index."""
    import json

    files = [store.file.with_name(store.file.name + end) for end in ("", "-wal")]
    with store.reading() as snapshot:
        state = snapshot.state
        rows: dict[str, int] = {}
        for _, level, count in state.segments:
            rows[NAMES[level]] = rows.get(NAMES[level], 0) + count
        return Info(store.name, state.pages, state.text_bytes, sum(file.stat().st_size for file in files if file.exists()),
                    store.recipe.levels, json.loads(store.recipe.pack())["options"], rows, len(state.segments),
                    rows.pop(NAMES[DEAD], 0), store.format)


def compact(store: SqliteStore) -> None:
    """One segment a level, without what is gone; and the file as small as it can be."""
    with store.writing() as writer:
        segments = writer.state.segments
        dead = [number for number, level, _ in segments if level == DEAD]
        for level in sorted({level for _, level, _ in segments} - {DEAD}):
            own = {number for number, of_level, _ in segments if of_level == level}
            if dead or len(own) > 1:
                writer.merge(level, own)
        if dead:
            writer.drop([segment for segment in writer.directories_of(DEAD) if segment.number in dead])
    store.shrink()


def verify(store: SqliteStore, engine: LocalEngine) -> Verified:
    """Look at all that an index holds: checksums, counts, order, and whether its postings are those of its pages."""
    problems: list[str] = []
    looked_at = 0
    try:
        with store.reading() as snapshot:
            problems += _of_sqlite(snapshot.connection)
            expected = {level: [0, 0] for level in (ID, *(NUMBER_OF[name] for name in store.recipe.levels))}
            for batch in _pages(snapshot, problems):
                looked_at += len(batch[0])
                _sum_keys(store, engine, batch, expected, problems)
            if looked_at != snapshot.pages:
                problems.append(f"{looked_at:,} of {snapshot.pages:,} pages are whole")
            problems += _of_segments(snapshot, expected)
    except DamagedIndexError as error:
        problems.append(error.what)
    more = len(problems) - MOST_TOLD
    return Verified(looked_at, (*problems[:MOST_TOLD], *([f"and {more:,} more"] if more > 0 else [])))


def _of_sqlite(connection: sqlite3.Connection) -> list[str]:
    """What SQLite itself finds."""
    try:
        return [f"SQLite: {line}" for (line,) in connection.execute("PRAGMA integrity_check(20)") if line != "ok"]
    except sqlite3.DatabaseError as error:
        return [f"SQLite: {error}"]


def _pages(snapshot: SqliteSnapshot, problems: list[str]) -> Iterator[tuple[list[Record], list[Page]]]:
    """All pages that are whole, some at a time."""
    records: list[Record] = []
    pages: list[Page] = []
    size = 0
    last = -1
    while True:
        try:
            for record in snapshot.all_records(last):
                last = record.number
                try:
                    page = stored_page(record, snapshot.packer)
                except DamagedIndexError as error:
                    problems.append(error.what)
                    continue
                records.append(record)
                pages.append(page)
                size += record.size
                if size >= BATCH_BYTES or len(records) >= BATCH_PAGES:
                    yield records, pages
                    records, pages, size = [], [], 0
            break
        except DamagedIndexError as error:  # a record that cannot be read: go on behind it
            problems.append(error.what)
            following = snapshot.next_number(last)
            if following is None or following <= last or len(problems) > MOST_TOLD:
                break
            last = following
        except sqlite3.DatabaseError as error:
            problems.append(f"SQLite: {error}")
            break
    if records:
        yield records, pages


def _sum_keys(store: SqliteStore, engine: LocalEngine, batch: tuple[list[Record], list[Page]], expected: dict[int, list[int]],
              problems: list[str]) -> None:
    """Add up the rows that the postings should hold."""
    records, pages = batch
    numbers = np.array([record.number for record in records], np.uint32)
    corpus, tokens = read_corpus(Some(list(pages), sum(record.size for record in records)), engine, store.recipe.options)
    keys = batch_keys(engine, corpus, tokens, store.recipe.options, store.recipe.levels)
    keys[ID] = id_rows([record.id for record in records])
    for level, rows in keys.items():
        assert isinstance(rows, Rows)
        _sum(expected[level], Rows(rows.key, numbers[rows.page], rows.extra))
    for record, digest in zip(records, content_digests(corpus), strict=True):
        if record.digest != digest:
            problems.append(f"page {record.number} is not what was stored")


def _sum(total: list[int], rows: Rows) -> None:
    """Add rows to a count and a sum that does not depend on their order."""
    edges = np.arange(len(rows) + 1) * 3
    columns = np.column_stack([rows.key, rows.page.astype(np.uint64), rows.extra.astype(np.uint64)]).reshape(-1)
    total[0] += len(rows)
    total[1] = (total[1] + int(kernel.range_digests(columns, edges).sum(dtype=np.uint64))) % (1 << 64)


def _of_segments(snapshot: SqliteSnapshot, expected: dict[int, list[int]]) -> list[str]:
    """What is wrong with the postings."""
    problems, chunks = list[str](), 0
    try:
        dead = snapshot.dead_pages()
    except DamagedIndexError as error:
        return [error.what]
    for level in sorted({*expected, *(level for _, level, _ in snapshot.state.segments)}):
        found = [0, 0]
        whole = True
        for segment in snapshot.directories_of(level):
            chunks += len(segment.fence)
            try:
                for rows in _checked_windows(snapshot.connection, segment):
                    if len(dead):
                        rows = rows.take(~np.isin(rows.page, dead.astype(np.uint32)))
                    _sum(found, rows)
            except DamagedIndexError as error:
                problems.append(error.what)
                whole = False
        if whole and level != DEAD and found != expected.get(level, [0, 0]):
            problems.append(f"the postings of level {NAMES[level]} are not those of the pages")
    (count,) = snapshot.connection.execute("SELECT count(*) FROM chunk").fetchone()
    if count != chunks:
        problems.append(f"there are {count:,} chunks of postings and should be {chunks:,}")
    return problems


def _checked_windows(connection: sqlite3.Connection, segment: Segment) -> Iterator[Rows]:
    """The rows of a segment, in the order and number that its directory says."""
    seen = 0
    starts = segment.before[:-1].astype(np.int64)
    last = -1
    for rows in in_windows(chunks_of(connection, segment)):
        own = (starts >= seen) & (starts < seen + len(rows))
        if (rows.key[1:] < rows.key[:-1]).any() or int(rows.key[0]) < last or \
                not np.array_equal(rows.key[starts[own] - seen], segment.fence[own]):
            raise DamagedIndexError(f"segment {segment.number} is not in order")
        seen, last = seen + len(rows), int(rows.key[-1])
        yield rows
    if seen != len(segment):
        raise DamagedIndexError(f"segment {segment.number} has {seen:,} rows and should have {len(segment):,}")
