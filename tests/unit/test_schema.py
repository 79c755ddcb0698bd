"""The JSON Schemas: files of docs/schema/ are those of the model, what is written is valid, what is damaged is not."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import dedup
from dedup import cli, scan
from dedup.report.schema import FORMATS, SchemaName, schema
from dedup.report.table_files import Table, columns_of
from tests.unit.report_fakes import near_report, news_report

ROOT = Path(__file__).parents[2]


def validator(name: SchemaName) -> Any:
    return jsonschema.Draft202012Validator(schema(name, closed=True))


def test_the_files_of_the_documentation_are_those_of_the_model():
    spec = importlib.util.spec_from_file_location("make_schema", ROOT / "scripts" / "make_schema.py")
    assert spec is not None and spec.loader is not None  # noqa: PT018
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    files = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "schema").iterdir()}
    assert files == made.schemas(), "stale: run make schema"


@pytest.mark.parametrize("name", FORMATS)
def test_each_is_a_schema_and_is_printed_as_it_stands_in_the_documentation(name: SchemaName,
                                                                           capsys: pytest.CaptureFixture[str]):
    jsonschema.Draft202012Validator.check_schema(schema(name))
    jsonschema.Draft202012Validator.check_schema(schema(name, closed=True))
    assert cli.main(["schema", name]) == 0
    file = ROOT / "docs" / "schema" / f"{FORMATS[name].replace('/', '-')}.schema.json"
    assert capsys.readouterr().out == file.read_text(encoding="utf-8")


def test_without_a_name_it_is_the_reports(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema("report")
    assert cli.main(["schema", "reports"]) == 2
    assert "'reports' is none of report, manifest, pages, groups, occurrences" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [
    ["scan", "examples"], ["scan", "examples/site", "--with-text", "--pairs"], ["scan", "examples", "--unit", "page"],
    ["scan", "examples/papers.jsonl", "--between", "paper", "--meta", "paper"], ["scan", "examples", "--find", "exact"],
    ["scan", "examples/notices.jsonl", "--against", "examples/questions.jsonl"], ["scan", "examples", "--min-tokens", "900"],
    ["compare", "examples/ferry-spring.txt", "examples/ferry-summer.txt", "--explain"]])
def test_reports_of_all_kinds_are_valid(arguments: list[str], capfd: pytest.CaptureFixture[str],
                                        monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    assert cli.main([*arguments, "--format", "json"]) == 0
    validator("report").validate(json.loads(capfd.readouterr().out))


def test_a_text_many_times_in_a_row_is_valid():
    made = scan(["\n\n".join([*["one two three four five six seven eight nine"] * 12, "end"])])
    value = json.loads(made.to_json())
    assert any("period" in group and "count" in group for group in value["groups"])
    validator("report").validate(value)


@pytest.mark.parametrize("damage", [
    lambda r: r.update(format="dedup-report/2"), lambda r: r.pop("summary"), lambda r: r["options"].pop("threshold"),
    lambda r: r["options"].update(threshold=3), lambda r: r["groups"][0].update(kind="other"), lambda r: r.update(more=1),
    lambda r: r["groups"][0]["occurrences"][0].update(start=-1), lambda r: r["groups"][0]["occurrences"][0].pop("page"),
    lambda r: r["groups"][0].update(similarity=1.5), lambda r: r["pages"][0].update(within_share="0.5"),
    lambda r: r["groups"][0]["occurrences"][0].update(surplus=None), lambda r: r["pages"][0].update(title=3),
    lambda r: r["pages"][0]["verdicts"][0].update(kind="twice"), lambda r: r["groups"][0].update(related=["x"])])
def test_what_is_damaged_is_not_valid(damage: Any):
    value = json.loads(news_report().to_json())
    assert validator("report").is_valid(value)
    damage(value)
    assert not validator("report").is_valid(value)


def test_the_published_schema_lets_a_later_version_add_keys():
    value = json.loads(near_report().to_json()) | {"later": 1}
    value["groups"][0]["later"] = 2
    jsonschema.Draft202012Validator(schema("report")).validate(value)


@pytest.mark.parametrize("table", ["pages", "groups", "occurrences"])
@pytest.mark.parametrize("what", ["examples", "examples/site", "examples/notices.jsonl"])
def test_each_row_of_a_table_is_valid(table: Table, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    made = scan(Path(what))
    made.write(tmp_path / f"r.{table}.jsonl")
    made.write(tmp_path / "r.json")
    dedup.report.json.read_json(tmp_path / "r.json").write(tmp_path / f"again.{table}.jsonl")
    lines = [line for name in ("r", "again") for line in (tmp_path / f"{name}.{table}.jsonl").read_text().splitlines()]
    assert lines
    for line in lines:
        row = json.loads(line)
        assert list(row) == columns_of(table)
        validator(table).validate(row)
        assert not validator(table).is_valid({**row, "surplus": 1})


@pytest.mark.parametrize("more", [[], ["--for", "corpus", "--drop", "pages"], ["--for", "corpus", "--what", "near"]])
def test_each_line_of_a_manifest_is_valid(more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    assert cli.main(["clean", "examples/site", "examples/news.html", "examples/notices.jsonl", "-q", "--max-removed", "100%",
                     "-o", str(tmp_path / "out"), *more]) == 0
    lines = (tmp_path / "out" / "dedup-manifest.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = {json.loads(line)["kind"] for line in lines}
    assert kinds >= {"manifest", "removal", "begin", "file", "end"}
    for line in lines:
        validator("manifest").validate(json.loads(line))
    assert not validator("manifest").is_valid({"kind": "end"})


def test_each_field_is_described():
    made = schema("report")
    for name in ("Occurrence", "Group", "PageReport", "Verdict", "Cause"):
        told = [field for field in made["$defs"][name]["properties"].values() if field.get("description")]
        assert len(told) >= 3, name
    assert made["$defs"]["Occurrence"]["properties"]["start"]["description"] == "Half-open code points of the page's text."
