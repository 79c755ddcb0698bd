"""Planning until nothing more would go: what is left is looked at again, as if it had been written and read.

Taking text away brings other text together, and changes how often things stand on a page. Without a second look, a
second cleaning would find more to take.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dedup.blocks import Corpus
from dedup.cleaning.choices import Choices
from dedup.cleaning.decide import WHOLE_PAGE, Removal
from dedup.cleaning.pieces import Gone
from dedup.cleaning.plan import Plan, plan_removals
from dedup.cleaning.text import text_cuts
from dedup.findings import Findings
from dedup.model import Layout, Page
from dedup.options import Options
from dedup.verdicts import Judgement

I64 = npt.NDArray[np.int64]
MAX_ROUNDS = 6  # all but the first one small; what would go after them stays


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a page.

    Attributes:
        number: The page's number in the scan.
        page: The page without what went.
        new, old: Where stretches that stayed begin, in its text and in the page's own, ascending; code points.
    """

    number: int
    page: Page
    new: list[int]
    old: list[int]

    def original(self, start: int, end: int) -> list[tuple[int, int]]:
        """A place of what is left as stretches of the page's own text."""
        out = []
        row = max(bisect_right(self.new, start) - 1, 0)
        while row < len(self.new) and self.new[row] < end:
            stop = self.new[row + 1] if row + 1 < len(self.new) else end
            first, last = max(start, self.new[row]), min(end, stop)
            if first < last:
                shift = self.old[row] - self.new[row]
                out.append((first + shift, last + shift))
            row += 1
        return out


def plan_in_rounds(findings: Findings, choices: Choices) -> Plan:
    """A plan after which a second one would take nothing."""
    from dedup.pipeline import Stages, find_duplicates

    options = findings.options
    plan = plan_removals(findings, Judgement(findings), choices)
    for _ in range(MAX_ROUNDS - 1):
        rests = left_over(plan, options, choices)
        if not plan.by_page or not rests:
            break
        again, _ = find_duplicates([rest.page for rest in rests], replace(options, pairs=False), Stages())
        more = plan_removals(again, Judgement(again), choices)
        if not more.removals:
            break
        plan = _joined(plan, more, rests)
    return plan


def left_over(plan: Plan, options: Options, choices: Choices) -> list[Rest]:
    """The pages to be looked at again: for readers those that were cut, else all that are not dropped."""
    corpus, dropped = plan.corpus, plan.dropped
    across = bool(choices.taken & {"template", "shared", "copy-of"}) and options.scope != "within"
    pages = range(len(corpus.pages)) if across else sorted(plan.by_page)
    return [_rest(corpus, page, plan.by_page.get(page, [])) for page in pages if page not in dropped]


def _rest(corpus: Corpus, number: int, gone: Sequence[Gone]) -> Rest:
    head, text = corpus.pages[number], corpus.page_text(number)
    if not gone:
        return Rest(number, replace(head, text=text), [0], [0])
    if head.layout is not None:
        return _laid_out(number, head, text, head.layout, gone)
    new, old, kept, size, at = [], [], [], 0, 0
    for start, end in [*((cut.start, cut.end) for cut in text_cuts(text, gone).cuts), (len(text), len(text))]:
        if at < start:
            new.append(size)
            old.append(at)
            kept.append(text[at:start])
            size += start - at
        at = end
    return Rest(number, replace(head, text="".join(kept)), new or [0], old or [0])


def _laid_out(number: int, head: Page, text: str, layout: Layout, gone: Sequence[Gone]) -> Rest:
    """Block by block: what is left of each, its blanks collapsed; blocks of which nothing is left are not there."""
    new, old, rows, starts, ends, texts = [], [], [], [], [], []
    size, g = 0, 0
    for row, (start, end) in enumerate(zip(layout.start.tolist(), layout.end.tolist(), strict=True)):
        while g < len(gone) and gone[g].end <= start:
            g += 1
        pieces, at, k = [], start, g
        while k < len(gone) and gone[k].start < end:
            pieces.append((at, max(gone[k].start, at)))
            at = min(gone[k].end, end)
            k += 1
        pieces.append((at, end))
        stripped = [_stripped(text, a, b) for a, b in pieces] if len(pieces) > 1 else pieces
        stripped = [(a, b) for a, b in stripped if a < b]
        if not stripped:
            continue
        begin = size
        for i, (a, b) in enumerate(stripped):
            size += i > 0  # a blank between
            new.append(size)
            old.append(a)
            size += b - a
        rows.append(row)
        starts.append(begin)
        ends.append(size)
        texts.append(" ".join(text[a:b] for a, b in stripped))
        size += 1
    page = replace(head, text="\n".join(texts), layout=_layout(layout, rows, starts, ends))
    return Rest(number, page, new or [0], old or [0])


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _layout(layout: Layout, rows: list[int], starts: list[int], ends: list[int]) -> Layout:
    """The rows of blocks that are left. Nobody asks for places inside them in the source."""
    start, end = np.array(starts, np.int64), np.array(ends, np.int64)
    names = ("source_start", "source_end", "line", "end_line", "kind", "flags")
    columns = {name: getattr(layout, name)[rows] for name in names}
    if len(layout.element):
        columns["element"] = layout.element[rows]
    return replace(
        layout, start=start, end=end, link_chars=np.minimum(layout.link_chars[rows], end - start).astype(np.int32),
        path=tuple(layout.path[row] for row in rows), map_first=np.zeros(len(rows) + 1, np.int64),
        map_text=np.empty(0, np.int64), map_source=np.empty(0, np.int64), **columns)


def _joined(plan: Plan, more: Plan, rests: Sequence[Rest]) -> Plan:
    """A plan and the one for what it leaves, in places of the pages' own texts."""
    new: list[Removal] = []
    chars = np.diff(plan.corpus.page_chars)
    for removal in more.removals:
        rest, kept = rests[removal.page], rests[removal.kept_page]
        stays = kept.original(removal.kept_start, removal.kept_end)
        found = removal._replace(page=rest.number, kept_page=kept.number, group=-1)
        if removal.rule == WHOLE_PAGE:
            new.append(found._replace(start=0, end=int(chars[rest.number]), kept_start=0, kept_end=int(chars[kept.number])))
            continue
        new += [found._replace(start=start, end=end, kept_start=stays[0][0], kept_end=stays[-1][1])
                for start, end in rest.original(removal.start, removal.end)]
    whole = {removal.page for removal in new if removal.rule == WHOLE_PAGE}  # what went of it before goes with it
    later: dict[int, list[Removal]] = {}
    for removal in new:
        later.setdefault(removal.page, []).append(removal)
    earlier = [_followed(removal, later.get(removal.kept_page, ())) for removal in plan.removals if removal.page not in whole]
    return Plan(plan.corpus, sorted([*earlier, *new]))


def _followed(removal: Removal, later: Sequence[Removal]) -> Removal:
    """The removal, with the place that stays now where the one that stayed at first went later.

    Args:
        later: What went later of the page where that one is.
    """
    for other in later:
        if other.start <= removal.kept_start and removal.kept_end <= other.end:
            return removal._replace(kept_page=other.kept_page, kept_start=other.kept_start, kept_end=other.kept_end)
    return removal
