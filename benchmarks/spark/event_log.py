"""What a run did, from Spark's event log: bytes of shuffles, of the cache, of results, and how even the tasks of a stage are.

The log is JSON lines (Spark's ``JsonProtocol``). It is switched on from outside, by `submit_arguments`, for any program that
starts a session.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Event = dict[str, Any]
_FOLDERS = re.compile(r"(?<= at )/.*/")  # of the file from which a stage was called
# A file for each application, as it is written; block updates tell what is cached.
SETTINGS = {"spark.eventLog.enabled": "true", "spark.eventLog.compress": "false", "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.logBlockUpdates.enabled": "true"}


@dataclass
class Stage:
    """The tasks of a stage that ended well; sizes in bytes, times in seconds.

    Attributes:
        name: What it was described as, else where it was called.
        tasks: How many. Stages that follow each other and do the same are one: results come some partitions at a time.
        longest, mean: Times of a task.
        shuffled: Written for other stages.
        fetched, most_fetched: Read of other stages; by the task that read most.
        spilled: Written to disks for want of memory.
        results: Sent to the driver.
    """

    name: str
    tasks: int = 0
    longest: float = 0.0
    mean: float = 0.0
    shuffled: int = 0
    fetched: int = 0
    most_fetched: int = 0
    spilled: int = 0
    results: int = 0

    @property
    def kind(self) -> tuple[str, bool, bool]:
        """What stages have in common whose partitions come some at a time, in several jobs."""
        return self.name, self.shuffled > 0, self.fetched > 0

    @classmethod
    def joined(cls, parts: list[Stage]) -> Stage:
        """Stages as one."""
        tasks = sum(part.tasks for part in parts)
        sums = {name: sum(getattr(part, name) for part in parts) for name in ("shuffled", "fetched", "spilled", "results")}
        mean = sum(part.mean * part.tasks for part in parts) / tasks
        return cls(parts[0].name, tasks, max(part.longest for part in parts), mean,
                   most_fetched=max(part.most_fetched for part in parts), **sums)

    def add(self, seconds: float, metrics: Event) -> None:
        """One task more."""
        self.longest = max(self.longest, seconds)
        self.mean += (seconds - self.mean) / (self.tasks + 1)
        self.tasks += 1
        read = metrics["Shuffle Read Metrics"]
        self.shuffled += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
        fetched = read["Remote Bytes Read"] + read["Local Bytes Read"]
        self.fetched += fetched
        self.most_fetched = max(self.most_fetched, fetched)
        self.spilled += metrics["Disk Bytes Spilled"]
        self.results += metrics["Result Size"]


@dataclass
class Told:
    """What a log says.

    Attributes:
        stages: Those that had tasks, in their order.
        cached: Most bytes that were cached on disks at one time.
        failed_tasks: Attempts that did not end well.
    """

    stages: list[Stage] = field(default_factory=list)
    cached: int = 0
    failed_tasks: int = 0

    def total(self, figure: str) -> int:
        """Sum of a figure of all stages."""
        return sum(getattr(stage, figure) for stage in self.stages)

    def figures(self) -> dict[str, Any]:
        """As it stands in a result file."""
        return {"stages": [asdict(stage) for stage in self.stages], "cached": self.cached, "failed_tasks": self.failed_tasks,
                **{figure: self.total(figure) for figure in ("shuffled", "fetched", "spilled", "results")}}


def submit_arguments(folder: Path, settings: dict[str, str] | None = None) -> str:
    """A value of ``PYSPARK_SUBMIT_ARGS`` with which sessions write their logs into a folder.

    Args:
        settings: More settings of Spark.
    """
    known = SETTINGS | {"spark.eventLog.dir": folder.as_uri()} | (settings or {})
    return " ".join(f"--conf {name}={value}" for name, value in known.items()) + " pyspark-shell"


def read(folder: Path) -> Told:
    """What the log of the one application in a folder says.

    Raises:
        ValueError: There is none, or several, or a line is broken.
    """
    files = [file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")]
    if len(files) != 1:
        raise ValueError(f"{len(files)} event logs in {folder.name}, not one")
    with files[0].open(encoding="utf-8") as lines:
        return told(map(json.loads, lines))


def told(events: Iterable[Event]) -> Told:
    """What events say."""
    found, stages, sizes, cached = Told(), {}, {}, 0
    for event in events:
        kind = event["Event"]
        if kind == "SparkListenerStageSubmitted":
            described = event.get("Properties", {}).get("spark.job.description")
            name = described or _FOLDERS.sub("", event["Stage Info"]["Stage Name"])
            stages.setdefault(event["Stage Info"]["Stage ID"], Stage(name))
        elif kind == "SparkListenerTaskEnd":
            if event["Task End Reason"]["Reason"] != "Success":
                found.failed_tasks += 1
            else:
                metrics = event["Task Metrics"]
                stages[event["Stage ID"]].add(metrics["Executor Run Time"] / 1000, metrics)
        elif kind == "SparkListenerBlockUpdated":
            block = event["Block Updated Info"]
            key = block["Block Manager ID"]["Executor ID"], block["Block ID"]
            if block["Block ID"].startswith("rdd_"):
                cached += block["Disk Size"] - sizes.get(key, 0)
                sizes[key] = block["Disk Size"]
                found.cached = max(found.cached, cached)
    ordered = [stages[number] for number in sorted(stages) if stages[number].tasks]
    found.stages = [Stage.joined(list(parts)) for _, parts in itertools.groupby(ordered, lambda stage: stage.kind)]
    return found
