"""An index of each format that there was opens, is whole and answers; that of format 1 was made by version 0.1.0."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
from index_help import groups_of, made_pages

import dedup
from dedup.index import Index

FORMATS = (1, 2)


def stored(format_: int, folder: Path) -> Path:
    """An index of a format."""
    place = folder / "i.dedup"
    place.write_bytes(gzip.decompress((Path(__file__).parent / f"index-{format_}.dedup.gz").read_bytes()))
    return place


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("unit", ["block", "page"])
def test_an_index_of_each_format_answers_as_a_scan_of_its_pages(unit: str, format_: int, tmp_path: Path) -> None:
    place = stored(format_, tmp_path)
    pages = {page["id"]: page["text"] for page in made_pages(7, 40)}
    for number in (5, 6, 7):
        pages[f"p{number}"] += "\nmore"
    for number in (3, 4):
        del pages[f"p{number}"]
    with Index.open(place) as index:
        assert index.info().format == format_
        assert index.verify().ok
        known = {page.id: page.text for page in index.pages()}
        assert known.pop("news.html").startswith("The Kestle Courier")
        assert known == pages
        index.remove("news.html")
        for asked in made_pages(7, 44, "q")[38:]:
            scanned = dedup.scan([asked], against=[{"id": id_, "text": pages[id_]} for id_ in sorted(pages)], unit=unit)
            assert groups_of(index.check(asked, unit=unit)) == groups_of(scanned)  # type: ignore[arg-type]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("kernel", ["native", "reference"])
def test_both_kernels_make_the_keys_that_are_stored(kernel: str, format_: int, tmp_path: Path) -> None:
    from dedup.kernel import kernel as known

    if kernel == "native" and known.name != "native":
        pytest.skip("the kernel is not built")
    place = stored(format_, tmp_path)
    done = subprocess.run([sys.executable, "-m", "dedup", "index", "verify", str(place)], text=True,
                          capture_output=True, env=os.environ | {"DEDUP_KERNEL": kernel}, check=False)
    assert (done.returncode, "all is well; 39 pages" in done.stdout) == (0, True), done.stderr
