"""Texts packed in the format of LZ4 come back; the loops equal their plain twins, on damaged blocks too."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.kernel import reference
from dedup.kernel.twin_packed import MOST_RATIO, REACH

native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the compiled kernel is not built, twins untested")

pieces = st.sampled_from([b"a", b"the ", b"index of pages ", b"\xff\x00", b"x" * 30, b"ab" * 200]) | st.binary(max_size=20)
texts = st.lists(pieces, max_size=30).map(b"".join)


def columns(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    return np.frombuffer(b"".join(texts), np.uint8), np.array([0, *itertools.accumulate(map(len, texts))], np.int64)


def packed(texts: list[bytes], dictionary: bytes) -> list[bytes]:
    """The blocks of texts, which both make alike."""
    blocks, begin = native.pack_texts(*columns(texts), dictionary)
    theirs = reference.pack_texts(*columns(texts), dictionary)
    assert (blocks.tobytes(), begin.tolist()) == (theirs[0].tobytes(), theirs[1].tolist())
    return [blocks[a:b].tobytes() for a, b in itertools.pairwise(begin)]


def unpacked(blocks: list[bytes], sizes: list[int], dictionary: bytes) -> bytes | int:
    """Texts of blocks, or the one that is none."""
    (mine, damaged), theirs = (module.unpack_texts(blocks, np.array(sizes, np.int64), dictionary)
                               for module in (native, reference))
    assert (mine.tobytes(), damaged) == (theirs[0].tobytes(), theirs[1])
    return mine.tobytes() if damaged < 0 else damaged


@given(some=st.lists(texts, max_size=5), dictionary=texts)
def test_texts_come_back(some, dictionary):
    blocks = packed(some, dictionary)
    assert unpacked(blocks, list(map(len, some)), dictionary) == b"".join(some)
    for text, block in zip(some, blocks, strict=True):
        assert len(block) <= len(text) + len(text) // 255 + 2


@given(text=texts, dictionary=texts,
       changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=3),
       cut=st.integers(0, 3), size=st.integers(-2, 2))
def test_of_a_damaged_block_nothing_is_read_or_written_that_there_is_not(text, dictionary, changes, cut, size):
    block = bytearray(packed([text], dictionary)[0])
    for at, value in changes:
        block[int(at * len(block))] = value
    unpacked([bytes(block[:len(block) - cut])], [len(text) + size], dictionary)


@given(block=st.binary(max_size=40), size=st.integers(0, 600), dictionary=st.binary(max_size=20))
def test_no_block_is_trusted(block, size, dictionary):
    unpacked([block], [size], dictionary)


def test_what_texts_have_in_common_is_stored_once():
    """In the text and in the dictionary, as far as copies reach; a copy begins where the longest one begins."""
    some = random.Random(3)
    words = [bytes(some.choices(range(256), k=9)) for _ in range(60)]
    dictionary = b"".join(words)
    assert len(packed([dictionary], dictionary)[0]) < 30
    assert len(packed([dictionary], b"")[0]) > len(dictionary)
    assert len(packed([words[0] * 1000], b"")[0]) < 60
    far = dictionary + bytes(REACH - len(dictionary))
    noise = bytes(some.choices(range(256), k=100))
    assert len(packed([dictionary + noise], far)[0]) < 140  # all of it is in reach
    assert len(packed([dictionary + noise], far + noise)[0]) > len(dictionary) - 120  # of another one the beginning is not
    later = b"bcdefghijklm"
    assert len(packed([b"abcdefghijklm, so"], b"abcd " + later)[0]) < len(packed([b"abcdefghijklm, so"], b"abcd ")[0])


def test_a_block_says_no_more_than_it_can_and_fits_its_size():
    block = packed([b"x" * 5000], b"")[0]
    assert unpacked([block], [5000], b"") == b"x" * 5000
    assert unpacked([block, block], [5000, 5001], b"") == 1
    assert unpacked([block], [-1], b"") == 0
    assert unpacked([block], [MOST_RATIO * (len(block) + 1)], b"") == 0
    assert native.unpack_texts([block], np.array([2**60]), b"")[1] == 0  # no memory is taken for it
    assert unpacked([], [], b"") == b""
    for module in (native, reference):
        with pytest.raises(ValueError, match="equally long"):
            module.unpack_texts([b""], np.zeros(2, np.int64), b"")
    with pytest.raises(TypeError, match="bytes"):
        native.unpack_texts(["text"], np.zeros(1, np.int64), b"")
