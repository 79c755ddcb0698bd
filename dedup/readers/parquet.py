"""Parquet and Arrow files, and anything that speaks Arrow's C stream, batch by batch. Needs the extra ``[arrow]``."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from dedup.errors import InputError, MissingExtraError, how_to_install
from dedup.options import Options
from dedup.readers.csv import NAMED_TWICE, named_twice
from dedup.readers.formats import A_REPORT
from dedup.readers.reading import READ_BYTES, Items, Reading, Stretches, Texts
from dedup.readers.tables import Records, columns_of, no_field, row_name, text_fields
from dedup.readers.words import used

Flags = npt.NDArray[np.bool_]

_ROWS = 1000
_SPOOL_FACTOR = 64  # a compressed table is unpacked to disk, up to so many times max_page_bytes


def import_pyarrow() -> Any:
    """pyarrow, or an error that names the extra."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError("reading Parquet and Arrow needs pyarrow", mend=how_to_install("arrow", "pyarrow")
                                ) from error
    return pyarrow


def read_table(stream: BinaryIO, reading: Reading, form: str, packed: bool) -> Stretches:
    """The pages of a Parquet or Arrow file.

    Args:
        form: "parquet" or "arrow".
        packed: `stream` is decompressed while it is read and cannot seek.
    """
    pyarrow = import_pyarrow()
    file = _spool(stream, reading) if packed else stream
    if file is None:
        return
    given = False
    try:
        batches = _parquet_batches(file, reading) if form == "parquet" else _arrow_batches(file)
        for item in pages_of_batches(batches, reading):
            given = True
            yield item
    except (pyarrow.ArrowException, OSError, MemoryError) as error:
        message = " ".join(str(error).split())[:300]
        reading.fail(None, f"{form} data cannot be read ({message}); {used(given)}", damaged(form))
    finally:
        if packed:
            file.close()


def damaged(form: str) -> str:
    """The reason for which the rest of a file is not read."""
    return f"{form} data is damaged"


def read_row_groups(file: BinaryIO, reading: Reading, groups: range, before: int) -> Stretches:
    """The pages of some row groups of a Parquet file.

    Args:
        before: Rows that stand before them.
    """
    try:
        yield from pages_of_batches(_parquet_batches(file, reading, groups), reading, before=before)
    except Exception as error:  # whatever it is: the file is read as a whole then, and says it
        reading.fail(None, str(error), damaged("parquet"))


def cut_row_groups(file: BinaryIO, options: Options, most: int) -> list[tuple[range, int]]:
    """Ranges of row groups of a Parquet file that are read apart, and the rows before each.

    Args:
        most: Bytes of the columns that are needed, unpacked, in a range; a row group is not cut.

    Returns:
        None where the file is read as a whole: it has one row group, no text, is a report of ours or damaged.
    """
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.ParquetFile(file)
        names, whole = set(table.schema_arrow.names), table.metadata
        texts = {name for field in text_fields(options) for name in (field, field.split(".")[0])}
        if whole.num_row_groups < 2 or not texts & names or b"dedup.format" in (table.schema_arrow.metadata or {}):
            return []
        wanted, cuts, held, rows = columns_of(options), [(0, 0)], 0, 0
        for number in range(whole.num_row_groups):
            group = whole.row_group(number)
            columns = (group.column(i) for i in range(group.num_columns))
            size = sum(column.total_uncompressed_size for column in columns if _outermost(column.path_in_schema, wanted))
            if held and held + size > most:
                cuts.append((number, rows))
                held = 0
            held, rows = held + size, rows + group.num_rows
    except (ArrowException, OSError):
        return []
    ends = [number for number, _ in cuts[1:]] + [whole.num_row_groups]
    return [(range(begin, end), before) for (begin, before), end in zip(cuts, ends, strict=True)] if len(cuts) > 1 else []


def _outermost(path: str, wanted: set[str]) -> bool:
    """Whether a leaf is in one of the columns that are needed; names may have dots of their own."""
    return path in wanted or path.split(".")[0] in wanted


