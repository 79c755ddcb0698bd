"""The command line: ``dedup scan PATH...``, ``dedup compare A B``, and those of ``cli_clean``.

Nothing heavy is imported here: ``dedup --version`` answers before the rest is loaded.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dedup.cli_output import (
    check_link_base,
    check_open,
    check_outputs,
    check_top,
    deliver,
    drop_stdout,
    is_one_terminal,
    note,
    open_in_browser,
    tell_errors,
    to_stdout,
    unknown_fields,
)
from dedup.cli_process import Stopped, ends_soon, leave, sigterm_raises, travel_light

if TYPE_CHECKING:
    import inspect
    from pathlib import Path

    import cyclopts

    from dedup.gates import Opened
    from dedup.report import Report
    from dedup.stages import Watcher

DONE, STOPPED, WRONG, PARTLY = 0, 1, 2, 3
OUTPUT_HELP = ("write the report to a file, by its suffix: .html, .md, .txt to read; .json; .sarif; a row a page .csv, "
               ".jsonl, .parquet; a row a group or place .groups.csv, .occurrences.csv; may be repeated")
LINK_HELP = "Markdown: address before the paths of its links, like https://host/owner/repository/blob/main"
OPEN_HELP = "open the report in a browser once it is written (with -o FILE.html)"
PROFILE_HELP = "print what each stage took on standard error: time, memory, rows in and out"
STDIN = "\0-"  # no argument can hold a NUL, so this one is surely ours
COMMANDS = ("scan", "compare", "report", "clean", "restore", "explain", "index", "suppressions", "schema", "completion")
NO_REFERENCES = {"compare": "its two pages", "clean": "the pages that it cleans"}  # in place of a manifest
TITLES = {"find": "What is found", "read": "What is read", "run": "How it runs", "report": "What is reported",
          "gate": "What must not be found"}
HELP = "Find passages that stand more than once, in a page and across pages: where, and how alike they are."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    0 done; 1 a guard that was asked for spoke; 2 wrong usage, nothing usable or output that cannot be written; 3 some
    input could not be read (the rest was processed); 130 and 143 on signals.
    """
    if argv is None:  # this process is ours
        travel_light()
        with ends_soon():
            return leave(main(sys.argv[1:]))
    arguments = list(argv)
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    if isinstance(sys.stdout, io.TextIOWrapper) and (sys.stdout.encoding or "").lower() != "utf-8":
        sys.stdout.reconfigure(errors="backslashreplace")  # --help has an é
    if arguments and arguments[0] == "--version":
        from dedup import __version__

        return _guarded(lambda: _print_line(f"dedup {__version__}"))
    return _guarded(lambda: _with_worker_ahead(arguments))


def _with_worker_ahead(arguments: list[str]) -> int:
    """Run a command; where it names a page of HTML, the process that parses it starts while this one loads NumPy."""
    if arguments[:1] not in (["scan"], ["compare"], ["clean"]):
        return _dispatch(arguments)
    from dedup.readers import spawn

    try:
        with contextlib.suppress(OSError):  # it is started again when it is needed, and then the error is told
            spawn.start_ahead(arguments)
        return _dispatch(arguments)
    finally:
        spawn.end_waiting()


def _print_line(text: str) -> int:
    to_stdout(lambda file: print(text, file=file))
    return DONE


def _guarded(work: Callable[[], int]) -> int:
    """Run it, and turn whatever ends it into one line and a status."""
    from dedup.errors import DedupError, GuardError

    with sigterm_raises():
        try:
            return work()
        except KeyboardInterrupt:
            return 130
        except Stopped:
            return 143
        except GuardError as error:
            _fail(_spelt(error))
            return STOPPED
        except DedupError as error:
            _fail(_spelt(error))
        except MemoryError:
            _fail("there is not enough memory. Scan less at once, or on a larger machine.")
        except OSError as error:
            drop_stdout()
            _fail(f"{error.filename or 'system'}: {error.strerror or error}")
        except Exception as error:
            if os.environ.get("DEDUP_TRACEBACK"):
                raise
            _fail(f"internal error: {type(error).__name__}: {error}. This is a bug in dedup: please report it, with "
                  "what DEDUP_TRACEBACK=1 shows.")
    return WRONG


def _fail(message: str) -> None:
    note(f"dedup: {message}")


