"""What is wrong with the arguments of a command, in one line, with what was probably meant."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from typing import Any, get_args

from dedup import cli
from dedup.options import NEAR, did_you_mean

NEEDS = {"restore": "restore needs a manifest: dedup restore MANIFEST [-o DIR]",
         "report": "report needs a result: dedup report RESULT.json -o report.html",
         "explain": "explain needs a manifest and a place: dedup explain MANIFEST PAGE, PAGE:LINE or NUMBER",
         "index": "index needs an action and an index: dedup index create|add|check|... INDEX [PATH...]",
         "completion": "completion needs the name of a shell: dedup completion bash|zsh|fish|powershell"}
# What people are used to write elsewhere, what does it here, and the setting without which the answer makes no sense.
HABITS = {
    ("--exact",): ("use --find exact", "find"),
    ("--fuzzy", "--near"): ("use --find near", "find"),
    ("--json",): ("use --format json", "format"),
    ("--output-format", "-f"): ("use --format", "format"),
    ("--limit", "-n"): ("use --top for the entries that are shown", "top"),
    ("-j",): ("use --threads", "threads"),
    ("--recursive", "-r", "-R"): ("folders are read with all that is in them", "include"),
    ("--ignore-case", "--case-insensitive", "-i"): ("upper and lower case are always alike", "find"),
    ("--encoding", "--charset"): ("each file tells its own; what does not, and is no UTF-8, is read as Windows-1252",
                                  "include"),
}
TAKES_ONE = {"report": "result", "schema": "name", "completion": "shell", "restore": "manifest"}


def usage_error(error: Any, arguments: list[str]) -> str:
    """What is wrong with the arguments."""
    from cyclopts import (
        CoercionError,
        MissingArgumentError,
        RepeatArgumentError,
        UnknownCommandError,
        UnknownOptionError,
        UnusedCliTokensError,
    )

    token: Any = getattr(error, "token", None)
    if isinstance(error, UnknownOptionError):
        return _unknown_option((token.keyword or token.value).split("=")[0], arguments[0])
    if isinstance(error, UnknownCommandError):
        return _unknown_command(arguments[0])
    if isinstance(error, UnusedCliTokensError):
        rest = ", ".join(error.unused_tokens or ())
        if arguments[0] in TAKES_ONE:
            return f"{arguments[0]} takes one {TAKES_ONE[arguments[0]]}, so this is too much: {rest}"
        if arguments[0] == "explain":
            return f"explain takes a manifest and a place, so this is too much: {rest}"
        return f"compare takes two pages, so this is too much: {rest}. Use dedup scan for several pages."
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.argument.name
        missing = NEEDS.get(arguments[0], "compare needs two pages: dedup compare A B")
        return f"{name} needs a value" if name.startswith("-") else missing
    if isinstance(error, RepeatArgumentError) and token is not None:
        return f"{token.keyword} is given more than once"
    if isinstance(error, CoercionError) and token is not None:
        return f"{token.keyword or arguments[0]}: {_not_a(error, token.value)}"
    return " ".join(str(error).replace(cli.STDIN, "-").split())


def _unknown_option(written: str, command: str) -> str:
    if written == "--against":
        taken = cli.NO_REFERENCES.get(command, "a manifest")
        return f"{command} takes {taken} and no --against; use dedup scan PATH... --against REF"
    if written == "--explain" and command != "compare":
        return "--explain is for two pages: dedup compare A B --explain"
    if os.path.exists(written):
        return f"{written} is a path that looks like an option; write it as ./{written}"
    names = _flag_names(command)
    if not names:
        return f"unknown option {written}; {command} has none"
    answer = _habit(written, names) or (did_you_mean(written, names, cli.flag) if written.startswith("--") else "")
    return f"unknown option {written}" + (answer or f"; dedup {command} --help shows all")


def _habit(written: str, names: list[str]) -> str:
    """What does here what an option does elsewhere, as the end of a message; or nothing."""
    [answer, needed] = next((told for habit, told in HABITS.items() if written in habit), ("", ""))
    return f"; {answer}" if needed in names else ""


def _flag_names(command: str) -> list[str]:
    """The flags of a command, as fields."""
    if command in ("scan", "compare"):
        return [parameter.name.rstrip("_") for parameter in cli.flags_of(command == "compare")]
    if command == "report":
        from dedup.cli_report import flag_names as names_of_report

        return names_of_report()
    if command in ("schema", "completion"):
        return []
    if command == "index":
        from dedup.cli_index import flag_names as names_of_index

        return names_of_index()
    if command == "suppressions":
        from dedup.cli_suppressions import suppression_flags

        return [made.name.rstrip("_") for made in suppression_flags()]
    from dedup.cli_clean import flag_names

    return flag_names(command)


def _unknown_command(first: str) -> str:
    if first.startswith("-"):
        return f"no command before {first}; options stand behind one: dedup scan PATH... {first}"
    if os.path.exists(first):
        return f"{first} is a path; say what to do with it: dedup scan {first}"
    return (f"unknown command {first}" + (_near(first, cli.COMMANDS) or
            f"; there are: {', '.join(cli.COMMANDS)} (dedup --help shows examples)"))


def _near(written: str, names: Sequence[str]) -> str:
    """What was mistyped, as the end of a message; or nothing."""
    return "".join(f"; did you mean {name}?" for name in difflib.get_close_matches(written, names, 1, NEAR))


def _not_a(error: Any, value: str) -> str:
    """Why a value is none for its option."""
    if error.__cause__ is not None and "whole number" in str(error.__cause__):
        return str(error.__cause__)
    choices = [choice for kind in (get_args(error.target_type) or ()) for choice in (get_args(kind) or (kind,))
               if choice is not type(None)]
    if choices:
        return f"{value!r} is not one of {', '.join(map(str, choices))}{_near(value, list(map(str, choices)))}"
    if error.target_type is float and (share := _share(value)) is not None:
        return f"{value!r} is not a number; did you mean {share:g}?"
    names = {float: "a number", int: "a whole number", bool: "true or false"}
    return f"{value!r} is not {names.get(error.target_type, 'such a value')}"


def _share(value: str) -> float | None:
    """The number that a percentage is."""
    try:
        return float(value.removesuffix("%")) / 100 if value.endswith("%") else None
    except ValueError:
        return None
