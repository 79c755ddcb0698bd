"""How fast records are cleaned: ``python -m benchmarks.records [--size 100MB] [--share 0.05]``.

Of a share of the records 50 characters go, of a fifth of these the record. The corpus is that of the scans, in each format.
MB are 10^6 bytes of the file (of a table: of its texts) a second of CPU; the best of three.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.__main__ import corpus
from benchmarks.corpus import parse_size
from dedup.cleaning.pieces import Gone
from dedup.cleaning.records import Drop, Edits, clean_records
from dedup.cleaning.tables import clean_table, restore_table
from dedup.options import Options

GONE = 50  # characters
REPEATS = 3


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.records", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=parse_size, default=parse_size("100MB"), help="bytes of the corpus as JSON lines")
    parser.add_argument("--share", type=float, default=0.05, help="share of the records of which something goes")
    asked = parser.parse_args(arguments)
    source = corpus(asked.size, 0).read_bytes()
    rows = [json.loads(line) for line in source.splitlines()]
    print(f"{'format':<24}{'MB/s':>8}")
    for name, figure in figures(source, rows, asked.share):
        print(f"{name:<24}{figure:>8.0f}", flush=True)


def figures(source: bytes, rows: list[dict[str, Any]], share: float) -> Iterator[tuple[str, float]]:
    """MB a second of CPU, format by format."""
    elements = list(range(1, len(rows) + 1))
    yield "jsonl, last line only", cleaned(source, "jsonl", {len(rows): Drop(0)})
    yield "jsonl", cleaned(source, "jsonl", edits_of(rows, elements, share))
    lines, table = csv_of(rows)
    yield "csv", cleaned(table, "csv", edits_of(rows, lines, share))
    yield "json array", cleaned(json.dumps(rows).encode(), "json", edits_of(rows, elements, share))
    edits, packed, size = edits_of(rows, elements, share), parquet_of(rows), sum(len(row["text"]) for row in rows)
    clean, restored = io.BytesIO(), io.BytesIO()
    removed = list(clean_table(io.BytesIO(packed), clean, edits, Options()))
    yield "parquet", size / 1e6 / best(lambda: list(clean_table(io.BytesIO(packed), io.BytesIO(), edits, Options())))
    yield "  restored", size / 1e6 / best(lambda: restore_table(io.BytesIO(clean.getvalue()), restored, removed))


def cleaned(source: bytes, form: str, edits: Edits) -> float:
    """MB a second of CPU that are cleaned."""
    def clean() -> None:
        size = sum(len(piece.data) for piece in clean_records(io.BytesIO(source), form, edits, Options()))
        assert size == len(source)
    return len(source) / 1e6 / best(clean)


def edits_of(rows: list[dict[str, Any]], numbers: list[int], share: float) -> dict[int, Any]:
    """What goes, the same in every run."""
    draw = random.Random(0)
    edits: dict[int, Any] = {}
    for row, number in zip(rows, numbers, strict=True):
        if draw.random() < share:
            start = draw.randrange(max(1, len(row["text"]) - GONE))
            whole = draw.random() < 0.2
            edits[number] = Drop(0) if whole else [Gone(start, min(start + GONE, len(row["text"])), 0)]
    return edits


def csv_of(rows: list[dict[str, Any]]) -> tuple[list[int], bytes]:
    """The line on which each row begins, and the table."""
    out, lines = io.StringIO(), []
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "text"])
    line = 2
    for row in rows:
        lines.append(line)
        writer.writerow([row["id"], row["text"]])
        line += 1 + row["text"].count("\n")
    return lines, out.getvalue().encode()


def parquet_of(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), sink, row_group_size=20_000)
    return sink.getvalue()


def best(run: Callable[[], object]) -> float:
    """Seconds of CPU of the fastest run."""
    seconds = []
    for _ in range(REPEATS):
        began = time.process_time()
        run()
        seconds.append(time.process_time() - began)
    return min(seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
