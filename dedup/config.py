"""Settings from files and the environment: ``[tool.dedup]`` of pyproject.toml, dedup.toml, ``DEDUP_*``.

Only the command line reads them: what a program asks of the Python functions is all that they do. What is given on the
command line wins over the environment, that over the file, and that over a profile (``--for``).
"""

from __future__ import annotations

import os
import re
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from msgspec import Struct, field

from dedup.errors import OptionError

NAMES = ("dedup.toml", "pyproject.toml")
NOT_SETTINGS = frozenset({"DEDUP_KERNEL", "DEDUP_TRACEBACK", "DEDUP_DATA", "DEDUP_HYPOTHESIS", "DEDUP_UPDATE_GOLDEN"})
NOT_IN_FILES = frozenset({"output", "open", "yes", "in_place", "dry_run", "explain", "estimate", "update_baseline",
                          "changed_since", "config", "no_config", "against", "manifest", "cleaned",
                          "reason"})  # said each time
PATHS = frozenset({"baseline", "checkpoint", "temp_dir"})  # relative to the file that names them
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


class Setting(Struct, frozen=True):
    """A value that somebody wrote somewhere.

    Attributes:
        where: File and line, or the variable.
    """

    value: Any
    where: str


class Config(Struct, frozen=True):
    """What a file says.

    Attributes:
        path: The file, or ``None``: there is none.
        common: Settings of all commands that have them, by their names in Python.
        commands: Those of one command.
    """

    path: Path | None = None
    common: Mapping[str, Setting] = field(default_factory=dict)
    commands: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)

    def of(self, command: str) -> dict[str, Setting]:
        """The settings for a command, whether or not it has them."""
        return {**self.common, **self.commands.get(command, {})}


def find_config(folder: Path) -> Path | None:
    """The nearest file with settings of ours: in a folder or one around it, up to that of the repository."""
    folder = folder.absolute()
    for place in (folder, *folder.parents):
        for name in NAMES:
            if (path := place / name).is_file() and (name == "dedup.toml" or _speaks_of_us(path)):
                return path
        if (place / ".git").exists():
            break
    return None


def read_config(path: Path, known: Mapping[str, Mapping[str, Any]]) -> Config:
    """Read a file of settings.

    Args:
        path: A ``pyproject.toml``, of which ``[tool.dedup]`` counts, or another file, of which everything does.
        known: Type of each setting of each command.

    Raises:
        OptionError: It cannot be read, is no TOML, or holds what is no setting, or no such value; with file and line.
    """
    text = _text(path)
    try:
        data: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        raise OptionError(f"is no TOML: {str(error).split(' (at ')[0]}", f"{path}:{at[1] if at else 1}") from error
    table = _ours(data) if path.name == "pyproject.toml" else data
    if not isinstance(table, dict):
        raise OptionError("tool.dedup is no table", str(path))
    own = {key: value for key, value in table.items() if key in known and isinstance(value, dict)}
    rest = {key: value for key, value in table.items() if key not in own}
    commands = {key: _settings(path, text, inner, known[key], key) for key, inner in own.items()}
    return Config(path, _settings(path, text, rest, of_any(known), ""), commands)


def _settings(path: Path, text: str, table: Mapping[str, Any], known: Mapping[str, Any], command: str) -> dict[str, Setting]:
    """The settings of a table, by their names in Python; each is set once, with hyphens or with underscores."""
    out: dict[str, Setting] = {}
    for key, value in table.items():
        setting = _checked(path, text, key, value, known, command)
        if (before := out.get(_plain(key))) is not None:
            line = before.where.rpartition(":")[2]
            raise OptionError(f"{key} stands already in line {line}", setting.where, "Keep one of them.")
        out[_plain(key)] = setting
    return out


def environment(known: Mapping[str, Any], variables: Mapping[str, str] = os.environ) -> dict[str, Setting]:
    """The settings that ``DEDUP_*`` variables give.

    Raises:
        OptionError: A variable's value is none for its setting, or its name is nearly that of a setting.
    """
    from dedup.options import did_you_mean

    out = {}
    for variable in sorted(variables):
        if not variable.startswith("DEDUP_") or variable in NOT_SETTINGS:
            continue
        name = _plain(variable.removeprefix("DEDUP_").lower())
        names = [n.rstrip("_") for n in known if n not in NOT_IN_FILES]
        if name in NOT_IN_FILES:
            raise OptionError(f"{flag_of(name)} belongs on the command line", variable)
        if name in known:
            out[name] = Setting(_parsed(variables[variable], known[name], variable), variable)
            _check_alone(name, out[name].value, variable)
        elif meant := did_you_mean(name, names, lambda n: f"DEDUP_{n.upper()}"):
            raise OptionError(f"is no setting{meant}", variable)
    return out


def flag_of(name: str) -> str:
    """A setting as it is written on the command line."""
    return "--" + name.rstrip("_").replace("_", "-")


