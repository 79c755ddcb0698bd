"""Start of worker processes. Imports the standard library only: the first worker starts while NumPy is being loaded."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

_HTML = (".html", ".htm", ".xhtml", ".html.gz", ".htm.gz", ".html.zst", ".htm.zst")
_waiting: list[subprocess.Popen[bytes]] = []  # started ahead, not yet asked for


def start_worker() -> subprocess.Popen[bytes]:
    """A worker that has just started, or the one that was started ahead."""
    while _waiting:
        worker = _waiting.pop()
        if worker.poll() is None:
            return worker
    return _start()


def start_ahead(arguments: Sequence[str]) -> bool:
    """Start a worker if arguments of the command line name a page of HTML, and say whether one was started.

    What stands behind an option may be its value (``-o report.html``) and says nothing.
    """
    named = any(argument.lower().endswith(_HTML) and not before.startswith("-") and os.path.isfile(argument)
                for before, argument in pairwise(arguments))
    if named:
        _waiting.append(_start())
    return named


def end_waiting() -> None:
    """End what was started ahead and was not asked for."""
    while _waiting:
        worker = _waiting.pop()
        worker.kill()
        worker.communicate()


def _start() -> subprocess.Popen[bytes]:
    """Start a worker.

    ``-P``: the current folder may hold a hostile ``json.py``. Where this package is not installed but found by
    ``sys.path``, its place is handed over.
    """
    environment = dict(os.environ)
    root = str(Path(__file__).resolve().parents[2])
    if root not in site.getsitepackages():
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [environment.get("PYTHONPATH"), root]))
    return subprocess.Popen([sys.executable, "-P", "-m", "dedup.readers.worker"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
