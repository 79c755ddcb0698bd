"""A portion of the pages: read from a split, cut into blocks and measured, and held where that was done."""

from __future__ import annotations

import contextlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec.structs
import numpy as np
import numpy.typing as npt

from dedup.blocks import NO_TEXT, read_corpus
from dedup.corpus import Corpus
from dedup.distributed.corpora import without_text
from dedup.distributed.splits import SPLIT_BYTES, LinesBetween, Split
from dedup.engines.cluster import CHANGED
from dedup.engines.local import LocalEngine
from dedup.equal_blocks import small_repeats
from dedup.errors import InputError
from dedup.heads import Strings, Utf8
from dedup.kernel import kernel
from dedup.lsh import LSH
from dedup.options import Options
from dedup.readers.files import Found, open_regular
from dedup.readers.jsonl import read_jsonl
from dedup.readers.notes import Recorded
from dedup.readers.parquet import damaged, pages_of_batches, read_row_groups
from dedup.readers.reading import Items, Pending, Reading, Stretches, Texts
from dedup.readers.stream import PageStream, read_file
from dedup.readers.tables import record_name

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


QUOTE = ord(">")  # at the start of a block, it quotes a mail: verdicts look at it
UNREADABLE = "unreadable file"  # reason for which it is skipped
TABLE = "input"  # what rows of a table name as their source


@dataclass(slots=True)
class Portion:
    """Pages that follow each other.

    Attributes:
        corpus: Their columns, with ids as they were read, without texts.
        text: Their texts, or where these are kept.
        bands: Keys of the bands of each page's sketch, shape ``(bands, pages)``, ``uint32``; ``None`` where pages are not
            sketched.
        digest: A digest of each page's text, shape ``(pages, 2)``, ``uint64``.
        notes: What could not be read.
        references: The pages are those that others are compared against.
        looked_at: Pages of which verdicts look at the text, whatever is found.
    """

    corpus: Corpus
    text: U8 | Kept
    bands: U32 | None
    digest: U64
    notes: Recorded
    references: bool
    looked_at: Flags

    @property
    def whole(self) -> Corpus:
        """The columns with the texts."""
        text = self.text.read(self.mark) if isinstance(self.text, Kept) else self.text
        return msgspec.structs.replace(self.corpus, text=text)

    @property
    def mark(self) -> int:
        """Says whether a portion that was made again has the same pages."""
        return zlib.crc32(self.digest.tobytes())


@dataclass(frozen=True, slots=True)
class Numbering:
    """Numbers of pages: their places in the one order.

    Attributes:
        first: Pages before each portion, one longer than the portions.
        marks: Of the portions.
        rank: Of each page, portion after portion; ``None`` where that is the order.
    """

    first: I64
    marks: tuple[int, ...]
    rank: I64 | None = None

    def of(self, number: int, portion: Portion) -> I64:
        """Numbers of a portion's pages.

        Raises:
            InputError: The portion had to be made again, and its pages are others now.
        """
        if portion.mark != self.marks[number]:
            raise InputError(*CHANGED)
        return self.numbers(number)

    def numbers(self, number: int) -> I64:
        """Numbers of the pages that a portion had when they were numbered."""
        begin, end = self.first[number:number + 2]
        return np.arange(begin, end) if self.rank is None else self.rank[begin:end]


@dataclass(frozen=True, slots=True)
class Kept:
    """Texts in a file of the machine that read them; elsewhere, or when it is gone, they are read again.

    Attributes:
        path, size: The file.
        split, options: Where the texts came from, and how they were read.
    """

    path: str
    size: int
    split: Split
    options: Options

    def read(self, mark: int) -> U8:
        """The texts.

        Args:
            mark: Of the portion.

        Raises:
            InputError: They had to be read again, and are others now.
        """
        try:
            if os.path.getsize(self.path) == self.size:
                return np.memmap(self.path, np.uint8, "r") if self.size else NO_TEXT
        except OSError:
            pass
        again = portion_of_split(self.split, self.options)
        if again.mark != mark or isinstance(again.text, Kept):
            raise InputError(*CHANGED)
        return again.text


def read_portion(_: int, split: Split, options: Options) -> Portion:
    """The pages of a split; their texts stay on the disk of the machine that reads them."""
    portion = portion_of_split(split, options)
    text = portion.text
    assert not isinstance(text, Kept)
    path = _written(text)
    return portion if path is None else replace(portion, text=Kept(path, len(text), split, options))


def _written(text: U8) -> str | None:
    """A file with a text; ``None`` where there is no room: it goes where all else is held."""
    try:
        with tempfile.NamedTemporaryFile(dir=_own_folder(), prefix="dedup-", delete=False) as file:
            try:
                file.write(text.data)
                file.flush()
            except OSError:
                os.unlink(file.name)
                raise
    except OSError:
        return None
    return file.name


def forget(_: int, portion: Portion) -> None:
    """The texts are not needed any more."""
    if isinstance(portion.text, Kept):
        with contextlib.suppress(OSError):
            os.unlink(portion.text.path)


def _own_folder() -> str:
    """Where a worker of Spark may keep files, which go when it ends; elsewhere that of temporary files."""
    return os.environ.get("SPARK_LOCAL_DIRS", "").split(",")[0] or tempfile.gettempdir()


