"""The manifest, ``dedup-manifest/1``: one JSON object a line, everything that went and where it stood.

::

    {"kind": "manifest", "format": "dedup-manifest/1", ...}       how it was made
    {"kind": "removal", "number": 0, ...}                          what went and what stays for it, for people
    {"kind": "begin", "name": "a/news.html", ...}                  a file of the output
    {"kind": "cut", "offset": 1754, "removal": 0, "text": "..."}   bytes that went from it, by their place in the output
    {"kind": "rows", "group": {...}}                               rows and texts that went from a table
    {"kind": "file", "state": "cut", "input": ..., "output": ...}  its digests
    {"kind": "end", "files": 3, ..., "digest": "..."}              the digest of all lines

It is read as data from strangers: every line has to have its form, names stay inside the folder, nothing is executed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Any, Literal

import msgspec

from dedup.errors import InputError

FORMAT = "dedup-manifest/1"
FILE_NAME = "dedup-manifest.jsonl"
MAX_LINE = 1 << 31  # bytes
MAX_CONTENT = 1 << 31  # bytes of a dropped file; what claims to be more is not unpacked
STEP = 1 << 20  # bytes unpacked at a time
COUNT = Annotated[int, msgspec.Meta(ge=0)]
DIGEST = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
State = Literal["cut", "same", "dropped"]


class _Line(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """A line of a manifest."""


class Header(_Line, frozen=True, tag="manifest"):
    """How the cleaning was done.

    Attributes:
        in_place: The cleaned files took the places of the sources.
        options: Settings of the scan that change results.
        choices: What was to go.
        input_digest: Of all that was read, as in the report.
    """

    format: str
    version: str
    in_place: bool
    options: dict[str, Any]
    choices: dict[str, Any]
    input_digest: str


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place for people: page, code points of its text, lines and DOM path of its source.

    Attributes:
        file: The file that holds the page as a record.
    """

    page: str
    start: COUNT
    end: COUNT
    line: COUNT
    end_line: COUNT
    path: str | None = None
    file: str | None = None


class Removed(_Line, frozen=True, tag="removal"):
    """What went, what stays for it, and why.

    Attributes:
        number: From 0, in the order of the manifest.
        group: Group of the scan's report; -1 for what went with a run or a page.
        left: Stretches that stayed after all, and why: ``[start, end, reason]``.
    """

    number: COUNT
    place: Place
    kept: Place
    group: int
    verdict: str
    rule: str
    similarity: float
    jaccard: float
    text: str
    left: tuple[tuple[COUNT, COUNT, str], ...] = ()


class Begin(_Line, frozen=True, tag="begin"):
    """A file of the output; its cuts follow.

    Attributes:
        name: Where it is, relative to the folder of the manifest, with ``/``.
        source: What the scan called it.
        form: Format of its content.
        compression: ``gzip``, ``zstd`` or empty.
        mode: Permission bits.
        original: Its name in the input, relative as `name` is, where that is another one: restoring into a folder takes
            it, if it is safe there.
    """

    name: str
    source: str
    form: str
    compression: Literal["", "gzip", "zstd"] = ""
    mode: COUNT | None = None
    original: str | None = None


