"""Cutting real pages: the tree without the cut elements, the text without the cut text, and little that must stay."""

from __future__ import annotations

import gzip
import random
import re
from collections import Counter
from pathlib import Path

import pytest

import dedup
from benchmarks.cleaning import tree as tree_without
from dedup.cleaning.html import html_cuts
from dedup.cleaning.pieces import STAYS, Cut, Cuts, Gone, without
from dedup.cleaning.seams import apart
from dedup.cleaning.source import file_pieces
from dedup.readers.decode import declared_in_html, decode
from dedup.readers.html import read_html
from tests.readers_help import data

pytestmark = pytest.mark.slow
FOLDERS = {"html_within_page": 6, "site_pages": 5}  # every which page is taken


def pages(folder: str) -> list[tuple[Path, bytes]]:
    files = sorted(data(folder).rglob("*.html.gz"))[:: FOLDERS[folder]]
    assert files
    return [(file, gzip.decompress(file.read_bytes())) for file in files]


def source_of(raw: bytes) -> str:
    return decode(raw, declared_in_html(raw))[0].replace("\r\n", "\n").replace("\r", "\n")


def tree(source: str, cuts: tuple[Cut, ...] = ()) -> list[tuple[int, str, str]]:
    return tree_without(source, {at for cut in cuts for at in range(cut.start, cut.end)})


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[\u2e80-\u9fff\uf900-\ufaff]|[^\W_\u2e80-\u9fff\uf900-\ufaff]+", text))


def check(source: str, gone: list[Gone], cuts: Cuts) -> None:
    text = read_html(source).text
    output = without(source, cuts.cuts)
    ranges = apart(gone, len(text))
    went = sum((words(text[start:end]) for start, end, _ in ranges), Counter())
    stayed = sum((words(text[left.start : left.end]) for left in cuts.left), Counter())
    assert words(read_html(output).text) == words(text) - went + stayed
    assert tree(output) == tree(source, cuts.cuts)


@pytest.mark.parametrize("folder", FOLDERS)
def test_random_blocks_go_and_nothing_else(folder: str) -> None:
    draw = random.Random(4)
    for _, raw in pages(folder):
        source = source_of(raw)
        page = read_html(source)
        blocks = list(zip(page.columns[0], page.columns[1], strict=True))
        for share in (0.02, 0.4):
            gone = []
            for i, (start, end) in enumerate(blocks):
                if draw.random() < share:
                    last = min(len(blocks) - 1, i + draw.randrange(4))
                    gone.append(Gone(start, draw.choice([end, blocks[last][1]]), i))
            check(source, gone, html_cuts(source, gone))


@pytest.mark.parametrize("folder", FOLDERS)
def test_of_real_repeats_little_must_stay(folder: str) -> None:
    asked = stays = 0
    for file, raw in pages(folder):
        report = dedup.scan(file)
        gone = [
            Gone(*part, number)
            for number, group in enumerate(report.groups)
            for place in group.occurrences[1:]
            for part in (place.parts or ((place.start, place.end),))
        ]
        source = source_of(raw)
        text = read_html(source).text
        cuts = html_cuts(source, gone)
        check(source, gone, cuts)
        asked += sum(end - start for start, end, _ in apart(gone, len(text)))
        stays += sum(left.end - left.start for left in cuts.left)
        pieces, left = file_pieces(raw, "html", gone)
        assert b"".join(piece.data for piece in pieces) == raw
        assert [stretch.reason for stretch in left] == [stretch.reason for stretch in cuts.left]
        kept = b"".join(piece.data for piece in pieces if piece.removal == STAYS)
        assert read_html(source_of(kept)).text == read_html(without(source, cuts.cuts)).text
    assert asked
    assert stays <= 0.1 * asked, f"{stays} of {asked} characters"


def test_helpers_see_damage() -> None:
    """The tree of this test is not blind: a cut that takes a tag without its end is seen."""
    source = "<div><p>one</p></div><b>two</b>"
    assert tree("<div></div><b>two</b>") == tree(source, (Cut(5, 15, 0),))
    assert tree("<p>one</p></div><b>two</b>") != tree(source, (Cut(0, 5, 0),))
