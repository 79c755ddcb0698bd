"""Have we seen this before? Keys name stored pages that may have something in common; a scan of those and the page says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dedup.blocks import Encoded, read_corpus
from dedup.columns import begins_new, distinct_numbers, rows_of, widths
from dedup.corpus import BATCH_BYTES, Corpus
from dedup.engines.local import LocalEngine
from dedup.index.adding import Some
from dedup.index.affine32 import Sketched
from dedup.index.buckets import BucketSurveyor, SharedBuckets
from dedup.index.keys import BLOCK, NUMBER_OF, PAGE, PASSAGE, batch_keys, sketch_rows, unit_options, ways_to_go_on
from dedup.index.records import Stored
from dedup.index.segments import Found, Rows
from dedup.index.store import ENOUGH, Passes, Snapshot
from dedup.kernel import kernel
from dedup.lsh import LSH
from dedup.model import ReadError, Skipped
from dedup.options import Options
from dedup.pipeline import MakeSurveyor
from dedup.surveyor import Surveyor

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

MOST_PAGES = 4096  # that are looked at for one that is checked
MOST_PAIRS = 1 << 22  # of a block that is checked and a stored one, that are compared for a second band
RARE_PLACES = 2  # of a band's key: one such is enough to look at a block


@dataclass(frozen=True, slots=True)
class Candidates:
    """Stored pages that may have something in common with those that are checked.

    Attributes:
        pages: Their numbers, ascending.
        places: Of one key, on further pages: those that a bound left out of the key that has most of them.
        left_out: Further pages that share a key.
        buckets: Where blocks of stored pages stand that share a bucket with a block of theirs; ``None`` where not all are
            known.
    """

    pages: I64
    places: int
    left_out: int
    buckets: Found | None = None


def find_candidates(snapshot: Snapshot, keys: Mapping[int, Rows | Sketched], run: int, banded: bool,
                    asked: int = 1) -> Candidates:
    """Stored pages that share a key with some pages.

    Args:
        keys: Of the pages, level by level.
        run: Words of the shortest run that pages are found by.
        banded: Keys of blocks are those of bands.
        asked: How many pages these are.
    """
    pages, places, buckets = [np.empty(0, np.int64)], 0, None
    for level, made in keys.items():
        if not len(made):
            continue
        rows, names = made.rows() if isinstance(made, Sketched) else (made, {})
        new = begins_new(rows.key)
        first = np.append(rows_of(new), len(rows))
        found = snapshot.find(level, rows.key[new], names, _going_on(rows, first, run) if level == PASSAGE else None)
        if level == BLOCK and banded:
            buckets = found if not names and (found.all_read or not found.unread().any()) else None
            found = _of_two_bands(found, rows, first, 0 if PASSAGE in keys else RARE_PLACES)
        looked_at, more = _few_of_each(found)
        pages.append(looked_at)
        places = max(places, more)
    numbers = distinct_numbers(np.concatenate(pages))
    left_out = max(0, len(numbers) - MOST_PAGES * max(1, asked))
    if left_out:
        numbers, shared = np.unique(np.concatenate(pages), return_counts=True)
        numbers = np.sort(numbers[np.argsort(-shared, kind="stable")[:len(numbers) - left_out]])
    return Candidates(numbers, places, left_out, buckets)


def joined(found: Sequence[Candidates]) -> Candidates:
    """Candidates of several batches of pages."""
    if len(found) == 1:
        return found[0]
    pages = np.unique(np.concatenate([np.empty(0, np.int64), *(part.pages for part in found)]))
    return Candidates(pages, max((part.places for part in found), default=0), sum(part.left_out for part in found))


def _of_two_bands(found: Found, rows: Rows, first: I64, rare: int) -> Found:
    """Places of blocks that share two bands with one block, or a band that hardly any other block has.

    Blocks that are alike at the threshold share five or six, and one of fifty shares one; blocks that have only some common
    words in common share one with very many others. Where there are too many pairs of blocks to look for a second band, as in
    long tables of rows that are all alike, all places count of the keys that have most.

    Args:
        rare: Places of a band's key, at most, that one such is enough for; 0 where pages are found by runs of words, too.
    """
    times = widths(first)
    pairs = times[found.query]
    counts = found.count[found.query] <= rare if rare else np.zeros(len(found.query), bool)
    asked, place = _place_of(rows.page, rows.extra), _place_of(found.page, found.extra)
    if int(pairs.sum()) <= MOST_PAIRS:
        counts |= kernel.paired_twice(first, asked, found.query, place).view(bool)
    else:
        of_key = np.bincount(found.query, pairs, len(times))
        order = np.argsort(of_key, kind="stable")
        kept = np.ones(len(times), bool)
        kept[order[np.cumsum(of_key[order]) <= MOST_PAIRS]] = False
        counts |= kept[found.query]
        few = rows_of(~kept[found.query])
        counts[few] |= kernel.paired_twice(first, asked, found.query[few], place[few]).view(bool)
    return found.only(counts)


def _place_of(page: U32, extra: U32) -> U64:
    """Page and block as one number."""
    place: U64 = page.astype(np.uint64) << np.uint64(32) | extra
    return place


def _going_on(rows: Rows, first: I64, run: int) -> Passes:
    """Which places of landmarks count: those with the words beside them that stand beside one of those asked for."""
    masks = np.array(ways_to_go_on(run), np.uint32)
    return lambda query, extra: kernel.extras_agree(first, rows.extra, query, extra, masks).view(bool)


def _few_of_each(found: Found) -> tuple[I64, int]:
    """Pages, ``ENOUGH`` of each key at most; and how many places of one key were not looked at, on further pages."""
    if found.all_read and len(found.page) < MOST_PAGES // 4 and int(found.count.max(initial=0)) <= ENOUGH:
        return found.page.astype(np.int64), 0
    pages = distinct_numbers(found.query << 32 | found.page)
    query, page = pages >> 32, pages & 0xFFFFFFFF
    over = found.unread()
    if len(query) > ENOUGH:
        kept = np.arange(len(query)) - query.searchsorted(query) < ENOUGH
        over += np.bincount(query[~kept], minlength=len(over))
        page = page[kept]
    return page, int(over.max(initial=0))


class Checked:
    """The stored pages and those that are checked, as the stream of a scan against references.

    Attributes:
        references: How many are stored ones, the first of all.
        expected_bytes: Bytes that there will be, about.
        known: What pages are checked against, in words.
    """

    known = "the index"

    def __init__(self, stored: Sequence[Stored], batches: Sequence[Some], source: Any, left_out: Candidates) -> None:
        self.references, self._stored, self._batches = len(stored), stored, batches
        self.expected_bytes = sum([len(one.text) for one in stored]) + sum(batch.size for batch in batches)
        self.errors: tuple[ReadError, ...] = tuple(getattr(source, "errors", ()))
        self.skipped: tuple[Skipped, ...] = tuple(getattr(source, "skipped", ()))
        self.renamed, self.fields = getattr(source, "renamed", 0), getattr(source, "fields", ())
        self.first_row = getattr(source, "first_row", 1)
        if left_out.places:
            self.skipped += (Skipped(f"stored places that were not looked at: one key has more than {ENOUGH:,}",
                                     left_out.places),)
        if left_out.left_out:
            self.skipped += (Skipped(f"stored pages that were not looked at: more than {MOST_PAGES:,} share a key with one",
                                     left_out.left_out),)

    def __iter__(self) -> Iterator[Any]:
        return self.stretches()

    def stretches(self) -> Iterator[Any]:
        """The pages, some of them together."""
        if self._stored:
            yield Encoded(*zip(*self._stored, strict=True))
        for batch in self._batches:
            yield from batch.items


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
    return corpus.pages.read_ids


def few_threads(options: Options, size: int) -> Options:
    """The settings with one thread for few bytes of text: others would wait for it longer than they work."""
    return _one_thread(options) if size < BATCH_BYTES and options.threads != 1 else options


@lru_cache(maxsize=8)
def _one_thread(options: Options) -> Options:
    return replace(options, threads=1)


def levels_of(stored: Sequence[str], unit: Literal["block", "page"]) -> list[str]:
    """The levels that find pages of a unit."""
    wanted = {PAGE} if unit == "page" else {BLOCK, PASSAGE}
    return [level for level in stored if NUMBER_OF[level] in wanted]


def stored_pages(snapshot: Snapshot, numbers: I64, without: Set[str]) -> tuple[list[Stored], I64]:
    """Stored pages in an order that does not depend on when they came, and the number of each."""
    pages = snapshot.pages_of(numbers.tolist())
    ids = [stored.page.id for stored in pages]
    kept = [row for row, id_ in enumerate(ids) if id_ not in without] if without else range(len(ids))
    rows = sorted(kept, key=ids.__getitem__)
    return [pages[row] for row in rows], numbers[rows]


def surveyor_of(buckets: Found | None, stored: I64, options: Options) -> MakeSurveyor:
    """What makes the surveyor of a scan: one that knows which blocks share a bucket, where that is known.

    Args:
        stored: Numbers of the stored pages, in the order of the scan.
    """
    if buckets is None or options.exhaustive or options.unit == "page":
        return Surveyor
    order = np.argsort(stored)
    row = np.minimum(stored[order].searchsorted(buckets.page), max(len(stored) - 1, 0))
    there = stored[order][row] == buckets.page
    return partial(BucketSurveyor, shared=SharedBuckets(order[row[there]], buckets.extra[there].astype(np.int64)))


__all__ = ["Candidates", "Checked", "few_threads", "find_candidates", "ids_of", "joined", "keys_of", "levels_of",
           "stored_pages", "surveyor_of", "unit_options"]
