"""Stems of words, for the alignment of edited passages: ``went`` stays itself, ``walked`` and ``walking`` become ``walk``.

Needs the extra ``[stem]``: PyStemmer, the Snowball stemmers. Each different word of a collection is stemmed once.
"""

from __future__ import annotations

import hashlib
import itertools
import unicodedata
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.errors import OptionError, how_to_install
from dedup.kernel import kernel
from dedup.kernel.align_settings import HALF, ITEM_FLAGS, STARTS_SENTENCE

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

Stem = Callable[[list[str]], list[str]]


class StemItems(Struct, frozen=True):
    """Every different word of a collection, by its hash, ascending, and the item of its stem: 30 bits of hash, two of 0."""

    word: U64
    item: U32

    def replace(self, item: U32, hash: U64) -> U32:
        """The same items, those of words by their stems; characters of scripts without spaces stay.

        Args:
            item: Of ``kernel.bag_items``.
            hash: Of the same tokens, all of them known here.
        """
        words = item & np.uint32(HALF) == 0
        out = item.copy()
        out[words] = self.item[np.searchsorted(self.word, hash[words])] | (item[words] & np.uint32(STARTS_SENTENCE))
        return out


def load_stemmer(language: str) -> Stem:
    """A function from words to stems.

    Raises:
        OptionError: PyStemmer is not installed, or does not know the language.
    """
    try:
        import Stemmer
    except ImportError as error:
        raise OptionError("stems need PyStemmer, which is not installed", "stem",
                          how_to_install("stem", "PyStemmer")) from error
    languages = Stemmer.algorithms()
    if language not in languages:
        raise OptionError(f"{language!r} is not one of {', '.join(languages)}", "stem")
    stem_words: Stem = Stemmer.Stemmer(language).stemWords
    return stem_words


def stem_items(engine: LocalEngine, corpus: Corpus, stem: Stem) -> StemItems:
    """The stems of all different words of a collection."""
    def distinct(batch: tuple[int, int]) -> tuple[U64, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        blocks = corpus.blocks_of(batch)
        hash, start, end, half, _ = kernel.tokenise(corpus.text, corpus.start[blocks], corpus.end[blocks], corpus.flags)
        words = np.flatnonzero(half == 0)
        known, at = np.unique(hash[words], return_index=True)
        return known, start[words[at]], end[words[at]]
    hash, start, end = (np.concatenate([np.empty(0, column[0].dtype), *column])
                        for column in zip(*engine.map(distinct, [*corpus.batches(), (0, 0)]), strict=True))
    known, at = np.unique(hash, return_index=True)
    text, first = kernel.normalise(corpus.text, start[at], end[at], corpus.flags)
    data, edges = text.tobytes(), first.tolist()
    words = [unicodedata.normalize("NFC", data[a:b].decode()) for a, b in itertools.pairwise(edges)]
    return StemItems(known, np.array([_item(word) for word in stem(words)], np.uint32))


def _item(word: str) -> int:
    digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") >> ITEM_FLAGS << ITEM_FLAGS