def _spelt(error: Any) -> str:
    """The error with settings written as flags."""
    import dataclasses

    from dedup.options import Options
    from dedup.report.text import with_flags

    gates = ("fail_over", "fail_on", "baseline", "update_baseline", "changed_since", "max_removed", "for")
    names = {name: flag(name) for name in (*gates, *(field.name for field in dataclasses.fields(Options)))}
    where = names.get(error.where, error.where)
    return str(type(error)(with_flags(error.what), where, with_flags(error.mend)))


def flag(name: str) -> str:
    """A setting as it is written on the command line."""
    return "--" + name.replace("_", "-")


# Arguments.


def _dispatch(arguments: list[str]) -> int:
    from cyclopts import CycloptsError

    app = build_app(arguments[0] if arguments else "")
    if not arguments:
        app(["--help"])
        return WRONG
    end = arguments.index("--") if "--" in arguments else len(arguments)
    tokens = [STDIN if token == "-" and index < end else token for index, token in enumerate(arguments)]
    try:
        status = app(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        from dedup.cli_usage import usage_error

        _fail(usage_error(error, arguments))
        return WRONG
    return status if isinstance(status, int) else DONE


def build_app(named: str = "") -> cyclopts.App:
    """The commands, with one flag for each field of ``Options``; where ``scan`` or ``compare`` is `named`, that one alone.

    To make all takes as long as the scan of a small page.
    """
    import inspect
    from typing import Annotated

    from cyclopts import App, Parameter

    from dedup import __version__

    app = App(name="dedup", help=HELP, help_format="plaintext", version=__version__,
              result_action="return_value", suppress_keyboard_interrupt=False)
    paths = inspect.Parameter("paths", inspect.Parameter.VAR_POSITIONAL, annotation=Annotated[
        str, Parameter(help="files, folders, globs in quotes; - is standard input", negative=())])
    sides = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY, annotation=Annotated[
        str, Parameter(help=text, negative=())]) for name, text in (("a", "one page"), ("b", "the other page"))]
    if named != "compare":
        app.command(_command(_scan, [paths], "Find passages that stand more than once, in a page and across pages."),
                    name="scan", usage="Usage: dedup scan PATH... [OPTIONS]")
    if named != "scan":
        app.command(_command(_compare, sides, "Show what two pages share, with the differing words marked.", True),
                    name="compare", usage="Usage: dedup compare A B [OPTIONS]")
    from dedup import cli_help

    if named in ("scan", "compare"):
        cli_help.add_help(app, (named,))
        return app
    from dedup import cli_clean, cli_completion, cli_index, cli_report, cli_schema, cli_suppressions

    for module in (cli_clean, cli_report, cli_index, cli_schema, cli_suppressions, cli_completion):
        module.add_commands(app)
    cli_help.add_help(app, COMMANDS)
    return app


def _command(function: Callable[..., int], positional: list[inspect.Parameter], doc: str,
             is_comparison: bool = False) -> Callable[..., int]:
    import inspect

    defaults = {"find": "reworded"} if is_comparison else {}

    def command(*arguments: str, **settings: Any) -> int:
        return function(*arguments, **settings)  # cyclopts hands over what was given

    flags = [made.replace(default=defaults.get(made.name, made.default)) for made in flags_of(is_comparison)]
    command.__signature__ = inspect.Signature([*positional, *flags])  # type: ignore[attr-defined]
    command.__doc__ = doc
    return command


def flags_of(is_comparison: bool) -> list[inspect.Parameter]:
    """Keyword parameters made from the fields of ``Options``, and the few flags that only the command line has."""
    from typing import Literal

    from dedup.cli_settings import config_flags, gate_flags, profile_flag
    from dedup.report.formats import PRINTED

    groups = option_groups()
    report = groups["report"]
    explain = make_flag("explain", bool, False, "also say what came near and is not reported, and what stopped it", report)
    against = make_flag("against", tuple[str, ...], (), "report only what stands in this file or folder too; may be repeated",
                        groups["find"])
    estimate = make_flag("estimate", bool, False, "scan a sample only, and say what the scan would take: time, memory, disk",
                         groups["run"])
    return [
        profile_flag(groups["find"]),
        *option_flags(groups),
        *([explain] if is_comparison else [against, estimate, *gate_flags(groups["gate"])]),
        *config_flags(groups["run"]),
        make_flag("output", tuple[str, ...], (), OUTPUT_HELP, report, "-o"),
        make_flag("open_", bool, False, OPEN_HELP, report, spelt="--open"),
        make_flag("format", Literal[PRINTED] | None, None,
              "what is printed; default terminal, or with -o the figures only", report),
        make_flag("link_base", str, "", LINK_HELP, report),
        make_flag("top", int, 10, "entries shown of each list (0 to 100000)", report),
        make_flag("profile", bool, False, PROFILE_HELP, groups["run"]),
        make_flag("quiet", bool, False, "say nothing on standard error but why it failed; with -o print nothing", report,
              "-q"),
        make_flag("verbose", bool, False, "name every input that could not be read, and log what is done", report, "-v"),
    ]


