"""Plain twins of ``tokenise.hpp`` and what it is made of: tokens of text, as docs/design/tokens.md defines them.

ASCII words are found and hashed by NumPy over the whole text; every other word goes through `cut_stretch`, the
definition in plain Python, which remembers the words it has seen.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from dedup.kernel.twin_digests import byte_digests
from dedup.kernel.twin_sets import band_columns, check_aligned, range_digests, shingle_sets

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

FOLD_ACCENTS, FOLD_DIGITS, JOIN_HYPHENS = 1, 2, 4

WORD_FACTOR = 0x9FB21C651E98DF25
LENGTH_FACTOR = 0xD6E8FEB86659FD93
MASK = (1 << 64) - 1

SEPARATOR, LETTER, MARK, DIGIT, UNIT, JOINER, DROPPED, DROPPED_MARK = range(8)
IDENTITY = 2048  # table values below: the code point is itself
IOTA_BELOW, IOTA = 0x345, 0x3B9
BAD_BYTE = -1
LONG = 256  # bytes; longer ASCII words are hashed one by one
REMEMBERED = 64  # bytes; longer stretches are not likely to come again


class Token(NamedTuple):
    """A token: bytes ``start`` to ``end`` of the text it was cut from, normalised content, unit or not."""

    start: int
    end: int
    content: bytes
    half: bool


# ---- tables ----


class Tables(NamedTuple):
    """``unicode_tables.bin``; scripts/make_unicode_tables.py explains the arrays."""

    version: str
    digest: str
    stage1: npt.NDArray[np.uint16]
    stage2: npt.NDArray[np.uint16]
    first: npt.NDArray[np.uint16]
    mapped: npt.NDArray[np.uint32]


@functools.cache
def tables() -> Tables:
    """The tables, read when first needed."""
    data = (Path(__file__).parent / "unicode_tables.bin").read_bytes()
    head, _, rest = data.partition(b"\n")
    _, version, digest, *shapes = head.decode().split()
    arrays = {}
    for shape in shapes:
        name, kind, length = shape.split(":")
        dtype = np.dtype("<" + kind)
        arrays[name] = np.frombuffer(rest, dtype, int(length))
        rest = rest[int(length) * dtype.itemsize :]
    return Tables(version, digest, **arrays)


@functools.cache
def map_code_point(code: int) -> tuple[tuple[int, int, int], ...]:
    """The mapped form: (code point, class, canonical combining class) of each of its characters."""
    if code == BAD_BYTE:
        return ((0, SEPARATOR, 0),)
    if 0xAC00 <= code < 0xAC00 + 11172:  # Hangul syllables decompose by arithmetic
        lead, vowel, tail = (code - 0xAC00) // 588, (code - 0xAC00) % 588 // 28, (code - 0xAC00) % 28
        jamo = [0x1100 + lead, 0x1161 + vowel] + ([0x11A7 + tail] if tail else [])
        return tuple((j, LETTER, 0) for j in jamo)
    table = tables()
    value = int(table.stage2[int(table.stage1[code >> 7]) * 128 + (code & 127)])
    if value < IDENTITY:
        return ((code, value & 7, value >> 3),)
    items = table.mapped[table.first[value - IDENTITY] : table.first[value - IDENTITY + 1]].tolist()
    return tuple((item & 0x1FFFFF, item >> 21 & 7, item >> 24) for item in items)


def decode(data: bytes) -> Iterator[tuple[int, int]]:
    """Code points of WTF-8 and their lengths in bytes; what is no character is one ``BAD_BYTE`` a byte."""
    try:
        for char in data.decode("utf-8", "surrogatepass"):
            code = ord(char)
            yield code, 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000)
    except UnicodeDecodeError:
        at = 0
        while at < len(data):
            code, length = _decode_one(data[at : at + 4])
            yield code, length
            at += length


def _decode_one(data: bytes) -> tuple[int, int]:
    for length in range(1, 1 + len(data)):
        try:
            return ord(data[:length].decode("utf-8", "surrogatepass")), length
        except UnicodeDecodeError:
            continue
    return BAD_BYTE, 1


# ---- the definition ----


def cut_stretch(data: bytes, flags: int) -> list[Token]:
    """The tokens of a stretch of text, one code point after the other."""
    cutter = _Cutter(flags)
    at = 0
    for code, length in decode(data):
        for char, kind, combining in map_code_point(code):
            cutter.feed(char, kind, combining, at, at + length)
        at += length
    cutter.close()
    return cutter.tokens


class _Cutter(Struct):
    flags: int
    tokens: list[Token] = field(default_factory=list)
    open: str = ""  # "word" or "unit" while inside one
    start: int = 0
    end: int = 0
    chars: list[tuple[int, int]] = field(default_factory=list)  # code point, combining class
    joiner: int = 0  # seen after a word; part of it if the word goes on

    def feed(self, char: int, kind: int, combining: int, start: int, end: int) -> None:
        if self.flags & FOLD_ACCENTS and 0x300 <= char <= 0x36F:
            kind = DROPPED_MARK
        if self.flags & FOLD_DIGITS and kind == DIGIT:
            char = ord("0")
        if kind == SEPARATOR:
            self.close()
        elif kind == JOINER:
            if self.open == "word" and not self.joiner:
                self.joiner = char
            else:
                self.close()
        elif kind == DROPPED_MARK:
            if self.open and not self.joiner:
                self.end = end
        elif kind != DROPPED:
            if kind == UNIT or (self.open == "unit" and kind != MARK):
                self.close()
            if not self.open:
                self.open, self.start = "unit" if kind == UNIT else "word", start
            if self.joiner:
                self.chars.append((self.joiner, 0))
                self.joiner = 0
            self.chars.append((char, combining))
            self.end = end

    def close(self) -> None:
        if self.open:
            self.tokens.append(Token(self.start, self.end, canonical_order(self.chars), self.open == "unit"))
        self.open, self.chars, self.joiner = "", [], 0


def canonical_order(chars: list[tuple[int, int]]) -> bytes:
    """UTF-8 of the characters with marks in canonical order; U+0345 folded, now that the order is known."""
    codes: list[int] = []
    marks: list[tuple[int, int]] = []
    for code, combining in [*chars, (0, 0)]:
        if combining:
            marks.append((code, combining))
            continue
        codes += [mark for mark, _ in sorted(marks, key=lambda m: m[1])]
        marks = []
        codes.append(code)
    return "".join(chr(IOTA if code == IOTA_BELOW else code) for code in codes[:-1]).encode()


def hash_content(content: bytes, seed: int) -> int:
    """Hash of a token's content: see token_hash.hpp, ``TokenHash``."""
    h = (seed ^ len(content) * LENGTH_FACTOR) & MASK
    for at in range(0, len(content), 8):
        h = (h ^ int.from_bytes(content[at : at + 8], "little")) * WORD_FACTOR & MASK
        h ^= h >> 32
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = (h ^ h >> 33) * factor & MASK
    return h ^ h >> 33


