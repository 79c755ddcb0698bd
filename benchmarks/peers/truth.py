"""The exact truth: all pairs of documents whose sets of word 5-grams have a Jaccard similarity of at least 0.8.

``python -m benchmarks.peers.truth FILE.jsonl`` makes it and keeps it beside the file. It shares no code with dedup and leaves
nothing to chance but the collision of two hashes of 64 bits (one in 40,000 runs on 200 MB). Words are ``\\w+`` of the
lower-cased text; a document of fewer than five has no pairs.

Two sets with J >= t share an element among the first ``n - ceil(t n) + 1`` of each, whatever the one order (Chaudhuri et al.,
"A primitive operator for similarity joins in data cleaning", 2006). In the order from rare to frequent these elements stand
in few documents, so there are few candidates; each is counted in full.
"""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path

import numpy as np

SIZE, THRESHOLD = 5, 0.8
_words = re.compile(r"\w+").findall


def pairs(file: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The ids of a file of JSON lines, and its alike pairs; made once and kept beside the file.

    Returns:
        Ids; pairs of their numbers, the lower one first, shape ``(pairs, 2)``, dtype ``int64``, ascending; their Jaccard
        similarity, dtype ``float64``.
    """
    kept = file.with_name(file.name + f".pairs-{SIZE}-{THRESHOLD}.npz")
    if not kept.exists():
        ids, sets = read(file)
        found, alike = join(sets, THRESHOLD)
        part = kept.with_name("part-" + kept.name)
        np.savez(part, ids=ids, pairs=found, jaccard=alike)
        part.rename(kept)
    stored = np.load(kept)
    return stored["ids"].tolist(), stored["pairs"], stored["jaccard"]


def read(file: Path) -> tuple[list[str], list[np.ndarray]]:
    """Ids of the records of a file, and the sets of their word 5-grams."""
    ids, sets, numbers = [], [], {}
    with file.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            ids.append(record["id"])
            sets.append(grams(record["text"], numbers))
    return ids, sets


def grams(text: str, numbers: dict[str, int]) -> np.ndarray:
    """The set of a text's word 5-grams as hashes of 64 bits, ascending; `numbers` grows by its new words."""
    words = np.array([numbers.setdefault(word, len(numbers)) for word in _words(text.lower())], np.uint64)
    hashes = np.zeros(max(len(words) - SIZE + 1, 0), np.uint64)
    for i in range(SIZE):
        hashes = (hashes + words[i:i + len(hashes)] + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    hashes.sort()
    return hashes[np.append(True, hashes[1:] != hashes[:-1])] if len(hashes) else hashes


def join(sets: list[np.ndarray], threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of sets with a Jaccard similarity of at least `threshold`, and that similarity.

    Args:
        sets: Of ``uint64``, each ascending and without repeats.

    Returns:
        Pairs of the sets' numbers, shape ``(pairs, 2)``, ascending, and ``float64`` similarities. Empty sets are in no pair.
    """
    element, owner = _prefixes(sets, threshold)
    found: set[int] = set()
    borders = np.flatnonzero(np.append(True, element[1:] != element[:-1])) if len(element) else []
    for bucket in np.split(owner, borders[1:]):
        if len(bucket) > 1:
            a, b = np.triu_indices(len(bucket), 1)
            found.update((bucket[a] * len(sets) + bucket[b]).tolist())
    kept, alike = [], []
    for a, b in (divmod(key, len(sets)) for key in sorted(found)):
        similarity = jaccard(sets[a], sets[b])
        if similarity >= threshold:
            kept.append((a, b))
            alike.append(similarity)
    return np.array(kept, np.int64).reshape(-1, 2), np.array(alike, np.float64)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Of two ascending arrays without repeats, one of them not empty."""
    small, large = sorted((a, b), key=len)
    if not len(small):
        return 0.0
    place = np.minimum(np.searchsorted(large, small), len(large) - 1)
    shared = int(np.count_nonzero(large[place] == small))
    return shared / (len(a) + len(b) - shared)


def _prefixes(sets: list[np.ndarray], threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Elements that stand in the prefixes of two sets and more, ascending, and whose they are, ascending in each."""
    if not sets:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    everything = np.sort(np.concatenate(sets))
    first = np.flatnonzero(np.append(True, everything[1:] != everything[:-1])) if len(everything) else np.empty(0, np.int64)
    copies = np.diff(first, append=len(everything))
    repeated, copies = everything[first][copies > 1], copies[copies > 1]
    elements, owners = [], []
    for number, one in enumerate(sets):
        length = len(one) - math.ceil(threshold * len(one) - 1e-9) + 1  # of the prefix
        place = np.searchsorted(repeated, one)
        known = np.flatnonzero(repeated[np.minimum(place, len(repeated) - 1)] == one) if len(repeated) else place[:0]
        room = length - (len(one) - len(known))  # elements of no other set are the rarest
        if len(one) and room > 0:
            rare = np.lexsort((one[known], copies[place[known]]))[:room]
            elements.append(one[known][rare])
            owners.append(np.full(len(rare), number))
    if not elements:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    element, owner = np.concatenate(elements), np.concatenate(owners)
    order = np.argsort(element, kind="stable")
    return element[order], owner[order]


if __name__ == "__main__":
    _, made, _ = pairs(Path(sys.argv[1]))
    print(f"{len(made)} pairs")
