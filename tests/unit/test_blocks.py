"""Pages become columns of blocks; equal blocks are collapsed by their text, not by a hash alone."""

from __future__ import annotations

import dataclasses
import itertools
import json

import msgspec.structs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import blocks
from dedup.blocks import TextBuffer, input_digest, page_batches, read_corpus
from dedup.columns import begins_new, distinct_numbers, is_among, owners, sums, widths
from dedup.corpus import Corpus
from dedup.engines.local import MOST_BATCH, LocalEngine
from dedup.equal_blocks import collapse_equal, small_repeats
from dedup.heads import Heads
from dedup.kernel import kernel
from dedup.model import Page
from dedup.options import Options
from dedup.readers import open_pages
from tests.scan_help import lines, prose, scan_texts


def corpus_of(*texts: str, **settings: object) -> Corpus:
    return read_corpus((Page(str(i), t) for i, t in enumerate(texts)), LocalEngine(1), Options(**settings))[0]


def block_texts(corpus: Corpus) -> list[str]:
    return [corpus.text[a:b].tobytes().decode("utf-8", "surrogatepass")
            for a, b in zip(corpus.start.tolist(), corpus.end.tolist(), strict=True)]


@pytest.mark.parametrize("held", [1, 40, 1 << 16])
@pytest.mark.parametrize("size", [1, 60, 1 << 20])
def test_pages_that_are_added_together_are_as_those_added_one_by_one(monkeypatch, held, size):
    """Whatever bounds a batch, and what of it waits to be added: no page is lost, twice there, or in another batch."""
    monkeypatch.setattr(blocks, "HELD_BYTES", held)
    monkeypatch.setattr("dedup.corpus.BATCH_BYTES", size)
    texts, heads, buffer = ["a page", "", "é" * 30, "x" * 100, "the last one"], Heads(), TextBuffer()
    pages = [Page(str(i), text, "a.txt", None, line=i + 1, number=i) for i, text in enumerate(texts)]
    batches = [(bytes(b.text), b.page_start.tolist()) for b in page_batches(iter(pages), buffer, heads)]
    assert [dataclasses.replace(page, text="") for page in pages] == list(heads)
    expected, own = [], list[bytes]()
    for text in texts:
        own.append(text.encode())
        if sum(map(len, own)) >= size or text is texts[-1]:
            expected.append((b"".join(own), [0, *itertools.accumulate(map(len, own))]))
            own = []
    assert batches == expected


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", "\t \r\n"])
def test_an_empty_page_has_no_blocks(text):
    corpus = corpus_of(text, "one line", text)
    assert corpus.page_first.tolist() == [0, 0, 1, 1]


def test_no_pages_are_no_blocks():
    corpus = corpus_of()
    assert len(corpus.start) == 0
    assert corpus.page_first.tolist() == [0]
    assert scan_texts([]).summary.pages == 0


def test_lines_apart_are_blocks_and_wrapped_lines_are_one():
    wrapped = ("a paragraph that was broken into lines of about equal length by\nthe program that wrote it down here, "
               "as it stands in many old\ntext files, and whose last line is short.")
    assert block_texts(corpus_of(lines("Menu", wrapped, "The end."))) == ["Menu", wrapped, "The end."]


def test_with_unit_page_each_page_is_one_block_even_an_empty_one():
    corpus = corpus_of("a\n\nb", "", "c", unit="page")
    assert block_texts(corpus) == ["a\n\nb", "", "c"]


def test_page_texts_come_back_as_they_were_handed_in():
    texts = ["é\r\n\ud800 中文\0", "", "\ufeffx\u2028y"]
    corpus = corpus_of(*texts)
    assert [corpus.page_text(i) for i in range(3)] == texts


def test_blocks_lie_in_their_pages_in_order():
    corpus = corpus_of(*(lines(*(prose(5 + n, n) for n in range(k))) for k in (3, 0, 2, 5)))
    assert (np.diff(corpus.start) > 0).all()
    assert (corpus.end > corpus.start).all()
    assert (corpus.start >= corpus.page_start[corpus.block_page]).all()
    assert (corpus.end <= corpus.page_start[corpus.block_page + 1]).all()


def test_a_character_of_a_script_without_spaces_counts_half():
    corpus = corpus_of("four words stand here", "中文字符", "two words 中文")
    assert corpus.halves.tolist() == [8, 4, 6]


