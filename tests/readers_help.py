"""What the tests of the readers share: the data beside the checkout, and the way back from text to source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dedup.model import Layout, Page
from dedup.options import make_options
from dedup.readers import open_pages
from dedup.readers.jobs import Answer, Job
from dedup.readers.pool import WorkerPool

DATA = Path(os.environ.get("DEDUP_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
BLANKS = " \t\n\f\r\xa0"


def data(name: str) -> Path:
    """A folder of the shared data; the test is skipped where it is not there."""
    if not (DATA / name).exists():
        pytest.skip(f"no shared data at {DATA / name}; set DEDUP_DATA")
    return DATA / name


def read(source: Any, **settings: Any) -> tuple[list[Page], Any]:
    """All pages of a source, and its stream."""
    stream = open_pages(source, **settings)
    return list(stream), stream


def parse(text: str | bytes, form: str = "html", **settings: Any) -> Answer:
    """A page parsed by a worker."""
    pool = WorkerPool(1, make_options(settings))
    try:
        raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        return pool.submit([Job(form, raw, "" if isinstance(text, bytes) else "str")]).result()[0]
    finally:
        pool.close()


def block_texts(page: Any) -> list[str]:
    """The texts of a page's blocks."""
    return [page.text[a:b] for a, b in zip(page.layout.start, page.layout.end, strict=True)]


def mapped_errors(text: str, source: str, layout: Layout) -> list[str]:
    """Places where a block's map does not lead to the same text in the source; also breaches of the layout's order."""
    wrong: list[str] = []
    for i in range(len(layout.start)):
        start, end = int(layout.start[i]), int(layout.end[i])
        rows = slice(int(layout.map_first[i]), int(layout.map_first[i + 1]))
        points = [*zip(layout.map_text[rows].tolist(), layout.map_source[rows].tolist(), strict=True)]
        if not 0 <= layout.source_start[i] <= layout.source_end[i] <= len(source):
            wrong.append(f"block {i}: range {layout.source_start[i]}-{layout.source_end[i]}")
        line = len(source[: layout.source_start[i]].replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        if layout.line[i] != line or layout.end_line[i] < line:
            wrong.append(f"block {i}: line {layout.line[i]} is {line}")
        if not points:
            continue
        if points[0] != (start, int(layout.source_start[i])):
            wrong.append(f"block {i}: first point {points[0]}")
        for (at, place), (stop, _) in zip(points, [*points[1:], (end, 0)], strict=True):
            for k in range(stop - at):
                want, found = text[at + k], source[place + k : place + k + 1]
                blank = want in " \n" and found != "" and found in BLANKS
                # A character reference is one code point that ends its stretch, at "&"; a few make two.
                reference = k >= stop - at - 2 and "&" in source[max(place + k - 1, 0) : place + k + 1]
                joined = want == "\n" and found == "\r"
                if not (want == found or blank or reference or joined):
                    wrong.append(f"block {i} at {at + k}: {want!r} but {found!r}")
    return wrong


def assert_sound(layout: Layout, text: str) -> None:
    """The blocks tile the text, joined by one line feed."""
    assert "\n".join(text[a:b] for a, b in zip(layout.start, layout.end, strict=True)) == text
    assert len(layout.path) == len(layout.start)
    assert layout.map_first[-1] == len(layout.map_text) == len(layout.map_source)
    assert (np.diff(layout.map_first) >= 0).all()
