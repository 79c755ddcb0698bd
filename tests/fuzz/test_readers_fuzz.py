"""Random bytes through every reader: nothing raises, nothing is lost in silence, places stay true."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dedup.model import Page
from dedup.options import Options
from dedup.readers import open_pages
from dedup.readers.html import read_html
from dedup.readers.jobs import Job
from dedup.readers.markdown import read_markdown
from dedup.readers.pool import WorkerPool, _unpack
from dedup.readers.worker import reply
from tests.readers_help import assert_sound, mapped_errors

quick = settings(derandomize=True, max_examples=150, deadline=None)
HTML = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<div class=nav>",
            "</div>",
            "<b>",
            "</b>",
            "<i>",
            "</i>",
            "<table>",
            "<tr>",
            "<td>",
            "</table>",
            "<pre>\n",
            "</pre>",
            "<br>",
            "<a href=x>",
            "</a>",
            "<select>",
            "<option>",
            "</select>",
            "<svg>",
            "</svg>",
            "<template>",
            "</template>",
            "<!-- c -->",
            "<!--",
            "-->",
            "<",
            ">",
            "&amp;",
            "&lt",
            "&notit;",
            "&#0;",
            "&#x80;",
            "&#55296;",
            "&",
            "\r\n",
            "\r",
            "\n",
            " ",
            "  ",
            "\xa0",
            "word",
            "zwei wörter",
            "中文",
            "𝄞",
            "\0",
            "\ud800",
            "\ufeff",
            "<li>",
            "<h1>",
            "<form>",
            "<body>",
            "<html>",
            "<title>",
            "</title>",
            "<math>",
            "<mi>",
            "<![CDATA[x]]>",
            "<?x?>",
            "</",
            "<button>",
            "<p hidden>",
            "'",
            '"',
        ]
    ),
    max_size=40,
).map("".join)
MARKDOWN = st.lists(
    st.sampled_from(
        [
            "# ",
            "- ",
            "1. ",
            "> ",
            "\n",
            "\n\n",
            "*",
            "**",
            "_",
            "`",
            "```\n",
            "[",
            "]",
            "(x)",
            "![",
            "<b>",
            "&amp;",
            "\\",
            "|",
            "|-|-|\n",
            "word",
            "two words",
            "  ",
            "    ",
            "---\n",
            "\r\n",
            "<!-- ",
            "<div>",
            "http://a.b",
            "<http://a.b>",
            "中文",
            "=\n",
            "\t",
            "&",
            "title: x\n",
        ]
    ),
    max_size=40,
).map("".join)


def checked(source: str, form: str) -> None:
    """Through the worker's own reply and back, without a process."""
    header = json.dumps({"pages": [[form, "str"]], "select": [], "ignore": [], "leave_out": [], "comments": True}).encode()
    answer = _unpack(reply([header, source.encode("utf-8", "surrogatepass")]))
    assert not answer.refused, answer.refused
    assert answer.layout is not None
    assert_sound(answer.layout, answer.text)
    assert mapped_errors(answer.text, source, answer.layout) == []


@quick
@given(HTML)
def test_html_places_are_true(source: str) -> None:
    checked(source, "html")


@quick
@given(st.text(max_size=200))
def test_any_text_is_html(source: str) -> None:
    checked(source, "html")


@quick
@given(MARKDOWN)
def test_markdown_places_are_true(source: str) -> None:
    checked(source, "markdown")


@quick
@given(HTML)
def test_reading_html_twice_gives_the_same(source: str) -> None:
    a, b = read_html(source), read_html(source)
    assert (a.text, a.paths, a.columns) == (b.text, b.paths, b.columns)


@quick
@given(MARKDOWN)
def test_line_ends_change_no_markdown_text(source: str) -> None:
    source = source.replace("\r", "")
    assert read_markdown(source).text == read_markdown(source.replace("\n", "\r\n")).text


def pages_of(content: bytes, form: str | None) -> tuple[list[Page], int]:
    stream = open_pages(io.BytesIO(content), input_format=form, threads=1)
    pages = list(stream)
    return pages, stream.error_count + sum(entry.count for entry in stream.skipped)


@pytest.mark.parametrize("form", [None, "text", "jsonl", "csv", "tsv", "parquet", "arrow", "warc"])
@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise(form: str | None, content: bytes) -> None:
    if content[:1] == b"<" and form is None:
        content = b" " + content
    pages, said = pages_of(content, form)
    assert pages or said or form in ("jsonl", "csv", "tsv", "warc") or not content.strip()


JSON_LINE = st.one_of(
    st.builds(lambda text: json.dumps({"text": text}).encode(), st.text(max_size=20)),
    st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"")),
    st.sampled_from(
        [b"", b"{}", b"[]", b'{"text": 1}', b'{"text": "\\ud800"}', b'{"text": "a"} {"text": "b"}', b" \r"]
    ),
)


@quick
@given(st.lists(JSON_LINE, max_size=12))
def test_every_json_line_is_a_page_an_error_or_blank(lines: list[bytes]) -> None:
    content = b"\n".join(lines)
    assume(not content.startswith((b"\x28\xb5\x2f\xfd", b"\x1f\x8b")))  # that would be zstd or gzip
    stream = open_pages(io.BytesIO(content), input_format="jsonl")
    pages = list(stream)
    lost = sum(entry.count for entry in stream.skipped)
    blank = sum(not line.strip(b" \t\r") for line in lines)
    if lines and any(lines):
        assert len(pages) + lost + blank == len(lines)
        assert [page.line for page in pages] == sorted({page.line for page in pages})


@quick
@given(st.binary(min_size=1, max_size=300), st.integers(0, 2000), st.integers(0, 255))
def test_damaged_gzip_never_raises_and_never_lies(content: bytes, at: int, byte: int) -> None:
    raw = bytearray(gzip.compress(content, mtime=0))
    raw[at % len(raw)] = byte
    stream = open_pages(io.BytesIO(bytes(raw)), input_format="text")
    pages = list(stream)
    if not stream.errors and pages and pages[0].text.encode("utf-8", "surrogatepass") != content:
        assert (
            raw[:2] != b"\x1f\x8b"
            or b"\0" in content
            or content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"))
        )


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    workers = WorkerPool(1, Options())
    yield workers
    workers.close()


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=8))
def test_workers_answer_every_page(pool: WorkerPool, raws: list[bytes]) -> None:
    answers = pool.submit([Job("html", raw) for raw in raws]).result()
    assert len(answers) == len(raws)
    assert all(answer.layout is not None or answer.refused for answer in answers)


def arrow_file() -> bytes:
    import pyarrow
    import pyarrow.feather

    table = pyarrow.table({"id": [str(i) for i in range(60)], "text": [f"text {i} " * (i % 9) for i in range(60)]})
    out = io.BytesIO()
    pyarrow.feather.write_feather(table, out, compression="uncompressed")
    return out.getvalue()


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), min_size=1, max_size=8))
def test_damaged_arrow_never_ends_the_process(damage: list[tuple[int, int]]) -> None:
    """Unchecked, offsets that lead outside the file end in a segmentation fault of pyarrow."""
    pytest.importorskip("pyarrow")
    raw = bytearray(arrow_file())
    for at, byte in damage:
        raw[at % len(raw)] = byte
    pages, said = pages_of(bytes(raw), "arrow")
    assert pages or said
