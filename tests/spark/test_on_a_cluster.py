"""Executors that are killed cost time, not rows."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.corpus import Corpus
from dedup import scan
from tests.spark_help import need_spark

SCRIPT = Path(__file__).with_name("kill_an_executor.py")


@pytest.mark.parametrize(("unit", "stage"), [
    ("page", "pages that share something"), pytest.param("block", "near blocks", marks=pytest.mark.soak)])
def test_an_executor_killed_amid_an_exchange_loses_nothing(tmp_path: Path, unit: str, stage: str) -> None:
    need_spark()
    lines = [line for batch in itertools.islice(Corpus(11), 3) for line in batch[0]]
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.jsonl").write_text("\n".join(lines)[:4_000_000].rpartition("\n")[0], encoding="utf-8")
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "pages", unit, stage, tmp_path / "r.json"],
                          capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "killed 1\n"
    assert (tmp_path / "r.json").read_text() == scan(tmp_path / "pages", unit=unit).to_json()
