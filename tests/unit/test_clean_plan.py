"""What goes and what stays, over texts that a person can judge at a glance."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.api import clean, scan
from dedup.cleaning import plan
from dedup.cleaning.choices import Choices
from dedup.cleaning.signs import sign_digests
from dedup.errors import GuardError, OptionError

FERRY = "The night ferry to Orven leaves from the north pier at a quarter past nine."
BAKER = "Every loaf in the window had been baked before the street lamps went out."
TOWER = "From the tower one sees three rivers and the smoke of a single train."
OTHER = "Nobody remembers who painted the door of the old customs house blue."
ARTICLE = "\n\n".join([FERRY, BAKER, f"{TOWER} {OTHER}"])


def texts(*pages: str, **settings: object) -> list[str]:
    """The cleaned pages."""
    return [page["text"] for page in clean([{"id": str(i), "text": text} for i, text in enumerate(pages)], **settings).pages]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def test_a_second_rendering_goes_and_what_dangles_in_it_too():
    page = f"Photo\n\nThe news of today\n\n{ARTICLE}\n\nThe news of today\n\nPhoto\n\n{ARTICLE}\n\nShare this page"
    cleaned, = texts(page)
    assert cleaned == f"Photo\n\nThe news of today\n\n{ARTICLE}\n\nShare this page"


def test_readers_keep_what_other_pages_have_too():
    pages = [f"First of all, this. {FERRY}", f"And now that. {FERRY}"]
    assert texts(*pages) == pages


def test_a_corpus_keeps_one_of_what_pages_share():
    assert texts(f"First of all, this. {FERRY}", f"And now that. {FERRY}", for_="corpus") == [
        f"First of all, this. {FERRY}", "And now that."]


def test_half_a_sentence_never_goes():
    """What the pages share begins and ends inside a sentence."""
    shared = "leaves from the north pier at a quarter past nine in the evening and nobody waits"
    pages = [f"The ferry {shared} for those who are late.", f"Our boat {shared} for you."]
    assert texts(*pages, for_="corpus") == pages


def test_equal_pages_are_one_page_of_a_corpus():
    done = clean([ARTICLE, OTHER + " It is a page.", ARTICLE], for_="corpus")
    assert len(done.pages) == 2
    assert done.accounting.dropped == 1
    assert [removal.place.page for removal in done.removals if removal.verdict == "copy-of"] == ["2"]


def test_pages_are_compared_however_alike_their_digests_are(monkeypatch):
    digests = plan.word_digests

    def all_alike(corpus):
        pages, prints = digests(corpus)
        return pages, np.zeros_like(prints)
    monkeypatch.setattr(plan, "word_digests", all_alike)
    monkeypatch.setattr(plan, "sign_digests", lambda text, start, end: np.zeros(len(start), np.uint64))
    pages = ["It is shut today.", "It is open today.", "It is shut today.", "It is open today."]
    assert list(scan([{"id": str(n), "text": text} for n, text in enumerate(pages)]).keep) == [True, True, False, True]


@pytest.mark.parametrize(("keep", "meta", "kept"), [
    ("first", (), "a"), ("longest", (), "b"), ("date:max", ("date",), "c"), ("date:min", ("date",), "b"),
    (lambda page: {"a": 2, "b": 1, "c": 0}[page.id], (), "c"),
])
def test_which_copy_stays_is_a_setting(keep, meta, kept):
    pages = [{"id": "a", "text": f"A says. {FERRY}", "date": "2021"},
             {"id": "b", "text": f"B says a lot more than that. {FERRY}", "date": "2020"},
             {"id": "c", "text": f"C says. {FERRY}", "date": "2022"}]
    done = clean(pages, for_="corpus", keep=keep, meta=meta)
    assert [page["id"] for page in done.pages if FERRY in page["text"]] == [kept]


@pytest.mark.parametrize(("values", "kept"), [
    (["9", "10", ""], "b"), ([2**53, 2**53 + 1, 3], "b"), (["nan", "3", "7"], "c"), (["2021-05", "2021-11", None], "b")])
def test_the_greatest_value_is_found_among_odd_ones(values, kept):
    pages = [{"id": i, "text": f"{i.upper()} says this. {FERRY}", "v": v} for i, v in zip("abc", values, strict=True)]
    done = clean(pages, for_="corpus", keep="v:max", meta=("v",))
    assert [page["id"] for page in done.pages if FERRY in page["text"]] == [kept]


@pytest.mark.parametrize(("one", "other"), [
    ("-5 °C", "5 °C"), ("C#", "C++"), ("p > 5 bar", "p < 5 bar"), ("$80", "€80"), ("5 ± 1", "5 1"), ("a ≤ 3", "a ≥ 3"),
    ("1/5", "1-5"), ("1:5", "1,5"), ("1–5", "1 5"), ("10² m", "102 m"), ("10⁻³", "10 3"), ("–5 °C", "5 °C"),
    ("“-5 °C”", "“5 °C”"), ("of\xa0-5 °C", "of\xa05 °C"), (".5 mm", "5 mm"), ("5‰", "5"), ("฿5", "৳5"),
    ("\uff0b5", "\uff0d5"), ("👍", "👎"), ("✓", "✗"), ("★★★☆☆", "★★★★★"), ("⇒", "⇐"), ("▲ 5", "▼ 5"), ("♀", "♂")])
def test_signs_that_change_what_a_sentence_says_count(one, other):
    text = "We keep the sample of the second series at {} because the others did not survive the night."
    pages = [text.format(one), text.format(other)]
    assert texts(*pages, for_="corpus") == pages
    longer = [f"It rained that day. {page}" for page in pages]
    assert all(sign in page for sign, page in zip((one, other), texts(*longer, for_="corpus"), strict=True))


@pytest.mark.parametrize(("label", "other"), [("5 °C", "-5 °C"), ("C", "C# and more"), ("Up ▼", "Up ▲")])
def test_signs_count_between_the_parts_of_a_second_rendering_too(label, other):
    again = f"{FERRY}\n\n{label}\n\n{BAKER}\n\n{TOWER}"
    page = f"{other}\n\n{FERRY}\n\n{BAKER}\n\n{TOWER}\n\nThis stands in the middle of the page.\n\n{again}"
    cleaned, = texts(page)
    assert cleaned.rstrip().endswith(f"middle of the page.\n\n{label}")
    cleaned, = texts(page.replace(other, label))
    assert cleaned.rstrip().endswith("middle of the page.")


@pytest.mark.parametrize(("name", "source"), [
    ("a.txt", "{0}\n\n★★★★★\n\n{1}\n\n{2}\n\nIn between.\n\n{0}\n\n★★☆☆☆\n\n{1}\n\n{2}\n"),
    ("a.txt", "{0}\n★★★★★\n{1}\n{2}\nIn between.\n{0}\n★★☆☆☆\n{1}\n{2}\n"),
    ("a.md", "- {0}\n- ★★★★★\n- {1}\n- {2}\n\nIn between.\n\n- {0}\n- ★★☆☆☆\n- {1}\n- {2}\n"),
    ("a.md", "![red](a.png)\n\n- {0}\n- {1}\n- {2}\n\nIn between.\n\n- {0}\n- ![★★☆☆☆](a.png)\n- {1}\n- {2}\n"),
    ("a.html", "<p>{0}<p>★★★★★<p>{1}<p>{2}<p>In between.<p>{0}<p>★★☆☆☆<p>{1}<p>{2}"),
    ("a.html", "<p>{0}<br>★★★★★<br>{1}<p>{2}<p>In between.<section><p>{0}<br>★★☆☆☆<br>{1}<p>{2}</section>"),
])
def test_symbols_that_stand_alone_are_not_lost_with_the_words_around_them(tmp_path, name, source):
    (tmp_path / name).write_text(source.format(FERRY, BAKER, TOWER), "utf-8")
    clean(tmp_path / name, tmp_path / "out", max_removed=1.0)
    cleaned = (tmp_path / "out" / name).read_text("utf-8")
    assert cleaned.count(FERRY) == cleaned.count(BAKER) == cleaned.count(TOWER) == 1
    assert "★★☆☆☆" in cleaned


def test_equal_symbols_go_with_the_words_around_them():
    page = f"{FERRY}\n\n★★★★★\n\n{BAKER} → {TOWER}"
    cleaned, = texts(f"{page}\n\nThis stands in the middle of the page.\n\n{page}")
    assert cleaned.rstrip() == f"{page}\n\nThis stands in the middle of the page."


def test_signs_are_told_apart_wherever_they_stand_in_the_bytes_of_a_text():
    """Where the columns are cut changes nothing, and a place is one of a code point, whatever stands beside it."""
    signs = ["-5", ".5", "–5", "“-5", "x-5", "1/5", "1⁄5", "1–5", "²", "★", "👍", "＋", "৳", "+", "#", "≤"]
    text = " é ".join(signs).encode()
    ends = np.cumsum([len(f"{sign} é ".encode()) for sign in signs])
    starts = ends - [len(f"{sign} é ".encode()) for sign in signs]
    found = sign_digests(np.frombuffer(text, np.uint8), starts, np.minimum(ends, len(text)))
    alone = [sign_digests(np.frombuffer(f" {sign} ".encode(), np.uint8), np.array([0]), np.array([len(sign.encode()) + 1]))[0]
             for sign in signs]
    assert found.tolist() == alone
    assert [sign for sign, digest in zip(signs, alone, strict=True) if not digest] == ["x-5"]


@pytest.mark.parametrize("together", [1, 40, 4_000_000])
def test_what_stands_before_and_behind_a_page_has_no_say_in_its_signs(together, monkeypatch):
    """Of two equal pages that begin with a minus one follows a word and one a full stop."""
    monkeypatch.setattr("dedup.cleaning.signs.TOGETHER", together)
    cold = "-5 degrees it was in the night before we left, and 8 bar were > 7"
    pages = ["It rained on this page for all of the day without an end", cold, "On this one nobody was there but the cat.",
             cold, cold.replace("-5", "5")]
    assert texts(*pages, for_="corpus", unit="page") == [*pages[:3], pages[4]]


def test_punctuation_and_case_do_not_count():
    text = "We keep the sample of the second series at home, because the others did not survive the night."
    assert texts(f"First this. {text}", f"Then that. {text.upper().replace(',', ' -')}", for_="corpus")[1] == "Then that."


def test_near_copies_go_only_if_asked_and_the_lost_text_is_told():
    pages = [f"{FERRY} {BAKER} {TOWER}", f"{FERRY.replace('night', 'late')} {BAKER} {TOWER.replace('single', 'lonely')}"]
    exact = clean(pages, for_="corpus")
    near = clean(pages, for_="corpus", what="near")
    assert all("late" in " ".join(exact.pages) and "lonely" in " ".join(exact.pages) for _ in "1")
    assert "late" not in " ".join(near.pages)
    assert any(removal.similarity < 1 and "late" in removal.text for removal in near.removals)


@pytest.mark.parametrize("drop", ["pages", "passages"])
def test_equal_pages_that_are_nearly_a_copy_of_another_one_go_with_each_other(drop):
    steps = [f"{FERRY}", f"{BAKER}", f"{TOWER}"]
    first = "\n\n".join(steps)
    second = "\n\n".join([steps[1].replace("the", "a", 1), steps[0], steps[2]])
    pages = [{"id": name, "text": text} for name, text in zip("abc", (first, second, second), strict=True)]
    done = clean(pages, for_="corpus", what="near", drop=drop, max_removed=1.0)
    assert scan(pages).keep.tolist() == [True, False, False]
    assert [page["id"] for page in done.pages] == ["a"]
    assert {removal.kept.page for removal in done.removals} == {"a"}


def test_only_the_verdicts_that_are_named_go():
    page = f"The news of today\n\n{ARTICLE}\n\nThe news of today\n\n{ARTICLE}"
    assert texts(page, verdicts=("teaser",)) == [page]
    assert texts(page, verdicts=("rendered-twice",)) != [page]


def test_a_guard_stops_when_too_much_would_go():
    pages = [f"Page number {i} of twelve. {ARTICLE}" for i in range(12)]
    with pytest.raises(GuardError, match="more than 50%; most of it: ") as stopped:
        clean(pages, for_="corpus")
    assert re.search(r"most of it: [a-z]+ \(group \d+\) \d+%", str(stopped.value))
    assert len(clean(pages, for_="corpus", max_removed=1.0).pages) == 12
    assert len(clean(pages[:3], for_="corpus").pages) == 3
    with pytest.raises(GuardError):
        clean(pages[:3], for_="corpus", max_removed=0.1)


@pytest.mark.parametrize(("wrong", "answer"), [
    ({"for_": "robots"}, "'robots' is not one of readers, docs, corpus, reuse"), ({"keep": "best"}, "'best' is no rule"),
    ({"verdicts": ("twice",)}, "'twice' is no verdict"), ({"max_removed": 2.0}, "2.0 is out of range"),
    ({"drop": "all"}, "'all' is not one of passages, pages"), ({"what": "some"}, "'some' is not one of exact, near"),
])
def test_wrong_choices_are_refused(wrong, answer):
    with pytest.raises(OptionError, match=re.escape(answer)):
        Choices(**wrong)


def test_a_field_that_no_page_has_is_refused():
    with pytest.raises(OptionError, match="no page has the field 'when'"):
        clean([ARTICLE, ARTICLE], for_="corpus", keep="when:min")


SENTENCES = [
    FERRY, BAKER, TOWER, OTHER, "He agreed.", "Yes!", "Thumbnail",
    "The end of the story is known to all who were there that day.",
    "The night ferry to Orven leaves late on Sundays, too, as all of us know by now.",
]
pages = st.lists(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=7).flatmap(
    lambda lines: st.sampled_from([" ", "\n", "\n\n"]).map(lambda gap: gap.join(lines))), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(pages=pages, for_=st.sampled_from(["readers", "corpus"]), keep=st.sampled_from(["first", "longest"]))
def test_every_sentence_stays_once_and_a_second_cleaning_takes_nothing(pages, for_, keep):
    done = clean(pages, for_=for_, keep=keep, max_removed=1.0)
    assert done.accounting.is_balanced
    left = [" ".join(words(text)) for text in done.pages]
    for text in pages:
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
            assert any(" ".join(words(sentence)) in page for page in left)
    again = clean(list(done.pages), for_=for_, keep=keep, max_removed=1.0)
    assert list(again.pages) == list(done.pages)
    assert not again.removals