def _spool(stream: BinaryIO, reading: Reading) -> Any:
    """Unpack to a temporary file, as tables are read by seeking; ``None`` with a note where it is too large."""
    limit = reading.options.max_page_bytes * _SPOOL_FACTOR
    file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by the caller)
    while data := stream.read(READ_BYTES):
        limit -= len(data)
        if limit < 0:
            file.close()
            reading.fail(None, "unpacks to more than 64 times max_page_bytes, skipped", "longer than max_page_bytes")
            return None
        file.write(data)
    file.seek(0)
    return file


def _parquet_batches(file: BinaryIO, reading: Reading, groups: range | None = None) -> Iterator[Any]:
    """Batches of the columns that are needed, of all row groups or of some."""
    from pyarrow import RecordBatch, parquet

    table = parquet.ParquetFile(file)
    if b"dedup.format" in (table.schema_arrow.metadata or {}):
        reading.notes.skip(A_REPORT, reading.file.place)
        return
    records = Records(reading)
    records.saw(table.schema_arrow.names)
    wanted = columns_of(reading.options)
    columns = [name for name in table.schema_arrow.names if name in wanted]
    if not any(name in columns or name.split(".")[0] in columns for name in records.texts):
        yield RecordBatch.from_pylist([], schema=table.schema_arrow)  # all its names, for the message
        return
    yield from table.iter_batches(batch_size=_ROWS, row_groups=None if groups is None else list(groups), columns=columns)


def _arrow_batches(file: BinaryIO) -> Iterator[Any]:
    """Batches of an Arrow file or stream."""
    from pyarrow import ipc

    magic = file.read(6)
    file.seek(0)
    if magic == b"ARROW1":
        table = ipc.open_file(file)
        for i in range(table.num_record_batches):
            yield table.get_batch(i)
    else:
        yield from ipc.open_stream(file)


def from_arrow(source: Any) -> Any:
    """A reader of the batches of a table, or the chunked array of a column, of any object that speaks Arrow.

    Raises:
        InputError: The object cannot say it in Arrow, or Arrow refuses it.
    """
    pyarrow = import_pyarrow()
    with arrow_errors(ValueError, TypeError, OverflowError):  # of the object's own library
        if not hasattr(source, "__arrow_c_stream__"):
            source = pyarrow.chunked_array([pyarrow.array(source)])
        try:
            return pyarrow.RecordBatchReader.from_stream(source)
        except pyarrow.ArrowInvalid:  # a column has no fields; all else is refused for the same reason again
            return pyarrow.chunked_array(source)


def is_column(given: Any) -> bool:
    """Whether what Arrow read is a column, and no table."""
    return hasattr(given, "chunks")


@contextlib.contextmanager
def arrow_errors(*others: type[Exception]) -> Iterator[None]:
    """What Arrow refuses meanwhile is an ``InputError``, and so are some other errors."""
    try:
        yield
    except (import_pyarrow().ArrowException, OSError, *others) as error:
        cause = " ".join("; ".join(map(str, error.args)).split())[:300] or type(error).__name__
        raise InputError(f"Arrow cannot read it ({cause})", "input",
                         "Select the columns that are needed, or give the rows as mappings.") from error


def batches_of(source: Any, options: Options) -> Iterator[Any]:
    """Batches of any object that speaks Arrow; a column holds the texts."""
    given = from_arrow(source)
    if is_column(given):
        for chunk in given.chunks:
            yield import_pyarrow().RecordBatch.from_arrays([chunk], [text_fields(options)[0]])
    else:
        yield from given


