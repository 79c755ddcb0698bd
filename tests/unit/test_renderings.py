"""Second renderings of a page are told once, with nothing of what stands beside them: titles, related links, teasers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import dedup
from dedup import Page, scan
from dedup.renderings import Place, renderings
from tests.scan_help import edited, lines, prose, scan_texts, verdicts, words

P = [prose(30, n) for n in range(6)]
LONG = "Council votes for new parking rules in the old town"  # eight words or more are matched alone
ARTICLE = [LONG, *P]


def told(*blocks: str) -> list[str]:
    """What is said of second renderings and teasers on a page of plain text, up to its figures."""
    report = scan_texts([lines(*blocks)])
    return [text.split(", headline and")[0] for kind in ("rendered-twice", "teaser") for text in verdicts(report, kind)]


@pytest.mark.parametrize("related", [["Most read", LONG], ["Menu", "Share", LONG], ["Read also", LONG, prose(12, 50)]])
def test_a_headline_that_stands_again_behind_an_article_is_no_rendering(related):
    assert told("Menu", *ARTICLE, *ARTICLE, *related) == [
        "the article stands on this page twice: lines 3-15 again at 17-29",
        f"the headline of line 3 stands again at line {31 + 2 * related.index(LONG)}"]


@pytest.mark.parametrize(("before", "behind", "at"), [
    ([LONG, "Home"], [], "line 1"), (["Most read", LONG], [], "line 3"),
    (["Menu", "Home"], ["Most read", LONG, "Contact", LONG], "lines 37 and 41"),
    (["Menu", "Home"], ["Most read", f"1. {LONG}"], "line 37"), (["Menu", "Home"], ["Most read", f"{LONG} (12)"], "line 37")])
def test_another_place_of_the_headline_is_told_once_and_is_no_refrain(before, behind, at):
    report = scan_texts([lines(*before, *ARTICLE, "Share", *ARTICLE, *behind)])
    said, other = report.pages[0].verdicts
    assert said.text.startswith("the article stands on this page twice: lines 5-17 again at 21-33, headline and 6")
    assert (other.kind, other.text) == ("teaser", f"the headline of line 5 stands again at {at}")


def test_a_headline_that_stands_three_times_more_is_a_refrain():
    report = scan_texts([lines(*ARTICLE, "Share", *ARTICLE, *(text for n in range(3) for text in (f"Comment {n}", LONG)))])
    assert [v.kind for v in report.pages[0].verdicts] == ["rendered-twice", "refrain"]


@pytest.mark.parametrize(("title", "order"), [
    (title, order) for title in (LONG, "Swing bridge opens again")
    for order in [(1, 0, 2, 3, 4, 5), (0, 2, 3, 1, 4, 5), (0, 5, 1, 2, 3, 4), (1, 2, 3, 4, 5, 0), (5, 0, 1, 2, 3, 4)]
    if title == LONG or order[:2] != (1, 0)])  # there both paragraphs begin copies, one as good as the other
def test_a_paragraph_that_changed_places_belongs_to_the_second_rendering(title, order):
    page = lines("Menu", title, *P, "Share", title, *(P[n] for n in order))
    report = scan_texts([page])
    [verdict] = report.pages[0].verdicts
    assert verdict.text.startswith(
        "the article stands on this page twice: lines 3-15 again at 19-31, headline and 6 paragraphs, ")
    assert verdict.evidence["besides"].startswith("the copies have ")
    assert verdict.evidence["besides"].endswith(" in another order")
    assert sorted(verdict.groups) == [group.id for group in report.groups] == [0, 1]
    [cleaned] = dedup.clean([Page("a", page)]).pages
    assert not any(cleaned.text.count(text) > 1 for text in P)


ORDERS = [(0, 2, 4, 1, 3, 5), (1, 3, 5, 0, 2, 4), (5, 4, 3, 2, 1, 0), (2, 5, 0, 3, 1, 4), (3, 4, 5, 0, 1, 2),
          (0, 1, 5, 4, 3, 2), (1, 2, 0, 3, 5, 4), (3, 5, 4, 0, 2, 1)]  # of the last ones runs overlap


@pytest.mark.parametrize("title", [LONG, "Swing bridge opens again"])
@pytest.mark.parametrize("order", ORDERS)
def test_an_article_whose_copy_has_its_paragraphs_in_another_order_stands_twice(title, order):
    """Odd ones first make two runs that lie in each other's gaps; reversed ones make none."""
    page = lines("Menu", title, *P, "Share", title, *(P[n] for n in order), "Print")
    report = scan_texts([page])
    [verdict] = report.pages[0].verdicts
    assert verdict.kind == "rendered-twice"
    assert verdict.text.startswith(
        "the article stands on this page twice: lines 3-15 again at 19-31, headline and 6 paragraphs, ")
    assert verdict.evidence["besides"].endswith(" in another order")
    assert ("their paragraphs" in verdict.evidence["besides"]) == (order in [(5, 4, 3, 2, 1, 0), (3, 5, 4, 0, 2, 1)])
    assert sorted(verdict.groups) == [group.id for group in report.groups]
    assert report.summary.content_share == report.summary.duplicate_share > 0.4
    [cleaned] = dedup.clean([Page("a", page)]).pages
    assert cleaned.text.startswith(lines("Menu", title, *P))
    assert not any(cleaned.text.count(text) > 1 for text in P)


