"""What was found, to read, filter and write."""

from __future__ import annotations

import dataclasses
import io
import operator
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, SupportsFloat, SupportsIndex, TypeVar

from dedup.errors import DedupError, MissingExtraError, OptionError, how_to_install

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from dedup.annotate import Annotations
    from dedup.model import Cause, Group, NearMiss, PageReport, Pair, ReadError, Skipped, Summary
    from dedup.options import Options
    from dedup.report.arcs import Svg

__all__ = ["Judged", "Report"]

T = TypeVar("T")


class Judged(NamedTuple):
    """What a report says of its pages; see there."""

    summary: Summary
    pages: Sequence[PageReport]
    causes: Sequence[Cause] = ()
    annotations: Annotations | None = None


class Once(Generic[T]):
    """What is made when somebody first asks for it, by one thread; others wait.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make, self._lock, self._made = make, threading.Lock(), list[T]()

    def __call__(self) -> T:
        """It."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


class Report:
    """All that one scan or comparison found. Treat it as immutable.

    Attributes:
        options: The settings it was made with.
        summary: Figures of the whole.
        pages: One ``PageReport`` a page, in order; pages without repeats too.
        groups: Text that stands in two places or more; a group's id is its index.
        causes: What many pages of a site repeat for one reason, and the selector that leaves it out.
        skipped: What was read but not compared, by reason.
        errors: What could not be read.
        input_digest: Digest of all that was read.
        version: Version of dedup that made it.
        is_comparison: Whether it is a report of ``compare``; such a one lists its pairs.
        near_misses: What is alike and not reported, with the gate that stopped it: the nearest first, those that no figure
            stopped at the end, 1,000 at most. ``None`` unless ``compare`` was asked to explain.

        left_out: Groups that were found and are not here, because they are known or untouched; see ``with_groups``.
        hidden: Groups that were found and are not here, because the setting ``hide`` leaves their verdicts out.
        index_pages: Pages of the index that the pages were checked against, of which ``summary.reference_pages`` were looked
            at; ``None`` of a scan, and of a report that was read from a file.

    Groups, pages and links may be made only when they are asked for: go over them rather than copying them. A report
    can be pickled and copied; that makes all of them.
    """

    __slots__ = ("_annotations", "_digest", "_judged", "_links", "causes", "errors", "groups", "hidden", "index_pages",
                 "is_comparison", "left_out", "near_misses", "options", "pages", "skipped", "summary", "version")

    summary: Summary
    pages: Sequence[PageReport]
    causes: tuple[Cause, ...]
    _annotations: Annotations | None

    def __init__(self, *, options: Options, judged: Judged | Callable[[], Judged], groups: Sequence[Group],
                 links: Sequence[Pair] | None, skipped: tuple[Skipped, ...], errors: tuple[ReadError, ...],
                 input_digest: str | Callable[[], str], version: str, is_comparison: bool = False,
                 near_misses: tuple[NearMiss, ...] | None = None) -> None:
        """Put a report together.

        Args:
            input_digest: The digest, or what makes it when somebody asks for it.
            judged: What it says of its pages, or what makes that when somebody asks for it. Without annotations what can be
                made of them is made from groups and pages.
            links: Every verified link; ``None`` where they are not known (a report file written without them).
        """
        self.options, self.groups, self._links = options, groups, links
        self.skipped, self.errors, self.near_misses = skipped, errors, near_misses
        self._digest = input_digest if isinstance(input_digest, str) else Once(input_digest)
        self.version, self.is_comparison = version, is_comparison
        self.left_out = self.hidden = 0
        self.index_pages: int | None = None
        self._judged = judged if isinstance(judged, Judged) else Once(judged)
        if isinstance(judged, Judged):
            self._judge(judged)

    def _judge(self, judged: Judged) -> None:
        self.summary, self.pages, self.causes = judged.summary, judged.pages, tuple(judged.causes)
        self._annotations, self._judged = judged.annotations, judged

    if not TYPE_CHECKING:  # which would take any name for one
        def __getattr__(self, name: str) -> Any:
            """What is not there yet; what is there is found before this is asked."""
            if name not in ("_annotations", "causes", "pages", "summary"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            judged = self._judged
            self._judge(judged if isinstance(judged, Judged) else judged())
            return object.__getattribute__(self, name)

    def __getstate__(self) -> object:
        """For a pickle or a copy all is made."""
        self._digest = self.input_digest
        self._judge(Judged(self.summary, self.pages, self.causes, self._annotations))
        return object.__getstate__(self)

    @property
    def input_digest(self) -> str:
        """Digest of all that was read."""
        if not isinstance(self._digest, str):
            self._digest = self._digest()
        return self._digest

    def pairs(self) -> Iterator[Pair]:
        """Every verified link: joined runs and passages, not their pieces; `a` before `b` in the one order.

        Raises:
            DedupError: The report was read from a file that was written without its pairs.
        """
        return iter(self.known_links)

    @property
    def known_links(self) -> Sequence[Pair]:
        """Every verified link, as a sequence that makes them when they are asked for; raises as ``pairs`` does."""
        if self._links is None:
            raise DedupError("this report was written without its pairs", "pairs", "Scan with pairs=True.")
        return self._links

    @property
    def lists_pairs(self) -> bool:
        """Whether the written report holds the pairs: one of ``compare`` does, another where it was asked for."""
        return self._links is not None and (self.is_comparison or self.options.pairs)

    @property
    def annotations(self) -> Annotations:
        """What the table of pages says beside the figures of the pages, as columns."""
        if self._annotations is None:
            from dedup.annotate import annotations_of

            self._annotations = annotations_of(self)
        return self._annotations

    @property
    def keep(self) -> npt.NDArray[np.bool_]:
        """Whether each page stays where each stands once, shape ``(pages,)``, in the order of ``pages``.

        False for a copy of a page that stays: with ``unit="page"`` a later member of its group, else a page with the
        verdict ``copy-of``. The first one stays; which page that is, is ``kept_page`` in the table of pages.
        References (``against``) always stay, and are left out: there are as many values as pages were scanned.
        """
        return self.annotations.kept[self.summary.reference_pages:] < 0

    def least_certain(self, count: int = 10) -> list[Pair]:
        """The verified links with the least similarity, the least first: where to look whether the threshold fits.

        Links between equal texts are left out: nothing is uncertain about them. No more than these pairs are made.

        Args:
            count: How many, at most.

        Raises:
            OptionError: `count` is not a whole number, or less than 0.
            DedupError: The report was read from a file that was written without its pairs.
        """
        from dedup.pair_list import least_alike

        if not isinstance(count, SupportsIndex) or (count := operator.index(count)) < 0:
            raise OptionError(f"{count!r} is no number of pairs", "count", "Use a whole number, 0 or more.")
        return least_alike(self.known_links, count)

    def at_similarity(self, least: float) -> Report:
        """The same report with only the groups and links at or above a similarity; nothing is compared again.

        Occurrences below it leave their group, and a group under two occurrences goes, with the verdicts that rest
        on it alone. Ids are given anew, so that they stay indices. The figures of pages, and those of the summary
        but ``groups``, stay the scan's.

        Raises:
            OptionError: `least` is not between 0 and 1.
        """
        if not isinstance(least, SupportsFloat) or not 0.0 <= float(least) <= 1.0:
            raise OptionError(f"{least!r} is out of range", "least", "Use 0.0 to 1.0.")
        from dedup.pair_list import those_at
        from dedup.report.filter import Counted, FilteredPages, filter_causes, filter_groups

        groups, numbers, gone = filter_groups(self.groups, least, Counted.of(self))
        links = None if self._links is None else those_at(self._links, least)
        filtered = Report(
            options=dataclasses.replace(self.options, min_similarity=max(least, self.options.min_similarity)),
            judged=Judged(dataclasses.replace(self.summary, groups=len(groups)), FilteredPages(self.pages, numbers, gone),
                          filter_causes(self.causes, numbers)),
            groups=groups, links=links, skipped=self.skipped, errors=self.errors, input_digest=self.input_digest,
            version=self.version, is_comparison=self.is_comparison, near_misses=self.near_misses)
        filtered._annotations = self.annotations.regrouped(filtered)
        filtered.hidden, filtered.index_pages = self.hidden, self.index_pages
        return filtered

    def with_groups(self, kept: Collection[int]) -> Report:
        """The same report with some of its groups only; ids are given anew, so that they stay indices.

        The figures of pages, and those of the summary but ``groups``, stay the scan's. Of the pairs those stay that touch
        a place of such a group.

        Args:
            kept: Ids of the groups.

        Raises:
            OptionError: There is no such group.
        """
        from dedup.pair_list import those_of
        from dedup.report.filter import FilteredPages, filter_causes, number_groups

        groups, numbers = number_groups(self.groups, kept)
        filtered = Report(
            options=self.options,
            judged=Judged(dataclasses.replace(self.summary, groups=len(groups)), FilteredPages(self.pages, numbers),
                          filter_causes(self.causes, numbers)),
            groups=groups, links=None if self._links is None else those_of(self._links, groups), skipped=self.skipped,
            errors=self.errors, input_digest=self.input_digest, version=self.version, is_comparison=self.is_comparison,
            near_misses=self.near_misses)
        filtered._annotations = self.annotations.regrouped(filtered)
        filtered.left_out = self.left_out + len(self.groups) - len(groups)
        filtered.hidden, filtered.index_pages = self.hidden, self.index_pages
        return filtered

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

    def page_groups(self) -> Iterator[list[str]]:
        """Ids of the pages that each group stands on, in the order of ``groups``, each once.

        Of a fresh scan nothing else is made for it, neither texts nor measures: the quickest way to what belongs together.

        >>> import dedup
        >>> report = dedup.scan(["The bridge was opened again on a Saturday after repairs."] * 2, unit="page")
        >>> list(report.page_groups())
        [['0', '1']]
        """
        from dedup.findings import GroupList

        if isinstance(self.groups, GroupList):
            yield from self.groups.page_ids()
        else:
            yield from (list(dict.fromkeys(place.page for place in group.occurrences)) for group in self.groups)

    def to_arrow(self, rows: Literal["pages", "groups", "occurrences"] = "pages") -> Any:
        """A ``pyarrow.Table`` with a row a page, a group or an occurrence; docs/page-table.md describes them.

        Args:
            rows: ``pages``, in the order of ``pages``; ``groups``, or ``occurrences`` in the order of the groups.

        Raises:
            MissingExtraError: pyarrow is not installed.
            OptionError: `rows` is something else.
        """
        if rows not in ("pages", "groups", "occurrences"):
            raise OptionError(f"{rows!r} is none of pages, groups, occurrences", "rows")
        need_arrow("to_arrow")
        from dedup.report.arrow import page_table, table_stream

        return page_table(self) if rows == "pages" else table_stream(self, rows).read_all()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of pages for whoever takes Arrow (polars, DuckDB, pandas, ...), batch by batch."""
        need_arrow("__arrow_c_stream__")
        from dedup.report.arrow import page_stream

        return page_stream(self).__arrow_c_stream__(requested_schema)

    def to_html(self) -> str:
        """The report as one HTML file that needs nothing else: verdicts, the pages with their repeats marked, word diffs.

        A report of a scan shows the texts of its pages, as many as have room; one that was read from a file shows those
        that were stored (``with_text=True``), else the repeated passages alone.
        """
        from dedup.report.html import to_html

        return to_html(self)

    def to_markdown(self, top: int = 10, link_base: str = "") -> str:
        """The report as short Markdown, for a pull request: the answer and the worst of each list; the rest folded away.

        Args:
            top: Entries of each list; fewer where the whole would not fit into a comment (65,536 characters).
            link_base: Address before the paths of its links, such as ``https://host/owner/repository/blob/main``; without it
                they are relative.

        Raises:
            OptionError: `link_base` is no such address.
        """
        from dedup.report.formats import How
        from dedup.report.markdown import check_link_base, to_markdown

        check_link_base(link_base)
        return to_markdown(self, top, How(link_base=link_base))

    def to_sarif(self, changed: Callable[[str], bool] | None = None, root: str | Path | None = None) -> str:
        """The report as a SARIF 2.1.0 log, a result for each text that stands more than once; docs/formats.md describes it.

        Args:
            changed: Whether the page of a source was changed: a result is charged to such a place. Without it to the later
                copy.
            root: Folder that the paths are relative to; else the repository around the current folder, or that folder itself.
        """
        from dedup.report.sarif import to_sarif

        return to_sarif(self, changed, None if root is None else Path(root))

    def plot_arcs(self, page: str | int | None = None) -> Svg:
        """A page's repeats as a picture: arcs from each place of a passage to the next one. A notebook shows it.

        An arc is as wide as its places are long and as strong as they are alike; places that stand on other pages too
        have a mark below the line.

        Args:
            page: Id of a page or its index; else the page with the most repeats.

        Returns:
            SVG, as a ``str``.

        Raises:
            OptionError: There is no such page.
        """
        from dedup.report.arcs import plot_arcs

        return plot_arcs(self, page)

    def write(self, path: str | Path) -> None:
        """Write the report to a file, in the format that its suffix names; docs/formats.md describes them.

        ``.json``, ``.html``, ``.md``, ``.sarif``, ``.txt``; a row a page ``.parquet``, ``.jsonl``, ``.csv``; a row a group
        ``.groups.csv`` and so on; a row an occurrence ``.occurrences.csv`` and so on. The file is whole or as it was before.

        Raises:
            OptionError: No format has this suffix.
            MissingExtraError: pyarrow is not installed, and the file is to be Parquet.
            OutputError: The file cannot be written.
        """
        from dedup.report.formats import write_report

        write_report(self, path)

    def __repr__(self) -> str:
        from dedup.report.text import count, percent

        figures = self.summary
        skipped = f", {figures.skipped:,} skipped" if figures.skipped else ""
        return (f"<Report: {count(figures.pages, 'page')}, {count(figures.groups, 'group')}, "
                f"{percent(figures.duplicate_share)} duplicate{skipped}>")

    def _repr_html_(self) -> str:
        from dedup.report.card import notebook_card

        return notebook_card(self)

    def __rich__(self) -> Any:
        from dedup.report.terminal import ReportView

        return ReportView(self)


def need_arrow(where: str) -> None:
    """Refuse with the extra's name where pyarrow is not installed.

    Raises:
        MissingExtraError: It is not.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("pyarrow is not installed", where,
                                how_to_install("arrow", "pyarrow")) from error
