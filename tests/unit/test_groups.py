"""Groups hold verified links only, never drift, and their places never overlap."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup import Verifier, groups
from dedup.blocks import read_corpus
from dedup.corpus import Corpus
from dedup.engines.local import LocalEngine
from dedup.model import Occurrence, Page
from dedup.options import Options
from dedup.report.json import read_json
from dedup.verify import Spans, span_digests
from tests.scan_help import edited, lines, matched, needs_speed, prose, scan_texts, words

A = prose(40, 20)
B = edited(A, range(3, 40, 9))
C = edited(B, range(1, 40, 7), "z")
D = edited(C, [5], "q")


def members(report) -> list[list[str]]:
    return [[o.page for o in group.occurrences] for group in report.groups]


def jaccard(a: str, b: str) -> float:
    return Verifier().measure(a, b).jaccard


def test_texts_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch):
    """Texts whose digests collide have numbers of their own; equal ones have the same, in their component."""
    engine, texts = LocalEngine(1), ["One two.", "one three", "ONE, two", "one three!", "four", "four"]
    corpus = read_corpus((Page(str(i), text) for i, text in enumerate(texts)), engine, Options())[0]
    spans = Spans(corpus.page_start[:-1], corpus.page_start[1:], np.arange(len(texts) + 1))
    monkeypatch.setattr(groups, "span_digests", lambda *_: np.full(len(texts), 2**64 - 1, np.uint64))
    number = groups._told_apart(engine, corpus, np.zeros(len(texts), np.int64), spans, np.full(len(texts), -1)).tolist()
    assert [number.index(n) for n in number] == [0, 1, 0, 1, 4, 4]


def test_blocks_of_one_fingerprint_are_told_apart():
    engine, texts = LocalEngine(1), ["One two.", "one three", "ONE, two"]
    corpus = read_corpus((Page(str(i), text) for i, text in enumerate(texts)), engine, Options())[0]
    corpus = msgspec.structs.replace(corpus, fingerprint=np.full(len(texts), 7, np.uint64))
    spans = Spans(corpus.page_start[:-1], corpus.page_start[1:], np.arange(len(texts) + 1))
    number = groups._compared(engine, corpus, np.zeros(len(texts), np.int64), spans, np.arange(len(texts)))[0].tolist()
    assert [number.index(n) for n in number] == [0, 1, 0]


def test_whole_pages_are_told_apart_by_what_is_known_of_them(monkeypatch: pytest.MonkeyPatch):
    """Their fingerprints are the digests that would be made of their tokens: the members that differ are not cut again."""
    texts = [A, edited(A, [5]), A.upper(), prose(40, 21)]
    engine = LocalEngine(1)
    corpus = read_corpus((Page(str(i), text) for i, text in enumerate(texts)), engine, Options(unit="page"))[0]
    spans = Spans(corpus.page_start[:-1], corpus.page_start[1:], np.arange(len(texts) + 1))
    assert span_digests(engine, corpus, spans).tolist() == corpus.fingerprint.tolist()
    before = scan_texts(texts, unit="page", threshold=0.5)
    asked: list[int] = []

    def digests(engine: LocalEngine, corpus: Corpus, spans: Spans) -> npt.NDArray[np.uint64]:
        asked.append(len(spans))
        return span_digests(engine, corpus, spans)
    monkeypatch.setattr(groups, "span_digests", digests)
    assert members(scan_texts(texts, unit="page", threshold=0.5)) == members(before) == [["0", "1", "2"]]
    assert sum(asked) == 0


def test_a_chain_is_split_and_its_parts_name_each_other():
    """A is like B, B like C, C like D; A is unlike C, and B unlike D: the two in the middle cannot both lead."""
    assert min(jaccard(A, B), jaccard(B, C), jaccard(C, D)) >= 0.5 > max(jaccard(A, C), jaccard(A, D))
    report = scan_texts([A, B, C, D], min_dice=1.0)  # blocks alone: an aligned passage is a direct link
    assert [group.related for group in report.groups] == [(1,), (0,)]
    assert sorted(map(len, members(report))) == [2, 3]


def test_what_is_linked_to_all_others_leads():
    report = scan_texts([A, B, C], min_dice=1.0)
    assert members(report) == [["0", "1", "2"]]
    assert (report.groups[0].representative, report.groups[0].text) == (1, B)
    assert report.groups[0].occurrences[1].similarity == 1


def by_text(report, texts: list[str]) -> list[list[int]]:
    return sorted(sorted(texts.index(o.text) for o in group.occurrences) for group in report.groups)


def test_groups_are_the_same_in_any_order_of_pages():
    texts = [A, B, C, D, edited(D, range(2, 40, 6), "e")]
    texts.append(edited(texts[-1], range(0, 40, 9), "f"))
    expected = by_text(scan_texts(texts, min_dice=1.0), texts)
    assert len(expected) > 1
    for order in list(itertools.permutations(range(len(texts))))[1::37]:
        assert by_text(scan_texts([texts[i] for i in order], min_dice=1.0), texts) == expected


def test_the_end_of_a_chain_is_not_lost():
    report = scan_texts([A, B, C, D], min_dice=1.0)
    assert {page for group in members(report) for page in group} == {"0", "1", "2", "3"}


def test_pairs_list_the_verified_link_that_a_split_cuts():
    report = scan_texts([A, B, C, D], min_dice=1.0)
    assert [(p.a.page, p.b.page) for p in report.pairs()][:2] == [("0", "1"), ("1", "2")]
    assert ("2", "3") in [(p.a.page, p.b.page) for p in report.pairs()]


def test_a_member_is_like_its_representative_not_only_like_a_neighbour():
    """Twenty versions, each one step from the last: no group spans all of them."""
    versions = [A]
    for step in range(20):
        versions.append(edited(versions[-1], [(7 * step) % 40, (7 * step + 3) % 40], f"s{step}"))
    report = scan_texts(versions, min_dice=1.0)
    assert len(report.groups) > 2
    for group in report.groups:
        assert all(jaccard(group.text, o.text) >= 0.5 for o in group.occurrences)


def test_equal_copies_are_one_group_in_page_order():
    report = scan_texts({"b": A, "a": prose(40, 21), "c": A.upper(), "0": A})
    assert members(report) == [["b", "c", "0"]]
    assert report.groups[0].kind == "exact"


def test_the_representative_is_the_first_in_order_where_all_are_linked():
    report = scan_texts([B, A, A])
    assert report.groups[0].text == B
    assert report.groups[0].occurrences[0].similarity == 1


def test_short_blocks_never_make_a_group():
    report = scan_texts([lines("Thumbnail", "Read more about it", A), lines("Thumbnail", "Read more about it"), "Thumbnail"])
    assert not len(report.groups)
    assert report.summary.short == 5
    assert report.summary.compared == 1


def test_texts_without_tokens_are_no_copies_of_each_other():
    assert not len(scan_texts(["", "", "...", "---", "  ", "!!!"]).groups)
    assert not len(scan_texts(["", "", "...", "..."], unit="page").groups)


@pytest.mark.parametrize("unit", ["block", "page"])
def test_a_page_is_no_copy_of_itself(unit):
    assert not len(scan_texts([lines(A, prose(40, 22))], unit=unit).groups)


def test_pages_as_units_are_whole_pages():
    text = lines(A, prose(60, 23), prose(60, 24))
    report = scan_texts([text, prose(200, 25), edited(text, [100]), text.upper()], unit="page")
    assert members(report) == [["0", "2", "3"]]
    assert all((o.start, o.end) == (0, o.end) and o.text for o in report.groups[0].occurrences)
    assert report.summary.blocks == 4


def test_a_text_inside_another_is_contained():
    sentence = " ".join(words(12, 26))
    report = scan_texts([f"{prose(30, 27)} {sentence} {prose(30, 28)}", sentence])
    assert [(group.kind, group.text) for group in report.groups] == [("contained", sentence)]


def test_min_chars_and_min_similarity_hide_groups():
    texts = [lines(A, prose(60, 31), prose(10, 30)), lines(prose(10, 30), prose(60, 32), B)]
    everything = scan_texts(texts)
    assert {group.kind for group in everything.groups} == {"near", "exact"}
    alike = scan_texts(texts, min_similarity=0.99)
    assert [group.kind for group in alike.groups] == ["exact"]
    assert all(pair.similarity >= 0.99 for pair in alike.pairs())
    long = scan_texts(texts, min_chars=100)
    assert [group.kind for group in long.groups] == ["near"]
    assert not len(scan_texts(texts, min_chars=100_000).groups)


def test_a_group_is_as_long_as_its_longest_place_whichever_comes_first():
    """Its pair was listed, and the group was there in one order of the pages only."""
    long = prose(40, 34)
    short = " ".join(word for n, word in enumerate(long.split()) if n % 6)
    between = (len(short) + len(long)) // 2
    for texts in ([long, short], [short, long]):
        report = scan_texts(texts, min_chars=between)
        assert (len(report.groups), len(list(report.pairs()))) == (1, 1)
        assert (len(scan_texts(texts, min_chars=between, min_similarity=0.99).groups)) == 0
        assert not len(scan_texts(texts, min_chars=len(long) + 1).groups)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.6, 0.65, 0.9])
@pytest.mark.parametrize("unit", ["block", "page"])
def test_the_threshold_decides_what_is_near(threshold, unit):
    """Every sixth word is another one, so there is no run of eight beside it."""
    a, b = prose(60, 33), edited(prose(60, 33), range(0, 60, 6))
    report = scan_texts([a, b], threshold=threshold, exhaustive=True, shingle_size=2, unit=unit, min_dice=1.0)
    assert 0.5 < jaccard(a, b) < 0.6
    assert (len(report.groups) == 1) == (jaccard(a, b) >= threshold)


def test_find_exact_finds_no_edited_blocks():
    a, b = prose(60, 33), edited(prose(60, 33), range(0, 60, 6))
    report = scan_texts([a, b, a], find="exact")
    assert members(report) == [["0", "2"]]


def test_find_exact_reports_identical_text_only():
    report = scan_texts([A, B], find="exact")
    assert len(report.groups)
    assert {group.kind for group in report.groups} == {"exact"}


def test_accents_and_digits_are_folded_where_asked_for():
    a, b = "Été 1999: le café de la gare à l'est était fermé", "Ete 2024: le cafe de la gare a l'est etait ferme"
    assert not len(scan_texts([a, b]).groups)
    assert len(scan_texts([a, b], fold_accents=True, fold_digits=True).groups) == 1


def test_a_page_stays_that_is_like_a_page_that_goes_only(tmp_path):
    """B leads, and goes for A; what is like B but not like A stays, in a report that was read back too."""
    report = scan_texts([A, B, C], unit="page", threshold=0.5, shingle_size=2)
    assert (members(report), report.groups[0].representative) == ([["0", "1", "2"]], 1)
    assert report.keep.tolist() == [True, False, True]
    (tmp_path / "report.json").write_text(report.to_json(), "utf-8")
    assert read_json(tmp_path / "report.json").keep.tolist() == [True, False, True]


@given(parts=st.lists(st.sampled_from("abc"), min_size=8, max_size=60))
def test_equal_texts_are_never_near(parts):
    report = scan_texts([" ".join(parts)], find="exact")
    for group in report.groups:
        assert group.kind != "near"
    for pair in report.pairs():
        assert pair.kind != "near"


@needs_speed
@pytest.mark.parametrize("least", [0.6, 0.8, 0.9, 1.0])
def test_hidden_are_the_places_that_are_less_alike_not_their_groups(least):
    """A copy word for word stays where another place of its group is hidden; the same as what is filtered afterwards."""
    text = prose(30, 1)
    texts = [text, text, edited(text, [4, 20]), edited(text, [1, 2, 9, 14, 25])]
    hidden, filtered = scan_texts(texts, min_similarity=least), scan_texts(texts).at_similarity(least)
    of_both = [[(g.kind, g.similarity, g.representative, [(o.page, o.start, o.end) for o in g.occurrences]) for g in r.groups]
               for r in (hidden, filtered)]
    assert of_both[0] == of_both[1]
    assert {"0", "1"} <= {o.page for g in hidden.groups for o in g.occurrences}
    assert hidden.summary.duplicate_chars >= len(text)
    if least == 1:
        assert [g.kind for g in hidden.groups] == ["exact"]


def test_a_text_that_is_like_a_part_of_itself_makes_no_group_with_it():
    """The representative rule leaves a place alone whose text is linked to one of which another place overlaps it."""
    a = "loafb coacha crowdc towera ferryc lampe riverc loafb riverb valleye rivere smoked"
    x = a.replace("ferryc lampe", "n50 n89")
    y = "tickete towerf ticketa lampe valleya winterc ferryb banda towera crowdc coachf"
    report = dedup.scan(["\n\n".join([a, a, y, x, a, y, a, y])])
    assert len(report.groups) > 2
    for group in report.groups:
        places = sorted((place.page, place.start, place.end) for place in group.occurrences)
        assert all(one[0] != two[0] or one[2] <= two[1] for one, two in itertools.pairwise(places))


def test_a_text_word_for_word_inside_another_one_is_not_called_near_though_what_is_around_goes_on():
    """The exact match of the quote is part of a longer one: of the block before it, and of the stretch that comes back."""
    one = "The mayor opened the new bridge over the river on Sunday in front of a large crowd and a brass band."
    two = "Trains will cross it from the first of May, as the company said in its letter to the customers."
    quote = "The mayor opened the new bridge over the river on Sunday"
    for order in ([one, two, one, two, quote], [one, two, quote]):
        report = dedup.scan(["\n\n".join(order)])
        assert {group.kind for group in report.groups} <= {"exact", "contained"}
        text, covered = "\n\n".join(order), set[int]()
        for place in (place for group in report.groups for place in group.occurrences):
            for start, end in place.parts or [(place.start, place.end)]:
                covered.update(range(start, end))
        at = text.rindex(quote)
        assert covered.issuperset(range(at, at + len(quote)))


def test_copies_that_each_have_something_else_inside_are_shown_in_parts():
    """What stands in one of them only is no copy, and does not count as one."""
    paragraphs = [prose(30, n) for n in range(3)]
    new, teaser = prose(19, 50), prose(20, 51)
    texts = {"plain": lines(*paragraphs), "teaser": lines(paragraphs[0], teaser, *paragraphs[1:]),
             "news": lines(*paragraphs[:2], new, paragraphs[2])}
    report = scan_texts(texts)
    [group] = report.groups
    assert group.kind == "exact"
    assert [matched(place) for place in group.occurrences] == [paragraphs] * 3
    against = dedup.scan([texts["news"]], against=[texts["plain"], texts["teaser"]])
    share = sum(map(len, paragraphs)) / sum(map(len, [*paragraphs, new]))
    assert against.summary.duplicate_share == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize("order", ["-TT", "T-T", "TT-", "TUT", "-T-T", "T-T-", "TUTU"])
def test_what_two_of_several_copies_have_inside_is_in_a_group(order: str):
    paragraphs = [prose(30, n) for n in range(4)]
    inside = {"-": [], "T": [prose(14, 50)], "U": [prose(14, 51)]}
    texts = {str(n): lines(*paragraphs[:2], *inside[name], *paragraphs[2:]) for n, name in enumerate(order)}
    places = [place for group in scan_texts(texts).groups for place in group.occurrences]
    assert {place.page for place in places if inside["T"][0] in matched_of(place, texts)} == {
        str(n) for n, name in enumerate(order) if name == "T"}


def matched_of(place: Occurrence, texts: dict[str, str]) -> str:
    return "\n".join(texts[place.page][start:end] for start, end in place.parts or [(place.start, place.end)])
