"""Parquet and Arrow, group by group: the text column without what goes, rows left out; and the same table again.

A table is not restored byte for byte: it has the same rows, schema, meta data and groups, and is written in the same way.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from dedup.cleaning.pieces import Cut, without
from dedup.cleaning.records import Cutter, Drop, Edits, Leave, checked_cuts, ignore, left_of, not_found, plain_cuts
from dedup.cleaning.tablefile import TableGroup, open_table, seekable
from dedup.cleaning.textcolumn import TextColumn, take_rows
from dedup.errors import InputError
from dedup.options import Options
from dedup.readers.parquet import import_pyarrow

I64 = npt.NDArray[np.int64]
TABLES = ("parquet", "arrow")  # formats whose files come back as equal tables, not as equal bytes


class RemovedText(NamedTuple):
    """A text that went from a row.

    Attributes:
        row: The row's number in the source, from 1.
        at: Where it went, in code points of the text that is left.
        text: What went.
        removal: As in ``Gone``.
    """

    row: int
    at: int
    text: str
    removal: int


@dataclass(frozen=True, slots=True)
class RemovedGroup:
    """What went from a row group (Parquet) or record batch (Arrow); every group has one, so that groups are known.

    Attributes:
        rows: Rows that it had.
        texts: Texts that went, in the order of rows and places.
        dropped: Numbers of the rows that went as a whole, from 1; `removals`: their removals.
        data: These rows as an Arrow stream in base64, where there are any.
        column: The text column as it was, in the same way, where its type keeps more than texts (a dictionary).
        field: Path to the text, where `texts` or `column` are not empty.
    """

    rows: int
    texts: Sequence[RemovedText] = ()
    dropped: Sequence[int] = ()
    removals: Sequence[int] = ()
    data: str = ""
    column: str = ""
    field: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """A mapping for JSON; what is empty is left out."""
        return {name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(self).items() if value or name == "rows"}

    @classmethod
    def of_json(cls, record: dict[str, Any]) -> RemovedGroup:
        """The group again of `as_json`.

        Raises:
            InputError: The mapping is none of `as_json`.
        """
        try:
            return msgspec.convert(record, cls)
        except msgspec.ValidationError as error:
            raise InputError(f"what went from a table is not as it was written ({error})") from None


def clean_table(content: BinaryIO, target: BinaryIO, edits: Edits, options: Options, cutter: Cutter = plain_cuts,
                leave: Leave = ignore) -> Iterator[RemovedGroup]:
    """Write a table without what goes of it.

    Args:
        content: A Parquet or Arrow file, decompressed; what cannot seek is copied to a temporary file.
        target: Where the clean file goes.
        edits: What goes, by the number of the row.

    Yields:
        What went, group by group; all of it is written when the iteration ends.

    Raises:
        InputError: A row is not what it was when the file was read, or the file is damaged.
    """
    with ExitStack() as stack:
        source = open_table(stack.enter_context(seekable(content)))
        column = TextColumn.of(source.schema, options) if edits else None
        cuts_text = column is not None and not all(isinstance(edit, Drop) for edit in edits.values())
        write = stack.enter_context(source.writer(target, column.name if column is not None and cuts_text else None))
        cleaner = _Cleaner(edits, column, cutter, leave, source.form == "arrow" and cuts_text)
        groups: Iterator[tuple[TableGroup, RemovedGroup]] = (cleaner.clean(group) for group in source.groups())
        if column is not None and column.is_dictionary and cleaner.keeps_all:
            groups = _with_one_dictionary(list(groups))
        for group, removed in groups:
            write(group)
            yield removed
        cleaner.end()


def restore_table(content: BinaryIO, target: BinaryIO, removed: Iterable[RemovedGroup]) -> None:
    """Write the table again that was cleaned.

    Args:
        content: The cleaned file, decompressed.
        removed: What went, of all its groups in their order.

    Raises:
        InputError: The file does not have the rows that are left of these groups.
    """
    with ExitStack() as stack:
        source = open_table(stack.enter_context(seekable(content)))
        write = stack.enter_context(source.writer(target))
        groups, number = source.groups(), 0
        for entry in removed:
            group = next(groups, None)
            if group is None or group.table.num_rows + len(entry.dropped) != entry.rows:
                raise InputError(f"the rows of group {number + 1} are not those that cleaning left", "",
                                 "The file has changed since it was cleaned.")
            write(TableGroup(_restored(group.table, entry, number), group.metadata))
            number += entry.rows
        if next(groups, None) is not None:
            raise InputError("there are more groups of rows than cleaning left", "", "The file has changed since.")


def clean_arrow(table: Any, edits: Edits, options: Options, cutter: Cutter = plain_cuts, leave: Leave = ignore) -> Any:
    """A ``pyarrow.Table`` without what goes of the table of any object with ``__arrow_c_stream__``."""
    pyarrow = import_pyarrow()
    reader = pyarrow.RecordBatchReader.from_stream(table)
    column = TextColumn.of(reader.schema, options) if edits else None
    cleaner = _Cleaner(edits, column, cutter, leave, False)
    parts = [cleaner.clean(TableGroup(pyarrow.Table.from_batches([batch])))[0].table for batch in reader]
    cleaner.end()
    return pyarrow.concat_tables([reader.schema.empty_table(), *parts])


class _Cleaner:
    """Cleans groups one after the other."""

    def __init__(self, edits: Edits, column: TextColumn | None, cutter: Cutter, leave: Leave, keeps_all: bool) -> None:
        self._edits = edits
        self._numbers = np.array(sorted(edits), np.int64)
        self._column = column
        self._cutter = cutter
        self._leave = leave
        self._before = 0  # rows of the groups before
        self.keeps_all = keeps_all  # of a dictionary, which in an Arrow file is one for all batches

    def clean(self, group: TableGroup) -> tuple[TableGroup, RemovedGroup]:
        """A group without what goes of it, and that."""
        table, before = group.table, self._before
        self._before += table.num_rows
        low, high = np.searchsorted(self._numbers, [before, self._before], side="right")
        numbers = self._numbers[low:high].tolist()
        dropped = [number for number in numbers if isinstance(self._edits[number], Drop)]
        edited = [number for number in numbers if not isinstance(self._edits[number], Drop)]
        if edited and self._column is None:
            raise not_found(edited[0], "row")
        texts: list[RemovedText] = []
        kept_column = ""
        if self._column is not None:
            kept_column = _packed(table.select([self._column.index])) if self._column.is_dictionary and (
                edited or self.keeps_all) else ""
            if edited:
                table, texts = self._without_texts(table, edited, before)
        data, removals = "", [edit.removal for n in dropped if isinstance(edit := self._edits[n], Drop)]
        if dropped:
            rows = np.array(dropped, np.int64) - before - 1
            data = _packed(take_rows(group.table, rows))
            table = take_rows(table, np.delete(np.arange(table.num_rows), rows))
        field = self._column.path if self._column is not None and (texts or kept_column) else ()
        removed = RemovedGroup(group.table.num_rows, texts, dropped, removals, data, kept_column, field)
        return TableGroup(table, group.metadata), removed

    def end(self) -> None:
        """All groups are cleaned.

        Raises:
            InputError: There were fewer rows than are to be cleaned.
        """
        if len(self._numbers) and self._numbers[-1] > self._before:
            raise not_found(int(self._numbers[-1]), "row")

    def _without_texts(self, table: Any, numbers: list[int], before: int) -> tuple[Any, list[RemovedText]]:
        """The table with its text column cut in some rows, and what went."""
        assert self._column is not None
        rows = np.array(numbers, np.int64) - before - 1
        new: list[str] = []
        removed: list[RemovedText] = []
        for number, value in zip(numbers, self._column.values(table, rows), strict=True):
            edit = self._edits[number]
            if not isinstance(value, str) or isinstance(edit, Drop):
                raise not_found(number, "row")
            cuts = checked_cuts(value, edit, self._cutter, lambda _: "")
            for entry in cuts.left:
                self._leave(number, entry)
            new.append(without(value, cuts.cuts))
            removed += _removed(number, value, cuts.cuts)
        try:
            return self._column.replaced(table, rows, new), removed
        except import_pyarrow().ArrowException:  # a dictionary's index too small, or a type that nobody can build
            for number in numbers:
                for entry in left_of(self._edits[number], f"a text of type {self._column.type} cannot be written anew"):
                    self._leave(number, entry)
            return table, []


def _removed(number: int, value: str, cuts: Sequence[Cut]) -> Iterator[RemovedText]:
    """What cuts take of a row's text."""
    gone = 0
    for start, end, removal in cuts:
        if start < end:
            yield RemovedText(number, start - gone, value[start:end], removal)
        gone += end - start


