"""Parquet and Arrow files group by group, and files that are written like them. Needs the extra ``[arrow]``."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO, NamedTuple, cast

from dedup.errors import InputError
from dedup.readers.parquet import import_pyarrow

_COPY_BYTES = 1 << 20
_CODECS = {b"\x04\x22\x4d\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd"}  # by the magic bytes of a compressed buffer
_DATA_ENCODINGS = ("DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT")


class TableGroup(NamedTuple):
    """The rows of a row group (Parquet) or record batch (Arrow).

    Attributes:
        table: A ``pyarrow.Table``.
        metadata: Meta data of an Arrow batch, else ``None``.
    """

    table: Any
    metadata: Any = None


Write = Callable[[TableGroup], None]


class TableFile:
    """A file that holds a table.

    Attributes:
        form: "parquet", "arrow" or "arrow stream".
        schema: A ``pyarrow.Schema``, with its meta data.
    """

    form = ""
    schema: Any = None

    def groups(self) -> Iterator[TableGroup]:
        """Its groups, one after the other; there may be empty ones.

        Raises:
            InputError: The file is damaged.
        """
        groups = self._groups()
        while True:
            with _damage_told(self.form):
                group = next(groups, None)
            if group is None:
                return
            yield group

    def _groups(self) -> Iterator[TableGroup]:
        raise NotImplementedError

    def writer(self, target: BinaryIO, unsorted: str | None = None) -> AbstractContextManager[Write]:
        """What writes groups to a file like this one.

        Args:
            unsorted: Name of a column by which rows are not sorted any more.
        """
        raise NotImplementedError


def open_table(content: BinaryIO) -> TableFile:
    """Open the table in a stream that can seek; see `seekable`.

    Raises:
        InputError: It is damaged.
    """
    magic = content.read(6)
    content.seek(0)
    if magic.startswith(b"PAR1"):
        with _damage_told("parquet"):
            return _Parquet(content)
    with _damage_told("arrow"):
        return _Arrow(content) if magic == b"ARROW1" else _ArrowStream(content)


@contextmanager
def _damage_told(form: str) -> Iterator[None]:
    """What pyarrow says of damage, as an error of ours."""
    pyarrow = import_pyarrow()
    try:
        yield
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{form} data cannot be read ({' '.join(str(error).split())[:300]})") from error


@contextmanager
def seekable(content: BinaryIO) -> Iterator[BinaryIO]:
    """A stream that can seek: itself, or a temporary copy, as of what is decompressed while it is read."""
    if content.seekable():
        yield content
        return
    with tempfile.TemporaryFile() as file:
        while data := content.read(_COPY_BYTES):
            file.write(data)
        file.seek(0)
        yield cast(BinaryIO, file)


class _Parquet(TableFile):
    form = "parquet"

    def __init__(self, content: BinaryIO) -> None:
        from pyarrow import parquet

        self._file = parquet.ParquetFile(content)
        self.schema = self._file.schema_arrow

    def _groups(self) -> Iterator[TableGroup]:
        for i in range(self._file.num_row_groups):
            yield TableGroup(self._file.read_row_group(i))

    @contextmanager
    def writer(self, target: BinaryIO, unsorted: str | None = None) -> Iterator[Write]:
        from pyarrow import parquet

        with parquet.ParquetWriter(target, self.schema, **_parquet_settings(self._file.metadata, unsorted)) as file:
            yield lambda group: file.write_table(group.table, row_group_size=max(1, group.table.num_rows))


def _parquet_settings(metadata: Any, unsorted: str | None) -> dict[str, Any]:
    """Settings of a writer, as they can be told from the first row group with rows."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    group = next((group for group in groups if group.num_rows), groups[0] if groups else None)
    columns = [group.column(i) for i in range(metadata.num_columns)] if group is not None else []
    dictionary = [column.path_in_schema for column in columns if column.has_dictionary_page]
    encodings = {column.path_in_schema: encoding for column in columns if not column.has_dictionary_page
                 for encoding in column.encodings if encoding in _DATA_ENCODINGS}
    names = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    sorting = tuple(group.sorting_columns or ()) if group is not None else ()
    if any(names[key.column_index].split(".")[0] == unsorted for key in sorting):
        sorting = ()
    settings: dict[str, Any] = {
        "version": metadata.format_version if metadata.format_version in ("1.0", "2.4", "2.6") else "2.6",
        "compression": {column.path_in_schema: _codec(column) for column in columns} or "NONE",
        "use_dictionary": dictionary or False,
        "write_statistics": [column.path_in_schema for column in columns if column.is_stats_set] or False,
        "use_deprecated_int96_timestamps": any(column.physical_type == "INT96" for column in columns),
        "use_compliant_nested_type": not any(".list.item" in name for name in names),
        "store_schema": b"ARROW:schema" in (metadata.metadata or {}),
        "write_page_index": any(column.has_offset_index for column in columns),
        "sorting_columns": sorting or None,
    }
    if encodings:
        settings["column_encoding"] = encodings
    if any(_is_short_decimal(metadata.schema.column(i)) for i in range(metadata.num_columns)):
        settings["store_decimal_as_integer"] = True
    return settings


