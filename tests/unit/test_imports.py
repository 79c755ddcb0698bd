"""What is not imported: `import dedup` is quick, a scan of texts needs no reader's or report's library."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAVY = {"numpy", "rapidfuzz", "rich", "cyclopts", "turbohtml", "msgspec", "pyarrow", "scipy", "markdown_it", "pathspec"}


def imported(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after some code."""
    done = subprocess.run([sys.executable, "-c", f"{code}\nimport sys\nprint(*{{m.split('.')[0] for m in sys.modules}})"],
                          capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_imports_no_library():
    assert not imported("import dedup\ndedup.__version__, dir(dedup)") & HEAVY


def test_the_names_are_loaded_when_they_are_used():
    after = imported("from dedup import Page, OptionError, Options")
    assert not after & {"rapidfuzz", "rich", "cyclopts", "turbohtml", "msgspec", "pyarrow", "scipy"}


A, B = "'one two three four five six seven eight nine ten'", "'one two three four five six seven other nine ten'"
TEXTS = f"[{A}, {B}] * 2"


@pytest.mark.parametrize("code", [f"dedup.scan({TEXTS})", f"list(dedup.scan({TEXTS}).pairs())",
                                  f"list(dedup.compare({A}, {B}).groups)",
                                  f"dedup.scan({TEXTS}, unit='page', exhaustive=True)"])
def test_a_scan_of_texts_imports_no_reader_or_report_library(code):
    after = imported(f"import dedup\n{code}")
    assert "numpy" in after
    assert not after & {"pyarrow", "scipy", "rich", "cyclopts", "turbohtml", "markdown_it", "fastwarc"}


def test_writing_json_needs_no_terminal_library():
    assert not imported(f"import dedup\ndedup.scan({TEXTS}).to_json()") & {"rich", "cyclopts", "pyarrow", "scipy"}


def test_a_command_loads_what_it_needs_only():
    code = """
        import contextlib, io, sys
        from dedup.cli import main
        with contextlib.redirect_stdout(io.StringIO()):
            assert main(["scan", "examples/news.txt"]) == 0
        print(*sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "dedup.pipeline" in loaded
    assert not loaded & {"numpy.ma", "dedup.cli_clean", "dedup.report.html", "turbohtml", "scipy", "pyarrow"}


def test_the_parts_alone_import_little():
    after = imported("from dedup import LSH, MinHasher, Shingler\nMinHasher().sketch(Shingler().sets(['a b c d e f']))")
    assert not after & {"rapidfuzz", "rich", "cyclopts", "turbohtml", "pyarrow", "scipy"}
