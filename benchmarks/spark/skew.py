"""A corpus in which few texts are most rows: ``python -m benchmarks.spark.skew --size 200MB -o FILE``.

======= ======================================================================
share   rows
======= ======================================================================
30 %    near-copies of one page: of its words, one in 100 is another one
30 %    that page, again and again
30 %    pages of their own with the same block of 60 words below
the rest pages of their own
======= ======================================================================

All have 400 words; the kinds come mixed. An id begins with its kind. The same seed gives the same bytes, a smaller corpus is
the beginning of a larger one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.corpus import STYLES, Words, parse_size

KINDS, CHANCES = ("near", "same", "block", "own"), (0.3, 0.3, 0.3, 0.1)
LENGTH, BLOCK, EDITED, BATCH = 400, 60, 0.01, 1024


def lines(seed: int = 0) -> Iterator[str]:
    """The records, without an end."""
    words, rng = Words(seed), np.random.default_rng([seed, 7])
    page, block = (words.draw(rng, size) * STYLES for size in (LENGTH, BLOCK))
    number = 0
    while True:
        drawn = words.draw(rng, BATCH * LENGTH).reshape(BATCH, LENGTH) * STYLES
        edited = np.where(rng.random((BATCH, LENGTH)) < EDITED, drawn, page)
        for kind, own, near in zip(rng.choice(len(KINDS), BATCH, p=CHANCES).tolist(), drawn, edited, strict=True):
            text = words.write((near, page, own, own)[kind])
            below = f"\\n{words.write(block)}" if KINDS[kind] == "block" else ""
            yield f'{{"id": "{KINDS[kind]}-{number:08d}", "text": "{text}{below}"}}\n'
            number += 1


def write(file: Path, size: int, seed: int = 0) -> None:
    """Write records of at least `size` bytes."""
    written = 0
    with file.open("wb") as out:
        for line in lines(seed):
            if written >= size:
                return
            out.write(line.encode())
            written += len(line.encode())


def planned(groups: list[list[str]], counts: dict[str, int]) -> dict[str, float]:
    """The share of near-copies, and of equal pages, that the largest group of them holds; and of the others in any group.

    Args:
        groups: Of ids.
        counts: Rows of each kind.
    """
    def most(kind: str) -> int:
        return max((sum(name.startswith(kind) for name in group) for group in groups), default=0)
    alone = sum(name.startswith(("block", "own")) for group in groups for name in group)
    return {"near": most("near") / counts["near"], "same": most("same") / counts["same"],
            "others": alone / (counts["block"] + counts["own"])}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark.skew", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=parse_size, default=parse_size("200MB"))
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    write(asked.output, asked.size)


if __name__ == "__main__":
    main()
