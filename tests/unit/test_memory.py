"""The kernel's memory: blocks of the pool hold what is written to them, whoever gives them back and when."""

from __future__ import annotations

import gc
import os
import threading

import numpy as np
import pytest

from dedup.engines.local import LocalEngine, pooled_memory
from dedup.kernel import kernel

SIZES = (1, 1000, 65_536 - 64, 65_536, 100_000, 3_000_000)  # bytes, around where blocks begin


def test_arrays_do_not_share_memory():
    with pooled_memory():
        arrays = [np.full(size, i % 251, np.uint8) for i, size in enumerate(SIZES * 4)]
        arrays += [kernel.room(size) for size in SIZES]
        for array in arrays[-len(SIZES):]:
            array[:] = 255
        del arrays[::3]
        arrays += [np.full(size, 252, np.uint8) for size in SIZES]
    kernel.release_memory()
    for array in arrays:
        assert (array == array[0]).all()


def test_zeros_are_zero_where_memory_was_used_before():
    with pooled_memory():
        for size in SIZES:
            np.full(size, 255, np.uint8)
            assert not np.zeros(size, np.uint8).any()


def test_an_array_without_elements_or_of_another_size_goes_back_whole():
    with pooled_memory():
        for _ in range(20):
            array = np.empty((100_000, 0), np.int64)  # NumPy takes room for it, and gives back none
            del array
            array = np.arange(10_000)
            array.resize(100_000, refcheck=False)
            assert array[:10_000].tolist() == list(range(10_000))
            assert not array[10_000:].any()
            array.resize(3, refcheck=False)
            assert array.tolist() == [0, 1, 2]


def test_the_handler_of_before_is_in_use_again():
    name = np._core.multiarray.get_handler_name
    before = name()
    with pooled_memory():
        inside = name()
        array = np.arange(100_000)
    assert name() == before
    assert (inside == "dedup_pool") == (kernel.name == "native" and inside != before)
    assert name(array) == inside


def test_threads_of_an_engine_give_and_take():
    def work(number: int) -> np.ndarray:
        parts = [np.full(70_000 + 1000 * number, number) for _ in range(8)]
        return np.concatenate(parts[::2])
    with pooled_memory(), LocalEngine(threads=4) as engine:
        for array, number in zip(engine.map(work, range(64)), range(64), strict=True):
            assert (array == number).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_that_was_forked_in_between_can_take_memory():
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            kernel.room(1_000_000)
    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if not child:
                kernel.room(2_000_000)[:] = 1
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        thread.join()
        gc.collect()
