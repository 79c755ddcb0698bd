"""A scan on a cluster: what it holds is read and measured there, and the stages of one machine run over it.

Whole pages that share something meet in parts, and all stages run on each part. Of blocks the columns that are made of all
text are made where it lies, and the stages run here. The rows are those of one machine.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from dedup.aligned import NOTHING, Aligned
from dedup.blocks import digest_of, tell_apart
from dedup.cleaning.plan import word_digests
from dedup.columns import sums
from dedup.corpus import Corpus, token_flags
from dedup.distributed.buckets import share_of
from dedup.distributed.corpora import joined, take_pages
from dedup.distributed.driver import DriverEngine
from dedup.distributed.keys import key_bytes, keys_by_part, links_of_keys, page_keys
from dedup.distributed.parts import Found, Plan, Shift, find_in_part, send_pages
from dedup.distributed.portions import Numbering, Portion
from dedup.distributed.surveyor import SpreadSurveyor
from dedup.distributed.texts import Texts
from dedup.engines.cluster import Cluster, Held, Shared
from dedup.errors import InputError
from dedup.findings import Findings
from dedup.groups import Groups, no_groups
from dedup.kernel import kernel
from dedup.model import ReadError, Skipped
from dedup.options import Options, memory_bytes
from dedup.page_pairs import PagePairs, page_pairs
from dedup.pipeline import filtered, find_in
from dedup.places import TokenRanges, page_of
from dedup.readers.naming import Naming
from dedup.readers.notes import Notes, Recorded, skipped_by, tell_all
from dedup.runs import Passages, block_links, concatenated
from dedup.stages import Stages
from dedup.stem import load_stemmer
from dedup.verify import Spans

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]
A = TypeVar("A", bound=np.generic)

PART_BYTES, KEYED_BYTES = 1 << 25, 1 << 25  # of text in a part, and of which the grams meet in one, about
KEY_BYTES = 1 << 23  # of the keys of pages that meet in one part, about
MOST_TEXT = 1 << 32  # bytes of text that all come to who asked; of more, that of what was found
MOST_READ = 1 << 34  # bytes of text that who asked may read again, and so need not have
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
            several_roots: Sequence[bool] = (), ordered: bool = True,
            read_again: Callable[[int], Portion] | None = None) -> tuple[Findings, str, Read]:
    """All that stands more than once in the portions' pages, a digest of the input, and what was said while it was read.

    Args:
        notes: What was said before the portions were read; where there are references, theirs come first.
        several_roots: Whether more than one place was named, of each of the notes' sides.
        ordered: The pages are in the order of the portions; else in that of their ids, those of one id in that of their
            texts' digests.
        read_again: Reads a portion here, where that can be done.
    """
    stages.start("read")
    heard = list(held.map(hear))
    corpus, numbering, digests = together(heard, notes, options, ordered)
    read = named(corpus, notes, several_roots)
    digest = digest_of(corpus.pages.ids, digests, corpus.references)
    stages.rows(len(corpus.pages), "pages", int(corpus.token_first[-1]), "tokens")
    pairs = page_pairs(corpus.pages, corpus.references, options, read.fields)
    corpus.pages.fields = read.fields
    size = int(corpus.page_start[-1])  # of blocks, something is found in most pages: their texts come
    again = read_again if options.unit == "page" and size <= MOST_READ else None
    texts = Texts(cluster, held, corpus, numbering, options.with_text or (again is None and size <= MOST_TEXT))
    if options.unit == "page":
        passages, groups, aligned = find_in_pages(cluster, held, texts, numbering, pairs, options, stages, digests)
    else:
        passages, groups, aligned = find_here(cluster, held, texts, numbering, pairs, options, stages)
    stages.start("texts")
    wanted = pages_looked_at(texts.corpus, numbering, heard, groups, passages)
    texts.bring(wanted, counted=again is None)
    stages.rows(len(corpus.pages), "pages", len(texts), "texts")
    findings = Findings(texts.corpus, groups, passages, pairs, options, truncated=stages.unplaced > 0, aligned=aligned,
                        repetition=texts.repetition(again, options.threads))
    return filtered(findings), digest, read


def find_in_pages(cluster: Cluster, held: Held[Portion], texts: Texts, numbering: Numbering, pairs: PagePairs,
                  options: Options, stages: Stages, digests: U64) -> tuple[Passages, Groups, Aligned]:
    """What whole pages have in common, found in parts; of those of which one task would have too many, here.

    Args:
        digests: Of the texts of pages.
    """
    corpus = texts.corpus
    stages.start("pages that share something")
    part, parts, large = plan_parts(cluster, held, corpus, numbering, options, digests)
    stages.rows(len(corpus.pages), "pages", int((part >= 0).sum()), f"in {parts} parts")
    stages.start("parts")
    plan = cluster.share(Plan(numbering, part, pairs, corpus.references, corpus.flags, options))
    found = list(held.exchange(partial(send_pages, plan=plan), parts, partial(find_in_part, plan=plan))) if parts else []
    stages.unplaced += sum(own.unplaced for own in found)
    if stages.unplaced:
        log.warning("crowded buckets: comparisons cut short: %d; exhaustive misses nothing", stages.unplaced)
    results = [shifted(corpus, own) for own in found]
    if large.any():
        results.append(find_here(cluster, held, texts, numbering, pairs, options, stages, large))
    passages, groups, aligned = put_together(corpus, results)
    stages.rows(len(passages.whole.a0), "passages", len(groups), "groups")
    return passages, groups, aligned


def find_here(cluster: Cluster, held: Held[Portion], texts: Texts, numbering: Numbering, pairs: PagePairs, options: Options,
              stages: Stages, pages: Flags | None = None) -> tuple[Passages, Groups, Aligned]:
    """The stages run here, over columns that are made where the texts lie; some of their work runs there, too.

    Args:
        pages: Whole pages that are compared; ``None``: all blocks.
    """
    stem = load_stemmer(options.stem) if options.stem is not None else None
    memory = memory_bytes(options.memory) if options.memory is not None else None
    with DriverEngine(cluster, options.threads, options.partitions, memory) as engine:
        surveyor = SpreadSurveyor(engine, texts, options, cluster, held, numbering, _parts_of_blocks(texts.corpus, options),
                                  pages)
        return find_in(engine, texts.corpus, surveyor, pairs, options, stages, stem=stem)


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


def plan_parts(cluster: Cluster, held: Held[Portion], corpus: Corpus, numbering: Numbering, options: Options,
               digests: U64) -> tuple[I32, int, Flags]:
    """The part of each page, -1 of those in none, how many parts there are, and which pages hang together with too many."""
    if not len(corpus.pages):
        return np.empty(0, np.int32), 0, np.empty(0, bool)
    count = max(1, options.partitions or -(-key_bytes(corpus, options) // KEY_BYTES))
    where = cluster.share(numbering)
    links = list(held.exchange(partial(send_keys, numbering=where, options=options, parts=count), count, link_keys))
    one, other = (_concatenated([pair[side] for pair in links], np.int64) for side in (0, 1))
    component = kernel.components(len(corpus.pages), one, other)
    linked = np.zeros(len(corpus.pages), bool)
    linked[one] = linked[other] = True
    return _packed(component, linked, np.diff(corpus.page_start) * _first_of_text(digests), options)


def _first_of_text(digests: U64) -> Flags:
    """Which pages are the first ones with their texts: of equal ones a part gets one text."""
    order = np.lexsort((np.arange(len(digests)), digests[:, 1], digests[:, 0]))
    first = np.ones(len(digests), bool)
    first[order[1:]] = (digests[order[1:]] != digests[order[:-1]]).any(axis=1)
    return first


def _parts_of_blocks(corpus: Corpus, options: Options) -> int:
    """In how many parts the grams, and the keys, of blocks meet."""
    return max(1, options.partitions or int(corpus.page_start[-1]) // KEYED_BYTES)


def _packed(component: I64, linked: Flags, size: I64, options: Options) -> tuple[I32, int, Flags]:
    """Components in parts of about equal size, in the order of their first pages; those that are larger are in none."""
    part, large, rows = np.full(len(component), -1, np.int32), np.zeros(len(component), bool), np.flatnonzero(linked)
    roots, number = np.unique(component[rows], return_inverse=True)
    weight = np.bincount(number, size[rows], len(roots))
    most = max(weight.sum() / options.partitions, 1) if options.partitions else PART_BYTES
    too_large = weight > share_of(most, weight.sum())
    large[rows] = too_large[number]
    weight[too_large] = 0
    packed = ((np.cumsum(weight) - weight / 2) // most).astype(np.int64)
    kinds, packed[~too_large] = np.unique(packed[~too_large], return_inverse=True)
    part[rows] = np.where(too_large, -1, packed)[number]
    return part, len(kinds), large


def send_keys(number: int, portion: Portion, numbering: Shared[Numbering], options: Options,
              parts: int) -> Iterator[tuple[int, tuple[U64, U32]]]:
    """The keys of a portion's pages that go to each part, and the numbers of the pages."""
    keys, page = page_keys(portion, options)
    return keys_by_part(keys, numbering.value.of(number, portion)[page].astype(np.uint32), parts)


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


