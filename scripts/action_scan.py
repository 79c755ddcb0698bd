"""The scan of action.yml: its inputs are ``INPUT_*`` variables, its results go where ``GITHUB_*`` variables say.

The exit status is that of the scan, after all has been written.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

FLAGS = {"FOR": "--for", "FAIL_OVER": "--fail-over", "FAIL_ON": "--fail-on", "BASELINE": "--baseline",
         "CHANGED_SINCE": "--changed-since", "LINK_BASE": "--link-base", "SARIF": "-o", "HTML": "-o"}


def arguments(inputs: Mapping[str, str], summary: Path | None) -> list[str]:
    """The arguments of the command; an input that is empty gives none.

    >>> arguments({"INPUT_PATH": "docs 'a b.md'", "INPUT_FAIL_OVER": "10%", "INPUT_FOR": ""}, None)
    ['scan', '--fail-over', '10%', '--format', 'terminal', '--', 'docs', 'a b.md']
    """
    given = [part for name, flag in FLAGS.items() if (value := inputs.get(f"INPUT_{name}", "").strip())
             for part in (flag, value)]
    shown = [] if summary is None else ["-o", str(summary)]
    return ["scan", *given, *shown, *shlex.split(inputs.get("INPUT_ARGS", "")), "--format", "terminal", "--",
            *shlex.split(inputs.get("INPUT_PATH", "") or ".")]


def append(variable: str, text: str) -> None:
    """Add text to the file that a variable names, if it is set."""
    if file := os.environ.get(variable):
        with open(file, "a", encoding="utf-8", newline="\n") as there:
            there.write(text)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        # The file of the summary has no suffix that would say what it is to hold.
        wanted = os.environ.get("INPUT_SUMMARY", "true") == "true" and "GITHUB_STEP_SUMMARY" in os.environ
        summary = Path(folder) / "summary.md" if wanted else None
        status = subprocess.run([sys.executable, "-m", "dedup", *arguments(os.environ, summary)], check=False).returncode
        if summary is not None and summary.exists():
            append("GITHUB_STEP_SUMMARY", summary.read_text(encoding="utf-8") + "\n")
    append("GITHUB_OUTPUT", f"status={status}\n")
    sarif = os.environ.get("INPUT_SARIF", "")
    if sarif and Path(sarif).exists():
        append("GITHUB_OUTPUT", f"sarif={sarif}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
