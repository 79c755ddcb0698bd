"""The commands ``clean``, ``restore`` and ``explain``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dedup import cli, cli_output

if TYPE_CHECKING:
    import cyclopts

    from dedup.cleaning.result import Cleaned

LEFT_OUT = ("pairs", "with_text", "hide", "fold_parts")  # settings of reports
MOST_SHOWN = 100_000  # of a dry run's removals
SHOWN = 10  # removals of a dry run that are shown, unless --top says else


def add_commands(app: cyclopts.App) -> None:
    """Add the commands to the command line."""
    from typing import Annotated

    from cyclopts import Parameter

    def place(name: str, text: str, kind: Any = inspect.Parameter.POSITIONAL_ONLY) -> inspect.Parameter:
        return inspect.Parameter(name, kind, annotation=Annotated[str, Parameter(help=text, negative=())])

    paths = place("paths", "files, folders, globs in quotes", inspect.Parameter.VAR_POSITIONAL)
    manifest = place("manifest", "what dedup clean wrote: OUT/dedup-manifest.jsonl")
    app.command(_command(_clean, [paths], clean_flags(),
                         "Write the input without its copies; dedup restore brings them back."),
                name="clean", usage="Usage: dedup clean PATH... -o OUT [OPTIONS]")
    app.command(_command(_restore, [manifest], _restore_flags(), "Bring back, byte for byte, what dedup clean took."),
                name="restore", usage="Usage: dedup restore MANIFEST [-o DIR]")
    what = place("place", "#N (a removal's number), a page's id, a file, or PAGE:LINE")
    app.command(_command(_explain, [manifest, what], [],
                         "Say why something went, and what stays for it."),
                name="explain", usage="Usage: dedup explain MANIFEST PLACE")


def flag_names(command: str) -> list[str]:
    """The flags of one of the commands, as fields."""
    flags = {"clean": clean_flags, "restore": _restore_flags}
    return [parameter.name.rstrip("_") for parameter in flags[command]()] if command in flags else []


def _command(function: Callable[..., int], positional: list[inspect.Parameter], flags: list[inspect.Parameter],
             doc: str) -> Callable[..., int]:
    def command(*arguments: str, **settings: Any) -> int:
        return function(*arguments, **settings)

    command.__signature__ = inspect.Signature([*positional, *flags])  # type: ignore[attr-defined]
    command.__doc__ = doc
    return command


def clean_flags() -> list[inspect.Parameter]:
    """The flags of ``clean``."""
    from cyclopts import Group

    from dedup.cli_settings import config_flags, profile_flag

    scan = [made for made in cli.option_flags() if made.name not in LEFT_OUT]
    goes, written = Group("What goes", sort_key=-2), Group("Where it is written", sort_key=-1)
    flag = cli.make_flag
    own = [
        profile_flag(goes, "readers (default): second renderings, menus for other devices; docs: the same of text worth "
                     "writing once; corpus: also other menus, templates, shared passages and duplicate pages, all but one; "
                     "reuse: shared passages and duplicate pages"),
        flag("what", Literal["exact", "near"], "exact", "exact: only word for word copies; near: also near copies", goes),
        flag("drop", Literal["passages", "pages"], "passages", "passages: cut them out; pages: only drop whole duplicate "
             "pages", goes),
        flag("keep", str, "first", "which copy stays: first, longest, FIELD:min or FIELD:max", goes),
        flag("verdicts", tuple[str, ...], (), "verdicts to remove, in place of those of --for (comma between)", goes),
        flag("max_removed", str | None, None, "write nothing (exit 1) if more of the text would be removed; default 50%, "
             "from ten pages up", goes),
        flag("output", str | None, None, "folder for the cleaned files (for a single file also a file)", written, "-o"),
        flag("in_place", bool, False, "write over the sources; needs --yes", written),
        flag("yes", bool, False, "confirm --in-place", written),
        flag("manifest", str | None, None, "where removals are recorded; default OUT/dedup-manifest.jsonl", written),
        flag("dry_run", bool, False, "write nothing, show what would be removed", written),
        flag("top", int, SHOWN, f"removals that a dry run shows (0 to {MOST_SHOWN})", written),
        flag("profile", bool, False, cli.PROFILE_HELP, written),
        flag("quiet", bool, False, "print nothing but errors", written, "-q"),
        flag("verbose", bool, False, "name every input that could not be read", written, "-v"),
    ]
    return [*own, *scan, *config_flags(written)]


def _restore_flags() -> list[inspect.Parameter]:
    from cyclopts import Group

    written = Group("Where it is written", sort_key=-1)
    flag = cli.make_flag
    return [flag("output", str | None, None, "folder for the restored files; default: over the cleaned ones", written, "-o"),
            flag("cleaned", str | None, None, "folder of the cleaned files; default: that of the manifest", written),
            flag("quiet", bool, False, "print nothing but errors", written, "-q")]


# Commands.


def _clean(*paths: str, **settings: Any) -> int:
    from dedup.api import clean
    from dedup.cleaning.choices import Choices
    from dedup.cli_progress import watched
    from dedup.cli_settings import settled
    from dedup.errors import InputError, OptionError
    from dedup.model import unread
    from dedup.options import make_options
    from dedup.readers.formats import A_MANIFEST

    if not paths:
        raise InputError("nothing to clean", mend="Name a file or folder: dedup clean PATH... -o OUT")
    named = [source for path in paths for source in cli.sources_of(path)]
    sources = [source for source in named if isinstance(source, Path)]
    if len(sources) < len(named):
        address = next(source for source in named if isinstance(source, str))
        raise InputError("only files are cleaned", address, "Copy it to this machine first.")
    settings = {key: cli.stdin_spelt(value) for key, value in settled("clean", settings).items()}
    output, manifest = settings.pop("output", None), settings.pop("manifest", None)
    in_place, yes, dry_run = settings.pop("in_place", False), settings.pop("yes", False), settings.pop("dry_run", False)
    top, quiet, verbose = settings.pop("top", SHOWN), settings.pop("quiet", False), settings.pop("verbose", False)
    profile = settings.pop("profile", False)
    if not 0 <= top <= MOST_SHOWN:
        raise OptionError(f"{top} is out of range", "--top", f"Use 0 to {MOST_SHOWN}.")
    if in_place and output is not None:
        raise OptionError("cannot be used with -o", "--in-place", "Choose one of them.")
    if in_place and not (yes or dry_run):
        raise OptionError("writes over what it reads", "--in-place", "Say --yes too, or use -o OUT.")
    if not in_place and output is None and not dry_run:
        raise OptionError("-o is needed", mend="Say where the cleaned files go: dedup clean PATH... -o OUT")
    choices = Choices(
        for_=settings.pop("for_", None) or "readers", what=settings.pop("what", "exact"),
        drop=settings.pop("drop", "passages"),
        keep=settings.pop("keep", "first"),
        verdicts=tuple(name for value in settings.pop("verdicts", ()) for name in value.split(",") if name),
        max_removed=_share(settings.pop("max_removed", None)))
    options = make_options(settings, "clean")
    with watched(options, quiet, profile) as watchers:
        done = clean(sources if len(sources) > 1 else sources[0], None if output is None or in_place else Path(output),
                     choices=choices, options=options, manifest=None if manifest is None else Path(manifest),
                     in_place=in_place, dry_run=dry_run, progress=watchers)
    if not quiet:
        cli_output.tell_errors(done, everything=verbose)
        if A_MANIFEST in done.accounting.skipped:
            print("dedup: the input holds a manifest of an earlier cleaning: it stays where it is and is not copied; pages "
                  "beside it were read like all others (--exclude leaves them out)", file=sys.stderr)
        if done.not_cut:
            files = f"{done.not_cut:,} such file{'s' if done.not_cut > 1 else ''}"
            cli_output.note(f"dedup: nothing is cut out of MDX, reStructuredText, AsciiDoc and notebooks; {files} can only "
                            "go as a whole (--drop pages)")
        cli_output.print_lines(_told(done, dry_run, top, choices.what))
    if not done.accounting.read - sum(done.accounting.skipped.values()) and (done.errors or done.accounting.skipped):
        return cli.WRONG
    return cli.PARTLY if unread(done.errors) else cli.DONE


def _share(text: str | None) -> float | None:
    from dedup.errors import OptionError

    if text is None:
        return None

    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise OptionError(f"{text!r} is not a share", "--max-removed", "Use 0% to 100%, or 0.0 to 1.0.") from None


def _told(done: Cleaned, dry_run: bool, top: int, what: str) -> list[str]:
    """What was done, for a terminal."""
    from dedup.cleaning.words import differences
    from dedup.report.text import count, percent

    figures = done.accounting
    lines: list[str] = []
    if dry_run:
        lines += differences(done.removals[:top])
        if len(done.removals) > top:
            lines.append(f"... and {len(done.removals) - top:,} more (--top)")
        lines += [""] if lines else []
    lines.append(str(figures))
    verdicts = ", ".join(f"{name} {size:,}" for name, size in sorted(figures.by_verdict.items(), key=lambda item: -item[1]))
    went = f"{figures.removed_chars:,} of {figures.chars:,} characters ({percent(figures.removed_share)})"
    lines.append(f"{'would be removed' if dry_run else 'removed'}: {went}{f': {verdicts}' if verdicts else ''}")
    if not done.removals and what == "exact":
        lines.append("only word-for-word copies go; edited ones, too, with --what near")
    reasons = sorted({reason for removal in done.removals for _, _, reason in removal.left})
    if reasons:
        stayed = sum(1 for removal in done.removals if removal.left)
        lines.append(f"{count(stayed, 'place')} kept after all: {'; '.join(reasons)}")
    if done.manifest is not None:
        lines.append(f"manifest: {done.manifest}  (dedup restore brings everything back)")
    else:
        lines.append("nothing was written" if dry_run else "nothing was written: no page could be read")
    return lines


def _restore(manifest: str, **settings: Any) -> int:
    from dedup.api import restore
    from dedup.report.text import count

    output, cleaned = settings.pop("output", None), settings.pop("cleaned", None)
    done = restore(Path(manifest), None if output is None else Path(output),
                   cleaned=None if cleaned is None else Path(cleaned))
    if not settings.get("quiet", False):
        if done.already and done.already + done.unchanged == done.files:
            cli_output.print_lines([f"nothing to do: all {count(done.files, 'file')} are as they were before the cleaning"
                    if done.files > 1 else "nothing to do: the file is as it was before the cleaning"])
            return cli.DONE
        whole = f" and {count(done.dropped, 'whole file')}" if done.dropped else ""
        unchanged = f", {done.unchanged:,} of them unchanged" if done.unchanged else ""
        cli_output.print_lines([f"restored {count(done.files, 'file')}{unchanged}; "
                f"{count(done.cuts, 'piece')}{whole} put back"
                + (f"; {count(done.already, 'file')} had been restored before" if done.already else "")])
    return cli.DONE


def _explain(manifest: str, place: str) -> int:
    from dedup.cleaning.manifest import Manifest
    from dedup.cleaning.words import explained, find_removals

    record = Manifest(Path(manifest))
    lines = []
    for removal in find_removals(record, place):
        lines += [*explained(removal, record.header.choices), ""]
    cli_output.print_lines(lines[:-1])
    return cli.DONE
