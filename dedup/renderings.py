"""Second renderings of one page that are told as one: three copies make up to four groups of two that say the same.

A *rendering* is what one sentence tells: its places, and the stands that say no more. Of three copies of which one lacks a
paragraph, the first stands again in the second and in the third, and the end of the first with the beginning of the second
in the two behind. Where a headline stands again behind two copies, all between it and the second headline does so as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.copies import Copies

I64 = npt.NDArray[np.int64]

MOST = 0.5  # of the words of all copies of a stand, for it to say nothing of its own
SAME = 2 / 3  # of the words of two copies, for both to be the same one


class Place(Struct, frozen=True):
    """An occurrence: its number, and the words of each block with words that it holds or touches."""

    row: int
    blocks: dict[int, int]

    @property
    def words(self) -> int:
        """All of them, in half tokens."""
        return sum(self.blocks.values())

    def share_in(self, blocks: Container[int]) -> float:
        """Of its words, how many lie in some blocks."""
        return sum(words for block, words in self.blocks.items() if block in blocks) / max(self.words, 1)

    def is_copy_of(self, other: Place) -> bool:
        """Whether two places are the same one, but for a third of either at most."""
        return self.share_in(other.blocks) >= SAME and other.share_in(self.blocks) >= SAME


class Rendering(Struct):
    """What is told as one.

    Attributes:
        stand: The stand that it is told of.
        places: Its copies, as far as any stand has them, and those that another one adds: a third one that has more in
            common with one of them.
        blocks: All blocks of these.
        within: The stands that say no more, or add to the copies.
        rest: Of each of those that goes on where the copies end, as where a headline stands again, the place and the blocks.
    """

    stand: int
    places: list[Place]
    blocks: set[int]
    within: list[int]
    rest: dict[int, tuple[int, list[int]]]

    def takes(self, stand: int, copies: Sequence[Place], known: set[int]) -> bool:
        """Whether a stand says no more than this one, or adds to its copies; it is noted then.

        Args:
            known: The blocks of all renderings that have some of its blocks.
        """
        inside = [place.share_in(known) for place in copies]
        same = [next((n for n, other in enumerate(self.places) if place.is_copy_of(other)), None) for place in copies]
        if min(inside) > MOST and max(inside) == 1:
            longest = min(zip(inside, copies, strict=True), key=lambda each: each[0])[1]
            if more := [block for block in longest.blocks if block not in known]:
                self.rest[stand] = longest.row, more
        elif None not in same:
            self._widen(zip(same, copies, strict=True))
        elif min(inside) <= 1 - MOST and same.count(None) < len(same):
            self._add(place for place, share in zip(copies, inside, strict=True) if share <= 1 - MOST)
        else:
            return False
        self.within.append(stand)
        return True

    def _widen(self, wider: Iterable[tuple[int | None, Place]]) -> None:
        """Two of three copies have more in common than all three."""
        for n, place in wider:
            if n is not None and self.places[n].share_in(place.blocks) == 1:
                self.places[n] = place
                self.blocks.update(place.blocks)

    def _add(self, places: Iterable[Place]) -> None:
        for place in places:
            self.places.append(place)
            self.blocks.update(place.blocks)


def renderings(stands: dict[int, list[Place]]) -> list[Rendering]:
    """The second renderings of a page, each told once: those of most copies take others in, then those that stand first."""
    told: list[Rendering] = []
    holding: dict[int, list[Rendering]] = defaultdict(list)  # each block
    for stand in sorted(stands, key=lambda s: (-len(stands[s]), s)):
        blocks = {block for place in stands[stand] for block in place.blocks}
        near = {rendering.stand: rendering for block in sorted(blocks) for rendering in holding[block]}
        known = {block for rendering in near.values() for block in rendering.blocks}
        taken = next((rendering for rendering in near.values() if rendering.takes(stand, stands[stand], known)), None)
        if taken is None:
            taken = Rendering(stand, list(stands[stand]), set(blocks), [], {})
            told.append(taken)
        for block in blocks & taken.blocks:
            if taken not in holding[block]:
                holding[block].append(taken)
    return sorted(told, key=lambda rendering: rendering.stand)


def renderings_of(c: Copies, halves: I64, first: I64, stands: I64) -> list[Rendering]:
    """The same of stands of one page.

    Args:
        c: Figures of all copies.
        halves: Length of each block of the collection.
        first: First copy of each stand, one longer than the stands.
        stands: Those that are second renderings.
    """
    def place(row: int) -> Place:
        begin, end = int(c.first_block[row]), int(c.last_block[row]) + 1
        return Place(row, {begin + i: words for i, words in enumerate(halves[begin:end].tolist()) if words})
    return renderings({s: [place(row) for row in range(int(first[s]), int(first[s + 1]))] for s in stands.tolist()})
