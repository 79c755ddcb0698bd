"""The table of pages: what stays, spans, shares, and the files it is written to."""

from __future__ import annotations

import copy
import csv
import io
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_fakes import group, occurrence, page, report

import dedup
from dedup import cli, scan
from dedup.annotate import REPETITION, SHARES, annotations_of
from dedup.errors import MissingExtraError, OptionError, OutputError
from dedup.keep import kept_pages
from dedup.model import Verdict
from dedup.report import page_table
from dedup.report.json import read_json
from dedup.report.page_table import COLUMNS, page_batches, page_rows
from tests.scan_help import edited, lines, prose, scan_texts

ROOT = Path(__file__).parents[2]
P = [prose(30, n) for n in range(8)]
NAMES = [name for name, _ in COLUMNS]


def rows_of(made: dedup.Report) -> list[dict[str, Any]]:
    return [row for batch in page_batches(made) for row in page_rows(batch)]


def kept_of(made: dedup.Report) -> dict[str, str | None]:
    return {row["id"]: row["kept_page"] for row in rows_of(made)}


def without(text: str, spans: list[dict[str, Any]]) -> str:
    for span in sorted(spans, key=lambda s: -s["start"]):
        text = text[:span["start"]] + text[span["end"]:]
    return text


# What stays.


def test_a_page_goes_only_where_one_that_stays_holds_it():
    """Of a chain only the neighbours are alike."""
    chain = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 4])
    assert kept_pages(*chain, 5).tolist() == [-1, 0, -1, 2, -1]
    assert kept_pages(np.array([2, 0, 1]), np.array([3, 3, 3]), 4).tolist() == [-1, -1, -1, 0]
    assert kept_pages(np.empty(0, np.int64), np.empty(0, np.int64), 0).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] != pair[1]), max_size=30))
def test_pages_that_stay_are_those_of_a_look_at_one_pair_after_the_other(pairs):
    pairs = sorted({(min(pair), max(pair)) for pair in pairs}, key=lambda pair: pair[::-1])
    kept = [-1] * 10
    for first, later in pairs:
        if kept[first] < 0 and kept[later] < 0:
            kept[later] = first
    mixed = np.array(pairs[::-1], np.int64).reshape(-1, 2)
    assert kept_pages(mixed[:, 0], mixed[:, 1], 10).tolist() == kept


def test_the_verdict_of_a_copy_names_a_page_that_stays():
    a = prose(100, 1)
    b = edited(a, range(10, 100, 30))
    c = edited(b, range(25, 100, 30), "z")
    found = scan([dedup.Page(name, text, site=name) for name, text in (("a", a), ("b", b), ("c", c))])
    kept = kept_of(found)
    assert list(kept.values()) == [None, "a", None]
    for row, told in zip(rows_of(found), found.pages, strict=True):
        copies = [v.evidence["page"] for v in told.verdicts if v.kind == "copy-of"]
        assert (kept[row["id"]] is None) == row["keep"]
        if not row["keep"]:
            assert copies == [row["kept_page"]]
            assert kept[row["kept_page"]] is None


def test_whole_pages_in_a_group_go_but_the_first():
    texts = {"a": prose(200, 1), "b": prose(200, 2), "c": edited(prose(200, 1), [50]), "d": prose(200, 2)}
    assert kept_of(scan_texts(texts, unit="page")) == {"a": None, "b": None, "c": "a", "d": "b"}


def test_pages_with_equal_words_go_however_few():
    texts = {"a": "Not found", "b": "Not found!", "c": "", "d": "", "e": "...", "f": "..."}
    for unit in ("block", "page"):
        assert kept_of(scan_texts(texts, unit=unit)) == dict.fromkeys("acdef") | {"b": "a"}


def test_nothing_goes_where_pages_are_not_compared():
    made = scan_texts([P[0], P[0], "Not found", "Not found"], scope="within")
    assert made.keep.tolist() == [True] * 4


def test_a_page_that_shares_a_paragraph_or_is_a_part_of_a_longer_one_stays():
    made = scan_texts([lines(P[0], P[1], P[2]), lines(P[0], P[3], P[4]), P[2]])
    assert made.keep.tolist() == [True, True, True]
    assert made.keep.dtype == np.bool_


