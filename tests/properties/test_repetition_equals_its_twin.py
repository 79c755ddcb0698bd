"""The repetition counts of the compiled kernel are those of its plain twin, and both count as corpus builders do."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernel import kernel, reference

native = pytest.importorskip("dedup.kernel._kernel", reason="the kernel is not built")

# Few words and lines, so that they repeat; all that the tokeniser treats specially; anything.
few = st.lists(st.sampled_from(["a", "b", "É", "中", "½", "\n", "\n\n", " \t\n", "\r\n", ".", "it's", "\ud800"]), max_size=80)
some = st.one_of(few.map(" ".join), few.map("".join), st.text(max_size=60), st.sampled_from(["", "\n", "x y " * 90]))
pages = st.lists(some.map(lambda text: text.encode("utf-8", "surrogatepass")), max_size=4)
anything = st.lists(st.binary(max_size=60), max_size=3)


def columns(texts: list[bytes]) -> tuple[np.ndarray[Any, Any], ...]:
    end = np.cumsum([len(text) for text in texts], dtype=np.int64)
    sizes = np.array([len(text) for text in texts], np.int64)
    return np.frombuffer(bytearray(b"".join(texts)), np.uint8), end - sizes, end


def counts(text: str, flags: int = 0) -> list[int]:
    found: list[int] = kernel.repetition_counts(*columns([text.encode()]), flags).tolist()
    return found


@given(st.one_of(pages, anything), st.integers(0, 3))
def test_repetition_counts_are_equal(texts: list[bytes], flags: int) -> None:
    mine, twin = (module.repetition_counts(*columns(texts), flags) for module in (native, reference))
    assert mine.dtype == twin.dtype
    np.testing.assert_array_equal(mine, twin)
    assert len(mine) == 18 * len(texts)


@given(st.integers(0, 2**32), st.integers(2, 60), st.integers(1, 3000))
def test_repetition_counts_are_equal_on_long_pages(seed: int, words: int, length: int) -> None:
    numbers = np.random.default_rng(seed).zipf(1.3, length) % words
    text = " ".join(f"w{n}" for n in numbers.tolist()).encode()
    np.testing.assert_array_equal(native.repetition_counts(*columns([text, text[::-1]])),
                                  reference.repetition_counts(*columns([text, text[::-1]])))


@pytest.mark.parametrize("module", [native, reference])
def test_ranges_that_are_not_there_are_refused(module: Any) -> None:
    with pytest.raises(ValueError, match="range 0 is not within 0 to 3"):
        module.repetition_counts(np.zeros(3, np.uint8), np.array([0]), np.array([4]))
    with pytest.raises(ValueError, match="flags: 1 folds accents"):
        module.repetition_counts(np.zeros(3, np.uint8), np.array([0]), np.array([3]), 8)


# As datatrove counts (its gopher_repetition_filter), written from its description: of lines and paragraphs those seen
# before; of n-grams the most frequent one's length times its count, and those seen before, going on behind each.


def seen_before(pieces: list[str]) -> tuple[int, int]:
    later = [piece for i, piece in enumerate(pieces) if piece in pieces[:i]]
    return len(later), sum(map(len, later))


def top_gram_lengths(words: list[str], n: int) -> set[int]:
    """Of each n-gram that no other exceeds in number: its length times its count."""
    count = Counter(tuple(words[i:i + n]) for i in range(len(words) - n + 1))
    most = max(count.values(), default=0)
    return {sum(map(len, gram)) * most for gram, times in count.items() if times == most}


def repeated_gram_length(words: list[str], n: int) -> int:
    known: set[tuple[str, ...]] = set()
    at = total = 0
    while at < len(words) - n + 1:
        gram = tuple(words[at:at + n])
        if gram in known:
            total += len("".join(gram))
            at += n
        else:
            known.add(gram)
            at += 1
    return total


plain = st.lists(st.lists(st.sampled_from(["ab", "cd", "efg", "h", "ijkl", "m"]), min_size=1, max_size=12).map(" ".join),
                 min_size=1, max_size=12)


@given(plain, st.sampled_from(["\n", "\n\n"]))
def test_lines_and_paragraphs_are_counted_as_datatrove_counts_them(lines: list[str], between: str) -> None:
    text = between.join(lines)
    found = counts(text)
    pieces = re.split(r"\n+", text)
    assert found[:4] == [len(pieces), seen_before(pieces)[0], sum(map(len, pieces)), seen_before(pieces)[1]]
    pieces = re.split(r"\n{2,}", text)
    assert found[4:8] == [len(pieces), seen_before(pieces)[0], sum(map(len, pieces)), seen_before(pieces)[1]]


@given(plain)
def test_runs_of_words_are_counted_as_datatrove_counts_n_grams(lines: list[str]) -> None:
    text = "\n".join(lines)
    words = text.split()
    found = counts(text)
    assert found[8] == sum(map(len, words))
    for n, top in zip(range(2, 5), found[9:12], strict=True):
        grams = [tuple(words[i:i + n]) for i in range(len(words) - n + 1)]
        if max(Counter(grams).values(), default=0) < 2:
            assert top == 0  # theirs is the length of any one: nothing repeats here
        elif not any(grams[i] in grams[i + 1:i + n] for i in range(len(grams))):
            assert top == max(top_gram_lengths(words, n))
        else:
            assert top <= max(top_gram_lengths(words, n))  # places that overlap: each character once
    assert found[12:] == [repeated_gram_length(words, n) for n in range(5, 11)]


def test_a_page_that_stands_twice_is_repeated_by_half() -> None:
    words = " ".join(f"w{i}" for i in range(40))
    found = counts(f"{words}\n\n{words}")
    assert found[:4] == [2, 1, 2 * len(words), len(words)]
    assert found[4:8] == found[:4]
    assert all(2 * repeated == found[8] for n, repeated in zip(range(5, 11), found[12:], strict=True) if 40 % n == 0)


@given(some)
def test_no_part_is_greater_than_the_whole(text: str) -> None:
    found = kernel.repetition_counts(*columns([text.encode("utf-8", "surrogatepass")])).tolist()
    assert found[1] <= found[0]
    assert found[3] <= found[2]
    assert found[5] <= found[4]
    assert found[7] <= found[6]
    assert max(found[9:]) <= found[8]
