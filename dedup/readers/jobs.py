"""What worker processes are given and what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from dedup.cleaning.pieces import Cuts, Gone
    from dedup.model import Layout
    from dedup.readers.leave_out import Ignored


class Job(Struct, frozen=True):
    """A page to be parsed: its format (of ``formats.MARKUP``), bytes, and the encoding its surroundings name.

    ``declared="str"``: `data` is text, encoded as UTF-8 with surrogates let through. With `gone`, the page's cuts are
    asked for (then its format may be "text", too): what is to go, in code points of its text.
    """

    form: str
    data: bytes
    declared: str = ""
    gone: tuple[Gone, ...] | None = None


class Answer(Struct, frozen=True):
    """A parsed page, or why there is none.

    Attributes:
        encoding: How the encoding was guessed, else empty.
        refused: Why the page is skipped, else empty.
        ignored: What its ``dedup:ignore`` comments leave out.
        cuts: Where they were asked for: in bytes of the job's data; of text (``declared="str"``) in code points.
    """

    text: str = ""
    title: str | None = None
    layout: Layout | None = None
    encoding: str = ""
    refused: str = ""
    cuts: Cuts | None = None
    ignored: tuple[Ignored, ...] = ()
