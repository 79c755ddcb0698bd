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

from dedup.copies import PARAGRAPH_HALVES, Copies

I64 = npt.NDArray[np.int64]

SECTION_WORDS, SECTION_BLOCKS = 40, 2  # what a second rendering has, at least
LEAD_BLOCKS = 2  # of a teaser: a headline and a paragraph
MOST = 0.5  # of the words of all copies of a stand, for it to say nothing of its own
MUCH = 0.25  # of the words of the shorter one of two places, for both to be of one copy

ALL_BUT_LABELS = 0.9  # of the words of a place, for it to be told already, where it reaches over what stands between copies


class Place(Struct, frozen=True):
    """Occurrences, in most cases one: their numbers, and the words of each block that their parts hold or touch."""

    rows: tuple[int, ...]
    blocks: dict[int, int]

    @property
    def words(self) -> int:
        """All of them, in half tokens."""
        return sum(self.blocks.values())

    @property
    def first(self) -> int:
        """The first block."""
        return min(self.blocks)

    @property
    def is_small(self) -> bool:
        """Whether it has neither the blocks nor the words of a section: a paragraph that changed places, a piece."""
        return len(self.blocks) < SECTION_BLOCKS or self.words < 2 * SECTION_WORDS

    def share_in(self, blocks: Iterable[int]) -> float:
        """Of its words, how many lie in some blocks."""
        shared = self.blocks.keys() & blocks
        return sum(map(self.blocks.__getitem__, shared)) / self.words if shared else 0.0

    def goes_with(self, other: Place) -> bool:
        """Whether two places have much of the shorter one: one lies in the other, or goes on behind it."""
        if self.blocks.keys().isdisjoint(other.blocks.keys()):  # as most are
            return False
        return max(self.share_in(other.blocks), other.share_in(self.blocks)) >= MUCH

    def holds_or_touches(self, block: int) -> bool:
        """Whether a block lies between the ends of the place, or is the next one."""
        return self.first - 1 <= block <= max(self.blocks) + 1

    def reaches_over(self, block: int) -> bool:
        """Whether a block lies between the ends of the place."""
        return self.first <= block <= max(self.blocks)

    def without(self, blocks: Container[int]) -> Place:
        """The place without some blocks."""
        return Place(self.rows, {block: words for block, words in self.blocks.items() if block not in blocks})

    def and_(self, other: Place) -> Place:
        """Both as one; one that lies in the other is left out."""
        less, more = sorted((self, other), key=lambda place: len(place.blocks))
        if less.share_in(more.blocks) == 1:
            return more
        return Place((*self.rows, *other.rows), {**self.blocks, **other.blocks})


Stands = dict[int, list[Place]]  # the places of each


class Rendering(Struct):
    """What is told as one.

    Attributes:
        stand: The stand that it is told of.
        places: Its copies, as far as any stand has them, and those that another one adds: a third one that has more in
            common with one of them.
        within: The stands that say no more, or add to the copies.
        rest: Of each of those that goes on where the copies end, as where a headline stands again, what is behind or before.
    """

    stand: int
    places: list[Place]
    within: list[int]
    rest: dict[int, Place]

    def is_shifted(self, copies: Iterable[Place]) -> bool:
        """Whether some place reaches from one copy into the next: of three articles the first two are the last two, too."""
        return any(sum(not place.blocks.keys().isdisjoint(copy.blocks.keys()) for copy in self.places) > 1
                   for place in copies)

    def holds(self, places: Sequence[Place], of_copy: Sequence[int | None]) -> bool:
        """Whether places that go with copies lie in them for the most part."""
        return all(n is None or place.share_in(self.places[n].blocks) > MOST
                   for n, place in zip(of_copy, places, strict=True))

    def opened_by(self, places: Sequence[Place]) -> list[int | None] | None:
        """``copies_of`` places of which each that goes with a copy is what that begins with; nothing where one is not."""
        of_copy = self.copies_of(places)
        if of_copy is None or None not in of_copy:
            return None
        opens = all(n is None or place.first == self.places[n].first for n, place in zip(of_copy, places, strict=True))
        return of_copy if opens else None

    def moved(self, places: Sequence[Place]) -> list[int]:
        """The copy in or beside which each place of one paragraph stands, which may have changed places with others; none
        where there is another place, or two of them with one copy."""
        if max(len(place.blocks) for place in places) > 1:
            return []
        found = [next((n for n, copy in enumerate(self.places) if copy.holds_or_touches(place.first)), -1)
                 for place in places]
        return found if -1 not in found and len(set(found)) == len(found) else []

    def takes(self, stand: int, copies: Sequence[Place], known: set[int]) -> bool:
        """Whether a stand says no more than this one, or adds to its copies; it is noted then.

        Args:
            known: The blocks of all renderings that have some of its blocks.
        """
        inside = [place.share_in(known) for place in copies]
        if (min(inside) > MOST and max(inside) == 1) or (max(inside) >= ALL_BUT_LABELS and self.is_shifted(copies)):
            self._go_on(stand, min(copies, key=lambda place: place.share_in(known)).without(known), max(inside) == 1)
        elif moved := self.moved(copies):
            for n, place in zip(moved, copies, strict=True):  # no part of either: what they have there is not alike
                self.places[n] = Place(self.places[n].rows, self.places[n].blocks | place.blocks)
        else:
            of_copy = self.copies_of(copies)
            if of_copy is None or any(share > 1 - MOST for n, share in zip(of_copy, inside, strict=True) if n is None):
                return False
            self._add(zip(of_copy, copies, strict=True))
        self.within.append(stand)
        return True

    def _go_on(self, stand: int, more: Place, is_exact: bool) -> None:
        """What a stand has beyond the copies: one that was cut, a headline or a teaser, or nothing but labels."""
        least = min(place.words for place in self.places)
        longer = sum(words >= PARAGRAPH_HALVES for words in more.blocks.values())
        if not more.is_small and longer > LEAD_BLOCKS and more.words >= MOST * least:
            self.places.append(more)
        elif more.words >= PARAGRAPH_HALVES or (more.blocks and is_exact):
            self.rest[stand] = more

    def _add(self, places: Iterable[tuple[int | None, Place]]) -> None:
        """Two of three copies have more in common than all three; what goes with none is another copy."""
        for n, place in places:
            own = place.without({block for m, copy in enumerate(self.places) if m != n for block in copy.blocks})
            if n is None:
                self.places.append(own)
            else:
                self.places[n] = self.places[n].and_(own)

    def copies_of(self, places: Sequence[Place]) -> list[int | None] | None:
        """The copy with which each place goes, ``None`` for that of another one; nothing at all where none goes with any, or
        two places with one copy."""
        found = [[n for n, copy in enumerate(self.places) if place.goes_with(copy)] for place in places]
        numbers = [n for some in found for n in some]
        if not numbers or len(set(numbers)) < len(numbers) or max(map(len, found)) > 1:
            return None
        return [some[0] if some else None for some in found]


