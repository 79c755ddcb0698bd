"""The engine of many machines, and its twin in this process.

A cluster knows four verbs. What is worked on lies with it, portion by portion, and never on one machine as a whole:

* ``hold``: portions made of items, kept where they were made,
* ``map`` a stage over portions; what it gives back comes to the one who asked,
* ``exchange``: what portions send meets by the number of a part, and a stage runs on each part (``gather``: what that gives
  is held in its turn),
* ``share`` a value with all that run.

Portions and parts are numbered, and what they send comes in the order of those numbers: results are the same for any number
of machines, and a portion or part that is made again, after a machine was lost, is the same again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

CHANGED = "the input changed while it was scanned", "", "Scan it again."  # a portion made again came out otherwise
T = TypeVar("T")
H = TypeVar("H", covariant=True)
R = TypeVar("R")
P = TypeVar("P")
V = TypeVar("V", covariant=True)


class Shared(Protocol[V]):
    """A value that all machines have."""

    @property
    def value(self) -> V:
        """It."""


class Held(Protocol[H]):
    """Portions that a cluster holds. Stages get the number of a portion, and the portion; they can be pickled."""

    def map(self, stage: Callable[[int, Any], R], size: int = 0) -> Iterator[R]:
        """The stage's results, in the order of the portions, some at a time.

        Args:
            size: Bytes of a result, about, where they are large.
        """

    def exchange(self, stage: Callable[[int, Any], Iterable[tuple[int, P]]], parts: int,
                 then: Callable[[int, list[P]], R]) -> Iterator[R]:
        """What portions send meets by part, then a stage runs on each part.

        Args:
            stage: Gives what a portion sends, each thing with the number of a part.
            parts: How many there are.
            then: Gets the number of a part and what was sent to it, in the order of the portions.

        Returns:
            The results of the parts, in their order.
        """

    def gather(self, stage: Callable[[int, Any], Iterable[tuple[int, P]]], parts: int,
               then: Callable[[int, list[P]], R]) -> Held[R]:
        """The same as ``exchange``, with the results held where they were made: they are the portions of what comes next."""

    def release(self, last: Callable[[int, Any], object] | None = None) -> None:
        """The portions are not needed any more; a stage runs on each of them for the last time, where all were made."""


class Cluster(Protocol):
    """Machines that hold portions and run stages."""

    @property
    def width(self) -> int:
        """How many tasks run at once, as far as that is known."""

    def hold(self, stage: Callable[[int, P], T], items: Sequence[P]) -> Held[T]:
        """A portion of each item."""

    def share(self, value: R) -> Shared[R]:
        """A value that stages may use wherever they run."""


@dataclass(frozen=True, slots=True)
class Alone(Generic[V]):
    """A value in one process."""

    value: V


class InProcess:
    """A cluster of this process alone, for tests: what is sent is pickled, as between machines."""

    width = 2

    def hold(self, stage: Callable[[int, P], T], items: Sequence[P]) -> HeldHere[T]:
        """A portion of each item."""
        return HeldHere([_sent(_sent(stage)(number, _sent(item))) for number, item in enumerate(items)])

    def share(self, value: R) -> Alone[R]:
        """The value."""
        return Alone(_sent(value))


class HeldHere(Held[T]):
    """Portions in this process."""

    def __init__(self, portions: list[T]) -> None:
        self._portions = portions

    def map(self, stage: Callable[[int, T], R], size: int = 0) -> Iterator[R]:
        """The stage's results, in the order of the portions."""
        return (_sent(_sent(stage)(number, portion)) for number, portion in enumerate(self._portions))

    def exchange(self, stage: Callable[[int, T], Iterable[tuple[int, P]]], parts: int,
                 then: Callable[[int, list[P]], R]) -> Iterator[R]:
        """What portions send meets by part, then a stage runs on each part."""
        came: list[list[P]] = [[] for _ in range(parts)]
        for number, portion in enumerate(self._portions):
            for part, sent in _sent(stage)(number, portion):
                came[part].append(_sent(sent))
        return (_sent(_sent(then)(part, sent)) for part, sent in enumerate(came))

    def gather(self, stage: Callable[[int, T], Iterable[tuple[int, P]]], parts: int,
               then: Callable[[int, list[P]], R]) -> HeldHere[R]:
        """The same, with the results held."""
        return HeldHere(list(self.exchange(stage, parts, then)))

    def release(self, last: Callable[[int, T], object] | None = None) -> None:
        """The portions are not needed any more; a stage runs on each of them for the last time."""
        if last is not None:
            deque(self.map(last), 0)
        self._portions = []


def _sent(value: Any) -> Any:
    """What arrives on another machine."""
    import pickle

    return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
