"""JSON lines and arrays of JSON objects, streaming. One bad byte costs one line, never the rest."""

from __future__ import annotations

import codecs
import contextlib
import json
import re
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.heads import RecordHeads, Utf8
from dedup.kernel import kernel
from dedup.model import Page
from dedup.readers.jobs import Job
from dedup.readers.reading import READ_BYTES, Items, Pending, Reading, Stretches, Texts, sites_of
from dedup.readers.tables import Records, record_name
from dedup.readers.words import used

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
# Dots lead into nested fields; the others can stand in JSON in several ways, or not at all.
_SLOW_NAME = re.compile(r"""[."'\\\x00-\x1f\x7f\ud800-\udfff]""")
Block = tuple[int, bytes | None]  # number of its first line; whole lines, or None for a line that is too long


def read_blocks(stream: BinaryIO, longest: int) -> Iterator[Block]:
    """Whole lines, about a megabyte at a time, split on LF only.

    Args:
        longest: Bytes that a line may have; of a longer one nothing is kept.
    """
    line = 1
    for block in _view_blocks(stream, longest):
        yield line, None if block is None else bytes(block)
        # bytes.count() takes four times as long
        line += 1 if block is None else int(np.count_nonzero(np.frombuffer(block, np.uint8) == 10))


def _view_blocks(stream: BinaryIO, longest: int, begun: bool = False) -> Iterator[memoryview | None]:
    """The blocks of ``read_blocks``, each in the same memory as the one before: fresh memory costs more than reading.

    Args:
        begun: The stream does not begin with the file, so no mark of its encoding is left out.
    """
    buffer = bytearray(READ_BYTES)
    over = False
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
            yield None
            begin = feed + 1
        if begin < cut:
            block = memoryview(buffer)[begin:cut]
            yield from _without_long(block, longest) if cut - begin > longest else (block,)
        held, over = end - cut, False
        buffer[:held] = buffer[cut:end]
    if over or held > longest:
        yield None
    elif held:
        yield memoryview(buffer)[:held]


def _without_long(block: memoryview, longest: int) -> Iterator[memoryview | None]:
    """Whole lines as views of those between the ones that are too long: that is not left to where a buffer ends."""
    edges = np.append(0, np.flatnonzero(np.frombuffer(block, np.uint8) == 10) + 1)
    at = 0
    for row in np.flatnonzero(np.diff(edges) - 1 > longest).tolist():
        if at < row:
            yield block[edges[at]:edges[row]]
        yield None
        at = row + 1
    if edges[at] < len(block):
        yield block[edges[at]:]


def _read_into(stream: BinaryIO, room: memoryview) -> int:
    """Fill the room; how many bytes were read, 0 at the end."""
    if hasattr(stream, "readinto"):
        return stream.readinto(room) or 0
    data = stream.read(len(room)) or b""
    room[:len(data)] = data
    return len(data)


