"""Links that follow each other are one passage; what was left out is named by its parts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import dedup
from dedup.blocks import read_corpus
from dedup.engines.local import LocalEngine
from dedup.equal_blocks import collapse_equal
from dedup.options import Options
from dedup.page_pairs import PagePairs
from dedup.places import block_of
from dedup.runs import MAX_NEAR, near_links
from tests.scan_help import edited, lines, matched, prose, scan_texts, stretches

P = [prose(30, n) for n in range(8)]
HEADLINE = "Swing bridge opens again"


def test_paragraphs_that_follow_each_other_in_both_places_are_one_passage():
    report = scan_texts([lines(P[0], P[1], P[2], "x"), lines("y", P[0], P[1], P[2])])
    assert [group.text for group in report.groups] == [lines(P[0], P[1], P[2])]
    assert report.groups[0].occurrences[1].parts is None
    assert report.groups[0].blocks == 3


def test_a_teaser_and_a_label_between_are_bridged_and_left_out_of_the_parts():
    """The case that started it."""
    teaser = " ".join(P[1].split()[:12])
    report = scan_texts([lines("Menu", HEADLINE, *P[:4], HEADLINE, teaser, "Thumbnail", *P[:4], "Share")])
    run = report.groups[0]
    assert run.kind == "exact"
    first, second = run.occurrences
    assert matched(first) == [HEADLINE, lines(*P[:4])]
    assert matched(second) == [HEADLINE, lines(*P[:4])]
    assert "Thumbnail" in second.text
    assert [(o.line, o.end_line) for o in run.occurrences] == [(3, 11), (13, 25)]
    small = next(group for group in report.groups[1:] if teaser in group.text)
    assert len(small.occurrences) == 3


def test_figures_count_the_parts_only():
    gap = "a label that stands here only"
    report = scan_texts([lines(P[0], P[1]), lines(P[0], gap, P[1])])
    assert len(report.groups) == 1
    second = report.groups[0].occurrences[1]
    assert gap in second.text
    assert report.pages[1].duplicate_chars == sum(b - a for a, b in stretches(second)) == len(P[0]) + len(P[1])


def test_words_of_a_group_are_those_of_its_parts():
    gap = prose(20, 9)
    group = scan_texts([lines(P[0], gap, P[1]), lines("x", P[0], P[1])]).groups[0]
    assert (group.tokens, group.occurrences[0].parts is not None) == (60, True)


def test_a_paragraph_that_changed_places_with_its_neighbour_is_a_group():
    """It lies between the ends of the run of the others, in which it is left out."""
    short = prose(20, 9)
    before, after = lines(P[0], short, P[2], P[3]), lines(P[0], P[2], short, P[3])
    report = scan_texts([lines(before, after)])
    assert [[matched(o) for o in group.occurrences] for group in report.groups] == [[[P[0], short, P[3]]] * 2, [[P[2]]] * 2]
    assert [group.tokens for group in report.groups] == [80, 30]
    assert report.summary.duplicate_share == 0.5
    report = dedup.compare(before, after)
    assert [page.across_share for page in report.pages] == [1, 1]
    assert [v.kind for v in report.pages[1].verdicts] == ["copy-of"]


@pytest.mark.parametrize("words", [20, 30])
def test_an_edited_paragraph_that_changed_places_is_a_group(words):
    moved = prose(words, 9)
    report = scan_texts([lines(P[0], moved, *P[2:5]), lines(P[0], P[2], edited(moved, [3, 12]), P[3], P[4])])
    assert [group.kind for group in report.groups] == ["exact", "near"]
    assert moved in report.groups[1].text
    assert [page.across_share for page in report.pages] == [1, 1]


def test_a_run_inside_another_one_leaves_its_ends_to_that():
    """Both go to the same ends: the one is what the other leaves out."""
    texts = lines(*P[:3], P[5], P[4], P[6]), lines(*P[:3], P[4], P[5], P[6])
    moved = [pair for pair in dedup.compare(*texts).pairs() if pair.a.parts is None]
    assert len(moved) == 1
    assert moved[0].a.text in P[4:6]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_places_that_leave_out_unlike_stretches_are_in_groups_of_their_own(order):
    """All have the first and the last paragraph; two have one between, and one of these a label before it."""
    texts = [lines(P[0], "Label", *P[1:4]), lines(*P[:4]), lines(P[0], *P[2:4])]
    report = scan_texts([texts[n] for n in order], find="exact")
    assert {group.kind for group in report.groups} == {"exact"}
    assert {(len(group.occurrences), group.tokens) for group in report.groups} == {(3, 90), (2, 120)}
    assert all(o.parts is None or "Label" not in "".join(matched(o)) for group in report.groups for o in group.occurrences)
    assert all(len({len(stretches(o)) for o in group.occurrences}) == 1 for group in report.groups)


CALL, X, Y, Z = "Call us on weekdays before noon", prose(18, 1), prose(24, 2), prose(15, 3)


@pytest.mark.parametrize("texts", [
    ([X, CALL, Y, f"{Z} {CALL}", Y], [X, X, X, Z, X, Y, Y]),
    ([P[0], P[1], P[2], P[0], P[1], P[2], P[0], P[0]],)])
def test_of_exact_copies_no_group_is_near(texts):
    report = scan_texts([lines(*text) for text in texts], find="exact")
    assert {group.kind for group in report.groups} <= {"exact", "contained"}
    for group in report.groups:
        assert len({len(stretches(o)) for o in group.occurrences}) == 1
        assert len({"".join("".join(matched(o)).split()) for o in group.occurrences}) == 1


def test_equal_short_blocks_extend_a_run():
    report = scan_texts([lines("Title here", P[0], "12 May", P[1], "a"), lines("b", "Title here", P[0], "12 May", P[1])])
    assert [group.text for group in report.groups] == [lines("Title here", P[0], "12 May", P[1])]


def test_more_than_forty_tokens_between_are_not_bridged():
    report = scan_texts([lines(P[0], P[1]), lines(P[0], prose(60, 9), P[1])])
    assert sorted(group.text for group in report.groups) == sorted([P[0], P[1]])


def test_paragraphs_in_another_order_are_passages_of_their_own():
    report = scan_texts([lines(P[0], P[1]), lines(P[1], P[0])])
    assert sorted(group.text for group in report.groups) == sorted([P[0], P[1]])


def test_a_run_over_an_edited_paragraph_is_near_as_a_whole():
    other = edited(P[1], [5, 17])
    report = scan_texts([lines(P[0], P[1], P[2]), lines("x", P[0], other, P[2])])
    assert [(group.kind, group.text) for group in report.groups] == [("near", lines(P[0], P[1], P[2]))]
    assert report.groups[0].occurrences[1].text == lines(P[0], other, P[2])
    assert 0.8 < report.groups[0].similarity < 1


def test_a_passage_is_reported_once():
    """Its blocks, their runs and their near copies are inside it, not beside it."""
    report = scan_texts([lines(*P[:5]), lines("x", *P[:5]), lines(*P[5:])])
    assert len(report.groups) == 1
    assert len(list(report.pairs())) == 1


def test_what_a_third_page_has_of_a_run_is_a_group_of_its_own():
    report = scan_texts([lines(*P[:3]), lines("x", *P[:3]), lines("y", P[1], "z")])
    assert [len(g.occurrences) for g in report.groups if g.text == P[1]] == [3]
    assert [len(g.occurrences) for g in report.groups if g.text == lines(*P[:3])] == [2]


@pytest.mark.parametrize("scope", ["within", "across", "both"])
def test_the_scope_says_which_repeats_count(scope):
    report = scan_texts([lines(P[0], "x", prose(60, 9), P[0]), lines(P[1], "y"), lines("z", P[1])], scope=scope)
    expected = {"within": [P[0]], "across": [P[1]], "both": [P[0], P[1]]}[scope]
    assert sorted(group.text for group in report.groups) == sorted(expected)


@pytest.mark.parametrize("copies", [3, 12, 40])
def test_with_scope_within_no_group_spans_pages(copies):
    report = scan_texts([lines(P[0], f"x{n}", prose(60, n), P[0]) for n in range(copies)], scope="within")
    assert len(report.groups) == copies
    assert all(len({o.page for o in group.occurrences}) == 1 for group in report.groups)


@pytest.mark.parametrize("copies", [3, 12, 40])
def test_with_scope_across_a_text_on_one_page_only_is_no_group(copies):
    report = scan_texts([" ".join(f"only{n} {P[0]}" for n in range(copies)), prose(40, 9)], scope="across")
    assert not len(report.groups)


def test_pairs_keep_to_the_scope() -> None:
    """Of three copies, two of them on one page, each scope lists the pairs that it asks for."""
    ten = "one two three four five six seven eight nine ten"
    pages = [{"id": "a", "text": f"{ten}\n\nsomething else between\n\n{ten}"}, {"id": "b", "text": ten}]
    found = {scope: {(pair.a.page, pair.b.page) for pair in dedup.scan(pages, scope=scope, pairs=True).pairs()}
             for scope in ("within", "across", "both")}
    assert found == {"within": {("a", "a")}, "across": {("a", "b")}, "both": {("a", "a"), ("a", "b")}}


@pytest.mark.parametrize(("tag", "runs"), [("h1", 2), ("h4", 1)])
def test_what_two_pages_share_does_not_go_on_over_their_headlines(tmp_path, tag, runs):
    """Header and side bar of a site are no passage with the headline of an article in it."""
    for n in (1, 2):
        (tmp_path / f"{n}.html").write_text(
            f"<p>{P[0]}</p><{tag}>{prose(10, 700 + n)}</{tag}><p>{P[1]}</p><p>{prose(90, 800 + n)}</p>", "utf-8")
    report = dedup.scan(tmp_path)
    assert len(report.groups) == runs
    assert any(prose(10, 701) in group.text for group in report.groups) == (runs == 1)


def test_within_a_page_and_where_one_page_has_it_alone_a_headline_is_left_out(tmp_path):
    twice = f"<p>{P[0]}</p><h1>{prose(10, 701)}</h1><p>{P[1]}</p><p>{P[0]}</p><h1>{prose(10, 702)}</h1><p>{P[1]}</p>"
    (tmp_path / "a.html").write_text(twice, "utf-8")
    assert [len(group.occurrences[0].parts) for group in dedup.scan(tmp_path).groups] == [2]
    (tmp_path / "a.html").write_text(f"<p>{P[0]}</p><h1>{prose(10, 701)}</h1><p>{P[1]}</p>", "utf-8")
    (tmp_path / "b.html").write_text(f"<p>{P[0]}</p><p>{prose(10, 702)}</p><p>{P[1]}</p>", "utf-8")
    assert [len(group.occurrences[0].parts) for group in dedup.scan(tmp_path).groups] == [2]


def test_no_pair_is_listed_twice() -> None:
    """A loose run is taken apart into its links, of which one is another run already."""
    pages = ["w3\nw1 w1 w1 w2\nw3 w1 w1 w1 w2 ", "w3\nw2 w3. w1 w1\n",
             "w1 w1 w1 w3 w1 w1 w1 w2 w3. w3 w2 w2\nw2 w2\nw2\n\nw1 w3 w1 w1\nw2 w2\n\n"]
    report = scan_texts(pages, min_tokens=2, min_evidence=2, min_dice=0.2)
    places = [(p.a.page, p.a.start, p.a.end, p.b.page, p.b.start, p.b.end) for p in report.pairs()]
    assert len(places) == len(set(places)) > 2


def test_a_footer_with_many_variants_is_linked_by_a_bounded_number_of_its_copies():
    """Links must not grow with the square of the pages; all are in one group nevertheless."""
    copies, variants = 60, 40
    pages = [lines(prose(25, 100 + n), P[0]) for n in range(copies)]
    pages += [lines(prose(25, 300 + n), edited(P[0], [n % 25])) for n in range(variants)]
    with LocalEngine(1) as engine:
        corpus, _ = read_corpus([dedup.Page(str(n), text) for n, text in enumerate(pages)], engine, Options())
    footers = np.arange(1, 2 * len(pages), 2)
    distinct = collapse_equal(corpus, footers)
    different = len(distinct.block)
    links = near_links(corpus, distinct, np.zeros(different - 1, np.int64), np.arange(1, different), PagePairs())
    assert different == 26  # variants that edit the same word are equal
    a, b = block_of(corpus, links.a0), block_of(corpus, links.b0)
    assert set(b) == set(footers[copies:])
    assert set(a) == set(footers[:copies])
    assert MAX_NEAR * (copies + different) <= len(links.a0) < different * copies
    report = scan_texts(pages)
    assert max(len(group.occurrences) for group in report.groups) == copies + variants


def test_a_block_that_stands_whole_in_another_one_is_no_near_copy_of_it() -> None:
    """The exact match says more, of all copies of the two."""
    inner = prose(12, 400)
    pages = [f"{prose(9, 401)}\n\n{inner}", f"{inner} {prose(8, 402)}", f"{inner} {prose(8, 402)}"]
    report = scan_texts(pages, find="near")
    assert [(group.kind, group.tokens) for group in report.groups if group.kind == "near"] == []
    assert sorted(len(group.occurrences) for group in report.groups) == [2, 3]
