"""Stage 6: pages that near links say all about: families around one page, such as the pages of one template.

A crowded bucket compares its members with a representative only, so two pages of one template have no link of their own. But
both are so close to the representative that they are close to each other; a search for edited passages between each two
of them would say again what their group says, at a price that grows with the square of the pages.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.lsh import ALL_PAIRS
from dedup.places import page_of
from dedup.runs import Links
from dedup.seeds import Repeats, pages_at
from dedup.verify import Spans, span_sets

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CLOSE = 0.75  # Jaccard similarity of a member and the page in the middle, at least; so two members reach 0.5
NO_FAMILIES = np.empty(0, np.int64)
BATCH = 4096  # pages measured at a time


class Families(Struct, frozen=True):
    """Pages that are close to one page in the middle.

    Attributes:
        of_page: The page in the middle of each page's family, shape ``(pages,)``; -1 for a page that is in none. Empty where
            there are no families.
    """

    of_page: I64

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return len(self.of_page) > 0

    def apart(self, page_a: I64, page_b: I64) -> Flags:
        """Whether two pages are of different families, of none, or one page."""
        if not len(self.of_page):
            return np.ones(len(page_a), bool)
        family = self.of_page[page_a]
        apart: Flags = (family < 0) | (family != self.of_page[page_b]) | (page_a == page_b)
        return apart

    def closed(self, repeats: Repeats, page_first: I64) -> Flags:
        """Pages of which all exact matches are with pages of their own family."""
        if not len(self.of_page):
            return np.zeros(len(page_first) - 1, bool)
        closed = self.of_page >= 0
        a, b = pages_at(page_first, repeats.a), pages_at(page_first, repeats.b)
        for page in (a, b):
            closed[page[self.of_page[a] != self.of_page[b]]] = False
        return closed

    def without_said(self, position: U32, first: I64, page_first: I64, closed: Flags) -> tuple[U32, I64]:
        """Places of seeds without the seeds that stand on closed pages of one family only, once on each.

        Args:
            position, first: Places, ascending for each seed, and where those of each one begin.
            closed: Of ``closed``: what a seed says of a page that is not is carried to others.
        """
        if not closed.any() or not len(position):
            return position, first
        page, begins = pages_at(page_first, position), first[:-1]
        leader = np.repeat(page[begins], widths(first))
        other = ~closed[page] | self.apart(leader, page)
        other[1:] |= page[1:] == page[:-1]
        other[begins] = ~closed[page[begins]]
        kept = np.logical_or.reduceat(other, begins)
        counts = widths(first)
        return position[np.repeat(kept, counts)], sums(counts[kept])


def page_families(engine: LocalEngine, corpus: Corpus, links: Links, size: int) -> Families:
    """The families that links between whole pages make: around the pages that have ``ALL_PAIRS`` of them.

    A page belongs to the one that has the most links of those it is linked to, the first of several, if it is close to it.

    Args:
        links: Verified passages; those that are not all of two pages do not count.
        size: Tokens of a shingle.
    """
    if len(links.a0) < ALL_PAIRS:  # no page has so many
        return Families(NO_FAMILIES)
    count = len(corpus.pages)
    page_first = corpus.token_first[corpus.page_first]
    a, b = page_of(corpus, links.a0), page_of(corpus, links.b0)
    whole = np.flatnonzero((links.a0 == page_first[a]) & (links.a1 == page_first[a + 1]) & (links.b0 == page_first[b])
                           & (links.b1 == page_first[b + 1]))
    a, b = np.concatenate([a[whole], b[whole]]), np.concatenate([b[whole], a[whole]])
    degree = np.bincount(a, minlength=count)
    crowded = degree[b] >= ALL_PAIRS
    if not crowded.any():
        return Families(NO_FAMILIES)
    family = np.full(count, -1, np.int64)
    a, b = a[crowded], b[crowded]
    order = np.lexsort((b, -degree[b], a))
    page, row = np.unique(a[order], return_index=True)
    middle = b[order][row]
    close = _jaccard(engine, corpus, page, middle, size) >= CLOSE
    family[page[close]] = middle[close]
    hubs = distinct_numbers(middle[close])
    family[hubs] = hubs
    return Families(family)


def _jaccard(engine: LocalEngine, corpus: Corpus, a: I64, b: I64, size: int) -> F64:
    """Jaccard similarity of pairs of pages."""
    texts = Spans(corpus.start, corpus.end, corpus.page_first)

    def measure(rows: slice) -> F64:
        involved, number = np.unique(np.concatenate([a[rows], b[rows]]), return_inverse=True)
        sets = span_sets(LocalEngine(1), corpus, texts.take(involved), size)
        return sets.jaccard(number[:len(number) // 2], number[len(number) // 2:])
    return np.concatenate(engine.map(measure, [slice(at, at + BATCH) for at in range(0, len(a), BATCH)]))
