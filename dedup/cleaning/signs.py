"""Signs that the tokens leave out and that change what a sentence says: -5 is not 5, C# not C++, $80 not €80."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

PLAIN = b"+<>$#=%^~"
BETWEEN_DIGITS = b",/:*_&|;!'\""  # 1/5 is not 1:5; a point joins digits to one token
SYMBOLS = (  # first and last code points; bullets and what bounds columns are none: \u00b7, \u2022, \u25cf
    (0xA2, 0xA5), (0xA7, 0xA7), (0xA9, 0xA9), (0xAC, 0xAC), (0xAE, 0xAE), (0xB0, 0xB3), (0xB9, 0xB9), (0xBC, 0xBE),
    (0xD7, 0xD7), (0xF7, 0xF7), (0x58F, 0x58F), (0x60B, 0x60B), (0x9F2, 0x9F3), (0xAF1, 0xAF1), (0xBF9, 0xBF9),
    (0xE3F, 0xE3F), (0x17DB, 0x17DB), (0x2030, 0x2031), (0x2044, 0x2044), (0x2052, 0x2052), (0x2070, 0x209F),
    (0x20A0, 0x20CF), (0x2180, 0x245F), (0x25B2, 0x25B5), (0x25BC, 0x25BF), (0x2600, 0x2BFF), (0xFE62, 0xFE62),
    (0xFE64, 0xFE66), (0xFE69, 0xFE6A), (0xFF03, 0xFF05), (0xFF0B, 0xFF0B), (0xFF1C, 0xFF1E), (0xFF3E, 0xFF3E),
    (0xFF5E, 0xFF5E), (0xFFE0, 0xFFE6), (0x1F000, 0x1FBFF))
DASHES = (0x2D, *range(0x2010, 0x2016), 0xFE63, 0xFF0D)
BLANK_OR_MARK = ((0x80, 0xA9), (0xAB, 0xB4), (0xB6, 0xB9), (0xBB, 0xBF), (0x2000, 0x206F), (0x3000, 0x3020), (0xFE50, 0xFE6F),
                 (0xFF01, 0xFF0F))  # before a dash; what else is not ASCII is taken for a letter
TOGETHER = 4_000_000  # bytes that are gone over at a time
BASE = np.uint64(0x9E3779B97F4A7C15)


def sign_digests(text: U8, start: I64, end: I64) -> U64:
    """A digest of the signs in each range and their order; 0 where there are none.

    A dash counts before a digit and not behind a letter, a point before a digit and not behind either; some punctuation
    counts between digits.

    Args:
        text: UTF-8.
        start, end: Bytes of the ranges, ascending and apart.

    >>> text = np.frombuffer("at -5 °C at 5 °C".encode(), np.uint8)
    >>> one, other = sign_digests(text, np.array([0, 9]), np.array([8, len(text)]))
    >>> bool(one == other), bool(one == 0)
    (False, False)
    """
    out, first = np.zeros(len(start), np.uint64), 0
    while first < len(start):  # a column as long as all of a large text would take as much memory
        behind = max(int(np.searchsorted(end, start[first] + TOGETHER)), first + 1)
        begin = int(start[first])
        out[first:behind] = _digests(text[begin:int(end[behind - 1])], start[first:behind] - begin, end[first:behind] - begin)
        first = behind
    return out


def _digests(text: U8, start: I64, end: I64) -> U64:
    """``sign_digests`` of ranges that stand near each other."""
    out = np.zeros(len(start), np.uint64)
    first, second = _tables()
    at = np.flatnonzero(first[text])
    behind = text[np.minimum(at + 1, max(len(text) - 1, 0))]
    at = at[second[text[at], behind]]
    row = np.searchsorted(start, at, side="right") - 1
    held = at < end[row] if len(row) else np.zeros(0, bool)
    at, row = at[held], row[held]
    code = _code_points(text, at)
    signs = _is_sign(text, at, code, start[row], end[row])
    code, row = code[signs].astype(np.uint64), row[signs]
    new = np.ones(len(row), bool)
    new[1:] = row[1:] != row[:-1]
    nth = np.arange(len(row)) - np.flatnonzero(new)[np.cumsum(new) - 1] if len(row) else row
    mixed = (code + np.uint64(1)) * BASE * (2 * nth.astype(np.uint64) + np.uint64(1))
    np.bitwise_xor.at(out, row, (mixed ^ mixed >> np.uint64(29)) * BASE)
    return out


@functools.cache
def _tables() -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Bytes that may begin a sign; and these with the byte behind."""
    first, second = np.zeros(256, bool), np.zeros((256, 256), bool)
    first[list(PLAIN + BETWEEN_DIGITS + b"-.")] = True
    second[list(PLAIN)] = True
    second[list(BETWEEN_DIGITS + b"-."), 48:58] = True
    for code in (*(code for low, high in SYMBOLS for code in range(low, high + 1)), *DASHES[1:]):
        data = chr(code).encode()
        first[data[0]] = second[data[0], data[1]] = True
    return first, second


def _code_points(text: U8, at: I64) -> I64:
    """The code points that begin at some bytes of UTF-8."""
    lead = text[at].astype(np.int64)
    size = 1 + (lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0)
    code = np.where(lead < 0x80, lead, lead & (0xFF >> (size + 1)))
    for i in (1, 2, 3):
        more = text[np.minimum(at + i, max(len(text) - 1, 0))].astype(np.int64)
        code = np.where(i < size, code << 6 | more & 0x3F, code)
    return code


def _within(code: I64, ranges: Sequence[tuple[int, int]]) -> Flags:
    """Whether code points lie in ranges, which ascend."""
    low, high = np.array(ranges).T
    row = np.searchsorted(low, code, side="right") - 1
    inside: Flags = (row >= 0) & (code <= high[row])
    return inside


def _is_sign(text: U8, at: I64, code: I64, start: I64, end: I64) -> Flags:
    """Which of the places that may begin a sign do; what stands outside of each one's range has no say."""
    out = _within(code, SYMBOLS) | np.isin(code, list(PLAIN))
    is_dash = np.isin(code, DASHES)
    joins = is_dash | np.isin(code, list(BETWEEN_DIGITS + b"."))
    at, code, start, end, is_dash = at[joins], code[joins], start[joins], end[joins], is_dash[joins]
    past = at + 1 + (code >= 0x80) + (code >= 0x800)
    behind = np.where(past < end, text[np.minimum(past, max(len(text) - 1, 0))], 0)
    before = _before(text, at, start)
    is_digit = (before >= 48) & (before <= 57)
    is_letter = ((before | 32) - 97 < 26) & (before >= 65) & (before < 0x80)
    is_letter |= (before >= 0x80) & ~_within(before, BLANK_OR_MARK)
    counts = np.where(is_dash, ~is_letter, np.where(code == 46, ~is_letter & ~is_digit, is_digit))
    out[joins] |= counts & (behind >= 48) & (behind <= 57)
    return out


def _before(text: U8, at: I64, start: I64) -> I64:
    """The code points before some bytes of UTF-8; a blank where a range begins."""
    place = at - 1
    for _ in range(3):
        place = np.where((place > start) & (text[np.maximum(place, 0)] & 0xC0 == 0x80), place - 1, place)
    return np.where(place >= start, _code_points(text, np.maximum(place, 0)), 32)
