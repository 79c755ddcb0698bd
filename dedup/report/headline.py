"""The answer on several pages in one sentence, where it is a verdict: a share of their text frightens who has a template."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dedup.findings import GroupList
from dedup.outline import Outline, outline_of_pages
from dedup.report.gather import each_page

if TYPE_CHECKING:
    from dedup.model import PageReport
    from dedup.report import Report

_TWICE = re.compile(r"(?:page|it) twice[:,]")
MOST_PAGES = 50_000
Twice = Sequence[tuple[str, str]]  # kinds and texts of the verdicts on one page that say so
MOSTLY = 0.5  # of what repeats, in template, menus and refrains


def headline(report: Report, made: Mapping[int, Twice] | None = None, most: int = MOST_PAGES) -> str | None:
    """What several pages amount to; ``None`` where no verdict says it, or not all was looked for: then their share does.

    Second renderings and copies of pages are counted; else, if most of what repeats is template, menus and refrains, it says
    that no page stands twice. Of pages that were compared as wholes it says how many stay where each stands once.

    Args:
        made: What ``told_twice`` says of pages that were made already, by their index.
        most: Pages that stand twice and are looked at; of more the share is told.
    """
    figures, options = report.summary, report.options
    if report.is_comparison or figures.reference_pages or figures.pages < 2 or not figures.groups:
        return None
    if options.scope != "both" or options.between is not None:
        return None
    if options.unit == "page":
        return _pages_that_stay(report)
    rows = _pages_twice(report)
    if len(rows) > most:
        return None
    known = {} if made is None else made
    told = [*map(told_twice, each_page(report, [row for row in rows if row not in known])),
            *(known[row] for row in rows if row in known)]
    parts = [*_renderings(told, figures.pages), *_copies(told, figures.pages)]
    if parts:
        return " and ".join(parts) + "."
    if figures.content_share > (1 - MOSTLY) * figures.duplicate_share:
        return None
    outline_of = getattr(report.pages, "outline", None)
    outline: Outline = outline_of_pages(report.pages, report.groups) if outline_of is None else outline_of()
    names = [name for kind, name in (("template", "the site's template"), ("navigation", "menus"), ("refrain", "refrains"))
             if kind in outline.folds]
    what = names[0] if names[:1] == ["the site's template"] else " and ".join(names)
    return f"No page stands twice; what repeats is mostly {what}." if what else None


def _pages_that_stay(report: Report) -> str | None:
    if report.left_out or report.hidden:
        return None
    stay, total = int(report.keep.sum()), len(report.keep)
    if stay == total:
        return None
    some = "is a copy of another one" if total - stay == 1 else "are copies of others"
    groups = report.groups
    near = groups.any_near() if isinstance(groups, GroupList) else any(group.kind == "near" for group in groups)
    nearly = ", or nearly" if near else ""
    return f"{total - stay:,} of {total:,} pages {some}{nearly}; {stay:,} {'stays' if stay == 1 else 'stay'}."


def told_twice(page: PageReport) -> Twice:
    """The verdicts by which a page, or a part of it, stands twice."""
    return [(verdict.kind, verdict.text) for verdict in page.verdicts if verdict.kind in ("rendered-twice", "copy-of")]


def _pages_twice(report: Report) -> list[int]:
    """Pages with a second rendering, and those that are copies."""
    known = getattr(report.pages, "twice", None)
    if known is not None:
        rows: list[int] = known().tolist()
        return rows
    return [row for row, page in enumerate(report.pages) if told_twice(page)]


def _renderings(told: list[Twice], total: int) -> list[str]:
    texts = [[text for kind, text in page if kind == "rendered-twice"] for page in told]
    texts = [own for own in texts if own]
    if not texts:
        return []
    articles = sum(any(text.startswith("the article") for text in own) for own in texts)
    twice = all(_TWICE.search(text) for own in texts for text in own)
    often = "twice" if twice else "more than once"
    thing = "The article" if articles == len(texts) else "The article or a section" if articles else "A section"
    return [f"{thing} stands {often} on {len(texts):,} of {total:,} pages"]


def _copies(told: list[Twice], total: int) -> list[str]:
    texts = [next((text for kind, text in page if kind == "copy-of"), None) for page in told]
    found = [text for text in texts if text]
    if not found:
        return []
    near = sum("is nearly a copy" in text for text in found)
    nearly, or_nearly = ("nearly ", "") if near == len(found) else ("", ", or nearly" if near else "")
    some = f"is {nearly}a copy of another one" if len(found) == 1 else f"are {nearly}copies of others"
    return [f"{len(found):,} of {total:,} pages {some}{or_nearly}"]


__all__ = ["Twice", "headline", "told_twice"]
