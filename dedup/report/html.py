"""The report as one HTML file: the viewer's bundle, and the report's view as compressed JSON beside it.

The file asks for nothing: its content security policy allows the one script and the one style sheet in it, by their hashes,
and no request at all. The data is base64, so nothing that stood on a page is read as HTML; the few words that are there for
browsers without scripts are escaped.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import IO, TYPE_CHECKING

from dedup.report.text import count, one_line, percent, safe, verdict_words
from dedup.report.view import LIMITS, Limits, view_chunks, view_columns

if TYPE_CHECKING:
    from dedup.report import Report
    from dedup.report.formats import How

GENERATOR = b'<meta name="generator" content="dedup '
GZIP = 31  # zlib's word for it
STATIC_VERDICTS = 10  # that are told where no script runs

TEMPLATE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="dedup {version}">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="app"><main class="static">
<h1>{heading}</h1>
{static}
<p id="opening" role="status">Opening the report …</p>
<noscript><p>The rest of this report is drawn by a script in this file, and scripts are switched off here.</p></noscript>
</main></div>
<script type="application/octet-stream" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def to_html(report: Report, limits: Limits = LIMITS) -> str:
    """The report as one self-contained HTML file."""
    return "".join(html_chunks(report, limits))


def to_file(report: Report, file: IO[bytes], how: How) -> None:
    """Write the report as HTML to an open binary file."""
    for chunk in html_chunks(report):
        file.write(chunk.encode("utf-8"))


def html_chunks(report: Report, limits: Limits = LIMITS) -> Iterator[str]:
    """The HTML file, piece by piece."""
    script, style = viewer("viewer.js"), viewer("viewer.css")
    view = view_columns(report, limits)
    policy = (f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
              "base-uri 'none'; form-action 'none'")
    heading = _heading(report)
    before, _, after = TEMPLATE.partition("{data}")
    yield before.format(
        version=_escape(report.version), policy=_escape(policy, quote=False), title=f"{heading} – dedup", heading=heading,
        style=style, static=_static(report, view["headline"]))
    yield from _base64(_compressed(view_chunks(view)))
    yield after.format(script=script)


def _compressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks as one gzip file."""
    packer = zlib.compressobj(9, zlib.DEFLATED, GZIP)
    yield from map(packer.compress, chunks)
    yield packer.flush()


def _base64(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        whole = len(data) // 3 * 3
        rest = data[whole:]
        yield base64.b64encode(data[:whole]).decode("ascii")
    yield base64.b64encode(rest).decode("ascii")


@cache
def viewer(name: str) -> str:
    """One of the viewer's two files, as it is shipped with the package."""
    return (resources.files("dedup.report") / "viewer" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """A text's hash as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _escape(text: str, quote: bool = True) -> str:
    """Foreign text as harmless HTML text: no markup, no overrides of direction, no lone surrogates."""
    return html.escape(safe(text), quote)


def _printed(text: str) -> str:
    """A sentence with the quotes and dots of print, as the viewer has it."""
    return re.sub(r'(^|[\s(])"', r"\1“", re.sub(r"\s?\.\.\.", " …", text)).replace('"', "”")


def _heading(report: Report) -> str:
    pages = report.pages[:3]
    names = [page.title or page.id for page in pages]
    if len(set(names)) < len(names):  # versions of a page
        names = [page.id for page in pages]
    if len(report.pages) == 1 or (report.is_comparison and len(report.pages) == 2):
        return _escape(" and ".join(one_line(name, 120) for name in names))
    return f"Repeats on {count(report.summary.pages, 'page')}"


def _static(report: Report, headline: str | None) -> str:
    """The answer in a few sentences, for readers without scripts and for previews."""
    figures = report.summary
    lines = [*filter(None, [headline]),
             f"{percent(figures.duplicate_share)} of the text is repeated, in {count(figures.groups, 'passage')}."]
    lines += [one_line(cause.text, 400) for cause in report.causes[:STATIC_VERDICTS]]
    for page in report.pages[:1000]:
        if len(lines) > STATIC_VERDICTS:
            break
        name = "" if figures.pages == 1 else f"{one_line(page.id, 120)}: "
        lines += [name + words for words in verdict_words(page.verdicts[:STATIC_VERDICTS], 400)]
    return "\n".join(f"<p>{_escape(_printed(line))}</p>" for line in lines[:STATIC_VERDICTS + 1])


__all__ = ["GENERATOR", "html_chunks", "to_file", "to_html"]
