"""The loops over places equal their plain twins; places in hostile text too."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from dedup.kernel import reference
from dedup.order import FEW, distinct_keys, in_order, order_of

native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the compiled kernel is not built, twins untested")

MARKS = [*".!?,;:)]}\"'…»”’›。！？、，；：）」』］】》〉", *"([{«“‘„‹¿¡（「『［【《〈"]
pieces = st.sampled_from([" ", "a", "bc", "é", "中", "ﬁ", "😀", "-", "-\n", "…."]) | st.sampled_from(MARKS)
texts = st.lists(pieces, max_size=30).map("".join)
keys = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5), max_size=40)


def corpus(blocks: list[str], gap: bytes = b"\n", flags: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Text, bytes of each block, first token of each."""
    encoded = [block.encode() for block in blocks]
    start = np.cumsum([0, *(len(block) + len(gap) for block in encoded)])[:-1].astype(np.int64)
    end = start + np.array([len(block) for block in encoded], np.int64)
    text = np.frombuffer(gap.join(encoded), np.uint8)
    return text, start, end, np.cumsum([0, *reference.count_tokens(text, start, end, flags)[0]]).astype(np.int64)


def both(name: str, *arguments: object) -> tuple[np.ndarray, ...]:
    """What both give, the same."""
    mine, theirs = (getattr(module, name)(*arguments) for module in (native, reference))
    mine, theirs = (out if isinstance(out, tuple) else (out,) for out in (mine, theirs))
    for x, y in zip(mine, theirs, strict=True):
        assert x.dtype == y.dtype
        assert_array_equal(x, y)
    return mine