def _codec(column: Any) -> str:
    return "NONE" if column.compression == "UNCOMPRESSED" else str(column.compression)


def _is_short_decimal(column: Any) -> bool:
    return column.logical_type.type == "DECIMAL" and column.physical_type in ("INT32", "INT64")


class _Arrow(TableFile):
    form = "arrow"

    def __init__(self, content: BinaryIO) -> None:
        from pyarrow import ipc

        content.seek(8)  # behind the magic bytes the file is a stream
        self._codec = _codec_of(content)
        content.seek(0)
        self._file = ipc.open_file(content)
        self.schema = self._file.schema

    def _groups(self) -> Iterator[TableGroup]:
        for i in range(self._file.num_record_batches):
            yield _group(*self._file.get_batch_with_custom_metadata(i))

    @contextmanager
    def writer(self, target: BinaryIO, unsorted: str | None = None) -> Iterator[Write]:
        from pyarrow import ipc

        footer = getattr(self._file, "metadata", None)
        more = {"metadata": footer} if footer else {}
        options = ipc.IpcWriteOptions(compression=self._codec, emit_dictionary_deltas=True)
        with ipc.new_file(target, self.schema, options=options, **more) as file:
            yield lambda group: _write_batch(file, group)


class _ArrowStream(TableFile):
    form = "arrow stream"

    def __init__(self, content: BinaryIO) -> None:
        from pyarrow import ipc

        self._codec = _codec_of(content)
        content.seek(0)
        self._file = ipc.open_stream(content)
        self.schema = self._file.schema

    def _groups(self) -> Iterator[TableGroup]:
        while True:
            try:
                yield _group(*self._file.read_next_batch_with_custom_metadata())
            except StopIteration:
                return

    @contextmanager
    def writer(self, target: BinaryIO, unsorted: str | None = None) -> Iterator[Write]:
        from pyarrow import ipc

        with ipc.new_stream(target, self.schema, options=ipc.IpcWriteOptions(compression=self._codec)) as file:
            yield lambda group: _write_batch(file, group)


def _group(batch: Any, metadata: Any) -> TableGroup:
    return TableGroup(import_pyarrow().Table.from_batches([batch]), metadata)


def _write_batch(file: Any, group: TableGroup) -> None:
    """Write a group as one batch."""
    columns = [column.combine_chunks() for column in group.table.columns]
    batch = import_pyarrow().RecordBatch.from_arrays(columns, schema=group.table.schema)
    file.write_batch(batch, custom_metadata=group.metadata)


def _codec_of(content: BinaryIO) -> str | None:
    """The codec of the buffers in an Arrow stream: that of the first one that holds anything."""
    pyarrow = import_pyarrow()
    from pyarrow import ipc

    try:
        for message in ipc.MessageReader.open_stream(content):
            if message.body is not None and message.body.size >= 12:
                return _CODECS.get(message.body.slice(8, 4).to_pybytes())
    except (pyarrow.ArrowException, OSError):  # damage is told when it is read
        pass
    return None
