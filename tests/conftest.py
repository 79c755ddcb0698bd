"""Settings of all tests."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from redis_help import started_redis
from spark_help import started_spark

# Examples are the same in every run; `make test-soak` asks for many more, of another draw.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, print_blob=True, max_examples=75,
    suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile(os.environ.get("DEDUP_HYPOTHESIS", "repeatable"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on Spark come first: one worker takes them all and starts their sessions once, while others do the rest."""
    items.sort(key=lambda item: "spark" not in item.path.parts and "docs/spark.md" not in item.name)


LOOKED_AT = 100_000  # bytes of a report that is held against its schema: the check is slow
A_TEST = 10  # reports of a test that are


@cache
def report_validator() -> Any:
    import jsonschema

    from dedup.report.schema import schema

    return jsonschema.Draft202012Validator(schema("report", closed=True))


@pytest.fixture(autouse=True)
def every_report_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever report a test writes as JSON in this process, whole and not large, is valid by its schema: the first few."""
    import dedup.report.json

    real = dedup.report.json.json_chunks
    looked_at = itertools.count()

    def checked(report: Any) -> Iterator[bytes]:
        kept: list[bytes] = []
        size = 0
        for chunk in real(report):
            yield chunk
            size += len(chunk)
            kept = [*kept, chunk] if size <= LOOKED_AT else []
        if size <= LOOKED_AT and next(looked_at) < A_TEST:
            report_validator().validate(json.loads(b"".join(kept)))

    monkeypatch.setattr(dedup.report.json, "json_chunks", checked)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis server: its address, without the name of an index."""
    pytest.importorskip("redis", reason="LOUD: no index in Redis is tested: its Python client is not there")
    if shutil.which("redis-server") is None:
        pytest.skip("LOUD: no index in Redis is tested: there is no redis-server (Debian: apt-get install redis-server)")
    process, port = started_redis(tmp_path_factory.mktemp("redis"))
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A session of Spark on two cores of this machine."""
    yield from started_spark()
