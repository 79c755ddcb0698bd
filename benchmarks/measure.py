"""Measure a command as a whole process: wall and CPU seconds, peak private memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.01
BYTECODE = Path(__file__).parent.parent / "build" / "bench" / "bytecode"


class CommandFailed(Exception):
    """A measured command ended with another status than 0, or not in time; the message is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of a command took.

    Attributes:
        wall, cpu: Seconds; `cpu` is user and system, the command's own children included.
        peak_private: Most bytes of private memory at one time, children included: anonymous and shared-anonymous pages.
            A mapped file does not count. ``None`` where the system has no ``/proc``.
        output: What it printed.
    """

    wall: float
    cpu: float
    peak_private: int | None
    output: str


def run(command: list[str], cwd: Path | None = None, limit: float | None = None) -> Measured:
    """Run a command to its end and measure it; after `limit` seconds it is ended, with its children.

    Memory is read from ``/proc/PID/status`` every 10 ms (``RssAnon`` and ``RssShmem``): counters, not a walk over the
    page tables as for ``smaps_rollup``, so that looking does not slow down what is looked at. Modules are compiled once, as
    in an installation, also where the environment asks for no bytecode files. NumPy's matrix library has one thread in all
    of them: nobody multiplies matrices, and its other threads spin for a while before they sleep.
    """
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(BYTECODE), "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd,
                                   env=environment)
        peak = _Peak(process.pid)
        peak.start()
        late = threading.Event()
        timer = threading.Timer(limit or 0, _end, (process.pid, late))
        if limit:
            timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
            peak.done.set()
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it again
        peak.join()
        output, errors = (_text(stream) for stream in (out, err))
    if late.is_set():
        raise CommandFailed(f"not done after {limit:g} s")
    if process.returncode:
        raise CommandFailed(f"exit status {process.returncode}: {' '.join(errors.strip().splitlines()[-1:])}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, peak.bytes or None, output)


def private_bytes(pid: int) -> int:
    """Private bytes of a process now; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(("RssAnon", "RssShmem")))


def family(pid: int) -> list[int]:
    """A process and its children and theirs."""
    found = [pid]
    for one in found:
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                found += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
        except OSError:  # it has ended meanwhile
            continue
    return found


def _end(pid: int, late: threading.Event) -> None:
    late.set()
    for one in family(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


class _Peak(threading.Thread):
    """Samples the memory of a process and its children until told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.bytes, self.done = pid, 0, threading.Event()

    def run(self) -> None:
        while True:
            self.bytes = max(self.bytes, sum(map(private_bytes, family(self.pid))))
            if self.done.wait(SAMPLE_SECONDS):
                return


def _text(stream) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")
