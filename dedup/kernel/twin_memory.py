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


def release_memory() -> None:
    """Give memory that was freed back to the system, where the C library keeps it; the twin has nothing to give."""


def room(bytes: int) -> npt.NDArray[np.uint8]:
    """An array of bytes whose values are whatever its memory held; large ones use memory of arrays that are gone."""
    return np.empty(bytes, np.uint8)
