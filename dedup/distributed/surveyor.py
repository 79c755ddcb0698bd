"""What a scan makes of all text, where the text lies: portions send columns, and equal keys meet by exchange.

Who asked gets columns, and never all texts: runs of grams that stand twice, pairs of blocks that share a bucket, items.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from dedup.bags import Bags, letter_items, letters_before, word_items
from dedup.columns import distinct_numbers, last_up_to
from dedup.distributed.buckets import Buckets, KnownOverlaps, Sent, Step, find_in_buckets, rows_of_each, taken
from dedup.distributed.corpora import tokens_of
from dedup.distributed.keys import keys_by_part
from dedup.distributed.portions import Numbering, Portion
from dedup.distributed.texts import Texts, runs
from dedup.engines.cluster import Cluster, Held, Shared
from dedup.engines.local import LocalEngine
from dedup.equal_blocks import Distinct, collapse_equal
from dedup.filed import Filed
from dedup.kernel import kernel
from dedup.lsh import LSH, Candidates
from dedup.options import Options
from dedup.order import in_order, order_of
from dedup.places import page_of, token_halves
from dedup.seeds import cuts_of_ranges, pages_at, token_ranges
from dedup.shingles import short_shingles
from dedup.stem import Stem, load_stemmer, stem_items
from dedup.surveyor import Surveyor

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
A = TypeVar("A", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the pages of portions stand in the whole.

    Attributes:
        numbering: Numbers of the pages.
        block, token: First block and token of each page.
    """

    numbering: Numbering
    block: I64
    token: I64

    def blocks(self, number: int, portion: Portion) -> I64:
        """Numbers of a portion's blocks."""
        page, first = self.numbering.of(number, portion), portion.corpus.page_first
        return np.repeat(self.block[page] - first[:-1], np.diff(first)) + np.arange(int(first[-1]))


