"""reStructuredText, AsciiDoc, MDX and notebooks: the text that a reader sees, kinds, and lines of the source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dedup import cli, scan
from dedup.model import BlockFlag, BlockKind
from tests.readers_help import assert_sound, block_texts, mapped_errors, parse, read

P, H, I, C, T, K = (BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST_ITEM, BlockKind.CELL,  # noqa: E741
                    BlockKind.CAPTION, BlockKind.CODE)
WORDS = "The workshop lends tools to members who leave a deposit of twenty pounds at the desk before noon."

RST = """\
=====
Title
=====

:Author: Jane

.. _target: http://x
.. a comment
   that goes on

Section
-------

A **bold** and *emphasised* word, ``*code*``, a :ref:`reference <target>`, a `link <http://x.y>`_,
a ref_ and a footnote [1]_ follow::

    literal *block*
      with indentation

.. note:: A note
   goes on.

   Its second paragraph.

.. code-block:: python
   :linenos:

   def f(): ...

.. image:: x.png
   :alt: hidden

.. toctree::

   one
   two

* item one
  goes on
* item two

  - inner

1. first

term
    what it means

.. function:: spam(eggs)

   Does it.

   :param eggs: how many

>>> 1 + 1
2

| of two
| lines

+-----+-------+
| a b | c     |
|     | d     |
+=====+=======+
| e   | f g   |
+-----+-------+

===  ====
A    B
===  ====
one  two
     more
===  ====

.. [1] The footnote.

.. figure:: x.png

   The caption.

   The legend.

.. rubric:: A rubric

Before.

    Quoted words.

::

    alone

.. unknown-thing:: argument

   Its text.
"""


def told(text: str, form: str) -> list[tuple[str, BlockKind, int]]:
    page = parse(text, form)
    assert_sound(page.layout, page.text)
    assert mapped_errors(page.text, text, page.layout) == []
    return list(zip(block_texts(page), map(BlockKind, page.layout.kind.tolist()), page.layout.line.tolist(), strict=True))


def test_restructured_text():
    assert told(RST, "rst") == [
        ("Title", H, 2), ("Jane", P, 5), ("Section", H, 11),
        ("A bold and emphasised word, *code*, a reference, a link, a ref and a footnote follow:", P, 14),
        ("literal *block*\n  with indentation", K, 17), ("A note goes on.", P, 20), ("Its second paragraph.", P, 23),
        ("def f(): ...", K, 28), ("item one goes on", I, 38), ("item two", I, 40), ("inner", I, 42), ("first", I, 44),
        ("term", P, 46), ("what it means", P, 47), ("Does it.", P, 51), ("how many", P, 53), (">>> 1 + 1\n2", K, 55),
        ("of two lines", P, 58), ("a b", C, 62), ("c d", C, 62), ("e", C, 65), ("f g", C, 65), ("A", C, 69), ("B", C, 69),
        ("one", C, 71), ("two more", C, 71), ("The footnote.", P, 75), ("The caption.", T, 79), ("The legend.", P, 81),
        ("A rubric", H, 83), ("Before.", P, 85), ("Quoted words.", P, 87), ("alone", K, 91), ("Its text.", P, 95)]
    page = parse(RST, "rst")
    assert page.title == "Title"
    flags = dict(zip(block_texts(page), page.layout.flags.tolist(), strict=True))
    assert flags["Quoted words."] == BlockFlag.QUOTE
    assert flags["def f(): ..."] == flags["alone"] == BlockFlag.TABLE_OR_CODE | BlockFlag.CODE
    assert flags["a b"] == flags["two more"] == BlockFlag.TABLE_OR_CODE
    assert flags["inner"] == 0


def test_restructured_text_of_sphinx():
    source = """\
.. list-table:: The caption
   :header-rows: 1

   * - Head a
     - Head b
   * - Cell a
     - Cell b

.. tabs::

   .. tab:: hidden

      Text of the tab.

   .. code-tab:: python

      x = 1

.. note::
   - an item
   - another

* item::

     code

  after
