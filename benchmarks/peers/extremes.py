"""Inputs of one pattern, a million times: ``python -m benchmarks.peers.extremes KIND PAGES -o FILE``.

========= ======================================================================================
identical one page of 40 words, again and again
footer    pages of 30 words of their own, drawn at random, below each of them the same 20 words
template  a page of 60 words, in which each page has three words of its own (numbers and a name)
========= ======================================================================================

The same kind and number give the same bytes; what is drawn comes from the corpus' invented language.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.corpus import STYLES, Words

BATCH = 10_000


def _identical(words: Words, count: int) -> Iterator[str]:
    text = _text(words, np.random.default_rng(1), 40)
    return (text for _ in range(count))


def _footer(words: Words, count: int) -> Iterator[str]:
    rng = np.random.default_rng(2)
    footer = _text(words, rng, 20)
    for first in range(0, count, BATCH):
        drawn = rng.integers(0, words.count, (BATCH, 30)) * STYLES
        for row in drawn[:count - first].tolist():
            yield "".join(map(words.written.__getitem__, row)).rstrip() + ".\\n" + footer


def _template(words: Words, count: int) -> Iterator[str]:
    rng = np.random.default_rng(3)
    parts = [_text(words, rng, size) for size in (20, 20, 17)]
    for first in range(0, count, BATCH):
        names = rng.integers(0, words.count, BATCH) * STYLES
        for number, name in enumerate(names[:count - first].tolist(), first):
            yield f"{parts[0]} {number} {parts[1]} {words.written[name]}{parts[2]} {number * 7919 % 1_000_003}"


KINDS: dict[str, Callable[[Words, int], Iterator[str]]] = {"identical": _identical, "footer": _footer, "template": _template}


def _text(words: Words, rng: np.random.Generator, count: int) -> str:
    return words.write(words.draw(rng, count) * STYLES)


def write(file: Path, kind: str, pages: int) -> None:
    """Write `pages` records of a kind as JSON lines."""
    with file.open("w", encoding="utf-8") as out:
        for number, text in enumerate(KINDS[kind](Words(0), pages)):
            out.write(f'{{"id": "p{number:07d}", "text": "{text}"}}\n')


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.extremes", description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("pages", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    write(asked.output, asked.kind, asked.pages)


if __name__ == "__main__":
    main()
