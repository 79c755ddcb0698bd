"""The body of an HTTP response as it stands in a web archive: chunks and compression undone, in bounded memory."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dedup.readers.compression import unpack
from dedup.readers.words import used

_HEADER_BYTES = 1 << 18
_STEP_BYTES = 1 << 20  # of Brotli unpacked at once
_STATUS = re.compile("[1-9][0-9]{2}")


class BodyError(Exception):
    """A body that cannot be used; the message says why."""


@dataclass(slots=True)
class Response:
    """A response, taken apart.

    Attributes:
        status: Its status code; 0 where there is none.
        headers: By name in lower case; the last of several.
        body: What is left, still encoded.
        damage: What is wrong with the body though it is used.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    damage: list[str] = field(default_factory=list)


def split_response(data: bytes) -> Response:
    """Take a response apart into status, headers and body."""
    head, gap, _ = data[:_HEADER_BYTES].partition(b"\r\n\r\n")
    if not gap or b"\n\n" in head:
        head, gap, _ = data[:_HEADER_BYTES].partition(b"\n\n")
    lines = head.decode("latin-1").splitlines()
    words = lines[0].split(None, 2) if lines else []
    status = int(words[1]) if len(words) > 1 and words[0].startswith("HTTP/") and _STATUS.fullmatch(words[1]) else 0
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return Response(status, headers, data[len(head) + len(gap):])


def decode_body(response: Response, longest: int) -> bytes:
    """The body as the server meant it.

    Args:
        longest: Bytes that it may have.

    Raises:
        BodyError: It is longer, or cannot be decoded.
    """
    body = response.body
    if "chunked" in response.headers.get("transfer-encoding", "").lower():
        body = _join_chunks(body, response.damage)
    for name in reversed(response.headers.get("content-encoding", "").lower().replace(" ", "").split(",")):
        body = _unpack_body(body, name, longest, response.damage)
    if len(body) > longest:
        raise BodyError("longer than max_page_bytes")
    return body


def _join_chunks(data: bytes, damage: list[str]) -> bytes:
    """The content of chunks, up to the first broken one; all as it is where it does not begin with a chunk."""
    parts: list[bytes] = []
    at = 0
    while True:
        stop = data.find(b"\n", at, at + 4096)
        size_text = data[at:stop].split(b";")[0].strip() if stop >= 0 else b""
        try:
            size = int(size_text, 16) if size_text and size_text[:1] not in b"+-" else -1
        except ValueError:
            size = -1
        if size < 0 or stop + 1 + size > len(data):
            if size < 0 and not parts:
                return data  # archived after joining, as many archives do
            body = b"".join([*parts, data[stop + 1:]] if size >= 0 else parts)
            damage.append(f"chunked body is broken; {used(len(body) > 0)}")
            return body
        if size == 0:
            return b"".join(parts)
        parts.append(data[stop + 1:stop + 1 + size])
        at = stop + 1 + size
        at += 2 if data[at:at + 2] == b"\r\n" else 1 if data[at:at + 1] == b"\n" else 0


def _unpack_body(body: bytes, name: str, longest: int, damage: list[str]) -> bytes:
    """Undo one content encoding."""
    if name in ("", "identity", "utf-8"):
        return body
    if name in ("gzip", "x-gzip", "zstd"):
        kind = "zstd" if name == "zstd" else "gzip"
        if kind == "gzip" and not body.startswith(b"\x1f\x8b"):
            return body  # archived after decoding
        found: list[str] = []
        body = unpack(io.BytesIO(body), kind, lambda _, damaged: found.append(damaged)).read(longest + 1)
        damage += [f"{damaged}; {'what can be read' if body else 'nothing'} of it was used" for damaged in found]
        return body
    if name == "deflate":
        return _inflate(body, longest, damage)
    if name == "br":
        return _unbrotli(body, longest, damage)
    raise BodyError(f"unknown content encoding {name[:40]!r}")


def _inflate(body: bytes, longest: int, damage: list[str]) -> bytes:
    """Deflate, with or without the zlib header."""
    for bits in (15, -15):
        unpacker = zlib.decompressobj(bits)
        try:
            out = unpacker.decompress(body, longest + 1)
        except zlib.error:
            continue
        if not unpacker.eof and len(out) <= longest:
            damage.append(f"deflate data is cut short; {used(len(out) > 0)}")
        return out
    raise BodyError("deflate data is damaged")


def _unbrotli(body: bytes, longest: int, damage: list[str]) -> bytes:
    """Brotli, where the library is there; a hundred bytes may stand for a hundred million."""
    try:
        import brotli  # type: ignore[import-untyped]

        unpacker: Any = brotli.Decompressor()
        step = partial(unpacker.process, output_buffer_limit=_STEP_BYTES)
        parts = [step(b"")]  # before 1.2 what it gives has no bound
    except (ImportError, TypeError) as error:
        raise BodyError("Brotli needs the package brotli, 1.2 or newer: pip install -U brotli") from error
    try:
        parts.append(step(body))
        size = len(parts[-1])
        while parts[-1] and size <= longest:
            parts.append(step(b""))
            size += len(parts[-1])
    except brotli.error as error:
        raise BodyError("Brotli data is damaged") from error
    if size <= longest and not unpacker.is_finished():
        damage.append(f"Brotli data is cut short; {used(size > 0)}")
    return b"".join(parts)
