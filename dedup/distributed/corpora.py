"""Some pages of a collection as a collection, and collections one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from dedup.blocks import NO_TEXT
from dedup.columns import sums
from dedup.corpus import Corpus, Tokens
from dedup.filed import Filed
from dedup.heads import Heads
from dedup.kernel import kernel

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

COLUMNS = ("start", "end", "start_chars", "end_chars", "kind", "halves", "fingerprint")  # of blocks


def take_pages(corpus: Corpus, pages: I64) -> Corpus:
    """Some pages, in the order given, with their texts.

    Those that are compared against, which come first, stay the first ones.
    """
    block, page_first = kernel.take_ranges(corpus.page_first, pages)
    page_start, page_chars = sums(np.diff(corpus.page_start)[pages]), sums(np.diff(corpus.page_chars)[pages])
    text = page_texts(corpus, pages) if len(corpus.text) else NO_TEXT
    counts = np.diff(page_first)
    shift = np.repeat(page_start[:-1] - corpus.page_start[pages], counts)
    chars = np.repeat(page_chars[:-1] - corpus.page_chars[pages], counts)
    tokens, halves = np.diff(corpus.token_first)[block], corpus.halves[block]
    references = None if corpus.references is None else int((pages < corpus.references).sum())
    return Corpus(text, corpus.pages.take(pages), page_start, page_first,
                  corpus.start[block] + shift, corpus.end[block] + shift, page_chars, corpus.start_chars[block] + chars,
                  corpus.end_chars[block] + chars, corpus.kind[block], sums(tokens), halves, sums(halves),
                  corpus.fingerprint[block], corpus.flags, references)


def page_texts(corpus: Corpus, pages: I64) -> U8:
    """The texts of some pages, one after the other."""
    if not len(pages):
        return NO_TEXT
    begins = np.flatnonzero(np.append(True, np.diff(pages) != 1))
    ends = np.append(begins[1:], len(pages)) - 1
    edges = zip(corpus.page_start[pages[begins]].tolist(), corpus.page_start[pages[ends] + 1].tolist(), strict=True)
    return np.concatenate([corpus.text[start:end] for start, end in edges])


def first_with_text(corpus: Corpus) -> I64:
    """The first page with the same text as each page, byte by byte, where each page is one block."""
    size, text = corpus.end - corpus.start, corpus.text.data
    first = np.arange(len(size))
    order = np.lexsort((first, size, corpus.fingerprint))
    same = (np.diff(corpus.fingerprint[order]) == 0) & (np.diff(size[order]) == 0)
    leader = order[np.maximum.accumulate(np.where(np.append(True, ~same)[:len(order)], first, 0))]
    rows = np.flatnonzero(leader != order)
    edges = [side[pages].tolist() for pages in (leader[rows], order[rows]) for side in (corpus.start, corpus.end)]
    equal = np.fromiter((text[a:b] == text[c:d] for a, b, c, d in zip(*edges, strict=True)), bool, len(rows))
    first[order[rows[equal]]] = leader[rows[equal]]
    return first


def with_copies(corpus: Corpus, row: I64) -> Corpus:
    """Pages of which many have the text of the same page, which is held once.

    Args:
        corpus: The texts; each page is one block.
        row: The page of `corpus` whose text each page has. References are not told.
    """
    edges = np.arange(len(row) + 1)
    sizes = sums(np.diff(corpus.page_start)[row])
    chars = sums(np.diff(corpus.page_chars)[row])
    return Corpus(corpus.text, corpus.pages.take(row), sizes, edges, corpus.start[row], corpus.end[row], chars, chars[:-1],
                  chars[1:], corpus.kind[row], sums(np.diff(corpus.token_first)[row]), corpus.halves[row],
                  sums(corpus.halves[row]), corpus.fingerprint[row], corpus.flags)


def tokens_of(corpus: Corpus) -> Tokens:
    """The tokens of a collection, as ``read_corpus`` gives them."""
    cuts = [0, *(end for _, end in corpus.batches())]
    token = [kernel.survey_tokens(corpus.text, corpus.start[own], corpus.end[own], corpus.flags)[0]
             for own in map(corpus.blocks_of, itertools.pairwise(cuts))]
    return Tokens(np.array(cuts, np.int64), token, [np.empty(0, np.uint32)] * len(token))


def without_text(corpus: Corpus) -> Corpus:
    """The columns alone."""
    return replace(corpus, text=NO_TEXT)


def joined(parts: Sequence[Corpus], references: int | None, flags: int) -> Corpus:
    """Collections one after the other.

    Args:
        references: Of the whole.
        flags: The tokeniser's.
    """
    heads = Heads()
    for part in parts:
        heads.append(part.pages)
    sizes = {name: sums(np.array([int(getattr(part, name)[-1]) for part in parts], np.int64))
             for name in ("page_start", "page_first", "page_chars")}

    def edges(name: str) -> I64:
        return np.concatenate([np.zeros(1, np.int64), *(getattr(part, name)[1:] + before
                                                        for part, before in zip(parts, sizes[name], strict=False))])
    counts = [len(part.start) for part in parts]
    shift = {"start": np.repeat(sizes["page_start"][:-1], counts), "start_chars": np.repeat(sizes["page_chars"][:-1], counts)}
    shift |= {"end": shift["start"], "end_chars": shift["start_chars"]}
    empty = {"kind": np.uint8, "fingerprint": np.uint64}
    columns = {name: np.concatenate([np.empty(0, empty.get(name, np.int64)), *(getattr(part, name) for part in parts)])
               for name in COLUMNS}
    for name, before in shift.items():
        columns[name] += before
    tokens = np.concatenate([np.empty(0, np.int64), *(np.diff(part.token_first) for part in parts)])
    text = Filed(sum(len(part.text) for part in parts), np.uint8)
    for part, begin in zip(parts, sizes["page_start"].tolist(), strict=False):
        text.write(begin, part.text)
    return Corpus(text=text.values, pages=heads, page_start=edges("page_start"), page_first=edges("page_first"),
                  page_chars=edges("page_chars"), token_first=sums(tokens), halves_before=sums(columns["halves"]),
                  flags=flags, references=references, **columns)
