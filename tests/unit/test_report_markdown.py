"""The report as Markdown: short, and nothing of a page is markup, a link or a mention."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import dedup
from dedup import cli
from dedup.errors import OptionError
from dedup.model import ReadError, Skipped, Verdict
from dedup.report.formats import How
from dedup.report.markdown import code, escaped, to_markdown
from tests.unit.report_fakes import group, occurrence, page, report

ROOT = Path(__file__).parents[2]
HOSTILE = ["</details><script>alert(1)</script>", "| a | b |", "``` x", "[click](javascript:alert(1))", "@everyone", "#12",
           "https://evil.example/x", "www.evil.example", "![x](http://evil.example/i.png)",
           "\u202eabc", "**bold** _it_ ~x~", "a\n# b"]


def rendered(text: str) -> str:
    return MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)


def test_the_report_of_a_site_begins_with_the_answer_and_shows_the_worst(monkeypatch):
    monkeypatch.chdir(ROOT)
    text = dedup.scan(Path("examples/site")).to_markdown()
    assert text.startswith("## 54.6 % of the text is repeated\n\n**1 of 6 pages is a copy of another one.**\n")
    assert ("- **the site's footer stands on 6 pages, 38 words: \"Marlow Lane Cycle Workshop, 14 Marlow Lane,...\"**; "
            "it is in `footer`: `--ignore 'footer'` leaves it out when the pages are compared") in text
    assert re.search(r"\| 38 \| exact \| `Marlow Lane [^`]*` \| \[`examples/site/courses.html:15-16`\]"
                     r"\(examples/site/courses.html#L15-L16\), .* and 1 more \|", text)
    assert len(text) < 3000
    assert "<table>" in rendered(text)


def test_five_of_a_list_are_shown_and_the_rest_is_folded(monkeypatch):
    monkeypatch.chdir(ROOT)
    html = rendered(dedup.scan(Path("examples")).to_markdown())
    assert html.count("<details>") == html.count("</details>") == 2
    open_part = re.sub(r"<details>.*?</details>", "", html, flags=re.S)
    assert open_part.count("<tr>") == 6
    assert html.count("<tr>") == 12
    assert "<summary>8 more</summary>" in html
    assert "<summary>5 more passages</summary>" in html


def test_links_lead_where_they_are_told_and_only_to_files_that_are_there(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "a (b)"
    folder.mkdir()
    words = "one two three four five six seven eight nine ten"
    (folder / "x.md").write_text(f"{words}\n")
    (folder / "y.txt").write_text(f"intro\n\n{words}\n")
    monkeypatch.chdir(folder)
    made = dedup.scan([Path("x.md"), Path("y.txt")])
    assert "[`x.md:1`](a%20%28b%29/x.md#L1), [`y.txt:3`](a%20%28b%29/y.txt#L3)" in made.to_markdown()
    base = "https://host/owner/repo/blob/main"
    assert f"[`x.md:1`]({base}/a%20%28b%29/x.md?plain=1#L1), [`y.txt:3`]({base}/a%20%28b%29/y.txt#L3)" in made.to_markdown(
        link_base=base)
    (folder / "y.txt").unlink()
    assert "(a%20%28b%29/x.md#L1), `y.txt:3` |" in made.to_markdown()
    for bad in ("javascript:alert(1)", "host/x", "https://x/ y", "https://x/)", "https://"):
        with pytest.raises(OptionError, match="no address of a web page"):
            made.to_markdown(link_base=bad)
        assert cli.main(["scan", "x.md", "--link-base", bad]) == 2
    assert cli.main(["scan", "x.md", "-q", "-o", "r.md", "--link-base", base]) == 0


def test_changed_places_are_named_first():
    places = [occurrence(name, "the same words in three places, nine in all") for name in "abc"]
    made = report([page(name) for name in "abc"], [group(0, places)])
    assert "| `b:1`, `a:1`, `c:1` |" in to_markdown(made, how=How(changed=lambda source: source == "b"))


def test_a_comment_is_never_longer_than_its_host_takes():
    pages = [page(f"{'very/' * 30}{n}.md", verdicts=tuple(Verdict("rendered-twice", f"twice {'word ' * 60}", (g,))
                                                         for g in range(5))) for n in range(400)]
    groups = [group(n, [occurrence(p.id, f"{n} " + "words of a long passage " * 9) for p in pages[n:n + 9]])
              for n in range(390)]
    text = to_markdown(report(pages, groups), top=100_000)
    assert 10_000 < len(text) <= 65_000
    assert re.search(r"\n\*Shortened to \d+ entries of each list, as a comment holds no more\. Everything stands in", text)
    assert rendered(text).count("<details>") == rendered(text).count("</details>") == 2
    assert "Shortened" not in to_markdown(report(pages[:3], groups[:3]))


def test_a_text_many_times_in_a_row_is_one_place_and_says_so():
    text = dedup.scan(["\n\n".join([*["one two three four five six seven eight nine"] * 12, "end"])]).to_markdown()
    assert re.search(r"`input\[0\]:1 \(0\)`, `input\[0\]:3-23 \(0\)` 11 times in a row \|", text)


def test_what_was_left_out_is_told_with_its_records():
    skipped = [Skipped("text is no string", 9, ("s/a.json:2", "s/a.json:5")), Skipped("hidden file", 1, ("s/.x",))]
    text = to_markdown(report([page("s/c.txt")], skipped=skipped, errors=[
        ReadError("s/a.json", 2, "the text is <b>, not a string; skipped")]))
    assert ("- 9 records were left out: the text is something else, such as a list or a number: "
            "`a.json lines 2, 5 and 7 more`") in text
    assert "- 1 file was left out: hidden, as the name begins with a dot: `.x`" in text
    assert "<b>" not in text


def test_a_comparison_says_how_much_of_each_stands_in_the_other():
    text = dedup.compare(ROOT / "examples/ferry-spring.txt", ROOT / "examples/ferry-summer.txt").to_markdown()
    assert re.search(r"- 48.5 % of `[^`]*spring.txt` stands in `[^`]*summer.txt`, some of it edited or reworded\n", text)
    assert "| 47 | near 93.9 % |" in text


def test_nothing_found_is_said_in_two_lines():
    assert dedup.scan(["nothing stands twice in this one text of a few words"]).to_markdown() == (
        "## No repeats on 1 page\n\n1 block compared, 11 words read.\n")


def test_only_the_first_entries_are_listed():
    texts = [f"passage {n} has these {n} words and then {n} more of them, {n}, {n}" for n in range(20)]
    made = dedup.scan([text for text in texts for _ in range(2)], find="exact")
    text = made.to_markdown(top=3)
    assert text.count("| exact |") == 3
    assert "and 17 more" in text


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_words_are_no_markup(bad):
    places = [occurrence(f"p{bad}", bad * 3), occurrence("q", bad * 3)]
    pages = [page(f"p{bad}", title=bad, source=bad, verdicts=(Verdict("rendered-twice", bad, (0,)),)), page("q")]
    html = rendered(to_markdown(report(pages, [group(0, places)], errors=[ReadError(bad, 1, bad)])))
    assert not re.search(r"<(script|a|img|em|s|h1)\b", html), html
    assert re.findall(r"<strong>.*?</strong>", html) == ["<strong>A section stands more than once on 1 of 2 pages.</strong>"]
    assert html.count("<tr>") == 2
    outside_code = re.sub(r"<code>.*?</code>", "", html, flags=re.S)
    assert not re.search(r"@everyone|#12\b|://|www\.", re.sub(r"<!-- -->", "\0", outside_code))


@given(st.text(alphabet=st.sampled_from("ab `|\\*<&\n_[]"), max_size=30))
def test_a_code_span_holds_the_text_whatever_it_is(text):
    found = re.fullmatch(r"<p><code>(.*)</code></p>\n", rendered(code("x" + text + "x").replace("\\|", "|")), re.S)
    assert found
    plain = found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain == "x" + " ".join((text + "x").split(" ")) or plain.split() == f"x{text}x".split()


@given(st.text(alphabet=st.sampled_from("ab `|\\*<&_[]()#@!~"), max_size=30))
def test_an_escaped_text_is_shown_as_it_is(text):
    html = rendered("x" + escaped(text) + "x").replace("<!-- -->", "")
    plain = re.fullmatch(r"<p>(.*)</p>\n", html, re.S)
    assert plain
    shown = plain[1].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert shown.split() == f"x{text}x".split()


def test_written_to_a_file(tmp_path):
    made = dedup.scan(ROOT / "examples" / "news.html")
    made.write(tmp_path / "r.md")
    assert (tmp_path / "r.md").read_text(encoding="utf-8") == "<!-- dedup-report -->\n" + made.to_markdown()


def test_where_known_passages_are_left_out_the_new_ones_head_the_comment():
    block = ["The bridge was opened again on a Saturday after repairs.", "Nobody had thought it would take so long at all."]
    whole = dedup.scan([f"{text}\n\nalone {n}" for n, text in enumerate(block * 2)])
    head, _, *rest = to_markdown(whole.with_groups([1])).split("\n")
    assert head == "## 1 new passage that stands more than once"
    assert "1 more passage left out, in the baseline or not in changed files · with these " in "\n".join(rest)
    assert to_markdown(whole).startswith("## 48.3 % of the text is repeated")
