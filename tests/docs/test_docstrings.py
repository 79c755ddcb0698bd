"""The examples in docstrings run."""

import doctest
import importlib
from pathlib import Path

import pytest

import dedup

ROOT = Path(__file__).parents[2]
MODULES = sorted(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                 for path in (ROOT / "dedup").rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))
PARTS = ("scan", "compare", "Shingler", "MinHasher", "LSH", "Verifier")


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    public = {one: getattr(dedup, one) for one in dedup.__all__} if name == "dedup" else {}  # loaded when first used
    result = doctest.testmod(importlib.import_module(name), extraglobs=public, optionflags=doctest.ELLIPSIS)
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize("name", PARTS)
def test_each_part_that_is_usable_alone_has_an_example(name):
    assert ">>> " in getattr(dedup, name).__doc__
