"""Whatever the pages: those that go have one that stays, what is cut stands elsewhere, and each group stands once, whole."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from dedup import Page, scan
from dedup.annotate import annotations_of
from dedup.keep import kept_pages
from dedup.report.page_table import page_batches, page_rows
from tests.scan_help import lines, prose

# Blocks that repeat within pages and across them, whole, edited, and as parts of longer ones.
BLOCKS = [*(prose(12, n) for n in range(6)), prose(12, 0) + " " + prose(12, 1), prose(12, 2).replace("w", "v", 1), "A label",
          "中文" * 9, "\ud800 lone", ""]
pages = st.lists(st.lists(st.sampled_from(BLOCKS), max_size=7).map(lambda blocks: lines(*blocks)), max_size=6)
pairs = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] < pair[1]), max_size=30)


@given(pairs)
def test_each_page_that_goes_has_one_that_stays(found: list[tuple[int, int]]) -> None:
    rows = np.array(found, np.int64).reshape(-1, 2)
    kept = kept_pages(rows[:, 0], rows[:, 1], 12).tolist()
    for page, first in enumerate(kept):
        holders = sorted(a for a, b in found if b == page and kept[a] < 0)
        assert first == (holders[0] if holders else -1)


@given(pages, st.sampled_from(["block", "page"]), st.booleans())
def test_what_goes_stands_elsewhere(texts: list[str], unit: str, apart: bool) -> None:
    """Pages of one site, or each of its own."""
    report = scan([Page(str(n), text, site=str(n) if apart else "") for n, text in enumerate(texts)], unit=unit)
    rows = [row for batch in page_batches(report) for row in page_rows(batch)]
    kept = {row["id"]: row["keep"] for row in rows}
    assert [row["id"] for row in rows] == list(map(str, range(len(texts))))
    assert [row["keep"] for row in rows] == report.keep.tolist()
    gone = {row["id"]: {at for span in row["spans"] if span["cut"] for at in range(span["start"], span["end"])}
            for row in rows}
    staying: dict[int, list[str]] = {}
    for row, text in zip(rows, texts, strict=True):
        assert row["kept_page"] is None or kept[row["kept_page"]]
        assert row["groups"] == sorted({span["group"] for span in row["spans"]})
        assert row["keep"] or not gone[row["id"]]
        for span in row["spans"]:
            assert 0 <= span["start"] < span["end"] <= len(text)
            if span["stays"]:
                assert row["keep"]
                staying.setdefault(span["group"], []).append(row["id"])
    for row in rows:
        for span in row["spans"]:
            if span["cut"]:
                assert not span["stays"]
                assert len(set(staying[span["group"]])) == 1
    cut_groups = {span["group"] for row in rows for span in row["spans"] if span["cut"]}
    for row in rows:
        for span in row["spans"]:
            if span["stays"] and span["group"] in cut_groups:
                assert gone[row["id"]].isdisjoint(range(span["start"], span["end"]))
    for group in report.groups:
        for place in group.occurrences:
            spans = [span for span in rows[int(place.page)]["spans"] if span["group"] == group.id]
            for start, end in place.parts or ((place.start, place.end),):
                assert any((span["start"], span["end"]) == (start, end) for span in spans)


@given(pages, st.sampled_from(["block", "page"]))
@example([BLOCKS[0], lines(BLOCKS[0], BLOCKS[0]), lines(BLOCKS[0], BLOCKS[0])], "block")  # copies share more with each other
def test_columns_and_objects_say_the_same(texts: list[str], unit: str) -> None:
    report = scan([text or "none" for text in texts], unit=unit)
    mine, objects = report.annotations, annotations_of(report)
    for name in ("first", "start", "end", "group", "kind", "verdict"):
        assert getattr(mine.spans, name).tolist() == getattr(objects.spans, name).tolist(), name