def _restored(table: Any, entry: RemovedGroup, before: int) -> Any:
    """A group as it was; `before` rows stand before it.

    Raises:
        InputError: The entry does not fit: it may come from strangers.
    """
    dropped = _rows_of(entry.dropped, before, entry.rows)
    kept = np.delete(np.arange(entry.rows), dropped)
    column = TextColumn.at(table.schema, entry.field) if entry.field else None
    if (column is None) != (not entry.texts and not entry.column):
        raise _unfit("there is no such column")
    if column is not None and not entry.column:
        table = _with_texts(table, column, entry.texts, kept, before)
    if len(dropped):
        order = np.argsort(np.concatenate([kept, dropped]), kind="stable")
        rows = _unpacked(entry.data, len(dropped), table.schema)
        table = take_rows(import_pyarrow().concat_tables([table, rows]), order)
    if column is not None and entry.column:
        field = table.schema.field(column.index)
        whole = _unpacked(entry.column, entry.rows, import_pyarrow().schema([field]))
        table = table.set_column(column.index, field, whole.column(0))
    return table


def _with_texts(table: Any, column: TextColumn, removed: Sequence[RemovedText], kept: I64, before: int) -> Any:
    """A table with what went from its texts; `kept` are the places of its rows in the group."""
    texts: dict[int, list[RemovedText]] = {}
    for text in removed:
        texts.setdefault(text.row, []).append(text)
    places = _rows_of(list(texts), before, int(kept[-1]) + 1 if len(kept) else 0)
    rows = np.searchsorted(kept, places)
    if not np.array_equal(kept[rows], places):
        raise _unfit("a text of a row that went")
    values = column.values(table, rows)
    return column.replaced(table, rows, [_put_back(*both) for both in zip(values, texts.values(), strict=True)])


