"""What names a passage by its words, wherever it stands: in SARIF, and in the list that the viewer lets people download."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dedup.report.gather import matched_text

if TYPE_CHECKING:
    from dedup.model import Group


def fingerprint(group: Group) -> str:
    """16 hexadecimal digits that moved lines, renamed files, case and punctuation do not change."""
    from dedup.verify import normalised

    words = normalised(matched_text(group.occurrences[group.representative]), 0)
    return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


__all__ = ["fingerprint"]
