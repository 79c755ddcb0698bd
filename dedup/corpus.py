"""Pages and their blocks as columns: what all stages read.

The texts of all pages stand one after the other in one buffer of UTF-8 (a lone surrogate in three bytes); everything
else is a column over pages or blocks.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, owners
from dedup.heads import Heads
from dedup.kernel import kernel
from dedup.options import Options

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

BATCH_BYTES, BATCHES = 4_000_000, 64  # of text in one batch; so many batches, about, of a large collection
FOLD_ACCENTS, FOLD_DIGITS, JOIN_HYPHENS = 1, 2, 4  # bits of the tokeniser's flags


class Corpus(Struct, frozen=True):
    """Pages and their blocks as columns.

    Attributes:
        text: All page texts, UTF-8.
        pages: The pages without their texts.
        page_start: First byte of each page, one longer than the pages.
        page_first: First block of each page, one longer than the pages.
        start, end: Bytes of each block, half-open.
        page_chars, start_chars, end_chars: Code points before each page, one longer than the pages, and before each block's
            start and end.
        kind: ``BlockKind`` of each block.
        token_first: First token of each block, numbered through the collection; one longer than the blocks.
        halves: Length of each block in half tokens: 2 a word, 1 a character of a script without spaces.
        halves_before: Half tokens before each block, one longer than the blocks.
        fingerprint: Of each block's normalised text.
        flags: The tokeniser's.
        references: Pages that the others are compared against: so many, the first ones; ``None`` where all are compared
            with each other.
    """

    text: U8
    pages: Heads
    page_start: I64
    page_first: I64
    start: I64
    end: I64
    page_chars: I64
    start_chars: I64
    end_chars: I64
    kind: U8
    token_first: I64
    halves: I64
    halves_before: I64
    fingerprint: U64
    flags: int
    references: int | None = None

    @property
    def all_words(self) -> bool:
        """Whether each token is a word, which counts whole."""
        return int(self.halves_before[-1]) == 2 * int(self.token_first[-1])

    @property
    def block_page(self) -> I64:
        """Page of each block."""
        return owners(self.page_first)

    @property
    def page_digest(self) -> U64:
        """A hash of the text of each page: it says which of two texts is first where the order of the pages must not."""
        return kernel.range_digests(self.fingerprint, self.page_first)

    def batches(self, most: int = 0) -> list[tuple[int, int]]:
        """Ranges of pages of about ``batch_bytes`` of text each; a page is never cut.

        Args:
            most: Of ``batch_bytes``.
        """
        count, size = len(self.pages), int(self.page_start[-1])
        if count and size < batch_bytes(size, most):
            return [(0, count)]
        edges = np.searchsorted(self.page_start, np.arange(0, size + 1, batch_bytes(size, most)))
        cuts = distinct_numbers(np.minimum(np.concatenate([[0], edges, [count]]), count))
        return [(int(a), int(b)) for a, b in itertools.pairwise(cuts)]

    def blocks_of(self, pages: tuple[int, int]) -> slice:
        """The blocks of a range of pages."""
        return slice(int(self.page_first[pages[0]]), int(self.page_first[pages[1]]))

    def hashes(self, blocks: slice | I64) -> tuple[U64, I64]:
        """Token hashes of blocks and the first one of each, one longer than the blocks."""
        return kernel.hash_tokens(self.text, self.start[blocks], self.end[blocks], self.flags)

    def page_text(self, page: int) -> str:
        """The page's text as it was handed in."""
        start, end = int(self.page_start[page]), int(self.page_start[page + 1])
        return self.text[start:end].tobytes().decode("utf-8", "surrogatepass")

    def block_text(self, block: int) -> str:
        """The text of a block, which is numbered through the collection."""
        return self.text[self.start[block]:self.end[block]].tobytes().decode("utf-8", "surrogatepass")


class Tokens(Struct):
    """The tokens as the finders compare them, batch by batch; they are cleared when they are used.

    Attributes:
        page: First page of each batch, one longer than the batches.
        token: Upper half of each token's hash, one column a batch.
        bands: Keys of the bands of each page's sketch, one column a batch, as ``kernel.survey_bands`` gives them; empty ones
            where none were wanted.
        digests: Of each page's bytes, one column a batch, as ``kernel.byte_digests`` gives them, where its bands were wanted.
    """

    page: I64
    token: list[U32]
    bands: list[U32]
    digests: list[U64] = []

    def __len__(self) -> int:
        return len(self.token)

    def page_first(self, corpus: Corpus, batch: int) -> I64:
        """First token of each page of a batch, counted from the batch's first one; one longer than its pages."""
        edges = corpus.token_first[corpus.page_first[self.page[batch]:self.page[batch + 1] + 1]]
        first: I64 = edges - edges[0]
        return first

    def before(self, corpus: Corpus, batch: int) -> int:
        """Tokens before a batch."""
        return int(corpus.token_first[corpus.page_first[self.page[batch]]])


def batch_bytes(text_bytes: int, most: int) -> int:
    """Bytes of text of one batch: of a large collection more, that the rows of a batch and a partition are not too few.

    Args:
        most: Of them, where they are more than ``BATCH_BYTES``.
    """
    return max(BATCH_BYTES, min(text_bytes // BATCHES, most))


def token_flags(options: Options) -> int:
    """The tokeniser's flags that the settings ask for."""
    return (FOLD_ACCENTS * options.fold_accents + FOLD_DIGITS * options.fold_digits
            + JOIN_HYPHENS * (options.noise == "ocr"))
