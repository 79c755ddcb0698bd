"""Lines of a report made from columns, many at a time: the kernel writes the cells, here they are named.

A report that was read from a file has objects instead: ``json`` and ``tables`` write those one by one, to the same bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.groups import KINDS
from dedup.heads import Utf8
from dedup.kernel import kernel
from dedup.verdict_kinds import NAMES

if TYPE_CHECKING:
    from concurrent.futures import Future

    from dedup.engines.local import Done
    from dedup.findings import Findings, GroupColumns

T = TypeVar("T")
U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NUMBER, RAW, JSON, CSV = range(4)  # kinds of cells, see ``kernel.write_rows``
NO_BYTES = np.empty(0, np.uint8)


class Strings(NamedTuple):
    """A column of strings, each a range of some bytes; a negative start where one is missing."""

    data: U8
    start: I64
    end: I64

    @classmethod
    def of(cls, pool: Utf8, rows: I64) -> Strings:
        """Strings of a pool by their numbers; a negative one where one is missing."""
        there = np.maximum(rows, 0)
        if not len(pool.first) > 1:
            return cls(NO_BYTES, np.full(len(rows), -1), there)
        return cls(pool.data, np.where(rows < 0, -1, pool.first[there]), pool.first[there + 1])

    def where(self, there: Flags) -> Strings:
        """The same, missing elsewhere."""
        return self._replace(start=np.where(there, self.start, -1))


class Field(NamedTuple):
    """A cell of each row and what stands around it, as ``kernel.write_rows`` takes it."""

    kind: int
    before: bytes
    after: bytes
    missing: bytes
    data: U8
    start: I64
    end: I64


def number(before: bytes, values: I64, missing: bytes = b"") -> Field:
    """Numbers from 0; a negative one is missing."""
    return Field(NUMBER, before, b"", missing, NO_BYTES, values, values)


def text(kind: int, before: bytes, strings: Strings, after: bytes = b"", missing: bytes = b"") -> Field:
    """Strings."""
    return Field(kind, before, after, missing, *strings)


def said(words: bytes, where: Flags) -> Field:
    """The same words in some of the rows."""
    return text(RAW, words, Strings(NO_BYTES, np.where(where, 0, -1), np.zeros(len(where), np.int64)))


def floats(values: F64, encode: Callable[[float], bytes]) -> Strings:
    """Numbers as they are written, each different one once; NaN is missing."""
    if len(values) and (values == values[0]).all():  # of exact copies, all are 1
        different, row = values[:1], np.zeros(len(values), np.int64)
    else:
        different, row = np.unique(values, return_inverse=True)
    row = np.where(np.isnan(values), -1, row)
    return Strings.of(pool([encode(value) for value in different.tolist()]), row)


def of_some(known: Mapping[int, T], rows: I64, encode: Callable[[T], bytes]) -> Strings:
    """What is known of a few rows; the others miss it."""
    number = {row: i for i, row in enumerate(known)}
    at = np.array([number.get(row, -1) for row in rows.tolist()], np.int64) if known else np.full(len(rows), -1)
    return Strings.of(pool([encode(value) for value in known.values()]), at)


def pool(strings: Sequence[bytes]) -> Utf8:
    """Strings by number."""
    first = np.zeros(len(strings) + 1, np.int64)
    np.cumsum([len(string) for string in strings], out=first[1:])
    return Utf8(np.frombuffer(b"".join(strings), np.uint8), first)


KIND_NAMES, VERDICT_NAMES, TRUTHS = (pool([name.encode() for name in names]) for names in (KINDS, NAMES, ("false", "true")))


def written(fields: Sequence[Field]) -> tuple[U8, I64]:
    """The rows, and where each begins."""
    return kernel.write_rows(fields)


def lists(first: I64, rows: tuple[U8, I64]) -> Strings:
    """Rows that each begin with a comma, those of a list together: list i has ``first[i]`` to ``first[i + 1]``."""
    data, begin = rows
    start, end = begin[first[:-1]], begin[first[1:]]
    return Strings(data, np.minimum(start + 1, end), end)


def batches(findings: Findings, write: Callable[[GroupColumns], T]) -> Iterator[T]:
    """What is written of all groups, in order; threads make some batches ahead."""
    findings.prepare()
    engine, ahead = findings.engine, deque["Future[T] | Done[T]"]()

    def written_batch(groups: I64) -> T:
        out = write(findings.columns(groups))
        kernel.relieve_memory()
        return out
    with engine:
        for groups in findings.batches(len(findings.table)):
            ahead.append(engine.begin(partial(written_batch, groups)))
            if len(ahead) > engine.threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
