"""What the machine gives at best, on one thread: ``python -m benchmarks.limits``, JSON lines of GB a second on stdout."""

from __future__ import annotations

import json
import sys
import tempfile

import numpy as np

from benchmarks.kernel import measure

BYTES = 100_000_000
BLOCK = 1 << 20


def rates(size: int = BYTES, seconds: float = 1) -> list[dict[str, float | str]]:
    """GB a second, the fastest of calls for some seconds each."""
    data, other = np.ones(size // 8, np.uint64), np.ones(size // 8, np.uint64)
    found = [("memory read (sum of 64-bit words)", lambda: np.add.reduce(data)),
             ("memory copied into memory in use", lambda: np.copyto(other, data)),
             ("memory copied into fresh memory", lambda: data.copy())]
    rows: list[dict[str, float | str]] = [{"name": name, "gb_per_s": data.nbytes / measure(call, (), seconds) / 1e9}
                                          for name, call in found]
    with tempfile.TemporaryFile() as file:
        data.tofile(file)
        rows.append({"name": "file read from the disk cache, blocks of 1 MiB",
                     "gb_per_s": data.nbytes / measure(lambda: _read(file), (), seconds) / 1e9})
    return rows


def _read(file) -> None:
    file.seek(0)
    buffer = bytearray(BLOCK)
    while file.readinto(buffer):
        pass


if __name__ == "__main__":
    json.dump(rates(), sys.stdout)
