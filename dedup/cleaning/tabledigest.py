"""A digest of what a table says: equal for equal tables, however their files are written."""

from __future__ import annotations

import hashlib
from typing import Any, BinaryIO

import numpy as np

from dedup.cleaning.tablefile import open_table, seekable
from dedup.readers.parquet import import_pyarrow


def table_digest(content: BinaryIO) -> str:
    """SHA-256 of a table's schema with its meta data, and of its values in order, group by group.

    Args:
        content: A Parquet or Arrow file, decompressed.

    Raises:
        InputError: It is damaged.
    """
    digest = hashlib.sha256()
    with seekable(content) as stream:
        source = open_table(stream)
        digest.update(source.schema.to_string(truncate_metadata=False).encode())
        for group in source.groups():
            digest.update(f"\n{group.table.num_rows}\n".encode())
            for column in group.table.columns:
                for part in _values(column):
                    digest.update(memoryview(part).cast("B") if len(part) else b"")
    return digest.hexdigest()


def _values(column: Any) -> list[Any]:
    """The values of a column as bytes: which are there, and those."""
    pyarrow = import_pyarrow()
    from pyarrow import compute

    if pyarrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    array = pyarrow.concat_arrays(column.chunks) if column.num_chunks else pyarrow.array([], kind)
    there = np.packbits(array.is_valid().to_numpy(zero_copy_only=False))
    types = pyarrow.types
    if types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind) or types.is_large_binary(kind):
        sizes = compute.fill_null(compute.binary_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        joined = array.drop_null().cast(pyarrow.large_binary())
        _, offsets, data = joined.buffers()
        if not len(joined) or data is None:
            return [there, sizes]
        ends = np.frombuffer(offsets, np.int64)[joined.offset:joined.offset + len(joined) + 1]
        return [there, sizes, memoryview(data)[int(ends[0]):int(ends[-1])]]
    if types.is_integer(kind) or types.is_floating(kind):
        present = array.drop_null().to_numpy(zero_copy_only=False)
        return [there, np.ascontiguousarray(present)]
    return [there, repr(array.to_pylist()).encode("utf-8", "surrogatepass")]
