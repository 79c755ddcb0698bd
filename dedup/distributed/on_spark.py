"""``scan(..., engine="spark")``: from places or a DataFrame to a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.distributed.portions import Portion, read_portion, reading_options
from dedup.distributed.scan import scan_on
from dedup.distributed.splits import find_splits
from dedup.engines.cluster import Cluster, Held
from dedup.errors import OptionError
from dedup.memory import memory_of
from dedup.options import Options
from dedup.readers.files import expand
from dedup.readers.notes import Notes
from dedup.stages import Progress, Stages

if TYPE_CHECKING:
    from dedup.report import Report


def is_spark_table(source: Any) -> bool:
    """Whether a source is a DataFrame of Spark."""
    return type(source).__module__.startswith("pyspark.sql") and hasattr(source, "mapInArrow")


def scan_on_spark(source: Any, against: Any, options: Options, progress: Progress | None) -> Report:
    """See ``dedup.scan``.

    Raises:
        OptionError: A source that Spark cannot read, or a setting that has no meaning there.
        SparkError: Spark cannot run, or lost what it ran.
    """
    from dedup.engines.spark import SparkCluster, spark_session

    if options.checkpoint is not None:
        raise OptionError("Spark makes again what is lost", "checkpoint", "Leave it out, or scan on one machine.")
    sides = [_places(side) for side in ((source,) if against is None else (against, source))]
    with spark_session(options.master) as session:
        return report_of_cluster(SparkCluster(session), sides, options, progress)


def report_of_cluster(cluster: Cluster, sides: Sequence[Sequence[Path]], options: Options,
                      progress: Progress | None = None) -> Report:
    """The report of what stands at some places.

    Args:
        sides: The places; where there are two lists, the first one has the references.
    """
    from dedup.api import report_of

    stages = Stages(progress, options.memory is not None)
    with memory_of(options):
        notes = [Notes() for _ in sides]
        held = _held(cluster, sides, notes, options)
        try:
            findings, digest, read = scan_on(cluster, held, notes, options, stages, len(sides[-1]) > 1)
        finally:
            held.release()
        return report_of(read, findings, digest, stages)


def _held(cluster: Cluster, sides: Sequence[Sequence[Path]], notes: Sequence[Notes], options: Options) -> Held[Portion]:
    """The pages of all places, in portions."""
    splits = []
    for number, (places, told) in enumerate(zip(sides, notes, strict=True)):
        found = find_splits(cluster, places, options, told)
        if not found:
            for place in places:
                told.error(str(place), None, "nothing to read (no file, or none that include and exclude let through)")
        splits += [replace(split, references=number < len(sides) - 1) for split in found]
    return cluster.hold(partial(read_portion, options=reading_options(options)), splits)


def _places(source: Any) -> list[Path]:
    """The places that Spark reads.

    Raises:
        OptionError: It is something else.
        InputError: There is nothing there.
    """
    places = list(source) if isinstance(source, (list, tuple)) else [source]
    if not places or not all(isinstance(place, Path) for place in places):
        raise OptionError(f"Spark reads places and its own tables, not a {type(source).__name__}", "engine",
                          "Give a Path, several of them, or a DataFrame.")
    if Path("-") in places:
        raise OptionError("Spark cannot read standard input", "engine", "Save it to a file first.")
    for place in places:
        expand(place)  # raises where there is nothing
    return places
