"""Pages out of files, in order, streaming: opens, unpacks, chooses the reader, has HTML parsed, names each page."""

from __future__ import annotations

import functools
import io
import itertools
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dedup.errors import DedupError, InputError
from dedup.heads import RecordHeads, Utf8
from dedup.model import Page, ReadError, Skipped
from dedup.options import Options
from dedup.readers.compression import compression_of, unpack
from dedup.readers.decode import Utf8Stream
from dedup.readers.files import Found, expand, find, open_source, with_beginning
from dedup.readers.formats import HEAD_BYTES, MARKUP, choose, head_of
from dedup.readers.jobs import Answer
from dedup.readers.naming import Naming
from dedup.readers.notes import Notes
from dedup.readers.reading import Pending, Reading, Stretches, Texts
from dedup.readers.remote import check_remote, find_remote, is_address, open_remote
from dedup.readers.words import used

if TYPE_CHECKING:
    from dedup.readers.leave_out import Ignored
    from dedup.readers.pool import WorkerPool

Place = Path | str | BinaryIO
_BATCH_BYTES = 1 << 18  # HTML sent to a worker at once
_BATCH_PAGES = 64
_WINDOW_BYTES = 1 << 25  # HTML under way
_WINDOW_PAGES = 4096
OBJECTS = Path("input")  # where pages that a program holds stand
_AT_LINE = re.compile(r"at line (\d+)")
_REFUSED = {  # why a program's data is no text, and how to mend that
    "text field missing": "",  # the message says it
    "text is no string": "Name another field with text_field, or make its values strings.",
    "item is no page": "Give texts, mappings with a text, pages or one table.",
}


class PageStream:
    """The pages of some input, to be iterated once; errors and skipped places appear meanwhile.

    Attributes:
        files: Files read so far.
        expected_bytes: Size of the files begun so far; a hint how much text there will be.
        bytes_behind: Size of the files that were read to their ends.
        first_row: What the first record of a source is called: 1 in files, 0 among what a program holds.
    """

    def __init__(self, items: Any, options: Options, notes: Notes, naming: Naming | None = None,
                 whole: Callable[[int | None], int | None] = lambda _: None, first_row: int = 1) -> None:
        self._notes = notes
        self._options = options
        self._items = items
        self._naming = naming
        self._begun = False
        self.first_row = first_row
        self.files = 0
        self.expected_bytes = self.bytes_behind = 0
        self._whole = whole

    @functools.cached_property
    def whole_bytes(self) -> int | None:
        """Size of all files, where they are not very many and not compressed; they are listed for it."""
        return self._whole(None)

    @property
    def renamed(self) -> int:
        """Pages so far that got another id because theirs was taken."""
        return self._naming.renamed if self._naming is not None else 0

    @property
    def errors(self) -> list[ReadError]:
        """What could not be read so far; the same again in one file is summed up."""
        return self._notes.errors

    @property
    def error_count(self) -> int:
        """How many errors there were, those that were summed up included."""
        return self._notes.error_count

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was read so far but is no page, by reason."""
        return self._notes.skipped

    @property
    def ignored(self) -> Sequence[tuple[str, str, Ignored]]:
        """What ``dedup:ignore`` comments leave out of the pages so far, each with id and source of its page."""
        return self._notes.ignored

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields that records had so far, for messages."""
        return tuple(self._notes.fields)

    def __iter__(self) -> Iterator[Page]:
        return self._pages(self.stretches())

    def stretches(self) -> Iterator[Page | Texts]:
        """The pages in place of iterating, some of them together and with their texts still in UTF-8."""
        if self._begun:
            raise RuntimeError("a PageStream is read once; call open_pages again")
        self._begun = True
        return self._stretches()

    def _stretches(self) -> Iterator[Page | Texts]:
        items: Stretches = self._items(self)
        for item in _parsed(items, self._options, self._notes):
            if self._naming is None:
                yield item
            elif isinstance(item, Page):
                yield self._naming.page(item)
            else:
                self._naming.records(item.heads)
                yield item
        if self._naming is not None:
            self._naming.forget()

    @staticmethod
    def _pages(stretches: Iterator[Page | Texts]) -> Iterator[Page]:
        for item in stretches:
            if isinstance(item, Page):
                yield item
            else:
                yield from item.pages()


def _parsed(items: Stretches, options: Options, notes: Notes) -> Iterator[Page | Texts]:
    """The pages of items in their order, with HTML parsed by workers meanwhile."""
    with _Parser(options, notes) as parser:
        for item in items:
            if isinstance(item, Pending):
                parser.add_pending(item)
            elif not parser.slots:
                yield item
                continue
            elif isinstance(item, Page):
                parser.add(item)
            else:
                for page in item.pages():
                    parser.add(page)
            yield from parser.ready(all_of_it=False)
        yield from parser.ready(all_of_it=True)


