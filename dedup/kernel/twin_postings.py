"""Plain twin of ``postings.hpp``: keys looked up in chunks of postings, which ``dedup/index/segments.py`` packs."""

from __future__ import annotations

import itertools
import struct
import zlib
from collections import Counter

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

LANDMARK_BITS = 40  # of a key
BESIDE_WORDS, BESIDE_BITS = 3, 5  # on each side of a landmark, and of each of them
BEGIN_BITS = 40  # of the place of a chunk: its first byte in its buffer
MULTIPLIER = 0x9E3779B97F4A7C15
HEADER = struct.Struct("<xxxxHBBBxxxxxxxxxQI")  # rows, widths of keys, pages and extras, least key, least page


def chunks_of_keys(fence: U64, key: U64, after: int, most: int) -> tuple[I64, I64, I64, I64, I64]:
    """The chunks that keys may stand in.

    Args:
        fence: First key of each chunk, ascending: a segment's directory, which is not looked at whole.
        key: They ascend.
        after: Chunks of each key that are passed over.
        most: Chunks of a key that are named, 1 or more.

    Returns:
        (key and chunk of each look; keys that may stand in more chunks, the first one of each that is named, and the last one
        that there is).
    """
    if (key[1:] < key[:-1]).any():
        raise ValueError("key must ascend")
    if after < 0 or most < 1:
        raise ValueError("after must be 0 or more, most 1 or more")
    low = np.maximum(fence.searchsorted(key) - 1, 0) + after
    high = fence.searchsorted(key, "right") - 1
    spans = np.maximum(high - low + 1, 0)
    shown = np.minimum(spans, most)
    owner = np.arange(len(key)).repeat(shown)
    chunk = (low - (shown.cumsum() - shown)).repeat(shown) + np.arange(shown.sum())
    longer = (spans > most).nonzero()[0]
    return owner, chunk, longer, low[longer], high[longer]


def chunk_places(buffers: list[bytes | bytearray], place: I64, key: U64) -> tuple[I64, U32, U32]:
    """Places of keys, each of which is looked up in one chunk.

    Args:
        buffers: They hold chunks as they are stored, their checksums right.
        place, key: Which chunk each look goes to (the number of its buffer, and in the lower ``BEGIN_BITS`` bits where it
            begins there), and what for.

    Returns:
        (hits, page, extra): places that each look found; their pages and extras, look by look.

    Raises:
        ValueError: A chunk is not as long as its header says.
    """
    if len(place) != len(key):
        raise ValueError("place and key must be equally long")
    chunks = []
    for at in place.tolist():
        number, begin = at >> BEGIN_BITS, at & (1 << BEGIN_BITS) - 1
        if at < 0 or number >= len(buffers) or begin > len(buffers[number]):
            raise ValueError("place names what does not exist")
        chunks.append(rows_of_chunk(bytes(buffers[number][begin:])))
    hits, found = [], []
    for chunk, wanted in zip(chunks, key.tolist(), strict=True):
        places = [(page, extra) for own, page, extra in chunk if own == wanted]
        hits.append(len(places))
        found += places
    page, extra = zip(*found, strict=True) if found else ((), ())
    return np.array(hits, np.int64), np.array(page, np.uint32), np.array(extra, np.uint32)


def rows_of_chunk(data: bytes) -> list[tuple[int, int, int]]:
    """Key, page and extra of each row."""
    if len(data) < HEADER.size:
        raise ValueError("chunks: one is shorter than a header")
    count, *widths, key, page = HEADER.unpack_from(data)
    if widths[0] > 8 or widths[1] > 4 or widths[2] > 4 or len(data) < HEADER.size + count * sum(widths):
        raise ValueError("chunks: one is not as long as its header says")
    columns, at = [], HEADER.size
    for width, least in zip(widths, (key, page, 0), strict=True):
        edges = range(at, at + count * width + 1, width) if width else [at] * (count + 1)
        columns.append([least + int.from_bytes(data[a:b], "little") for a, b in itertools.pairwise(edges)])
        at += count * width
    return [(own & (1 << 64) - 1, of & (1 << 32) - 1, extra) for own, of, extra in zip(*columns, strict=True)]