def joined(stands: Stands, pieces: Sequence[list[int]]) -> tuple[Stands, dict[int, list[int]]]:
    """Stands, those that are pieces of one as the longest of them; and the others of each of these.

    Args:
        pieces: Stands of two places, several of each section.
    """
    stands, others = dict(stands), dict[int, list[int]]()
    for some in pieces:
        longest = max(some, key=lambda s: (stands[s][0].words, -s))
        some = sorted(some, key=lambda s: stands[s][0].first)
        whole = [Place(tuple(row for place in places for row in place.rows),
                       {block: words for place in places for block, words in place.blocks.items()})
                 for places in zip(*(stands.pop(s) for s in some), strict=True)]
        stands[longest], others[longest] = whole, [s for s in some if s != longest]
    return stands, others


def renderings(stands: Stands, pieces: Sequence[list[int]] = ()) -> list[Rendering]:
    """The second renderings of a page, each told once: those of most copies take others in, then those that stand first.

    Pieces of them come behind, and last what stands shifted, when all copies are known.

    Args:
        stands: The places of each.
        pieces: Those that are told as one in any case.
    """
    stands, others = joined(stands, pieces)
    told: list[Rendering] = []
    holding: dict[int, list[Rendering]] = defaultdict(list)  # each block
    shifted: list[int] = []

    def tell(stand: int, is_last: bool) -> None:
        blocks = {block for place in stands[stand] for block in place.blocks}
        touched = sorted({block + side for block in blocks for side in (-1, 0, 1)})
        near = {rendering.stand: rendering for block in touched for rendering in holding[block]}
        if not is_last and any(rendering.is_shifted(stands[stand]) for rendering in near.values()):
            shifted.append(stand)
            return
        known = {block for rendering in near.values() for place in rendering.places for block in place.blocks}
        taken = next((rendering for rendering in near.values() if rendering.takes(stand, stands[stand], known)), None)
        if taken is None:
            taken = Rendering(stand, list(stands[stand]), [], {})
            told.append(taken)
        taken.within += others.get(stand, ())
        for block in blocks:
            if taken not in holding[block] and any(block in place.blocks for place in taken.places):
                holding[block].append(taken)
    for stand in sorted(stands, key=lambda s: (stands[s][0].is_small, -len(stands[s]), s)):
        tell(stand, False)
    for stand in shifted:
        tell(stand, True)
    return sorted(told, key=lambda rendering: rendering.stand)


def places_of(c: Copies, halves: I64, rows: range) -> list[Place]:
    """Occurrences as places.

    Args:
        c: Figures of all copies.
        halves: Length of each block of the collection.
    """
    def place(row: int) -> Place:
        begin, end = int(c.first_block[row]), int(c.last_block[row]) + 1
        words = halves[begin:end]
        for first, last in c.gaps_of(row):
            words = words.copy()
            words[first - begin:last - begin] = 0
        return Place((row,), {begin + i: count for i, count in enumerate(words.tolist()) if count})
    return [place(row) for row in rows]


def renderings_of(c: Copies, halves: I64, first: I64, stands: I64, section: I64) -> list[Rendering]:
    """The renderings of stands of one page.

    Args:
        first: First copy of each stand, one longer than the stands.
        stands: Those that are second renderings.
        section: Of each stand, a number that is the same for pieces of one section.
    """
    pieces: dict[int, list[int]] = defaultdict(list)
    for s, number in zip(stands.tolist(), section[stands].tolist(), strict=True):
        pieces[number].append(s)
    places = {s: places_of(c, halves, range(int(first[s]), int(first[s + 1]))) for s in stands.tolist()}
    return renderings(places, [some for some in pieces.values() if len(some) > 1])
