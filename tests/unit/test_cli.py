"""The command line: flags, answers to wrong ones, exit statuses, what goes where."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from report_fakes import near_report, news_report, page, report

import dedup
from dedup import cli
from dedup.cli_help import EXAMPLES
from dedup.errors import InputError
from dedup.model import ReadError
from dedup.options import Options

ROOT = Path(__file__).parents[2]


class Engine:
    """Stands for ``dedup.scan`` and ``dedup.compare``: remembers what it was asked, answers with a made report."""

    def __init__(self) -> None:
        self.answer: Any = news_report()
        self.source: Any = None
        self.against: Any = None
        self.options = Options()
        self.progress: Any = None
        self.explain = False

    def scan(self, source: Any, *, against: Any = None, options: Options, progress: Any = None) -> Any:
        self.source, self.against, self.options, self.progress = source, against, options, progress
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def compare(self, a: Any, b: Any, *, explain: bool, options: Options, progress: Any = None) -> Any:
        self.explain = explain
        return self.scan((a, b), options=options, progress=progress)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    fake = Engine()
    monkeypatch.setattr(dedup, "scan", fake.scan, raising=False)
    monkeypatch.setattr(dedup, "compare", fake.compare, raising=False)
    monkeypatch.delenv("DEDUP_TRACEBACK", raising=False)
    return fake


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What stands on standard error, which must be one line; nothing may stand on standard output."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    return err.rstrip("\n")


# Settings.


def test_each_setting_is_a_flag_of_both_commands(engine: Engine) -> None:
    other: dict[str, Any] = {
        "unit": "page", "find": "exact", "threshold": 0.75, "shingle_size": 3, "scope": "across", "text_field": "t",
        "id_field": "i", "field_format": "html", "input_format": "jsonl", "threads": 2, "partitions": 3,
        "min_similarity": 0.25, "min_dice": 0.5, "template_share": 0.5, "between": "host", "noise": "ocr", "stem": "german",
        "memory": "2G", "temp_dir": ".", "checkpoint": ".", "leave_out": ("code", "front-matter"),
        "engine": "local", "master": "local[2]", "hide": ("template", "shared"), "fold_parts": True, "template_in": "html"}
    for field in dataclasses.fields(Options):
        value = other.get(field.name)
        if value is None:
            value = True if field.default is False else ("x", "y") if field.default == () else field.default + 1
        written = [cli.flag(field.name)] if value is True else [
            part for one in (value if isinstance(value, tuple) else (value,))
            for part in (cli.flag(field.name), str(one))]
        for command in (["scan", "p"], ["compare", "a", "b"]):
            assert cli.main([*command, *written, "-q"]) == 0, written
            assert getattr(engine.options, field.name) == value
            default = Options() if command[0] == "scan" else Options(find="reworded")
            assert engine.options == dataclasses.replace(default, **{field.name: value})


def test_a_comparison_looks_for_reworded_passages_unless_told_otherwise(engine: Engine) -> None:
    both = ["compare", "a", "b"]
    for arguments, find in (["scan", "a"], "near"), (both, "reworded"), ([*both, "--find", "near"], "near"):
        assert cli.main([*arguments, "-q"]) == 0
        assert engine.options.find == find


def test_a_comparison_explains_where_it_is_asked_to(engine: Engine) -> None:
    assert cli.main(["compare", "a", "b", "-q"]) == 0
    assert not engine.explain
    assert cli.main(["compare", "a", "b", "--explain", "-q"]) == 0
    assert engine.explain


@pytest.mark.parametrize(("arguments", "answer"), [
    (["--num-perm", "128"], "unknown option --num-perm; the sketch size follows from the threshold: use --threshold"),
    (["--ngram=5"], "unknown option --ngram; here it is called --shingle-size"),
    (["--column", "text"], "unknown option --column; here it is called --text-field"),
    (["--min-lines", "3"], "lengths are counted in words here, not in lines: use --min-tokens"),
    (["--treshold", "0.5"], "unknown option --treshold; did you mean --threshold?"),
    (["--explain"], "--explain is for two pages: dedup compare A B --explain"),
    (["--explian"], "unknown option --explian; dedup scan --help shows all"),
    (["--foo"], "unknown option --foo; dedup scan --help shows all"),
    (["--jaccard", "0.8"], "unknown option --jaccard; here it is called --threshold"),
    (["--similarity", "0.8"], "unknown option --similarity; what is to be found is set by --threshold"),
    (["--min-size", "9"], "unknown option --min-size; lengths are counted in words here: use --min-tokens"),
    (["--exact"], "unknown option --exact; use --find exact"),
    (["--fuzzy"], "unknown option --fuzzy; use --find near"),
    (["--json"], "unknown option --json; use --format json"),
    (["--output-format", "json"], "unknown option --output-format; use --format"),
    (["--output-format=json"], "unknown option --output-format; use --format"),
    (["-n", "3"], "unknown option -n; use --top"),
    (["-r"], "unknown option -r; folders are read with all that is in them"),
    (["--recursive"], "unknown option --recursive; folders are read with all that is in them"),
    (["--ignore-case"], "unknown option --ignore-case; upper and lower case are always alike"),
    (["--encoding", "latin-1"], "unknown option --encoding; each file tells its own; what does not"),
    (["--memory", "much"], "--memory: 'much' is not a size. Write it like 512M or 2G."),
    (["--agianst", "x"], "unknown option --agianst; did you mean --against?"),
    (["--between", "host", "--scope", "within"], "--between: a page does not differ from itself"),
    (["--between", ""], "--between: is empty. Name a field, or leave it out."),
    (["--stem", ""], "--stem: is empty. Name a language, or leave it out."),
    (["--against", "no*thing"], "no*thing: nothing matches"),
    (["--against", "-", "-"], "standard input: cannot be read twice"),
    (["-z"], "unknown option -z; dedup scan --help shows all"),
    (["--find", "similar"], "--find: 'similar' is not one of exact, near, reworded"),
    (["--find", "rewordd"], "--find: 'rewordd' is not one of exact, near, reworded; did you mean reworded?"),
    (["--threshold", "5"], "--threshold: 5.0 is out of range. Use 0.1 to 1.0."),
    (["--threshold", "5"], "A limit for what is duplicate is --fail-over 5%."),
    (["--threshold", "80"], "--threshold: 80.0 is out of range. Use 0.1 to 1.0. Did you mean 0.8?"),
    (["--threshold", "80%"], "--threshold: '80%' is not a number; did you mean 0.8?"),
    (["--min-similarity", "x%"], "--min-similarity: 'x%' is not a number"),
    (["--threshold", "nan"], "--threshold: nan is out of range. Use 0.1 to 1.0."),
    (["--threshold", "high"], "--threshold: 'high' is not a number"),
    (["--min-tokens", "3.5"], "--min-tokens: '3.5' is not a whole number"),
    (["--min-tokens", "0"], "--min-tokens: 0 is out of range. Use 2 to 1000."),
    (["--top", "-1"], "--top: -1 is out of range. Use 0 to 100000."),
    (["--threads"], "--threads needs a value"),
    (["--threads", "2", "--threads", "3"], "--threads is given more than once"),
    (["--exhaustive=maybe"], "--exhaustive: 'maybe' is not true or false"),
    (["--text-field", ""], "--text-field: is empty. Name a field, or leave it out."),
    (["-o", "r.x"], "r.x: no report format has the suffix '.x'. Use one of: .txt, .json, .html, .md, .sarif, .parquet, "
     ".jsonl, .csv; of tables also"),
    (["-o", "-"], "-o -: is no file: a report is printed where none is named. Leave it out; --format says how: terminal,"),
    (["-o", "r"], "r: the file has no suffix. Use one of: .txt, .json, .html, .md, .sarif, .parquet, .jsonl, .csv; of table"),
    (["-o", "/nowhere/r.json"], "/nowhere/r.json: cannot be written: there is no such folder"),
    (["--format", "html"], "--format: 'html' is not one of terminal, json, md, sarif, jsonl, groups.jsonl, "
     "occurrences.jsonl, csv, groups.csv, occurrences.csv"),
])
def test_a_wrong_option_is_answered_with_ours_in_one_line(
        arguments: list[str], answer: str, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["scan", "p", *arguments]) == 2
    line = one_line(capsys)
    assert line.startswith("dedup: ")
    assert answer in line
    assert engine.source is None, "nothing is scanned"


@pytest.mark.parametrize(("arguments", "answer"), [
    (["scan"], "nothing to scan. Name a file or folder"),
    (["scan", ""], "a path is empty"),
    (["scan", "no*thing"], "no*thing: nothing matches"),
    (["scna", "x"], "unknown command scna; did you mean scan?"),
    (["help", "scna"], "unknown command scna; did you mean scan?"),
    (["find", "x"], "unknown command find; there are: scan, compare"),
    (["index", "chek", "x"], "verify, compact, rebuild, export; did you mean check?"),
    ([str(ROOT)], f"is a path; say what to do with it: dedup scan {ROOT}"),
    (["compare", "a"], "compare needs two pages: dedup compare A B"),
    (["compare"], "compare needs two pages: dedup compare A B"),
    (["compare", "a", "b", "--x"], "unknown option --x; dedup compare --help shows all"),
    (["compare", "a", "b", "--threshold", "5"], "--threshold: 5.0 is out of range. Use 0.1 to 1.0."),
    (["restore", "m", "--exact"], "unknown option --exact; dedup restore --help shows all"),
    (["restore", "m", "--jaccard"], "unknown option --jaccard; dedup restore --help shows all"),
    (["compare", "a", "b", "--explian"], "unknown option --explian; did you mean --explain?"),
    (["compare", "a", "b", "--thrads", "2"], "unknown option --thrads; did you mean --threads?"),
    (["--threads"], "no command before --threads; options stand behind one: dedup scan PATH... --threads"),
    (["compare", "a", "-"], "standard input cannot be compared"),
    (["compare", "a", "b", "--against", "c"], "compare takes its two pages and no --against; use dedup scan PATH... --ag"),
    (["compare", "a", "b", "c", "d"], "compare takes two pages, so this is too much: c, d. Use dedup scan for several"),
])
def test_a_wrong_command_is_answered_in_one_line(arguments: list[str], answer: str, engine: Engine,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert answer in one_line(capsys)


def test_a_file_whose_name_begins_with_a_hyphen_is_told_how_to_be_named(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-notes.txt").write_text("Hello.", "utf-8")
    assert cli.main(["scan", "-notes.txt"]) == 2
    assert "-notes.txt is a path that looks like an option; write it as ./-notes.txt" in one_line(capsys)
    assert cli.main(["scan", "./-notes.txt", "-q"]) == 0


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_page_of_the_command_line_shows_values_as_help_does(command: str, capsys: pytest.CaptureFixture[str],
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert cli.main([command, "--help"]) == 0
    shown = re.findall(r"^│ (--[a-z-]+)(?: -\w)?(?: ([A-Z]+(?:\.\.\.)?))? ", capsys.readouterr().out, re.MULTILINE)
    section = (ROOT / "docs" / "cli.md").read_text("utf-8").split(f"\n## dedup {command}\n")[1].split("\n## ")[0]
    told = re.findall(r"^\| `(--[a-z-]+)`(?:, `-\w`)?(?: ([A-Z]+(?:\.\.\.)?))? \|", section, re.MULTILINE)
    assert sorted(shown) == sorted(told)


def test_what_follows_help_is_shown_the_help_of(capsys: pytest.CaptureFixture[str]) -> None:
    for asked, same in (["help"], ["--help"]), (["help", "scan"], ["scan", "--help"]):
        assert [cli.main(asked), cli.main(same)] == [0, 0]
        out, err = capsys.readouterr()
        assert (out[:len(out) // 2], err) == (out[len(out) // 2:], "")


def test_only_a_scan_is_told_of_its_gate(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """A limit for what is duplicate, which others call threshold, is neither a setting of Python nor of a comparison."""
    assert cli.main(["compare", "a", "b", "--threshold", "5"]) == 2
    assert "fail-over" not in one_line(capsys)
    with pytest.raises(dedup.OptionError, match=r"threshold: 5 is out of range\. Use 0\.1 to 1\.0\.$"):
        Options(threshold=5)


def test_a_report_into_a_folder_is_told_how_to_be_named(engine: Engine, tmp_path: Path,
                                                        capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["scan", "p", "-o", f"{tmp_path}/"]) == 2
    line = one_line(capsys)
    assert f"{tmp_path}: is a folder, and a report is one file. Name a file in it: -o {tmp_path / 'report.html'}" in line


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    examples = [line for line in out.split("Examples:")[1].splitlines() if line.startswith("  dedup ")]
    assert len(examples) == 5
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("command", ["", *cli.COMMANDS])
def test_help_reads_well_in_80_columns(command: str, capsys: pytest.CaptureFixture[str],
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is longer or broken in an example, and all that can be given is explained."""
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main([*([command] if command else []), "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert set(EXAMPLES[command].splitlines()) <= set(lines)
    for given in cli.build_app()[command].assemble_argument_collection() if command else ():
        assert given.parameter.help, given.name


def test_help_of_a_command_names_every_flag_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["scan", "--help"]) == 0
    out = capsys.readouterr().out
    for field in dataclasses.fields(Options):
        assert out.count(f"│ {cli.flag(field.name)} ") == 1, field.name


def test_no_arguments_show_the_help_and_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "Examples:" in capsys.readouterr().out


# Sources.


def test_one_place_is_handed_over_alone_and_several_as_a_list(engine: Engine) -> None:
    cli.main(["scan", "a"])
    assert engine.source == Path("a")
    cli.main(["scan", "a", "b"])
    assert engine.source == [Path("a"), Path("b")]
    cli.main(["compare", "a", "b"])
    assert engine.source == (Path("a"), Path("b"))


def test_a_minus_is_standard_input_and_a_file_of_that_name_is_not(engine: Engine) -> None:
    cli.main(["scan", "-"])
    assert engine.source == Path("-")
    cli.main(["scan", "./-"])
    assert engine.source == Path.cwd() / "-"
    cli.main(["scan", "--", "-"])
    assert engine.source == Path.cwd() / "-"
    cli.main(["scan", "--", "-a"])
    assert engine.source == Path("-a")
    cli.main(["scan", "a", "--text-field", "-"])
    assert engine.options.text_field == "-"


def test_globs_in_quotes_are_expanded_in_order(engine: Engine, tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.md", "w[1].txt"):
        (tmp_path / name).write_text("x")
    cli.main(["scan", f"{tmp_path}/?.txt"])
    assert engine.source == [tmp_path / "a.txt", tmp_path / "b.txt"]
    cli.main(["scan", f"{tmp_path}/w[1].txt"])
    assert engine.source == tmp_path / "w[1].txt"


# What comes out.


def test_the_report_goes_to_standard_output(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["scan", "p"]) == 0
    out, err = capsys.readouterr()
    assert "the article stands on this page twice" in out
    assert err == ""
    assert engine.progress == [], "no progress where standard error is no terminal"


def test_top_limits_the_lists(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["scan", "p", "--top", "1"])
    assert "and 1 more group: --top 2" in capsys.readouterr().out


def test_json_goes_to_standard_output(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["scan", "p", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["format"] == "dedup-report/1"


def test_a_written_report_is_told_in_figures(engine: Engine, tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.json"
    assert cli.main(["scan", "p", "-o", str(path)]) == 0
    out = capsys.readouterr().out
    assert "658 words" in out
    assert "The report stands in" in out
    assert "the article" not in out
    assert path.read_text() == engine.answer.to_json()
    assert cli.main(["scan", "p", "-o", str(path), "--format", "terminal"]) == 0
    assert "the article" in capsys.readouterr().out
    assert cli.main(["scan", "p", "-o", str(path), "-q"]) == 0
    assert capsys.readouterr().out == ""


def test_a_report_never_overwrites_what_is_read(engine: Engine, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    path, link = tmp_path / "in.json", tmp_path / "link.json"
    path.write_text("[]")
    os.link(path, link)
    assert cli.main(["scan", str(path), "-o", str(link)]) == 2
    assert "is read and would be overwritten" in one_line(capsys)
    assert path.read_text() == "[]"


def test_unreadable_input_is_named_line_by_line_and_the_status_is_3(
        engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer = report([page("a")], errors=[ReadError("b.txt", None, "permission denied (skipped)"), *(
        ReadError("c.jsonl", n, "no JSON (skipped)") for n in range(1, 26))])
    assert cli.main(["scan", "p"]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "b.txt: permission denied (skipped)"
    assert lines[1] == "c.jsonl:1: no JSON (skipped)"
    assert lines[-1] == "no JSON (skipped): 15 more like this; -v names them all"
    assert len(lines) == 12
    assert cli.main(["scan", "p", "-v"]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 26
    assert cli.main(["scan", "p", "-q"]) == 3
    assert capsys.readouterr().err == ""


def test_messages_name_settings_as_they_were_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text_field": "x"}\n')
    assert cli.main(["scan", str(path), "--text-field", 'a"b']) == 2
    out, err = capsys.readouterr()
    assert err == f"{path}:1: no field 'a\"b' (there are: text_field); name one with --text-field; skipped\n"
    assert "name one with --text-field" in " ".join(out.split())
    assert cli.main(["compare", str(path), str(path)]) == 2
    assert "(there are: text_field); name one with --text-field" in capsys.readouterr().err


@pytest.mark.parametrize(("flags", "both", "times"), [([], True, 1), ([], False, 2), (["-v"], True, 2)])
def test_on_one_terminal_what_could_not_be_read_is_told_once(
        engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flags: list[str], both: bool,
        times: int) -> None:
    engine.answer = report([page("a")], errors=[ReadError("b.txt", 1, "no JSON")])
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: both)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert cli.main(["scan", "p", *flags]) == 3
    assert "".join(capsys.readouterr()).count("no JSON") == times


def test_what_others_named_reaches_standard_error_harmless(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer = report([page("a")], errors=[ReadError("\x1b[2Jb\r\n\u202e\udc80.txt", 1, "no \x07 JSON")])
    cli.main(["scan", "p"])
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert not any(char in err[:-1] for char in "\x1b\r\n\x07\u202e\udc80")


# How it ends.


@pytest.mark.parametrize(("ending", "status", "line"), [
    (InputError("does not exist", "p", "Check the path."), 2, "dedup: p: does not exist. Check the path."),
    (InputError("no\nnewline", "\x1b"), 2, "dedup: \\x1b: no newline"),
    (PermissionError(13, "Permission denied", "p"), 2, "dedup: p: Permission denied"),
    (MemoryError(), 2, "dedup: there is not enough memory."),
    (RecursionError("deep"), 2, "dedup: internal error: RecursionError: deep."),
])
def test_what_fails_is_one_line(ending: BaseException, status: int, line: str, engine: Engine,
                                capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer = ending
    assert cli.main(["scan", "p"]) == status
    assert one_line(capsys).startswith(line)


def test_an_interrupt_is_130_and_says_nothing(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer = KeyboardInterrupt()
    assert cli.main(["scan", "p"]) == 130
    assert capsys.readouterr() == ("", "")


def test_signal_handlers_are_put_back(engine: Engine) -> None:
    before = signal.getsignal(signal.SIGTERM)
    cli.main(["scan", "p"])
    assert signal.getsignal(signal.SIGTERM) == before


# In a process of its own.

FAKE = textwrap.dedent(f"""
    import signal, sys, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts with it ignored
    sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests/unit")!r}]
    import dedup, report_fakes
    def scan(source, *, options, progress=None):
        if str(source) == "sleep":
            print("sleeping", file=sys.stderr, flush=True)
            time.sleep(60)
        if str(source) == "busy":
            import hashlib, pathlib
            from dedup.readers.jobs import Job
            from dedup.readers.pool import WorkerPool
            from dedup.report.json import replaced_file
            from dedup.options import Options
            pool = WorkerPool(1, Options())
            pool.submit([Job("html", b"<p>x")]).result()
            with replaced_file(pathlib.Path("r.json")):
                print(*[process.pid for process in pool._processes], file=sys.stderr, flush=True)
                hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000_000)  # a call that no signal interrupts
        return report_fakes.near_report(2000) if str(source) == "large" else report_fakes.news_report()
    dedup.scan = scan
    from dedup.cli import main
    sys.exit(main())
""")


def run(*arguments: str, **rest: Any) -> subprocess.CompletedProcess[bytes]:
    environment = dict(os.environ) | rest.pop("env", {})
    values: dict[str, Any] = {"capture_output": True, "timeout": 60} | rest
    if "stdout" in values:
        values = {k: v for k, v in values.items() if k != "capture_output"} | {"stderr": subprocess.PIPE}
    return subprocess.run([sys.executable, "-c", FAKE, *arguments], env=environment, check=False, **values)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_at_once_and_quietly(number: signal.Signals, status: int) -> None:
    with subprocess.Popen([sys.executable, "-c", FAKE, "scan", "sleep"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"sleeping\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (status, b"", b"")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_soon_and_cleanly_though_the_main_thread_cannot_react(
        number: signal.Signals, status: int, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", FAKE, "scan", "busy"], cwd=tmp_path, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        worker = int(process.stderr.readline())
        assert list(tmp_path.iterdir())
        since = time.monotonic()
        process.send_signal(number)
        assert process.communicate(timeout=30) == (b"", b"")
        assert time.monotonic() - since < 2
    assert process.returncode == status
    assert list(tmp_path.iterdir()) == []
    for _ in range(100):  # whoever adopted the worker has to reap it
        if not os.path.exists(f"/proc/{worker}") or "Z" in Path(f"/proc/{worker}/stat").read_text().split()[2]:
            break
        time.sleep(0.02)
    else:
        pytest.fail("the worker goes on")


@pytest.mark.parametrize("format", ["terminal", "json"])
def test_a_reader_that_goes_away_is_no_error(format: str) -> None:
    with subprocess.Popen([sys.executable, "-c", FAKE, "scan", "large", "--format", format], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=10) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["scan", "large"], ["scan", "large", "--format", "json"], ["--version"],
                                       ["--help"]])
def test_a_full_disk_is_one_line_and_status_2(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = run(*arguments, stdout=full)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"full" in done.stderr or b"No space left" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["scan", "--help"], ["scan", "p"], ["scan", "x\udcff", "-z"]])
@pytest.mark.parametrize("env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}, {"TERM": "dumb"},
                                 {"NO_COLOR": "1"}, {"COLUMNS": "20"}])
def test_any_encoding_and_terminal_will_do(arguments: list[str], env: dict[str, str]) -> None:
    done = run(*arguments, env=env)
    assert done.returncode == (2 if "-z" in arguments else 0)
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    assert b"internal error" not in done.stderr


def test_version_is_answered_at_once_with_nothing_heavy_loaded() -> None:
    code = ("import sys; from dedup.cli import main; main(['--version']); "
            "print(sorted({'numpy', 'rich', 'cyclopts', 'rapidfuzz', 'msgspec', 'turbohtml'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, text=True)
    assert done.stdout == f"dedup {dedup.__version__}\n[]\n"
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "dedup", "--version"], capture_output=True, check=True, cwd=ROOT)
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.15


def test_the_process_ends_at_once_with_all_that_was_said() -> None:
    """Nothing of the interpreter's own end is waited for, but exit functions are called, and a profiler has its say."""
    own = ("import atexit, sys, weakref; from dedup.cli import main; sys.argv = ['dedup', *sys.argv[1:]]; "
           "atexit.register(print, 'exit function'); keep = type('T', (), {'__del__': lambda self: print('taken down')})(); "
           "sys.exit(main())")
    for arguments, status in ((["--version"], 0), (["scan"], 2), (["scan", "examples/news.txt", "-q"], 0)):
        done = subprocess.run([sys.executable, "-c", own, *arguments], capture_output=True, cwd=ROOT, text=True)
        assert done.returncode == status, arguments
        assert done.stdout.endswith("exit function\n"), arguments
        watched = subprocess.run([sys.executable, "-m", "cProfile", "-m", "dedup", *arguments], capture_output=True, cwd=ROOT,
                                 text=True)
        assert "function calls" in watched.stdout


def test_near_copies_are_shown_in_a_pipe_without_colour() -> None:
    done = run("scan", "large")
    assert b"[-Tuesday evening-]" in done.stdout
    assert b"\x1b" not in done.stdout
    assert len(near_report(2000).groups[0].occurrences) == 2000


def test_a_closed_standard_input_is_said() -> None:
    code = "import sys; sys.stdin = None; from dedup.cli import main; sys.exit(main(['scan', '-']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (2, b"dedup: standard input: it is closed\n")


def test_a_page_whose_encoding_was_guessed_is_read_and_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                capsys: pytest.CaptureFixture[str]) -> None:
    """It was used as a whole: a note, and exit status 0; what lost something is a fault still."""
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_bytes("Ein grünes Blatt lag auf dem Weg zum alten Hafen.".encode("cp1252"))
    assert cli.main(["scan", "a.txt"]) == 0
    out, err = capsys.readouterr()
    assert "encoding guessed as Windows-1252; the page is used" in err
    assert "Read with a guess" in out
    assert "Not compared" not in out
    assert "not readable" not in out
    assert cli.main(["scan", "a.txt", "--format", "md"]) == 0
    out = capsys.readouterr().out
    assert "### Read with a guess" in out
    assert "Not compared" not in out
    assert cli.main(["scan", "a.txt", "--format", "sarif"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["invocations"][0]["executionSuccessful"]
    assert cli.main(["clean", "a.txt", "--dry-run"]) == 0
    assert cli.main(["index", "create", "i.dedup", "a.txt"]) == 0
    assert cli.main(["index", "check", "i.dedup", "a.txt"]) == 0
    capsys.readouterr()
    Path("many.csv").write_bytes(b"text\n" + b"caf\xe9\n" * 20)
    assert cli.main(["scan", "many.csv"]) == 0, "those that are summed up too"
    assert "Not compared" not in capsys.readouterr().out
    for lost in b"Ein gr\xfcnes \x81 Blatt.", b"\xff\xfea\x00\x00\xd8b\x00":
        Path("lost.txt").write_bytes(lost)
        assert cli.main(["scan", "a.txt", "lost.txt"]) == 3
        out = capsys.readouterr().out
        assert "1 not readable" in out
        assert "Not compared" in out


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "tsv", "parquet", "arrow", "jsonl.gz"])
def test_a_carried_field_that_no_page_has_is_told_with_those_there_are(suffix: str, tmp_path: Path,
                                                                       capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": n, "text": text} for n, text in ((1, "one"), (2, "two"))]
    path = tmp_path / f"a.{suffix}"
    if suffix in ("parquet", "arrow"):
        pyarrow = pytest.importorskip("pyarrow")
        table = pyarrow.Table.from_pylist(rows)
        if suffix == "parquet":
            pytest.importorskip("pyarrow.parquet").write_table(table, path)
        else:
            with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
    elif suffix in ("csv", "tsv"):
        path.write_text("name,text\n1,one\n2,two\n".replace(",", "," if suffix == "csv" else "\t"))
    elif suffix == "json":
        path.write_text(json.dumps(rows))
    else:
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    assert cli.main(["scan", str(path), "--meta", "nosuch", "--meta", "name", "--meta", "no.such"]) == 0
    there = "(there are: name, text)"
    assert capsys.readouterr().err == (f"dedup: --meta: no page has the field nosuch {there}\n"
                                       f"dedup: --meta: no page has the field no.such {there}\n")
    assert cli.main(["scan", str(path), "--id-field", "nosuch", "--meta", "name"]) == 0
    told = f"dedup: --id-field: no record has the field nosuch {there}; file and line or row name them\n"
    assert capsys.readouterr().err == told
    assert cli.main(["scan", str(path), "--id-field", "name", "--meta", "name"]) == 0
    assert cli.main(["scan", str(path), "--meta", "nosuch", "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_a_field_for_ids_that_no_record_has_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n").mkdir()
    Path("n/a.jsonl").write_text('{"name": 1, "text": "one"}\n{"name": 2, "text": "two"}\n{"key": 3, "text": "three"}\n')
    Path("n/b.txt").write_text("A file of text has its path.")
    told = "dedup: --id-field: no record has the field nokey (there are: name, text); file and line or row name them\n"
    for path, field, err in (("n", "nokey", told), ("n/a.jsonl", "nokey", told), ("n/a.jsonl", "key", ""), ("n", "key", ""),
                             ("n/b.txt", "nokey", "")):
        assert cli.main(["scan", path, "--id-field", field]) == 0
        assert capsys.readouterr().err == err
    assert cli.main(["scan", "n", "--id-field", "nokey", "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_who_asks_for_silence_hears_nothing_of_ids_that_stand_twice(tmp_path: Path) -> None:
    place = tmp_path / "two.jsonl"
    place.write_text("".join(json.dumps({"id": "a", "text": f"{n} of the words of a page"}) + "\n" for n in range(2)))
    for command in (["scan", str(place)], ["index", "create", str(tmp_path / "two.dedup"), str(place)]):
        said = subprocess.run([sys.executable, "-m", "dedup", *command, "-q"], capture_output=True, text=True, check=True)
        assert said.stderr == ""
