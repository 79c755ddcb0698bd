"""Stage 2: pages become a ``Corpus``, and are cut into blocks. Only this module turns code points into bytes and back."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from dedup.columns import sums, widths
from dedup.corpus import Corpus, Tokens, batch_bytes, token_flags
from dedup.engines.local import LocalEngine
from dedup.filed import LEAST_IN_FILE, Filed, filed, of_large
from dedup.heads import Heads, Strings
from dedup.kernel import kernel
from dedup.model import Layout, Page
from dedup.options import Options

if TYPE_CHECKING:
    from dedup.readers.reading import Texts

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NO_TEXT, NO_TOKENS, NO_DIGESTS = np.empty(0, np.uint8), np.empty(0, np.uint32), np.empty(0, np.uint64)
HELD_BYTES = 1 << 18  # of pages that are added to what was read together
DIGEST_PAGES = 1024  # that one thread digests at a time
FIRST_TEXT = 1 << 18  # bytes of the buffer of all texts, unless it is known that there are more
MOST_AHEAD, MOST_TIMES = 1 << 32, 16  # bytes of it that are asked for at most because more is to come; times what there is
FEW_BYTES = 1 << 20  # of text whose pages are read together
COPIED = 1 << 26  # bytes that are copied at a time to a larger buffer


class Encoded(Struct, frozen=True):
    """Pages whose texts are in UTF-8 already.

    Attributes:
        heads: The pages; what stands in their ``text`` is not looked at.
        texts: Their texts, a lone surrogate in three bytes.
    """

    heads: Sequence[Page]
    texts: Sequence[bytes]


class Batch(Struct):
    """Pages as they were read: their texts one after the other, and what else is known of them.

    Attributes:
        text: Their texts in the buffer of all texts, until they are surveyed.
        size: Bytes of it.
        page_start: First byte of each page in it, one longer than the pages.
        layouts: Of those pages whose reader knows the blocks, by number in the batch.
    """

    text: U8
    size: int
    page_start: I64
    layouts: dict[int, Layout]


class TextBuffer:
    """The texts of all pages, one after the other, while they are read.

    A larger buffer takes the place of one that is full; where it is known how much comes, there is room from the start
    (memory that nothing was written to costs nothing).
    """

    def __init__(self, expected: Callable[[], int] = lambda: 0) -> None:
        self._column, self._expected, self.size = Filed(0, np.uint8), expected, 0

    def add(self, data: bytes | memoryview | U8) -> None:
        """Put a text at the end."""
        end = self.size + len(data)
        if end > len(self._column.values):
            larger = max(end, 2 * self.size, min(self._expected(), MOST_TIMES * self.size + MOST_AHEAD), FIRST_TEXT)
            old, self._column = self._column.values, Filed(larger, np.uint8)
            for at in range(0, self.size, COPIED):
                self._column.write(at, old[at:min(at + COPIED, self.size)])
                kernel.relieve_memory()
        self._column.write(self.size, np.frombuffer(data, np.uint8))
        self.size = end

    def since(self, start: int) -> U8:
        """What stands from `start` on; it stays as it is whatever is added."""
        return self._column.values[start:self.size]


class Survey(Struct, frozen=True):
    """The blocks of one batch: columns as in ``Corpus``, counted from the batch's first page, byte and code point."""

    page_first: I64
    start: I64
    end: I64
    page_chars: I64
    start_chars: I64
    end_chars: I64
    kind: U8
    token: U32
    token_first: I64
    halves: I64
    fingerprint: U64
    bands: U32
    digests: U64


class Measured(Struct, frozen=True):
    """What was made of the tokens of some blocks: columns as in ``Survey``.

    Attributes:
        chars: Code points of each block, where its bands were wanted.
    """

    token: U32
    token_first: I64
    halves: I64
    fingerprint: U64
    bands: U32 = NO_TOKENS
    chars: I64 | None = None
    digests: U64 = NO_DIGESTS


