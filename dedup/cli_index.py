"""The command ``index``: make, fill, ask and look after a persistent index."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dedup import cli, cli_output

if TYPE_CHECKING:
    import cyclopts

    from dedup.index import Added, Index, Info
    from dedup.options import Options

ACTIONS = {
    "create": "make an index, and put pages into it", "add": "put pages in; one whose id there is takes its place",
    "check": "what of some pages is stored already", "remove": "take pages out, by their ids", "info": "figures",
    "verify": "look at all that it holds; exit 1 if something is wrong", "compact": "make look-ups quick and the file small",
    "rebuild": "a new index of all pages that can be read, by -o", "export": "its pages as .jsonl or .parquet, by -o"}
OWN_SETTINGS = ("unit", "exhaustive", "scope", "between", "checkpoint")  # that an index does not have, or in its own way
READ, RUN, REPORT, FIND, FILTER = "read", "run", "report", "find", "filter"
SETTINGS = {"create": (FIND, READ, RUN), "add": (READ, RUN), "check": (READ, RUN, REPORT, FILTER), "verify": (RUN,),
            "rebuild": (FIND, READ, RUN)}  # groups of settings that each action takes
FLAGS = {"create": ("levels", "prefix", "for_"), "add": ("prefix", "wait"),
         "check": ("unit", "add", "except_own", "prefix", "wait", "output", "open_", "format", "top", "profile", "verbose"),
         "remove": ("wait",), "info": ("format",), "verify": (), "compact": ("wait",),
         "rebuild": ("levels", "output", "for_"), "export": ("output",)}  # and its own flags; all take --quiet
RUN_SETTINGS = ("threads", "partitions", "memory", "temp_dir")
WAIT = 60.0


def add_commands(app: cyclopts.App) -> None:
    """Add the command to the command line."""
    from typing import Annotated

    from cyclopts import Parameter

    def index(*arguments: Any, **settings: Any) -> int:
        return _index(*arguments, **settings)

    def place(name: str, hint: Any, text: str, kind: Any = inspect.Parameter.POSITIONAL_ONLY) -> inspect.Parameter:
        return inspect.Parameter(name, kind, annotation=Annotated[hint, Parameter(help=text, negative=())])

    action = place("action", Literal[tuple(ACTIONS)], "; ".join(f"{name}: {about}" for name, about in ACTIONS.items()))
    file = place("index", str, "the index: a file, or redis://host:port/db?name=NAME")
    paths = place("paths", str, "files, folders, globs in quotes, - for standard input; of remove: ids, or - for one a line",
                  inspect.Parameter.VAR_POSITIONAL)
    index.__signature__ = inspect.Signature([action, file, paths, *index_flags()])  # type: ignore[attr-defined]
    index.__doc__ = "Have we seen this before? Keep pages in an index, and ask what of others is in it."
    app.command(index, name="index", usage="Usage: dedup index ACTION INDEX [PATH...] [OPTIONS]")


def index_flags() -> list[inspect.Parameter]:
    """The flags of the command."""
    from cyclopts import Group

    from dedup.cli_settings import profile_flag

    groups = cli.option_groups()
    own, flag = Group("The index", sort_key=-1), cli.make_flag
    return [
        flag("levels", tuple[str, ...], (), "create, rebuild: what pages are found by: page, block, passage (comma between); "
             "default block,passage", own),
        flag("add", bool, False, "check: put the pages in afterwards, in one step", own),
        flag("except_own", bool, False, "check: leave out stored pages with the id of a page that is checked", own),
        flag("unit", Literal["block", "page"] | None, None, "check: compare blocks and passages, or whole pages (level page)",
             own),
        flag("prefix", str, "", "create, add, check: put before each id; pages of two folders may have the same names", own),
        flag("wait", float, WAIT, "seconds to wait for another process that writes", own),
        profile_flag(groups["find"]),
        *(made for made in cli.option_flags(groups) if made.name not in OWN_SETTINGS),
        flag("output", tuple[str, ...], (), "check: a report, as of dedup scan; rebuild: the new index; export: a file", own,
             "-o"),
        flag("open_", bool, False, cli.OPEN_HELP, groups["report"], spelt="--open"),
        flag("format", str | None, None, "check: what is printed, as of dedup scan; info: json", groups["report"]),
        flag("top", int, 10, "entries shown of each list (0 to 100000)", groups["report"]),
        flag("profile", bool, False, cli.PROFILE_HELP, groups["run"]),
        flag("quiet", bool, False, "print nothing but errors", groups["report"], "-q"),
        flag("verbose", bool, False, "name every input that could not be read", groups["report"], "-v"),
    ]


def flag_names() -> list[str]:
    """The flags of the command, as fields."""
    return [made.name.rstrip("_") for made in index_flags()]


def _index(action: str, place: str, *paths: str, **settings: Any) -> int:
    from dedup.errors import InputError, OptionError
    from dedup.index.index import check_wait
    from dedup.options import Options

    if place == cli.STDIN:
        raise InputError("an index is a file, and no standard input", "-")
    groups = {field.name: field.metadata["group"] for field in dataclasses.fields(Options)}
    groups |= {"min_similarity": FILTER, "min_chars": FILTER} if action == "check" else {}
    for name in settings:
        taken = groups[name] in SETTINGS.get(action, ()) if name in groups and name not in OWN_SETTINGS else \
            name in (*FLAGS[action], "quiet")
        if not taken:
            raise OptionError(f"index {action} does not take it", cli.flag(name.rstrip("_")), _hint(action, name, groups))
    check_wait(settings.get("wait", WAIT), "--wait")
    quiet = settings.pop("quiet", False)
    work: dict[str, Callable[..., int]] = {
        "create": _create, "add": _add, "check": _check, "remove": _remove, "info": _info, "verify": _verify,
        "compact": _compact, "rebuild": _rebuild, "export": _export}
    if paths and action in ("info", "verify", "compact", "rebuild", "export"):
        raise OptionError(f"index {action} takes the index and no paths, so this is too much: {', '.join(paths)}")
    if not paths and action in ("add", "check", "remove"):
        needed = "the ids of pages" if action == "remove" else "a file or folder (- is standard input)"
        raise InputError(f"nothing to {action}", mend=f"Name {needed}: dedup index {action} {_shown(place)} ...")
    return work[action](_place(place), *paths, quiet=quiet, **settings)


def _place(place: str) -> Path | str:
    """The index: a file, or an address of Redis."""
    from dedup.index.redis_link import is_address

    return place if is_address(place) else Path(place)


def _shown(place: Path | str) -> str:
    """The index for messages: never with a password."""
    from dedup.index.redis_link import shown

    return shown(place)


def _hint(action: str, name: str, groups: dict[str, str]) -> str:
    takes = [cli.flag(flag.rstrip("_")) for flag in FLAGS[action]]
    if groups.get(name) == FIND and action in ("add", "check"):
        return "What finds belongs to the index, which keeps it from create on."
    return f"It takes {', '.join(takes)}." if takes else ""


def _count(number: int, noun: str) -> str:
    from dedup.report.text import count

    return count(number, noun)


def _sources(paths: tuple[str, ...], index: Path | str) -> Any:
    """Places as ``Index.add`` takes them."""
    from dedup.errors import InputError

    found = [source for path in paths for source in cli.sources_of(path)]
    if any(isinstance(source, Path) and source == index for source in found):
        raise InputError("is the index itself", str(index), "Name what is to be read.")
    return found


def _stream(sources: list[Path | str], options: Options) -> Any:
    """Pages of places."""
    from dedup.api import open_places

    return open_places(sources if len(sources) > 1 else sources[0], options)


def _create(place: Path | str, *paths: str, quiet: bool, levels: tuple[str, ...] = (), prefix: str = "",
            **settings: Any) -> int:
    from dedup.index import Index
    from dedup.index.recipe import make_recipe
    from dedup.profiles import with_profile

    sources = _sources(paths, place)
    if sources:  # a place that there is not is told before anything is made
        asked = with_profile(settings, settings.get("for_"))
        asked.pop("for_", None)
        _stream(sources, make_recipe(levels or None, asked).options)
    with Index.create(place, levels=levels or None, **settings) as index:
        if not sources:
            if not quiet:
                cli_output.print_lines([f"made {_shown(place)}: levels {', '.join(index.levels)}"])
            return cli.DONE
        run = {name: value for name, value in settings.items() if name in RUN_SETTINGS}
        return _put(index, sources, prefix, run, quiet)


def _add(place: Path | str, *paths: str, quiet: bool, prefix: str = "", wait: float = WAIT, **settings: Any) -> int:
    from dedup.index import Index

    sources = _sources(paths, place)
    with Index.open(place, timeout=wait) as index:
        return _put(index, sources, prefix, settings, quiet)


def _put(index: Index, sources: list[Path | str], prefix: str, settings: dict[str, Any], quiet: bool) -> int:
    from dedup.cli_progress import hushed
    from dedup.model import unread

    with hushed(quiet):
        done = index.add(_stream(sources, index.settings(settings)), prefix=prefix, **settings)
    if not quiet:
        cli_output.tell_errors(done, everything=False)
        cli_output.print_lines([_told(done, len(index))])
    if not done.pages and (done.errors or done.skipped):
        return cli.WRONG
    return cli.PARTLY if unread(done.errors) else cli.DONE


def _told(done: Added, pages: int) -> str:
    parts = [f"{_count(done.added, 'page')} added"]
    parts += [f"{done.replaced:,} in place of earlier ones with the same id"] * (done.replaced > 0)
    parts += [f"{done.unchanged:,} unchanged"] * (done.unchanged > 0)
    return f"{', '.join(parts)}; the index holds {_count(pages, 'page')}"


def _check(place: Path | str, *paths: str, quiet: bool, unit: Any = None, add: bool = False, except_own: bool = False,
           prefix: str = "", wait: float = WAIT, **settings: Any) -> int:
    from dedup.cli_progress import watched
    from dedup.index import Index
    from dedup.model import unread
    from dedup.report.formats import How

    sources = _sources(paths, place)
    outputs, form, top = settings.pop("output", ()), settings.pop("format", None), settings.pop("top", 10)
    opened, profile, verbose = settings.pop("open_", False), settings.pop("profile", False), settings.pop("verbose", False)
    cli_output.check_top(top)
    cli_output.check_open(opened, outputs)
    cli_output.check_outputs(outputs, [*sources, *([place] if isinstance(place, Path) else [])])
    with Index.open(place, timeout=wait) as index, watched(index.settings(settings), quiet, profile) as watchers:
        added: list[Added] = []
        report = index._check(_stream(sources, index.settings(settings)), added.append, unit, add, except_own, prefix,
                              watchers, settings)
        pages = len(index)
    if not quiet and (verbose or outputs or form not in (None, "terminal") or not cli_output.is_one_terminal()):
        cli_output.tell_errors(report, everything=verbose)
    cli_output.deliver(report, outputs, form, How(top=top), quiet)
    for done in added if not quiet else ():
        cli_output.note(_told(done, pages))
    if opened:
        cli_output.open_in_browser(outputs)
    if not report.summary.pages and (report.errors or report.skipped):
        return cli.WRONG
    return cli.PARTLY if unread(report.errors) else cli.DONE


def _remove(place: Path | str, *ids: str, quiet: bool, wait: float = WAIT) -> int:
    from dedup.index import Index

    named = [name for name in ids if name != cli.STDIN]
    if len(named) < len(ids):
        named += [line.rstrip("\r\n") for line in sys.stdin if line.strip()]
    with Index.open(place, timeout=wait) as index:
        gone, pages = index.remove(named), len(index)
    if not quiet:
        absent = len(set(named)) - gone
        more = f", {absent:,} of the ids were not in it" if absent else ""
        cli_output.print_lines([f"{_count(gone, 'page')} removed{more}; the index holds {_count(pages, 'page')}"])
    return cli.DONE


def _info(place: Path | str, *, quiet: bool, format: str | None = None) -> int:
    import json

    from dedup.errors import OptionError
    from dedup.index import Index

    if format not in (None, "terminal", "json"):
        raise OptionError(f"{format!r} is not one of terminal, json", "--format")
    with Index.open(place) as index:
        found = index.info()
    if format == "json":
        cli_output.print_lines([json.dumps(dataclasses.asdict(found), ensure_ascii=False)])
        return cli.DONE
    each = found.file_bytes / found.pages if found.pages else 0
    settings = ", ".join(f"{cli.flag(name)} {value}" for name, value in found.settings.items())
    cli_output.print_lines([
        f"{found.place}: {_count(found.pages, 'page')}, {found.text_bytes:,} bytes of text",
        f"  {'memory' if isinstance(place, str) else 'file  '}    {found.file_bytes:,} bytes, "
        + ("all that the server holds" if isinstance(place, str) else f"{each:,.0f} a page"),
        f"  levels    {', '.join(found.levels)}",
        f"  settings  {settings or 'the defaults'}",
        f"  postings  {', '.join(f'{name} {rows:,}' for name, rows in found.rows.items()) or 'none'}",
        f"  {_to_compact(place, found)}"])
    return cli.DONE


def _to_compact(place: Path | str, found: Info) -> str:
    if isinstance(place, str):
        return f"removed   {_count(found.removed, 'page')} whose postings are still there (dedup index compact clears them)"
    return f"segments  {found.segments:,}; {_count(found.removed, 'removed page')} (dedup index compact makes one a level)"


def _verify(place: Path | str, *, quiet: bool, **settings: Any) -> int:
    from dedup.index import Index

    with Index.open(place) as index:
        found = index.verify(**settings)
    for line in found.problems:
        cli_output.note(f"{_shown(place)}: {line}")
    if found.ok and not quiet:
        looked_at = f"{_count(found.pages, 'page')} and all postings"
        cli_output.print_lines([f"{_shown(place)}: all is well; {looked_at} were looked at"])
    if not found.ok:
        named = _shown(place)
        cli_output.note(f"dedup: {named} is damaged. Save what is whole with: dedup index rebuild {named} -o NEW")
    return cli.DONE if found.ok else cli.STOPPED


def _compact(place: Path | str, *, quiet: bool, wait: float = WAIT) -> int:
    from dedup.index import Index

    with Index.open(place, timeout=wait) as index:
        before = index.info().file_bytes
        index.compact()
        after = index.info().file_bytes
    if not quiet:
        cli_output.print_lines([f"{_shown(place)}: {before:,} bytes before, {after:,} now"])
    return cli.DONE


def _rebuild(place: Path | str, *, quiet: bool, levels: tuple[str, ...] = (), output: tuple[str, ...] = (),
             **settings: Any) -> int:
    from dedup.index import rebuild

    target = _place(_one_output(output, "new.dedup"))
    done = rebuild(place, target, levels=levels or None, **settings)
    for line in done.problems:
        cli_output.note(f"{_shown(place)}: {line}")
    if not quiet:
        whole = "" if done.problems else ", all of them"
        cli_output.print_lines([f"{_shown(target)}: {_count(done.pages, 'page')}{whole}"])
    return cli.PARTLY if done.problems else cli.DONE


def _export(place: Path | str, *, quiet: bool, output: tuple[str, ...] = ()) -> int:
    from dedup.index import Index

    target = Path(_one_output(output, "pages.jsonl"))
    with Index.open(place) as index:
        pages = index.export(target)
    if not quiet:
        cli_output.print_lines([f"{target}: {_count(pages, 'page')}"])
    return cli.DONE


def _one_output(output: tuple[str, ...], example: str) -> str:
    from dedup.errors import OptionError

    if len(output) != 1:
        raise OptionError(f"-o is {'given more than once' if output else 'needed'}", mend=f"Say where it goes: -o {example}")
    return output[0]
