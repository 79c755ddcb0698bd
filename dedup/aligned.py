"""Passages of edited and reworded text that were aligned, as columns."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from dedup.runs import Links

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Aligned(Struct, frozen=True, dict=True):
    """Verified passages of edited text.

    Attributes:
        links: Their token ranges.
        dice: Weighted Dice coefficient of the two bags of words, 0.0 to 1.0.
        evidence: Shared weight beyond what chance gives, in rare words.
        truncated: Bounds that were met: keys of too many places, pairs of pages with too many anchors.
    """

    links: Links
    dice: F64
    evidence: F64
    truncated: int = 0

    def take(self, rows: Flags | I64) -> Aligned:
        """Some of the rows."""
        return replace(self, links=self.links.take(rows), dice=self.dice[rows], evidence=self.evidence[rows])

    @cached_property
    def _by_key(self) -> tuple[I64, npt.NDArray[np.uint64]]:
        key = self.links.keys("ab")
        order = np.argsort(key)
        return order, key[order]

    def measures(self, links: Links) -> tuple[F64, F64]:
        """Dice and evidence of links, NaN of those that are none of these passages."""
        dice, evidence = np.full((2, len(links.a0)), np.nan)
        if len(self.dice):
            order, key = self._by_key
            asked = links.keys("ab")
            row = np.minimum(np.searchsorted(key, asked), len(order) - 1)
            at, known = order[row], key[row] == asked
            dice[known], evidence[known] = self.dice[at[known]], self.evidence[at[known]]
        return dice, evidence


NO_TOKENS = np.empty(0, np.int64)
NOTHING = Aligned(Links(NO_TOKENS, NO_TOKENS, NO_TOKENS, NO_TOKENS, np.empty(0, np.uint8)), np.empty(0), np.empty(0))
