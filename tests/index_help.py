"""What tests of the index share: pages with planted copies, and findings in a form that can be compared."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from dedup.index.records import Packer, Record, page_records
from dedup.model import Page

WORDS = [f"{a}{b}{c}" for a in ("ka", "lo", "mi", "ru", "te") for b in ("ban", "dor", "fel", "gim", "hus")
         for c in ("a", "e", "io", "u")]


def points(few: int, many: int) -> Any:
    """So many seeds of a run, and so many of a soak."""
    return pytest.mark.parametrize("seed", [
        *range(few), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(few, many))])


def examples(few: int, many: int) -> int:
    """So many examples of a run, and so many of a soak, whose number for quick tests would take hours here."""
    return few if settings().max_examples < 1000 else many


def page_record(page: Page, packer: Packer, number: int = 4) -> Record:
    """A page as it is stored."""
    text = np.frombuffer(page.text.encode(), np.uint8)
    return page_records([page], text, np.array([0, len(text)]), number, packer, [b"12345678"])[0]


def sentence(random: random.Random, words: int) -> str:
    """Invented words."""
    return " ".join(random.choice(WORDS) for _ in range(words)).capitalize() + "."


def made_pages(seed: int, count: int, prefix: str = "p") -> list[dict[str, str]]:
    """Pages of which many share paragraphs, edited ones, passages across borders, or everything."""
    chance = random.Random(seed)
    pages: list[dict[str, str]] = []
    paragraphs = [sentence(chance, chance.randint(3, 40))]
    for number in range(count):
        blocks = []
        for _ in range(chance.randint(1, 6)):
            kind = chance.random()
            words = chance.choice(paragraphs).split()
            if kind < 0.25:
                blocks.append(" ".join(words))
            elif kind < 0.45:
                for _ in range(max(1, len(words) // 12)):
                    words[chance.randrange(len(words))] = chance.choice(WORDS)
                blocks.append(" ".join(words))
            elif kind < 0.6 and len(words) > 9:
                begin = chance.randrange(len(words) - 8)
                part = words[begin:begin + chance.randint(7, 14)]
                blocks.append(" ".join([sentence(chance, 5), *part, sentence(chance, 5)]))
            else:
                blocks.append(sentence(chance, chance.randint(3, 40)))
            paragraphs.append(blocks[-1])
        text = "\n".join(blocks)
        if pages and chance.random() < 0.15:
            text = chance.choice(pages)["text"]
        pages.append({"id": f"{prefix}{number}", "text": text})
    return pages


def groups_of(report: Any) -> set[frozenset[tuple[str, int, int, str]]]:
    """The groups of a report: places on both sides, whatever their order."""
    return {frozenset({("", 0, 0, group.kind), *((at.page, at.start, at.end, at.text) for at in group.occurrences)})
            for group in report.groups}


def in_parts(chance: random.Random, pages: Sequence[dict[str, str]]) -> list[list[dict[str, str]]]:
    """Pages in another order, in parts of any size."""
    order = list(pages)
    chance.shuffle(order)
    parts = []
    while order:
        size = chance.randint(1, max(1, len(order) // 2))
        parts.append(order[:size])
        order = order[size:]
    return parts
