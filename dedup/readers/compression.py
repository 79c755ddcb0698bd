"""gzip and zstd, streaming: every member and frame, in bounded memory.

Damage costs what it hit: it is named, and reading goes on with the next member or frame that can be found.
"""

from __future__ import annotations

import io
import sys
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO

from dedup.readers.words import used

_INPUT_BYTES = 1 << 14  # zstd loses what one call had decoded before damage, so calls are small
_OUTPUT_BYTES = 1 << 20
_LEAST_BYTES = 1 << 15  # given out at once: how a file begins tells what it is, and its first member may be short
_WINDOW_LOG_MAX = 27  # 128 MB, the limit of the zstd command
_PAST_BYTES = 1 << 16  # what is kept of the input: damaged data may decode on for a while, over the next good member
_TRIAL_BYTES = 1 << 9
_MAX_TRIALS = 1 << 16  # places tried as the beginning of a member in one file
Damage = Callable[[str, str], None]


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
        damage: Called with one line for each damage (cause, place, and what was done) and what such lines have in
            common.
    """
    if not compression:
        return raw
    stream = _Gzip(raw, damage) if compression == "gzip" else _Zstd(raw, damage)
    return io.BufferedReader(stream, _OUTPUT_BYTES)


class _Unpacker(io.RawIOBase):
    """A readable stream over decoded chunks.

    Attributes:
        breaks: The last places where a member or frame begins, and where damage was, as ``(offset in the decoded
            content, whether it is damage)``: in a web archive records begin there.
    """

    name = ""
    unit = ""
    magic = b""

    def __init__(self, raw: BinaryIO, damage: Damage) -> None:
        self._raw = raw
        self._damage = damage
        self._ready = memoryview(b"")
        self._input = b""
        self._past = b""  # the last bytes read, those of `_input` included
        self._got = 0  # bytes read
        self._again = 0  # bytes gone over a second time
        self._trials = 0
        self._start = 0  # where the member begins
        self._frames = 0
        self._decoded = 0
        self._last = b""
        self._ended = False
        self.breaks: deque[tuple[int, bool]] = deque(maxlen=1 << 17)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        room, filled = memoryview(buffer), 0
        least = min(len(room), _LEAST_BYTES)
        while filled < least:
            while not self._ready and not self._ended:
                self._take(self._next())
            if not self._ready:
                break
            size = min(len(room) - filled, len(self._ready))
            room[filled:filled + size] = self._ready[:size]
            self._ready = self._ready[size:]
            filled += size
        return filled

    def _take(self, out: bytes) -> None:
        """Decoded bytes to be given out."""
        if out:
            self._ready = memoryview(bytes(self._ready) + out if self._ready else out)
            self._decoded += len(out)
            self._last = out[-1:]

    def _next(self) -> bytes:
        """The next decoded bytes; none yet where empty."""
        raise NotImplementedError

    def _opens(self, data: bytes) -> bool:
        """Whether decoding of what may be a member begins well."""
        raise NotImplementedError

    def _fill(self, least: int = 1) -> bytes:
        """Bytes to decode, those left over first; fewer than `least` only at the end."""
        while len(self._input) < least and (data := self._raw.read(_INPUT_BYTES)):
            self._got += len(data)
            self._past = (self._past + data)[-_PAST_BYTES:]
            self._input += data
        return self._input

    @property
    def _at(self) -> int:
        """Offset of what is to be decoded next."""
        return self._got - len(self._input)

    def _begin(self) -> None:
        """A member begins."""
        self._start = self._at
        self.breaks.append((self._decoded, False))

    def _lost(self, out: bytes, cause: str, at: int, search: int) -> None:
        """Something is damaged: give out what was decoded before it, name it, and go on behind it.

        Args:
            out: What is to be given out still.
            cause: What is wrong; `at`: where, as an offset in the file.
            search: Where the next member may begin at the earliest.
        """
        self._take(out)
        self.breaks.append((self._decoded, True))
        found = self._find(search)
        if found is None:
            self._ended = True
            done = (used(self._decoded > 0) if self._trials < _MAX_TRIALS else
                    f"more than {_MAX_TRIALS:,} places were tried, the rest is left out")
        else:
            done = f"reading went on at byte {found:,}"
            if self._last not in (b"", b"\n"):
                self._take(b"\n")  # the line that was cut ends here, and costs the next one nothing
        kind = f"{self.name} data is damaged"
        self._damage(f"{cause} at byte {at:,}; {done}", kind)

    def _find(self, search: int) -> int | None:
        """Go to the next member at or behind an offset, and return its own; ``None`` where there is none.

        Going back is limited in all by what was read, so that nothing can make the work grow.
        """
        here = self._at
        start = min(max(search, self._got - len(self._past)), self._got)
        if here - start > 2 * self._got + _PAST_BYTES - self._again:
            start = here
        self._input = self._past[len(self._past) - (self._got - start):]
        while True:
            at = self._input.find(self.magic)
            if at < 0:
                self._input = self._input[-(len(self.magic) - 1):]
                if len(self._fill(1 << 12)) < len(self.magic):
                    return None
                continue
            self._input = self._input[at:]
            self._trials += 1
            if self._trials > _MAX_TRIALS:
                return None
            if self._opens(self._fill(_TRIAL_BYTES)[:_TRIAL_BYTES]):
                self._again += max(0, here - self._at)
                return self._at
            self._input = self._input[1:]


class _Gzip(_Unpacker):
    """All members of a gzip file."""

    name, unit, magic = "gzip", "gzip member", b"\x1f\x8b\x08"
    _member: Any = None

    def _next(self) -> bytes:
        data = self._fill()
        if self._member is None:
            if self._frames:  # zeros behind a member are padding
                data = self._input = data.lstrip(b"\0")
            if not data:
                self._ended = not self._fill()
                return b""
            data = self._fill(4)
            if self._frames and not self._is_header(data):
                self._lost(b"", "what stands behind a gzip member is not gzip", self._at, self._at + 1)
                return b""
            self._begin()
            self._member = zlib.decompressobj(31)
        if not data:
            member, self._member, self._frames = self._member, None, self._frames + 1
            self._lost(member.flush(), "gzip data is cut short", self._got, self._start + 1)
            return b""
        before = self._member.copy()
        try:
            out = self._member.decompress(data, _OUTPUT_BYTES)
        except zlib.error as error:
            out, used = _salvage(before, data)
            self._member, self._frames = None, self._frames + 1
            at = self._at + used
            self._input = data[used:]
            self._lost(out, f"gzip data is damaged ({error})", at, self._start + 1)
            return b""
        self._input = self._member.unconsumed_tail
        if self._member.eof:
            self._input, self._member, self._frames = self._member.unused_data, None, self._frames + 1
        return bytes(out)

    @staticmethod
    def _is_header(data: bytes) -> bool:
        """Whether bytes begin a member: magic, method, and no reserved flag; a cut header too."""
        return _Gzip.magic.startswith(data[:3]) and (len(data) < 4 or not data[3] & 0xe0)

    def _opens(self, data: bytes) -> bool:
        if not self._is_header(data):
            return False
        try:
            zlib.decompressobj(31).decompress(data, _TRIAL_BYTES)
        except zlib.error:
            return False
        return True


def _salvage(member: Any, data: bytes) -> tuple[bytes, int]:
    """What a member gives of `data` before the damage in it, and the bytes that took."""
    out: list[bytes] = []
    for i in range(len(data)):
        try:
            out.append(member.decompress(data[i:i + 1]))
        except zlib.error:
            return b"".join(out), i
    return b"".join(out), len(data)


class _Zstd(_Unpacker):
    """All frames of a zstd file, skippable ones included."""

    name, unit, magic = "zstd", "zstd frame", b"\x28\xb5\x2f\xfd"
    _frame: Any = None
    _step = _INPUT_BYTES

    def _next(self) -> bytes:
        if self._frame is None:
            data = self._fill(4)
            if not data:
                self._ended = True
                return b""
            if self._frames and not compression_of(data):  # the frame before was cut, and took in the head of the next
                self._lost(b"", "what stands behind a zstd frame is not zstd", self._at, self._start + 1)
                return b""
            self._begin()
            self._frame = _zstd_frame()
        if self._frame.needs_input and not self._fill():
            self._frame = None
            self._lost(b"", "zstd data is cut short", self._got, self._start + 1)
            return b""
        at, step = self._at, self._step if self._frame.needs_input else 0
        data, self._input = self._input[:step], self._input[step:]
        try:
            out = self._frame.decompress(data, _OUTPUT_BYTES)
        except zstd_module().ZstdError as error:
            self._frame, self._step = None, _TRIAL_BYTES  # small steps: what stands behind damage is gone over again
            self._lost(b"", f"zstd data is damaged ({error})", at, self._start + 1)
            return b""
        if self._frame.eof:
            self._input = self._frame.unused_data + self._input
            self._frame, self._frames = None, self._frames + 1
            self._step = min(2 * self._step, _INPUT_BYTES)
        return bytes(out)

    def _opens(self, data: bytes) -> bool:
        try:
            _zstd_frame().decompress(data, _TRIAL_BYTES)
        except zstd_module().ZstdError:
            return False
        return True


def _zstd_frame() -> Any:
    """What decodes one frame."""
    zstd = zstd_module()
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG_MAX})


def zstd_module() -> Any:
    """The zstd module: the standard library's from 3.14, else the backport."""
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd
    from backports import zstd

    return zstd
