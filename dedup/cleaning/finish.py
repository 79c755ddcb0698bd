"""From written files to a finished output: what is unfinished is marked, what is stale goes, in place files are exchanged."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dedup.cleaning.manifest import Entry, Manifest
from dedup.cleaning.targets import MARK, Output, Target, is_as_written, is_inside, stamp_of, waiting_place
from dedup.errors import InputError, OutputError
from dedup.report.json import replaced_file


@dataclass(frozen=True, slots=True)
class Finish:
    """What remains to be done for a file when all are written.

    Attributes:
        written: Where it stands until then, if not where it belongs.
        dropped: It goes.
    """

    target: Target
    written: Path | None
    dropped: bool = False


def ready(output: Output, target: Target) -> Path:
    """Where a file is written; its folder is made."""
    if output.in_place:
        return waiting_place(target.path)
    try:
        target.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(error.strerror or str(error), str(target.path.parent)) from error
    return target.path


@contextlib.contextmanager
def begun(output: Output) -> Iterator[list[Finish]]:
    """An output that is being written; what stands in the list is done at the end."""
    finish: list[Finish] = []
    if output.in_place:
        mark = output.base / MARK
        _write_mark(output)
        try:
            try:
                yield finish
            except OutputError as error:
                raise OutputError(error.what, error.where, "The sources are as they were.") from error
            _exchange(finish)
        finally:
            with contextlib.suppress(OSError):
                mark.unlink()
            for entry in finish:
                if entry.written is not None:
                    with contextlib.suppress(OSError):
                        entry.written.unlink()
        return
    mark, made = output.base / MARK, not output.base.exists()
    earlier = _earlier(output)
    try:
        output.base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(error.strerror or str(error), str(output.base), "Nothing was written.") from error
    try:
        _write_mark(output)
    except OutputError:
        if made:
            with contextlib.suppress(OSError):
                output.base.rmdir()
        raise
    try:
        yield finish
        kept = {entry.target.path for entry in finish if not entry.dropped}
        for path, before in earlier.items():
            with contextlib.suppress(OSError, InputError):
                if path not in kept and is_inside(output.base, path) and is_as_written(path, before):
                    path.unlink()
        mark.unlink()
    except BaseException as error:
        if not any(not entry.dropped for entry in finish):  # nothing stands there that a next run has to know as ours
            with contextlib.suppress(OSError):
                mark.unlink()
            if made:
                with contextlib.suppress(OSError):
                    output.base.rmdir()
            raise
        if isinstance(error, OutputError):
            raise OutputError(error.what, error.where, f"What was written before stays in {output.base}; the same command "
                              "goes on from there.") from error
        raise


def _write_mark(output: Output) -> None:
    """Mark the output as unfinished; where that fails, an older mark stays as it is, and no half of a new one."""
    with replaced_file(output.base / MARK) as file:
        file.write("\n".join(target.name for target in output.targets).encode("utf-8", "replace"))


def _earlier(output: Output) -> dict[Path, Entry]:
    """Files that an earlier run wrote to the same place."""
    if not output.manifest.exists():
        return {}
    try:
        files = Manifest(output.manifest).files
    except InputError:
        return {}
    return {output.base / entry.begin.name: entry for entry in files if entry.end.state != "dropped"}


def _exchange(finish: list[Finish]) -> None:
    """The cleaned files take the places of their sources, if these are what was scanned."""
    for entry in finish:
        if entry.written is None and not entry.dropped:
            continue
        path = entry.target.path
        try:
            if stamp_of(path) != entry.target.stamp:
                raise OutputError("was changed since it was scanned", str(path), "It is left alone; clean again.")
            if entry.dropped:
                path.unlink()
            elif entry.written is not None:
                os.replace(entry.written, path)
        except OSError as error:
            raise OutputError(error.strerror or str(error), str(path),
                              "What was cleaned before it stays so; dedup restore brings it back.") from error
