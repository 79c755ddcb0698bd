"""Pages without their texts, as columns: there may be a hundred million of them, and most are never looked at one by one."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.kernel import kernel
from dedup.model import NO_META, Layout, Page

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
V = TypeVar("V")

HAS_URL, RECORD = 1, 2  # bits of a page's flags
HELD_PAGES, HELD_SIZE = 256, 1 << 18  # pages, and characters of theirs, that are kept until a column is asked for
COLUMNS = frozenset(("ids", "sites", "_urls", "_sources", "_lines", "_numbers", "_flags", "_titles", "_metas"))


class Utf8(NamedTuple):
    """Strings that follow each other.

    Attributes:
        data: Their bytes, UTF-8 (a lone surrogate in three).
        first: First byte of each, one longer than the strings.
    """

    data: U8
    first: I64

    @classmethod
    def of(cls, strings: Sequence[str]) -> Utf8:
        """The column of some strings."""
        joined = "".join(strings)
        data = joined.encode("utf-8", "surrogatepass")
        lengths = map(len, strings) if len(data) == len(joined) else map(len, map(_utf8, strings))
        first = np.fromiter(itertools.accumulate(lengths, initial=0), np.int64, len(strings) + 1)
        return cls(np.frombuffer(data, np.uint8), first)

    @classmethod
    def cut(cls, data: U8, start: I64, end: I64) -> Utf8:
        """Stretches of some bytes."""
        return cls(*kernel.cut_bytes(data, start, end))

    def take(self, rows: I64) -> Utf8:
        """Some of the strings."""
        return Utf8.cut(self.data, self.first[rows], self.first[rows + 1])

    def part(self, begin: int, end: int) -> Utf8:
        """The strings from one to before another one."""
        first = self.first[begin:end + 1] if begin < len(self.first) else self.first[-1:]
        return Utf8(self.data[first[0]:first[-1]], first - first[0])

    def text(self, row: int) -> str:
        """One of the strings."""
        return self.data[self.first[row]:self.first[row + 1]].tobytes().decode("utf-8", "surrogatepass")

    def texts(self) -> list[str]:
        """The strings."""
        data, edges = self.data.tobytes(), self.first.tolist()
        if data.isascii():
            text = data.decode("ascii")
            return [text[a:b] for a, b in itertools.pairwise(edges)]
        return [data[a:b].decode("utf-8", "surrogatepass") for a, b in itertools.pairwise(edges)]


class Codes(NamedTuple):
    """Strings that follow each other, of which many are the same.

    Attributes:
        names: The different ones.
        code: Index of each string into the names.
    """

    names: list[str]
    code: I32

    @classmethod
    def of(cls, strings: Sequence[str]) -> Codes:
        """The column of some strings."""
        known = {name: code for code, name in enumerate(dict.fromkeys(strings))}
        return cls(list(known), np.fromiter(map(known.__getitem__, strings), np.int32, len(strings)))


class Strings(Sequence[str]):
    """A column of strings that grows at its end."""

    def __init__(self) -> None:
        self._data, self._first = bytearray(), array("q", [0])

    def extend(self, strings: Utf8) -> None:
        """Put strings at the end."""
        self._first.frombytes((strings.first[1:] + len(self._data)).tobytes())
        self._data += strings.data.data

    def add(self, strings: Sequence[str]) -> None:
        """The same with strings that are not encoded."""
        joined = "".join(strings)
        data = _utf8(joined)
        lengths = map(len, strings) if len(data) == len(joined) else map(len, map(_utf8, strings))
        self._first.extend(itertools.islice(itertools.accumulate(lengths, initial=len(self._data)), 1, None))
        self._data += data

    def encoded(self, row: int) -> bytes:
        """A string in UTF-8."""
        return bytes(self._data[self._first[row]:self._first[row + 1]])

    def some(self, rows: Sequence[int]) -> list[str]:
        """Some of the strings."""
        if isinstance(rows, range) and rows.step == 1:
            return self._some(rows.start, rows.stop)
        data, first = np.frombuffer(self._data, np.uint8), np.frombuffer(self._first, np.int64)
        return Utf8(data, first).take(np.array(rows, np.int64)).texts()

    @property
    def utf8(self) -> Utf8:
        """The strings as they are now."""
        return Utf8(np.frombuffer(bytes(self._data), np.uint8), np.array(self._first, np.int64))

    def __len__(self) -> int:
        return len(self._first) - 1

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            rows = range(*row.indices(len(self)))
            return self.some(rows)
        count = len(self._first) - 1
        if not -count <= row < count:
            raise IndexError(row)
        row %= count
        return self._data[self._first[row]:self._first[row + 1]].decode("utf-8", "surrogatepass")

    def _some(self, begin: int, end: int) -> list[str]:
        """The strings from one to before another one."""
        if begin >= end:
            return []
        edges = self._first[begin:end + 1]
        data = bytes(self._data[edges[0]:edges[-1]])
        if not data.isascii():
            return [self[row] for row in range(begin, end)]
        text, start = data.decode("ascii"), edges[0]
        return [text[a - start:b - start] for a, b in itertools.pairwise(edges)]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


class Coded:
    """A column of strings of which many are the same, grown at its end.

    Attributes:
        names: The different ones, in the order in which they came.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes, self._known = array("i"), dict[str, int]()

    def extend(self, strings: Codes) -> None:
        """Put strings at the end."""
        for new in strings.names:
            if new not in self._known:
                self._known[new] = len(self.names)
                self.names.append(new)
        own = np.fromiter(map(self._known.__getitem__, strings.names), np.int32, len(strings.names))
        self._codes.frombytes(own[strings.code].tobytes())

    def add(self, strings: Sequence[str]) -> None:
        """Put strings at the end."""
        for new in dict.fromkeys(strings):
            if new not in self._known:
                self._known[new] = len(self.names)
                self.names.append(new)
        self._codes.extend(map(self._known.__getitem__, strings))

    def some(self, rows: Sequence[int]) -> list[str]:
        """Some of the strings."""
        names, codes = self.names, self._codes
        return [names[codes[row]] for row in rows]

    @property
    def codes(self) -> npt.NDArray[np.int32]:
        """Index of each string into ``names``."""
        return np.array(self._codes, np.int32)

    def __getitem__(self, row: int) -> str:
        return self.names[self._codes[row]]