def block_chars(text: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Code points before the edges of blocks."""
    chars = reference.code_points(text, np.stack([start, end], axis=1).reshape(-1)).reshape(-1, 2)
    return np.ascontiguousarray(chars[:, 0]), np.ascontiguousarray(chars[:, 1])


@given(blocks=st.lists(texts, min_size=1, max_size=6), flags=st.integers(0, 7), draw=st.data())
def test_ranges_of_tokens_have_the_same_bytes(blocks, flags, draw):
    text, start, end, token_first = corpus(blocks, flags=flags)
    tokens = int(token_first[-1])
    ends = st.tuples(st.integers(0, tokens), st.integers(0, tokens)).map(sorted).filter(lambda r: r[0] < r[1])
    rows = draw.draw(st.lists(ends, max_size=8)) if tokens else []
    t0, t1 = (np.array([row[i] for row in rows], np.int64) for i in (0, 1))
    columns = block_chars(text, start, end)
    first, last, begin, finish, *chars = both("locate", text, start, end, *columns, token_first, flags, t0, t1)
    assert ((start[first] <= begin) & (begin < finish) & (finish <= end[last])).all()
    for at, before in zip((begin, finish), chars, strict=True):
        order = np.argsort(at, kind="stable")
        assert_array_equal(before[order], reference.code_points(text, at[order]))
    halves = reference.count_tokens(text, start, end, flags)[1]
    before = np.cumsum([0, *halves]).astype(np.int64)
    both("range_halves", token_first, halves, before, t0, t1)
    both("range_halves", token_first, halves, before, np.array([0, tokens]), np.array([tokens, tokens]))


@given(blocks=st.lists(texts, min_size=1, max_size=6), times=st.sampled_from([1, 60]), draw=st.data())
def test_places_in_blocks_have_the_same_code_points(blocks, times, draw):
    """Long blocks are gone over in order, short ones from their start."""
    text, start, end, _ = corpus([block * times for block in blocks])
    block = np.array(draw.draw(st.lists(st.integers(0, len(blocks) - 1), max_size=20)), np.int64)
    position = np.array([draw.draw(st.integers(int(start[b]), int(end[b]))) for b in block], np.int64)
    out, = both("chars_at", text, start, end, *block_chars(text, start, end), block, position)
    order = np.argsort(position, kind="stable")
    assert_array_equal(out[order], reference.code_points(text, position[order]))


@given(blocks=st.lists(texts, min_size=1, max_size=6), flags=st.integers(0, 7), draw=st.data())
def test_spans_are_equal_part_by_part(blocks, flags, draw):
    text, start, end, _ = corpus([*blocks, blocks[0].upper()])
    parts = draw.draw(st.lists(st.lists(st.integers(0, len(blocks)), max_size=3), min_size=1, max_size=5))
    part = np.array([p for span in parts for p in span], np.int64)
    first = np.cumsum([0, *map(len, parts)]).astype(np.int64)
    a, b = np.indices((len(parts), len(parts))).reshape(2, -1)
    equal, = both("equal_spans", text, start[part], end[part], first, a.copy(), b.copy(), flags)
    words, begins = reference.normalise(text, start[part], end[part], flags)
    texts = [[words[x:y].tobytes() for x, y in itertools.pairwise(begins[f:g + 1])] for f, g in itertools.pairwise(first)]
    assert equal.tolist() == [texts[x] == texts[y] for x, y in zip(a, b, strict=True)]


@given(numbers=keys)
def test_distinct_keys(numbers):
    leader, number = both("distinct_keys", np.array(numbers, np.uint64))
    assert [numbers[i] for i in leader] == sorted(set(numbers))
    assert [numbers[leader[i]] for i in number] == numbers


@given(numbers=st.lists(st.integers(0, 2**50) | st.integers(0, 5), max_size=40))
def test_distinct_keys_in_order(numbers):
    key, below = np.array(numbers, np.uint64), max(len(numbers).bit_length(), 1)
    packed = np.sort(key << np.uint64(below) | np.arange(len(key), dtype=np.uint64))
    *found, distinct = both("distinct_in_order", packed, below)
    for mine, theirs in zip(found, both("distinct_keys", key), strict=True):
        assert_array_equal(mine, theirs)
    assert distinct.tolist() == sorted(set(numbers))


@pytest.mark.parametrize("module", [native, reference])
@pytest.mark.parametrize(("packed", "below"), [([1], 1), ([0, 3], 2), ([0], 0), ([0], 64)])
def test_rows_that_are_not_there_are_refused(module, packed, below):
    with pytest.raises(ValueError, match=r"below|not there"):
        module.distinct_in_order(np.array(packed, np.uint64), below)


@pytest.mark.parametrize("rows", [0, FEW - 1, FEW, 5 * FEW])
@pytest.mark.parametrize("most", [0, 3, 10**6, 2**40, 2**63])
def test_keys_are_put_into_order_by_numpy_or_by_the_kernel(rows, most):
    key = np.random.default_rng(rows).integers(0, most, rows, np.uint64, endpoint=True)
    for words in (key, np.sort(key)):
        assert_array_equal(order_of(words), np.argsort(words, kind="stable"))
        for mine, theirs in zip(distinct_keys(words), reference.distinct_keys(words), strict=True):
            assert mine.dtype == theirs.dtype
            assert_array_equal(mine, theirs)
    assert_array_equal(in_order((key >> np.uint64(1)).view(np.int64)), np.argsort(key >> np.uint64(1), kind="stable"))


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), rows=st.integers(33_000, 70_000), most=st.sampled_from([3, 70_000, 2**40, 2**63]),
       crowd=st.sampled_from([1, 0.001]))
def test_many_keys_are_put_into_bins_first(seed, rows, most, crowd):
    """Also where nearly all of them are in one bin."""
    draw = np.random.default_rng(seed)
    key = draw.integers(0, max(int(most * crowd), 1), rows, np.uint64)
    key[:2] = 0, most
    both("distinct_keys", key)
    order, = both("stable_order", key)
    assert_array_equal(order, np.argsort(key, kind="stable"))


@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 10**6))
def test_many_ends_in_few_blocks(seed):
    draw = np.random.default_rng(seed)
    words = np.array(["a", "(b)", "“ö”.", "中文!"])
    text, start, end, token_first = corpus([" ".join(words[draw.integers(0, len(words), 200)]) for _ in range(20)])
    t0 = draw.integers(0, token_first[-1], 20_000)
    t1 = np.minimum(t0 + draw.integers(1, 300, len(t0)), token_first[-1])
    both("locate", text, start, end, *block_chars(text, start, end), token_first, 0, t0, t1)


@given(counts=st.lists(st.integers(0, 4), min_size=1, max_size=8), draw=st.data())
def test_rows_of_ranges(counts, draw):
    first = np.cumsum([3, *counts]).astype(np.int64)
    ranges = np.array(draw.draw(st.lists(st.integers(0, len(counts) - 1), max_size=8)), np.int64)
    rows, begins = both("take_ranges", first, ranges)
    assert rows.tolist() == [row for r in ranges for row in range(first[r], first[r + 1])]
    assert begins[-1] == len(rows)


@given(ranges=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 9), st.integers(0, 7)), max_size=12),
       wide=st.sampled_from([1, 10**12]))
def test_a_point_is_covered_once(ranges, wide):
    owner, start, length, chosen = (np.array([row[i] for row in ranges], np.int64) for i in range(4))
    start += 100 * owner  # of each owner on its own
    out, = both("covered", start * wide, (start + length) * wide, start // 2, (start + length) // 2, owner,
                chosen.astype(np.uint8), 3, 3)
    for c in range(3):
        for o in range(3):
            rows = np.flatnonzero((owner == o) & (chosen >> c & 1 == 1))
            assert out[3 * c + o] == wide * len({p for r in rows for p in range(start[r], start[r] + length[r])})
            assert out[9 + 3 * c + o] == len({p for r in rows for p in range(start[r] // 2, (start[r] + length[r]) // 2)})


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), most=st.sampled_from([200, 10**5, 10**12]), far=st.booleans(), ascend=st.booleans())
def test_many_ranges_cover_a_point_once(seed, most, far, ascend):
    """So many that they are put into bins, most of them into one where some are far away."""
    draw = np.random.default_rng(seed)
    start = draw.integers(0, most, 2000)
    start[:2] += 10**13 * far
    if ascend:
        start.sort()
    end, owner = start + draw.integers(0, 50, len(start)), np.zeros(len(start), np.int64)
    both("covered", start, end, start // 2, end // 2, owner, draw.integers(0, 8, len(start)).astype(np.uint8), 3, 1)


def test_what_does_not_fit_is_said():
    text, start, end, token_first = corpus(["a b", "c"])
    row = np.array([0])
    for module in (native, reference):
        with pytest.raises(ValueError, match="holds none"):
            module.locate(text, start, end, start, end, token_first, 0, row, row)
        with pytest.raises(ValueError, match="not in its block"):
            module.chars_at(text, start, end, start, end, row, np.array([4]))


SENTENCE_PIECES = st.sampled_from(
    [" ", "\n", "a", "Bc", "Mr", "e.g", "12", "é", "中", "\x0b", "\x1f", "\xa0", *".!?\"')]}»”’」』）。！？(,"])


@given(blocks=st.lists(st.lists(SENTENCE_PIECES, max_size=30).map("".join), min_size=1, max_size=5))
def test_sentences_are_the_same_and_hold_all_but_blanks(blocks):
    text, start, end, _ = corpus(blocks)
    begins, ends, first = both("sentences", text, start, end)
    for i, block in enumerate(blocks):
        mine = [text[x:y].tobytes() for x, y in zip(begins[first[i]:first[i + 1]], ends[first[i]:first[i + 1]], strict=True)]
        blanks = b" \t\n\v\f\r"
        assert all(sentence and sentence.strip(blanks) == sentence for sentence in mine)
        assert b"".join(mine).translate(None, blanks) == block.encode().translate(None, blanks)


@given(size=st.integers(0, 2000), rnd=st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_code_points_of_long_stretches(size, rnd):
    """They are counted 255 bytes at a time: stretches around multiples of it, too."""
    text = np.frombuffer("".join(rnd.choice(["a", "é", "漢", "😀"]) for _ in range(size)).encode(), np.uint8)
    positions = np.sort(np.array([0, len(text), *(min(len(text), n) for n in (254, 255, 256, 509, 510, 511, 1275))]))
    assert_array_equal(native.code_points(text, positions), reference.code_points(text, positions))


@given(numbers=st.lists(st.integers(-2**62, 2**62) | st.integers(-3, 30), max_size=70),
       places=st.lists(st.integers(-2**63, 2**63 - 1) | st.integers(-4, 31), max_size=40))
def test_counts_up_to(numbers, places):
    """Also where numbers stand more than once, and between, before and behind all of them."""
    ascending = np.sort(np.array(numbers, np.int64))
    place = np.array([*places, *numbers], np.int64)
    assert_array_equal(native.counts_up_to(ascending, place), reference.counts_up_to(ascending, place))


owned = st.lists(st.tuples(st.integers(0, 3) | st.integers(0, 2**40), st.integers(0, 30) | st.integers(0, 2**40),
                           st.integers(0, 9)), max_size=30)


@given(rows=owned)
def test_ranges_apart_hold_each_point_of_an_owner_once(rows):
    owner, start, length = (np.array([row[i] for row in rows], np.int64) for i in range(3))
    owners, starts, ends = both("ranges_apart", owner, start, start + length)
    assert (ends > starts).all()
    held = [(o, i) for o, a, b in zip(owners.tolist(), starts.tolist(), ends.tolist(), strict=True) for i in range(a, b)]
    assert held == sorted({(o, i) for o, a, n in rows for i in range(a, a + n)})


@given(frames=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12),
       ranges=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 40)), max_size=12))
def test_lengths_inside_frames(frames, ranges):
    edges = np.cumsum(np.array(frames, np.int64).reshape(-1, 2).ravel())  # gap, length, gap, length
    start, length = (np.array([one[i] for one in ranges], np.int64) for i in range(2))
    asked = np.ascontiguousarray(edges[::2]), np.ascontiguousarray(edges[1::2]), start, start + length
    found = native.lengths_inside(*asked)
    assert_array_equal(found, reference.lengths_inside(*asked))
    inside = {i for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True) for i in range(a, b)}
    assert found.tolist() == [len(inside & set(range(a, a + n))) for a, n in ranges]


def test_frames_that_overlap_or_descend_are_refused():
    one = np.array([0, 3]), np.array([4, 6])
    with pytest.raises(ValueError, match="apart"):
        native.lengths_inside(*one, np.array([0]), np.array([1]))
    with pytest.raises(ValueError, match="equally long"):
        native.ranges_apart(np.array([0]), *one)


postings = st.lists(st.tuples(st.integers(0, 2**64 - 1) | st.integers(0, 5), st.integers(0, 2**32 - 1) | st.integers(7, 9),
                              st.integers(0, 2**32 - 1) | st.just(0)), min_size=1, max_size=40)


@given(rows=st.lists(st.tuples(st.integers(0, 5), st.integers(7, 9), st.integers(0, 2**32 - 1)), min_size=1, max_size=20),
       times=st.integers(1, 3), seed=st.integers(0, 2**32))
def test_postings_are_sorted_each_once(rows, times, seed):
    """By key, page and extra, in whatever order they come: of one key the places mostly ascend, but not always."""
    from dedup.index.segments import sorted_rows

    given_rows, chance = rows * times, random.Random(seed)
    chance.shuffle(given_rows)
    if chance.random() < 0.5:
        given_rows.sort(key=lambda row: row[1:])  # as of pages one after the other
    made = sorted_rows(*(np.array(column, kind) for column, kind in zip(zip(*given_rows, strict=True),
                                                                       (np.uint64, np.uint32, np.uint32), strict=True)))
    assert list(zip(made.key.tolist(), made.page.tolist(), made.extra.tolist(), strict=True)) == sorted(set(rows))


@given(rows=postings, asked=keys)
def test_keys_are_found_in_chunks(rows, asked):
    """All places of a key, and no others, however narrow the columns are."""
    from dedup.index.segments import pack_chunks, sorted_rows

    kept = sorted_rows(*(np.array(column, kind) for column, kind in zip(zip(*rows, strict=True),
                                                                        (np.uint64, np.uint32, np.uint32), strict=True)))
    chunks, _ = pack_chunks(kept, 1, 5)
    wanted = np.repeat(np.unique(np.array([*asked, *kept.key.tolist()], np.uint64)), len(chunks))
    chunk = np.tile(np.arange(len(chunks)), len(wanted) // len(chunks))
    begin = np.array([0, *(len(data) for data in chunks[:-1])], np.int64).cumsum()
    one_by_one = both("chunk_places", chunks, chunk << 40, wanted)
    hits, page, extra = both("chunk_places", [b"", bytearray(b"".join(chunks))], begin[chunk] | 1 << 40, wanted)
    for mine, theirs in zip((hits, page, extra), one_by_one, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    found = zip(np.repeat(wanted, hits).tolist(), page.tolist(), extra.tolist(), strict=True)
    assert list(found) == list(zip(kept.key.tolist(), kept.page.tolist(), kept.extra.tolist(), strict=True))


@given(fence=st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1), max_size=60), asked=keys, after=st.integers(0, 9),
       most=st.integers(1, 9))
def test_chunks_of_keys_are_found(fence, asked, after, most):
    """In directories where keys stand in many chunks, or in none."""
    ordered = np.sort(np.array([*fence, *fence[:1] * 12], np.uint64))
    asked = np.unique(np.array([*asked, *fence[::3]], np.uint64))
    owner, chunk, *_ = both("chunks_of_keys", ordered, asked, after, most)
    for key, number in zip(owner.tolist(), chunk.tolist(), strict=True):
        assert ordered[number] <= asked[key]
        assert number + 1 == len(ordered) or ordered[number + 1] >= asked[key]
    for module in (native, reference):
        with pytest.raises(ValueError, match="key must ascend"):
            module.chunks_of_keys(ordered, np.array([2, 1], np.uint64), 0, 1)
        for wrong in ((-1, 1), (0, 0)):
            with pytest.raises(ValueError, match="after must be"):
                module.chunks_of_keys(ordered, asked, *wrong)


@given(data=st.binary(max_size=60), widths=st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 5)),
       count=st.integers(0, 6), key=st.integers(0, 2**64 - 1))
def test_a_chunk_that_is_none_is_refused(data, widths, count, key):
    head = bytes(4) + count.to_bytes(2, "little") + bytes(widths)
    for chunk in (data, head + data, (head + data).ljust(30 + count * sum(widths), b"x")):
        refused = []
        for module in (native, reference):
            try:
                module.chunk_places([chunk], np.zeros(1, np.int64), np.array([key], np.uint64))
                refused.append("")
            except ValueError as error:
                refused.append(str(error))
        assert refused[0] == refused[1]
        assert refused[0] or len(chunk) >= 30 + int.from_bytes(chunk[4:6], "little") * sum(chunk[6:9])


@given(rows=postings, asked=keys, words=st.sampled_from([1, 2, 16, 64]), known=st.floats(0, 1))
def test_what_is_noted_of_chunks_never_hides_a_key_that_they_hold(rows, asked, words, known):
    """A chunk of which nothing was noted may hold all; of the others the keys they have pass, and hardly more."""
    from dedup.index import segments

    kept = segments.sorted_rows(*(np.array(column, kind) for column, kind in zip(
        zip(*rows, strict=True), (np.uint64, np.uint32, np.uint32), strict=True)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "CHUNK_BYTES", 80)
        chunks, sizes = segments.pack_chunks(kept, 1, 0)
    row = np.flatnonzero(np.random.default_rng(0).random(len(chunks)) <= known)
    absent = [np.zeros(len(chunks) * words, np.uint64) for _ in range(2)]
    for module, own in zip((native, reference), absent, strict=True):
        module.note_absent([chunks[i] for i in row.tolist()], row, own, words)
    assert_array_equal(*absent)
    wanted = np.concatenate([kept.key, np.array(asked, np.uint64)])
    chunk = np.concatenate([np.arange(len(chunks)).repeat(sizes), np.arange(len(asked)) % len(chunks)])
    may, = both("may_hold", absent[0], words, chunk, wanted)
    assert may[:len(kept.key)].all()
    assert may[~np.isin(chunk, row)].all()
    if words == 64 and known == 1 and len(asked) > 20:
        assert may[len(kept.key):].mean() < 0.5


def test_what_cannot_be_noted_is_refused():
    key, row, absent = np.zeros(1, np.uint64), np.zeros(1, np.int64), np.zeros(64, np.uint64)
    for module in (native, reference):
        for words in (0, 3, 128):
            with pytest.raises(ValueError, match="power of two"):
                module.may_hold(absent, words, row, key)
        for nth in (-1, 4):
            with pytest.raises(ValueError, match="row names"):
                module.may_hold(absent, 16, row + nth, key)
            with pytest.raises(ValueError, match="row names"):
                module.note_absent([b""], row + nth, absent, 16)
        with pytest.raises(ValueError, match="equally long"):
            module.may_hold(absent, 16, row, key[:0])
        with pytest.raises(ValueError, match="equally long"):
            module.note_absent([], row, absent, 16)
        with pytest.raises(ValueError, match="header"):
            module.note_absent([b"x"], row, absent, 16)
        assert not absent.any()


def damaged(chunks: list[bytes], numbers: np.ndarray) -> int:
    mine, theirs = (module.damaged_chunk(chunks, numbers) for module in (native, reference))
    assert mine == theirs
    return mine


@given(rows=postings, number=st.integers(0, 2**40), at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7),
       cut=st.integers(0, 3), other=st.integers(0, 3))
def test_a_chunk_that_changed_is_known(rows, number, at, bit, cut, other):
    """A bit that changed, bytes that are missing, and another chunk's place: each is told, and so is which chunk it is."""
    from dedup.errors import DamagedIndexError
    from dedup.index.segments import pack_chunks, sorted_rows, whole_chunk

    kept = sorted_rows(*(np.array(column, kind) for column, kind in zip(zip(*rows, strict=True),
                                                                        (np.uint64, np.uint32, np.uint32), strict=True)))
    chunks, _ = pack_chunks(kept, 1, number)
    numbers = np.arange(number, number + len(chunks))
    assert damaged(chunks, numbers) == -1
    place = int(at * len(chunks[-1]))
    flipped = bytearray(chunks[-1])
    flipped[place] ^= 1 << bit
    for chunk, own in ((bytes(flipped), number), (chunks[-1][:len(chunks[-1]) - cut], number), (chunks[-1], number + other)):
        same = chunk == chunks[-1] and own == number
        row = damaged([*chunks[:-1], chunk], np.append(numbers[:-1], own + len(chunks) - 1))
        assert row == (-1 if same else len(chunks) - 1)
        if not same:
            with pytest.raises(DamagedIndexError):
                whole_chunk(chunk, own + len(chunks) - 1)


@given(data=st.binary(max_size=60), count=st.integers(0, 3), widths=st.tuples(st.integers(0, 9), st.integers(0, 5),
                                                                              st.integers(0, 5)), number=st.integers(0, 3))
def test_what_has_a_right_checksum_may_be_no_chunk(data, count, widths, number):
    from dedup.index.segments import checksum

    body = count.to_bytes(2, "little") + bytes([*widths, 1]) + number.to_bytes(8, "little") + bytes(12)
    for made in (body, body + data, (body + data).ljust(26 + count * sum(widths), b"x")):
        damaged([checksum(made, b"chunk", number) + made], np.array([number]))


@given(texts=st.lists(st.lists(st.integers(0, 3) | st.integers(0, 2**32 - 1), max_size=14), max_size=5),
       size=st.integers(1, 6), window=st.integers(1, 5))
def test_landmarks(texts, size, window):
    """Also of texts that are shorter than a window, and of words that are all alike."""
    first, token = np.cumsum([0, *map(len, texts)]), np.array(list(itertools.chain(*texts)), np.uint32)
    _, at, _ = both("landmarks", token, first, size, window)
    for begin, end in itertools.pairwise(first.tolist()):
        for i in range(begin, end - size - window + 2):
            assert ((at >= i) & (at < i + window)).any()


def test_landmarks_are_of_what_is_there():
    for module in (native, reference):
        for first, size, window in (([], 1, 1), ([0, 2], 0, 1), ([0, 2], 1, 0)):
            with pytest.raises(ValueError, match=r"1 or more|one entry more"):
                module.landmarks(np.zeros(2, np.uint32), np.array(first, np.int64), size, window)


asked_for = st.lists(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 6), max_size=4), max_size=6)


