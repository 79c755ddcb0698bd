"""What is told beneath what: against the rule written out, and in every report."""

from __future__ import annotations

import io
import json
import random
import string
from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.nested import part_of
from dedup.report import Report
from dedup.report.json import read_json
from dedup.report.terminal import print_report

OPTION = ("When true the command writes what it would do and changes nothing at all, which is of use before a long run "
          "on files that cannot be made again")
MORE = ("A folder is made where it is missing, with the rights of the folder that it lies in, and the files in it are "
        "written one after the other in the order of their names")


def obvious(places: list[tuple[int, int, int]], wasted: list[int]) -> list[int]:
    """The rule of ``part_of``, place by place."""
    def leads(a: int, b: int) -> bool:
        return (-wasted[a], a) < (-wasted[b], b)

    sizes = Counter(g for _, _, g in places)
    parents = list(range(len(wasted)))
    for g in range(len(wasted)):
        inside: Counter[int] = Counter()
        for begin, end, owner in places:
            if owner == g:
                inside.update({h for b, e, h in places
                               if h != g and leads(h, g) and min(e, end) > max(b, begin)
                               and 2 * (min(e, end) - max(b, begin)) >= end - begin})
        able = [h for h, count in inside.items() if 2 * count >= sizes[g]]
        if able:
            parents[g] = min(able, key=lambda h: (-wasted[h], h))
    def root(g: int) -> int:
        return g if parents[g] == g else root(parents[g])
    return [-1 if root(g) == g else root(g) for g in range(len(wasted))]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15), st.integers(0, 4)), max_size=14),
       st.lists(st.integers(0, 30), min_size=5, max_size=5))
def test_part_of_is_the_rule(spans: list[tuple[int, int, int]], wasted: list[int]) -> None:
    places = sorted(((begin, begin + length, g) for begin, length, g in spans), key=lambda place: place[2])
    begin, end, owner = np.array(places, np.int64).reshape(-1, 3).T
    assert part_of(begin, end, owner, np.array(wasted)).tolist() == obvious(places, wasted)


def fillers(seed: int) -> str:
    """Words that stand nowhere else."""
    letters = random.Random(seed)
    return " ".join("".join(letters.choices(string.ascii_lowercase, k=7)) for _ in range(12))


def nested_report(**settings: object) -> Report:
    """Two long passages on two pages; the first half of it on three more."""
    both = f"{OPTION}.\n\n{MORE}."
    pages = {f"long{n}": f"{fillers(n)}.\n\n{both}\n\n{fillers(20 + n)}." for n in range(3)}
    pages |= {f"short{n}": f"{fillers(40 + n)}.\n\n{OPTION}.\n\n{fillers(60 + n)}." for n in range(2)}
    return dedup.scan([{"id": name, "text": text} for name, text in pages.items()], **settings)  # type: ignore[arg-type]


def text_of(report: Report) -> str:
    out = io.StringIO()
    print_report(report, out)
    return " ".join(out.getvalue().split())


def test_a_part_is_told_beneath_the_passage_that_wastes_more() -> None:
    report = nested_report(fold_parts=True)
    assert [group.part_of for group in report.groups] == [None, 0]
    text = text_of(report)
    assert "1 group, 1 more told beneath it" in text
    assert "1 group is a part of it (#1), and in 2 more places: input[3]:3 (short0)" in text
    assert "#1 exact" not in text


def test_without_it_each_stands_for_itself() -> None:
    report = nested_report()
    assert [group.part_of for group in report.groups] == [None, None]
    assert "2 groups" in text_of(report)
    assert "#1 exact" in text_of(report)
    assert "part_of" not in report.to_json()


def test_it_survives_json_and_tables(tmp_path: Path) -> None:
    report = nested_report(fold_parts=True)
    report.write(tmp_path / "report.json")
    again = read_json(tmp_path / "report.json")
    assert [group.part_of for group in again.groups] == [None, 0]
    assert text_of(again) == text_of(report)
    assert report.to_arrow("groups").column("part_of").to_pylist() == [None, 0]


def test_a_comparison_lists_each_pair_and_folds_none() -> None:
    one, other = (f"{fillers(n)}.\n\n{OPTION}.\n\n{fillers(n + 3)}." for n in range(2))
    report = dedup.compare(one, other, fold_parts=True)
    assert "1 group What it amounts to" in text_of(report)
    assert "1 passage that stands more than once" in report.to_markdown()


def test_a_part_whose_leader_is_left_out_stands_for_itself() -> None:
    report = nested_report(fold_parts=True).with_groups([1])
    assert [(group.id, group.part_of) for group in report.groups] == [(0, None)]
    assert "#0 exact" in text_of(report)


def test_markdown_names_the_other_places_of_its_parts() -> None:
    text = nested_report(fold_parts=True).to_markdown()
    assert "1 passage that stands more than once" in text
    assert "; parts of it in 2 more places, such as `input[3]:3 (short0)`" in text


def test_sarif_tells_parts_only_where_they_stand_elsewhere() -> None:
    def results(report: Report) -> list[str]:
        return [result["properties"]["group"] for result in json.loads(report.to_sarif())["runs"][0]["results"]]

    assert results(nested_report(fold_parts=True)) == [0, 1]
    same = [{"id": str(n), "text": f"{fillers(n)}.\n\n{OPTION}.\n\n{MORE}."} for n in range(2)]
    same.append({"id": "2", "text": f"{fillers(5)}.\n\n{OPTION}.\n\n{fillers(7)}."})
    report = dedup.scan(same, fold_parts=True)
    assert len(results(report)) == len(report.groups)