def read_corpus(pages: Iterable[Page], engine: LocalEngine, options: Options,
                told: Callable[[int, int | None], None] | None = None,
                bands: tuple[int, int] | None = None) -> tuple[Corpus, Tokens]:
    """Pages as columns, cut into blocks and measured; and their tokens, or where pages are not cut their sketches.

    Batches are surveyed while the next ones are read.

    Args:
        told: Gets the bytes that were read, after each batch, and how many there will be, where that is known.
        bands: Bands of a sketch and registers in each, where whole pages are to be sketched.
    """
    flags, whole = token_flags(options), options.unit == "page"

    def measure(text: U8, start: I64, end: I64) -> Measured:
        if bands is not None:  # of pages that are compared by their sketches alone nobody needs the tokens
            size, seed = options.shingle_tokens, options.seed
            return Measured(NO_TOKENS, *kernel.survey_bands(text, start, end, flags, size, *bands, seed))
        token, first, halves, digest = kernel.survey_tokens(text, start, end, flags)
        return Measured(NO_TOKENS if whole else token, first, halves, digest)
    stretches: Iterator[Page | Texts | Encoded] = iter(pages.stretches() if hasattr(pages, "stretches") else pages)
    held, is_all = _few_pages(stretches)
    if is_all and not engine.is_bounded:
        few, alone = _together(held)
        if told is not None:
            told(max(few.size, getattr(pages, "bytes_behind", 0)), getattr(pages, "whole_bytes", None))
        found = survey_batch(few, measure, whole)
        return (_joined(few.text, [few], [found], alone, flags, getattr(pages, "references", None)),
                Tokens(np.array([0, len(alone)]), [found.token], [found.bands], [found.digests]))
    batches = list[Batch]()
    text, heads = TextBuffer(lambda: getattr(pages, "expected_bytes", 0)), Heads()

    def kept() -> Iterator[Batch]:
        for batch in page_batches(itertools.chain(_drained(held), stretches), text, heads, engine.most_batch):
            batches.append(batch)
            if told is not None:
                told(max(text.size, getattr(pages, "bytes_behind", 0)), getattr(pages, "whole_bytes", None))
            yield batch

    def survey(batch: Batch) -> Survey:
        found = survey_batch(batch, measure, whole)
        batch.text = NO_TEXT  # else it would keep a buffer whose place a larger one took
        return replace(found, token=filed(found.token)) if text.size >= LEAST_IN_FILE else found
    surveys = engine.stream(survey, kept())
    references: int | None = getattr(pages, "references", None)
    page = sums(np.array([len(batch.page_start) - 1 for batch in batches], np.int64))
    tokens = Tokens(page, *([getattr(survey, name) for survey in surveys] for name in ("token", "bands", "digests")))
    return _joined(text.since(0), batches, surveys, heads, flags, references), tokens


def _few_pages(stretches: Iterator[Page | Texts | Encoded]) -> tuple[list[Page | Texts | Encoded], bool]:
    """Pages up to ``FEW_BYTES``, or up to some that were read together; and whether these are all, one at least."""
    held: list[Page | Texts | Encoded] = []
    size = 0
    for item in stretches:
        held.append(item)
        if not isinstance(item, Page | Encoded):
            return held, False
        size += len(item.text) if isinstance(item, Page) else sum(map(len, item.texts))
        if size > FEW_BYTES:
            return held, False
    return held, bool(held)


def _drained(held: list[Page | Texts | Encoded]) -> Iterator[Page | Texts | Encoded]:
    """What is held, each let go of as soon as it was taken."""
    held.reverse()
    while held:
        yield held.pop()


def _together(items: Iterable[Page | Texts | Encoded]) -> tuple[Batch, Heads]:
    """Few pages as one batch."""
    pages, texts = list[Page](), list[bytes]()
    for item in items:
        if isinstance(item, Page):
            pages.append(item)
            texts.append(item.text.encode("utf-8", "surrogatepass"))
        elif isinstance(item, Encoded):
            pages += item.heads
            texts += item.texts
    data, heads = b"".join(texts), Heads()
    heads.add_all(pages)
    start = np.array([0, *itertools.accumulate(map(len, texts))], np.int64)
    return Batch(np.frombuffer(data, np.uint8), len(data), start, dict(heads.layouts)), heads


