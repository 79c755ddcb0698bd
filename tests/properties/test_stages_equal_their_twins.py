"""The kernel's stage loops equal their plain twins, bit for bit; joins and repeats equal brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from dedup.kernel import reference
from dedup.lsh import no_homes

native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the compiled kernel is not built, twins untested")

words = st.integers(0, 5)  # few words: many repeats
ranges = st.lists(st.lists(words, max_size=30), min_size=1, max_size=8)


def token_hashes(tokens: list[int]) -> np.ndarray:
    return reference.range_digests(np.arange(100, dtype=np.uint64), np.arange(101))[np.array(tokens, np.int64)] \
        if tokens else np.empty(0, np.uint64)


def columns(lists: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    first = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    return token_hashes(list(itertools.chain(*lists))), first


def assert_same(mine: tuple, theirs: tuple) -> None:
    assert len(mine) == len(theirs)
    for x, y in zip(mine, theirs, strict=True):
        assert_array_equal(x, y)


@given(lists=ranges, size=st.integers(1, 6))
def test_shingle_sets_and_digests(lists, size):
    hashes, first = columns(lists)
    assert_same(native.shingle_sets(hashes, first, size), reference.shingle_sets(hashes, first, size))
    assert_array_equal(native.range_digests(hashes, first), reference.range_digests(hashes, first))


@given(lists=st.lists(st.lists(words, max_size=200), max_size=3), size=st.integers(1, 20))
def test_short_shingles_are_the_upper_halves_of_the_shingles(lists, size):
    text = [" ".join(map(str, tokens)).encode() for tokens in lists]
    edges = np.cumsum([0, *map(len, text)])
    data, start, end = np.frombuffer(b"".join(text), np.uint8), edges[:-1].copy(), edges[1:].copy()
    values, first = reference.shingle_sets(*reference.hash_tokens(data, start, end), size)
    room = np.empty(sum(map(len, lists)), np.uint32)
    halves = np.split(room, native.short_sets(data, start, end, 0, size, room)[1:])[:len(lists)]
    for own, expected in zip(halves, np.split(values, first[1:-1]), strict=False):
        assert_array_equal(own, np.unique(expected >> np.uint64(32)))


@given(lists=ranges, size=st.integers(1, 6))
def test_runs_of_grams_of_few_texts_are_those_of_all(lists, size):
    hashes, first = columns(lists)
    token = (hashes >> np.uint64(32)).astype(np.uint32)
    made = native.gram_runs(token, first, size)
    assert_same(made, reference.gram_runs(token, first, size))
    rows = native.gram_rows(token, first, size, 0, 5, 0, 5)
    classes, _ = native.gram_classes(*([column] for column in rows), 0, 5, 32, 1)
    assert_same(made, native.class_runs([classes], 0, len(token)))


def test_runs_of_grams_of_texts_longer_than_what_is_made_at_a_time():
    some = np.random.default_rng(5)
    token = some.integers(0, 2**32, 3000).astype(np.uint32)
    token[1500:2600] = token[100:1200]
    for size in (1, 8, 65):
        first = np.array([0, 1400, 1400, 3000])
        assert_same(native.gram_runs(token, first, size), reference.gram_runs(token, first, size))


@given(counts=st.lists(st.integers(-2**40, 2**40), max_size=300))
def test_sums_before_each_count(counts):
    column = np.array(counts, np.int64)
    assert native.sums(column).tolist() == [0, *itertools.accumulate(counts)]
    assert_array_equal(native.sums(column), reference.sums(column))


@given(lists=ranges, k=st.integers(1, 40), seed=st.integers(0, 2**63 - 1))
def test_sketches_and_bands(lists, k, seed):
    values, first = reference.shingle_sets(*columns(lists), 2)
    mine, theirs = (module.fss_sketches(values, first, k, seed) for module in (native, reference))
    assert_array_equal(mine, theirs)
    rows = 1 + seed % 3
    short = (values >> np.uint64(32)).astype(np.uint32)
    assert_array_equal(native.band_columns(short, first, k, rows, seed), reference.band_columns(short, first, k, rows, seed))
    assert_array_equal(native.set_bitmaps(short, first), reference.set_bitmaps(short, first))
    if k >= rows:
        assert_array_equal(native.sketch_bands(mine, len(lists), k // rows, rows),
                           reference.sketch_bands(mine, len(lists), k // rows, rows))


@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 9).map(lambda key: key << 28), max_size=80))
def test_keys_that_stand_twice(keys):
    key = np.array(keys, np.uint32)
    assert_array_equal(native.repeated_keys(key), reference.repeated_keys(key))
    assert reference.repeated_keys(key).tolist() == [int(keys.count(one) > 1) for one in keys]


@given(lists=st.lists(st.lists(words, max_size=12), min_size=1, max_size=14), threshold=st.sampled_from([0.3, 0.5, 0.7, 1]),
       all_pairs=st.integers(1, 6), bands=st.integers(0, 3), keys=st.lists(st.integers(0, 2), min_size=42, max_size=42))
def test_bucket_pairs(lists, threshold, all_pairs, bands, keys):
    """What bands give together is what each of them gives."""
    values, first = reference.shingle_sets(*columns(lists), 2)
    values = (values >> np.uint64(32)).astype(np.uint32)
    key = np.array(keys[:bands * len(lists)], np.uint32)
    arguments = values, first, reference.set_bitmaps(values, first), float(threshold), all_pairs, 3
    homes, theirs = no_homes(len(lists)), no_homes(len(lists))
    mine = native.bucket_pairs(key, *arguments, homes)
    assert_same(mine, reference.bucket_pairs(key, *arguments, theirs))
    assert_array_equal(homes, theirs)
    each = key.reshape(bands, len(lists))
    alone = [native.bucket_pairs(own, *arguments, no_homes(len(lists))) for own in each]
    shared = no_homes(len(lists))
    for found in (alone, [native.bucket_pairs(own, *arguments, shared) for own in each[::-1]]):  # they may know of each other
        pairs = {pair for a, b, _ in found for pair in zip(a.tolist(), b.tolist(), strict=True)}
        assert list(zip(mine[0].tolist(), mine[1].tolist(), strict=True)) == sorted(pairs)
        assert mine[2] == sum(unplaced for _, _, unplaced in found)
    for module in (native, reference) if len(lists) > 1 else ():
        with pytest.raises(ValueError, match="a band"):
            module.bucket_pairs(np.zeros(bands * len(lists) + 1, np.uint32), *arguments, homes)
    for module in (native, reference):
        with pytest.raises(ValueError, match="one home"):
            module.bucket_pairs(key, *arguments, no_homes(len(lists) + 1))


@given(seed=st.integers(0, 2**32 - 1), threshold=st.sampled_from([0.3, 0.5, 0.6, 0.7, 0.8, 1.0]), own=st.integers(0, 12),
       most=st.sampled_from([70, 120, 400]))
@settings(max_examples=25)
def test_many_representatives_of_a_bucket(seed, threshold, own, most):
    rng = np.random.default_rng(seed)
    shared = rng.integers(0, 2**32, 40, np.uint32)
    sets = [np.unique(np.concatenate([rng.choice(shared, int(rng.integers(1, 30))),
                                      rng.integers(0, 2**32, int(rng.integers(own + 1)), np.uint32)])) for _ in range(250)]
    values, first = np.concatenate(sets), np.cumsum([0, *map(len, sets)]).astype(np.int64)
    key = rng.integers(0, 2, len(sets)).astype(np.uint32) * np.uint32(rng.integers(2))  # one bucket, or two
    arguments = key, values, first, reference.set_bitmaps(values, first), threshold, 4, most
    homes, theirs = (no_homes(len(sets)) for _ in range(2))
    assert_same(native.bucket_pairs(*arguments, homes), reference.bucket_pairs(*arguments, theirs))
    assert_array_equal(homes, theirs)
    again = native.bucket_pairs(*arguments, homes)  # of what is known nothing is said
    assert not len(again[0])


def test_a_home_of_one_band_hides_no_pair_of_another():
    """Sets that are all alike: in the second band another one comes first, and has pairs of its own."""
    values = np.concatenate([np.append(np.arange(20), 100 + s) for s in range(6)]).astype(np.uint32)
    first = np.arange(7) * 21
    key = np.array([[5] * 6, [9] + [5] * 5, [5] * 6], np.uint32).reshape(-1)
    a, b, _ = native.bucket_pairs(key, values, first, reference.set_bitmaps(values, first), 0.5, 2, 4, no_homes(6))
    wanted = [(0, s) for s in range(1, 6)] + [(1, s) for s in range(2, 6)]
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == wanted


@given(lists=st.lists(st.lists(words, max_size=12), min_size=1, max_size=20),
       threshold=st.floats(0.1, 1.0) | st.sampled_from([0.25, 0.5, 0.55, 0.6, 0.75, 0.8]))
def test_prefix_join_misses_nothing(lists, threshold):
    values, first = reference.shingle_sets(*columns(lists), 2)
    order, rank = np.unique(values, return_inverse=True)
    counts = np.bincount(rank, minlength=len(order)) if len(order) else np.zeros(0, int)
    by_rarity = np.empty(len(order), np.int64)
    by_rarity[np.lexsort((np.arange(len(order)), counts))] = np.arange(len(order))
    ranks = np.concatenate([np.sort(by_rarity[rank[a:b]]) for a, b in itertools.pairwise(first)] or [[]]).astype(np.uint64)
    mine = native.prefix_join(ranks, first, len(order), threshold)
    assert_same(mine, reference.prefix_join(ranks, first, len(order), threshold))
    sets = [set(values[a:b].tolist()) for a, b in itertools.pairwise(first)]
    truth = [(x, y) for x, y in itertools.combinations(range(len(sets)), 2)
             if sets[x] and sets[y] and len(sets[x] & sets[y]) / len(sets[x] | sets[y]) >= threshold]
    assert list(zip(*map(np.ndarray.tolist, mine), strict=True)) == truth
    a, b = (np.array([p[i] for p in truth], np.int64) for i in (0, 1))
    assert_array_equal(native.set_overlaps(values, first, a, b), [len(sets[x] & sets[y]) for x, y in truth])
    short = (values >> np.uint64(32)).astype(np.uint32)
    assert_array_equal(native.short_overlaps(short, first, a, b), reference.short_overlaps(short, first, a, b))


@given(blocks=st.lists(st.lists(st.integers(0, 5) | st.integers(0, 2**32 - 1), max_size=12), min_size=1, max_size=12),
       size=st.integers(1, 4), data=st.data())
def test_no_block_shares_more_shingles_than_it_is_said_to(blocks, size, data):
    """The bound by which sets are not made: no set has more in common with one of some sets than is counted."""
    first = np.cumsum([0, *map(len, blocks)])
    token = np.array([t for block in blocks for t in block], np.uint32)
    of = data.draw(st.lists(st.integers(0, len(blocks) - 1), max_size=3))
    shared = native.shared_shingles(token, first, size, np.array(of, np.int64))
    assert_array_equal(shared, reference.shared_shingles(token, first, size, np.array(of, np.int64)))
    sets = [{tuple(block[at:at + size]) for at in range(max(len(block) - size + 1, min(len(block), 1)))} for block in blocks]
    for count, one in zip(shared.tolist(), sets, strict=True):
        assert all(count >= len(one & sets[other]) for other in of)
    for module in (native, reference):
        with pytest.raises(ValueError, match="size must be"):
            module.shared_shingles(token, first, 0, np.array(of, np.int64))
        with pytest.raises(ValueError, match="does not exist"):
            module.shared_shingles(token, first, size, np.array([len(blocks)]))


@given(edges=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_components_equal_scipy(edges):
    a, b = (np.array([e[i] for e in edges], np.int64) for i in (0, 1))
    mine = native.components(31, a, b)
    assert_array_equal(mine, reference.components(31, a, b))
    csgraph = pytest.importorskip("scipy.sparse.csgraph", reason="LOUD: scipy is missing, its oracle is not asked")
    sparse = pytest.importorskip("scipy.sparse")
    labels = csgraph.connected_components(sparse.coo_matrix((np.ones(len(a)), (a, b)), (31, 31)), directed=False)[1]
    first_of = {label: i for i, label in reversed(list(enumerate(labels)))}
    assert mine.tolist() == [first_of[label] for label in labels]


def rows_of(module, lists: list[list[int]], size: int, partitions: int, begin: int, end: int,
            batches: int = 1) -> list[tuple]:
    """The rows of some partitions, of about so many batches of pages."""
    hashes, first = columns(lists)
    token = (hashes >> np.uint64(32)).astype(np.uint32)
    edges = np.unique(np.linspace(0, len(lists), batches + 1).astype(int))
    return [module.gram_rows(token[first[a]:first[b]], first[a:b + 1] - first[a], size, int(first[a]), partitions, begin, end)
            for a, b in itertools.pairwise(edges)]


def repeats(module, lists: list[list[int]], size: int, max_members: int, parts: int = 3, least: int = 0,
            ranges_of: int = 1000, slices: int = 1, batches: int = 1, bits: int = 3, cut: bool = True,
            mixed: bool = False) -> tuple:
    hashes, first = columns(lists)
    rows, classes, ranges = [], [], (len(hashes) >> bits) + 1
    for number in range(slices):
        found = rows_of(module, lists, size, parts * slices, parts * number, parts * (number + 1), batches)
        columns_of = [list(column) for column in zip(*found, strict=True)] or [[], [], []]
        for begin in range(0, parts, 2):
            members, edges = module.gram_classes(*columns_of, begin, min(begin + 2, parts), bits, ranges)
            for number_of_range, (a, b) in enumerate(itertools.pairwise(edges.tolist())):
                assert (members[a:b] >> np.uint64(32 + bits) == number_of_range).all()
            classes.append(members)
        rows += itertools.chain(*found)
    edges = [*range(0, len(hashes), ranges_of), len(hashes)]
    made = [module.class_runs(classes, *edge) for edge in itertools.pairwise(edges)] or [module.class_runs([], 0, 0)]
    runs = [np.concatenate(column) for column in zip(*made, strict=True)]
    blocks = np.unique(np.concatenate([first, np.arange(0, len(hashes), 3)])) if cut else np.unique(first)
    found = module.exact_repeats(*runs, size, max_members, half_tokens(lists) if mixed else np.empty(0, np.uint8), least,
                                 blocks, first)
    return rows, classes, runs, found


def half_tokens(lists):
    """Some of the tokens count half."""
    return np.array([1 + token % 2 for token in itertools.chain(*lists)], np.uint8)


@given(lists=ranges, size=st.integers(1, 5), max_members=st.integers(1, 8), least=st.integers(0, 9),
       ranges_of=st.integers(1, 40), mixed=st.booleans())
def test_exact_repeats(lists, size, max_members, least, ranges_of, mixed):
    mine, theirs = (repeats(module, lists, size, max_members, least=least, mixed=mixed) for module in (native, reference))
    for one, other in zip(mine, theirs, strict=True):
        assert_same(one, other)
    cut = repeats(native, lists, size, max_members, parts=1, least=least, ranges_of=ranges_of, mixed=mixed)
    assert_same(mine[3], cut[3])
    assert_same(cut[2], repeats(reference, lists, size, max_members, parts=1, ranges_of=ranges_of)[2])


@given(texts=st.lists(st.binary(max_size=60), max_size=6))
def test_digests_of_bytes(texts):
    text = np.frombuffer(b"".join(texts), np.uint8)
    first = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    mine = native.byte_digests(text, first)
    assert_array_equal(mine, reference.byte_digests(text, first))
    pairs = [tuple(row) for row in mine.reshape(-1, 2).tolist()]
    assert len(set(pairs)) == len(set(texts))
    alone = [tuple(native.byte_digests(np.frombuffer(t, np.uint8), np.array([0, len(t)])).tolist()) for t in texts]
    assert alone == pairs


@given(lists=ranges, size=st.integers(1, 5), slices=st.integers(2, 5), parts=st.integers(1, 5), batches=st.integers(1, 4),
       bits=st.integers(1, 32))
def test_slices_partitions_and_batches_change_no_run(lists, size, slices, parts, batches, bits):
    """The grams of slices one after the other are all grams, and say the same."""
    whole = repeats(native, lists, size, 4, parts=1)
    mine, theirs = (repeats(module, lists, size, 4, parts, slices=slices, batches=batches, bits=bits)
                    for module in (native, reference))
    for one, other in zip(mine, theirs, strict=True):
        assert_same(one, other)
    assert_same(mine[2], whole[2])
    assert_same(mine[3], whole[3])
    assert sum(map(len, mine[0][0::3])) == len(whole[0][0])


@given(seed=st.integers(0, 2**32 - 1), words=st.integers(1, 40), pages=st.lists(st.integers(0, 1500), max_size=6),
       size=st.integers(1, 70), partitions=st.integers(1, 40))
def test_rows_of_long_pages(seed, words, pages, size, partitions):
    """Some hundred grams at a time, whole lines of rows, long grams, which are made one after the other."""
    chosen = np.random.default_rng(seed).integers(0, words, sum(pages)).tolist()
    lists = [chosen[end - count:end] for count, end in zip(pages, itertools.accumulate(pages), strict=True)]
    begin, end = partitions // 3, partitions // 3 + max(partitions // 2, 1)
    mine, theirs = (rows_of(module, lists, size, partitions, begin, end) for module in (native, reference))
    for one, other in zip(mine, theirs, strict=True):
        assert_same(one, other)
    if mine:
        rows = *([column] for column in mine[0]), 0, end - begin, 8, 36
        assert_same(native.gram_classes(*rows), reference.gram_classes(*rows))


@given(marks=st.lists(st.integers(0, 127), max_size=300), tables=st.integers(1, 4))
def test_tables_marked_apart_say_what_one_table_says(marks, tables):
    def table_of(slots: list[int]) -> np.ndarray:
        """Two bits a slot: seen once, seen twice or more."""
        table, counts = np.zeros(4, np.uint64), np.bincount(np.array(slots, np.int64), minlength=128)
        for slot, count in enumerate(counts.tolist()):
            table[slot >> 5] |= np.uint64(min(2 * count - 1, 3) if count else 0) << np.uint64(2 * (slot & 31))
        return table
    whole, parts = table_of(marks), [table_of(marks[n::tables]) for n in range(tables)]
    twice = [slot for slot in range(128) if marks.count(slot) > 1]
    for module in (native, reference):
        assert_array_equal(module.slots_seen_twice(parts), module.slots_seen_twice([whole]))
        bits = np.unpackbits(module.slots_seen_twice([whole]).view(np.uint8), bitorder="little")
        assert np.flatnonzero(bits).tolist() == twice


def test_tables_that_cannot_be():
    with pytest.raises(ValueError, match="equally large"):
        native.slots_seen_twice([np.zeros(4, np.uint64), np.zeros(8, np.uint64)])
    with pytest.raises(ValueError, match="one at least"):
        native.slots_seen_twice([])
    with pytest.raises(TypeError, match="uint64"):
        native.slots_seen_twice([np.zeros(4, np.uint32)])


@pytest.mark.parametrize(("number", "slices"), [(0, 3), (2, 2), (-1, 2), (0, 0)])
def test_slices_that_cannot_be(number, slices):
    none = np.empty(0, np.uint8)
    with pytest.raises(ValueError, match="slices must be a power of two"):
        native.mark_seeds(np.zeros(9, np.uint32), np.array([0, 9]), none, none, 0, np.zeros(4, np.uint64), number, slices)


@pytest.mark.parametrize(("partitions", "begin", "end"), [(3, 2, 2), (3, 2, 4), (3, -1, 2), (0, 0, 0), (1 << 33, 0, 1)])
def test_partitions_that_cannot_be(partitions, begin, end):
    with pytest.raises(ValueError, match="partitions"):
        native.gram_rows(np.zeros(9, np.uint32), np.array([0, 9]), 2, 0, partitions, begin, end)


def test_rows_that_cannot_be():
    gram, at, first = [np.array([7, 7], np.uint64)], [np.array([300, 301], np.uint32)], [np.array([0, 2])]
    assert native.gram_classes(gram, at, first, 0, 1, 8, 2)[1].tolist() == [0, 0, 2]
    with pytest.raises(ValueError, match="behind the last range"):
        native.gram_classes(gram, at, first, 0, 1, 8, 1)
    with pytest.raises(ValueError, match="must ascend"):
        native.gram_classes(gram, [at[0][::-1].copy()], first, 0, 1, 0, 400)
    with pytest.raises(ValueError, match="fewer partitions"):
        native.gram_classes(gram, at, first, 0, 2, 8, 2)
    with pytest.raises(ValueError, match="equally long"):
        native.gram_classes(gram, [at[0][:1]], first, 0, 1, 8, 2)
    with pytest.raises(ValueError, match="equally many"):
        native.gram_classes(gram, at, [], 0, 1, 8, 2)
    with pytest.raises(TypeError, match="uint32"):
        native.gram_classes(gram, gram, first, 0, 1, 8, 2)


few_words = st.lists(st.lists(st.integers(0, 2), max_size=30), max_size=3)


@given(lists=st.lists(st.lists(st.integers(0, 1), max_size=30), max_size=5), size=st.integers(2, 4),
       max_members=st.integers(1, 4), least=st.integers(0, 12), between=st.lists(st.integers(0, 9), min_size=5, max_size=5))
def test_pages_that_share_nothing_change_no_repeat(lists, size, max_members, least, between):
    """Pages of words of their own between the others shift what is found, and nothing else."""
    fresh = itertools.count(10)
    apart, shift, at = [], [], 0
    for mine, count in zip(lists, between, strict=False):
        apart += [[next(fresh) for _ in range(count)], mine]
        at += count
        shift += [at] * len(mine)
    alone, among = (repeats(native, some, size, max_members, least=least, cut=False)[3] for some in (lists, apart))
    moved = np.array(shift, np.int64)
    for n in (0, 1, 4):
        assert_array_equal(alone[n] + moved[alone[n]] if len(moved) else alone[n], among[n])
    for n in (2, 3, 5):
        assert_array_equal(alone[n], among[n])


@given(lists=st.one_of(ranges, few_words), size=st.integers(2, 4), max_members=st.integers(1, 8))
def test_exact_repeats_cover_what_brute_force_finds(lists, size, max_members):
    """Every token of a gram that stands twice without overlap is in a match or a segment; matches are maximal or periods."""
    a, b, length, first, position, hot_length = repeats(native, lists, size, max_members)[3]
    text = list(itertools.chain(*lists))
    pages = np.repeat(np.arange(len(lists)), list(map(len, lists)))
    covered = set()
    for s, n in enumerate(hot_length.tolist()):
        places = position[first[s]:first[s + 1]].tolist()
        assert len({tuple(text[p:p + n]) for p in places}) == 1
        assert all(q - p >= n for p, q in itertools.pairwise(places))
        for p in places:
            covered |= set(range(p, p + n))
    for x, y, n in zip(a.tolist(), b.tolist(), length.tolist(), strict=True):
        assert text[x:x + n] == text[y:y + n]
        assert len(set(pages[x:x + n])) == len(set(pages[y:y + n])) == 1
        assert x + n <= y or pages[x] != pages[y]
        covered |= {*range(x, x + n), *range(y, y + n)}
        grown = x and y and text[x - 1] == text[y - 1] and pages[x - 1] == pages[x] and pages[y - 1] == pages[y]
        assert not grown or n == y - x  # a period
    grams: dict[tuple, list[int]] = {}
    for page, start in enumerate(np.cumsum([0, *map(len, lists)])[:-1].tolist()):
        for i in range(start, start + len(lists[page]) - size + 1):
            grams.setdefault(tuple(text[i:i + size]), []).append(i)
    for places in grams.values():
        for p in places:
            if any(abs(p - q) >= size or pages[p] != pages[q] for q in places):
                assert set(range(p, p + size)) <= covered


@st.composite
def link_problems(draw, most=3, across=False):
    """Links of one to `most` pages; of so many pages, and each between two of them."""
    pages = most if across else draw(st.integers(1, most))
    blocks = [draw(st.lists(st.integers(0, 4), min_size=1, max_size=6)) for _ in range(pages)]
    block_first = np.cumsum([0, *itertools.chain(*blocks)]).astype(np.int64)
    page_first = np.cumsum([0, *map(len, blocks)]).astype(np.int64)
    fingerprint = np.array(draw(st.lists(st.integers(0, 3), min_size=int(page_first[-1]), max_size=int(page_first[-1]))),
                           np.uint64)
    bounds = [(int(block_first[s]), int(block_first[e])) for s, e in itertools.pairwise(page_first)]
    links = []
    for _ in range(draw(st.integers(0, 12))):
        x, y = sorted((draw(st.integers(0, len(blocks) - 1)), draw(st.integers(0, len(blocks) - 1))))
        a = sorted((draw(st.integers(*bounds[x])), draw(st.integers(*bounds[x]))))
        b = sorted((draw(st.integers(*bounds[y])), draw(st.integers(*bounds[y]))))
        if a[0] < a[1] and b[0] < b[1] and a[1] <= b[0] and (x < y or not across):
            links.append((*a, *b, draw(st.integers(0, 1))))
    cols = [np.array([link[i] for link in links], np.int64) for i in range(4)]
    headline = np.array([draw(st.integers(0, 1)) for _ in fingerprint], np.uint8)
    digest = np.array(draw(st.permutations(range(len(blocks)))), np.uint64)
    weight = np.array([draw(st.sampled_from([1, 2, 2, 30, 80])) for _ in fingerprint], np.int64)  # bounds are reached
    halves, exact = weight * np.diff(block_first), np.array([link[4] for link in links], np.uint8)
    return *cols, exact, block_first, halves, fingerprint, headline, page_first, digest


@given(problem=link_problems(), max_edit=st.sampled_from([0, 16]))
def test_join_links(problem, max_edit):
    block_first, _, _, headline, page_first, _ = problem[5:]

    def page_of(token):
        return np.searchsorted(page_first, np.searchsorted(block_first, token, side="right") - 1, side="right")

    def holds_headline(begin, end):
        return any(headline[b] and begin <= block_first[b] < block_first[b + 1] <= end for b in range(len(headline)))
    mine, theirs = (module.join_links(*problem, max_edit, 0, 1000) for module in (native, reference))
    assert_same(mine, theirs)
    cut = int(block_first[page_first[1]])  # links of the first page, and those of the others
    halves = [native.join_links(*problem, max_edit, *bounds) for bounds in ((0, cut), (cut, 1000))]
    for column in (0, 1, 2, 3, 4, 5, 7, 8, 9, 10):
        assert_array_equal(np.concatenate([half[column] for half in halves]), mine[column])
    a0, a1, b0, b1, _, joined, first, pa0, pa1, pb0, pb1 = mine
    links = set(zip(*(column.tolist() for column in problem[:4]), strict=True))
    assert all(more or row in links for more, row in zip(joined, zip(a0, a1, b0, b1, strict=True), strict=True))
    assert (a1 <= b0).all()
    for i in range(len(a0)):
        parts = slice(first[i], first[i + 1])
        ends = pa0[parts][0], pa1[parts][-1], pb0[parts][0], pb1[parts][-1]
        assert ends == (a0[i], a1[i], b0[i], b1[i])
        assert (pa1[parts][:-1] <= pa0[parts][1:]).all()
        assert (pb1[parts][:-1] <= pb0[parts][1:]).all()
        if page_of(a0[i]) != page_of(b0[i]):
            gaps = (zip(pa1[parts], pa0[parts][1:], strict=False), zip(pb1[parts], pb0[parts][1:], strict=False))
            assert not any(holds_headline(*a) and holds_headline(*b) for a, b in zip(*gaps, strict=True))


@st.composite
def repeated_blocks(draw):
    """Pages of blocks that stand more than once, of 1 to 40 tokens, and links between equal runs of them."""
    sizes = draw(st.lists(st.sampled_from([1, 2, 5, 9, 40]), min_size=4, max_size=4))
    texts = draw(st.lists(st.integers(0, 3), min_size=2, max_size=16))
    block_first = np.cumsum([0, *(sizes[text] for text in texts)]).astype(np.int64)
    cut = draw(st.sampled_from([len(texts), len(texts) // 2]))
    page = [n >= cut for n in range(len(texts))]

    def equal_from(i, j):
        """Blocks in a row that are equal from two places on, on their pages and apart from each other."""
        n = 0
        while (j + n < len(texts) and i + n < j and page[i + n] == page[i] and page[j + n] == page[j]
               and texts[i + n] == texts[j + n]):
            n += 1
        return n
    links = []
    for i, j in itertools.combinations(range(len(texts)), 2):
        if run := draw(st.integers(0, equal_from(i, j))):
            links.append([int(block_first[at]) for at in (i, i + run, j, j + run)])
    cols = [np.array([link[n] for link in links], np.int64) for n in range(4)]
    page_first = np.unique([0, cut, len(texts)]).astype(np.int64)
    return (*cols, np.ones(len(links), np.uint8), block_first, 2 * np.diff(block_first), np.array(texts, np.uint64),
            np.zeros(len(texts), np.uint8), page_first, np.arange(len(page_first) - 1, dtype=np.uint64))


@given(problem=repeated_blocks())
def test_runs_that_equal_blocks_extend(problem):
    """Over gaps, but not into what a far longer link holds."""
    assert_same(*(module.join_links(*problem, 16, 0, 1000) for module in (native, reference)))


def last_page_first(problem):
    """The same blocks and links with the pages in reverse order, and what becomes of a link."""
    *cols, exact, block_first, halves, fingerprint, headline, page_first, digest = problem
    spans = list(itertools.pairwise(page_first.tolist()))
    blocks = np.concatenate([np.arange(*span) for span in reversed(spans)])
    page_tokens = block_first[page_first]
    shift = block_first[-1] - page_tokens[1:] - page_tokens[:-1]  # from the place before a page to the one behind it

    def page_of(token):
        return int(np.searchsorted(page_first, np.searchsorted(block_first, token, side="right") - 1, side="right")) - 1

    def there(row):
        (a0, a1), (b0, b1) = (tuple(x + int(shift[page_of(side[0])]) for x in side) for side in (row[:2], row[2:]))
        return (a0, a1, b0, b1) if page_of(row[0]) == page_of(row[2]) else (b0, b1, a0, a1)
    rows = [there(row) for row in zip(*(col.tolist() for col in cols), strict=True)]
    turned = [np.array([row[i] for row in rows], np.int64) for i in range(4)]
    firsts = (np.cumsum([0, *sizes]).astype(np.int64) for sizes in (np.diff(block_first)[blocks], np.diff(page_first)[::-1]))
    return (*turned, exact, next(firsts), halves[blocks], fingerprint[blocks], headline[blocks], next(firsts),
            digest[::-1].copy()), there


@given(problem=link_problems(2, across=True), max_edit=st.sampled_from([0, 16]))
@settings(max_examples=max(125, settings().max_examples))
def test_runs_are_the_same_in_any_order_of_pages(problem, max_edit):
    """Links that cross, too: which of two texts is first is up to their digests."""
    def runs(problem, there=lambda row: row):
        columns = [column.tolist() for column in native.join_links(*problem, max_edit, 0, 1000)]
        parts = [there(row) for row in zip(*columns[7:], strict=True)]
        cuts = itertools.pairwise(columns[6])
        return sorted((*there(row[:4]), *row[4:], parts[begin:end])
                      for row, (begin, end) in zip(zip(*columns[:6], strict=True), cuts, strict=True))
    other, there = last_page_first(problem)
    assert runs(problem, there) == runs(other)


@given(numbers=st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5), max_size=60))
def test_stable_order(numbers):
    key = np.array(numbers, np.uint64)
    assert native.stable_order(key).tolist() == sorted(range(len(numbers)), key=numbers.__getitem__)
    assert_array_equal(native.stable_order(key), reference.stable_order(key))


@given(values=st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 3), min_size=1, max_size=60),
       times=st.sampled_from([1, 90]))
def test_sets_of_many_elements(values, times):
    """Sorting by buckets has three sizes: few, some, and more than there are buckets."""
    turn = np.repeat(np.arange(times, dtype=np.uint64) << np.uint64(40), len(values))
    hashes = np.tile(np.array(values, np.uint64), times) + turn
    first = np.array([0, len(hashes)])
    assert_same(native.shingle_sets(hashes, first, 1), reference.shingle_sets(hashes, first, 1))


@st.composite
def places(draw, most: int = 14):
    """Distinct ranges, ascending."""
    pairs = draw(st.sets(st.tuples(st.integers(0, 30), st.integers(1, 6)), max_size=most))
    rows = sorted((begin, begin + length) for begin, length in pairs)
    return tuple(np.array([row[i] for row in rows], np.int64) for i in (0, 1))


@given(nodes=places(), most=st.integers(2, 6), draw=st.data())
def test_merge_apart(nodes, most, draw):
    t0, t1 = nodes
    component = np.arange(len(t0))
    for i in range(1, len(t0)):  # some components of places that do not overlap
        if draw.draw(st.booleans()):
            mine = [j for j in range(i) if component[j] == component[i - 1]]
            if all(t1[j] <= t0[i] for j in mine):
                component[i] = component[i - 1]
    ends = st.integers(0, max(len(t0) - 1, 0))
    links = draw.draw(st.lists(st.tuples(ends, ends), max_size=12)) if len(t0) else []
    a, b = (np.array([link[i] for link in links], np.int64) for i in (0, 1))
    mine = native.merge_apart(t0, t1, component, a, b, most)
    assert_array_equal(mine, reference.merge_apart(t0, t1, component, a, b, most))
    for c in np.unique(mine).tolist():
        rows = np.flatnonzero(mine == c)
        assert (t1[rows][:-1] <= t0[rows][1:]).all()
        assert rows[0] == c


@given(nodes=places(), draw=st.data())
def test_overlapping_nodes(nodes, draw):
    t0, t1 = nodes
    component = np.array([draw.draw(st.integers(0, min(i, 3))) for i in range(len(t0))], np.int64)
    mine = native.overlapping_nodes(component, t0, t1)
    assert_array_equal(mine, reference.overlapping_nodes(component, t0, t1))
    order = np.lexsort((t0, component))  # the same as between neighbours of a component
    follows = (component[order][1:] == component[order][:-1]) & (t0[order][1:] < t1[order][:-1])
    assert_array_equal(mine, np.sort(order[1:][follows]))


@given(groups=st.lists(places(4).filter(lambda rows: len(rows[0]) > 0), max_size=6), around=st.integers(1, 8), draw=st.data())
def test_implied_groups(groups, around, draw):
    first = np.cumsum([0, *(len(t0) for t0, _ in groups)]).astype(np.int64)
    t0, t1 = (np.concatenate([np.empty(0, np.int64), *(rows[i] for rows in groups)]) for i in (0, 1))
    number = np.array([draw.draw(st.integers(0, 4)) for _ in t0], np.int64)
    edges = [sorted(draw.draw(st.sets(st.integers(0, 40), max_size=6))) for _ in range(5)]
    gaps = [(n, *gap) for n, own in enumerate(edges) for gap in zip(own[::2], own[1::2], strict=False)]
    place, start, end = (np.array([gap[i] for gap in gaps], np.int64) for i in range(3))
    arguments = first, t0, t1, np.arange(len(groups)), around, number, place, start, end
    assert_array_equal(native.implied_groups(*arguments), reference.implied_groups(*arguments))


@given(lists=st.lists(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=5), max_size=5),
       number=st.lists(st.integers(0, 5) | st.sampled_from([-3, 2**62]), min_size=12, max_size=12), top=st.integers(0, 4),
       draw=st.data())
def test_heaviest(lists, number, top, draw):
    ranges = np.array([sorted(edges) for edges in itertools.chain.from_iterable(lists)], np.int64).reshape(-1, 2)
    start, end = np.ascontiguousarray(ranges[:, 0]), np.ascontiguousarray(ranges[:, 1])
    first = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    but = np.array([draw.draw(st.integers(0, 5)) for _ in lists], np.int64)
    weight = np.array([draw.draw(st.integers(1, 4)) for _ in start], np.int64)
    arguments = np.array(number, np.int64), start, end, weight, first, but, top
    count, most = native.heaviest(*arguments)
    for mine, twin in zip((count, most), reference.heaviest(*arguments), strict=True):
        assert_array_equal(mine, twin)
    for i, own in enumerate(lists):  # once more, by sorting
        each = zip(own, weight[first[i]:first[i + 1]].tolist(), strict=True)
        held = sorted(n for edges, w in each for n in number[slice(*sorted(edges))] * w if n != but[i])
        ranked = sorted(set(held), key=lambda n: (-held.count(n), n))
        assert count[i] == len(ranked)
        assert most[i * top:(i + 1) * top].tolist() == (ranked + [-1] * top)[:top]


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_heaviest_of_long_lists(seed):
    draw = np.random.default_rng(seed)
    number, edges = draw.geometric(0.0005, 40_000), np.arange(0, 40_001, 40)
    weight, first = draw.integers(1, 500, 1000), np.array([0, 10, 900, 900, 1000])
    arguments = number, edges[:-1], edges[1:], weight, first, draw.integers(0, 9, 4), 5
    for mine, twin in zip(native.heaviest(*arguments), reference.heaviest(*arguments), strict=True):
        assert_array_equal(mine, twin)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), most=st.sampled_from([300, 10**6]))
def test_implied_groups_of_many_places(seed, most):
    draw = np.random.default_rng(seed)
    t0 = np.sort(draw.integers(0, most, (300, 3)), axis=1).reshape(-1)
    t0[-1] += 10**9  # all others are in one bin
    number, none = np.arange(len(t0)), np.empty(0, np.int64)
    arguments = np.arange(0, len(t0) + 1, 3), t0, t0 + draw.integers(1, 60, len(t0)), np.arange(300), 64, number
    for gaps in ((none, none, none), (number, t0 + 5, t0 + draw.integers(6, 9, len(t0)))):
        assert_array_equal(native.implied_groups(*arguments, *gaps), reference.implied_groups(*arguments, *gaps))


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), ranges=st.sampled_from([1000, 60_000]))
def test_covered_by_many_ranges(seed, ranges):
    """So many that each bin they are put into is written more than once."""
    draw = np.random.default_rng(seed)
    owner = draw.integers(0, 50, ranges)
    start = owner * 10**6 + draw.integers(0, 10**6 - 100, ranges)
    end, chosen = start + draw.integers(0, 100, ranges), draw.integers(0, 8, ranges).astype(np.uint8)
    arguments = start, end, start // 2, end // 2, owner, chosen, 3, 50
    assert_array_equal(native.covered(*arguments), reference.covered(*arguments))
