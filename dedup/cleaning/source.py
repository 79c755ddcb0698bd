"""From the bytes of a file to its pieces: decoded as the reader does, cut by its format's cutter, and back to bytes."""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from dedup.cleaning.pieces import STAYS, Cut, Cuts, Gone, Left, Piece, without
from dedup.readers.decode import Decoded, declared_in_html, decoded

if TYPE_CHECKING:
    from dedup.readers.jobs import Answer, Job
    from dedup.readers.pool import WorkerPool

Form = Literal["text", "markdown", "html", "mdx", "rst", "asciidoc", "notebook"]
NOT_CUT = {"mdx": "MDX", "rst": "reStructuredText", "asciidoc": "AsciiDoc", "notebook": "a notebook"}  # read, but whole
Pieces = tuple[list[Piece], tuple[Left, ...]]
Item = TypeVar("Item")

BATCH_BYTES = 1 << 18  # sent to a worker at once
BATCH_PAGES = 64
WINDOW_BYTES = 1 << 25  # under way
_UNITS = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
_SEVERAL_BYTES = frozenset({"utf-8", "gb18030", "big5hkscs", "cp932", "euc_jp", "iso2022_jp", "cp949", *_UNITS})
_STEP = 1 << 14  # bytes between the places where a decoder's state is kept
WHOLE_ONLY = "nothing is cut out of {}: such a file stays as it is, or goes as a whole (--drop pages)"
UNKNOWN = "the bytes it stands for are not known"


class Content(NamedTuple):
    """The content of a file: its bytes (decompressed), format, and what is to go in code points of its page's text."""

    data: bytes
    form: Form
    gone: tuple[Gone, ...]


def file_pieces(data: bytes, form: Form, gone: Sequence[Gone], select: Sequence[str] = (),
                ignore: Sequence[str] = ()) -> Pieces:
    """The pieces of a file, made in this process: of HTML and Markdown only where the input is trusted.

    Args:
        data: Its bytes, decompressed.
        form: Its format.
        gone: What is to go, in code points of the text that its reader makes of it.
        select, ignore: As the page was read with.

    Returns:
        Pieces whose bytes, one after the other, are `data`; and what stays after all.
    """
    cuts = cuts_of(form, data, gone, select, ignore)
    return cut_bytes(data, cuts.cuts), cuts.left


def files_pieces(pool: WorkerPool, contents: Iterable[Content]) -> Iterator[Pieces]:
    """The pieces of many files, made by workers, in the order of the files.

    A file that a worker refuses, or that ends it, stays as it is.
    """
    from dedup.readers.jobs import Job

    jobs = ((content, Job(content.form, content.data, "", content.gone)) for content in contents)
    for content, answer in answers(pool, jobs):
        cuts = answered(content, answer)
        yield cut_bytes(content.data, cuts.cuts), cuts.left


def answers(pool: WorkerPool, jobs: Iterable[tuple[Item, Job]]) -> Iterator[tuple[Item, Answer]]:
    """What workers answer to many jobs, in their order; each with what came with the job."""
    waiting: deque[tuple[list[tuple[Item, Job]], Future[list[Answer]]]] = deque()
    under_way = size = 0
    batch: list[tuple[Item, Job]] = []

    def sent() -> None:
        nonlocal under_way, size
        waiting.append((batch.copy(), pool.submit([job for _, job in batch])))
        under_way += size
        batch.clear()
        size = 0

    def done() -> Iterator[tuple[Item, Answer]]:
        nonlocal under_way
        held, found = waiting.popleft()
        for (item, job), answer in zip(held, found.result(), strict=True):
            under_way -= len(job.data)
            yield item, answer

    for entry in jobs:
        batch.append(entry)
        size += len(entry[1].data)
        if size >= BATCH_BYTES or len(batch) >= BATCH_PAGES:
            sent()
        while waiting and (under_way > WINDOW_BYTES or waiting[0][1].done()):
            yield from done()
    if batch:
        sent()
    while waiting:
        yield from done()


def answered(content: Content, answer: Answer) -> Cuts:
    """The cuts of a file that a worker found, in bytes; none where it refused the page."""
    if answer.cuts is None:
        return Cuts((), tuple(Left(*stretch, f"the page {answer.refused}") for stretch in content.gone))
    return answer.cuts


