"""The command ``completion``: what a shell needs to complete commands, flags, their values and files."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from dedup import cli, cli_output

if TYPE_CHECKING:
    import cyclopts

Shell = Literal["bash", "zsh", "fish", "powershell"]
FILES = ("a", "b", "against", "baseline", "checkpoint", "cleaned", "config", "index", "manifest", "output", "paths", "result",
         "temp_dir")
# cyclopts defines the function and leaves it: as a file in fpath it has to be called, sourced it has to be made known.
ZSH_END = """\
if [[ ${funcstack[1]} == _dedup ]]; then
  _dedup "$@"
else
  compdef _dedup dedup
fi
"""


def add_commands(app: cyclopts.App) -> None:
    """Add the command to the command line."""
    from typing import Annotated

    from cyclopts import Parameter

    def completion(*arguments: Any) -> int:
        return _completion(*arguments)

    shell = inspect.Parameter("shell", inspect.Parameter.POSITIONAL_ONLY, annotation=Annotated[
        Shell, Parameter(help="for which shell", negative=())])
    completion.__signature__ = inspect.Signature([shell])  # type: ignore[attr-defined]
    completion.__doc__ = "Print what a shell needs to complete commands, flags and their values."
    app.command(completion, name="completion", usage="Usage: dedup completion bash|zsh|fish|powershell")


def completion_script(shell: Shell) -> str:
    """The script that makes a shell complete ``dedup``.

    The flags are those of the command line, with types that say more than it needs to know: which take files, and which
    values a list is made of.
    """
    app = cli.build_app()
    for name in cli.COMMANDS:
        function: Any = app[name].default_command
        function.__signature__ = _telling(inspect.signature(function))
    script = app.generate_completion(shell=shell)
    return script if shell != "zsh" else f"{script.rstrip().replace('_cyclopts_dedup', '_dedup')}\n\n{ZSH_END}"


def _telling(signature: inspect.Signature) -> inspect.Signature:
    return signature.replace(parameters=[_retyped(made) for made in signature.parameters.values()])


def _retyped(made: inspect.Parameter) -> inspect.Parameter:
    """The parameter with the type by which a shell completes it."""
    from typing import Annotated

    hint, *rest = get_args(made.annotation)
    wanted: Any = Path if made.name in FILES else hint
    if made.name in FILES and hint == tuple[str, ...]:
        wanted = tuple[Path, ...]
    if made.name in (listed := _listed()):
        one, many = cast(Any, Literal), cast(Any, tuple)  # made of values, not written down
        wanted = many[one[listed[made.name]], ...]
    return made.replace(annotation=Annotated[wanted, *rest])


def _listed() -> dict[str, tuple[str, ...]]:
    """What lists of names may hold, where the command line takes text with commas."""
    from dedup.gates import NEW
    from dedup.model import VerdictKind
    from dedup.options import LEFT_OUT

    verdicts = get_args(VerdictKind)
    return {"fail_on": (*verdicts, NEW), "hide": verdicts, "verdicts": verdicts, "leave_out": LEFT_OUT}


def _completion(shell: Shell) -> int:
    text = completion_script(shell)
    cli_output.to_stdout(lambda file: file.write(text))
    return cli.DONE
