"""An index behaves as a dictionary of its pages, whatever is done to it in whatever order."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from index_help import examples, groups_of, made_pages

import dedup
from dedup.index import Index

TEXTS = [page["text"] for page in made_pages(4, 12)]
IDS = st.sampled_from([f"id{number}" for number in range(8)])
PAGES = st.lists(st.tuples(IDS, st.sampled_from(TEXTS)), min_size=1, max_size=5, unique_by=lambda page: page[0])
LEVELS = st.sampled_from(["block,passage", "passage", "page", "page,block,passage"])


class Killed(BaseException):
    """Stands for the end of the process."""


class IndexMachine(RuleBasedStateMachine):
    """Rules on an index and on a dictionary; they have to agree."""

    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.place = self.folder / "i.dedup"
        self.model: dict[str, str] = {}
        self.index: Any = None

    @initialize(levels=LEVELS)
    def create(self, levels: str) -> None:
        self.index = Index.create(self.place, levels=levels, find="exact")

    @rule(pages=PAGES)
    def add(self, pages: list[tuple[str, str]]) -> None:
        done = self.index.add([{"id": id_, "text": text} for id_, text in pages], threads=1)
        same = [id_ for id_, text in pages if self.model.get(id_) == text]
        new = [id_ for id_, _ in pages if id_ not in self.model]
        # An unchanged text is another record where its place in the input is another one.
        assert (done.added, done.pages) == (len(new), len(pages))
        assert done.unchanged <= len(same)
        self.model.update(pages)

    @rule(ids=st.lists(IDS, max_size=4))
    def remove(self, ids: list[str]) -> None:
        assert self.index.remove(ids) == len(set(ids) & self.model.keys())
        for id_ in ids:
            self.model.pop(id_, None)

    @rule(text=st.sampled_from(TEXTS), add=st.booleans(), id_=IDS)
    def check(self, text: str, add: bool, id_: str) -> None:
        page = {"id": id_, "text": text}
        unit = "block" if self.index.levels != ("page",) else "page"
        report = self.index.check(page, add=add, except_own=True, threads=1)
        others = [{"id": other, "text": stored} for other, stored in sorted(self.model.items()) if other != id_]
        if self.index.levels != ("passage",):  # which finds less than a scan where blocks are shorter than a run
            expected = groups_of(dedup.scan([page], against=others, unit=unit, find="exact", threads=1)) if others else set()
            assert groups_of(report) == expected
        if add:
            self.model[id_] = text

    @rule()
    def reopen(self) -> None:
        self.index.close()
        self.index = Index.open(self.place)

    @rule()
    def compact(self) -> None:
        self.index.compact()
        assert self.index.info().removed == 0

    @rule(pages=PAGES, ids=st.lists(IDS, min_size=1, max_size=2))
    def kill(self, pages: list[tuple[str, str]], ids: list[str]) -> None:
        """What was not committed is not there; the file is taken as it lies on the disk at that moment."""
        copy = self.folder / "killed.dedup"
        with pytest.raises(Killed), self.index._store.writing() as writer:  # noqa: PT012
            writer.remove(sorted(writer.numbers_of([id_.encode() for id_ in ids]).values()))
            for end in ("", "-wal"):
                if self.place.with_name(self.place.name + end).exists():
                    shutil.copy(self.place.with_name(self.place.name + end), f"{copy}{end}")
            raise Killed
        with Index.open(copy) as left:
            assert {page.id: page.text for page in left.pages()} == self.model
        for end in ("", "-wal", "-shm"):
            Path(f"{copy}{end}").unlink(missing_ok=True)

    @precondition(lambda self: self.model)
    @rule()
    def rebuild(self) -> None:
        done = dedup.index.rebuild(self.place, self.folder / "new.dedup")  # type: ignore[attr-defined]
        assert done.ok
        assert done.pages == len(self.model)
        self.index.close()
        (self.folder / "new.dedup").replace(self.place)
        self.index = Index.open(self.place)

    @invariant()
    def the_same_pages(self) -> None:
        if self.index is not None:
            assert {page.id: page.text for page in self.index.pages()} == self.model
            assert len(self.index) == len(self.model)

    def teardown(self) -> None:
        if self.index is not None:
            verified = self.index.verify(threads=1)
            self.index.close()
            assert verified.ok, verified.problems
        shutil.rmtree(self.folder)


TestIndex = IndexMachine.TestCase
TestIndex.settings = settings(max_examples=examples(25, 500), stateful_step_count=examples(20, 40))
