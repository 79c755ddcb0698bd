"""Measure a command with all that it starts, also what outlives it: a JVM, its executors, their Python workers.

``getrusage`` of a command knows only the children that it waited for, and PySpark does not wait for its JVM. So a process
between becomes the parent of what is orphaned below it, and waits for that, too: CPU seconds are what the kernel counted. But
it counts nothing of a child whose parent ignores SIGCHLD, as the daemon of PySpark's workers does: of these, the last sample
counts. ``python -m benchmarks.spark.tree SECONDS FOLDER COMMAND...`` is the process between.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import BYTECODE, CommandFailed, family, private_bytes

SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
SAMPLE_SECONDS = 0.2
TICKS = os.sysconf("SC_CLK_TCK")
DISK_LOOKS = 5  # samples, of which one looks at files, too
BLOCK = 512  # bytes of a block of ``st_blocks``
LEFT_OVER = 20.0  # seconds that what outlives a command may take to end by itself


@dataclass(frozen=True, slots=True)
class Tree:
    """What one run of a command and all its descendants took.

    Attributes:
        wall: Seconds until the command itself ended.
        cpu: Seconds, user and system.
        peak: Most bytes of private memory at one time; a page that forked processes share counts once.
        peak_worker: Most bytes of one process that is neither a JVM nor the command itself; 0 where there is none.
        peak_jvm: Most bytes of one JVM; 0 where there is none.
        disk: Most bytes of files at one time that lie in the folder for such, or have no name any more and are open.
        output: What it printed.
    """

    wall: float
    cpu: float
    peak: int
    peak_worker: int
    peak_jvm: int
    disk: int
    output: str


def run(command: list[str], cwd: Path, limit: float = 0, environment: dict[str, str] | None = None) -> Tree:
    """Run a command to its end and measure its tree; after `limit` seconds (0: never) all of it is ended.

    The command and Spark have a folder of their own for temporary files.

    Raises:
        CommandFailed: It ended with another status than 0, or not in time.
    """
    known = os.environ | {"PYTHONPYCACHEPREFIX": str(BYTECODE)} | (environment or {})
    known.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="bench-spark-") as folder:
        measuring = [sys.executable, "-m", "benchmarks.spark.tree", str(limit), folder, *command]
        done = subprocess.run(measuring, cwd=cwd, env=known | {"TMPDIR": folder, "SPARK_LOCAL_DIRS": folder},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailed(f"not measured: {' '.join(done.stderr.strip().splitlines()[-1:])}")
    told = json.loads(done.stdout)
    if failed := told.pop("failed"):
        raise CommandFailed(failed)
    return Tree(**told)


def measured(command: list[str], limit: float, folder: Path) -> dict[str, Any]:
    """The fields of `Tree`, and why the command ``failed``, if it did. Waits for all children that this process has.

    Args:
        folder: For temporary files.
    """
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    late = threading.Event()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        command_itself = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        samples = Samples(command_itself.pid, folder)
        samples.start()
        if limit:
            _later(limit, late)
        cpu = wall = 0.0
        failed = None
        waited = set()
        for pid, status, seconds in ended():
            cpu += seconds
            waited.add(pid)
            if pid == command_itself.pid:
                wall, code = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
                command_itself.returncode = code  # or Popen would wait for it again
                failed = _why(code, late.is_set(), limit, _text(err))
                _later(LEFT_OVER, threading.Event())
        samples.done.set()
        samples.join()
        cpu += sum(seconds for pid, seconds in samples.unwaited.items() if pid not in waited)
        return {"wall": wall, "cpu": cpu, "peak": samples.all, "peak_worker": samples.worker, "peak_jvm": samples.jvm,
                "disk": samples.disk, "output": _text(out), "failed": failed}


def ended() -> Iterator[tuple[int, int, float]]:
    """Each child as it ends, until there is none: its number, its status, CPU seconds of it and of what it waited for."""
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return
        yield pid, status, usage.ru_utime + usage.ru_stime


def proportional_bytes(pid: int) -> int:
    """Private bytes of a process now, of pages that others have, too, its part; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return private_bytes(pid)
    parts = [int(line.split()[1]) * 1024 for line in lines if line.startswith(("Pss_Anon", "Pss_Shmem"))]
    return sum(parts) if parts else private_bytes(pid)


