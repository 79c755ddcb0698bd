"""A process that works on an index, says what is done, and is killed: ``python tests/index_worker.py INDEX SEED WHAT``.

Each line that it prints is acknowledged work: ``add 17 18 19``, ``remove 4``, ``compact``. Before, it says what it begins:
``> add ...``. Page N has the text ``text_of(N)``.
"""

from __future__ import annotations

import random
import sys

from dedup.errors import BusyIndexError
from dedup.index import Index, redis_store

STEPS = 400


def text_of(number: int | str) -> str:
    """The text of a page: some words of its own, and eight that are everybody's."""
    own = " ".join(f"w{number}x{n}" for n in range(30))
    return f"{own}\nall of these nine words stand on every page"


def work(place: str, seed: int, kinds: list[str], first: int) -> None:
    """Add, remove and compact until the end or the kill."""
    chance = random.Random(seed)
    mine: list[int] = []
    following = first
    with Index.open(place, timeout=30) as index:
        print("begun", flush=True)
        for _ in range(STEPS):
            kind = chance.choice(kinds)
            if kind == "add":
                new = list(range(following, following + chance.randint(1, 30)))
                following += len(new)
                say("add", new)
                index.add([{"id": str(n), "text": text_of(n)} for n in new], threads=1)
                mine += new
                done("add", new)
            elif kind == "remove" and mine:
                gone = chance.sample(mine, min(len(mine), chance.randint(1, 20)))
                mine = [n for n in mine if n not in gone]
                say("remove", gone)
                index.remove([str(n) for n in gone])
                done("remove", gone)
            elif kind == "compact":
                say("compact", [])
                try:
                    index.compact()
                except BusyIndexError:
                    continue
                done("compact", [])


def read(place: str, seed: int) -> None:
    """Check pages for ever: each answer must be whole."""
    chance = random.Random(seed)
    with Index.open(place, timeout=30) as index:
        print("begun", flush=True)
        while True:
            number = chance.randrange(100)
            report = index.check({"id": "asked", "text": text_of(number)}, threads=1)
            exact = [group for group in report.groups for at in group.occurrences if at.page == str(number)]
            print(f"read {number} {len(exact)} {len(index)}", flush=True)


def say(kind: str, numbers: list[int]) -> None:
    """What begins."""
    print(">", kind, *numbers, flush=True)


def done(kind: str, numbers: list[int]) -> None:
    """What is acknowledged."""
    print(kind, *numbers, flush=True)


if __name__ == "__main__":
    redis_store.LEASE = 1.0  # those that are killed keep others waiting so long
    place, seed, what, first = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    if what == "read":
        read(place, seed)
    else:
        work(place, seed, what.split(","), first)
