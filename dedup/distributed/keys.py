"""Keys that pages have in common if a scan could find anything in both: pages without one are never compared.

A key is 64 bits. Two pages that a stage of one machine would link share one at least; that they share one proves nothing.

| what is looked for | keys of a page |
|---|---|
| equal pages | its fingerprint |
| near pages | the bands of its sketch |
| near pages, exhaustively | the prefix of its shingles in the order of their hashes |
| exact runs | its grams |
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dedup.blocks import sums
from dedup.distributed.portions import Portion
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.options import Options
from dedup.shingles import shingle_blocks

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
SPREAD = np.uint64(0x9E3779B97F4A7C15)


def are_closed(options: Options) -> bool:
    """Whether there are such keys: what edited passages have in common depends on the whole collection."""
    return options.unit == "page" or options.find == "exact"


def page_keys(portion: Portion, options: Options) -> tuple[U64, I64]:
    """Keys, and the page in the portion that has each; a page that could repeat something itself has one twice."""
    if options.unit != "page":
        return _grams(portion, options)
    compared = np.flatnonzero(portion.corpus.halves >= 2 * options.min_tokens)
    if options.find == "exact":
        return portion.corpus.fingerprint[compared], compared
    if options.exhaustive:
        return _prefixes(portion, compared, options)
    assert portion.bands is not None
    band = np.arange(len(portion.bands), dtype=np.uint64)[:, None]
    keys = portion.bands[:, compared].astype(np.uint64) | band << np.uint64(32)
    return keys.reshape(-1), np.tile(compared, len(portion.bands))


def _grams(portion: Portion, options: Options) -> tuple[U64, I64]:
    """All runs of so many tokens as an exact repeat has at least."""
    corpus = portion.corpus
    hashes, first = corpus.hashes(slice(0, len(corpus.start)))
    of_page, size = np.ascontiguousarray(first[corpus.page_first]), options.gram_tokens
    grams, edges = kernel.shingle_sets(hashes, of_page, size)
    page = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    enough = (np.diff(of_page) >= size)[page]
    grams, page = grams[enough], page[enough]
    repeats = np.flatnonzero(np.diff(of_page) - size + 1 > np.diff(edges))  # some gram stands twice there
    return np.concatenate([grams, np.repeat(repeats.astype(np.uint64), 2)]), np.concatenate([page, np.repeat(repeats, 2)])


def _prefixes(portion: Portion, compared: I64, options: Options) -> tuple[U64, I64]:
    """Of two sets that reach a threshold t, the ``n - ceil(t n) + 1`` least elements of each hold a common one.

    Source: Chaudhuri, Ganti, Kaushik, "A primitive operator for similarity joins in data cleaning", ICDE 2006.
    """
    sets = shingle_blocks(LocalEngine(1), portion.corpus, compared, options.shingle_tokens)
    least = np.array([math.ceil(options.least_jaccard * n - 1e-9) for n in sets.sizes.tolist()], np.int64)
    counts = np.minimum(sets.sizes - least + 1, sets.sizes)
    row = np.repeat(np.arange(len(counts)), counts)
    at = np.arange(len(row)) - np.repeat(sums(counts)[:-1], counts) + sets.first[row]
    return sets.values[at], compared[row]


def part_of_key(keys: U64, parts: int) -> I64:
    """The part in which equal keys meet."""
    part: I64 = ((keys * SPREAD >> np.uint64(33)) % np.uint64(parts)).astype(np.int64)
    return part


def links_of_keys(keys: U64, pages: I64) -> tuple[I64, I64]:
    """Links between pages that share a key, no more than it takes to join them: pages, and the first page of each one's kin.

    A page alone that has a key twice is linked to itself.
    """
    order = kernel.stable_order(keys)
    ordered, page = keys[order], pages[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    nodes, number = np.unique(np.concatenate([page[same], page[same + 1]]), return_inverse=True)
    one, other = np.split(number.astype(np.int64), 2)
    root = kernel.components(len(nodes), one, other)
    return nodes, nodes[root]
