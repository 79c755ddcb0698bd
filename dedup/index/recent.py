"""What was read lately and may be asked for again, bounded in bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.columns import begins_new, distinct_numbers
from dedup.index.segments import Chunks
from dedup.kernel.twin_postings import BEGIN_BITS

I64 = npt.NDArray[np.int64]

T = TypeVar("T")
NONE_BESIDE = np.empty(0, np.int64)

DROPPED = 8  # where there is no more room, one of so many values goes, the ones that came first
BUFFERS = 128, 512  # of chunks, the least and the most; to begin one writes zeros to all of it, which a look-up waits for
BUFFER_BYTES = 1 << 20
RARELY = 16  # of so many chunks of more than have room one is kept: to put one there takes as long as to read it
FEW_BUFFERS = 4  # are filled by those who ask once or twice: for them nothing is read that is not asked for


class Recent(Generic[T]):
    """Values by number, each of them for good: what has a number never changes.

    They go in the order in which they came, whether they were asked for since or not: to note that takes longer than to read
    again, once in a while, what is asked for often. Threads may share it: at worst a value is read again.

    Args:
        most: Bytes that are kept, about.
    """

    def __init__(self, most: int) -> None:
        self._most, self._held, self._values = most, 0, dict[int, T]()

    def take(self, numbers: Iterable[int], read: Callable[[list[int]], list[T]], size: Callable[[T], int]) -> list[T]:
        """Values in the order of their numbers; those that are not known are read, and kept.

        Args:
            numbers: Each once.
            read: Gets the numbers that are not known.
            size: Bytes of a value.
        """
        wanted = list(numbers)
        try:
            return list(map(self._values.__getitem__, wanted))
        except KeyError:
            found = list(map(self._values.get, wanted))
        missing = [number for number, value in zip(wanted, found, strict=True) if value is None]
        new = dict(zip(missing, read(missing), strict=True))
        self._keep(new, size)
        return [new[number] if value is None else value for number, value in zip(wanted, found, strict=True)]

    def _keep(self, new: dict[int, T], size: Callable[[T], int]) -> None:
        """Make room for values, and put them there; what has no room beside them is forgotten."""
        own = sum(map(size, new.values()))
        while self._values and self._held + own > self._most:
            gone = [self._values.pop(number, None) for number in list(self._values)[:-(-len(self._values) // DROPPED)]]
            self._held -= sum(size(value) for value in gone if value is not None)
            if not self._values:
                self._held = 0  # what two threads put there at a time was counted twice
        if own <= self._most:
            self._values.update(new)
            self._held += own


class RecentChunks:
    """Chunks of postings by number, as ``Recent`` keeps values, but one behind the other in a few buffers: a look-up asks for
    hundreds of them, and an object each would have to come from memory before its bytes.

    Args:
        most: Bytes that are kept, about.
        buffers: How many buffers these are; ``None``: as many as have ``BUFFER_BYTES`` each, within ``BUFFERS``.
    """

    def __init__(self, most: int, buffers: int | None = None) -> None:
        buffers = min(max(most // BUFFER_BYTES, BUFFERS[0]), BUFFERS[1]) if buffers is None else buffers
        self.most, self._size, self._lock = most, most // buffers, threading.Lock()
        self._buffers: list[bytes | bytearray] = [b""] * buffers  # the oldest one is the next that is begun anew
        self._numbers: list[list[I64]] = [[] for _ in range(buffers)]  # of the chunks that were put into each
        self._newest, self._end, self._begun, self._turn = -1, self._size, 0, 0
        self._behind = np.zeros(1, np.int64)  # by number, one more than the place; 0 of one that is not there

    def take(self, numbers: I64, lasting: int, read: Callable[[list[int]], list[bytes]],
             beside: Callable[[I64], I64 | None] | None = None) -> Chunks:
        """Where chunks are; those that are not known are read.

        Args:
            numbers: They ascend, and may repeat.
            lasting: So many of them, the first ones, are kept.
            read: Gets the numbers that are not known.
            beside: Names further ones to be read and kept with some that are kept; ``None`` where not all have room.
        """
        with self._lock:  # what another thread puts there later stands in other bytes, or in buffers of its own
            buffers, known = list(self._buffers), numbers[:lasting]
            known = known[:known.searchsorted(len(self._behind))]
            place = self._behind[known] - 1
        if len(place) < len(numbers):
            place = np.concatenate([place, np.full(len(numbers) - len(place), -1)])
        missing = (place < 0).nonzero()[0]
        if len(missing):
            asked = numbers[missing]
            new = begins_new(asked)
            own, kept = asked[new], int(new[:missing.searchsorted(lasting)].sum())
            more: I64 | None = NONE_BESIDE
            if beside is not None and self._begun > FEW_BUFFERS:
                more = beside(own[:kept])
            if more is not None and len(more):
                more = distinct_numbers(np.concatenate([own[:kept], more[self._is_new(more)]]))
                own, kept = np.concatenate([more, own[kept:]]), len(more)
            data = read(own.tolist())
            place[missing] = own.searchsorted(asked) + len(buffers) << BEGIN_BITS
            buffers += data
            with self._lock:
                self._turn += 1
                chosen = np.arange(kept)
                if more is None and self._begun > len(self._buffers):
                    chosen = ((own[:kept] + self._turn) % RARELY == 0).nonzero()[0]
                self._keep(own[chosen], [data[i] for i in chosen.tolist()])
        return buffers, place

    def resize(self, most: int) -> None:
        """Keep so many bytes at most from now on."""
        with self._lock:
            count = max(1, most // max(1, self._size))
            more = count - len(self._buffers)
            if not more:
                return
            for numbers in self._numbers[count:]:
                for some in numbers:
                    self._behind[some] = 0
            self.most, self._buffers = most, self._buffers[:count] + [b""] * more
            self._numbers = self._numbers[:count] + [[] for _ in range(more)]
            if self._newest >= count:
                self._newest, self._end = count - 1, self._size  # the next one begins anew with the first

    def _is_new(self, numbers: I64) -> npt.NDArray[np.bool_]:
        """Which chunks are not there."""
        behind = self._behind
        new: npt.NDArray[np.bool_] = behind[np.minimum(numbers, len(behind) - 1)] == 0
        return new | (numbers >= len(behind))

    def _keep(self, numbers: I64, data: list[bytes]) -> None:
        """Put chunks into the newest buffer, and where it is full into the next one; what is larger than one is not kept."""
        if not len(numbers) or max(map(len, data)) > self._size:
            return
        if int(numbers[-1]) >= len(self._behind):
            longer = np.zeros(2 * int(numbers[-1]) + 1, np.int64)
            longer[:len(self._behind)] = self._behind
            self._behind = longer
        begin = np.array([0, *map(len, data)], np.int64).cumsum()
        first = 0
        while first < len(numbers):
            room = int(begin[first]) + self._size - self._end
            end = min(int(begin.searchsorted(room, "right")) - 1, len(numbers))
            if end == first:
                self._begin_anew()
                continue
            buffer, size = self._buffers[self._newest], int(begin[end] - begin[first])
            assert isinstance(buffer, bytearray)
            buffer[self._end:self._end + size] = b"".join(data[first:end])
            self._behind[numbers[first:end]] = (begin[first:end] - begin[first] + self._end | self._newest << BEGIN_BITS) + 1
            self._numbers[self._newest].append(numbers[first:end])
            self._end += size
            first = end

    def _begin_anew(self) -> None:
        """The oldest buffer becomes the newest one: what was in it is forgotten."""
        self._newest, self._end, self._begun = (self._newest + 1) % len(self._buffers), 0, self._begun + 1
        for numbers in self._numbers[self._newest]:  # what another thread put into a newer buffer, too, is read again
            self._behind[numbers] = 0
        self._numbers[self._newest] = []
        self._buffers[self._newest] = bytearray(self._size)
