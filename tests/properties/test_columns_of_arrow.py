"""Rows of Arrow that are read as columns are those that are read one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup import scan
from dedup.errors import InputError
from dedup.heads import Heads
from dedup.model import Page
from dedup.options import Options
from dedup.readers import open_pages, pages_from_objects
from dedup.readers.reading import Texts
from dedup.readers.stream import PageStream

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

WORDS = st.text("aé語 \n.#1", max_size=12)
LONG = st.sampled_from(["ab " * 400, "é" * 600, "é" * 1001])  # more bytes than a page may have, or more characters, too
URLS = st.sampled_from(["", "https://one.org/a", "http://Two.org:80/é", "no address", "//x/y"])
STRINGS = [pa.string(), pa.large_string()]


@st.composite
def column_of(draw: st.DrawFn, count: int, kinds: list[tuple[Any, st.SearchStrategy[Any]]]) -> Any:
    kind, values = draw(st.sampled_from(kinds))
    some = draw(st.sampled_from([values, st.none() | values]))
    return pa.array(draw(st.lists(some, min_size=count, max_size=count)), kind)


@st.composite
def tables(draw: st.DrawFn) -> Any:
    """A table with columns that may be texts, ids, addresses or something else, sliced out of a larger one."""
    count = draw(st.integers(2, 8))
    plain = [(kind, WORDS | LONG) for kind in STRINGS]
    odd = [*plain, (pa.string_view(), WORDS), (pa.int64(), st.integers(-9, 9)), (pa.bool_(), st.booleans())]
    parts = pa.struct([("n", pa.int64()), ("x", pa.string())])
    kinds = {"text": [*plain * 4, (pa.string_view(), WORDS | LONG), (pa.int64(), st.integers(0, 9))],
             "body": plain, "id": odd, "n": odd,
             "url": [*((kind, URLS) for kind in STRINGS), (pa.int64(), st.integers(0, 9))],
             "data": [(parts, st.fixed_dictionaries({"n": st.integers(0, 9), "x": WORDS}))],
             "when": [(pa.date32(), st.dates()), (pa.list_(pa.string()), st.lists(WORDS, max_size=2))]}
    names = ["text", *draw(st.lists(st.sampled_from(list(kinds)[1:]), max_size=5, unique=True))]
    table = pa.table({name: draw(column_of(count, kinds[name])) for name in names})
    return table.slice(draw(st.integers(0, 2)), draw(st.integers(1, count)))


def as_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.readers.arrow_columns.plain_rows", lambda *_: None)


def all_of(stream: PageStream) -> tuple[list[Page], list[Page], list[str], list[tuple[str, int]]]:
    """The pages, once made of what is yielded and once of columns, and what is said of others."""
    heads, pages = Heads(), list[Page]()
    for item in stream.stretches():
        if isinstance(item, Texts):
            heads.extend(item.heads)
            pages += item.pages()
        else:
            heads.add_all([item])
            pages.append(item)
    return pages, list(heads), [error.message for error in stream.errors], [(s.reason, s.count) for s in stream.skipped]


@given(tables(), st.sampled_from(["", "", "", "body", "n", "data.x"]), st.sampled_from(["", "", "n", "url", "data.n"]),
       st.sampled_from([(), ("when",), ("n", "when", "none"), ("data.n", "n")]),
       st.sampled_from(["object", "parquet", "arrow"]), st.sampled_from([1000, 10_000]))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_as_columns_are_those_read_one_by_one(tmp_path: Path, table: Any, text: str, id_: str, meta: tuple[str, ...],
                                                   form: str, longest: int) -> None:
    options = Options(text_field=text or None, id_field=id_ or None, meta=meta, max_page_bytes=longest)
    path = tmp_path / f"t.{form}"
    if form == "parquet":
        if any(pa.types.is_string_view(kind) for kind in table.schema.types):
            table = table.drop([f.name for f in table.schema if pa.types.is_string_view(f.type)])
        pq.write_table(table, path, row_group_size=3)
    elif form == "arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=3)

    def read() -> Any:
        try:
            return all_of(pages_from_objects(table, options) if form == "object" else open_pages(path, options))
        except InputError as error:  # no text at all
            return str(error)
    found = read()
    with pytest.MonkeyPatch.context() as patch:
        as_rows(patch)
        expected = read()
    assert found == expected


@pytest.mark.parametrize("form", ["object", "views", "parquet"])
def test_plain_rows_are_no_objects(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text {n}" for n in range(3000)]
    table = pa.table({"id": pa.array(range(3000)), "text": texts, "url": ["http://a.b/c"] * 3000})
    pq.write_table(table, tmp_path / "t.parquet")
    if form == "views":  # Polars hands over such columns
        table = table.set_column(1, "text", pa.chunked_array([pa.array(texts, pa.string_view())]))
    source = tmp_path / "t.parquet" if form == "parquet" else table
    stream = open_pages(source, Options()) if form == "parquet" else pages_from_objects(source, Options())
    items = list(stream.stretches())
    assert all(isinstance(item, Texts) for item in items)
    assert sum(len(item.heads) for item in items if isinstance(item, Texts)) == 3000
    by_columns = scan(source, unit="page", min_tokens=2).to_json()
    as_rows(monkeypatch)
    assert scan(source, unit="page", min_tokens=2).to_json() == by_columns