@given(asked=asked_for, masks=st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 7), max_size=4),
       places=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**32 - 1) | st.integers(0, 6)), max_size=30))
def test_extras_that_agree(asked, masks, places):
    first, known = np.cumsum([0, *map(len, asked)]), np.array(list(itertools.chain(*asked)), np.uint32)
    own = sorted(place for place in places if place[0] < len(asked))
    key, extra = (np.array([place[i] for place in own], kind) for i, kind in enumerate((np.int64, np.uint32)))
    agrees, = both("extras_agree", first, known, key, extra, np.array(masks, np.uint32))
    assert agrees.tolist() == [any((one ^ value) & mask == 0 for one in asked[k] for mask in masks) for k, value in own]


@given(asked=asked_for,
       places=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**64 - 1) | st.integers(0, 3)), max_size=30))
def test_places_that_are_paired_twice(asked, places):
    """Also where nothing is asked for under a key, and where many are."""
    first, known = np.cumsum([0, *map(len, asked)]), np.array(list(itertools.chain(*asked)), np.uint64)
    own = [place for place in places if place[0] < len(asked)]
    key, place = (np.array([place[i] for place in own], kind) for i, kind in enumerate((np.int64, np.uint64)))
    both("paired_twice", first, known, key, place)


few = st.integers(0, 3)
postings = st.lists(st.tuples(few | st.integers(0, 2**64 - 1), few | st.integers(0, 2**32 - 1), few), max_size=60)


