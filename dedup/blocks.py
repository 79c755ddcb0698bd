"""Stage 2: pages become columns, pages are cut into blocks, equal blocks are collapsed.

The texts of all pages stand one after the other in one buffer of UTF-8 (a lone surrogate in three bytes); everything
else is a column over pages or blocks. Only this module turns code points into bytes and back.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dedup.engines.local import LocalEngine
from dedup.kernel import kernel
from dedup.model import BlockKind, Layout, Page
from dedup.options import Options

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

BATCH_BYTES = 4_000_000  # of text in one batch
FOLD_ACCENTS, FOLD_DIGITS = 1, 2  # bits of the tokeniser's flags


@dataclass(frozen=True, slots=True)
class Corpus:
    """Pages and their blocks as columns.

    Attributes:
        text: All page texts, UTF-8.
        pages: The pages without their texts.
        page_start: First byte of each page, one longer than the pages.
        page_first: First block of each page, one longer than the pages.
        start, end: Bytes of each block, half-open.
        kind: ``BlockKind`` of each block.
        token_first: First token of each block, numbered through the collection; one longer than the blocks.
        halves: Length of each block in half tokens: 2 a word, 1 a character of a script without spaces.
        halves_before: Half tokens before each block, one longer than the blocks.
        fingerprint: Of each block's normalised text.
        flags: The tokeniser's.
    """

    text: U8
    pages: tuple[Page, ...]
    page_start: I64
    page_first: I64
    start: I64
    end: I64
    kind: U8
    token_first: I64
    halves: I64
    halves_before: I64
    fingerprint: U64
    flags: int

    @property
    def block_page(self) -> I64:
        """Page of each block."""
        return np.repeat(np.arange(len(self.pages)), np.diff(self.page_first))

    def batches(self) -> list[tuple[int, int]]:
        """Ranges of pages of about ``BATCH_BYTES`` of text each; a page is never cut."""
        return page_batches(self.page_start)

    def blocks_of(self, pages: tuple[int, int]) -> slice:
        """The blocks of a range of pages."""
        return slice(int(self.page_first[pages[0]]), int(self.page_first[pages[1]]))

    def hashes(self, blocks: slice | I64) -> tuple[U64, I64]:
        """Token hashes of blocks and the first one of each, one longer than the blocks."""
        return kernel.hash_tokens(self.text, self.start[blocks], self.end[blocks], self.flags)

    def page_text(self, page: int) -> str:
        """The page's text as it was handed in."""
        start, end = int(self.page_start[page]), int(self.page_start[page + 1])
        return self.text[start:end].tobytes().decode("utf-8", "surrogatepass")


def page_batches(page_start: I64) -> list[tuple[int, int]]:
    """Ranges of pages of about ``BATCH_BYTES`` of text each; a page is never cut."""
    count = len(page_start) - 1
    edges = np.searchsorted(page_start, np.arange(0, int(page_start[-1]) + 1, BATCH_BYTES))
    cuts = np.unique(np.minimum(np.concatenate([[0], edges, [count]]), count))
    return [(int(a), int(b)) for a, b in itertools.pairwise(cuts)]


def token_flags(options: Options) -> int:
    """The tokeniser's flags that the settings ask for."""
    return FOLD_ACCENTS * options.fold_accents + FOLD_DIGITS * options.fold_digits


