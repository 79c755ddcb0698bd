"""`dedup report`, and `--open`: a stored result shown or written in another format."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from dedup.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def result(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    file = tmp_path / "r.json"
    assert main(["scan", "examples/site", "--with-text", "-q", "-o", str(file)]) == 0
    return file


def test_a_stored_result_is_written_in_every_format(result, tmp_path, capsys):
    begin = {".html": b"<!DOCTYPE html>", ".md": b"<!-- dedup-report -->\n## 54.6 %", ".sarif": b'{"$schema"',
             ".txt": b"Report of dedup ", ".csv": b"id,", ".json": b'{"format"'}
    for suffix, beginning in begin.items():
        out = tmp_path / f"out{suffix}"
        assert main(["report", str(result), "-o", str(out)]) == 0
        assert out.read_bytes().startswith(beginning)
    assert (tmp_path / "out.json").read_bytes() == result.read_bytes()
    assert "stands in" in capsys.readouterr().out


def test_without_a_file_it_is_shown_as_scan_shows_it(result, capsys):
    capsys.readouterr()
    assert main(["report", str(result)]) == 0
    shown = capsys.readouterr().out
    assert main(["scan", "examples/site"]) == 0
    assert shown == capsys.readouterr().out


def test_only_what_is_more_alike(result, capsys):
    assert main(["report", str(result), "--at-similarity", "0.99", "--top", "0"]) == 0
    assert "3 groups" in capsys.readouterr().out
    assert main(["report", str(result), "--at-similarity", "7"]) == 2
    assert "Use 0.0 to 1.0." in capsys.readouterr().err


@pytest.mark.parametrize(("damage", "said"), [
    (lambda text: text[:len(text) // 2], "the report is damaged"),
    (lambda text: text.replace("dedup-report/1", "dedup-report/7"), "the report has the format 'dedup-report/7'"),
    (lambda text: "{}", "this is no report of dedup"),
    (lambda text: "", "the report is damaged"),
])
def test_a_file_that_is_no_result_gives_one_line(result, tmp_path, capsys, damage, said):
    result.write_text(damage(result.read_text(encoding="utf-8")), encoding="utf-8")
    capsys.readouterr()
    assert main(["report", str(result), "-o", str(tmp_path / "r.html")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(("arguments", "said"), [
    (["report"], "report needs a result: dedup report RESULT.json -o report.html"),
    (["report", "a.json", "b.json"], "report takes one result, so this is too much: b.json"),
    (["report", "nowhere.json"], "nowhere.json: cannot be read"),
    (["report", "-"], "standard input cannot be read here"),
    (["report", "r.json", "--outptu", "x"], "unknown option --outptu; did you mean --output?"),
    (["report", "r.json", "-o", "r.docx"], "no report format has the suffix '.docx'"),
    (["report", "r.json", "--open"], "--open: there is no page to open. Say where it goes: -o report.html --open"),
    (["scan", "x.txt", "--open"], "--open: there is no page to open"),
    (["scan", "x.txt", "-o", "r.md", "--open"], "--open: there is no page to open"),
])
def test_wrong_usage_is_one_line(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_result_is_not_written_over(result, capsys):
    before = result.read_bytes()
    assert main(["report", str(result), "-o", str(result)]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert result.read_bytes() == before


@pytest.mark.parametrize("command", [["scan", "examples/news.html"], ["compare", "examples/news.html", "examples/news.md"]])
def test_open_shows_the_written_page(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    opened = list[str]()
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    assert main([*command, "-q", "-o", str(tmp_path / "a report.html"), "--open"]) == 0
    assert opened == [(tmp_path / "a report.html").resolve().as_uri()]
    assert capsys.readouterr().err == ""


def test_where_no_browser_can_be_started_it_is_said(result, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    out = tmp_path / "r.html"
    assert main(["report", str(result), "-q", "-o", str(out), "--open"]) == 0
    assert capsys.readouterr().err == f"dedup: no browser could be started; open {out} yourself\n"


def test_an_old_html_report_in_the_folder_is_replaced_another_page_is_not(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "page.txt").write_text("A page of a few words.", encoding="utf-8")
    assert main(["scan", "site", "-q", "-o", "site/r.html"]) == 0
    assert main(["scan", "site", "-q", "-o", "site/r.html"]) == 0
    (folder / "mine.html").write_text("<p>Mine.</p>", encoding="utf-8")
    assert main(["scan", "site", "-q", "-o", "site/mine.html"]) == 2
    assert "would be overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "content"), [("head.csv", "id,text\n"), ("blank.jsonl", "\n\n"), ("none.json", "[]")])
def test_input_without_a_page_is_nothing_usable(name, content, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    assert main(["scan", str(tmp_path / name), "-o", str(tmp_path / "found.json")]) == 2
    assert capsys.readouterr().err.count("dedup: nothing usable: no page could be read") == 1
    assert (tmp_path / "found.json").exists()
    assert main(["scan", str(tmp_path / name), "--quiet"]) == 2
    assert not capsys.readouterr().err


def test_selectors_that_leave_nothing_are_named(tmp_path, capsys):
    (tmp_path / "page.html").write_text("<p>The first boat of the morning leaves the quay at seven.</p>")
    assert main(["scan", str(tmp_path / "page.html"), "--select", ".nothing"]) == 0
    assert "--select and --ignore leave no text" in " ".join(capsys.readouterr().out.split())


def test_ids_that_are_no_strings_are_written_as_json_writes_them(tmp_path, capsys):
    text = "The first boat of the morning leaves the quay at seven sharp."
    lines = [f'{{"id": {id_}, "text": "{text}"}}\n' for id_ in ("true", '{"a": 1}', "12")]
    (tmp_path / "pages.jsonl").write_text("".join(lines))
    assert main(["scan", str(tmp_path / "pages.jsonl"), "--format", "json"]) == 0
    out = capsys.readouterr().out
    assert all(f'"page": "{name}"' in out or f'"page":"{name}"' in out for name in ("true", '{\\"a\\": 1}', "12"))
