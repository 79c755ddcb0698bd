"""The report as short Markdown, for a pull request: figures, verdicts, and the passages folded away.

Foreign text stands in code spans, or is escaped so that it makes no markup, no link, no mention and no reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from dedup.outline import FOLDED
from dedup.report.gather import Gathered, all_wasted_chars, matched_text, ranked
from dedup.report.text import count, one_line, page_name, percent, place, safe, times, verdict_words
from dedup.report.troubles import place_words, troubles

if TYPE_CHECKING:
    from dedup.model import Group
    from dedup.report import Report
    from dedup.report.formats import How

TOP = 10
MARKER = b"<!-- dedup-report -->"  # by which a comment of ours is found again
PLACES = 5
TEXT_CHARS = 90
FOLDS = {"navigation": "navigation", "refrain": "refrains", "template": "the site's template"}


def to_markdown(report: Report, top: int = TOP) -> str:
    """The report as Markdown of GitHub's kind.

    Args:
        top: Entries of each list.
    """
    found = Gathered.of(report, top)
    parts = [_head(report, found), _verdicts(report, found, top), _passages(report, found, top), _troubles(report, top)]
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines) + "\n"


def to_file(report: Report, file: IO[bytes], how: How) -> None:
    """Write the report as Markdown to an open binary file."""
    file.write(MARKER + b"\n" + to_markdown(report, how.top).encode("utf-8"))


def code(text: str) -> str:
    r"""Foreign text as a code span, in which nothing is markup; a pipe is escaped, for tables.

    >>> print(code("a `b` | c"), code("plain"))
    `` a `b` \| c `` `plain`
    """
    text = safe(" ".join(text.split())).replace("|", "\\|") or " "
    longest = max(map(len, re.findall("`+", text)), default=0)
    if not longest:
        return f"`{text}`"
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}"


_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&])|([@#])|(://)|(?i:(www)(?=\.))")


def escaped(text: str) -> str:
    r"""Foreign text in a sentence: no markup, link, mention or reference.

    >>> print(escaped("*hi* @all see #12, https://x.example <b>"))
    \*hi\* @<!-- -->all see #<!-- -->12, https:<!-- -->//x.example &lt;b&gt;
    """
    def harmless(found: re.Match[str]) -> str:
        markup, sign, slashes, www = found.groups()
        if markup:
            return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(markup, "\\" + markup)
        return f"{sign}<!-- -->" if sign else ":<!-- -->//" if slashes else f"{www}<!-- -->"
    return _MARKUP.sub(harmless, safe(re.sub(r"\s+", " ", text)))


def _ticked(text: str) -> str:
    """A sentence of ours whose parts between backticks are code."""
    return "".join(code(part) if n % 2 else escaped(part) for n, part in enumerate(text.split("`")))


def _head(report: Report, found: Gathered) -> Iterator[str]:
    figures = report.summary
    if not figures.groups:
        yield f"## No repeats on {count(figures.pages, 'page')}"
        yield ""
        yield f"{count(figures.compared, 'block')} compared, {count(found.words, 'word')} read."
        return
    verb = "stands in the references too" if figures.reference_pages else "is repeated"
    yield f"## {percent(figures.duplicate_share)} of the text {verb}"
    yield ""
    yield f"| {count(figures.pages, 'page')} | {count(found.words, 'word')} |"
    yield "|---|---:|"
    yield f"| repeated | {count(figures.duplicate_chars, 'character')} |"
    if figures.content_share != figures.duplicate_share:
        yield f"| without template, menus and refrains | {percent(figures.content_share)} |"
    yield f"| passages that stand twice or more | {figures.groups:,} |"
    if report.is_comparison:
        for page, other in zip(report.pages, reversed(report.pages), strict=True):
            names = [code(one_line(page_name(one), 80)) for one in (page, other)]
            yield f"| of {' in '.join(names)} | {percent(page.across_share)} |"


def _verdicts(report: Report, found: Gathered, top: int) -> Iterator[str]:
    lines = [f"- **{escaped(one_line(cause.text, 400))}**; {_ticked(one_line(cause.remedy, 400))}"
             for cause in report.causes[:top]]
    for best in (found.renderings, found.copies):
        for page, verdicts in best.items:
            name = "" if report.summary.pages == 1 else f"{code(page_name(page)[:300])}: "
            lines.append(f"- {name}{'; '.join(map(escaped, verdict_words(verdicts[:top], 300)))}")
        if best.hidden:
            lines.append(f"- and {count(best.hidden, 'more page')}")
    for kind in FOLDED:
        if kind in found.folds:
            fold, page, example = found.folds[kind]
            name = "" if report.summary.pages == 1 else f" on {code(page_name(page)[:300])}"
            example = example.replace(" on this page", "") if name else example
            lines.append(f"- {FOLDS[kind]}: {count(fold.groups or fold.verdicts, 'passage')} on "
                         f"{count(fold.pages, 'page')}, such as{name}: {escaped(one_line(example, 160))}")
    if lines:
        yield "### What it amounts to"
        yield ""
        yield from lines


def _passages(report: Report, found: Gathered, top: int) -> Iterator[str]:
    groups = [report.groups[g] for g in ranked(all_wasted_chars(report), top).tolist()]
    if not groups:
        return
    yield f"<details><summary>{'The most wasteful passages' if len(report.groups) > len(groups) else 'Passages'}</summary>"
    yield ""
    yield "| words | alike | text | places |"
    yield "|---:|---|---|---|"
    for group in groups:
        yield _row(group, found)
    yield ""
    if len(report.groups) > len(groups):
        yield f"and {len(report.groups) - len(groups):,} more"
        yield ""
    yield "</details>"


def _row(group: Group, found: Gathered) -> str:
    text = matched_text(group.occurrences[group.representative])
    places = [code(place(o, found.named)[:200]) + (f" {times(o.copies)} in a row" if o.copies > 1 else "")
              for o in group.occurrences[:PLACES]]
    hidden = len(group.occurrences) - len(places)
    alike = "exact" if group.kind == "exact" else f"{group.kind} {percent(group.similarity)}"
    return (f"| {group.tokens:,.0f} | {alike} | {code(one_line(text, TEXT_CHARS))} | "
            f"{', '.join(places)}{f' and {hidden:,} more' if hidden else ''} |")


def _troubles(report: Report, top: int) -> Iterator[str]:
    told = troubles(report)
    if told:
        yield "### Not compared"
        yield ""
    for trouble in told[:top]:
        what = f"{trouble.what}: {trouble.why}" if trouble.what else trouble.why
        yield f"- {escaped(one_line(what, 300))}: {code(one_line(place_words(trouble), 300))}"
    if len(told) > top:
        yield f"- and {len(told) - top:,} more"


__all__ = ["to_file", "to_markdown"]