@pytest.mark.parametrize("put_in", [[prose(40, 60)], [prose(20, 60), "Advertisement"], [prose(25, 60), prose(25, 61)]])
@pytest.mark.parametrize("at", [2, 3, 4])
@pytest.mark.parametrize("copy", ["first", "second"])
def test_a_paragraph_that_was_put_into_one_copy_is_told_beside_the_article(put_in, at, copy):
    longer = [*ARTICLE[:at], *put_in, *ARTICLE[at:]]
    copies = [longer, ARTICLE] if copy == "first" else [ARTICLE, longer]
    report = scan_texts([lines(*copies[0], "Share", *copies[1])])
    [verdict] = report.pages[0].verdicts
    end, begin = 2 * len(copies[0]) - 1, 2 * len(copies[0]) + 3
    assert verdict.text.startswith(f"the article stands on this page twice: lines 1-{end} again at "
                                   f"{begin}-{begin + 2 * len(copies[1]) - 2}, headline and 6 paragraphs, ")
    assert verdict.evidence["besides"].startswith(f'the {copy} copy also has "{" ".join(put_in[0].split()[:8])}')


THE = [LONG, *(f"The {text}" for text in P)]  # an exact run goes on to the first word of whatever comes behind


@pytest.mark.parametrize(("again", "ends"), [
    ([LONG, *(THE[1 + n] for n in (2, 0, 3, 1))], "13-21"),
    ([*THE[:3], f"The {prose(20, 60)}", *THE[3:5]], "13-23"),
    ([*THE[:3], prose(20, 60), f"The {prose(20, 61)}", *THE[3:5]], "13-25")])
def test_paragraphs_that_begin_with_the_same_word_change_nothing(again, ends):
    [verdict] = scan_texts([lines(*THE[:5], "Share", *again)]).pages[0].verdicts
    assert verdict.text.startswith(f"the article stands on this page twice: lines 1-9 again at {ends}, headline and 4 ")


def test_the_end_of_a_copy_and_the_beginning_of_the_next_one_are_no_section():
    """They stand again in this order behind a copy that was cut, and the beginning of the first one behind them."""
    cut = ARTICLE[3:]
    [said] = told(*ARTICLE, "Share", *ARTICLE[:3], *cut, "Print", *cut, "Menu", *ARTICLE[:3])[:1]
    assert said.startswith("the article stands on this page ")
    [three] = verdicts(scan_texts([random_page(3, 131)[0]]), "rendered-twice")
    assert " 3 times" in three


def test_a_refrain_behind_what_only_one_copy_has_is_no_part_of_the_article():
    own, refrain = [prose(40, 60), prose(40, 61)], prose(12, 62)
    report = scan_texts([lines(*ARTICLE, refrain, "Share", *ARTICLE, *own, refrain, "Print")])
    assert [v.kind for v in report.pages[0].verdicts] == ["rendered-twice", "refrain"]
    assert ": lines 1-13 again at 19-31, " in report.pages[0].verdicts[0].text


def two_lists(texts: list[str], element: str, before: str = "") -> str:
    """HTML of texts, and of the same ones in reversed order."""
    return f"{before.format('number')}{'{}'}{before.format('name')}{'{}'}".format(
        *("".join(f"<{element}>{text}</{element.split()[0]}>" for text in some) for some in (texts, texts[::-1])))


