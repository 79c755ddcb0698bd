"""What a cut inside a text takes along, and what it leaves, so that nothing torn stays: pure functions over code points.

Words are never cut in two. A blank too many, punctuation and marks that would be left alone go with what they belong to;
what is a word in the sense of the tokens goes only if it was to go.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from dedup.cleaning.pieces import Cut, Gone, Left
from dedup.cleaning.signs import SYMBOLS

Range = tuple[int, int]

WORD = re.compile(r"[^\W_]")
SYMBOL = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in SYMBOLS) + "]")
BLANKS = " \t\xa0\u3000\u2009\u202f"
_SPACELESS = re.compile(  # scripts whose every letter is a token
    "[\u2e80-\u2fdf\u3005\u3007\u3040-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff]")
_JOINERS = frozenset("'’_.@/\\&=?#%+~:·‐‑-,")
_JOINED = re.compile(r"['’_.@/\\&=?#%+~·‐‑-]|://")
_JOINED_DIGITS = re.compile(r"[,:]")
_FINAL, _PAUSE = ".!?…。！？", ",;:–—，、；："
_PUNCTUATION = re.compile(f"[{_FINAL}{_PAUSE}]+")
_SEPARATORS = "|·•›»/→¦"
_CLOSERS = {"(": ")", "[": "]", "{": "}", "“": "”", "„": "“”", "«": "»", "「": "」", "『": "』", "（": "）", "【": "】",
            "《": "》", '"': '"'}
_MARKS = re.compile("[" + re.escape("".join(_CLOSERS) + "".join(_CLOSERS.values())) + "]")
_CLOSING = frozenset("".join(_CLOSERS.values()) + "’'")
_LOOKED_BACK = 200  # code points before a cut that are looked at


def apart(gone: Iterable[Gone], size: int) -> list[Gone]:
    """Stretches ascending and apart, inside a text of `size` code points; where two overlap, the first one has it."""
    out: list[Gone] = []
    at = 0
    for start, end, removal in sorted(gone):
        start, end = max(start, at), min(end, size)
        if start >= end:
            continue
        at = end
        if out and out[-1].end == start and out[-1].removal == removal:
            out[-1] = Gone(out[-1].start, end, removal)
        else:
            out.append(Gone(start, end, removal))
    return out


def has_words(text: str, start: int, end: int) -> bool:
    """Whether a letter or digit stands in a range."""
    return WORD.search(text, start, end) is not None


def says_something(text: str, start: int, end: int) -> bool:
    """Whether a letter, a digit, or a symbol stands in a range: what two stars of five say stands nowhere else."""
    return has_words(text, start, end) or SYMBOL.search(text, start, end) is not None


def is_inside_word(text: str, at: int) -> bool:
    """Whether a cut at `at` would tear a word, a number, an address, or signs that are one.

    >>> [is_inside_word("don't go", at) for at in (3, 4, 5)]
    [True, True, False]
    """
    if not 0 < at < len(text):
        return False
    before, behind = text[at - 1], text[at]
    if behind in "\u200d\ufe0e\ufe0f" or before == "\u200d" or "\U0001f3fb" <= behind <= "\U0001f3ff":
        return not before.isspace()
    if unicodedata.category(behind)[0] == "M":
        return not before.isspace()
    if before == "\r" and behind == "\n":
        return True
    first = last = at
    while first and at - first < 3 and text[first - 1] in _JOINERS:
        first -= 1
    while last < len(text) and last - at < 3 and text[last] in _JOINERS:
        last += 1
    left, right = text[first - 1:first], text[last:last + 1]
    if not (_in_word(left) and _in_word(right)):
        return False
    between = text[first:last]
    if not between or _JOINED.fullmatch(between):
        return True
    return left.isdigit() and right.isdigit() and _JOINED_DIGITS.fullmatch(between) is not None


def _in_word(char: str) -> bool:
    """Whether a sign is part of a word that more than it makes."""
    return char != "" and (char.isalnum() or unicodedata.category(char)[0] == "M") and not _SPACELESS.match(char)


def whole_words(text: str, start: int, end: int) -> Range:
    """The range without the words that it cuts in two, and without white space at its ends; may be empty.

    >>> whole_words("one two three", 1, 9)
    (4, 7)
    """
    while start < end and (text[start].isspace() or is_inside_word(text, start)):
        start += 1
    while end > start and (text[end - 1].isspace() or is_inside_word(text, end)):
        end -= 1
    return start, end


def stretches(text: str, gone: Sequence[Gone]) -> list[Range]:
    """Ranges of whole words that go, those joined between which nothing is said."""
    out: list[Range] = []
    raw: list[Range] = []
    for start, end, _ in gone:
        if raw and not says_something(text, raw[-1][1], start):
            raw[-1] = (raw[-1][0], end)
        else:
            raw.append((start, end))
    for start, end in raw:
        start, end = whole_words(text, start, end)
        if has_words(text, start, end):
            out.append((start, end))
    return out


def punctuated(text: str, lo: int, hi: int, start: int, end: int) -> tuple[int, int, bool]:
    """A range with the punctuation that belongs to it.

    Args:
        lo, hi: The block it stands in.
        start, end: Whole words of it.

    Returns:
        ``(start, end, attach)``; with `attach`, what stands behind is punctuation that goes on with what stands before.

    >>> text = "He said that it goes. It goes, but he stays."
    >>> [punctuated(text, 0, len(text), a, b) for a, b in ((13, 20), (22, 29))]
    [(12, 20, True), (22, 30, False)]
    """
    found = _PUNCTUATION.match(text, end, hi)
    before = start
    while before > lo and (text[before - 1].isspace() or text[before - 1] in BLANKS):
        before -= 1
    if not found:
        return start, end, False
    last = text[before - 1] if before > lo else ""
    begins = not has_words(text, max(lo, before - _LOOKED_BACK), before) or _ends_sentence(text, lo, before)
    if begins:
        return start, found.end(), False
    if last in _PAUSE:
        if found.group()[0] not in _FINAL:
            return start, found.end(), False
        while before > lo and (text[before - 1] in _PAUSE or text[before - 1].isspace()):
            before -= 1
        return before, end, True
    if _in_word(last) or last in _CLOSING or _SPACELESS.match(last):
        return before, end, True
    return start, end, False


def _ends_sentence(text: str, lo: int, at: int) -> bool:
    """Whether a sentence ends right before `at`, marks that close left aside."""
    while at > lo and (text[at - 1] in _CLOSING or text[at - 1] in BLANKS):
        at -= 1
    return at > lo and text[at - 1] in _FINAL


class Marks:
    """The brackets and quotes of a block, in pairs.

    Attributes:
        partner: Offset of the other one of each pair.
    """

    __slots__ = ("partner",)

    def __init__(self, text: str, lo: int, hi: int) -> None:
        self.partner: dict[int, int] = {}
        opened: list[int] = []
        for found in _MARKS.finditer(text, lo, hi):
            at, mark = found.start(), found.group()
            for depth in range(len(opened) - 1, max(-1, len(opened) - 9), -1):
                if mark in _CLOSERS[text[opened[depth]]]:
                    self.partner[at], self.partner[opened[depth]] = opened[depth], at
                    del opened[depth:]
                    break
            else:
                if mark in _CLOSERS:
                    opened.append(at)

    def within(self, text: str, start: int, end: int) -> tuple[int, int, list[Range]]:
        """The range with marks whose pair it leaves alone, and without those at its ends whose pair stays.

        Returns:
            ``(start, end, marks)``: `marks` outside that would be left alone and go, too.
        """
        partner = self.partner
        while start and partner.get(start - 1, -1) >= end and not has_words(text, end, partner[start - 1]) \
                and not text[end:partner[start - 1]].strip(_FINAL + _PAUSE + BLANKS):
            start, end = start - 1, partner[start - 1] + 1
        inside = [at for at in (found.start() for found in _MARKS.finditer(text, start, end))
                  if at in partner and not start <= partner[at] < end]
        lone: list[Range] = []
        for at in inside:
            if not has_words(text, start, at):
                start = at + 1
        for at in reversed(inside):
            if not has_words(text, at, end):
                end = max(start, at)
        for at in inside:
            if start <= at < end and not glues(text, partner[at], partner[at] + 1):
                lone.append((partner[at], partner[at] + 1))
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        return start, end, sorted(lone)


def blanked(text: str, lo: int, hi: int, start: int, end: int) -> Range:
    """A range with one blank, and one separator, beside it.

    >>> text = "home | news | sport"
    >>> [text[:a] + text[b:] for a, b in (blanked(text, 0, 19, *r) for r in ((0, 4), (7, 11), (14, 19)))]
    ['news | sport', 'home | sport', 'home | news']
    """
    before, behind = start, end
    while before > lo and text[before - 1] in BLANKS:
        before -= 1
    while behind < hi and text[behind] in BLANKS:
        behind += 1
    left, right = text[before - 1:before] if before > lo else "", text[behind:behind + 1] if behind < hi else ""
    if right and right in _SEPARATORS and (not left or left in _SEPARATORS):
        behind += 1
        while behind < hi and text[behind] in BLANKS:
            behind += 1
        return start, behind
    if left and left in _SEPARATORS and not right and before - 1 > lo:
        before -= 1
        while before > lo and text[before - 1] in BLANKS:
            before -= 1
        return before, end
    if not right or (before < start and behind == end and _closes(text, end, hi)):
        return before, end
    if not left or before < start or (behind > end and _opens(text, lo, start - 1)):
        return start, behind
    return start, end


def _opens(text: str, lo: int, at: int) -> bool:
    """Whether a mark that opens stands at `at`."""
    return text[at] in _CLOSERS and (text[at] not in _CLOSING or at == lo or text[at - 1].isspace())


def _closes(text: str, at: int, hi: int) -> bool:
    """Whether a mark that closes, or punctuation, stands at `at`."""
    if text[at] in _FINAL or text[at] in _PAUSE:
        return True
    return text[at] in _CLOSING and (text[at] not in _CLOSERS or at + 1 == hi or not _in_word(text[at + 1]))


def glues(text: str, start: int, end: int) -> bool:
    """Whether two words would become one without the range.

    >>> [glues(text, text.index('"'), text.index('"') + 1) for text in ('one"two', 'in Panama."3 Who', 'he said".')]
    [True, True, False]
    """
    if not 0 < start <= end < len(text):
        return False
    left, right = text[max(start - 8, 0):start], text[end:end + 8]
    return (_in_word(left[-1]) and _in_word(right[0])) or is_inside_word(left + right, len(left))


def spans(text: str, lo: int, hi: int, ranges: Iterable[Range]) -> list[Range]:
    """What goes of a block's text where it does not go as a whole.

    Args:
        lo, hi: The block.
        ranges: Whole words that go, ascending; other words stay.

    Returns:
        Ranges ascending and apart.
    """
    marks = Marks(text, lo, hi)
    out: list[Range] = []
    for start, end in ranges:
        start, end, lone = marks.within(text, start, end)
        start, end, attach = punctuated(text, lo, hi, start, end)
        if not attach:
            start, end = blanked(text, lo, hi, start, end)
        if has_words(text, start, end) and not glues(text, start, end):
            out += [(start, end), *lone]
    return merged(out)


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Ranges ascending, those that touch or overlap as one."""
    out: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def by_removal(ranges: Sequence[Range], gone: Sequence[Gone]) -> list[Cut]:
    """Cuts with their removals: a range with words of several is divided where the next one's begin.

    Args:
        ranges: Ascending and apart.
        gone: Ascending and apart, in the same offsets, not empty.
    """
    cuts: list[Cut] = []
    row = 0
    for start, end in ranges:
        while row < len(gone) and gone[row].end <= start:
            row += 1
        here = row
        removal = gone[here].removal if here < len(gone) and gone[here].start < end else _nearest(gone, row, start, end)
        at = start
        while here < len(gone) and gone[here].start < end:
            if gone[here].removal != removal:
                cuts.append(Cut(at, gone[here].start, removal))
                at, removal = gone[here].start, gone[here].removal
            here += 1
        cuts.append(Cut(at, end, removal))
    return cuts


