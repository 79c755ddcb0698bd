"""What was left out, in words: each loss once, with its reason and the records it is about."""

from __future__ import annotations

import json

from dedup import open_pages, scan
from dedup.model import ReadError, Skipped
from dedup.report.troubles import Trouble, place_words, troubles
from tests.scan_help import prose
from tests.unit.report_fakes import page, report


def test_records_that_were_left_out_are_told_once_with_reason_and_lines(tmp_path):
    rows = [{"id": n, "text": prose(20, n) if n % 2 else ["a", "list"]} for n in range(28)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "a.txt").write_text(prose(30), encoding="utf-8")
    told = troubles(scan(tmp_path))
    source = f"{tmp_path.as_posix()}/rows.jsonl"
    assert told == [Trouble("14 records were left out", "the text is a list, not a string",
                            (("rows.jsonl", source, tuple(range(1, 21, 2))),), 4)]
    assert place_words(told[0]) == "rows.jsonl lines 1, 3, 5, 7, 9, 11 and 8 more"


def test_where_the_messages_differ_the_reason_is_told_in_plain_words():
    skipped = [Skipped("text is no string", 2, ("s/a.json:2", "s/b.json:5"))]
    errors = [ReadError("s/a.json", 2, "the text is a list, not a string; skipped"),
              ReadError("s/b.json", 5, "the text is a number, not a string; skipped")]
    [told] = troubles(report([page("s/c.txt")], skipped=skipped, errors=errors))
    assert told.why == "the text is something else, such as a list or a number"
    assert place_words(told) == "a.json line 2; b.json line 5"


def test_files_folders_and_pages_have_their_names():
    skipped = [Skipped("binary file", 1, ("x.png",)), Skipped("hidden folder", 2, (".git", ".venv")),
               Skipped("no host, so in no pair", 3, ("a", "b", "c")), Skipped("HTTP status 404", 1, ("https://x.example/",))]
    told = [f"{t.what}: {t.why}" for t in troubles(report([page("x.txt")], skipped=skipped))]
    assert told == ["1 file was left out: no text, but a picture, an archive or the like",
                    "2 folders were left out: hidden, as the name begins with a dot",
                    "3 pages were left out: no host, so in no pair", "1 record was left out: HTTP status 404"]


def test_faults_that_cost_nothing_whole_are_told_by_message():
    twice = "several columns are named 'x'"
    errors = [ReadError("t/a.csv", 1, twice), ReadError("t/b.csv", 1, twice),
              ReadError("t/c.gz", None, "damaged; what stands before it was used")]
    told = troubles(report([page("t/d.txt")], errors=errors))
    assert [(t.what, t.why, place_words(t)) for t in told] == [
        ("", twice, "a.csv line 1; b.csv line 1"), ("", "damaged; what stands before it was used", "c.gz")]


def test_a_sum_of_lines_that_are_told_already_is_not_told_again(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n' * 40, encoding="utf-8")
    stream = open_pages(tmp_path / "rows.jsonl")
    assert list(stream) == []
    assert any("more lines like this" in error.message for error in stream.errors)
    [told] = troubles(scan(tmp_path))
    assert told.what == "40 records were left out"
    assert told.hidden == 30
