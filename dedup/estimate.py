"""What a scan would take: a sample is scanned, and its figures are scaled to the whole."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from dedup.errors import InputError
from dedup.filed import LEAST_IN_FILE
from dedup.memory import default_memory, free_disk, memory_of, spare_bytes
from dedup.model import Page
from dedup.options import Options, memory_bytes
from dedup.profile import Profile, private_bytes
from dedup.readers.files import Found, is_pipe_to_us, open_regular
from dedup.readers.formats import suffix_of
from dedup.readers.inventory import listed
from dedup.readers.notes import Notes
from dedup.readers.reading import Reading
from dedup.readers.stream import PageStream, read_stream
from dedup.stages import Stages

SAMPLE_BYTES = 12_000_000  # of input
LEAST_FILES = 8  # that the sample is taken from, if there are so many
TABLES = {".parquet", ".arrow", ".feather", ".ipc"}
START_SECONDS = 0.3  # of the interpreter and its libraries
START_BYTES = 60_000_000
FIXED_BYTES = 24_000_000  # of blocks that are there for the smallest input
BLOCKS_A_BYTE = 3.0  # of memory, a byte of text, where the system does not say
TOKEN_BYTES = 4  # of a column with a number for each token
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

    Time and memory grow with the input; a collection whose copies stand far apart has fewer of them in its sample.

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
    chosen = sample(files)
    stream = _stream(chosen, options)
    kernel.release_memory()  # what an earlier scan left free is none of it
    profile, before, begun = Profile(), private_bytes(), time.perf_counter()
    text_bytes, pages, in_file = _scanned(stream, options, profile)
    seconds = time.perf_counter() - begun
    consumed = sum(most for _, most in chosen)
    times = total / consumed
    peak = max(stage.peak_memory for stage in profile.stages)
    blocks = peak - before - FIXED_BYTES if before else int(BLOCKS_A_BYTE * text_bytes)
    filed = in_file * times if text_bytes * times >= LEAST_IN_FILE else 0  # the sample's were in memory
    own = max(blocks - IN_MEMORY * in_file, text_bytes / 5) if filed else max(blocks, text_bytes)
    memory = int(max(before, START_BYTES) + FIXED_BYTES + own * times)
    limit = default_memory() if options.memory is None else memory_bytes(options.memory)
    disk = int(filed) + (max(memory - limit + sum(spare_bytes(limit)), 0) if memory > limit else 0)
    return Estimate(len(files), total, round(pages * times), int(text_bytes * times), START_SECONDS + seconds * times, memory,
                    limit, disk, free_disk(options.temp_dir), consumed)


def sample(files: Sequence[tuple[Found, int]]) -> list[tuple[Found, int]]:
    """Files from everywhere in a list, each with how many of its first bytes are read."""
    files = [(found, size) for found, size in files if size]
    total = sum(size for _, size in files)
    if total <= SAMPLE_BYTES:
        return files
    count = min(len(files), max(LEAST_FILES, round(SAMPLE_BYTES * len(files) / total)))
    picked = [files[int((number + 0.5) * len(files) / count)] for number in range(count)]
    return [(found, min(size, max(SAMPLE_BYTES // count, 1))) for found, size in picked]


def _stream(chosen: Sequence[tuple[Found, int]], options: Options) -> PageStream:
    notes = Notes()

    def items(stream: PageStream) -> Iterator[Any]:
        for found, most in chosen:
            reading = Reading(found, options, notes)
            try:
                with open_regular(found.path) as file:
                    if suffix_of(found.place) in TABLES:  # read by seeking
                        yield from _first(read_stream(file, reading), most * _unpacked(found.path))
                    else:
                        yield from read_stream(cast(BinaryIO, io.BufferedReader(_Head(file, most))), reading)
            except OSError:  # the scan says why
                continue
    return PageStream(items, options, notes)


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


def _scanned(stream: PageStream, options: Options, profile: Profile) -> tuple[int, int, int]:
    """Bytes of text and pages that were scanned, and the most bytes of columns that lie in the file where they are long."""
    from dedup.kernel import kernel
    from dedup.pipeline import find_duplicates

    pages: Any = _Quiet(stream)
    with memory_of(options):
        stages = Stages(profile)
        findings, _ = find_duplicates(pages, options, stages)
        stages.stop()
        corpus, page = findings.corpus, options.unit == "page"
        text_bytes, tokens = int(corpus.page_start[-1]), int(corpus.token_first[-1])
        in_file = text_bytes + (0 if page else TOKEN_BYTES * tokens) if len(kernel.room_in_file(1)) else 0
        return text_bytes, len(corpus.pages), in_file


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


class _Head(io.RawIOBase):
    """The first bytes of a file."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self._left = file, most

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill what is asked for, as long as there is something."""
        data = self._file.read(min(len(buffer), self._left))
        buffer[:len(data)] = data
        self._left -= len(data)
        return len(data)
