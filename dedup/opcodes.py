"""The word diff of two texts: which words are equal, replaced, deleted or inserted, in bounded work.

Long texts are cut where both have the same eight words, once in each: between the cuts the words are aligned with
rapidfuzz. What lies between two cuts and is still too much to be aligned is one replacement.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein

from dedup.kernel import kernel
from dedup.model import Opcode, Tag

I64 = npt.NDArray[np.int64]

MAX_CELLS = 400_000_000  # pairs of words that are aligned at once
ANCHOR_WORDS = 8  # of a run by which long texts are cut


def word_opcodes(a: str, b: str, start_a: int = 0, start_b: int = 0) -> list[Opcode]:
    """How to make b out of a, word by word; words are equal as everywhere: case and punctuation do not count.

    The ranges follow each other without gaps, as difflib's do: what stands behind a word belongs to it, what stands
    before the first word to that one.

    Args:
        start_a, start_b: Offsets of the texts, added to all ranges.

    >>> word_opcodes("on Monday the vote", "On Friday the vote")
    [('equal', 0, 3, 0, 3), ('replace', 3, 10, 3, 10), ('equal', 10, 18, 10, 18)]
    """
    if a == b:
        return [("equal", start_a, start_a + len(a), start_b, start_b + len(b))] if a else []
    (hash_a, edge_a), (hash_b, edge_b) = _words(a), _words(b)
    _, number = np.unique(np.concatenate([hash_a, hash_b]), return_inverse=True)
    codes = _joined(_aligned(number[:len(hash_a)].astype(np.int64), number[len(hash_a):].astype(np.int64)))
    if not codes and (a or b):  # no words at all
        codes = [("equal" if a and b else "delete" if a else "insert", 0, 0, 0, 0)]
    return [(tag, int(edge_a[a0]) + start_a, int(edge_a[a1] if i + 1 < len(codes) else len(a)) + start_a,
             int(edge_b[b0]) + start_b, int(edge_b[b1] if i + 1 < len(codes) else len(b)) + start_b)
            for i, (tag, a0, a1, b0, b1) in enumerate(codes)]


def opcodes_of_equal(a: str, b: str, start_a: int, start_b: int, parts_a: Sequence[tuple[int, int]] | None,
                     parts_b: Sequence[tuple[int, int]] | None) -> list[Opcode]:
    """The word diff of texts whose parts are equal as they were compared, digits or accents folded: only gaps can differ.

    Args:
        start_a, start_b: Offsets of the texts.
        parts_a, parts_b: Matched stretches, with offsets, in step; ``None`` where all is one.
    """
    codes, at_a, at_b = list[Opcode](), start_a, start_b
    whole_a, whole_b = (start_a, start_a + len(a)), (start_b, start_b + len(b))
    for (a0, a1), (b0, b1) in zip(parts_a or [whole_a], parts_b or [whole_b], strict=True):
        codes += word_opcodes(a[at_a - start_a:a0 - start_a], b[at_b - start_b:b0 - start_b], at_a, at_b)
        codes.append(("equal", a0, a1, b0, b1))
        at_a, at_b = a1, b1
    return _joined(iter(codes))


def _words(text: str) -> tuple[npt.NDArray[np.uint64], I64]:
    """The hash of each word, and where it begins in code points; the first one at 0, and the length behind the last."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    whole = np.array([0], np.int64), np.array([len(data)], np.int64)
    words = kernel.hash_tokens(data, *whole)[0]
    start = kernel.token_edges(data, *whole, 0, np.zeros(len(words), np.int64), np.arange(len(words)))[0]
    edge = np.append(kernel.code_points(data, start), len(text)) if len(words) else np.array([len(text)], np.int64)
    edge[0] = 0
    return words, edge


