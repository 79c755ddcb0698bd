"""What HTML elements are to their text, and where they stand in the tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dedup.readers import parsed as kinds
from dedup.readers.hints import NAMES_NOTHING, tag_flags, words

BLOCKS = words(
    "address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup html label legend li listing main "
    "menu nav ol optgroup option p pre search section select summary table tbody td tfoot th thead tr ul xmp")
BORDERS = BLOCKS | {"br", "hr"}  # before these a block ends
LEFT_OUT = words("head iframe noembed noframes noscript script style svg template textarea title")
KEEP_BLANKS = frozenset({"pre", "listing", "xmp"})
CONTENT = frozenset({"article", "section", "main"})
MAY_HOLD_THE_PAGE = frozenset({"div", "section"})  # "sticky-footer" names one with a footer
KINDS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), kinds.HEADING), **dict.fromkeys(KEEP_BLANKS, kinds.CODE),
    "li": kinds.LIST_ITEM, "dt": kinds.LIST_ITEM, "dd": kinds.LIST_ITEM, "td": kinds.CELL, "th": kinds.CELL,
    "caption": kinds.CAPTION, "figcaption": kinds.CAPTION,
    **dict.fromkeys(("p", "blockquote", "article", "section", "main", "aside", "table", "ul", "ol", "dl", "nav",
                     "header", "footer", "form"), kinds.PARAGRAPH)}
# The parser opens these again where they were left open, with the place of the first one: HTML standard, 13.2.4.3.
_FORMATTING = words("a b big code em font i nobr s small strike strong tt u")
# What a tag is, for the compiled walk: html_walk.hpp has the same bits.
_FACTS = ((BLOCKS, 1), (BORDERS, 2), (LEFT_OUT, 4), (CONTENT, 8), (KEEP_BLANKS, 16), (frozenset({"main"}), 32),
          (MAY_HOLD_THE_PAGE, 64), (NAMES_NOTHING, 128), (frozenset({"a"}), 256), (_FORMATTING, 512),
          (frozenset({"selectedcontent"}), 1024), (frozenset({"html", "body"}), 2048))
LONGEST_CLASS = 1000  # code points of all classes that are kept
MAX_PATH_STEPS = 64  # deeper ones end in //tag: a page of n blocks at depth 512 would have n long paths
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z")


@dataclass(slots=True)
class Place:
    """An open element: what its text needs to know.

    Attributes:
        parent: The element around it; what is around the root has none.
        number: Which child of its tag it is, from 1.
        depth: Steps from the root.
        content: It stands in an article, a section or main.
        dead: Its text is left out.
        wanted: It is inside what ``select`` names.
        name, classes: Its attributes ``id`` and ``class``.
        counts: How many children of each tag it has, as far as they were seen.
        path: Its path, once asked for.
        row: Its row among the elements that hold blocks, once it holds one.
    """

    parent: Place | None
    tag: str
    number: int
    depth: int
    kind: int
    flags: int
    content: bool
    keep_blanks: bool
    dead: bool
    wanted: bool
    name: str | None
    classes: str | None
    counts: dict[str, int]
    path: str | None = None
    row: int = -1


def outermost(wanted: bool) -> Place:
    """What is around the root."""
    return Place(None, "", 0, 0, kinds.PARAGRAPH, 0, False, False, False, wanted, None, None, {}, "")


def path_of(place: Place) -> str:
    """DOM path of an element whose siblings were all seen; below ``MAX_PATH_STEPS`` steps it ends in ``//tag``."""
    steps = []
    known = place
    while known.path is None:
        assert known.parent is not None
        if known.depth <= MAX_PATH_STEPS:
            steps.append(known)
        known = known.parent
    path = known.path
    for step in reversed(steps):
        tag, number = step.tag, step.number
        name = tag if tag in BLOCKS else step_name(tag)
        alone = number == 1 and step.parent.counts[tag] == 1  # type: ignore[union-attr]
        path = step.path = f"{path}/{name}" if alone else f"{path}/{name}[{number}]"
    if place.path is None:
        place.path = f"{path.partition('//')[0]}//{step_name(place.tag)}"
    return place.path


@lru_cache(maxsize=1024)
def step_name(tag: str) -> str:
    """A tag as an XPath step; one with odd characters by a test of its name."""
    if _PLAIN_NAME.match(tag):
        return tag
    return "*[name()=%s]" % (f'"{tag}"' if '"' not in tag else f"'{tag}'")


def element_step(tag: str, name: str | None, classes: str | None) -> str:
    """An element in one line, as `dedup.model.Layout.steps` holds it: tag, ``#id`` and classes, each between blanks.

    A ``*`` says that there are more of them than are kept.

    >>> element_step("div", "top", "a  b"), element_step("p", None, None)
    (' div #top a b ', ' p ')
    """
    if not name and (not classes or len(classes) <= LONGEST_CLASS):
        names = classes.split() if classes else None
        return f" {tag} {' '.join(names)} " if names else f" {tag} "
    classes = classes or ""
    names = classes[:LONGEST_CLASS].split()
    if name and len(name.split()) == 1 and len(name) <= LONGEST_CLASS:
        names.insert(0, f"#{name.strip()}")
    return " ".join(["", tag, *names, *(["*"] if len(classes) > LONGEST_CLASS else []), ""])


def tag_facts(tag: str) -> tuple[int, int, int, int, str]:
    """What a tag is to the compiled walk.

    Returns:
        Which of the sets above it is in, as bits; the kind of its blocks, -1 where that of the element around it holds; its
        flags outside and inside of an article, a section or main; its XPath step.
    """
    facts = sum(bit for tags, bit in _FACTS if tag in tags)
    return facts, KINDS.get(tag, -1), tag_flags(tag, False), tag_flags(tag, True), step_name(tag)
