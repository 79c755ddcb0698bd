"""The notebooks of examples/ run, and show what they have stored."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def run_notebook():
    spec = importlib.util.spec_from_file_location("run_notebook", ROOT / "scripts" / "run_notebook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.name)
def test_a_notebook_shows_what_it_has_stored(book):
    stored = book.read_text(encoding="utf-8")
    assert run_notebook().executed(book) == stored, "stale: run python scripts/run_notebook.py"
    outputs = [cell["outputs"] for cell in json.loads(stored)["cells"] if cell["cell_type"] == "code"]
    assert len(outputs) >= 5
    assert sum(map(bool, outputs)) >= 5
    assert "<script" not in stored


def test_there_is_a_notebook():
    assert BOOKS
