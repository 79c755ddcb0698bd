"""Files: what is found, chosen, opened, named; and each bad input of a folder, with the rest read."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.errors import InputError
from dedup.estimate import estimate
from dedup.options import Options
from dedup.readers import looks_like_a_place, open_pages, pages_from_objects
from dedup.readers.formats import choose, is_binary
from dedup.readers.notes import Notes
from tests.readers_help import read


def ids(pages: list) -> list[str]:
    return [page.id for page in pages]


def test_a_folder_is_read_in_the_order_of_relative_paths(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a.txt", "a/b/c.md", "LICENSE", "z.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"text of {name}")
    pages, stream = read(tmp_path)
    assert ids(pages) == ["LICENSE", "a.txt", "a/b/c.md", "a/z.txt", "b.txt", "z.html"]
    assert ids(pages) == sorted(ids(pages))
    assert pages[1].source == (tmp_path / "a.txt").as_posix()
    assert {page.site for page in pages} == {tmp_path.name}
    assert stream.files == 6
    assert stream.errors == []


def test_a_file_is_named_by_its_name_and_its_site_is_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (page,), _ = read(tmp_path / "a.txt")
    assert (page.id, page.site) == ("a.txt", tmp_path.name)


def test_the_order_of_arguments_changes_nothing_and_clashing_ids_get_a_prefix(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(folder)
    pages, stream = read([tmp_path / "two", tmp_path / "one"])
    assert [(page.id, page.text) for page in pages] == [("a.txt", "one"), ("two/a.txt", "two")]
    assert stream.renamed == 1
    again, _ = read([tmp_path / "one", tmp_path / "two", tmp_path / "one"])
    assert ids(again) == ids(pages)


def test_a_place_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    pages, stream = read([tmp_path, tmp_path / "a.txt"])
    assert len(pages) == 1
    assert stream.skipped[0].reason == "named twice"


def test_globs(tmp_path: Path) -> None:
    (tmp_path / "s" / "d").mkdir(parents=True)
    for name in ("s/a.html", "s/d/b.html", "s/c.txt"):
        (tmp_path / name).write_text("<p>x")
    pages, _ = read(f"{tmp_path}/s/**/*.html")
    assert ids(pages) == ["a.html", "d/b.html"]
    with pytest.raises(InputError, match="no file matches"):
        open_pages(f"{tmp_path}/*.nothing")


def test_a_path_that_does_not_exist_raises_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_pages(tmp_path / "nowhere")


def test_include_and_exclude_in_gitignore_style(tmp_path: Path) -> None:
    for name in ("a.txt", "b.md", "skip/c.txt", "keep/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert ids(read(tmp_path, exclude=("skip/", "*.md"))[0]) == ["a.txt", "keep/d.txt"]
    assert ids(read(tmp_path, include="keep/**")[0]) == ["keep/d.txt"]


def test_a_stream_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    stream = open_pages(tmp_path)
    list(stream)
    with pytest.raises(RuntimeError, match="once"):
        iter(stream)


def test_standard_input_is_chosen_by_content_or_by_what_the_user_says() -> None:
    assert read(io.BytesIO(b'{"id": "x", "text": "t"}\n'))[0][0].id == "x"
    assert read(io.BytesIO(b"<!doctype html><p>hi"))[0][0].text == "hi"
    assert read(io.BytesIO(b"plain"))[0][0].text == "plain"
    assert read(io.BytesIO(b"# head\n\npar"), input_format="markdown")[0][0].text == "head\npar"
    assert read(io.BytesIO(b"text\nrow one\n"), input_format="csv")[0][0].text == "row one"


# -- bad input: each names itself, and the good page beside it is read ---------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.txt").write_text("good")
    return tmp_path


def only_good(folder: Path, **settings: object) -> object:
    pages, stream = read(folder, **settings)
    assert [page.text for page in pages] == ["good"]
    return stream


def test_an_unreadable_file_is_named(folder: Path) -> None:
    (folder / "a.txt").symlink_to(folder / "nowhere")
    stream = only_good(folder)
    assert [error.source for error in stream.errors] == [(folder / "a.txt").as_posix()]
    if os.geteuid():
        (folder / "b.txt").write_text("x")
        (folder / "b.txt").chmod(0)
        assert len(only_good(folder).errors) == 2


def test_an_empty_file_is_counted_and_where_it_was_named_an_error(folder: Path) -> None:
    (folder / "empty.txt").write_bytes(b"")
    assert [(s.reason, s.count) for s in only_good(folder).skipped] == [("empty file", 1)]
    _, stream = read(folder / "empty.txt")
    assert "empty file" in stream.errors[0].message


def test_a_binary_file_is_skipped_by_name(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    stream = only_good(folder)
    assert stream.skipped[0].reason == "binary file"
    assert stream.skipped[0].examples[0].endswith("a.txt")
    assert "binary file" in read(folder / "a.txt")[1].errors[0].message


def test_other_suffixes_are_counted_and_read_only_where_named(folder: Path) -> None:
    (folder / "a.py").write_text("print(1)")
    (folder / "b.png").write_bytes(b"\x89PNG")
    assert [(s.reason, s.count) for s in only_good(folder).skipped] == [
        ("no reader for .png", 1),
        ("no reader for .py", 1),
    ]
    assert read(folder / "a.py")[0][0].text == "print(1)"


def test_a_folder_without_pages_says_so(tmp_path: Path) -> None:
    pages, stream = read(tmp_path)
    assert pages == []
    assert "nothing to read" in stream.errors[0].message


def test_wrong_encoding_bom_nul_and_controls(folder: Path) -> None:
    (folder / "a.txt").write_bytes("grün".encode("cp1252"))
    (folder / "b.txt").write_bytes(b"\xef\xbb\xbfbom\r\nline")
    (folder / "c.txt").write_bytes("wide ü".encode("utf-16"))
    (folder / "d.txt").write_bytes(b"nul\0 and \x1b[31m here, in a text of some length")
    pages, stream = read(folder)
    assert [page.text for page in pages[:4]] == [
        "grün",
        "bom\r\nline",
        "wide ü",
        "nul\0 and \x1b[31m here, in a text of some length",
    ]
    assert [error.source[-5:] for error in stream.errors] == ["a.txt"]
    assert "Windows-1252" in stream.errors[0].message


def test_a_page_beyond_max_page_bytes_is_skipped_by_name(folder: Path) -> None:
    (folder / "a.txt").write_text("x" * 2000)
    (folder / "a.html").write_text("x" * 2000)
    stream = only_good(folder, max_page_bytes=1500)
    assert len(stream.errors) == 2
    assert "max_page_bytes" in stream.errors[0].message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_fifos_sockets_and_devices_are_never_opened(folder: Path) -> None:
    os.mkfifo(folder / "a.txt")
    short = Path(os.path.relpath(folder / "b.txt"))
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.bind(str(short) if len(str(short)) < 100 else str(folder / "b.txt"))
        except OSError:
            pytest.skip("path too long for a socket")
        (folder / "c.txt").symlink_to("/dev/zero")
        stream = only_good(folder)
    assert [error.message.split(",")[0] for error in stream.errors] == [
        "cannot be read (is a FIFO",
        "cannot be read (is a socket",
        "cannot be read (is a device",
    ]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no /dev/fd here")
def test_what_a_shell_hands_over_as_a_pipe_is_read(folder: Path) -> None:
    """``dedup scan <(command)``: somebody writes to it, unlike to a FIFO that has a name."""
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing, "w") as out:
        out.write("Some words that a command wrote.")
        out.close()
        pages, stream = read(Path(f"/dev/fd/{reading}"))
    assert [(page.id, page.text) for page in pages] == [(str(reading), "Some words that a command wrote.")]
    assert not stream.errors
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb"), pytest.raises(InputError, match="a pipe cannot be cleaned"):
        dedup.clean(Path(f"/dev/fd/{reading}"), folder / "out")  # it would be read twice
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb"), pytest.raises(InputError, match="how much a pipe holds"):
        estimate([Path(f"/dev/fd/{reading}")], Options())
    os.mkfifo(folder / "named")
    assert [error.message for error in read(folder / "named")[1].errors] == [
        "cannot be read (is a FIFO, not a regular file), skipped"]


RECORDS = b'{"id": "a", "text": "Some words of one page."}\n{"id": "b", "text": "Some words of another one."}\n'


def written_slowly(data: bytes, first: int, out: int) -> threading.Thread:
    """Write to a pipe in two steps, while it is read."""
    def write() -> None:
        with os.fdopen(out, "wb", buffering=0) as pipe:
            pipe.write(data[:first])
            time.sleep(0.05)
            pipe.write(data[first:])
    thread = threading.Thread(target=write)
    thread.start()
    return thread


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("first", [1, 11])
@pytest.mark.parametrize("data", [RECORDS, gzip.compress(RECORDS), gzip.compress(RECORDS[:4]) + gzip.compress(RECORDS[4:])],
                         ids=["plain", "packed", "members"])
def test_a_pipe_is_told_by_how_it_begins_however_slowly_it_is_written(data: bytes, first: int, waits: bool) -> None:
    """One read of a pipe gives what was written at once: of that the format was guessed."""
    reading, writing = os.pipe()
    os.set_blocking(reading, waits)
    thread = written_slowly(data, first, writing)
    with os.fdopen(reading, "rb") as pipe:
        pages, stream = read(pipe)
        assert not pipe.closed
    thread.join()
    assert ids(pages) == ["a", "b"]
    assert not stream.errors


def test_the_first_member_of_a_packed_file_may_be_short(tmp_path: Path) -> None:
    (tmp_path / "pages").write_bytes(gzip.compress(RECORDS[:4]) + gzip.compress(RECORDS[4:]))
    assert ids(read(tmp_path / "pages")[0]) == ["a", "b"]


class Failing(io.RawIOBase):
    """A stream that breaks off."""

    def __init__(self, data: bytes) -> None:
        self.data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self.data.readinto(buffer)
        if not count:
            raise OSError(5, "Input/output error")
        return count


def test_a_stream_that_breaks_off_costs_what_was_not_read(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("the rest is read")
    stream = open_pages([Failing(RECORDS * 20000), tmp_path / "good.txt"])
    pages = list(stream)
    assert len(pages) > 4000
    assert pages[-1].text == "the rest is read"
    assert [(e.source, e.message) for e in stream.errors] == [
        ("-", "cannot be read (Input/output error); what stands before it was used")]
    stream = open_pages([Failing(b"<html><p>Some words"), tmp_path / "good.txt"])
    assert ids(list(stream)) == ["good.txt"]
    assert [e.message for e in stream.errors] == ["cannot be read (Input/output error), skipped"]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no /dev/fd here")
@pytest.mark.parametrize("place", ["/dev/fd", "/dev/fd/1"])
def test_pipes_of_our_own_output_are_not_waited_for(place: str) -> None:
    done = subprocess.run([sys.executable, "-m", "dedup", "scan", place], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode in (2, 3)  # other files may be open
    assert "/dev/fd/1: cannot be read (is a FIFO, not a regular file), skipped" in done.stderr


def test_symlink_loops_end_and_links_inside_are_read_once(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "again.txt").symlink_to(folder / "good.txt")
    (folder / "a").symlink_to(folder / "sub")
    stream = only_good(folder)
    assert [(s.reason, s.count) for s in stream.skipped] == [("link to a place that is read anyway", 3)]


def test_links_to_folders_outside_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.txt").write_text("x")
    (tmp_path / "out" / "back").symlink_to(tmp_path / "out")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "b").symlink_to(tmp_path / "out")
    assert ids(read(tmp_path / "in")[0]) == ["a/x.txt"]


def test_a_file_that_changes_while_it_is_read_is_used_and_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n' * 3)
    stream = open_pages(path)
    pages = iter(stream)
    first = next(pages)
    with path.open("a") as file:
        file.write('{"text": "more"}\n')
    assert [first.text, *(page.text for page in pages)][:3] == ["one"] * 3
    assert "changed while" in stream.errors[-1].message


def test_hidden_folders_are_left_out(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "x.txt").write_text("x")
    assert [s.reason for s in only_good(folder).skipped] == ["hidden folder"]


def test_more_than_ten_errors_of_a_kind_are_summed_up() -> None:
    notes = Notes()
    for line in range(1, 1014):
        notes.error("f", line, f"bad {line}", "bad line")
    assert len(notes.errors) == 11
    assert notes.errors[-1].message == "… and 1,003 more lines like this (bad line)"
    assert notes.error_count == 1013


# -- choosing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "head", "named", "form"),
    [
        ("a.html", b"x", False, "html"),
        ("a.HTM.gz", b"x", False, "html"),
        ("LICENSE", b"x", False, "text"),
        ("a/LICENSE.APACHE", b"x", False, "text"),
        ("a.txt", b"PAR1....", False, "parquet"),
        ("a.gz", b"WARC/1.0", False, "warc"),
        ("x", b"<!DOCTYPE html>", False, "html"),
        ("a.json", b'[{"a": 1}]', False, "json"),
        ("a.json", b'{"a": 1}\n{"a": 2}', False, "jsonl"),
        ("a.json", b'{\n "a": 1\n}', False, ""),
        ("a.xyz", b"text", False, ""),
        ("a.xyz", b"text", True, "text"),
        ("a.parquet", b"text", False, ""),
        ("a.arrow", b"\xff\xff\xff\xff\0", False, "arrow"),
        ("a.wet.zst", b"WARC/", False, "warc"),
    ],
)
def test_the_reader_is_chosen_by_content_then_suffix(name: str, head: bytes, named: bool, form: str) -> None:
    assert choose(name, head, named, None)[0] == form


def test_binary_is_told_from_text() -> None:
    assert is_binary(b"%PDF-1.4\n" + bytes(range(256)) * 4)
    assert is_binary(bytes(100))
    assert not is_binary(b"one \0 in a text")
    assert not is_binary("日本語のテキスト".encode())
    assert not is_binary(b"MZ is how this sentence begins")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("news.txt", True),
        ("a/b/page.html", True),
        ("https://example.org/x", True),
        ("site/**/*.html", True),
        ("data.jsonl.gz", True),
        ("Open the file news.txt", False),
        ("A sentence.", False),
        ("", False),
        ("two\nlines.txt", False),
        ("x" * 5000, False),
        ("nul\0.txt", False),
        ("What is this?", False),
    ],
)
def test_a_text_that_looks_like_a_place(text: str, place: bool) -> None:
    assert looks_like_a_place(text) is place


def test_an_existing_path_is_a_place() -> None:
    assert looks_like_a_place(os.getcwd())


# -- objects ----------------------------------------------------------------------------------------------------


def test_objects_become_pages_and_bad_ones_errors_with_their_index() -> None:
    stream = pages_from_objects(
        ["one", {"id": 7, "text": "two"}, {"text": "three"}, 5, {"id": "x"}, {"text": 3}, "last"]
    )
    pages = list(stream)
    assert [(page.id, page.text) for page in pages] == [("0", "one"), ("7", "two"), ("2", "three"), ("6", "last")]
    assert [error.source for error in stream.errors] == ["input[3]", "input[4]", "input[5]"]
    assert all(page.source and not page.record for page in pages)


def test_objects_may_hold_html_and_clashing_ids_are_numbered() -> None:
    stream = pages_from_objects([{"id": "a", "text": "<p>x"}, {"id": "a", "text": "<p>y<p>z"}], field_format="html")
    assert [(page.id, page.text) for page in stream] == [("a", "x"), ("a#2", "y\nz")]
    assert stream.renamed == 1


def test_objects_may_speak_arrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"id": ["a", None], "text": ["one", "two"]})
    assert [(page.id, page.text) for page in pages_from_objects(table)] == [("a", "one"), ("1", "two")]


def test_a_stream_left_in_the_middle_leaves_no_process(tmp_path: Path) -> None:
    for i in range(300):
        (tmp_path / f"{i:03}.html").write_text("<p>x" * 2000)
    before = children()
    pages = iter(open_pages(tmp_path, threads=2))
    assert next(pages).id == "000.html"
    pages.close()  # type: ignore[attr-defined]
    assert children() == before


def children() -> set[str]:
    """Process ids of our children, where the system tells."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    if not path.exists():
        pytest.skip("no /proc here")
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            found |= set((task / "children").read_text().split())
    return found


def test_pages_come_in_order_whatever_the_threads(tmp_path: Path) -> None:
    for i in range(200):
        (tmp_path / f"{i:03}.{'html' if i % 3 else 'txt'}").write_text(f"<p>{i} " + "x" * (i * 37 % 5000))
    one, two = ([(p.id, p.text) for p in read(tmp_path, threads=n)[0]] for n in (1, 3))
    assert one == two
    assert [name for name, _ in one] == sorted(name for name, _ in one)
