"""Inputs beside the corpus: one pattern a million times, and a single page of HTML.

``python -m benchmarks.peers.inputs KIND PAGES -o FILE`` writes JSON lines:

========= ======================================================================================
identical one page of 40 words, again and again
footer    pages of 30 words of their own, drawn at random, below each of them the same 20 words
template  a page of 120 words, in which each page has three words of its own (numbers and a name): 0.83 alike
form      the same of 60 words: 0.67 alike, so that all pairs are near the threshold of pages, and below it
========= ======================================================================================

The same kind and number give the same bytes; what is drawn comes from the corpus' invented language.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.corpus import STYLES, Words, words_of

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


def _template(words: Words, count: int, length: int = 120) -> Iterator[str]:
    rng = np.random.default_rng(3)
    parts = [_text(words, rng, size) for size in (20, 20, length - 43)]
    for first in range(0, count, BATCH):
        names = rng.integers(0, words.count, BATCH) * STYLES
        for number, name in enumerate(names[:count - first].tolist(), first):
            yield f"{parts[0]} {number} {parts[1]} {words.written[name]}{parts[2]} {number * 7919 % 1_000_003}"


def _form(words: Words, count: int) -> Iterator[str]:
    return _template(words, count, 60)


KINDS: dict[str, Callable[[Words, int], Iterator[str]]] = {"identical": _identical, "footer": _footer,
                                                           "template": _template, "form": _form}


def _text(words: Words, rng: np.random.Generator, count: int) -> str:
    return words.write(words.draw(rng, count) * STYLES)


def write(file: Path, kind: str, pages: int) -> None:
    """Write `pages` records of a kind as JSON lines."""
    with file.open("w", encoding="utf-8") as out:
        for number, text in enumerate(KINDS[kind](words_of(0), pages)):
            out.write(f'{{"id": "p{number:07d}", "text": "{text}"}}\n')


def html(size: int) -> str:
    """An HTML page of about `size` bytes: a menu, articles with headings, lists and a table, the first article twice.

    >>> len(html(100_000)) // 1000
    100
    """
    words, rng = words_of(0), np.random.default_rng(4)
    menu = "".join(f'<li class="menu-item"><a href="/section/{i}">{_text(words, rng, 2)}</a></li>\n' for i in range(30))
    head = f"<!DOCTYPE html>\n<html><head><title>{_text(words, rng, 6)}</title></head>\n<body><nav><ul>\n{menu}</ul></nav>\n"
    foot = f"<footer><p>{_text(words, rng, 30)}</p></footer>\n</body></html>\n"
    first = _article(words, rng)
    articles, have = [first], len(head) + len(foot) + 2 * len(first)
    while have < size:
        articles.append(_article(words, rng)[:size - have])
        have += len(articles[-1])
    return head + "<main>" + "".join([*articles, first]) + "</main>" + foot


def _article(words: Words, rng: np.random.Generator) -> str:
    wrap = '<div class="row content-row" data-component="paragraph" data-tracking="body"><div class="col-12 col-md-8">'
    paragraphs = "".join(f'{wrap}<p class="text text--body">{_text(words, rng, int(count))}</p></div></div>\n'
                         for count in rng.integers(20, 121, 8))
    items = "".join(f'<li class="list-item list-item--plain">{_text(words, rng, 12)}</li>\n' for _ in range(6))
    rows = "".join(f"<tr><td>{_text(words, rng, 3)}</td><td>{rng.integers(1, 10_000)}</td></tr>\n" for _ in range(8))
    return (f'<article class="entry"><h2>{_text(words, rng, 6)}</h2>\n{paragraphs}<ul>\n{items}</ul>\n'
            f"<table>\n{rows}</table></article>\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.inputs", description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("pages", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    write(asked.output, asked.kind, asked.pages)


if __name__ == "__main__":
    main()
