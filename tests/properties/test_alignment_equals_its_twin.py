"""Seeds and rectangles: the compiled kernel equals its plain twin, bit for bit; keys equal brute force."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from dedup.kernel import reference
from dedup.kernel.align_settings import (
    DICE,
    EVIDENCE,
    GRAM_ITEMS,
    GRAM_WINDOW,
    LENGTH,
    LETTER_ITEMS,
    LETTER_WINDOW,
    OVERLAP,
    RARE,
    THOUSAND,
    Settings,
)
from dedup.kernel.twin_seeding import fixed_log2

native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the compiled kernel is not built, twins untested")

I64, U8, U32, U64 = np.int64, np.uint8, np.uint32, np.uint64
SMALL = Settings(window=6, cell=3, step=1, radius=2, cell_dice=280, seed_dice=330, gap=3, theta=310, factor=700, drop=3000,
                 moves=18, border_cost=1500, evidence=1000, evidence_theta=330, least_dice=420, pseudo_window=4, all_cells=0,
                 max_cells=4000, min_halves=0, border_reach=12, again_dice=1001, joint_reach=5, row_cells=1000,
                 again_share=500, tries=8, drift=18, least_window=3, slack=4)


def both(name: str, *args: Any) -> Any:
    mine, theirs = (getattr(module, name)(*args) for module in (native, reference))
    for x, y in zip(*((r if isinstance(r, tuple) else (r,)) for r in (mine, theirs)), strict=True):
        assert_array_equal(x, y)
        assert getattr(x, "dtype", int) == getattr(y, "dtype", int)
    return theirs


WORDS = ["a", "alike", "alikeness", "Straße", "éé́éé́é", "don't", "U.S", "中", "文字中", "ไทย", "12345678"]
GAPS = ["-\n", "-\r\n ", "\u00ad\n", "¬ \n\t", "\u2010\r", "-\n\n", "- ",
        " ", ". ", ".", "? ”", "!’ ", "…\n", "。", "\n\n", "\n \n", "”\n", ".\u00a0", ") ", "؟", "·", "", "—. \""]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=20), st.integers(0, 7),
       st.sampled_from([1, 2, 3, 4, 5, 7, 9]), st.sampled_from([1, 1, 1, 70]), st.binary(max_size=4))
@settings(max_examples=max(300, settings().max_examples))
def test_items_are_equal(parts, flags, letters, times, odd):
    """Words wait for their items, up to 512 of them: some texts have more."""
    data = np.frombuffer("".join(a + b for a, b in parts).encode() * times + odd, U8).copy()
    middle = len(data) // 2
    items = both("bag_items", data, np.array([0, middle], I64), np.array([middle, len(data)], I64), flags, letters)
    assert len(items) == len(native.hash_tokens(data, np.array([0, middle]), np.array([middle, len(data)]), flags)[0])


def test_an_item_is_the_first_letters_and_a_pair_of_characters():
    def items(text: str) -> list[int]:
        data = np.frombuffer(text.encode(), U8)
        return native.bag_items(data, np.array([0]), np.array([len(data)]), 0, 5).tolist()
    assert len(set(items("Alignment aligned ALIGNS align"))) == 2  # the first one starts a sentence
    one, two, three, *_ = items("中文中文")
    assert one >> 2 == three >> 2 != two >> 2
    assert [value & 2 for value in items("中 word")] == [2, 0]
    assert [value & 1 for value in items("One. Two 3.5 e.g. (four) “Five?” six\n\nseven。八")] == [1, 1, 0, 0, 1, 0, 1, 1, 1]


PARTS = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=20)


@given(PARTS, st.lists(st.integers(0, 40), max_size=4), st.integers(0, 7), st.integers(1, 16), st.binary(max_size=4))
@settings(max_examples=max(300, settings().max_examples))
def test_letter_items_are_equal(parts, cuts, flags, letters, odd):
    """Of ranges that are whole pages and of pages of several ranges; as many as there are letters in the normalised text."""
    data = np.frombuffer("".join(a + b for a, b in parts).encode() + odd, U8).copy()
    edges = np.array([0, *sorted(min(cut, len(data)) for cut in cuts), len(data)], I64)
    pages = np.unique(np.append(np.arange(0, len(edges) - 1, 2), len(edges) - 1)).astype(I64)
    item, first = both("letter_items", data, edges[:-1].copy(), edges[1:].copy(), pages, flags, letters)
    _, _, _, half, begins = native.tokenise(data, edges[:-1].copy(), edges[1:].copy(), flags)
    assert (len(first), first[-1]) == (begins[-1] + 1, len(item))
    assert (np.diff(first)[half == 1] == 2).all()
    content, begins = native.normalise(data, edges[:-1].copy(), edges[1:].copy(), flags)
    words = [word for a, b in itertools.pairwise(begins) for word in content[a:b].tobytes().decode().split()]
    for word, count in zip(words, np.diff(first), strict=True) if not half.any() else ():
        assert count == len([char for char in word if char not in "'.·" and not "\u0300" <= char < "\u0370"])


def letters_of(text: str, letters: int = 3, flags: int = 4) -> list[int]:
    data = np.frombuffer(text.encode(), U8)
    item, _ = native.letter_items(data, np.array([0]), np.array([len(data)]), np.array([0, 1]), flags, letters)
    return (item >> U32(2)).tolist()


@pytest.mark.parametrize("other", ["the news pa-\nper", "thenews paper", "THE NEWS-PAPER", "the new's pap.er",
                                   "thé nèwspaper", "the news\u00adpaper", "the, news; (paper)", "t h e n e w s p a p e r"])
def test_letters_know_no_blanks_hyphens_marks_and_accents(other):
    assert letters_of(other) == letters_of("the newspaper")


def test_a_character_of_a_script_without_spaces_is_two_letters():
    assert len(letters_of("中文字")) == 6
    assert letters_of("中文字")[:2] == letters_of("中文国")[:2] != letters_of("国文字")[:2]
    assert letters_of("中文字", 4)[0] == letters_of("x中文国", 4)[1]


@given(st.text("abcdefgh", min_size=19, max_size=40), st.lists(st.text("abcdefgh", max_size=30), min_size=4, max_size=4),
       st.randoms(use_true_random=False))
def test_texts_that_share_a_run_of_letters_share_a_key(run, around, rnd):
    """The guarantee of scanned text: 12 + 8 - 1 equal letters, whatever stands between them, have a key in common."""
    pages = ["".join(char + rnd.choice(["", "", " ", "-\n", ". ", ", "]) for char in before + run + after)
             for before, after in (around[:2], around[2:])]
    data = np.frombuffer("".join(pages).encode(), U8)
    edges = np.cumsum([0, *(len(page) for page in pages)]).astype(I64)
    item, _ = native.letter_items(data, edges[:-1].copy(), edges[1:].copy(), np.arange(3), 4, 3)
    size = [sum(char.isalpha() for char in page) for page in pages]
    none = np.empty(0, U8)
    key, at, _ = native.repeated_seeds(item, np.cumsum([0, *size]), none, none, 2, np.full(64, 2**64 - 1, U64), 0, 1)
    begin = [len(around[0]), size[0] + len(around[2])]
    last = len(run) - LETTER_ITEMS - 2
    own = [{(int(p) - b, int(k)) for k, p in zip(key, at, strict=True) if b <= p <= b + last} for b in begin]
    assert LETTER_ITEMS + 2 + LETTER_WINDOW - 1 == 19
    assert own[0] & own[1]


items = st.lists(st.lists(st.integers(0, 6), max_size=25), min_size=1, max_size=5)


def columns(pages: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Items of a few words; every fifth one starts a sentence, every third one is half a token."""
    flat = [(word * 0x12345679 & 0xFFFFFFFC) | (i % 5 == 0) | 2 * (i % 3 == 0)
            for page in pages for i, word in enumerate(page)]
    return np.array(flat, U32), np.cumsum([0, *map(len, pages)]).astype(I64)


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=3), st.integers(0, 2), st.integers(0, 2**32).map(random.Random))
@settings(max_examples=20)
def test_seeds_of_long_pages_are_equal(sizes, kind, rnd):
    """Many items are taken together: pages as long as some of these, a few items less or more."""
    item, first = columns([[rnd.randrange(40) for _ in range(size)] for size in sizes])
    quiet = np.array([rnd.random() < 0.4 for _ in item], U8)
    rarity = np.array([rnd.randrange(4) for _ in range(16)], U8) if rnd.random() < 0.7 else np.empty(0, U8)
    both("repeated_seeds", item, first, quiet, rarity, kind, np.full(16, 2**64 - 1, U64), 7, 3)


