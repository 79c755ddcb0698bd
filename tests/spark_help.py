"""A session of Spark for tests."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest


def need_pyspark() -> None:
    """Skip, loudly, where its Python package is not there."""
    pytest.importorskip("pyspark", reason="LOUD: nothing is tested on Spark: pyspark is not there")


def need_spark() -> None:
    """Skip, loudly, where Spark cannot run."""
    need_pyspark()
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("LOUD: nothing is tested on Spark: there is no Java (Debian: apt-get install default-jre-headless)")


def started_spark() -> Iterator[Any]:
    """A session of two cores."""
    need_spark()
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = (SparkSession.builder.master("local[2]").appName("tests").config("spark.ui.enabled", "false")
               .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
               .config("spark.sql.shuffle.partitions", "3").getOrCreate())
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
