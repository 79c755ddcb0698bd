"""The viewer as it is committed: it is what its sources give, and their own tests pass. Loudly skipped without Node.js."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VIEWER, BUNDLE = ROOT / "viewer", ROOT / "dedup" / "report" / "viewer"
TOOLS = VIEWER / "node_modules" / ".bin"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    not (shutil.which("node") and TOOLS.exists()), reason="LOUD: the viewer is not built again: no Node.js or no tools")]


def run(*command: str) -> str:
    """What a tool of the viewer says; its output where it fails."""
    done = subprocess.run([TOOLS / command[0], *command[1:]], cwd=VIEWER, capture_output=True, text=True, check=False,
                          env=os.environ | {"NO_COLOR": "1", "CI": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_bundle_is_what_the_sources_give(tmp_path):
    run("vite", "build", "--outDir", str(tmp_path), "--emptyOutDir")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["viewer.css", "viewer.js"]
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (BUNDLE / file.name).read_bytes(), f"{file.name} is stale: make viewer"


def test_the_sources_have_no_error_of_types():
    run("tsc", "--noEmit")


def test_the_tests_of_the_sources_pass():
    assert "passed" in run("vitest", "run")


def test_the_lock_file_names_no_registry():
    text = (VIEWER / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert "omit-lockfile-registry-resolved=true" in (VIEWER / ".npmrc").read_text(encoding="utf-8")
