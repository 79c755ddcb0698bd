"""The formats in which a report is written: their names on the command line, their suffixes, and who writes them.

Every format is written to an open binary file; a file on the disk is whole afterwards, or as it was before. Nothing heavy is
imported here: the command line makes its help from this.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from msgspec import Struct

from dedup.errors import OptionError, OutputError

if TYPE_CHECKING:
    from dedup.report import Report

TOP = 10


class How(Struct, frozen=True, kw_only=True):
    """How a report is written, where a format leaves a choice.

    Attributes:
        top: Entries of each list in what is made to be read (terminal, Markdown).
        changed: Whether the page of a source was changed; SARIF charges a repeat to its places on such pages, and Markdown
            names them first. ``None`` where nothing is known: then it is charged to the later copy.
        root: Folder that the paths of SARIF and the links of Markdown are relative to; ``None`` for the repository around the
            current folder, or that folder itself.
        link_base: Address before the paths in the links of Markdown; empty for relative links.
    """

    top: int = TOP
    changed: Callable[[str], bool] | None = None
    root: Path | None = None
    link_base: str = ""


class Format(Struct, frozen=True):
    """One format.

    Attributes:
        name: As on the command line (``--format``).
        what: What the file is called when it was written.
        writer: Module in ``dedup.report``, function in it that takes a report, an open binary file and a ``How``, and what
            it takes beside.
        printed: Whether it can go to standard output.
        extra: Needs pyarrow.
    """

    name: str
    what: str
    writer: str
    printed: bool = True
    extra: bool = False

    def write(self, report: Report, file: IO[bytes], how: How) -> None:
        """Write a report to an open binary file."""
        module, function, *rest = self.writer.split(":")
        made: Callable[..., None] = getattr(importlib.import_module(f"dedup.report.{module}"), function)
        with memory_for(report):
            made(report, file, how, *rest)


def memory_for(report: Report) -> AbstractContextManager[None]:
    """Within it, memory is bounded as it was in the scan, where the settings said how: columns are made for reports, too."""
    if report.options.memory is None:
        return nullcontext()
    from dedup.memory import memory_of

    return memory_of(report.options)


def _tables(suffix: str, writer: str, printed: bool = True, extra: bool = False) -> dict[str, Format]:
    """A format of tables: a row a page, or what the suffix before it names."""
    name = suffix[1:]
    return {suffix: Format(name, "table of pages", f"{writer}:pages", printed, extra),
            **{f".{rows}{suffix}": Format(f"{rows}.{name}", f"table of {rows}", f"{writer}:{rows}", printed, extra)
               for rows in ("groups", "occurrences")}}


# By suffix. ``.pages.csv`` needs no entry: its end is ``.csv``.
FORMATS: dict[str, Format] = {
    ".txt": Format("terminal", "report", "formats:write_terminal"),
    ".json": Format("json", "report", "json:to_file"),
    ".html": Format("html", "report", "html:to_file", printed=False),
    ".md": Format("md", "report", "markdown:to_file"),
    ".sarif": Format("sarif", "SARIF log", "sarif:to_file"),
    ".sarif.json": Format("sarif", "SARIF log", "sarif:to_file"),
    **_tables(".parquet", "table_files:parquet_of", printed=False, extra=True),
    **_tables(".jsonl", "table_files:json_lines_of"),
    **_tables(".csv", "table_files:csv_of"),
}
PRINTED = tuple(dict.fromkeys(made.name for made in FORMATS.values() if made.printed))


def format_of(path: str | Path) -> Format:
    """The format that a file's suffix names.

    Raises:
        OptionError: No format has this suffix.
        MissingExtraError: The format needs a library that is not installed.
    """
    name, suffix = Path(path).name.lower(), Path(path).suffix.lower()
    fitting = [end for end in FORMATS if name.endswith(end) and len(name) > len(end)]
    if not fitting:
        told = ", ".join(end for end in FORMATS if end.count(".") == 1)
        raise OptionError(f"no report format has the suffix {suffix!r}" if suffix else "the file has no suffix", str(path),
                          f"Use one of: {told}; of tables also .groups.csv, .occurrences.csv and so on.")
    found = FORMATS[max(fitting, key=len)]
    if found.extra:
        from dedup.report import need_arrow

        need_arrow(str(path))
    return found


def printed_format(name: str) -> Format:
    """The format of a name, one of ``PRINTED``."""
    return next(made for made in FORMATS.values() if made.name == name)


def write_report(report: Report, path: str | Path, how: How | None = None) -> None:
    """Write a report to a file, in the format that its suffix names. The file is whole afterwards, or as it was before.

    Raises:
        OptionError: No format has this suffix.
        MissingExtraError: The format needs a library that is not installed.
        OutputError: The file cannot be written.
    """
    from dedup.report.json import replaced_file

    made = format_of(path)
    try:
        with replaced_file(Path(path)) as file:
            made.write(report, file, how or How())
    except OutputError as error:
        raise OutputError(error.what, str(path), error.mend) from error


def write_terminal(report: Report, file: IO[bytes], how: How) -> None:
    """The report as a terminal shows it, without colours, behind a line that says what it is."""
    from dedup.report.terminal import ReportView, console_for

    file.write(f"Report of dedup {report.version}\n\n".encode())
    text = io.TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True)
    try:
        console: Any = console_for(text, colours=False)
        console.print(ReportView(report, how.top))
    finally:
        text.detach()


__all__ = ["FORMATS", "PRINTED", "Format", "How", "format_of", "memory_for", "printed_format", "write_report"]
