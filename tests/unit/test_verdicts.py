"""What a repeat amounts to: kinds and sentences on small pages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import Page, clean, scan
from dedup.sentences import shortened
from tests.scan_help import edited, lines, prose, scan_texts, verdicts

P = [prose(30, n) for n in range(8)]
HEADLINE = "Swing bridge opens again"
LOWER = ("lines", "line", "characters")


def kinds(report, page: int = 0) -> list[str]:
    return [v.kind for v in report.pages[page].verdicts]


def test_a_section_that_stands_again_in_order_is_a_second_rendering():
    report = scan_texts([lines("Menu", HEADLINE, *P[:4], "Thumbnail", HEADLINE, *P[:4], "Share")])
    assert kinds(report) == ["rendered-twice"]
    chars = len(HEADLINE) + sum(map(len, P[:4])) + 2 * 4
    assert verdicts(report, "rendered-twice")[0].endswith(
        f"stands on this page twice: lines 3-11 again at 15-23, headline and 4 paragraphs, {chars:,} characters")


@pytest.mark.parametrize(("between", "told"), [
    ([], None),
    (["Thumbnail"], 'the second copy also has "Thumbnail" of line 17'),
    ([" ".join(P[1].split()[:12]), "Label"], 'the second copy also has the teaser of line 17 and "Label" of line 19')])
def test_what_lies_inside_a_second_rendering_and_is_none_of_it_is_told(between, told):
    report = scan_texts([lines("Menu", HEADLINE, *P[:4], "Caption", HEADLINE, *between, *P[:4], "Share")])
    [verdict] = [v for v in report.pages[0].verdicts if v.kind == "rendered-twice"]
    assert verdict.evidence.get("besides") == told


def test_of_much_that_lies_inside_a_copy_the_first_blocks_are_named():
    again = [text for pair in zip(["One", "Two", "Three", "Four"], P[1:5], strict=True) for text in pair]
    report = scan_texts([lines(HEADLINE, *P[:5], "Caption", HEADLINE, P[0], *again)])
    assert report.pages[0].verdicts[0].evidence["besides"] == (
        'the second copy also has "One" of line 19, "Two" of line 23, "Three" of line 27 and 1 more')


def test_a_word_with_which_the_blocks_behind_two_copies_begin_is_no_block_of_them_where_one_has_a_gap():
    copy = [HEADLINE, *P[:3]]
    behind = [f"The {prose(6, 401)}", f"The {prose(20, 402)}"]
    report = scan_texts([lines(HEADLINE, "By Ann", *P[:3], behind[0], "Label", *copy, behind[1])])
    told = verdicts(report, "rendered-twice")[0]
    chars = len(HEADLINE) + sum(map(len, P[:3])) + 2 * 2
    assert f"twice: lines 1-9 again at 15-21, headline and 3 paragraphs, {chars:,} characters" in told


def test_what_lies_inside_a_copy_of_a_record_has_no_line():
    text = lines(HEADLINE, *P[:4], "Caption", HEADLINE, P[0], "Thumbnail", *P[1:4])
    [verdict] = scan([Page("a", text, record=True)]).pages[0].verdicts
    assert verdict.evidence["besides"] == 'the second copy also has "Thumbnail"'


def test_what_lies_between_matched_stretches_is_not_quoted():
    first, rest = "One short line here", P[0]
    report = scan_texts([lines(first, "Advert of the day", rest), lines(first, "Something else", rest)])
    [told] = verdicts(report, "shared")
    assert f'"{first} ... {" ".join(rest.split()[:4])}' in told


def test_each_place_of_a_teasers_text_is_told():
    teaser = " ".join(P[1].split()[:12])
    report = scan_texts([lines("Menu", teaser, P[0], P[1], P[2], P[3], P[1], P[4])])
    assert "the teaser at line 3 is contained in line 7, and again in line 13" in verdicts(report, "teaser")


def test_a_paragraphs_first_sentence_alone_on_a_line_is_a_teaser():
    teaser = " ".join(P[1].split()[:12])
    report = scan_texts([lines("Menu", teaser, P[0], P[1], P[2])])
    assert verdicts(report, "teaser") == ["the teaser at line 3 is contained in line 7"]


def test_a_sentence_alone_is_a_teaser_in_every_format(tmp_path):
    """One that the middle of a later paragraph has: text, Markdown and HTML are told alike."""
    blocks = [P[1], P[0], " ".join([prose(12, 40), P[1], prose(12, 41)])]
    html = "\n\n".join(f"<p>{block}</p>" for block in blocks)
    for name, text in (("a.txt", lines(*blocks)), ("b.md", lines(*blocks)), ("c.html", html)):
        (tmp_path / name).write_text(text)
        assert verdicts(scan(tmp_path / name), "teaser") == ["the teaser at line 1 is contained in line 5"]


def test_a_heading_of_which_a_paragraph_has_words_is_called_a_heading(tmp_path):
    title = prose(14, 42)[:-1]
    for heading, told in ((" ".join(title.split()[:10]), "the heading at line 1 is contained in line 3"),
                          (title, "part of the heading at line 1 stands again at line 3")):
        (tmp_path / "a.md").write_text(lines(f"# {heading}", f"{' '.join(title.split()[:10])} {P[0]}"))
        assert verdicts(scan(tmp_path / "a.md"), "teaser") == [told]


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_pages_that_differ_in_their_last_line_do_not_hide_that_each_has_its_article_three_times(pages):
    article, between = [prose(20, n) for n in range(3)], prose(9, 20)
    texts = [lines(*article, between, *article, between, *article, prose(12, 30 + n)) for n in range(pages)]
    report = scan_texts(texts)
    assert all("rendered-twice" in kinds(report, n) for n in range(pages))
    [first, *_] = clean([{"text": text} for text in texts]).pages
    assert first["text"].count(article[0]) == 1


def test_a_plan_made_of_short_pieces_is_no_second_rendering_because_of_another_page():
    steps = [prose(11, n) for n in range(4)]
    weeks = [line for n in range(4) for line in (f"Week {n}", *steps[:2], prose(6, 40 + n // 2), *steps[2:])]
    report = scan_texts([lines(*weeks, prose(12, 30 + n)) for n in range(2)])
    assert all("rendered-twice" not in kinds(report, n) for n in range(2))


def test_the_second_rendering_comes_before_the_teaser():
    teaser = " ".join(P[1].split()[:12])
    report = scan_texts([lines(HEADLINE, *P[:4], HEADLINE, teaser, *P[:4])])
    assert kinds(report)[:2] == ["rendered-twice", "teaser"]


def first_case(*again: str, label: str = "Thumbnail") -> str:
    """A news page as scrapers give it: a label, the article, its headline again, a teaser, the label, and once more."""
    return lines("Home | News", label, HEADLINE, *P[:4], HEADLINE, *again, "Share")


TEASER = " ".join(P[1].split()[:12])


def test_a_label_over_the_article_is_no_part_of_a_copy_with_an_edited_paragraph():
    edits = edited(P[1], {14, 20})
    report = scan_texts([first_case(TEASER, "Thumbnail", P[0], edits, P[2], P[3])])
    assert verdicts(report, "rendered-twice")[0].startswith(
        "the article stands on this page twice, nearly word for word: lines 5-13 again at 15-27, headline and 4 paragraphs, ")
    assert report.pages[0].verdicts[0].evidence["besides"] == (
        'the second copy also has the teaser of line 17 and "Thumbnail" of line 19')
    assert "the teaser at line 17 is contained in line 9, and again in line 23" in verdicts(report, "teaser")
    assert [(r.text, r.lines) for r in report.pages[0].small_repeats] == [("Thumbnail", (3, 19))]


def test_a_teaser_between_headline_and_text_may_be_as_long_in_scripts_without_spaces():
    """Their characters count half: 60 of them are 30 words, and bridged as 30 words are."""
    rng = np.random.default_rng(7)
    title, *paragraphs = ("".join(chr(0x4e00 + n) for n in rng.integers(0, 5000, count)) for count in (30, 180, 180, 180))
    teaser = paragraphs[1][:60] + "。"
    paragraphs[1] = teaser + paragraphs[1][60:]
    report = scan_texts([lines("首页", title, *paragraphs, title, teaser, "图片", *paragraphs, "分享")])
    [told] = verdicts(report, "rendered-twice")
    assert told.startswith("the article stands on this page twice: lines 3-9 again at 11-21, headline and 3 paragraphs")
    assert report.pages[0].verdicts[0].evidence["besides"] == (
        'the second copy also has the teaser of line 13 and "图片" of line 15')


def test_a_teaser_whose_sentence_was_edited_in_the_second_copy_is_no_refrain():
    edits = edited(P[1], {5, 9})
    report = scan_texts([first_case(TEASER, "Thumbnail", P[0], edits, P[2], P[3])])
    assert [told.startswith("the teaser at line 17 is contained in line 9") for told in verdicts(report, "teaser")] == [True]
    assert not verdicts(report, "refrain")


def test_what_stands_between_all_paragraphs_of_a_copy_is_named_once():
    again = [text for paragraph in P[:4] for text in (paragraph, "Advertisement")]
    report = scan_texts([lines(HEADLINE, *P[:4], "Caption", HEADLINE, *again, "Share")])
    assert report.pages[0].verdicts[0].evidence["besides"] == (
        'the second copy also has "Advertisement" of lines 17, 21 and 25')


def test_a_paragraph_that_changed_places_is_not_told_as_what_only_one_copy_has():
    short = prose(20, 9)
    again = lines(HEADLINE, P[0], P[1], short, "Caption", *P[2:4], "Print")
    report = scan_texts([lines(HEADLINE, P[0], short, *P[1:4], "Share", again)])
    besides = report.pages[0].verdicts[0].evidence["besides"]
    assert besides.startswith('the copies have "')
    assert besides.endswith('of lines 5 and 21 in another order; the second copy also has "Caption" of line 23')


def test_an_article_with_edits_in_each_paragraph_is_a_second_rendering_and_no_refrain():
    report = scan_texts([first_case(*(edited(text, {7, 21}) for text in P[:4]))])
    [told] = verdicts(report, "rendered-twice")
    assert told.startswith("the article stands on this page twice, with changes: lines 5-13 again at 15-23, headline and")
    assert not verdicts(report, "refrain")


def test_variants_under_headings_of_their_own_are_no_second_rendering():
    report = scan_texts([lines("By tram", *P[:4], "By bus", *(edited(text, {7, 21}) for text in P[:4]), "Share")])
    assert not verdicts(report, "rendered-twice")


@pytest.mark.parametrize("copy", [1, 2])
def test_three_copies_are_told_once_whichever_of_them_has_a_teaser_inside(copy):
    texts = [[HEADLINE, *([TEASER, "Label"] if n == copy else []), *P[:4]] for n in range(3)]
    report = scan_texts([lines("Home | News", *(text for each in texts for text in each), "Share")])
    [told] = verdicts(report, "rendered-twice")
    assert told.startswith("the article stands on this page 3 times: lines 3-")
    group = report.groups[0]
    assert (group.kind, len(group.occurrences)) == ("exact", 3)
    assert all(len(place.parts) == 2 for place in group.occurrences)
    assert [v.startswith("the teaser at line ") for v in verdicts(report, "teaser")] == [True]


@pytest.mark.parametrize("cut", ["...", "…", " …", "wo...", " [...]", "… Read more", "wo… »"])
def test_a_teaser_that_was_cut_short_is_one(cut):
    report = scan_texts([first_case(TEASER + cut, "Thumbnail", *P[:4])])
    assert verdicts(report, "teaser") == ["the teaser at line 17 is contained in line 9, and again in line 23"]
    assert "the teaser of line 17" in report.pages[0].verdicts[0].evidence["besides"]
    other = scan_texts([first_case(f"{TEASER} and then something else that was", "Thumbnail", *P[:4])])
    assert not verdicts(other, "teaser")


def test_of_a_refrain_three_places_are_named_and_the_others_counted():
    for count, places in ((3, "lines 1, 5 and 9"), (5, "lines 1, 5, 9 and 2 more")):
        report = scan_texts([lines(*(x for n in range(count) for x in (P[7], prose(60, 20 + n))))])
        [told] = verdicts(report, "refrain")
        assert f"stands on this page {count} times: " in told
        assert told.endswith(f" at {places}")


def test_a_line_that_stands_three_times_is_a_refrain():
    report = scan_texts([lines(*(x for n in range(4) for x in (P[7], prose(60, 20 + n))))])
    assert kinds(report) == ["refrain"]
    assert report.summary.content_share == 0 < report.summary.duplicate_share


def test_a_label_that_stands_twice_is_a_small_repeat_and_no_group():
    report = scan_texts([lines("Thumbnail", P[0], "Thumbnail", P[1])])
    assert [(r.text, r.lines) for r in report.pages[0].small_repeats] == [("Thumbnail", (1, 5))]
    assert not len(report.groups)
    assert not kinds(report)


def test_short_blocks_inside_a_second_rendering_are_no_small_repeats():
    report = scan_texts([lines(HEADLINE, P[0], "12 May", P[1], HEADLINE, P[0], "12 May", P[1])])
    assert report.pages[0].small_repeats == ()


def test_a_page_that_stands_again_is_a_copy_of_the_first():
    report = scan_texts({"a": lines(*P[:4]), "b": lines(*P[4:]), "c": lines(*P[:4])})
    assert [kinds(report, n) for n in range(3)] == [["shared"], [], ["copy-of"]]
    assert verdicts(report, "copy-of") == ["the page is a copy of a"]
    assert report.keep.tolist() == [True, True, False]


def test_an_edited_page_is_nearly_a_copy():
    report = scan_texts({"a": lines(*P[:4]), "b": lines(*P[:3], edited(P[3], [4, 20]))})
    assert verdicts(report, "copy-of") == ["the page is nearly a copy of a"]


def test_a_page_with_a_paragraph_of_its_own_is_nearly_a_copy():
    both = [prose(30, n) for n in range(20, 50)]
    report = scan_texts({"a": lines(prose(60, 60), *both), "b": lines(*both, prose(60, 61)), "c": lines(*both, "12 May")})
    assert verdicts(report, "copy-of") == ["the page is nearly a copy of a"] * 2


@pytest.mark.parametrize("find", ["exact", "near"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("change", "nearly"), [
    (lambda text: text, False), (str.upper, False), (lambda text: text + "\n\nNone of this is true.", True),
    (lambda text: text.replace(text.split()[20], "ninety", 1), True)])
def test_only_a_page_of_the_same_words_is_a_copy(change, nearly, turned, find):
    text = lines(prose(60, 1), prose(60, 2))
    pages = [text, change(text)]
    report = scan_texts(dict(zip("ab", pages[::-1] if turned else pages, strict=True)), find=find)
    assert verdicts(report, "copy-of") == [f"the page is {'nearly ' if nearly else ''}a copy of a"]


def test_a_copy_verdict_rests_on_a_group_and_says_nearly_where_texts_differ():
    a = prose(40, 20)
    b = edited(a, range(3, 40, 9))
    c = edited(b, range(1, 40, 7), "z")
    report = scan_texts([a, b, c])
    for page in report.pages:
        for verdict in page.verdicts:
            assert verdict.groups
            assert verdict.kind != "copy-of" or "nearly" in verdict.text


def test_equal_sets_are_no_equal_texts():
    a, b = "a b c d " * 30, "a b c d " * 29 + "a b d c d a b c"
    report = scan_texts([a, b], shingle_size=1, unit="page", threshold=0.8)
    assert [group.kind for group in report.groups] == ["near"]
    assert verdicts(report, "copy-of") == ["the page is nearly a copy of 0"]


def test_a_passage_on_two_pages_is_shared():
    report = scan_texts({"a": lines(prose(90, 30), P[0]), "b": lines(P[0], prose(90, 31))})
    assert [kinds(report, n) for n in range(2)] == [["shared"], ["shared"]]
    words = '"' + " ".join(P[0].split()[:8]) + '..."'
    assert verdicts(report, "shared") == [f"1 passage (30 words) stands on other pages too (b): line 3, {words}",
                                          f"1 passage (30 words) stands on other pages too (a): line 1, {words}"]


def test_of_other_pages_the_one_that_shares_most_words_is_named_first():
    teasers, article = [prose(10, 300 + n) for n in range(4)], P[:4]
    report = scan_texts([lines(*(f"{text} {prose(9, 310 + n)}" for n, text in enumerate(teasers))), lines(*article, *teasers),
                         lines("Print", *article)])
    assert "stand on other pages too (2, 0)" in report.pages[1].verdicts[0].text


def test_what_every_page_of_a_site_carries_is_its_template():
    site = [Page(f"s{n}", lines(P[0], prose(80, 40 + n), P[1]), source=f"s{n}", site="s.example") for n in range(6)]
    report = scan(site)
    assert all(kinds(report, n) == ["template"] for n in range(6))
    assert report.summary.content_share == 0 < report.summary.duplicate_share


def test_words_that_lie_in_two_passages_are_told_once():
    head, both = [prose(20, n) for n in (60, 61)], [prose(20, n) for n in (62, 63)]
    texts = {f"s{n}": lines(prose(70, 40 + n), *head, *(both if n % 2 else [])) for n in range(6)}
    texts |= {f"t{n}": lines(prose(70, 80 + n), *head[1:], *both) for n in range(3)}
    report = scan([Page(name, text, source=name, site="s.example") for name, text in texts.items()])
    for page, text in zip(report.pages, texts.values(), strict=True):
        [verdict] = [v for v in page.verdicts if v.kind == "template"]
        assert len(verdict.groups) > 1 or page.id[0] == "s"
        assert verdict.evidence["words"] == pytest.approx(len(text.split()) - 70, abs=0.5)


def test_how_many_pages_make_a_template_can_be_set():
    site = [Page(f"s{n}", lines(*([P[0]] if n < 4 else []), prose(80, 40 + n)), source=f"s{n}", site="s.example")
            for n in range(10)]
    assert kinds(scan(site)) == ["template"]
    assert kinds(scan(site, template_pages=5)) == ["shared"]
    assert kinds(scan(site, template_share=0.4)) == ["template"]
    assert kinds(scan(site, template_share=0.5)) == ["shared"]


def test_what_stands_on_several_sites_is_no_template():
    pages = [Page(f"s{n}", lines(P[0], prose(80, 40 + n)), source=f"s{n}", site=f"{n}.example") for n in range(6)]
    report = scan(pages)
    assert all(kinds(report, n) == ["shared"] for n in range(6))


def site_with(tmp_path, article, copies, others):
    """A site of HTML pages: one article at some addresses, and other articles, below one menu and above one footer."""
    foot = prose(14, 75)
    for n in range(copies + others):
        head, body = article if n < copies else (prose(7, 100 + n), [prose(40, 200 + 10 * n + k) for k in range(4)])
        advert = f"<aside><p>{prose(30, 900 + n)}</p></aside>"
        half = len(body) // 2
        first, second = ("".join(f"<p>{text}</p>" for text in part) for part in (body[:half], body[half:]))
        main = f"<main><h1>{head}</h1>{first}{advert}{second}</main>"
        (tmp_path / f"{n:02}.html").write_text(f"<body><nav>{prose(9, 76)}</nav>{main}<footer>{foot}</footer></body>",
                                            encoding="utf-8")
    return scan(tmp_path)


@pytest.mark.parametrize("stands", [1, 3, 1 << 18])
def test_an_article_at_several_addresses_of_a_site_is_no_template(tmp_path, monkeypatch, stands):
    monkeypatch.setattr("dedup.verdicts.STANDS", stands)
    report = site_with(tmp_path, (prose(7, 77), P[:4]), 3, 8)
    template = {number for page in report.pages for v in page.verdicts if v.kind == "template" for number in v.groups}
    told = [report.groups[number].occurrences[0].text for number in template]
    assert told
    assert not any(" ".join(text.split()[:8]) in part for text in P[:4] for part in told)
    assert [set(kinds(report, n)) for n in range(11)] == [{"template", "shared"}] * 3 + [{"template"}] * 8


def test_the_lead_that_lists_of_articles_quote_is_no_template_and_a_box_behind_each_headline_is_one(tmp_path):
    box, lead, foot = prose(20, 501), P[0], prose(30, 502)
    for n in range(12):
        headline = prose(7, 510) if n == 0 else prose(7, 520 + n)
        opening = lead if n == 0 else prose(30, 540 + n)
        cards = f"<h2>{prose(7, 510)}</h2><p>{lead}</p>" if n > 8 else f"<h2>{prose(7, 580 + n)}</h2>"
        (tmp_path / f"{n:02}.html").write_text(
            f"<body><main><h1>{headline}</h1><p>By Ann, {n} May</p><p>{opening}</p><p>{prose(60, 560 + n)}</p></main>{cards}"
            f"<main><h1>{headline}</h1><p>{box}</p></main><footer><h2>Paper</h2><p>{foot}</p></footer></body>", "utf-8")
    report = scan(tmp_path)
    told = {kind: {report.groups[number].occurrences[0].text for page in report.pages for v in page.verdicts
                   if v.kind == kind for number in v.groups} for kind in ("template", "shared")}
    assert {lead in text for text in told["template"]} == {False}
    assert any(lead in text for text in told["shared"])
    assert any(box in text for text in told["template"])
    assert any(foot in text for text in told["template"])


def test_the_template_before_a_shared_article_is_neither_quoted_nor_counted_with_it(tmp_path):
    report = site_with(tmp_path, (prose(7, 77), P[:4]), 2, 8)
    shared = next(v for v in report.pages[0].verdicts if v.kind == "shared")
    template = next(v for v in report.pages[0].verdicts if v.kind == "template")
    assert report.groups[shared.groups[0]].occurrences[0].text.startswith(prose(9, 76))  # with the menu
    assert f'"... {" ".join(prose(7, 77).split()[:4])}' in shared.text
    assert (shared.evidence["words"], template.evidence["words"]) == (7 + 4 * 30, 9 + 14)


def test_a_headline_that_most_pages_have_is_the_site_s_own(tmp_path):
    for n in range(6):
        (tmp_path / f"{n}.html").write_text(f"<body><h1>{prose(6, 78)}</h1><p>{P[0]}</p><p>{prose(60, 90 + n)}</p></body>",
                                            encoding="utf-8")
    assert all(kinds(scan(tmp_path), n) == ["template"] for n in range(6))


def test_a_menu_that_stands_twice_is_navigation(tmp_path):
    menu = "".join(f'<li><a href="/{n}">Section number {n} of the paper</a></li>' for n in range(8))
    html = f"<body><nav><ul>{menu}</ul></nav><p>{P[0]}</p><p>{P[1]}</p><nav><ul>{menu}</ul></nav></body>"
    (tmp_path / "p.html").write_text(html, encoding="utf-8")
    report = scan(tmp_path / "p.html")
    assert kinds(report) == ["navigation"]
    assert report.summary.content_share == 0


def test_each_verdict_rests_on_groups_of_its_page_and_shows_its_figures():
    teaser = " ".join(P[1].split()[:12])
    pages = [lines(HEADLINE, *P[:4], HEADLINE, teaser, *P[:4]), lines(*P[:4]), lines("x", P[6], "y", P[6], "z", P[6])]
    report = scan_texts(pages)
    seen = set()
    for page in report.pages:
        for verdict in page.verdicts:
            seen.add(verdict.kind)
            assert verdict.evidence
            assert verdict.groups
            for g in verdict.groups:
                assert page.id in {o.page for o in report.groups[g].occurrences}
    assert seen >= {"rendered-twice", "teaser", "refrain", "shared"}


def test_where_lines_do_not_tell_places_apart_characters_do():
    sentence = prose(12, 50)
    report = scan_texts([f"{sentence} {prose(40, 51)} {sentence} {prose(40, 52)}"])
    assert all(any(unit in v.text for unit in LOWER) or v.kind == "refrain" for v in report.pages[0].verdicts)


def test_a_page_without_repeats_has_no_verdicts_and_is_listed():
    report = scan_texts([lines(*P), "", "a few words"])
    assert [kinds(report, n) for n in range(3)] == [[], [], []]
    assert report.summary.duplicate_share == 0


def test_a_frame_that_overlapping_groups_make_up_is_no_copy(tmp_path):
    """Two menus in the header, groups inside groups: counted once, and what two pages share of it is no evidence."""
    links = "".join(f"<li><a href='/{word}'>{word} and all that</a></li>" for word in ("bread", "cakes", "prices", "people"))
    head = (f"<header><p>The bakery at the old mill in Orven, open since 1911.</p><nav class='desktop'><ul>{links}</ul></nav>"
            f"<nav class='mobile'><ul>{links}</ul></nav></header>")
    foot = "<footer><p>Old Mill Lane 3, Orven. Open from six to one, on Sundays from seven, closed on Mondays.</p></footer>"
    own = ["We bake with rye from two farms.", "Our cakes are sold by the slice.", "A loaf is three crowns.",
           "Four of us bake, and one sells.", "Come in and have a look.", "Write to us, or ring."]
    for i, text in enumerate(own):
        (tmp_path / f"{i}.html").write_text(f"<body>{head}<main><h1>Page {i}</h1><p>{text}</p></main>{foot}</body>")
    report = scan(tmp_path)
    assert not [v for page in report.pages for v in page.verdicts if v.kind == "copy-of"]
    assert report.keep.all()


def test_a_teaser_that_is_a_heading_behind_its_paragraph_stands_again_at_that_not_at_itself(tmp_path):
    text = "Smoke train coach engineer band. Night coach door river ticket."
    (tmp_path / "p.html").write_text(f"<p>{text}</p><p>a b c d</p><h2>{text}</h2>", "utf-8")
    [said] = verdicts(scan(tmp_path / "p.html"), "teaser")
    assert said == "the heading at characters 72-135 stands again at characters 0-63"


@given(st.text(st.sampled_from("ab \n\u2003"), max_size=900), st.integers(1, 50))
def test_a_quote_is_the_text_in_one_line_cut_between_words(text: str, limit: int) -> None:
    line = " ".join(text.split())
    assert shortened(text, limit) == (line if len(line) <= limit else line[:limit].rsplit(" ", 1)[0] + "...")


def test_the_words_of_a_refrain_are_those_of_its_quote_and_of_its_group():
    end, begin = "against the mill", "the keeper lit seven lamps before dusk"  # fewer of both are of the ends of neighbours
    report = scan_texts([lines(f"{prose(14, 92)} {end}", f"{begin} {prose(20, 93)}", "Menu",
                               f"{prose(14, 94)} {end}", f"{begin} {prose(20, 95)}")])
    assert [(verdict.text, report.groups[verdict.groups[0]].tokens) for verdict in report.pages[0].verdicts] == [
        (f'a refrain (10 words) stands on this page twice: "{shortened(f"{end} {begin}")}" at lines 1-3 and 7-9', 10)]


def test_a_word_with_which_the_block_before_a_teaser_ends_is_none_of_its_lines():
    report = scan_texts([lines(f"{prose(20, 50)} and", P[0], prose(30, 60), "now and", f"{P[0]} {prose(30, 51)}")])
    assert verdicts(report, "teaser") == ["the teaser at line 3 is contained in lines 7-9"]


def test_of_a_page_that_a_group_left_no_verdict_is_kept():
    """``at_similarity`` takes places out of a group; what was said of it on their pages goes with them."""
    text = prose(60, 1)
    texts = {"a": text, "b": text, "c": edited(text, [12, 30, 31]), "d": f"{text}\n\n{prose(30, 2)}"}
    report = scan([Page(name, own) for name, own in texts.items()])
    assert [o.page for o in report.groups[0].occurrences] == ["a", "b", "c", "d"]
    assert [[v.groups for v in page.verdicts] for page in report.pages][2]
    less = report.at_similarity(0.99)
    assert [o.page for o in less.groups[0].occurrences] == ["a", "b", "d"]
    assert [bool(page.verdicts) for page in less.pages] == [True, True, False, True]
