"""Keys that whole pages have in common if a scan could find anything in both: pages without one are never compared.

A key is 64 bits. Two pages that a stage of one machine would link share one at least; that they share one proves nothing.

| what is looked for | keys of a page |
|---|---|
| equal pages | its fingerprint |
| near pages | the bands of its sketch |
| near pages, exhaustively | the prefix of its shingles in the order of their hashes |
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dedup.columns import sums
from dedup.corpus import Corpus
from dedup.distributed.portions import Portion, sketch_of
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.options import Options
from dedup.order import in_order, order_of
from dedup.shingles import shingle_blocks

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
SPREAD = np.uint64(0x9E3779B97F4A7C15)


def page_keys(portion: Portion, options: Options) -> tuple[U64, I64]:
    """Keys, and the page in the portion that has each."""
    compared = np.flatnonzero(portion.corpus.halves >= 2 * options.min_tokens)
    if options.find == "exact":
        return portion.corpus.fingerprint[compared], compared
    if options.exhaustive:
        return _prefixes(portion, compared, options)
    assert portion.bands is not None
    band = np.arange(len(portion.bands), dtype=np.uint64)[:, None]
    keys = portion.bands[:, compared].astype(np.uint64) | band << np.uint64(32)
    return keys.reshape(-1), np.tile(compared, len(portion.bands))


def key_bytes(corpus: Corpus, options: Options) -> int:
    """Bytes of the keys of all pages, and of the numbers beside them, about."""
    keys, lsh = len(corpus.pages), sketch_of(options)
    if lsh is not None:
        keys *= lsh.bands
    elif options.exhaustive:
        keys += int((1 - options.least_jaccard) * int(corpus.token_first[-1]))
    return 12 * keys


def _prefixes(portion: Portion, compared: I64, options: Options) -> tuple[U64, I64]:
    """Of two sets that reach a threshold t, the ``n - ceil(t n) + 1`` least elements of each hold a common one.

    Source: Chaudhuri, Ganti, Kaushik, "A primitive operator for similarity joins in data cleaning", ICDE 2006.
    """
    sets = shingle_blocks(LocalEngine(1), portion.whole, compared, options.shingle_tokens)
    least = np.array([math.ceil(options.least_jaccard * n - 1e-9) for n in sets.sizes.tolist()], np.int64)
    counts = np.minimum(sets.sizes - least + 1, sets.sizes)
    row = np.repeat(np.arange(len(counts)), counts)
    at = np.arange(len(row)) - np.repeat(sums(counts)[:-1], counts) + sets.first[row]
    return sets.values[at], compared[row]


def keys_by_part(keys: U64, numbers: U32, parts: int) -> Iterator[tuple[int, tuple[U64, U32]]]:
    """Keys, and the numbers of what has each, by the part in which equal keys meet."""
    part: I64 = ((keys * SPREAD >> np.uint64(33)) % np.uint64(parts)).astype(np.int64)
    order = in_order(part)
    edges = np.searchsorted(part[order], np.arange(parts + 1)).tolist()
    keys, numbers = keys[order], numbers[order]
    return ((own, (keys[a:b], numbers[a:b])) for own, (a, b) in enumerate(itertools.pairwise(edges)) if b > a)


def links_of_keys(keys: U64, pages: I64) -> tuple[I64, I64]:
    """Links between pages that share a key, no more than it takes to join them: pages, and the first page of their kin."""
    order = order_of(keys)
    ordered, page = keys[order], pages[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    nodes, number = np.unique(np.concatenate([page[same], page[same + 1]]), return_inverse=True)
    one, other = np.split(number.astype(np.int64), 2)
    root = kernel.components(len(nodes), one, other)
    return nodes, nodes[root]
