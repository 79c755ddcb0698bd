"""Jupyter notebooks to blocks: the sources of their cells, with their places in the file of JSON. Runs in worker processes.

Markdown cells are read as Markdown, code and raw cells are code, a block each. Outputs and attachments are left out: they are
made from the code, and mostly no text.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dedup.readers import parsed as kinds
from dedup.readers.markdown import MarkdownWalk, tokens_of
from dedup.readers.parsed import PageBuilder, PageDamageError, Parsed
from dedup.readers.sourcemap import LineEnds, Points, collapse, compose
from dedup.readers.stretches import AS_CODE

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)


@dataclass(slots=True)
class Cell:
    """A cell, and where its source stands.

    Attributes:
        kind: ``markdown``, ``code``, ``raw``, ...
        strings: Where each JSON string of the source stands in the file, its quotes left out.
        level: Of a heading cell (version 3), else 0.
    """

    kind: str = ""
    strings: list[tuple[int, int]] = field(default_factory=list)
    level: int = 0


def read_notebook(source: str) -> Parsed:
    """Read a notebook.

    Raises:
        PageDamageError: It is no JSON, or no notebook; the message names the line.
    """
    ends = LineEnds(source)
    _check(ends.text)
    builder = PageBuilder(ends)
    heading = None
    for cell in cells_of(ends.text):
        text, offsets, places = decoded_cell(ends.text, cell)
        if not text.strip():
            continue
        target = _Translated(builder, offsets, places)
        if cell.kind in ("markdown", "heading"):
            walk = MarkdownWalk(LineEnds(text))
            walk.builder = target  # type: ignore[assignment]
            walk.walk(tokens_of(walk.body(), {}))
            heading = heading or walk.heading or (text.strip() if cell.level else None)
        else:
            kept, points = collapse(text, True)
            target.add(kept, (0, len(text)), points, kind=kinds.CODE, flags=AS_CODE, link_chars=0, path="")
    return builder.build(heading)


def _check(text: str) -> None:
    """Refuse what is no notebook."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        raise PageDamageError(f"is no JSON ({what}) at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise PageDamageError("is no notebook: it is nested too deeply") from None
    sheets = value.get("worksheets") if isinstance(value, dict) else None
    cells: Any = value.get("cells") if isinstance(value, dict) else None
    if cells is None and isinstance(sheets, list):
        cells = [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells", [])]
    if not isinstance(cells, list):
        raise PageDamageError('is no notebook: it has no list "cells"')
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
            raise PageDamageError(f'is a damaged notebook: cell {number} has no "cell_type"')
        told = cell.get("source", cell.get("input", ""))
        if not isinstance(told, str) and not (isinstance(told, list) and all(isinstance(line, str) for line in told)):
            raise PageDamageError(f"is a damaged notebook: the source of cell {number} is no text")


def cells_of(text: str) -> Iterator[Cell]:
    """The cells of a notebook that was checked, in order, with their places."""
    path: list[str] = []  # of each list and object around, its sign and the key that it has
    key, wants_key = "", False
    cell = Cell()
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in "{[":
            path.append(sign + key)
            key, wants_key = "", sign == "{"
            if wants_key and _is_cell(path):
                cell = Cell()
        elif sign in "}]":
            if sign == "}" and _is_cell(path):
                yield cell
            path.pop()
        elif sign == ",":
            key, wants_key = "", path[-1].startswith("{")
        elif sign == ":":
            wants_key = False
        elif wants_key:
            key = json.loads(sign)
        else:
            _note(cell, path, key, token.start(), sign)


def _is_cell(path: list[str]) -> bool:
    """Whether a path leads to a cell, of a notebook of version 4 or 3."""
    return path in (["{", "[cells", "{"], ["{", "[worksheets", "{", "[cells", "{"])


def _note(cell: Cell, path: list[str], key: str, at: int, sign: str) -> None:
    """Note a value, if it says something of a cell."""
    in_list = bool(path) and path[-1] in ("[source", "[input") and _is_cell(path[:-1])
    if in_list or (_is_cell(path) and key in ("source", "input")):
        cell.strings.append((at + 1, at + len(sign) - 1))
    elif _is_cell(path) and key == "cell_type":
        cell.kind = json.loads(sign)
    elif _is_cell(path) and key == "level" and sign.isdigit():
        cell.level = int(sign)


def decoded_cell(source: str, cell: Cell) -> tuple[str, list[int], list[int]]:
    """The source of a cell, and the points ``(text, file)`` from which both run in step; the last one is the end."""
    parts: list[str] = []
    offsets: list[int] = []
    places: list[int] = []
    size = 0

    def add(text: str, place: int) -> None:
        nonlocal size
        if text:
            offsets.append(size)
            places.append(place)
            parts.append(text)
            size += len(text)

    end = 0
    for start, end in cell.strings:
        at = start
        for escape in _ESCAPE.finditer(source, start, end):
            add(source[at:escape.start()], at)
            char = json.loads(f'"{escape[0]}"')
            add("" if char == "\r" else char, escape.start())
            at = escape.end()
            if char != "\r":  # what the escape says ends behind it
                offsets.append(size)
                places.append(at)
        add(source[at:end], at)
    offsets.append(size)
    places.append(end)
    return "".join(parts), offsets, places


@dataclass(slots=True)
class _Translated:
    """A builder that takes places in the text of a cell, and gives them on as places in the file.

    Attributes:
        offsets, places: Points ``(text of the cell, file)``.
    """

    builder: PageBuilder
    offsets: list[int]
    places: list[int]

    def add(self, text: str, source: tuple[int, int], points: Points, **rest: Any) -> None:
        """See ``PageBuilder.add``."""
        if points:
            translated, end = compose(len(text), points, self.offsets, self.places)
            self.builder.add(text, (translated[0][1], end), translated, **rest)
            return
        first, last = (self._place(at) for at in source)
        self.builder.add(text, (first, last), [], **rest)

    def _place(self, offset: int) -> int:
        row = max(bisect_right(self.offsets, offset) - 1, 0)
        return self.places[row] + offset - self.offsets[row]


__all__ = ["Cell", "cells_of", "read_notebook"]
