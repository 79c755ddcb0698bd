"""The persistent index as a program uses it."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import sqlite3
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from index_help import groups_of, made_pages, page_record
from msgspec.structs import replace

import dedup
from dedup.blocks import read_corpus
from dedup.errors import BusyIndexError, DamagedIndexError, InputError, OptionError, OutputError
from dedup.index import Index, rebuild
from dedup.index.keys import BLOCK, DEAD, ID
from dedup.index.recent import RARELY, Recent, RecentChunks
from dedup.index.records import LZ4, MOST_LZ4, ZSTD, Packer, Record, seal, stored_page, stored_texts, unseal
from dedup.index.segments import Rows, Segment, find_keys, in_windows, merged, one_by_one, pack_chunks, sorted_rows
from dedup.index.sqlite_pages import BESIDE, SqliteSnapshot
from dedup.kernel.twin_postings import BEGIN_BITS
from dedup.model import Page
from dedup.readers.compression import zstd_module

EIGHT = "These same eight words stand on both pages."
MORE = f"One page says more. {EIGHT} It goes on for a while."
HTML = "<title>A title</title><nav><a href=x>Home</a></nav><main id=m><p class='é x'>Some words &amp; some more of " \
    "them, eight at least.<p>Another paragraph with other words than these, and then some.</main>"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "pages.dedup"


def test_a_page_that_shares_a_passage_is_found_with_its_places_on_both_sides(place: Path) -> None:
    with Index.create(place) as index:
        done = index.add([{"id": "a", "text": EIGHT}])
        assert (done.added, done.replaced, done.unchanged) == (1, 0, 0)
        report = index.check({"id": "b", "text": MORE})
    assert [(o.page, o.start, o.end) for o in report.groups[0].occurrences] == [("a", 0, 43), ("b", 20, 63)]


def test_what_was_added_is_there_when_it_is_opened_again(place: Path) -> None:
    Index.create(place, [{"id": "a", "text": EIGHT}]).close()
    with Index.open(place) as index:
        assert len(index) == 1
        assert "a" in index
        assert "b" not in index
        assert list(index.ids()) == ["a"]
        assert len(index.check(MORE).groups) == 1


@pytest.mark.parametrize("content", [None, b"", b"no index at all", b"SQLite format 3\0" + bytes(200)])
def test_a_path_that_is_no_index_is_an_error_and_stays_as_it_is(place: Path, content: bytes | None) -> None:
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(InputError, match=r"is no index|there is no index"):
        Index.open(place)
    assert (place.read_bytes() if place.exists() else None) == content


def test_another_database_of_sqlite_is_no_index(place: Path) -> None:
    with sqlite3.connect(place) as connection:
        connection.execute("CREATE TABLE page(number INTEGER)")
    with pytest.raises(InputError, match="is no index"):
        Index.open(place)


@pytest.mark.parametrize("source", [Path("nowhere"), "a text without an id", [{"text": "nor this one"}]])
def test_pages_that_cannot_be_read_make_no_index(place: Path, source: Any) -> None:
    with pytest.raises(InputError):
        Index.create(place, source)
    assert not place.exists()


def test_threads_that_have_ended_leave_no_connections(place: Path) -> None:
    import gc

    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        for _ in range(10):
            thread = threading.Thread(target=lambda: len(index))
            thread.start()
            thread.join()
        gc.collect()
        assert len(index._store._held) <= 2  # type: ignore[attr-defined]


def test_create_takes_no_place_of_another_file(place: Path) -> None:
    place.write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        Index.create(place)
    assert place.read_text() == "mine"
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_newer_index_is_refused_in_one_line(place: Path) -> None:
    Index.create(place).close()
    with sqlite3.connect(place) as connection:
        connection.execute("PRAGMA user_version=3")
    connection.close()
    with pytest.raises(InputError, match=r"made by a newer dedup \(format 3; this one knows 2\). Update dedup") as error:
        Index.open(place)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("name", "other"), [("SCHEME", 99), ("unicode_tables", lambda: "other tables")])
def test_an_index_of_other_keys_or_words_is_refused(name: str, other: Any, place: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    Index.create(place, [{"id": "a", "text": EIGHT}]).close()
    monkeypatch.setattr(f"dedup.index.recipe.{name}", other)
    with pytest.raises(OptionError, match=r"makes keys in another way .* dedup index rebuild"):
        Index.open(place)
    assert rebuild(place, place.with_name("new")).pages == 1
    with Index.open(place.with_name("new")) as index:
        assert len(index.check(MORE).groups) == 1


def test_what_cannot_be_done_with_an_index_or_an_id_is_said(place: Path) -> None:
    with Index.create(place, [{"id": 5, "text": EIGHT}]) as index:
        with pytest.raises(TypeError, match="give its path to the other process"):
            pickle.dumps(index)
        with pytest.raises(TypeError, match="an id is a str, not 5"):
            index.remove([5])  # type: ignore[list-item]
        assert index.remove("5") == 1


def test_the_same_id_again_takes_the_place_of_the_earlier_page(place: Path) -> None:
    other = "Something else altogether stands here now and nobody has ever read it before."
    with Index.create(place) as index:
        index.add([{"id": "a", "text": EIGHT}, {"id": "b", "text": other}])
        done = index.add([{"id": "a", "text": other}, {"id": "b", "text": other}, {"id": "c", "text": EIGHT}])
        assert (done.added, done.replaced, done.unchanged, done.pages) == (1, 1, 1, 3)
        report = index.check(MORE)
        assert {o.page for o in report.groups[0].occurrences} == {"c", "0"}
        assert len(index) == 3


def test_one_id_twice_in_one_call_is_told_apart_as_in_a_scan(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    pages = [Page("a", EIGHT, "s"), Page("a", MORE, "s")]
    with Index.create(place) as index:
        assert index.add(pages).added == 2
        assert "1 id stood more than once, told apart as x, x#2, ..." in caplog.text
        assert index.add(pages).unchanged == 2
        assert list(index.ids()) == ["a", "a#2"]


def test_texts_without_ids_are_refused(place: Path) -> None:
    with Index.create(place) as index:
        for source in (EIGHT, [EIGHT, MORE], {"text": EIGHT}, [{"id": "", "text": EIGHT}],
                       [{"id": "a", "text": EIGHT}, {"id": None, "text": EIGHT}]):
            with pytest.raises(InputError, match="a text without an id"):
                index.add(iter(source) if isinstance(source, list) else source)
            with pytest.raises(InputError, match="a text without an id"):
                index.check(source, add=True)
        assert not len(index)
        index.add([{"id": "0", "text": EIGHT}, {"url": "1", "text": EIGHT}])
        assert len(index) == 2


def test_a_table_needs_a_column_of_ids(place: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    with Index.create(place) as index:
        with pytest.raises(InputError, match="the table: a text without an id"):
            index.add(arrow.table({"text": [EIGHT]}))
        assert index.add(arrow.table({"text": [EIGHT], "id": [0]})).added == 1


def test_pages_of_two_folders_are_told_apart_by_a_prefix(place: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.txt").write_text(f"{name} {EIGHT}")
    with Index.create(place) as index:
        for name in ("one", "two"):
            index.add(tmp_path / name, prefix=f"{name}/")
        assert sorted(index.ids()) == ["one/index.txt", "two/index.txt"]


def test_pages_come_back_as_they_were_given(place: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "page.html").write_text(HTML, encoding="utf-8")
    (tmp_path / "site" / "page.md").write_text(f"# Head\n\n{EIGHT}\n", encoding="utf-8")
    given = [dataclasses.replace(page, number=number) for number, page in enumerate(dedup.open_pages(tmp_path / "site"), 1)]
    given += [ Page("lone \ud800", "text \udfff " + EIGHT, "s", meta={"n": [1, 2.5, None]},
                                                        url="https://x.example/", line=7, record=True, number=3, site="x")]
    with Index.create(place) as index:
        index.add(given)
        back = list(index.pages())
    assert len(back) == 3
    for one, other in zip(given, back, strict=True):
        assert dataclasses.replace(one, layout=None) == dataclasses.replace(other, layout=None)
        assert (one.layout is None) == (other.layout is None)
        if one.layout is not None and other.layout is not None:
            for field in dataclasses.fields(one.layout):
                a, b = (getattr(layout, field.name) for layout in (one.layout, other.layout))
                assert np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


def test_a_stored_page_of_html_has_the_places_in_its_source(place: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(HTML, encoding="utf-8")
    asked = {"id": "q", "text": "Some words & some more of them, eight at least."}
    with Index.create(place) as index:
        index.add(tmp_path / "page.html")
        found = index.check(asked)
    scanned = dedup.scan([asked], against=tmp_path / "page.html")
    assert found.groups[0].occurrences[0] == scanned.groups[0].occurrences[0]
    assert found.groups[0].occurrences[0].path == scanned.groups[0].occurrences[0].path is not None


def test_levels_say_how_pages_are_found(tmp_path: Path) -> None:
    block = " ".join(f"word{n}" for n in range(40))
    near = " ".join("other" if n % 5 == 0 else f"word{n}" for n in range(40))  # no run of eight words
    cases = (("passage", near, 0), ("block", near, 1), ("passage", block[40:200], 1), ("block", block[40:100], 0))
    for levels, asked, found in cases:
        with Index.create(tmp_path / f"{levels}{len(asked)}", [{"id": "a", "text": block}], levels=levels) as index:
            assert len(index.check(asked).groups) == found, (levels, asked)


@pytest.mark.parametrize(("levels", "settings", "message"), [
    ("word", {}, "levels: 'word' is not one of page, block, passage"), ([], {}, "levels: no level is named"),
    (None, {"exhaustive": True}, "exhaustive: an index is looked up by sketches"),
    (None, {"unit": "page"}, "unit: an index keeps"),
    (None, {"checkpoint": "x"}, "checkpoint: what is added is kept as it goes"),
    (None, {"pairs": True}, "pairs: belongs to a report"), (None, {"threshold": 7}, "threshold: 7 is out of range")])
def test_what_an_index_cannot_have_is_refused_before_there_is_one(
        place: Path, levels: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Index.create(place, levels=levels, **settings)
    assert not place.exists()


def test_settings_of_the_index_cannot_be_changed_by_a_call(place: Path) -> None:
    with Index.create(place, min_tokens=5) as index:
        with pytest.raises(OptionError, match="min_tokens: belongs to the index, which was made with 5"):
            index.add([], min_tokens=6)
        with pytest.raises(OptionError, match="checkpoint: belongs to the index"):
            index.check(EIGHT, checkpoint="x")
        with pytest.raises(TypeError, match="did you mean 'threads'"):
            index.check(EIGHT, thread=1)
        with pytest.raises(OptionError, match="unit: the index has no level for unit page"):
            index.check(EIGHT, unit="page")


def test_reports_and_filters_are_of_each_check(place: Path) -> None:
    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        assert index.check(MORE, pairs=True, with_text=True).options.pairs
        assert not index.check(MORE, min_chars=100).groups
        assert len(index.check(MORE, memory="1G", threads=2).groups) == 1


def test_seen_is_a_page_as_alike_as_the_level_asks(tmp_path: Path) -> None:
    text = " ".join(f"word{n}" for n in range(60))
    for levels in ("page", "block,passage"):
        with Index.create(tmp_path / levels, [{"id": "a", "text": text}], levels=levels) as index:
            assert index.seen(text + " more")
            assert not index.seen(" ".join(f"word{n}" for n in range(20)) + " ".join(f"else{n}" for n in range(60)))
            assert not index.seen({"id": "a", "text": text}, except_own=True)


@pytest.mark.parametrize("unit", ["block", "page"])
def test_where_no_key_is_shared_the_report_is_that_of_a_scan_of_nothing(place: Path, unit: Any) -> None:
    from dedup.api import _report
    from dedup.index.adding import Some
    from dedup.index.checking import Candidates, Checked

    asked = made_pages(9, 1)[0]
    text = f"{asked['text']}\nThumbnail\nThumbnail\n{asked['text']}"
    page = Page("q", text, "input[0]", number=1)
    with Index.create(place, [{"id": "a", "text": EIGHT}], levels="page,block,passage") as index:
        report = index.check([page], unit=unit)
        stream = Checked([], [Some([page], len(text))], None, Candidates(np.empty(0, np.int64), 0, 0))
        options = dataclasses.replace(index.options, unit=unit)
    assert report.to_json() == _report(stream, options, None).to_json()


def test_stored_pages_stand_in_the_order_of_their_ids_before_those_that_are_checked(place: Path) -> None:
    with Index.create(place, [{"id": id_, "text": f"{id_} {EIGHT}"} for id_ in ("c", "a", "d", "b")]) as index:
        report = index.check([{"id": "2", "text": EIGHT}, {"id": "1", "text": f"More. {EIGHT}"}])
    assert [page.id for page in report.pages] == ["a", "b", "c", "d", "2", "1"]


def test_check_and_add_is_one_step(place: Path) -> None:
    with Index.create(place) as index:
        assert not index.check({"id": "a", "text": EIGHT}, add=True).groups
        assert len(index.check({"id": "b", "text": MORE}, add=True).groups) == 1
        assert sorted(index.ids()) == ["a", "b"]


def test_of_threads_that_check_and_add_the_same_only_one_is_the_first(place: Path) -> None:
    Index.create(place).close()
    index, first = Index.open(place), []

    def work(number: int) -> None:
        if not index.check({"id": str(number), "text": EIGHT}, add=True, threads=1).groups:
            first.append(number)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(first) == 1
    assert len(index) == 8
    index.close()


def test_a_second_writer_is_told_who_writes(place: Path) -> None:
    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        with index._store.writing():
            other = Index.open(place, timeout=0.05)
            with pytest.raises(BusyIndexError, match=rf"process {os.getpid()} on .* writes to it. Wait until it is done"):
                other.add([{"id": "b", "text": EIGHT}])
            assert len(other) == 1  # reading goes on
            other.close()
        index.add([{"id": "b", "text": EIGHT}])
        assert len(index) == 2
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_another_thread_that_writes_is_waited_for_and_then_told(place: Path) -> None:
    Index.create(place).close()
    index = Index.open(place, timeout=0.05)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            index.remove("a")
        except BusyIndexError as error:
            failures.append(error)
    with index._store.writing():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(failures) == 1
    index.close()


def test_a_reader_sees_the_index_as_it_was_when_it_began(place: Path) -> None:
    with Index.create(place, [{"id": str(n), "text": f"{n} {EIGHT}"} for n in range(5)]) as index:
        ids = index.ids()
        seen = [next(ids)]
        index.remove(["1", "2"])
        index.add([{"id": "9", "text": EIGHT}])
        assert [*seen, *ids] == ["0", "1", "2", "3", "4"]
        assert list(index.ids()) == ["0", "3", "4", "9"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_that_was_forked_uses_connections_of_its_own(place: Path) -> None:
    with Index.create(place, [{"id": "a", "text": EIGHT}]) as index:
        assert len(index) == 1
        child = os.fork()
        if not child:
            try:
                os._exit(0 if list(index.ids()) == ["a"] and index._store._connection() is not None else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        index.add([{"id": "b", "text": MORE}])
        assert len(index) == 2


def test_many_pages_with_one_footer_are_looked_at_up_to_a_bound_and_the_rest_is_told(place: Path) -> None:
    footer = "This footer of eight words or more stands on every page of the site."
    pages = [{"id": f"{n:04}", "text": f"{footer}\nPage number {n} says {n * 7} and {n * 13} times {n * 29}."}
             for n in range(400)]
    with Index.create(place, pages, levels="passage") as index:
        report = index.check({"id": "q", "text": f"Mine. {footer}"})
    assert len(report.groups[0].occurrences) == 257
    assert [(entry.reason, entry.count) for entry in report.skipped] == [
        ("stored places that were not looked at: one key has more than 256", 144)]


@pytest.mark.parametrize("levels", ["page", "page,block"])
def test_the_dictionary_of_the_first_pages_makes_the_text_small(levels: str, place: Path) -> None:
    pages = made_pages(5, 6000)
    with Index.create(place, levels=levels) as index:
        index.add(pages)
        index.compact()
        info = index.info()
        assert info.text_bytes == sum(len(page["text"].encode()) for page in pages)
        assert list(index.pages())[17].text == pages[17]["text"]
        assert index.verify().ok
        with sqlite3.connect(place) as connection:
            assert connection.execute("SELECT count(*) FROM dictionary").fetchone() == (1,)
        connection.close()
        with index._store.reading() as snapshot:
            records = list(snapshot.all_records())
        assert sum(len(record.text) for record in records) < info.text_bytes / 2


def test_compact_drops_what_was_removed(place: Path) -> None:
    pages = made_pages(3, 300)
    with Index.create(place, pages) as index:
        before = [groups_of(index.check(page, except_own=True)) for page in pages[200:210]]
        index.remove([page["id"] for page in pages[:100]])
        assert index.info().removed == 100
        index.add(pages[:100])
        large = index.info()
        index.compact()
        small = index.info()
        assert (small.removed, small.segments) == (0, 3)
        assert small.file_bytes < large.file_bytes
        assert sum(small.rows.values()) <= sum(large.rows.values())
        assert [groups_of(index.check(page, except_own=True)) for page in pages[200:210]] == before
        assert index.verify().ok


@pytest.mark.parametrize("with_check", [False, True])
def test_many_small_additions_leave_few_segments(with_check: bool, place: Path) -> None:
    with Index.create(place, levels="passage") as index:
        for number in range(60):
            pages = [{"id": str(number), "text": f"{EIGHT} {number}"}]
            if with_check:
                index.check(pages, add=True)
            else:
                index.add(pages)
        assert index.info().segments < 14
        assert index.verify().ok


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_pages_go_out_and_come_in_again(place: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    pages = made_pages(2, 20)
    out = place.with_suffix(suffix)
    with Index.create(place, pages) as index:
        assert index.export(out) == 20
        with pytest.raises(OptionError, match=r"neither .jsonl nor .parquet"):
            index.export(place.with_suffix(".txt"))
    with Index.create(place.with_suffix(".again"), out) as again:
        assert {page.id: page.text for page in again.pages()} == {page["id"]: page["text"] for page in pages}


def test_empty_pages_and_empty_input_are_no_error(place: Path) -> None:
    with Index.create(place, levels="page,block,passage") as index:
        assert index.add([{"id": "a", "text": ""}, {"id": "b", "text": "x"}]).added == 2
        assert index.add([]).pages == 0
        for asked in ("", "x", []):
            for unit in ("block", "page"):
                assert not index.check(asked, unit=unit).groups  # type: ignore[arg-type]
        assert not index.seen("")
        assert index.verify().ok


def test_exported_records_are_json(place: Path) -> None:
    with Index.create(place) as index:
        index.add([Page("a", "one\ud800two é", "src", "T", {"k": 1}, "https://x.example/a")])
        index.export(place.with_suffix(".jsonl"))
    (line,) = place.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"id": "a", "text": "one\ud800two é", "source": "src", "title": "T", "url": "https://x.example/a",
                                "meta": {"k": 1}}


def test_a_rebuilt_index_may_have_other_levels(place: Path) -> None:
    with Index.create(place, [{"id": "a", "text": EIGHT}], levels="passage", min_tokens=6) as index:
        assert index.info().settings == {"min_tokens": 6}
    done = rebuild(place, place.with_name("new"), levels="page", threshold=0.7)
    assert done.ok
    with Index.open(place.with_name("new")) as index:
        assert index.levels == ("page",)
        assert index.info().settings == {"min_tokens": 6, "threshold": 0.7}


# Segments.


def rows_of(seed: int, count: int, keys: int) -> Rows:
    chance = np.random.default_rng(seed)
    return sorted_rows(chance.integers(0, keys, count, np.uint64), chance.integers(5, 70_000, count, np.uint32),
                       chance.integers(0, 65_535, count, np.uint32))


@pytest.mark.parametrize(("count", "keys"), [(0, 5), (1, 5), (700, 2**63), (5000, 2**40), (5000, 40), (20_000, 2), (3000, 1)])
def test_segments_find_every_key(count: int, keys: int) -> None:
    rows = rows_of(count, count, keys)
    chunks, sizes = pack_chunks(rows, 3, 100)
    assert all(len(chunk) <= 4040 for chunk in chunks)
    back = list(in_windows(enumerate(chunks, 100)))
    for name in ("key", "page", "extra"):
        parts = [getattr(part, name) for part in back]
        assert np.array_equal(np.concatenate(parts) if parts else np.empty(0), getattr(rows, name))
    first = np.cumsum(sizes) - sizes
    segment = Segment(1, 3, 100, rows.key[first], np.append(0, np.cumsum(sizes)).astype(np.uint64))
    assert len(Segment.unpack(segment.pack(), 1)) == len(rows)
    asked = np.unique(np.concatenate([rows.key[::7], np.array([0, 1, keys // 2, 2**64 - 1], np.uint64)]))
    found = find_keys([segment], asked, lambda numbers: one_by_one([chunks[number - 100] for number in numbers]))
    for number, key in enumerate(asked):
        mine = rows.key == key
        assert found.count[number] == mine.sum()
        got = found.query == number
        if mine.sum() < 1000:
            assert np.array_equal(found.page[got], rows.page[mine])
            assert np.array_equal(found.extra[got], rows.extra[mine])


def test_segments_are_merged_in_order() -> None:
    parts = [rows_of(seed, 4000, 300) for seed in range(4)]
    pieces = [iter([part.take(slice(at, at + 500)) for at in range(0, len(part), 500)]) for part in parts]
    together = list(merged(pieces))
    whole = sorted_rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("key", "page", "extra")))
    for name in ("key", "page", "extra"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in together]), getattr(whole, name))


def test_a_chunk_or_record_in_another_place_is_damage() -> None:
    chunks, _ = pack_chunks(rows_of(1, 100, 2**40), 3, 7)
    with pytest.raises(DamagedIndexError, match="chunk 8 of the postings is damaged"):
        list(in_windows([(8, chunks[0])]))
    packer = Packer({})
    data = seal(page_record(Page("a", EIGHT), packer))
    assert stored_page(unseal(data, 4), packer).text == EIGHT
    with pytest.raises(DamagedIndexError, match="the record of page 5 is damaged"):
        unseal(data, 5)


def test_a_text_is_one_frame_and_whole() -> None:
    packer = Packer({})
    record = page_record(Page("a", EIGHT), packer)
    assert (record.packing, stored_texts([record], packer)[0].text) == (ZSTD, EIGHT.encode())
    more = packer.pack(b"more")
    refuse_texts(record, [record.text[:-1], record.text[:9], record.text + b"x", record.text + more, more + record.text, b""],
                 packer)
    with pytest.raises(DamagedIndexError, match="page 4 cannot be read"):
        stored_texts([replace(record, text=packer.pack(b"\xff\xfe"), size=2)], packer)


def test_a_text_that_is_quickly_unpacked_is_one_block_and_whole() -> None:
    packer = Packer({1: taught(1)}, 1, quick=True)
    record, other = page_record(Page("a", MORE), packer), page_record(Page("b", "other"), packer, 5)
    assert (record.packing, record.dictionary) == (LZ4, 1)
    assert [one.text for one in stored_texts([record, other], packer)] == [MORE.encode(), b"other"]
    refuse_texts(record, [record.text[:-1], record.text + b"x", record.text + other.text, b""], packer)
    with pytest.raises(DamagedIndexError, match="the text of page 4 cannot be unpacked"):
        stored_texts([other, replace(record, dictionary=2)], packer)
    with pytest.raises(DamagedIndexError, match="page 4 cannot be read"):
        stored_texts([replace(record, text=b"\x20\xff\xfe", size=2)], packer)


def taught(seed: int) -> bytes:
    """What some pages have in common."""
    texts = [page["text"].encode() for page in made_pages(seed, 300)]
    return bytes(zstd_module().train_dict(texts, 1 << 12).dict_content)


def refuse_texts(record: Record, texts: list[bytes], packer: Packer) -> None:
    """None of these is the text of a record."""
    for packed in texts:
        with pytest.raises(DamagedIndexError, match="the text of page 4 cannot be unpacked"):
            stored_texts([replace(record, text=packed)], packer)


def test_records_packed_in_every_way_come_back_in_their_order() -> None:
    dictionaries = {number: taught(number) for number in (1, 2)}
    packers = [Packer(dictionaries, newest, quick) for newest in (0, 1, 2) for quick in (False, True)]
    texts = [EIGHT, MORE, "", MORE * (MOST_LZ4 // len(MORE) + 1)] * 6
    pages = [Page(f"p{number}", text) for number, text in enumerate(texts)]
    records = [page_record(page, packers[number % 5], number) for number, page in enumerate(pages)]
    assert {(record.packing, record.dictionary) for record in records} == {(0, 0), (1, 0), (0, 1), (1, 1), (0, 2)}
    assert all(record.packing == ZSTD for record in records if record.size > MOST_LZ4)
    assert [one.text.decode() for one in stored_texts(records, packers[-1])] == [page.text for page in pages]


@pytest.mark.parametrize(("format_", "levels", "packing"), [(2, "block", LZ4), (2, "page", ZSTD), (2, "page,passage", LZ4),
                                                            (1, "passage", ZSTD)])
def test_texts_are_packed_as_its_checks_and_its_format_ask_for(format_: int, levels: str, packing: int, place: Path) -> None:
    """Many texts are looked at where blocks and passages are found; one of format 1 stays what older versions read."""
    Index.create(place, levels=levels).close()
    with sqlite3.connect(place) as connection:
        connection.execute(f"PRAGMA user_version={format_}")
    connection.close()
    with Index.open(place) as index:
        assert index.info().format == format_
        index.add([{"id": "a", "text": EIGHT}, {"id": "b", "text": "é" * MOST_LZ4}])
        with index._store.reading() as snapshot:
            records = list(snapshot.all_records())
        assert [record.packing for record in records] == [packing, ZSTD]
        assert [page.text for page in index.pages()] == [EIGHT, "é" * MOST_LZ4]


def test_what_was_read_lately_is_not_read_again_and_the_rest_is_forgotten():
    """Values come in their order, whatever is known of them; what is kept is bounded, and what came first goes first."""
    asked: list[int] = []

    def read(numbers: list[int]) -> list[bytes]:
        asked.extend(numbers)
        return [bytes([number]) * 10 for number in numbers]
    recent = Recent[bytes](100)  # room for ten
    assert recent.take([3, 1, 2], read, len) == [bytes([number]) * 10 for number in (3, 1, 2)]
    assert recent.take([2, 4, 3], read, len) == [bytes([number]) * 10 for number in (2, 4, 3)]
    assert asked == [3, 1, 2, 4]
    recent.take(range(10, 16), read, len)
    recent.take([*range(10, 16), 1, 2, 3, 4], read, len)
    assert asked == [3, 1, 2, 4, *range(10, 16)]  # ten are kept
    recent.take([16], read, len)  # two go: 3 and 1
    recent.take([*range(10, 17), 2, 4], read, len)
    assert asked == [3, 1, 2, 4, *range(10, 17)]
    recent.take([1], read, len)
    assert asked[-1] == 1
    assert recent.take(range(50), read, len) == [bytes([number]) * 10 for number in range(50)]  # more than there is room for
    assert recent.take([1], read, len) == [bytes([1]) * 10]


def test_chunks_that_were_read_lately_stand_where_it_is_said_and_are_not_read_again():
    """However they come and go: of eight buffers the oldest one goes, and what fits into none is not kept."""
    asked: list[int] = []

    def chunk(number: int) -> bytes:
        return bytes([number % 251]) * (101 if number == 500 else 10 + number % 7)

    def read(numbers: list[int]) -> list[bytes]:
        asked.extend(numbers)
        return [chunk(number) for number in numbers]
    recent, some = RecentChunks(8 * 100, 8), np.random.default_rng(0)
    for _ in range(300):
        numbers = np.unique(some.integers(0, 200, some.integers(0, 12)))
        lasting = int(some.integers(0, len(numbers) + 1))
        buffers, place = recent.take(numbers, lasting, read)
        for number, at in zip(numbers.tolist(), place.tolist(), strict=True):
            begin = at & (1 << BEGIN_BITS) - 1
            assert buffers[at >> BEGIN_BITS][begin:begin + len(chunk(number))] == chunk(number)
    asked.clear()
    for numbers in (np.arange(900, 905), np.arange(899, 905)):
        recent.take(numbers, len(numbers), read)
    assert asked == [*range(900, 905), 899]  # what was kept is not read again
    recent.take(np.arange(1000, 1002), 1, read)
    recent.take(np.arange(1000, 1002), 2, read)
    assert asked[6:] == [1000, 1001, 1001]  # what may be given again is not kept
    for _ in range(2):
        recent.take(np.arange(300, 400), 100, read)
    assert len(asked) == 154  # more than all buffers hold: the last ones are kept
    for _ in range(2):
        buffers, place = recent.take(np.array([500]), 1, read)
        assert buffers[int(place[0]) >> BEGIN_BITS] == chunk(500)
    assert len(asked) == 156  # more than a buffer holds is not kept
    for first in range(2000, 2900, 6):
        recent.take(np.arange(first, first + 6), 6, read)
    recent.take(np.array([900]), 1, read)
    assert asked[-1] == 900
    asked.clear()
    buffers, place = recent.take(np.array([702, 702, 703, 704]), 3, read, lambda some: np.array([700, 701, *some]))
    assert asked == [700, 701, 702, 703, 704]
    assert [buffers[at >> BEGIN_BITS][at & (1 << BEGIN_BITS) - 1] for at in place.tolist()] == [200, 200, 201, 202]
    recent.take(np.arange(699, 705), 6, read, lambda some: np.arange(698, 706))
    assert asked[5:] == [698, 699, 704, 705]  # what is there is not read again


def test_how_much_of_an_index_is_kept_in_memory_may_be_said(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index.create(place, made_pages(1, 20), cache="64M") as index:
        assert index._store.chunks.most + index._store.pages._most == 1 << 26  # type: ignore[attr-defined]
    for memory, kept in ((0, 192 << 20), (8 << 30, 1 << 30), (1 << 40, 1536 << 20)):
        monkeypatch.setattr("dedup.index.sqlite.default_memory", lambda memory=memory: memory)
        with Index.open(place) as index:
            chunks = index._store.chunks  # type: ignore[attr-defined]
            assert chunks.most == int(kept * 2 / 3)
            assert 1 << 20 <= chunks._size <= 2 << 20
    for text, words in (("15M", "too little"), ("much", "not a size")):
        with pytest.raises(OptionError, match=f"cache.*{words}"):
            Index.open(place, cache=text)


def test_of_more_chunks_than_have_room_few_come_and_go():
    asked: list[int] = []

    def read(numbers: list[int]) -> list[bytes]:
        asked.extend(numbers)
        return [number.to_bytes(10, "big") for number in numbers]
    recent, some = RecentChunks(8 * 100, 8), np.random.default_rng(0)
    for _ in range(500):
        numbers = np.unique(some.integers(0, 200, 12))
        buffers, place = recent.take(numbers, len(numbers), read, lambda _: None)
        found = [buffers[at >> BEGIN_BITS][(begin := at & (1 << BEGIN_BITS) - 1):begin + 10] for at in place.tolist()]
        assert [int.from_bytes(data, "big") for data in found] == numbers.tolist()
    assert recent._begun < 8 + 500 * 12 / RARELY / 10 + 2  # each holds ten: nearly all that were read were not put there
    before = len(asked)
    for _ in range(100 * RARELY):
        recent.take(np.arange(7), 7, read, lambda _: None)
    assert len(asked) - before < 7 * 3 * RARELY  # what is asked for again and again is kept soon


@pytest.mark.parametrize("room", [True, False])
def test_chunks_beside_those_that_are_asked_for_are_read_along_where_there_is_room(room: bool, place: Path,
                                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon all are there; those of segments that are gone, and of a transaction that may be taken back, are not asked for."""
    monkeypatch.setattr("dedup.index.recent.FEW_BUFFERS", -1)
    pages = made_pages(5, 400)
    with Index.create(place, pages[:300], levels="block") as index:
        index.compact()
        index.add(pages[300:])
        index.remove([page["id"] for page in pages[::9]])
    asked: list[int] = []
    read = SqliteSnapshot._read_chunks

    def told(self: SqliteSnapshot, numbers: list[int]) -> list[bytes]:
        asked.extend(numbers)
        return read(self, numbers)
    monkeypatch.setattr(SqliteSnapshot, "_read_chunks", told)
    with Index.open(place) as index:
        store: Any = index._store
        store.chunk_bytes = store.chunks.most = 1 << 27 if room else 1000
        found = [groups_of(index.check(page, except_own=True)) for page in pages[:3]]
        assert len(asked) == len(set(asked))
        few = set(asked)
        with index._store.reading() as snapshot:
            there = {segment.first_chunk + nth for level in (ID, BLOCK, DEAD) for segment in snapshot.directories_of(level)
                     for nth in range(len(segment.fence))}
        assert few <= there
    monkeypatch.setattr("dedup.index.recent.FEW_BUFFERS", 1000)
    asked.clear()
    with Index.open(place) as index:
        assert [groups_of(index.check(page, except_own=True)) for page in pages[:3]] == found
        assert (few > set(asked)) if room else (few == set(asked))


