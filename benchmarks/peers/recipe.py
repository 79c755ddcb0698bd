"""What the recipes of the peers share: JSON lines in, groups of ids out, and words and shingles as their users make them.

A recipe is run as ``python -P -m benchmarks.peers.NAME IN OUT`` in the peers' environment. All of them find pairs with 128
minima in 16 bands of 8, of sets of word 5-grams, at a Jaccard similarity of at least 0.8, and join what is alike.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import orjson

from benchmarks.peers.joined import Links, groups

HASHES, BANDS, ROWS, SIZE, THRESHOLD, SEED = 128, 16, 8, 5, 0.8, 42
_find_words = re.compile(r"\w+").findall


def run(links: Callable[[list[str]], Links]) -> None:
    """Read the texts of ``argv[1]``, have them linked (by their numbers), write groups of ids to ``argv[2]``."""
    ids, texts = read(Path(sys.argv[1]))
    write(Path(sys.argv[2]), ids, groups(len(ids), links(texts)))


def read(file: Path) -> tuple[list[str], list[str]]:
    """Ids and texts of a file of JSON lines."""
    ids, texts = [], []
    with file.open("rb") as lines:
        for line in lines:
            record = orjson.loads(line)
            ids.append(record["id"])
            texts.append(record["text"])
    return ids, texts


def words(text: str) -> list[str]:
    return _find_words(text.lower())


def shingles(text: str) -> Iterator[str]:
    """The word 5-grams of a text; of a shorter one all its words."""
    found = words(text)
    if len(found) < SIZE:
        return iter([" ".join(found)])
    return map(" ".join, zip(found, found[1:], found[2:], found[3:], found[4:], strict=False))


def write(file: Path, ids: list[str], found: Iterable[Iterable[int]]) -> None:
    """One group a line: a JSON list of ids."""
    file.write_bytes(b"".join(orjson.dumps([ids[i] for i in group]) + b"\n" for group in found))
