"""Bringing back what ``clean`` took: the pieces go back to their places, digests say that all is as it was."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from dedup.cleaning.manifest import CutOut, Entry, Manifest, Rows, unpacked
from dedup.cleaning.packing import content_digest, packed
from dedup.cleaning.tabledigest import table_digest
from dedup.cleaning.tables import TABLES, RemovedGroup, restore_table
from dedup.cleaning.targets import safe_name
from dedup.errors import InputError, OutputError
from dedup.readers.compression import unpack
from dedup.readers.files import open_regular
from dedup.report.json import replaced_file, set_mode

STEP = 1 << 20  # bytes at a time


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back.

    Attributes:
        files: Files that are as they were before the cleaning.
        unchanged: Those of them of which nothing had gone.
        cuts: Pieces that were put back.
        dropped: Files that were not there at all.
        already: Files that were restored before; nothing was done to them.
    """

    files: int
    unchanged: int
    cuts: int
    dropped: int = 0
    already: int = 0


def restore_files(manifest: Path, out: Path | None = None, cleaned: Path | None = None) -> Restored:
    """Bring back the files of a cleaning.

    All files are checked before the first one is written.

    Args:
        manifest: What ``clean`` wrote.
        out: Where the files go, under the names that they had where these are safe; ``None``: over the cleaned ones.
        cleaned: Folder of the cleaned files; ``None``: that of the manifest.

    Raises:
        InputError: The manifest is damaged, newer or hostile; a cleaned file is missing or was changed since.
        OutputError: The files cannot be written.
    """
    record = Manifest(manifest)
    base = cleaned if cleaned is not None else manifest.absolute().parent
    names = original_names(record.files) if out is not None else {}
    targets = {entry.begin.name: _inside(out if out is not None else base, names.get(entry.begin.name, entry.begin.name))
               for entry in record.files}
    done = {entry.begin.name for entry in record.files if _check(base, entry)}
    for entry in record.files:
        _check_free(targets[entry.begin.name], entry, record.path, out is not None)
    unchanged = cuts = dropped = already = 0
    tables = contextlib.ExitStack()  # tables take their places at once, when all are whole
    for entry in sorted(record.files, key=lambda entry: entry.begin.form in TABLES):
        name, target = entry.begin.name, targets[entry.begin.name]
        if entry.end.state == "same":
            unchanged += 1
            if out is not None:
                _copy(base / name, target, entry)
        elif name in done and out is None:
            already += 1
        elif name in done and entry.end.state != "dropped":
            _copy(base / name, target, entry)
        elif entry.begin.form in TABLES and entry.end.state == "cut":
            with tables:
                file = tables.enter_context(_written(target, entry))
                cuts += _rows_put_back(base / name, record.rows(entry), entry, file)
                tables = tables.pop_all()
        else:
            with _written(target, entry) as file:
                if entry.end.state == "dropped":
                    file.writelines(unpacked(entry.end))
                    dropped += 1
                else:
                    cuts += _put_back(base / name, record.cuts(entry), entry, file)
    tables.close()
    return Restored(len(record.files), unchanged, cuts, dropped, already)


def original_names(entries: Sequence[Entry]) -> dict[str, str]:
    """The names that files had in the input, by those that they have in the output, where they are safe on this system.

    A name is taken if it is one of a file inside of the folder and of no other one; Windows and macOS do not tell
    capitals apart.
    """
    fold = str.casefold if os.name == "nt" or sys.platform == "darwin" else str
    names = {entry.begin.name: entry.begin.name for entry in entries}
    for entry in entries:
        original = entry.begin.original
        if original is not None and _is_safe_here(original):
            names[entry.begin.name] = original
    while True:
        count = Counter(fold(name) for name in names.values())
        taken = [name for name, original in names.items() if original != name and count[fold(original)] > 1]
        if not taken:
            return names
        names |= {name: name for name in taken}


def _is_safe_here(name: str) -> bool:
    """Whether a name is that of a file inside of a folder on this system."""
    if os.name == "nt":
        return safe_name(name) == name
    steps = name.split("/")
    return "\0" not in name and all(step not in ("", ".", "..") and len(os.fsencode(step)) <= 255 for step in steps)


def _inside(base: Path, name: str) -> Path:
    """A file below a folder, also when links are followed."""
    path = base / name
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base)):
        raise InputError("leads out of its folder by a link", str(path), "Nothing was changed.")
    return path


def _check(base: Path, entry: Entry) -> bool:
    """Refuse a cleaned file that is not there, or not as it was written; whether it was restored already."""
    path = _inside(base, entry.begin.name)
    if entry.end.state == "dropped":
        digest = hashlib.sha256()
        try:
            for data in unpacked(entry.end):
                digest.update(data)
        except ValueError as error:
            raise InputError(f"its content in the manifest is damaged ({error})", str(path), "Nothing was changed.") from None
        if digest.hexdigest() != entry.end.input:
            raise InputError("its content in the manifest has another digest", str(path), "Nothing was changed.")
        return path.exists() and _digest(path, entry) == entry.end.input
    found = _digest(path, entry)
    if found == entry.end.output and found != entry.end.input:
        return False
    if found != entry.end.input and not _says_the_same(path, entry):
        raise InputError("was changed since it was cleaned", str(path), "Nothing was changed.")
    return True


def _says_the_same(path: Path, entry: Entry) -> bool:
    """Whether a table was restored already: its file differs from the one that was cleaned, what it says does not."""
    if entry.end.table is None:
        return False
    try:
        with _content_of(path, entry) as content:
            return table_digest(content) == entry.end.table
    except InputError:
        return False


def _check_free(target: Path, entry: Entry, manifest: Path, is_apart: bool) -> None:
    """Nothing of somebody else's stands where a file is to come."""
    if os.path.realpath(target) == os.path.realpath(manifest):
        raise InputError("names the manifest itself as a file of it", str(manifest), "Nothing was changed.")
    if (is_apart or entry.end.state == "dropped") and os.path.lexists(target) and not _stands_there(target, entry):
        raise InputError("exists and is another file", str(target), "Nothing was changed; move it away first.")


def _stands_there(target: Path, entry: Entry) -> bool:
    try:
        return _digest(target, entry) == entry.end.input or _says_the_same(target, entry)
    except InputError:
        return False


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
            set_mode(raw, entry.begin.mode & 0o777)


def _copy(source: Path, target: Path, entry: Entry) -> None:
    with open_regular(source) as file, _replaced(target) as copy:
        while data := file.read(STEP):
            copy.write(data)
        if entry.begin.mode is not None:
            set_mode(copy, entry.begin.mode & 0o777)


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
        if entry.end.table is not None and table_digest(plain) != entry.end.table:
            raise InputError("what is restored is not what it was; the manifest is damaged", str(path),
                             "It was left as it is.")
        plain.seek(0)
        while data := plain.read(STEP):
            out.write(data)
    return sum(len(group.texts) + len(group.dropped) for group in groups)


def _up_to(file: BinaryIO | io.BufferedReader, size: int) -> Iterator[bytes]:
    while size > 0 and (data := file.read(min(size, STEP))):
        size -= len(data)
        yield data
