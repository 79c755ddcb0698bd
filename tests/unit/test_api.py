"""The public calls: what they take, what they refuse, and what changes nothing."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup import InputError, OptionError, Options, Page, compare, open_pages, pages, scan
from dedup.report.json import read_json
from tests.scan_help import around, assert_sound, edited, lines, places_of, prose, scan_texts

ROOT = Path(__file__).parents[2]
P = [prose(30, n) for n in range(8)]
COPIES = {"a": lines(P[0], P[1], "x"), "b": lines(P[2], P[3]), "c": lines("y", P[0], edited(P[1], [8]), P[3])}


def test_texts_are_named_by_index_and_records_by_id():
    assert [page.id for page in scan([P[0], P[1]]).pages] == ["0", "1"]
    assert [page.id for page in scan([{"id": "a", "text": P[0]}, {"text": P[1]}]).pages] == ["a", "1"]


def test_pages_come_in_the_order_given_whatever_their_ids():
    report = scan_texts({"z": COPIES["a"], "a": COPIES["c"]})
    assert [page.id for page in report.pages] == ["z", "a"]
    assert [o.page for o in report.groups[0].occurrences] == ["z", "a"]
    assert [(p.a.page, p.b.page) for p in report.pairs()] == [("z", "a")]


def test_files_come_in_the_order_of_their_paths(tmp_path: Path):
    for name in ("b.txt", "a.txt", "c.txt"):
        (tmp_path / name).write_text(P[0], encoding="utf-8")
    assert [o.page for o in scan(tmp_path).groups[0].occurrences] == ["a.txt", "b.txt", "c.txt"]
    given = scan([tmp_path / "c.txt", tmp_path / "a.txt"])
    assert [Path(o.page).name for o in given.groups[0].occurrences] == ["a.txt", "c.txt"]


def test_all_kinds_of_sources_give_the_same_groups(tmp_path: Path):
    texts = list(COPIES.values())
    for i, text in enumerate(texts):
        (tmp_path / f"{i}").with_suffix(".txt").write_bytes(text.encode())
    reports = [scan(texts), scan(tuple(texts)), scan(iter(texts)), scan([{"text": t} for t in texts]),
               scan(Page(str(i), t) for i, t in enumerate(texts)), scan(tmp_path), scan(open_pages(f"{tmp_path}/*.txt"))]
    found = [[[(o.start, o.end) for o in group.occurrences] for group in report.groups] for report in reports]
    assert found[0]
    assert all(places == found[0] for places in found)


def test_an_arrow_table_is_a_source():
    pyarrow = pytest.importorskip("pyarrow", reason="LOUD: pyarrow is missing")
    table = pyarrow.table({"id": list(COPIES), "text": list(COPIES.values())})
    report = scan(table)
    assert_sound(report, COPIES)
    assert places_of(report) == places_of(scan_texts(COPIES))


@pytest.mark.parametrize("text", ["news.html", "site/**/*.html", "https://example.org/page", "examples"])
def test_a_text_that_looks_like_a_place_is_refused(text, tmp_path, monkeypatch):
    (tmp_path / "examples").mkdir()
    monkeypatch.chdir(tmp_path)
    for call in (lambda: scan(text), lambda: scan([P[0], text]), lambda: compare(text, P[0]), lambda: compare(P[0], text)):
        with pytest.raises(OptionError, match=r"id you mean Path\(|Use open_pages\("):
            call()


@pytest.mark.parametrize("name", ["treshold", "min_token", "exhaustiv", "shingle"])
def test_a_misspelt_setting_is_answered_with_the_right_one(name):
    right = {"treshold": "threshold", "min_token": "min_tokens", "exhaustiv": "exhaustive", "shingle": "shingle_size"}[name]
    for call in (lambda: scan(["x"], **{name: 1}), lambda: compare("x", "y", **{name: 1})):
        with pytest.raises(TypeError, match=rf"unexpected keyword argument '{name}'.*'{right}'"):
            call()


def test_a_setting_of_another_tool_is_answered_with_ours():
    with pytest.raises(TypeError, match="'shingle_size'"):
        scan(["x"], ngram=5)
    with pytest.raises(TypeError, match="'threshold'"):
        scan(["x"], num_perm=128)


@pytest.mark.parametrize(("settings", "says"), [
    ({"threshold": 5}, "0.1 to 1.0"), ({"threshold": 0}, "0.1 to 1.0"), ({"min_tokens": 1}, "2 to 1000"),
    ({"min_tokens": 8.5}, "whole number"), ({"threads": 0}, "1 to 1024"), ({"scope": "inside"}, "within, across, both"),
    ({"unit": "paragraph"}, "block, page"), ({"exhaustive": "yes"}, "bool"), ({"min_similarity": 90}, "0.0 to 1.0"),
    ({"threshold": float("nan")}, "0.1 to 1.0"), ({"seed": -1}, "0 to")])
def test_a_setting_out_of_range_is_answered_with_the_range(settings, says):
    with pytest.raises(OptionError, match=says):
        scan([P[0]], **settings)


def test_options_or_settings_but_not_both():
    assert len(scan([P[0], P[0]], options=Options(min_tokens=5)).groups) == 1
    with pytest.raises(TypeError, match="not both"):
        scan([P[0]], options=Options(), min_tokens=5)


@pytest.mark.parametrize("source", [5, None, 3.5, object()])
def test_a_source_of_no_known_kind_is_a_type_error(source):
    with pytest.raises(TypeError, match=type(source).__name__):
        scan(source)


def test_places_and_texts_mixed_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(TypeError, match="mixed"):
        scan([tmp_path / "a.txt", "some text"])


def test_a_path_that_does_not_exist_raises(tmp_path):
    for call in (lambda: scan(tmp_path / "no.html"), lambda: compare(tmp_path / "no.html", "text")):
        with pytest.raises(InputError, match=r"no\.html"):
            call()


def test_what_cannot_be_read_is_listed_and_the_rest_is_processed(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(P[0], encoding="utf-8")
    (tmp_path / "c.jsonl").write_text(json.dumps({"id": "ok", "text": P[0]}) + "\n{broken\n", encoding="utf-8")
    report = scan(tmp_path)
    assert len(report.groups[0].occurrences) == 3
    assert [Path(e.source).name for e in report.errors] == ["c.jsonl"]
    assert report.errors[0].line == 2


def test_a_text_is_one_page():
    report = scan(lines(P[0], prose(60, 9), P[0]))
    assert report.summary.pages == 1
    assert [len(group.occurrences) for group in report.groups] == [2]


@pytest.mark.parametrize("unit", ["block", "page"])
@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["a"], ["a", "a"], ["\n", " \t"], ["\0"], ["\ud800"]])
def test_empty_and_tiny_pages(texts, unit):
    report = scan_texts(texts, unit=unit)
    assert not len(report.groups)
    assert report.summary.compared == 0
    assert report.summary.short == report.summary.blocks
    assert report.to_json()


def test_accounting_over_settings():
    texts = [*COPIES.values(), "", "tiny", lines("one", "two", P[5])]
    for settings in ({}, {"unit": "page"}, {"min_tokens": 2}, {"min_tokens": 50}, {"find": "exact"}, {"scope": "within"},
                     {"exhaustive": True}, {"min_chars": 100}, {"min_similarity": 0.99}):
        report = scan_texts(texts, **settings)
        assert report.summary.blocks == (len(texts) if settings.get("unit") == "page" else 13)


def test_with_text_and_pairs_only_what_was_asked_for():
    plain, full = scan(COPIES["c"]), scan([COPIES["c"]], with_text=True)
    assert plain.pages[0].text is None
    assert full.pages[0].text == COPIES["c"]


def test_progress_names_the_stages():
    seen: list[str] = []
    scan(list(COPIES.values()), progress=seen.append)
    assert seen[0] == "read"
    assert len(seen) == len(set(seen)) >= 4


# -- what changes nothing ---------------------------------------------------------------------------------------


def test_upper_case_changes_nothing():
    assert places_of(scan_texts(COPIES)) == places_of(scan_texts({name: text.upper() for name, text in COPIES.items()}))


def test_unrelated_pages_change_nothing_of_the_others_groups():
    alone = places_of(scan_texts(COPIES))
    others = {f"n{n}": lines(*(prose(40, 100 + 10 * n + k) for k in range(5))) for n in range(30)}
    names = list(COPIES)
    mixed = {**dict(list(others.items())[:9]), names[0]: COPIES[names[0]], **dict(list(others.items())[9:20]),
             names[1]: COPIES[names[1]], names[2]: COPIES[names[2]], **others}
    assert alone
    assert places_of(scan_texts(mixed)) == alone


def test_ids_change_nothing():
    first, second = (scan_texts(dict(zip(ids, COPIES.values(), strict=True))) for ids in ("abc", ["z", "9", "/x/é"]))
    assert [[(o.start, o.end) for o in g.occurrences] for g in first.groups] == [
        [(o.start, o.end) for o in g.occurrences] for g in second.groups]


def test_page_order_changes_no_group():
    def sets(report) -> set:
        return {frozenset((o.page, o.start, o.end) for o in group.occurrences) for group in report.groups}
    assert sets(scan_texts(COPIES)) == sets(scan_texts(dict(reversed(COPIES.items()))))


def test_the_seed_changes_nothing_where_copies_are_alike():
    assert places_of(scan_texts(COPIES, seed=1)) == places_of(scan_texts(COPIES))


# -- compare ----------------------------------------------------------------------------------------------------


def mirrored(report) -> list[tuple]:
    return sorted((p.kind, p.similarity, p.jaccard, *sorted([(o.text, c) for o, c in
                  ((p.a, p.containment_a), (p.b, p.containment_b))])) for p in report.pairs())


def test_compare_gives_a_report_of_two_pages_a_before_b():
    report = compare(COPIES["a"], COPIES["c"])
    assert_sound(report, {"a": COPIES["a"], "b": COPIES["c"]})
    assert report.is_comparison
    assert report.lists_pairs
    assert [(p.a.page, p.b.page) for p in report.pairs()] == [("a", "b")]


@pytest.mark.parametrize(("a", "b"), [("a", "c"), ("b", "c"), ("a", "b"), ("a", "a")])
def test_swapping_the_sides_mirrors_the_comparison(a, b):
    one, other = compare(COPIES[a], COPIES[b]), compare(COPIES[b], COPIES[a])
    assert mirrored(one) == mirrored(other)


@pytest.mark.parametrize("text", [
    "{0}\n\n{1}\n", "{0}\n\n\n\n{1}\n\n\n\n\n\n", "\n\n  {0}\n\n-----\n\n{1}  \n", "-----\n\n{0}\n\n* * *\n\n{1}\n\n***\n"])
def test_a_page_is_100_percent_of_its_copy_whatever_white_space_it_has(text):
    text = text.format("Zwölf Boten liefen über die alte Brücke nach Norden.", "Nobody knew where they came from that night.")
    report = dedup.compare(text, text)
    assert [page.across_share for page in report.pages] == [1.0, 1.0]
    assert [page.within_share for page in report.pages] == [0.0, 0.0]
    assert report.summary.duplicate_share == report.summary.content_share == 0.5
    with_more = dedup.compare(text, text + "\n\nOne more line.\n")
    assert with_more.pages[0].across_share == 1.0
    assert 0.85 < with_more.pages[1].across_share < 0.95


def test_compare_finds_repeats_inside_either_page():
    report = compare(lines(P[0], prose(60, 9), P[0]), lines(P[1], prose(60, 10), P[1]))
    assert sorted((p.a.page, p.b.page) for p in report.pairs()) == [("a", "a"), ("b", "b")]


def test_compare_keeps_ids_and_makes_equal_ones_different():
    page = {"id": "x", "text": P[0]}
    assert [p.id for p in compare(page, {"id": "y", "text": P[1]}).pages] == ["x", "y"]
    assert [p.id for p in compare(page, page).pages] == ["x", "x#2"]
    assert [p.id for p in compare(Page("m", P[0]), P[0]).pages] == ["m", "b"]


def test_a_side_of_several_pages_or_none_is_refused(tmp_path):
    (tmp_path / "r.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match=r"r\.jsonl: holds more than one page"):
        compare(tmp_path / "r.jsonl", "text")
    with pytest.raises(InputError, match=r"empty\.jsonl: nothing to compare: empty file"):
        compare("text", tmp_path / "empty.jsonl")


def test_the_fields_named_are_carried_into_the_report():
    report = scan([{"id": 7, "text": P[0], "lang": "en"}, {"id": 8, "text": P[0]}], meta=("lang",))
    assert [(page.id, dict(page.meta)) for page in report.pages] == [("7", {"lang": "en"}), ("8", {})]


def test_the_public_names_are_there():
    for name in dedup.__all__:
        assert getattr(dedup, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        dedup.nothing  # noqa: B018


@pytest.mark.parametrize("again", [lambda value: pickle.loads(pickle.dumps(value)), copy.deepcopy, copy.copy])
@pytest.mark.parametrize("settings", [{}, {"pairs": True, "with_text": True, "meta": ("lang",)}, {"unit": "page"}])
def test_a_report_and_its_parts_can_be_pickled_and_copied(again, settings):
    made = dedup.scan([{"id": "a", "text": P[0] + "\n\n" + P[1], "lang": "en"}, {"id": "b", "text": P[1] + "\n\n" + P[0]},
                       {"id": "c", "text": 5}], **settings)
    back = again(made)
    assert back.to_json() == made.to_json()
    assert list(back.pairs()) == list(made.pairs())
    assert back.keep.tolist() == made.keep.tolist()
    assert back.to_arrow().equals(made.to_arrow())
    assert back.options == made.options
    compared = dedup.compare(P[0], P[0] + "\n\n" + P[1])
    assert again(compared).to_json() == compared.to_json()
    assert again(made.groups) == made.groups
    assert again(made.pages) == made.pages
    for part in (*made.groups, *made.pages, *made.pairs(), *made.errors, *made.skipped, made.summary):
        assert again(part) == part
    html = next(iter(dedup.open_pages(ROOT / "examples" / "news.html")))
    assert again(html).text == html.text
    assert list(again(html).layout.start) == list(html.layout.start)
    assert again(dedup.Page("a", "text")) == dedup.Page("a", "text")
    assert repr(dedup.Page("a", "text")).count("meta={}") == 1


def test_least_certain_and_at_similarity_hold_for_runs_and_aligned_passages_without_comparing_again(
        monkeypatch: pytest.MonkeyPatch):
    """Their measures are those of the pairs and occurrences that are there."""
    run = lines(P[0], P[1], P[2]), lines(P[0], edited(P[1], [4, 14]), P[2])
    inside = around(P[4], 1), around(edited(P[4], [3, 9, 15, 21]), 2)
    report = scan_texts([*run, *inside])
    pairs = list(report.pairs())
    assert any(pair.dice is not None for pair in pairs)
    assert len(pairs) >= 2
    groups = list(report.groups)
    assert report.least_certain(99) == sorted((p for p in pairs if p.kind != "exact"), key=lambda p: p.similarity)
    monkeypatch.setattr("dedup.verify.indel_similarity", None)
    cut = sorted(pair.similarity for pair in pairs)[-1]
    less = report.at_similarity(cut)
    assert list(less.pairs()) == [pair for pair in pairs if pair.similarity >= cut]
    assert [g.text for g in less.groups] == [g.text for g in groups if g.similarity >= cut]
    assert [group.id for group in less.groups] == list(range(len(less.groups)))
    assert 0 < len(less.groups) < len(groups)


def test_the_pages_of_groups_are_those_of_their_places(tmp_path: Path) -> None:
    text = "The bridge was opened again on a Saturday after two long winters of repairs."
    other = "Every offer is without engagement and holds as long as the stock lasts in our house."
    report = dedup.scan([f"{text}\n\n{other}", text, f"{other}\n\nA line.\n\n{other}", "Nothing of it."])
    expected = [list(dict.fromkeys(place.page for place in group.occurrences)) for group in report.groups]
    assert len(expected) == 2
    assert ["0", "1"] in expected
    assert list(report.page_groups()) == expected
    report.write(tmp_path / "report.json")
    assert list(read_json(tmp_path / "report.json").page_groups()) == expected


def test_of_whole_pages_what_is_said_of_each_is_made_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [prose(40, 20), prose(40, 20), prose(40, 21)]
    asked, describe = list[object](), pages.describe_pages

    def describe_pages(*arguments: Any) -> Any:
        asked.append(arguments)
        return describe(*arguments)
    monkeypatch.setattr(pages, "describe_pages", describe_pages)
    report = dedup.scan(texts, unit="page")
    assert (list(report.page_groups()), asked) == ([["0", "1"]], [])
    watched = dedup.scan(texts, unit="page", progress=dedup.Profile())
    assert len(asked) == 1
    assert (report.summary, list(report.pages)) == (watched.summary, list(watched.pages))
    assert len(asked) == 2
    dedup.scan(texts, unit="page", memory="256M")
    assert len(asked) == 3