class _Batch:
    """Pages that go to a worker together."""

    def __init__(self) -> None:
        self.pending: list[Pending] = []
        self.size = 0
        self.answers: Future[list[Answer]] | None = None


class _Parser:
    """Work under way: slots in the order of the input, each a page or a place in a batch."""

    def __init__(self, options: Options, notes: Notes) -> None:
        self._options = options
        self._notes = notes
        self._size = options.threads or os.cpu_count() or 1
        self._pool: WorkerPool | None = None
        self._batch = _Batch()
        self._under_way = 0  # bytes
        self.slots: deque[Page | tuple[_Batch, int]] = deque()

    def __enter__(self) -> _Parser:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()

    def add(self, page: Page) -> None:
        """Put a finished page behind those under way."""
        self.slots.append(page)
        self._under_way += len(page.text)

    def add_pending(self, item: Pending) -> None:
        """Take a page that is to be parsed."""
        batch = self._batch
        self.slots.append((batch, len(batch.pending)))
        batch.pending.append(item)
        batch.size += len(item.job.data)
        self._under_way += len(item.job.data)
        if batch.size >= _BATCH_BYTES or len(batch.pending) >= _BATCH_PAGES:
            self._submit()

    def _submit(self) -> None:
        if self._pool is None:
            from dedup.readers.pool import WorkerPool

            self._pool = WorkerPool(self._size, self._options)
        batch, self._batch = self._batch, _Batch()
        if batch.pending:
            batch.answers = self._pool.submit([item.job for item in batch.pending])

    def ready(self, all_of_it: bool) -> Iterator[Page]:
        """Pages that can be given out: those done, and where the window is full the next ones, waited for."""
        if all_of_it and self._batch.pending:
            self._submit()
        while self.slots:
            slot = self.slots[0]
            if isinstance(slot, Page):
                self.slots.popleft()
                self._under_way -= len(slot.text)
                yield slot
                continue
            batch, index = slot
            full = self._under_way > _WINDOW_BYTES or len(self.slots) > _WINDOW_PAGES
            if not all_of_it and not full and (batch.answers is None or not batch.answers.done()):
                return
            if batch.answers is None:
                self._submit()
            assert batch.answers is not None
            answer = batch.answers.result()[index]
            item = batch.pending[index]
            self.slots.popleft()
            self._under_way -= len(item.job.data)
            if index == len(batch.pending) - 1:
                batch.pending.clear()
            page = self._finish(item, answer)
            if page is not None:
                yield page

    def _finish(self, item: Pending, answer: Answer) -> Page | None:
        """The page with its worker's answer, or ``None`` with a note."""
        page = item.page
        place, line = page.source, page.line if page.record and not page.url else None
        name = f"page {page.id}: " if page.record and not line else ""
        if answer.refused:
            damaged = _AT_LINE.search(answer.refused) if item.job.form == "notebook" else None
            self._notes.fail(place, int(damaged[1]) if damaged else line,
                             f"{name}{item.job.form} page {answer.refused}, skipped", _reason(answer.refused))
            return None
        if answer.encoding:
            self._notes.decoded(place, line, answer.encoding, before=name)
        page = replace(page, text=answer.text, title=answer.title, layout=answer.layout)
        self._notes.ignored += [(page.id, place, comment._replace(line=page.line) if page.record else comment)
                                for comment in answer.ignored]
        return page


def _reason(refused: str) -> str:
    """A refusal in a few words, without the figures of one page."""
    if "memory" in refused:
        return "page needs too much memory to parse"
    return "page meets a limit of the parser" if "more than" in refused else "page cannot be parsed"


