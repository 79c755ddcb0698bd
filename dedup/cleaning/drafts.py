"""Pages as they are after the cuts so far: cut for real and read again, so that nobody guesses what is left of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dedup.cleaning.pieces import STAYS, Cut, Cuts, Gone, without
from dedup.cleaning.source import Content, Form, answered, answers, cut_bytes, cuts_of
from dedup.cleaning.text import text_cuts
from dedup.corpus import Corpus
from dedup.model import Layout
from dedup.options import Options
from dedup.readers.decode import decode

Source = Callable[[int], tuple[bytes, Form]]
Values = Callable[[Sequence[int]], Iterator[tuple[int, str]]]


class Draft(NamedTuple):
    """A page after a round.

    Attributes:
        page: Its number in the scan.
        cuts: The cuts of this round, in places of what it was before.
        text, layout: What is left, as a reader reads it; ``None`` where no reader takes it any more.
    """

    page: int
    cuts: Cuts
    text: str | None
    layout: Layout | None = None


class Drafts:
    """The pages of a cleaning as they are while it is planned.

    Args:
        files: Pages that are one file each.
        source: Content (decompressed) and format of such a file.
        values: The text fields of some other pages, in any order: they are HTML or Markdown.
        flat: Pages that are written as plain text, whatever they were.

    Attributes:
        cuts: What goes of each page so far, by the number of the removal: in bytes of its file, else in code points of
            its text or text field.
    """

    def __init__(self, corpus: Corpus, options: Options, files: frozenset[int] = frozenset(), source: Source | None = None,
                 values: Values | None = None, flat: frozenset[int] = frozenset()) -> None:
        self._corpus, self._options = corpus, options
        self._files, self._source, self._values, self.flat = files, source, values, flat
        self.cuts: dict[int, tuple[Cut, ...]] = {}

    def cut(self, gone: Mapping[int, Sequence[Gone]]) -> Iterator[Draft]:
        """Cut pages once more; HTML and Markdown in workers.

        Args:
            gone: What is to go of some pages, in places of their texts as they are now.

        Yields:
            Those pages.
        """
        files: list[int] = []
        fields: list[int] = []
        for page, stretches in gone.items():
            if page not in self._files:
                if self._is_text(page):
                    yield self._cut_text(page, stretches)
                else:
                    fields.append(page)
                continue
            data, form = self._now(page)
            if form == "text":
                cuts = cuts_of("text", data, stretches, (), ())
                yield Draft(page, cuts, decode(self._taken(page, data, cuts))[0])
            else:
                files.append(page)
        if files or fields:
            yield from self._cut_markup(files, fields, gone)

    def _cut_markup(self, files: Sequence[int], fields: Sequence[int], gone: Mapping[int, Sequence[Gone]]) -> Iterator[Draft]:
        from dedup.readers.jobs import Job
        from dedup.readers.pool import WorkerPool

        def jobs() -> Iterator[tuple[tuple[int, Content], Job]]:
            for page in files:
                content = Content(*self._now(page), tuple(gone[page]))
                yield (page, content), Job(content.form, content.data, "", content.gone)
            form = self._options.field_format
            assert form != "text" or not fields
            for page, value in self._values(fields) if self._values is not None and fields else ():
                text = without(value, self.cuts.get(page, ()))
                content = Content(text.encode("utf-8", "surrogatepass"), form, tuple(gone[page]))
                yield (page, content), Job(form, content.data, "str", content.gone)

        def again() -> Iterator[tuple[tuple[int, Cuts], Job]]:
            for (page, content), answer in answers(pool, jobs()):
                cuts = answered(content, answer)
                if page in self._files:
                    yield (page, cuts), Job(content.form, self._taken(page, content.data, cuts))
                    continue
                left = without(content.data.decode("utf-8", "surrogatepass"), cuts.cuts)
                self.cuts[page] = composed(self.cuts.get(page, ()), cuts.cuts)
                yield (page, cuts), Job(content.form, left.encode("utf-8", "surrogatepass"), "str")
        with contextlib.ExitStack() as stack:
            pool = WorkerPool(self._options.threads or os.cpu_count() or 1, self._options)
            stack.callback(pool.close)
            for (page, cuts), answer in answers(pool, again()):
                yield Draft(page, cuts, None if answer.refused else answer.text, answer.layout)

    def _is_text(self, page: int) -> bool:
        """Whether a page that is no file has its text as it is read."""
        return page in self.flat or self._options.field_format == "text" or self._corpus.pages[page].layout is None

    def _cut_text(self, page: int, stretches: Sequence[Gone]) -> Draft:
        before = self.cuts.get(page, ())
        text = without(self._corpus.page_text(page), before)
        cuts = text_cuts(text, stretches)
        self.cuts[page] = composed(before, cuts.cuts)
        return Draft(page, cuts, without(text, cuts.cuts))

    def _now(self, page: int) -> tuple[bytes, Form]:
        """Content of a page's file as it is now, and its format."""
        assert self._source is not None
        data, form = self._source(page)
        return kept_bytes(data, self.cuts.get(page, ())), form

    def _taken(self, page: int, data: bytes, cuts: Cuts) -> bytes:
        """Note the cuts of a page; what they leave."""
        self.cuts[page] = composed(self.cuts.get(page, ()), cuts.cuts)
        return kept_bytes(data, cuts.cuts)


def kept_bytes(data: bytes, cuts: Sequence[Cut]) -> bytes:
    """What cuts leave of some bytes."""
    return b"".join(piece.data for piece in cut_bytes(data, cuts) if piece.removal == STAYS)


def composed(cuts: Sequence[Cut], more: Sequence[Cut]) -> tuple[Cut, ...]:
    """The cuts of a source, and more of them, which are in places of what the first ones leave.

    >>> [tuple(cut) for cut in composed([Cut(3, 5, 0)], [Cut(1, 4, 1), Cut(4, 5, 2)])]
    [(1, 3, 1), (3, 5, 0), (5, 6, 1), (6, 7, 2)]
    """
    out: list[Cut] = []
    shift = row = 0
    for start, end, removal in more:
        at = start
        while row < len(cuts) and cuts[row].start - shift < end:
            before = cuts[row].start - shift
            if at < before:
                out.append(Cut(at + shift, before + shift, removal))
                at = before
            out.append(cuts[row])
            shift += cuts[row].end - cuts[row].start
            row += 1
        out.append(Cut(at + shift, end + shift, removal))
    return (*out, *cuts[row:])
