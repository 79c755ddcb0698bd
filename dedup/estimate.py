"""What a scan would take: a sample is scanned, and its figures are scaled to the whole."""

from __future__ import annotations

import io
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from dedup.errors import InputError
from dedup.filed import LEAST_IN_FILE
from dedup.memory import default_memory, free_disk, memory_of, spare_bytes
from dedup.model import Page
from dedup.options import Options, memory_bytes
from dedup.profile import Profile, private_bytes
from dedup.readers.files import Found, is_pipe_to_us, open_regular, with_beginning
from dedup.readers.formats import suffix_of
from dedup.readers.inventory import is_packed, listed
from dedup.readers.notes import Notes
from dedup.readers.reading import Reading
from dedup.readers.stream import PageStream, read_stream
from dedup.stages import Stages

SAMPLE_BYTES = 12_000_000  # of input
LEAST_FILES = 8  # that the sample is taken from, if there are so many
MOST_TRIED = 64  # times as much is scanned where a sample has no page
PLACES = 24  # in all files, from which a sample of records a line is taken
LINES = {".jsonl", ".ndjson"}  # of which any line can be read alone
PART = 1 << 16  # bytes of other files that are read at a time
TABLES = {".parquet", ".arrow", ".feather", ".ipc"}
START_SECONDS = 0.3  # of the interpreter and its libraries
START_BYTES = 60_000_000
FIXED_BYTES = 24_000_000  # of blocks that are there for the smallest input
BLOCKS_A_BYTE = 3.0  # of memory, a byte of text, where the system does not say
TOKEN_BYTES = 4  # of a column with a number for each token
MOST_GROWTH = 4.0  # of memory, times what grows with the input: of very many pairs few are held at a time
LINK_BYTES = 280  # of text, that takes as long as a verified pair of places does
SLOWER = 0.7  # how much faster than the input pairs go on to grow, of how much faster they grow in a sample
IN_MEMORY = 0.9  # share of what lies in the file where it is long that was among the sample's blocks


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a scan would take.

    Attributes:
        files, input_bytes: What would be read.
        pages, text_bytes: About so many pages with so much text (code points are counted as a byte each).
        seconds: Of wall time.
        memory: Bytes that the process would need to keep nothing on disk.
        limit: Bytes that it may have.
        disk: Bytes that would lie on disk, and of those that are free, where the file would be.
        free: See `disk`; 0 where nobody knows.
        sampled: Bytes of the input that were scanned to know this.
    """

    files: int
    input_bytes: int
    pages: int
    text_bytes: int
    seconds: float
    memory: int
    limit: int
    disk: int
    free: int
    sampled: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def estimate(paths: Sequence[Path], options: Options) -> Estimate:
    """Scan a sample of files and say what all of them would take.

    The sample is taken from everywhere, and half of it is scanned, too: what grows faster than the input, as pairs of copies
    do, is told by that.

    Raises:
        InputError: There is nothing to read, or it is a pipe.
    """
    from dedup.kernel import kernel

    files = listed(paths, options)
    total = sum(size for _, size in files)
    for found, _ in files:
        if is_pipe_to_us(found.path):
            raise InputError("how much a pipe holds cannot be told beforehand", str(found.path), "Save it to a file first.")
    if not total:
        raise InputError("nothing to read", str(paths[0]) if paths else "")
    kernel.release_memory()  # what an earlier scan left free is none of it
    before, size = private_bytes(), SAMPLE_BYTES
    half = None if total <= size else _scanned(files, size // 2, options)
    whole = _scanned(files, size, options)
    while not whole.pages and size < min(total, MOST_TRIED * SAMPLE_BYTES):  # the first record is longer
        size *= 4
        half, whole = None, _scanned(files, size, options)
    times = total / min(max(whole.consumed, 1), total)
    text_bytes = int(whole.text_bytes * times)
    filed = whole.in_file * times if text_bytes >= LEAST_IN_FILE else 0  # the sample's were in memory

    def own(part: Scanned) -> float:
        """Bytes that a scan itself took."""
        blocks = part.peak - before - FIXED_BYTES if before else int(BLOCKS_A_BYTE * part.text_bytes)
        return max(blocks - IN_MEMORY * part.in_file, part.text_bytes / 5) if filed else max(blocks, part.text_bytes)
    pairs = whole.pairs_among(half)
    grows = pairs * faster(own(whole), own(half)) if half else 0.0
    memory = int(max(before, START_BYTES) + FIXED_BYTES
                 + (own(whole) - grows + grows * min(times ** 0.5, MOST_GROWTH)) * times)
    limit = default_memory() if options.memory is None else memory_bytes(options.memory)
    disk = int(filed) + (max(memory - limit + sum(spare_bytes(limit)), 0) if memory > limit else 0)
    return Estimate(len(files), total, round(whole.pages * times), text_bytes,
                    START_SECONDS + whole.seconds * whole.more_work(times, pairs), memory, limit, disk,
                    free_disk(options.temp_dir), min(whole.consumed, total))


def faster(whole: float, half: float) -> float:
    """The part of a figure that grows with the square of the input, by what half of the input took.

    >>> faster(100, 50), faster(100, 25), faster(100, 40)
    (0.0, 100.0, 40.0)
    """
    return float(min(max(2 * whole - 4 * half, 0.0), whole))


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a sample took.

    Attributes:
        consumed: Bytes of the input.
        text_bytes, pages: What was in them.
        in_file: The most bytes of columns that lie in the file where they are long.
        links: Verified pairs of places.
        peak: Most private bytes of the process.
    """

    consumed: int
    text_bytes: int
    pages: int
    in_file: int
    links: int
    seconds: float
    peak: int

    def more_work(self, times: float, pairs: float) -> float:
        """How much longer so many times the input takes: pairs may be more than so many times those that there are.

        Args:
            pairs: As of ``pairs_among``.
        """
        links = self.links * times ** (1 + SLOWER * pairs)
        own = max(self.text_bytes + LINK_BYTES * self.links, 1)
        return float(max(self.text_bytes * times + LINK_BYTES * links, times) / own)

    def pairs_among(self, half: Scanned | None) -> float:
        """From 0.0, where pairs are as many as the input is long, to 1.0, where they grow with its square.

        Copies that are few in the sample are more in the whole, but of very many not all pairs are looked at.
        """
        if half is None or not self.links:
            return 0.0
        return min(max(math.log2(self.links / max(half.links, 1)) - 1, 0.0), 1.0)


