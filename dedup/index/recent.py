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
        missing = [number for number, value in zip(wanted, values, strict=True) if value is None]
        if missing:
            found = {number: value for number, value in zip(missing, map(self._old.get, missing), strict=True)
                     if value is not None}
            if len(found) < len(missing):
                unknown = [number for number in missing if number not in found]
                found.update(zip(unknown, read(unknown), strict=True))
            self._keep(found, sum(map(size, found.values())))
            values = [found[number] if value is None else value for number, value in zip(wanted, values, strict=True)]
        return values  # type: ignore[return-value]

    def _keep(self, found: dict[int, T], size: int) -> None:
        """Put values of so many bytes into the younger generation."""
        if self._held + size > self._most:
            self._old, self._young, self._held = self._young, {}, 0
        self._young.update(found)
        self._held += size
