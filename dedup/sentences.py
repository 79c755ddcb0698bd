"""Verdicts in words: one sentence for a person, and the figures that it rests on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from dedup.columns import distinct_numbers, is_among, rows_of, sums
from dedup.copies import PARAGRAPH_HALVES, goes_on, is_cut_short, is_headline
from dedup.groups import KINDS
from dedup.kernel import kernel
from dedup.model import BlockKind, Verdict
from dedup.page_stands import PageStands, content_words, in_common, longest, other_pages, own_words, words_together
from dedup.parts import Parts
from dedup.renderings import Place, Rendering, places_of, renderings_of
from dedup.source_lines import block_line, block_lines
from dedup.stands import is_long_enough
from dedup.verdict_kinds import NAVIGATION, REFRAIN, RENDERED, SHARED, TEASER, TEMPLATE
from dedup.verdicts import TEMPLATE_AGAIN

if TYPE_CHECKING:
    from dedup.verdicts import Judgement

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Told = tuple[int, Verdict]  # and the page

ARTICLE_PARAGRAPHS = 3
NEARLY = 0.9  # jaccard of copies that are nearly word for word
QUOTE_CHARS = 50
MARKED = 4  # half tokens that a block may have beside a headline: its number in a list, how many comments there are
MOST_LISTED = 3  # places, blocks or pages that a sentence names one by one
ORDINALS = ("first", "second", "third", "fourth", "fifth")


def verdicts_of(judgement: Judgement, pages: I64) -> list[tuple[Verdict, ...]]:
    """All verdicts of pages, ascending: copies of whole pages first, then what an editor would act on, then the rest."""
    stands = PageStands.on(judgement, pages)
    across, within = judgement.across[stands.stand], judgement.within[stands.stand]
    copies = is_among(stands.page, np.array([page for page in pages.tolist() if page in judgement.copy_of], np.int64))
    say: tuple[tuple[Callable[[Judgement, PageStands], Iterator[Told]], Flags], ...] = (
        (_copies_of, copies), (_rendered_twice, within == RENDERED), (_teasers, within == TEASER),
        (_shared, (across == SHARED) & ~copies), (_of_template, across == TEMPLATE),
        (partial(_folded, kind="navigation"), within == NAVIGATION), (partial(_folded, kind="refrain"), within == REFRAIN))
    found: dict[int, list[Verdict]] = {page: [] for page in pages.tolist()}
    for told_of, some in say:
        for page, verdict in told_of(judgement, stands.where(some)) if some.any() else ():
            found[page].append(verdict)
    return [tuple(verdicts) for verdicts in found.values()]


def _lines(judgement: Judgement, row: int) -> str:
    first, last = judgement.findings.places.lines(row)
    return f"{first}-{last}" if last > first else str(first)


def _named_lines(judgement: Judgement, row: int) -> str:
    lines = _lines(judgement, row)
    return f"line{'s' if '-' in lines else ''} {lines}"


def _places(judgement: Judgement, rows: list[int]) -> tuple[str, list[str]]:
    """Lines of the places, or characters where lines do not tell them apart; and which of them they are."""
    lines = [_lines(judgement, row) for row in rows]
    if len(set(lines)) == len(lines):
        return "lines", lines
    return "characters", ["{}-{}".format(*judgement.findings.places.chars(row)) for row in rows]


def _own_lines(judgement: Judgement, row: int) -> str:
    """Lines of a copy, without the few words at its ends with which neighbouring blocks begin or end alike."""
    corpus, copies, places = judgement.findings.corpus, judgement.copies, judgement.findings.places
    if 2 * copies.words[row] < copies.matched_words(np.array([row]), judgement.table.ranges)[0]:  # they are most of it
        return _lines(judgement, row)
    page, own = int(judgement.table.page[row]), (int(copies.first_block[row]), int(copies.last_block[row]))
    ends = zip(own, (places.first_block[row], places.last_block[row]), block_lines(corpus, page, *own), places.lines(row),
               strict=True)
    first, last = (line if block != touched else found for block, touched, line, found in ends)
    return f"{first}-{last}" if last > first else str(first)


def _unit(unit: str, places: list[str]) -> str:
    return unit if unit == "characters" or len(places) > 1 or "-" in places[0] else "line"


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


def _copies(judgement: Judgement, s: int) -> int:
    return int(judgement.first[s + 1] - judgement.first[s])


def _renderings(judgement: Judgement, stands: I64) -> list[Rendering]:
    return renderings_of(judgement.copies, judgement.findings.corpus.halves, judgement.first, stands, judgement.section)


def _rendered_twice(judgement: Judgement, some: PageStands) -> Iterator[Told]:
    for page, stands in some.by_page():
        for told in _renderings(judgement, stands):
            yield page, _rendering(judgement, told)


def _rendering(judgement: Judgement, told: Rendering) -> Verdict:
    findings, s, page = judgement.findings, told.stand, int(judgement.page[told.stand])
    copies = sorted(told.places, key=lambda place: place.first)
    heads = _heads(judgement, page, copies)
    if heads:
        copies = [Place(copy.rows, {head: 0} | copy.blocks) for head, copy in zip(heads, copies, strict=True)]
    rows = [row for copy in copies for row in copy.rows]
    inner = [_inner_blocks(judgement, copy, heads) for copy in copies]
    chars, halves = _matched(judgement, copies[0], inner[0][0])
    headlines, paragraphs, others = _composition(judgement, page, inner[0][0])
    before = findings.corpus.halves_before[findings.corpus.page_first[page:page + 2]]
    share = halves / max(float(before[1] - before[0]), 2.0)
    unit, named = _named_copies(judgement, page, copies)
    counted = ((paragraphs, "paragraph"), (others, "short block"))
    listed = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in counted if n]
    listed = (["headline" if headlines == 1 else f"{headlines} headings"] if headlines else []) + listed
    name = ("the article" if headlines and paragraphs >= ARTICLE_PARAGRAPHS else
            "most of the page" if share >= 0.4 else "a paragraph" if listed == ["1 paragraph"] else "a section")
    what = "" if name == "a paragraph" else f", {_listed(listed) if listed else 'one block'}"
    page_name = "it" if name == "most of the page" else "this page"
    where = f"{unit} {named[0]} again at {_listed(named[1:])}"
    alike = "" if _are_equal(judgement, told, inner, unit) else (
        ", nearly word for word" if min(float(judgement.table.jaccard[rows].min()), _least_share(judgement, inner)) >= NEARLY
        else ", with changes")
    text = f"{name} stands on {page_name} {_times(len(copies))}{alike}: {where}{what}, {chars:,} characters"
    evidence = {**_evidence(judgement, s), "copies": len(copies), "chars": chars, "page_share": round(share, 4)}
    if len(copies[0].rows) > 1:  # pieces, of which the stand is one
        evidence |= {"words": halves / 2, "blocks": len(inner[0][0])}
    besides = _besides(judgement, page, _reordered(judgement, copies), [other.tolist() for _, other in inner])
    groups = tuple(int(judgement.group[each]) for each in (s, *told.within))
    return Verdict("rendered-twice", text, groups, evidence | ({"besides": besides} if besides else {}))


def _are_equal(judgement: Judgement, told: Rendering, inner: list[tuple[I64, I64]], unit: str) -> bool:
    """Whether all copies on the page are equal, block by block in any order; those of another page may differ from them.

    Equal words that begin or end inside a block are no equal lines: of two headlines only the last words may be the same.

    Args:
        unit: By which they are named: ``lines`` or ``characters``.
    """
    fingerprint = judgement.findings.corpus.fingerprint
    own = range(int(judgement.first[told.stand]), int(judgement.first[told.stand + 1]))
    if (KINDS[judgement.table.kind[judgement.group[told.stand]]] != "near"
            and {place.rows for place in told.places} == {(row,) for row in own}):
        each = [block for place in told.places for block in place.blocks]
        if unit == "characters" or judgement.copies.whole[own].all() or len(set(each)) < len(each):  # one block has both
            return True
    first, *others = (sorted(fingerprint[blocks].tolist()) for blocks, _ in inner)
    return all(other == first for other in others)


def _least_share(judgement: Judgement, inner: list[tuple[I64, I64]]) -> float:
    """Length of the shortest copy, of the longest one: one that another group has brought may lack a paragraph."""
    halves = [int(judgement.findings.corpus.halves[blocks].sum()) for blocks, _ in inner]
    return min(halves) / max(*halves, 1)


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def often_on_page(count: int) -> str:
    """How often a text stands on each of some pages; 0: not equally often."""
    return _times(count) if count else "more than once"


def _besides(judgement: Judgement, page: int, reordered: list[int], others: list[list[int]]) -> str:
    """What lies inside a copy and is no part of it: a paragraph that stands elsewhere in the others, a teaser, a caption.

    Args:
        reordered: Blocks that are parts, in another order.
        others: Of each copy, blocks beside its parts.
    """
    moved = sorted({*_moved(judgement, page, others), *reordered})
    names = _named_blocks(judgement, page, moved)
    if len(names) > MOST_LISTED:
        names = ["their paragraphs"]
    out = [f"the copies have {_listed(names)} in another order"] if names else []
    for number, inside in enumerate(others):
        other = [block for block in inside if block not in moved]
        if other:
            name = f"the {ORDINALS[number]} copy" if number < len(ORDINALS) else f"copy {number + 1}"
            out.append(f"{name} also has {_listed(_named_blocks(judgement, page, other))}")
    return "; ".join(out)


def _reordered(judgement: Judgement, copies: list[Place]) -> list[int]:
    """The blocks of pieces that follow each other in another order than in the first copy: of as few words as can be."""
    stand, figures, halves = judgement.occurrence_stand, judgement.copies, judgement.findings.corpus.halves
    if max(len(copy.rows) for copy in copies) == 1:
        return []
    first, *later = ({int(stand[row]): list(places_of(figures, halves, range(row, row + 1))[0].blocks) for row in copy.rows}
                     for copy in copies)
    found = set[int]()
    for copy in later:
        both = sorted({pair for s, blocks in first.items() if s in copy for pair in zip(blocks, copy[s], strict=False)})
        kept = _heaviest_ascending([there for _, there in both], [int(halves[block]) for block, _ in both])
        found.update(block for n, pair in enumerate(both) if n not in kept for block in pair)
    return sorted(found)


def _heaviest_ascending(numbers: Sequence[int], weights: Sequence[int]) -> set[int]:
    """Which of some numbers make an ascending subsequence of greatest weight.

    >>> sorted(_heaviest_ascending([4, 1, 2, 9], [5, 1, 1, 1])), sorted(_heaviest_ascending([4, 1, 2, 9], [1, 1, 1, 1]))
    ([0, 3], [1, 2, 3])
    """
    ends, best, last, before = list[int](), list[int](), list[int](), list[int]()  # by their ends; heavier ones behind
    for n, (number, weight) in enumerate(zip(numbers, weights, strict=True)):
        at = end = bisect_left(ends, number)
        total = weight + (best[at - 1] if at else 0)
        before.append(last[at - 1] if at else -1)
        while end < len(ends) and best[end] <= total:
            end += 1
        ends[at:end], best[at:end], last[at:end] = [number], [total], [n]
    kept, n = set[int](), last[-1] if last else -1
    while n >= 0:
        kept.add(n)
        n = before[n]
    return kept


def _moved(judgement: Judgement, page: int, others: list[list[int]]) -> list[int]:
    """Those of the blocks beside the parts of copies that stand beside those of another copy, too, equal or in one group."""
    copies, fingerprint = judgement.copies, judgement.findings.corpus.fingerprint
    copy_of = {block: number for number, inside in enumerate(others) for block in inside}
    if len(set(copy_of.values())) < 2:
        return []
    alike: dict[tuple[str, int], list[int]] = {}
    for block in copy_of:
        alike.setdefault(("text", int(fingerprint[block])), []).append(block)
    stands, between = judgement.stands(page), np.array(sorted(copy_of), np.int64)
    rows, first = kernel.take_ranges(judgement.first, stands)
    beside = is_among(copies.first_block[rows], between) & is_among(copies.last_block[rows], between)
    for row, s in zip(rows[beside].tolist(), np.repeat(stands, np.diff(first))[beside].tolist(), strict=True):
        blocks = range(int(copies.first_block[row]), int(copies.last_block[row]) + 1)
        alike.setdefault(("stand", s), []).extend(block for block in blocks if block in copy_of)
    return sorted({block for blocks in alike.values() if len({copy_of[block] for block in blocks}) > 1 for block in blocks})


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
    places = judgement.findings.places
    return [(int(places.first_block[row]), int(places.last_block[row]))
            for s in judgement.stands(page).tolist() if judgement.within[s] == TEASER
            for row in range(int(judgement.first[s]), int(judgement.first[s + 1])) if _is_whole(judgement, row)]


def _is_whole(judgement: Judgement, row: int) -> bool:
    """Whether a place of a teaser is whole blocks, or one that was cut short."""
    copies = judgement.copies
    return bool(copies.whole[row] or (copies.opens[row] and copies.first_block[row] == copies.last_block[row]
                                      and is_cut_short(judgement.findings, row)))


def _composition(judgement: Judgement, page: int, blocks: I64) -> tuple[int, int, int]:
    """Headings, paragraphs and shorter blocks among those in the matched parts of a copy.

    In plain text the first block may be a headline, and no other one.
    """
    corpus = judgement.findings.corpus
    heading = corpus.kind[blocks] == BlockKind.HEADING
    if page not in corpus.pages.layouts:
        heading[:] = False
        heading[:1] = [is_headline(corpus, page, int(block)) for block in blocks[:1]]
    headings = int(heading.sum())
    paragraphs = int((~heading & (corpus.halves[blocks] >= PARAGRAPH_HALVES)).sum())
    return headings, paragraphs, len(blocks) - headings - paragraphs


def _inner_blocks(judgement: Judgement, copy: Place, heads: list[int]) -> tuple[I64, I64]:
    """The blocks of a copy that have words: those in its matched parts, and those between them.

    Args:
        heads: Blocks that belong to them, too.
    """
    corpus, parts = judgement.findings.corpus, judgement.findings.places.parts
    begin, end = copy.first, max(copy.blocks) + 1
    own = np.zeros(end - begin, bool)  # a part may end with the first word of the next block
    own[np.fromiter(copy.blocks, np.int64, len(copy.blocks)) - begin] = True
    blocks = rows_of(own | (corpus.halves[begin:end] > 0))
    own = own[blocks]
    blocks += begin
    matched = np.isin(blocks, heads) if heads else np.zeros(len(blocks), bool)
    for row in copy.rows:
        mine = slice(parts.first[row], parts.first[row + 1])
        starts, ends = parts.part_start[mine], parts.part_end[mine]
        part = ends.searchsorted(corpus.start[blocks], side="right")  # the first one that ends behind the start of each block
        matched |= (part < len(ends)) & (starts[np.minimum(part, len(ends) - 1)] < corpus.end[blocks])
    matched &= own
    return blocks[matched], blocks[~matched]


def _heads(judgement: Judgement, page: int, copies: list[Place]) -> list[int]:
    """The same short headline before each copy, which a paragraph that changed places parts from the others; or none."""
    corpus = judgement.findings.corpus
    before = [copy.first - 1 for copy in copies]
    if all(_is_row(judgement, copy) for copy in copies) or before[0] < corpus.page_first[page]:
        return []
    alike = (corpus.fingerprint[before] == corpus.fingerprint[before[0]]).all() and is_headline(corpus, page, before[0])
    return before if alike and not any(block in copy.blocks for block in before for copy in copies) else []


def _matched(judgement: Judgement, copy: Place, blocks: I64) -> tuple[int, float]:
    """Characters and half tokens of the matched parts of a copy.

    Args:
        blocks: Those that lie in them.
    """
    places, corpus = judgement.findings.places, judgement.findings.corpus
    if _is_row(judgement, copy):
        row = copy.rows[0]
        mine = slice(places.parts.first[row], places.parts.first[row + 1])
        return int((places.part_end[mine] - places.part_start[mine]).sum()), 2 * float(judgement.copies.words[row])
    chars = (corpus.end_chars[blocks] - corpus.start_chars[blocks]).sum()
    following = rows_of(blocks[1:] == blocks[:-1] + 1)  # what is between them belongs to both
    chars += (corpus.start_chars[blocks[following + 1]] - corpus.end_chars[blocks[following]]).sum()
    return int(chars), float(corpus.halves[blocks].sum())


def _is_row(judgement: Judgement, copy: Place) -> bool:
    """Whether a copy is one occurrence, all of it."""
    places, row = judgement.findings.places, copy.rows[0]
    return len(copy.rows) == 1 and copy.first == places.first_block[row] and max(copy.blocks) == places.last_block[row]


def _named_copies(judgement: Judgement, page: int, copies: Sequence[Place]) -> tuple[str, list[str]]:
    """Lines of copies, or characters where lines do not tell them apart; and which of them they are."""
    findings, corpus = judgement.findings, judgement.findings.corpus
    ends = [(copy.first, max(copy.blocks)) for copy in copies]
    lines = [findings.places.lines(copy.rows[0]) if _is_row(judgement, copy) else block_lines(corpus, page, *own)
             for copy, own in zip(copies, ends, strict=True)]
    if len(set(lines)) == len(lines):
        named = [f"{first}-{last}" if last > first else str(first) for first, last in lines]
        return "lines" if "-" in named[0] else "line", named
    before = int(corpus.page_chars[page])
    chars = [findings.places.chars(copy.rows[0]) if _is_row(judgement, copy) else
             (int(corpus.start_chars[first]) - before, int(corpus.end_chars[last]) - before)
             for copy, (first, last) in zip(copies, ends, strict=True)]
    return "characters", [f"{begin}-{end}" for begin, end in chars]


def _teasers(judgement: Judgement, some: PageStands) -> Iterator[Told]:
    for page, stands in some.by_page():
        pieces, told = _of_renderings(judgement, page, stands), dict[tuple[tuple[int, int], ...], Verdict]()
        for s in stands.tolist():
            verdict, blocks = pieces[s] if s in pieces else _teaser(judgement, s), _blocks(judgement, s)
            if blocks in told:  # two groups of one place
                verdict = replace(told[blocks], groups=(*told[blocks].groups, *verdict.groups))
            told[blocks] = verdict
        yield from ((page, verdict) for verdict in _each_once(told.values()))


def _each_once(verdicts: Iterable[Verdict]) -> Iterable[Verdict]:
    """Verdicts, those that say the same as one: of a piece that stands beside several copies there may be several groups."""
    told: dict[str, Verdict] = {}
    for verdict in verdicts:
        known = told.get(verdict.text)
        told[verdict.text] = verdict if known is None else replace(known, groups=(*known.groups, *verdict.groups))
    return told.values()


def _blocks(judgement: Judgement, s: int) -> tuple[tuple[int, int], ...]:
    """First and last block of each place of a stand."""
    rows, copies = slice(int(judgement.first[s]), int(judgement.first[s + 1])), judgement.copies
    return tuple(zip(copies.first_block[rows].tolist(), copies.last_block[rows].tolist(), strict=True))


def _of_renderings(judgement: Judgement, page: int, stands: I64) -> dict[int, Verdict]:
    """Of stands that are a piece of a second rendering, and stand again beside it: what that piece is."""
    there, copies = judgement.stands(page), judgement.copies
    rendered = there[judgement.within[there] == RENDERED]
    if not len(rendered):
        return {}
    found: dict[int, str] = {}
    for told in _renderings(judgement, rendered):
        for s in stands.tolist():
            if s not in found and (beside := _beside(judgement, s, told)):
                found[s] = _piece(judgement, page, *beside)
    left = stands[[s not in found for s in stands.tolist()]]
    leader = judgement.first[left]
    left = left[is_long_enough(copies.words[leader], copies.blocks[leader])]
    if len(left):
        for told in _renderings(judgement, np.sort(np.concatenate([rendered, left]))):
            found |= {s: _piece(judgement, page, whole, [piece], False) for s, piece in told.rest.items()
                      if (whole := _holding(judgement, told, piece)) is not None}
    return {s: Verdict("teaser", text, (int(judgement.group[s]),), _evidence(judgement, s)) for s, text in found.items()}


def _holding(judgement: Judgement, told: Rendering, piece: Place) -> Place | None:
    """The first copy beside a piece in which each block of that stands; one that was edited may lack what others have."""
    if _has_gap(judgement, piece):
        return None
    fingerprint = judgement.findings.corpus.fingerprint
    texts = set(fingerprint[[*piece.blocks]].tolist())
    holding = [place for place in told.places if texts.issubset(fingerprint[[*place.blocks]].tolist())
               and not place.reaches_over(piece.first)]
    return min(holding, key=lambda place: place.first, default=None)


def _has_gap(judgement: Judgement, place: Place) -> bool:
    """Whether words stand between the ends of a place that are none of it: its lines hold more than it."""
    between = range(place.first, max(place.blocks) + 1)
    return any(judgement.findings.corpus.halves[block] and block not in place.blocks for block in between)


def _beside(judgement: Judgement, s: int, told: Rendering) -> tuple[Place, list[Place], bool] | None:
    """The first copy that begins with a teaser, its places beside the copies, and whether it is their first block alone.

    Nothing where another sentence says more: of links, headings and what is contained in a longer block.
    """
    copies, rows = judgement.copies, range(int(judgement.first[s]), int(judgement.first[s + 1]))
    places = places_of(copies, judgement.findings.corpus.halves, rows)
    of_copy = told.opened_by(places)
    if of_copy is None or copies.link_share[rows].any() or copies.heading[rows].any():
        return None
    inside = [row for row, n in zip(rows, of_copy, strict=True) if n is not None]
    lie = all(place.share_in(told.places[n].blocks) == 1 if n is not None else place.words <= 2 * copies.words[row] + MARKED
              for row, place, n in zip(rows, places, of_copy, strict=True))
    beside = [place for place, n in zip(places, of_copy, strict=True) if n is None]
    if not lie or not copies.whole[inside].all() or any(_has_gap(judgement, place) for place in beside):
        return None
    fingerprint = judgement.findings.corpus.fingerprint
    begin = {int(fingerprint[told.places[n].first]) for n in of_copy if n is not None}
    opened = [copy for copy in told.places if fingerprint[copy.first] in begin]
    apart = [copy for copy in opened if not any(copy.reaches_over(place.first) for place in beside)]
    whole = min(apart or opened, key=lambda copy: copy.first)
    return whole, beside, bool((copies.blocks[inside] == 1).all())


def _piece(judgement: Judgement, page: int, whole: Place, beside: list[Place], is_first: bool) -> str:
    """``the headline of line 3 stands again at line 31``, ``the teaser at lines 35-39 is contained in lines 3-17``.

    Args:
        whole: The copy in which it stands.
        beside: Its places beside the copies.
        is_first: Whether the copy begins with it, and it is one block.
    """
    corpus = judgement.findings.corpus
    unit, (holding, *at) = _named_copies(judgement, page, [whole, *beside])
    if corpus.pages.in_line(page):
        return f'the teaser "{shortened(corpus.block_text(beside[0].first))}" is contained in {unit} {holding}'
    where = f"{unit if len(at) > 1 or '-' in at[0] or unit == 'characters' else 'line'} {_listed(at)}"
    is_first = is_first or corpus.fingerprint[[*beside[0].blocks]].tolist() == [corpus.fingerprint[whole.first]]
    if is_first and (corpus.halves[whole.first] < PARAGRAPH_HALVES or is_headline(corpus, page, whole.first)):
        return f"the headline of line {block_line(corpus, page, whole.first)} stands again at {where}"
    what = "teaser" if len(beside) == 1 else "teasers"
    return f"the {what} at {where} {'is' if len(beside) == 1 else 'are'} contained in {unit} {holding}"


def _teaser(judgement: Judgement, s: int) -> Verdict:
    rows = list(range(int(judgement.first[s]), int(judgement.first[s + 1])))
    copies = judgement.copies
    whole = [row for row in rows if _is_whole(judgement, row)]
    inner = [row for row in rows if row not in whole]
    whole = [row for row in whole if not copies.gaps_of(row)]  # what lies in a gap is contained nowhere
    if whole and inner:
        small, large, verb = whole, inner, "is contained in" if len(whole) == 1 else "are contained in"
    elif leads := _leads(judgement, rows):
        small, large, verb = leads, [row for row in rows if row not in leads], "stands again at"
    else:
        linked = max(rows, key=lambda row: (copies.link_share[row], -row))
        heading = next((row for row in rows if copies.heading[row] and row != linked), None)
        one = linked if copies.link_share[linked] > 0 else next((row for row in rows if copies.heading[row]), linked)
        other = heading if heading not in (None, one) else next(row for row in rows if row != one)
        small, large = [one], [other]
        verb = "names the heading at" if heading is not None and heading != one else "stands again at"
    what = "the link" if verb.startswith("names") and copies.link_share[small[0]] >= 0.5 else "the teaser"
    if not verb.startswith("names") and copies.heading[small].all():  # what points to it is the other place
        what = "the heading" if copies.whole[small].all() else "part of the heading"
    unit, places = "lines", [_own_lines(judgement, row) for row in rows]
    if len(set(places)) < len(places):
        unit, places = _places(judgement, rows)
    label = dict(zip(rows, places, strict=True))

    def at(some: list[int]) -> str:
        named = [label[row] for row in some]
        return f"{_unit(unit, named)} {_listed(named)}"
    rest = [row for row in rows if row not in small and row not in large]
    text = f"{what}{'s' if len(small) > 1 else ''} at {at(small)} {verb} {at(large[:1])}"
    again = "and again in" if large[1:] else "and stands again at" if verb != "stands again at" else "and at"
    rest = large[1:] or rest
    text += f", {again} {at(rest)}" if rest else ""
    return Verdict("teaser", text, (int(judgement.group[s]),), _evidence(judgement, s))


def _leads(judgement: Judgement, rows: list[int]) -> list[int]:
    """Places of headlines and paragraphs that do not go on, where others do."""
    corpus, copies, page = judgement.findings.corpus, judgement.copies, int(judgement.findings.table.page[rows[0]])
    if copies.blocks[rows].max() < 2 or copies.link_share[rows].any():
        return []
    ending = [row for row in rows if not goes_on(corpus, page, int(copies.last_block[row]))]
    return ending if len(ending) < len(rows) else []


def _folded(judgement: Judgement, some: PageStands, kind: Literal["navigation", "refrain"]) -> Iterator[Told]:
    copies = judgement.copies
    rows, edges = kernel.take_ranges(judgement.first, some.stand)
    flags = {"in_navigation": copies.navigation[rows], "in_forms": copies.form[rows],
             "in_footer": copies.footer_share[rows] >= 0.5, "in_quotes": copies.quote_share[rows] >= 0.5,
             "code_or_table": copies.code[rows], "whole_blocks": copies.whole[rows]}
    first, links = edges[some.first], copies.link_share[rows]
    counts = zip(*(np.add.reduceat(flag.astype(np.int64), first[:-1]).tolist() for flag in flags.values()), strict=True)
    quotes = _quotes(judgement, judgement.first[some.stand[some.first[:-1]]])
    for (page, stands), words, quote, (a, b), marked in zip(
            some.by_page(), words_together(judgement, some).tolist(), quotes, pairwise(first.tolist()), counts, strict=True):
        devices = int(judgement.device[stands].sum())
        text = _fold(judgement, kind, stands.tolist(), words, devices, quote)
        evidence = {"groups": len(stands), "words": round(words, 1), "copies": b - a, "device_copies": devices,
                    "link_share": round(float(links[a:b].mean()), 3), **dict(zip(flags, marked, strict=True))}
        yield page, Verdict(kind, text, tuple(judgement.group[stands].tolist()), evidence)


def _fold(judgement: Judgement, kind: Literal["navigation", "refrain"], stands: list[int], words: float, devices: int,
          quote: str) -> str:
    count = len(stands)
    one, several = {"navigation": ("a menu, filter or notice", "menus, filters or notices"),
                    "refrain": ("a refrain", "refrains")}[kind]
    what = one if count == 1 else f"{count} {several}"
    verb = "stands" if count == 1 else "stand"
    row, copies_of_it = int(judgement.first[stands[0]]), _copies(judgement, stands[0])
    rows = list(range(row, row + min(copies_of_it, MOST_LISTED)))
    unit, places = _places(judgement, rows)
    listed = _listed([*places, *[""] * (copies_of_it - len(places))])
    where = f'"{quote}" at {_unit(unit, places)} {listed}'
    such_as = ": " if count == 1 else ", such as "
    often = _times(copies_of_it) if count == 1 else "more than once"
    often = often if not devices else "once for each kind of device" if devices == count else \
        f"more than once, {devices} of them once for each kind of device"
    return f"{what} ({words:,.0f} words) {verb} on this page {often}{such_as}{where}"


def _quotes(judgement: Judgement, rows: I64, without: Parts | None = None) -> Iterator[str]:
    """How the matched text of each place begins, with dots for words that were left out.

    Args:
        without: Stretches that are left out, ascending, but of a place that has hardly anything else.
    """
    parts, text = judgement.findings.places.parts, judgement.findings.corpus.text.data
    mine, first = kernel.take_ranges(parts.first, rows)
    stretches = list(zip(parts.part_start[mine].tolist(), parts.part_end[mine].tolist(), strict=True))

    def decoded(start: int, end: int) -> str:
        return str(text[start:end], "utf-8", "surrogatepass")
    for a, b in pairwise(first.tolist()):
        quote, reached = "", stretches[a][0]
        for start, end in stretches[a:b] if without is None else _outside(stretches[a:b], without):
            if (piece := decoded(start, end)).strip():
                quote += (" ... " if decoded(reached, start).strip() else " ") + piece
                reached = end
            if len(quote) > 4 * QUOTE_CHARS:
                break
        yield shortened(quote)


def _outside(stretches: list[tuple[int, int]], frame: Parts) -> list[tuple[int, int]]:
    """What of some stretches lies in none of a frame; where that is hardly anything, all of them."""
    left = list[tuple[int, int]]()
    for start, end in stretches:
        held = slice(frame.end.searchsorted(start, side="right"), frame.start.searchsorted(end))
        edges = [start, *np.column_stack([frame.start[held], frame.end[held]]).ravel().tolist(), end]
        left += [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    size, outside = (sum(end - start for start, end in some) for some in (stretches, left))
    return left if outside > (1 - TEMPLATE_AGAIN) * size else stretches


def shortened(text: str, limit: int = QUOTE_CHARS) -> str:
    """How a text begins, in one line.

    >>> shortened("Much ado\\n about  nothing", 12), shortened("Much ado\\n", 12)
    ('Much ado...', 'Much ado')
    """
    room = 2 * limit
    begin = " ".join(text[:room].split())
    while len(begin) <= limit and room < len(text):  # of a long text no more is looked at than is shown
        room *= 8
        begin = " ".join(text[:room].split())
    return begin if len(begin) <= limit else begin[:limit].rsplit(" ", 1)[0] + "..."


def _copies_of(judgement: Judgement, some: PageStands) -> Iterator[Told]:
    table, copied = judgement.table, some.page[some.first[:-1]].tolist()
    originals = [judgement.copy_of[page] for page in copied]
    both, edges = in_common(judgement, some, np.array(originals))
    rows, first = kernel.take_ranges(judgement.first, both)
    alike = np.minimum.reduceat(table.jaccard[rows], first[:-1]).tolist() if len(both) else []
    groups = judgement.group[both]
    near = np.diff(sums(table.kind[groups] == KINDS.index("near"))[edges]) > 0
    near |= own_words(judgement, np.array(copied), np.array(originals), both) > 0
    near |= judgement.content[copied] != judgement.content[originals]  # the other one may have words of its own
    near[near] = ~judgement.are_equal(*(np.array(pages, np.int64)[near] for pages in (originals, copied)))
    names, template = judgement.findings.corpus.pages.names(originals), judgement.across[both] == TEMPLATE
    for page, inexact, name, (a, b) in zip(copied, near.tolist(), names, pairwise(edges.tolist()), strict=True):
        text = f"the page is nearly a copy of {name}" if inexact else f"the page is a copy of {name}"
        own = groups[a:b][~template[a:b]] if not template[a:b].all() else groups[a:b]  # a footer stands there anyway
        yield page, Verdict("copy-of", text, tuple(own.tolist()),
                            {"page": name, "groups": len(own), "jaccard": round(min(alike[a:b], default=1.0), 4)})


def _shared(judgement: Judgement, some: PageStands) -> Iterator[Told]:
    findings, pages = judgement.findings, judgement.findings.corpus.pages
    where = "on other pages" if findings.corpus.references is None else f"in {judgement.known}"
    groups, first = judgement.group[some.stand].tolist(), judgement.first[some.stand]
    share = judgement.outside_template(first, np.arange(len(first)))
    rows = longest(judgement, some, share)
    counts, others = other_pages(judgement, some, share, MOST_LISTED)
    named = distinct_numbers(others[others >= 0]).tolist()
    name = dict(zip(named, pages.names(named), strict=True))
    columns = (column.tolist() for column in (content_words(judgement, some), counts, others, rows))
    quotes = _quotes(judgement, rows, judgement.template)
    for (page, a, b), quote, words, count, most, row in zip(some.ranges(), quotes, *columns, strict=True):
        several = b - a > 1
        at = "" if pages.in_line(page) else f"{_named_lines(judgement, row)}, "
        these = ", ".join([name[other] for other in most if other >= 0])
        these += f" and {count - MOST_LISTED} more" if count > MOST_LISTED else ""
        text = (f"{b - a} passage{'s' if several else ''} ({words:,.0f} words) stand{'' if several else 's'} {where} "
                f"too ({these}): {'such as ' if several else ''}{at}\"{quote}\"")
        yield page, Verdict("shared", text, tuple(groups[a:b]),
                            {"groups": b - a, "words": round(words, 1), "pages": count})


def _of_template(judgement: Judgement, some: PageStands) -> Iterator[Told]:
    site, pages = judgement.sites
    groups, quotes = judgement.group[some.stand].tolist(), _quotes(judgement, longest(judgement, some))
    for (page, a, b), quote, words in zip(some.ranges(), quotes, words_together(judgement, some).tolist(), strict=True):
        what, verb = ("passages", "belong") if b - a > 1 else ("passage", "belongs")
        text = f'{b - a} {what} ({words:,.0f} words) {verb} to the site\'s template: "{quote}"'
        yield page, Verdict("template", text, tuple(groups[a:b]),
                            {"groups": b - a, "words": round(words, 1), "site_pages": int(pages[site[page]])})