@pytest.mark.parametrize("page", [
    two_lists([f"<a href=x>{text}</a>" for text in P], "li", "<p>By {}</p>"),  # a list of links
    two_lists([f"<a href=x>{prose(9, n)}</a>" for n in range(60, 68)], "li", "<p>By {}</p>"),  # a menu
    two_lists([prose(12, n) for n in range(60, 68)], "p", "<p>By {}</p>"),  # labels
    two_lists(P, "td", "</table><p>By {}</p><table>"), two_lists(P, "p", "<h3>By {}</h3>"),  # a table; tabs
    "".join(f"<p>{text}</p>" for n in range(6) for text in (prose(45, 60 + n), P[n % 3])),  # refrains between other text
    "".join(f"<p>{text}</p>" for text in [*P, *(text for n, p in enumerate(P) for text in (p, prose(60, 60 + n)))]),  # claims
    f"<p>{P[0]}</p><p>{P[1]}</p><p>Share</p><p>{P[1]}</p><p>{P[0]}</p>"])  # two paragraphs
def test_lists_menus_and_refrains_in_another_order_are_no_rendering(tmp_path, page):
    (tmp_path / "page.html").write_text(f"<body><main>{page}</main>")
    report = scan(tmp_path / "page.html")
    assert report.groups
    assert {v.kind for v in report.pages[0].verdicts} <= {"refrain", "navigation", "teaser"}


def test_two_articles_that_changed_places_are_two_renderings():
    one, other = ARTICLE[:4], ["Swing bridge opens again", *P[3:]]
    [first, second] = told(*one, *other, "Share", *other, *one)
    assert first.startswith("the article stands on this page twice: lines 1-7 again at ")
    assert second.startswith("the article stands on this page twice: lines 9-15 again at ")


def test_a_paragraph_that_stands_twice_in_each_copy_is_a_refrain_too():
    article = [LONG, *P[:3], P[0], *P[3:]]
    report = scan_texts([lines(*article, "Share", *article)])
    assert [v.kind for v in report.pages[0].verdicts] == ["rendered-twice", "refrain"]


LEAD = [LONG, prose(44, 60)]  # enough for a section