@given(st.lists(st.integers(0, 30) | st.integers(0, 10**6), max_size=40), st.integers(1, 255), st.floats(0, 0.2),
       st.floats(0, 1))
def test_rarities_are_equal(counts, once, least, share):
    """Also of items that do not occur, where none does, and where several are as frequent."""
    rare = both("rarities", np.array(counts, np.uint32), once, least, share)
    assert all(r == once for c, r in zip(counts, rare.tolist(), strict=True) if not c)


def test_rarities_refuse_what_counts_nothing():
    for module in (native, reference):
        for once in (0, 256):
            with pytest.raises(ValueError, match="1 to 255"):
                module.rarities(np.ones(1, np.uint32), once, 0.1, 0.5)


@given(items, st.integers(0, 2), st.integers(1, 4), st.randoms(use_true_random=False))
def test_seeds_are_equal(pages, kind, partitions, rnd):
    item, first = columns(pages)
    quiet = np.array([rnd.random() < 0.4 for _ in item], U8) if rnd.random() < 0.7 else np.empty(0, U8)
    rarity = np.array([rnd.randrange(4) for _ in range(16)], U8) if rnd.random() < 0.7 else np.empty(0, U8)
    both("count_items", item, np.array([rnd.random() < 0.4 for _ in item], U8), 5)
    tables = [np.zeros(64, U64), np.zeros(64, U64)]
    for module, table in zip((native, reference), tables, strict=True):
        module.mark_seeds(item, first, quiet, rarity, kind, table)
    assert_array_equal(*tables)
    shared = np.zeros(64, U64)
    native.mark_seeds(item, first, quiet, rarity, kind, shared, shared=True)
    assert_array_equal(shared, tables[0])
    twice = both("slots_seen_twice", tables[:1])
    rows = 0
    for number in range(4):
        parts = [np.zeros(16, U64), np.zeros(16, U64)]
        for module, part in zip((native, reference), parts, strict=True):
            module.mark_seeds(item, first, quiet, rarity, kind, part, number, 4)
            assert_array_equal(part, tables[0][16 * number:16 * (number + 1)])
        own = twice[8 * number:8 * (number + 1)].copy()
        rows += len(both("repeated_seeds", item, first, quiet, rarity, kind, own, 7, partitions, number, 4)[0])
    assert rows == len(both("repeated_seeds", item, first, quiet, rarity, kind, twice, 7, partitions)[0])
    key, position, _ = both("repeated_seeds", item, first, quiet, rarity, kind, twice, 7, partitions)
    for cap in (2, 64):
        places, classes, _ = both("seed_classes", key, position - U32(7), cap)
        for least in (1, 3, 7):
            around = rnd.randrange(14), rnd.randrange(1, 26)
            a, b = both("class_anchors", places, classes, item, first, rarity, 3, *around, least)
            both("pair_anchors", np.append(a, a), np.append(b, b), first)


