"""What was read lately and may be asked for again, bounded in bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by number, each of them for good: what has a number never changes.

    There are two generations of them. What is asked for is in the younger one; where that is full it becomes the older one,
    and the one before is forgotten. Threads may share it: at worst a value is read again.

    Args:
        most: Bytes that are kept, about.
    """

    def __init__(self, most: int) -> None:
        self._most, self._held = most // 2, 0
        self._young, self._old = dict[int, T](), dict[int, T]()

    def take(self, numbers: Iterable[int], read: Callable[[list[int]], list[T]], size: Callable[[T], int]) -> list[T]:
        """Values in the order of their numbers; those that are not known are read, and kept.

        Args:
            numbers: Each once.
            read: Gets the numbers that are not known.
            size: Bytes of a value.
        """
        wanted = list(numbers)
        values = list(map(self._young.get, wanted))
        missing = [at for at, value in enumerate(values) if value is None]
        known = [self._old.get(wanted[at]) for at in missing]
        unknown = [wanted[at] for at, value in zip(missing, known, strict=True) if value is None]
        new = iter(read(unknown) if unknown else ())
        for at, value in zip(missing, known, strict=True):
            values[at] = self._kept(wanted[at], value if value is not None else next(new), size)
        return [value for value in values if value is not None]

    def _kept(self, number: int, value: T, size: Callable[[T], int]) -> T:
        own = size(value)
        if self._held + own > self._most:
            self._old, self._young, self._held = self._young, {}, 0
        self._young[number] = value
        self._held += own
        return value
