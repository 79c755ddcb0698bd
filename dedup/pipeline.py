"""Composes the stages. What only some scans need is loaded when it is needed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.aligned import NOTHING, Aligned
from dedup.blocks import input_digest, read_corpus
from dedup.checkpoint import NOTHING_KEPT, Checkpoint, data_digest
from dedup.columns import last_up_to, owners, rows_of
from dedup.corpus import Corpus, Tokens
from dedup.engines.local import Done, LocalEngine
from dedup.equal_blocks import Distinct
from dedup.findings import Findings
from dedup.groups import Groups, group_passages, no_groups
from dedup.lsh import LSH, BandKeys, Overlapping, with_partners, without_led
from dedup.model import Page
from dedup.options import Options, memory_bytes
from dedup.order import order_of
from dedup.page_pairs import PagePairs, page_pairs
from dedup.runs import (
    MAX_EDIT,
    Passages,
    block_links,
    concatenated,
    contained_blocks,
    join_runs,
    near_links,
    no_links,
    repeat_links,
    segments_that_count,
    that_count,
    without_contained,
)
from dedup.seeds import Repeats, find_repeats
from dedup.shingles import shingle_blocks
from dedup.stages import Stages
from dedup.surveyor import Surveyor

if TYPE_CHECKING:
    from dedup.explain import Judge
    from dedup.stem import Stem

I64 = npt.NDArray[np.int64]
PAIRS_TOGETHER = 1 << 20  # of near sets, verified at a time
MakeSurveyor = Callable[[LocalEngine, Corpus, Options, Tokens, BandKeys | None], Surveyor]
log = logging.getLogger("dedup")


def find_duplicates(pages: Iterable[Page], options: Options, stages: Stages,
                    is_comparison: bool = False, judge: Judge | None = None,
                    checkpoint: Checkpoint = NOTHING_KEPT, make_surveyor: MakeSurveyor = Surveyor,
                    digest_later: bool = False) -> tuple[Findings, str]:
    """All that stands more than once in the pages, and a digest of what was read.

    Args:
        is_comparison: The pages are two that are known to be related.
        judge: Takes down what the gates stop; it changes nothing in what is found.
        checkpoint: What stages made in a scan before, and where it is kept what they make now.
        make_surveyor: Makes the surveyor of the collection.
        digest_later: The digest is left empty, unless those of the texts are known.

    Raises:
        OptionError: ``stem`` names no language that the stemmer knows, or there is no stemmer.
    """
    stem: Stem | None = None
    if options.stem is not None:
        from dedup.stem import load_stemmer

        stem = load_stemmer(options.stem)
    memory = memory_bytes(options.memory) if options.memory is not None else None
    with LocalEngine(options.threads, options.partitions, memory) as engine:
        stages.start("read")
        sketched = options.unit == "page" and options.find != "exact" and not options.exhaustive
        lsh = LSH.for_threshold(options.least_jaccard) if sketched else None
        corpus, tokens = read_corpus(pages, engine, options, stages.read if stages.watchers else None,
                                     (lsh.bands, lsh.rows) if lsh is not None else None)
        engine.has_read(int(corpus.page_start[-1]))
        stages.rows(len(corpus.pages), "pages", int(corpus.token_first[-1]), "tokens")
        corpus.pages.fields = getattr(pages, "fields", ())
        pairs = page_pairs(corpus.pages, corpus.references, options, corpus.pages.fields)
        digest = ""
        if checkpoint.is_kept:
            digest = input_digest(engine, corpus, tokens.digests)
            checkpoint.begin(data_digest(digest, corpus, pairs), options)
        keys = BandKeys(lsh.bands, tokens.page, tokens.bands) if lsh is not None else None
        digest_later = digest_later and not any(map(len, tokens.digests))

        def digested() -> None:
            nonlocal digest
            digest = digest or input_digest(engine, corpus, tokens.digests)
        surveyor = make_surveyor(engine, corpus, options, tokens, keys)
        passages, groups, aligned = find_in(engine, corpus, surveyor, pairs, options, stages, is_comparison, stem, judge,
                                            checkpoint, None if digest_later else digested)
    findings = Findings(corpus, groups, passages, pairs, options, truncated=stages.unplaced > 0, aligned=aligned)
    return filtered(findings, judge), digest


def find_in(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, pairs: PagePairs, options: Options,
            stages: Stages, is_comparison: bool = False, stem: Stem | None = None, judge: Judge | None = None,
            checkpoint: Checkpoint = NOTHING_KEPT, meanwhile: Callable[[], None] | None = None,
            ) -> tuple[Passages, Groups, Aligned]:
    """Verified passages of a collection, the groups they make, and which of them were aligned.

    Args:
        surveyor: Of the collection; it is left without what it held.
        meanwhile: Is done beside what one thread does.
    """
    finding: Future[Repeats] | Done[Repeats] | None = None
    if options.unit != "page":
        stages.start("exact runs")
        known: Repeats | None = checkpoint.take("exact runs")
        finding = (find_repeats(engine, corpus, surveyor, options.gram_tokens, options.min_tokens) if known is None
                   else Done(known))
    if meanwhile is not None:
        meanwhile()
    surveyor.forget_tokens()
    repeats: list[Repeats]
    if finding is None:
        compared = partial(compare_pages, engine, corpus, surveyor, pairs, options, stages, judge)
        passages, repeats, aligned = checkpoint.made("near pages", compared), [], NOTHING
    else:
        passages, repeats, aligned = compare_blocks(engine, corpus, surveyor, finding, pairs, options, stages, stem,
                                                    is_comparison, judge, checkpoint)
    surveyor.forget_keys()
    stages.start("groups")
    groups = checkpoint.made("groups", partial(group_passages, engine, corpus, passages, repeats, pairs,
                                               options.least_jaccard, options.shingle_tokens))
    stages.rows(len(passages.whole.a0), "passages", len(groups), "groups")
    return passages, groups, aligned


def nothing_found(corpus: Corpus, options: Options) -> Findings:
    """What ``find_duplicates`` finds in pages that are known to share nothing."""
    none, pairs = no_links(), page_pairs(corpus.pages, corpus.references, options)
    return Findings(corpus, no_groups(), Passages(none, np.zeros(1, np.int64), none), pairs, options, aligned=NOTHING)


def compare_blocks(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, finding: Future[Repeats] | Done[Repeats],
                   pairs: PagePairs, options: Options, stages: Stages, stem: Stem | None, is_comparison: bool,
                   judge: Judge | None = None, checkpoint: Checkpoint = NOTHING_KEPT,
                   ) -> tuple[Passages, list[Repeats], Aligned]:
    """Verified passages, repeats that stand in many places (one), and which of the passages were aligned.

    Args:
        finding: Of ``find_repeats``, which may be under way.
    """
    asked = options.find != "exact" and surveyor.has_near and not checkpoint.is_kept
    blocks = [surveyor.distinct()] if asked else []
    repeats = finding.result()  # before more memory is needed
    checkpoint.keep("exact runs", repeats)
    edited: tuple[Passages, Aligned] | None = checkpoint.take("edited passages") if options.find != "exact" else None
    if edited is None:
        join = partial(joined_links, engine, corpus, surveyor, repeats, blocks, pairs, options, stages, judge, checkpoint)
        passages = checkpoint.made("join", join)
        aligned = NOTHING
        if options.find != "exact":
            stages.start("edited passages")
            before = len(passages.whole.a0)
            passages, aligned = with_aligned(engine, corpus, surveyor, passages, repeats, pairs, options, stages, stem,
                                             is_comparison, judge, checkpoint)
            stages.rows(before, "passages", len(passages.whole.a0), "with edited ones")
            checkpoint.keep("edited passages", (passages, aligned))
    else:
        passages, aligned = edited
    if judge is not None:
        from dedup.explain import LOOSER

        if options.find in LOOSER:
            more = replace(options, find=LOOSER[options.find])
            found = with_aligned(engine, corpus, surveyor, passages, repeats, pairs, more, stages, stem, is_comparison, judge)
            judge.stop(found[1].links, "find")
    surveyor.look_around(repeats.position[repeats.first[:-1]])
    segments = segments_that_count(engine, corpus, repeats, pairs, options.min_tokens)
    if options.find != "exact" and len(segments.lengths):
        from dedup.one_list import segments_beside

        segments = segments_beside(corpus, segments, passages)
    surveyor.look_around(segments.position)
    return passages, [segments], aligned


def joined_links(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, repeats: Repeats, blocks: list[Distinct],
                 pairs: PagePairs, options: Options, stages: Stages, judge: Judge | None = None,
                 checkpoint: Checkpoint = NOTHING_KEPT) -> Passages:
    """Exact runs and near blocks, those between the same two places joined.

    Args:
        blocks: Of ``surveyor.distinct``, where that is known. The list is empty afterwards.
    """
    links = that_count(corpus, repeat_links(repeats), pairs)
    stages.rows(int(corpus.token_first[-1]), "tokens", len(links.a0), "links")
    if options.find != "exact" and surveyor.has_near:
        stages.start("near blocks")
        distinct = blocks.pop() if blocks else surveyor.distinct()
        contained = engine.begin(partial(contained_blocks, corpus, distinct, links))
        a, b = checkpoint.made("near blocks", partial(near_pairs, engine, corpus, surveyor, distinct, pairs, options, stages))
        stages.rows(len(distinct.block), "distinct blocks", len(a), "pairs")
        alike = without_contained(engine, corpus, near_links(corpus, distinct, a, b, pairs), contained.result())
        links = concatenated(links, alike) if len(alike.a0) else links
        if judge is not None:
            from dedup.explain import judge_blocks, judge_scope

            judge_blocks(engine, corpus, distinct, a, b, pairs, options, judge)
            every = contained_blocks(corpus, distinct, repeat_links(repeats))
            near = without_contained(engine, corpus, near_links(corpus, distinct, a, b, PagePairs()), every)
            judge_scope(corpus, near, pairs, options, judge)
            del near, every
        del distinct, contained, a, b
    if judge is not None:
        from dedup.explain import judge_scope, judge_short

        judge_short(corpus, pairs, options.min_tokens, judge)
        judge_scope(corpus, repeat_links(repeats), pairs, options, judge)
    stages.start("join")
    surveyor.look_around(links.a0, links.b0)
    max_edit = 0 if options.find == "exact" else MAX_EDIT
    passages = join_runs(engine, corpus, links, options.min_tokens, max_edit)
    stages.rows(len(links.a0), "links", len(passages.whole.a0), "passages")
    return passages


def with_aligned(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, passages: Passages, repeats: Repeats,
                 pairs: PagePairs, options: Options, stages: Stages, stem: Stem | None, is_comparison: bool,
                 judge: Judge | None = None, checkpoint: Checkpoint = NOTHING_KEPT) -> tuple[Passages, Aligned]:
    """The passages and those of edited text, as one list."""
    from dedup.align import LEAST_ORDER, LEAST_WHOLE, ORDER_INSIDE, Gates, align_passages
    from dedup.along_copies import along_copies
    from dedup.anchors import GRAMS, LETTERS, TRIPLES
    from dedup.families import page_families
    from dedup.headed import headed_aligned, headed_passages, without_labels
    from dedup.one_list import fitted, not_cut_through, together

    scanned = options.noise == "ocr"
    bags = surveyor.letter_bags() if scanned else surveyor.word_bags(stem)
    kinds = (LETTERS if scanned else GRAMS, *([TRIPLES] if options.find == "reworded" else []))
    whole = LEAST_WHOLE[kinds[0]] if stem is None else 0.0  # words of one stem are equal
    order = LEAST_ORDER[kinds[-1]]
    gates = Gates(options.min_evidence, options.min_dice, options.min_tokens, order, max(order, ORDER_INSIDE), whole)
    all_windows = is_comparison and options.find == "reworded"
    families = page_families(engine, corpus, passages.whole, options.shingle_tokens)
    aligned = align_passages(engine, corpus, surveyor, bags, repeats, pairs, kinds, options.max_places, gates, all_windows,
                             families, judge, checkpoint)
    if aligned.truncated:
        stages.unplaced += aligned.truncated
        log.warning("too many places share seeds of edited passages; pairs of the most frequent seeds were left out")
    if judge is not None:
        judge.bags = bags
        if not pairs.every:
            from dedup.explain import judge_scope

            every = align_passages(engine, corpus, surveyor, bags, repeats, PagePairs(), kinds, options.max_places, gates,
                                   all_windows, families)
            judge_scope(corpus, every.links, pairs, options, judge)
    aligned = along_copies(corpus, bags, repeats, pairs, aligned, gates)
    surveyor.look_around(aligned.links.a0, aligned.links.b0)
    aligned, kept = fitted(engine, corpus, bags, passages, not_cut_through(corpus, passages), aligned, repeats, gates,
                           judge)
    aligned = without_labels(corpus, bags, headed_aligned(corpus, bags, aligned))
    del bags
    return headed_passages(corpus, together(passages, kept, aligned)), aligned


def compare_pages(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, pairs: PagePairs, options: Options,
                  stages: Stages, judge: Judge | None = None) -> Passages:
    """Verified pairs of whole pages; equal pages are linked to the first one that they may pair with."""
    stages.start("near pages")
    distinct = surveyor.distinct()
    owner = owners(distinct.first)
    partner = pairs.partners(owner, corpus.block_page[distinct.member])
    copies = rows_of((partner >= 0) & (partner != np.arange(len(partner))))
    links = block_links(corpus, distinct.member[copies], distinct.member[partner[copies]], exact=True)
    if options.find != "exact":
        a, b = near_pairs(engine, corpus, surveyor, distinct, pairs, options, stages)
        stages.rows(len(distinct.block), "distinct pages", len(a), "pairs")
        links = concatenated(links, block_links(corpus, distinct.block[a], distinct.block[b], exact=False) if pairs.every
                             else near_links(corpus, distinct, a, b, pairs))
    if judge is not None:
        from dedup.explain import judge_pages

        judge_pages(engine, corpus, links, pairs, options, judge)
    links = links.take(by_places(links.a0, links.b0))
    surveyor.look_around(links.a0, links.b0)
    return Passages(links, np.arange(len(links.a0) + 1), links)


def by_places(a: I64, b: I64) -> I64:
    """The order of pairs of tokens by the first one, and then by the other one."""
    if int(b.max(initial=0)) < 2**32 > int(a.max(initial=0)):
        return order_of((a << 32 | b).view(np.uint64))
    return np.lexsort((b, a))  # whole pages that are compared on many machines may have more


def near_pairs(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, distinct: Distinct, pairs: PagePairs,
               options: Options, stages: Stages) -> tuple[I64, I64]:
    """Pairs of distinct blocks whose Jaccard similarity reaches the threshold."""
    size, threshold = options.shingle_tokens, options.least_jaccard
    if options.exhaustive:
        from dedup.exact_join import pair_exhaustively

        surveyor.look_at(last_up_to(corpus.page_first, distinct.block))
        return pair_exhaustively(shingle_blocks(engine, corpus, distinct.block, size), threshold)
    found = surveyor.candidates(distinct.block)
    if found.unplaced:
        stages.unplaced += found.unplaced
        log.warning("crowded buckets: comparisons cut short: %d; exhaustive misses nothing", found.unplaced)
    a, b = without_led(engine, found.sets, found.a, found.b, threshold) if pairs.every else (found.a, found.b)

    def alike(a: I64, b: I64) -> tuple[I64, I64]:
        return verified(engine, corpus, surveyor, distinct.block, found.sets, a, b, size, threshold)
    a, b = alike(a, b)
    if pairs.every:
        return a, b
    return with_partners(a, b, distinct.first, corpus.block_page[distinct.member], pairs, alike)


def verified(engine: LocalEngine, corpus: Corpus, surveyor: Surveyor, block: I64, short: Overlapping, a: I64, b: I64,
             size: int, threshold: float) -> tuple[I64, I64]:
    """Pairs whose full shingle sets reach the threshold.

    Half hashes may collide: a pair so close to the threshold that a collision would decide is checked again.
    """
    sizes, reach, close = short.sizes, np.empty(len(a), bool), np.empty(len(a), bool)
    for at in range(0, len(a), PAIRS_TOGETHER):  # columns of all pairs would be the most that is in memory
        some = slice(at, at + PAIRS_TOGETHER)
        overlap = short.overlaps(engine, a[some], b[some])
        union = sizes[a[some]] + sizes[b[some]] - overlap
        reach[some] = overlap / np.maximum(union, 1) >= threshold
        close[some] = (overlap - 1) / (union + 1) < threshold
    a, b, close = a[reach], b[reach], rows_of(close[reach])
    if not len(close):
        return a, b
    is_involved = np.zeros(len(block), bool)
    for side in (a, b):
        is_involved[side[close]] = True
    involved, row = rows_of(is_involved), np.cumsum(is_involved) - 1
    surveyor.look_at(last_up_to(corpus.page_first, block[involved]))
    sets = shingle_blocks(engine, corpus, block[involved], size)
    alike = np.ones(len(a), bool)
    for at in range(0, len(close), PAIRS_TOGETHER):
        asked = close[at:at + PAIRS_TOGETHER]
        x, y = row[a[asked]], row[b[asked]]
        overlap = sets.overlaps(engine, x, y)
        alike[asked] = overlap / np.maximum(sets.sizes[x] + sets.sizes[y] - overlap, 1) >= threshold
    return a[alike], b[alike]


def filtered(findings: Findings, judge: Judge | None = None) -> Findings:
    """Without what the filters hide: ``min_chars`` and ``min_similarity``."""
    options, table = findings.options, findings.table
    if not options.min_chars and not options.min_similarity:
        return findings
    start, end = findings.places.all_chars
    chars, measured = end - start, None
    if options.min_similarity and len(table):
        measured = findings.all_measures()
        alike = measured.similarity >= options.min_similarity
        chars[~alike] = 0
    # A group is as long as the longest of its places, as a link is, whichever comes first.
    kept = np.maximum.reduceat(chars, table.first[:-1]) >= options.min_chars
    if measured is not None:
        table = table.only(alike & kept[table.owner], measured.indel == 1.0)
        counted = findings.pairs_that_count.partners(table.owner, table.page) >= 0
        kept = np.bincount(table.owner[counted], minlength=len(table)) > 0
    from dedup.pair_list import likeness

    links, length = findings.passages.whole, findings.links.chars
    similarity = likeness(findings.pairs)[0] if options.min_similarity else np.ones(len(length))
    short, unlike = length < options.min_chars, similarity < options.min_similarity
    if judge is not None:
        judge.stop(links.take(short), "min_chars", length[short].astype(np.float64), options.min_chars)
        judge.stop(links.take(unlike & ~short), "min_similarity", similarity[unlike & ~short], options.min_similarity)
    pairs = ~(short | unlike)
    return Findings(findings.corpus, table.take(kept), findings.passages.take(pairs), findings.pairs_that_count, options,
                    findings.truncated, findings.aligned, findings.repetition)