class RecordHeads(Struct):
    """Records of one file that follow each other, without their texts.

    Attributes:
        source: The file.
        ids: Of each record.
        urls: Of each record, empty where it has none.
        has_url: Whether it has one, which may be empty, 0 or 1.
        sites: Of each record.
        line: Of the first one; they are one line each, and their numbers are their lines.
        metas: Carried fields of each record; ``None`` where none are carried.
        in_line: False: a program handed them over, each begins in its own first line; only their numbers are as `line` says.
    """

    source: str
    ids: Utf8
    urls: Utf8
    has_url: U8
    sites: Codes
    line: int
    metas: Sequence[Mapping[str, Any]] | None = None
    in_line: bool = True

    def __len__(self) -> int:
        return len(self.has_url)

    def page(self, row: int, text: str) -> Page:
        """A record with its text."""
        meta, number = self.metas[row] if self.metas is not None else NO_META, self.line + row
        line = number if self.in_line else 1
        url, site = self.urls.text(row) if self.has_url[row] else None, self.sites.names[self.sites.code[row]]
        return Page(self.ids.text(row), text, self.source, None, meta, url, line, self.in_line, None, site, number)

    def part(self, begin: int, end: int) -> RecordHeads:
        """Some of them."""
        metas = self.metas[begin:end] if self.metas is not None else None
        return RecordHeads(self.source, self.ids.part(begin, end), self.urls.part(begin, end), self.has_url[begin:end],
                           Codes(self.sites.names, self.sites.code[begin:end]), self.line + begin, metas, self.in_line)


def _renumbered(known: Mapping[int, V], rows: I64) -> dict[int, V]:
    """What is known of some rows, by their new numbers."""
    return {new: known[row] for new, row in enumerate(rows.tolist()) if row in known} if known else {}


