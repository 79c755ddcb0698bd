"""Where a report goes: files, a browser, standard output; and what is said on standard error.

Nothing heavy is imported here, as in ``cli``.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dedup.cleaning.result import Cleaned
    from dedup.index.adding import Added
    from dedup.options import Options
    from dedup.report import Report
    from dedup.report.formats import How

SAME_ERRORS = 10  # lines of one kind; the rest are summed up


def check_top(top: int) -> None:
    """Refuse a number of entries that is out of range."""
    from dedup.errors import OptionError

    if not 0 <= top <= 100_000:
        raise OptionError(f"{top} is out of range", "--top", "Use 0 to 100000.")


def check_link_base(address: str) -> None:
    """Refuse what no link can begin with."""
    if address:
        from dedup.report.markdown import check_link_base

        check_link_base(address, "--link-base")


def check_open(opened: bool, outputs: Sequence[str]) -> None:
    """Refuse to open what no browser shows."""
    from dedup.errors import OptionError

    if opened and not any(_is_page(output) for output in outputs):
        raise OptionError("there is no page to open", "--open", "Say where it goes: -o report.html --open")


def _is_page(output: str) -> bool:
    return output.lower().endswith(".html")


def open_in_browser(outputs: Sequence[str]) -> None:
    """Show the pages that were written; where no browser can be started, say where they are."""
    import webbrowser
    from pathlib import Path

    for output in filter(_is_page, outputs):
        if not webbrowser.open(Path(output).resolve().as_uri()):
            note(f"dedup: no browser could be started; open {output} yourself")


def check_outputs(outputs: Sequence[str], sources: Sequence[Path | str]) -> None:
    """Refuse before the work what would fail, or destroy something, after it."""
    from pathlib import Path

    from dedup.errors import OptionError

    places: dict[str, str] = {}
    for output in outputs:
        _check_output(Path(output), sources)
        place = os.path.realpath(output)
        if place in places:
            raise OptionError("is named twice", f"-o {output}", "Write each report to a file of its own.")
        places[place] = output


def _check_output(path: Path, sources: Sequence[Path | str]) -> None:
    from pathlib import Path

    from dedup.errors import OptionError, OutputError
    from dedup.report.formats import PRINTED, format_of

    if str(path) == "-":
        raise OptionError("is no file: a report is printed where none is named", "-o -",
                          f"Leave it out; --format says how: {', '.join(PRINTED)}.")
    if path.is_dir():  # before its suffix is looked at, which a folder rarely has
        raise OutputError("is a folder, and a report is one file", str(path), f"Name a file in it: -o {path / 'report.html'}")
    format_of(path)
    if not path.absolute().parent.is_dir():
        raise OutputError("cannot be written: there is no such folder", str(path))
    for source in (source for source in sources if isinstance(source, Path)):
        with contextlib.suppress(OSError):
            same = os.path.realpath(path) == os.path.realpath(source) or os.path.samefile(path, source)
            if same or (_is_inside(path, source) and not _is_report(path)):
                raise OutputError("is read and would be overwritten", str(path), "Choose another file for the report.")


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether an existing file lies in a folder that is scanned."""
    return path.exists() and folder.is_dir() and path.resolve().is_relative_to(folder.resolve())


def _is_report(path: Path) -> bool:
    """Whether a file is a report of ours, which a new one may replace."""
    from dedup.readers.formats import HEAD_BYTES, is_report

    with path.open("rb") as file:
        beginning = file.read(HEAD_BYTES)
    return not beginning or is_report(beginning)


def all_numbered(report: Report) -> bool:
    """Whether there are records, and none has an id of its own: each is named by its file and where it stands there."""
    from dedup.report.gather import heads_of

    seen = False
    for page in heads_of(report):
        name, _, number = page.id.rpartition("#")
        if name and number.isdecimal() and page.source.endswith(name):
            seen = True
        elif not page.source.endswith(page.id):  # a file's id is its path
            return False
    return seen


def unknown_fields(report: Report, options: Options) -> Iterator[str]:
    """What is said of fields that were asked for and that nothing has, with those that there are."""
    from dedup.readers.tables import fields_there, shown_field
    from dedup.report.gather import heads_of

    there = getattr(report.pages, "fields", ())
    listed = f" ({fields_there(there)})" if there else ""
    missing = dict.fromkeys(options.meta)
    for page in heads_of(report):
        if not missing:
            break
        for name in page.meta:
            missing.pop(name, None)
    for name in missing if report.summary.pages else ():
        yield f"--meta: no page has the field {shown_field(name)}{listed}"
    if options.id_field and all_numbered(report):
        yield f"--id-field: no record has the field {shown_field(options.id_field)}{listed}; file and line or row name them"


def is_one_terminal() -> bool:
    """Whether a person sees what goes to standard output and to standard error in one place."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))


def tell_errors(report: Report | Cleaned | Added, everything: bool) -> None:
    """What could not be read, a line each; more than ten of a kind are summed up."""
    from dedup.report.text import with_flags

    told: dict[str, int] = {}
    for error in report.errors:
        told[error.message] = told.get(error.message, 0) + 1
        if everything or told[error.message] <= SAME_ERRORS:
            note(f"{error.source}{f':{error.line}' if error.line else ''}: {with_flags(error.message)}")
    for message, times in told.items():
        if times > SAME_ERRORS and not everything:
            note(f"{with_flags(message)}: {times - SAME_ERRORS:,} more like this; -v names them all")


def deliver(report: Report, outputs: Sequence[str], format: str | None, how: How, quiet: bool) -> None:
    """Write the report to files, each in the format of its suffix, and print it or its figures."""
    from dedup.report.formats import memory_for, printed_format, write_report

    for output in outputs:
        write_report(report, output, how)
    if format is not None and format != "terminal":
        chosen = printed_format(format)
        to_stdout(lambda file: chosen.write(report, file.buffer, how))  # type: ignore[attr-defined]
    elif not outputs or format == "terminal" or not quiet:
        from dedup.report.terminal import ReportView, console_for

        told = ReportView(report, how.top, written=outputs if format != "terminal" else ())
        with memory_for(report):
            to_stdout(lambda file: console_for(file).print(told))


def to_stdout(write: Callable[[IO[str]], object]) -> None:
    """Write and flush; a reader that went away is no error, a full disk is."""
    from dedup.errors import OutputError

    if sys.stdout is None:
        raise OutputError("is closed", "standard output")
    try:
        write(sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()
    except OSError as error:
        from dedup.report.json import reason

        drop_stdout()
        raise OutputError(reason(error), "standard output") from error


def drop_stdout() -> None:
    """Send what is still buffered nowhere, so that the interpreter's last flush does not fail too."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def note(message: str) -> None:
    """One harmless line on standard error."""
    from dedup.report.text import safe

    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            line = " ".join(message.split())
            print(safe(line, getattr(sys.stderr, "encoding", None) or "ascii"), file=sys.stderr, flush=True)


def print_lines(lines: Sequence[str]) -> None:
    """Print lines of which some come from pages: nothing a terminal reacts to."""
    import shutil

    from dedup.cleaning.words import wrapped
    from dedup.report.text import safe

    def write(file: IO[str]) -> None:
        encoding = getattr(file, "encoding", None) or "ascii"
        width = shutil.get_terminal_size().columns if file.isatty() else 0
        for line in lines:
            told = safe(line, encoding)
            for part in wrapped(told, width) if width and len(told) > width // 2 else [told]:
                print(part, file=file)
    to_stdout(write)
