"""Run the notebooks of examples/ and store what they show: python scripts/run_notebook.py. A test holds both equal.

Only what these notebooks need: cells of plain Python whose last expression is shown by its own ``_repr_*_`` methods.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "examples"
REPRS = {"text/html": "_repr_html_", "image/svg+xml": "_repr_svg_"}


def executed(file: Path) -> str:
    """The notebook's text with the outputs of a fresh run, in the notebook's own folder.

    Raises:
        Exception: Whatever a cell raises.
    """
    book = json.loads(file.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    before = Path.cwd()
    os.chdir(file.parent)
    try:
        cells = (cell for cell in book["cells"] if cell["cell_type"] == "code")
        for number, cell in enumerate(cells, 1):
            cell["execution_count"], cell["outputs"] = number, run_cell("".join(cell["source"]), names, number)
    finally:
        os.chdir(before)
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


def run_cell(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """What a cell prints, and what its last expression is."""
    tree = ast.parse(source)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"<cell {number}>", "exec"), names)
        if last is not None:
            value = eval(compile(last, f"<cell {number}>", "eval"), names)
    outputs = [] if not printed.getvalue() else [
        {"name": "stdout", "output_type": "stream", "text": printed.getvalue().splitlines(keepends=True)}]
    if value is not None:
        data: dict[str, Any] = {kind: getattr(value, method)() for kind, method in REPRS.items() if hasattr(value, method)}
        plain = repr(value) if "image/svg+xml" not in data else "<svg>"
        data = {kind: text.splitlines(keepends=True) for kind, text in (data | {"text/plain": plain}).items()}
        outputs.append({"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    return outputs


def main() -> int:
    for file in sorted(FOLDER.glob("*.ipynb")):
        file.write_text(executed(file), encoding="utf-8")
        print(f"{file.relative_to(FOLDER.parent)}: run and stored")
    return 0


if __name__ == "__main__":
    sys.exit(main())