def _aligned(a: I64, b: I64) -> Iterator[Opcode]:
    """Opcodes of two sequences of numbers; long ones are cut first."""
    left, right = _common_ends(a, b)
    end_a, end_b = len(a) - right, len(b) - right
    equal = [(0, 0, left), (end_a, end_b, right)]
    if (end_a - left) * (end_b - left) > MAX_CELLS:
        equal[1:1] = [(x + left, y + left, length) for x, y, length in anchors(a[left:end_a], b[left:end_b])]
    a0 = b0 = 0
    for a1, b1, length in equal:
        if (a1 - a0) * (b1 - b0) > MAX_CELLS:
            yield "replace", a0, a1, b0, b1
        elif a1 > a0 or b1 > b0:
            for code in Levenshtein.opcodes(a[a0:a1].tolist(), b[b0:b1].tolist()):
                yield (cast(Tag, code.tag), a0 + code.src_start, a0 + code.src_end, b0 + code.dest_start, b0 + code.dest_end)
        a0, b0 = a1 + length, b1 + length
        if length:
            yield "equal", a1, a0, b1, b0


def _common_ends(a: I64, b: I64) -> tuple[int, int]:
    """How many numbers at the beginning and at the end both have."""
    least = min(len(a), len(b))
    differ = np.flatnonzero(a[:least] != b[:least])
    left = int(differ[0]) if len(differ) else least
    rest = least - left
    differ = np.flatnonzero(a[len(a) - rest:][::-1] != b[len(b) - rest:][::-1])
    return left, int(differ[0]) if len(differ) else rest


def anchors(a: I64, b: I64) -> list[tuple[int, int, int]]:
    """Equal stretches around runs that stand once in each, ascending in both: place in a, place in b, length."""
    once = []
    for side in (a, b):
        key = np.zeros(max(len(side) - ANCHOR_WORDS + 1, 0), np.uint64)
        for n in range(ANCHOR_WORDS):
            key = (key ^ side[n:n + len(key)].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        value, place, count = np.unique(key, return_index=True, return_counts=True)
        once.append((value[count == 1], place[count == 1]))
    _, in_a, in_b = np.intersect1d(once[0][0], once[1][0], assume_unique=True, return_indices=True)
    x, y = once[0][1][in_a], once[1][1][in_b]
    order = np.argsort(x)
    x, y = x[order], y[order]
    first = np.ones(len(x), bool)  # of the anchors that follow each other word by word
    first[1:] = (np.diff(x) != 1) | (np.diff(y) != 1)
    begin = np.flatnonzero(first)
    words = np.diff(np.append(begin, len(x)))
    chain = ascending(y[begin], words)
    x, y, length = x[begin[chain]], y[begin[chain]], words[chain] + ANCHOR_WORDS - 1
    length[:-1] = np.minimum(length[:-1], np.minimum(np.diff(x), np.diff(y)))  # none reaches into the next one
    return list(zip(x.tolist(), y.tolist(), length.tolist(), strict=True))


def ascending(place: I64, words: I64) -> list[int]:
    """Rows of stretches whose places ascend: the chain with the most words."""
    ends, most, last, before = [-1], [0], [-1], list[int]()  # of chains: place of the end, words, row of the end
    for i, (y, own) in enumerate(zip(place.tolist(), words.tolist(), strict=True)):
        at = bisect.bisect_left(ends, y)
        before.append(last[at - 1])
        total = most[at - 1] + own
        worse = bisect.bisect_right(most, total, at)  # they end later and have no more words
        ends[at:worse], most[at:worse], last[at:worse] = [y], [total], [i]
    chain, i = list[int](), last[-1]
    while i >= 0:
        chain.append(i)
        i = before[i]
    return chain[::-1]


def _joined(codes: Iterator[Opcode]) -> list[Opcode]:
    """Neighbours of one kind made one."""
    out = list[Opcode]()
    for tag, a0, a1, b0, b1 in codes:
        if out and out[-1][0] == tag:
            out[-1] = (tag, out[-1][1], a1, out[-1][3], b1)
        else:
            out.append((tag, a0, a1, b0, b1))
    return out


__all__ = ["Opcode", "Tag", "word_opcodes"]
