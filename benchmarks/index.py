"""A persistent index on pages of the corpus: ``python -m benchmarks.index --pages 20000 --levels page block,passage``.

Each subject is a process of its own: pages are added, then others are asked for, one at a time. CPU seconds say more than
wall seconds where others use the machine. Peers: datasketch in memory, and in Redis where a server is named (``--redis
redis://...``), and rensa, by their documentation: MinHash of word 5-grams, 128 permutations, threshold 0.8, candidates not
verified. They may be in another environment: ``--peers build/peers-venv/bin/python`` (``make bench-peers`` makes it).
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ASKED, FIRST = 500, 20  # pages that are asked for; the first of them are not measured
PERMUTATIONS, THRESHOLD, SHINGLE = 128, 0.8, 5
TOGETHER = 1000  # pages that rensa is given at a time
Pages = list[dict[str, str]]


def pages_of(words: int, apart: bool = False) -> Iterator[dict[str, str]]:
    """Pages of the corpus, each cut to so many words; shorter ones are left out.

    Args:
        apart: The words of each page in a random order: pages that have next to nothing in common.
    """
    from benchmarks.corpus import Corpus

    some = random.Random(0)
    for line in itertools.chain.from_iterable(lines for lines, _ in Corpus()):
        record = json.loads(line)
        if cut := first_words(record["text"], words):
            yield {"id": record["id"], "text": shuffled(cut, some) if apart else cut}


def shuffled(text: str, some: random.Random) -> str:
    """The words of a text in another order, as many a line."""
    words = text.split()
    some.shuffle(words)
    left = iter(words)
    return "\n".join(" ".join(itertools.islice(left, len(line.split()))) for line in text.split("\n"))


@dataclass
class Written:
    """Pages in a file, so that a million of them need no memory; all but the last ones are stored, those are asked for.

    Attributes:
        warm: Further pages that are asked for before those that are measured.
        wall, cpu: Seconds that reading them took, which are not those of the subject.
    """

    file: Path
    count: int
    warm: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    def __iter__(self) -> Iterator[dict[str, str]]:
        wall, cpu = time.perf_counter(), time.process_time()
        with self.file.open(encoding="utf-8") as lines:
            for line in lines:
                page = json.loads(line)
                self.wall, self.cpu = self.wall + time.perf_counter() - wall, self.cpu + time.process_time() - cpu
                yield page
                wall, cpu = time.perf_counter(), time.process_time()

    def stored(self) -> Iterator[dict[str, str]]:
        """Those that are stored."""
        return itertools.islice(self, self.held)

    @property
    def held(self) -> int:
        """How many are stored."""
        return self.count - ASKED - self.warm

    def asked(self) -> Pages:
        """Those that are asked for."""
        return list(itertools.islice(self, self.held, self.count))


def write_pages(file: Path, count: int, words: int, warm: int = 0, apart: bool = False) -> Written:
    """Pages of the corpus in a file."""
    with file.open("w", encoding="utf-8") as out:
        for page in itertools.islice(pages_of(words, apart), count):
            out.write(json.dumps(page) + "\n")
    return Written(file, count, warm)


def first_words(text: str, words: int) -> str:
    """The beginning of a text, its lines kept; empty where there are fewer words."""
    left, lines = words, []
    for line in text.split("\n"):
        own = line.split(" ")[:left]
        lines.append(" ".join(own))
        left -= len(own)
        if not left:
            return "\n".join(lines)
    return ""


@contextmanager
def timed(result: dict[str, Any], name: str, pages: Written) -> Iterator[None]:
    """Wall and CPU microseconds of each of the stored pages, without what reading them takes."""
    count = pages.held
    wall, cpu = time.perf_counter() - pages.wall, time.process_time() - pages.cpu
    yield
    result[f"{name}_us"] = round((time.perf_counter() - pages.wall - wall) / count * 1e6, 1)
    result[f"{name}_cpu_us"] = round((time.process_time() - pages.cpu - cpu) / count * 1e6, 1)


def asked_for(result: dict[str, Any], ask: Callable[[dict[str, str]], int], written: Written) -> None:
    """The time of single questions (median, 99 %): all, those with an answer and those without."""
    pages, first = written.asked(), FIRST + written.warm
    for page in pages[:first]:
        ask(page)
    times, found = np.empty((len(pages) - first, 2)), np.empty(len(pages) - first, bool)
    for row, page in enumerate(pages[first:]):
        begin = time.process_time(), time.perf_counter()
        found[row] = ask(page) > 0
        times[row] = time.process_time() - begin[0], time.perf_counter() - begin[1]
    for name, rows in (("check", np.ones(len(found), bool)), ("check_found", found), ("check_not_found", ~found)):
        if rows.any():
            result[name] = int(rows.sum())
            for kind, column in zip(("cpu", "wall"), times[rows].T, strict=True):
                result[f"{name}_{kind}_ms"] = [round(float(np.percentile(column, p)) * 1e3, 2) for p in (50, 99)]


def held(redis: str | None) -> tuple[int, float]:
    """Bytes that a Redis server holds, and seconds that it worked."""
    if redis is None:
        return 0, 0.0
    import redis as library

    with library.Redis.from_url(redis) as client:
        said = client.info("all")
        return int(said["used_memory"]), float(said["used_cpu_user"]) + float(said["used_cpu_sys"])


def in_redis(before: tuple[int, float], redis: str, count: int) -> dict[str, Any]:
    """What pages cost a Redis server."""
    size, seconds = (now - then for now, then in zip(held(redis), before, strict=True))
    return {"bytes_a_page": round(size / count), "server_cpu_us": round(seconds / count * 1e6, 1)}


def ours(pages: Written, levels: str, redis: str | None) -> dict[str, Any]:
    """``dedup.Index``: in a file, or in Redis."""
    from dedup.index import Index

    result: dict[str, Any] = {"levels": levels}
    count, folder = pages.held, Path(tempfile.mkdtemp())
    place: Any = folder / "index.dedup" if redis is None else f"{redis}?name=bench-{levels.replace(',', '-')}"
    empty = held(redis)
    with Index.create(place, levels=levels) as index:
        with timed(result, "add", pages):
            index.add(pages.stored())
        if redis is not None:
            result |= in_redis(empty, redis, count)
        else:
            with timed(result, "compact", pages):
                index.compact()
            info = index.info()
            result |= {"bytes_a_page": round(info.file_bytes / count),
                       "rows_a_page": {name: round(rows / count, 1) for name, rows in info.rows.items()}}
    begin = time.perf_counter()
    with Index.open(place) as index:
        assert len(index) == count
        result["open_ms"] = round((time.perf_counter() - begin) * 1e3, 1)
        asked_for(result, lambda page: len(index.check(page, threads=1).groups), pages)
    shutil.rmtree(folder)
    return result


def shingles(text: str) -> list[str]:
    """Runs of five words."""
    words = text.lower().split()
    return [" ".join(words[at:at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1))]


def datasketch(pages: Written, redis: str | None) -> dict[str, Any]:
    """``datasketch.MinHashLSH``, in memory or in Redis."""
    from datasketch import MinHash, MinHashLSH

    def sketch(page: dict[str, str]) -> Any:
        made = MinHash(PERMUTATIONS)
        made.update_batch([shingle.encode() for shingle in shingles(page["text"])])
        return made
    result: dict[str, Any] = {}
    config = None
    if redis is not None:
        from redis.connection import parse_url

        config = {"type": "redis", "basename": b"bench-datasketch", "redis": parse_url(redis)}
    lsh = MinHashLSH(THRESHOLD, PERMUTATIONS, storage_config=config)
    empty = held(redis)
    with timed(result, "add", pages), lsh.insertion_session() as session:
        for page in pages.stored():
            session.insert(page["id"], sketch(page))
    if redis is not None:
        result |= in_redis(empty, redis, pages.held)
    asked_for(result, lambda page: len(lsh.query(sketch(page))), pages)
    return result


def rensa(pages: Written, redis: str | None) -> dict[str, Any]:
    """``rensa.RMinHashLSH``, in memory."""
    from rensa import RMinHash, RMinHashLSH

    def sketch(page: dict[str, str]) -> Any:
        made = RMinHash(PERMUTATIONS, 42)
        made.update(shingles(page["text"]))
        return made
    result: dict[str, Any] = {}
    lsh = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=16)
    stored = pages.stored()
    with timed(result, "add", pages):
        while sets := [shingles(page["text"]) for page in itertools.islice(stored, TOGETHER)]:
            lsh.insert_many(RMinHash.from_token_sets(sets, num_perm=PERMUTATIONS, seed=42))
    asked_for(result, lambda page: len(lsh.query(sketch(page))), pages)
    return result


def measured(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What a subject said, from a process of its own, and the most memory that it took."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        try:
            return pool.apply(_apart, (work, *arguments))
        except ImportError as error:
            return {"missing": str(error)}


def _apart(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = work(*arguments)
    return result | {"peak_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3)}


PEERS = {"datasketch": datasketch, "rensa": rensa}


def elsewhere(python: str, name: str, pages: Written, redis: str | None) -> dict[str, Any]:
    """What a peer says under another interpreter."""
    command = [python, "-m", "benchmarks.index", "--peer", name, str(pages.file), "--pages", str(pages.held),
               "--warm", str(pages.warm), *(["--redis", redis] if redis else [])]
    said: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return said


def main() -> None:
    """Measure what was asked for, and print it as JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=600, help="of each page")
    parser.add_argument("--apart", action="store_true",
                        help="the words of each page in a random order: pages that have next to nothing in common")
    parser.add_argument("--warm", type=int, default=0, help=f"pages that are asked for first, beside {FIRST}")
    parser.add_argument("--levels", nargs="*", default=["page", "block,passage", "page,block,passage"])
    parser.add_argument("--redis", help="address of a server that may be filled: redis://localhost:6379/0")
    parser.add_argument("--peers", nargs="?", const=sys.executable, metavar="PYTHON",
                        help="datasketch and rensa, too; of the environment of this interpreter")
    parser.add_argument("--peer", nargs=2, metavar=("NAME", "FILE"), help="one of them, on the pages of a file")
    arguments = parser.parse_args()
    count = arguments.pages + ASKED + arguments.warm
    if arguments.peer:
        name, file = arguments.peer
        print(json.dumps(measured(PEERS[name], Written(Path(file), count, arguments.warm), arguments.redis)))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pages.jsonl"
        measure_all(arguments, write_pages(file, count, arguments.words, arguments.warm, arguments.apart))


def measure_all(arguments: argparse.Namespace, pages: Written) -> None:
    """Measure each subject, and print what it said."""
    jobs: list[tuple[str, Callable[[], dict[str, Any]]]] = [
        (f"dedup {levels}", partial(measured, ours, pages, levels, None)) for levels in arguments.levels]
    if arguments.redis:
        jobs += [(f"dedup {levels} in Redis", partial(measured, ours, pages, levels, arguments.redis))
                 for levels in arguments.levels]
    if arguments.peers:
        jobs += [(name, partial(elsewhere, arguments.peers, name, pages, None)) for name in PEERS]
        if arguments.redis:
            jobs.append(("datasketch in Redis", partial(elsewhere, arguments.peers, "datasketch", pages, arguments.redis)))
    for name, work in jobs:
        said = {"subject": name, "pages": pages.held, "words": arguments.words, "apart": arguments.apart}
        print(json.dumps({**said, **work()}), flush=True)


if __name__ == "__main__":
    main()
