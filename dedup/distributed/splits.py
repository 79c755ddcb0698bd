"""Input cut into splits that are read apart: a few small files, or a stretch of the lines or row groups of a large one."""

from __future__ import annotations

import io
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
    held = 0

    def together() -> Iterator[Split]:
        if small:
            yield Split(tuple(small))
            small.clear()
    for found in find(paths, options.include, options.exclude, notes):
        length = _size_of(found)
        if stretches := _stretches(found, length, options) if length > SPLIT_BYTES else []:
            splits += together()
            held = 0
            splits += [*stretches[:-1], replace(stretches[-1], last=True)]
            continue
        if small and held + length > SPLIT_BYTES:
            splits += together()
            held = 0
        small.append(found)
        held += length
    splits += together()
    return _numbered(cluster, splits)


def _size_of(found: Found) -> int:
    try:
        return os.stat(found.path).st_size
    except OSError:  # who reads it says so
        return 0


def _stretches(found: Found, length: int, options: Options) -> list[Split]:
    """The stretches of a file that are read apart: lines of JSON, and row groups of Parquet, where they are not packed."""
    try:
        with open_regular(found.path) as file:
            head = file.read(HEAD_BYTES)
            if compression_of(head) or wide_codec(head):
                return []
            form = choose(found.name, head, found.named, options.input_format)[0]
            if form == "jsonl":
                count = -(-length // SPLIT_BYTES)
                return [Split((found,), length * i // count, length * (i + 1) // count, form=form) for i in range(count)]
            if form == "parquet" and find_spec("pyarrow") is not None:
                file.seek(0)
                return [Split((found,), groups.start, groups.stop, 1 + before, form=form)
                        for groups, before in cut_row_groups(file, options, SPLIT_BYTES)]
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
    counts = dict(zip(cut, _mapped(cluster, count_lines, [splits[number] for number in cut]), strict=True))
    before = 0
    for number in cut:
        split = splits[number]
        before = 0 if split.begin == 0 else before
        inside, begins = counts[number]
        splits[number] = replace(split, line=1 + before + (split.begin > 0 and not begins))
        before += inside
    return splits


def _mapped(cluster: Cluster, stage: Any, items: list[Split]) -> list[Any]:
    if not items:
        return []
    held = cluster.hold(stage, items)
    try:
        return list(held.map(_itself))
    finally:
        held.release()


def _itself(_: int, value: Any) -> Any:
    return value


def count_lines(_: int, split: Split) -> tuple[int, bool]:
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
