"""Bags of the pages: what the alignment of edited passages counts, and what ranges of tokens share of it.

An item is a word by its first letters, or by its stem; in scanned text (``noise="ocr"``) a run of three letters, whatever
stands between them. docs/design/alignment.md and docs/design/ocr.md say why.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine, concatenated
from dedup.errors import InputError
from dedup.filed import Filed
from dedup.kernel import kernel
from dedup.kernel.align_settings import RARE, THOUSAND, Settings
from dedup.parts import Parts
from dedup.places import page_of
from dedup.runs import Links
from dedup.stem import Stem, StemItems, stem_items

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
F64 = npt.NDArray[np.float64]

WORD_LETTERS = 5  # of a word that count
RUN_LETTERS = 3  # letters of an item of scanned text
LETTERS_A_WORD = 5  # by which lengths in words are turned into lengths in letters

SETTINGS = Settings(
    window=24, cell=12, step=4, radius=4, cell_dice=280, seed_dice=330, gap=12, theta=310, factor=600, drop=3000, moves=18,
    border_cost=2000, evidence=7000, evidence_theta=330, least_dice=420, pseudo_window=16, all_cells=0,
    max_cells=8_000_000, min_halves=16, border_reach=256, again_dice=600, joint_reach=16, row_cells=256,
    again_share=600, tries=64, drift=24, least_window=8, slack=64)


class Bags(Struct, frozen=True):
    """What the bags of all pages hold.

    Attributes:
        item: Page after page.
        page_first: First item of each page, one longer than the pages.
        first: First item of each token, one longer than the tokens; empty where each token is one item.
    """

    item: U32
    page_first: I64
    first: I64

    @property
    def a_word(self) -> int:
        """Items that a word has, about."""
        return LETTERS_A_WORD if len(self.first) else 1

    @property
    def settings(self) -> Settings:
        """The method's constants: lengths and weights are counted in items."""
        return _settings_of(self.a_word)

    def items(self, token: I64) -> I64:
        """First item of each token."""
        return self.first[token] if len(self.first) else token

    def tokens(self, start: I64, end: I64) -> tuple[I64, I64]:
        """The tokens that ranges of items touch; each holds one item at least."""
        if not len(self.first):
            return start, end
        return np.searchsorted(self.first, start, side="right") - 1, np.searchsorted(self.first, end, side="left")

    def measures(self, shared: I64, total: I64) -> tuple[F64, F64]:
        """Dice and evidence from twice the shared weight and the weight of both sides."""
        evidence = (shared * THOUSAND - SETTINGS.evidence_theta * total) / (THOUSAND * RARE * self.a_word)
        return shared / np.maximum(total, 1), evidence

    def measure(self, corpus: Corpus, links: Links) -> tuple[F64, F64]:
        """Dice and evidence of links."""
        rows = np.arange(len(links.a0))
        return self.measure_parts(page_of(corpus, links.a0), page_of(corpus, links.b0), Parts(rows, links.a0, links.a1),
                                  Parts(rows, links.b0, links.b1))

    def measure_parts(self, page_a: I64, page_b: I64, a: Parts, b: Parts) -> tuple[F64, F64]:
        """Dice and evidence of several parts of pages, taken together."""
        order = np.argsort(larger_pages(self.page_first, page_a, page_b), kind="stable")
        ranges = []
        for page, parts in ((page_a, a), (page_b, b)):
            first, start, end = parts.by_owner(order)
            before = np.repeat(self.page_first[page[order]], widths(first))
            ranges.append((first, self.items(start) - before, self.items(end) - before))
        shared, total = np.empty((2, len(order)), np.int64)
        settings = np.array(self.settings, np.int64)
        shared[order], total[order] = kernel.measure_parts(self.item, self.page_first, page_a[order], page_b[order],
                                                           *ranges[0], *ranges[1], settings)
        return self.measures(shared, total)


@lru_cache
def _settings_of(items: int) -> Settings:
    """The method's constants, where a word has so many items."""
    return SETTINGS._replace(**{name: getattr(SETTINGS, name) * items for name in (
        "window", "cell", "step", "gap", "drop", "border_cost", "evidence", "pseudo_window", "border_reach", "drift",
        "least_window", "slack")})


def larger_pages(page_first: I64, page_a: I64, page_b: I64) -> I64:
    """The larger page of each pair: what is known of it serves the next pair, if pairs that have it stand together."""
    length = widths(page_first)
    return np.where(length[page_a] >= length[page_b], page_a, page_b)


def word_bags(engine: LocalEngine, corpus: Corpus, stem: Stem | None = None) -> Bags:
    """The bags of the collection, one item a token.

    Args:
        stem: Words go by their stems, and not by their first letters.
    """
    first = corpus.token_first[corpus.page_first]
    items = Filed(int(first[-1]), np.uint32)
    stems = stem_items(engine, corpus, stem) if stem is not None else None

    def fill(batch: tuple[int, int]) -> None:
        items.write(int(first[batch[0]]), word_items(corpus, corpus.blocks_of(batch), stems))
    engine.map(fill, corpus.batches(engine.most_batch))
    return Bags(items.values, first, np.empty(0, np.int64))


def word_items(corpus: Corpus, blocks: slice, stems: StemItems | None) -> U32:
    """The items of some blocks, one a token."""
    own = kernel.bag_items(corpus.text, corpus.start[blocks], corpus.end[blocks], corpus.flags, WORD_LETTERS)
    return own if stems is None else stems.replace(own, corpus.hashes(blocks)[0])


def letter_bags(engine: LocalEngine, corpus: Corpus) -> Bags:
    """The bags of scanned text, one item a letter.

    Raises:
        InputError: The collection has 2^32 letters or more.
    """
    parts = engine.map(partial(letter_items, corpus), corpus.batches())
    first = letters_before(np.concatenate([np.empty(0, np.int64), *(widths(first) for _, first in parts)]))
    items = [np.empty(0, np.uint32), *(item for item, _ in parts)]
    parts.clear()
    return Bags(concatenated(items), first[corpus.token_first[corpus.page_first]], first)


def letter_items(corpus: Corpus, batch: tuple[int, int]) -> tuple[U32, I64]:
    """The items of a batch of pages, one a letter, and the first one of each token, one longer than the tokens."""
    blocks = corpus.blocks_of(batch)
    pages = corpus.page_first[batch[0]:batch[1] + 1]
    return kernel.letter_items(corpus.text, corpus.start[blocks], corpus.end[blocks], pages - pages[0], corpus.flags,
                               RUN_LETTERS)


def letters_before(counts: I64) -> I64:
    """Letters before each token of the collection, one longer than the tokens.

    Raises:
        InputError: The collection has 2^32 letters or more.
    """
    first = sums(counts)
    if int(first[-1]) >= 2**32:
        raise InputError("the input has more than 4,294,967,295 letters, more than one scan of scanned text can number", "",
                         "Scan parts of it.")
    return first
