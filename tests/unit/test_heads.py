"""Pages without texts as columns: what is taken out is what was put in."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.heads import Coded, Codes, Heads, RecordHeads, Strings, Utf8
from dedup.model import NO_META, Page
from dedup.readers.reading import host_of, sites_of

any_text = st.text(st.characters(), max_size=5)  # lone surrogates too


@given(st.lists(st.lists(any_text, max_size=4), max_size=5))
def test_strings_come_back(parts: list[list[str]]) -> None:
    column, coded = Strings(), Coded()
    for part in parts:
        column.extend(Utf8.of(part))
        coded.extend(Codes.of(part))
        assert Utf8.of(part).texts() == part
    whole = [text for part in parts for text in part]
    assert list(column) == whole == [coded[row] for row in range(len(whole))]
    assert column[1:3] == whole[1:3] == coded.some(range(1, len(whole))[:2])
    assert column[-3:0:-2] == whole[-3:0:-2]
    assert coded.names == list(dict.fromkeys(whole))
    assert [coded.names[code] for code in coded.codes.tolist()] == whole


records = st.builds(lambda rows, source, line, metas: RecordHeads(
    source, Utf8.of([row[0] for row in rows]), Utf8.of([row[1] or "" for row in rows]),
    np.array([row[1] is not None for row in rows], np.uint8), Codes.of([row[2] for row in rows]), line,
    [{"n": i} if i % 2 else NO_META for i in range(len(rows))] if metas else None),
    st.lists(st.tuples(any_text, st.none() | any_text, any_text), max_size=4), any_text, st.integers(1, 2**40), st.booleans())
pages = st.builds(Page, id=any_text, text=any_text, source=any_text, title=st.none() | any_text,
                  meta=st.just(NO_META) | st.just({"year": 1851}), url=st.none() | any_text, line=st.integers(1, 99),
                  record=st.booleans(), site=any_text, number=st.integers(0, 99))


@given(st.lists(pages | records, max_size=6))
def test_pages_come_back_without_their_texts(items: list[Page | RecordHeads]) -> None:
    heads, expected = Heads(), list[Page]()
    for item in items:
        if isinstance(item, Page):
            heads.add_all([item])
            expected.append(dataclasses.replace(item, text=""))
        else:
            heads.extend(item)
            expected += [item.page(row, "") for row in range(len(item))]
    assert list(heads) == expected
    assert [heads.id(row) for row in range(len(heads))] == [page.id for page in expected]
    assert heads.is_record.tolist() == [page.record for page in expected] == [heads.in_line(row) for row in range(len(heads))]
    assert heads.has_address.tolist() == [bool(page.url) for page in expected]
    assert [heads.line(row) for row in range(len(heads))] == [page.line for page in expected]
    assert heads[:2] == expected[:2]
    for rows in (range(len(heads)), range(len(heads))[1:3], range(2, 2), range(len(heads))[::2], [*range(len(heads))][::3]):
        some = [expected[row] for row in rows]
        assert heads.names(rows) == [page.id for page in some]
        assert heads.sources(rows) == [page.source for page in some]
        assert heads.titles(rows) == [page.title for page in some]
        assert heads.metas(rows) == [page.meta for page in some]


def test_a_page_has_another_id_but_its_own_one_is_kept() -> None:
    heads = Heads()
    heads.add_all([Page("a", "text")])
    heads.renamed[0] = "reference/a"
    assert (heads.names(range(1)), heads.names(range(1, 1))) == (["reference/a"], [])
    assert (heads[0].id, heads.id(0), heads.ids[0], heads[-1].id) == ("reference/a", "reference/a", "a", "reference/a")
    with pytest.raises(IndexError):
        heads[1]


@given(records, st.integers(0, 4), st.integers(0, 4))
def test_a_part_of_records(some: RecordHeads, begin: int, end: int) -> None:
    part, whole = some.part(begin, begin + end), [some.page(row, "") for row in range(len(some))]
    assert [part.page(row, "") for row in range(len(part))] == whole[begin:begin + end]


urls = st.lists(st.sampled_from(["", ":", "/", "//", "://", "a://", "http://Example.org", ":80/", "?", "#", "\\", "x@", "[",
                                 "é", "\ud800"]), max_size=5).map("".join)


@given(st.lists(urls, max_size=6))
def test_the_sites_of_addresses_are_their_hosts(addresses: list[str]) -> None:
    found = sites_of(Utf8.of(addresses), "other")
    assert [found.names[code] for code in found.code] == [host_of(address) or "other" for address in addresses]


def test_pages_that_are_not_columns_yet_are_pickled_without_texts() -> None:
    heads = Heads()
    heads.add_all([Page("a", "a text of some words", source="one.txt"), Page("b", "", source="two.txt")])
    assert heads.read_ids == ["a", "b"]
    data = pickle.dumps(heads)
    assert b"some words" not in data
    assert [(page.id, page.text, page.source) for page in pickle.loads(data)] == [("a", "", "one.txt"), ("b", "", "two.txt")]


@pytest.mark.parametrize("size", [10, 1 << 18])
def test_pages_are_columns_from_some_size_on(size: int) -> None:
    heads, pages = Heads(), [Page(str(number), "x" * size) for number in range(300)]
    for page in pages:
        heads.add_all([page])
    assert len(heads) == 300
    assert heads.names(range(300)) == heads.read_ids == [page.id for page in pages]
    assert {page.text for page in heads} == {""}
