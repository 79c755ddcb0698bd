"""What was read lately and may be asked for again, bounded in bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

DROPPED = 8  # where there is no more room, one of so many values goes, the ones that came first


class Recent(Generic[T]):
    """Values by number, each of them for good: what has a number never changes.

    They go in the order in which they came, whether they were asked for since or not: to note that takes longer than to read
    again, once in a while, what is asked for often. Threads may share it: at worst a value is read again.

    Args:
        most: Bytes that are kept, about.
    """

    def __init__(self, most: int) -> None:
        self._most, self._held, self._values = most, 0, dict[int, T]()

    def take(self, numbers: Iterable[int], read: Callable[[list[int]], list[T]], size: Callable[[T], int]) -> list[T]:
        """Values in the order of their numbers; those that are not known are read, and kept.

        Args:
            numbers: Each once.
            read: Gets the numbers that are not known.
            size: Bytes of a value.
        """
        wanted = list(numbers)
        try:
            return list(map(self._values.__getitem__, wanted))
        except KeyError:
            found = list(map(self._values.get, wanted))
        missing = [number for number, value in zip(wanted, found, strict=True) if value is None]
        new = dict(zip(missing, read(missing), strict=True))
        self._keep(new, size)
        return [new[number] if value is None else value for number, value in zip(wanted, found, strict=True)]

    def _keep(self, new: dict[int, T], size: Callable[[T], int]) -> None:
        """Make room for values, and put them there; what has no room beside them is forgotten."""
        own = sum(map(size, new.values()))
        while self._values and self._held + own > self._most:
            for number in list(self._values)[:-(-len(self._values) // DROPPED)]:
                self._values.pop(number, None)
            self._held = sum(map(size, list(self._values.values())))
        if own <= self._most:
            self._values.update(new)
            self._held += own