@pytest.mark.parametrize(("before", "between", "behind"), [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
@pytest.mark.parametrize("copies", [1, 2])
def test_a_teaser_of_headline_and_first_paragraph_is_one_and_stays(before, between, behind, copies):
    article, teaser = [*LEAD, *P], ["Read also", *LEAD, "More"]
    rest = [*between * teaser, "Print", *(copies - 1) * article, *behind * teaser, "Contact"]
    page = [*before * teaser, "Menu", *article, *rest]
    report = scan_texts([lines(*page)])
    at = 2 * (1 + page.index("Read also")) + 1
    [said] = verdicts(report, "teaser")
    assert said.startswith(f"the teaser at lines {at}-{at + 2} ")
    [cleaned] = dedup.clean([Page("a", lines(*page))]).pages
    left = [*before * teaser, "Menu", *article, *between * teaser, "Print", *behind * teaser, "Contact"]
    assert cleaned.text == lines(*left)
    assert dedup.clean([Page("a", cleaned.text)]).pages[0].text == cleaned.text


def test_a_headline_at_once_behind_two_articles_is_told_by_itself():
    page = ["Menu", *ARTICLE, *ARTICLE, LONG]
    assert told(*page) == ["the article stands on this page twice: lines 3-15 again at 17-29",
                           "the headline of line 3 stands again at line 31"]
    [cleaned] = dedup.clean([Page("a", lines(*page))]).pages
    assert cleaned.text == lines("Menu", *ARTICLE, LONG)


def test_a_teaser_behind_two_articles_is_told_as_one():
    assert told(*ARTICLE, *ARTICLE, *ARTICLE[:2]) == ["the article stands on this page twice: lines 1-13 again at 15-27",
                                                      "the teaser at lines 29-31 is contained in lines 1-13"]


def test_a_teaser_behind_two_articles_of_a_record_has_no_line():
    [report] = scan([Page("a", lines(*ARTICLE, *ARTICLE, *ARTICLE[:2]), record=True)]).pages
    assert [v.text for v in report.verdicts if v.kind == "teaser"] == [
        f'the teaser "Council votes for new parking rules in the old..." is contained in characters 0-{len(lines(*ARTICLE))}']


@pytest.mark.parametrize("before", [[LONG], [LONG, "Menu"], [LONG, "Home > News", "Menu"]])
@pytest.mark.parametrize("between", [[], ["Share"]])
def test_a_title_before_two_articles_belongs_to_neither(before, between):
    begin = 2 * len(before) + 1
    again = begin + 14 + 2 * len(between)
    said = told(*before, *ARTICLE, *between, *ARTICLE)
    assert said[0] == f"the article stands on this page twice: lines {begin}-{begin + 12} again at {again}-{again + 12}"
    assert not any("teaser" in text for text in said)


@pytest.mark.parametrize("navigation", ["<nav>{}</nav>", "<nav><ul><li>Home</li><li>News</li><li>{}</li></ul></nav>",
                                        "<nav><a href=/>{}</a></nav>"])
def test_breadcrumb_and_related_link_are_no_part_of_desktop_and_mobile_article(tmp_path, navigation):
    article = f"<h1>{LONG}</h1>\n" + "\n".join(f"<p>{text}</p>" for text in P)
    file = tmp_path / "page.html"
    file.write_text(f"{navigation.format(LONG)}\n<div class=desktop>\n{article}\n</div>\n"
                    f"<div class=mobile>\n{article}\n</div>\n"
                    f"<aside><h3>Most read</h3><ul><li><a href=1>{LONG}</a></li><li>Other</li></ul></aside>")
    assert verdicts(scan(Path(file)), "rendered-twice")[0].startswith(
        "the article stands on this page twice: lines 3-9 again at 12-18, headline and 6 paragraphs")
    dedup.clean(Path(file), tmp_path / "out")
    assert (tmp_path / "out/page.html").read_text().count(LONG) == 3


@pytest.mark.parametrize(("copies", "alike", "places"), [
    ([ARTICLE, ["Share", *ARTICLE], ["Share", *ARTICLE[:3], *ARTICLE[4:]]], "with changes", "1-15 again at 17-31 and 33-43"),
    ([ARTICLE, ["Share", *ARTICLE], ["Share", *ARTICLE[:5], *ARTICLE[6:]]], "with changes", "1-15 again at 17-31 and 33-43"),
    ([ARTICLE, ARTICLE[:-1], ARTICLE], "with changes", "1-13 again at 15-25 and 27-39"),
    ([ARTICLE, ["Share", *ARTICLE[:4], "Buy now", *ARTICLE[4:]], ["Share", *ARTICLE]], "nearly word for word",
     "1-15 again at 17-33 and 35-47"),
    ([ARTICLE, ["Share", *ARTICLE], ["Print", *ARTICLE]], None, "1-13 again at 17-29 and 33-45")])
def test_three_renderings_of_which_one_differs_are_told_as_three(copies, alike, places):
    report = scan_texts([lines(*(text for copy in copies for text in copy))])
    [said] = verdicts(report, "rendered-twice")
    assert said.startswith(f"the article stands on this page 3 times{f', {alike}' if alike else ''}: lines {places}, ")
    [verdict] = [v for v in report.pages[0].verdicts if v.kind == "rendered-twice"]
    assert verdict.evidence["copies"] == 3
    assert not verdicts(report, "refrain")


LABELS = ("Share", "Print", "Thumbnail", "Menu", "Advertisement", "Read more", "By Ann Author", "Newsletter", "Comments")


def random_page(copies: int, seed: int) -> tuple[str, int]:
    """An article in several copies, later ones cut at an end, with labels and teasers; and how many of them are sections."""
    rng = random.Random(f"{copies} copies, {seed}")
    paragraphs = [prose(rng.randint(15, 60), 1000 * seed + n) for n in range(rng.randint(2, 6))]
    article = [" ".join(words(rng.randint(3, 12), 1000 * seed + 99)), *paragraphs]
    blocks, sections = [f"Menu {seed}"], 0
    for number in range(copies):
        body, cut = article, rng.randint(1, len(article) // 2)
        if number and rng.random() < 0.35:
            body = article[cut:] if rng.random() < 0.5 else article[:-cut]
        is_lead = body[0] == article[0] and len(body) == 2
        sections += len(" ".join(body).split()) >= 40 and len(body) > 1 and not is_lead
        for text in body:
            if text in paragraphs and rng.random() < 0.12:
                blocks.append(rng.choice(LABELS))
            if text == paragraphs[0] and rng.random() < 0.2:
                blocks.append(" ".join(rng.choice(paragraphs).split()[:rng.randint(8, 12)]))
            blocks.append(text)
        blocks += [f"{rng.choice(LABELS)} {rng.randint(1, 99)}" for _ in range(rng.randint(0, 2))]
    return lines(*blocks), sections


# Beyond the rule: a headline before one copy only; a teaser that begins as the text behind the next copy's headline does.
@pytest.mark.parametrize(("copies", "least"), [(2, 1.0), (3, 0.95)])
def test_copies_are_told_in_one_sentence(copies, least):
    right = asked = 0
    for page, sections in (random_page(copies, seed) for seed in range(60)):
        if sections == copies:
            said, times = verdicts(scan_texts([page]), "rendered-twice"), "twice" if copies == 2 else f"{copies} times"
            asked, right = asked + 1, right + (len(said) == 1 and f" {times}" in said[0].split(":")[0])
    assert asked > 40
    assert right >= least * asked


@pytest.mark.parametrize("copies", [2, 3])
def test_cleaning_loses_no_block_of_an_article_and_no_order_and_is_done_at_once(copies):
    for page, _ in (random_page(copies, seed) for seed in range(20)):
        blocks = list(dict.fromkeys(page.split("\n\n")))
        [once] = dedup.clean([Page("a", page)]).pages
        [twice] = dedup.clean([Page("a", once.text)]).pages
        assert twice.text == once.text
        left = once.text.strip().split("\n\n")
        article = [block for block in blocks if block.endswith(".")]
        assert [block for block in dict.fromkeys(left) if block in article] == article


def test_conditions_in_three_cards_are_no_article():
    cards = [text for name in ("Basic", "Plus", "Premium") for text in (name, *P[:3])]
    assert not verdicts(scan_texts([lines(*cards)]), "rendered-twice")


@pytest.mark.parametrize("headline", ["Council votes for new parking rules in the old town again",
                                      "Council passes new parking rules for the old town"])
def test_an_article_edited_throughout_under_an_edited_headline_is_no_refrain(headline):
    again = [edited(text, {5, 15}) for text in P]
    report = scan_texts([lines(*ARTICLE, "Share", headline, *again)])
    [said] = verdicts(report, "rendered-twice")
    assert said.startswith("the article stands on this page twice, with changes: lines 1-13 again at 17-29, headline and 6")
    assert report.summary.content_share == report.summary.duplicate_share > 0.4


@pytest.mark.parametrize(("headline", "again"), [
    ("Swing bridge opens again", "Swing bridge is open again"),
    ("Swing bridge opens again", "Old swing bridge reopens today"),
    ("旋转桥重新开放", "旋转桥今天开放")])
@pytest.mark.parametrize("changed", [{7}, {5, 15}])
def test_an_edited_article_has_its_short_edited_headline(headline, again, changed):
    page = lines("Menu", headline, *P, "Share", again, *(edited(text, changed) for text in P), "Print")
    report = scan_texts([page])
    [said] = report.pages[0].verdicts
    assert said.text.startswith(
        "the article stands on this page twice, with changes: lines 3-15 again at 19-31, headline and 6 paragraphs")
    assert [o.text.split("\n")[0] for o in report.groups[0].occurrences] == [headline, again]


@pytest.mark.parametrize("again", ["Town hall is sold at last", "The bridge is shut"])
def test_an_edited_article_has_no_headline_that_is_another_one(again):
    page = lines("Menu", "Swing bridge opens again", *P, "Share", again, *(edited(text, {5, 15}) for text in P), "Print")
    [group] = scan_texts([page]).groups
    assert [o.text.split()[0] for o in group.occurrences] == [P[0].split()[0]] * 2


@pytest.mark.parametrize("label", ["Read more", "Show more"])
@pytest.mark.parametrize("behind", ["first", "second"])
def test_a_label_that_shares_a_word_with_the_end_of_an_edited_copy_is_no_part_of_it(label, behind):
    """The other copy ends with that word; where both end with the label, it is a part."""
    last = prose(30, 77)[:-1]
    one, other = [LONG, *P[:3], f"{last} more."], [LONG, *(edited(text, {5, 15}) for text in (*P[:3], f"{last}."))]
    first, second = (other, one) if behind == "first" else (one, other)
    labels = (label, "Share") if behind == "first" else ("Share", label)
    [group] = scan_texts([lines("Menu", *first, labels[0], "Print", *second, labels[1], "Comments")]).groups
    assert [o.text for o in group.occurrences] == [lines(*first), lines(*second)]
    [group] = scan_texts([lines("Menu", *first, label, "Print", *second, label, "Comments")]).groups
    assert [o.text for o in group.occurrences] == [lines(*first, label), lines(*second, label)]


def test_an_edited_last_line_is_a_part():
    """It is as short as a label, but has most of its words in common."""
    one, other = [LONG, *P[:3], "Find this site there today"], [LONG, *(edited(text, {5, 15}) for text in P[:3])]
    [group] = scan_texts([lines("Menu", *one, "Print", *other[:-1], f"{other[-1][:-1]}; find this website there today",
                                "Comments")]).groups
    assert [o.text.endswith("there today") for o in group.occurrences] == [True, True]


def place(row: int, first: int, last: int, words: int = 40) -> Place:
    return Place((row,), dict.fromkeys(range(first, last + 1), words))


def test_what_goes_on_at_both_places_is_a_rendering_of_its_own():
    """A text twice in each of two copies, and a paragraph behind: the copies are longer than what stands four times."""
    four = [place(n, 4 * n, 4 * n + 1) for n in range(4)]
    longer = [place(4, 0, 6), place(5, 8, 14)]
    assert [each.stand for each in renderings({0: four, 1: longer})] == [0, 1]


def test_renderings_that_have_nothing_in_common_are_told_each():
    stands = {n: [place(2 * n, 20 * n, 20 * n + 3), place(2 * n + 1, 20 * n + 10, 20 * n + 13)] for n in range(3)}
    assert [(each.stand, each.within) for each in renderings(stands)] == [(0, []), (1, []), (2, [])]


def test_an_article_twice_on_a_page_that_has_lost_its_line_ends_is_told_and_cleaned():
    article = " ".join([f"{LONG}.", *(text.capitalize() for text in P)])
    text = f"Menu {article} {P[0].capitalize()} Share {article} Contact"  # a teaser between: it stands three times
    report = scan_texts([text])
    said = report.pages[0].verdicts[0]
    assert said.kind == "rendered-twice"
    assert said.text.startswith(f"most of the page stands on it twice: characters 5-{5 + len(article)} again at ")
    assert f" again at {text.rindex(LONG)}-" in said.text
    removed = sum(len(r.text) for r in dedup.clean([text], max_removed=1.0).removals if r.verdict == "rendered-twice")
    assert removed > 0.8 * len(article)
    beside = f"{text} {' '.join(prose(40, n) for n in range(50, 62))}"  # there it is not most of the block
    assert not verdicts(scan_texts([beside]), "rendered-twice")


def test_a_long_paragraph_pasted_again_is_told_as_one():
    between = [prose(20, 71), prose(35, 72)]
    assert told(prose(59, 70), *between, prose(59, 70)) == []
    assert told(prose(60, 70), *between, prose(60, 70)) == ["a paragraph stands on this page twice: line 1 again at 7, "
                                                            f"{len(prose(60, 70)):,} characters"]
    assert told(prose(60, 70), between[0], prose(60, 70), between[1], prose(60, 70)) == []  # three times it is no slip
    assert told(f"{prose(60, 70)} {prose(9, 73)}", *between, prose(60, 70)) == [
        "the teaser at line 7 is contained in line 1"]


def test_a_word_with_which_the_next_paragraphs_begin_is_no_paragraph():
    """``The ...`` behind both copies: an exact run takes it in, and the sentence does not."""
    behind = ["The " + prose(25, 60), "The " + prose(25, 61)]
    [told_once] = told(*ARTICLE, behind[0], *ARTICLE, behind[1])
    assert told_once == "the article stands on this page twice: lines 1-13 again at 17-29"
    [verdict] = scan_texts([lines(*ARTICLE, behind[0], *ARTICLE, behind[1])]).pages[0].verdicts
    assert ", headline and 6 paragraphs, " in verdict.text
    before = [prose(25, 62) + " and", prose(25, 63) + " and"]
    length = len(lines(*P).strip())
    assert told(before[0], *P, "Share", before[1], *P) == [
        f"most of the page stands on it twice: lines 3-13 again at 19-29, 6 paragraphs, {length:,} characters"]
    once = prose(45, 64)  # a paragraph is no section, with a word behind it neither
    assert not told(once, behind[0], prose(30, 65), once, behind[1])
    thrice = told(*ARTICLE, behind[0], *ARTICLE, behind[1], *ARTICLE)
    assert thrice == ["the article stands on this page 3 times: lines 1-13 again at 17-29 and 33-45"]


def test_a_lead_on_top_of_another_text_is_the_teaser_of_an_article_that_stands_twice():
    lead = prose(50, 70)
    article = [LONG, lead, *P[:3]]
    assert told(LONG, lead, prose(45, 71), *article, "Share", *article) == [
        "the article stands on this page twice: lines 7-15 again at 19-27",
        "the teaser at lines 1-3 is contained in lines 7-15"]


def test_what_a_front_page_shows_of_an_article_rendered_twice_is_no_refrain_there():
    headline, first = "Council votes to reopen the old swing bridge", prose(20, 80)
    article = [headline, f"{first}. {prose(30, 81)}.", prose(40, 82)]
    pages = [lines(prose(30, 83), *article, "Share", *article), lines(prose(30, 84), headline, f"{first}.", prose(30, 85))]
    story, front = scan_texts(pages).pages
    assert [verdict.kind for verdict in story.verdicts] == ["rendered-twice", "shared"]
    assert [verdict.kind for verdict in front.verdicts] == ["shared"]
    assert len(story.verdicts[0].groups) == 2  # what the front page has of it is told with the article


# A letter a block: headlines of three and ten words, notes of twelve, a label, paragraphs of thirty.
LETTERS = {"h": "Council votes now", "L": LONG, "n": prose(12, 90), "m": prose(12, 91), "s": "Share",
           **{str(n): prose(30, n) for n in range(1, 5)}}


@pytest.mark.parametrize(("blocks", "teaser"), [
    ("L2424L2", "the teaser at line 13 is contained in lines 3-5"),  # a paragraph that opens the copies is no headline
    ("n123n4n12421n34", "the teaser at line 29 is contained in lines 11-17"),  # the first copy lacks it
    ("h241hh4m1m2hm42", "the teaser at line 15 is contained in lines 19-27"),
    ("nn321n31", "the teaser at line 3 is contained in lines 11-15")])  # it lies between the ends of the first copy
def test_a_teaser_is_told_once_and_of_a_copy_that_holds_it(blocks, teaser):
    [report] = scan_texts([lines(*(LETTERS[letter] for letter in blocks))]).pages
    assert [v.text for v in report.verdicts if v.kind == "teaser"] == [teaser]


def test_what_is_longer_than_a_headline_is_not_told_as_that_headline_again():
    assert told(*ARTICLE[:4], "Share", *ARTICLE[:4], "Menu", f"{LONG} {prose(12, 99)}") == [
        "the article stands on this page twice: lines 1-7 again at 11-17",
        "the teasers at lines 1 and 11 are contained in line 21"]


def test_headlines_that_end_alike_are_not_told_as_equal():
    heads = "Council votes for new parking rules", "Young members march against new parking rules"
    [said] = told(heads[0], *P[:3], "Share", heads[1], *P[:3])
    assert said == "the article stands on this page twice, nearly word for word: lines 1-7 again at 13-17"


def test_a_teaser_between_the_stretches_of_which_other_words_stand_is_contained_in_nothing():
    note, line = prose(11, 80), prose(10, 81)
    page = [note, P[0], line, note, P[0], line, line, prose(20, 82), P[0], note]
    texts = [v.text for v in scan_texts([lines(*page)]).pages[0].verdicts if v.kind == "teaser"]
    assert texts[-1] == "the teaser at lines 5-9 stands again at lines 13-17"
    assert not any("13-17 is contained" in text for text in texts)