def test_equal_blocks_are_collapsed_whatever_their_case_and_punctuation():
    corpus = corpus_of("The same text!", "another text", "the SAME, text", "The same text")
    distinct = collapse_equal(corpus, np.arange(4))
    assert distinct.block.tolist() == [0, 1]
    assert [distinct.member[a:b].tolist() for a, b in zip(distinct.first[:-1], distinct.first[1:], strict=True)] == [
        [0, 2, 3], [1]]


def test_blocks_of_one_fingerprint_and_other_text_are_not_collapsed():
    corpus = corpus_of("one text here", "another text here", "one text here")
    collided = msgspec.structs.replace(corpus, fingerprint=np.zeros(3, np.uint64))
    distinct = collapse_equal(collided, np.arange(3))
    assert distinct.block.tolist() == [0, 1]
    assert distinct.member.tolist() == [0, 2, 1]


def test_small_repeats_are_short_blocks_that_stand_twice_on_one_page():
    corpus = corpus_of(lines("Share", prose(20, 1), "Share", "More"), lines("More", prose(20, 2)))
    assert [(page, blocks.tolist()) for page, blocks in small_repeats(corpus, 16)] == [(0, [0, 2])]


@pytest.mark.parametrize("size", [1, 60, 1_000, 10**6])
def test_batches_of_a_stream_are_those_of_its_pages(tmp_path, monkeypatch, size):
    """Texts that never become a ``str``, behind a page that a worker parses: the same pages, ids, batches and errors."""
    texts = ["", "one\ntwo", "zwölf 𝄞", "x" * 200, "\ud800", "a", ""] * 3
    lines = [json.dumps({"id": i % 9, "text": text, "url": "https://e.org/a"}) for i, text in enumerate(texts)]
    lines[5:5] = ["no json", "", '{"text": 7}']
    for name in ("a.jsonl", "c.jsonl"):
        (tmp_path / name).write_text("\n".join(lines), "utf-8")
    (tmp_path / "b.html").write_text("<p>one<p>two", "utf-8")
    monkeypatch.setattr("dedup.corpus.BATCH_BYTES", size)
    found = []
    for stream in (open_pages(tmp_path), open_pages(tmp_path)):
        pages = list(stream) if found else stream
        heads = Heads()
        batches = [(bytes(b.text), b.page_start.tolist(), list(b.layouts)) for b in page_batches(pages, TextBuffer(), heads)]
        made = [dataclasses.replace(head, layout=None) for head in heads]
        found.append((batches, made, stream.errors, stream.skipped, stream.renamed, stream.files))
    assert found[0] == found[1]
    assert sum(len(batch[1]) - 1 for batch in found[0][0]) == len(found[0][1]) == 2 * len(texts) + 1
    assert not any(head.text for head in found[0][1])
    assert len(heads.layouts) == 1


def test_the_digest_of_the_input_depends_on_ids_texts_and_order(monkeypatch: pytest.MonkeyPatch):
    def digest(*pages: tuple[str, str]) -> str:
        engine = LocalEngine(1)
        return input_digest(engine, read_corpus((Page(i, t) for i, t in pages), engine, Options())[0])
    digests = [digest(("a", "x"), ("b", "y")), digest(("b", "y"), ("a", "x")), digest(("a", "xy"), ("b", "")),
               digest(("a", "x"), ("c", "y")), digest(("ax", ""), ("b", "y")), digest()]
    assert len(set(digests)) == len(digests)
    assert digest(("a", "x")) == digest(("a", "x"))
    monkeypatch.setattr(blocks, "DIGEST_PAGES", 1)
    assert digest(("a", "x"), ("b", "y")) == digests[0]


@pytest.mark.parametrize("few", [0, 1 << 20])
def test_of_pages_that_are_sketched_digests_and_code_points_are_known_when_they_are_read(monkeypatch: pytest.MonkeyPatch,
                                                                                         few: int) -> None:
    monkeypatch.setattr("dedup.corpus.BATCH_BYTES", 60)
    monkeypatch.setattr(blocks, "FEW_BYTES", few)
    engine, texts = LocalEngine(2), ["a page", "", "é" * 30, "  x" * 100, "\ud800 ж", "中文字" * 9, "the last one"]
    pages = [Page(str(i), text) for i, text in enumerate(texts)]
    plain, unknown = read_corpus(iter(pages), engine, Options(unit="page"))
    digest = input_digest(engine, plain, unknown.digests)
    monkeypatch.setattr(kernel, "byte_digests", None)
    monkeypatch.setattr(kernel, "char_columns", None)
    corpus, known = read_corpus(iter(pages), engine, Options(unit="page"), bands=(4, 2))
    assert input_digest(engine, corpus, known.digests) == digest
    for name in ("page_chars", "start_chars", "end_chars"):
        assert getattr(corpus, name).tolist() == getattr(plain, name).tolist()


