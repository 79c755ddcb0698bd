"""What ``--help`` shows beside the flags: examples of each command, in 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cyclopts

EXAMPLES = {
    "": """\
  dedup scan page.html                          what stands twice on a page
  dedup scan site/ --ignore header,footer,nav   a folder, its menus left out
  dedup compare old.txt new.txt                 what two pages share and change
  dedup scan site/ -o report.html               a report to look at
  dedup clean site/ -o cleaned/                 without second renderings
""",
    "scan": """\
  dedup scan page.html                              what stands twice on a page
  dedup scan site/ -o report.html                   a folder, to look at
  dedup scan corpus.jsonl --unit page               near-duplicate documents
  dedup scan corpus.jsonl --against page.html       what stands there, too
  dedup scan docs/ --for docs --fail-over 10%       a gate, for CI
""",
    "compare": """\
  dedup compare old.txt new.txt                 the words that differ, marked
  dedup compare old.txt new.txt --explain       and what came near, and why not
  dedup compare old.txt new.txt -o diff.html    to look at
""",
    "clean": """\
  dedup clean site/ --dry-run                           look first
  dedup clean site/ -o cleaned/                         for readers
  dedup clean corpus.jsonl -o training/ --for corpus    one of everything
""",
    "restore": """\
  dedup restore cleaned/dedup-manifest.jsonl -o restored/
""",
    "explain": """\
  dedup explain cleaned/dedup-manifest.jsonl '#0'         the first removal
  dedup explain cleaned/dedup-manifest.jsonl page.html    all of a page
""",
    "report": """\
  dedup report report.json                     as dedup scan printed it
  dedup report report.json -o report.html      to look at
  dedup report report.json -o comment.md       for a pull request
""",
    "index": """\
  dedup index create site.dedup site/               a new index of a folder
  dedup index add site.dedup more/ --prefix more/   further pages
  dedup index check site.dedup page.html            what of it is stored already
  dedup index check site.dedup page.html --add      and put it in
  dedup index remove site.dedup page.html           by id
  dedup index verify site.dedup                     whether all is well
""",
    "suppressions": """\
  dedup suppressions docs/ --baseline known.jsonl    what hides what
  dedup suppressions docs/ --for docs --stale        exit 1 if one is of no use
""",
    "schema": """\
  dedup schema > report.schema.json
  dedup schema manifest
""",
    "completion": """\
  dedup completion bash > ~/.local/share/bash-completion/completions/dedup
  dedup completion fish > ~/.config/fish/completions/dedup.fish
  source <(dedup completion zsh)                in ~/.zshrc, after compinit
""",
}


def add_help(app: cyclopts.App, commands: Sequence[str]) -> None:
    """Give the commands their examples, and their places in the list."""
    app.help_epilogue = f"Examples:\n{EXAMPLES['']}"
    for number, name in enumerate(commands):
        app[name].sort_key, app[name].help_epilogue = number, f"Examples:\n{EXAMPLES[name]}"
    app["--help"].help, app["--version"].help = "Show this help.", "Show the version."
