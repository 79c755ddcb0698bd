"""The benchmark runner measures commands and recall as it says."""

import json
import sys
from types import SimpleNamespace

import pytest

from benchmarks.__main__ import Row, table
from benchmarks.corpus import Planted
from benchmarks.found import Links, recalls
from benchmarks.measure import CommandFailed, run

MB = 1_000_000
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def python(code):
    return run([sys.executable, "-c", code])


@linux
def test_private_memory_counts_and_a_mapped_file_does_not(tmp_path):
    file = tmp_path / "mapped"
    file.write_bytes(b"x" * (200 * MB))
    mapped = python(f"""
import mmap, time
with open({str(file)!r}, "rb") as stream:
    view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
sum(view[i] for i in range(0, len(view), 4096))
time.sleep(0.1)""")
    held = python("import time; held = bytearray(b'x') * 200_000_000; time.sleep(0.1)")
    assert mapped.peak_private < 50 * MB
    assert 200 * MB < held.peak_private < 250 * MB


@linux
def test_memory_and_cpu_of_children_count():
    child = "held = bytearray(b'x') * 150_000_000; [i for i in range(5_000_000)]; import time; time.sleep(0.1)"
    measured = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])")
    assert measured.peak_private > 150 * MB
    assert measured.cpu > 0.05
    assert measured.wall > 0.1


def test_output_is_kept_and_a_failure_says_its_last_line():
    assert python("print('ä')").output == "ä\n"
    with pytest.raises(CommandFailed, match="exit status 1: ValueError: no such thing"):
        python("raise ValueError('no such thing')")


def place(page, start, end, parts=None):
    return SimpleNamespace(page=page, start=start, end=end, parts=parts)


def report(groups=(), pairs=()):
    return SimpleNamespace(groups=[SimpleNamespace(occurrences=group) for group in groups],
                           pairs=lambda: iter([SimpleNamespace(a=a, b=b) for a, b in pairs]))


COPY = Planted("span", "a", 100, 200, "b", 50, 150, 0, 1.0, 2, 1)


@pytest.mark.parametrize(("found", "share"), [
    (report(), 0.0),
    (report([[place("a", 100, 200), place("b", 50, 150)]]), 1.0),
    (report([[place("a", 0, 900), place("b", 40, 160)]]), 1.0),
    (report([[place("a", 100, 150), place("b", 50, 100)], [place("a", 150, 200), place("b", 100, 150)]]), 1.0),
    (report([[place("a", 100, 200), place("b", 60, 150)]]), 0.9),
    (report([[place("a", 100, 200), place("c", 0, 100)], [place("b", 50, 150), place("d", 0, 100)]]), 0.0),
    (report([[place("a", 90, 210, ((90, 140), (150, 210))), place("b", 40, 160)]]), 0.9),
    (report(pairs=[(place("a", 100, 200), place("b", 50, 150))]), 1.0),
])
def test_a_copy_is_found_as_far_as_linked_places_cover_both_sides(found, share):
    assert Links(found).share(COPY) == pytest.approx(share)


def test_recall_counts_by_kind_and_leaves_out_what_is_below_the_threshold(tmp_path):
    near = COPY._replace(kind="near-block", jaccard=0.6)
    planted = [COPY, COPY._replace(b="c"), near, near._replace(jaccard=0.4), COPY._replace(kind="near-page")]
    truth = tmp_path / "truth"
    truth.write_text("".join(json.dumps(copy._asdict()) + "\n" for copy in planted))
    counted = recalls(report([[place("a", 100, 200), place("b", 50, 150)]]), truth)
    assert counted == {
        "exact": {"found": 1, "planted": 2, "recall": 0.5},
        "span": {"found": 1, "planted": 2, "recall": 0.5},
        "span-across-borders": {"found": 1, "planted": 2, "recall": 0.5},
        "near-block": {"found": 1, "planted": 1, "recall": 1.0},
    }


def test_the_table_says_ok_short_and_failed():
    rows = [Row("fast", 70.0, "MB/s", 60, True), Row("fat", 3.1, "B", 3), Row("gone", None, "s", note="no API"),
            Row("listed", 1.0, "s")]
    assert [row.verdict for row in rows] == ["ok", "short", "failed", ""]
    assert "short" in table(rows)
    assert "no API" in table(rows)
    assert "0.9999" in table([Row("recall", 0.99999, "", 1.0, True)])
