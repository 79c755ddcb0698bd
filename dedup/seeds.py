"""Stage 6: exact repeats at any offset: every run of `size` tokens or more that stands twice, wherever it begins.

Runs are found by their `size`-token grams. All grams are put down by partitions of their hash, a slice of the hashes at a
time; in partitions so small that the nearer cache holds what is looked up, grams that stand once are dropped and equal
ones grouped. So a passage on ten thousand pages is one class in linear time.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from dedup.columns import owners
from dedup.corpus import Corpus, Tokens
from dedup.engines.local import Done, LocalEngine
from dedup.errors import InputError
from dedup.filed import LEAST_IN_FILE, filed
from dedup.kernel import kernel
from dedup.order import in_order
from dedup.page_pairs import PagePairs

if TYPE_CHECKING:
    from dedup.surveyor import Surveyor

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]

RANGE_BITS, MOST_RANGES = 19, 1024  # ranges of 2^bits tokens and more that are taken together; how many there are at most
ROW_BYTES = 12  # of a gram and its place
LEAST_ROWS, ROWS_A_BYTE = 1 << 22, 0.5  # bytes of grams that are held at one time; of a byte of text
PARTITION_TEXT = 200_000  # bytes of text a partition: some 30,000 grams, whose tables the nearer cache holds
CALLS = 64  # for the partitions of a slice: the more, the smaller are the pieces of ranges in what comes of one
MAX_MEMBERS = 6  # places of a repeat that are matched all with all; of more, the repeat is one segment


class Repeats(Struct, frozen=True):
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


def find_repeats(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, size: int, min_tokens: int
                 ) -> Future[Repeats] | Done[Repeats]:
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
    halves = surveyor.token_halves() if len(runs[0]) else np.empty(0, np.uint8)
    page_first = corpus.token_first[corpus.page_first]

    def grown() -> Repeats:
        return Repeats(*kernel.exact_repeats(*runs, size, MAX_MEMBERS, halves, min_tokens, corpus.token_first, page_first))
    return engine.begin(grown)


def runs_of_few(engine: LocalEngine, corpus: Corpus, tokens: Tokens, size: int) -> tuple[U32, U32, U32] | None:
    """Runs of repeated grams, as ``class_runs`` gives them, of a collection that is one batch, slice and range; ``None`` of a
    larger one. The tokens are cleared.

    Args:
        size: Tokens of a gram.
    """
    if len(tokens) != 1 or engine.is_bounded or ROW_BYTES * len(tokens.token[0]) > LEAST_ROWS:
        return None
    token, tokens.token[0] = tokens.token[0], np.empty(0, np.uint32)
    return kernel.gram_runs(token, corpus.token_first[corpus.page_first], size)


def gram_classes(engine: LocalEngine, corpus: Corpus, tokens: Tokens, size: int) -> list[tuple[U64, I64]]:
    """Classes of equal grams by ranges of tokens, as ``kernel.gram_classes`` gives them, of some partitions each.

    The tokens are cleared on the way.

    Args:
        size: Tokens of a gram.
    """
    count, text_bytes = int(corpus.token_first[-1]), int(corpus.page_start[-1])
    slices = max(1, -(-ROW_BYTES * count // max(LEAST_ROWS, int(ROWS_A_BYTE * text_bytes))))
    partitions = engine.partitions(text_bytes, slices, PARTITION_TEXT)
    return [part for number in range(slices)
            for part in _classes_of_slice(engine, corpus, tokens, size, partitions, number, slices)]


def _classes_of_slice(engine: LocalEngine, corpus: Corpus, tokens: Tokens, size: int, partitions: int, number: int,
                      slices: int) -> list[tuple[U64, I64]]:
    """Classes of the grams of a slice, some of its partitions each; with the last one the tokens are cleared."""
    count, text_bytes, begin = int(corpus.token_first[-1]), int(corpus.page_start[-1]), partitions * number

    def emit(batch: int) -> tuple[U64, U32, I64]:
        rows = kernel.gram_rows(tokens.token[batch], tokens.page_first(corpus, batch), size, tokens.before(corpus, batch),
                                partitions * slices, begin, begin + partitions)
        if number == slices - 1:
            tokens.token[batch] = np.empty(0, np.uint32)
        return (filed(rows[0]), filed(rows[1]), rows[2]) if text_bytes >= LEAST_IN_FILE else rows
    rows = engine.map(emit, range(len(tokens)))
    gram, at, first = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    if number == 0:
        engine.settle()
    step, bits, ranges = -(-partitions // CALLS), range_bits(count), len(token_ranges(count)) - 1

    def meet(partition: int) -> tuple[U64, I64]:
        return kernel.gram_classes(gram, at, first, partition, min(partition + step, partitions), bits, ranges)
    return engine.map(meet, range(0, partitions, step))


def class_runs(engine: LocalEngine, classes: list[tuple[U64, I64]], tokens: int) -> tuple[U32, U32, U32]:
    """Runs of repeated grams, from the classes of all partitions; see ``kernel.class_runs``. Borders of ranges cut some."""
    edges, cuts = token_ranges(tokens), [first.tolist() for _, first in classes]

    def of_range(number: int) -> tuple[U32, U32, U32]:
        own = [part[cut[number]:cut[number + 1]] for (part, _), cut in zip(classes, cuts, strict=True)]
        return kernel.class_runs(own, *edges[number:number + 2].tolist())
    position, leader, length = zip(*engine.map(of_range, range(len(edges) - 1)), strict=True)
    return np.concatenate(position), np.concatenate(leader), np.concatenate(length)


def range_bits(tokens: int) -> int:
    """Bits of the place of a token in its range, of those in which runs are made."""
    return max(RANGE_BITS, (max(tokens - 1, 0) // MOST_RANGES).bit_length())


def token_ranges(tokens: int) -> I64:
    """Edges of the ranges of a collection's tokens in which runs are made."""
    return np.append(np.arange(0, max(tokens, 1), 1 << range_bits(tokens)), tokens)


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


class PlacesInOrder:
    """Places of segments by where they begin, to be asked which of them overlap ranges of tokens.

    Attributes:
        repeats: The segments.
        segment: Of each place, in their order.
    """

    def __init__(self, repeats: Repeats) -> None:
        self.repeats, self.segment = repeats, repeats.segment
        self._order = in_order(repeats.position)
        self._start = repeats.position[self._order]
        self._longest = int(repeats.lengths.max(initial=0))

    def over(self, t0: I64, t1: I64) -> tuple[I64, I64, I64, I64]:
        """Range, place, and the tokens that both hold."""
        low = np.searchsorted(self._start, t0 - self._longest)
        counts = np.searchsorted(self._start, t1) - low
        owner = np.repeat(np.arange(len(t0)), counts)
        place = self._order[np.repeat(low - (np.cumsum(counts) - counts), counts) + np.arange(len(owner))]
        begin = np.maximum(self.repeats.position[place], t0[owner])
        end = np.minimum(self.repeats.position[place] + self.repeats.lengths[self.segment[place]], t1[owner])
        kept = end > begin
        return owner[kept], place[kept], begin[kept], end[kept]
