"""Compressed content, read and written; the same content always gives the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from dedup.readers.compression import Damage, compression_of, unpack, zstd_module
from dedup.readers.files import open_regular

_GZIP_LEVEL, _ZSTD_LEVEL = 6, 3  # those of the two commands
_BUFFER_BYTES = 1 << 18


def open_content(raw: BinaryIO, damage: Damage | None = None) -> tuple[BinaryIO, str]:
    """What a file holds, decompressed, as its readers see it; and "gzip", "zstd" or nothing.

    Args:
        damage: See `dedup.readers.compression.unpack`.
    """
    stream: Any = raw if hasattr(raw, "peek") else io.BufferedReader(cast(io.RawIOBase, raw))
    compression = compression_of(stream.peek(4)[:4])
    return unpack(stream, compression, damage or (lambda _message, _kind: None)), compression


@contextmanager
def packed(raw: IO[bytes], compression: str) -> Iterator[BinaryIO]:
    """A stream whose content comes compressed into another one, which stays open.

    Args:
        compression: "gzip" (without name and time), "zstd" (with the frame's checksum), or nothing.
    """
    if not compression:
        yield cast(BinaryIO, raw)
        return
    packer: Any
    if compression == "gzip":
        packer = gzip.GzipFile("", "wb", _GZIP_LEVEL, cast(BinaryIO, raw), mtime=0)
    elif compression == "zstd":
        zstd = zstd_module()
        names = zstd.CompressionParameter
        options = {names.compression_level: _ZSTD_LEVEL, names.checksum_flag: 1}
        packer = zstd.ZstdFile(raw, "w", options=options)
    else:
        raise ValueError(f"no compression is called {compression!r}; there are gzip and zstd")
    begin = raw.tell()
    with packer, io.BufferedWriter(packer, _BUFFER_BYTES) as stream:
        yield cast(BinaryIO, stream)
    if raw.tell() == begin:  # of no bytes ZstdFile makes none, which are no frame
        raw.write(zstd.compress(b"", options=options))


def content_digest(path: Path, compression: str, damage: Damage | None = None) -> str:
    """SHA-256 of what a file holds, decompressed: the digest that manifests have.

    Args:
        damage: See `dedup.readers.compression.unpack`.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with open_regular(path) as raw:
        content: Any = unpack(raw, compression, damage or (lambda _message, _kind: None))
        while data := content.read(_BUFFER_BYTES):
            digest.update(data)
    return digest.hexdigest()
