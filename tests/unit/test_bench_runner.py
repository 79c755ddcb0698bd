"""The bench runner turns runs into rows; here the scan is a stand-in."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import dedup
from benchmarks import __main__ as bench
from benchmarks import kernel as kernel_bench
from benchmarks import work
from benchmarks.corpus import EXACT, truth_of, write_corpus
from benchmarks.measure import CommandFailed
from dedup.kernel import kernel


@pytest.fixture
def corpora(tmp_path):
    files = {"N": tmp_path / "n", "4N": tmp_path / "4n", "recall": tmp_path / "4n"}
    write_corpus(files["N"], 200_000)
    write_corpus(files["4N"], 800_000)
    return files


def perfect_scan(file, **settings):
    """A report that holds exactly what was planted."""
    planted = [json.loads(line) for line in truth_of(file).read_text().splitlines()]
    groups = [SimpleNamespace(occurrences=[
        SimpleNamespace(page=copy[side], start=copy[f"{side}_start"], end=copy[f"{side}_end"], parts=None)
        for side in "ab"]) for copy in planted]
    return SimpleNamespace(pages=[], groups=groups, pairs=lambda: iter(()))


def test_the_measured_process_prints_its_figures_and_the_recall(corpora, monkeypatch, capsys):
    monkeypatch.setattr(dedup, "scan", perfect_scan, raising=False)
    work.main([str(corpora["4N"]), '{"find": "near"}', str(truth_of(corpora["4N"]))])
    figures = json.loads(capsys.readouterr().out)
    assert figures["scan_wall"] > 0
    assert figures["stages"] == []  # this scan tells of none
    assert {counts["recall"] for counts in figures["recalls"].values()} == {1.0}
    assert set(figures["recalls"]) <= EXACT | {"exact", "near-block", "span-across-borders"}


def test_rows_hold_medians_targets_and_every_repeat(corpora, monkeypatch):
    seconds = {"n": 1.0, "4n": 5.0}

    def one(file, settings, truth=None):
        return {"wall": seconds[file.name], "scan_wall": seconds[file.name], "cpu": 2.0, "peak_private": 10**6,
                "stages": [{"name": "lsh", "seconds": 1.0}],
                "recalls": {"exact": {"found": 1, "planted": 1, "recall": 1.0}}}

    monkeypatch.setattr(bench, "work", one)
    rows = {row.name.strip(): row for row in bench.speed(corpora, {}, 3)}
    assert rows["wall"].value == 5.0
    assert rows["stage lsh"].value == 1.0
    assert "the two finders alone" not in rows
    assert rows["time(4N)/time(N), scan"].verdict == "short"
    assert len(rows["time(4N)/time(N), scan"].repeats) == 3
    assert rows["peak private memory a byte"].verdict == "ok"
    assert [row.verdict for row in bench.quality(corpora["recall"], {})] == ["ok", "ok"]


def test_a_failed_measurement_is_a_row_that_says_why(corpora, monkeypatch):
    def broken(file, settings, truth=None):
        raise CommandFailed("exit status 1: no such thing")

    monkeypatch.setattr(bench, "work", broken)
    rows = bench.speed(corpora, {}, 1) + bench.quality(corpora["recall"], {})
    assert {row.verdict for row in rows} == {"failed"}
    assert "no such thing" in bench.table(rows)


def test_the_result_file_holds_what_a_claim_needs(corpora):
    made = json.loads(json.dumps(bench.result([bench.Row("a", 1.0, "s")], corpora, {"find": "near"}, 0)))
    assert made["format"] == "dedup-bench/1"
    assert {"commit", "machine", "versions", "options", "data", "rows"} <= set(made)
    assert made["data"]["N"]["bytes"] == Path(corpora["N"]).stat().st_size
    assert len(made["data"]["N"]["sha256"]) == 64


def test_the_kernel_benchmark_measures_a_function(capsys):
    kernel_bench.main(["code_points"])
    assert "ns a byte" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no case named nothing"):
        kernel_bench.main(["nothing"])


def test_each_case_of_the_kernel_benchmark_calls_the_kernel_as_it_is(monkeypatch):
    monkeypatch.setattr(kernel_bench, "BYTES", 40_000)
    data = kernel_bench.Data(kernel)
    for name, make in kernel_bench.CASES.items():
        arguments, count, _ = make(data)
        assert count > 0, name
        assert kernel_bench.measure(getattr(kernel, name), arguments, seconds=0) > 0
