"""The process that parses untrusted pages, and cuts them: ``python -m dedup.readers.worker``.

It reads requests from standard input and writes replies to standard output until the input ends, and imports the standard
library, turbohtml, the compiled kernel and (for Markdown, MDX, notebooks) markdown-it-py only. A message is a list of byte
strings: see `send`.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import struct
import sys
from typing import Any, BinaryIO

from dedup.readers.decode import declared_in_html, decode
from dedup.readers.leave_out import Left, ignored_in, without_left_out
from dedup.readers.parsed import COLUMNS, PageLimitError, Parsed, unpack

MEMORY_LIMIT = 1536 * 2**20  # bytes of address space beyond what the started process has
PARTS_A_PAGE = 4 + len(COLUMNS)  # header, text, paths, elements, columns
READERS = {"markdown": ("markdown", "read_markdown"), "mdx": ("mdx", "read_mdx"), "rst": ("rst", "read_rst"),
           "asciidoc": ("asciidoc", "read_asciidoc"), "notebook": ("notebook", "read_notebook")}  # module, function
_COUNT = struct.Struct("<Q")


def send(stream: BinaryIO, parts: list[bytes]) -> None:
    """Write a message: the number of parts, their lengths in bytes, the parts."""
    stream.write(struct.pack(f"<{len(parts) + 1}Q", len(parts), *map(len, parts)))
    for part in parts:
        stream.write(part)
    stream.flush()


def receive(stream: BinaryIO) -> list[bytes] | None:
    """Read a message, or ``None`` at the end of the stream."""
    head = stream.read(_COUNT.size)
    if len(head) < _COUNT.size:
        return None
    (count,) = _COUNT.unpack(head)
    table = stream.read(count * _COUNT.size)
    if len(table) < count * _COUNT.size:
        return None
    parts = [stream.read(length) for length in struct.unpack(f"<{count}Q", table)]
    return parts if all(len(part) == length for part, length in
                        zip(parts, struct.unpack(f"<{count}Q", table), strict=True)) else None


def parse(form: str, data: bytes, declared: str, select: list[str], ignore: list[str]) -> Parsed:
    """Parse one page: all of its blocks.

    Args:
        form: "html", or one of ``READERS``.
        data: Its bytes, or text as UTF-8 where `declared` is "str".
        declared: Encoding named by its surroundings, or "str".
    """
    if declared == "str":
        text, note = unpack(data), ""
    else:
        text, note = decode(data, declared or (declared_in_html(data) if form == "html" else ""))
    if form == "html":
        from dedup.readers.html import read_html

        page = read_html(text, select, ignore)
    else:
        import importlib

        module, name = READERS[form]
        page = getattr(importlib.import_module(f"dedup.readers.{module}"), name)(text)
    page.encoding, page.source = note, text
    return page


def reply(request: list[bytes]) -> list[bytes]:
    """Answer a request: a header, then the bytes of each page."""
    header = json.loads(request[0])
    out: list[bytes] = []
    wanted = header.get("gone", [None] * len(header["pages"]))
    for (form, declared), gone, data in zip(header["pages"], wanted, request[1:], strict=True):
        try:
            if gone is not None:
                out += _cut(form, data, declared, gone, header)
                continue
            page = parse(form, data, declared, header["select"], header["ignore"])
            ignored = ignored_in(page, form)
            left = without_left_out(page, ignored if header["comments"] else [], header["leave_out"])
            page = left.page if left else page
        except MemoryError:
            out += _refusal(f"needs more memory to parse than the {MEMORY_LIMIT >> 20} MB that a page may take")
        except PageLimitError as error:
            out += _refusal(str(error))
        except Exception as error:  # one page never stops the rest
            out += _refusal(f"cannot be parsed ({type(error).__name__}: {error})")
        else:
            out.append(json.dumps({"title": page.title, "encoding": page.encoding, "ignored": ignored}).encode())
            out += [*page.packed, *page.packed_columns]
            del page, left
    return out


def _cut(form: str, data: bytes, declared: str, gone: list[list[int]], header: dict[str, Any]) -> list[bytes]:
    """The parts of a page whose cuts are asked for."""
    from dedup.cleaning.pieces import Gone
    from dedup.cleaning.source import cuts_of

    select, ignore = header["select"], header["ignore"]
    stretches = [Gone(*stretch) for stretch in gone]
    back: Left | None = None
    if form in ("html", "markdown") and (header["leave_out"] or b"dedup:ignore" in data.lower()):
        page = parse(form, data, declared, select, ignore)
        back = without_left_out(page, ignored_in(page, form) if header["comments"] else [], header["leave_out"])
    if back is not None:  # what is cut was found in the text without what is left out
        stretches = [Gone(start, end, g.removal) for g in stretches for start, end in back.ranges(g.start, g.end)]
    cuts = cuts_of(form, data, stretches, select, ignore, declared)
    stayed = cuts.left if back is None else [s._replace(start=back.place(s.start), end=back.place(s.end)) for s in cuts.left]
    return [json.dumps({"cuts": cuts.cuts, "left": stayed}).encode()] + [b""] * (PARTS_A_PAGE - 1)


def _refusal(reason: str) -> list[bytes]:
    """The parts of a page that is skipped."""
    header = json.dumps({"refused": reason.replace("\n", " ")[:500]}).encode()
    return [header] + [b""] * (PARTS_A_PAGE - 1)


def limit_memory() -> None:
    """Bound the address space, where the system can."""
    try:
        import resource
    except ImportError:
        return
    used = 0
    try:
        with open("/proc/self/statm", "rb") as file:
            used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        pass
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY_LIMIT + used
    known = [value for value in (soft, hard, limit) if value != resource.RLIM_INFINITY]
    with contextlib.suppress(OSError, ValueError):  # macOS knows the limit and takes none
        resource.setrlimit(resource.RLIMIT_AS, (min(known), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def main() -> None:
    """Serve requests until the parent closes the pipe or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    import turbohtml  # noqa: F401  (before the limit is set, so that a start never fails for want of memory)

    from dedup.readers import html  # noqa: F401  (what is imported now is not looked through after each request)

    limit_memory()
    gc.freeze()
    gc.disable()  # the trees are acyclic for Python; a collection over millions of nodes costs a third of the time
    pages, answers = sys.stdin.buffer, sys.stdout.buffer
    try:
        while (request := receive(pages)) is not None:
            send(answers, reply(request))
            del request
            gc.collect(0)  # what is new; what lived on after an earlier request is in a cache
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
