"""The word diff of a pair: ranges without gaps, in code points of the pages, in bounded work."""

from __future__ import annotations

import dataclasses
import itertools
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup import DedupError, opcodes
from dedup.opcodes import word_opcodes
from dedup.report.json import read_json
from dedup.verify import normalised
from tests.scan_help import around, edited, lines, needs_speed, prose, words

PIECES = ["alpha", "Beta", "été", "中文字", "“", " ", "\n", ". ", "😀 ", "gamma "]
TEXT = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def assert_tiles(codes: list[opcodes.Opcode], a: str, b: str) -> None:
    """Ranges follow each other through both texts, and the equal ones are equal."""
    if codes:
        assert (codes[0][1], codes[0][3], codes[-1][2], codes[-1][4]) == (0, 0, len(a), len(b))
    else:
        assert a + b == ""
    assert all(x[2] == y[1] and x[4] == y[3] and x[0] != y[0] for x, y in itertools.pairwise(codes))
    for tag, a0, a1, b0, b1 in codes:
        assert a0 <= a1
        assert b0 <= b1
        if tag == "equal":
            assert normalised(a[a0:a1], 0) == normalised(b[b0:b1], 0)
        assert (tag == "insert") <= (not normalised(a[a0:a1], 0))
        assert (tag == "delete") <= (not normalised(b[b0:b1], 0))


@settings(max_examples=200, deadline=None)
@given(TEXT, TEXT)
def test_the_ranges_tile_both_texts(a: str, b: str):
    assert_tiles(word_opcodes(a, b), a, b)


def test_an_edited_passage_gives_the_words_that_differ_in_code_points_of_the_pages():
    body = prose(60, 1)
    texts = [around("é 😀 " + body, 1), around(edited(body, [20, 40]), 2)]
    pair = max(dedup.compare(*texts).pairs(), key=lambda p: len(p.a.text))
    changed = [(tag, texts[0][a0:a1].strip(), texts[1][b0:b1].strip())
               for tag, a0, a1, b0, b1 in pair.opcodes()]
    assert ("replace", body.split()[20], "x20y") in changed
    assert ("replace", body.split()[40], "x40y") in changed
    codes = pair.opcodes()
    assert (codes[0][1], codes[-1][2], codes[0][3], codes[-1][4]) == (pair.a.start, pair.a.end, pair.b.start, pair.b.end)
    assert pickle.loads(pickle.dumps(pair)).opcodes() == codes


def test_an_exact_pair_is_equal_whatever_its_case():
    pair = next(dedup.compare(prose(30), prose(30).upper()).pairs())
    assert [code[0] for code in pair.opcodes()] == ["equal"]


def test_what_a_run_goes_over_is_inserted():
    p = [prose(30, n) for n in range(2)]
    pair = next(dedup.scan([lines(*p), lines(p[0], "a label that stands here", p[1])]).pairs())
    assert [code[0] for code in pair.opcodes()] == ["equal", "insert", "equal"]


def test_a_report_read_back_gives_the_same(tmp_path: Path):
    report = dedup.compare(prose(40), edited(prose(40), [7]))
    report.write(tmp_path / "r.json")
    assert [p.opcodes() for p in read_json(tmp_path / "r.json").pairs()] == [p.opcodes() for p in report.pairs()]


def test_a_pair_without_its_text_says_so():
    pair = next(dedup.compare(prose(30), prose(30)).pairs())
    bare = dataclasses.replace(pair, a=dataclasses.replace(pair.a, text=""))
    with pytest.raises(DedupError, match=r"the text of page a from 0 to .* is not there"):
        bare.opcodes()


def test_long_texts_are_cut_where_both_have_the_same_words_once(monkeypatch: pytest.MonkeyPatch):
    text = words(2000, 5)
    other = [w for i, w in enumerate(text) if i % 97]
    whole = word_opcodes(" ".join(text), " ".join(other))
    monkeypatch.setattr(opcodes, "MAX_CELLS", 3000)
    assert word_opcodes(" ".join(text), " ".join(other)) == whole


def test_the_longer_stretch_stays_where_two_have_changed_places(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opcodes, "MAX_CELLS", 3000)
    long, short, middle = words(300, 1), words(20, 2), words(20, 3)
    codes = word_opcodes(" ".join(short + middle + long), " ".join(long + middle + short))
    _, a0, a1, b0, _ = max(codes, key=lambda code: code[2] - code[1] if code[0] == "equal" else 0)
    assert (a1 - a0, b0) == (len(" ".join(long)), 0)


@given(st.permutations(range(6)), st.lists(st.integers(1, 9), min_size=6, max_size=6))
def test_the_chain_has_the_most_words(places: list[int], own: list[int]):
    def total(rows: tuple[int, ...] | list[int]) -> int:
        return sum(own[i] for i in rows)
    chain = opcodes.ascending(np.array(places), np.array(own))
    ascending = [rows for n in range(7) for rows in itertools.combinations(range(6), n)
                 if all(places[i] < places[j] for i, j in itertools.pairwise(rows))]
    assert tuple(chain) in ascending
    assert total(chain) == max(map(total, ascending))


def test_what_cannot_be_aligned_in_bounded_work_is_one_replacement(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opcodes, "MAX_CELLS", 100)
    codes = word_opcodes(prose(40, 1), prose(50, 2))
    assert [code[0] for code in codes] == ["replace"]
    assert_tiles(codes, prose(40, 1), prose(50, 2))


@needs_speed
def test_two_texts_of_ten_megabytes_that_are_much_alike_take_seconds():
    rng = np.random.default_rng(3)
    text = np.array([f"w{n}" for n in rng.integers(0, 50_000, 1_600_000).tolist()], object)
    other = text.copy()
    other[rng.integers(0, len(text), len(text) // 100)] = "changed"
    begin = time.perf_counter()
    codes = word_opcodes(" ".join(text), " ".join(other))
    assert time.perf_counter() - begin < 30
    assert sum(a1 - a0 for tag, a0, a1, _, _ in codes if tag == "equal") > 0.98 * sum(map(len, text))


@pytest.mark.parametrize(("a", "b", "settings"), [
    ("The year 1851", "The year 1852", {"fold_digits": True}),
    ("The year 185\u0663", "The year 1853", {"fold_digits": True, "noise": "ocr"}),
    ("Caf\u00e9 noir", "Cafe noir", {"fold_accents": True})])
def test_a_pair_that_is_exact_has_no_word_that_differs(a, b, settings):
    """Digits or accents were folded to call it so."""
    rest = " of the harbour office was a long and stormy one for everybody there"
    pair = next(dedup.compare(a + rest, b + rest, **settings).pairs())
    assert pair.kind == "exact"
    assert pair.opcodes() == [("equal", 0, len(a + rest), 0, len(b + rest))]


def test_what_an_exact_run_leaves_out_is_a_difference():
    paragraphs = [" ".join(f"w{n}x{k}" for k in range(20)) for n in range(2)]
    a, b = "\n\n".join(paragraphs), "\n\n".join([paragraphs[0], "only here", paragraphs[1]])
    pair = next(dedup.compare(a, b).pairs())
    assert (pair.kind, len(pair.b.parts)) == ("exact", 2)
    assert {tag for tag, *_ in pair.opcodes()} == {"equal", "insert"}
    codes = pair.opcodes()
    assert [codes[0][1], codes[0][3], codes[-1][2], codes[-1][4]] == [0, 0, len(a), len(b)]
    assert all(x[2] == y[1] and x[4] == y[3] for x, y in itertools.pairwise(codes))
    assert "only here" in "".join(b[b0:b1] for tag, _, _, b0, b1 in codes if tag != "equal")
