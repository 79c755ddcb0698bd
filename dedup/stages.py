"""Which stage runs, and who watches: progress on a terminal, a profile, or a function of the caller's."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dedup.kernel import kernel

log = logging.getLogger("dedup")


class Watcher:
    """Is told what is being done; what does not concern it stays as it is here.

    One may be given to ``scan``, ``compare`` and ``clean`` as `progress`, or several in a list, or a plain function that
    gets the name of each stage as it begins.
    """

    def stage(self, name: str) -> None:
        """A stage begins, and with it ends the one before."""

    def read(self, done: int, expected: int | None) -> None:
        """So many bytes of text were read.

        Args:
            expected: Bytes that the input has, where that is known.
        """

    def rows(self, given: str, made: str) -> None:
        """What the stage that runs was given, and what it made of it: "1,204 blocks", "88 pairs"."""

    def end(self) -> None:
        """The last stage has ended."""


@dataclass(slots=True)
class _Function(Watcher):
    """A function that gets the stages' names."""

    call: Callable[[str], None]

    def stage(self, name: str) -> None:
        self.call(name)


Progress = Callable[[str], None] | Watcher | Iterable[Watcher]


class Stages:
    """Names the stage that runs, and tells those who watch.

    Args:
        bounded: Memory is: what is free goes back to the system before each stage. Else it is for the next one.
    """

    def __init__(self, progress: Any = None, bounded: bool = False) -> None:
        self.watchers, self._bounded = watchers_of(progress), bounded
        self.unplaced = 0  # comparisons that a bound cut short
        self._name, self._since = "", 0.0

    def start(self, name: str) -> None:
        """The stage before ends, the next begins."""
        self._ended()
        if self._bounded:
            kernel.release_memory()
        self._name, self._since = name, time.perf_counter()
        for watcher in self.watchers:
            watcher.stage(name)

    def read(self, done: int, expected: int | None) -> None:
        """So many bytes of text were read, of so many."""
        for watcher in self.watchers:
            watcher.read(done, expected)

    def rows(self, given: int, of: str, made: int, what: str) -> None:
        """The stage that runs made so many of what out of so many of the others."""
        for watcher in self.watchers:
            watcher.rows(f"{given:,} {of}", f"{made:,} {what}")

    def stop(self) -> None:
        """The last stage ends."""
        self._ended()
        kernel.release_memory()
        for watcher in self.watchers:
            watcher.end()

    def _ended(self) -> None:
        if self._name:
            log.debug("%s: %.3f s", self._name, time.perf_counter() - self._since)
        self._name = ""


def watchers_of(progress: Any) -> list[Watcher]:
    """Those who watch, of what a caller gave as `progress`.

    Raises:
        TypeError: It is nothing that can watch.
    """
    if progress is None:
        return []
    if isinstance(progress, Watcher):
        return [progress]
    if callable(progress):
        return [_Function(progress)]
    if isinstance(progress, Iterable):
        return [watcher for one in progress for watcher in watchers_of(one)]
    raise TypeError(f"progress is a function of a stage's name, or a dedup.Watcher, not {type(progress).__name__}")
