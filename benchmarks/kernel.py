"""Micro-benchmarks of the kernel: ``python -m benchmarks.kernel [--json] [NAME ...]``, nanoseconds a byte, token, ...

Arguments are made from the first pages of the benchmark corpus. A function that the kernel does not have is listed as
missing. Compiled kernel and plain twin: ``DEDUP_KERNEL=native`` or ``reference`` (slow: name what you want).
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import numpy as np

from benchmarks.corpus import Corpus

BYTES = 8_000_000
THRESHOLD, K, BANDS, ROWS = 0.5, 128, 32, 4
Measured = tuple[tuple[Any, ...], int, str]  # arguments, how many units they hold, the unit
CASES: dict[str, Callable[[Data], Measured]] = {}


class Data:
    """Text, token hashes and sets of the corpus' first pages; made where asked for."""

    def __init__(self, kernel: Any) -> None:
        self.kernel, self._open = kernel, ExitStack()

    @cached_property
    def file_room(self) -> np.ndarray:
        """An array in the file for what has no room in memory, there to the end of the process; empty without one."""
        from dedup.memory import bounded_memory

        self._open.enter_context(bounded_memory("1G", None))
        return self.kernel.room_in_file(len(self.utf8))

    @cached_property
    def texts(self) -> list[str]:
        texts, size = [], 0
        for lines, _ in Corpus(0):
            for line in lines:
                texts.append(json.loads(line)["text"])
                size += len(texts[-1])
                if size > BYTES:
                    return texts
        return texts

    @cached_property
    def utf8(self) -> np.ndarray:
        return np.frombuffer("\n".join(self.texts).encode(), np.uint8).copy()

    @cached_property
    def lines(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the lines begin and end."""
        feeds = np.flatnonzero(self.utf8 == ord("\n"))
        return np.append(0, feeds + 1), np.append(feeds, len(self.utf8))

    @cached_property
    def tokens(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Token hashes, first token of each block, first token of each page; both one longer."""
        numbers: dict[str, int] = {}
        tokens: list[int] = []
        blocks, pages = [0], [0]
        for text in self.texts:
            for block in text.split("\n"):
                tokens += [numbers.setdefault(word, len(numbers)) for word in re.findall(r"\w+", block.casefold())]
                blocks.append(len(tokens))
            pages.append(len(tokens))
        hashes = np.random.default_rng(0).integers(0, 2**64, len(numbers), np.uint64)
        return hashes[tokens], np.array(blocks, np.int64), np.array(pages, np.int64)

    @cached_property
    def halves(self) -> np.ndarray:
        """Upper half of each token's hash."""
        return (self.tokens[0] >> np.uint64(32)).astype(np.uint32)

    @cached_property
    def counted(self) -> tuple[np.ndarray, int, np.ndarray]:
        """Half tokens (all are words), tokens of a repeat, and the first token of each block, one longer than these."""
        return np.empty(0, np.uint8), 8, self.tokens[1]

    @cached_property
    def sets(self) -> tuple[np.ndarray, np.ndarray]:
        return self.kernel.shingle_sets(self.tokens[0], self.tokens[1], 2)

    @cached_property
    def registers(self) -> np.ndarray:
        return self.kernel.fss_sketches(*self.sets, K, 0)

    @cached_property
    def short(self) -> tuple[np.ndarray, np.ndarray]:
        """The sets with the upper 32 bits of each element."""
        values, first = self.sets
        return (values >> np.uint64(32)).astype(np.uint32), first

    @cached_property
    def keys(self) -> np.ndarray:
        """One band's key of each set."""
        return self.kernel.band_columns(*self.short, BANDS, ROWS, 0)[:len(self.short[1]) - 1].copy()

    @cached_property
    def ranks(self) -> tuple[np.ndarray, np.ndarray, int]:
        """The sets with their shingles numbered from rare to frequent, ascending in each set."""
        values, first = self.sets
        _, place, copies = np.unique(values, return_inverse=True, return_counts=True)
        rank_of = np.empty(len(copies), np.uint64)
        rank_of[np.argsort(copies, kind="stable")] = np.arange(len(copies), dtype=np.uint64)
        owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
        rank = rank_of[place]
        return rank[np.lexsort((rank, owner))], first, len(copies)

    @cached_property
    def grams(self) -> tuple[Any, ...]:
        """What ``gram_classes`` gets: the rows of one batch, and which partitions and ranges there are."""
        partitions = max(1, len(self.halves) // 32_000)
        rows = self.kernel.gram_rows(self.halves, self.tokens[2], 8, 0, partitions, 0, partitions)
        return *([column] for column in rows), 0, partitions, 19, (len(self.halves) >> 19) + 1

    @cached_property
    def matches(self) -> tuple[np.ndarray, ...]:
        """Exact repeats of two places (first tokens, lengths) and those of many."""
        return self.kernel.exact_repeats(*self.runs, 8, 16, *self.counted, self.tokens[2])

    @cached_property
    def runs(self) -> tuple[np.ndarray, ...]:
        """Runs of repeated grams: position, leader, length."""
        return self.kernel.class_runs([self.kernel.gram_classes(*self.grams)[0]], 0, len(self.halves))


def case(make: Callable[[Data], Measured]) -> Callable[[Data], Measured]:
    """Register the case of the kernel function of the same name."""
    CASES[make.__name__] = make
    return make


@case
def sentences(data: Data) -> Measured:
    start, end = data.lines
    return (data.utf8, start, end), len(data.utf8), "byte"


@case
def tokenise(data: Data) -> Measured:
    return (data.utf8, *data.lines), len(data.utf8), "byte"


@case
def hash_tokens(data: Data) -> Measured:
    return (data.utf8, *data.lines), len(data.utf8), "byte"


@case
def authorities(data: Data) -> Measured:
    addresses = [f"https://www.site{i % 997}.example/{i}/page.html?p={i}".encode() for i in range(50_000)]
    return (np.frombuffer(b"".join(addresses), np.uint8), np.cumsum([0, *map(len, addresses)])), len(addresses), "address"


@case
def cut_bytes(data: Data) -> Measured:
    start = np.arange(0, len(data.utf8) - 100, 100)
    return (data.utf8, start, start + start % 7 * 5), len(start), "stretch"


@case
def json_records(data: Data) -> Measured:
    lines = "\n".join(json.dumps({"id": str(i), "text": text}, ensure_ascii=False) for i, text in enumerate(data.texts))
    block = np.frombuffer(lines.encode(), np.uint8)
    return (block, np.frombuffer(b"textidurl", np.uint8), np.array([0, 4, 6, 9]), 1), len(block), "byte"


@case
def html_blocks(data: Data) -> Measured:
    """Pages as they are sent, some menus' worth of tags around each paragraph; without parsing, which is turbohtml's."""
    import turbohtml

    menu = "".join(f"<li class='menu-item item-{i}'>\n    <a href='/page/{i}'>Page {i}</a></li>\n" for i in range(4))
    source = "".join(f"<div class='card'>\n  <ul>{menu}</ul>\n  <p>{line}</p>\n</div>\n"
                     for text in data.texts[:200] for line in text.split("\n"))
    document = turbohtml.parse(source, source_locations=True, allow_declarative_shadow_roots=False)
    return (source, document.root, None, frozenset(), 3_000_000), len(source), "character"


@case
def survey_tokens(data: Data) -> Measured:
    return (data.utf8, *data.lines), len(data.utf8), "byte"


@case
def survey_bands(data: Data) -> Measured:
    return (data.utf8, *data.lines, 0, 5, BANDS, ROWS, 0), len(data.utf8), "byte"


@case
def short_sets(data: Data) -> Measured:
    return (data.utf8, *data.lines, 0, 2, np.empty(len(data.utf8) // 2, np.uint32)), len(data.utf8), "byte"


def line_chars(data: Data) -> tuple[Any, Any]:
    chars = data.kernel.code_points(data.utf8, np.column_stack(data.lines).reshape(-1)).reshape(-1, 2)
    return np.ascontiguousarray(chars[:, 0]), np.ascontiguousarray(chars[:, 1])


@case
def locate(data: Data) -> Measured:
    _, begin, _, _, first = data.kernel.tokenise(data.utf8, *data.lines)
    t0 = np.arange(2, len(begin) - 20, 50)
    return (data.utf8, *data.lines, *line_chars(data), first, 0, t0, t0 + 12), len(t0), "range"


@case
def counts_up_to(data: Data) -> Measured:
    place = data.tokens[0].view(np.int64) % len(data.utf8)
    return (data.lines[0], place), len(place), "place"


@case
def chars_at(data: Data) -> Measured:
    start, end = data.lines
    return (data.utf8, start, end, *line_chars(data), np.arange(len(start)), (start + end) // 2), len(start), "place"


@case
def equal_spans(data: Data) -> Measured:
    first = np.arange(len(data.lines[0]) + 1)
    return (data.utf8, *data.lines, first, first[:-1], np.zeros(len(first) - 1, np.int64), 0), len(data.utf8), "byte"


@case
def range_halves(data: Data) -> Measured:
    first = data.tokens[1]
    t0 = np.random.default_rng(0).integers(0, first[-1] - 20, 200_000)
    return (first, 2 * np.diff(first), 2 * first, t0, t0 + 20), len(t0), "range"


@case
def chunk_places(data: Data) -> Measured:
    from dedup.index.segments import Rows, pack_chunks

    count = 500_000
    key = np.sort(np.random.default_rng(3).integers(0, 1 << 40, count, np.uint64))
    chunks, sizes = pack_chunks(Rows(key, np.arange(count, dtype=np.uint32), np.zeros(count, np.uint32)), 1, 0)
    chunk = np.random.default_rng(4).integers(0, len(chunks), 10_000)
    return (chunks, chunk << 40, key[(np.cumsum(sizes) - 1)[chunk]]), len(chunk), "look"


@case
def note_absent(data: Data) -> Measured:
    chunks = chunk_places(data)[0][0]
    return (chunks, np.arange(len(chunks)), np.zeros(64 * len(chunks), np.uint64), 64), 500_000, "row"


@case
def may_hold(data: Data) -> Measured:
    some = np.random.default_rng(4)
    chunk, key = some.integers(0, 100_000, 400), some.integers(0, 1 << 40, 400, np.uint64)
    return (np.zeros(64 * 100_000, np.uint64), 64, np.sort(chunk), key), len(key), "look"


@case
def chunks_of_keys(data: Data) -> Measured:
    fence, key = (np.sort(np.random.default_rng(count).integers(0, 1 << 40, count, np.uint64)) for count in (100_000, 500))
    return (fence, key, 0, 8), len(key), "key"


@case
def sorted_rows(data: Data) -> Measured:
    some = np.random.default_rng(8)
    key, page = some.integers(0, 1 << 40, 400, np.uint64), some.integers(0, 20_000, 400).astype(np.uint32)
    return (key, page, page), len(key), "row"


@case
def band_rows(data: Data) -> Measured:
    keys, page = np.random.default_rng(9).integers(0, 1 << 32, 44 * 9).astype(np.uint32), np.arange(9, dtype=np.uint32)
    return (keys, page, page), len(keys), "row"


@case
def landmarks(data: Data) -> Measured:
    token = (data.tokens[0] >> np.uint64(32)).astype(np.uint32)
    return (token, np.append(np.arange(0, len(token), 600), len(token)), 5, 4), len(token), "token"


@case
def damaged_chunk(data: Data) -> Measured:
    chunks = chunk_places(data)[0][0]
    return (chunks, np.arange(len(chunks))), sum(map(len, chunks)), "byte"


@case
def chunk_rows(data: Data) -> Measured:
    key, *columns = _postings()
    packed, begin = data.kernel.packed_chunks(key, *columns, np.append(np.arange(0, len(key), 450), len(key)), 1, 0)
    return ([packed[a:b].tobytes() for a, b in itertools.pairwise(begin.tolist())],), len(key), "row"


@case
def packed_chunks(data: Data) -> Measured:
    key, *columns = _postings()
    return (key, *columns, np.append(np.arange(0, len(key), 450), len(key)), 1, 0), len(key), "row"


def _postings() -> tuple[Any, Any, Any]:
    """Rows of a segment: 40 bits of key, three bytes of page, 30 bits beside."""
    some = np.random.default_rng(10)
    return (np.sort(some.integers(0, 1 << 40, 100_000, np.uint64)), some.integers(0, 1 << 20, 100_000).astype(np.uint32),
            some.integers(0, 1 << 30, 100_000).astype(np.uint32))


def pages(data: Data) -> tuple[Any, Any]:
    """Texts of 4 kB, one after the other."""
    text = data.utf8[:1 << 20]
    return text, np.append(np.arange(0, len(text), 4096), len(text))


@case
def pack_texts(data: Data) -> Measured:
    text, first = pages(data)
    return (text, first, data.utf8[-(1 << 16):].tobytes()), len(text), "byte"


@case
def unpack_texts(data: Data) -> Measured:
    dictionary = data.utf8[-(1 << 16):].tobytes()
    text, first = pages(data)
    blocks, begin = data.kernel.pack_texts(text, first, dictionary)
    packed = [blocks[a:b].tobytes() for a, b in itertools.pairwise(begin.tolist())]
    return (packed, np.diff(first), dictionary), len(text), "byte"


@case
def extras_agree(data: Data) -> Measured:
    from dedup.index.keys import ways_to_go_on

    some = np.random.default_rng(5)
    asked, extra = (some.integers(0, 1 << 30, count, np.uint32) for count in (10_000, 200_000))
    first, key = np.append(np.arange(9_000), 10_000), np.sort(some.integers(0, 9_000, len(extra)))
    return (first, asked, key, extra, np.array(ways_to_go_on(8), np.uint32)), len(extra), "place"


@case
def paired_twice(data: Data) -> Measured:
    some = np.random.default_rng(6)
    place, key = some.integers(0, 20_000, 200_000, np.uint64), np.sort(some.integers(0, 9_000, 200_000))
    return (np.append(np.arange(9_000), 10_000), some.integers(0, 100, 10_000, np.uint64), key, place), len(place), "place"


@case
def take_ranges(data: Data) -> Measured:
    return (np.arange(500_001), np.random.default_rng(0).permutation(500_000)), 500_000, "row"


@case
def ranges_apart(data: Data) -> Measured:
    start = np.random.default_rng(0).integers(0, 10_000_000, 300_000)
    return (start // 4000, start, start + 50), len(start), "range"


@case
def lengths_inside(data: Data) -> Measured:
    start, frame = np.random.default_rng(0).integers(0, 10_000_000, 300_000), np.arange(0, 10_000_000, 100)
    return (frame, frame + 40, start, start + 50), len(start), "range"


@case
def covered(data: Data) -> Measured:
    start = np.random.default_rng(0).integers(0, 10_000_000, 300_000)
    end = start + 50
    return (start, end, start, end, start // 4000, np.full(len(start), 15, np.uint8), 4, 2500), len(start), "range"


@case
def distinct_keys(data: Data) -> Measured:
    return (data.tokens[0],), len(data.tokens[0]), "key"


@case
def distinct_in_order(data: Data) -> Measured:
    key = data.tokens[0]
    below = len(key).bit_length()
    packed = np.sort(key >> np.uint64(below) << np.uint64(below) | np.arange(len(key), dtype=np.uint64))
    return (packed, below), len(key), "key"


@case
def sums(data: Data) -> Measured:
    return (np.diff(data.tokens[2]),), len(data.tokens[2]) - 1, "count"


@case
def stable_order(data: Data) -> Measured:
    return (data.tokens[0],), len(data.tokens[0]), "key"


@case
def count_tokens(data: Data) -> Measured:
    return (data.utf8, *data.lines), len(data.utf8), "byte"


@case
def token_halves(data: Data) -> Measured:
    return (data.utf8, *data.lines), len(data.utf8), "byte"


@case
def normalise(data: Data) -> Measured:
    return (data.utf8, *data.lines), len(data.utf8), "byte"


@case
def write_rows(data: Data) -> Measured:
    start, end = data.lines
    none = np.empty(0, np.uint8)
    fields = [(0, b'{"line":', b"", b"", none, start, end), (2, b',"text":"', b'"}\n', b"", data.utf8, start, end)]
    return (fields,), int((end - start).sum()), "byte"


@case
def equal_bytes(data: Data) -> Measured:
    start, end = data.lines
    half = np.zeros(len(start), np.int64) + start[0]
    return (data.utf8, start, end, half, half + np.minimum(end - start, len(data.utf8) - half)), len(start), "range"


@case
def repetition_counts(data: Data) -> Measured:
    sizes = np.array([len(text.encode()) + 1 for text in data.texts])
    end = np.cumsum(sizes) - 1
    return (data.utf8, end - sizes + 1, end), len(data.utf8), "byte"


@case
def split_lines(data: Data) -> Measured:
    return (data.utf8, np.zeros(1, np.int64), np.array([len(data.utf8)])), len(data.utf8), "byte"


@case
def bag_items(data: Data) -> Measured:
    return (data.utf8, *data.lines, 0, 5), len(data.utf8), "byte"


@case
def class_anchors(data: Data) -> Measured:
    """Classes of 2 to 8 places, anywhere: nearly all of their pairs fail."""
    item, page_first = data.halves, data.tokens[2]
    rnd = np.random.default_rng(0)
    first = np.append(0, np.cumsum(rnd.integers(2, 9, 50_000)))
    position = rnd.integers(0, len(item), first[-1]).astype(np.uint32)
    return (position, first, item, page_first, np.full(1 << 18, 8, np.uint8), 24, 12, 24, 64), len(position), "place"


@case
def sided_anchors(data: Data) -> Measured:
    """As in a check: a page of 600 words and 20 others."""
    item, page_first, none = np.resize(data.halves, 21 * 600), np.arange(22) * 600, np.empty(0, np.uint32)
    match = np.arange(20) * 600 + 100
    matches = match, np.full(20, 12_100), np.full(20, 40)
    return (item, page_first, 20, none, none, *matches, 64, 16, 16, 0.001, 0.45, 12, 24, 24, 64, 1_000_000), len(item), "item"


def ranges(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Ranges of 50 in 10 million tokens, apart, ascending."""
    start = np.sort(np.random.default_rng(0).choice(100_000, count, replace=False).astype(np.uint32) * np.uint32(100))
    return start, start + np.uint32(50)


@case
def range_buckets(data: Data) -> Measured:
    return ranges(50_000), 50_000, "range"


@case
def with_copies(data: Data) -> Measured:
    start, end = ranges(50_000)
    place = np.random.default_rng(1).integers(0, 10_000_000, 500_000).astype(np.uint32)
    buckets = data.kernel.range_buckets(start, end)
    return (place, np.arange(len(place) + 1), *buckets, start, end, np.full(len(start), 10_000_000)), len(place), "place"


@case
def mark_ranges(data: Data) -> Measured:
    return (*ranges(50_000), 0, 10_000_000), 10_000_000, "token"


@case
def rarities(data: Data) -> Measured:
    counts = np.random.default_rng(7).zipf(1.3, 1 << 18).clip(max=1_000_000)
    return (np.where(counts > 1, counts - 1, 0).astype(np.uint32), 16, 0.001, 0.45), len(counts), "item"


@case
def letter_items(data: Data) -> Measured:
    start, end = data.lines
    return (data.utf8, start, end, np.array([0, len(start)]), 4, 3), len(data.utf8), "byte"


@case
def code_points(data: Data) -> Measured:
    return (data.utf8, np.arange(0, len(data.utf8), 64, dtype=np.int64)), len(data.utf8), "byte"


@case
def char_columns(data: Data) -> Measured:
    start = np.arange(0, len(data.utf8) - 64, 64, dtype=np.int64)
    return (data.utf8, start[::30].copy(), start, start + 60), len(data.utf8), "byte"


@case
def byte_digests(data: Data) -> Measured:
    return (data.utf8, np.array([0, len(data.utf8)], np.int64)), len(data.utf8), "byte"


@case
def range_digests(data: Data) -> Measured:
    return data.tokens[:2], len(data.tokens[0]), "token"


@case
def shingle_sets(data: Data) -> Measured:
    return (*data.tokens[:2], 2), len(data.tokens[0]), "token"


@case
def fss_sketches(data: Data) -> Measured:
    return (*data.sets, K, 0), len(data.sets[1]) - 1, "set"


@case
def sketch_bands(data: Data) -> Measured:
    count = len(data.sets[1]) - 1
    return (data.registers, count, BANDS, ROWS), count, "set"


@case
def band_columns(data: Data) -> Measured:
    return (*data.short, BANDS, ROWS, 0), len(data.short[1]) - 1, "set"


@case
def repeated_keys(data: Data) -> Measured:
    return (data.keys,), len(data.keys), "set"


@case
def set_bitmaps(data: Data) -> Measured:
    return data.short, len(data.short[1]) - 1, "set"


@case
def bucket_pairs(data: Data) -> Measured:
    bits = data.kernel.set_bitmaps(*data.short)
    homes = np.full(len(data.short[1]) - 1, 2**32 - 1, np.uint32)
    return (data.keys, *data.short, bits, THRESHOLD, 32, 4096, homes), len(data.keys), "set"


@case
def set_overlaps(data: Data) -> Measured:
    a, b = np.random.default_rng(0).integers(0, len(data.sets[1]) - 1, (2, 100_000))
    return (*data.sets, a, b), len(a), "pair"


@case
def short_overlaps(data: Data) -> Measured:
    a, b = np.random.default_rng(0).integers(0, len(data.sets[1]) - 1, (2, 100_000))
    return (*data.short, a, b), len(a), "pair"


@case
def shared_shingles(data: Data) -> Measured:
    first = data.tokens[1]
    return (data.halves, first, 2, np.arange(0, len(first) - 1, len(first) // 3)), len(data.halves), "token"


@case
def overlapping_nodes(data: Data) -> Measured:
    nodes = np.arange(0, 10_000_000, 10)
    return (np.random.default_rng(0).integers(0, len(nodes), len(nodes)), nodes, nodes + 8), len(nodes), "node"


@case
def merge_apart(data: Data) -> Measured:
    nodes = np.arange(0, 1_000_000, 10)
    a, b = np.random.default_rng(0).integers(0, len(nodes), (2, 50_000))
    return (nodes, nodes + 8, np.arange(len(nodes)), a, b, 1000), len(a), "link"


@case
def implied_groups(data: Data) -> Measured:
    first = np.arange(0, 200_001, 2)
    t0 = np.random.default_rng(0).permutation(1_000_000)[:200_000].reshape(-1, 2)
    t0.sort(axis=1)
    t0 = t0.reshape(-1)
    number = np.arange(len(t0))
    return (first, t0, t0 + 8, np.arange(100_000), 64, number, number, t0 + 3, t0 + 5), 100_000, "group"


@case
def heaviest(data: Data) -> Measured:
    draw = np.random.default_rng(0)
    start = draw.integers(0, 900_000, 30_000)
    end, weight = start + draw.integers(2, 50, len(start)), draw.integers(16, 500, len(start))
    lists = np.arange(0, 30_001, 30), np.arange(1_000)
    return (draw.integers(0, 47_000, 1_000_000), start, end, weight, *lists, 3), int((end - start).sum()), "number"


@case
def prefix_join(data: Data) -> Measured:
    return (*data.ranks, THRESHOLD), len(data.ranks[1]) - 1, "set"


@case
def components(data: Data) -> Measured:
    a, b = np.random.default_rng(0).integers(0, 1_000_000, (2, 500_000))
    return (1_000_000, a, b), len(a), "link"


@case
def slots_seen_twice(data: Data) -> Measured:
    table = np.random.default_rng(0).integers(0, 1 << 64, 1 << 18, np.uint64)
    return ([table, table],), len(table), "word"


@case
def gram_rows(data: Data) -> Measured:
    partitions = max(1, len(data.halves) // 32_000)
    return (data.halves, data.tokens[2], 8, 0, partitions, 0, partitions), len(data.tokens[0]), "token"


@case
def gram_classes(data: Data) -> Measured:
    return data.grams, len(data.grams[0][0]), "gram"


@case
def class_runs(data: Data) -> Measured:
    classes, _ = data.kernel.gram_classes(*data.grams)
    return ([classes], 0, len(data.halves)), len(classes), "gram"


@case
def gram_runs(data: Data) -> Measured:
    first = data.tokens[2][:30]
    return (data.halves[:first[-1]], first, 8), int(first[-1]), "token"


@case
def exact_repeats(data: Data) -> Measured:
    return (*data.runs, 8, 16, *data.counted, data.tokens[2]), int(data.runs[2].sum()), "gram"


@case
def join_links(data: Data) -> Measured:
    a, b, length = data.matches[:3]
    _, blocks, pages = data.tokens
    prints = data.kernel.range_digests(data.tokens[0], blocks)
    page_first = np.searchsorted(blocks, pages)
    digest = data.kernel.range_digests(prints, page_first)
    arguments = (a, a + length, b, b + length, np.ones(len(a), np.uint8), blocks, 2 * np.diff(blocks), prints,
                 np.zeros(len(prints), np.uint8), page_first, digest, 16, 0, int(blocks[-1]))
    return arguments, len(a), "link"


@case
def memory_room(data: Data) -> Measured:
    assert len(data.file_room) >= 0  # memory is bounded from now on
    return (), 1, "call"


@case
def room_in_file(data: Data) -> Measured:
    assert len(data.file_room) >= 0
    return (1 << 20,), 1, "call"


@case
def put(data: Data) -> Measured:
    room = data.file_room
    return (room, 0, data.utf8[:len(room)]), max(len(room), 1), "byte"


class Fresh:
    """An argument that the function overwrites: each call gets a copy, made before the clock starts."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array


def measure(function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float = 0.5) -> float:
    """Seconds of the fastest call; calls for at least `seconds`."""
    best, began = float("inf"), time.perf_counter()
    while True:
        given = [one.array.copy() if isinstance(one, Fresh) else one for one in arguments]
        start = time.perf_counter()
        function(*given)
        now = time.perf_counter()
        best = min(best, now - start)
        if now - began > seconds:
            return best


def figures(names: Iterable[str]) -> Iterator[tuple[str, float | None, str]]:
    """Name, nanoseconds and unit of each function; no figure for one that the kernel does not have."""
    from dedup.kernel import kernel

    data = Data(kernel)
    for name in names:
        function = getattr(kernel, name, None)
        if function is None:
            yield name, None, ""
            continue
        arguments, count, unit = CASES[name](data)
        yield name, measure(function, arguments) / count * 1e9, unit


def main(names: list[str]) -> None:
    from dedup.kernel import kernel

    as_json = "--json" in names
    names = [name for name in names if name != "--json"]
    unknown = [name for name in names if name not in CASES]
    if unknown:
        sys.exit(f"no case named {', '.join(unknown)}; there are {', '.join(CASES)}")
    made = figures(names or CASES)
    if as_json:
        json.dump([{"name": name, "ns": ns, "unit": unit} for name, ns, unit in made], sys.stdout)
        return
    print(f"kernel: {kernel.name}")
    for name, ns, unit in made:
        print(f"{name:<20}" + (" missing" if ns is None else f"{ns:12.2f} ns a {unit}"), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
