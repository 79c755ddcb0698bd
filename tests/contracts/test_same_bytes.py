"""One input and one set of options give the same bytes: whatever the partitions, threads, kernel, hash seed, file order."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.corpus import Corpus
from dedup import Options, Report, scan
from dedup.readers import open_pages
from dedup.report.formats import How, printed_format
from tests.scan_help import NATIVE, needs_speed

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, dict[str, Any]] = {
    "block": {"pairs": True}, "page": {"unit": "page", "pairs": True, "threshold": 0.6},
    "exhaustive": {"exhaustive": True, "pairs": True}, "exact": {"find": "exact"}, "within": {"scope": "within"},
    "between": {"between": "folder", "pairs": True}, "across": {"scope": "across", "find": "reworded"},
    "against": {"against": "examples/site", "pairs": True},  # in the folder that is scanned
    "stem": {"stem": "english", "find": "reworded"}, "ocr": {"noise": "ocr", "pairs": True},
    "reworded ocr": {"noise": "ocr", "find": "reworded"},
    "ocr across": {"noise": "ocr", "find": "reworded", "scope": "across"},
}
SLOW_ON_THE_TWIN = {"ocr", "reworded ocr", "ocr across"}  # for `make test-soak`; properties/ asks for what they add


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, and 200 pages with planted copies as JSON lines, all small enough for the twin."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "many.jsonl").write_text("\n".join(planted(60, 140)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fewer pages of both kinds, for the twin, which is 30 to 300 times as slow."""
    folder = tmp_path_factory.mktemp("few")
    shutil.copytree(ROOT / "examples" / "site", folder / "examples" / "site")
    pages = planted(10, 20)
    for name, part in (("one", pages[::2]), ("other", pages[1::2])):
        (folder / name).mkdir()
        (folder / name / "many.jsonl").write_text("\n".join(part), encoding="utf-8")
    return folder


def planted(early: int, late: int) -> list[str]:
    """Lines of JSON. The later pages of a batch copy the earlier ones; of each only the beginning, and those with copies
    first."""
    lines = [line for batch in itertools.islice(Corpus(7), 1) for line in batch[0]]
    pages = [json.loads(line) for line in lines[:600]]
    return [json.dumps({"id": p["id"], "text": p["text"][:1500]}) for p in [*pages[:early], *pages[-late:]]]


def scanned(folder: Path, **settings: Any) -> str:
    """The report and its table of pages."""
    against = {"against": folder / settings.pop("against")} if "against" in settings else {}
    return rendered(scan(folder, **against, **settings))


def rendered(report: Report) -> str:
    """A report and its tables."""
    rows = io.BytesIO()
    for name in ("jsonl", "groups.jsonl", "occurrences.jsonl", "sarif", "md"):
        printed_format(name).write(report, rows, How())
    return report.to_json() + rows.getvalue().decode()


def digest(folder: Path, **settings: Any) -> str:
    return hashlib.sha256(scanned(folder, **settings).encode()).hexdigest()


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, str]:
    return {name: digest(folder, threads=1, partitions=1, **settings) for name, settings in SETTINGS.items()}


def test_there_is_something_to_find(folder):
    report = scan(folder)
    assert report.summary.pages > 200
    assert len(report.groups) > 30
    assert {group.kind for group in report.groups} == {"exact", "near", "contained"}
    assert len(scan(folder, unit="page").groups) > 2


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("threads", "partitions"), [(2, 1), (4, 7), pytest.param(1, 7, marks=pytest.mark.soak), (2, None),
                                                     pytest.param(None, None, marks=pytest.mark.soak)])
def test_threads_and_partitions(folder, expected, name, threads, partitions):
    assert digest(folder, threads=threads, partitions=partitions, **SETTINGS[name]) == expected[name]


def test_tables_in_slices(folder, expected, monkeypatch):
    """Tables of a bounded memory are made in slices, one after the other."""
    monkeypatch.setattr("dedup.engines.local.LEAST_TABLE", 1 << 12)
    monkeypatch.setattr("dedup.engines.local.TABLE_PART", 1 << 20)
    for name in ("block", "across", "ocr"):
        assert digest(folder, memory="256M", **SETTINGS[name]) == expected[name]


