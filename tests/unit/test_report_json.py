"""The JSON report: what stands in it, that it can be read back, that it is the same bytes every time."""

from __future__ import annotations

import dataclasses
import datetime
import errno
import io
import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_fakes import group, near_report, news_report, occurrence, page, pair, report

from dedup.errors import DedupError, InputError, OptionError, OutputError
from dedup.model import ReadError, Skipped, SmallRepeat, Verdict
from dedup.options import Options
from dedup.report import Report
from dedup.report.json import read_json, replaced_file, write_json
from dedup.report.text import safe

SURROGATE = "half \ud83d a pair \udc80"


def rich_report() -> Report:
    """One of everything."""
    a = occurrence("a", "eight words that stand twice on two pages", 3, 2)
    b = dataclasses.replace(occurrence("b", "Eight words that stand twice on two pages", 0, 7, 8, 0.97),
                            parts=((0, 5), (6, 41)), path="html/body/p[2]", source_exact=False, source_start=None)
    pages = [page("a", title="A <title>", meta={"date": "2024", "n": [1, 2]}, text="ab"),
             page("b", duplicate_chars=41, verdicts=(Verdict("shared", "it is shared", (0,), {"pages": 2}),),
                  small_repeats=(SmallRepeat("Thumbnail", (3, 23)),))]
    return report(pages, [group(0, [a, b], "near", related=(4, 5), truncated=True)], [pair(a, b, "near", 0.97)],
                  [Skipped("too long", 2, ("c", "d"))], [ReadError("e.txt", None, "is binary (skipped)"),
                                                         ReadError("f.jsonl", 3, "is no JSON (skipped)")],
                  options=Options(pairs=True, meta=("date", "n"), threshold=0.7))


def test_keys_are_those_of_the_contract_in_their_order() -> None:
    value = json.loads(rich_report().to_json())
    assert list(value) == ["format", "version", "input_digest", "options", "summary", "pages", "groups", "pairs",
                           "skipped", "errors", "causes"]
    assert value["format"] == "dedup-report/1"
    assert list(value["summary"]) == ["pages", "blocks", "compared", "short", "skipped", "groups", "chars",
                                      "duplicate_chars", "duplicate_share", "content_share"]
    assert list(value["pages"][1]) == ["id", "source", "title", "words", "chars", "meta", "duplicate_chars",
                                       "within_share", "across_share", "verdicts", "small_repeats"]
    assert value["pages"][1]["verdicts"] == [
        {"kind": "shared", "text": "it is shared", "groups": [0], "evidence": {"pages": 2}}]
    assert list(value["groups"][0]) == ["id", "kind", "similarity", "tokens", "blocks", "text", "related", "truncated",
                                        "occurrences"]
    assert list(value["groups"][0]["occurrences"][0]) == [
        "page", "start", "end", "source_start", "source_end", "line", "end_line", "path", "parts", "similarity",
        "jaccard", "containment", "indel_similarity"]
    assert list(value["pairs"][0]) == ["a", "b", "kind", "similarity", "jaccard", "containment_a", "containment_b",
                                       "indel_similarity"]
    assert value["skipped"] == [{"reason": "too long", "count": 2, "examples": ["c", "d"]}]
    assert value["errors"][1] == {"source": "f.jsonl", "line": 3, "message": "is no JSON (skipped)"}


def test_the_text_of_an_occurrence_stands_only_where_it_differs_from_the_groups() -> None:
    first, second = json.loads(rich_report().to_json())["groups"][0]["occurrences"]
    assert "text" not in first
    assert second["text"] == "Eight words that stand twice on two pages"
    assert second["parts"] == [[0, 5], [6, 41]]
    assert second["source_exact"] is False


def test_options_hold_what_changes_results_and_nothing_else() -> None:
    options = json.loads(report(options=Options(threads=3, partitions=7)).to_json())["options"]
    assert options["threshold"] == 0.5
    assert options["shingle_size"] == 2
    assert not {"threads", "partitions"} & set(options)


@pytest.mark.parametrize(("pairs", "is_comparison", "there"),
                         [(False, False, False), (True, False, True), (False, True, True)])
def test_pairs_stand_in_it_where_they_were_asked_for_or_of_a_comparison(
        pairs: bool, is_comparison: bool, there: bool) -> None:
    text = report(options=Options(pairs=pairs), is_comparison=is_comparison).to_json()
    assert ("pairs" in json.loads(text)) is there


def test_reading_gives_back_what_was_written(tmp_path: Path) -> None:
    for number, first in enumerate((rich_report(), news_report(), near_report(), report())):
        path = tmp_path / f"{number}.json"
        first.write(path)
        second = read_json(path)
        assert second.to_json() == first.to_json()
        assert list(second.groups) == list(first.groups)
        assert list(second.pages) == list(first.pages)
        assert (second.summary, second.skipped, second.errors) == (first.summary, first.skipped, first.errors)