@given(items, st.integers(2, 120), st.integers(0, 30), st.integers(1, 30), st.integers(-1, 40),
       st.randoms(use_true_random=False))
def test_anchors_of_few_and_of_many_places_are_equal(pages, places, before, after, least, rnd):
    """Few places are compared two and two, many of them or wide surroundings by their items: both say the same."""
    item, first = columns(pages)
    if not len(item):
        return
    rarity = np.array([rnd.randrange(4) for _ in range(16)], U8) if rnd.random() < 0.7 else np.empty(0, U8)
    few = [sorted(rnd.randrange(len(item)) for _ in range(count)) for count in (2, places, 3)]
    position = np.array(list(itertools.chain(*few)), U32)
    both("class_anchors", position, np.array([0, 2, places + 2, places + 5]), item, first, rarity, rnd.randrange(9), before,
         after, least)


@given(items, items, st.integers(2, 64), st.integers(1, 12), st.integers(0, 12), st.integers(1, 24), st.integers(0, 40),
       st.sampled_from([0, 10**6, 10**6, 10**6]), st.randoms(use_true_random=False))
@settings(max_examples=max(300, settings().max_examples))
def test_anchors_of_two_sides_are_equal(one, other, cap, bits, before, after, least, budget, rnd):
    """What one call finds of few pages is what the calls one after the other find, whichever side is smaller."""
    item, first = columns([*one, *other])
    some = [int(x) for x in rnd.choices([*item.tolist(), 0], k=8)]
    run = [x for x in some for _ in range(rnd.choice([1, 1, 300]))] if rnd.random() < 0.4 else some  # some are very many
    item, first = columns([*one, run, *other, some * rnd.randrange(1, 4)])
    border = rnd.randrange(len(first))
    edges = sorted(rnd.sample(range(len(item) + 1), min(2 * rnd.randrange(3), len(item) // 2 * 2)))
    quiet = np.array(edges[::2], U32), np.array(edges[1::2], U32)
    matches = []
    for _ in range(rnd.randrange(4)):
        length = rnd.randrange(1, min(len(item), 40) + 1)
        matches.append((rnd.randrange(len(item) - length + 1), rnd.randrange(len(item) - length + 1), length))
    columns_of = (np.array([match[i] for match in matches], I64) for i in range(3))
    both("sided_anchors", item, first, border, *quiet, *columns_of, cap, bits, 16, 0.001, 0.45, before, after, 3, least,
         budget)


def test_anchors_of_two_sides_refuse_what_is_no_side():
    item, first, none, one = np.arange(9, dtype=U32), np.array([0, 4, 9]), np.empty(0, U32), np.array([0])
    rest = (8, 4, 16, 0.001, 0.45, 3, 3, 1, 1, 100)
    for module in (native, reference):
        for border in (-1, 3):
            with pytest.raises(ValueError, match="no page"):
                module.sided_anchors(item, first, border, none, none, one, one + 5, one + 2, *rest)
        for at, length in ((8, 2), (-1, 2), (3, 0)):
            with pytest.raises(ValueError, match="behind the last page"):
                module.sided_anchors(item, first, 1, none, none, one, one + at, one + length, *rest)
        with pytest.raises(ValueError, match="equally long"):
            module.sided_anchors(item, first, 1, none, none, one, one, np.array([1, 2]), *rest)


def test_a_place_amid_frequent_items_has_nothing_in_common_whatever_was_compared_before():
    rare = [1 << 28, 2 << 28, 3 << 28]
    item = np.array([*rare, *rare, 0, 0, 0, *rare], U32)
    position, first, pages = np.array([0, 3, 6, 9], U32), np.array([0, 2, 4]), np.array([0, 3, 6, 9, 12])
    rarity = np.array([0, *[1] * 15], U8)
    a, b = both("class_anchors", position, first, item, pages, rarity, 1, 3, 3, 1)
    assert (a.tolist(), b.tolist()) == ([0], [3])


@given(items, st.integers(1, 6))
def test_texts_that_share_a_run_share_a_key(pages, extra):
    """The guarantee of winnowing: a run of k + w - 1 equal items has a key in common, at the same place of the run."""
    run = [7 + (i * i) % 5 for i in range(GRAM_ITEMS + GRAM_WINDOW - 1 + extra)]
    pages = [pages[0] + run + pages[-1], pages[-1][:3] + run]
    item, first = columns(pages)
    item = item & U32(0xFFFFFFFC)
    table = np.full(64, 2**64 - 1, U64)
    key, position, _ = native.repeated_seeds(item, first, np.empty(0, U8), np.empty(0, U8), 0, table, 0, 1)
    at = [pages[0].index(7), len(pages[0]) + pages[1].index(7)]
    inside = [{(int(p) - a, int(k)) for k, p in zip(key, position, strict=True) if a <= p <= a + len(run) - GRAM_ITEMS}
              for a in at]
    for begin in range(len(run) - GRAM_ITEMS - GRAM_WINDOW + 2):
        window = range(begin, begin + GRAM_WINDOW)
        assert {row for row in inside[0] if row[0] in window} & {row for row in inside[1] if row[0] in window}


@st.composite
def related(draw: st.DrawFn) -> list[list[int]]:
    """Pages of which some hold edited copies of one text."""
    rnd = random.Random(draw(st.integers(0, 2**32)))
    text = [rnd.randrange(60) for _ in range(draw(st.integers(4, 40)))]

    def page() -> list[int]:
        out = [rnd.randrange(draw(st.sampled_from([3, 60]))) for _ in range(rnd.randrange(20))]
        for _ in range(rnd.randrange(3)):
            copy = [rnd.randrange(60) if rnd.random() < 0.2 else word for word in text if rnd.random() < 0.9]
            if rnd.random() < 0.3:
                rnd.shuffle(copy)
            out += copy + [rnd.randrange(200) for _ in range(rnd.randrange(12))]
        return out
    return [page() for _ in range(draw(st.integers(1, 3)))]


@given(related(), st.booleans(), st.sampled_from([0, 100_000]), st.integers(0, 2), st.sampled_from([700, 1001]),
       st.randoms(use_true_random=False))
@settings(max_examples=max(400, settings().max_examples))
def test_rectangles_are_equal(pages, far, all_cells, radius, again, rnd):
    item, first = columns(pages)
    pairs = list(itertools.combinations_with_replacement(range(len(pages)), 2))
    anchors = [[(rnd.randrange(len(pages[a]) + 1), rnd.randrange(len(pages[b]) + 1)) for _ in range(rnd.randrange(12))]
               for a, b in pairs]
    s = SMALL._replace(all_cells=all_cells, radius=radius, again_dice=again, max_cells=4000 if far else 20,
                       joint_reach=rnd.choice([0, 2, 5]), row_cells=rnd.choice([3, 1000]),
                       step=rnd.choice([1, 2, 4]), window=rnd.choice([4, 6, 9]),
                       min_halves=rnd.choice([0, 12, 24]), evidence=rnd.choice([1000, 4000]),
                       least_dice=rnd.choice([420, 700]), again_share=rnd.choice([0, 500, 900]), tries=rnd.choice([1, 2, 8]),
                       drift=rnd.choice([3, 7, 18]), least_window=rnd.choice([1, 3, 9]), slack=rnd.choice([0, 2, 4, 40]))
    page_a, page_b = (np.array(side, I64) for side in zip(*pairs, strict=True))
    flat = list(itertools.chain(*anchors))
    given = (item, first, page_a, page_b, np.cumsum([0, *map(len, anchors)]).astype(I64),
             np.array([a for a, _ in flat], I64), np.array([b for _, b in flat], I64), np.array(s, I64))
    judged = both("align_pairs", *given, True)
    # what stands is held against the twin's below; its own list of it is slow, and looked at in each third example
    found = native.align_pairs(*given, False) if rnd.randrange(3) else both("align_pairs", *given, False)
    stand = judged[7] == 0
    assert not found[7].any()
    for column, all_of_it in zip(found[:7], judged[:7], strict=True):
        assert_array_equal(column, all_of_it[stand])
    assert_the_gates_are_told(judged, item, first, page_a, page_b, s)
    ones = np.arange(len(found[0]) + 1)
    again = both("measure_parts", item, first, page_a[found[0]], page_b[found[0]], ones, *found[1:3], ones, *found[3:5],
                 np.array(s, I64))
    assert_array_equal(again, found[5:7])
    whole = np.array([0]), np.array([len(pages[0])])
    both("measure_parts", item, first, page_a[:1], page_b[:1], np.array([0, 2]), *(np.repeat(end, 2) for end in whole),
         np.array([0, 1]), *whole, np.array(s, I64))


def assert_the_gates_are_told(judged: Any, item: np.ndarray, first: np.ndarray, page_a: np.ndarray, page_b: np.ndarray,
                              s: Settings) -> None:
    """Each gate is told if and only if its measure is below what is asked; what overlaps or has one window passes those."""
    pair, *ends, shared, total, gates, _ = judged
    halves = np.append(0, np.cumsum(np.where(item & 2, 1, 2)))
    columns = (pair, *ends, shared, total, gates)
    for p, a0, a1, b0, b1, x, w, own in zip(*(column.tolist() for column in columns), strict=True):
        sides = [halves[first[page] + end] - halves[first[page] + begin]
                 for page, begin, end in ((page_a[p], a0, a1), (page_b[p], b0, b1))]
        assert bool(own & EVIDENCE) == (w == 0 or x * THOUSAND - s.evidence_theta * w < s.evidence * RARE)
        assert bool(own & DICE) == (x * THOUSAND < s.least_dice * w)
        assert bool(own & LENGTH) == (max(sides) < s.min_halves)
        assert own & OVERLAP in (0, own)


@given(st.integers(1, 2**40))
def test_the_logarithm_is_one(x):
    assert abs(fixed_log2(x) / 2**16 - np.log2(x)) < 2**-15
