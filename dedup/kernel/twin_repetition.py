"""Plain twin of ``repetition.hpp``: what the repetition measures of a page are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_tokens import tokenise

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

BLANKS = b" \t\r\f\v"  # at the ends of a line
TOP_SIZES, DUPLICATE_SIZES = range(2, 5), range(5, 11)


def repetition_counts(text: U8, start: I64, end: I64, flags: int = 0) -> I64:
    """What repeats inside each range of a text, as counts; ``docs/page-table.md`` has the conventions.

    Args:
        start, end: Half-open byte ranges, one a page.
        flags: Of the tokeniser.

    Returns:
        18 numbers a range, range after range: lines, those that equal an earlier one, code points of the former, of the
        latter; the same four of paragraphs; code points of all words; of the most frequent run of 2, 3 and 4 words; of
        repeated runs of 5, 6, ... 10 words.

    >>> text = np.frombuffer(b"one two\\none two\\nthree", np.uint8)
    >>> repetition_counts(text, np.array([0]), np.array([21])).tolist()
    [3, 1, 19, 7, 1, 0, 21, 0, 17, 12, 0, 0, 0, 0, 0, 0, 0, 0]
    """
    hashes, token_start, token_end, _, first = tokenise(text, start, end, flags)
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum((text & 0xC0) != 0x80, dtype=np.int64)])
    lengths = before[token_end] - before[token_start]
    out: list[int] = []
    for a, b, lo, hi in zip(start.tolist(), end.tolist(), first.tolist(), first[1:].tolist(), strict=False):
        lines, paragraphs = lines_and_paragraphs(text[a:b].tobytes())
        words, chars = hashes[lo:hi].tolist(), lengths[lo:hi].tolist()
        out += [*_equal_to_earlier(lines), *_equal_to_earlier(paragraphs), sum(chars)]
        out += [_most_frequent(words, chars, size) for size in TOP_SIZES]
        out += [_repeated(words, chars, size) for size in DUPLICATE_SIZES]
    return np.array(out, np.int64)


def lines_and_paragraphs(page: bytes) -> tuple[list[bytes], list[bytes]]:
    """Lines without the blanks at their ends, empty ones left out; and what stands between empty ones."""
    lines, paragraphs, at, open_since, reached = [], [], 0, -1, 0
    for line in page.split(b"\n"):
        bare = line.strip(BLANKS)
        if bare:
            begin = at + len(line) - len(line.lstrip(BLANKS))
            open_since = begin if open_since < 0 else open_since
            reached = begin + len(bare)
            lines.append(bare)
        elif open_since >= 0:
            paragraphs.append(page[open_since:reached])
            open_since = -1
        at += len(line) + 1
    return lines, paragraphs + ([page[open_since:reached]] if open_since >= 0 else [])


def _equal_to_earlier(pieces: Sequence[bytes]) -> list[int]:
    """(pieces, those equal to an earlier one, code points of the former, of the latter)"""
    seen: set[bytes] = set()
    count, chars, total = 0, 0, 0
    for piece in pieces:
        size = sum(byte & 0xC0 != 0x80 for byte in piece)
        total += size
        if piece in seen:
            count, chars = count + 1, chars + size
        seen.add(piece)
    return [len(pieces), count, total, chars]


def _most_frequent(words: Sequence[int], chars: Sequence[int], size: int) -> int:
    """Code points in the places of the most frequent run of words, each counted once; of equally frequent ones the longer
    one's, and of these the first one's."""
    runs = [tuple(words[i:i + size]) for i in range(len(words) - size + 1)]
    count = Counter(runs)
    if max(count.values(), default=0) < 2:
        return 0
    first = {run: i for i, run in reversed(list(enumerate(runs)))}
    top = min(count, key=lambda run: (-count[run], -sum(chars[first[run]:first[run] + size]), first[run]))
    inside = {at for i, run in enumerate(runs) if run == top for at in range(i, i + size)}
    return sum(chars[at] for at in inside)


def _repeated(words: Sequence[int], chars: Sequence[int], size: int) -> int:
    """Code points of the runs of words that stand before; where one does, the search goes on behind it."""
    seen: set[tuple[int, ...]] = set()
    at, total = 0, 0
    while at + size <= len(words):
        run = tuple(words[at:at + size])
        if run in seen:
            total += sum(chars[at:at + size])
            at += size
        else:
            seen.add(run)
            at += 1
    return total