def cpu_seconds(pid: int) -> tuple[int, float]:
    """The parent of a process, and CPU seconds of it and of what it waited for so far; 0 and 0.0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0.0
    return int(fields[1]), sum(map(int, fields[11:15])) / TICKS


def waits_for_none(pid: int) -> bool:
    """Whether a process ignores SIGCHLD, so that nothing is known of its children once they have ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    ignored = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigIgn")), 0)
    return bool(ignored >> (signal.SIGCHLD - 1) & 1)


class Samples(threading.Thread):
    """Samples memory, and the CPU seconds nobody will wait for, of what is below this process until told to stop."""

    def __init__(self, command: int, folder: Path) -> None:
        super().__init__(daemon=True)
        self.command, self.folder, self.done = command, folder, threading.Event()
        self.all = self.worker = self.jvm = self.disk = self.looks = 0
        self.unwaited: dict[int, float] = {}

    def run(self) -> None:
        while True:
            self.look()
            if self.done.wait(SAMPLE_SECONDS):
                return

    def look(self) -> None:
        """Take the figures of now."""
        taken = {pid: cpu_seconds(pid) for pid in family(os.getpid())[1:]}
        programs = {pid: program(pid) for pid in taken}
        copies = being_started({pid: (parent, programs[pid]) for pid, (parent, _) in taken.items()})
        sizes = {pid: proportional_bytes(pid) for pid in taken if pid not in copies}
        java = {pid for pid in sizes if programs[pid][:1] == ("java",)}
        self.all = max(self.all, sum(sizes.values()))
        self.jvm = max([self.jvm, *(sizes[pid] for pid in java)])
        careless = {parent for parent in {parent for parent, _ in taken.values()} if parent and waits_for_none(parent)}
        if self.looks % DISK_LOOKS == 0:
            files = named_files(self.folder) | nameless_files(taken.keys() - java)
            self.disk = max(self.disk, sum(files.values()))
        self.looks += 1
        self.unwaited |= {pid: seconds for pid, (parent, seconds) in taken.items() if parent in careless}
        self.worker = max([self.worker, *(size for pid, size in sizes.items() if pid not in java | {self.command})])


def named_files(folder: Path) -> dict[tuple[int, int], int]:
    """The files below a folder, and what each takes of the disk."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                told = os.lstat(os.path.join(place, name))
                found[told.st_dev, told.st_ino] = told.st_blocks * BLOCK
    return found


def nameless_files(pids: Iterable[int]) -> dict[tuple[int, int], int]:
    """The files that processes have open though their names are gone, and what each takes of the disk."""
    found = {}
    for pid in pids:
        for way in ("fd", "map_files"):  # a file that is mapped may be open no more
            with contextlib.suppress(OSError):
                for entry in os.scandir(f"/proc/{pid}/{way}"):
                    with contextlib.suppress(OSError):
                        told = os.stat(entry.path)
                        if stat.S_ISREG(told.st_mode) and not told.st_nlink:
                            found[told.st_dev, told.st_ino] = told.st_blocks * BLOCK
    return found


def program(pid: int) -> tuple[str, ...]:
    """Name of the program that a process runs, and its arguments; nothing where it is gone."""
    try:
        return Path(os.readlink(f"/proc/{pid}/exe")).name, Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ()


def being_started(processes: dict[int, tuple[int, tuple[str, ...]]]) -> set[int]:
    """JVMs that are but the moment between a JVM's ``vfork`` and the start of another program: their memory is its own.

    Args:
        processes: Parent and program of each.
    """
    return {pid for pid, (parent, own) in processes.items()
            if own[:1] == ("java",) and parent in processes and processes[parent][1] == own}


def _later(seconds: float, late: threading.Event) -> None:
    """End what is below this process then, and say so."""
    def end() -> None:
        late.set()
        for pid in family(os.getpid())[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _why(code: int, late: bool, limit: float, errors: str) -> str | None:
    if late:
        return f"not done after {limit:g} s"
    return f"exit status {code}: {' '.join(errors.strip().splitlines()[-1:])}" if code else None


def _text(stream: Any) -> str:
    stream.seek(0)
    return str(stream.read().decode(errors="replace"))


if __name__ == "__main__":
    json.dump(measured(sys.argv[3:], float(sys.argv[1]), Path(sys.argv[2])), sys.stdout)