def open_stream(source: Place | Sequence[Place], options: Options) -> PageStream:
    """See `dedup.readers.open_pages`."""
    places: list[Place] = list(source) if isinstance(source, (list, tuple)) else [source]  # type: ignore[list-item]
    if not places:
        raise InputError("no input named")
    addresses = [place for place in places if isinstance(place, str) and is_address(place)]
    paths = [place for place in places if isinstance(place, (str, Path)) and not is_address(place)]
    streams = [place for place in places if not isinstance(place, (str, Path))]
    for place in streams:
        if not hasattr(place, "read"):
            raise TypeError(f"open_pages takes paths, globs and binary streams, not {type(place).__name__}")
    for path in paths:
        expand(path)  # raises where there is nothing
    for address in addresses:
        check_remote(address)
    if options.select or options.ignore:
        from dedup.readers.html import check_selectors

        check_selectors(options.select, options.ignore)
    notes = Notes()

    def items(stream: PageStream) -> Stretches:
        for binary in streams:
            stream.files += 1
            reading = Reading(_standard_input(), options, notes)
            yield from _until_it_fails(read_stream(with_beginning(binary), reading), reading, OSError)
        found_any = False
        for found in itertools.chain(find(paths, options.include, options.exclude, notes),
                                     find_remote(addresses, options.include, options.exclude, notes)):
            found_any = True
            stream.files += 1
            yield from read_file(found, options, notes, stream)
            notes.close_file(found.place)
        if (paths or addresses) and not found_any:
            for path in (*paths, *addresses):
                notes.error(str(path), None, "nothing to read (no file, or none that include and exclude let through)")

    def whole(most: int | None) -> int | None:
        from dedup.readers.inventory import MOST_FILES, whole_bytes

        return None if streams or addresses else whole_bytes(paths, options, most or MOST_FILES)

    return PageStream(items, options, notes, Naming(len(places) > 1), whole)


def _standard_input() -> Found:
    return Found(Path("-"), "-", "-", "", "", True)


def read_file(found: Found, options: Options, notes: Notes, stream: PageStream) -> Stretches:
    """The pages of a file; whatever is wrong with it is a note."""
    reading = Reading(found, options, notes)
    if found.remote is not None:
        yield from _until_it_fails(_read_remote(reading), reading, Exception)  # a connection fails in the ways of its library
    else:
        yield from _until_it_fails(_read_local(reading, stream), reading, OSError)


def _until_it_fails(items: Stretches, reading: Reading, mishap: type[Exception]) -> Stretches:
    """The pages of what can fail at any time; that it does is a note."""
    given = False
    try:
        for item in items:
            given = True
            yield item
    except (DedupError, MemoryError):
        raise
    except mishap as error:
        cause = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        done = f"; {used(given)}" if given else ", skipped"
        reading.fail(None, f"cannot be read ({cause}){done}", "unreadable file")


def _read_local(reading: Reading, stream: PageStream) -> Stretches:
    """The pages of a file of this machine."""
    found = reading.file
    with open_source(found) as file:
        before = os.fstat(file.fileno())
        stream.expected_bytes += before.st_size
        yield from read_stream(file if file.seekable() else with_beginning(file), reading)
        after = os.fstat(file.fileno())
        stream.bytes_behind += before.st_size
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        reading.notes.error(found.place, None, "changed while it was read; what was read is used")


def _read_remote(reading: Reading) -> Stretches:
    """The pages of a file at an address."""
    with open_remote(reading.file) as file:
        yield from read_stream(with_beginning(file), reading)


def read_stream(file: BinaryIO, reading: Reading) -> Stretches:
    """The pages of a stream."""
    place, notes = reading.file.place, reading.notes
    raw: Any = file if hasattr(file, "peek") else io.BufferedReader(file)
    compression = compression_of(raw.peek(HEAD_BYTES))
    content: Any = unpack(raw, compression, lambda message, kind: notes.error(place, None, message, kind))
    if not content.peek(1):
        _no_page("empty file", reading)
        return
    head, codec = head_of(content)
    form, reason = choose(reading.file.name, head, reading.file.named, reading.options.input_format)
    if not form:
        _no_page(reason, reading)
        return
    if codec and form in ("jsonl", "json", "csv", "tsv"):  # the others decode for themselves
        content = io.BufferedReader(Utf8Stream(content, codec, lambda message: notes.error(place, None, message)))
    given = False
    try:
        for item in _reader(form, content, reading, head, bool(compression)):
            given = True
            yield item
    except (DedupError, OSError, MemoryError):
        raise
    except Exception as error:  # what a library did not foresee costs the rest of one file
        reading.fail(None, f"{form} data cannot be read ({type(error).__name__}: {str(error)[:200]}); {used(given)}",
                     f"{form} data is damaged")


def _no_page(reason: str, reading: Reading) -> None:
    """A file without pages: an error where the user named it, else counted only."""
    if reading.file.named:
        reading.fail(None, f"{reason}, skipped", reason)
    else:
        reading.notes.skip(reason, reading.file.place)


def _reader(form: str, content: BinaryIO, reading: Reading, head: bytes, packed: bool) -> Stretches:
    """The reader of a format, imported when it is needed."""
    if form == "text":
        from dedup.readers.text import read_text

        return read_text(content, reading)
    if form in MARKUP:
        from dedup.readers.text import read_markup

        return read_markup(content, reading, form)
    if form in ("jsonl", "json"):
        from dedup.readers.jsonl import read_array, read_jsonl

        return read_jsonl(content, reading) if form == "jsonl" else read_array(content, reading)
    if form in ("csv", "tsv"):
        from dedup.readers.csv import read_csv

        return read_csv(content, reading, form)
    if form in ("parquet", "arrow"):
        from dedup.readers.parquet import read_table

        return read_table(content, reading, form, packed or not content.seekable())
    if form == "warc":
        from dedup.readers.warc import read_warc

        return read_warc(content, reading, head)
    raise DedupError(f"no reader for format {form!r}")


