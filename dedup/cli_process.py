"""The process of a command line: how signals end it, and how it ends without giving back what it holds piece by piece."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

GRACE = 0.8  # seconds that the main thread has to unwind after a signal


class Stopped(BaseException):
    """The process was asked to end (SIGTERM); not an error that anything could handle on the way."""


def leave(status: int) -> int:
    """End the process: what is in memory need not be given back piece by piece, a tenth of what a small scan takes.

    Where somebody looks on (a profiler, a debugger), a thread goes on or output cannot be written, it ends as others do.
    """
    if status in (130, 143):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        os._exit(status)
    import atexit
    import threading

    monitoring: Any = getattr(sys, "monitoring", None)  # from Python 3.12 on
    watched = sys.gettrace() or sys.getprofile() or (monitoring and any(map(monitoring.get_tool, range(6))))
    if watched or any(not thread.daemon for thread in threading.enumerate()[1:]):
        return status
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return status
    os._exit(status)


def travel_light() -> None:
    """Do without what a scan has no use for.

    That are the threads of NumPy's matrix library, which spin while they wait, and a look for cycles after every 700 objects
    (after 50,000 there was one, of 0.01 s, while modules were loaded).
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported
    gc.set_threshold(100_000)


@contextlib.contextmanager
def sigterm_raises() -> Iterator[None]:
    """SIGTERM unwinds the stack, so that temporary files go and workers end."""
    def stop(signum: int, frame: object) -> None:
        raise Stopped

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread: signals are somebody else's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def ends_soon() -> Iterator[None]:
    """A signal ends the process though the main thread is in a long sort or loop of the kernel and cannot react.

    The signal's number is written to a pipe at once, whatever Python does; a thread that waits there gives the main
    thread a moment to unwind, and then cleans up in its place.
    """
    import threading

    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield
        return
    listen, wake = os.pipe()
    os.set_blocking(wake, False)
    done = threading.Event()

    def wait() -> None:
        while (number := os.read(listen, 1)) and number[0] not in (signal.SIGINT, signal.SIGTERM):
            pass
        os.close(listen)
        if number and not done.wait(GRACE):
            _clean_up()
            os._exit(128 + number[0])

    threading.Thread(target=wait, daemon=True, name="dedup-signals").start()
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        yield
    finally:
        done.set()
        signal.set_wakeup_fd(before)
        os.close(wake)


def _clean_up() -> None:
    """What unwinding would do: workers end, unfinished files go, the cursor is shown again."""
    pool, json = (sys.modules.get(f"dedup.{name}") for name in ("readers.pool", "report.json"))
    if pool is not None:
        pool.kill_workers()
    if json is not None:
        json.remove_unfinished()
    if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), b"\r\x1b[2K\x1b[?25h")
