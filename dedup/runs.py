"""Stage 8, first half: verified links between the same two pages that follow each other become one passage.

A run bridges edits of at most 16 tokens, and at most 3 unmatched or elsewhere-matched blocks of 40 tokens in sum; equal
short blocks extend it. What lies inside a longer passage in both places is absorbed by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.blocks import Corpus, Distinct, sums
from dedup.kernel import kernel
from dedup.options import Scope
from dedup.places import page_of, token_halves
from dedup.seeds import Repeats

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

MAX_COPIES = 64  # pairs of copies of two near classes that are all linked; of more, the first of each


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs of token ranges that are alike, a before b; `exact` where their texts are equal."""

    a0: I64
    a1: I64
    b0: I64
    b1: I64
    exact: U8

    def take(self, rows: npt.NDArray[np.bool_]) -> Links:
        """Some of the rows."""
        return Links(self.a0[rows], self.a1[rows], self.b0[rows], self.b1[rows], self.exact[rows])


@dataclass(frozen=True, slots=True)
class Passages:
    """Joined links; the matched stretches of passage i are its parts ``first[i]`` to ``first[i + 1]``, in step."""

    whole: Links
    first: I64
    parts: Links

    def take(self, rows: npt.NDArray[np.bool_]) -> Passages:
        """Some of the rows, with their parts."""
        counts = np.diff(self.first)
        return Passages(self.whole.take(rows), sums(counts[rows]),
                        self.parts.take(np.repeat(rows, counts)))


def repeat_links(repeats: Repeats) -> Links:
    """The matches of two places as links."""
    return Links(repeats.a, repeats.a + repeats.length, repeats.b, repeats.b + repeats.length,
                 np.ones(len(repeats.a), np.uint8))


def near_links(corpus: Corpus, distinct: Distinct, a: I64, b: I64) -> Links:
    """Near pairs of classes of equal blocks as links between the blocks.

    All copies are linked with all where they are few, else the first of each class.
    """
    counts = np.diff(distinct.first)
    few = counts[a] * counts[b] <= MAX_COPIES
    times = np.where(few, counts[a] * counts[b], 1)
    row = np.repeat(np.arange(len(a)), times)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    wide = np.where(few, counts[b], 1)[row]
    block_a = distinct.member[distinct.first[a[row]] + nth // wide]
    block_b = distinct.member[distinct.first[b[row]] + nth % wide]
    block_a, block_b = np.minimum(block_a, block_b), np.maximum(block_a, block_b)
    first = corpus.token_first
    return Links(first[block_a], first[block_a + 1], first[block_b], first[block_b + 1], np.zeros(len(row), np.uint8))


def concatenated(*parts: Links) -> Links:
    """Links one after the other."""
    a0, a1, b0, b1 = (np.concatenate([getattr(p, name) for p in parts]) for name in ("a0", "a1", "b0", "b1"))
    return Links(a0, a1, b0, b1, np.concatenate([p.exact for p in parts]))


def in_scope(corpus: Corpus, links: Links, scope: Scope) -> Links:
    """Links inside one page, across pages, or both."""
    if scope == "both":
        return links
    same = page_of(corpus, links.a0) == page_of(corpus, links.b0)
    return links.take(same if scope == "within" else ~same)


def join_runs(corpus: Corpus, links: Links, min_tokens: int) -> Passages:
    """Passages made of the links; those whose matched parts are under `min_tokens` on a side are dropped."""
    a0, a1, b0, b1, exact, first, p0, p1, q0, q1 = kernel.join_links(
        links.a0, links.a1, links.b0, links.b1, page_of(corpus, links.a0), page_of(corpus, links.b0), links.exact,
        corpus.token_first, corpus.fingerprint, corpus.page_first)
    passages = Passages(Links(a0, a1, b0, b1, exact), first, Links(p0, p1, q0, q1, np.zeros(len(p0), np.uint8)))
    long_enough = np.ones(len(a0), bool)
    for t0, t1 in ((p0, p1), (q0, q1)):
        halves = token_halves(corpus, t1) - token_halves(corpus, t0)
        long_enough &= np.add.reduceat(halves, first[:-1]) >= 2 * min_tokens if len(a0) else True
    return passages.take(long_enough)
