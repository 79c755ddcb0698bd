"""Sequences whose items are made when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Generic, TypeVar, overload

T = TypeVar("T")
BATCH = 512  # items made together where all are gone over


class Lazy(Sequence[T], Generic[T]):
    """A sequence whose items are made when they are asked for."""

    def __init__(self, count: Callable[[], int], make: Callable[[int], T]) -> None:
        self._counted, self._make = count, make

    @cached_property
    def _count(self) -> int:
        return self._counted()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._make(index % self._count)

    def __iter__(self) -> Iterator[T]:
        return map(self._make, range(self._count))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __reduce__(self) -> tuple[type[list[T]], tuple[list[T]]]:
        return list, (list(self),)

    def __repr__(self) -> str:
        return repr(list(self))


class InBatches(Lazy[T]):
    """A sequence whose items are made many at a time where many are asked for.

    Args:
        make: The items from an index to before another one.
    """

    def __init__(self, count: Callable[[], int], make: Callable[[int, int], list[T]]) -> None:
        super().__init__(count, lambda index: make(index, index + 1)[0])
        self._make_range = make

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice) and (rows := range(*index.indices(self._count))).step == 1:
            return self._make_range(rows.start, max(rows.start, rows.stop))
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[T]:
        for begin in range(0, self._count, BATCH):
            yield from self._make_range(begin, min(begin + BATCH, self._count))


class InAnyBatches(InBatches[T]):
    """A sequence of which any items can be made together.

    Args:
        make: The items of some indices, ascending.
    """

    def __init__(self, count: Callable[[], int], make: Callable[[Sequence[int]], list[T]]) -> None:
        super().__init__(count, lambda begin, end: make(range(begin, end)))
        self._make_some = make

    def some(self, rows: Sequence[int]) -> Iterator[T]:
        """The items of some indices, ascending."""
        for begin in range(0, len(rows), BATCH):
            yield from self._make_some(rows[begin:begin + BATCH])
