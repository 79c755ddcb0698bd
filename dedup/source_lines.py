"""Lines of a page's text in its source, from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dedup.kernel import kernel

if TYPE_CHECKING:
    from dedup.blocks import Corpus
    from dedup.model import Page


def block_line(corpus: Corpus, p: int, block: int) -> int:
    """Line of a block of a page, which is numbered through the collection."""
    page = corpus.pages[p]
    if page.layout is not None:
        return int(page.layout.line[block - int(corpus.page_first[p])])
    if page.record:
        return page.line
    at = np.array([corpus.start[block]], np.int64)
    return int(kernel.line_numbers(corpus.text, int(corpus.page_start[p]), at)[0]) + page.line


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
