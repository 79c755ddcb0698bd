"""Whatever was done to an index, it answers as a scan of the pages that it holds: a model beside it, and checks between."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from index_help import WORDS, groups_of, points, sentence

import dedup
from dedup.index import Index, rebuild

pytestmark = pytest.mark.slow
BLOCK, ALL = ("block", "passage"), ("page", "block", "passage")
FAR = {"min_evidence": 1e6}  # no edited passages, which an index looks for in fewer pages than a scan
CASES: list[tuple[Literal["block", "page"], tuple[str, ...], dict[str, Any]]] = [
    ("block", ALL, {"find": "exact"}), ("block", BLOCK, {"find": "exact"}), ("block", BLOCK, FAR),
    ("block", BLOCK, FAR | {"min_tokens": 3}), ("block", BLOCK, FAR | {"threshold": 0.7}),
    ("block", BLOCK, FAR | {"threshold": 0.9}),
    ("block", ALL, {"find": "exact", "min_tokens": 4}), ("block", BLOCK, {"find": "exact", "min_tokens": 2}),
    ("block", BLOCK, {"find": "exact", "min_tokens": 12}), ("block", BLOCK, {"find": "exact", "fold_accents": True}),
    ("block", BLOCK, {"find": "exact", "seed": 7}),
    ("page", ("page",), {}), ("page", ("page", "passage"), {"find": "exact"}), ("page", ("page",), {"threshold": 0.4}),
    ("page", ("page",), {"threshold": 0.95, "min_tokens": 3}), ("page", ("page",), {"seed": 7})]
HAN = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏閏餘成歲律呂調陽雲騰致雨露結爲霜"
ODD = ["Thumbnail", "", "\t", "x", "a\ud800b lone surrogates stand between these words of mine", "1 2 3 4 5 6 7 8 9 10",
       "la la la la la la la la la la la la", "Ünïcödé STRASSE straße ﬁ ligature and some more words here"]


@dataclass
class Author:
    """Writes pages that share blocks, edited ones and parts of them with what was written before."""

    chance: random.Random
    blocks: list[str] = field(default_factory=lambda: list(ODD))

    def block(self) -> str:
        """One block."""
        chance, kind = self.chance, self.chance.random()
        words = chance.choice(self.blocks).split()
        if kind < 0.3:
            return chance.choice(self.blocks)
        if kind < 0.45 and words:
            for _ in range(max(1, len(words) // chance.choice([4, 8, 12]))):
                words[chance.randrange(len(words))] = chance.choice(WORDS)
            return " ".join(words)
        if kind < 0.65 and len(words) > 9:
            begin = chance.randrange(len(words) - 8)
            part = words[begin:begin + chance.randint(6, 16)]
            return " ".join([sentence(chance, chance.randint(1, 6)), *part, sentence(chance, chance.randint(1, 6))])
        new = sentence(chance, chance.randint(2, 40)) if kind < 0.9 else "".join(chance.choices(HAN, k=chance.randint(3, 60)))
        self.blocks.append(new)
        return new

    def pages(self, count: int, prefix: str) -> list[dict[str, str]]:
        """Some pages."""
        made: list[dict[str, str]] = []
        for number in range(count):
            text = "\n".join(self.block() for _ in range(self.chance.randint(0, 7)))
            again = made and self.chance.random() < 0.15
            made.append({"id": f"{prefix}{number}", "text": self.chance.choice(made)["text"] if again else text})
        return made


def lived(index: Index, place: Any, model: dict[str, str], author: Author) -> Index:
    """Something that happens to an index, and to its model."""
    chance = author.chance
    kind = chance.random()
    if kind < 0.6:
        new = author.pages(chance.randint(1, 12), f"p{chance.randint(0, 3)}")
        index.add(new, threads=1)
        model.update((page["id"], page["text"]) for page in new)
    elif kind < 0.75 and model:
        gone = chance.sample(sorted(model), chance.randint(1, max(1, len(model) // 2)))
        assert index.remove([*gone, "nobody"]) == len(gone)
        for id_ in gone:
            del model[id_]
    elif kind < 0.85:
        index.compact()
    elif kind < 0.93 or not isinstance(place, Path):
        index.close()
        return Index.open(place)
    else:
        assert rebuild(place, place.with_name("new")).ok
        index.close()
        place.with_name("new").replace(place)
        return Index.open(place)
    return index


def plain(groups: set[Any]) -> set[Any]:
    """Groups in which a stored page has its own id also where a page that is checked has the same."""
    return {frozenset((page.removeprefix("reference/"), *place) for page, *place in group) for group in groups}


def checked(index: Index, model: dict[str, str], author: Author, unit: Any, options: dict[str, Any]) -> None:
    """Ask an index for some pages, perhaps put them in, and ask a scan for the same."""
    chance = author.chance
    asked = author.pages(chance.randint(1, 4), chance.choice(["p0", "q"]))
    own, add = chance.random() < 0.3, chance.random() < 0.3
    ids = {page["id"] for page in asked} if own else set()
    stored = [{"id": id_, "text": model[id_]} for id_ in sorted(model) if id_ not in ids]
    expected = groups_of(dedup.scan(asked, against=stored, unit=unit, threads=1, **options)) if stored else set()
    report = index.check(asked, unit=unit, except_own=own, add=add, threads=1)
    assert plain(groups_of(report)) == plain(expected)
    assert not report.skipped
    if add:
        model.update((page["id"], page["text"]) for page in asked)


def assert_that_answers_are_those_of_a_scan(place: Any, seed: int) -> None:
    author, model = Author(random.Random(seed)), dict[str, str]()
    unit, levels, options = CASES[seed % len(CASES)]
    index = Index.create(place, levels=levels, **options)
    for _ in range(author.chance.randint(4, 10)):
        index = lived(index, place, model, author)
        checked(index, model, author, unit, options)
        assert {page.id: page.text for page in index.pages()} == model
    verified = index.verify(threads=1)
    index.close()
    assert verified.ok, verified.problems


@points(8, 400)
def test_answers_are_those_of_a_scan_whatever_was_done(seed: int, tmp_path: Path) -> None:
    assert_that_answers_are_those_of_a_scan(tmp_path / "i.dedup", seed)


@points(4, 200)
def test_answers_of_an_index_in_redis_are_those_of_a_scan(seed: int, redis_server: str) -> None:
    assert_that_answers_are_those_of_a_scan(f"{redis_server}?name=history{seed}", 5000 + seed)
