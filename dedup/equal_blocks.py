"""Blocks with equal normalised text: collapsed into classes, compared and not only hashed; and the short ones of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import begins_new, rows_of
from dedup.corpus import Corpus
from dedup.kernel import kernel
from dedup.order import in_order, order_of

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TOGETHER = 256  # pairs of blocks that are compared at a time: memory may be bounded


class Distinct(Struct, frozen=True):
    """Equal blocks collapsed: what is compared once, and where it stands.

    Attributes:
        block: First block of each class of equal blocks, ascending.
        member: Blocks of all classes, class after class, ascending in each.
        first: Where each class begins in `member`, one longer than the classes.
    """

    block: I64
    member: I64
    first: I64


def collapse_equal(corpus: Corpus, blocks: I64, equal: Callable[[I64, I64], Flags] | None = None) -> Distinct:
    """Classes of blocks with equal normalised text, compared and not only hashed.

    Args:
        blocks: The blocks to collapse, ascending.
        equal: Says whether blocks have the texts of others; ``None``: ``equal_blocks``.
    """
    order = order_of(corpus.fingerprint[blocks])
    ordered = blocks[order]
    new = begins_new(corpus.fingerprint[ordered])
    leader = ordered[new][new.cumsum() - 1] if len(ordered) else ordered
    same = np.ones(len(ordered), bool)
    copies = rows_of(~new)
    same[copies] = (equal or partial(equal_blocks, corpus))(leader[copies], ordered[copies])
    leader = np.where(same, leader, ordered)  # a collision of fingerprints stands alone
    order = in_order(leader << 32 | ordered)
    leader, member = leader[order], ordered[order]
    new = begins_new(leader)
    return Distinct(leader[new], member, np.append(rows_of(new), len(member)).astype(np.int64))


def equal_blocks(corpus: Corpus, one: I64, other: I64) -> Flags:
    """Whether blocks have the normalised texts of others."""
    same = np.ones(len(one), bool)
    order = in_order(other)  # places are all over the text
    for at in range(0, len(order), TOGETHER):
        rows = order[at:at + TOGETHER]
        a, b = one[rows], other[rows]
        same[rows] = kernel.equal_tokens(corpus.text, corpus.start[a], corpus.end[a], corpus.text,
                                         corpus.start[b], corpus.end[b], corpus.flags) == 1
        kernel.relieve_memory()
    return same


def small_repeats(corpus: Corpus, min_halves: int) -> Iterator[tuple[int, I64]]:
    """Short blocks that stand more than once on their page: (page, blocks)."""
    page = corpus.block_page
    short = rows_of((corpus.halves > 0) & (corpus.halves < min_halves))
    order = short[np.lexsort((short, corpus.fingerprint[short], page[short]))]
    if not len(order):
        return
    new = begins_new(corpus.fingerprint[order], page[order])
    for members in np.split(order, rows_of(new)[1:]):
        if len(members) > 1:
            yield int(page[members[0]]), members
