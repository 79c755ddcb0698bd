"""What could not be read, and what was read but is no page: told line by line, summed up where it is the same again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dedup.model import ReadError, Skipped
from dedup.readers.words import GUESS

if TYPE_CHECKING:
    from dedup.readers.leave_out import Ignored

LINES_A_KIND = 10  # error lines of one kind in one file; the rest is counted
EXAMPLES = 10
FIELDS = 1000  # names of fields that are remembered
IN_LIST = re.compile(r"input\[\d+\]")  # a place in what a program handed over


class Notes:
    """Collects errors and skipped places while reading.

    Attributes:
        errors: Error lines so far.
        error_count: How many errors there were, those that were summed up included.
        fields: Names of fields that records have, for messages.
        ignored: What ``dedup:ignore`` comments leave out, each with id and source of its page.
    """

    def __init__(self) -> None:
        self.fields: dict[str, None] = {}
        self.errors: list[ReadError] = []
        self.error_count = 0
        self.ignored: list[tuple[str, str, Ignored]] = []
        self._kinds: Counter[tuple[str, str]] = Counter()
        self._summed: dict[tuple[str, str], int] = {}
        self._skipped: dict[str, tuple[int, tuple[str, ...]]] = {}

    def error(self, source: str, line: int | None, message: str, kind: str = "") -> None:
        """Note an error.

        Args:
            source: File or place.
            line: Line in it, from 1.
            message: Cause and what was done.
            kind: What errors like this have in common; default: the message.
        """
        self.error_count += 1
        key = ("input" if IN_LIST.fullmatch(source) else source, kind or message)
        self._kinds[key] += 1
        over = self._kinds[key] - LINES_A_KIND
        if over <= 0:
            self.errors.append(ReadError(source, line, " ".join(message.split())))
            return
        entry = ReadError(key[0], None, f"… and {over:,} more {'line' if over == 1 else 'lines'} like this ({key[1]})")
        if key in self._summed:
            self.errors[self._summed[key]] = entry
        else:
            self._summed[key] = len(self.errors)
            self.errors.append(entry)

    def decoded(self, source: str, line: int | None, how: str, what: str = "page", before: str = "") -> None:
        """Note how bytes were decoded that are not what they should be: a guess costs nothing, what is replaced is lost."""
        kind = "encoding guessed" if how.endswith(GUESS) else "characters replaced"
        self.error(source, line, f"{before}{how}; the {what} is used", kind)

    def saw(self, fields: Iterable[object]) -> None:
        """Remember which fields there are."""
        if len(self.fields) < FIELDS:
            self.fields |= dict.fromkeys(map(str, fields))

    def skip(self, reason: str, place: str) -> None:
        """Count a file, record or page that is not compared."""
        count, examples = self._skipped.get(reason, (0, ()))
        self._skipped[reason] = (count + 1, (*examples, place) if len(examples) < EXAMPLES else examples)

    def fail(self, source: str, line: int | None, message: str, reason: str) -> None:
        """An error by which a page is lost: a line, and a count under `reason`."""
        self.error(source, line, message, reason)
        self.skip(reason, f"{source}:{line}" if line else source)

    def close_file(self, source: str) -> None:
        """Forget the counts of a file that is read to its end, so that memory does not grow with the files."""
        for key in [key for key in self._kinds if key[0] == source]:
            del self._kinds[key]
            self._summed.pop(key, None)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was skipped, by reason, the most frequent first."""
        rows = [Skipped(reason, count, examples) for reason, (count, examples) in self._skipped.items()]
        return tuple(sorted(rows, key=lambda row: (-row.count, row.reason)))


def skipped_by(streams: Iterable[Any]) -> tuple[Skipped, ...]:
    """What several streams skipped, by reason."""
    by_reason: dict[str, Skipped] = {}
    for entry in (entry for stream in streams for entry in stream.skipped):
        known = by_reason.get(entry.reason, Skipped(entry.reason, 0))
        by_reason[entry.reason] = Skipped(entry.reason, known.count + entry.count,
                                          (*known.examples, *entry.examples)[:EXAMPLES])
    return tuple(sorted(by_reason.values(), key=lambda entry: (-entry.count, entry.reason)))


class Recorded(Notes):
    """Notes of a part of the input, to be told again among those of the other parts.

    Attributes:
        told: Names of methods, and what they were given.
    """

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def error(self, source: str, line: int | None, message: str, kind: str = "") -> None:
        """Note an error."""
        self.told.append(("error", (source, line, message, kind)))

    def skip(self, reason: str, place: str) -> None:
        """Count a file, record or page that is not compared."""
        self.told.append(("skip", (reason, place)))

    def close_file(self, source: str) -> None:
        """A file was read to its end."""
        self.told.append(("close_file", (source,)))


def tell_all(parts: Sequence[Recorded], notes: Notes, ordered: bool = True) -> None:
    """Note elsewhere what was noted of parts of the input.

    Args:
        ordered: In the order in which it was noted; else in that of the words.
    """
    told = [entry for part in parts for entry in part.told]
    for name, arguments in told if ordered else sorted(told, key=repr):
        getattr(notes, name)(*arguments)
    for part in parts:
        notes.ignored += part.ignored
        notes.saw(part.fields)
