"""The job that our engine is measured against does what it says, and the event log can be had of ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.peers import truth
from benchmarks.spark import event_log, minhash_job
from tests.spark_help import need_spark

ROOT = Path(__file__).resolve().parents[2]
PAIRS, WORDS = 300, 150


def pairs_of_pages() -> list[dict[str, str]]:
    """Pages of which each has one edited copy, and nothing in common with others."""
    rng = np.random.default_rng(8)
    rows = []
    for number in range(PAIRS):
        words = [f"w{word}" for word in rng.integers(0, 10**9, WORDS).tolist()]
        edited = rng.random(WORDS) < 0.02
        copy = [f"x{i}" if edited[i] else word for i, word in enumerate(words)]
        rows += [{"id": f"{number:04d}{side}", "text": " ".join(text)} for side, text in (("a", words), ("b", copy))]
    return rows


@pytest.mark.soak
def test_the_job_finds_as_many_pairs_as_the_theory_of_lsh_says(spark: Any, tmp_path: Path) -> None:
    pytest.importorskip("xxhash")
    rows = pairs_of_pages()
    file = tmp_path / "pages.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    numbers: dict[str, int] = {}
    sets = [truth.grams(row["text"], numbers) for row in rows]
    alike = np.array([truth.jaccard(a, b) for a, b in zip(sets[::2], sets[1::2], strict=True)])
    chance = minhash_job.chance(alike, *minhash_job.best_bands(minhash_job.THRESHOLD, minhash_job.HASHES))
    groups = minhash_job.near_duplicates(spark, file)
    assert all(len(group) == 2 and group[0][:-1] == group[1][:-1] for group in groups)
    margin = 4 * np.sqrt((chance * (1 - chance)).sum())
    assert 30 < chance.sum() < PAIRS - 30  # so that the theory says something
    assert abs(len(groups) - chance.sum()) < margin


@pytest.mark.soak
def test_settings_from_outside_reach_our_session_and_its_log_names_the_stages(tmp_path: Path) -> None:
    need_spark()
    shutil.copytree(ROOT / "examples" / "site", tmp_path / "site")
    log = tmp_path / "log"
    log.mkdir()
    out = tmp_path / "groups.jsonl"
    known = {**os.environ, "PYSPARK_SUBMIT_ARGS": event_log.submit_arguments(log, {"spark.driver.maxResultSize": "3g"})}
    done = subprocess.run([sys.executable, "-m", "benchmarks.peers.ours", tmp_path / "site", out, "local[1]"], cwd=ROOT,
                          env=known, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = event_log.read(log)
    names = [stage.name for stage in told.stages]
    assert names[0].startswith("dedup: ")
    assert any("hear" in name for name in names)
    assert any("send_texts" in name for name in names)
    assert told.total("results") > 0
    assert told.cached > 0
    text = next(log.iterdir()).read_text()
    assert '"spark.driver.maxResultSize":"3g"' in text  # what is set from outside wins
    assert '"spark.ui.enabled":"false"' in text
