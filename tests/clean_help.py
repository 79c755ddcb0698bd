"""What the tests of cleaning records share: random edits, and a cleaning whose result is read again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from dedup.cleaning.pieces import STAYS, Gone, Left, Piece
from dedup.cleaning.records import Drop, Edits, clean_records
from dedup.model import Page
from dedup.options import Options
from dedup.readers import open_pages

# Characters that mean something in a notation, of every length in UTF-8 and UTF-16, and halves of characters.
SIGNS = 'ab "\\/,;\t\n\r\x00\x7f\x85é中\u2028😀\U0010ffff'
HALVES = "\ud83d\ude00\udc00"


def texts(signs: str = SIGNS + HALVES, most: int = 12) -> st.SearchStrategy[str]:
    """Short texts of awkward characters."""
    return st.text(st.sampled_from(signs), max_size=most)


@st.composite
def gone_of(draw: st.DrawFn, text: str) -> list[Gone]:
    """Stretches of a text, ascending and apart; some share a removal."""
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    removal = st.integers(0, 3)
    return [Gone(a, b, draw(removal)) for a, b in zip(places[::2], places[1::2], strict=False)]


@st.composite
def edits_of(draw: st.DrawFn, pages: Sequence[Page]) -> dict[int, Any]:
    """What goes of some pages."""
    edits: dict[int, Any] = {}
    for page in pages:
        kind = draw(st.sampled_from(["nothing", "drop", "cut", "cut"]))
        if kind == "drop":
            edits[page.number] = Drop(draw(st.integers(0, 3)))
        elif kind == "cut":
            edits[page.number] = draw(gone_of(page.text))
    return edits


def pages_of(source: bytes, form: str, **settings: Any) -> list[Page]:
    """The pages of a file of records."""
    head = {"json": "jsonl"}.get(form, form)  # an array is told by its content
    stream = io.BytesIO(source)
    if form == "json":
        return list(_array_pages(stream, **settings))
    return list(open_pages(stream, input_format=head, **settings))


def has_open_quotes(source: bytes) -> bool:
    """Whether a table has rows that cannot be read: after a cut, a quote that stands open there may close elsewhere."""
    stream = open_pages(io.BytesIO(source), input_format="csv")
    list(stream)
    return any("not valid CSV" in error.message or "quote opens" in error.message for error in stream.errors)


def _array_pages(stream: Any, **settings: Any) -> list[Page]:
    """The pages of a JSON array; only a file's suffix says that it is one."""
    from dedup.readers.decode import Utf8Stream, wide_codec
    from dedup.readers.jsonl import read_array
    from dedup.readers.notes import Notes
    from dedup.readers.reading import Reading
    from dedup.readers.stream import _standard_input

    codec = wide_codec(stream.getvalue()[:4])
    content: Any = io.BufferedReader(Utf8Stream(stream, codec, lambda _: None)) if codec else stream
    return list(read_array(content, Reading(_standard_input(), Options(**settings), Notes())))  # type: ignore[arg-type]


def clean(source: bytes, form: str, edits: Edits, **settings: Any) -> tuple[bytes, list[Piece], dict[int, list[Left]]]:
    """The cleaned file, its pieces, and what was left."""
    left: dict[int, list[Left]] = {}
    pieces = list(clean_records(io.BytesIO(source), form, edits, Options(**settings),
                                leave=lambda number, entry: left.setdefault(number, []).append(entry)))
    return b"".join(piece.data for piece in pieces if piece.removal == STAYS), pieces, left


def expected_texts(pages: Sequence[Page], edits: Edits, left: dict[int, list[Left]]) -> list[str]:
    """The texts that a cleaned file has to have."""
    out = []
    for page in pages:
        edit = edits.get(page.number, [])
        stays = {entry.removal for entry in left.get(page.number, [])}
        if isinstance(edit, Drop):
            if stays:
                out.append(page.text)
            continue
        text, at = "", 0
        for start, end, removal in edit:
            if removal not in stays:
                text += page.text[at:start]
                at = end
        out.append(text + page.text[at:])
    return out


def put_back(cleaned: bytes, pieces: Sequence[Piece]) -> bytes:
    """The source again, of the cleaned file and of what went with its place in that file, as a manifest keeps it."""
    gone, at = [], 0
    for data, removal in pieces:
        if removal == STAYS:
            at += len(data)
        else:
            gone.append((at, data))
    out, done = [], 0
    for place, data in gone:
        out += [cleaned[done:place], data]
        done = place
    return b"".join([*out, cleaned[done:]])
