"""Verdicts in words: one sentence for a person, and the figures that it rests on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.groups import KINDS
from dedup.model import BlockKind, Verdict

if TYPE_CHECKING:
    from dedup.verdicts import Judgement

HEADLINE_WORDS = 20
ARTICLE_PARAGRAPHS = 3
PARAGRAPH_HALVES = 16  # a shorter block is no paragraph
QUOTE_CHARS = 50
MOST_OTHERS = 50


def page_verdicts(judgement: Judgement, page: int) -> tuple[Verdict, ...]:
    """All verdicts of a page: copies of whole pages first, then what an editor would act on, then the rest."""
    from dedup.verdicts import NAVIGATION, REFRAIN, RENDERED, TEASER

    stands = judgement.stands(page)
    by_kind: dict[int, list[int]] = {}
    for s in stands:
        if judgement.within[s] >= 0:
            by_kind.setdefault(int(judgement.within[s]), []).append(s)
    out = _copy_of(judgement, page, stands)
    out += [_rendered_twice(judgement, s) for s in by_kind.get(RENDERED, [])]
    out += [_teaser(judgement, s) for s in by_kind.get(TEASER, [])]
    out += _across(judgement, page, stands)
    out += [_folded(judgement, "navigation", by_kind[NAVIGATION])] if NAVIGATION in by_kind else []
    out += [_folded(judgement, "refrain", by_kind[REFRAIN])] if REFRAIN in by_kind else []
    return tuple(out)


def _lines(judgement: Judgement, row: int) -> str:
    first, last = judgement.findings.places.lines(row)
    return f"{first}-{last}" if last > first else str(first)


def _places(judgement: Judgement, rows: list[int]) -> list[str]:
    """Lines of the places, or characters where lines do not tell them apart."""
    lines = [_lines(judgement, row) for row in rows]
    if len(set(lines)) == len(lines):
        return lines
    return ["{}-{}".format(*judgement.findings.places.chars(row)) for row in rows]


def _unit(places: list[str], rows: list[int], judgement: Judgement) -> str:
    named = [_lines(judgement, row) for row in rows]
    if places != named:
        return "characters"
    return "lines" if "-" in places[0] else "line"


def _evidence(judgement: Judgement, s: int) -> dict[str, Any]:
    row, copies = int(judgement.first[s]), judgement.copies
    rows = slice(int(judgement.first[s]), int(judgement.first[s + 1]))
    return {"words": round(float(copies.words[row]), 1), "blocks": int(copies.blocks[row]),
            "copies": rows.stop - rows.start, "link_share": round(float(copies.link_share[rows].max()), 3),
            "jaccard": round(float(judgement.table.jaccard[rows].min()), 4),
            "whole_blocks": int(copies.whole[rows].sum()), "in_navigation": int(copies.navigation[rows].sum()),
            "headings": int(copies.heading[rows].sum()), "for_one_device": int((copies.device_share[rows] >= 0.5).sum()),
            "in_quotes": int((copies.quote_share[rows] >= 0.5).sum())}


def _rendered_twice(judgement: Judgement, s: int) -> Verdict:
    findings, row = judgement.findings, int(judgement.first[s])
    rows = list(range(row, int(judgement.first[s + 1])))
    parts = findings.places.parts
    chars = sum(int(findings.places.part_end[i] - findings.places.part_start[i])
                for i in range(int(parts.first[row]), int(parts.first[row + 1])))
    headlines, paragraphs, others = _composition(judgement, row)
    page = int(judgement.page[s])
    before = findings.corpus.halves_before[findings.corpus.page_first[page:page + 2]]
    words = float(before[1] - before[0]) / 2
    share = float(judgement.copies.words[row]) / max(words, 1.0)
    name = ("the article" if headlines and paragraphs >= ARTICLE_PARAGRAPHS else
            "most of the page" if share >= 0.4 else "a section")
    places = _places(judgement, rows)
    counted = ((paragraphs, "paragraph"), (others, "short block"))
    listed = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in counted if n]
    listed = (["headline" if headlines == 1 else f"{headlines} headings"] if headlines else []) + listed
    what = " and ".join(filter(None, [", ".join(listed[:-1]), listed[-1]])) if listed else "one block"
    page_name = "it" if name == "most of the page" else "this page"
    text = (f"{name} stands on {page_name} {_times(len(rows))}: {_unit(places, rows, judgement)} {places[0]} again at "
            f"{' and '.join(places[1:])}, {what}, {chars:,} characters")
    return Verdict("rendered-twice", text, (int(judgement.group[s]),),
                   {**_evidence(judgement, s), "chars": chars, "page_share": round(share, 4)})


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _composition(judgement: Judgement, row: int) -> tuple[int, int, int]:
    """Headings, paragraphs and shorter blocks in the matched parts of an occurrence.

    In plain text the first block is taken for a headline if it is short and does not end a sentence.
    """
    corpus, places = judgement.findings.corpus, judgement.findings.places
    blocks = [b for b in range(int(places.first_block[row]), int(places.last_block[row]) + 1) if corpus.halves[b]]
    starts = places.parts.part_start[places.parts.first[row]:places.parts.first[row + 1]]
    ends = places.parts.part_end[places.parts.first[row]:places.parts.first[row + 1]]
    blocks = [b for b in blocks if ((corpus.start[b] < ends) & (corpus.end[b] > starts)).any()]
    laid_out = int(judgement.findings.table.page[row]) in corpus.pages.layouts
    headings = [b for b in blocks if corpus.kind[b] == BlockKind.HEADING]
    if not laid_out and blocks and corpus.halves[blocks[0]] <= 2 * HEADLINE_WORDS:
        end = int(corpus.end[blocks[0]])
        tail = corpus.text[max(end - 4, 0):end].tobytes().decode("utf-8", "ignore")
        headings = [] if tail.endswith((".", "!", "?", "。", ",", ";")) else blocks[:1]
    rest = [b for b in blocks if b not in headings]
    paragraphs = [b for b in rest if corpus.halves[b] >= PARAGRAPH_HALVES]
    return len(headings), len(paragraphs), len(rest) - len(paragraphs)


def _teaser(judgement: Judgement, s: int) -> Verdict:
    rows = list(range(int(judgement.first[s]), int(judgement.first[s + 1])))
    copies = judgement.copies
    whole = [row for row in rows if copies.whole[row]]
    inner = [row for row in rows if not copies.whole[row]]
    if whole and inner:
        small, large = whole[0], inner[0]
        verb = "is contained in"
    else:
        linked = max(rows, key=lambda row: (copies.link_share[row], -row))
        heading = next((row for row in rows if copies.heading[row] and row != linked), None)
        small = linked if copies.link_share[linked] > 0 else next((row for row in rows if copies.heading[row]), linked)
        large = heading if heading is not None else next(row for row in rows if row != small)
        verb = "names the heading at" if heading is not None and heading != small else "stands again at"
    places = _places(judgement, [small, large])
    unit = _unit(places, [small, large], judgement)
    inner_unit = "lines" if unit != "characters" and "-" in places[1] else unit
    what = "link" if verb.startswith("names") and copies.link_share[small] >= 0.5 else "teaser"
    text = f"the {what} at {unit} {places[0]} {verb} {inner_unit} {places[1]}" if verb != "stands again at" else \
        f"the {what} at {unit} {places[0]} {verb} {places[1]}"
    return Verdict("teaser", text, (int(judgement.group[s]),), _evidence(judgement, s))


def _folded(judgement: Judgement, kind: str, stands: list[int]) -> Verdict:
    words = sum(float(judgement.copies.words[int(judgement.first[s])]) for s in stands)
    count = len(stands)
    one, several = {"navigation": ("a menu, filter or notice", "menus, filters or notices"),
                    "refrain": ("a refrain", "refrains")}[kind]
    what = one if count == 1 else f"{count} {several}"
    verb = "stands" if count == 1 else "stand"
    row = int(judgement.first[stands[0]])
    lines = " and ".join(_places(judgement, list(range(row, int(judgement.first[stands[0] + 1])))[:2]))
    where = f'"{_quote(judgement, row)}" at {lines}'
    such_as = ": " if count == 1 else ", such as "
    devices = int(judgement.device[stands].sum())
    often = _times(int(judgement.first[stands[0] + 1] - judgement.first[stands[0]])) if count == 1 else "more than once"
    often = often if not devices else "once for each kind of device" if devices == count else \
        f"more than once, {devices} of them once for each kind of device"
    text = f"{what} ({words:,.0f} words) {verb} on this page {often}{such_as}{where}"
    copies, first = judgement.copies, judgement.first
    rows = [row for s in stands for row in range(int(first[s]), int(first[s + 1]))]
    evidence = {"groups": count, "words": round(words, 1), "copies": len(rows), "device_copies": devices,
                "link_share": round(float(copies.link_share[rows].mean()), 3),
                "in_navigation": int(copies.navigation[rows].sum()), "in_forms": int(copies.form[rows].sum()),
                "in_footer": int((copies.footer_share[rows] >= 0.5).sum()),
                "in_quotes": int((copies.quote_share[rows] >= 0.5).sum()), "code_or_table": int(copies.code[rows].sum()),
                "whole_blocks": int(copies.whole[rows].sum())}
    return Verdict("navigation" if kind == "navigation" else "refrain", text,
                   tuple(int(judgement.group[s]) for s in stands), evidence)


def _quote(judgement: Judgement, row: int) -> str:
    """How a place's text begins."""
    text = " ".join(judgement.findings.places.text(row).split())
    return text if len(text) <= QUOTE_CHARS else text[:QUOTE_CHARS].rsplit(" ", 1)[0] + "..."


