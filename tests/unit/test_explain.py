"""Near misses: each gate says why it stopped something, and explaining changes nothing else."""

from __future__ import annotations

import itertools
import json
import pickle
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup import explain
from dedup.model import NearMiss
from dedup.options import Options
from dedup.report.json import read_json
from dedup.report.misses import miss_measures, why_missed
from tests.scan_help import around, edited, lines, needs_speed, prose, words

EXAMPLES = Path(__file__).parents[2] / "examples"
FERRY = [EXAMPLES / "ferry-spring.txt", EXAMPLES / "ferry-summer.txt"]
PASSAGE = words(60, 1)
SHUFFLED = [PASSAGE[i + (-1) ** i * (3 if i % 8 < 4 else -1)] for i in range(56)]


def misses(a: Any, b: Any, **settings: Any) -> tuple[NearMiss, ...]:
    found = dedup.compare(a, b, explain=True, **settings).near_misses
    assert found is not None
    return found


def told(found: tuple[NearMiss, ...]) -> list[tuple[Any, ...]]:
    return [(m.gate, m.a.page, m.a.start, m.a.end, m.b.page, m.b.start, m.b.end, m.value) for m in found]


def of_gate(found: tuple[NearMiss, ...], gate: str) -> NearMiss:
    (miss,) = [miss for miss in found if miss.gate == gate]
    return miss


def sides(share: int) -> list[str]:
    """Two texts that have a passage in common, one word in `share` of it replaced, and nothing else."""
    return [around(" ".join(PASSAGE), 1), around(edited(" ".join(PASSAGE), range(0, 60, share)), 2)]


# Each gate.


def test_what_the_settings_stop_names_them_with_both_figures():
    pair = next(dedup.compare(*sides(3)).pairs())
    for gate, asked in ("min_evidence", pair.evidence * 1.2), ("min_dice", pair.dice * 1.1), ("min_tokens", 100):
        miss = of_gate(misses(*sides(3), **{gate: asked}), gate)
        reached = {"min_evidence": pair.evidence, "min_dice": pair.dice, "min_tokens": miss.tokens}[gate]
        assert miss.value == pytest.approx(reached, rel=0.05)
        assert miss.asked == pytest.approx(asked, rel=0.001)
        assert miss.value < miss.asked
        assert min(miss.a.end, pair.a.end) - max(miss.a.start, pair.a.start) > 0.8 * (pair.a.end - pair.a.start)
        assert miss.dice == pytest.approx(pair.dice, abs=0.05)


def test_what_the_filters_hide_is_told():
    pair = next(dedup.compare(*sides(3)).pairs())
    length = max(pair.a.end - pair.a.start, pair.b.end - pair.b.start)
    miss = of_gate(misses(*sides(3), min_chars=length + 1), "min_chars")
    assert (miss.value, miss.asked, miss.similarity) == (length, length + 1, pair.similarity)
    assert (miss.jaccard, miss.containment_a, miss.dice) == (pair.jaccard, pair.containment_a, pair.dice)
    miss = of_gate(misses(*sides(3), min_similarity=0.99), "min_similarity")
    assert miss.value == round(pair.similarity, 4)
    assert not misses(*sides(3), min_chars=length)


def test_of_several_gates_the_one_counts_of_which_it_fell_shortest():
    pair = next(dedup.compare(*sides(3)).pairs())
    settings = {"min_dice": pair.dice * 1.1, "min_evidence": pair.evidence * 1.5}
    assert of_gate(misses(*sides(3), **settings), "min_evidence").value == pytest.approx(pair.evidence, rel=0.05)
    settings = {"min_dice": pair.dice * 1.3, "min_evidence": pair.evidence * 1.1}
    assert of_gate(misses(*sides(3), **settings), "min_dice").value == pytest.approx(pair.dice, rel=0.05)


def ids(seed: int) -> str:
    rnd = random.Random(seed)
    return " ".join(f"order{10**5 + i if i % 8 == 0 else rnd.randrange(10**5, 10**6)}" for i in range(200))


def test_words_that_only_begin_alike_are_no_passage_and_told():
    assert not dedup.compare(ids(1), ids(2)).groups
    miss = of_gate(misses(ids(1), ids(2)), "words")
    assert 0.1 < miss.value < miss.asked == 0.2
    assert miss.jaccard < 0.1


