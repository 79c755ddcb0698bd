"""Plain twin of ``sentences.hpp``."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_tokens import check_ranges

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

SHORT_WORD = 3  # bytes of a capitalised word that may be an abbreviation
_WIDE = "。|！|？".encode()
_STOP = re.compile(rb"(?P<wide>" + _WIDE + rb")|[.!?]")
_MARKS = re.compile(rb"(?:[.!?\"')\]}]|" + "»|”|’|」|』|）|".encode() + _WIDE + rb")*")
_BLANKS = re.compile(rb"[ \t-\r]*")
_BEFORE_WORD = (b" ", b"\t", b"\n", b"\v", b"\f", b"\r", b"(", b'"')


def sentences(text: U8, start: I64, end: I64) -> tuple[I64, I64, I64]:
    """Sentences of ranges of text, without the blanks around them.

    A sentence ends at ``.``, ``!`` or ``?`` (and the marks that close it) before a blank and anything but a small letter,
    at a full stop of a script without spaces, and at the end of its range. A single dot behind a short capitalised
    word, a word with dots or a short number ends none: what is cut by sentences never loses half of one.

    Returns:
        ``(start, end, first)``: bytes of each sentence, and the first one of each range, one longer than the ranges.

    >>> text = np.frombuffer("Once. Mr. Two said (e.g. here) three! Four".encode(), np.uint8)
    >>> s, e, _ = sentences(text, np.array([0]), np.array([len(text)]))
    >>> [text[a:b].tobytes().decode() for a, b in zip(s, e)]
    ['Once.', 'Mr. Two said (e.g. here) three!', 'Four']
    """
    check_ranges(start, end, len(text), "text")
    found: list[tuple[int, int]] = []
    first = [0]
    for a, b in zip(start.tolist(), end.tolist(), strict=True):
        found += [(a + x, a + y) for x, y in _cut(text[a:b].tobytes())]
        first.append(len(found))
    columns = np.array(found, np.int64).reshape(-1, 2)
    return np.ascontiguousarray(columns[:, 0]), np.ascontiguousarray(columns[:, 1]), np.array(first, np.int64)


def _cut(data: bytes) -> list[tuple[int, int]]:
    out = []
    begin = at = _behind(_BLANKS, data, 0)
    while at < len(data) and (stop := _STOP.search(data, at)):
        end = _behind(_MARKS, data, stop.end())
        following = _behind(_BLANKS, data, end)
        only_a_dot = stop.group() == b"." and end == stop.end()
        if following < len(data) and not stop["wide"] and (
                following == end or data[following:following + 1].islower()
                or (only_a_dot and _may_go_on(data[begin:stop.start()]))):
            at = end
            continue
        out.append((begin, end))
        at = begin = following
    if begin < len(data):
        out.append((begin, len(data.rstrip(b" \t\n\v\f\r"))))
    return out


def _behind(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    return found.end() if found else at


def _may_go_on(before: bytes) -> bool:
    """Whether the word before a dot may be an abbreviation, an initial or a number in a list."""
    word = before[max(before.rfind(mark) for mark in _BEFORE_WORD) + 1:]
    short = len(word) <= SHORT_WORD and (word[:1].isupper() or word.isdigit())
    return not word or b"." in word or short
