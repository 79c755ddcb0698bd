"""The command ``schema``: the JSON Schema of what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from dedup import cli, cli_output

if TYPE_CHECKING:
    import cyclopts

    from dedup.report.schema import SchemaName

WHAT = "report (default), manifest, or a table of JSON Lines: pages, groups, occurrences"


def add_commands(app: cyclopts.App) -> None:
    """Add the command to the command line."""
    from cyclopts import Parameter

    def schema(what: Annotated[str, Parameter(help=WHAT, show_default=False)] = "report", /) -> int:
        return _schema(what)

    schema.__doc__ = "Print the JSON Schema of a report, of a manifest's lines, or of a table's rows."
    schema.__annotations__ = {"what": Annotated[str, Parameter(help=WHAT, show_default=False)], "return": int}
    app.command(schema, name="schema", usage="Usage: dedup schema [report|manifest|pages|groups|occurrences]")


def schema_text(name: SchemaName) -> str:
    """A schema as it is printed, and as docs/schema/ holds it."""
    import json

    from dedup.report.schema import schema

    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def _schema(what: str) -> int:
    from dedup.errors import OptionError
    from dedup.report.schema import FORMATS

    name = next((known for known in FORMATS if known == what), None)
    if name is None:
        raise OptionError(f"{what!r} is none of {', '.join(FORMATS)}", "schema")
    text = schema_text(name)
    cli_output.to_stdout(lambda file: file.write(text))
    return cli.DONE
