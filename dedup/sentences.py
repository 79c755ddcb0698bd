"""Verdicts in words: one sentence for a person, and the figures that it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.copies import is_cut_short
from dedup.groups import KINDS
from dedup.model import BlockKind, Verdict
from dedup.source_lines import block_line

if TYPE_CHECKING:
    from dedup.verdicts import Judgement

HEADLINE_WORDS = 20
ARTICLE_PARAGRAPHS = 3
NEARLY = 0.9  # jaccard of copies that are nearly word for word
PARAGRAPH_HALVES = 16  # a shorter block is no paragraph
QUOTE_CHARS = 50
MOST_OTHERS = 50
MOST_LISTED = 3  # places, or blocks, that a sentence names one by one
ORDINALS = ("first", "second", "third", "fourth", "fifth")


def page_verdicts(judgement: Judgement, page: int) -> tuple[Verdict, ...]:
    """All verdicts of a page: copies of whole pages first, then what an editor would act on, then the rest."""
    from dedup.verdicts import NAVIGATION, REFRAIN, RENDERED, TEASER

    stands = judgement.stands(page)
    by_kind: dict[int, list[int]] = {}
    for s in stands:
        if judgement.within[s] >= 0:
            by_kind.setdefault(int(judgement.within[s]), []).append(s)
    out = _copy_of(judgement, page, stands)
    out += [_rendered_twice(judgement, s, within) for s, *within in _told_once(judgement, by_kind.get(RENDERED, []))]
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
    return "lines" if len(places) > 1 or "-" in places[0] else "line"


def _listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``, ``a, b, c and 4 more``."""
    more = len(names) - MOST_LISTED
    shown = list(names) if more <= 0 else [*names[:MOST_LISTED], f"{more:,} more"]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def _evidence(judgement: Judgement, s: int) -> dict[str, Any]:
    row, copies = int(judgement.first[s]), judgement.copies
    rows = slice(int(judgement.first[s]), int(judgement.first[s + 1]))
    return {"words": round(float(copies.words[row]), 1), "blocks": int(copies.blocks[row]),
            "copies": rows.stop - rows.start, "link_share": round(float(copies.link_share[rows].max()), 3),
            "jaccard": round(float(judgement.table.jaccard[rows].min()), 4),
            "whole_blocks": int(copies.whole[rows].sum()), "in_navigation": int(copies.navigation[rows].sum()),
            "headings": int(copies.heading[rows].sum()), "for_one_device": int((copies.device_share[rows] >= 0.5).sum()),
            "in_quotes": int((copies.quote_share[rows] >= 0.5).sum())}


def _told_once(judgement: Judgement, stands: list[int]) -> list[list[int]]:
    """Each second rendering that is told, and behind it those that say no more: they lie in the copies of one with more.

    Of three copies one after the other, the paragraphs of the first and the headline of the second stand again as well.
    """
    told: dict[int, set[int]] = {}
    out: dict[int, list[int]] = {}
    for s in sorted(stands, key=lambda s: (-_copies(judgement, s), s)):
        mine = _blocks(judgement, s)
        frame = next((other for other, theirs in told.items()
                      if _copies(judgement, other) > _copies(judgement, s) and mine <= theirs), None)
        if frame is None:
            told[s], out[s] = mine, [s]
        else:
            out[frame].append(s)
    return [out[s] for s in stands if s in out]


def _copies(judgement: Judgement, s: int) -> int:
    return int(judgement.first[s + 1] - judgement.first[s])


def _blocks(judgement: Judgement, s: int) -> set[int]:
    """The blocks that the copies of a stand hold or touch."""
    copies = judgement.copies
    return {block for row in range(int(judgement.first[s]), int(judgement.first[s + 1]))
            for block in range(int(copies.first_block[row]), int(copies.last_block[row]) + 1)}


