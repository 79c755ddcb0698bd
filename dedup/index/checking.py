"""Have we seen this before? Keys name stored pages that may have something in common; a scan of those and the page says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dedup.blocks import BATCH_BYTES, Corpus, read_corpus
from dedup.engines.local import LocalEngine
from dedup.index.adding import Some
from dedup.index.affine32 import Sketched
from dedup.index.keys import BLOCK, NUMBER_OF, PAGE, PASSAGE, batch_keys, may_go_on, sketch_rows, unit_options
from dedup.index.segments import Found, Rows
from dedup.index.store import Snapshot
from dedup.kernel import kernel
from dedup.lsh import LSH
from dedup.model import Page, ReadError, Skipped
from dedup.options import Options

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

MOST_PLACES = 256  # of a key whose pages are all looked at; of one that more pages have, so many
MOST_PAGES = 4096  # that one check looks at
RARE_PLACES = 2  # of a band's key: one such is enough to look at a block


@dataclass(frozen=True, slots=True)
class Candidates:
    """Stored pages that may have something in common with those that are checked.

    Attributes:
        pages: Their numbers, ascending.
        left_out: Places of keys on further pages, which a bound left out: of the one key that has most of them.
    """

    pages: I64
    left_out: int


def find_candidates(snapshot: Snapshot, keys: Mapping[int, Rows | Sketched], run: int, banded: bool) -> Candidates:
    """Stored pages that share a key with some pages.

    Args:
        keys: Of the pages, level by level.
        run: Words of the shortest run that pages are found by.
        banded: Keys of blocks are those of bands.
    """
    pages, left_out = [np.empty(0, np.int64)], 0
    for level, made in keys.items():
        if not len(made):
            continue
        rows, names = made.rows() if isinstance(made, Sketched) else (made, {})
        new = np.ones(len(rows), bool)
        new[1:] = rows.key[1:] != rows.key[:-1]
        first = np.append(np.flatnonzero(new), len(rows))
        found = snapshot.find(level, rows.key[new], names)
        if level == PASSAGE:
            found = _that_go_on(found, rows, first, run)
        elif level == BLOCK and banded:
            found = _of_two_bands(found, rows, first, 0 if PASSAGE in keys else RARE_PLACES)
        kept, more = _few_of_each(found, len(first) - 1)
        pages.append(found.page[kept].astype(np.int64))
        left_out = max(left_out, more)
    numbers, shared = np.unique(np.concatenate(pages), return_counts=True)
    if len(numbers) > MOST_PAGES:
        left_out = max(left_out, len(numbers) - MOST_PAGES)
        numbers = np.sort(numbers[np.argsort(-shared, kind="stable")[:MOST_PAGES]])
    return Candidates(numbers, left_out)


def _pairs(found: Found, first: I64) -> tuple[I64, I64]:
    """All pairs of a place that was found and a row that asks for its key: numbers of both."""
    times = np.diff(first)[found.query]
    place = np.repeat(np.arange(len(found.query)), times)
    nth = np.arange(len(place)) - np.repeat(np.cumsum(times) - times, times)
    return place, first[found.query[place]] + nth


def _only(found: Found, places: I64) -> Found:
    """Some of the places, which may be named more than once."""
    kept = np.zeros(len(found.query), bool)
    kept[places] = True
    return Found(found.query[kept], found.page[kept], found.extra[kept], found.count)


def _of_two_bands(found: Found, rows: Rows, first: I64, rare: int) -> Found:
    """Places of blocks that share two bands with one block, or a band that hardly any other block has.

    Blocks that are alike at the threshold share five or six, and one of fifty shares one; blocks that have only some common
    words in common share one with very many others.

    Args:
        rare: Places of a band's key, at most, that one such is enough for; 0 where pages are found by runs of words, too.
    """
    place, asked = _pairs(found, first)
    blocks = np.stack([rows.page[asked], rows.extra[asked], found.page[place], found.extra[place]]).astype(np.uint64)
    hashes = kernel.range_digests(np.ascontiguousarray(blocks.T).reshape(-1), np.arange(len(place) + 1) * 4)
    _, number, count = np.unique(hashes, return_inverse=True, return_counts=True)
    return _only(found, place[(count[number] > 1) | (found.count[found.query[place]] <= rare)])


def _that_go_on(found: Found, rows: Rows, first: I64, run: int) -> Found:
    """Places of landmarks beside which stand the words that stand beside one of the landmarks asked for."""
    place, asked = _pairs(found, first)
    return _only(found, place[may_go_on(found.extra[place], rows.extra[asked], run)])


def _few_of_each(found: Found, keys: int) -> tuple[npt.NDArray[np.bool_], int]:
    """Which places are looked at, ``MOST_PLACES`` of each key, and how many of one key are not."""
    order = np.lexsort((found.page, found.query))
    query = found.query[order]
    begins = np.searchsorted(query, np.arange(keys))
    kept = np.zeros(len(order), bool)
    kept[order] = np.arange(len(order)) - begins[query] < MOST_PLACES
    taken = np.bincount(query, minlength=keys)
    over = np.flatnonzero(taken > MOST_PLACES)
    return kept, int((found.count[over] - MOST_PLACES).max(initial=0))


class Checked:
    """The stored pages and those that are checked, as the stream of a scan against references.

    Attributes:
        references: How many are stored ones, the first of all.
    """

    def __init__(self, stored: Sequence[Page], batches: Sequence[Some], source: Any, left_out: int) -> None:
        self.references, self._stored, self._batches = len(stored), stored, batches
        self.errors: tuple[ReadError, ...] = tuple(getattr(source, "errors", ()))
        self.skipped: tuple[Skipped, ...] = tuple(getattr(source, "skipped", ()))
        self.renamed, self.fields = getattr(source, "renamed", 0), getattr(source, "fields", ())
        if left_out:
            self.skipped += (Skipped(f"stored places that were not looked at: one key has more than {MOST_PLACES:,}",
                                     left_out),)

    def __iter__(self) -> Iterator[Any]:
        return self.stretches()

    def stretches(self) -> Iterator[Any]:
        """The pages, some of them together."""
        yield from self._stored
        for batch in self._batches:
            yield from batch.items

    def bytes_of_few(self, most: int) -> int:
        """Bytes that there will be: a small collection needs small tables."""
        return sum(len(page.text) for page in self._stored) + sum(batch.size for batch in self._batches)

    @property
    def expected_bytes(self) -> int:
        """Bytes that there will be."""
        return self.bytes_of_few(0)


def keys_of(engine: LocalEngine, batch: Some, options: Options, unit: Literal["block", "page"],
            levels: Sequence[str], sketch: str) -> tuple[dict[int, Rows | Sketched], Corpus]:
    """Keys of pages that are checked, and the pages as a collection of that unit."""
    if unit == "page" and options.find != "exact" and sketch == "fss64":
        lsh, own = LSH.for_threshold(unit_options(options, "page").least_jaccard), unit_options(options, "page")
        corpus, tokens = read_corpus(batch, engine, own, bands=(lsh.bands, lsh.rows))
        keys = np.concatenate([bands.reshape(lsh.bands, -1) for bands in tokens.bands], axis=1)
        return {PAGE: sketch_rows(keys, corpus.halves, options.min_tokens)}, corpus
    corpus, tokens = read_corpus(batch, engine, unit_options(options, unit))
    return batch_keys(engine, corpus, tokens, options, tuple(levels), sketch), corpus


def ids_of(corpus: Corpus) -> list[str]:
    """The ids of pages."""
    return corpus.pages.ids[:]


def few_threads(options: Options, size: int) -> Options:
    """The settings with one thread for few bytes of text: others would wait for it longer than they work."""
    return _one_thread(options) if size < BATCH_BYTES else options


@lru_cache(maxsize=8)
def _one_thread(options: Options) -> Options:
    return replace(options, threads=1)


def levels_of(stored: Sequence[str], unit: Literal["block", "page"]) -> list[str]:
    """The levels that find pages of a unit."""
    wanted = {PAGE} if unit == "page" else {BLOCK, PASSAGE}
    return [level for level in stored if NUMBER_OF[level] in wanted]


def stored_pages(snapshot: Snapshot, numbers: I64, without: Set[str]) -> list[Page]:
    """Stored pages in an order that does not depend on when they came."""
    return sorted((page for page in snapshot.pages_of(numbers.tolist()) if page.id not in without), key=lambda page: page.id)


__all__ = ["Candidates", "Checked", "few_threads", "find_candidates", "ids_of", "keys_of", "levels_of", "stored_pages",
           "unit_options"]
