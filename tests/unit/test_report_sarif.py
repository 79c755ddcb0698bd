"""The SARIF log: it is valid, its regions cut the text out of the files, its fingerprints stay, and each repeat is charged to
one place."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import dedup
from dedup import cli, scan
from dedup.model import ReadError, Skipped, Verdict
from dedup.report import sarif
from dedup.report.locations import Root
from tests.unit.report_fakes import group, occurrence, page, report

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "tests" / "schemas" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
FIRST = "The council voted on Tuesday evening to rebuild the old harbour bridge before the winter storms arrive."
OTHER = "Boats may be hired from May to October at the blue hut behind the ferry quay, by the hour or the day."


def log_of(made: Any, **rest: Any) -> dict[str, Any]:
    log = json.loads(made.to_sarif(**rest))
    VALIDATOR.validate(log)
    return log["runs"][0]


def uri(place: dict[str, Any]) -> str:
    return place["physicalLocation"]["artifactLocation"]["uri"]


def write(folder: Path, **pages: str) -> None:
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("what", ["examples", "examples/site", "examples/notices.jsonl", "examples/news.html",
                                  "examples/news.txt"])
def test_a_log_is_valid_and_has_a_result_a_group(what: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    made = scan(Path(what))
    run = log_of(made)
    assert len(run["results"]) == len(made.groups) > 0
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] == run["tool"]["driver"]["rules"][result["ruleIndex"]]["defaultConfiguration"]["level"]
        assert len(result["locations"]) == 1
    assert made.to_sarif() == scan(Path(what), threads=1).to_sarif()


def test_a_report_without_repeats_or_pages_is_valid():
    assert log_of(scan(["one text alone"]))["results"] == []
    assert log_of(report())["results"] == []


@pytest.mark.parametrize("name", ["news.html", "news.txt", "news.md", "site/hire.html"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_region_cuts_the_passage_out_of_its_file(name: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = (ROOT / "examples" / name).read_text(encoding="utf-8") + "\n"
    source = ("é" + text + text).replace("\n", end)
    (tmp_path / f"a{Path(name).suffix}").write_bytes(b"\xef\xbb\xbf" + source.encode())
    monkeypatch.chdir(tmp_path)
    made = scan(tmp_path)
    lines = re.split("(?<=\n)", source)
    seen = 0
    for result in log_of(made)["results"]:
        for place in (*result["locations"], *result.get("relatedLocations", [])):
            region = place["physicalLocation"]["region"]
            if "charOffset" not in region:
                continue
            seen += 1
            cut = source[region["charOffset"]:region["charOffset"] + region["charLength"]]
            by_lines = "".join(lines[region["startLine"] - 1:region["endLine"]])
            behind = len(lines[region["endLine"] - 1]) - region["endColumn"] + 1
            assert by_lines[region["startColumn"] - 1:len(by_lines) - behind] == cut
            words = re.findall(r"\w+", made.groups[result["properties"]["group"]].text)
            assert cut.startswith(words[0]) or words[0] in cut[:40]
    assert seen >= 2


def test_a_file_that_changed_since_or_is_gone_has_lines_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, a=f"# One\n\n{FIRST}\n", b=f"# Two\n\nnew\n\n{FIRST}\n")
    made = scan(Path("."))
    [result] = log_of(made)["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 5, "startColumn": 1, "endLine": 5, "endColumn": len(FIRST) + 1, "charOffset": 12,
        "charLength": len(FIRST)}
    write(tmp_path, b="\n\n\n" + (tmp_path / "b.md").read_text())
    (tmp_path / "a.md").unlink()
    [result] = log_of(made)["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 5, "endLine": 5}
    assert result["relatedLocations"][0]["physicalLocation"]["region"] == {"startLine": 3, "endLine": 3}


def prints(folder: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    monkeypatch.chdir(folder)
    return {result["partialFingerprints"][sarif.FINGERPRINT] for result in log_of(scan(Path(".")))["results"]}


def test_fingerprints_stay_when_lines_move_and_files_are_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, m=f"{FIRST}\n\n{OTHER}\n", n=f"{OTHER}\n\nand\n\n{FIRST}\n")
    before = prints(tmp_path, monkeypatch)
    assert len(before) == 2
    write(tmp_path, m=f"# New\n\nLines above.\n\n{FIRST.upper()}\n\n\n{OTHER}\n")
    (tmp_path / "n.md").rename(tmp_path / "a.md")
    write(tmp_path, b=FIRST)
    assert prints(tmp_path, monkeypatch) == before
    write(tmp_path, c=OTHER.replace("Boats", "Canoes and boats").replace("blue", "green"))
    assert prints(tmp_path, monkeypatch) >= before - {""}


def test_two_groups_of_one_text_have_fingerprints_of_their_own():
    pages = [page(name) for name in "abcd"]
    run = log_of(report(pages, [group(0, [occurrence("a", FIRST), occurrence("b", FIRST)]),
                                group(1, [occurrence("c", FIRST), occurrence("d", FIRST)])]))
    first, second = (result["partialFingerprints"][sarif.FINGERPRINT] for result in run["results"])
    assert second == f"{first}:2"


@pytest.mark.parametrize(("changed", "charged"), [
    (None, "b.md"), (lambda source: source == "a.md", "a.md"), (lambda source: source == "c.md", "c.md"),
    (lambda source: source in ("a.md", "c.md"), "c.md"), (lambda source: False, "b.md"), (lambda source: True, "b.md")])
def test_a_repeat_is_charged_to_the_changed_side_whatever_sorts_first(
        changed: Callable[[str], bool] | None, charged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, a=FIRST, b=FIRST, c=FIRST)
    [result] = log_of(scan([Path("a.md"), Path("b.md"), Path("c.md")]), changed=changed)["results"]
    assert uri(result["locations"][0]) == charged
    assert [uri(place) for place in result["relatedLocations"]] == [f"{name}.md" for name in "abc" if f"{name}.md" != charged]
    assert "Also at [" in result["message"]["text"]
    assert [place["id"] for place in result["relatedLocations"]] == [1, 2]


def test_a_reference_is_never_charged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, a=FIRST, b=FIRST)
    [result] = log_of(scan(Path("a.md"), against=Path("b.md")))["results"]
    assert uri(result["locations"][0]) == "a.md"


def test_paths_are_relative_to_the_repository_and_percent_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "repo" / "dö cs"
    folder.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    for name in ("50% #1", "a:b?", "x[1]"):
        (folder / f"{name}.txt").write_text(FIRST)
    monkeypatch.chdir(folder)
    for where in (Path("."), folder, Path("../dö cs")):
        [result] = log_of(scan(where))["results"]
        places = [*result["locations"], *result["relatedLocations"]]
        assert sorted(map(uri, places)) == [f"d%C3%B6%20cs/{name}.txt" for name in ("50%25%20%231", "a%3Ab%3F", "x%5B1%5D")]
        assert {place["physicalLocation"]["artifactLocation"]["uriBaseId"] for place in places} == {"SRCROOT"}
    assert "startColumn" in result["locations"][0]["physicalLocation"]["region"]


def test_a_path_outside_of_the_repository_is_absolute_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("in", "out er"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, a=FIRST)
    monkeypatch.chdir(tmp_path / "in")
    run = log_of(scan([Path("a.md"), Path("../out er/a.md")]))
    [result] = run["results"]
    outside, inside = result["relatedLocations"][0], result["locations"][0]  # what lies outside sorts first
    assert inside["physicalLocation"]["artifactLocation"] == {"uri": "a.md", "uriBaseId": "SRCROOT"}
    assert outside["physicalLocation"]["artifactLocation"] == {"uri": (tmp_path / "out er" / "a.md").as_uri()}
    [told] = run["invocations"][0]["toolExecutionNotifications"]
    assert told["level"] == "warning"
    assert "1 source outside of the repository" in told["message"]["text"]
    assert "../out er/a.md" in told["message"]["text"]
    assert log_of(scan([Path("a.md"), Path("../out er/a.md")]), root=tmp_path)["invocations"][0] == {
        "executionSuccessful": True, "toolExecutionNotifications": []}


def test_addresses_are_uris_as_they_are():
    root = Root(Path("/repo"), Path("/repo/docs"))
    assert root.uri("https://x.example/a b?q=ü") == ("https://x.example/a%20b?q=%C3%BC", False)
    assert root.uri("s3://bucket/a%20b") == ("s3://bucket/a%20b", False)
    assert root.uri("../a.md") == ("a.md", True)
    assert root.uri("../../etc/x") == ("file:///etc/x", False)
    assert root.uri("..") == ("file:///repo", False)


def test_what_could_not_be_read_is_told_and_the_run_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, a=FIRST, b=FIRST)
    (tmp_path / "c.jsonl").write_text('{"text": "fine"}\n{broken [x](1) {0}\n')
    assert cli.main(["scan", ".", "-q", "-o", "r.sarif"]) == 3
    log = json.loads((tmp_path / "r.sarif").read_text())
    VALIDATOR.validate(log)
    invocation = log["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    told = invocation["toolExecutionNotifications"]
    assert told[0]["level"] == "error"
    assert told[0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "c.jsonl", "uriBaseId": "SRCROOT"}, "region": {"startLine": 2}}
    assert len(log["runs"][0]["results"]) == 1


def test_errors_and_results_are_bounded_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sarif, "MAX_RESULTS", 2)
    monkeypatch.setattr(sarif, "MAX_NOTIFICATIONS", 3)
    monkeypatch.setattr(sarif, "MAX_RELATED", 4)
    pages = [page(f"p{n}") for n in range(12)]
    groups = [group(n, [occurrence(p.id, f"text {n} " * (9 - n)) for p in pages]) for n in range(5)]
    run = log_of(report(pages, groups, errors=[ReadError(f"f{n}", None, "bad") for n in range(10)],
                        skipped=[Skipped("binary file", 7, ("x.png",))]))
    assert [result["properties"]["group"] for result in run["results"]] == [0, 1]
    assert len(run["results"][0]["relatedLocations"]) == 4
    assert "and 8 more places" in run["results"][0]["message"]["text"]
    texts = [told["message"]["text"] for told in run["invocations"][0]["toolExecutionNotifications"]]
    assert texts == ["bad", "bad", "bad", "7 more inputs could not be read.", "7 left out: no text, but a picture, an "
                     "archive or the like; such as x.png", "The 2 most wasteful of 5 repeated texts are told."]


@pytest.mark.parametrize("bad", ["[click](javascript:alert(1))", "{0} {x}", "a\\[b", "\x1b[31m\u202e", "\ud800 half",
                                 "%2e%2e/"])
def test_words_of_a_page_are_no_links_and_no_placeholders(bad: str):
    places = [occurrence(bad, f"{bad} {FIRST}"), occurrence("q", f"{bad} {FIRST}")]
    verdict = Verdict("rendered-twice", f"twice: {bad}", (0,))
    run = log_of(report([page(bad, source=bad, title=bad), page("q", verdicts=(verdict,))], [group(0, places)],
                        errors=[ReadError(bad, 1, bad)]))
    texts = [run["results"][0]["message"]["text"], run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]]
    for text in texts:
        ours = re.sub(r"\\\\|\\[\[\]]|\{\{|\}\}", "", text)
        assert re.findall(r"\]\((.*?)\)", ours) in ([], ["1"])
        assert not re.search(r"[{}\x1b\u202e\ud800]", ours)


def test_a_verdict_of_one_group_speaks_for_it_and_one_of_many_does_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    results = log_of(scan(Path("examples/news.txt")))["results"]
    assert results[0]["message"]["text"].startswith("The article stands on this page twice: lines 5-17 again at")
    assert results[0]["ruleId"] == "rendered-twice"
    shared = [result for result in log_of(scan(Path("examples")))["results"] if result["ruleId"] == "shared"]
    assert any(result["message"]["text"].startswith("This text stands in ") for result in shared)


def test_a_log_may_be_written_again_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, a=FIRST, b=FIRST)
    for name in ("r.sarif", "r.sarif.json", "r.md"):
        for _ in range(2):
            assert cli.main(["scan", "a.md", "b.md", "-q", "-o", name]) == 0
        assert cli.main(["scan", ".", "--exclude", "r*", "-q", "-o", name]) == 0, name


def test_a_stored_report_gives_the_same_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    assert cli.main(["scan", "examples/site", "-q", "-o", str(tmp_path / "r.json"), "-o", str(tmp_path / "r.sarif")]) == 0
    assert cli.main(["report", str(tmp_path / "r.json"), "-q", "-o", str(tmp_path / "again.sarif")]) == 0
    assert (tmp_path / "again.sarif").read_bytes() == (tmp_path / "r.sarif").read_bytes()


def test_the_repository_of_git_itself_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    (tmp_path / "repo" / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "repo" / "docs")
    write(Path("."), a=FIRST, b=FIRST)
    assert uri(log_of(dedup.scan(Path(".")))["results"][0]["locations"][0]) == "docs/b.md"


def test_rules_and_notifications_say_what_code_hosts_ask_for():
    """What GitHub's own check of a log (rule GH2012) and the specification (3.49.3) want beside the schema."""
    driver = log_of(scan([FIRST, FIRST]))["tool"]["driver"]
    for descriptor in (*driver["rules"], *driver["notifications"]):
        assert descriptor["shortDescription"]["text"]
        assert descriptor["fullDescription"]["text"].endswith(".")
        assert descriptor["help"]["text"].startswith(descriptor["fullDescription"]["text"])
        assert descriptor.get("name", "").lower() != descriptor["id"]
    assert len({descriptor["id"] for descriptor in driver["rules"]}) == 8
