"""Texts packed as blocks of the format of LZ4: runs of bytes as they are, and copies of what stands up to 64 kB before, in
the text or in a dictionary in front of it (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

REACH = 65535  # how far back a copy may begin
LEAST_COPY, LAST_RUN, LAST_COPY = 4, 5, 12  # of the format: the last ones from the end of the text
MOST_RATIO = 256  # a byte of a block makes no more than so many
HASH_BITS, TRIES = 15, 16  # places that a copy is looked for at


def pack_texts(text: U8, first: I64, dictionary: bytes) -> tuple[U8, I64]:
    """Blocks of texts that stand one after the other.

    Args:
        text: Bytes.
        first: First byte of each text, one longer than the texts.
        dictionary: What the texts have in common; its last 64 kB count.

    Returns:
        The blocks, and where each of them begins, one longer than the texts.
    """
    if len(text) >> 31:
        raise ValueError("text must be shorter than 2 GB")
    data, out, begin = text.tobytes(), bytearray(), [0]
    for start, end in pairwise(first.tolist()):
        out += _packed(dictionary[-REACH:], data[start:end])
        begin.append(len(out))
    return np.frombuffer(out, np.uint8), np.array(begin, np.int64)


def _packed(dictionary: bytes, text: bytes) -> bytes:
    """The block of a text: of the copies that begin at a place the longest and nearest one, unless a longer one begins behind
    the next byte."""
    data, out = dictionary + text, bytearray()
    places: dict[int, list[int]] = {}
    noted = 0

    def longest(at: int) -> tuple[int, int]:
        nonlocal noted
        for noted in range(noted, at):  # noqa: B020
            places.setdefault(_hash(data, noted), []).append(noted)
        noted = max(noted, at)
        best, most = (0, 0), len(data) - LAST_RUN - at
        for place in places.get(_hash(data, at), [])[:-TRIES - 1:-1]:
            if at - place > REACH:
                break
            size = next((size for size in range(most) if data[place + size] != data[at + size]), most)
            best = max(best, (size, place), key=lambda copy: copy[0])
        return best
    at = run = len(dictionary)
    last = len(data) - LAST_COPY if len(text) > LAST_COPY else -1
    while at <= last:
        size, place = longest(at)
        if size < LEAST_COPY:
            at += 1
            continue
        while at < last and (later := longest(at + 1))[0] > size:
            (size, place), at = later, at + 1
        out += _sequence(data[run:at], at - place, size)
        run = at = at + size
    return bytes(out + _sequence(data[run:], 0, 0))


def _hash(data: bytes, at: int) -> int:
    return (int.from_bytes(data[at:at + 4], "little") * 2654435761 & 0xFFFFFFFF) >> 32 - HASH_BITS


def _sequence(run: bytes, back: int, size: int) -> bytes:
    """A run of bytes, and the copy behind it, where there is one."""
    more = size - LEAST_COPY if size else 0
    head = bytes([min(len(run), 15) << 4 | min(more, 15)]) + _more(len(run)) + run
    return head + back.to_bytes(2, "little") + _more(more) if size else head


def _more(length: int) -> bytes:
    """What follows a length of 15."""
    return bytes([*[255] * ((length - 15) // 255), (length - 15) % 255]) if length >= 15 else b""


def unpack_texts(packed: list[bytes], size: I64, dictionary: bytes) -> tuple[U8, int]:
    """Texts of blocks, one after the other.

    Args:
        packed: Blocks of ``pack_texts``.
        size: Bytes of each text.
        dictionary: That they were packed with.

    Returns:
        The texts, and the first block that is not one of a text of its size: a row, -1 where there is none. Of no texts, if
        there is one.
    """
    if len(packed) != len(size):
        raise ValueError("packed and size must be equally long")
    texts = []
    for row, (block, bytes_) in enumerate(zip(packed, size.tolist(), strict=True)):
        text = _unpacked(block, dictionary[-REACH:]) if 0 <= bytes_ // MOST_RATIO <= len(block) else None
        if text is None or len(text) != bytes_:
            return np.empty(0, np.uint8), row
        texts.append(text)
    return np.frombuffer(b"".join(texts), np.uint8), -1


def _unpacked(block: bytes, dictionary: bytes) -> bytes | None:
    """The text of a block; ``None`` where it is none."""
    out, at = bytearray(dictionary), 0
    try:
        while True:
            lengths, at = block[at], at + 1
            run, at = _length(block, at, lengths >> 4)
            if at + run > len(block):
                return None
            out += block[at:at + run]
            at += run
            if at == len(block):
                return bytes(out[len(dictionary):])
            back = block[at] | block[at + 1] << 8
            size, at = _length(block, at + 2, lengths & 15)
            if not 0 < back <= len(out):
                return None
            for _ in range(size + LEAST_COPY):
                out.append(out[-back])
    except IndexError:
        return None


def _length(block: bytes, at: int, length: int) -> tuple[int, int]:
    """A length, with what follows one of 15, and where that ends."""
    if length == 15:
        while True:
            length, at = length + block[at], at + 1
            if block[at - 1] != 255:
                break
    return length, at
