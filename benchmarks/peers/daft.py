"""daft: reading, normalising and minima by its expressions, bands put together with NumPy.

Its documentation joins all that shares a band and checks no candidate; so does this recipe, which joins in plain Python
what the documentation joins by rounds of star contraction over data frames.
"""

from __future__ import annotations

import sys
from pathlib import Path

import daft
import numpy as np
from daft import col
from daft.functions import minhash, normalize

from benchmarks.peers.joined import Links, groups
from benchmarks.peers.recipe import BANDS, HASHES, ROWS, SEED, SIZE, write


def main() -> None:
    text = normalize(col("text"), remove_punct=True, lowercase=True, white_space=True)
    minima = minhash(text, num_hashes=HASHES, ngram_size=SIZE, seed=SEED, hash_function="xxhash")
    table = daft.read_json(sys.argv[1]).select("id", minima.alias("minima")).to_arrow()
    column = table["minima"].combine_chunks()
    ids = table["id"].to_pylist()
    write(Path(sys.argv[2]), ids, groups(len(ids), links(column.flatten().to_numpy().reshape(-1, HASHES))))


def links(minima: np.ndarray) -> Links:
    """Each document and the next one with the same minima in a band."""
    count = len(minima)
    found = []
    for band in minima.reshape(count, BANDS, ROWS).transpose(1, 2, 0).astype(np.uint64):
        key = np.zeros(count, np.uint64)
        for row in band:
            key = (key ^ row) * np.uint64(0x9E3779B97F4A7C15)
        order = np.argsort(key, kind="stable")
        same = np.flatnonzero(key[order][1:] == key[order][:-1])
        found.append(order[same] * count + order[same + 1])
    return zip(*(part.tolist() for part in divmod(np.unique(np.concatenate(found)), count)), strict=True)


if __name__ == "__main__":
    main()
