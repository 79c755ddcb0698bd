"""Looking after an index in Redis: verify, and clear what nobody needs."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from dedup.blocks import read_corpus
from dedup.engines.local import LocalEngine
from dedup.errors import DamagedIndexError
from dedup.index.adding import Some, content_digests
from dedup.index.affine32 import Sketched
from dedup.index.keys import NAMES, batch_keys
from dedup.index.records import Record, stored_page, unseal
from dedup.index.redis_store import RedisSnapshot, RedisStore
from dedup.index.store import Verified

TOGETHER = 1024  # pages


def verify(store: RedisStore, engine: LocalEngine) -> Verified:
    """Look at all pages: records, ids, and whether each stands in the buckets of all its keys."""
    problems: list[str] = []
    looked_at = 0
    ids = {id_: int(number) for id_, number in store.client.hgetall(store.base + b":ids").items()}
    with store.reading() as snapshot:
        for records in _records(snapshot, problems):
            looked_at += len(records)
            problems += [f"the id of page {record.number} does not lead to it" for record in records
                         if ids.pop(record.id, None) != record.number]
            problems += _of_keys(store, snapshot, engine, records)
    problems += [f"the id {id_.decode('utf-8', 'replace')} leads to page {number}, which is not there"
                 for id_, number in ids.items()]
    return Verified(looked_at, tuple(problems))


def _records(snapshot: RedisSnapshot, problems: list[str]) -> Iterator[list[Record]]:
    numbers = sorted(map(int, snapshot.client.hkeys(snapshot.base + b":pages")))
    for begin in range(0, len(numbers), TOGETHER):
        some = numbers[begin:begin + TOGETHER]
        whole = []
        for number, data in zip(some, snapshot.client.hmget(snapshot.base + b":pages", some), strict=True):
            try:
                whole.append(unseal(data, number))
            except DamagedIndexError as error:
                problems.append(error.what)
        yield whole


def _of_keys(store: RedisStore, snapshot: RedisSnapshot, engine: LocalEngine, records: list[Record]) -> list[str]:
    """Pages that are not what was stored, or that stand in too few buckets."""
    problems = []
    pages = [stored_page(record, store.packer) for record in records]
    corpus, tokens = read_corpus(Some(list(pages), sum(record.size for record in records)), engine, store.recipe.options)
    problems += [f"page {record.number} is not what was stored"
                 for record, digest in zip(records, content_digests(corpus), strict=True) if record.digest != digest]
    numbers = np.array([record.number for record in records], np.int64)
    recipe = store.recipe
    for level, keys in batch_keys(engine, corpus, tokens, recipe.options, recipe.levels, recipe.sketch).items():
        rows, names = keys.rows() if isinstance(keys, Sketched) else (keys, {})
        distinct, first = np.unique(rows.key, return_index=True)
        found = snapshot.find(level, rows.key[first], names)
        there = {*zip(distinct[found.query].tolist(), found.page.tolist(), found.extra.tolist(), strict=True)}
        wanted = zip(rows.key.tolist(), numbers[rows.page].tolist(), rows.extra.tolist(), strict=True)
        lost = {page for key, page, extra in wanted if (key, page, extra) not in there}
        problems += [f"page {page} is missing in buckets of level {NAMES[level]}" for page in sorted(lost)]
    return problems


def clear(store: RedisStore) -> None:
    """Take pages that are not there out of the buckets."""
    with store.writing() as writer:
        there = set(map(int, writer.client.hkeys(store.base + b":pages")))

        def gone(member: bytes) -> bool:
            return struct.unpack(">QI", member)[0] not in there
        for lsh in store.tables.values():
            for member in filter(gone, list(lsh.keys.keys())):
                lsh.remove(member)
        _clear_sets(store.passages, gone)


def _clear_sets(storage: Any, gone: Any) -> None:
    for key in list(storage.keys()):
        for member in filter(gone, storage.get(key)):
            storage.remove_val(key, member)
