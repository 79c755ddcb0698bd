"""Write docs/cli.md from the parser of the command line: ``python scripts/make_cli.py``."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import Any, get_args

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "cli.md"
INTRODUCTION = """\
<!-- Made from the parser (dedup.cli.build_app) by scripts/make_cli.py; change it there. -->
# The command line

`dedup COMMAND --help` says the same in a terminal; `python -m dedup` is the same command.

| command | |
|---|---|
"""
MORE = """
## What holds for all of them

- A flag that takes several values (`...`) may be given several times. `--name=value` and `--name value` are the same.
- Behind `--` all is a path. `-` is standard input, where pages are read, and a shell's `<(command)` may stand for a file.
- Settings may stand in [a file or in variables](gates.md#settings-in-files); what they do is told in
  [how it works](how-it-works.md).
- Results go to standard output, all else to standard error. [Formats](formats.md) says what `-o` and `--format` write.
- The exit status is 0 if all was done, 1 if a gate or guard that was asked for spoke, 2 for wrong usage or nothing usable,
  3 if some input could not be read, 130 and 143 if it was interrupted or terminated. A page whose encoding was guessed
  was read: it is told, and the status is 0.

## Completion

`dedup completion SHELL` prints what a shell needs to complete commands, flags, their values and files.

| shell | once | then |
|---|---|---|
| bash | `dedup completion bash > ~/.local/share/bash-completion/completions/dedup` | a new shell, with bash-completion |
| bash | `source <(dedup completion bash)` in `~/.bashrc` | a new shell |
| zsh | `dedup completion zsh > FOLDER/_dedup`, for a `FOLDER` in `$fpath` | a new shell |
| zsh | `source <(dedup completion zsh)` in `~/.zshrc`, behind `compinit` | a new shell |
| fish | `dedup completion fish > ~/.config/fish/completions/dedup.fish` | at once |
| PowerShell | `dedup completion powershell \\| Out-String \\| Invoke-Expression` in `$PROFILE` | a new shell |
"""


def cli_page() -> str:
    """The text of docs/cli.md."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from dedup.cli import COMMANDS, build_app

    app = build_app()
    rows = [f"| [`dedup {name}`](#dedup-{name}) | {app[name].help} |\n" for name in COMMANDS]
    return INTRODUCTION + "".join(rows) + "".join(_section(name, app[name]) for name in COMMANDS) + MORE


def _section(name: str, command: Any) -> str:
    from dedup.cli_help import EXAMPLES

    usage = command.usage.removeprefix("Usage: ")
    parts = [f"\n## dedup {name}\n\n{command.help}\n\n```\n{usage}\n```\n\n```sh\n{_examples(EXAMPLES[name])}\n```\n"]
    shown = [made for made in command.assemble_argument_collection() if made.parameter.show is not False]
    for group, members in itertools.groupby(sorted(shown, key=_place), key=lambda made: made.parameter.group[0].name):
        parts.append(f"\n**{group}**\n\n| | |\n|---|---|\n" + "".join(map(_row, members)))
    return "".join(parts)


def _place(argument: Any) -> tuple[Any, ...]:
    group = argument.parameter.group[0]
    return (0 if group.name == "Arguments" else 1, group.sort_key if isinstance(group.sort_key, int) else 0, group.name)


def _examples(text: str) -> str:
    """Examples as lines of a shell, what they do as comments, one below the other."""
    pairs = [re.split(r"  +", f"{line.strip()}  ", maxsplit=1) for line in text.splitlines()]
    width = max(len(command) for command, _ in pairs)
    return "\n".join(f"{command:{width}}  # {said.strip()}" if said else command for command, said in pairs)


def _row(argument: Any) -> str:
    names = ", ".join(f"`{name}`" for name in argument.parameter.name)
    value = _value(argument.hint)
    several = "..." if getattr(argument.hint, "__origin__", None) is tuple or not argument.name.startswith("-") else ""
    if argument.name.startswith("-"):
        names += f" {value}{several}" if value else ""
    else:
        names = f"`{argument.name}`"
    said = argument.parameter.help or ""
    told = [", ".join(f"`{choice}`" for choice in _choices(argument.hint))]
    if argument.parameter.show_default and argument.field_info.default not in (None, (), "", False):
        told.append(f"default `{argument.field_info.default}`")
    if any(told):
        said += f" ({'; '.join(filter(None, told))})"
    return f"| {names} | {said} |\n"


def _kinds(hint: Any) -> list[Any]:
    return [kind for part in (hint, *get_args(hint)) for kind in (part, *get_args(part))]


def _choices(hint: Any) -> list[str]:
    return list(dict.fromkeys(kind for kind in _kinds(hint) if isinstance(kind, str)))


def _value(hint: Any) -> str:
    """What stands for a value, as ``--help`` shows it."""
    if hint is bool:
        return ""
    kinds = _kinds(hint)
    return "CHOICE" if _choices(hint) else next((kind.__name__.upper() for kind in (int, float) if kind in kinds), "STR")


if __name__ == "__main__":
    FILE.write_text(cli_page(), encoding="utf-8")
