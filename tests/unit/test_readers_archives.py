"""Compressed files and web archives: all members and frames, damage named, what stands before it used."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from dedup.readers.compression import unpack
from dedup.readers.http import decode_body, split_response
from tests.readers_help import data, read

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINES = [json.dumps({"id": str(i), "text": f"text {i} " + "abc" * (i % 50)}).encode() + b"\n" for i in range(3000)]
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"


def packed(kind: str, parts: int) -> bytes:
    """LINES in so many members or frames."""
    pieces = [b"".join(LINES[i::parts]) for i in range(parts)] if parts > 1 else [b"".join(LINES)]
    pack = gzip.compress if kind == "gz" else zstd.compress
    return b"".join(pack(piece) for piece in pieces)


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("parts", [1, 7, 600])
def test_all_members_and_frames_are_read(tmp_path: Path, kind: str, parts: int) -> None:
    path = tmp_path / f"a.jsonl.{kind}"
    path.write_bytes(packed(kind, parts))
    pages, stream = read(path)
    assert len(pages) == 3000
    assert stream.errors == []


def test_skippable_frames_padding_and_wrong_suffix(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(SKIPPABLE + packed("zst", 2) + SKIPPABLE)
    assert len(read(path)[0]) == 3000
    path = tmp_path / "b.jsonl"  # not named .gz
    path.write_bytes(packed("gz", 2) + bytes(512))
    pages, stream = read(path)
    assert (len(pages), stream.errors) == (3000, [])


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_named_and_what_stands_before_the_cut_is_used(tmp_path: Path, kind: str, share: float) -> None:
    content = packed(kind, 30)
    path = tmp_path / f"a.jsonl.{kind}"
    path.write_bytes(content[: int(len(content) * share)])
    pages, stream = read(path)
    assert any("cut short" in error.message for error in stream.errors)
    assert len(pages) >= int(30 * share) * 100


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_damaged_file_is_named(tmp_path: Path, kind: str) -> None:
    content = bytearray(packed(kind, 30))
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    path = tmp_path / f"a.jsonl.{kind}"
    path.write_bytes(content)
    pages, stream = read(path)
    assert any("damaged" in error.message or "not gzip" in error.message for error in stream.errors)
    assert len(pages) >= 1300


def test_a_wrong_checksum_is_named_and_the_text_used(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(b"the text"))
    content[-6] ^= 1
    path = tmp_path / "a.txt.gz"
    path.write_bytes(content)
    (page,), stream = read(path)
    assert page.text == "the text"
    assert "damaged" in stream.errors[0].message


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_bomb_is_skipped_in_bounded_memory_and_the_next_file_read(tmp_path: Path, kind: str) -> None:
    import tracemalloc

    bomb = (gzip.compress if kind == "gz" else zstd.compress)(bytes(200_000_000).replace(b"\0", b"x"))
    (tmp_path / f"a.txt.{kind}").write_bytes(bomb)
    (tmp_path / f"b.jsonl.{kind}").write_bytes(bomb)
    (tmp_path / "c.txt").write_text("next")
    del bomb
    tracemalloc.start()
    pages, stream = read(tmp_path, max_page_bytes=5_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [page.text for page in pages] == ["next"]
    assert stream.errors[0].source.endswith(f"a.txt.{kind}")
    assert len(stream.errors) == 2
    assert peak < 40_000_000


def test_a_zstd_window_beyond_the_limit_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 29, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    content = packer.compress(b"x" * 1000) + packer.flush()
    said: list[str] = []
    assert unpack(io.BytesIO(content), "zstd", said.append).read() == b""
    assert said


# -- web archives ---------------------------------------------------------------------------------------------



@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("iana.warc.gz", 16),
        ("dupes.warc.gz", 1),
        ("whirlwind.warc.gz", 1),
        ("whirlwind.warc.wet.gz", 1),
        ("whirlwind.warc.wat.gz", 0),
        ("example.warc.gz", 1),
        ("example.warc", 1),
        ("example.arc.gz", 1),
        ("example-resource.warc.gz", 1),
        ("example-iana.org-chunked.warc", 1),
    ],
)
def test_sound_archives(name: str, count: int) -> None:
    pytest.importorskip("fastwarc")
    pages, stream = read(data("warc") / name)
    assert len(pages) == count
    assert stream.errors == []
    assert all(
        page.id.startswith(("http://", "https://")) and page.site and page.text and page.record for page in pages
    )


@pytest.mark.parametrize("name", ["example-bad.warc.gz.bad", "example-trunc.warc", "example-wrong-chunks.warc.gz"])
def test_broken_archives_are_named_and_what_can_be_read_is(name: str) -> None:
    pytest.importorskip("fastwarc")
    pages, stream = read(data("warc") / name)
    assert len(pages) == 1
    assert all(name in error.source for error in stream.errors)
    assert stream.errors


def record(kind: str, body: bytes, uri: str = "http://e.org/", content_type: str = "application/http") -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nContent-Type: {content_type}\r\n"
        f"WARC-Record-ID: <urn:x>\r\nWARC-Date: 2020-01-01T00:00:00Z\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body + b"\r\n\r\n"


def response(body: bytes, headers: str = "Content-Type: text/html", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n".encode() + body


def test_which_records_are_pages(tmp_path: Path) -> None:
    pytest.importorskip("fastwarc")
    content = b"".join(
        [
            record("response", response(b"<p>page"), "http://e.org/1"),
            record("revisit", response(b"x")),
            record("response", response(b"x", status="301 Moved")),
            record("response", response(b"x", "Content-Type: image/png")),
            record("request", b"GET / HTTP/1.1\r\n\r\n"),
            record("metadata", b"x", content_type="text/plain"),
            record("conversion", b"plain text", "http://e.org/2", "text/plain"),
            record("resource", b"<p>res", "http://e.org/3", "text/html"),
            record(
                "response",
                response(gzip.compress(b"<p>zip"), "Content-Type: text/html\r\nContent-Encoding: gzip"),
                "http://e.org/4",
            ),
            record(
                "response",
                response(
                    b"3\r\n<p>\r\n5\r\nchunk\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\nContent-Type: text/html"
                ),
                "http://e.org/5",
            ),
            record("response", response(b"<p>gr\xfc", "Content-Type: text/html; charset=iso-8859-1"), "http://e.org/1"),
        ]
    )
    (tmp_path / "a.warc").write_bytes(content)
    pages, stream = read(tmp_path)
    assert [(p.id, p.text) for p in pages] == [
        ("http://e.org/1", "page"),
        ("http://e.org/2", "plain text"),
        ("http://e.org/3", "res"),
        ("http://e.org/4", "zip"),
        ("http://e.org/5", "chunk"),
        ("http://e.org/1#2", "grü"),
    ]
    assert stream.errors == []
    assert {s.reason: s.count for s in stream.skipped} == {
        "HTTP status 301": 1,
        "WARC record: metadata": 1,
        "WARC record: request": 1,
        "WARC record: revisit": 1,
        "neither HTML nor text": 1,
    }


def test_a_cut_archive_is_named(tmp_path: Path) -> None:
    pytest.importorskip("fastwarc")
    content = record("response", response(b"<p>one"), "http://e.org/1") + record(
        "response", response(b"<p>two" * 50), "http://e.org/2"
    )
    (tmp_path / "a.warc").write_bytes(content[:-100])
    pages, stream = read(tmp_path)
    assert len(pages) == 2
    assert "cut short" in stream.errors[0].message


@pytest.mark.parametrize(
    ("body", "headers", "text", "damaged"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked", b"hello", False),
        (b"already joined", "Transfer-Encoding: chunked", b"already joined", False),
        (b"5\r\nhello\r\nzz\r\nmore", "Transfer-Encoding: chunked", b"hello", True),
        (b"fff\r\nhello", "Transfer-Encoding: chunked", b"hello", True),
        (b"", "Content-Encoding: gzip", b"", False),
        (b"plain", "Content-Encoding: identity", b"plain", False),
    ],
)
def test_http_bodies(body: bytes, headers: str, text: bytes, damaged: bool) -> None:
    answer = split_response(response(body, headers))
    assert decode_body(answer, 10_000) == text
    assert bool(answer.damage) == damaged
