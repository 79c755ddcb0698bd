"""Plain twins of ``align.hpp``: rectangles, the passages of two pages that share most.

docs/design/alignment.md has the method, its constants and its figures. All is counted in integers: weights in 1/64 of a
rare word, shares in thousandths, the score G in 1/64000.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from dedup.kernel.align_settings import (
    DICE,
    EVIDENCE,
    HALF,
    ITEM_FLAGS,
    LENGTH,
    OVERLAP,
    RARE,
    STARTS_SENTENCE,
    THOUSAND,
    WINDOWS,
    Settings,
)
from dedup.kernel.twin_seeding import fixed_log2
from dedup.kernel.twin_sets import I64

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]

LONG = 4  # times the slack: the ends of a rectangle that is longer are tied to its windows
STRIP, CROWD = 1024, 1024  # tokens of a strip; passages that touch the strips of one, at most

Range = tuple[int, int]
Ends = tuple[int, int, int, int]  # a0, a1, b0, b1
Seed = tuple[int, int]  # starts of two windows that are alike
Cluster = tuple[list[Seed], Ends]  # and how far the ends of its rectangle may go


class Band:
    """How far the starts of windows that are alike lie from each other, cell by cell of each text.

    A cell without any has those of the nearest cells before and behind it.
    """

    def __init__(self, seeds: list[Seed], cell: int, slack: int) -> None:
        self.cell, self.slack = cell, slack
        self.first = min(a for a, _ in seeds), min(b for _, b in seeds)
        self.shifts: tuple[dict[int, list[int]], ...] = defaultdict(list), defaultdict(list)
        for a, b in seeds:
            self.shifts[0][(a - self.first[0]) // cell].append(b - a)
            self.shifts[1][(b - self.first[1]) // cell].append(a - b)

    def beside(self, side: int, at: int) -> Range:
        """Where a start in the other text may be, beside one of this side."""
        cells = self.shifts[side]
        number = min(max((at - self.first[side]) // self.cell, 0), max(cells))
        near = cells[max(c for c in cells if c <= number)] + cells[min(c for c in cells if c >= number)]
        return at + min(near) - self.slack, at + max(near) + self.slack


KEPT = 4096  # ranges of a pair whose words are counted


class _Pair(Struct):
    """Two pages that are aligned; ``words`` are their items without flags."""

    s: Settings
    words: tuple[list[int], list[int]]
    flags: tuple[list[int], list[int]]
    same_page: bool
    weight: dict[int, int]
    limits: Ends  # how far the ends of a rectangle may go
    band: Band | None = None  # of its windows
    counted: dict[tuple[int, int, int], Counter[int]] = field(default_factory=dict)
    walked: dict[tuple[Ends, int, bool], tuple[int, int]] = field(default_factory=dict)  # in one joint move

    # What a rectangle holds.

    def counts(self, side: int, begin: int, end: int) -> Counter[int]:
        """How often each word stands in a range; the same ranges are asked for again and again."""
        key = side, begin, end
        if key not in self.counted:
            if len(self.counted) >= KEPT:
                self.counted.clear()
            self.counted[key] = Counter(self.words[side][begin:end])
        return self.counted[key]

    def sums(self, ends: Ends) -> tuple[int, int]:
        """Twice the shared weight, and the weight of both sides."""
        a, b = self.counts(0, *ends[:2]), self.counts(1, *ends[2:])
        shared = sum(self.weight[t] * min(a[t], b[t]) for t in a.keys() & b.keys())
        return 2 * shared, sum(self.weight[t] * n for counts in (a, b) for t, n in counts.items())

    def dice(self, ends: Ends) -> int:
        shared, total = self.sums(ends)
        return shared * THOUSAND // total if total else 0

    def theta(self, ends: Ends) -> int:
        return max(self.s.theta, self.s.factor * self.dice(ends) // THOUSAND)

    def evidence(self, ends: Ends) -> int:
        shared, total = self.sums(ends)
        return shared * THOUSAND - self.s.evidence_theta * total

    # Step 2: windows near anchors.

    def last_start(self, side: int) -> int:
        return max(0, len(self.words[side]) - self.s.window)

    def window(self, side: int, start: int) -> Range:
        return start, min(len(self.words[side]), start + self.s.window)

    def cells(self, anchors: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], bool]:
        """Cells of the grid that are to be compared, and whether there were too many."""
        if not self.words[0] or not self.words[1]:
            return [], False
        rows, columns = (self.last_start(side) // self.s.cell + 1 for side in (0, 1))
        if self.s.all_cells and len(self.words[0]) <= self.s.all_cells // max(len(self.words[1]), 1):
            return [(i, j) for i in range(rows) for j in range(i if self.same_page else 0, columns)], False
        own = {(min(a // self.s.cell, rows - 1), min(b // self.s.cell, columns - 1)) for a, b in anchors}
        around = range(-self.s.radius, self.s.radius + 1)
        near = defaultdict[int, list[int]](list)
        support = Counter((i + x, j + y) for i, j in own for x in around for y in around)
        for i, j in sorted(support):
            if 0 <= i < rows and 0 <= j < columns and (not self.same_page or j >= i):
                near[i].append(j)
        likeliest = [(i, j) for i in near for j in sorted(sorted(near[i], key=lambda j: -support[i, j])[:self.s.row_cells])]
        crowded = any(len(row) > self.s.row_cells for row in near.values())
        return likeliest[:self.s.max_cells], crowded or len(likeliest) > self.s.max_cells

    def alike(self, a: int, b: int, least: int, most: int | None = None) -> bool:
        sides = self.window(0, a), self.window(1, b)
        shared, total = self.sums((*sides[0], *sides[1]) if most is None else (a, a + most, b, min(sides[1][1], b + most)))
        return shared > 0 and shared * THOUSAND >= least * total

    def seeds(self, cells: list[tuple[int, int]]) -> list[Seed]:
        """Starts of windows that are alike, ascending."""
        found = set()
        for cell in cells:
            first = [index * self.s.cell for index in cell]
            a, b = (min(at, self.last_start(side)) for side, at in enumerate(first))
            if not self.alike(a, b, self.s.cell_dice):
                continue
            starts = [{min(at, self.last_start(side)) for at in range(begin, begin + self.s.cell, self.s.step)
                       if at == begin or at <= self.last_start(side)} for side, begin in enumerate(first)]
            for a, b in itertools.product(*starts):
                near = self.same_page and b < a + self.s.window  # windows of one page do not overlap: shorter ones, then
                if (not near or b >= a + self.s.least_window) and self.alike(a, b, self.s.seed_dice, b - a if near else None):
                    found.add((a, b))
        return sorted(found)

    # Step 3: clusters.

    def clusters(self, seeds: list[Seed], within: Ends) -> list[Cluster]:
        """Seeds that lie close together in both texts, near one diagonal, and how far the ends of each cluster may go."""
        reach = self.s.window + self.s.gap
        left, out = list(range(len(seeds))), []
        while left:
            members, border = [], [left.pop(0)]
            while border:
                a, b = seeds[border[-1]]
                members.append(border.pop())
                near = [i for i, (x, y) in ((i, seeds[i]) for i in left) if abs(x - a) <= reach and abs(y - b) <= reach
                        and abs((y - b) - (x - a)) <= self.s.drift]
                left = [i for i in left if i not in near]
                border += near
            out.append([seeds[i] for i in sorted(members)])
        return self.bounded(out, within)

    def bounded(self, clusters: list[list[Seed]], within: Ends) -> list[Cluster]:
        """The clusters, none going farther than midway to another copy of what it has in one of the texts."""
        limits = [list(within) for _ in clusters]
        starts = [[(min(s[side] for s in seeds), max(s[side] for s in seeds)) for side in (0, 1)] for seeds in clusters]
        for (i, x), (j, y) in itertools.permutations(enumerate([] if self.same_page else starts), 2):
            for side in (0, 1):
                gap = y[side][0] - x[side][1]  # between the starts of their windows, which may overlap a little
                apart = 2 * gap >= -min(x[side][1] - x[side][0], y[side][1] - y[side][0], 2 * self.s.window)
                if apart and gap <= 2 * self.s.window + self.s.gap and self.is_of(x[1 - side], y[1 - side]):
                    middle = x[side][1] + (self.s.window + gap) // 2
                    limits[i][2 * side + 1] = min(limits[i][2 * side + 1], middle)
                    limits[j][2 * side] = max(limits[j][2 * side], middle)
        return [(seeds, (a0, a1, b0, b1)) for seeds, (a0, a1, b0, b1) in zip(clusters, limits, strict=True)]

    def is_of(self, x: Range, y: Range) -> bool:
        """Whether two ranges of a text say about the same of it."""
        common = min(x[1], y[1]) - max(x[0], y[0])
        return common > 0 and common * THOUSAND >= self.s.again_share * max(x[1] - x[0], y[1] - y[0])

    def box(self, cluster: Cluster) -> Ends:
        """What the windows of a cluster cover; in one page the first range ends where the second one begins."""
        seeds, limits = cluster
        (a0, a1), (b0, b1) = ((max(min(s[side] for s in seeds), limits[2 * side]),
                               min(self.window(side, max(s[side] for s in seeds))[1], limits[2 * side + 1]))
                              for side in (0, 1))
        return a0, min(a1, b0) if self.same_page else a1, b0, b1

    def beside(self, cluster: Cluster, ends: Ends) -> Iterator[Cluster]:
        """Clusters of the seeds inside a rectangle in one text, and before or behind it in the other.

        The middle of a window says where it lies; of those before, or behind, one at least does with all of its tokens.
        """
        seeds, limits = cluster

        def side_of(side: int, start: int) -> int:
            return sum(start + self.s.window // 2 >= end for end in ends[2 * side:2 * side + 2]) - 1
        for at, end, to in ((0, 1, 0), (0, 0, 1), (1, 3, 2), (1, 2, 3)):
            way = 1 if end % 2 else -1
            rest = [s for s in seeds if side_of(at, s[at]) == way and side_of(1 - at, s[1 - at]) == 0]
            if any(s[at] >= ends[end] if way > 0 else s[at] + self.s.window <= ends[end] for s in rest):
                yield from self.clusters(rest, _put(limits, to, ends[end]))

    # Step 4: ends.

    def limit(self, ends: Ends, end: int, outwards: bool) -> int:
        if not outwards:
            return ends[end - 1] + 1 if end % 2 else ends[end + 1] - 1
        if end % 2 == 0:
            return max(ends[1], self.limits[2]) if end == 2 and self.same_page else self.limits[end]
        return min(ends[2], self.limits[1]) if end == 1 and self.same_page else self.limits[end]

    def steps(self, ends: Ends, end: int, outwards: bool, tied: bool = True) -> range:
        """Where an end may go, one token at a time; if it is tied, not farther than the other text's end allows."""
        step, limit = -1 if (end % 2 == 0) == outwards else 1, self.limit(ends, end, outwards)
        if tied and self.band is not None:
            other, to_start = (end + 2) % 4, self.s.window * (end % 2)  # an end is as good as the window before it
            low, high = self.band.beside(other // 2, ends[other] - to_start)
            limit = min(limit, max(high + to_start, ends[end])) if step > 0 else max(limit, min(low + to_start, ends[end]))
        return range(ends[end] + step, limit + step, step)

    def walk(self, ends: Ends, end: int, outwards: bool, theta: int, reach: int | None = None) -> tuple[int, int]:
        """Best change of G when an end walks one way, and where; it gives up `drop` below the best."""
        side = end // 2
        other = self.counts(1 - side, *ends[2 - 2 * side:4 - 2 * side])
        mine = dict(self.counts(side, *ends[2 * side:2 * side + 2]))
        best, to, gain, at = 0, ends[end], 0, ends[end]
        for step in self.steps(ends, end, outwards)[:reach]:
            word = self.words[side][min(at, step)]
            at, w = step, self.weight[word]
            if outwards:
                gain += w * (2 * THOUSAND - theta) if mine.get(word, 0) < other.get(word, 0) else -w * theta
                mine[word] = mine.get(word, 0) + 1
            else:
                gain += -w * (2 * THOUSAND - theta) if mine[word] <= other.get(word, 0) else w * theta
                mine[word] -= 1
            if gain > best:
                best, to = gain, at
            if gain < best - self.s.drop * RARE:
                break
        return best, to

    def best_move(self, ends: Ends, ways: tuple[bool, ...], theta: int) -> tuple[int, int, int]:
        """The single move that gains most: what it gains, where to, and the end."""
        moves = [(*self.walk(ends, end, outwards, theta), end) for end in range(4) for outwards in ways]
        return max(moves, key=lambda move: move[0])  # the first one of equals

    def score(self, ends: Ends, theta: int) -> int:
        shared, total = self.sums(ends)
        return shared * THOUSAND - theta * total

    def answered(self, ends: Ends, held: int, theta: int) -> Ends:
        """Where the other ends go, their best move first, while one is held."""
        for _ in range(self.s.moves):
            ways = [(ends, end, outwards) for end in range(4) if end != held for outwards in (True, False)]
            for way in ways:
                if way not in self.walked:
                    self.walked[way] = self.walk(*way, theta, self.s.joint_reach)
            moves = [(*self.walked[way], way[1]) for way in ways]
            gain, to, end = max(moves, key=lambda move: move[0])  # the first one of equals
            if gain <= 0:
                break
            ends = _put(ends, end, to)
        return ends

    def joint_move(self, ends: Ends, theta: int) -> Ends:
        """The best outcome where one end goes elsewhere and the others answer; the same ends where none gains."""
        before = most = self.score(ends, theta)
        best = ends
        self.walked.clear()
        for held, outwards in itertools.product(range(4), (True, False)):
            for at in self.steps(ends, held, outwards)[:self.s.joint_reach]:
                moved = _put(ends, held, at)
                if self.score(moved, theta) < before - self.s.drop * RARE:
                    break
                moved = self.answered(moved, held, theta)
                if self.score(moved, theta) > most:
                    best, most = moved, self.score(moved, theta)
        return best

    def move_ends(self, ends: Ends, ways: tuple[bool, ...]) -> Ends:
        """The move that gains most, again and again, and a joint one where none does; theta follows the Dice so far."""
        theta = self.s.theta if True in ways else self.theta(ends)
        for _ in range(self.s.moves):
            gain, to, end = self.best_move(ends, ways, theta)
            if gain > 0:
                ends = _put(ends, end, to)
            elif theta == self.theta(ends):
                together = self.joint_move(ends, theta) if True in ways else ends
                if together == ends:
                    break
                ends = together
            theta = self.theta(ends)
        return ends

    # Step 5: sentence borders.

    def starts_sentence(self, side: int, at: int) -> bool:
        return at <= 0 or at >= len(self.flags[side]) or bool(self.flags[side][at] & STARTS_SENTENCE)

    def border(self, ends: Ends, end: int, outwards: bool, theta: int) -> tuple[int, int] | None:
        """The next border one way: what G gains on the way there, and where it is."""
        for at in itertools.islice(self.steps(ends, end, outwards, tied=False), self.s.border_reach):
            if self.starts_sentence(end // 2, at):
                (shared, total), (before, total_before) = self.sums(_put(ends, end, at)), self.sums(ends)
                return (shared - before) * THOUSAND - theta * (total - total_before), at
        return None

    def snap(self, ends: Ends) -> Ends:
        """Ends inside a sentence go to its border where that costs little, the cheapest first."""
        theta, most = self.theta(ends), self.s.border_cost * RARE
        left = [0, 1, 2, 3]
        while left:
            choices = []
            for end in left:
                if self.starts_sentence(end // 2, ends[end]):
                    continue
                outer, inner = (self.border(ends, end, outwards, theta) for outwards in (True, False))
                outer_fits, inner_fits = (move is not None and move[0] >= -most for move in (outer, inner))
                if outer is not None and outer_fits and (inner is None or outer[0] >= inner[0] or not inner_fits):
                    choices.append((*outer, end))
                elif inner is not None and inner_fits:
                    choices.append((*inner, end))
            if not choices:
                break
            _, to, end = max(choices, key=lambda move: move[0])
            ends = _put(ends, end, to)
            left.remove(end)
        return ends

    # Step 6: gate.

    def gates(self, ends: Ends) -> int:
        """The gates that stop a rectangle."""
        shared, total = self.sums(ends)
        lengths = (sum(1 if flag & HALF else 2 for flag in self.flags[side][ends[2 * side]:ends[2 * side + 1]])
                   for side in (0, 1))
        return (EVIDENCE * (total <= 0 or self.evidence(ends) < self.s.evidence * RARE)
                | DICE * (shared * THOUSAND < self.s.least_dice * total) | LENGTH * (max(lengths) < self.s.min_halves))

    # Steps 3 to 6 of a cluster, and again of what lies beside its rectangle.

    def rectangles(self, cluster: Cluster) -> tuple[list[Ends], list[tuple[Ends, int]], bool]:
        """Rectangles of a cluster; those that a gate stops; whether there was more to try.

        One text may stand twice beside one copy of it: their windows may be one cluster, but a rectangle holds one copy. So
        the windows beside a rectangle that stands are tried again.
        """
        found, stopped, left = list[Ends](), list[tuple[Ends, int]](), [cluster]
        for _ in range(self.s.tries):
            if not left:
                break
            cluster = left.pop(0)
            self.limits, ends = cluster[1], self.box(cluster)
            if ends[0] >= ends[1] or ends[2] >= ends[3]:
                continue
            is_long = max(ends[1] - ends[0], ends[3] - ends[2]) > LONG * self.s.slack
            self.band = Band(cluster[0], self.s.cell, self.s.slack) if is_long and not self.same_page else None
            ends = self.snap(self.move_ends(ends, (True, False)))
            gates = self.gates(ends) | WINDOWS * (len(cluster[0]) == 1)
            if gates:
                stopped.append((ends, gates))
            else:
                found.append(ends)
                left += [] if self.same_page else [more for more in self.beside(cluster, ends) if len(more[0]) > 1]
        return found, stopped, bool(left)

    # Step 7: overlaps.

    def rank(self, ends: Ends) -> int:
        shared, total = self.sums(ends)
        return self.evidence(ends) // THOUSAND * (shared * 65536 // total)

    def shares_strip(self, x: Ends, y: Ends) -> bool:
        for start in (0,) if self.same_page else (0, 2):
            (x0, x1), (y0, y1) = ((ends[start] // STRIP, (ends[start + 1] - 1) // STRIP) for ends in (x, y))
            if x0 <= y1 and y0 <= x1:
                return True
        return False

    def resolved(self, found: list[Ends]) -> tuple[list[Ends], list[Ends], bool]:
        """Passages without overlaps; those that went; whether some went because too many stand in one place."""
        kept, gone = list[Ends](), list[Ends]()
        truncated = False
        for ends in sorted(found, key=lambda ends: (-self.rank(ends), ends)):
            if sum(self.shares_strip(ends, better) for better in kept) > CROWD:
                truncated = True
                gone.append(ends)
                continue
            on_both = [i for i, better in enumerate(kept) if all(_overlap(ends, better, side) > 0 for side in (0, 1))]
            if on_both:
                better = kept[on_both[0]]
                both = (min(ends[0], better[0]), max(ends[1], better[1]), min(ends[2], better[2]), max(ends[3], better[3]))
                most = max(self.evidence(better), self.evidence(ends))
                if not (self.same_page and both[1] > both[2]) and self.evidence(both) >= most:
                    kept[on_both[0]] = both
                else:
                    gone.append(ends)
                continue
            rest = ends
            if not self.same_page:
                again = self.dice(ends) >= self.s.again_dice
                for better in kept:
                    for side in (0, 1):
                        if _overlap(rest, better, side) > 0 and not (
                                again and self.is_of(_side(ends, side), _side(better, side))):
                            rest = _cut_off(rest, better, side)
                if rest[0] == rest[1] or rest[2] == rest[3]:
                    gone.append(ends)
                    continue
            if rest != ends:
                rest = self.move_ends(rest, (False,))
                if self.gates(rest):
                    gone.append(ends)
                    continue
            kept.append(rest)
        return sorted(kept), gone, truncated

    def passages(self, anchors: list[tuple[int, int]], judge: bool) -> tuple[list[tuple[Ends, int]], bool]:
        """All steps: rectangles and the gates that stop them; those that stand come first, the others if they are judged."""
        cells, truncated = self.cells(anchors)
        found, stopped = list[Ends](), list[tuple[Ends, int]]()
        for cluster in self.clusters(self.seeds(cells), self.limits):
            rectangles, others, cut = self.rectangles(cluster)
            found += rectangles
            stopped += others
            truncated |= cut
        self.band = None
        kept, gone, crowded = self.resolved(found)
        stopped += [(ends, OVERLAP) for ends in gone]
        return [*((ends, 0) for ends in kept), *(sorted(stopped) if judge else [])], truncated or crowded


def _put(ends: Ends, end: int, to: int) -> Ends:
    a0, a1, b0, b1 = (to if e == end else at for e, at in enumerate(ends))
    return a0, a1, b0, b1


def _side(ends: Ends, side: int) -> Range:
    return ends[2 * side], ends[2 * side + 1]


def _overlap(x: Ends, y: Ends, side: int) -> int:
    return min(x[2 * side + 1], y[2 * side + 1]) - max(x[2 * side], y[2 * side])


def _cut_off(ends: Ends, better: Ends, side: int) -> Ends:
    """Takes a better passage's range out of one side; of what is left on both sides of it, the longer part stays."""
    start, end = ends[2 * side], ends[2 * side + 1]
    before, after = max(0, better[2 * side] - start), max(0, end - better[2 * side + 1])
    return _put(ends, 2 * side + 1, start + before) if before >= after else _put(ends, 2 * side, end - after)


def align_pairs(item: U32, page_first: I64, page_a: I64, page_b: I64, anchor_first: I64, anchor_a: I64, anchor_b: I64,
                settings: I64, judge: bool) -> tuple[I64, I64, I64, I64, I64, I64, I64, U8, U8]:
    """Verified passages of pairs of pages: rectangles that maximise a weighted score of the words that they share.

    Args:
        item, page_first: Of ``bag_items``, and the first item of each page, one longer than the pages.
        page_a, page_b: The pairs; a page may be paired with itself. The compiled kernel is faster where pairs that have
            their larger page in common stand together.
        anchor_first, anchor_a, anchor_b: Anchors of each pair, in tokens of each page.
        settings: The fields of ``Settings``.
        judge: Also give those that a gate stops, behind the others of their pair.

    Returns:
        (pair, a0, a1, b0, b1, twice the shared weight, weight of both sides, gates) of each passage, in tokens of each page;
        and for each pair, whether it had more anchors than are followed. The gates that stop a passage are bits: too little
        evidence, too low a Dice, too short, one window only, and words that stand in better passages; 0 if it stands.
    """
    s = Settings(*settings.tolist())
    rows: list[tuple[int, ...]] = []
    truncated = np.zeros(len(page_a), np.uint8)
    for p, (a, b) in enumerate(zip(page_a.tolist(), page_b.tolist(), strict=True)):
        anchors = slice(int(anchor_first[p]), int(anchor_first[p + 1]))
        places = anchor_a[anchors].tolist(), anchor_b[anchors].tolist()
        turned = _text(item, page_first, b) < _text(item, page_first, a)  # of equal outcomes the first text decides
        pair = _pair(s, item, page_first, b, a) if turned else _pair(s, item, page_first, a, b)
        found, cut = pair.passages(list(zip(*(places[::-1] if turned else places), strict=True)), judge)
        truncated[p] = cut
        mirrored = [((*ends[2:], *ends[:2]) if turned else ends, *pair.sums(ends), gates) for ends, gates in found]
        rows += [(p, *ends, *sums, gates) for ends, *sums, gates in sorted(mirrored, key=lambda r: (r[3] > 0, r[0], r[3]))]
    pairs, a0, a1, b0, b1, shared, total, gates = np.array(rows, np.int64).reshape(-1, 8).T.copy()
    return pairs, a0, a1, b0, b1, shared, total, gates.astype(np.uint8), truncated


def measure_parts(item: U32, page_first: I64, page_a: I64, page_b: I64, first_a: I64, a0: I64, a1: I64, first_b: I64, b0: I64,
                  b1: I64, settings: I64) -> tuple[I64, I64]:
    """What parts of pairs of pages share: twice the shared weight, and the weight of both sides.

    Args:
        first_a, a0, a1: Of pair p the parts ``first_a[p]`` to ``first_a[p + 1]`` in tokens of its first page.
        first_b, b0, b1: The same of its second page.
        item, page_first, page_a, page_b, settings: As for ``align_pairs``.
    """
    s = Settings(*settings.tolist())
    out = []
    for p, (a, b) in enumerate(zip(page_a.tolist(), page_b.tolist(), strict=True)):
        weight = _pair(s, item, page_first, a, b).weight
        bags = []
        for page, first, starts, ends in ((a, first_a, a0, a1), (b, first_b, b0, b1)):
            words = (item[page_first[page]:page_first[page + 1]] >> np.uint32(ITEM_FLAGS)).tolist()
            bags.append(Counter(word for i in range(first[p], first[p + 1]) for word in words[starts[i]:ends[i]]))
        out.append((2 * sum(weight[word] * n for word, n in (bags[0] & bags[1]).items()),
                    sum(weight[word] * n for bag in bags for word, n in bag.items())))
    shared, total = np.array(out, np.int64).reshape(-1, 2).T.copy()
    return shared, total


def _text(item: U32, page_first: I64, page: int) -> list[int]:
    items: list[int] = item[page_first[page]:page_first[page + 1]].tolist()
    return items


def _pair(s: Settings, item: U32, page_first: I64, a: int, b: int) -> _Pair:
    sides = [_text(item, page_first, page) for page in (a, b)]
    words, flags = ([[value >> ITEM_FLAGS if words else value & 3 for value in side] for side in sides]
                    for words in (True, False))
    weight = _weights(s, words[:1] if a == b else words)
    return _Pair(s, (words[0], words[1]), (flags[0], flags[1]), a == b, weight, (0, len(words[0]), 0, len(words[1])))


def _weights(s: Settings, pages: list[list[int]]) -> dict[int, int]:
    """ln((n + 1) / c) / ln(n + 1) of each word in 1/64, c of the n pseudo-windows of all pages holding it."""
    windows: Counter[int] = Counter()
    count = 2
    for words in pages:
        for begin in range(0, len(words), s.pseudo_window):
            windows.update(set(words[begin:begin + s.pseudo_window]))
            count += 1
    most = fixed_log2(count + 1)
    return {word: (2 * RARE * (most - fixed_log2(c)) + most) // (2 * most) for word, c in windows.items()}
