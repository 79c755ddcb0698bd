"""Cleaning what a program holds in its hands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from dedup.cleaning.choices import Choices
from dedup.cleaning.drafts import Drafts
from dedup.cleaning.objects import clean_objects
from dedup.cleaning.pieces import Left
from dedup.cleaning.records import Cutter, Edits, Leave, Values, asked, ignore, plain_cuts
from dedup.cleaning.result import Accounting, Cleaned
from dedup.cleaning.rounds import plan_in_rounds
from dedup.cleaning.run import edits_of, guard
from dedup.cleaning.wording import Wording
from dedup.options import Options
from dedup.readers.stream import speaks_arrow


def clean_in_memory(source: Any, options: Options, choices: Choices) -> Cleaned:
    """Texts, mappings, pages or a table without their copies.

    Args:
        source: What ``scan`` takes, but for places and streams. It is not changed.

    Returns:
        The cleaned ones in ``pages``: a table of pyarrow for a table, else (for a column, too) a tuple; dropped ones are
        left out.
    """
    from dedup.api import _pages
    from dedup.pipeline import find_duplicates
    from dedup.stages import Stages

    held = _held(source)
    is_table = speaks_arrow(held)
    stream = _pages(held, options)
    stages = Stages()
    findings, _ = find_duplicates(stream, options, stages)
    stages.stop()
    corpus = findings.corpus

    def values(pages: Sequence[int]) -> Iterator[tuple[int, str]]:
        shown = Values()
        wanted = asked({corpus.pages[page].number: page for page in pages})
        if is_table:
            _clean_table(held, wanted, options, shown)
        else:
            deque(clean_objects(held, wanted, options, shown), 0)
        yield from shown.taken()
    plan = plan_in_rounds(findings, choices, Drafts(corpus, options, values=values))
    guard(plan, choices)
    edits = edits_of(plan, range(len(corpus.pages)))
    left: dict[int, list[Left]] = {}
    for entry in (entry for entries in plan.left.values() for entry in entries):
        left.setdefault(entry.removal, []).append(entry)

    def stayed(_: int, entry: Left) -> None:
        left.setdefault(entry.removal, []).append(entry)
    pages: Any
    if is_table:
        pages = _clean_table(held, edits, options, leave=stayed)
    else:
        pages = tuple(clean_objects(held, edits, options, leave=stayed))
    wording = Wording(plan.corpus, plan.removals)
    removals = tuple(wording.removed(number, number, left.get(number, ())) for number in range(len(plan.removals)))
    skipped = {entry.reason: entry.count for entry in stream.skipped}
    return Cleaned(Accounting.of(plan.corpus, removals, plan.dropped, skipped), removals, None, tuple(stream.errors), pages)


def _held(source: Any) -> Any:
    """What can be read again and again: a table of pyarrow, or a list of what else a program handed over."""
    if not speaks_arrow(source):
        return list(source) if not isinstance(source, (str, dict)) else [source]
    from dedup.readers.parquet import arrow_errors, from_arrow, is_column, values_of

    given = from_arrow(source)
    with arrow_errors():
        return values_of(given) if is_column(given) else given.read_all()


def _clean_table(table: Any, edits: Edits, options: Options, cutter: Cutter = plain_cuts, leave: Leave = ignore) -> Any:
    from dedup.cleaning.tables import clean_arrow

    return clean_arrow(table, edits, options, cutter, leave)
