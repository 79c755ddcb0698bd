"""A page's repeats as a picture: arcs over a line that is the page, from each place of a passage to the next one.

After Wattenberg, "Arc Diagrams: Visualizing Structure in Strings", 2002. ``viewer/src/arcs.ts`` draws the same.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dedup.errors import OptionError
from dedup.report.text import count, line_range, one_line, percent, safe

if TYPE_CHECKING:
    from dedup.model import Group, Occurrence, PageReport
    from dedup.report import Report

WIDTH, HEIGHT, BASE = 1000, 150, 14
LEAST = 3.0  # of WIDTH: a place that is narrower could not be seen
LOOKED_AT = 20_000  # groups
COLOURS = ("#b54e14", "#2a6fa8", "#2d7d46", "#8a3fa0", "#a3313f", "#1b7b83", "#7a6410", "#5a4fc0")


class Svg(str):
    """A picture as SVG text; a notebook shows it."""

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)


def plot_arcs(report: Report, page: str | int | None = None) -> Svg:
    """The arcs of one page, as ``Report.plot_arcs`` describes them."""
    shown = chosen_page(report, page)
    found = list(places_of(report, shown.id))
    own = [place for _, places in found for place in places]
    widest = _x(max((place.start for place in own), default=0), shown)
    parts = [f'<rect y="{HEIGHT}" width="{WIDTH}" height="{BASE}" fill="#8a8578" fill-opacity=".2"/>']
    for group, places in found:
        parts += [_arc(group, a, b, shown, widest) for a, b in itertools.pairwise(places)]
    for group, places in found:
        parts += [_bar(group, place, shown, len(group.occurrences) > len(places)) for place in places]
    name = one_line(shown.title or shown.id, 120)
    told = html.escape(safe(f"Repeats on the page {name}: {count(len(found), 'passage')}"))
    return Svg(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 30}" width="100%" role="img" '
               f'aria-label="{told}"><title>{told}</title>{"".join(parts)}</svg>')


def chosen_page(report: Report, page: str | int | None) -> PageReport:
    """The page of an id or an index; else the one with the most repeats.

    Raises:
        OptionError: There is no such page.
    """
    if isinstance(page, int) and -len(report.pages) <= page < len(report.pages):
        return report.pages[page]
    heads = list(getattr(report.pages, "heads", report.pages))
    if page is None and heads:
        best = max(range(len(heads)), key=lambda n: max(heads[n].within_share, heads[n].across_share) * heads[n].chars)
        return report.pages[best]
    for number, head in enumerate(heads):
        if head.id == page:
            return report.pages[number]
    raise OptionError("the report has no page" if page is None else f"{page!r} is no page of the report", "page",
                      "Use the id of a page (report.pages[0].id) or its index.")


def places_of(report: Report, page: str) -> Iterator[tuple[Group, list[Occurrence]]]:
    """The groups that stand on a page, the longest first, each with its places there; of the first groups only."""
    found = []
    for group in itertools.islice(report.groups, LOOKED_AT):
        places = [place for place in group.occurrences if place.page == page]
        if places:
            found.append((group, places))
    found.sort(key=lambda entry: -len(entry[0].text))
    yield from found


def _x(at: int, page: PageReport) -> float:
    return at / max(page.chars, 1) * WIDTH


def _colour(group: Group) -> str:
    return COLOURS[group.id % len(COLOURS)]


def _arc(group: Group, a: Occurrence, b: Occurrence, page: PageReport, widest: float) -> str:
    """A half ring from one place to the next: as wide as they are long, as strong as they are alike."""
    a0, b0 = _x(a.start, page), _x(b.start, page)
    a1, b1 = max(_x(a.end, page), a0 + LEAST), max(_x(b.end, page), b0 + LEAST)
    outer, inner = (b1 - a0) / 2, max((b0 - a1) / 2, 0.0)
    scale = min((HEIGHT - 4) / max(outer, 1.0), 2 * HEIGHT / max(widest, 1.0))
    back = f"A{inner:.1f} {inner * scale:.1f} 0 0 0 {a1:.1f} {HEIGHT}" if inner else f"H{a1:.1f}"
    strength = 0.25 + 0.35 * min(a.similarity, b.similarity)
    told = html.escape(f"{line_range(a)} again at {line_range(b)}, {count(group.tokens, 'word')}, "
                       f"{'word for word' if group.kind == 'exact' else percent(group.similarity) + ' alike'}")
    return (f'<path d="M{a0:.1f} {HEIGHT}A{outer:.1f} {outer * scale:.1f} 0 0 1 {b1:.1f} {HEIGHT}H{b0:.1f}{back}Z" '
            f'fill="{_colour(group)}" fill-opacity="{strength:.2f}"><title>{told}</title></path>')


def _bar(group: Group, place: Occurrence, page: PageReport, elsewhere: bool) -> str:
    """A place on the line; one that stands on other pages too has a mark below."""
    x, width = _x(place.start, page), max(_x(place.end, page) - _x(place.start, page), LEAST)
    bar = f'<rect x="{x:.1f}" y="{HEIGHT}" width="{width:.1f}" height="{BASE}" fill="{_colour(group)}" fill-opacity=".85"/>'
    if elsewhere:
        bar += (f'<rect x="{x:.1f}" y="{HEIGHT + BASE + 4}" width="{width:.1f}" height="8" fill="none" '
                f'stroke="{_colour(group)}" stroke-width="2"/>')
    return bar


__all__ = ["Svg", "plot_arcs"]
