"""A second cleaning takes nothing, whatever the pages, their format and the settings are; what went comes back."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.api import clean, restore
from dedup.cleaning.manifest import FILE_NAME
from tests.generated import FORMS, settings_of, write_collection, write_markup_records

# Seeds of collections of which a second cleaning once took more, or whose cleaning stopped with an error.
CASES = [
    (18, "md"), (22, "md"), (80, "txt"), (314, "md"), (337, "md"), (375, "md"), (385, "html"), (440, "html"), (524, "md"),
    (629, "html"), (655, "html"), (714, "html"), (739, "md"), (803, "html"), (813, "md"), (909, "md"), (1032, "jsonl"),
    (1165, "md"), (1469, "html"), (2564, "html"),
]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and "manifest" not in path.name}


def assert_a_second_cleaning_takes_nothing(folder: Path, chosen: dict[str, Any]) -> None:
    done = clean(folder / "in", folder / "out", threads=1, **chosen)
    assert done.accounting.is_balanced
    again = clean(folder / "out", folder / "again", threads=1, **chosen)
    assert contents(folder / "again") == contents(folder / "out"), chosen
    assert not again.removals
    restore(folder / "out" / FILE_NAME, folder / "back")
    assert contents(folder / "back") == contents(folder / "in")


def check(seed: int, folder: Path, form: str = "") -> None:
    """A collection of a seed, in a format where it is given."""
    rng = Random(seed)
    drawn = rng.choice(FORMS)
    assert form in ("", drawn)
    write_collection(rng, folder / "in", drawn)
    assert_a_second_cleaning_takes_nothing(folder, settings_of(rng, drawn))


@pytest.mark.parametrize(("seed", "form"), CASES)
def test_collections_that_were_not_clean_at_once(seed: int, form: str, tmp_path: Path) -> None:
    check(seed, tmp_path, form)


@pytest.mark.parametrize("seed", [5078, 5436])
def test_a_page_may_depend_on_others(seed: int, tmp_path: Path) -> None:
    """With the settings for readers, too: what other pages lose changes what is found on a page."""
    rng = Random(seed)
    assert rng.choice(FORMS) == "jsonl"
    write_collection(rng, tmp_path / "in", "jsonl")
    assert_a_second_cleaning_takes_nothing(tmp_path, {"max_removed": 1.0})


@pytest.mark.parametrize("seed", [64, 73, 129, 143, 157, 168])
def test_pages_inside_of_records(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    form = rng.choice(["html", "md"])
    write_markup_records(rng, tmp_path / "in", form)
    field_format = {"html": "html", "md": "markdown"}[form]
    assert_a_second_cleaning_takes_nothing(tmp_path, {**settings_of(rng, "jsonl"), "field_format": field_format})


@pytest.mark.slow
@settings(max_examples=20, deadline=None, derandomize=True)
@given(rng=st.randoms(use_true_random=False), form=st.sampled_from(FORMS))
def test_a_second_cleaning_takes_nothing(rng: Random, form: str) -> None:
    with TemporaryDirectory() as folder:
        write_collection(rng, Path(folder) / "in", form)
        assert_a_second_cleaning_takes_nothing(Path(folder), settings_of(rng, form))


@pytest.mark.soak
@pytest.mark.parametrize("batch", range(20))
def test_many_more_collections(batch: int, tmp_path: Path) -> None:
    for seed in range(10_000 + 50 * batch, 10_050 + 50 * batch):
        check(seed, tmp_path / str(seed))
