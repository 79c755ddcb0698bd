"""The Indel distance of two texts of any length: the time grows with the length, what is held beside the texts with a piece.

The texts stay columns of bytes (UTF-8). They are cut where both have the same run of bytes, once in each; of runs only those
are looked at whose hash says so, about one in 256 bytes, the same ones in both. What lies between two cuts is measured
piece by piece.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from dedup.kernel import kernel

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
Distance = Callable[[str, str], int]

LONG_BYTES = 500_000  # texts longer than that are measured here
WHOLE = 100_000  # bytes between two cuts that are measured as texts of their own
STEP = 4_000  # bytes between two cuts, about
CHUNK = 1 << 18  # bytes that are looked at together
RUN = 40  # bytes of a run by which texts are cut
ONE_IN = 256  # runs


def long_similarity(a: U8, b: U8, distance: Distance) -> float:
    """Indel similarity of two texts, never more than the true one, and next to it unless long stretches have nothing in
    common.

    Args:
        distance: Measures two pieces.
    """
    chars = _chars(a) + _chars(b)
    left = _common(a, b)
    while 0 < left < len(a) and _inside(a[left:left + 1])[0]:
        left -= 1
    a, b = a[left:], b[left:]
    right = _common(a[::-1], b[::-1])
    while right and _inside(a[len(a) - right:len(a) - right + 1])[0]:
        right -= 1
    a, b = a[:len(a) - right], b[:len(b) - right]
    return 1.0 - sum(_pieces(a, b, distance)) / max(chars, 1)


def _pieces(a: U8, b: U8, distance: Distance) -> Iterator[int]:
    """Distances of what lies between the cuts."""
    for (a0, b0), (a1, b1) in itertools.pairwise([(0, 0), *_cuts(a, b), (len(a), len(b))]):
        x, y = a[a0:a1], b[b0:b1]
        if equal(x, y):
            continue
        if not len(x) or not len(y):
            yield _chars(x) + _chars(y)
        elif max(len(x), len(y)) <= WHOLE:
            yield distance(decoded(x), decoded(y))
        else:
            yield from _in_step(x, y, distance)


def _in_step(a: U8, b: U8, distance: Distance) -> Iterator[int]:
    """Distances of as many pieces of either text."""
    count = max(len(a), len(b)) // STEP
    for n in range(count):
        x, y = (side[_start(side, n, count):_start(side, n + 1, count)] for side in (a, b))
        yield distance(decoded(x), decoded(y))


def _start(text: U8, n: int, count: int) -> int:
    """Where the n-th of some pieces starts: with a character."""
    at = len(text) * n // count
    return at + int(_inside(text[at:at + 4]).argmin()) if at < len(text) else at


def decoded(text: U8) -> str:
    """A text of bytes."""
    return text.tobytes().decode("utf-8", "surrogatepass")


def _inside(text: U8) -> npt.NDArray[np.bool_]:
    """Which bytes are not the first ones of their characters."""
    inside: npt.NDArray[np.bool_] = (text & 0xC0) == 0x80
    return inside


def _chars(text: U8) -> int:
    return int(kernel.code_points(text, np.array([len(text)]))[0])


def _common(a: U8, b: U8) -> int:
    """How many bytes both have in common at the beginning."""
    least = min(len(a), len(b))
    for at in range(0, least, CHUNK):
        end = min(at + CHUNK, least)
        differ = a[at:end] != b[at:end]
        if differ.any():
            return at + int(differ.argmax())
    return least


def equal(a: U8, b: U8) -> bool:
    """Whether two texts are equal."""
    return len(a) == len(b) == _common(a, b)


def _cuts(a: U8, b: U8) -> list[tuple[int, int]]:
    """Places in both, ascending, a step apart, at which the texts have the same run: the longest chain of such runs."""
    from dedup.opcodes import ascending

    once = [_runs(side) for side in (a, b)]
    _, in_a, in_b = np.intersect1d(once[0][0], once[1][0], assume_unique=True, return_indices=True)
    x, y = once[0][1][in_a], once[1][1][in_b]
    order = np.argsort(x)
    x, y = x[order], y[order]
    begin = np.flatnonzero(np.diff(y - x, prepend=-1 - len(a)))  # of runs that stand equally far from each other in both
    runs = np.diff(np.append(begin, len(x)))
    kept = np.zeros(len(begin), bool)
    kept[ascending(y[begin], runs)] = True
    x, y = (side[np.repeat(kept, runs)] for side in (x, y))
    rises = y > np.maximum.accumulate(np.append(0, y))[:-1]  # none reaches into the next one
    x, y = x[rises], y[rises]
    first = np.diff((x + y) // (2 * STEP), prepend=0) > 0
    first[-1:] = True
    return list(zip(x[first].tolist(), y[first].tolist(), strict=True))


def _runs(text: U8) -> tuple[U64, I64]:
    """Hashes of the runs looked at that stand once, ascending, and where these begin."""
    found = [_runs_of(text[at:at + CHUNK + RUN - 1], at) for at in range(0, len(text) - RUN + 1, CHUNK)]
    if not found:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    key, place, count = (np.concatenate(column) for column in zip(*found, strict=True))
    value, first, chunks = np.unique(key, return_index=True, return_counts=True)
    once = (chunks == 1) & (count[first] == 1)
    return value[once], place[first[once]]


def _runs_of(text: U8, at: int) -> tuple[U64, I64, I64]:
    """Different runs of a chunk, the first place of each, and how often it stands there."""
    count = len(text) - RUN + 1
    eight = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    key = np.zeros(count, np.uint64)
    for begin in range(0, RUN, 8):
        key = (key ^ eight[begin:begin + count]) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    some = np.flatnonzero((key % np.uint64(ONE_IN) == 0) & ~_inside(text[:count]))
    value, first, often = np.unique(key[some], return_index=True, return_counts=True)
    return value, some[first] + at, often
