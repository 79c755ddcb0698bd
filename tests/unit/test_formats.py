"""The formats of reports: several files at once, each by its suffix; the same to standard output; cells that do nothing."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import dedup
from dedup import cli, scan
from dedup.errors import OptionError
from dedup.kernel import kernel
from dedup.model import Verdict
from dedup.report.formats import FORMATS, PRINTED, format_of
from dedup.report.table_files import columns_of
from dedup.report.tables import table_rows
from tests.unit.report_fakes import group, occurrence, page, report

ROOT = Path(__file__).parents[2]
SITE = "examples/site"
NAMES = [f"report{suffix}" for suffix in FORMATS]


@pytest.fixture
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_o_may_be_repeated_and_each_file_has_its_format(tmp_path: Path, at_root: None, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("pyarrow")
    files = [tmp_path / name for name in NAMES]
    assert cli.main(["scan", SITE, *(part for file in files for part in ("-o", str(file)))]) == 0
    made = scan(Path(SITE))
    for file in files:
        again = tmp_path / f"again{file.name}"
        made.write(again)
        assert file.read_bytes() == again.read_bytes(), file.name
    told = "".join(capsys.readouterr().out.split())
    assert f"Thereportstandsin{tmp_path}/report.json" in told
    assert f"Thetableofgroupsstandsin{tmp_path}/report.groups.csv" in told


@pytest.mark.parametrize("name", PRINTED)
def test_what_goes_to_standard_output_is_what_the_file_holds(name: str, tmp_path: Path, at_root: None,
                                                             capfdbinary: pytest.CaptureFixture[bytes]):
    suffix = next(suffix for suffix, made in FORMATS.items() if made.name == name)
    assert cli.main(["scan", SITE, "-q", "-o", str(tmp_path / f"r{suffix}"), "--format", name]) == 0
    written = (tmp_path / f"r{suffix}").read_bytes()
    head = {"terminal": f"Report of dedup {dedup.__version__}\n\n".encode(), "md": b"<!-- dedup-report -->\n"}.get(name, b"")
    assert written.startswith(head)
    assert capfdbinary.readouterr().out in (written, written.removeprefix(head))


def test_a_file_that_is_named_twice_is_refused_before_the_work(tmp_path: Path, at_root: None,
                                                               capsys: pytest.CaptureFixture[str]):
    (tmp_path / "other.md").symlink_to(tmp_path / "r.md")
    for second in (tmp_path / "r.md", tmp_path / "x" / ".." / "r.md", tmp_path / "other.md"):
        (tmp_path / "x").mkdir(exist_ok=True)
        assert cli.main(["scan", SITE, "-o", str(tmp_path / "r.md"), "-o", str(second)]) == 2
        assert "is named twice" in capsys.readouterr().err
        assert not (tmp_path / "r.md").exists()


def test_one_bad_file_of_several_is_told_before_the_work(tmp_path: Path, at_root: None, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["scan", SITE, "-o", str(tmp_path / "r.md"), "-o", str(tmp_path / "r.docx")]) == 2
    assert "no report format has the suffix '.docx'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_first_file_that_a_browser_shows_is_opened(tmp_path: Path, at_root: None, monkeypatch: pytest.MonkeyPatch,
                                                       capsys: pytest.CaptureFixture[str]):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    names = [str(tmp_path / name) for name in ("r.json", "r.html")]
    assert cli.main(["scan", SITE, "-q", "-o", names[0], "-o", names[1], "--open"]) == 0
    assert opened == [(tmp_path / "r.html").as_uri()]
    assert cli.main(["scan", SITE, "-o", names[0], "--open"]) == 2
    assert "there is no page to open" in capsys.readouterr().err


def test_a_suffix_counts_whatever_its_case_and_what_stands_before_it():
    assert format_of("A.HTML").name == "html"
    assert format_of("a.b.Groups.CSV").name == "groups.csv"
    assert format_of("a.pages.csv").name == "csv"
    assert format_of("groups.csv").name == "csv"
    for name in ("a", ".csv", "a.csv.gz"):
        with pytest.raises(OptionError, match="Use one of"):
            format_of(name)


def test_plain_text_has_no_colours_whatever_is_asked_of_the_terminal(tmp_path: Path, at_root: None,
                                                                    monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    scan(Path(SITE)).write(tmp_path / "r.txt")
    text = (tmp_path / "r.txt").read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "repeated" in text
    assert "rendered" in text or "stands" in text


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("table", ["pages", "groups", "occurrences"])
@pytest.mark.parametrize("bad", HOSTILE)
def test_no_cell_of_any_csv_is_a_formula(table: str, bad: str, tmp_path: Path):
    places = [occurrence(bad, bad * 3, path=bad), occurrence("q", bad * 3)]
    made = report([page(bad, title=bad, source=bad, meta={bad: bad}, verdicts=(Verdict("refrain", bad, (0,)),)), page("q")],
                  [group(0, places)])
    made.write(tmp_path / f"r.{table}.csv")
    rows = list(csv.reader(io.StringIO((tmp_path / f"r.{table}.csv").read_bytes().decode(), newline="")))
    assert rows[0] == columns_of(table)  # type: ignore[arg-type]
    cells = [cell for row in rows[1:] for cell in row]
    assert any(cell.startswith("'" + bad) for cell in cells)
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]


@pytest.mark.parametrize("table", ["groups", "occurrences"])
def test_the_three_files_of_a_table_hold_the_same_rows(table: str, tmp_path: Path, at_root: None):
    pq = pytest.importorskip("pyarrow.parquet")
    made = scan(Path(SITE))
    for suffix in ("csv", "jsonl", "parquet"):
        made.write(tmp_path / f"r.{table}.{suffix}")
    rows = [json.loads(line) for line in (tmp_path / f"r.{table}.jsonl").read_text().splitlines()]
    assert rows == list(table_rows(made, table))  # type: ignore[arg-type]
    assert pq.read_table(tmp_path / f"r.{table}.parquet").to_pylist() == rows
    cells = list(csv.DictReader(io.StringIO((tmp_path / f"r.{table}.csv").read_bytes().decode(), newline="")))
    assert [row["text"] for row in cells] == [row["text"] for row in rows]
    assert [int(row["group"]) for row in cells] == [row["group"] for row in rows]


def test_rows_of_groups_and_occurrences_say_what_the_report_says(at_root: None):
    made = scan(Path(SITE))
    groups, places = (list(table_rows(made, table)) for table in ("groups", "occurrences"))
    assert [row["group"] for row in groups] == [g.id for g in made.groups]
    assert len(places) == sum(len(g.occurrences) for g in made.groups)
    footer = next(row for row in groups if row["text"].startswith("Marlow Lane"))
    assert (footer["count"], footer["pages"], footer["verdicts"]) == (6, 6, ["template"])
    own = [row for row in places if row["group"] == footer["group"]]
    assert [row["source"] for row in own] == [f"examples/site/{row['page']}" for row in own]
    assert {row["verdict"] for row in own} == {"template"}
    assert footer["places"] == [f"{row['source']}:{row['line']}-{row['end_line']}" for row in own]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_report_in_the_folder_is_no_page_and_may_be_written_again(suffix: str, tmp_path: Path,
                                                                    capfd: pytest.CaptureFixture[str]):
    if suffix.endswith("parquet"):
        pytest.importorskip("pyarrow")
    text = (ROOT / "examples" / "news.txt").read_text()
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(text)
    out = tmp_path / f"r{suffix}"
    assert cli.main(["scan", str(tmp_path), "-q", "-o", str(out), "--with-text"]) == 0
    made = scan(tmp_path)
    assert made.summary.pages == 2
    assert not made.errors
    assert [(entry.reason, entry.count) for entry in made.skipped if "hidden" not in entry.reason] in (
        [("report of dedup", 1)], [("no reader for .sarif", 1)])
    status = cli.main(["scan", str(tmp_path), "-q", "-o", str(out), "--with-text"])
    assert status == (2 if suffix.endswith("parquet") else 0)  # whose beginning does not tell what it is
    capfd.readouterr()


def test_what_only_looks_like_a_report_is_a_page(tmp_path: Path):
    (tmp_path / "a.md").write_text("Reports begin with `<!-- dedup-report -->`, and so does this page not.\n")
    (tmp_path / "b.csv").write_text("group,kind,text\n1,near,some words that stand here alone\n")
    (tmp_path / "c.jsonl").write_text('{"id": "x", "keep": true, "text": "a record with a field that is called keep"}\n')
    assert scan(tmp_path).summary.pages == 3


def test_an_estimate_has_two_formats_only(at_root: None, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["scan", "examples/news.txt", "--estimate", "--format", "csv"]) == 2
    assert "'csv' is none of terminal, json" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_written_within_the_memory_of_the_scan(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Columns that are made for a report may go to the file, too; nothing else changes, and no file is left."""
    if FORMATS[name.removeprefix("report")].extra:
        pytest.importorskip("pyarrow")
    (tmp_path / "spill").mkdir()
    plain, bounded = scan(ROOT / SITE), scan(ROOT / SITE, memory="128M", temp_dir=str(tmp_path / "spill"))
    limits: list[int] = []
    limit = kernel.limit_memory
    monkeypatch.setattr(kernel, "limit_memory", lambda most, *rest: limits.append(most) or limit(most, *rest))
    for made, within in ((plain, []), (bounded, [128 << 20])):
        limits.clear()
        made.write(tmp_path / name)
        assert limits == within
        written = (tmp_path / name).read_bytes()
        if made is plain:
            expected = written
    assert written == expected
    assert list((tmp_path / "spill").iterdir()) == []