def chunk_rows(chunks: list[bytes]) -> tuple[U64, U32, U32]:
    """Key, page and extra of all rows of some chunks, whose checksums are right.

    Raises:
        ValueError: A chunk is not as long as its header says.
    """
    rows = list(itertools.chain.from_iterable(map(rows_of_chunk, chunks)))
    key, page, extra = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(key, np.uint64), np.array(page, np.uint32), np.array(extra, np.uint32)


def packed_chunks(key: U64, page: U32, extra: U32, first: I64, level: int, number: int) -> tuple[U8, I64]:
    """Rows of postings as chunks.

    Args:
        key, page, extra: Of each row; keys ascend.
        first: First row of each chunk, one longer than the chunks; each has 1 to 65,535 rows.
        level: Of the segment, 0 to 255.
        number: Of the first chunk; those of the others follow.

    Returns:
        (data, begin): the chunks, one after the other, and where each begins, one longer than the chunks.
    """
    if not len(key) == len(page) == len(extra):
        raise ValueError("key, page and extra must be equally long")
    if not len(first):
        raise ValueError("first: one entry more than there are ranges is needed")
    if first[0] < 0 or (first[1:] < first[:-1]).any() or first[-1] > len(key):
        raise ValueError("first must ascend within the rows")
    if not 0 <= level <= 255:
        raise ValueError("level must be 0 to 255")
    chunks = [_packed_chunk(key[a:b].tolist(), page[a:b].tolist(), extra[a:b].tolist(), level, own)
              for own, (a, b) in enumerate(itertools.pairwise(first.tolist()), number)]
    return np.frombuffer(b"".join(chunks), np.uint8), np.cumsum([0, *map(len, chunks)])


