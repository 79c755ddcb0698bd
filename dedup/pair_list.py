"""Verified links as pairs that people read: measured in batches, made when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.lazy import Lazy
from dedup.model import Group, Occurrence, Pair
from dedup.occurrences import Measured, Places
from dedup.verify import Spans, indel_similarity, long_spans, similarity_of_bytes, span_bytes, span_overlaps, span_texts

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

BATCH_PAIRS, BATCH_BYTES = 1024, 1_000_000  # pairs measured together, at most, and how much text of one side beyond one pair


class LinkMeasures(Struct, frozen=True):
    """How alike the two sides of links are, one row a link; 0.0 to 1.0.

    Attributes:
        exact: The normalised texts are equal, and the link says so.
        jaccard, containment_a, containment_b: Of the shingle sets.
        indel: Of the normalised texts.
    """

    exact: Flags
    jaccard: F64
    containment_a: F64
    containment_b: F64
    indel: F64


def measure_links(corpus: Corpus, a: Spans, b: Spans, exact: U8, size: int) -> LinkMeasures:
    """All measures of links.

    Args:
        a, b: Both sides of each link.
        exact: Whether each link is one of equal texts, as far as hashes tell: the texts decide.
        size: Tokens in a shingle.
    """
    equal, indel = np.ones(len(exact), bool), np.ones(len(exact))
    long = long_spans(a) | long_spans(b)
    short = np.flatnonzero(~long)
    texts = zip(span_texts(corpus, a.take(short)), span_texts(corpus, b.take(short)), strict=True)
    for row, (x, y) in zip(short.tolist(), texts, strict=True):
        equal[row] = exact[row] and x == y
        indel[row] = 1.0 if equal[row] else indel_similarity(x, y)
    for row in np.flatnonzero(long).tolist():
        indel[row] = similarity_of_bytes(span_bytes(corpus, a, row), span_bytes(corpus, b, row))
        equal[row] = exact[row] and indel[row] == 1.0
    rows = np.flatnonzero(~equal)
    shares = np.ones((4, len(equal)))
    if len(rows):
        overlap, n, m = span_overlaps(LocalEngine(1), corpus, a.take(rows), b.take(rows), size)
        n, m = np.maximum(n, 1), np.maximum(m, 1)
        shares[:, rows] = overlap / (n + m - overlap), overlap / n, overlap / m, indel[rows]
    return LinkMeasures(equal, *shares)


class LinkTable(Struct, frozen=True, dict=True):
    """Verified links as columns, one row a link.

    Attributes:
        a, b: Places of the two sides.
        said_exact: Whether each link is one of equal texts, as far as hashes tell.
        bags: Dice and evidence of each link, NaN of those that were not aligned.
        size: Tokens in a shingle.
        by_jaccard: What people read as similarity is the jaccard (whole pages), not Indel.
    """

    corpus: Corpus
    a: Places
    b: Places
    said_exact: U8
    bags: tuple[F64, F64]
    size: int
    by_jaccard: bool

    def measures(self, rows: I64) -> LinkMeasures:
        """How alike the sides of some links are."""
        return measure_links(self.corpus, self.a.parts.take(rows), self.b.parts.take(rows), self.said_exact[rows], self.size)

    def similarity(self, measures: LinkMeasures) -> F64:
        """What people read as similarity."""
        return measures.jaccard if self.by_jaccard else measures.indel

    @cached_property
    def likeness(self) -> tuple[F64, Flags]:
        """Similarity of all links, and whether they are exact."""
        found = [self.measures(rows) for rows in self.batches(np.arange(len(self.said_exact)))]
        return (np.concatenate([np.empty(0), *map(self.similarity, found)]),
                np.concatenate([np.empty(0, bool), *(measures.exact for measures in found)]))

    @cached_property
    def chars(self) -> I64:
        """Code points of the longer side of each link, from its start to its end."""
        sides = [place.all_chars for place in (self.a, self.b)]
        longer: I64 = np.maximum(*(end - start for start, end in sides))
        return longer

    def batches(self, rows: I64) -> Iterator[I64]:
        """The rows in batches of little text; the first ones are small, for whoever asks only for a few pairs."""
        at, count = 0, 8
        while at < len(rows):
            batch = rows[at:at + count]
            start, end = self.a.bytes_of(batch)
            batch = batch[:max(1, int(np.searchsorted(np.cumsum(end - start), BATCH_BYTES)))]
            yield batch
            at, count = at + len(batch), min(2 * count, BATCH_PAIRS)

    def pairs(self, rows: I64) -> Iterator[Pair]:
        """Some links as people read them."""
        m = self.measures(rows)
        bags = [np.where(m.exact, np.nan, column[rows]) for column in self.bags]
        sides = []
        for place, contained in ((self.a, m.containment_a), (self.b, m.containment_b)):
            measured = Measured(self.similarity(m), m.jaccard, contained, m.indel, *bags)
            sides.append(place.occurrences(place.columns(rows, np.ones_like(rows)), measured))
        for a, b, exact in zip(*sides, m.exact.tolist(), strict=True):
            yield Pair(a, b, "exact" if exact else "near", a.similarity, a.jaccard, a.containment, b.containment,
                       a.indel_similarity, a.dice, a.evidence)


class PairList(Lazy[Pair]):
    """Verified links of one scan as a sequence of pairs.

    Args:
        table: Makes the columns of all links.
        rows: The links that are in the list; ``None`` for all.
    """

    def __init__(self, table: Callable[[], LinkTable], rows: I64 | None = None) -> None:
        # Not `self` in what makes the items: a list that held itself would keep all texts until the garbage is collected.
        self._table = known = cache(table)
        self._rows = chosen = cache(lambda: np.arange(len(known().said_exact)) if rows is None else rows)
        super().__init__(lambda: len(chosen()), lambda i: next(known().pairs(chosen()[i:i + 1])))

    @property
    def table(self) -> LinkTable:
        """The columns of all links."""
        return self._table()

    @property
    def rows(self) -> I64:
        """The links that are in the list."""
        return self._rows()

    def __iter__(self) -> Iterator[Pair]:
        for batch in self.table.batches(self.rows):
            yield from self.table.pairs(batch)

    def take(self, kept: I64) -> PairList:
        """A list of some of its items, measured when they are asked for."""
        return PairList(lambda: self.table, self.rows[kept])


def likeness(pairs: Sequence[Pair]) -> tuple[F64, Flags]:
    """Similarity of pairs, and whether they are exact; no pair is made for it."""
    if isinstance(pairs, PairList):
        similarity, exact = pairs.table.likeness
        return similarity[pairs.rows], exact[pairs.rows]
    made = list(pairs)
    return np.array([pair.similarity for pair in made], np.float64), np.array([pair.kind == "exact" for pair in made], bool)


def edited_between(pairs: Sequence[Pair]) -> Flags:
    """Of the pairs between two pages, whether each is one of edited text; no pair is made for it."""
    if isinstance(pairs, PairList):
        table, rows = pairs.table, pairs.rows
        edited: Flags = table.said_exact[rows[table.a.page[rows] != table.b.page[rows]]] == 0
        return edited
    return np.array([pair.kind != "exact" for pair in pairs if pair.a.page != pair.b.page], bool)


def least_alike(pairs: Sequence[Pair], count: int) -> list[Pair]:
    """The `count` pairs with the least similarity, the least first, equal ones as they come; none of equal texts."""
    similarity, exact = likeness(pairs)
    rows = np.flatnonzero(~exact)
    return list(_chosen(pairs, rows[np.argsort(similarity[rows], kind="stable")[:count]]))


def those_at(pairs: Sequence[Pair], least: float) -> Sequence[Pair]:
    """The pairs at or above a similarity."""
    return _chosen(pairs, np.flatnonzero(likeness(pairs)[0] >= least))


def those_of(pairs: Sequence[Pair], groups: Iterable[Group]) -> Sequence[Pair]:
    """The pairs that have a side in a place of some groups."""
    places: dict[str, tuple[list[int], list[int]]] = {}
    for group in groups:
        for occurrence in group.occurrences:
            starts, ends = places.setdefault(occurrence.page, ([], []))
            starts.append(occurrence.start)
            ends.append(occurrence.end)
    edges = {page: (np.sort(starts), np.sort(ends)) for page, (starts, ends) in places.items()}

    def touches(side: Occurrence) -> bool:
        starts, ends = edges.get(side.page, (np.empty(0), np.empty(0)))
        return bool(np.searchsorted(starts, side.end, side="left") > np.searchsorted(ends, side.start, side="right"))
    return _chosen(pairs, np.array([n for n, pair in enumerate(pairs) if touches(pair.a) or touches(pair.b)], np.int64))


def _chosen(pairs: Sequence[Pair], rows: I64) -> Sequence[Pair]:
    return pairs.take(rows) if isinstance(pairs, PairList) else [pairs[row] for row in rows.tolist()]
