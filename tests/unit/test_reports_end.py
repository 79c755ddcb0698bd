"""A report of a scan that nobody holds any more is gone at once, with all texts: nothing in it holds itself."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

import dedup
from tests.scan_help import lines, prose

PAGES = [lines(prose(30, 0), prose(12, n), prose(30, 1).replace("w1", f"v{n}")) for n in range(5)]
USES: dict[str, Callable[[dedup.Report], object]] = {
    "nothing": lambda report: None, "pages": lambda report: list(report.pages), "groups": lambda report: list(report.groups),
    "one group": lambda report: report.groups[0], "pairs": lambda report: [*report.pairs(), *report.least_certain()],
    "json": lambda report: report.to_json(), "html": lambda report: report.to_html(),
    "markdown": lambda report: report.to_markdown(), "annotations": lambda report: report.annotations.spans}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("settings", [{}, {"find": "reworded", "pairs": True}, {"unit": "page", "threshold": 0.3}], ids=str)
def test_nothing_is_left(settings: dict[str, object], use: str) -> None:
    gc.collect()
    gc.disable()
    try:
        report = dedup.scan(PAGES, **settings)  # type: ignore[call-overload]
        assert len(report.groups)
        USES[use](report)
        findings = weakref.ref(report.groups.findings)  # type: ignore[attr-defined]
        del report
        assert findings() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("kept", [lambda report: report.at_similarity(0.9), lambda report: report.with_groups([0])])
@pytest.mark.parametrize("use", ["annotations", "json"])
def test_nothing_is_left_of_a_part(kept: Callable[[dedup.Report], dedup.Report], use: str) -> None:
    gc.collect()
    gc.disable()
    try:
        report = dedup.scan(PAGES)
        findings = weakref.ref(report.groups.findings)  # type: ignore[attr-defined]
        part = kept(report)
        del report
        assert len(part.groups)
        USES[use](part)
        del part
        assert findings() is None
    finally:
        gc.enable()


def test_nothing_is_left_of_files() -> None:
    gc.collect()
    gc.disable()
    try:
        report = dedup.scan([Path(__file__).parents[2] / "examples"])
        report.to_json()
        findings = weakref.ref(report.groups.findings)  # type: ignore[attr-defined]
        del report
        assert findings() is None
    finally:
        gc.enable()