def _rendered_twice(judgement: Judgement, s: int, within: Sequence[int] = ()) -> Verdict:
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
    what = _listed(listed) if listed else "one block"
    page_name = "it" if name == "most of the page" else "this page"
    where = f"{_unit(places[:1], rows[:1], judgement)} {places[0]} again at {_listed(places[1:])}"
    alike = "" if _are_equal(judgement, s, rows) else (
        ", nearly word for word" if float(judgement.table.jaccard[rows].min()) >= NEARLY else ", with changes")
    text = f"{name} stands on {page_name} {_times(len(rows))}{alike}: {where}, {what}, {chars:,} characters"
    evidence = {**_evidence(judgement, s), "chars": chars, "page_share": round(share, 4)}
    besides = _besides(judgement, s, rows)
    groups = tuple(int(judgement.group[each]) for each in (s, *within))
    return Verdict("rendered-twice", text, groups, evidence | ({"besides": besides} if besides else {}))


def _are_equal(judgement: Judgement, s: int, rows: list[int]) -> bool:
    """Whether all copies on the page are equal, block by block; those of another page may differ from them."""
    if KINDS[judgement.table.kind[judgement.group[s]]] != "near":
        return True
    fingerprint = judgement.findings.corpus.fingerprint
    first, *others = (fingerprint[_inner_blocks(judgement, row)[0]].tolist() for row in rows)
    return all(other == first for other in others)


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def often_on_page(count: int) -> str:
    """How often a text stands on each of some pages; 0: not equally often."""
    return _times(count) if count else "more than once"


def _besides(judgement: Judgement, s: int, rows: list[int]) -> str:
    """What lies inside a copy and is no part of it: a teaser, a caption."""
    out = []
    for number, row in enumerate(rows):
        other = _inner_blocks(judgement, row)[1]
        if other:
            name = f"the {ORDINALS[number]} copy" if number < len(ORDINALS) else f"copy {number + 1}"
            out.append(f"{name} also has {_listed(_named_blocks(judgement, int(judgement.page[s]), other))}")
    return "; ".join(out)


def _named_blocks(judgement: Judgement, page: int, blocks: list[int]) -> list[str]:
    """``the teaser of line 49``, ``"Thumbnail" of lines 52 and 57``: blocks in the order of the page, each text once."""
    corpus = judgement.findings.corpus
    teasers = _teaser_rows(judgement, page)
    names: dict[str, dict[str, None]] = {}
    for block in blocks:
        row = next((first for first, last in teasers if first <= block <= last), None)
        name = f'"{shortened(corpus.block_text(block))}"' if row is None else "the teaser"
        names.setdefault(name, {})[str(block_line(corpus, page, block if row is None else row))] = None
    if corpus.pages.in_line(page):
        return list(names)
    return [f"{name} of line{'s' if len(at) > 1 else ''} {_listed(list(at))}" for name, at in names.items()]


def _teaser_rows(judgement: Judgement, page: int) -> list[tuple[int, int]]:
    """First and last block of each place of a page that is a teaser: whole blocks that stand again elsewhere on it."""
    from dedup.verdicts import TEASER

    places = judgement.findings.places
    return [(int(places.first_block[row]), int(places.last_block[row]))
            for s in judgement.stands(page) if judgement.within[s] == TEASER
            for row in range(int(judgement.first[s]), int(judgement.first[s + 1])) if _is_whole(judgement, row)]


def _is_whole(judgement: Judgement, row: int) -> bool:
    """Whether a place of a teaser is whole blocks, or one that was cut short."""
    copies = judgement.copies
    return bool(copies.whole[row] or (copies.opens[row] and copies.first_block[row] == copies.last_block[row]
                                      and is_cut_short(judgement.findings, row)))


def _composition(judgement: Judgement, row: int) -> tuple[int, int, int]:
    """Headings, paragraphs and shorter blocks in the matched parts of an occurrence.

    In plain text the first block is taken for a headline if it is short and does not end a sentence.
    """
    corpus = judgement.findings.corpus
    blocks, _ = _inner_blocks(judgement, row)
    laid_out = int(judgement.findings.table.page[row]) in corpus.pages.layouts
    headings = [b for b in blocks if corpus.kind[b] == BlockKind.HEADING]
    if not laid_out and blocks and corpus.halves[blocks[0]] <= 2 * HEADLINE_WORDS:
        end = int(corpus.end[blocks[0]])
        tail = corpus.text[max(end - 4, 0):end].tobytes().decode("utf-8", "ignore")
        headings = [] if tail.endswith((".", "!", "?", "。", ",", ";")) else blocks[:1]
    rest = [b for b in blocks if b not in headings]
    paragraphs = [b for b in rest if corpus.halves[b] >= PARAGRAPH_HALVES]
    return len(headings), len(paragraphs), len(rest) - len(paragraphs)


