"""The page of benchmarks is made of its result file: figures, who is better, who is missing."""

import copy
import doctest
import json
from pathlib import Path

import pytest

from benchmarks import kernel, limits
from benchmarks.peers import __main__ as runner
from benchmarks.peers import inputs, install, jobs, joined, page, passages, tables
from benchmarks.peers.tools import OURS, Tool

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "peers.json"


def row(tool, package, cpu, peak=50_000_000, corpus="20MB", **more):
    return {"corpus": corpus, "tool": tool, "package": package,
            "runs": [{"cpu": cpu * factor, "wall": cpu, "peak": peak} for factor in (9, 1, 0.5)]} | more


def groups(recall, precision=1.0):
    return {"quality": {"recall": recall, "precision": precision, "pair_precision": 1.0}}


@pytest.fixture
def result():
    corpora = {size: {"bytes": bytes_, "text_bytes": bytes_, "documents": 1000, "exact_pairs": 10}
               for size, bytes_ in (("20MB", 20_000_000), ("200MB", 200_000_000))}
    return {
        "format": runner.FORMAT, "date": "2026-01-02", "commit": "0123456789abcdef", "dirty": False, "repeats": 3,
        "machine": {"processor": "CPU", "cores": 2, "memory_bytes": 8e9, "system": "Linux 6", "load": [0.1, 0, 0],
                    "load_at_the_end": [0.9, 0, 0]},
        "versions": {"python": "3.11", "dedup-toolkit": "0.1", "kernel": "native", "peers": {"daft": "0.7", "rensa": "0.5"}},
        "missing": {"gaoya": "No matching distribution"}, "corpora": corpora,
        "documents": [row("dedup", OURS, 1.0, **groups(1.0)), row("dedup scan", OURS, 0.5, **groups(1.0)),
                      row("daft", "daft", 2.0, **groups(0.99999, 0.7)),
                      row("rensa", "rensa", 8.0, 40_000_000, **groups(0.95)),
                      {"corpus": "20MB", "tool": "broken", "package": "broken", "failed": "exit status 1: why"},
                      row("dedup", OURS, 12.0, corpus="200MB", **groups(1.0)),
                      row("daft", "daft", 18.0, corpus="200MB", **groups(0.99))],
        "passages": [row("dedup, find=exact", OURS, 3.0, found={"across": [9, 9], "within": [3, 4], "edited": [0, 0]}),
                     row("pydivsufsort", "pydivsufsort", 2.0, found={"across": [9, 9], "within": [4, 4], "edited": [0, 0]})],
        "scans": [row("dedup, find=near", OURS, 4.0)],
        "extremes": [{"kind": "footer", "unit": "page", "pages": 400, "bytes": 1000, **row("", "", 5.0)},
                     {"kind": "footer", "unit": "page", "pages": 100, "bytes": 250, **row("", "", 1.0)},
                     {"kind": "footer", "unit": "block", "pages": 100, "bytes": 250, "failed": "not done after 600 s"}],
        "page": [row("dedup scan page.html", OURS, 0.25)],
        "limits": [{"name": "memory read", "gb_per_s": 10.0}],
        "kernel": [{"name": "tokenise", "ns": 0.5, "unit": "byte"}, {"name": "fss_sketches", "ns": 900.0, "unit": "set"},
                   {"name": "gone", "ns": None, "unit": ""}],
    }


def section(made, title):
    return made.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_a_table_holds_medians_ratios_and_qualities(result):
    made = section(page.page(result), "Near-duplicate documents")
    assert "| **dedup** | 1.00 |  | 1.00 |  | 20.0 | 50.0 |  | 1.000 | 1.000 | 1.000 |" in made
    assert "| daft | 2.00 | 2.00 | 2.00 | 2.00 | 10.0 | 50.0 | 1.00 | .9999 | .7000 | 1.000 |" in made
    assert "| broken | failed: exit status 1: why |  |" in made
    assert "CPU of 200MB divided by that of 20MB (10.0 times the bytes): dedup 12.0, daft 9.00." in made


def test_where_a_peer_is_better_the_page_says_so_and_our_own_other_rows_are_no_peers(result):
    made = section(page.page(result), "Near-duplicate documents")
    assert "**A peer is better in:** memory (rensa)." in made
    assert "No peer is better in any of these." in made  # 200 MB
    result["documents"][0]["quality"]["recall"] = 0.9
    made = section(page.page(result), "Near-duplicate documents")
    assert "**A peer is better in:** memory (rensa); recall (daft, rensa)." in made


def test_passages_say_where_a_peer_is_better(result):
    made = section(page.page(result), "Passages")
    assert "better than dedup, find=exact in:** CPU (pydivsufsort); wall time (pydivsufsort); copies found within" in made
    assert "| .7500 of 4 |" in made


