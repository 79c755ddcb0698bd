"""Worker processes that parse pages, seen from the program: pages in, answers out, whatever happens to a worker."""

from __future__ import annotations

import json
import subprocess
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from dedup.cleaning.pieces import Cut, Cuts, Left
from dedup.model import Layout
from dedup.options import Options
from dedup.readers.jobs import Answer, Job
from dedup.readers.leave_out import Ignored
from dedup.readers.parsed import COLUMNS, unpack
from dedup.readers.spawn import start_worker
from dedup.readers.worker import PARTS_A_PAGE, receive, send

_DTYPES = {"line": np.int32, "end_line": np.int32, "kind": np.uint8, "flags": np.uint8, "link_chars": np.int32,
           "element": np.int32, "parent": np.int32}


class WorkerPool:
    """Up to `size` workers, each started when there is work for it."""

    def __init__(self, size: int, options: Options) -> None:
        self._settings = {"select": options.select, "ignore": options.ignore, "leave_out": options.leave_out,
                          "comments": not options.ignored_too}
        self._local = threading.local()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="dedup-reader")
        _POOLS.add(self)

    def submit(self, jobs: Sequence[Job]) -> Future[list[Answer]]:
        """Have some pages parsed by one worker; the answers come in the order of the jobs."""
        return self._threads.submit(self._answer, jobs)

    def close(self) -> None:
        """End all workers; what is still under way is lost."""
        with self._lock:
            self._closed = True
            processes, self._processes = self._processes, set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        self._threads.shutdown(wait=True)
        for process in processes:
            process.wait()
            _close_pipes(process)

    def _answer(self, jobs: Sequence[Job]) -> list[Answer]:
        answers = self._ask(jobs)
        if answers is not None:
            return answers
        if len(jobs) == 1:  # the worker died of this page
            return [Answer(refused=f"ended the parser ({self._local.cause})")]
        return [answer for job in jobs for answer in self._answer([job])]

    def _ask(self, jobs: Sequence[Job]) -> list[Answer] | None:
        """Send jobs to this thread's worker; ``None`` if it died of them."""
        process = self._worker()
        assert process.stdin is not None
        assert process.stdout is not None
        header = {"pages": [(job.form, job.declared) for job in jobs], "gone": [job.gone for job in jobs], **self._settings}
        try:
            send(process.stdin, [json.dumps(header).encode(), *(job.data for job in jobs)])  # type: ignore[arg-type]
            parts = receive(process.stdout)  # type: ignore[arg-type]
        except (OSError, ValueError):
            parts = None
        if parts is None or len(parts) != PARTS_A_PAGE * len(jobs):
            self._end(process)
            return None
        return [_unpack(parts[i:i + PARTS_A_PAGE]) for i in range(0, len(parts), PARTS_A_PAGE)]

    def _worker(self) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] | None = getattr(self._local, "process", None)
        if process is None:
            with self._lock:
                if self._closed:
                    raise RuntimeError("the reader was closed")
                process = self._local.process = start_worker()
                self._processes.add(process)
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Give up a worker that failed; the next job gets a new one."""
        process.kill() if process.poll() is None else None
        status = process.wait()
        self._local.cause = f"signal {-status}" if status < 0 else f"exit status {status}"
        self._local.process = None
        with self._lock:
            self._processes.discard(process)
        _close_pipes(process)

    def kill(self) -> None:
        """End all workers at once, from any thread; nothing is waited for."""
        with self._lock:
            self._closed = True
            for process in self._processes:
                process.kill()


_POOLS: weakref.WeakSet[WorkerPool] = weakref.WeakSet()


def kill_workers() -> None:
    """End all workers of this process, which is about to end itself."""
    for pool in list(_POOLS):
        pool.kill()


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:
            pass


def _unpack(parts: Sequence[bytes]) -> Answer:
    """An answer from its message parts."""
    header = json.loads(parts[0])
    if "refused" in header:
        return Answer(refused=header["refused"])
    if "cuts" in header:
        cuts, left = (Cut(*row) for row in header["cuts"]), (Left(*row) for row in header["left"])
        return Answer(cuts=Cuts(tuple(cuts), tuple(left)))
    columns = {name: np.frombuffer(part, np.int64).astype(_DTYPES.get(name, np.int64), copy=False)
               for name, part in zip(COLUMNS, parts[4:], strict=True)}
    size = len(columns["start"])
    paths = tuple(unpack(parts[2]).split("\n")) if size else ()
    layout = Layout(path=paths, steps=unpack(parts[3]), **columns)
    ignored = tuple(Ignored(*row) for row in header["ignored"])
    return Answer(unpack(parts[1]), header["title"], layout, header["encoding"], ignored=ignored)
