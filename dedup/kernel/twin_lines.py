"""Plain twins of ``positions.hpp`` and ``lines.hpp``: code points, line numbers, text cut into blocks."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.kernel.twin_tokens import IDENTITY, UNIT, check_ranges, decode, map_code_point, tables

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

PARAGRAPH, LINE = 0, 6  # BlockKind
LEAST_WIDTH, GREATEST_WIDTH = 40, 200  # columns of a hard-wrapped paragraph
WIDE_WORD, UNIT_WORD = 5, 10  # columns that a line in a script without spaces may lack


def code_points(text: U8, positions: I64) -> I64:
    """Number of code points before each byte position.

    Args:
        text: UTF-8; a lone surrogate in three bytes counts as one. Every byte that is no continuation byte counts.
        positions: Ascending byte offsets, 0 to ``len(text)``.

    >>> code_points(np.frombuffer("aé b".encode(), np.uint8), np.array([0, 1, 3, 5])).tolist()
    [0, 1, 2, 4]
    """
    check_ascending(positions, len(text), "positions")
    leads = np.cumsum((text & 0xC0) != 0x80, dtype=np.int64)
    return np.concatenate([np.zeros(1, np.int64), leads])[positions]


def char_columns(text: U8, a: I64, b: I64, c: I64) -> tuple[I64, I64, I64]:
    """``code_points`` of the positions of three columns, in any order; the text is gone over once."""
    positions = np.concatenate([a, b, c])
    if (positions < 0).any():
        raise ValueError("positions must not be negative")
    chars = np.empty(len(positions), np.int64)
    order = np.argsort(positions, kind="stable")
    chars[order] = code_points(text, positions[order])
    return chars[:len(a)], chars[len(a):len(a) + len(b)], chars[len(a) + len(b):]


def byte_offsets(text: U8, start: int, end: int, code_points: I64) -> I64:
    """Byte offset in the text of each code point of ``text[start, end)``, counted from 0; their number gives ``end``.

    >>> byte_offsets(np.frombuffer("aé b".encode(), np.uint8), 1, 5, np.array([0, 1, 2, 3])).tolist()
    [1, 3, 4, 5]
    """
    check_ranges(np.array([start]), np.array([end]), len(text), "text")
    check_ascending(code_points, end - start, "code_points")
    leads = start + np.flatnonzero((text[start:end] & 0xC0) != 0x80)
    too_large = code_points[code_points > len(leads)]
    if len(too_large):
        raise ValueError(f"code_points: {too_large[0]} is more than the range's {len(leads)}")
    offsets: I64 = np.append(leads, end).astype(np.int64)[code_points]
    return offsets


def line_numbers(text: U8, start: int, positions: I64) -> I64:
    r"""Line ends between ``start`` and each byte position, as Python's universal newlines count them.

    ``\n``, ``\r\n`` and a lone ``\r`` end a line; the ``\r`` of a ``\r\n`` does not count, its ``\n`` does.

    Args:
        positions: Ascending byte offsets, ``start`` to ``len(text)``.

    >>> line_numbers(np.frombuffer(b"a\r\nb\rc\nd", np.uint8), 0, np.array([0, 2, 3, 5, 7])).tolist()
    [0, 0, 1, 2, 3]
    """
    check_ascending(positions, len(text), "positions")
    if not 0 <= start <= len(text) or (len(positions) and positions[0] < start):
        raise ValueError("positions must not lie before start, nor start outside the text")
    following = np.append(text[1:], np.uint8(0))
    ends = np.cumsum((text == 10) | ((text == 13) & (following != 10)), dtype=np.int64)
    counts = np.concatenate([np.zeros(1, np.int64), ends])
    numbers: I64 = counts[positions] - counts[start]
    return numbers


def check_ascending(values: I64, limit: int, name: str) -> None:
    """Refuse values that descend or lie outside 0 to ``limit``."""
    if len(values) and (values[0] < 0 or values[-1] > limit or np.any(values[1:] < values[:-1])):
        raise ValueError(f"{name} must ascend from 0 to {limit} at most")


def cut_bytes(data: U8, start: I64, end: I64) -> tuple[U8, I64]:
    """Stretches of some bytes one after the other, and where each begins there, one longer than they are.

    >>> data, first = cut_bytes(np.frombuffer(b"0123456789", np.uint8), np.array([8, 1, 5]), np.array([10, 4, 5]))
    >>> data.tobytes(), first.tolist()
    (b'89123', [0, 2, 5, 5])
    """
    check_ranges(start, end, len(data), "data")
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(end - start, dtype=np.int64)])
    return data[np.arange(first[-1]) + np.repeat(start - first[:-1], end - start)], first


def authorities(data: U8, first: I64) -> tuple[I64, I64, I32]:
    """Where each different authority of some addresses stands first, in that order, and the number of each address's one.

    Args:
        data: The addresses' bytes, one after the other.
        first: First byte of each, one longer than the addresses.

    Returns:
        begin, end: Of each different authority: what stands between ``://`` and the first of ``/?#\\`` (RFC 3986, 3.2, and
            the backslash, as browsers read it). Both 0 where there is none.
        number: Of each address, int32.

    >>> text = b"http://a.org/xhttps://b.org?yhttp://a.org"
    >>> [column.tolist() for column in authorities(np.frombuffer(text, np.uint8), np.array([0, 14, 29, 41]))]
    [[7, 22], [12, 27], [0, 1, 0]]
    """
    check_ascending(first, len(data), "first")
    places, number = dict[bytes, tuple[int, int]](), []
    for start, end in itertools.pairwise(first.tolist()):
        address = data[start:end].tobytes()
        _, found, rest = address.partition(b"://")
        own = re.split(rb"[/?#\\]", rest, maxsplit=1)[0] if found else b""
        begin = end - len(rest) if own else 0
        places.setdefault(own, (begin, begin + len(own)))
        number.append(list(places).index(own))
    begins, ends = np.array(list(places.values()), np.int64).reshape(-1, 2).T
    return begins.copy(), ends.copy(), np.array(number, np.int32)


def split_lines(text: U8, start: I64, end: I64) -> tuple[I64, I64, I64, U8]:
    r"""Cut pages of plain text into blocks.

    Lines between blank lines are one block where they are hard-wrapped: each but the last is full, that is, the next
    line's first word would not have fitted on it. Else every line is a block of its own. ``\n``, ``\r\n``, ``\r``, form
    feed, U+2028 and U+2029 end a line. Lines of which most break between a small letter and a capital are labels or
    headlines, not a paragraph, unless they are full in the width of the paragraph before, too. Widths are columns: Han,
    kana, Hangul and full-width forms are two wide. A paragraph is as wide as its longest line, 40 to 200 columns (no one
    wraps wider; such lines are paragraphs). Where no blank stands at the break, because a script without spaces is broken
    there, a line is full if it lacks 4 columns (two wide characters) or fewer; with Thai, Lao, Khmer or Burmese at the
    break, fewer than 10.

    Args:
        text: UTF-8.
        start, end: Half-open byte ranges of the pages.

    Returns:
        ``(page, start, end, kind)`` of each block: index of its range, bytes without the white space around it,
        ``BlockKind.PARAGRAPH`` for a hard-wrapped paragraph, ``BlockKind.LINE`` for a line.
    """
    check_ranges(start, end, len(text), "text")
    blocks: list[tuple[int, int, int, int]] = []
    for page, (page_start, page_end) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        group, width = list[_Line](), 0  # since the last blank line; columns of the wrapped paragraph before
        for at, data in _lines(text[page_start:page_end].tobytes()):
            line = _read_line(data, page_start + at)
            if line is not None:
                group.append(line)
            else:
                cut, width = _cut_group(group, width)
                blocks += [(page, *block) for block in cut]
                group = []
        blocks += [(page, *block) for block in _cut_group(group, width)[0]]
    table = np.array(blocks, np.int64).reshape(-1, 4)
    pages, starts, ends, kinds = (np.ascontiguousarray(column) for column in table.T)
    return pages, starts, ends, kinds.astype(np.uint8)


_LINE_END = re.compile(rb"\r\n|[\n\r\f]|\xe2\x80[\xa8\xa9]")

# Unicode White_Space, and the zero-width U+200B and U+FEFF.
_BLANKS = frozenset(
    [*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF]
)

# Characters two columns wide (East Asian Wide and Fullwidth, by block).
_WIDE = [
    (0x1100, 0x115F), (0x2E80, 0xA4CF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE6F), (0xFF00, 0xFF60),
    (0xFFE0, 0xFFE6), (0x1F300, 0x1FAFF), (0x20000, 0x3FFFD),
]  # fmt: skip


class _Line(Struct, frozen=True):
    start: int  # bytes of the text, without the white space around it
    end: int
    columns: int  # with the indentation
    first_word: int  # columns
    first: int  # code points
    last: int


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    for match in _LINE_END.finditer(data):
        yield at, data[at : match.start()]
        at = match.end()
    yield at, data[at:]


def _read_line(data: bytes, offset: int) -> _Line | None:
    """The line, or ``None`` if it is blank."""
    chars = list(decode(data))
    codes = [code for code, _ in chars]
    solid = [i for i, code in enumerate(codes) if code not in _BLANKS]
    if not solid:
        return None
    places = [0, *itertools.accumulate(length for _, length in chars)]
    first, last = solid[0], solid[-1]
    word = itertools.takewhile(lambda code: code not in _BLANKS, codes[first : last + 1])
    return _Line(
        start=offset + places[first],
        end=offset + places[last + 1],
        columns=sum(map(_columns, codes[: last + 1])),
        first_word=sum(map(_columns, word)),
        first=codes[first],
        last=codes[last],
    )


def _columns(code: int) -> int:
    return 2 if code >= 0x1100 and any(low <= code <= high for low, high in _WIDE) else 1


def _is_unit(code: int) -> bool:
    mapped = map_code_point(code)
    return mapped[0][0] == code and mapped[0][1] == UNIT


def _cut_group(group: list[_Line], before: int) -> tuple[list[tuple[int, int, int]], int]:
    """Blocks of lines without a blank one between: (start, end, kind); and the width of the last wrapped paragraph.

    Args:
        before: That of the one before, 0 if there is none.
    """
    if width := _wrapped_width(group, before):
        return [(group[0].start, group[-1].end, PARAGRAPH)], width
    return [(line.start, line.end, LINE) for line in group], before


def _wrapped_width(group: list[_Line], before: int) -> int:
    """The width of lines that are one paragraph, 0 where they are none."""
    width, pairs = max((line.columns for line in group), default=0), list(itertools.pairwise(group))
    if len(group) < 2 or not LEAST_WIDTH <= width <= GREATEST_WIDTH:
        return 0
    if not all(_is_full(line, following, width) for line, following in pairs):
        return 0
    if 2 * sum(_runs_on(line.last, following.first) for line, following in pairs) >= len(pairs):
        return width
    full_in_both = before > 0 and all(_is_full(line, following, before) for line, following in pairs)
    return max(width, before) if full_in_both else 0


def _runs_on(last: int, next_first: int) -> bool:
    """Whether a line may end in the middle of a sentence here.

    Not after a small letter or a digit where the next line begins with a capital, as labels and headlines do.
    """
    is_open = chr(last) in string.ascii_lowercase + string.digits if 0 <= last < 0x80 else not _is_mapped(last)
    return not _is_mapped(next_first) or not is_open


def _is_mapped(code: int) -> bool:
    """Upper case, or a letter that decomposes."""
    if code < 0x80:
        return code >= 0 and chr(code) in string.ascii_uppercase
    table = tables()
    return int(table.stage2[int(table.stage1[code >> 7]) * 128 + (code & 127)]) >= IDENTITY


def _is_full(line: _Line, following: _Line, width: int) -> bool:
    """Whether the first word of the line that follows would not have fitted on this one."""
    wide_before, wide_after = _columns(line.last) == 2, _columns(following.first) == 2
    word = following.first_word
    if wide_after:
        word = WIDE_WORD
    elif _is_unit(following.first):
        word = min(word, UNIT_WORD)
    elif wide_before:
        word = max(word, WIDE_WORD)
    unspaced = wide_before or wide_after or _is_unit(line.last) or _is_unit(following.first)
    return line.columns + (not unspaced) + word > width