# ---- many ranges at once ----


class Cut(NamedTuple):
    """Tokens of many ranges, in order. ``content`` is empty for ASCII words: their text, folded, is their content."""

    range: I64
    start: I64
    end: I64
    ascii: npt.NDArray[np.bool_]
    half: U8
    content: list[bytes]


def cut_ranges(text: U8, start: I64, end: I64, flags: int) -> Cut:
    """The tokens of ``text[start, end)`` for each range; offsets are the text's."""
    if not 0 <= flags <= 7:
        raise ValueError("flags: 1 folds accents, 2 folds digits, 4 joins hyphens, or their sum")
    cut = _cut_apart(text, start, end, flags & ~JOIN_HYPHENS)
    return _joined(text, cut, flags) if flags & JOIN_HYPHENS else cut


# A hyphen (also a soft one, U+2010, ¬), blanks, one line break, blanks.
_LINE_HYPHEN = re.compile("(?:-|\u00ad|\u2010|¬)[ \t]*(?:\r\n|\n|\r)[ \t]*".encode())


def _joined(text: U8, cut: Cut, flags: int) -> Cut:
    """The same with words that nothing but a hyphen at the end of a line cuts in two as one; digits beside it and units stay
    apart."""
    raw, folded = text.tobytes(), _fold_table(flags)[text].tobytes()
    contents, rows = iter(cut.content), list[tuple[int, int, int, bool, int, bytes]]()
    for of_range, a, b, is_ascii, half in zip(*(column.tolist() for column in cut[:5]), strict=True):
        content = b"" if is_ascii else next(contents)
        if rows and not half:
            before, a0, b0, ascii_before, half_before, start = rows[-1]
            if (before == of_range and not half_before and a - b0 > 1 and not raw[b0 - 1:b0].isdigit()
                    and not raw[a:a + 1].isdigit() and _LINE_HYPHEN.fullmatch(raw, b0, a)):
                start = folded[a0:b0] if ascii_before else start
                rows[-1] = (of_range, a0, b, False, 0, start + (folded[a:b] if is_ascii else content))
                continue
        rows.append((of_range, a, b, is_ascii, half, content))
    of_ranges, starts, ends = (np.array([row[column] for row in rows], np.int64) for column in range(3))
    return Cut(of_ranges, starts, ends, np.array([row[3] for row in rows], np.bool_),
               np.array([row[4] for row in rows], np.uint8), [content for *_, is_ascii, _, content in rows if not is_ascii])


