"""Install the peers into the environment whose Python runs this: ``PYTHON benchmarks/peers/install.py REQUIREMENTS``.

Where they cannot be installed together, each is tried by itself; what cannot be had is written, with the reason, to
``missing.json`` in the environment, and `make bench-peers` goes on without it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MISSING = Path("missing.json")


def main(requirements: Path) -> None:
    missing = {}
    if _install("-r", str(requirements)):
        for line in wanted(requirements.read_text(encoding="utf-8")):
            reason = _install(line)
            if reason:
                missing[line.split("==")[0]] = reason
                print(f"{line} cannot be installed: {reason}", file=sys.stderr)
    (Path(sys.prefix) / MISSING).write_text(json.dumps(missing) + "\n", encoding="utf-8")


def wanted(text: str) -> list[str]:
    """The requirements of a requirements file.

    >>> wanted("# ours\\n a==1\\n\\nb==2  # b\\n")
    ['a==1', 'b==2']
    """
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _install(*what: str) -> str:
    """Why it could not be installed; nothing where it was."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", *what]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if not done.returncode:
        return ""
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
    return errors[-1].removeprefix("ERROR: ") if errors else f"pip ended with status {done.returncode}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
