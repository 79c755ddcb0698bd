"""Columns of tables, and how JSON Lines and CSV write them; ``arrow`` takes the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.report.json import encode
from dedup.report.rows import CSV, JSON, RAW, TRUTHS, Field, Strings, floats, lists, number, said, text, written

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]


class Numbers(NamedTuple):
    """Whole numbers from 0; a negative one is missing."""

    values: I64


class Floats(NamedTuple):
    """Numbers; NaN is missing."""

    values: F64


class Truths(NamedTuple):
    """True or false."""

    values: npt.NDArray[np.bool_]


class Text(NamedTuple):
    """Strings."""

    strings: Strings


class Json(NamedTuple):
    """Values as they stand in JSON."""

    strings: Strings


class Lists(NamedTuple):
    """Lists; row i has ``items[first[i]:first[i + 1]]``."""

    first: I64
    items: Numbers | Text


Column = Numbers | Floats | Truths | Text | Json | Lists


def json_lines(columns: Mapping[str, Column]) -> bytes:
    """The rows as JSON Lines."""
    fields: list[Field] = []
    for name, column in columns.items():
        key = (b"," if fields else b"{") + encode(name) + b":"
        fields.append(_json(key, column, key + b"null"))
    return _rows([*fields, said(b"}\n", np.ones(len(fields[0].start), bool))])


def csv_lines(columns: Mapping[str, Column]) -> bytes:
    """The rows as CSV, without a header."""
    fields: list[Field] = []
    for column in columns.values():
        comma = b"," * bool(fields)
        if isinstance(column, Text):
            fields.append(text(CSV, comma, column.strings, missing=comma))
        elif isinstance(column, Lists | Json):
            fields.append(text(CSV, comma, _written(column), missing=comma))
        elif isinstance(column, Floats):
            fields.append(text(RAW, comma, floats(column.values, _decimal), missing=comma))
        else:
            fields.append(_json(comma, column, comma))
    return _rows([*fields, said(b"\r\n", np.ones(len(fields[0].start), bool))])


def _rows(fields: list[Field]) -> bytes:
    data, _ = written(fields)
    return data.tobytes()


def _decimal(value: float) -> bytes:
    """A number as Python's own CSV writer writes it."""
    return repr(value).encode()


def _json(before: bytes, column: Column, missing: bytes) -> Field:
    """Cells as JSON, and what stands before them."""
    match column:
        case Numbers(values):
            return number(before, values, missing)
        case Floats(values):
            return text(RAW, before, floats(values, encode), missing=missing)
        case Truths(values):
            return text(RAW, before, Strings.of(TRUTHS, values.astype(np.int64)))
        case Text(strings):
            return text(JSON, before + b'"', strings, b'"', missing)
        case Json() | Lists():
            return text(RAW, before, _written(column), missing=missing)


def _written(column: Json | Lists) -> Strings:
    """Values as JSON."""
    if isinstance(column, Json):
        return column.strings
    inner = lists(column.first, written([_json(b",", column.items, b",null")]))
    data, first = written([text(RAW, b"[", inner, b"]")])
    return Strings(data, first[:-1], first[1:])


def objects_json(first: I64, fields: Mapping[str, Column]) -> Json:
    """Lists of objects as JSON; row i has the objects from ``first[i]`` to ``first[i + 1]``."""
    cells: list[Field] = []
    for name, column in fields.items():
        key = (b"," if cells else b",{") + encode(name) + b":"
        cells.append(_json(key, column, key + b"null"))
    inner = lists(first, written([*cells, said(b"}", np.ones(int(first[-1]), bool))]))
    data, begin = written([text(RAW, b"[", inner, b"]")])
    return Json(Strings(data, begin[:-1], begin[1:]))