def _inner_blocks(judgement: Judgement, row: int) -> tuple[list[int], list[int]]:
    """The blocks of an occurrence that have words: those in its matched parts, and those between them."""
    corpus, places = judgement.findings.corpus, judgement.findings.places
    blocks = [b for b in range(int(places.first_block[row]), int(places.last_block[row]) + 1) if corpus.halves[b]]
    starts = places.parts.part_start[places.parts.first[row]:places.parts.first[row + 1]]
    ends = places.parts.part_end[places.parts.first[row]:places.parts.first[row + 1]]
    matched = [bool(((corpus.start[b] < ends) & (corpus.end[b] > starts)).any()) for b in blocks]
    return ([b for b, inside in zip(blocks, matched, strict=True) if inside],
            [b for b, inside in zip(blocks, matched, strict=True) if not inside])


def _teaser(judgement: Judgement, s: int) -> Verdict:
    rows = list(range(int(judgement.first[s]), int(judgement.first[s + 1])))
    copies = judgement.copies
    whole = [row for row in rows if _is_whole(judgement, row)]
    inner = [row for row in rows if row not in whole]
    if whole and inner:
        small, large, verb = whole, inner, "is contained in" if len(whole) == 1 else "are contained in"
    else:
        linked = max(rows, key=lambda row: (copies.link_share[row], -row))
        heading = next((row for row in rows if copies.heading[row] and row != linked), None)
        one = linked if copies.link_share[linked] > 0 else next((row for row in rows if copies.heading[row]), linked)
        other = heading if heading not in (None, one) else next(row for row in rows if row != one)
        small, large = [one], [other]
        verb = "names the heading at" if heading is not None and heading != one else "stands again at"
    what = "link" if verb.startswith("names") and copies.link_share[small[0]] >= 0.5 else "teaser"
    label = dict(zip(rows, _places(judgement, rows), strict=True))

    def at(some: list[int]) -> str:
        places = [label[row] for row in some]
        return f"{_unit(places, some, judgement)} {_listed(places)}"
    rest = [row for row in rows if row not in small and row not in large]
    text = f"the {what}{'s' if len(small) > 1 else ''} at {at(small)} {verb} {at(large[:1])}"
    again = "and again in" if large[1:] else "and stands again at" if verb != "stands again at" else "and at"
    rest = large[1:] or rest
    text += f", {again} {at(rest)}" if rest else ""
    return Verdict("teaser", text, (int(judgement.group[s]),), _evidence(judgement, s))


def _folded(judgement: Judgement, kind: str, stands: list[int]) -> Verdict:
    words = _words(judgement, stands)
    count = len(stands)
    one, several = {"navigation": ("a menu, filter or notice", "menus, filters or notices"),
                    "refrain": ("a refrain", "refrains")}[kind]
    what = one if count == 1 else f"{count} {several}"
    verb = "stands" if count == 1 else "stand"
    row, copies_of_it = int(judgement.first[stands[0]]), _copies(judgement, stands[0])
    rows = list(range(row, row + min(copies_of_it, MOST_LISTED)))
    places = _places(judgement, rows)
    listed = _listed([*places, *[""] * (copies_of_it - len(places))])
    where = f'"{_quote(judgement, row)}" at {_unit(places, rows, judgement)} {listed}'
    such_as = ": " if count == 1 else ", such as "
    devices = int(judgement.device[stands].sum())
    often = _times(copies_of_it) if count == 1 else "more than once"
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
    """How a place's matched text begins, with dots for words that were left out."""
    parts, text = judgement.findings.places.parts, judgement.findings.corpus.text

    def decoded(start: int, end: int) -> str:
        return text[start:end].tobytes().decode("utf-8", "surrogatepass")
    quote, reached = "", 0
    for i in range(int(parts.first[row]), int(parts.first[row + 1])):
        start, end = int(parts.part_start[i]), int(parts.part_end[i])
        quote += " ... " if quote and decoded(reached, start).strip() else " "
        quote, reached = quote + decoded(start, end), end
        if len(quote) > 4 * QUOTE_CHARS:
            break
    return shortened(quote)


