"""The report as short Markdown, for a pull request: the answer and the worst of each list; the rest folded away.

Foreign text stands in code spans, or is escaped so that it makes no markup, no link, no mention and no reference.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING

from dedup.errors import OptionError
from dedup.outline import FOLDED
from dedup.report.beneath import told_alone
from dedup.report.gather import Gathered, edited_words, matched_text
from dedup.report.headline import headline
from dedup.report.locations import encoded
from dedup.report.text import count, hide_words, one_line, page_name, percent, place, safe, times, verdict_words
from dedup.report.troubles import Trouble, place_words, troubles

if TYPE_CHECKING:
    from dedup.model import Group, Occurrence, PageReport
    from dedup.report import Report
    from dedup.report.formats import How

TOP = 10
SHOWN = 5  # entries of each list that are not folded away
PLACES = 5
TEXT_CHARS = 90
MOST_CHARS = 65_000  # of the whole: a comment holds 65,536
MARKER = b"<!-- dedup-report -->"  # by which a comment of ours is found again
FOLDS = {"navigation": "navigation", "refrain": "refrains", "template": "the site's template"}
RENDERED = (".md", ".mdx", ".rst", ".adoc", ".ipynb", ".csv", ".tsv")  # what code hosts show otherwise than by lines


def to_markdown(report: Report, top: int = TOP, how: How | None = None) -> str:
    """The report as Markdown of GitHub's kind, short enough for a comment.

    Args:
        top: Entries of each list; fewer where they have no room.
        how: Where links lead, and which sources were changed.
    """
    whole = _whole(report, top, how)
    fewer = top
    while len(whole) > MOST_CHARS and fewer:
        fewer //= 2
        note = (f"*Shortened to {count(fewer, 'entry', 'entries')} of each list, as a comment holds no more. Everything "
                "stands in the HTML and JSON reports.*")
        whole = f"{_whole(report, fewer, how)}\n{note}\n"
    return whole


def _whole(report: Report, top: int, how: How | None) -> str:
    found, links = Gathered.of(report, top), _Links(how)
    parts = [_head(report, found), _verdicts(report, found, top), _passages(report, found, top, links),
             _troubles(report, top)]
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines) + "\n"


def to_file(report: Report, file: IO[bytes], how: How) -> None:
    """Write the report as Markdown to an open binary file."""
    file.write(MARKER + b"\n" + to_markdown(report, how.top, how).encode("utf-8"))


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


_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~&$])|([@#]|\bGH(?=-\d))|(://)|(?i:(www)(?=\.))")


def escaped(text: str) -> str:
    r"""Foreign text in a sentence: no markup, link, mention or reference.

    >>> print(escaped("*hi* @all see #12, GH-12, $x$, https://x.example <b>"))
    \*hi\* @<!-- -->all see #<!-- -->12, GH<!-- -->-12, \$x\$, https:<!-- -->//x.example &lt;b&gt;
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


class _Links:
    """Places as links to their lines, where the file is there; else as they are."""

    def __init__(self, how: How | None) -> None:
        from dedup.report.locations import Root

        self._root = Root.of(how.root if how else None)
        self._base = how.link_base.rstrip("/") + "/" if how and how.link_base else ""
        self._changed = how.changed if how else None

    def in_order(self, places: Sequence[Occurrence], pages: Mapping[str, PageReport]) -> list[Occurrence]:
        """Places on changed pages first, where it is known which these are."""
        changed = self._changed
        if changed is None:
            return list(places)
        return sorted(places, key=lambda o: not changed(pages[o.page].source if o.page in pages else o.page))

    def of(self, occurrence: Occurrence, pages: Mapping[str, PageReport]) -> str:
        """A place, as a link if it can be one."""
        shown = code(one_line(place(occurrence, pages), 200))
        page = pages.get(occurrence.page)
        if page is None or not page.source or not os.path.isfile(page.source):
            return shown
        path = self._root.relative(page.source)
        if path is None:
            return shown
        lines = f"L{occurrence.line}" + (f"-L{occurrence.end_line}" if occurrence.end_line > occurrence.line else "")
        plain = "?plain=1" if self._base and path.lower().endswith(RENDERED) else ""
        return f"[{shown}]({self._base}{encoded(path)}{plain}#{lines})"


def check_link_base(address: str, where: str = "link_base") -> None:
    """Refuse what is no beginning of a link.

    Raises:
        OptionError: It is none.
    """
    if address and not re.fullmatch(r"https?://[^\s<>()\[\]\\`\"]+", address):
        raise OptionError(f"{address!r} is no address of a web page", where,
                          "Use one like https://host/owner/repository/blob/main")