def sample(files: Sequence[tuple[Found, int]], most: int) -> list[tuple[Found, int]]:
    """Files from everywhere in a list, each with how many of its bytes are read, `most` in all."""
    files = [(found, size) for found, size in files if size]
    total = sum(size for _, size in files)
    if total <= most:
        return files
    count = min(len(files), max(LEAST_FILES, round(most * len(files) / total)))
    picked = [files[int((number + 0.5) * len(files) / count)] for number in range(count)]
    return [(found, min(size, max(most // count, 1))) for found, size in picked]


class _Sample:
    """The pages of a sample.

    Attributes:
        consumed: Bytes of the input that were read for it.
    """

    def __init__(self, chosen: Sequence[tuple[Found, int]], options: Options) -> None:
        self._chosen, self._options, self._notes, self.consumed = chosen, options, Notes(), 0

    def stream(self) -> PageStream:
        """The pages, to be gone over once."""
        return PageStream(self._items, self._options, self._notes)

    def _items(self, stream: PageStream) -> Iterator[Any]:
        for found, most in self._chosen:
            reading = Reading(found, self._options, self._notes)
            try:
                with open_regular(found.path) as file:
                    if suffix_of(found.place) in LINES and not is_packed(found):
                        parts = self._counted(line_parts(file, most, max(PLACES // len(self._chosen), 1)))
                        yield from read_stream(with_beginning(_Parts(parts)), reading)
                        continue
                    self.consumed += most
                    if suffix_of(found.place) in TABLES:  # read by seeking
                        yield from _first(read_stream(file, reading), most * _unpacked(found.path))
                    else:
                        head = with_beginning(_Parts(head_parts(file, most)))
                        yield from read_stream(head, reading)
            except OSError:  # the scan says why
                continue

    def _counted(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        for part in parts:
            self.consumed += len(part)
            yield part


def head_parts(file: BinaryIO, most: int) -> Iterator[bytes]:
    """The first bytes of a file."""
    while part := file.read(min(most, PART)):
        most -= len(part)
        yield part


def line_parts(file: BinaryIO, most: int, places: int) -> Iterator[bytes]:
    """Whole lines from some places of a file, evenly apart, about `most` bytes; of a place at least one line."""
    size = file.seek(0, os.SEEK_END)
    if most >= size:
        places = 1
    for place in range(places):
        begin = size * place // places
        if place and begin <= file.tell():  # a long line reached beyond
            continue
        file.seek(begin)
        if begin:
            file.readline()
        part = file.read(max(most // places, 1))
        if not part:  # the last line began before
            return
        end = part.rfind(b"\n") + 1
        yield part[:end] if end else part + file.readline()


def _first(items: Iterator[Any], text_bytes: float) -> Iterator[Any]:
    """Pages until so much text was read."""
    for item in items:
        yield item
        text_bytes -= len(item.text)
        if text_bytes <= 0:
            return


def _unpacked(path: Path) -> float:
    """How many times larger a table is when it is unpacked, as far as it says so."""
    if path.suffix.lower() != ".parquet":
        return 1.0
    from pyarrow import parquet

    try:
        whole = parquet.read_metadata(path)
    except (OSError, ValueError):
        return 1.0
    unpacked = sum(int(whole.row_group(n).total_byte_size) for n in range(whole.num_row_groups))
    return unpacked / max(path.stat().st_size, 1)


def _scanned(files: Sequence[tuple[Found, int]], most: int, options: Options) -> Scanned:
    """Scan a sample of about `most` bytes."""
    from dedup.kernel import kernel
    from dedup.pipeline import find_duplicates

    chosen, profile, begun = _Sample(sample(files, most), options), Profile(), time.perf_counter()
    pages: Any = _Quiet(chosen.stream())
    with memory_of(options):
        stages = Stages(profile)
        findings, _ = find_duplicates(pages, options, stages)
        stages.stop()
        corpus, page = findings.corpus, options.unit == "page"
        text_bytes, tokens = int(corpus.page_start[-1]), int(corpus.token_first[-1])
        in_file = text_bytes + (0 if page else TOKEN_BYTES * tokens) if len(kernel.room_in_file(1)) else 0
        return Scanned(chosen.consumed, text_bytes, len(corpus.pages), in_file, len(findings.passages.whole.a0),
                       time.perf_counter() - begun, max(stage.peak_memory for stage in profile.stages))


class _Quiet:
    """A stream's pages, without what else it tells: sizes of whole files would make room for all of their text."""

    def __init__(self, stream: PageStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Page]:
        return iter(self._stream)

    def stretches(self) -> Iterator[Any]:
        """The pages, some of them together."""
        return self._stream.stretches()

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that records had so far."""
        return self._stream.fields


class _Parts(io.RawIOBase):
    """Parts of a file, one after the other."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._rest = parts, memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill what is asked for, as long as there is something."""
        if not self._rest:
            self._rest = memoryview(next(self._parts, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
