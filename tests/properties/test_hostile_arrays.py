"""Whatever arrays and numbers the kernel is handed, it answers or refuses them: it reads and writes nothing outside of them.

Columns mostly fit together, as those of the stages do, so that the loops are reached; some are too short, too long, or name
what is not there. `make test-sanitize` sees what else would be luck.
"""

from __future__ import annotations

import inspect
import time
import typing
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.bags import SETTINGS
from dedup.kernel import _dtype, reference

native = pytest.importorskip("dedup.kernel._kernel", reason="LOUD: the compiled kernel is not built")

# Those that give and bound memory, and the one that goes over a parser's tree.
OTHERS = {"array_memory", "html_blocks", "limit_memory", "memory_figures", "memory_room", "put", "release_memory",
          "relieve_memory", "room", "room_in_file", "unlimit_memory"}
FUNCTIONS = sorted({name for name in reference.__all__ if inspect.isfunction(getattr(reference, name))} - OTHERS)

PIECES = [b"a", b"one ", b"two. ", b"\n\n", b"\xc3\xa9", b"\xe4\xb8\xad", b"\xf0\x9f", b"\xff", b'{"a": 1}\n', b"http://a.b/c",
          b"-\n", b"\x80"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
ODD_NUMBERS = st.sampled_from([-2**63, -2**40, -1, 0, 1, 2, 3, 40, 2**32 - 1, 2**32, 2**40, 2**63 - 1])
ODD_SETTINGS = st.sampled_from([-2**63, -1, 0, 1, 2, 3, 40, 2**63 - 1])

STARTS = {"start", "a_start", "b_start", "frame_start", "part_start", "other_start", "a0", "b0", "t0", "quiet_start"}
ENDS = {"end", "a_end", "b_end", "frame_end", "part_end", "other_end", "a1", "b1", "t1", "quiet_end", "stop"}
NUMBERS = {"flags": 0, "threshold": 0.5, "stop_least": 0.01, "stop_share": 0.5, "bits": 8, "before": 0, "begin": 0, "end": 4,
           "low": 0, "high": 100, "number": 0, "kind": 0, "texts": 1, "ranks": 100, "nodes": 8, "owners": 8, "slices": 1}
TABLES = {"table": 4, "twice": 4, "tables": 4, "rarity": 4}  # a power of two


class Arguments:
    """Arguments of one call, drawn so that they mostly fit together."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.rows = draw(st.integers(0, 8))
        self.text = draw(TEXT)
        self.limit = draw(st.sampled_from([self.rows, 2 * self.rows, len(self.text)]))
        self.places = sorted(draw(st.lists(st.integers(0, self.limit), min_size=2 * self.rows, max_size=2 * self.rows)))

    def odd(self) -> bool:
        return bool(self.draw(st.integers(0, 19)) == 7)

    def of(self, name: str, hint: Any) -> Any:
        dtype = _dtype(hint)
        if dtype is not None:
            return self.column(name, dtype)
        if typing.get_origin(hint) is list:
            inner = typing.get_args(hint)[0]
            return [self.of(name, inner) for _ in range(self.draw(st.integers(0, 3)))]
        if name == "fields":
            return [self.field() for _ in range(self.draw(st.integers(0, 3)))]
        if hint in (int, float, bool):
            return hint(self.draw(ODD_SETTINGS)) if self.odd() else hint(NUMBERS.get(name, self.draw(st.integers(1, 4))))
        return self.draw(st.binary(max_size=80))

    def field(self) -> tuple[Any, ...]:
        kind = self.draw(st.integers(0, 3))
        start, end = (self.column(name, np.dtype(np.int64)) for name in ("start", "end"))
        return kind, b"<", b">", b"?", self.column("text", np.dtype(np.uint8)), start, end

    def column(self, name: str, dtype: np.dtype[Any]) -> np.ndarray:
        values = self.values(name, dtype)
        if self.odd():
            values = values[:-1] if self.draw(st.booleans()) else [*values, *values[-1:], 0]
        if values and self.odd():
            values[self.draw(st.integers(0, len(values) - 1))] = self.draw(ODD_NUMBERS)
        if self.odd():
            values = values[::-1]
        return np.array([value % 2**64 for value in values], np.uint64).astype(dtype)

    def values(self, name: str, dtype: np.dtype[Any]) -> list[int]:
        if name == "settings":
            return list(SETTINGS)
        if name in TABLES:
            return self.some(TABLES[name], 2**64 - 1)
        if name in ("text", "text_a", "text_b", "lines", "data", "names"):
            return list(self.text)
        if name in STARTS:
            return self.places[0::2]
        if name in ENDS:
            return self.places[1::2]
        if name.endswith(("first", "halves_before")):
            inner = sorted(self.some(max(self.rows - 1, 0), self.limit))
            return [0, *inner, self.limit][:self.rows + 1]
        if dtype == np.uint8:
            return self.some(self.rows, 1)
        return self.some(self.rows * {"bits": 4, "registers": 8}.get(name, 1), max(self.rows - 1, 0))

    def some(self, count: int, most: int) -> list[int]:
        return list(self.draw(st.lists(st.integers(0, most), min_size=count, max_size=count)))


@pytest.mark.parametrize("function", FUNCTIONS)
@given(draw=st.data())
def test_a_call_is_answered_or_refused(function, draw):
    twin = getattr(reference, function)
    hints = typing.get_type_hints(twin)
    of = Arguments(draw.draw)
    arguments = [of.of(name, hints[name]) for name in inspect.signature(twin).parameters]
    with suppress(ValueError, TypeError, MemoryError):
        getattr(native, function)(*arguments)


def ints(*values: int, of: type[np.generic] = np.int64) -> np.ndarray:
    return np.array(values, of)


def halves(*values: int) -> np.ndarray:
    return ints(*values, of=np.uint32)


def words(*values: int) -> np.ndarray:
    return ints(*values, of=np.uint64)


def flags(*values: int) -> np.ndarray:
    return ints(*values, of=np.uint8)


MOST = 2**63 - 1
LINKS = ints(1), ints(2), ints(3), ints(4), flags(0), ints(0, 2, 4), ints(4, 4), words(0, 0), flags(0, 0)


def refused(function: str, said: str, *arguments: Any, twin: bool = True) -> None:
    for module in (native, reference) if twin else (native,):
        with pytest.raises(ValueError, match=said):
            getattr(module, function)(*arguments)


def test_bands_whose_number_of_registers_does_not_fit_are_refused() -> None:
    refused("sketch_bands", "bands and rows", words(1, 2, 3, 4), 1, 2**33, 2**31, twin=False)
    refused("band_columns", "bands and rows", halves(1), ints(0, 1), 2**62, 4, 0, twin=False)
    refused("survey_bands", "bands and rows", flags(97), ints(0), ints(1), 0, 1, 2**62, 4, 0, twin=False)


@pytest.mark.parametrize("threshold", [-1.0, 1.1, float("nan")])
def test_what_is_no_similarity_is_refused(threshold: float) -> None:
    refused("prefix_join", "threshold", words(0), ints(0, 1), 1, threshold)
    refused("bucket_pairs", "threshold", halves(1), halves(1), ints(0, 1), words(1, 0, 0, 0), threshold, 9, 9,
            halves(2**32 - 1))


def test_a_threshold_of_zero_looks_no_farther_than_a_set() -> None:
    """Every element is in the prefix, and there is none behind it."""
    for values, first, pairs in ((words(0, 1, 0, 1), ints(0, 2, 4), [[0], [1]]), (words(0, 1), ints(0, 1, 2), [[], []])):
        for module in (native, reference):
            assert [column.tolist() for column in module.prefix_join(values, first, 2, 0.0)] == pairs


def test_components_that_no_node_begins_are_refused() -> None:
    for component in (ints(1, 0), ints(1, 1), ints(0, 0, 1)):
        place = 10 * np.arange(len(component))
        refused("merge_apart", "of no node before", place, place + 1, component, ints(0), ints(len(component) - 1), 9)


def test_links_on_no_page_are_refused() -> None:
    for page_first in (ints(0, 1), ints(1, 2)):
        refused("join_links", "each block is on a page", *LINKS, page_first, words(0), 2, 0, 9)


def test_ranges_where_no_block_is_are_empty() -> None:
    for module in (native, reference):
        assert module.range_halves(ints(0), ints(), ints(0), ints(0, 0), ints(0, 0)).tolist() == [0.0, 0.0]


def test_a_shingle_as_long_as_a_number_can_say_is_longer_than_any_range() -> None:
    for module in (native, reference):
        assert module.shared_shingles(halves(1, 2, 3), ints(0, 1, 3), MOST, ints(0)).tolist() == [1, 1]


def test_grams_on_no_page_are_refused() -> None:
    first = ints(5, 9)
    refused("exact_repeats", "no page", halves(0, 6), halves(0, 0), halves(1, 1), 3, 1, flags(), 3, first, first, twin=False)
    refused("exact_repeats", "must ascend", halves(0), halves(0), halves(1), 3, 1, flags(), 3, ints(0, 9, 4, 9), ints(0, 9),
            twin=False)
    refused("exact_repeats", "size", halves(0), halves(0), halves(1), 0, 1, flags(), 3, ints(0, 9), ints(0, 9), twin=False)


def test_repeats_that_must_be_longer_than_any_text_are_none_at_once() -> None:
    begin = time.process_time()
    for counted in (flags(), flags(*[1, 2] * 5)):
        runs, first = (halves(0, 4), halves(0, 0), halves(2, 2)), ints(0, 9)
        *_, lengths = native.exact_repeats(*runs, 3, 6, counted, 2**32 - 1, first, first)
        assert len(lengths) == 0
    assert time.process_time() - begin < 0.5


def test_what_is_beyond_the_collection_counts_as_words_whatever_is_before_it() -> None:
    runs, first = (halves(0, 2, 8), halves(0, 0, 8), halves(2, 2, 2)), ints(0, 10)
    for counted in (flags(255, 1, 255, 2, 1, 255, 1, 255, 255, 1), flags(1, 2, 1, 2)):
        for least in (1, 5, 9, 100):
            found = [module.exact_repeats(*runs, 4, 6, counted, least, first, first) for module in (native, reference)]
            for one, other in zip(*found, strict=True):
                assert one.tolist() == other.tolist()


def test_token_numbers_stay_below_two_to_the_32() -> None:
    refused("gram_rows", "below 2", halves(1, 2), ints(0, 2), 1, MOST, 1, 0, 1, twin=False)
    refused("repeated_seeds", "below 2", halves(1, 2), ints(0, 2), flags(), flags(), 0, words(1), MOST, 1, twin=False)


def test_places_of_seeds_on_no_page_are_refused() -> None:
    item, first = halves(*range(8)), ints(4, 8)
    for position in (halves(0, 5), halves(5, 8)):
        refused("class_anchors", "before the first page", position, ints(0, 2), item, first, flags(), 1, 0, 1, 1)
        refused("pair_anchors", "before the first page", position, position, first, twin=False)
    refused("class_anchors", "around", halves(4, 5), ints(0, 2), item, first, flags(), 1, 0, MOST, 1)
    for a, b in ((0, 5), (5, 0), (5, 8)):
        refused("sided_anchors", "before the first page", item, first, 0, halves(), halves(), ints(a), ints(b), ints(1), 9,
                8, 16, 0.5, 0.5, 1, 1, 1, 1, 9)


def test_occurrences_that_end_before_they_begin_are_refused() -> None:
    none = ints()
    refused("implied_groups", "occurrences", ints(0, 1), ints(3), ints(2), ints(0), 1, ints(0), none, none, none, twin=False)


def test_more_chunks_than_there_are_are_none() -> None:
    for module in (native, reference):
        for after, most, chunks in ((MOST, 9, []), (0, MOST, [0, 1]), (1, MOST, [1]), (MOST, MOST, [])):
            assert module.chunks_of_keys(words(3, 3), words(3), after, most)[1].tolist() == chunks
