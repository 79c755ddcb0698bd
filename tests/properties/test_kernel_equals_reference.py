"""The compiled kernel and its plain twin give the same arrays, bit for bit, for any text and for any bytes."""

from __future__ import annotations

import itertools
import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.kernel import reference
from dedup.kernel.twin_tokens import cut_stretch, tables

native = pytest.importorskip("dedup.kernel._kernel", reason="the kernel is not built")

SCRIPTS = (
    "aZ09'’.·  \n\r\f\u2028-_éßİﬁΑΣςᾳ\u0345\u0301\u0308\u0327\u0315\u00ad\u200b\u200d\ufeff\ufe0f"
    "жЙуَّـלששׁनमस्तेक्षবাংலாதமி中文々〇ひらがなカタカナーｶﾞｱﾊﾟㄅกำแล้วລາວខ្មែរမြန်မာ한글ᄒ\u1161\u11ab３．５＇²½①㌀㋀😀\ud800\ufdfa"
)
# Text of few characters, so that words repeat and rules meet; any text; bytes that are no text.
FEW = "aA.’ é中が\u3099\u0301\u00ad\u200bَ7"
texts = st.one_of(
    st.text(st.sampled_from(SCRIPTS), max_size=200), st.text(st.sampled_from(FEW), max_size=12), st.text(max_size=80)
).map(lambda s: s.encode("utf-8", "surrogatepass"))
mangled = st.tuples(texts, st.integers(0, 200), st.integers(0, 255)).map(
    lambda t: t[0][: t[1]] + bytes([t[2]]) + t[0][t[1] + 1 :]
)
ascii_text = st.text(st.sampled_from("abcXYZ019'. \n\r-"), max_size=400).map(str.encode)
hyphens = st.lists(st.sampled_from(["ab", "é", "1", "中", "don't", "\u00ad", "-", "‐", "¬", "\n", "\r\n", "\r", " ", "\t",
                                    "."]), max_size=20).map(lambda pieces: "".join(pieces).encode())
# What the lanes of the slow path must tell apart: letters of two and three bytes, marks in and out of order, joiners of both
# kinds beside each other, what is dropped, quotes, units with and without marks, at the borders of 8, 16, 63 and 64 bytes.
LANES = ["a", "bcdefghi", "don't", ".", "'", "’", "’’", "…", "“", "”", "—", "«", "»", "\u00a0", "é", "ß",
         "ŉ", "µ", "²", "½", "·", "ŀ", "й", "ж", "Σ", "ΐ", "ᾳ", "ạ", "ａ", "．", "，", "！", "١", "५", "न",
         "ि", "्", "़", "์", "ิ", "ก", "中", "か", "が", "゙", "ー", "㌀", "한", "가", "각", "ᄒ", "\u0301",
         "\u0327", "\u0345", "\u05b0", "\u064b", "\u0640", "\u00ad", "\u200b", "\u200d", "\ufe0f", "\ud800",
         "😀", "𠀀", "x" * 13, "é" * 8, "ж" * 31, "中" * 21, " ", "7"]
lanes = st.tuples(st.integers(0, 70), st.lists(st.sampled_from(LANES), max_size=12)).map(
    lambda t: ("y" * t[0] + "".join(t[1])).encode("utf-8", "surrogatepass"))
buffers = st.one_of(texts, ascii_text, mangled, hyphens, lanes, st.binary(max_size=100))
flags = st.integers(0, 7)


