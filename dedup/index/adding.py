"""Pages into an index, some thousands at a time: read, cut, sketched and packed as columns, written in one transaction."""

from __future__ import annotations

import hashlib
import itertools
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec.structs
import numpy as np
import numpy.typing as npt

from dedup.blocks import read_corpus
from dedup.corpus import Corpus, Tokens
from dedup.engines.local import LocalEngine
from dedup.errors import InputError
from dedup.index.affine32 import Sketched
from dedup.index.keys import batch_keys
from dedup.index.recipe import Recipe
from dedup.index.records import LEAST_SAMPLE, Packer, Record, head_digest, page_records, texts_of, train
from dedup.index.segments import Rows
from dedup.index.store import Snapshot, Store, Writer
from dedup.kernel import kernel
from dedup.model import Page, ReadError, Skipped
from dedup.options import Options
from dedup.readers.parquet import from_arrow, is_column
from dedup.readers.stream import speaks_arrow
from dedup.readers.tables import _MISSING, id_fields, look_up
from dedup.report.text import count

UNNAMED = (_MISSING, None, "")
log = logging.getLogger("dedup")
I64 = npt.NDArray[np.int64]

BATCH_BYTES, BATCH_PAGES = 8_000_000, 8_192  # of one transaction, about


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding pages.

    Attributes:
        added: Pages that are new.
        replaced: Pages of ids that there were, with another content.
        unchanged: Pages that stood there already, just so.
        errors, skipped: As of a report.
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    errors: tuple[ReadError, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def pages(self) -> int:
        """All pages that were given."""
        return self.added + self.replaced + self.unchanged


class Some:
    """Some pages of a stream, which can be read again.

    Attributes:
        size: Bytes of their texts, about.
        more: Others may follow them.
    """

    def __init__(self, items: list[Any], size: int, more: bool = False) -> None:
        self.items, self.size, self.more = items, size, more

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def stretches(self) -> Iterator[Any]:
        """The pages, some of them together."""
        return iter(self.items)

    @property
    def expected_bytes(self) -> int:
        """Bytes that there will be."""
        return self.size


def in_batches(stream: Any, size: int = BATCH_BYTES, pages: int = BATCH_PAGES) -> Iterator[Some]:
    """A stream's pages, some at a time."""
    items, held, count = list[Any](), 0, 0
    for item in stream.stretches() if hasattr(stream, "stretches") else stream:
        items.append(item)
        held += len(item.text) if isinstance(item, Page) else int(item.first[-1] - item.first[0])
        count += 1 if isinstance(item, Page) else len(item.heads)
        if held >= size or count >= pages:
            yield Some(items, held, True)
            items, held, count = [], 0, 0
    if items:
        yield Some(items, held)


def prefixed(some: Some, prefix: str) -> Some:
    """The same pages with something before their ids."""
    if not prefix:
        return some
    items = [replace(item, id=prefix + item.id) if isinstance(item, Page) else
             replace(item, heads=msgspec.structs.replace(item.heads, ids=[prefix + id_ for id_ in item.heads.ids]))
             for item in some.items]
    return Some(items, some.size, some.more)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Pages ready to be written; they are numbered from 0 on.

    Attributes:
        records: One a page; ids may repeat.
        keys: Their keys, level by level.
    """

    records: list[Record]
    keys: dict[int, Rows | Sketched]

    def only(self, kept: npt.NDArray[np.bool_]) -> Prepared:
        """Some of the pages, numbered anew."""
        if kept.all():
            return self
        number = np.cumsum(kept) - 1
        records = [replace_number(self.records[old], int(number[old])) for old in np.flatnonzero(kept).tolist()]
        return Prepared(records, {level: rows.renumbered(kept, number) for level, rows in self.keys.items()})


def replace_number(record: Record, number: int) -> Record:
    """The same page with another number."""
    return msgspec.structs.replace(record, number=number)


def add_pages(store: Store, engine: LocalEngine, stream: Any, options: Options, prefix: str = "") -> Added:
    """Pages into an index; what was read in one batch is there when the next one is begun."""
    done = Added()
    with Settling(store) as settling:
        for some in in_batches(stream):
            batch = prefixed(some, prefix)
            corpus, tokens = read_corpus(batch, engine, options)
            ready = prepare(_packer(store, corpus), engine, corpus, tokens, options, store.recipe)
            settling.wait()
            with store.writing() as writer:
                done = together(done, write(writer, ready))
            if some.more:
                settling.begin()
    if done.pages:
        store.settle()
    if getattr(stream, "renamed", 0):
        log.warning("%s stood more than once, told apart as x, x#2, ...", count(stream.renamed, "id"))
    return replace(done, errors=tuple(getattr(stream, "errors", ())), skipped=tuple(getattr(stream, "skipped", ())))


class Settling:
    """What makes look-ups quick after a batch was written, done by a thread while the next one is read; then that is written.

    Where the block that it is for ends with an exception, what has not been done stays undone.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._stopped = store, threading.Event()
        self._thread, self._begun = ThreadPoolExecutor(1, "dedup-settle"), list[Future[None]]()

    def __enter__(self) -> Settling:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._stopped.set()
        with self._thread:
            if kind is None:
                self.wait()

    def begin(self) -> None:
        """Do it beside what follows."""
        self._begun.append(self._thread.submit(self._store.settle, self._stopped.is_set, more=True))

    def wait(self) -> None:
        """See it done; what went wrong there is raised here."""
        while self._begun:
            self._begun.pop().result()


def named(source: Any, options: Options) -> Any:
    """What a program hands over, if all of it has ids: else texts would take the places of those of another call.

    Raises:
        InputError: There is a text without one; of an iterable, while it is read.
    """
    if speaks_arrow(source):
        given = from_arrow(source)
        if is_column(given) or not set(id_fields(options)) & set(given.schema.names):
            raise _unnamed("the column" if is_column(given) else "the table")
        return given
    if isinstance(source, (str, Mapping)):
        return [_named(source, 0, options)]
    if isinstance(source, (list, tuple)):
        if any(isinstance(item, Path) for item in source):
            return source
        return [_named(item, number, options) for number, item in enumerate(source)]
    if isinstance(source, (Path, Page)) or hasattr(source, "errors") or not isinstance(source, Iterable):
        return source
    return (_named(item, number, options) for number, item in enumerate(source))


def _named(item: Any, number: int, options: Options) -> Any:
    if isinstance(item, str) or (isinstance(item, Mapping)
                                 and not any(look_up(item, name) not in UNNAMED for name in id_fields(options))):
        raise _unnamed(f"input[{number}]")
    return item


def _unnamed(where: str) -> InputError:
    return InputError("a text without an id cannot be found again in an index", where,
                      'Give {"id": ..., "text": ...}, or pages.')


def prepare(packer: Packer, engine: LocalEngine, corpus: Corpus, tokens: Tokens, options: Options,
            recipe: Recipe) -> Prepared:
    """Records and keys of pages."""
    keys = batch_keys(engine, corpus, tokens, options, recipe.levels, recipe.sketch)
    tokens.token.clear()

    def of_pages(pages: tuple[int, int]) -> list[Record]:
        first = corpus.page_start[pages[0]:pages[1] + 1]
        return page_records([corpus.pages[page] for page in range(*pages)], corpus.text[first[0]:first[-1]], first - first[0],
                            pages[0], packer, digests[slice(*pages)])
    digests = content_digests(corpus)
    edges = np.linspace(0, len(corpus.pages), engine.threads + 1).astype(np.int64).tolist()
    parts = engine.map(of_pages, list(itertools.pairwise(edges)))
    return Prepared([record for part in parts for record in part], keys)


def content_digests(corpus: Corpus) -> list[bytes]:
    """Of each page, its text and all else that is stored of it."""
    texts = kernel.byte_digests(corpus.text, corpus.page_start).astype("<u8").tobytes()
    return [hashlib.blake2b(head_digest(corpus.pages[page]), key=texts[16 * page:16 * page + 16], digest_size=8).digest()
            for page in range(len(corpus.pages))]


def _packer(store: Store, corpus: Corpus) -> Packer:
    """What packs the texts of a batch."""
    with store.reading() as snapshot:
        packer = snapshot.packer
    if packer.newest or int(corpus.page_start[-1]) < LEAST_SAMPLE:
        return packer
    return _taught(store, corpus) or packer


def _taught(store: Store, corpus: Corpus) -> Packer | None:
    """The packer of an index that learns from its first pages what words they have in common."""
    step = max(1, len(corpus.pages) // 2048)  # from all over the batch
    texts = [bytes(text) for number, text in enumerate(texts_of(corpus.text, corpus.page_start)) if number % step == 0]
    dictionary = train(texts)
    if dictionary is None:
        return None
    with store.writing() as writer:
        if not writer.packer.newest:
            writer.learn(dictionary)
    with store.reading() as snapshot:
        return snapshot.packer


def write(writer: Writer, ready: Prepared) -> Added:
    """Write pages: those of ids that there are take their places, those that did not change stay as they are."""
    ids = [record.id for record in ready.records]
    there = writer.numbers_of(list(dict.fromkeys(ids)))
    known = dict(zip(there.values(), writer.records(list(there.values())), strict=True))
    last = {id_: number for number, id_ in enumerate(ids)}
    kept = np.zeros(len(ids), bool)
    gone, unchanged = list[int](), len(ids) - len(last)
    for id_, number in last.items():
        old = there.get(id_)
        if old is not None and known[old].digest == ready.records[number].digest:
            unchanged += 1
            continue
        kept[number] = True
        if old is not None:
            gone.append(old)
    writer.remove(gone)
    chosen = ready.only(kept)
    if chosen.records:
        writer.add(chosen.records, chosen.keys)
    return Added(len(chosen.records) - len(gone), len(gone), unchanged)


def together(one: Added, other: Added) -> Added:
    """What came of two batches."""
    return replace(one, added=one.added + other.added, replaced=one.replaced + other.replaced,
                   unchanged=one.unchanged + other.unchanged)


def remove_pages(store: Store, ids: Iterable[bytes]) -> int:
    """Take pages out of an index; ids that it does not have are passed over.

    Returns:
        How many pages went.
    """
    with store.writing() as writer:
        there = writer.numbers_of(list(dict.fromkeys(ids)))
        writer.remove(sorted(there.values()))
    if there:
        store.settle()
    return len(there)


__all__ = ["Added", "Prepared", "Snapshot", "Some", "add_pages", "in_batches", "prepare", "remove_pages", "write"]
