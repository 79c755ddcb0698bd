"""Bounded memory: large columns go to a file where memory has no room for them.

The stages know nothing of it. The kernel's pool, which all large columns are in, hands out blocks of a mapped file once
so much is held in memory, and takes the file's pages out of memory where the process grows above the limit. The file has
no name: it is gone when the process ends, however it ends.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dedup.engines.local import pooled_memory
from dedup.errors import OptionError, OutputError
from dedup.kernel import kernel
from dedup.options import LEAST_MEMORY, Options, memory_bytes

MOST_ROOM = 1 << 40  # bytes that the file may grow to
IN_MEMORY = {"tmpfs", "ramfs"}  # file systems that take memory themselves


def default_memory() -> int:
    """Half of the machine's memory, or of what this process may have of it."""
    sizes = [_machine_bytes()]
    for place in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            sizes.append(int(Path(place).read_text()))
        except (OSError, ValueError):  # there is none, or it is "max"
            continue
    return max(min(sizes) // 2, LEAST_MEMORY)


@contextmanager
def memory_of(options: Options) -> Iterator[None]:
    """Within it, NumPy's arrays of this thread come from the kernel's pool, which is bounded as the options say."""
    with bounded_memory(options.memory, options.temp_dir), pooled_memory():
        yield


@contextmanager
def bounded_memory(memory: str | None, folder: str | None) -> Iterator[None]:
    """Within it, what has no room in memory goes to a file.

    Args:
        memory: Of the whole process, as ``memory_bytes`` reads it; ``None``: half of the machine's.
        folder: Where the file is; ``None``: where temporary files are, unless those are kept in memory.

    Raises:
        OptionError: The folder cannot be used.
        OutputError: The disk is full.
    """
    limit = default_memory() if memory is None else memory_bytes(memory)
    try:
        file = _limited(limit, folder or _default_folder())
    except (OSError, RuntimeError) as error:
        if memory is not None or folder is not None:
            why = getattr(error, "strerror", None) or error
            raise OptionError(f"{folder or _default_folder()} cannot be written to ({why})", "temp_dir",
                              "Name a folder on a disk that has room.") from error
        yield  # nobody asked for a file, and most input needs none
        return
    try:
        yield
    except MemoryError as error:
        if not kernel.memory_figures()[3]:
            raise
        room = min(_bytes_on_disk(file) + free_disk(folder), MOST_ROOM)  # not what lies there: what comes next was too much
        what = f"the disk is full: what has no room in memory needs more than the {room / 1e6:,.0f} MB that there are"
        raise OutputError(what, folder or _default_folder(),
                          "Name another folder with temp_dir, or allow more with memory.") from error
    finally:
        kernel.unlimit_memory()
        file.close()


def _limited(limit: int, folder: str) -> IO[bytes]:
    """The file that takes what has no room; the kernel knows it."""
    import shutil
    import tempfile

    file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by the caller
    try:
        kernel.limit_memory(limit, *spare_bytes(limit), file.fileno(), min(shutil.disk_usage(folder).free, MOST_ROOM))
    except BaseException:
        file.close()
        raise
    return file


def spare_bytes(limit: int) -> tuple[int, int]:
    """Bytes of memory that are left to pages of the file, and to objects that there will be (a page's id takes some)."""
    return min(max(limit // 16 * 5, 96 << 20), 1 << 30), min(limit // 5, 1 << 29)


def free_disk(folder: str | None) -> int:
    """Bytes that are free where the file would be; 0 where there is no such place."""
    import shutil

    try:
        return shutil.disk_usage(folder or _default_folder()).free
    except OSError:
        return 0


def _bytes_on_disk(file: IO[bytes]) -> int:
    """What a file takes of the disk; where the system does not tell, nothing."""
    return getattr(os.fstat(file.fileno()), "st_blocks", 0) * 512


def _machine_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 16 << 30  # a system that does not say


def _default_folder() -> str:
    """Where temporary files are, unless that is memory and another place is not."""
    import tempfile

    usual = tempfile.gettempdir()
    return "/var/tmp" if _kind(usual) in IN_MEMORY and os.access("/var/tmp", os.W_OK) else usual


@functools.cache
def _kind(folder: str) -> str:
    """The kind of file system that a folder is on, or nothing."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    place, best = os.path.realpath(folder), ("", "")
    for mount in (line.split() for line in lines):
        at = mount[1].rstrip("/")
        if (place == mount[1] or place.startswith(at + "/")) and len(mount[1]) >= len(best[0]):
            best = (mount[1], mount[2])
    return best[1]
