"""The words in which two texts differ, found by rapidfuzz in bounded work."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from dedup.model import Pair

# Past these the rest is not compared: a person reads a few lines, and the work of a diff grows with the product.
MAX_CHARS = 400_000
MAX_WORDS = 2_000

# In scripts without spaces each character is a word of its own.
_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"


@cache
def _word() -> re.Pattern[str]:
    """Made when something differs: it takes as long as the module."""
    return re.compile(rf"[{_NO_SPACES}]|[^\s{_NO_SPACES}]+")


class Stretch(NamedTuple):
    """Words that two texts share (``same``), or that only the first (``old``) or the second (``new``) has.

    ``unread`` stands for what lies past the bounds and was not compared.
    """

    kind: Literal["same", "old", "new", "unread"]
    text: str


class _Words(NamedTuple):
    text: str
    spans: list[tuple[int, int]]

    def join(self, start: int, end: int) -> str:
        return " ".join(self.text[self.spans[start][0] : self.spans[end - 1][1]].split()) if start < end else ""

    def word(self, index: int) -> str:
        start, end = self.spans[index]
        return self.text[start:end]


def differences(old: str, new: str) -> list[Stretch]:
    """The two texts as stretches, in order; joined by spaces they give both texts again (white space collapsed).

    >>> for stretch in differences("on Monday the vote", "on Friday the last vote"):
    ...     print(*stretch)
    same on
    old Monday
    new Friday
    same the
    new last
    same vote
    """
    return [stretch for stretch in _walk(_cut(old), _cut(new)) if stretch.text]


def pair_differences(pair: Pair, border: str) -> list[Stretch]:
    """The two texts of a pair as stretches, words compared as in ``pair.opcodes()``; past the bounds unread.

    What a run goes over is ``unread``, too. A few equal words between longer changes are part of one change.

    Args:
        border: Stands for the border of two paragraphs.
    """
    paragraphs = re.compile(r"\n" if pair.a.path else r"\n\s*\n")  # of HTML each line of the text is one
    sides = [[side.text[begin - side.start:end - side.start] for begin, end in side.parts or ((side.start, side.end),)]
             for side in (pair.a, pair.b)]
    out, left = list[Stretch](), MAX_CHARS
    for a, b in zip(*sides, strict=True):
        if out:
            out.append(Stretch("unread", "[...]"))
        for kind, text in _changes_of(a[:left], b[:left], cut=max(len(a), len(b)) > left):
            out.append(Stretch(kind, " ".join(paragraphs.sub(f" {border} ", text).split()).removesuffix(border).rstrip()))
        left -= min(max(len(a), len(b)), left)
        if not left:
            break
    return [stretch for stretch in out if stretch.text]


def _changes_of(a: str, b: str, cut: bool) -> Iterator[Stretch]:
    """Two texts as stretches; `cut`: more follows."""
    from dedup.opcodes import word_opcodes

    codes = word_opcodes(a, b)
    if cut and codes and codes[-1][0] != "equal":
        codes.pop()  # where the texts were cut, not where they differ
    sizes = [[len(_word().findall(text)) for text in (a[a0:a1], b[b0:b1])] for _, a0, a1, b0, b1 in codes]
    changes = [0 if code[0] == "equal" else max(size) for code, size in zip(codes, sizes, strict=True)]
    same = [code[0] == "equal" and not (0 < i < len(codes) - 1 and size[0] < min(changes[i - 1], changes[i + 1]))
            for i, (code, size) in enumerate(zip(codes, sizes, strict=True))]
    for is_same, rows in itertools.groupby(range(len(codes)), key=same.__getitem__):
        own = [codes[row] for row in rows]
        a0, a1, b0, b1 = own[0][1], own[-1][2], own[0][3], own[-1][4]
        if is_same:
            yield Stretch("same", a[a0:a1])
        else:
            yield Stretch("old", a[a0:a1])
            yield Stretch("new", b[b0:b1])
    if cut:
        yield Stretch("unread", "...")


def _cut(text: str) -> _Words:
    text = text[:MAX_CHARS]
    return _Words(text, [found.span() for found in _word().finditer(text)])


def _walk(a: _Words, b: _Words) -> Iterator[Stretch]:
    left, right = _common_ends(a, b)
    end_a, end_b = min(len(a.spans) - right, left + MAX_WORDS), min(len(b.spans) - right, left + MAX_WORDS)
    yield Stretch("same", a.join(0, left))
    numbers: dict[str, int] = {}
    middle_a = [numbers.setdefault(a.word(i), len(numbers)) for i in range(left, end_a)]
    middle_b = [numbers.setdefault(b.word(i), len(numbers)) for i in range(left, end_b)]
    for kind, a1, a2, b1, b2 in _changes(middle_a, middle_b):
        if kind == "equal":
            yield Stretch("same", a.join(left + a1, left + a2))
        else:
            yield Stretch("old", a.join(left + a1, left + a2))
            yield Stretch("new", b.join(left + b1, left + b2))
    whole = end_a == len(a.spans) - right and end_b == len(b.spans) - right
    if whole:
        yield Stretch("same", a.join(len(a.spans) - right, len(a.spans)))
    if not whole or max(len(a.text), len(b.text)) == MAX_CHARS:
        yield Stretch("unread", "...")


def _common_ends(a: _Words, b: _Words) -> tuple[int, int]:
    """Numbers of words at the beginning and at the end that both texts share: they need no diff."""
    least = min(len(a.spans), len(b.spans))
    left = 0
    while left < least and a.word(left) == b.word(left):
        left += 1
    right = 0
    while right < least - left and a.word(-1 - right) == b.word(-1 - right):
        right += 1
    return left, right


def _changes(a: Sequence[int], b: Sequence[int]) -> Iterator[tuple[str, int, int, int, int]]:
    """Opcodes with neighbouring deletions and insertions made one change."""
    from rapidfuzz.distance import Indel  # many reports need no diff

    pending: tuple[int, int, int, int] | None = None
    for code in Indel.opcodes(a, b):
        a1, a2, b1, b2 = code.src_start, code.src_end, code.dest_start, code.dest_end
        if code.tag == "equal":
            if pending:
                yield ("change", *pending)
            pending = None
            yield "equal", a1, a2, b1, b2
        else:
            pending = (pending[0], a2, pending[2], b2) if pending else (a1, a2, b1, b2)
    if pending:
        yield ("change", *pending)


def folded(stretches: Sequence[Stretch], context: int, ends: bool = False) -> Iterator[Stretch]:
    """The stretches with long equal ones cut to their words next to a change.

    Args:
        context: Words next to a change that stay.
        ends: The first and the last words of all stay, too.

    >>> [s.text for s in folded(differences("a b c d e f X", "a b c d e f Y"), 2)]
    ['... e f', 'X', 'Y']
    """
    for index, (kind, text) in enumerate(stretches):
        if kind != "same":
            yield Stretch(kind, text)
            continue
        first, last = index == 0 and not ends, index == len(stretches) - 1 and not ends
        words = text.split(" ")
        if len(words) <= context * (1 if first or last else 2) + 1:
            yield Stretch(kind, text)
            continue
        head = [] if first else words[:context]
        tail = [] if last else words[-context:]
        yield Stretch(kind, " ".join([*head, "...", *tail]))
