"""What a cleaning did: figures that add up."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dedup.cleaning.manifest import Removed
from dedup.corpus import Corpus
from dedup.model import ReadError


@dataclass(frozen=True, slots=True)
class Accounting:
    """``read = kept + cut + dropped + skipped``, always.

    Attributes:
        read: Pages, records and files read.
        kept: Pages that are as they were.
        cut: Pages of which something went.
        dropped: Pages that went as wholes.
        skipped: What was read and is no page, by reason; it is written as it is where it could be read, but for manifests of
            earlier cleanings.
        chars: Characters of all pages.
        removed_chars: Characters that went.
        by_verdict: Characters that went, by verdict.
    """

    read: int
    kept: int
    cut: int
    dropped: int
    skipped: dict[str, int]
    chars: int
    removed_chars: int
    by_verdict: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, corpus: Corpus, removals: Iterable[Removed], dropped: Collection[int], skipped: dict[str, int]) -> Accounting:
        """The figures of some removals.

        Args:
            dropped: Numbers of the pages that went as wholes.
        """
        gone = {corpus.pages[page].id for page in dropped}
        cut: set[str] = set()
        sizes: dict[str, int] = {}
        for removal in removals:
            size = removal.place.end - removal.place.start - sum(end - start for start, end, _ in removal.left)
            sizes[removal.verdict] = sizes.get(removal.verdict, 0) + size
            if size and removal.place.page not in gone:
                cut.add(removal.place.page)
        count = len(corpus.pages)
        return cls(count + sum(skipped.values()), count - len(cut) - len(gone), len(cut), len(gone), skipped,
                   int(corpus.page_chars[-1]), sum(sizes.values()), sizes)

    @property
    def is_balanced(self) -> bool:
        """Whether the figures add up."""
        return self.read == self.kept + self.cut + self.dropped + sum(self.skipped.values())

    @property
    def removed_share(self) -> float:
        """Share of the characters that went."""
        return self.removed_chars / max(self.chars, 1)

    def __str__(self) -> str:
        reasons = f" ({', '.join(f'{count} {reason}' for reason, count in self.skipped.items())})" if self.skipped else ""
        return (f"read {self.read:,} = kept {self.kept:,} + cut {self.cut:,} + dropped {self.dropped:,} + "
                f"skipped {sum(self.skipped.values()):,}{reasons}")

    def recorded(self) -> dict[str, Any]:
        """As the manifest records it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleaning did.

    Attributes:
        accounting: Figures.
        removals: What went.
        manifest: Where it is written, ``None`` for a dry run, pages in memory, and where no page could be read.
        errors: What could not be read.
        pages: The cleaned pages, where they were given in memory (of a table a table); else empty.
        not_cut: Files of formats that are read but of which nothing is cut (MDX, reStructuredText, AsciiDoc, notebooks): they
            stay as they are, or go as wholes.
    """

    accounting: Accounting
    removals: tuple[Removed, ...]
    manifest: Path | None
    errors: tuple[ReadError, ...] = ()
    pages: Any = ()
    not_cut: int = 0
