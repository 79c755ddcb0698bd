"""The terminal report: what it says, in what order, and that nothing foreign reaches the terminal raw."""

from __future__ import annotations

import dataclasses
import io
import re
import time
from typing import Any

import pytest
from report_fakes import group, near_report, news_report, occurrence, page, pair, report
from rich.cells import cell_len
from rich.console import Console

from dedup import scan
from dedup.model import Gate, NearMiss, ReadError, Skipped, SmallRepeat, Verdict
from dedup.options import Options
from dedup.report import Report
from dedup.report.diff import differences, folded
from dedup.report.terminal import print_report
from dedup.report.text import one_line, percent, safe
from tests.scan_help import prose

HOSTILE = [
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J", "carriage\rreturn", "bidi \u202e reversed \u2066 isolated",
    "[bold red]markup[/] [link=file:///etc/passwd]x[/link] [/]", "lone \ud83d surrogate \udcff", "c1 \x9b31m \x85 next",
    "nul \x00 bell \x07 back\x08space del \x7f", "line \u2028 paragraph \u2029", "tags \U000e0041\U000e0042", ":smile:",
    "w" * 1_000_000, "字" * 100_000, "e" + "\u0301" * 5000, "tab\tand\nline feed",
]
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
                 "\U000e0000-\U000e0fff\ud800-\udfff]")


def test_what_stands_in_the_references_is_told_before_what_stands_twice_on_the_page() -> None:
    page = "\n\n".join([*(prose(40, n) for n in range(3)), "A label of nine words is set between the two", prose(40, 0)])
    found = scan([{"id": "new", "text": page}], against=[{"id": "old", "text": page}])
    for out in (printed(found), found.to_markdown()):
        told = out[out.index("What it amounts to"):].split("\n", 1)[1].strip()
        assert told[2:].startswith("the page is a copy of old")


def test_a_share_that_reads_the_same_without_template_is_said_once() -> None:
    news = news_report()
    same = report(news.pages, news.groups, duplicate_share=0.18112, content_share=0.18108)
    assert "18.1 % " in printed(same)
    assert "without template" not in printed(same) + same.to_markdown()
    other = report(news.pages, news.groups, duplicate_share=0.18112, content_share=0.17)
    assert "17.0 % without template" in printed(other)
    assert "17.0 % without template" in other.to_markdown()


def printed(shown: Report, top: int = 10) -> str:
    file = io.StringIO()
    print_report(shown, file, top)
    return file.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def hostile_report(text: str, is_comparison: bool = False) -> Report:
    """One string of others in every place that can hold one."""
    a = occurrence(text, text + " old end", 0, 3, path=text)
    b = occurrence("b" + text, text + " new end", 0, 7, similarity=0.9, path=f"/html/body/{text}/p[3]")
    verdicts = tuple(Verdict(kind, text, (0,)) for kind in (
        "rendered-twice", "teaser", "navigation", "navigation", "refrain", "template", "shared", "copy-of"))
    pages = [page(text, source="dir/" + text, verdicts=verdicts, small_repeats=(SmallRepeat(text, (1, 2)),)),
             page("b" + text, title=text, verdicts=verdicts)]
    shown = report(pages, [group(0, [a, b], "near"), group(1, [a, a])], [pair(a, b, "near", 0.9), pair(a, a)],
                   [Skipped(text, 3, (text,))], [ReadError(text, 3, text)], is_comparison=is_comparison)
    if is_comparison:
        shown.near_misses = (missed("windows", text=text),)
    return shown


# What it says.


def test_the_page_of_the_issue_is_told_in_one_sentence_at_the_top() -> None:
    text = printed(news_report())
    sentence = ("the article stands on this page twice: lines 5-17 again at 19-35, headline and 6 paragraphs, 1,639 "
                "characters; the teaser at line 21 is contained in line 9")
    assert sentence in flat(text)
    assert text.index("658 words") < text.index("the article stands") < text.index("small repeats") < text.index("#0")
    assert 'small repeats: "Thumbnail" (lines 3, 23)' in text
    assert "news.txt:5-17" in text
    assert "news.txt:19-35" in text


