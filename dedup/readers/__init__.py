"""Readers: from files and objects to pages, streaming.

Everything is imported when it is used: the workers start through this package, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from dedup.options import Options
    from dedup.readers.stream import PageStream

__all__ = ["PageStream", "looks_like_a_place", "open_pages", "pages_from_objects"]


def open_pages(source: Path | str | BinaryIO | Sequence[Path | str | BinaryIO], options: Options | None = None,
               **settings: Any) -> PageStream:
    """Open files, folders, globs or streams to read their pages.

    Args:
        source: A path or glob, a binary stream (such as ``sys.stdin.buffer``), or a list of these. Folders are read
            with all below them; files come in the order of their paths, whatever the order of a list.
        options: Settings of reading; or give them by name.

    Returns:
        A stream to be iterated once. Its ``errors`` and ``skipped`` grow while it is.

    Raises:
        InputError: A path does not exist, or a glob matches nothing.
        OptionError: A setting is out of its range, or a CSS selector cannot be read.

    >>> pages = open_pages("README.md")  # doctest: +SKIP
    >>> [page.id for page in pages]  # doctest: +SKIP
    ['README.md']
    """
    from dedup.options import make_options
    from dedup.readers.stream import open_stream

    return open_stream(source, options if options is not None else make_options(settings, "open_pages"))


def pages_from_objects(objects: Any, options: Options | None = None, **settings: Any) -> PageStream:
    """Pages of what a program holds in its hands.

    Args:
        objects: An iterable of texts, mappings with a text field, or `Page` objects; or any object with
            ``__arrow_c_stream__`` or ``__arrow_c_array__`` (a table of pyarrow, pandas or polars, or a column of texts).
            Those without an id are named "0", "1", ... by index.
        options: Settings of reading (``text_field``, ``id_field``, ``meta``, ``field_format``); or give them by name.

    Raises:
        InputError: While it is read: none of them has a text where it is looked for, or Arrow refuses the table.

    >>> [page.id for page in pages_from_objects(["one text", {"id": "b", "text": "another"}])]
    ['0', 'b']
    """
    from dedup.options import make_options
    from dedup.readers.stream import stream_of_objects

    return stream_of_objects(objects, options if options is not None else make_options(settings, "pages_from_objects"))


def looks_like_a_place(text: str) -> bool:
    """Whether a text is rather a path, glob or address than a text: it exists, or ends like one."""
    from dedup.readers.files import looks_like_a_place as looks

    return looks(text)


def __getattr__(name: str) -> Any:
    if name == "PageStream":
        from dedup.readers.stream import PageStream

        return PageStream
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
