"""Plain twin of ``runs.hpp``: links joined to runs.

Tokens are numbered through the whole collection, page after page.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from dedup.kernel.twin_sets import I64, U64

U8 = npt.NDArray[np.uint8]

MAX_GAP_HALVES = 80  # gap from block to block, in half tokens
MAX_GAP_BLOCKS = 3
FOR_EDITED, FOR_LEFT_OUT = 2, 4  # matched tokens of a run, at least, for each of an edit / of a block that is left out
FAR_LONGER = 4  # times: what such a link holds, no other run goes on with behind a gap
LOOK_BACK = 50  # links tried as predecessor of one
OPEN_LINKS = 64  # links that may absorb a later one


class Link(Struct, frozen=True):
    """Half-open token ranges in two places that are alike, a before b but where the link is turned."""

    page_a: int
    page_b: int
    a0: int
    a1: int
    b0: int
    b1: int
    exact: bool

    @property
    def key(self) -> tuple[int, ...]:
        return (self.page_a, self.page_b, self.a0, self.b0, -self.a1, -self.b1, not self.exact)

    @property
    def length(self) -> int:
        return min(self.a1 - self.a0, self.b1 - self.b0)

    @property
    def turned(self) -> Link:
        return Link(self.page_b, self.page_a, self.b0, self.b1, self.a0, self.a1, self.exact)

    def inside(self, other: Link) -> bool:
        return (self.a0 >= other.a0 and self.a1 <= other.a1 and self.b0 >= other.b0 and self.b1 <= other.b1)


class Run(Struct, frozen=True):
    """Links in order: the ranges they span, the matched stretches, whether it is more than its first link."""

    whole: Link
    parts: list[Link]
    joined: bool

    @property
    def turned(self) -> Run:
        return Run(self.whole.turned, [part.turned for part in self.parts], self.joined)


def join_links(a0: I64, a1: I64, b0: I64, b1: I64, exact: U8, block_first: I64, halves: I64, fingerprint: U64,
               headline: U8, page_first: I64, page_digest: U64, max_edit: int, low: int,
               high: int) -> tuple[I64, I64, I64, I64, U8, U8, I64, I64, I64, I64, I64]:
    """Join links between the same two pages that follow each other, in order and close together, to passages.

    Args:
        a0, a1, b0, b1: Token ranges of each link, a before b.
        exact: Whether its two texts are equal, 0 or 1.
        block_first: First token of each block, one longer than the blocks.
        halves: Length of each block in half tokens.
        fingerprint: Of each block.
        headline: Whether each block is the headline of its page, 0 or 1: a passage of two pages does not go over both.
        page_first: First block of each page, one longer than the pages.
        page_digest: Of the text of each page: links that cross are chained by their places in the text of the lesser one.
        max_edit: Widest gap inside a passage, in tokens: an edit.
        low, high: Only links whose a0 is in this range are joined.

    Returns:
        Passages (a0, a1, b0, b1, exact, whether it is more than one of the links), the first part of each (one longer),
        and parts (a0, a1, b0, b1): stretches that lie between blocks which were left out.
    """
    if page_first[0] != 0 or page_first[-1] != len(fingerprint):
        raise ValueError("page_first: each block is on a page")
    joiner = _Joiner(block_first.tolist(), halves.tolist(), fingerprint.tolist(), headline.tolist(), page_first.tolist(),
                     max_edit)
    by_pages: dict[tuple[int, int], list[Link]] = defaultdict(list)
    columns = (column.tolist() for column in (a0, a1, b0, b1, exact.astype(bool)))
    links = [Link(joiner.page_of(a), joiner.page_of(b), a, a_end, b, b_end, equal)
             for a, a_end, b, b_end, equal in zip(*columns, strict=True) if low <= a < high]
    for link in links:
        by_pages[link.page_a, link.page_b].append(link)
    runs: list[Run] = []
    for pages in sorted(by_pages):
        turned = bool(page_digest[pages[1]] < page_digest[pages[0]])
        found = joiner.passages([link.turned for link in by_pages[pages]] if turned else by_pages[pages])
        runs += sorted((run.turned for run in found) if turned else found, key=lambda run: run.whole.key)
    parts = [part for run in runs for part in run.parts]
    first = np.cumsum([0, *(len(run.parts) for run in runs)])

    def column(rows: list[Link], name: str) -> I64:
        return np.array([getattr(row, name) for row in rows], np.int64)
    whole = [run.whole for run in runs]
    return (column(whole, "a0"), column(whole, "a1"), column(whole, "b0"), column(whole, "b1"),
            np.array([run.exact for run in whole], np.uint8), np.array([run.joined for run in runs], np.uint8),
            first.astype(np.int64), column(parts, "a0"), column(parts, "a1"), column(parts, "b0"), column(parts, "b1"))


def absorbed(links: list[Link]) -> list[Link]:
    """The links, sorted, without those that lie inside an earlier one that is still open, in both places."""
    kept: list[Link] = []
    open_: list[Link] = []
    for link in sorted(links, key=lambda link: link.key):
        open_ = [o for o in open_ if o.a1 > link.a0]
        if any(link.inside(o) for o in open_):
            continue
        kept.append(link)
        if len(open_) < OPEN_LINKS:
            open_.append(link)
    return kept


def outweighs(x: int, y: int, gap: int) -> bool:
    """Whether two matched stretches suffice to bridge blocks that are not: the longer one is no shorter than the gap."""
    return gap <= max(x, y) and gap <= 4 * min(x, y)


def cut_off(parts: list[Link], other: list[Link]) -> list[Link]:
    """The parts of a run without those at its ends that lie in a part of another one."""
    outside = [i for i, part in enumerate(parts) if not any(part.inside(q) for q in other)]
    return parts[outside[0]:outside[-1] + 1] if outside else []


class _Joiner:
    """Joins the links of one pair of pages."""

    def __init__(self, block_first: list[int], halves: list[int], fingerprint: list[int], headline: list[int],
                 page_first: list[int], max_edit: int) -> None:
        self.block_first, self.halves, self.fingerprint = block_first, halves, fingerprint
        self.headline, self.page_first = headline, page_first
        self.max_edit = max_edit

    def passages(self, links: list[Link]) -> list[Run]:
        """The runs of one pair of pages, those inside another one without the ends that lie in its parts."""
        runs: list[Run] = []
        open_: list[Run] = []
        for run in sorted(self.chain(absorbed(links)), key=lambda run: run.whole.key):
            open_ = [o for o in open_ if o.whole.a1 > run.whole.a0]
            around, parts = [o for o in open_ if run.whole.inside(o.whole)], run.parts
            for other in around:
                parts = cut_off(parts, other.parts)
            if not parts:
                continue
            first, last = parts[0], parts[-1]
            whole = replace(run.whole, a0=first.a0, b0=first.b0, a1=last.a1, b1=last.b1)
            runs.append(replace(run, whole=whole, parts=parts))
            if len(open_) < OPEN_LINKS:
                open_.append(runs[-1])
        return sorted(runs, key=lambda run: run.whole.key)

    def at_border(self, token: int) -> bool:
        return self.block_first[bisect_left(self.block_first, token)] == token

    def block_of(self, token: int) -> int:
        return bisect_right(self.block_first, token) - 1

    def page_of(self, token: int) -> int:
        return bisect_right(self.page_first, self.block_of(token)) - 1

    def blocks_between(self, begin: int, end: int) -> int:
        blocks = 0
        while begin < end:
            begin = self.block_first[bisect_right(self.block_first, begin)]
            blocks += 1
        return blocks

    def halves_between(self, begin: int, end: int) -> int:
        """Half tokens of the blocks that lie in [begin, end), both being borders."""
        return sum(self.halves[self.block_of(begin):self.block_of(end - 1) + 1]) if begin < end else 0

    def tokens(self, block: int) -> int:
        return self.block_first[block + 1] - self.block_first[block]

    def holds_headline(self, begin: int, end: int) -> bool:
        """Whether a headline lies in [begin, end) as a whole."""
        first = self.block_first
        return any(self.headline[b] and begin <= first[b] < first[b + 1] <= end for b in range(len(self.headline)))

    def bridges_blocks(self, x: Link, y: Link) -> bool:
        return all(map(self.at_border, (x.a1, y.a0, x.b1, y.b0)))

    def join_cost(self, x: Link, y: Link) -> int | None:
        if y.a0 < x.a0 or y.b0 < x.b0 or y.a1 <= x.a1 or y.b1 <= x.b1:
            return None
        gap_a, gap_b = y.a0 - x.a1, y.b0 - x.b1
        if gap_a < 0 or gap_b < 0:
            overlap, drift = -min(gap_a, gap_b), abs(gap_a - gap_b)
            progress = overlap < min(x.length, y.length)
            return drift if drift <= min(self.max_edit, x.length, y.length) and progress else None
        if x.page_a != x.page_b and self.holds_headline(x.a1, y.a0) and self.holds_headline(x.b1, y.b0):
            return None
        wider = max(gap_a, gap_b)
        if wider > min(self.max_edit, x.length, y.length) and (
                not outweighs(x.length, y.length, wider) or not self.bridges_blocks(x, y)
                or max(self.halves_between(x.a1, y.a0), self.halves_between(x.b1, y.b0)) > MAX_GAP_HALVES
                or max(self.blocks_between(x.a1, y.a0), self.blocks_between(x.b1, y.b0)) > MAX_GAP_BLOCKS):
            return None
        return gap_a + gap_b

    def chain(self, links: list[Link]) -> list[Run]:
        previous: list[int | None] = [None] * len(links)
        following: list[tuple[int, int] | None] = [None] * len(links)  # (cost, link)
        for i, link in enumerate(links):
            best = None
            for j in range(i - 1, max(0, i - LOOK_BACK) - 1, -1):
                cost = self.join_cost(links[j], link)
                if cost is None:
                    continue
                if best is None or cost < best:
                    best, previous[i] = cost, j
                held = following[j]
                if held is None or cost < held[0]:
                    following[j] = (cost, i)
        runs, used = [], [False] * len(links)
        for i, link in enumerate(links):
            if used[i]:
                continue
            run, parts, at, used[i] = link, [link], i, True
            matched, needed = link.length, 0
            while (held := following[at]) is not None and previous[held[1]] == at:
                more = links[held[1]]
                if used[held[1]] or (run.page_a == run.page_b and more.a1 > run.b0):
                    break
                gap = max(0, more.a0 - run.a1, more.b0 - run.b1)
                needed += gap * (FOR_LEFT_OUT if self.bridges_blocks(run, more) else FOR_EDITED)
                matched += more.length
                if needed > matched:
                    break
                at, used[held[1]] = held[1], True
                run, parts = self.add_after(run, parts, more)
            run, parts = self.extend(run, parts, links)
            runs.append(Run(run, parts, (run.a0, run.a1, run.b0, run.b1) != (link.a0, link.a1, link.b0, link.b1)))
        return runs

    def add_after(self, run: Link, parts: list[Link], more: Link) -> tuple[Link, list[Link]]:
        overlap = max(0, run.a1 - more.a0, run.b1 - more.b0)
        more = replace(more, a0=more.a0 + overlap, b0=more.b0 + overlap)
        last, exact = parts[-1], run.exact and more.exact
        touches = more.a0 == last.a1 and more.b0 == last.b1
        if touches or not self.bridges_blocks(last, more):  # an edit, not a block that is left out
            joined = replace(last, a1=more.a1, b1=more.b1, exact=last.exact and more.exact and touches)
            return replace(run, a1=more.a1, b1=more.b1, exact=exact and joined.exact), [*parts[:-1], joined]
        return replace(run, a1=more.a1, b1=more.b1, exact=exact), [*parts, more]

    def extend(self, run: Link, parts: list[Link], links: list[Link]) -> tuple[Link, list[Link]]:
        a_low, a_high = self.page_first[run.page_a:run.page_a + 2]
        b_low, b_high = self.page_first[run.page_b:run.page_b + 2]
        one_page = run.page_a == run.page_b
        while self.at_border(run.a1) and self.at_border(run.b1):
            a_end = self.block_of(run.b0) if one_page else a_high
            found = self.next_equal(parts[-1], range(self.block_of(run.a1 - 1) + 1, a_end),
                                    range(self.block_of(run.b1 - 1) + 1, b_high))
            if found is None:
                break
            more = self.piece(found, run)
            if (more.a0 > run.a1 or more.b0 > run.b1) and self.is_held(links, run, more):
                break
            run, parts = self.add_after(run, parts, more)
        while self.at_border(run.a0) and self.at_border(run.b0):
            b_start = self.block_of(run.a1 - 1) + 1 if one_page else b_low
            found = self.next_equal(parts[0], range(self.block_of(run.a0) - 1, a_low - 1, -1),
                                    range(self.block_of(run.b0) - 1, b_start - 1, -1))
            if found is None:
                break
            more, head = self.piece(found, run), parts[0]
            if (more.a1 < run.a0 or more.b1 < run.b0) and self.is_held(links, run, more):
                break
            run = replace(run, a0=more.a0, b0=more.b0)
            if (more.a1, more.b1) == (head.a0, head.b0):
                parts = [replace(head, a0=more.a0, b0=more.b0), *parts[1:]]
            else:
                parts = [more, *parts]
        return run, parts

    def is_held(self, links: list[Link], run: Link, more: Link) -> bool:
        """Whether equal blocks behind a gap are held by a link that is far longer than the run: they are that one's."""
        before = bisect_right(links, more.a0, key=lambda link: link.a0)
        return any(link.length > FAR_LONGER * run.length and more.inside(link)
                   for link in links[max(0, before - LOOK_BACK):before])

    def next_equal(self, last: Link, blocks_a: range, blocks_b: range) -> tuple[int, int] | None:
        gap_a = halves_a = seen_a = 0
        headline_a, one_page = False, last.page_a == last.page_b
        for i in blocks_a:
            if not self.tokens(i):
                continue
            gap_b = halves_b = seen_b = 0
            headline_b = False
            for j in blocks_b:
                if not self.tokens(j):
                    continue
                if self.fingerprint[i] == self.fingerprint[j] and outweighs(last.length, self.tokens(i),
                                                                                max(gap_a, gap_b)):
                    return i, j
                headline_b = headline_b or bool(self.headline[j])
                if not one_page and headline_a and headline_b:
                    break
                gap_b, halves_b, seen_b = gap_b + self.tokens(j), halves_b + self.halves[j], seen_b + 1
                if seen_b > MAX_GAP_BLOCKS or halves_b > MAX_GAP_HALVES:
                    break
            headline_a = headline_a or bool(self.headline[i])
            gap_a, halves_a, seen_a = gap_a + self.tokens(i), halves_a + self.halves[i], seen_a + 1
            if seen_a > MAX_GAP_BLOCKS or halves_a > MAX_GAP_HALVES:
                break
        return None

    def piece(self, found: tuple[int, int], run: Link) -> Link:
        (a0, a1), (b0, b1) = (self.block_first[block:block + 2] for block in found)
        return Link(run.page_a, run.page_b, a0, a1, b0, b1, exact=True)
