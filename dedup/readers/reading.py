"""What readers are given and what they give: the file with its settings, and pages ready or still to be parsed."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from dedup.heads import Codes, RecordHeads, Utf8
from dedup.kernel import kernel
from dedup.model import Page
from dedup.options import Options
from dedup.readers.files import Found
from dedup.readers.jobs import Job
from dedup.readers.notes import Notes

READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Reading:
    """One file being read."""

    file: Found
    options: Options
    notes: Notes

    def fail(self, line: int | None, message: str, reason: str) -> None:
        """A page or record is lost: an error line, and a count under `reason`."""
        self.notes.fail(self.file.place, line, message, reason)

    def too_long(self, line: int | None, what: str) -> None:
        """`what` is longer than a page may be."""
        self.fail(line, f"{what} is longer than {self.options.max_page_bytes:,} bytes (max_page_bytes), skipped",
                  "longer than max_page_bytes")


@dataclass(frozen=True, slots=True)
class Pending:
    """A page that a worker still has to parse.

    Attributes:
        page: The page without text.
        job: What the worker gets.
        root: Name of what was scanned.
    """

    page: Page
    job: Job


@dataclass(frozen=True, slots=True)
class Texts:
    """Records that follow each other, their texts still in UTF-8: nobody but the user of ``open_pages`` needs a ``str``.

    Attributes:
        heads: The records without texts.
        text: Their texts, UTF-8.
        first: First byte of each page's text, one longer than the pages.
    """

    heads: RecordHeads
    text: npt.NDArray[np.uint8]
    first: npt.NDArray[np.int64]

    def pages(self) -> Iterator[Page]:
        """The pages with their texts."""
        text, start = self.text.data, int(self.first[0])
        for row, end in enumerate(self.first[1:].tolist()):
            yield self.heads.page(row, str(text[start:end], "utf-8"))
            start = end


Items = Iterator[Page | Pending]
Stretches = Iterator[Page | Pending | Texts]


def read_whole(stream: BinaryIO, reading: Reading) -> bytes | None:
    """All bytes of a stream, or ``None`` (with a note) where they are more than a page may have."""
    parts: list[bytes] = []
    left = reading.options.max_page_bytes + 1
    while left > 0 and (data := stream.read(min(left, READ_BYTES))):
        parts.append(data)
        left -= len(data)
    if left <= 0:
        reading.too_long(None, "the page")
        return None
    return b"".join(parts)


def host_of(url: str | None) -> str:
    """Host of an address, in lower case; empty where it has none.

    >>> host_of("https://Example.org:80/a"), host_of("no address")
    ('example.org', '')
    """
    _, found, rest = (url or "").partition("://")
    end = _AUTHORITY.search(rest)
    return _host(rest[:end.start()] if end else rest) if found else ""


_AUTHORITY = re.compile(r"[/?#\\]")


def sites_of(urls: Utf8, other: str) -> Codes:
    """Host of each of some addresses, as ``host_of`` says; where it has none the `other` site."""
    begin, end, number = kernel.authorities(urls.data, urls.first)
    hosts = Codes.of([_host(authority) or other for authority in Utf8.cut(urls.data, begin, end).texts()])
    return Codes(hosts.names, hosts.code[number])


@functools.lru_cache(4096)
def _host(authority: str) -> str:
    """Host of an address's authority: pages of one site have the same."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:
        return ""
