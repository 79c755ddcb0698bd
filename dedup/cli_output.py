"""Where a report goes: files, a browser, standard output; and what is said on standard error.

Nothing heavy is imported here, as in ``cli``.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dedup.cleaning.result import Cleaned
    from dedup.report import Report

SAME_ERRORS = 10  # lines of one kind; the rest are summed up


def check_top(top: int) -> None:
    """Refuse a number of entries that is out of range."""
    from dedup.errors import OptionError

    if not 0 <= top <= 100_000:
        raise OptionError(f"{top} is out of range", "--top", "Use 0 to 100000.")


def check_open(opened: bool, output: str | None) -> None:
    """Refuse to open what no browser shows."""
    from dedup.errors import OptionError

    if opened and (output is None or not output.lower().endswith(".html")):
        raise OptionError("there is no page to open", "--open", "Say where it goes: -o report.html --open")


def open_in_browser(output: str) -> None:
    """Show a written page; where no browser can be started, say where the page is."""
    import webbrowser
    from pathlib import Path

    if not webbrowser.open(Path(output).resolve().as_uri()):
        note(f"dedup: no browser could be started; open {output} yourself")


def check_output(path: Path, sources: Sequence[Path | str]) -> None:
    """Refuse before the work what would fail, or destroy something, after it."""
    from pathlib import Path

    from dedup.errors import OutputError
    from dedup.report import writer_of

    writer_of(path)
    if path.is_dir():
        raise OutputError("cannot be written: that is a folder", str(path))
    if not path.absolute().parent.is_dir():
        raise OutputError("cannot be written: there is no such folder", str(path))
    for source in (source for source in sources if isinstance(source, Path)):
        with contextlib.suppress(OSError):
            if os.path.samefile(path, source) or (_is_inside(path, source) and not _is_report(path)):
                raise OutputError("is read and would be overwritten", str(path), "Choose another file for the report.")


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether an existing file lies in a folder that is scanned."""
    return path.exists() and folder.is_dir() and path.resolve().is_relative_to(folder.resolve())


def _is_report(path: Path) -> bool:
    """Whether a file is a report of ours, which a new one may replace."""
    from dedup.report.html import GENERATOR

    with path.open("rb") as file:
        beginning = file.read(200)
    return b'"format": "dedup-report/' in beginning or GENERATOR in beginning or not beginning


def is_one_terminal() -> bool:
    """Whether a person sees what goes to standard output and to standard error in one place."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))


def tell_errors(report: Report | Cleaned, everything: bool) -> None:
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


def deliver(report: Report, output: str | None, format: str | None, top: int, quiet: bool) -> None:
    """Write the report to a file, and print it or its figures."""
    if output is not None:
        report.write(output)
    if format == "json":
        from dedup.report.json import write_json

        to_stdout(lambda file: write_json(report, file.buffer))  # type: ignore[attr-defined]
    elif output is None or format == "terminal" or not quiet:
        from dedup.report.terminal import ReportView, console_for

        told = ReportView(report, top, written=output if output is not None and format != "terminal" else None)
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