def page_batches(pages: Iterable[Page | Texts | Encoded], text: TextBuffer, heads: Heads, most: int = 0) -> Iterator[Batch]:
    """Pages in batches of about ``batch_bytes`` of text, which is added to `text`, what else is known of them to `heads`.

    A page is never cut. How much text there will be is not known: twice as much as there is.
    """
    stretches: Iterable[Page | Texts | Encoded] = pages.stretches() if hasattr(pages, "stretches") else pages
    sizes, layouts, begin, size = list[int](), dict[int, Layout](), 0, batch_bytes(0, most)
    held, texts, waiting = list[Page](), list[bytes](), 0  # pages are added some together, and bytes of these

    def settle() -> None:
        nonlocal waiting
        if held:
            text.add(b"".join(texts))
            heads.add_all(held)
            held.clear()
            texts.clear()
            waiting = 0

    def batch() -> Batch:
        settle()
        return Batch(text.since(begin), text.size - begin, sums(np.array(sizes, np.int64)), layouts)
    for item in stretches:
        if isinstance(item, Page | Encoded):
            for some, data in _encoded(item):
                held += some
                texts += data
                waiting += sum(map(len, data))
                layouts.update((row, page.layout) for row, page in enumerate(some, len(sizes)) if page.layout is not None)
                sizes += map(len, data)
                if text.size + waiting - begin >= size:
                    yield batch()
                    sizes, layouts, begin, size = [], {}, text.size, batch_bytes(2 * text.size, most)
                elif waiting >= HELD_BYTES:
                    settle()
            continue
        settle()
        first, at = item.first, 0
        while at < len(item.heads):  # up to the page that fills the batch
            to = min(int(np.searchsorted(first, first[at] + (size - (text.size - begin)))), len(item.heads))
            text.add(item.text[first[at]:first[to]])
            sizes += np.diff(first[at:to + 1]).tolist()
            heads.extend(item.heads.part(at, to))
            at = to
            if text.size - begin >= size:
                yield batch()
                sizes, layouts, begin, size = [], {}, text.size, batch_bytes(2 * text.size, most)
    if sizes:
        yield batch()


def _encoded(item: Page | Encoded) -> Iterable[tuple[Sequence[Page], Sequence[bytes]]]:
    """Pages, and their texts in UTF-8: those of a small batch together."""
    if isinstance(item, Page):
        return (((item,), (item.text.encode("utf-8", "surrogatepass"),)),)
    if sum(map(len, item.texts)) < batch_bytes(0, 0) // 2:
        return ((item.heads, item.texts),)
    return (((page,), (data,)) for page, data in zip(item.heads, item.texts, strict=True))


def survey_batch(batch: Batch, measure: Callable[[U8, I64, I64], Measured], whole: bool) -> Survey:
    """Cut a batch into blocks and measure them.

    Args:
        measure: Makes of the text, and of where blocks start and end, what their tokens say.
        whole: Each page is one block.
    """
    text = batch.text
    page_first, start, end, kind = _cut(batch, whole)
    of = measure(text, start, end)
    if whole and of.chars is not None:
        page_chars = sums(of.chars)
        start_chars, end_chars = page_chars[:-1], page_chars[1:]
    else:
        page_chars, start_chars, end_chars = kernel.char_columns(text, batch.page_start, start, end)
    return Survey(page_first, start, end, page_chars, start_chars, end_chars, kind, of.token, of.token_first, of.halves,
                  of.fingerprint, of.bands, of.digests)


def input_digest(engine: LocalEngine, corpus: Corpus, known: Sequence[U64] = ()) -> str:
    """A digest of all ids, as they were read, and texts.

    Args:
        known: Of ``Tokens``: of all texts, or of none.
    """
    start = corpus.page_start

    def of_pages(begin: int) -> U64:
        edges = start[begin:begin + DIGEST_PAGES + 1]
        return kernel.byte_digests(corpus.text[edges[0]:edges[-1]], edges - edges[0])
    digests = np.concatenate([NO_DIGESTS, *known])
    if len(digests) < 2 * len(corpus.pages):
        digests = np.concatenate(engine.map(of_pages, range(0, len(corpus.pages), DIGEST_PAGES)))
    return digest_of(corpus.pages.ids, digests, corpus.references)


def digest_of(ids: Strings, digests: U64, references: int | None) -> str:
    """A digest of ids, and of texts of which a digest each is known."""
    names = ids.utf8
    whole = hashlib.sha256(digests.astype("<u8").tobytes())
    whole.update(widths(names.first).astype("<i8").tobytes())
    whole.update(names.data.tobytes())
    if references is not None:
        whole.update(b"against %d" % references)
    return whole.hexdigest()[:32]


