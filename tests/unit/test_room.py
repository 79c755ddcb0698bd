"""Arrays whose memory is used again."""

from __future__ import annotations

import numpy as np
import pytest

from dedup.kernel import kernel


@pytest.mark.parametrize("size", [0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, (7 << 16) + 1, (1 << 21) + 1, 40 << 20])
def test_rooms_of_all_sizes_are_whole_and_apart(size: int) -> None:
    """All bytes of an array can be written, and no other array changes by that."""
    rooms = [kernel.room(size) for _ in range(3)]
    for value, room in enumerate(rooms):
        room[:] = value
    assert [room.nbytes for room in rooms] == [size] * 3
    for value, room in enumerate(rooms):
        assert np.all(room == value)


def test_rooms_given_back_are_not_shared_with_living_ones() -> None:
    """Arrays freed in any order, with memory released in between, leave those in use as they are."""
    rng = np.random.default_rng(0)
    living: list[tuple[int, np.ndarray]] = []
    for step in range(300):
        room = kernel.room(int(rng.integers(1, 4 << 20)))
        room[:] = step % 251
        living.append((step % 251, room))
        if len(living) > 6:
            living.pop(int(rng.integers(len(living))))
        if step % 50 == 0:
            kernel.release_memory()
        assert all(room[0] == room[-1] == value for value, room in living)


def test_a_negative_size_is_an_error() -> None:
    with pytest.raises(ValueError, match="negative"):
        kernel.room(-1)
