"""A scan on a cluster: what it holds is read and measured there, pages that share something meet, and what the parts found
is put together. The rows are those of one machine.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.aligned import NOTHING, Aligned
from dedup.annotate import REPETITION, repetition_of
from dedup.blocks import Corpus, digest_of, in_order, sums, tell_apart, token_flags
from dedup.cleaning.plan import word_digests
from dedup.distributed.corpora import joined, page_texts, take_pages
from dedup.distributed.keys import are_closed, links_of_keys, page_keys, part_of_key
from dedup.distributed.parts import Found, Plan, Shift, find_in_part, send_pages
from dedup.distributed.portions import Numbering, Portion
from dedup.engines.cluster import Cluster, Held, Shared
from dedup.engines.local import LocalEngine
from dedup.errors import InputError
from dedup.filed import Filed
from dedup.findings import Findings
from dedup.groups import Groups, no_groups
from dedup.kernel import kernel
from dedup.model import ReadError, Skipped
from dedup.options import Options
from dedup.page_pairs import page_pairs
from dedup.pipeline import filtered
from dedup.places import TokenRanges, page_of
from dedup.readers.naming import Naming
from dedup.readers.notes import Notes, Recorded, skipped_by, tell_all
from dedup.runs import Passages, block_links, concatenated
from dedup.stages import Stages
from dedup.verify import Spans

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
A = TypeVar("A", bound=np.generic)

PART_BYTES, KEYED_BYTES = 1 << 25, 1 << 25  # of text in a part, and of which the keys meet in one, about
MOST_TEXT = 1 << 32  # bytes of text that all come to who asked; of more, that of what was found
log = logging.getLogger("dedup")


@dataclass(frozen=True, slots=True)
class Heard:
    """What the portions say of their pages: columns, digests of texts, and what could not be read."""

    corpus: Corpus
    digest: U64
    mark: int
    notes: Recorded
    references: bool
    looked_at: Flags  # pages of which verdicts look at the text, whatever is found


@dataclass(frozen=True, slots=True)
class Read:
    """What a report asks a stream of pages for."""

    errors: list[ReadError]
    skipped: tuple[Skipped, ...]
    renamed: int
    fields: tuple[str, ...]


def scan_on(cluster: Cluster, held: Held[Portion], notes: Sequence[Notes], options: Options, stages: Stages,
            several_roots: Sequence[bool] = (), ordered: bool = True) -> tuple[Findings, str, Read]:
    """All that stands more than once in the portions' pages, a digest of the input, and what was said while it was read.

    Args:
        notes: What was said before the portions were read; where there are references, theirs come first.
        several_roots: Whether more than one place was named, of each of the notes' sides.
        ordered: The pages are in the order of the portions; else in that of their ids, those of one id in that of their
            texts' digests.
    """
    stages.start("read")
    heard = list(held.map(hear))
    corpus, numbering, digests = together(heard, notes, options, ordered)
    read = named(corpus, notes, several_roots)
    digest = digest_of(corpus.pages.ids, digests, corpus.references)
    stages.rows(len(corpus.pages), "pages", int(corpus.token_first[-1]), "tokens")
    pairs = page_pairs(corpus.pages, corpus.references, options, read.fields)
    stages.start("pages that share something")
    part, parts = plan_parts(cluster, held, corpus, numbering, options)
    stages.rows(len(corpus.pages), "pages", int((part >= 0).sum()), f"in {parts} parts")
    stages.start("parts")
    plan = cluster.share(Plan(numbering, part, pairs, corpus.references, corpus.flags, options))
    found = list(held.exchange(partial(send_pages, plan=plan), parts, partial(find_in_part, plan=plan))) if parts else []
    stages.unplaced += sum(own.unplaced for own in found)
    if stages.unplaced:
        log.warning("crowded buckets, or seeds in too many places: comparisons cut short: %d; exhaustive misses nothing",
                    stages.unplaced)
    passages, groups, aligned = put_together(corpus, found, options.unit == "page")
    stages.rows(len(passages.whole.a0), "passages", len(groups), "groups")
    stages.start("texts")
    wanted = pages_looked_at(corpus, numbering, heard, groups, passages)
    every = options.with_text or int(corpus.page_start[-1]) <= MOST_TEXT
    corpus, repetition = fetch_texts(cluster, held, corpus, numbering, wanted | every, counted=not every)
    stages.rows(len(corpus.pages), "pages", int((wanted | every).sum()), "texts")
    findings = Findings(corpus, groups, passages, pairs, options, truncated=stages.unplaced > 0, aligned=aligned,
                        repetition=repetition)
    return filtered(findings), digest, read


def hear(_: int, portion: Portion) -> Heard:
    """What a portion says of its pages."""
    return Heard(portion.corpus, portion.digest, portion.mark, portion.notes, portion.references, portion.looked_at)


def together(heard: Sequence[Heard], notes: Sequence[Notes], options: Options,
             ordered: bool) -> tuple[Corpus, Numbering, U64]:
    """The pages of all portions without their texts, their numbers, and digests of their texts.

    Raises:
        InputError: There are no pages to compare against.
    """
    referred = sum(len(said.corpus.pages) for said in heard if said.references)
    for side, told in zip((True, False) if len(notes) > 1 else (False,), notes, strict=True):
        tell_all([said.notes for said in heard if said.references is side], told, ordered)
    if len(notes) > 1 and not referred:
        cause = "; ".join(error.message for error in notes[0].errors) or "there is no page in it"
        raise InputError(f"nothing to compare against: {cause}", "against")
    corpus = joined([said.corpus for said in heard], referred if len(notes) > 1 else None, token_flags(options))
    first = sums(np.array([len(said.corpus.pages) for said in heard], np.int64))
    digests = np.concatenate([np.empty((0, 2), np.uint64), *(said.digest for said in heard)])
    rank, marks = None, tuple(said.mark for said in heard)
    if not ordered:
        ids, texts = corpus.pages.ids, digests.tolist()
        order = np.array(sorted(range(len(texts)), key=lambda p: (p >= referred, ids.encoded(p), texts[p])), np.int64)
        _order_equals(order, corpus, referred, digests)
        corpus, digests, rank = take_pages(corpus, order), digests[order], np.argsort(order)
    return corpus, Numbering(first, marks, rank), digests


def _order_equals(order: I64, corpus: Corpus, referred: int, digests: U64) -> None:
    """Order pages of one id and one text by all else that is known of them, in place."""
    ids, ordered, reference = corpus.pages.ids, digests[order], order < referred
    alike = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1) & (reference[1:] == reference[:-1])).tolist()
    tied = [row for row in alike if ids.encoded(order[row]) == ids.encoded(order[row + 1])]
    for _, run in itertools.groupby(enumerate(tied), lambda numbered: numbered[1] - numbered[0]):
        rows = [row for _, row in run]
        equal = slice(rows[0], rows[-1] + 2)
        order[equal] = sorted(order[equal].tolist(), key=lambda p: repr(corpus.pages[p]))


def named(corpus: Corpus, notes: Sequence[Notes], several_roots: Sequence[bool]) -> Read:
    """What was said of the pages; those whose ids are taken get other ones."""
    renamed, referred = 0, corpus.references or 0
    edges = [0, referred, len(corpus.pages)] if len(notes) > 1 else [0, len(corpus.pages)]
    for side, (begin, end) in enumerate(itertools.pairwise(edges)):
        naming = Naming(side < len(several_roots) and several_roots[side])
        naming.all(corpus.pages, begin, end)
        renamed += naming.renamed
    tell_apart(corpus.pages, referred)
    return Read([error for told in notes for error in told.errors], skipped_by(notes), renamed,
                tuple(dict.fromkeys(name for told in notes for name in told.fields)))


def plan_parts(cluster: Cluster, held: Held[Portion], corpus: Corpus, numbering: Numbering,
               options: Options) -> tuple[I32, int]:
    """The part of each page, -1 of those that share nothing, and how many parts there are."""
    if not len(corpus.pages):
        return np.empty(0, np.int32), 0
    if not are_closed(options):
        return np.zeros(len(corpus.pages), np.int32), 1
    count = max(1, options.partitions or int(corpus.page_start[-1]) // KEYED_BYTES)
    where = cluster.share(numbering)
    links = list(held.exchange(partial(send_keys, numbering=where, options=options, parts=count), count, link_keys))
    one, other = (_concatenated([pair[side] for pair in links], np.int64) for side in (0, 1))
    component = kernel.components(len(corpus.pages), one, other)
    linked = np.zeros(len(corpus.pages), bool)
    linked[one] = linked[other] = True
    return _packed(component, linked, np.diff(corpus.page_start), options)


def _packed(component: I64, linked: Flags, size: I64, options: Options) -> tuple[I32, int]:
    """Components in parts of about equal size, in the order of their first pages; none is cut."""
    part = np.full(len(component), -1, np.int32)
    rows = np.flatnonzero(linked)
    if not len(rows):
        return part, 0
    roots, number = np.unique(component[rows], return_inverse=True)
    weight = np.bincount(number, size[rows], len(roots))
    most = max(weight.sum() / options.partitions, 1) if options.partitions else PART_BYTES
    packed = ((np.cumsum(weight) - weight / 2) // most).astype(np.int64)
    kinds, packed = np.unique(packed, return_inverse=True)
    part[rows] = packed[number]
    return part, len(kinds)


def send_keys(number: int, portion: Portion, numbering: Shared[Numbering], options: Options,
              parts: int) -> list[tuple[int, tuple[U64, U32]]]:
    """The keys of a portion's pages that go to each part, and the numbers of the pages."""
    keys, page = page_keys(portion, options)
    part = part_of_key(keys, parts)
    order = in_order(part)
    edges = np.searchsorted(part[order], np.arange(parts + 1)).tolist()
    keys, pages = keys[order], numbering.value.of(number, portion)[page[order]].astype(np.uint32)
    return [(own, (keys[a:b], pages[a:b])) for own, (a, b) in enumerate(itertools.pairwise(edges)) if b > a]


