"""Signs that the tokens leave out and that change what a sentence says: -5 is not 5, C# not C++, $80 not €80."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

PLAIN = b"+<>$#=%^~"
TWO_BYTES = {0xC2: bytes([0xA2, 0xA3, 0xA4, 0xA5, 0xAC, 0xB0, 0xB1]), 0xC3: bytes([0x97, 0xB7])}  # ¢ £ ¤ ¥ ¬ ° ± × ÷
THREE_BYTES = bytes([0x82, 0x88, 0x89, 0x8A, 0x86])  # after E2: currencies, arrows, mathematical operators
TOGETHER = 4_000_000  # bytes that are gone over at a time
BASE = np.uint64(0x9E3779B97F4A7C15)


def sign_digests(text: U8, start: I64, end: I64) -> U64:
    """A digest of the signs in each range and their order; 0 where there are none.

    A minus counts before a digit and not behind a letter or digit.

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
    table = np.zeros(256, bool)
    table[list(PLAIN + b"-" + bytes([0xC2, 0xC3, 0xE2]))] = True
    at = np.flatnonzero(table[text])
    row = np.searchsorted(start, at, side="right") - 1
    held = at < end[row] if len(row) else np.zeros(0, bool)
    at, row = at[held], row[held]
    signs = _is_sign(text, at, start[row], end[row])
    at, row = at[signs], row[signs]
    new = np.ones(len(row), bool)
    new[1:] = row[1:] != row[:-1]
    nth = np.arange(len(row)) - np.flatnonzero(new)[np.cumsum(new) - 1] if len(row) else row
    value = text[at].astype(np.uint64) << np.uint64(16)
    for i, bits in ((1, 8), (2, 0)):  # the bytes behind it, of signs that have them
        more = (text[at] >= 0xC2) & ((i == 1) | (text[at] == 0xE2))
        value |= np.where(more, text[np.minimum(at + i, len(text) - 1)], 0).astype(np.uint64) << np.uint64(bits)
    mixed = (value + np.uint64(1)) * BASE * (2 * nth.astype(np.uint64) + np.uint64(1))
    np.bitwise_xor.at(out, row, (mixed ^ mixed >> np.uint64(29)) * BASE)
    return out


def _is_sign(text: U8, at: I64, start: I64, end: I64) -> npt.NDArray[np.bool_]:
    """Which of the places that may begin a sign do; what stands outside of each one's range has no say."""
    byte, behind = text[at], np.where(at + 1 < end, text[np.minimum(at + 1, max(len(text) - 1, 0))], 0)
    before = np.where(at > start, text[np.maximum(at - 1, 0)], 32)
    is_digit = (behind >= 48) & (behind <= 57)
    word = ((before >= 48) & (before <= 57)) | ((before | 32) - 97 < 26) | (before >= 0x80)
    out = np.isin(byte, list(PLAIN)) | ((byte == 45) & is_digit & ~word)
    for lead, tails in TWO_BYTES.items():
        out |= (byte == lead) & np.isin(behind, list(tails))
    sign: npt.NDArray[np.bool_] = out | ((byte == 0xE2) & np.isin(behind, list(THREE_BYTES)))
    return sign
