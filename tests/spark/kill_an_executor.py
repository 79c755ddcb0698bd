"""A scan on a cluster of two executors of which one is killed: ``kill_an_executor.py FOLDER UNIT STAGE OUT``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from dedup import scan
from dedup.distributed import scan as scanning
from dedup.distributed import splits
from dedup.stages import Watcher

DELAY = 0.7  # seconds into the stage


def executors(port: str) -> list[int]:
    """The executors of the cluster whose driver has that port."""
    said = subprocess.run(["ps", "-wwwweo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in said.splitlines()
            if "CoarseGrainedExecutorBackend" in line and f":{port} " in line and "java" in line.split()[1]]


class Killer(Watcher):
    """Kills an executor in the middle of a stage, once."""

    def __init__(self, stage: str) -> None:
        self.wanted, self.killed = stage, 0

    def stage(self, name: str) -> None:
        """Stages are told as they begin."""
        if name == self.wanted:
            threading.Thread(target=self.kill, daemon=True).start()

    def kill(self) -> None:
        """Kill the first one."""
        from pyspark import SparkContext

        port = SparkContext._active_spark_context.getConf().get("spark.driver.port")
        time.sleep(DELAY)
        os.kill(executors(port)[0], signal.SIGKILL)
        self.killed += 1


def main() -> None:
    """Scan, kill, report."""
    folder, unit, stage, out = sys.argv[1:]
    splits.SPLIT_BYTES, scanning.PART_BYTES, scanning.KEYED_BYTES = 200_000, 200_000, 200_000
    killer = Killer(stage)
    report = scan(Path(folder), engine="spark", master="local-cluster[2,1,1024]", unit=unit, progress=killer)
    Path(out).write_text(report.to_json())
    print("killed", killer.killed)


if __name__ == "__main__":
    main()