def portion_of_split(split: Split, options: Options) -> Portion:
    """The pages of a split, with their texts."""
    notes = Recorded()
    stream = PageStream(lambda stream: _items(split, options, notes, stream), options, notes)
    return portion_of(stream, notes, options, split.references)


def portion_of(stream: Any, notes: Recorded, options: Options, references: bool) -> Portion:
    """The pages of a stream whose notes are recorded."""
    lsh = sketch_of(options)
    corpus, tokens = read_corpus(stream, LocalEngine(1), options, None, (lsh.bands, lsh.rows) if lsh is not None else None)
    bands = None
    if lsh is not None:
        columns = [keys.reshape(lsh.bands, -1) for keys in tokens.bands]
        bands = np.concatenate([np.empty((lsh.bands, 0), np.uint32), *columns], axis=1)
        digest = np.concatenate([np.empty(0, np.uint64), *tokens.digests]).reshape(-1, 2)
    else:
        digest = kernel.byte_digests(corpus.text, corpus.page_start).reshape(-1, 2)
    return Portion(without_text(corpus), corpus.text, bands, digest, notes, references, _looked_at(corpus, options))


def _looked_at(corpus: Corpus, options: Options) -> Flags:
    """Pages with short blocks that stand twice, or with quotes of mails."""
    looked_at = np.zeros(len(corpus.pages), bool)
    if options.unit == "block":
        looked_at[[page for page, _ in small_repeats(corpus, 2 * options.min_tokens)]] = True
        filled = corpus.end > corpus.start
        looked_at[corpus.block_page[filled][corpus.text[corpus.start[filled]] == QUOTE]] = True
    return looked_at


def portions_of_batches(_: int, batches: Iterator[Any], options: Options, references: bool) -> Iterator[Portion]:
    """The pages of the rows of a table's partition, in portions. Rows without an id get a digest of their text.

    Nothing says where a row stood: that may be elsewhere the next time.
    """
    for some in _in_portions(batches):
        notes = Recorded()
        reading = Reading(Found(Path(TABLE), TABLE, TABLE, "", "", True), options, notes)
        stream = PageStream(partial(_rows, some, reading), options, notes)
        portion = portion_of(stream, notes, options, references)
        heads = portion.corpus.pages
        ids = heads.ids[:]
        if "" in ids:
            heads.ids = Strings()
            digests = portion.digest[:, 0].tolist()
            heads.ids.extend(Utf8.of([name or f"{digest:016x}" for name, digest in zip(ids, digests, strict=True)]))
        yield portion


def _in_portions(batches: Iterator[Any]) -> Iterator[list[Any]]:
    """Arrow batches, or slices of them, together as large as a split."""
    held: list[Any] = []
    size = 0
    for batch in batches:
        count = max(1, -(-batch.nbytes // SPLIT_BYTES))
        rows = max(1, -(-batch.num_rows // count))
        for at in range(0, batch.num_rows, rows):
            piece = batch.slice(at, rows)
            if held and size + piece.nbytes > SPLIT_BYTES:
                yield held
                held, size = [], 0
            held.append(piece)
            size += piece.nbytes
    if held:
        yield held


def _rows(batches: list[Any], reading: Reading, _: PageStream) -> Items:
    """The pages of rows, which have no place; without an id their name is empty."""
    for item in pages_of_batches(iter(batches), reading, numbered=False):
        assert not isinstance(item, Texts)  # rows without an order come one by one
        page = item.page if isinstance(item, Pending) else item
        name = "" if page.id == record_name(None, reading.file, -1) else page.id
        page = replace(page, id=name, line=1, record=False, number=0)
        yield replace(item, page=page) if isinstance(item, Pending) else page


def sketch_of(options: Options) -> LSH | None:
    """The bands of whole pages, where those are sketched."""
    sketched = options.unit == "page" and options.find != "exact" and not options.exhaustive
    return LSH.for_threshold(options.least_jaccard) if sketched else None


def _items(split: Split, options: Options, notes: Recorded, stream: PageStream) -> Stretches:
    """What stands in a split."""
    if split.end:
        yield from _stretch(split, Reading(split.files[0], options, notes))
        return
    for found in split.files:
        yield from read_file(found, options, notes, stream)
        notes.close_file(found.place)


def _stretch(split: Split, reading: Reading) -> Stretches:
    """The pages of a stretch of a file."""
    try:
        with open_regular(reading.file.path) as file:
            if split.form == "parquet":
                yield from read_row_groups(file, reading, range(split.begin, split.end), split.line - 1)
            else:
                yield from read_jsonl(LinesBetween(file, split.begin, split.end), reading, split.line)  # type: ignore[arg-type]
            if split.last:
                reading.notes.close_file(reading.file.place)
    except OSError as error:
        cause = error.strerror or str(error)
        reading.fail(None, f"cannot be read ({cause}), skipped", UNREADABLE)


def broken_tables(_: int, portion: Portion) -> list[str]:
    """Places of files in which not all could be read: what stands behind it counts on one machine no more."""
    lost = damaged("parquet"), UNREADABLE
    return [arguments[1] for name, arguments in portion.notes.told if name == "skip" and arguments[0] in lost]


def reading_options(options: Options) -> Options:
    """Settings for one of many that read: one thread, and no places of this machine."""
    return replace(options, threads=1, memory=None, temp_dir=None, checkpoint=None)