@pytest.mark.parametrize("beside", [False, True])
def test_what_is_kept_in_memory_is_nobody_elses_and_never_out_of_date(beside: bool, place: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that were looked at are kept: with a page that is replaced, removed or taken back its text goes, too."""
    if beside:
        monkeypatch.setattr("dedup.index.recent.FEW_BUFFERS", -1)
    told = {"id": "a", "text": EIGHT, "tags": ["x"]}
    with Index.create(place, [told], meta=["tags"]) as index:
        for _ in range(2):
            report = index.check(MORE)
            assert report.pages[0].meta == {"tags": ["x"]}
            report.pages[0].meta["tags"].append("mine")
        index.add([{"id": "a", "text": f"Now {EIGHT}"}])
        assert [o.start for o in index.check(MORE).groups[0].occurrences] == [4, 20]
        index.remove("a")
        assert not index.check(MORE).groups

        with pytest.raises(KeyboardInterrupt):  # numbers of pages and postings that were never there are given again
            taken_back(index, f"Taken back: {EIGHT}")
        index.add([{"id": "b", "text": f"Then again, {EIGHT}"}])
        assert [(o.page, o.start) for o in index.check(MORE).groups[0].occurrences] == [("b", 12), ("0", 20)]


def taken_back(index: Index, text: str) -> None:
    """A page is put in and looked at, and the writer dies before it ends."""
    from dedup.engines.local import LocalEngine
    from dedup.index.adding import Some, prepare, write
    from dedup.index.checking import find_candidates, keys_of

    store, engine = index._store, LocalEngine(1)
    some = Some([Page("t", text, "t")], len(text))
    corpus, tokens = read_corpus(some, engine, index.options)
    with store.writing() as writer:
        write(writer, prepare(writer.packer, engine, corpus, tokens, index.options, store.recipe))
        keys, _ = keys_of(engine, some, index.options, "block", ["block", "passage"], "fss64")
        found = find_candidates(writer, keys, index.options.gram_tokens, True)
        assert [stored.text for stored in writer.pages_of(found.pages.tolist())] == [text.encode()]
        fresh = writer.fresh[min(writer.fresh)].first_chunk
        assert fresh % BESIDE  # its first one lies beside one that was there
        assert (writer._beside(np.arange(1, fresh)) < fresh).all()
        raise KeyboardInterrupt


@pytest.mark.parametrize("levels", ["page", "block,passage"])
def test_a_check_that_finds_nothing_says_what_was_asked(place: Path, levels: str) -> None:
    """Not that nothing is repeated on the page, which nobody asked; and the settings in the report are those of the index."""
    from dedup.report.terminal import print_report

    def said_of(report: dedup.Report) -> str:
        file = io.StringIO()
        print_report(report, file)
        return " ".join(file.getvalue().split())
    with Index.create(place, [{"id": "a", "text": EIGHT}], levels=levels) as index:
        nothing = index.check("Nobody ever wrote any of these other words before.")
        found = index.check(EIGHT)
        part = index.check(f"{EIGHT}\n\nAnd more than a few other words, which nobody else has written down, stand here.")
        assert nothing.options == found.options
        assert nothing.options.threads is None
    assert (nothing.index_pages, nothing.summary.reference_pages) == (1, 0)
    assert (found.index_pages, found.summary.reference_pages) == (1, 1)
    said = said_of(nothing)
    assert "Nothing that stands in the index too (1 page stored, 0 looked at)." in said
    assert "repeat" not in said
    assert "100 %" in said_of(found)
    assert "stands in the index too" in said_of(found)
    assert "ref" not in (said_of(found) + said_of(part)).lower()  # "in the references", "in REF"
    assert "Nothing of 1 page stands in the index" in nothing.to_markdown()
    assert "100 % of the text stands in the index too" in found.to_markdown()
