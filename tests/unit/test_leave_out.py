"""What is left out of pages: blocks of a kind, what comments say, and passages with verdicts that are hidden."""

from __future__ import annotations

import json
import pickle
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readers_help import parse

import dedup
from dedup import Options, cli
from dedup.readers.leave_out import Left, _comments, ignored_in, without_left_out
from dedup.readers.markdown import read_markdown
from dedup.readers.worker import parse as parsed
from dedup.report.json import read_json
from dedup.suppressions import find_suppressions

LAW = "Every offer is without engagement and holds as long as the stock lasts in our house."
OWN = "The bridge was opened again on a Saturday after two long winters of repairs."
CODE = "pip install thing && thing --start --everywhere --with all of the many options"


def texts(source: str, form: str, **settings: object) -> list[str]:
    """The blocks that are read, each the text of its place in the source where that is known."""
    answer = parse(source, form, **settings)
    assert answer.layout is not None
    for row, (start, end) in enumerate(zip(answer.layout.start, answer.layout.end, strict=True)):
        points = slice(answer.layout.map_first[row], answer.layout.map_first[row + 1])
        for text, place in zip(answer.layout.map_text[points][:-1], answer.layout.map_source[points][:-1], strict=True):
            assert answer.text[text] == source[place]
        assert start == 0 or answer.text[start - 1] == "\n"
        assert end == len(answer.text) or answer.text[end] == "\n"
    return answer.text.split("\n") if answer.text else []


@pytest.mark.parametrize(("source", "left"), [
    (f"<!-- dedup:ignore --><p>{LAW}</p><p>{OWN}</p>", [OWN]),
    (f"<!-- dedup:ignore: the law -->\n<div><p>{LAW}<p>{LAW}</div><p>{OWN}", [OWN]),
    (f"<!-- dedup:ignore --><div><div><p>{LAW}</div><p>{LAW}</div><p>{OWN}", [OWN]),
    (f"<p>{OWN}<!-- dedup:ignore-start --><p>{LAW}<ul><li>{LAW}</ul><!-- dedup:ignore-end --><p>{OWN}", [OWN, OWN]),
    (f"<p>{OWN}<!-- dedup:ignore-start --><p>{LAW}<ul><li>{LAW}</ul>", [OWN]),
    (f"<!-- DEDUP:Ignore --><p>{LAW}<p>{OWN}", [OWN]),
    (f"<p>{OWN}<script>s = '<!-- dedup:ignore-start -->'</script><p>{LAW}", [OWN, LAW]),
    (f"<p title='<!-- dedup:ignore-start -->'>{OWN}<p>{LAW}", [OWN, LAW]),
    (f"<!--><p>{OWN}<style>/* <!-- dedup:ignore --> */</style><p>{LAW}", [OWN, LAW]),
    (f"<p>{OWN}<p a=\"b>c\"><!-- dedup:ignore --><p>{LAW}", [OWN]),
    (f"<p>{OWN}<scripted><!-- dedup:ignore --><p>{LAW}", [OWN]),
    (f"<!-- dedup:ignored --><p>{LAW}", [LAW]), (f"<!-- dedup:ignore-me --><p>{LAW}", [LAW]),
    (f"<p>{OWN}<!-- dedup:ignore-end --><p>{LAW}", [OWN, LAW]), ("<p>x<!-- dedup:ignore -->", ["x"]),
])
def test_comments_in_html(source: str, left: list[str]) -> None:
    assert texts(source, "html") == left
    assert texts(source, "html", ignored_too=True) == texts(re.sub("(?i)dedup:", "", source), "html")