def cut_bytes(data: bytes, cuts: Sequence[Cut]) -> list[Piece]:
    """The pieces of some bytes; the cuts are in bytes."""
    pieces: list[Piece] = []
    at = 0
    for start, end, removal in cuts:
        if at < start:
            pieces.append(Piece(data[at:start], STAYS))
        pieces.append(Piece(data[start:end], removal))
        at = end
    if at < len(data):
        pieces.append(Piece(data[at:], STAYS))
    return pieces


def cuts_of(form: str, data: bytes, gone: Sequence[Gone], select: Sequence[str], ignore: Sequence[str],
            declared: str = "") -> Cuts:
    """The cuts of a page.

    Args:
        form: One of ``Form``.
        declared: Encoding named by its surroundings, or "str": then `data` is text as UTF-8.

    Returns:
        Cuts in bytes of `data`; of text in code points.
    """
    if declared == "str":
        return _text_cuts(form, data.decode("utf-8", "surrogatepass"), gone, select, ignore)
    page = decoded(data, declared or (declared_in_html(data) if form == "html" else ""))
    cuts = _text_cuts(form, page.text, gone, select, ignore)
    if not cuts.cuts:
        return cuts
    places = byte_offsets(data, page, [at for cut in cuts.cuts for at in cut[:2]])
    if places is None:
        return Cuts((), tuple(Left(*stretch, UNKNOWN) for stretch in gone))
    found = [Cut(a, b, cut.removal) for cut, a, b in zip(cuts.cuts, places[::2], places[1::2], strict=True)]
    kept = b"".join(piece.data for piece in cut_bytes(data, found) if piece.removal == STAYS)[page.mark:]
    try:
        holds = kept.decode(page.codec, page.errors) == without(page.text, cuts.cuts)
    except UnicodeDecodeError:
        holds = False
    if not holds:
        return Cuts((), tuple(Left(*stretch, UNKNOWN) for stretch in gone))
    return Cuts(tuple(found), cuts.left)


def _text_cuts(form: str, source: str, gone: Sequence[Gone], select: Sequence[str], ignore: Sequence[str]) -> Cuts:
    """The cuts of a decoded page."""
    if form == "html":
        from dedup.cleaning.html import html_cuts

        return html_cuts(source, gone, select, ignore)
    if form in NOT_CUT:
        return Cuts((), tuple(Left(*stretch, WHOLE_ONLY.format(NOT_CUT[form])) for stretch in gone))
    if form == "markdown":
        from dedup.cleaning.markdown import markdown_cuts

        return markdown_cuts(source, gone)
    from dedup.cleaning.text import text_cuts

    return text_cuts(source, gone)


def byte_offsets(data: bytes, page: Decoded, offsets: Sequence[int]) -> list[int] | None:
    """The bytes of a file at which code points of its text begin.

    Args:
        offsets: Ascending code points.

    Returns:
        An offset in `data` each; ``None`` where one lies inside what the codec makes of some bytes at once.
    """
    text, codec = page.text, page.codec
    if page.errors == "strict" and (codec == "utf-8" or codec in _UNITS):
        out: list[int] = []
        at, place = 0, page.mark
        for offset in offsets:
            place += len(text[at:offset].encode(codec))
            at = offset
            out.append(place)
        return out
    if codec not in _SEVERAL_BYTES:
        return [offset + page.mark for offset in offsets]
    return _decoded_offsets(data, page, offsets)


def _decoded_offsets(data: bytes, page: Decoded, offsets: Sequence[int]) -> list[int] | None:
    """`byte_offsets` by decoding step by step."""
    decoder = codecs.getincrementaldecoder(page.codec)(page.errors)
    counts, states = [0], [decoder.getstate()]
    for at in range(page.mark, len(data), _STEP):
        counts.append(counts[-1] + len(decoder.decode(data[at:at + _STEP])))
        states.append(decoder.getstate())
    out: list[int] = []
    for offset in offsets:
        if offset == len(page.text):
            out.append(len(data))
            continue
        row = bisect_right(counts, offset) - 1
        decoder.setstate(states[row])
        at, count = page.mark + row * _STEP, counts[row]
        for step in (1 << 8, 1):
            while count < offset and at < len(data):
                state = decoder.getstate()
                more = len(decoder.decode(data[at:at + step]))
                if step > 1 and count + more >= offset:
                    decoder.setstate(state)
                    break
                at, count = at + step, count + more
        if count != offset:
            return None
        out.append(at - len(decoder.getstate()[0]))  # bytes of a character that was begun
    return out
