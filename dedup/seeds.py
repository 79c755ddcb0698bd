"""Stage 6: exact repeats at any offset: every run of `size` tokens or more that stands twice, wherever it begins.

Runs are found by their `size`-token grams. A table of two bits a slot drops grams that stand once before they are
stored; the rest are exchanged by their hash and grouped, so a passage on ten thousand pages is one class in linear
time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.blocks import Corpus
from dedup.engines.local import LocalEngine, Partitioned, concatenated
from dedup.errors import InputError
from dedup.kernel import kernel

I64 = npt.NDArray[np.int64]

MAX_MEMBERS = 6  # places of a repeat that are matched all with all; of more, the repeat is one segment


@dataclass(frozen=True, slots=True)
class Repeats:
    """Exact repeats, in tokens numbered through the collection.

    Attributes:
        a, b, length: Matches of two places, grown as far as the texts agree, ascending.
        first, position, lengths: Segments with more places: those of segment s are ``position[first[s]:first[s + 1]]``,
            each ``lengths[s]`` tokens long.
    """

    a: I64
    b: I64
    length: I64
    first: I64
    position: I64
    lengths: I64


def find_repeats(engine: LocalEngine, corpus: Corpus, size: int, table: npt.NDArray[np.uint64]) -> Repeats:
    """Every run of `size` tokens or more that stands twice in the collection.

    Args:
        table: All grams of the collection, marked by ``kernel.mark_grams``.

    Raises:
        InputError: The collection has 2^32 tokens or more.
    """
    if int(corpus.token_first[-1]) >= 2**32:
        raise InputError("the input has more than 4,294,967,295 words, more than one scan can number", "",
                         "Scan parts of it.")
    partitions = engine.partitions(int(corpus.page_start[-1]))

    def emit(batch: tuple[int, int]) -> Partitioned:
        hashes, page_first, before = corpus.page_tokens(batch)
        gram, at, first = kernel.repeated_grams(hashes, page_first, size, table, before, partitions)
        return (gram, at), first
    rows = engine.map(emit, corpus.batches())
    classes = engine.exchange(rows, lambda columns: kernel.gram_classes(*columns))
    kernel.release_memory()
    together = concatenated([np.empty(0, np.uint64), *classes])
    classes.clear()
    return Repeats(*kernel.exact_repeats(together, size, MAX_MEMBERS, corpus.token_first))
