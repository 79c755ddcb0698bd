"""The two calls of the public interface: scan pages, compare two of them."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.errors import DedupError, InputError, OptionError
from dedup.model import Page, ReadError, Skipped
from dedup.options import Options, make_options
from dedup.profiles import with_profile

if TYPE_CHECKING:
    from dedup.checkpoint import Checkpoint
    from dedup.cleaning.choices import Choices
    from dedup.cleaning.restore import Restored
    from dedup.cleaning.result import Cleaned
    from dedup.explain import Judge
    from dedup.findings import Findings
    from dedup.pipeline import MakeSurveyor
    from dedup.report import Report
    from dedup.stages import Progress, Stages

log = logging.getLogger("dedup")
EXAMPLES = 10  # of what was skipped for one reason


def scan(source: Any, *, against: Any = None, options: Options | None = None, progress: Progress | None = None,
         **settings: Any) -> Report:
    """Find what stands more than once in pages.

    Args:
        source: A ``Path`` (file or folder), several of them, what ``open_pages`` gives, or pages themselves: ``str``
            texts, mappings with ``id`` and ``text``, ``Page`` objects, a table or a column of texts of anything that speaks
            Arrow; or a DataFrame of Spark, which runs there.
        against: References, given as `source` is: only what stands in them too is reported.
        options: All settings at once; else give them as keywords.
        progress: A function that gets the name of each stage as it begins; or a ``Watcher`` such as ``Profile``, or several.
        **settings: Fields of ``Options``, and ``for_``: a profile (``readers``, ``docs``, ``corpus``, ``reuse``) whose
            settings hold where they are not given.

    Returns:
        A report; what could not be read is in its ``errors``, the rest was processed.

    Raises:
        TypeError: A setting that does not exist, or a source of no known kind.
        OptionError: A setting out of its range, a text that looks like a place, or `against` with ``scope="within"``.
        InputError: A path that does not exist, no page to compare against, or records of which none has a text where it is
            looked for.

    >>> report = scan(["These same eight words stand on both pages.",
    ...                "One page says more. These same eight words stand on both pages. It goes on for a while."])
    >>> report.groups[0].kind, report.groups[0].similarity
    ('contained', 1.0)
    """
    options = _options(options, settings, "scan")
    if against is not None and options.scope == "within":
        raise OptionError("what stands in other pages too does not stand within one", "against",
                          "Use it with scope across or both.")
    if options.engine == "spark" or type(source).__module__.startswith("pyspark.sql"):
        from dedup.distributed.on_spark import scan_on_spark

        return scan_on_spark(source, against, options, progress)
    if against is None:
        return _report(_pages(source, options), options, progress)
    return _report(_Against(_pages(against, options), _pages(source, options)), options, progress)


def compare(a: Any, b: Any, *, explain: bool = False, options: Options | None = None, progress: Progress | None = None,
            **settings: Any) -> Report:
    """Find what two pages share, and what either repeats.

    Args:
        a, b: Each a ``str`` text, a ``Path``, a mapping with ``id`` and ``text``, or a ``Page``.
        explain: Also say why something is not reported: ``near_misses`` of the report.
        options, progress, **settings: As in ``scan``; but for `find`, which is ``reworded`` unless set.

    Returns:
        A report of two pages, `a` before `b`, that lists its pairs.

    Raises:
        TypeError, OptionError, InputError: As in ``scan``; ``InputError`` also where a file holds no page or several.

    >>> report = compare("These same eight words stand on both pages.",
    ...                  "One page says more. These same eight words stand on both pages. It goes on for a while.")
    >>> pair = next(report.pairs())
    >>> pair.a.page, pair.b.page, pair.b.start, pair.b.end
    ('a', 'b', 20, 63)
    """
    if "against" in settings:
        raise OptionError("compare takes its two pages and no others", "against", "Use scan(pages, against=...).")
    if options is None:
        settings = {"find": "reworded"} | with_profile(settings, settings.pop("for_", None))
    options = _options(options, settings, "compare")
    refuse_scan_settings(options, "compare")
    streams = [_Sides(side, name, options) for side, name in ((a, "a"), (b, "b"))]
    return _report(_Both(streams), options, progress, is_comparison=True, explain=explain)


def clean(source: Any, out: Path | None = None, *, choices: Choices | None = None, options: Options | None = None,
          manifest: Path | None = None, in_place: bool = False, dry_run: bool = False, progress: Progress | None = None,
          **settings: Any) -> Cleaned:
    """Write the input without its copies; ``restore`` brings them back.

    Args:
        source: A ``Path`` (file or folder), or several of them; or pages themselves, as in ``scan``: then nothing is
            written, and the cleaned ones are in the result's ``pages``.
        out: Folder for the cleaned files, or for a single file a file with its suffix.
        choices: What goes and which copy stays; else give fields of ``Choices`` as keywords (``for_="corpus"``).
        options: Settings of the scan; else give them as keywords.
        manifest: Where what went is recorded; default ``dedup-manifest.jsonl`` in `out`.
        in_place: The cleaned files take the places of the sources.
        dry_run: Write nothing; the result says what would go.

    Raises:
        GuardError: More than ``max_removed`` would go; nothing was written.
        TypeError, OptionError, InputError: As in ``scan``.
        OutputError: The output lies in the input, is none of ours, or cannot be written.
    """
    from dedup.cleaning.choices import Choices
    from dedup.cleaning.run import clean_files
    from dedup.memory import memory_of

    if "against" in settings:
        raise OptionError("clean takes away what stands twice in its own pages, and has no references", "against",
                          "Use scan(pages, against=...), which says what stands in both.")
    names = {field.name for field in dataclasses.fields(Choices)}
    mine = {name: value for name, value in settings.items() if name in names}
    if choices is not None and mine:
        raise TypeError("clean() takes choices or single ones, not both")
    chosen = choices if choices is not None else Choices(**mine)
    rest = {name: value for name, value in settings.items() if name not in names}
    options = _options(options, rest if options is not None else with_profile(rest, chosen.for_), "clean")
    refuse_scan_settings(options, "clean")
    paths = [source] if isinstance(source, Path) else list(source) if isinstance(source, (list, tuple)) else []
    if not paths or not all(isinstance(path, Path) for path in paths):
        if out is not None or in_place or manifest is not None:
            raise TypeError(f"only places are cleaned into a place; of a {type(source).__name__} the result has the pages")
        from dedup.cleaning.memory import clean_in_memory

        with memory_of(options):
            return clean_in_memory(source, options, chosen)
    if in_place == (out is not None) and not dry_run:
        raise OptionError("either a place for the output or in_place is needed" if out is None else
                          "an output and in_place are given", "out")
    with memory_of(options):
        return clean_files(paths, out, options, chosen, manifest=manifest, in_place=in_place, dry_run=dry_run,
                           progress=progress)


def restore(manifest: Path, out: Path | None = None, *, cleaned: Path | None = None) -> Restored:
    """Bring back what ``clean`` took.

    Args:
        manifest: What ``clean`` wrote.
        out: Where the files go; ``None``: over the cleaned ones.
        cleaned: Folder of the cleaned files; ``None``: that of the manifest.

    Raises:
        InputError: The manifest is damaged, newer or hostile; a cleaned file is missing or was changed since.
        OutputError: The files cannot be written.
    """
    from dedup.cleaning.restore import restore_files

    return restore_files(manifest, out, cleaned)


class _Sides:
    """The one page of a side of a comparison."""

    def __init__(self, source: Any, name: str, options: Options) -> None:
        from dedup.readers import pages_from_objects

        self.name = str(source) if isinstance(source, Path) else name
        self.id = name
        if isinstance(source, (Path, str)):
            _refuse_places([source] if isinstance(source, str) else [])
        self.stream: Any = (open_places(source, options) if isinstance(source, Path)
                            else source if hasattr(source, "errors") and hasattr(source, "skipped")
                            else pages_from_objects([source], options))
        self.bare = isinstance(source, str) or (isinstance(source, Mapping) and "id" not in source)

    def page(self) -> Page:
        from dedup.errors import InputError

        pages: Iterator[Page] = iter(self.stream)
        try:
            first = next(pages, None)
        except InputError as error:
            raise _of_side(error, "nothing to compare", self.name) from None
        if first is None:
            cause = "; ".join(e.message for e in self.stream.errors) or "it holds no page"
            raise InputError(f"nothing to compare: {cause}", self.name)
        if next(pages, None) is not None:
            raise InputError("holds more than one page", self.name, "Use scan for several pages.")
        number = first.number if getattr(self.stream, "first_row", 1) else 0  # what is handed over alone has no row
        return dataclasses.replace(first, id=self.id if self.bare else first.id, number=number)


class _Against:
    """References, and then the pages that are compared against them.

    Attributes:
        references: Pages of the references read so far.
    """

    def __init__(self, references: Any, pages: Any) -> None:
        self.references, self._streams = 0, (references, pages)

    def __iter__(self) -> Iterator[Any]:
        return self.stretches()

    def stretches(self) -> Iterator[Any]:
        """The pages, some of them together."""
        first, then = self._streams
        try:
            for item in _stretches(first):
                self.references += 1 if isinstance(item, Page) else len(item.heads)
                yield item
        except InputError as error:
            raise _of_side(error, "nothing to compare against", "against") from None
        if not self.references:
            cause = "; ".join(e.message for e in first.errors) or "there is no page in it"
            raise InputError(f"nothing to compare against: {cause}", "against")
        yield from _stretches(then)

    @property
    def errors(self) -> list[ReadError]:
        return [error for stream in self._streams for error in stream.errors]

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        from dedup.readers.notes import skipped_by

        return skipped_by(self._streams)

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for stream in self._streams for name in getattr(stream, "fields", ())))

    @property
    def first_row(self) -> int:
        """That of the pages; references are in no table."""
        return getattr(self._streams[1], "first_row", 1)

    @property
    def renamed(self) -> int:
        return sum(getattr(stream, "renamed", 0) for stream in self._streams)

    @property
    def expected_bytes(self) -> int:
        return sum(getattr(stream, "expected_bytes", 0) for stream in self._streams)

    @property
    def bytes_behind(self) -> int:
        return sum(getattr(stream, "bytes_behind", 0) for stream in self._streams)

    @property
    def whole_bytes(self) -> int | None:
        sizes: list[int | None] = [getattr(stream, "whole_bytes", None) for stream in self._streams]
        return None if None in sizes else sum(size or 0 for size in sizes)


def _of_side(error: InputError, what: str, side: str) -> InputError:
    """What is wrong with the data of a side that a program handed over; an error of a place names it already."""
    return InputError(f"{what}: {error.what}", side, error.mend) if error.where.startswith("input") else error


def _stretches(stream: Any) -> Iterator[Any]:
    return stream.stretches() if hasattr(stream, "stretches") else iter(stream)


class _Both:
    """The pages of both sides, with ids of their own."""

    def __init__(self, sides: list[_Sides]) -> None:
        self.sides = sides

    def __iter__(self) -> Iterator[Page]:
        a, b = (side.page() for side in self.sides)
        if a.id == b.id:
            b = dataclasses.replace(b, id=b.source if b.source not in ("", a.id, a.source) else f"{b.id}#2")
        yield from (a, b)

    @property
    def errors(self) -> list[ReadError]:
        return [error for side in self.sides for error in side.stream.errors]

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return tuple(entry for side in self.sides for entry in side.stream.skipped)


def _options(options: Options | None, settings: Mapping[str, Any], caller: str) -> Options:
    if "explain" in settings:
        raise TypeError(f"{caller}() explains nothing: near misses are those of two pages; use compare(a, b, explain=True)")
    if options is not None and settings:
        raise TypeError(f"{caller}() takes options or single settings, not both")
    if options is not None and not isinstance(options, Options):
        raise TypeError(f"{caller}() takes options as dedup.Options, not {type(options).__name__}; or give them as keywords")
    settings = dict(settings)
    for_ = settings.pop("for_", None)
    return options if options is not None else make_options(with_profile(settings, for_), caller)


def refuse_scan_settings(options: Options, caller: str) -> None:
    """Raise where finished stages are to be kept, or on many machines: only ``scan`` does that."""
    if options.engine != "local":
        raise OptionError(f"{caller} runs on this machine", "engine", "Use it with scan.")
    if options.checkpoint is not None:
        raise OptionError(f"{caller} keeps no finished stages", "checkpoint", "Use it with scan.")


def _pages(source: Any, options: Options) -> Any:
    """A stream of pages with ``errors`` and ``skipped``."""
    from dedup.readers import pages_from_objects
    from dedup.readers.stream import speaks_arrow

    if hasattr(source, "errors") and hasattr(source, "skipped"):
        return source
    if isinstance(source, Path):
        return open_places(source, options)
    if isinstance(source, str):
        _refuse_places([source])
        return pages_from_objects([source], options)
    if isinstance(source, Mapping):
        if not any(isinstance(source.get(name), str) for name in (options.text_field or "", "text", "content", "body")):
            if split := next((name for name, held in source.items() if hasattr(held, "select_columns")), None):
                raise TypeError(f"{type(source).__name__} is several data sets; give one of them: [{split!r}]")
            raise TypeError("a mapping is one page, with a field that holds its text; give several as "
                            "[{'id': ..., 'text': ...}, ...]")
        return pages_from_objects([source], options)
    if isinstance(source, (list, tuple)):
        if source and all(isinstance(item, Path) for item in source):
            return open_places(list(source), options)
        _refuse_places([item for item in source if isinstance(item, str)])
        if any(isinstance(item, Path) for item in source):
            raise TypeError("a list of places and texts mixed; give one kind, or use open_pages")
    if isinstance(source, (bytes, bytearray, memoryview)):
        raise TypeError(f"{type(source).__name__} is no text; decode it, or give the Path of a file")
    if not isinstance(source, Iterable) and not speaks_arrow(source):
        raise TypeError(f"cannot scan a {type(source).__name__}; give a Path, texts, mappings, pages or a table")
    return pages_from_objects(source, options)


def open_places(source: Any, options: Options) -> Any:
    """A stream of what stands at places; ``Path("-")`` is standard input."""
    import sys

    from dedup.readers import open_pages

    places = source if isinstance(source, list) else [source]
    if sys.stdin is None and Path("-") in places:
        raise InputError("it is closed", "standard input")
    opened = [sys.stdin.buffer if place == Path("-") else place for place in places]
    return open_pages(opened if len(opened) > 1 else opened[0], options)


def _refuse_places(texts: list[str]) -> None:
    """Text is a ``str``, a place is a ``Path``: say so where a text looks like a place."""
    from dedup.readers import looks_like_a_place
    from dedup.readers.remote import is_address

    for text in texts:
        if looks_like_a_place(text):
            instead = (f"Use open_pages({text!r})." if is_address(text) else
                       f"Did you mean Path({text!r})? For a glob, use open_pages({text!r}).")
            raise OptionError(f"{text!r} is a text that looks like a place", "", instead)


def _report(stream: Any, options: Options, progress: Progress | None, is_comparison: bool = False,
            explain: bool = False) -> Report:
    from dedup.checkpoint import checkpoint_in
    from dedup.memory import memory_of
    from dedup.stages import Stages

    stages = Stages(progress, options.memory is not None)
    later = options.unit == "page" and options.memory is None  # small, and who asks for groups or pairs needs none of it
    with memory_of(options), checkpoint_in(options.checkpoint, stages) as checkpoint:
        return _found(stream, options, stages, checkpoint, is_comparison, explain, later=later)


def _found(stream: Any, options: Options, stages: Stages, checkpoint: Checkpoint, is_comparison: bool,
           explain: bool, make_surveyor: MakeSurveyor | None = None, later: bool = False) -> Report:
    from dedup.pipeline import find_duplicates
    from dedup.surveyor import Surveyor

    judge: Judge | None = None
    if explain:
        from dedup.explain import Judge

        judge = Judge()
    findings, digest = find_duplicates(stream, options, stages, is_comparison, judge, checkpoint,
                                       make_surveyor or Surveyor, later)
    return report_of(stream, findings, digest, stages, is_comparison, judge, later)


def report_of(stream: Any, findings: Findings, digest: str, stages: Stages, is_comparison: bool = False,
              judge: Judge | None = None, later: bool = False) -> Report:
    """The report of what was found in a stream's pages.

    Args:
        digest: Of the input; empty where it is made when somebody asks for it.
        later: What is said of the pages is made when somebody asks for it, unless somebody watches.
    """
    from dedup import __version__
    from dedup.pages import pages_in_no_pair
    from dedup.report import Judged, Report

    options, words = findings.options, getattr(stream, "known", "the references")
    findings.corpus.pages.first_row = getattr(stream, "first_row", 1)
    unpaired = pages_in_no_pair(findings, options)
    if getattr(stream, "renamed", 0):
        from dedup.report.text import count

        log.warning("%s stood more than once, told apart as x, x#2, ...", count(stream.renamed, "id"))
    stages.start("verdicts")
    hidden, known = 0, None
    if options.hide:
        from dedup.verdicts import Judgement

        every = Judgement(findings, words)
        known = every.without(options.hide)
        hidden = len(every.table) - len(known.table)
        findings = known.findings
    for entry in unpaired:
        from dedup.report.text import count

        log.warning("%s: %s", count(entry.count, "page"), entry.reason)
    skipped = (*stream.skipped, *unpaired)

    def judged() -> Judged:
        from dedup.annotate import annotate
        from dedup.causes import find_causes
        from dedup.pages import describe_pages
        from dedup.verdicts import Judgement

        judgement = known or Judgement(findings, words)
        causes = () if is_comparison else find_causes(judgement)
        return Judged(*describe_pages(judgement, skipped), causes, annotate(judgement))
    made: Judged | Callable[[], Judged] = judged
    if not later or stages.watchers:
        made = judged()
        stages.rows(made.summary.groups, "groups", made.summary.pages, "pages")
    missed = None
    if judge is not None:
        from dedup.explain import near_misses

        stages.start("near misses")
        missed = near_misses(findings, judge)
    stages.stop()
    report = Report(options=options, judged=made, groups=findings.groups, links=findings.pairs, skipped=skipped,
                    errors=tuple(stream.errors), input_digest=digest or findings.input_digest, version=__version__,
                    is_comparison=is_comparison, near_misses=missed)
    report.hidden = hidden
    return report


__all__ = ["DedupError", "clean", "compare", "restore", "scan"]
