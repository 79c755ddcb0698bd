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
        self._young, self._old = dict[int, tuple[T, int]](), dict[int, tuple[T, int]]()

    def take(self, numbers: Iterable[int], read: Callable[[list[int]], list[T]], size: Callable[[T], int]) -> list[T]:
        """Values in the order of their numbers; those that are not known are read, and kept.

        Args:
            numbers: Each once.
            read: Gets the numbers that are not known.
            size: Bytes of a value.
        """
        young, old, wanted = self._young, self._old, list(numbers)
        found = [young.get(number) or old.get(number) for number in wanted]
        unknown = [number for number, entry in zip(wanted, found, strict=True) if entry is None]
        new = iter([(value, size(value)) for value in read(unknown)] if unknown else ())
        values = []
        for number, known in zip(wanted, found, strict=True):
            entry = known or next(new)
            if number not in young:
                self._keep(number, entry)
            values.append(entry[0])
        return values

    def _keep(self, number: int, entry: tuple[T, int]) -> None:
        if self._held + entry[1] > self._most:
            self._old, self._young, self._held = self._young, {}, 0
        self._young[number] = entry
        self._held += entry[1]
