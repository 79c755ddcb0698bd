"""gaoya: an index of strings, filled and queried in bulk on all cores; it estimates the Jaccard of what it gives back."""

from __future__ import annotations

from gaoya.minhash import MinHashStringIndex

from benchmarks.peers.joined import Links
from benchmarks.peers.recipe import BANDS, HASHES, ROWS, SIZE, THRESHOLD, run


def links(texts: list[str]) -> Links:
    index = MinHashStringIndex(hash_size=32, jaccard_threshold=THRESHOLD, num_bands=BANDS, band_size=ROWS, num_hashes=HASHES,
                               analyzer="word", lowercase=True, ngram_range=(SIZE, SIZE), id_container="smallvec")
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    return ((a, b) for a, found in enumerate(index.par_bulk_query(texts)) for b in found if b < a)


if __name__ == "__main__":
    run(links)
