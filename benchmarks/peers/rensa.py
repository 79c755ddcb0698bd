"""rensa: full R-MinHash in one call (not rho, which samples tokens), its LSH index; each candidate's Jaccard is estimated."""

from __future__ import annotations

from rensa import RMinHash, RMinHashLSH

from benchmarks.peers.joined import Links
from benchmarks.peers.recipe import BANDS, HASHES, SEED, THRESHOLD, run, shingles


def links(texts: list[str]) -> Links:
    sketches = RMinHash.from_token_sets(map(list, map(shingles, texts)), num_perm=HASHES, seed=SEED)
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=HASHES, num_bands=BANDS)
    index.insert_many(sketches)
    for a, found in enumerate(index.query_all(sketches)):
        for b in found:
            if b < a and sketches[a].jaccard(sketches[b]) >= THRESHOLD:
                yield a, b


if __name__ == "__main__":
    run(links)
