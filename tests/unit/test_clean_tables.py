"""Cleaning of Parquet and Arrow: what a file keeps, and what is refused."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dedup.cleaning.packing import open_content
from dedup.cleaning.pieces import Gone, Left
from dedup.cleaning.records import Drop
from dedup.cleaning.tables import RemovedGroup, RemovedText, clean_arrow, clean_table, restore_table
from dedup.errors import InputError
from dedup.options import Options

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

ROWS = 10
EDITS: dict[int, Any] = {1: [Gone(0, 4, 0)], 4: Drop(1), 5: Drop(1), 6: Drop(2), 9: [Gone(3, 7, 3), Gone(8, 13, 4)]}


def table() -> Any:
    return pa.table({
        "n": pa.array(range(ROWS), pa.int32()), "text": ["one two three"] * ROWS,
        "when": pa.array([datetime(2024, 1, 1, tzinfo=UTC)] * ROWS, pa.timestamp("ms", "UTC")),
        "price": pa.array([Decimal("1.50")] * ROWS, pa.decimal128(7, 2)),
        "tags": [["a", None], None] * (ROWS // 2), "share": pa.array([0.5] * ROWS, pa.float32()),
    })


def parquet(made: Any, **settings: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(made, sink, row_group_size=4, **settings)
    return sink.getvalue()


def cleaned(source: bytes, edits: Any, **settings: Any) -> tuple[bytes, list[RemovedGroup], list[Left]]:
    sink = io.BytesIO()
    left: list[Left] = []
    removed = list(clean_table(io.BytesIO(source), sink, edits, Options(**settings),
                               leave=lambda _, entry: left.append(entry)))
    return sink.getvalue(), removed, left


def restored(source: bytes, removed: list[RemovedGroup]) -> bytes:
    sink = io.BytesIO()
    restore_table(io.BytesIO(source), sink, removed)
    return sink.getvalue()


def test_what_went_is_told_row_by_row() -> None:
    out, removed, left = cleaned(parquet(table()), EDITS)
    assert not left
    texts = pq.read_table(io.BytesIO(out))["text"].to_pylist()
    assert texts == ["two three", *["one two three"] * 4, "one ", "one two three"]
    assert [entry.rows for entry in removed] == [4, 4, 2]
    assert [text for entry in removed for text in entry.texts] == [
        RemovedText(1, 0, "one ", 0), RemovedText(9, 3, " two", 3), RemovedText(9, 4, "three", 4)]
    assert [(entry.dropped, entry.removals) for entry in removed] == [([4], [1]), ([5, 6], [1, 2]), ([], [])]
    assert removed[2].as_json() == {"rows": 2, "texts": [(9, 3, " two", 3), (9, 4, "three", 4)], "field": ["text"]}


MAGICS = {"lz4": b"\x04\x22\x4d\x18", "zstd": b"\x28\xb5\x2f\xfd"}
BY_TEXT = pq.SortingColumn(1, descending=True)
SETTINGS: list[dict[str, Any]] = [
    {}, {"compression": "zstd"}, {"compression": {"n": "gzip", "text": "brotli"}}, {"compression": "none"},
    {"use_dictionary": False}, {"use_dictionary": ["text"]}, {"version": "1.0"}, {"version": "2.4"},
    {"use_dictionary": ["tags"], "column_encoding": {"n": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY",
                                                     "share": "BYTE_STREAM_SPLIT"}},
    {"write_statistics": False}, {"write_statistics": ["n"]}, {"store_schema": False}, {"write_page_index": True},
    {"use_compliant_nested_type": False}, {"use_deprecated_int96_timestamps": True}, {"store_decimal_as_integer": True},
    {"sorting_columns": [pq.SortingColumn(0)]}, {"sorting_columns": [BY_TEXT]},
]
ALL_EDITS: dict[str, Any] = {"all": EDITS, "row": {4: Drop(0)}, "group": {row: Drop(0) for row in range(1, 7)}, "none": {}}


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("edits", ALL_EDITS.values(), ids=ALL_EDITS)
def test_a_parquet_file_is_written_as_it_was(settings: dict[str, Any], edits: Any) -> None:
    source = parquet(table(), **settings)
    out, removed, _ = cleaned(source, edits)
    back = restored(out, removed)
    before, after = (pq.ParquetFile(io.BytesIO(data)) for data in (source, back))
    assert after.read().equals(before.read())
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert after.schema.equals(before.schema)
    assert {*(after.metadata.metadata or ())} == {*(before.metadata.metadata or ())}  # ARROW:schema holds field ids now
    assert after.metadata.format_version == before.metadata.format_version
    unsorted = edits is EDITS and settings.get("sorting_columns", [None])[0] == BY_TEXT
    for file in (after, pq.ParquetFile(io.BytesIO(out))):
        for i in range(before.num_row_groups):
            old, new = before.metadata.row_group(i), file.metadata.row_group(i)
            assert new.sorting_columns == (() if unsorted else old.sorting_columns)
            if not new.num_rows:
                continue
            for k in range(old.num_columns):
                for name in ("compression", "encodings", "has_dictionary_page", "is_stats_set", "has_offset_index",
                             "physical_type", "path_in_schema"):
                    assert getattr(new.column(k), name) == getattr(old.column(k), name), (name, i, k)
    assert [after.metadata.row_group(i).num_rows for i in range(3)] == [4, 4, 2]


def test_all_rows_go_and_come_back() -> None:
    source = parquet(table())
    out, removed, _ = cleaned(source, {row: Drop(0) for row in range(1, ROWS + 1)})
    assert pq.read_table(io.BytesIO(out)).num_rows == 0
    assert pq.read_table(io.BytesIO(restored(out, removed))).equals(table())


def test_pandas_meta_data_stays() -> None:
    metadata = {b"pandas": b'{"index_columns": []}', b"mine": b"\xff"}
    source = parquet(table().replace_schema_metadata(metadata))
    out, removed, _ = cleaned(source, EDITS)
    assert pq.read_schema(io.BytesIO(out)).metadata == metadata
    assert pq.read_schema(io.BytesIO(restored(out, removed))).metadata == metadata


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
@pytest.mark.parametrize("form", ["file", "stream"])
def test_arrow_keeps_codec_and_meta_data(codec: str | None, form: str) -> None:
    made, sink = table().append_column("zeros", [[0] * ROWS]), io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with (pa.ipc.new_file if form == "file" else pa.ipc.new_stream)(sink, made.schema, options=options) as file:
        for i, batch in enumerate(made.to_batches(max_chunksize=4)):
            file.write_batch(batch, custom_metadata={"number": str(i)})
    source = sink.getvalue()
    out, removed, _ = cleaned(source, EDITS)
    back = restored(out, removed)
    for data in (out, back):
        reader = (pa.ipc.open_file if form == "file" else pa.ipc.open_stream)(io.BytesIO(data))
        batches = [reader.get_batch_with_custom_metadata(i) for i in range(3)] if form == "file" else list(
            reader.iter_batches_with_custom_metadata())
        assert [metadata[b"number"] for _, metadata in batches] == [b"0", b"1", b"2"]
    magics = [name for name, magic in MAGICS.items() if magic in source]
    assert magics == ([codec] if codec else [])
    assert all([name for name, magic in MAGICS.items() if magic in data] == magics for data in (out, back))


def test_an_index_too_small_for_the_new_texts() -> None:
    """128 texts fill a dictionary with an index of int8: one more cannot be written, and stays."""
    values = [f"text number {i}" for i in range(128)]
    column = pa.DictionaryArray.from_arrays(pa.array([*range(128), 0], pa.int8()), pa.array(values))
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("text", column.type)])) as file:
        file.write_table(pa.table({"text": column}))
    out, removed, left = cleaned(sink.getvalue(), {1: [Gone(0, 5, 7)]})
    assert left == [Left(0, 5, 7, "a text of type dictionary<values=string, indices=int8, ordered=0> cannot be written anew")]
    for data in (out, restored(out, removed)):
        assert pa.ipc.open_stream(io.BytesIO(data)).read_all()["text"].to_pylist() == column.to_pylist()


def test_compressed_tables() -> None:
    source = parquet(table())
    content, compression = open_content(io.BytesIO(gzip.compress(source)))
    sink = io.BytesIO()
    removed = list(clean_table(content, sink, EDITS, Options()))
    assert compression == "gzip"
    assert pq.read_table(io.BytesIO(restored(sink.getvalue(), removed))).equals(table())


@pytest.mark.parametrize("edits", [{11: Drop(0)}, {1: [Gone(0, 14, 0)]}], ids=["row", "text"])
def test_a_table_that_is_another(edits: Any) -> None:
    with pytest.raises(InputError, match="changed"):
        cleaned(parquet(table()), edits)
    with pytest.raises(InputError, match="changed"):
        clean_arrow(table(), edits, Options())


def test_nulls_and_missing_columns_are_no_texts() -> None:
    for made in (pa.table({"text": pa.array([None], pa.string())}), pa.table({"txt": ["a"]}), pa.table({"text": [5]})):
        with pytest.raises(InputError, match="changed"):
            cleaned(parquet(made), {1: [Gone(0, 1, 0)]})


def test_damage_is_named() -> None:
    source = parquet(table())
    middle = len(source) // 3
    for bad in (source[:-20], source[:middle] + bytes(40) + source[middle + 40:]):
        with pytest.raises(InputError, match="parquet data cannot be read"):
            cleaned(bad, EDITS)
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table().schema) as file:
        file.write_table(table())
    with pytest.raises(InputError, match="arrow data cannot be read"):
        cleaned(sink.getvalue()[:-30], EDITS)


def test_restoring_refuses_another_file() -> None:
    out, removed, _ = cleaned(parquet(table()), EDITS)
    for data, groups in ((parquet(table()), removed), (out, removed[:2]), (out, [*removed, removed[0]])):
        with pytest.raises(InputError, match="changed since"):
            restored(data, groups)
    hostile = RemovedGroup(removed[0].rows, dropped=removed[0].dropped, removals=[1], data="AAAA")
    with pytest.raises(InputError, match="rows that went cannot be read"):
        restored(out, [hostile, *removed[1:]])


@pytest.mark.parametrize("change", [
    {"dropped": [9]}, {"dropped": [0]}, {"dropped": [-5]}, {"dropped": [10**15]}, {"dropped": [10**30]},
    {"field": ["nothing"]}, {"field": []},
    {"field": ["n"]}, {"texts": [(4, 0, "x", 0)]}, {"texts": [(1, 99, "x", 0)]}, {"texts": [(1, -1, "x", 0)]},
    {"texts": [(1, 5, "x", 0), (1, 3, "x", 0)]}, {"texts": [(99, 0, "x", 0)]},
    {"texts": [(3, 0, "x", 0), (1, 0, "x", 0)]},
    {"rows": 10**15}, {"rows": -1}, {"column": "AAAA"}, {"data": ""},
    {"rows": "4"}, {"texts": [1]}, {"texts": [[1, 2]]}, {"dropped": ["4"]}, {"data": 5}, {"data": "é"},
], ids=str)
def test_a_hostile_entry_is_refused(change: dict[str, Any]) -> None:
    out, removed, _ = cleaned(parquet(table()), EDITS)
    first = {**removed[0].as_json(), **change}
    with pytest.raises(InputError):
        restored(out, [RemovedGroup.of_json(first), *removed[1:]])


def test_rows_of_another_table_are_refused() -> None:
    out, removed, _ = cleaned(parquet(table()), EDITS)
    _, others, _ = cleaned(parquet(table().drop_columns(["n"])), EDITS)
    with pytest.raises(InputError, match="does not fit"):
        restored(out, [RemovedGroup.of_json({**removed[0].as_json(), "data": others[0].data}), *removed[1:]])