class SpreadSurveyor(Surveyor):
    """Asks the portions of a cluster.

    Args:
        engine: Of who asks.
        texts: The collection without its texts, and those that are asked for.
        options: The settings.
        cluster, held: The portions.
        numbering: Numbers of their pages.
        parts: In which keys meet.
        pages: Of which the others are not compared, where not all are.
    """

    def __init__(self, engine: LocalEngine, texts: Texts, options: Options, cluster: Cluster, held: Held[Portion],
                 numbering: Numbering, parts: int, pages: Flags | None = None) -> None:
        super().__init__(engine, texts.corpus, options, None, None)
        corpus = texts.corpus
        self._texts, self._cluster, self._held, self._parts = texts, cluster, held, parts
        self._places = cluster.share(Places(numbering, corpus.page_first[:-1], corpus.token_first[corpus.page_first[:-1]]))
        self._numbering, self._pages = numbering, pages

    def gram_runs(self) -> tuple[U32, U32, U32]:
        """Runs of repeated grams: classes meet by their grams, then again by where they stand."""
        send = partial(send_grams, places=self._places, size=self._options.gram_tokens, parts=self._parts)
        classes, edges = self._held.gather(send, self._parts, meet_grams), token_ranges(int(self._corpus.token_first[-1]))
        made = classes.exchange(partial(send_classes, edges=edges), len(edges) - 1, partial(find_runs, edges=edges))
        position, leader, length = zip(*made, strict=True)
        classes.release()
        return np.concatenate(position), np.concatenate(leader), np.concatenate(length)

    def token_halves(self) -> U8:
        """Half tokens of each token, 1 or 2; nothing where all are words."""
        if self._corpus.all_words:
            return np.empty(0, np.uint8)
        asked = partial(send_halves, places=self._places)
        return self._placed(self._held.map(asked), self._corpus.token_first[self._corpus.page_first], np.uint8)

    def distinct(self) -> Distinct:
        """Classes of equal blocks that are long enough."""
        long_enough = self._corpus.halves >= 2 * self._options.min_tokens
        if self._pages is not None:
            long_enough &= self._pages[self._corpus.block_page]
        return collapse_equal(self._corpus, np.flatnonzero(long_enough), self._equal)

    def _equal(self, one: I64, other: I64) -> Flags:
        """Whether blocks have the normalised texts of others: by digests of 128 bits, beside their fingerprints."""
        blocks = distinct_numbers(np.concatenate([one, other]))
        if not len(blocks):
            return np.ones(0, bool)
        said = list(self._held.map(partial(block_digests, places=self._places, chosen=self._chosen(blocks))))
        number, digest = (np.concatenate(column) for column in zip(*said, strict=True))
        digest = digest[in_order(number)]
        a, b = (digest[np.searchsorted(blocks, side)] for side in (one, other))
        same: Flags = (a == b).all(axis=1)
        return same

    def _chosen(self, blocks: I64) -> Shared[U8]:
        """Some blocks, as one bit for each block."""
        flags = np.zeros(len(self._corpus.start), bool)
        flags[blocks] = True
        return self._cluster.share(np.packbits(flags))

    def candidates(self, blocks: I64) -> Candidates:
        """Pairs of blocks that share a bucket, found in tasks."""
        options = self._options
        send = partial(send_bands, places=self._places, chosen=self._chosen(blocks), options=options, parts=self._parts)
        keys, members = zip(*self._held.exchange(send, self._parts, meet_bands), strict=True)
        buckets = Buckets.of(np.concatenate(keys), np.concatenate(members).astype(np.int64))
        tokens = self._corpus.token_first[1:] - self._corpus.token_first[:-1]
        found = find_in_buckets(self._cluster, self._held, buckets, tokens, options.least_jaccard,
                                partial(send_sets, places=self._places, options=options))
        a, b, overlap, block, size = (np.concatenate(column) for column in list(zip(*found, strict=True))[:5])
        key = np.searchsorted(blocks, a) * len(blocks) + np.searchsorted(blocks, b)
        key, row = np.unique(key, return_index=True)
        sizes = np.zeros(len(blocks), np.int64)
        sizes[np.searchsorted(blocks, block)] = size
        sets = KnownOverlaps(sizes, key, overlap[row], partial(self._overlaps, blocks))
        return Candidates(key // max(len(blocks), 1), key % max(len(blocks), 1), sum(own.unplaced for own in found), sets)

    def _overlaps(self, blocks: I64, a: I64, b: I64) -> I64:
        """What pairs of blocks have in common; their texts come here."""
        involved, row = np.unique(np.concatenate([a, b]), return_inverse=True)
        self.look_at(last_up_to(self._corpus.page_first, blocks[involved]))
        sets = short_shingles(self._engine, self._corpus, blocks[involved], self._options.shingle_tokens)
        return sets.overlaps(self._engine, *np.split(row, 2))

    def word_bags(self, stem: Stem | None) -> Bags:
        """The bags of the collection, one item a token."""
        first = self._corpus.token_first[self._corpus.page_first]
        asked = partial(send_words, places=self._places, language=self._options.stem if stem is not None else None)
        return Bags(self._placed(self._held.map(asked), first, np.uint32), first, np.empty(0, np.int64))

    def letter_bags(self) -> Bags:
        """The bags of scanned text, one item a letter."""
        of_page, said = self._corpus.token_first[self._corpus.page_first], list[U32]()

        def counts() -> Iterator[I64]:
            for items, first in self._held.map(partial(send_letters, places=self._places)):
                said.append(items)
                yield np.diff(first)
        first = letters_before(self._placed(counts(), of_page, np.int64))
        of_page = first[of_page]
        return Bags(self._placed(iter(said), of_page, np.uint32), of_page, first)

    def _placed(self, columns: Iterator[npt.NDArray[A]], first: I64, kind: type[A]) -> npt.NDArray[A]:
        """Columns of portions, page after page, where they belong in that of the whole.

        Args:
            first: First row of each page, one longer than the pages.
        """
        out = Filed(int(first[-1]), kind)
        for number, column in enumerate(columns):
            at = 0
            for begin, end in runs(self._numbering.numbers(number)):
                size = int(first[end] - first[begin])
                out.write(int(first[begin]), column[at:at + size])
                at += size
        return out.values

    def look_at(self, *pages: I64) -> None:
        """The texts of pages are looked at from here on."""
        wanted = np.zeros(len(self._corpus.pages), bool)
        for some in pages:
            wanted[some] = True
        self._texts.bring(wanted)

    def look_around(self, *tokens: I64) -> None:
        """The texts of the pages that hold some tokens are looked at from here on."""
        self.look_at(*(page_of(self._corpus, some) for some in tokens))


def _together(sent: list[tuple[U64, U32]]) -> tuple[U64, U32]:
    """Keys and numbers that came to a part. The list is empty afterwards."""
    keys = np.concatenate([np.empty(0, np.uint64), *(keys for keys, _ in sent)])
    numbers = np.concatenate([np.empty(0, np.uint32), *(numbers for _, numbers in sent)])
    sent.clear()
    return keys, numbers


def _rows(blocks: I64, chosen: Shared[U8]) -> I64:
    """Which of some blocks are chosen."""
    return np.flatnonzero(chosen.value[blocks >> 3] >> (7 - (blocks & 7)).astype(np.uint8) & np.uint8(1))


def send_grams(number: int, portion: Portion, places: Shared[Places], size: int,
               parts: int) -> Iterator[tuple[int, tuple[U64, U32]]]:
    """All grams of a portion, each to the part that its hash says, with the numbers of their first tokens."""
    corpus, known = portion.whole, places.value
    page, tokens = known.numbering.of(number, portion), tokens_of(corpus)
    for batch in range(len(tokens)):
        first = tokens.page_first(corpus, batch)
        gram, at, edges = kernel.gram_rows(tokens.token[batch], first, size, 0, parts, 0, parts)
        own = pages_at(first, at)
        token = (known.token[page[tokens.page[batch] + own]] - first[own] + at).astype(np.uint32)
        for part, (a, b) in enumerate(itertools.pairwise(edges.tolist())):
            if b > a:
                yield part, (gram[a:b], token[a:b])


def meet_grams(_: int, sent: list[tuple[U64, U32]]) -> U64:
    """Classes of the equal grams of a part."""
    gram, at = _together(sent)
    if (at[1:] < at[:-1]).any():
        order = order_of(at.astype(np.uint64))
        gram, at = gram[order], at[order]
    return kernel.gram_classes([gram], [at], [np.array([0, len(gram)])], 0, 1, 32, 1)[0]  # all in one range: they ascend


def send_classes(_: int, classes: U64, edges: I64) -> Iterator[tuple[int, U64]]:
    """The members of classes, by the range of tokens in which they stand."""
    cuts = cuts_of_ranges(classes, edges).tolist()
    return ((number, classes[a:b]) for number, (a, b) in enumerate(itertools.pairwise(cuts)) if b > a)


def find_runs(number: int, classes: list[U64], edges: I64) -> tuple[U32, U32, U32]:
    """Runs of repeated grams in a range of tokens."""
    return kernel.class_runs(classes, *edges[number:number + 2].tolist())


def block_digests(number: int, portion: Portion, places: Shared[Places], chosen: Shared[U8]) -> tuple[I64, U64]:
    """Numbers of the chosen blocks, and digests of their normalised texts."""
    blocks = places.value.blocks(number, portion)
    rows = _rows(blocks, chosen)
    if not len(rows):
        return rows, np.empty((0, 2), np.uint64)
    corpus = portion.whole
    text, first = kernel.normalise(corpus.text, corpus.start[rows], corpus.end[rows], corpus.flags)
    return blocks[rows], kernel.byte_digests(text, first).reshape(-1, 2)


def send_bands(number: int, portion: Portion, places: Shared[Places], chosen: Shared[U8], options: Options,
               parts: int) -> Iterator[tuple[int, tuple[U64, U32]]]:
    """The keys of the bands of the chosen blocks, each to its part, with the numbers of the blocks."""
    blocks = places.value.blocks(number, portion)
    rows = _rows(blocks, chosen)
    if not len(rows):
        return
    if portion.bands is None:
        lsh = LSH.for_threshold(options.least_jaccard)
        sets = short_shingles(LocalEngine(1), portion.whole, rows, options.shingle_tokens)
        keys = kernel.band_columns(sets.values, sets.first, lsh.bands, lsh.rows, options.seed).reshape(lsh.bands, -1)
    else:
        keys = portion.bands[:, rows]
    key = (keys.astype(np.uint64) | np.arange(len(keys), dtype=np.uint64)[:, None] << np.uint64(32)).reshape(-1)
    yield from keys_by_part(key, np.tile(blocks[rows].astype(np.uint32), len(keys)), parts)


def meet_bands(_: int, sent: list[tuple[U64, U32]]) -> tuple[U64, U32]:
    """The keys of a part that several blocks have, and the blocks."""
    key, block = _together(sent)
    order = order_of(key)
    same = key[order][1:] == key[order][:-1]
    shared = order[np.append(same, False) | np.append(False, same)] if len(key) else order
    return key[shared], block[shared]


def send_sets(number: int, portion: Portion, step: Shared[Step], places: Shared[Places],
              options: Options) -> Iterator[tuple[int, Sent]]:
    """The sets of blocks, to the tasks that need them."""
    blocks = places.value.blocks(number, portion)
    row, task = step.value.of_blocks(blocks)
    if not len(row):
        return
    rows = distinct_numbers(row)
    sets = short_shingles(LocalEngine(1), portion.whole, rows, options.shingle_tokens)
    for own, mine in rows_of_each(task):
        yield own, Sent(blocks[row[mine]], taken(sets, np.searchsorted(rows, row[mine])))


def send_words(number: int, portion: Portion, places: Shared[Places], language: str | None) -> U32:
    """The items of a portion, one a token."""
    places.value.numbering.of(number, portion)
    corpus = portion.whole
    stems = stem_items(LocalEngine(1), corpus, load_stemmer(language)) if language is not None else None
    return word_items(corpus, slice(0, len(corpus.start)), stems)


def send_halves(number: int, portion: Portion, places: Shared[Places]) -> U8:
    """The half tokens of each token of a portion."""
    places.value.numbering.of(number, portion)
    halves = token_halves(LocalEngine(1), portion.whole)
    return halves if len(halves) else np.full(int(portion.whole.token_first[-1]), 2, np.uint8)


def send_letters(number: int, portion: Portion, places: Shared[Places]) -> tuple[U32, I64]:
    """The items of a portion of scanned text, one a letter, and the first one of each token."""
    places.value.numbering.of(number, portion)
    return letter_items(portion.whole, (0, len(portion.corpus.pages)))