def test_growth_is_against_the_quarter_and_a_run_that_was_ended_is_shown(result):
    made = section(page.page(result), "One pattern, again and again")
    assert "| footer | page | 400 | 0.001 | 5.00 | 5.00 | 50.0 | 5.00 |" in made
    assert "| footer | block | 100 | 0.00025 | not done after 600 s |" in made


def test_a_figure_that_no_run_has_is_left_out_and_beats_nobody(result):
    result["page"][0]["runs"] = [run | {"peak": None} for run in result["page"][0]["runs"]]
    assert "| `dedup scan page.html` | 0.250 | 0.250 |  |" in section(page.page(result), "One page")
    result["documents"][3]["runs"][0]["peak"] = None  # one of three
    assert "memory (rensa)" in page.page(result)
    for run in result["documents"][3]["runs"]:
        run["peak"] = None
    assert "memory (rensa)" not in page.page(result)


def test_the_kernel_is_shown_beside_the_limit(result):
    made = section(page.page(result), "The kernel")
    assert "| `tokenise` | 0.50 | byte | 2.00 | 20.0 % |" in made
    assert "| `fss_sketches` | 900 | set |  |  |" in made
    assert "gone" not in made


def test_who_is_missing_and_a_busy_machine_are_named(result):
    made = page.page(result)
    assert "Not measured: gaoya (No matching distribution)." in made
    assert "preliminary" not in made
    result["machine"]["load"] = [4.0, 3.0, 2.0]
    assert "preliminary" in page.page(result)


def test_jobs_that_were_not_done_have_no_section(result):
    for part in ("passages", "scans", "extremes", "page", "kernel"):
        del result[part]
    assert "## Passages" not in page.page(result)
    assert "## One page" not in page.page(result)
    assert "## Repeat it" in page.page(result)


def test_the_page_and_the_readme_are_what_the_command_makes_of_the_committed_result(tmp_path):
    made = tmp_path / "page.md"
    page.main([str(RESULT), "-o", str(made)])
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert text == made.read_text(encoding="utf-8"), "stale: make benchmarks-page"
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert page.headline(json.loads(RESULT.read_text(encoding="utf-8"))) in readme


def test_the_committed_result_names_neither_the_machine_nor_its_folders():
    text = RESULT.read_text(encoding="utf-8")
    assert json.loads(text)["format"] == runner.FORMAT
    assert not [word for word in ("/tmp", "/home", "/root", "/work", "http", "hostname") if word in text]


def test_tools_take_turns_and_one_that_fails_drops_out(tmp_path, monkeypatch):
    called = []

    def measured(command):
        called.append(command[0])
        return {"failed": "it broke"} if command[0] == "bad" and len(called) > 3 else {"cpu": 1.0, "wall": 2.0, "peak": 3}

    monkeypatch.setattr(jobs, "measured", measured)
    tools = [Tool(name, name, lambda file, out, name=name: [name], lambda out: "read") for name in ("good", "bad")]
    rows, outputs = jobs.take_turns(tmp_path / "in", tools, 3, True, called.append)
    assert [name for name in called if name in ("good", "bad")] == ["good", "bad", "good", "bad", "good", "good"]
    assert len(rows["good"]["runs"]) == 3  # the first does not count
    assert rows["bad"]["failed"] == "it broke"
    assert outputs == {"good": "read"}