def link_keys(_: int, sent: list[tuple[U64, U32]]) -> tuple[I64, I64]:
    """Links between the pages that share a key of a part."""
    keys = _concatenated([keys for keys, _ in sent], np.uint64)
    pages = _concatenated([pages for _, pages in sent], np.uint32)
    sent.clear()
    return links_of_keys(keys, pages.astype(np.int64))


def pages_looked_at(corpus: Corpus, numbering: Numbering, heard: Sequence[Heard], groups: Groups,
                    passages: Passages) -> Flags:
    """The pages whose texts the report looks at: of what was found, and those with the words of another one, which are
    copies however short they are.
    """
    wanted = np.zeros(len(corpus.pages), bool)
    for number, said in enumerate(heard):
        wanted[numbering.numbers(number)] = said.looked_at
    wanted[groups.page] = True
    for side in (passages.whole.a0, passages.whole.b0):
        wanted[page_of(corpus, side)] = True
    worded, prints = word_digests(corpus)
    _, print_of, count = np.unique(prints[worded], return_inverse=True, return_counts=True)
    wanted[worded[count[print_of] > 1]] = True
    return wanted


def put_together(corpus: Corpus, found: Sequence[Found], whole_pages: bool) -> tuple[Passages, Groups, Aligned]:
    """What the parts found, in places of the whole, in the order of one machine."""
    if not found:
        none = block_links(corpus, np.empty(0, np.int64), np.empty(0, np.int64), exact=True)
        return Passages(none, np.zeros(1, np.int64), none), no_groups(), NOTHING
    shifts = [Shift.of(corpus, own.page) for own in found]
    passages = [shift.passages(own.passages) for shift, own in zip(shifts, found, strict=True)]
    aligned = [shift.aligned(own.aligned) for shift, own in zip(shifts, found, strict=True)]
    whole = Passages(concatenated(*(own.whole for own in passages)), _edges([own.first for own in passages]),
                     concatenated(*(own.parts for own in passages)))
    order = np.lexsort((whole.whole.b0, whole.whole.a0))
    measured = Aligned(concatenated(*(own.links for own in aligned)), np.concatenate([own.dice for own in aligned]),
                       np.concatenate([own.evidence for own in aligned]), sum(own.truncated for own in aligned))
    groups = [shift.groups(own.groups, corpus if whole_pages else None) for shift, own in zip(shifts, found, strict=True)]
    return whole.in_order(order), _ordered(_groups_together(groups)), measured


