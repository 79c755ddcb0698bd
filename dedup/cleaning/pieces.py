"""What a cutter gives back: the source, cut into pieces that stay and pieces that go.

Every cleaner of a plain file yields pieces whose bytes, one after the other, are its source. So nothing can be lost:
what goes is written to the manifest with its place in the output, and restoring is putting it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

STAYS = -1


class Gone(NamedTuple):
    """A stretch of a page's text that is to go.

    Attributes:
        start, end: Half-open code points of ``Page.text``.
        removal: Number of the removal it belongs to, from 0; several stretches may belong to one.
    """

    start: int
    end: int
    removal: int


class Cut(NamedTuple):
    """A stretch of a source that goes.

    Attributes:
        start, end: Half-open code points of the decoded source (no BOM, CR LF as two).
        removal: As in ``Gone``. What goes only because of another cut (the blank line behind a paragraph) belongs to
            that one's removal.
    """

    start: int
    end: int
    removal: int


class Left(NamedTuple):
    """A stretch that was to go and stays, because cutting it would damage what is around it.

    Attributes:
        start, end: Half-open code points of ``Page.text``.
        removal: As in ``Gone``.
        reason: Why, in a few words: "it would tear a table row".
    """

    start: int
    end: int
    removal: int
    reason: str


class Cuts(Struct, frozen=True):
    """What a cutter made of the stretches of one page: cuts, ascending and apart, and what stays after all."""

    cuts: tuple[Cut, ...]
    left: tuple[Left, ...] = ()


class Piece(NamedTuple):
    """Some bytes of a source.

    Attributes:
        data: The bytes; those of all pieces of a file, one after the other, are the file (decompressed).
        removal: ``STAYS``, or the number of the removal that it goes with.
    """

    data: bytes
    removal: int


def without(source: str, cuts: Iterable[Cut]) -> str:
    """The source without its cuts.

    >>> without("one two three", [Cut(3, 7, 0)])
    'one three'
    """
    kept, at = [], 0
    for cut in cuts:
        kept.append(source[at:cut.start])
        at = cut.end
    return "".join([*kept, source[at:]])


def pieces_of(source: str, cuts: Sequence[Cut], encoding: str = "utf-8", errors: str = "surrogatepass") -> Iterator[Piece]:
    """The source's bytes as pieces."""
    at = 0
    for cut in cuts:
        if at < cut.start:
            yield Piece(source[at:cut.start].encode(encoding, errors), STAYS)
        yield Piece(source[cut.start:cut.end].encode(encoding, errors), cut.removal)
        at = cut.end
    if at < len(source):
        yield Piece(source[at:].encode(encoding, errors), STAYS)
