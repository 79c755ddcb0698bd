"""Which files are cleaned, and where each goes. Nothing of the input is ever written over but by ``in_place``."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dedup.cleaning.manifest import FILE_NAME, Entry, Manifest, check_name
from dedup.cleaning.packing import content_digest
from dedup.errors import InputError, OutputError
from dedup.options import Options
from dedup.readers.compression import compression_of, unpack
from dedup.readers.files import Found, find, is_pipe_to_us, open_regular
from dedup.readers.formats import A_MANIFEST, HEAD_BYTES, choose, head_of, suffix_of
from dedup.readers.notes import Notes

MARK = ".dedup-clean-unfinished"  # stands in the output while it is written: what is there is ours
ARCHIVES = (".warc", ".wet", ".wat", ".arc")
Stamp = tuple[int, int, int, int]
Compression = Literal["", "gzip", "zstd"]


@dataclass(frozen=True, slots=True)
class Target:
    """A file of the input, and where its cleaned form goes.

    Attributes:
        found: The file.
        stamp: Device, number, size and time of change when the cleaning began.
        path: Where the cleaned file goes.
        name: The same, relative to the folder of the output, with ``/``.
        form: Format of its content; empty for a file that no reader takes.
        compression: ``gzip``, ``zstd`` or empty.
        original: Its name in the input, relative as `name` is, where it is known and another one.
    """

    found: Found
    stamp: Stamp
    path: Path
    name: str
    form: str
    compression: Compression
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """Where a cleaning goes.

    Attributes:
        base: The folder that names of files are relative to.
        targets: All files of the input but manifests of earlier cleanings, which stay where they are.
        manifest: Where the manifest goes.
        in_place: The cleaned files take the places of the sources.
    """

    base: Path
    targets: tuple[Target, ...]
    manifest: Path
    in_place: bool = False


def stamp_of(path: Path) -> Stamp:
    """What tells whether a file was changed."""
    status = os.stat(path)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def plan_output(paths: Sequence[Path], out: Path | None, manifest: Path | None, options: Options, in_place: bool,
                is_written: bool = True) -> Output:
    """Find the files, and check that where they go nothing is that must not be written over.

    Args:
        is_written: Without it, nothing goes to `out`, and nothing is checked.

    Raises:
        InputError: A path does not exist, or is standard input or a pipe.
        OutputError: The output lies in the input, or holds files that are none of ours.
    """
    for path in paths:
        if str(path) == "-":
            raise InputError("standard input cannot be cleaned", "-", "Save it to a file first.")
        if not os.path.lexists(path):
            raise InputError("no such file or folder", str(path))
        if is_pipe_to_us(path):
            raise InputError("a pipe cannot be cleaned", str(path), "Save it to a file first.")
    found = [(file, stamp) for file in find(paths, options.include, options.exclude, Notes())
             if (stamp := _stamp_or_none(file.path)) is not None]
    if in_place:
        return _in_place(found, paths, manifest, options)
    assert out is not None
    lone = len(paths) == 1 and paths[0].is_file() and not out.is_dir() and (
        out.suffix == paths[0].suffix != "" or (out.suffix == ".jsonl" and suffix_of(paths[0].name) in ARCHIVES))
    base = out.parent if lone else out
    if is_written:
        _check_apart(base if not lone else out, paths, found)
    roots = _root_names(paths)
    targets, taken = [], {FILE_NAME.casefold()}
    for file, stamp in found:
        form, compression = _content_of(file, options)
        if form == A_MANIFEST:
            continue  # it says how to restore another folder, not this one
        name = out.name if lone else _free(_written_name(_name(file, paths, roots), form, compression), taken)
        targets.append(Target(file, stamp, base / name, name, form, compression, _original(file, paths, roots, form, name)))
    where = manifest or (out.with_name(f"{out.name}.{FILE_NAME}") if lone else base / FILE_NAME)
    _check_names(where, targets)
    if is_written:
        _check_ours(base, where, targets, {stamp[:2] for _, stamp in found})
    return Output(base, tuple(targets), where)


def _in_place(found: list[tuple[Found, Stamp]], paths: Sequence[Path], manifest: Path | None, options: Options) -> Output:
    base = Path(os.path.commonpath([os.path.realpath(path if path.is_dir() else path.parent) for path in paths]))
    targets = []
    for file, stamp in found:
        real = Path(os.path.realpath(file.path))
        if not real.is_relative_to(base):
            raise OutputError("is a link to a place outside and cannot be cleaned in place", file.place, "Use -o.")
        form, compression = _content_of(file, options)
        if form == A_MANIFEST:
            continue
        if form == "warc":
            raise OutputError("is a web archive and cannot be cleaned in place", file.place, "Use -o; it becomes JSON Lines.")
        targets.append(Target(file, stamp, real, real.relative_to(base).as_posix(), form, compression))
    ours = _unfinished(base)
    for target in targets:
        if os.path.lexists(waiting_place(target.path)) and target.name not in ours:
            raise OutputError("stands where the cleaned file would wait", str(waiting_place(target.path)), "Move it away.")
    where, number = manifest or base / FILE_NAME, 2
    while where.exists():  # an earlier one brings back what is gone already
        where = (manifest or base / FILE_NAME).with_name(f"dedup-manifest-{number}.jsonl")
        number += 1
    _check_names(where, targets)
    return Output(base, tuple(targets), where, True)


def _stamp_or_none(path: Path) -> Stamp | None:
    try:
        with open_regular(path):
            return stamp_of(path)
    except OSError:
        return None  # the scan says why


def _content_of(file: Found, options: Options) -> tuple[str, Compression]:
    """Format and compression of a file's content; ``A_MANIFEST`` is the format of one of an earlier cleaning."""
    with open_regular(file.path) as raw:
        stream: Any = raw
        compression: Any = compression_of(stream.peek(HEAD_BYTES))
        head, _ = head_of(unpack(stream, compression, lambda message, kind: None))
    form, reason = choose(file.name, head, file.named, options.input_format) if head else ("", "")
    return A_MANIFEST if reason == A_MANIFEST else form, compression