def _packed_chunk(key: list[int], page: list[int], extra: list[int], level: int, number: int) -> bytes:
    """A chunk: its header, then the columns, each as narrow as its largest number."""
    if not 1 <= len(key) <= 65_535:
        raise ValueError("first: a chunk has 1 to 65,535 rows")
    if sorted(key) != key:
        raise ValueError("key must ascend")
    least = min(page)
    columns = [own - key[0] for own in key], [own - least for own in page], extra
    widths = [(max(column).bit_length() + 7) // 8 for column in columns]
    head = struct.pack("<HBBBBQQI", len(key), *widths, level, number, key[0], least)
    body = head + b"".join(value.to_bytes(width, "little")
                           for column, width in zip(columns, widths, strict=True) for value in column)
    return zlib.crc32(body, zlib.crc32(b"chunk %d" % number)).to_bytes(4, "little") + body


def landmarks(token: U32, page_first: I64, size: int, window: int) -> tuple[U64, I64, U32]:
    """Landmarks of texts that stand one after the other: of each window of runs of words the one with the least hash.

    Source: Schleimer, Wilkerson, Aiken, "Winnowing", SIGMOD 2003.

    Args:
        token: Hashes of words.
        page_first: First word of each text, one longer than the texts.
        size, window: Words of a run, and runs that follow each other of which one is kept: the first of equal ones.

    Returns:
        (key, at, beside), ascending by `at`: 40 bits of hash; the first word; five bits each of the three words before it,
        from the nearest on, and of the three behind the run, 0 where the text ends.
    """
    if not len(page_first):
        raise ValueError("first: one entry more than there are ranges is needed")
    if size < 1 or window < 1:
        raise ValueError("size and window must be 1 or more")
    rows = []
    for begin, end in itertools.pairwise(page_first.tolist()):
        words = token[begin:end].tolist()
        keys = [_landmark_key(words[at:at + size]) for at in range(len(words) - size + 1)]
        kept = {min(range(i, i + window), key=keys.__getitem__) for i in range(len(keys) - window + 1)}
        rows += [(keys[at], begin + at, _words_beside(words, at, size)) for at in sorted(kept)]
    key, at, beside = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(key, np.uint64), np.array(at, np.int64), np.array(beside, np.uint32)


def _landmark_key(words: list[int]) -> int:
    value = 0
    for word in words:
        value = (value * MULTIPLIER + word) & (1 << 64) - 1
    return ((value ^ value >> 32) * MULTIPLIER & (1 << 64) - 1) >> 64 - LANDMARK_BITS


def _words_beside(words: list[int], at: int, size: int) -> int:
    places = [at - 1 - nth for nth in range(BESIDE_WORDS)] + [at + size + nth for nth in range(BESIDE_WORDS)]
    return sum((words[place] & (1 << BESIDE_BITS) - 1) << BESIDE_BITS * i
               for i, place in enumerate(places) if 0 <= place < len(words))


def damaged_chunk(chunks: list[bytes], number: I64) -> int:
    """The first of some chunks that is not what was stored under its number: a row, -1 where there is none."""
    if len(chunks) != len(number):
        raise ValueError("chunks and number must be equally long")
    whole = [_is_whole(data, own) for data, own in zip(chunks, number.tolist(), strict=True)]
    return whole.index(False) if False in whole else -1


def _is_whole(data: bytes, number: int) -> bool:
    """Whether a chunk has rows, its own number and the checksum that has the number in it."""
    try:
        rows_of_chunk(data)
    except ValueError:
        return False
    check = zlib.crc32(data[4:], zlib.crc32(b"chunk %d" % number))
    own, rows = int.from_bytes(data[10:18], "little"), int.from_bytes(data[4:6], "little")
    as_long = len(data) == HEADER.size + rows * sum(data[6:9])
    return as_long and rows > 0 and own == number and int.from_bytes(data[:4], "little") == check


def sorted_rows(key: U64, page: U32, extra: U32) -> tuple[U64, U32, U32]:
    """Rows of postings in the order of their keys, then of their pages and extras, each once."""
    if not len(key) == len(page) == len(extra):
        raise ValueError("key, page and extra must be equally long")
    rows = sorted(set(zip(key.tolist(), page.tolist(), extra.tolist(), strict=True)))
    keys, pages, extras = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(keys, np.uint64), np.array(pages, np.uint32), np.array(extras, np.uint32)


def band_rows(keys: U32, page: U32, extra: U32) -> tuple[U64, U32, U32]:
    """``sorted_rows`` of the keys of bands, each with its band above its 32 bits: equal keys of two bands are two.

    Args:
        keys: Of all sets, band after band.
        page, extra: Of each set.
    """
    if len(page) != len(extra):
        raise ValueError("page and extra must be equally long")
    if len(keys) % len(page) if len(page) else len(keys):
        raise ValueError("keys: one of each set is needed for each band")
    bands = len(keys) // len(page) if len(page) else 0
    band = np.arange(bands, dtype=np.uint64).repeat(len(page)) << np.uint64(32)
    return sorted_rows(keys | band, np.tile(page, bands), np.tile(extra, bands))


def extras_agree(first: I64, asked: U32, key: I64, extra: U32, masks: U32) -> U8:
    """Whether extras of places agree, in the bits of one mask, with an extra that was asked for under the same key, 0 or 1.

    Args:
        first, asked: Extras that were asked for; those of key k are ``asked[first[k]:first[k + 1]]``.
        key, extra: Of each place, ascending by key.
    """
    _check_asked(first, asked, key, extra)
    known = {(k, mask, int(value) & mask) for k, (begin, end) in enumerate(itertools.pairwise(first.tolist()))
             for value in asked[begin:end] for mask in masks.tolist()}
    agrees = [any((k, mask, value & mask) in known for mask in masks.tolist())
              for k, value in zip(key.tolist(), extra.tolist(), strict=True)]
    return np.array(agrees, np.uint8)


def paired_twice(first: I64, asked: U64, key: I64, place: U64) -> U8:
    """Which places make, with something asked for under the same key, a pair that stands there twice, 0 or 1.

    Args:
        first, asked: What was asked for; under key k ``asked[first[k]:first[k + 1]]``.
        key, place: Of each place.
    """
    _check_asked(first, asked, key, place)
    pairs = [[(one, other) for one in asked[first[k]:first[k + 1]].tolist()]
             for k, other in zip(key.tolist(), place.tolist(), strict=True)]
    times = Counter(itertools.chain.from_iterable(pairs))
    return np.array([any(times[pair] > 1 for pair in own) for own in pairs], np.uint8)


def _check_asked(first: I64, asked: U32 | U64, key: I64, places: U32 | U64) -> None:
    if not len(first):
        raise ValueError("first: one entry more than there are ranges is needed")
    if len(key) != len(places):
        raise ValueError("key: one for each place is needed")
    if len(key) and not 0 <= key.min() <= key.max() < len(first) - 1:
        raise ValueError("key names what does not exist")
