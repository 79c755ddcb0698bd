"""Lay out what the documentation site is built from: ``python scripts/make_site.py FOLDER``; ``make docs`` then builds it.

The site's source has the repository's own layout, so that a link that works in the repository works on the site. Added is the
reference of the Python interface, one entry a public name.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "benchmarks/README.md", "examples/README.md")
LINK = re.compile(r"\]\(([^)\s#]+)")
HOW = "    options:\n      heading_level: 2\n      show_root_heading: true\n      show_root_full_path: false\n"


def lay_out(folder: Path) -> None:
    """Copy the pages, and the files that they link to."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in PAGES:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
    for page in sorted(folder.rglob("*.md")):
        for target in linked(page.read_text(encoding="utf-8")):
            copy(page.parent.relative_to(folder) / target, folder)
    (folder / "docs" / "api.md").write_text(reference(), encoding="utf-8")


def linked(text: str) -> list[str]:
    """Relative targets of a page's links, without code."""
    plain = re.sub(r"`[^`]*`", "", re.sub(r"^```.*?^```\s*$", "", text, flags=re.M | re.S))
    return [target for target in LINK.findall(plain) if not re.match(r"[a-z]+:", target)]


def copy(name: Path, folder: Path) -> None:
    """Copy a file of the repository, if it is not there yet."""
    source = (ROOT / name).resolve()
    target = folder / source.relative_to(ROOT)
    if source.is_file() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def reference() -> str:
    """A page with each public name of the package."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    import dedup

    names = [name for name in dedup.__all__ if not name.startswith("_")]
    made: list[tuple[str, Any]] = [(name, getattr(dedup, name)) for name in names]
    entries = [f"::: {value.__module__}.{name}\n{HOW}" for name, value in made]
    begin = "# The Python interface\n\nFrom the docstrings. [By example](python.md) is the gentler way in.\n"
    return "\n".join([begin, *entries])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="what is in it goes")
    lay_out(parser.parse_args().folder)
