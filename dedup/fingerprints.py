"""Fingerprints of what a group says, whatever its lines, files and order: a sample of the hashes of its runs of words.

Of all hashes those are kept that are divisible by a power of two, as many as there is room for (FracMinHash; Irber et al.,
"Lightweight compositional analysis of metagenomes with FracMinHash and minimum metagenome covers", 2022). Two samples are
compared at the sparser one's power, and how much of one text is in the other follows from how much of its sample is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dedup.shingles import Shingler

GRAM_TOKENS = 3
ROOM = 16  # hashes of a sample, at most
BITS = 32  # of a hash that are kept
LEAST = 2  # hashes that are left of a sample, at least, to say that it is in a sparser one: a phrase may hold one


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A sample of the runs of words of some texts.

    Attributes:
        hashes: Those kept, of 32 bits.
        scale: They are the ones divisible by ``2 ** scale``.
    """

    hashes: frozenset[int]
    scale: int

    @classmethod
    def of(cls, texts: Iterable[str], room: int = ROOM) -> Fingerprint:
        """That of all that some texts say.

        >>> Fingerprint.of(["One two three."]) == Fingerprint.of(["ONE  two, three"])
        True
        """
        shingles = Shingler(size=GRAM_TOKENS).sets(list(dict.fromkeys(texts)))
        hashes, scale = {int(value) % (1 << BITS) for value in shingles.values}, 0
        while len(hashes) > room:
            scale += 1
            hashes = {value for value in hashes if value % (1 << scale) == 0}
        return cls(frozenset(hashes), scale)

    @classmethod
    def read(cls, text: str) -> Fingerprint:
        """From ``str(fingerprint)``.

        Raises:
            ValueError: It is none.
        """
        found = re.fullmatch(r"(\d{1,2}):((?:[0-9a-f]{8})*)", text)
        if found is None or int(found[1]) > BITS:
            raise ValueError(f"{text!r} is no fingerprint")
        return cls(frozenset(int(found[2][at:at + 8], 16) for at in range(0, len(found[2]), 8)), int(found[1]))

    def __str__(self) -> str:
        return f"{self.scale}:{''.join(f'{value:08x}' for value in sorted(self.hashes))}"

    def at(self, scale: int) -> Collection[int]:
        """What would have been kept at a scale that is no finer."""
        return self.hashes if scale == self.scale else {value for value in self.hashes if value % (1 << scale) == 0}

    def inside(self, other: Fingerprint) -> float:
        """About how much of it is in another one, 0.0 to 1.0; nothing where the samples cannot say."""
        scale = max(self.scale, other.scale)
        own = self.at(scale)
        if len(own) < max(min(LEAST, len(self.hashes)), 1):
            return 0.0
        return len(set(own) & set(other.at(scale))) / len(own)