def _rows_of(numbers: Sequence[int], before: int, count: int) -> I64:
    """Places in a group of rows, given by their numbers in the file, which ascend."""
    try:
        rows = np.array(numbers, np.int64) - before - 1
    except OverflowError:
        raise _unfit("numbers of rows") from None
    if len(rows) and not (rows[0] >= 0 and rows[-1] < count and (np.diff(rows) > 0).all()):
        raise _unfit("numbers of rows")
    return rows


def _unfit(cause: str) -> InputError:
    return InputError(f"what went from a table does not fit it ({cause})", mend="The file has changed since it was cleaned.")


def _put_back(value: Any, texts: Sequence[RemovedText]) -> str:
    """A text with what went from it."""
    parts, at = [], 0
    for text in texts:
        if not isinstance(value, str) or not at <= text.at <= len(value):
            raise _unfit("places in a text")
        parts += [value[at:text.at], text.text]
        at = text.at
    return "".join([*parts, value[at:]])


def _packed(table: Any) -> str:
    """A table as an Arrow stream in base64."""
    pyarrow = import_pyarrow()
    from pyarrow import ipc

    sink = pyarrow.BufferOutputStream()
    codec = "zstd" if pyarrow.Codec.is_available("zstd") else None
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression=codec)) as file:
        file.write_table(table.replace_schema_metadata(table.schema.metadata))
    return base64.b64encode(sink.getvalue()).decode("ascii")


def _unpacked(data: str, rows: int, schema: Any) -> Any:
    """The table of `_packed`.

    Raises:
        InputError: It is damaged, or has not these rows and columns.
    """
    pyarrow = import_pyarrow()
    from pyarrow import ipc

    try:
        table = ipc.open_stream(base64.b64decode(data, validate=True)).read_all()
        table.validate(full=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"rows that went cannot be read ({str(error)[:200]})") from error
    if table.num_rows != rows or not table.schema.equals(schema):
        raise _unfit("rows or columns")
    return table


def _with_one_dictionary(groups: list[tuple[TableGroup, RemovedGroup]]) -> Iterator[tuple[TableGroup, RemovedGroup]]:
    """Groups of which all have the same dictionaries: an Arrow file can have no others."""
    if not groups:
        return
    whole, at = import_pyarrow().concat_tables([group.table for group, _ in groups]).unify_dictionaries(), 0
    for group, removed in groups:
        yield TableGroup(whole.slice(at, group.table.num_rows), group.metadata), removed
        at += group.table.num_rows