def test_words_in_another_order_are_told_where_they_must_stand_in_order():
    texts = [around(" ".join(PASSAGE[:56]), 1), around(" ".join(SHUFFLED), 2)]
    assert [p.kind for p in dedup.compare(*texts).pairs()] == ["near"]
    found = misses(*texts, find="near")
    assert {miss.gate for miss in found} <= {"order", "find"}
    assert found[0].order is not None
    assert found[0].order < 0.55


def test_what_another_find_would_find_says_so():
    assert {m.gate for m in misses(*sides(8), find="exact")} == {"find"}
    assert not misses(*sides(8), find="near")
    lost = lines(prose(40, 9), " ".join(PASSAGE[:56])), lines(" ".join(SHUFFLED), prose(40, 8))
    found = {m.gate for m in misses(*lost, find="near")}
    assert found
    assert found <= {"find", "order"}


def test_blocks_below_the_threshold_are_told_with_their_jaccard():
    texts = [prose(30, 1), edited(prose(30, 1), [6, 13, 20])]
    (miss,) = misses(*texts, find="near", threshold=0.8, min_evidence=1000)
    assert (miss.gate, miss.asked, miss.a.text) == ("threshold", 0.8, texts[0])
    assert miss.value == round(miss.jaccard, 4) == round(23 / 35, 4)
    (miss,) = misses(*texts, unit="page")
    assert (miss.gate, miss.value, miss.asked, miss.dice) == ("threshold", round(miss.jaccard, 4), 0.8, None)
    assert miss.a.text == texts[0]


def test_pages_that_are_too_short_say_so():
    (miss,) = misses("one two three", prose(20, 1), unit="page")
    assert (miss.gate, miss.value, miss.asked) == ("min_tokens", 3, 8)


def test_equal_blocks_under_the_least_length_are_told():
    texts = [lines(prose(30, 1), "the very same seven words stand here", prose(30, 2)),
             lines(prose(30, 3), "The very same seven words stand here!", prose(30, 4))]
    miss = of_gate(misses(*texts), "min_tokens")
    assert (miss.value, miss.asked, miss.jaccard, miss.a.line, miss.b.line) == (7, 8, 1.0, 3, 3)
    assert miss.b.text == "The very same seven words stand here!"
    assert not misses(*texts, min_tokens=7)


def test_what_the_scope_leaves_out_is_told():
    text = lines(prose(30, 1), prose(30, 2), prose(30, 1))
    found = misses(text, prose(30, 3), scope="across")
    assert [(m.gate, m.value, m.a.page, m.b.page, m.a.line, m.b.line) for m in found] == [("scope", None, "a", "a", 1, 5)]
    found = misses(text, prose(30, 1), scope="within")
    assert {(m.gate, m.a.page, m.b.page) for m in found} == {("scope", "a", "b")}


def in_folders(tmp_path: Path, *folders: str) -> list[Path]:
    """Two files with an edited passage in common, the first of which has it twice."""
    texts = lines(around(" ".join(PASSAGE), 1), around(edited(" ".join(PASSAGE), range(0, 60, 7)), 3)), sides(5)[1]
    out = []
    for number, (folder, text) in enumerate(zip(folders, texts, strict=True)):
        out.append(tmp_path / folder / f"{number}.txt")
        out[-1].parent.mkdir(exist_ok=True)
        out[-1].write_text(text, encoding="utf-8")
    return out


def test_what_between_leaves_out_is_told(tmp_path: Path):
    unlike, same = in_folders(tmp_path, "x", "y"), in_folders(tmp_path, "x", "x")
    report = dedup.compare(*unlike, between="folder", explain=True)
    assert [len(group.occurrences) for group in report.groups] == [3]
    assert not report.near_misses  # both copies of the first page are told, as copies of the other page's text
    assert all(pair.dice for pair in report.pairs())
    unlike[1].write_text(around(prose(40, 8), 9), encoding="utf-8")
    (miss,) = misses(*unlike, between="folder")
    assert (miss.gate, miss.a.page == miss.b.page) == ("between", True)
    found = misses(*same, between="folder")
    assert {m.a.page == m.b.page for m in found} == {True, False}
    assert {m.gate for m in found} == {"between"}
    assert not list(dedup.compare(*same, between="folder").pairs())
    (miss,) = misses(*same, between="folder", unit="page")
    assert (miss.gate, miss.value, miss.asked) == ("between", None, None)
    assert why_missed(miss, Options(between="folder")).startswith("--between folder leaves it out")


