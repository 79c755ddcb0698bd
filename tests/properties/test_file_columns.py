"""Columns in the file of bounded memory hold what is put into them; without a file kernel and twin agree."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import filed
from dedup.kernel import reference
from dedup.memory import bounded_memory

native = pytest.importorskip("dedup.kernel._kernel", reason="the kernel is not built")

SLACK = 1 << 22  # bytes that objects may come and go by
LARGE = 1 << 17  # bytes: a block, and where blocks begin
writes = st.lists(st.tuples(st.integers(0, LARGE), st.integers(0, 3000), st.integers(0, 255)), max_size=12)
kinds = st.sampled_from([np.uint8, np.uint32, np.int64])


def outcome(kernel: Any, name: str, *arguments: Any) -> Any:
    """What a function gives, or the error that it raises."""
    try:
        found = getattr(kernel, name)(*arguments)
    except ValueError as error:
        return str(error)
    return found.tolist() if isinstance(found, np.ndarray) else found


@given(size=st.integers(-3, LARGE), at=st.integers(-2, 12), data=st.binary(max_size=12))
def test_without_a_file_kernel_and_twin_agree(size: int, at: int, data: bytes) -> None:
    bytes_ = np.frombuffer(data, np.uint8)
    assert outcome(native, "memory_room") == outcome(reference, "memory_room")
    assert outcome(native, "room_in_file", size) == outcome(reference, "room_in_file", size)
    for room in (np.empty(0, np.uint8), np.empty(8, np.uint8)):  # none of them is in a file
        assert outcome(native, "put", room, at, bytes_) == outcome(reference, "put", room, at, bytes_)


def column(kernel: Any, kind: Any, puts: list[tuple[int, int, int]]) -> tuple[bool, np.ndarray]:
    """A column that some stretches are written to, zeros before; whether it is in the file, and what it holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filed, "kernel", kernel)
        made = filed.Filed(LARGE, kind, large=True)
        made.write(0, np.zeros(LARGE, kind))
        for at, length, value in puts:
            made.write(at, np.arange(min(length, LARGE - at)).astype(kind) + kind(value))
        return made.in_file, made.values.copy()


@pytest.mark.skipif(sys.platform != "linux", reason="only the kernel on Linux bounds memory")
@settings(deadline=None)
@given(kind=kinds, puts=writes)
def test_a_column_in_the_file_is_the_twins_in_memory(kind: Any, puts: list[tuple[int, int, int]]) -> None:
    with bounded_memory("128M", None):
        in_file, mine = column(native, kind, puts)
    there, theirs = column(reference, kind, puts)
    assert (in_file, there) == (True, False)
    np.testing.assert_array_equal(mine, theirs)


@pytest.mark.skipif(sys.platform != "linux", reason="only the kernel on Linux bounds memory")
@settings(deadline=None, max_examples=20)
@given(mb=st.integers(512, 4000), blocks=st.lists(st.integers(1 << 22, 1 << 24), max_size=5))
def test_room_is_within_the_limit_and_blocks_take_it(mb: int, blocks: list[int]) -> None:
    with bounded_memory(f"{mb}M", None):
        native.release_memory()
        room = native.memory_room()
        assert 0 <= room < mb << 20
        held = [native.room(size) for size in blocks]
        if sum(blocks) <= room // 2:  # they are in memory
            assert native.memory_room() <= room - sum(map(len, held)) + SLACK
    assert native.memory_room() == reference.memory_room()