def shortened(text: str, limit: int = QUOTE_CHARS) -> str:
    """How a text begins, in one line.

    >>> shortened("Much ado\\n about  nothing", 12), shortened("Much ado\\n", 12)
    ('Much ado...', 'Much ado')
    """
    room = 4 * limit
    begin = " ".join(text[:room].split())
    while len(begin) <= limit and room < len(text):  # of a long text no more is looked at than is shown
        room *= 8
        begin = " ".join(text[:room].split())
    return begin if len(begin) <= limit else begin[:limit].rsplit(" ", 1)[0] + "..."


def _copy_of(judgement: Judgement, page: int, stands: list[int]) -> list[Verdict]:
    original = judgement.copy_of.get(page)
    if original is None:
        return []
    shared = {int(judgement.group[s]) for s in judgement.stands(original)}
    groups = [s for s in stands if judgement.across[s] >= 0 and int(judgement.group[s]) in shared]
    first, alike = judgement.first, judgement.table.jaccard
    jaccard = min((float(alike[first[s]:first[s + 1]].min()) for s in groups), default=1.0)
    name = judgement.findings.corpus.pages.id(original)
    exact = (all(KINDS[judgement.table.kind[judgement.group[s]]] != "near" for s in groups)
             or judgement.is_equal(original, page))
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
        words = _words(judgement, shared)
        named = ", ".join(judgement.findings.corpus.pages.id(p) for p in others[:3])
        named += f" and {len(others) - 3} more" if len(others) > 3 else ""
        where = "on other pages" if judgement.findings.corpus.references is None else f"in {judgement.known}"
        row = int(judgement.first[_longest(judgement, shared)])
        several = len(shared) > 1
        at = _unit(_places(judgement, [row]), [row], judgement)
        at = "" if judgement.findings.corpus.pages.in_line(page) else f"{at} {_lines(judgement, row)}, "
        text = (f"{len(shared)} passage{'s' if several else ''} ({words:,.0f} words) stand{'' if several else 's'} {where} "
                f"too ({named}): {'such as ' if several else ''}{at}\"{_quote(judgement, row)}\"")
        out.append(Verdict("shared", text, tuple(int(judgement.group[s]) for s in shared),
                           {"groups": len(shared), "words": round(words, 1), "pages": len(others)}))
    template = [s for s in stands if judgement.across[s] == TEMPLATE]
    if template:
        site, pages = judgement.sites
        words = _words(judgement, template)
        what = "passages" if len(template) > 1 else "passage"
        verb = "belong" if len(template) > 1 else "belongs"
        quote = _quote(judgement, int(judgement.first[_longest(judgement, template)]))
        text = f'{len(template)} {what} ({words:,.0f} words) {verb} to the site\'s template: "{quote}"'
        out.append(Verdict("template", text, tuple(int(judgement.group[s]) for s in template),
                           {"groups": len(template), "words": round(words, 1), "site_pages": int(pages[site[page]])}))
    return out


def _words(judgement: Judgement, stands: list[int]) -> float:
    """Words of the first places of stands of a page; what lies in several of them counts once, by its share of characters."""
    parts = judgement.findings.places.parts
    rows = judgement.first[stands]
    words = float(judgement.copies.words[rows].sum())
    if len(rows) == 1:
        return words
    mine = np.concatenate([np.arange(parts.first[row], parts.first[row + 1]) for row in rows.tolist()])
    start, end = (side[mine] for side in (judgement.findings.places.part_start, judgement.findings.places.part_end))
    order = np.argsort(start, kind="stable")
    start, end = start[order], end[order]
    reached = np.maximum.accumulate(end)
    fresh = end - np.maximum(start, np.concatenate([start[:1], reached[:-1]]))
    return words * float(np.maximum(fresh, 0).sum()) / max(float((end - start).sum()), 1.0)


def _longest(judgement: Judgement, stands: list[int]) -> int:
    """The stand with the most words, the first of several."""
    return max(stands, key=lambda s: (float(judgement.copies.words[int(judgement.first[s])]), -s))