@pytest.mark.parametrize(("source", "left"), [
    (f"<!-- dedup:ignore -->\n{LAW}\n\n{OWN}\n", [OWN]), (f"<!-- dedup:ignore -->\n\n{LAW}\n\n{OWN}\n", [OWN]),
    (f"<!-- dedup:ignore -->\n\n* {LAW}\n* {LAW}\n\n{OWN}\n", [OWN]),
    (f"<!-- dedup:ignore -->\n\n```\n{CODE}\n\n{CODE}\n```\n\n{OWN}\n", [OWN]),
    (f"<!-- dedup:ignore-start: why -->\n\n# {LAW}\n\n{LAW}\n\n<!-- dedup:ignore-end -->\n\n{OWN}\n", [OWN]),
    (f"```\n<!-- dedup:ignore -->\n```\n\n{LAW}\n", ["<!-- dedup:ignore -->", LAW]),
    (f"Write `<!-- dedup:ignore -->` before it.\n\n{LAW}\n", ["Write <!-- dedup:ignore --> before it.", LAW]),
    (f"{OWN}\r\n\r\n<!-- dedup:ignore -->\r\n{LAW}\r\n\r\n{OWN}\r\n", [OWN, OWN]),
    (f"{OWN}\r\r<!-- dedup:ignore -->\r{LAW}\r\r{OWN}\r", [OWN, OWN]),
    (f"<!-- dedup:ignore -->\n\n* {LAW}\n\n* {LAW}\n\n      {CODE}\n\n* {LAW}\n\n{OWN}\n", [OWN]),
    (f"<!-- dedup:ignore -->\n1. {LAW}\n2. {LAW}\n\n```\n{CODE}\n```\n", [CODE]),
    (f"* <!-- dedup:ignore -->\n  {LAW}\n* {OWN}\n", [OWN]), (f"> * <!-- dedup:ignore -->\n>   {LAW}\n> * {OWN}\n", [OWN]),
    (f"> <!-- dedup:ignore -->\n> * {LAW}\n> * {LAW}\n\n{OWN}\n", [OWN]),
    (f"* {OWN}\n\n  <!-- dedup:ignore -->\n  {LAW}\n* {OWN}\n", [OWN, OWN]),
    (f"<!-- dedup:ignore -->\n# Terms of the offer\n{OWN}\n", [OWN]),
])
def test_comments_in_markdown(source: str, left: list[str]) -> None:
    assert texts(source, "markdown") == left


@pytest.mark.parametrize("form", ["html", "markdown", "mdx"])
@pytest.mark.parametrize("text", ["<!-- dedup:ignore" + " " * 20_000, "<!-- dedup:ignore \n" * 5_000,
                                  "{/* dedup:ignore" + "\n" * 20_000])
def test_a_comment_that_nothing_ends_costs_no_time(form: str, text: str) -> None:
    began = time.process_time()
    assert list(_comments(text, form)) == []
    assert time.process_time() - began < 1


@pytest.mark.parametrize(("comment", "why"), [
    ("dedup:ignored", "dedup:ignored is none of dedup:ignore, -start, -end"),
    ("dedup: ignore-strat", "dedup:ignore-strat is none of dedup:ignore, -start, -end"),
    ("dedup:ignore-end", "dedup:ignore-end without a start")])
def test_a_comment_that_does_nothing_is_listed(tmp_path: Path, comment: str, why: str) -> None:
    (tmp_path / "a.md").write_text(f"{OWN}\n\n<!-- {comment} -->\n{LAW}\n")
    found = find_suppressions([tmp_path], Options())
    assert [(one.hides, one.where.rpartition(":")[2], one.note) for one in found] == [(0, "3", why)]
    assert texts((tmp_path / "a.md").read_text(), "markdown") == [OWN, LAW]


def test_kinds_that_are_left_out() -> None:
    page = f"---\ntitle: One\n---\n\n{OWN}\n\n```\n{CODE}\n```\n"
    assert texts(page, "markdown") == ["title: One", OWN, CODE]
    assert texts(page, "markdown", leave_out=("code",)) == ["title: One", OWN]
    assert texts(page, "markdown", leave_out="code,front-matter") == [OWN]
    assert texts(f"<p>{OWN}</p><pre>{CODE}</pre>", "html", leave_out=("code",)) == [OWN]
    assert parse(page, "markdown", leave_out=("front-matter",)).title == "One"


