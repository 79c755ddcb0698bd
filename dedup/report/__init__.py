"""What was found, to read, filter and write."""

from __future__ import annotations

import dataclasses
import heapq
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.errors import DedupError, MissingExtraError, OptionError

if TYPE_CHECKING:
    from dedup.model import Group, NearMiss, PageReport, Pair, ReadError, Skipped, Summary
    from dedup.options import Options

__all__ = ["Report"]


class Report:
    """All that one scan or comparison found. Treat it as immutable.

    Attributes:
        options: The settings it was made with.
        summary: Figures of the whole.
        pages: One ``PageReport`` a page, in order; pages without repeats too.
        groups: Text that stands in two places or more; a group's id is its index.
        skipped: What was read but not compared, by reason.
        errors: What could not be read.
        input_digest: Digest of all that was read.
        version: Version of dedup that made it.
        is_comparison: Whether it is a report of ``compare``; such a one lists its pairs.
        near_misses: What is alike and not reported, with the gate that stopped it: the nearest first, those that no figure
            stopped at the end, 1,000 at most. ``None`` unless ``compare`` was asked to explain.

    Groups, pages and links may be made only when they are asked for: go over them rather than copying them. A report
    can be pickled and copied; that makes all of them.
    """

    __slots__ = ("_links", "errors", "groups", "input_digest", "is_comparison", "near_misses", "options", "pages", "skipped",
                 "summary", "version")

    def __init__(self, *, options: Options, summary: Summary, pages: Sequence[PageReport], groups: Sequence[Group],
                 links: Sequence[Pair] | None, skipped: tuple[Skipped, ...], errors: tuple[ReadError, ...],
                 input_digest: str, version: str, is_comparison: bool = False,
                 near_misses: tuple[NearMiss, ...] | None = None) -> None:
        """Put a report together.

        Args:
            links: Every verified link; ``None`` where they are not known (a report file written without them).
        """
        self.options, self.summary, self.pages, self.groups = options, summary, pages, groups
        self._links, self.skipped, self.errors = links, skipped, errors
        self.input_digest, self.version, self.is_comparison = input_digest, version, is_comparison
        self.near_misses = near_misses

    def pairs(self) -> Iterator[Pair]:
        """Every verified link: joined runs and passages, not their pieces; `a` before `b` in the one order.

        Raises:
            DedupError: The report was read from a file that was written without its pairs.
        """
        if self._links is None:
            raise DedupError("this report was written without its pairs", "pairs", "Scan with pairs=True.")
        return iter(self._links)

    @property
    def lists_pairs(self) -> bool:
        """Whether the written report holds the pairs: one of ``compare`` does, another where it was asked for."""
        return self._links is not None and (self.is_comparison or self.options.pairs)

    @property
    def keep(self) -> list[bool]:
        """One bool a page, in order: False for a page that is as a whole a later copy of another one.

        References (``against``) are not counted: there are as many as pages were scanned.
        """
        copies = {page.id for page in self.pages if any(v.kind == "copy-of" for v in page.verdicts)}
        lengths = {page.id: page.chars for page in self.pages}
        for group in self.groups:
            first, *later = group.occurrences
            if _is_whole(first.start, first.end, lengths.get(first.page)):
                copies.update(o.page for o in later if _is_whole(o.start, o.end, lengths.get(o.page)))
        return [page.id not in copies for page in self.pages if not page.reference]

    def least_certain(self, count: int = 10) -> list[Pair]:
        """The verified links with the least similarity, the least first: where to look whether the threshold fits.

        Links between equal texts are left out: nothing is uncertain about them.
        """
        near = ((pair.similarity, index, pair) for index, pair in enumerate(self.pairs()) if pair.kind != "exact")
        return [pair for _, _, pair in heapq.nsmallest(max(count, 0), near)]

    def at_similarity(self, least: float) -> Report:
        """The same report with only the groups and links at or above a similarity; nothing is compared again.

        Occurrences below it leave their group, and a group under two occurrences goes, with the verdicts that rest
        on it alone. Ids are given anew, so that they stay indices. The figures of pages, and those of the summary
        but ``groups``, stay the scan's.

        Raises:
            OptionError: `least` is not between 0 and 1.
        """
        if not 0.0 <= least <= 1.0:
            raise OptionError(f"{least} is out of range", "least", "Use 0.0 to 1.0.")
        from dedup.report.filter import Counted, filter_groups, filter_verdicts

        groups, numbers = filter_groups(self.groups, least, Counted.of(self))
        links = None if self._links is None else [pair for pair in self._links if pair.similarity >= least]
        return Report(
            options=dataclasses.replace(self.options, min_similarity=max(least, self.options.min_similarity)),
            summary=dataclasses.replace(self.summary, groups=len(groups)),
            pages=[filter_verdicts(page, numbers) for page in self.pages], groups=groups, links=links,
            skipped=self.skipped, errors=self.errors, input_digest=self.input_digest, version=self.version,
            is_comparison=self.is_comparison, near_misses=self.near_misses)

    def to_json(self, indent: int | None = None) -> str:
        """The report as JSON (``dedup-report/1``).

        Args:
            indent: Spaces a level; without it one page, group or pair stands on a line.
        """
        from dedup.report.json import indented, write_json

        buffer = io.BytesIO()
        write_json(self, buffer)
        text = buffer.getvalue()
        return (text if indent is None else indented(text, indent)).decode("utf-8")

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table`` with one row an occurrence, in the order of the groups.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        try:
            import pyarrow  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("pyarrow is not installed", "to_arrow",
                                    "Install it with: pip install 'dedup-toolkit[arrow]'.") from error
        from dedup.report.arrow import occurrence_table

        return occurrence_table(self)

    def write(self, path: str | Path) -> None:
        """Write the report to a file; its suffix says the format. The file is whole or as it was before.

        Raises:
            OptionError: No format has this suffix.
            OutputError: The file cannot be written.
        """
        writer_of(path)(self, Path(path))

    def __repr__(self) -> str:
        from dedup.report.text import count, percent

        figures = self.summary
        return (f"<Report: {count(figures.pages, 'page')}, {count(figures.groups, 'group')}, "
                f"{percent(figures.duplicate_share)} duplicate>")

    def __rich__(self) -> Any:
        from dedup.report.terminal import ReportView

        return ReportView(self)


def _is_whole(start: int, end: int, chars: int | None) -> bool:
    return start == 0 and end == chars


def writer_of(path: str | Path) -> Callable[[Report, Path], None]:
    """The function that writes the format which a file's suffix names.

    Raises:
        OptionError: No format has this suffix.
    """
    from dedup.report.json import write_json_file

    writers: dict[str, Callable[[Report, Path], None]] = {".json": write_json_file}
    suffix = Path(path).suffix.lower()
    if suffix not in writers:
        raise OptionError(f"no report format has the suffix {suffix!r}" if suffix else "the file has no suffix",
                          str(path), f"Use one of: {', '.join(writers)}.")
    return writers[suffix]