def test_a_file_without_pairs_says_so_when_they_are_asked_for(tmp_path: Path) -> None:
    news_report().write(tmp_path / "r.json")
    with pytest.raises(DedupError, match="without its pairs"):
        read_json(tmp_path / "r.json").pairs()


def test_lone_surrogates_are_escapes_and_come_back(tmp_path: Path) -> None:
    hostile = report([page(SURROGATE, title=SURROGATE, meta={SURROGATE: SURROGATE})],
                     [group(0, [occurrence(SURROGATE, SURROGATE), occurrence(SURROGATE, SURROGATE, 90)])])
    hostile.write(tmp_path / "r.json")
    data = (tmp_path / "r.json").read_bytes()
    assert b"\\ud83d" in data
    data.decode("utf-8")
    assert read_json(tmp_path / "r.json").groups[0].text == SURROGATE
    assert json.loads(data)["pages"][0]["meta"] == {SURROGATE: SURROGATE}
    assert json.loads(hostile.to_json(indent=2))["pages"][0]["id"] == SURROGATE


def test_what_a_terminal_reacts_to_is_an_escape_and_the_value_the_same() -> None:
    every = "".join(c for c in map(chr, range(0x110000)) if not "\ud800" <= c <= "\udfff")
    for text in (every, every + SURROGATE):
        made = report([page(text, title="plain \x7f", meta={"\x9b": "\u202e"})])
        for written in (made.to_json(), made.to_json(indent=1)):
            assert safe(written.replace("\n", " ")) == written.replace("\n", " ")
            value = json.loads(written)["pages"][0]
            assert (value["id"], value["title"], value["meta"]) == (text, "plain \x7f", {"\x9b": "\u202e"})


def test_meta_of_any_kind_can_be_written() -> None:
    meta = {"day": datetime.date(2024, 2, 29), "big": 2**80, "np": np.int64(3), "bytes": b"x", "none": None,
            "f": np.float32(0.5)}
    value = json.loads(report([page("a", meta=meta)]).to_json())["pages"][0]["meta"]
    assert value["day"] == "2024-02-29"
    assert value["big"] == 2**80
    assert value["np"] == 3
    assert value["f"] == 0.5


def test_the_same_report_gives_the_same_bytes_in_file_stream_and_string(tmp_path: Path) -> None:
    one = rich_report()
    buffer = io.BytesIO()
    write_json(one, buffer)
    one.write(tmp_path / "r.json")
    assert (tmp_path / "r.json").read_bytes() == buffer.getvalue() == rich_report().to_json().encode()
    assert json.loads(one.to_json(indent=2)) == json.loads(one.to_json())


def test_groups_are_written_one_by_one_without_being_held() -> None:
    class Lazy:
        alive = 0

        def __len__(self) -> int:
            return 1000

        def __iter__(self):  # type: ignore[no-untyped-def]
            for number in range(1000):
                yield group(number, [occurrence("a", "x " * 50), occurrence("a", "x " * 50, 500)])

    class Counting(io.RawIOBase):
        largest = 0

        def write(self, data) -> int:  # type: ignore[no-untyped-def, override]
            self.largest = max(self.largest, len(data))
            return len(data)

    lazy = report([page("a")])
    lazy.groups = Lazy()  # type: ignore[assignment]
    file = Counting()
    write_json(lazy, file)  # type: ignore[arg-type]
    assert file.largest < 2000


@pytest.mark.parametrize(("content", "what"), [
    (b"", "damaged"),
    (b"<!-- dedup-report -->\n", "no report of dedup. Name what dedup scan or compare wrote with -o RESULT.json."),
    (b"{", "damaged"),
    (b"[]", "no report of dedup"),
    (b'{"format": "jscpd"}', "'jscpd'"),
    (b'{"format": "dedup-report/2"}', "has the format 'dedup-report/2', this version reads 'dedup-report/1'"),
    (b'{"format": "dedup-report/1"}', "no 'options' in it"),
    (b"[" * 200_000, "damaged"),
    (b"\xff\xfe\x00", "damaged"),
])
def test_a_damaged_or_newer_file_gives_one_clear_line(content: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"r\.json: ") as caught:
        read_json(path)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("change", "what"), [
    (lambda value: value["groups"][0]["occurrences"][0].update(page="nowhere"), "groups: there is no page 'nowhere'"),
    (lambda value: value["groups"][0].update(id=7), "groups: the id of number 0 is 7"),
    (lambda value: value["groups"][0].update(occurrences=["a"]), "'str' object has no attribute"),
    (lambda value: value.update(options=None), "'NoneType' object has no attribute"),
])
def test_a_report_that_does_not_fit_together_is_damaged(change: Any, what: str, tmp_path: Path) -> None:
    value = json.loads(rich_report().to_json())
    change(value)
    (tmp_path / "r.json").write_text(json.dumps(value))
    with pytest.raises(InputError, match=f"the report is damaged: {what}"):
        read_json(tmp_path / "r.json")


