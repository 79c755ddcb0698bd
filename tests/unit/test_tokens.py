"""What a token is, script by script; kernel and twin alike. docs/design/tokens.md says why."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dedup.kernel import reference, twin_tokens

try:
    from dedup.kernel import _kernel as native
except ImportError:
    native = None  # type: ignore[assignment]

ROOT = Path(__file__).parent.parent.parent
ACCENTS, DIGITS, HYPHENS = reference.FOLD_ACCENTS, reference.FOLD_DIGITS, reference.JOIN_HYPHENS


@pytest.fixture(params=["native", "reference"])
def kernel(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "reference":
        return reference
    if native is None:
        pytest.skip("the kernel is not built")
    return native


def cut(kernel: ModuleType, text: str, flags: int = 0) -> list[str]:
    """The tokens as they stand in the text; a unit in angle brackets."""
    data = text.encode("utf-8", "surrogatepass")
    _, start, end, half, _ = kernel.tokenise(
        np.frombuffer(data, np.uint8), np.array([0]), np.array([len(data)]), flags, 0
    )
    words = [data[a:b].decode("utf-8", "surrogatepass") for a, b in zip(start.tolist(), end.tolist(), strict=True)]
    return [f"<{word}>" if unit else word for word, unit in zip(words, half.tolist(), strict=True)]


def normal(kernel: ModuleType, text: str, flags: int = 0) -> str:
    data = text.encode("utf-8", "surrogatepass")
    out, _ = kernel.normalise(np.frombuffer(data, np.uint8), np.array([0]), np.array([len(data)]), flags)
    return unicodedata.normalize("NFC", out.tobytes().decode())


CUTS = {
    "a word, a number, a blank": ("Two  words, 3.5% off", ["Two", "words", "3.5", "off"]),
    "apostrophe, straight and curly": ("don't don’t 'quoted' ’tis", ["don't", "don’t", "quoted", "tis"]),
    "a full stop joins": ("U.S.A. ends. e.g. v1.2.3", ["U.S.A", "ends", "e.g", "v1.2.3"]),
    "a middle dot joins": ("paral·lel · l·l·", ["paral·lel", "l·l"]),
    "two joiners do not": ("a..b a.'b wait...what", ["a", "b", "a", "b", "wait", "what"]),
    "no other sign joins": ("a-b a_b a:b a/b a@b.c", ["a", "b", "a", "b", "a", "b", "a", "b", "a", "b.c"]),
    "a mark stays with its letter": ("cafe\u0301 nai\u0308ve", ["cafe\u0301", "nai\u0308ve"]),
    "a lone mark is a word": ("a \u0301 b", ["a", "\u0301", "b"]),
    "a soft hyphen is nothing": ("Silben\u00adtrennung \u00ad x\u00ad", ["Silben\u00adtrennung", "x"]),
    "joined across what is nothing": ("don\u200d'\u200dt", ["don\u200d'\u200dt"]),
    "zero-width space separates": ("a\u200bb", ["a", "b"]),
    "direction marks and BOM are nothing": ("\ufeffone\u200e two", ["one", "two"]),
    "Cyrillic": ("Съешь ещё этих", ["Съешь", "ещё", "этих"]),
    "Greek": ("Ὀδυσσεύς, ἄνδρα", ["Ὀδυσσεύς", "ἄνδρα"]),
    "Hebrew with points": ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
    "Arabic keeps what is dropped in its range": ("كَتَبَ كتــب", ["كَتَبَ", "كتــب"]),
    "Devanagari": ("स्वतंत्रता का अधिकार।", ["स्वतंत्रता", "का", "अधिकार"]),
    "Devanagari with a zero-width joiner": ("क्\u200dष", ["क्\u200dष"]),
    "Bengali": ("স্বাধীনতা ও সমতা", ["স্বাধীনতা", "ও", "সমতা"]),
    "Tamil": ("சுதந்திரம் உண்டு", ["சுதந்திரம்", "உண்டு"]),
    "Han": ("中文〇々,龘𠀀", ["<中>", "<文>", "<〇>", "<々>", "<龘>", "<𠀀>"]),
    "Japanese, mixed": (
        "Python3で書いたコード",
        ["Python3", "<で>", "<書>", "<い>", "<た>", "<コ>", "<ー>", "<ド>"],
    ),
    "half width with voicing": ("ｶﾞﾊﾟﾃﾞ", ["<ｶﾞ>", "<ﾊﾟ>", "<ﾃﾞ>"]),
    "bopomofo": ("ㄅㄆㄇ", ["<ㄅ>", "<ㄆ>", "<ㄇ>"]),
    "joiners never join units": ("中.文 a.中 中.a", ["<中>", "<文>", "a", "<中>", "<中>", "a"]),
    "Korean": ("모든 사람은", ["모든", "사람은"]),
    "Thai": ("กินข้าว ๑๒", ["<กิ>", "<น>", "<ข้>", "<า>", "<ว>", "๑๒"]),
    "Lao": ("ສະບາຍ", ["<ສ>", "<ະ>", "<ບ>", "<າ>", "<ຍ>"]),
    "Khmer": ("ភាសា", ["<ភា>", "<សា>"]),
    "Burmese": ("မြန်မာ", ["<မြ>", "<န်>", "<မာ>"]),
    "emoji separate": ("one👍🏽two ❤️ three", ["one", "two", "three"]),
    "full width": ("ＡＢＣ　１２．５", ["ＡＢＣ", "１２．５"]),
    "lone surrogates separate": ("a\ud800b\udfffc", ["a", "b", "c"]),
    "a code point of several tokens": ("㍱ ㌀", ["㍱", "<㌀>", "<㌀>", "<㌀>", "<㌀>"]),
    "nothing": ("", []),
    "nothing but signs": (" .,;'’·— \u00ad", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CUTS)
def test_text_is_cut_into(kernel: ModuleType, name: str) -> None:
    text, tokens = CUTS[name]
    assert cut(kernel, text) == tokens


EQUAL = {
    "case": ("HELLO World", "hello wORLD"),
    "composed and decomposed": ("caf\u00e9", "cafe\u0301"),
    "marks in another order": ("a\u0323\u0301", "a\u0301\u0323"),
    "final sigma": ("ΟΔΟΣ οδός", "οδοσ ΟΔΌΣ"),
    "iota subscript": ("ᾼδης \u1fb3\u0301", "αιδης \u1fb4"),
    "sharp s": ("Straße STRAẞE", "STRASSE strasse"),
    "ligature": ("ﬁnal oﬃce", "final office"),
    "dotted capital I": ("İstanbul", "i\u0307stanbul"),
    "full width": ("ＡＢＣ１２．５", "abc12.5"),
    "curly apostrophe": ("don’t", "don't"),
    "tatweel and vowel marks": ("كَتَبَ كتــب", "كتب كتب"),
    "presentation forms": ("ﻛﺘﺐ", "كتب"),
    "half width": ("ｶﾞｯｺｳ", "ガッコウ"),
    "jamo": ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    "soft hyphen": ("Silben\u00adtrennung", "Silbentrennung"),
    "variation selector": ("葛\U000e0100城", "葛城"),
    "compatibility ideograph": ("\uf900", "豈"),
    "squared word": ("㌀", "アパート"),
    "nukta": ("\u0958", "\u0915\u093c"),
    "signs between": ("one, two", "(one) -- two!"),
    "signs between units": ("中文。字", "中 文字"),
}


@pytest.mark.parametrize("name", EQUAL)
def test_are_the_same_tokens(kernel: ModuleType, name: str) -> None:
    a, b = EQUAL[name]
    assert normal(kernel, a) == normal(kernel, b)
    hashes = []
    for text in (a, b):
        data = text.encode()
        hashes.append(kernel.tokenise(np.frombuffer(data, np.uint8), np.array([0]), np.array([len(data)]), 0, 0)[0])
    np.testing.assert_array_equal(*hashes)


DIFFERENT = {
    "accents, unless folded": ("café", "cafe", ACCENTS),
    "й is и with a breve": ("мой", "мои", ACCENTS),
    "iota subscript is an accent": ("ᾳ", "α", ACCENTS),
    "digits, unless folded": ("room 101", "room 234", DIGITS),
    "digits of other scripts": ("२०", "12", DIGITS),
    "both": ("Zoë 7", "zoe 9", ACCENTS | DIGITS),
    "a Hebrew point is no accent": ("שָ", "ש", 0),
    "a vowel sign is no accent": ("कि", "क", 0),
    "voicing is no accent": ("が", "か", 0),
    "a joiner is part of the word": ("U.S.A", "USA", 0),
    "where a word is cut": ("every one", "everyone", 0),
}


JOINED = {
    "a word": ("the news-\npaper", "the newspaper"),
    "every line break, with blanks": ("a news- \r\n\t paper, news-\rpaper", "a newspaper newspaper"),
    "every hyphen": ("a-\nb a\u00ad\nb a‐\nb a¬\nb", "ab ab ab ab"),
    "again and again": ("in-\nter-\nna-\ntional", "international"),
    "letters of any script": ("Straßen-\nbahn све-\nта caf-\né don't-\ngo", "strassenbahn света café don'tgo"),
    "no digits": ("1914-\n1918 B-\n17", "1914 1918 b 17"),
    "no characters of scripts without spaces": ("中-\n文 a-\n文 中-\na", "中文 a 文中 a"),
    "no empty line": ("news-\n\npaper", "news paper"),
    "no other hyphen": ("well-known a - b news--\npaper news -\npaper", "well known a b news paper news paper"),
}


@pytest.mark.parametrize("name", JOINED)
def test_a_hyphen_at_a_line_end_joins_where_that_is_asked_for(kernel: ModuleType, name: str) -> None:
    text, joined = JOINED[name]
    assert normal(kernel, text, HYPHENS) == joined
    data = text.encode()
    start, end = np.array([0]), np.array([len(data)])
    tokens = kernel.tokenise(np.frombuffer(data, np.uint8), start, end, HYPHENS, 0)
    plain = joined.encode()
    expected = kernel.tokenise(np.frombuffer(plain, np.uint8), start, np.array([len(plain)]), 0, 0)
    np.testing.assert_array_equal(tokens[0], expected[0])
    for a, b, hashed in zip(*(column.tolist() for column in (tokens[1], tokens[2], tokens[0])), strict=True):
        one = kernel.tokenise(np.frombuffer(data[a:b], np.uint8), np.array([0]), np.array([b - a]), HYPHENS, 0)
        assert one[0].tolist() == [hashed]  # the range of a token is that token


@pytest.mark.parametrize("name", DIFFERENT)
def test_are_different_tokens_unless_folded(kernel: ModuleType, name: str) -> None:
    a, b, flags = DIFFERENT[name]
    assert normal(kernel, a) != normal(kernel, b)
    for other in range(4):
        assert (normal(kernel, a, other) == normal(kernel, b, other)) == (bool(flags) and other & flags == flags)


def test_a_unit_counts_half(kernel: ModuleType) -> None:
    data = np.frombuffer("two words 中文字 กำ".encode(), np.uint8)
    tokens, halves = kernel.count_tokens(data, np.array([0, 0]), np.array([len(data), 9]), 0)
    assert tokens.tolist() == [7, 2]
    assert halves.tolist() == [9, 4]


def test_ranges_know_nothing_of_each_other(kernel: ModuleType) -> None:
    data = np.frombuffer(b"don't stop", np.uint8)
    _, start, end, _, first = kernel.tokenise(data, np.array([4, 0, 3, 6, 2]), np.array([10, 4, 5, 6, 8]), 0, 0)
    assert first.tolist() == [0, 2, 3, 4, 4, 6]
    assert list(zip(start.tolist(), end.tolist(), strict=True)) == [(4, 5), (6, 10), (0, 3), (4, 5), (2, 5), (6, 8)]


def test_the_text_between_starts_and_ends_is_the_word(kernel: ModuleType) -> None:
    """A mark that is dropped at the end of a word stays in its range, so that cutting the text never splits it."""
    assert cut(kernel, "كتبَ.") == ["كتبَ"]
    assert cut(kernel, "cafe\u0301.", ACCENTS) == ["cafe\u0301"]


def test_hashes_differ_with_the_seed_and_the_length(kernel: ModuleType) -> None:
    data = np.frombuffer(b"a a\xc2\xadb aaaaaaaa aaaaaaaab", np.uint8)
    whole = (np.array([0]), np.array([len(data)]))
    one, two = (kernel.tokenise(data, *whole, 0, seed)[0] for seed in (1, 2))
    assert len(set(one.tolist()) | set(two.tolist())) == 8


def test_hashes_do_not_change(kernel: ModuleType) -> None:
    """Stored indexes hold hashes: a change of recipe or of tables is a decision."""
    data = np.frombuffer("The Straße, don’t; 中文 ᾴ 3.5 كَتَبَ한글 antidisestablishmentarianism".encode(), np.uint8)
    hashes = kernel.tokenise(data, np.array([0]), np.array([len(data)]), 0, 7)[0]
    assert hashlib.sha256(hashes.astype("<u8").tobytes()).hexdigest()[:16] == "a65d98f6ac3a05ea"


@pytest.mark.parametrize(
    ("start", "end", "flags", "message"),
    [
        ([0], [9], 0, "range 0 is not within 0 to 3"),
        ([0, 2], [1, 1], 0, "range 1 is not within"),
        ([-1], [1], 0, "range 0"),
        ([0], [], 0, "as many starts as ends"),
        ([0], [1], 8, "1 folds accents, 2 folds digits, 4 joins hyphens"),
    ],
)
def test_what_cannot_be_cut_is_refused(
    kernel: ModuleType, start: list[int], end: list[int], flags: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kernel.tokenise(np.zeros(3, np.uint8), np.array(start, np.int64), np.array(end, np.int64), flags, 0)


# ---- tables ----


def header_arrays() -> dict[str, list[int]]:
    header = (ROOT / "dedup/kernel/unicode_tables.hpp").read_text()
    found = re.findall(r"uint\d+_t k(\w+)\[(\d+)\] = \{([^}]*)\}", header)
    arrays = {name.lower(): [int(n) for n in body.replace("\n", "").split(",") if n] for name, _, body in found}
    assert all(len(arrays[name.lower()]) == int(length) for name, length, _ in found)
    return arrays


def test_kernel_and_twin_have_the_same_tables() -> None:
    tables = twin_tokens.tables()
    for name, numbers in header_arrays().items():
        assert numbers == getattr(tables, name).tolist()
    arrays = (tables.stage1, tables.stage2, tables.first, tables.mapped)
    assert hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest() == tables.digest
    if native is not None:
        assert (native.unicode_version, native.tables_digest) == (tables.version, tables.digest)


@pytest.mark.soak
def test_making_the_tables_again_changes_nothing() -> None:
    """With the Python whose ``unicodedata`` has the tables' version, where there is one."""
    version = twin_tokens.tables().version
    ask = "import unicodedata; print(unicodedata.unidata_version)"
    for name in ("python3", "python3.13", "python3.14", "python3.12"):
        python = shutil.which(name)
        if python and subprocess.run([python, "-c", ask], capture_output=True, text=True).stdout.strip() == version:
            script = ROOT / "scripts/make_unicode_tables.py"
            assert subprocess.run([python, str(script), "--check"], capture_output=True).returncode == 0
            return
    pytest.skip(f"no Python with Unicode {version} here")


def test_the_tables_are_small() -> None:
    for name in ("unicode_tables.hpp", "unicode_tables.bin"):
        assert (ROOT / "dedup/kernel" / name).stat().st_size < 600_000
