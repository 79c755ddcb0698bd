"""From web archives: their pages as JSON lines, without what goes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from dedup.cleaning.jsonl import edited_object
from dedup.cleaning.pieces import STAYS, Piece
from dedup.cleaning.records import Cutter, Drop, Edits, Leave, ignore, not_found, plain_cuts
from dedup.model import Page


def page_line(page: Page) -> bytes:
    """A page as a JSON line: ``id``, ``url`` and ``title`` where it has them, ``text``.

    >>> page_line(Page("a", "One page.", url="https://example.org/"))
    b'{"id": "a", "url": "https://example.org/", "text": "One page."}\\n'
    """
    fields = {"id": page.id, "url": page.url, "title": page.title, "text": page.text}
    record = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"  # half a character: \ud800


def clean_warc(pages: Iterable[Page], edits: Edits, cutter: Cutter = plain_cuts, leave: Leave = ignore) -> Iterator[Piece]:
    """The pieces of the JSON Lines file that a web archive becomes.

    Together they are the file without any cut; so a restored archive is that file.

    Args:
        pages: The archive's pages, in order. Of HTML the text goes that was parsed, so `cutter` gets plain text.
        edits: What goes, by ``Page.number``.

    Raises:
        InputError: A page is not there.
    """
    missing = set(edits)
    for page in pages:
        line, edit = page_line(page), edits.get(page.number)
        missing.discard(page.number)
        if edit is None:
            yield Piece(line, STAYS)
        elif isinstance(edit, Drop):
            yield Piece(line, edit.removal)
        else:
            yield from edited_object(line, page.number, edit, ("text",), cutter, leave)
    if missing:
        raise not_found(min(missing))
