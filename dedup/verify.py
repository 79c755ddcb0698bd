"""Stage 7: what two texts have in common, measured on the texts themselves.

Nothing is reported that was not measured here: sets decide (exact Jaccard), rapidfuzz's Indel similarity is what people
read. ``partial_ratio`` and ``token_set_ratio`` are no evidence of a copy and are not used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from dedup.columns import distinct_numbers, sums, widths
from dedup.corpus import FOLD_ACCENTS, FOLD_DIGITS, Corpus
from dedup.engines.local import LocalEngine
from dedup.errors import check_whole
from dedup.kernel import kernel
from dedup.long_texts import LONG_BYTES, decoded, equal, long_similarity
from dedup.shingles import Sets, Shingler, join_sets, made_sets

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
R = TypeVar("R")

BATCH_SPANS, BATCH_SPAN_BYTES = 4096, 1_000_000  # in one batch, at most and about

INDEL_CHARS = 40_000  # above it, Indel is measured piece by piece: a lower bound
INDEL_PIECE = 4_000
INDEL_FLOORS = (0.98, 0.9, 0.0)  # tried in turn: of texts more alike than a floor only a band of the table is gone over


@dataclass(frozen=True, slots=True)
class Measures:
    """How alike two texts are, each 0.0 to 1.0.

    Attributes:
        jaccard: Of the shingle sets.
        containment_a, containment_b: Share of a's (b's) shingles that the other has too.
        indel_similarity: Of the normalised texts: 1 - (characters put in or taken out) / (characters of both).
        exact: The normalised texts are equal.
    """

    jaccard: float
    containment_a: float
    containment_b: float
    indel_similarity: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Verifier:
    """Measures two texts on the texts themselves.

    Args:
        shingle_size: Tokens in one shingle, 1 to 64.
        fold_accents: Treat é as e.
        fold_digits: Treat all digits alike.

    Raises:
        OptionError: `shingle_size` is out of its range.

    >>> measures = Verifier(shingle_size=2).measure("one two three four five", "One two, three four six!")
    >>> round(measures.jaccard, 2), round(measures.indel_similarity, 2), measures.exact
    (0.6, 0.89, False)
    """

    shingle_size: int = 2
    fold_accents: bool = False
    fold_digits: bool = False

    def __post_init__(self) -> None:
        check_whole(self.shingle_size, "shingle_size", 1, 64)

    def measure(self, a: str, b: str) -> Measures:
        """All measures of two texts."""
        sets = Shingler(self.shingle_size, self.fold_accents, self.fold_digits).sets([a, b])
        overlap, (n, m) = int(kernel.set_overlaps(sets.values, sets.first, np.array([0]), np.array([1]))[0]), sets.sizes
        flags = FOLD_ACCENTS * self.fold_accents + FOLD_DIGITS * self.fold_digits
        x, y = (normalised(text, flags) for text in (a, b))
        return Measures(float(overlap / max(1, n + m - overlap)), float(overlap / max(1, n)),
                        float(overlap / max(1, m)), indel_similarity(x, y), x == y)


def normalised(text: str, flags: int) -> str:
    """The text's tokens as they are compared, joined by blanks."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    out, _ = kernel.normalise(data, np.zeros(1, np.int64), np.array([len(data)]), flags)
    return out.tobytes().decode("utf-8", "surrogatepass")


def indel_similarity(a: str, b: str) -> float:
    """rapidfuzz's Indel similarity of two normalised texts, 0.0 to 1.0.

    Long texts are cut where both have the same eight words, once in each, and measured piece by piece: never more than the
    true value, and next to it unless long stretches have nothing in common. Of very long ones see ``long_texts``.
    """
    from rapidfuzz.distance import Indel

    if a == b:
        return 1.0
    if max(len(a), len(b)) <= INDEL_CHARS:
        return float(Indel.normalized_similarity(a, b))
    x, y = (np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8) for text in (a, b))
    if max(len(x), len(y)) > LONG_BYTES:
        return long_similarity(x, y, _distance_by_pieces)
    return 1.0 - _distance_by_pieces(a, b) / (len(a) + len(b))


