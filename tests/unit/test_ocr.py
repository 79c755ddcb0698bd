"""Scanned text: passages are found by their letters, whatever the spaces, hyphens and misread characters."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_help import needs_speed, scan_texts

import dedup
from benchmarks.ocr import misread, scanned_pages, score, wrapped
from dedup import bags
from dedup.bags import letter_bags
from dedup.blocks import read_corpus
from dedup.cli import main
from dedup.engines.local import LocalEngine
from dedup.errors import InputError, OptionError
from dedup.model import Page

ROOT = Path(__file__).parents[2]
SYLLABLES = [a + b + c for a in ("", *"bcdfghklmnprstvw", "br", "cl", "gr", "st", "th", "ch")
             for b in ("a", "e", "i", "o", "u", "ea", "ou") for c in ("", *"dlmnrst", "ng", "rd", "ck")]


def invented(count: int, seed: int) -> list[str]:
    """Words of one to three syllables; a few of them are frequent."""
    rnd = random.Random(seed)
    frequent = ["the", "of", "and", "to", "in", "was", "that", "with"]
    return [rnd.choice(frequent) if rnd.random() < 0.35 else "".join(rnd.choices(SYLLABLES, k=rnd.choice((1, 2, 2, 3))))
            for _ in range(count)]


WORDS = invented(9000, 0)


def words(begin: int, count: int) -> list[str]:
    return WORDS[begin:begin + count]


PASSAGE = words(300, 60)
PAGES = ["\n".join(wrapped(part, random.Random(n)) for n, part in enumerate((words(1000, 40), PASSAGE, words(1200, 40)))),
         "\n".join(wrapped(misread(" ".join(part), 0.08, random.Random(7)).split(), random.Random(9))
                   for part in (words(1400, 40), PASSAGE, words(1600, 40)))]


def places(report: dedup.Report) -> list[tuple[str, int, int, str, int, int]]:
    return [(p.a.page, p.a.start, p.a.end, p.b.page, p.b.start, p.b.end) for p in report.pairs()]


@needs_speed
@pytest.mark.parametrize("find", ["near", "reworded"])
def test_of_passages_with_five_characters_of_a_hundred_misread_in_both_copies_hardly_any_is_missed(find):
    made = [scanned_pages([" ".join(WORDS)], 0.05, random.Random(seed)) for seed in (11, 12)]
    with_it, without = ([score(pages, cases, {"find": find, "noise": noise}) for pages, cases in made]
                        for noise in ("ocr", None))
    assert min(s.recall for s in with_it) > 0.95
    assert min(s.precision for s in with_it) > 0.98
    assert max(s.granularity for s in with_it) < 1.03
    assert np.mean([s.recall for s in without]) < np.mean([s.recall for s in with_it]) - (0.1 if find == "near" else 0.02)


@pytest.mark.parametrize("find", ["near", "reworded"])
def test_places_are_those_of_the_text_as_it_was_handed_in(find):
    (pair,) = scan_texts(PAGES, find=find, noise="ocr").pairs()
    for side, page in zip((pair.a, pair.b), PAGES, strict=True):
        assert side.text == page[side.start:side.end]
        assert 0.9 < (side.end - side.start) / len(" ".join(PASSAGE)) < 1.1
    assert PAGES[0][pair.a.start:].startswith(PASSAGE[0]) or PASSAGE[0] in PAGES[0][pair.a.start - 40:pair.a.start + 40]


def test_a_word_cut_at_a_line_end_is_the_whole_word():
    text, cut = " ".join(PASSAGE), wrapped(PASSAGE, random.Random(3))
    assert cut.count("-\n") > 1
    (pair,) = scan_texts([text, cut], noise="ocr").pairs()
    assert (pair.kind, pair.similarity, pair.a.text, pair.b.text) == ("exact", 1.0, text, cut)
    assert all(pair.kind != "exact" for pair in scan_texts([text, cut]).pairs())


def test_a_passage_without_any_space_is_found_in_whole_words():
    joined = "".join(PASSAGE)
    pages = [" ".join([*words(1000, 40), *PASSAGE]), " ".join([*words(1200, 40), joined, *words(1300, 40)])]
    assert not list(scan_texts(pages).pairs())
    (pair,) = scan_texts(pages, noise="ocr").pairs()
    assert joined in pair.b.text
    assert len(pair.a.text) > 0.95 * len(" ".join(PASSAGE))


def test_a_passage_is_found_again_in_its_own_page():
    page = "\n\n".join([PAGES[0], *(" ".join(words(n, 50)) for n in (2000, 2100)), PAGES[1]])
    report = scan_texts([page], noise="ocr")
    (pair,) = report.pairs()
    assert pair.a.end <= pair.b.start
    assert places(scan_texts([page], noise="ocr", scope="within")) == places(report)
    assert not list(scan_texts([page], noise="ocr", scope="across").pairs())


def test_scripts_without_spaces_too():
    rnd = random.Random(4)
    a, b, c = ("".join(chr(0x4e00 + rnd.randrange(3000)) for _ in range(120)) for _ in range(3))
    changed = misread(a, 0.08, rnd)
    (pair,) = scan_texts([f"{b}。{a}。", f"{c}。{changed}。"], noise="ocr").pairs()
    assert (pair.a.text, pair.b.text) == (f"{a}。", f"{changed}。")


def test_lines_that_are_blocks_of_their_own_do_not_cut_a_passage():
    pages = [[{"id": str(n), "text": "\n\n".join(page.split("\n"))} for n, page in enumerate(PAGES)]]
    (pair,) = dedup.scan(pages[0], noise="ocr").pairs()
    assert pair.evidence > 20


@pytest.mark.parametrize("find", ["near", "reworded"])
def test_letters_of_either_case_threads_and_sides_change_nothing(find):
    pages = {"p": PAGES[0], "q": PAGES[1], "r": " ".join(words(2200, 90))}
    expected = places(scan_texts(pages, find=find, noise="ocr"))
    assert len(expected) == 1
    assert places(scan_texts(pages, find=find, noise="ocr", threads=1, partitions=7)) == expected
    assert places(scan_texts({name: page.upper() for name, page in pages.items()}, find=find, noise="ocr")) == expected
    turned = scan_texts({name: pages[name] for name in "rqp"}, find=find, noise="ocr")
    assert [pair[3:] + pair[:3] for pair in places(turned)] == expected


def test_the_gates_hold():
    (pair,) = scan_texts(PAGES, noise="ocr").pairs()
    assert not list(scan_texts(PAGES, noise="ocr", min_evidence=pair.evidence + 0.01).pairs())
    assert not list(scan_texts(PAGES, noise="ocr", min_dice=pair.dice + 0.01).pairs())
    assert not list(scan_texts(PAGES, noise="ocr", min_tokens=80).pairs())
    assert len(list(scan_texts(PAGES, noise="ocr", min_tokens=40).pairs())) == 1


def test_letters_of_too_many_places_make_no_pairs():
    pages = [f"{' '.join(words(1000 + 60 * n, 40))} {misread(' '.join(PASSAGE), 0.05, random.Random(n))}" for n in range(12)]
    few, many = (scan_texts(pages, noise="ocr", max_places=most) for most in (2, 64))
    assert len(list(few.pairs())) < len(list(many.pairs())) >= 60


@pytest.mark.parametrize("pages", [[], [""], ["", ""], ["...", "-\n-"], ["\u0301", "\u0301 \u0301"], ["a", "a"],
                                   ["'.' ·", "aaaa " * 2000], ["ab-\n" * 3000]])
def test_next_to_nothing_and_endless_repetition(pages):
    for find in ("exact", "near", "reworded"):
        report = scan_texts(pages, find=find, noise="ocr")
        assert report.summary.pages == len(pages)
        assert len(report.groups) <= 1


def test_what_does_not_go_together_is_refused():
    with pytest.raises(OptionError, match="by its letters"):
        scan_texts(PAGES, noise="ocr", stem="german")
    with pytest.raises(OptionError, match="'OCR' is not one of ocr"):
        scan_texts(PAGES, noise="OCR")


def test_more_letters_than_can_be_numbered_are_refused(monkeypatch):
    fake = SimpleNamespace(letter_items=lambda *_: (np.zeros(1, np.uint32), np.array([0, 2**32])))
    with LocalEngine(1, 1) as engine:
        corpus = read_corpus([Page("p", "word")], engine, dedup.Options(noise="ocr"))[0]
        monkeypatch.setattr(bags, "kernel", fake)
        with pytest.raises(InputError, match="4,294,967,295 letters"):
            letter_bags(engine, corpus)


def test_the_command_has_the_flag_and_the_report_holds_it(capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.chdir(ROOT)
    found = []
    for flags in ([], ["--noise", "ocr"]):
        assert main(["scan", "examples/scans", *flags, "--format", "json", "-q"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert [report["options"]["noise"] for report in found] == [None, "ocr"]
    assert [len(report["groups"]) for report in found] == [0, 1]
    assert main(["scan", "examples/scans", "--noise", "blur"]) == 2
    assert "--noise" in (error := capsys.readouterr().err)
    assert "ocr" in error


@given(texts=st.lists(st.text(st.sampled_from("abé.-\n 中'1"), max_size=40), min_size=1, max_size=4), data=st.data())
def test_ranges_of_letters_and_of_tokens_lead_to_each_other(texts, data):
    with LocalEngine(1, 1) as engine:
        corpus = read_corpus([Page(str(i), text) for i, text in enumerate(texts)], engine, dedup.Options(noise="ocr"))[0]
        bag = letter_bags(engine, corpus)
    tokens = int(corpus.token_first[-1])
    assert (len(bag.first), bag.first[-1], bag.page_first[-1]) == (tokens + 1, len(bag.item), len(bag.item))
    if not len(bag.item):
        return
    start = np.array([data.draw(st.integers(0, len(bag.item) - 1))])
    end = np.array([data.draw(st.integers(int(start[0]) + 1, len(bag.item)))])
    t0, t1 = bag.tokens(start, end)
    assert 0 <= t0 < t1 <= tokens
    assert bag.items(t0) <= start < bag.items(t0 + 1)
    assert bag.items(t1 - 1) < end <= bag.items(t1)
