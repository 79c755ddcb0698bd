"""Memory: the kernel keeps large blocks that are free for those who ask next; the twin keeps nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def array_memory(handler: object) -> object:
    """Where NumPy takes the memory of new arrays from, in this thread.

    Args:
        handler: What this function gave before; ``None``: the kernel's pool of large blocks. The twin has none.

    Returns:
        The handler that was in use.
    """
    return handler


def limit_memory(resident: int, pages: int, objects: int, file: int, room: int) -> None:
    """Bound the memory of large blocks; what is more lies in a file, mapped. The twin has no blocks: it bounds nothing.

    Args:
        resident: Bytes of the whole process that may be in memory. Blocks that have no room are in the file.
        pages: Bytes of them that are left to pages of the file. More of them go out of memory; they stay in it.
        objects: Bytes of them that are left to what is in no block and still to come.
        file: Descriptor of an empty file, which may have no name; the kernel takes one of its own.
        room: Bytes that the file may grow to.

    Raises:
        RuntimeError: The file cannot be mapped.
    """


def memory_room() -> int:
    """Bytes that a large block may have in memory now: a larger one lies in the file. Unbounded: more than any."""
    return 2**63 - 1


def unlimit_memory() -> None:
    """Bound memory no longer; what is in the file stays there until it is freed."""


def relieve_memory() -> None:
    """Take pages of the file out of memory where the process has too much; costs next to nothing where it is not bounded."""


def memory_figures() -> tuple[int, int, int, bool]:
    """Bytes of blocks in use in memory, and in the file; the most in the file since the limit; whether the disk was full."""
    return 0, 0, 0, False


def release_memory() -> None:
    """Give memory that was freed back to the system, where the C library keeps it; the twin has nothing to give."""


def room(bytes: int) -> npt.NDArray[np.uint8]:
    """An array of bytes whose values are whatever its memory held; large ones use memory of arrays that are gone."""
    return np.empty(bytes, np.uint8)


def room_in_file(bytes: int) -> npt.NDArray[np.uint8]:
    """An array of bytes that lies in the file of ``limit_memory``, or an empty one where it has no place there.

    It takes no room on the disk and none in memory until ``put`` writes to it; what was not written must not be touched. Its
    memory is no private one: the system takes its pages out when others need the room.

    Raises:
        ValueError: Less than no bytes.
    """
    if bytes < 0:
        raise ValueError("bytes must not be negative")
    return np.empty(0, np.uint8)


def put(room: npt.NDArray[np.uint8], at: int, data: npt.NDArray[np.uint8]) -> None:
    """Write bytes to a place in an array of ``room_in_file``.

    Raises:
        ValueError: The array is none of these, or too short.
        MemoryError: The disk is full.
    """
    if at < 0 or at + len(data) > len(room):
        raise ValueError("data: it has no place in the room")
    if len(data):
        raise ValueError("room: it is in no file")
