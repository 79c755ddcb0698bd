"""Which stretches of each place are matched, in step with those of the other members of its component."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, owners, rows_of, sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.filed import column_of_large
from dedup.kernel import kernel
from dedup.places import Ranges, TokenRanges, locate, row_ranges
from dedup.runs import Passages
from dedup.verify import Spans

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class LeftOut(Struct, frozen=True):
    """Blocks inside places that none of their parts holds; those of a place ascend, and so do places.

    Attributes:
        place: Row of the place.
        t0, t1: Their tokens.
        first_block, end_block: The first of the blocks, and the one behind the last.
    """

    place: I64
    t0: I64
    t1: I64
    first_block: I64
    end_block: I64

    def total(self, before: I64, places: int) -> I64:
        """Of each of so many places, what it leaves out of something; `before` is the sum of what precedes each block."""
        total = np.zeros(places, np.int64)
        np.add.at(total, self.place, before[self.end_block] - before[self.first_block])
        return total

    def halves(self, corpus: Corpus, places: int) -> I64:
        """Of each of so many places, half tokens that it leaves out."""
        return self.total(corpus.halves_before, places)


def left_out(corpus: Corpus, spans: Spans) -> LeftOut:
    """What places leave out: runs go over whole blocks, an edit is a part of theirs."""
    several = rows_of(widths(spans.first) > 1)
    if not len(several):
        return LeftOut(several, several, several, several, several)
    part, first = kernel.take_ranges(spans.first, several)
    followed = np.ones(len(part), bool)
    followed[first[1:] - 1] = False
    before = rows_of(followed)
    first_block = np.searchsorted(corpus.start, spans.part_end[part[before]] - 1, side="right")
    end_block = np.searchsorted(corpus.start, spans.part_start[part[before] + 1], side="right") - 1
    kept = rows_of(first_block < end_block)
    first_block, end_block = first_block[kept], end_block[kept]
    t0, t1 = corpus.token_first[first_block], corpus.token_first[end_block]
    place = several[owners(first)[before[kept]]]
    some = t0 < t1
    return LeftOut(place[some], t0[some], t1[some], first_block[some], end_block[some])


def matched_parts(engine: LocalEngine, corpus: Corpus, passages: Passages, node: I64, leader: I64, component: I64,
                  ranges: Ranges) -> Spans:
    """The matched stretches of each node, in step; the whole of it where those of the members of a component are not.

    They are where all members match as many tokens, or have as many stretches. In the first case each is cut where any
    other one is: one copy has a teaser inside, another one an advertisement.

    Args:
        node: Of the a of each passage, then of the b of each.
        leader: As in ``Nodes``.
        component: Of each node, by the number of one of its nodes.
        ranges: Of each node.
    """
    sides = rows_of(np.tile(widths(passages.first) > 1, 2))
    several = distinct_numbers(node[sides][leader[node[sides]] == sides])
    if not len(several):
        return _wholes(ranges)
    numbers, least = np.unique(component[several], return_index=True)
    asked = np.zeros(len(component), bool)
    asked[numbers] = True
    rows = rows_of(asked[component])
    # the first one of several stretches in its component
    first_row = np.searchsorted(rows, several[least][np.searchsorted(numbers, component[rows])])
    pieces = pieces_of(passages, leader[rows], ranges.t0[rows], ranges.t1[rows])
    number, matched = widths(pieces.first), pieces.tokens
    as_long = _all_in(first_row, matched == matched[first_row])
    alike = as_long | _all_in(first_row, (number > 1) & (number == number[first_row]))
    rows, pieces = rows[alike], pieces.take(alike).cut(first_row[alike], as_long[alike])
    counts = np.ones(len(leader), np.int64)
    counts[rows] = widths(pieces.first)
    first, inner = sums(counts), locate(engine, corpus, pieces.t0, pieces.t1)
    to, later = kernel.take_ranges(first, rows)[0], np.ones(len(pieces.t0), bool)
    later[pieces.first[:-1]] = False
    begins = np.ones(int(first[-1]), bool)  # the first part of each place; few have another one
    begins[to[later]] = False
    names = "start", "end", "start_char", "end_char"
    columns = [column_of_large(len(begins), np.int64, len(corpus.text)) for _ in names]

    def fill(some: slice) -> None:
        at, end = int(first[some.start]), int(first[min(some.stop, len(leader))])
        own, inside = begins[at:end], slice(*np.searchsorted(to, (at, end)))
        for name, column in zip(names, columns, strict=True):
            values = np.empty(end - at, np.int64)
            values[own] = getattr(ranges, name)[some]
            values[to[inside] - at] = getattr(inner, name)[inside]
            column.write(at, values)
    engine.map(fill, row_ranges(len(leader)))
    part_start, part_end, *chars = (column.values for column in columns)
    return Spans(part_start, part_end, first, (chars[0], chars[1]))


def in_step(engine: LocalEngine, corpus: Corpus, ranges: TokenRanges, gaps: LeftOut, rows: I64,
            others: I64) -> tuple[Spans, Flags]:
    """Places beside others of another component: the parts of the rows, then those of the others, cut where either one is.

    Returns:
        The parts, and of each pair whether both match as many tokens; else they are not cut.
    """
    both = np.concatenate([rows, others])
    begins, ends = np.searchsorted(gaps.place, both), np.searchsorted(gaps.place, both, side="right")
    gap, first = _ranges(begins, ends)
    first = first + np.arange(len(first))
    t0, t1 = np.empty(int(first[-1]), np.int64), np.empty(int(first[-1]), np.int64)
    of_gap = np.ones(len(t0), bool)
    of_gap[first[:-1]] = False
    t0[first[:-1]], t0[of_gap] = ranges.t0[both], gaps.t1[gap]
    of_gap[:], of_gap[first[1:] - 1] = True, False
    t1[first[1:] - 1], t1[of_gap] = ranges.t1[both], gaps.t0[gap]
    pieces = Pieces(t0, t1, first)
    as_long = np.equal(*np.split(pieces.tokens, 2))
    pieces = pieces.cut(np.tile(np.arange(len(rows)), 2), np.tile(as_long, 2))
    inner = locate(engine, corpus, pieces.t0, pieces.t1)
    return Spans(inner.start, inner.end, pieces.first, (inner.start_char, inner.end_char)), as_long


def _wholes(ranges: Ranges) -> Spans:
    """Places whole."""
    return Spans(ranges.start, ranges.end, np.arange(len(ranges) + 1), (ranges.start_char, ranges.end_char))


class Pieces(Struct, frozen=True):
    """Stretches of tokens; those of row i are ``first[i]`` to ``first[i + 1]``."""

    t0: I64
    t1: I64
    first: I64

    @property
    def tokens(self) -> I64:
        """Tokens of each row."""
        return np.diff(sums(self.t1 - self.t0)[self.first])

    def take(self, rows: Flags) -> Pieces:
        """Some of the rows."""
        piece, first = kernel.take_ranges(self.first, rows_of(rows))
        return Pieces(self.t0[piece], self.t1[piece], first)

    def cut(self, owner: I64, together: Flags) -> Pieces:
        """Rows of one owner, cut where any of them is, if they go together; they have as many tokens then."""
        row = owners(self.first)
        before = sums(self.t1 - self.t0)[:-1] - sums(self.t1 - self.t0)[self.first[:-1]][row]  # of its row's tokens
        own = np.where(together, owner, 1 + int(owner.max(initial=0)) + np.arange(len(owner)))
        far = int(self.tokens.max(initial=0)) + 1
        cuts = distinct_numbers(own[row] * far + before)
        begins = np.searchsorted(cuts, own * far)
        at, first = _ranges(begins, np.searchsorted(cuts, own * far + self.tokens))
        row = owners(first)
        place = cuts[at] % far
        piece = np.searchsorted(owners(self.first) * far + before, row * far + place, side="right") - 1
        t0 = self.t0[piece] + place - before[piece]
        end = np.append(place[1:], 0)
        end[first[1:] - 1] = self.tokens
        return Pieces(t0, t0 + end - place, first)


def _ranges(start: I64, end: I64) -> tuple[I64, I64]:
    """The numbers of ranges one after the other, and where those of each begin, one longer."""
    first = sums(end - start)
    return np.arange(int(first[-1])) + np.repeat(start - first[:-1], widths(first)), first


def pieces_of(passages: Passages, leader: I64, t0: I64, t1: I64) -> Pieces:
    """The parts of the passage that names each node first, on its side; the node's range where none does."""
    count = len(passages.whole.a0)
    if not count:
        return Pieces(t0, t1, np.arange(len(t0) + 1))
    none = leader >= 2 * count
    part, first = kernel.take_ranges(passages.first, np.where(none, 0, leader % count))
    second = np.repeat(leader >= count, widths(first))
    starts, ends = (np.where(second, b[part], a[part]) for a, b in ((passages.parts.a0, passages.parts.b0),
                                                                  (passages.parts.a1, passages.parts.b1)))
    kept = ~np.repeat(none, widths(first))
    kept[first[:-1][none]] = True
    starts[first[:-1][none]], ends[first[:-1][none]] = t0[none], t1[none]
    return Pieces(starts[kept], ends[kept], sums(np.where(none, 1, widths(first))))


def _all_in(owner: I64, holds: Flags) -> Flags:
    """Of each row, whether it holds for all rows of its owner."""
    all_hold: Flags = (np.bincount(owner, ~holds) == 0)[owner]
    return all_hold
