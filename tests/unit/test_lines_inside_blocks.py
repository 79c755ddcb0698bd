"""Lines of a passage inside a long block of HTML or Markdown are those of the source, not those of its block."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pytest
from index_help import page_record

import dedup
from dedup.index.records import Packer, StoredLayout, unpack_layout
from dedup.readers import open_pages

PASSAGE = ["The", "first", "boat", "of", "the", "morning", "leaves", "the", "quay", "at", "seven", "sharp", "for", "post"]


def source_of(seed: int, end: str) -> str:
    """Paragraphs of many lines; the passage stands in the midst of the first one and alone in the last one."""
    draw = random.Random(seed)

    def wrapped(words: list[str]) -> str:
        return words[0] + "".join(draw.choice([" ", " ", end, " " + end, end + " "]) + word for word in words[1:])
    before, after = ([f"w{seed}x{draw.randrange(10**6)}" for _ in range(draw.randint(0, 30))] for _ in range(2))
    first = wrapped([*before, *PASSAGE, *after])
    return first + end + end + wrapped(["Something", "else", "stands", "here."]) + end + end + wrapped(PASSAGE) + end


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("suffix", ["md", "html"])
def test_lines_are_those_of_the_source(suffix, end, tmp_path):
    inside = 0
    for seed in range(12):
        source = source_of(seed, end)
        if suffix == "html":
            source = "".join(f"<p>{block}</p>{end}" for block in source.split(end + end))
        path = tmp_path / f"page.{suffix}"
        path.write_bytes(source.encode())
        group = dedup.scan(path).groups[0]
        assert len(group.occurrences) == 2
        for place in group.occurrences:
            assert place.source_exact
            lines = [source.count("\n", 0, at) + 1 for at in (place.source_start, place.source_end - 1)]
            assert [place.line, place.end_line] == lines
            inside += place.line > 1 and place is group.occurrences[0]
    assert inside > 3  # some do not begin where their block begins


def test_a_page_stored_by_an_earlier_version_has_the_lines_of_its_blocks(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(f"<p>{source_of(1, chr(10))}</p>")
    page = next(iter(open_pages(path)))
    assert page.layout is not None
    assert len(page.layout.feed)
    packer = Packer({})
    record = page_record(page, packer, 1)
    back = unpack_layout(record, packer)
    assert back is not None
    assert back.feed.tolist() == page.layout.feed.tolist()
    stored = msgspec.msgpack.decode(packer.unpack_small(record.layout, record.number), type=StoredLayout)
    del stored.columns["feed"]
    old = msgspec.structs.replace(record, layout=packer.plain(msgspec.msgpack.encode(stored)))
    back = unpack_layout(old, packer)
    assert back is not None
    assert back.line.tolist() == page.layout.line.tolist()
    assert back.feed.dtype == np.int64
    assert not len(back.feed)
