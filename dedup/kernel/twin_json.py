"""Plain twin of ``json.hpp``: the records of JSON lines."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from dedup.kernel.twin_lines import check_ascending

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

ABSENT, PLAIN, OTHER = 0, 1, 2  # what stands in a wanted field
MOST_NESTED = 60  # objects and arrays in each other, in one field
INTEGER_DIGITS, EXPONENT_DIGITS, NUMBER_BYTES = 18, 2, 64
_BLANKS = re.compile(r"[ \t\r]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def json_records(lines: U8, names: U8, name_first: I64, texts: int) -> tuple[I64, U8, U8, I64, I64, U8, I64]:
    r"""Where the wanted fields of JSON objects stand, one a line, and their texts.

    A line is taken where it is one object of valid JSON in UTF-8 with a string in its first text field, and nothing in it
    is read differently by one parser and another: no lone surrogate, no escape in a key of the object, no wanted field
    twice, no number that is out of the usual range, nothing nested deeply. Any other line, an empty one too, is left.

    Args:
        lines: Lines that end in LF; the last one need not.
        names: Names of the wanted fields, one after the other, no two equal; `name_first` is one longer than they are many.
        texts: How many of them, from the first, may hold the text; the first one that is there does.

    Returns:
        First byte of each line, one longer than the lines; whether each was taken; of each line's fields what stands
        there (0 nothing, 1 a string without escapes, 2 any other value), its first byte and the one behind it, without
        the quotes of the former; all texts, unescaped, and first byte of each line's, one longer than the lines.

    >>> found = json_records(np.frombuffer(b'{"text": "a\\n", "id": 7}\n[]\n', np.uint8),
    ...                      np.frombuffer(b"textid", np.uint8), np.array([0, 4, 6]), 1)
    >>> [column.tolist() for column in found]
    [[0, 25, 28], [1, 0], [2, 2, 0, 0], [9, 22, 0, 0], [14, 23, 0, 0], [97, 10], [0, 2, 2]]
    """
    if not len(name_first):
        raise ValueError("name_first must be one longer than the names")
    check_ascending(name_first, len(names), "name_first")
    if not 0 <= texts < len(name_first):
        raise ValueError("texts must be from 0 to the number of names")
    raw = names.tobytes()
    wanted = [raw[a:b] for a, b in zip(name_first[:-1].tolist(), name_first[1:].tolist(), strict=True)]
    data, line, first, good, text = lines.tobytes(), [0], [0], [], bytearray()
    cells: list[tuple[int, int, int]] = []
    for stretch in _split(data):
        row, own = [(ABSENT, 0, 0)] * len(wanted), None
        try:
            found = _fields(stretch.removesuffix(b"\n"), wanted)
            own = next((value for name in wanted[:texts] if (value := found.get(name)) is not None), None)
            if own is not None and isinstance(own[3], str):
                row = [(kind, line[-1] + a, line[-1] + b) if kind else (ABSENT, 0, 0)
                       for kind, a, b, _ in (found.get(name, (ABSENT, 0, 0, None)) for name in wanted)]
                text += own[3].encode()
            else:
                own = None
        except (ValueError, RecursionError):
            own = None
        good.append(own is not None)
        cells += row
        line.append(line[-1] + len(stretch))
        first.append(len(text))
    kind, start, end = (np.array(column, np.int64) for column in (zip(*cells, strict=True) if cells else ((), (), ())))
    return (np.array(line, np.int64), np.array(good, np.uint8), kind.astype(np.uint8), start, end,
            np.frombuffer(bytes(text), np.uint8), np.array(first, np.int64))


def _split(data: bytes) -> list[bytes]:
    """Lines with their LF."""
    found = [line + b"\n" for line in data.split(b"\n")]
    found[-1] = found[-1][:-1]
    return found if found[-1] else found[:-1]


def _fields(line: bytes, wanted: list[bytes]) -> dict[bytes, tuple[int, int, int, Any]]:
    """The wanted fields of a line: kind, first byte, byte behind it, value.

    Raises:
        ValueError: The line is not to be taken.
    """
    line.decode()
    text = line.decode("latin-1")  # one character a byte, so that places are those of bytes
    found: dict[bytes, tuple[int, int, int, Any]] = {}
    at = _behind(text, 0, "{")
    while True:
        start = _behind(text, at, '"')
        key, at = _DECODER.raw_decode(text, start - 1)
        if at - 1 - start != len(key):
            raise ValueError("an escape in a key")
        start = _blank(text, _behind(text, at, ":"))
        try:
            value, at = _DECODER.raw_decode(text, start)
        except StopIteration:
            raise ValueError("no value") from None
        _check(value, 0)
        name = key.encode("latin-1")
        if name in wanted:
            if name in found:
                raise ValueError("twice in one record")
            if isinstance(value, str):
                value = json.loads(line[start:at].decode())
            plain = isinstance(value, str) and b"\\" not in line[start:at]
            found[name] = (PLAIN, start + 1, at - 1, value) if plain else (OTHER, start, at, value)
        at = _blank(text, at)
        if text[at:at + 1] != ",":
            break
        at += 1
    if _blank(text, _behind(text, at, "}")) != len(text):
        raise ValueError("more behind the object")
    return found


def _blank(text: str, at: int) -> int:
    """Where the blanks from here end."""
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _behind(text: str, at: int, sign: str) -> int:
    """The place behind a sign that has to come next."""
    at = _blank(text, at)
    if text[at:at + 1] != sign:
        raise ValueError(f"no {sign}")
    return at + 1


class _Object(list[Any]):
    """Keys and values of a nested object, all of them."""


def _check(value: Any, depth: int) -> None:
    """Refuse lone surrogates and what is nested deeply."""
    if isinstance(value, str) and _SURROGATE.search(value):
        raise ValueError("a lone surrogate")
    if isinstance(value, list):
        if depth == MOST_NESTED:
            raise ValueError("nested too deeply")
        for item in value:
            for part in item if isinstance(value, _Object) else (item,):
                _check(part, depth + 1)


def _number(text: str) -> int:
    """Refuse a number that is out of the usual range, and NaN and Infinity."""
    integer, _, exponent = text.lower().partition("e")
    if len(text) > NUMBER_BYTES or text.strip("-")[:1] not in "0123456789":
        raise ValueError("an unusual number")
    if len(integer.strip("-").partition(".")[0]) > INTEGER_DIGITS or len(exponent.strip("+-")) > EXPONENT_DIGITS:
        raise ValueError("an unusual number")
    return 0


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_number, object_pairs_hook=_Object)
