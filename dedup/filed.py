"""Long columns that are written once, then only read: they lie in the file that memory is bounded with, where there is one.

Texts, and columns of a number a token, are the most of what a scan holds. Stages go over them in order, or look at places
here and there; the system keeps in memory what it has room for, and none of it is private memory of the process.
"""

from __future__ import annotations

import threading
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.kernel import kernel

A = TypeVar("A", bound=np.generic)

LEAST_IN_FILE = 1 << 25  # bytes of a column that are worth a file
NO_ROOM = np.empty(0, np.uint8)
LEAST_OF_MANY = 1 << 20  # of one among many, where the text lies there too


class Filed(Generic[A]):
    """A column that is written part by part, by any thread; what is not written must not be read.

    Args:
        count: Elements.
        kind: Their type.
        large: Whether it is worth a file; ``None``: if it has ``LEAST_IN_FILE`` bytes.

    Attributes:
        in_file: Whether it lies there.
        values: The column.
    """

    def __init__(self, count: int, kind: type[A], large: bool | None = None) -> None:
        self._room, self.in_file = NO_ROOM, False
        if large or (large is None and count * np.dtype(kind).itemsize >= LEAST_IN_FILE):
            size = count * np.dtype(kind).itemsize
            self._room = kernel.room_in_file(size) if size else NO_ROOM
            self.in_file = len(self._room) > 0
        self.values: npt.NDArray[A] = self._room.view(kind) if self.in_file else np.empty(count, kind)

    def write(self, at: int, values: npt.NDArray[Any]) -> None:
        """Put values at a place.

        Raises:
            MemoryError: The disk is full.
        """
        if self.in_file:
            kernel.put(self._room, at * values.itemsize, values.view(np.uint8))
        else:
            self.values[at:at + len(values)] = values


class InTurn(Generic[A]):
    """Writes the parts of a column one behind the other, whichever is made first: each as soon as all before it are there.

    Args:
        column: Has room for all of them.

    Attributes:
        count: Elements of the parts that are written, or are being written by another thread.
    """

    def __init__(self, column: Filed[A]) -> None:
        self.count = 0
        self._column, self._next, self._waiting, self._lock = column, 0, dict[int, npt.NDArray[A]](), threading.Lock()

    def write(self, number: int, values: npt.NDArray[A]) -> None:
        """Put a part, 0 the first, where it belongs, and those that have waited for it.

        Raises:
            MemoryError: The disk is full.
        """
        ready = list[tuple[int, npt.NDArray[A]]]()
        with self._lock:
            self._waiting[number] = values
            while self._next in self._waiting:
                part = self._waiting.pop(self._next)
                ready.append((self.count, part))
                self.count, self._next = self.count + len(part), self._next + 1
        for at, part in ready:
            self._column.write(at, part)


def column_of_large(count: int, kind: type[A], text_bytes: int) -> Filed[A]:
    """A column, still to be written, as ``of_large`` keeps it."""
    return Filed(count, kind, text_bytes >= LEAST_IN_FILE and count * np.dtype(kind).itemsize >= LEAST_OF_MANY)


def filed(values: npt.NDArray[A]) -> npt.NDArray[A]:
    """A copy of a part of a long column, in the file; the same array where there is none."""
    column = Filed(len(values), values.dtype.type, large=True)
    if not column.in_file:
        return values
    column.write(0, values)
    return column.values


def of_large(values: npt.NDArray[A], text_bytes: int) -> npt.NDArray[A]:
    """A column of what was found in a text of so many bytes: in the file, if the text is and the column is not short."""
    long = values.nbytes >= LEAST_OF_MANY and values.flags.c_contiguous
    return filed(values) if text_bytes >= LEAST_IN_FILE and long else values
