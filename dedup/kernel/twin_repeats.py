"""Plain twins of ``repeats.hpp``, ``windows.hpp``, ``common_places.hpp`` and ``leftovers.hpp``: exact repeats.

Tokens are numbered through the whole collection, page after page; a gram is named by its first token.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_sets import I64

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]

GROWTH = 16  # steps a gram of a page's segments, at most, for those that grow; those of one from behind


def exact_repeats(position: U32, leader: U32, length: U32, size: int, max_members: int, halves: U8, min_tokens: int,
                  block_first: I64, page_first: I64) -> tuple[I64, I64, I64, I64, I64, I64]:
    """Exact repeats of `size` tokens or more, from the runs that ``class_runs`` gives.

    Segments are maximal stretches over which the classes of consecutive grams go in lock-step. Those of at most
    `max_members` places become matches: every two of their places, grown to both sides as far as the texts agree; what all
    of them have in common is a segment, too, where the pairs that have no more in common do not link all of them. The
    others stay segments, grown to both sides as far as all of their places agree; of places that overlap, first come
    first kept.

    Where a gram is too short to count, so it is with the segments of equal windows, the shortest stretches that count.
    Segments of grams are matches, too, if they have few places; those of many that do not count stay.

    A match longer than its shift is a stretch that repeats at once: its periods become matches, each with the next one,
    several short ones as one, from a block's first token where one is near; what lies inside it with a longer shift is
    left out. Places of a segment nearer to each other than a period must be are such a stretch, too.

    What is in none of these, and stands again without overlapping itself, is in a segment as long as a gram or a window: no
    token of what counts is left out. Grams of which the tokens count unlike are not equal.

    Args:
        position, leader, length: Runs, ascending; cut anywhere, the result is the same.
        halves: Of each token 2 for a word and 1 for one that counts half; empty where all are words.
        min_tokens: Length of a repeat or a period that counts, in tokens, and `size` tokens at least.
        block_first: First token of each block, one longer than the blocks.
        page_first: First token of each page, one longer than the pages.

    Returns:
        Matches (a, b, length) ascending; segments (first, position, length).
    """
    finder = _RepeatFinder(position, leader, length, size, max_members, halves.tolist(), min_tokens, block_first.tolist(),
                           page_first.tolist())
    finder.find()
    a, b, lengths = (np.array([m[i] for m in sorted(finder.matches)], np.int64) for i in range(3))
    hot = finder.hot
    return (a, b, lengths, np.cumsum([0, *(len(places) for places, _ in hot)], dtype=np.int64),
            np.array([p for places, _ in hot for p in places], np.int64), np.array([length for _, length in hot], np.int64))


class _Layer:
    """Equal stretches that count, each named by a gram in it."""

    def __init__(self, leader: dict[int, int], inside: Callable[[int], tuple[int, int]], *, is_grams: bool = False,
                 by_last: bool = False) -> None:
        self.leader, self.inside = leader, inside  # grams before and after the one that names a stretch, in it
        self.is_grams, self.by_last = is_grams, by_last
        self.grown: dict[int, tuple[int, int]] = {}  # segments of many places, by the first: what they have around it
        self.segment_of: dict[int, int] = {}
        self.members: dict[int, list[int]] = defaultdict(list)
        for p in sorted(leader):
            self.members[leader[p]].append(p)

    def segments(self) -> Iterator[tuple[list[int], int]]:
        """Places of each segment, and how many grams name what is in it."""
        def in_step(leader: int) -> bool:
            mine, following = self.members[leader], self.leader.get(leader + 1, -1)
            return (len(self.members.get(following, [])) == len(mine)
                    and all(self.leader.get(m + 1) == following for m in mine))
        step = {leader: in_step(leader) for leader in self.members}
        for leader, places in sorted(self.members.items()):
            if leader - 1 in self.leader and step[self.leader[leader - 1]]:
                continue
            count = 1
            while step[self.leader[leader + count - 1]]:
                count += 1
            self.segment_of |= dict.fromkeys(range(leader, leader + count), leader)
            yield places, count

    def known_around(self, gram: int) -> tuple[int, int]:
        """What all places of a segment of many have around one of its grams, as far as known: it may be more, not less."""
        leader = self.leader.get(gram, -1)
        first = self.segment_of.get(leader, -1)
        before, after = self.grown.get(first, (0, 0))
        return (before + leader - first, after - (leader - first)) if first in self.grown else (0, 0)

    def stands_elsewhere(self, place: int, length: int) -> bool:
        """Whether what a gram names stands again without overlapping it."""
        members = self.members[self.leader[place]] if place in self.leader else [place]
        return any(abs(p - place) >= length for p in (members[0], members[-1]))


class _RepeatFinder:
    """Finds the exact repeats of one collection."""

    def __init__(self, position: U32, leader: U32, length: U32, size: int, max_members: int, halves: list[int],
                 min_tokens: int, block_first: list[int], page_first: list[int]) -> None:
        self.max_members, self.halves, self.min_tokens = max_members, halves, min_tokens
        self.size, self.block_first, self.page_first = size, block_first, page_first
        runs = zip(position.tolist(), leader.tolist(), length.tolist(), strict=True)
        alike: dict[tuple[int, tuple[int, ...]], int] = {}  # equal grams whose tokens count alike, too
        self.leader: dict[int, int] = {}
        for begin, first, count in runs:
            for p in range(begin, begin + count):
                self.leader[p] = alike.setdefault((first + p - begin, self.halves_of(p)), p)
        self.common: dict[tuple[int, int, int], tuple[list[int], int]] = {}  # shifts of a few places, end of what they share
        self.grown_to: dict[int, tuple[int, int, int]] = {}  # the last one of so many places: end kept, begin, end
        self.seeds: list[tuple[int, int]] = []  # shift, place
        self.matches: list[tuple[int, int, int]] = []
        self.told: set[int] = set()  # stretches of short periods of which something counts, whole
        self.hot: list[tuple[list[int], int]] = []  # segments: places, length

    def find(self) -> None:
        """Fills matches and segments."""
        layers = [_Layer(self.leader, lambda _: (0, 0), is_grams=True)]
        if self.halves or self.min_tokens > self.size:
            self.look_at_grams(layers[0])
            layers = self.windows()
        for layer in layers:
            self.look_at(layer, layers[0])
        self.match_seeds()
        self.keep_the_rest(layers)

    def windows(self) -> list[_Layer]:
        """The shortest stretches that count, named by their first gram; and those that end with a gram, named by it, of which
        none that begins with their first one is as long or shorter."""
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        grams = sorted(self.leader)
        by_first: dict[tuple[int | None, ...], list[int]] = defaultdict(list)
        by_last: dict[tuple[int | None, ...], list[int]] = defaultdict(list)
        for p in grams:
            begins = tuple(self.leader.get(q) for q in range(p, p + self.least_from(p) - self.size + 1))
            by_first[begins].append(p)
            least = self.least_up_to(p + self.size)
            ends = tuple(self.leader.get(q) for q in range(p + self.size - least, p + 1))
            if self.least_from(p + self.size - least) != least:
                by_last[ends].append(p)
        for classes, leader in ((by_first, first), (by_last, last)):
            for window, places in classes.items():
                if None not in window and len(places) > 1:
                    leader |= dict.fromkeys(places, places[0])
        return [_Layer(first, lambda p: (0, self.least_from(p) - self.size)),
                _Layer(last, lambda p: (self.least_up_to(p + self.size) - self.size, 0), by_last=True)]

    def equal(self, x: int, y: int) -> bool:
        """Whether two tokens begin equal repeated grams."""
        return x in self.leader and self.leader[x] == self.leader.get(y)

    def least_from(self, begin: int) -> int:
        """Tokens of the shortest repeat that counts and begins with a token."""
        return self._least(itertools.count(begin))

    def least_up_to(self, end: int) -> int:
        """Tokens of the shortest repeat that counts and ends before a token."""
        return self._least(itertools.count(end - 1, -1))

    def halves_of(self, gram: int) -> tuple[int, ...]:
        """What each token of a gram counts; tokens are equal by their hashes, so a word and a character may be by chance."""
        return tuple(max(self.halves[p], 1) if p < len(self.halves) else 2 for p in range(gram, gram + self.size))

    def is_enough(self, begin: int, end: int) -> bool:
        """Whether what begins and ends there counts."""
        return end - begin >= self.least_from(begin)

    def _least(self, places: Iterator[int]) -> int:
        """How many tokens at places are long enough; what is beyond the collection counts as words."""
        count, missing, size = 0, 2 * self.min_tokens, len(self.halves)
        while missing > 0:
            place = next(places)
            missing -= max(self.halves[place], 1) if 0 <= place < size else 2
            count += 1
        return max(self.size, count)

    def segments(self, layer: _Layer) -> Iterator[tuple[list[int], int, list[int]]]:
        """Places of each segment, its grams, and the steps that are left for it and the others whose first place is on the
        same page: what other pages hold changes nothing."""
        self.grown_to.clear()
        self.common.clear()
        for _, own in itertools.groupby(layer.segments(), lambda segment: self.page_of(segment[0][0])):
            of_page = list(own)
            growth = [GROWTH * sum(len(places) * (count + sum(layer.inside(places[0]))) for places, count in of_page)]
            yield from ((places, count, growth) for places, count in of_page)

    def look_at_grams(self, layer: _Layer) -> None:
        """Segments of grams that are too short to count: matches of few places, and those of many that do not count."""
        for places, count, growth in self.segments(layer):
            if len(places) < 2 or self.is_enough(places[0], places[0] + self.size):
                continue  # its first window is this gram
            if len(places) <= self.max_members:
                self.seeds += [(b - a, a) for a, b in itertools.combinations(places, 2)]
            else:
                self.keep_many(layer, layer, places, (0, 0), (0, count - 1), growth, counts=False)

    def look_at(self, layer: _Layer, known_layer: _Layer) -> None:
        """Segments of what counts; `known_layer` has those that were looked at first."""
        self.grow_from_behind(layer)
        for places, count, growth in self.segments(layer):
            if len(places) <= self.max_members:
                self.seeds += [(b - a, a) for a, b in itertools.combinations(places, 2)]
                self.keep_few(places, growth)
                continue
            before, after = layer.inside(places[0])
            self.seeds += [(b - a, a) for a, b in itertools.pairwise(places)
                           if b - a < before + after + self.size and self.page_of(a) == self.page_of(b)]
            known = before, count - 1 + layer.inside(places[0] + count - 1)[1]
            self.keep_many(layer, known_layer, places, (before, after), known, growth, counts=True)

    def grow_from_behind(self, layer: _Layer) -> None:
        """Segments of many places, grown to the right from the last one on, a few steps each: the segment that follows
        one often has the same first place, and is grown already."""
        for places, count in reversed(list(layer.segments())):
            if len(places) > self.max_members and not layer.by_last:
                last = count - 1
                layer.grown[places[0]] = self.grown(layer, places, 0, last + layer.inside(places[0] + last)[1],
                                                    [GROWTH * len(places)], is_to_left=False)

    def keep_few(self, places: list[int], growth: list[int]) -> None:
        """What a few places have in common is a segment, too, where those pairs that have no more in common do not link all
        of them: else a place would be missing that has something more in common with each of the others."""
        if len(places) < 3 or growth[0] <= 0:
            return
        page, shifts = self.page_of(places[0]), [p - places[0] for p in places]
        known, end = self.common.get((page, len(places), shifts[1]), ([], 0))
        if places[0] < end and known == shifts:
            return
        ranges = {pair: self.matched(*pair) for pair in itertools.combinations(places, 2)}
        common = [ranges[places[0], p] for p in places[1:]]
        start, stop = max(a for a, _ in common), min(b for _, b in common)
        grams = stop - start - self.size + 1
        growth[0] -= len(places) * grams
        self.common[page, len(places), shifts[1]] = shifts, start + grams
        if any(b - a < ranges[a, b][1] - ranges[a, b][0] for a, b in itertools.pairwise(places)):
            return  # a stretch that repeats at once
        linked = places[:1]
        for a in linked:
            linked += [b for b in places if b not in linked
                       and ranges[min(a, b), max(a, b)] == (min(a, b) - places[0] + start, min(a, b) - places[0] + stop)]
        if len(linked) < len(places):
            self.keep(places, places[0] - start, stop - start)

    def keep_many(self, layer: _Layer, known_layer: _Layer, places: list[int], named: tuple[int, int],
                  known: tuple[int, int], growth: list[int], *, counts: bool) -> None:
        """A segment of many places, grown to both sides as far as all agree, from the stretch that names it and what it is
        known to have. Where places are nearer to each other than that, it repeats at once: it is cut into periods, and the
        one is kept in which the stretch begins. One that as many places have grown over stands there already. Of grams,
        those that count are found by windows."""
        kept_end, begin, end = self.grown_to.get(len(places), (0, 0, 0))
        if places[0] - named[0] < kept_end and places[0] + named[1] + self.size <= end:
            layer.grown[places[0]] = (places[0] - begin,
                                      max(end - self.size - places[0], layer.grown.get(places[0], (0, 0))[1]))
            return
        before, after = self.grown(known_layer, places, known[0], max(known[1], layer.grown.get(places[0], known)[1]), growth)
        layer.grown[places[0]] = before, after
        begin, end = places[0] - before, places[0] + after + self.size
        apart = min(b - a for a, b in itertools.pairwise(places))
        start, length = begin, end - begin
        if apart < length:
            start += (before - named[0]) // apart * apart
            length = min(max(apart, self.least_from(start)), end - start)
        self.grown_to[len(places)] = start + length, begin, end
        if counts or not self.is_enough(start, start + length):
            self.keep(places, places[0] - start, length)

    def grown(self, layer: _Layer, places: list[int], before: int, after: int, growth: list[int], *,
              is_to_left: bool = True) -> tuple[int, int]:
        """What places have in common, grown to both sides as far as all of them agree: gram by gram, and as far as those go
        on together that the segment has there, which holds these places and more."""
        def all_at(offset: int) -> bool:
            return places[0] + offset in self.leader and len({self.leader.get(p + offset) for p in places}) == 1
        while is_to_left and growth[0] > 0 and all_at(-before - 1):
            before, growth[0] = before + 1, growth[0] - len(places)
            before += layer.known_around(places[0] - before)[0]
        while growth[0] > 0 and all_at(after + 1):
            after, growth[0] = after + 1, growth[0] - len(places)
            at = after + self.size - (self.size if layer.is_grams else self.least_up_to(places[0] + after + self.size))
            after = max(after, at + layer.known_around(places[0] + at)[1])
        return before, after

    def keep(self, places: list[int], before: int, length: int) -> None:
        """A segment of the places that do not overlap an earlier one, if there are two."""
        kept: list[int] = []
        for p in places:
            if not kept or p - before >= kept[-1] + length:
                kept.append(p - before)
        if len(kept) >= 2:
            self.hot.append((kept, length))

    def matched(self, a: int, b: int) -> tuple[int, int]:
        """Where the match of two places that begin equal grams begins and ends, in the text of the first one."""
        begin, end = a, a + 1
        while self.equal(begin - 1, begin - 1 + b - a):
            begin -= 1
        while self.equal(end, end + b - a):
            end += 1
        return begin, end + self.size - 1

    def match_seeds(self) -> None:
        """Every seed grown as far as its two places agree; those of one shift that meet are one."""
        last_shift, reached = -1, -1
        periodic: dict[int, int] = {}  # stretches that repeat at once: first token, end
        for shift, a in sorted(self.seeds):
            if shift == last_shift and a < reached:
                continue
            begin, end = a, a + 1
            while self.equal(begin - 1, begin - 1 + shift):
                begin -= 1
            while self.equal(end, end + shift):
                end += 1
            last_shift, reached = shift, end
            length = end - begin + self.size - 1
            end = begin + shift + length
            around = max((p for p in periodic if p <= begin), default=-1)
            if around >= 0 and periodic[around] >= end:
                continue
            if length <= shift:
                self.matches.append((begin, begin + shift, length))
                continue
            periodic[begin] = max(end, periodic.get(begin, 0))
            self.match_periods(begin, end, shift)

    def match_periods(self, begin: int, end: int, shift: int) -> None:
        """A stretch that repeats at once, each period with the next one, and what is left before and after them: of long ones
        as much as counts."""
        least = self.least_from(begin)
        period, at = -(-least // shift) * shift, begin  # several short ones make one

        is_new = shift >= least  # of short ones what is left is nothing new
        before = len(self.matches)

        def counting(left: int, enough: int) -> int:
            return max(left, enough) if is_new and period + enough <= end - begin else left
        if 2 * period <= end - begin:
            borders = set(self.block_first)
            starts = [p for p in range(begin, begin + (end - begin) % period + 1) if p in borders]
            start = next((p for p in starts if p + period in borders), starts[0] if starts else begin)
            whole = range(start, end - 2 * period + 1, period)
            at = start + len(whole) * period
            self.matches += [(p, p + period, period) for p in whole]
            if start - begin >= self.size:
                self.matches.append((begin, begin + period, counting(start - begin, least)))
        if (left := end - at - period) >= self.size:
            length = counting(left, self.least_up_to(end))
            self.matches.append((end - length - period, end - length, length))
        if not is_new and least > self.size and any(self.is_enough(a, a + length) for a, _, length in self.matches[before:]):
            self.told |= set(range(begin, end))

    def keep_the_rest(self, layers: list[_Layer]) -> None:
        """Tokens of grams or windows that are in nothing found so far that counts: places of one over each are one more
        segment."""
        covered = set(self.told)
        for places, length in [*(([a, b], length) for a, b, length in self.matches), *self.hot]:
            if self.is_enough(places[0], places[0] + length):
                covered |= {token for place in places for token in range(place, place + length)}
        for layer, cover in zip(layers, (self.cover_far, self.cover_one_by_one), strict=False):
            needed: dict[int, list[int]] = defaultdict(list)
            for place in cover(layer, covered):
                needed[layer.leader[place]].append(place)
            for leader, places in sorted(needed.items()):
                before, after = layer.inside(leader)
                length, left = before + after + self.size, sorted(places)
                while left:  # of places that overlap, each is in another segment
                    apart: list[int] = []
                    for p in left:
                        apart += [p] * (not apart or p >= apart[-1] + length)
                    self.hot.append(([p - before for p in self.with_company(apart, layer.members[leader], length)], length))
                    left = [p for p in left if p not in apart]

    def cover_far(self, layer: _Layer, covered: set[int]) -> Iterator[int]:
        """Bare tokens from left to right, each by the last stretch over it that stands elsewhere, too."""
        def end_of(place: int) -> int:
            return place + layer.inside(place)[1] + self.size
        for place in sorted(layer.leader):
            bare = [t for t in range(place, end_of(place)) if t not in covered][:1]
            over = [p for p in range(place, bare[0] + 1) if layer.stands_elsewhere(p, end_of(p) - p)] if bare else []
            if over:
                covered |= set(range(over[-1], end_of(over[-1])))
                yield over[-1]

    def cover_one_by_one(self, layer: _Layer, covered: set[int]) -> Iterator[int]:
        """The same for stretches of any begin, few of them."""
        for place in sorted(layer.leader):
            begin, end = place - layer.inside(place)[0], place + self.size
            if not covered.issuperset(range(begin, end)) and layer.stands_elsewhere(place, end - begin):
                covered |= set(range(begin, end))
                yield place

    def with_company(self, apart: list[int], members: list[int], length: int) -> list[int]:
        """Some members of a class, and company for them: where one stands alone on its page, the first other member there;
        where there is none either, the first member of every other page."""
        by_page: dict[int, list[int]] = defaultdict(list)
        for p in members:
            by_page[self.page_of(p)].append(p)
        kept, lonely = defaultdict[int, list[int]](list), False
        for p in apart:
            kept[self.page_of(p)].append(p)
        for page, places in kept.items():
            if len(places) == 1:
                other = [p for p in by_page[page] if abs(p - places[0]) >= length][:1]
                places += other
                lonely = lonely or not other
        if lonely:
            kept |= {page: places[:1] for page, places in by_page.items() if page not in kept}
        return sorted(itertools.chain(*kept.values()))

    def page_of(self, token: int) -> int:
        return bisect_right(self.page_first, token) - 1
