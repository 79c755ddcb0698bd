"""From bytes to pieces: encodings, byte order marks, broken bytes, workers."""

from __future__ import annotations

import pytest

from dedup.cleaning.pieces import STAYS, Cut, Gone, Piece, without
from dedup.cleaning.source import UNKNOWN, Content, Form, byte_offsets, cut_bytes, cuts_of, file_pieces, files_pieces
from dedup.cleaning.text import text_cuts
from dedup.options import Options
from dedup.readers.decode import declared_in_html, decode, decoded
from dedup.readers.html import read_html
from dedup.readers.jobs import Job
from dedup.readers.pool import WorkerPool
from tests.cutters_help import gone_of

ENCODINGS = [
    ("utf-8", "utf-8"),
    ("utf-8", "utf-8-sig"),
    ("utf-8", "utf-16"),
    ("utf-8", "utf-32"),
    ("gb2312", "gb18030"),
    ("big5", "big5hkscs"),
    ("shift_jis", "cp932"),
    ("euc-jp", "euc_jp"),
    ("euc-kr", "cp949"),
]


def html_pieces(data: bytes, part: str) -> tuple[list[Piece], tuple[object, ...]]:
    text = read_html(decode(data, declared_in_html(data))[0]).text
    return file_pieces(data, "html", gone_of(text, part))


@pytest.mark.parametrize(("charset", "codec"), ENCODINGS)
def test_cuts_lie_on_the_bytes_of_their_characters(charset: str, codec: str) -> None:
    data = f"<meta charset={charset}><p>中文 one</p><p>文中 two 中</p>\r\n<p>end 文</p>".encode(codec)
    pieces, left = html_pieces(data, "文中 two 中")
    assert left == ()
    assert b"".join(piece.data for piece in pieces) == data
    gone = b"".join(piece.data for piece in pieces if piece.removal == 0)
    plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(codec, codec)
    assert gone.decode(plain) == "<p>文中 two 中</p>"


def test_single_bytes_and_bytes_that_are_none_of_the_encoding() -> None:
    data = "<p>é one</p><p>à two</p><p>ü</p>".encode("cp1252") + b"\x81"
    pieces, left = html_pieces(data, "à two")
    assert (left, [piece.data for piece in pieces if piece.removal == 0]) == ((), [b"<p>\xe0 two</p>"])
    broken = b"\xef\xbb\xbf<p>\xff\xe4\xb8 one</p><p>\xf0\x9f two \xc3</p><p>end</p>"
    pieces, left = html_pieces(broken, "two")
    assert b"".join(piece.data for piece in pieces) == broken
    assert b"two" in b"".join(piece.data for piece in pieces if piece.removal == 0)


def test_states_of_an_encoding_are_kept() -> None:
    """ISO-2022-JP switches its alphabet by escapes: a cut that loses one would garble the rest, and is not made."""
    data = b"\x81 " + "one 日本 two 日本語 three".encode("iso2022_jp")
    text = decode(data, "iso-2022-jp")[0]
    reasons = set()
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            cuts = cuts_of("text", data, [Gone(start, end, 0)], (), (), "iso-2022-jp")
            kept = b"".join(piece.data for piece in cut_bytes(data, cuts.cuts) if piece.removal == STAYS)
            gone = text_cuts(text, [Gone(start, end, 0)]).cuts if cuts.cuts else ()
            assert decode(kept or b"\x81", "iso-2022-jp")[0] == without(text, gone) or not kept.startswith(b"\x81")
            reasons |= {stretch.reason for stretch in cuts.left} if not cuts.cuts else {"cut"}
    assert {"cut", UNKNOWN} <= reasons


def test_characters_that_are_made_of_some_bytes_at_once_have_no_place_inside() -> None:
    """Big5-HKSCS 0x8862 is two code points."""
    data = b"a\x88\x62b"
    page = decoded(data, "big5")
    assert page.text == "a\xca\u0304b"
    assert byte_offsets(data, page, [0, 1, 3, 4]) == [0, 1, 3, 4]
    assert byte_offsets(data, page, [2]) is None


def test_places_far_into_a_file() -> None:
    data = ("é文" * 30_000 + "x").encode("gb18030") + b"\xff" + "文é".encode("gb18030")
    page = decoded(data, "gbk")
    assert page.errors == "replace"
    offsets = [0, 1, 2, 29_999, 40_000, 60_000, 60_001, len(page.text)]
    places = byte_offsets(data, page, offsets)
    assert places is not None
    assert [data[:at].decode("gb18030", "replace") for at in places] == [page.text[:at] for at in offsets]


def test_workers_give_the_pieces_of_many_files_in_order() -> None:
    contents = [
        Content(f"<p>page {i} one</p><p>two</p>".encode(), "html", (Gone(0, len(f"page {i} one"), i),))
        for i in range(150)
    ]
    contents += [Content(b"one two\n\nthree\n", form, (Gone(0, 7, 9),)) for form in ("text", "markdown")]
    contents.append(Content(b"as it was", "html", ()))
    pool = WorkerPool(2, Options())
    try:
        found = list(files_pieces(pool, iter(contents)))
    finally:
        pool.close()
    assert found[7] == ([Piece(b"<p>page 7 one</p>", 7), Piece(b"<p>two</p>", STAYS)], ())
    assert found[-3] == found[-2] == ([Piece(b"one two\n\n", 9), Piece(b"three\n", STAYS)], ())
    assert found[-1] == ([Piece(b"as it was", STAYS)], ())
    assert [b"".join(piece.data for piece in pieces) for pieces, _ in found] == [content.data for content in contents]
    for (pieces, left), content in zip(found, contents, strict=True):
        assert (pieces, left) == file_pieces(content.data, content.form, content.gone)


def test_a_page_that_a_worker_refuses_stays_and_is_told() -> None:
    hostile = b"<p>" + b"".join(b"<font size=%d>" % i for i in range(500)) + b"<p>x y" * 60_000
    contents = [Content(hostile, "html", (Gone(0, 3, 4),)), Content(b"<p>a</p><p>b</p>", "html", (Gone(0, 1, 5),))]
    pool = WorkerPool(1, Options())
    try:
        found = list(files_pieces(pool, contents))
    finally:
        pool.close()
    pieces, left = found[0]
    assert pieces == [Piece(hostile, STAYS)]
    assert [stretch[:3] for stretch in left] == [(0, 3, 4)]
    assert "memory" in left[0].reason or "nodes" in left[0].reason
    assert found[1] == ([Piece(b"<p>a</p>", 5), Piece(b"<p>b</p>", STAYS)], ())


@pytest.mark.parametrize(
    ("form", "source"), [("html", "<p>é</p><p>b c</p>"), ("markdown", "é\n\nb c\n"), ("text", "é\n\nb c\n")]
)
def test_text_of_records_is_cut_in_code_points(form: Form, source: str) -> None:
    start = {"html": 2, "markdown": 2, "text": 3}[form]
    pool = WorkerPool(1, Options())
    try:
        answer = pool.submit([Job(form, source.encode(), "str", (Gone(start, start + 3, 1),))]).result()[0]
    finally:
        pool.close()
    assert answer.cuts is not None
    assert (
        answer.cuts.cuts == {"html": (Cut(8, 18, 1),), "markdown": (Cut(1 + 1, 7, 1),), "text": (Cut(2, 7, 1),)}[form]
    )