class Heads(Sequence[Page]):
    """Pages without their texts; one is made when it is asked for.

    Attributes:
        ids: As they were read.
        sites: What counts as the site of each.
        layouts: Those that the reader knows, by page.
        renamed: Other ids of some pages.
        first_row: What ``rows`` call the first record of a source.
    """

    ids: Strings
    sites: Coded
    _urls: Strings
    _sources: Coded
    _lines: array[int]
    _numbers: array[int]
    _flags: bytearray
    _titles: dict[int, str | None]
    _metas: dict[int, Mapping[str, Any]]

    def __init__(self) -> None:
        self._held: list[Page] | None = []  # instead of the columns, until one of them is asked for
        self._held_size = 0
        self.layouts, self.renamed = dict[int, Layout](), dict[int, str]()
        self.fields: tuple[str, ...] = ()
        self.first_row = 1

    def __getattr__(self, name: str) -> Any:
        if name not in COLUMNS:
            raise AttributeError(name)
        made = Heads()
        made._held, made.ids, made._urls, made._sources, made.sites = None, Strings(), Strings(), Coded(), Coded()
        made._lines, made._numbers, made._flags = array("q"), array("q"), bytearray()
        made._titles, made._metas = dict[int, str | None](), dict[int, Mapping[str, Any]]()
        made._add_columns(self._held or [])
        self.__dict__.update((column, made.__dict__[column]) for column in COLUMNS)  # whole: other threads may ask, too
        self._held = None
        return self.__dict__[name]

    def __getstate__(self) -> dict[str, Any]:
        assert self.ids is not None  # as columns: else texts would go along
        return self.__dict__

    def add_all(self, pages: Sequence[Page]) -> None:
        """Put pages at the end; their texts are left out, or for a while they are not, where they are short."""
        row, held = len(self), self._held
        self.layouts.update((row + i, page.layout) for i, page in enumerate(pages) if page.layout is not None)
        if held is not None and row + len(pages) <= HELD_PAGES:
            self._held_size += sum([len(page.text) for page in pages])
            if self._held_size <= HELD_SIZE:
                held += pages
                return
        self._add_columns(pages)

    def _add_columns(self, pages: Sequence[Page]) -> None:
        row = len(self._flags)
        self.ids.add([page.id for page in pages])
        self._urls.add([page.url or "" for page in pages])
        self._sources.add([page.source for page in pages])
        self.sites.add([page.site for page in pages])
        self._lines.extend([page.line for page in pages])
        self._numbers.extend([page.number for page in pages])
        self._flags += bytes([HAS_URL * (page.url is not None) | RECORD * page.record for page in pages])
        self._titles.update((row + i, page.title) for i, page in enumerate(pages) if page.title is not None)
        self._metas.update((row + i, page.meta) for i, page in enumerate(pages) if page.meta is not NO_META and page.meta)

    @property
    def read_ids(self) -> list[str]:
        """The ids as they were read."""
        return self.ids[:] if self._held is None else [page.id for page in self._held]

    def extend(self, records: RecordHeads) -> None:
        """Put records at the end."""
        row, count = len(self), len(records)
        self.ids.extend(records.ids)
        self._urls.extend(records.urls)
        self._sources.extend(Codes([records.source], np.zeros(count, np.int32)))
        self.sites.extend(records.sites)
        numbers = np.arange(records.line, records.line + count, dtype=np.int64)
        self._lines.frombytes((numbers if records.in_line else np.ones_like(numbers)).tobytes())
        self._numbers.frombytes(numbers.tobytes())
        self._flags += (RECORD * records.in_line | HAS_URL * records.has_url).tobytes()
        if records.metas is not None:
            self._metas.update((row + i, meta) for i, meta in enumerate(records.metas) if meta)

    def append(self, others: Heads) -> None:
        """Put pages at the end. Their other names are left out: who joins pages names them."""
        row = len(self)
        self.ids.extend(others.ids.utf8)
        self._urls.extend(others._urls.utf8)
        for mine, new in ((self._sources, others._sources), (self.sites, others.sites)):
            mine.extend(Codes(new.names, new.codes))
        self._lines.extend(others._lines)
        self._numbers.extend(others._numbers)
        self._flags += others._flags
        self._titles.update((row + at, title) for at, title in others._titles.items())
        self._metas.update((row + at, meta) for at, meta in others._metas.items())
        self.layouts.update((row + at, layout) for at, layout in others.layouts.items())

    def take(self, rows: I64) -> Heads:
        """Some of the pages, in the order given."""
        some = Heads()
        some.ids.extend(self.ids.utf8.take(rows))
        some._urls.extend(self._urls.utf8.take(rows))
        for mine, old in ((some._sources, self._sources), (some.sites, self.sites)):
            mine.extend(Codes(old.names, old.codes[rows]))
        for numbers, before in ((some._lines, self._lines), (some._numbers, self._numbers)):
            numbers.frombytes(np.array(before, np.int64)[rows].tobytes())
        some._flags += np.frombuffer(self._flags, np.uint8)[rows].tobytes()
        some._titles, some._metas = _renumbered(self._titles, rows), _renumbered(self._metas, rows)
        some.layouts, some.renamed = _renumbered(self.layouts, rows), _renumbered(self.renamed, rows)
        return some

    def id(self, row: int) -> str:
        """A page's id."""
        return self.renamed.get(row) or self.ids[row]

    def names(self, rows: Sequence[int]) -> list[str]:
        """The ids of some pages."""
        ids = self.ids.some(rows)
        return [self.renamed.get(row) or name for row, name in zip(rows, ids, strict=True)] if self.renamed else ids

    @property
    def all_names(self) -> Utf8:
        """The ids of all pages."""
        return Utf8.of(self.names(range(len(self)))) if self.renamed else self.ids.utf8

    def sources(self, rows: Sequence[int]) -> list[str]:
        """The sources of some pages."""
        return self._sources.some(rows)

    def titles(self, rows: Sequence[int]) -> list[str | None]:
        """The titles of some pages."""
        return [self._titles.get(row) for row in rows]

    def metas(self, rows: Sequence[int]) -> list[Mapping[str, Any]]:
        """The fields that some pages carry."""
        return [self._metas.get(row, NO_META) for row in rows]

    def line(self, row: int) -> int:
        """Line of the source where a page begins, from 1."""
        return self._lines[row]

    @property
    def lines(self) -> npt.NDArray[np.int64]:
        """``line`` of all pages."""
        return np.array(self._lines, np.int64)

    @property
    def rows(self) -> I64:
        """Where each page stands among the records of its source, -1 for a whole file."""
        numbers = np.array(self._numbers, np.int64)
        return np.where(numbers > 0, numbers - 1 + self.first_row, -1)

    def in_line(self, row: int) -> bool:
        """Whether a page is a record: all its places are on its line."""
        return self._flags[row] & RECORD > 0

    @property
    def is_record(self) -> npt.NDArray[np.bool_]:
        """Whether each page is a record of a larger file."""
        return (np.frombuffer(self._flags, np.uint8) & RECORD) > 0

    @property
    def has_address(self) -> npt.NDArray[np.bool_]:
        """Whether each page has an address that is not empty."""
        return np.diff(np.array(self._urls._first, np.int64)) > 0

    def __len__(self) -> int:
        return len(self._flags) if self._held is None else len(self._held)

    @overload
    def __getitem__(self, row: int) -> Page: ...
    @overload
    def __getitem__(self, row: slice) -> list[Page]: ...
    def __getitem__(self, row: int | slice) -> Page | list[Page]:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        row %= len(self)
        flags = self._flags[row]
        return Page(self.id(row), "", self._sources[row], self._titles.get(row), self._metas.get(row, NO_META),
                    self._urls[row] if flags & HAS_URL else None, self._lines[row], flags & RECORD > 0, self.layouts.get(row),
                    self.sites[row], self._numbers[row])