@pytest.mark.parametrize(("setting", "asked"), [("min_evidence", 40), ("min_dice", 0.95), ("min_tokens", 100),
                                                ("threshold", 1.0)])
def test_no_gate_is_named_that_would_only_let_pass_what_does_not_count(tmp_path: Path, setting: str, asked: float):
    """A lower figure would not help what the scope leaves out."""
    pages = in_folders(tmp_path, "x", "y")
    for within in (True, False):
        found = misses(*pages, scope="within" if within else "across", **{setting: asked})
        assert {m.a.page == m.b.page for m in found if m.gate not in ("scope", "find")} <= {within}


def test_short_blocks_and_near_blocks_are_told_in_scope_only():
    short, near = "the very same seven words stand here", [prose(30, 9), edited(prose(30, 9), [6, 13, 20])]
    texts = [lines(prose(30, 1), short, prose(30, 2), near[0]), lines(prose(30, 3), short, prose(30, 4), near[1])]
    settings: dict[str, Any] = {"find": "near", "min_evidence": 1000, "threshold": 0.8}
    assert {m.gate for m in misses(*texts, scope="across", **settings)} >= {"min_tokens", "threshold"}
    assert not {m.gate for m in misses(*texts, scope="within", **settings)} & {"min_tokens", "threshold"}


def test_a_passage_that_says_no_more_than_its_equal_runs_is_told():
    run = " ".join(PASSAGE[:30])
    tail = [words(24, 5), words(24, 6)]
    texts = [around(f"{run} {' '.join(tail[0])}", 1), around(f"{run} {' '.join(tail[1])}", 2)]
    assert [p.kind for p in dedup.compare(*texts).pairs()] == ["exact"]
    assert not [m for m in misses(*texts) if m.gate == "overlap"]


def test_the_second_copy_of_a_passage_that_stands_in_a_better_one_is_told_or_reported():
    copies = [edited(" ".join(PASSAGE), range(k, 60, 4)) for k in range(2)]
    texts = [lines(around(copies[0], 1), around(copies[1], 2)), around(" ".join(PASSAGE), 3)]
    pairs = {(p.a.page, p.b.page) for p in dedup.compare(*texts).pairs()}
    assert ("a", "b") in pairs
    assert all(m.value is None for m in misses(*texts) if m.gate == "overlap")


# What is listed, and in which order.


def test_the_example_has_one_near_miss_and_explaining_changes_nothing_else():
    report = dedup.compare(*FERRY, explain=True)
    (miss,) = report.near_misses
    assert (miss.gate, miss.a.line, miss.b.line, miss.asked) == ("min_evidence", 13, 15, 7.0)
    assert miss.value == miss.evidence
    value = json.loads(report.to_json())
    assert value.pop("near_misses")[0]["gate"] == "min_evidence"
    plain = dedup.compare(*FERRY)
    assert plain.near_misses is None
    assert value == json.loads(plain.to_json())
    lower = dedup.compare(*FERRY, min_evidence=miss.value - 0.01)
    assert (miss.a.start, miss.b.start) in {(p.a.start, p.b.start) for p in lower.pairs()}


@pytest.mark.parametrize("settings", [{}, {"find": "near"}, {"find": "exact"}, {"unit": "page"}, {"scope": "across"},
                                      {"scope": "within"}, {"min_dice": 0.9}, {"min_chars": 230, "exhaustive": True},
                                      {"min_tokens": 30}])
def test_explaining_changes_nothing_and_nothing_listed_is_reported(settings: dict[str, Any]):
    texts = [path.read_text(encoding="utf-8") for path in FERRY] + [(EXAMPLES / "news.txt").read_text(encoding="utf-8")]
    for a, b in itertools.combinations([*texts, *sides(2)], 2):
        report = dedup.compare(a, b, explain=True, **settings)
        value = json.loads(report.to_json())
        del value["near_misses"]
        assert value == json.loads(dedup.compare(a, b, **settings).to_json())
        reported = {(p.a.page, p.a.start, p.b.page, p.b.start) for p in report.pairs()}
        assert not reported & {(m.a.page, m.a.start, m.b.page, m.b.start) for m in report.near_misses}
        for m in report.near_misses:
            assert m.a.text == (a if m.a.page == "a" else b)[m.a.start:m.a.end]
            assert (m.a.page, m.a.start) < (m.b.page, m.b.start)
            assert (m.value is None) == (m.asked is None)
            assert m.value is None or m.value < m.asked
            assert why_missed(m, report.options)
            assert miss_measures(m)