def test_groups_stand_in_the_order_of_what_they_waste_and_no_more_than_asked_for() -> None:
    groups = [group(n, [occurrence("a", "x" * n, 0), occurrence("a", "x" * n, 500)]) for n in range(1, 30)]
    text = printed(report([page("a")], groups), top=3)
    assert re.findall(r"^#(\d+) ", text, re.M) == ["29", "28", "27"]
    assert "and 26 more groups: --top 29" in text
    assert re.findall(r"^#(\d+) ", printed(report([page("a")], groups), top=0), re.M) == []


def test_no_more_than_five_places_of_a_group_are_listed() -> None:
    places = [occurrence("a", "some text", 20 * n, n + 1) for n in range(100)]
    text = printed(report([page("a")], [group(0, places)]))
    assert len(re.findall(r"^    a:\d+$", text, re.M)) == 5
    assert "and 95 more places" in text


def test_differing_words_are_marked_without_colour() -> None:
    text = printed(near_report())
    assert "[-Tuesday evening-]{+Wednesday+}" in flat(text)
    assert text.count("[-old-]") == 1, "copies with the same words share one list of differences"


@pytest.mark.parametrize(("share", "words"), [
    (0.9996, "99.9 %"), (0.99999999999, "99.9 %"), (1.0, "100 %"), (0.937, "93.7 %"), (0.0, "0.0 %"), (0.29, "29.0 %")])
def test_what_is_not_all_is_never_called_100_percent(share: float, words: str) -> None:
    assert percent(share) == words


def test_an_exact_group_is_called_exact() -> None:
    text = printed(report([page("a")], [group(0, [occurrence("a", "t"), occurrence("a", "t", 9)])]))
    assert "#0 exact " in text
    assert "100 %" not in text


def test_verdicts_of_many_pages_name_the_page_and_are_capped() -> None:
    pages = [page(f"p{n}.html", duplicate_chars=n, verdicts=(Verdict("rendered-twice", "the text stands twice", ()),))
             for n in range(30)]
    text = printed(report(pages), top=2)
    assert text.index("p29.html: the text stands twice") < text.index("p28.html: ")
    assert "p27.html" not in text
    assert "and 28 more pages: --top 30" in text


def test_navigation_refrains_and_templates_are_folded_into_a_line_each() -> None:
    pages = [page(f"{n}.html", verdicts=(
        Verdict("template", "the footer stands on 40 pages", (n % 2,)), Verdict("navigation", "a menu", (7,)),
        Verdict("navigation", "another menu", (8,)))) for n in range(40)]
    text = flat(printed(report(pages)))
    assert "navigation: 2 passages on 40 pages, such as on 0.html: a menu" in text
    assert "template of the site: 2 passages on 40 pages, such as on 0.html: the footer stands on 40 pages" in text
    assert text.count("menu") == 1


def test_second_renderings_come_before_folded_ones_and_copies_after() -> None:
    verdicts = (Verdict("shared", "SHARED", ()), Verdict("template", "TEMPLATE", ()), Verdict("teaser", "TEASER", ()),
                Verdict("rendered-twice", "TWICE", ()), Verdict("copy-of", "COPY", ()))
    text = printed(report([page("a", verdicts=verdicts)]))
    assert [text.index(w) for w in ("TWICE", "TEASER", "TEMPLATE", "COPY", "SHARED")] == sorted(
        text.index(w) for w in ("TWICE", "TEASER", "TEMPLATE", "COPY", "SHARED"))


def test_no_repeats_says_what_was_compared() -> None:
    text = flat(printed(report([page("a")])))
    assert "No repeats found within pages or across them. 8 blocks of 8 words or more were compared" in text
    assert "at least 50.0 % alike, and for any 8 words in a row that stand twice" in text
    text = flat(printed(report([page("a")], options=Options(unit="page", scope="across"))))
    assert "pages that are at least 80.0 % alike; inside pages nothing was looked for (--unit block)." in text
    assert "Nothing was long enough" in printed(report([page("a")], compared=0, short=10))


