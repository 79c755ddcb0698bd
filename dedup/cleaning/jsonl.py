"""JSON lines and arrays, cut inside the string that holds the text: every other byte stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from dedup.cleaning.pieces import STAYS, Cut, Gone, Piece, without
from dedup.cleaning.raw import RawLines, Tape, pieces_between
from dedup.cleaning.records import Cutter, Drop, Edits, Leave, checked_cuts, ignore, not_found, plain_cuts
from dedup.options import Options
from dedup.readers.jsonl import ArrayValue, array_values
from dedup.readers.tables import text_fields

I64 = npt.NDArray[np.int64]
Range = tuple[int, int]
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # only where values end is asked


def clean_jsonl(stream: BinaryIO, edits: Edits, options: Options, cutter: Cutter = plain_cuts,
                leave: Leave = ignore) -> Iterator[Piece]:
    """The pieces of a JSON Lines file in UTF-8. See `dedup.cleaning.records.clean_records`."""
    lines, names = RawLines(stream), text_fields(options)
    if lines.mark:
        yield Piece(lines.mark, STAYS)
    for number in sorted(edits):
        for data in lines.up_to(number):
            yield Piece(data, STAYS)
        line, edit = lines.take(), edits[number]
        if isinstance(edit, Drop):
            if not line:
                raise not_found(number, "line")
            yield Piece(line, edit.removal)
        else:
            yield from edited_object(line, number, edit, names, cutter, leave)
    for data in lines.rest():
        yield Piece(data, STAYS)


def clean_array(stream: BinaryIO, edits: Edits, options: Options, cutter: Cutter = plain_cuts,
                leave: Leave = ignore) -> Iterator[Piece]:
    """The pieces of a JSON array in UTF-8. See `dedup.cleaning.records.clean_records`.

    An element that goes takes the comma before it; where nothing stays before it, the one behind it.
    """
    tape, names = Tape(stream), text_fields(options)
    last, seen = max(edits, default=0), 0
    kept, before = False, STAYS  # whether an element stays so far; else the removal of the last one
    for number, (_, _, gap, literal) in enumerate(_values(tape, options.max_page_bytes), 1):
        if number > last and (kept or number == 1):
            break
        seen, edit = number, edits.get(number)
        space, data = tape.take(len(gap.encode())), tape.take(len(literal.encode()))
        owner = before if not kept else edit.removal if isinstance(edit, Drop) else STAYS
        yield Piece(space, owner)
        if isinstance(edit, Drop):
            before = edit.removal
            yield Piece(data, before)
            continue
        kept = True
        if edit is None:
            yield Piece(data, STAYS)
        else:
            yield from edited_object(data, number, edit, names, cutter, leave)
    if seen < last:
        raise not_found(last)
    for data in tape.rest():
        yield Piece(data, STAYS)


def _values(tape: Tape, longest: int) -> Iterator[ArrayValue]:
    """The values of an array up to its end or to what cannot be read."""
    try:
        yield from array_values(cast(BinaryIO, tape), longest)
    except ValueError:
        return


def edited_object(data: bytes, number: int, edit: Sequence[Gone], names: Sequence[str], cutter: Cutter,
                  leave: Leave) -> Iterator[Piece]:
    """The pieces of a JSON object of whose text something goes.

    Args:
        data: The object, maybe with blanks around it.
        number: Its number, for messages and `leave`.
        names: Fields that may hold the text; see `dedup.readers.tables.text_fields`.
    """
    try:
        start, end = text_range(data, names)
        value = json.loads(data[start - 1:end + 1].decode("utf-8"))
    except (ValueError, IndexError, RecursionError):
        raise not_found(number) from None
    literal = data[start:end]
    firsts = code_point_firsts(literal)

    def damage(cuts: Sequence[Cut]) -> str:
        stays = b"".join(piece.data for piece in pieces_between(literal, _of_bytes(cuts, firsts)) if piece.removal == STAYS)
        same = json.loads((b'"%b"' % stays).decode()) == without(value, cuts)
        return "" if same else "it would join two halves of a character"

    cuts, left = (found := checked_cuts(value, edit, cutter, damage)).cuts, found.left
    for entry in left:
        leave(number, entry)
    yield from pieces_between(data, _of_bytes(cuts, firsts, start))


def _of_bytes(cuts: Sequence[Cut], firsts: I64 | None, shift: int = 0) -> list[Cut]:
    """Cuts of a value as cuts of its notation, which begins at `shift`."""
    if firsts is None:
        return [Cut(a + shift, b + shift, removal) for a, b, removal in cuts]
    return [Cut(int(firsts[a]) + shift, int(firsts[b]) + shift, removal) for a, b, removal in cuts]


def text_range(data: bytes, names: Sequence[str]) -> Range:
    """Where the string stands in an object, without its quotes, that is the first there is of some fields.

    Raises:
        ValueError: There is none, or the object is not valid JSON.

    >>> text_range(b'{"a": 1, "text": "x"}', ["text"])
    (18, 19)
    """
    text = data.decode("latin-1")  # one character a byte, so that places are those of bytes
    members = _members(text, _blank(text, 0))
    for name in names:
        found = members.get(name) or _nested(text, members, name)
        if found is None:
            continue
        start, end = found
        if text[start] != '"':
            raise ValueError("the text is no string")
        return start + 1, end - 1
    raise ValueError("no text field")


def _nested(text: str, members: dict[str, Range], path: str) -> Range | None:
    """The value at a dotted path, or ``None``."""
    first, *steps = path.split(".")
    found = members.get(first)
    for step in steps:
        if found is None or text[found[0]] != "{":
            return None
        found = _members(text, found[0]).get(step)
    return found


def _members(text: str, at: int) -> dict[str, Range]:
    """Where the values of an object's members stand; of several of one name the last one, as parsers do.

    Raises:
        ValueError: It is no object.
    """
    if text[at:at + 1] != "{":
        raise ValueError("no object")
    members: dict[str, Range] = {}
    at = _blank(text, at + 1)
    while text[at:at + 1] == '"':
        key, behind = _DECODER.raw_decode(text, at)
        if not key.isascii():
            key = json.loads(text[at:behind].encode("latin-1").decode("utf-8"))
        start = _blank(text, _blank(text, behind) + 1)
        _, end = _DECODER.raw_decode(text, start)
        members[key] = start, end
        at = _blank(text, end)
        at = _blank(text, at + 1) if text[at:at + 1] == "," else at
    if text[at:at + 1] != "}":
        raise ValueError("the object does not end")
    return members


def _blank(text: str, at: int) -> int:
    """Where the blanks from here end."""
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def code_point_firsts(literal: bytes) -> I64 | None:
    r"""First byte of each code point of the text that a JSON string stands for, and the string's length.

    Args:
        literal: A valid JSON string in UTF-8, without its quotes.

    Returns:
        ``int64``, one longer than the text; ``None`` where every byte is a code point.

    >>> code_point_firsts(b"a\\nb").tolist()
    [0, 1, 3, 4]
    """
    if literal.isascii() and b"\\" not in literal:
        return None
    data = np.frombuffer(literal, np.uint8)
    first = (data & 0xc0) != 0x80
    if b"\\" in literal:
        _join_escapes(data, first)
    return np.append(np.flatnonzero(first), len(literal))


def _join_escapes(data: npt.NDArray[np.uint8], first: npt.NDArray[np.bool_]) -> None:
    """Clear the flags of bytes inside escapes; two halves of a character are one."""
    escapes = _escapes(np.flatnonzero(data == 0x5c))
    first[escapes + 1] = False
    long = escapes[data[escapes + 1] == ord("u")]
    for i in range(2, 6):
        first[long + i] = False
    half = long[(data[long + 2] | 0x20) == ord("d")]
    second = data[half + 3] | 0x20  # digits stay, letters become small ones
    high, low = (second >= ord("8")) & (second < ord("c")), second >= ord("c")
    first[half[1:][high[:-1] & low[1:] & (half[1:] - half[:-1] == 6)]] = False


def _escapes(slashes: I64) -> I64:
    """Of the places of all backslashes those that begin an escape: every second one of a run."""
    index = np.arange(len(slashes))
    begins = np.ones(len(slashes), bool)
    begins[1:] = slashes[1:] - slashes[:-1] != 1
    run = np.maximum.accumulate(index * begins)
    begin: I64 = slashes[(index - run) % 2 == 0]
    return begin
