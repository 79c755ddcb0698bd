"""JSON lines and arrays of JSON objects, streaming. One bad byte costs one line, never the rest."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from dedup.readers.reading import READ_BYTES, Items, Reading
from dedup.readers.tables import Records

# Dots lead into nested fields; the others msgspec takes in no field's name.
_SLOW_NAME = re.compile(r"""[."'\\\x00-\x1f\x7f\ud800-\udfff]""")
Block = tuple[int, bytes | None]  # number of its first line; whole lines, or None for a line that is too long


def read_blocks(stream: BinaryIO, longest: int) -> Iterator[Block]:
    """Whole lines, about a megabyte at a time, split on LF only.

    Args:
        longest: Bytes that a line may have; of a longer one nothing is kept.
    """
    line, held, over = 1, 0, False
    parts: list[bytes] = []
    while data := stream.read(READ_BYTES):
        if line == 1 and not parts:
            data = data.removeprefix(codecs.BOM_UTF8)
        cut = data.rfind(b"\n") + 1
        if not cut:
            held += len(data)
            over = over or held > longest
            parts = [] if over else [*parts, data] if len(parts) < 64 else [b"".join([*parts, data])]
            continue
        if over or held + data.find(b"\n") > longest:
            yield line, None
            line += 1
            first = data.find(b"\n") + 1
            data, cut = data[first:], cut - first
            parts, held, over = [], 0, False
        block = b"".join([*parts, data[:cut]]) if parts else data[:cut]
        rest = data[cut:]
        parts, held = ([rest] if rest else []), len(rest)
        del data
        if block:
            count = block.count(b"\n")
            yield line, block
            line += count
        del block
    if over:
        yield line, None
    elif parts:
        block = b"".join(parts)
        parts.clear()
        yield line, block


def read_jsonl(stream: BinaryIO, reading: Reading) -> Items:
    """The pages of a JSON Lines file."""
    records = Records(reading)
    fast = None if any(map(_SLOW_NAME.search, (*records.texts, *records.ids, *records.meta))) else _FastRecords(records)
    for line, block in read_blocks(stream, reading.options.max_page_bytes):
        if block is None:
            reading.too_long(line, "the line")
            continue
        if fast is not None and (rows := fast.decode(block)) is not None:
            yield from fast.pages(rows, line, block)
            continue
        for number, data in enumerate(block.split(b"\n"), line):
            data = data.strip(b" \t\r")
            if data:
                yield from _page_of(data, number, records)


def _page_of(data: bytes, number: int, records: Records) -> Items:
    """The page of one line, with a note where there is none."""
    try:
        record = _load(data)
    except ValueError as error:
        records.reading.fail(number, f"not valid JSON ({error}), line skipped", "line is not valid JSON")
        return
    page = records.page(record, number, number)
    if page is not None:
        yield page


