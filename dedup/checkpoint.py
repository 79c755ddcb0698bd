"""What finished stages of a scan made, kept in a folder until the scan has ended: one that was killed goes on from there.

The input is always read again, which is the least of the work, and says whether it is the same: what is kept belongs to one
input (a digest of texts, ids and blocks), the settings that change results, and the version of this package. Each stage is
one file, written under another name and renamed when it is on the disk: there is all of it or nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.errors import OptionError
from dedup.kernel import kernel
from dedup.options import Options
from dedup.page_pairs import PagePairs
from dedup.stages import Stages

if TYPE_CHECKING:
    from dedup.corpus import Corpus

log = logging.getLogger("dedup")
T = TypeVar("T")

FORMAT = 1
PREFIX, SUFFIX, UNFINISHED = "dedup-", ".stage", ".part"  # of a file's name; of one that is being written
PIECE = 1 << 24  # bytes written and read at a time: memory may be bounded
DIGEST = 32  # bytes of the digest at the end of a file
MOST_HEAD = 1 << 20  # bytes of a file's first line
KINDS = "biuf"  # of columns: whole numbers, flags, real numbers


class Damaged(Exception):
    """A file that does not hold what was written."""


class Checkpoint:
    """Finished stages of one scan. Without a folder nothing is kept, and none is found.

    Args:
        folder: Where they are kept.
        stages: Bounds that were met so far are kept with each stage.
    """

    def __init__(self, folder: Path | None = None, stages: Stages | None = None) -> None:
        self._folder, self._stages = folder, stages
        self._of: dict[str, Any] = {}
        self._taken: set[str] = set()

    @property
    def is_kept(self) -> bool:
        """Whether finished stages are kept."""
        return self._folder is not None

    def begin(self, data: str, options: Options) -> None:
        """Say what the stages belong to.

        Args:
            data: Digest of the input.
            options: Of which the settings that change results count.
        """
        from dedup import __version__

        self._of = {"version": __version__, "input": data, "options": json.loads(json.dumps(options.results()))}

    def take(self, stage: str) -> Any:
        """What a stage made in a scan before; ``None`` where that is not there, damaged, or of something else."""
        if self._folder is None or not (path := self._path(stage)).exists():
            return None
        try:
            head, value = _read(path, self._check)
        except _Other as error:
            log.warning("%s: what was kept there of %s is of %s; it is done again", self._folder, stage, error)
            return None
        except (Damaged, OSError) as error:
            log.warning("%s: is damaged (%s); %s is done again", path, error, stage)
            return None
        self._taken.add(stage)
        if self._stages is not None:
            self._stages.unplaced = head["unplaced"]
        log.info("%s: taken from %s", stage, self._folder)
        return value

    def keep(self, stage: str, value: Any) -> None:
        """Keep what a stage made. Where that does not work, the scan goes on, and a warning says so."""
        if self._folder is None or stage in self._taken:
            return
        path = self._path(stage)
        unfinished = path.with_suffix(UNFINISHED)
        try:
            _write(unfinished, {"of": self._of, "unplaced": self._stages.unplaced if self._stages else 0}, value)
            unfinished.replace(path)
            _to_disk(self._folder)
        except OSError as error:
            log.warning("%s cannot be kept in %s (%s); the scan goes on", stage, self._folder, error.strerror or error)
            unfinished.unlink(missing_ok=True)

    def made(self, stage: str, make: Callable[[], T]) -> T:
        """What a stage made in a scan before, or makes now; then it is kept."""
        value: T | None = self.take(stage)
        if value is None:
            value = make()
            self.keep(stage, value)
        return value

    def clear(self) -> None:
        """Remove what is kept: the scan has ended."""
        if self._folder is None:
            return
        for suffix in (SUFFIX, UNFINISHED):
            for path in list(self._folder.glob(f"{PREFIX}*{suffix}")):
                path.unlink(missing_ok=True)

    def _path(self, stage: str) -> Path:
        assert self._folder is not None
        return self._folder / (PREFIX + stage.replace(" ", "-") + SUFFIX)

    def _check(self, head: dict[str, Any]) -> None:
        """Raise unless a file belongs to this scan."""
        theirs = head["of"]
        for name, what in (("version", "another version of dedup"), ("input", "another input")):
            if theirs[name] != self._of[name]:
                raise _Other(what)
        mine = self._of["options"]
        unlike = sorted(name for name in mine.keys() | theirs["options"] if mine.get(name) != theirs["options"].get(name))
        if unlike:
            raise _Other(f"other settings ({', '.join(unlike)})")


NOTHING_KEPT = Checkpoint()


def data_digest(digest: str, corpus: Corpus, pairs: PagePairs) -> str:
    """A digest of all that stages are given: of the texts and ids (`digest`), and of their blocks and which pairs count."""
    whole = hashlib.blake2b(digest.encode(), digest_size=DIGEST)
    columns = (corpus.page_first, corpus.start, corpus.end, corpus.kind, corpus.fingerprint, pairs.side, pairs.value)
    for column in columns:
        whole.update(b"%d " % (-1 if column is None else len(column)))
        if column is not None:
            whole.update(_bytes(np.ascontiguousarray(column)))
    whole.update(b"%d %d" % (corpus.flags, pairs.within))
    return whole.hexdigest()


@contextmanager
def checkpoint_in(folder: str | None, stages: Stages) -> Iterator[Checkpoint]:
    """Finished stages in a folder, which is made; no other scan may use it meanwhile. They are removed where all ends well.

    Raises:
        OptionError: The folder cannot be written to, or another scan uses it.
    """
    if folder is None:
        yield NOTHING_KEPT
        return
    place = Path(folder)
    with _alone_in(place):
        kept = Checkpoint(place, stages)
        yield kept
        kept.clear()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Within it, the folder is there, can be written to, and no other scan has it; that goes when the process does."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / (PREFIX + "probe" + UNFINISHED)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OptionError(f"{folder} cannot be written to ({error.strerror or error})", "checkpoint",
                          "Name a folder on a disk that has room.") from error
    try:
        import fcntl

        lock = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):  # a system without such locks
        yield
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise OptionError(f"another scan uses {folder}", "checkpoint", "Name a folder for each.") from error
    except OSError:  # a disk without such locks
        pass
    try:
        yield
    finally:
        os.close(lock)


class _Other(Exception):
    """A file of another scan."""


def _to_disk(folder: Path) -> None:
    """See to it that a renamed file keeps its name when the machine fails, where a system can do that."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


