"""What a page is found by: the keys of its levels, made column-wise for many pages at once.

page     the bands of the page's sketch, as `unit="page"` makes them (with `find="exact"` its fingerprint)
block    the bands of each block's sketch, as `unit="block"` makes them (with `find="exact"` their fingerprints)
passage  landmarks of its text, so that every run of equal words that a scan reports shares one
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from dedup.columns import last_up_to, rows_of
from dedup.corpus import Corpus, Tokens
from dedup.engines.local import LocalEngine
from dedup.index.affine32 import Sketched, sketches
from dedup.index.segments import NO_ROWS, Rows, sorted_rows
from dedup.kernel import kernel
from dedup.kernel.twin_postings import BESIDE_BITS, BESIDE_WORDS
from dedup.lsh import LSH
from dedup.options import Options
from dedup.shingles import short_shingles

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LevelName = Literal["page", "block", "passage"]
LEVELS: tuple[LevelName, ...] = ("page", "block", "passage")
ID, PAGE, BLOCK, PASSAGE, DEAD = range(5)  # kinds of segments
NUMBER_OF = {"page": PAGE, "block": BLOCK, "passage": PASSAGE}
NAMES = {ID: "ids", PAGE: "page", BLOCK: "block", PASSAGE: "passage", DEAD: "removed"}
SCHEME = 1  # raise when keys made of one text change
ID_BITS, PRINT_BITS = 48, 48  # of keys: narrow ones take less room


def unit_options(options: Options, unit: Literal["page", "block"]) -> Options:
    """The settings for one unit."""
    return options if options.unit == unit else _of_other_unit(options, unit)


@lru_cache(maxsize=64)
def _of_other_unit(options: Options, unit: Literal["page", "block"]) -> Options:
    return replace(options, unit=unit)


def batch_keys(engine: LocalEngine, corpus: Corpus, tokens: Tokens, options: Options,
               levels: tuple[str, ...], sketch: str = "fss64") -> dict[int, Rows | Sketched]:
    """The keys of all pages of a collection, level by level; pages are numbered from 0.

    Args:
        corpus, tokens: As ``read_corpus`` gives them for blocks.
        levels: Of ``LEVELS``.
        sketch: Scheme of the sketches: ``fss64`` or ``affine32``.
    """
    found: dict[int, Rows | Sketched] = {}
    if sketch == "affine32":
        found |= {NUMBER_OF[level]: sketched(corpus, options, NUMBER_OF[level]) for level in levels if level != "passage"}
    else:
        made = {PAGE: page_keys, BLOCK: block_keys}
        found |= {NUMBER_OF[level]: made[NUMBER_OF[level]](engine, corpus, options) for level in levels if level != "passage"}
    if "passage" in levels:
        found[PASSAGE] = landmark_keys(corpus, tokens, options.gram_tokens)
    return found


def page_keys(engine: LocalEngine, corpus: Corpus, options: Options) -> Rows:
    """Keys of whole pages."""
    options = unit_options(options, "page")
    start, end = corpus.page_start[:-1].copy(), corpus.page_start[1:].copy()
    if options.find == "exact":
        _, _, halves, prints = kernel.survey_tokens(corpus.text, start, end, corpus.flags)
        page = rows_of(halves >= 2 * options.min_tokens)
        return _print_rows(prints[page], page)
    lsh = LSH.for_threshold(options.least_jaccard)

    def sketch(pages: tuple[int, int]) -> tuple[I64, U32]:
        own = slice(*pages)
        _, halves, _, keys, *_ = kernel.survey_bands(corpus.text, start[own], end[own], corpus.flags, options.shingle_tokens,
                                                 lsh.bands, lsh.rows, options.seed)
        return halves, keys.reshape(lsh.bands, -1)
    parts = engine.map(sketch, corpus.batches())
    halves = np.concatenate([np.empty(0, np.int64), *(part[0] for part in parts)])
    keys = np.concatenate([np.empty((lsh.bands, 0), np.uint32), *(part[1] for part in parts)], axis=1)
    return sketch_rows(keys, halves, options.min_tokens)


def sketch_rows(keys: U32, halves: I64, min_tokens: int) -> Rows:
    """Rows of the keys of whole pages' bands, shape ``(bands, pages)``; pages that are too short have none."""
    page = rows_of(halves >= 2 * min_tokens)
    return _band_rows(keys[:, page].reshape(-1), page)


def block_keys(engine: LocalEngine, corpus: Corpus, options: Options) -> Rows:
    """Keys of the blocks that are long enough to be compared."""
    options = unit_options(options, "block")
    blocks = rows_of(corpus.halves >= 2 * options.min_tokens)
    page = corpus.block_page[blocks]
    if options.find == "exact":
        return _print_rows(corpus.fingerprint[blocks], page)
    lsh, sets = LSH.for_threshold(options.least_jaccard), short_shingles(engine, corpus, blocks, options.shingle_tokens)
    keys = kernel.band_columns(sets.values, sets.first, lsh.bands, lsh.rows, options.seed)
    return _band_rows(keys, page, blocks - corpus.page_first[page])


