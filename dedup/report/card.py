"""A report in a notebook: a card of a few lines and the arcs of one page. No script, and all foreign text escaped."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dedup.report.arcs import chosen_page, plot_arcs
from dedup.report.gather import Gathered
from dedup.report.text import count, one_line, page_name, percent, safe, verdict_words

if TYPE_CHECKING:
    from dedup.report import Report

VERDICTS = 5
TEXT_CHARS = 300
CARD = ("font-family:system-ui,sans-serif;max-width:46rem;padding:.9rem 1.1rem;border:1px solid rgba(128,128,128,.4);"
        "border-radius:8px;line-height:1.5")
SMALL = "margin-top:.7rem;opacity:.75;font-size:.85em"


def notebook_card(report: Report) -> str:
    """What ``Report._repr_html_`` shows."""
    figures = report.summary
    share = f"<b>{percent(figures.duplicate_share)}</b> repeated" if figures.groups else "<b>nothing stands twice</b>"
    head = " · ".join([count(figures.pages, "page"), share, count(figures.groups, "group")])
    sentences = "".join(f"<li>{_escape(text)}</li>" for text in _sentences(report))
    picture = ""
    if figures.groups and len(report.pages):
        page = chosen_page(report, None)
        picture = f'<div style="{SMALL}">{_escape(one_line(page_name(page), 120))}</div>{plot_arcs(report, page.id)}'
    more = '<code>report.write("report.html")</code> shows all of it'
    return (f'<div style="{CARD}"><div>{head}</div><ul style="margin:.5rem 0 0;padding-left:1.2rem">{sentences}</ul>{picture}'
            f'<div style="{SMALL}">{more}</div></div>')


def _sentences(report: Report) -> Iterator[str]:
    """The causes and the verdicts that matter most."""
    found = Gathered.of(report, VERDICTS)
    told = [one_line(cause.text, TEXT_CHARS) for cause in report.causes[:VERDICTS]]
    for page, verdicts in [*found.renderings.items, *found.copies.items]:
        name = "" if report.summary.pages == 1 else f"{one_line(page.id, 80)}: "
        told += [name + words for words in verdict_words(verdicts, TEXT_CHARS)]
    yield from told[:VERDICTS]
    if len(told) > VERDICTS:
        yield f"and {count(len(told) - VERDICTS, 'more')}".removesuffix("s")


def _escape(text: str) -> str:
    return html.escape(safe(text))


__all__ = ["notebook_card"]
