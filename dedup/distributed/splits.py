"""Input cut into splits that are read apart: a few small files, or a stretch of the lines or row groups of a large one."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from dedup.engines.cluster import Cluster
from dedup.options import Options
from dedup.readers.compression import compression_of
from dedup.readers.decode import wide_codec
from dedup.readers.files import Found, find, open_regular
from dedup.readers.formats import HEAD_BYTES, choose
from dedup.readers.notes import Notes
from dedup.readers.parquet import cut_row_groups

SPLIT_BYTES = 1 << 24  # of files in a split, about
MANY, LARGER = 64, 2  # where there are more splits than that, they become so many times as large at most
COUNTED = 64  # splits whose lines one task counts, at most
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Split:
    """What is read together.

    Attributes:
        files: Files, in order; or the one of which a stretch is read.
        begin, end: The lines of that file that begin at these bytes, or its row groups, half-open; `end` is 0 where whole
            files are read.
        line: Number of the first line or row that begins there.
        references: Its pages are those that others are compared against.
        form: Of a file that is cut: "jsonl" or "parquet".
        last: It is the last stretch of its file.
    """

    files: tuple[Found, ...]
    begin: int = 0
    end: int = 0
    line: int = 1
    references: bool = False
    form: str = ""
    last: bool = False


class LinesBetween(io.RawIOBase):
    """The lines of a file that begin at some bytes.

    Args:
        file: Open, at any place.
        begin, end: Half-open.
    """

    def __init__(self, file: BinaryIO, begin: int, end: int) -> None:
        self._file, self._end = file, end
        self._at = _line_at(file, begin)
        self._last = b"\n"

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, room: Any) -> int:
        """Fill some bytes; how many, 0 at the end."""
        view = memoryview(room)
        if self._at < self._end:
            count: int = self._file.readinto(view[:min(len(view), self._end - self._at)]) or 0  # type: ignore[attr-defined]
        elif self._last == b"\n":
            return 0
        else:  # the rest of a line that began before
            data = self._file.read(len(view))
            count = data.find(b"\n") + 1 or len(data)
            view[:count] = data[:count]
        if count:
            self._last = bytes(view[count - 1:count])
        self._at += count
        return count


def _line_at(file: BinaryIO, begin: int) -> int:
    """Where the first line begins at a byte or behind it; the file is left there."""
    if begin > 0:
        file.seek(begin - 1)
        begin -= 1
        while data := file.read(READ_BYTES):
            found = data.find(b"\n")
            begin += found + 1 if found >= 0 else len(data)
            if found >= 0:
                break
    file.seek(begin)
    return begin


def find_splits(cluster: Cluster, paths: Sequence[Path | str], options: Options, notes: Notes) -> list[Split]:
    """All files under some paths, in the one order, as splits.

    Args:
        notes: Gets what cannot be read.
    """
    splits: list[Split] = []
    small: list[Found] = []
    files = [(found, _size_of(found)) for found in find(paths, options.include, options.exclude, notes)]
    held, most = 0, split_bytes(sum(length for _, length in files))

    def together() -> Iterator[Split]:
        if small:
            yield Split(tuple(small))
            small.clear()
    for found, length in files:
        if stretches := _stretches(found, length, options, most) if length > most else []:
            splits += together()
            held = 0
            splits += [*stretches[:-1], replace(stretches[-1], last=True)]
            continue
        if small and held + length > most:
            splits += together()
            held = 0
        small.append(found)
        held += length
    splits += together()
    return _numbered(cluster, splits)


def split_bytes(total: int) -> int:
    """Bytes of files in a split, about."""
    return min(max(SPLIT_BYTES, total // MANY), LARGER * SPLIT_BYTES)


def _size_of(found: Found) -> int:
    try:
        return os.stat(found.path).st_size
    except OSError:  # who reads it says so
        return 0


def _stretches(found: Found, length: int, options: Options, most: int) -> list[Split]:
    """The stretches of a file that are read apart: lines of JSON, and row groups of Parquet, where they are not packed."""
    try:
        with open_regular(found.path) as file:
            head = file.read(HEAD_BYTES)
            if compression_of(head) or wide_codec(head):
                return []
            form = choose(found.name, head, found.named, options.input_format)[0]
            if form == "jsonl":
                count = -(-length // most)
                return [Split((found,), length * i // count, length * (i + 1) // count, form=form) for i in range(count)]
            if form == "parquet" and find_spec("pyarrow") is not None:
                file.seek(0)
                return [Split((found,), groups.start, groups.stop, 1 + before, form=form)
                        for groups, before in cut_row_groups(file, options, most)]
    except OSError:  # who reads it says so
        pass
    return []


def uncut(splits: Sequence[Split], places: set[str]) -> list[Split]:
    """The splits with some files in one piece."""
    whole: list[Split] = []
    for split in splits:
        if not split.end or split.files[0].place not in places:
            whole.append(split)
        elif split.last:
            whole.append(Split(split.files, references=split.references))
    return whole


def _numbered(cluster: Cluster, splits: list[Split]) -> list[Split]:
    """The splits with the numbers of their first lines."""
    cut = [number for number, split in enumerate(splits) if split.form == "jsonl"]
    counts = dict(zip(cut, _counted(cluster, [splits[number] for number in cut]), strict=True))
    before = 0
    for number in cut:
        split = splits[number]
        before = 0 if split.begin == 0 else before
        inside, begins = counts[number]
        splits[number] = replace(split, line=1 + before + (split.begin > 0 and not begins))
        before += inside
    return splits


def _counted(cluster: Cluster, splits: list[Split]) -> list[tuple[int, bool]]:
    """What ``count_lines`` says of each split. Each core that there is gets some, so that all begin at once."""
    if not splits:
        return []
    tasks = max(min(cluster.width, len(splits)), -(-len(splits) // COUNTED))
    edges = [len(splits) * task // tasks for task in range(tasks + 1)]
    held = cluster.hold(itself, [splits[a:b] for a, b in itertools.pairwise(edges)])
    try:
        return [said for some in held.map(count_lines_of) for said in some]
    finally:
        held.release()


def itself(_: int, value: Any) -> Any:
    """What is held, as it is."""
    return value


def count_lines_of(_: int, splits: list[Split]) -> list[tuple[int, bool]]:
    """What ``count_lines`` says of each split."""
    return list(map(count_lines, splits))


def count_lines(split: Split) -> tuple[int, bool]:
    """Line feeds between the bytes of a split, and whether a line begins at its first byte."""
    count, left = 0, split.end - split.begin
    try:
        with open_regular(split.files[0].path) as file:
            file.seek(max(split.begin - 1, 0))
            begins = split.begin == 0 or file.read(1) == b"\n"
            while left > 0 and (data := file.read(min(left, READ_BYTES))):
                count += int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))
                left -= len(data)
    except OSError:  # who reads it says so
        return 0, True
    return count, begins
