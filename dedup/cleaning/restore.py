"""Bringing back what ``clean`` took: the pieces go back to their places, digests say that all is as it was."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from dedup.cleaning.manifest import CutOut, Entry, Manifest, Rows, unpacked
from dedup.cleaning.packing import content_digest, packed
from dedup.cleaning.tables import TABLES, RemovedGroup, restore_table
from dedup.errors import InputError, OutputError
from dedup.readers.compression import unpack
from dedup.readers.files import open_regular
from dedup.report.json import replaced_file

STEP = 1 << 20  # bytes at a time


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back.

    Attributes:
        files: Files that are as they were before the cleaning.
        unchanged: Those of them of which nothing had gone.
        cuts: Pieces that were put back.
        dropped: Files that were not there at all.
    """

    files: int
    unchanged: int
    cuts: int
    dropped: int = 0


def restore_files(manifest: Path, out: Path | None = None, cleaned: Path | None = None) -> Restored:
    """Bring back the files of a cleaning.

    All files are checked before the first one is written.

    Args:
        manifest: What ``clean`` wrote.
        out: Where the files go; ``None``: over the cleaned ones.
        cleaned: Folder of the cleaned files; ``None``: that of the manifest.

    Raises:
        InputError: The manifest is damaged, newer or hostile; a cleaned file is missing or was changed since.
        OutputError: The files cannot be written.
    """
    record = Manifest(manifest)
    base = cleaned if cleaned is not None else manifest.absolute().parent
    for entry in record.files:
        _check(base, entry)
        _check_free(_inside(out if out is not None else base, entry.begin.name), entry, record.path, out is not None)
    unchanged = cuts = dropped = 0
    tables = contextlib.ExitStack()  # what tells that a table is restored already? So all of them take their places at once
    for entry in sorted(record.files, key=lambda entry: entry.begin.form in TABLES):
        target = _inside(out if out is not None else base, entry.begin.name)
        done = out is None and _is_restored(base, entry)
        if entry.end.state == "same" or done:
            unchanged += entry.end.state == "same"
            if out is not None:
                _copy(base / entry.begin.name, target, entry)
            continue
        if entry.begin.form in TABLES and entry.end.state == "cut":
            with tables:
                file = tables.enter_context(_written(target, entry))
                cuts += _rows_put_back(base / entry.begin.name, record.rows(entry), entry, file)
                tables = tables.pop_all()
            continue
        with _written(target, entry) as file:
            if entry.end.state == "dropped":
                file.write(_content(entry))
                dropped += 1
            else:
                cuts += _put_back(base / entry.begin.name, record.cuts(entry), entry, file)
    tables.close()
    return Restored(len(record.files), unchanged, cuts, dropped)


def _inside(base: Path, name: str) -> Path:
    """A file below a folder, also when links are followed."""
    path = base / name
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base)):
        raise InputError("leads out of its folder by a link", str(path), "Nothing was changed.")
    return path


def _check(base: Path, entry: Entry) -> None:
    """The cleaned file is there, and as it was written."""
    path = _inside(base, entry.begin.name)
    if entry.end.state == "dropped":
        try:
            data = unpacked(entry.end.content or "")
        except ValueError as error:
            raise InputError(f"its content in the manifest is damaged ({error})", str(path), "Nothing was changed.") from None
        if hashlib.sha256(data).hexdigest() != entry.end.input:
            raise InputError("its content in the manifest has another digest", str(path), "Nothing was changed.")
        return
    if _digest(path, entry) not in (entry.end.output, entry.end.input):
        raise InputError("was changed since it was cleaned", str(path), "Nothing was changed.")


def _check_free(target: Path, entry: Entry, manifest: Path, is_apart: bool) -> None:
    """Nothing of somebody else's stands where a file is to come."""
    if os.path.realpath(target) == os.path.realpath(manifest):
        raise InputError("names the manifest itself as a file of it", str(manifest), "Nothing was changed.")
    if (is_apart or entry.end.state == "dropped") and os.path.lexists(target) and not _stands_there(target, entry):
        raise InputError("is there already and is another file", str(target), "Nothing was changed; move it away first.")


