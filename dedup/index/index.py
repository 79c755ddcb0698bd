"""``dedup.Index``: the public face of a persistent index."""

from __future__ import annotations

import dataclasses
import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dedup.errors import InputError, OptionError, OutputError
from dedup.index.adding import (
    Added,
    Some,
    add_pages,
    in_batches,
    named,
    prefixed,
    prepare,
    remove_pages,
    together,
    write,
)
from dedup.index.recipe import GIVEN_LATER, Recipe, make_recipe
from dedup.index.redis_link import is_address
from dedup.index.store import Snapshot, Store
from dedup.options import Options, did_you_mean, make_options, memory_bytes

if TYPE_CHECKING:
    from dedup.corpus import Corpus
    from dedup.index.checking import Candidates
    from dedup.index.store import Info, Verified
    from dedup.model import Page
    from dedup.report import Report
    from dedup.stages import Progress

TIMEOUT = 60.0  # seconds to wait for somebody else who writes
LEAST_CACHE = 1 << 24  # bytes
SMALL = 1 << 25  # bytes of text whose scan has room anyway
FILTERS = ("min_similarity", "min_chars")  # hide what was found, so they may be given with each check


class Index:
    """Pages that were stored, and what they are found by.

    Open one with ``Index.open`` or make one with ``Index.create``, best in a ``with`` statement. One process or thread writes
    at a time, any number read meanwhile; one object may serve several threads.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: dict[Any, Options] = {}

    @classmethod
    def open(cls, place: str | os.PathLike[str], *, timeout: float = TIMEOUT, cache: str | None = None) -> Index:
        """Open an index that there is.

        Args:
            place: Its file; or ``redis://host:port/db?name=NAME`` (extra ``redis``).
            timeout: Seconds to wait where somebody else writes.
            cache: Memory for what is looked at again and again, such as ``"2G"``, 16M or more: postings (two thirds) and
                pages. Default: a sixteenth of the machine's, 192 MB to 1.5 GB. Redis has a memory of its own.

        Raises:
            OptionError: `cache` is no size.
            InputError: There is none, or a newer dedup made it. Only ``create`` makes one.
            DamagedIndexError: It is not what was stored.
        """
        from dedup.index.sqlite import SqliteStore

        check_wait(timeout)
        size = memory_bytes(cache, "cache", LEAST_CACHE) if cache is not None else None
        if is_address(place):
            from dedup.index.redis_store import RedisStore

            return cls(RedisStore(str(place), timeout))
        return cls(SqliteStore(Path(place), timeout, size))

    @classmethod
    def create(cls, place: str | os.PathLike[str], source: Any = None, *, levels: Iterable[str] | str | None = None,
               timeout: float = TIMEOUT, cache: str | None = None, **settings: Any) -> Index:
        """Make an index, and put pages into it.

        Args:
            place: Its file, where there may be nothing; or an address, as of ``open``.
            source: Pages, as ``scan`` takes them; ``None`` for none.
            levels: What pages are found by: ``page`` (pages that are alike as a whole), ``block`` (blocks that are),
                ``passage`` (runs of equal words wherever they stand). Default: block and passage, as ``scan`` finds.
            timeout, cache: As in ``open``.
            **settings: Of ``scan``; what finds and what reads is kept in the index and holds for all that is done with it.

        Raises:
            OptionError: A setting or level that an index cannot have.
            OutputError: There is something at the place.
        """
        from dedup.profiles import with_profile

        settings = with_profile(settings, settings.pop("for_", None))
        run = {name: value for name, value in settings.items() if name in _names("run")}
        from dedup.api import _pages

        recipe = make_recipe(levels, settings)
        options = make_options({**{name: getattr(recipe.options, name) for name in _every()}, **run}, "Index.create")
        stream = None if source is None else _pages(named(source, options), options)  # what cannot be read is told first
        create_store(place, recipe)
        index = cls.open(place, timeout=timeout, cache=cache)
        try:
            if stream is not None:
                index.add(stream, **run)
        except BaseException:
            index.close()
            raise
        return index

    def __enter__(self) -> Index:
        return self

    def __reduce__(self) -> Any:
        raise TypeError("an Index cannot be pickled: give its path to the other process, and open it there")

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is held open."""
        self._store.close()

    @property
    def levels(self) -> tuple[str, ...]:
        """What pages are found by."""
        return self._store.recipe.levels

    @property
    def options(self) -> Options:
        """The settings that it was made with."""
        return self._store.recipe.options

    def __len__(self) -> int:
        """How many pages it holds."""
        with self._store.reading() as snapshot:
            return snapshot.pages

    def __contains__(self, id_: object) -> bool:
        """Whether there is a page with that id."""
        if not isinstance(id_, str):
            return False
        name = id_.encode("utf-8", "surrogatepass")
        with self._store.reading() as snapshot:
            return name in snapshot.numbers_of([name])

    def ids(self) -> Iterator[str]:
        """The ids of its pages, in the order in which they were added."""
        with self._store.reading(alone=True) as snapshot:
            for record in snapshot.all_records():
                yield record.id.decode("utf-8", "surrogatepass")

    def add(self, source: Any, *, prefix: str = "", progress: Progress | None = None, **settings: Any) -> Added:
        """Put pages in; one whose id there is takes its place.

        Pages are written some thousands at a time. Those of a batch that was written are there whatever happens then: to the
        process, or to the power.

        Args:
            source: Pages with ids, as ``scan`` takes them.
            prefix: Put before each id: pages of two folders may have the same names.
            progress: As of ``scan``; it is told what was read.
            **settings: Of the groups "read" and "run".

        Raises:
            InputError: A text without an id.
            BusyIndexError: Somebody else writes for too long.
            OutputError: There is no room.
        """
        from dedup.api import _pages
        from dedup.memory import memory_of

        options = self._settings(settings, ("read", "run"), "add")
        with memory_of(options), _engine(options) as engine:
            return add_pages(self._store, engine, _pages(named(source, options), options), options, prefix)

    def check(self, source: Any, *, unit: Literal["block", "page"] | None = None, add: bool = False,
              except_own: bool = False, prefix: str = "", progress: Progress | None = None, **settings: Any) -> Report:
        """What of some pages is stored already.

        Stored pages that share a key with one of them are scanned together with them, as ``scan(source, against=...)`` does:
        all that is reported is verified, with its places on both sides.

        Args:
            source: Pages, as ``scan`` takes them.
            unit: ``page`` compares whole pages (level page), ``block`` blocks and passages; default ``block`` where the
                index has a level for it.
            add: Put them in afterwards, in one step: nobody else can write between. They are compared with what was there
                before, not with each other.
            except_own: Leave out stored pages that have the id of a page that is checked: its own earlier version.
            prefix: As of ``add``.
            **settings: Of the groups "read", "run" and "report", and the filters ``min_similarity`` and ``min_chars``.

        Returns:
            A report as of ``scan``; its pages are the stored ones that were looked at, and then those that were checked.

        Raises:
            OptionError: The index has no level for that unit.
        """
        return self._check(source, lambda done: None, unit, add, except_own, prefix, progress, settings)

    def _check(self, source: Any, told: Callable[[Added], object], unit: Literal["block", "page"] | None, add: bool,
               except_own: bool, prefix: str, progress: Progress | None, settings: dict[str, Any]) -> Report:
        """As `check`; `told` hears what came of adding."""
        from dedup.api import _pages

        options, unit = self._settings(settings, ("read", "run", "report"), "check"), self._unit(unit)
        stream = _pages(named(source, options) if add else source, options)
        batches = [prefixed(some, prefix) for some in in_batches(stream)]  # read before others have to wait
        if add:
            return self._checked_and_added(stream, batches, options, unit, except_own, progress, told)
        with self._store.reading() as snapshot:
            return self._checked(snapshot, stream, batches, options, unit, except_own, progress)

    def seen(self, page: Any, *, except_own: bool = False, **settings: Any) -> bool:
        """Whether a page that is like this one is stored: with level page one as alike as its threshold asks; without it one
        that nine tenths of its words are taken from (verdict ``copy-of``). Never of a page under ``min_tokens`` words.

        Args:
            page, except_own, **settings: As of ``check``.
        """
        unit: Literal["block", "page"] = "page" if "page" in self.levels else "block"
        report = self.check(page, unit=unit, except_own=except_own, **settings)
        if unit == "page":
            return len(report.groups) > 0
        return any(verdict.kind == "copy-of" for known in report.pages for verdict in known.verdicts)

    def remove(self, ids: Iterable[str] | str) -> int:
        """Take pages out.

        Args:
            ids: Of pages; those that there are not are passed over.

        Returns:
            How many went.
        """
        names = [ids] if isinstance(ids, str) else list(ids)
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"an id is a str, not {name!r}")
        return remove_pages(self._store, [name.encode("utf-8", "surrogatepass") for name in names])

    def info(self) -> Info:
        """Figures: pages, bytes, levels, settings, postings."""
        return self._store.info()

    def verify(self, **settings: Any) -> Verified:
        """Look at all that it holds: every record and posting, and whether the postings are those of the pages.

        It takes about as long as to add the pages. Others may go on reading and writing.
        """
        options = self._settings(settings, ("run",), "verify")
        with _engine(options) as engine:
            return self._store.verify(engine)

    def compact(self) -> None:
        """Make look-ups quick and the file small: one segment a level, without what was removed."""
        self._store.compact()

    def pages(self) -> Iterator[Page]:
        """Its pages as they were given, in the order in which they were added."""
        from dedup.index.records import stored_page

        with self._store.reading(alone=True) as snapshot:
            for record in snapshot.all_records():
                yield stored_page(record, snapshot.packer)

    def export(self, path: str | os.PathLike[str]) -> int:
        """Write its pages to a .jsonl or .parquet file, a record each; see ``rescue.export``.

        Returns:
            How many there were.
        """
        from dedup.index.rescue import export

        if os.path.realpath(path) == os.path.realpath(self._store.name):
            raise OutputError("is the index itself", str(path), "Name another file.")
        return export(self.pages(), Path(path))

    def settings(self, settings: Mapping[str, Any]) -> Options:
        """Its settings, with some of one call."""
        return self._settings(settings, ("read", "run", "report"), "check")

    # Within.

    def _unit(self, unit: str | None) -> Literal["block", "page"]:
        has_block = bool({"block", "passage"} & set(self.levels))
        if unit is None:
            return "block" if has_block else "page"
        if unit not in ("block", "page"):
            raise OptionError(f"{unit!r} is not one of block, page", "unit")
        if not ("page" in self.levels if unit == "page" else has_block):
            raise OptionError(f"the index has no level for unit {unit}", "unit",
                              f"It has {', '.join(self.levels)}: make another one with levels={unit}.")
        return "page" if unit == "page" else "block"

    def _settings(self, settings: Mapping[str, Any], groups: tuple[str, ...], caller: str) -> Options:
        """The index's settings with some of a call."""
        if not settings:
            return self.options
        key = tuple(sorted((name, repr(value)) for name, value in settings.items())), groups, caller
        known = self._asked  # another thread may put its own there
        if key not in known:
            known = self._asked = {key: self._made_settings(settings, groups, caller)}  # most calls are like the last one
        return known[key]

    def _made_settings(self, settings: Mapping[str, Any], groups: tuple[str, ...], caller: str) -> Options:
        names = [field.name for field in dataclasses.fields(Options)]
        allowed = {name for group in groups for name in _names(group)} | set(FILTERS if caller == "check" else ())
        allowed -= {"checkpoint"}
        for name in settings:
            if name not in names:
                raise TypeError(f"{caller}() got an unexpected keyword argument {name!r}{did_you_mean(name, names)}")
            if name not in allowed:
                raise OptionError(f"belongs to the index, which was made with {getattr(self.options, name)!r}", name,
                                  "Make another index for another one." if name not in _names("report")
                                  else "Give it to check.")
        kept = {name: getattr(self.options, name) for name in names if name not in settings}
        from dedup.api import refuse_scan_settings

        options = make_options({**kept, **settings}, caller)
        refuse_scan_settings(options, caller)
        return options

    def _checked(self, snapshot: Snapshot, stream: Any, batches: list[Some], options: Options, unit: Literal["block", "page"],
                 except_own: bool, progress: Progress | None) -> Report:
        from dedup.api import _found
        from dedup.checkpoint import NOTHING_KEPT
        from dedup.index.checking import (
            Checked,
            few_threads,
            find_candidates,
            ids_of,
            joined,
            keys_of,
            levels_of,
            stored_pages,
            surveyor_of,
            unit_options,
        )
        from dedup.memory import memory_of
        from dedup.stages import Stages

        all_found: list[Candidates] = []
        own: set[str] = set()
        for batch in batches:
            with _engine(few_threads(options, batch.size)) as engine:
                keys, corpus = keys_of(engine, batch, options, unit, levels_of(self.levels, unit), self._store.recipe.sketch)
            all_found.append(find_candidates(snapshot, keys, options.gram_tokens, options.find != "exact", len(corpus.pages)))
            own.update(ids_of(corpus) if except_own else ())
        found = joined(all_found)
        stored, numbers = stored_pages(snapshot, found.pages, own)
        checked = Checked(stored, batches, stream, found)
        asked = few_threads(unit_options(options, unit), checked.expected_bytes)
        if not stored and len(batches) == 1:
            report = _nothing(checked, corpus, asked, progress)
        else:
            with memory_of(options) if options.memory or checked.expected_bytes > SMALL else nullcontext():
                stages = Stages(progress, options.memory is not None)
                make_surveyor = surveyor_of(found.buckets, numbers, asked)
                report = _found(checked, asked, stages, NOTHING_KEPT, False, False, make_surveyor,
                                later=options.memory is None)
        report.options, report.index_pages = unit_options(options, unit), snapshot.pages
        return report

    def _checked_and_added(self, stream: Any, batches: list[Some], options: Options, unit: Literal["block", "page"],
                           except_own: bool, progress: Progress | None, told: Callable[[Added], object]) -> Report:
        from dedup.blocks import read_corpus

        done = Added()
        with self._store.writing() as writer:
            report = self._checked(writer, stream, batches, options, unit, except_own, progress)
            for batch in batches:
                with _engine(options) as engine:
                    corpus, tokens = read_corpus(batch, engine, options)
                    ready = prepare(writer.packer, engine, corpus, tokens, options, self._store.recipe)
                done = together(done, write(writer, ready))
        self._store.settle()
        told(done)
        return report


