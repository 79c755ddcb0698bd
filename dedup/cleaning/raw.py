"""A source's bytes as they are: lines that are passed on unread, and what was read before it was understood."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from dedup.cleaning.pieces import STAYS, Cut, Piece
from dedup.readers.decode import Utf8Stream, wide_codec

I64 = npt.NDArray[np.int64]
_READ_BYTES = 1 << 19


class RawLines:
    """The lines of a stream (they end in LF), each byte of them.

    Attributes:
        mark: The byte order mark before the first line, or nothing.
        line: Number of the line that comes next, from 1.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._data = b""
        self._at = 0
        self._ends: I64 | None = None  # places behind the line feeds of `_data`, once somebody needs them
        self._next = 0  # of them the first one behind `_at`
        self.line = 1
        self._load()
        self.mark = codecs.BOM_UTF8 if self._data.startswith(codecs.BOM_UTF8) else b""
        self._at = len(self.mark)

    def up_to(self, line: int) -> Iterator[bytes]:
        """All bytes before a line that is still to come; all there are where there is no such line."""
        while self.line < line:
            before = self._at
            if self._ends is None:
                inside = int(np.count_nonzero(np.frombuffer(self._data, np.uint8) == 10))
                found = inside >= line - self.line
            else:
                inside = len(self._ends) - self._next
                found = inside >= line - self.line
            if found:
                self._next += line - self.line
                self._at = int(self._line_ends()[self._next - 1])
                self.line = line
                yield self._data[before:self._at]
                return
            self.line += inside
            if before < len(self._data):
                yield self._data[before:]
            if not self._load():
                return

    def take(self) -> bytes:
        """The next line with its end; nothing at the end of the stream."""
        parts = []
        while self._next >= len(self._line_ends()):
            parts.append(self._data[self._at:])
            if not self._load():
                break
        else:
            end = int(self._line_ends()[self._next])
            parts.append(self._data[self._at:end])
            self._at, self._next = end, self._next + 1
        data = b"".join(parts)
        self.line += bool(data)
        return data

    def rest(self) -> Iterator[bytes]:
        """All bytes that are left."""
        while self._at < len(self._data):
            yield self._data[self._at:]
            self._load()

    def _line_ends(self) -> I64:
        if self._ends is None:
            self._ends = np.flatnonzero(np.frombuffer(self._data, np.uint8) == 10) + 1
        return self._ends

    def _load(self) -> bool:
        """Read on; whether there was more."""
        self._data = self._stream.read(_READ_BYTES) or b""
        self._at, self._ends, self._next = 0, None, 0
        return bool(self._data)


class Tape(io.RawIOBase):
    """A stream that keeps what was read from it until it is taken."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._held = bytearray()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size) or b""
        self._held += data
        return data

    def take(self, size: int) -> bytes:
        """The next bytes; they have been read."""
        if size > len(self._held):
            raise ValueError(f"{size:,} bytes are to be taken, {len(self._held):,} were read")
        data = bytes(self._held[:size])
        del self._held[:size]
        return data

    def rest(self) -> Iterator[bytes]:
        """All that is left, read or not."""
        if self._held:
            yield self.take(len(self._held))
        while data := self._stream.read(_READ_BYTES):
            yield data


def in_utf8(stream: BinaryIO, clean: Callable[[BinaryIO], Iterator[Piece]]) -> Iterator[Piece]:
    """Pieces of a stream that may be in UTF-16 or UTF-32, by a cleaner that knows UTF-8 only."""
    content: Any = stream if hasattr(stream, "peek") else io.BufferedReader(cast(io.RawIOBase, stream))
    codec = wide_codec(content.peek(4)[:4])
    if not codec:
        yield from clean(content)
        return
    tape = Tape(content)
    utf8 = io.BufferedReader(Utf8Stream(cast(BinaryIO, tape), codec, lambda _: None))
    if utf8.peek(1):
        yield Piece(tape.take(len("\ufeff".encode(codec))), STAYS)
    for data, removal in clean(cast(BinaryIO, utf8)):
        if size := _wide_bytes(data, codec):
            yield Piece(tape.take(size), removal)
    for data in tape.rest():
        yield Piece(data, STAYS)


def _wide_bytes(data: bytes, codec: str) -> int:
    """Bytes that a text in UTF-8 takes in UTF-16 or UTF-32."""
    units = np.frombuffer(data, np.uint8)
    count = int(np.count_nonzero((units & 0xc0) != 0x80))
    return 4 * count if codec.startswith("utf-32") else 2 * (count + int(np.count_nonzero(units >= 0xf0)))


def pieces_between(data: bytes, cuts: Sequence[Cut]) -> Iterator[Piece]:
    """The pieces of some bytes; the cuts count bytes here."""
    at = 0
    for start, end, removal in cuts:
        if at < start:
            yield Piece(data[at:start], STAYS)
        if start < end:
            yield Piece(data[start:end], removal)
        at = end
    if at < len(data):
        yield Piece(data[at:], STAYS)
