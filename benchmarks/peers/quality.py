"""How good groups of documents are, measured against the exact pairs.

* recall: share of the exact pairs that end in one group;
* precision: share of the grouped documents that have a document of their own group at or above the threshold;
* pair precision: share of the pairs put in one group that the exact groups (all that exact pairs join) put in one group, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from benchmarks.peers.joined import groups as joined


class Quality(NamedTuple):
    """Shares, 0.0 to 1.0; ``None`` where nothing could be right or wrong."""

    recall: float | None
    precision: float | None
    pair_precision: float | None
    exact_pairs: int
    grouped: int
    groups: int


def measure(found: Iterable[list[str]], ids: list[str], exact: np.ndarray) -> Quality:
    """Quality of the groups `found` (of ids; a document may be in several) against the exact pairs of documents.

    Args:
        exact: Pairs of numbers of `ids`, shape ``(pairs, 2)``.

    Raises:
        ValueError: A group names an id that is not there.
    """
    number = {name: i for i, name in enumerate(ids)}
    unknown = [name for group in found for name in group if name not in number][:3]
    if unknown:
        raise ValueError(f"no document is named {', '.join(map(repr, unknown))}")
    groups = [sorted({number[name] for name in group}) for group in found]
    groups = [group for group in groups if len(group) > 1]
    pairs = {(a, b) for a, b in exact.tolist()}
    member: dict[int, set[int]] = {}
    for i, group in enumerate(groups):
        for one in group:
            member.setdefault(one, set()).add(i)
    together = [bool(member.get(a, set()) & member.get(b, set())) for a, b in pairs]
    right = {one for (a, b), found_both in zip(pairs, together, strict=True) if found_both for one in (a, b)}
    good, made = _pairs_together(groups, joined(len(ids), pairs))
    return Quality(_share(sum(together), len(pairs)), _share(len(right), len(member)), _share(good, made),
                   len(pairs), len(member), len(groups))


def _pairs_together(groups: list[list[int]], exact: list[list[int]]) -> tuple[int, int]:
    """Pairs of members of one group, counted once for each group, that are in one exact group; and all of them."""
    of = {one: i for i, group in enumerate(exact) for one in group}
    good = made = 0
    for group in groups:
        counts: dict[int, int] = {}
        for one in group:
            if one in of:
                counts[of[one]] = counts.get(of[one], 0) + 1
        good += sum(count * (count - 1) // 2 for count in counts.values())
        made += len(group) * (len(group) - 1) // 2
    return good, made


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
