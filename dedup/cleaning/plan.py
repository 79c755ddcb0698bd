"""Which sentences go, and for each the one that stays.

A sentence goes if it lies in a place that a verdict takes, and an equal one stays: of all that are equal and to go, the
first in the order of `keep` is spared. So one occurrence of everything stays, whatever the groups are, and what is left
holds no half sentences.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dedup.cleaning.choices import Choices, ranks
from dedup.cleaning.decide import BETWEEN, WHOLE_PAGE, Removal, Sentences
from dedup.cleaning.pieces import Cut, Left
from dedup.cleaning.signs import sign_digests
from dedup.columns import begins_new, rows_of
from dedup.corpus import Corpus
from dedup.errors import DedupError, OptionError
from dedup.findings import Findings
from dedup.kernel import kernel
from dedup.verdicts import Judgement
from dedup.verify import Spans, span_overlaps

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

@dataclass
class Plan:
    """What goes of a collection.

    Attributes:
        removals: By page and place; a removal's number is its index.
        cuts: What goes of the pages that were cut already: in bytes of a page's file, else in code points of its text.
        left: What was to go of them and stays.
    """

    corpus: Corpus
    removals: list[Removal] = field(default_factory=list)
    cuts: dict[int, tuple[Cut, ...]] = field(default_factory=dict)
    left: dict[int, list[Left]] = field(default_factory=dict)

    @cached_property
    def dropped(self) -> dict[int, int]:
        """Pages that go as wholes, and their removals."""
        return {removal.page: number for number, removal in enumerate(self.removals) if removal.rule == WHOLE_PAGE}

    @property
    def removed_chars(self) -> int:
        """Characters that go."""
        return sum(removal.end - removal.start for removal in self.removals)


def plan_removals(findings: Findings, judgement: Judgement, choices: Choices) -> Plan:
    """Decide what goes.

    Raises:
        DedupError: What was decided does not hold when it is checked: nothing may be written.
        OptionError: The pages were compared against references, of which nothing may go.
    """
    if findings.corpus.references is not None:
        raise OptionError("nothing is cleaned against references", "against")
    rank = ranks(findings.corpus, choices.keep)
    dropped = _dropped_pages(findings, judgement, choices, rank)
    removals = [_whole_page(findings, page, kept) for page, kept in sorted(dropped.items())]
    if choices.drop == "passages" and findings.options.unit == "block" and len(findings.table):
        removals += Sentences(findings, judgement, choices, rank, list(dropped)).removals()
    plan = Plan(findings.corpus, sorted(removals))
    check(plan)
    return plan


# ---- whole pages ----


def _dropped_pages(findings: Findings, judgement: Judgement, choices: Choices, rank: I64) -> dict[int, int]:
    """Pages that are copies as wholes of one that stays, with which they make a pair that counts, and that one."""
    dropped: dict[int, int] = {}
    stay: set[int] = set()  # for pages that are only like them
    equal: dict[int, list[int]] = {}  # pages that went for an equal one: where that goes, they are like what stays for it
    if "copy-of" not in choices.taken:
        return dropped
    pairs = findings.pairs_that_count

    def copies(members: Iterable[int]) -> tuple[int, list[int]]:
        """The page that stays of some, and those that may go for it."""
        left = np.array(sorted((p for p in members if p not in dropped), key=lambda p: rank[p]), np.int64)
        left = left[pairs.partners(np.zeros(len(left), np.int64), left) >= 0]
        if not len(left):
            return -1, []
        others: list[int] = left[1:][pairs.allows(np.full(len(left) - 1, left[0]), left[1:])].tolist()
        return int(left[0]), others

    pages, first = equal_pages(findings.corpus)
    for begin, end in itertools.pairwise(first.tolist()):
        kept, equal[kept] = copies(pages[begin:end].tolist())
        dropped |= dict.fromkeys(equal[kept], kept)
    for members in _near_pages(findings, judgement, rank) if choices.what == "near" else ():
        kept, others = copies(members)
        for page in others:
            going = np.array([page, *equal.get(page, ())])
            if page not in stay and pairs.allows(np.full(len(going), kept), going).all():
                dropped |= dict.fromkeys(going.tolist(), kept)
                stay.add(kept)
    return dropped


def word_digests(corpus: Corpus) -> tuple[I64, U64]:
    """Pages that have words, and a digest of the words of each page: all of them, however few they are."""
    worded = np.flatnonzero(np.diff(corpus.token_first) > 0)
    first = np.searchsorted(worded, corpus.page_first)
    return np.flatnonzero(np.diff(first) > 0), kernel.range_digests(np.ascontiguousarray(corpus.fingerprint[worded]), first)


def equal_pages(corpus: Corpus) -> tuple[I64, I64]:
    """Pages with the same tokens and signs, two or more, compared, not only hashed; those without a word are no copies.

    Returns:
        The pages, group after group, ascending in each; and where each group begins, one longer than the groups.
    """
    pages, prints = word_digests(corpus)
    _, number, count = np.unique(prints[pages], return_inverse=True, return_counts=True)
    pages = pages[count[number] > 1]
    prints = prints[pages] ^ sign_digests(corpus.text, corpus.page_start[pages], corpus.page_start[pages + 1])
    _, at, number = np.unique(prints, return_index=True, return_inverse=True)
    lead = pages[at[number]]  # the first page of each group
    order = np.lexsort((pages, lead))
    pages, lead = _of_several(pages[order], lead[order])
    start, end = corpus.page_start[:-1], corpus.page_start[1:]
    same = kernel.equal_tokens(corpus.text, start[lead], end[lead], corpus.text, start[pages], end[pages], corpus.flags)
    equal = rows_of(same.view(bool))
    pages, lead = _of_several(pages[equal], lead[equal])
    return pages, np.append(np.flatnonzero(begins_new(lead)), len(pages))


def _of_several(pages: I64, lead: I64) -> tuple[I64, I64]:
    """Those of groups that have two or more, and the first one of each group."""
    several = np.bincount(lead)[lead] > 1 if len(lead) else np.zeros(0, bool)
    return pages[several], lead[several]


def _near_pages(findings: Findings, judgement: Judgement, rank: I64) -> Iterator[list[int]]:
    """Pages that are near copies of one another; all were compared with one of them."""
    if findings.options.unit == "block":
        of = judgement.copy_of
    else:
        first, page, lead = findings.table.first, findings.table.page, findings.table.representative
        of = {p: int(page[lead[g]]) for g in reversed(range(len(findings.table)))
              for p in page[first[g]:first[g + 1]].tolist() if p != page[lead[g]]}
    clusters: dict[int, list[int]] = {}
    for later, leader in sorted(of.items()):
        clusters.setdefault(leader, [leader]).append(later)
    for leader, members in clusters.items():
        best = min(members, key=lambda p: int(rank[p]))
        yield members if best == leader else [best, leader]  # nobody compared the others with the best


def _whole_page(findings: Findings, page: int, kept: int) -> Removal:
    corpus, one = findings.corpus, np.array([0, 1])
    chars = np.diff(corpus.page_chars)
    a, b = (Spans(corpus.page_start[[p]], corpus.page_start[[p + 1]], one) for p in (kept, page))
    alike = 1.0
    if not kernel.equal_tokens(corpus.text, a.part_start, a.part_end, corpus.text, b.part_start, b.part_end, corpus.flags)[0]:
        overlap, n, m = span_overlaps(findings.engine, corpus, a, b, findings.options.shingle_tokens)
        alike = min(round(float(overlap[0] / max(int(n[0] + m[0] - overlap[0]), 1)), 4), 0.9999)  # 1.0 is word for word
    return Removal(page, 0, int(chars[page]), kept, 0, int(chars[kept]), -1, "copy-of", WHOLE_PAGE, alike, alike)


# ---- the check ----


def check(plan: Plan) -> None:
    """Every place that stays for another one is whole, and word for word the same where that is said.

    Raises:
        DedupError: It is not.
    """
    corpus, removals = plan.corpus, plan.removals
    gone, kept = (np.array([(r[i], r[i + 1], r[i + 2]) for r in removals], np.int64).reshape(-1, 3) for i in (0, 3))
    (a0, a1), (b0, b1) = byte_ranges(corpus, gone), byte_ranges(corpus, kept)
    torn = np.zeros(len(removals), bool)
    if len(removals):
        near = np.searchsorted(a1, b0, side="right")  # the first one that ends behind the start of what stays
        torn = (near < len(a0)) & (np.append(a0, 0)[near] < b1)
    same = kernel.equal_tokens(corpus.text, a0, a1, corpus.text, b0, b1, corpus.flags) == 1
    whole = np.array([r.rule == WHOLE_PAGE for r in removals], bool)  # sentences of what stays may stand elsewhere
    claimed = np.array([r.similarity == 1.0 and r.rule != BETWEEN for r in removals], bool)
    bad = np.flatnonzero((torn & ~whole) | (claimed & ~same) | (np.append(a0[1:], len(corpus.text)) < a1))
    if len(bad):
        raise DedupError(f"removal {bad[0]} has no copy that stays: {removals[bad[0]]}. This is a bug in dedup; nothing was "
                         "written", "clean")


def byte_ranges(corpus: Corpus, places: I64) -> tuple[I64, I64]:
    """Bytes of places given as (page, start, end) in code points."""
    at = (places[:, 1:] + corpus.page_chars[places[:, :1]]).reshape(-1)
    order = np.argsort(at, kind="stable")
    found = np.empty(len(at), np.int64)
    found[order] = kernel.byte_offsets(corpus.text, 0, len(corpus.text), at[order])
    return np.ascontiguousarray(found[0::2]), np.ascontiguousarray(found[1::2])
