"""``scan(..., engine="spark")``: from places or a DataFrame to a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.distributed.portions import (
    Portion,
    broken_tables,
    forget,
    portion_of_split,
    portions_of_batches,
    read_portion,
    reading_options,
)
from dedup.distributed.scan import scan_on
from dedup.distributed.splits import find_splits, uncut
from dedup.engines.cluster import Cluster, Held
from dedup.errors import OptionError
from dedup.memory import memory_of
from dedup.options import Options
from dedup.readers.files import expand
from dedup.readers.notes import Notes
from dedup.readers.tables import columns_of, no_field, text_fields
from dedup.stages import Progress, Stages

if TYPE_CHECKING:
    from dedup.engines.spark import SparkCluster
    from dedup.report import Report

Reader = Callable[[int], Portion]
STAGES = ("dedup.distributed.scan",)  # what workers import at once, for it has all stages that they run


def is_spark_table(source: Any) -> bool:
    """Whether a source is a DataFrame of Spark."""
    return type(source).__module__.startswith("pyspark.sql") and hasattr(type(source), "mapInArrow")


def scan_on_spark(source: Any, against: Any, options: Options, progress: Progress | None) -> Report:
    """See ``dedup.scan``.

    Raises:
        OptionError: A source that Spark cannot read, or a setting that has no meaning there.
        SparkError: Spark cannot run, or lost what it ran.
    """
    from dedup.engines.spark import SparkCluster
    from dedup.engines.spark_session import context_of, spark_context

    if options.checkpoint is not None:
        raise OptionError("Spark makes again what is lost", "checkpoint", "Leave it out, or scan on one machine.")
    sides = [source] if against is None else [against, source]
    tables = [is_spark_table(side) for side in sides]
    if not all(tables) and any(tables):
        raise OptionError("a table and places cannot be compared", "against", "Give both as DataFrames, or both as places.")
    for side in sides:
        check_columns(side.columns, options) if tables[0] else check_places(side)
    if tables[0]:
        with SparkCluster(context_of(source, options.master), STAGES) as cluster:
            return report_of_tables(cluster, sides, options, progress)
    with spark_context(options.master) as context, SparkCluster(context, STAGES) as cluster:
        return report_of_places(cluster, [_places(side) for side in sides], options, progress)


def report_of_tables(cluster: SparkCluster, sides: Sequence[Any], options: Options, progress: Progress | None) -> Report:
    """The report of the rows of DataFrames, in the order of their ids.

    Args:
        sides: The tables; where there are two, the first one has the references.
    """
    def held(notes: Sequence[Notes]) -> tuple[Held[Portion], None]:
        if options.asked_fields:  # what else there is, for a message
            for table, told in zip(sides, notes, strict=True):
                told.saw(table.columns)
        of_sides = [cluster.hold_table(table, columns_of(options), partial(
                        portions_of_batches, options=reading_options(options), references=number < len(sides) - 1))
                    for number, table in enumerate(sides)]
        return of_sides[0] if len(of_sides) == 1 else cluster.both(*of_sides), None
    return _report(cluster, held, len(sides), options, progress, ordered=False)


def report_of_places(cluster: Cluster, sides: Sequence[Sequence[Path]], options: Options,
                     progress: Progress | None = None) -> Report:
    """The report of what stands at some places.

    Args:
        sides: The places; where there are two lists, the first one has the references.
    """
    return _report(cluster, lambda notes: _held(cluster, sides, notes, options), len(sides), options, progress,
                   [len(places) > 1 for places in sides])


def _report(cluster: Cluster, held_with: Callable[[Sequence[Notes]], tuple[Held[Portion], Reader | None]], sides: int,
            options: Options, progress: Progress | None, several_roots: Sequence[bool] = (), ordered: bool = True) -> Report:
    from dedup.api import report_of

    stages = Stages(progress, options.memory is not None)
    with memory_of(options):
        notes = [Notes() for _ in range(sides)]
        stages.start("read")
        held, read_again = held_with(notes)
        last = forget if ordered else None  # texts of tables lie with the portions
        try:
            findings, digest, read = scan_on(cluster, held, notes, options, stages, several_roots, ordered, read_again)
        except Exception:
            held.release(last)
            raise
        held.release(last)
        return report_of(read, findings, digest, stages)


def _held(cluster: Cluster, sides: Sequence[Sequence[Path]], notes: Sequence[Notes],
          options: Options) -> tuple[Held[Portion], Reader]:
    """The pages of all places, in portions, and what reads one of them here."""
    splits = []
    for number, (places, told) in enumerate(zip(sides, notes, strict=True)):
        found = find_splits(cluster, places, options, told)
        if not found:
            for place in places:
                told.error(str(place), None, "nothing to read (no file, or none that include and exclude let through)")
        splits += [replace(split, references=number < len(sides) - 1) for split in found]
    read = partial(read_portion, options=reading_options(options))
    held = cluster.hold(read, splits)
    if cut := {split.files[0].place for split in splits if split.form == "parquet"}:
        broken = {place for places in held.map(broken_tables) for place in places if place in cut}
        if broken:
            held.release(forget)
            splits = uncut(splits, broken)
            held = cluster.hold(read, splits)
    return held, lambda number: portion_of_split(splits[number], options=reading_options(options))


def check_columns(columns: list[str], options: Options) -> None:
    """Raise where no column of a table may hold the text, or where two have a name that is needed."""
    names = text_fields(options)
    if not any(name in columns or name.split(".")[0] in columns for name in names):
        raise OptionError(no_field(names, columns), "text_field")
    for name in columns_of(options):
        if columns.count(name) > 1:
            raise OptionError(f"several columns of the table are named {name}", "engine", "Rename them, or select one.")


def check_places(source: Any) -> None:
    """Raise where Spark cannot read a source, or nothing is there.

    Raises:
        OptionError: It is no place.
        InputError: There is nothing there.
    """
    places = _places(source)
    if not places or not all(isinstance(place, Path) for place in places):
        raise OptionError(f"Spark reads places and its own tables, not a {type(source).__name__}", "engine",
                          "Give a Path, several of them, or a DataFrame.")
    if Path("-") in places:
        raise OptionError("Spark cannot read standard input", "engine", "Save it to a file first.")
    for place in places:
        expand(place)


def _places(source: Any) -> list[Any]:
    return list(source) if isinstance(source, (list, tuple)) else [source]
