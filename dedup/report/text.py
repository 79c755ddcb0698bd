"""Words and figures for people: foreign text made harmless, shares that never flatter, places that can be clicked.

Foreign is whatever came from outside: page text, titles, ids, file names, messages that quote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dedup.model import Occurrence, PageReport, Verdict
    from dedup.options import Options

# What could move the cursor, hide or reorder text, or break a line: C0, DEL, C1, line and paragraph separators, marks
# and overrides of direction, invisible operators, the byte order mark, interlinear and tag characters. The joiners
# U+200C and U+200D stay: Persian and the Indic scripts need them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def safe(text: str, encoding: str = "utf-8") -> str:
    r"""Foreign text that can do nothing to a terminal, in one line.

    Args:
        text: Anything.
        encoding: What the output can show; the rest is written as escapes.

    >>> print(safe("red \x1b[31m, gone \r, turned \u202e"))
    red \x1b[31m, gone \r, turned \u202e
    >>> print(safe("naïve", "ascii"))
    na\xefve
    """
    text = _SURROGATE.sub("\ufffd", text.replace("\t", " "))
    text = _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return text.encode("ascii", "backslashreplace").decode("ascii")
    return text


def one_line(text: str, limit: int) -> str:
    """The beginning of a text in at most `limit` characters, white space collapsed, cut between words.

    >>> one_line("The quick brown\\n\\n  fox jumps", 19)
    'The quick brown ...'
    """
    words = " ".join(text[: 4 * limit + 64].split())
    if len(words) <= limit and len(text) <= 4 * limit + 64:
        return words
    head = words[: limit - 4]
    cut = head.rfind(" ")
    return (head[:cut] if cut > limit // 2 else head) + " ..."


def percent(share: float) -> str:
    """A share in percent to one decimal, rounded down: what is not all is never called 100 %.

    >>> percent(0.9996), percent(1.0), percent(0.5), percent(0.0)
    ('99.9 %', '100 %', '50.0 %', '0.0 %')
    """
    if share >= 1.0:
        return "100 %"
    tenths = min(int(share * 1000 + 1e-9), 999)
    return f"{tenths / 10:.1f} %"


def decimal(share: float) -> str:
    """A share to two decimals, rounded down as ``percent`` does.

    >>> decimal(0.4199), decimal(1.0), decimal(0.0)
    ('.41', '1', '.00')
    """
    return "1" if share >= 1.0 else f".{max(int(share * 100 + 1e-9), 0):02}"


def count(number: float, noun: str, plural: str = "") -> str:
    """A number and its noun; halves (a character of a script without spaces is half a word) are rounded up.

    >>> count(1, "page"), count(1234, "page"), count(2, "copy", "copies"), count(8.5, "word")
    ('1 page', '1,234 pages', '2 copies', '9 words')
    """
    whole = int(number + 0.5)
    return f"{whole:,} {noun if whole == 1 else plural or noun + 's'}"


def times(number: int) -> str:
    """How often, in words.

    >>> times(1), times(2), times(1234)
    ('once', 'twice', '1,234 times')
    """
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


# Messages name settings as Python does; the terminal is read by people who typed flags.
_SETTING = re.compile(r"(?<=name one with )text_field\b|(?<=\()max_page_bytes(?=\))|(?<=than )max_page_bytes\b|"
                      r"(?<=times )max_page_bytes\b|(?<=another folder with )temp_dir\b|(?<=allow more with )memory\b")


def hide_words(options: Options) -> str:
    """The flag that hides passages.

    >>> from dedup.options import Options
    >>> hide_words(Options(hide=("template", "navigation")))
    '--hide template,navigation'
    """
    return f"--hide {','.join(options.hide)}"


def with_flags(message: str) -> str:
    """A message with its settings as flags.

    >>> with_flags("no field text (there are: text_field); name one with text_field")
    'no field text (there are: text_field); name one with --text-field'
    """
    return _SETTING.sub(lambda found: "--" + found[0].replace("_", "-"), message)


def verdict_words(verdicts: Iterable[Verdict], limit: int) -> list[str]:
    """The sentences of verdicts, each of at most `limit` characters; behind them what lies inside copies beside their text.

    >>> from dedup.model import Verdict
    >>> twice = Verdict("rendered-twice", "it stands twice", (0,), {"besides": "the second copy also has a caption"})
    >>> verdict_words([twice, Verdict("teaser", "the teaser stands again", (1,))], 40)
    ['it stands twice', 'the teaser stands again', 'the second copy also has a caption']
    """
    verdicts = list(verdicts)
    besides = (str(verdict.evidence.get("besides", "")) for verdict in verdicts)
    return [one_line(text, limit).rstrip(".;") for text in (*(v.text for v in verdicts), *filter(None, besides))]


def page_name(page: PageReport) -> str:
    """What a person calls a page: its file, and its id where the file does not say it."""
    if not page.source or page.source == page.id:
        return page.id
    same = page.source.endswith(page.id) and page.source[: -len(page.id)].endswith(("/", "\\"))
    return page.source if same else f"{page.source} ({page.id})"


def short_path(path: str, limit: int) -> str:
    """The end of a DOM path in at most `limit` characters, without what all paths begin with; one step at least.

    >>> short_path("/html/body/main/div[2]/article/p[3]", 40), short_path("/html/body/main/div[2]/article/p[3]", 18)
    ('main/div[2]/article/p[3]', '.../article/p[3]')
    """
    steps = [step for step in path.split("/") if step]
    if len(steps) > 2 and steps[:2] == ["html", "body"]:
        steps = steps[2:]
    kept = len(steps)
    while kept > 1 and len("/".join(steps[-kept:])) + 4 * (kept < len(steps)) > limit:
        kept -= 1
    text = ".../" * (kept < len(steps)) + "/".join(steps[-kept:])
    return text if len(text) <= limit else text[:max(limit - 3, 0)] + "..."


def line_range(occurrence: Occurrence) -> str:
    """Its lines in the source: ``line 3``, ``lines 3-4``."""
    first, last = occurrence.line, occurrence.end_line
    return f"line {first}" if first == last else f"lines {first}-{last}"


def place(occurrence: Occurrence, pages: Mapping[str, PageReport]) -> str:
    """``file:line-line`` of an occurrence, with the page's id where the file does not say it."""
    page = pages.get(occurrence.page)
    name = page_name(page) if page else occurrence.page
    lines = f":{occurrence.line}" + (f"-{occurrence.end_line}" if occurrence.end_line != occurrence.line else "")
    if page and page.source and name != page.source and name != page.id:
        return f"{page.source}{lines} ({page.id})"
    return name + lines