@given(rows=postings, size=st.integers(1, 20), level=st.integers(0, 255), number=st.integers(0, 2**62))
def test_postings_are_packed_and_unpacked(rows, size, level, number):
    """As chunks of any number of rows, and back: the same rows, and each chunk is whole."""
    rows.sort()
    columns = [np.array([row[i] for row in rows], kind) for i, kind in enumerate((np.uint64, np.uint32, np.uint32))]
    first = np.array([*range(0, len(rows), size), len(rows)] if rows else [0], np.int64)
    data, begin = both("packed_chunks", *columns, first, level, number)
    chunks = [data[a:b].tobytes() for a, b in itertools.pairwise(begin.tolist())]
    assert damaged(chunks, np.arange(number, number + len(chunks))) == -1
    for made, own in zip(both("chunk_rows", chunks), columns, strict=True):
        np.testing.assert_array_equal(made, own)
    assert all(chunk[9] == level for chunk in chunks)


def test_chunks_that_cannot_be_packed_or_unpacked():
    def of(key: list[int], first: list[int], level: int = 0, others: int = 0) -> tuple:
        columns = [np.zeros(others or len(key), np.uint32)] * 2
        return np.array(key, np.uint64), *columns, np.array(first, np.int64), level, 0
    for module in (native, reference):
        for arguments, message in ((of([1], [0, 1], others=2), "equally long"), (of([1], []), "one entry more"),
                                   (of([1], [0, 2]), "first"), (of([1], [1, 0]), "first"), (of([1], [-1, 1]), "first"),
                                   (of([1], [0, 0]), "1 to 65,535 rows"), (of([2, 1], [0, 2]), "key must ascend"),
                                   (of([1] * 65_536, [0, 65_536]), "1 to 65,535 rows"), (of([1], [0, 1], 256), "level")):
            with pytest.raises(ValueError, match=message):
                module.packed_chunks(*arguments)
        with pytest.raises(ValueError, match="header"):
            module.chunk_rows([b"x"])
    with pytest.raises(TypeError, match="bytes"):
        native.chunk_rows(["text"])


