"""What a scan makes of the text of a whole collection: grams, sketches, bags.

All other stages go over these columns, and look at the text of those pages only in which something was found. So a cluster
has another surveyor, which asks those who have the text (``distributed/surveyor.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.columns import rows_of
from dedup.corpus import Corpus, Tokens
from dedup.engines.local import LocalEngine
from dedup.equal_blocks import Distinct, collapse_equal
from dedup.lsh import LSH, BandKeys, Candidates, candidates_of, candidates_of_sketched, sketched_blocks
from dedup.options import Options
from dedup.places import token_halves
from dedup.seeds import class_runs, gram_classes, runs_of_few
from dedup.shingles import short_shingles

if TYPE_CHECKING:
    from dedup.bags import Bags
    from dedup.stem import Stem

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]


class Surveyor:
    """Makes columns of the text of a collection that lies in this process.

    Args:
        engine: Runs it.
        corpus: The collection.
        options: The settings.
        tokens: Of the collection, where blocks are compared; they are cleared when their grams are known.
        keys: Of the bands of whole pages, where those were sketched while they were read.
    """

    def __init__(self, engine: LocalEngine, corpus: Corpus, options: Options, tokens: Tokens | None,
                 keys: BandKeys | None) -> None:
        self._engine, self._corpus, self._options, self._tokens, self._keys = engine, corpus, options, tokens, keys

    def gram_runs(self) -> tuple[U32, U32, U32]:
        """Runs of repeated grams, as ``seeds.class_runs`` gives them."""
        assert self._tokens is not None
        if (few := runs_of_few(self._engine, self._corpus, self._tokens, self._options.gram_tokens)) is not None:
            return few
        classes = gram_classes(self._engine, self._corpus, self._tokens, self._options.gram_tokens)
        return class_runs(self._engine, classes, int(self._corpus.token_first[-1]))

    def token_halves(self) -> U8:
        """See ``places.token_halves``."""
        return token_halves(self._engine, self._corpus)

    @property
    def has_near(self) -> bool:
        """Whether there may be blocks that are near copies; if not, neither ``distinct`` nor ``candidates`` is asked."""
        return True

    def distinct(self) -> Distinct:
        """Classes of equal blocks that are long enough."""
        return collapse_equal(self._corpus, rows_of(self._corpus.halves >= 2 * self._options.min_tokens))

    def candidates(self, blocks: I64) -> Candidates:
        """Pairs of blocks that share a bucket, by their rows in `blocks`, which ascend."""
        engine, size, threshold = self._engine, self._options.shingle_tokens, self._options.least_jaccard
        if self._keys is None:
            made = sketched_blocks(engine, self._corpus, blocks, size, LSH.for_threshold(threshold), self._options.seed)
            return Candidates(*candidates_of_sketched(engine, made, threshold), made.sets)
        shared = self._keys.shared(engine, blocks)  # only sets that share a bucket are needed
        sets = short_shingles(engine, self._corpus, blocks[shared], size)
        a, b, unplaced = candidates_of(engine, self._keys.rows(engine, blocks[shared]), sets, threshold)
        return Candidates(shared[a], shared[b], unplaced, sets.spread(shared, len(blocks)))

    def word_bags(self, stem: Stem | None) -> Bags:
        """See ``bags.word_bags``."""
        from dedup.bags import word_bags

        return word_bags(self._engine, self._corpus, stem)

    def letter_bags(self) -> Bags:
        """See ``bags.letter_bags``."""
        from dedup.bags import letter_bags

        return letter_bags(self._engine, self._corpus)

    def forget_tokens(self) -> None:
        """Grams are not asked for any more."""
        if self._tokens is not None:
            self._tokens.token.clear()

    def forget_keys(self) -> None:
        """Sketches are not asked for any more."""
        if self._keys is not None:
            self._keys.keys.clear()

    def look_at(self, *pages: I64) -> None:
        """The texts of pages are looked at from here on: here they are."""

    def look_around(self, *tokens: I64) -> None:
        """The same of the pages that hold some tokens."""
