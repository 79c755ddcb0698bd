"""The command ``suppressions``."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dedup import cli, cli_output

if TYPE_CHECKING:
    import cyclopts

ORDER = {"comment": "dedup:ignore comments", "exclude": "patterns", "baseline": "the baseline"}


def add_commands(app: cyclopts.App) -> None:
    """Add the command to the command line."""
    from typing import Annotated

    from cyclopts import Parameter

    def suppressions(*arguments: str, **settings: Any) -> int:  # no name of a parameter: its type would be taken
        return _suppressions(*arguments, **settings)

    paths = inspect.Parameter("paths", inspect.Parameter.VAR_POSITIONAL, annotation=Annotated[
        str, Parameter(help="files, folders, globs in quotes", negative=())])
    suppressions.__signature__ = inspect.Signature([paths, *suppression_flags()])  # type: ignore[attr-defined]
    suppressions.__doc__ = "List what dedup:ignore comments, --exclude and a baseline hide, and what of it hides nothing."
    app.command(suppressions, name="suppressions", usage="Usage: dedup suppressions PATH... [--baseline FILE] [OPTIONS]")


def suppression_flags() -> list[inspect.Parameter]:
    """The flags of the command."""
    from dedup.cli_settings import config_flags, profile_flag

    groups = cli.option_groups()
    left_out = ("pairs", "with_text", "hide", "fold_parts", "ignored_too")
    return [
        profile_flag(groups["find"]),
        *(made for made in cli.option_flags(groups) if made.name not in left_out),
        *config_flags(groups["run"]),
        cli.make_flag("baseline", str | None, None, "file of passages that are known", groups["gate"]),
        cli.make_flag("stale", bool, False, "list only what hides nothing any more, and exit 1 if there is any",
                      groups["report"]),
        cli.make_flag("format", Literal["terminal", "json"], "terminal", "what is printed", groups["report"]),
        cli.make_flag("quiet", bool, False, "say nothing on standard error but why it failed", groups["report"], "-q"),
    ]


def _suppressions(*paths: str, **settings: Any) -> int:
    from dedup.cli_settings import settled
    from dedup.errors import InputError
    from dedup.options import make_options
    from dedup.profiles import BESIDE
    from dedup.suppressions import find_suppressions

    if not paths:
        raise InputError("nothing to look at", mend="Name a file or folder: dedup suppressions PATH...")
    named = [source for path in paths for source in cli.sources_of(path)]
    places = [source for source in named if isinstance(source, Path) and source != Path("-")]
    if len(places) < len(named):
        raise InputError("only files and folders have suppressions", "suppressions")
    settings = settled("suppressions", settings)
    baseline, form = settings.pop("baseline", None), settings.pop("format", "terminal")
    stale_only, _ = settings.pop("stale", False), settings.pop("quiet", False)
    found = find_suppressions(places, make_options(settings, "suppressions"), None if baseline is None else Path(baseline))
    if settings.get("exclude") == BESIDE:  # a profile's: nobody here wrote these, so that one hides nothing is no fault
        found = [one for one in found if one.hides or one.kind != "exclude"]
    stale = [one for one in found if not one.hides]
    shown = stale if stale_only else found
    if form == "json":
        import dataclasses

        lines = json.dumps([dataclasses.asdict(one) for one in shown], ensure_ascii=False, indent=1).split("\n")
    else:
        lines = _told(shown, len(stale), stale_only)
    cli_output.print_lines(lines)
    return cli.STOPPED if stale_only and stale else cli.DONE


def _told(shown: list[Any], stale: int, stale_only: bool) -> list[str]:
    """The list for people."""
    from dedup.report.text import count

    lines: list[str] = []
    for kind, title in ORDER.items():
        if some := [one for one in shown if one.kind == kind]:
            lines += [f"{title}:", *(f"  {one}" for one in some), ""]
    if not shown:
        return ["nothing hides anything" if not stale_only else "all that hides something is needed"]
    return [*lines, f"{count(stale, 'suppression')} of no use any more" if stale else "all of them are needed"]