def _cut(batch: Batch, whole: bool) -> tuple[I64, I64, I64, U8]:
    """Blocks of a batch: (first block of each page, start, end, kind)."""
    text, count = batch.text, len(batch.page_start) - 1
    if whole:
        return np.arange(count + 1), batch.page_start[:-1].copy(), batch.page_start[1:].copy(), np.zeros(count, np.uint8)
    if not batch.layouts:  # in the order of pages and places
        page, start, end, kind = kernel.split_lines(text, batch.page_start[:-1], batch.page_start[1:])
        return page.searchsorted(np.arange(count + 1)), start, end, kind
    plain = np.setdiff1d(np.arange(count), np.array(list(batch.layouts), np.int64), assume_unique=True)
    page, start, end, kind = kernel.split_lines(text, batch.page_start[plain], batch.page_start[plain + 1])
    pieces = [(plain[page], start, end, kind)]
    pieces += [_laid_out(text, p, int(batch.page_start[p]), int(batch.page_start[p + 1]), layout)
               for p, layout in batch.layouts.items()]
    page, start, end, kind = (np.concatenate(column) for column in zip(*pieces, strict=True))
    order = np.lexsort((start, page))
    return np.searchsorted(page[order], np.arange(count + 1)), start[order], end[order], kind[order]


def _laid_out(text: U8, page: int, start: int, end: int, layout: Layout) -> tuple[I64, I64, I64, U8]:
    """The blocks that the reader knows, from code points to bytes."""
    edges = np.column_stack([layout.start, layout.end]).reshape(-1).astype(np.int64)
    offsets = kernel.byte_offsets(text, start, end, edges).reshape(-1, 2)
    return (np.full(len(offsets), page, np.int64), np.ascontiguousarray(offsets[:, 0]),
            np.ascontiguousarray(offsets[:, 1]), layout.kind.astype(np.uint8))


def _joined(text: U8, batches: list[Batch], surveys: list[Survey], heads: Heads, flags: int,
            references: int | None) -> Corpus:
    """All batches as one collection."""
    tell_apart(heads, references or 0)
    if len(batches) == 1:
        of = surveys[0]
        return Corpus(text, heads, batches[0].page_start, of.page_first, of.start, of.end, of.page_chars, of.start_chars,
                      of.end_chars, of.kind, of.token_first, of.halves, sums(of.halves), of.fingerprint, flags, references)
    bytes_before = sums(np.array([batch.size for batch in batches], np.int64))
    blocks_before = sums(np.array([len(survey.start) for survey in surveys], np.int64))
    chars_before = sums(np.array([survey.page_chars[-1] for survey in surveys], np.int64))
    page_start, page_first, page_chars = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
    for i, (batch, survey) in enumerate(zip(batches, surveys, strict=True)):
        page_start.append(batch.page_start[1:] + bytes_before[i])
        page_first.append(survey.page_first[1:] + blocks_before[i])
        page_chars.append(survey.page_chars[1:] + chars_before[i])
    counts = [len(survey.start) for survey in surveys]
    shift, chars = np.repeat(bytes_before[:-1], counts), np.repeat(chars_before[:-1], counts)

    def column(name: str, before: I64 | int = 0) -> I64:
        joined = np.concatenate([np.empty(0, np.int64), *(getattr(survey, name) for survey in surveys)])
        joined += before
        return of_large(joined, len(text))
    halves = column("halves")
    tokens = np.concatenate([np.empty(0, np.int64), *(widths(survey.token_first) for survey in surveys)])
    fingerprint = np.concatenate([np.empty(0, np.uint64), *(s.fingerprint for s in surveys)])
    return Corpus(text, heads, np.concatenate(page_start), np.concatenate(page_first), column("start", shift),
                  column("end", shift), np.concatenate(page_chars), column("start_chars", chars), column("end_chars", chars),
                  np.concatenate([np.empty(0, np.uint8), *(s.kind for s in surveys)]), of_large(sums(tokens), len(text)),
                  halves, of_large(sums(halves), len(text)), of_large(fingerprint, len(text)), flags, references)


def tell_apart(heads: Heads, references: int) -> None:
    """A reference whose id one of the others has is named by its folder, or as a reference."""
    if not references:
        return
    every = heads.read_ids
    others, ids = set(every[references:]), every[:references]
    if others.isdisjoint(ids):
        return
    taken = {*ids, *others}
    for row, known in enumerate(ids):
        if known in others:
            page = heads[row]
            name = f"{page.site}/{page.id}" if page.site and not page.record else f"reference/{page.id}"
            number = 2
            while (found := name if number == 2 else f"{name}#{number - 1}") in taken:
                number += 1
            taken.add(found)
            heads.renamed[row] = found
