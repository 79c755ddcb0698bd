"""From what the user names to files, in the one order: sorted by path. Only regular files are opened, and pipes of ours."""

from __future__ import annotations

import glob
import io
import os
import re
import select
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from msgspec import Struct

from dedup.errors import InputError
from dedup.readers.formats import SUFFIXES, suffix_of
from dedup.readers.notes import Notes

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_GLOB = frozenset("*?[")
_BUFFER_BYTES = 1 << 16  # more than what tells a format (``formats.WIDEST_HEAD``)
_LONGEST_PLACE = 1000  # code points; a longer text is no path
_CHECKPOINT = re.compile(r"dedup-[a-z-]+\.(?:stage|part)")  # what a checkpoint keeps: who goes on finds the same input
_OURS = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")  # what the process has open


class Found(Struct, frozen=True):
    """A file to be read.

    Attributes:
        path: Where it is.
        name: Its id: relative to what was scanned, with ``/``.
        place: What reports call it: the path as given, with ``/``.
        root: Name of what was scanned, for ids that clash.
        site: What counts as one site for its pages.
        named: It was named by the user, not found in a folder.
        remote: What fsspec opens, of a file at an address; else ``None``, and the path is opened.
    """

    path: Path
    name: str
    place: str
    root: str
    site: str
    named: bool
    remote: Any = None


def expand(source: Path | str) -> list[Path]:
    """The paths that a path or glob stands for, sorted.

    Raises:
        InputError: There is nothing there.
    """
    path = Path(source)
    if _exists(path):
        return [path]
    if isinstance(source, str) and not _GLOB.isdisjoint(source):
        if found := glob.glob(source, recursive=True):
            return sorted((Path(name) for name in found if not os.path.isdir(name)), key=lambda p: p.as_posix())
        raise InputError("no file matches", source, "Quote the pattern, and mind that ** needs folders before it.")
    raise InputError("no such file or folder", str(source))


def glob_root(pattern: str) -> str:
    """The folder before the first wildcard of a pattern, to which ids are relative; may be empty."""
    steps: list[str] = []
    for step in pattern.replace(os.sep, "/").split("/"):
        if not _GLOB.isdisjoint(step):
            break
        steps.append(step)
    return "/".join(steps)


def looks_like_a_place(text: str) -> bool:
    """Whether a text is rather a path, glob or address than a text to be compared.

    >>> looks_like_a_place("news/today.html"), looks_like_a_place("https://example.org/"), looks_like_a_place("No.")
    (True, True, False)
    """
    if not text or len(text) > _LONGEST_PLACE or "\n" in text or "\0" in text:
        return False
    word = text.strip()
    if word.startswith(("http://", "https://", "file://")) and " " not in word:
        return True
    known = suffix_of(text.rstrip("/")) in SUFFIXES
    if known and (not any(c.isspace() for c in text) or not _GLOB.isdisjoint(text)):
        return True
    return _exists(Path(text))


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except (OSError, ValueError):
        return False


def find(paths: Sequence[Path | str], include: Sequence[str], exclude: Sequence[str], notes: Notes) -> Iterator[Found]:
    """All files under some paths or globs, each once, in the order of paths."""
    wanted, unwanted = matcher(include), matcher(exclude)
    seen: set[str] | None = set() if len(paths) > 1 else None
    roots = sorted({str(path): path for path in paths}.values(), key=lambda p: Path(p).as_posix())
    for root in roots:
        for found in _under(root, wanted, unwanted, notes):
            if seen is not None:
                real = os.path.realpath(found.path)
                if real in seen:
                    notes.skip("named twice", found.place)
                    continue
                seen.add(real)
            yield found


def matcher(patterns: Sequence[str]) -> GitIgnoreSpec | None:
    """Patterns in gitignore style, or ``None`` without any."""
    if not patterns:
        return None
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)


def _under(source: Path | str, wanted: GitIgnoreSpec | None, unwanted: GitIgnoreSpec | None,
           notes: Notes) -> Iterator[Found]:
    """Files of one path or glob."""
    path = Path(source)
    if _exists(path):
        if path.is_dir():
            root = path.resolve().name
            for file, name in _walk(path, unwanted, notes):
                if wanted is None or wanted.match_file(name):
                    yield Found(file, name, file.as_posix(), root, root, False)
            return
        if unwanted is None or not unwanted.match_file(path.name):
            yield Found(path, path.name, path.as_posix(), _folder(path), _folder(path), True)
        return
    base = glob_root(str(source))
    for file in expand(source):
        name = os.path.relpath(file, base or ".").replace(os.sep, "/")
        if (wanted is None or wanted.match_file(name)) and (unwanted is None or not unwanted.match_file(name)):
            root = Path(base or ".").resolve().name
            yield Found(file, name, file.as_posix(), root, root, True)


def _folder(path: Path) -> str:
    return path.absolute().parent.name


