"""The text column of an Arrow table, whatever its type: read in some rows, and written anew in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.options import Options
from dedup.readers.parquet import import_pyarrow
from dedup.readers.tables import text_fields

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Where a table holds its texts.

    Attributes:
        index: Number of the column.
        path: Its name, and the steps into structs.
        type: A ``pyarrow.DataType``, that of the texts.
    """

    index: int
    path: tuple[str, ...]
    type: Any

    @classmethod
    def of(cls, schema: Any, options: Options) -> TextColumn | None:
        """The column that the reader takes, or ``None``."""
        for name in text_fields(options):
            found = cls.at(schema, (name,)) or cls.at(schema, name.split("."))
            if found is not None:
                return found
        return None

    @classmethod
    def at(cls, schema: Any, path: Sequence[str]) -> TextColumn | None:
        """The column at a path, or ``None``; of several columns of one name the last one, as readers do."""
        found = schema.get_all_field_indices(path[0])
        if not found:
            return None
        type_ = schema.field(found[-1]).type
        for step in path[1:]:
            if not import_pyarrow().types.is_struct(type_) or type_.get_field_index(step) < 0:
                return None
            type_ = type_.field(step).type
        return cls(found[-1], tuple(path), type_)

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.path[0]

    @property
    def is_dictionary(self) -> bool:
        """Whether the texts are stored once each, in an order."""
        return bool(import_pyarrow().types.is_dictionary(self.type))

    def values(self, table: Any, rows: I64) -> list[Any]:
        """The texts of some rows."""
        from pyarrow import compute

        column = table.column(self.index)
        for step in self.path[1:]:
            column = compute.struct_field(column, step)
        return [column[i].as_py() for i in rows.tolist()]

    def replaced(self, table: Any, rows: I64, texts: Sequence[str]) -> Any:
        """The table with other texts in some rows, which ascend.

        Raises:
            pyarrow.ArrowException: The column cannot hold them.
        """
        column, parts, before = table.column(self.index), [], 0
        for chunk in column.chunks:
            low, high = np.searchsorted(rows, [before, before + len(chunk)])
            if low < high:
                chunk = _replaced(chunk, self.path[1:], rows[low:high] - before, texts[low:high])
            parts.append(chunk)
            before += len(chunk)
        new = import_pyarrow().chunked_array(parts, column.type)
        return table.set_column(self.index, table.schema.field(self.index), new)


def _replaced(array: Any, steps: Sequence[str], rows: I64, texts: Sequence[str]) -> Any:
    """An array with other texts in some rows."""
    pyarrow = import_pyarrow()
    from pyarrow import compute

    if steps:
        children, i = array.flatten(), array.type.get_field_index(steps[0])
        children[i] = _replaced(children[i], steps[1:], rows, texts)
        return pyarrow.StructArray.from_arrays(children, fields=list(array.type), mask=array.is_null())
    if isinstance(array.type, pyarrow.BaseExtensionType):
        return pyarrow.ExtensionArray.from_storage(array.type, _replaced(array.storage, (), rows, texts))
    plain = array if array.type in (pyarrow.string(), pyarrow.large_string()) else array.cast(pyarrow.large_string())
    mask = np.zeros(len(array), bool)
    mask[rows] = True
    plain = compute.replace_with_mask(plain, pyarrow.array(mask), pyarrow.array(texts, plain.type))
    if pyarrow.types.is_dictionary(array.type):
        encoded = plain.cast(array.type.value_type).dictionary_encode()
        return pyarrow.DictionaryArray.from_arrays(encoded.indices.cast(array.type.index_type), encoded.dictionary,
                                                   ordered=array.type.ordered)
    return plain if plain.type == array.type else plain.cast(array.type)


def take_rows(table: Any, rows: I64) -> Any:
    """Some rows of a table, in this order."""
    pyarrow = import_pyarrow()
    try:
        return table.take(rows)
    except pyarrow.ArrowException:  # a type that pyarrow cannot take rows of, or too many bytes for one array
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        runs = zip(rows[starts].tolist(), np.diff(starts, append=len(rows)).tolist(), strict=True)
        parts = [table.slice(0, 0), *(table.slice(first, count) for first, count in runs)]
        return pyarrow.concat_tables(parts).combine_chunks()
