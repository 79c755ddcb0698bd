"""Random collections, settings, portions and parts: always the bytes of one machine. More of it: ``DEDUP_SEEDS=1000``."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup import scan
from dedup.distributed import portions, splits
from dedup.distributed import scan as scanning
from dedup.distributed.on_spark import report_of_places
from dedup.engines.cluster import InProcess
from dedup.errors import DedupError
from dedup.options import make_options
from tests.contracts.test_same_bytes import rendered

WORDS = [*(f"w{n}" for n in range(300)), "the", "of", "and", "to", "in", "Über", "naïve", "12", "2024", "日本", "語", "don't"]
CHOICES: dict[str, list[Any]] = {
    "unit": ["page", "block"], "find": ["exact", "exact", "near"], "threshold": [0.1, 0.5, 0.8, 1.0], "exhaustive": [True],
    "min_tokens": [2, 5, 12, 40], "shingle_size": [1, 3, 9], "fold_digits": [True], "scope": ["across"], "meta": [("paper",)],
    "between": ["paper", "host"], "id_field": ["paper"], "max_page_bytes": [1000], "pairs": [True], "fold_parts": [True]}


def paragraph(r: random.Random, known: list[list[str]]) -> str:
    """New words, or known ones with an edit or none."""
    if known and r.random() < 0.45:
        words = list(r.choice(known))
        if r.random() < 0.5:
            words[r.randrange(len(words))] = r.choice(WORDS)
        return " ".join(words).upper() if r.random() < 0.1 else " ".join(words)
    known.append([r.choice(WORDS) for _ in range(r.choice([1, 5, 8, 9, 30, 90]))])
    return " ".join(known[-1])


def collect(r: random.Random, where: Path) -> None:
    """Files of some formats whose pages share paragraphs; some records are broken or lack something."""
    known: list[list[str]] = []
    where.mkdir()
    for number in range(r.randrange(1, 7)):
        rows = []
        for n in range(r.randrange(1, 50)):
            text = "\n\n".join(paragraph(r, known) for _ in range(r.randrange(7)))
            rows.append({"id": r.choice([f"{number}-{n}", str(r.randrange(9)), None]),
                         "text": None if r.random() < 0.03 else text,
                         "url": f"http://host{r.randrange(3)}.org/{n}", "paper": r.choice(["north", "south", None])})
        form = r.choice(["jsonl", "jsonl", "parquet", "txt"])
        if form == "jsonl":
            lines = ["{broken" if r.random() < 0.05 else json.dumps(row, ensure_ascii=r.random() < 0.5) for row in rows]
            (where / f"{number}.jsonl").write_text(r.choice(["\n", "\r\n"]).join(lines), encoding="utf-8")
        elif form == "parquet":
            schema = pa.schema([(name, pa.string()) for name in ("id", "text", "url", "paper")])
            table = pa.Table.from_pylist(rows, schema)
            pq.write_table(table, where / f"{number}.parquet", row_group_size=r.choice([1, 7, 50]))
        else:
            (where / f"{number}.txt").write_text(rows[0]["text"] or "> quoted", encoding="utf-8")


def outcome(made: Any) -> str:
    """A report as it is written, or the error."""
    try:
        return rendered(made())
    except DedupError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(int(os.environ.get("DEDUP_SEEDS", "8"))))
def test_a_random_collection_gives_the_bytes_of_one_machine(seed: int, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    r = random.Random(seed)
    monkeypatch.setenv("SPARK_LOCAL_DIRS", str(tmp_path))
    size = r.choice([300, 3000, 30_000])
    for module in (splits, portions):
        monkeypatch.setattr(module, "SPLIT_BYTES", size)
    for name, sizes in (("PART_BYTES", [100, 5000, 1 << 25]), ("KEYED_BYTES", [100, 5000]), ("MOST_TEXT", [0, 1 << 32]),
                        ("MOST_READ", [0, 1 << 34]), ("KEY_BYTES", [100, 5000])):
        monkeypatch.setattr(scanning, name, r.choice(sizes))
    asked = {name: r.choice(values) for name, values in CHOICES.items() if r.random() < 0.35}
    for side in ("one", "other"):
        collect(r, tmp_path / side)
    against = [tmp_path / "other"] if r.random() < 0.3 else []
    options = make_options({**asked, "partitions": r.choice([None, 1, 7])}, "scan")
    ours = outcome(lambda: report_of_places(InProcess(), [*[[place] for place in against], [tmp_path / "one"]], options))
    known = {"against": against[0]} if against else {}
    assert ours == outcome(lambda: scan(tmp_path / "one", **known, **asked)), asked
    assert not list(tmp_path.glob("dedup-*"))