def _written_name(name: str, form: str, compression: Compression) -> str:
    """The name of the cleaned file: of a web archive that of the JSON Lines file which it becomes."""
    if form != "warc":
        return name
    packed = {"gzip": ".gz", "zstd": ".zst", "": ""}[compression]
    return name.removesuffix(packed).removesuffix(".gz").removesuffix(".zst") + ".jsonl" + packed


def _root_names(paths: Sequence[Path]) -> dict[str, str]:
    """A folder of the output for each folder that is cleaned, where there are several paths."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for path in sorted({str(path): path for path in paths}.values(), key=lambda p: p.as_posix()):
        if path.is_dir():
            names[path.as_posix()] = _free(_safe_step(path.resolve().name) or "root", taken)
    return names


def _name(file: Found, paths: Sequence[Path], roots: dict[str, str]) -> str:
    """Where a file goes: its id; below a folder of its own where several paths are cleaned."""
    return _root(file, paths, roots) + safe_name(file.name)


def _root(file: Found, paths: Sequence[Path], roots: dict[str, str]) -> str:
    """The folder of a file in the output, with its ``/``, where several paths are cleaned."""
    if len(paths) == 1 or file.named:
        return ""
    root = file.place[:len(file.place) - len(file.name)].rstrip("/")
    return f"{roots.get(root or '/', file.root)}/"


def _original(file: Found, paths: Sequence[Path], roots: dict[str, str], form: str, name: str) -> str | None:
    """The name of a file in the input, where the cleaned one has another name but the same content."""
    original = _root(file, paths, roots) + file.name
    is_unicode = not any("\ud800" <= sign <= "\udfff" for sign in original)
    return original if form != "warc" and is_unicode and original != name else None


_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"\\|?*]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)
LONGEST_NAME = 200  # bytes


def safe_name(name: str) -> str:
    """A relative path that is one on every system, made of a page's or file's name; names that are safe stay.

    >>> safe_name("a/news.html"), safe_name("../../etc/passwd"), safe_name("CON.txt"), safe_name("")
    ('a/news.html', 'etc/passwd', '_CON.txt', '_')
    """
    steps = [_safe_step(step) for step in name.replace("\\", "/").split("/") if step not in ("", ".", "..")]
    return "/".join(steps) or "_"


def _safe_step(step: str) -> str:
    step = _UNSAFE.sub("_", step).encode("utf-8", "replace").decode()
    if os.name == "nt" or _RESERVED.match(step):
        step = step.rstrip(". ") or "_"
    if _RESERVED.match(step):
        step = f"_{step}"
    if len(step.encode()) > LONGEST_NAME:
        stem, dot, suffix = step.rpartition(".")
        suffix = dot + suffix if stem and len(suffix) <= 10 else ""
        step = step.encode()[:LONGEST_NAME - len(suffix)].decode("utf-8", "ignore") + suffix
    return step


def _free(name: str, taken: set[str]) -> str:
    """The name, or with a number where it is taken; names that differ in case only are the same on some systems."""
    free, number = name, 2
    while free.casefold() in taken:
        stem, dot, suffix = name.rpartition(".")
        free = f"{stem}~{number}.{suffix}" if dot and "/" not in suffix else f"{name}~{number}"
        number += 1
    taken.add(free.casefold())
    return free


def _check_names(manifest: Path, targets: Sequence[Target]) -> None:
    """A name that a manifest cannot hold, or is refused for, could not be restored."""
    for target in targets:
        try:
            target.name.encode()
            check_name(manifest, target.name)
        except (UnicodeEncodeError, InputError):
            raise OutputError("has a name that a manifest cannot hold", str(target.path),
                              "Use -o FOLDER: the cleaned file gets a plain name.") from None


def _check_apart(base: Path, paths: Sequence[Path], found: Sequence[tuple[Found, Stamp]]) -> None:
    """The output must not be the input, lie in it, or be a file of it by another name."""
    real = Path(os.path.realpath(base))
    for path in paths:
        source = Path(os.path.realpath(path))
        if real == source or (source.is_dir() and real.is_relative_to(source)):
            raise OutputError("lies in what is cleaned", str(base), "Choose another place, or use --in-place.")
    if base.is_file() and stamp_of(base)[:2] in {stamp[:2] for _, stamp in found}:
        raise OutputError("is read and would be written over", str(base), "Choose another place, or use --in-place.")


def _check_ours(base: Path, manifest: Path, targets: Sequence[Target], sources: set[tuple[int, int]]) -> None:
    """Files that stand where the output goes have to be of an earlier run, and none of the input."""
    ours, unfinished = _entries_of(manifest), _unfinished(base)
    for target in targets:
        if not is_inside(base, target.path):
            raise OutputError("leads out of the output by a link", str(target.path), "Choose another place.")
        if not os.path.lexists(target.path):
            continue
        if target.path.exists() and stamp_of(target.path)[:2] in sources:
            raise OutputError("is read and would be written over", str(target.path), "Choose another place.")
        if target.name in unfinished:
            continue
        if target.name not in ours:
            raise OutputError("exists and was not written by dedup clean", str(target.path),
                              "Choose an empty folder.")
        if not is_as_written(target.path, ours[target.name]):
            raise OutputError("was changed since it was cleaned and would be written over", str(target.path),
                              "Move it away, or choose another place.")
    if os.path.realpath(manifest) in {os.path.realpath(target.path) for target in targets}:
        raise OutputError("is also the place of a cleaned file", str(manifest), "Choose another place for the manifest.")
    if manifest.exists() and stamp_of(manifest)[:2] in sources:
        raise OutputError("is read and would be written over", str(manifest), "Choose another place for the manifest.")
    if manifest.exists() and not ours and not unfinished and not _is_ours(manifest):
        raise OutputError("exists and is not a manifest", str(manifest), "Choose another place.")


def is_inside(base: Path, path: Path) -> bool:
    """Whether a file lies below a folder, also when links are followed."""
    return Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(base))


def _unfinished(base: Path) -> set[str]:
    """Names of the files of a run that was cut off: what stands there under these names is ours."""
    try:
        return set((base / MARK).read_text("utf-8", "replace").split("\n"))
    except OSError:
        return set()


def waiting_place(path: Path) -> Path:
    """Where a cleaned file waits to take its source's place."""
    return path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.dedup-clean")


def _is_ours(manifest: Path) -> bool:
    try:
        Manifest(manifest)
    except InputError:
        return False
    return True


def is_as_written(path: Path, entry: Entry) -> bool:
    """Whether nobody changed a file that an earlier run wrote."""
    packing: Compression = "" if entry.end.state == "same" else entry.begin.compression
    return entry.end.state == "dropped" or content_digest(path, packing) == entry.end.output


def _entries_of(manifest: Path) -> dict[str, Entry]:
    """Files of an earlier run."""
    if not manifest.exists():
        return {}
    try:
        return {entry.begin.name: entry for entry in Manifest(manifest).files}
    except InputError:
        return {}