def test_what_was_too_short_is_said_with_the_length_that_it_takes() -> None:
    """Equal pages of seven words are silent; who wonders reads why."""
    assert "8 compared, 2 under 9 words" in printed(report([page("a")], short=2, options=Options(min_tokens=9)))
    assert "8 compared ·" in printed(report([page("a")], short=0))


def test_a_menu_of_all_pages_is_told_with_the_page_of_its_lines() -> None:
    pages = [page(f"{n}.html", verdicts=(Verdict("navigation", "a menu stands twice: ... at lines 8 and 21", (0,)),))
             for n in range(3)]
    text = flat(printed(report(pages, [group(0, [occurrence("0.html", "a b"), occurrence("1.html", "a b")])])))
    assert "navigation: 1 passage on 3 pages, as on 0.html: a menu stands twice: ... at lines 8 and 21" in text


def test_a_record_is_placed_by_file_line_and_id() -> None:
    pages = [page("doc-1", source="c.jsonl"), page("doc-2", source="c.jsonl")]
    text = printed(report(pages, [group(0, [occurrence("doc-1", "t", line=4), occurrence("doc-2", "t", line=5)])]))
    assert "c.jsonl:4 (doc-1)" in text
    assert "c.jsonl:5 (doc-2)" in text


def test_a_place_in_html_shows_the_end_of_its_path_where_there_is_room() -> None:
    path = "/html/body/main/div[2]/section[1]/div[3]/article/p[3]"
    a, b = (occurrence(name, "eight words that stand twice on two pages", 0, 3, path=path) for name in ("a.html", "b" * 55))
    out = printed(report([page("a.html"), page("b" * 55)], [group(0, [a, b])]))
    assert "    a.html:3  .../section[1]/div[3]/article/p[3]\n" in out
    assert "    " + "b" * 55 + ":3  .../article/p[3]\n" in out
    compared = printed(report([page("a.html"), page("b" * 55)], [group(0, [a, b])], [pair(a, b)], is_comparison=True))
    assert "  A a.html:3  .../section[1]/div[3]/article/p[3]\n" in compared
    assert "html:3\n" in printed(report([page("c.html")], [group(0, [occurrence("c.html", "x", 0, 3)] * 2)]))


def test_a_file_is_named_as_it_was_given() -> None:
    text = printed(report([page("a/b.txt", source="site/a/b.txt"), page("x")], [
        group(0, [occurrence("a/b.txt", "t", line=4), occurrence("x", "t", line=5)])]))
    assert "site/a/b.txt:4\n" in text


def test_what_was_not_compared_is_summed_up_at_the_end() -> None:
    errors = [ReadError("c.jsonl", n, "is no JSON (skipped)") for n in range(1, 1001)]
    text = flat(printed(report([page("a")], skipped=[Skipped("longer than --max-page-bytes", 12, ("x", "y"))],
                               errors=errors)))
    assert "12 skipped, longer than --max-page-bytes: x, y and 10 more" in text
    assert "is no JSON (skipped): c.jsonl:1, c.jsonl:2, c.jsonl:3 and 997 more" in text
    assert "12 skipped" in text
    assert "not readable" not in text  # most of these are the skipped ones: the two would not add up
    assert "1,000 not readable" in flat(printed(report([page("a")], errors=errors)))


def test_reasons_that_top_hides_are_counted() -> None:
    errors = [ReadError("-", n, f"reason {n}") for n in range(1, 4)]
    text = flat(printed(report([page("a")], errors=errors), top=1))
    assert "reason 1: -:1 and 2 more reasons: --top 3" in " ".join(text.replace("·", "").split())
    assert "reason 2" not in text
    verdicts = tuple(Verdict("rendered-twice", f"text {n}", (0,)) for n in range(3))
    again = report([page("a", verdicts=verdicts)], [group(0, [occurrence("a", "t", line=4), occurrence("a", "t", line=5)])])
    assert "text 0; and 2 more verdicts" in flat(printed(again, top=1))


