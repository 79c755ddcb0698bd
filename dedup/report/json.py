"""The JSON report, ``dedup-report/1``: written as a stream, read back whole.

The same report always gives the same bytes: no time, no date, keys in a fixed order.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import msgspec

from dedup.errors import DedupError, InputError, OutputError
from dedup.model import NO_META

if TYPE_CHECKING:
    from dedup.model import Group, NearMiss, Occurrence, PageReport, Pair
    from dedup.report import Report
    from dedup.report.formats import How

T = TypeVar("T")
FORMAT = "dedup-report/1"
ELSEWHERE = ("left_out", "hidden")  # groups that were found and are not in the report; written where there are some


def write_json(report: Report, file: IO[bytes]) -> None:
    """Write a report to an open binary file, one page, group or pair a line, without holding more than one of them."""
    for chunk in json_chunks(report):
        file.write(chunk)


def to_file(report: Report, file: IO[bytes], how: How) -> None:
    """Write a report as JSON to an open binary file."""
    write_json(report, file)


def json_chunks(report: Report) -> Iterator[bytes | memoryview]:
    """The bytes of a report, piece by piece."""
    summary = dataclasses.asdict(report.summary)
    if not summary["reference_pages"]:
        del summary["reference_pages"]
    head = {"format": FORMAT, "version": report.version, "input_digest": report.input_digest,
            "options": report.options.results(), "summary": summary}
    head |= {name: number for name in ELSEWHERE if (number := getattr(report, name))}
    yield b"{" + b",\n".join(encode(key) + b": " + encode(value) for key, value in head.items())
    yield from _list_chunks("pages", map(_page, report.pages))
    yield from _group_chunks(report.groups)
    if report.lists_pairs:
        yield from _list_chunks("pairs", map(_compared if report.is_comparison else _pair, report.pairs()))
    if report.near_misses is not None:
        yield from _list_chunks("near_misses", map(_near_miss, report.near_misses))
    yield from _list_chunks("skipped", map(dataclasses.asdict, report.skipped))
    yield from _list_chunks("errors", map(dataclasses.asdict, report.errors))
    yield from _list_chunks("causes", map(dataclasses.asdict, report.causes))
    yield b"}\n"


def _list_chunks(key: str, items: Iterable[Any]) -> Iterator[bytes]:
    yield b",\n" + encode(key) + b": ["
    separator = b"\n"
    for item in items:
        yield separator + encode(item)
        separator = b",\n"
    yield b"]"


def _group_chunks(groups: Sequence[Group]) -> Iterator[bytes | memoryview]:
    from dedup.findings import GroupList

    if not isinstance(groups, GroupList) or not len(groups):
        yield from _list_chunks("groups", map(group_object, groups))
        return
    from dedup.report.json_groups import group_lines

    yield b",\n" + encode("groups") + b": ["
    yield from group_lines(groups.findings)
    yield b"]"


def _page(page: PageReport) -> dict[str, Any]:
    value: dict[str, Any] = {
        "id": page.id, "source": page.source, "title": page.title, "words": page.words, "chars": page.chars,
        "meta": {} if page.meta is NO_META else dict(page.meta), "duplicate_chars": page.duplicate_chars,
        "within_share": page.within_share, "across_share": page.across_share,
        "verdicts": [{"kind": v.kind, "text": v.text, "groups": v.groups, "evidence": dict(v.evidence)}
                     for v in page.verdicts],
        "small_repeats": [{"text": repeat.text, "lines": repeat.lines} for repeat in page.small_repeats],
    }
    if page.reference:
        value["reference"] = True
    if page.text is not None:
        value["text"] = page.text
        if page.lines is not None:
            value["lines"] = page.lines
    return value


def group_object(group: Group) -> dict[str, Any]:
    """A group as the report has it; ``json_groups`` writes many from columns."""
    value = {
        "id": group.id, "kind": group.kind, "similarity": group.similarity, "tokens": group.tokens,
        "blocks": group.blocks, "text": group.text, "related": group.related, "truncated": group.truncated,
        "occurrences": [_occurrence(occurrence, group.text) for occurrence in group.occurrences],
    }
    if group.representative:
        value["representative"] = group.representative
    if group.part_of is not None:
        value["part_of"] = group.part_of
    return value if group.period is None else value | {"period": group.period, "count": group.count}


def _occurrence(occurrence: Occurrence, known_text: str | None = None) -> dict[str, Any]:
    value: dict[str, Any] = {
        "page": occurrence.page, "start": occurrence.start, "end": occurrence.end,
        "source_start": occurrence.source_start, "source_end": occurrence.source_end, "line": occurrence.line,
        "end_line": occurrence.end_line, "path": occurrence.path, "parts": occurrence.parts,
    }
    if occurrence.text != known_text:
        value["text"] = occurrence.text
    value |= {"similarity": occurrence.similarity, "jaccard": occurrence.jaccard,
              "containment": occurrence.containment, "indel_similarity": occurrence.indel_similarity}
    if not occurrence.source_exact:
        value["source_exact"] = False
    if occurrence.copies > 1:
        value["copies"] = occurrence.copies
    return value | _aligned(occurrence)


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "a": _occurrence(pair.a), "b": _occurrence(pair.b), "kind": pair.kind, "similarity": pair.similarity,
        "jaccard": pair.jaccard, "containment_a": pair.containment_a, "containment_b": pair.containment_b,
        "indel_similarity": pair.indel_similarity,
    } | _aligned(pair)


def _compared(pair: Pair) -> dict[str, Any]:
    """A pair of a comparison: with the words that differ."""
    return _pair(pair) | {"opcodes": pair.opcodes()}


def _near_miss(miss: NearMiss) -> dict[str, Any]:
    fields = {field.name: getattr(miss, field.name) for field in dataclasses.fields(miss)}
    return fields | {"a": _occurrence(miss.a), "b": _occurrence(miss.b)}


def _aligned(measured: Occurrence | Pair) -> dict[str, Any]:
    """The measures that only aligned passages have."""
    return {} if measured.dice is None else {"dice": measured.dice, "evidence": measured.evidence}


def _plain(value: Any) -> Any:
    """What JSON has no word for: NumPy scalars as numbers, anything else (dates of Parquet columns) as text."""
    return value.item() if hasattr(value, "item") else str(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def encode(value: Any) -> bytes:
    """A value as JSON in one line; what a terminal would react to, and lone surrogates, as escapes."""
    try:
        return _harmless(_ENCODER.encode(value))
    except (UnicodeEncodeError, OverflowError, TypeError, msgspec.MsgspecError):
        # Lone surrogates, which UTF-8 cannot hold: backslashreplace writes them just as JSON does, \udXXX.
        # Integers over 64 bits and keys that are no text come here too.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
        return _harmless(text.encode("utf-8", "backslashreplace"))


# DEL, C1, and what else `dedup.report.text.safe` makes harmless, in UTF-8; C0 is escaped in all JSON.
_UNSAFE = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe1\xa0\x8e|\xe2\x80[\x8b\x8e\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|"
    rb"\xef\xbf[\xb9-\xbb]|\xf3\xa0[\x80-\xbf][\x80-\xbf]")
_NO_BEGINNING = bytes(set(range(256)) - set(b"\x7f\xc2\xd8\xe1\xe2\xef\xf3"))  # bytes with which none of these begins


def _harmless(text: bytes) -> bytes:
    """JSON in which characters that a terminal reacts to are escapes; its value is the same."""
    if not text.translate(None, _NO_BEGINNING):  # in a tenth of the time of the pattern
        return text
    return _UNSAFE.sub(lambda found: json.dumps(found[0].decode())[1:-1].replace("\x7f", "\\u007f").encode(), text)


def indented(text: bytes, indent: int) -> bytes:
    """The same JSON, laid out for reading."""
    laid_out = json.dumps(json.loads(text), ensure_ascii=False, indent=indent)
    return _harmless(laid_out.encode("utf-8", "backslashreplace")) + b"\n"


_UNFINISHED: set[Path] = set()


def remove_unfinished() -> None:
    """Remove the files that are being written; the process is about to end."""
    for path in list(_UNFINISHED):
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def replaced_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` once all of it is on the disk; a device or pipe is written as is.

    Raises:
        OutputError: Anything about the writing failed; an older file is untouched.
    """
    real = Path(os.path.realpath(path))  # a link stays a link
    mend = "Nothing was written."
    temporary = real.with_name(f".{_short(real.name)}.{os.getpid()}.tmp")
    try:
        if real.exists() and not real.is_file():
            mend = "It may have got the beginning."
            with real.open("wb") as file:
                yield file
            return
        _UNFINISHED.add(temporary)
        with open(temporary, "xb") as file:
            if real.exists():
                os.chmod(temporary, stat.S_IMODE(real.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, real)
        _sync_folder(real.parent)
    except OSError as error:
        raise OutputError(reason(error), str(path), mend) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
        _UNFINISHED.discard(temporary)


def _short(name: str) -> str:
    """A file's name where more can stand beside it; of one that is nearly as long as a system allows, its digest."""
    from hashlib import sha256

    data = os.fsencode(name)
    return name if len(data) <= 200 else sha256(data).hexdigest()


def set_mode(file: IO[bytes], mode: int) -> None:
    """Give an open file its permissions, where the system can (Windows cannot before Python 3.13)."""
    if os.chmod in os.supports_fd:
        os.chmod(file.fileno(), mode)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def reason(error: OSError) -> str:
    """Why the system refused, in words."""
    words = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up",
             errno.ENOENT: "there is no such folder", errno.EACCES: "permission denied",
             errno.EROFS: "the file system is read-only", errno.EISDIR: "that is a folder"}
    return f"cannot be written: {words.get(error.errno or 0, error.strerror or str(error))}"