def _walk(root: Path, unwanted: GitIgnoreSpec | None, notes: Notes) -> Iterator[tuple[Path, str]]:
    """Files under a folder with their relative names, sorted by these.

    Links to places inside the root are left out, as they are read there; others are followed, each folder once.
    """
    real_root = os.path.realpath(root)
    visited: set[tuple[int, int]] = set()
    stack: list[tuple[Path, str]] = [(root, "")]
    while stack:
        path, name = stack.pop()
        if name and not name.endswith("/"):
            yield path, name
            continue
        entries = _entries(path, name, real_root, visited, unwanted, notes)
        stack += reversed(entries)


def _entries(folder: Path, prefix: str, real_root: str, visited: set[tuple[int, int]],
             unwanted: GitIgnoreSpec | None, notes: Notes) -> list[tuple[Path, str]]:
    """What stands in a folder, sorted; names of folders end in ``/``."""
    try:
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in visited:
            notes.skip("folder reached twice (link)", folder.as_posix())
            return []
        visited.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as scan:
            found = list(scan)
    except OSError as error:
        notes.fail(folder.as_posix(), None, f"folder cannot be read ({error.strerror}), skipped", "unreadable folder")
        return []
    entries: list[tuple[Path, str]] = []
    for entry in found:
        path, name = folder / entry.name, prefix + entry.name
        try:
            is_folder = entry.is_dir()
        except OSError:
            is_folder = False
        name += "/" if is_folder else ""
        if _CHECKPOINT.fullmatch(entry.name):
            continue
        if unwanted is not None and unwanted.match_file(name):
            continue
        if entry.name.startswith("."):
            notes.skip("hidden folder" if is_folder else "hidden file", path.as_posix())
            continue
        if entry.is_symlink() and _is_inside(path, real_root):
            notes.skip("link to a place that is read anyway", path.as_posix())
            continue
        entries.append((path, name))
    return sorted(entries, key=lambda item: item[1])


def _is_inside(link: Path, real_root: str) -> bool:
    """Whether a link leads to the root or a place in it that is not hidden."""
    target = os.path.realpath(link)
    if not os.path.exists(target):
        return False
    if target == real_root:
        return True
    inside = target.startswith(real_root.rstrip(os.sep) + os.sep)
    return inside and not any(step.startswith(".") for step in os.path.relpath(target, real_root).split(os.sep))


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; never waits.

    Raises:
        OSError: It cannot be opened, or is no regular file (a FIFO, a device, a socket, a folder).
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, f"is {_kind_of(status.st_mode)}, not a regular file")
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # exchanged in between
        os.close(descriptor)
        raise OSError(0, "is not a regular file")
    return os.fdopen(descriptor, "rb", buffering=_BUFFER_BYTES)


def open_source(found: Found) -> BinaryIO:
    """Open what is to be read: a regular file, or where the user names it a pipe that a shell has opened, ``<(command)``.

    Raises:
        OSError: As of ``open_regular``. Nobody may ever write to a FIFO that has a name.
    """
    if found.named and is_pipe_to_us(found.path):
        return found.path.open("rb", buffering=_BUFFER_BYTES)
    return open_regular(found.path)


def with_beginning(stream: Any) -> BinaryIO:
    """A stream of somebody else's, such that ``peek`` shows as much of its beginning as tells what it is; it stays open."""
    return io.BufferedReader(_Patient(stream), _BUFFER_BYTES)


class _Patient(io.RawIOBase):
    """A stream that gives as many bytes as it is asked for: one read of a pipe gives what somebody wrote at once."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._ended = False  # a terminal goes on behind its end

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return hasattr(self._stream, "seekable") and bool(self._stream.seekable())

    def tell(self) -> int:
        return int(self._stream.tell())

    def seek(self, offset: int, whence: int = 0) -> int:
        self._ended = False
        return int(self._stream.seek(offset, whence))

    def readinto(self, buffer: Any) -> int:
        room, size = memoryview(buffer), 0
        while size < len(room) and not self._ended:
            got = self._some(room[size:])
            if got is None:  # the pipe does not wait, and nothing is in it
                select.select([self._stream], [], [])
                continue
            size += got
            self._ended = not got
        return size

    def _some(self, room: memoryview) -> int | None:
        """Read what there is; 0 at the end, ``None`` where there is nothing yet."""
        if hasattr(self._stream, "readinto"):
            count: int | None = self._stream.readinto(room)
            return count
        data = self._stream.read(len(room))
        if data is None:
            return None
        room[:len(data)] = data
        return len(data)


def is_pipe_to_us(path: Path) -> bool:
    """Whether a path is that of a pipe which this process has open to read from; of its own output it would wait for ever."""
    number = _OURS.fullmatch(path.as_posix())
    if number is None or not stat.S_ISFIFO(os.stat(path).st_mode):
        return False
    import fcntl

    return fcntl.fcntl(int(number[1]), fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY


def _kind_of(mode: int) -> str:
    for test, name in ((stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"),
                       (stat.S_ISBLK, "a device"), (stat.S_ISDIR, "a folder")):
        if test(mode):
            return name
    return "a special file"