def _cut_apart(text: U8, start: I64, end: I64, flags: int) -> Cut:
    """``cut_ranges`` as if hyphens at the ends of lines were any hyphens."""
    check_ranges(start, end, len(text), "text")
    # All ranges after one another, a blank behind each.
    first = np.concatenate([[0], np.cumsum(end - start + 1)]).astype(np.int64)
    flat = np.full(int(first[-1]), ord(" "), np.uint8)
    for a, b, at in zip(start.tolist(), end.tolist(), first.tolist(), strict=False):
        flat[at : at + b - a] = text[a:b]

    # Runs of what may belong to one word; a run holds whole tokens.
    kinds = _KINDS[flat]
    solid = kinds >= 2
    runs = solid.copy()
    runs[1:-1] |= (kinds[1:-1] == 1) & solid[:-2] & solid[2:]
    # A run is cut before units and separators too: nothing stays open there, and short pieces come again.
    before = np.append(np.False_, runs[:-1])  # each range ends in a blank, so no run is open at the end
    breaks = runs & _begins_piece(flat)
    run_start = np.flatnonzero(runs & (~before | breaks))
    run_end = np.flatnonzero(before & (~runs | breaks))
    highs = np.concatenate([[0], np.cumsum(kinds == 3)])
    plain = (highs[run_end] == highs[run_start]) & (kinds[run_end - 1] == 2)  # not "a." cut from "a.中"

    counts = np.ones(len(run_start), np.int64)
    slow: list[list[Token]] = []
    memory: dict[bytes, list[Token]] = {}
    for i in np.flatnonzero(~plain).tolist():
        data = flat[run_start[i] : run_end[i]].tobytes()
        tokens = memory.get(data)
        if tokens is None:
            tokens = cut_stretch(data, flags)
            if len(data) <= REMEMBERED:
                memory[data] = tokens
        slow.append(tokens)
        counts[i] = len(tokens)

    run = np.repeat(np.arange(len(run_start)), counts)
    token_start, token_end = run_start[run], run_end[run]
    is_ascii = plain[run]
    half = np.zeros(len(run), np.uint8)
    flat_slow = [token for tokens in slow for token in tokens]
    token_end[~is_ascii] = token_start[~is_ascii] + np.array([token.end for token in flat_slow], np.int64)
    token_start[~is_ascii] += np.array([token.start for token in flat_slow], np.int64)
    half[~is_ascii] = [token.half for token in flat_slow]
    of_range = np.searchsorted(first, token_start, side="right") - 1
    shift = (start - first[:-1])[of_range]
    return Cut(of_range, token_start + shift, token_end + shift, is_ascii, half, [t.content for t in flat_slow])


