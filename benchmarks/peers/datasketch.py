"""datasketch 2: sketches in bulk, with a fast hash as its documentation advises; each candidate's Jaccard is estimated."""

from __future__ import annotations

from datasketch import MinHash, MinHashLSH
from xxhash import xxh32_intdigest

from benchmarks.peers.joined import Links
from benchmarks.peers.recipe import BANDS, HASHES, ROWS, SEED, THRESHOLD, run, shingles


def links(texts: list[str]) -> Links:
    sets = (map(str.encode, shingles(text)) for text in texts)
    sketches = MinHash.bulk(sets, num_perm=HASHES, seed=SEED, hashfunc=xxh32_intdigest)
    index = MinHashLSH(num_perm=HASHES, params=(BANDS, ROWS))
    for a, sketch in enumerate(sketches):
        for b in index.query(sketch):
            if sketch.jaccard(sketches[b]) >= THRESHOLD:
                yield a, b
        index.insert(a, sketch, check_duplication=False)


if __name__ == "__main__":
    run(links)