def sketched(corpus: Corpus, options: Options, level: int) -> Sketched:
    """Sketches of datasketch's scheme, of whole pages or of blocks that are long enough."""
    options = unit_options(options, "page" if level == PAGE else "block")
    if level == PAGE:
        start, end = corpus.page_start[:-1].copy(), corpus.page_start[1:].copy()
        _, _, halves, _ = kernel.survey_tokens(corpus.text, start, end, corpus.flags)
        page = rows_of(halves >= 2 * options.min_tokens)
        start, end, block = start[page], end[page], np.zeros(len(page), np.int64)
    else:
        own = rows_of(corpus.halves >= 2 * options.min_tokens)
        start, end, page = corpus.start[own], corpus.end[own], corpus.block_page[own]
        block = own - corpus.page_first[page]
    lsh = LSH.for_threshold(options.least_jaccard)
    values = np.empty(int(corpus.token_first[-1]), np.uint32)
    first = kernel.short_sets(corpus.text, start, end, corpus.flags, options.shingle_tokens, values)
    registers = sketches(values[:first[-1]], first, lsh.num_hashes, options.seed)
    return Sketched(page.astype(np.uint32), block.astype(np.uint32), registers, lsh)


def _band_rows(keys: U32, page: I64, block: I64 | None = None) -> Rows:
    """Rows of the keys of bands, those of all sets band after band: equal keys of two bands are two.

    Args:
        block: Which block of its page each set is of, where it is of one.
    """
    extra = np.zeros(len(page), np.uint32) if block is None else block.astype(np.uint32)
    return Rows(*kernel.band_rows(keys, page.astype(np.uint32), extra))


def _print_rows(prints: U64, page: I64) -> Rows:
    return sorted_rows(prints >> np.uint64(64 - PRINT_BITS), page.astype(np.uint32), np.zeros(len(prints), np.uint32))


def landmark_shape(run: int) -> tuple[int, int]:
    """Words of a landmark, and of how many landmarks that follow each other one is kept, for runs of so many words.

    Every run of `run` words holds all the landmarks of one window, so two equal ones keep the same.
    """
    beside = min(3, (run - 1) // 2)
    return run - beside, beside + 1


def landmark_keys(corpus: Corpus, tokens: Tokens, run: int) -> Rows:
    """Landmarks of the texts: of each window the one with the least hash (winnowing), and the words beside it.

    Source: Schleimer, Wilkerson, Aiken, "Winnowing", SIGMOD 2003.

    Args:
        run: Words of the shortest run that two pages are to be found by.
    """
    found = []
    for batch in range(len(tokens)):
        first = tokens.page_first(corpus, batch)
        key, at, beside = kernel.landmarks(tokens.token[batch], first, *landmark_shape(run))
        page = last_up_to(first, at) + int(tokens.page[batch])
        found.append((key, page.astype(np.uint32), beside))
    if len(found) < 2:
        return sorted_rows(*found[0]) if found else NO_ROWS
    return sorted_rows(*(np.concatenate(column) for column in zip(*found, strict=True)))


@lru_cache
def ways_to_go_on(run: int) -> tuple[np.uint32, ...]:
    """Masks of ``extra``: two places of one landmark that are part of one run of so many words agree in one of these."""
    reach = run - landmark_shape(run)[0]
    before = [(1 << BESIDE_BITS * words) - 1 for words in range(reach + 1)]
    behind = [mask << BESIDE_BITS * BESIDE_WORDS for mask in before]
    return tuple(np.uint32(before[words] | behind[reach - words]) for words in range(reach + 1))


def may_go_on(one: U32, other: U32, run: int) -> Flags:
    """Whether two places of one landmark can be part of one run of so many words: never no where they are."""
    found: Flags = np.any([(one ^ other) & mask == 0 for mask in ways_to_go_on(run)], axis=0)
    return found


def id_keys(ids: list[bytes]) -> U64:
    """Keys of ids."""
    first = np.cumsum([0, *map(len, ids)]).astype(np.int64)
    digests = kernel.byte_digests(np.frombuffer(b"".join(ids), np.uint8), first)
    return np.ascontiguousarray(digests[::2]) >> np.uint64(64 - ID_BITS)


def id_rows(ids: list[bytes]) -> Rows:
    """Rows of ids: page i has id i."""
    return sorted_rows(id_keys(ids), np.arange(len(ids), dtype=np.uint32), np.zeros(len(ids), np.uint32))
