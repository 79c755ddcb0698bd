"""Composes the stages."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dedup.align import GRAMS, LEAST_ORDER, LETTERS, NOTHING, TRIPLES, Aligned, Gates, align_passages
from dedup.align import in_scope as aligned_in_scope
from dedup.bags import letter_bags, word_bags
from dedup.blocks import Corpus, Distinct, Tokens, collapse_equal, read_corpus
from dedup.engines.local import LocalEngine
from dedup.exact_join import pair_exhaustively
from dedup.explain import LOOSER, Judge, judge_blocks, judge_pages, judge_scope, judge_short
from dedup.findings import Findings
from dedup.groups import group_passages
from dedup.kernel import kernel
from dedup.lsh import pair_by_lsh
from dedup.model import Page
from dedup.one_list import fitted, not_cut_through, together
from dedup.options import Options
from dedup.runs import (
    MAX_EDIT,
    Links,
    Passages,
    concatenated,
    in_scope,
    join_runs,
    near_links,
    repeat_links,
    scoped_repeats,
    without_contained,
)
from dedup.seeds import Repeats, find_repeats
from dedup.shingles import ShortSets, shingle_blocks, short_shingles
from dedup.stem import Stem, load_stemmer

I64 = npt.NDArray[np.int64]
log = logging.getLogger("dedup")


class Stages:
    """Names the stage that runs, and times it."""

    def __init__(self, progress: Callable[[str], None] | None = None) -> None:
        self.progress, self.seconds = progress, dict[str, float]()
        self._name, self._since = "", time.perf_counter()
        self.unplaced = 0  # comparisons that a bound cut short

    def start(self, name: str) -> None:
        """The stage before ends, the next begins."""
        self.stop()
        kernel.release_memory()
        self._name = name
        if self.progress is not None:
            self.progress(name)

    def stop(self) -> None:
        """The last stage ends."""
        now = time.perf_counter()
        if self._name:
            self.seconds[self._name] = self.seconds.get(self._name, 0.0) + now - self._since
            log.debug("%s: %.3f s", self._name, now - self._since)
        self._name, self._since = "", now


def find_duplicates(pages: Iterable[Page], options: Options, stages: Stages,
                    is_comparison: bool = False, judge: Judge | None = None) -> tuple[Findings, str]:
    """All that stands more than once in the pages, and a digest of what was read.

    Args:
        is_comparison: The pages are two that are known to be related.
        judge: Takes down what the gates stop; it changes nothing in what is found.

    Raises:
        OptionError: ``stem`` names no language that the stemmer knows, or there is no stemmer.
    """
    stem = load_stemmer(options.stem) if options.stem is not None else None
    with LocalEngine(options.threads, options.partitions) as engine:
        stages.start("read")
        corpus, tokens, digest = read_corpus(pages, engine, options)
        if options.unit == "page":
            passages, repeats, aligned = compare_pages(engine, corpus, options, stages, judge), None, NOTHING
        else:
            passages, repeats, aligned = compare_blocks(engine, corpus, tokens, options, stages, stem, is_comparison, judge)
        del tokens
        stages.start("groups")
        groups = group_passages(engine, corpus, passages, repeats, options.least_jaccard, options.shingle_tokens)
    findings = Findings(corpus, groups, passages, options, truncated=stages.unplaced > 0, aligned=aligned)
    findings = filtered(findings, judge)
    stages.stop()
    return findings, digest


def compare_blocks(engine: LocalEngine, corpus: Corpus, tokens: Tokens, options: Options,
                   stages: Stages, stem: Stem | None, is_comparison: bool,
                   judge: Judge | None = None) -> tuple[Passages, Repeats, Aligned]:
    """Verified passages, repeats that stand in many places, and which of the passages were aligned."""
    stages.start("exact runs")
    repeats = find_repeats(engine, corpus, tokens, options.gram_tokens, options.min_tokens)
    links = repeat_links(repeats)
    if options.find != "exact":
        stages.start("near blocks")
        distinct = collapse_equal(corpus, np.flatnonzero(corpus.halves >= 2 * options.min_tokens))
        a, b = near_pairs(engine, corpus, distinct, options, stages)
        links = concatenated(links, without_contained(corpus, near_links(corpus, distinct, a, b), links))
        if judge is not None:
            judge_blocks(engine, corpus, distinct, a, b, options, judge)
        del distinct, a, b
    if judge is not None:
        judge_short(corpus, options.min_tokens, judge)
        judge_scope(corpus, links, options.scope, judge)
    stages.start("join")
    max_edit = 0 if options.find == "exact" else MAX_EDIT
    passages = join_runs(engine, corpus, in_scope(corpus, links, options.scope), options.min_tokens, max_edit)
    del links
    aligned = NOTHING
    if options.find != "exact":
        stages.start("edited passages")
        passages, aligned = with_aligned(engine, corpus, passages, repeats, options, stages, stem, is_comparison, judge)
    if judge is not None and options.find in LOOSER:
        more = replace(options, find=LOOSER[options.find])
        found = with_aligned(engine, corpus, passages, repeats, more, stages, stem, is_comparison, judge)[1]
        judge.stop(found.links, "find")
    return passages, scoped_repeats(engine, corpus, repeats, options.scope, options.min_tokens), aligned


def with_aligned(engine: LocalEngine, corpus: Corpus, passages: Passages, repeats: Repeats, options: Options, stages: Stages,
                 stem: Stem | None, is_comparison: bool, judge: Judge | None = None) -> tuple[Passages, Aligned]:
    """The passages and those of edited text, as one list."""
    scanned = options.noise == "ocr"
    bags = letter_bags(engine, corpus) if scanned else word_bags(engine, corpus, stem)
    kinds = (LETTERS if scanned else GRAMS, *([TRIPLES] if options.find == "reworded" else []))
    gates = Gates(options.min_evidence, options.min_dice, options.min_tokens)
    aligned = align_passages(engine, corpus, bags, repeats, kinds, options.max_places, gates,
                             is_comparison and options.find == "reworded", judge)
    if aligned.truncated:
        stages.unplaced += aligned.truncated
        log.warning("too many places share seeds of edited passages; pairs of the most frequent seeds were left out")
    if judge is not None:
        judge.bags = bags
        judge_scope(corpus, aligned.links, options.scope, judge)
    aligned, kept = aligned_in_scope(corpus, aligned, options.scope), not_cut_through(corpus, passages.whole)
    aligned, kept = fitted(engine, corpus, bags, passages.whole, kept, aligned, repeats, options.min_tokens,
                           LEAST_ORDER[kinds[-1]], judge)
    del bags
    return together(passages, kept, aligned), aligned


def compare_pages(engine: LocalEngine, corpus: Corpus, options: Options, stages: Stages,
                  judge: Judge | None = None) -> Passages:
    """Verified pairs of whole pages; equal pages are linked to their first one only."""
    stages.start("near pages")
    distinct = collapse_equal(corpus, np.flatnonzero(corpus.halves >= 2 * options.min_tokens))
    first, equal_a = corpus.token_first, np.repeat(distinct.block, np.diff(distinct.first))
    copies = equal_a != distinct.member
    a, b = equal_a[copies], distinct.member[copies]
    links = Links(first[a], first[a + 1], first[b], first[b + 1], np.ones(len(a), np.uint8))
    if options.find != "exact":
        a, b = (distinct.block[side] for side in near_pairs(engine, corpus, distinct, options, stages))
        links = concatenated(links, Links(first[a], first[a + 1], first[b], first[b + 1], np.zeros(len(a), np.uint8)))
    if judge is not None:
        judge_pages(engine, corpus, links, options, judge)
    order = np.lexsort((links.b0, links.a0))
    links = Links(*(getattr(links, name)[order] for name in ("a0", "a1", "b0", "b1", "exact")))
    return Passages(links, np.arange(len(links.a0) + 1), links)


def near_pairs(engine: LocalEngine, corpus: Corpus, distinct: Distinct, options: Options,
               stages: Stages) -> tuple[I64, I64]:
    """Pairs of distinct blocks whose Jaccard similarity reaches the threshold."""
    size, threshold = options.shingle_tokens, options.least_jaccard
    if options.exhaustive:
        return pair_exhaustively(shingle_blocks(engine, corpus, distinct.block, size), threshold)
    short = short_shingles(engine, corpus, distinct.block, size)
    a, b, unplaced = pair_by_lsh(engine, short, threshold, options.seed)
    if unplaced:
        stages.unplaced += unplaced
        log.warning("%d comparisons in crowded buckets were cut short; exhaustive misses nothing", unplaced)
    return verified(engine, corpus, distinct.block, short, a, b, size, threshold)


def verified(engine: LocalEngine, corpus: Corpus, block: I64, short: ShortSets, a: I64, b: I64, size: int,
             threshold: float) -> tuple[I64, I64]:
    """Pairs whose full shingle sets reach the threshold.

    Half hashes may collide: a pair so close to the threshold that a collision would decide is checked again.
    """
    overlap = short.overlaps(a, b)
    sizes = np.diff(short.first)
    close = np.flatnonzero((overlap - 1) / (sizes[a] + sizes[b] - overlap + 1) < threshold)
    involved, rows = np.unique(np.concatenate([a[close], b[close]]), return_inverse=True)
    sets = shingle_blocks(engine, corpus, block[involved], size)
    alike = np.ones(len(a), bool)
    alike[close] = sets.jaccard(rows[:len(close)], rows[len(close):]) >= threshold
    return a[alike], b[alike]


def filtered(findings: Findings, judge: Judge | None = None) -> Findings:
    """Without what the filters hide: ``min_chars`` and ``min_similarity``."""
    options, table = findings.options, findings.table
    if not options.min_chars and not options.min_similarity:
        return findings
    places = findings.places
    kept = np.ones(len(table), bool)
    for g in range(len(table)):
        row = int(table.representative[g])
        start, end = places.chars(row)
        kept[g] = end - start >= options.min_chars and (
            not options.min_similarity or min(m.similarity for m in findings.similarities(g)) >= options.min_similarity)
    pairs = np.ones(len(findings.pairs), bool)
    for i, pair in enumerate(findings.pairs):
        length = max(pair.a.end - pair.a.start, pair.b.end - pair.b.start)
        pairs[i] = pair.similarity >= options.min_similarity and length >= options.min_chars
        if judge is not None and not pairs[i]:
            link = findings.passages.whole.take(np.array([i]))
            if length < options.min_chars:
                judge.stop(link, "min_chars", length, options.min_chars)
            else:
                judge.stop(link, "min_similarity", pair.similarity, options.min_similarity)
    return Findings(findings.corpus, table.take(kept), findings.passages.take(pairs), options, findings.truncated,
                    findings.aligned)