def _load(data: bytes) -> Any:
    """Decode one JSON value; lone surrogates (``\\ud800``) are let through.

    Raises:
        ValueError: It is none; the message is one line.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as first:
        try:
            return json.loads(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            lone = data[error.start] == 0xed and 0xa0 <= data[error.start + 1:error.start + 2].ljust(1)[0] < 0xc0
            what = "is half of a character (a lone surrogate)" if lone else "is not UTF-8"
            raise ValueError(f"byte {error.start + 1} of the line, {data[error.start]:#04x}, {what}") from None
        except RecursionError:
            raise ValueError("nested too deeply") from None
        except ValueError:
            raise ValueError(str(first)) from None


class _FastRecords:
    """Decodes whole blocks of lines into structs of the wanted fields only; any trouble is left to the slow way."""

    def __init__(self, records: Records) -> None:
        self._records = records
        wanted = list(dict.fromkeys((*records.texts, *records.ids, "url", *records.meta)))
        kinds = dict.fromkeys(wanted, Any) | dict.fromkeys(records.texts, str | msgspec.UnsetType)
        self._names = {name: f"f{i}" for i, name in enumerate(wanted)}
        fields = [(f"f{i}", kinds[name], msgspec.UNSET) for i, name in enumerate(wanted)]
        struct = msgspec.defstruct("Record", fields, rename={f"f{i}": name for i, name in enumerate(wanted)}, gc=False)
        self._decoder: Any = msgspec.json.Decoder(struct)

    def decode(self, block: bytes) -> list[Any] | None:
        """The structs of all lines, or ``None`` where one is bad, blank, or holds other than one object."""
        try:
            rows: list[Any] = self._decoder.decode_lines(block)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return rows if len(rows) == block.count(b"\n") + (not block.endswith(b"\n")) else None

    def pages(self, rows: list[Any], line: int, block: bytes) -> Items:
        """The pages of decoded lines; `block` is what they were decoded from."""
        records, unset, make = self._records, msgspec.UNSET, self._records.make
        texts = [self._names[name] for name in records.texts]
        ids = [self._names[name] for name in records.ids]
        url_field = self._names["url"]
        meta_fields = [(name, self._names[name]) for name in records.meta]
        first_text, first_id = texts[0], ids[0]
        lines: list[bytes] = []
        rows.reverse()
        for number in range(line, line + len(rows)):
            row = rows.pop()  # so that each text is freed as soon as its page is
            text = getattr(row, first_text)
            if text is unset:
                text = next((value for name in texts if (value := getattr(row, name)) is not unset), unset)
                if text is unset:
                    lines = lines or block.split(b"\n")
                    yield from _page_of(lines[number - line], number, records)  # says which fields there are
                    continue
            id_ = getattr(row, first_id)
            if id_ is unset or id_ is None:
                found = (getattr(row, name) for name in ids)
                id_ = next((value for value in found if value is not unset and value is not None), None)
            url = getattr(row, url_field)
            meta = {name: value for name, field in meta_fields if (value := getattr(row, field)) is not unset} \
                if meta_fields else {}
            page = make(text, id_, None if url is unset else url, meta, number, number)
            if page is not None:
                yield page


_SPACE = re.compile(r"[ \t\r\n]*")


def read_array(stream: BinaryIO, reading: Reading) -> Items:
    """The pages of a JSON file that holds an array of objects, read value by value."""
    records = Records(reading)
    try:
        for number, (line, record) in enumerate(_array_values(stream, reading.options.max_page_bytes), 1):
            page = records.page(record, line, number)
            if page is not None:
                yield page
    except ValueError as error:
        reading.fail(None, f"not valid JSON ({error}); what stands before it was used", "JSON is not valid")


def _array_values(stream: BinaryIO, longest: int) -> Iterator[tuple[int, Any]]:
    """The values of a JSON array with the line each begins on."""
    decoder = json.JSONDecoder()
    text_of = codecs.getincrementaldecoder("utf-8")()
    buffer, at, line, step, opened, ended = "", 0, 1, 1 << 16, False, False
    while True:
        found = _SPACE.match(buffer, at)
        start = found.end() if found else at
        try:
            if not opened:
                if buffer[start:start + 1] in ("[", "\ufeff"):
                    opened = buffer[start] == "["
                    line += buffer.count("\n", at, start)
                    at = start + 1
                    continue
            elif buffer[start:start + 1] == "]":
                return
            elif start < len(buffer):
                value, stop = decoder.raw_decode(buffer, start)
                after = _SPACE.match(buffer, stop)
                behind = after.end() if after else stop
                if behind < len(buffer) or ended:
                    if buffer[behind:behind + 1] not in (",", "]"):
                        raise ValueError(f"no comma behind the value that ends at line {line}")
                    line += buffer.count("\n", at, start)
                    yield line, value
                    line += buffer.count("\n", start, behind)
                    at = behind + (buffer[behind] == ",")
                    step = 1 << 16
                    continue
        except json.JSONDecodeError:
            if ended:
                raise
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if ended:
            raise ValueError("it ends before the array does")
        data = stream.read(step)
        try:
            buffer = buffer[at:] + text_of.decode(data, not data)
        except UnicodeDecodeError:
            raise ValueError("not UTF-8") from None
        at, step, ended = 0, step * 2, not data  # doubling: a long value is not tried again and again
        if len(buffer) > longest + (1 << 17):
            raise ValueError(f"a value is longer than {longest:,} bytes")


