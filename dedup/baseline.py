"""What is known to repeat and accepted: a file of one line a passage, which a scan is held against.

::

    {"format": "dedup-baseline/1"}
    {"fingerprint": "0:1f0c...", "copies": 2, "text": "the beginning of the passage", "pages": ["a.md", "b.md"]}

An entry may also carry ``reason`` and ``date``, written by whoever accepts it. Lines are sorted by fingerprint, so that two
branches that each add some can be merged; what both have stands twice then, and counts once.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dedup.errors import InputError, OutputError
from dedup.fingerprints import Fingerprint
from dedup.model import Group

FORMAT = "dedup-baseline/1"
VIEWED = f'{{"format": "{FORMAT}", "passages": ['  # how the list of ignored passages of viewer/ begins
SAME = 0.6  # of a passage's fingerprint that an entry has to hold
TEXT_CHARS, MOST_PAGES = 60, 20  # of an entry, for people to read


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage that is known to repeat.

    Attributes:
        copies: How often it stood when it was accepted.
        text: Its beginning.
        pages: Ids of pages where it stood, sorted: up to twenty.
        reason, date: Why and when it was accepted, if somebody wrote it down; a date is YYYY-MM-DD.
    """

    fingerprint: Fingerprint
    copies: int
    text: str = ""
    pages: tuple[str, ...] = ()
    reason: str = ""
    date: str = ""

    @classmethod
    def of(cls, group: Group, fingerprint: Fingerprint) -> Entry:
        """An entry that accepts a group as it is."""
        pages = sorted({occurrence.page for occurrence in group.occurrences})
        return cls(fingerprint, group.count, " ".join(group.text.split())[:TEXT_CHARS], tuple(pages[:MOST_PAGES]))

    def line(self) -> str:
        """The entry as it is written."""
        row: dict[str, Any] = {"fingerprint": str(self.fingerprint), "copies": self.copies, "text": self.text,
                               "pages": list(self.pages)}
        row |= {name: value for name, value in (("reason", self.reason), ("date", self.date)) if value}
        return json.dumps(row, ensure_ascii=False)


class Baseline:
    """The passages that are known.

    Attributes:
        entries: Sorted by fingerprint.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        known: dict[str, Entry] = {}
        for entry in entries:
            before = known.setdefault(str(entry.fingerprint), entry)
            if before is not entry:  # of two branches
                known[str(entry.fingerprint)] = replace(
                    before, copies=max(before.copies, entry.copies), reason=before.reason or entry.reason,
                    date=before.date or entry.date)
        self.entries: Sequence[Entry] = [known[name] for name in sorted(known)]
        self._exactly = {entry.fingerprint: number for number, entry in enumerate(self.entries)}
        self._scales = sorted({entry.fingerprint.scale for entry in self.entries})
        self._holding: dict[int, list[int]] = {}
        for number, entry in enumerate(self.entries):
            for value in entry.fingerprint.hashes:
                self._holding.setdefault(value, []).append(number)

    def entry_of(self, fingerprint: Fingerprint, copies: int = 0) -> int | None:
        """Number of the entry of a passage, else of the one that holds most of it; of several the one with most copies.

        Args:
            copies: How often it stands: an entry that allows so many goes before one that does not.
        """
        own = self._exactly.get(fingerprint)
        if own is not None and self.entries[own].copies >= copies:
            return own
        shares = [(self.entries[number].copies >= copies, share, self.entries[number].copies, -number)
                  for number in self._candidates(fingerprint)
                  if (share := fingerprint.inside(self.entries[number].fingerprint)) >= SAME]
        enough, _, _, number = max(shares, default=(False, 0.0, 0, 0))
        return -number if enough or (own is None and shares) else own

    def _candidates(self, fingerprint: Fingerprint) -> set[int]:
        """Numbers of entries among which are all that may hold enough of a passage.

        An entry that holds three fifths of a sample holds one of any two fifths and one more of it, so of the rarest: what
        every page says leads nowhere (prefix filtering; Chaudhuri et al., "A primitive operator for similarity joins", 2006).
        """
        out = set[int]()
        for scale in (fingerprint.scale, *(scale for scale in self._scales if scale > fingerprint.scale)):
            values = sorted(fingerprint.at(scale), key=lambda value: (len(self._holding.get(value, ())), value))
            for value in values[:len(values) - math.ceil(SAME * len(values) - 1e-9) + 1]:
                out.update(self._holding.get(value, ()))
        return out

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read a file.

        Raises:
            InputError: It cannot be read, is no baseline, or was written by a newer version; with the line.
        """
        try:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except UnicodeDecodeError:
            raise InputError("is no UTF-8, so no baseline", str(path)) from None
        except OSError as error:
            raise InputError(f"the baseline cannot be read ({error.strerror or error})", str(path),
                             "Write one with --update-baseline.") from error
        _check_format(path, lines[0])
        return cls(_entry(line, f"{path}:{number}") for number, line in enumerate(lines[1:], 2)
                   if line.strip() and not _is_format(line))

    def write(self, path: Path) -> None:
        """Write the file; it is whole or as it was before.

        Raises:
            OutputError: It cannot be written.
        """
        from dedup.report.json import replaced_file

        if not path.absolute().parent.is_dir():
            raise OutputError("cannot be written: there is no such folder", str(path))
        with replaced_file(path) as file:
            file.write("".join(f"{line}\n" for line in (json.dumps({"format": FORMAT}), *(e.line() for e in self.entries)))
                       .encode("utf-8", "backslashreplace"))  # lone surrogates, as JSON writes them


def _is_format(line: str) -> bool:
    """Whether it is the first line of a file: of two that were put together there are two."""
    return line.strip() == json.dumps({"format": FORMAT})


def _check_format(path: Path, line: str) -> None:
    try:
        written = json.loads(line)["format"]
    except (ValueError, TypeError, KeyError):
        written = None
    if written == FORMAT:
        return
    name, _, number = written.partition("/") if isinstance(written, str) else ("", "", "")
    if name == FORMAT.split("/", 1)[0] and number.isdigit():
        raise InputError(f"the baseline is of a newer format ({written}); this version reads {FORMAT}", f"{path}:1",
                         "Update dedup, or write the baseline anew.")
    if line.startswith(VIEWED):
        raise InputError("is the list of passages that were ignored in a report in the browser, whose fingerprints are "
                         "others", f"{path}:1", "Write a baseline with --update-baseline.")
    raise InputError("is no baseline", f"{path}:1", "Write one with --update-baseline.")


def _entry(line: str, where: str) -> Entry:
    try:
        row = json.loads(line)
        fingerprint, copies = Fingerprint.read(row["fingerprint"]), row["copies"]
        texts = [row.get(name, "") for name in ("text", "reason", "date")]
        pages = tuple(row.get("pages", ()))
        if type(copies) is not int or copies < 1:
            raise ValueError("copies is no count")
        if not all(isinstance(text, str) for text in (*texts, *pages)):
            raise ValueError("text, reason, date and pages are strings")
        if texts[2]:
            datetime.date.fromisoformat(texts[2])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        marks = line.startswith(("<<<<<<<", "=======", ">>>>>>>"))
        why = "a merge was not finished" if marks else f"{type(error).__name__}: {error}"
        raise InputError(f"is no entry of a baseline ({why})", where, "Mend the line, or write the baseline anew.") from None
    return Entry(fingerprint, copies, texts[0], pages, texts[1], texts[2])