def test_the_runner_measures_ours_where_there_is_no_peer(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.__main__.CACHE", tmp_path)
    monkeypatch.setattr(runner, "peer_versions", lambda python: ({}, dict.fromkeys(
        ("daft", "gaoya", "rensa", "FastSketchLSH", "datasketch", "pydivsufsort"), "no network")))
    file = tmp_path / "result.json"
    runner.main(["--sizes", "300kB", "--repeats", "1", "--parts", "documents", "passages", "scans", "--json", str(file)])
    made = json.loads(file.read_text())
    assert [one["tool"] for one in made["documents"]] == ["dedup", "dedup scan -o report.json"]
    assert {one["quality"]["recall"] for one in made["documents"]} == {1.0}
    assert [one["found"]["across"][0] == one["found"]["across"][1] > 0 for one in made["passages"]] == [True] * 3
    assert all(one["runs"][0]["cpu"] > 0 for one in made["scans"])
    assert "Not measured: daft (no network)." in page.page(made)


def test_a_part_is_added_to_a_result_of_the_same_code_and_machine_only(tmp_path, result):
    file = tmp_path / "result.json"
    file.write_text(json.dumps(result))
    begun = result | {"date": "2026-02-03", "corpora": {"2GB": {"bytes": 2e9}}, "dirty": True}
    kept = runner.continued(file, begun)
    assert kept["documents"] == result["documents"]
    assert kept["date"] == "2026-01-02"
    assert kept["dirty"]
    assert list(kept["corpora"]) == ["20MB", "200MB", "2GB"]
    for other, name in (({"commit": "fedc"}, "commit"), ({"corpora": {"20MB": {"bytes": 5}}}, "corpora"),
                        ({"machine": begun["machine"] | {"cores": 64}}, "machine")):
        with pytest.raises(SystemExit, match=f"another {name}: nothing can be added"):
            runner.continued(file, begun | other)


def test_inputs_of_one_pattern_are_scanned_as_pages_and_as_blocks(monkeypatch):
    asked = []

    def measured(command, limit):
        assert Path(command[2]).stat().st_size > 0
        asked.append((Path(command[2]).stem, command[4]))
        return {"failed": "not done after 1 s"} if command[4] == "block" else {"cpu": 1.0, "wall": 1.0, "peak": 1}

    monkeypatch.setattr(jobs, "measured", measured)
    rows = list(jobs.extremes(40, lambda text: None))
    assert asked == [(kind, unit) for kind in inputs.KINDS for _ in "ab" for unit in ("page", "block")]
    assert [row["pages"] for row in rows[:4]] == [10, 10, 40, 40]
    assert all(("failed" in row) == (row["unit"] == "block") and ("runs" in row) == (row["unit"] == "page") for row in rows)


def test_peers_that_cannot_be_installed_are_named_with_the_reason(tmp_path, monkeypatch):
    asked = []

    def refuse(*what):
        asked.append(what)
        return "" if what == ("good==1",) else "no such thing"

    monkeypatch.setattr(install, "_install", refuse)
    monkeypatch.setattr(install.sys, "prefix", str(tmp_path))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# peers\ngood==1\nbad==2\n")
    install.main(requirements)
    assert json.loads((tmp_path / install.MISSING).read_text()) == {"bad": "no such thing"}
    assert asked == [("-r", str(requirements)), ("good==1",), ("bad==2",)]


@pytest.mark.parametrize("kind", inputs.KINDS)
def test_inputs_of_one_pattern_are_the_same_each_time_and_have_the_pages_asked_for(kind, tmp_path):
    files = [tmp_path / name for name in "ab"]
    for file in files:
        inputs.write(file, kind, 30)
    assert files[0].read_bytes() == files[1].read_bytes()
    records = [json.loads(line) for line in files[0].read_text().splitlines()]
    assert len({record["id"] for record in records}) == 30
    assert len({record["text"] for record in records}) == (1 if kind == "identical" else 30)


@pytest.mark.parametrize(("kind", "alike"), [("template", True), ("form", False)])
def test_templates_are_alike_at_the_threshold_and_forms_are_not(kind, alike, tmp_path):
    from benchmarks.peers import truth

    inputs.write(tmp_path / "in", kind, 5)
    assert len(truth.pairs(tmp_path / "in")[1]) == (10 if alike else 0)


def test_spans_are_read_as_written_and_copies_are_found_as_far_as_they_lie_in_them(tmp_path):
    file, truth = tmp_path / "spans", tmp_path / "truth"
    passages.write_spans(file, ["a", "b"], [[], [(0, 100), (90, 185), (300, 310)]])
    assert passages.read_spans(file) == {"a": [], "b": [(0, 100), (90, 185), (300, 310)]}
    copy_ = {"kind": "block", "b": "b", "b_start": 100, "b_end": 200}
    planted = [copy_, copy_ | {"b_start": 120, "b_end": 220}, copy_ | {"b_end": 150}, copy_ | {"b": "elsewhere"},
               copy_ | {"kind": "repeat", "b_start": 0}, copy_ | {"kind": "copy"}]
    truth.write_text("".join(json.dumps(one) + "\n" for one in planted))
    assert passages.found(passages.read_spans(file), truth) == {"across": (1, 3), "within": (1, 1), "edited": (0, 0)}
    file.write_text('["a", [[5, 3]]]\n')
    with pytest.raises(ValueError, match="ends before it begins"):
        passages.read_spans(file)


def test_the_kernel_and_its_limits_are_measured_as_json(capsys):
    kernel.main(["--json", "code_points"])
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["name"], one["unit"]) == ("code_points", "byte")
    assert one["ns"] > 0
    assert [one["gb_per_s"] > 0 for one in limits.rates(1_000_000, seconds=0)] == [True] * 4


def test_examples_in_docstrings_run():
    for module in (inputs, install, joined, passages, tables):
        assert doctest.testmod(module).failed == 0


def test_better_needs_a_figure_on_both_sides(result):
    rows = copy.deepcopy(result["documents"][:4])
    del rows[3]["quality"], rows[3]["runs"]
    rows[3]["failed"] = "gone"
    assert tables.better(rows[0], rows, tables.COST + tables.QUALITY) == []
