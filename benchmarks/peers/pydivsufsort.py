"""pydivsufsort: a suffix array of all texts and its LCP; what stands twice, 100 characters and longer, as spans.

It says that a stretch stands elsewhere too, not where: with which other place it pairs is not asked for here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from pydivsufsort import divsufsort, kasai

from benchmarks.peers.passages import MIN_CHARS, write_spans
from benchmarks.peers.recipe import read


def main() -> None:
    ids, texts = read(Path(sys.argv[1]))
    parts = [text.encode() for text in texts]
    data = np.frombuffer(bytearray(b"\0".join(parts)), np.uint8)  # it wants to be able to write
    suffixes = divsufsort(data)
    covered = repeated(len(data), suffixes, kasai(data, suffixes))
    characters = np.cumsum((data & 0xC0) != 0x80, dtype=np.int64)
    first = np.cumsum([0] + [len(part) + 1 for part in parts[:-1]])
    write_spans(Path(sys.argv[2]), ids, [_spans(covered[start:start + len(part)], characters[start:start + len(part)])
                                         for start, part in zip(first.tolist(), parts, strict=True)])


def repeated(size: int, suffixes: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Which bytes lie in a stretch that stands twice; `common` is what a suffix shares with the next one in order."""
    longest = np.maximum(common[:size], np.append(0, common[:size - 1]))
    reach = np.zeros(size, np.int64)
    long = longest >= MIN_CHARS
    reach[suffixes[long]] = suffixes[long] + longest[long].astype(np.int64)
    return np.maximum.accumulate(reach) > np.arange(size)


def _spans(covered: np.ndarray, characters: np.ndarray) -> list[list[int]]:
    """Stretches of covered bytes as code points of the text."""
    edges = np.flatnonzero(np.diff(covered.astype(np.int8), prepend=0, append=0))
    if not len(edges):
        return []
    offset = np.append(characters, characters[-1] + 1) - characters[0]
    return offset[edges].reshape(-1, 2).tolist()


if __name__ == "__main__":
    main()
