"""What an index stores of each page: all that its report needs, the text packed."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.columns import sums, widths
from dedup.errors import DamagedIndexError
from dedup.index.segments import checksum
from dedup.kernel import kernel
from dedup.model import NO_META, Layout, Page
from dedup.readers.compression import zstd_module

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

LEVEL = 6  # of zstd: a twentieth smaller than 3, and still faster than all else that is done to a page
DICTIONARY_BYTES, SAMPLE_BYTES, LEAST_SAMPLE = 1 << 18, 8 << 20, 1 << 20  # of the words that pages have in common
MOST_TEXT = 1 << 40
ZSTD, LZ4 = range(2)  # how a text is packed
MOST_LZ4 = 1 << 15  # bytes of text: to unpack a longer one takes longer than to make ready for it
COLUMNS = {"start": "<i8", "end": "<i8", "source_start": "<i8", "source_end": "<i8", "line": "<i4", "end_line": "<i4",
           "kind": "u1", "flags": "u1", "link_chars": "<i4", "map_first": "<i8", "map_text": "<i8", "map_source": "<i8",
           "element": "<i4", "parent": "<i4", "feed": "<i8"}
LATER = {"feed"}  # those of which a layout may have none: pages stored by earlier versions do not


class Record(msgspec.Struct, array_like=True, frozen=True):
    """A page as it is stored.

    Attributes:
        number: Of the page in the index; the same id again gets another one.
        id, source, site, url, title: UTF-8, a lone surrogate in three bytes.
        line, place: ``Page.line`` and ``Page.number``.
        digest: Of the text and all else that is stored, to know a page that did not change.
        size: Bytes of the text.
        dictionary: Number of the dictionary that packed the text, 0 for none.
        text: Packed.
        layout: The blocks that the reader knew, packed; empty for none.
        meta: Carried fields, JSON; empty for none.
        packing: ``ZSTD`` or ``LZ4``.
    """

    number: int
    id: bytes
    source: bytes
    site: bytes
    url: bytes | None
    title: bytes | None
    line: int
    place: int
    is_record: bool
    digest: bytes
    size: int
    dictionary: int
    text: bytes
    layout: bytes = b""
    meta: bytes = b""
    packing: int = ZSTD


class StoredLayout(msgspec.Struct, array_like=True, frozen=True):
    """A layout as it is stored: columns by name, and its strings."""

    columns: dict[str, bytes]
    path: list[bytes]
    steps: bytes


class Packer:
    """Packs and unpacks texts with the dictionaries of an index.

    Args:
        dictionaries: By number.
        newest: The one that packs; 0 for none.
        quick: Texts are packed so that they are quickly unpacked, and not so that they are small.
    """

    def __init__(self, dictionaries: dict[int, bytes], newest: int = 0, quick: bool = False) -> None:
        zstd = zstd_module()
        self.newest, self._zstd, self._own, self._quick = newest, zstd, threading.local(), quick
        self._data = {0: b"", **dictionaries}
        self._made = {number: zstd.ZstdDict(data) for number, data in dictionaries.items()}

    def pack_all(self, text: U8, first: I64) -> list[tuple[int, bytes]]:
        """Texts that stand one after the other, smaller, and how each is packed."""
        texts = list(texts_of(text, first))
        if not self._quick:
            return [(ZSTD, self.pack(text)) for text in texts]
        short = [row for row, text in enumerate(texts) if len(text) <= MOST_LZ4]
        data = np.frombuffer(b"".join(texts[row] for row in short), np.uint8)
        blocks, begin = kernel.pack_texts(data, sums(np.array([len(texts[row]) for row in short], np.int64)),
                                          self._data.get(self.newest, b""))
        packed = dict(zip(short, map(bytes, texts_of(blocks, begin)), strict=True))
        return [(LZ4, packed[row]) if row in packed else (ZSTD, self.pack(text)) for row, text in enumerate(texts)]

    def pack(self, text: bytes | memoryview) -> bytes:
        """A text, as small as can be."""
        packer = getattr(self._own, "packer", None)
        if packer is None:  # one serves one thread
            made = self._made.get(self.newest)
            packer = self._own.packer = self._zstd.ZstdCompressor(
                level=LEVEL, zstd_dict=made.as_digested_dict if made is not None else None)
        packed: bytes = packer.compress(text, packer.FLUSH_FRAME)
        return packed

    def unpack(self, record: Record) -> bytes:
        """The text of a record.

        Raises:
            DamagedIndexError: It is not what was stored.
        """
        return self.unpack_all([record])[0]

    def unpack_all(self, records: Sequence[Record]) -> list[bytes]:
        """The texts of some records.

        Raises:
            DamagedIndexError: One is not what was stored.
        """
        kinds = {(record.packing, record.dictionary) for record in records}
        if len(kinds) < 2:
            return self._unpack_alike(records)
        texts = dict[int, bytes]()
        for kind in kinds:
            rows = [row for row, record in enumerate(records) if (record.packing, record.dictionary) == kind]
            texts.update(zip(rows, self._unpack_alike([records[row] for row in rows]), strict=True))
        return [texts[row] for row in range(len(records))]

    def _unpack_alike(self, records: Sequence[Record]) -> list[bytes]:
        """The same of records that are packed in one way."""
        if not records or records[0].packing != LZ4:
            return [self._unpacked(one.text, one.dictionary, one.size, one.number) for one in records]
        dictionary, size = self._data.get(records[0].dictionary), [record.size for record in records]
        if dictionary is None:
            raise _not_unpacked(records[0].number)
        texts, damaged = kernel.unpack_texts([record.text for record in records], np.array(size, np.int64), dictionary)
        if damaged >= 0:
            raise _not_unpacked(records[damaged].number)
        data = texts.data
        return [data[begin:end].tobytes() for begin, end in itertools.pairwise(itertools.accumulate(size, initial=0))]

    def unpack_small(self, data: bytes, number: int) -> bytes:
        """What was packed without a dictionary."""
        size = self._zstd.get_frame_info(data).decompressed_size
        return self._unpacked(data, 0, size, number)

    def _unpacked(self, data: bytes, dictionary: int, size: int | None, number: int) -> bytes:
        try:
            if size is None or self._zstd.get_frame_info(data).decompressed_size != size or not 0 <= size < MOST_TEXT:
                raise ValueError("another size")  # known before there is memory taken for it
            unpacker = self._zstd.ZstdDecompressor(zstd_dict=self._made[dictionary] if dictionary else None)
            text: bytes = unpacker.decompress(data)  # of one frame; the module's function looks for more of them
            if not unpacker.eof or unpacker.unused_data or len(text) != size:
                raise ValueError("not one whole frame")
        except (self._zstd.ZstdError, KeyError, ValueError) as error:
            raise _not_unpacked(number) from error
        return text

    def plain(self, data: bytes) -> bytes:
        """Packed without a dictionary: what has no words."""
        packed: bytes = self._zstd.compress(data, 3)
        return packed


def _not_unpacked(number: int) -> DamagedIndexError:
    return DamagedIndexError(f"the text of page {number} cannot be unpacked")


def train(texts: list[bytes]) -> bytes | None:
    """A dictionary of what texts have in common; ``None`` where there are too few to tell."""
    chosen, size = [], 0
    for text in texts:
        if len(text) < 64:
            continue
        chosen.append(text[:1 << 16])
        size += len(chosen[-1])
        if size > SAMPLE_BYTES:
            break
    if size < LEAST_SAMPLE or len(chosen) < 64:
        return None
    zstd = zstd_module()
    try:
        return bytes(zstd.train_dict(chosen, min(DICTIONARY_BYTES, size // 8)).dict_content)
    except zstd.ZstdError:  # texts that have nothing in common
        return None


def page_records(pages: Sequence[Page], text: U8, first: I64, number: int, packer: Packer,
                 digests: Sequence[bytes]) -> list[Record]:
    """Pages as they are stored, their texts one after the other, numbered from a number on."""
    size = widths(first).tolist()
    return [_record(page, size, own, packed, packer, digest) for own, (page, size, packed, digest) in
            enumerate(zip(pages, size, packer.pack_all(text, first), digests, strict=True), number)]


def _record(page: Page, size: int, number: int, packed: tuple[int, bytes], packer: Packer, digest: bytes) -> Record:
    layout = pack_layout(page.layout, packer) if page.layout is not None else b""
    return Record(number, _utf8(page.id), _utf8(page.source), _utf8(page.site), None if page.url is None else _utf8(page.url),
                  None if page.title is None else _utf8(page.title), page.line, page.number, page.record, digest, size,
                  packer.newest, packed[1], layout, pack_meta(page), packed[0])


def pack_meta(page: Page) -> bytes:
    """The carried fields, as JSON."""
    return json.dumps(dict(page.meta), ensure_ascii=True, default=str).encode() if page.meta else b""


def head_digest(page: Page) -> bytes:
    """What is stored of a page beside text, id and number, as bytes: to know one that did not change."""
    layout = page.layout
    parts: list[Any] = [_utf8(page.source), _utf8(page.site), page.url, page.title, page.line, page.number, page.record,
                        pack_meta(page)]
    if layout is not None:
        parts += [layout.path, layout.steps]
    said = repr(parts).encode("utf-8", "surrogatepass")
    if layout is not None:
        said += b"".join(np.asarray(getattr(layout, name)).tobytes() for name in COLUMNS)
    return said


class Stored(NamedTuple):
    """A page that was read to be scanned.

    Attributes:
        page: Without its text.
        text: In UTF-8.
    """

    page: Page
    text: bytes


def stored_page(record: Record, packer: Packer) -> Page:
    """A page as it was when it was stored.

    Raises:
        DamagedIndexError: It is not what was stored.
    """
    text = packer.unpack(record)
    try:
        return _page(record, packer, _text(text))
    except (UnicodeDecodeError, msgspec.DecodeError, ValueError, TypeError) as error:
        raise DamagedIndexError(f"page {record.number} cannot be read ({error})") from error


def stored_texts(records: Sequence[Record], packer: Packer) -> list[Stored]:
    """The same of some pages, their texts as they are stored.

    Raises:
        DamagedIndexError: One is not what was stored.
    """
    return [_stored(record, text, packer) for record, text in zip(records, packer.unpack_all(records), strict=True)]


def _stored(record: Record, text: bytes, packer: Packer) -> Stored:
    try:
        if not text.isascii():
            _text(text)
        return Stored(_page(record, packer, ""), text)
    except (UnicodeDecodeError, msgspec.DecodeError, ValueError, TypeError) as error:
        raise DamagedIndexError(f"page {record.number} cannot be read ({error})") from error


def _page(record: Record, packer: Packer, text: str) -> Page:
    meta: Any = json.loads(record.meta) if record.meta else NO_META
    title = None if record.title is None else _text(record.title)
    url = None if record.url is None else _text(record.url)
    return Page(_text(record.id), text, _text(record.source), title, meta, url, record.line, record.is_record,
                unpack_layout(record, packer) if record.layout else None, _text(record.site), record.place)


def pack_layout(layout: Layout, packer: Packer) -> bytes:
    """The blocks that a reader knew."""
    columns = {name: np.asarray(getattr(layout, name)).astype(kind).tobytes() for name, kind in COLUMNS.items()
               if name not in LATER or len(getattr(layout, name))}
    return packer.plain(msgspec.msgpack.encode(StoredLayout(columns, list(map(_utf8, layout.path)), _utf8(layout.steps))))


def unpack_layout(record: Record, packer: Packer) -> Layout | None:
    """The blocks that a reader knew, of a record."""
    if not record.layout:
        return None
    stored = msgspec.msgpack.decode(packer.unpack_small(record.layout, record.number), type=StoredLayout)
    if not COLUMNS.keys() - LATER <= stored.columns.keys() <= COLUMNS.keys():
        raise ValueError("other columns")
    columns: dict[str, Any] = {
        name: np.frombuffer(stored.columns.get(name, b""), kind).astype(np.dtype(kind).newbyteorder("="))
        for name, kind in COLUMNS.items()}
    return Layout(**columns, path=tuple(map(_text, stored.path)), steps=_text(stored.steps))


def seal(record: Record) -> bytes:
    """A record with its checksum."""
    data = msgspec.msgpack.encode(record)
    return checksum(data, b"page", record.number) + data


def unseal(data: bytes, number: int) -> Record:
    """A record of which the checksum is right.

    Raises:
        DamagedIndexError: It is not what was stored.
    """
    if data[:4] != checksum(memoryview(data)[4:], b"page", number):
        raise DamagedIndexError(f"the record of page {number} is damaged")
    try:
        record = msgspec.msgpack.decode(memoryview(data)[4:], type=Record)
    except msgspec.DecodeError as error:
        raise DamagedIndexError(f"the record of page {number} cannot be read") from error
    if record.number != number:
        raise DamagedIndexError(f"the record of page {number} is that of page {record.number}")
    return record


def texts_of(text: U8, first: I64) -> Iterator[memoryview]:
    """Texts that stand one after the other."""
    view = np.ascontiguousarray(text).data
    for begin, end in itertools.pairwise(first.tolist()):
        yield view[begin:end]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