def test_keep_of_a_report_made_by_hand_follows_its_verdicts_and_groups():
    verdict = Verdict("copy-of", "a copy of b", (0,), {"page": "b"})
    pages = [page("a"), page("b"), page("c", verdicts=(verdict,)), page("d")]
    text = "a whole page of eight words or more"
    groups = [group(0, [occurrence("b", text), occurrence("c", text)]),
              group(1, [occurrence("a", text), occurrence("d", text)])]
    assert report(pages, groups).keep.tolist() == [True, True, False, True]
    by_page = report(pages, groups, options=dedup.Options(unit="page"))
    assert by_page.keep.tolist() == [True, True, False, False]
    assert kept_of(by_page) == {"a": None, "b": None, "c": "b", "d": "a"}


def test_keep_is_what_cleaning_drops():
    from dedup.api import _pages
    from dedup.cleaning.choices import Choices
    from dedup.cleaning.plan import plan_removals
    from dedup.options import make_options
    from dedup.pipeline import Stages, find_duplicates
    from dedup.verdicts import Judgement

    texts = [P[0], lines(P[1], P[2]), P[0], "Not found", lines(P[1], P[2]), lines(P[2], P[1]), "Not found", "", ""]
    for settings in ({"unit": "block"}, {"unit": "page"}):
        made = scan(texts, find="exact", **settings)
        options = make_options({"find": "exact", **settings})
        findings, _ = find_duplicates(_pages(texts, options), options, Stages(None))
        plan = plan_removals(findings, Judgement(findings), Choices(for_="corpus", drop="pages"))
        gone = {p: plan.removals[n].page for p, n in plan.dropped.items()}
        if settings["unit"] == "page":
            assert set(np.flatnonzero(~made.keep).tolist()) == set(gone) == {2, 4, 6}
        else:  # the paragraphs of page 1 in another order: a copy, though not word for word
            assert set(np.flatnonzero(~made.keep).tolist()) - set(gone) <= {5}
            assert set(gone) == {2, 4, 6}


# Spans.


def test_spans_say_where_what_stands_and_which_stays():
    text = lines("Menu", P[0], P[1], "Thumbnail", P[0], P[1])
    row = rows_of(scan_texts([text]))[0]
    first, second = row["spans"]
    section = lines(P[0], P[1])
    assert [text[s["start"]:s["end"]] for s in (first, second)] == [section, section]
    assert (first["stays"], first["cut"], second["stays"], second["cut"]) == (True, False, False, True)
    assert (first["verdict"], first["kind"], first["group"]) == ("rendered-twice", "exact", 0)
    assert row["groups"] == [0]
    assert without(text, [s for s in row["spans"] if s["cut"]]) == lines("Menu", P[0], P[1], "Thumbnail") + "\n\n"


def test_an_occurrence_over_other_text_gives_a_span_a_stretch():
    text = lines(P[0], P[1], P[2], "A label", P[0], "Between them", P[1], P[2])
    made = scan_texts([text])
    assert any(o.parts for g in made.groups for o in g.occurrences)
    spans = rows_of(made)[0]["spans"]
    assert all("Between them" not in text[s["start"]:s["end"]] for s in spans if s["cut"])
    assert without(text, [s for s in spans if s["cut"]]).split() == lines(
        P[0], P[1], P[2], "A label", "Between them").split()


def test_a_place_that_stays_for_others_is_not_cut():
    """The second page's copy of P0 goes; the third page's long passage stays whole, the copy of P1 in it too."""
    long = lines(P[1], P[2], P[3])
    made = scan([dedup.Page(name, lines(*blocks), site=name) for name, *blocks in (
        ("a", P[0], P[4]), ("b", P[0], P[5], P[1]), ("c", P[6], long), ("d", P[7], long))])
    cut = {row["id"]: len({at for s in row["spans"] if s["cut"] for at in range(s["start"], s["end"])})
           for row in rows_of(made)}
    assert cut["a"] == 0
    assert cut["b"] == len(P[0])
    assert cut["c"] == 0
    assert cut["d"] == len(long)