def _groups_together(groups: Sequence[Groups]) -> Groups:
    """Groups of several parts, one after the other."""
    def column(name: str) -> Any:
        return np.concatenate([getattr(own, name) for own in groups])
    families = sums(np.array([int(own.family.max(initial=-1)) + 1 for own in groups], np.int64))
    family = np.concatenate([own.family + before for own, before in zip(groups, families, strict=False)])
    ranges = TokenRanges(*(np.concatenate([getattr(own.ranges, field.name) for own in groups])
                           for field in dataclasses.fields(TokenRanges)))
    parts = Spans(np.concatenate([own.parts.part_start for own in groups]),
                  np.concatenate([own.parts.part_end for own in groups]), _edges([own.parts.first for own in groups]))
    return Groups(_edges([own.first for own in groups]), column("lead"), column("kind"), family, column("linked"),
                  column("cut"), ranges, column("page"), column("jaccard"), column("containment"), parts)


def _ordered(groups: Groups) -> Groups:
    """Groups by their first occurrence, longer ones first."""
    leads = groups.first[:-1]
    rank = np.lexsort((-groups.ranges.t1[leads], groups.ranges.t0[leads]))
    rows, first = kernel.take_ranges(groups.first, rank)
    return Groups(first, groups.lead[rank], groups.kind[rank], groups.family[rank], groups.linked[rank], groups.cut[rank],
                  groups.ranges.take(rows), groups.page[rows], groups.jaccard[rows], groups.containment[rows],
                  groups.parts.take(rows))


