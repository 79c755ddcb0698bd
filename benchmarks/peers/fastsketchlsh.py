"""FastSketchLSH: sketches in batches, its LSH index; the Jaccard of all candidates is estimated at once."""

from __future__ import annotations

import numpy as np
from FastSketchLSH import LSH, FastSimilaritySketch

from benchmarks.peers.joined import Links
from benchmarks.peers.recipe import BANDS, HASHES, SEED, THRESHOLD, run, shingles

BATCH = 1000  # documents whose shingles are held at one time


def links(texts: list[str]) -> Links:
    sketcher = FastSimilaritySketch(size=HASHES, seed=SEED)
    sketches = np.concatenate([sketcher.batch(list(map(list, map(shingles, texts[i:i + BATCH]))))
                               for i in range(0, len(texts), BATCH)])
    index = LSH(num_perm=HASHES, num_bands=BANDS)
    index.insert(sketches)
    found, first = index.query(sketches, format="csr")
    a, b = np.repeat(np.arange(len(texts)), np.diff(first).astype(np.int64)), np.asarray(found, np.int64)
    a, b = a[b < a], b[b < a]
    alike = (sketches[a] == sketches[b]).mean(axis=1) >= THRESHOLD
    return zip(a[alike].tolist(), b[alike].tolist(), strict=True)


if __name__ == "__main__":
    run(links)