def read_corpus(pages: Iterable[Page], engine: LocalEngine, options: Options) -> tuple[Corpus, str, U64]:
    """Pages as columns, cut into blocks and measured; a digest of all ids and texts; the table of their grams."""
    text, starts = bytearray(), [0]  # one buffer that grows in place: no second copy of the texts at any time
    heads: list[Page] = []
    layouts: dict[int, Layout] = {}
    for page in pages:
        data = page.text.encode("utf-8", "surrogatepass")
        if page.layout is not None:
            layouts[len(heads)] = page.layout
        heads.append(Page(page.id, "", page.source, page.title, page.meta, page.url, page.line, page.record, page.layout,
                          page.site))
        text += data
        starts.append(len(text))
    buffer = np.frombuffer(text, np.uint8) if text else np.empty(0, np.uint8)
    page_start = np.array(starts, np.int64)
    cut = cut_pages(buffer, page_start, layouts, engine, whole=options.unit == "page")
    table = np.zeros(1 << max(0, len(buffer) // 32).bit_length(), np.uint64)  # two slots a byte of text or more

    def mark(hashes: U64, page_first: I64) -> None:
        kernel.mark_grams(hashes, page_first, options.gram_tokens, table)
    corpus = measure(buffer, tuple(heads), page_start, cut, engine, token_flags(options),
                     mark if options.unit == "block" else None)
    return corpus, _digest(corpus, engine), table


def _digest(corpus: Corpus, engine: LocalEngine) -> str:
    """A digest of all ids and texts, in order."""
    def of_batch(batch: tuple[int, int]) -> bytes:
        start, end = corpus.page_start[list(batch)].tolist()
        digest = hashlib.blake2b(corpus.text[start:end], digest_size=16)
        lengths = np.diff(corpus.page_start[batch[0]:batch[1] + 1]).astype("<i8").tobytes()
        digest.update(lengths)
        digest.update("\0".join(page.id for page in corpus.pages[slice(*batch)]).encode("utf-8", "surrogatepass"))
        return digest.digest()
    return hashlib.blake2b(b"".join(engine.map(of_batch, corpus.batches())), digest_size=16).hexdigest()


def cut_pages(text: U8, page_start: I64, layouts: dict[int, Layout], engine: LocalEngine,
              whole: bool) -> tuple[I64, I64, I64, U8]:
    """Blocks of all pages: (first block of each page, start, end, kind).

    Args:
        whole: Each page is one block.
    """
    count = len(page_start) - 1
    if whole:
        return np.arange(count + 1), page_start[:-1].copy(), page_start[1:].copy(), np.zeros(count, np.uint8)

    def cut(pages: tuple[int, int]) -> tuple[I64, I64, I64, U8]:
        plain = np.array([p for p in range(*pages) if p not in layouts], np.int64)
        page, start, end, kind = kernel.split_lines(text, page_start[plain], page_start[plain + 1])
        pieces = [(plain[page], start, end, kind)] if len(plain) else []
        for p in sorted(layouts.keys() & set(range(*pages))):
            pieces.append(_laid_out(text, p, int(page_start[p]), int(page_start[p + 1]), layouts[p]))
        columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
        order = np.lexsort((columns[1], columns[0]))
        return columns[0][order], columns[1][order], columns[2][order], columns[3][order]
    parts = engine.map(cut, page_batches(page_start))
    if not parts:
        empty = np.empty(0, np.int64)
        return np.zeros(count + 1, np.int64), empty, empty, np.empty(0, np.uint8)
    page, start, end, kind = (np.concatenate(column) for column in zip(*parts, strict=True))
    return np.searchsorted(page, np.arange(count + 1)).astype(np.int64), start, end, kind


def _laid_out(text: U8, page: int, start: int, end: int, layout: Layout) -> tuple[I64, I64, I64, U8]:
    """The blocks that the reader knows, from code points to bytes."""
    edges = np.column_stack([layout.start, layout.end]).reshape(-1).astype(np.int64)
    offsets = kernel.byte_offsets(text, start, end, edges).reshape(-1, 2)
    return (np.full(len(offsets), page, np.int64), np.ascontiguousarray(offsets[:, 0]),
            np.ascontiguousarray(offsets[:, 1]), layout.kind.astype(np.uint8))


def measure(text: U8, pages: tuple[Page, ...], page_start: I64, cut: tuple[I64, I64, I64, U8], engine: LocalEngine,
            flags: int, mark: Callable[[U64, I64], None] | None = None) -> Corpus:
    """The corpus with each block's length in tokens and fingerprint.

    Args:
        mark: Gets the token hashes of each batch on the way, and the first one of each page, one longer than the pages.
    """
    page_first, start, end, kind = cut
    none = np.zeros(len(start) + 1, np.int64)
    bare = Corpus(text, pages, page_start, page_first, start, end, kind, none, none[1:], none,
                  np.zeros(len(start), np.uint64), flags)

    def survey(batch: tuple[int, int]) -> tuple[I64, I64, U64]:
        blocks = bare.blocks_of(batch)
        hashes, _, _, half, first = kernel.tokenise(text, start[blocks], end[blocks], flags)
        if mark is not None:
            mark(hashes, first[page_first[batch[0]:batch[1] + 1] - page_first[batch[0]]])
        tokens = first[1:] - first[:-1]
        units = sums(half.astype(np.int64))[first]
        return tokens, 2 * tokens - (units[1:] - units[:-1]), kernel.range_digests(hashes, first)
    rows = engine.map(survey, bare.batches())
    if not rows:
        return bare
    tokens, halves, fingerprint = (np.concatenate(column) for column in zip(*rows, strict=True))
    return replace(bare, token_first=sums(tokens), halves=halves, halves_before=sums(halves), fingerprint=fingerprint)


def sums(counts: I64) -> I64:
    """Sum of all counts before each one, one longer than the counts."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


@dataclass(frozen=True, slots=True)
class Distinct:
    """Equal blocks collapsed: what is compared once, and where it stands.

    Attributes:
        block: First block of each class of equal blocks, ascending.
        member: Blocks of all classes, class after class, ascending in each.
        first: Where each class begins in `member`, one longer than the classes.
    """

    block: I64
    member: I64
    first: I64


def collapse_equal(corpus: Corpus, blocks: I64) -> Distinct:
    """Classes of blocks with equal normalised text, compared and not only hashed.

    Args:
        blocks: The blocks to collapse, ascending.
    """
    order = np.argsort(corpus.fingerprint[blocks], kind="stable")
    ordered = blocks[order]
    prints = corpus.fingerprint[ordered]
    new = np.ones(len(ordered), bool)
    new[1:] = prints[1:] != prints[:-1]
    leader = ordered[new][np.cumsum(new) - 1] if len(ordered) else ordered
    same = np.ones(len(ordered), bool)
    copies = np.flatnonzero(~new)
    (a0, a1), (b0, b1) = ((corpus.start[rows], corpus.end[rows]) for rows in (leader[copies], ordered[copies]))
    same[copies] = kernel.equal_tokens(corpus.text, a0, a1, corpus.text, b0, b1, corpus.flags) == 1
    leader = np.where(same, leader, ordered)  # a collision of fingerprints stands alone
    order = np.lexsort((ordered, leader))
    leader, member = leader[order], ordered[order]
    new = np.ones(len(leader), bool)
    new[1:] = leader[1:] != leader[:-1]
    return Distinct(leader[new], member, np.append(np.flatnonzero(new), len(member)).astype(np.int64))


def small_repeats(corpus: Corpus, min_halves: int) -> Iterator[tuple[int, I64]]:
    """Short blocks that stand more than once on their page: (page, blocks)."""
    page = corpus.block_page
    short = np.flatnonzero((corpus.halves > 0) & (corpus.halves < min_halves))
    order = short[np.lexsort((short, corpus.fingerprint[short], page[short]))]
    if not len(order):
        return
    new = np.ones(len(order), bool)
    new[1:] = (corpus.fingerprint[order][1:] != corpus.fingerprint[order][:-1]) | (page[order][1:] != page[order][:-1])
    for members in np.split(order, np.flatnonzero(new)[1:]):
        if len(members) > 1:
            yield int(page[members[0]]), members


def is_code(kind: int) -> bool:
    """Whether a block is code or front matter rather than prose."""
    return kind in (BlockKind.CODE, BlockKind.FRONT_MATTER)
