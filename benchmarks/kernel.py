"""Micro-benchmarks of the kernel: ``python -m benchmarks.kernel [NAME ...]``, nanoseconds a byte (or a row).

Each case makes its arguments and names what it is measured in; a function that the kernel does not have is listed as
missing. Compiled kernel and plain twin: ``DEDUP_KERNEL=native`` or ``reference``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.corpus import Corpus

TEXT_BYTES = 8_000_000
Case = Callable[[], tuple[str, tuple[Any, ...], int, str]]
CASES: list[Case] = []


def case(make: Case) -> Case:
    """Register a case; it gives the function's name, arguments, how many units they hold, and the unit."""
    CASES.append(make)
    return make


def sample_text() -> np.ndarray:
    """UTF-8 of the first pages of the corpus, as ``uint8``."""
    lines, _ = next(iter(Corpus(0)))
    return np.frombuffer("".join(lines).encode()[:TEXT_BYTES], np.uint8).copy()


@case
def code_points() -> tuple[str, tuple[Any, ...], int, str]:
    text = sample_text()
    positions = np.arange(0, len(text), 64, dtype=np.int64)
    return "code_points", (text, positions), len(text), "byte"


def measure(function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float = 0.5) -> float:
    """Seconds of the fastest call; calls for at least `seconds`."""
    best, began = float("inf"), time.perf_counter()
    while True:
        start = time.perf_counter()
        function(*arguments)
        now = time.perf_counter()
        best = min(best, now - start)
        if now - began > seconds:
            return best


def main(names: list[str]) -> None:
    from dedup.kernel import kernel

    print(f"kernel: {kernel.name}")
    for make in CASES:
        name, arguments, count, unit = make()
        if names and name not in names:
            continue
        function = getattr(kernel, name, None)
        if function is None:
            print(f"{name:<24} missing")
            continue
        print(f"{name:<24}{measure(function, arguments) / count * 1e9:10.3f} ns a {unit}")


if __name__ == "__main__":
    main(sys.argv[1:])
