"""The report as HTML: what is in the file, that nothing of a page is read as markup, and the view's columns."""

from __future__ import annotations

import base64
import gc
import gzip
import hashlib
import html.parser
import io
import json
import pickle
import re
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedup
from dedup.model import NearMiss, Occurrence, ReadError, Skipped, SmallRepeat, Verdict
from dedup.report import Report, gather
from dedup.report import view as view_module
from dedup.report.formats import How
from dedup.report.html import GENERATOR, to_file, to_html, viewer
from dedup.report.json import encode, read_json
from dedup.report.view import Limits, changes, fingerprint, view_chunks, view_columns, view_data
from tests.scan_help import edited, lines, prose
from tests.unit.report_fakes import group, occurrence, page, report

ROOT = Path(__file__).parents[2]
HOSTILE = ('</script><script>alert(1)</script>', '<!--<script>', '<img src=x onerror=alert(1)>', '"\'`&amp;{version}{data}',
           "\u202egnirts\u2066", "a\u200bb\ufeff", "\ud800", "javascript:alert(1)", "\0\x1b[31m")


def view_of(text: str) -> dict[str, Any]:
    """The data in a report's file."""
    data = re.search(r'<script type="application/octet-stream" id="data">([A-Za-z0-9+/=]*)</script>', text)
    assert data is not None
    return json.loads(gzip.decompress(base64.b64decode(data[1])))


