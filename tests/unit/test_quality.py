"""A floor of quality on real pages, reduced to seconds; the whole is measured by the checks beside the data."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import re
from pathlib import Path

import pytest

from dedup import scan
from dedup.report import Report
from tests.readers_help import data
from tests.scan_help import needs_speed

pytestmark = needs_speed
CHARACTER = r"\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
WORD = re.compile(rf"[{CHARACTER}]|[^\W_{CHARACTER}]+")


def tokens(text: str) -> list[str]:
    return WORD.findall(text.casefold())


def grams(text: str, size: int = 3) -> set[tuple[str, ...]]:
    words = tokens(text)
    return {tuple(words[i:i + size]) for i in range(max(1, len(words) - size + 1))}


def unpacked(folder: Path, names: list[str], to: Path) -> Path:
    for name in names:
        (to / name.removesuffix(".gz")).write_bytes(gzip.decompress((folder / name).read_bytes()))
    return to


def pairs_of_pages(report: Report) -> set[tuple[str, str]]:
    return {(min(a, b), max(a, b)) for a, b in ((pair.a.page, pair.b.page) for pair in report.pairs())}


def test_blocks_that_stand_twice_on_real_pages_are_found(tmp_path):
    """Fifteen pages, each scanned alone: every labelled block, and no group of unlike texts."""
    folder = data("html_within_page")
    labels = json.loads((folder / "labels.json").read_text("utf-8"))
    chosen = sorted(labels, key=lambda label: (-len(label["exact"]), label["file"]))[::3][:15]
    unpacked(folder, [label["file"] for label in chosen], tmp_path)
    wanted, missed = 0, []
    for label in chosen:
        report = scan(tmp_path / label["file"].removesuffix(".gz"))
        assert not report.errors
        found = [[grams(o.text) for o in group.occurrences] for group in report.groups]
        for entry in label["exact"]:
            wanted += 1
            text = grams(entry["text"])
            if not any(sum(len(text & o) >= 0.8 * len(text) for o in group) >= 2 for group in found):
                missed.append((label["file"], entry["text"]))
        for group in report.groups:
            first, *others = (set(tokens(o.text)) for o in group.occurrences)
            assert all(len(first & o) >= 0.5 * min(len(first), len(o)) for o in others), group.text[:200]
    assert wanted > 80
    assert len(missed) <= 0.005 * wanted, missed


def test_licences_of_one_version_and_language_are_near_copies_and_no_others(tmp_path):
    folder = data("cc_legalcode")
    labels = json.loads((folder / "labels.json").read_text("utf-8"))
    unpacked(folder, [label["file"] for label in labels], tmp_path)
    cluster = {label["file"].removesuffix(".gz"): (label["cluster"], label["lang"]) for label in labels}
    report = scan(tmp_path, unit="page", threshold=0.7)
    found = {tuple(sorted(p)) for g in report.groups for p in itertools.combinations([o.page for o in g.occurrences], 2)}
    found |= pairs_of_pages(report)
    every = list(itertools.combinations(sorted(cluster), 2))
    gold = {(a, b) for a, b in every if cluster[a] == cluster[b]}
    unclear = {(a, b) for a, b in every if cluster[a][1] == cluster[b][1]} - gold
    assert not found - gold - unclear
    assert len(gold & found) >= 0.99 * len(gold)
    for lang in {lang for _, lang in cluster.values()}:
        mine = {pair for pair in gold if cluster[pair[0]][1] == lang}
        assert len(mine & found) >= 0.99 * len(mine), lang


@pytest.mark.parametrize("exhaustive", [False, True])
@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_sections_of_law_at_the_threshold_are_found(threshold, exhaustive):
    """Pairs that one tokeniser sees at the threshold and another does not are left out."""
    folder = data("legal_sections")
    records = [json.loads(line) for line in gzip.decompress((folder / "sections.jsonl.gz").read_bytes()).splitlines()]
    with (folder / "jaccard_word3.tsv").open(encoding="utf-8", newline="") as file:
        table = {(r["a"], r["b"]): float(r["jaccard"]) for r in csv.DictReader(file, delimiter="\t")}
    texts = {record["id"]: record["text"] for record in records}

    def plain(a: str, b: str) -> float:
        x, y = ({tuple(w[i:i + 3]) for i in range(max(1, len(w) - 2))} for w in (
            re.findall(r"\w+(?:['’.]\w+)*", texts[name].casefold()) for name in (a, b)))
        return len(x & y) / len(x | y)
    gold = {(min(pair), max(pair)) for pair, j in table.items() if j >= threshold and plain(*pair) >= threshold}
    allowed = {(min(pair), max(pair)) for pair, j in table.items() if j >= threshold or plain(*pair) >= threshold}
    found = pairs_of_pages(scan(records, unit="page", threshold=threshold, shingle_size=3, exhaustive=exhaustive))
    assert not found - allowed
    assert len(gold & found) >= (1.0 if exhaustive else 0.995) * len(gold), sorted(gold - found)
    assert len(gold) > 20