@pytest.mark.parametrize("expected", [0, 1, 40, 10_000])
def test_the_buffer_of_texts_grows_and_what_was_taken_of_it_stays(expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "FIRST_TEXT", 4)
    buffer, taken, pieces = TextBuffer(lambda: expected), [], [bytes([65 + i]) * (7 * i % 11) for i in range(20)]
    for piece in pieces:
        start = buffer.size
        buffer.add(piece)
        taken.append(buffer.since(start))
    assert [bytes(part) for part in taken] == pieces
    assert bytes(buffer.since(0)) == b"".join(pieces)


def test_more_that_is_said_to_come_than_there_is_memory_for_does_no_harm() -> None:
    buffer = TextBuffer(lambda: 1 << 60)
    buffer.add(b"text")
    assert bytes(buffer.since(0)) == b"text"


@pytest.mark.parametrize("size", [0, 1, 7, 300])
def test_numbers_are_looked_up_among_distinct_ones_as_numpy_does_it(size: int) -> None:
    rng = np.random.default_rng(size)
    numbers, others = rng.integers(-40, 40, 200), rng.integers(-60, 60, size)
    known = distinct_numbers(others)
    assert known.tolist() == np.unique(others).tolist()
    assert is_among(numbers, known).tolist() == np.isin(numbers, others).tolist()
    assert is_among(numbers[:0], known).tolist() == []


@given(counts=st.lists(st.integers(0, 4), max_size=8), numbers=st.lists(st.integers(-3, 3), max_size=9))
def test_columns_of_ranges(counts: list[int], numbers: list[int]) -> None:
    """Helpers that all stages use say what NumPy's slower ones do."""
    first = sums(np.array(counts, np.int64))
    assert first.dtype == np.int64
    assert first.tolist() == [0, *itertools.accumulate(counts)]
    assert sums(np.array(counts, bool)).tolist() == [0, *itertools.accumulate(map(bool, counts))]
    assert widths(first).tolist() == counts
    assert owners(first).tolist() == [i for i, count in enumerate(counts) for _ in range(count)]
    column = np.array(numbers, np.int64)
    assert distinct_numbers(column).tolist() == sorted(set(numbers))
    assert column.tolist() == numbers  # as it was
    assert begins_new(column).tolist() == [i == 0 or numbers[i] != numbers[i - 1] for i in range(len(numbers))]
    other = column // 2
    assert begins_new(other, column).tolist() == begins_new(column).tolist()


def test_batches_grow_with_the_text_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.corpus.BATCH_BYTES", 100)
    monkeypatch.setattr("dedup.corpus.BATCHES", 8)
    pages = [Page(str(n), f"page {n:4} " * 5) for n in range(400)]  # of 50 bytes
    for most, largest in ((0, 100), (1000, 1000), (10**9, 3400)):  # a quarter of what was read before
        made = list(page_batches(pages, TextBuffer(), Heads(), most))
        assert b"".join(bytes(batch.text) for batch in made).decode() == "".join(page.text for page in pages)
        sizes = [len(batch.text) for batch in made]
        assert sizes[:-1] == sorted(sizes[:-1])
        assert (sizes[0], max(sizes)) == (100, largest)


@pytest.mark.parametrize(("most", "count"), [(0, 200), (1000, 20), (10**9, 8)])
def test_ranges_of_pages_are_larger_in_a_larger_collection(monkeypatch: pytest.MonkeyPatch, most: int, count: int) -> None:
    corpus = corpus_of(*(f"page {n:4} " * 5 for n in range(400)))
    monkeypatch.setattr("dedup.corpus.BATCH_BYTES", 100)
    monkeypatch.setattr("dedup.corpus.BATCHES", 8)
    ranges = corpus.batches(most)
    assert [page for begin, end in ranges for page in range(begin, end)] == list(range(400))
    assert len(ranges) == count


def test_batches_are_small_where_memory_is() -> None:
    assert LocalEngine().most_batch == MOST_BATCH
    assert LocalEngine(memory=1 << 40).most_batch == MOST_BATCH
    assert LocalEngine(memory=512 << 20).most_batch == 8 << 20