def test_what_is_ignored_is_not_found_and_not_cleaned(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, before in (("a.md", ""), ("b.md", "<!-- dedup:ignore: the law -->\n")):
        (tmp_path / "in" / name).write_text(f"{OWN}\n\n{before}{LAW}\n\nOnly here: {name}.\n")
    report = dedup.scan(tmp_path / "in")
    assert [group.text for group in report.groups] == [OWN]
    assert report.groups[0].occurrences[1].line == 1
    done = dedup.clean(tmp_path / "in", tmp_path / "out", for_="corpus", max_removed=1.0)
    assert (tmp_path / "out" / "b.md").read_text() == f"<!-- dedup:ignore: the law -->\n{LAW}\n\nOnly here: b.md.\n"
    assert len(done.removals) == 1
    dedup.restore(tmp_path / "out" / "dedup-manifest.jsonl", tmp_path / "back")
    assert (tmp_path / "back" / "b.md").read_bytes() == (tmp_path / "in" / "b.md").read_bytes()


def test_a_run_over_what_is_ignored_leaves_it_where_it_is(tmp_path: Path) -> None:
    other = "A second paragraph that both of the pages have, word for word, as it happens."
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.html").write_text(f"<p>{OWN}</p><p>{other}</p>")
    (tmp_path / "in" / "b.html").write_text(f"<p>{OWN}</p><!-- dedup:ignore --><div><p>{LAW}</p></div><p>{other}</p><p>End.")
    dedup.clean(tmp_path / "in", tmp_path / "out", for_="corpus", max_removed=1.0)
    assert (tmp_path / "out" / "b.html").read_text() == f"<!-- dedup:ignore --><div><p>{LAW}</p></div><p>End."


BLOCKS = st.lists(st.sampled_from([
    "One two three.", "# Head", "```\ncode here\n```", "* item\n* item",
    "<!-- dedup:ignore -->", "<!-- dedup:ignore-start -->", "<!-- dedup:ignore-end -->"]), max_size=12)


@given(BLOCKS, st.data())
@settings(max_examples=150)
def test_places_lead_back_to_the_text_of_all_blocks(blocks: list[str], data: st.DataObject) -> None:
    source = "\n\n".join(blocks)
    page = parsed("markdown", source.encode(), "str", [], [])
    assert page.text == read_markdown(source).text
    left = without_left_out(page, ignored_in(page, "markdown"), ("code",))
    if left is None:
        return
    text = left.page.text
    start, end = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2)))
    ranges = left.ranges(start, end)
    wanted, said = text[start:end].replace("\n", ""), "".join(page.text[a:b] for a, b in ranges).replace("\n", "")
    assert said == wanted
    assert all(a < b for a, b in ranges)
    for a, _ in ranges:
        assert text[left.place(a)] == page.text[a]


def test_a_page_of_which_nothing_is_left() -> None:
    page = parsed("markdown", b"<!-- dedup:ignore -->\n\none two\n", "str", [], [])
    left = without_left_out(page, ignored_in(page, "markdown"), ())
    assert isinstance(left, Left)
    assert (left.page.text, left.ranges(0, 0), left.place(3)) == ("", [], 0)


# Verdicts that are hidden.


def test_hidden_verdicts_are_in_no_list_and_no_figure() -> None:
    law = "Every offer is without engagement, holds as long as stock lasts, and may be withdrawn at any time by us."
    ends = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    site = [dedup.Page(end, f"{end}\n\n{OWN if end < 'c' else law}\n\n{end}", site="one") for end in ends]
    report, hidden = dedup.scan(site), dedup.scan(site, hide=("template",))
    assert sorted(group.text for group in report.groups) == sorted([law, OWN])
    assert [(group.id, group.text) for group in hidden.groups] == [(0, OWN)]
    assert hidden.summary.duplicate_chars == len(OWN)
    assert [[v.groups for v in page.verdicts if v.kind == "shared"] for page in hidden.pages[:3]] == [[(0,)], [(0,)], []]
    assert not any(page.verdicts for page in hidden.pages[2:])
    assert dedup.scan(site, hide="template,shared").groups[:] == []
    assert list(hidden.keep) == list(report.keep)
    assert (report.hidden, hidden.hidden, hidden.with_groups([]).hidden, hidden.at_similarity(0.9).hidden) == (0, 1, 1, 1)


@pytest.mark.parametrize("unit", ["block", "page"])
def test_a_copy_of_a_page_is_not_hidden_as_shared(unit: str) -> None:
    site = [{"id": "a", "text": f"{LAW}\n\n{OWN}"}, {"id": "b", "text": f"{LAW}\n\n{OWN}"}]
    copies = dedup.scan(site, unit=unit, hide="shared")
    assert "copy-of" in [verdict.kind for verdict in copies.pages[1].verdicts]
    assert (copies.hidden, copies.summary.duplicate_share) == (0, 0.5)
    quoted = dedup.scan([{"id": "a", "text": f"{LAW}\n\n{OWN}"}, {"id": "b", "text": f"{OWN}\n\n{LAW[::-1]}"}], hide="shared")
    assert (quoted.hidden, list(quoted.groups)) == (1, [])