# 0 separator, 1 joiner, 2 ASCII letter or digit, 3 byte of something else
_KINDS = np.array(
    [3 if b >= 0x80 else 2 if chr(b).isalnum() else 1 if chr(b) in "'." else 0 for b in range(256)], np.uint8
)


def _begins_piece(data: U8) -> npt.NDArray[np.bool_]:
    """Where a unit or a separator of three bytes begins (nearly all have three)."""
    begins = np.zeros(len(data), np.bool_)
    at = np.flatnonzero((data[:-2] & 0xF0) == 0xE0)
    at = at[((data[at + 1] & 0xC0) == 0x80) & ((data[at + 2] & 0xC0) == 0x80)]
    lead, second, third = (data[at + i].astype(np.int64) for i in range(3))
    codes = (lead & 0x0F) << 12 | (second & 0x3F) << 6 | third & 0x3F
    table = tables()
    values = table.stage2[table.stage1[codes >> 7].astype(np.int64) * 128 + (codes & 127)]
    kinds = values & 7
    begins[at] = (values < IDENTITY) & (codes >= 0x800) & ((kinds == UNIT) | (kinds == SEPARATOR)) & ~_hangul(codes)
    return begins


def _hangul(codes: I64) -> npt.NDArray[np.bool_]:
    return (codes >= 0xAC00) & (codes < 0xAC00 + 11172)


def _fold_table(flags: int) -> U8:
    folded = bytes(range(256)).lower()
    if flags & FOLD_DIGITS:
        folded = folded.translate(bytes.maketrans(b"123456789", b"000000000"))
    return np.frombuffer(folded, np.uint8)


def tokenise(text: U8, start: I64, end: I64, flags: int = 0, seed: int = 0) -> tuple[U64, I64, I64, U8, I64]:
    """Tokens of each range of a buffer; ranges know nothing of each other.

    Args:
        text: UTF-8; lone surrogates in three bytes and bytes that are no character separate tokens.
        start, end: Half-open byte ranges.
        flags: 1 (``FOLD_ACCENTS``) drops U+0300-036F, 2 (``FOLD_DIGITS``) takes every decimal digit for 0, 4
            (``JOIN_HYPHENS``) makes one of two words that a hyphen at the end of a line cuts apart; or their sum.
        seed: Of the hash.

    Returns:
        ``(hash, token_start, token_end, half, first)``: hash of the normalised content, bytes of the text, 1 for a
        character of a script without spaces (it counts half), and where each range's tokens begin, one longer than
        the ranges. Starts and ends ascend within a range; a character that maps to several tokens gives each its range.

    >>> text = np.frombuffer(b"Don't stop", np.uint8)
    >>> _, a, b, half, first = tokenise(text, np.array([0]), np.array([10]))
    >>> a.tolist(), b.tolist(), half.tolist(), first.tolist()
    ([0, 6], [5, 10], [0, 0], [0, 2])
    """
    cut = cut_ranges(text, start, end, flags)
    hashes = np.zeros(len(cut.start), np.uint64)
    hashes[cut.ascii] = _hash_ascii(text, cut.start[cut.ascii], cut.end[cut.ascii], flags, seed)
    hash_once = functools.cache(functools.partial(hash_content, seed=seed))
    hashes[~cut.ascii] = np.array([hash_once(content) for content in cut.content], np.uint64)
    return hashes, cut.start, cut.end, cut.half, _first(cut.range, len(start))


def hash_tokens(text: U8, start: I64, end: I64, flags: int = 0, seed: int = 0) -> tuple[U64, I64]:
    """The hashes of ``tokenise`` and the first one of each range, one longer than the ranges."""
    hashes, _, _, _, first = tokenise(text, start, end, flags, seed)
    return hashes, first


