"""Very long texts are measured piece by piece: what is held does not grow with them."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from rapidfuzz.distance import Indel

from dedup import long_texts, verify
from dedup.corpus import FOLD_ACCENTS
from dedup.verify import Spans, indel_similarity, long_spans, normalised, similarity_of_bytes, span_bytes, span_texts
from tests.scan_help import scan_texts, words


def characters(count: int, seed: int) -> list[str]:
    return random.Random(seed).choices([chr(code) for code in range(0x4E00, 0x9000)], k=count)


def as_bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)


def edited(parts: list[str], seed: int, edits: int) -> list[str]:
    """Some parts dropped, doubled or made another one."""
    chance, out = random.Random(seed), list(parts)
    for _ in range(edits):
        at = chance.randrange(len(out))
        out[at:at + 1] = chance.choice([[], [out[at]] * 2, ["é"], ["𝄞", "ß"]])
    return out


@pytest.mark.parametrize("joint", [" ", ""], ids=["words", "characters"])
@pytest.mark.parametrize("edits", [1, 30, 1000])
@pytest.mark.parametrize("cut", [slice(0, None), slice(700, None), slice(0, 9000), slice(900, 8000)])
def test_the_similarity_is_next_to_the_true_one_and_never_more(joint, edits, cut, monkeypatch):
    monkeypatch.setattr(verify, "INDEL_CHARS", 4000)
    monkeypatch.setattr(verify, "LONG_BYTES", 5000)
    monkeypatch.setattr(long_texts, "CHUNK", 4096)
    source = words(12_000, 3, 10**6) if joint else characters(12_000, 3)
    a, b = joint.join(source), joint.join(edited(source, 4, edits)[cut])
    exact = Indel.normalized_similarity(a, b)
    for found in (indel_similarity(a, b), indel_similarity(b, a), similarity_of_bytes(as_bytes(a), as_bytes(b))):
        assert exact - 0.004 < found <= exact + 1e-12


@pytest.mark.parametrize(("a", "b"), [
    ("ab " * 9000, "ab " * 9500), ("ab " * 9000, "cd " * 9000), ("é" * 9000, "è" * 9001), ("", "word " * 4000),
    ("x" * 9000, "x" * 4000 + "é" + "x" * 5000), ("\ud800é" * 5000, "é" * 5000), ("𝄞" * 4000 + "𝄢", "𝄞" * 4000 + "𝄟")])
def test_texts_without_anything_to_cut_them_by_are_cut_in_step(a, b, monkeypatch):
    monkeypatch.setattr(verify, "INDEL_CHARS", 4000)
    monkeypatch.setattr(verify, "LONG_BYTES", 5000)
    monkeypatch.setattr(long_texts, "WHOLE", 5000)
    exact, found = Indel.normalized_similarity(a, b), indel_similarity(a, b)
    assert found <= exact + 1e-12
    assert (found < 1.0) == (a != b)
    assert found > exact - 0.15


def test_equal_long_texts_are_equal():
    text = " ".join(words(100_000, 5, 10**6))
    assert similarity_of_bytes(as_bytes(text), as_bytes(text)) == 1.0


@pytest.mark.parametrize("joint", [" ", ""], ids=["words", "characters"])
def test_what_is_held_while_long_texts_are_measured_does_not_grow_with_them(joint):
    source = words(600_000, 6, 10**6) if joint else characters(1_500_000, 6)
    a, b = (as_bytes(joint.join(side)) for side in (source, source[700:-50_000]))
    assert min(len(a), len(b)) > 3_500_000
    tracemalloc.start()
    assert similarity_of_bytes(a, b) > 0.9
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25_000_000


def test_a_span_of_many_parts_has_the_same_text_in_bytes():
    text = "One, two!\n\nÉcole 漢字 three\n\nfour"
    corpus = scan_texts([text], fold_accents=True).groups.findings.corpus
    data = text.encode()
    cuts = [0, data.index(b"two"), data.index(b"\n\n"), data.index("漢".encode()), len(data)]
    spans = Spans(np.array(cuts[:-1]), np.array(cuts[1:]), np.array([0, 3, 4]))
    found = [span_bytes(corpus, spans, row).tobytes().decode() for row in range(2)]
    assert found == span_texts(corpus, spans)
    assert found[1] == normalised("漢字 three\n\nfour", FOLD_ACCENTS)


def test_a_scan_of_long_and_short_copies_has_the_measures_of_its_texts(monkeypatch):
    source = words(4000, 7, 10**6)
    pages = [" ".join(side) for side in (source, source[30:3900], source[50:], words(60, 8, 10**6))]
    pages.append(pages[-1].replace("w", "v", 2))
    plain = scan_texts(pages, unit="page", threshold=0.5)
    monkeypatch.setattr(verify, "LONG_BYTES", 2000)
    report = scan_texts(pages, unit="page", threshold=0.5)
    spans = report.groups.findings.places.parts
    assert 0 < long_spans(spans).sum() < len(spans)
    for group, other in zip(report.groups, plain.groups, strict=True):
        for o, p in zip(group.occurrences, other.occurrences, strict=True):
            assert o.indel_similarity == pytest.approx(p.indel_similarity, abs=0.001)
    for pair, one in zip(report.pairs(), plain.pairs(), strict=True):
        assert (pair.kind, pair.a.page, pair.b.page) == (one.kind, one.a.page, one.b.page)
        assert pair.indel_similarity == pytest.approx(one.indel_similarity, abs=0.001)


def test_long_copies_are_measured_once_and_no_string_is_made_of_them(monkeypatch):
    monkeypatch.setattr(verify, "LONG_BYTES", 2000)
    source = words(4000, 9, 10**6)
    report = scan_texts([" ".join(source), " ".join(source[30:3900])], unit="page", threshold=0.5)
    asked = []
    monkeypatch.setattr("dedup.findings.similarity_of_bytes", lambda a, b: asked.append(len(a)) or similarity_of_bytes(a, b))
    monkeypatch.setattr("dedup.findings.span_texts", lambda corpus, spans: [] if not len(spans) else None)
    findings = report.groups.findings
    findings._long.clear()  # what the scan asked for
    one, again = (findings.all_measures().indel.tolist() for _ in range(2))
    assert one == again
    assert len(asked) == 1
