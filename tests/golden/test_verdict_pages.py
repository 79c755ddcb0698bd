"""Small pages that a person can judge at a glance, on both sides of every border between the verdicts.

Each page of ``tests/golden/verdicts`` has one kind of repeat: its verdict stands here, with words that the repeat holds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dedup import scan
from dedup.options import Options
from dedup.pipeline import Stages, find_duplicates
from dedup.readers import open_pages
from dedup.verdict_kinds import NAMES, NAVIGATION
from dedup.verdicts import Judgement

PAGES = Path(__file__).parent / "verdicts"

RENDERED = {
    "device_copies.html": "two crowns, bicycles travel free",
    "accordion_and_plain.html": "Its handle stays cool",
    "carousel_clones.html": "soup for those who cannot sleep",
    "print_view.html": "The great kiln burns",
    "hidden_copy.html": "A choir of bakers",
    "label_between.html": "waiting list for the telescope",
    "post_with_quote_twice.html": "oats between the rows of beans",  # the post holds a quote, and stands twice itself
    "shortened_copy.html": "new chains",  # one sentence is shorter in the copy
    "main_in_a_menu_wrapper.html": "the harbour society sells cakes",  # class="menu-page" around everything
    "layout_table.html": "Honey from the upper slopes",  # a table that lays the page out
    "article_twice.txt": "the winch and both lamps",
    "article_twice.md": "a recipe that two families",
    "paragraph_pasted.md": "so that whoever comes next finds them",
}
REFRAIN = {
    "forum_quote.html": "the winch and both lamps",  # as long as an article, but quoted
    "forum_quote_by_class.html": "fed them sugar in late autumn",
    "mail_quote.txt": "Each carriage has six cabins",
    "quote.md": "Each carriage has six cabins",
    "signatures.html": "Sent from the bakery by a tired baker",
    "author_panes.html": "Member since the spring of 2009",
    "conditions_in_three_cards.html": "Repairs inside the first five years",
    "conditions_in_two_cards.html": "Repairs inside the first five years",
    "code_in_steps.html": "board = [[0]",
    "code_in_steps.md": "board = [[0]",
    "table_heads.html": "Leaves the east bank",
    "tables_with_the_same_rows.html": "the boat waits for the school bus from Holm",
    "tab_variants.html": "on weekdays and on Sundays alike",  # equal but for a word in each sentence
    "training_plan.html": "six short strides up the hill",  # weeks made of the same lines
    "product_cards.html": "chess pieces in boxwood and ebony",  # links, but no menu
    "product_names.html": "Oak desk lamp",  # one name opens another one, in cards of the same kind
    "label_in_every_card.html": "Valid until Sunday evening",
    "heading_of_every_section.html": "What to bring along",  # a heading in all places: no pointer to one
    "disclaimer.txt": "All figures come from the parish office",
    "phrase_in_two_paragraphs.html": "paid for by the people of the eleven villages",
}
TEASER = {
    "headline_in_a_list.html": "Ferry on the Lenne sails again",
    "table_of_contents.html": "Why the ferry is cheaper than the old bridge",
    "lead.html": "Beekeepers in the valley report",
    "teaser.txt": "Our night train leaves the capital",
    "teaser.md": "Our night train leaves the capital",
    "pull_quote.html": "Nobody reads music there",  # a blockquote, but of the page itself
    "claim.txt": "The blue glaze is mixed",
    "linked_summary.html": "keeps its reading room open",
}
MENUS = {
    "two_device_menus.html": "Letters",
    "header_and_footer_menu.html": "Letters",
    "link_lists_without_classes.html": "Letters",
    "menu_with_descriptions.html": "The kettle heats a litre",
    "cookie_notice.html": "You may accept all of them",
    "cookie_notice_without_classes.html": "You may accept all of them",
    "cookie_notice.txt": "You may accept all of them",
    "options.html": "Chestnut Pass",
    "filters.html": "Under twenty crowns",
    "breadcrumb.html": "Water and boats",
    "further_reading.html": "Further reading",
    "footer_twice.html": "Pictures and texts belong",  # at the end of the page, some of it links
    "newsletter_form.html": "tick the box below",
    "menu.txt": "Honey market",
    "menu.md": "Honey market",
}
NOTHING = ("no_repeats.html", "no_repeats.txt", "similar_sentences.html")
KINDS = {"rendered-twice": RENDERED, "refrain": REFRAIN, "teaser": TEASER, "navigation": MENUS}
EXPECTED = [(name, kind, words) for kind, pages in KINDS.items() for name, words in pages.items()]


def judge(name: str) -> Judgement:
    options = Options()
    return Judgement(find_duplicates(open_pages(PAGES / name, options), options, Stages())[0])


def test_every_page_is_judged():
    assert sorted([name for name, *_ in EXPECTED] + list(NOTHING)) == sorted(path.name for path in PAGES.iterdir())
    assert len(EXPECTED) + len(NOTHING) >= 50


@pytest.mark.parametrize(("name", "kind", "words"), EXPECTED, ids=[name for name, *_ in EXPECTED])
def test_the_page_has_this_verdict_and_no_other(name, kind, words):
    report = scan(PAGES / name)
    page, = report.pages
    assert {verdict.kind for verdict in page.verdicts} == {kind}
    groups = [report.groups[g] for verdict in page.verdicts for g in verdict.groups]
    assert any(words in " ".join(group.text.split()) for group in groups)
    assert all(verdict.evidence and verdict.text for verdict in page.verdicts)


@pytest.mark.parametrize("name", NOTHING)
def test_a_page_without_repeats_has_no_verdict(name):
    assert scan(PAGES / name).pages[0].verdicts == ()


@pytest.mark.parametrize(("name", "device"), [
    ("two_device_menus.html", True), ("menu_with_descriptions.html", True), ("header_and_footer_menu.html", False),
    ("link_lists_without_classes.html", False), ("options.html", False), ("further_reading.html", False)])
def test_a_menu_for_phones_is_told_from_that_of_the_footer(name, device):
    judgement = judge(name)
    stands = [s for s, kind in enumerate(judgement.within) if kind == NAVIGATION]
    assert stands
    assert judgement.device[stands].tolist() == [device] * len(stands)


def test_the_sentence_says_which_menus_stand_there_for_each_kind_of_device():
    verdict, = scan(PAGES / "two_device_menus.html").pages[0].verdicts
    assert verdict.text.startswith("a menu, filter or notice (17 words) stands on this page once for each kind of device: ")
    assert (verdict.evidence["device_copies"], verdict.evidence["in_navigation"]) == (1, 2)
    verdict, = scan(PAGES / "header_and_footer_menu.html").pages[0].verdicts
    assert verdict.text.startswith("a menu, filter or notice (17 words) stands on this page twice: ")
    assert (verdict.evidence["device_copies"], verdict.evidence["in_footer"]) == (0, 1)


def test_only_navigation_is_called_a_device_copy():
    judgement = judge("device_copies.html")
    assert [NAMES[kind] for kind in judgement.within] == ["rendered-twice"]
    assert not judgement.device.any()