def survey_tokens(text: U8, start: I64, end: I64, flags: int = 0) -> tuple[U32, I64, I64, U64]:
    """What the stages need of the tokens of each range.

    Returns:
        ``(token, first, halves, digest)``: upper half of each token's hash, where each range's tokens begin (one longer
        than the ranges), length of each range in halves, and the ``range_digests`` of the whole hashes.
    """
    hashes, _, _, half, first = tokenise(text, start, end, flags)
    units = np.concatenate([np.zeros(1, np.int64), np.cumsum(half, dtype=np.int64)])[first]
    halves = 2 * np.diff(first) - np.diff(units)
    return (hashes >> np.uint64(32)).astype(np.uint32), first, halves, range_digests(hashes, first)


def survey_bands(text: U8, start: I64, end: I64, flags: int, size: int, bands: int, rows: int,
                 seed: int) -> tuple[I64, I64, U64, U32, I64, U64]:
    """``survey_tokens`` without the tokens, and ``band_columns`` of the ``short_sets`` of each range.

    Returns:
        ``(first, halves, digest, keys, chars, bytes)``; the key of range i in band b stands at ``b * ranges + i``, `chars`
        are the code points of each range, `bytes` its ``byte_digests``.
    """
    token, first, halves, digest = survey_tokens(text, start, end, flags)
    values = np.empty(len(token), np.uint32)
    sets = short_sets(text, start, end, flags, size, values)
    texts = [text[a:b] for a, b in zip(start.tolist(), end.tolist(), strict=True)]
    chars = np.array([np.count_nonzero((own & 0xC0) != 0x80) for own in texts], np.int64)
    edges = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    digests = byte_digests(np.concatenate([np.empty(0, np.uint8), *texts]), edges)
    return first, halves, digest, band_columns(values[:sets[-1]], sets, bands, rows, seed), chars, digests


def short_sets(text: U8, start: I64, end: I64, flags: int, size: int, values: U32) -> I64:
    """Shingle sets of each range as ``shingle_sets`` makes them, of each element its upper half: sorted, free of repeats.

    Args:
        values: The sets are written here, one after the other; there must be room for all tokens.

    Returns:
        Where each set begins, one longer than the ranges.

    Raises:
        ValueError: There is too little room.
    """
    check_aligned(values, "values")
    hashes, first = hash_tokens(text, start, end, flags)
    if len(hashes) > len(values):
        raise ValueError("values has room for fewer than the tokens")
    sets, first = shingle_sets(hashes, first, size)
    halves = (sets >> np.uint64(32)).astype(np.uint32)
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    new = np.ones(len(halves), bool)
    new[1:] = (halves[1:] != halves[:-1]) | (owner[1:] != owner[:-1])
    values[:new.sum()] = halves[new]
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(new, dtype=np.int64)])[first]


def token_edges(text: U8, start: I64, end: I64, flags: int, row: I64, nth: I64) -> tuple[I64, I64, I64]:
    """First and last byte of some tokens, and the length in halves of what stands before them in their range.

    Args:
        row, nth: Token ``nth[r]`` of range ``row[r]``; rows ascend by range, then by token.
    """
    _, token_start, token_end, half, first = tokenise(text, start, end, flags)
    at = first[row] + nth
    if (np.diff(row) < 0).any() or (at >= first[row + 1]).any() or (nth < 0).any() or (np.diff(at) < 0).any():
        raise ValueError("row and nth must ascend and name tokens that are there")
    length = np.concatenate([np.zeros(1, np.int64), np.cumsum(2 - half.astype(np.int64))])
    return token_start[at], token_end[at], length[at] - length[first[row]]


def count_tokens(text: U8, start: I64, end: I64, flags: int = 0) -> tuple[I64, I64]:
    """Tokens of each range, and their length in halves: 2 a word, 1 a character of a script without spaces."""
    cut = cut_ranges(text, start, end, flags)
    tokens = np.bincount(cut.range, minlength=len(start)).astype(np.int64)
    units = np.bincount(cut.range[cut.half == 1], minlength=len(start)).astype(np.int64)
    return tokens, 2 * tokens - units