def test_a_place_that_is_told_with_its_cause_is_not_told_as_skipped_too() -> None:
    errors = [ReadError("c.jsonl", 2, "is no JSON (skipped)"), ReadError("d.gz", None, "is damaged")]
    skipped = [Skipped("line is not valid JSON", 1, ("c.jsonl:2",)), Skipped("empty file", 2, ("d.gz", "e.txt")),
               Skipped("text field missing", 11, ("c.jsonl:2",))]
    text = flat(printed(report([page("a")], skipped=skipped, errors=errors)))
    assert text.count("line is not valid JSON") == 0
    assert text.count("is no JSON (skipped): c.jsonl:2") == 1
    assert "2 skipped, empty: d.gz, e.txt" in text
    assert "11 skipped, no field that holds a text: c.jsonl:2 and 10 more" in text


def test_passages_that_the_same_pages_share_are_told_once() -> None:
    def pages(*groups: int) -> list[Any]:
        return [page(f"{number}.txt", verdicts=(Verdict("shared", f"text {number}", (group,)),))
                for number, group in enumerate(groups)]
    text = printed(report(pages(0, 0, 1, 1, 0)))
    assert [f"text {number}" in text for number in range(5)] == [True, False, True, False, False]
    text = printed(report(pages(0, 0), options=Options(between="paper")))
    assert "text 0" in text
    assert "text 1" in text


def compared(old: str, new: str, **parts: object) -> str:
    """What is printed of a comparison with one near pair, behind its heading."""
    a = occurrence("a.txt", old, 0, 4, parts=parts.get("a"))
    b = occurrence("b.txt", new, 0, 9, similarity=0.8, parts=parts.get("b"))
    link = dataclasses.replace(pair(a, b, "near", 0.8), jaccard=0.777, dice=0.5, evidence=12.34)
    text = printed(report([page("a.txt"), page("b.txt")], [group(0, [a, b], "near")], [link], is_comparison=True))
    assert text.startswith("a.txt and b.txt · ")
    assert " of A, a.txt, lies in passages that stand in B too, edited " in " ".join(text.split())
    return text[text.index("1. near"):text.index("\nAll of it")]


def test_a_comparison_shows_both_places_the_measures_and_the_words_that_differ_in_one_text() -> None:
    assert compared("on Monday the council voted for the new bridge", "on Friday, the Council voted for the bridge") == (
        "1. near 80.0 % · 46 characters · jaccard .77 · dice .50 · evidence 12.3\n  A a.txt:4\n  B b.txt:9\n"
        "    on [-Monday-]{+Friday,+} the council voted for the [-new-] bridge\n")


def missed(gate: Gate, value: float | None = None, asked: float | None = None, text: str = "some text") -> NearMiss:
    a, b = occurrence("a.txt", text, 0, 4, 5), occurrence("b.txt", text + " too", 0, 9)
    return NearMiss(a, b, gate, value, asked, 12.5, 0.5, 0.19999, 0.5, 0.5, 0.5, 0.42, 6.96, 0.7)


def explained(misses: list[NearMiss], top: int = 10, **settings: Any) -> str:
    shown = report([page("a.txt"), page("b.txt")], is_comparison=True, options=Options(**settings))
    shown.near_misses = tuple(misses)
    return printed(shown, top)


def test_a_near_miss_is_told_with_its_gate_both_figures_the_flag_and_its_other_measures() -> None:
    assert ("Not reported, the nearest first\n"
            "  ● A lines 4-5 and B line 9: dice .37, .42 asked (--min-dice)\n"
            "    13 words · jaccard .19 · order .70 · evidence 6.9\n"
            "    A some text\n    B some text too\n") in explained([missed("min_dice", 0.3799, 0.42)])


