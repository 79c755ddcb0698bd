"""Bands are chosen for what they miss at the threshold; candidates are checked before anybody sees them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dedup import LSH, MinHasher, OptionError, Shingler
from dedup.columns import sums
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.lsh import (
    LED,
    MISS,
    BandKeys,
    candidates_of_sketched,
    pair_by_lsh,
    pair_in_buckets,
    sketched_blocks,
)
from dedup.shingles import Sets, ShortSets
from tests.scan_help import needs_speed, scan_texts
from tests.unit.test_blocks import corpus_of


def short(sets: Sets) -> ShortSets:
    return ShortSets((sets.values >> np.uint64(32)).astype(np.uint32), sets.first)


def family(sets: list[np.ndarray]) -> Sets:
    return Sets(np.concatenate([np.empty(0, np.uint64), *sets]), np.cumsum([0, *map(len, sets)]).astype(np.int64))


@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_at_most_one_pair_in_two_hundred_is_missed_at_the_threshold(threshold):
    lsh = LSH.for_threshold(threshold)
    assert lsh.candidate_probability(threshold) >= 1 - MISS
    assert MISS <= 0.005
    assert lsh.candidate_probability(threshold / 4) < 0.8  # and it does tell pairs apart


def test_the_bands_are_those_that_the_documentation_names():
    assert LSH.for_threshold(0.7).num_hashes <= 200
    assert LSH.for_threshold(0.8) == LSH(25, 7)
    assert LSH.for_threshold(0.7).rows == 5


@pytest.mark.parametrize(("bands", "rows"), [(0, 1), (1, 0), (-1, 5)])
def test_no_bands_or_rows_is_an_error(bands, rows):
    with pytest.raises(OptionError, match="Use 1 to"):
        LSH(bands, rows)


def test_a_sketch_that_is_too_small_is_refused_with_what_would_fit():
    sketch = MinHasher(20).sketch(Shingler(1).sets(["a b c"]))
    with pytest.raises(OptionError, match=r"at most 4 bands, or num_hashes=30"):
        LSH(6, 5).candidates(sketch)


@pytest.mark.parametrize("threshold", [0, -1, 1.01, 5])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(OptionError, match="out of range"):
        LSH.for_threshold(threshold)


@needs_speed
@pytest.mark.parametrize(("bands", "rows"), [(44, 3), (32, 5), (25, 7)])
def test_t4_the_candidate_curve_is_that_of_the_theory(bands, rows):
    """At or above the theory where pairs are alike, at or below it where they are not."""
    lsh, rng, trials, size = LSH(bands, rows), np.random.default_rng([9, bands]), 4000, 100
    middle = (1 / bands) ** (1 / rows)
    for j in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        shared = round(2 * size * j / (1 + j))
        elements = rng.integers(0, 2**64, (trials, 2 * size - shared), dtype=np.uint64)
        a, b = elements[:, :size], np.concatenate([elements[:, :shared], elements[:, size:]], axis=1)
        keys = [lsh.keys(MinHasher(lsh.num_hashes).sketch(family(list(np.sort(side, axis=1))))) for side in (a, b)]
        found = float((keys[0] == keys[1]).any(axis=1).mean())
        theory = lsh.candidate_probability(shared / (2 * size - shared))
        noise = 4 * np.sqrt(max(theory * (1 - theory), 1 / trials) / trials)
        if j >= middle:
            assert found >= theory - noise, j
        if j <= middle - 0.15:
            assert found <= theory + noise, j


def test_datasketch_finds_the_same_near_copies():
    datasketch = pytest.importorskip("datasketch", reason="LOUD: datasketch is missing, no second opinion")
    rng = np.random.default_rng(10)
    bases = [rng.integers(0, 2**64, 120, dtype=np.uint64) for _ in range(40)]
    others = [np.append(base[6:], rng.integers(0, 2**64, 6, dtype=np.uint64)) for base in bases]
    sets = [np.unique(x) for both in zip(bases, others, strict=True) for x in both]
    lsh = LSH(25, 5)
    theirs = datasketch.MinHashLSH(num_perm=125, params=(25, 5))
    sketches = datasketch.MinHash.bulk([[int(x).to_bytes(8, "little") for x in s] for s in sets], num_perm=125)
    for i, sketch in enumerate(sketches):
        theirs.insert(str(i), sketch)
    second = {(i, int(j)) for i, sketch in enumerate(sketches) for j in theirs.query(sketch) if i < int(j)}
    mine = lsh.candidates(MinHasher(125).sketch(family(sets)))
    alike = {(2 * i, 2 * i + 1) for i in range(len(bases))}  # Jaccard 0.90
    assert alike <= mine
    assert alike <= second
    assert len(mine ^ second) <= 2  # all else is unlike


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 1.0])
def test_every_pair_is_verified_and_ascends(threshold):
    rng = np.random.default_rng(11)
    draws = [rng.integers(0, 40, rng.integers(0, 60)).astype(np.uint64) for _ in range(80)]
    sets = family([np.unique(draw) << np.uint64(32) for draw in draws])
    a, b, unplaced = pair_by_lsh(LocalEngine(1), short(sets), threshold, 0)
    assert unplaced == 0
    assert (a < b).all()
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == sorted(set(zip(a.tolist(), b.tolist(), strict=True)))
    jaccard = sets.jaccard(a, b)
    assert (jaccard >= threshold).all()
    truth = sum(sets.jaccard(np.array([i]), np.array([j]))[0] >= threshold
                for i, j in itertools.combinations(np.flatnonzero(sets.sizes).tolist(), 2))
    assert len(a) >= 0.99 * truth


def test_keys_made_batch_by_batch_find_the_same_pairs_and_name_the_sets_that_are_needed():
    rng, engine, threshold = np.random.default_rng(5), LocalEngine(2), 0.5
    draws = [np.unique(rng.integers(0, 60 if i < 90 else 2**30, 40)).astype(np.uint64) for i in range(150)]
    sets = short(family([draws[i] << np.uint64(32) for i in rng.permutation(len(draws))]))
    lsh, batches = LSH.for_threshold(threshold), [0, 40, 40, 90, len(sets)]
    keys = [kernel.band_columns(sets.values[sets.first[a]:sets.first[b]], sets.first[a:b + 1] - sets.first[a], lsh.bands,
                                lsh.rows, 0) for a, b in itertools.pairwise(batches)]
    chosen = np.setdiff1d(np.arange(len(sets)), [3, 41, 149])
    made = BandKeys(lsh.bands, np.array(batches), keys)
    sizes = np.diff(sets.first)
    own = ShortSets(np.concatenate([sets.values[sets.first[s]:sets.first[s + 1]] for s in chosen]), sums(sizes[chosen]))
    expected = pair_by_lsh(engine, own, threshold, 0)
    assert_same_pairs(pair_in_buckets(engine, made.rows(engine, chosen), own, threshold), expected)
    shared = made.shared(engine, chosen)
    assert set(np.concatenate(expected[:2]).tolist()) <= set(shared.tolist())
    assert 0 < len(shared) < len(chosen) - 40
    needed = np.concatenate([own.values[own.first[s]:own.first[s + 1]] for s in shared])
    few = ShortSets(needed, sums(np.diff(own.first)[shared])).spread(shared, len(chosen))
    assert_same_pairs(pair_in_buckets(engine, made.rows(engine, chosen), few, threshold), expected)


def test_sets_that_are_sketched_as_they_are_made_find_the_same_pairs(monkeypatch):
    """Of many blocks in many batches, whoever is first with one."""
    rng = np.random.default_rng(3)
    words = [f"w{n}" for n in range(500)]
    blocks = [[words[n] for n in rng.integers(0, 500, rng.integers(3, 30))] for _ in range(200)]
    blocks += [[*block[:len(block) // 2], "new", *block[len(block) // 2:]] for block in blocks[::2]]
    engine, corpus = LocalEngine(3), corpus_of(*(" ".join(block) for block in blocks))
    chosen = np.flatnonzero(rng.random(len(blocks)) < 0.9)
    lsh = LSH.for_threshold(0.5)
    plain = sketched_blocks(engine, corpus, chosen, 2, lsh, 0)
    assert len(plain.rows) == 1
    monkeypatch.setattr("dedup.lsh.FEW_SETS", 0)
    monkeypatch.setattr("dedup.shingles.BATCH_BYTES", 300)
    batches = sketched_blocks(engine, corpus, chosen, 2, lsh, 0)
    assert len(batches.rows) > 20
    for one, other in ((plain.sets.values, batches.sets.values), (plain.sets.first, batches.sets.first),
                       (plain.bits, batches.bits)):
        np.testing.assert_array_equal(one, other)
    found, again = (candidates_of_sketched(engine, made, 0.5) for made in (plain, batches))
    assert len(found[0]) > 50
    assert_same_pairs(again, found)


def assert_same_pairs(found, expected):
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_of_no_sets_none_shares_a_bucket():
    nothing = np.empty(0, np.int64)
    for keys in (BandKeys(2, np.array([0]), []), BandKeys(2, np.array([0, 3]), [np.arange(6, dtype=np.uint32)])):
        assert len(keys.shared(LocalEngine(1), nothing)) == 0


def test_empty_sets_are_nobodys_pair():
    sets = family([np.empty(0, np.uint64)] * 4)
    assert len(pair_by_lsh(LocalEngine(1), short(sets), 0.5, 0)[0]) == 0
    assert len(pair_by_lsh(LocalEngine(1), short(family([])), 0.5, 0)[0]) == 0
    assert LSH(4, 2).candidates(MinHasher(8).sketch(Shingler().sets(["", "", "..."]))) == set()


@needs_speed
def test_a_crowded_bucket_is_not_checked_all_with_all_and_still_makes_one_group():
    """3,000 pages that differ in one word each: as pairs they would be 4.5 million."""
    base = [f"w{n}" for n in range(60)]
    texts = [" ".join([*base, f"only{n}"]) for n in range(3000)]
    report = scan_texts(texts, threads=1, find="near", unit="page")
    assert [len(group.occurrences) for group in report.groups] == [3000]
    assert sum(1 for _ in report.pairs()) < 10 * len(texts)


@needs_speed
def test_of_a_template_no_pairs_are_listed_that_follow_from_what_is_alike_to_all():
    """Ten pages each share two words beside those of the template: all pairs of these are in small buckets."""
    rng, common = np.random.default_rng(5), np.arange(1, 61, dtype=np.uint64) << np.uint64(40)

    def page(n: int) -> np.ndarray:
        shared = np.array([n // 10, n // 10 + 5000], np.uint64) + np.uint64(1 << 20) << np.uint64(33)
        return np.sort(np.concatenate([common, rng.integers(1 << 50, 1 << 63, 2, np.uint64), shared]))
    sets = family([page(n) for n in range(2 * LED)])
    every, few = (pair_by_lsh(LocalEngine(2), short(sets), 0.5, 0, asked)[:2] for asked in (False, True))
    assert len(every[0]) > 2 * len(few[0])
    assert len(few[0]) < 2.1 * len(sets)
    assert set(zip(*few, strict=True)) < set(zip(*every, strict=True))
    for a, b in (every, few):
        assert not kernel.components(len(sets), a, b).any()
    # at the threshold itself nothing follows
    loose = family([np.concatenate([common[:30], rng.integers(1 << 50, 1 << 63, 18, np.uint64)]) for _ in range(LED + 200)])
    loose = family([np.sort(loose.values[i:j]) for i, j in itertools.pairwise(loose.first.tolist())])
    both = [np.stack(pair_by_lsh(LocalEngine(1), short(loose), 0.45, 0, asked)[:2]) for asked in (False, True)]
    np.testing.assert_array_equal(*both)