def option_groups() -> dict[str, cyclopts.Group]:
    """The headings under which settings are listed."""
    from cyclopts import Group

    return {key: Group(title, sort_key=number) for number, (key, title) in enumerate(TITLES.items())}


def option_flags(groups: dict[str, cyclopts.Group] | None = None) -> list[inspect.Parameter]:
    """A keyword parameter for each field of ``Options``."""
    import dataclasses
    from typing import get_type_hints

    from dedup.options import Options

    groups, hints = groups or option_groups(), get_type_hints(Options)
    return [make_flag(field.name, hints[field.name], field.default, _help(field.metadata), groups[field.metadata["group"]])
            for field in dataclasses.fields(Options)]


def _help(metadata: Any) -> str:
    low, high = metadata["min"], metadata["max"]
    if low is None or high > 1_000_000:
        return str(metadata["doc"])
    return f"{metadata['doc']} ({low} to {high})"


def make_flag(name: str, hint: Any, default: Any, text: str, group: cyclopts.Group, short: str = "",
              spelt: str = "") -> inspect.Parameter:
    """A flag of a command; `spelt` where it is not written like its name."""
    import inspect
    from typing import Annotated, get_args

    from cyclopts import Parameter

    converter = _whole_number if int in (hint, *get_args(hint)) else None
    parameter = Parameter(name=[spelt or flag(name), *([short] if short else [])], help=text, group=group, negative=(),
                          show_default=bool(default), converter=converter)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default,
                             annotation=Annotated[hint, parameter])