class CutOut(_Line, frozen=True, tag="cut"):
    """Bytes that went.

    Attributes:
        offset: Where they belong in the output (decompressed), in bytes; ascending in a file.
        text: The bytes, where they are UTF-8.
        data: Else, base64 of them.
    """

    offset: COUNT
    removal: int
    text: str | None = None
    data: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether it has its bytes in one of the two ways."""
        try:
            return (self.text is None) != (self.data is None) and self.content is not None
        except (binascii.Error, UnicodeEncodeError, ValueError):
            return False

    @property
    def content(self) -> bytes:
        """The bytes."""
        return self.text.encode() if self.text is not None else base64.b64decode(self.data or "", validate=True)


class Rows(_Line, frozen=True, tag="rows"):
    """What went of a group of rows of a table.

    Attributes:
        group: See ``dedup.cleaning.tables.RemovedGroup``.
    """

    group: dict[str, Any]


class FileEnd(_Line, frozen=True, tag="file"):
    """The end of a file's cuts.

    Attributes:
        state: ``cut``: something went; ``same``: nothing did; ``dropped``: it was not written, `content` has it.
        input, output: SHA-256 of the decompressed content before and after; `output` is empty where it was dropped.
        content: Of a dropped file: its bytes, compressed by zlib, in base64.
        size: How many bytes these are.
        table: Of a table of which something went: the digest of what it said, see ``tabledigest``.
    """

    state: State
    input: DIGEST
    output: str
    content: str | None = None
    size: COUNT | None = None
    table: DIGEST | None = None


class End(_Line, frozen=True, tag="end"):
    """The last line.

    Attributes:
        accounting: ``read = kept + cut + dropped + skipped``, and more.
        digest: SHA-256 of the digest of the lines before and of this one without it.
    """

    files: COUNT
    removals: COUNT
    accounting: dict[str, Any]
    digest: DIGEST = ""

    def signed(self, before: bytes) -> End:
        """The line with its digest.

        Args:
            before: SHA-256 of the lines before.
        """
        return End(self.files, self.removals, self.accounting,
                   hashlib.sha256(before + encode(End(self.files, self.removals, self.accounting))).hexdigest())


Line = Header | Removed | Begin | CutOut | Rows | FileEnd | End
_DECODER = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """A line, with its line feed."""
    try:
        return msgspec.json.encode(line) + b"\n"
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot hold
        return msgspec.json.encode(msgspec.convert(_escaped(msgspec.to_builtins(line)), Line)) + b"\n"


def _escaped(value: Any) -> Any:
    """The value with lone surrogates as U+FFFD: they stand in texts for people only."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, dict):
        return {_escaped(key): _escaped(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_escaped(item) for item in value]
    return value


def cut_out(offset: int, removal: int, data: bytes) -> CutOut:
    """A cut's line."""
    try:
        return CutOut(offset, removal, data.decode("utf-8"))
    except UnicodeDecodeError:
        return CutOut(offset, removal, None, base64.b64encode(data).decode())


def packed(data: bytes) -> str:
    """Content of a dropped file, as the manifest holds it."""
    return base64.b64encode(zlib.compress(data, 6)).decode()


def unpacked(entry: FileEnd) -> Iterator[bytes]:
    """The way back, in parts: no more than the manifest says, and never more than ``MAX_CONTENT``.

    Raises:
        ValueError: It is damaged, or is more.
    """
    most = MAX_CONTENT if entry.size is None else entry.size
    if most > MAX_CONTENT:
        raise ValueError(f"it says that it is {most:,} bytes, more than {MAX_CONTENT:,}")
    unpacker, size = zlib.decompressobj(), 0
    try:
        data = base64.b64decode(entry.content or "", validate=True)
        while not unpacker.eof:
            part = unpacker.decompress(data, STEP)
            data = unpacker.unconsumed_tail
            size += len(part)
            if size > most:
                raise ValueError(f"it is more than {most:,} bytes")
            if not part and not data and not unpacker.eof:
                raise ValueError("it is cut off")
            yield part
    except (zlib.error, binascii.Error) as error:
        raise ValueError(str(error)) from None
    if entry.size is not None and size != entry.size:
        raise ValueError(f"it is {size:,} bytes, not {entry.size:,}")


class Writer:
    """Writes the lines of a manifest and counts them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest = file, hashlib.sha256()
        self.files = self.removals = 0

    def write(self, line: Line) -> None:
        """Write a line."""
        data = encode(line)
        self._digest.update(data)
        self._file.write(data)
        self.files += isinstance(line, FileEnd)
        self.removals += isinstance(line, Removed)

    def end(self, accounting: dict[str, Any]) -> None:
        """Write the last line."""
        self._file.write(encode(End(self.files, self.removals, accounting).signed(self._digest.digest())))


class Entry(msgspec.Struct):
    """A file of a manifest that was read.

    Attributes:
        at: Byte of the manifest where its cuts begin.
    """

    begin: Begin
    end: FileEnd
    at: int


class Manifest:
    """A manifest that was read and found whole.

    Args:
        path: The file.

    Attributes:
        path, header, end: See above.
        files: In the order of the manifest.

    Raises:
        InputError: It cannot be read, is damaged, hostile, or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: list[Entry] = []
        self.header: Header
        self.end: End
        begin: Begin | None = None
        at, digest, lines = 0, hashlib.sha256(), 0
        end: End | None = None
        for number, data, line in _lines(path):
            if end is not None:
                raise _damaged(path, number, "something stands behind its end")
            if number == 1:
                if not isinstance(line, Header):
                    raise _damaged(path, number, "it does not begin like one")
                self.header = line
            elif isinstance(line, Begin):
                check_name(path, line.name)
                if begin is not None:
                    raise _damaged(path, number, f"{begin.name} has no end")
                begin, cuts_at = line, at + len(data)
            elif isinstance(line, CutOut | Rows):
                if begin is None:
                    raise _damaged(path, number, "a cut of no file")
                if isinstance(line, CutOut) and not line.is_sound:
                    raise _damaged(path, number, "a cut holds no bytes")
            elif isinstance(line, FileEnd):
                if begin is None:
                    raise _damaged(path, number, "the end of no file")
                self.files.append(Entry(begin, line, cuts_at))
                begin = None
            elif isinstance(line, End):
                end = line
                if line != line.signed(digest.digest()):
                    raise _damaged(path, number, "its digest is another one: it was changed")
            elif isinstance(line, Header):
                raise _damaged(path, number, "a second head")
            digest.update(data)
            at, lines = at + len(data), number
        if end is None:
            raise _damaged(path, lines, "it ends before its last line")
        self.end = end

    def removals(self) -> Iterator[tuple[Removed, Begin]]:
        """What went, one after the other, and from which file, read anew."""
        begin = None
        for _, _, line in _lines(self.path):
            if isinstance(line, Begin):
                begin = line
            elif isinstance(line, Removed) and begin is not None:
                yield line, begin

    def cuts(self, entry: Entry) -> Iterator[CutOut]:
        """The cuts of a file, read anew."""
        return (line for line in self._of(entry) if isinstance(line, CutOut))

    def rows(self, entry: Entry) -> Iterator[Rows]:
        """What went of the rows of a table, read anew."""
        return (line for line in self._of(entry) if isinstance(line, Rows))

    def _of(self, entry: Entry) -> Iterator[Line]:
        with self.path.open("rb") as file:
            file.seek(entry.at)
            for data in file:
                line = _DECODER.decode(data)
                if isinstance(line, FileEnd):
                    return
                yield line


def _lines(path: Path) -> Iterator[tuple[int, bytes, Line]]:
    """Number, bytes and content of each line."""
    try:
        with path.open("rb") as file:
            number = 0
            while data := file.readline(MAX_LINE):
                number += 1
                if number == 1:
                    _check_format(path, data)
                if not data.endswith(b"\n"):
                    raise _damaged(path, number, "the line is cut off")
                try:
                    yield number, data, _DECODER.decode(data)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                    raise _damaged(path, number, str(error)) from None
    except OSError as error:
        raise InputError(error.strerror or str(error), str(path)) from error


def _check_format(path: Path, data: bytes) -> None:
    try:
        name = msgspec.json.decode(data).get("format")
    except (msgspec.MsgspecError, UnicodeDecodeError, AttributeError, RecursionError):
        name = None
    if name == FORMAT:
        return
    if isinstance(name, str) and name.startswith("dedup-manifest/"):
        raise InputError(f"the manifest has the format {name[:40]}; this version reads {FORMAT}", str(path),
                         "Use a newer dedup.")
    raise InputError("is no manifest of dedup clean", str(path))


def _damaged(path: Path, line: int, cause: str) -> InputError:
    return InputError(f"the manifest is damaged ({cause})", f"{path}:{line}", "Nothing was changed.")


def check_name(path: Path, name: str) -> None:
    """Refuse a name that leads out of the manifest's folder.

    Raises:
        InputError: It does.
    """
    steps = PurePosixPath(name).parts
    bad = (not steps or name.startswith(("/", "\\")) or ".." in steps or "\0" in name or "\\" in name
           or (len(name) > 1 and name[1] == ":") or PurePosixPath(name).is_absolute())
    if bad:
        raise InputError(f"names a place outside its folder: {name[:80]!r}", str(path), "Nothing was changed.")
