"""Which reader a file gets: by its content, then by its suffix."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import Any

from dedup.readers.decode import wide_codec

SUFFIXES = {
    ".html": "html", ".htm": "html", ".xhtml": "html", ".txt": "text", ".text": "text", ".md": "markdown",
    ".markdown": "markdown", ".mdx": "mdx", ".rst": "rst", ".adoc": "asciidoc", ".asciidoc": "asciidoc", ".ipynb": "notebook",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv",
    ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow", ".warc": "warc", ".wet": "warc",
    ".wat": "warc", ".arc": "warc"}
MARKUP = frozenset({"html", "markdown", "mdx", "rst", "asciidoc", "notebook"})  # parsed by a worker: one file, one page
PACKED = frozenset({".gz", ".zst"})
HEAD_BYTES = 8192
WIDEST_HEAD = 4 * HEAD_BYTES  # of UTF-32
MANIFEST = b'{"kind":"manifest","format":"dedup-manifest/'  # it holds what went: no page
A_MANIFEST = "manifest of dedup clean"  # the reason why it is skipped
BASELINE = b'{"format": "dedup-baseline/'
A_REPORT = "report of dedup"  # like a baseline: what stands in it stands elsewhere
_REPORT = re.compile(  # how reports begin: Markdown, text, JSON, SARIF, tables as CSV and JSON Lines; further on HTML
    rb'<!-- dedup-report -->|Report of dedup \d[\w.+-]*\r?\n|\{"format": ?"dedup-report/'
    rb'|\{"\$schema":"[^"\n]{0,200}","version":"2\.1\.0","runs":\[\{"tool":\{"driver":\{"name":"dedup",'
    rb'|group,kind,verdicts?,|\{"group":\d+,"kind":"[a-z]+","verdicts?":'
    rb'|id,source,(?:row,)?title,meta,words,chars,keep,kept_page,|\{"id":"[^\n]{0,6000}?,"keep":(?:true|false),"kept_page":'
    rb'|[^\0]{0,300}<meta name="generator" content="dedup ')
_CONTENT = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"WARC/", "warc"), (b"filedesc://", "warc"))
_BINARY = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF-", b"PK\x03\x04", b"PK\x05\x06", b"\x7fELF", b"RIFF", b"BZh",
           b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\xca\xfe\xba\xbe", b"SQLite format 3", b"OggS", b"ID3", b"\0asm",
           b"wOFF", b"wOF2", b"MZ", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_SUFFIX = re.compile(r"\.[A-Za-z0-9_+~-]{1,10}\Z")
_LEGAL = re.compile(r"(?:LICEN[SC]E|COPYING|NOTICE)\b")  # LICENSE.APACHE has no suffix that means a format
_CONTROL = bytes(range(9)) + b"\x0b" + bytes(range(0x0e, 0x1b)) + bytes(range(0x1c, 0x20)) + b"\x7f"
_HTML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b",
                   re.IGNORECASE | re.DOTALL)


def suffix_of(name: str) -> str:
    """The suffix that names a format, in lower case, behind a ``.gz`` or ``.zst`` that is left out; may be empty.

    >>> suffix_of("a/news.HTML.gz"), suffix_of("LICENSE"), suffix_of("v1. Notes on it")
    ('.html', '', '')
    """
    path = PurePosixPath(name)
    if path.suffix.lower() in PACKED:
        path = path.with_suffix("")
    return path.suffix.lower() if _SUFFIX.search(path.name) and not path.name.startswith(".") else ""


def is_binary(head: bytes) -> bool:
    """Whether the first bytes of a file are no text. A NUL here and there is text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return False
    if head.startswith(_BINARY) and not _mostly_text(head):
        return True
    return not _mostly_text(head)


def _mostly_text(head: bytes) -> bool:
    """At most 2 % control characters."""
    return len(head) - len(head.translate(None, _CONTROL)) <= len(head) // 50 + 1


def head_of(content: Any) -> tuple[bytes, str]:
    """How a stream begins, which is not moved on: its first bytes, and its codec where it is UTF-16 or UTF-32.

    Those of the latter are given in UTF-8 and without a byte order mark.
    """
    head = content.peek(WIDEST_HEAD)[:WIDEST_HEAD]
    codec = wide_codec(head)
    return (head.decode(codec, "replace").removeprefix("\ufeff").encode() if codec else head)[:HEAD_BYTES], codec


def is_report(head: bytes) -> bool:
    """Whether a file that begins so is a report of ours. Of Parquet only the end of the file could tell."""
    return _REPORT.match(head) is not None


def choose(name: str, head: bytes, named: bool, input_format: str | None) -> tuple[str, str]:
    """The reader for a file.

    Args:
        name: Its name.
        head: Its first bytes, decompressed.
        named: It was named by the user, not found in a folder.
        input_format: The format that the user says it has.

    Returns:
        The format, and an empty string; or an empty string, and the reason why it is skipped.
    """
    if head.startswith(MANIFEST):
        return "", A_MANIFEST
    if BASELINE in head[:200]:
        return "", "baseline of dedup"
    if is_report(head):
        return "", A_REPORT
    suffix = suffix_of(name)
    if input_format and (named or suffix not in SUFFIXES):
        return input_format, ""
    for magic, form in _CONTENT:
        if head.startswith(magic):
            return form, ""
    if suffix == ".arrow" or suffix == ".ipc" or suffix == ".feather":
        return "arrow", ""  # the stream format has no magic bytes
    form = SUFFIXES.get(suffix, "")
    if not form and suffix and not named and not _LEGAL.match(PurePosixPath(name).name):
        return "", f"no reader for {suffix}"
    if is_binary(head):
        return "", "binary file"
    if form in ("warc", "parquet"):
        return "", f"not a {form} file"
    if form == "json":
        return _json_form(head)
    if form:
        return form, ""
    if _HTML.match(head):
        return "html", ""
    return ("jsonl" if _is_json_line(head) else "text"), ""


def _json_form(head: bytes) -> tuple[str, str]:
    """JSON lines, an array of objects, or other JSON, which has no records."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return "json", ""
    if text.startswith(b"{") and (_is_json_line(text) or (b"\n" not in text and len(head) >= HEAD_BYTES)):
        return "jsonl", ""
    return "", "JSON without records (neither JSON lines nor an array of objects)"


def _is_json_line(head: bytes) -> bool:
    """Whether the first line is a JSON object."""
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0].strip()
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return line.startswith(b'{"') and len(line) >= HEAD_BYTES // 2