def _stands_there(target: Path, entry: Entry) -> bool:
    try:
        return _digest(target, entry) == entry.end.input
    except InputError:
        return False


def _is_restored(base: Path, entry: Entry) -> bool:
    """Whether a file stands there as it was before the cleaning."""
    path = base / entry.begin.name
    if entry.end.state == "dropped":
        return path.exists() and _digest(path, entry) == entry.end.input
    return _digest(path, entry) == entry.end.input


def _digest(path: Path, entry: Entry) -> str:
    """The digest of a file's content; of one of which nothing went, of the file as it is."""
    try:
        return content_digest(path, "" if entry.end.state == "same" else entry.begin.compression, _damage(path))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", str(path), "Nothing was changed.") from error


@contextlib.contextmanager
def _content_of(path: Path, entry: Entry) -> Iterator[BinaryIO]:
    """The content of a file of which something went."""
    with open_regular(path) as file:
        yield unpack(file, entry.begin.compression, _damage(path))


def _damage(path: Path) -> Callable[[str, str], None]:
    def raised(message: str, kind: str) -> None:
        raise InputError(f"was changed since it was cleaned ({message})", str(path))
    return raised


@contextlib.contextmanager
def _written(target: Path, entry: Entry) -> Iterator[IO[bytes]]:
    """The restored file, put in place when it is whole."""
    with _replaced(target) as raw:
        with packed(raw, entry.begin.compression) as file:
            yield file
        if entry.begin.mode is not None:
            os.chmod(raw.fileno(), entry.begin.mode & 0o777)


def _content(entry: Entry) -> bytes:
    return unpacked(entry.end.content or "")


def _copy(source: Path, target: Path, entry: Entry) -> None:
    with open_regular(source) as file, _replaced(target) as copy:
        while data := file.read(STEP):
            copy.write(data)
        if entry.begin.mode is not None:
            os.chmod(copy.fileno(), entry.begin.mode & 0o777)


@contextlib.contextmanager
def _replaced(target: Path) -> Iterator[IO[bytes]]:
    """A file put in place when it is whole; its folder is made."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(error.strerror or str(error), str(target.parent)) from error
    with replaced_file(target) as file:
        yield file


def _put_back(path: Path, cuts: Iterator[CutOut], entry: Entry, out: IO[bytes]) -> int:
    """The cleaned content with the pieces in their places; how many they were.

    Raises:
        InputError: The result is not what it was; it takes nobody's place then.
    """
    digest, at, count = hashlib.sha256(), 0, 0

    def put(data: bytes) -> None:
        digest.update(data)
        out.write(data)
    with _content_of(path, entry) as file:
        for cut in cuts:
            for data in _up_to(file, cut.offset - at):
                put(data)
            at = cut.offset
            put(cut.content)
            count += 1
        while data := file.read(STEP):
            put(data)
    if digest.hexdigest() != entry.end.input:
        raise InputError("what is restored is not what it was; the manifest is damaged", str(path), "It was left as it is.")
    return count


def _rows_put_back(path: Path, rows: Iterator[Rows], entry: Entry, out: IO[bytes]) -> int:
    """The same for a table: equal rows, schema and meta data, not equal bytes."""
    groups = [RemovedGroup.of_json(line.group) for line in rows]
    with _content_of(path, entry) as content, tempfile.TemporaryFile() as plain:
        restore_table(content, plain, groups)
        plain.seek(0)
        while data := plain.read(STEP):
            out.write(data)
    return sum(len(group.texts) + len(group.dropped) for group in groups)


def _up_to(file: BinaryIO | io.BufferedReader, size: int) -> Iterator[bytes]:
    while size > 0 and (data := file.read(min(size, STEP))):
        size -= len(data)
        yield data