def _copy_of(judgement: Judgement, page: int, stands: list[int]) -> list[Verdict]:
    original = judgement.copy_of.get(page)
    if original is None:
        return []
    shared = {int(judgement.group[s]) for s in judgement.stands(original)}
    groups = [s for s in stands if judgement.across[s] >= 0 and int(judgement.group[s]) in shared]
    first, alike = judgement.first, judgement.table.jaccard
    jaccard = min((float(alike[first[s]:first[s + 1]].min()) for s in groups), default=1.0)
    name = judgement.findings.corpus.pages.id(original)
    exact = judgement.is_equal(original, page) or all(
        KINDS[judgement.table.kind[judgement.group[s]]] != "near" for s in groups)
    text = f"the page is a copy of {name}" if exact else f"the page is nearly a copy of {name}"
    return [Verdict("copy-of", text, tuple(int(judgement.group[s]) for s in groups),
                    {"page": name, "groups": len(groups), "jaccard": round(jaccard, 4)})]


def _others(judgement: Judgement, page: int, groups: npt.NDArray[np.int64]) -> list[int]:
    """The pages on which groups stand too, those with the most of them first; up to 50 of a group are looked at."""
    table, pairs = judgement.table, judgement.findings.pairs_that_count
    others = Counter[int]()
    for first, end in zip(table.first[groups].tolist(), table.first[groups + 1].tolist(), strict=True):
        there = table.page[first:min(first + MOST_OTHERS, end)]
        if not pairs.every:
            counted = there[pairs.allows(np.full(len(there), page), there)]
            if not len(counted):  # a rare case: all pages are gone over
                there = table.page[first:end]
                counted = there[pairs.allows(np.full(len(there), page), there)][:MOST_OTHERS]
            there = counted
        others.update(set(there.tolist()))
    del others[page]
    return sorted(others, key=lambda p: (-others[p], p))


