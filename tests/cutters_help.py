"""What the tests of the cutters share: texts to be cut, named by what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dedup.cleaning.pieces import Cuts, Gone, without


def gone_of(text: str, *parts: str) -> list[Gone]:
    """The first place of each part, each a removal of its own."""
    return [Gone(text.index(part), text.index(part) + len(part), i) for i, part in enumerate(parts)]


def cut(cutter: Callable[[str, Sequence[Gone]], Cuts], read: Callable[[str], str], source: str, *parts: str) -> str:
    """The source without parts of its text, all of which can go."""
    cuts = cutter(source, gone_of(read(source), *parts))
    assert not cuts.left, cuts.left
    return without(source, cuts.cuts)


def left(
    cutter: Callable[[str, Sequence[Gone]], Cuts], read: Callable[[str], str], source: str, *parts: str
) -> set[str]:
    """Why parts of a text cannot go; nothing else goes."""
    cuts = cutter(source, gone_of(read(source), *parts))
    assert not cuts.cuts, without(source, cuts.cuts)
    return {stretch.reason for stretch in cuts.left}