def test_a_report_cut_anywhere_or_with_a_wrong_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    whole = rich_report().to_json()
    for cut in range(0, len(whole) - 2, 37):
        path.write_text(whole[:cut])
        with pytest.raises(InputError):
            read_json(path)
    path.write_text(whole.replace('"line":2', '"line":"two"'))
    with pytest.raises(InputError, match="groups: Expected `int`, got `str`"):
        read_json(path)
    path.write_text(whole.replace('"threshold":0.7', '"threshold":7'))
    with pytest.raises(InputError, match="out of range"):
        read_json(path)


def test_a_file_that_is_not_there_gives_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_json(tmp_path / "none.json")


# Writing.


def test_an_unknown_suffix_is_answered_with_those_there_are(tmp_path: Path) -> None:
    for name in ("r.docx", "r"):
        with pytest.raises(OptionError, match=r"Use one of: \.txt, \.json"):
            report().write(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")

    def fail() -> None:
        with replaced_file(path) as file:
            file.write(b"half of it")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match="the disk is full"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "r.json"

    def interrupt() -> None:
        with replaced_file(path) as file:
            file.write(b"half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert list(tmp_path.iterdir()) == []


def test_writing_keeps_mode_and_link_of_an_older_file(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    report().write(link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_bytes().startswith(b'{"format"')


def test_no_folder_or_a_folder_in_the_way_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no such folder"):
        report().write(tmp_path / "none" / "r.json")
    (tmp_path / "d.json").mkdir()
    with pytest.raises(OutputError, match="that is a folder"):
        report().write(tmp_path / "d.json")


# The object.


def test_at_similarity_drops_what_is_below_and_numbers_anew() -> None:
    low = group(0, [occurrence("a", "low"), occurrence("b", "lower", similarity=0.6)], "near")
    mixed = group(1, [occurrence("a", "mix"), occurrence("b", "mixt", similarity=0.6),
                      occurrence("c", "mixx", similarity=0.92)], "near", related=(0, 2))
    high = group(2, [occurrence("a", "same"), occurrence("b", "same")], related=(1,))
    verdicts = (Verdict("shared", "low", (0,)), Verdict("shared", "both", (0, 2)), Verdict("template", "none", ()))
    links = [pair(low.occurrences[0], low.occurrences[1], "near", 0.6), pair(high.occurrences[0], high.occurrences[1])]
    before = report([page("a", verdicts=verdicts)], [low, mixed, high], links)
    after = before.at_similarity(0.9)
    assert [(g.id, g.text, g.related, g.similarity) for g in after.groups] == [
        (0, "mix", (1,), 0.92), (1, "same", (0,), 1.0)]
    assert [o.page for o in after.groups[0].occurrences] == ["a", "c"]
    assert [(v.text, v.groups) for v in after.pages[0].verdicts] == [("both", (1,)), ("none", ())]
    assert list(after.pairs()) == links[1:]
    assert after.summary.groups == 2
    assert after.options.min_similarity == 0.9
    assert len(before.groups) == 3
    with pytest.raises(OptionError, match=r"Use 0\.0 to 1\.0"):
        before.at_similarity(90)


def test_the_least_certain_links_come_first_and_equal_texts_not_at_all() -> None:
    a, b = occurrence("a", "x"), occurrence("b", "x")
    links = [pair(a, b, "near", s) for s in (0.9, 0.6, 0.7)] + [pair(a, b)]
    certain = report(links=links).least_certain(2)
    assert [p.similarity for p in certain] == [0.6, 0.7]


def test_repr_is_one_line() -> None:
    assert repr(news_report()) == "<Report: 1 page, 2 groups, 48.9 % duplicate>"


def test_arrow_has_a_row_for_each_occurrence() -> None:
    pytest.importorskip("pyarrow")
    table = rich_report().to_arrow("occurrences")
    assert table.num_rows == 2
    assert table.column("page").to_pylist() == ["a", "b"]
    assert table.column("source_start").to_pylist() == [3, None]
    hostile = report([page("a"), page("b")], [group(0, [occurrence("a", SURROGATE), occurrence("b", SURROGATE)])])
    assert hostile.to_arrow("occurrences").column("text")[0].as_py() == "half \ufffd a pair \ufffd"
    assert report().to_arrow("occurrences").num_rows == 0
