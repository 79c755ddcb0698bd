"""Web archives: WARC and WET by fastwarc (extra ``[warc]``), old ARC files by hand."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from dedup.errors import MissingExtraError, how_to_install
from dedup.model import NO_META, Page
from dedup.readers.decode import decode
from dedup.readers.formats import is_binary
from dedup.readers.http import BodyError, Response, decode_body, split_response
from dedup.readers.jobs import Job
from dedup.readers.reading import Items, Pending, Reading, host_of
from dedup.readers.segments import Segments
from dedup.readers.words import used

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
        raise MissingExtraError("reading WARC needs fastwarc", mend=how_to_install("warc", "fastwarc")) from error
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
    yield from _Archive(stream, reading).items()


class _Archive:
    """A WARC file read to its end, whatever in it is damaged.

    A page is given out when what stands behind its record is sound: a record whose length is wrong takes in others.
    """

    def __init__(self, stream: BinaryIO, reading: Reading) -> None:
        self._source = Segments(stream)
        self._reading = reading
        self._open = import_fastwarc()
        self._number = 0
        self._given = False  # whether a page was
        self._told = self._source.unit != "gzip member"
        self._last: _Record | None = None  # the record before, where it stands in the same segment

    def items(self) -> Items:
        """The pages of all segments."""
        going = True
        while going:
            sound = yield from self._segment()
            while not sound:
                sound = yield from self._segment()
            self._last = None
            going = self._source.go_on()

    def _segment(self) -> Generator[Page | Pending, None, bool]:
        """The pages up to the end of the segment, or up to damage; returns whether nothing more is to be read in it."""
        start = self._source.at
        archive = iter(self._open(self._source, parse_http=False, stream_detect=False))
        while True:
            cause = ""
            try:
                record = next(archive)
            except StopIteration:
                if self._last is None or self._last.whole:
                    yield from self._give()
                    return True
            except BaseException as error:
                if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # fastwarc is Rust
                    raise
                cause = " ".join(str(error).split())[:200]
            else:
                yield from self._give()
                self._number += 1
                self._check_member()
                self._last = _page_of_record(record, self._number, self._reading)
                continue
            return (yield from self._recover(start, cause))

    def _check_member(self) -> None:
        if self._last is not None and not self._told:
            self._told = True
            self._reading.notes.error(
                self._reading.file.place, None, f"record {self._number} does not begin a gzip member of its own, as "
                "records of a WARC file must; records are read one after another")

    def _give(self) -> Items:
        """The page of the record before; it is known to end where it should, or to be the last one."""
        if self._last is not None and self._last.item is not None:
            item, self._last.item, self._given = self._last.item, None, True
            yield item

    def _recover(self, start: int, cause: str) -> Generator[Page | Pending, None, bool]:
        """After damage, or at a last record that may be cut: go to the next record, and say what was lost."""
        source, last, here = self._source, self._last, self._source.at
        start = last.start if last else start
        back = source.go_back(start)
        end = source.end_of_record() if back and last else None
        sound = end is not None and end <= here and source.is_border(end)
        if back and not sound:
            source.go_back(start)
        found = source.find_record(start)
        if last and not sound and found and end is not None and source.at < end:
            self._name(f"{last.name} claims more bytes than are its own, skipped", found)
        elif last and not sound and not cause:
            missing = f": {last.size:,} of {last.length:,} bytes" if last.size is not None else ""
            used = "; what is there was used" if last.item is not None else ""
            self._name(f"{last.name} is cut short{missing}{used}", found)
            yield from self._give()
        else:
            yield from self._give()
            if cause:
                place = f"byte {end if end is not None else start if back else here:,}"
                self._name(f"damaged behind record {self._number}, at {place}{self._content} ({cause})", found)
        self._last = None
        return not found

    @property
    def _content(self) -> str:
        return " of the decompressed content" if self._source.packed else ""

    def _name(self, what: str, found: bool) -> None:
        done = f"; reading went on at byte {self._source.at:,}{self._content}" if found else \
            "" if what.endswith(("used", "skipped")) else f"; {used(self._given)}"
        if what.endswith("used"):
            self._reading.notes.error(self._reading.file.place, None, what + done, "record is cut short")
        else:
            self._reading.fail(None, what + done, "WARC data is damaged")


@dataclass(slots=True)
class _Record:
    """A record that was read.

    Attributes:
        name: What messages call it.
        start: Where it begins.
        length: Bytes of its body, as it says; `size`: those that are there, or ``None`` where they were not read.
        item: Its page, where it is one.
    """

    name: str
    start: int
    length: int
    size: int | None = None
    item: Page | Pending | None = None

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return self.size == self.length > 0


def _page_of_record(record: Any, number: int, reading: Reading) -> _Record:
    """A WARC record with its page, where it is one (else it is counted)."""
    kind = _RECORD_TYPES.get(int(record.record_type), "unknown")
    uri = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    length = record.content_length
    name = f"record {number} ({uri})" if uri else f"record {number}"
    known = _Record(name, record.stream_pos, length)
    if kind not in _PAGE_RECORDS:
        reading.notes.skip(f"WARC record: {kind}", uri or f"record {number}")
        return known
    if length > 2 * reading.options.max_page_bytes:
        reading.too_long(None, name)
        return known
    try:
        data = record.reader.read(length)
    except Exception as error:
        reading.fail(None, f"{name} cannot be read ({error}), skipped", "WARC data is damaged")
        return known
    content_type = record.headers.get("Content-Type") or ""
    if reading.options.asked_fields:
        reading.notes.saw(name for name, _ in record.headers)
    meta = {name: value for name in reading.options.carried if (value := record.headers.get(name)) is not None}
    if content_type.lower().startswith("application/http"):
        response = split_response(data)
    else:
        response = Response(200, {"content-type": content_type}, data)
    known.size, known.item = len(data), page_of_response(response, uri, number, meta, reading)
    return known


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
                host_of(uri) or file.site, number)
    if media in _HTML_TYPES or (not media and b"<" in body[:1024]):
        return Pending(page, Job("html", body, declared))
    text, guess = decode(body, declared)
    if guess:
        reading.notes.decoded(file.place, None, guess, before=f"record {number} ({uri}): ")
    return Page(page.id, text, page.source, None, page.meta, page.url, 1, True, None, page.site, number)


def _read_arc(stream: BinaryIO, reading: Reading) -> Items:
    """The pages of an ARC file: a line ``url ip date type length`` before each response."""
    number = 0
    while line := stream.readline(_ARC_LINE_BYTES):
        if not line.strip():
            continue
        words = line.decode("latin-1").split()
        if len(words) < 5 or not words[-1].isdigit():
            reading.fail(None, f"damaged behind record {number}; {used(number > 0)}",
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
