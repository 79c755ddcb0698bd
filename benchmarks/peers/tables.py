"""Figures of a result file as text: medians, numbers, shares, tables, and who is ahead."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from benchmarks.peers.tools import OURS

Row = dict[str, Any]


class Measure(NamedTuple):
    """A figure of a row: what it is called, how it is had (``None`` where the row has none), whether more is better."""

    name: str
    of: Callable[[Row], float | None]
    more: bool = False


def _quality(name: str) -> Callable[[Row], float | None]:
    return lambda row: row.get("quality", {}).get(name)


def _found(kind: str) -> Callable[[Row], float | None]:
    return lambda row: row["found"][kind][0] if kind in row.get("found", {}) else None


COST = [Measure("CPU", lambda row: median(row, "cpu")), Measure("wall time", lambda row: median(row, "wall")),
        Measure("memory", lambda row: median(row, "peak"))]
QUALITY = [Measure("recall", _quality("recall"), True), Measure("precision", _quality("precision"), True),
           Measure("pair precision", _quality("pair_precision"), True)]
FOUND = [Measure(f"copies found {kind}", _found(kind), True) for kind in ("across", "within", "edited")]


def better(ours: Row, rows: Iterable[Row], measures: list[Measure]) -> list[str]:
    """In what peers are better than this row of ours, and which: ``["memory (gaoya, rensa)"]``."""
    said = []
    for name, of, more in measures:
        mine = of(ours)
        theirs = {row["tool"]: of(row) for row in rows if row["package"] != OURS and "failed" not in row}
        ahead = [tool for tool, value in theirs.items()
                 if value is not None and mine is not None and (value > mine if more else value < mine)]
        said += [f"{name} ({', '.join(ahead)})"] * bool(ahead)
    return said


def median(row: Row, figure: str) -> float:
    """Median of a row's runs; NaN where none has the figure (a process may end before its memory was looked at)."""
    values = [run[figure] for run in row["runs"] if run[figure] is not None]
    return statistics.median(values) if values else math.nan


def by_corpus(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["corpus"], []).append(row)
    return list(found.items())


def number(value: float) -> str:
    """Three digits, more of large numbers, nothing of none.

    >>> [number(x) for x in (1234.5, 123.45, 12.345, 1.2345, 0.012345, math.nan)]
    ['1,234', '123', '12.3', '1.23', '0.0123', '']
    """
    if math.isnan(value):
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3g}"


def share(value: float | None) -> str:
    """Cut, not rounded: what is not all is not shown as all.

    >>> share(0.99999), share(1.0), share(None)
    ('.9999', '1.000', '')
    """
    if value is None:
        return ""
    return "1.000" if value == 1 else f"{int(value * 1e4) / 1e4:.4f}".removeprefix("0")


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A table in Markdown; short rows are filled up."""
    lines = [head, ["---"] * len(head), *(row + [""] * (len(head) - len(row)) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
