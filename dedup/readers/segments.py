"""The content of a web archive as a stream that ends where a record must end, and can be read again after damage."""

from __future__ import annotations

import re
from collections import deque
from typing import Any, BinaryIO

_CHUNK_BYTES = 1 << 16
_PAST_CHUNKS = 64  # kept of what was read, where the stream cannot go back
_HEADER_BYTES = 1 << 16
_RECORD = re.compile(rb"WARC/1\.\d[ \t]*\r?\n[A-Za-z-]{1,40}:")
_RECORD_BYTES = 64  # more than what that matches
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class Segments:
    """A stream for fastwarc, which asks where it is and panics where the answer is an exception.

    A segment ends where the compressed data was damaged, and where a gzip member or zstd frame begins that begins with
    a record: there `read` gives nothing until `go_on` was called.

    Attributes:
        at: Offset in the content of what is read next.
        segment: Where the segment begins.
        packed: The content was compressed.
        unit: What a record is to have of its own ("gzip member"), or nothing.
    """

    def __init__(self, stream: BinaryIO) -> None:
        raw: Any = getattr(stream, "raw", None)
        self._breaks: deque[tuple[int, bool]] = getattr(raw, "breaks", deque())
        self.packed = hasattr(raw, "breaks")
        self.unit: str = getattr(raw, "unit", "")
        self._stream = stream
        self._base = stream.tell() if not self.packed and stream.seekable() else None
        self._chunks: deque[tuple[int, bytes]] = deque()
        self._first, self._data = 0, b""  # the chunk that is read from
        self._top = 0  # how far the content was read
        self._again = 0  # bytes read a second time
        self._step = _CHUNK_BYTES
        self._stopped = False
        self.at = self.segment = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes, fewer than asked for; none at the end of the segment."""
        self._stopped = False
        if not 0 <= self.at - self._first < len(self._data):
            self._first, self._data = self._chunk(self.at) or (0, b"")
            if not self._data:
                return b""
        first, data = self._first, self._data
        stop = first + len(data)
        while self._breaks and self._breaks[0][0] <= stop:
            at, damaged = self._breaks[0]
            if at > self.segment and (damaged or self._begins_with_record(at)):
                stop = at
                break
            self._breaks.popleft()
        self._stopped = stop <= self.at
        count = min(stop - self.at, self._step)
        if 0 <= size < count:
            count = size
        if self._step < _CHUNK_BYTES:
            self._step *= 2
        out = data[self.at - first:self.at - first + count]
        self.at += len(out)
        return out

    def _chunk(self, at: int) -> tuple[int, bytes] | None:
        """What was read and holds an offset, read on where it is not yet there; ``None`` at the end."""
        for first, data in reversed(self._chunks):
            if first <= at < first + len(data):
                return first, data
        data = self._stream.read(_CHUNK_BYTES)
        if not data:
            return None
        first = self._chunks[-1][0] + len(self._chunks[-1][1]) if self._chunks else at
        self._chunks.append((first, data))
        if len(self._chunks) > (1 if self._base is not None else _PAST_CHUNKS):
            self._chunks.popleft()
        self._top = max(self._top, first + len(data))
        return first, data

    def _begins_with_record(self, at: int) -> bool:
        if at >= self._first and self._data.startswith(b"WARC/", at - self._first):
            return True
        chunk = self._chunk(at)
        if not chunk:
            return False
        head = chunk[1][at - chunk[0]:][:5]
        if len(head) < 5 and (more := self._chunk(chunk[0] + len(chunk[1]))):
            head += more[1][:5 - len(head)]
        return head == b"WARC/"

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Forward only, by reading."""
        target = offset + (self.at if whence == 1 else 0)
        while self.at < target and self.read(target - self.at):
            pass
        return self.at

    def close(self) -> None:
        """The stream is closed by who opened it."""

    def go_on(self) -> bool:
        """Begin the next segment; false where there is none."""
        while self.read():
            pass
        self.segment = self.at
        return self._stopped

    def go_back(self, to: int) -> bool:
        """Read again from an offset on; false where it is forgotten, or too much was read again already."""
        if to < self.segment or (self.at - to) > 8 * self._top + _CHUNK_BYTES - self._again:
            return False
        if not self._place(to):
            return False
        self._step = 1 << 12  # a file with much damage is not read again and again in great steps
        return True

    def _place(self, to: int) -> bool:
        if not any(first <= to <= first + len(data) for first, data in self._chunks):
            if self._base is None:
                return False
            self._stream.seek(self._base + to)
            self._chunks.clear()
            self._data = b""
        self._again += max(0, self.at - to)
        self.at = to
        return True

    def end_of_record(self) -> int | None:
        """Where the record ends that begins here, as its header says; ``None`` where it does not."""
        start, head = self.at, b""
        while len(head) < _HEADER_BYTES and (data := self.read(_CHUNK_BYTES)):
            head += data
            gaps = [(at, len(gap)) for gap in (b"\r\n\r\n", b"\n\n") if (at := head.find(gap)) >= 0]
            if gaps:
                at, gap_size = min(gaps)
                found = _LENGTH.search(head, 0, at + 2)
                return start + at + gap_size + int(found[1]) if found and head.startswith(b"WARC/") else None
        return None

    def is_border(self, at: int) -> bool:
        """Whether at an offset that was read already a record may end; what is read next stands there."""
        if at > self._top or not self._place(at):
            return False
        data = b""
        while len(data) < 4 and (more := self.read(4 - len(data))):
            data += more
        self._place(at)
        return data in (b"", b"\r\n\r\n", b"WARC") or data.startswith(b"\n\n")

    def find_record(self, behind: int) -> bool:
        """Go to the next place that looks like the beginning of a record; else to the end of the segment.

        Args:
            behind: Where it does not begin.
        """
        kept = b"" if self.at > behind else self.read(1)[1:]
        while data := self.read(_CHUNK_BYTES):
            window = kept + data
            found = _RECORD.search(window)
            if found:
                to = self.at - len(window) + found.start()
                return self._place(to)
            kept = window[-_RECORD_BYTES:]
        return False
