"""A bar a stage on a terminal: how far it is, how fast, how much longer."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from dedup.forecast import Forecast
from dedup.stages import Watcher

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

NEARLY = 0.95  # of a bar, as long as its stage has not ended
EVERY = 0.1  # seconds between two looks at the clock
SHOWN_AFTER = 0.3  # seconds that nothing is shown: what is done by then needs no bar


class Bars(Watcher):
    """Shows bars while it is entered.

    Reading is measured in bytes where the size of the input is known; the other stages against what they are expected to
    take, so a bar waits at 95 % where the forecast was too low.
    """

    def __init__(self, console: Console, forecast: Forecast) -> None:
        self._console, self._forecast = console, forecast
        self._text_bytes = self._expected = 0
        self._name, self._since = "", 0.0
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._begun, self._ended = time.perf_counter(), threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> Bars:
        threading.Thread(target=self._tick, daemon=True, name="dedup-progress").start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def stage(self, name: str) -> None:
        """A stage begins."""
        with self._lock:
            self._close()
            self._name, self._since = name, time.perf_counter()

    def read(self, done: int, expected: int | None) -> None:
        """So much was read."""
        with self._lock:
            self._text_bytes, self._expected = done, expected or 0

    def end(self) -> None:
        """Nothing is shown any more."""
        self._ended.set()
        with self._lock:
            self._close()
            if self._progress is not None:
                self._progress.stop()
            self._progress = None

    def _close(self) -> None:
        if self._name:
            self._forecast.ended(self._name, self._text_bytes, time.perf_counter() - self._since)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=1.0, total=1.0, **self._words(1.0))  # type: ignore[arg-type]
        self._name, self._task = "", None

    def _tick(self) -> None:
        while not self._ended.wait(EVERY):
            with self._lock:
                if not self._ended.is_set() and self._name and time.perf_counter() - self._begun > SHOWN_AFTER:
                    self._show()

    def _show(self) -> None:
        if self._progress is None:
            self._progress = _progress(self._console)
            self._progress.start()
        share = self._share()
        if self._task is None:
            self._task = self._progress.add_task(self._name, total=None, rate="", left="")
        known = {"total": 1.0, "completed": share} if share is not None else {"total": None}
        self._progress.update(self._task, **known, **self._words(share), refresh=True)  # type: ignore[arg-type]

    def _share(self) -> float | None:
        """How much of the stage is done; ``None`` where nobody knows."""
        if self._name == "read":
            return min(self._text_bytes / self._expected, 1.0) if self._expected else None
        taken = time.perf_counter() - self._since
        return min(taken / max(self._forecast.seconds(self._name, self._text_bytes), EVERY), NEARLY)

    def _words(self, share: float | None) -> dict[str, str]:
        taken = max(time.perf_counter() - self._since, 1e-3)
        done = self._text_bytes if self._name == "read" or share is None else self._text_bytes * share
        left = taken / share - taken if share else 0.0
        waits = share == NEARLY and self._name != "read"
        return {"rate": f"{done / taken / 1e6:,.0f} MB/s" if done and not waits else "",
                "left": f"{_clock(left)} left" if share and share < 1.0 and not waits else ""}


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    return Progress(TextColumn("{task.description:<15}"), BarColumn(24), TaskProgressColumn(),
                    TextColumn("{task.fields[rate]:>10}"), TextColumn("{task.fields[left]}"), console=console, transient=True,
                    auto_refresh=False)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
