"""A portion of the pages: read from a split, cut into blocks and measured, and held where that was done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.blocks import MOST_MARKED, Corpus, read_corpus
from dedup.distributed.splits import LinesBetween, Split
from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.lsh import LSH
from dedup.options import Options
from dedup.readers.files import open_regular
from dedup.readers.jsonl import read_jsonl
from dedup.readers.notes import Recorded
from dedup.readers.reading import Reading, Stretches
from dedup.readers.stream import PageStream, read_file

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]


@dataclass(slots=True)
class Portion:
    """Pages that follow each other.

    Attributes:
        corpus: Their columns, with ids as they were read.
        bands: Keys of the bands of each page's sketch, shape ``(bands, pages)``, ``uint32``; ``None`` where pages are not
            sketched.
        digest: A digest of each page's text, ``uint64``.
        notes: What could not be read.
        references: The pages are those that others are compared against.
    """

    corpus: Corpus
    bands: U32 | None
    digest: U64
    notes: Recorded
    references: bool


def read_portion(_: int, split: Split, options: Options) -> Portion:
    """The pages of a split."""
    notes = Recorded()
    stream = PageStream(lambda stream: _items(split, options, notes, stream), options, notes)
    return portion_of(stream, notes, options, split.references)


def portion_of(stream: Any, notes: Recorded, options: Options, references: bool) -> Portion:
    """The pages of a stream whose notes are recorded."""
    stream.bytes_of_few = lambda _: MOST_MARKED  # no table of grams: they are marked where they meet
    lsh = sketch_of(options)
    corpus, tokens = read_corpus(stream, LocalEngine(1), options, None, (lsh.bands, lsh.rows) if lsh is not None else None)
    bands = None
    if lsh is not None:
        columns = [keys.reshape(lsh.bands, -1) for keys in tokens.bands]
        bands = np.concatenate([np.empty((lsh.bands, 0), np.uint32), *columns], axis=1)
    return Portion(corpus, bands, kernel.byte_digests(corpus.text, corpus.page_start), notes, references)


def sketch_of(options: Options) -> LSH | None:
    """The bands of whole pages, where those are sketched."""
    sketched = options.unit == "page" and options.find != "exact" and not options.exhaustive
    return LSH.for_threshold(options.least_jaccard) if sketched else None


def _items(split: Split, options: Options, notes: Recorded, stream: PageStream) -> Stretches:
    """What stands in a split."""
    if split.end:
        yield from _lines(split, Reading(split.files[0], options, notes))
        return
    for found in split.files:
        yield from read_file(found, options, notes, stream)
        notes.close_file(found.place)


def _lines(split: Split, reading: Reading) -> Stretches:
    """The pages of a stretch of a file."""
    try:
        with open_regular(reading.file.path) as file:
            size = file.seek(0, 2)
            yield from read_jsonl(LinesBetween(file, split.begin, split.end), reading, split.line)  # type: ignore[arg-type]
            if split.end >= size:
                reading.notes.close_file(reading.file.place)
    except OSError as error:
        cause = error.strerror or str(error)
        reading.fail(None, f"cannot be read ({cause}), skipped", "unreadable file")


def reading_options(options: Options) -> Options:
    """Settings for one of many that read: one thread, and no places of this machine."""
    return replace(options, threads=1, memory=None, temp_dir=None, checkpoint=None)


