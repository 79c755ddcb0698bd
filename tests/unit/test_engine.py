"""The engine of one machine: batches come back in order, rows of one key meet, whatever the threads."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

import dedup
from dedup import scan
from dedup.engines.local import ALONE_BYTES, LEAST_PIECE, LocalEngine, Partitioned
from tests.scan_help import prose


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_map_gives_results_in_the_order_of_the_batches(threads):
    assert LocalEngine(threads).map(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    assert LocalEngine(threads).map(lambda n: n, []) == []


def test_map_uses_as_many_threads_as_it_was_given():
    barrier = threading.Barrier(3, timeout=20)  # passes only if three batches run at once
    assert LocalEngine(3).map(lambda n: barrier.wait() >= 0, range(3)) == [True] * 3


@pytest.mark.parametrize("threads", [1, 4])
def test_an_error_in_a_stage_is_raised_to_the_caller(threads):
    with pytest.raises(ZeroDivisionError):
        LocalEngine(threads).map(lambda n: 1 // (n - 5), range(10))


def rows(keys: np.ndarray, partitions: int) -> Partitioned:
    part = keys % partitions
    order = np.argsort(part, kind="stable")
    return Partitioned((keys[order], order), np.searchsorted(part[order], np.arange(partitions + 1)).astype(np.int64))


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("partitions", [1, 2, 7, 64])
def test_rows_of_one_key_meet_in_one_partition_in_the_order_of_the_batches(threads, partitions):
    batches = [np.random.default_rng(n).integers(0, 20, 30) for n in range(5)]
    seen = LocalEngine(threads).exchange([rows(keys, partitions) for keys in batches], lambda columns: columns[0])
    assert len(seen) == partitions
    for number, keys in enumerate(seen):
        assert keys.tolist() == [int(k) for batch in batches for k in batch if k % partitions == number]


@pytest.mark.parametrize("partitions", [4, 5, 48])
def test_the_pieces_of_a_batch_keep_none_of_the_columns_they_are_copied_from(partitions):
    """Not even an empty one, or a short one: a view would hold all rows twice."""
    keys = np.concatenate([np.zeros(5 * LEAST_PIECE, np.int64), np.arange(partitions)])  # nearly all in the first piece
    batch = rows(keys, partitions)
    assert len(batch.pieces) > 1
    for column in (column for piece in batch.pieces for column in piece):
        held = column
        while isinstance(held.base, np.ndarray):
            held = held.base
        assert held.nbytes == column.nbytes
    together = np.concatenate([batch.piece(p)[0][batch.rows(p)] for p in range(partitions)])
    assert together.tolist() == sorted(keys.tolist())


def test_no_batches_are_no_partitions():
    assert LocalEngine(2).exchange([], lambda columns: columns) == []


def test_the_number_of_partitions_grows_with_the_text_unless_it_is_set():
    assert LocalEngine(1, 7).partitions(10**12) == 7
    assert LocalEngine().partitions(0) == 1
    assert LocalEngine().partitions(10**9) > LocalEngine().partitions(10**8) >= 1
    assert [LocalEngine().partitions(size) for size in (200_000_000, 2_000_000_000, 10**10)] == [100, 128, 625]
    assert LocalEngine(memory=512 << 20).partitions(2_000_000_000) == 476  # of 4 MB: where memory is scarce, rows are few
    assert LocalEngine().partitions(2_000_000_000, each=1_000_000) == 2000


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stage_that_was_begun_gives_its_result_and_its_error(threads):
    with LocalEngine(threads) as engine:
        begun = engine.begin(lambda: 7)
        assert engine.map(lambda n: n + 1, range(5)) == [1, 2, 3, 4, 5]
        assert begun.result() == 7
        with pytest.raises(ZeroDivisionError):
            engine.begin(lambda: 1 // 0).result()


def test_what_comes_next_is_done_beside_a_stage_that_was_begun():
    go = threading.Event()
    with LocalEngine(2) as engine:
        begun = engine.begin(lambda: go.wait(20))
        go.set()
        assert begun.result()


@pytest.mark.parametrize(("threads", "text_bytes", "used"), [
    (None, ALONE_BYTES - 1, 1), (None, ALONE_BYTES, None), (3, ALONE_BYTES - 1, 3)])
def test_a_small_text_has_one_thread_unless_somebody_says_how_many(threads, text_bytes, used):
    engine = LocalEngine(threads)
    engine.has_read(text_bytes)
    assert engine.threads == (used or os.cpu_count())


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_batches_that_are_still_being_read_come_in_their_order_and_a_single_one_needs_no_thread(count):
    here = threading.get_ident()
    with LocalEngine(2) as engine:
        seen = engine.stream(lambda n: (n, threading.get_ident() == here), iter(range(count)))
        assert [n for n, _ in seen] == list(range(count))
        assert {is_here for _, is_here in seen} <= {count == 1}


def test_a_small_scan_starts_no_thread(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", lambda _: pytest.fail("a thread was started"))
    text = "One line of a page that says some words.\n\nAnother one, longer, which says yet other words of it."
    assert len(scan([text, f"{text}\n\nAnd more.", text.replace("other", "more")], find="reworded").groups)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("text_bytes", [100, 1000, 4000])
def test_what_covers_a_page_is_the_same_in_any_number_of_partitions(monkeypatch, threads, text_bytes):
    """As many partitions as pages, too, and pages on which nothing stands."""
    shared = [prose(30, n) for n in range(6)]
    rng = np.random.default_rng(4)
    texts = ["\n\n".join([prose(20, 100 + n), *(shared[k] for k in rng.integers(0, 6, (n + 1) % 4))]) for n in range(23)]
    one = dedup.scan(texts, threads=1)
    monkeypatch.setattr("dedup.pages.PARTS_TOGETHER", 1)
    monkeypatch.setattr("dedup.engines.local.PARTITION_BYTES", text_bytes)
    many = dedup.scan(texts, threads=threads)
    assert many.summary == one.summary
    assert [page.duplicate_chars for page in many.pages] == [page.duplicate_chars for page in one.pages]
    assert list(many.pages) == list(one.pages)
    assert 0 < sum(page.duplicate_chars > 0 for page in one.pages) < len(texts)
