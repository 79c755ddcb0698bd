"""Which chunks of postings surely do not hold a key, where not all chunks have room in memory.

Most keys of a page stand on no stored page, so most look-ups read a chunk for nothing. A bitmap of the keys of each chunk
that was read takes an eighth of its room, and passes all but one of thirty keys over that are not there. It is learnt from
what was read, and lies in no file.

Source: Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 1970; three bits of a key in one line of
memory: Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters", WEA 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.columns import distinct_numbers
from dedup.index.segments import Segment
from dedup.kernel import kernel
from dedup.kernel.twin_sieve import MOST_WORDS

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BESIDE = 4  # chunks that lie in one page of the file: what is not known of them is learnt along
FEW_NOTED = 1 << 14  # chunks, of some thirty checks: for who asks no more nothing is read that is not asked for
LEAST_WORDS = 16  # of a bitmap of 64 bits each: with two bits a key four of ten that are not there pass


@dataclass(frozen=True, slots=True)
class Sieve:
    """Bitmaps of the chunks of one segment.

    Attributes:
        first_chunk, chunks: Of the segment.
        words: 64 bits each, of a chunk's bitmap.
        absent: Bits that no key of a chunk has, shape ``(chunks * words,)``; none are set where nothing is known, which
            takes no memory yet.
    """

    first_chunk: int
    chunks: int
    words: int
    absent: U64

    def may_hold(self, chunk: I64, key: U64) -> Flags:
        """Which chunks of the segment, from 0 on, may hold a key: never no of one that does."""
        may: Flags = kernel.may_hold(self.absent, self.words, chunk, key).view(bool)
        return may


class Sieves:
    """Bitmaps of the chunks of all segments, bounded in bytes; the segments with most chunks come first.

    Args:
        most: Bytes, at most.
    """

    def __init__(self, most: int) -> None:
        self.most, self.bytes, self._noted = most, 0, 0
        self._of, self._followed = dict[int, Sieve](), set[int]()

    def follow(self, segments: Sequence[Segment]) -> None:
        """Have bitmaps for these segments, so far as there is room, and for no others."""
        named = {segment.number for segment in segments}
        if named == self._followed:
            return
        kept = {number: sieve for number, sieve in self._of.items() if number in named}
        size = sum(sieve.absent.nbytes for sieve in kept.values())
        for segment in sorted(segments, key=lambda segment: len(segment.fence), reverse=True):
            words, chunks = MOST_WORDS, len(segment.fence)
            while words > LEAST_WORDS and size + 8 * words * chunks > self.most:
                words //= 2
            if segment.number not in kept and size + 8 * words * chunks <= self.most:
                kept[segment.number] = Sieve(segment.first_chunk, chunks, words, np.zeros(chunks * words, np.uint64))
                size += 8 * words * chunks
        self._of, self._followed, self.bytes = kept, named, size  # what another thread learnt meanwhile is learnt again

    def of(self, segment: Segment) -> Sieve | None:
        """The bitmaps of a segment."""
        return self._of.get(segment.number)

    def beside(self, numbers: I64) -> I64:
        """Chunks to be read in place of these, which ascend: these, and soon those beside them that nothing is known of."""
        if self._noted < FEW_NOTED:
            return numbers
        found = [numbers]
        for sieve in self._of.values():
            begin, end = numbers.searchsorted([sieve.first_chunk, sieve.first_chunk + sieve.chunks]).tolist()
            own = numbers[begin:end] - sieve.first_chunk
            near = ((own // BESIDE * BESIDE)[:, None] + np.arange(BESIDE)).reshape(-1)
            near = near[near < sieve.chunks]
            found.append(near[sieve.absent[near * sieve.words] == 0] + sieve.first_chunk)
        return distinct_numbers(np.concatenate(found))

    def note(self, numbers: I64, chunks: Sequence[bytes]) -> None:
        """Learn from chunks, whose numbers ascend."""
        self._noted += len(numbers)
        for sieve in self._of.values():
            begin, end = numbers.searchsorted([sieve.first_chunk, sieve.first_chunk + sieve.chunks]).tolist()
            if begin < end:
                own = numbers[begin:end] - sieve.first_chunk
                kernel.note_absent(list(chunks[begin:end]), own, sieve.absent, sieve.words)
