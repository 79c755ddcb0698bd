"""Plain twin of ``html_walk.hpp``: the blocks of a page of HTML, by the walk that cleaning uses, too."""

from __future__ import annotations

from typing import Any


def html_blocks(source: str, root: Any, selected: frozenset[Any] | None, ignored: frozenset[Any], max_nodes: int
                ) -> tuple[bytes, bytes, bytes, list[bytes], str | None] | None:
    """The blocks of a page: what its parser's tree holds, with places in the source.

    Args:
        source: The source, line ends as they are.
        root: The root of turbohtml's tree of the source with line ends turned into LF, parsed with source locations.
        selected: Only what is inside these elements is read; ``None``: everything.
        ignored: What is inside these is left out.
        max_nodes: The most nodes that are looked at.

    Returns:
        ``packed`` and ``packed_columns`` of `dedup.readers.parsed.Parsed` and the first heading, or ``None`` where there are
        too many nodes.
    """
    from dedup.readers.html import Walk
    from dedup.readers.sourcemap import LineEnds

    walk = Walk(LineEnds(source))
    if not walk.walk(root, selected, ignored, max_nodes):
        return None
    page = walk.builder.build(None)
    return *page.packed, page.packed_columns, walk.first_heading
