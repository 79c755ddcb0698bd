"""Aligned passages of text that stands in many places, where not all pairs of pages count.

Of an exact run in many places only a few are aligned with others. Where all pairs count, its other places are in the same
group by their equal text; where they do not, each gets the passage of one that is aligned, with a page that it may pair with.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from dedup.align import Gates
from dedup.aligned import Aligned
from dedup.bags import Bags
from dedup.columns import owners
from dedup.corpus import Corpus
from dedup.kernel import kernel
from dedup.one_list import COVERS, overlaps
from dedup.page_pairs import PagePairs
from dedup.places import page_of
from dedup.runs import Links
from dedup.seeds import PlacesInOrder, Repeats

I64 = npt.NDArray[np.int64]

ZONE = 32  # tokens of a run in which each of its places gets one passage


def along_copies(corpus: Corpus, bags: Bags, repeats: Repeats, pairs: PagePairs, aligned: Aligned, gates: Gates) -> Aligned:
    """The aligned passages, and those of further places of exact runs that hold one side of them.

    Args:
        repeats: Exact repeats; the segments of many places count.
        pairs: Which pairs of pages count.
    """
    old = aligned.links
    if pairs.every or not len(repeats.position) or not len(aligned.dice):
        return aligned
    found = [_moved(corpus, repeats, pairs, *sides) for sides in ((*old.ranges,), (old.b0, old.b1, old.a0, old.a1))]
    x0, x1, y0, y1 = (np.concatenate(column) for column in zip(*found, strict=True))
    swapped = x0 > y0
    a0, a1, b0, b1 = (np.where(swapped, one, other) for one, other in ((y0, x0), (y1, x1), (x0, y0), (x1, y1)))
    new = Links(a0, a1, b0, b1, np.zeros(len(a0), np.uint8)).take(a1 <= b0)
    new = new.take(np.lexsort((new.b1, new.b0, new.a1, new.a0)))
    known = np.zeros(len(new.a0), bool)
    known[overlaps(corpus, new, old)[0]] = True
    new = new.take(~known)
    row, other, _, _ = overlaps(corpus, new, new)
    first = np.ones(len(new.a0), bool)
    first[row[other < row]] = False
    new = new.take(first)
    dice, evidence = bags.measure(corpus, new)
    good = (dice >= gates.min_dice) & (evidence >= gates.min_evidence)
    new, dice, evidence = new.take(good), dice[good], evidence[good]
    both = [np.concatenate([getattr(old, name), getattr(new, name)]) for name in ("a0", "a1", "b0", "b1", "exact")]
    together = replace(aligned, links=Links(*both), dice=np.concatenate([aligned.dice, dice]),
                       evidence=np.concatenate([aligned.evidence, evidence]))
    return together.take(np.lexsort((both[3], both[2], both[1], both[0])))


def _moved(corpus: Corpus, repeats: Repeats, pairs: PagePairs, x0: I64, x1: I64, y0: I64,
           y1: I64) -> tuple[I64, I64, I64, I64]:
    """Passages whose side x lies in a place of a segment, from there to all places of it, each once in a zone."""
    owner, place, begin, end = PlacesInOrder(repeats).over(x0, x1)
    inside = end - begin >= COVERS * (x1 - x0)[owner]
    owner, place, begin, end = owner[inside], place[inside], begin[inside], end[inside]
    start, stop = begin - repeats.position[place], end - repeats.position[place]
    segment = repeats.segment[place]
    zones = int(repeats.lengths.max(initial=0)) // ZONE + 1
    key, number = np.unique(segment * zones + (start + stop) // 2 // ZONE, return_inverse=True)
    copies, first = kernel.take_ranges(repeats.first, key // zones)
    asking = owners(first)
    partner = pairs.partners(asking, page_of(corpus, repeats.position[copies]), number, page_of(corpus, y0[owner]))
    copies, row = copies[partner >= 0], partner[partner >= 0]
    at, of = repeats.position[copies], owner[row]
    return at + start[row], at + stop[row], y0[of], y1[of]
