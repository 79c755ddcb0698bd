"""What other programs run of ours: the hooks of pre-commit, the action, the workflows, the wheel."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml", reason="LOUD: no PyYAML: hooks, action and workflows are not tested")

ROOT = Path(__file__).parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PARAGRAPH = ("Whoever wants to moor a boat in the inner harbour asks the harbour office for a berth by noon of the day "
             "before, pays at the window beside the scales, and puts the receipt where the warden can read it from the quay "
             "without "
             "stepping on board; boats without one are towed to the outer basin at their owners' cost.")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with two pages that have nothing in common."""
    if shutil.which("git") is None:
        pytest.skip("LOUD: git is not installed")
    folder = tmp_path / "repository"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "berths.md").write_text(f"# Berths\n\n{PARAGRAPH}\n", encoding="utf-8")
    (folder / "docs" / "tides.md").write_text("# Tides\n\nLow water is at six in the morning and at half past six.\n",
                                              encoding="utf-8")
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments], cwd=folder, check=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "change")


def copied(folder: Path) -> None:
    """The paragraph on a page of its own, staged."""
    (folder / "docs" / "again.md").write_text(f"# Again\n\n{PARAGRAPH}\n", encoding="utf-8")
    git(folder, "add", "-A")


def run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("INPUT_", "GITHUB_"))}
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False,
                          env={**environment, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **variables})


def hook(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A hook as pre-commit runs it: entry, arguments, no names of files."""
    entry = HOOKS[name]["entry"].split()
    assert entry[0] == "dedup"
    assert HOOKS[name]["pass_filenames"] is False
    return run([sys.executable, "-m", *entry, *HOOKS[name]["args"]], folder)


def test_the_hook_stops_a_commit_that_brings_a_copy_and_no_other(repository: Path) -> None:
    assert hook("dedup", repository).returncode == 0
    (repository / "docs" / "tides.md").write_text("# Tides\n\nThey are on the board.\n", encoding="utf-8")
    assert hook("dedup", repository).returncode == 0
    copied(repository)
    stopped = hook("dedup", repository)
    assert stopped.returncode == 1
    assert "again.md" in stopped.stderr
    commit(repository)
    assert hook("dedup", repository).returncode == 0  # what is there already is nobody's new copy


def test_the_hook_for_all_looks_at_the_share(repository: Path) -> None:
    assert hook("dedup-all", repository).returncode == 0
    copied(repository)
    commit(repository)
    assert hook("dedup-all", repository).returncode == 1


def test_the_hooks_speak_of_kinds_of_files_that_pre_commit_knows() -> None:
    identify = pytest.importorskip("identify.identify", reason="no identify here: the kinds of files are not checked")
    for entry in HOOKS.values():
        assert set(entry["types_or"]) <= set(identify.ALL_TAGS)


def step() -> dict[str, str]:
    """The variables of the action's scan, with the input or expression of each."""
    (scan,) = [made for made in ACTION["runs"]["steps"] if made.get("id") == "scan"]
    return dict(scan["env"])


def action(folder: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], str, dict[str, str]]:
    """The action's scan with these inputs over the defaults; what it says, its summary and its outputs."""
    values = {name: given["default"] for name, given in ACTION["inputs"].items()}
    values |= {name.rstrip("_").replace("_", "-"): value for name, value in inputs.items()}
    variables = {name: values[name.removeprefix("INPUT_").lower().replace("_", "-")] for name in step() if name != "ACTION"}
    summary, output = folder.parent / "summary", folder.parent / "output"
    for file in (summary, output):
        file.write_text("", encoding="utf-8")
    done = run([sys.executable, str(ROOT / "scripts" / "action_scan.py")], folder, GITHUB_STEP_SUMMARY=str(summary),
               GITHUB_OUTPUT=str(output), **variables)
    told = dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
    return done, summary.read_text(encoding="utf-8"), told


def test_the_action_writes_summary_and_sarif_and_has_the_status_of_the_scan(repository: Path) -> None:
    done, summary, output = action(repository, path="docs", fail_over="20%", sarif="found.sarif")
    assert (done.returncode, output) == (0, {"status": "0", "sarif": "found.sarif"}), done.stderr
    assert summary.startswith("<!-- dedup-report -->")
    copied(repository)
    done, summary, output = action(repository, path="docs", fail_over="20%", sarif="found.sarif",
                                   link_base="https://example.org/x")
    assert (done.returncode, output["status"]) == (1, "1")
    assert "https://example.org/x/docs/" in summary
    results = json.loads((repository / "found.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert len(results) == 1


def test_the_action_takes_paths_with_spaces_and_more_arguments_and_runs_nothing_of_them(repository: Path) -> None:
    shutil.copytree(repository / "docs", repository / "more docs")
    done, _, output = action(repository, path="docs 'more docs'", fail_on="copy-of,shared",
                             args="--exclude 'tides.md; touch x'")
    assert (done.returncode, output) == (1, {"status": "1"}), done.stderr
    assert not (repository / "x").exists()
    done, summary, output = action(repository, path="$(touch x) docs", summary="false")
    assert (done.returncode, summary, output) == (2, "", {"status": "2"})  # there is no "$(touch"
    assert not (repository / "x").exists()


def test_each_input_of_the_action_is_used_and_no_other() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    for made in ACTION["runs"]["steps"]:  # what people write into a form is a variable, never part of a script
        assert "${{" not in made.get("run", "")
    spec = importlib.util.spec_from_file_location("action_scan", ROOT / "scripts" / "action_scan.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    read = {f"INPUT_{name}" for name in (*script.FLAGS, "PATH", "ARGS", "SUMMARY")}
    assert read == step().keys() - {"ACTION"}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_names_files_and_targets_that_are_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    made = yaml.safe_load(text)
    assert made["permissions"] == {"contents": "read"}
    for job in made["jobs"].values():
        assert job["timeout-minutes"] <= 90
        for one in job["steps"]:
            assert ("run" in one) != ("uses" in one)
            assert "${{" not in one.get("run", "")
    for name in re.findall(r"(?:scripts|\.ci|tests)/[\w.]+", text):
        assert (ROOT / name).exists(), name
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"\bmake ([\w-]+)", text)) <= targets


def test_all_systems_are_tested_and_have_wheels() -> None:
    for file, systems in (("test.yml", ("ubuntu", "macos", "windows")), ("wheels.yml", ("ubuntu", "macos", "windows"))):
        text = (ROOT / ".github" / "workflows" / file).read_text(encoding="utf-8")
        assert all(f"{system}-latest" in text for system in systems)


@pytest.mark.soak
def test_the_wheel_works_in_a_bare_debian(tmp_path: Path) -> None:
    done = subprocess.run([ROOT / "scripts" / "smoke_wheel.sh", tmp_path], capture_output=True, encoding="utf-8", check=False)
    if done.returncode == 77:
        pytest.skip(f"LOUD: the wheel is not tried in a bare Debian: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "smoke: passed, kernel native" in done.stdout
