"""Pages of one template are not compared with each other for edited passages: their group says what they have in common."""

from __future__ import annotations

import numpy as np
import pytest

import dedup.align
import dedup.anchors
import dedup.families
from benchmarks.corpus import words_of
from benchmarks.peers.inputs import KINDS
from dedup import Page, scan
from dedup.families import Families
from dedup.seeds import Repeats
from tests.scan_help import needs_speed


def words(rng: np.random.Generator, count: int, kinds: int = 3000) -> list[str]:
    drawn = rng.integers(0, kinds, count).tolist()
    return [f"{chr(97 + n % 23)}{chr(97 + n // 23 % 23)}{chr(97 + n // 529)}word{n}" for n in drawn]


def template(pages: int, names: int = 60, length: int = 60) -> list[Page]:
    """Pages of one template, each with a name of so many, so that more pages have more of each name."""
    rng = np.random.default_rng(5)
    head, tail, known = words(rng, length // 2), words(rng, length - length // 2), words(rng, names, 12_000)
    return [Page(f"p{i}", " ".join([*head, known[int(rng.integers(names))], *tail, f"number{i}"])) for i in range(pages)]


def forms(pages: int) -> list[Page]:
    """Those of the benchmark: of 60 words three are a page's own."""
    return [Page(f"p{i}", text) for i, text in enumerate(KINDS["form"](words_of(0), pages))]


def edited(text: str, rng: np.random.Generator, share: float = 0.1) -> str:
    new = iter(words(rng, 10_000))
    return " ".join(next(new) if rng.random() < share else word for word in text.split())


def without_families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dedup.families, "page_families",
                        lambda engine, corpus, links, size: Families(np.full(len(corpus.pages), -1)))


class Work:
    """Pairs of pages that are aligned, and places of seeds that are compared, of the last scan."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pairs = self.places = 0
        align, afford = dedup.align.align_pairs, dedup.anchors._affordable

        def align_pairs(engine, bags, anchors, *rest):
            self.pairs = len(anchors.page_a)
            return align(engine, bags, anchors, *rest)

        def affordable(counts, budget):
            sizes = np.arange(len(counts))
            self.places = int((counts * (sizes * (sizes - 1) // 2)).sum())
            return afford(counts, budget)
        monkeypatch.setattr(dedup.align, "align_pairs", align_pairs)
        monkeypatch.setattr(dedup.anchors, "_affordable", affordable)

    def of(self, pages: list[Page]) -> tuple[float, float]:
        scan(pages, threads=1)
        return self.pairs / len(pages), self.places / len(pages)


@needs_speed
def test_four_times_the_pages_of_a_template_are_no_more_comparisons_a_page(monkeypatch):
    work, (few, many) = Work(monkeypatch), (forms(4000), forms(16_000))
    assert max(*work.of(few), *work.of(many)) < 0.05
    without_families(monkeypatch)
    assert all(more > 3 * less > 0 for less, more in zip(work.of(few), work.of(many), strict=True))  # else


@needs_speed
def test_the_report_of_many_pages_is_the_same_without_families(monkeypatch):
    work, rng, pages = Work(monkeypatch), np.random.default_rng(3), forms(2000)
    pages += [Page(f"q{i}", " ".join([*words(rng, 30), edited(page.text, rng, 0.15), *words(rng, 30)]))
              for i, page in enumerate(pages[:200:20])]
    found = scan(pages)
    few = work.pairs
    without_families(monkeypatch)
    assert found.to_json() == scan(pages).to_json()
    assert few < work.pairs / 2


@needs_speed
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (1, 2))])
@pytest.mark.parametrize("settings", [{}, {"scope": "across"}, {"find": "reworded"}, {"noise": "ocr"}], ids=str)
def test_the_report_is_the_same_without_families(seed, settings, monkeypatch):
    rng = np.random.default_rng(seed)
    pages = [*template(80, 20), *(Page(f"q{i}", page.text) for i, page in enumerate(template(90, 20, 44)))]
    texts = [pages[int(rng.integers(len(pages)))].text for _ in range(12)]
    around = [" ".join([*words(rng, 30), edited(text, rng), *words(rng, 30)]) for text in texts]
    twice = [f"{text}\n\n{edited(text, rng)}" for text in texts[:4]]
    copies = [*texts[:3], *around[:3]]
    pages += [Page(f"r{i}", text) for i, text in enumerate([*around, *twice, *copies, " ".join(words(rng, 70))])]
    pages = [pages[i] for i in rng.permutation(len(pages))]
    found = scan(pages, pairs=True, **settings)
    without_families(monkeypatch)
    assert found.to_json() == scan(pages, pairs=True, **settings).to_json()
    assert {group.kind for group in found.groups} >= {"near"}


def test_a_passage_that_a_page_outside_took_from_one_of_the_family_is_found():
    pages, rng = template(100), np.random.default_rng(1)
    quoted = " ".join([*words(rng, 40), edited(pages[50].text, rng, 0.15), *words(rng, 40)])
    report = scan([*pages, Page("other", quoted)])
    assert any(place.page == "other" for group in report.groups if group.kind != "exact" for place in group.occurrences)


def test_pages_of_one_family_are_not_apart_but_a_page_and_itself_are():
    families = Families(np.array([0, 0, -1, -1, 4, 0]))
    a, b = np.array([0, 1, 1, 2, 2, 4, 4]), np.array([5, 5, 1, 3, 2, 5, 1])
    assert families.apart(a, b).tolist() == [False, False, True, True, True, True, True]


def test_seeds_go_that_stand_on_closed_pages_of_one_family_only():
    page_first = np.arange(6) * 100
    families = Families(np.array([0, 0, 0, -1, 0]))
    none = np.zeros(1, np.int64)
    repeats = Repeats(np.array([10]), np.array([310]), np.array([20]), none, none[:0], none[:0])
    closed = families.closed(repeats, page_first)
    assert closed.tolist() == [False, True, True, False, True]  # page 0 has a match with page 3
    seeds = [[10, 110], [120, 220, 420], [130, 330], [140, 145], [150, 250]]
    position, first = np.concatenate(seeds).astype(np.uint32), np.cumsum([0, *map(len, seeds)])
    left, begins = families.without_said(position, first, page_first, closed)
    kept = [part.tolist() for part in np.split(left, begins[1:-1])]
    assert kept == [[10, 110], [130, 330], [140, 145]]
