"""Make the Unicode tables of the kernel and of its twin from ``unicodedata``; standard library only.

    python3 scripts/make_unicode_tables.py [--check] [DIRECTORY]

Writes ``unicode_tables.hpp`` (C++) and ``unicode_tables.bin`` (twin) into ``dedup/kernel``: the same four arrays. With
``--check`` nothing is written; the exit status is 1 where the files would change. The Unicode version is the running
Python's: to move to another one is a decision (tokens change), so run it with the Python you mean.

What the tables hold, for each code point: its class, its canonical combining class and, where it is not itself, its
mapped form NFKD(casefold(NFKD(c))), repeated until nothing changes. Two texts have the same NFKC(casefold(NFKC(s))) if
and only if their mapped forms are equal once marks stand in canonical order. Hangul syllables are left out (they
decompose by arithmetic) and so is the fold of U+0345: it becomes an iota, which is a letter, but only after the marks
around it have been ordered, so whoever orders them folds it.

    stage1[c >> 7]                  block of 128 code points
    stage2[block * 128 + c % 128]   value: below 2048 the code point is itself, class = value & 7, ccc = value >> 3;
                                    else expansion number value - 2048
    first[n] .. first[n + 1]        where in `mapped` expansion n stands
    mapped[i]                       code point | class << 21 | ccc << 24
"""

from __future__ import annotations

import hashlib
import sys
import unicodedata
from array import array
from pathlib import Path

SEPARATOR, LETTER, MARK, DIGIT, UNIT, JOINER, DROPPED, DROPPED_MARK = range(8)
BLOCK = 128
IDENTITY = 2048
IOTA_BELOW = 0x345

JOINERS = {"'", "\u2019", ".", "\u00b7"}

# Default_Ignorable_Code_Point (DerivedCoreProperties.txt; not in unicodedata), without U+200B, which separates words.
IGNORABLE = [
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200C, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
]  # fmt: skip
ARABIC_VOWELS = [(0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06ED)]
TATWEEL = 0x0640

# Letters of scripts that put no spaces between words; a letter's name begins with its script's.
UNSPACED = (
    "CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH", "IDEOGRAPHIC", "VERTICAL IDEOGRAPHIC", "HANGZHOU NUMERAL",
    "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "HENTAIGANA", "VERTICAL KANA", "BOPOMOFO", "MASU MARK",
    "THAI", "LAO", "KHMER", "MYANMAR",
)  # fmt: skip


def is_in(code: int, ranges: list[tuple[int, int]]) -> bool:
    return any(low <= code <= high for low, high in ranges)


def classify(code: int) -> int:
    """Class of a code point as it stands in a mapped form."""
    char = chr(code)
    category = unicodedata.category(char)
    mark = category[0] == "M"
    if is_in(code, IGNORABLE) or code == TATWEEL or (mark and is_in(code, ARABIC_VOWELS)):
        return DROPPED_MARK if mark else DROPPED
    if char in JOINERS:
        return JOINER
    if mark:
        return MARK
    if category == "Nd":
        return DIGIT
    if category[0] == "L" or category in ("Nl", "No"):
        unspaced = category != "No" and unicodedata.name(char, "").startswith(UNSPACED)
        return UNIT if unspaced else LETTER
    return SEPARATOR


def fold(char: str) -> str:
    return char if ord(char) == IOTA_BELOW else char.casefold()


def map_code_point(code: int) -> str:
    """The mapped form; the joiner ’ counts as '."""
    form = chr(code)
    while True:
        decomposed = unicodedata.normalize("NFKD", form)
        folded = unicodedata.normalize("NFKD", "".join(map(fold, decomposed))).replace("\u2019", "'")
        if folded == form:
            return form
        form = folded


def make() -> dict[str, array[int]]:
    """The four arrays by name."""
    expansions: dict[str, int] = {}
    values: list[int] = []
    for code in range(0x110000):
        if 0xD800 <= code <= 0xDFFF or 0xAC00 <= code <= 0xD7A3:
            values.append(SEPARATOR)  # surrogates; Hangul syllables are asked for before the table
            continue
        form = map_code_point(code)
        if form == chr(code):
            values.append(classify(code) | unicodedata.combining(form) << 3)
        else:
            values.append(IDENTITY + expansions.setdefault(form, len(expansions)))

    blocks: dict[tuple[int, ...], int] = {}
    stage1 = array("H")
    for at in range(0, len(values), BLOCK):
        stage1.append(blocks.setdefault(tuple(values[at : at + BLOCK]), len(blocks)))
    first, mapped = array("H", [0]), array("I")
    for form in expansions:
        mapped.extend(ord(c) | classify(ord(c)) << 21 | unicodedata.combining(c) << 24 for c in form)
        first.append(len(mapped))
    stage2 = array("H", [value for block in blocks for value in block])
    return {"stage1": stage1, "stage2": stage2, "first": first, "mapped": mapped}


def little_endian(numbers: array[int]) -> bytes:
    copy = array(numbers.typecode, numbers)
    if sys.byteorder == "big":
        copy.byteswap()
    return copy.tobytes()


def digest(tables: dict[str, array[int]]) -> str:
    return hashlib.sha256(b"".join(map(little_endian, tables.values()))).hexdigest()


def as_header(tables: dict[str, array[int]]) -> str:
    lines = [
        "// Made by scripts/make_unicode_tables.py, which explains the arrays. Do not edit.",
        "#pragma once",
        "",
        "#include <cstdint>",
        "",
        "namespace dedup::unicode {",
        "",
        f'inline constexpr char kVersion[] = "{unicodedata.unidata_version}";',
        f'inline constexpr char kDigest[] = "{digest(tables)}";',
    ]
    for name, numbers in tables.items():
        kind = {"H": "std::uint16_t", "I": "std::uint32_t"}[numbers.typecode]
        lines += ["", f"inline constexpr {kind} k{name.capitalize()}[{len(numbers)}] = {{"]
        line = ""
        for number in numbers:
            text = f"{number},"
            if len(line) + len(text) > 120:
                lines.append(line)
                line = ""
            line += text
        lines += [line, "};"]
    return "\n".join([*lines, "", "}  // namespace dedup::unicode", ""])


def as_binary(tables: dict[str, array[int]]) -> bytes:
    """One line of text (version, digest, name:type:length of each array), then the arrays, little endian."""
    shapes = " ".join(f"{name}:u{numbers.itemsize}:{len(numbers)}" for name, numbers in tables.items())
    head = f"dedup-unicode-tables/1 {unicodedata.unidata_version} {digest(tables)} {shapes}\n"
    return head.encode() + b"".join(map(little_endian, tables.values()))


def main() -> int:
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    place = Path(arguments[0]) if arguments else Path(__file__).parent.parent / "dedup" / "kernel"
    tables = make()
    files = {"unicode_tables.hpp": as_header(tables).encode(), "unicode_tables.bin": as_binary(tables)}
    changed = [n for n, data in files.items() if not (place / n).exists() or (place / n).read_bytes() != data]
    if "--check" not in sys.argv:
        for name in changed:
            (place / name).write_bytes(files[name])
    print(f"Unicode {unicodedata.unidata_version}: {', '.join(changed) or 'nothing'} changed")
    return 1 if changed and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
