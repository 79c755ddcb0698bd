"""Links joined to groups: union-find."""

from __future__ import annotations

from collections.abc import Iterable

Links = Iterable[tuple[int, int]]


def groups(count: int, links: Links) -> list[list[int]]:
    """What the links join: groups of two and more, ascending.

    >>> groups(6, [(4, 1), (5, 4), (2, 2)])
    [[1, 4, 5]]
    """
    first = list(range(count))

    def root(node: int) -> int:
        while first[node] != node:
            first[node] = node = first[first[node]]
        return node

    for a, b in links:
        a, b = root(a), root(b)
        if a != b:
            first[max(a, b)] = min(a, b)
    members: dict[int, list[int]] = {}
    for node in range(count):
        members.setdefault(root(node), []).append(node)
    return [group for group in members.values() if len(group) > 1]
