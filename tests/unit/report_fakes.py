"""Reports made by hand from the parts of the model, for the tests of reports and command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dedup.model import Group, Kind, Occurrence, PageReport, Pair, ReadError, Skipped, SmallRepeat, Summary, Verdict
from dedup.options import Options
from dedup.report import Judged, Report

NEWS = Path(__file__).parents[2] / "examples" / "news.txt"


def occurrence(page: str, text: str, start: int = 0, line: int = 1, end_line: int | None = None,
               similarity: float = 1.0, **rest: Any) -> Occurrence:
    values: dict[str, Any] = {
        "source_start": start, "source_end": start + len(text), "path": None, "parts": None, "jaccard": similarity,
        "containment": similarity, "indel_similarity": similarity} | rest
    return Occurrence(page=page, start=start, end=start + len(text), line=line,
                      end_line=line if end_line is None else end_line, text=text, similarity=similarity, **values)


def group(number: int, occurrences: Sequence[Occurrence], kind: Kind = "exact", **rest: Any) -> Group:
    first = occurrences[0]
    values: dict[str, Any] = {"tokens": float(len(first.text.split())), "blocks": 1} | rest
    return Group(id=number, kind=kind, similarity=min(o.similarity for o in occurrences), text=first.text,
                 occurrences=tuple(occurrences), **values)


def pair(a: Occurrence, b: Occurrence, kind: Kind = "exact", similarity: float = 1.0) -> Pair:
    return Pair(a=a, b=b, kind=kind, similarity=similarity, jaccard=similarity, containment_a=similarity,
                containment_b=similarity, indel_similarity=similarity)


def page(name: str, words: int = 100, chars: int = 600, **rest: Any) -> PageReport:
    values: dict[str, Any] = {"source": name, "title": None, "meta": {}, "duplicate_chars": 0, "within_share": 0.0,
                              "across_share": 0.0} | rest
    return PageReport(id=name, words=words, chars=chars, **values)


def report(pages: Sequence[PageReport] = (), groups: Sequence[Group] = (), links: Sequence[Pair] | None = (),
           skipped: Sequence[Skipped] = (), errors: Sequence[ReadError] = (), options: Options | None = None,
           is_comparison: bool = False, **figures: Any) -> Report:
    chars = sum(p.chars for p in pages)
    repeated = sum(p.duplicate_chars for p in pages)
    share = repeated / chars if chars else 0.0
    values: dict[str, Any] = {
        "pages": len(pages), "blocks": 10 * len(pages), "compared": 8 * len(pages), "short": 2 * len(pages),
        "skipped": sum(s.count for s in skipped), "groups": len(groups), "chars": chars, "duplicate_chars": repeated,
        "duplicate_share": share, "content_share": share} | figures
    return Report(options=options or Options(), judged=Judged(Summary(**values), pages), groups=groups, links=links,
                  skipped=tuple(skipped), errors=tuple(errors), input_digest="0" * 32, version="0.1.0",
                  is_comparison=is_comparison)


def news_report() -> Report:
    """The page of the issue, as the finished pipeline should see it."""
    text = NEWS.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    offsets = [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]

    def span(first: int, last: int) -> tuple[int, int]:
        return offsets[first - 1], offsets[last] - 1

    def at(first: int, last: int, parts: tuple[tuple[int, int], ...] | None = None, **rest: Any) -> Occurrence:
        start, end = span(first, last)
        return occurrence("news.txt", text[start:end], start, first, last, parts=parts, **rest)

    paragraphs = [span(n, n) for n in range(7, 18, 2)]
    again = [span(n, n) for n in range(25, 36, 2)]
    run = group(0, [at(5, 17, (span(5, 5), *paragraphs)), at(19, 35, (span(19, 19), *again))], tokens=336.0, blocks=7)
    start = span(9, 9)[0]
    teaser_text = text[span(21, 21)[0] : span(21, 21)[1]]
    teaser = group(1, [occurrence("news.txt", teaser_text, start, 9), at(21, 21)], "contained", tokens=19.0)
    chars = sum(end - start for start, end in (span(5, 5), *paragraphs))
    verdicts = (
        Verdict("rendered-twice", "the article stands on this page twice: lines 5-17 again at 19-35, headline and 6 "
                f"paragraphs, {chars:,} characters", (0,), {"lines": [5, 17, 19, 35]}),
        Verdict("teaser", "the teaser at line 21 is contained in line 9", (1,), {"line": 21, "within": 9}))
    repeated = chars + len(teaser_text)
    words = len(re.findall(r"\w+", text))
    only = page("news.txt", words, len(text), duplicate_chars=repeated, within_share=0.96, verdicts=verdicts,
                small_repeats=(SmallRepeat("Thumbnail", (3, 23)),))
    return report([only], [run, teaser], [pair(*run.occurrences), pair(*teaser.occurrences, kind="contained")],
                  blocks=22, compared=15, short=7)


def near_report(copies: int = 7) -> Report:
    """Two groups of near copies over several pages."""
    first = "The council voted on Tuesday evening to rebuild the old harbour bridge before the winter storms arrive."
    other = first.replace("Tuesday evening", "Wednesday").replace("old harbour", "harbour")
    pages = [page(f"site/news/{n:02}.html", duplicate_chars=90 if n else 0) for n in range(copies)]
    places = [occurrence(p.id, other if n else first, 40, 12 + n, 14 + n, 0.8996 if n else 1.0)
              for n, p in enumerate(pages)]
    return report(pages, [group(0, places, "near")], [pair(places[0], o, "near", 0.8996) for o in places[1:]])