def _across(judgement: Judgement, page: int, stands: list[int]) -> list[Verdict]:
    from dedup.verdicts import SHARED, TEMPLATE

    out = []
    shared = [s for s in stands if judgement.across[s] == SHARED]
    if shared and page not in judgement.copy_of:
        others = _others(judgement, page, judgement.group[shared])
        words = sum(float(judgement.copies.words[int(judgement.first[s])]) for s in shared)
        named = ", ".join(judgement.findings.corpus.pages.id(p) for p in others[:3])
        named += f" and {len(others) - 3} more" if len(others) > 3 else ""
        where = "on other pages" if judgement.findings.corpus.references is None else "in the references"
        text = (f"{len(shared)} passage{'s' if len(shared) > 1 else ''} ({words:,.0f} words) "
                f"stand{'' if len(shared) > 1 else 's'} {where} too: {named}")
        out.append(Verdict("shared", text, tuple(int(judgement.group[s]) for s in shared),
                           {"groups": len(shared), "words": round(words, 1), "pages": len(others)}))
    template = [s for s in stands if judgement.across[s] == TEMPLATE]
    if template:
        site, pages = judgement.sites
        words = sum(float(judgement.copies.words[int(judgement.first[s])]) for s in template)
        what = "passages" if len(template) > 1 else "passage"
        verb = "belong" if len(template) > 1 else "belongs"
        quote = _quote(judgement, int(judgement.first[max(
            template, key=lambda s: (float(judgement.copies.words[int(judgement.first[s])]), -s))]))
        text = f'{len(template)} {what} ({words:,.0f} words) {verb} to the site\'s template: "{quote}"'
        out.append(Verdict("template", text, tuple(int(judgement.group[s]) for s in template),
                           {"groups": len(template), "words": round(words, 1), "site_pages": int(pages[site[page]])}))
    return out
