"""Plain text files, and files of markup on their way to a worker: one file, one page."""

from __future__ import annotations

from typing import BinaryIO

from dedup.model import Page
from dedup.readers.decode import decode
from dedup.readers.jobs import Job
from dedup.readers.reading import Items, Pending, Reading, read_whole


def read_text(stream: BinaryIO, reading: Reading) -> Items:
    """The page of a text file: decoded, without byte order mark, line ends and control characters as they are."""
    data = read_whole(stream, reading)
    if data is None:
        return
    file = reading.file
    text, guess = decode(data)
    if guess:
        reading.notes.decoded(file.place, None, guess)
    yield Page(file.name, text, file.place, site=file.site)


def read_markup(stream: BinaryIO, reading: Reading, form: str) -> Items:
    """The page of a file of markup (``formats.MARKUP``), still to be parsed."""
    data = read_whole(stream, reading)
    if data is not None:
        file = reading.file
        yield Pending(Page(file.name, "", file.place, site=file.site), Job(form, data))