class Seen(html.parser.HTMLParser):
    """Tags of a file, and what each script and style holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.raw, self._open = list[tuple[str, dict[str, str | None]]](), dict[str, list[str]](), ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag if tag in ("script", "style") else ""
        if self._open:
            self.raw.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.raw[self._open][-1] += data


@pytest.fixture(scope="module")
def news() -> Report:
    return dedup.scan(ROOT / "examples" / "news.html")


def hostile_report() -> Report:
    """Hostile words wherever words can stand."""
    places = [occurrence(f"{bad}/p", bad * 9, start=3, path=f"/html/{bad}") for bad in HOSTILE]
    pages = [page(f"{bad}/p", title=bad, source=bad, text=f"...{bad * 9}", chars=3 + len(bad) * 9, verdicts=(
        Verdict("rendered-twice", bad, (0,)),), small_repeats=(SmallRepeat(bad, (1, 2)),)) for bad in HOSTILE]
    return report(pages, [group(n, [one, one]) for n, one in enumerate(places)],
                  skipped=[Skipped(bad, 1, (bad,)) for bad in HOSTILE], errors=[ReadError(bad, 1, bad) for bad in HOSTILE])


def test_the_file_holds_one_script_and_one_style_and_its_policy_names_both(news):
    seen = Seen(news.to_html())
    script, style = seen.raw["script"][1], seen.raw["style"][0]
    assert (script, style) == (viewer("viewer.js"), viewer("viewer.css"))
    policy = next(attrs["content"] for tag, attrs in seen.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for rule, text in (("script-src", script), ("style-src", style)):
        assert rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert len(seen.raw["script"]) == 2
    assert len(seen.raw["style"]) == 1


@pytest.mark.parametrize(("titles", "heading"), [
    (("Spring", "Summer"), "Spring and Summer"), (("Ferry", "Ferry"), "a.html and b.html"),
    ((None, "Ferry"), "a.html and Ferry")])
def test_a_comparison_is_named_by_its_pages_by_their_ids_where_they_have_one_title(titles, heading):
    a, b = (dedup.Page(id=f"{name}.html", text=prose(20, 1), title=title) for name, title in zip("ab", titles, strict=True))
    assert f"<title>{heading} – dedup</title>" in dedup.compare(a, b).to_html()


def test_the_file_asks_for_nothing(news):
    for tag, attrs in Seen(news.to_html()).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form"), tag
        assert not {"src", "href", "srcset", "action", "style"} & set(attrs)
        assert not [name for name in attrs if name.startswith("on")]


def test_the_bundle_can_stand_in_a_script_and_is_small():
    script, style = viewer("viewer.js"), viewer("viewer.css")
    assert not re.search(r"</script|<!--|<script", script, re.I)
    assert "</style" not in style.lower()
    assert not re.search(r"(?<![\w.])(?:eval|fetch|XMLHttpRequest|importScripts)\s*\(|innerHTML\s*=\s*[^=\"'a-z]", style)
    assert "@import" not in style
    assert "url(" not in style
    assert len(script.encode()) + len(style.encode()) <= 150_000


def test_the_example_page_is_a_small_file(news):
    assert len(news.to_html().encode()) <= 120_000


def test_hostile_words_are_no_markup():
    text = hostile_report().to_html()
    seen = Seen(text)
    tags = [tag for tag, _ in seen.tags]
    assert tags.count("script") == 2
    assert "img" not in tags
    assert not [attrs for _, attrs in seen.tags if any(name.startswith("on") for name in attrs)]
    assert not re.search("[\ud800-\udfff\u202a-\u202e\u2066-\u2069\u200b\0\x1b]", text)
    assert set(view_of(text)["pages"]["id"]) == {f"{bad}/p" for bad in HOSTILE}


def test_the_same_report_is_the_same_file(news):
    again = dedup.scan(ROOT / "examples" / "news.html")
    assert news.to_html() == again.to_html()


def test_a_stored_report_gives_the_same_view_but_for_the_texts(tmp_path, news):
    news.write(tmp_path / "r.json")
    stored, fresh = view_data(read_json(tmp_path / "r.json")), view_data(news)
    assert fresh["pages"].pop("text") == [dedup.open_pages and next(iter(dedup.open_pages(ROOT / "examples/news.html"))).text]
    assert stored["pages"].pop("text") == stored["pages"].pop("lines") == [None]
    steps = fresh["pages"].pop("lines")[0]
    feeds = list(accumulate(steps[::2]))
    lines = [feed + more for feed, more in zip(feeds, accumulate(steps[1::2]), strict=True)]
    made = dedup.scan(ROOT / "examples/news.html", with_text=True).pages[0]
    assert list(zip(feeds, lines, strict=True)) == [(made.text[:start].count("\n"), line) for start, line in made.lines]
    assert stored["places"].pop("text") != fresh["places"].pop("text")
    assert stored.pop("texts")
    assert fresh.pop("texts") == []
    assert stored == fresh


def test_a_report_stored_with_its_texts_gives_the_same_file(tmp_path):
    made = dedup.scan(ROOT / "examples" / "site", with_text=True)
    made.write(tmp_path / "r.json")
    assert read_json(tmp_path / "r.json").to_html() == made.to_html()


def test_a_shared_passage_is_named_by_its_group_not_by_words_again():
    made = dedup.scan([lines(prose(40, 1), prose(30, 2)), lines(prose(30, 2), prose(50, 3))])
    assert [v.text.count(prose(30, 2)[:30]) for page in made.pages for v in page.verdicts] == [1, 1]
    verdicts = view_data(made)["verdicts"]
    assert verdicts["text"] == ["1 passage (30 words) stands on other pages too"] * 2
    assert verdicts["groups"] == [[0], [0]]


def test_a_text_that_follows_itself_has_its_count_and_is_compared_with_nothing():
    row = prose(12, 3)
    view = view_data(dedup.scan([lines(prose(20, 1), *[row] * 40, prose(20, 2), row)]))
    assert view["places"]["copies"] == [1, 39, 1]
    assert view["groups"]["count"] == [41]
    assert view["groups"]["all_places"] == [3]
    assert view["places"]["changes"] == [None, None, None]


def test_what_was_left_out_is_there_in_words(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"text": 5}\n{"text": [1]}\n', encoding="utf-8")
    (tmp_path / "a.txt").write_text(prose(30), encoding="utf-8")
    view = view_data(dedup.scan(tmp_path))
    assert view["troubles"] == [["2 records were left out", "the text is something else, such as a list or a number",
                                 [["rows.jsonl", f"{tmp_path.as_posix()}/rows.jsonl", (1, 2)]], 0]]
    assert view["all"]["troubles"] == 1


def test_a_guessed_encoding_is_a_note_and_was_compared(tmp_path):
    (tmp_path / "a.txt").write_text(prose(30) + " café", encoding="latin-1")
    view = view_data(dedup.scan(tmp_path))
    assert view["troubles"] == []
    [[what, why, [[name, *_]], _]] = view["notes"]
    assert (what, name) == ("", "a.txt")
    assert "encoding" in why
    assert view["all"]["notes"] == 1


def test_a_filtered_report_has_the_texts_too():
    made = dedup.scan([prose(40), edited(prose(40), [7, 30]), prose(40)])
    view = view_data(made.at_similarity(0.99))
    assert view["pages"]["text"] == [prose(40), edited(prose(40), [7, 30]), prose(40)]
    assert view["pages"]["lines"] == [[0, 1]] * 3
    assert view["groups"]["places"] == [2]
    assert pickle.loads(pickle.dumps(made.at_similarity(0.99))).pages == list(made.at_similarity(0.99).pages)


def test_written_to_a_file(tmp_path, news):
    news.write(tmp_path / "r.html")
    written = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert written == news.to_html()
    assert GENERATOR.decode() in written[:200]


# The view.


def place_text(view: dict[str, Any], row: int) -> str | None:
    """The text of a place, found as the viewer finds it."""
    places, number = view["places"], view["places"]["text"][row]
    if number >= 0:
        return view["texts"][number]
    start = places["start"][row]
    return None if number == -2 else view["pages"]["text"][places["page"][row]][start:start + places["size"][row]]


def assert_whole(view: dict[str, Any], made: Report) -> None:
    """Every place of every group is there, with its text, page, lines and measures."""
    row, groups, places = 0, view["groups"], view["places"]
    assert sorted(groups["id"]) == [g.id for g in made.groups]
    for n, number in enumerate(groups["id"]):
        original = made.groups[number]
        assert groups["places"][n] == groups["all_places"][n] == len(original.occurrences)
        for o in original.occurrences:
            assert place_text(view, row) == o.text
            assert view["pages"]["id"][places["page"][row]] == o.page
            assert (places["line"][row], places["lines"][row]) == (o.line, o.end_line - o.line)
            assert o.similarity - 1e-4 < places["similarity"][row] <= o.similarity
            flat = places["parts"][row]
            assert o.parts is None or [(o.start + flat[i], o.start + flat[i] + flat[i + 1])
                                       for i in range(0, len(flat), 2)] == [*map(tuple, o.parts)]
            row += 1
    assert row == len(places["page"])
    assert {len(column) for column in places.values()} == {row}
    assert {len(column) for column in groups.values()} == {len(made.groups)}
    assert {len(column) for column in view["pages"].values()} == {len(made.pages)}


@pytest.mark.parametrize("source", ["news.html", "news.md", "news.txt", "site", "papers.jsonl", "scans"])
def test_the_view_has_all_that_the_report_has(source):
    made = dedup.scan(ROOT / "examples" / source)
    assert_whole(view_data(made), made)


def test_the_most_wasteful_passages_come_first():
    view = view_data(dedup.scan(ROOT / "examples" / "site"))
    wasted = [view["groups"]["tokens"][n] * (view["groups"]["places"][n] - 1) for n in range(4)]
    assert wasted == sorted(wasted, reverse=True)


def test_verdicts_name_the_passages_by_their_place_in_the_view():
    made = dedup.scan(ROOT / "examples" / "site")
    view = view_data(made)
    told = {(view["pages"]["id"][p], kind): sorted(view["groups"]["id"][g] for g in groups) for p, kind, groups in zip(
        view["verdicts"]["page"], view["verdicts"]["kind"], view["verdicts"]["groups"], strict=True)}
    assert told == {(p.id, v.kind): sorted(v.groups) for p in made.pages for v in p.verdicts}


def apply_changes(first: str, place: str, flat: list[int]) -> list[tuple[str, str]]:
    """The stretches that differ, decoded as the viewer does."""
    out, a, b = [], 0, 0
    for equal_a, equal_b, old, new in zip(*[iter(flat)] * 4, strict=True):
        a, b = a + equal_a, b + equal_b
        out.append((first[a:a + old].strip(), place[b:b + new].strip()))
        a, b = a + old, b + new
    return out


def test_changes_are_the_words_that_differ():
    a, b = occurrence("a", "on Monday the vote was short"), occurrence("b", "on Friday the last vote was", start=7)
    assert apply_changes(a.text, b.text, changes(a, b)) == [("Monday", "Friday"), ("", "last"), ("short", "")]
    assert changes(a, a) is None


def test_changes_of_a_run_leave_out_what_it_goes_over():
    a = occurrence("a", "one two three\nfour five six", start=10)
    b = occurrence("b", "one two 3\nin between\nfour five six", parts=((0, 9), (21, 34)))
    a = occurrence("a", a.text, start=10, parts=((10, 23), (24, 37)))
    assert apply_changes(a.text, b.text, changes(a, b)) == [("three", "3")]


def test_where_the_parts_are_not_in_step_the_whole_texts_are_compared():
    a = occurrence("a", "one two three\nfour five six", parts=((0, 13), (14, 27)))
    b = occurrence("b", "one two three\nfour 5 six")
    assert apply_changes(a.text, b.text, changes(a, b)) == [("five", "5")]
    assert apply_changes(b.text, a.text, changes(b, a)) == [("5", "five")]


@given(st.lists(st.sampled_from(["red", "blue", "green", "tin", "oak"]), max_size=14),
       st.lists(st.sampled_from(["red", "blue", "green", "tin", "oak"]), max_size=14))
def test_without_the_changes_both_texts_are_equal(old, new):
    a, b = occurrence("a", " ".join(old)), occurrence("b", " ".join(new))
    rest = [a.text, b.text]
    flat, at, cuts = changes(a, b) or [], [0, 0], list[tuple[int, int, int, int]]()
    for equal_a, equal_b, x, y in zip(*[iter(flat)] * 4, strict=True):
        at = [at[0] + equal_a, at[1] + equal_b]
        cuts.append((at[0], at[0] + x, at[1], at[1] + y))
        at = [at[0] + x, at[1] + y]
    for a0, a1, b0, b1 in reversed(cuts):
        rest = [rest[0][:a0] + rest[0][a1:], rest[1][:b0] + rest[1][b1:]]
    assert rest[0].split() == rest[1].split()


def test_a_fingerprint_survives_moved_lines_case_and_punctuation():
    one = group(0, [occurrence("a", "The ferry runs every hour, from seven on."), occurrence("b", "x")])
    moved = group(3, [occurrence("z", "the  ferry runs\nevery hour from Seven on", start=900, line=70), occurrence("b", "x")])
    other = group(0, [occurrence("a", "The ferry runs every day, from seven on."), occurrence("b", "x")])
    assert fingerprint(one) == fingerprint(moved) != fingerprint(other)
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(one))


# Limits.


def many(count: int = 12) -> Report:
    """Pages of one scan with a passage of their own each, on three pages, of different lengths."""
    return dedup.scan([{"id": f"p{n}-{copy}", "text": lines(prose(20 + n, n), prose(30, 1000 + 3 * n + copy))}
                       for n in range(count) for copy in range(3)])


def test_beyond_the_limits_the_largest_are_shown_and_the_rest_is_counted():
    made = many()
    view = view_data(made, Limits(groups=5, pages=10))
    assert view["all"] == {"groups": 12, "pages": 36, "troubles": 0, "notes": 0}
    assert len(view["pages"]["id"]) == 10
    assert view["groups"]["tokens"] == sorted((g.tokens for g in made.groups), reverse=True)[:3]
    assert view["groups"]["places"] == view["groups"]["all_places"] == [3] * 3
    assert len(view_data(made, Limits(groups=5))["groups"]["id"]) == 5


def test_texts_beyond_their_room_are_told_by_their_beginning():
    made = many()
    view = view_data(made, Limits(page_text=0, group_text=300, beginning=40))
    assert set(view["pages"]["text"]) == {None}
    assert sum(len(text) for text in view["texts"]) <= 300
    for n, beginning in enumerate(view["groups"]["beginning"]):
        text = made.groups[view["groups"]["id"][n]].text
        if beginning is None:
            assert text in view["texts"]
        else:
            assert len(beginning) <= 40
            assert text.startswith(beginning.removesuffix(" …"))
    assert None in view["groups"]["beginning"]
    assert any(view["groups"]["beginning"])


def test_a_huge_page_is_an_outline():
    huge = lines(prose(40), prose(4000, 1), prose(40))
    made = dedup.scan([{"id": "huge", "text": huge}, {"id": "small", "text": prose(40)}])
    view = view_data(made, Limits(page_bytes=10_000))
    assert [text is None for text in view["pages"]["text"]] == [True, False]
    assert_whole(view, made)


def test_of_a_group_with_very_many_places_the_first_are_shown_with_its_representative():
    text, other = prose(40), edited(prose(40), [3, 20])
    made = dedup.scan([{"id": f"p{n}", "text": other if n == 0 else text} for n in range(30)])
    view = view_data(made, Limits(places=4))
    assert view["groups"]["places"] == [4]
    assert view["groups"]["all_places"] == [30]
    first = view["groups"]["representative"][0]
    assert place_text(view, first) == made.groups[0].text


def test_what_is_too_much_is_not_compared_word_by_word():
    made = dedup.scan([prose(40), edited(prose(40), [7, 30])])
    assert view_data(made)["groups"]["compared"] == [1]
    for limits in (Limits(changes=10), Limits(pair_changes=10)):
        view = view_data(made, limits)
        assert view["groups"]["compared"] == [0]
        assert view["places"]["changes"] == [None, None]


def test_offsets_are_in_order_whatever_the_letters():
    text = lines("𝔘nter 🐎🐎 " + prose(30), prose(30, 5), "𝔘nter 🐎🐎 " + prose(30))
    made = dedup.scan([text])
    assert_whole(view_data(made), made)


# The rest of the view.


def test_a_comparison_tells_its_near_misses_in_words():
    made = dedup.compare(ROOT / "examples/ferry-spring.txt", ROOT / "examples/ferry-summer.txt", explain=True)
    [miss] = view_data(made)["misses"]
    assert miss["why"] == "evidence 3.7, 7 asked (--min-evidence)"
    assert [side[:3] for side in miss["sides"]] == [[0, 13, 13], [1, 15, 15]]
    assert view_data(dedup.scan([prose(30)]))["misses"] is None
    assert isinstance(made.near_misses[0], NearMiss)


@pytest.mark.parametrize(("make", "shown"), [
    (lambda: dedup.scan(Path("examples/news.html")), "dedup scan examples/news.html"),
    (lambda: dedup.scan(Path("examples/site"), min_tokens=6, ignore=("header", "a b")),
     "dedup scan examples/site --min-tokens 6 --ignore header --ignore 'a b'"),
    (lambda: dedup.scan(Path("examples/notices.jsonl"), unit="page", exhaustive=True),
     "dedup scan examples/notices.jsonl --unit page --exhaustive"),
    (lambda: dedup.scan(Path("examples/notices.jsonl"), against=Path("examples/questions.jsonl")),
     "dedup scan examples/notices.jsonl --against examples/questions.jsonl"),
    (lambda: dedup.compare(Path("examples/ferry-spring.txt"), Path("examples/ferry-summer.txt"), find="near"),
     "dedup compare examples/ferry-spring.txt examples/ferry-summer.txt --find near"),
    (lambda: dedup.scan(["a text that no file holds"]), None),
])
def test_the_command_that_makes_it_again(monkeypatch, make, shown):
    monkeypatch.chdir(ROOT)
    assert view_data(make())["command"] == shown


def test_the_command_does_make_it_again(monkeypatch, tmp_path):
    from dedup.cli import main

    monkeypatch.chdir(ROOT)
    made = dedup.scan(Path("examples/site"), min_tokens=6, ignore=("header",))
    command = view_data(made)["command"].split()
    assert main([*command[1:], "-o", str(tmp_path / "r.json"), "-q"]) == 0
    assert (tmp_path / "r.json").read_text(encoding="utf-8") == made.to_json()


def test_a_report_of_nothing_can_be_written():
    for made in (dedup.scan([]), dedup.scan(["nothing twice here"]), report()):
        text = to_html(made)
        assert view_of(text)["groups"]["id"] == []


def test_pages_keep_their_order_and_groups_their_bounds():
    view = view_data(many())
    ends = [0]
    for size in view["groups"]["places"]:
        ends.append(ends[-1] + size)
    for a, b in pairwise(ends):
        assert view["places"]["page"][a:b] == sorted(view["places"]["page"][a:b])


@pytest.mark.parametrize("limits", [Limits(pages=10), Limits(pages=7, places=2, groups=8), Limits(all_places=10)])
def test_beyond_the_limits_a_stored_report_shows_what_a_fresh_one_shows(limits, tmp_path):
    made = many()
    made.write(tmp_path / "r.json")
    stored, fresh = view_data(read_json(tmp_path / "r.json"), limits), view_data(made, limits)
    assert len(fresh["groups"]["id"]) >= 3
    for name in ("groups", "verdicts", "repeats", "causes", "headline", "all"):
        assert stored[name] == fresh[name]
    for name in ("page", "start", "size", "line", "changes", "parts"):
        assert stored["places"][name] == fresh["places"][name]


@pytest.fixture
def alive() -> Iterator[Callable[[], int]]:
    """How many places are held that were not there before: what was is not looked at, which takes long."""
    def count() -> int:
        gc.collect()
        return sum(type(thing) is Occurrence for thing in gc.get_objects())
    gc.collect()
    gc.freeze()
    yield count
    gc.unfreeze()


def test_no_places_are_held_while_the_file_is_written(monkeypatch, alive):
    texts = [lines(prose(20, n), prose(20, 500 + n)) for n in range(60)]
    made = dedup.scan([edited(text, [copy, 21 + copy]) for text in texts for copy in range(12)])
    total, counts = sum(len(group.occurrences) for group in made.groups), []
    made.groups.findings._groups.clear()
    monkeypatch.setattr(gather, "TOGETHER", 4)
    monkeypatch.setattr(view_module, "fingerprint", lambda group: counts.append(alive()) or fingerprint(group))
    before = alive()
    made.to_html()
    assert len(counts) > 40
    assert max(counts) - before < total / 5


def test_of_a_passage_on_very_many_pages_only_the_places_that_are_shown_are_made(monkeypatch, alive):
    made = dedup.scan([lines(prose(30, n), prose(20, 500)) for n in range(90)])
    shown, counts = view_data(made), []
    monkeypatch.setattr(gather, "MAX_PLACES", 10)
    monkeypatch.setattr(view_module, "fingerprint", lambda group: counts.append(alive()) or fingerprint(group))
    before = alive()
    assert max(view_data(made, Limits(places=5))["groups"]["all_places"]) == 90
    assert max(counts) - before <= 10
    assert view_data(made) == shown


def test_the_file_is_written_in_pieces_and_is_one_gzip_of_the_view(monkeypatch):
    made = many(30)
    monkeypatch.setattr(view_module, "PIECE", 7)
    file = io.BytesIO()
    to_file(made, file, How())
    assert view_of(file.getvalue().decode()) == json.loads(encode(view_data(made)))
    assert b"".join(view_chunks(view_columns(made))) == encode(view_data(made))
