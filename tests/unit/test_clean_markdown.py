"""Cutting Markdown: whole items, headings, rows, quotes, code; text inside blocks with its marks."""

from __future__ import annotations

import pytest

from dedup.cleaning.markdown import markdown_cuts
from dedup.readers.markdown import read_markdown
from tests.cutters_help import cut, left

TABLE = "| a | b |\n|---|---|\n| c one | d two |\n| e | f |\n\nend\n"
NESTED = "- item one\n  - sub two\n  - sub three\n- item four\n"


def text_of(source: str) -> str:
    return read_markdown(source).text


@pytest.mark.parametrize(
    ("source", "parts", "rest"),
    [
        (
            "# Head one\n\npara two\nmore\n\n## Head three\n\nx y\n",
            ["Head one", "para two more"],
            "## Head three\n\nx y\n",
        ),
        ("Set one\n===\n\npara two\n", ["Set one"], "para two\n"),
        ("A one\n# Head two\nB three\n", ["Head two"], "A one\n\nB three\n"),
        ("- item one\n- item two\n- item three\n\nend\n", ["item two"], "- item one\n- item three\n\nend\n"),
        ("- item one\n- item two\n\nend\n", ["item two"], "- item one\n\nend\n"),
        ("1. item one\n2. item two\n", ["item one"], "2. item two\n"),
        ("- item one\n\n  more of it\n\n- item two\n", ["item one"], "- more of it\n\n- item two\n"),
        ("- item one\n\n  more of it\n\n- item two\n", ["more of it"], "- item one\n\n- item two\n"),
        (NESTED, ["item one\nsub two\nsub three"], "- item four\n"),
        (NESTED, ["sub two\nsub three"], "- item one\n- item four\n"),
        (NESTED, ["sub two"], "- item one\n  - sub three\n- item four\n"),
        ("> a one\n> b two\n>\n> c three\n\nend\n", ["a one b two"], "> c three\n\nend\n"),
        ("> a one\n> b two\n>\n> c three\n\nend\n", ["c three"], "> a one\n> b two\n\nend\n"),
        ("> a one\n>\n> c three\n\nend\n", ["a one", "c three"], "end\n"),
        (TABLE, ["c one\nd two"], "| a | b |\n|---|---|\n| e | f |\n\nend\n"),
        (TABLE, ["a\nb\nc one\nd two\ne\nf"], "end\n"),
        ("one\n\n```py\ncode two\n```\n\nthree\n", ["code two"], "one\n\nthree\n"),
        ("one\n\n    code two\n\nthree\n", ["code two"], "one\n\nthree\n"),
        ("---\ntitle: x y\n---\n\none\n", ["title: x y"], "one\n"),
        ("one two three.\r\n\r\nend\r\n", ["one two three."], "end\r\n"),
        ("one [foo] two.\n\n[foo]: http://x\n\nend here\n", ["one foo two."], "[foo]: http://x\n\nend here\n"),
        ("<div>\nhtml one\n</div>\n\ntwo\n", ["html one"], "two\n"),
        ("one\n\ntwo ![alt](a.png)\n\n![alt](a.png)\n", ["two"], "one\n\n![alt](a.png)\n"),
        ("one\n\ntwo", ["two"], "one\n"),
    ],
)
def test_blocks_go_with_their_marks(source: str, parts: list[str], rest: str) -> None:
    assert cut(markdown_cuts, text_of, source, *parts) == rest


@pytest.mark.parametrize(
    ("source", "parts", "rest"),
    [
        ("one **two three** four [five](http://x) six.\n", ["two three", "five"], "one four six.\n"),
        ("one *two* `three` four.\n", ["two three"], "one four.\n"),
        ("One two three. Four five six.\n", ["Four five six"], "One two three.\n"),
        ("# Head one two\n\nend\n", ["one two"], "# Head\n\nend\n"),
        ("> aaa bbb\n> ccc ddd\n", ["bbb ccc"], "> aaa ddd\n"),
        ("one &amp; two three\n", ["& two"], "one three\n"),
        ("| one two | k |\n|---|---|\n", ["one"], "| two | k |\n|---|---|\n"),
    ],
)
def test_text_inside_blocks_goes_with_its_marks(source: str, parts: list[str], rest: str) -> None:
    assert cut(markdown_cuts, text_of, source, *parts) == rest


@pytest.mark.parametrize(
    ("source", "part", "why"),
    [
        (TABLE, "c one", "it would tear a table row"),
        (TABLE, "a\nb", "it would tear a table row"),
        (NESTED, "item one", "it would leave a list marker alone"),
        ("one\n\n```\ncode two\ncode three\n```\n", "code two", "it would tear a block of code"),
        ("---\ntitle: x\ndate: y\n---\n\none\n", "title: x", "it would tear the front matter"),
        ("<div>\nhtml one <b>two</b>\n</div>\n\ntwo\n", "html one", "it would tear HTML"),
        ("<section>\nhtml one\n\ntwo\n\n</section>\n", "html one", "it would tear HTML"),
        ("one ![alt](img.png) two\n\nthree\n", "one two", "an image stands inside it"),
        ("one\n\nunbelievable\n", "believable", "it would cut a word in two"),
    ],
)
def test_what_would_damage_the_page_stays(source: str, part: str, why: str) -> None:
    assert left(markdown_cuts, text_of, source, part) == {why}


def test_a_cut_that_fails_costs_only_itself() -> None:
    source = "".join(f"para {i} x\n\n" for i in range(9)) + TABLE
    text = text_of(source)
    assert cut(markdown_cuts, text_of, source, *(f"para {i} x" for i in range(0, 9, 2))).count("para") == 4
    assert text.startswith("para 0 x")
