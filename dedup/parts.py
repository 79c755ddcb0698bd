"""Ranges of tokens or bytes that belong to somebody, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.blocks import in_order, sums

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parts:
    """Ranges of tokens or bytes, each of which belongs to an owner; none of the numbers is negative."""

    owner: I64
    start: I64
    end: I64

    def apart(self) -> Parts:
        """What the ranges of each owner hold, as ranges apart from each other; ascending."""
        if self._are_apart():
            return self
        order = in_order(self.start)  # owners often ascend with places
        if (self.owner[order[1:]] < self.owner[order[:-1]]).any():
            order = order[in_order(self.owner[order])]
        owner, start, end = self.owner[order], self.start[order], self.end[order]
        shift = owner * (int(end.max(initial=0)) + 1)  # owners apart from each other
        start = np.maximum(start, np.append(0, np.maximum.accumulate(end + shift))[:-1] - shift)
        kept = end > start
        return Parts(owner[kept], start[kept], end[kept])

    def _are_apart(self) -> bool:
        """Whether they are ranges apart from each other already, ascending, and none is empty."""
        before, after = self.owner[:-1], self.owner[1:]
        apart = (after > before) | ((after == before) & (self.start[1:] >= self.end[:-1]))
        return bool(apart.all() and (self.end > self.start).all())

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
