"""Plain twin of ``rows.hpp``: rows of text made from columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_tokens import check_ranges

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
Field = tuple[int, bytes, bytes, bytes, U8, I64, I64]

NUMBER, RAW, JSON, CSV = range(4)
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
# What ``report.text.safe`` makes harmless, quotes and backslashes, and lone surrogates, which UTF-8 cannot hold.
_ESCAPED = re.compile(
    '["\\\\\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb'
    "\U000e0000-\U000e0fff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # how a spreadsheet knows one; also in full width


def write_rows(fields: Sequence[Field]) -> tuple[U8, I64]:
    r"""Rows of text, each a cell of every field.

    Args:
        fields: Of each: the kind of its cells; the bytes before and after each; those where one is missing, instead of all
            that; `data`; where each cell starts and ends in it, or a negative number where it is missing. All have as many
            cells. Kinds: ``NUMBER``: the start is the value, 0 or more, and `end` is not looked at. ``RAW``: the bytes as
            they are. ``JSON``: a JSON string without its quotes; what a terminal reacts to, and lone surrogates, are
            escapes. ``CSV``: a cell of RFC 4180, in quotes where it needs them; what a spreadsheet takes for a formula has
            a quote before it, and lone surrogates become U+FFFD. `data` of the latter two is UTF-8, with lone surrogates in
            three bytes.

    Returns:
        The rows one after the other, and where each begins, shape ``(rows + 1,)``.

    Raises:
        ValueError: A kind does not exist, the fields are not equally long, or a range is not within `data`.

    >>> data = np.frombuffer(b'say "a"', np.uint8)
    >>> start, end = np.array([4, -1]), np.array([7, 0])
    >>> fields = [(NUMBER, b"", b": ", b"", data, np.array([7, 12]), end), (JSON, b"<", b">", b"none", data, start, end)]
    >>> text, first = write_rows(fields)
    >>> text.tobytes(), first.tolist()
    (b'7: <\\"a\\">12: none', [0, 10, 18])
    """
    for kind, _, _, _, data, start, end in fields:
        if kind not in _CELLS:
            raise ValueError("kind must be 0, 1, 2 or 3")
        if len(start) != len(fields[0][5]) or len(end) != len(start):
            raise ValueError("fields must be equally long")
        if kind != NUMBER and ((start >= 0) & ((start > end) | (end > len(data)))).any():
            raise ValueError(f"data: a cell is not within 0 to {len(data)}")
    rows = [b"".join(_cell(field, row) for field in fields) for row in range(len(fields[0][5]) if fields else 0)]
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(row) for row in rows], dtype=np.int64)])
    return np.frombuffer(b"".join(rows), np.uint8), first


def equal_bytes(text: U8, start: I64, end: I64, other_start: I64, other_end: I64) -> U8:
    """1 where a range of the text holds the same bytes as its other one.

    >>> data = np.frombuffer(b"abcab", np.uint8)
    >>> equal_bytes(data, np.array([0, 0]), np.array([2, 2]), np.array([3, 1]), np.array([5, 3])).tolist()
    [1, 0]
    """
    if len(start) != len(other_start):
        raise ValueError("text: as many ranges as others are needed")
    check_ranges(start, end, len(text), "text")
    check_ranges(other_start, other_end, len(text), "text")
    rows = zip(*(column.tolist() for column in (start, end, other_start, other_end)), strict=True)
    return np.array([text[a:b].tobytes() == text[c:d].tobytes() for a, b, c, d in rows], np.uint8)


def _cell(field: Field, row: int) -> bytes:
    kind, before, after, missing, data, starts, ends = field
    start = int(starts[row])
    if start < 0:
        return missing
    return before + (str(start).encode() if kind == NUMBER else _CELLS[kind](data[start:int(ends[row])])) + after


def _text(data: U8) -> str:
    return data.tobytes().decode("utf-8", "surrogatepass")


def _json(data: U8) -> bytes:
    return _ESCAPED.sub(lambda found: _escape(found[0]), _text(data)).encode()


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i:i + 4]}" for i in range(0, len(units), 4))


def _csv(data: U8) -> bytes:
    text = _SURROGATE.sub("\ufffd", _text(data))
    text = "'" + text if text.startswith(_FORMULA) else text
    return ('"' + text.replace('"', '""') + '"' if re.search('[",\r\n]', text) else text).encode()


_CELLS: dict[int, Callable[[U8], bytes]] = {NUMBER: bytes, RAW: lambda data: data.tobytes(), JSON: _json, CSV: _csv}