def _head(report: Report, found: Gathered) -> Iterator[str]:
    figures = report.summary
    if not figures.groups and report.left_out:
        yield f"## No new repeats on {count(figures.pages, 'page')}"
        yield ""
        yield f"{count(report.left_out, 'passage')} left out, in the baseline or not in changed files."
        yield from [f"{_hidden(report)}."] * bool(report.hidden)
        return
    if not figures.groups:
        yield (f"## No repeats on {count(figures.pages, 'page')}" if report.index_pages is None else
               f"## Nothing of {count(figures.pages, 'page')} stands in the index")
        yield ""
        yield f"{count(figures.compared, 'block')} compared, {count(found.words, 'word')} read."
        yield from [f"{_hidden(report)}."] * bool(report.hidden)
        return
    verb = ("stands in the index too" if report.index_pages is not None else
            "stands in the references too" if figures.reference_pages else "is repeated")
    shown = found.groups.seen if report.options.fold_parts and not report.is_comparison else figures.groups
    of_all = f"{percent(figures.duplicate_share)} of the text {verb}"
    stands = f"that {'stands' if shown == 1 else 'stand'} more than once"
    yield f"## {count(shown, 'new passage')} {stands}" if report.left_out else f"## {of_all}"
    yield ""
    if told := headline(report):
        yield f"**{escaped(told)}**"
        yield ""
    content = percent(figures.content_share)
    rest = f" · {content} without template, menus and refrains" if content != percent(figures.duplicate_share) else ""
    passages = f"{count(shown, 'passage')} {stands}"
    if report.left_out:
        passages = (f"{count(report.left_out, 'more passage')} left out, in the baseline or not in changed files · "
                    f"with these {of_all}")
    yield (f"{count(figures.pages, 'page')} · {count(found.words, 'word')} · {passages} · "
           f"{count(figures.duplicate_chars, 'character')} repeated{rest}"
           f"{f' · {_hidden(report)}' if report.hidden else ''}")
    if report.is_comparison:
        yield ""
        for page, other in zip(report.pages, reversed(report.pages), strict=True):
            names = [code(one_line(page_name(one), 80)) for one in (page, other)]
            yield f"- {percent(page.across_share)} of {' stands in '.join(names)}{edited_words(report, 'it')}"


def _hidden(report: Report) -> str:
    """How many passages the settings hide."""
    return f"{count(report.hidden, 'passage')} hidden by {code(hide_words(report.options))}"


def _verdicts(report: Report, found: Gathered, top: int) -> Iterator[str]:
    lines = [f"- **{escaped(one_line(cause.text, 400))}**; {_ticked(one_line(cause.remedy, 400))}"
             for cause in report.causes[:top]]
    more = []
    known = report.summary.reference_pages > 0  # what stands there is what was asked for
    for best in (found.copies, found.renderings) if known else (found.renderings, found.copies):
        for page, verdicts in best.items:
            name = "" if report.summary.pages == 1 else f"{code(one_line(page_name(page), 300))}: "
            lines.append(f"- {name}{'; '.join(map(escaped, verdict_words(verdicts[:top], 300)))}")
        if best.hidden:
            more.append(f"- and {count(best.hidden, 'more page')}")
    for kind in FOLDED:
        if kind in found.folds:
            fold, page, example = found.folds[kind]
            name = "" if report.summary.pages == 1 else f" on {code(one_line(page_name(page), 300))}"
            example = example.replace(" on this page", "") if name else example
            more.append(f"- {FOLDS[kind]}: {count(fold.groups or fold.verdicts, 'passage')} on "
                        f"{count(fold.pages, 'page')}, such as{name}: {escaped(one_line(example, 160))}")
    if lines or more:
        yield "### What it amounts to"
        yield ""
        yield from lines[:SHOWN]
    hidden = lines[SHOWN:] + more
    if len(lines) > SHOWN:
        yield from _folded(f"{len(lines) - SHOWN:,} more", hidden)
    else:
        yield from hidden


def _folded(summary: str, lines: Sequence[str]) -> Iterator[str]:
    """Lines that are shown when they are asked for."""
    yield ""
    yield f"<details><summary>{summary}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def _passages(report: Report, found: Gathered, top: int, links: _Links) -> Iterator[str]:
    alone = told_alone(report)
    groups = found.groups.items or [report.groups[g] for g in alone[:top].tolist()]
    if not groups:
        return
    head = ["| words | alike | text | places |", "|---:|---|---|---|"]
    rows = [_row(group, found, links) for group in groups]
    yield f"### {'The most wasteful passages' if len(alone) > len(groups) else 'The passages'}"
    yield ""
    yield from [*head, *rows[:SHOWN]]
    beyond = ["", f"and {len(alone) - len(groups):,} more"] if len(alone) > len(groups) else []
    if rows[SHOWN:]:
        yield from _folded(count(len(rows) - SHOWN, "more passage"), [*head, *rows[SHOWN:], *beyond])
    else:
        yield from beyond


def _row(group: Group, found: Gathered, links: _Links) -> str:
    text = matched_text(group.occurrences[group.representative])
    ordered = links.in_order(group.occurrences, found.named)
    places = [links.of(o, found.named) + (f" {times(o.copies)} in a row" if o.copies > 1 else "") for o in ordered[:PLACES]]
    hidden = len(group.occurrences) - len(places)
    more = found.beneath[group.id].places if group.id in found.beneath else ()
    in_part = f"; parts of it in {count(len(more), 'more place')}, such as {links.of(more[0], found.named)}" if more else ""
    alike = "exact" if group.kind == "exact" else f"{group.kind} {percent(group.similarity)}"
    return (f"| {group.tokens:,.0f} | {alike} | {code(one_line(text, TEXT_CHARS))} | "
            f"{', '.join(places)}{f' and {hidden:,} more' if hidden else ''}{in_part} |")


def _troubles(report: Report, top: int) -> Iterator[str]:
    told = troubles(report)
    for heading, is_note in ("Not compared", False), ("Read with a guess", True):
        if kind := [trouble for trouble in told if trouble.is_note == is_note]:
            yield from _told(heading, kind, top)


def _told(heading: str, told: Sequence[Trouble], top: int) -> Iterator[str]:
    lines = []
    for trouble in told[:top]:
        what = f"{trouble.what}: {trouble.why}" if trouble.what else trouble.why
        lines.append(f"- {escaped(one_line(what, 300))}: {code(one_line(place_words(trouble), 300))}")
    if len(told) > top:
        lines.append(f"- and {len(told) - top:,} more")
    if len(lines) > SHOWN:
        yield from itertools.islice(_folded(heading, lines), 1, None)
        return
    yield f"### {heading}"
    yield ""
    yield from lines


__all__ = ["MARKER", "check_link_base", "to_file", "to_markdown"]
