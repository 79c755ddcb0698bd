"""Completion in real shells, where they are installed: a person types, and a tab."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dedup import cli
from dedup.cli_completion import FILES, completion_script

ROOT = Path(__file__).parents[2]
SHELLS = ("bash", "zsh", "fish")
COMPLETED = [  # typed, what a tab makes of it or offers
    ("dedup sca", {"scan"}),
    ("dedup sc", {"scan", "schema"}),
    ("dedup scan --min-", {"--min-tokens", "--min-chars", "--min-similarity", "--min-evidence", "--min-dice"}),
    ("dedup scan --find ", {"exact", "near", "reworded"}),
    ("dedup scan --format occ", {"occurrences.csv", "occurrences.jsonl"}),
    ("dedup scan --fail-on ren", {"rendered-twice"}),
    ("dedup scan --leave-out fr", {"front-matter"}),
    ("dedup clean --hi", set()),  # a flag of scan, not of clean
    ("dedup scan harbo", {"harbour.html"}),
    ("dedup scan harbour.html --against harbo", {"harbour.html"}),
    ("dedup scan --baseline kno", {"known.jsonl"}),
    ("dedup scan -o harbo", {"harbour.html"}),
    ("dedup compare harbour.html kno", {"known.jsonl"}),
    ("dedup report kno", {"known.jsonl"}),
    ("dedup completion z", {"zsh"}),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to type in, with a `dedup` to complete, and the scripts that the command prints."""
    tmp_path = tmp_path_factory.mktemp("completion")
    for name in ("harbour.html", "known.jsonl"):
        (tmp_path / name).write_text("")
    command = tmp_path / "bin" / "dedup"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\nexec {sys.executable} -m dedup \"$@\"\n")
    command.chmod(0o755)
    for shell in SHELLS:
        printed = subprocess.run([command, "completion", shell], capture_output=True, check=True, env=environment(tmp_path))
        (tmp_path / f"completion.{shell}").write_bytes(printed.stdout)
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab_completes_in_a_real_shell(shell: str, folder: Path) -> None:
    needs(shell)
    ask = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}[shell]
    offers = ask([typed for typed, _ in COMPLETED], folder)
    for (typed, wanted), offered in zip(COMPLETED, offers, strict=True):
        assert offered & wanted == wanted, (typed, offered)
        if not wanted:
            assert not [word for word in offered if word.startswith(typed.split()[-1])], (typed, offered)


def test_zsh_loads_the_script_from_a_folder_of_functions(folder: Path) -> None:
    needs("zsh")
    functions = folder / "functions"
    functions.mkdir()
    shutil.copy(folder / "completion.zsh", functions / "_dedup")
    begin = f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D"
    commands, values = in_zsh(["dedup sca", "dedup scan --find "], folder, begin)
    assert "scan" in commands
    assert "reworded" in values


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"LOUD: {shell} is not installed: its completion is not tested")


def in_fish(lines: list[str], folder: Path) -> list[set[str]]:
    """What fish offers behind each line; it has a question for that."""
    asked = 'source completion.fish; for line in $argv; complete --do-complete "$line"; echo END; end'
    done = subprocess.run(["fish", "--no-config", "-c", asked, *lines], cwd=folder, capture_output=True, text=True,
                          env=environment(folder), timeout=60, check=True)
    return [{line.split("\t")[0] for line in part.splitlines()} for part in done.stdout.split("END\n")[:-1]]


def in_bash(lines: list[str], folder: Path) -> list[set[str]]:
    """What an interactive bash lists or writes."""
    return on_tabs(["bash", "--norc", "--noprofile", "-i"], "source completion.bash; PS1=; bind 'set bell-style none'; "
                   "bind 'set enable-bracketed-paste off'; bind 'set completion-query-items 0'; "
                   "bind 'set page-completions off'",
                   lines, folder)


SOURCED = "autoload -Uz compinit; compinit -u -D; source completion.zsh"


def in_zsh(lines: list[str], folder: Path, begin: str = SOURCED) -> list[set[str]]:
    """What an interactive zsh lists or writes."""
    return on_tabs(["zsh", "-f", "-i"], f"PS1= RPS1=; unsetopt prompt_cr prompt_sp beep; LISTMAX=10000; {begin}", lines,
                   folder)


def on_tabs(shell: list[str], begin: str, lines: list[str], folder: Path) -> list[set[str]]:
    """The words that a shell lists after each line and three tabs, and those of the line that is then run."""
    pty = pytest.importorskip("pty", reason="no terminals here")
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvpe(shell[0], shell, environment(folder))
    try:
        os.write(terminal, f"{begin}; dedup() {{ printf '\\n%s' \"$@\"; echo; echo E''ND; }}; dedup\n".encode())
        read_to_end(terminal)
        found = []
        for line in lines:
            os.write(terminal, f"{line}\t\t\t\n".encode())
            found.append(words_of(read_to_end(terminal)) - set(line.split()[-1:]))
        return found
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
        os.close(terminal)


def words_of(shown: bytes) -> set[str]:
    return set(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\a", " ", shown.decode("utf-8", "replace")).split())


def read_to_end(terminal: int) -> bytes:
    """What a terminal shows until a command has ended."""
    shown, stop = b"", time.monotonic() + 60
    while b"END\r\n" not in shown:
        assert time.monotonic() < stop, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65536)
    return shown


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm", "HOME": str(folder),
            "COLUMNS": "200", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "data"), "INPUTRC": os.devnull}


@pytest.mark.parametrize("shell", [*SHELLS, "powershell"])
def test_each_script_names_each_command(shell: str) -> None:
    script = completion_script(shell)  # type: ignore[arg-type]
    for command in cli.COMMANDS:
        assert command in script


def test_all_that_takes_a_file_is_named_as_such() -> None:
    """A flag whose help speaks of a file or folder completes files."""
    app = cli.build_app()
    told = {made.name for name in cli.COMMANDS for made in app[name].assemble_argument_collection()
            if made.name.startswith("--") and re.search(r"\b(file|folder)\b", made.parameter.help or "")}
    others = {"--between", "--memory", "--open", "--update-baseline", "--no-config"}
    assert {cli.flag(name) for name in ("against", "baseline", "config", "output")} <= told
    assert told - others <= {cli.flag(name) for name in FILES}


@pytest.mark.parametrize(("arguments", "answer"), [
    (["completion"], "completion needs the name of a shell: dedup completion bash"),
    (["completion", "tcsh"], "completion: 'tcsh' is not one of bash, zsh, fish, powershell"),
    (["completion", "bash", "zsh"], "completion takes one shell, so this is too much: zsh"),
    (["completion", "bash", "--quiet"], "unknown option --quiet; completion has none"),
    (["restore", "a", "b"], "restore takes one manifest, so this is too much: b"),
    (["explain", "a", "b", "c"], "explain takes a manifest and a place, so this is too much: c"),
])
def test_a_wrong_call_is_answered(arguments: list[str], answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert answer in err
