"""Settings that go together: ``--for docs`` on the command line, ``for_="docs"`` in Python."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Literal

from dedup.errors import OptionError
from dedup.options import LISTED

Audience = Literal["readers", "docs", "corpus", "reuse"]

# Menus, tables of contents, and lists of parameters that a generator made: those of Sphinx, Docutils, MkDocs, Asciidoctor.
# mkdocstrings lists the members of a class and then writes each one out again, those of its base classes too.
FURNITURE = ("nav,[role=navigation],.sphinxsidebar,.toctree-wrapper,.toc,#toc,.field-list,.doc-section-item,"
             ".doc-section-title,.doc-labels,.doc-class-bases,.doc-children .doc-children")
# What a generator writes beside the pages, and what says again on purpose what the pages say: the history.
BESIDE = ("_sources/", "genindex*.html", "sitemap.*", "[Cc]hange[Ll]og*", "CHANGELOG*", "[Cc]hanges.*",
          "CHANGES*")

PROFILES: Mapping[Audience, Mapping[str, Any]] = {
    "readers": {},  # the defaults: what a reader of a page meets twice
    "docs": {"min_tokens": 40, "leave_out": ("code", "front-matter"), "exclude": BESIDE, "ignore": (FURNITURE,),
             "template_in": "html", "hide": ("template", "navigation"), "fold_parts": True},
    "corpus": {},  # the same, but for what clean takes: whole pages are told first, then passages
    "reuse": {"find": "reworded", "min_tokens": 30, "scope": "across"},
}
ABOUT: Mapping[Audience, str] = {
    "readers": "what a reader meets twice on a page (the defaults)",
    "docs": "text worth writing once: no code, front matter, template or changelog, 40 words or more",
    "corpus": "training data: whole pages, then passages (scan: the defaults)",
    "reuse": "quotations and reworded text between pages, 30 words or more",
}


def with_profile(settings: Mapping[str, Any], for_: str | None) -> dict[str, Any]:
    """The settings over those of a profile.

    Raises:
        OptionError: There is no such profile.

    >>> with_profile({"min_tokens": 20}, "reuse")
    {'find': 'reworded', 'min_tokens': 20, 'scope': 'across'}
    """
    if for_ is None:
        return dict(settings)
    if for_ not in PROFILES:
        raise OptionError(f"{for_!r} is not one of {', '.join(PROFILES)}", "for")
    return {**PROFILES[for_], **settings}  # type: ignore[index]


def profile_words(for_: Audience, given: Mapping[str, Any]) -> str:
    """What a profile sets beside what was given, as flags.

    >>> profile_words("docs", {"min_tokens": 20, "exclude": ()}).replace(FURNITURE, "...")
    "--leave-out code,front-matter --ignore '...' --template-in html --hide template,navigation --fold-parts"
    """
    told = []
    for name, value in PROFILES[for_].items():
        if name in given:
            continue
        flag = f"--{name.replace('_', '-')}"
        values = value if isinstance(value, tuple) else (str(value),)
        if value is True:
            told.append(flag)
        else:
            told += [f"{flag} {shlex.quote(one)}" for one in ([",".join(values)] if name in LISTED else values)]
    return " ".join(told)
