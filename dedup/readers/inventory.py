"""Which files there are and how large they are, before any is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from dedup.options import Options
from dedup.readers.files import Found, find
from dedup.readers.formats import PACKED
from dedup.readers.notes import Notes


def listed(paths: Sequence[Path | str], options: Options, most: int | None = None) -> list[tuple[Found, int]]:
    """The files that would be read, in their order, with their sizes in bytes.

    Args:
        most: Stop after so many; ``None`` for all.
    """
    files: list[tuple[Found, int]] = []
    for found in find(paths, options.include, options.exclude, Notes()):
        try:
            files.append((found, os.stat(found.path).st_size))
        except OSError:  # reading says why
            continue
        if most is not None and len(files) >= most:
            break
    return files


def is_packed(found: Found) -> bool:
    """Whether a file is compressed, by its name, or by its format."""
    return PurePosixPath(found.place).suffix.lower() in PACKED | {".parquet"}


def whole_bytes(paths: Sequence[Path | str], options: Options, most: int) -> int | None:
    """Bytes of all files; ``None`` where there are `most` or more, or some are compressed."""
    files = listed(paths, options, most)
    if len(files) == most or any(is_packed(found) for found, _ in files):
        return None
    return sum(size for _, size in files)


MOST_FILES = 20_000  # that are looked at only to say how much is left
