"""An index in Redis behaves as a dictionary of its pages, and answers as a scan, whatever is done to it in whatever order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from index_help import examples, groups_of, made_pages

import dedup
from dedup.index import Index

TEXTS = [page["text"] for page in made_pages(4, 12)]
IDS = st.sampled_from([f"id{number}" for number in range(6)])
PAGES = st.lists(st.tuples(IDS, st.sampled_from(TEXTS)), min_size=1, max_size=5)
NAMES = (f"dict{number}" for number in itertools.count())


class KilledError(BaseException):
    """Stands for the end of the process."""


class RedisMachine(RuleBasedStateMachine):
    """Rules on an index and on a dictionary; they have to agree."""

    server = ""

    def __init__(self) -> None:
        super().__init__()
        self.place, self.model = f"{self.server}?name={next(NAMES)}", dict[str, str]()
        self.index: Any = None

    @initialize(levels=st.sampled_from(["block,passage", "page", "page,block,passage"]))
    def create(self, levels: str) -> None:
        self.index = Index.create(self.place, levels=levels, find="exact")

    @rule(pages=PAGES)
    def add(self, pages: list[tuple[str, str]]) -> None:
        done = self.index.add([{"id": id_, "text": text} for id_, text in dict(pages).items()], threads=1)
        assert done.added == len(dict(pages).keys() - self.model.keys())
        self.model.update(pages)

    @rule(ids=st.lists(IDS, max_size=4))
    def remove(self, ids: list[str]) -> None:
        assert self.index.remove(ids) == len(set(ids) & self.model.keys())
        for id_ in ids:
            self.model.pop(id_, None)

    @rule(text=st.sampled_from(TEXTS), add=st.booleans(), id_=IDS)
    def check(self, text: str, add: bool, id_: str) -> None:
        page = {"id": id_, "text": text}
        unit: Any = "page" if self.index.levels == ("page",) else "block"
        report = self.index.check(page, add=add, except_own=True, threads=1)
        others = [{"id": other, "text": stored} for other, stored in sorted(self.model.items()) if other != id_]
        scanned = dedup.scan([page], against=others, unit=unit, find="exact", threads=1) if others else None
        assert groups_of(report) == (groups_of(scanned) if scanned else set())
        if add:
            self.model[id_] = text

    @rule(ids=st.lists(IDS, min_size=1, max_size=3), text=st.sampled_from(TEXTS))
    def killed(self, ids: list[str], text: str) -> None:
        """Pages were taken out and put in, and then the process ended before it was done."""
        from dedup.blocks import read_corpus
        from dedup.engines.local import LocalEngine
        from dedup.index.adding import prepare
        from dedup.model import Page

        store = self.index._store
        with LocalEngine(1) as engine:
            corpus, tokens = read_corpus([Page(id_, text, "s") for id_ in ids[:1]], engine, store.recipe.options)
            ready = prepare(store.packer, engine, corpus, tokens, store.recipe.options, store.recipe)
        with pytest.raises(KilledError), store.writing() as writer:  # noqa: PT012
            writer.remove(sorted(writer.numbers_of([id_.encode() for id_ in ids]).values()))
            writer.add(ready.records, ready.keys)
            raise KilledError

    @rule()
    def compact(self) -> None:
        self.index.compact()
        assert self.index.info().removed == 0

    @rule()
    def reopen(self) -> None:
        self.index.close()
        self.index = Index.open(self.place)

    @invariant()
    def the_same_pages(self) -> None:
        if self.index is not None:
            assert {page.id: page.text for page in self.index.pages()} == self.model
            found = self.index.info()
            assert (found.pages, found.text_bytes) == (len(self.model), sum(len(t.encode()) for t in self.model.values()))

    def teardown(self) -> None:
        if self.index is not None:
            verified = self.index.verify(threads=1)
            self.index.close()
            assert verified.ok, verified.problems


@pytest.mark.slow
def test_an_index_in_redis_is_a_dictionary(redis_server: str) -> None:
    class Machine(RedisMachine):
        server = redis_server
    size = settings(max_examples=examples(10, 300), stateful_step_count=examples(15, 40))
    run_state_machine_as_test(Machine, settings=size)