@given(rows=postings)
def test_rows_of_postings_are_in_their_order_each_once(rows):
    columns = [np.array([row[i] for row in rows], kind) for i, kind in enumerate((np.uint64, np.uint32, np.uint32))]
    made = both("sorted_rows", *columns)
    assert list(zip(*(column.tolist() for column in made), strict=True)) == sorted(set(rows))


@given(runs=st.lists(postings.map(sorted), max_size=6))
def test_rows_of_several_segments_are_merged(runs):
    """Some runs that ascend, one behind the other: few of them are merged, more are sorted."""
    rows = list(itertools.chain.from_iterable(runs))
    columns = [np.array([row[i] for row in rows], kind) for i, kind in enumerate((np.uint64, np.uint32, np.uint32))]
    made = both("sorted_rows", *columns)
    assert list(zip(*(column.tolist() for column in made), strict=True)) == sorted(set(rows))


@given(bands=st.integers(0, 4), places=st.lists(st.tuples(few | st.integers(0, 2**32 - 1), few), max_size=12), draw=st.data())
def test_rows_of_the_keys_of_bands(bands, places, draw):
    count = bands * len(places)
    keys = np.array(draw.draw(st.lists(few | st.integers(0, 2**32 - 1), min_size=count, max_size=count)), np.uint32)
    page, extra = (np.array([place[i] for place in places], np.uint32) for i in (0, 1))
    key, *_ = both("band_rows", keys, page, extra)
    assert set(key.tolist()) == {row // len(places) << 32 | own for row, own in enumerate(keys.tolist())}


def test_very_many_rows_of_bands():
    """So many that they are not put into order by comparing them."""
    some = np.random.default_rng(3)
    keys, page = some.integers(0, 900, 3 * 1500).astype(np.uint32), some.integers(0, 40, 1500).astype(np.uint32)
    both("band_rows", keys, page, some.integers(0, 4, 1500).astype(np.uint32))


def test_columns_of_postings_are_equally_long():
    one, two = np.zeros(1, np.uint32), np.zeros(2, np.uint32)
    for module in (native, reference):
        for arguments in ((np.zeros(2, np.uint64), one, two), (np.zeros(1, np.uint64), one, two)):
            with pytest.raises(ValueError, match="equally long"):
                module.sorted_rows(*arguments)
        with pytest.raises(ValueError, match="equally long"):
            module.band_rows(two, one, two)
        for keys, places in ((np.zeros(3, np.uint32), two), (one, one[:0])):
            with pytest.raises(ValueError, match="each band"):
                module.band_rows(keys, places, places)


def test_what_was_asked_for_is_described():
    for module in (native, reference):
        for function, kinds in (("extras_agree", (np.uint32, np.uint32)), ("paired_twice", (np.uint64, np.uint64))):
            masks = (np.zeros(1, np.uint32),) if function == "extras_agree" else ()
            for first, key, places, message in (([], [], 0, "one entry more"), ([0, 1], [0], 2, "one for each place"),
                                                ([0, 1], [1], 1, "does not exist")):
                with pytest.raises(ValueError, match=message):
                    getattr(module, function)(np.array(first, np.int64), np.zeros(1, kinds[0]), np.array(key, np.int64),
                                              np.zeros(places, kinds[1]), *masks)
        with pytest.raises(ValueError, match="equally long"):
            module.damaged_chunk([b"x"], np.zeros(2, np.int64))
    with pytest.raises(TypeError, match="bytes"):
        native.damaged_chunk(["text"], np.zeros(1, np.int64))


def test_chunks_are_bytes_and_there_is_each():
    for module in (native, reference):
        for buffers, place in (([], 0), ([b"x"], -1), ([b"x"], 2), ([b"x"], 1 << 40)):
            with pytest.raises(ValueError, match="does not exist"):
                module.chunk_places(buffers, np.array([place], np.int64), np.zeros(1, np.uint64))
    with pytest.raises(TypeError, match="bytes"):
        native.chunk_places(["text"], np.zeros(1, np.int64), np.zeros(1, np.uint64))
