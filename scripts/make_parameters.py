"""Write docs/parameters.md from the fields of ``Options``: ``python scripts/make_parameters.py``."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "parameters.md"
HEADINGS = {"find": "What is found", "read": "What is read", "run": "How it runs", "report": "What is reported"}
INTRODUCTION = """\
<!-- Made from the fields of dedup.options.Options by scripts/make_parameters.py; change them there. -->
# Settings

Each setting has one name: `--min-tokens 12` on the command line is `min_tokens=12` in Python. A flag of a setting that
is on or off takes no value (`--pairs`); one that takes several may be given several times. A value out of range is
refused, never clamped.
"""


AGAINST = """
`dedup scan` also takes `--against REF`, several times if need be, in Python `against=` with a source of any kind: only what
stands in these files or folders too is reported. It names pages, not a setting, so no report holds it; the references do."""


def parameters() -> str:
    """The text of docs/parameters.md."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from dedup.options import Options

    hints = get_type_hints(Options)
    fields = dataclasses.fields(Options)
    parts = [INTRODUCTION]
    for group in dict.fromkeys([*HEADINGS, *(field.metadata["group"] for field in fields)]):
        rows = [_row(field, hints[field.name]) for field in fields if field.metadata["group"] == group]
        if rows:
            parts.append("\n".join([f"\n## {HEADINGS.get(group, group.capitalize())}\n",
                                    "| flag | default | values | what it does |", "|---|---|---|---|", *rows]))
            if group == "find":
                parts.append(AGAINST)
            if group == "run":
                parts.append("\nThese change time and memory, never results, and stand in no report.")
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def _row(field: dataclasses.Field[Any], hint: Any) -> str:
    cells = [f"`--{field.name.replace('_', '-')}`", _default(field.default), _values(field, hint),
             field.metadata["doc"]]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"`{value}`"


def _values(field: dataclasses.Field[Any], hint: Any) -> str:
    kinds = [hint, *get_args(hint)] if get_origin(hint) is not Literal else [hint]
    for kind in kinds:
        if get_origin(kind) is Literal:
            return ", ".join(f"`{choice}`" for choice in get_args(kind))
    low, high = field.metadata["min"], field.metadata["max"]
    if low is not None:
        return f"{low} to {high}"
    if isinstance(field.default, bool):
        return "on or off"
    return "text, several" if isinstance(field.default, tuple) else "text"


if __name__ == "__main__":
    FILE.write_text(parameters(), encoding="utf-8")
