"""Any text goes through: nothing raises, the accounting holds, places cut back their texts."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup import compare, scan
from dedup.report.terminal import print_report
from tests.scan_help import assert_sound, edited, lines, needs_speed, places_of, prose

# Few words, so that they repeat; any script; what breaks tokenisers, encoders and terminals.
SCRIPTS = st.sampled_from([
    "a", "word", "Word", "WORD", "Straße", "STRASSE", "ﬁn", "don't", "3.5", "½", "中", "文字", "ひらがな", "ｶﾞ", "สวัสดี",
    "नमस्ते", "مُحَمَّد", "ـ", "\u0301",
    "e\u0301", "\u200b", "\u00ad", "\ufeff", "\ud800", "\udfff",
    "한글", "😀", "👩‍👩‍👧", "\0", "\x1b[2J", "\x07", "\u202e", "-", "…", "“x”", "(", "…)", "\u2028", "\x85",
    "\U0010ffff", "\ufdfa"])
ENDS = st.sampled_from([" ", " ", " ", "", "\n", "\n\n", "\r\n", "\r", "\t", "\f", "\u3000", "\u2029", "\n \n"])
LINES = st.lists(st.tuples(SCRIPTS, ENDS), max_size=60).map(lambda parts: "".join(a + b for a, b in parts))
ANY = st.text(st.characters(), max_size=60) | st.text(st.characters(categories=["Cs", "Cc", "Lo", "Mn"]), max_size=60)


@st.composite
def copied(draw: st.DrawFn) -> list[str]:
    """Pages that hold pieces of each other, and of themselves."""
    texts = draw(st.lists(LINES | ANY, min_size=1, max_size=5))
    for _ in range(draw(st.integers(0, 4))):
        source, target = (draw(st.integers(0, len(texts) - 1)) for _ in range(2))
        a, b = sorted((draw(st.integers(0, len(texts[source]))), draw(st.integers(0, len(texts[source])))))
        at = draw(st.integers(0, len(texts[target])))
        texts[target] = texts[target][:at] + texts[source][a:b] + texts[target][at:]
    return texts


SETTINGS = st.fixed_dictionaries({}, optional={
    "unit": st.sampled_from(["block", "page"]), "find": st.sampled_from(["exact", "near", "reworded"]),
    "exhaustive": st.booleans(), "max_places": st.integers(2, 64), "min_evidence": st.floats(0, 9),
    "min_dice": st.floats(0, 1),
    "min_tokens": st.integers(2, 10), "threshold": st.floats(0.1, 1.0), "shingle_size": st.integers(1, 8),
    "scope": st.sampled_from(["within", "across", "both"]), "fold_accents": st.booleans(), "fold_digits": st.booleans(),
    "min_chars": st.integers(0, 30), "min_similarity": st.sampled_from([0.0, 0.5, 1.0]), "seed": st.integers(0, 2**63 - 1),
    "pairs": st.booleans(), "with_text": st.booleans(), "threads": st.integers(1, 3), "partitions": st.integers(1, 5)
}).filter(lambda options: (options.get("unit"), options.get("scope")) != ("page", "within"))


def assert_written(report: Any) -> None:
    """Its JSON is UTF-8 and reads back; its terminal form has no control character of a page."""
    value = json.loads(report.to_json().encode("utf-8"))
    assert len(value["groups"]) == report.summary.groups
    for page in report.pages:
        assert all(v.text for v in page.verdicts)
    out = io.StringIO()
    print_report(report, out)
    assert not {"\x1b", "\0", "\x07", "\u202e", "\x85"} & set(out.getvalue())


@given(texts=copied(), options=SETTINGS)
@settings(max_examples=max(125, settings().max_examples))
@example(texts=["a " * 40, "a " * 40], options={"min_tokens": 2, "scope": "within"})
@example(texts=["\ud800 " * 20] * 3, options={"with_text": True, "pairs": True})
@example(texts=["中" * 50, "中" * 51], options={})
def test_any_pages_with_any_settings(texts, options):
    report = scan([{"id": str(i), "text": text} for i, text in enumerate(texts)], **options)
    assert not report.errors
    assert_sound(report, texts)
    assert_written(report)


@given(texts=copied())
def test_a_scan_repeats(texts):
    first, second = (scan([{"text": text} for text in texts], threads=n, partitions=2 * n - 1).to_json() for n in (1, 2))
    assert first == second


@given(texts=copied(), options=SETTINGS)
def test_any_comparison(texts, options):
    a, b = texts[0], texts[-1]
    report = compare({"id": "a", "text": a}, {"id": "b", "text": b}, **options)
    assert_sound(report, {"a": a, "b": b})
    assert_written(report)
    for pair in report.pairs():
        for measure in (pair.jaccard, pair.similarity, pair.containment_a, pair.containment_b, pair.indel_similarity):
            assert 0 <= measure <= 1


@given(texts=copied())
def test_an_unrelated_page_at_the_end_changes_no_place(texts):
    alone = places_of(scan([{"text": text} for text in texts]))
    other = " ".join(f"entirely{n}other" for n in range(50))
    assert places_of(scan([{"text": text} for text in [*texts, other]])) == alone


@st.composite
def articles_with_something_inside(draw: st.DrawFn) -> list[str]:
    """Pages that hold one article several times, with edits, paragraphs left out, and others between."""
    fresh = itertools.count(1000 * draw(st.integers(0, 10_000)))
    paragraphs = [prose(draw(st.integers(9, 40)), next(fresh)) for _ in range(draw(st.integers(2, 6)))]

    def copy() -> list[str]:
        out = []
        for paragraph in paragraphs:
            between, kind = draw(st.integers(-75, 25)), draw(st.integers(0, 9))
            out += [prose(between, next(fresh))] if between > 0 else []
            out += [] if kind == 0 else [edited(paragraph, {draw(st.integers(0, 8))}) if kind < 3 else paragraph]
        return out
    return [lines(*(text for _ in range(draw(st.integers(1, 3))) for text in [*copy(), "Label here"]))
            for _ in range(draw(st.integers(1, 4)))]


@given(texts=articles_with_something_inside())
@settings(max_examples=max(100, settings().max_examples))
def test_copies_of_an_article_that_differ_in_what_stands_between(texts):
    """Of several ways through two copies one is told, so that no pair is listed twice."""
    assert_sound(scan([{"id": str(i), "text": text} for i, text in enumerate(texts)]), texts)


HUGE = {
    "one word": "a" * 2_000_000, "one line of words": prose(300_000, 1), "one line of one word": "word " * 400_000,
    "Chinese without a break": "中文字符也是文字" * 25_000, "blanks": " \t" * 1_000_000, "line ends": "\n" * 2_000_000,
    "short lines": "menu\n" * 300_000, "NUL": "\0" * 1_000_000, "marks": "\u0301" * 1_000_000,
    "surrogates": "\ud800 x " * 200_000, "quotes": "“((" * 500_000, "the same paragraph": (prose(40, 2) + "\n\n") * 5_000,
}


@needs_speed
@pytest.mark.parametrize("name", HUGE)
@pytest.mark.parametrize("unit", ["block", "page"])
def test_huge_texts_are_bounded_work(name, unit):
    report = scan([{"text": HUGE[name]}, {"text": HUGE[name][:-1]}], unit=unit)
    assert_sound(report, [HUGE[name], HUGE[name][:-1]])
    assert report.summary.groups < 5_000
