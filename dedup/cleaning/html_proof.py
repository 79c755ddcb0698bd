"""The proof of cuts of HTML: the page without them, parsed again, is the old page without them. Worker processes only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dedup.cleaning import seams
from dedup.cleaning.outline import CLOSE, OPEN, Outline, outline_of
from dedup.cleaning.seams import Range
from dedup.readers.parsed import PageLimitError
from dedup.readers.sourcemap import LineEnds, collapse

Raws = dict[int, list[Range]]  # what goes of each block, in its run's text


@dataclass(slots=True)
class Action:
    """A cut that is made or not made as one.

    Attributes:
        source: Ranges of the normalised source.
        elements: Elements that go with all that is in them.
        texts: What goes of text nodes that stay: ``(node, start, end)`` in the run's text.
    """

    source: list[Range]
    elements: list[int] = field(default_factory=list)
    texts: list[tuple[int, int, int]] = field(default_factory=list)


def raw_cuts(page: Outline, actions: Sequence[Action]) -> Raws:
    """What actions take of each block, in its run's text."""
    raws: Raws = {}
    for action in actions:
        for at, start, end in action.texts:
            raws.setdefault(page.texts[at].block, []).append((start, end))
        for number in action.elements:
            for node in page.texts[page.elements[number].first:page.elements[number].last]:
                if node.block >= 0:
                    raws.setdefault(node.block, []).append(node.raw)
    return {number: seams.merged(ranges) for number, ranges in raws.items()}


def without_ranges(text: str, ranges: Sequence[Range]) -> str:
    """The text without some ranges, ascending and apart."""
    return "".join(text[a:b] for a, b in _kept(ranges, len(text)))


def _kept(ranges: Sequence[Range], size: int) -> Iterator[Range]:
    """The gaps between ranges."""
    at = 0
    for start, end in ranges:
        yield at, start
        at = end
    yield at, size


def _expected_blocks(page: Outline, actions: Sequence[Action]) -> list[str]:
    """The blocks' texts without what actions take."""
    raws = raw_cuts(page, actions)
    out: list[str] = []
    for number, block in enumerate(page.blocks):
        text = block.text
        if number in raws:
            text = collapse(without_ranges("".join(block.run.parts), raws[number]), block.keep_blanks)[0]
        if text:
            out.append(text)
    return out


def _expected_tree(page: Outline, actions: Sequence[Action]) -> list[str]:
    """The events without what actions take, texts beside each other joined."""
    changed: dict[int, list[Range]] = {}
    for action in actions:
        for at, start, end in action.texts:
            node = page.texts[at]
            changed.setdefault(at, []).append((start - node.raw[0], end - node.raw[0]))
    events = page.events
    if changed:
        events = events.copy()
        for at, ranges in changed.items():
            node = page.texts[at]
            events[node.event] = "".join(without_ranges(node.data, seams.merged(ranges)).split())
    skipped = seams.merged((page.elements[n].opened, page.elements[n].closed) for action in actions for n in action.elements)
    return _joined(events[i] for a, b in _kept(skipped, len(events)) for i in range(a, b))


def _joined(events: Iterator[str]) -> list[str]:
    """Events with texts that stand beside each other as one, and without empty elements that the parser made up."""
    out: list[str] = []
    text: list[str] = []
    for event in events:
        if event[:1] in (OPEN, CLOSE):
            if text and (whole := "".join(text)):
                out.append(whole)
            text = []
            if event == CLOSE and out and out[-1][0] == OPEN and out[-1][-1] != ">":
                out.pop()
            else:
                out.append(event)
        else:
            text.append(event)
    if whole := "".join(text):
        out.append(whole)
    return out


def reads_on(page: Outline, actions: Sequence[Action], settings: tuple[tuple[str, ...], tuple[str, ...]]) -> bool:
    """Whether the page without some cuts parses to the old one without what they take."""
    source = page.source
    ranges = seams.merged(place for action in actions for place in action.source)
    try:
        found = outline_of(LineEnds(without_ranges(source, ranges)), *settings)
    except PageLimitError:
        return False
    return ([block.text for block in found.blocks] == _expected_blocks(page, actions)
            and _joined(iter(found.events)) == _expected_tree(page, actions))
