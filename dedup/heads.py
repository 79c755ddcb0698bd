"""Pages without their texts, as columns: there may be a hundred million of them, and most are never looked at one by one."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from dedup.model import NO_META, Layout, Page

HAS_URL, RECORD = 1, 2  # bits of a page's flags


class Strings(Sequence[str]):
    """A column of strings that grows at its end: UTF-8 (a lone surrogate in three bytes), one after the other."""

    def __init__(self) -> None:
        self._data, self._first = bytearray(), array("q", [0])

    def extend(self, strings: Sequence[str]) -> None:
        """Put strings at the end."""
        joined = "".join(strings)
        data = joined.encode("utf-8", "surrogatepass")
        lengths = map(len, strings) if len(data) == len(joined) else map(len, map(_utf8, strings))
        self._first.extend(itertools.accumulate(lengths, initial=self._first.pop()))
        self._data += data

    def encoded(self, row: int) -> bytes:
        """A string in UTF-8."""
        return bytes(self._data[self._first[row]:self._first[row + 1]])

    def __len__(self) -> int:
        return len(self._first) - 1

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            rows = range(*row.indices(len(self)))
            return self._some(rows.start, rows.stop) if rows.step == 1 else [self[i] for i in rows]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return self.encoded(row % len(self)).decode("utf-8", "surrogatepass")

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

    def extend(self, strings: Sequence[str]) -> None:
        """Put strings at the end."""
        for new in dict.fromkeys(strings):
            if new not in self._known:
                self._known[new] = len(self.names)
                self.names.append(new)
        self._codes.extend(map(self._known.__getitem__, strings))

    def some(self, begin: int, end: int) -> list[str]:
        """The strings from one to before another one."""
        return [self.names[code] for code in self._codes[begin:end]]

    @property
    def codes(self) -> npt.NDArray[np.int32]:
        """Index of each string into ``names``."""
        return np.array(self._codes, np.int32)

    def __getitem__(self, row: int) -> str:
        return self.names[self._codes[row]]


@dataclass(slots=True)
class RecordHeads:
    """Records of one file that follow each other, without their texts.

    Attributes:
        source: The file.
        ids, urls, sites: Of each record.
        line: Of the first one; they are one line each, and their numbers are their lines.
        metas: Carried fields of each record; ``None`` where none are carried.
    """

    source: str
    ids: list[str]
    urls: list[str | None]
    sites: list[str]
    line: int
    metas: Sequence[Mapping[str, Any]] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def page(self, row: int, text: str) -> Page:
        """A record with its text."""
        meta, line = self.metas[row] if self.metas is not None else NO_META, self.line + row
        return Page(self.ids[row], text, self.source, None, meta, self.urls[row], line, True, None, self.sites[row], line)

    def part(self, begin: int, end: int) -> RecordHeads:
        """Some of them."""
        metas = self.metas[begin:end] if self.metas is not None else None
        return RecordHeads(self.source, self.ids[begin:end], self.urls[begin:end], self.sites[begin:end], self.line + begin,
                           metas)


class Heads(Sequence[Page]):
    """Pages without their texts; one is made when it is asked for.

    Attributes:
        ids: As they were read.
        sites: What counts as the site of each.
        layouts: Those that the reader knows, by page.
        renamed: Other ids of some pages.
    """

    def __init__(self) -> None:
        self.ids, self._urls, self._sources, self.sites = Strings(), Strings(), Coded(), Coded()
        self._lines, self._numbers, self._flags = array("q"), array("q"), bytearray()
        self._titles, self._metas = dict[int, str | None](), dict[int, Mapping[str, Any]]()
        self.layouts, self.renamed = dict[int, Layout](), dict[int, str]()

    def add(self, page: Page) -> None:
        """Put a page at the end; its text is left out."""
        row = len(self)
        self.ids.extend([page.id])
        self._urls.extend([page.url or ""])
        self._sources.extend([page.source])
        self.sites.extend([page.site])
        self._lines.append(page.line)
        self._numbers.append(page.number)
        self._flags.append(HAS_URL * (page.url is not None) | RECORD * page.record)
        for known, value in ((self._titles, page.title), (self._metas, page.meta or None), (self.layouts, page.layout)):
            if value is not None:
                known[row] = value  # type: ignore[assignment]

    def extend(self, records: RecordHeads) -> None:
        """Put records at the end."""
        row, count = len(self), len(records)
        self.ids.extend(records.ids)
        self._urls.extend([url or "" for url in records.urls])
        self._sources.extend([records.source] * count)
        self.sites.extend(records.sites)
        lines = np.arange(records.line, records.line + count, dtype=np.int64).tobytes()
        self._lines.frombytes(lines)
        self._numbers.frombytes(lines)
        self._flags += bytes([RECORD | HAS_URL * (url is not None) for url in records.urls])
        if records.metas is not None:
            self._metas.update((row + i, meta) for i, meta in enumerate(records.metas) if meta)

    def id(self, row: int) -> str:
        """A page's id."""
        return self.renamed.get(row) or self.ids[row]

    def names(self, begin: int, end: int) -> list[str]:
        """The ids of the pages from one to before another one."""
        ids = self.ids[begin:end]
        for row in self.renamed.keys() & range(begin, end) if self.renamed else ():
            ids[row - begin] = self.renamed[row]
        return ids

    def sources(self, begin: int, end: int) -> list[str]:
        """The sources of the pages from one to before another one."""
        return self._sources.some(begin, end)

    def titles(self, begin: int, end: int) -> list[str | None]:
        """The titles of the pages from one to before another one."""
        return [self._titles.get(row) for row in range(begin, end)]

    def metas(self, begin: int, end: int) -> list[Mapping[str, Any]]:
        """The fields that the pages carry from one to before another one."""
        return [self._metas.get(row, NO_META) for row in range(begin, end)]

    def line(self, row: int) -> int:
        """Line of the source where a page begins, from 1."""
        return self._lines[row]

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
        return len(self._flags)

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
