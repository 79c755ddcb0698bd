"""Tables of two bits a slot: which keys of a collection stand twice or more, told before any of them is stored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dedup.engines.local import LocalEngine
from dedup.kernel import kernel

U64 = npt.NDArray[np.uint64]

MOST_TABLES = 4  # of one collection
TOGETHER = 1 << 17  # words of tables that are put together at a time


class Marks:
    """Tables in which the threads of an engine mark keys: where threads are few and memory is not bounded, one for each.

    What a thread marks alone needs no atomic operations, which take longer than all else. What is seen twice is the same.

    Args:
        words: Of one table, a power of two; 32 slots each.
    """

    def __init__(self, engine: LocalEngine, words: int) -> None:
        self.words = words
        self._shared = engine.is_bounded or engine.threads > MOST_TABLES
        self._free: list[U64] = [np.zeros(words, np.uint64)]

    def mark(self, keys: Callable[[U64, bool], None]) -> None:
        """Mark some keys: `keys` gets a table, and whether others may mark in it at the same time."""
        if self._shared:
            keys(self._free[0], True)
            return
        try:
            table = self._free.pop()
        except IndexError:  # the other threads have them
            table = np.zeros(self.words, np.uint64)
        keys(table, False)
        self._free.append(table)

    def seen_twice(self) -> U64:
        """The slots that were seen twice, one bit each; the tables are cleared.

        They are half as long as a table, and lie where the first one began until the others are gone.
        """
        twice = self._free[0][:self.words // 2]
        for at in range(0, self.words, TOGETHER):
            end = min(at + TOGETHER, self.words)
            twice[at // 2:end // 2] = kernel.slots_seen_twice([table[at:end] for table in self._free])
        self._free.clear()
        return twice.copy()
