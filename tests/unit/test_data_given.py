"""What a program hands over: tables, columns and records, and what it is told where they hold no texts."""

from __future__ import annotations

import csv
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup import InputError, clean, compare, scan
from dedup.model import ReadError
from dedup.readers import pages_from_objects
from dedup.report.json import read_json
from dedup.report.page_table import page_batches, page_rows
from dedup.report.troubles import troubles
from tests.scan_help import prose

TEXT, OTHER = prose(30, 1), prose(30, 2)
WRONG = [{"doc_id": number, "body_text": TEXT} for number in range(30)]
NO_FIELD = r"no field text, content or body \(there are: doc_id, body_text\); name one with text_field$"


def library(name: str) -> Any:
    return pytest.importorskip(name, reason=f"LOUD: {name} is missing, its tables and columns are not scanned")


def test_a_dictionary_of_data_sets_is_told_its_splits() -> None:
    datasets = library("datasets")
    splits = datasets.DatasetDict(test=datasets.Dataset.from_dict({"text": [TEXT]}))
    with pytest.raises(TypeError, match=r"DatasetDict is several data sets; give one of them: \['test'\]$"):
        scan(splits)


def tables(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The same records in all the ways in which a program may hold them."""
    columns = {name: [record[name] for record in records] for name in records[0]}
    return {"mappings": lambda: records, "an iterator": lambda: iter(records),
            "pyarrow": lambda: library("pyarrow").table(columns),
            "a batch": lambda: library("pyarrow").record_batch(columns),
            "pandas": lambda: library("pyarrow") and library("pandas").DataFrame(columns),
            "polars": lambda: library("pyarrow") and library("polars").DataFrame(columns)}


@pytest.mark.parametrize("kind", tables(WRONG))
def test_records_without_a_text_field_are_an_error_that_names_their_fields(kind: str) -> None:
    def given() -> Any:
        return tables(WRONG)[kind]()
    with pytest.raises(InputError, match=f"^input.*: {NO_FIELD}"):
        scan(given())
    with pytest.raises(InputError, match=f"^input.*: {NO_FIELD}"):
        scan(given(), against=[TEXT])
    with pytest.raises(InputError, match=f"^against: nothing to compare against: .*{NO_FIELD}"):
        scan([TEXT], against=given())
    with pytest.raises(InputError, match=NO_FIELD):
        clean(given())
    assert scan(given(), text_field="body_text").summary.pages == 30


def test_the_side_of_a_comparison_that_has_no_text_is_named() -> None:
    with pytest.raises(InputError, match=r"^b: nothing to compare: row 0: no field text, content or body"):
        compare(TEXT, {"id": "x", "doc": TEXT})


@pytest.mark.parametrize(("given", "says"), [
    ([("a", TEXT), ("b", TEXT)], r"^input\[0\]: is tuple, not a text, mapping or Page\. Give texts"),
    ([TEXT.encode()], r"^input\[0\]: is bytes, not a text"),
    ([{"text": TEXT.encode()}], r"row 0: the text is of type bytes, not a string\. Name another field"),
    ([{"text": None}, {"txt": TEXT}], r"row 0: the text is null, not a string$")])
def test_what_is_no_text_at_all_is_an_error(given: list[Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        scan(given)


def test_a_batch_in_which_all_texts_are_null_is_skipped() -> None:
    for given, settings in (([{"id": "a", "text": None}], {}), ([{"id": "a", "page": None}], {"text_field": "page.body"})):
        report = scan(given, **settings)
        assert (report.summary.pages, report.summary.skipped) == (0, 1)


def test_a_list_of_batches_and_a_column_of_bytes_are_errors() -> None:
    pa = library("pyarrow")
    with pytest.raises(InputError, match=r"is RecordBatch, not a text.*one table"):
        scan(pa.table({"text": [TEXT]}).to_batches())
    with pytest.raises(InputError, match=r"^input: row 0: the text is of type bytes"):
        scan(pa.table({"text": [TEXT.encode()]}))
    with pytest.raises(InputError, match=r"^input: row 0: the text is a number"):
        scan(pa.array([1, 2]))


def test_nothing_is_no_error() -> None:
    assert repr(scan([])) == "<Report: 0 pages, 0 groups, 0.0 % duplicate>"
    assert scan(library("pyarrow").table({"text": library("pyarrow").array([], "string")})).summary.pages == 0


def test_where_some_records_have_a_text_the_others_are_skipped_and_counted() -> None:
    report = scan([{"id": "a", "text": TEXT}, *WRONG])
    assert [page.id for page in report.pages] == ["a"]
    assert [(entry.reason, entry.count) for entry in report.skipped] == [("text field missing", 30)]
    assert repr(report) == "<Report: 1 page, 0 groups, 0.0 % duplicate, 30 skipped>"
    assert [trouble.what for trouble in troubles(report)] == ["30 records were left out"]
    assert len(report.errors) == 11
    assert report.errors[-1] == ReadError("input", None, "… and 20 more lines like this (text field missing)")


def columns(texts: list[str | None]) -> dict[str, Any]:
    return {"an array": lambda: library("pyarrow").array(texts),
            "a large array": lambda: library("pyarrow").array(texts, "large_string"),
            "a chunked array": lambda: library("pyarrow").chunked_array([texts[:1], texts[1:]], type="string"),
            "categories": lambda: library("pyarrow").array(texts).dictionary_encode(),
            "pandas": lambda: library("pandas").DataFrame({"body_text": texts})["body_text"],
            "polars": lambda: library("pyarrow") and library("polars").DataFrame({"body_text": texts})["body_text"]}


@pytest.mark.parametrize("kind", columns([TEXT]))
def test_a_column_of_strings_is_texts_that_are_named_by_their_rows(kind: str) -> None:
    column = columns([TEXT, None, OTHER, TEXT])[kind]()
    report = scan(column)
    assert [page.id for page in report.pages] == ["0", "2", "3"]
    assert [place.page for place in report.groups[0].occurrences] == ["0", "3"]
    assert report.summary.skipped == len(report.errors) == 1
    assert scan(columns([TEXT])[kind](), text_field="body", against=columns([TEXT])[kind]()).summary.groups == 1
    assert clean(columns([TEXT, OTHER, TEXT])[kind](), what="exact", drop="pages").pages == (TEXT, OTHER)


def test_what_arrow_refuses_is_an_error_of_ours() -> None:
    pa = library("pyarrow")
    bad = pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\x09\0\0\0\x04\0\0\0"), pa.py_buffer(b"abcd")])
    for given in (bad, pa.table({"text": bad})):
        with pytest.raises(InputError, match=r"input: Arrow cannot read it \(.*out of bounds"):
            scan(given)
        with pytest.raises(InputError, match=r"input: Arrow cannot read it \(.*out of bounds"):
            clean(given)
    pd = library("pandas")
    for frame in (pd.DataFrame({"id": [1, "x"], "text": [TEXT, OTHER]}),
                  pd.DataFrame([[TEXT, TEXT]], columns=["text", "text"]), pd.DataFrame({"text": [TEXT], "n": [2**70]})):
        with pytest.raises(InputError, match=r"input: Arrow cannot read it .*or give the rows as mappings"):
            scan(frame)
        with pytest.raises(InputError, match="Arrow cannot read it"):
            clean(frame)


def test_rows_of_what_a_program_holds_are_counted_from_0_in_ids_and_messages() -> None:
    records = [{"id": "a", "text": TEXT}, {"id": None, "text": None}, {"id": "", "text": TEXT}]
    for given in tables(records).values():
        report = scan(given())
        assert [page.id for page in report.pages] == ["a", "2"]
        assert [error.message for error in report.errors] == ["row 1: the text is null, not a string; skipped"]
        assert [page.number for page in pages_from_objects(given())] == [1, 3]


def test_an_index_takes_tables_of_any_library_and_refuses_what_has_no_ids(tmp_path: Path) -> None:
    records = [{"id": "a", "text": TEXT}, {"id": "b", "text": OTHER}]
    with dedup.Index.create(tmp_path / "index") as index:
        for given in tables(records).values():
            index.add(given())
        assert sorted(index.ids()) == ["a", "b"]
        for given in (tables([{"text": TEXT}])["pyarrow"](), columns([TEXT])["an array"]()):
            with pytest.raises(InputError, match="without an id cannot be found again"):
                index.add(given)


def rows(report: dedup.Report) -> list[int | None]:
    column = [row["row"] for batch in page_batches(report) for row in page_rows(batch)]
    assert pickle.loads(pickle.dumps(report)).to_arrow()["row"].to_pylist() == report.to_arrow()["row"].to_pylist() == column
    return column


def test_a_page_is_found_again_by_its_row_whatever_ids_there_are(tmp_path: Path) -> None:
    library("pyarrow")
    records = [{"id": "7", "text": TEXT}, {"id": "7", "text": None}, {"id": "7", "text": OTHER}, {"id": None, "text": TEXT}]
    for given in tables(records).values():
        report = scan(given())
        assert rows(report) == rows(scan(given(), against=[TEXT], unit="page")) == [0, 2, 3]
        assert [page.id for page in report.pages] == ["7", "7#2", "3"]
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    (tmp_path / "whole.txt").write_text(TEXT, encoding="utf-8")
    assert rows(scan(tmp_path)) == [1, 3, 4, None]
    assert rows(scan(dedup.open_pages(path))) == [1, 3, 4]
    assert rows(scan(list(dedup.open_pages(path)))) == [0, 1, 2]
    report.write(tmp_path / "report.json")
    assert rows(read_json(tmp_path / "report.json")) == [None] * 3
    report.write(tmp_path / "pages.csv")
    assert [line["row"] for line in csv.DictReader((tmp_path / "pages.csv").open(encoding="utf-8"))] == ["0", "2", "3"]


def test_pages_that_an_index_is_asked_for_have_their_rows(tmp_path: Path) -> None:
    library("pyarrow")
    with dedup.Index.create(tmp_path / "index", [{"id": "a", "text": TEXT}]) as index:
        for given in ([{"id": "b", "text": TEXT}, {"id": "c", "text": OTHER}], [{"id": "b", "text": OTHER}]):
            assert rows(index.check(given)) == list(range(len(given)))


def test_the_two_pages_of_a_comparison_have_no_rows() -> None:
    library("pyarrow")
    assert rows(compare(TEXT, {"id": "b", "text": TEXT})) == [None, None]


def test_a_report_with_other_groups_keeps_its_rows() -> None:
    assert rows(scan([TEXT, OTHER, TEXT]).at_similarity(0.95)) == [0, 1, 2]