@pytest.mark.parametrize(("gate", "value", "asked", "words"), [
    ("min_evidence", 6.999, 7.0, "evidence 6.9, 7 asked (--min-evidence)"),
    ("min_tokens", 7.0, 8.0, "7 words, 8 asked (--min-tokens)"),
    ("min_chars", 1199.0, 1200.0, "1,199 characters, 1,200 asked (--min-chars)"),
    ("min_similarity", 0.4567, 0.5, "similarity 45.6 %, 50.0 % asked (--min-similarity)"),
    ("threshold", 0.499, 0.5, "jaccard .49, .50 asked (--threshold)"),
    ("order", 0.5, 0.55, "words in another order: .50 alike, .55 asked; --find reworded takes any order"),
    ("words", 0.1, 0.2, "words that only begin alike: 10.0 % of them equal, 20.0 % asked"),
    ("find", None, None, "--find exact leaves it out; --find near finds it"),
    ("scope", None, None, "--scope within leaves it out"),
    ("exhaustive", None, None, "missed by chance; --exhaustive finds it"),
    ("windows", None, None, "too few of its windows of 24 words are alike"),
    ("overlap", None, None, "its words stand in a better passage"),
    ("runs", None, None, "it says no more than the equal runs in it, which are reported")])
def test_each_gate_has_its_words(gate: Gate, value: float | None, asked: float | None, words: str) -> None:
    shown = explained([missed(gate, value, asked)], find="exact", scope="within")
    assert f"A lines 4-5 and B line 9: {words}" in flat(shown)
    assert max(map(cell_len, shown.splitlines())) <= 80


def test_near_misses_are_capped_and_none_is_said_too() -> None:
    shown = explained([missed("windows")] * 5, top=2)
    assert shown.count("●") == 2
    assert "and 3 more near misses: --top 5" in shown
    assert "Nothing else came near." in explained([])
    assert "Not reported" not in printed(report([page("a.txt"), page("b.txt")], is_comparison=True))


def test_long_equal_stretches_of_a_passage_keep_its_first_and_last_words() -> None:
    text = "the ferry leaves the quay at ten past every hour and takes bicycles too"
    assert "\n    the ferry leaves the ... past every hour and [-takes-]{+has+} bicycles too\n" in compared(
        text, text.replace("takes", "has"))


def test_what_a_run_goes_over_is_not_compared_and_few_equal_words_between_changes_are_part_of_them() -> None:
    shown = compared("ONE two\n\nTHREE four", "ONE two\n\nan advertisement\n\nTHREE five",
                     a=((0, 7), (9, 19)), b=((0, 7), (27, 37)))
    assert "    ONE two [...] THREE [-four-]{+five+}\n" in shown
    assert "    a [-x y z w in u v t s-]{+k l m n in o p q r+} b\n" in compared(
        "a x y z w in u v t s b", "a k l m n in o p q r b")


def test_a_pair_too_long_to_be_compared_for_a_person_says_so_and_is_quick() -> None:
    old = " ".join(f"w{n * 7919 % 1_000_003}" for n in range(1_000_000))
    begin = time.perf_counter()
    shown = compared(old, "changed " + old)
    assert "    {+changed+} w0 w7919 " in shown
    assert shown.endswith("...\n")
    again = " ".join(f"w{n % 5003}" for n in range(1_000_000))  # no place to cut
    assert "    w0 w1 w2 w3 " in compared(again, "changed " + again)
    assert time.perf_counter() - begin < 10


def test_a_run_over_unmatched_blocks_shows_only_its_matched_stretches() -> None:
    first = occurrence("a", "ONE\n\nTWO", 0, parts=((0, 3), (5, 8)))
    again = occurrence("a", "ONE\n\nAD\n\nTWO", 100, similarity=0.95, parts=((100, 103), (109, 112)))
    text = printed(report([page("a")], [group(0, [first, again], "near", blocks=2)]))
    assert "ONE ¶ TWO" in text
    assert "AD" not in text
    assert "6 characters repeated" in text


# Where it is shown.


