"""Looking after an index in Redis: figures, verify, and clearing what nobody needs."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.blocks import read_corpus
from dedup.engines.local import LocalEngine
from dedup.errors import DamagedIndexError, DedupError
from dedup.index.adding import Some, content_digests
from dedup.index.affine32 import Sketched
from dedup.index.keys import NAMES, NUMBER_OF, batch_keys
from dedup.index.recipe import Recipe
from dedup.index.records import Record, stored_page, unseal
from dedup.index.redis_scripts import MEMBER, POSTING
from dedup.index.redis_store import REDIS_FORMAT, RedisSnapshot, RedisStore, evicts
from dedup.index.store import Info, Verified
from dedup.model import Page

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
TOGETHER = 1024  # pages
MOST_TOLD = 100  # problems that are named


def info(store: RedisStore) -> Info:
    """Figures; bytes are those of all that the server holds, for Redis does not count them by name."""
    client, pages = store.client, RedisSnapshot(store).pages
    figures = {name: int(value) for name, value in client.hgetall(store.key("figures")).items()}
    rows = {NAMES[level]: _buckets(store, level) for level in _sketched_levels(store)}
    if "passage" in store.recipe.levels:
        rows["passage"] = sum(_strings(store))
    removed = max(0, figures.get(b"next", 0) - pages - figures.get(b"cleared", 0))
    return Info(store.name, pages, figures.get(b"text_bytes", 0), int(client.info("memory")["used_memory"]),
                store.recipe.levels, json.loads(store.recipe.pack())["options"], rows, 0, removed, REDIS_FORMAT)


def _sketched_levels(store: RedisStore) -> list[int]:
    return [NUMBER_OF[level] for level in store.recipe.levels if level != "passage"]


def _buckets(store: RedisStore, level: int) -> int:
    """Members of all buckets of a level: each list holds those of one."""
    basename = store.key(NAMES[level])
    member = next(store.client.hscan_iter(basename + b"_keys", count=1), None)
    bands = int(store.client.llen(member[1])) if member else 0
    return int(store.client.hlen(basename + b"_keys")) * bands


def _strings(store: RedisStore) -> Iterator[int]:
    """Postings of each string of passages."""
    for names in _in_parts(store.client.scan_iter(match=store.key("passage:") + b"*", count=4096)):
        pipe = store.client.pipeline(transaction=False)
        for name in names:
            pipe.strlen(name)
        for size in pipe.execute():
            yield size // POSTING.itemsize


def _in_parts(items: Iterator[Any]) -> Iterator[list[Any]]:
    part = []
    for item in items:
        part.append(item)
        if len(part) >= TOGETHER:
            yield part
            part = []
    if part:
        yield part


def verify(store: RedisStore, engine: LocalEngine) -> Verified:
    """Look at all pages: records, ids, and whether each stands where all of its keys lead.

    Others may write meanwhile: of a page that went while it was looked at, nothing is said.
    """
    problems: list[tuple[int, str]] = []
    looked_at = 0
    snapshot = RedisSnapshot(store)
    for records in _records(snapshot, problems):
        looked_at += len(records)
        problems += _of_names(snapshot, records)
        try:
            problems += _of_keys(store, snapshot, engine, records)
        except DamagedIndexError as error:
            problems.append((-1, error.what))
    problems += _of_ids(snapshot)
    problems += [(-1, text) for text in _of_root(store, snapshot)]
    still = set(snapshot.numbers())
    told = [text for number, text in problems if number < 0 or number in still]
    told += [problem] if (problem := evicts(store.client)) else []
    more = len(told) - MOST_TOLD
    return Verified(looked_at, (*told[:MOST_TOLD], *([f"and {more:,} more"] if more > 0 else [])))


def _records(snapshot: RedisSnapshot, problems: list[tuple[int, str]]) -> Iterator[list[Record]]:
    """All records that are whole, some at a time."""
    numbers = snapshot.numbers()
    for begin in range(0, len(numbers), TOGETHER):
        some = numbers[begin:begin + TOGETHER]
        whole = []
        for number, data in zip(some, snapshot.stored(some), strict=True):
            try:
                whole += [unseal(data, number)] if data is not None else []
            except DamagedIndexError as error:
                problems.append((number, error.what))
        yield whole


def _of_names(snapshot: RedisSnapshot, records: list[Record]) -> list[tuple[int, str]]:
    """Pages to which their ids do not lead, or whose numbers do not lead to their ids."""
    numbers = snapshot.numbers_of([record.id for record in records])
    found = [(record.number, f"the id of page {record.number} does not lead to it") for record in records
             if numbers.get(record.id) != record.number]
    there = set(snapshot.there(np.array([record.number for record in records], np.int64)).tolist())
    return found + [(record.number, f"page {record.number} has no name") for record in records if record.number not in there]


def _of_ids(snapshot: RedisSnapshot) -> list[tuple[int, str]]:
    """Ids that lead to no page."""
    client, key = snapshot.client, snapshot.store.key
    found = []
    for part in _in_parts(client.hscan_iter(key("ids"), count=1024)):
        there = client.hmget(key("pages"), [number for _, number in part])
        lost = [id_ for (id_, _), data in zip(part, there, strict=True) if data is None]
        again = snapshot.numbers_of(lost)  # a page that was replaced meanwhile has another number now
        gone = [id_ for id_ in again if client.hget(key("pages"), again[id_]) is None]
        found += [(-1, f"the id {id_.decode('utf-8', 'replace')!r} leads to no page") for id_ in gone]
    return found


def _of_root(store: RedisStore, snapshot: RedisSnapshot) -> list[str]:
    """What is wrong with the recipe and the figures."""
    found = []
    try:
        if Recipe.unpack(store.stored_recipe()) != store.recipe:
            found.append("it was made anew, by other settings")
    except DedupError as error:
        found.append(str(getattr(error, "what", error)))
    pipe = store.client.pipeline(transaction=True)
    pipe.hmget(store.key("figures"), "next", "pages")
    pipe.hkeys(store.key("pages"))
    (following, pages), numbers = pipe.execute()
    if int(following or 0) <= max(map(int, numbers), default=-1):
        found.append("the figures were lost or changed: a number that a page has would be given again")
    if pages is not None and int(pages) != len(numbers):
        found.append(f"it holds {len(numbers):,} pages and should hold {int(pages):,}")
    return found


def _of_keys(store: RedisStore, snapshot: RedisSnapshot, engine: LocalEngine, records: list[Record]) -> list[tuple[int, str]]:
    """Pages that are not what was stored, or that stand in too few places."""
    problems, pages, whole = list[tuple[int, str]](), list[Page](), list[Record]()
    for record in records:
        try:
            pages.append(stored_page(record, store.packer))
            whole.append(record)
        except DamagedIndexError as error:
            problems.append((record.number, error.what))
    corpus, tokens = read_corpus(Some(list(pages), sum(record.size for record in whole)), engine, store.recipe.options)
    problems += [(record.number, f"page {record.number} is not what was stored")
                 for record, digest in zip(whole, content_digests(corpus), strict=True) if record.digest != digest]
    numbers, recipe = np.array([record.number for record in whole], np.int64), store.recipe
    for level, keys in batch_keys(engine, corpus, tokens, recipe.options, recipe.levels, recipe.sketch).items():
        problems += [(page, f"page {page} is missing in the postings of level {NAMES[level]}")
                     for page in _missing(snapshot, level, keys, numbers)]
    return problems


def _missing(snapshot: RedisSnapshot, level: int, keys: Any, numbers: I64) -> list[int]:
    """Pages that are not where their keys lead."""
    rows, names = keys.rows() if isinstance(keys, Sketched) else (keys, {})
    distinct, first = np.unique(rows.key, return_index=True)
    found = snapshot.find(level, rows.key[first], names)
    there = {*zip(distinct[found.query].tolist(), found.page.tolist(), found.extra.tolist(), strict=True)}
    wanted = zip(rows.key.tolist(), numbers[rows.page].tolist(), rows.extra.tolist(), strict=True)
    return sorted({page for key, page, extra in wanted if (key, page, extra) not in there})


def clear(store: RedisStore) -> None:
    """Take pages that are not there out of buckets and postings.

    Only numbers that were given before count, so nothing of another writer goes even where the lock is lost.
    """
    with store.writing() as writer:
        client = store.client
        given = int(client.hget(store.key("figures"), "next") or 0)
        numbers = np.array(writer.numbers(), np.int64)

        def gone(pages: I64) -> Flags:
            return (pages < given) & ~np.isin(pages, numbers)
        for level in _sketched_levels(store):
            basename = store.key(NAMES[level])
            for part in _in_parts(name for name, _ in client.hscan_iter(basename + b"_keys", count=4096)):
                members = [member for member in part if len(member) == MEMBER.itemsize]
                pages = np.frombuffer(b"".join(members), MEMBER)["page"].astype(np.int64)
                store.scripts.take_out(basename, [members[at] for at in np.flatnonzero(gone(pages)).tolist()])
        if "passage" in store.recipe.levels:
            for names in _in_parts(client.scan_iter(match=store.key("passage:") + b"*", count=4096)):
                writer.transaction(functools.partial(_clear_strings, names=names, gone=gone))
        client.hset(store.key("figures"), "cleared", given - len(numbers))


def _clear_strings(pipe: Any, names: Sequence[bytes], gone: Callable[[I64], Flags]) -> None:
    """Write strings of postings anew without those of some pages."""
    found = pipe.mget(names)
    pipe.multi()
    for name, data in zip(names, found, strict=True):
        rows = np.frombuffer(data or b"", POSTING, len(data or b"") // POSTING.itemsize)
        alive = ~gone(rows["page"].astype(np.int64))
        if alive.any() and not alive.all():
            pipe.set(name, rows[alive].tobytes())
        elif not alive.any():
            pipe.delete(name)


@contextlib.contextmanager
def saving(place: str) -> Iterator[tuple[Callable[[], bytes], RedisSnapshot]]:
    """An index that pages are saved from, whatever is wrong with it: its recipe, and what it holds."""
    store = RedisStore(place, 0, opened=False)
    with contextlib.closing(store), store.errors():
        yield store.stored_recipe, RedisSnapshot(store)


def readable(snapshot: RedisSnapshot, problems: list[str]) -> Iterator[Page]:
    """The pages that can be read."""
    told: list[tuple[int, str]] = []
    for records in _records(snapshot, told):
        for record in records:
            try:
                yield stored_page(record, snapshot.packer)
            except DamagedIndexError as error:
                told.append((record.number, error.what))
    problems += [text for _, text in told]