def several() -> list[dict[str, str]]:
    """Two pages with three passages in common, the last one the most edited, and one that the first page has twice."""
    kept = [" ".join(words(60, seed)) for seed in range(4)]
    a = [around(text, seed) for seed, text in enumerate(kept)] + [around(edited(kept[3], range(0, 60, 4)), 10)]
    b = [around(edited(text, range(0, 60, share)), 20 + share) for share, text in zip((5, 4, 3), kept, strict=False)]
    return [{"id": "a", "text": lines(*a)}, {"id": "b", "text": lines(*b)}]


def test_both_pages_come_before_one_and_the_nearest_first():
    found = misses(*several(), min_evidence=65)
    keys = [(m.a.page == m.b.page, -m.value / m.asked) for m in found]
    assert [same for same, _ in keys] == [False, False, False, True]
    assert keys == sorted(keys)
    assert [m.a.line for m in found[:3]] == [1, 3, 5]


def test_threads_partitions_and_exchanged_sides_change_nothing():
    a, b = several()
    expected = told(misses(a, b, min_evidence=65))
    assert told(misses(a, b, threads=1, partitions=5, min_evidence=65)) == expected
    turned = [(gate, *both[3:], *both[:3], value) for gate, *both, value in told(misses(b, a, min_evidence=65))]
    assert turned[:3] == expected[:3]


def test_more_near_misses_than_are_listed_are_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    whole = told(misses(*several(), min_evidence=65))
    assert not caplog.records
    monkeypatch.setattr(explain, "LISTED", 2)
    assert told(misses(*several(), min_evidence=65)) == whole[:2]
    assert "more near misses than are listed" in caplog.text


def test_near_misses_go_through_json_and_pickle(tmp_path: Path):
    report = dedup.compare(*FERRY, explain=True, find="near")
    report.write(tmp_path / "r.json")
    assert read_json(tmp_path / "r.json").near_misses == report.near_misses
    assert read_json(tmp_path / "r.json").to_json() == report.to_json()
    assert pickle.loads(pickle.dumps(report)).near_misses == report.near_misses
    assert report.at_similarity(0.9).near_misses == report.near_misses


def test_a_scan_explains_nothing():
    with pytest.raises(TypeError, match=r"use compare\(a, b, explain=True\)"):
        dedup.scan([prose(20)], explain=True)


def test_places_of_one_group_are_no_near_misses_though_not_all_of_them_are_linked():
    run = " ".join(PASSAGE[:9])
    text = lines(*(around(run, seed) for seed in range(9)))
    report = dedup.compare(text, prose(40, 5), explain=True, min_evidence=12)
    assert len(report.groups[0].occurrences) == 9
    assert len(list(report.pairs())) == 8
    assert report.near_misses == ()


# Bad input.


@pytest.mark.parametrize(("a", "b"), [("", ""), ("", prose(30)), (prose(3), prose(3)), ("\x00\x07\ud800" * 50, prose(30)),
                                      (". , ;" * 50, "..."), ("字" * 200, "字" * 30)])
def test_odd_texts_are_explained_too(a: str, b: str):
    for settings in ({}, {"unit": "page"}, {"find": "exact"}, {"find": "near"}):
        report = dedup.compare(a, b, explain=True, **settings)
        assert json.loads(report.to_json())["near_misses"] is not None


def test_a_page_against_itself_is_a_copy_and_misses_nothing():
    for text in (prose(40), lines(prose(30, 1), prose(30, 2))):
        report = dedup.compare(text, text, explain=True)
        assert report.near_misses == ()
        assert "copy-of" in {v.kind for page in report.pages for v in page.verdicts}


@needs_speed
def test_endless_repetition_and_many_misses_are_bounded():
    report = dedup.compare("ab cd " * 100_000, "ab cd ef " * 50_000, explain=True)
    assert len(report.near_misses) <= explain.LISTED
    passages = [" ".join(words(60, 100 + k)) for k in range(1200)]
    texts = lines(*passages), lines(*(edited(text, range(0, 60, 3)) for text in reversed(passages)))
    report = dedup.compare(*texts, explain=True, min_evidence=40)
    assert len(report.near_misses) == explain.LISTED
    assert len(Counter(told(report.near_misses))) == len(report.near_misses)
