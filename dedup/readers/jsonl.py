"""JSON lines and arrays of JSON objects, streaming. One bad byte costs one line, never the rest."""

from __future__ import annotations

import codecs
import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np

from dedup.heads import RecordHeads
from dedup.kernel import kernel
from dedup.readers.jobs import Job
from dedup.readers.reading import READ_BYTES, Items, Pending, Reading, Stretches, Texts, host_of
from dedup.readers.tables import Records, record_name

# Dots lead into nested fields; the others can stand in JSON in several ways, or not at all.
_SLOW_NAME = re.compile(r"""[."'\\\x00-\x1f\x7f\ud800-\udfff]""")
Block = tuple[int, bytes | None]  # number of its first line; whole lines, or None for a line that is too long
View = tuple[int, memoryview | None]


def read_blocks(stream: BinaryIO, longest: int) -> Iterator[Block]:
    """Whole lines, about a megabyte at a time, split on LF only.

    Args:
        longest: Bytes that a line may have; of a longer one nothing is kept.
    """
    for line, block in _view_blocks(stream, longest):
        yield line, None if block is None else bytes(block)


def _view_blocks(stream: BinaryIO, longest: int) -> Iterator[View]:
    """The blocks of ``read_blocks``, each in the same memory as the one before: fresh memory costs more than reading."""
    buffer = bytearray(READ_BYTES)
    line, over, begun = 1, False, False
    held = 0  # bytes of a line that has begun, at the front of the buffer unless it is over the bound
    while True:
        start = 0 if over else held
        if len(buffer) < start + READ_BYTES or len(buffer) > 4 * READ_BYTES > 4 * start:
            larger = bytearray(start + max(start // 2, READ_BYTES))
            larger[:start] = memoryview(buffer)[:start]
            buffer = larger
            del larger
        end = start + _read_into(stream, memoryview(buffer)[start:start + READ_BYTES])
        if end == start:
            break
        if not begun and buffer.startswith(codecs.BOM_UTF8):
            end -= len(codecs.BOM_UTF8)
            buffer[:end] = buffer[len(codecs.BOM_UTF8):end + len(codecs.BOM_UTF8)]
        begun = True
        cut = buffer.rfind(b"\n", start, end) + 1
        if not cut:
            held += end - start
            over = over or held > longest
            continue
        feed, begin = buffer.find(b"\n", start, end), 0
        if over or held + feed - start > longest:
            yield line, None
            line, begin = line + 1, feed + 1
        if begin < cut:
            block = memoryview(buffer)[begin:cut]
            count = np.count_nonzero(np.frombuffer(block, np.uint8) == 10)  # bytes.count() takes four times as long
            yield line, block
            line += int(count)
        held, over = end - cut, False
        buffer[:held] = buffer[cut:end]
    if over:
        yield line, None
    elif held:
        yield line, memoryview(buffer)[:held]


def _read_into(stream: BinaryIO, room: memoryview) -> int:
    """Fill the room; how many bytes were read, 0 at the end."""
    if hasattr(stream, "readinto"):
        return stream.readinto(room) or 0
    data = stream.read(len(room)) or b""
    room[:len(data)] = data
    return len(data)


def read_jsonl(stream: BinaryIO, reading: Reading) -> Stretches:
    """The pages of a JSON Lines file."""
    records = Records(reading)
    fast = None if any(map(_SLOW_NAME.search, (*records.texts, *records.ids, *records.meta))) else _Blocks(records)
    look = reading.options.between is not None
    for line, block in _view_blocks(stream, reading.options.max_page_bytes):
        if block is None:
            reading.too_long(line, "the line")
            continue
        if fast is not None:
            if look:
                _see_fields(block, records)
                look = False
            yield from fast.items(block, line)
            continue
        for number, data in enumerate(bytes(block).split(b"\n"), line):
            data = data.strip(b" \t\r")
            if data:
                yield from _page_of(data, number, records)


def _see_fields(block: memoryview, records: Records) -> None:
    """Remember the names of the fields of the first line."""
    with contextlib.suppress(ValueError):
        record = _load(bytes(block).partition(b"\n")[0])
        if isinstance(record, dict):
            records.saw(record)


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


class _Blocks:
    """Reads whole blocks of lines in the kernel; a line that it leaves goes the slow way."""

    def __init__(self, records: Records) -> None:
        names = list(dict.fromkeys((*records.texts, *records.ids, "url", *records.meta)))
        encoded = [name.encode() for name in names]
        self._records = records
        self._names = np.frombuffer(b"".join(encoded), np.uint8)
        self._name_first = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        self._ids = [names.index(name) for name in records.ids]
        self._url = names.index("url")
        self._meta = [(name, names.index(name)) for name in records.meta]

    def items(self, block: memoryview, line: int) -> Stretches:
        """The pages of a block whose first line has the number `line`."""
        records, longest = self._records, self._records.reading.options.max_page_bytes
        lines, good, kind, start, end, text, first = kernel.json_records(
            np.frombuffer(block, np.uint8), self._names, self._name_first, len(records.texts))
        left = np.flatnonzero((good == 0) | (np.diff(first) > longest)).tolist()
        cells, at = (kind.tolist(), start.tolist(), end.tolist()), 0
        for row in [*left, len(good)]:
            if at < row:
                heads = self._heads(block, cells, line, at, row)
                if records.form == "text":
                    yield Texts(heads, text, first[at:row + 1])
                else:
                    for i in range(at, row):
                        job = Job(records.form, text[first[i]:first[i + 1]].tobytes(), "str")
                        yield Pending(heads.page(i - at, ""), job)
            if row < len(good):
                data = bytes(block[lines[row]:lines[row + 1]]).strip(b" \t\r\n")
                if data:
                    yield from _page_of(data, line + row, records)
            at = row + 1

    def _heads(self, block: memoryview, cells: tuple[list[int], list[int], list[int]], line: int, at: int,
               row: int) -> RecordHeads:
        """The records of the lines from `at` to before `row`, without text."""
        kind, start, end = cells
        size, ids, url, file = len(self._name_first) - 1, self._ids, self._url, self._records.reading.file

        def value(cell: int) -> Any:
            data = block[start[cell]:end[cell]]
            return str(data, "utf-8") if kind[cell] == 1 else _load(bytes(data)) if kind[cell] else None

        cells_of = range(at * size, row * size, size)
        found = [value(cell + ids[0]) for cell in cells_of]
        for i, cell in enumerate(cells_of):
            if found[i] is None:
                found[i] = next((other for name in ids if (other := value(cell + name)) is not None), None)
        names = [record_name(id_, file, number) for number, id_ in enumerate(found, line + at)]
        urls = [address if isinstance(address, str) else None for address in (value(cell + url) for cell in cells_of)]
        metas = [{name: value(cell + i) for name, i in self._meta if kind[cell + i]} for cell in cells_of]
        sites = [(host_of(address) if address else "") or file.site for address in urls]
        return RecordHeads(file.place, names, urls, sites, line + at, metas if self._meta else None)


_SPACE = re.compile(r"[ \t\r\n]*")


def read_array(stream: BinaryIO, reading: Reading) -> Items:
    """The pages of a JSON file that holds an array of objects, read value by value."""
    records = Records(reading)
    try:
        for number, (line, record, _, _) in enumerate(array_values(stream, reading.options.max_page_bytes), 1):
            page = records.page(record, line, number)
            if page is not None:
                yield page
    except ValueError as error:
        reading.fail(None, f"not valid JSON ({error}); what stands before it was used", "JSON is not valid")


class ArrayValue(NamedTuple):
    """A value of a JSON array.

    Attributes:
        line: The line it begins on.
        value: What it is.
        before: What stands between the value before (or the beginning) and this one: blanks, a bracket, a comma.
        literal: How it is written.
    """

    line: int
    value: Any
    before: str
    literal: str


def array_values(stream: BinaryIO, longest: int) -> Iterator[ArrayValue]:
    """The values of a JSON array in UTF-8, one after the other.

    Raises:
        ValueError: The stream is not valid JSON in UTF-8, or a value is longer than `longest` bytes; what stands before
            was given out.
    """
    decoder = json.JSONDecoder()
    text_of = codecs.getincrementaldecoder("utf-8")()
    buffer, before, at, line, step, opened, ended = "", "", 0, 1, 1 << 16, False, False
    while True:
        found = _SPACE.match(buffer, at)
        start = found.end() if found else at
        try:
            if not opened:
                if buffer[start:start + 1] in ("[", "\ufeff"):
                    opened = buffer[start] == "["
                    line += buffer.count("\n", at, start)
                    before += buffer[at:start + 1]
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
                    yield ArrayValue(line, value, before + buffer[at:start], buffer[start:stop])
                    line += buffer.count("\n", start, behind)
                    at = behind + (buffer[behind] == ",")
                    before = buffer[stop:at]
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


