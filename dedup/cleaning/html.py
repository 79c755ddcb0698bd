"""Cuts of HTML: the outermost elements all of whose text goes, and text beside what stays. Worker processes only.

What is cut is verified: the page is parsed again without it, and must have the old tree without the cut elements and the
old blocks without the cut text. A cut that fails is taken back, and it alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from dedup.cleaning import seams
from dedup.cleaning.checks import sound
from dedup.cleaning.html_proof import Action, Raws, raw_cuts, reads_on
from dedup.cleaning.outline import ALT, Block, Element, Outline, outline_of
from dedup.cleaning.pieces import Cut, Cuts, Gone, Left
from dedup.cleaning.seams import Range, has_words, says_something
from dedup.readers.elements import BLOCKS
from dedup.readers.sourcemap import LineEnds

_UNSEEN = frozenset({"script", "style", "link", "meta", "template"})
TORN_ROW, TORN_CONTROL = "it would tear a table row", "it would tear a form control"
NO_PLACE, DAMAGE = "its exact place in the source is not known", "the page would not read the same without it"
ROUNDS = 3  # elements that cannot go are cut inside instead, and so on


def html_cuts(source: str, gone: Sequence[Gone], select: Sequence[str] = (), ignore: Sequence[str] = ()) -> Cuts:
    """What goes of a page.

    Args:
        source: The decoded source without byte order mark, line ends as they are.
        gone: What is to go, in code points of the text that `dedup.readers.html.read_html` makes of it.
        select, ignore: As the page was read with.

    Raises:
        PageLimitError: It has too many nodes.
        MemoryError: The memory that the process may take does not hold it.
    """
    if not gone:
        return Cuts(())
    ends = LineEnds(source)
    settings = (tuple(select), tuple(ignore))
    page = outline_of(ends, *settings)
    text = "\n".join(page.builder.texts)
    gone = seams.apart(gone, len(text))
    if not gone:
        return Cuts(())
    cutter = _Cutter(page, text, gone)
    for rounds in range(ROUNDS):
        actions = cutter.actions()
        made = sound(actions, lambda some: reads_on(page, some, settings), len(source))
        refused = [action for action, is_made in zip(actions, made, strict=True) if not is_made]
        if rounds == ROUNDS - 1 or not cutter.divide(refused):
            break
    cutter.refuse(refused, DAMAGE)
    accepted = _of_words(page, [action for action, is_made in zip(actions, made, strict=True) if is_made], settings)
    ranges = seams.merged(place for action in accepted for place in action.source)
    cuts = seams.by_removal(ranges, cutter.gone_in_source()) if ranges else []
    return Cuts(tuple(Cut(ends.original(a), ends.original(b), removal) for a, b, removal in cuts),
                tuple(cutter.left(accepted)))


def _of_words(page: Outline, actions: list[Action], settings: tuple[tuple[str, ...], tuple[str, ...]]) -> list[Action]:
    """The cuts without blanks and marks of blocks of which no word goes after all."""
    idle = set()
    for number, ranges in raw_cuts(page, actions).items():
        text = "".join(page.blocks[number].run.parts)
        if has_words(text, 0, len(text)) and not any(has_words(text, start, end) for start, end in ranges):
            idle.add(number)
    rest = [action for action in actions if not (action.texts and page.texts[action.texts[0][0]].block in idle)]
    return rest if len(rest) < len(actions) and reads_on(page, rest, settings) else actions


class _Cutter:
    """From what is to go to the cuts that make it go."""

    def __init__(self, page: Outline, text: str, gone: Sequence[Gone]) -> None:
        self.page, self.text, self.gone = page, text, gone
        self.raws: Raws = {}
        self.whole: set[int] = set()
        self.reasons: list[tuple[int, int, str]] = []
        self._want()
        self.stays, self.goes = self._counts()

    def _want(self) -> None:
        """What goes of each block: all of it where no word of it stays, else its spans."""
        row = 0
        for number, block in enumerate(self.page.blocks):
            start, end = block.start, block.start + len(block.text)
            while row < len(self.gone) and self.gone[row].end <= start:
                row += 1
            if row == len(self.gone):
                return
            inside = []
            here = row
            while here < len(self.gone) and self.gone[here].start < end:
                a, b, removal = self.gone[here]
                inside.append(Gone(max(a, start) - start, min(b, end) - start, removal))
                here += 1
            if ranges := self._of_block(number, block, inside):
                self.raws[number] = [block.raw_range(a, b) for a, b in ranges]

    def _of_block(self, number: int, block: Block, inside: list[Gone]) -> list[Range]:
        """Ranges of a block's text that go."""
        text = block.text
        edges = [0, *(at for piece in inside for at in piece[:2]), len(text)]
        if inside and not any(says_something(text, a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)):
            self.whole.add(number)
            return [(0, len(text))]
        return seams.spans(text, 0, len(text), seams.stretches(text, inside))

    def _counts(self) -> tuple[list[int], list[int]]:
        """Before each text node and behind all: how many have text that stays, and how many have text that goes."""
        stays, goes = [0], [0]
        for node in self.page.texts:
            ranges = self.raws.get(node.block)
            if ranges is None:
                stay, go = has_words(node.data, 0, len(node.data)), False
            elif node.block in self.whole:
                stay, go = False, bool(node.data.strip())
            else:
                first, last = node.raw
                inside = [(a - first, b - first) for a, b in _clipped(ranges, first, last)]
                edges = [0, *(at for piece in inside for at in piece), last - first]
                stay = any(node.data[a:b].strip() for a, b in zip(edges[::2], edges[1::2], strict=True))
                go = bool(inside)
            stays.append(stays[-1] + stay)
            goes.append(goes[-1] + go)
        return stays, goes

    def _all_goes(self, element: Element) -> bool:
        """Whether an element has text, and all of it goes."""
        first, last = element.first, element.last
        return self.stays[first] == self.stays[last] and self.goes[first] < self.goes[last]

    def actions(self) -> list[Action]:
        """The cuts: elements, and text outside of them."""
        chosen = self._chosen()
        elements = self.page.elements
        torn = self._torn(chosen)
        spared = _flags(len(elements), [(number, elements[number].past) for number in torn])
        chosen = [number for number in chosen if not spared[number]]
        for number in torn:
            first, last = elements[number].first, elements[number].last
            self._refuse_nodes(range(first, last), TORN_ROW if elements[number].tag in ("td", "th") else TORN_CONTROL)
        actions = [self._element(number) for number in chosen]
        taken = _flags(len(elements), [(number, elements[number].past) for number in chosen])
        covered = _flags(len(self.page.texts), [(elements[n].first, elements[n].last) for n in (*chosen, *torn)])
        for number in self.raws:
            if action := self._texts(number, covered, taken):
                actions.append(action)
        return actions

    def divide(self, refused: Sequence[Action]) -> bool:
        """Have the insides of refused elements cut instead where they hold more than text; whether there are any."""
        elements = self.page.elements
        found = [number for action in refused if not action.texts for number in action.elements
                 if any(element.holds is not None for element in elements[number + 1:elements[number].past])]
        for number in found:
            elements[number].fixed = True
        if found:
            self.reasons.clear()
        return bool(found)

    def _chosen(self) -> list[int]:
        """The outermost elements that can go, what else they hold seen to: one of each stays on the page."""
        elements = self.page.elements
        keys: dict[str, list[int]] = {}
        blocking: set[int] = set()
        for number, element in enumerate(elements):
            if element.holds is not None:
                keys.setdefault(element.holds, []).append(number)
                if ALT in element.holds:  # it may stand for the same image without words
                    keys.setdefault(element.holds.partition(ALT)[0], []).append(number)
        for key, numbers in keys.items():
            if not key or len(numbers) == 1:
                blocking.update(numbers)
        while True:
            held = [0]
            for number in range(len(elements)):
                held.append(held[-1] + (number in blocking))
            chosen = self._outermost(held)
            ranges = [(number, elements[number].past) for number in chosen]
            covered = _flags(len(elements), ranges)
            lost = [numbers[0] for numbers in keys.values() if all(covered[n] for n in numbers)]
            if not lost:
                return chosen
            blocking.update(lost)

    def _outermost(self, held: list[int]) -> list[int]:
        elements = self.page.elements
        chosen: list[int] = []
        number = 0
        while number < len(elements):
            element = elements[number]
            if self.goes[element.first] == self.goes[element.last]:
                number = element.past
            elif not element.fixed and self._all_goes(element) and held[number] == held[element.past] \
                    and element.start < element.end:
                chosen.append(number)
                number = element.past
            else:
                number += 1
        return chosen

    def _torn(self, chosen: list[int]) -> list[int]:
        """Cells that would be left empty, and options: elements in which nothing is cut."""
        elements = self.page.elements
        covered = _flags(len(elements), [(number, elements[number].past) for number in chosen])
        shown = [0]
        for element in elements:
            shown.append(shown[-1] + (element.holds is not None and element.tag not in _UNSEEN))
        torn: list[int] = []
        past = 0
        for number, element in enumerate(elements):
            if element.tag in ("td", "th", "option", "optgroup") and number >= past and not covered[number] \
                    and self._all_goes(element) and shown[number] == shown[element.past]:
                torn.append(number)
                past = element.past
        return torn

    def _element(self, number: int) -> Action:
        """The cut of an element; one that has its lines for itself goes with them."""
        element, source = self.page.elements[number], self.page.source
        start, end = element.start, element.end
        if element.tag in BLOCKS and not element.place.keep_blanks:
            line = start
            while line and source[line - 1] in " \t":
                line -= 1
            stop = end
            while stop < len(source) and source[stop] in " \t":
                stop += 1
            if (not line or source[line - 1] == "\n") and source[stop:stop + 1] == "\n":
                start, end = line, stop + 1
        return Action([(start, end)], [number])

    def _texts(self, number: int, covered: list[bool], taken: list[bool]) -> Action | None:
        """The cut of a block's text outside of elements that go."""
        block = self.page.blocks[number]
        action = Action([])
        for at in range(*block.nodes):
            first, last = self.page.texts[at].raw
            if not covered[at]:
                action.texts += [(at, a, b) for a, b in _clipped(self.raws[number], first, last)]
        if not action.texts:
            return None
        if not block.run.exact:
            self._refuse_texts(action, NO_PLACE)
            return None
        action.source = [block.source_range(a, b) for _, a, b in action.texts]
        if number in self.whole:
            self._take_break(block, action, taken)
        return action

    def _take_break(self, block: Block, action: Action, taken: list[bool]) -> None:
        """A line that goes as a whole takes a line break along."""
        for number in (block.breaks[1], block.breaks[0]):
            element = self.page.elements[number] if number >= 0 else None
            if element is not None and element.start >= 0 and not taken[number]:
                taken[number] = True
                action.elements.append(number)
                action.source.append((element.start, element.start_end))
                return

    def _refuse_nodes(self, nodes: range, why: str) -> None:
        for at in nodes:
            node = self.page.texts[at]
            if node.block in self.raws:
                self._reason(node.block, *node.raw, why)

    def _refuse_texts(self, action: Action, why: str) -> None:
        for at, start, end in action.texts:
            self._reason(self.page.texts[at].block, start, end, why)

    def _reason(self, number: int, start: int, end: int, why: str) -> None:
        block = self.page.blocks[number]
        first, last = block.text_range(start, end)
        self.reasons.append((block.start + first, block.start + last, why))

    def refuse(self, actions: Sequence[Action], why: str) -> None:
        """Note why some cuts are not made."""
        for action in actions:
            self._refuse_texts(action, why)
            for number in action.elements:
                element = self.page.elements[number]
                self._refuse_nodes(range(element.first, element.last), why)

    def gone_in_source(self) -> list[Gone]:
        """What was to go in the normalised source, for the removals of the cuts."""
        out: list[Gone] = []
        blocks = self.page.blocks
        row = 0
        for start, end, removal in self.gone:
            while row < len(blocks) and blocks[row].start + len(blocks[row].text) <= start:
                row += 1
            here = row
            while here < len(blocks) and blocks[here].start < end:
                out.append(Gone(*self._source_of(here, start, end), removal))
                here += 1
        return seams.apart(out, len(self.page.source))

    def _source_of(self, number: int, start: int, end: int) -> Range:
        """Where a stretch of the page's text stands in the source; the nearest to it that is known."""
        block = self.page.blocks[number]
        first, last = max(start - block.start, 0), min(end - block.start, len(block.text))
        if block.run.exact and first < last:
            return block.source_range(*block.raw_range(first, last))
        return block.run.begin, block.run.begin + 1

    def left(self, accepted: Sequence[Action]) -> list[Left]:
        """What stays that was to go."""
        cut: list[Range] = []
        page = self.page
        for number, ranges in raw_cuts(page, accepted).items():
            block = page.blocks[number]
            for a, b in ranges:
                first, last = block.text_range(a, b)
                cut.append((block.start + first, block.start + last))
        return seams.left_over(self.text, self.gone, seams.merged(cut), sorted(self.reasons))


def _clipped(ranges: Sequence[Range], first: int, last: int) -> Iterator[Range]:
    """What lies in ``[first, last)`` of ranges that are ascending and apart."""
    row = bisect_right(ranges, first, key=lambda found: found[1])
    while row < len(ranges) and ranges[row][0] < last:
        yield max(ranges[row][0], first), min(ranges[row][1], last)
        row += 1


def _flags(size: int, ranges: Sequence[Range]) -> list[bool]:
    """Whether each of `size` numbers is in one of the ranges."""
    flags = [False] * size
    for a, b in ranges:
        flags[a:b] = [True] * (b - a)
    return flags