def fetch_texts(cluster: Cluster, held: Held[Portion], corpus: Corpus, numbering: Numbering, wanted: Flags,
                counted: bool) -> tuple[Corpus, F64 | None]:
    """The corpus with the texts of some pages where they belong; the others are holes in a file, which nobody looks at.

    Args:
        counted: Where texts are missing, how much each page repeats itself must be counted where it lies.

    Returns:
        Also those counts, as ``annotate.repetition_of`` gives them.
    """
    text = Filed(int(corpus.page_start[-1]), np.uint8)
    repetition = np.zeros((len(corpus.pages), len(REPETITION))) if counted else None
    asked = cluster.share((numbering, wanted))
    for number, (page, texts, counts) in enumerate(held.map(partial(send_texts, asked=asked, counted=counted))):
        if repetition is not None:
            repetition[numbering.numbers(number)] = counts
        at = 0
        for begin, end in _runs(page):
            size = int(corpus.page_start[end] - corpus.page_start[begin])
            text.write(int(corpus.page_start[begin]), texts[at:at + size])
            at += size
    return replace(corpus, text=text.values), repetition


def send_texts(number: int, portion: Portion, asked: Shared[tuple[Numbering, Flags]], counted: bool) -> tuple[I64, U8, F64]:
    """The texts of a portion's pages that are wanted, one after the other, and the numbers of the pages."""
    numbering, wanted = asked.value
    page = numbering.of(number, portion)
    rows = np.flatnonzero(wanted[page])
    corpus = portion.whole if counted or len(rows) else portion.corpus
    return page[rows], page_texts(corpus, rows), repetition_of(LocalEngine(1), corpus, slice(0, len(page) if counted else 0))


def _runs(numbers: I64) -> list[tuple[int, int]]:
    """Ranges of consecutive numbers, half-open."""
    if not len(numbers):
        return []
    begins = np.flatnonzero(np.append(True, np.diff(numbers) != 1))
    ends = np.append(begins[1:], len(numbers)) - 1
    return list(zip(numbers[begins].tolist(), (numbers[ends] + 1).tolist(), strict=True))


def _edges(firsts: Sequence[I64]) -> I64:
    """Edges of ranges of several tables as those of one."""
    return sums(np.concatenate([np.diff(first) for first in firsts]))


def _concatenated(columns: Sequence[npt.NDArray[A]], kind: type[A]) -> npt.NDArray[A]:
    return np.concatenate([np.empty(0, kind), *columns])
