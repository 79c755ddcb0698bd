"""The finders against brute force: what must be found is found, and what is reported is so."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.corpus import Corpus
from dedup import Shingler, Verifier
from dedup.exact_join import pair_exhaustively
from dedup.report import Report
from dedup.shingles import Sets
from dedup.verify import normalised
from tests.readers_help import data
from tests.scan_help import covered, matched, needs_speed, scan_texts, words

Pairs = set[tuple[int, int]]
TOKEN = re.compile(r"\S+")


# -- all pairs, by brute force ------------------------------------------------------------------------------------


def word_sets(texts: Sequence[str], size: int) -> list[set[tuple[str, ...]]]:
    """Shingle sets by the plain definition, for texts of words and blanks only."""
    split = [text.casefold().split() for text in texts]
    return [{tuple(t[i:i + min(size, len(t))]) for i in range(max(1, len(t) - size + 1))} if t else set() for t in split]


def numbered(sets: Iterable[set[Any]]) -> Sets:
    """Sets of anything as sets of numbers."""
    number: dict[Any, int] = {}
    values = [np.array(sorted(number.setdefault(x, len(number)) for x in s), np.uint64) for s in sets]
    return Sets(np.concatenate([np.empty(0, np.uint64), *values]), np.cumsum([0, *map(len, values)]).astype(np.int64))


def all_jaccards(sets: Sets) -> Any:
    """Jaccard similarity of all pairs (a < b), by a product of sparse matrices: (a, b, jaccard)."""
    sparse = pytest.importorskip("scipy.sparse", reason="LOUD: scipy is missing, its oracle is not asked")
    names, column = np.unique(sets.values, return_inverse=True)
    rows = sparse.csr_matrix((np.ones(len(column), np.int64), column, sets.first), (len(sets), len(names)))
    shared = sparse.triu(rows @ rows.T, k=1).tocoo()
    union = sets.sizes[shared.row] + sets.sizes[shared.col] - shared.data
    return shared.row, shared.col, shared.data / union


def alike(sets: Sets, threshold: float) -> Pairs:
    a, b, jaccard = all_jaccards(sets)
    kept = jaccard >= threshold
    return set(zip(a[kept].tolist(), b[kept].tolist(), strict=True))


def linked(report: Report) -> Pairs:
    return {(int(pair.a.page), int(pair.b.page)) for pair in report.pairs()}


def edited_paragraphs(count: int, seed: int, versions: int = 5) -> list[str]:
    """Families of paragraphs, each version edited from the first at a rate of its own: similarities of all sizes."""
    rng, out = np.random.default_rng([seed, 5]), []
    for family in range(count // versions):
        base = words(int(rng.integers(10, 120)), 1000 * seed + family, 2000)
        for version in range(versions):
            rate, other = version and rng.uniform(0.0, 0.25), words(len(base), 7_000_000 + 10 * family + version, 2000)
            edits = rng.random(len(base)) < rate
            out.append(" ".join(b if e else a for a, b, e in zip(base, other, edits, strict=True)))
    return out


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_exhaustive_is_brute_force_on_edited_paragraphs(threshold):
    texts = edited_paragraphs(600, 1)
    distinct = list(dict.fromkeys(texts))
    truth = alike(numbered(word_sets(distinct, 2)), threshold)
    report = scan_texts(distinct, unit="page", shingle_size=2, threshold=threshold, exhaustive=True, min_tokens=2)
    assert linked(report) == truth
    assert len(truth) > 50


@needs_speed
@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_the_certain_join_is_brute_force_on_three_thousand_blocks(threshold):
    texts = edited_paragraphs(3000, 2, versions=6)
    sets = Shingler(size=2).sets(texts)
    a, b = pair_exhaustively(sets, threshold)
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == alike(sets, threshold)
    assert alike(sets, threshold) == alike(numbered(word_sets(texts, 2)), threshold)


@needs_speed
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8])
def test_the_certain_join_is_brute_force_on_real_sections(threshold):
    path = data("legal_sections") / "sections.jsonl.gz"
    texts = [json.loads(line)["text"] for line in gzip.decompress(path.read_bytes()).splitlines()]
    sets = Shingler(size=3).sets(texts)
    a, b = pair_exhaustively(sets, threshold)
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == alike(sets, threshold)


few_words = st.lists(st.sampled_from("abcdefgh"), min_size=0, max_size=16).map(" ".join)


@given(texts=st.lists(few_words, max_size=14, unique=True), size=st.integers(1, 4),
       threshold=st.sampled_from([0.1, 0.3, 0.5, 2 / 3, 0.8, 1.0]))
@settings(max_examples=max(40, settings().max_examples // 2))
def test_exhaustive_is_brute_force_on_small_texts(texts, size, threshold):
    long = [text for text in texts if len(text.split()) >= 2]
    report = scan_texts(long, unit="page", shingle_size=size, threshold=threshold, exhaustive=True, min_tokens=2)
    assert linked(report) == alike(numbered(word_sets(long, size)), threshold)


# -- recall of LSH ------------------------------------------------------------------------------------------------


@needs_speed
@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_lsh_finds_all_but_one_in_two_hundred(threshold):
    """Pooled over corpora and seeds of the sketches; most of what is missed lies just at the threshold."""
    found = wanted = near = near_found = 0
    for seed in range(2):
        texts = list(dict.fromkeys(edited_paragraphs(3000, 10 + seed)))
        sets = numbered(word_sets(texts, 2))
        a, b, jaccard = all_jaccards(sets)
        report = scan_texts(texts, unit="page", shingle_size=2, threshold=threshold, min_tokens=2, seed=seed)
        got = linked(report)
        truth = {(x, y): j for x, y, j in zip(a.tolist(), b.tolist(), jaccard.tolist(), strict=True) if j >= threshold}
        assert got <= truth.keys(), "a pair under the threshold was reported"
        close = {pair for pair, j in truth.items() if j < threshold + 0.03}
        found, wanted = found + len(got), wanted + len(truth)
        near_found, near = near_found + len(got & close), near + len(close)
    assert wanted > 800
    assert found / wanted >= 0.995
    assert near_found / near >= 0.99
    print(f"threshold {threshold}: recall {found / wanted:.5f} of {wanted}, {near_found / near:.5f} just above it")


# -- exact runs ---------------------------------------------------------------------------------------------------


def repeated_tokens(texts: dict[str, str], size: int = 8) -> dict[str, set[int]]:
    """Characters of the tokens that lie in a run of `size` which stands twice without overlap, page by page.

    Every run of `size` tokens or more that stands twice is made of such grams.
    """
    places: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    tokens = {name: [m.span() for m in TOKEN.finditer(text)] for name, text in texts.items()}
    for name, text in texts.items():
        folded = [text[a:b].casefold() for a, b in tokens[name]]
        for i in range(len(folded) - size + 1):
            places[tuple(folded[i:i + size])].append((name, i))
    out: dict[str, set[int]] = {name: set() for name in texts}
    for members in places.values():
        lowest: dict[str, int] = {}
        highest: dict[str, int] = {}
        for name, i in members:
            lowest[name], highest[name] = min(i, lowest.get(name, i)), max(i, highest.get(name, i))
        for name, i in members:
            if len(lowest) > 1 or i - lowest[name] >= size or highest[name] - i >= size:
                for a, b in tokens[name][i:i + size]:
                    out[name] |= set(range(a, b))
    return out


def assert_covered(texts: dict[str, str], **settings: Any) -> Report:
    report = scan_texts(texts, **settings)
    wanted = repeated_tokens(texts)
    for name, text in texts.items():
        missed = wanted[name] - covered(report, name)
        assert not missed, f"{name}: {text[min(missed):max(missed) + 1][:200]!r} stands twice and is in no group"
    return report


@st.composite
def pages_with_copies(draw: st.DrawFn) -> dict[str, str]:
    """Pages of fresh words into which stretches of earlier text are copied, with blanks or block ends between."""
    fresh, pages, written = itertools.count(), {}, []
    for page in range(draw(st.integers(1, 4))):
        tokens: list[str] = []
        for _ in range(draw(st.integers(1, 6))):
            tokens += [f"n{next(fresh)}" for _ in range(draw(st.integers(1, 12)))]
            source = written + tokens
            if len(source) > 8 and draw(st.booleans()):
                start = draw(st.integers(0, len(source) - 8))
                tokens += source[start:start + draw(st.integers(7, 30))]
        written += tokens
        ends = [draw(st.sampled_from([" ", " ", " ", " ", " ", "\n\n"])) for _ in tokens]
        pages[f"p{page}"] = "".join(itertools.chain(*zip(tokens, ends, strict=True)))
    return pages


@given(texts=pages_with_copies())
@settings(max_examples=max(80, settings().max_examples))
def test_every_repeated_run_is_covered(texts):
    assert_covered(texts, find="exact")


@given(texts=pages_with_copies())
@settings(max_examples=max(40, settings().max_examples // 2))
def test_every_repeated_run_is_covered_beside_near_blocks(texts):
    assert_covered(texts)


@st.composite
def pages_of_few_words(draw: st.DrawFn) -> dict[str, str]:
    """Texts full of periods, some of them damaged."""
    texts = {}
    for page in range(draw(st.integers(1, 3))):
        period = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=30))
        tokens = list(itertools.islice(itertools.cycle(period), draw(st.integers(0, 120))))
        for at in draw(st.lists(st.integers(0, max(len(tokens) - 1, 0)), max_size=6)):
            tokens[at:at + 1] = draw(st.sampled_from("abcd"))
        ends = [draw(st.sampled_from([" "] * 9 + ["\n\n"])) for _ in tokens[::10]]
        texts[f"p{page}"] = "".join(token + (ends[i // 10] if i % 10 == 9 else " ") for i, token in enumerate(tokens))
    return texts


@given(texts=pages_of_few_words())
@settings(max_examples=max(80, settings().max_examples))
def test_every_repeated_run_is_covered_in_texts_of_few_words(texts):
    """Where periods of any length begin, end and meet, too; what is left out, for it overlaps all its copies, is told."""
    report, wanted = scan_texts(texts, find="exact"), repeated_tokens(texts)
    missed = [name for name in texts if wanted[name] - covered(report, name)]
    assert not missed or any(group.truncated for group in report.groups)


@given(draw=st.data(), on_one_page=st.booleans(), find=st.sampled_from(["exact", "near"]))
def test_paragraphs_that_changed_places_are_covered(draw, on_one_page, find):
    """Whatever order they come in, and with one of them gone or new: each stands twice and is in a group."""
    paragraphs = [" ".join(words(draw.draw(st.integers(10, 40)), 500 + n)) for n in range(6)]
    copies = []
    for copy in range(draw.draw(st.integers(2, 3))):
        order = list(range(6))
        for at in draw.draw(st.lists(st.integers(0, 4), max_size=2)):
            order[at], order[at + 1] = order[at + 1], order[at]
        text = [paragraphs[n] for n in order if n != draw.draw(st.integers(0, 11))]
        text.insert(draw.draw(st.integers(0, len(text))), draw.draw(st.sampled_from(["", " ".join(words(12, 600 + copy))])))
        copies.append("\n".join(text))
    assert_covered({"p": "\n".join(copies)} if on_one_page else {f"p{n}": text for n, text in enumerate(copies)}, find=find)


def fibonacci_word(tokens: int) -> str:
    """Each is the one before and the one before that: a text that is made of its own pieces throughout."""
    before, word = "a", "ab"
    while len(word) < tokens:
        before, word = word, word + before
    return " ".join(word[:tokens])


@pytest.mark.parametrize("text", [
    " ".join([*words(40, 77)[-6:], *words(40, 77), *words(40, 77)]), " ".join([*words(40, 77) * 3, *words(40, 77)[:5]]),
    "one two three four five " * 300, "a b c d e f g h i " * 50 + "a b c", fibonacci_word(1000), fibonacci_word(87)])
def test_every_repeated_run_is_covered_where_a_text_repeats_at_once(text):
    """What is left over at its ends is under eight words, and stands in longer runs; periods need not be eight words long."""
    assert_covered({"p": text})


def test_periods_on_many_pages_are_covered_to_their_ends():
    assert_covered({f"p{n}": f"x{n} " + "ab " * 10 + f"y{n}" for n in range(20)})


def corpus_pages(count: int, seed: int) -> dict[str, str]:
    lines = itertools.chain.from_iterable(batch for batch, _ in itertools.islice(Corpus(seed), 1))
    return {p["id"]: p["text"] for p in map(json.loads, itertools.islice(lines, count))}


def plain(text: str) -> str:
    """Words and blanks only, so that every word is one token."""
    return "\n".join(" ".join(re.findall(r"\w+", line)) for line in text.split("\n"))


@needs_speed
@pytest.mark.parametrize(("seed", "find"), [(1, "exact"), (2, "near"), pytest.param(1, "near", marks=pytest.mark.soak),
                                            pytest.param(2, "exact", marks=pytest.mark.soak)])
def test_every_repeated_run_of_a_corpus_is_covered(seed, find):
    """Seed 2 once lost one: a near passage that the representative rule left alone took the repeats in it along."""
    texts = {name: plain(text) for name, text in corpus_pages(500, seed).items()}
    report = assert_covered(texts, find=find)
    assert len(report.groups) > 100


@needs_speed
def test_every_planted_copy_is_found():
    """The truth that the generator writes: exact copies lie in one group with their source."""
    batch = next(iter(Corpus(3)))
    pages = {p["id"]: p["text"] for p in map(json.loads, batch[0])}
    report = scan_texts(pages)
    touching: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for group in report.groups:
        for o in group.occurrences:
            for a, b in o.parts or [(o.start, o.end)]:
                touching[o.page].append((a, b, group.id))
    exact = [p for p in batch[1] if p.kind in {"copy", "block", "span", "repeat", "boilerplate"}]
    assert len(exact) > 200
    for copy in exact:
        for page, start, end in ((copy.a, copy.a_start, copy.a_end), (copy.b, copy.b_start, copy.b_end)):
            inside = set()
            for a, b, _ in touching[page]:
                inside |= set(range(max(a, start), min(b, end)))
            missed = [i for i in range(start, end) if i not in inside and pages[page][i].isalnum()]
            assert not missed, (copy, pages[page][missed[0]:missed[-1] + 1][:200])


# -- what is reported is so -----------------------------------------------------------------------------------------


def assert_verified(report: Report, threshold: float, size: int = 2) -> None:
    """Every group: exact ones of equal texts, near ones at the threshold or by a verified link of its text to the
    representative's."""
    links = {frozenset(normalised(" ".join(matched(o)), 0) for o in (p.a, p.b)) for p in report.pairs()}
    verifier = Verifier(shingle_size=size)
    for group in report.groups:
        first = group.occurrences[group.representative]
        for o in group.occurrences:
            if o is first:
                continue
            mine, theirs = " ".join(matched(first)), " ".join(matched(o))
            if group.kind == "near":
                measures = verifier.measure(mine, theirs)
                assert o.jaccard == pytest.approx(measures.jaccard, abs=1e-12)
                assert o.containment == pytest.approx(measures.containment_b, abs=1e-12)
                link = frozenset((normalised(mine, 0), normalised(theirs, 0)))
                assert o.jaccard >= threshold or link in links, (group.id, first, o)
            else:
                assert normalised(mine, 0) == normalised(theirs, 0)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_members_of_groups_are_verified_on_edited_paragraphs(threshold):
    texts = edited_paragraphs(400, 30)
    pages = ["\n\n".join(texts[i:i + 7]) for i in range(0, len(texts), 7)]
    report = scan_texts(pages, threshold=threshold)
    assert len(report.groups) > 50
    assert_verified(report, threshold)


@needs_speed
@pytest.mark.parametrize("settings", [{}, {"exhaustive": True}, {"scope": "within"}, {"unit": "page", "threshold": 0.6}])
def test_members_of_groups_are_verified_on_a_corpus(settings):
    report = scan_texts(corpus_pages(400, 4), **settings)
    assert len(report.groups) > 20
    size = 5 if settings.get("unit") == "page" else 2
    assert_verified(report, settings.get("threshold", 0.5), size)


@given(texts=pages_with_copies(), threshold=st.sampled_from([0.3, 0.5, 0.8]))
@settings(max_examples=max(40, settings().max_examples // 2))
def test_members_of_groups_are_verified_on_any_pages(texts, threshold):
    assert_verified(scan_texts(texts, threshold=threshold), threshold)
