"""Stage 6: exact repeats at any offset: every run of `size` tokens or more that stands twice, wherever it begins.

Runs are found by their `size`-token grams. A table of two bits a slot drops grams that stand once before they are
stored; the rest are exchanged by their hash and grouped, so a passage on ten thousand pages is one class in linear
time.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.blocks import Corpus, Tokens, owners, widths
from dedup.engines.local import LocalEngine, Partitioned
from dedup.errors import InputError
from dedup.kernel import kernel
from dedup.marks import Marks
from dedup.page_pairs import PagePairs

if TYPE_CHECKING:
    from dedup.surveyor import Surveyor

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]

RANGE_TOKENS, MOST_RANGES = 1 << 19, 256  # of the collection, that are taken together; ranges at most
TOKENS_A_WORD = 16  # of a table of grams: a quarter to half of its slots are taken; in a larger one each look costs more
EMITTED = 2  # passes over the tokens in which repeated grams are taken out: half of them are held at one time
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

    @property
    def segment(self) -> I64:
        """Segment of each of its places."""
        return owners(self.first)


NOWHERE = np.empty(0, np.int64)


def find_repeats(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, size: int, min_tokens: int) -> Future[Repeats]:
    """Every run of `size` tokens or more that stands twice in the collection.

    Classes of grams are found by all threads; runs are then made of them by one, beside what comes next.

    Args:
        surveyor: Knows where equal grams stand.
        size: Tokens of a gram.
        min_tokens: Length of a repeat, at least; of a character of a script without spaces counts half.

    Raises:
        InputError: The collection has 2^32 tokens or more.
    """
    if int(corpus.token_first[-1]) >= 2**32:
        raise InputError("the input has more than 4,294,967,295 words, more than one scan can number", "",
                         "Scan parts of it.")
    runs = surveyor.gram_runs()
    engine.settle()
    words_only = corpus.halves == 2 * widths(corpus.token_first)
    least = np.where(words_only, min_tokens, 2 * min_tokens).astype(np.int64)
    page_first = np.ascontiguousarray(corpus.token_first[corpus.page_first])

    def grown() -> Repeats:
        return Repeats(*kernel.exact_repeats(*runs, size, MAX_MEMBERS, corpus.token_first, least, page_first))
    return engine.begin(grown)


def gram_classes(engine: LocalEngine, corpus: Corpus, tokens: Tokens, size: int) -> list[U64]:
    """Classes of equal grams, as ``kernel.gram_classes`` gives them, in some partitions. The tokens are cleared on the way.

    Args:
        size: Tokens of a gram.
    """
    words = 1 << max(1, (int(corpus.token_first[-1]) // TOKENS_A_WORD).bit_length())
    slices = 1 if tokens.marks is not None else engine.slices(8 * words)
    return [part for number in range(slices)
            for part in _classes_of_slice(engine, corpus, tokens, size, words // slices, number, slices)]


def _classes_of_slice(engine: LocalEngine, corpus: Corpus, tokens: Tokens, size: int, words: int, number: int,
                      slices: int) -> list[U64]:
    """Classes of equal grams, partition by partition, of a slice of the table; with the last one the tokens are cleared.

    Args:
        words: Of the slice, where the grams are still to be marked.
    """
    batches = range(len(tokens))
    marks, tokens.marks = tokens.marks, None
    twice = (marks or _marked(engine, corpus, tokens, size, words, number, slices)).seen_twice()
    del marks

    passes, classes = (EMITTED if slices == 1 and len(tokens) > 1 else 1), list[U64]()
    partitions = engine.partitions(int(corpus.page_start[-1]), slices * passes)

    def emit(batch: int, own: int, twice: U64) -> Partitioned:
        gram, at, first = kernel.repeated_grams(tokens.token[batch], tokens.page_first(corpus, batch), size, twice,
                                                tokens.before(corpus, batch), partitions, own, slices * passes)
        if own == slices * passes - 1:
            tokens.token[batch] = np.empty(0, np.uint32)
        return Partitioned((gram, at), first)
    for own in range(number * passes, (number + 1) * passes):
        rows = engine.map(partial(emit, own=own, twice=twice), batches)
        if own == (number + 1) * passes - 1:
            del twice
        classes += engine.exchange(rows, lambda columns: kernel.gram_classes(*columns))
    return classes


def _marked(engine: LocalEngine, corpus: Corpus, tokens: Tokens, size: int, words: int, number: int, slices: int) -> Marks:
    """All grams of a slice of the table, marked."""
    marks = Marks(engine, words)

    def mark(batch: int) -> None:
        token, first = tokens.token[batch], tokens.page_first(corpus, batch)
        marks.mark(lambda table, shared: kernel.mark_grams(token, first, size, table, number, slices, shared))
    engine.map(mark, range(len(tokens)))
    return marks


def class_runs(engine: LocalEngine, classes: list[U64], tokens: int) -> tuple[U32, U32, U32]:
    """Runs of repeated grams, from the classes of all partitions; see ``kernel.class_runs``. Borders of ranges cut some."""
    edges = token_ranges(tokens)
    cuts = [cuts_of_ranges(part, edges) for part in classes]  # class by class: looked up once

    def of_range(number: int) -> tuple[U32, U32, U32]:
        own = [part[cut[number]:cut[number + 1]] for part, cut in zip(classes, cuts, strict=True)]
        return kernel.class_runs(own, *edges[number:number + 2].tolist())
    position, leader, length = zip(*engine.map(of_range, range(len(edges) - 1)), strict=True)
    return np.concatenate(position), np.concatenate(leader), np.concatenate(length)


def token_ranges(tokens: int) -> I64:
    """Edges of the ranges of a collection's tokens in which runs are made."""
    size = max(RANGE_TOKENS, -(-tokens // MOST_RANGES))
    return np.append(np.arange(0, max(tokens, 1), size), tokens)


def cuts_of_ranges(classes: U64, edges: I64) -> I64:
    """Where the members of classes, ascending, that lie in each range begin, one longer than the ranges."""
    return np.searchsorted(classes, edges.astype(np.uint64) << np.uint64(32))


def repeats_that_count(repeats: Repeats, page_first: I64, pairs: PagePairs) -> Repeats:
    """Repeats without the matches of pages that make no pair that counts.

    Args:
        page_first: First token of each page, one longer than the pages.
    """
    if pairs.every:
        return repeats
    kept = pairs.allows(pages_at(page_first, repeats.a), pages_at(page_first, repeats.b))
    return replace(repeats, a=repeats.a[kept], b=repeats.b[kept], length=repeats.length[kept])


def pages_at(page_first: I64, token: I64 | U32) -> I64:
    """The page that holds each token."""
    return kernel.blocks_of(page_first, token.astype(np.int64))


def places_over(repeats: Repeats, t0: I64, t1: I64) -> tuple[I64, I64, I64, I64]:
    """Places of segments that overlap ranges of tokens: range, place, and the tokens that both hold."""
    order = np.argsort(repeats.position, kind="stable")
    start = repeats.position[order]
    low = np.searchsorted(start, t0 - int(repeats.lengths.max(initial=0)))
    counts = np.searchsorted(start, t1) - low
    owner = np.repeat(np.arange(len(t0)), counts)
    place = order[np.repeat(low - (np.cumsum(counts) - counts), counts) + np.arange(len(owner))]
    begin = np.maximum(repeats.position[place], t0[owner])
    end = np.minimum(repeats.position[place] + repeats.lengths[repeats.segment[place]], t1[owner])
    kept = end > begin
    return owner[kept], place[kept], begin[kept], end[kept]