def _nearest(gone: Sequence[Gone], row: int, start: int, end: int) -> int:
    """The removal of the stretch nearest to a range; `row` is the first one behind it."""
    if row == 0:
        return gone[0].removal
    if row == len(gone) or start - gone[row - 1].end <= gone[row].start - end:
        return gone[row - 1].removal
    return gone[row].removal


def left_over(text: str, gone: Sequence[Gone], ranges: Sequence[Range], reasons: Sequence[tuple[int, int, str]],
              otherwise: str = "it would cut a word in two") -> list[Left]:
    """What was to go, has words, and stays.

    Args:
        gone: Ascending and apart.
        ranges: What goes, ascending and apart.
        reasons: ``(start, end, why)`` of what could not go, ascending and apart.
        otherwise: Why, where no reason covers it.
    """
    out: list[Left] = []
    row = 0
    for start, end, removal in gone:
        at = start
        while row < len(ranges) and ranges[row][1] <= start:
            row += 1
        here = row
        while at < end:
            stop = ranges[here][0] if here < len(ranges) and ranges[here][0] < end else end
            if stop > at and has_words(text, at, stop):
                out += _reasoned(text, Left(at, stop, removal, otherwise), reasons)
            if here >= len(ranges) or ranges[here][0] >= end:
                break
            at, here = max(at, ranges[here][1]), here + 1
    return out


def _reasoned(text: str, left: Left, reasons: Sequence[tuple[int, int, str]]) -> list[Left]:
    """A stretch that stays, divided where the reasons differ."""
    out: list[Left] = []
    at = left.start

    def add(start: int, end: int, why: str) -> None:
        if has_words(text, start, end):
            while text[start].isspace():
                start += 1
            while text[end - 1].isspace():
                end -= 1
            out.append(Left(start, end, left.removal, why))

    row = bisect_right(reasons, left.start, key=lambda reason: reason[1])
    while row < len(reasons) and reasons[row][0] < left.end:
        start, end, why = max(reasons[row][0], at), min(reasons[row][1], left.end), reasons[row][2]
        row += 1
        if start < end and has_words(text, start, end):
            add(at, start, left.reason)
            add(start, end, why)
            at = end
    add(at, left.end, left.reason)
    return out
