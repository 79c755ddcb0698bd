"""Stage 7, end: aligned passages and joined runs become one list without double reports.

A longer verified passage absorbs what lies inside it in both places; one that says no more than the runs it holds goes.
docs/design/alignment.md, step 8, has the rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from dedup.align import ROWS, Gates, in_order, whole_words
from dedup.aligned import NO_TOKENS, Aligned
from dedup.bags import Bags
from dedup.columns import distinct_numbers, rows_of, sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.model import Gate
from dedup.parts import Parts
from dedup.places import block_of, page_of
from dedup.runs import Links, Passages
from dedup.seeds import MAX_MEMBERS, PlacesInOrder, Repeats

if TYPE_CHECKING:
    from dedup.explain import Judge

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

COVERS = 0.9  # share of a passage on both sides that another one says as well
BEYOND_EXACT = 3.0  # rare words of evidence that a passage adds, at least, to the exact runs that it holds
BOXES = 2048  # rectangles whose evidence is looked at together
INSIDE = 0.5  # share of a run on both sides that lies for the most part inside


def fitted(engine: LocalEngine, corpus: Corpus, bags: Bags, joined: Passages, kept: Flags, aligned: Aligned,
           repeats: Repeats, gates: Gates, judge: Judge | None = None) -> tuple[Aligned, Flags]:
    """The aligned passages that stand beside joined runs, and which runs do: a longer one absorbs what lies inside it.

    A rectangle goes that says no more than the runs inside it, that lies inside a joined run, that goes some words only
    beyond the ends of one which leaves blocks out, or that cuts through an exact run of about its length. One that is left
    takes in the runs that lie for the most part inside it.

    Args:
        joined: The runs.
        kept: Those that count.
        repeats: Segments of many places are exact runs too.
        gates: What a rectangle must reach; here order and whole words.
        judge: Takes down which rectangles go.
    """
    if not len(aligned.dice):
        return aligned, kept
    runs, leaves_out = joined.whole, widths(joined.first) > 1
    box, run, of_box, of_run = overlaps_of_parts(corpus, aligned.links, joined, np.arange(len(runs.a0)))
    exact, ratio = runs.exact[run] == 1, _length(runs)[run] / _length(aligned.links)[box]
    counts, inside = kept[run], of_run >= INSIDE
    left = np.ones(len(aligned.dice), bool)
    # a word before the copy is in the rectangle where what the run leaves out holds it: a label over an article, and in it
    as_far = leaves_out[run] & (_beyond(aligned.links.take(box), runs.take(run)) < gates.min_tokens)
    left[box[counts & np.where(exact, (of_box >= COVERS) | ((ratio >= INSIDE) & ~inside),
                               (of_box >= COVERS) & ((ratio >= 1) | as_far))]] = False
    if judge is not None:
        judge.stop(aligned.links.take(~left), "runs")
    counts &= left[box]
    inside &= ~exact | _in_step(aligned.links.take(box), runs.take(run))
    aligned, box, run, inside = aligned.take(left), (np.cumsum(left) - 1)[box[counts]], run[counts], inside[counts]
    if not len(aligned.dice):
        return aligned, kept
    new = _new(engine, corpus, bags, aligned, runs.take(run), box, repeats, gates.min_tokens)
    new &= ~_in_one_group(corpus, aligned.links, runs, kept, repeats)
    if judge is not None:
        judge.stop(aligned.links.take(~new), "runs")
    left = new.copy()
    inside_page = page_of(corpus, aligned.links.a0) == page_of(corpus, aligned.links.b0)
    measured: list[tuple[Gate, float, Flags, Callable[[Links], F64]]] = [
        ("order", gates.order, ~inside_page, lambda links: in_order(engine, bags, links)),
        ("order", gates.order_inside, inside_page, lambda links: in_order(engine, bags, links)),
        ("words", gates.whole, np.ones(len(left), bool), lambda links: whole_words(engine, corpus, links))]
    for gate, least, asked, measure in measured:
        if least > 0:
            value, rows = np.ones(len(left)), left & asked
            value[rows] = measure(aligned.links.take(rows))
            if judge is not None:
                judge.stop(aligned.links.take(rows & (value < least)), gate, value[rows & (value < least)], least)
            left &= value >= least
    taken = left[box] & inside
    aligned, fits = _grown(corpus, bags, aligned, runs.take(run[taken]), box[taken])
    left &= fits
    kept = kept.copy()
    kept[run[inside & left[box]]] = False
    return aligned.take(left), kept


def _in_step(boxes: Links, runs: Links) -> Flags:
    """All but those of an exact rectangle and a run in it that says something else: the text repeats inside each side too."""
    same: Flags = (boxes.exact == 0) | (boxes.b0 - boxes.a0 == runs.b0 - runs.a0)
    return same


def together(passages: Passages, kept: Flags, aligned: Aligned) -> Passages:
    """Joined runs that are kept and aligned passages as one list, ascending."""
    whole, more = passages.whole, aligned.links
    if not len(more.a0) and kept.all():
        return passages
    rows = np.concatenate([rows_of(kept), len(kept) + np.arange(len(more.a0))])
    b0, a0 = np.concatenate([whole.b0, more.b0]), np.concatenate([whole.a0, more.a0])
    place = a0.astype(np.uint64) << np.uint64(32) | b0.astype(np.uint64)  # both are below 2^32, and both lists ascend
    order = rows[np.argsort(place[rows], kind="stable")]
    first = np.concatenate([passages.first, passages.first[-1] + 1 + np.arange(len(more.a0))])
    part, begins = kernel.take_ranges(first, order)

    def joined(old: Links, at: I64) -> Links:
        names = ("a0", "a1", "b0", "b1", "exact")
        return Links(*(np.concatenate([getattr(old, name), getattr(more, name)])[at] for name in names))
    return Passages(joined(whole, order), begins, joined(passages.parts, part))


def segments_beside(corpus: Corpus, segments: Repeats, passages: Passages) -> Repeats:
    """Segments but those of few places that passages say as well that are edited or of several parts: each place lies in one
    side of such a passage, and another one in the other side."""
    count, edited = widths(segments.first), rows_of((passages.whole.exact == 0) | (widths(passages.first) > 1))
    few = [(k, rows_of(count == k)) for k in range(2, MAX_MEMBERS + 1)]
    if not len(edited) or not any(len(rows) for _, rows in few):
        return segments
    a, b = (np.concatenate([(segments.first[rows, None] + np.triu_indices(k, 1)[side]).reshape(-1) for k, rows in few])
            for side in (0, 1))
    length = segments.lengths[segments.segment[a]]
    a0, b0 = segments.position[a], segments.position[b]
    pairs = Links(a0, a0 + length, b0, b0 + length, np.ones(len(a), np.uint8))
    pair, _, of_pair, _ = overlaps_of_parts(corpus, pairs, passages, edited)
    said = np.zeros(len(segments.position), bool)
    said[np.concatenate([side[pair[of_pair == 1]] for side in (a, b)])] = True
    kept = np.bincount(segments.segment[said], minlength=len(count)) < count
    rows = kept[segments.segment]
    return replace(segments, first=sums(count[kept]), position=segments.position[rows], lengths=segments.lengths[kept])


def _new(engine: LocalEngine, corpus: Corpus, bags: Bags, aligned: Aligned, runs: Links, box: I64, repeats: Repeats,
         min_tokens: int) -> Flags:
    """Whether rectangles say more than the runs that they hold, and the segments that stand on both sides.

    They have more evidence than all of those, ``BEYOND_EXACT`` more than the exact ones, and `min_tokens` on a side that no
    exact one holds.

    Args:
        runs, box: Runs, and the rectangle that each one overlaps on both sides, ascending.
    """
    placed = PlacesInOrder(repeats)

    def judge(first: int) -> Flags:
        some = np.arange(first, min(first + BOXES, len(aligned.dice)))
        mine = np.arange(*np.searchsorted(box, [first, first + BOXES]))
        return _says_more(corpus, bags, aligned.take(some), runs.take(mine), box[mine] - first, placed, min_tokens)
    return np.concatenate(engine.map(judge, range(0, len(aligned.dice), BOXES)))


def _says_more(corpus: Corpus, bags: Bags, aligned: Aligned, runs: Links, box: I64, placed: PlacesInOrder,
               min_tokens: int) -> Flags:
    """``_new`` of some rectangles."""
    boxes, count, repeats = aligned.links, len(aligned.dice), placed.repeats
    sides = [_segments_inside(placed, t0, t1) for t0, t1 in ((boxes.a0, boxes.a1), (boxes.b0, boxes.b1))]
    keys = [parts.owner * (len(repeats.lengths) + 1) + segment for parts, segment in sides]
    new, all_parts, exact_parts = np.zeros(count, bool), [], []
    for side, (t0, t1, x0, x1) in enumerate(((boxes.a0, boxes.a1, runs.a0, runs.a1), (boxes.b0, boxes.b1, runs.b0, runs.b1))):
        parts, both = sides[side][0], np.isin(keys[side], keys[1 - side])
        owner = np.concatenate([box, parts.owner[both]])
        start = np.concatenate([np.maximum(x0, t0[box]), parts.start[both]])
        end = np.concatenate([np.minimum(x1, t1[box]), parts.end[both]])
        exact = np.concatenate([runs.exact == 1, np.ones(int(both.sum()), bool)])
        exact_parts.append(Parts(owner[exact], start[exact], end[exact]).apart())
        held = exact_parts[-1].tokens(count)
        new |= (t1 - t0 - held >= min_tokens) & (held < COVERS * (t1 - t0))
        all_parts.append(Parts(owner, start, end).apart())
    pages = page_of(corpus, boxes.a0), page_of(corpus, boxes.b0)
    _, of_exact = bags.measure_parts(*pages, *exact_parts)
    _, of_all = bags.measure_parts(*pages, *all_parts)
    new &= (aligned.evidence > of_all) & ((of_exact == 0) | (aligned.evidence >= of_exact + BEYOND_EXACT))
    return new


def _segments_inside(placed: PlacesInOrder, t0: I64, t1: I64) -> tuple[Parts, I64]:
    """What ranges of tokens hold of places of segments, and the segment of each."""
    owner, place, begin, end = placed.over(t0, t1)
    return Parts(owner, begin, end), placed.segment[place]


def _grown(corpus: Corpus, bags: Bags, aligned: Aligned, runs: Links, box: I64) -> tuple[Aligned, Flags]:
    """Rectangles that hold the runs which lie for the most part inside them, and whether they can: sides may not overlap.

    Those of which an end moved are measured again.
    """
    old = aligned.links
    a0, a1, b0, b1 = (column.copy() for column in old.ranges)
    np.minimum.at(a0, box, runs.a0)
    np.maximum.at(a1, box, runs.a1)
    np.minimum.at(b0, box, runs.b0)
    np.maximum.at(b1, box, runs.b1)
    moved = (a0 < old.a0) | (a1 > old.a1) | (b0 < old.b0) | (b1 > old.b1)
    fits = (a1 <= b0) | (page_of(corpus, a0) != page_of(corpus, b0))
    rows, grown = rows_of(moved & fits), Links(a0, a1, b0, b1, np.zeros(len(a0), np.uint8)).take(moved & fits)
    links = old.take(np.arange(len(old.a0)))  # a copy
    dice, evidence = aligned.dice.copy(), aligned.evidence.copy()
    links.a0[rows], links.a1[rows], links.b0[rows], links.b1[rows], links.exact[rows] = *grown.ranges, grown.exact
    dice[rows], evidence[rows] = bags.measure(corpus, grown)
    return replace(aligned, links=links, dice=dice, evidence=evidence), fits


def not_cut_through(corpus: Corpus, passages: Passages) -> Flags:
    """All but the near runs that an exact run covers for the most part and goes beyond: that says where the copy ends."""
    runs = passages.whole
    exact, near = rows_of(runs.exact == 1), rows_of(runs.exact == 0)
    kept = np.ones(len(runs.a0), bool)
    if not len(near) or not len(exact):
        return kept
    row, _, of_near, of_exact = overlaps_of_parts(corpus, runs.take(near), passages, exact)
    kept[near[row[(of_near >= INSIDE) & (of_exact < COVERS)]]] = False
    return kept


def overlaps_of_parts(corpus: Corpus, links: Links, passages: Passages, rows: I64) -> tuple[I64, I64, F64, F64]:
    """Of ``overlaps``, links and some of the passages, but where most of what overlaps lies in what a passage leaves out.

    A paragraph that changed places with its neighbour lies there, edited or not.
    """
    link, nth, of_link, of_row = overlaps(corpus, links, passages.whole.take(rows))
    run = rows[nth]
    asked = rows_of(np.diff(passages.first)[run] > 1)
    if not len(asked):
        return link, run, of_link, of_row
    several = distinct_numbers(run[asked])
    part, first = kernel.take_ranges(passages.first, several)
    i, j, share, _ = overlaps(corpus, links, passages.parts.take(part))
    pairs, number = np.unique(i * len(passages.whole.a0) + np.repeat(several, widths(first))[j], return_inverse=True)
    in_parts = np.append(np.bincount(number, share, len(pairs)), 0.0)
    pair = link[asked] * len(passages.whole.a0) + run[asked]
    at = np.searchsorted(pairs, pair)
    found = np.append(pairs, -1)[at] == pair
    kept = np.ones(len(link), bool)
    kept[asked] = np.where(found, in_parts[at], 0.0) >= INSIDE * of_link[asked]
    return link[kept], run[kept], of_link[kept], of_row[kept]


def overlaps(corpus: Corpus, x: Links, y: Links) -> tuple[I64, I64, F64, F64]:
    """Rows of x and of y that overlap on both sides, and the share of each that does, on the side where it is less."""
    key_x, key_y = (page_of(corpus, links.a0) * len(corpus.pages) + page_of(corpus, links.b0) for links in (x, y))
    pages = distinct_numbers(key_x)
    pair = np.searchsorted(pages, key_y)
    rows_y = rows_of(pages[np.minimum(pair, len(pages) - 1)] == key_y) if len(pages) else NO_TOKENS
    y = y.take(rows_y)
    apart = int(corpus.token_first[-1]) + 1
    pair_x, pair_y = np.searchsorted(pages, key_x) * apart, pair[rows_y] * apart
    del key_x, key_y, pair
    length = y.a1 - y.a0
    found = [np.empty((4, 0), np.int64)]
    longest = 0
    while longest < int(length.max(initial=0)):  # those of about one length: their starts tell their ends
        shortest, longest = longest, max(64, 4 * longest)
        order = rows_of((length > shortest) & (length <= longest))
        order = order[np.argsort(pair_y[order] + y.a0[order], kind="stable")]
        start = pair_y[order] + y.a0[order]
        low = np.searchsorted(start, pair_x + np.maximum(x.a0 - longest + 1, 0))
        counts = np.searchsorted(start, pair_x + x.a1) - low
        rows = np.cumsum(counts)
        edges = np.searchsorted(rows, np.arange(0, int(rows[-1]) + 1 if len(rows) else 0, ROWS))
        cuts = distinct_numbers(np.concatenate([[0], edges, [len(rows)]]))
        for begin, end in itertools.pairwise(cuts.tolist()):
            of = counts[begin:end]
            i = np.repeat(np.arange(begin, end), of)
            j = order[np.repeat(low[begin:end] - (np.cumsum(of) - of), of) + np.arange(int(of.sum()))]
            in_a = np.minimum(x.a1[i], y.a1[j]) - np.maximum(x.a0[i], y.a0[j])
            in_b = np.minimum(x.b1[i], y.b1[j]) - np.maximum(x.b0[i], y.b0[j])
            kept = (in_a > 0) & (in_b > 0)
            found.append(np.stack([i[kept], j[kept], in_a[kept], in_b[kept]]))
    rows = np.concatenate(found, axis=1)
    i, j, in_a, in_b = rows[:, np.lexsort((rows[1], rows[0]))]
    of_x, of_y = (np.minimum(in_a / (links.a1 - links.a0)[rows], in_b / (links.b1 - links.b0)[rows])
                  for links, rows in ((x, i), (y, j)))
    return i, rows_y[j], of_x, of_y


def _in_one_group(corpus: Corpus, boxes: Links, runs: Links, kept: Flags, repeats: Repeats) -> Flags:
    """Rectangles about as large as a block on each side, of which both are copies of one block by other links already."""
    first, count = corpus.token_first, len(corpus.halves)
    if not len(repeats.position) and not len(runs.a0):
        return np.zeros(len(boxes.a0), bool)
    star = np.repeat(repeats.position[repeats.first[:-1]], widths(repeats.first))
    length = np.repeat(repeats.lengths, widths(repeats.first))

    def whole_blocks(a0: I64, a1: I64, b0: I64, b1: I64, kept: Flags | np.bool_) -> tuple[I64, I64]:
        a, b = block_of(corpus, a0), block_of(corpus, b0)
        whole = kept & (first[a] == a0) & (first[a + 1] == a1) & (first[b] == b0) & (first[b + 1] == b1)
        return a[whole], b[whole]
    links = whole_blocks(*runs.ranges, kept), whole_blocks(star, star + length, repeats.position, repeats.position + length,
                                                           np.True_)
    group = kernel.components(count, *(np.concatenate(side) for side in zip(*links, strict=True)))
    sides = []
    for t0, t1 in ((boxes.a0, boxes.a1), (boxes.b0, boxes.b1)):
        block = block_of(corpus, (t0 + t1) // 2)
        common = np.minimum(t1, first[block + 1]) - np.maximum(t0, first[block])
        sides.append((block, (common >= COVERS * (t1 - t0)) & (common >= INSIDE * (first[block + 1] - first[block]))))
    same: Flags = (group[sides[0][0]] == group[sides[1][0]]) & sides[0][1] & sides[1][1]
    return same


def _beyond(boxes: Links, runs: Links) -> I64:
    """Tokens that rectangles hold beyond the ends of runs, on the side with more of them."""
    sides = [np.maximum(x0 - t0, 0) + np.maximum(t1 - x1, 0) for t0, t1, x0, x1 in (
        (boxes.a0, boxes.a1, runs.a0, runs.a1), (boxes.b0, boxes.b1, runs.b0, runs.b1))]
    most: I64 = np.maximum(*sides)
    return most


def _length(links: Links) -> I64:
    length: I64 = links.a1 - links.a0 + links.b1 - links.b0
    return length
