"""Markdown: rendered text, kinds, and places in the source."""

from __future__ import annotations

from pathlib import Path

import pytest

from dedup.model import BlockFlag, BlockKind
from tests.readers_help import assert_sound, block_texts, mapped_errors, parse, read

PAGE = """---
title: "Hi there"
tags: [a]
---
# Head *line* one

Para with [a link](http://x.y/para "t") and `code &amp; x` &amp; more\\* text
  second **line** here<br>end ![image](x.png) <http://auto.link>

> quoted text
> goes on

- item one
  - nested 1. item

1. 1 apple

| a | b |
|---|---|
| one | two |

```py
def f():
    return "&amp;"
```
<div>html <b>block</b></div>

Setext
======
[ref]: http://x
"""


def test_blocks_kinds_flags_and_places() -> None:
    page = parse(PAGE, "markdown")
    assert page.title == "Hi there"
    got = list(
        zip(block_texts(page), map(BlockKind, page.layout.kind.tolist()), page.layout.line.tolist(), strict=True)
    )
    assert got == [
        ('title: "Hi there"\ntags: [a]', BlockKind.FRONT_MATTER, 2),
        ("Head line one", BlockKind.HEADING, 5),
        ("Para with a link and code &amp; x & more* text second line hereend http://auto.link", BlockKind.PARAGRAPH, 7),
        ("quoted text goes on", BlockKind.PARAGRAPH, 10),
        ("item one", BlockKind.LIST_ITEM, 13),
        ("nested 1. item", BlockKind.LIST_ITEM, 14),
        ("1 apple", BlockKind.LIST_ITEM, 16),
        ("a", BlockKind.CELL, 18),
        ("b", BlockKind.CELL, 18),
        ("one", BlockKind.CELL, 20),
        ("two", BlockKind.CELL, 20),
        ('def f():\n    return "&amp;"', BlockKind.CODE, 23),
        ("html block", BlockKind.PARAGRAPH, 26),
        ("Setext", BlockKind.HEADING, 28),
    ]
    assert page.layout.flags.tolist()[3] == BlockFlag.QUOTE
    assert page.layout.flags.tolist()[11] == BlockFlag.TABLE_OR_CODE | BlockFlag.CODE
    assert page.layout.link_chars.tolist()[2] == len("a linkhttp://auto.link")
    assert_sound(page.layout, page.text)
    assert mapped_errors(page.text, PAGE, page.layout) == []
    assert all(b > a for a, b in zip(page.layout.map_first, page.layout.map_first[1:], strict=False)), (
        "a block has no map"
    )


@pytest.mark.parametrize(
    "source",
    [
        "",
        "\n\n",
        "---\n",
        "---\ntitle: x\n",
        "a\r\n\r\nb\r\n* c\r\n",
        "> " * 5000 + "x",
        "[" * 10_000,
        "*a " * 10_000,
        "`" * 20_000,
        "<!--" * 5000,
        "- " * 3000 + "x",
        "&" * 20_000,
        "| a " * 3000 + "|\n" + "|-" * 3000 + "|\n",
        "a\0b",
        "![" * 4_000,
        "](" * 10_000,
    ],
)
def test_strange_markdown_ends(source: str) -> None:
    page = parse(source, "markdown")
    if not page.refused:
        assert_sound(page.layout, page.text)
        assert mapped_errors(page.text, source.replace("\0", "\ufffd"), page.layout) == []


def test_a_markdown_file(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbfHead\r\n====\r\n\r\npar one\r\nline two\r\n")
    (page,), _ = read(tmp_path)
    assert (page.title, page.text) == ("Head", "Head\npar one line two")
    assert page.layout.line.tolist() == [1, 4]
    assert page.layout.path == ("", "")
