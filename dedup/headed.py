"""Stage 7, end: edited passages of one page take in the headlines before both copies, where these are short and alike.

A headline of few words is found where it is equal; an edited one has too little that could be found by itself. Before
copies of the same text, half of its words are enough. And edited passages let go of a label behind one copy, which an
alignment takes in for the sake of one word: "Read more" below a text that ends with "more" in the other copy.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from dedup.aligned import Aligned
from dedup.bags import Bags
from dedup.columns import rows_of
from dedup.copies import PARAGRAPH_HALVES, is_headline
from dedup.corpus import Corpus
from dedup.places import block_of, page_of
from dedup.runs import Links, Passages

I64 = npt.NDArray[np.int64]

LEAST_TOKENS = 40  # of what stands behind them: as much as a section has
LEAST_WORDS, LEAST_SHARE = 2, 0.5  # that two headlines have in common: words, and of the shorter one; a label has more


def headed_passages(corpus: Corpus, passages: Passages) -> Passages:
    """Joined runs with the headlines before them."""
    rows, a0, b0 = _headed(corpus, passages.whole)
    if not len(rows):
        return passages
    whole, parts = passages.whole, passages.parts
    part = passages.first[rows]
    passages = Passages(_beginning(whole, rows, a0, b0), passages.first, _beginning(parts, part, a0, b0))
    return passages.in_order(np.lexsort((passages.whole.b0, passages.whole.a0)))


def headed_aligned(corpus: Corpus, bags: Bags, aligned: Aligned) -> Aligned:
    """Rectangles with the headlines before them, measured again."""
    rows, a0, b0 = _headed(corpus, aligned.links)
    if not len(rows):
        return aligned
    links, dice, evidence = _beginning(aligned.links, rows, a0, b0), aligned.dice.copy(), aligned.evidence.copy()
    dice[rows], evidence[rows] = bags.measure(corpus, links.take(rows))
    return replace(aligned, links=links, dice=dice, evidence=evidence)


def without_labels(corpus: Corpus, bags: Bags, aligned: Aligned) -> Aligned:
    """Rectangles of one page without a label behind one side, of whose words the end of the other one has half at most."""
    links = aligned.links
    ends = [_before_label(corpus, *side) for side in ((links.a0, links.a1, links.b1), (links.b0, links.b1, links.a1))]
    of_page = [corpus.block_page[block_of(corpus, t0)] for t0 in (links.a0, links.b0)]
    rows = rows_of((links.exact == 0) & (of_page[0] == of_page[1]) & ((ends[0] < links.a1) | (ends[1] < links.b1)))
    if not len(rows):
        return aligned
    first, second, dice, evidence = links.a1.copy(), links.b1.copy(), aligned.dice.copy(), aligned.evidence.copy()
    first[rows], second[rows] = ends[0][rows], ends[1][rows]
    links = replace(links, a1=first, b1=second)
    dice[rows], evidence[rows] = bags.measure(corpus, links.take(rows))
    return replace(aligned, links=links, dice=dice, evidence=evidence)


def _before_label(corpus: Corpus, t0: I64, t1: I64, other: I64) -> I64:
    """The end of each of some ranges, before a label in which it ends as a whole and the other side does not.

    Args:
        other: The end of the other side.
    """
    first, halves = corpus.token_first, corpus.halves
    last, text = block_of(corpus, t1 - 1), block_of(corpus, other - 1)
    asked = rows_of((first[last] > t0) & (first[last + 1] == t1) & (halves[last] < PARAGRAPH_HALVES)
                    & (halves[text] >= PARAGRAPH_HALVES))
    end = t1.copy()
    for row, label, block in zip(asked.tolist(), last[asked].tolist(), text[asked].tolist(), strict=True):
        words, around = _words(corpus, label), 2 * int(first[label + 1] - first[label])
        if len(words & _words(corpus, block, around if first[block + 1] == other[row] else None)) <= LEAST_SHARE * len(words):
            end[row] = first[label]
    return end


def _beginning(links: Links, rows: I64, a0: I64, b0: I64) -> Links:
    """The links, some of which begin earlier."""
    first, second = links.a0.copy(), links.b0.copy()
    first[rows], second[rows] = a0, b0
    return replace(links, a0=first, b0=second)


def _headed(corpus: Corpus, links: Links) -> tuple[I64, I64, I64]:
    """Links of edited text that stand behind headlines of their page that are alike, and where these begin on both sides."""
    rows = rows_of((links.exact == 0) & (np.minimum(links.a1 - links.a0, links.b1 - links.b0) >= LEAST_TOKENS))
    page = page_of(corpus, links.a0[rows])
    inside = page == page_of(corpus, links.b0[rows])
    rows, page = rows[inside], page[inside]
    if not len(rows):
        return rows, rows, rows
    heads = []
    for t0 in (links.a0[rows], links.b0[rows]):
        block = block_of(corpus, t0)
        begins = corpus.token_first[block] == t0
        heads.append(np.where(begins, block - 1, block))  # some begin with the last words of the headline
    (a, b), first, halves = heads, corpus.token_first, corpus.halves
    asked = (a >= corpus.page_first[page]) & (first[b] >= links.a1[rows])
    for head in (a, b):
        asked &= (halves[head] > 0) & (halves[head] < PARAGRAPH_HALVES)
        asked &= halves[np.minimum(head + 1, len(halves) - 1)] >= PARAGRAPH_HALVES
    pairs = zip(*(column[asked].tolist() for column in (page, a, b)), strict=True)
    asked[asked] = [_are_alike(corpus, *pair) for pair in pairs]
    return rows[asked], first[a[asked]], first[b[asked]]


def _are_alike(corpus: Corpus, page: int, a: int, b: int) -> bool:
    """Whether two blocks are headlines that have half of their words in common, two at least."""
    if not (is_headline(corpus, page, a) and is_headline(corpus, page, b)):
        return False
    one, other = (_words(corpus, block) for block in (a, b))
    shared = len(one & other)
    return shared >= LEAST_WORDS and shared >= LEAST_SHARE * min(len(one), len(other))


def _words(corpus: Corpus, block: int, last: int | None = None) -> set[str]:
    """The words of a block, or so many last ones; its characters, where the script has no spaces."""
    text = corpus.block_text(block).casefold()
    words = re.findall(r"\w+", text)
    spaced = len(words) >= int(corpus.token_first[block + 1] - corpus.token_first[block])
    words = words if spaced else re.findall(r"\w", text)
    return set(words if last is None else words[-last:])
