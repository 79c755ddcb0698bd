"""Compressed files and web archives: all members and frames, damage named, what stands before it used."""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest

from dedup.readers.compression import unpack
from dedup.readers.http import BodyError, decode_body, split_response
from tests.readers_help import data, read

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINES = [json.dumps({"id": str(i), "text": f"text {i} " + "abc" * (i % 50)}).encode() + b"\n" for i in range(3000)]
WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "seven", "old", "ferries", "wait"]
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
    assert len(pages) >= 2700


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("seed", range(12))
def test_reading_goes_on_behind_damage_and_the_members_that_are_sound_are_read(kind: str, seed: int) -> None:
    """Bytes changed, removed, put in, or cut off at the end, in three of forty members."""
    draw = random.Random(seed)
    bodies = ["".join(f"{i} {draw.choice(WORDS)} {draw.random()}\n" for _ in range(draw.choice([3, 300]))).encode()
              for i in range(40)]
    members = [(gzip.compress if kind == "gz" else zstd.compress)(body) for body in bodies]
    hurt = sorted(draw.sample(range(40), 3))
    for i in hurt:
        member, at = members[i], draw.randrange(len(members[i]) - 1)
        members[i] = draw.choice([
            member[:at] + bytes([member[at] ^ 1 << draw.randrange(8)]) + member[at + 1:], member[:at],
            member[:at] + draw.randbytes(50) + member[at:], member[:at] + bytes(50) + member[at + 50:]])
    said: list[str] = []
    content = unpack(io.BytesIO(b"".join(members)), kind.replace("zst", "zstd").replace("gz", "gzip"),
                     lambda message, _: said.append(message)).read()
    for i, body in enumerate(bodies):
        assert body in content or i in hurt, (i, hurt)
    assert said or all(bodies[i] in content for i in hurt)
    assert all(" at byte " in line and ("reading went on at byte " in line or line.endswith(" was used"))
               for line in said)


def test_the_line_that_damage_cut_costs_the_next_member_nothing(tmp_path: Path) -> None:
    first = gzip.compress(b'{"text": "one"}\n{"text": "two and a half')
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(first[:-8] + b"12345678" + gzip.compress(b'{"text": "three"}\n'))
    pages, stream = read(path)
    assert [page.text for page in pages] == ["one", "three"]
    assert stream.errors[0].message == (
        f"gzip data is damaged (Error -3 while decompressing data: incorrect data check) at byte {len(first) - 5}; "
        f"reading went on at byte {len(first)}")
    assert "not valid JSON" in stream.errors[1].message


def test_headers_inside_each_other_do_not_multiply_the_work() -> None:
    """Each header takes the next ones as its file name, up to one bomb with a wrong checksum."""
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(20_000_000)) + packer.flush() + bytes(8)
    content = b"\x1f\x8b\x08\x08\1\1\1\1\2\3" * 3000 + b"\0" + bomb
    got = 0
    stream = unpack(io.BytesIO(content), "gzip", lambda message, _: None)
    while data := stream.read(1 << 20):
        got += len(data)
    assert got < 300_000_000


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
    assert unpack(io.BytesIO(content), "zstd", lambda message, _: said.append(message)).read() == b""
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


def words(draw: random.Random, count: int) -> bytes:
    return " ".join(draw.choice(WORDS) + str(draw.random()) for _ in range(count)).encode()


@pytest.mark.parametrize("packed", ["", "whole", "member", "zstd"])
@pytest.mark.parametrize("damage", [
    "length +300", "length +999999999", "length 5", "no length", "magic", "junk", "bytes", "cut"])