def test_grams_in_slices(folder, expected, monkeypatch):
    """Grams of a large input are held a slice of their hashes at a time, in many partitions."""
    monkeypatch.setattr("dedup.seeds.LEAST_ROWS", 1 << 14)
    monkeypatch.setattr("dedup.seeds.PARTITION_TEXT", 1000)
    for name in ("block", "across", "ocr"):
        assert digest(folder, threads=2, **SETTINGS[name]) == expected[name]


@pytest.mark.parametrize("name", [name if name in ("block", "page", "across", "ocr") else
                                  pytest.param(name, marks=pytest.mark.soak) for name in SETTINGS])
def test_many_batches(folder, monkeypatch, name):
    """Batches of a few pages each, so that every stage has many of them; columns in the file. (The digest of the input may
    know of them.)"""
    import dedup.corpus
    import dedup.filed
    import dedup.lsh
    import dedup.one_list
    import dedup.pipeline
    import dedup.representatives
    import dedup.shingles
    import dedup.verify

    def found(**settings: Any) -> str:
        return re.sub('"input_digest": "[^"]*"', "", scanned(folder, **settings))
    expected = found(threads=1, partitions=1, **SETTINGS[name])
    for module in (dedup.corpus, dedup.shingles):
        monkeypatch.setattr(module, "BATCH_BYTES", 10_000)
    monkeypatch.setattr(dedup.corpus, "BATCHES", 16)  # they grow
    monkeypatch.setattr(dedup.lsh, "SKETCHES", 2_000)
    monkeypatch.setattr(dedup.one_list, "BOXES", 2)
    monkeypatch.setattr(dedup.pipeline, "PAIRS_TOGETHER", 3)
    monkeypatch.setattr(dedup.representatives, "LARGE", 500)
    monkeypatch.setattr(dedup.verify, "BATCH_SPANS", 3)
    monkeypatch.setattr(dedup.shingles, "LEAST_IN_FILE", 100)
    monkeypatch.setattr(dedup.filed, "LEAST_IN_FILE", 100)
    monkeypatch.setattr(dedup.filed, "LEAST_OF_MANY", 16)
    for threads, partitions in ((1, 1), (4, 7)):
        assert found(threads=threads, partitions=partitions, **SETTINGS[name]) == expected


CODE = """
import json, sys
from pathlib import Path
from tests.contracts.test_same_bytes import digest
for settings in json.loads(sys.argv[2]):
    print(digest(Path(sys.argv[1]), **settings))
"""


def in_a_process(folder: Path, settings: list[dict[str, Any]], **environment: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", CODE, str(folder), json.dumps(settings)], capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)} | environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("seed", [pytest.param("0", marks=pytest.mark.soak), "4242"])  # that of this process is another one
def test_hash_seeds(folder, expected, seed):
    assert in_a_process(folder, list(SETTINGS.values()), PYTHONHASHSEED=seed) == list(expected.values())


@needs_speed
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.soak) if name in SLOW_ON_THE_TWIN else name
                                  for name in SETTINGS])
def test_the_native_kernel_and_its_twin(small_folder, name):
    assert NATIVE
    against = {"against": small_folder / SETTINGS[name]["against"]} if "against" in SETTINGS[name] else {}
    found = scan(small_folder, **SETTINGS[name] | against)
    assert {group.kind for group in found.groups} >= ({"exact"} if name in ("exact", "page") else {"near"})
    expected = digest(small_folder, **SETTINGS[name])
    assert in_a_process(small_folder, [SETTINGS[name]], DEDUP_KERNEL="reference") == [expected]


def test_the_order_in_which_files_are_given(folder):
    files = sorted((folder / "examples").rglob("*.*"))
    first = scan(open_pages(files)).to_json()
    for order in (files[::-1], files[5:] + files[:5], files[::2] + files[1::2]):
        assert scan(open_pages(order)).to_json() == first
        assert scan(order).to_json() == first


def test_scanning_before_changes_nothing(folder, expected):
    scan(["something else altogether, of a dozen words or so, read before " * 3] * 3)
    assert digest(folder, **SETTINGS["block"]) == expected["block"]


def test_what_changes_no_result_is_not_in_the_report(folder):
    report = json.loads(scan(folder / "examples", threads=2, partitions=3).to_json())
    assert not {"threads", "partitions"} & report["options"].keys()
    assert report["options"]["threshold"] == Options().least_jaccard