@pytest.mark.parametrize("shown", [news_report(), near_report(40), report(), report([page("a" * 300)])])
def test_eighty_columns_are_never_exceeded(shown: Report) -> None:
    assert max(map(cell_len, printed(shown).splitlines())) <= 80


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("is_comparison", [False, True])
@pytest.mark.parametrize("terminal", [False, True])
def test_foreign_text_is_harmless_short_and_in_its_columns(text: str, is_comparison: bool, terminal: bool) -> None:
    shown = hostile_report(text, is_comparison)
    file = io.StringIO()
    if terminal:  # colours off, so that every ESC would be the text's own
        Console(file=file, force_terminal=True, no_color=True, color_system=None, width=80).print(shown)
    else:
        print_report(shown, file)
    out = file.getvalue()
    assert not RAW.search(out)
    assert len(out) < 40_000
    assert max(map(cell_len, out.splitlines())) <= 80
    out.encode("utf-8")


def test_markup_of_others_is_shown_as_it_is() -> None:
    assert "[bold red]markup[/]" in flat(printed(hostile_report("[bold red]markup[/]")))
    assert ":smile:" in printed(hostile_report(":smile:"))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8"])
def test_any_encoding_will_do(encoding: str) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    for text in HOSTILE[:10]:
        print_report(hostile_report(text), file)
    print_report(news_report(), file)
    file.flush()
    assert max(map(cell_len, raw.getvalue().decode(encoding).splitlines())) <= 80


def test_no_color_and_dumb_terminals_get_no_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def shown() -> str:
        file = Terminal()
        print_report(near_report(), file)
        return file.getvalue()

    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[31m" in shown()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown()


def test_a_wide_terminal_is_not_filled() -> None:
    file = io.StringIO()
    Console(file=file, width=300).print(news_report())
    assert "Groups, the most wasteful first" in file.getvalue()


def test_a_group_of_300_000_places_take_a_moment() -> None:
    places = tuple([occurrence("a", "some text that is repeated", 0)] * 300_000)
    shown = report([page("a")], [group(0, places, "near")])
    begun = time.process_time()
    printed(shown)
    assert time.process_time() - begun < 2


# The parts.


def test_safe_keeps_ordinary_text_of_any_script() -> None:
    for text in ("naïve café", "今天天气很好", "नमस्ते", "می‌خواهم", "👩‍👩‍👧", "ქართული"):
        assert safe(text) == text


def test_one_line_cuts_between_words_and_never_exceeds_the_limit() -> None:
    for text in ("a b c", "word " * 100, "w" * 100, " " * 1000 + "x", "", "字" * 100):
        assert len(one_line(text, 20)) <= 20


def test_differences_put_together_are_both_texts() -> None:
    old, new = "a b c d e f g h", "a x c d f g g y h z"
    stretches = differences(old, new)
    assert " ".join(s.text for s in stretches if s.kind != "new") == old
    assert " ".join(s.text for s in stretches if s.kind != "old") == new
    assert differences("same text", "same  \n text") == [("same", "same text")]
    assert differences("", "x") == [("new", "x")]
    assert differences("", "") == []


def test_scripts_without_spaces_differ_by_character() -> None:
    assert [tuple(s) for s in differences("今天天气好", "今天天氣好")] == [
        ("same", "今天天"), ("old", "气"), ("new", "氣"), ("same", "好")]


def test_the_work_of_a_diff_is_bounded_and_what_was_left_is_said() -> None:
    old, new = " ".join(map(str, range(300_000))), " ".join(map(str, range(300_000, 1, -1)))
    begun = time.process_time()
    stretches = differences(old, new)
    assert time.process_time() - begun < 2
    assert stretches[-1].kind == "unread"


def test_long_equal_stretches_are_folded_to_their_words_beside_a_change() -> None:
    words = " ".join("abcdefghij")
    assert [s.text for s in folded(differences(f"{words} X {words}", f"{words} Y {words}"), 2)] == [
        "... i j", "X", "Y", "a b ..."]


def test_of_whole_pages_it_says_that_nothing_was_looked_for_inside_them():
    text = " ".join(printed(scan([prose(30, 1), prose(30, 2)], unit="page")).split())
    assert "No page is like another one. 2 pages of 8 words or more were compared; looked for pages that are at least" in text
    assert text.endswith("inside pages nothing was looked for (--unit block).")