def test_a_damaged_record_costs_no_other_one(tmp_path: Path, packed: str, damage: str) -> None:
    pytest.importorskip("fastwarc")
    draw = random.Random(damage)
    bodies = [words(draw, draw.choice([3, 30, 3000])) for _ in range(60)]
    records = [record("conversion", body, f"http://e.org/{i}", "text/plain") for i, body in enumerate(bodies)]
    hurt = [0, 7, 30, 31, 59]
    for i in hurt:
        size, one = f"Content-Length: {len(bodies[i])}".encode(), records[i]
        if damage.startswith("length"):
            add = damage.split()[1]
            one = one.replace(size, f"Content-Length: {len(bodies[i]) + int(add) if '+' in add else add}".encode())
        elif damage == "no length":
            one = one.replace(b"Content-Length", b"Content-Xength")
        elif damage == "magic":
            one = b"W\xffRC" + one[4:]
        elif damage == "junk":
            one = one + b"junk\r\n" * 50
        elif damage == "bytes":
            one = one[:10] + bytes(100) + one[110:]
        else:
            one = one[: len(one) // 2]
        records[i] = one
    if not packed and damage == "magic":
        records[0] = b"WARC" + records[0][4:]  # what is no WARC file at all is another matter
    content = {"member": b"".join(map(gzip.compress, records)), "whole": gzip.compress(b"".join(records)),
               "zstd": b"".join(map(zstd.compress, records))}.get(packed, b"".join(records))
    path = tmp_path / ("a.warc.gz" if packed else "a.warc")
    path.write_bytes(content)
    pages, stream = read(path, input_format="warc")
    assert {f"http://e.org/{i}" for i in range(60) if i not in hurt} <= {page.id for page in pages}
    for page in pages:
        if page.id.startswith("http://e.org/") and "#" not in page.id:
            assert bodies[int(page.id.rsplit("/")[-1])].decode().startswith(page.text[:-20]), "no text of another record"
    assert stream.error_count >= 3 or damage == "bytes"  # zeros over fields that nobody needs
    assert all(error.source.endswith(path.name) for error in stream.errors)


@pytest.mark.parametrize("seed", range(6))
def test_members_of_a_web_archive_damaged_at_random_cost_no_other_record(tmp_path: Path, seed: int) -> None:
    pytest.importorskip("fastwarc")
    draw = random.Random(seed)
    bodies = [words(draw, draw.choice([3, 30, 3000])) for _ in range(60)]
    members = [gzip.compress(record("conversion", body, f"http://e.org/{i}", "text/plain"))
               for i, body in enumerate(bodies)]
    hurt = draw.sample(range(1, 60), 5)
    for i in hurt:
        at = draw.randrange(len(members[i]) - 8)
        members[i] = members[i][:at] + draw.randbytes(8) + members[i][at + 8:]
    (tmp_path / "a.warc.gz").write_bytes(b"".join(members))
    pages, stream = read(tmp_path / "a.warc.gz")
    found = {page.id: page.text for page in pages}
    for i, body in enumerate(bodies):
        assert i in hurt or found[f"http://e.org/{i}"] == body.decode()
    assert stream.errors


def test_a_record_that_tells_of_web_archives_is_no_damage_to_the_one_before_it(tmp_path: Path) -> None:
    pytest.importorskip("fastwarc")
    tale = b"A record begins so:\nWARC/1.0\r\nWARC-Type: response\r\n\r\nand goes on."
    records = [record("conversion", tale, "http://e.org/tale", "text/plain"), b"junk\r\n",
               record("conversion", b"next", "http://e.org/next", "text/plain")]
    (tmp_path / "a.warc").write_bytes(b"".join(records))
    pages, stream = read(tmp_path / "a.warc")
    assert [page.text for page in pages] == [tale.decode(), "next"]
    assert stream.errors[0].message == (
        f"damaged behind record 1, at byte {len(records[0]) - 4} (Invalid WARC header); reading went on at byte "
        f"{len(records[0]) + 6}")


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


@pytest.mark.parametrize(("body", "headers", "said"), [
    (b"fff\r\n", "Transfer-Encoding: chunked", "chunked body is broken; nothing of it was used"),
    (b"fff\r\nhello", "Transfer-Encoding: chunked", "chunked body is broken; what stands before it was used"),
    (b"\x1f\x8b\x08", "Content-Encoding: gzip", "gzip data is damaged; nothing of it was used"),
    (gzip.compress(random.Random(1).randbytes(900), mtime=0)[:500], "Content-Encoding: gzip",
     "gzip data is damaged; what can be read of it was used"),
    (zlib.compress(b"one two three")[:-6], "Content-Encoding: deflate",
     "deflate data is cut short; what stands before it was used"),
    (zlib.compress(b"one two three")[2:3], "Content-Encoding: deflate", "deflate data is cut short; nothing of it was used")])
def test_of_a_damaged_body_it_is_said_whether_anything_was_used(body: bytes, headers: str, said: str) -> None:
    answer = split_response(response(body, headers))
    decode_body(answer, 10_000)
    assert answer.damage == [said]


def test_a_small_body_in_brotli_may_be_huge() -> None:
    """210 bytes for 128 MB: no more of it is unpacked than a page may have."""
    brotli = pytest.importorskip("brotli")
    bomb = split_response(response(brotli.compress(bytes(1 << 27)), "Content-Encoding: br"))
    tracemalloc.start()
    try:
        with pytest.raises(BodyError, match="longer than max_page_bytes"):
            decode_body(bomb, 10_000)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [0, 1, 1 << 21])
def test_a_body_in_brotli_is_read_to_its_end(size: int) -> None:
    brotli = pytest.importorskip("brotli")
    body = random.Random(1).randbytes(size)
    raw = brotli.compress(body, quality=1)
    answer = split_response(response(raw, "Content-Encoding: br"))
    assert (decode_body(answer, 1 << 22), answer.damage) == (body, [])
    cut = split_response(response(raw[:len(raw) // 2], "Content-Encoding: br"))
    begun = decode_body(cut, 1 << 22)
    assert body.startswith(begun)
    used = "what stands before it was used" if begun else "nothing of it was used"
    assert cut.damage == [f"Brotli data is cut short; {used}"]


@pytest.mark.parametrize(("name", "content"), [
    ("a.txt.gz", gzip.compress(b"text", mtime=0)[:8]), ("a.txt.zst", zstd.compress(b"text")[:5]),
    ("a.json", b'[{"text" "one"}]'), ("a.csv", b"\xff\xfe\0"), ("a.parquet", b"PAR1" + bytes(40) + b"PAR1"),
    ("a.arrow", b"ARROW1\0\0" + bytes(9)),
    ("a.warc", b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: x\r\n\r\n"), ("a.arc", b"filedesc://a 1 2 3 four\n")])
def test_where_nothing_stands_before_damage_nothing_is_said_to_be_used(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    pages, stream = read(tmp_path / name)
    assert not pages
    assert any("nothing of it was used" in error.message for error in stream.errors)
    assert not any("what stands before" in error.message for error in stream.errors)
