"""No task on a cluster has much more than its share, though few texts are most of the rows."""

from __future__ import annotations

import json
import pickle
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dedup import scan
from dedup.distributed.driver import run_task
from dedup.distributed.on_spark import report_of_places
from dedup.engines.cluster import HeldHere, InProcess
from dedup.options import make_options
from tests.contracts.test_parts_are_a_scan import own_folder, small  # noqa: F401  (fixtures)
from tests.contracts.test_same_bytes import planted, rendered

PAGES, WORDS, SHARE = 900, 100, 0.3
PARTS = 12  # in which keys meet
COUNTED = 0.05  # of all bytes that go anywhere: a job that gets less is too little to be uneven


class Watched(InProcess):
    """Counts the bytes that go to each task of each job."""

    def __init__(self) -> None:
        self.sent: dict[str, list[int]] = defaultdict(list)

    def hold(self, stage: Callable[[int, Any], Any], items: Sequence[Any]) -> HeldHere[Any]:
        if stage is run_task and items:
            self.sent[type(items[0]).__name__] += [len(pickle.dumps(item)) for item in items]
        return WatchedHere([stage(number, item) for number, item in enumerate(items)], self)


class WatchedHere(HeldHere[Any]):
    """Portions of which an exchange is watched."""

    def __init__(self, portions: list[Any], cluster: Watched) -> None:
        super().__init__(portions)
        self._cluster = cluster

    def exchange(self, stage: Callable[[int, Any], Iterable[tuple[int, Any]]], parts: int,
                 then: Callable[[int, list[Any]], Any]) -> Iterator[Any]:
        sizes = [0] * parts

        def counted(number: int, portion: Any) -> Iterator[tuple[int, Any]]:
            for part, sent in stage(number, portion):
                sizes[part] += len(pickle.dumps(sent))
                yield part, sent
        yield from super().exchange(counted, parts, then)
        self._cluster.sent[(then.func if isinstance(then, partial) else then).__name__] += sizes


def words(rnd: np.random.Generator, count: int) -> list[str]:
    return [f"w{n}" for n in (rnd.pareto(0.7, count) * 50).astype(int) % 40_000]


def skewed(kind: str) -> list[str]:
    """Texts of which a third is near one, is one, or has the same footer."""
    if kind == "ordinary":
        return [json.loads(line)["text"] for line in planted(150, 300)]
    rnd = np.random.default_rng(5)
    page, footer = words(rnd, WORDS), " ".join(words(rnd, 40))
    texts = []
    for n in range(PAGES):
        own = words(rnd, WORDS)
        if rnd.random() >= SHARE:
            texts.append(" ".join(own))
        elif kind == "near":
            texts.append(" ".join(new if rnd.random() < 0.01 else old for old, new in zip(page, own, strict=True)) + f" n{n}")
        else:
            texts.append(" ".join(page) if kind == "same" else f"{' '.join(own)}\n{footer}")
    return texts


JOBS = {"block": {"meet_grams", "meet_bands"}, "exact": {"meet_grams"}, "page": {"link_keys"}}  # of each kind of scan
MORE = {("block", "near"): {"whole", "follow"}, ("page", "near"): {"whole", "follow"}, ("block", "ordinary"): {"AlignTask"},
        ("page", "ordinary"): {"find_in_part"}}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["block", "exact", "page"])
@pytest.mark.parametrize("kind", ["near", "same", "footer", "ordinary"])
def test_no_task_has_more_than_twice_the_mean(tmp_path: Path, kind: str, name: str,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.engines.cluster._sent", lambda value: value)  # functions here cannot be pickled
    lines = [json.dumps({"id": f"{n:04}", "text": text}) for n, text in enumerate(skewed(kind))]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    asked: dict[str, Any] = {"block": {}, "exact": {"find": "exact"}, "page": {"unit": "page"}}[name]
    cluster, settings = Watched(), {**asked, "partitions": PARTS}
    ours = report_of_places(cluster, [[tmp_path]], make_options(settings, "scan"))
    assert rendered(ours) == rendered(scan(tmp_path, **settings))
    assert cluster.sent.keys() >= JOBS[name] | MORE.get((name, kind), set())
    everything = sum(map(sum, cluster.sent.values()))
    for job, sizes in cluster.sent.items():
        if sum(sizes) >= COUNTED * everything:
            assert len(sizes) >= PARTS / 2, job
            assert max(sizes) <= 2 * np.mean(sizes), job
