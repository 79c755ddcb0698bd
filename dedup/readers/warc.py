"""Web archives: WARC and WET by fastwarc (extra ``[warc]``), old ARC files by hand."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import Any, BinaryIO

from dedup.errors import MissingExtraError
from dedup.model import NO_META, Page
from dedup.readers.decode import decode
from dedup.readers.formats import is_binary
from dedup.readers.http import BodyError, Response, decode_body, split_response
from dedup.readers.pool import Job
from dedup.readers.reading import Items, Pending, Reading, host_of

_RECORD_TYPES = {2: "warcinfo", 4: "response", 8: "resource", 16: "request", 32: "metadata", 64: "revisit",
                 128: "conversion", 256: "continuation"}  # the values of fastwarc's flags
_PAGE_RECORDS = frozenset({"response", "resource", "conversion"})
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_TEXT_TYPES = frozenset({"text/plain", "text/markdown"})
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_:.+-]{1,40})", re.IGNORECASE)
_ARC_LINE_BYTES = 1 << 16


def import_fastwarc() -> Any:
    """fastwarc's reader, or an error that names the extra."""
    try:
        from fastwarc.warc import ArchiveIterator
    except ImportError as error:
        raise MissingExtraError("reading WARC needs fastwarc", mend="pip install 'dedup-toolkit[warc]'") from error
    return ArchiveIterator


def read_warc(stream: BinaryIO, reading: Reading, head: bytes) -> Items:
    """The pages of a web archive.

    Args:
        stream: Its content, decompressed.
        head: The first bytes of that.
    """
    if head.startswith(b"filedesc://"):
        yield from _read_arc(stream, reading)
        return
    archive = iter(import_fastwarc()(_Forward(stream), parse_http=False, stream_detect=False))
    members: deque[int] | None = getattr(getattr(stream, "raw", None), "starts", None)
    number = 0
    while True:
        try:
            record = next(archive)
        except StopIteration:
            return
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # fastwarc is Rust
                raise
            message = " ".join(str(error).split())[:200]
            reading.fail(None, f"damaged behind record {number} ({message}); what stands before it was used",
                         "WARC data is damaged")
            return
        number += 1
        if members is not None and not _begins_at(record.stream_pos, members):
            reading.notes.error(reading.file.place, None, f"record {number} does not begin a gzip member of its own, "
                                "as records of a WARC file must; records are read one after another")
            members = None
        item = _page_of_record(record, number, reading)
        if item is not None:
            yield item


def _begins_at(position: int, members: deque[int]) -> bool:
    """Whether a gzip member begins at a position; forgets those before it."""
    while members and members[0] < position:
        members.popleft()
    return bool(members) and members[0] == position


class _Forward:
    """A stream that knows where it is: fastwarc asks, and panics where the answer is an exception."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._at += len(data)
        return data

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Forward only, by reading."""
        left = offset if whence == 1 else offset - self._at
        while left > 0 and (data := self.read(min(left, 1 << 16))):
            left -= len(data)
        return self._at

    def close(self) -> None:
        """The stream is closed by who opened it."""


def _page_of_record(record: Any, number: int, reading: Reading) -> Page | Pending | None:
    """The page of a WARC record, or ``None`` where it is none (counted)."""
    kind = _RECORD_TYPES.get(int(record.record_type), "unknown")
    uri = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    if kind not in _PAGE_RECORDS:
        reading.notes.skip(f"WARC record: {kind}", uri or f"record {number}")
        return None
    length = record.content_length
    if length > 2 * reading.options.max_page_bytes:
        reading.too_long(None, f"record {number} ({uri})")
        return None
    try:
        data = record.reader.read(length)
    except Exception as error:
        reading.fail(None, f"record {number} ({uri}) cannot be read ({error}), skipped", "WARC data is damaged")
        return None
    if len(data) < length:
        reading.notes.error(reading.file.place, None, f"record {number} ({uri}) is cut short: {len(data):,} of "
                            f"{length:,} bytes; what is there was used", "record is cut short")
    content_type = record.headers.get("Content-Type") or ""
    meta = {name: value for name in reading.options.meta if (value := record.headers.get(name)) is not None}
    if content_type.lower().startswith("application/http"):
        response = split_response(data)
    else:
        response = Response(200, {"content-type": content_type}, data)
    return page_of_response(response, uri, number, meta, reading)


def page_of_response(response: Response, uri: str, number: int, meta: Mapping[str, Any],
                     reading: Reading) -> Page | Pending | None:
    """The page of a response, or ``None`` where it is none (counted)."""
    file = reading.file
    place = uri or f"record {number}"
    if response.status != 200:
        reading.notes.skip(f"HTTP status {response.status}" if response.status else "no HTTP response", place)
        return None
    content_type = response.headers.get("content-type", "")
    media = content_type.split(";")[0].strip().lower()
    if media and media not in _HTML_TYPES and media not in _TEXT_TYPES:
        reading.notes.skip("neither HTML nor text", place)
        return None
    try:
        body = decode_body(response, reading.options.max_page_bytes)
    except BodyError as error:
        reading.fail(None, f"record {number} ({uri}): {error}; skipped", "body cannot be decoded")
        return None
    for damage in response.damage:
        reading.notes.error(file.place, None, f"record {number} ({uri}): {damage}", damage)
    if not media and is_binary(body[:8192]):
        reading.notes.skip("neither HTML nor text", place)
        return None
    if not body.strip():
        reading.notes.skip("empty body", place)
        return None
    declared = found[1] if (found := _CHARSET.search(content_type)) else ""
    page = Page(uri or f"{file.name}#{number}", "", file.place, None, meta or NO_META, uri or None, 1, True, None,
                host_of(uri) or file.site)
    if media in _HTML_TYPES or (not media and b"<" in body[:1024]):
        return Pending(page, Job("html", body, declared))
    text, guess = decode(body, declared)
    if guess:
        reading.notes.error(file.place, None, f"record {number} ({uri}): {guess}; the page is used", "encoding guessed")
    return Page(page.id, text, page.source, None, page.meta, page.url, 1, True, None, page.site)


def _read_arc(stream: BinaryIO, reading: Reading) -> Items:
    """The pages of an ARC file: a line ``url ip date type length`` before each response."""
    number = 0
    while line := stream.readline(_ARC_LINE_BYTES):
        if not line.strip():
            continue
        words = line.decode("latin-1").split()
        if len(words) < 5 or not words[-1].isdigit():
            reading.fail(None, f"damaged behind record {number}; what stands before it was used",
                         "ARC data is damaged")
            return
        number += 1
        uri, length = words[0], int(words[-1])
        if length > 2 * reading.options.max_page_bytes:
            reading.too_long(None, f"record {number} ({uri})")
            while length > 0 and (data := stream.read(min(length, 1 << 20))):
                length -= len(data)
            continue
        data = stream.read(length)
        if len(data) < length:
            reading.notes.error(reading.file.place, None, f"record {number} ({uri}) is cut short; what is there was "
                                "used", "record is cut short")
        if uri.startswith("filedesc://"):
            reading.notes.skip("ARC file description", uri)
            continue
        item = page_of_response(split_response(data), uri, number, {}, reading)
        if item is not None:
            yield item