def check_wait(seconds: float, where: str = "timeout") -> None:
    """See that seconds can be waited for.

    Raises:
        OptionError: They cannot.
    """
    if not 0 <= seconds <= threading.TIMEOUT_MAX:
        raise OptionError(f"{seconds} is no time to wait", where, "Give seconds, 0 or more.")


def create_store(place: str | os.PathLike[str], recipe: Recipe) -> None:
    """Make an index that holds nothing, in a file or in Redis."""
    if is_address(place):
        from dedup.index.redis_store import RedisStore

        RedisStore.create(str(place), dataclasses.replace(recipe, sketch="affine32"))
        return
    from dedup.index.sqlite import SqliteStore

    SqliteStore.create(Path(place), recipe)


def _nothing(stream: Any, corpus: Corpus, options: Options, progress: Progress | None) -> Report:
    """The report of pages that no stored page has a key of: nothing has to be compared."""
    from msgspec.structs import replace

    from dedup.api import report_of
    from dedup.pipeline import nothing_found
    from dedup.stages import Stages

    findings = nothing_found(replace(corpus, references=0), options)
    return report_of(stream, findings, "", Stages(progress), later=True)


def _every() -> list[str]:
    return [field.name for field in dataclasses.fields(Options)]


@functools.cache
def _names(group: str) -> list[str]:
    return [field.name for field in dataclasses.fields(Options) if field.metadata["group"] == group]


@contextmanager
def _engine(options: Options) -> Iterator[Any]:
    from dedup.engines.local import LocalEngine

    with LocalEngine(options.threads, options.partitions) as engine:
        yield engine


__all__ = ["GIVEN_LATER", "Added", "Index", "InputError", "Recipe"]
