"""The kernel's plain twin: the same functions, obvious and slower. It is the oracle of the tests, and it runs the
whole package where there is no compiler (or with ``DEDUP_KERNEL=reference``)."""

from __future__ import annotations

from dedup.kernel.twin_groups import implied_groups, merge_apart
from dedup.kernel.twin_json import json_records
from dedup.kernel.twin_lines import byte_offsets, code_points, line_numbers, split_lines
from dedup.kernel.twin_runs import blocks_of, exact_repeats, gram_classes, join_links, mark_grams, repeated_grams
from dedup.kernel.twin_sets import (
    band_columns,
    bucket_pairs,
    components,
    fss_sketches,
    prefix_join,
    range_digests,
    release_memory,
    set_bitmaps,
    set_overlaps,
    shingle_sets,
    short_overlaps,
    sketch_bands,
    stable_order,
)
from dedup.kernel.twin_tokens import (
    FOLD_ACCENTS,
    FOLD_DIGITS,
    count_tokens,
    equal_tokens,
    hash_tokens,
    normalise,
    short_sets,
    survey_tokens,
    token_edges,
    tokenise,
)

__all__ = [
    "FOLD_ACCENTS", "FOLD_DIGITS", "band_columns", "blocks_of", "bucket_pairs", "byte_offsets", "code_points", "components",
    "count_tokens", "equal_tokens", "exact_repeats", "fss_sketches", "gram_classes", "hash_tokens", "implied_groups",
    "join_links", "json_records", "line_numbers", "mark_grams", "merge_apart", "name", "normalise", "prefix_join",
    "range_digests", "release_memory", "repeated_grams", "set_bitmaps", "set_overlaps", "shingle_sets", "short_overlaps",
    "short_sets", "sketch_bands", "split_lines", "stable_order", "survey_tokens", "token_edges", "tokenise",
]  # fmt: skip

name = "reference"
