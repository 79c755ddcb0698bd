"""The benchmark corpus: same seed, same bytes; what its truth says is what its pages hold."""

import json
import re

import numpy as np
import pytest

from benchmarks.corpus import EXACT, parse_size, truth_of, write_corpus

SIZE = 6_000_000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    file = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    write_corpus(file, SIZE)
    return file


@pytest.fixture(scope="module")
def texts(corpus):
    return {page["id"]: page["text"] for page in map(json.loads, corpus.read_text(encoding="utf-8").splitlines())}


@pytest.fixture(scope="module")
def truth(corpus):
    return [json.loads(line) for line in truth_of(corpus).read_text().splitlines()]


def grams(text, size):
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[i:i + size]) for i in range(len(words) - size + 1)}


def test_the_same_seed_gives_the_same_bytes_and_a_smaller_corpus_is_its_beginning(corpus, tmp_path):
    write_corpus(tmp_path / "again", 2_000_000)
    again = (tmp_path / "again").read_bytes()
    assert len(again) >= 2_000_000
    assert corpus.read_bytes().startswith(again)
    truths = truth_of(tmp_path / "again").read_bytes()
    assert truths
    assert truth_of(corpus).read_bytes().startswith(truths)
    write_corpus(tmp_path / "other", 2_000_000, seed=1)
    assert (tmp_path / "other").read_bytes() != again


def test_every_kind_is_planted(truth):
    assert {copy["kind"] for copy in truth} == EXACT | {"append", "near-page", "near-block"}
    assert {copy["borders"] for copy in truth if copy["kind"] == "span"} == {0, 1}


def test_offsets_cut_back_equal_texts_where_the_copy_is_exact(texts, truth):
    for copy in truth:
        a = texts[copy["a"]][copy["a_start"]:copy["a_end"]]
        b = texts[copy["b"]][copy["b_start"]:copy["b_end"]]
        assert a
        assert a == a.strip()
        assert b == b.strip()
        assert len(b) == copy["b_end"] - copy["b_start"]
        assert a.count("\n") == copy["borders"]
        if copy["kind"] in EXACT:
            assert a == b
            assert copy["edits"] == 0
        else:
            assert a != b or copy["edits"] == 0
        if copy["a"] == copy["b"]:
            assert copy["a_end"] < copy["b_start"]
        else:
            assert copy["a"] < copy["b"]


def test_the_stated_jaccard_is_the_one_of_the_texts(texts, truth):
    near = [copy for copy in truth if copy["kind"] not in EXACT]
    for copy in near:
        a, b = (grams(texts[copy[side]][copy[f"{side}_start"]:copy[f"{side}_end"]], copy["shingle_size"])
                for side in "ab")
        assert len(a & b) / len(a | b) == pytest.approx(copy["jaccard"], abs=1e-6)
    assert min(copy["jaccard"] for copy in near) < 0.55
    assert np.mean([copy["jaccard"] for copy in near]) < 0.85


def test_whole_pages_are_whole(texts, truth):
    for copy in truth:
        if copy["kind"] in {"copy", "append", "near-page"}:
            assert (copy["a_start"], copy["a_end"]) == (0, len(texts[copy["a"]]))
            assert (copy["b_start"], copy["b_end"]) == (0, len(texts[copy["b"]]))


def test_lengths_and_chance_likeness_are_those_of_prose(texts):
    words = [len(text.split()) for text in texts.values()]
    assert 450 < np.median(words) < 700
    assert max(words) > 2_000
    paragraphs = [paragraph for text in texts.values() for paragraph in text.split("\n")]
    assert 60 < np.mean([len(paragraph.split()) for paragraph in paragraphs]) < 80
    rng = np.random.default_rng(0)
    alike = []
    for i, j in rng.integers(0, len(paragraphs), (2_000, 2)).tolist():
        if i != j:
            a, b = grams(paragraphs[i], 2), grams(paragraphs[j], 2)
            alike.append(len(a & b) / len(a | b))
    assert 0.01 < np.mean(alike) < 0.05


@pytest.mark.parametrize(("text", "size"), [("20MB", 20_000_000), ("2GB", 2 * 10**9), ("1.5kB", 1500), ("7", 7)])
def test_sizes(text, size):
    assert parse_size(text) == size
