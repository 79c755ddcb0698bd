"""The kernel's plain twin: the same functions, obvious and slower. It is the oracle of the tests, and it runs the
whole package where there is no compiler (or with ``DEDUP_KERNEL=reference``)."""

from __future__ import annotations

from dedup.kernel.twin_align import align_pairs, measure_parts
from dedup.kernel.twin_copies import mark_ranges, range_buckets, with_copies
from dedup.kernel.twin_digests import byte_digests
from dedup.kernel.twin_grams import (
    blocks_of,
    class_runs,
    gram_classes,
    gram_rows,
    gram_runs,
    slots_seen_twice,
)
from dedup.kernel.twin_groups import heaviest, implied_groups, merge_apart, overlapping_nodes
from dedup.kernel.twin_html import html_blocks
from dedup.kernel.twin_json import json_records
from dedup.kernel.twin_letters import letter_items
from dedup.kernel.twin_lines import (
    authorities,
    byte_offsets,
    char_columns,
    code_points,
    cut_bytes,
    line_numbers,
    split_lines,
)
from dedup.kernel.twin_memory import (
    array_memory,
    limit_memory,
    memory_figures,
    memory_room,
    put,
    release_memory,
    relieve_memory,
    room,
    room_in_file,
    unlimit_memory,
)
from dedup.kernel.twin_packed import pack_texts, unpack_texts
from dedup.kernel.twin_places import (
    chars_at,
    counts_up_to,
    covered,
    equal_spans,
    lengths_inside,
    locate,
    range_halves,
    ranges_apart,
    take_ranges,
)
from dedup.kernel.twin_postings import (
    band_rows,
    chunk_places,
    chunk_rows,
    chunks_of_keys,
    damaged_chunk,
    extras_agree,
    landmarks,
    packed_chunks,
    paired_twice,
    sorted_rows,
)
from dedup.kernel.twin_repeats import exact_repeats
from dedup.kernel.twin_repetition import repetition_counts
from dedup.kernel.twin_rows import equal_bytes, write_rows
from dedup.kernel.twin_runs import join_links
from dedup.kernel.twin_seeding import (
    bag_items,
    class_anchors,
    count_items,
    mark_seeds,
    pair_anchors,
    rarities,
    repeated_seeds,
    seed_classes,
)
from dedup.kernel.twin_sentences import sentences
from dedup.kernel.twin_sets import (
    band_columns,
    bucket_pairs,
    components,
    distinct_in_order,
    distinct_keys,
    fss_sketches,
    prefix_join,
    range_digests,
    repeated_keys,
    set_bitmaps,
    set_overlaps,
    shared_shingles,
    shingle_sets,
    short_overlaps,
    sketch_bands,
    stable_order,
    sums,
)
from dedup.kernel.twin_sided import sided_anchors
from dedup.kernel.twin_sieve import may_hold, note_absent
from dedup.kernel.twin_tokens import (
    FOLD_ACCENTS,
    FOLD_DIGITS,
    JOIN_HYPHENS,
    count_tokens,
    equal_tokens,
    hash_tokens,
    normalise,
    short_sets,
    survey_bands,
    survey_tokens,
    token_edges,
    token_halves,
    tokenise,
)

__all__ = [
    "FOLD_ACCENTS", "FOLD_DIGITS", "JOIN_HYPHENS", "align_pairs", "array_memory", "authorities", "bag_items",
    "band_columns", "band_rows", "blocks_of", "bucket_pairs", "byte_digests", "byte_offsets", "char_columns",
    "chars_at", "chunk_places", "chunk_rows", "chunks_of_keys", "class_anchors", "class_runs", "code_points",
    "components", "count_items", "count_tokens", "counts_up_to", "covered", "cut_bytes", "damaged_chunk",
    "distinct_in_order", "distinct_keys", "equal_bytes", "equal_spans", "equal_tokens", "exact_repeats", "extras_agree",
    "fss_sketches", "gram_classes", "gram_rows", "gram_runs", "hash_tokens", "heaviest", "html_blocks",
    "implied_groups", "join_links", "json_records", "landmarks", "lengths_inside", "letter_items", "limit_memory",
    "line_numbers", "locate", "mark_ranges", "mark_seeds", "may_hold", "measure_parts", "memory_figures", "memory_room",
    "merge_apart", "name", "normalise", "note_absent", "overlapping_nodes", "pack_texts", "packed_chunks",
    "pair_anchors", "paired_twice", "prefix_join", "put", "range_buckets", "range_digests", "range_halves",
    "ranges_apart", "rarities", "release_memory", "relieve_memory", "repeated_keys", "repeated_seeds",
    "repetition_counts", "room", "room_in_file", "seed_classes", "sentences", "set_bitmaps", "set_overlaps",
    "shared_shingles", "shingle_sets", "short_overlaps", "short_sets", "sided_anchors", "sketch_bands",
    "slots_seen_twice", "sorted_rows", "split_lines", "stable_order", "sums", "survey_bands", "survey_tokens",
    "take_ranges", "token_edges", "token_halves", "tokenise", "unlimit_memory", "unpack_texts", "with_copies",
    "write_rows",
]  # fmt: skip

name = "reference"