def shifted(corpus: Corpus, found: Found) -> tuple[Passages, Groups, Aligned]:
    """What a part found, in places of the whole."""
    shift = Shift.of(corpus, found.page)
    return shift.passages(found.passages), shift.groups(found.groups, corpus), shift.aligned(found.aligned)


def put_together(corpus: Corpus, results: Sequence[tuple[Passages, Groups, Aligned]]) -> tuple[Passages, Groups, Aligned]:
    """Several results in the order of one machine."""
    if not results:
        none = block_links(corpus, np.empty(0, np.int64), np.empty(0, np.int64), exact=True)
        return Passages(none, np.zeros(1, np.int64), none), no_groups(), NOTHING
    passages, groups, aligned = zip(*results, strict=True)
    whole = Passages(concatenated(*(own.whole for own in passages)), _edges([own.first for own in passages]),
                     concatenated(*(own.parts for own in passages)))
    order = np.lexsort((whole.whole.b0, whole.whole.a0))
    measured = Aligned(concatenated(*(own.links for own in aligned)), np.concatenate([own.dice for own in aligned]),
                       np.concatenate([own.evidence for own in aligned]), sum(own.truncated for own in aligned))
    return whole.in_order(order), _ordered(_groups_together(groups)), measured


def _groups_together(groups: Sequence[Groups]) -> Groups:
    """Groups of several parts, one after the other."""
    def column(name: str) -> Any:
        return np.concatenate([getattr(own, name) for own in groups])
    families = sums(np.array([int(own.family.max(initial=-1)) + 1 for own in groups], np.int64))
    family = np.concatenate([own.family + before for own, before in zip(groups, families, strict=False)])
    ranges = TokenRanges(*(np.concatenate([getattr(own.ranges, name) for own in groups])
                           for name in TokenRanges.__struct_fields__))
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


def _edges(firsts: Sequence[I64]) -> I64:
    """Edges of ranges of several tables as those of one."""
    return sums(np.concatenate([np.diff(first) for first in firsts]))


def _concatenated(columns: Sequence[npt.NDArray[A]], kind: type[A]) -> npt.NDArray[A]:
    return np.concatenate([np.empty(0, kind), *columns])
