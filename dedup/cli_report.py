"""The command ``report``: a stored result, to look at."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup import cli, cli_output

if TYPE_CHECKING:
    import cyclopts


def add_commands(app: cyclopts.App) -> None:
    """Add the command to the command line."""
    from typing import Annotated

    from cyclopts import Parameter

    def report(*arguments: str, **settings: Any) -> int:  # no name of a parameter: its type would be taken for the flag's
        return _report(*arguments, **settings)

    result = inspect.Parameter("result", inspect.Parameter.POSITIONAL_ONLY, annotation=Annotated[
        str, Parameter(help="what dedup scan or compare wrote with -o RESULT.json", negative=())])
    report.__signature__ = inspect.Signature([result, *_flags()])  # type: ignore[attr-defined]
    report.__doc__ = "Show a stored result, or write it in another format: nothing is compared again."
    app.command(report, name="report", usage="Usage: dedup report RESULT.json [-o FILE] [OPTIONS]")


def flag_names() -> list[str]:
    """The flags of the command, as fields."""
    return [flag.name.rstrip("_") for flag in _flags()]


def _flags() -> list[inspect.Parameter]:
    from typing import Literal

    from cyclopts import Group

    from dedup.report.formats import PRINTED

    written, flag = Group("What is reported", sort_key=0), cli.make_flag
    return [
        flag("output", tuple[str, ...], (), cli.OUTPUT_HELP, written, "-o"),
        flag("format", Literal[PRINTED] | None, None, "what is printed; default terminal, or with -o the figures only",
             written),
        flag("open_", bool, False, cli.OPEN_HELP, written, spelt="--open"),
        flag("at_similarity", float | None, None, "only what is alike to at least this (0 to 1)", written),
        flag("link_base", str, "", cli.LINK_HELP, written),
        flag("top", int, 10, "entries shown of each list (0 to 100000)", written),
        flag("quiet", bool, False, "say nothing but why it failed", written, "-q"),
    ]


def _report(result: str, **settings: Any) -> int:
    from dedup.errors import InputError
    from dedup.report.formats import How
    from dedup.report.json import read_json

    if result == cli.STDIN:
        raise InputError("standard input cannot be read here", "-", "Name a file: dedup report RESULT.json -o report.html")
    outputs, top, opened = settings.get("output", ()), settings.get("top", 10), settings.get("open_", False)
    cli_output.check_top(top)
    cli_output.check_link_base(settings.get("link_base", ""))
    cli_output.check_open(opened, outputs)
    cli_output.check_outputs(outputs, [Path(result)])
    report = read_json(result)
    if settings.get("at_similarity") is not None:
        report = report.at_similarity(settings["at_similarity"])
    how = How(top=top, link_base=settings.get("link_base", ""))
    cli_output.deliver(report, outputs, settings.get("format"), how, settings.get("quiet", False))
    if opened:
        cli_output.open_in_browser(outputs)
    return cli.DONE