def test_a_copy_of_which_all_is_hidden_is_in_no_short_report(tmp_path: Path) -> None:
    """It was an entry that said nothing."""
    titles = ["The harbour office and its hours", "What the ferries cost this year", "Tides of the coming four weeks"]
    links = "".join(f'<li><a href="/{number}">{title}</a></li>' for number, title in enumerate(titles))
    for name in ("a", "b"):
        (tmp_path / f"{name}.html").write_text(f"<title>Links</title><main><ul>{links}</ul></main>")
    assert any(verdict.kind == "copy-of" for page in dedup.scan(tmp_path).pages for verdict in page.verdicts)
    hidden = dedup.scan(tmp_path, hide="navigation")
    again = pickle.loads(pickle.dumps(hidden))  # with its pages as objects
    assert not any(page.verdicts for page in hidden.pages)
    assert "What it amounts to" not in hidden.to_markdown()
    assert hidden.to_markdown() == again.to_markdown()
    assert list(hidden.keep) == [True, False]


def test_what_is_hidden_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, of in (("a", "ferries"), ("b", "tides"), ("c", "gulls"), ("d", "locks")):
        own = " ".join(f"{of}{n}" for n in range(12))
        (tmp_path / f"{name}.md").write_text(f"# {of}\n\n{own}\n\n{LAW if name != 'd' else OWN}\n")
    assert cli.main(["scan", str(tmp_path), "-q", "--hide", "template"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "0 groups · 1 hidden by --hide template" in said
    assert "No repeats found within pages or across them but 1 passage that --hide template hides." in said
    assert cli.main(["scan", str(tmp_path), "-q", "--hide", "template", "--format", "md"]) == 0
    assert "1 passage hidden by `--hide template`." in capsys.readouterr().out
    stored = tmp_path / "out.json"  # which must not say that there are none
    assert cli.main(["scan", str(tmp_path), "-q", "--hide", "template", "-o", str(stored)]) == 0
    capsys.readouterr()
    assert cli.main(["report", str(stored)]) == 0
    assert "but 1 passage that --hide template hides." in " ".join(capsys.readouterr().out.split())
    (tmp_path / "e.md").write_text(f"# e\n\n{OWN}\n")
    assert cli.main(["scan", str(tmp_path), "-q", "--hide", "template", "--format", "md"]) == 0
    assert "repeated · 1 passage hidden by `--hide template`\n" in capsys.readouterr().out


# The list of what hides something.


def test_suppressions_say_what_they_hide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for name, before in (("a.md", ""), ("b.md", "<!-- dedup:ignore: the law -->\n"), ("c.md", "")):
        Path(name).write_text(f"# {name}\n\n{before}{LAW}\n" if name != "c.md" else
                              f"<!-- dedup:ignore-start -->\n\n{OWN} Only here.\n")
    assert cli.main(["scan", ".", "-q", "--baseline", "base.jsonl", "--update-baseline", "--ignored-too"]) == 0
    capsys.readouterr()
    assert cli.main(["suppressions", ".", "--baseline", "base.jsonl", "--exclude", "*.rst", "--exclude", "c.*"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "dedup:ignore comments:",
        f'  b.md:3: hides 1 passage, {len(LAW)} characters repeated: "Every offer is without engagement and holds as long as '
        '..." (the law)', "",
        "patterns:", "  --exclude *.rst: hides nothing any more", '  --exclude c.*: hides 1 file: "c.md"', "",
        "the baseline:",
        f'  base.jsonl: {next(iter(_names(tmp_path)))[:10]}: hides 1 passage, {len(LAW)} characters repeated: '
        '"Every offer is without engagement and holds as long as the s"', "",
        "1 suppression of no use any more"]
    assert cli.main(["suppressions", ".", "--stale"]) == 1
    assert "c.md:1: hides nothing any more (dedup:ignore-start without an end: all that follows)" in capsys.readouterr().out
    assert cli.main(["suppressions", "a.md", "--stale"]) == 0
    assert capsys.readouterr().out == "all that hides something is needed\n"
    assert cli.main(["suppressions"]) == 2


def test_an_entry_is_needed_where_a_comment_leaves_out_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(f"{name}.md").write_text(f"# {name}\n\n{LAW}\n")
    assert cli.main(["scan", ".", "-q", "--baseline", "base.jsonl", "--update-baseline"]) == 0
    Path("c.md").write_text(f"# c\n\n<!-- dedup:ignore -->\n{LAW}\n")
    assert cli.main(["scan", ".", "-q", "--baseline", "base.jsonl", "--fail-on", "new"]) == 0
    assert cli.main(["suppressions", ".", "--baseline", "base.jsonl", "--stale"]) == 0
    Path("c.md").write_text(f"# c\n\n{LAW}\n")
    assert cli.main(["suppressions", ".", "--baseline", "base.jsonl", "--stale"]) == 1


def test_copies_that_follow_each_other_are_counted_as_the_gates_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence a hundred times is two places, of which one holds many copies."""
    monkeypatch.chdir(tmp_path)
    Path("a.md").write_text(f"{LAW} " * 60)
    assert cli.main(["scan", ".", "-q", "--baseline", "base.jsonl", "--update-baseline"]) == 0
    assert cli.main(["suppressions", ".", "--baseline", "base.jsonl", "--stale"]) == 0
    Path("a.md").write_text(f"{LAW} " * 90)
    assert cli.main(["scan", ".", "-q", "--baseline", "base.jsonl", "--fail-on", "refrain"]) == 1
    assert cli.main(["suppressions", ".", "--baseline", "base.jsonl", "--stale"]) == 1


def test_a_comment_in_a_record_has_the_line_of_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text("".join(json.dumps({"id": name, "text": f"<p>{OWN}</p>\n<!-- dedup:ignore: x --><p>{LAW}</p>"}) + "\n"
                            for name in "ab"))
    assert cli.main(["suppressions", str(file), "--field-format", "html"]) == 0
    said = capsys.readouterr().out
    assert [f"r.jsonl:{line}: hides 1 passage" in said for line in (1, 2, 3)] == [True, True, False]


def test_suppressions_as_json_are_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        (tmp_path / f"{name}.md").write_text(f"# {name}\n\n<!-- dedup:ignore: hé -->\n{LAW}\n")
    assert cli.main(["suppressions", str(tmp_path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["hides"], one["reason"]) for one in found] == [("comment", 1, "hé")] * 2


def test_patterns_of_a_profile_are_not_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.md").write_text(f"# a\n\n{LAW}\n")
    (tmp_path / "CHANGELOG.md").write_text(f"# All\n\n{LAW}\n")
    assert cli.main(["suppressions", str(tmp_path), "--for", "docs", "--stale"]) == 0
    assert cli.main(["suppressions", str(tmp_path), "--for", "docs", "-q"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "all that hides something is needed", "patterns:", '  --exclude CHANGELOG*: hides 1 file: "CHANGELOG.md"', "",
        "all of them are needed"]
    assert cli.main(["suppressions", str(tmp_path), "--for", "docs", "--exclude", "old/", "--stale"]) == 1


def _names(folder: Path) -> list[str]:
    from dedup.baseline import Baseline

    return [str(entry.fingerprint) for entry in Baseline.read(folder / "base.jsonl").entries]


def test_lists_of_links_are_hidden_with_menus(tmp_path: Path) -> None:
    topics = ("how the harbour began", "boats and their owners", "tides of the year", "where to eat fish")
    links = "".join(f"<li><a href={n}>{topic}</a></li>" for n, topic in enumerate(topics))
    for name in "abcd":
        body = f"<ul>{links}</ul>" if name < "c" else f"<p>{OWN}</p>"
        (tmp_path / f"{name}.html").write_text(f"<h1>Page {name}</h1>{body}")
    assert len(dedup.scan(tmp_path).groups) == 2
    assert [group.text for group in dedup.scan(tmp_path, hide=("navigation",)).groups] == [OWN]


def test_a_stored_report_knows_how_many_passages_are_not_in_it(tmp_path: Path) -> None:
    site = [dedup.Page(name, f"{name}\n\n{LAW}\n\n{OWN if name in 'ab' else name}\n", site="one") for name in "abcd"]
    stored, some = tmp_path / "report.json", dedup.scan(site, hide=("template",)).with_groups([])
    some.write(stored)
    read = read_json(stored)
    assert (read.hidden, read.left_out) == (some.hidden, some.left_out) == (1, 1)
    assert read.to_json() == some.to_json()
    assert not {"hidden", "left_out"}.intersection(json.loads(dedup.scan(site).to_json()))