def similarity_of_bytes(a: U8, b: U8) -> float:
    """``indel_similarity`` of two normalised texts in UTF-8; of very long ones no strings are made."""
    if max(len(a), len(b)) <= LONG_BYTES:
        return indel_similarity(decoded(a), decoded(b))
    return 1.0 if equal(a, b) else long_similarity(a, b, _distance_by_pieces)


def indel_similarities(a: Sequence[str], b: Sequence[str], threads: int) -> list[float]:
    """``indel_similarity`` of each text and its other one."""
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cpdist

    found = np.zeros(len(a))
    short = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y and max(len(x), len(y)) <= INDEL_CHARS]
    rows, as_wholes = np.array(short, np.int64), set(short)
    for floor in INDEL_FLOORS:
        sides = [[side[i] for i in rows.tolist()] for side in (a, b)]
        found[rows] = cpdist(*sides, scorer=Indel.normalized_similarity, score_cutoff=floor, dtype=np.float64,
                             workers=threads)
        rows = rows[found[rows] == 0.0]  # below the floor
    return [alike if i in as_wholes else indel_similarity(a[i], b[i]) for i, alike in enumerate(found.tolist())]


def _distance_by_pieces(a: str, b: str) -> int:
    """An upper bound of the Indel distance; the distance itself of texts that are not long."""
    from dedup.opcodes import anchors

    if max(len(a), len(b)) <= INDEL_CHARS:
        return _distance(a, b)
    spaced = 20 * min(a.count(" "), b.count(" ")) > max(len(a), len(b))  # else characters stand for words
    words = [text.split(" ") if spaced else list(text) for text in (a, b)]
    number = {word: n for n, word in enumerate(dict.fromkeys(itertools.chain(*words)))}
    edge_a, edge_b = (np.append(0, np.cumsum([len(word) + spaced for word in side])).tolist() for side in words)
    same = anchors(*(np.array([number[word] for word in side], np.int64) for side in words))
    distance = x = y = 0
    for i, j, count in [*same, (len(words[0]), len(words[1]), 0)]:
        distance += _distance(a[edge_a[x]:edge_a[i]], b[edge_b[y]:edge_b[j]])
        x, y = i + count, j + count
        distance += count > 0 and (edge_a[x] > len(a)) != (edge_b[y] > len(b))  # no space behind the last word
    return distance


