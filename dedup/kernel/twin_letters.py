"""Plain twin of ``letters.hpp``: items of scanned text, runs of letters whatever stands between them."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from dedup.kernel.align_settings import ITEM_FLAGS
from dedup.kernel.twin_seeding import GRAM_BASE, ends_sentence
from dedup.kernel.twin_sets import I64, fmix64
from dedup.kernel.twin_tokens import MASK, _fold_table, cut_ranges, hash_content

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]

MAX_LETTERS = 16
NO_LETTERS = {ord(char) for char in "'.·"} | set(range(0x300, 0x370))  # joiners, accents


def letter_items(text: U8, start: I64, end: I64, page_first: I64, flags: int, letters: int) -> tuple[U32, I64]:
    """One item for each letter of the tokens' contents: that letter and those behind it in its page, whatever is between.

    Joiners (``'``, ``.``, ``·``) and accents (U+0300-036F) are no letters; a character of a script without spaces counts as
    two, with the marks behind it.

    Args:
        text, start, end, flags: As for ``tokenise``.
        page_first: First range of each page, one longer than the pages.
        letters: In one run, 1 to 16; the last ones of a page have fewer.

    Returns:
        (item, first): 30 bits of hash, bit 0: a sentence starts here, as in ``bag_items``; the first item of each token, one
        longer than the tokens.
    """
    if not 1 <= letters <= MAX_LETTERS:
        raise ValueError("letters must be 1 to 16")
    covered = slice(int(page_first[0]), int(page_first[-1]))
    cut = cut_ranges(text, start[covered], end[covered], flags)
    folded, raw, contents = _fold_table(flags)[text].tobytes(), text.tobytes(), iter(cut.content)
    page_of = np.searchsorted(page_first - page_first[0], cut.range, side="right")
    values, borders, first, pages = list[int](), list[int](), [0], list[int]()
    before = (-1, 0)
    for of_range, page, a, b, is_ascii, half in zip(*(column.tolist() for column in (
            cut.range, page_of, cut.start, cut.end, cut.ascii, cut.half)), strict=True):
        content = folded[a:b] if is_ascii else next(contents)
        if half:
            whole = hash_content(content, 0) & ~1
            own = [whole, whole | 1]
        else:
            own = [code for code in map(ord, content.decode()) if code not in NO_LETTERS]
        border = of_range != before[0] or (a > before[1] and ends_sentence(raw[before[1]:a]))
        borders += [border, *[0] * (len(own) - 1)][:len(own)]
        values += own
        pages += [page] * len(own)
        first.append(len(values))
        before = of_range, b
    sums = []
    for _, run in itertools.groupby(range(len(values)), pages.__getitem__):
        own = [values[i] + 1 for i in run]
        for i in range(len(own)):
            total = 0
            for value in own[i:i + letters]:
                total = (total * GRAM_BASE + value) & MASK
            sums.append(total)
    mixed = fmix64(np.array(sums, np.uint64)) >> np.uint64(34) << np.uint64(ITEM_FLAGS)
    return mixed.astype(np.uint32) | np.array(borders, np.uint32), np.array(first, np.int64)
