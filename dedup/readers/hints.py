"""What an element's tag and attributes say about its text: hidden, navigation, quote, copy for one device."""

from __future__ import annotations

import re
from functools import lru_cache

# Values of `dedup.model.BlockFlag`; that module imports NumPy, which the worker does without. A test holds both equal.
HIDDEN, NAVIGATION, QUOTE, TABLE_OR_CODE, DEVICE = 1, 2, 4, 8, 16


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


_NAVIGATION_TAGS = frozenset({"nav", "menu"})
_PAGE_EDGES = frozenset({"header", "footer"})  # of the page, unless they are an article's
_NAVIGATION_ROLES = frozenset({"navigation", "banner", "contentinfo", "menu", "menubar", "toolbar"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NAVIGATION_WORDS = words(
    "nav navbar navigation subnav sitenav topnav mainnav menu menus submenu megamenu dropdown breadcrumb "
    "breadcrumbs cookie cookies consent gdpr toolbar topbar pagination pager masthead skiplink skiplinks")
_EDGE_WORDS = frozenset({"header", "footer"})
# "article-header" holds the headline, "has-sidebar" and "nav-open" describe a page that has one.
_CONTENT_WORDS = words(
    "article entry post story content section card comment message news blog title block heading author modal "
    "table widget box panel item product topic thread")
_STATE_WORDS = frozenset({"has", "no", "with", "without", "not", "open", "opened", "closed", "is"})
_QUOTE_WORDS = frozenset({"quote", "quoted", "quotes", "blockquote", "pullquote", "signature", "sig"})
_DEVICE = re.compile(
    r"(?:^|[\s_-])(?:mobile|desktop|tablet|phone|handheld|smartphone)(?:$|[\s_-])|"
    r"(?:^|\s)(?:hidden|hide|invisible|d-none|d-(?:xs|sm|md|lg|xl|xxl|print)-[a-z-]+|"
    r"(?:hidden|visible|hide|show)-(?:xs|sm|md|lg|xl|print|phone|tablet|"
    r"desktop|small|medium|large)[a-z-]*|"
    r"(?:xs|sm|md|lg|xl|2xl|print|max-sm|max-md|max-lg):(?:hidden|block|flex|inline|inline-block|inline-flex|grid)|"
    r"(?:only-)?print(?:-only)?|no-print|noprint|screen-reader(?:-text|-only)?|screen-only|sr-only|visually-hidden|"
    r"visuallyhidden)(?:$|\s)",
    re.IGNORECASE)
_NO_DISPLAY = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_LONGEST_CLASS = 1000  # code points looked at; real ones are shorter, hostile ones must not fill the cache


def element_flags(tag: str, in_content: bool, classes: str | None, name: str | None, role: str | None,
                  hidden: bool, style: str | None) -> int:
    """Flags of an element by itself; those of its ancestors are added by the caller.

    Args:
        tag: Its name, in lower case.
        in_content: It stands in an article, a section or main.
        classes, name, role, style: Its attributes ``class``, ``id``, ``role``, ``style``.
        hidden: It has the attribute ``hidden``.
    """
    flags = 0
    if tag in _NAVIGATION_TAGS or (tag in _PAGE_EDGES and not in_content):
        flags |= NAVIGATION
    elif tag in ("blockquote", "q"):
        flags |= QUOTE
    elif tag in ("table", "pre", "code", "listing", "xmp"):
        flags |= TABLE_OR_CODE
    if hidden or (style and _NO_DISPLAY.search(style)):
        flags |= HIDDEN
    if role and not _NAVIGATION_ROLES.isdisjoint(role.lower().split()) and not in_content:
        flags |= NAVIGATION
    if (classes or name) and tag not in ("html", "body", "main", "article"):
        flags |= _named_flags((classes or "")[:_LONGEST_CLASS], (name or "")[:_LONGEST_CLASS], in_content)
    return flags


@lru_cache(maxsize=4096)
def _named_flags(classes: str, name: str, in_content: bool) -> int:
    """Flags by the words in ``class`` and ``id``."""
    flags = DEVICE if _DEVICE.search(classes) else 0
    for token in [*classes.split(), name]:
        named = {word.lower() for word in _WORD.findall(token)}
        if named & _QUOTE_WORDS:
            flags |= QUOTE
        if named & _STATE_WORDS:
            continue
        if named & _NAVIGATION_WORDS or (named & _EDGE_WORDS and not in_content and not named & _CONTENT_WORDS):
            flags |= NAVIGATION
    return flags
