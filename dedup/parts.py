"""Ranges of tokens or bytes that belong to somebody, as columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import sums
from dedup.kernel import kernel

I64 = npt.NDArray[np.int64]


class Parts(Struct, frozen=True):
    """Ranges of tokens or bytes, each of which belongs to an owner; none of the numbers is negative."""

    owner: I64
    start: I64
    end: I64

    def apart(self) -> Parts:
        """What the ranges of each owner hold, as ranges apart from each other; ascending."""
        return Parts(*kernel.ranges_apart(self.owner, self.start, self.end))

    def tokens(self, count: int) -> I64:
        """How many tokens the ranges of each owner hold."""
        held: I64 = np.bincount(self.owner, self.end - self.start, count).astype(np.int64)
        return held

    def by_owner(self, owners: I64) -> tuple[I64, I64, I64]:
        """First range of each owner, one longer than the owners; starts; ends."""
        place = np.empty(len(owners), np.int64)
        place[owners] = np.arange(len(owners))
        order = np.lexsort((self.start, place[self.owner]))
        return sums(np.bincount(self.owner, minlength=len(owners))[owners]), self.start[order], self.end[order]
