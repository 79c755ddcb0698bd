"""Removals as the manifest tells them: pages by their ids, places with lines and DOM paths, the text that went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dedup.cleaning.decide import Removal
from dedup.cleaning.manifest import Place, Removed
from dedup.cleaning.pieces import Left
from dedup.cleaning.plan import byte_ranges
from dedup.corpus import Corpus
from dedup.kernel import kernel

I64 = npt.NDArray[np.int64]


class Wording:
    """Tells the removals of a plan."""

    def __init__(self, corpus: Corpus, removals: Sequence[Removal]) -> None:
        self.corpus, self._removals = corpus, removals
        places = np.array([place for r in removals for place in ((r.page, r.start, r.end),
                                                                 (r.kept_page, r.kept_start, r.kept_end))], np.int64)
        self._places = places.reshape(-1, 3)
        self._start, self._end = byte_ranges(corpus, self._places)
        self._lines = self._line_numbers()

    def _line_numbers(self) -> I64:
        """First and last line of each place in plain text, from 1; of others nothing is said here."""
        out = np.zeros((len(self._places), 2), np.int64)
        order = np.argsort(self._places[:, 0], kind="stable")
        pages, first = np.unique(self._places[order, 0], return_index=True)
        for page, rows in zip(pages.tolist(), np.split(order, first[1:]) if len(first) else [], strict=True):
            head = self.corpus.pages[page]
            if head.layout is not None or head.record:
                continue
            at = np.concatenate([self._start[rows], np.maximum(self._end[rows] - 1, self._start[rows])])
            unique, back = np.unique(at, return_inverse=True)
            lines = kernel.line_numbers(self.corpus.text, int(self.corpus.page_start[page]), unique)[back] + head.line
            out[rows] = lines.reshape(2, -1).T
        return out

    def removed(self, number: int, plan_number: int, left: Sequence[Left] = ()) -> Removed:
        """A removal's line.

        Args:
            number: Its number in the manifest.
            plan_number: Its number in the plan.
            left: What of it stayed after all.
        """
        removal, row = self._removals[plan_number], 2 * plan_number
        text = self.corpus.text[self._start[row]:self._end[row]].tobytes().decode("utf-8", "replace")
        return Removed(number, self._place(row), self._place(row + 1), removal.group, removal.verdict, removal.rule,
                       removal.similarity, removal.jaccard, text, tuple((x.start, x.end, x.reason) for x in left))

    def _place(self, row: int) -> Place:
        page, start, end = self._places[row].tolist()
        head, corpus, path = self.corpus.pages[page], self.corpus, None
        line, end_line = self._lines[row].tolist()
        file = head.source if head.record else None
        if head.record:
            line = end_line = head.line
        elif head.layout is not None:
            low, high = int(corpus.page_first[page]), int(corpus.page_first[page + 1])
            if low == high:
                return Place(head.id, start, end, 1, 1, None, file)
            first = int(np.searchsorted(corpus.end[low:high], self._start[row], side="right"))
            last = max(int(np.searchsorted(corpus.start[low:high], self._end[row])) - 1, first)
            first, last = min(first, high - low - 1), min(last, high - low - 1)
            line, end_line = int(head.layout.line[first]), int(head.layout.end_line[last])
            path = head.layout.path[first] or None
        return Place(head.id, start, end, line, end_line, path, file)
