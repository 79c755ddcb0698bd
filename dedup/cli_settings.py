"""What a command is to do, from all who say something about it: the command line, the environment, a file, a profile."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from dedup import cli
from dedup.cli_output import note
from dedup.profiles import ABOUT, PROFILES, Audience, profile_words, with_profile

if TYPE_CHECKING:
    import cyclopts

    from dedup.config import Config, Setting


def profile_flag(group: cyclopts.Group, text: str = "") -> inspect.Parameter:
    """``--for``: `text` where a command says it in its own words."""
    told = "; ".join(f"{name}: {about}" for name, about in ABOUT.items())
    return cli.make_flag("for_", Audience | None, None, text or f"settings that go together: {told}", group, spelt="--for")


def config_flags(group: cyclopts.Group) -> list[inspect.Parameter]:
    """``--config`` and ``--no-config``."""
    return [cli.make_flag("config", str | None, None, "file of settings; default: dedup.toml or [tool.dedup] of "
                          "pyproject.toml, here or in a folder around", group),
            cli.make_flag("no_config", bool, False, "read no such file, and no DEDUP_* variables", group)]


def gate_flags(group: cyclopts.Group) -> list[inspect.Parameter]:
    """What a scan must not find."""
    flag = cli.make_flag
    return [
        flag("fail_over", str | None, None, "exit 1 if more of the content is duplicate, like 10%; template, navigation and "
             "refrains do not count", group),
        flag("fail_on", tuple[str, ...], (), "exit 1 if a passage has one of these verdicts, or is new (comma between)",
             group),
        flag("baseline", str | None, None, "file of passages that are known: they are left out, and pass", group),
        flag("update_baseline", bool, False, "write that file anew, with all that was found", group),
        flag("changed_since", str | None, None, "git: only what touches files changed since this commit left", group),
    ]


def hints(flags: Sequence[inspect.Parameter]) -> dict[str, Any]:
    """The type of each flag, by its name."""
    return {made.name.rstrip("_") if made.name != "for_" else made.name: get_args(made.annotation)[0] for made in flags}


def known_settings() -> dict[str, dict[str, Any]]:
    """The type of each setting of each command that a file may speak of."""
    from dedup import cli_clean, cli_suppressions

    return {"scan": hints(cli.flags_of(False)), "compare": hints(cli.flags_of(True)), "clean": hints(cli_clean.clean_flags()),
            "suppressions": hints(cli_suppressions.suppression_flags())}


def settled(command: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a command that somebody gave: who speaks first of command line, environment, file and profile wins.

    What a profile and a file set is told on standard error, unless the command is to be quiet.

    Raises:
        OptionError: A file or variable holds what is no setting, or no such value.
    """
    given = dict(given)
    file, none = given.pop("config", None), given.pop("no_config", False)
    said: dict[str, Setting] = {}
    config: Config | None = None
    if not none:
        said, config = _said(command, file)
    settings = {name: setting.value for name, setting in said.items()} | given
    for_ = settings.get("for_")
    if config is not None and config.path is not None and not settings.get("quiet"):
        told = [name.rstrip("_").replace("_", "-") for name in said if name in config.of(command) and name not in given]
        if told:
            note(f"dedup: {os.path.relpath(config.path)} sets {', '.join(told)}")
    if for_ is None:
        return settings
    if command != "clean":  # which takes it as a choice, too
        del settings["for_"]
    known = known_settings()[command]
    words = profile_words(for_, {**settings, **_unknown(for_, known)})
    if not settings.get("quiet") and (words or command != "clean"):
        note(f"dedup: --for {for_} sets {words or 'nothing beside the defaults'}")
    return {name: value for name, value in with_profile(settings, for_).items() if name in known or name in settings}


def _unknown(for_: Audience, known: Mapping[str, Any]) -> dict[str, Any]:
    """What a profile sets that a command does not have."""
    return {name: value for name, value in PROFILES[for_].items() if name not in known}


def _said(command: str, file: str | None) -> tuple[dict[str, Setting], Config]:
    """What the environment and the file set for a command."""
    from dedup.config import NOT_SETTINGS, Config, environment, find_config, of_any, read_config

    variables = any(name.startswith("DEDUP_") and name not in NOT_SETTINGS for name in os.environ)
    path = Path(file) if file is not None else find_config(Path.cwd())
    if path is None and not variables:
        return {}, Config()
    known = known_settings()
    config = read_config(path, known) if path is not None else Config()
    said = {**config.of(command), **environment(of_any(known))}
    return {name: setting for name, setting in said.items() if name in known[command]}, config