def _whole_number(kind: Any, tokens: Sequence[Any]) -> int:
    """Cyclopts rounds 3.5 to 4; we ask."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f"{tokens[0].value!r} is not a whole number") from None


# Commands.


def _scan(*paths: str, against: tuple[str, ...] = (), **settings: Any) -> int:
    from pathlib import Path

    from dedup.cli_settings import settled
    from dedup.errors import InputError

    if not paths:
        raise InputError("nothing to scan", mend="Name a file or folder (- is standard input): dedup scan PATH...")
    settings = settled("scan", settings)
    _check_threshold(settings.get("threshold"))
    sources, references = ([source for path in side for source in sources_of(path)] for side in (paths, against))
    if Path("-") in sources and Path("-") in references:
        raise InputError("cannot be read twice", "standard input", "Save it to a file first.")

    if settings.pop("estimate", False):
        from dedup.cli_progress import tell_estimate
        from dedup.gates import gates_of

        gates_of(settings)  # asks nothing of a sample
        return tell_estimate([*sources, *references], {key: stdin_spelt(value) for key, value in settings.items()})

    def work(options: Any, progress: list[Watcher]) -> Report:
        import dedup

        # One place alone is handed over alone: ids are relative to what was scanned.
        alone, *against = (_handed(side, options) for side in (sources, references) if side)
        asked = {"against": against[0]} if against else {}
        return dedup.scan(alone, **asked, options=options, progress=progress)  # type: ignore[attr-defined,no-any-return,unused-ignore]

    return _run(work, [*sources, *references], settings)


def _check_threshold(value: float | None) -> None:
    """A number above 1 may be what others call threshold: the share of duplicates from which a gate speaks."""
    from dedup.errors import OptionError
    from dedup.options import make_options

    try:
        make_options({"threshold": value})
    except OptionError as error:
        if value is None or not 1 < value <= 100:
            raise
        gate = f"A limit for what is duplicate is --fail-over {value:g}%."
        raise OptionError(error.what, error.where, f"{error.mend} {gate}") from None


def _handed(side: list[Path | str], options: Any) -> Any:
    """Places as ``scan`` takes them."""
    if any(isinstance(place, str) for place in side):
        from dedup.api import open_places

        return open_places(side, options)
    return side if len(side) > 1 else side[0]


def _compare(a: str, b: str, explain: bool = False, **settings: Any) -> int:
    from pathlib import Path

    from dedup.cli_settings import settled
    from dedup.errors import InputError
    from dedup.readers.remote import is_address

    if STDIN in (a, b):
        raise InputError("standard input cannot be compared", "-", "Save it to a file first.")
    sides = [a if is_address(a) else Path(a), b if is_address(b) else Path(b)]

    settings = {"find": "reworded"} | settled("compare", settings)

    def work(options: Any, progress: list[Watcher]) -> Report:
        import dedup

        a, b = (_handed([side], options) for side in sides)
        return dedup.compare(a, b, explain=explain, options=options, progress=progress)  # type: ignore[attr-defined,no-any-return,unused-ignore]

    return _run(work, sides, settings)


def sources_of(path: str) -> list[Path | str]:
    """The places an argument names: itself, or what a glob finds, or an address. ``Path("-")`` is standard input."""
    import glob
    from pathlib import Path

    from dedup.errors import InputError
    from dedup.readers.remote import is_address

    if path == STDIN:
        return [Path("-")]
    if is_address(path):
        return [path]
    if Path(path) == Path("-"):
        return [Path("-").absolute()]
    if not path:
        raise InputError("a path is empty", mend="Name a file or folder: dedup scan PATH...")
    if not os.path.lexists(path) and glob.has_magic(path):
        found = sorted(glob.glob(path, recursive=True))
        if not found:
            raise InputError("nothing matches", path, "Check the pattern.")
        return [Path(name) for name in found]
    return [Path(path)]


def _run(work: Callable[[Any, list[Watcher]], Report], sources: list[Path | str],
         settings: dict[str, Any]) -> int:
    from dedup.cli_progress import watched
    from dedup.model import unread
    from dedup.options import make_options
    from dedup.report.formats import How

    settings = {key: stdin_spelt(value) for key, value in settings.items()}
    gates = _gates(settings)
    outputs, format, top = settings.pop("output", ()), settings.pop("format", None), settings.pop("top", 10)
    quiet, verbose = settings.pop("quiet", False), settings.pop("verbose", False)
    opened, profile = settings.pop("open_", False), settings.pop("profile", False)
    link_base = settings.pop("link_base", "")
    check_top(top)
    check_link_base(link_base)
    options = make_options(settings)
    if gates is not None:
        gates.gates.check_hidden(options.hide)
    check_open(opened, outputs)
    check_outputs(outputs, [*sources, *([] if gates is None or gates.gates.baseline is None else [gates.gates.baseline])])
    if verbose:
        import logging

        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")
    with watched(options, quiet, profile) as watchers:
        report = work(options, watchers)
    passed = None if gates is None else gates.judge(report)
    report = report if passed is None else passed.report
    if not quiet and (verbose or outputs or format not in (None, "terminal") or not is_one_terminal()):
        tell_errors(report, everything=verbose)  # else the report says it
    changed = None if passed is None else passed.changed
    deliver(report, outputs, format, How(top=top, changed=changed, link_base=link_base), quiet)
    if opened:
        open_in_browser(outputs)
    for line in () if quiet else unknown_fields(report, options):
        note(f"dedup: {line}")
    if not report.summary.pages:
        if not (report.errors or report.skipped) and not quiet:
            note("dedup: nothing usable: no page could be read")
        return WRONG
    if passed is not None:
        for line in passed.notes if not quiet else ():
            note(f"dedup: {line}")
        for line in passed.failures:
            note(f"dedup: failed: {line}")
        if passed.failures:
            return STOPPED
    return PARTLY if unread(report.errors) else DONE


def _gates(settings: dict[str, Any]) -> Opened | None:
    """The gates among the settings, ready before the work; ``None`` where nothing is asked."""
    if not {"fail_over", "fail_on", "baseline", "update_baseline", "changed_since"} & settings.keys():
        return None
    from pathlib import Path

    from dedup.gates import gates_of

    gates = gates_of(settings)
    return gates.opened(Path.cwd()) if gates.asked else None


def stdin_spelt(value: Any) -> Any:
    """A setting's value with ``-`` where our sign for standard input stands."""
    if isinstance(value, tuple):
        return tuple(map(stdin_spelt, value))
    return "-" if value == STDIN else value
