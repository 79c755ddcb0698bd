"""Settings from files, variables and profiles: who wins, and what is said where one of them is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dedup
from dedup import cli
from dedup.cli_settings import known_settings, settled
from dedup.config import environment, find_config, read_config
from dedup.errors import OptionError
from dedup.profiles import FURNITURE, PROFILES

Said = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, a repository's, as the current one."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options_of(*arguments: str, folder: Path) -> dict[str, object]:
    """The options that a scan of a page recorded."""
    (folder / "p.txt").write_text("Some words.\n")
    assert cli.main(["scan", "p.txt", "-q", "-o", "r.json", *arguments]) == 0
    options: dict[str, object] = json.loads((folder / "r.json").read_text())["options"]
    return options


def test_the_command_line_wins_over_variables_these_over_the_file_and_it_over_a_profile(
        folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "dedup.toml").write_text('for = "reuse"\n')
    assert options_of(folder=folder)["min_tokens"] == 30
    (folder / "dedup.toml").write_text('for = "reuse"\nmin-tokens = 20\n')
    assert options_of(folder=folder)["min_tokens"] == 20
    monkeypatch.setenv("DEDUP_MIN_TOKENS", "15")
    assert options_of(folder=folder)["min_tokens"] == 15
    options = options_of("--min-tokens", "10", folder=folder)
    assert (options["min_tokens"], options["find"], options["scope"]) == (10, "reworded", "across")
    assert options_of("--no-config", folder=folder)["min_tokens"] == 8


def test_the_nearest_file_counts_up_to_the_repository(folder: Path) -> None:
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    assert find_config(inner) is None
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find_config(inner) is None
    (folder / "pyproject.toml").write_text("[tool.dedup]\nmin_tokens = 9\n")
    assert find_config(inner) == folder / "pyproject.toml"
    (folder / "a" / "dedup.toml").write_text("min_tokens = 10\n")
    assert find_config(inner) == folder / "a" / "dedup.toml"
    (inner / ".git").mkdir()
    assert find_config(inner) is None


def test_a_file_is_told_with_what_it_sets(folder: Path, capsys: Said) -> None:
    (folder / "dedup.toml").write_text("min-tokens = 9\nexclude = ['old/']\n")
    (folder / "p.txt").write_text("Some words.\n")
    assert cli.main(["scan", "p.txt"]) == 0
    assert capsys.readouterr().err == "dedup: dedup.toml sets min-tokens, exclude\n"


def test_a_table_of_a_command_counts_for_it_alone(folder: Path) -> None:
    (folder / "dedup.toml").write_text("min-tokens = 9\n[compare]\nmin-tokens = 12\nfind = 'near'\n[clean]\nwhat = 'near'\n")
    assert settled("scan", {"quiet": True}) == {"min_tokens": 9, "quiet": True}
    assert settled("compare", {"quiet": True}) == {"min_tokens": 12, "find": "near", "quiet": True}
    assert settled("clean", {"quiet": True}) == {"min_tokens": 9, "what": "near", "quiet": True}


def test_gates_stand_in_a_file_and_its_paths_are_its_own(folder: Path) -> None:
    (folder / "docs").mkdir()
    (folder / "pyproject.toml").write_text("[tool.dedup]\nfail-over = '10%'\nfail-on = ['new']\nbaseline = 'b.jsonl'\n")
    found = read_config(folder / "pyproject.toml", known_settings()).of("scan")
    assert {name: setting.value for name, setting in found.items()} == {
        "fail_over": "10%", "fail_on": ("new",), "baseline": str(folder / "b.jsonl")}


@pytest.mark.parametrize(("text", "why"), [
    ("min-tokens = 9\ntreshold = 0.5\n", "dedup.toml:2: 'treshold' is no setting; did you mean threshold?"),
    ("\n\nmin-tokens = 5000\n", "dedup.toml:3: min-tokens: 5000 is out of range. Use 2 to 1000"),
    ("min-tokens = 'many'\n", "dedup.toml:1: min-tokens: 'many' is not a whole number"),
    ("find = 'fuzzy'\n", "dedup.toml:1: find: 'fuzzy' is not one of exact, near, reworded"),
    ("exclude = 3\n", "dedup.toml:1: exclude: 3 is no list of strings"),
    ("pairs = 'yes'\n", "dedup.toml:1: pairs: 'yes' is not true or false"),
    ("[clean]\nfail-over = '1%'\n", "dedup.toml:2: 'fail-over' is no setting of clean"),
    ("[tool.dedup]\nmin-tokens = 9\n", "[tool.dedup] is for pyproject.toml; here settings stand without it"),
    ("min_words = 9\n", "dedup.toml:1: 'min_words' is no setting; here it is called min-tokens"),
    ("output = 'r.json'\n", "dedup.toml:1: output belongs on the command line"),
    ("min-tokens = = 1\n", "dedup.toml:1: is no TOML"), ("a = 1\nb = \"\n", "dedup.toml:2: is no TOML"),
    ("hide = ['adverts']\n", "dedup.toml:1: hide: 'adverts' is not one of"),
    ("min-tokens = 9\nfail-over = '300%'\n", "dedup.toml:2: fail-over: 3.0 is out of range. Use 0% to 100%"),
    ("fail-on = 'new, nonsense'\n", "dedup.toml:1: fail-on: 'nonsense' is not one of new, rendered-twice"),
    ("no-config = true\n", "dedup.toml:1: no-config belongs on the command line"),
    ("format = 'html'\n", "dedup.toml:1: format: 'html' is not one of terminal, json, md, sarif"),
    ("pairs = true\ntop = -1\n", "dedup.toml:2: top: -1 is out of range. Use 0 to 100000."),
    ("link-base = 'here'\n", "dedup.toml:1: link-base: 'here' is no address of a web page"),
    ("[clean]\nmin-tokens = 9\n[scan]\nmin-tokens = 'x'\n", "dedup.toml:4: min-tokens: 'x' is not a whole number"),
    ("fail-over = true\n", "dedup.toml:1: fail-over: true is not a string or a number"),
    ("min-tokens = 9\npairs = true\nmin_tokens = 8\n", "dedup.toml:3: min_tokens stands already in line 1. Keep one of"),
    ("[scan]\nmin_tokens = 9\nmin-tokens = 9\n", "dedup.toml:3: min-tokens stands already in line 2"),
])
def test_a_damaged_file_is_refused_by_line(folder: Path, capsys: Said, text: str, why: str) -> None:
    (folder / "dedup.toml").write_text(text)
    (folder / "p.txt").write_text("Some words.\n")
    assert cli.main(["scan", "p.txt"]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(("text", "line"), [
    ("[tool.other]\nmin-tokens = 7\n\n[tool.dedup]  # ours\nmin-tokens = 'x'\n", 5),
    ("[tool.scan]\nmin-tokens = 7\n[tool.dedup.scan]\nmin-tokens = 'x'\n[tool.dedup]\nmin-tokens = 9\n", 4),
    ("[[tool.other]]\nmin-tokens = 7\n[ tool . \"dedup\" ]\n'min-tokens' = 'x'\n", 4),
])
def test_a_refused_setting_is_named_by_its_line_in_our_table(folder: Path, capsys: Said, text: str, line: int) -> None:
    (folder / "pyproject.toml").write_text(text)
    assert cli.main(["scan", "p.txt"]) == 2
    assert f"pyproject.toml:{line}: min-tokens: 'x' is not a whole number" in capsys.readouterr().err


def test_a_format_that_not_all_commands_have_is_taken(folder: Path) -> None:
    (folder / "dedup.toml").write_bytes(b"\xef\xbb\xbfformat = 'md'\n")  # as some editors of Windows begin a file
    assert settled("scan", {}) == {"format": "md"}


@pytest.mark.parametrize(("text", "made"), [
    ("[tool]\ndedup = {min-tokens = 9}\n", {"min_tokens": 9}), ("[ tool . dedup ]\nmin-tokens = 9\n", {"min_tokens": 9}),
    ("# [tool.dedup] stands in the file above\n", {"min_tokens": 7}),
    ("tool = 'dedup'  # not tool.dedup\n", {"min_tokens": 7}),
])
def test_a_pyproject_counts_where_its_toml_speaks_of_us(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str,
                                                        made: dict[str, int]) -> None:
    (folder / "dedup.toml").write_text("min-tokens = 7\n")
    (folder / "inner").mkdir()
    monkeypatch.chdir(folder / "inner")
    Path("pyproject.toml").write_text(text)
    assert settled("scan", {}) == made


def test_a_file_that_is_named_must_be_there(folder: Path, capsys: Said) -> None:
    assert cli.main(["scan", ".", "--config", "none.toml"]) == 2
    assert "none.toml: cannot be read" in capsys.readouterr().err


def test_variables_are_read_as_their_settings_are() -> None:
    known = known_settings()["scan"]
    made = environment(known, {"DEDUP_MIN_TOKENS": "12", "DEDUP_EXCLUDE": "a, b", "DEDUP_PAIRS": "Yes",
                               "DEDUP_THRESHOLD": ".7", "DEDUP_FOR": "docs",
                               "DEDUP_FIND": "exact", "DEDUP_KERNEL": "native", "DEDUP_HOME_OF_MINE": "x", "OTHER": "1"})
    assert {name: setting.value for name, setting in made.items()} == {
        "min_tokens": 12, "exclude": ("a", "b"), "pairs": True, "threshold": 0.7, "find": "exact", "for_": "docs"}


@pytest.mark.parametrize(("name", "value", "why"), [
    ("DEDUP_MIN_TOKENS", "many", "DEDUP_MIN_TOKENS: 'many' is not a whole number"),
    ("DEDUP_PAIRS", "maybe", "is not true or false"), ("DEDUP_FIND", "fuzzy", "is not one of exact, near, reworded"),
    ("DEDUP_TRESHOLD", "1", "DEDUP_TRESHOLD: is no setting; did you mean DEDUP_THRESHOLD?"),
    ("DEDUP_MIN_TOKENS", "5000", "DEDUP_MIN_TOKENS: min-tokens: 5000 is out of range"),
    ("DEDUP_FAIL_OVER", "many", "DEDUP_FAIL_OVER: fail-over: 'many' is not a share"),
    ("DEDUP_NO_CONFIG", "1", "DEDUP_NO_CONFIG: --no-config belongs on the command line"),
    ("DEDUP_CHANGED_SINCE", "main", "DEDUP_CHANGED_SINCE: --changed-since belongs on the command line"),
])
def test_a_variable_that_is_wrong_is_refused(name: str, value: str, why: str) -> None:
    with pytest.raises(OptionError) as error:
        environment(known_settings()["scan"], {name: value})
    assert why in str(error.value)


# Profiles.


@pytest.mark.parametrize("for_", list(PROFILES))
def test_a_profile_says_what_it_sets_and_python_has_it_too(folder: Path, capsys: Said, for_: str) -> None:
    options = options_of("--for", for_, folder=folder)
    report = dedup.scan(["Some words."], for_=for_)
    assert report.options.results() == options
    assert cli.main(["scan", "p.txt", "--for", for_, "-o", "r.json"]) == 0
    said = capsys.readouterr().err
    for name, value in PROFILES[for_].items():  # type: ignore[index]
        assert options[name] == (list(value) if isinstance(value, tuple) else value)
        assert f"--{name.replace('_', '-')}" in said
    assert said.startswith(f"dedup: --for {for_} sets ")


def test_a_profile_gives_way_to_what_is_given(folder: Path, capsys: Said) -> None:
    assert options_of("--for", "docs", "--min-tokens", "12", "--hide", "shared", folder=folder)["hide"] == ["shared"]
    capsys.readouterr()
    assert cli.main(["scan", "p.txt", "--for", "docs", "--min-tokens", "12", "--exclude", "old/", "--exclude", "x.md"]) == 0
    assert capsys.readouterr().err == (f"dedup: --for docs sets --leave-out code,front-matter --ignore '{FURNITURE}' "
                                       "--template-in html --hide template,navigation --fold-parts\n")
    assert dedup.scan(["a"], for_="docs", min_tokens=12).options.min_tokens == 12
    with pytest.raises(OptionError, match="is not one of readers"):
        dedup.scan(["a"], for_="robots")


def test_a_comparison_and_a_cleaning_take_profiles(folder: Path) -> None:
    assert dedup.compare("a", "b", for_="docs").options.find == "reworded"
    assert dedup.compare("a", "b", for_="reuse").options.min_tokens == 30
    text = " ".join(f"word{n}" for n in range(35))
    pages = [{"id": "a", "text": text}, {"id": "b", "text": f"{text}\n\nOther words at its end."}]
    assert not dedup.clean(pages, for_="docs").removals
    assert [r.verdict for r in dedup.clean(pages, for_="reuse", max_removed=1.0).removals] == ["shared"]
