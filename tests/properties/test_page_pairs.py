"""``scope``, ``against`` and ``between`` against brute force: what stands on pages that pair is found, and nothing else."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup import scan
from dedup.model import Occurrence
from dedup.page_pairs import PagePairs
from dedup.report import Report
from tests.scan_help import assert_group, covered, edited, needs_speed, stretches, words

GRAM = 8
PASSAGES = [words(size, 9_000 + n, 100_000) for n, size in enumerate((8, 9, 12, 20, 31))]


@dataclass(frozen=True)
class Case:
    """Pages, which of them are references, and what they are asked for."""

    texts: tuple[str, ...]
    reference: tuple[bool, ...]
    value: tuple[str | None, ...]
    against: bool
    between: bool
    scope: str = "both"

    def allows(self, i: int, j: int) -> bool:
        """The plain rule."""
        if self.scope == "within":
            return i == j
        if self.scope == "across" and i == j:
            return False
        if self.against and self.reference[i] == self.reference[j]:
            return False
        return not self.between or (None not in (self.value[i], self.value[j]) and self.value[i] != self.value[j])

    def scan(self, **options: Any) -> Report:
        records = [{"id": str(i), "text": text, "year": value}
                   for i, (text, value) in enumerate(zip(self.texts, self.value, strict=True))]
        sides: dict[bool, list[Any]] = {False: [], True: []}
        for record, reference in zip(records, self.reference, strict=True):
            sides[reference and self.against].append(record)
        asked = {"against": sides[True]} if self.against else {}
        report = scan(sides[False], scope=self.scope, between="year" if self.between else None, **asked, **options)
        assert_counted(report, self)
        return report


def assert_counted(report: Report, case: Case) -> None:
    """What every filtered report promises."""
    pages = {page.id: case.texts[int(page.id)] for page in report.pages}
    order = {name: n for n, name in enumerate(pages)}
    references = [page for page in report.pages if page.reference]
    assert report.pages[:len(references)] == references
    assert [int(page.id) for page in references] == [i for i, side in enumerate(case.reference) if side and case.against]
    assert report.summary.reference_pages == len(references)
    assert report.summary.pages == len(report.pages) - len(references) == len(report.keep)
    assert report.summary.chars == sum(page.chars for page in report.pages if not page.reference)
    assert report.summary.duplicate_chars == sum(page.duplicate_chars for page in report.pages)
    assert all(not page.verdicts and not page.duplicate_chars and not page.small_repeats for page in references)

    def allows(x: Occurrence, y: Occurrence) -> bool:
        return case.allows(int(x.page), int(y.page))
    for group in report.groups:
        assert_group(group, pages, order)
        first = group.occurrences[0]
        for o in group.occurrences:
            assert o is first or any(allows(o, other) for other in group.occurrences if other is not o), (group, o)
        assert any(allows(x, y) for x, y in itertools.combinations(group.occurrences, 2))
    linked = set()
    for pair in report.pairs():
        assert allows(pair.a, pair.b)
        assert (order[pair.a.page], pair.a.start) < (order[pair.b.page], pair.b.start)
        linked |= {(o.page, o.start, o.end) for o in (pair.a, pair.b)}
    assert len(set(map(repr, report.pairs()))) == len(list(report.pairs()))


def wanted_tokens(case: Case) -> dict[int, set[int]]:
    """Tokens of each page in a run of 8 that stands on a page that pairs with it, or twice on one that pairs with itself."""
    places = defaultdict(list)
    for i, text in enumerate(case.texts):
        tokens = text.split()
        for at in range(len(tokens) - GRAM + 1):
            places[tuple(tokens[at:at + GRAM])].append((i, at))
    wanted: dict[int, set[int]] = defaultdict(set)
    for gram in places.values():
        for i, at in gram:
            if any(case.allows(i, j) and (i, at) != (j, other) for j, other in gram):
                wanted[i] |= set(range(at, at + GRAM))
    return wanted


def token_starts(text: str) -> list[int]:
    starts, at = [], 0
    for word in text.split():
        starts.append(text.index(word, at))
        at = starts[-1] + len(word)
    return starts


def assert_all_found(report: Report, case: Case) -> None:
    for i, tokens in wanted_tokens(case).items():
        found, starts = covered(report, str(i)), token_starts(case.texts[i])
        missed = [starts[token] for token in sorted(tokens) if starts[token] not in found]
        assert not missed, (i, case.texts[i][missed[0]:missed[-1] + 9])


@st.composite
def cases(draw: Any, criteria: Sequence[tuple[bool, bool, str]] = (
        (True, False, "both"), (False, True, "both"), (True, True, "both"), (False, False, "across"),
        (False, False, "within"), (True, False, "across"))) -> Case:
    count = draw(st.integers(2, 9))
    texts = []
    for i in range(count):
        parts = []
        for n in range(draw(st.integers(0, 4))):
            passage = draw(st.sampled_from(PASSAGES))
            piece = " ".join(passage[:draw(st.sampled_from([8, 40]))])
            parts += [piece, draw(st.sampled_from(["", f"own{i}x{n}", f"own{i}x{n} and{i}x{n} more{i}x{n}"]))]
        texts.append(draw(st.sampled_from([" ", "\n\n"])).join(filter(None, parts)) or f"empty{i}")
    against, between, scope = draw(st.sampled_from(list(criteria)))
    reference = [True, *draw(st.lists(st.booleans(), min_size=count - 1, max_size=count - 1))]
    value = ["x", *draw(st.lists(st.sampled_from(["x", "y", "z", None]), min_size=count - 1, max_size=count - 1))]
    return Case(tuple(texts), tuple(reference), tuple(value), against, between, scope)


@given(cases(), st.sampled_from([{"find": "exact"}, {}, {"partitions": 3, "threads": 1}]))
@settings(max_examples=max(150, settings().max_examples))
def test_every_exact_repeat_of_pages_that_pair_is_found_in_all_its_places(case, options):
    assert_all_found(case.scan(**options), case)


@pytest.mark.parametrize("copies", [3, 6, 7, 70])
@pytest.mark.parametrize("criterion", ["against", "between", "both", "across", "within"])
def test_repeats_of_many_places_are_found_in_all_of_them(copies, criterion):
    """Of two texts, one stands on one side only; the other one has many places on the first side and one on the second."""
    one, two = (" ".join(passage) for passage in PASSAGES[3:])
    texts = [f"p{i} {one} q{i} {two} r{i} {two if i % 2 else ''}" for i in range(copies)] + [f"last {one} end"]
    values = [*(["x", "x", None] * copies)[:copies], "y"]
    case = Case(tuple(texts), (*[False] * copies, True), tuple(values), criterion in ("against", "both"),
                criterion in ("between", "both"), criterion if criterion in ("across", "within") else "both")
    for options in ({"find": "exact"}, {}):
        assert_all_found(case.scan(**options), case)


def planted(versions: Sequence[int], seed: int, size: int = 40) -> list[str]:
    """Edited versions of one paragraph, two words in forty changed in each; equal numbers are equal texts."""
    base = " ".join(words(size, 40_000 + seed, 100_000))
    return [edited(base, [(7 * v) % size, (7 * v + 19) % size], f"v{v}") if v else base for v in versions]


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.sampled_from(["x", "y", None])), min_size=2, max_size=12),
       st.sampled_from([(True, False), (False, True), (True, True)]), st.sampled_from(["block", "inside", "page"]),
       st.integers(0, 50))
@settings(max_examples=max(100, settings().max_examples))
@example([(1, True, "x"), (1, True, "x"), (2, False, "x"), (3, False, "x")], (True, False), "page", 0)
def test_near_copies_on_pages_that_pair_are_found(pages, criterion, where, seed):
    """In blocks of their own, inside longer ones, and as whole pages."""
    copies = planted([version for version, _, _ in pages], seed)
    if where == "inside":
        copies = [f"{' '.join(words(30, 50_000 + i, 100_000))} {copy} {' '.join(words(30, 60_000 + i, 100_000))}"
                  for i, copy in enumerate(copies)]
    reference = [side for _, side, _ in pages]
    if criterion[0] and not any(reference):
        reference[0] = True
    value = [v for _, _, v in pages]
    if criterion[1] and not any(value):
        value[0] = "x"
    case = Case(tuple(copies), tuple(reference), tuple(value), *criterion)
    report = case.scan(**({"unit": "page", "threshold": 0.4, "shingle_size": 2} if where == "page" else {}))
    for i in range(len(copies)):
        if any(case.allows(i, j) for j in range(len(copies))):
            start = copies[i].index(words(40, 40_000 + seed, 100_000)[1]) if where == "inside" else 0
            found = covered(report, str(i)) & set(range(start, start + 200))
            assert len(found) > 0.6 * min(200, len(copies[i]) - start), (i, copies[i])
        else:
            assert not covered(report, str(i))


@pytest.mark.parametrize("copies", [1, 2, 5, 12, 60, 100])
@pytest.mark.parametrize("criterion", ["against", "between", "across", "within"])
def test_an_edited_passage_is_found_beside_every_equal_copy_that_pairs(copies, criterion):
    """No run of 8 words is left, and the text around the copies is equal too: only aligned passages see it."""
    passage, around = words(60, 31, 100_000), [" ".join(words(60, 32 + n, 100_000)) for n in range(2)]
    other = edited(" ".join(passage), range(5, 60, 6))
    texts = [f"{around[0]} {' '.join(passage)} {around[1]} own{i}" for i in range(copies)]
    texts.append(f"{' '.join(words(50, 35, 100_000))} {other} {' '.join(words(50, 36, 100_000))}")
    if criterion == "within":
        texts = [f"{text} {' '.join(words(90, 40 + i, 100_000))} {other}" for i, text in enumerate(texts[:-1])]
    last = len(texts) - 1
    texts += [" ".join(words(120 * copies, 300 + n, 100_000)) for n in range(20)]  # or its words were frequent
    case = Case(tuple(texts), tuple(i == last for i in range(len(texts))),
                tuple("y" if i == last else "x" for i in range(len(texts))), criterion == "against",
                criterion == "between", criterion if criterion in ("within", "across") else "both")
    report = case.scan()
    for i, text in enumerate(texts):
        for inner in (" ".join(passage), other):
            if inner in text:
                start = text.index(inner)
                found = {at for at in covered(report, str(i)) if start <= at < start + len(inner)}
                assert len(found) > 0.8 * len(inner), (i, len(found), len(inner))


@needs_speed
@pytest.mark.parametrize("unit", ["block", "page"])
@pytest.mark.parametrize("criterion", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("distinct", [10, 90])
def test_crowded_buckets_link_what_pairs(unit, criterion, distinct):
    """Of many near copies that are compared with a few only, and of many equal ones, each has a partner if there is one."""
    count = 3 * distinct
    copies = planted([1 + i % distinct for i in range(count)], 7, 120)
    case = Case(tuple(copies), tuple(i % 29 == 17 for i in range(count)),
                tuple("y" if i % 29 in (11, 17) else "x" for i in range(count)), *criterion)
    report = case.scan(unit=unit, threshold=0.5)
    for i in range(count):
        if any(case.allows(i, j) for j in range(count)):
            assert len(covered(report, str(i))) > 0.9 * len(copies[i]), i


def without_settings(report: Report) -> Any:
    value = json.loads(report.to_json())
    for page in value["pages"]:
        page["meta"] = {}
    return {key: part for key, part in value.items() if key != "options"}


@given(cases(), st.sampled_from(["block", "page"]))
def test_between_a_field_of_which_no_two_pages_have_a_value_is_across(case, unit):
    records = [{"id": str(i), "text": text, "n": i} for i, text in enumerate(case.texts)]
    between, across = (scan(records, unit=unit, pairs=True, **asked) for asked in ({"between": "n"}, {"scope": "across"}))
    assert without_settings(between) == without_settings(across)


@given(cases([(True, False, "both")]), st.sampled_from(["block", "page"]))
def test_nothing_stands_in_references_of_other_words(case, unit):
    report = scan(list(case.texts), against=[" ".join(words(300, 1, 100_000)), "two"], unit=unit)
    assert not len(report.groups)
    assert report.summary.duplicate_chars == 0


@given(cases([(True, False, "both")]))
def test_against_changes_nothing_but_what_is_left_out(case):
    """Of exact repeats: a group against references is the group of all pages, where that has both sides."""
    filtered, plain = case.scan(find="exact"), scan(list(case.texts), find="exact")
    found = {o.page: set() for g in plain.groups for o in g.occurrences} | {str(i): set() for i in range(len(case.texts))}
    for group in plain.groups:
        if len({case.reference[int(o.page)] for o in group.occurrences}) == 2:
            for o in group.occurrences:
                found[o.page] |= {i for a, b in stretches(o) for i in range(a, b)}
    for i, text in enumerate(case.texts):
        assert covered(filtered, str(i)) >= {at for at in found[str(i)] if not text[at].isspace()}


def brute(pairs: PagePairs, owner: Iterable[int], page: Sequence[int], of_owner: Sequence[int], of_page: Sequence[int],
          itself: bool) -> list[int]:
    found = []
    for row, (o, p) in enumerate(zip(owner, page, strict=True)):
        rows = [r for r, (x, q) in enumerate(zip(of_owner, of_page, strict=True))
                if x == o and pairs.allows(np.array([p]), np.array([q]))[0] and not (itself and r == row)]
        found.append(rows[0] if rows else -1)
    return found


places = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=14)


@given(places, places, st.sampled_from(["within", "side", "value", "both"]),
       st.lists(st.tuples(st.integers(0, 1), st.integers(-1, 2)), min_size=5, max_size=5))
def test_partners_are_those_of_brute_force(asking, among, criterion, labels):
    side, value = np.array([s for s, _ in labels], np.int8), np.array([v for _, v in labels])
    pairs = PagePairs(criterion == "within", side if criterion in ("side", "both") else None,
                      value if criterion in ("value", "both") else None)

    def column(rows: list[tuple[int, int]], n: int) -> np.ndarray[Any, Any]:
        return np.array([row[n] for row in rows], np.int64)
    own = column(asking, 0), column(asking, 1)
    of = column(among, 0), column(among, 1)
    assert pairs.partners(*own).tolist() == brute(pairs, *own, *own, itself=True)
    assert pairs.partners(*own, *of).tolist() == brute(pairs, *own, *of, itself=False)