# ---- files: a line of JSON, columns, a digest of all of it -------------------------------------------------------


def _classes() -> dict[str, type[Any]]:
    """What stages make, by name: nothing else is made of a file."""
    from dedup.aligned import Aligned
    from dedup.anchors import Anchors
    from dedup.groups import Groups
    from dedup.places import Ranges, TokenRanges
    from dedup.runs import Links, Passages
    from dedup.seeds import Repeats
    from dedup.verify import Spans

    return {kind.__name__: kind for kind in (Aligned, Anchors, Groups, Links, Passages, Ranges, Repeats, Spans, TokenRanges)}


def _write(path: Path, head: dict[str, Any], value: Any) -> None:
    columns: list[npt.NDArray[Any]] = []
    head = {"format": FORMAT, **head, "value": _told(value, columns, _classes())}
    digest = hashlib.blake2b(digest_size=DIGEST)
    with path.open("wb") as out:
        def put(data: bytes | memoryview) -> None:
            out.write(data)
            digest.update(data)
        put(json.dumps(head).encode() + b"\n")
        for column in columns:
            data = _bytes(np.ascontiguousarray(column))
            for at in range(0, len(data), PIECE):
                put(data[at:at + PIECE])
                kernel.relieve_memory()
        out.write(digest.digest())
        out.flush()
        os.fsync(out.fileno())


def _read(path: Path, check: Callable[[dict[str, Any]], None]) -> tuple[dict[str, Any], Any]:
    """The first line of a file, and what it holds.

    Args:
        check: Raises where the first line says that the rest is not wanted.
    """
    digest = hashlib.blake2b(digest_size=DIGEST)
    with path.open("rb") as file:
        line = file.readline(MOST_HEAD)
        digest.update(line)
        try:
            head = json.loads(line)
            known = head["format"] == FORMAT
            if known:
                check(head)
            tree = head["value"]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Damaged("its first line") from error
        if not known:
            raise _Other("another version of dedup")
        left = path.stat().st_size - len(line) - DIGEST

        def column(kind: str, count: int) -> npt.NDArray[Any]:
            nonlocal left
            left -= np.dtype(kind).itemsize * count
            if count < 0 or left < 0 or np.dtype(kind).kind not in KINDS:
                raise Damaged("its end is missing")
            out = np.empty(count, kind)
            data = _bytes(out)
            for at in range(0, len(data), PIECE):
                piece = data[at:at + PIECE]
                if file.readinto(piece) != len(piece):
                    raise Damaged("its end is missing")
                digest.update(piece)
                kernel.relieve_memory()
            return out
        try:
            value = _made(tree, column, _classes())
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Damaged("its first line") from error
        if left or file.read(DIGEST + 1) != digest.digest():
            raise Damaged("its digest is another one")
    return head, value


def _bytes(column: npt.NDArray[Any]) -> memoryview:
    """What a column holds, where it lies."""
    return column.view(np.uint8).data


def _told(value: Any, columns: list[npt.NDArray[Any]], classes: dict[str, type[Any]]) -> Any:
    """A value as JSON that names its columns, which are put into a list in that order."""
    if isinstance(value, np.ndarray):
        assert value.ndim == 1
        assert value.dtype.kind in KINDS
        columns.append(value)
        return {"column": value.dtype.str, "count": len(value)}
    if isinstance(value, Struct):
        assert type(value) is classes[type(value).__name__]
        return {"is": type(value).__name__, "of": {name: _told(getattr(value, name), columns, classes)
                                                   for name in value.__struct_fields__}}
    if isinstance(value, tuple):
        return [_told(part, columns, classes) for part in value]
    assert value is None or isinstance(value, (bool, int, float)), type(value)
    return value


def _made(tree: Any, column: Callable[[str, int], npt.NDArray[Any]], classes: dict[str, type[Any]]) -> Any:
    """The value that ``_told`` told."""
    if isinstance(tree, dict) and "column" in tree:
        return column(tree["column"], tree["count"])
    if isinstance(tree, dict):
        return classes[tree["is"]](**{name: _made(part, column, classes) for name, part in tree["of"].items()})
    if isinstance(tree, list):
        return tuple(_made(part, column, classes) for part in tree)
    return tree
