"""FastSketchLSH: sketches in batches, its LSH index; the Jaccard of all candidates is estimated at once.

``--hashes``: shingles are not handed over as strings but as hashes made with NumPy, in rows ("CSR"), which its documentation
names for the most throughput; more work for the user.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import numpy as np
from FastSketchLSH import LSH, FastSimilaritySketch

from benchmarks.peers.joined import Links
from benchmarks.peers.recipe import BANDS, HASHES, SEED, SIZE, THRESHOLD, run, shingles, words

BATCH = 1000  # documents whose shingles are held at one time


def links(texts: list[str]) -> Links:
    sketcher = FastSimilaritySketch(size=HASHES, seed=SEED)
    batches = (texts[i:i + BATCH] for i in range(0, len(texts), BATCH))
    if "--hashes" in sys.argv:
        numbers: dict[str, int] = defaultdict(lambda: len(numbers))
        made = [sketcher.batch_csr(*shingle_hashes(batch, numbers), prehashed=True) for batch in batches]
    else:
        made = [sketcher.batch(list(map(list, map(shingles, batch)))) for batch in batches]
    sketches = np.concatenate(made)
    index = LSH(num_perm=HASHES, num_bands=BANDS)
    index.insert(sketches)
    found, first = index.query(sketches, format="csr")
    a, b = np.repeat(np.arange(len(texts)), np.diff(first).astype(np.int64)), np.asarray(found, np.int64)
    a, b = a[b < a], b[b < a]
    alike = (sketches[a] == sketches[b]).mean(axis=1) >= THRESHOLD
    return zip(a[alike].tolist(), b[alike].tolist(), strict=True)


def shingle_hashes(texts: list[str], numbers: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of the word 5-grams of all texts, one text after the other, and where each begins; one longer than the texts."""
    rows = [np.fromiter(map(numbers.__getitem__, words(text)), np.uint64) for text in texts]
    rows = [row if len(row) >= SIZE else np.pad(row, (0, SIZE - len(row))) for row in rows]
    first = np.append(0, np.cumsum([len(row) - SIZE + 1 for row in rows])).astype(np.uint64)
    flat = np.concatenate(rows)
    hashes = np.zeros(len(flat) - SIZE + 1, np.uint64)
    for i in range(SIZE):
        hashes = (hashes + flat[i:i + len(hashes)] + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(31)
    inside = np.ones(len(flat), bool)
    for i in range(1, SIZE):
        inside[np.cumsum([len(row) for row in rows]) - i] = False
    return hashes[inside[:len(hashes)]], first


if __name__ == "__main__":
    run(links)