def _distance(a: str, b: str) -> int:
    """An upper bound of the Indel distance: very long texts are cut in step."""
    from rapidfuzz.distance import Indel

    pieces = 1 if max(len(a), len(b)) <= INDEL_CHARS else max(len(a), len(b)) // INDEL_PIECE
    cuts = [[len(side) * i // pieces for i in range(pieces + 1)] for side in (a, b)]
    return sum(Indel.distance(a[a0:a1], b[b0:b1]) for (a0, a1), (b0, b1) in
               zip(*(itertools.pairwise(edges) for edges in cuts), strict=True))


class Spans(Struct, frozen=True):
    """Texts that may consist of several parts: those of span s are ``part_start[first[s]:first[s + 1]]`` (bytes).

    Attributes:
        chars: Code points of the page's text before the start and the end of each part, where they are known.
    """

    part_start: I64
    part_end: I64
    first: I64
    chars: tuple[I64, I64] | None = None

    def __len__(self) -> int:
        return len(self.first) - 1

    def take(self, rows: I64) -> Spans:
        """Some of the spans, in the order given."""
        part, first = kernel.take_ranges(self.first, rows)
        chars = None if self.chars is None else (self.chars[0][part], self.chars[1][part])
        return Spans(self.part_start[part], self.part_end[part], first, chars)


def spans_together(one: Spans, more: Spans) -> Spans:
    """Spans, and more of them behind these."""
    chars = None
    if one.chars is not None and more.chars is not None:
        chars = np.concatenate([one.chars[0], more.chars[0]]), np.concatenate([one.chars[1], more.chars[1]])
    return Spans(np.concatenate([one.part_start, more.part_start]), np.concatenate([one.part_end, more.part_end]),
                 np.concatenate([one.first, one.first[-1] + more.first[1:]]), chars)


def map_spans(engine: LocalEngine, corpus: Corpus, spans: Spans, stage: Callable[[U64, I64], R]) -> list[R]:
    """A stage over the token hashes of spans and where each span's begin; its parts one after the other."""
    return engine.map(lambda batch: stage(*_hashes(corpus, spans, batch)), span_batches(spans))


def _hashes(corpus: Corpus, spans: Spans, batch: tuple[int, int]) -> tuple[U64, I64]:
    """The token hashes of some spans, and where each one's begin."""
    first = spans.first[batch[0]:batch[1] + 1]
    parts = slice(int(first[0]), int(first[-1]))
    hashes, token_first = kernel.hash_tokens(corpus.text, spans.part_start[parts], spans.part_end[parts], corpus.flags)
    return hashes, np.ascontiguousarray(token_first[first - first[0]])


def span_batches(spans: Spans) -> list[tuple[int, int]]:
    """Spans in batches of few spans and not much text; one empty batch where there are none."""
    lengths = spans.part_end - spans.part_start
    if len(spans) <= BATCH_SPANS and int(lengths.sum()) <= BATCH_SPAN_BYTES:
        return [(0, len(spans))]
    size = sums(lengths)[spans.first]
    edges = np.searchsorted(size[:-1], np.arange(0, int(size[-1]), BATCH_SPAN_BYTES))
    cuts = distinct_numbers(np.concatenate([[0], np.arange(0, len(spans), BATCH_SPANS), edges, [len(spans)]])).tolist()
    return list(itertools.pairwise(cuts)) or [(0, 0)]


def span_overlaps(engine: LocalEngine, corpus: Corpus, a: Spans, b: Spans, size: int) -> tuple[I64, I64, I64]:
    """Shingles that span i of `a` and of `b` have in common, and sizes of their sets."""
    def overlaps(batch: tuple[int, int]) -> tuple[I64, I64, I64]:
        rows = np.arange(*batch)
        sets = [span_sets(LocalEngine(1), corpus, side.take(rows), size) for side in (a, b)]
        both = join_sets([(family.values, family.first) for family in sets])
        overlap = kernel.set_overlaps(both.values, both.first, rows - batch[0], rows - batch[0] + len(rows))
        return overlap, sets[0].sizes, sets[1].sizes
    columns = [np.concatenate(column) for column in zip(*engine.map(overlaps, span_batches(a)), strict=True)]
    return columns[0], columns[1], columns[2]


def span_digests(engine: LocalEngine, corpus: Corpus, spans: Spans) -> U64:
    """A digest of each span's tokens."""
    return np.concatenate(map_spans(engine, corpus, spans, kernel.range_digests))


def span_sets(engine: LocalEngine, corpus: Corpus, spans: Spans, size: int, most: int = 0) -> Sets:
    """The shingle set of each span, its parts taken one after the other.

    Args:
        most: Of ``made_sets``.
    """
    def shingle(batch: tuple[int, int]) -> tuple[U64, I64]:
        return kernel.shingle_sets(*_hashes(corpus, spans, batch), size)
    return made_sets(engine, span_batches(spans), shingle, most)


def long_spans(spans: Spans) -> npt.NDArray[np.bool_]:
    """Which spans may be very long: no strings are made of their texts."""
    size = sums(spans.part_end - spans.part_start)[spans.first]
    return widths(size) > LONG_BYTES // 4  # normalised, some characters are longer


def span_bytes(corpus: Corpus, spans: Spans, row: int) -> U8:
    """The normalised text of one span in UTF-8, its parts joined by blanks."""
    parts = slice(int(spans.first[row]), int(spans.first[row + 1]))
    out, first = kernel.normalise(corpus.text, spans.part_start[parts], spans.part_end[parts], corpus.flags)
    if len(first) == 2:
        return out
    joined = np.full(len(out) + len(first) - 2, ord(" "), np.uint8)
    for n, (begin, end) in enumerate(itertools.pairwise(first.tolist())):
        joined[begin + n:end + n] = out[begin:end]
    return joined


def span_texts(corpus: Corpus, spans: Spans) -> list[str]:
    """The normalised text of each span, its parts joined by blanks."""
    out, first = kernel.normalise(corpus.text, spans.part_start, spans.part_end, corpus.flags)
    together = out.tobytes()
    parts = [together[a:b].decode("utf-8", "surrogatepass") for a, b in itertools.pairwise(first.tolist())]
    return [parts[a] if b == a + 1 else " ".join(parts[a:b]) for a, b in itertools.pairwise(spans.first.tolist())]