def test_on_a_page_that_goes_nothing_is_cut_and_nothing_stays():
    made = scan_texts([lines(P[0], P[1]), lines(P[0], P[1]), lines(P[2], P[0])])
    rows = rows_of(made)
    assert [row["keep"] for row in rows] == [True, False, True]
    assert rows[1]["spans"]
    assert not any(s["cut"] or s["stays"] for s in rows[1]["spans"])
    assert [s["cut"] for s in rows[2]["spans"]] == [True]


def test_a_group_whose_first_place_goes_stays_at_the_next_one():
    """Nine tenths of b stand in a; the rest of b stands in c alone, where it stays."""
    rest = prose(12, 50)
    made = scan_texts({"a": lines(*P[:5]), "b": lines(*P[:5], rest), "c": lines(P[7], rest)})
    rows = {row["id"]: row for row in rows_of(made)}
    assert not rows["b"]["keep"]
    assert [(s["stays"], s["cut"]) for s in rows["c"]["spans"]] == [(True, False)]


# Shares.


def test_shares_by_verdict_are_parts_of_the_duplicate_share():
    text = lines("Menu", P[0], P[1], "Thumbnail", P[0], P[1])
    row = rows_of(scan_texts([text]))[0]
    words = sum(len(block) for block in text.split("\n\n"))
    assert row["share_rendered_twice"] == row["duplicate_share"] == row["content_share"]
    assert row["duplicate_share"] == pytest.approx((len(P[0]) + len(P[1])) / words)
    assert sum(row[name] for name in SHARES[2:]) == row["share_rendered_twice"]
    copies = rows_of(scan_texts([lines(P[0], P[1]), lines(P[0], P[1])]))
    assert [row["share_copy_of"] for row in copies] == [0.0, 1.0]
    assert copies[1]["share_shared"] == 0.0


def test_shares_of_pages_make_up_the_share_of_the_report():
    made = scan(ROOT / "examples")
    rows = rows_of(made)
    assert sum(row["duplicate_chars"] for row in rows) == made.summary.duplicate_chars
    for row in rows:
        assert row["content_share"] <= row["duplicate_share"] <= 1.0
        assert max(row[name] for name in SHARES[2:]) <= row["duplicate_share"] <= sum(row[name] for name in SHARES[2:]) + 1e-9


# Repetition.


def test_measures_of_repetition_are_shares_of_the_page():
    row = rows_of(scan(["one two\n\none two\n\nthree"]))[0]
    assert row["duplicate_line_fraction"] == row["duplicate_paragraph_fraction"] == 1 / 3
    assert row["duplicate_line_char_fraction"] == 7 / 19
    assert row["top_2_gram_char_fraction"] == 12 / 17
    assert row["top_3_gram_char_fraction"] == row["duplicate_5_gram_char_fraction"] == 0.0


