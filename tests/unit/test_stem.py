"""Words by their stems: in the alignment of edited passages, and nowhere else."""

from __future__ import annotations

import itertools
import json
import random
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_help import scan_texts

import dedup
from dedup.bags import word_bags
from dedup.blocks import read_corpus
from dedup.cli import main
from dedup.engines.local import LocalEngine
from dedup.errors import OptionError
from dedup.kernel import kernel
from dedup.kernel.align_settings import HALF, STARTS_SENTENCE
from dedup.model import Page
from dedup.report.json import read_json
from dedup.stem import load_stemmer

NOUNS = """Haus/Häuser Baum/Bäume Kind/Kinder Hund/Hunde Tisch/Tische Bild/Bilder Feld/Felder Dorf/Dörfer Wort/Wörter
    Band/Bänder Land/Länder Wald/Wälder Buch/Bücher Tuch/Tücher Dach/Dächer Fach/Fächer Glas/Gläser Gras/Gräser Rad/Räder
    Bad/Bäder Blatt/Blätter Kalb/Kälber Lamm/Lämmer Huhn/Hühner Ei/Eier Brett/Bretter Licht/Lichter Mann/Männer Geist/Geister
    Leib/Leiber Rand/Ränder Gott/Götter Wurm/Würmer Horn/Hörner Korn/Körner Volk/Völker Loch/Löcher Amt/Ämter Kraut/Kräuter
    Nest/Nester"""
SINGULAR, PLURAL = zip(*(noun.split("/") for noun in NOUNS.split()), strict=True)


def german(seed: int, share: float = 0.0) -> str:
    """Forty nouns in an order of the seed; a share of them in the plural."""
    order = random.Random(1).sample(range(len(SINGULAR)), len(SINGULAR))
    rnd = random.Random(seed)
    return " ".join(PLURAL[i] if rnd.random() < share else SINGULAR[i] for i in order) + "."


def around(seed: int) -> str:
    rnd = random.Random(seed)
    return " ".join(f"{rnd.choice('bdfg')}{rnd.choice('aeiou')}{rnd.randrange(10**5)}" for _ in range(60)) + "."


PAGES = [f"{around(1)} {german(2)} {around(3)}", f"{around(4)} {german(5, 0.8)} {around(6)}"]


def test_words_that_differ_in_their_endings_are_one_where_their_language_is_named():
    assert not list(scan_texts(PAGES).pairs())
    for find in ("near", "reworded"):
        (pair,) = scan_texts(PAGES, find=find, stem="german").pairs()
        assert PAGES[0][pair.a.start:pair.a.end] == german(2)
        assert PAGES[1][pair.b.start:pair.b.end] == german(5, 0.8)
        assert pair.dice > 0.7


def test_letters_composed_or_not_have_one_stem():
    apart = [PAGES[0], unicodedata.normalize("NFD", PAGES[1])]
    (pair,) = scan_texts(apart, stem="german").pairs()
    (expected,) = scan_texts(PAGES, stem="german").pairs()
    assert (pair.dice, pair.evidence) == (expected.dice, expected.evidence)


def test_exact_and_near_blocks_do_not_know_stems():
    pages = [f"{german(2)}\n\n{around(1)}", f"{german(2)}\n\n{around(2)}", f"{around(3)}\n\n{german(3, 0.2)}"]
    for settings in ({"find": "exact"}, {"unit": "page", "threshold": 0.2}):
        with_stems, without = (scan_texts(pages, **settings, **more) for more in ({"stem": "german"}, {}))
        assert with_stems.groups == without.groups


def test_the_report_holds_the_language_and_is_read_without_the_extra(monkeypatch, tmp_path):
    report = scan_texts(PAGES, stem="german")
    text = report.to_json()
    report.write(tmp_path / "report.json")
    assert json.loads(text)["options"]["stem"] == "german"
    assert json.loads(scan_texts(PAGES).to_json())["options"]["stem"] is None
    monkeypatch.setitem(sys.modules, "Stemmer", None)
    assert read_json(tmp_path / "report.json").options.stem == "german"


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "Stemmer", None)
    with pytest.raises(OptionError, match=r"pip install PyStemmer .*'\.\[stem\]'") as raised:
        scan_texts(PAGES, stem="german")
    assert raised.value.where == "stem"
    assert scan_texts(PAGES).groups == []


@pytest.mark.parametrize("language", ["klingon", "German", ""])
def test_an_unknown_language_is_answered_with_those_there_are(language):
    with pytest.raises(OptionError, match=r"english, esperanto|empty"):
        scan_texts(PAGES, stem=language)


def test_the_command_has_the_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name, text in zip("ab", PAGES, strict=True):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    assert main(["scan", str(tmp_path), "--stem", "german", "--format", "json", "-q"]) == 0
    assert len(json.loads(capsys.readouterr().out)["groups"]) == 1
    assert main(["scan", str(tmp_path), "--stem", "klingon"]) == 2
    assert "--stem: 'klingon' is not one of arabic" in capsys.readouterr().err


def corpus_of(engine: LocalEngine, texts: list[str]):
    return read_corpus([Page(str(i), text) for i, text in enumerate(texts)], engine, dedup.Options())[0]


TEXTS = st.lists(st.text(st.sampled_from("aBcdäß.'\n 日本の1"), max_size=60), min_size=1, max_size=4)


@given(texts=TEXTS)
def test_words_are_equal_items_if_and_only_if_their_stems_are_equal(texts):
    """The rest of an item - sentence starts, characters of scripts without spaces - is as without a stemmer."""
    asked: list[str] = []

    def two_letters(words: list[str]) -> list[str]:
        asked.extend(words)
        return [word[:2] for word in words]
    with LocalEngine(1, 1) as engine:
        corpus = corpus_of(engine, texts)
        plain, stemmed = word_bags(engine, corpus).item, word_bags(engine, corpus, two_letters).item
    _, start, end, half, _ = kernel.tokenise(corpus.text, corpus.start, corpus.end, 0)
    content, first = kernel.normalise(corpus.text, start, end, 0)
    words = [unicodedata.normalize("NFC", content.tobytes()[a:b].decode()) for a, b in itertools.pairwise(first)]
    flags = np.uint32(HALF | STARTS_SENTENCE)
    np.testing.assert_array_equal(stemmed & flags, plain & flags)
    np.testing.assert_array_equal(stemmed[half == 1], plain[half == 1])
    own = [(word[:2], int(item) & ~3) for word, item, is_half in zip(words, stemmed, half, strict=True) if not is_half]
    assert len({stem for stem, _ in own}) == len({item for _, item in own}) == len(set(own))
    assert sorted(asked) == sorted({word for word, is_half in zip(words, half, strict=True) if not is_half})


def test_each_different_word_is_stemmed_once_in_a_collection_of_many_batches(monkeypatch):
    monkeypatch.setattr("dedup.corpus.BATCH_BYTES", 100)
    asked: list[str] = []
    stem = load_stemmer("german")
    with LocalEngine(2, 3) as engine:
        corpus = corpus_of(engine, [german(seed, 0.5) for seed in range(6)])
        assert len(corpus.batches()) > 3
        word_bags(engine, corpus, lambda words: asked.extend(words) or stem(words))
    assert len(asked) == len(set(asked)) <= len({*SINGULAR, *PLURAL})
