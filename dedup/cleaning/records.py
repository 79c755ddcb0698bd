"""What the cleaners of records share: how records are found again, and cuts that leave a record's notation sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from dedup.cleaning.pieces import Cut, Cuts, Gone, Left, Piece
from dedup.errors import InputError
from dedup.options import Options


class Drop(NamedTuple):
    """A record that goes as a whole.

    Attributes:
        removal: As in ``Gone``.
    """

    removal: int


Edit = Drop | Sequence[Gone]
Edits = Mapping[int, Edit]  # by ``Page.number``
Cutter = Callable[[str, Sequence[Gone]], Cuts]
Leave = Callable[[int, Left], None]  # told of what stays after all, with the number of its record


def plain_cuts(source: str, gone: Sequence[Gone]) -> Cuts:
    """The cuts of a text that take just what is to go."""
    return Cuts(tuple(Cut(*stretch) for stretch in sorted(gone)))


def ignore(number: int, left: Left) -> None:
    """Tell nobody of what stays after all."""


def clean_records(stream: BinaryIO, form: str, edits: Edits, options: Options, cutter: Cutter = plain_cuts,
                  leave: Leave = ignore) -> Iterator[Piece]:
    """The pieces of a file of records.

    Args:
        stream: Its content, decompressed.
        form: "jsonl", "json" (an array), "csv" or "tsv".
        edits: What goes, by the number of the record.
        options: The settings with which it was read: they say which field holds the text.
        cutter: Makes cuts of a text field's value of what is to go of its page.
        leave: Called with what was to go and stays.

    Raises:
        InputError: A record is not where it was when the file was read.
    """
    from dedup.cleaning.raw import in_utf8

    if form in ("jsonl", "json"):
        from dedup.cleaning.jsonl import clean_array, clean_jsonl

        clean = clean_jsonl if form == "jsonl" else clean_array
        return in_utf8(stream, lambda content: clean(content, edits, options, cutter, leave))
    from dedup.cleaning.csv import clean_csv

    return in_utf8(stream, lambda content: clean_csv(content, form, edits, options, cutter, leave))


class Values:
    """A cutter that cuts nothing and notes the text fields that it is shown."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def __call__(self, source: str, gone: Sequence[Gone]) -> Cuts:
        """Note a value, under the number of its removal."""
        self.found.append((gone[0].removal, source))
        return Cuts(())

    def taken(self) -> list[tuple[int, str]]:
        """What was noted since it was asked for the last time."""
        found, self.found = self.found, []
        return found


def asked(numbers: Mapping[int, int]) -> dict[int, Edit]:
    """Edits by which ``Values`` are shown the text fields of some records.

    Args:
        numbers: What each record's value is noted under.
    """
    return {number: [Gone(0, 0, name)] for number, name in numbers.items()}


def not_found(number: int, what: str = "record") -> InputError:
    """The error for a record that is not where it was."""
    return InputError(f"{what} {number:,} is not what was scanned", mend="The file has changed since; scan it again.")


def checked_cuts(value: str, edit: Sequence[Gone], cutter: Cutter, damage: Callable[[Sequence[Cut]], str]) -> Cuts:
    """The cuts of a value that leave what is around it sound.

    A removal goes or stays as a whole. Where all cannot go together, each is tried with those that went before it.

    Args:
        value: The text field's value.
        edit: What is to go of its page.
        damage: What some cuts would do to the record: a reason to leave them, or nothing.
    """
    found = cutter(value, edit)
    if found.cuts and found.cuts[-1].end > len(value):
        raise InputError("a text is shorter than what is to go of it", mend="The file has changed; scan it again.")
    if not damage(found.cuts):
        return found
    kept: list[Cut] = []
    left = list(found.left)
    for removal in dict.fromkeys(cut.removal for cut in found.cuts):
        trial = sorted([*kept, *(cut for cut in found.cuts if cut.removal == removal)])
        reason = damage(trial)
        if reason:
            left += left_of(edit, reason, removal)
        else:
            kept = trial
    return Cuts(tuple(kept), tuple(left))


def left_of(edit: Edit, reason: str, removal: int | None = None) -> list[Left]:
    """What is left of an edit, or of one removal in it. A whole record is ``0, 0``."""
    if isinstance(edit, Drop):
        return [Left(0, 0, edit.removal, reason)]
    return [Left(*gone, reason) for gone in edit if removal is None or gone.removal == removal]