def stream_of_objects(objects: Any, options: Options, name: str = "") -> PageStream:
    """See `dedup.readers.pages_from_objects`."""
    notes = Notes()
    if options.select or options.ignore:
        from dedup.readers.html import check_selectors

        check_selectors(options.select, options.ignore)
    place = Found(Path(name) if name else OBJECTS, name or "input", name or "input", "", "", True)
    reading = Reading(place, options, notes)

    def items(stream: PageStream) -> Stretches:
        if speaks_arrow(objects):
            from dedup.readers.parquet import arrow_errors, batches_of, pages_of_batches

            with arrow_errors():
                for item in pages_of_batches(batches_of(objects, options), reading, before=-1):
                    if isinstance(item, Texts):
                        yield replace(item, heads=_as_objects(item.heads))
                    else:
                        yield _as_object(item, (item.page if isinstance(item, Pending) else item).number)
            return
        from dedup.readers.tables import Records

        records = Records(reading)
        for index, thing in enumerate(objects):
            fields: Any = thing  # a Page holds what a program put there
            if isinstance(thing, Page) and not (isinstance(fields.id, str) and isinstance(fields.text, str)):
                notes.fail(f"input[{index}]", None, "is a Page whose id or text is no string; skipped", "item is no page")
                continue
            if isinstance(thing, Page):
                yield replace(thing, source=thing.source or f"input[{index}]", number=index + 1)
                continue
            page = _object_page(thing, index, records)
            if page is not None:
                yield page

    def pages(stream: PageStream) -> Stretches:
        return _unless_all_refused(items(stream), notes, options)
    return PageStream(pages, options, notes, Naming(), first_row=0)


def speaks_arrow(source: Any) -> bool:
    """Whether an object is a table or a column of Arrow, or hands over its data as one."""
    return hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")


def _unless_all_refused(items: Stretches, notes: Notes, options: Options) -> Stretches:
    """The items; a program whose data has no text where it is looked for does not go on with an empty report.

    Where texts are there, but null, it does: a batch of a pipeline may hold nothing else.

    Raises:
        InputError: There are no items, and that is why.
    """
    given = False
    for item in items:
        given = True
        yield item
    reasons = [entry.reason for entry in notes.skipped]
    if not given and reasons and all(reason in _REFUSED for reason in reasons):
        first = notes.errors[0]
        is_nested = "." in (options.text_field or "")  # what holds the text may be null, too
        if is_nested or (len(reasons) == 1 and "the text is null," in first.message):
            return
        mend = _REFUSED[reasons[0]] if len(reasons) == 1 else ""
        raise InputError(first.message.removesuffix("; skipped"), first.source, mend)


def _object_page(thing: Any, index: int, records: Any) -> Page | Pending | None:
    """The page of a string or mapping of a list, or ``None`` with a note that names its index."""
    one = Found(OBJECTS, "input", f"input[{index}]", "", "", True)
    own = type(records)(Reading(one, records.reading.options, records.reading.notes))
    record = {"text": thing} if isinstance(thing, str) else thing
    if isinstance(thing, str):
        own.texts = ("text",)
    item: Page | Pending | None = own.page(record, None, index) if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping):
        own.reading.fail(None, f"is {type(thing).__name__}, not a text, mapping or Page; skipped", "item is no page")
    return None if item is None else _as_object(item, index)


def _as_objects(heads: RecordHeads) -> RecordHeads:
    """The same of rows of which the first one's index is ``line``."""
    ids = heads.ids
    if heads.source.startswith("input"):
        names = enumerate(ids.texts(), heads.line)
        ids = Utf8.of([str(index) if name == f"input#{index}" else name for index, name in names])
    return RecordHeads(heads.source, ids, heads.urls, heads.has_url, heads.sites, heads.line + 1, heads.metas, in_line=False)


def _as_object(item: Page | Pending, index: int) -> Page | Pending:
    """A page that came from a program, not from a line of a file: named by its index where it has no id."""
    page = item.page if isinstance(item, Pending) else item
    unnamed = page.id == f"input#{index}" and page.source.startswith("input")
    named = replace(page, id=str(index) if unnamed else page.id, line=1, record=False, number=index + 1)
    return replace(item, page=named) if isinstance(item, Pending) else named
