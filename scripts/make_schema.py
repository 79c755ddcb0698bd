"""Write docs/schema/ from the model: ``python scripts/make_schema.py``, or ``make schema``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "schema"


def schemas() -> dict[str, str]:
    """The files of docs/schema/: their names and texts."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from dedup.cli_schema import schema_text
    from dedup.report.schema import FORMATS, file_name

    return {file_name(name): schema_text(name) for name in FORMATS}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"docs/schema/{name}")
