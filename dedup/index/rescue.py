"""A new index of what can be read of another one; and its pages for other tools."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dedup.errors import DamagedIndexError, InputError, OptionError, OutputError
from dedup.index.index import Index, create_store
from dedup.index.recipe import Recipe, make_recipe, stored_settings
from dedup.index.records import Packer, stored_page, unseal
from dedup.index.redis_link import is_address, shown
from dedup.index.segments import checksum
from dedup.index.sqlite import told
from dedup.index.sqlite_file import (
    as_bytes,
    is_index,
    open_file,
    put_in_place,
    read_meta,
    refuse_foreign_log,
    refuse_taken,
)
from dedup.index.store import Verified
from dedup.model import Page
from dedup.report.text import count as count_of

log = logging.getLogger("dedup")

SPAN = 64  # pages that are asked for at a time
MOST_LOST, MOST_TOLD = 4096, 1000  # numbers in a row that cannot be read; lines that say so


def rebuild(place: Path | str, out: Path | str, *, levels: Iterable[str] | str | None = None, **settings: Any) -> Verified:
    """Make a new index of all pages that can be read of one, which stays as it is.

    Args:
        place: An index, in a file or in Redis; parts of it may be damaged, or another version of dedup may have made it.
        out: The new one, in a file or in Redis.
        levels, **settings: As of ``Index.create``; those of the old one unless given.

    Returns:
        How many pages the new one has, and what could not be read.

    Raises:
        InputError: It is none, or so damaged that it is not known what it was made by, and no levels are given.
        OutputError: There is something at `out`.
    """
    problems: list[str] = []
    run = {name: settings.pop(name) for name in ("threads", "partitions", "memory", "temp_dir") if name in settings}
    with _source(place) as source, _whole_or_none(out) as unfinished:
        recipe = _recipe(source.stored_recipe, place, levels, settings, problems)
        create_store(unfinished, recipe)
        with Index.open(unfinished) as made:
            made.add(source.readable(problems), **run)
            made.compact()
            return Verified(len(made), tuple(problems))


@contextmanager
def _whole_or_none(out: Path | str) -> Iterator[Path | str]:
    """Where an index is made, so that a file has its name when it is whole. In Redis it is made in its place."""
    if is_address(out):
        yield out
        return
    path = Path(out)
    refuse_taken(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        yield unfinished
        put_in_place(unfinished, path)
    except FileExistsError:
        raise OutputError("is there already", str(path)) from None
    except OutputError as error:
        where = str(path) if error.where == str(unfinished) else error.where
        raise OutputError(error.what, where, error.mend) from error.__cause__
    finally:
        for end in ("", "-wal", "-shm"):
            path.with_name(f"{unfinished.name}{end}").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Source:
    """An index that pages are saved from.

    Attributes:
        stored_recipe: Reads what it was made by.
        readable: Its pages; what cannot be read is put into a list.
    """

    stored_recipe: Callable[[], bytes]
    readable: Callable[[list[str]], Iterator[Page]]


@contextmanager
def _source(place: Path | str) -> Iterator[_Source]:
    if is_address(place):
        from dedup.index.redis_upkeep import readable, saving

        with saving(str(place)) as (stored_recipe, snapshot):
            yield _Source(stored_recipe, lambda problems: readable(snapshot, problems))
        return
    place = Path(place)
    known = False
    try:
        known = is_index(place)
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", str(place)) from error
    if not known:
        raise InputError("is no index", str(place))
    refuse_foreign_log(Path(os.path.realpath(place)))
    with closing(open_file(place)) as connection:
        connection.text_factory = bytes
        with suppress(sqlite3.Error):
            connection.execute("BEGIN")  # what others write meanwhile is not seen: a page would come twice
        yield _Source(lambda: read_meta(connection, "recipe"), lambda problems: _readable(connection, problems))


def _recipe(stored_recipe: Callable[[], bytes], place: Path | str, levels: Iterable[str] | str | None,
            settings: dict[str, Any], problems: list[str]) -> Recipe:
    """What the new index is made by."""
    try:
        old_levels, old = stored_settings(stored_recipe())
    except (DamagedIndexError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and not isinstance(said := told(error, Path(place)), DamagedIndexError):
            raise said from error
        problems.append(str(getattr(error, "what", error)))
        if levels is None:
            raise DamagedIndexError("what it was made by cannot be read", shown(place),
                                    "Say it: dedup index rebuild INDEX -o NEW --levels ... with its settings.") from error
        return make_recipe(levels, settings)
    return make_recipe(old_levels if levels is None else levels, {**old, **settings})


def _readable(connection: sqlite3.Connection, problems: list[str]) -> Iterator[Page]:
    """The pages that can be read."""
    packer = Packer(dict(_dictionaries(connection, problems)))
    for number, data in _page_rows(connection, problems):
        try:
            yield stored_page(unseal(as_bytes(data, "page", number), number), packer)
        except DamagedIndexError as error:
            problems.append(error.what)


def _dictionaries(connection: sqlite3.Connection, problems: list[str]) -> Iterator[tuple[int, bytes]]:
    try:
        for number, data in connection.execute("SELECT number, data FROM dictionary"):
            if isinstance(data, bytes) and data[:4] == checksum(data[4:], b"dictionary", number):
                yield number, data[4:]
            else:
                problems.append(f"dictionary {number} is damaged")
    except sqlite3.Error as error:
        problems.append(f"dictionaries: {error}")


def _page_rows(connection: sqlite3.Connection, problems: list[str]) -> Iterator[tuple[int, bytes]]:
    """Records of pages, also behind those that SQLite cannot read.

    After ``MOST_LOST`` numbers of which none can be read, it ends: who knows what stands behind.
    """
    sql = "SELECT number, data FROM page WHERE number {} ORDER BY number LIMIT ?"
    last, lost = -1, 0
    while lost < MOST_LOST:
        try:
            rows = connection.execute(sql.format("> ?"), (last, SPAN)).fetchall()
            if not rows:
                return
            if rows[-1][0] <= last:  # a tree that leads back
                break
            last, lost = rows[-1][0], 0
        except sqlite3.Error:
            rows = []
            for number in range(last + 1, last + 1 + SPAN):
                try:
                    rows += connection.execute(sql.format("= ?"), (number, 1)).fetchall()
                except sqlite3.Error as error:
                    if len(problems) < MOST_TOLD:
                        problems.append(f"page {number}: {error}")
            last += SPAN
            lost = 0 if rows else lost + SPAN
        yield from rows
    problems.append(f"nothing can be read behind page {last - lost:,}; the rest was not tried")


def export(pages: Iterable[Page], path: Path) -> int:
    """Write pages to a file, a record each: id, text, source, title, url, and the carried fields as `meta`.

    In Parquet a lone surrogate becomes a question mark, and a warning says in how many pages.

    Returns:
        How many there were.

    Raises:
        OptionError: The suffix is neither .jsonl nor .parquet.
        OutputError: The file cannot be written.
    """
    if path.suffix not in (".jsonl", ".parquet"):
        raise OptionError(f"{path.name!r} is neither .jsonl nor .parquet", "output", "Name a file of one of these.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        count = (_to_jsonl if path.suffix == ".jsonl" else _to_parquet)(pages, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", str(path)) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _row(page: Page) -> dict[str, Any]:
    return {"id": page.id, "text": page.text, "source": page.source, "title": page.title, "url": page.url}


def _to_jsonl(pages: Iterable[Page], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
        for count, page in enumerate(pages, 1):  # noqa: B007
            lone = any("\ud800" <= char <= "\udfff" for char in page.text + page.id) if not page.text.isascii() else False
            file.write(json.dumps({**_row(page), "meta": dict(page.meta)}, ensure_ascii=lone) + "\n")
    return count


def _to_parquet(pages: Iterable[Page], path: Path) -> int:
    from dedup.errors import MissingExtraError, how_to_install

    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("Parquet needs pyarrow", str(path), how_to_install("arrow", "pyarrow")) from error
    names = ("id", "text", "source", "title", "url", "meta")
    schema = pa.schema([(name, pa.large_string() if name == "text" else pa.string()) for name in names])
    count, changed, rows = 0, 0, list[dict[str, Any]]()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for page in pages:
            row = {**_row(page), "meta": json.dumps(dict(page.meta), ensure_ascii=False) if page.meta else None}
            whole = {name: None if value is None else value.encode("utf-8", "replace").decode()
                     for name, value in row.items()}
            changed += whole != row
            rows.append(whole)
            count += 1
            if len(rows) >= 4096:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema))
    if changed:
        log.warning("lone surrogates of %s became question marks; a .jsonl file would keep them", count_of(changed, "page"))
    return count
