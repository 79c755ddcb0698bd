"""gzip and zstd, streaming: every member and frame, bounded memory, damage noticed and named, what stands before it
used."""

from __future__ import annotations

import io
import sys
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO

_INPUT_BYTES = 1 << 14  # zstd loses what one call had decoded before damage, so calls are small
_OUTPUT_BYTES = 1 << 20
_WINDOW_LOG_MAX = 27  # 128 MB, the limit of the zstd command
Damage = Callable[[str], None]


def compression_of(head: bytes) -> str:
    """"gzip", "zstd" or nothing, by the first bytes of a file."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    skippable = len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5f
    return "zstd" if head.startswith(b"\x28\xb5\x2f\xfd") or skippable else ""


def unpack(raw: BinaryIO, compression: str, damage: Damage) -> BinaryIO:
    """The decompressed content of a stream.

    Args:
        raw: The compressed bytes.
        compression: "gzip", "zstd", or empty for content that is as it is.
        damage: Called with one line when the stream turns out to be cut or damaged; it ends there.
    """
    if not compression:
        return raw
    stream = _Gzip(raw, damage) if compression == "gzip" else _Zstd(raw, damage)
    return io.BufferedReader(stream, _OUTPUT_BYTES)


class _Unpacker(io.RawIOBase):
    """A readable stream over decoded chunks."""

    def __init__(self, raw: BinaryIO, damage: Damage) -> None:
        self._raw = raw
        self._damage = damage
        self._ready = memoryview(b"")
        self._input = b""
        self._frames = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            if self._ended:
                return 0
            self._ready = memoryview(self._next())
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _next(self) -> bytes:
        """The next decoded bytes; none yet where empty."""
        raise NotImplementedError

    def _fill(self) -> bytes:
        """Bytes to decode, those left over first."""
        if not self._input:
            self._input = self._raw.read(_INPUT_BYTES)
        return self._input

    def _end(self, damage: str = "") -> None:
        self._ended = True
        if damage:
            self._damage(f"{damage}; what stands before it was used")


class _Gzip(_Unpacker):
    """All members of a gzip file.

    Attributes:
        starts: Where the last members begin, as offsets in the decoded content: in a web archive, at its records.
    """

    _member: Any = None

    def __init__(self, raw: BinaryIO, damage: Damage) -> None:
        super().__init__(raw, damage)
        self.starts: deque[int] = deque(maxlen=1 << 17)
        self._decoded = 0

    def _next(self) -> bytes:
        data = self._fill()
        if self._member is None:
            if self._frames:  # zeros behind a member are padding
                data = self._input = data.lstrip(b"\0")
            if not data:
                if not self._fill():
                    self._end()
                return b""
            if len(data) == 1:
                data = self._input = data + self._raw.read(_INPUT_BYTES)
            if self._frames and not data.startswith(b"\x1f\x8b"):
                self._end("bytes behind the last gzip member are not gzip")
                return b""
            self._member = zlib.decompressobj(31)
            self.starts.append(self._decoded)
        if not data:
            out = self._member.flush()
            self._end("gzip data is cut short")
            return bytes(out)
        before = self._member.copy()
        try:
            out = self._member.decompress(data, _OUTPUT_BYTES)
        except zlib.error as error:
            self._end(f"gzip data is damaged ({error})")
            return _salvage(before, data)
        self._decoded += len(out)
        self._input = self._member.unconsumed_tail
        if self._member.eof:
            self._input, self._member, self._frames = self._member.unused_data, None, self._frames + 1
        return bytes(out)


def _salvage(member: Any, data: bytes) -> bytes:
    """What a member gives of `data` before the damage in it."""
    out: list[bytes] = []
    try:
        for i in range(len(data)):
            out.append(member.decompress(data[i:i + 1]))
    except zlib.error:
        pass
    return b"".join(out)


class _Zstd(_Unpacker):
    """All frames of a zstd file, skippable ones included."""

    _frame: Any = None

    def _next(self) -> bytes:
        zstd = _zstd()
        if self._frame is None:
            if not self._fill():
                self._end()
                return b""
            self._frame = zstd.ZstdDecompressor(
                options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX})
        if self._frame.needs_input and not self._fill():
            self._end("zstd data is cut short")
            return b""
        data, self._input = (self._input, b"") if self._frame.needs_input else (b"", self._input)
        try:
            out = self._frame.decompress(data, _OUTPUT_BYTES)
        except zstd.ZstdError as error:
            self._end(f"zstd data is damaged ({error})" if self._frames or self._frame else "not zstd")
            return b""
        if self._frame.eof:
            self._input = self._frame.unused_data + self._input
            self._frame, self._frames = None, self._frames + 1
        return bytes(out)


def _zstd() -> Any:
    """The zstd module: the standard library's from 3.14, else the backport."""
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd
    from backports import zstd

    return zstd
