"""Blocks between the parts of a run, and whether what they say stands on their page elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dedup.cleaning.signs import sign_digests
from dedup.corpus import Corpus
from dedup.kernel import kernel

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


class InnerBlocks:
    """Looks into one page after the other; the tokens of the last one are kept."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._page = -1
        self._hashes: U64 = np.empty(0, np.uint64)
        self._first: I64 = np.zeros(1, np.int64)

    def between(self, page: int, start: int, end: int) -> list[int]:
        """Blocks with words that lie in a range of bytes."""
        corpus = self._corpus
        low, high = int(corpus.page_first[page]), int(corpus.page_first[page + 1])
        first = low + int(np.searchsorted(corpus.start[low:high], start))
        last = low + int(np.searchsorted(corpus.end[low:high], end, side="right"))
        return [block for block in range(first, last) if corpus.halves[block]]

    def chars(self, page: int, block: int) -> tuple[int, int]:
        """Code points of a block in its page's text, half-open."""
        before = int(self._corpus.page_chars[page])
        return int(self._corpus.start_chars[block]) - before, int(self._corpus.end_chars[block]) - before

    def elsewhere(self, page: int, block: int, stays: Callable[[int, int], bool]) -> int | None:
        """The first other block of the page that has all tokens of this one in a row, with its signs, and stays."""
        self._load(page)
        corpus, low = self._corpus, int(self._corpus.page_first[page])
        begin, end = (int(at) for at in self._first[block - low:block - low + 2])
        wanted, signs = self._hashes[begin:end], self._signs(block, 0, end - begin)
        for at in np.flatnonzero(self._hashes == wanted[0]).tolist():
            if not np.array_equal(self._hashes[at:at + len(wanted)], wanted) or begin <= at < end:
                continue
            found = int(np.searchsorted(self._first, at, side="right")) - 1
            whole = at + len(wanted) <= self._first[found + 1]
            if whole and stays(int(corpus.start[low + found]), int(corpus.end[low + found])) \
                    and self._signs(low + found, at - int(self._first[found]), len(wanted)) == signs:
                return low + found
        return None

    def _signs(self, block: int, nth: int, count: int) -> int:
        """A digest of the signs in and around some tokens of a block, up to the ones before and behind."""
        corpus, rows = self._corpus, slice(block, block + 1)
        _, first, last, _, _ = kernel.tokenise(corpus.text, corpus.start[rows], corpus.end[rows], corpus.flags)
        start = last[nth - 1:nth] if nth else corpus.start[rows]
        end = first[nth + count:nth + count + 1] if nth + count < len(first) else corpus.end[rows]
        return int(sign_digests(corpus.text[int(start[0]):int(end[0])], start - start[0], end - start[0])[0])

    def _load(self, page: int) -> None:
        if page != self._page:
            corpus = self._corpus
            self._hashes, self._first = corpus.hashes(slice(int(corpus.page_first[page]), int(corpus.page_first[page + 1])))
            self._page = page