def read_jsonl(stream: BinaryIO, reading: Reading, first_line: int = 1) -> Stretches:
    """The pages of a JSON Lines file, or of the lines of one from a line on."""
    records = Records(reading)
    fast = None if any(map(_SLOW_NAME.search, (*records.texts, *records.ids, *records.meta))) else _Blocks(records)
    look = bool(reading.options.asked_fields)
    line = first_line
    for block in _view_blocks(stream, reading.options.max_page_bytes, first_line > 1):
        if block is None:
            reading.too_long(line, "the line")
            line += 1
            continue
        if fast is not None:
            if look:
                _see_fields(block, records)
                look = False
            line += yield from fast.items(block, line)
            continue
        for data in bytes(block).removesuffix(b"\n").split(b"\n"):
            data = data.strip(b" \t\r")
            if data:
                yield from _page_of(data, line, records)
            line += 1


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

    def items(self, block: memoryview, line: int) -> Generator[Page | Texts | Pending, None, int]:
        """The pages of a block whose first line has the number `line`; returns how many lines it has."""
        records, longest = self._records, self._records.reading.options.max_page_bytes
        lines, good, kind, start, end, text, first = kernel.json_records(
            np.frombuffer(block, np.uint8), self._names, self._name_first, len(records.texts))
        left = np.flatnonzero((good == 0) | (np.diff(first) > longest)).tolist()
        cells, at = _Cells(block, kind, start, end, len(self._name_first) - 1), 0
        for row in [*left, len(good)]:
            if at < row:
                heads = self._heads(cells.rows(at, row), line + at)
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
        return len(good)

    def _heads(self, cells: _Cells, line: int) -> RecordHeads:
        """Records without their texts; `line` is that of the first one."""
        file = self._records.reading.file
        ids, filled = cells.strings(self._ids[0])
        if ids is None or not (filled & (ids.first[1:] > ids.first[:-1])).all():
            rows = zip(*(cells.values(name) for name in self._ids), strict=True)
            found = (next((value for value in row if value is not None), None) for row in rows)
            ids = Utf8.of([record_name(id_, file, number) for number, id_ in enumerate(found, line)])
        urls, has_url = cells.strings(self._url)
        if urls is None:
            given = [value if isinstance(value, str) else None for value in cells.values(self._url)]
            urls, has_url = Utf8.of([url or "" for url in given]), np.array([url is not None for url in given], bool)
        metas = None
        if self._meta:
            columns = [(name, cells.values(i), cells.given(i)) for name, i in self._meta]
            metas = [{name: values[row] for name, values, given in columns if given[row]} for row in range(len(has_url))]
        return RecordHeads(file.place, ids, urls, has_url.view(np.uint8), sites_of(urls, file.site), line, metas)


class _Cells(NamedTuple):
    """What the kernel found of the fields of some lines: row after row, `size` cells each."""

    block: memoryview
    kind: U8
    start: I64
    end: I64
    size: int

    def rows(self, begin: int, end: int) -> _Cells:
        """Those of the lines from one to before another one."""
        cut = slice(begin * self.size, end * self.size)
        return _Cells(self.block, self.kind[cut], self.start[cut], self.end[cut], self.size)

    def given(self, field: int) -> npt.NDArray[np.bool_]:
        """Which lines have a field."""
        return self.kind[field::self.size] > 0

    def strings(self, field: int) -> tuple[Utf8 | None, npt.NDArray[np.bool_]]:
        """A field's strings, empty where a line has none, and which lines have one; no strings where some value is none, or
        is not written as it is."""
        kind, start, end = (column[field::self.size] for column in (self.kind, self.start, self.end))
        has = kind == 1
        if (kind > 1).any():
            return None, has
        return Utf8.cut(np.frombuffer(self.block, np.uint8), np.where(has, start, 0), np.where(has, end, 0)), has

    def values(self, field: int) -> list[Any]:
        """A field's values, ``None`` where a line has none."""
        block, columns = self.block, (column[field::self.size].tolist() for column in (self.kind, self.start, self.end))
        return [str(block[start:end], "utf-8") if kind == 1 else _load(bytes(block[start:end])) if kind else None
                for kind, start, end in zip(*columns, strict=True)]


_SPACE = re.compile(r"[ \t\r\n]*")


def read_array(stream: BinaryIO, reading: Reading) -> Items:
    """The pages of a JSON file that holds an array of objects, read value by value."""
    records, number = Records(reading), 0
    try:
        for number, (line, record, _, _) in enumerate(array_values(stream, reading.options.max_page_bytes), 1):
            page = records.page(record, line, number)
            if page is not None:
                yield page
    except ValueError as error:
        reading.fail(None, f"not valid JSON ({error}); {used(number > 0)}", "JSON is not valid")


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
    buffer, before, at, line, step, opened, closed, ended = "", "", 0, 1, 1 << 16, False, False, False
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
            elif closed:
                line += buffer.count("\n", at, start)
                at = start
                if at < len(buffer):
                    raise ValueError(f"more stands behind the array, at line {line}")
                if ended:
                    return
            elif buffer[start:start + 1] == "]":
                line += buffer.count("\n", at, start)
                at, closed = start + 1, True
                continue
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