def test_measures_do_not_depend_on_threads_or_on_how_rows_are_batched(monkeypatch: pytest.MonkeyPatch):
    texts = [lines(*P[:n], *P[:n // 2]) for n in range(8)] + ["", "\n", "x " * 500]
    expected = rows_of(scan(texts, threads=1))
    monkeypatch.setattr("dedup.annotate.BATCH_BYTES", 400)
    monkeypatch.setattr(page_table, "BATCH_ROWS", 3)
    assert rows_of(scan(texts, threads=3)) == expected
    assert all(0.0 <= row[name] <= 1.0 for row in expected for name in REPETITION)
    assert all(row[name] == 0.0 for row in expected for name in REPETITION if not row["words"])


# Reports that know less.


def test_a_report_read_from_a_file_gives_what_it_knows(tmp_path: Path):
    for settings in ({}, {"with_text": True}, {"unit": "page"}):
        made = scan(ROOT / "examples", **settings)
        made.write(tmp_path / "r.json")
        back = read_json(tmp_path / "r.json")
        unknown = SHARES if "with_text" in settings else (*SHARES, *REPETITION)
        for mine, read in zip(rows_of(made), rows_of(back), strict=True):
            assert read == mine | dict.fromkeys(("row", *unknown))


def test_a_filtered_report_keeps_its_measures_and_follows_its_groups():
    a = prose(200, 1)
    made = scan_texts({"a": a, "b": edited(a, [50, 90]), "c": a, "d": "Not found", "e": "Not found"}, unit="page")
    assert made.keep.tolist() == [True, False, False, True, False]
    less = made.at_similarity(1.0)
    assert less.keep.tolist() == [True, True, False, True, False]
    assert [row["spans"] == [] for row in rows_of(less)] == [False, True, False, True, True]
    for mine, other in zip(rows_of(made), rows_of(less), strict=True):
        assert [mine[name] for name in (*SHARES, *REPETITION)] == [other[name] for name in (*SHARES, *REPETITION)]
    assert rows_of(copy.deepcopy(made).at_similarity(1.0)) == rows_of(less)


def test_columns_of_a_scan_and_of_its_objects_are_the_same():
    """What the columns of a scan say is what its groups and verdicts say."""
    made = scan(ROOT / "examples")
    known, objects = made.annotations, annotations_of(made)
    assert known.kept.tolist() == objects.kept.tolist()
    for name in ("first", "start", "end", "group", "kind", "verdict", "stays", "cut"):
        assert getattr(known.spans, name).tolist() == getattr(objects.spans, name).tolist(), name


# Files.

ODD = [{"id": "=1+1", "text": P[0], "n": 3}, {"id": "a,\"b\"\nc\t", "text": P[0], "n": None},
       {"id": "\ud800x", "text": "\udfff " + P[1]}, {"id": "@x\x00\x1b[31m", "text": ""},
       {"id": "ﷺ😀", "text": P[1] + "\n\n" + P[1], "n": "=cmd|' /C calc'!A0"}, {"id": "-7", "text": "\ufeff"},
       {"id": "\rx", "text": "+"}, {"id": "＝x", "text": P[2]}]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def test_json_lines_hold_every_row_in_order(tmp_path: Path):
    made = scan(ODD, meta=("n",))
    made.write(tmp_path / "pages.jsonl")
    data = (tmp_path / "pages.jsonl").read_bytes()
    assert [json.loads(line) for line in data.splitlines()] == rows_of(made)
    assert all(list(json.loads(line)) == NAMES for line in data.splitlines())
    assert b"\x1b" not in data
    assert b"\\ud800x" in data


def test_csv_cells_are_no_formulas_and_lists_are_json(tmp_path: Path):
    made = scan(ODD, meta=("n",))
    made.write(tmp_path / "pages.csv")
    with (tmp_path / "pages.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == NAMES
    for cells, row in zip(table, rows_of(made), strict=True):
        assert json.loads(cells["spans"]) == row["spans"]
        assert json.loads(cells["meta"]) == row["meta"]
        assert cells["keep"] == ("true" if row["keep"] else "false")
        assert float(cells["within_share"]) == row["within_share"]
        plain = row["id"].replace("\ud800", "\ufffd")
        assert cells["id"] == ("'" + plain if plain.startswith(FORMULA) else plain)
        assert not any(cell.startswith(FORMULA) for cell in cells.values())
    assert [cells["id"] for cells in table][:2] == ["'=1+1", "a,\"b\"\nc\t"]


def test_parquet_holds_the_same_as_arrow(tmp_path: Path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    made = scan(ODD, meta=("n",))
    made.write(tmp_path / "pages.parquet")
    table = pq.read_table(tmp_path / "pages.parquet")
    assert table.equals(made.to_arrow())
    assert table.schema.metadata[b"dedup.format"] == b"dedup-pages/1"
    for read, row in zip(table.to_pylist(), rows_of(made), strict=True):
        read["meta"] = json.loads(read["meta"])
        assert read == json.loads(json.dumps(row).replace("\\ud800", "\\ufffd"))
    assert pa.table(made).equals(made.to_arrow())


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_the_same_report_gives_the_same_bytes(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(page_table, "BATCH_ROWS", 3)
    for name, threads in (("a", 1), ("b", 2)):
        scan(ROOT / "examples", threads=threads).write(tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_nothing_read_is_an_empty_table(suffix: str, tmp_path: Path):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    made = scan([])
    made.write(tmp_path / f"p.{suffix}")
    data = (tmp_path / f"p.{suffix}").read_bytes()
    assert made.keep.shape == (0,)
    if suffix == "parquet":
        import pyarrow.parquet as pq

        assert pq.read_table(io.BytesIO(data)).num_rows == made.to_arrow().num_rows == 0
        assert made.to_arrow().column_names == NAMES
    else:
        assert data.decode() == ("" if suffix == "jsonl" else ",".join(NAMES) + "\r\n")


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_table_that_cannot_be_written_leaves_the_old_file(
        suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The disk is full from the n-th write on: each n of a small file, of a large one the first and some of the others."""
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"p.{suffix}"
    path.write_text("old")
    made = scan(ROOT / "examples")
    monkeypatch.setattr(page_table, "BATCH_ROWS", 6)
    real = open
    told: list[str] = []
    for allowed in itertools.chain(range(20), range(20, 2000, 1 if suffix != "parquet" else 43)):
        def opened(name: Any, mode: str = "r", left: int = allowed, **rest: Any) -> Any:
            file = real(name, mode, **rest)
            return Full(file, left) if mode == "xb" else file
        monkeypatch.setattr("builtins.open", opened)
        try:
            made.write(path)
            break
        except OutputError as error:
            told.append(str(error))
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]
    assert len(told) > 2
    assert all("the disk is full" in message for message in told)
    assert path.read_bytes() != b"old"


class Full:
    """A file that takes so many writes and no more."""

    def __init__(self, file: Any, left: int) -> None:
        self._file, self._left = file, left

    def write(self, data: Any) -> int:
        if self._left == 0:
            raise OSError(28, "No space left on device")
        self._left -= 1
        return int(self._file.write(data))

    def writelines(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Full:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_without_pyarrow_parquet_is_refused_with_the_extras_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    made = scan([P[0]])
    for attempt in (lambda: made.write(tmp_path / "p.parquet"), made.to_arrow, made.__arrow_c_stream__):
        with pytest.raises(MissingExtraError, match=r"pip install pyarrow .*'\.\[arrow\]'"):
            attempt()
    made.write(tmp_path / "p.csv")
    assert (tmp_path / "p.csv").exists()


def test_other_rows_than_there_are_are_refused():
    with pytest.raises(OptionError, match="'pairs' is none of pages, groups, occurrences"):
        scan([P[0]]).to_arrow("pairs")  # type: ignore[arg-type]


# The command.


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "dedup", *arguments], cwd=folder, capture_output=True, text=True,
                          check=False, env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.mark.parametrize("name", ["pages.jsonl", "pages.CSV", "pages.parquet"])
def test_the_command_writes_a_row_a_page(name: str, tmp_path: Path):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    done = run("scan", str(ROOT / "examples" / "site"), "-o", name, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"The table of pages stands in {name}" in done.stdout
    scan(ROOT / "examples" / "site").write(tmp_path / f"again.{name.split('.')[1]}")
    assert (tmp_path / name).read_bytes() == (tmp_path / f"again.{name.split('.')[1]}").read_bytes()


def test_a_table_may_not_take_the_place_of_what_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "in").mkdir()
    corpus = tmp_path / "in" / "corpus.jsonl"
    corpus.write_text(json.dumps({"id": "a", "text": P[0]}) + "\n")
    for place in (corpus, tmp_path / "in"):
        assert cli.main(["scan", str(place), "-o", str(corpus)]) == 2
        assert "is read and would be overwritten" in capsys.readouterr().err
    assert json.loads(corpus.read_text())["id"] == "a"


def test_a_folder_or_no_folder_is_said_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "d.csv").mkdir()
    for place, answer in ((tmp_path / "d.csv", "is a folder"), (tmp_path / "no" / "p.jsonl", "there is no such folder")):
        assert cli.main(["scan", str(ROOT / "examples" / "site"), "-o", str(place)]) == 2
        assert answer in capsys.readouterr().err


def test_errors_beside_the_table_are_told_and_the_status_is_3(tmp_path: Path):
    record = {"id": "a", "text": P[0]}
    (tmp_path / "c.jsonl").write_text("\n".join([json.dumps(record), "{", json.dumps(record | {"id": "b"})]))
    done = run("scan", "c.jsonl", "-o", "p.jsonl", folder=tmp_path)
    assert done.returncode == 3
    assert [json.loads(line)["kept_page"] for line in (tmp_path / "p.jsonl").read_text().splitlines()] == [None, "a"]
