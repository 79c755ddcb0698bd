"""References, and fields in which pages must differ: what is read, named, counted and refused."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup import OptionError, Page, scan
from dedup.cli import main
from dedup.errors import InputError
from dedup.options import Unit
from dedup.page_pairs import page_value
from dedup.report import Report
from dedup.report.json import read_json
from dedup.report.page_table import page_batches, page_rows
from dedup.report.tables import table_rows
from dedup.report.terminal import print_report
from tests.scan_help import edited, lines, prose, verdicts

P = [prose(30, 100 + n) for n in range(6)]


def pages_of(report: Report) -> list[list[str]]:
    return [[o.page for o in group.occurrences] for group in report.groups]


def written(folder: Path, **texts: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def records(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


# References.


def test_references_are_first_marked_and_counted_apart() -> None:
    report = scan([{"id": "new", "text": lines(P[0], P[1], P[4], P[0])}, {"id": "other", "text": P[2]}],
                  against=[{"id": "old", "text": lines(P[0], P[3], P[5], P[0])}])
    assert [(page.id, page.reference) for page in report.pages] == [("old", True), ("new", False), ("other", False)]
    assert pages_of(report) == [["old", "old", "new", "new"]]
    summary = report.summary
    assert (summary.pages, summary.reference_pages, summary.blocks) == (2, 1, 5)
    assert summary.duplicate_chars == report.pages[1].duplicate_chars == 2 * len(P[0])
    assert report.pages[0].duplicate_chars == 0
    assert 0.4 < report.pages[0].across_share < 0.6
    assert report.keep.tolist() == [True, True]
    value = json.loads(report.to_json())
    assert [page.get("reference") for page in value["pages"]] == [True, None, None]
    assert value["summary"]["reference_pages"] == 1


@pytest.mark.parametrize("settings", [{"against": True}, {"scope": "across"}, {"between": "side"}])
def test_what_stands_once_on_the_one_side_and_twice_on_the_other_is_found_in_both_places(settings: dict[str, Any]) -> None:
    """The second copy has none on its page with which it makes a pair that counts."""
    new, known = ({"id": name, "text": text, "side": name} for name, text in (
        ("new", lines(P[0], P[1], P[1])), ("known", lines(P[0], P[1]))))
    report = scan([new], against=[known]) if "against" in settings else scan([known, new], **settings)
    assert report.pages[-1].across_share == 1
    assert [(group.kind, group.truncated) for group in report.groups] == [("exact", False)] * 2
    assert all(len({o.page for o in group.occurrences}) == 2 for group in report.groups)


def test_without_references_no_report_speaks_of_them() -> None:
    value = json.loads(scan([P[0], P[0]]).to_json())
    assert "reference_pages" not in value["summary"]
    assert "reference" not in value["pages"][0]


def test_a_report_is_read_back_with_its_references(tmp_path: Path) -> None:
    report = scan([P[0], P[1]], against=[{"id": "old", "text": P[0]}])
    report.write(tmp_path / "r.json")
    again = read_json(tmp_path / "r.json")
    assert again.to_json() == report.to_json()
    assert again.keep.tolist() == report.keep.tolist() == [False, True]


@pytest.mark.parametrize("unit", ["block", "page"])
def test_the_table_of_pages_has_no_references_and_cuts_nothing_from_them(unit: Unit, tmp_path: Path) -> None:
    old = [{"id": "old", "text": P[0]}, {"id": "again", "text": P[0]}, {"id": "part", "text": lines(P[1], P[3])}]
    new = [{"id": "copy", "text": P[0]}, {"id": "more", "text": lines(P[1], P[2])},
           {"id": "fresh", "text": lines(P[4], P[5])}]
    report = scan(new, against=old, unit=unit)
    batch, = page_batches(report)
    rows = list(page_rows(batch))
    assert [(row["id"], row["keep"], row["kept_page"]) for row in rows] == [
        ("copy", False, "old"), ("more", True, None), ("fresh", True, None)]
    assert report.keep.tolist() == [False, True, True]
    assert (report.annotations.kept[:3] < 0).all()
    if unit == "block":
        span, = rows[1]["spans"]
        assert (span["start"], span["end"], span["stays"], span["cut"]) == (0, len(P[1]), False, True)
        assert 0.4 < rows[1]["duplicate_share"] < 0.6
        spans = report.annotations.spans
        assert not spans.cut[:spans.first[3]].any()
    report.write(tmp_path / "r.json")
    for again in (read_json(tmp_path / "r.json"), report.at_similarity(0.5)):
        assert again.keep.tolist() == [False, True, True]
        assert (again.annotations.kept[:3] < 0).all()
        assert not again.annotations.spans.cut[:again.annotations.spans.first[3]].any()


def test_pages_of_one_value_stay_in_the_table_of_pages() -> None:
    texts = [{"id": str(n), "paper": paper, "text": P[0]} for n, paper in enumerate(("", "a", "a", "b"))]
    for settings in ({}, {"unit": "page"}):
        report = scan(texts, between="paper", **settings)
        assert report.keep.tolist() == [True, True, True, False]
        assert scan(texts, scope="across", **settings).keep.tolist() == [True, False, False, False]


def test_ids_of_pages_stay_and_those_of_references_give_way(tmp_path: Path) -> None:
    new = written(tmp_path / "new", a=P[0], b=P[1])
    old = written(tmp_path / "old", a=P[0], c=P[1])
    report = scan(new, against=old)
    assert [page.id for page in report.pages] == ["old/a.txt", "c.txt", "a.txt", "b.txt"]
    assert pages_of(report) == [["old/a.txt", "a.txt"], ["c.txt", "b.txt"]]
    assert [page.id for page in scan([P[0]], against=[P[0], P[1]]).pages] == ["reference/0", "1", "0"]
    taken = [{"id": "reference/x", "text": P[1]}, {"id": "x", "text": P[2]}]
    assert [page.id for page in scan([{"id": "x", "text": P[0]}], against=taken).pages] == [
        "reference/x", "reference/x#2", "x"]


@pytest.mark.parametrize("unit", ["block", "page"])
def test_the_same_place_on_both_sides_is_a_copy_of_itself(unit: str, tmp_path: Path) -> None:
    folder = written(tmp_path / "site", a=P[0], b=lines(P[1], P[2]))
    report = scan(folder, against=folder, unit=unit)
    assert pages_of(report) == [["site/a.txt", "a.txt"], ["site/b.txt", "b.txt"]]
    assert report.summary.duplicate_share == 1
    assert verdicts(report, "copy-of") == ["the page is a copy of site/a.txt", "the page is a copy of site/b.txt"]
    assert report.keep.tolist() == [False, False]


def test_sources_of_all_kinds_are_references() -> None:
    text = lines(P[1], P[0])
    pa = pytest.importorskip("pyarrow", reason="LOUD: pyarrow is missing, tables are no references here")
    for against in (P[0], [P[0]], {"text": P[0]}, iter([P[0]]), [Page("p", P[0])], pa.table({"text": [P[0]]})):
        report = scan([text], against=against)
        assert [group.text for group in report.groups] == [P[0]], type(against)
    with pytest.raises(OptionError, match="looks like a place"):
        scan([text], against="old/notes.txt")


def test_no_reference_at_all_is_an_error_and_not_nothing_found(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to compare against: there is no page in it"):
        scan([P[0]], against=[])
    with pytest.raises(InputError, match="nothing to compare against: row 0: the text is a number"):
        scan([P[0]], against=[{"text": 5}])


def test_against_is_refused_where_it_makes_no_sense() -> None:
    with pytest.raises(OptionError, match="against: what stands in other pages too does not stand within one"):
        scan([P[0]], against=[P[0]], scope="within")
    with pytest.raises(OptionError, match="against: compare takes its two pages"):
        dedup.compare(P[0], P[1], against=[P[0]])


def test_errors_of_both_sides_are_told() -> None:
    report = scan([P[0], 5], against=[P[0], {"no": "text"}])
    assert [error.message for error in report.errors] == [
        "row 1: no field text, content or body (there are: no); name one with text_field; skipped",
        "is int, not a text, mapping or Page; skipped"]
    assert report.summary.skipped == 2


def test_what_a_site_repeats_is_its_template_without_the_references() -> None:
    def site(name: str, count: int) -> list[Page]:
        return [Page(f"{name}{n}", lines(P[0], " ".join(f"{name}{n}x{i}" for i in range(40))), url=f"http://{name}.org/{n}",
                     site=f"{name}.org") for n in range(count)]
    report = scan([*site("new", 5), Page("one", P[0], url="http://old.org/x", site="old.org")], against=site("old", 5))
    assert {v.kind for page in report.pages[5:10] for v in page.verdicts} == {"template"}
    (verdict,) = report.pages[10].verdicts
    assert verdict.text.startswith("1 passage (30 words) stands in the references too (old0, old1, old2 and 2 more): line 1")
    assert not any(page.verdicts for page in report.pages[:5])


@pytest.mark.parametrize("unit", ["block", "page"])
def test_nothing_is_said_of_places_in_references(unit: Unit, tmp_path: Path) -> None:
    """The tables of a scan called them shared, those of the same report read from a file did not."""
    report = scan([lines(P[0], P[1])], against=[lines(P[0], P[1]), lines(P[1], P[1])], unit=unit, threshold=0.4)
    report.write(tmp_path / "report.json")
    for made in (report, read_json(tmp_path / "report.json")):
        rows = list(table_rows(made, "occurrences"))
        assert {row["verdict"] for row in rows if row["page"] != report.pages[-1].id} == {None}
        assert {row["verdict"] for row in rows if row["page"] == report.pages[-1].id} == {"copy-of"}
        assert all(row["verdicts"] == ["copy-of"] for row in table_rows(made, "groups"))


def test_small_repeats_stand_in_the_references_too() -> None:
    text = lines("Thumbnail", P[1], "Read more", P[2], "Thumbnail", P[3], "Read more")
    report = scan([text, text], against=[lines("Thumbnail", P[4])])
    assert [[repeat.text for repeat in page.small_repeats] for page in report.pages] == [[], ["Thumbnail"], ["Thumbnail"]]
    assert not any(page.small_repeats for page in scan([text], scope="across").pages)
    assert scan([text], scope="within").pages[0].small_repeats == scan([text]).pages[0].small_repeats


def test_the_digest_says_which_pages_are_references() -> None:
    digests = {scan(new, against=old).input_digest for old, new in (([P[0]], [P[1], P[2]]), ([P[0], P[1]], [P[2]]))}
    assert len({*digests, scan([P[0], P[1], P[2]]).input_digest}) == 3


def test_fewer_alike_places_may_leave_a_group_one_side_only() -> None:
    """``at_similarity`` compares nothing again, but a group keeps two sides."""
    near = edited(P[0], [3, 9, 15, 21])
    report = scan([{"id": "n", "text": near}], against=[{"id": "a", "text": P[0]}, {"id": "b", "text": f"{P[0]} x"}])
    assert pages_of(report) == [["a", "b", "n"]] or pages_of(report) == [["a", "n"], ["b", "n"]]
    assert len(report.at_similarity(0.5).groups) == len(report.groups)
    assert not len(report.at_similarity(0.99).groups)
    assert not list(report.at_similarity(0.99).pairs())


# Fields.


def test_a_field_is_carried_and_pages_without_it_pair_with_nobody(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": "a", "text": P[0], "paper": "Post"}, {"id": "b", "text": P[0], "paper": "Post"},
            {"id": "c", "text": P[0], "paper": "Times"}, {"id": "d", "text": P[0], "paper": None},
            {"id": "e", "text": P[0]}, {"id": "f", "text": P[0], "paper": ""}]
    with caplog.at_level(logging.WARNING):
        report = scan(rows, between="paper")
    assert pages_of(report) == [["a", "b", "c"]]
    assert [page.meta.get("paper") for page in report.pages] == ["Post", "Post", "Times", None, None, ""]
    assert [(entry.reason, entry.count, entry.examples) for entry in report.skipped] == [
        ("no paper, so in no pair", 3, ("d", "e", "f"))]
    assert "3 pages: no paper, so in no pair" in caplog.text
    assert {(p.a.page, p.b.page) for p in report.pairs()} == {("a", "c"), ("b", "c")}


def test_a_field_in_which_no_pages_differ_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """All pages have one value; against references, all of both sides have the same one."""
    pages = [Page(name, P[0], meta={"paper": "Gazette"}) for name in "ab"]
    assert [(s.reason, s.count) for s in scan(pages, between="paper").skipped] == [
        ("no page has another paper, so in no pair", 2)]
    assert "2 pages: no page has another paper, so in no pair" in caplog.text
    other = [*pages, Page("c", P[0], meta={"paper": "Courier"})]
    assert not scan(other, between="paper").skipped
    found = scan(other, against=pages, between="paper")
    assert [(s.reason, s.count) for s in found.skipped] == [("no page has another paper, so in no pair", 2)]
    assert len(found.groups) == 1



@pytest.mark.parametrize(("meta", "field", "value"), [
    ({"n": 1}, "n", "1"), ({"n": "1"}, "n", "1"), ({"n": [1, "a"]}, "n", '[1, "a"]'), ({"n": 0}, "n", "0"),
    ({"n": False}, "n", "false"), ({}, "host", "example.org"), ({}, "folder", "a/b"), ({"host": "mine"}, "host", "mine"),
    ({}, "n", ""), ({"n": None}, "n", "")])
def test_values_are_compared_as_text(meta: dict[str, Any], field: str, value: str) -> None:
    assert page_value(Page("x", "", "a/b/c.txt", meta=meta, url="http://Example.org/x"), field) == value


def test_hosts_and_folders_are_the_pages_own(tmp_path: Path) -> None:
    written(tmp_path / "site" / "one", a=P[0], b=P[0])
    written(tmp_path / "site" / "two", c=P[0], d=P[1])
    report = scan(tmp_path / "site", between="folder")
    assert pages_of(report) == [["one/a.txt", "one/b.txt", "two/c.txt"]]
    assert report.pages[0].meta == {"folder": str(tmp_path / "site" / "one")}
    rows = [{"url": f"http://{host}/{n}", "text": P[0]} for n, host in enumerate(["a.org", "a.org", "B.org"])]
    assert pages_of(scan(rows, between="host")) == [[row["url"] for row in rows]]
    assert pages_of(scan(rows[:2], between="host")) == []


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "parquet", "objects"])
def test_a_field_that_no_page_has_is_answered_with_those_there_are(suffix: str, tmp_path: Path) -> None:
    rows = [{"id": "a", "text": P[0], "paper": "x"}, {"id": "b", "text": P[1], "paper": "y"}]
    path, source = tmp_path / f"r.{suffix}", None
    if suffix == "jsonl":
        records(path, *rows)
    elif suffix == "json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif suffix == "csv":
        path.write_text("id,text,paper\n" + "".join(f"{r['id']},{r['text']},{r['paper']}\n" for r in rows), encoding="utf-8")
    elif suffix == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet", reason="LOUD: pyarrow is missing")
        parquet.write_table(pytest.importorskip("pyarrow").Table.from_pylist(rows), path)
    else:
        source = rows
    folder = "" if suffix == "objects" else ", folder"
    with pytest.raises(OptionError) as error:
        scan(source or path, between="papr")
    assert str(error.value) == f"between: no page has the field papr. There are: id, text, paper{folder}."
    assert len(scan(source or path, between="paper").groups) == 0


def test_between_within_one_page_is_refused() -> None:
    with pytest.raises(OptionError, match="between: a page does not differ from itself"):
        scan([P[0]], between="host", scope="within")


def test_references_and_fields_together() -> None:
    """A reprint of the same year is none, and neither is one beside which only pages of one side stand."""
    new = [{"id": "n1", "text": P[0], "year": 1}, {"id": "n2", "text": lines(P[1], P[0]), "year": 2}]
    old = [{"id": "o1", "text": P[0], "year": 1}, {"id": "o2", "text": P[1], "year": 2}]
    report = scan(new, against=old, between="year")
    assert {(p.a.page, p.b.page) for p in report.pairs()} == {("o1", "n2")}
    assert pages_of(report) == [["o1", "n2"]]


# The command.


@pytest.mark.parametrize("order", [0, 1, 2])
def test_options_stand_in_any_order_and_references_may_be_several(order: int, tmp_path: Path,
                                                                  capsys: pytest.CaptureFixture[str]) -> None:
    new = records(tmp_path / "new.jsonl", {"key": "n", "body": lines(P[0], P[1], P[2])})
    one = records(tmp_path / "one.jsonl", {"key": "o", "body": P[0]})
    two = records(tmp_path / "two.jsonl", {"key": "t", "body": P[1]})
    parts = [[str(new)], ["--against", str(two), "--against", str(one)], ["--text-field", "body", "--id-field", "key"]]
    arguments = [part for n in range(3) for part in parts[(n + order) % 3]]
    assert main(["scan", *arguments, "--format", "json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert [page["id"] for page in value["pages"]] == ["o", "t", "n"]
    assert [[o["page"] for o in group["occurrences"]] for group in value["groups"]] == [["o", "n"], ["t", "n"]]


def test_a_missing_reference_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = written(tmp_path / "new", a=P[0])
    assert main(["scan", str(new), "--against", str(tmp_path / "none.txt")]) == 2
    assert "none.txt: no such file or folder" in capsys.readouterr().err
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    assert main(["scan", str(new), "--against", str(tmp_path / "empty.jsonl")]) == 2
    assert "nothing to compare against: empty file, skipped" in capsys.readouterr().err


def test_a_reference_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new, old = written(tmp_path / "new", a=P[0]), tmp_path / "old.json"
    old.write_text(json.dumps([{"text": P[0]}]), encoding="utf-8")
    assert main(["scan", str(new), "--against", str(old), "-o", str(old)]) == 2
    assert "is read and would be overwritten" in capsys.readouterr().err


def test_standard_input_may_be_one_side(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    new = written(tmp_path / "new", a=lines(P[1], P[0]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(P[0].encode())))
    assert main(["scan", str(new), "--against", "-", "--format", "json"]) == 0
    assert [len(group["occurrences"]) for group in json.loads(capsys.readouterr().out)["groups"]] == [2]


def test_the_terminal_tells_the_sides_apart() -> None:
    def printed(report: Report) -> str:
        file = io.StringIO()
        print_report(report, file)
        return file.getvalue()
    many = printed(scan([{"id": "new", "text": lines(P[1], P[0])}],
                        against=[{"id": f"old{n}", "text": lines(P[0], prose(20, n))} for n in range(9)]))
    assert "against 9 pages" in many
    assert "stands once, in the references 9 times" in many
    places = [line.split("(")[-1].strip() for line in many.splitlines() if line.startswith("    input[")]
    assert places == ["old0)  in REF", "new)", "old1)  in REF", "old2)  in REF", "old3)  in REF"]
    assert "Nothing that stands in the references too (1 page)." in printed(scan([P[0]], against=[P[1]]))
    nothing = printed(scan([{"text": P[0], "year": 1}, {"text": P[0], "year": 1}], between="year"))
    assert "No repeats found between pages that differ in year." in nothing