def pages_of_batches(batches: Iterator[Any], reading: Reading, numbered: bool = True, before: int = 0) -> Stretches:
    """The pages of record batches; a cell that cannot be read costs its row only.

    Args:
        numbered: The rows have an order; else all have the number -1.
        before: Rows that stand before them; -1: they are counted from 0.
    """
    from dedup.readers.arrow_columns import plain_rows

    records = Records(reading)
    number = before + 1 if numbered else -1
    for batch in batches:
        names = batch.schema.names
        records.saw(names)
        if not any(name in names or name.split(".")[0] in names for name in records.texts):
            reading.fail(None, f"{no_field(records.texts, names)}; skipped", "text field missing")
            return
        wanted = columns_of(reading.options)
        columns = [(name, batch.column(i)) for i, name in enumerate(names) if name in wanted]
        sound = [_is_sound(column) for _, column in columns]
        if number == 1 and (twice := dict.fromkeys(name for name, _ in columns if names.count(name) > 1)):
            reading.notes.error(reading.file.place, None, named_twice(twice, "last"), NAMED_TWICE)
        for start in range(0, batch.num_rows, _ROWS):
            part = {name: column.slice(start, _ROWS) for name, column in columns}
            count = min(_ROWS, batch.num_rows - start)
            plain = plain_rows(part, records, number) if all(sound) and numbered else None
            if plain is None:
                yield from _rows(part, count, records, number, numbered)
            else:
                yield from _stretches(*plain, part, records, number)
            number += count * numbered


def _stretches(texts: Texts, holds: Flags, part: dict[str, Any], records: Records, number: int) -> Stretches:
    """Rows together where they hold, and one by one where they do not."""
    at = 0
    for row in [*np.flatnonzero(~holds).tolist(), len(holds)]:
        if at < row:
            yield Texts(texts.heads.part(at, row), texts.text, texts.first[at:row + 1])
        if row < len(holds):
            yield from _rows({name: column.slice(row, 1) for name, column in part.items()}, 1, records, number + row, True)
        at = row + 1


def _rows(part: dict[str, Any], count: int, records: Records, number: int, numbered: bool) -> Items:
    """Rows one by one.

    Args:
        number: Of the first one.
    """
    from dedup.readers.arrow_columns import cells_of

    cells = {name: cells_of(column) for name, column in part.items()}
    for i in range(count):
        own = number + i * numbered
        record = {name: values[i] for name, values in cells.items()}
        bad = next((name for name, value in record.items() if isinstance(value, Exception)), None)
        if bad is not None:
            named = next((record[name] for name in records.ids if isinstance(record.get(name), str)), None)
            cause = _cause(record[bad])
            records.reading.fail(None, f"{row_name(None, own, named)}{bad} {cause}, row skipped", f"row {cause}")
            continue
        page = records.page(record, None, own)
        if page is not None:
            yield page


def _is_sound(column: Any) -> bool:
    """Whether all of a column holds; where it does not, it is but for cells that are not UTF-8.

    Raises:
        pyarrow.ArrowInvalid: Its offsets and lengths are not sound: of a damaged file they lead anywhere.
    """
    try:
        column.validate(full=True)
    except import_pyarrow().ArrowInvalid:
        plain = _as_bytes(column)
        if plain.type == column.type:
            raise
        plain.validate(full=True)
        return False
    return True


def _as_bytes(column: Any) -> Any:
    """The column with bytes for strings, those of dictionaries and structs, too."""
    pyarrow = import_pyarrow()
    twins = {pyarrow.string(): pyarrow.binary(), pyarrow.large_string(): pyarrow.large_binary(),
             pyarrow.string_view(): pyarrow.binary_view()}
    if column.type in twins:
        return column.view(twins[column.type])
    if pyarrow.types.is_dictionary(column.type):
        return pyarrow.DictionaryArray.from_arrays(column.indices, _as_bytes(column.dictionary))
    if pyarrow.types.is_struct(column.type) and column.type.num_fields:
        parts = [_as_bytes(column.field(i)) for i in range(column.type.num_fields)]
        return pyarrow.StructArray.from_arrays(parts, [column.type.field(i).name for i in range(len(parts))])
    return column


def values_of(column: Any) -> list[Any]:
    """Python values of a chunked array, for a cell that has none its error."""
    from dedup.readers.arrow_columns import cells_of

    for chunk in column.chunks:
        _is_sound(chunk)
    return [value for chunk in column.chunks for value in cells_of(chunk)]


def _cause(error: Exception) -> str:
    """What is wrong with a cell, without the figures of one."""
    return "is not valid UTF-8" if isinstance(error, UnicodeDecodeError) else f"cannot be read ({type(error).__name__})"