def read_json(path: str | Path) -> Report:
    """Read a report that ``Report.write`` wrote.

    Raises:
        InputError: The file cannot be read, is no report, is damaged, or was made by a newer version.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", str(path)) from error
    try:
        return _report(_decode(data))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, DedupError) as error:
        if isinstance(error, InputError):
            raise InputError(error.what, str(path), error.mend) from None
        what = f"no {error} in it" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise InputError(f"the report is damaged: {what}", str(path), "Scan again.") from error


def _decode(data: bytes) -> Mapping[str, Any]:
    try:
        value = msgspec.json.decode(data)
    except msgspec.DecodeError:
        if (first := data.lstrip()[:1]).isalpha() or first in (b"<", b"#"):  # another of the reports, perhaps
            raise InputError("this is no report of dedup",
                             mend="Name what dedup scan or compare wrote with -o RESULT.json.") from None
        value = json.loads(data)  # takes lone surrogates, and names line and column where the file is damaged
    if not isinstance(value, dict) or not isinstance(value.get("format"), str):
        raise InputError("this is no report of dedup", mend=f'A report begins with "format": "{FORMAT}".')
    if value["format"] != FORMAT:
        raise InputError(f"the report has the format {value['format'][:80]!r}, this version reads {FORMAT!r}",
                         mend="Use the version of dedup that wrote it, or scan again.")
    return value


def _report(value: Mapping[str, Any]) -> Report:
    from dedup import model
    from dedup.report import Judged, Report

    pairs, missed = value.get("pairs"), value.get("near_misses")
    options = _options(value["options"])
    for group in value["groups"]:
        for occurrence in group["occurrences"]:
            occurrence.setdefault("text", group["text"])
    causes = _convert(value, "causes", model.Cause) if "causes" in value else ()
    pages, groups = _convert(value, "pages", model.PageReport), _convert(value, "groups", model.Group)
    _check_groups(groups, {page.id for page in pages})
    report = Report(
        options=options, judged=Judged(msgspec.convert(value["summary"], model.Summary), pages, causes), groups=groups,
        links=None if pairs is None else _convert(value, "pairs", model.Pair),
        skipped=tuple(_convert(value, "skipped", model.Skipped)),
        errors=tuple(_convert(value, "errors", model.ReadError)),
        input_digest=str(value["input_digest"]), version=str(value["version"]),
        is_comparison=pairs is not None and not options.pairs,
        near_misses=None if missed is None else tuple(_convert(value, "near_misses", model.NearMiss)))
    for name in ELSEWHERE:
        setattr(report, name, int(value.get(name, 0)))
    return report


def _convert(value: Mapping[str, Any], key: str, kind: type[T]) -> list[T]:
    try:
        return [msgspec.convert(item, kind) for item in value[key]]
    except msgspec.ValidationError as error:
        raise ValueError(f"{key}: {error}") from error


def _check_groups(groups: Sequence[Group], pages: Collection[str]) -> None:
    """Refuse groups that are not numbered as they stand, or stand on pages that are not there."""
    for number, group in enumerate(groups):
        if group.id != number:
            raise ValueError(f"groups: the id of number {number} is {group.id}")
        for place in group.occurrences:
            if place.page not in pages:
                raise ValueError(f"groups: there is no page {place.page!r}")


def _options(value: Mapping[str, Any]) -> Any:
    from dedup.options import Options, make_options

    known = {field.name for field in dataclasses.fields(Options)}
    return make_options({name: setting for name, setting in value.items() if name in known})
