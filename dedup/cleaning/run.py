"""Cleaning files: scan, plan, guard, then file by file: cut, write, note in the manifest."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import os
import stat
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dedup.cleaning import manifest as lines
from dedup.cleaning.choices import GUARDED_PAGES, GUARDED_SHARE, Choices
from dedup.cleaning.drafts import Drafts
from dedup.cleaning.finish import Finish, begun, ready
from dedup.cleaning.packing import packed
from dedup.cleaning.pieces import STAYS, Gone, Left, Piece
from dedup.cleaning.plan import Plan
from dedup.cleaning.records import Drop, Edit, Values, asked, clean_records
from dedup.cleaning.result import Accounting, Cleaned
from dedup.cleaning.rounds import plan_in_rounds
from dedup.cleaning.source import NOT_CUT, Form, cut_bytes
from dedup.cleaning.tables import TABLES, clean_table
from dedup.cleaning.targets import Output, Target, plan_output, stamp_of
from dedup.cleaning.warc import clean_warc
from dedup.cleaning.wording import Wording
from dedup.corpus import Corpus
from dedup.errors import GuardError, OutputError
from dedup.options import Options
from dedup.readers.compression import unpack
from dedup.readers.files import open_regular
from dedup.readers.formats import MARKUP
from dedup.report.json import replaced_file, set_mode
from dedup.stages import Progress

WHOLE = ("text", *sorted(MARKUP))  # one file, one page
COPIED = 1 << 20  # bytes at a time
NAMED_GROUPS = 5  # in the message of the guard


@dataclass
class Parts:
    """The pieces of a file as they are made, and what stays after all: complete when the pieces are."""

    pieces: Iterator[Piece]
    left: list[Left]

    def stayed(self, number: int, left: Left) -> None:
        """Note what stays of a record."""
        self.left.append(left)


def clean_files(paths: Sequence[Path], out: Path | None, options: Options, choices: Choices, *, manifest: Path | None = None,
                in_place: bool = False, dry_run: bool = False, progress: Progress | None = None) -> Cleaned:
    """Write files without their copies.

    Args:
        out: Folder of the output (for a single file also a file with its suffix); ``None`` in place.
        dry_run: Write nothing.

    Raises:
        GuardError: More than ``max_removed`` would go.
        InputError, OptionError, OutputError: See ``dedup.clean``.
    """
    from dedup.api import open_places
    from dedup.pipeline import find_duplicates
    from dedup.stages import Stages

    nowhere = dry_run and out is None
    output = plan_output(paths, Path(tempfile.gettempdir()) if nowhere else out, manifest, options, in_place and not nowhere,
                         is_written=not nowhere)
    if choices.field is not None and choices.field not in options.meta:
        options = dataclasses.replace(options, meta=(*options.meta, choices.field))
    stages = Stages(progress, options.memory is not None)
    stream = open_places(list(paths) if len(paths) > 1 else paths[0], options)
    findings, digest = find_duplicates(stream, options, stages)
    stages.stop()  # what comes now needs memory of another kind
    stages.start("plan")
    plan = plan_in_rounds(findings, choices, drafts_of(findings.corpus, output, options))
    guard(plan, choices)
    _check_unchanged(output.targets)
    stages.start("write")
    writing = _Writing(output, plan, options)
    skipped = {entry.reason: entry.count for entry in stream.skipped}
    header = lines.Header(lines.FORMAT, _version(), output.in_place, options.results(), choices.recorded(), digest)
    unwritten = dry_run or (not len(findings.corpus.pages) and bool(stream.errors or skipped))  # of what no page was read
    try:
        accounting = writing.dry(skipped) if unwritten else writing.write(header, skipped)
    finally:
        stages.stop()
    return Cleaned(accounting, tuple(writing.removed), None if unwritten else output.manifest, tuple(stream.errors),
                   not_cut=sum(target.form in NOT_CUT for target in output.targets))


def _version() -> str:
    from dedup import __version__

    return __version__


def guard(plan: Plan, choices: Choices) -> None:
    """Stop before anything is written where more would go than may.

    Raises:
        GuardError: It would; the message names what causes most of it.
    """
    chars = int(plan.corpus.page_chars[-1])
    share = plan.removed_chars / max(chars, 1)
    most = choices.max_removed if choices.max_removed is not None else GUARDED_SHARE
    if share <= most or (choices.max_removed is None and len(plan.corpus.pages) < GUARDED_PAGES):
        return
    causes: Counter[tuple[str, int]] = Counter()
    for removal in plan.removals:
        causes[(removal.verdict, removal.group)] += removal.end - removal.start
    named = ", ".join(f"{verdict}{f' (group {group})' if group >= 0 else ''} {size / max(chars, 1):.0%}"
                      for (verdict, group), size in causes.most_common(NAMED_GROUPS))
    raise GuardError(f"{share:.0%} of the text would be removed, more than {most:.0%}; most of it: {named}",
                     "max_removed", "Nothing was written. Look at it with --dry-run, or raise --max-removed.")


def _check_unchanged(targets: Iterable[Target]) -> None:
    for target in targets:
        with contextlib.suppress(OSError):
            if stamp_of(target.found.path) == target.stamp:
                continue
        raise OutputError("was changed while it was scanned, so what was planned may not fit", target.found.place,
                          "Nothing was written; clean again.")


def open_content(target: Target) -> io.BufferedReader:
    """The decompressed content of a file.

    Raises:
        OutputError: It was changed since the scan.
    """
    file = open_regular(target.found.path)
    if stamp_of(target.found.path) != target.stamp:
        file.close()
        raise OutputError("was changed since it was scanned", target.found.place, "Clean again.")
    content: Any = unpack(file, target.compression, lambda message, kind: None)
    return content if isinstance(content, io.BufferedReader) else io.BufferedReader(content)


def drafts_of(corpus: Corpus, output: Output, options: Options) -> Drafts:
    """What cuts the pages of some files while it is planned what goes of them."""
    whole = {target.found.place: target for target in output.targets if target.form in WHOLE}
    archives = {target.found.place for target in output.targets if target.form == "warc"}
    files = {number: whole[page.source] for number, page in enumerate(corpus.pages) if page.source in whole}
    flat = frozenset(number for number, page in enumerate(corpus.pages) if page.source in archives)

    def source(page: int) -> tuple[bytes, Form]:
        _check_unchanged([files[page]])
        with open_content(files[page]) as content:
            return content.read(), files[page].form  # type: ignore[return-value]

    def values(pages: Sequence[int]) -> Iterator[tuple[int, str]]:
        by_place: dict[str, dict[int, int]] = {}
        for page in pages:
            by_place.setdefault(corpus.pages[page].source, {})[corpus.pages[page].number] = page
        for target in output.targets:
            if numbers := by_place.get(target.found.place):
                _check_unchanged([target])
                yield from values_of(target, numbers, options)
    return Drafts(corpus, options, frozenset(files), source, values, flat)


def values_of(target: Target, numbers: Mapping[int, int], options: Options) -> Iterator[tuple[int, str]]:
    """The text fields of some records of a file.

    Args:
        numbers: The page of each record.
    """
    values = Values()
    with open_content(target) as content, tempfile.TemporaryFile() as nowhere:
        steps: Iterator[Any] = (clean_table(content, nowhere, asked(numbers), options, values) if target.form in TABLES
                                else clean_records(content, target.form, asked(numbers), options, values))
        for _ in steps:
            yield from values.taken()
    yield from values.taken()


def edits_of(plan: Plan, pages: Iterable[int]) -> dict[int, Edit]:
    """What goes of some records, by their numbers in their file."""
    edits: dict[int, Edit] = {}
    for page in pages:
        if page in plan.dropped:
            edits[plan.corpus.pages[page].number] = Drop(plan.dropped[page])
        elif page in plan.cuts:
            edits[plan.corpus.pages[page].number] = [Gone(*cut) for cut in plan.cuts[page]]
    return edits


def _by_removal(left: Iterable[Left]) -> dict[int, list[Left]]:
    out: dict[int, list[Left]] = {}
    for stayed in left:
        out.setdefault(stayed.removal, []).append(stayed)
    return out


class _Writing:
    """Writes all files of an output, one after the other."""

    def __init__(self, output: Output, plan: Plan, options: Options) -> None:
        self.output, self.plan, self.options = output, plan, options
        self.wording = Wording(plan.corpus, plan.removals)
        self.removed: list[lines.Removed] = []
        self._pages: dict[str, list[int]] = {}
        for number, page in enumerate(plan.corpus.pages):
            self._pages.setdefault(page.source, []).append(number)

    def pages(self, target: Target) -> list[int]:
        """The pages of a file."""
        return self._pages.get(target.found.place, [])

    # ---- all files ----

    def write(self, header: lines.Header, skipped: dict[str, int]) -> Accounting:
        """Write everything; in place the manifest comes before the first file that changes."""
        with begun(self.output) as finish, replaced_file(self.output.manifest) as file:
            writer = lines.Writer(file)
            writer.write(header)
            for target, pieces in self._all_pieces():
                finish.append(self._file(target, pieces, writer))
            accounting = self.accounting(skipped)
            writer.end(accounting.recorded())
        return accounting

    def dry(self, skipped: dict[str, int]) -> Accounting:
        """The same without writing."""
        nowhere = lines.Writer(io.BytesIO())
        for target, pieces in self._all_pieces():
            if target.form in TABLES and self._is_touched(target):
                with tempfile.TemporaryFile() as file:
                    self._rows(target, file, nowhere)
            elif self._is_dropped(target):
                self._tell([self.plan.dropped[page] for page in self.pages(target)], {}, nowhere)
            elif pieces is not None:
                for _ in self._told(pieces, nowhere):
                    pass
        return self.accounting(skipped)

    def accounting(self, skipped: dict[str, int]) -> Accounting:
        """Figures of what was done."""
        return Accounting.of(self.plan.corpus, self.removed, self.plan.dropped, skipped)

    # ---- pieces ----

    def _all_pieces(self) -> Iterator[tuple[Target, Parts | None]]:
        """Each file with its pieces; ``None`` where nothing goes of it, or all of it."""
        for target in self.output.targets:
            is_as_it_was = target.form != "warc" and not self._is_touched(target)  # an archive becomes JSON Lines
            if self._is_dropped(target) or target.form in TABLES or is_as_it_was:
                yield target, None
            else:
                yield target, self._pieces_of(target)

    def _is_touched(self, target: Target) -> bool:
        return any(page in self.plan.dropped or page in self.plan.cuts for page in self.pages(target))

    def _is_dropped(self, target: Target) -> bool:
        """Whether a file that is one page goes."""
        pages = self.pages(target)
        return target.form in WHOLE and bool(pages) and pages[0] in self.plan.dropped

    def _pieces_of(self, target: Target) -> Parts:
        plan, pages = self.plan, self.pages(target)
        parts = Parts(iter(()), [entry for page in pages for entry in plan.left.get(page, ())])
        if target.form in WHOLE:
            with open_content(target) as content:
                parts.pieces = iter(cut_bytes(content.read(), plan.cuts[pages[0]]))
            return parts
        edits = edits_of(plan, pages)
        if target.form == "warc":
            corpus = plan.corpus
            flat = (dataclasses.replace(corpus.pages[page], text=corpus.page_text(page)) for page in pages)
            parts.pieces = clean_warc(flat, edits, leave=parts.stayed)
        else:
            parts.pieces = clean_records(open_content(target), target.form, edits, self.options, leave=parts.stayed)
        return parts

    # ---- one file ----

    def _file(self, target: Target, parts: Parts | None, writer: lines.Writer) -> Finish:
        """Write one file; what remains to be done when all are written."""
        source = target.found.path
        mode = stat.S_IMODE(source.stat().st_mode)
        writer.write(lines.Begin(target.name, target.found.place, target.form, target.compression, mode, target.original))
        if self._is_dropped(target):
            return self._dropped_file(target, writer)
        if target.form in TABLES and self._is_touched(target):
            return self._table(target, writer)
        if parts is None:
            return self._same(target, writer)
        place = ready(self.output, target)
        before, after = hashlib.sha256(), hashlib.sha256()
        with replaced_file(place) as raw:
            with packed(raw, target.compression) as file:
                for piece in self._told(parts, writer):
                    before.update(piece.data)
                    if piece.removal == STAYS:
                        after.update(piece.data)
                        file.write(piece.data)
            set_mode(raw, mode)
        writer.write(lines.FileEnd("cut", before.hexdigest(), after.hexdigest()))
        return Finish(target, place if place != target.path else None)

    def _told(self, parts: Parts, writer: lines.Writer) -> Iterator[Piece]:
        """The pieces of a file, its cuts and removals told on the way."""
        offset, numbers = 0, set()
        cuts: list[tuple[int, Piece]] = []
        for piece in parts.pieces:
            if piece.removal == STAYS:
                offset += len(piece.data)
            else:
                numbers.add(piece.removal)
                cuts.append((offset, piece))
            yield piece
        number_of = self._tell(sorted(numbers), _by_removal(parts.left), writer)
        for at, piece in cuts:
            writer.write(lines.cut_out(at, number_of[piece.removal], piece.data))

    def _tell(self, removals: Sequence[int], left: dict[int, list[Left]], writer: lines.Writer) -> dict[int, int]:
        """Write the lines of some removals; the number of each in the manifest."""
        numbers = {}
        for removal in removals:
            numbers[removal] = len(self.removed)
            line = self.wording.removed(len(self.removed), removal, left.get(removal, ()))
            self.removed.append(line)
            writer.write(line)
        return numbers

    def _table(self, target: Target, writer: lines.Writer) -> Finish:
        """A Parquet or Arrow file."""
        from dedup.cleaning.tabledigest import table_digest

        place = ready(self.output, target)
        before, after = (hashlib.sha256() for _ in range(2))
        with open_content(target) as content:
            while data := content.read(COPIED):
                before.update(data)
        with open_content(target) as content:
            says = table_digest(content)
        with replaced_file(place) as raw:
            with tempfile.TemporaryFile() as plain:
                self._rows(target, plain, writer)
                plain.seek(0)
                with packed(raw, target.compression) as file:
                    while data := plain.read(COPIED):
                        after.update(data)
                        file.write(data)
            set_mode(raw, stat.S_IMODE(target.found.path.stat().st_mode))
        writer.write(lines.FileEnd("cut", before.hexdigest(), after.hexdigest(), table=says))
        return Finish(target, place if place != target.path else None)

    def _rows(self, target: Target, file: Any, writer: lines.Writer) -> None:
        """Write a table's cleaned form, and what went of it row group by row group."""
        parts = Parts(iter(()), [entry for page in self.pages(target) for entry in self.plan.left.get(page, ())])
        with open_content(target) as content:
            groups = list(clean_table(content, file, edits_of(self.plan, self.pages(target)), self.options,
                                      leave=parts.stayed))
        removals = sorted({number for group in groups for number in (*group.removals, *(x.removal for x in group.texts))})
        number_of = self._tell(removals, _by_removal(parts.left), writer)
        for group in groups:
            told = dataclasses.replace(group, texts=[x._replace(removal=number_of[x.removal]) for x in group.texts],
                                       removals=[number_of[number] for number in group.removals])
            writer.write(lines.Rows(told.as_json()))

    def _same(self, target: Target, writer: lines.Writer) -> Finish:
        """A file of which nothing goes: copied as it is, compressed or not."""
        digest = hashlib.sha256()
        with open_regular(target.found.path) as source, contextlib.ExitStack() as stack:
            if stamp_of(target.found.path) != target.stamp:
                raise OutputError("was changed since it was scanned", target.found.place, "Clean again.")
            copy = None if self.output.in_place else stack.enter_context(replaced_file(ready(self.output, target)))
            while data := source.read(COPIED):
                digest.update(data)
                if copy is not None:
                    copy.write(data)
            if copy is not None:
                set_mode(copy, stat.S_IMODE(os.fstat(source.fileno()).st_mode))
        writer.write(lines.FileEnd("same", digest.hexdigest(), digest.hexdigest()))
        return Finish(target, None)

    def _dropped_file(self, target: Target, writer: lines.Writer) -> Finish:
        self._tell([self.plan.dropped[page] for page in self.pages(target)], {}, writer)
        with open_content(target) as content:
            data = content.read()
        writer.write(lines.FileEnd("dropped", hashlib.sha256(data).hexdigest(), "", lines.packed(data), len(data)))
        return Finish(target, None, dropped=True)
