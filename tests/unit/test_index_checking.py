"""Which stored pages a check looks at, and what it says of those that a bound leaves out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from test_index import rows_of

from dedup.index import Index, checking
from dedup.index.segments import MOST_CHUNKS, Segment, find_keys, one_by_one, pack_chunks
from dedup.kernel import kernel

FOOTER = "This footer of eight words or more stands on every page of the site."
BLOCK = "Read more about this story here today please now"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "pages.dedup"


def found_in(report: Any) -> set[str]:
    return {at.page for group in report.groups for at in group.occurrences}


def with_footer(number: int) -> dict[str, str]:
    return {"id": f"{number:05}", "text": f"{FOOTER}\nPage number {number} says {number * 7} and {number * 13} times."}


def test_pages_that_were_removed_do_not_hide_those_behind_them(place: Path) -> None:
    pages = [with_footer(number) for number in range(8000)]
    with Index.create(place, pages, levels="passage") as index:
        left = {page["id"] for page in pages[5000:5100]}
        index.remove([page["id"] for page in pages if page["id"] not in left])
        report = index.check({"id": "q", "text": f"Mine. {FOOTER}"})
    assert found_in(report) == {*left, "q"}
    assert not report.skipped


@pytest.mark.parametrize("compacted", [False, True])
def test_five_words_that_very_many_pages_have_hide_no_run_of_eight(place: Path, compacted: bool) -> None:
    five = "w1v0 w1v1 w1v2 w1v3 w1v4"  # of all five words in the run it has the least hash, mostly: it is the landmark
    pages = [{"id": str(n), "text": f"a{n} b{n} c{n} {five} d{n} e{n} f{n} g{n} h{n}"} for n in range(8000)]
    with Index.create(place, levels="passage") as index:
        for at in range(0, 8000, 4000):
            index.add(pages[at:at + 4000])
        if compacted:
            index.compact()
        for n in range(3500, 8000, 500):
            report = index.check({"id": "q", "text": f"x y z a{n} b{n} c{n} {five} w"})
            assert found_in(report) == {str(n), "q"}
            assert not report.skipped


def test_many_places_on_one_page_hide_no_other_page(place: Path) -> None:
    rows = "\n".join(f"{BLOCK}\nOwn words {n} that differ {n * 3} from {n * 7} all others {n * 17}" for n in range(300))
    with Index.create(place, [{"id": "a", "text": rows}, {"id": "b", "text": f"More\n{BLOCK}"}], levels="block") as index:
        report = index.check({"id": "q", "text": BLOCK})
    assert found_in(report) == {"a", "b", "q"}
    assert not report.skipped


def test_what_was_removed_makes_no_key_less_rare(place: Path) -> None:
    with Index.create(place, [{"id": "a", "text": BLOCK}], levels="block") as index:
        index.add([{"id": str(n), "text": BLOCK} for n in range(9)])
        index.remove([str(n) for n in range(9)])
        counts: list[int] = []
        with index._store.reading() as snapshot:
            real = snapshot.find
            keys = np.unique(np.concatenate([np.empty(0, np.uint64), all_keys(index)]))
            counts += real(checking.BLOCK, keys, {}).count.tolist()
    assert set(counts) == {1}


def all_keys(index: Index) -> Any:
    from dedup.engines.local import LocalEngine
    from dedup.index.adding import Some
    from dedup.model import Page

    with LocalEngine(1) as engine:
        keys, _ = checking.keys_of(engine, Some([Page("q", BLOCK, "s")], 50), index.options, "block", ["block"], "fss64")
    made: Any = keys[checking.BLOCK]
    return made.key


def test_the_bound_of_pages_is_one_for_each_page_that_is_checked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_PAGES", 5)
    pages = [{"id": str(n), "text": f"Page number {n} says {n * 7} and {n * 13} times {n * 29} so it was."}
             for n in range(30)]
    with Index.create(place, [*pages, *map(with_footer, range(100, 109))], levels="passage") as index:
        report = index.check([{**page, "id": f"q{page['id']}"} for page in pages])
        assert {page["id"] for page in pages} <= found_in(report)
        assert not report.skipped
        report = index.check({"id": "q", "text": FOOTER})
    assert len(found_in(report)) == 6
    assert [(entry.reason, entry.count) for entry in report.skipped] == [
        ("stored pages that were not looked at: more than 5 share a key with one", 4)]


def test_tables_of_rows_that_are_all_alike_make_few_pairs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = "\n".join(f"Item {n} costs five dollars in the shop today only {n % 13}" for n in range(200))
    compared: list[int] = []

    def paired(first: Any, asked: Any, query: Any, place: Any) -> Any:
        compared.append(int(np.diff(first)[query].sum()))
        return kernel.paired_twice(first, asked, query, place)
    monkeypatch.setattr(checking, "kernel", SimpleNamespace(paired_twice=paired))
    with Index.create(place, [{"id": "a", "text": table}], levels="block") as index:
        whole = index.check({"id": "q", "text": table})
        monkeypatch.setattr(checking, "MOST_PAIRS", 1000)
        few = index.check({"id": "q", "text": table})
    assert compared[0] > 10_000
    assert compared[1] <= 1000
    assert found_in(whole) == found_in(few) == {"a", "q"}


@pytest.mark.parametrize(("count", "keys"), [(20_000, 2), (30_000, 1), (5000, 40)])
def test_chunks_further_on_hold_all_that_was_not_read(count: int, keys: int) -> None:
    rows = rows_of(3, count, keys)
    chunks, sizes = pack_chunks(rows, 3, 100)
    segment = Segment(1, 3, 100, rows.key[np.cumsum(sizes) - sizes], np.append(0, np.cumsum(sizes)).astype(np.uint64))
    asked = np.unique(rows.key)
    got, begin = set[tuple[int, int, int]](), 0

    def read(numbers: np.ndarray) -> Any:
        return one_by_one([chunks[number] for number in (numbers - 100).tolist()])
    while begin < len(chunks):
        found = find_keys([segment], asked, read, begin, MOST_CHUNKS)
        assert (found.unread() >= 0).all()
        got |= set(zip(asked[found.query].tolist(), found.page.tolist(), found.extra.tolist(), strict=True))
        begin += MOST_CHUNKS
        behind = find_keys([segment], asked, read, begin, len(chunks))
        assert (behind.unread() == 0).all()
        assert (behind.count >= found.unread()).all()  # the last chunk was read too
    assert got == set(zip(rows.key.tolist(), rows.page.tolist(), rows.extra.tolist(), strict=True))
