"""What the tests of the pipeline share: invented text, and what holds for every report."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from dedup.corpus import token_flags
from dedup.kernel import kernel
from dedup.model import Group, Occurrence
from dedup.report import Report
from dedup.verify import normalised

NATIVE = kernel.name == "native"
needs_speed = pytest.mark.skipif(not NATIVE, reason="LOUD: too slow on the plain twin, which is held equal elsewhere")


def words(count: int, seed: int = 0, vocabulary: int = 5000) -> list[str]:
    """Invented words of a seed; those of different seeds share no run of words but by chance."""
    rng = np.random.default_rng([seed, 77])
    return [f"w{n}" for n in rng.integers(0, vocabulary, count).tolist()]


def prose(count: int, seed: int = 0) -> str:
    """One paragraph of invented words."""
    return " ".join(words(count, seed)) + "."


def edited(text: str, places: Iterable[int], mark: str = "x") -> str:
    """The text with the words at some places replaced by others, unlike any other word."""
    tokens = text.split(" ")
    for n in places:
        tokens[n] = f"{mark}{n}y"
    return " ".join(tokens)


def lines(*blocks: str) -> str:
    """Blocks one under the other, with blank lines between."""
    return "\n\n".join(blocks)


def texts_of(group: Group) -> list[str]:
    return [o.text for o in group.occurrences]


def places_of(report: Report) -> list[list[tuple[str, int, int]]]:
    """Page, start and end of every occurrence, group by group, in no order of groups."""
    return sorted([(o.page, o.start, o.end) for o in group.occurrences] for group in report.groups)


def stretches(occurrence: Occurrence) -> list[tuple[int, int]]:
    """The matched stretches of an occurrence: all of it where nothing was left out."""
    return list(occurrence.parts or [(occurrence.start, occurrence.end)])


def matched(occurrence: Occurrence) -> list[str]:
    """The texts of an occurrence's matched stretches."""
    return [occurrence.text[a - occurrence.start:b - occurrence.start] for a, b in stretches(occurrence)]


def covered(report: Report, page: str) -> set[int]:
    """Characters of a page that lie in the matched stretches of any occurrence."""
    return {i for group in report.groups for o in group.occurrences if o.page == page
            for a, b in stretches(o) for i in range(a, b)}


def around(text: str, seed: int) -> str:
    """The text between so much other text that nothing else in the block is alike."""
    return f"{prose(40, 500_000 + seed)} before{seed} {text} after{seed} {prose(40, 900_000 + seed)}"


def verdicts(report: Report, kind: str) -> list[str]:
    return [v.text for page in report.pages for v in page.verdicts if v.kind == kind]


def assert_sound(report: Report, texts: Mapping[str, str] | Sequence[str]) -> None:
    """What every report of every input promises: accounting, offsets, and members that are what their group says."""
    pages = dict(texts) if isinstance(texts, Mapping) else {str(i): text for i, text in enumerate(texts)}
    summary = report.summary
    assert summary.blocks == summary.compared + summary.short
    assert summary.pages == len(report.pages) == len(pages)
    assert summary.skipped == sum(entry.count for entry in report.skipped)
    assert summary.groups == len(report.groups)
    assert summary.chars == sum(page.chars for page in report.pages) == sum(map(len, pages.values()))
    assert summary.duplicate_chars == sum(page.duplicate_chars for page in report.pages)
    assert 0 <= summary.content_share <= summary.duplicate_share <= 1
    assert [page.id for page in report.pages] == list(pages)
    order = {name: n for n, name in enumerate(pages)}
    assert len({tuple((o.page, o.start, o.end, o.parts) for o in g.occurrences) for g in report.groups}) == len(report.groups)
    again = {name: bytearray(len(text)) for name, text in pages.items()}
    for number, group in enumerate(report.groups):
        assert group.id == number
        assert_group(group, pages, order, token_flags(report.options))
        for occurrence in group.occurrences[1:]:
            for a, b in stretches(occurrence):
                again[occurrence.page][a:b] = b"\1" * (b - a)
    for page in report.pages:
        assert page.duplicate_chars == sum(again[page.id])
        assert 0 <= page.within_share <= 1
        assert 0 <= page.across_share <= 1
    places = [(p.a.page, p.a.start, p.a.end, p.b.page, p.b.start, p.b.end) for p in report.pairs()]
    assert len(set(places)) == len(places), "a pair is listed twice"
    for pair in report.pairs():
        assert (order[pair.a.page], pair.a.start) < (order[pair.b.page], pair.b.start)
        for o in (pair.a, pair.b):
            assert o.text == pages[o.page][o.start:o.end]


def assert_group(group: Group, pages: Mapping[str, str], order: Mapping[str, int], flags: int = 0) -> None:
    """A group's occurrences: in order, apart, cut back, and equal where it is exact."""
    members = group.occurrences
    assert len(members) >= 2
    assert group.text == members[group.representative].text
    assert members[group.representative].similarity == 1
    assert group.similarity == min(o.similarity for o in members)
    keys = [(order[o.page], o.start, o.end) for o in members]
    assert keys == sorted(keys)
    for x, y in itertools.pairwise(members):
        assert x.page != y.page or x.end <= y.start, "occurrences of a group overlap"
    for o in members:
        assert 0 <= o.start < o.end <= len(pages[o.page])
        assert o.text == pages[o.page][o.start:o.end]
        for measure in (o.similarity, o.jaccard, o.containment, o.indel_similarity):
            assert 0 <= measure <= 1
        parts = stretches(o)
        assert parts[0][0] == o.start
        assert parts[-1][1] == o.end
        assert all(a < b for a, b in parts)
        assert all(x[1] <= y[0] for x, y in itertools.pairwise(parts))
    if group.kind != "near":
        once = {" ".join(normalised(part, flags) for part in matched(o)) for o in members if o.copies == 1}
        assert len(once) == 1
        text = once.pop().replace(" ", "")
        assert all(normalised(o.text, flags).replace(" ", "") == text * o.copies for o in members if o.copies > 1)
        assert group.similarity == 1.0
    assert (group.period is None) == (group.count == len(members))


def scan_texts(texts: Any, **settings: Any) -> Report:
    """A scan whose report was checked."""
    from dedup import scan

    named = [{"id": name, "text": text} for name, text in texts.items()] if isinstance(texts, Mapping) else None
    report = scan(list(texts) if named is None else named, **settings)
    assert_sound(report, texts)
    return report
