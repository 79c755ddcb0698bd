"""Near-duplicate documents on PySpark as its users write the job: ``python -m benchmarks.spark.minhash_job IN OUT MASTER``.

In the manner of BigCode's and text-dedup's ``minhash_spark.py``: word 5-grams, permutations by NumPy in a ``flatMap``, the
bands that datasketch's formula of false positives and negatives gives, ``groupByKey`` on band and hash, a star of edges for
each bucket, no verification. Where theirs can be had cheaper, this one is: xxHash for SHA-1, no repartition of the texts,
``groupByKey`` for ``groupBy``, arrays that NumPy broadcasts and does not tile, ids carried along (so nothing is joined at the
end), union-find on the driver in place of rounds of large and small stars, 128 permutations for 256.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peers import joined

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import SparkSession

HASHES, SIZE, THRESHOLD, SEED = 128, 5, 0.8, 42
SPLIT_BYTES = 16_000_000  # of a file that one task reads: several tasks a core
PRIME, LARGEST = np.uint64((1 << 61) - 1), np.uint64((1 << 32) - 1)
STEPS = 1000  # of the integral over similarities
Bucket = tuple[int, bytes]
_find_words = re.compile(r"\w+").findall


def best_bands(threshold: float, hashes: int, false_positives: float = 0.5, false_negatives: float = 0.5) -> tuple[int, int]:
    """Bands and rows with the least weighted sum of the areas of false positives and negatives, as datasketch chooses them.

    Source: Zhu et al., "LSH Ensemble: Internet-Scale Domain Search", VLDB 2016.

    >>> best_bands(0.8, 128)
    (9, 13)
    """
    step = np.array([threshold, 1 - threshold]) / STEPS
    below, above = (start + step[side] * (np.arange(STEPS) + 0.5) for side, start in enumerate((0.0, threshold)))
    shapes = [(bands, rows) for bands in range(1, hashes + 1) for rows in range(1, hashes // bands + 1)]
    errors = [false_positives * chance(below, *shape).sum() * step[0]
              + false_negatives * (1 - chance(above, *shape)).sum() * step[1] for shape in shapes]
    return shapes[int(np.argmin(errors))]


def chance(jaccard: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """The chance that two sets share a bucket, by their Jaccard similarity."""
    return 1 - (1 - jaccard ** rows) ** bands


def permutations(hashes: int, seed: int = SEED) -> np.ndarray:
    """Factors and summands of the permutations, shape ``(2, hashes, 1)``, dtype ``uint64``."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(1, PRIME, hashes, np.uint64), rng.integers(0, PRIME, hashes, np.uint64)])[:, :, None]


def shingles(text: str) -> set[str]:
    """The word 5-grams of a text; of a shorter one all its words."""
    words = _find_words(text.lower())
    if len(words) < SIZE:
        return {" ".join(words)} if words else set()
    return set(map(" ".join, zip(*(words[i:] for i in range(SIZE)), strict=False)))


def buckets(text: str, factors: np.ndarray, bands: int, rows: int) -> Iterator[Bucket]:
    """The bands of a text's minima, each with its number."""
    from xxhash import xxh32_intdigest

    found = shingles(text)
    if not found:
        return
    hashed = np.fromiter(map(xxh32_intdigest, map(str.encode, found)), np.uint64, len(found))
    permuted = hashed * factors[0]
    permuted += factors[1]
    permuted %= PRIME
    permuted &= LARGEST
    minima = permuted.min(axis=1).astype(">u4")
    for band in range(bands):
        yield band, minima[band * rows:(band + 1) * rows].tobytes()


def star(names: Iterable[str]) -> list[tuple[str, str]]:
    """Edges from the least to each other member of a bucket."""
    ordered = sorted(set(names))
    return [(ordered[0], other) for other in ordered[1:]]


def edges_of(documents: RDD[Any], bands: int, rows: int, hashes: int) -> RDD[tuple[str, str]]:
    """Edges between documents, rows of id and text, that share a bucket."""
    factors = documents.context.broadcast(permutations(hashes))

    def placed(row: Any) -> Iterator[tuple[Bucket, str]]:
        return ((bucket, row[0]) for bucket in buckets(row[1], factors.value, bands, rows))
    return documents.flatMap(placed).groupByKey().flatMap(lambda bucket: star(bucket[1])).distinct()


def near_duplicates(spark: SparkSession, file: Path, threshold: float = THRESHOLD, hashes: int = HASHES) -> list[list[str]]:
    """Groups of ids of a file of JSON lines."""
    bands, rows = best_bands(threshold, hashes)
    documents = spark.read.schema("id string, text string").json(str(file)).rdd
    edges = edges_of(documents, bands, rows, hashes).collect()
    names = sorted({name for edge in edges for name in edge})
    number = {name: i for i, name in enumerate(names)}
    found = joined.groups(len(names), ((number[a], number[b]) for a, b in edges))
    return [[names[i] for i in group] for group in found]


def main(arguments: list[str] | None = None) -> None:
    """Read a file, write a JSON list of ids a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark.minhash_job", description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("master")
    parser.add_argument("--hashes", type=int, default=HASHES, help="permutations; default 128")
    asked = parser.parse_args(arguments)
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = (SparkSession.builder.master(asked.master).appName("MinHash by hand").config("spark.ui.enabled", "false")
             .config("spark.ui.showConsoleProgress", "false").config("spark.driver.maxResultSize", "0")
             .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
             .config("spark.sql.files.maxPartitionBytes", SPLIT_BYTES).getOrCreate())
    try:
        groups = near_duplicates(spark, asked.file, hashes=asked.hashes)
    finally:
        spark.stop()
    asked.out.write_text("".join(json.dumps(group) + "\n" for group in groups), encoding="utf-8")


if __name__ == "__main__":
    main()
