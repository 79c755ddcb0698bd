"""Who watches a command: bars where a person looks at a terminal, a profile where it was asked for."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.options import Options
from dedup.stages import Watcher

if TYPE_CHECKING:
    from dedup.estimate import Estimate

NO_REPORT = ("output", "link_base", "top", "quiet", "verbose", "open_", "profile")  # what an estimate has no use for


@contextlib.contextmanager
def hushed(quiet: bool) -> Iterator[None]:
    """Warnings are not shown to who asked for silence."""
    log = logging.getLogger("dedup")
    level = log.level
    if quiet:
        log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


@contextlib.contextmanager
def watched(options: Options, quiet: bool, profile: bool) -> Iterator[list[Watcher]]:
    """The watchers of one run; the profile is printed on standard error when it is over."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(hushed(quiet))
        watchers: list[Watcher] = []
        if not quiet and sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            from dedup.forecast import Forecast
            from dedup.progress import Bars
            from dedup.report.terminal import console_for

            bars = Bars(console_for(sys.stderr), Forecast(options.threads, options.find == "reworded"))
            watchers.append(stack.enter_context(bars))
        if not profile:
            yield watchers
            return
        from dedup.profile import Profile

        figures = Profile()
        yield [*watchers, figures]
    if sys.stderr is not None:
        print("\n".join(figures.lines()), file=sys.stderr)


def tell_estimate(sources: Sequence[Path | str], settings: dict[str, Any]) -> int:
    """Print what a scan would take."""
    import json

    from dedup.cli import DONE
    from dedup.cli_output import to_stdout
    from dedup.errors import OptionError
    from dedup.estimate import estimate
    from dedup.options import make_options

    if Path("-") in sources:
        raise OptionError("standard input can be read once only", "--estimate", "Save it to a file first.")
    files = [source for source in sources if isinstance(source, Path)]
    if len(files) < len(sources):
        raise OptionError("only files on this machine can be estimated", "--estimate")
    form = settings.pop("format", None)
    if form not in (None, "terminal", "json"):
        raise OptionError(f"an estimate is no report: {form!r} is none of terminal, json", "--format")
    as_json = form == "json"
    options = make_options({name: value for name, value in settings.items() if name not in NO_REPORT})
    found = estimate(files, options)
    lines = [json.dumps(found.as_dict())] if as_json else in_words(found, options)
    to_stdout(lambda file: print("\n".join(lines), file=file))
    return DONE


def in_words(found: Estimate, options: Options) -> list[str]:
    """An estimate for people."""
    from dedup.report.text import count

    threads = options.threads or os.cpu_count() or 1
    lines = [f"input    {count(found.files, 'file')}, {_size(found.input_bytes)}; about {count(found.pages, 'page')}, "
             f"{_size(found.text_bytes)} of text",
             f"time     about {_time(found.seconds)} with {count(threads, 'thread')}",
             f"memory   about {_size(found.memory)}; it may have {_size(found.limit)} (--memory)"]
    if found.disk:
        lines.append(f"disk     about {_size(found.disk)} for texts and what has no room in memory; "
                     f"{_size(found.free)} are free (--temp-dir)")
        if found.free < found.disk:
            lines.append("         that is not enough: name another folder with --temp-dir, or allow more memory")
    else:
        lines.append("disk     nothing: all has room in memory")
    lines.append(f"known from {_size(found.sampled)} of the input, which were scanned; right within a factor of 3"
                 if found.sampled < found.input_bytes else "known from a scan of all of it")
    return lines


def _size(size: float) -> str:
    """Bytes in the units of 1000, as disks are sold."""
    units = ["TB", "GB", "MB", "kB", "bytes"]
    while size >= 999.5 and len(units) > 1:
        size /= 1000
        units.pop()
    return f"{size:.0f} {units[-1]}" if units[-1] == "bytes" or size >= 99.5 else f"{size:.3g} {units[-1]}"


def _time(seconds: float) -> str:
    """A length of time, no finer than it is known."""
    if seconds < 60:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