"""
    assert told(source, "rst") == [
        ("The caption", P, 1), ("Head a", C, 4), ("Head b", C, 5), ("Cell a", C, 6), ("Cell b", C, 7),
        ("Text of the tab.", P, 13),
        ("x = 1", K, 17), ("an item", I, 20), ("another", I, 21), ("item:", I, 23), ("code", K, 25), ("after", P, 27)]


@pytest.mark.parametrize(("source", "shown"), [
    ("a_b and __init__ and x * y", "a_b and __init__ and x * y"), (r"\*not\* and a\ b", "*not* and ab"),
    (":class:`~dedup.Report` and :func:`run`", "dedup.Report and run"), ("**bold *and* inner**", "bold and inner"),
    ("a |sub| here", "a sub here"), ("`anonymous <u>`__ link", "anonymous link"), ("_`target` text", "target text"),
    ("5 * 3 = 15, 2 ** 3", "5 * 3 = 15, 2 ** 3"), ("``a ``b``", "a ``b"), ("*unclosed and `open", "*unclosed and `open")])
def test_inline_markup_of_restructured_text(source: str, shown: str):
    assert [text for text, _, _ in told(source + "\n", "rst")] == [shown]


ASCIIDOC = """\
= Title
Jane Doe <jane@x.org>
v1.0, 2024-01-01
:toc:

Some *bold*, _slanted_, `+*code*+`, a https://x.org[link, of two], <<id,a reference>> and {attribute}.

== Section ==

// comment
NOTE: A note
goes on.

.The caption
[source,python]
----
def f(): ...
----

* item one
  goes on
** inner
+
continued

. first

term:: meaning
other::
  its meaning

[quote,Somebody]
____
Quoted words.
____

|===
|A |B

2+|one cell
|two
words
|===

====
Example.
====

 literal
   lines

image::x.png[hidden]

////
hidden
////

[[anchor]]
=== Below

Last +
line, image:x.png[] kbd:[Ctrl+C], snake_case_name and footnote:[a note].
"""


def test_asciidoc():
    assert told(ASCIIDOC, "asciidoc") == [
        ("Title", H, 1), ("Some bold, slanted, *code*, a link, of two, a reference and {attribute}.", P, 6),
        ("Section", H, 8),
        ("A note goes on.", P, 11), ("The caption", T, 14), ("def f(): ...", K, 17), ("item one goes on", I, 20),
        ("inner", I, 22), ("continued", P, 24), ("first", I, 26), ("term", P, 28), ("meaning", P, 28), ("other", P, 29),
        ("its meaning", P, 30), ("Quoted words.", P, 34), ("A", C, 38), ("B", C, 38), ("one cell", C, 40),
        ("two words", C, 41), ("Example.", P, 46), ("literal\n  lines", K, 49), ("Below", H, 59),
        ("Last line, Ctrl+C, snake_case_name and a note.", P, 61)]
    page = parse(ASCIIDOC, "asciidoc")
    assert page.title == "Title"
    flags = dict(zip(block_texts(page), page.layout.flags.tolist(), strict=True))
    assert flags["Quoted words."] == BlockFlag.QUOTE
    assert flags["one cell"] == BlockFlag.TABLE_OR_CODE


def test_asciidoc_titles_of_two_lines_and_blocks_that_look_like_them():
    source = """\
Title of it
===========
Jane Doe <jane@x.org>

Part one
--------

.Foo
----
x = 1
----

[NOTE]
====
Inner.
====

Some text that is longer
----
y = 2
----

|===
|a
| b c
|===
"""
    assert told(source, "asciidoc") == [
        ("Title of it", H, 1), ("Part one", H, 5), ("Foo", T, 8), ("x = 1", K, 10), ("Inner.", P, 15),
        ("Some text that is longer", P, 18), ("y = 2", K, 20), ("a", C, 24), ("b c", C, 25)]


MDX = """\
---
title: From above
---
import Tabs from '@theme/Tabs'
export const a = {
  b: 1,

  c: '}'
}

# Hello {name}

<Tabs groupId="hidden" values={[{a: '>'}]}>
  <TabItem value="one">

    Indented text in **a tab** is text, with `code <b>`.

  </TabItem>
</Tabs>

