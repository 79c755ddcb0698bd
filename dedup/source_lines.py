"""Lines of a page's text in its source, from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.kernel import kernel

if TYPE_CHECKING:
    from dedup.corpus import Corpus
    from dedup.model import Page


def block_line(corpus: Corpus, p: int, block: int) -> int:
    """Line of a block of a page, which is numbered through the collection."""
    return block_lines(corpus, p, block, block)[0]


def block_lines(corpus: Corpus, p: int, first: int, last: int) -> tuple[int, int]:
    """First and last line of some blocks of a page."""
    page = corpus.pages[p]
    if page.layout is not None:
        row, last_row = first - int(corpus.page_first[p]), last - int(corpus.page_first[p])
        return int(page.layout.line[row]), int(page.layout.end_line[last_row])
    if page.record:
        return page.line, page.line
    at = np.array([corpus.start[first], corpus.end[last] - 1], np.int64)
    begin, end = (kernel.line_numbers(corpus.text, int(corpus.page_start[p]), at) + page.line).tolist()
    return begin, end


def line_feeds(text: str) -> npt.NDArray[np.int64]:
    """Where the line feeds of a text are, in code points."""
    return np.flatnonzero(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4") == ord("\n"))


def page_lines(page: Page, text: str) -> tuple[tuple[int, int], ...]:
    """Where the lines of a page's text stand in its source; see ``PageReport.lines``. A record has none.

    A point for the first block, and for each block whose line does not follow from the one before by counting line feeds.

    Args:
        page: The page; its own text is not looked at.
        text: The text.
    """
    layout = page.layout
    if page.record:
        return ()
    if layout is None:
        return ((0, page.line),)
    ahead = layout.line - np.searchsorted(line_feeds(text), layout.start)
    points = np.flatnonzero(np.diff(ahead, prepend=0) | (np.arange(len(ahead)) == 0))
    return tuple(zip(layout.start[points].tolist(), layout.line[points].tolist(), strict=True))