@st.composite
def ranges_in(draw: st.DrawFn, size: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    if draw(st.booleans()):
        return np.array([0]), np.array([size])
    ends = draw(st.lists(st.tuples(st.integers(0, size), st.integers(0, size)), max_size=5))
    return np.array([min(r) for r in ends], np.int64), np.array([max(r) for r in ends], np.int64)


def as_array(data: bytes) -> np.ndarray[Any, Any]:
    return np.frombuffer(data, np.uint8).copy()  # of its very size, so that a sanitiser sees the first byte beyond it


def both(name: str, *args: Any) -> Any:
    """The result of both, compared; the same error counts as the same."""
    results = []
    for module in (native, reference):
        try:
            results.append(getattr(module, name)(*args))
        except ValueError as error:
            results.append(str(error))
    mine, twin = results
    if isinstance(twin, str) or isinstance(mine, str):
        assert mine == twin
        return None
    for a, b in zip(*((r if isinstance(r, tuple) else (r,)) for r in results), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    return twin


@given(buffers, flags, st.integers(0, 2**64 - 1), st.data())
@example(b"a" * 63 + b".b" + "é".encode() * 40, 0, 0, None)
@example("中".encode() * 60, 0, 0, None)  # up to the end of the text, behind which nothing may be read
@settings(max_examples=max(125, settings().max_examples))
def test_tokens_are_equal(data: bytes, flags: int, seed: int, draw: Any) -> None:
    start, end = draw.draw(ranges_in(len(data))) if draw else (np.array([0]), np.array([len(data)]))
    # near the end of the text the kernel is more careful: both with and without something behind it
    behind = draw.draw(st.sampled_from([b"", "é中b".encode(), b"a" * 100, "ж".encode() * 50])) if draw else b""
    text = as_array(data + behind)
    both("tokenise", text, start, end, flags, seed)
    both("hash_tokens", text, start, end, flags, seed)
    both("count_tokens", text, start, end, flags)
    both("token_halves", text, start, end, flags)
    both("normalise", text, start, end, flags)
    both("survey_tokens", text, start, end, flags)
    both("survey_bands", text, start, end, flags, 1 + seed % 15, 1 + seed % 5, 1 + seed % 3, seed % 2**63)
    room = np.zeros((2, len(native.tokenise(text, start, end, flags)[0])), np.uint32)
    sets = [kernel.short_sets(text, start, end, flags, 1 + seed % 3, own)
            for kernel, own in zip((native, reference), room, strict=True)]
    np.testing.assert_array_equal(*sets)
    np.testing.assert_array_equal(*room[:, :sets[0][-1]])
    _, token_start, token_end, half, first = native.tokenise(text, start, end, flags)
    halves = np.append(0, np.cumsum(2 - half.astype(np.int64)))
    row = np.repeat(np.arange(len(start)), np.diff(first))
    nth = np.arange(len(row)) - first[row]
    for step in (1, 2):
        edges = both("token_edges", text, start, end, flags, row[::step].copy(), nth[::step].copy())
        np.testing.assert_array_equal(edges[0], token_start[::step])
        np.testing.assert_array_equal(edges[1], token_end[::step])
        np.testing.assert_array_equal(edges[2], (halves[:-1] - halves[first[row]])[::step])


@given(buffers, buffers, flags, st.data())
def test_equality_of_tokens_is_equal(a: bytes, b: bytes, flags: int, draw: Any) -> None:
    if draw.draw(st.booleans()):
        b = a.swapcase()
    pairs = draw.draw(st.integers(0, 3))
    ends = [sorted((draw.draw(st.integers(0, len(d))), draw.draw(st.integers(0, len(d))))) for d in [a, b] * pairs]
    rows = np.array([*ends, [0, len(a)], [0, len(b)]], np.int64)
    columns = [np.ascontiguousarray(c) for c in (rows[0::2, 0], rows[0::2, 1], rows[1::2, 0], rows[1::2, 1])]
    both("equal_tokens", as_array(a), columns[0], columns[1], as_array(b), columns[2], columns[3], flags)


@given(buffers, st.integers(0, 3))
@settings(max_examples=max(150, settings().max_examples))
def test_cutting_by_runs_is_cutting_character_by_character(data: bytes, flags: int) -> None:
    """Twin and kernel cut ASCII by masks and hand the rest over in stretches; the plain definition needs neither."""
    tokens = cut_stretch(data, flags)
    _, start, end, half, first = native.tokenise(as_array(data), np.array([0]), np.array([len(data)]), flags, 0)
    assert first.tolist() == [0, len(tokens)]
    assert list(zip(start.tolist(), end.tolist(), half.tolist(), strict=True)) == [
        (t.start, t.end, t.half) for t in tokens
    ]
    for token in tokens:
        one = native.normalise(as_array(data), np.array([token.start]), np.array([token.end]), flags)[0].tobytes()
        assert token.content in one  # a character that maps to several tokens gives all of them


def hashes_are_those_of_tokens(text: Any, size: int, flags: int) -> None:
    """Hashes alone are made in the lanes of wide registers, where the processor has them; those beside places never are."""
    start, end = np.array([0, size // 3]), np.array([size, size])
    plain = native.tokenise(text, start, end, flags, 7)
    for mine, twin in zip(native.hash_tokens(text, start, end, flags, 7), (plain[0], plain[4]), strict=True):
        np.testing.assert_array_equal(mine, twin)


@pytest.mark.parametrize("flags", range(4))
def test_words_of_letters_of_two_bytes_are_hashed_as_the_twin_says(flags: int) -> None:
    """Letters that grow (é), stay as long (ø), shrink (ſ) or are several (ŉ), also beyond the sixteen bytes of a lane."""
    letters = itertools.permutations("éøſŉx5", 2)
    words = [a * n + b * m + end for a, b in letters for n in range(1, 9) for m in range(9) for end in ("", "×")]
    text = " ".join(words).encode()
    both("hash_tokens", as_array(text + b" " * 100), np.array([0]), np.array([len(text)]), flags, 0)


def table_value(code: int) -> int:
    return int(tables().stage2[int(tables().stage1[code >> 7]) * 128 + (code & 127)])


def unlike_its_neighbours(code: int) -> bool:
    """Whether it may behave as no other code point does; of a stretch of the same class, only a few need be tried."""
    return code % 16 == 0 or table_value(code) not in (table_value(code - 1), table_value(code + 1))


@pytest.mark.parametrize("flags", [0, pytest.param(3, marks=pytest.mark.slow),
                                   *(pytest.param(flags, marks=pytest.mark.soak) for flags in (1, 2))])
def test_each_code_point_cuts_words_as_the_twin_says(flags: int) -> None:
    """Each code point of the basic plane, alone and between letters; beside units, marks and joiners those of each kind."""
    around = ("x{}y", "é{}é", "中{}中", "न{}ि", "o'{}", "{}.z", "o’{}s", "e\u0301{}", "{0}{0}", "“{}")
    codes = [c for c in map(chr, range(0x80, 0x10000)) if flags == 0 or unicodedata.category(c)[0] in "LMN"]
    kinds = [c for c in codes if unlike_its_neighbours(ord(c))]
    for context, chars in [("{} x{}y" if flags == 0 else "{}", codes), *((context, kinds) for context in around)]:
        data = " ".join(context.replace("{}", c).replace("{0}", c) for c in chars).encode("utf-8", "surrogatepass")
        text = as_array(data + b" " * 100)
        both("tokenise", text, np.array([0]), np.array([len(data)]), flags, 0)
        hashes_are_those_of_tokens(text, len(data), flags)
        both("normalise", text, np.array([0]), np.array([len(data)]), flags)


@given(st.lists(lanes, min_size=1, max_size=8), st.integers(0, 3))
@settings(max_examples=max(125, settings().max_examples))
def test_lanes_cut_words_as_the_twin_says(words: list[bytes], flags: int) -> None:
    data = b" ".join(words)
    both("tokenise", as_array(data + b" " * 100), np.array([0]), np.array([len(data)]), flags, 0)
    many = b"a " * 17 + b"y" * 20 + b" "  # words of one window
    for repeated in (data, many + data, b" ".join([data] * 20), b"  ".join([data, b"of"] * 40)):  # in windows here and there
        hashes_are_those_of_tokens(as_array(repeated + b" " * 100), len(repeated), flags)


@given(buffers, st.lists(st.integers(-1, 300), max_size=6), st.integers(0, 20))
def test_positions_and_lines_are_equal(data: bytes, places: list[int], start: int) -> None:
    text = as_array(data)
    positions = np.array(sorted(places), np.int64)
    within = np.clip(positions, 0, len(data))
    both("code_points", text, positions)
    both("code_points", text, within)
    both("char_columns", text, within[::-1].copy(), positions, within[:1])
    both("line_numbers", text, start, positions)
    both("line_numbers", text, 0, within)
    both("byte_offsets", text, start, len(data), positions)
    both("byte_offsets", text, min(start, len(data)), len(data), np.clip(positions, 0, 3))


@given(st.text(max_size=100), st.data())
def test_code_points_and_byte_offsets_undo_each_other(text: str, draw: Any) -> None:
    data = as_array(text.encode("utf-8", "surrogatepass"))
    numbers = np.array(sorted(draw.draw(st.lists(st.integers(0, len(text)), max_size=6))), np.int64)
    offsets = native.byte_offsets(data, 0, len(data), numbers)
    np.testing.assert_array_equal(native.code_points(data, offsets), numbers)


WORDS = st.sampled_from(
    ["a", "word", "longer-word", "Straße", "中文", "中文字符", "ไทยไทย", "한글", "\ud800", "।", "«x»", "\u3000"]
)
LINES = st.lists(WORDS, max_size=14).map(" ".join) | st.lists(WORDS, max_size=25).map("".join)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\f", "\u2028", "\u2029", " \n\t"])


@given(buffers, st.data())
def test_stretches_of_bytes_are_equal(data: bytes, draw: Any) -> None:
    both("cut_bytes", as_array(data), *draw.draw(ranges_in(len(data))))


ADDRESSES = st.lists(st.sampled_from([b"http", b"://", b"a.org", b"b", b"/", b"?", b"#", b"\\", b":", b"\xff"]), max_size=8)


@given(st.lists(ADDRESSES.map(b"".join), max_size=20))
def test_authorities_are_equal(addresses: list[bytes]) -> None:
    both("authorities", as_array(b"".join(addresses)), np.cumsum([0, *map(len, addresses)]))


@given(st.lists(st.tuples(LINES, ENDS), max_size=8), st.binary(max_size=3), st.data())
@settings(max_examples=max(150, settings().max_examples))
def test_blocks_of_lines_are_equal(lines: list[tuple[str, str]], odd: bytes, draw: Any) -> None:
    data = "".join(a + b for a, b in lines).encode("utf-8", "surrogatepass") + odd
    both("split_lines", as_array(data), *draw.draw(ranges_in(len(data))))


@pytest.mark.parametrize("width", [20, 39, 40, 41, 60, 100, 200, 201, 230])
@pytest.mark.parametrize("word", ["word ", "ein Wort ", "中文", "เป็นคำ", "слово "])
def test_blocks_of_wrapped_text_are_equal(width: int, word: str) -> None:
    text = word * 100
    data = "\n".join(text[i : i + width] for i in range(0, len(text), width)).encode()
    both("split_lines", as_array(data), np.array([0]), np.array([len(data)]))


same_version = pytest.mark.skipif(
    unicodedata.unidata_version < "14", reason="the sample of letters needs a newer unicodedata"
)


def _letters() -> str:
    """Letters and marks that this Python and the tables both know, and that are not dropped."""
    table, known = tables(), []
    for code in range(0x110000):
        category = unicodedata.category(chr(code))
        value = int(table.stage2[int(table.stage1[code >> 7]) * 128 + (code & 127)])
        if category[0] in "LM" and not (value < 2048 and value & 7 >= 6):
            known.append(chr(code))
    return "".join(known)


LETTERS = _letters()
COMMON = "aAàÀßẞſsSﬀﬃΣςσΑαᾳᾼᾴἄιͅΐΰϐÅÅåꭰᏸ가각ㄱ각ｶﾞガがゞखँक़ड़ক়ๅำกṩṨẛ̣̇́̈̄̆̌᾽ϓʰᵃＡａ𝐀𝒜ℂ㌀㍱"


def nfkc_casefold(text: str) -> str:
    """Decomposed before it is folded, as Unicode's D145 says: U+0345 folds to a letter, and marks cannot pass it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", text).casefold())


@same_version
@given(st.text(st.sampled_from(COMMON) | st.sampled_from(LETTERS), min_size=1, max_size=6), st.data())
@settings(max_examples=max(400, settings().max_examples))
def test_words_are_equal_if_and_only_if_their_nfkc_casefold_is(word: str, draw: Any) -> None:
    other = draw.draw(
        st.sampled_from([word.upper(), word.lower(), unicodedata.normalize("NFD", word), nfkc_casefold(word)])
        | st.permutations(word).map("".join)
        | st.text(st.sampled_from(COMMON), min_size=1, max_size=6)
    )
    a, b = (as_array(s.encode("utf-8", "surrogatepass")) for s in (word, other))
    if not all(_only_letters(s) for s in (word, other)):
        return  # a letter whose mapped form holds blanks or symbols is several tokens
    ends = [np.array([0]), np.array([len(a)]), np.array([0]), np.array([len(b)])]
    equal = native.equal_tokens(a, ends[0], ends[1], b, ends[2], ends[3], 0)
    assert bool(equal[0]) == (nfkc_casefold(word) == nfkc_casefold(other))


def _only_letters(text: str) -> bool:
    return all(unicodedata.category(c)[0] in "LM" and c != "ـ" for c in nfkc_casefold(text))


@given(st.text(st.sampled_from(SCRIPTS) | st.characters(exclude_categories=["Cn", "Cs"]), max_size=60))
@settings(max_examples=max(150, settings().max_examples))
def test_a_text_and_its_compatibility_form_have_the_same_tokens(text: str) -> None:
    forms = [text, unicodedata.normalize("NFKC", text), unicodedata.normalize("NFD", text)]
    seen = []
    for form in forms:
        data = as_array(form.encode("utf-8", "surrogatepass"))
        seen.append(native.tokenise(data, np.array([0]), np.array([len(data)]), 0, 0)[0].tolist())
    assert seen[0] == seen[1] == seen[2]
