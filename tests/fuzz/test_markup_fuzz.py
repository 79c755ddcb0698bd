"""reStructuredText, AsciiDoc, MDX and notebooks of broken pieces: places are true, nothing raises, line ends are alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.readers.asciidoc import read_asciidoc
from dedup.readers.mdx import masked, read_mdx
from dedup.readers.notebook import read_notebook
from dedup.readers.parsed import COLUMNS
from dedup.readers.rst import read_rst
from tests.fuzz.test_readers_fuzz import checked

quick = settings(derandomize=True, max_examples=150, deadline=None)
COMMON = [
    "word",
    "two words",
    " ",
    "  ",
    "    ",
    "\n",
    "\n",
    "\n\n",
    "\t",
    "中文",
    "\\",
    "*",
    "**",
    "`",
    "``",
    "_",
    ":",
    "::",
    "- x\n",
    "* x\n",
    "1. x\n",
    "|",
    "=",
    "====\n",
    "----\n",
    "....\n",
    "<",
    ">",
    "[",
    "]",
    "{",
    "}",
    "#",
    "+",
    "\x0c",
    "\ud800",
    "'",
    '"',
]
PIECES = {
    "rst": [
        *COMMON,
        ".. note:: x\n",
        ".. code-block:: py\n",
        "   :opt: x\n",
        ".. x\n",
        ".. _t: x\n",
        ".. [1] x\n",
        ".. |s| replace:: x\n",
        "+--+--+\n",
        "|a |b |\n",
        "+==+==+\n",
        "==  ==\n",
        "a   b\n",
        "x::\n\n",
        ">>> x\n",
        ":f: x\n",
        "| x\n",
        "`t <u>`_",
        ":r:`x`",
        "|s|",
        "[1]_",
        "-a, --bc  x\n",
        "__ x\n",
        "::\n",
        ".. figure:: x\n",
        "~~~~\n",
    ],
    "asciidoc": [
        *COMMON,
        "= T\n",
        "== S ==\n",
        ":a: b\n",
        "// x\n",
        "////\n",
        "[source]\n",
        "[[a]]\n",
        ".T\n",
        "|===\n",
        "|a |b\n",
        "____\n",
        "++++\n",
        "--\n",
        "```\n",
        "+\n",
        "a:: b\n",
        "NOTE: x\n",
        "<<a,b>>",
        "<<a>>",
        "https://x.y[z]",
        "link:a[b]",
        "image::x[]\n",
        "image:x[y]",
        "***\n",
        "'''\n",
        "((x))",
        "[.r]#x#",
        "2+|x",
        " +\n",
        "a|x",
    ],
    "mdx": [
        *COMMON,
        "import A from 'a'\n",
        "export const a = {\n",
        "}\n",
        "<A b={1}>",
        "</A>",
        "<A\n",
        "/>",
        "{/* x */}",
        "{x",
        "```\n",
        "~~~\n",
        "<>",
        "</>",
        "`x`",
        "---\n",
        "title: x\n",
        "{`a`}",
        "{'}'}",
        "\\<",
        "![x](y)",
        "[x](y)",
        "<http://a.b>",
        "\n\nexport x\n\n",
    ],
}
READERS = {"rst": read_rst, "asciidoc": read_asciidoc, "mdx": read_mdx}


@pytest.mark.parametrize("form", READERS)
def test_places_are_true(form: str) -> None:
    @quick
    @given(st.lists(st.sampled_from(PIECES[form]), max_size=40).map("".join))
    def holds(source: str) -> None:
        checked(source, form)
        checked(source.replace("\n", "\r\n"), form)
        assert READERS[form](source).text == READERS[form](source.replace("\n", "\r\n")).text

    holds()


@pytest.mark.parametrize("form", READERS)
def test_any_text_is_a_page(form: str) -> None:
    @quick
    @given(st.text(max_size=200))
    def holds(source: str) -> None:
        checked(source, form)

    holds()


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize(
    "piece",
    [
        "* ",
        "- a\n",
        "  ",
        "`",
        "`a ",
        "{",
        "<A ",
        "[",
        "[a](",
        "|",
        "::\n",
        ".. x::\n",
        "====\n",
        "((",
        "<<",
        "\n ",
        "*a* ",
        "a_ ",
        ":a:`",
        "+--",
        "/*",
        "{/*",
        "export {",
        "```\n",
        "1. ",
        "a::\n",
        "http://x[",
        "#",
        "__",
        "\\",
    ],
)
def test_long_runs_of_one_thing_take_time_in_proportion(form: str, piece: str) -> None:
    """Nothing is quadratic enough to be seen: the time is that of many more letters than anybody writes so."""
    import time

    began = time.process_time()
    READERS[form](piece * (40_000 // len(piece)))
    assert time.process_time() - began < 12


@quick
@given(st.lists(st.sampled_from(PIECES["mdx"]), max_size=40).map("".join))
def test_masking_keeps_length_and_lines(source: str) -> None:
    made = masked(source)
    assert len(made) == len(source)
    assert [at for at, sign in enumerate(made) if sign == "\n"] == [
        at for at, sign in enumerate(source) if sign == "\n"
    ]
    assert all(a in (b, " ", "\ufdd0") for a, b in zip(made, source, strict=True))


CELL = st.tuples(
    st.sampled_from(["markdown", "code", "raw"]),
    st.text(max_size=60)
    | st.lists(st.sampled_from([*COMMON, "# T\n", "é", "\U0001f600", "\u2028", "\x01", "/"]), max_size=12).map("".join),
    st.booleans(),
)


@quick
@given(st.lists(CELL, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_places_of_notebooks_are_true(cells: list[tuple[str, str, bool]], indent: int | None, ascii: bool) -> None:
    made = [
        {
            "cell_type": kind,
            "metadata": {"source": ["no"], "x": [{"cells": []}]},
            "source": text.splitlines(keepends=True) if as_list else text,
            "outputs": [{"text": ['out " ]}'], "source": "no"}],
        }
        for kind, text, as_list in cells
    ]
    source = json.dumps(
        {"cells": made, "metadata": {"cells": [{"source": "no"}]}, "nbformat": 4}, indent=indent, ensure_ascii=ascii
    )
    page = read_notebook(source)
    columns = dict(zip(COLUMNS, page.columns, strict=True))
    for block, (start, end) in enumerate(zip(columns["start"], columns["end"], strict=True)):
        rows = slice(columns["map_first"][block], columns["map_first"][block + 1])
        assert columns["line"][block] == source.count("\n", 0, columns["source_start"][block]) + 1
        if rows.start == rows.stop:
            continue
        points = list(zip(columns["map_text"][rows], columns["map_source"][rows], strict=True))
        for (at, place), (stop, _) in zip(points, [*points[1:], (end, 0)], strict=True):
            for k in range(stop - at):
                assert same(page.text[at + k], source[place + k : place + k + 12]), (page.text[start:end], at + k)


def same(want: str, found: str) -> bool:
    """Whether JSON that begins with a character, or the escape of one, begins with this one."""
    if want.isspace() and (found[:1].isspace() or found[:2] in ("\\n", "\\t", "\\r", "\\f") or found[:6] == "\\u00a0"):
        return True
    for size in (1, 2, 6, 12):
        try:
            if json.loads(f'"{found[:size]}"') == want:
                return True
        except ValueError:
            continue
    return "&" in found or want == "\ufffd"


@quick
@given(
    st.text(alphabet='{}[]",:\\ncelstrouy_p01 ', max_size=120)
    | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))
)
def test_damaged_notebooks_are_refused_and_never_raise_anything_else(source: str) -> None:
    from dedup.readers.parsed import PageDamageError

    try:
        made: Any = json.loads(source)
    except (ValueError, RecursionError):
        made = None
    if isinstance(made, dict) and isinstance(made.get("cells"), list):
        return
    with pytest.raises(PageDamageError, match=r"is no JSON|is no notebook"):
        read_notebook(source)
