"""The texts that who asked has: those of the pages in which something is looked at, read from where they lie when it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from dedup.annotate import REPETITION, repetition_of
from dedup.columns import sums
from dedup.corpus import Corpus
from dedup.distributed.corpora import page_texts
from dedup.distributed.portions import Numbering, Portion
from dedup.engines.cluster import Cluster, Held, Shared
from dedup.engines.local import LocalEngine
from dedup.errors import InputError
from dedup.filed import Filed

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Texts:
    """A collection of which the texts come when they are asked for; the others are holes, which nobody looks at.

    Args:
        cluster, held: Where the texts lie.
        corpus: The collection without its texts.
        numbering: Numbers of its pages.
        every: All of them come when the first one is asked for.

    Attributes:
        corpus: The collection; what comes stands in its text.
    """

    def __init__(self, cluster: Cluster, held: Held[Portion], corpus: Corpus, numbering: Numbering, every: bool) -> None:
        self._cluster, self._held, self._numbering, self._every = cluster, held, numbering, every
        self._column = Filed(int(corpus.page_start[-1]), np.uint8)
        self._here = np.zeros(len(corpus.pages), bool)
        self.corpus = replace(corpus, text=self._column.values)
        self._counts: F64 | None = None

    def __len__(self) -> int:
        """How many pages' texts are here."""
        return int(self._here.sum())

    def _most_of(self, wanted: Flags) -> int:
        """Most bytes that texts of a portion have."""
        size, rank = np.diff(self.corpus.page_start) * wanted, self._numbering.rank
        before = sums(size if rank is None else size[rank])
        return int(np.diff(before[self._numbering.first]).max(initial=0))

    def bring(self, wanted: Flags, counted: bool = False) -> None:
        """Have the texts of pages here.

        Args:
            wanted: Of each page, whether its text is.
            counted: Where texts stay away: count how much each page repeats itself where it lies.
        """
        if self._every:
            wanted = np.ones(len(wanted), bool)
        counted &= not self._every
        wanted = wanted & ~self._here
        if not wanted.any() and not counted:
            return
        self._here |= wanted
        if counted:
            self._counts = np.zeros((len(wanted), len(REPETITION)))
        asked, first = self._cluster.share((self._numbering, wanted)), self.corpus.page_start
        sent = partial(send_texts, asked=asked, counted=counted)
        for number, (page, texts, counts) in enumerate(self._held.map(sent, self._most_of(wanted))):
            if self._counts is not None and counted:
                self._counts[self._numbering.numbers(number)] = counts
            at = 0
            for begin, end in runs(page):
                size = int(first[end] - first[begin])
                self._column.write(int(first[begin]), texts[at:at + size])
                at += size


    def repetition(self, read_again: Callable[[int], Portion] | None, threads: int | None) -> Callable[[], F64] | None:
        """What says how each page repeats itself, as ``annotate.repetition_of`` gives it; ``None`` where all texts are here.

        Args:
            read_again: Reads a portion here. It is done when somebody asks, for few do.
            threads: That do it.
        """
        if (counts := self._counts) is not None:
            return lambda: counts
        if read_again is None or self._here.all():
            return None
        return cache(partial(count_again, self._numbering, read_again, threads))


def count_again(numbering: Numbering, read: Callable[[int], Portion], threads: int | None) -> F64:
    """How each page repeats itself, with the texts read again.

    Raises:
        InputError: They are others now.
    """
    counts = np.zeros((int(numbering.first[-1]), len(REPETITION)))

    def count(number: int) -> None:
        portion, page = read(number), numbering.numbers(number)
        if portion.mark != numbering.marks[number]:
            raise InputError("the input has changed since it was scanned", "", "Scan it again.")
        counts[page] = repetition_of(LocalEngine(1), portion.whole, slice(0, len(page)))
    LocalEngine(threads).map(count, range(len(numbering.marks)))
    return counts


def send_texts(number: int, portion: Portion, asked: Shared[tuple[Numbering, Flags]], counted: bool) -> tuple[I64, U8, F64]:
    """The texts of a portion's pages that are wanted, one after the other, and the numbers of the pages."""
    numbering, wanted = asked.value
    page = numbering.of(number, portion)
    rows = np.flatnonzero(wanted[page])
    corpus = portion.whole if counted or len(rows) else portion.corpus
    return page[rows], page_texts(corpus, rows), repetition_of(LocalEngine(1), corpus, slice(0, len(page) if counted else 0))


def runs(numbers: I64) -> Iterator[tuple[int, int]]:
    """Ranges of consecutive numbers, half-open."""
    if not len(numbers):
        return iter(())
    begins = np.flatnonzero(np.append(True, np.diff(numbers) != 1))
    ends = np.append(begins[1:], len(numbers)) - 1
    return zip(numbers[begins].tolist(), (numbers[ends] + 1).tolist(), strict=True)