Some <Badge text="hidden"/>inline {/* comment */}text, <b>un</b>broken, [link](http://x.y "t").

```js
import kept from 'x'
<A>{kept}</A>
```

- item <b>one</b>

export the goods: 5 < 6 and {unclosed
"""


def test_mdx():
    assert told(MDX, "mdx") == [
        ("title: From above", BlockKind.FRONT_MATTER, 2), ("Hello", H, 11),
        ("Indented text in a tab is text, with code <b>.", P, 16), ("Some inline text, unbroken, link.", P, 21),
        ("import kept from 'x'\n<A>{kept}</A>", K, 24), ("item one", I, 28)]
    assert parse(MDX, "mdx").title == "From above"
    assert told("5 < 6 and {unclosed\n", "mdx") == [("5 < 6 and {unclosed", P, 1)]


def notebook(*cells: tuple[str, str | list[str]], **rest: object) -> str:
    return json.dumps({"cells": [{"cell_type": kind, "metadata": {}, "source": source, "outputs": [
        {"output_type": "stream", "text": ["an output, no text\n"]}]} for kind, source in cells], "nbformat": 4} | rest,
        indent=1, ensure_ascii=False)


def test_notebooks():
    source = notebook(("markdown", ["# Title\n", "\n", "Some *slanted* \"words\"\n", "go on\\.\n"]),
                      ("code", ["x = \"é\\n\"\n", "    y\t= 1"]), ("raw", "raw text"),
                      ("markdown", "- one\n- two \U0001f600"))
    page = parse(source, "notebook")
    assert_sound(page.layout, page.text)
    assert page.title == "Title"
    assert list(zip(block_texts(page), page.layout.kind.tolist(), strict=True)) == [
        ("Title", H), ("Some slanted \"words\" go on.", P), ("x = \"é\\n\"\n    y\t= 1", K), ("raw text", K), ("one", I),
        ("two \U0001f600", I)]
    lines = source.split("\n")
    begin = ("# Title", "Some *slanted*", "x = ", "raw text", "- one", "- two")
    for text, line in zip(begin, page.layout.line.tolist(), strict=True):
        assert text in lines[line - 1]
    start, end = int(page.layout.source_start[1]), int(page.layout.source_end[1])
    assert source[start:end].startswith("Some *slanted* \\\"words\\\"\\n")
    assert "output" not in page.text


def test_a_notebook_of_version_3_is_read():
    source = json.dumps({"nbformat": 3, "worksheets": [{"cells": [
        {"cell_type": "heading", "level": 1, "source": "The title"}, {"cell_type": "code", "input": ["a = 1\n", "b = 2"]}]}]})
    page = parse(source, "notebook")
    assert block_texts(page) == ["The title", "a = 1\nb = 2"]
    assert page.title == "The title"


@pytest.mark.parametrize(("source", "said"), [
    ('{"cells": [\n  {"cell_type": "code",\n   "source": ["a\n',
     "is no JSON (Invalid control character) at line 3, column 17"),
    ('{"cells": [\n1,\n]}', "is no JSON"), ("{}", 'is no notebook: it has no list "cells"'), ("[]", "is no notebook"),
    ('{"cells": {}}', "is no notebook"), ('{"cells": [{}]}', 'is a damaged notebook: cell 1 has no "cell_type"'),
    ('{"cells": [{"cell_type": "code", "source": [1]}]}', "is a damaged notebook: the source of cell 1 is no text"),
    ("[" * 100_000, "is no ")])
def test_a_damaged_notebook_is_one_clear_error(source: str, said: str, tmp_path: Path):
    (tmp_path / "a.ipynb").write_text(source)
    (tmp_path / "b.txt").write_text(WORDS)
    made = scan(tmp_path)
    [error] = made.errors
    assert said in error.message
    assert error.message.endswith(", skipped")
    if "at line" in error.message:
        assert f"at line {error.line}," in error.message
    assert made.summary.pages == 1


def write_all(folder: Path) -> dict[str, int]:
    """The same words in a file of each format beside others of its own, and the line where they stand."""
    own = iter([f"{word} rules of its own has file number {word}: {' '.join(f'{word}{n}' for n in range(30))}." for word in (
        "apple", "birch", "cedar", "daisy", "elder", "ferns")])
    files = {"a.rst": f"{next(own)}\n\n.. note:: {WORDS}\n", "b.adoc": f"{next(own)}\n\nNOTE: {WORDS}\n",
             "c.mdx": f"{next(own)}\n<A>\n\n{WORDS}\n\n</A>\n", "d.ipynb": notebook(("markdown", [next(own), "\n\n", WORDS])),
             "e.md": f"{next(own)}\n\n{WORDS}\n", "f.txt": f"{next(own)}\n\n{WORDS}\n"}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {name: text[:text.index("The workshop")].count("\n") + 1 for name, text in files.items()}


def test_a_text_is_found_across_all_formats_at_its_lines(tmp_path: Path):
    lines = write_all(tmp_path)
    [group] = scan(tmp_path).groups
    assert {place.page: place.line for place in group.occurrences} == lines
    assert group.kind == "exact"
    for place in group.occurrences:
        source = (tmp_path / place.page).read_text(encoding="utf-8")
        assert source[place.source_start:place.source_end] == WORDS


@pytest.mark.parametrize(("name", "form"), [("a.rst", "rst"), ("b.adoc", "asciidoc"), ("c.mdx", "mdx"),
                                            ("d.ipynb", "notebook")])
def test_the_format_may_be_said(name: str, form: str, tmp_path: Path):
    write_all(tmp_path)
    other = tmp_path / "other"
    (tmp_path / name).rename(other)
    [page], _ = read(other, input_format=form)
    assert page.text.endswith(WORDS)
    assert page.layout is not None


def test_cleaning_cuts_nothing_out_of_them_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "in").mkdir()
    write_all(tmp_path / "in")
    out = tmp_path / "out"
    assert cli.main(["clean", str(tmp_path / "in"), "-o", str(out), "--for", "corpus", "--max-removed", "100%"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "nothing is cut out of MDX, reStructuredText, AsciiDoc and notebooks; 4 such files can only go as a whole" in told
    for name in ("a.rst", "b.adoc", "c.mdx", "d.ipynb"):
        assert (out / name).read_bytes() == (tmp_path / "in" / name).read_bytes()
    assert WORDS not in (out / "e.md").read_text()
    assert cli.main(["restore", str(out / "dedup-manifest.jsonl"), "-o", str(tmp_path / "back"), "-q"]) == 0
    for file in (tmp_path / "in").iterdir():
        assert (tmp_path / "back" / file.name).read_bytes() == file.read_bytes()


def test_a_whole_copy_of_one_can_go_and_comes_back(tmp_path: Path):
    (tmp_path / "in").mkdir()
    long = "\n\n".join(f"{WORDS} Number {n} of the list of rules." for n in range(8))
    for name in ("a.rst", "b.rst", "c.adoc"):
        (tmp_path / "in" / name).write_text(long)
    out = tmp_path / "out"
    assert cli.main(["clean", str(tmp_path / "in"), "-q", "-o", str(out), "--for", "corpus", "--drop", "pages",
                     "--max-removed", "100%"]) == 0
    assert [path.name for path in sorted(out.iterdir())] == ["a.rst", "dedup-manifest.jsonl"]
    assert cli.main(["restore", str(out / "dedup-manifest.jsonl"), "-o", str(tmp_path / "back"), "-q"]) == 0
    assert {path.name: path.read_text() for path in (tmp_path / "back").iterdir()} == dict.fromkeys(
        ("a.rst", "b.rst", "c.adoc"), long)


OTHER = "Our boats leave the harbour at nine in the morning and come back at four, whatever the weather is."


@pytest.mark.parametrize(("form", "source", "left"), [
    ("rst", f".. dedup:ignore: why\n\n{WORDS}\n\n{OTHER}\n", [OTHER]),
    ("rst", f".. dedup:ignore-start\n\n* {WORDS}\n\n{WORDS}\n\n.. dedup:ignore-end\n\n{OTHER}\n", [OTHER]),
    ("rst", f"::\n\n  .. dedup:ignore\n\n{OTHER}\n", [".. dedup:ignore", OTHER]),
    ("asciidoc", f"// dedup:ignore: why\n{WORDS}\n\n{OTHER}\n", [OTHER]),
    ("mdx", f"{{/* dedup:ignore: why */}}\n\n{WORDS}\n\n{OTHER}\n", [OTHER]),
    ("notebook", notebook(("markdown", f"<!-- dedup:ignore -->\n\n{WORDS}\n\n{OTHER}")), [OTHER]),
])
def test_comments_that_leave_something_out(form: str, source: str, left: list[str]):
    assert block_texts(parse(source, form)) == left


@pytest.mark.parametrize(("form", "source"), [
    ("rst", f"{OTHER}\n\n::\n\n  x = 1\n"), ("asciidoc", f"{OTHER}\n\n----\nx = 1\n----\n"),
    ("mdx", f"{OTHER}\n\n```\nx = 1\n```\n"), ("notebook", notebook(("markdown", OTHER), ("code", "x = 1")))])
def test_code_may_be_left_out(form: str, source: str):
    assert block_texts(parse(source, form)) == [OTHER, "x = 1"]
    assert block_texts(parse(source, form, leave_out=("code",))) == [OTHER]
