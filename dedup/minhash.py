"""Stage 4: sketches of shingle sets: fixed-size summaries whose equal registers estimate the Jaccard similarity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.errors import SketchMismatchError, check_whole
from dedup.kernel import kernel
from dedup.shingles import Sets, Shingler

U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Sketch:
    """Sketches of sets, and the recipe that made them.

    Attributes:
        minima: Registers, shape ``(sets, num_hashes)``, dtype ``uint64``: round times 2^32 plus value. Those of an
            empty set are all ones and equal nobody's.
        seed: Seed of the hash functions.
        scheme: Name of the scheme; unlike schemes do not compare.
        shingler: What made the sets, where that is known; sketches of unlike shingles do not compare.
    """

    minima: U64
    seed: int
    scheme: str = "fss64"
    shingler: Shingler | None = None

    @property
    def num_hashes(self) -> int:
        """Registers of one sketch."""
        return int(self.minima.shape[1])

    def _check(self, other: Sketch) -> None:
        mine, theirs = ((s.scheme, s.num_hashes, s.seed) for s in (self, other))
        if mine != theirs:
            raise SketchMismatchError(f"sketches made by {mine} and {theirs} (scheme, num_hashes, seed) do not compare",
                                      "", "Make both with one MinHasher.")
        if None not in (self.shingler, other.shingler) and self.shingler != other.shingler:
            raise SketchMismatchError(f"sketches of sets made by {self.shingler} and {other.shingler} do not compare",
                                      "", "Make the sets of both with one Shingler.")

    def merge(self, other: Sketch) -> Sketch:
        """Sketches of the unions, set by set: the lesser of each two registers.

        Raises:
            SketchMismatchError: The recipes differ.
        """
        self._check(other)
        return Sketch(np.minimum(self.minima, other.minima), self.seed, self.scheme, self.shingler or other.shingler)

    def jaccard(self, i: int, other: Sketch, j: int) -> float:
        """Estimate of the Jaccard similarity of set i and the other's set j, 0.0 to 1.0.

        The standard error is at most ``0.5 / sqrt(num_hashes)``: 0.044 for 128, less for small sets.

        Raises:
            SketchMismatchError: The recipes differ.
        """
        self._check(other)
        a, b = self.minima[i], other.minima[j]
        return float(np.mean((a == b) & (a != np.uint64(2**64 - 1))))


@dataclass(frozen=True, slots=True)
class MinHasher:
    """Makes sketches by Fast Similarity Sketching: O(n + k log k) a set for any k, unbiased, mergeable.

    Args:
        num_hashes: Registers of a sketch, 1 to 1,048,576.
        seed: Seed of the hash functions, 0 to 2^63 - 1.

    Raises:
        OptionError: A setting is out of its range.

    Source: Dahlgaard, Knudsen, Thorup, "Fast similarity sketching", FOCS 2017 (arXiv 1704.04370).

    >>> from dedup import Shingler
    >>> words = "one two three four five six seven eight nine ten".split()
    >>> sets = Shingler(size=1).sets([" ".join(words), " ".join(words[:5])])
    >>> sketch = MinHasher(num_hashes=1024).sketch(sets)
    >>> abs(sketch.jaccard(0, sketch, 1) - 0.5) < 0.06
    True
    """

    num_hashes: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole(self.num_hashes, "num_hashes", 1, 2**20)
        check_whole(self.seed, "seed", 0, 2**63 - 1, "0 to 2^63 - 1")

    def sketch(self, sets: Sets) -> Sketch:
        """The sketches of the sets."""
        registers = kernel.fss_sketches(sets.values, sets.first, self.num_hashes, self.seed)
        return Sketch(registers.reshape(len(sets), self.num_hashes), self.seed, shingler=sets.shingler)
