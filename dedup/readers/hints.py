"""What an element's tag and attributes say about its text: hidden, navigation, footer, quote, form, copy for one device."""

from __future__ import annotations

import re
from functools import lru_cache

# Values of `dedup.model.BlockFlag`; that module imports NumPy, which the worker does without. A test holds both equal.
HIDDEN, NAVIGATION, QUOTE, TABLE_OR_CODE, DEVICE, FORM, FOOTER, CODE = 1, 2, 4, 8, 16, 32, 64, 128


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


NAMES_NOTHING = frozenset({"html", "body", "main", "article"})  # their classes and ids are the page's
_NAVIGATION_TAGS = frozenset({"nav", "menu"})
_PAGE_EDGES = frozenset({"header", "footer"})  # of the page, unless they are an article's
_NAVIGATION_ROLES = frozenset({"navigation", "banner", "contentinfo", "menu", "menubar", "toolbar"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAVIGATION_WORDS = words(
    "nav navbar navigation subnav sitenav topnav mainnav menu menus submenu megamenu dropdown breadcrumb "
    "breadcrumbs toolbar topbar pagination pager masthead skiplink skiplinks")
# Consent notices are made by few makers, whose names stand in the classes: "cmplz-cookiebanner", "onetrust-pc-sdk".
_NOTICE = re.compile(r"cookie|consent|gdpr|onetrust|cmplz|didomi|usercentrics|cybot|truste", re.IGNORECASE)
_EDGE_WORDS = frozenset({"header", "footer"})
# "article-header" holds the headline, "has-sidebar" and "nav-open" describe a page that has one.
_CONTENT_WORDS = words(
    "article entry post story content section card comment message news blog title block heading author modal "
    "table widget box panel item product topic thread")
_STATE_WORDS = frozenset({"has", "no", "with", "without", "not", "open", "opened", "closed", "is"})
# Quotes and signatures, and the panes beside a post that say who wrote it.
_QUOTE_WORDS = words("quote quoted quotes blockquote signature sig usersig userinfo postprofile")
_QUOTE_PAIRS = (frozenset({"author", "pane"}), frozenset({"message", "user"}), frozenset({"user", "details"}),
                frozenset({"line", "clamp", "1"}))  # a post cut to one line is quoted above its answer
_PULL_WORDS = frozenset({"pull", "pullquote"})  # the page quotes itself
_FORM_TAGS = words("select option optgroup datalist label legend fieldset")
_FORM_WORDS = words(
    "newsletter subscribe signup signin login optin searchform searchbox searchbar filter filters facet facets")
_TELLING = (_NAVIGATION_WORDS | _EDGE_WORDS | _QUOTE_WORDS | _PULL_WORDS | _FORM_WORDS | _STATE_WORDS).union(*_QUOTE_PAIRS)
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
_PULLED = 1 << 16  # beside the flags: it says of a quote that it is the page's own text
_LONGEST_ID = 4  # words of an id; longer ones are made of a headline
_LONGEST_CACHED = 100  # code points of a class
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
    flags = tag_flags(tag, in_content)
    if hidden or (style and _NO_DISPLAY.search(style)):
        flags |= HIDDEN
    if role and not in_content:
        roles = role.lower().split()
        flags |= NAVIGATION if not _NAVIGATION_ROLES.isdisjoint(roles) else 0
        flags |= FOOTER if "contentinfo" in roles else 0
    if (classes or name) and tag not in NAMES_NOTHING:
        named, pulled = _named_flags((classes or "")[:_LONGEST_CLASS], (name or "")[:_LONGEST_CLASS], in_content)
        flags = (flags & ~QUOTE if pulled else flags) | named
    return flags


def tag_flags(tag: str, in_content: bool) -> int:
    """Flags of an element without attributes."""
    if tag in _PAGE_EDGES and not in_content:
        return NAVIGATION | (FOOTER if tag == "footer" else 0)
    return _TAG_FLAGS.get(tag, 0)


_TAG_FLAGS = {
    **dict.fromkeys(_NAVIGATION_TAGS, NAVIGATION), **dict.fromkeys(("blockquote", "q"), QUOTE), "table": TABLE_OR_CODE,
    **dict.fromkeys(("pre", "code", "listing", "xmp"), TABLE_OR_CODE | CODE), **dict.fromkeys(_FORM_TAGS, FORM)}


@lru_cache(maxsize=4096)
def _named_flags(classes: str, name: str, in_content: bool) -> tuple[int, bool]:
    """Flags by the words in ``class`` and ``id``, and whether they say that it is a pulled quote."""
    flags = 0
    for token in classes.split():
        if token == name:
            flags |= class_flags(token, in_content) & DEVICE
        elif len(token) <= _LONGEST_CACHED:
            flags |= class_flags(token, in_content)
        else:
            flags |= class_flags.__wrapped__(token, in_content)
    if name:
        flags |= id_flags(name, in_content)
    return (flags & ~(QUOTE | _PULLED), True) if flags & _PULLED else (flags, False)


@lru_cache(maxsize=1 << 14)
def class_flags(token: str, in_content: bool) -> int:
    """Flags by one class, and perhaps ``_PULLED``: the same ones stand on many elements, beside different others."""
    return _token_flags(token, in_content, len(token)) | (DEVICE if _DEVICE.search(token) else 0)


def id_flags(name: str, in_content: bool) -> int:
    """Flags by an ``id``, and perhaps ``_PULLED``."""
    return _token_flags(name, in_content, _LONGEST_ID)


def _token_flags(token: str, in_content: bool, longest: int) -> int:
    """Flags by a class or id of up to `longest` words."""
    listed = [word.lower() for word in _WORD.findall(token)]
    if len(listed) > longest:
        return 0
    if _TELLING.isdisjoint(listed):
        return NAVIGATION if _NOTICE.search(token) else 0
    named = frozenset(listed)
    flags = 0 if named.isdisjoint(_PULL_WORDS) else _PULLED
    if not named.isdisjoint(_QUOTE_WORDS) or any(pair <= named for pair in _QUOTE_PAIRS):
        flags |= QUOTE
    if not named.isdisjoint(_STATE_WORDS):
        return flags
    if not named.isdisjoint(_FORM_WORDS):
        flags |= FORM
    edge = not in_content and not named.isdisjoint(_EDGE_WORDS) and named.isdisjoint(_CONTENT_WORDS)
    if edge or not named.isdisjoint(_NAVIGATION_WORDS) or _NOTICE.search(token):
        flags |= NAVIGATION | (FOOTER if edge and "footer" in named else 0)
    return flags
