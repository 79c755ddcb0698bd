"""report.html in a browser, used as a person uses it; loudly skipped where there is none.

Whatever is done: no request, no dialog, no word on the console, nothing that axe-core objects to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.model import Verdict
from dedup.report.html import to_html, viewer
from dedup.report.text import percent
from dedup.report.view import Limits
from tests.browser.browser_help import AXE, ROOT, Opened, Windows, needs_browser, site, started_browser
from tests.scan_help import lines, needs_speed, prose
from tests.unit.report_fakes import group, occurrence, page, report

pytestmark = [pytest.mark.slow, needs_browser, needs_speed, pytest.mark.xdist_group("browser")]
EXAMPLES = ROOT / "examples"
Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started_browser() as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports that are looked at."""
    folder = tmp_path_factory.mktemp("reports")
    made = {
        "news": dedup.scan(EXAMPLES / "news.html"), "small": dedup.scan(EXAMPLES / "site"), "site": dedup.scan(site()),
        "pair": dedup.compare(EXAMPLES / "ferry-spring.txt", EXAMPLES / "ferry-summer.txt", explain=True),
        "nothing": dedup.scan([prose(50, 1), prose(50, 2)]), "empty": dedup.scan([]),
    }
    for name, one in made.items():
        one.write(folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture(scope="module")
def windows(browser: Any) -> Windows:
    return Windows(browser)


@pytest.fixture
def opened(windows: Windows, files: dict[str, Path], tmp_path: Path) -> Iterator[Open]:
    """Opens reports, and sees to it that none of them did what it must not."""
    used: list[Opened] = []

    def open_one(what: Any, hash_: str = "", **settings: Any) -> Opened:
        file = files[what] if isinstance(what, str) else tmp_path / f"{len(used)}.html"
        if not isinstance(what, str):
            file.write_text(to_html(what, settings.pop("limits", Limits())), encoding="utf-8")
        used.append(Opened(windows, file, hash_, **settings))
        return used[-1]

    yield open_one
    wrong = [entry for window in used for entry in window.wrong]
    for window in used:
        window.close()
    assert not wrong


# The example page.


def test_the_answer_is_read_first(opened: Open):
    view = opened("news")
    assert view.is_titled("The article stands on this page twice.")
    assert ("Lines 39–45 again at 48–59, headline and 6 paragraphs, 1,644 characters; the second copy also has the teaser "
            "of line 49 and “Thumbnail” of line 52.") in view.text(".answer")
    assert "48.7 %" in view.text(".figures")
    assert view.text(".counted") == ("2 passages in all. Percentages are of characters; where two passages overlap, the text "
                                     "counts once. Lines are those of the file: its HTML source.")
    assert view.page.locator(".facts dd").all_inner_texts() == ["667", "326"]
    assert [" ".join(one.split()) for one in view.page.locator(".places .where").all_inner_texts()] == [
        "lines 39–45, again at 48–59", "line 41, again at 49 and 55"]
    assert view.text(".overview").count("teaser") == view.text(".overview").count("Thumbnail” of") == 1  # not once more below
    assert not re.search(r'["]|[.]{3}', view.text())  # one kind of quotes and dots
    box = view.page.locator("h1").bounding_box()
    assert box["y"] < 300
    assert view.page.locator("svg .arc").count() == 3
    assert view.page.locator(".arcs").bounding_box()["y"] < 900  # arcs are on the first screen


def test_all_of_a_page_is_there_with_its_repeats_marked(opened: Open):
    view = opened("news")
    view.page.click(".fold")
    shown = re.sub(r"\s+", " ", " ".join(view.page.locator(".text p").all_text_contents()))
    text = next(iter(dedup.open_pages(EXAMPLES / "news.html"))).text
    assert shown.strip() == re.sub(r"\s+", " ", text)
    assert view.page.locator(".text .covered").count() == 15
    assert view.page.locator(".text mark").count() == 2


def test_each_marked_stretch_has_its_label_and_each_paragraph_its_line(opened: Open):
    view = opened("news")
    found = view.page.locator(".text p, .begin").evaluate_all(
        "all => all.map(one => one.dataset.line ?? (one.querySelector('[data-number]')?.dataset.number ?? one.innerText))")
    expected = ["30", "36", "0 lines 39–45 also lines 48–59", "39", "40", "41", "1", "42", "43", "44", "45",
                "0 lines 48–59 also lines 39–45", "48", "1 line 49 also line 41 and line 55", "49", "52", "0 goes on", "54",
                "55", "1", "56", "57", "58", "59", "62", "63"]
    assert [" ".join(one.split()) for one in found][:len(expected)] == expected
    first = view.page.locator(".text p[data-line='41']")
    assert first.evaluate("p => getComputedStyle(p, '::before').content") == '"41"'
    assert view.page.locator(".inside .badge").first.get_attribute("aria-label") == (
        "Passage 1, line 41, also line 49 and line 55")
    marked = view.page.locator("p[data-line='41'] mark")
    assert marked.inner_text().startswith("Engineers had to rebuild the pivot")
    assert view.page.locator(".places").inner_text().count("line 41") == 1


def test_the_picture_of_arcs_says_what_it_is(opened: Open):
    view = opened("news")
    assert view.text(".arcs figcaption").startswith("Where this page repeats itself\n\nThe bar is the page, from its")
    assert view.page.get_by_role("figure", name="Where this page repeats itself").count() == 1
    small = opened("small", "#/page/1")
    assert small.text(".arcs h2") == "What of this page stands on others"


def test_a_text_many_times_in_a_row_is_told_so(opened: Open):
    row = "row one two three four five six seven eight nine ten"
    view = opened(dedup.scan([lines(prose(20, 1), *[row] * 40, prose(20, 2), row)]), "#/passages/0")
    assert "Stands 41 times." in view.text(".card")
    assert view.text(".place-table").count("39 times in a row") == 1
    assert view.text(".both h3") == "The same words in both places, 39 times in a row in the second"
    assert view.text(".both p") == row
    view.go("#/page/0")
    assert "39 times in a row" in view.text(".text .begin:not(.inside) >> nth=1")
    assert "(39 times in a row)" in view.text(".places")


def test_what_was_left_out_is_told_in_words(opened: Open, tmp_path: Path):
    rows = [json.dumps({"text": text}) for text in (prose(30), 5, prose(30), [7])]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\0\0")
    view = opened(dedup.scan(tmp_path))
    assert view.page.locator("[aria-labelledby=troubles] li").all_inner_texts() == [
        "2 records were left out: The text is something else, such as a list or a number. rows.jsonl, lines 2, 4",
        "1 file was left out: No reader for .png. a.png"]
    assert view.page.locator("bdi", has_text="rows.jsonl").last.get_attribute("title") == f"{tmp_path.as_posix()}/rows.jsonl"


def test_a_guessed_encoding_is_told_apart_from_what_was_not_compared(opened: Open, tmp_path: Path):
    (tmp_path / "a.txt").write_text(prose(30) + " café", encoding="latin-1")
    view = opened(dedup.scan(tmp_path))
    assert not view.page.locator("[aria-labelledby=troubles]").count()
    assert view.text("[aria-labelledby=notes] h2") == "Read with a guess"
    assert "encoding" in view.text("[aria-labelledby=notes] li")


def test_an_arc_and_its_passages_lead_to_each_other(opened: Open):
    view = opened("news", height=500)
    assert view.page.evaluate("scrollY") == 0
    view.page.locator(".places").get_by_role("button", name="lines 48–59").click()
    view.until("scrollY > 300")
    assert view.page.locator(".begin.lit .line").inner_text() == "lines 48–59"
    assert view.page.locator(".arc.lit").count() == 1
    view.page.evaluate("scrollTo(0, 0)")
    view.page.locator(".arc").nth(1).dispatch_event("click")
    assert view.page.locator(".begin.lit .line").inner_text() == "line 49"


def test_two_places_stand_side_by_side(opened: Open):
    view = opened("news", "#/passages/0")
    assert view.text(".card h2") == "Passage 0: 307 words, word for word, with other words between"
    assert view.text(".key-line") == "only on this side, between what is shared"
    for part in (".passage-list .chosen .quote", ".both"):  # what is not shared is quoted nowhere
        assert not view.page.locator(part, has_text="Thumbnail").count()
    heads = view.page.locator(".diff-heads p").all_inner_texts()
    assert heads == ["news.html, lines 39–45", "news.html, lines 48–59"]
    rows = view.page.locator(".diff-row:not(.diff-heads)")
    assert rows.count() == 8  # seven blocks, and the teaser that only the second copy has
    assert "Thumbnail" in rows.nth(1).locator(".between").first.inner_text()
    for n in (0, 2, 7):
        left, right = (rows.nth(n).locator(".wide-only").nth(side) for side in (0, 1))
        assert left.inner_text() == right.inner_text() != ""
        assert left.bounding_box()["y"] == right.bounding_box()["y"]


def test_wide_places_have_thin_arcs_and_brackets(opened: Open):
    view = opened("news")
    assert view.page.locator(".arcs-bracket").count() == 2
    assert "a bracket shows how far a long one goes" in view.text(".arcs figcaption")
    widest = view.page.locator(".arc").evaluate_all("all => Math.max(...all.map(arc => arc.getBBox().width))")
    assert widest < 600  # of 1000: the article's arc is no hill over all of the page
    narrow = opened("news", width=390, height=844)
    assert narrow.page.locator(".arcs svg").bounding_box()["height"] < 130


# A small site, a comparison.


def test_the_same_words_in_all_places_are_told_so_and_the_first_place_is_named(opened: Open):
    view = opened("small", "#/passages/0")
    assert view.text(".both h3") == "The same words in all 6 places"
    acts = view.page.locator(".acts").all_inner_texts()
    assert [" ".join(act.split()) for act in acts] == ["Copy placethe first", *["Copy placeCompare"] * 5]
    left = view.page.locator(".acts .copy").evaluate_all("all => new Set(all.map(one => one.getBoundingClientRect().x)).size")
    assert left == 1  # one under the other
    for name in ("Ignore", "Copy place"):
        assert len(view.page.get_by_role("button", name=name).first.get_attribute("title")) > 20


def test_template_and_menus_come_last_unless_asked_otherwise(opened: Open):
    view = opened("small", "#/passages")
    numbers = lambda: view.page.locator(".passage .badge").all_inner_texts()  # noqa: E731
    assert numbers() == ["3", "2", "1", "0"]
    assert view.text(".passage .kinds >> nth=0") == "Shared · Copy of a page · hours-print.html"
    view.page.get_by_label("Template, menus and refrains last").uncheck()
    assert numbers() == ["1", "3", "0", "2"]  # the ids of the groups, as in the other formats
    assert "mixed=1" in view.page.url
    assert view.is_titled("4 passages")
    assert not view.page.locator(".notice").count()  # nothing is hidden


def test_verdicts_are_told_in_words_and_lead_to_what_they_mean(opened: Open):
    view = opened("small")
    assert view.is_titled("1 of 6 pages is a copy of another one.")
    assert view.text(".answer .where") == (
        "54.6 % of the text is repeated; without the site's template, its menus and refrains: 27.0 %.")
    assert "54.6" not in view.text(".figures")
    assert view.page.locator(".legend b").all_inner_texts() == ["27.0 %", "27.6 %", "45.4 %"]
    cause = view.page.locator(".cause").first.inner_text()
    assert cause.startswith("The site's footer stands on 6 pages, 38 words: “Marlow Lane Cycle Workshop,")
    assert "It is in passage 1 (38 words), for example on courses.html" in cause
    assert cause.endswith("For whoever builds the site: it is in footer: --ignore 'footer' leaves it out when the pages are "
                          "compared (228 words on 6 pages; nothing that stands only once).")
    view.page.click("text=hours.html >> nth=0")
    view.page.go_back()
    shared = view.page.locator(".sentences .shared")
    assert [" ".join(one.split()) for one in shared.all_inner_texts()] == [
        "Shared “Please bring the key of your room and a telephone number with you. We look at each …” 76 words, 97.6 % "
        "alike, with other words between: Hire - Marlow Lane Cycle Workshop, lines 12–17 and Repairs - Marlow Lane Cycle "
        "Workshop, lines 12–17"]
    shared.get_by_role("link", name="Repairs - Marlow Lane").click()
    view.page.wait_for_selector(".begin.lit:has-text('lines 12–17')")
    assert view.is_titled("Repairs - Marlow Lane Cycle Workshop")
    view.page.go_back()
    row = view.page.locator(".sentences li", has_text="The page is a copy of hours-print.html.")
    row.get_by_text("Passage 3").click()
    view.page.wait_for_selector(".card h2:has-text('136 words, word for word')")


def test_words_that_differ_are_marked(opened: Open):
    view = opened("small", "#/passages/3")
    assert view.page.locator(".wide-only del").all_inner_texts() == ["room", "hand it over"]
    assert view.page.locator(".wide-only ins").all_inner_texts() == ["lock", "start work"]


def test_the_table_of_pages_sorts_and_leads_to_pages_and_pairs(opened: Open):
    view = opened("small", "#/pages")
    names = lambda: view.page.locator("[role=cell].wide .sub").all_inner_texts()  # noqa: E731
    assert view.page.locator("[role=row]").count() == 7
    assert names()[:2] == ["hours-print.html", "hours.html"]
    view.page.get_by_role("button", name="Words", exact=True).click()
    view.page.get_by_role("button", name="Words", exact=True).click()
    assert names()[0] == "courses.html"
    view.page.get_by_role("button", name="Page", exact=True).click()
    assert names() == ["courses.html", "hire.html", "hours-print.html", "hours.html", "repairs.html", "index.html"]
    view.page.get_by_label("What it shares with Repairs - Marlow Lane Cycle Workshop").click()
    assert view.is_titled("What hire.html and repairs.html share")
    view.page.go_back()
    view.page.get_by_role("link", name="Hire - Marlow Lane Cycle Workshop", exact=True).click()
    assert view.is_titled("Hire - Marlow Lane Cycle Workshop")


def test_the_map_opens_the_pair_that_is_clicked_or_chosen_with_keys(opened: Open):
    view = opened("small", "#/map")
    view.until("document.querySelector('canvas').width > 400")
    canvas = view.page.locator("canvas")
    canvas.focus()
    canvas.press("ArrowRight")
    made = dedup.scan(EXAMPLES / "site")
    [place] = [o for g in made.groups if g.kind == "near" for o in g.occurrences if o.page == "hire.html"]
    share = sum(end - start for start, end in place.parts) / next(p.chars for p in made.pages if p.id == "hire.html")
    assert view.text(".map-told") == f"{percent(share)} of hire.html stands on repairs.html too"
    canvas.press("Enter")
    assert view.is_titled("What hire.html and repairs.html share")
    view.page.go_back()
    view.page.click("text=As a table")
    assert view.page.locator(".as-table tbody tr").count() == 4
    view.page.locator(".as-table tbody a").first.click()
    view.page.wait_for_selector("h1:has-text(' share')")


def test_a_comparison_shows_both_pages_passages_and_near_misses(opened: Open):
    view = opened("pair")
    assert ("48.5 % of ferry-spring.txt and 42.6 % of ferry-summer.txt stand in the other, some of it edited or reworded."
            in view.text("h1"))
    assert view.page.locator(".card").count() == 3
    assert "March" in view.page.locator(".card .wide-only del").all_inner_texts()
    assert "Evidence 3.7, 7 asked (--min-evidence)" in view.text(".misses")
    assert "dedup compare" in view.text(".command")


def test_how_sure_it_is_shows_the_least_alike_first_and_hides_them_on_demand(opened: Open):
    view = opened("pair", "#/sure")
    assert view.page.locator(".least .figure").all_inner_texts() == ["67.2 %", "93.9 %"]
    slide = view.page.locator(".slide input")
    slide.fill("0.8")
    view.until("document.querySelectorAll('.least li').length === 1")
    assert view.page.locator(".least .figure").all_inner_texts() == ["93.9 %"]
    assert "alike=0.8" in view.page.url


# Filters.


def test_filters_recompute_the_figures_and_stand_in_the_address(opened: Open):
    view = opened("small")
    view.page.click("summary:has-text('Filter')")
    view.page.get_by_label("Hide template, menus and refrains").check()
    assert "Filtered: 2 passages of 4, on 4 pages." in view.text()
    assert "notemplate=1" in view.page.url
    assert view.is_titled("27.0 % of the text on 6 pages is repeated, in what is shown.")
    assert view.page.locator(".legend b").all_inner_texts() == ["27.0 %", "73.0 %"]
    assert view.page.locator(".facts dd").first.inner_text() == "2"
    assert "template" not in view.text(".legend")
    again = opened("small", "#" + view.page.url.split("#")[1])
    assert "Filtered: 2 passages of 4, on 4 pages." in again.text()
    again.page.click("text=Show everything")
    assert again.page.url.endswith("#/overview")


def test_the_overview_tells_only_what_passes_the_filters(opened: Open):
    view = opened("site", "#/overview?words=50")
    shown, *_ = re.findall(r"Filtered: (\d+) passages of \d+", view.text())
    assert view.page.locator(".facts dd").first.inner_text() == shown
    view.go("#/overview?verdict=shared")
    [shown] = re.findall(r"Filtered: (\d+) passages of \d+", view.text())
    [more] = re.findall(r"Shared: (\d+) more", view.text(".verdicts"))
    assert int(shown) == int(more) + view.page.locator(".sentences .shared").count()
    assert set(view.page.locator(".sentences .tag").all_inner_texts()) == {"Shared"}
    view.go("#/overview?q=zzzzqq")
    assert "Filtered: 0 passages" in view.text()
    assert not view.page.locator(".verdicts").count()
    small = opened("small", "#/overview?words=50")
    assert "Filtered: 2 passages of 4" in small.text()
    assert not small.page.locator(".cause").count()  # a footer of 38 words
    assert small.page.locator(".sentences .tag").all_inner_texts() == ["Copy of a page", "Shared"]
    small.go("#/page/0?words=50")
    assert "Template" not in small.page.locator(".page > header .tag").all_inner_texts()
    single = opened("news", "#/overview?q=zzzzqq")
    assert single.is_titled("0 passages stand more than once on this page, in what is shown.")
    single.go("#/overview?words=50")
    assert single.is_titled("The article stands on this page twice.")


def test_versions_of_a_page_with_one_title_are_told_apart_by_their_ids(opened: Open):
    story, other = prose(80, 1), prose(60, 2)
    pages = [dedup.Page(id=name, text=lines(text, prose(40, 10 + n)), title=title) for n, (name, text, title) in enumerate([
        ("story.html", story, "Ferry"), ("print/story.html", story, "Ferry"), ("amp/story.html", other, "Ferry"),
        ("harbour.html", other, "Harbour")])]
    view = opened(dedup.scan(pages))
    assert [one.split(": ")[-1] for one in view.page.locator(".shared .sub").all_inner_texts()] == [
        "story.html, line 1 and print/story.html, line 1", "amp/story.html, line 1 and Harbour, line 1"]
    view.go("#/pages")
    closest = view.page.locator("[role=cell] .page-name[aria-label]")
    assert sorted(closest.all_inner_texts()) == ["Harbour", "amp/story.html", "print/story.html", "story.html"]
    assert view.page.get_by_label("What it shares with print/story.html").count() == 1
    view.go("#/passages")
    assert view.page.locator(".passage .kinds").all_inner_texts() == ["Shared · story.html", "Shared · amp/story.html"]


def test_long_ids_of_versions_show_their_ends_in_narrow_columns(opened: Open):
    address = f"https://www.example.org/{'a-long-path/' * 8}story"
    view = opened(dedup.scan([dedup.Page(id=address + end, text=lines(prose(80, 1), prose(40, 10 + n)), title=title)
                              for n, (end, title) in enumerate([("", "Ferry"), ("?print=1", "Ferry"), ("?amp", None)])]),
                  "#/pages", width=768)
    ends = view.page.locator(".row .from-end bdi").evaluate_all("""all => all.map(one => {
        const last = document.createRange(), text = one.firstChild, box = one.parentElement.getBoundingClientRect();
        last.setStart(text, text.length - 4);
        last.setEnd(text, text.length);
        const { left, right } = last.getBoundingClientRect();
        return box.left <= left && right <= box.right + 1;
    })""")
    assert ends == [True] * 6  # of three pages their own ids, and those of the closest ones


def test_search_finds_words_of_passages_and_names_of_pages(opened: Open):
    view = opened("small", "#/passages")
    view.page.keyboard.press("/")
    view.page.keyboard.type("heating BILL")
    view.until("location.hash.includes('heating')")
    view.settle()
    assert view.is_titled("3 of 4 passages")
    view.page.fill("#search", "nothing has these words")
    view.page.wait_for_selector("text=No passage passes the filters.")
    view.page.fill("#search", "hire.html")
    view.page.wait_for_selector("h1:has-text('3 of 4 passages')")


def test_ignored_passages_leave_the_figures_and_are_downloaded_as_a_list(opened: Open):
    view = opened("small", "#/passages/1")
    text = view.text(".card h2")
    view.page.get_by_role("button", name="Ignore", exact=True).click()
    assert view.is_titled("3 of 4 passages")
    with view.page.expect_download() as started:
        view.page.click("text=Download the list")
    made = json.loads(Path(started.value.path()).read_text(encoding="utf-8"))
    assert made["format"] == "dedup-baseline/1"
    [entry] = made["passages"]
    from dedup.report.view import fingerprint
    assert entry["fingerprint"] in {fingerprint(g) for g in dedup.scan(EXAMPLES / "site").groups}
    assert "136 words" in text
    view.page.click("text=Show them")
    assert view.is_titled("4 passages")
    view.page.get_by_role("button", name="Ignored").click()
    assert view.page.locator(".ignored").count() == 0


# Keys, themes, narrow screens, print.


def test_everything_can_be_reached_with_keys(opened: Open):
    view = opened("site", "#/passages")
    press = view.page.keyboard.press
    for _ in range(3):
        press("j")
    press("k")
    view.settle()
    view.until("location.hash === '#/passages/1'")
    press("Enter")
    view.page.wait_for_selector("article.page h1")
    assert "#/page/" in view.page.url
    press("n")
    assert view.page.locator(".begin.lit").count() == 1
    press("Escape")
    view.page.wait_for_selector(".grid")
    press("j")
    press("j")
    press("Enter")
    view.page.wait_for_selector("article.page h1")
    press("?")
    assert "Keys" in view.text("dialog")
    press("Escape")
    view.until("!document.querySelector('dialog')")
    press("1")
    view.page.wait_for_selector(".overview")
    press("Tab")
    assert view.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"  # focus can be seen


@pytest.mark.parametrize("what", ["news", "small", "pair", "site", "nothing", "empty"])
def test_axe_finds_nothing(opened: Open, what: str):
    if not AXE.exists():
        pytest.skip("LOUD: nothing is asked of axe-core: viewer/node_modules is not there")
    view = opened(what, color_scheme="dark" if what == "nothing" else "light")
    parts = {"small": ["overview", "pages", "page/3", "passages/1", "passages/3", "map", "sure"],
             "site": ["overview", "pages", "page/3", "passages/41", "map"]}.get(what, ["overview"])
    for part in parts:
        view.go(f"#/{part}")
        assert not view.violations(), part
        if what in ("news", "small", "pair"):  # the same page in dark: nothing but its colours can differ
            view.page.emulate_media(color_scheme="dark")
            assert not view.violations(colours_only=True), f"{part}, dark"
            view.page.emulate_media(color_scheme="light")
    if what == "small":
        view.page.click("summary:has-text('Filter')")
        view.page.click("button.quiet:has-text('?')")
        assert not view.violations()


@pytest.mark.parametrize("what", ["news", "small", "pair", "site"])
def test_a_narrow_window_is_no_wider_than_it_is(opened: Open, what: str):
    view = opened(what, width=360, height=740)
    for part in ("#/overview", "#/pages", "#/page/0", "#/passages", "#/passages/0", "#/map", "#/sure"):
        view.go(part)
        assert view.overflow() <= 0, part
        buttons = view.page.locator("button:visible:not(.jump)")
        assert min(buttons.evaluate_all("all => all.map(b => b.getBoundingClientRect().height)")) >= 24, part
    if what == "pair":
        view.go("#/overview")
        assert view.page.locator(".narrow-only del").first.is_visible()
        assert not view.page.locator(".wide-only").first.is_visible()


def test_the_theme_follows_the_system_and_can_be_switched(opened: Open):
    view = opened("news", color_scheme="dark")
    look = lambda view: view.page.evaluate(  # noqa: E731
        "() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.documentElement).colorScheme]")
    dark = look(view)
    view.page.get_by_role("button", name="Light").click()
    light = look(view)
    assert (dark[1], light[1]) == ("dark", "light")
    assert dark[0] != light[0]
    view.page.get_by_role("button", name="Dark").click()
    assert look(view) == dark
    view.page.emulate_media(color_scheme="light")
    assert look(view) == dark  # the reader's choice stays
    other = opened("news", color_scheme="light")
    assert look(other) == light
    other.page.emulate_media(color_scheme="dark")
    assert look(other) == dark
    other.page.get_by_role("button", name="Light").wait_for()
    assert viewer("viewer.css").count("--paper:#16181b") == 1  # dark colours stand there once


def test_printed_it_has_no_controls_and_all_rows(opened: Open):
    view = opened("site", "#/pages")
    assert view.page.locator("[role=row]").count() < 60
    view.page.emulate_media(media="print")
    view.until("document.querySelectorAll('[role=row]').length >= 300")
    assert not view.page.locator("header.top").is_visible()
    page = opened("news", color_scheme="dark")
    page.page.emulate_media(media="print")
    assert page.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.page.locator(".places .jump").first.is_visible()
    assert not page.page.locator(".fold").is_visible()


def test_reduced_motion_is_respected(opened: Open):
    view = opened("news", reduced_motion="reduce")
    assert view.page.evaluate("getComputedStyle(document.querySelector('.arc')).transitionDuration") == "0s"


# A site of 300 pages.


def test_a_large_list_draws_only_what_is_in_sight(opened: Open):
    view = opened("site", "#/pages")
    assert view.is_titled("300 pages")
    assert view.page.locator("[role=row]").count() < 60
    view.page.locator(".virtual").evaluate("box => { box.scrollTop = box.scrollHeight }")
    view.page.wait_for_selector("[aria-rowindex='301']")
    assert view.page.locator("[role=row]").count() < 60


def test_the_figures_are_those_of_the_report(opened: Open):
    made = dedup.scan(site())
    view = opened("site")
    told = view.text(".figures")
    parts = [float(part) for part in re.findall(r"([\d.]+) %", told)]
    assert sum(parts) == pytest.approx(100, abs=0.3)
    assert 100 - parts[-1] == pytest.approx(100 * made.summary.duplicate_share, abs=0.2)
    within = sum(1 for p in made.pages for v in p.verdicts if v.kind == "rendered-twice")
    assert within == 12
    tags = view.page.locator(".sentences .tag", has_text="Rendered twice")
    assert tags.count() == 6
    view.page.click("text=Rendered twice: 6 more")
    view.settle()
    assert tags.count() == within


def test_the_map_puts_copies_beside_each_other(opened: Open):
    view = opened("site", "#/map")
    view.page.click("text=As a table")
    first = view.page.locator(".as-table tbody tr").first.inner_text()
    assert "100 %" in first
    assert view.is_titled("118 pages and what they share")  # without those that have only what is on all pages


# Hostile pages, large pages, no titles, other directions.

HOSTILE = ("</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--", "javascript:alert(1)",
           "{{7*7}}${7*7}", "\u202eevil\u202c \u2066x", "id\u200b\ufeffwith\u200dnothing", "&lt;b&gt;&#x3c;", "https://evil.example/?q=%00",
           "' onmouseover='alert(1)", "%E0%A4%A", "\ud800 alone", "__proto__", "constructor")


def hostile_report() -> dedup.Report:
    """Hostile words in every place where words can stand."""
    pages, groups = [], []
    for n, bad in enumerate(HOSTILE):
        text = f"{bad} one two three four five six seven eight\nother {bad}\n{bad} one two three four five six seven eight"
        line = text.split("\n")[0]
        places = [occurrence(bad, line, start=start, path=f"/html/{bad}[1]", line=3) for start in (0, len(text) - len(line))]
        verdicts = Verdict("rendered-twice", f"{bad} `{bad}`: {bad}", (n,)), Verdict("shared", bad, (n,))
        pages.append(page(bad, title=bad, source=bad, text=text, chars=len(text), within_share=0.9, duplicate_chars=len(line),
                          verdicts=verdicts))
        groups.append(group(n, places, kind="near" if n % 2 else "exact"))
    return report(pages, groups)


def test_hostile_pages_are_text_and_nothing_else(opened: Open):
    view = opened(hostile_report())
    parts = ["#/overview", "#/pages", "#/passages", "#/map", "#/sure"]
    parts += [f"#/{kind}/{n}" for n in range(0, len(HOSTILE), 3) for kind in ("page", "passages")]
    for part in parts:
        view.go(part)
        assert view.page.locator("main").count() == 1
        links = view.page.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert all(link.startswith("#") for link in links)
        assert view.page.locator("img, iframe, object, embed, form").count() == 0
        assert view.page.locator("script").count() == 1
    view.go("#/page/0")
    assert "</script><script>alert(1)</script> one two three" in view.text(".text")
    for n, bad in enumerate(HOSTILE):
        view.go(f"#/page/{n}")
        name = view.page.locator("article.page h1").text_content()
        assert name == bad.replace("\ud800", "\ufffd") or name == bad


def test_a_hostile_address_is_harmless(opened: Open):
    for hash_ in ("#/page/99999", "#/passages/99999", "#/nothing?q=%3Cscript%3Ealert(1)%3C/script%3E", "#/page/0/777",
                  "#/passages?on=__proto__&kind=constructor&verdict=toString", "#/%E0%A4%A?q=%E0%A4%A", "#/overview?q=a?b?c",
                  "#//////"):
        view = opened("small", hash_)
        assert view.page.locator("main").inner_text()
        view.close()


def test_a_page_of_five_megabytes_is_an_outline(opened: Open):
    text = lines(prose(50, 1), "x" * 5_000_000, prose(50, 1))
    made = dedup.scan([{"id": "huge", "text": text}, {"id": "other", "text": prose(40, 9)}])
    view = opened(made, "#/page/0")
    assert "The text of this page is not in this file" in view.text(".text")
    assert "5,000,0" in view.text(".gap")
    assert view.page.locator(".begin").count() == 2


def test_a_word_of_a_megabyte_does_not_stop_the_page(opened: Open):
    text = lines(prose(50, 1), "x" * 900_000, prose(50, 1))
    view = opened(dedup.scan([text]))
    assert "more characters" in view.text(".text")
    assert len(view.text(".text")) < 20_000
    assert view.overflow() <= 0


def test_a_report_of_one_page_has_no_map_and_no_table_of_pages(opened: Open):
    view = opened("news")
    assert view.page.locator("header nav a").all_inner_texts() == ["Overview", "Passages", "Edited copies"]


def test_nothing_found_is_said_kindly(opened: Open):
    view = opened("nothing")
    assert view.is_titled("Nothing stands twice.")
    assert "2 blocks of 8 words or more were compared" in view.text()
    assert opened("empty").is_titled("No page could be read.")


def test_texts_that_are_written_from_right_to_left_are_shown_so(opened: Open):
    text = "العبارة تقف هنا مرتين على هذه الصفحة في مكانين مختلفين تماما اليوم"
    view = opened(dedup.scan([lines(text, prose(30), text)]))
    assert view.page.locator(".covered").first.evaluate("p => getComputedStyle(p).direction") == "rtl"


def test_what_was_left_out_is_said(opened: Open):
    view = opened(dedup.scan(site(60)), limits=Limits(groups=5, pages=20))
    assert re.search(r"Shown: the [3-5] largest of \d\d passages", view.text(".notice"))
    assert "20 of 60 pages" in view.text(".notice")


# What cannot be opened.


def test_a_damaged_file_says_so(browser: Any, files: dict[str, Path], tmp_path: Path):
    text = files["news"].read_text(encoding="utf-8")
    at = text.index('id="data">') + 600
    (tmp_path / "bad.html").write_text(text[:at] + "AAAA" + text[at + 4:], encoding="utf-8")
    tab = browser.new_page()
    tab.goto((tmp_path / "bad.html").as_uri())
    tab.wait_for_selector("text=The report could not be opened")
    assert "stands on this page twice" in tab.inner_text("main")  # the answer is there all the same
    tab.close()


def test_an_old_browser_is_told_which_one_can(browser: Any, files: dict[str, Path]):
    tab = browser.new_page()
    tab.add_init_script("delete window.DecompressionStream")
    tab.goto(files["news"].as_uri())
    tab.wait_for_selector("text=This browser is too old")
    tab.close()


def test_without_scripts_the_answer_is_there(browser: Any, files: dict[str, Path]):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(files["news"].as_uri())
    assert "the article stands on this page twice: lines 39-45 again at 48-59" in tab.inner_text("main")
    assert "scripts are switched off" in tab.inner_text("main")
    context.close()
