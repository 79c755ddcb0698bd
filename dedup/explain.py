"""Why something is not reported: what gates stopped in a comparison, and the nearest misses among it.

The stages decide; what they leave out they hand to a ``Judge``, with the gate and the figure that was too low. Nothing is
decided here, and nothing changes in what is reported.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from dedup.columns import distinct_numbers
from dedup.corpus import Corpus
from dedup.equal_blocks import Distinct, collapse_equal
from dedup.exact_join import pair_exhaustively
from dedup.kernel.align_settings import DICE, EVIDENCE, LENGTH, OVERLAP, WINDOWS
from dedup.lsh import pair_by_lsh
from dedup.model import Gate, NearMiss
from dedup.options import Find, Options
from dedup.page_pairs import PagePairs
from dedup.places import block_of, page_of, range_halves
from dedup.runs import Links, Passages, block_links, concatenated, near_links
from dedup.shingles import shingle_blocks, short_shingles

if TYPE_CHECKING:
    from dedup.align import Gates
    from dedup.aligned import Aligned
    from dedup.bags import Bags
    from dedup.engines.local import LocalEngine
    from dedup.findings import Findings

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
log = logging.getLogger("dedup")

GATES: tuple[Gate, ...] = get_args(Gate)
LEAST_NEARNESS = 0.5  # share of what is asked that a near miss reaches, at least
NEAR_JACCARD = 0.7  # share of the threshold down to which pairs of blocks are looked for
CONSIDERED, COMPARED, LISTED = 20_000, 2_000, 1_000  # near misses: that are looked at, that are not told yet, that are listed
LOOSER: dict[Find, Find] = {"exact": "near", "near": "reworded"}  # what finds more


class Judge:
    """Takes down what the gates of one comparison stop."""

    def __init__(self) -> None:
        self._links, self._gates, self._figures = list[Links](), list[I64](), list[F64]()
        self.bags: Bags | None = None
        none = np.empty(0, np.int64)
        self.stop(Links(none, none, none, none, none.astype(np.uint8)), "runs")  # columns, whatever comes

    def stop(self, links: Links, gate: Gate, value: F64 | float = np.nan, asked: float = np.nan,
             nearness: float | None = None) -> None:
        """Links that a gate stopped.

        Args:
            value, asked: What they reach and what they had to; NaN where the gate has no figure.
            nearness: The share of what is asked that they reach; of `value` and `asked` unless given.
        """
        count = len(links.a0)
        near = np.maximum(value, 0.0) / max(asked, 1e-9) if nearness is None else nearness
        self._links.append(links)
        self._gates.append(np.full(count, GATES.index(gate)))
        self._figures.append(np.stack([np.full(count, row, np.float64) for row in (value, asked, near)]))

    def rectangles(self, engine: LocalEngine, corpus: Corpus, judged: Aligned, bits: U8, asked: Gates,
                   beside: Links | None = None) -> None:
        """Rectangles that the kernel stopped: of several gates the one counts of which they fall shortest.

        What no setting would let pass, for lack of windows, is taken down only if it passes all else.

        Args:
            bits: The gates of each, as ``kernel.align_pairs`` gives them; 0 where it stands.
            asked: What they had to reach.
            beside: Those that overlap one of these on both sides are left out.
        """
        from dedup.one_list import INSIDE, overlaps

        kept = bits > 0
        if beside is not None:
            row, _, of_row, of_other = overlaps(corpus, judged.links, beside)
            kept[row[np.maximum(of_row, of_other) >= INSIDE]] = False
        stopped, bits = judged.take(kept), bits[kept]
        tokens = _longer_side(engine, corpus, stopped.links)
        gates: list[tuple[Gate, int, F64, float]] = [
            ("min_evidence", EVIDENCE, stopped.evidence, asked.min_evidence),
            ("min_dice", DICE, stopped.dice, asked.min_dice),
            ("min_tokens", LENGTH, tokens, asked.min_tokens)]
        nearness = np.stack([np.where(bits & bit, np.maximum(value, 0.0) / max(least, 1e-9), np.inf)
                             for _, bit, value, least in gates])
        shortest = np.where(bits & (WINDOWS | OVERLAP), -1, np.argmin(nearness, axis=0))
        for number, (gate, _, value, least) in enumerate(gates):
            rows = shortest == number
            self.stop(stopped.links.take(rows), gate, value[rows], least)
        self.stop(stopped.links.take(bits == WINDOWS), "windows", nearness=1.0)
        self.stop(stopped.links.take(bits == OVERLAP), "overlap")

    def nearest(self, corpus: Corpus, least: float, count: int) -> tuple[Links, I64, F64]:
        """Links, gates and figures of what came nearest to its gate: across the pages, then inside one.

        Of both, what no figure stopped comes last.

        Args:
            least: Share of what is asked that they reach, at least.
            count: How many, at most.
        """
        links = concatenated(*self._links)
        gates, figures = np.concatenate(self._gates), np.concatenate(self._figures, axis=1)
        nearness = figures[2]
        rows = np.flatnonzero(~(nearness < least))
        inside = page_of(corpus, links.a0) == page_of(corpus, links.b0)
        keys = (links.b1, links.b0, links.a1, links.a0, gates, -nearness, inside)  # NaN goes to the end
        rows = rows[np.lexsort([key[rows] for key in keys])][:count]
        return links.take(rows), gates[rows], figures[:2, rows]


def judge_scope(corpus: Corpus, links: Links, pairs: PagePairs, options: Options, judge: Judge) -> None:
    """What `scope` or `between` leaves out."""
    if not pairs.every:
        left_out = ~pairs.allows(page_of(corpus, links.a0), page_of(corpus, links.b0))
        judge.stop(links.take(left_out), _left_out_by(options))


def _left_out_by(options: Options) -> Gate:
    return "scope" if options.between is None else "between"


def judge_short(corpus: Corpus, pairs: PagePairs, min_tokens: int, judge: Judge) -> None:
    """Equal blocks under `min_tokens`, each with the first of its kind that it may pair with."""
    same = collapse_equal(corpus, np.flatnonzero((corpus.halves < 2 * min_tokens) & (corpus.halves >= min_tokens)))
    partner = pairs.partners(np.repeat(np.arange(len(same.block)), np.diff(same.first)), corpus.block_page[same.member])
    copies = np.flatnonzero((partner >= 0) & (partner != np.arange(len(partner))))
    links = block_links(corpus, same.member[copies], same.member[partner[copies]], exact=True)
    judge.stop(links, "min_tokens", corpus.halves[block_of(corpus, links.a0)] / 2, min_tokens)


def judge_blocks(engine: LocalEngine, corpus: Corpus, distinct: Distinct, a: I64, b: I64, pairs: PagePairs, options: Options,
                 judge: Judge) -> None:
    """Pairs of blocks that are not much less alike than the threshold, and those that were missed by chance.

    Args:
        a, b: Pairs of classes that were found.
        pairs: Which pairs of pages count; blocks of others are not told.
    """
    size, threshold = options.shingle_tokens, options.least_jaccard
    if options.exhaustive:
        more_a, more_b = pair_exhaustively(shingle_blocks(engine, corpus, distinct.block, size), NEAR_JACCARD * threshold)
    else:
        short = short_shingles(engine, corpus, distinct.block, size)
        more_a, more_b, _ = pair_by_lsh(engine, short, NEAR_JACCARD * threshold, options.seed)
    count = len(distinct.block)
    new = ~np.isin(more_a * count + more_b, a * count + b)
    x, y = distinct.block[more_a[new]], distinct.block[more_b[new]]
    if not pairs.every:
        links = near_links(corpus, distinct, more_a[new], more_b[new], pairs)
        x, y = block_of(corpus, links.a0), block_of(corpus, links.b0)
    _judge_jaccard(engine, corpus, x, y, options, judge)


def judge_pages(engine: LocalEngine, corpus: Corpus, found: Links, pairs: PagePairs, options: Options, judge: Judge) -> None:
    """The two pages, if they make no pair that counts, are not alike enough, or one of them is too short."""
    if len(found.a0) or len(corpus.halves) != 2:
        return
    a, b = np.array([0]), np.array([1])
    tokens = float(corpus.halves.min()) / 2
    if tokens > 0 and not pairs.allows(*corpus.block_page.reshape(2, 1))[0]:
        judge.stop(_links_of(corpus, a, b, 0), _left_out_by(options))
    elif tokens >= options.min_tokens:
        _judge_jaccard(engine, corpus, a, b, options, judge)
    elif tokens > 0:
        judge.stop(_links_of(corpus, a, b, 0), "min_tokens", tokens, options.min_tokens)


def _judge_jaccard(engine: LocalEngine, corpus: Corpus, a: I64, b: I64, options: Options, judge: Judge) -> None:
    """Pairs of blocks that were not found."""
    blocks, rows = np.unique(np.concatenate([a, b]), return_inverse=True)
    sets = shingle_blocks(engine, corpus, blocks, options.shingle_tokens)
    jaccard, links = sets.jaccard(rows[:len(a)], rows[len(a):]), _links_of(corpus, a, b, 0)
    below = jaccard < options.least_jaccard
    judge.stop(links.take(below), "threshold", jaccard[below], options.least_jaccard)
    judge.stop(links.take(~below), "exhaustive")


def _links_of(corpus: Corpus, a: I64, b: I64, exact: int) -> Links:
    first = corpus.token_first
    return Links(first[a], first[a + 1], first[b], first[b + 1], np.full(len(a), exact, np.uint8))


def near_misses(findings: Findings, judge: Judge) -> tuple[NearMiss, ...]:
    """The nearest misses, those of both pages first; none lies for the most part in reported passages on both sides.

    Of several that overlap on both sides the first one counts.
    """
    least = 0.0 if findings.options.unit == "page" else LEAST_NEARNESS  # two whole pages are what was asked about
    links, gates, figures = judge.nearest(findings.corpus, least, CONSIDERED)
    rows = _news(findings, links)
    if len(rows) > LISTED or len(links.a0) == CONSIDERED:
        log.warning("there are more near misses than are listed")
    rows = rows[:LISTED]
    return _described(findings, judge.bags, links.take(rows), gates[rows], figures[:, rows])


def _news(findings: Findings, links: Links) -> I64:
    """Rows that say something which neither the reported passages nor the rows before them say."""
    from dedup.one_list import INSIDE, overlaps

    row, _, share, _ = overlaps(findings.corpus, links, findings.passages.whole)
    told = np.bincount(row, share, len(links.a0)) >= INSIDE
    left = np.flatnonzero(~told)
    left = left[~_in_one_group(findings, links.take(left))][:COMPARED]
    mine = links.take(left)
    i, j, of_i, of_j = overlaps(findings.corpus, mine, mine)
    same = (j < i) & (np.maximum(of_i, of_j) >= INSIDE)
    kept = np.ones(len(left), bool)
    for later, earlier in zip(i[same].tolist(), j[same].tolist(), strict=True):  # ascending by the later one
        kept[later] &= not kept[earlier]
    return left[kept]


def _in_one_group(findings: Findings, links: Links) -> Flags:
    """Whether both sides lie for the most part in places of one group, which need not be linked with each other."""
    from dedup.one_list import INSIDE, overlaps

    places = findings.table.ranges
    group, count = findings.table.owner, len(findings.table)
    keys = list[I64]()
    for t0, t1 in ((links.a0, links.a1), (links.b0, links.b1)):
        side, place, share, _ = overlaps(findings.corpus, _doubled(t0, t1), _doubled(places.t0, places.t1))
        inside = share >= INSIDE
        keys.append(distinct_numbers(side[inside] * count + group[place[inside]]))
    told = np.zeros(len(links.a0), bool)
    told[np.intersect1d(keys[0], keys[1], assume_unique=True) // max(count, 1)] = True
    return told


def _doubled(t0: I64, t1: I64) -> Links:
    """Ranges as links with themselves."""
    return Links(t0, t1, t0, t1, np.ones(len(t0), np.uint8))


def _described(findings: Findings, bags: Bags | None, links: Links, gates: I64, figures: F64) -> tuple[NearMiss, ...]:
    """Rows as people read them, with each measure."""
    from dedup.align import in_order
    from dedup.aligned import Aligned
    from dedup.findings import Findings as Found

    count, corpus, engine = len(links.a0), findings.corpus, findings.engine
    dice, evidence, order = (np.full(count, np.nan) for _ in range(3))
    if bags is not None and count:
        dice, evidence = bags.measure(corpus, links)
        order = in_order(engine, bags, links)
    tokens = _longer_side(engine, corpus, links)
    place = np.lexsort((links.b0, links.a0))
    ordered = links.take(place)
    nothing = findings.table.take(np.zeros(len(findings.table), bool))
    pairs = Found(corpus, nothing, Passages(ordered, np.arange(count + 1), ordered), PagePairs(), findings.options,
                  aligned=Aligned(ordered, dice[place], evidence[place])).pairs
    at = np.argsort(place)
    out = []
    for i, (value, asked) in enumerate(figures.T):
        pair = pairs[int(at[i])]
        out.append(NearMiss(pair.a, pair.b, GATES[gates[i]], _known(value), _known(asked), float(tokens[i]), pair.similarity,
                            pair.jaccard, pair.containment_a, pair.containment_b, pair.indel_similarity, _known(dice[i]),
                            _known(evidence[i]), _known(order[i])))
    return tuple(out)


def _known(figure: float) -> float | None:
    """A figure as it is reported; ``None`` for NaN."""
    return None if np.isnan(figure) else round(float(figure), 4)


def _longer_side(engine: LocalEngine, corpus: Corpus, links: Links) -> F64:
    """Length in tokens."""
    if not len(links.a0):
        return np.empty(0)
    a, b = (range_halves(engine, corpus, t0, t1) for t0, t1 in ((links.a0, links.a1), (links.b0, links.b1)))
    return np.maximum(a, b) / 2


__all__ = ["GATES", "Judge", "near_misses"]