def of_any(known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The type of each setting of any command; where they differ, what one of them takes."""
    every: dict[str, Any] = {}
    for settings in known.values():
        for name, hint in settings.items():
            every[name] = Union[every[name], hint] if name in every else hint  # noqa: UP007 - of what is known when it runs
    return every


def _ours(data: Any) -> Any:
    """What a ``pyproject.toml`` says of us: ``tool.dedup``, or an empty table."""
    tool = data.get("tool", {})
    return tool.get("dedup", {}) if isinstance(tool, dict) else {}


def _speaks_of_us(path: Path) -> bool:
    """Whether a ``pyproject.toml`` has settings of ours; of a damaged one it is enough that it may."""
    text = _text(path)
    if "dedup" not in text:
        return False
    try:
        return bool(_ours(tomllib.loads(text)) != {})
    except tomllib.TOMLDecodeError:
        return "tool.dedup" in text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise OptionError("is no UTF-8", str(path)) from error
    except OSError as error:
        raise OptionError(f"cannot be read ({error.strerror or error})", str(path)) from error


def _plain(name: str) -> str:
    name = name.replace("-", "_")
    return "for_" if name == "for" else name


def _checked(path: Path, text: str, key: str, value: Any, known: Mapping[str, Any], command: str) -> Setting:
    """A setting whose name and value hold."""
    from dedup.options import did_you_mean

    where, name = f"{path}:{_line_of(path, text, key, command)}", _plain(key)
    names = [n.rstrip("_") for n in known if n not in NOT_IN_FILES]
    if name not in known or name in NOT_IN_FILES:
        if name in known:
            raise OptionError(f"{key} belongs on the command line", where)
        scope = f" of {command}" if command else ""
        if name == "tool" and isinstance(value, dict):
            raise OptionError("[tool.dedup] is for pyproject.toml; here settings stand without it, those of one command "
                              "under its name, like [clean]", where)
        raise OptionError(f"{key!r} is no setting{scope}{did_you_mean(name, names, lambda n: n.replace('_', '-'))}", where)
    try:
        checked = _of_kind(value, known[name])
    except ValueError as error:
        raise OptionError(f"{key}: {error}", where) from None
    if name in PATHS and isinstance(checked, str):
        checked = os.path.join(path.parent, checked)
    _check_alone(name, checked, where)
    return Setting(checked, where)


def _check_alone(name: str, value: Any, where: str) -> None:
    """Refuse a value out of its range, with the place that holds it."""
    import dataclasses

    from dedup.cli_output import check_link_base, check_top
    from dedup.options import Options, make_options

    try:
        if name in {f.name for f in dataclasses.fields(Options)}:
            make_options({name: value})
        elif name in ("fail_over", "fail_on"):
            from dedup.gates import gates_of

            gates_of({name: value, "baseline": ""})
        elif name == "top":
            check_top(value)
        elif name == "link_base":
            check_link_base(value)
    except OptionError as error:
        raise OptionError(f"{name.replace('_', '-')}: {error.what}", where, error.mend) from None


def _line_of(path: Path, text: str, key: str, command: str) -> int:
    """The line that sets a key: TOML readers do not say it. Other tables may have a key of that name."""
    lines, ours = text.splitlines(), [*(("tool", "dedup") if path.name == "pyproject.toml" else ()), *filter(None, [command])]
    wanted, inside = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*="), not ours
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("["):
            inside = re.findall(r"[\w-]+", line.split("#")[0]) == ours
        if inside and wanted.match(line):
            return number
    return next((n for n, line in enumerate(lines, 1) if key in line), 1)


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The types that a setting takes, without ``None``."""
    parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return tuple(part for part in parts if part is not type(None))


def _of_kind(value: Any, hint: Any) -> Any:
    """A value of a file as a setting takes it."""
    choices: dict[str, None] = {}
    for kind in _kinds(hint):
        if get_origin(kind) is Literal:
            if value in get_args(kind):
                return value
            choices |= dict.fromkeys(map(str, get_args(kind)))
            continue
        if get_origin(kind) is tuple:
            items = [value] if isinstance(value, str) else value
            if isinstance(items, list) and all(isinstance(item, str) for item in items):
                return tuple(items)
            raise ValueError(f"{value!r} is no list of strings")
        if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if kind is str and isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)  # fail-over = 0.1
        if type(value) is kind:
            return value
    told = str(value).lower() if isinstance(value, bool) else repr(value)  # as the file has it
    raise ValueError(f"{told} is not {'one of ' + ', '.join(choices) if choices else _named(hint)}")


def _parsed(text: str, hint: Any, variable: str) -> Any:
    """A value of a variable as a setting takes it."""
    kind = _kinds(hint)[0]
    try:
        if get_origin(kind) is Literal:
            return _of_kind(text, hint)
        if get_origin(kind) is tuple:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        if kind is bool:
            if text.strip().lower() not in TRUE | FALSE:
                raise ValueError(f"{text!r} is not true or false")
            return text.strip().lower() in TRUE
        return kind(text)
    except ValueError as error:
        told = str(error) if get_origin(kind) is Literal or kind is bool else f"{text!r} is not {_named(hint)}"
        raise OptionError(told, variable) from None


def _named(hint: Any) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a string or a number"}
    return names.get(_kinds(hint)[0], str(hint))
