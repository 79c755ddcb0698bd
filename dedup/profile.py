"""What each stage took: time, rows in and out, memory."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from dedup.stages import Watcher

EVERY = 0.01  # seconds between two looks at the memory
STATUS = Path("/proc/self/status")


@dataclass(slots=True)
class StageFigures:
    """What one stage took.

    Attributes:
        seconds: Of wall time.
        cpu_seconds: Of all threads, and of worker processes that have ended.
        peak_memory: Most bytes of the process that were in memory and nowhere else, while it ran; 0 where the system
            does not say. It is looked at every 10 ms.
        given, made: Rows in and out, in words; empty where the stage does not say.
    """

    name: str
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    given: str = ""
    made: str = ""


class Profile(Watcher):
    """Takes down what each stage took.

    >>> import dedup
    >>> profile = dedup.Profile()
    >>> report = dedup.scan(["a text to scan"], progress=profile)
    >>> [stage.name for stage in profile.stages[:3]]
    ['read', 'exact runs', 'near blocks']
    """

    def __init__(self) -> None:
        self.stages: list[StageFigures] = []
        self._since = (0.0, 0.0)
        self._ended: threading.Event | None = None

    def stage(self, name: str) -> None:
        """A stage begins."""
        self._close()
        self.stages.append(StageFigures(name))
        self._since = time.perf_counter(), _cpu_seconds()
        if self._ended is None:
            self._ended = threading.Event()
            threading.Thread(target=self._look, args=(self._ended,), daemon=True, name="dedup-profile").start()

    def rows(self, given: str, made: str) -> None:
        """What the stage was given and what it made."""
        self.stages[-1].given, self.stages[-1].made = given, made

    def end(self) -> None:
        """The last stage has ended."""
        self._close()
        if self._ended is not None:
            self._ended.set()
        self._ended = None

    def _close(self) -> None:
        if self._ended is not None:
            last = self.stages[-1]
            last.seconds, last.cpu_seconds = (now - then for now, then in
                                              zip((time.perf_counter(), _cpu_seconds()), self._since, strict=True))
            last.peak_memory = max(last.peak_memory, private_bytes())

    def _look(self, ended: threading.Event) -> None:
        while not ended.wait(EVERY):
            stage = self.stages[-1]
            stage.peak_memory = max(stage.peak_memory, private_bytes())

    def lines(self) -> list[str]:
        """A table for people: a line a stage, and one of the sums."""
        rows = [("stage", "time", "CPU", "memory", "in", "out")]
        rows += [(s.name, f"{s.seconds:.2f} s", f"{s.cpu_seconds:.2f} s",
                  f"{s.peak_memory / 1e6:,.0f} MB" if s.peak_memory else "", s.given, s.made) for s in self.stages]
        seconds, cpu, peak = ([getattr(s, name) for s in self.stages] for name in ("seconds", "cpu_seconds", "peak_memory"))
        rows.append(("all", f"{sum(seconds):.2f} s", f"{sum(cpu):.2f} s", f"{max(peak, default=0) / 1e6:,.0f} MB", "", ""))
        width = [max(map(len, column)) for column in zip(*rows, strict=True)]
        left = (0, 4, 5)
        return ["  ".join(cell.ljust(w) if at in left else cell.rjust(w)
                          for at, (cell, w) in enumerate(zip(row, width, strict=True))).rstrip() for row in rows]


def private_bytes() -> int:
    """Bytes of the process that are in memory and nowhere else (anonymous pages); 0 where the system does not say."""
    try:
        status = STATUS.read_bytes()
    except OSError:
        return 0
    at = status.find(b"RssAnon:")
    return int(status[at + 8:].split(None, 1)[0]) << 10 if at >= 0 else 0


def _cpu_seconds() -> float:
    """Of all threads, and of worker processes that have ended."""
    try:
        import resource
    except ImportError:  # Windows
        return time.process_time()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