def token_halves(text: U8, start: I64, end: I64, flags: int = 0) -> U8:
    """Half tokens of each token, range after range: 2 of a word, 1 of a character of a script without spaces."""
    return (2 - cut_ranges(text, start, end, flags).half).astype(np.uint8)


def normalise(text: U8, start: I64, end: I64, flags: int = 0) -> tuple[U8, I64]:
    """Normalised text of each range: contents of its tokens, a blank before each but the first and a unit that
    follows a unit. Equal normalised texts mean equal tokens.

    Returns:
        ``(bytes, first)``: UTF-8 of all ranges, and where each begins, one longer than the ranges.

    >>> text = np.frombuffer("Straße: 中文".encode(), np.uint8)
    >>> normalise(text, np.array([0]), np.array([len(text)]))[0].tobytes().decode()
    'strasse 中文'
    """
    parts = _normalised(text, start, end, flags)
    first = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return np.frombuffer(bytearray(b"".join(parts)), np.uint8), first


def equal_tokens(text_a: U8, a_start: I64, a_end: I64, text_b: U8, b_start: I64, b_end: I64, flags: int = 0) -> U8:
    """1 where range i of one text and range i of the other hold equal tokens, compared byte by byte."""
    check_ranges(a_start, a_end, len(text_a), "text_a")
    check_ranges(b_start, b_end, len(text_b), "text_b")
    if len(a_start) != len(b_start):
        raise ValueError("as many ranges of text_a as of text_b are needed")
    a, b = _normalised(text_a, a_start, a_end, flags), _normalised(text_b, b_start, b_end, flags)
    return np.array([x == y for x, y in zip(a, b, strict=True)], np.uint8)


def _normalised(text: U8, start: I64, end: I64, flags: int) -> list[bytes]:
    cut = cut_ranges(text, start, end, flags)
    folded = _fold_table(flags)[text].tobytes()
    contents = iter(cut.content)
    parts: list[list[bytes]] = [[] for _ in range(len(start))]
    half_before = False
    rows = zip(*(column.tolist() for column in (cut.range, cut.start, cut.end, cut.ascii, cut.half)), strict=True)
    for of_range, a, b, is_ascii, half in rows:
        part = parts[of_range]
        if part and not (half and half_before):
            part.append(b" ")
        part.append(folded[a:b] if is_ascii else next(contents))
        half_before = bool(half)
    return [b"".join(part) for part in parts]


def _first(of_range: I64, ranges: int) -> I64:
    counts = np.bincount(of_range, minlength=ranges)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _hash_ascii(text: U8, start: I64, end: I64, flags: int, seed: int) -> U64:
    """``hash_content`` of many ASCII words, eight bytes of all of them at a time."""
    folded = _fold_table(flags)[text]
    length = end - start
    h = np.uint64(seed) ^ length.astype(np.uint64) * np.uint64(LENGTH_FACTOR)
    for at in range(0, min(int(length.max(initial=0)), LONG), 8):
        rows = np.flatnonzero(length > at)
        columns = at + np.arange(8)
        places = np.minimum(start[rows, None] + columns, len(text) - 1)
        words = np.where(columns < length[rows, None], folded[places], np.uint8(0)).view("<u8")[:, 0].astype(np.uint64)
        mixed = (h[rows] ^ words) * np.uint64(WORD_FACTOR)
        h[rows] = mixed ^ mixed >> np.uint64(32)
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = (h ^ h >> np.uint64(33)) * np.uint64(factor)
    h ^= h >> np.uint64(33)
    for row in np.flatnonzero(length > LONG).tolist():
        h[row] = hash_content(folded[start[row] : end[row]].tobytes(), seed)
    return h


def check_ranges(start: I64, end: I64, limit: int, name: str) -> None:
    """Refuse ranges that are not within 0 to ``limit``."""
    if len(start) != len(end):
        raise ValueError(f"{name}: as many starts as ends are needed")
    wrong = np.flatnonzero((start < 0) | (start > end) | (end > limit))
    if len(wrong):
        raise ValueError(f"{name}: range {wrong[0]} is not within 0 to {limit}")
