"""Cleaning of Parquet and Arrow: what stays reads as it should, and the same table comes back."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.cleaning.pieces import Left
from dedup.cleaning.records import Drop
from dedup.cleaning.tables import RemovedGroup, clean_arrow, clean_table, restore_table
from dedup.options import Options
from dedup.readers import pages_from_objects
from tests.clean_help import SIGNS, edits_of, expected_texts, pages_of, texts

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

TYPES = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()),
         pa.dictionary(pa.int32(), pa.large_string())]
FORMS = ["parquet", "arrow", "arrow stream"]


def array_of(values: list[Any], kind: Any) -> Any:
    if not pa.types.is_dictionary(kind):
        return pa.array(values, kind)
    encoded = pa.array(values, kind.value_type).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.cast(kind.index_type), encoded.dictionary)


@st.composite
def tables(draw: st.DrawFn, kinds: list[Any] = TYPES) -> tuple[Any, dict[str, Any]]:
    """A table with a text column of some type, maybe in structs, and the settings of reading it."""
    count = draw(st.integers(0, 7))
    values = draw(st.lists(st.none() | texts(SIGNS, 8), min_size=count, max_size=count))
    kind, nested = draw(st.sampled_from(kinds)), draw(st.booleans())
    column = array_of(values, kind)
    if nested and kind in (pa.string(), pa.large_string()):  # of others pyarrow cannot write parts
        more = pa.array(range(count), pa.int32())
        mask = pa.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), pa.bool_())
        column = pa.StructArray.from_arrays([more, column], ["n", "body"], mask=mask)
    else:
        nested = False
    words = pa.DictionaryArray.from_arrays(pa.array([i % 2 for i in range(count)], pa.int8()), pa.array(["x", "y", "z"]))
    fields = [pa.field("row", pa.int64(), nullable=False), pa.field("text", column.type, metadata={"a": "b"}),
              pa.field("words", words.type), pa.field("lists", pa.list_(pa.string()))]
    arrays = [pa.array(range(count), pa.int64()), column, words, pa.array([["é"], None, []] * count, fields[3].type)[:count]]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata={"who": "we"}))
    return table, {"text_field": "text.body"} if nested else {}


def written(table: Any, form: str, size: int, **settings: Any) -> bytes:
    """A table as a file with groups of some rows."""
    sink = io.BytesIO()
    if form == "parquet":
        pq.write_table(table, sink, row_group_size=size, **settings)
    else:
        make = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with make(sink, table.schema, options=pa.ipc.IpcWriteOptions(**settings)) as file:
            file.write_table(table, size)
    return sink.getvalue()


def read_back(data: bytes, form: str) -> Any:
    if form == "parquet":
        return pq.read_table(io.BytesIO(data))
    return (pa.ipc.open_file if form == "arrow" else pa.ipc.open_stream)(io.BytesIO(data)).read_all()


def group_sizes(data: bytes, form: str) -> list[int]:
    if form == "parquet":
        metadata = pq.ParquetFile(io.BytesIO(data)).metadata
        return [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    if form == "arrow":
        file = pa.ipc.open_file(io.BytesIO(data))
        return [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
    return [batch.num_rows for batch in pa.ipc.open_stream(io.BytesIO(data))]


def clean(source: bytes, edits: Any, **settings: Any) -> tuple[bytes, list[RemovedGroup], dict[int, list[Left]]]:
    left: dict[int, list[Left]] = {}
    sink = io.BytesIO()
    removed = list(clean_table(io.BytesIO(source), sink, edits, Options(**settings),
                               leave=lambda number, entry: left.setdefault(number, []).append(entry)))
    return sink.getvalue(), removed, left


@settings(max_examples=150)
@given(made=tables(), form=st.sampled_from(FORMS), size=st.integers(1, 4), data=st.data())
def test_a_table_is_cleaned_and_comes_back(made: Any, form: str, size: int, data: st.DataObject) -> None:
    table, options = made
    source = written(table, form, size)
    pages = pages_of(source, form.split()[0], **options)
    edits = data.draw(edits_of(pages))
    cleaned, removed, left = clean(source, edits, **options)
    after = read_back(cleaned, form)
    before = read_back(source, form)
    assert [page.text for page in pages_of(cleaned, form.split()[0], **options)] == expected_texts(pages, edits, left)
    dropped = {number - 1 for number, edit in edits.items() if isinstance(edit, Drop)}
    kept = [row for row in range(len(table)) if row not in dropped]
    assert after.schema.equals(before.schema, check_metadata=True)
    assert [after[name].to_pylist() for name in ("row", "words", "lists")] == [
        [before[name].to_pylist()[row] for row in kept] for name in ("row", "words", "lists")]
    again = [RemovedGroup.of_json(json.loads(json.dumps(entry.as_json()))) for entry in removed]
    sink = io.BytesIO()
    restore_table(io.BytesIO(cleaned), sink, again)
    restored = read_back(sink.getvalue(), form)
    restored.validate(full=True)
    assert restored.equals(before)
    assert restored.schema.equals(before.schema, check_metadata=True)
    assert group_sizes(sink.getvalue(), form) == group_sizes(source, form)


@given(made=tables(), data=st.data())
def test_a_table_in_memory(made: Any, data: st.DataObject) -> None:
    table, options = made
    pages = list(pages_from_objects(table, **options))
    edits = data.draw(edits_of(pages))
    left: dict[int, list[Left]] = {}
    after = clean_arrow(table, edits, Options(**options), leave=lambda n, entry: left.setdefault(n, []).append(entry))
    assert after.schema.equals(table.schema, check_metadata=True)
    assert [page.text for page in pages_from_objects(after, **options)] == expected_texts(pages, edits, left)
