"""What keeps an index: the few verbs that adding, checking and looking after it need, whatever lies beneath."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from dedup.index.affine32 import Sketched
from dedup.index.recipe import Recipe
from dedup.index.records import Packer, Record, Stored
from dedup.index.segments import Found, Rows

if TYPE_CHECKING:
    from dedup.engines.local import LocalEngine

U64 = npt.NDArray[np.uint64]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Info:
    """Figures of an index.

    Attributes:
        place: Where it lies.
        pages, text_bytes: What it holds.
        file_bytes: Its size, what is in its log included.
        levels: What pages are found by.
        settings: Those that are not as they would be anyway.
        rows: Postings of each kind.
        segments: Sorted runs that they lie in: each look-up goes through all of a level.
        removed: Pages that are gone and still have postings, until it is compacted.
        format: Of the file.
    """

    place: str
    pages: int
    text_bytes: int
    file_bytes: int
    levels: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    segments: int = 0
    removed: int = 0
    format: int = 1


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of looking at all of an index.

    Attributes:
        pages: That were looked at.
        problems: What is not as it should be, a line each; none where all is well.
    """

    pages: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return not self.problems


Passes = Callable[[I64, U32], npt.NDArray[np.bool_]]  # which places count: of numbers of keys, and extras
ENOUGH = 256  # pages of one key


class StoppedError(Exception):
    """What was begun is not to go on: nobody hears of it."""


def never() -> bool:
    """Nothing is to be stopped."""
    return False


class Snapshot(Protocol):
    """An index as it is at one moment; what others write meanwhile is not seen."""

    @property
    def pages(self) -> int:
        """How many there are."""

    @property
    def packer(self) -> Packer:
        """Packs and unpacks texts."""

    def find(self, level: int, keys: U64, names: Mapping[int, tuple[int, bytes]], passes: Passes | None = None) -> Found:
        """The places of keys, ascending and each once, on pages that are there.

        Args:
            names: Band and bytes of keys that stand for those, in datasketch's storages.
            passes: Which places count; else all do.

        Returns:
            All places, but of a key that very many have at least those on ``ENOUGH`` pages; unless even ``DEEPEST`` chunks of
            postings hold too few that count.
        """

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """Records of pages that are there.

        Raises:
            DamagedIndexError: One is not what was stored, or is missing.
        """

    def pages_of(self, numbers: Sequence[int]) -> list[Stored]:
        """Pages that are there, as they were when they were stored, without and with their texts.

        Args:
            numbers: They ascend.

        Raises:
            DamagedIndexError: One is not what was stored, or is missing.
        """

    def numbers_of(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """The pages that have these ids; an id that no page has is left out."""

    def all_records(self) -> Iterator[Record]:
        """All pages, in the order in which they were added."""


class Writer(Snapshot, Protocol):
    """An index that this process alone writes to, until it is done."""

    def add(self, records: Sequence[Record], keys: Mapping[int, Rows | Sketched]) -> None:
        """Pages that are numbered from 0 on, with their keys."""

    def remove(self, numbers: Sequence[int]) -> None:
        """Take pages away, which are there."""

    def learn(self, dictionary: bytes) -> None:
        """Pack what comes with another dictionary."""


class Store(Protocol):
    """Where an index lies."""

    @property
    def recipe(self) -> Recipe:
        """What it is made by."""

    @property
    def name(self) -> str:
        """The index, for messages."""

    def reading(self, alone: bool = False) -> AbstractContextManager[Snapshot]:
        """Look at it.

        Args:
            alone: For a long time, while this thread may do other things with it.
        """

    def writing(self) -> AbstractContextManager[Writer]:
        """Write to it: all of it or nothing. What was written is there when this ends, whatever then happens to the process.

        Raises:
            BusyIndexError: Somebody else writes for too long.
            OutputError: There is no room, or nobody may write there.
        """

    def settle(self, stopped: Callable[[], bool] = never, more: bool = False) -> None:
        """Do what makes look-ups quick after something was written.

        Args:
            stopped: Says whether to leave the rest undone, for the next time.
            more: More is to be written soon: leave what would be done again then.
        """

    def info(self) -> Info:
        """Figures."""

    def verify(self, engine: LocalEngine) -> Verified:
        """Look at all that it holds."""

    def compact(self) -> None:
        """Make look-ups quick, and what holds it small."""

    def close(self) -> None:
        """Give back what is held open."""
